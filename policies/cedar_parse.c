#include "policies/cedar_parse.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NOTES_MAX 100u
#define SCOPE_MEND "a scope is written (principal, action, resource)"

/* ---- tokens and faults ---- */

void cedar_next(struct cedar_parser *p)
{
	p->behind = p->token.offset + p->token.len;
	p->token = cedar_lex(&p->lexer);
}

bool cedar_accept(struct cedar_parser *p, const char *text)
{
	if (!cedar_at(p, text))
		return false;
	cedar_next(p);
	return true;
}

struct cedar_token cedar_peek(const struct cedar_parser *p)
{
	struct cedar_lexer copy = p->lexer;

	return cedar_lex(&copy);
}

struct cedar_text cedar_token_text(const struct cedar_parser *p)
{
	return (struct cedar_text){p->lexer.text + p->token.offset, p->token.len};
}

bool cedar_refuse(struct cedar_parser *p, size_t offset, const char *mend, const char *fmt, ...)
{
	char text[480];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	cedar_fault_at(&p->faults, p->policy, offset, mend, "%s", text);
	return false;
}

bool cedar_unexpected(struct cedar_parser *p, const char *expected)
{
	return cedar_refuse(p, p->token.offset, cedar_sign_mend(&p->lexer, &p->token),
	    "found %s, expected %s", cedar_describe(&p->lexer, &p->token).text, expected);
}

bool cedar_short_of_memory(struct cedar_parser *p)
{
	p->status = ARK_ENOMEM;
	return false;
}

bool cedar_refuse_slot(struct cedar_parser *p)
{
	struct cedar_token name = cedar_peek(p);

	return cedar_refuse(p, p->token.offset, "write the entity in, a policy for each",
	    "templates are not supported: found the slot `?%.*s`",
	    name.kind == TOKEN_NAME ? (int)(name.len > 40 ? 40 : name.len) : 0,
	    p->lexer.text + name.offset);
}

/* ---- names, strings, entities ---- */

bool cedar_take_name(struct cedar_parser *p, const char *what, struct cedar_text *ret)
{
	struct cedar_text name = cedar_token_text(p);

	if (p->token.kind != TOKEN_NAME)
		return cedar_unexpected(p, what);
	if (cedar_reserved(name))
		return cedar_refuse(p, p->token.offset, "in quotes it may name an attribute",
		    "`%.*s` is a word of the language, expected %s", (int)name.len, name.bytes,
		    what);
	cedar_next(p);
	*ret = name;
	return true;
}

bool cedar_take_string(
    struct cedar_parser *p, struct cedar_text *ret, struct cedar_pattern *pattern)
{
	struct ark_error err;
	int rc = cedar_unescape(&p->lexer, &p->token, p->arena, ret, pattern, &err);

	if (rc == ARK_ENOMEM)
		return cedar_short_of_memory(p);
	if (rc)
		return cedar_refuse(p, p->token.offset, NULL, "%s", err.text);
	cedar_next(p);
	return true;
}

/* The name from text[offset] on, `len` bytes without space and comments between its parts. */
static bool name_text(
    struct cedar_parser *p, size_t offset, size_t end, size_t len, struct cedar_text *ret)
{
	struct cedar_lexer l = {p->lexer.text, end, offset};
	size_t at = 0;
	char *out;

	*ret = (struct cedar_text){l.text + offset, len};
	if (end - offset == len)
		return true;
	out = cedar_alloc(p->arena, len + 1);
	if (!out)
		return cedar_short_of_memory(p);
	while (at < len) {
		struct cedar_token t = cedar_lex(&l);

		memcpy(out + at, l.text + t.offset, t.len);
		at += t.len;
	}
	ret->bytes = out;
	return true;
}

bool cedar_take_path(struct cedar_parser *p, struct cedar_path *ret)
{
	struct cedar_path path = {.offset = p->token.offset};
	size_t len = 0, end = 0;
	struct cedar_text part;

	do {
		if (!cedar_take_name(p, "a name", &part))
			return false;
		len += part.len + (path.parts ? 2 : 0);
		end = (size_t)(part.bytes - p->lexer.text) + part.len;
		path.parts++;
		if (!cedar_accept(p, "::"))
			break;
		path.entity = p->token.kind == TOKEN_STRING;
		if (!path.entity && p->token.kind != TOKEN_NAME)
			return cedar_unexpected(p, "a name, or the id of an entity in quotes");
	} while (!path.entity);
	if (!name_text(p, path.offset, end, len, &path.uid.type))
		return false;
	if (path.entity && !cedar_take_string(p, &path.uid.id, NULL))
		return false;
	*ret = path;
	return true;
}

