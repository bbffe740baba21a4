/* Which of three languages a paragraph is in: how probable its letters are in
 * each, plus what its most frequent small words say. */
#include <string.h>

#include "index/words.h"

/* -100 ln p of the letters a–z å ä ö, counted over statutes, decisions, treebanks and licences
 * (3.5, 1.7 and 0.3 million letters). */
static const short letter_cost[ANALYSE_LANGUAGES][29] = {
    [ANALYSE_FI] = {214, 702, 736, 461, 246, 783, 691, 402, 232, 406, 299, 284, 352, 248, 286, 415,
	1051, 385, 246, 226, 293, 371, 934, 845, 403, 959, 1017, 318, 500},
    [ANALYSE_SV] = {241, 422, 466, 304, 232, 380, 332, 387, 287, 529, 362, 288, 333, 239, 325, 422,
	1079, 259, 266, 243, 411, 366, 983, 756, 526, 879, 424, 384, 400},
    [ANALYSE_EN] = {266, 419, 320, 331, 213, 371, 410, 323, 250, 691, 510, 332, 374, 266, 246, 372,
	673, 263, 275, 238, 352, 447, 428, 587, 383, 787, 947, 885, 932}};

#define SMALL_WORD_MAX 8u /* bytes: compared as one number */
#define SMALL_WORDS 32u
static const char small_words[ANALYSE_LANGUAGES][SMALL_WORDS][SMALL_WORD_MAX] = {
    [ANALYSE_FI] = {"ja", "on", "että", "ei", "tai", "oli", "mukaan", "ole", "sekä", "ollut",
	"myös", "ovat", "sen", "kuin", "jos", "se", "hänen", "kun", "joka", "hän", "siitä", "olisi",
	"voidaan", "voi", "lisäksi", "jonka", "eikä", "tulee", "kanssa", "vuoksi"},
    [ANALYSE_SV] = {"och", "av", "som", "att", "för", "om", "en", "den", "till", "det", "har",
	"eller", "med", "på", "inte", "är", "ett", "hade", "enligt", "kan", "vid", "samt", "skulle",
	"sig", "från", "inom", "när", "under", "denna", "sin", "även", "genom"},
    [ANALYSE_EN] = {"the", "of", "to", "or", "and", "in", "that", "is", "this", "for", "it", "by",
	"not", "with", "if", "as", "on", "be", "are", "such", "from", "an", "which", "no", "at",
	"its", "has", "was", "were", "have", "their"}};

#define SMALL_WORD_WORTH 300 /* as much as one letter that the other languages do not have */
#define DECLARED_WORTH 1200  /* a few words have to speak against what was declared */
#define READ_MAX 2000u       /* bytes of a paragraph that are looked at */

static int letter_index(const char *p, size_t len)
{
	unsigned char c = (unsigned char)p[0], d = len > 1 ? (unsigned char)p[1] : 0;

	if ((c | 0x20) >= 'a' && (c | 0x20) <= 'z')
		return (c | 0x20) - 'a';
	if (c != 0xC3)
		return -1;
	d |= 0x20; /* Å Ä Ö → å ä ö */
	return d == 0xA5 ? 26 : d == 0xA4 ? 27 : d == 0xB6 ? 28 : -1;
}

static bool is_small_word(const char list[SMALL_WORDS][SMALL_WORD_MAX], uint64_t word)
{
	uint64_t other;
	size_t i;

	for (i = 0; i < SMALL_WORDS; i++) {
		memcpy(&other, list[i], SMALL_WORD_MAX);
		if (other == word)
			return true;
	}
	return false;
}

enum analyse_language analyse_language_of(
    const char *text, size_t len, enum analyse_language declared)
{
	long cost[ANALYSE_LANGUAGES] = {0};
	char lower[ANALYSE_WORD_MAX + 1];
	enum analyse_language best = declared;
	size_t pos = 0, i, lower_len;
	uint64_t number;
	struct word w;
	int l, letter;

	if (len > READ_MAX)
		len = READ_MAX;
	while (words_next(text, len, &pos, &w)) {
		lower_len = words_lower(lower, w.text, w.text_len);
		for (i = 0; i < lower_len; i++)
			if ((letter = letter_index(lower + i, lower_len - i)) >= 0)
				for (l = 0; l < ANALYSE_LANGUAGES; l++)
					cost[l] += letter_cost[l][letter];
		if (!lower_len || lower_len > SMALL_WORD_MAX)
			continue;
		number = 0;
		memcpy(&number, lower, lower_len);
		for (l = 0; l < ANALYSE_LANGUAGES; l++)
			if (is_small_word(small_words[l], number))
				cost[l] -= SMALL_WORD_WORTH;
	}
	cost[declared] -= DECLARED_WORTH;
	for (l = 0; l < ANALYSE_LANGUAGES; l++)
		if (cost[l] < cost[best])
			best = (enum analyse_language)l;
	return best;
}
