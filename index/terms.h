/* The index terms of a version of a document, in the order they are made.
 *
 * Prefixes (raw words have none; all words are in lower case, so that a
 * capital always begins a prefix):
 *   Z lemma  ZV Swedish stem  K compound part; with S behind it, of the title (S ZS ZVS KS)
 *   Q document-version  XD document
 *   XT type  XU unit  XC case  XM municipality  XR county  XL language  XY year
 *   XO author  XP publicity  XS state
 *   XN1…XN4 rank among the versions that may be a document's hit
 *   N1…N3 before any of XP XO XS XT XU XR: the attribute of the newer version of that rank
 */
#ifndef ARKKI_INDEX_TERMS_H
#define ARKKI_INDEX_TERMS_H

#include "arkki/index/search.h"

/* Where terms go; borrowed for the call. Non-zero stops and becomes the result. */
struct term_sink {
	void *arg;
	int (*posting)(void *arg, const char *term, size_t len, uint32_t position);
	int (*weighted)(void *arg, const char *term, size_t len); /* counts once more */
	int (*boolean)(void *arg, const char *term, size_t len);
};

/* Words of title and text, and all that is known of the version but its rank. ARK_EINPUT when an
 * attribute is too long for a term. */
ARK_MUSTUSE int terms_of_document(struct analyser *a, const struct search_document *d,
    const struct term_sink *sink, struct ark_error *err);
/* What policies ask for; newer: 0 for the version itself, else the rank of the newer version. */
ARK_MUSTUSE int terms_of_attributes(const struct search_attributes *a, unsigned int newer,
    const struct term_sink *sink, struct ark_error *err);
/* The term of one attribute value into out. False when it is too long to be one. */
bool terms_attribute(
    char out[256], unsigned int newer, enum access_attribute attribute, const char *value);

/* Which versions may be the hit: indices into newest_first, newest first. Returns how many. */
size_t terms_rank(
    const struct search_version *newest_first, size_t n, size_t ret_index[SEARCH_RANKS]);

#endif