/* ---- scopes ---- */

static const char *const scope_names[] = {"principal", "action", "resource"};

/* An entity in any number of parentheses. */
static bool take_entity(struct cedar_parser *p, struct cedar_uid *ret)
{
	struct cedar_path path;
	size_t open = 0;

	while (cedar_accept(p, "("))
		open++;
	if (cedar_at(p, "?"))
		return cedar_refuse_slot(p);
	if (cedar_at(p, "["))
		return cedar_refuse(p, p->token.offset,
		    "write principal in … and resource in … once, or use a `when`",
		    "only an action may be `in` a set");
	if (p->token.kind == TOKEN_STRING)
		return cedar_refuse(p, p->token.offset, "write the type before it: Type::\"…\"",
		    "found a string, expected an entity");
	if (p->token.kind != TOKEN_NAME)
		return cedar_unexpected(p, "an entity");
	if (!cedar_take_path(p, &path))
		return false;
	if (!path.entity)
		return cedar_refuse(p, path.offset,
		    "write the id of an entity after it: …::\"…\"; for a type write `is`",
		    "`%.*s` is no entity", (int)(path.uid.type.len > 60 ? 60 : path.uid.type.len),
		    path.uid.type.bytes);
	for (; open; open--)
		if (!cedar_accept(p, ")"))
			return cedar_unexpected(p, "`)`");
	*ret = path.uid;
	return true;
}

static bool is_action_type(struct cedar_text type)
{
	size_t n = strlen("Action");

	return type.len >= n && !memcmp(type.bytes + type.len - n, "Action", n) &&
	       (type.len == n || type.bytes[type.len - n - 1] == ':');
}

static bool take_action(struct cedar_parser *p, struct cedar_uid *ret)
{
	uint32_t offset = p->token.offset;

	if (!take_entity(p, ret))
		return false;
	if (is_action_type(ret->type))
		return true;
	return cedar_refuse(p, offset, "actions have the type Action: Action::\"…\"",
	    "an entity of the type `%.*s` is no action",
	    (int)(ret->type.len > 60 ? 60 : ret->type.len), ret->type.bytes);
}

/* The entities between brackets; they become the set of the scope. */
static bool take_action_set(struct cedar_parser *p, struct cedar_scope *s)
{
	struct cedar_uid *set = NULL, *grown, uid;
	size_t n = 0, cap = 0;
	bool good = true;

	while (good && !cedar_at(p, "]")) {
		if (n == cap) {
			grown = reallocarray(set, cap = cap ? cap * 2 : 16, sizeof(*set));
			if (!grown) {
				good = cedar_short_of_memory(p);
				break;
			}
			set = grown;
		}
		good = take_action(p, &uid);
		if (good)
			set[n++] = uid;
		if (good && !cedar_accept(p, ",") && !cedar_at(p, "]"))
			good = cedar_unexpected(p, "`,` or `]`");
	}
	if (good) {
		cedar_next(p);
		grown = cedar_alloc(p->arena, n * sizeof(*set));
		good = grown || cedar_short_of_memory(p);
		if (grown && n)
			memcpy(grown, set, n * sizeof(*set));
		s->set = grown;
		s->set_len = n;
	}
	free(set);
	return good;
}

/* What follows `action in`: an entity or a set, either in parentheses. */
static bool take_action_in(struct cedar_parser *p, struct cedar_scope *s)
{
	struct cedar_lexer before = p->lexer;
	struct cedar_token first = p->token;
	size_t open = 0;

	while (cedar_accept(p, "("))
		open++;
	if (!cedar_accept(p, "[")) {
		p->lexer = before;
		p->token = first;
		s->kind = SCOPE_IN;
		return take_action(p, &s->uid);
	}
	s->kind = SCOPE_IN_SET;
	if (!take_action_set(p, s))
		return false;
	for (; open; open--)
		if (!cedar_accept(p, ")"))
			return cedar_unexpected(p, "`)`");
	return true;
}

