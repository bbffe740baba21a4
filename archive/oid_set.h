/* A set of object names in memory, which only grows.
 *
 * Threads: one at a time.
 */
#ifndef ARKKI_ARCHIVE_OID_SET_H
#define ARKKI_ARCHIVE_OID_SET_H

#include "arkki/archive/store.h"

/* {0} is an empty set; free(at) ends it. */
struct oid_set {
	struct store_oid *at; /* all zero: free */
	size_t len, cap;
};

bool oid_is_zero(const struct store_oid *o);
bool oid_set_has(const struct oid_set *s, const struct store_oid *oid);
/* 1: it is new; 0: it was there. */
ARK_MUSTUSE int oid_set_add(struct oid_set *s, const struct store_oid *oid, struct ark_error *err);

#endif
