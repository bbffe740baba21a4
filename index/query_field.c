#include "index/query_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arkki/base/text.h"

#define NAME_MAX_BYTES 40u
#define YEARS_MAX 50u /* longer ranges of years are ranges of dates */

static const char *const names[SEARCH_FIELDS] = {
    [FIELD_UNIT] = "unit",
    [FIELD_TYPE] = "type",
    [FIELD_CASE] = "case",
    [FIELD_COUNTY] = "county",
    [FIELD_MUNICIPALITY] = "municipality",
    [FIELD_AUTHOR] = "author",
    [FIELD_LANGUAGE] = "language",
    [FIELD_PUBLICITY] = "publicity",
    [FIELD_YEAR] = "year",
    [FIELD_DATE] = "date",
    [FIELD_TITLE] = "title",
};

/* What else a field is called; without its dots too, where a keyboard has none. */
static const struct {
	const char *name;
	enum search_field field;
} aliases[] = {
    {"yksikkö", FIELD_UNIT},
    {"yksikko", FIELD_UNIT},
    {"toimipaikka", FIELD_UNIT},
    {"enhet", FIELD_UNIT},
    {"laji", FIELD_TYPE},
    {"asiakirjalaji", FIELD_TYPE},
    {"tyyppi", FIELD_TYPE},
    {"typ", FIELD_TYPE},
    {"asia", FIELD_CASE},
    {"diaari", FIELD_CASE},
    {"diaarinumero", FIELD_CASE},
    {"dnro", FIELD_CASE},
    {"ärende", FIELD_CASE},
    {"diarienummer", FIELD_CASE},
    {"dnr", FIELD_CASE},
    {"diary", FIELD_CASE},
    {"alue", FIELD_COUNTY},
    {"hyvinvointialue", FIELD_COUNTY},
    {"välfärdsområde", FIELD_COUNTY},
    {"kunta", FIELD_MUNICIPALITY},
    {"kommun", FIELD_MUNICIPALITY},
    {"laatija", FIELD_AUTHOR},
    {"viranomainen", FIELD_AUTHOR},
    {"upphovsman", FIELD_AUTHOR},
    {"myndighet", FIELD_AUTHOR},
    {"authority", FIELD_AUTHOR},
    {"kieli", FIELD_LANGUAGE},
    {"språk", FIELD_LANGUAGE},
    {"julkisuus", FIELD_PUBLICITY},
    {"offentlighet", FIELD_PUBLICITY},
    {"vuosi", FIELD_YEAR},
    {"år", FIELD_YEAR},
    {"päivä", FIELD_DATE},
    {"paiva", FIELD_DATE},
    {"pvm", FIELD_DATE},
    {"päiväys", FIELD_DATE},
    {"datum", FIELD_DATE},
    {"otsikko", FIELD_TITLE},
    {"rubrik", FIELD_TITLE},
};

/* Values that are the same in every archive. */
static const struct {
	enum search_field field;
	const char *name, *id;
} values[] = {
    {FIELD_LANGUAGE, "fi", "fi"},
    {FIELD_LANGUAGE, "suomi", "fi"},
    {FIELD_LANGUAGE, "finska", "fi"},
    {FIELD_LANGUAGE, "finnish", "fi"},
    {FIELD_LANGUAGE, "sv", "sv"},
    {FIELD_LANGUAGE, "ruotsi", "sv"},
    {FIELD_LANGUAGE, "svenska", "sv"},
    {FIELD_LANGUAGE, "swedish", "sv"},
    {FIELD_LANGUAGE, "en", "en"},
    {FIELD_LANGUAGE, "englanti", "en"},
    {FIELD_LANGUAGE, "engelska", "en"},
    {FIELD_LANGUAGE, "english", "en"},
    {FIELD_PUBLICITY, "public", "public"},
    {FIELD_PUBLICITY, "julkinen", "public"},
    {FIELD_PUBLICITY, "offentlig", "public"},
    {FIELD_PUBLICITY, "partly-secret", "partly-secret"},
    {FIELD_PUBLICITY, "partly secret", "partly-secret"},
    {FIELD_PUBLICITY, "osittain salainen", "partly-secret"},
    {FIELD_PUBLICITY, "osin salainen", "partly-secret"},
    {FIELD_PUBLICITY, "osittain salassa pidettävä", "partly-secret"},
    {FIELD_PUBLICITY, "osin salassa pidettävä", "partly-secret"},
    {FIELD_PUBLICITY, "delvis sekretessbelagd", "partly-secret"},
    {FIELD_PUBLICITY, "delvis hemlig", "partly-secret"},
    {FIELD_PUBLICITY, "secret", "secret"},
    {FIELD_PUBLICITY, "salainen", "secret"},
    {FIELD_PUBLICITY, "salassa pidettävä", "secret"},
    {FIELD_PUBLICITY, "sekretessbelagd", "secret"},
    {FIELD_PUBLICITY, "hemlig", "secret"},
};

