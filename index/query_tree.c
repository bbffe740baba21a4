#include "index/query_internal.h"

#include <stdlib.h>
#include <string.h>

int query_no_memory(struct ark_error *err)
{
	return ark_fail(err, ARK_ENOMEM, "no memory to read the query");
}

int query_node_new(
    struct query_parser *p, enum query_kind kind, size_t from, size_t len, struct query_node **ret)
{
	struct query_node *n = calloc(1, sizeof(*n));

	if (!n)
		return query_no_memory(p->err);
	n->kind = kind;
	n->from = from;
	n->len = len;
	*ret = n;
	return 0;
}

static void free_one(struct query_node *n)
{
	size_t i;

	for (i = 0; i < n->terms_len; i++)
		free(n->terms[i].text);
	for (i = 0; i < n->values_len; i++)
		free(n->values[i]);
	for (i = 0; i < n->also_len; i++)
		free(n->also[i].because);
	free(n->terms);
	free(n->values);
	free(n->children);
	free(n->also);
	free(n->written);
	free(n);
}

/* Takes what is below the node away from it, one by one. */
static struct query_node *next_below(struct query_node *n)
{
	while (n->children_len)
		if (n->children[--n->children_len])
			return n->children[n->children_len];
	while (n->also_len) {
		struct query_also *also = &n->also[--n->also_len];

		free(also->because);
		if (also->node)
			return also->node;
	}
	return NULL;
}

void query_node_free(struct query_node *n)
{
	struct query_node *open[QUERY_TREE_MAX], *below;
	size_t depth = 0;

	if (n)
		open[depth++] = n;
	while (depth) {
		below = depth < QUERY_TREE_MAX ? next_below(open[depth - 1]) : NULL;
		if (below)
			open[depth++] = below;
		else
			free_one(open[--depth]);
	}
}

void query_free(struct query *q)
{
	if (!q)
		return;
	query_node_free(q->root);
	free(q);
}

int query_node_add(struct query_parser *p, struct query_node *parent, struct query_node *child)
{
	struct query_node **grown = parent->children;

	/* the room doubles at each power of two */
	if (!(parent->children_len & (parent->children_len - 1)))
		grown = realloc(
		    parent->children, (parent->children_len ? parent->children_len * 2 : 1) *
					  sizeof(struct query_node *));
	if (!grown) {
		query_node_free(child);
		return query_no_memory(p->err);
	}
	parent->children = grown;
	parent->children[parent->children_len++] = child;
	return 0;
}

static bool same_term(const struct query_term *t, enum analyse_language language,
    enum analyse_kind kind, const char *text, size_t len)
{
	return t->kind == kind && t->len == len && !memcmp(t->text, text, len) &&
	       !strcmp(analyse_prefix(t->language, kind), analyse_prefix(language, kind));
}

int query_node_term(struct query_parser *p, struct query_node *n, enum analyse_language language,
    enum analyse_kind kind, const char *text, size_t len)
{
	struct query_term *grown;
	char *copy;
	size_t i;

	for (i = 0; n->kind != QUERY_PHRASE && i < n->terms_len; i++)
		if (same_term(&n->terms[i], language, kind, text, len))
			return 0;
	if (n->terms_len == n->terms_cap) {
		grown = realloc(n->terms, (n->terms_cap * 2 + 4) * sizeof(*grown));
		if (!grown)
			return query_no_memory(p->err);
		n->terms = grown;
		n->terms_cap = n->terms_cap * 2 + 4;
	}
	copy = strndup(text, len);
	if (!copy)
		return query_no_memory(p->err);
	n->terms[n->terms_len++] = (struct query_term){language, kind, len, copy};
	return 0;
}

