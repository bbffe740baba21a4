/* Words that mean the same: the bridge between Finnish and Swedish, and the administrator's own table.
 *
 * A table is a list of entries; an entry has terms in one or more languages ("sijaishuolto",
 * "vård utom hemmet"), of one to SYNONYM_WORDS_MAX words each. A query for one of them also finds the others, and says so.
 * Entries are kept by the lemmas of their terms, so that "sijaishuollossa" finds them too.
 *
 * The shipped table is the archive's own (index/bridge.tsv: fi, sv, en, separated by tabs, "|" between several
 * terms of a language, "#" comments); the administrator's is the newest record of kind "synonyms".
 *
 * It knows words; not the store, HTTP or the index.
 *
 * Threads: a struct synonyms never changes; it may be used by any number of threads, and is kept
 *          by counting references.
 */
#ifndef ARKKI_INDEX_SYNONYMS_H
#define ARKKI_INDEX_SYNONYMS_H

#include <stddef.h>

#include <jansson.h>

#include "arkki/base/error.h"
#include "arkki/index/analyse.h"

#define SYNONYM_WORDS_MAX 4u  /* words of a term */
#define SYNONYM_TERM_MAX 100u /* bytes of a term */
#define SYNONYM_ENTRIES_MAX 5000u
#define SYNONYM_TERMS_MAX 16u /* terms of an entry */

struct synonyms;

/* table: {"id":"current","entries":[{"fi":["sijaishuolto"],"sv":["vård utom hemmet"],"en":[…],"note":text}]}, or NULL for
 * the shipped table alone; borrowed. The shipped entries are always there unless the record says
 * "shipped":false. ARK_EINPUT names the entry and the mend. On success *ret has one reference. */
ARK_MUSTUSE int synonyms_new(
    struct analyser *a, const json_t *table, struct synonyms **ret, struct ark_error *err);
/* Whether a table would be taken, without making it. ARK_EINPUT as above. */
ARK_MUSTUSE int synonyms_check(const json_t *table, struct ark_error *err);
/* The shipped entries as those of a table are, a fresh array; NULL: no memory. */
json_t *synonyms_shipped(void);
struct synonyms *synonyms_ref(struct synonyms *s);
void synonyms_unref(struct synonyms *s); /* takes NULL */
/* How many entries in all. */
size_t synonyms_len(const struct synonyms *s);

/* The term that begins at words[0] (each as typed; n ≥ 1), the longest that there is, is told with each other
 * term of its entries: language, the term as written in the table. Returns how many words it took in *ret_taken (0: none).
 * Only raw words are analysed; the callback may use the analyser; non-zero of it stops and becomes the result. */
typedef int (*synonyms_each)(void *arg, enum analyse_language language, const char *term);
ARK_MUSTUSE int synonyms_find(const struct synonyms *s, struct analyser *a,
    const char *const *words, size_t n, synonyms_each each, void *arg, size_t *ret_taken,
    struct ark_error *err);

/* The terms of the table that begin with `prefix` (in lower case), in the order of the table: for suggestions. */
int synonyms_begin_with(
    const struct synonyms *s, const char *prefix, synonyms_each each, void *arg);

#endif