const char *query_field_name(enum search_field field)
{
	return names[field];
}

static bool find_field(const char *name, enum search_field *ret)
{
	size_t i;

	for (i = 0; i < SEARCH_FIELDS; i++)
		if (!strcmp(names[i], name)) {
			*ret = (enum search_field)i;
			return true;
		}
	for (i = 0; i < sizeof(aliases) / sizeof(aliases[0]); i++)
		if (!strcmp(aliases[i].name, name)) {
			*ret = aliases[i].field;
			return true;
		}
	return false;
}

struct reading {
	struct query_parser *p;
	enum search_field field;
	struct query_node *node; /* of the field; a ONE_OF where each value is a node of its own */
	struct buf written;      /* the known values */
	size_t known;            /* how many they are */
	size_t from;
	bool resolved; /* the value in hand means an id, be it one that is there */
};

struct value {
	size_t from, len; /* in the query */
	bool quoted;
	char text[QUERY_VALUE_MAX + 1];
};

static int each_id(void *to, const char *id)
{
	struct reading *f = to;

	f->resolved = true;
	return query_node_value(f->p, f->node, id);
}

static int resolve_fixed(struct reading *f, const char *value)
{
	char lower[ANALYSE_WORD_MAX + 1];
	size_t i;

	words_lower(lower, value, strlen(value));
	for (i = 0; i < sizeof(values) / sizeof(values[0]); i++)
		if (values[i].field == f->field && !strcmp(values[i].name, lower))
			return each_id(f, values[i].id);
	return 0;
}

/* Ids of the registers go into the node. */
static int resolve(struct reading *f, const struct value *v, bool *ret_known)
{
	const struct search_names *n = f->p->config->names;
	char id[ANALYSE_WORD_MAX + 1];
	int r = 0;

	f->resolved = false;
	if (f->field == FIELD_LANGUAGE || f->field == FIELD_PUBLICITY) {
		r = resolve_fixed(f, v->text);
	} else if (n) {
		r = n->resolve(n->arg, f->field, v->text, each_id, f);
	} else {
		words_lower(id, v->text, strlen(v->text));
		if (id_valid(id))
			r = each_id(f, id);
	}
	*ret_known = f->resolved;
	return r;
}

/* A node of its own for a value: goes into the ONE_OF. */
static int add_part(struct reading *f, const struct value *v, struct query_node *part)
{
	part->from = v->from;
	part->len = v->len;
	return query_node_add(f->p, f->node, part);
}

static bool whole_years(const char *from, const char *to, unsigned int *first, unsigned int *last)
{
	if (!*from || !*to || strcmp(from + 4, "-01-01") != 0 || strcmp(to + 4, "-12-31") != 0)
		return false;
	*first = (unsigned int)strtoul(from, NULL, 10);
	*last = (unsigned int)strtoul(to, NULL, 10);
	return *last - *first < YEARS_MAX;
}

static int add_dates(struct reading *f, const struct value *v, bool *ret_known)
{
	struct query_node *n = NULL;
	unsigned int first, last;
	char from[11], to[11], year[11];
	int r;

	*ret_known = query_dates_read(v->text, strlen(v->text), from, to);
	if (!*ret_known)
		return 0;
	r = query_node_new(f->p, QUERY_DATES, v->from, v->len, &n);
	if (r)
		return r;
	if (f->field == FIELD_YEAR && whole_years(from, to, &first, &last)) {
		n->kind = QUERY_FIELD;
		n->field = FIELD_YEAR;
		for (; !r && first <= last; first++) {
			snprintf(year, sizeof(year), "%u", first);
			r = query_node_value(f->p, n, year);
		}
	} else {
		memcpy(n->date_from, from, sizeof(from));
		memcpy(n->date_to, to, sizeof(to));
	}
	if (!r)
		return add_part(f, v, n);
	query_node_free(n);
	return r;
}

static int title_word(struct reading *f, struct query_node *all, const struct word *w)
{
	struct query_node *n = NULL;
	int l, r = query_node_new(f->p, QUERY_FIELD, all->from, all->len, &n);

	if (r)
		return r;
	n->field = FIELD_TITLE;
	r = query_node_value(f->p, n, w->text);
	for (l = 0; !r && l < ANALYSE_LANGUAGES; l++)
		if (f->p->languages[l])
			r = query_analyse(f->p, n, (enum analyse_language)l, w->text, w->text_len);
	if (!r)
		return query_node_add(f->p, all, n);
	query_node_free(n);
	return r;
}

