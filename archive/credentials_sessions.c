/* Sessions of browsers. A session's row is found by its cookie, or by its id; the fields in their order are in put_session().
 * Being seen makes the row anew, at most once a minute and not synced at once: a crash may make a session seem idle for
 * longer than it was, never for less.
 */
#include <stdlib.h>
#include <string.h>

#include "archive/credentials_private.h"
#include "arkki/base/clock.h"
#include "arkki/base/text.h"

enum { SEEN_STEP_US = 60 * 1000000 };

static void put_session(struct row *r, const struct session *v)
{
	field_text(&r->body, v->method, sizeof(v->method) - 1);
	field_number(&r->body, (v->strong ? 1 : 0) | (v->enrolling ? 2 : 0));
	field_number(&r->body, v->created_us);
	field_number(&r->body, v->seen_us);
	field_text(&r->body, v->address, sizeof(v->address) - 1);
	field_text(&r->body, v->agent, sizeof(v->agent) - 1);
	field_text(&r->body, v->provider, sizeof(v->provider) - 1);
	field_text(&r->body, v->subject, sizeof(v->subject) - 1);
	field_text(&r->body, v->provider_session, sizeof(v->provider_session) - 1);
	r->ends_us = v->expires_us;
}

static int take_session(const struct row *r, struct session *v, struct ark_error *err)
{
	struct fields f = row_fields(r, v->user);
	int64_t flags;

	fields_text(&f, v->method, sizeof(v->method) - 1);
	flags = fields_number(&f);
	v->strong = flags & 1;
	v->enrolling = flags & 2;
	v->created_us = fields_number(&f);
	v->seen_us = fields_number(&f);
	fields_text(&f, v->address, sizeof(v->address) - 1);
	fields_text(&f, v->agent, sizeof(v->agent) - 1);
	fields_text(&f, v->provider, sizeof(v->provider) - 1);
	fields_text(&f, v->subject, sizeof(v->subject) - 1);
	fields_text(&f, v->provider_session, sizeof(v->provider_session) - 1);
	v->expires_us = r->ends_us;
	hex_encode(v->id, r->id, ROW_ID_SIZE);
	return f.bad ? ark_fail(err, ARK_ECORRUPT, "the state holds a malformed session") : ARK_OK;
}

static bool live(const struct session *v, int64_t now_us, int64_t idle_us)
{
	return v->expires_us > now_us && now_us - v->seen_us < idle_us;
}

static int write_session(struct state *s, const struct session *v,
    const unsigned char id[ROW_ID_SIZE], const char *cookie, struct ark_error *err)
{
	struct row r;
	int rc;

	row_init(s, &r, CREDENTIAL_SESSION, v->user);
	memcpy(r.id, id, ROW_ID_SIZE);
	row_name(s, &r, cookie, NULL);
	put_session(&r, v);
	rc = row_write(s, &r, err);
	row_free(&r);
	return rc;
}

int session_create(struct state *s, struct session *session, char ret_cookie[STATE_TOKEN_SIZE],
    struct ark_error *err)
{
	unsigned char id[ROW_ID_SIZE];
	char cookie[STATE_TOKEN_SIZE];
	int rc;

	if (!id_valid(session->user))
		return ark_fail(err, ARK_EINPUT, "a session needs the id of a user");
	rc = state_secret("", cookie, err);
	if (rc)
		return rc;
	randombytes_buf(id, sizeof(id));
	hex_encode(session->id, id, sizeof(id));
	session->created_us = session->seen_us = clock_now_us();
	rc = state_enter(s, true, err);
	if (!rc)
		rc = state_leave(s, true, write_session(s, session, id, cookie, err), err);
	if (!rc)
		memcpy(ret_cookie, cookie, sizeof(cookie));
	sodium_memzero(cookie, sizeof(cookie));
	return rc;
}

/* Under the lock. */
static int mark_seen(struct state *s, const struct session *v, struct row *r, struct ark_error *err)
{
	int rc = state_lazily(s, true, err);

	r->body.len = USER_SIZE;
	put_session(r, v);
	if (!rc)
		rc = row_renew(s, r, err);
	if (state_lazily(s, false, rc ? NULL : err) && !rc)
		rc = ARK_EIO;
	return rc;
}

