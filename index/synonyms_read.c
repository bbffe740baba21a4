#include "index/synonyms_read.h"

#include <string.h>

#include "arkki/base/json.h"
#include "arkki/base/text.h"
#include "arkki/index/synonyms.h"
#include "index/words.h"

#define NOTE_MAX 500u /* bytes */

__asm__(".section .rodata\n.global arkki_bridge_text\narkki_bridge_text:\n"
	".incbin \"index/bridge.tsv\"\n.byte 0\n.previous\n");
extern const char arkki_bridge_text[] __attribute__((visibility("hidden")));

/* Why this cannot be a term, or NULL. */
static const char *wrong_term(const char *text, size_t len)
{
	size_t pos = 0, words = 0, i;
	struct word w;

	if (!len)
		return "is empty: take it out";
	if (len > SYNONYM_TERM_MAX)
		return "is longer than 100 bytes: shorten it";
	if (!utf8_valid(text, len))
		return "is not UTF-8";
	for (i = 0; i < len; i++)
		if ((unsigned char)text[i] < 0x20 || text[i] == 0x7F)
			return "has a control character in it: take that out";
	while (words_next(text, len, &pos, &w))
		words++;
	if (!words)
		return "has no word in it: take it out";
	return words > SYNONYM_WORDS_MAX ? "has more than 4 words: shorten it" : NULL;
}

/* ---- the administrator's table ---- */

/* Where a fault is: the entry counted from 1, and its first term for those who look for it. */
static int wrong_entry(
    struct ark_error *err, size_t i, const json_t *entry, const char *what, const char *why)
{
	const char *first = NULL;
	int l;

	for (l = 0; !first && l < ANALYSE_LANGUAGES; l++)
		first = json_string_value(json_array_get(
		    json_object_get(entry, analyse_language_name((enum analyse_language)l)), 0));
	return ark_fail(err, ARK_EINPUT, "entry %zu%s%.100s%s: %.120s %s", i + 1, first ? " (" : "",
	    first ? first : "", first ? ")" : "", what, why);
}

static int check_members(const json_t *entry, size_t i, struct ark_error *err)
{
	enum analyse_language language;
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)(uintptr_t)entry, key, value)
	{
		if (!strcmp(key, "note")) {
			if (!json_is_string(value) || json_string_length(value) > NOTE_MAX)
				return wrong_entry(
				    err, i, entry, key, "must be a text of at most 500 bytes");
		} else if (!analyse_language_parse(key, &language)) {
			return wrong_entry(
			    err, i, entry, key, "is unknown: an entry has fi, sv, en and note");
		} else if (!json_is_array(value)) {
			return wrong_entry(err, i, entry, key, "must be a list of terms");
		}
	}
	return ARK_OK;
}

static int read_terms(const json_t *entry, size_t i, enum analyse_language language,
    const struct synonyms_reader *reader, size_t *count, struct ark_error *err)
{
	const json_t *terms = json_object_get(entry, analyse_language_name(language)), *term;
	const char *why;
	size_t j;
	int r = ARK_OK;

	json_array_foreach(terms, j, term)
	{
		if (!json_is_string(term))
			return wrong_entry(err, i, entry, "a term", "must be a text");
		why = wrong_term(json_string_value(term), json_string_length(term));
		if (why)
			return wrong_entry(err, i, entry, json_string_value(term), why);
		if (++*count > SYNONYM_TERMS_MAX)
			return wrong_entry(
			    err, i, entry, "it", "has more than 16 terms: make two of it");
		r = reader->term(
		    reader->arg, language, json_string_value(term), json_string_length(term));
		if (r)
			return r;
	}
	return r;
}

static int read_entry(
    const json_t *entry, size_t i, const struct synonyms_reader *reader, struct ark_error *err)
{
	size_t count = 0;
	int l, r;

	if (!json_is_object(entry))
		return wrong_entry(err, i, NULL, "it", "must be an object");
	r = check_members(entry, i, err);
	for (l = 0; !r && l < ANALYSE_LANGUAGES; l++)
		r = read_terms(entry, i, (enum analyse_language)l, reader, &count, err);
	if (!r && count < 2)
		return wrong_entry(
		    err, i, entry, "it", "needs two terms at least, in one language or several");
	return r ? r : reader->end(reader->arg);
}

