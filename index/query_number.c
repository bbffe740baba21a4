#include "index/query_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WORD_LOOK 48u /* no word of a number is longer */
#define SECTION_SIGN "§"

/* ---- numbers of several words ---- */

struct look {
	const char *text;
	size_t len, at; /* behind the last word */
	struct query_match *m;
	struct word w;
};

/* The next word, which must begin right behind white space. `gap`: there must be some. */
static bool next_word(struct look *l, bool gap)
{
	size_t at = l->at, n, pos = 0, len;

	while (at < l->len && (n = query_space_len(l->text + at)))
		at += n;
	if ((gap && at == l->at) || at == l->len || l->m->words == 3)
		return false;
	len = l->len - at < WORD_LOOK ? l->len - at : WORD_LOOK;
	if (!words_next(l->text + at, len, &pos, &l->w) || l->w.offset ||
	    (l->w.len == len && len == WORD_LOOK))
		return false;
	l->m->word[l->m->words] = at;
	l->m->word_len[l->m->words++] = l->w.len;
	l->m->len = at + l->w.len;
	l->m->behind = l->at = at + pos;
	return true;
}

static bool all_digits(const struct word *w, size_t most)
{
	size_t i;

	for (i = 0; i < w->text_len; i++)
		if (w->text[i] < '0' || w->text[i] > '9')
			return false;
	return w->text_len <= most;
}

/* "65", "65a" */
static bool is_section_number(const struct word *w)
{
	struct word digits = *w;
	char last = w->text[w->text_len - 1];

	if (((last | 0x20) >= 'a' && (last | 0x20) <= 'z') && w->text_len > 1)
		digits.text_len--;
	return all_digits(&digits, 4);
}

static bool is_letter(const struct word *w)
{
	return w->text_len == 1 && (*w->text | 0x20) >= 'a' && (*w->text | 0x20) <= 'z';
}

static bool is_sign(const struct word *w)
{
	return !strcmp(w->text, SECTION_SIGN);
}

/* "65 §", "65 a §", "§ 65": the first word is there. */
static bool match_section(struct look *l)
{
	l->m->kind = NUMBER_SECTION;
	if (is_sign(&l->w))
		return next_word(l, false) && is_section_number(&l->w);
	if (!is_section_number(&l->w) || !next_word(l, false))
		return false;
	return is_sign(&l->w) || (is_letter(&l->w) && next_word(l, false) && is_sign(&l->w));
}

static unsigned int number_of(const struct word *w)
{
	unsigned int n = 0;
	size_t i;

	for (i = 0; i < w->text_len && i < 6; i++)
		n = n * 10 + (unsigned int)(w->text[i] - '0');
	return n;
}

/* "12. maaliskuuta 2024", "12 mars 2024" */
static bool match_date(struct look *l)
{
	char lower[ANALYSE_WORD_MAX + 1];
	struct query_match *m = l->m;

	m->kind = NUMBER_DATE;
	if (!all_digits(&l->w, 2))
		return false;
	m->day = number_of(&l->w);
	if (l->at < l->len && l->text[l->at] == '.')
		l->at++;
	if (!next_word(l, true))
		return false;
	words_lower(lower, l->w.text, l->w.text_len);
	m->month = query_month(lower);
	if (!m->month || !next_word(l, true) || !all_digits(&l->w, 4))
		return false;
	m->year = number_of(&l->w);
	return query_day_valid((struct query_day){m->year, m->month, m->day});
}

static bool is_abbreviation(const char *text, const struct word *w)
{
	size_t i;

	for (i = 0; i < w->text_len; i++)
		if (w->text[i] < 'A' || w->text[i] > 'Z')
			return false;
	return w->text_len >= 2 && w->text_len <= 8 && !query_is_operator(text, w->len);
}

/* "1234/2026", "1234/07.01/2026": bytes of it at the beginning of text, 0: it is none. */
static size_t diary_len(const char *text, size_t len)
{
	size_t end = query_chunk_len(text, 0, len), slash = 0, i;

	while (end && strchr(".,;:!?", text[end - 1]))
		end--;
	for (i = 0; i < end; i++) {
		if (text[i] == '/')
			slash = i;
		else if ((text[i] < '0' || text[i] > '9') && text[i] != '.')
			return 0;
		if ((text[i] == '/' || text[i] == '.') && (!i || strchr("./", text[i - 1])))
			return 0;
	}
	return slash && end - slash == 5 && end <= WORD_LOOK ? end : 0;
}