int session_find(struct state *s, const char *cookie, int64_t now_us, int64_t idle_us,
    struct session *ret, struct ark_error *err)
{
	struct session found = {0};
	struct row r;
	int rc;

	/* anything longer is no cookie of ours; hashing it would be work for a stranger */
	if (strlen(cookie) >= STATE_TOKEN_SIZE)
		return ark_fail(err, ARK_ENOTFOUND, "no such session");
	rc = state_enter(s, false, err);
	if (rc)
		return rc;
	row_init(s, &r, CREDENTIAL_SESSION, NULL);
	row_name(s, &r, cookie, NULL);
	rc = row_read(s, &r, err);
	if (!rc)
		rc = take_session(&r, &found, err);
	if (!rc && !live(&found, now_us, idle_us))
		rc = ARK_ENOTFOUND;
	if (!rc && now_us - found.seen_us >= SEEN_STEP_US) {
		found.seen_us = now_us;
		rc = mark_seen(s, &found, &r, err);
	}
	row_free(&r);
	rc = state_leave(s, false, rc, err);
	if (rc == ARK_ENOTFOUND)
		return ark_fail(err, ARK_ENOTFOUND, "no such session");
	if (!rc)
		*ret = found;
	sodium_memzero(&found, sizeof(found));
	return rc;
}

/* ---- by id ---- */

struct wanted {
	struct state *s;
	const char *user; /* NULL: anybody's */
	bool found;
	struct session session;
	struct row old; /* kind and name */
};

static int want(void *arg, struct row *r, struct ark_error *err)
{
	struct wanted *w = arg;
	int rc = take_session(r, &w->session, err);

	if (rc || (w->user && strcmp(w->user, w->session.user) != 0))
		return rc;
	w->found = true;
	w->old.kind = r->kind;
	memcpy(w->old.name, r->name, HASH_SIZE);
	memcpy(w->old.id, r->id, ROW_ID_SIZE);
	return ARK_OK;
}

/* Under the lock. */
static int find_by_id(struct wanted *w, const char *id, struct ark_error *err)
{
	unsigned char bytes[ROW_ID_SIZE];
	struct rows_wish wish = {.kind = CREDENTIAL_SESSION, .id = bytes};
	int rc;

	if (!row_id_parse(id, bytes))
		return ark_fail(err, ARK_ENOTFOUND, "no session has this id");
	rc = rows_each(w->s, &wish, want, w, err);
	if (!rc && !w->found)
		rc = ark_fail(err, ARK_ENOTFOUND, "no session has this id");
	return rc;
}

static int upgrade(
    struct wanted *w, const char *id, const char *method, const char *cookie, struct ark_error *err)
{
	int rc = find_by_id(w, id, err);

	if (!rc)
		rc = row_delete(w->s, &w->old, NULL, err);
	if (rc)
		return rc;
	memset(w->session.method, 0, sizeof(w->session.method));
	memcpy(w->session.method, method, strlen(method));
	w->session.strong = true;
	w->session.enrolling = false;
	return write_session(w->s, &w->session, w->old.id, cookie, err);
}

int session_upgrade(struct state *s, const char *id, const char *method,
    char ret_cookie[STATE_TOKEN_SIZE], struct ark_error *err)
{
	struct wanted w = {.s = s};
	char cookie[STATE_TOKEN_SIZE];
	int rc;

	if (strlen(method) >= sizeof(w.session.method))
		return ark_fail(err, ARK_EINPUT, "a method of signing in has too long a name");
	rc = state_secret("", cookie, err);
	if (rc)
		return rc;
	rc = state_enter(s, true, err);
	if (!rc)
		rc = state_leave(s, true, upgrade(&w, id, method, cookie, err), err);
	if (!rc)
		memcpy(ret_cookie, cookie, sizeof(cookie));
	sodium_memzero(&w.session, sizeof(w.session));
	sodium_memzero(cookie, sizeof(cookie));
	return rc;
}

int session_end(struct state *s, const char *id, const char *user, struct ark_error *err)
{
	struct wanted w = {.s = s, .user = user};
	int rc = state_enter(s, true, err);

	if (rc)
		return rc;
	rc = find_by_id(&w, id, err);
	if (!rc)
		rc = row_delete(s, &w.old, NULL, err);
	sodium_memzero(&w.session, sizeof(w.session));
	return state_leave(s, true, rc, err);
}

