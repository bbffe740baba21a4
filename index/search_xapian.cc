/* The only file that knows Xapian, and the only C++: so it is long. In order: the
 * wall, writing, the queries that a sight becomes, facets, the C interface.
 *
 * Invariants:
 *   - No exception leaves a function of search.h: each body that can throw
 *     runs inside guarded(), and callbacks that C code calls are guarded too.
 *   - No message of Xapian is passed on: it may hold terms, and terms are
 *     text. Its type and errno are enough.
 *   - Whatever is counted, faceted or returned has passed through
 *     visible(): there is no query without the sight.
 */
#include <xapian.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <memory>
#include <new>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include <pthread.h>

extern "C" {
/* In C a function and a struct may share the name access_filter. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wshadow"
#include "arkki/policies/access.h"
#pragma GCC diagnostic pop
#include "arkki/base/fs.h"
#include "arkki/index/search.h"
#include "index/query.h"
#include "index/terms.h"
}

/* A reader at revision n is safe until n+1 is committed *and* n+2 is begun: only then are blocks of
 * n written over. So each query counts itself into the half of the current epoch, and a commit,
 * once done, turns the epoch and waits for the other half to empty before anything is written. */
struct search_gate {
	pthread_mutex_t lock;
	pthread_cond_t left;
	unsigned int epoch;
	unsigned int active[2]; /* queries, by the lowest bit of the epoch they began in */
};

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
};

namespace
{

enum slot : Xapian::valueno {
	SLOT_DATE,
	SLOT_TYPE,
	SLOT_UNIT, /* several, a line each */
	SLOT_MUNICIPALITY,
	SLOT_VERSION,
	SLOT_COUNTY, /* several, a line each */
	SLOT_LANGUAGE,
	SLOT_PUBLICITY,
	SLOT_NEWER_UNIT, /* units of the newer version of rank 1; the next slots: of rank 2 … */
	SLOTS = SLOT_NEWER_UNIT + SEARCH_RANKS - 1,
};

const char KEY_SEQUENCE[] = "arkki-sequence";
const char KEY_ANALYSER[] = "arkki-analyser";
const unsigned int FORMAT = 2; /* of terms and values; another value in the index: rebuild */
const unsigned int DISTURBED_MAX = 2;
const time_t GATE_S = 2; /* no commit waits longer for a reader */
const unsigned int FILTER_DEPTH_MAX = 64;
const size_t UNITS_AS_TERMS =
    16; /* more of them in a filter are compared with the entries' values */

/* Measured on 20,000 statute sections; see index/README.md. */
const double WEIGHT_COMPOUND = 0.5;  /* the word as part of a compound of the text */
const double WEIGHT_OWN_PARTS = 0.4; /* parts of the word, as words or parts in the text */
const double WEIGHT_TITLE = 0.5;     /* on top, when it stands in the title */

/* ---- the wall ---- */

int fail_xapian(
    struct ark_error *err, int status, const char *doing, const Xapian::Error &e) noexcept
{
	const char *system = e.get_error_string();

