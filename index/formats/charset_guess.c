/* Which encoding of one byte a letter a text without a label is in. The archive's texts are Finnish, Swedish and
 * English, so the few Western encodings are told apart by rules of our own: each byte beyond ASCII is judged by what
 * it would be in that encoding and by its neighbours (a small letter inside a word, a capital at its beginning, a
 * quotation mark at its edge). libuchardet is asked only about texts that are none of these, and only when they are
 * long enough that it is not guessing. */
#include <ctype.h>
#include <string.h>
#include <uchardet/uchardet.h>

#include "index/formats/format.h"

enum class { ODD, MARK, SMALL, CAPITAL, HOME_SMALL, HOME_CAPITAL }; /* HOME: åäö */

enum { LOOKED_AT = 262144, ASKED = 65536, ENOUGH = 8, ENOUGH_WIDE = 24 };

/* The bytes of each class; the rest is ODD: signs that hardly stand in a text, or nothing at all. */
struct western {
	const char *label;
	const char *home_small, *home_capital, *small, *capital, *mark;
	const char *open, *close; /* quotation marks, of those in mark */
	unsigned char apostrophe;
};

static const struct western westerns[] = {
    {"windows-1252", "\xe4\xf6\xe5", "\xc4\xd6\xc5",
	"\x83\x9a\x9c\x9e\xdf\xe0\xe1\xe2\xe3\xe6\xe7\xe8\xe9\xea\xeb\xec\xed\xee\xef\xf0\xf1\xf2"
	"\xf3\xf4\xf5\xf8\xf9\xfa\xfb\xfc\xfd\xfe\xff",
	"\x8a\x8c\x8e\x9f\xc0\xc1\xc2\xc3\xc6\xc7\xc8\xc9\xca\xcb\xcc\xcd\xce\xcf\xd0\xd1\xd2\xd3"
	"\xd4\xd5\xd8\xd9\xda\xdb\xdc\xdd\xde",
	"\x80\x82\x84\x85\x91\x92\x93\x94\x95\x96\x97\x99\xa0\xa4\xa7\xab\xad\xb0\xb1\xb2\xb3\xb4"
	"\xb7"
	"\xbb\xbd\xd7",
	"\x82\x84\x91\x93", "\x92\x94", 0x92},
    {"macintosh", "\x8a\x9a\x8c", "\x80\x85\x81",
	"\x87\x88\x89\x8b\x8d\x8e\x8f\x90\x91\x92\x93\x94\x95\x96\x97\x98\x99\x9b\x9c\x9d\x9e\x9f"
	"\xa7\xbe\xbf\xcf\xd8",
	"\x82\x83\x84\x86\xae\xaf\xcb\xcc\xcd\xce\xe5\xe6\xe7\xe8\xe9\xea\xeb\xec\xed\xee\xef\xf1"
	"\xf2\xf3\xf4",
	"\xa0\xa1\xa4\xa5\xb1\xc7\xc8\xc9\xca\xd0\xd1\xd2\xd3\xd4\xd5\xdb\xe1\xe2\xe3",
	"\xd2\xd4\xe2\xe3", "\xd3\xd5", 0xd5},
    {"ibm850", "\x84\x94\x86", "\x8e\x99\x8f",
	"\x81\x82\x83\x85\x87\x88\x89\x8a\x8b\x8c\x8d\x91\x93\x95\x96\x97\x98\x9b\xa0\xa1\xa2\xa3"
	"\xa4\xc6\xd0\xe1\xe4\xe7\xec",
	"\x80\x90\x92\x9a\x9d\xa5\xb5\xb6\xb7\xc7\xd1\xd2\xd3\xd4\xe0\xe2\xe3\xe5\xe9",
	"\xab\xae\xaf\xb3\xb4\xba\xbf\xc0\xc3\xc4\xcd\xd9\xda\xf0\xf5\xf8\xfa\xff", "\xae", "\xaf",
	0xef},
};
enum { WESTERNS = sizeof(westerns) / sizeof(*westerns) };

static bool has(const char *set, unsigned char c)
{
	return memchr(set, c, strlen(set)) != NULL;
}

static enum class class_of(const struct western *w, unsigned char c) {
	if (has(w->home_small, c)) return HOME_SMALL;
	if (has(w->home_capital, c)) return HOME_CAPITAL;
	if (has(w->small, c)) return SMALL;
	if (has(w->capital, c)) return CAPITAL;
	return has(w->mark, c) ? MARK : ODD;
}