/* ---- many ---- */

struct ending {
	struct state *s;
	const char *except;                   /* an id; NULL */
	const char *provider, *sid, *subject; /* provider NULL: whatever */
	unsigned int n;
};

static int end_row(void *arg, struct row *r, struct ark_error *err)
{
	struct ending *e = arg;
	struct session v;
	int rc = take_session(r, &v, err);
	bool meant;

	if (rc)
		return rc;
	if (e->provider)
		meant = strcmp(v.provider, e->provider) == 0 &&
			(e->sid ? strcmp(v.provider_session, e->sid) == 0
				: e->subject && strcmp(v.subject, e->subject) == 0);
	else
		meant = !e->except || strcmp(v.id, e->except) != 0;
	sodium_memzero(&v, sizeof(v));
	if (!meant)
		return ARK_OK;
	e->n++;
	return row_delete(e->s, r, NULL, err);
}

int session_end_all(struct state *s, const char *user, const char *except, struct ark_error *err)
{
	struct ending e = {.s = s, .except = except};
	const struct rows_wish wish = {.kind = CREDENTIAL_SESSION, .user = user};
	int rc = state_enter(s, true, err);

	return rc ? rc : state_leave(s, true, rows_each(s, &wish, end_row, &e, err), err);
}

int session_end_provider(struct state *s, const char *provider, const char *sid,
    const char *subject, unsigned int *ret_n, struct ark_error *err)
{
	struct ending e = {.s = s, .provider = provider, .sid = sid, .subject = subject};
	const struct rows_wish wish = {.kind = CREDENTIAL_SESSION};
	int rc = state_enter(s, true, err);

	if (!rc)
		rc = state_leave(s, true, rows_each(s, &wish, end_row, &e, err), err);
	if (!rc)
		*ret_n = e.n;
	return rc;
}

struct listing {
	int64_t now_us, idle_us;
	struct session *items;
	size_t len, room;
};

static int list_row(void *arg, struct row *r, struct ark_error *err)
{
	struct listing *l = arg;
	struct session v = {0}, *items;
	int rc = take_session(r, &v, err);

	if (rc || !live(&v, l->now_us, l->idle_us))
		return rc;
	if (l->len == l->room) {
		l->room = l->room ? l->room * 2 : 8;
		items = reallocarray(l->items, l->room, sizeof(*items));
		if (!items)
			return ark_fail(err, ARK_ENOMEM, "no memory for a list of sessions");
		l->items = items;
	}
	l->items[l->len++] = v;
	return ARK_OK;
}

static int newest_first(const void *a, const void *b)
{
	const struct session *x = a, *y = b;

	if (x->created_us != y->created_us)
		return x->created_us < y->created_us ? 1 : -1;
	return strcmp(x->id, y->id);
}

int session_each(struct state *s, const char *user, int64_t now_us, int64_t idle_us,
    int (*each)(void *arg, const struct session *session), void *arg, struct ark_error *err)
{
	struct listing l = {.now_us = now_us, .idle_us = idle_us};
	const struct rows_wish wish = {.kind = CREDENTIAL_SESSION, .user = user};
	int rc = state_enter(s, false, err);

	if (rc)
		return rc;
	rc = state_leave(s, false, rows_each(s, &wish, list_row, &l, err), err);
	if (!rc && l.len)
		qsort(l.items, l.len, sizeof(*l.items), newest_first);
	for (size_t i = 0; !rc && i < l.len; i++)
		rc = each(arg, &l.items[i]);
	free(l.items);
	return rc;
}

/* For credentials_sweep(): a session that is over. */
int session_sweep(
    struct state *s, const struct row *r, int64_t now_us, int64_t idle_us, struct ark_error *err)
{
	struct session v;
	int rc = take_session(r, &v, err);

	if (!rc && !live(&v, now_us, idle_us))
		rc = row_delete(s, r, NULL, err);
	sodium_memzero(&v, sizeof(v));
	return rc;
}

int session_seen(const struct row *r, int64_t *ret_us, struct ark_error *err)
{
	struct session v;
	int rc = take_session(r, &v, err);

	*ret_us = v.seen_us;
	sodium_memzero(&v, sizeof(v));
	return rc;
}
