/* The way back: what is written is read again as the same tree.
 *
 * Parentheses that precedence would do without are written all the same, so that the searcher sees it; but
 * where they would lie deeper than can be read, none of those is.
 */
#include "index/query_internal.h"

#include <string.h>

struct writer {
	const char *q;
	struct buf *out;
	bool full; /* with the parentheses that could be left out */
	size_t deepest;
	struct {
		const struct query_node *node;
		size_t next;
		bool paren;
	} open[QUERY_TREE_MAX];
	size_t depth, parens;
};

static void node_text(const char *q, const struct query_node *n, const char **ret, size_t *ret_len)
{
	*ret = n->written ? n->written : q + n->from;
	*ret_len = n->written ? strlen(n->written) : n->len;
}

static bool needs_paren(
    const struct writer *w, const struct query_node *in, const struct query_node *n)
{
	if (in->kind == QUERY_LIST)
		return true;
	if (n->kind == QUERY_ONE_OF || (n->kind == QUERY_ALL && in->kind == QUERY_ALL))
		return true;
	return w->full && n->children_len > 1;
}

/* Would the leaf be read as one number with what follows it? (A word that was repeated has gone between them.) */
static bool runs_on(const struct writer *w, const struct query_node *list, size_t i)
{
	struct query_match m;
	struct buf b = BUF_INIT;
	const char *text;
	size_t len, own = 0, k;
	bool on;

	for (k = i; k < list->children_len && k < i + 3; k++) {
		const struct query_node *n = list->children[k];

		if (query_node_is_group(n) ||
		    (k > i && n->occur != QUERY_SHOULD && !query_node_is_filter(n)))
			break;
		node_text(w->q, n, &text, &len);
		if (k > i)
			buf_adds(&b, " ");
		buf_add(&b, text, len);
		own = own ? own : len;
	}
	on = !buf_failed(&b) && b.data && query_number_match(b.data, b.len, &m) && m.behind > own;
	buf_free(&b);
	return on;
}

static void write_between(struct writer *w, const struct query_node *in, size_t i)
{
	if (in->kind == QUERY_ALL)
		buf_adds(w->out, " AND ");
	else if (in->kind == QUERY_ONE_OF)
		buf_adds(w->out, " OR ");
	else
		buf_adds(w->out, !query_node_is_group(in->children[i - 1]) && runs_on(w, in, i - 1)
				     ? ", "
				     : " ");
}

static void write_sign(struct writer *w, const struct query_node *in, const struct query_node *n)
{
	if (in->kind != QUERY_LIST)
		return;
	if (n->occur == QUERY_MUST_NOT)
		buf_adds(w->out, "-");
	else if (n->occur == QUERY_MUST && !query_node_is_filter(n))
		buf_adds(w->out, "+");
}

static void enter(struct writer *w, const struct query_node *n, bool paren)
{
	if (paren) {
		buf_adds(w->out, "(");
		if (++w->parens > w->deepest)
			w->deepest = w->parens;
	}
	w->open[w->depth].node = n;
	w->open[w->depth].next = 0;
	w->open[w->depth++].paren = paren;
}

static void write_tree(struct writer *w, const struct query_node *root)
{
	enter(w, root, false);
	while (w->depth) {
		const struct query_node *in = w->open[w->depth - 1].node, *n;
		size_t i = w->open[w->depth - 1].next++, len;
		const char *text;

		if (i == in->children_len) {
			w->depth--;
			if (w->open[w->depth].paren) {
				buf_adds(w->out, ")");
				w->parens--;
			}
			continue;
		}
		n = in->children[i];
		if (i)
			write_between(w, in, i);
		write_sign(w, in, n);
		if (!query_node_is_group(n)) {
			node_text(w->q, n, &text, &len);
			buf_add(w->out, text, len);
		} else if (w->depth < QUERY_TREE_MAX) {
			enter(w, n, needs_paren(w, in, n));
		}
	}
}

int query_write(const char *q, const struct query *query, struct buf *out, struct ark_error *err)
{
	struct writer w = {.q = q, .out = out, .full = true};
	size_t before = out->len;

	if (!query->root)
		return ARK_OK;
	write_tree(&w, query->root);
	if (w.deepest > QUERY_DEPTH_MAX && !buf_failed(out)) {
		out->len = before;
		out->data[before] = '\0';
		w = (struct writer){.q = q, .out = out, .full = false};
		write_tree(&w, query->root);
	}
	return buf_failed(out) ? query_no_memory(err) : ARK_OK;
}