	return ark_fail(err, status, "cannot %s: the index says %s%s%s", doing, e.get_type(),
	    system ? ": " : "", system ? system : "");
}

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

/* ---- writing ---- */

struct collector {
	Xapian::Document *document;
	struct ark_error *err;
};

int collect_posting(void *arg, const char *term, size_t len, uint32_t position)
{
	auto *c = static_cast<collector *>(arg);

	return guarded(c->err, "add a word", [&] {
		c->document->add_posting(std::string(term, len), position);
		return 0;
	});
}

int collect_weighted(void *arg, const char *term, size_t len)
{
	auto *c = static_cast<collector *>(arg);

	return guarded(c->err, "add a term", [&] {
		c->document->add_term(std::string(term, len));
		return 0;
	});
}

int collect_boolean(void *arg, const char *term, size_t len)
{
	auto *c = static_cast<collector *>(arg);

	return guarded(c->err, "add an attribute", [&] {
		c->document->add_boolean_term(std::string(term, len));
		return 0;
	});
}

struct term_sink sink_into(collector &c)
{
	return {&c, collect_posting, collect_weighted, collect_boolean};
}

std::string text_or_empty(const char *text)
{
	return text ? text : "";
}

std::string lines_of(const char *const *values, size_t n)
{
	std::string lines;

	for (size_t i = 0; i < n; i++) {
		if (i)
			lines += '\n';
		lines += text_or_empty(values[i]);
	}
	return lines;
}

std::string unique_term(const char *document, uint32_t version, bool public_form)
{
	char id[80];

	terms_id(id, document, version, public_form);
	return id;
}

void add_values(Xapian::Document &x, const struct search_document *d)
{
	const struct search_attributes &a = d->attributes;

	x.add_value(SLOT_DATE, text_or_empty(d->date));
	x.add_value(SLOT_TYPE, text_or_empty(a.type));
	x.add_value(SLOT_UNIT, lines_of(a.units, a.units_len));
	x.add_value(SLOT_MUNICIPALITY, lines_of(d->municipalities, d->municipalities_len));
	x.add_value(SLOT_VERSION, Xapian::sortable_serialise(d->version));
	x.add_value(SLOT_COUNTY, lines_of(a.counties, a.counties_len));
	x.add_value(SLOT_LANGUAGE, text_or_empty(d->language));
	x.add_value(SLOT_PUBLICITY, text_or_empty(a.publicity));
	x.set_data(unique_term(d->document, d->version, d->public_form).substr(1));
}

int put(struct search_index *w, const struct search_document *d, struct ark_error *err)
{
	Xapian::Document x;
	collector c = {&x, err};
	const struct term_sink sink = sink_into(c);
	int r = terms_of_document(w->analyser, d, &sink, err);

	if (r)
		return r;
	add_values(x, d);
	w->db.replace_document(unique_term(d->document, d->version, d->public_form), x);
	return ARK_OK;
}

/* What set_versions() answers for: rank, attributes of newer versions, and whether there is a
 * rendition, which comes and goes without the version being put again. */
bool is_versions_term(const std::string &term)
{
	return term == TERMS_NEVER_HIT || term.compare(0, 2, TERMS_NEWER) == 0 ||
	       term.compare(0, 2, "XE") == 0 ||
	       (term.size() > 1 && term[0] == 'N' && term[1] >= '0' && term[1] <= '9');
}

std::vector<std::string> versions_terms_of(const Xapian::Document &x)
{
	std::vector<std::string> terms;

	for (auto t = x.termlist_begin(); t != x.termlist_end(); ++t)
		if (is_versions_term(*t))
			terms.push_back(*t);
	return terms;
}

/* What set_versions() answers for in a version of rank `rank` (from 0; SEARCH_RANKS: never a hit), whose
 * newer ones are given. */
int describe_version(const struct search_version *versions, const size_t *index, size_t rank,
    const struct search_attributes *own, Xapian::Document &x, struct ark_error *err)
{
	collector c = {&x, err};
	const struct term_sink sink = sink_into(c);
	/* of the version's own attributes, only the rendition is taken from here */
	int r = terms_of_attributes(own, 0, &sink, err);

	if (rank == SEARCH_RANKS) {
		x.add_boolean_term(TERMS_NEVER_HIT);
		rank = 0;
	}
	for (size_t i = 0; !r && i < rank; i++) {
		const struct search_attributes &newer = versions[index[i]].attributes;

		x.add_boolean_term(TERMS_NEWER + std::to_string(i + 1));
		x.add_value(SLOT_NEWER_UNIT + static_cast<Xapian::valueno>(i),
		    lines_of(newer.units, newer.units_len));
		r = terms_of_attributes(&newer, static_cast<unsigned int>(i + 1), &sink, err);
	}
	return r;
}

/* Rewrites only what changed: a newest version that stays so costs a look. */
void rewrite_version(
    Xapian::WritableDatabase &db, const std::string &id, const Xapian::Document &want)
{
	auto posting = db.postlist_begin(id);

	if (posting == db.postlist_end(id))
		return;
	Xapian::docid did = *posting;
	Xapian::Document x = db.get_document(did);
	const std::vector<std::string> have = versions_terms_of(x);
	const std::vector<std::string> terms = versions_terms_of(want);

	if (have == terms)
		return;
	for (const std::string &term : have)
		x.remove_term(term);
	for (const std::string &term : terms)
		x.add_boolean_term(term);
	for (Xapian::valueno slot = SLOT_NEWER_UNIT; slot < SLOTS; slot++)
		x.add_value(slot, want.get_value(slot));
	db.replace_document(did, x);
}

int set_versions(struct search_index *w, const char *document,
    const struct search_version *versions, size_t n, struct ark_error *err)
{
	size_t index[SEARCH_RANKS];
	size_t ranks = terms_rank(versions, n, index);

	for (size_t i = 0; i < n; i++) {
		size_t rank = static_cast<size_t>(std::find(index, index + ranks, i) - index);
		Xapian::Document want;
		int r = describe_version(versions, index, rank < ranks ? rank : SEARCH_RANKS,
		    &versions[i].attributes, want, err);

		if (r)
			return r;
		for (bool public_form : {false, true})
			rewrite_version(
			    w->db, unique_term(document, versions[i].version, public_form), want);
	}
	return ARK_OK;
}

uint64_t sequence_of(const Xapian::Database &db)
{
	return std::strtoull(db.get_metadata(KEY_SEQUENCE).c_str(), nullptr, 10);
}

int open_writer(const char *dir, struct analyser *analyser, struct search_gate *gate,
    struct search_index **ret, struct ark_error *err)
{
	const std::string version = std::to_string(ANALYSE_VERSION) + '.' + std::to_string(FORMAT);
	Xapian::WritableDatabase db(dir, Xapian::DB_CREATE_OR_OPEN | Xapian::DB_BACKEND_GLASS);
	const std::string written_by = db.get_metadata(KEY_ANALYSER);

