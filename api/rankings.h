/* Orders of hits that a client is paging through, kept while it does.
 *
 * The first page of a search that has more keeps its order here, so that filings meanwhile neither repeat
 * nor skip a hit. An order is owned: by who asked, what was asked and what was stated with it; it is found
 * by owner and by its own name, which is made of what it holds. Nothing here says what may be shown: every page
 * is looked up again under the caller's sight.
 *
 * It is a cache: bounded in number, bytes and time, and nothing is lost with an order but the
 * stability of its later pages.
 *
 * Threads: any. A ranking does not change, and is kept by counting references.
 */
#ifndef ARKKI_API_RANKINGS_H
#define ARKKI_API_RANKINGS_H

#include "arkki/index/search.h"

#define RANKING_HITS_MAX SEARCH_OFFSET_MAX

struct rankings;
struct ranking;

ARK_MUSTUSE int rankings_new(struct rankings **ret, struct ark_error *err);
void rankings_free(struct rankings *r); /* takes NULL */

/* What a first page says beside its hits, and the hits in order; of `first` the hits are left behind, the rest is taken
 * over, also on failure. On success *ret has one reference. */
ARK_MUSTUSE int ranking_new(struct search_result *first, const struct search_hit *hits, size_t len,
    struct ranking **ret, struct ark_error *err);
void ranking_unref(struct ranking *k); /* takes NULL */

/* Total, facets and how the query was read, as of the first page. */
const struct search_result *ranking_first(const struct ranking *k);
size_t ranking_len(const struct ranking *k);
void ranking_hit(const struct ranking *k, size_t at, struct search_hit *ret);
/* The place behind the document (of this version; 0: any), or `otherwise` when it is not there. */
size_t ranking_behind(
    const struct ranking *k, const char *document, uint32_t version, size_t otherwise);

/* Keeps it for `owner` (32 hex digits) under `name` (likewise), with a reference of its own. One of the same
 * name is replaced. That there is no memory is no failure. */
void rankings_keep(struct rankings *r, const char *owner, const char *name, struct ranking *k);
/* A reference, or NULL. */
struct ranking *rankings_find(struct rankings *r, const char *owner, const char *name);
/* The bytes that name it: len bytes, of the ranking. */
const void *ranking_bytes(const struct ranking *k, size_t *ret_len);

#endif
