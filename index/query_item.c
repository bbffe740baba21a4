#include "index/query_internal.h"

#include <stdlib.h>
#include <string.h>

#include "arkki/base/text.h"

#define WILDCARD_LETTERS_MIN 3u
#define WORD_LOOK 48u /* bytes within which a word begins and, where its length matters, ends */

void query_note(struct query_parser *p, enum search_note_kind kind, size_t from, size_t len)
{
	struct query *q = p->query;

	if (q->notes_len < QUERY_NOTES_MAX)
		q->notes[q->notes_len++] = (struct search_note){kind, from, len};
}

void query_note_once(struct query_parser *p, enum search_note_kind kind, size_t from, size_t len)
{
	size_t i;

	for (i = 0; i < p->query->notes_len; i++)
		if (p->query->notes[i].kind == kind)
			return;
	query_note(p, kind, from, len);
}

bool query_take_word(struct query_parser *p, size_t from, size_t len)
{
	if (p->query->words == SEARCH_WORDS_MAX) {
		query_note_once(p, NOTE_TOO_MANY_WORDS, from, len);
		return false;
	}
	p->query->words++;
	return true;
}

static bool is_empty(const struct query_node *n)
{
	bool words = n->kind == QUERY_WORD || n->kind == QUERY_PHRASE || n->kind == QUERY_WILDCARD;
	bool open = n->kind == QUERY_DATES && !*n->date_from && !*n->date_to;
	bool field = n->kind == QUERY_FIELD && !n->values_len;

	return (words && !n->terms_len) || open || field;
}

/* A sign beyond the bound: what must be there may be there, what must not be is passed over. */
static bool sign_node(struct query_parser *p, struct query_node *n)
{
	bool filter = query_node_is_filter(n);

	n->occur = p->sign;
	if (filter && n->occur != QUERY_MUST_NOT) {
		n->occur = QUERY_MUST;
		return true;
	}
	if (n->occur == QUERY_SHOULD)
		return true;
	if (p->operators < QUERY_OPERATORS_MAX) {
		p->operators++;
		return true;
	}
	query_note_once(p, NOTE_TOO_MANY_OPERATORS, n->from, n->len);
	if (n->occur == QUERY_MUST_NOT)
		return false;
	n->occur = QUERY_SHOULD;
	return true;
}

int query_emit(struct query_parser *p, struct query_node *n)
{
	size_t i;
	bool keep;

	if (!n)
		return 0;
	keep = !is_empty(n) && sign_node(p, n);
	for (i = 0; keep && i < p->list->children_len; i++)
		keep = !query_node_equal(p->list->children[i], n);
	if (keep)
		return query_node_add(p, p->list, n);
	query_node_free(n);
	return 0;
}

/* No-break, typographic and ideographic spaces are typed, or pasted, like any other. */
size_t query_space_len(const char *p)
{
	const unsigned char *u = (const unsigned char *)p;

	if (*u && (*u <= 0x20 || *u == 0x7F))
		return 1;
	if (u[0] == 0xC2 && u[1] == 0xA0)
		return 2;
	if (u[0] == 0xE2 && u[1] == 0x80 && (u[2] == 0xAF || (u[2] >= 0x80 && u[2] <= 0x8A)))
		return 3;
	return !strncmp(p, "\xE3\x80\x80", 3) ? 3 : 0;
}

/* The plain one, typographic double ones (U+201C–201F), and those of books: » «. */
size_t query_quote_len(const char *p)
{
	const unsigned char *u = (const unsigned char *)p;

	if (*u == '"')
		return 1;
	if (u[0] == 0xC2 && (u[1] == 0xAB || u[1] == 0xBB))
		return 2;
	return u[0] == 0xE2 && u[1] == 0x80 && u[2] >= 0x9C && u[2] <= 0x9F ? 3 : 0;
}

bool query_is_operator(const char *text, size_t len)
{
	static const char *const operators[] = {
	    "AND", "OR", "NOT", "JA", "TAI", "EI", "OCH", "ELLER", "INTE"};
	size_t i;

	for (i = 0; i < sizeof(operators) / sizeof(operators[0]); i++)
		if (strlen(operators[i]) == len && !memcmp(text, operators[i], len))
			return true;
	return false;
}

size_t query_chunk_len(const char *text, size_t at, size_t len)
{
	size_t end = at;

	while (end < len && text[end] != '(' && text[end] != ')' && !query_space_len(text + end) &&
	       !query_quote_len(text + end))
		end++;
	return end - at;
}

bool query_word_at(const char *text, size_t len)
{
	size_t pos = 0;
	struct word w;

	return len && words_next(text, len < WORD_LOOK ? len : WORD_LOOK, &pos, &w) && !w.offset;
}

struct analysed {
	struct query_parser *p;
	struct query_node *node;
	enum analyse_language language;
};

static int each_term(void *arg, enum analyse_kind kind, const char *term, size_t len)
{
	struct analysed *a = arg;

	return query_node_term(a->p, a->node, a->language, kind, term, len);
}

int query_analyse(struct query_parser *p, struct query_node *n, enum analyse_language language,
    const char *word, size_t len)
{
	struct analysed a = {p, n, language};

	return analyse_word(p->analyser, language, word, len, each_term, &a, p->err);
}

