/* Cedar (cedarpolicy.com, version 4): an authorization language in C.
 *
 * Policies, schemas and entities come in as text; a request is decided as
 * allow or deny with the policies that determined it and those that failed.
 * A policy whose evaluation fails is skipped and reported, as Cedar says.
 * Templates are not supported. It knows nothing of archives.
 *
 * Bounds: texts of at most CEDAR_TEXT_MAX bytes, expressions, types and data
 * nested at most CEDAR_DEPTH_MAX deep, CEDAR_POLICIES_MAX policies,
 * CEDAR_NODES_MAX nodes; beyond: ARK_EINPUT. Nothing here recurses as deep as
 * its input says: where functions call themselves, CEDAR_DEPTH_MAX bounds it.
 *
 * Threads: what a parse returns is immutable and may be shared; an arena
 * serves one thread at a time.
 */
#ifndef ARKKI_POLICIES_CEDAR_H
#define ARKKI_POLICIES_CEDAR_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arkki/base/buf.h"
#include "arkki/base/error.h"

#define CEDAR_TEXT_MAX (1u << 20)
#define CEDAR_DEPTH_MAX 200u
#define CEDAR_POLICIES_MAX 2000u
#define CEDAR_NODES_MAX (1u << 18)
#define CEDAR_ENTITIES_MAX 100000u
#define CEDAR_ARENA_MAX (256u << 20) /* bytes that one parse or decision may take */
#define CEDAR_NONE UINT32_MAX

/* ---- memory ---- */

/* A bump allocator: everything of one parse or one decision, freed together. */
struct cedar_arena;
ARK_MUSTUSE int cedar_arena_new(size_t max, struct cedar_arena **ret, struct ark_error *err);
void cedar_arena_free(struct cedar_arena *a); /* takes NULL */
/* Forgets everything, keeps the first block: for the next decision. */
void cedar_arena_reset(struct cedar_arena *a);
/* Zeroed, aligned for any object; NULL beyond `max` or without memory. */
void *cedar_alloc(struct cedar_arena *a, size_t size);

/* ---- values ---- */

/* Bytes that may contain NUL; borrowed or in an arena. UTF-8. */
struct cedar_text {
	const char *bytes;
	size_t len;
};
struct cedar_uid {
	struct cedar_text type, id; /* Ns::Type and the unescaped id */
};

enum cedar_kind {
	CEDAR_BOOL,
	CEDAR_LONG,
	CEDAR_STRING,
	CEDAR_ENTITY,
	CEDAR_SET,
	CEDAR_RECORD,
	CEDAR_DECIMAL, /* number: ten-thousandths */
	CEDAR_IPADDR,
	CEDAR_DATETIME, /* number: milliseconds since 1970 UTC */
	CEDAR_DURATION, /* number: milliseconds */
};

struct cedar_value {
	enum cedar_kind kind;
	uint8_t ip_bits;   /* IPADDR: 32 or 128 */
	uint8_t ip_prefix; /* IPADDR */
	union {
		bool truth;
		int64_t number; /* LONG, DECIMAL, DATETIME, DURATION */
		struct cedar_text text;
		struct cedar_uid uid;
		struct { /* in cedar_compare() order without repetition */
			const struct cedar_value *items;
			size_t len;
		} set;
		struct { /* in order of their names (bytes) */
			const struct cedar_member *members;
			size_t len;
		} record;
		unsigned char ip[16]; /* network order; IPv4 in the first four */
	};
};
struct cedar_member {
	struct cedar_text name;
	struct cedar_value value;
};

/* A total order over all values: kinds first. Equal values, and only they, compare 0. */
int cedar_compare(const struct cedar_value *a, const struct cedar_value *b);
bool cedar_text_equal(struct cedar_text a, struct cedar_text b);
bool cedar_uid_equal(const struct cedar_uid *a, const struct cedar_uid *b);
struct cedar_text cedar_text_of(const char *c_string); /* borrowed */
/* Sorts `items` (in the arena, n of them) into a set. Members likewise into a record; a name that
 * comes twice is ARK_EINPUT. */
struct cedar_value cedar_set_of(struct cedar_value *items, size_t n);
ARK_MUSTUSE int cedar_record_of(
    struct cedar_member *members, size_t n, struct cedar_value *ret, struct ark_error *err);
/* NULL when there is none. */
const struct cedar_value *cedar_member_get(
    const struct cedar_value *record, struct cedar_text name);
/* fn "decimal" "ip" "datetime" "duration" of a string; ARK_EINPUT when it is none. */
ARK_MUSTUSE int cedar_extension(
    struct cedar_text fn, struct cedar_text arg, struct cedar_value *ret, struct ark_error *err);
/* As Cedar writes it. */
void cedar_print(const struct cedar_value *v, struct buf *out);

/* ---- faults in texts ---- */

/* One thing that is wrong with a policy or schema text, for the person who wrote it. */
struct cedar_fault {
	char policy[64];           /* the policy's id; "" where it is about none */
	unsigned int line, column; /* from 1, in characters; 0: about the whole */
	char text[240];            /* what is wrong */
	char mend[160];            /* what to write instead; "" when there is no telling */
	bool warning;
};
typedef void (*cedar_fault_fn)(void *arg, const struct cedar_fault *fault);

/* ---- policies ---- */

struct cedar_policies;
/* Every fault is told (at most 100); ARK_EINPUT when there was any, and err holds the first as one
 * sentence with line and column. The text is copied. Policies are named policy0, policy1, … in order. */
