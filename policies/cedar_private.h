/* What the Cedar files share: the tree of a parsed policy set.
 *
 * Nodes lie in one array, children always before their parents, so that a
 * loop over the array visits a tree bottom-up without recursion. A node may
 * be the child of several (`has a.b` is `has a && .a has b`). Everything is in
 * the set's arena.
 */
#ifndef ARKKI_POLICIES_CEDAR_PRIVATE_H
#define ARKKI_POLICIES_CEDAR_PRIVATE_H

#include "arkki/policies/cedar.h"

enum cedar_op {
	OP_LITERAL, /* value: BOOL, LONG, STRING or ENTITY */
	OP_VAR,     /* var */
	OP_NOT,
	OP_NEGATE,
	OP_IS_EMPTY, /* child[0] */
	OP_EQ,
	OP_NE,
	OP_LT,
	OP_LE,
	OP_GT,
	OP_GE, /* child[0], child[1] */
	OP_ADD,
	OP_SUB,
	OP_MUL,
	OP_IN,
	OP_CONTAINS,
	OP_CONTAINS_ALL,
	OP_CONTAINS_ANY,
	OP_GET_TAG,
	OP_HAS_TAG,
	OP_AND,
	OP_OR, /* short-circuit */
	OP_IF, /* child[0] ? child[1] : child[2] */
	OP_GET,
	OP_HAS,  /* child[0], name */
	OP_LIKE, /* child[0], pattern */
	OP_IS,   /* child[0], name: the entity type */
	OP_SET,
	OP_CALL,   /* list; CALL: fn */
	OP_RECORD, /* list; names[i] belongs to the i-th */
};
/* `x is T in y` is AND(IS(x), IN(x, y)), sharing x. A != is NE; >= etc. stay as written. */

enum cedar_var { VAR_PRINCIPAL, VAR_ACTION, VAR_RESOURCE, VAR_CONTEXT };

enum cedar_fn { /* constructors take one argument; methods take the receiver first */
	FN_DECIMAL,
	FN_IP,
	FN_DATETIME,
	FN_DURATION,
	FN_LESS_THAN,
	FN_LESS_THAN_OR_EQUAL,
	FN_GREATER_THAN,
	FN_GREATER_THAN_OR_EQUAL, /* decimal */
	FN_IS_IPV4,
	FN_IS_IPV6,
	FN_IS_LOOPBACK,
	FN_IS_MULTICAST,
	FN_IS_IN_RANGE,
	FN_OFFSET,
	FN_DURATION_SINCE,
	FN_TO_DATE,
	FN_TO_TIME,
	FN_TO_MILLISECONDS,
	FN_TO_SECONDS,
	FN_TO_MINUTES,
	FN_TO_HOURS,
	FN_TO_DAYS,
};

/* A like-pattern: literal pieces with a `*` between each two of them. "a*b" is {"a","b"},
 * "*" is {"",""}, "abc" is {"abc"}. */
struct cedar_pattern {
	const struct cedar_text *pieces;
	size_t len;
};

struct cedar_node {
	uint8_t op; /* enum cedar_op */
	uint8_t var;
	uint8_t fn;
	uint8_t depth;     /* of the tree below, from 1; at most CEDAR_DEPTH_MAX */
	uint32_t offset;   /* of the expression's first byte in the text */
	uint32_t child[3]; /* CEDAR_NONE where there is none */
	uint32_t list_len;
	const uint32_t *list; /* SET, CALL, RECORD */
	union {
		struct cedar_value value;
		struct cedar_text name;
		struct cedar_pattern pattern;
		const struct cedar_text *names;
	};
};

enum cedar_scope_kind {
	SCOPE_ANY,
	SCOPE_EQ,     /* == uid */
	SCOPE_IN,     /* in uid */
	SCOPE_IN_SET, /* in [uids]: actions only */
	SCOPE_IS,     /* is type */
	SCOPE_IS_IN,  /* is type in uid */
};
struct cedar_scope {
	enum cedar_scope_kind kind;
	uint32_t offset;
	struct cedar_text type;
	struct cedar_uid uid;
	const struct cedar_uid *set;
	size_t set_len;
};
struct cedar_note {
	struct cedar_text key, value; /* a bare @key has an empty value */
};
struct cedar_policy {
	char name[16]; /* "policy0" */
	bool forbid;
	uint32_t offset, end; /* of its text, annotations included, the `;` too */
	unsigned int line;    /* of its first byte, from 1 */
	const struct cedar_note *notes;
	size_t notes_len;
	struct cedar_scope principal, action, resource;
	/* when and unless clauses in order, an unless as OP_NOT, joined by OP_AND (left-deep);
	 * CEDAR_NONE: no clause, always true */
	uint32_t condition;
	uint32_t first, last; /* its nodes: first <= n < last */
};
struct cedar_policies {
	struct cedar_arena *arena;
	char *text; /* NUL-terminated copy */
	size_t text_len;
	struct cedar_policy *policies;
	size_t len;
	struct cedar_node *nodes;
	size_t nodes_len;
};

/* ---- lexing: policies and schemas have the same tokens ---- */

