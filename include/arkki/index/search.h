/* The search index: what may be found, by whom, in which order.
 *
 * A Xapian database in a directory of its own. Every version of a document is
 * one entry, `Q<document>-<version>`, and where it has a public rendition a
 * second one, `Q<document>-<version>-public`, with the words of that; what the
 * policy lets the searcher see is part of every query, so that total, facets
 * and hits are computed over what may be seen.
 *
 * It knows terms and attributes. It does not know the store, keys or HTTP: ids
 * and texts arrive as arguments, and nothing of a text comes out again.
 *
 * Which version is a hit: of each document the newest that the sight's `any`
 * admits; by its own words where `whole` admits it, else by those of its public
 * rendition, and where it has none it is no hit.
 * Every entry carries, as terms, its version's attributes and those of the newer
 * versions that might hide it (search_set_versions), so that the filter
 * itself can be asked "and does it admit none of those?". Versions with the
 * attributes of a newer one can never be that hit; of the others the newest
 * SEARCH_RANKS and the newest public final one are kept.
 *
 * Threads: one struct search_index in the process, used by one thread at a
 *          time; one struct search_reader per thread.
 * Durability: search_commit() makes everything put before it, and the
 *             sequence, durable together; what was not committed is gone
 *             after a crash and is put again from the sequence on.
 */
#ifndef ARKKI_INDEX_SEARCH_H
#define ARKKI_INDEX_SEARCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arkki/base/buf.h"
#include "arkki/base/error.h"
#include "arkki/index/analyse.h"
#include "arkki/policies/access.h"

#define SEARCH_RANKS 8 /* versions of a document that different people may get as its hit */
#define SEARCH_QUERY_MAX 16384u  /* bytes of a query */
#define SEARCH_WORDS_MAX 256u    /* words of it that are looked for; later ones are not */
#define SEARCH_LIMIT_MAX 100u    /* hits a page */
#define SEARCH_OFFSET_MAX 10000u /* hits before a page */

/* ---- writing ---- */
struct search_index;

/* Lets no writer write over what a query of the same process still reads (for two seconds at most).
 * Shared by the writer and the readers; outlives them. */
struct search_gate;
ARK_MUSTUSE int search_gate_new(struct search_gate **ret, struct ark_error *err);
void search_gate_free(struct search_gate *g);

/* The attributes that policies ask for, of one version. Borrowed. */
struct search_attributes {
	const char *publicity, *author, *state, *type; /* NULL: not known */
	const char *const *units;
	size_t units_len;
	const char *const *counties; /* of the units */
	size_t counties_len;
	const char *const *addressees; /* organisations */
	size_t addressees_len;
	const char *date, *visit_date; /* YYYY-MM-DD, or NULL */
	bool rendition;                /* has a public rendition */
};

struct search_document {      /* one form of one version; borrowed for the call */
	const char *document; /* 32 hex digits */
	uint32_t version;
	/* The public rendition: title and text are its own. Found by those only to whom the whole
	 * version is not shown. The attributes are the version's. */
	bool public_form;
	/* The only version so far: the hit for everybody whom the filter admits. Otherwise call
	 * search_set_versions() before the commit: until then it is nobody's. */
	bool only;
	struct search_attributes attributes;
	const char *case_id; /* or NULL */
	const char *const *municipalities;
	size_t municipalities_len;
	const char *language; /* "fi" "sv" "en" */
	const char *date;     /* YYYY-MM-DD: sorts, bounds and dates the hit */
	const char *title;
	const char *text; /* UTF-8, may be NULL */
	size_t text_len;
};

/* Creates the index when there is none. gate may be NULL; analyser and gate are borrowed. ARK_ECONFLICT
 * when another writer has it; ARK_EINPUT when it was written by another analyser or in another format (mend: rebuild). On
 * success *ret is the caller's, ended with search_close(). */
ARK_MUSTUSE int search_open_writer(const char *dir, struct analyser *analyser,
    struct search_gate *gate, struct search_index **ret, struct ark_error *err);
void search_close(struct search_index *w); /* what was not committed is dropped */

