/* What a sight shows: filters of the policy as sets of entries. */
#include "index/search_xapian.hh"

#include <algorithm>
#include <cstring>
#include <unordered_set>
#include <utility>

namespace arkki
{

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

namespace
{

const unsigned int FILTER_DEPTH_MAX = 64;
const size_t UNITS_AS_TERMS =
    16; /* more of them in a filter are compared with the entries' values */
const size_t MAPS_KEPT = 4;

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

/* ---- which entries, by number ---- */

class recorder : public Xapian::MatchSpy
{
      public:
	recorder(std::vector<bool> &to, bool as) : bits(to), value(as)
	{
	}
	void operator()(const Xapian::Document &x, double) override
	{
		bits[x.get_docid()] = value;
	}

      private:
	std::vector<bool> &bits;
	const bool value;
};

void write_filter(const struct access_filter *f, std::string &out, unsigned int depth)
{
	if (depth > FILTER_DEPTH_MAX)
		throw Xapian::InvalidArgumentError("the filter is too deep");
	out += std::to_string(f->op) + ' ' + std::to_string(f->attribute) + ' ';
	if (f->value)
		out += std::to_string(std::strlen(f->value)) + ':' + f->value;
	out += '(';
	for (size_t i = 0; i < f->children; i++)
		write_filter(f->child[i], out, depth + 1);
	out += ')';
}

} // namespace

entries visible(const Xapian::Database &db, const struct access_sight *sight, bool versions_all)
{
	return compiler(db).visible(sight, versions_all);
}

Xapian::Query among(const entries &shown, const Xapian::Query &q)
{
	if (shown.others)
		return but_not(q.empty() ? Xapian::Query::MatchAll : q, shown.q);
	return q.empty() ? shown.q : Xapian::Query(Xapian::Query::OP_FILTER, q, shown.q);
}

sight_map::sight_map(const Xapian::Database &db, const entries &shown)
    : bits(static_cast<size_t>(db.get_lastdocid()) + 1, shown.others)
{
	Xapian::Enquire enquire(db);
	recorder spy(bits, !shown.others);

	if (shown.q.empty())
		return;
	enquire.set_query(shown.q);
	enquire.set_weighting_scheme(Xapian::BoolWeight());
	enquire.add_matchspy(&spy);
	enquire.get_mset(0, 0, db.get_doccount());
}

Xapian::doccount sight_map::count(
    const Xapian::Database &db, const std::string &term, Xapian::doccount enough) const
{
	Xapian::doccount n = 0;

	for (auto p = db.postlist_begin(term); n < enough && p != db.postlist_end(term); ++p)
		n += shows(*p);
	return n;
}

bool sight_map::any(const Xapian::Database &db, const std::string &term) const
{
	return count(db, term, 1) > 0;
}

bool sight_map::shows(Xapian::docid entry) const
{
	return entry < bits.size() && bits[entry];
}

Xapian::doccount sight_map::shown() const
{
	return static_cast<Xapian::doccount>(std::count(bits.begin(), bits.end(), true));
}

void sight_map::hide(const Xapian::Database &db, const char (*documents)[33], size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const std::string term = std::string("XD") + documents[i];

		for (auto p = db.postlist_begin(term); p != db.postlist_end(term); ++p)
			if (*p < bits.size())
				bits[*p] = false;
	}
}

std::shared_ptr<const sight_map> sight_maps::of(
    const Xapian::Database &db, const struct access_sight *sight, bool versions_all)
{
	const Xapian::rev revision = db.get_revision();
	std::string key = versions_all ? "all " : "";

	write_filter(sight->any, key, 0);
	write_filter(sight->whole, key, 0);
	for (auto k = recent.begin(); k != recent.end(); ++k) {
		if (k->key != key || k->revision != revision)
			continue;
		recent.splice(recent.begin(), recent, k);
		return recent.front().map;
	}
	auto map = std::make_shared<const sight_map>(db, visible(db, sight, versions_all));

	recent.push_front({key, revision, map});
	while (recent.size() > MAPS_KEPT)
		recent.pop_back();
	return map;
}

std::shared_ptr<const sight_map> sight_maps::of(
    const Xapian::Database &db, const struct search_request *request)
{
	auto map = of(db, request->sight, request->versions_all);

	if (!request->without_len)
		return map;
	auto less = std::make_shared<sight_map>(*map);

	less->hide(db, request->without, request->without_len);
	return less;
}

} // namespace arkki