/* "LVV 1234/2026" */
static bool match_diary(struct look *l)
{
	size_t at = l->at, n;

	l->m->kind = NUMBER_DIARY;
	if (!is_abbreviation(l->text, &l->w))
		return false;
	while (at < l->len && (n = query_space_len(l->text + at)))
		at += n;
	n = at > l->at && at < l->len ? diary_len(l->text + at, l->len - at) : 0;
	if (!n)
		return false;
	l->m->word[1] = at;
	l->m->word_len[1] = n;
	l->m->words = 2;
	l->m->len = l->m->behind = at + n;
	return true;
}

bool query_number_match(const char *text, size_t len, struct query_match *ret)
{
	static bool (*const matches[])(struct look * l) = {match_section, match_date, match_diary};
	size_t i;

	if (!query_word_at(text, len))
		return false;
	for (i = 0; i < sizeof(matches) / sizeof(matches[0]); i++) {
		struct query_match m = {0};
		struct look l = {.text = text, .len = len, .m = &m};

		if (next_word(&l, false) && matches[i](&l)) {
			*ret = m;
			return true;
		}
	}
	return false;
}

/* ---- what they are looked for by ---- */

/* A child of n: the words of text in a row. */
static int add_form(struct query_parser *p, struct query_node *n, const char *text)
{
	struct query_node *phrase = NULL;
	int r = query_phrase_node(p, text, strlen(text), n->from, n->len, &phrase);
	size_t i;

	for (i = 0; !r && i < n->children_len; i++)
		if (query_node_equal(n->children[i], phrase)) {
			query_node_free(phrase);
			return 0;
		}
	return r ? r : query_node_add(p, n, phrase);
}

static int add_date_forms(struct query_parser *p, struct query_node *n, struct query_day d)
{
	char form[64];
	int l, r;

	snprintf(form, sizeof(form), "%u.%u.%u", d.day, d.month, d.year);
	r = add_form(p, n, form);
	snprintf(form, sizeof(form), "%02u.%02u.%u", d.day, d.month, d.year);
	if (!r)
		r = add_form(p, n, form);
	snprintf(form, sizeof(form), "%u-%02u-%02u", d.year, d.month, d.day);
	if (!r)
		r = add_form(p, n, form);
	for (l = 0; !r && l < ANALYSE_LANGUAGES; l++) {
		const char *month = query_month_name((enum analyse_language)l, d.month);

		snprintf(form, sizeof(form), "%u %s %u", d.day, month, d.year);
		r = add_form(p, n, form);
		if (!r && l == ANALYSE_EN) {
			snprintf(form, sizeof(form), "%s %u %u", month, d.day, d.year);
			r = add_form(p, n, form);
		}
	}
	return r;
}

/* "ESAVI/567/07.01/2023" without the code of its subject, or false. */
static bool without_code(const char *text, char *out, size_t out_len)
{
	const char *last = strrchr(text, '/'), *before = last, *c;

	if (!last || last - text >= (ptrdiff_t)out_len)
		return false;
	while (before > text && before[-1] != '/')
		before--;
	for (c = before; c < last; c++)
		if ((*c < '0' || *c > '9') && *c != '.')
			return false;
	if (before - text < 2 || !memchr(before, '.', (size_t)(last - before)))
		return false;
	snprintf(out, out_len, "%.*s%s", (int)(before - 1 - text), text, last);
	return true;
}

struct cases {
	struct query_parser *p;
	struct query_node *node;
};

static int each_case(void *to, const char *id)
{
	struct cases *c = to;

	return query_node_value(c->p, c->node, id);
}

/* The case whose diary number it is, where there is one that the searcher may know. */
static int add_case(struct query_parser *p, struct query_node *n, const char *number)
{
	const struct search_names *names = p->config->names;
	struct cases c = {.p = p};
	int r;

	if (!names)
		return 0;
	r = query_node_new(p, QUERY_FIELD, n->from, n->len, &c.node);
	if (r)
		return r;
	c.node->field = FIELD_CASE;
	r = names->resolve(names->arg, FIELD_CASE, number, each_case, &c);
	if (!r && c.node->values_len)
		return query_node_add(p, n, c.node);
	query_node_free(c.node);
	return r;
}