enum cedar_token_kind {
	TOKEN_END,
	TOKEN_NAME,   /* identifier or keyword; the parser tells them apart */
	TOKEN_NUMBER, /* digits */
	TOKEN_STRING, /* with its quotes, escapes not yet read */
	TOKEN_SIGN,   /* punctuation, longest first: == != <= >= && || :: and single characters */
	TOKEN_BAD,
};
struct cedar_token {
	enum cedar_token_kind kind;
	uint32_t offset, len;
};
struct cedar_lexer {
	const char *text;
	size_t len, at;
};
/* Passes over space and // comments. A TOKEN_BAD stands for one character, an unterminated string, or
 * bytes that are not UTF-8. */
struct cedar_token cedar_lex(struct cedar_lexer *l);
bool cedar_token_is(const struct cedar_lexer *l, const struct cedar_token *t, const char *text);
/* Reads the escapes of a string token (\n \r \t \\ \0 \' \" \x41 \u{1F600}, and \* where `pattern` is not NULL; then
 * *pattern is set and *ret is not). The result is in the arena. */
ARK_MUSTUSE int cedar_unescape(const struct cedar_lexer *l, const struct cedar_token *t,
    struct cedar_arena *a, struct cedar_text *ret, struct cedar_pattern *pattern,
    struct ark_error *err);
/* Line and column of a byte offset, from 1, columns in characters. */
void cedar_place(
    const char *text, size_t len, size_t offset, unsigned int *ret_line, unsigned int *ret_column);
/* Gathers faults: tells each (at most 100), keeps the first as the error's sentence. */
struct cedar_faults {
	const char *text;
	size_t text_len;
	cedar_fault_fn told;
	void *arg;
	struct ark_error *err;
	unsigned int errors, warnings;
};
void cedar_fault_at(struct cedar_faults *f, const char *policy, size_t offset, const char *mend,
    const char *fmt, ...) ARK_PRINTF(5, 6);
void cedar_warn_at(struct cedar_faults *f, const char *policy, size_t offset, const char *mend,
    const char *fmt, ...) ARK_PRINTF(5, 6);

/* ---- schema: what types there are ---- */

enum cedar_type_kind {
	TYPE_NEVER, /* of [] and of what never gives a value: subtype of all; only inside the validator */
	TYPE_TRUE,
	TYPE_FALSE, /* singletons of Bool, only inside the validator */
	TYPE_BOOL,
	TYPE_LONG,
	TYPE_STRING,
	TYPE_ENTITY, /* one type; the validator also knows sets of types (lub) */
	TYPE_ANY_ENTITY,
	TYPE_SET,
	TYPE_RECORD,
	TYPE_DECIMAL,
	TYPE_IPADDR,
	TYPE_DATETIME,
	TYPE_DURATION,
};
struct cedar_type {
	enum cedar_type_kind kind;
	struct cedar_text entity;                 /* ENTITY: full name */
	const struct cedar_type *element;         /* SET; NULL: of anything (the empty set) */
	const struct cedar_attribute *attributes; /* RECORD: in order of names */
	size_t attributes_len;
	bool open; /* RECORD: may have more (only inside the validator) */
};
struct cedar_attribute {
	struct cedar_text name;
	struct cedar_type type;
	bool optional;
};
struct cedar_entity_type {
	struct cedar_text name;           /* full: Ns::Type */
	struct cedar_type attributes;     /* RECORD */
	const struct cedar_type *tags;    /* NULL: none */
	const struct cedar_text *parents; /* `in`, direct */
	size_t parents_len;
	const struct cedar_text *choices; /* enum: the ids there are; NULL: any */
	size_t choices_len;
};
struct cedar_action {
	struct cedar_uid uid;
	const struct cedar_uid *ancestors; /* every action group above, sorted */
	size_t ancestors_len;
	bool applies; /* has appliesTo */
	const struct cedar_text *principals, *resources;
	size_t principals_len, resources_len;
	struct cedar_type context; /* RECORD */
};
struct cedar_schema {
	struct cedar_arena *arena;
	char *text;
	size_t text_len;
	const struct cedar_entity_type *types; /* in order of names */
	size_t types_len;
	const struct cedar_action *actions; /* in order of uid */
	size_t actions_len;
};
/* NULL when there is none. */
const struct cedar_entity_type *cedar_schema_type(
    const struct cedar_schema *s, struct cedar_text name);
const struct cedar_action *cedar_schema_action(
    const struct cedar_schema *s, const struct cedar_uid *uid);

/* ---- evaluation of one expression: for partial evaluation ---- */

/* The value of node n in a concrete world. `unknown` (may be NULL): the variable that must not be looked at.
 * 0: *ret is the value (in the arena or borrowed). 1: Cedar's evaluation error, told in
 * err. Negative: beyond bounds. */
ARK_MUSTUSE int cedar_evaluate(const struct cedar_policies *p, uint32_t n,
    const struct cedar_world *world, const struct cedar_request *request, struct cedar_arena *a,
    struct cedar_value *ret, struct ark_error *err);
/* One operator over values that are there: everything but VAR, AND, OR, IF. args: the children in
 * order. The same returns. */
ARK_MUSTUSE int cedar_apply(const struct cedar_node *node, const struct cedar_value *args,
    size_t args_len, const struct cedar_world *world, struct cedar_arena *a,
    struct cedar_value *ret, struct ark_error *err);
/* Does the policy's scope hold? `resource_open`: do not look at the resource's scope. */
bool cedar_scope_holds(const struct cedar_policy *policy, const struct cedar_world *world,
    const struct cedar_request *request, bool resource_open);

#endif
