/* The parser of Cedar policies: what its files share.
 *
 * cedar_parse.c reads policies and their annotations, cedar_parse_scope.c
 * their scopes. What stands between the braces of a condition is for
 * cedar_parse_expr.c, which keeps operands and open operators on two stacks
 * and so never calls itself, and cedar_parse_operand.c. cedar_parse_token.c
 * reads names and strings, cedar_parse_node.c builds the tree, cedar_words.c
 * knows the words.
 *
 * A step returns false after it has told a fault, or when memory is short
 * (then `status` says so); the policy is given up, and its nodes with it.
 */
#ifndef ARKKI_POLICIES_CEDAR_PARSE_H
#define ARKKI_POLICIES_CEDAR_PARSE_H

#include "policies/cedar_private.h"

/* ---- words ---- */

#define CEDAR_NEAR_MAX 24u /* letters of a word that may be a slip of another */

bool cedar_reserved(struct cedar_text word); /* no identifier: if, in, __cedar, … */
bool cedar_variable(struct cedar_text word, uint8_t *ret);

/* A function or method: OP_CALL and its fn, or the operator that it stands for. */
struct cedar_callee {
	const char *name;
	uint8_t op, fn;
	bool method;
	int arguments; /* -1: the validator's concern, as in the reference */
};
const struct cedar_callee *cedar_callee(struct cedar_text word);
/* The function (or method) that `word` may be a slip of; NULL: none. */
const char *cedar_callee_near(struct cedar_text word, bool method);
bool cedar_near(struct cedar_text word, const char *right);
/* What to write instead of a token that cannot stand where it stands; NULL: no telling. */
const char *cedar_sign_mend(const struct cedar_lexer *l, const struct cedar_token *t);
/* A token for a sentence: "`in`", "the end of the text". */
struct cedar_described {
	char text[80];
};
struct cedar_described cedar_describe(const struct cedar_lexer *l, const struct cedar_token *t);

/* ---- the parser ---- */

/* Brackets and ifs nest; what comes after FRAME_OR are operators, the tighter the later. */
enum cedar_frame_kind {
	FRAME_ROOT,
	FRAME_GROUP,
	FRAME_SET,
	FRAME_RECORD,
	FRAME_CALL,
	FRAME_IF,
	FRAME_THEN,
	FRAME_ELSE,
	FRAME_OR,
	FRAME_AND,
	FRAME_RELATION,
	FRAME_ADD,
	FRAME_MULTIPLY,
	FRAME_UNARY,
};
struct cedar_frame {
	uint8_t kind;
	uint8_t op;    /* operators */
	uint8_t count; /* UNARY: how often */
	bool is;       /* RELATION: of `is T in`; its left operand is the OP_IS */
	const struct cedar_callee *callee;
	uint32_t offset; /* of the expression's first byte */
	uint32_t base;   /* its first operand */
};
/* One frame of each kind of operator at most between two brackets. */
#define CEDAR_FRAMES_MAX ((CEDAR_DEPTH_MAX + 2) * 7)

struct cedar_operand {
	uint32_t node;          /* CEDAR_NONE: the name of a member, its value follows */
	uint32_t offset;        /* of its first byte, parentheses included */
	struct cedar_text name; /* of a member */
};

struct cedar_parser {
	struct cedar_lexer lexer;
	struct cedar_token token; /* the next one that is not yet read */
	size_t behind;            /* where the last one that was read ends */
	struct cedar_faults faults;
	struct cedar_arena *arena;
	char policy[16];
	int status; /* ARK_ENOMEM once memory was short */
	struct cedar_node *nodes;
	size_t nodes_len, nodes_cap;
	struct cedar_operand *operands;
	size_t operands_len, operands_cap;
	struct cedar_frame frames[CEDAR_FRAMES_MAX];
	size_t frames_len;
	unsigned int nesting;
	bool whole; /* the last operand is a relation: only && and || bind it further */
};

/* A name or an entity: A::B or A::B::"id". */
struct cedar_path {
	struct cedar_uid uid; /* uid.type: the name */
	uint32_t offset;
	unsigned int parts;
	bool entity;
};

void cedar_next(struct cedar_parser *p);
static inline bool cedar_at(const struct cedar_parser *p, const char *text)
{
	return cedar_token_is(&p->lexer, &p->token, text);
}
/* Reads the token when it is this one. */
bool cedar_accept(struct cedar_parser *p, const char *text);
/* The token after the next. */
struct cedar_token cedar_peek(const struct cedar_parser *p);
struct cedar_text cedar_token_text(const struct cedar_parser *p);
/* These return false. */
bool cedar_refuse(struct cedar_parser *p, size_t offset, const char *mend, const char *fmt, ...)
    ARK_PRINTF(4, 5);
bool cedar_unexpected(struct cedar_parser *p, const char *expected); /* the token is wrong */
bool cedar_short_of_memory(struct cedar_parser *p);
bool cedar_refuse_slot(struct cedar_parser *p);
/* Reads an identifier that is not reserved; `what`: "an attribute name". */
bool cedar_take_name(struct cedar_parser *p, const char *what, struct cedar_text *ret);
bool cedar_take_string(
    struct cedar_parser *p, struct cedar_text *ret, struct cedar_pattern *pattern);
bool cedar_take_path(struct cedar_parser *p, struct cedar_path *ret);

/* Reads the scope with its parentheses. */
bool cedar_take_scopes(struct cedar_parser *p, struct cedar_policy *policy);

/* ---- expressions ---- */

/* Reads an expression up to the `}` that ends a condition. */
bool cedar_take_expression(struct cedar_parser *p, uint32_t *ret);

static inline struct cedar_frame *cedar_top(struct cedar_parser *p)
{
	return &p->frames[p->frames_len - 1];
}
static inline struct cedar_operand *cedar_last(struct cedar_parser *p)
{
	return &p->operands[p->operands_len - 1];
}
bool cedar_open_frame(struct cedar_parser *p, struct cedar_frame f);
/* The bracket of the top frame is complete: it becomes an operand. */
bool cedar_close_bracket(struct cedar_parser *p);
/* Where an operand must come: reads one, or what opens before it. */
bool cedar_begin_operand(struct cedar_parser *p);
/* The name before a member's value, and the colon. */
bool cedar_begin_member(struct cedar_parser *p);
/* The bracket behind the name of a function or method; the receiver is the last operand. */
bool cedar_begin_call(struct cedar_parser *p, const struct cedar_callee *c, uint32_t offset);

/* ---- the tree ---- */

/* Adds a node whose children are there; sets its depth. */
bool cedar_add_node(struct cedar_parser *p, const struct cedar_node *node, uint32_t *ret);
bool cedar_add_unary(
    struct cedar_parser *p, uint8_t op, uint32_t offset, uint32_t child, uint32_t *ret);
bool cedar_add_binary(struct cedar_parser *p, uint8_t op, uint32_t offset, uint32_t left,
    uint32_t right, uint32_t *ret);
bool cedar_push(struct cedar_parser *p, struct cedar_operand operand);
bool cedar_push_node(struct cedar_parser *p, uint32_t node, uint32_t offset);
bool cedar_push_leaf(struct cedar_parser *p, struct cedar_node n); /* adds it too */
/* The operands from `base` on become one, joined by OP_AND or OP_OR. */
bool cedar_join(struct cedar_parser *p, uint8_t op, size_t base);
/* The operands from `base` on become the list of a SET, CALL or RECORD. */
bool cedar_push_list(struct cedar_parser *p, uint8_t op, uint8_t fn, uint32_t offset, size_t base);

#endif
