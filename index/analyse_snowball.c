#include <string.h>

#include "index/analyse_internal.h"

static size_t stem(
    struct sb_stemmer *s, const char *word, size_t len, char out[ANALYSE_WORD_MAX + 1])
{
	const sb_symbol *stemmed;
	size_t n;

	stemmed = sb_stemmer_stem(s, (const sb_symbol *)word, (int)len);
	n = stemmed ? (size_t)sb_stemmer_length(s) : 0;
	if (!n || n > ANALYSE_WORD_MAX) {
		stemmed = (const sb_symbol *)word;
		n = len;
	}
	memcpy(out, stemmed, n);
	out[n] = '\0';
	return n;
}

/* A word with hyphens has each of its members as a part, so that "self-supervision" is found by
 * "supervision". */
void analyse_snowball(struct analyser *a, enum analyse_language language, const char *lower,
    size_t len, struct analysis *out)
{
	struct sb_stemmer *s = a->stemmer[language];
	char stemmed[ANALYSE_WORD_MAX + 1];
	const char *p = lower, *end = lower + len, *hyphen;
	size_t n = stem(s, lower, len, stemmed);

	analysis_add(out, ANALYSE_LEMMA, stemmed, n);
	if (!memchr(lower, '-', len))
		return;
	for (; p < end; p = hyphen + 1) {
		hyphen = memchr(p, '-', (size_t)(end - p));
		if (!hyphen)
			hyphen = end;
		if (hyphen - p >= 2) {
			n = stem(s, p, (size_t)(hyphen - p), stemmed);
			analysis_add(out, ANALYSE_PART, stemmed, n);
		}
	}
}
