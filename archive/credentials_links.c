/* One-time links. A link's row holds user, kind, end; it is found by its code, and its end is a column. */
#include <string.h>

#include "archive/credentials_private.h"
#include "arkki/base/text.h"

static int put_link(struct state *s, struct row *r, const char *user, struct ark_error *err)
{
	int rc = rows_delete(s, CREDENTIAL_LINK, user, err);

	return rc ? rc : row_write(s, r, err);
}

int link_create(struct state *s, const char *user, enum link_kind kind, int64_t expires_us,
    char ret_code[STATE_TOKEN_SIZE], struct ark_error *err)
{
	char code[STATE_TOKEN_SIZE];
	struct row r;
	int rc;

	if (!id_valid(user))
		return ark_fail(err, ARK_EINPUT, "a link needs the id of a user");
	rc = state_secret("", code, err);
	if (rc)
		return rc;
	row_init(s, &r, CREDENTIAL_LINK, user);
	row_name(s, &r, code, NULL);
	r.ends_us = expires_us;
	field_number(&r.body, kind);
	rc = state_enter(s, true, err);
	if (!rc)
		rc = state_leave(s, true, put_link(s, &r, user, err), err);
	if (!rc)
		memcpy(ret_code, code, sizeof(code));
	row_free(&r);
	sodium_memzero(code, sizeof(code));
	return rc;
}

/* Under the lock. */
static int read_link(struct state *s, const char *code, int64_t now_us, bool use,
    struct link_found *ret, struct ark_error *err)
{
	struct link_found found;
	struct fields f;
	struct row r;
	int64_t kind;
	int rc;

	row_init(s, &r, CREDENTIAL_LINK, NULL);
	row_name(s, &r, code, NULL);
	rc = row_read(s, &r, err);
	if (rc)
		goto out;
	f = row_fields(&r, found.user);
	kind = fields_number(&f);
	if (f.bad || kind < LINK_INVITATION || kind > LINK_EMERGENCY) {
		rc = ark_fail(err, ARK_ECORRUPT, "the state holds a malformed link");
		goto out;
	}
	found.kind = (enum link_kind)kind;
	found.expires_us = r.ends_us;
	if (r.ends_us <= now_us)
		rc = ark_fail(err, ARK_ENOTFOUND, "no such credential");
	else if (use)
		rc = row_delete(s, &r, NULL, err);
	if (!rc)
		*ret = found;
out:
	row_free(&r);
	return rc;
}

static int look(struct state *s, const char *code, int64_t now_us, bool use, struct link_found *ret,
    struct ark_error *err)
{
	int rc;

	/* anything longer is no code; hashing it would be work for a stranger */
	if (strlen(code) >= STATE_TOKEN_SIZE)
		return ark_fail(err, ARK_ENOTFOUND, "no such link");
	rc = state_enter(s, use, err);
	if (!rc)
		rc = state_leave(s, use, read_link(s, code, now_us, use, ret, err), err);
	return rc == ARK_ENOTFOUND ? ark_fail(err, ARK_ENOTFOUND, "no such link") : rc;
}

int link_find(struct state *s, const char *code, int64_t now_us, struct link_found *ret,
    struct ark_error *err)
{
	return look(s, code, now_us, false, ret, err);
}

int link_use(struct state *s, const char *code, int64_t now_us, struct link_found *ret,
    struct ark_error *err)
{
	return look(s, code, now_us, true, ret, err);
}
