#include "index/query.h"

#include <stdlib.h>
#include <string.h>

#include "index/words.h"

struct parser {
	struct analyser *analyser;
	struct query *query;
	bool languages[ANALYSE_LANGUAGES];
	enum analyse_language language; /* in hand */
	struct query_node *part;        /* in hand */
	struct ark_error *err;
};

static void node_clear(struct query_node *n)
{
	size_t i;

	for (i = 0; i < n->terms_len; i++)
		free(n->terms[i].text);
	free(n->terms);
	*n = (struct query_node){0};
}

void query_free(struct query *q)
{
	size_t i;

	if (!q)
		return;
	for (i = 0; q->root && i < q->root->children_len; i++) {
		node_clear(q->root->children[i]);
		free(q->root->children[i]);
	}
	if (q->root)
		free(q->root->children);
	free(q->root);
	free(q);
}

static int no_memory(struct ark_error *err)
{
	return ark_fail(err, ARK_ENOMEM, "no memory to read the query");
}

static bool same_term(const struct query_term *t, enum analyse_language language,
    enum analyse_kind kind, const char *text, size_t len)
{
	return t->kind == kind && t->len == len && !memcmp(t->text, text, len) &&
	       !strcmp(analyse_prefix(t->language, kind), analyse_prefix(language, kind));
}

static int add_term(struct parser *p, enum analyse_kind kind, const char *text, size_t len)
{
	struct query_node *part = p->part;
	struct query_term *grown;
	char *copy;
	size_t i;

	for (i = 0; part->kind == QUERY_WORD && i < part->terms_len; i++)
		if (same_term(&part->terms[i], p->language, kind, text, len))
			return 0;
	if (part->terms_len == part->terms_cap) {
		grown = realloc(part->terms, (part->terms_cap * 2 + 4) * sizeof(*grown));
		if (!grown)
			return no_memory(p->err);
		part->terms = grown;
		part->terms_cap = part->terms_cap * 2 + 4;
	}
	copy = strndup(text, len);
	if (!copy)
		return no_memory(p->err);
	part->terms[part->terms_len++] = (struct query_term){p->language, kind, len, copy};
	return 0;
}

static int new_part(struct parser *p, enum query_kind kind)
{
	struct query_node *list = p->query->root, *node = calloc(1, sizeof(*node)), **grown;

	grown =
	    node ? realloc(list->children, (list->children_len + 1) * sizeof(struct query_node *))
		 : NULL;
	if (!grown) {
		free(node);
		return no_memory(p->err);
	}
	list->children = grown;
	node->kind = kind;
	p->part = list->children[list->children_len++] = node;
	return 0;
}

static int each_term(void *arg, enum analyse_kind kind, const char *term, size_t len)
{
	return add_term(arg, kind, term, len);
}

static bool parts_equal(const struct query_node *a, const struct query_node *b)
{
	size_t i;

	if (a->kind != b->kind || a->terms_len != b->terms_len)
		return false;
	for (i = 0; i < a->terms_len; i++)
		if (a->terms[i].len != b->terms[i].len ||
		    memcmp(a->terms[i].text, b->terms[i].text, a->terms[i].len) != 0)
			return false;
	return true;
}

/* The part in hand goes when it is empty or was there before: a word repeated says nothing more. */
static void end_part(struct parser *p)
{
	struct query_node *list = p->query->root;
	bool drop = !p->part->terms_len;
	size_t i;

	for (i = 0; !drop && i + 1 < list->children_len; i++)
		drop = parts_equal(list->children[i], p->part);
	if (drop) {
		node_clear(p->part);
		free(p->part);
		list->children_len--;
	}
	p->part = NULL;
}

static int add_word(struct parser *p, const struct word *w)
{
	int l, r;

	if (p->query->words >= SEARCH_WORDS_MAX)
		return 0;
	p->query->words++;
	r = new_part(p, QUERY_WORD);
	for (l = 0; !r && l < ANALYSE_LANGUAGES; l++) {
		p->language = (enum analyse_language)l;
		if (p->languages[l])
			r = analyse_word(
			    p->analyser, p->language, w->text, w->text_len, each_term, p, p->err);
	}
	if (!r)
		end_part(p);
	return r;
}

static int add_phrase(struct parser *p, const char *text, size_t len)
{
	char lower[ANALYSE_WORD_MAX + 1];
	size_t pos = 0, n;
	struct word w;
	int r = new_part(p, QUERY_PHRASE);

	p->language = ANALYSE_FI; /* a raw word has none */
	while (!r && p->query->words < SEARCH_WORDS_MAX && words_next(text, len, &pos, &w)) {
		p->query->words++;
		n = words_lower(lower, w.text, w.text_len);
		r = add_term(p, ANALYSE_RAW, lower, n);
	}
	if (!r)
		end_part(p);
	return r;
}

