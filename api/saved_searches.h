/* Saved searches: records of their owner, and of nobody else's business, an administrator's neither.
 *
 * A record of kind "searches": {"id","owner","name","created","query":{…as POST /v1/search}}, or
 * {"id","owner","deleted":true}: what it was stays in its earlier, sealed versions. Somebody else's search is
 * answered as one that never was.
 * How far its owner has looked is a mark in the state: the commit up to which its hits have been seen.
 */
#ifndef ARKKI_API_SAVED_SEARCHES_H
#define ARKKI_API_SAVED_SEARCHES_H

#include "api/app.h"
#include "arkki/index/search.h"

#define SAVED_SEARCHES_KIND "searches" /* of their records */
enum { SAVED_SEARCHES_MAX = 200 };     /* of one owner */

/* The caller's own search {s}; the caller's reference. NULL: a 404 is replied and logged. */
json_t *saved_search_own(struct exchange *x);
/* The caller's own searches in order of id: a fresh array of references. NULL: no memory. */
json_t *saved_searches_own(const struct app *app, const struct caller *c);

/* The entity tag of it as it stands. */
void saved_search_tag(const struct app *app, const json_t *record, char out[TAG_SIZE]);
/* {"id","name","created","query","new"}: how it is shown to its owner; the caller's, NULL without memory. */
json_t *saved_search_shown(const json_t *record, uint64_t new);

/* What is new in it, as far as the index is now, has been seen. */
ARK_MUSTUSE int saved_search_seen(
    const struct app *app, const json_t *record, uint64_t sequence, struct ark_error *err);
ARK_MUSTUSE int saved_search_mark(
    const struct app *app, const json_t *record, uint64_t *ret, struct ark_error *err);

/* Counts what is new in each of these own searches (at most SAVED_SEARCHES_PAGE), logs them as searches and calls
 * then(); a failure is replied. In then: {"id","name","created","query","new"} of each, borrowed. */
enum { SAVED_SEARCHES_PAGE = 50 };
void saved_searches_count(struct exchange *x, json_t *records, void (*then)(struct exchange *x));
const json_t *saved_searches_counted(struct exchange *x);
/* Whether {"name","query"} may be saved. */
bool saved_search_valid(const json_t *body);
/* Files it as the caller's; *ret is the record, the caller's. ARK_ECONFLICT: there are too many already. */
ARK_MUSTUSE int saved_search_make(
    struct exchange *x, const json_t *body, json_t **ret, struct ark_error *err);
/* An own search is one no more. */
ARK_MUSTUSE int saved_search_drop(struct exchange *x, const json_t *record, struct ark_error *err);

/* saved_searches.c */
void saved_searches_list(struct exchange *x);
void saved_search_get(struct exchange *x);
/* saved_changes.c */
void saved_searches_post(struct exchange *x);
void saved_search_patch(struct exchange *x);
void saved_search_delete(struct exchange *x);
/* saved_results.c */
void saved_search_results(struct exchange *x);
void saved_search_feed(struct exchange *x);

#endif
