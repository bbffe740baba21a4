/* Cedar policy texts parsed: what holds of every tree, texts made long, and the faults that were told. */
#ifndef ARKKI_TESTS_CEDAR_PARSE_FIXTURE_H
#define ARKKI_TESTS_CEDAR_PARSE_FIXTURE_H

#include "tests/unit/unit.h"

#include "policies/cedar_private.h"

struct told {
	struct cedar_fault faults[128];
	size_t n;
};

static inline void tell(void *arg, const struct cedar_fault *fault)
{
	struct told *told = arg;

	if (told->n < 128)
		told->faults[told->n] = *fault;
	told->n++;
}

/* What every tree keeps to: children first, depths, offsets in the text, leaves without children. */
static inline void check_nodes(const struct cedar_policies *p)
{
	uint32_t first = 0;

	for (size_t i = 0; i < p->len; i++) {
		const struct cedar_policy *one = &p->policies[i];

		assert_int_equal(one->first, first);
		assert_true(one->last >= one->first && one->last <= p->nodes_len);
		first = one->last;
		assert_true(one->condition == CEDAR_NONE ? one->first == one->last
							 : one->condition == one->last - 1);
		assert_true(one->end <= p->text_len && p->text[one->end - 1] == ';');
		for (uint32_t n = one->first; n < one->last; n++) {
			const struct cedar_node *node = &p->nodes[n];
			unsigned int depth = 0;

			for (unsigned int c = 0; c < 3; c++) {
				if (node->child[c] == CEDAR_NONE)
					continue;
				assert_true(node->child[c] < n && node->child[c] >= one->first);
				if (p->nodes[node->child[c]].depth > depth)
					depth = p->nodes[node->child[c]].depth;
			}
			for (uint32_t c = 0; c < node->list_len; c++) {
				assert_true(node->list[c] < n && node->list[c] >= one->first);
				if (p->nodes[node->list[c]].depth > depth)
					depth = p->nodes[node->list[c]].depth;
			}
			assert_int_equal(node->depth, depth + 1);
			assert_true(node->depth <= CEDAR_DEPTH_MAX);
			assert_true(node->offset >= one->offset && node->offset < one->end);
		}
	}
	assert_int_equal(first, p->nodes_len);
}

static inline char *repeated(
    const char *head, const char *piece, size_t n, const char *tail, size_t *ret_len)
{
	size_t size = strlen(head) + strlen(piece) * n + strlen(tail) + 1;
	char *text = malloc(size), *at = text;

	assert_non_null(text);
	at = stpcpy(at, head);
	for (size_t i = 0; i < n; i++)
		at = stpcpy(at, piece);
	at = stpcpy(at, tail);
	*ret_len = (size_t)(at - text);
	return text;
}

#define WHEN "permit(principal,action,resource)when{"

static inline int parse_repeated(
    const char *head, const char *piece, size_t n, const char *tail, struct ark_error *err)
{
	struct cedar_policies *p = NULL;
	size_t len;
	char *text = repeated(head, piece, n, tail, &len);
	int rc = cedar_policies_parse(text, len, NULL, NULL, &p, err);

	if (!rc)
		check_nodes(p);
	cedar_policies_free(p);
	free(text);
	return rc;
}

#endif
