/* The registry is the newest state of the records that decisions need:
 * organisations, users, units, cases, placements, document types, retention.
 * Held in memory, filled from the store at start, changed by the writer.
 *
 * A record is an immutable JSON object with an "id"; a change replaces the
 * whole object. It knows no documents and decides nothing.
 * Threads: any. A returned json_t is the caller's reference (json_decref) and must not be changed.
 */
#ifndef ARKKI_ARCHIVE_REGISTRY_H
#define ARKKI_ARCHIVE_REGISTRY_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "arkki/base/error.h"
#include "arkki/policies/access.h"

struct registry;

ARK_MUSTUSE int registry_new(struct registry **ret, struct ark_error *err);
void registry_free(struct registry *r);

/* Takes the record. kind: "orgs" "users" "units" "cases" "placements" "types" "retention" "policies". */
ARK_MUSTUSE int registry_put(
    struct registry *r, const char *kind, json_t *record, struct ark_error *err);
/* NULL when there is none. */
json_t *registry_get(struct registry *r, const char *kind, const char *id);
bool registry_has(struct registry *r, const char *kind, const char *id);
/* All of one kind, in order of id: a fresh array of references. NULL: no memory. */
json_t *registry_all(struct registry *r, const char *kind);
/* Grows with every change: for caches. */
uint64_t registry_generation(struct registry *r);

/* ---- what decisions ask ---- */

/* A user with organisation and rights. Shared and immutable: principal_ref/unref. */
struct principal {
	struct access_principal access; /* user, org, kind, counties, roles */
	const char *name;
	const char *roles_text; /* space-separated */
	bool own_series;        /* the Ombudsman's reads are counted apart */
	uint64_t generation;
};
ARK_MUSTUSE int registry_principal(
    struct registry *r, const char *user, struct principal **ret, struct ark_error *err);
struct principal *principal_ref(struct principal *p);
void principal_unref(struct principal *p); /* takes NULL */

/* Counties of the units, without repetition, as a fresh JSON array. */
json_t *registry_counties(struct registry *r, const json_t *units);
/* Does the case exist; does it cover one of the units? */
bool registry_case_covers(struct registry *r, const char *case_id, const json_t *units);
/* Is `author` the organisation itself or one it follows? */
bool registry_speaks_for(struct registry *r, const char *org, const char *author);

#endif
