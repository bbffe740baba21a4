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

/* Takes the record. kind: "orgs" "users" "units" "cases" "placements" "types" "retention" "policies"
 * "synonyms" "searches" "matters" "orders". */
ARK_MUSTUSE int registry_put(
    struct registry *r, const char *kind, json_t *record, struct ark_error *err);
/* What was destroyed is not remembered either; one that is not there: fine. */
void registry_drop(struct registry *r, const char *kind, const char *id);
/* NULL when there is none. */
json_t *registry_get(struct registry *r, const char *kind, const char *id);
bool registry_has(struct registry *r, const char *kind, const char *id);
/* All of one kind, in order of id: a fresh array of references. NULL: no memory. */
json_t *registry_all(struct registry *r, const char *kind);
/* Grows with every change: for caches. */
uint64_t registry_generation(struct registry *r);

/* The newest state of all records of one kind, in no order, under the registry's lock: `each` must not
 * call the registry. */
void registry_each(
    struct registry *r, const char *kind, void (*each)(void *arg, const json_t *record), void *arg);

/* ---- what decisions ask ---- */

/* The record of kind "synonyms": the administrator's table (arkki/index/synonyms.h). */
#define REGISTRY_SYNONYMS "current"
/* The record of kind "policies" that is in force; putting it compiles it, ARK_ECORRUPT when that fails. */
#define REGISTRY_POLICIES "current"
/* The caller's reference, access_rules_unref(). NULL: none has been put. */
struct access_rules *registry_rules(struct registry *r);

/* A user with organisation and rights on one day. Shared and immutable: principal_ref/unref. */
struct principal {
	struct access_principal access;
	struct access_rules *rules; /* that were in force when it was made */
	const char *name;
	const char *roles_text; /* space-separated */
	bool own_series;        /* the Ombudsman's reads are counted apart */
	uint64_t generation;
	char day[11]; /* for which placements and validity hold */
};
/* ARK_ENOTFOUND: there is no such account, or it is not active (accounts.h) in this registry: of a registry of the past, not active then. */
ARK_MUSTUSE int registry_principal(
    struct registry *r, const char *user, struct principal **ret, struct ark_error *err);
/* As of another day. */
ARK_MUSTUSE int registry_principal_on(struct registry *r, const char *user, const char *day,
    struct principal **ret, struct ark_error *err);
/* Somebody of that organisation, without account, name or role: to ask the rules about groups. */
ARK_MUSTUSE int registry_principal_of(
    struct registry *r, const char *org, struct principal **ret, struct ark_error *err);
struct principal *principal_ref(struct principal *p);
void principal_unref(struct principal *p); /* takes NULL */
/* Is it still what registry_principal() would give? */
bool principal_current(const struct principal *p, struct registry *r);
/* What the principal sees of the documents in a context; kept for the next time where the context states
 * nothing. On success *ret is the caller's (access_sight_unref). */
ARK_MUSTUSE int principal_sight(struct principal *p, const struct access_context *context,
    struct access_sight **ret, struct ark_error *err);
/* Whether the principal may do what is of no document: administer, audit, file at all. Kept likewise. */
ARK_MUSTUSE int principal_may(struct principal *p, enum access_action action,
    const struct access_context *context, bool *ret, struct ark_error *err);
/* Whose content the principal may have in such a context: *ret lives as long as the principal. 1: the context states
 * something, and access_filter() is to be asked. */
ARK_MUSTUSE int principal_content(struct principal *p, const struct access_context *context,
    const struct access_filter **ret, struct ark_error *err);

/* Counties of the units, without repetition, as a fresh JSON array. NULL: no memory. */
json_t *registry_counties(struct registry *r, const json_t *units);
/* Does the case exist; does it cover one of the units? */
bool registry_case_covers(struct registry *r, const char *case_id, const json_t *units);
/* The organisations that `org` follows (predecessors and theirs), itself first: a fresh array of ids. */
json_t *registry_line(struct registry *r, const char *org);
/* The same of the records of any kind that have predecessors ("units"). */
json_t *registry_line_of(struct registry *r, const char *kind, const char *id);
/* Is `author` one of them? */
bool registry_speaks_for(struct registry *r, const char *org, const char *author);

#endif
