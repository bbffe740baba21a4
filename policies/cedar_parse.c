#include "policies/cedar_parse.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NOTES_MAX 100u

/* ---- policies ---- */

static bool take_note(struct cedar_parser *p, struct cedar_note *notes, size_t n)
{
	uint32_t offset = p->token.offset;

	cedar_next(p);
	if (p->token.kind != TOKEN_NAME)
		return cedar_unexpected(p, "the name of an annotation");
	/* any word will do, reserved ones too */
	notes[n].key = cedar_token_text(p);
	notes[n].value = cedar_text_of("");
	cedar_next(p);
	if (cedar_accept(p, "(")) {
		if (p->token.kind != TOKEN_STRING)
			return cedar_unexpected(p, "the text of the annotation in quotes");
		if (!cedar_take_string(p, &notes[n].value, NULL))
			return false;
		if (!cedar_accept(p, ")"))
			return cedar_unexpected(p, "`)`");
	}
	for (size_t i = 0; i < n; i++)
		if (cedar_text_equal(notes[i].key, notes[n].key))
			return cedar_refuse(p, offset, "leave one of the two out",
			    "the policy has the annotation `@%.*s` twice",
			    (int)(notes[n].key.len > 60 ? 60 : notes[n].key.len),
			    notes[n].key.bytes);
	return true;
}

static bool take_notes(struct cedar_parser *p, struct cedar_policy *policy)
{
	struct cedar_note notes[NOTES_MAX], *kept;
	size_t n = 0;

	for (; cedar_at(p, "@"); n++) {
		if (n == NOTES_MAX)
			return cedar_refuse(p, p->token.offset, NULL,
			    "the policy has more than %u annotations", NOTES_MAX);
		if (!take_note(p, notes, n))
			return false;
	}
	kept = cedar_alloc(p->arena, n * sizeof(*kept));
	if (!kept)
		return cedar_short_of_memory(p);
	if (n)
		memcpy(kept, notes, n * sizeof(*kept));
	policy->notes = kept;
	policy->notes_len = n;
	return true;
}

static bool take_effect(struct cedar_parser *p, struct cedar_policy *policy)
{
	struct cedar_text word = cedar_token_text(p);
	const char *mend = NULL;

	policy->forbid = cedar_at(p, "forbid");
	if (cedar_accept(p, "permit") || cedar_accept(p, "forbid"))
		return true;
	if (p->token.kind == TOKEN_NAME)
		mend = cedar_near(word, "permit") || cedar_near(word, "allow")
			   ? "did you mean `permit`?"
		       : cedar_near(word, "forbid") || cedar_near(word, "deny")
			   ? "did you mean `forbid`?"
			   : NULL;
	return cedar_refuse(p, p->token.offset, mend, "found %s, expected `permit` or `forbid`",
	    cedar_describe(&p->lexer, &p->token).text);
}

/* `when { … }` or `unless { … }`, onto the operands that wait in `conditions`. */
static bool take_condition(struct cedar_parser *p, struct cedar_operand *ret)
{
	bool unless = cedar_at(p, "unless");

	ret->offset = p->token.offset;
	cedar_next(p);
	if (!cedar_accept(p, "{"))
		return cedar_unexpected(p, "`{` and a condition");
	if (cedar_at(p, "}"))
		return cedar_refuse(p, p->token.offset,
		    "leave it out, or write what must hold between the braces",
		    "the condition is empty");
	if (!cedar_take_expression(p, &ret->node))
		return false;
	cedar_next(p); /* the brace */
	return !unless || cedar_add_unary(p, OP_NOT, ret->offset, ret->node, &ret->node);
}

static bool take_conditions(struct cedar_parser *p, struct cedar_policy *policy)
{
	struct cedar_operand *conditions = NULL, *grown;
	size_t n = 0, cap = 0;
	bool good = true;

	while (good && (cedar_at(p, "when") || cedar_at(p, "unless"))) {
		if (n == cap) {
			grown =
			    reallocarray(conditions, cap = cap ? cap * 2 : 4, sizeof(*conditions));
			if (!grown) {
				good = cedar_short_of_memory(p);
				break;
			}
			conditions = grown;
		}
		conditions[n] = (struct cedar_operand){0};
		good = take_condition(p, &conditions[n++]);
	}
	policy->condition = CEDAR_NONE;
	p->operands_len = 0;
	for (size_t i = 0; i < n && good; i++)
		good = cedar_push(p, conditions[i]);
	if (good && n) {
		good = cedar_join(p, OP_AND, 0);
		policy->condition = p->operands[0].node;
	}
	free(conditions);
	return good;
}

