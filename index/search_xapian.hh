/* What the C++ files of the index share; nothing else includes it. They are the only ones that
 * know Xapian:
 *
 *   search_xapian.cc  the C interface
 *   search_write.cc   entries and versions into the index
 *   search_sought.cc  sets of entries; trees of what is sought
 *   search_columns.cc what readers keep in memory of a revision
 *   search_sight.cc   which entries a sight shows
 *   search_tree.cc    the tree of a query, and the filters of a request, as such a tree
 *   search_match.cc   what of such a tree is found, and how much it weighs
 *   search_lists.cc   lists of what words weigh: kept, and added up
 *   search_answer.cc  hits, totals, facets, groups of near-duplicates
 *   search_words.cc   completion, and what was probably meant
 *
 * Functions here throw; only the functions of search.h, behind the wall, do not.
 */
#ifndef INDEX_SEARCH_XAPIAN_HH
#define INDEX_SEARCH_XAPIAN_HH

#include <xapian.h>

#include <array>
#include <cstdint>
#include <deque>
#include <list>
#include <memory>
#include <mutex>
#include <new>
#include <string>
#include <unordered_map>
#include <unordered_set>
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

/* ---- sets of entries, and what is sought (search_sought.cc) ---- */

/* A set of entries of one revision, a bit for each number. */
class bitmap
{
      public:
	explicit bitmap(Xapian::docid last_entry = 0, bool all = false);

	bool has(Xapian::docid d) const
	{
		return d <= last && (words[d / 64] >> (d % 64) & 1);
	}
	void add(Xapian::docid d)
	{
		words[d / 64] |= uint64_t{1} << (d % 64);
	}
	void remove(Xapian::docid d)
	{
		if (d <= last)
			words[d / 64] &= ~(uint64_t{1} << (d % 64));
	}
	void join(const bitmap &other);
	void keep(const bitmap &other);
	void drop(const bitmap &other);
	void turn_over(); /* those that are not in it */
	uint64_t count() const;
	/* 64 of them, from number 64 * w on. */
	uint64_t word(size_t w) const
	{
		return w < words.size() ? words[w] : 0;
	}

	template <typename F> void each(F &&f) const
	{
		for (size_t w = 0; w < words.size(); w++)
			for (uint64_t left = words[w]; left; left &= left - 1)
				f(static_cast<Xapian::docid>(
				    w * 64 + static_cast<unsigned int>(__builtin_ctzll(left))));
	}

	Xapian::docid last;

      private:
	std::vector<uint64_t> words;
};

/* What is sought, as a tree: the query of a request, or a filter of the policy. */
struct sought {
	using units = std::unordered_set<std::string>;

	enum kind {
		NOTHING,
		EVERYTHING,
		SYNONYM, /* any of the terms, weighed as if they were one */
		PHRASE,  /* the terms in a row */
		VALUES,  /* the slot's value lies from terms[0] to terms[1]; "" has no end */
		UNITS,   /* one of the lines of the slot's value is one of `any_unit` */
		ANY,
		ALL,
		ALL_MAYBE, /* the first; the second only adds to the weight */
		FILTER,    /* the first, where the second is found too, which weighs nothing */
		BUT_NOT,   /* the first, without the second */
		SCALED,    /* the first, its weight multiplied */
	} what = NOTHING;
	double scale = 1;
	Xapian::valueno slot = 0;
	std::vector<std::string> terms;
	std::shared_ptr<const units> any_unit;
	std::vector<sought> parts;

	sought() = default;
	explicit sought(const std::string &term);
	sought(kind k, std::vector<std::string> t);
	sought(kind k, std::vector<sought> p);
	static sought everything();
	static sought values(Xapian::valueno slot, const std::string &from, const std::string &to);
	bool empty() const
	{
		return what == NOTHING;
	}
	bool operator==(const sought &other) const;
};

using queries = std::vector<sought>;

sought any_of(const queries &q);                        /* none: nothing */
sought all_of(const queries &q);                        /* none: everything */
sought but_not(const sought &q, const sought &without); /* may be empty */
sought filtered(const sought &q, const sought &by);     /* nothing where one is */
sought scaled(const sought &q, double weight);

/* ---- search_lists.cc ---- */

struct match {
	Xapian::docid entry;
	double weight;
};

using matches = std::vector<match>; /* in the order of their numbers */
using match_list = std::shared_ptr<const matches>;

matches those_within(const matches &list, const bitmap &within);
/* Those of all lists that are within, their weights added in the order of the lists. */
matches sum_within(std::vector<match_list> lists, const bitmap &within);

/* What the words asked for last weigh, in all entries of one revision, whoever may see them. Bounded; for any thread. */
class kept_lists
{
      public:
	match_list find(const std::string &word); /* NULL: it is not kept */
	void keep(const std::string &word, const match_list &list);
	void clear();
	/* How many entries have the term; of the revision that the lists are of. */
	Xapian::doccount frequency(const Xapian::Database &db, const std::string &term);

      private:
	struct kept {
		std::string word;
		match_list list;
		size_t bytes;
	};
	std::mutex lock;
	std::list<kept> order; /* the one asked for last first */
	std::unordered_map<std::string, std::list<kept>::iterator> by_word;
	size_t bytes = 0;
	std::unordered_map<std::string, Xapian::doccount> frequencies;
};

/* ---- search_columns.cc ---- */

/* A value of every entry: numbers, and what they stand for. */
struct column {
	std::vector<uint32_t> code;     /* by entry */
	std::vector<std::string> value; /* by code; 0 is "" */
	std::unordered_map<std::string, uint32_t> known;

	uint32_t code_of(const std::string &v);
};

/* What counting, sorting and weighing ask of every entry, of one revision, in memory: 20 bytes an entry. Shared by
 * the readers of a process, and never changed once it is. */
