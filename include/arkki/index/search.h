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
#include "arkki/index/synonyms.h"
#include "arkki/policies/access.h"

#define SEARCH_RANKS 8 /* versions of a document that different people may get as its hit */
#define SEARCH_QUERY_MAX 16384u  /* bytes of a query */
#define SEARCH_WORDS_MAX 256u    /* words of it that are looked for; later ones are not */
#define SEARCH_LIMIT_MAX 100u    /* hits a page */
#define SEARCH_OFFSET_MAX 10000u /* hits before a page */
#define SEARCH_SAME_MAX 5u       /* near-duplicates that a hit names */
#define SEARCH_GROUP_MAX 1000u   /* best hits among which near-duplicates are looked for */

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

/* The words of one text, made ready for search_put() by any thread with an analyser of its own, so
 * that the writer's does what only it can. language as of the document. On success *ret is the
 * caller's, ended with search_prepared_free(). */
struct search_prepared;
ARK_MUSTUSE int search_prepare(struct analyser *a, const char *language, const char *text,
    size_t len, struct search_prepared **ret, struct ark_error *err);
void search_prepared_free(struct search_prepared *w);

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
	struct search_prepared *prepared; /* of the text, or NULL; used up by the put, not freed */
	uint64_t filed;                   /* the commit that filed the version */
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
/* Copies what the index in `dir` holds to a new directory `to`, without the blocks in which deleted entries may still
 * stand; entries keep their numbers. Nobody may be writing. The copy is not synced. */
ARK_MUSTUSE int search_compact(const char *dir, const char *to, struct ark_error *err);

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

/* What a query may name as field:value. */
enum search_field {
	FIELD_UNIT,         /* yksikkö, enhet, unit: id or name */
	FIELD_TYPE,         /* laji, typ, type: id or name */
	FIELD_CASE,         /* asia, diaari, diarienummer, case, diary: id or diary number */
	FIELD_COUNTY,       /* alue, hyvinvointialue, välfärdsområde, county: code or name */
	FIELD_MUNICIPALITY, /* kunta, kommun, municipality: code or name */
	FIELD_AUTHOR,       /* laatija, viranomainen, upphovsman, myndighet, author: id or name */
	FIELD_LANGUAGE,     /* kieli, språk, language: fi sv en, or its name */
	FIELD_PUBLICITY,    /* julkisuus, offentlighet, publicity */
	FIELD_YEAR,         /* vuosi, år, year: 2023 or 2020..2024 */
	FIELD_DATE,         /* päivä, pvm, datum, date: 12.3.2024, 2024-03, 2023..2024, >2024 */
	FIELD_TITLE,        /* otsikko, rubrik, title: words of the title */
};
#define SEARCH_FIELDS 11

/* Names of units, types, cases … into ids, and back into words for a reader: the caller knows the registers. What is
 * given here must be the same for everybody, or only what this searcher may know. */
struct search_names {
	void *arg;
	/* Calls each(to, id) for every id that value (as typed, any case) means; none: it is read as a word. */
	int (*resolve)(void *arg, enum search_field field, const char *value,
	    int (*each)(void *to, const char *id), void *to);
};

/* How the query was read where it is not plain: never an error. */
enum search_note_kind {
	NOTE_UNCLOSED_QUOTE, /* read as words */
	NOTE_UNCLOSED_PAREN, /* closed at the end */
	NOTE_STRAY_PAREN,    /* passed over */
	NOTE_BARE_OPERATOR,  /* AND without a side: read as a word */
	NOTE_UNKNOWN_FIELD,  /* "foo:bar": read as words */
	NOTE_UNKNOWN_VALUE,  /* of a known field: read as words */
	NOTE_BAD_DATE,       /* read as words */
	NOTE_SHORT_WILDCARD, /* under three letters: read as a word */
	NOTE_WILDCARD_CUT,   /* more words begin so than are looked for */
	NOTE_ONLY_EXCLUDED,  /* -word alone: everything but */
	NOTE_TOO_DEEP,       /* parentheses passed over */
	NOTE_TOO_MANY_WORDS, /* later ones are not looked for */
	NOTE_TOO_MANY_OPERATORS,
};
struct search_note {
	enum search_note_kind kind;
	size_t from, len; /* bytes of q */
};