static bool begins_policy(const struct cedar_parser *p)
{
	return cedar_at(p, "permit") || cedar_at(p, "forbid") || cedar_at(p, "@");
}

/* After a fault: on to the next policy. */
static void resynchronise(struct cedar_parser *p)
{
	while (p->token.kind != TOKEN_END && !cedar_accept(p, ";"))
		cedar_next(p);
}

static bool take_end(struct cedar_parser *p, struct cedar_policy *policy, bool *again)
{
	struct cedar_text word = cedar_token_text(p);
	const char *mend = NULL;

	policy->end = p->token.offset + p->token.len;
	if (cedar_accept(p, ";"))
		return true;
	*again = begins_policy(p);
	if (*again || p->token.kind == TOKEN_END)
		return cedar_refuse(p, p->behind, "add a semicolon after the policy",
		    "the policy ends without `;`");
	if (p->token.kind == TOKEN_NAME)
		mend = cedar_near(word, "when")     ? "did you mean `when`?"
		       : cedar_near(word, "unless") ? "did you mean `unless`?"
		       : cedar_at(p, "if")          ? "write when { … }"
						    : NULL;
	return cedar_refuse(p, p->token.offset, mend, "found %s, expected `when`, `unless` or `;`",
	    cedar_describe(&p->lexer, &p->token).text);
}

/* False when it was given up; then the parser stands behind it. */
static bool take_policy(struct cedar_parser *p, struct cedar_policy *policy)
{
	bool again = false, good;
	size_t first = p->nodes_len;

	policy->offset = p->token.offset;
	policy->first = (uint32_t)first;
	good = take_notes(p, policy) && take_effect(p, policy) && cedar_take_scopes(p, policy) &&
	       take_conditions(p, policy);
	good = good && take_end(p, policy, &again);
	policy->last = (uint32_t)p->nodes_len;
	if (good)
		return true;
	p->nodes_len = first;
	if (!again && p->status == ARK_OK)
		resynchronise(p);
	return false;
}

/* ---- the whole text ---- */

struct policies {
	struct cedar_policy *items;
	size_t len, cap;
};

static bool add_policy(struct cedar_parser *p, struct policies *all, const struct cedar_policy *one)
{
	if (all->len == all->cap) {
		size_t cap = all->cap ? all->cap * 2 : 16;
		struct cedar_policy *grown = reallocarray(all->items, cap, sizeof(*grown));

		if (!grown)
			return cedar_short_of_memory(p);
		all->items = grown;
		all->cap = cap;
	}
	all->items[all->len++] = *one;
	return true;
}

static void take_policies(struct cedar_parser *p, struct policies *all)
{
	size_t n = 0, counted = 0;
	unsigned int line = 1;

	cedar_next(p);
	for (; p->token.kind != TOKEN_END && p->status == ARK_OK; n++) {
		struct cedar_policy one = {0};

		p->policy[0] = '\0';
		if (n == CEDAR_POLICIES_MAX) {
			cedar_refuse(p, p->token.offset, NULL, "the text has more than %u policies",
			    CEDAR_POLICIES_MAX);
			return;
		}
		snprintf(one.name, sizeof(one.name), "policy%zu", n);
		memcpy(p->policy, one.name, sizeof(p->policy));
		for (; counted < p->token.offset; counted++)
			line += p->lexer.text[counted] == '\n';
		one.line = line;
		if (take_policy(p, &one) && !add_policy(p, all, &one))
			return;
	}
}

static int finish(struct cedar_parser *p, const struct policies *all, struct cedar_policies **ret,
    struct ark_error *err)
{
	struct cedar_policies *made = cedar_alloc(p->arena, sizeof(*made));
	struct cedar_policy *policies = cedar_alloc(p->arena, all->len * sizeof(*policies));
	struct cedar_node *nodes = cedar_alloc(p->arena, p->nodes_len * sizeof(*nodes));