struct columns {
	std::string database; /* its uuid */
	Xapian::rev revision = 0;
	Xapian::docid last = 0;
	uint64_t rewritten = 0; /* changes of the writer's list that are in it */
	std::vector<Xapian::termcount> length;
	column date, unit, county, pack;
	std::vector<uint32_t> date_rank;   /* by code of a date: its place among all */
	std::shared_ptr<kept_lists> lists; /* of this revision alone */
};

/* Which entries a sight shows. */
struct sight_map {
	bitmap bits;

	/* How many entries with the term are shown; counting stops at `enough`. */
	Xapian::doccount count(
	    const Xapian::Database &db, const std::string &term, Xapian::doccount enough) const;
	bool any(const Xapian::Database &db, const std::string &term) const;
	bool shows(Xapian::docid entry) const;
	Xapian::doccount shown() const; /* how many entries */
	void hide(const Xapian::Database &db, const char (*documents)[33], size_t n);
};

/* Whose entry it is: document, version, and whether the whole of it. An entry has its name for good. */
struct entry_name {
	char document[33];
	uint32_t version;
	bool whole;
};

/* What readers keep of the newest revisions, made by the first that asks. Bounded: two revisions of columns,
 * SIGHTS_KEPT maps. A map is found by its whole filter, so it never answers for another sight. */
class shelf
{
      public:
	/* The entries that were put anew since the index is open: known only where writer and readers share a
	 * gate. `settled`: so many of these are in every revision opened from now on. */
	void rewrote(Xapian::docid entry);
	void settle();
	uint64_t settled();

	std::shared_ptr<const columns> columns_of(const Xapian::Database &db, uint64_t settled);
	std::shared_ptr<const sight_map> map_of(const Xapian::Database &db, const columns &c,
	    const struct access_sight *sight, bool versions_all);
	/* In the order of the entries; those met before are in memory, 20 bytes each. */
	std::vector<entry_name> names_of(
	    const Xapian::Database &db, const std::vector<Xapian::docid> &entries);
	bool follows_writer = false;

      private:
	struct kept {
		std::string key; /* the sight, written out */
		std::string database;
		Xapian::rev revision;
		std::shared_ptr<const sight_map> map;
	};
	struct packed_name {
		std::array<unsigned char, 16> document;
		uint32_t version; /* times two, and one more for the whole; 0: not met yet */
	};
	std::mutex making, listing, naming;
	std::string named; /* the database that the names are of */
	std::vector<packed_name> names;
	std::list<std::shared_ptr<const columns>> made; /* the newest first */
	std::list<kept> maps;
	std::deque<Xapian::docid> list; /* the last entries put anew */
	uint64_t listed = 0, in_commits = 0;

	bool changed_since(uint64_t from, std::vector<Xapian::docid> &ret);
};

/* ---- search_sight.cc ---- */

/* The whole entries where `whole` admits them, and of the other versions that `any` admits the
 * public ones; each only where it is the newest that `any` admits, unless versions_all. */
bitmap visible(const Xapian::Database &db, const columns &c, const struct access_sight *sight,
    bool versions_all);
/* The sight, written out: two that differ are written differently. */
std::string sight_key(const struct access_sight *sight, bool versions_all);

/* ---- search_match.cc ---- */

/* Those of `within` that are found, without weights. */
bitmap find(const Xapian::Database &db, const columns &c, const sought &q, const bitmap &within);
/* The same with weights, in the order of their numbers. */
matches weigh(const Xapian::Database &db, const columns &c, const sought &q, const bitmap &within);

/* What was found for a tree, of what was shown. */
struct finding {
	sought q;
	std::shared_ptr<const sight_map> within;
	bool by_weight = false;
	matches weighed; /* with weights; else it is in `plain` */
	bitmap plain;
};

} // namespace arkki

struct search_index {
	Xapian::WritableDatabase db;
	struct analyser *analyser;
	struct search_gate *gate;
	std::shared_ptr<arkki::shelf> shelf; /* of the gate; empty without one */
	uint64_t sequence;
	std::string dir;
};

struct search_prepared {
	Xapian::Document document; /* nobody else's */
	struct likeness likeness;
	uint32_t last; /* position */
};

struct search_reader {
	Xapian::Database db;
	struct analyser *analyser;
	struct search_gate *gate;
	std::shared_ptr<arkki::shelf> shelf;
	uint64_t settled; /* of the shelf's list, before the revision was opened */
	/* Of the last query, for the ranking that is often asked for next: taken, never asked twice. */
	std::unique_ptr<arkki::finding> last;

	std::shared_ptr<const arkki::columns> columns()
	{
		return shelf->columns_of(db, settled);
	}
	std::shared_ptr<const arkki::sight_map> shown(
	    const struct access_sight *sight, bool versions_all)
	{
		return shelf->map_of(db, *columns(), sight, versions_all);
	}
	/* The same for a request, without the documents that it leaves out. */
	std::shared_ptr<const arkki::sight_map> shown(const struct search_request *request);
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
int make_words(struct analyser *a, const char *language, const char *text, size_t len,
    struct search_prepared *into, struct ark_error *err);
int put(struct search_index *w, const struct search_document *d, struct ark_error *err);
int set_versions(struct search_index *w, const char *document,
    const struct search_version *versions, size_t n, struct ark_error *err);
std::string unique_term(const char *document, uint32_t version, bool public_form);
uint64_t sequence_of(const Xapian::Database &db);

/* ---- search_tree.cc ---- */

/* What a request looks for, read for one revision of the index. */
struct reading {
	sought q;
	std::shared_ptr<const sight_map> within; /* the sight */
	bool ranked; /* something in it weighs; else the newest come first */
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