	if (written_by.empty() && db.get_doccount() == 0) {
		db.set_metadata(KEY_ANALYSER, version);
		db.commit();
	} else if (written_by != version) {
		return ark_fail(err, ARK_EINPUT,
		    "the index was written by another analyser or in another format: run `arkki "
		    "rebuild DIR index`");
	}
	/* outside a transaction Xapian commits by itself after 10,000 changes, without our sequence */
	db.begin_transaction();
	*ret = new search_index{db, analyser, gate, sequence_of(db)};
	return ARK_OK;
}

/* After a commit: waits, for a bounded time, until the queries that began before it are done. */
void gate_turn(struct search_gate *gate) noexcept
{
	struct timespec until;
	unsigned int before;

	if (!gate)
		return;
	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += GATE_S;
	pthread_mutex_lock(&gate->lock);
	before = gate->epoch++ & 1;
	while (gate->active[before] &&
	       pthread_cond_clockwait(&gate->left, &gate->lock, CLOCK_MONOTONIC, &until) == 0)
		;
	pthread_mutex_unlock(&gate->lock);
}

/* A query in progress. */
class passage
{
      public:
	explicit passage(struct search_gate *g) : gate(g)
	{
		if (!gate)
			return;
		pthread_mutex_lock(&gate->lock);
		half = gate->epoch & 1;
		gate->active[half]++;
		pthread_mutex_unlock(&gate->lock);
	}
	~passage()
	{
		if (!gate)
			return;
		pthread_mutex_lock(&gate->lock);
		gate->active[half]--;
		pthread_cond_broadcast(&gate->left);
		pthread_mutex_unlock(&gate->lock);
	}
	passage(const passage &) = delete;
	passage &operator=(const passage &) = delete;

      private:
	struct search_gate *gate;
	unsigned int half = 0;
};

/* ---- queries ---- */

using queries = std::vector<Xapian::Query>;

Xapian::Query any_of(const queries &q)
{
	return q.empty() ? Xapian::Query::MatchNothing
			 : Xapian::Query(Xapian::Query::OP_OR, q.begin(), q.end());
}

Xapian::Query all_of(const queries &q)
{
	return q.empty() ? Xapian::Query::MatchAll
			 : Xapian::Query(Xapian::Query::OP_AND, q.begin(), q.end());
}

Xapian::Query but_not(const Xapian::Query &q, const Xapian::Query &without)
{
	return without.empty() ? q : Xapian::Query(Xapian::Query::OP_AND_NOT, q, without);
}

/* A set of entries: those of q, or all the others. "All but" is kept as that for as long as
 * possible: what excludes is mostly small, and need not be tested against every entry. */
struct entries {
	Xapian::Query q;
	bool others;
};

entries nothing()
{
	return {Xapian::Query(), false};
}

entries everything()
{
	return {Xapian::Query(), true};
}

entries complement(const entries &e)
{
	return {e.q, !e.others};
}

entries intersection(const std::vector<entries> &sets)
{
	queries in, out;

	for (const entries &e : sets) {
		if (!e.others && e.q.empty())
			return nothing();
		if (!e.q.empty())
			(e.others ? out : in).push_back(e.q);
	}
	if (in.empty())
		return {any_of(out), true};
	return {but_not(all_of(in), any_of(out)), false};
}

entries sum(std::vector<entries> sets)
{
	for (entries &e : sets)
		e.others = !e.others;
	return complement(intersection(sets));
}

/* Entries with one of many units, by the value that holds their units. A search that finds little looks
 * at few values, where opening a list for each of 300 units took 7 ms (of 7 for all the rest). */
class unit_source : public Xapian::ValuePostingSource
{
      public:
	using units = std::unordered_set<std::string>;

	unit_source(Xapian::valueno of, std::shared_ptr<const units> wanted)
	    : ValuePostingSource(of), any_of(std::move(wanted))
	{
	}