int synonyms_read_table(
    const json_t *table, const struct synonyms_reader *reader, struct ark_error *err)
{
	const json_t *entries = json_object_get(table, "entries"), *entry,
		     *shipped = json_object_get(table, "shipped");
	size_t i;
	int r = ARK_OK;

	if (!json_is_object(table) || !json_is_array(entries))
		return ark_fail(
		    err, ARK_EINPUT, "the table must be an object with a list \"entries\"");
	if (shipped && !json_is_boolean(shipped))
		return ark_fail(err, ARK_EINPUT, "\"shipped\" must be true or false");
	if (json_array_size(entries) > SYNONYM_ENTRIES_MAX)
		return ark_fail(
		    err, ARK_EINPUT, "the table has more than %u entries", SYNONYM_ENTRIES_MAX);
	json_array_foreach(entries, i, entry)
	{
		r = read_entry(entry, i, reader, err);
		if (r)
			break;
	}
	return r;
}

/* ---- lines ---- */

static int read_cell(const char *cell, size_t len, enum analyse_language language,
    const struct synonyms_reader *reader, size_t line, size_t *count, struct ark_error *err)
{
	const char *at = cell, *end = cell + len, *bar, *why;
	int r = ARK_OK;

	while (!r && at < end) {
		bar = memchr(at, '|', (size_t)(end - at));
		bar = bar ? bar : end;
		why = wrong_term(at, (size_t)(bar - at));
		if (!why && ++*count > SYNONYM_TERMS_MAX)
			why = "is one more than the 16 terms of an entry";
		if (why)
			return ark_fail(err, ARK_EINPUT, "line %zu: “%.*s” %s", line,
			    (int)(bar - at > 120 ? 120 : bar - at), at, why);
		r = reader->term(reader->arg, language, at, (size_t)(bar - at));
		at = bar + 1;
	}
	return r;
}

static int read_line(const char *text, size_t len, const struct synonyms_reader *reader,
    size_t line, struct ark_error *err)
{
	const char *at = text, *end = text + len, *tab;
	size_t count = 0;
	int l, r = ARK_OK;

	for (l = 0; !r && l < ANALYSE_LANGUAGES && at < end; l++) {
		tab = memchr(at, '\t', (size_t)(end - at));
		tab = tab ? tab : end;
		r = read_cell(
		    at, (size_t)(tab - at), (enum analyse_language)l, reader, line, &count, err);
		at = tab + 1;
	}
	if (!r && at < end)
		return ark_fail(err, ARK_EINPUT, "line %zu: more than three columns", line);
	if (!r && count < 2)
		return ark_fail(err, ARK_EINPUT, "line %zu: needs two terms at least", line);
	return r ? r : reader->end(reader->arg);
}

int synonyms_read_lines(
    const char *text, const struct synonyms_reader *reader, struct ark_error *err)
{
	size_t line = 1, len;
	int r = ARK_OK;

	for (; !r && *text; line++) {
		len = strcspn(text, "\n");
		if (len && *text != '#')
			r = read_line(text, len, reader, line, err);
		text += len + (text[len] == '\n');
	}
	return r;
}

int synonyms_read_shipped(const struct synonyms_reader *reader, struct ark_error *err)
{
	return synonyms_read_lines(arkki_bridge_text, reader, err);
}

static int pass_term(void *arg, enum analyse_language language, const char *text, size_t len)
{
	(void)arg, (void)language, (void)text, (void)len;
	return 0;
}

static int pass_end(void *arg)
{
	(void)arg;
	return 0;
}

int synonyms_check(const json_t *table, struct ark_error *err)
{
	const struct synonyms_reader reader = {pass_term, pass_end, NULL};

	return synonyms_read_table(table, &reader, err);
}

/* ---- the shipped table as JSON ---- */

struct listing {
	json_t *entries, *entry; /* entry: in hand */
};

static int list_term(void *arg, enum analyse_language language, const char *text, size_t len)
{
	struct listing *l = arg;
	const char *name = analyse_language_name(language);

	if (!l->entry)
		l->entry = json_object();
	if (!json_object_get(l->entry, name) && json_object_set_new(l->entry, name, json_array()))
		return ARK_ENOMEM;
	return json_array_append_new(json_object_get(l->entry, name), json_stringn(text, len))
		   ? ARK_ENOMEM
		   : 0;
}

static int list_end(void *arg)
{
	struct listing *l = arg;
	json_t *entry = l->entry;

	l->entry = NULL;
	return json_array_append_new(l->entries, entry) ? ARK_ENOMEM : 0;
}

json_t *synonyms_shipped(void)
{
	struct listing l = {.entries = json_array()};
	const struct synonyms_reader reader = {list_term, list_end, &l};

	if (!l.entries || synonyms_read_shipped(&reader, NULL)) {
		json_decref(l.entry);
		json_decref(l.entries);
		return NULL;
	}
	return l.entries;
}