/* All words of the value, in the title. */
static int add_title(struct reading *f, const struct value *v, bool *ret_known)
{
	struct query_node *all = NULL, *only;
	size_t pos = 0, words = 0;
	struct word w;
	int r = query_node_new(f->p, QUERY_ALL, v->from, v->len, &all);

	/* the first word is counted as the value */
	while (!r && words_next(v->text, strlen(v->text), &pos, &w) &&
	       (!words++ || query_take_word(f->p, v->from, v->len)))
		r = title_word(f, all, &w);
	*ret_known = !r && all->children_len;
	if (!*ret_known) {
		query_node_free(all);
		return r;
	}
	if (all->children_len > 1)
		return add_part(f, v, all);
	only = all->children[0];
	all->children_len = 0;
	query_node_free(all);
	return add_part(f, v, only);
}

static int add_known(struct reading *f, const struct value *v, bool *ret_known)
{
	*ret_known = false;
	if (!*v->text || !utf8_valid(v->text, strlen(v->text)))
		return 0;
	if (f->field == FIELD_DATE || f->field == FIELD_YEAR)
		return add_dates(f, v, ret_known);
	if (f->field == FIELD_TITLE)
		return add_title(f, v, ret_known);
	return resolve(f, v, ret_known);
}

static int add_value(struct reading *f, const struct value *v)
{
	struct query_parser *p = f->p;
	bool known, date = f->field == FIELD_DATE || f->field == FIELD_YEAR;
	int r;

	if (!query_take_word(p, v->from, v->len))
		return 0;
	r = add_known(f, v, &known);
	if (r)
		return r;
	if (known) {
		if (f->known++)
			buf_adds(&f->written, " ");
		buf_adds(&f->written, v->quoted ? "\"" : "");
		buf_adds(&f->written, v->text);
		buf_adds(&f->written, v->quoted ? "\"" : "");
		return 0;
	}
	query_note(p, date ? NOTE_BAD_DATE : NOTE_UNKNOWN_VALUE, v->from, v->len);
	return v->quoted ? query_phrase(p, v->from, v->len) : query_chunk(p, v->from, v->len);
}

/* A field with one part is that; several are a piece that is written as it was typed. */
static int emit_field(struct reading *f)
{
	struct query_parser *p = f->p;
	struct query_node *n = f->node, *only;
	struct buf b = BUF_INIT;
	int r;

	if (!f->known)
		return 0;
	buf_adds(&b, names[f->field]);
	buf_adds(&b, f->known > 1 ? ":(" : ":");
	buf_adds(&b, f->written.data ? f->written.data : "");
	buf_adds(&b, f->known > 1 ? ")" : "");
	if (buf_failed(&f->written)) {
		buf_free(&b);
		return query_no_memory(p->err);
	}
	if (n->kind == QUERY_ONE_OF && n->children_len == 1) {
		only = n->children[0];
		only->from = n->from;
		only->len = n->len;
		n->children_len = 0;
		query_node_free(n);
		f->node = n = only;
	}
	r = query_node_written(p, n, &b);
	if (r)
		return r;
	f->node = NULL;
	return query_emit(p, n);
}

/* ---- where the values are ---- */

static void keep_value(const struct query_parser *p, struct value *v)
{
	size_t n;

	/* white space at the ends of a quotation */
	while (v->len && (n = query_space_len(p->q + v->from))) {
		n = n < v->len ? n : v->len;
		v->from += n;
		v->len -= n;
	}
	while (v->quoted && v->len && (unsigned char)p->q[v->from + v->len - 1] <= 0x20)
		v->len--;
	*v->text = '\0';
	if (v->len > QUERY_VALUE_MAX)
		return; /* unknown */
	memcpy(v->text, p->q + v->from, v->len);
	v->text[v->len] = '\0';
}

/* The quotation at `at`. Behind it; 0: it is never closed. */
static size_t quoted_value(const struct query_parser *p, size_t at, struct value *v)
{
	size_t close;

	v->from = close = at + query_quote_len(p->q + at);
	while (close < p->len && !query_quote_len(p->q + close))
		close++;
	if (close >= p->len)
		return 0;
	v->len = close - v->from;
	v->quoted = true;
	keep_value(p, v);
	return close + query_quote_len(p->q + close);
}

/* Marks that end a sentence are no part of a value, but dots are of a date. */
static size_t bare_value(
    const struct query_parser *p, size_t at, size_t end, enum search_field field, struct value *v)
{
	const char *marks = field == FIELD_DATE || field == FIELD_YEAR ? ",;!?" : ",;!?.";

	v->from = at;
	v->len = end - at;
	v->quoted = false;
	while (v->len && strchr(marks, p->q[at + v->len - 1]))
		v->len--;
	keep_value(p, v);
	return end;
}

