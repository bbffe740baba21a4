/* Whether a hyphen at a line's end is the word's own. */
#include "index/formats/hyphen.h"

#include <glib.h>
#include <stdbool.h>
#include <string.h>

static gunichar last_char(const char *text, size_t len)
{
	const char *p = len ? g_utf8_find_prev_char(text, text + len) : NULL;

	return p ? g_utf8_get_char(p) : 0;
}

/* "sosiaali-⏎ja terveyspalvelut": the hyphen stands for a word part named later, so it stays and a
 * space follows. */
static bool is_conjunction(const char *text, size_t len)
{
	static const char *const words[] = {"ja", "tai", "eli", "sekä", "taikka", "että", "och",
	    "eller", "samt", "and", "or", "und", "oder"};
	size_t n = strcspn(text, " \t\n,.;:");

	n = n < len ? n : len;
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
		if (strlen(words[i]) == n && memcmp(words[i], text, n) == 0)
			return true;
	}
	return false;
}

enum hyphen_join hyphen_join(
    const char *line, size_t len, const char *next, size_t next_len, size_t *ret_cut)
{
	gunichar hyphen = last_char(line, len), before, after;

	*ret_cut = 0;
	if ((hyphen != '-' && hyphen != 0xad && hyphen != 0x2010) || !next_len)
		return JOIN_NOT;
	*ret_cut = hyphen == '-' ? 1 : hyphen == 0xad ? 2 : 3;
	before = last_char(line, len - *ret_cut);
	after = g_utf8_get_char(next);
	if (!g_unichar_isalnum(before))
		return JOIN_NOT;
	if (hyphen == 0xad)
		return JOIN_DROP_HYPHEN;
	if (g_unichar_isdigit(after) || g_unichar_isupper(after))
		return JOIN_KEEP_HYPHEN; /* Etelä-Suomi, 2020-2021 */
	if (!g_unichar_islower(after) || is_conjunction(next, next_len))
		return JOIN_NOT;
	/* Finnish writes a hyphen of its own between two equal vowels (linja-auto), and after
	 * digits, capitals of acronyms and other such parts (EU-maa, 12-vuotias). */
	if (!g_unichar_islower(before))
		return JOIN_KEEP_HYPHEN;
	if (before == after && before < 0x100 && strchr("aeiouy\xe4\xf6\xe5", (int)before))
		return JOIN_KEEP_HYPHEN;
	return JOIN_DROP_HYPHEN;
}