/* Nothing, or one of the signs that join a number's parts (the last is an en dash). */
static bool is_joint(const char *text, size_t len)
{
	return !len || (len == 1 && strchr("/.:-_", *text)) || (len == 3 && !memcmp(text, "–", 3));
}

/* "ESAVI/567/2023", "10.5.2023", "59§": words with a digit among them, joined. */
static bool is_number_phrase(const char *text, size_t len)
{
	size_t pos = 0, end = 0, words = 0, i;
	bool digit = false;
	struct word w;

	for (i = 0; i < len; i++)
		digit = digit || (text[i] >= '0' && text[i] <= '9');
	while (digit && words_next(text, len, &pos, &w)) {
		if (words++ && !is_joint(text + end, w.offset - end))
			return false;
		end = w.offset + w.len;
	}
	return words > 1;
}

/* What stands between spaces is one thing when it is a number, else somebody forgot a space. */
static int add_chunk(struct parser *p, const char *text, size_t len)
{
	size_t pos = 0;
	struct word w;
	int r = 0;

	if (is_number_phrase(text, len))
		return add_phrase(p, text, len);
	while (!r && words_next(text, len, &pos, &w))
		r = add_word(p, &w);
	return r;
}

static int add_words(struct parser *p, const char *text, size_t len)
{
	size_t at = 0, end;
	int r = 0;

	while (!r && at < len) {
		end = at;
		while (end < len && !strchr(" \t\r\n\f\v", text[end]))
			end++;
		r = add_chunk(p, text + at, end - at);
		at = end + 1;
	}
	return r;
}

/* Bytes of a quotation mark at p: the plain one, or a typographic double one (U+201C–201F). */
static size_t quote_len(const char *p)
{
	if (*p == '"')
		return 1;
	return !strncmp(p, "\xE2\x80", 2) && (unsigned char)p[2] >= 0x9C &&
		       (unsigned char)p[2] <= 0x9F
		   ? 3
		   : 0;
}

static const char *find_quote(const char *p)
{
	while (*p && !quote_len(p))
		p++;
	return p;
}

static int parse(struct parser *p, const char *q)
{
	const char *open, *inside, *close;
	int r = 0;

	while (!r && *q) {
		open = find_quote(q);
		r = add_words(p, q, (size_t)(open - q));
		if (r || !*open)
			break;
		inside = open + quote_len(open);
		close = find_quote(inside);
		if (!*close) { /* never closed: words */
			r = add_words(p, inside, strlen(inside));
			break;
		}
		r = add_phrase(p, inside, (size_t)(close - inside));
		q = close + quote_len(close);
	}
	return r;
}

int query_parse(struct analyser *a, const char *q, const struct query_config *config,
    struct query **ret, struct ark_error *err)
{
	const char *language = config->language;
	struct parser p = {.analyser = a, .err = err, .languages = {true, true, true}};
	enum analyse_language one;
	int r;

	if (strlen(q) > SEARCH_QUERY_MAX)
		return ark_fail(
		    err, ARK_EINPUT, "the query is longer than %u bytes", SEARCH_QUERY_MAX);
	if (language && *language) {
		if (!analyse_language_parse(language, &one))
			return ark_fail(err, ARK_EINPUT, "the language is none of fi, sv, en");
		memset(p.languages, 0, sizeof(p.languages));
		p.languages[one] = true;
	}
	p.query = calloc(1, sizeof(*p.query));
	if (!p.query)
		return no_memory(err);
	p.query->root = calloc(1, sizeof(*p.query->root));
	if (p.query->root)
		p.query->root->kind = QUERY_LIST;
	r = p.query->root ? parse(&p, q) : no_memory(err);
	if (r)
		query_free(p.query);
	else
		*ret = p.query;
	return r;
}

int query_each_word(const struct query *q,
    int (*each)(void *arg, const struct query_node *node, const char *because), void *arg)
{
	int r = 0;
	size_t i;

	for (i = 0; !r && q->root && i < q->root->children_len; i++)
		r = each(arg, q->root->children[i], NULL);
	return r;
}

int query_write(const char *q, const struct query *query, struct buf *out, struct ark_error *err)
{
	(void)query;
	buf_adds(out, q);
	return buf_failed(out) ? no_memory(err) : ARK_OK;
}