/* The sequence of the last commit, 0 for a new index. */
uint64_t search_sequence(const struct search_index *w);

/* Adds the form of the version, or replaces it. ARK_EINPUT (an attribute too long, or no day), ARK_ENOMEM: nothing of it is in the next commit.
 * ARK_EIO, ARK_ECORRUPT, of this and of all below: everything since the last commit is dropped;
 * close, and begin again behind search_sequence(). */
ARK_MUSTUSE int search_put(
    struct search_index *w, const struct search_document *d, struct ark_error *err);

struct search_version {
	uint32_t version;
	struct search_attributes attributes;
};
/* Says which versions a document has, newest first and all of them; call it after the last put of a
 * document with several. Versions that were not put are passed over. It also brings `rendition` of
 * what was put before up to date: a rendition comes by the put of its form and this, and goes by
 * search_delete_public() and this, without the whole text being put again. */
ARK_MUSTUSE int search_set_versions(struct search_index *w, const char *document,
    const struct search_version *newest_first, size_t n, struct ark_error *err);

/* Both forms; version 0: all of the document. Not there: fine. */
ARK_MUSTUSE int search_delete(
    struct search_index *w, const char *document, uint32_t version, struct ark_error *err);
/* The public form alone. Not there: fine. */
ARK_MUSTUSE int search_delete_public(
    struct search_index *w, const char *document, uint32_t version, struct ark_error *err);
ARK_MUSTUSE int search_commit(struct search_index *w, uint64_t sequence, struct ark_error *err);

/* ---- reading ---- */
struct search_reader;

/* ARK_ENOTFOUND when there is no index. */
ARK_MUSTUSE int search_open_reader(const char *dir, struct analyser *analyser,
    struct search_gate *gate, struct search_reader **ret, struct ark_error *err);
void search_reader_free(struct search_reader *r);
/* The sequence of the newest commit: every commit of the store up to it is searchable. */
ARK_MUSTUSE int search_reader_sequence(
    struct search_reader *r, uint64_t *ret, struct ark_error *err);

enum search_sort { SEARCH_BY_RELEVANCE, SEARCH_BY_DATE };

struct search_request { /* NULL or empty: not asked for. Borrowed. */
	const char
	    *q; /* words are OR-ed and ranked; "…" is a phrase; anything else is read as words */
	const struct access_sight *sight; /* mandatory: NULL, there or in it, is ARK_EINPUT */
	const char *unit, *case_id, *type, *county, *language;
	const char *from, *to; /* dates, inclusive */
	enum search_sort sort; /* an empty q is always by date, newest first */
	unsigned int limit;    /* 0: only the total and the facets */
	unsigned int offset;
	bool versions_all; /* a hit for every version that the sight shows */
	/* documents to be left out: what the index has of them is known to be out of date */
	const char (*without)[33];
	size_t without_len;
	bool facets;
};

struct search_hit {
	char document[33];
	uint32_t version;
	bool whole; /* false: found by, and to be shown as, its public rendition */
};

enum search_facet {
	FACET_TYPE,
	FACET_UNIT,
	FACET_COUNTY,
	FACET_LANGUAGE,
	FACET_YEAR,
	FACET_PUBLICITY
};
#define SEARCH_FACETS 6
#define SEARCH_FACET_VALUES_MAX 100u

struct search_count {
	char *value;
	uint64_t count;
};

struct search_result {
	uint64_t total; /* exact */
	struct search_hit *hits;
	size_t hits_len;
	unsigned int next_offset; /* 0: this was the last page */
	struct {
		struct search_count *counts; /* the most frequent first */
		size_t len;
	} facets[SEARCH_FACETS];
};

/* Looks at the newest commit. On success *ret is filled and ended with search_result_clear(), on
 * failure not touched. ARK_EINPUT: q, limit or offset beyond its bound. ARK_ECONFLICT: commits
 * overtook the query three times (only without a gate): try again. */
ARK_MUSTUSE int search_query(struct search_reader *r, const struct search_request *request,
    struct search_result *ret, struct ark_error *err);
void search_result_clear(struct search_result *result);

#endif
