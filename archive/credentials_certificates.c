/* Client certificates: which user the holder of a certificate is. A row: user, name, SHA-256 of the DER, created, seen; its
 * end is the certificate's.
 */
#include <stdlib.h>
#include <string.h>

#include "archive/credentials_private.h"
#include "arkki/base/clock.h"
#include "arkki/base/text.h"

enum { SEEN_STEP_US = 60 * 1000000 };

static void put_certificate(struct row *r, const struct certificate *c)
{
	field_text(&r->body, c->name, sizeof(c->name) - 1);
	buf_add(&r->body, c->sha256, sizeof(c->sha256));
	field_number(&r->body, c->created_us);
	field_number(&r->body, c->seen_us);
	r->ends_us = c->expires_us;
}

static int take_certificate(const struct row *r, struct certificate *c, struct ark_error *err)
{
	struct fields f = row_fields(r, c->user);

	fields_text(&f, c->name, sizeof(c->name) - 1);
	fields_bytes(&f, c->sha256, sizeof(c->sha256));
	c->created_us = fields_number(&f);
	c->seen_us = fields_number(&f);
	c->expires_us = r->ends_us;
	hex_encode(c->id, r->id, ROW_ID_SIZE);
	return f.bad ? ark_fail(err, ARK_ECORRUPT, "the state holds a malformed certificate")
		     : ARK_OK;
}

/* Under the lock. The row that is there keeps its id. */
static int bind_certificate(
    struct state *s, struct row *r, struct certificate *c, struct ark_error *err)
{
	struct row there = {.kind = CREDENTIAL_CERTIFICATE};
	struct certificate old = {0};
	int rc;

	memcpy(there.name, r->name, sizeof(there.name));
	rc = row_read(s, &there, err);
	if (!rc)
		rc = take_certificate(&there, &old, err);
	if (!rc && strcmp(old.user, c->user) != 0)
		rc = ark_fail(err, ARK_ECONFLICT, "the certificate is another user's");
	if (!rc) {
		memcpy(r->id, there.id, sizeof(r->id));
		c->created_us = old.created_us;
		c->seen_us = old.seen_us;
	}
	row_free(&there);
	if (rc && rc != ARK_ENOTFOUND)
		return rc;
	hex_encode(c->id, r->id, ROW_ID_SIZE);
	put_certificate(r, c);
	return row_write(s, r, err);
}

int certificate_bind(struct state *s, struct certificate *c, struct ark_error *err)
{
	struct row r;
	int rc;

	if (!id_valid(c->user))
		return ark_fail(err, ARK_EINPUT, "a certificate needs the id of a user");
	rc = state_enter(s, true, err);
	if (rc)
		return rc;
	row_init(s, &r, CREDENTIAL_CERTIFICATE, c->user);
	row_name_bytes(s, &r, c->sha256, sizeof(c->sha256));
	c->created_us = clock_now_us();
	c->seen_us = 0;
	rc = state_leave(s, true, bind_certificate(s, &r, c, err), err);
	row_free(&r);
	return rc;
}

/* Under the lock. */
static int mark_seen(
    struct state *s, const struct certificate *c, struct row *r, struct ark_error *err)
{
	int rc = state_lazily(s, true, err);

	r->body.len = USER_SIZE;
	put_certificate(r, c);
	if (!rc)
		rc = row_renew(s, r, err);
	if (state_lazily(s, false, rc ? NULL : err) && !rc)
		rc = ARK_EIO;
	return rc;
}

int certificate_find(struct state *s, const unsigned char sha256[32], int64_t now_us,
    struct certificate *ret, struct ark_error *err)
{
	struct certificate found;
	struct row r;
	int rc = state_enter(s, false, err);

	if (rc)
		return rc;
	row_init(s, &r, CREDENTIAL_CERTIFICATE, NULL);
	row_name_bytes(s, &r, sha256, sizeof(found.sha256));
	rc = row_read(s, &r, err);
	if (!rc)
		rc = take_certificate(&r, &found, err);
	if (!rc && found.expires_us <= now_us)
		rc = ARK_ENOTFOUND;
	if (!rc && now_us - found.seen_us >= SEEN_STEP_US) {
		found.seen_us = now_us;
		rc = mark_seen(s, &found, &r, err);
	}
	row_free(&r);
	rc = state_leave(s, false, rc, err);
	if (rc == ARK_ENOTFOUND)
		return ark_fail(err, ARK_ENOTFOUND, "no such certificate");
	if (!rc)
		*ret = found;
	return rc;
}

static int delete_row(void *arg, struct row *r, struct ark_error *err)
{
	return row_delete(arg, r, NULL, err);
}

int certificate_remove(struct state *s, const char *id, struct ark_error *err)
{
	unsigned char bytes[ROW_ID_SIZE];
	const struct rows_wish wish = {.kind = CREDENTIAL_CERTIFICATE, .id = bytes};
	int rc, before;

	if (!row_id_parse(id, bytes))
		return ark_fail(err, ARK_ENOTFOUND, "no certificate has this id");
	rc = state_enter(s, true, err);
	if (rc)
		return rc;
	before = sqlite3_total_changes(s->db.sql);
	rc = rows_each(s, &wish, delete_row, s, err);
	if (!rc && sqlite3_total_changes(s->db.sql) == before)
		rc = ark_fail(err, ARK_ENOTFOUND, "no certificate has this id");
	return state_leave(s, true, rc, err);
}

/* ---- many ---- */

struct listing {
	struct certificate *items;
	size_t len, room;
};

static int list_row(void *arg, struct row *r, struct ark_error *err)
{
	struct certificate c, *items;
	struct listing *l = arg;
	int rc = take_certificate(r, &c, err);

	if (rc)
		return rc;
	if (l->len == l->room) {
		l->room = l->room ? l->room * 2 : 8;
		items = reallocarray(l->items, l->room, sizeof(*items));
		if (!items)
			return ark_fail(err, ARK_ENOMEM, "no memory for a list of certificates");
		l->items = items;
	}
	l->items[l->len++] = c;
	return ARK_OK;
}

static int newest_first(const void *a, const void *b)
{
	const struct certificate *x = a, *y = b;

	if (x->created_us != y->created_us)
		return x->created_us < y->created_us ? 1 : -1;
	return strcmp(x->id, y->id);
}

int certificate_each(struct state *s, const char *user,
    int (*each)(void *arg, const struct certificate *c), void *arg, struct ark_error *err)
{
	const struct rows_wish wish = {.kind = CREDENTIAL_CERTIFICATE, .user = user};
	struct listing l = {0};
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