	void init(const Xapian::Database &database) override
	{
		ValuePostingSource::init(database);
		set_termfreq_min(0);
	}

	void next(double min_weight) override
	{
		do
			ValuePostingSource::next(min_weight);
		while (!at_end() && !wanted());
	}

	void skip_to(Xapian::docid to, double min_weight) override
	{
		ValuePostingSource::skip_to(to, min_weight);
		while (!at_end() && !wanted())
			ValuePostingSource::next(min_weight);
	}

	bool check(Xapian::docid at, double min_weight) override
	{
		return ValuePostingSource::check(at, min_weight) && (at_end() || wanted());
	}

	PostingSource *clone() const override
	{
		return new unit_source(get_slot(), any_of);
	}

      private:
	const std::shared_ptr<const units> any_of;

	bool wanted() const
	{
		const std::string lines = get_value();
		size_t start = 0, end;

		while ((end = lines.find('\n', start)) != std::string::npos) {
			if (any_of->count(lines.substr(start, end - start)))
				return true;
			start = end + 1;
		}
		return any_of->count(start ? lines.substr(start) : lines) > 0;
	}
};

/* What a sight shows, in terms that this revision of the index has. */
class compiler
{
      public:
	explicit compiler(const Xapian::Database &database) : db(database)
	{
	}

	/* The whole entries where `whole` admits them, and of the other versions that `any` admits
	 * the public ones; each only where it is the newest that `any` admits. */
	entries visible(const struct access_sight *sight, bool versions_all)
	{
		const entries public_form = has(TERMS_PUBLIC_FORM);
		const entries whole = filter(sight->whole, 0, 0);
		entries shown = intersection({whole, complement(public_form)});

		if (sight->any != sight->whole)
			shown = sum({shown, intersection({public_form, filter(sight->any, 0, 0),
						complement(whole)})});
		if (!versions_all)
			shown = intersection({shown, complement(hidden(sight->any))});
		return shown;
	}

      private:
	const Xapian::Database &db;

	static entries has(const std::string &term)
	{
		return {Xapian::Query(term), false};
	}

	/* Entries of a version that is never a hit, or which has a newer one that f admits. */
	entries hidden(const struct access_filter *f)
	{
		std::vector<entries> any = {has(TERMS_NEVER_HIT)};

		for (unsigned int newer = 1; newer < SEARCH_RANKS; newer++) {
			const std::string term = TERMS_NEWER + std::to_string(newer);

			if (!db.term_exists(term))
				break;
			any.push_back(intersection({has(term), filter(f, newer, 0)}));
		}
		return sum(any);
	}

	/* f over the version's own attributes (newer 0), or over those that the newer version of
	 * that rank has. */
	entries filter(const struct access_filter *f, unsigned int newer, unsigned int depth)
	{
		std::vector<entries> parts;

		if (depth > FILTER_DEPTH_MAX)
			throw Xapian::InvalidArgumentError("the filter is too deep");
		if (f->op == ACCESS_OP_OR)
			return alternatives(f, newer, depth);
		for (size_t i = 0; i < f->children; i++)
			parts.push_back(filter(f->child[i], newer, depth + 1));
		switch (f->op) {
		case ACCESS_OP_ALL:
			return everything();
		case ACCESS_OP_HAS:
			return attribute(f, newer);
		case ACCESS_OP_PRESENT:
			return present(f->attribute, newer);
		case ACCESS_OP_UPTO:
			return up_to(f, newer);
		case ACCESS_OP_AND:
			return intersection(parts);
		case ACCESS_OP_NOT:
			return parts.size() == 1 ? complement(parts[0]) : nothing();
		case ACCESS_OP_OR:
		case ACCESS_OP_NONE:
			break;
		}
		return nothing();
	}

	static bool is_unit(const struct access_filter *f)
	{
		return f->op == ACCESS_OP_HAS && f->attribute == ACCESS_ATTR_UNIT && f->value &&
		       *f->value;
	}

	entries alternatives(const struct access_filter *f, unsigned int newer, unsigned int depth)
	{
		auto units = std::make_shared<unit_source::units>();
		std::vector<entries> parts;

		for (size_t i = 0; i < f->children; i++)
			if (is_unit(f->child[i]))
				units->insert(f->child[i]->value);
		if (units->size() <= UNITS_AS_TERMS)
			units->clear();
		for (size_t i = 0; i < f->children; i++)
			if (units->empty() || !is_unit(f->child[i]))
				parts.push_back(filter(f->child[i], newer, depth + 1));
		if (!units->empty()) {
			const Xapian::valueno slot =
			    newer ? SLOT_NEWER_UNIT + newer - 1 : Xapian::valueno{SLOT_UNIT};
			auto *source = new unit_source(slot, std::move(units));

			parts.push_back({Xapian::Query(source->release()), false});
		}
		return sum(parts);
	}

