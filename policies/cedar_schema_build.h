/* What the two halves of cedar_schema share while a schema is made: tables of
 * what is declared, and the look-up of names and types (cedar_schema_types.c).
 */
#ifndef ARKKI_POLICIES_CEDAR_SCHEMA_BUILD_H
#define ARKKI_POLICIES_CEDAR_SCHEMA_BUILD_H

#include "policies/cedar_schema_private.h"

struct entry {
	struct cedar_uid uid; /* type: the full name; id: of actions */
	struct raw_decl *decl;
	uint32_t offset;
};
struct table {
	struct entry *entries;
	size_t len;
};
struct measure {
	unsigned int height; /* aliases count too */
	uint32_t size;
};
struct common {
	struct cedar_type type;
	struct measure measure;
	enum { COMMON_NEW, COMMON_BEGUN, COMMON_DONE } state;
};
/* What a declaration became; the same for each of its names. */
struct made {
	struct cedar_type shape; /* or context */
	const struct cedar_type *tags;
	const struct cedar_text *parents, *choices, *principals, *resources;
	size_t parents_len, choices_len, principals_len, resources_len;
	const uint32_t *groups; /* of an action: indexes of actions */
	size_t groups_len;
};
struct builder {
	struct cedar_schema *s;
	struct raw_schema raw;
	struct cedar_faults *faults;
	struct table tables[3]; /* by raw_kind */
	struct common *commons;
	int status;
};

/* What a name means: a common type, an entity type, or one that Cedar has. */
struct meaning {
	struct entry *common, *entity;
	int builtin; /* index, or -1 */
};
enum { WANT_COMMON = 1, WANT_ENTITY = 2 };

void *schema_take(struct builder *b, size_t n, size_t size);
void schema_fault(
    struct builder *b, uint32_t offset, const char *mend, const char *what, struct cedar_text name);
bool schema_look_up(const struct builder *b, struct cedar_text space, struct cedar_text name,
    unsigned int want, struct meaning *ret);
void schema_unknown_type(
    struct builder *b, struct cedar_text name, uint32_t offset, unsigned int want);
void schema_resolve(struct builder *b, struct cedar_text space, const struct raw_type *raw,
    unsigned int depth, struct cedar_type *ret, struct measure *measure);
void schema_resolve_common(
    struct builder *b, struct entry *e, unsigned int depth, uint32_t offset, struct common **ret);
struct cedar_text schema_base(struct cedar_text name);
bool schema_is_word(struct cedar_text text, const char *word);
bool schema_reserved(struct cedar_text name);
struct cedar_text schema_qualify(
    struct builder *b, struct cedar_text space, struct cedar_text name);
struct entry *schema_find(const struct table *t, struct cedar_text space, struct cedar_text name,
    const struct cedar_text *id);

#endif
