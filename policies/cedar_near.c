/* Which name did the author mean? Also how names stand in messages, and their order. */
#include <stdio.h>
#include <string.h>

#include "policies/cedar_schema_private.h"

int cedar_text_order(struct cedar_text a, struct cedar_text b)
{
	size_t len = a.len < b.len ? a.len : b.len;
	int order = len ? memcmp(a.bytes, b.bytes, len) : 0;

	return order ? order : (a.len > b.len) - (a.len < b.len);
}

int cedar_uid_order(const struct cedar_uid *a, const struct cedar_uid *b)
{
	int order = cedar_text_order(a->type, b->type);

	return order ? order : cedar_text_order(a->id, b->id);
}

const char *cedar_shown(struct cedar_text text, char out[CEDAR_SHOWN])
{
	size_t len = text.len, at = 0;
	bool cut = len > CEDAR_SHOWN - 4;

	if (cut) {
		len = CEDAR_SHOWN - 4;
		while (len && ((unsigned char)text.bytes[len] & 0xc0) == 0x80)
			len--;
	}
	for (; at < len; at++) {
		unsigned char c = (unsigned char)text.bytes[at];

		out[at] = c < 0x20 || c == 0x7f ? '?' : (char)c;
	}
	memcpy(out + at, cut ? "..." : "", cut ? 4 : 1);
	return out;
}

#define NEAR_MAX 48 /* bytes of names that are compared at all */

/* Edits (insert, delete, replace one byte) from a to b, letter case counting as nothing. */
static unsigned int distance(struct cedar_text a, struct cedar_text b)
{
	unsigned int row[NEAR_MAX + 1];

	for (unsigned int j = 0; j <= b.len; j++)
		row[j] = j;
	for (unsigned int i = 1; i <= a.len; i++) {
		unsigned int diagonal = row[0];

		row[0] = i;
		for (unsigned int j = 1; j <= b.len; j++) {
			unsigned int above = row[j];
			bool same = (a.bytes[i - 1] | 32) == (b.bytes[j - 1] | 32);
			unsigned int best = diagonal + !same;

			if (above + 1 < best)
				best = above + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			row[j] = best;
			diagonal = above;
		}
	}
	return row[b.len];
}

void cedar_near_begin(struct cedar_near *n, struct cedar_text wanted)
{
	*n = (struct cedar_near){.wanted = wanted,
	    .distance = 1 + (unsigned int)(wanted.len < NEAR_MAX ? wanted.len / 4 : 0)};
}

void cedar_near_offer(struct cedar_near *n, struct cedar_text candidate)
{
	unsigned int d;

	if (n->wanted.len > NEAR_MAX || candidate.len > NEAR_MAX || !candidate.len)
		return;
	d = distance(n->wanted, candidate);
	/* one edit makes any one-letter name of any other */
	if (d >= candidate.len || d >= n->distance + !n->best.bytes)
		return;
	n->distance = d;
	n->best = candidate;
}

const char *cedar_near_end(const struct cedar_near *n, char out[160])
{
	char shown[CEDAR_SHOWN];

	out[0] = '\0';
	if (n->best.bytes)
		snprintf(out, 160, "did you mean `%s`?", cedar_shown(n->best, shown));
	return out;
}