static bool is_or(const struct value *v)
{
	return !v->quoted &&
	       (!strcmp(v->text, "OR") || !strcmp(v->text, "TAI") || !strcmp(v->text, "ELLER"));
}

/* "(päätös, "toinen laji" OR lausunto)" from `at`, behind the parenthesis. Behind its end. */
static int read_list(struct reading *f, size_t at, size_t *ret_end)
{
	struct query_parser *p = f->p;
	size_t n, end;
	struct value v = {.len = 0};
	int r = 0;

	while (!r && at < p->len && p->q[at] != ')') {
		n = query_space_len(p->q + at);
		if (!n && (p->q[at] == ',' || p->q[at] == '('))
			n = 1;
		end = n ? 0 : query_quote_len(p->q + at) ? quoted_value(p, at, &v) : at;
		if (n || (!end && query_quote_len(p->q + at))) {
			at += n ? n : query_quote_len(p->q + at);
			continue;
		}
		if (end == at) {
			while (
			    end < p->len && p->q[end] != ',' && query_chunk_len(p->q, end, end + 1))
				end++;
			bare_value(p, at, end, f->field, &v);
		}
		at = end;
		if (v.len && !is_or(&v))
			r = add_value(f, &v);
	}
	if (at == p->len)
		query_note(p, NOTE_UNCLOSED_PAREN, f->from, at - f->from);
	*ret_end = at < p->len ? at + 1 : at;
	return r;
}

static int read_values(struct reading *f, size_t at, size_t *ret_end)
{
	struct query_parser *p = f->p;
	struct value v = {.len = 0};
	size_t end;

	if (p->q[at] == '(')
		return read_list(f, at + 1, ret_end);
	end = query_quote_len(p->q + at) ? quoted_value(p, at, &v) : 0;
	if (!end)
		end = bare_value(p, at, at + query_chunk_len(p->q, at, p->len), f->field, &v);
	*ret_end = end;
	return v.len ? add_value(f, &v) : 0;
}

/* The name before a colon, in lower case. Bytes of it, 0: there is none. */
static size_t read_name(const char *text, size_t len, char lower[ANALYSE_WORD_MAX + 1])
{
	size_t pos = 0;
	struct word w;

	if (len > NAME_MAX_BYTES)
		len = NAME_MAX_BYTES;
	if (!words_next(text, len, &pos, &w) || w.offset || w.len >= len || text[w.len] != ':')
		return 0;
	words_lower(lower, w.text, w.text_len);
	return w.len;
}

bool query_is_field(const char *text, size_t len)
{
	char name[ANALYSE_WORD_MAX + 1];
	enum search_field field;

	return read_name(text, len, name) && find_field(name, &field);
}

static bool begins_value(const char *p)
{
	return *p && *p != ')' && !query_space_len(p);
}

static bool has_digit(const char *text)
{
	return text[strcspn(text, "0123456789")] != '\0';
}

static int read_known(struct query_parser *p, enum search_field field, size_t at, size_t *ret_end)
{
	bool parts = field == FIELD_DATE || field == FIELD_YEAR || field == FIELD_TITLE;
	struct reading f = {.p = p, .field = field, .from = p->at};
	int r = query_node_new(p, parts ? QUERY_ONE_OF : QUERY_FIELD, p->at, 0, &f.node);

	if (r)
		return r;
	f.node->field = field;
	r = read_values(&f, at, ret_end);
	f.node->len = *ret_end - p->at;
	if (!r)
		r = emit_field(&f);
	query_node_free(f.node);
	buf_free(&f.written);
	return r;
}

int query_field(struct query_parser *p, size_t *ret_taken)
{
	char name[ANALYSE_WORD_MAX + 1];
	size_t len = read_name(p->q + p->at, p->len - p->at, name), chunk, end = p->at;
	enum search_field field;
	int r;

	*ret_taken = 0;
	if (!len || !begins_value(p->q + p->at + len + 1))
		return 0;
	if (find_field(name, &field)) {
		r = read_known(p, field, p->at + len + 1, &end);
		*ret_taken = end - p->at;
		return r;
	}
	/* "LVV:n", "59:2", "huom:\"" are no fields that somebody could have meant */
	chunk = query_chunk_len(p->q, p->at, p->len);
	if (words_before_colon(p->q + p->at, chunk) == chunk && !has_digit(name) && chunk > len + 1)
		query_note(p, NOTE_UNKNOWN_FIELD, p->at, chunk);
	return 0;
}