/* How well the byte fits between its neighbours: before and after are 'a', 'A' or 0 (no letter). */
static int fit(enum class is, char before, char after)
{
	switch (is) {
	case HOME_SMALL:
		return before || after ? 4 : 2;
	case HOME_CAPITAL:
		return before == 'a' ? -3 : before || after ? 4 : 1;
	case SMALL:
		return before == 'A' && after == 'A' ? -3 : before || after ? 1 : -1;
	case CAPITAL:
		return before == 'a' ? -3 : before || after ? 1 : -1;
	case MARK:
		return before && after ? -1 : 1;
	default:
		return -3;
	}
}

static char letter_class(const struct western *w, const char *bytes, size_t len, size_t at)
{
	unsigned char c = at < len ? (unsigned char)bytes[at] : ' ';

	if (c < 0x80)
		return islower(c) ? 'a' : isupper(c) ? 'A' : 0;
	switch (class_of(w, c)) {
	case SMALL:
	case HOME_SMALL:
		return 'a';
	case CAPITAL:
	case HOME_CAPITAL:
		return 'A';
	default:
		return 0;
	}
}

static int fit_of(const struct western *w, unsigned char c, char before, char after)
{
	if (c == w->apostrophe && before && after)
		return 2;
	if (has(w->open, c) && !(before && after))
		return after ? 4 : -1;
	if (has(w->close, c) && !(before && after))
		return before ? 3 : 1;
	return fit(class_of(w, c), before, after);
}

struct tally {
	long score[WESTERNS];
	size_t high, letters;
	bool controls; /* of ISO 8859: 0x80–0x9f */
	bool latin9;   /* what is a letter or the euro sign there, where one would stand */
};

static bool speaks_for_latin9(unsigned char c, char before, char after, unsigned char next)
{
	if (c == 0xa4)
		return !before && (!after || isdigit(next));
	return (c == 0xa6 || c == 0xa8 || c == 0xb4 || c == 0xb8) && after == 'a';
}

static void count(const char *bytes, size_t len, struct tally *t)
{
	size_t n = len < LOOKED_AT ? len : LOOKED_AT;

	memset(t, 0, sizeof(*t));
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)bytes[i];

		t->letters += c < 0x80 && isalpha(c);
		if (c < 0x80)
			continue;
		t->high++;
		t->controls |= c < 0xa0;
		for (size_t w = 0; w < WESTERNS; w++) {
			char before = i ? letter_class(&westerns[w], bytes, n, i - 1) : 0;
			char after = letter_class(&westerns[w], bytes, n, i + 1);

			t->score[w] += fit_of(&westerns[w], c, before, after);
			if (w == 0)
				t->latin9 |= speaks_for_latin9(
				    c, before, after, i + 1 < n ? (unsigned char)bytes[i + 1] : 0);
		}
	}
}

/* The encodings that charset.c has ready; wide: more bytes than one a letter. */
static const char *known(const char *name, bool *ret_wide)
{
	static const char *const single[] = {"iso-8859-2", "iso-8859-4", "iso-8859-5", "iso-8859-7",
	    "iso-8859-10", "iso-8859-13", "windows-1250", "windows-1251", "windows-1253",
	    "windows-1257", "koi8-r", NULL};
	static const char *const wide[] = {
	    "shift_jis", "euc-jp", "gb18030", "big5", "euc-kr", NULL};

	for (size_t i = 0; single[i]; i++) {
		if (strcasecmp(single[i], name) == 0)
			return *ret_wide = false, single[i];
	}
	for (size_t i = 0; wide[i]; i++) {
		if (strcasecmp(wide[i], name) == 0)
			return *ret_wide = true, wide[i];
	}
	return NULL;
}

static const char *ask_uchardet(const char *bytes, size_t len, size_t high)
{
	uchardet_t detector = uchardet_new();
	const char *label = NULL;
	bool wide = false;

	if (!detector)
		return NULL;
	if (uchardet_handle_data(detector, bytes, len < ASKED ? len : ASKED) == 0) {
		uchardet_data_end(detector);
		label = known(uchardet_get_charset(detector), &wide);
	}
	uchardet_delete(detector);
	return label && wide && high < ENOUGH_WIDE ? NULL : label;
}

const char *charset_guess(const char *bytes, size_t len)
{
	const char *label = NULL;
	struct tally t;
	size_t best = 0;

	count(bytes, len, &t);
	for (size_t w = 1; w < WESTERNS; w++) {
		if (t.score[w] > t.score[best])
			best = w;
	}
	/* Half of the letters beyond ASCII, few of them åäö: no Western language. Or signs where letters should be. */
	if (t.high >= ENOUGH && ((t.high > t.letters / 2 && t.score[best] < 3 * (long)t.high) ||
				    t.score[best] < (long)t.high / 2))
		label = ask_uchardet(bytes, len, t.high);
	if (label)
		return label;
	if (best == 0 && t.latin9 && !t.controls)
		return "iso-8859-15";
	return t.score[best] > t.score[0] ? westerns[best].label : "windows-1252";
}