/* `alone`: without what stands before the number ("1234/2026"), or NULL. */
static int add_number_forms(
    struct query_parser *p, struct query_node *n, const char *number, const char *alone)
{
	char shorter[128];
	int r = add_form(p, n, number);

	if (!r && without_code(number, shorter, sizeof(shorter)))
		r = add_form(p, n, shorter);
	if (!r && alone)
		r = add_form(p, n, alone);
	if (!r && strchr(number, '/'))
		r = add_case(p, n, number);
	return r;
}

/* A thing with one form is that; its only child has its place and text. */
static int emit_forms(struct query_parser *p, struct query_node *n, struct buf *written)
{
	struct query_node *only;
	int r = query_node_written(p, n, written);

	if (r || n->children_len != 1) {
		if (!r && n->children_len)
			return query_emit(p, n);
		query_node_free(n);
		return r;
	}
	only = n->children[0];
	only->written = n->written;
	n->written = NULL;
	n->children_len = 0;
	query_node_free(n);
	return query_emit(p, only);
}

static bool take_words(struct query_parser *p, size_t from, size_t len)
{
	size_t pos = 0, count = 0, i;
	struct word w;

	while (words_next(p->q + from, len, &pos, &w))
		count++;
	if (p->query->words + count > SEARCH_WORDS_MAX) {
		query_note_once(p, NOTE_TOO_MANY_WORDS, from, len);
		return false;
	}
	for (i = 0; i < count; i++)
		p->query->words++;
	return true;
}

int query_number_chunk(struct query_parser *p, size_t from, size_t len)
{
	struct buf b = BUF_INIT;
	struct query_node *n = NULL;
	struct query_match m;
	struct query_day d;
	int r;

	/* behind a sign that means nothing: "*65§", "*title:65" must not be written as what they are not */
	if (query_number_match(p->q + from, len, &m) || query_is_field(p->q + from, len))
		return query_phrase(p, from, len);
	if (!take_words(p, from, len))
		return 0;
	r = query_node_new(p, QUERY_ANY_FORM, from, len, &n);
	if (r)
		return r;
	buf_add(&b, p->q + from, len);
	if (buf_failed(&b) || !b.data)
		r = query_no_memory(p->err);
	else if (query_day_read(b.data, len, &d))
		r = add_date_forms(p, n, d);
	else
		r = add_number_forms(p, n, b.data, NULL);
	if (!r)
		return emit_forms(p, n, &b);
	buf_free(&b);
	query_node_free(n);
	return r;
}

/* The words with one space between them, and the dot behind a day. */
static void write_match(const struct query_parser *p, const struct query_match *m, struct buf *b)
{
	size_t i;

	for (i = 0; i < m->words; i++) {
		if (i)
			buf_adds(b, " ");
		buf_add(b, p->q + p->at + m->word[i], m->word_len[i]);
		if (!i && m->kind == NUMBER_DATE && p->q[p->at + m->word_len[0]] == '.')
			buf_adds(b, ".");
	}
}

int query_number(struct query_parser *p, const struct query_match *m)
{
	struct buf b = BUF_INIT;
	struct query_node *n = NULL;
	int r;

	if (!take_words(p, p->at, m->len))
		return 0;
	r = query_node_new(p, QUERY_ANY_FORM, p->at, m->len, &n);
	if (r)
		return r;
	write_match(p, m, &b);
	if (buf_failed(&b) || !b.data)
		r = query_no_memory(p->err);
	else if (m->kind == NUMBER_DATE)
		r = add_date_forms(p, n, (struct query_day){m->year, m->month, m->day});
	else if (m->kind == NUMBER_DIARY)
		r = add_number_forms(p, n, b.data, strchr(b.data, ' ') + 1);
	else
		r = add_form(p, n, b.data);
	if (!r)
		return emit_forms(p, n, &b);
	buf_free(&b);
	query_node_free(n);
	return r;
}
