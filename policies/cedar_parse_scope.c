#include "policies/cedar_parse.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SCOPE_MEND "a scope is written (principal, action, resource)"

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

bool cedar_take_scopes(struct cedar_parser *p, struct cedar_policy *policy)
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
