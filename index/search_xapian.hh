/* What the C++ files of the index share; nothing else includes it. They are the only ones that
 * know Xapian:
 *
 *   search_xapian.cc  the C interface
 *   search_write.cc   entries and versions into the index
 *   search_sight.cc   which entries a sight shows
 *   search_tree.cc    the tree of a query, and the filters of a request, as a Xapian query
 *   search_answer.cc  hits, totals, facets, groups of near-duplicates
 *   search_words.cc   completion, and what was probably meant
 *
 * Functions here throw; only the functions of search.h, behind the wall, do not.
 */
#ifndef INDEX_SEARCH_XAPIAN_HH
#define INDEX_SEARCH_XAPIAN_HH

#include <xapian.h>

#include <cstdint>
#include <list>
#include <memory>
#include <new>
#include <string>
#include <vector>

extern "C" {
/* In C a function and a struct may share the name access_filter. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wshadow"
#include "arkki/policies/access.h"
#pragma GCC diagnostic pop
#include "arkki/index/search.h"
#include "index/query.h"
#include "index/terms.h"
}

namespace arkki
{

enum slot : Xapian::valueno {
	SLOT_DATE,
	SLOT_UNIT,       /* several, a line each */
	SLOT_COUNTY,     /* several, a line each */
	SLOT_FACETS,     /* what else facets count, in one piece: see facets_pack() */
	SLOT_FILED,      /* the commit, as Xapian writes numbers that sort */
	SLOT_LIKENESS,   /* index/likeness.h; nothing for a short text */
	SLOT_NEWER_UNIT, /* units of the newer version of rank 1; the next slots: of rank 2 … */
	SLOTS = SLOT_NEWER_UNIT + SEARCH_RANKS - 1,
};

inline const char KEY_SEQUENCE[] = "arkki-sequence"; /* metadata: the commit of the archive */

using queries = std::vector<Xapian::Query>;

Xapian::Query any_of(const queries &q);                                      /* none: nothing */
Xapian::Query all_of(const queries &q);                                      /* none: everything */
Xapian::Query but_not(const Xapian::Query &q, const Xapian::Query &without); /* may be empty */

/* ---- search_sight.cc ---- */

/* A set of entries: those of q, or all the others. "All but" is kept as that for as long as
 * possible: what excludes is mostly small, and need not be tested against every entry. */
struct entries {
	Xapian::Query q;
	bool others;
};

/* The whole entries where `whole` admits them, and of the other versions that `any` admits the
 * public ones; each only where it is the newest that `any` admits, unless versions_all. */
entries visible(const Xapian::Database &db, const struct access_sight *sight, bool versions_all);

/* The entries of q, which may be empty, that are shown. */
Xapian::Query among(const entries &shown, const Xapian::Query &q);

/* Which entries are shown, by number. */
class sight_map
{
      public:
	sight_map(const Xapian::Database &db, const entries &shown);

	/* How many entries with the term are shown; counting stops at `enough`. */
	Xapian::doccount count(
	    const Xapian::Database &db, const std::string &term, Xapian::doccount enough) const;
	bool any(const Xapian::Database &db, const std::string &term) const;
	bool shows(Xapian::docid entry) const;
	Xapian::doccount shown() const; /* how many entries */
	void hide(const Xapian::Database &db, const char (*documents)[33], size_t n);

      private:
	std::vector<bool> bits;
};

/* The maps of the last few sights: one costs a look at every entry, and letters are typed one
 * by one. */
class sight_maps
{
      public:
	std::shared_ptr<const sight_map> of(
	    const Xapian::Database &db, const struct access_sight *sight, bool versions_all);
	/* The same for a request, without the documents that it leaves out. */
	std::shared_ptr<const sight_map> of(
	    const Xapian::Database &db, const struct search_request *request);

      private:
	struct kept {
		std::string key; /* the sight, written out */
		Xapian::rev revision;
		std::shared_ptr<const sight_map> map;
	};
	std::list<kept> recent;
};

} // namespace arkki

struct search_index {
	Xapian::WritableDatabase db;
	struct analyser *analyser;
	struct search_gate *gate;
	uint64_t sequence;
};

struct search_reader {
	Xapian::Database db;
	struct analyser *analyser;
	struct search_gate *gate;
	arkki::sight_maps maps;
};

namespace arkki
{

/* ---- the wall ---- */

int fail_xapian(
    struct ark_error *err, int status, const char *doing, const Xapian::Error &e) noexcept;

template <typename F> int guarded(struct ark_error *err, const char *doing, F &&f) noexcept
{
	try {
		return f();
	} catch (const Xapian::DatabaseModifiedError &e) {
		return fail_xapian(err, ARK_ECONFLICT, doing, e);
	} catch (const Xapian::DatabaseLockError &e) {
		return fail_xapian(err, ARK_ECONFLICT, doing, e);
	} catch (const Xapian::DatabaseCorruptError &e) {
		return fail_xapian(err, ARK_ECORRUPT, doing, e);
	} catch (const Xapian::DatabaseNotFoundError &e) {
		return fail_xapian(err, ARK_ENOTFOUND, doing, e);
	} catch (const Xapian::Error &e) {
		return fail_xapian(err, ARK_EIO, doing, e);
	} catch (const std::bad_alloc &) {
		return ark_fail(err, ARK_ENOMEM, "cannot %s: no memory", doing);
	} catch (...) {
		return ark_fail(err, ARK_EIO, "cannot %s: unexpected exception", doing);
	}
}

/* ---- search_write.cc ---- */

int open_writer(const char *dir, struct analyser *analyser, struct search_gate *gate,
    struct search_index **ret, struct ark_error *err);
int put(struct search_index *w, const struct search_document *d, struct ark_error *err);
int set_versions(struct search_index *w, const char *document,
    const struct search_version *versions, size_t n, struct ark_error *err);
std::string unique_term(const char *document, uint32_t version, bool public_form);
uint64_t sequence_of(const Xapian::Database &db);

/* ---- search_tree.cc ---- */

/* What a request looks for, read for one revision of the index. */
struct reading {
	Xapian::Query q; /* with the sight, and all filters */
	bool ranked;     /* something in it weighs; else the newest come first */
	std::vector<struct search_note> notes; /* that the index adds */
};

/* words may be NULL: everything that the filters admit. */
reading read_request(
    struct search_reader *r, const struct search_request *request, const struct query *words);

/* ---- search_answer.cc ---- */

/* The values that facets count of what a document has one of, as one text. */
std::string facets_pack(const struct search_document *d);

void answer(struct search_reader *r, const struct search_request *request,
    const struct query *words, struct search_result *ret);
void rank(struct search_reader *r, const struct search_request *request, const struct query *words,
    unsigned int max, struct search_hit **ret, size_t *ret_len);
uint64_t total(
    struct search_reader *r, const struct search_request *request, const struct query *words);

/* ---- search_words.cc ---- */

void complete(struct search_reader *r, const struct access_sight *sight, const std::string &prefix,
    unsigned int max, struct search_words *ret);

/* A word of the query that finds nothing, and what it probably is. */
struct correction {
	size_t from, len; /* bytes of the query */
	std::string word;
};
std::vector<correction> corrections(
    struct search_reader *r, const struct search_request *request, const struct query *words);

} // namespace arkki

#endif
