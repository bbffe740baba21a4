/* All of a user's credentials at once: what there is, taking it away, sweeping, checking. */
#include <string.h>

#include "archive/credentials_private.h"
#include "arkki/base/text.h"

/* ---- what there is ---- */

struct summing {
	int64_t now_us;
	struct credentials_summary *sum;
};

static int add_row(void *arg, struct row *r, struct ark_error *err)
{
	struct summing *a = arg;
	struct credentials_summary *sum = a->sum;
	struct fields f;
	int64_t seen;
	int rc = ARK_OK;

	switch (r->kind) {
	case CREDENTIAL_PASSWORD:
		f = row_fields(r, NULL);
		sum->password = true;
		sum->password_us = fields_number(&f);
		break;
	case CREDENTIAL_TOTP:
		sum->totp = true;
		break;
	case CREDENTIAL_RECOVERY:
		sum->recovery_left++;
		break;
	case CREDENTIAL_SESSION:
		rc = session_seen(r, &seen, err);
		if (rc)
			break;
		sum->sessions += r->ends_us > a->now_us;
		if (seen > sum->seen_us)
			sum->seen_us = seen;
		break;
	case CREDENTIAL_IDENTITY:
		sum->identities++;
		break;
	case CREDENTIAL_CERTIFICATE:
		sum->certificates++;
		break;
	default:
		break;
	}
	return rc;
}

int credentials_summary(struct state *s, const char *user, int64_t now_us,
    struct credentials_summary *ret, struct ark_error *err)
{
	const struct rows_wish wish = {.user = user};
	struct credentials_summary sum = {0};
	struct summing summing = {.now_us = now_us, .sum = &sum};
	int rc = state_enter(s, false, err);

	if (rc)
		return rc;
	rc = rows_each(s, &wish, add_row, &summing, err);
	if (!rc)
		rc = tokens_summary(s, user, now_us, &sum.tokens, &sum.seen_us, err);
	rc = state_leave(s, false, rc, err);
	if (!rc)
		*ret = sum;
	return rc;
}

/* ---- taking away ---- */

int credentials_remove(struct state *s, const char *user, unsigned int parts, struct ark_error *err)
{
	static const struct {
		unsigned int part;
		enum credential_kind kind;
	} what[] = {
	    {CREDENTIALS_PASSWORD, CREDENTIAL_PASSWORD},
	    {CREDENTIALS_SECOND_FACTOR, CREDENTIAL_TOTP},
	    {CREDENTIALS_SECOND_FACTOR, CREDENTIAL_TOTP_BEGUN},
	    {CREDENTIALS_SECOND_FACTOR, CREDENTIAL_RECOVERY},
	    {CREDENTIALS_LINKS, CREDENTIAL_LINK},
	    {CREDENTIALS_SESSIONS, CREDENTIAL_SESSION},
	    {CREDENTIALS_IDENTITIES, CREDENTIAL_IDENTITY},
	    {CREDENTIALS_CERTIFICATES, CREDENTIAL_CERTIFICATE},
	    {CREDENTIALS_UPLOADS, CREDENTIAL_UPLOAD},
	};
	int rc = state_enter(s, true, err);

	if (rc)
		return rc;
	for (size_t i = 0; !rc && i < sizeof(what) / sizeof(what[0]); i++)
		if (parts & what[i].part)
			rc = rows_delete(s, what[i].kind, user, err);
	if (!rc && (parts & CREDENTIALS_TOKENS))
		rc = tokens_remove(s, user, 0, err);
	rc = state_leave(s, true, rc, err);
	if (!rc)
		state_forget_log(s);
	return rc;
}

/* ---- sweeping ---- */

struct sweeping {
	struct state *s;
	int64_t now_us, idle_us;
};

static int sweep_row(void *arg, struct row *r, struct ark_error *err)
{
	const struct sweeping *w = arg;

	switch (r->kind) {
	case CREDENTIAL_SESSION:
		return session_sweep(w->s, r, w->now_us, w->idle_us, err);
	case CREDENTIAL_LINK:
	case CREDENTIAL_TOTP_BEGUN:
		return r->ends_us <= w->now_us ? row_delete(w->s, r, NULL, err) : ARK_OK;
	default:
		return ARK_OK;
	}
}

int credentials_sweep(struct state *s, int64_t now_us, int64_t idle_us, struct ark_error *err)
{
	static const enum credential_kind kinds[] = {
	    CREDENTIAL_SESSION, CREDENTIAL_LINK, CREDENTIAL_TOTP_BEGUN};
	struct sweeping w = {.s = s, .now_us = now_us, .idle_us = idle_us};
	int rc = state_enter(s, true, err);

	if (rc)
		return rc;
	for (size_t i = 0; !rc && i < sizeof(kinds) / sizeof(kinds[0]); i++)
		rc = rows_each(s, &(struct rows_wish){.kind = kinds[i]}, sweep_row, &w, err);
	if (!rc)
		rc = tokens_remove(s, NULL, now_us, err);
	rc = state_leave(s, true, rc, err);
	if (!rc)
		state_forget_log(s);
	return rc;
}

/* ---- checking ---- */

struct checking {
	struct state *s;
	bool (*known)(void *arg, const char *user);
	void *arg;
};

static int check_row(void *arg, struct row *r, struct ark_error *err)
{
	static const unsigned char nobody[OWNER_SIZE];
	const struct checking *c = arg;
	unsigned char owner[OWNER_SIZE];
	char user[USER_SIZE + 1], id[2 * ROW_ID_SIZE + 1];
	struct fields f = row_fields(r, user);

	hex_encode(id, r->id, ROW_ID_SIZE);
	if (f.bad)
		return ark_fail(err, ARK_ECORRUPT, "the credential %s of the state is cut", id);
	if (!*user)
		return memcmp(r->owner, nobody, OWNER_SIZE) == 0
			   ? ARK_OK
			   : ark_fail(err, ARK_ECORRUPT, "the credential %s is of nobody", id);
	row_owner(c->s, user, owner);
	if (memcmp(r->owner, owner, OWNER_SIZE) != 0)
		return ark_fail(err, ARK_ECORRUPT, "the credential %s is not of whom it says", id);
	if (c->known && !c->known(c->arg, user))
		return ark_fail(
		    err, ARK_ECORRUPT, "the credential %s is of a user that nobody knows", id);
	return ARK_OK;
}

/* An archive from before has no such table, and looking at it makes none. */
static int has_credentials(struct state *s, bool *ret, struct ark_error *err)
{
	struct query q;
	int rc;

	query_begin(&q, &s->db);
	query_sql(&q, "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'credential'");
	rc = query_run(&q, err);
	*ret = rc == 1;
	return rc < 0 ? rc : ARK_OK;
}

int credentials_check(
    struct state *s, bool (*known)(void *arg, const char *user), void *arg, struct ark_error *err)
{
	struct checking c = {.s = s, .known = known, .arg = arg};
	bool there;
	int rc;

	pthread_mutex_lock(&s->lock);
	rc = has_credentials(s, &there, err);
	if (!rc && there)
		rc = rows_each(s, &(struct rows_wish){0}, check_row, &c, err);
	pthread_mutex_unlock(&s->lock);
	return rc;
}