	static entries attribute(const struct access_filter *f, unsigned int newer)
	{
		char term[256];

		if (!f->value || !*f->value ||
		    !terms_attribute(term, newer, f->attribute, f->value))
			return nothing(); /* too long a value is no entry's */
		return has(term);
	}

	static entries present(enum access_attribute attribute, unsigned int newer)
	{
		char term[256];

		if (!terms_day(term, newer, attribute, TERMS_DAY_PRESENT, nullptr))
			return nothing();
		return has(term);
	}

	/* Years before it, months of its year before it, days of its month up to it; or all that have
	 * a day but those after it, when these have fewer terms. */
	entries up_to(const struct access_filter *f, unsigned int newer)
	{
		queries before, after;

		if (!f->value || !*f->value)
			return nothing();
		if (!terms_is_day(f->value))
			throw Xapian::InvalidArgumentError("a filter by what is no day");
		for (enum terms_day level : {TERMS_YEAR, TERMS_MONTH, TERMS_DAY})
			if (!divide(f, newer, level, before, after))
				return nothing();
		if (before.size() <= after.size())
			return {any_of(before), false};
		return intersection({present(f->attribute, newer), {any_of(after), true}});
	}

	/* Terms of one level that exist within the year or month that f's day lies in. */
	bool divide(const struct access_filter *f, unsigned int newer, enum terms_day level,
	    queries &before, queries &after)
	{
		char at[256];

		if (!terms_day(at, newer, f->attribute, level, f->value))
			return false;
		const std::string pivot = at;
		const size_t own = level == TERMS_YEAR ? 4 : 2; /* digits that the level adds */
		const std::string stem = pivot.substr(0, pivot.size() - own);

		for (auto t = db.allterms_begin(stem); t != db.allterms_end(stem); ++t) {
			const int order = (*t).compare(pivot);

			if (order > 0)
				after.emplace_back(*t);
			else if (order < 0 || level == TERMS_DAY)
				before.emplace_back(*t);
		}
		return true;
	}
};

Xapian::Query phrase_query(const struct query_node &part)
{
	std::vector<std::string> words;

	for (size_t i = 0; i < part.terms_len; i++)
		words.emplace_back(part.terms[i].text, part.terms[i].len);
	return {Xapian::Query::OP_PHRASE, words.begin(), words.end(),
	    static_cast<Xapian::termcount>(words.size())};
}

Xapian::Query synonyms(const std::vector<std::string> &terms, double weight)
{
	Xapian::Query one(Xapian::Query::OP_SYNONYM, terms.begin(), terms.end());

	return weight == 1 ? one : Xapian::Query(Xapian::Query::OP_SCALE_WEIGHT, one, weight);
}

/* OR(lemmas, compounds of the text that contain it, parts of itself, title). */
Xapian::Query word_query(const struct query_node &part)
{
	std::vector<std::string> words, compounds, own, title;
	queries any;

	for (size_t i = 0; i < part.terms_len; i++) {
		const struct query_term &t = part.terms[i];
		const std::string text(t.text, t.len);
		const std::string lemma = analyse_prefix(t.language, ANALYSE_LEMMA);

		if (t.kind == ANALYSE_RAW) {
			words.push_back(text);
		} else if (t.kind == ANALYSE_LEMMA) {
			words.push_back(lemma + text);
			compounds.push_back("K" + text);
			title.push_back(lemma + "S" + text);
		} else {
			own.push_back(lemma + text);
			own.push_back("K" + text);
		}
	}
	any.push_back(synonyms(words, 1));
	any.push_back(synonyms(compounds, WEIGHT_COMPOUND));
	if (!own.empty())
		any.push_back(synonyms(own, WEIGHT_OWN_PARTS));
	any.push_back(synonyms(title, WEIGHT_TITLE));
	return any_of(any);
}

Xapian::Query words_query(const struct query *q)
{
	queries any;

	for (size_t i = 0; q->root && i < q->root->children_len; i++) {
		const struct query_node &node = *q->root->children[i];

		any.push_back(node.kind == QUERY_PHRASE ? phrase_query(node) : word_query(node));
	}
	return any_of(any);
}

void add_exact(queries &all, const char *prefix, const char *value)
{
	if (!value || !*value)
		return;
	if (std::strlen(value) > ANALYSE_WORD_MAX)
		all.push_back(Xapian::Query::MatchNothing);
	else
		all.push_back(Xapian::Query(std::string(prefix) + value));
}

void add_dates(queries &all, const char *from, const char *to)
{
	if (from && *from)
		all.push_back(Xapian::Query(Xapian::Query::OP_VALUE_GE, SLOT_DATE, from));
	if (to && *to)
		all.push_back(Xapian::Query(Xapian::Query::OP_VALUE_LE, SLOT_DATE, to));
}

Xapian::Query documents_query(const char (*documents)[33], size_t n)
{
	queries any;

	for (size_t i = 0; i < n; i++)
		any.push_back(Xapian::Query(std::string("XD") + documents[i]));
	return n ? any_of(any) : Xapian::Query();
}

/* What is searched for, over what is shown: filters weigh nothing, and what few entries have is
 * tested last, against what is left. */
Xapian::Query whole_query(
    const Xapian::Database &db, const struct search_request *request, const struct query *words)
{
	const entries shown = compiler(db).visible(request->sight, request->versions_all);
	queries all;

	if (!shown.others)
		all.push_back(shown.q);
	add_exact(all, "XU", request->unit);
	add_exact(all, "XC", request->case_id);
	add_exact(all, "XT", request->type);
	add_exact(all, "XR", request->county);
	add_exact(all, "XL", request->language);
	add_dates(all, request->from, request->to);

	Xapian::Query q = all_of(all);

	if (words && all.empty())
		q = words_query(words);
	else if (words)
		q = Xapian::Query(Xapian::Query::OP_FILTER, words_query(words), q);
	if (shown.others)
		q = but_not(q, shown.q);
	return but_not(q, documents_query(request->without, request->without_len));
}

/* ---- facets ---- */

/* Counts the values of every match. Values are read in docid order, so each is one step on. */
class facet_counter : public Xapian::MatchSpy
{
      public:
	void operator()(const Xapian::Document &x, double) override
	{
		static const struct {
			enum search_facet facet;
			Xapian::valueno slot;
		} from[] = {{FACET_TYPE, SLOT_TYPE}, {FACET_UNIT, SLOT_UNIT},
		    {FACET_COUNTY, SLOT_COUNTY}, {FACET_LANGUAGE, SLOT_LANGUAGE},
		    {FACET_PUBLICITY, SLOT_PUBLICITY}};

		for (const auto &f : from)
			count_lines(f.facet, x.get_value(f.slot));
		count(FACET_YEAR, x.get_value(SLOT_DATE).substr(0, 4));
	}

