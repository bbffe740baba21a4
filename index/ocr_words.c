/* Which words a dictionary knows: libvoikko for Finnish, hunspell for Swedish and English. */
#include "index/ocr.h"

#include <glib.h>
#include <hunspell/hunspell.h>
#include <libvoikko/voikko.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { WORD_BYTES = 120, LETTERS_MIN = 3, SPELLERS = 2 };

struct ocr_words {
	struct VoikkoHandle *finnish;
	struct speller {
		Hunhandle *handle;
		GIConv from_utf8; /* (GIConv)-1: the dictionary is in UTF-8 */
	} spellers[SPELLERS];
	size_t n;
};

#define NO_CONVERSION ((GIConv)-1)

static void add_speller(struct ocr_words *w, const char *language)
{
	struct speller s = {.from_utf8 = NO_CONVERSION};
	char aff[80], dic[80];
	const char *encoding;

	snprintf(aff, sizeof(aff), "/usr/share/hunspell/%s.aff", language);
	snprintf(dic, sizeof(dic), "/usr/share/hunspell/%s.dic", language);
	if (w->n == SPELLERS || access(aff, R_OK) < 0 || access(dic, R_OK) < 0)
		return;
	s.handle = Hunspell_create(aff, dic);
	if (!s.handle)
		return;
	encoding = Hunspell_get_dic_encoding(s.handle);
	if (g_ascii_strcasecmp(encoding, "UTF-8") != 0) {
		s.from_utf8 = g_iconv_open(encoding, "UTF-8");
		if (s.from_utf8 == NO_CONVERSION) {
			Hunspell_destroy(s.handle);
			return;
		}
	}
	w->spellers[w->n++] = s;
}

struct ocr_words *ocr_words_new(char reason[160])
{
	struct ocr_words *w = calloc(1, sizeof(*w));
	const char *error = NULL;

	if (!w) {
		snprintf(reason, 160, "no memory for the dictionaries");
		return NULL;
	}
	w->finnish = voikkoInit(&error, "fi", NULL);
	if (!w->finnish) {
		snprintf(reason, 160, "no Finnish dictionary (package voikko-fi)");
		ocr_words_free(w);
		return NULL;
	}
	add_speller(w, "sv_SE");
	if (!w->n) {
		snprintf(reason, 160, "no Swedish dictionary (package hunspell-sv)");
		ocr_words_free(w);
		return NULL;
	}
	add_speller(w, "en_US");
	return w;
}

void ocr_words_free(struct ocr_words *w)
{
	if (!w)
		return;
	if (w->finnish)
		voikkoTerminate(w->finnish);
	for (size_t i = 0; i < w->n; i++) {
		Hunspell_destroy(w->spellers[i].handle);
		if (w->spellers[i].from_utf8 != NO_CONVERSION)
			g_iconv_close(w->spellers[i].from_utf8);
	}
	free(w);
}

static bool speller_knows(const struct speller *s, const char *word)
{
	char converted[WORD_BYTES + 1], *from, *to = converted;
	char copy[WORD_BYTES + 1];
	gsize left = strlen(word), room = WORD_BYTES;

	if (s->from_utf8 == NO_CONVERSION)
		return Hunspell_spell(s->handle, word) != 0;
	memcpy(copy, word, left + 1);
	from = copy;
	if (g_iconv(s->from_utf8, &from, &left, &to, &room) == (gsize)-1 || left)
		return false;
	*to = '\0';
	return Hunspell_spell(s->handle, converted) != 0;
}

/* Cuts what is no letter from both ends. *ret_letters counts those that remain; digits in between count
 * as none ("A4-arkki" is a word). */
static size_t trim(const char *word, size_t len, const char **ret, size_t *ret_letters)
{
	size_t first = len, end = 0, letters = 0, n;

	for (size_t at = 0; at < len; at += n) {
		uint32_t c;

		n = format_utf8_next(word + at, len - at, &c);
		if (c == 0xfffd || !g_unichar_isalpha(c))
			continue;
		letters++;
		if (first == len)
			first = at;
		end = at + n;
	}
	*ret = word + first;
	*ret_letters = letters;
	return end > first ? end - first : 0;
}

int ocr_words_knows(const struct ocr_words *w, const char *word, size_t len)
{
	char copy[WORD_BYTES + 1];
	size_t letters, n;
	const char *from;

	if (len && word[len - 1] == '-')
		return -1;
	n = trim(word, len, &from, &letters);
	if (letters < LETTERS_MIN)
		return -1;
	if (n > WORD_BYTES)
		return 0;
	memcpy(copy, from, n);
	copy[n] = '\0';
	if (voikkoSpellCstr(w->finnish, copy) == VOIKKO_SPELL_OK)
		return (int)letters;
	for (size_t i = 0; i < w->n; i++) {
		if (speller_knows(&w->spellers[i], copy))
			return (int)letters;
	}
	return 0;
}
