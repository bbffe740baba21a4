/* Finnish: what libvoikko says of a word, made into terms.
 *
 * An analysis gives BASEFORM, and STRUCTURE: '=' before each compound part,
 * then one sign a character. FSTOUTPUT holds the derivation: "[Lt][Xp]valvoa[X]"
 * is the verb behind a participle. Of several analyses those with the fewest
 * parts are believed (but see is_believed), all of them: the text alone does
 * not say whether "lastenkodin" is of a home or of a hut.
 */
#include <stdlib.h>
#include <string.h>

#include "index/analyse_internal.h"

#define ANALYSED_MAX 120u /* bytes: a longer word is no Finnish, and compounds cost exponentially */
#define SEGMENTS_MAX 8u
#define PART_MIN 2u /* bytes of a part that is worth a term */

struct segments {
	size_t n;
	size_t start[SEGMENTS_MAX + 1], end[SEGMENTS_MAX + 1]; /* bytes of the word */
};

static char *value(const struct voikko_mor_analysis *m, const char *key)
{
	return voikko_mor_analysis_value_cstr(m, key);
}

static unsigned int structure_parts(const struct voikko_mor_analysis *m)
{
	char *structure = value(m, "STRUCTURE");
	unsigned int n = 0;
	const char *p;

	for (p = structure; p && *p; p++)
		n += *p == '=';
	voikko_free_mor_analysis_value_cstr(structure);
	return n;
}

static unsigned int fewest_parts(struct voikko_mor_analysis **all)
{
	unsigned int fewest = ~0u, n;

	for (; all && *all; all++) {
		n = structure_parts(*all);
		if (n < fewest)
			fewest = n;
	}
	return fewest;
}

static size_t character_len(const char *p)
{
	unsigned char c = (unsigned char)*p;

	return c < 0x80 ? 1 : c < 0xE0 ? 2 : c < 0xF0 ? 3 : 4;
}

/* False when the structure does not fit the word, or has more parts than we take apart. */
static bool read_segments(const char *structure, const char *word, struct segments *ret)
{
	size_t at = 0, len = strlen(word);

	ret->n = 0;
	for (; *structure; structure++) {
		if (*structure == '=') {
			if (ret->n == SEGMENTS_MAX)
				return false;
			ret->start[ret->n++] = at;
			ret->end[ret->n - 1] = at;
			continue;
		}
		if (at >= len || !ret->n)
			return false;
		at += character_len(word + at);
		if (*structure != '-')
			ret->end[ret->n - 1] = at;
	}
	return at == len;
}

static size_t lower_value(
    const struct voikko_mor_analysis *m, const char *key, char out[ANALYSE_WORD_MAX + 1])
{
	char *text = value(m, key), normal[ANALYSE_WORD_MAX + 1];
	size_t n = 0;

	out[0] = '\0';
	if (text)
		n = words_lower(out, normal, words_normalise(normal, text, strlen(text)));
	voikko_free_mor_analysis_value_cstr(text);
	while (n && out[n - 1] == '-')
		out[--n] = '\0'; /* "hoito-" is what stands before "ja kasvatus…" */
	return n;
}

static bool has_value(const struct voikko_mor_analysis *m, const char *key, const char *is)
{
	char *text = value(m, key);
	bool has = text && (!is || !strcmp(text, is));

	voikko_free_mor_analysis_value_cstr(text);
	return has;
}

/* The verb in "[Lt][Ira][Xp]pitää[X]pitä[Ll][Ru]n…": NULL when there is none, or when the word was
 * not made from the verb itself: a verb derived from it ("[X]esit[Xj]ellä"), a further
 * adjective ("vastaavanlainen", [Dg]). */
static const char *verb_of(const char *fst, size_t *ret_len)
{
	const char *p, *at, *verb = NULL, *end;

	for (p = fst; p && (p = strstr(p, "[Lt]")); p = at) {
		for (at = p; *at == '[' && strncmp(at, "[Xp]", 4) != 0;)
			at = strchr(at, ']') ? strchr(at, ']') + 1 : at + strlen(at);
		if (*at == '[')
			verb = at + strlen("[Xp]");
	}
	end = verb ? strstr(verb, "[X]") : NULL;
	if (!end || strstr(end, "[Dg]"))
		return NULL;
	p = strchr(end + strlen("[X]"), '[');
	if (p && !strncmp(p, "[Xj]", 4))
		return NULL;
	*ret_len = (size_t)(end - verb);
	return verb;
}

