/* Between the two halves of the schema reader: what a `.cedarschema` text says,
 * names as written and not yet looked up.
 *
 * Lists are linked in the order of the text; everything is in the schema's
 * arena. A declaration of several names (`entity A, B;`) is one.
 */
#ifndef ARKKI_POLICIES_CEDAR_SCHEMA_PRIVATE_H
#define ARKKI_POLICIES_CEDAR_SCHEMA_PRIVATE_H

#include "policies/cedar_private.h"

/* A path A::B::C without the space between its parts, or the id of an action. */
struct raw_name {
	struct raw_name *next;
	struct cedar_text text;
	struct cedar_text
	    space; /* actions only: the type before the id; empty when there is none */
	uint32_t offset;
};
enum raw_type_kind { RAW_NAME, RAW_SET, RAW_RECORD };
struct raw_type {
	enum raw_type_kind kind;
	uint32_t offset;
	struct cedar_text name;
	const struct raw_type *element;
	struct raw_attribute *attributes;
	size_t attributes_len;
};
struct raw_attribute {
	struct raw_attribute *next;
	struct cedar_text name;
	uint32_t offset;
	bool optional;
	struct raw_type type;
};

enum raw_kind { RAW_ENTITY, RAW_ACTION, RAW_COMMON };
struct raw_decl {
	struct raw_decl *next;
	enum raw_kind kind;
	struct cedar_text space; /* of the namespace; empty: none */
	struct raw_name *names;
	struct raw_name *parents; /* entity, action */
	struct raw_name *choices; /* entity: enum ids */
	const struct raw_type *shape;
	const struct raw_type *tags; /* entity; NULL: none */
	bool applies;                /* action */
	struct raw_name *principals, *resources;
	const struct raw_type *context; /* action; NULL: the empty record */
	struct made *made;              /* cedar_schema.c: what it became */
};
struct raw_space {
	struct raw_space *next;
	struct cedar_text name;
	uint32_t offset;
};

/* Reads s->text into declarations. Faults are told through `faults`; ARK_OK also when there were
 * any, ARK_ENOMEM beyond the arena. */
struct raw_schema {
	struct raw_decl *decls;
	struct raw_space *spaces;
	size_t names[3]; /* how many of each raw_kind */
};
ARK_MUSTUSE int cedar_schema_read(
    struct cedar_schema *s, struct cedar_faults *faults, struct raw_schema *ret);

/* Bytes, then length: the order of everything sorted in a schema. */
int cedar_text_order(struct cedar_text a, struct cedar_text b);
int cedar_uid_order(const struct cedar_uid *a, const struct cedar_uid *b);

/* "did you mean `X`?" in `out` when a candidate is near; else "" (at least 160 bytes). Candidates are offered
 * one at a time between begin and end. */
struct cedar_near {
	struct cedar_text wanted, best;
	unsigned int distance;
};
void cedar_near_begin(struct cedar_near *n, struct cedar_text wanted);
void cedar_near_offer(struct cedar_near *n, struct cedar_text candidate);
const char *cedar_near_end(const struct cedar_near *n, char out[160]);

/* For messages: a name or id with what would not print replaced, cut when long. */
#define CEDAR_SHOWN 72
const char *cedar_shown(struct cedar_text text, char out[CEDAR_SHOWN]);

#endif
