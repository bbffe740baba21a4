/* What the API says alike of every record that is kept in numbered versions: synonyms, policies.
 *
 * Threads: any.
 */
#ifndef ARKKI_API_RECORD_VERSIONS_H
#define ARKKI_API_RECORD_VERSIONS_H

#include <jansson.h>

#include "api/app.h"
#include "arkki/api/http_range.h"

/* {"version","filedAt","filedBy","reason"} of a version in its envelope; the caller's, NULL without memory. */
json_t *record_version_header(uint32_t number, const json_t *envelope);
/* The entity tag of a version of the one record of a kind ("retention"). */
void record_version_tag(
    const struct app *app, const char *kind, uint32_t number, char out[TAG_SIZE]);
/* ?version=N, a whole number of 1 to 6 digits; 0 when it is not given. False: replied. */
bool record_version_wanted(struct exchange *x, uint32_t *ret);
/* What If-Match says: true for ETAG_MATCH; else it was replied that the `what` ("synonyms") must be read first. */
bool record_version_matches(struct exchange *x, enum etag_match m, const char *what);
/* The same of what is one ("table"). */
bool record_matches(struct exchange *x, enum etag_match m, const char *what);
/* 412: somebody else changed them meanwhile. */
void record_version_changed(struct exchange *x, const char *what);

#endif