/* A word that looks like an operator is written so that it does not. */
static int write_word(struct query_parser *p, struct query_node *n, const char *text, size_t len)
{
	char lower[ANALYSE_WORD_MAX + 1];
	struct buf b = BUF_INIT;

	if (!query_is_operator(text, len))
		return 0;
	words_lower(lower, text, len);
	buf_adds(&b, lower);
	return query_node_written(p, n, &b);
}

static int add_word(struct query_parser *p, const struct word *w, size_t from)
{
	struct query_node *n = NULL;
	int l, r;

	if (!query_take_word(p, from, w->len))
		return 0;
	r = query_node_new(p, QUERY_WORD, from, w->len, &n);
	for (l = 0; !r && l < ANALYSE_LANGUAGES; l++)
		if (p->languages[l])
			r = query_analyse(p, n, (enum analyse_language)l, w->text, w->text_len);
	if (!r)
		r = write_word(p, n, p->q + from, w->len);
	if (!r)
		return query_emit(p, n);
	query_node_free(n);
	return r;
}

static int add_wildcard(struct query_parser *p, const struct word *w, size_t from)
{
	char lower[ANALYSE_WORD_MAX + 1];
	size_t len = words_lower(lower, w->text, w->text_len);
	struct query_node *n = NULL;
	struct buf b = BUF_INIT;
	int r;

	if (utf8_length(lower, len) < WILDCARD_LETTERS_MIN) {
		query_note(p, NOTE_SHORT_WILDCARD, from, w->len + 1);
		return add_word(p, w, from);
	}
	if (!query_take_word(p, from, w->len))
		return 0;
	r = query_node_new(p, QUERY_WILDCARD, from, w->len + 1, &n);
	if (!r)
		r = query_node_term(p, n, ANALYSE_FI, ANALYSE_RAW, lower, len);
	buf_add(&b, p->q + from, w->len + 1);
	if (!r)
		r = query_node_written(p, n, &b);
	buf_free(&b);
	if (!r)
		return query_emit(p, n);
	query_node_free(n);
	return r;
}

int query_phrase_node(struct query_parser *p, const char *text, size_t text_len, size_t from,
    size_t len, struct query_node **ret)
{
	char lower[ANALYSE_WORD_MAX + 1];
	struct query_node *n = NULL;
	size_t pos = 0, lower_len;
	struct word w;
	int r = query_node_new(p, QUERY_PHRASE, from, len, &n);

	while (!r && words_next(text, text_len, &pos, &w)) {
		lower_len = words_lower(lower, w.text, w.text_len);
		r = query_node_term(p, n, ANALYSE_FI, ANALYSE_RAW, lower, lower_len);
	}
	if (r)
		query_node_free(n);
	else
		*ret = n;
	return r;
}

/* Words beyond the bound are left off; the phrase is written with those that it has. */
int query_phrase(struct query_parser *p, size_t from, size_t len)
{
	const char *text = p->q + from;
	struct buf b = BUF_INIT;
	struct query_node *n = NULL;
	size_t pos = 0, end = 0;
	struct word w;
	int r;

	buf_adds(&b, "\"");
	while (words_next(text, len, &pos, &w) && query_take_word(p, from + w.offset, w.len)) {
		if (end)
			buf_adds(&b, " ");
		buf_add(&b, text + w.offset, w.len);
		end = w.offset + w.len;
	}
	buf_adds(&b, "\"");
	r = query_phrase_node(p, text, end, from, len, &n);
	if (!r)
		r = query_node_written(p, n, &b);
	buf_free(&b);
	if (!r)
		return query_emit(p, n);
	query_node_free(n);
	return r;
}

/* Nothing, or one of the signs that join a number's parts (the last is an en dash). */
static bool is_joint(const char *text, size_t len)
{
	return !len || (len == 1 && strchr("/.:-_", *text)) || (len == 3 && !memcmp(text, "–", 3));
}

/* "ESAVI/567/2023", "10.5.2023", "59§": words with a digit among them, joined. Where they are. */
static bool is_number(const char *text, size_t len, size_t *ret_from, size_t *ret_len)
{
	size_t pos = 0, end = 0, words = 0, i;
	bool digit = false;
	struct word w;

	for (i = 0; i < len; i++)
		digit = digit || (text[i] >= '0' && text[i] <= '9');
	while (digit && words_next(text, len, &pos, &w)) {
		if (words && !is_joint(text + end, w.offset - end))
			return false;
		if (!words++)
			*ret_from = w.offset;
		end = w.offset + w.len;
	}
	*ret_len = end - *ret_from;
	return words > 1;
}

/* What stands between spaces is one thing when it is a number, else somebody forgot a space. */
int query_chunk(struct query_parser *p, size_t from, size_t len)
{
	const char *text = p->q + from;
	size_t pos = 0, end, at = 0, n = 0;
	struct word w;
	int r = 0;

	if (is_number(text, len, &at, &n))
		return query_number_chunk(p, from + at, n);
	while (!r && words_next(text, len, &pos, &w)) {
		end = w.offset + w.len;
		if (end < len && text[end] == '*' && !query_word_at(text + end + 1, len - end - 1))
			r = add_wildcard(p, &w, from + w.offset);
		else
			r = add_word(p, &w, from + w.offset);
	}
	return r;
}
