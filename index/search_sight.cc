/* What a sight shows: filters of the policy as sets of entries. */
#include "index/search_xapian.hh"

#include <cstring>
#include <utility>

namespace arkki
{

namespace
{

const unsigned int FILTER_DEPTH_MAX = 64;
const size_t UNITS_AS_TERMS =
    16; /* more of them in a filter are compared with the entries' values */

/* A set of entries: those of q, or all the others. */
struct entries {
	sought q;
	bool others;
};

entries nothing()
{
	return {{}, false};
}

entries everything()
{
	return {{}, true};
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
		return {sought(term), false};
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
		auto units = std::make_shared<sought::units>();
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
			sought with(sought::UNITS, queries{});

			with.slot = slot;
			with.any_unit = std::move(units);
			parts.push_back({with, false});
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

bitmap visible(const Xapian::Database &db, const columns &c, const struct access_sight *sight,
    bool versions_all)
{
	const entries shown = compiler(db).visible(sight, versions_all);
	bitmap all(c.last, true);

	/* columns, and "all the others", still have the numbers of entries that are gone */
	if (db.get_doccount() != c.last)
		all = find(db, c, sought(""), all);
	bitmap found = find(db, c, shown.q, all);

	if (!shown.others)
		return found;
	all.drop(found);
	return all;
}

std::string sight_key(const struct access_sight *sight, bool versions_all)
{
	std::string key = versions_all ? "all " : "";

	write_filter(sight->any, key, 0);
	write_filter(sight->whole, key, 0);
	return key;
}

} // namespace arkki