	void fill(struct search_result *result) const
	{
		for (int f = 0; f < SEARCH_FACETS; f++)
			fill_one(counts[f], result->facets[f].counts, result->facets[f].len);
	}

      private:
	using table = std::unordered_map<std::string, uint64_t>;
	table counts[SEARCH_FACETS];

	void count(enum search_facet facet, const std::string &value)
	{
		if (!value.empty())
			counts[facet][value]++;
	}

	void count_lines(enum search_facet facet, const std::string &lines)
	{
		size_t start = 0, end;

		while ((end = lines.find('\n', start)) != std::string::npos) {
			count(facet, lines.substr(start, end - start));
			start = end + 1;
		}
		count(facet, lines.substr(start));
	}

	static void fill_one(const table &t, struct search_count *&ret, size_t &ret_len)
	{
		std::vector<std::pair<std::string, uint64_t>> all(t.begin(), t.end());

		std::sort(all.begin(), all.end(), [](const auto &a, const auto &b) {
			return a.second != b.second ? a.second > b.second : a.first < b.first;
		});
		if (all.size() > SEARCH_FACET_VALUES_MAX)
			all.resize(SEARCH_FACET_VALUES_MAX);
		ret = static_cast<struct search_count *>(std::calloc(all.size() + 1, sizeof(*ret)));
		if (!ret)
			throw std::bad_alloc();
		for (const auto &[value, n] : all) {
			ret[ret_len].value = strdup(value.c_str());
			if (!ret[ret_len].value)
				throw std::bad_alloc();
			ret[ret_len++].count = n;
		}
	}
};

/* ---- answering ---- */

using result_guard = std::unique_ptr<struct search_result, void (*)(struct search_result *)>;

void fill_hits(const Xapian::MSet &matches, struct search_result *result)
{
	result->hits = static_cast<struct search_hit *>(
	    std::calloc(matches.size() + 1, sizeof(*result->hits)));
	if (!result->hits)
		throw std::bad_alloc();
	for (auto m = matches.begin(); m != matches.end(); ++m) {
		const std::string id = m.get_document().get_data();
		const size_t dash = id.find('-');
		struct search_hit &hit = result->hits[result->hits_len];
		char *end = nullptr;

		if (dash == std::string::npos || dash >= sizeof(hit.document))
			throw Xapian::DatabaseCorruptError("an entry without an id");
		id.copy(hit.document, dash);
		hit.version = static_cast<uint32_t>(std::strtoul(id.c_str() + dash + 1, &end, 10));
		hit.whole = *end == '\0';
		result->hits_len++;
	}
}

void answer(struct search_reader *r, const struct search_request *request,
    const struct query *words, struct search_result *ret)
{
	Xapian::Enquire enquire(r->db);
	const Xapian::doccount documents = r->db.get_doccount();
	facet_counter facets;
	struct search_result result = {};
	result_guard guard(&result, search_result_clear);

	enquire.set_query(whole_query(r->db, request, words));
	if (words)
		enquire.set_weighting_scheme(Xapian::BM25Weight(1.2, 0, 1, 0.75, 0.5));
	else
		enquire.set_weighting_scheme(Xapian::BoolWeight());
	enquire.set_docid_order(Xapian::Enquire::DESCENDING);
	if (!words || request->sort == SEARCH_BY_DATE)
		enquire.set_sort_by_value(SLOT_DATE, true);
	if (request->facets)
		enquire.add_matchspy(&facets);

	/* check_at_least of the whole index makes the total exact, and shows every match to the spy */
	const Xapian::MSet matches = enquire.get_mset(request->offset, request->limit, documents);

	result.total = matches.get_matches_estimated();
	fill_hits(matches, &result);
	if (request->limit && request->offset + result.hits_len < result.total &&
	    request->offset + result.hits_len <= SEARCH_OFFSET_MAX)
		result.next_offset = static_cast<unsigned int>(request->offset + result.hits_len);
	if (request->facets)
		facets.fill(&result);
	*ret = result;
	guard.release();
}

/* f() against the newest commit. Where no gate protects it, or it took longer than the gate waits,
 * the writer may write over what it reads. Xapian mostly sees that as DatabaseModified, but a block
 * read half old and half new as DatabaseCorrupt (twice in 24,000 queries beside a writer that did
 * nothing but commit): either is tried again, and believed the third time. */
template <typename F> int with_newest(struct search_reader *r, F &&f)
{
	for (unsigned int disturbed = 0;; disturbed++) {
		const passage held(r->gate);

		try {
			r->db.reopen();
			f();
			return ARK_OK;
		} catch (const Xapian::DatabaseError &) {
			if (disturbed == DISTURBED_MAX)
				throw;
		}
	}
}

int check_request(const struct search_request *request, struct ark_error *err)
{
	if (!request->sight || !request->sight->any || !request->sight->whole)
		return ark_fail(err, ARK_EINPUT, "a search without the policy's filter");
	if (request->limit > SEARCH_LIMIT_MAX)
		return ark_fail(err, ARK_EINPUT, "limit is more than %u", SEARCH_LIMIT_MAX);
	if (request->offset > SEARCH_OFFSET_MAX)
		return ark_fail(err, ARK_EINPUT, "more than %u hits on", SEARCH_OFFSET_MAX);
	return ARK_OK;
}

bool is_blank(const char *q)
{
	return !q || q[std::strspn(q, " \t\r\n")] == '\0';
}

} // namespace

