/* Partial evaluation: a policy set, a principal, an action and a context are
 * known, the resource is not. What is left is a filter over its indexed
 * attributes (struct access_filter), which catalogue and index can answer.
 *
 * Every expression over the unknown resource has a set of resources for which
 * it is true, one for which it is false, and the rest for which it fails.
 * Each set is kept as a lower and an upper bound; where the index can answer
 * exactly the two are equal. A permit counts by its lower bound, a forbid
 * by its upper: what cannot be translated denies.
 */
#ifndef ARKKI_POLICIES_CEDAR_PARTIAL_H
#define ARKKI_POLICIES_CEDAR_PARTIAL_H

#include "arkki/policies/access.h"
#include "policies/cedar_private.h"

/* How an attribute of the unknown resource is indexed. */
enum cedar_index_kind {
	INDEX_STRING,     /* a String */
	INDEX_ENTITY,     /* an entity of type `type`; indexed by its id */
	INDEX_SET_STRING, /* Set<String> */
	INDEX_SET_ENTITY, /* Set<type> */
	INDEX_LONG,       /* a Long, indexed as its decimal digits: == and != only */
	INDEX_DAY,        /* a datetime at midnight UTC, indexed as YYYY-MM-DD: comparisons */
};
struct cedar_indexed {
	const char *name; /* of the attribute in the schema */
	enum cedar_index_kind kind;
	const char *type; /* of the entity */
	bool optional;    /* may be missing */
	enum access_attribute attribute;
};

/* request->resource.type is the resource's type; its id is unknown. On success *ret is the caller's
 * (access_filter_free), simplified: ALL and NONE only at the top, no AND within AND, no double NOT, no repetition
 * among siblings. ret_inexact (may be NULL): how many policies could not be translated exactly;
 * inexact(): each of them with the first expression that could not. */
ARK_MUSTUSE int cedar_partial(const struct cedar_policies *p, const struct cedar_world *world,
    const struct cedar_request *request, const struct cedar_indexed *indexed, size_t indexed_len,
    struct cedar_arena *a, struct access_filter **ret, unsigned int *ret_inexact,
    void (*inexact)(void *arg, uint32_t policy, uint32_t node), void *arg, struct ark_error *err);

#endif