/* What stands in `is T`. */
static bool take_type(struct cedar_parser *p, const char *variable, struct cedar_scope *s)
{
	struct cedar_path path;

	if (!strcmp(variable, "action"))
		return cedar_refuse(p, p->token.offset, "move it into a `when { … }`",
		    "`is` cannot stand in the scope of an action");
	cedar_next(p);
	if (p->token.kind != TOKEN_NAME)
		return cedar_unexpected(p, "an entity type");
	if (!cedar_take_path(p, &path))
		return false;
	if (path.entity)
		return cedar_refuse(p, path.offset, "write == for one entity, is for a type",
		    "found an entity, expected an entity type");
	s->kind = SCOPE_IS;
	s->type = path.uid.type;
	if (cedar_at(p, "=="))
		return cedar_refuse(p, p->token.offset,
		    "write `is … in …`, or only ==", "`is` and == cannot stand together");
	return true;
}

static bool scope_operator(struct cedar_parser *p)
{
	static const char *const signs[] = {"<", "<=", ">", ">=", "!=", "has", "like"};

	for (size_t i = 0; i < sizeof(signs) / sizeof(signs[0]); i++)
		if (cedar_at(p, signs[i]))
			return true;
	return false;
}

static bool take_scope(struct cedar_parser *p, const char *variable, struct cedar_scope *s)
{
	bool action = !strcmp(variable, "action");
	char mend[160];

	s->offset = p->token.offset;
	cedar_next(p);
	if (cedar_at(p, ":")) {
		snprintf(mend, sizeof(mend), "write `%s is …`", variable);
		return cedar_refuse(p, p->token.offset, mend, "types are not written with `:`");
	}
	if (cedar_at(p, "is") && !take_type(p, variable, s))
		return false;
	if (scope_operator(p))
		return cedar_refuse(p, p->token.offset, "move the condition into a `when { … }`",
		    "found %s: a scope has only ==, in%s",
		    cedar_describe(&p->lexer, &p->token).text, action ? "" : " and is");
	if (cedar_accept(p, "==")) {
		s->kind = SCOPE_EQ;
		if (!(action ? take_action(p, &s->uid) : take_entity(p, &s->uid)))
			return false;
	} else if (cedar_accept(p, "in")) {
		s->kind = s->kind == SCOPE_IS ? SCOPE_IS_IN : SCOPE_IN;
		if (!(action ? take_action_in(p, s) : take_entity(p, &s->uid)))
			return false;
	}
	if (cedar_at(p, "is"))
		return cedar_refuse(p, p->token.offset, "write `is … in …`",
		    "`is` comes before `in`, and not beside ==");
	return true;
}

static bool take_scopes(struct cedar_parser *p, struct cedar_policy *policy)
{
	struct cedar_scope *const scopes[] = {
	    &policy->principal, &policy->action, &policy->resource};

	if (!cedar_accept(p, "("))
		return cedar_unexpected(p, "`(` and the scope");
	for (size_t i = 0; i < 3; i++) {
		struct cedar_text word = cedar_token_text(p);
		const char *mend = SCOPE_MEND;
		char near[40];

		snprintf(near, sizeof(near), "did you mean `%s`?", scope_names[i]);
		if (p->token.kind == TOKEN_NAME && cedar_near(word, scope_names[i]))
			mend = near;
		if (!cedar_at(p, scope_names[i]))
			return cedar_refuse(p, p->token.offset, mend, "found %s, expected `%s`",
			    cedar_describe(&p->lexer, &p->token).text, scope_names[i]);
		if (!take_scope(p, scope_names[i], scopes[i]))
			return false;
		/* a comma may stand after the last, too */
		if (!cedar_accept(p, ",") && i < 2)
			return cedar_refuse(p, p->token.offset,
			    cedar_at(p, "&&") || cedar_at(p, "||")
				? "move the condition into a `when { … }`"
			    : cedar_at(p, "=") ? "write == for equality"
					       : SCOPE_MEND,
			    "found %s, expected `,` and `%s`",
			    cedar_describe(&p->lexer, &p->token).text, scope_names[i + 1]);
	}
	if (p->token.kind == TOKEN_NAME)
		return cedar_refuse(p, p->token.offset, SCOPE_MEND,
		    "the scope has more than a principal, an action and a resource");
	if (!cedar_accept(p, ")"))
		return cedar_unexpected(p, "`)`");
	return true;
}

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
	good = take_notes(p, policy) && take_effect(p, policy) && take_scopes(p, policy) &&
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
	if (!rc) {
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

struct cedar_text cedar_policy_text(const struct cedar_policies *p, size_t i)
{
	const struct cedar_policy *policy = &p->policies[i];

	return (struct cedar_text){p->text + policy->offset, policy->end - policy->offset};
}
