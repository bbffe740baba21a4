/* Arbitrary bytes as a policy text. What is taken keeps to the tree's rules; what is refused has a fault that can be
 * shown; and every policy of a text that is taken can be taken alone. */
#include <stdlib.h>
#include <string.h>

#include "arkki/base/text.h"
#include "policies/cedar_private.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct seen {
	size_t len;
	unsigned int faults;
};

static void require(bool good)
{
	if (!good)
		abort();
}

static void check_fault(void *arg, const struct cedar_fault *fault)
{
	struct seen *seen = arg;

	seen->faults++;
	require(fault->text[0] && utf8_valid(fault->text, strlen(fault->text)));
	require(utf8_valid(fault->mend, strlen(fault->mend)) && !fault->warning);
	require(fault->line >= 1 && fault->column >= 1 && fault->line <= seen->len + 1);
}

static unsigned int check_child(
    const struct cedar_policies *p, const struct cedar_policy *one, uint32_t n, uint32_t child)
{
	require(child < n && child >= one->first);
	return p->nodes[child].depth;
}

static void check_node(const struct cedar_policies *p, const struct cedar_policy *one, uint32_t n)
{
	const struct cedar_node *node = &p->nodes[n];
	unsigned int depth = 0, d;

	for (unsigned int c = 0; c < 3; c++) {
		d = node->child[c] == CEDAR_NONE ? 0 : check_child(p, one, n, node->child[c]);
		depth = d > depth ? d : depth;
	}
	for (uint32_t c = 0; c < node->list_len; c++) {
		d = check_child(p, one, n, node->list[c]);
		depth = d > depth ? d : depth;
		require(node->op != OP_RECORD || node->names[c].len <= p->text_len);
	}
	require(node->depth == depth + 1 && depth < CEDAR_DEPTH_MAX);
	require(node->offset >= one->offset && node->offset < one->end);
}

static void check_policies(const struct cedar_policies *p)
{
	for (size_t i = 0; i < cedar_policies_count(p); i++) {
		const struct cedar_policy *one = &p->policies[i];
		struct cedar_text text = cedar_policy_text(p, i);
		struct cedar_policies *alone = NULL;

		for (uint32_t n = one->first; n < one->last; n++)
			check_node(p, one, n);
		require(one->condition == CEDAR_NONE || one->condition + 1 == one->last);
		require(cedar_policy_line(p, i) >= 1);
		if (i >= 4)
			continue;
		require(
		    cedar_policies_parse(text.bytes, text.len, NULL, NULL, &alone, NULL) == ARK_OK);
		require(alone->len == 1 && alone->nodes_len == one->last - one->first);
		cedar_policies_free(alone);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct seen seen = {size, 0};
	struct cedar_policies *p = NULL;
	struct ark_error err = {0};
	int rc = cedar_policies_parse((const char *)data, size, check_fault, &seen, &p, &err);

	require(rc == ARK_OK || rc == ARK_EINPUT);
	require((rc == ARK_OK) == (seen.faults == 0) && (rc == ARK_OK) == (err.status == 0));
	if (!rc)
		check_policies(p);
	cedar_policies_free(p);
	return 0;
}
