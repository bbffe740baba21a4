/* Metadata of a document as callers send it: checked against the taxonomy
 * and the registry, brought into one normal form.
 *
 * Pure with respect to the archive: it reads the registry and changes
 * nothing. Threads: any.
 */
#ifndef ARKKI_ARCHIVE_METADATA_H
#define ARKKI_ARCHIVE_METADATA_H

#include <jansson.h>

#include "arkki/archive/registry.h"
#include "arkki/base/error.h"

/* Checks a whole metadata object (base NULL) or a subset that changes `base`
 * (a normal form). On success *ret is a fresh normal form with every field
 * that is set, in fixed order. On ARK_EINPUT *ret_errors (may be NULL) is an
 * array of {"field","code","detail"}. default_author: the filer's
 * organisation. A null in a subset removes an optional field. */
ARK_MUSTUSE int metadata_check(struct registry *registry, const json_t *given, const json_t *base,
    const char *default_author, json_t **ret, json_t **ret_errors, struct ark_error *err);

#endif