/* ---- the C interface ---- */

extern "C" {

int search_gate_new(struct search_gate **ret, struct ark_error *err)
{
	auto *g = new (std::nothrow) search_gate;

	if (!g)
		return ark_fail(err, ARK_ENOMEM, "no memory for a gate");
	*g = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0, {0, 0}};
	*ret = g;
	return ARK_OK;
}

void search_gate_free(struct search_gate *g)
{
	if (g) {
		pthread_cond_destroy(&g->left);
		pthread_mutex_destroy(&g->lock);
	}
	delete g;
}

int search_open_writer(const char *dir, struct analyser *analyser, struct search_gate *gate,
    struct search_index **ret, struct ark_error *err)
{
	return guarded(err, "open the index for writing",
	    [&] { return open_writer(dir, analyser, gate, ret, err); });
}

/* A WritableDatabase commits when it is destroyed, unless the transaction was cancelled. */
void search_close(struct search_index *w)
{
	if (!w)
		return;
	guarded(nullptr, "close the index", [&] {
		w->db.cancel_transaction();
		w->db.close();
		return 0;
	});
	guarded(nullptr, "close the index", [&] {
		delete w;
		return 0;
	});
}

uint64_t search_sequence(const struct search_index *w)
{
	return w->sequence;
}

int search_put(struct search_index *w, const struct search_document *d, struct ark_error *err)
{
	return guarded(err, "put a document into the index", [&] { return put(w, d, err); });
}

