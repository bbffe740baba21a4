/* Swedish compounds taken apart: "tvångsåtgärder" has the parts "tvång" and "åtgärd".
 *
 * A word is cut where both sides are words of hunspell's dictionary (package hunspell-sv) and neither is short, best in
 * the middle. Without the dictionary no word is cut. hunspell itself is not asked: it looks for compounds in all that it
 * does not know, 16 us each time, and a word has a dozen places. Its list of words is read, once a process, into sets of
 * hashes that stay: of the words, and of their stems by our own endings.
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "arkki/base/fs.h"
#include "index/analyse_internal.h"

enum {
	WORD_MIN = 7, /* bytes */
	WORD_MOST = 60,
	PART_MIN = 4,
	LIST_MAX = 16 << 20,
	SLOTS = 1 << 20, /* of a set: a power of two, several times the 150,000 words of the list */
	WORDS_MAX = SLOTS / 2,
};

struct words {
	uint32_t
	    *slots; /* hashes, 0 empty; a clash costs a wrong part once in ten thousand words */
	size_t used;
};

static pthread_once_t once = PTHREAD_ONCE_INIT;
static struct words exact, stems; /* no slots: there is no dictionary */

static uint64_t hash_of(const char *word, size_t len)
{
	uint64_t h = 14695981039346656037U;

	for (size_t i = 0; i < len; i++)
		h = (h ^ (unsigned char)word[i]) * 1099511628211U;
	return h;
}

/* The slot of the word, or the empty one where it belongs. */
static uint32_t *slot_of(const struct words *w, const char *word, size_t len, uint32_t *ret_mark)
{
	uint64_t h = hash_of(word, len);
	size_t i = (h >> 32) & (SLOTS - 1);

	*ret_mark = (uint32_t)h ? (uint32_t)h : 1;
	while (w->slots[i] && w->slots[i] != *ret_mark)
		i = (i + 1) & (SLOTS - 1);
	return &w->slots[i];
}

static void add(struct words *w, const char *word, size_t len)
{
	uint32_t mark, *slot = slot_of(w, word, len, &mark);

	if (!*slot && w->used < WORDS_MAX) {
		*slot = mark;
		w->used++;
	}
}

static bool has(const struct words *w, const char *word, size_t len)
{
	uint32_t mark;

	return *slot_of(w, word, len, &mark) != 0;
}

/* Names are no parts; nor is what begins with a sign. */
static bool is_common(const char *word, size_t len)
{
	unsigned char c = (unsigned char)word[0], d = len > 1 ? (unsigned char)word[1] : 0;

	return len >= 3 && len <= WORD_MOST && ((c >= 'a' && c <= 'z') || (c == 0xC3 && d >= 0xA0));
}

static void take_list(const char *text)
{
	for (const char *p = text; *p;) {
		size_t line = strcspn(p, "\n"), len = strcspn(p, "/\t\r\n");

		if (is_common(p, len)) {
			add(&exact, p, len);
			add(&stems, p, analyse_sv_stem(p, len));
		}
		p += line + (p[line] == '\n');
	}
}

static void load(void)
{
	static const char *const files[] = {
	    "/usr/share/hunspell/sv_FI.dic", "/usr/share/hunspell/sv_SE.dic"};
	struct buf list = BUF_INIT;

	for (size_t i = 0; !list.len && i < sizeof(files) / sizeof(files[0]); i++)
		if (fs_read_file(files[i], LIST_MAX, &list, NULL))
			buf_clear(&list);
	if (list.len && !memchr(list.data, 0, list.len)) {
		exact.slots = calloc(SLOTS, sizeof(*exact.slots));
		stems.slots = calloc(SLOTS, sizeof(*stems.slots));
		if (exact.slots && stems.slots)
			take_list(list.data);
	}
	buf_free(&list);
}

static bool is_word(const char *text, size_t len)
{
	return has(&exact, text, len) || has(&stems, text, analyse_sv_stem(text, len));
}

/* Words of three letters that our field's compounds end with; of others most cuts would be wrong. */
static bool can_end(const char *text, size_t len)
{
	static const char *const ends[] = {"lag", "hem", "tid", "dom"};

	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
		if (len == 3 && !memcmp(text, ends[i], 3))
			return true;
	return len >= PART_MIN && is_word(text, len);
}

/* The length of the first part of a word that is cut at `at`: without the s that links; 0: no part. */
static size_t first_len(const char *word, size_t at)
{
	if (at > PART_MIN && word[at - 1] == 's' && has(&exact, word, at - 1))
		return at - 1;
	return at >= PART_MIN && has(&exact, word, at) ? at : 0;
}

/* Where it parts best, 0: nowhere. */
static size_t best_cut(const char *word, size_t len)
{
	size_t best = 0, best_shorter = 0;

	for (size_t at = PART_MIN; at + 3 <= len; at++) {
		size_t first, shorter;

		if (((unsigned char)word[at] & 0xC0) == 0x80 || !can_end(word + at, len - at))
			continue;
		first = first_len(word, at);
		shorter = first < len - at ? first : len - at;
		if (first && shorter > best_shorter) {
			best = at;
			best_shorter = shorter;
		}
	}
	return best;
}

size_t analyse_sv_split(const char *word, size_t len, struct sv_cut cuts[SV_CUTS])
{
	size_t at, n = 0;

	if (len < WORD_MIN || len > WORD_MOST || memchr(word, '-', len))
		return 0;
	pthread_once(&once, load);
	if (!exact.slots || !stems.slots)
		return 0;
	at = best_cut(word, len);
	if (at)
		cuts[n++] = (struct sv_cut){first_len(word, at), at};
	/* "barnskyddslag" is of a "lag" and reads as of a "slag": neither is left out */
	if (at && word[at] == 's' && at + 4 <= len && can_end(word + at + 1, len - at - 1))
		cuts[n++] = (struct sv_cut){at, at + 1};
	return n;
}
