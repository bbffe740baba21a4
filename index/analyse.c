#include "index/analyse_internal.h"

#include <stdlib.h>
#include <string.h>

static const char *const language_names[ANALYSE_LANGUAGES] = {
    [ANALYSE_FI] = "fi", [ANALYSE_SV] = "sv", [ANALYSE_EN] = "en"};

bool analyse_language_parse(const char *name, enum analyse_language *ret)
{
	int i;

	for (i = 0; name && i < ANALYSE_LANGUAGES; i++)
		if (!strcmp(name, language_names[i])) {
			*ret = (enum analyse_language)i;
			return true;
		}
	return false;
}

const char *analyse_language_name(enum analyse_language language)
{
	return language_names[language];
}

const char *analyse_prefix(enum analyse_language language, enum analyse_kind kind)
{
	if (kind == ANALYSE_RAW)
		return "";
	if (kind == ANALYSE_PART)
		return "K";
	return language == ANALYSE_SV ? "ZV" : "Z";
}

/* ---- the packed list ---- */

static bool analysis_has(
    const struct analysis *a, enum analyse_kind kind, const char *term, size_t len)
{
	size_t at = 0;

	while (at + 2 < a->packed.len) {
		const unsigned char *p = (const unsigned char *)a->packed.data + at;

		if (p[0] == kind && p[1] == len && !memcmp(p + 2, term, len))
			return true;
		at += 3 + (size_t)p[1];
	}
	return false;
}

void analysis_add(struct analysis *out, enum analyse_kind kind, const char *term, size_t len)
{
	if (!len || len > ANALYSE_WORD_MAX || analysis_has(out, kind, term, len))
		return;
	buf_addc(&out->packed, (char)kind);
	buf_addc(&out->packed, (char)len);
	buf_add(&out->packed, term, len);
	buf_addc(&out->packed, '\0');
}

int analysis_each(const struct analysis *a, analyse_each_term each, void *arg)
{
	size_t at = 0;

	while (at + 2 < a->packed.len) {
		const unsigned char *p = (const unsigned char *)a->packed.data + at;
		int r = each(arg, (enum analyse_kind)p[0], a->packed.data + at + 2, p[1]);

		if (r)
			return r;
		at += 3 + (size_t)p[1];
	}
	return 0;
}

/* ---- the analyser ---- */

int analyser_new(struct analyse_cache *cache, struct analyser **ret, struct ark_error *err)
{
	static const char *const algorithms[ANALYSE_LANGUAGES] = {
	    [ANALYSE_FI] = "finnish", [ANALYSE_EN] = "english"};
	struct analyser *a = calloc(1, sizeof(*a));
	const char *why = NULL;
	int i, r = ARK_OK;

	if (!a)
		return ark_fail(err, ARK_ENOMEM, "no memory for an analyser");
	a->cache = cache;
	a->voikko = voikkoInit(&why, "fi", NULL);
	if (!a->voikko) {
		r = ark_fail(err, ARK_EIO,
		    "cannot open the Finnish dictionary (%s): install the package voikko-fi",
		    why ? why : "no reason given");
		goto out;
	}
	for (i = 0; i < ANALYSE_LANGUAGES; i++) {
		if (!algorithms[i])
			continue;
		a->stemmer[i] = sb_stemmer_new(algorithms[i], "UTF_8");
		if (!a->stemmer[i]) {
			r = ark_fail(err, ARK_ENOMEM, "no %s stemmer", algorithms[i]);
			goto out;
		}
	}
	*ret = a;
	a = NULL;
out:
	analyser_free(a);
	return r;
}

void analyser_free(struct analyser *a)
{
	int i;

	if (!a)
		return;
	if (a->voikko)
		voikkoTerminate(a->voikko);
	for (i = 0; i < ANALYSE_LANGUAGES; i++)
		sb_stemmer_delete(a->stemmer[i]);
	buf_free(&a->found.packed);
	free(a);
}

/* Runs of it are not words: "---", "§§". */
static bool has_content(const char *word, size_t len)
{
	size_t pos = 0;
	struct word w;

	return words_next(word, len, &pos, &w);
}

static void analyse_afresh(
    struct analyser *a, enum analyse_language language, const char *given, size_t given_len)
{
	char word[ANALYSE_WORD_MAX + 1], lower[ANALYSE_WORD_MAX + 1];
	size_t len = words_normalise(word, given, given_len), lower_len, at;