int search_set_versions(struct search_index *w, const char *document,
    const struct search_version *newest_first, size_t n, struct ark_error *err)
{
	return guarded(err, "rank the versions of a document",
	    [&] { return set_versions(w, document, newest_first, n, err); });
}

int search_delete(
    struct search_index *w, const char *document, uint32_t version, struct ark_error *err)
{
	return guarded(err, "delete a document from the index", [&] {
		if (version) {
			w->db.delete_document(unique_term(document, version, false));
			w->db.delete_document(unique_term(document, version, true));
		} else {
			w->db.delete_document(std::string("XD") + document);
		}
		return ARK_OK;
	});
}

int search_delete_public(
    struct search_index *w, const char *document, uint32_t version, struct ark_error *err)
{
	return guarded(err, "delete a rendition from the index", [&] {
		w->db.delete_document(unique_term(document, version, true));
		return ARK_OK;
	});
}

int search_commit(struct search_index *w, uint64_t sequence, struct ark_error *err)
{
	return guarded(err, "commit the index", [&] {
		w->db.set_metadata(KEY_SEQUENCE, std::to_string(sequence));
		w->db.commit_transaction();
		w->sequence = sequence;
		gate_turn(w->gate);
		w->db.begin_transaction();
		return ARK_OK;
	});
}

int search_open_reader(const char *dir, struct analyser *analyser, struct search_gate *gate,
    struct search_reader **ret, struct ark_error *err)
{
	if (!fs_exists(dir))
		return ark_fail(
		    err, ARK_ENOTFOUND, "there is no index: run `arkki rebuild DIR index`");
	return guarded(err, "open the index", [&] {
		*ret = new search_reader{Xapian::Database(dir), analyser, gate};
		return ARK_OK;
	});
}

void search_reader_free(struct search_reader *r)
{
	guarded(nullptr, "close the index", [&] {
		delete r;
		return 0;
	});
}

int search_reader_sequence(struct search_reader *r, uint64_t *ret, struct ark_error *err)
{
	return guarded(err, "read the sequence of the index",
	    [&] { return with_newest(r, [&] { *ret = sequence_of(r->db); }); });
}

int search_query(struct search_reader *r, const struct search_request *request,
    struct search_result *ret, struct ark_error *err)
{
	const struct query_config config = {request->language, request->synonyms, request->names};
	struct query *words = nullptr;
	int status = check_request(request, err);

	if (!status && !is_blank(request->q))
		status = query_parse(r->analyser, request->q, &config, &words, err);
	if (!status)
		status = guarded(err, "search",
		    [&] { return with_newest(r, [&] { answer(r, request, words, ret); }); });
	query_free(words);
	return status;
}

int search_ranking(struct search_reader *r, const struct search_request *request, unsigned int max,
    struct search_hit **ret, size_t *ret_len, struct ark_error *err)
{
	struct search_request asked = *request;
	struct search_result found = {};
	int status;

	asked.offset = 0;
	asked.limit = max < SEARCH_LIMIT_MAX ? max : SEARCH_LIMIT_MAX;
	asked.facets = false;
	status = search_query(r, &asked, &found, err);
	if (status)
		return status;
	*ret = found.hits;
	*ret_len = found.hits_len;
	found.hits = nullptr;
	search_result_clear(&found);
	return ARK_OK;
}

void search_words_clear(struct search_words *w)
{
	for (size_t i = 0; i < w->len; i++)
		std::free(w->list[i].word);
	std::free(w->list);
	*w = {};
}

int search_complete(struct search_reader *, const struct access_sight *, const char *, unsigned int,
    struct search_words *ret, struct ark_error *)
{
	*ret = {};
	return ARK_OK;
}

int search_did_you_mean(
    struct search_reader *, const struct search_request *, struct buf *, struct ark_error *)
{
	return ARK_OK;
}

int search_total(struct search_reader *r, const struct search_request *request, uint64_t *ret,
    struct ark_error *err)
{
	struct search_request asked = *request;
	struct search_result found = {};
	int status;

	asked.offset = asked.limit = 0;
	asked.facets = false;
	status = search_query(r, &asked, &found, err);
	if (!status)
		*ret = found.total;
	search_result_clear(&found);
	return status;
}

void search_result_clear(struct search_result *result)
{
	std::free(result->hits);
	buf_wipe_free(&result->read);
	for (auto &facet : result->facets) {
		for (size_t i = 0; i < facet.len; i++)
			std::free(facet.counts[i].value);
		std::free(facet.counts);
	}
	*result = {};
}

} /* extern "C" */