struct search_request {                   /* NULL or empty: not asked for. Borrowed. */
	const char *q;                    /* index/query.h says how it is read */
	const struct synonyms *synonyms;  /* or NULL */
	const struct search_names *names; /* or NULL: fields take ids only */
	const struct access_sight *sight; /* mandatory: NULL, there or in it, is ARK_EINPUT */
	const char *unit, *case_id, *type, *county, *municipality, *author, *language, *publicity,
	    *year;
	const char *from, *to; /* dates, inclusive */
	uint64_t filed_after;  /* only what was filed in commits after this one; 0: all */
	/* Documents that read like this one, which must be visible; q narrows then. "" or NULL: not asked. The caller
	 * must have decided that its text may be read in the form (`like_public`) that is compared. */
	const char *like;
	uint32_t like_version;
	bool like_public;
	enum search_sort sort; /* an empty q is always by date, newest first */
	unsigned int limit;    /* 0: only the total and the facets */
	unsigned int offset;
	bool versions_all; /* a hit for every version that the sight shows */
	/* documents to be left out: what the index has of them is known to be out of date */
	const char (*without)[33];
	size_t without_len;
	bool facets;
	/* Near-duplicates among the first SEARCH_GROUP_MAX hits become one hit, the best of them; total still counts
	 * documents. By the likeness of their words (struct search_hit, similar). */
	bool group;
};

struct search_hit {
	char document[33];
	uint32_t version;
	bool whole; /* false: found by, and to be shown as, its public rendition */
	/* With `group`: how many near-duplicates this hit stands for, and the first of them. */
	uint32_t similar;
	struct {
		char document[33];
		uint32_t version;
		bool whole;
	} same[SEARCH_SAME_MAX];
};

enum search_facet {
	FACET_TYPE,
	FACET_UNIT,
	FACET_COUNTY,
	FACET_LANGUAGE,
	FACET_YEAR,
	FACET_PUBLICITY,
	FACET_AUTHOR
};
#define SEARCH_FACETS 7
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
	uint64_t sequence;        /* of the commit it looked at */
	struct buf read;          /* the query as it was read (query_write) */
	struct search_note notes[16];
	size_t notes_len;
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

/* The best hits in order, up to `max`, without facets: what a page after page is cut from, so that filings
 * meanwhile neither repeat nor skip a hit. *ret is the caller's, free() it. offset and limit of the request are not looked at. */
ARK_MUSTUSE int search_ranking(struct search_reader *r, const struct search_request *request,
    unsigned int max, struct search_hit **ret, size_t *ret_len, struct ark_error *err);

/* ---- help with words: only of what the request's sight shows ---- */

struct search_words {
	struct {
		char *word;
		uint64_t documents;
	} * list; /* documents: visible hits with that word */
	size_t len;
};
void search_words_clear(struct search_words *w);

/* Words of visible titles that begin with prefix, the most frequent first, at most `max`; each is in at least one
 * entry that the sight shows, and neither the choice nor the order depends on what it does not. */
ARK_MUSTUSE int search_complete(struct search_reader *r, const struct access_sight *sight,
    const char *prefix, unsigned int max, struct search_words *ret, struct ark_error *err);

/* For a query in which a word finds nothing that the sight shows: the query with that word as it was
 * probably meant, appended to *ret; nothing when there is none better. */
ARK_MUSTUSE int search_did_you_mean(struct search_reader *r, const struct search_request *request,
    struct buf *ret, struct ark_error *err);

/* How many visible hits the request has, in the least work. */
ARK_MUSTUSE int search_total(struct search_reader *r, const struct search_request *request,
    uint64_t *ret, struct ark_error *err);

#endif
