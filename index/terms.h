/* The index terms of a version of a document, in the order they are made.
 *
 * Prefixes (raw words have none; all words are in lower case, so that a
 * capital always begins a prefix):
 *   Z lemma  ZV Swedish stem  K compound part; with S behind it, of the title (S ZS ZVS KS)
 *   Q document-version[-public]  XD document  XF public form
 *   XT type  XU unit  XC case  XM municipality  XR county  XL language  XY year
 *   XO author  XP publicity  XS state  XA addressee  XK number of units  XE rendition
 *   XV visit date, XB date: each with p when there is one, and y year, m month, d day
 *   XN0 never a hit; XH1… there is a newer version of that rank that may be the hit instead.
 *   The newest has neither, so that an ordinary search tests only for what few entries have.
 *   N1… before any attribute of XP XO XS XT XU XR XA XK XE XV XB: that of the newer version
 *   of that rank
 */
#ifndef ARKKI_INDEX_TERMS_H
#define ARKKI_INDEX_TERMS_H

#include "arkki/index/search.h"
#include "index/likeness.h"

/* Where terms go; borrowed for the call. Non-zero stops and becomes the result. */
struct term_sink {
	void *arg;
	int (*posting)(void *arg, const char *term, size_t len, uint32_t position);
	int (*weighted)(void *arg, const char *term, size_t len); /* counts once more */
	int (*boolean)(void *arg, const char *term, size_t len);
};

/* The words of a text, which are also told to *likeness, from its beginning. language may be NULL.
 * *ret_last: the position of the last. */
ARK_MUSTUSE int terms_of_text(struct analyser *a, const char *language, const char *text,
    size_t len, const struct term_sink *sink, struct likeness *likeness, uint32_t *ret_last,
    struct ark_error *err);
/* Words of the title, behind the text's last, and all that is known of the version but its rank.
 * ARK_EINPUT when an attribute is too long for a term. */
ARK_MUSTUSE int terms_of_document(struct analyser *a, const struct search_document *d,
    uint32_t last, const struct term_sink *sink, struct ark_error *err);
/* What policies ask for; newer: 0 for the version itself, else the rank of the newer version. */
ARK_MUSTUSE int terms_of_attributes(const struct search_attributes *a, unsigned int newer,
    const struct term_sink *sink, struct ark_error *err);
/* The term of one attribute value into out (of a day: the day). False when it is too long to be one. */
bool terms_attribute(
    char out[256], unsigned int newer, enum access_attribute attribute, const char *value);

enum terms_day { TERMS_DAY_PRESENT = 'p', TERMS_YEAR = 'y', TERMS_MONTH = 'm', TERMS_DAY = 'd' };
/* The term that says of a day: that there is one, its year, month or day; into out. `day` is
 * YYYY-MM-DD, or NULL for what all terms of the level begin with. False: no attribute of days. */
bool terms_day(char out[256], unsigned int newer, enum access_attribute attribute,
    enum terms_day level, const char *day);
bool terms_is_day(const char *value); /* YYYY-MM-DD in digits */
/* The term of one form of a version: "Q<document>-<version>[-public]", without the Q its data. */
void terms_id(char out[80], const char *document, uint32_t version, bool public_form);
#define TERMS_PUBLIC_FORM "XF"
#define TERMS_NEVER_HIT "XN0"
#define TERMS_NEWER "XH" /* and the rank */

/* Which versions may be the hit: indices into newest_first, newest first. Returns how many. */
size_t terms_rank(
    const struct search_version *newest_first, size_t n, size_t ret_index[SEARCH_RANKS]);

#endif
