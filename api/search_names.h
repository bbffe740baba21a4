/* Names of units, kinds of documents, organisations, cases … as a searcher types them, into ids.
 *
 * Only of registers that every account may read (GET /v1/units, /v1/orgs, /v1/types); of cases those that
 * GET /v1/cases shows this caller: any other is a name of nothing, as one that never was.
 */
#ifndef ARKKI_API_SEARCH_NAMES_H
#define ARKKI_API_SEARCH_NAMES_H

#include "api/app.h"
#include "arkki/index/search.h"

/* For this caller; borrows the visit. */
struct search_names search_names_of(struct visit *v);

/* Calls each() for the records of "units" or "types" with a name, in any language, that begins with prefix (in any case), in
 * order of id, with the name; at most `max`. */
void search_names_beginning(struct app *app, const char *kind, const char *prefix, unsigned int max,
    void (*each)(void *arg, const char *id, const char *name), void *arg);

#endif
