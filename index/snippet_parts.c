#include "index/snippet_parts.h"

#include <stdlib.h>

static int no_memory(struct ark_error *err)
{
	return ark_fail(err, ARK_ENOMEM, "no memory for snippets");
}

/* ---- one part ---- */

static int new_part(
    struct snippet_parts *p, size_t steps, struct snippet_part **ret, struct ark_error *err)
{
	struct snippet_part *part;

	if (p->len == p->cap) {
		size_t cap = p->cap * 2 + 8;
		struct snippet_part *grown = reallocarray(p->list, cap, sizeof(*grown));

		if (!grown)
			return no_memory(err);
		p->list = grown;
		p->cap = cap;
	}
	part = &p->list[p->len];
	*part = (struct snippet_part){.steps = calloc(steps, sizeof(*part->steps))};
	if (!part->steps)
		return no_memory(err);
	p->len++;
	*ret = part;
	return ARK_OK;
}

static void add_step(
    struct snippet_parts *p, struct snippet_part *part, const struct query_term *terms, size_t len)
{
	size_t i;

	part->steps[part->steps_len++] = (struct snippet_step){terms, len};
	for (i = 0; i < len; i++)
		analyse_wanted_add(&p->wanted, terms[i].text, terms[i].len);
}

static size_t at_most(size_t n, size_t most)
{
	return n < most ? n : most;
}

/* A word, a phrase, a beginning, or the words of a term that are all looked for: those stand in a row
 * where the term stands. Anything else is none. */
static int add_part(struct snippet_parts *p, const struct query_node *node, uint16_t group,
    const char *because, struct ark_error *err)
{
	bool term = node->kind == QUERY_ALL && because;
	size_t n = at_most(term                         ? node->children_len
			   : node->kind == QUERY_PHRASE ? node->terms_len
							: 1,
		   SNIPPET_ROW_MAX),
	       i;
	struct snippet_part *part = NULL;
	int r;

	if (!n || (!term && !node->terms_len))
		return ARK_OK;
	r = new_part(p, n, &part, err);
	if (r)
		return r;
	part->group = group;
	part->from = node->from;
	part->len = node->len;
	part->because = because;
	part->kind = n > 1 ? SNIPPET_ROW : SNIPPET_WORD;
	if (term) {
		for (i = 0; i < n; i++)
			add_step(p, part, node->children[i]->terms, node->children[i]->terms_len);
	} else if (node->kind == QUERY_PHRASE) {
		for (i = 0; i < n; i++)
			add_step(p, part, &node->terms[i], 1);
	} else if (node->kind == QUERY_WILDCARD) {
		part->kind = SNIPPET_BEGINNING;
		part->steps[part->steps_len++] = (struct snippet_step){node->terms, 1};
		p->beginnings = true;
	} else {
		add_step(p, part, node->terms, node->terms_len);
	}
	return ARK_OK;
}

/* ---- the tree ---- */

/* A leaf, and what stands for it. What the reader typed is the span that the other term's node was read from, which is
 * wider than the leaf when several words were taken together. */
static int add_leaf(struct snippet_parts *p, const struct query_node *node, struct ark_error *err)
{
	uint16_t group = (uint16_t)p->groups;
	size_t before = p->len, i;
	int r = add_part(p, node, group, NULL, err);

	for (i = 0; !r && i < node->also_len; i++) {
		r = add_part(p, node->also[i].node, group, node->also[i].because, err);
		if (!r && p->len && !p->list[p->len - 1].len) {
			p->list[p->len - 1].from = node->from;
			p->list[p->len - 1].len = node->len;
		}
	}
	p->groups += p->len > before;
	return r;
}

static bool is_leaf(const struct query_node *n)
{
	return n->kind == QUERY_WORD || n->kind == QUERY_PHRASE || n->kind == QUERY_WILDCARD;
}

static bool is_branch(const struct query_node *n)
{
	return n->kind == QUERY_LIST || n->kind == QUERY_ALL || n->kind == QUERY_ONE_OF ||
	       n->kind == QUERY_ANY_FORM;
}

/* Deeper than the parser makes them is an error of ours, and costs marks, not memory. */
#define DEPTH (QUERY_DEPTH_MAX * 4u)

int snippet_parts_make(const struct query *q, struct snippet_parts *ret, struct ark_error *err)
{
	struct {
		const struct query_node *node;
		size_t next;
	} stack[DEPTH];
	const struct query_node *child;
	size_t depth = 0;
	int r = ARK_OK;

	if (q->root && is_branch(q->root)) {
		stack[0].node = q->root;
		stack[0].next = 0;
		depth = 1;
	} else if (q->root && is_leaf(q->root)) {
		r = add_leaf(ret, q->root, err);
	}
	while (!r && depth) {
		if (stack[depth - 1].next == stack[depth - 1].node->children_len) {
			depth--;
			continue;
		}
		child = stack[depth - 1].node->children[stack[depth - 1].next++];
		if (child->occur == QUERY_MUST_NOT)
			continue;
		if (is_leaf(child)) {
			r = add_leaf(ret, child, err);
		} else if (is_branch(child) && depth < DEPTH) {
			stack[depth].node = child;
			stack[depth++].next = 0;
		}
	}
	return r;
}

void snippet_parts_free(struct snippet_parts *p)
{
	size_t i;

	for (i = 0; i < p->len; i++)
		free(p->list[i].steps);
	free(p->list);
	p->list = NULL;
	p->len = p->cap = 0;
}