	if (!made || !policies || !nodes)
		return ark_fail(err, ARK_ENOMEM, "no memory for %zu policies", all->len);
	if (all->len)
		memcpy(policies, all->items, all->len * sizeof(*policies));
	if (p->nodes_len)
		memcpy(nodes, p->nodes, p->nodes_len * sizeof(*nodes));
	*made = (struct cedar_policies){.arena = p->arena,
	    .text_len = p->lexer.len,
	    .policies = policies,
	    .len = all->len,
	    .nodes = nodes,
	    .nodes_len = p->nodes_len};
	*ret = made;
	return ARK_OK;
}

static int parse(struct cedar_parser *p, char *text, struct cedar_policies **ret)
{
	struct ark_error *err = p->faults.err;
	struct policies all = {0};
	struct cedar_policies *made = NULL;
	int rc = ARK_EINPUT;

	take_policies(p, &all);
	if (p->status)
		rc = ark_fail(err, p->status, "no memory for the policies of %zu bytes of text",
		    p->lexer.len);
	else if (!p->faults.errors)
		rc = finish(p, &all, &made, err);
	if (made) {
		made->text = text;
		*ret = made;
	}
	free(all.items);
	free(p->operands);
	free(p->nodes);
	return rc;
}

int cedar_policies_parse(const char *text, size_t len, cedar_fault_fn told, void *arg,
    struct cedar_policies **ret, struct ark_error *err)
{
	struct cedar_faults faults = {.told = told, .arg = arg, .err = err};
	struct cedar_parser *p = NULL;
	struct cedar_arena *arena = NULL;
	char *copy;
	int rc;

	if (len > CEDAR_TEXT_MAX) {
		cedar_fault_at(&faults, NULL, SIZE_MAX, "make several texts of it",
		    "the text is longer than %u bytes", CEDAR_TEXT_MAX);
		return ARK_EINPUT;
	}
	rc = cedar_arena_new(CEDAR_ARENA_MAX, &arena, err);
	if (rc)
		return rc;
	copy = cedar_alloc(arena, len + 1);
	p = calloc(1, sizeof(*p));
	if (!copy || !p) {
		rc = ark_fail(err, ARK_ENOMEM, "no memory for %zu bytes of policies", len);
		goto out;
	}
	if (len)
		memcpy(copy, text, len);
	faults.text = copy;
	faults.text_len = len;
	p->lexer = (struct cedar_lexer){copy, len, 0};
	p->faults = faults;
	p->arena = arena;
	rc = parse(p, copy, ret);
	if (!rc)
		arena = NULL;
out:
	free(p);
	cedar_arena_free(arena);
	return rc;
}

void cedar_policies_free(struct cedar_policies *p)
{
	if (p)
		cedar_arena_free(p->arena);
}

size_t cedar_policies_count(const struct cedar_policies *p)
{
	return p->len;
}

const char *cedar_policy_name(const struct cedar_policies *p, size_t i)
{
	return p->policies[i].name;
}

const char *cedar_policy_note(const struct cedar_policies *p, size_t i, const char *key)
{
	const struct cedar_policy *policy = &p->policies[i];

	for (size_t n = 0; n < policy->notes_len; n++)
		if (cedar_text_equal(policy->notes[n].key, cedar_text_of(key)))
			return policy->notes[n].value.bytes;
	return NULL;
}

bool cedar_policy_forbids(const struct cedar_policies *p, size_t i)
{
	return p->policies[i].forbid;
}

unsigned int cedar_policy_line(const struct cedar_policies *p, size_t i)
{
	return p->policies[i].line;
}

void cedar_policy_place(
    const struct cedar_policies *p, uint32_t node, unsigned int *ret_line, unsigned int *ret_column)
{
	cedar_place(p->text, p->text_len, p->nodes[node].offset, ret_line, ret_column);
}

struct cedar_text cedar_policy_text(const struct cedar_policies *p, size_t i)
{
	const struct cedar_policy *policy = &p->policies[i];

	return (struct cedar_text){p->text + policy->offset, policy->end - policy->offset};
}
