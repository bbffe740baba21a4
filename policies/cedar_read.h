/* Reading values from JSON: what entities and contexts share. */
#ifndef ARKKI_POLICIES_CEDAR_READ_H
#define ARKKI_POLICIES_CEDAR_READ_H

#include "policies/cedar_private.h"

struct cedar_reader {
	const struct cedar_schema *schema; /* NULL: none */
	struct cedar_arena *arena;         /* takes every text */
	struct ark_error *err;
	bool uids_checked; /* entities within values must be ones that the schema allows */
};
/* A value of the type; NULL: of any, escapes alone telling entities and extensions. */
ARK_MUSTUSE int cedar_read_value(struct cedar_reader *r, const json_t *json,
    const struct cedar_type *type, unsigned int depth, struct cedar_value *ret);
/* An object as a record, its own keys never an escape. */
ARK_MUSTUSE int cedar_read_record(struct cedar_reader *r, const json_t *json,
    const struct cedar_type *type, unsigned int depth, struct cedar_value *ret);
/* An object whose values are all of one type (tags); NULL: of any. */
ARK_MUSTUSE int cedar_read_members(struct cedar_reader *r, const json_t *json,
    const struct cedar_type *element, unsigned int depth, struct cedar_value *ret);
ARK_MUSTUSE int cedar_read_uid(struct cedar_reader *r, const json_t *json, struct cedar_uid *ret);
/* Is it a choice of its enum, an action that is declared? Says nothing of unknown types. */
ARK_MUSTUSE int cedar_check_uid(struct cedar_reader *r, const struct cedar_uid *uid);
bool cedar_is_action(const struct cedar_uid *uid);
ARK_MUSTUSE int cedar_copy_text(
    struct cedar_reader *r, const char *bytes, size_t len, struct cedar_text *ret);

#endif
