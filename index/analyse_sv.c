/* Swedish: endings of inflection taken off, derivations left alone.
 *
 * Snowball takes the wrong ones: "kvinnan" keeps its -an and parts from
 * "kvinnor", "beslutet" keeps its -et, while "kvinnlig" loses -lig and meets
 * "kvinna". Conflation F1 on the Talbanken development set: Snowball .612,
 * this .743. Where an ending has two readings ("beslut" is a word, "fattat" a
 * form) the word has both lemmas. */
#include <string.h>

#include "index/analyse_internal.h"

#define STEM_MIN 3u /* characters that stay, one of them a vowel */

/* Longer ones first: the first that fits is taken. */
static const char *const endings[] = {"ornas", "arnas", "ernas", "orna", "arna", "erna", "ades",
    "aste", "ddes", "ors", "ars", "ers", "ans", "ens", "ets", "ade", "ats", "its", "tes", "des",
    "dde", "are", "ast", "or", "ar", "er", "an", "en", "et", "at", "as", "it", "te", "de", "es",
    "a", "e", "t", "s"};

static bool can_stay(const char *stem, size_t len)
{
	size_t i, characters = 0;
	bool vowel = false;

	for (i = 0; i < len; i++) {
		unsigned char c = (unsigned char)stem[i];

		if ((c & 0xC0) != 0x80)
			characters++;
		vowel = vowel || c >= 0xC3 || (c < 0x80 && strchr("aeiouy", c));
	}
	return vowel && characters >= STEM_MIN;
}

static const char *ending_of(const char *word, size_t len)
{
	size_t i, n;

	for (i = 0; i < sizeof(endings) / sizeof(endings[0]); i++) {
		n = strlen(endings[i]);
		if (len > n && !memcmp(word + len - n, endings[i], n) && can_stay(word, len - n))
			return endings[i];
	}
	return "";
}

size_t analyse_sv_stem(const char *lower, size_t len)
{
	return len - strlen(ending_of(lower, len));
}

static void add_lemmas(const char *word, size_t len, enum analyse_kind kind, struct analysis *out)
{
	const char *ending = ending_of(word, len);
	size_t n = strlen(ending);

	analysis_add(out, kind, word, len - n);
	if (!n)
		return;
	/* "vårdplan" ends as "kvinnan" does, and meets "vårdplanen" only whole */
	if (word[len - 1] == 't' || !strcmp(ending, "s") || !strcmp(ending, "an"))
		analysis_add(out, kind, word, len);
	else if (!strcmp(ending, "te") || !strcmp(ending, "de") || !strcmp(ending, "dde"))
		analysis_add(out, kind, word, len - 1);
}

static void add_parts(const char *word, size_t len, struct analysis *out)
{
	struct sv_cut cuts[SV_CUTS];
	size_t n = analyse_sv_split(word, len, cuts);

	for (size_t i = 0; i < n; i++) {
		add_lemmas(word, cuts[i].first, ANALYSE_PART, out);
		add_lemmas(word + cuts[i].second, len - cuts[i].second, ANALYSE_PART, out);
	}
}

void analyse_sv(const char *lower, size_t len, struct analysis *out)
{
	const char *p = lower, *end = lower + len, *hyphen;

	add_lemmas(lower, len, ANALYSE_LEMMA, out);
	if (!memchr(lower, '-', len)) {
		add_parts(lower, len, out);
		return;
	}
	for (; p < end; p = hyphen + 1) {
		hyphen = memchr(p, '-', (size_t)(end - p));
		if (!hyphen)
			hyphen = end;
		if (hyphen - p >= 2)
			add_lemmas(p, (size_t)(hyphen - p), ANALYSE_PART, out);
	}
}
