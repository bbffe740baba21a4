/* What the files of the validator share.
 *
 * A policy is checked once for every request environment of the schema: an
 * action with one type of principal and one of resource. In strict validation, and
 * without templates, every expression has exactly one entity type where it has any,
 * so that TYPE_ENTITY stands for one and TYPE_ANY_ENTITY never comes up.
 *
 * Files: cedar_validate.c environments, scopes, names; cedar_typecheck.c and
 * cedar_typecheck_ops.c expressions; cedar_type.c types; cedar_shape.c capabilities.
 */
#ifndef ARKKI_POLICIES_CEDAR_VALIDATE_H
#define ARKKI_POLICIES_CEDAR_VALIDATE_H

#include "policies/cedar_private.h"
#include "policies/cedar_schema_private.h"

/* Nodes visited, type parts compared, words of capability sets joined: about a second's work. */
#define CEDAR_VALIDATE_STEPS (1u << 25)

/* What a fault is about: each is told once for each place. */
enum check_code {
	CHECK_TYPE,
	CHECK_LUB,
	CHECK_MISSING,
	CHECK_UNKNOWN_ATTRIBUTE,
	CHECK_TAG,
	CHECK_EMPTY_SET,
	CHECK_ARGUMENT,
	CHECK_ARITY,
	CHECK_ENTITY_TYPE,
	CHECK_ENTITY_ID,
	CHECK_ACTION,
	CHECK_APPLIES,
	CHECK_IMPOSSIBLE,
	CHECK_TEXT,
};
#define CHECK_TOLD_MAX 256u
struct check_told {
	uint32_t offset;
	enum check_code code;
};

struct validator {
	const struct cedar_schema *s;
	const struct cedar_policies *p;
	struct cedar_faults faults;
	struct cedar_arena *arena;   /* for one policy */
	struct cedar_arena *scratch; /* for one environment */
	uint32_t steps;              /* left */
	size_t bytes;                /* taken in this environment */
	int status;                  /* ARK_EINPUT beyond the bounds, ARK_ENOMEM: stop */
	struct check_told told[CHECK_TOLD_MAX];
	size_t told_len;
	uint32_t *seen, *stack; /* of entity types: the climb to ancestors */
	uint32_t climb;

	const struct cedar_policy *policy;
	uint32_t *capability; /* by node from policy->first: its number from 1, or 0 */
	size_t capability_words;

	const struct cedar_action *action; /* the environment */
	struct cedar_type principal, resource, action_type;
};

/* The answer about an expression: `ok`, or a fault was found in it; its type, or NULL when it has
 * none; which capabilities are there when it is true: a bit for each, NULL for none. */
struct check {
	bool ok;
	const struct cedar_type *type;
	const uint64_t *known;
};

/* One step of work, or `n`; false when the work or the memory is at its end. */
bool check_step(struct validator *v, size_t n);
void *check_take(struct validator *v, struct cedar_arena *a, size_t n, size_t size);
/* True when this place has not been told of this yet. */
bool check_first(struct validator *v, uint32_t offset, enum check_code code);

/* ---- cedar_type.c ---- */

extern const struct cedar_type check_true, check_false, check_bool, check_long, check_string,
    check_decimal, check_ipaddr, check_datetime, check_duration;

static inline bool check_is_bool(const struct cedar_type *t)
{
	return t->kind == TYPE_BOOL || t->kind == TYPE_TRUE || t->kind == TYPE_FALSE;
}
static inline const struct cedar_type *check_bool_type(bool truth)
{
	return truth ? &check_true : &check_false;
}
/* Cedar's strict least upper bound; NULL when there is none, and then *why says so. */
const struct cedar_type *check_lub(
    struct validator *v, const struct cedar_type *a, const struct cedar_type *b, const char **why);
#define CHECK_TYPE_TEXT 80
/* As a person writes it, cut when long. */
const char *check_type_text(const struct cedar_type *t, char out[CHECK_TYPE_TEXT]);
const struct cedar_attribute *check_attribute(
    const struct validator *v, const struct cedar_type *t, struct cedar_text name);
/* Every attribute of an entity or record; NULL for what has none. */
const struct cedar_type *check_attributes(const struct validator *v, const struct cedar_type *t);
bool check_is_action_type(struct cedar_text type);
/* May an entity of type `low` be in one of type `high`, or be one? */
bool check_may_be_in(struct validator *v, struct cedar_text low, struct cedar_text high);
bool check_action_in(const struct cedar_action *a, const struct cedar_uid *group);

/* ---- cedar_shape.c ---- */

/* Numbers the capabilities of the policy: expressions of the same shape share theirs. */
void check_number_capabilities(struct validator *v);
bool check_known(const struct validator *v, const uint64_t *known, uint32_t node);
const uint64_t *check_union(struct validator *v, const uint64_t *a, const uint64_t *b);
const uint64_t *check_intersect(struct validator *v, const uint64_t *a, const uint64_t *b);
const uint64_t *check_only(struct validator *v, uint32_t node);

/* ---- cedar_typecheck.c ---- */

struct check check_expression(struct validator *v, uint32_t n, const uint64_t *prior);
/* What an operand must be; a fault is told where it is not. */
enum check_expect {
	EXPECT_BOOL,
	EXPECT_LONG,
	EXPECT_STRING,
	EXPECT_ENTITY,
	EXPECT_ENTITY_OR_RECORD,
	EXPECT_SET,
	EXPECT_ENTITIES, /* an entity or a set of them */
	EXPECT_DECIMAL,
	EXPECT_IPADDR,
	EXPECT_DATETIME,
	EXPECT_DURATION,
};
struct check check_expect(
    struct validator *v, uint32_t n, const uint64_t *prior, enum check_expect expect);
void check_incompatible(struct validator *v, uint32_t n, const struct cedar_type *a,
    const struct cedar_type *b, const char *what, const char *why);

/* ---- cedar_typecheck_ops.c ---- */

struct check check_equal(struct validator *v, uint32_t n, const uint64_t *prior);
struct check check_order(struct validator *v, uint32_t n, const uint64_t *prior);
struct check check_in(struct validator *v, uint32_t n, const uint64_t *prior);
struct check check_contains(struct validator *v, uint32_t n, const uint64_t *prior);
struct check check_call(struct validator *v, uint32_t n, const uint64_t *prior);

#endif
