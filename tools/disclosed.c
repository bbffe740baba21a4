#include "tools/disclosed.h"

#include <stdio.h>
#include <string.h>

#include "arkki/base/json.h"
#include "tools/cli.h"

/* U+0080 to U+009F move cursors; U+061C, U+200B to U+200F, U+2028 to U+202E, U+2060 to U+206F and U+FEFF are unseen, or
 * turn the direction. Length of such a sequence of bytes, or 0. */
static size_t unseen(const char *p)
{
	const unsigned char *u = (const unsigned char *)p;

	if (u[0] == 0xc2 && u[1] >= 0x80 && u[1] < 0xa0)
		return 2;
	if (u[0] == 0xd8 && u[1] == 0x9c)
		return 2;
	if (u[0] == 0xe2 && u[1] == 0x80 &&
	    ((u[2] >= 0x8b && u[2] <= 0x8f) || (u[2] >= 0xa8 && u[2] <= 0xae)))
		return 3;
	if (u[0] == 0xe2 && u[1] == 0x81 && u[2] >= 0xa0 && u[2] <= 0xaf)
		return 3;
	return u[0] == 0xef && u[1] == 0xbb && u[2] == 0xbf ? 3 : 0;
}

void printable_add(struct buf *out, const char *text)
{
	for (const unsigned char *p = (const unsigned char *)text; *p; p++) {
		size_t n = unseen((const char *)p);

		if (n == 2)
			buf_addf(out, "\\u%04x", (p[0] & 0x1fU) << 6 | (p[1] & 0x3fU));
		else if (n == 3)
			buf_addf(out, "\\u%04x",
			    (p[0] & 0xfU) << 12 | (p[1] & 0x3fU) << 6 | (p[2] & 0x3fU));
		else if (*p < ' ' || *p == 0x7f)
			buf_addf(out, "\\u%04x", *p);
		else
			buf_addc(out, (char)*p);
		p += n ? n - 1 : 0;
	}
}

static void print_part(char letter, const json_t *part)
{
	struct buf json = BUF_INIT, out = BUF_INIT;

	if (part && json_write(&json, part, NULL) == ARK_OK)
		printable_add(&out, json.data);
	printf("%c  %s\n", letter, out.data ? out.data : "(not disclosed)");
	buf_free(&json);
	buf_free(&out);
}

void disclosed_print(const struct disclosed *d)
{
	printf("proved: entry %llu of %s is in its tree of %llu entries\n",
	    (unsigned long long)d->index, d->origin, (unsigned long long)d->tree_size);
	print_part('A', d->a);
	print_part('B', d->b);
	print_part('C', d->c);
}

int disclosed_check(
    const struct cli *c, const char *text, size_t len, struct disclosed *ret, struct ark_error *err)
{
	int rc = ARK_EINPUT;

	for (int i = 0; rc && i < c->said_len; i++)
		if (strcmp(c->said[i].name, "--vkey") == 0)
			rc = disclosure_check(text, len, c->said[i].value, ret, err);
	return rc;
}