/* Of a compound the verb keeps the parts before it, unless the dictionary's verb has them. */
static void add_participle_root(const struct voikko_mor_analysis *m, const char *lower,
    const struct segments *seg, struct analysis *out)
{
	char *fst, root[ANALYSE_WORD_MAX + 1];
	const char *verb;
	size_t n = 0, len = 0, i;

	if (!has_value(m, "PARTICIPLE", NULL))
		return;
	fst = value(m, "FSTOUTPUT");
	verb = fst ? verb_of(fst, &len) : NULL;
	if (verb && len < ANALYSE_WORD_MAX / 4) {
		if (seg->n > 1 && !memchr(verb, '=', len)) {
			n = seg->start[seg->n - 1];
			memcpy(root, lower, n);
		}
		for (i = 0; i < len; i++)
			if (verb[i] != '=')
				root[n++] = verb[i];
		analysis_add(out, ANALYSE_LEMMA, root, n);
	}
	voikko_free_mor_analysis_value_cstr(fst);
}

/* ---- parts of compounds ---- */

/* Base forms of a part by itself; nouns are preferred to verbs ("huolto", not "huoltaa"), but
 * a verb's -minen is the verb. Nothing is added when Voikko does not know it. */
static void add_part_bases(struct analyser *a, const char *part, struct analysis *out)
{
	struct voikko_mor_analysis **all = voikkoAnalyzeWordCstr(a->voikko, part), **m;
	unsigned int fewest = fewest_parts(all);
	char base[ANALYSE_WORD_MAX + 1];
	bool verbs = true;
	size_t n;

	for (m = all; m && *m; m++)
		if (structure_parts(*m) == fewest && !has_value(*m, "CLASS", "teonsana"))
			verbs = false;
	for (m = all; m && *m; m++) {
		if (structure_parts(*m) != fewest || (!verbs && has_value(*m, "CLASS", "teonsana")))
			continue;
		n = lower_value(*m, "BASEFORM", base);
		analysis_add(out, ANALYSE_PART, base, n);
	}
	if (all)
		voikko_free_mor_analysis(all);
}

/* "sijais" stands for "sijainen", "liikkumis" for "liikkuminen". */
static bool nominal_of_s(const char *part, size_t len, char out[ANALYSE_WORD_MAX + 1])
{
	if (len < 4 || part[len - 1] != 's' || len + 2 > ANALYSE_WORD_MAX)
		return false;
	memcpy(out, part, len - 1);
	memcpy(out + len - 1, "nen", 4);
	return true;
}

/* The terms of the part, from the cache when it was met before. */
static void add_part(struct analyser *a, const char *part, size_t len, struct analysis *out)
{
	struct analysis found = {.packed = {.limit = 4096}};
	char text[ANALYSE_WORD_MAX + 1], nominal[ANALYSE_WORD_MAX + 1];
	size_t at = 0;

	if (len < PART_MIN || len > ANALYSED_MAX)
		return;
	memcpy(text, part, len);
	text[len] = '\0';
	if (!cache_get(a->cache, CACHE_PART, text, len, &found.packed)) {
		add_part_bases(a, text, &found);
		if (!found.packed.len && nominal_of_s(text, len, nominal))
			add_part_bases(a, nominal, &found);
		if (!found.packed.len)
			analysis_add(&found, ANALYSE_PART, text, len);
		if (!buf_failed(&found.packed))
			cache_put(a->cache, CACHE_PART, text, len, &found.packed);
	}
	while (at + 2 < found.packed.len) {
		const unsigned char *p = (const unsigned char *)found.packed.data + at;

		analysis_add(out, ANALYSE_PART, found.packed.data + at + 2, p[1]);
		at += 3 + (size_t)p[1];
	}
	buf_free(&found.packed);
}

/* Every contiguous sub-sequence of the segments but the whole. One that ends the word has the
 * word's own base form without what stands before it; the others are analysed by themselves. */