ARK_MUSTUSE int cedar_policies_parse(const char *text, size_t len, cedar_fault_fn told, void *arg,
    struct cedar_policies **ret, struct ark_error *err);
void cedar_policies_free(struct cedar_policies *p);
size_t cedar_policies_count(const struct cedar_policies *p);
const char *cedar_policy_name(const struct cedar_policies *p, size_t i); /* "policy0" */
/* Value of an annotation (@id("…")); NULL when there is none. NUL bytes cut it. */
const char *cedar_policy_note(const struct cedar_policies *p, size_t i, const char *key);
bool cedar_policy_forbids(const struct cedar_policies *p, size_t i);
/* Where it begins, from 1. */
unsigned int cedar_policy_line(const struct cedar_policies *p, size_t i);
/* Where the expression `node` stands, from 1. */
void cedar_policy_place(const struct cedar_policies *p, uint32_t node, unsigned int *ret_line,
    unsigned int *ret_column);
/* Its text as written, without leading and trailing space. */
struct cedar_text cedar_policy_text(const struct cedar_policies *p, size_t i);

/* ---- schemas ---- */

struct cedar_schema;
ARK_MUSTUSE int cedar_schema_parse(const char *text, size_t len, cedar_fault_fn told, void *arg,
    struct cedar_schema **ret, struct ark_error *err);
void cedar_schema_free(struct cedar_schema *s);
/* Cedar's strict validation. ARK_EINPUT when any fault is not a warning. */
ARK_MUSTUSE int cedar_validate(const struct cedar_schema *s, const struct cedar_policies *p,
    cedar_fault_fn told, void *arg, struct ark_error *err);

/* ---- entities ---- */

struct cedar_entity {
	struct cedar_uid uid;
	struct cedar_value attributes; /* RECORD */
	struct cedar_value tags;       /* RECORD */
	/* every ancestor, not only parents, sorted as cedar_compare() sorts ENTITY values */
	const struct cedar_uid *ancestors;
	size_t ancestors_len;
};
/* What a decision may look at: a parsed set (may be NULL) and a few beside it, looked at first. */
struct cedar_entities;
struct cedar_world {
	const struct cedar_entities *entities;
	const struct cedar_entity *const *more;
	size_t more_len;
};
/* Cedar's entity JSON: [{"uid","attrs","parents","tags"}], with __entity and __extn escapes; with a
 * schema (may be NULL) also the short forms that it makes plain, and its actions. Two
 * entities of one uid, a cycle, a value that the schema does not allow: ARK_EINPUT. */
ARK_MUSTUSE int cedar_entities_from_json(const json_t *json, const struct cedar_schema *schema,
    struct cedar_entities **ret, struct ark_error *err);
void cedar_entities_free(struct cedar_entities *e);
const struct cedar_entity *cedar_entity_find(
    const struct cedar_world *w, const struct cedar_uid *uid);
/* {"type","id"} or {"__entity":{…}}. The texts are in the arena. */
ARK_MUSTUSE int cedar_uid_from_json(
    const json_t *json, struct cedar_arena *a, struct cedar_uid *ret, struct ark_error *err);
/* The context of a request: a record; with a schema read as the action's context type. */
ARK_MUSTUSE int cedar_context_from_json(const json_t *json, const struct cedar_schema *schema,
    const struct cedar_uid *action, struct cedar_arena *a, struct cedar_value *ret,
    struct ark_error *err);

/* ---- decisions ---- */

struct cedar_request {
	struct cedar_uid principal, action, resource;
	struct cedar_value context; /* RECORD */
};
struct cedar_failure {
	uint32_t policy;
	char text[160];
};
struct cedar_answer { /* in the arena */
	bool allow;
	const uint32_t *reasons; /* the policies that determined it, in order */
	size_t reasons_len;
	const struct cedar_failure *failures; /* policies skipped because they failed */
	size_t failures_len;
};
/* ARK_ENOMEM beyond the arena's bound; then nothing is allowed. */
ARK_MUSTUSE int cedar_decide(const struct cedar_policies *p, const struct cedar_world *world,
    const struct cedar_request *request, struct cedar_arena *a, struct cedar_answer *ret,
    struct ark_error *err);

/* ---- tests in the format of Cedar's integration tests ---- */

struct cedar_test_result {
	unsigned int requests, failed; /* requests, and how many did not match */
	int validates;       /* 1: the policies validate, 0: they do not, -1: no schema was named */
	int should_validate; /* what the test says; -1: nothing */
};
/* Runs one test file; `root` is the directory that its paths start from (NULL: the nearest one above
 * the file's in which its policies lie). told() gets a line for each request that does not match. ARK_EINPUT when the file cannot be run at all. */
ARK_MUSTUSE int cedar_test_run(const char *file, const char *root,
    void (*told)(void *arg, const char *line), void *arg, struct cedar_test_result *ret,
    struct ark_error *err);

/* The requests of such a test against what is at hand, their decisions alone: reasons shift when
 * policies move. told() gets each that is decided otherwise, or cannot be asked, and why. schema may be NULL. */
ARK_MUSTUSE int cedar_test_decide(const struct cedar_policies *p, const struct cedar_schema *schema,
    const struct cedar_entities *entities, const json_t *requests,
    void (*told)(void *arg, const json_t *request, const char *why), void *arg,
    struct cedar_test_result *ret, struct ark_error *err);

#endif
