#include "index/words.h"

#include <glib.h>
#include <string.h>

#define SOFT_HYPHEN 0xADu
#define SECTION_SIGN 0xA7u

/* À to ÿ, most of what is not ASCII here: taken without asking anybody, which makes splitting three times as
 * fast. Two of these are no letters. */
static bool is_latin(const char *p, size_t len)
{
	return len > 1 && (unsigned char)p[0] == 0xC3 && ((unsigned char)p[1] & 0xC0) == 0x80;
}

static bool is_latin_letter(const char *p, size_t len)
{
	return is_latin(p, len) && ((unsigned char)p[1] & 0xDF) != 0x97;
}

/* One code point at p, or its length 0 when there is none that is well formed. */
static inline size_t decode(const char *p, size_t len, gunichar *ret)
{
	if ((unsigned char)*p < 0x80) {
		*ret = (unsigned char)*p;
		return 1;
	}
	if (is_latin(p, len)) {
		*ret = 0xC0u | ((unsigned char)p[1] & 0x3Fu);
		return 2;
	}
	*ret = g_utf8_get_char_validated(p, len > 6 ? 6 : (gssize)len);
	return *ret >= 0x110000u ? 0 : (size_t)g_utf8_skip[(unsigned char)*p];
}

static bool is_letter(gunichar c)
{
	if (c < 0x80)
		return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
	if (c >= 0xC0 && c <= 0xFF)
		return c != 0xD7 && c != 0xF7;
	return g_unichar_isalpha(c);
}

static bool is_digit(gunichar c)
{
	return c < 0x80 ? c >= '0' && c <= '9' : g_unichar_isdigit(c);
}

static bool is_word(gunichar c)
{
	return is_letter(c) || is_digit(c);
}

static bool is_hyphen(gunichar c)
{
	return c == '-' || c == 0x2010 || c == 0x2011;
}

/* Invisible inside a word, or part of the letter before it. */
static bool is_inner(gunichar c)
{
	return c == SOFT_HYPHEN || (c >= 0x300 && g_unichar_ismark(c));
}

/* What stands behind abbreviations and numbers: "LVV:lle", "59 §:ssä", "AVI:s". */
bool words_is_ending(const char *text, size_t len)
{
	static const char *const endings[] = {"n", "a", "ä", "s", "t", "ta", "tä", "ssa", "ssä",
	    "sta", "stä", "lla", "llä", "lta", "ltä", "lle", "na", "nä", "ksi", "in", "een", "iin",
	    "hin", "hen", "han", "hön", "ien", "iden", "ssä", "kin", "aan", "ään", "ia", "iä",
	    "ita", "itä", "nä", "tta", "ttä", "nkin", "issa", "issä", "ista", "istä", "ille",
	    "illa", "illä"};
	size_t i;

	for (i = 0; i < sizeof(endings) / sizeof(endings[0]); i++)
		if (strlen(endings[i]) == len && !memcmp(endings[i], text, len))
			return true;
	return false;
}

/* Bytes of ":ending" at p, 0 when it is none. */
static size_t colon_ending(const char *p, size_t len)
{
	size_t at = 1, n;
	gunichar c;

	if (len < 2 || p[0] != ':')
		return 0;
	while (at < len && (n = decode(p + at, len - at, &c)) && is_word(c)) {
		at += n;
		if (at > 8)
			return 0;
	}
	return words_is_ending(p + 1, at - 1) ? at : 0;
}

size_t words_before_colon(const char *word, size_t len)
{
	const char *colon = memchr(word, ':', len);

	if (colon && colon > word && colon_ending(colon, len - (size_t)(colon - word)))
		return (size_t)(colon - word);
	return len;
}

static size_t put(char *out, size_t at, gunichar c)
{
	char bytes[6];
	size_t n = (size_t)g_unichar_to_utf8(c, bytes);

	if (at + n > ANALYSE_WORD_MAX)
		return at;
	memcpy(out + at, bytes, n);
	return at + n;
}

/* Latin ligatures come out of PDF files; every other compatibility form is left alone. */
static size_t put_ligature(char *out, size_t at, gunichar c)
{
	gunichar parts[G_UNICHAR_MAX_DECOMPOSITION_LENGTH];
	size_t n = g_unichar_fully_decompose(c, TRUE, parts, G_N_ELEMENTS(parts)), i;

	for (i = 0; i < n; i++)
		at = put(out, at, parts[i]);
	return at;
}