static void add_parts(struct analyser *a, const char *lower, const struct segments *seg,
    const char *base, size_t base_len, struct analysis *out)
{
	size_t first, last, at;

	for (first = 0; first < seg->n; first++)
		for (last = first; last < seg->n; last++) {
			at = seg->start[first];
			if (first == 0 && last == seg->n - 1)
				continue;
			if (last == seg->n - 1 && base_len > at + PART_MIN - 1 &&
			    !memcmp(base, lower, at))
				analysis_add(out, ANALYSE_PART, base + at, base_len - at);
			else
				add_part(a, lower + at, seg->end[last] - at, out);
		}
}

/* ---- the word ---- */

static void add_analysis(struct analyser *a, const struct voikko_mor_analysis *m, const char *lower,
    struct analysis *lemmas, struct analysis *parts)
{
	char base[ANALYSE_WORD_MAX + 1], *structure;
	struct segments seg = {0};
	size_t n = lower_value(m, "BASEFORM", base);

	analysis_add(lemmas, ANALYSE_LEMMA, base, n);
	structure = value(m, "STRUCTURE");
	if (!structure || !read_segments(structure, lower, &seg))
		seg.n = 0;
	voikko_free_mor_analysis_value_cstr(structure);
	add_participle_root(m, lower, &seg, lemmas);
	if (seg.n > 1)
		add_parts(a, lower, &seg, base, n, parts);
}

static bool ends_with(const char *text, size_t len, const char *end)
{
	size_t n = strlen(end);

	return len > n && !memcmp(text + len - n, end, n);
}

/* Fewest parts, with an exception for two words that our texts are full of: by the rule alone
 * "sosiaalihuoltolain" is of a "huoltola" and "toimivaltaan" of something "toimiva", never of a law
 * or of a power. */
static bool is_believed(const struct voikko_mor_analysis *m, unsigned int fewest)
{
	char base[ANALYSE_WORD_MAX + 1];
	unsigned int parts = structure_parts(m);
	size_t n;

	if (parts != fewest + 1)
		return parts == fewest;
	n = lower_value(m, "BASEFORM", base);
	return ends_with(base, n, "laki") || ends_with(base, n, "valta");
}

/* Lemmas of all analyses come before parts of any: readers of a term list expect that order. */
static bool add_known(struct analyser *a, const char *word, const char *lower, struct analysis *out)
{
	struct analysis parts = {.packed = {.limit = 65536}};
	struct voikko_mor_analysis **all = voikkoAnalyzeWordCstr(a->voikko, word), **m;
	unsigned int fewest = fewest_parts(all);
	bool known = all && *all;

	for (m = all; m && *m; m++)
		if (is_believed(*m, fewest))
			add_analysis(a, *m, lower, out, &parts);
	if (parts.packed.len)
		buf_add(&out->packed, parts.packed.data, parts.packed.len);
	if (all)
		voikko_free_mor_analysis(all);
	buf_free(&parts.packed);
	return known;
}

/* "AVIn": at least two capitals, then an ending in small letters. Returns the capitals' length. */
static size_t abbreviation_len(const char *word)
{
	size_t n = 0;

	while (word[n] >= 'A' && word[n] <= 'Z')
		n++;
	return n >= 2 && word[n] && words_is_ending(word + n, strlen(word + n)) ? n : 0;
}

/* An unknown word is its own lemma beside its stem: so "ESAVI", "ESAVIn" and "esavissa" meet. */
static void add_unknown(
    struct analyser *a, const char *word, const char *lower, struct analysis *out)
{
	char nominal[ANALYSE_WORD_MAX + 1], base[ANALYSE_WORD_MAX + 1];
	size_t len = strlen(lower), n = abbreviation_len(word);

	if (nominal_of_s(lower, len, nominal) && add_known(a, nominal, nominal, out))
		return;
	if (!n)
		n = len;
	memcpy(base, lower, n);
	base[n] = '\0';
	analyse_snowball(a, ANALYSE_FI, base, n, out);
	analysis_add(out, ANALYSE_LEMMA, base, n);
}

void analyse_fi(struct analyser *a, const char *word, const char *lower, struct analysis *out)
{
	size_t len = strlen(lower);

	if (len > ANALYSED_MAX)
		analysis_add(out, ANALYSE_LEMMA, lower, len);
	else if (!add_known(a, lower, lower, out))
		add_unknown(a, word, lower, out);
}
