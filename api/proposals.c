/* (proposals_date.c: dates.) */
#include "api/proposals_private.h"

#include <ctype.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arkki/base/json.h"
#include "arkki/base/text.h"
#include "arkki/index/analyse.h"

enum { TITLE_CHARS = 200, HEADING_LINES = 12, NAME_BYTES = 200, UNITS_WITHIN = 16 << 10 };

/* ---- adding one ---- */

bool proposal_add(struct proposing *p, const char *field, const char *value, const char *found)
{
	unsigned int same = 0;
	json_t *one;
	size_t i;

	json_array_foreach(p->out, i, one)
	{
		if (strcmp(json_text(one, "field"), field) != 0)
			continue;
		if (strcmp(json_text(one, "value"), value) == 0)
			return false;
		same++;
	}
	if (same >= PROPOSALS_OF_FIELD_MAX)
		return false;
	return !json_array_append_new(
	    p->out, json_pack("{s:s,s:s,s:s}", "field", field, "value", value, "found", found));
}

/* A few words around text[at..at+len), in one line, cut at characters. */
void proposal_around(const struct proposing *p, size_t at, size_t len, char out[PROPOSAL_FOUND_MAX])
{
	size_t room = PROPOSAL_FOUND_MAX - 1, before = room > len ? (room - len) / 2 : 0, n = 0;
	size_t from = at > before ? at - before : 0, to = from + room;

	for (size_t i = at; i > from; i--)
		if (p->text[i - 1] == '\n' || p->text[i - 1] == '\f') {
			from = i;
			break;
		}
	while (from < at && ((unsigned char)p->text[from] & 0xC0) == 0x80)
		from++;
	for (size_t i = from; i < p->len && i < to && n < room; i++) {
		if (i >= at + len && (p->text[i] == '\n' || p->text[i] == '\f'))
			break;
		out[n++] = p->text[i] == '\n' || p->text[i] == '\f' ? ' ' : p->text[i];
	}
	out[n] = '\0';
	while (n && !utf8_valid(out, n))
		out[--n] = '\0';
}

/* ---- the title ---- */

static size_t line_len(const char *text, size_t len)
{
	size_t n = 0;

	while (n < len && text[n] != '\n' && text[n] != '\f')
		n++;
	return n;
}

/* A heading has a word, is short, and is no sentence. */
static bool heading_like(const char *line, size_t len)
{
	size_t letters = 0;

	for (size_t i = 0; i < len; i++)
		letters += isalpha((unsigned char)line[i]) || (unsigned char)line[i] >= 0xC3;
	return letters >= 6 && letters * 2 > len && utf8_length(line, len) <= TITLE_CHARS &&
	       line[len - 1] != '.' && line[len - 1] != ':' && line[len - 1] != ',';
}

static void propose_title(struct proposing *p, const char *stated)
{
	char value[4 * TITLE_CHARS + 1], found[PROPOSAL_FOUND_MAX];
	unsigned int lines = 0;
	size_t at = 0;

	while (at < p->len && lines < HEADING_LINES) {
		size_t n = line_len(p->text + at, p->len - at);

		lines += n > 0;
		if (n && heading_like(p->text + at, n)) {
			snprintf(value, sizeof(value), "%.*s", (int)n, p->text + at);
			proposal_around(p, at, n, found);
			proposal_add(p, "title", value, found);
			break;
		}
		at += n + 1;
	}
	if (stated && heading_like(stated, strlen(stated)) && strlen(stated) < sizeof(value))
		proposal_add(p, "title", stated, "");
}

/* ---- diary numbers ---- */

static bool code_char(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.';
}

/* "LVV/1234/2026": a code of capitals, a number, a year. Its length at text, 0: none. */
static size_t diary_len(const char *text, size_t len)
{
	size_t code = 0, number = 0, n;

	while (code < len && code < 20 && code_char(text[code]))
		code++;
	if (code < 2 || code >= len || text[code] != '/' || !(text[0] >= 'A' && text[0] <= 'Z'))
		return 0;
	n = code + 1;
	while (n < len && number < 9 && text[n] >= '0' && text[n] <= '9')
		n++, number++;
	if (!number || n + 5 > len || text[n] != '/')
		return 0;
	for (size_t i = 1; i <= 4; i++)
		if (text[n + i] < '0' || text[n + i] > '9')
			return 0;
	n += 5;
	/* "EOAK/123/2026": and nothing more of a number */
	return n < len && text[n] >= '0' && text[n] <= '9' ? 0 : n;
}

static void propose_case(struct proposing *p, const char *number, const char *found)
{
	const json_t *record;
	size_t i;

	json_array_foreach(p->ask->cases, i, record)
	{
		const char *is = json_text(record, "diaryNumber"), *id = json_text(record, "id");

		if (is && id && strcmp(is, number) == 0)
			proposal_add(p, "case", id, found);
	}
}

static void propose_diary(struct proposing *p)
{
	char value[48], found[PROPOSAL_FOUND_MAX];

	for (size_t at = 0; at < p->len; at++) {
		size_t n;

		if (at && (isalnum((unsigned char)p->text[at - 1]) || p->text[at - 1] == '/'))
			continue;
		n = diary_len(p->text + at, p->len - at);
		if (!n || n >= sizeof(value))
			continue;
		snprintf(value, sizeof(value), "%.*s", (int)n, p->text + at);
		proposal_around(p, at, n, found);
		proposal_add(p, "diaryNumber", value, found);
		propose_case(p, value, found);
		at += n - 1;
	}
}

