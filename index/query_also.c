#include "index/query_internal.h"

#include <stdlib.h>
#include <string.h>

#define ALSO_MAX 32u /* other words for one */

/* Told while the table is read; analysed after that. */
struct told {
	struct {
		enum analyse_language language;
		char *term;
	} terms[ALSO_MAX];
	size_t len;
	const struct query_parser *p;
};

static int each_told(void *arg, enum analyse_language language, const char *term)
{
	struct told *t = arg;
	char *copy;

	if (t->len == ALSO_MAX || !t->p->languages[language])
		return 0;
	copy = strdup(term);
	if (!copy)
		return query_no_memory(t->p->err);
	t->terms[t->len].language = language;
	t->terms[t->len++].term = copy;
	return 0;
}

static int term_node(struct query_parser *p, enum analyse_language language, const char *term,
    size_t from, size_t len, struct query_node **ret)
{
	struct query_node *all = NULL, *one;
	size_t pos = 0;
	struct word w;
	int r = query_node_new(p, QUERY_ALL, from, len, &all);

	while (!r && words_next(term, strlen(term), &pos, &w)) {
		r = query_node_new(p, QUERY_WORD, from, len, &one);
		if (r)
			break;
		r = query_analyse(p, one, language, w.text, w.text_len);
		if (!r)
			r = query_node_add(p, all, one);
		else
			query_node_free(one);
	}
	if (r) {
		query_node_free(all);
		return r;
	}
	*ret = all;
	if (all->children_len == 1) {
		*ret = all->children[0];
		all->children_len = 0;
		query_node_free(all);
	}
	return 0;
}

static int add_told(struct query_parser *p, struct query_node *n, struct told *t, size_t len)
{
	struct query_node *other = NULL;
	size_t i;
	int r = 0;

	n->also = t->len ? calloc(t->len, sizeof(*n->also)) : NULL;
	if (t->len && !n->also)
		return query_no_memory(p->err);
	for (i = 0; !r && i < t->len; i++) {
		r = term_node(p, t->terms[i].language, t->terms[i].term, n->from, len, &other);
		if (r)
			break;
		n->also[n->also_len].node = other;
		n->also[n->also_len++].because = t->terms[i].term;
		t->terms[i].term = NULL;
	}
	return r;
}

static bool is_plain(const struct query_node *list, size_t i)
{
	return list->kind == QUERY_LIST && i < list->children_len &&
	       list->children[i]->kind == QUERY_WORD && list->children[i]->occur == QUERY_SHOULD;
}

/* The term that begins with the list's child i: of several words only where none of them must be there. */
static int add_at(struct query_parser *p, struct query_node *list, size_t i, size_t *ret_taken)
{
	char text[SYNONYM_WORDS_MAX][ANALYSE_WORD_MAX + 1];
	const char *words[SYNONYM_WORDS_MAX];
	struct query_node *first = list->children[i], *last;
	struct told t = {.p = p};
	size_t n = 0, k;
	int r;

	do {
		const struct query_node *w = list->children[i + n];

		words_normalise(text[n], p->q + w->from, w->len);
		words[n] = text[n];
		n++;
	} while (n < SYNONYM_WORDS_MAX && is_plain(list, i) && is_plain(list, i + n));
	r = synonyms_find(
	    p->config->synonyms, p->analyser, words, n, each_told, &t, ret_taken, p->err);
	if (!r && t.len && *ret_taken) {
		last = list->children[i + *ret_taken - 1];
		r = add_told(p, first, &t, last->from + last->len - first->from);
	}
	for (k = 0; k < t.len; k++)
		free(t.terms[k].term);
	return r;
}

static int add_in(struct query_parser *p, struct query_node *in)
{
	size_t i, taken;
	int r = 0;

	for (i = 0; !r && i < in->children_len; i += taken ? taken : 1) {
		taken = 0;
		if (in->children[i]->kind == QUERY_WORD && in->children[i]->occur != QUERY_MUST_NOT)
			r = add_at(p, in, i, &taken);
	}
	return r;
}

int query_add_also(struct query_parser *p)
{
	struct {
		struct query_node *node;
		size_t next;
	} open[QUERY_TREE_MAX];
	struct query_node *child;
	size_t depth = 0;
	int r = 0;

	if (p->query->root) {
		open[0].node = p->query->root;
		open[0].next = 0;
		depth = 1;
	}
	while (!r && depth) {
		struct query_node *in = open[depth - 1].node;
		size_t i = open[depth - 1].next++;

		if (!i && p->config->synonyms)
			r = add_in(p, in);
		if (!i && !r)
			r = query_join(p, in);
		if (i == in->children_len) {
			depth--;
			continue;
		}
		child = in->children[i];
		if (query_node_is_group(child) && child->occur != QUERY_MUST_NOT &&
		    depth < QUERY_TREE_MAX) {
			open[depth].node = child;
			open[depth++].next = 0;
		}
	}
	return r;
}