size_t words_normalise(char out[ANALYSE_WORD_MAX + 1], const char *word, size_t len)
{
	size_t i = 0, n, at = 0, last_at = 0;
	gunichar c, composed, last = 0;

	/* what needs no thought goes first: nearly everything */
	while (i < len && at + 1 < ANALYSE_WORD_MAX) {
		if (word[i] >= 0x20 && word[i] < 0x7F) {
			last_at = at;
			out[at++] = word[i++];
		} else if (is_latin_letter(word + i, len - i)) {
			last_at = at;
			out[at++] = word[i++];
			out[at++] = word[i++];
		} else {
			break;
		}
	}
	if (at)
		decode(out + last_at, at - last_at, &last);
	while (i < len && at < ANALYSE_WORD_MAX) {
		n = decode(word + i, len - i, &c);
		if (!n) {
			i++;
			continue;
		}
		i += n;
		if (c == SOFT_HYPHEN || c < 0x20)
			continue;
		if (is_hyphen(c))
			c = '-';
		if (c >= 0xFB00 && c <= 0xFB06) {
			at = put_ligature(out, at, c);
			last = 0;
			continue;
		}
		if (last && c >= 0x300 && g_unichar_compose(last, c, &composed)) {
			at = last_at;
			c = composed;
		}
		last = c;
		last_at = at;
		at = put(out, at, c);
		if (at == last_at)
			break; /* full: a letter that fits must not follow one that did not */
	}
	out[at] = '\0';
	return at;
}

size_t words_lower(char out[ANALYSE_WORD_MAX + 1], const char *word, size_t len)
{
	size_t i = 0, n, at = 0, before;
	gunichar c;

	while (i < len) {
		if ((unsigned char)word[i] < 0x80 && at < ANALYSE_WORD_MAX) {
			c = (unsigned char)word[i++];
			out[at++] = (char)(c >= 'A' && c <= 'Z' ? c | 0x20 : c);
			continue;
		}
		if (is_latin_letter(word + i, len - i) && at + 1 < ANALYSE_WORD_MAX) {
			unsigned char second = (unsigned char)word[i + 1];

			out[at++] = word[i];
			out[at++] = (char)(second < 0x9F ? second | 0x20 : second);
			i += 2;
			continue;
		}
		n = decode(word + i, len - i, &c);
		if (!n)
			break;
		i += n;
		before = at;
		at = put(out, at, g_unichar_tolower(c));
		if (at == before)
			break;
	}
	out[at] = '\0';
	return at;
}

static bool is_ascii_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/* Bytes of letters and digits that are in their normal form as they stand: all of most words. */
static size_t plain_run(const char *text, size_t len, size_t start)
{
	size_t at = start;

	while (at < len) {
		if (is_ascii_word(text[at]))
			at++;
		else if (is_latin_letter(text + at, len - at))
			at += 2;
		else
			break;
	}
	return at;
}

/* Where the word that begins at `start` ends: after letters, digits and what is inside them. Up to `at` it is a plain
 * run. */
static size_t word_end(const char *text, size_t len, size_t start, size_t at)
{
	size_t n, hyphen;
	gunichar c, before = 0, after;

	if (at > start)
		before = (unsigned char)text[at - 1] < 0x80 ? (unsigned char)text[at - 1] : 0xE4;
	while (at < len && (n = decode(text + at, len - at, &c))) {
		if (is_word(c)) {
			before = c;
			at += n;
		} else if (is_inner(c)) {
			at += n;
		} else if (is_hyphen(c) && at + n < len) {
			hyphen = at + n;
			n = decode(text + hyphen, len - hyphen, &after);
			if (!n || !is_word(after) || !(is_letter(before) || is_letter(after)))
				break;
			at = hyphen;
		} else {
			break;
		}
	}
	return at;
}

bool words_next(const char *text, size_t len, size_t *pos, struct word *ret)
{
	size_t at = *pos, n, run, end;
	gunichar c;

	while (at < len) {
		if ((unsigned char)text[at] < 0x80 && !is_ascii_word(text[at])) {
			at++;
			continue;
		}
		n = decode(text + at, len - at, &c);
		if (!n) {
			at++;
			continue;
		}
		if (!is_word(c) && c != SECTION_SIGN) {
			at += n;
			continue;
		}
		run = plain_run(text, len, at);
		end = c == SECTION_SIGN ? at + n : word_end(text, len, at, run);
		ret->offset = at;
		ret->len = end - at;
		if (end == run && ret->len <= ANALYSE_WORD_MAX) {
			memcpy(ret->text, text + at, ret->len);
			ret->text[ret->len] = '\0';
			ret->text_len = ret->len;
		} else {
			ret->text_len = words_normalise(ret->text, text + at, end - at);
		}
		*pos = end;
		if (end < len && text[end] == ':')
			*pos += colon_ending(text + end, len - end);
		if (ret->text_len)
			return true;
		at = *pos;
	}
	*pos = len;
	return false;
}