/* ---- types and units: words of the registers ---- */

char *lower_nordic(const char *text, size_t len)
{
	char *out = malloc(len + 1);

	if (!out)
		return NULL;
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];
		bool after = i && (unsigned char)text[i - 1] == 0xC3 && c >= 0x80 && c <= 0x9E;

		out[i] = (char)(after || (c >= 'A' && c <= 'Z') ? c + 32 : c);
	}
	out[len] = '\0';
	return out;
}

static bool letter_at(const char *text, size_t len, size_t at)
{
	return at < len && (isalnum((unsigned char)text[at]) || (unsigned char)text[at] >= 0x80);
}

/* Where the name begins a word of the text; SIZE_MAX: nowhere. */
static size_t find_name(const struct proposing *p, const char *name, size_t n)
{
	for (size_t at = 0; n >= 3 && at + n <= p->len; at++) {
		const char *hit = memmem(p->lower + at, p->len - at, name, n);

		if (!hit)
			return SIZE_MAX;
		at = (size_t)(hit - p->lower);
		if (!at || !letter_at(p->lower, p->len, at - 1))
			return at;
	}
	return SIZE_MAX;
}

/* "määräys, uhkasakko": each of its names. The first place of any; *ret_len its length. */
static size_t find_any(const struct proposing *p, const char *names, size_t *ret_len)
{
	char *lower = lower_nordic(names, strlen(names));
	size_t best = SIZE_MAX;

	for (char *name = lower; name && *name;) {
		size_t n = strcspn(name, ",("), own = n, at;

		while (own && name[own - 1] == ' ')
			own--;
		/* the ending of a longer name changes: "lastenkoti", "lastenkodin" */
		own -= own >= 12 ? 2 : 0;
		at = find_name(p, name, own);
		if (at < best) {
			best = at;
			*ret_len = own;
		}
		name += n + (name[n] == '(' ? strlen(name + n) : name[n] != '\0');
		name += strspn(name, " ");
	}
	free(lower);
	return best;
}

struct named { /* a record whose name stands in the text */
	const char *id;
	size_t at, len;
};

static struct named find_record(const struct proposing *p, const json_t *record)
{
	const json_t *names = json_object_get(record, "name");
	struct named best = {.id = json_text(record, "id"), .at = SIZE_MAX};
	static const char *const languages[] = {"fi", "sv", "en"};

	for (size_t i = 0; i < 3; i++) {
		const char *name = json_text(names, languages[i]);
		size_t len = 0,
		       at = name && strlen(name) < NAME_BYTES ? find_any(p, name, &len) : SIZE_MAX;

		/* of two at one place the longer: "muistutusvastaus" begins with "muistutus" */
		if (at < best.at || (at == best.at && at != SIZE_MAX && len > best.len)) {
			best.at = at;
			best.len = len;
		}
	}
	return best;
}

/* The n first records by their places, of those at one place the longest. */
static void propose_named(
    struct proposing *p, const json_t *records, const char *field, size_t within, unsigned int most)
{
	size_t after = 0;

	for (unsigned int n = 0; n < most; n++) {
		struct named best = {.at = SIZE_MAX};
		char found[PROPOSAL_FOUND_MAX];
		const json_t *record;
		size_t i;

		json_array_foreach(records, i, record)
		{
			struct named one = find_record(p, record);

			if (one.id && one.at >= after && one.at < within &&
			    (one.at < best.at || (one.at == best.at && one.len > best.len)))
				best = one;
		}
		if (best.at == SIZE_MAX)
			return;
		proposal_around(p, best.at, best.len, found);
		proposal_add(p, field, best.id, found);
		after = best.at + 1;
	}
}

/* ---- language ---- */

static void propose_language(struct proposing *p)
{
	size_t len = p->len < 4000 ? p->len : 4000;
	enum analyse_language first = analyse_language_of(p->text, len, ANALYSE_FI);

	/* what it says whatever it was told: a text too short to tell says what was declared */
	if (first == analyse_language_of(p->text, len, ANALYSE_EN))
		proposal_add(p, "language", analyse_language_name(first), "");
}

static size_t first_page(const struct proposing *p)
{
	const char *end = memchr(p->text, '\f', p->len);
	size_t n = end ? (size_t)(end - p->text) : p->len;

	return n < 4000 ? n : 4000;
}

json_t *proposals_of(const struct proposals_ask *ask)
{
	struct proposing p = {.ask = ask, .text = ask->text ? ask->text : "", .out = json_array()};

	p.len = ask->text ? strnlen(ask->text, ask->len) : 0;
	if (p.len > PROPOSALS_TEXT_MAX)
		p.len = PROPOSALS_TEXT_MAX;
	while (p.len && p.len < ask->len && ((unsigned char)p.text[p.len] & 0xC0) == 0x80)
		p.len--;
	p.lower = lower_nordic(p.text, p.len);
	if (!p.lower || !p.out || !utf8_valid(p.text, p.len)) {
		bool memory = p.lower && p.out;

		free(p.lower);
		if (memory)
			return p.out;
		json_decref(p.out);
		return NULL;
	}
	propose_title(&p, ask->title);
	propose_dates(&p);
	propose_diary(&p);
	propose_named(&p, ask->types, "type", first_page(&p), 2);
	propose_named(&p, ask->units, "unit", UNITS_WITHIN, PROPOSALS_OF_FIELD_MAX);
	if (p.len)
		propose_language(&p);
	free(p.lower);
	return p.out;
}