	if (!has_content(word, len))
		return;
	lower_len = words_lower(lower, word, len);
	analysis_add(&a->found, ANALYSE_RAW, lower, lower_len);
	len = words_before_colon(word, len);
	while (len && word[len - 1] == '-')
		len--;
	word[len] = '\0';
	at = strspn(word, "-");
	lower_len = words_lower(lower, word + at, len - at);
	if (language == ANALYSE_FI)
		analyse_fi(a, word + at, lower, &a->found);
	else if (language == ANALYSE_SV)
		analyse_sv(lower, lower_len, &a->found);
	else
		analyse_snowball(a, language, lower, lower_len, &a->found);
}

int analyse_word(struct analyser *a, enum analyse_language language, const char *word, size_t len,
    analyse_each_term each, void *arg, struct ark_error *err)
{
	static const enum cache_space spaces[ANALYSE_LANGUAGES] = {CACHE_FI, CACHE_SV, CACHE_EN};
	enum cache_space space = spaces[language];

	buf_clear(&a->found.packed);
	if (len > ANALYSE_WORD_MAX || !cache_get(a->cache, space, word, len, &a->found.packed)) {
		analyse_afresh(a, language, word, len);
		if (!buf_failed(&a->found.packed))
			cache_put(a->cache, space, word, len, &a->found.packed);
	}
	if (buf_failed(&a->found.packed))
		return ark_fail(err, ARK_ENOMEM, "no memory to analyse a word");
	return analysis_each(&a->found, each, arg);
}

/* ---- may it have one of these terms? ---- */

void analyse_wanted_add(struct analyse_wanted *w, const char *term, size_t len)
{
	uint16_t h = sketch_term(term, len);

	w->bits[h / 64] |= 1ull << h % 64;
}

static int sketch_add_term(void *arg, enum analyse_kind kind, const char *term, size_t len)
{
	(void)kind;
	sketch_add(arg, sketch_term(term, len));
	return 0;
}

int analyse_may_have(struct analyser *a, const char *word, size_t len,
    const struct analyse_wanted *w, bool *ret, struct ark_error *err)
{
	struct sketch s;
	int l, r = 0;

	if (!sketch_get(a->cache, word, len, &s)) {
		s = (struct sketch){0};
		for (l = 0; !r && l < ANALYSE_LANGUAGES; l++)
			r = analyse_word(
			    a, (enum analyse_language)l, word, len, sketch_add_term, &s, err);
		if (r)
			return r;
		sketch_put(a->cache, word, len, &s);
	}
	*ret = s.more;
	for (l = 0; l < s.len && !*ret; l++)
		*ret = w->bits[s.term[l] / 64] >> s.term[l] % 64 & 1;
	return 0;
}

/* ---- texts ---- */

/* A paragraph ends at an empty line, at a line's end once it has this much, or at the second
 * bound wherever that is: files without line ends exist. */
#define PARAGRAPH_ENOUGH 200u
#define PARAGRAPH_MAX 4000u

size_t analyse_paragraph_end(const char *text, size_t len, size_t start)
{
	size_t at = start;

	while (at < len) {
		const char *nl = memchr(text + at, '\n', len - at);
		size_t line_end = nl ? (size_t)(nl - text) + 1 : len;

		if (line_end - start > PARAGRAPH_MAX) {
			at = start + PARAGRAPH_MAX;
			while (at < line_end && text[at] != ' ' && text[at] != '\n')
				at++;
			return at;
		}
		at = line_end;
		if (at - start >= PARAGRAPH_ENOUGH || at >= len || text[at] == '\n' ||
		    text[at] == '\r')
			break;
	}
	return at;
}

int analyse_text(const char *text, size_t len, enum analyse_language declared,
    analyse_each_token each, void *arg)
{
	size_t start = 0, end, pos;
	uint32_t position = 0;
	struct word w;
	int r = 0;

	for (; start < len && !r; start = end) {
		enum analyse_language language;

		end = analyse_paragraph_end(text, len, start);
		language = analyse_language_of(text + start, end - start, declared);
		for (pos = 0; !r && words_next(text + start, end - start, &pos, &w);) {
			const struct analyse_token token = {
			    .word = w.text,
			    .word_len = w.text_len,
			    .offset = start + w.offset,
			    .len = w.len,
			    .position = position + 1,
			    .language = language,
			};

			position++;
			r = each(arg, &token);
		}
	}
	return r;
}