int query_node_value(struct query_parser *p, struct query_node *n, const char *value)
{
	char **grown, *copy;
	size_t i;

	for (i = 0; i < n->values_len; i++)
		if (!strcmp(n->values[i], value))
			return 0;
	if (n->values_len == QUERY_IDS_MAX)
		return 0;
	copy = strdup(value);
	grown = copy ? realloc(n->values, (n->values_len + 1) * sizeof(char *)) : NULL;
	if (!grown) {
		free(copy);
		return query_no_memory(p->err);
	}
	n->values = grown;
	n->values[n->values_len++] = copy;
	return 0;
}

int query_node_written(struct query_parser *p, struct query_node *n, struct buf *b)
{
	bool failed = buf_failed(b) || !b->data;

	free(n->written);
	n->written = failed ? NULL : buf_take(b, NULL);
	buf_free(b);
	return failed ? query_no_memory(p->err) : 0;
}

bool query_node_is_group(const struct query_node *n)
{
	return !n->written &&
	       (n->kind == QUERY_LIST || n->kind == QUERY_ALL || n->kind == QUERY_ONE_OF);
}

bool query_node_is_filter(const struct query_node *n)
{
	return n->kind == QUERY_FIELD || n->kind == QUERY_DATES ||
	       (n->written && (n->kind == QUERY_ALL || n->kind == QUERY_ONE_OF));
}

static bool terms_equal(const struct query_node *a, const struct query_node *b)
{
	size_t i;

	if (a->terms_len != b->terms_len)
		return false;
	for (i = 0; i < a->terms_len; i++)
		if (a->terms[i].len != b->terms[i].len ||
		    memcmp(a->terms[i].text, b->terms[i].text, a->terms[i].len) != 0)
			return false;
	return true;
}

bool query_node_equal(const struct query_node *a, const struct query_node *b)
{
	size_t i;

	if (a->kind != b->kind || a->occur != b->occur || query_node_is_group(a) ||
	    query_node_is_group(b))
		return false;
	if (a->children_len || b->children_len)
		return a->written && b->written && !strcmp(a->written, b->written);
	if (a->field != b->field || a->values_len != b->values_len ||
	    strcmp(a->date_from, b->date_from) != 0 || strcmp(a->date_to, b->date_to) != 0)
		return false;
	for (i = 0; i < a->values_len; i++)
		if (strcmp(a->values[i], b->values[i]) != 0)
			return false;
	return terms_equal(a, b);
}

static bool is_looked_for(const struct query_node *n)
{
	return n->kind == QUERY_WORD || n->kind == QUERY_PHRASE || n->kind == QUERY_WILDCARD;
}

/* The other words for a word: a WORD, or an ALL of them. */
static int each_also(const struct query_node *n,
    int (*each)(void *arg, const struct query_node *node, const char *because), void *arg)
{
	int r = 0;
	size_t i, j;

	for (i = 0; !r && i < n->also_len; i++) {
		const struct query_node *other = n->also[i].node;

		if (other->kind == QUERY_WORD)
			r = each(arg, other, n->also[i].because);
		for (j = 0; !r && j < other->children_len; j++)
			r = each(arg, other->children[j], n->also[i].because);
	}
	return r;
}

int query_each_word(const struct query *q,
    int (*each)(void *arg, const struct query_node *node, const char *because), void *arg)
{
	struct {
		const struct query_node *node;
		size_t next;
	} open[QUERY_TREE_MAX];
	size_t depth = 0;
	int r = 0;

	if (q->root)
		open[depth++].node = q->root;
	if (depth)
		open[0].next = 0;
	while (!r && depth) {
		const struct query_node *n = open[depth - 1].node, *child;

		if (!open[depth - 1].next && is_looked_for(n)) {
			r = each(arg, n, NULL);
			if (!r)
				r = each_also(n, each, arg);
		}
		if (r || open[depth - 1].next == n->children_len || query_node_is_filter(n)) {
			depth--;
			continue;
		}
		child = n->children[open[depth - 1].next++];
		if (child->occur == QUERY_MUST_NOT || depth == QUERY_TREE_MAX)
			continue;
		open[depth].node = child;
		open[depth++].next = 0;
	}
	return r;
}
