#include "archive/git_commit.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "arkki/base/text.h"

void gitcommit_origin(char out[GITCOMMIT_ORIGIN_SIZE], const char *origin)
{
	static const char allowed[] =
	    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
	    "./:_-";

	snprintf(out, GITCOMMIT_ORIGIN_SIZE, "%s", *origin ? origin : "unnamed");
	for (char *p = out; *p; p++)
		if (!strchr(allowed, *p))
			*p = '-';
}

static void add_id(struct buf *out, const char *key, const struct store_oid *oid)
{
	char hex[2 * STORE_OID_SIZE + 1];

	hex_encode(hex, oid->id, STORE_OID_SIZE);
	buf_addf(out, "%s %s\n", key, hex);
}

static void add_head(struct buf *out, const struct gitcommit *c, const char *origin)
{
	add_id(out, "tree", &c->tree);
	if (c->has_parent)
		add_id(out, "parent", &c->parent);
	buf_addf(out, "author arkki <arkki@%s> %" PRId64 " +0000\n", origin, c->time_s);
	buf_addf(out, "committer arkki <arkki@%s> %" PRId64 " +0000\n", origin, c->time_s);
}

static void add_message(struct buf *out, const struct gitcommit *c)
{
	buf_addf(out, "\narkki %" PRIu64 "\n\n", c->sequence);
	buf_add(out, c->changes, c->changes_len);
	if (c->changes_len && c->changes[c->changes_len - 1] != '\n')
		buf_addc(out, '\n');
}

/* A header of several lines: each newline but the last is followed by one space. */
static void add_signature(struct buf *out, const struct buf *armour)
{
	buf_adds(out, "gpgsig");
	for (const char *line = armour->data; line && *line;) {
		size_t n = strcspn(line, "\n") + 1;

		buf_addc(out, ' ');
		buf_add(out, line, n);
		line += n;
	}
}

int gitcommit_make(const struct gitcommit *c, const char *origin, const struct gitsign *signer,
    struct buf *out, struct ark_error *err)
{
	struct buf payload = BUF_INIT, armour = BUF_INIT;
	int rc = ARK_OK;

	if (c->changes_len > GITCOMMIT_MAX_CHANGES)
		return ark_fail(err, ARK_EINPUT, "a commit with %zu bytes of changes is too large",
		    c->changes_len);
	add_head(&payload, c, origin);
	add_message(&payload, c);
	if (!buf_failed(&payload))
		rc = gitsign_sign(signer, payload.data, payload.len, &armour, err);
	if (!rc) {
		add_head(out, c, origin);
		add_signature(out, &armour);
		add_message(out, c);
	}
	if (!rc && (buf_failed(&payload) || buf_failed(out)))
		rc = ark_fail(err, ARK_ENOMEM, "no memory for a commit");
	buf_free(&armour);
	buf_free(&payload);
	return rc;
}

/* ---- reading ---- */

struct cursor {
	const char *p, *end;
	bool bad;
};

/* Takes `text`, which must stand here. */
static void expect(struct cursor *c, const char *text)
{
	size_t n = strlen(text);

	if (c->bad || (size_t)(c->end - c->p) < n || memcmp(c->p, text, n) != 0)
		c->bad = true;
	else
		c->p += n;
}

static bool starts(const struct cursor *c, const char *text)
{
	size_t n = strlen(text);

	return !c->bad && (size_t)(c->end - c->p) >= n && memcmp(c->p, text, n) == 0;
}

static void take_id(struct cursor *c, struct store_oid *ret)
{
	if (c->bad || c->end - c->p < 2 * STORE_OID_SIZE ||
	    !hex_decode(ret->id, STORE_OID_SIZE, c->p, 2 * STORE_OID_SIZE))
		c->bad = true;
	else
		c->p += 2 * STORE_OID_SIZE;
	expect(c, "\n");
}

static uint64_t take_number(struct cursor *c)
{
	uint64_t n = 0;
	const char *from = c->p;

	while (!c->bad && c->p < c->end && *c->p >= '0' && *c->p <= '9' && c->p - from < 18)
		n = n * 10 + (uint64_t)(*c->p++ - '0');
	c->bad |= c->p == from;
	return n;
}

static void skip_line(struct cursor *c)
{
	const char *newline = c->bad ? NULL : memchr(c->p, '\n', (size_t)(c->end - c->p));

	if (!newline)
		c->bad = true;
	else
		c->p = newline + 1;
}

static int64_t take_person(struct cursor *c, const char *key)
{
	uint64_t time_s;

	expect(c, key);
	expect(c, " arkki <arkki@");
	while (!c->bad && c->p < c->end && *c->p != '>' && *c->p != '\n')
		c->p++;
	expect(c, "> ");
	time_s = take_number(c);
	expect(c, " +0000\n");
	return (int64_t)time_s;
}

int gitcommit_parse(const void *bytes, size_t len, struct gitcommit *ret, struct ark_error *err)
{
	struct cursor c = {.p = bytes, .end = (const char *)bytes + len};

	*ret = (struct gitcommit){0};
	expect(&c, "tree ");
	take_id(&c, &ret->tree);
	if (starts(&c, "parent ")) {
		ret->has_parent = true;
		expect(&c, "parent ");
		take_id(&c, &ret->parent);
	}
	take_person(&c, "author");
	ret->time_s = take_person(&c, "committer");
	ret->signature_head = c.p;
	expect(&c, "gpgsig ");
	skip_line(&c);
	while (starts(&c, " "))
		skip_line(&c);
	ret->signature_end = c.p;
	expect(&c, "\narkki ");
	ret->sequence = take_number(&c);
	expect(&c, "\n\n");
	if (c.bad)
		return ark_fail(err, ARK_ECORRUPT, "a commit was not made by arkki");
	ret->changes = c.p;
	ret->changes_len = (size_t)(c.end - c.p);
	return ARK_OK;
}

bool gitcommit_verify(
    const struct gitcommit *c, const void *bytes, size_t len, const struct gitsign *signer)
{
	const char *from = bytes, *end = from + len;
	struct buf payload = BUF_INIT, armour = BUF_INIT;
	bool ok;

	buf_add(&payload, from, (size_t)(c->signature_head - from));
	buf_add(&payload, c->signature_end, (size_t)(end - c->signature_end));
	for (const char *p = c->signature_head + strlen("gpgsig"); p < c->signature_end;) {
		const char *newline = memchr(p, '\n', (size_t)(c->signature_end - p));

		buf_add(&armour, p + 1, (size_t)(newline - p));
		p = newline + 1;
	}
	ok = !buf_failed(&payload) && !buf_failed(&armour) &&
	     gitsign_verify(signer, payload.data, payload.len, armour.data, armour.len);
	buf_free(&armour);
	buf_free(&payload);
	return ok;
}
