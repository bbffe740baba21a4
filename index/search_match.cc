/* What of a tree is found, and how much it weighs.
 *
 * Xapian's matcher goes from entry to entry through a tree of lists, which costs about a microsecond for each
 * that matches, and passes over what cannot be among the best; totals and facets need all of them. So
 * here each list of postings is walked once, from first to last, against a bitmap of the entries that may still
 * be found, and total, facets and order come from the one list of matches.
 *
 * Weights are those of Xapian 1.4: BM25 with these parameters, a synonym as one term that as many entries have as
 * its terms would if they were spread independently.
 */
#include "index/search_xapian.hh"

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <limits>
#include <utility>

namespace arkki
{

namespace
{

const double K1 = 1.2, B = 0.8, LEAST_LENGTH = 0.5;
const unsigned int DEPTH_MAX =
    256; /* a tree has four levels for each of the query's, and its filters */
/* A jump in a list of postings costs about as much as so many steps. */
const uint64_t JUMP = 24;
/* Words whose postings are a 16th of the entries or more are added up in tables. */
const uint64_t TABLES = 16;

bitmap entries_of(const matches &list, Xapian::docid last)
{
	bitmap bits(last);

	for (const match &m : list)
		bits.add(m.entry);
	return bits;
}

/* Entries in the order of their numbers, for Xapian. */
class listed_entries : public Xapian::PostingSource
{
      public:
	explicit listed_entries(std::vector<Xapian::docid> those) : entries(std::move(those))
	{
	}
	void init(const Xapian::Database &) override
	{
		at = 0;
		begun = false;
	}
	Xapian::doccount get_termfreq_min() const override
	{
		return get_termfreq_est();
	}
	Xapian::doccount get_termfreq_est() const override
	{
		return static_cast<Xapian::doccount>(entries.size());
	}
	Xapian::doccount get_termfreq_max() const override
	{
		return get_termfreq_est();
	}
	void next(double) override
	{
		at += begun;
		begun = true;
	}
	void skip_to(Xapian::docid to, double) override
	{
		begun = true;
		at = static_cast<size_t>(
		    std::lower_bound(
			entries.begin() + static_cast<std::ptrdiff_t>(at), entries.end(), to) -
		    entries.begin());
	}
	bool at_end() const override
	{
		return at >= entries.size();
	}
	Xapian::docid get_docid() const override
	{
		return entries[at];
	}

      private:
	const std::vector<Xapian::docid> entries;
	size_t at = 0;
	bool begun = false;
};

class matcher
{
      public:
	matcher(const Xapian::Database &database, const columns &of)
	    : db(database), c(of), documents(db.get_doccount()), average(db.get_avlength())
	{
	}

	bitmap find(const sought &q, const bitmap &within, unsigned int depth)
	{
		check_depth(depth);
		switch (q.what) {
		case sought::NOTHING:
			break;
		case sought::EVERYTHING:
			return within;
		case sought::SYNONYM:
			return with_terms(q.terms, within);
		case sought::PHRASE:
			return in_a_row(q.terms, within);
		case sought::VALUES:
			return values(q, within);
		case sought::UNITS:
			return units(q, within);
		case sought::ANY: {
			bitmap any(c.last);

			for (const sought &part : q.parts)
				any.join(find(part, within, depth + 1));
			return any;
		}
		case sought::ALL:
		case sought::FILTER:
			return find_all(q.parts, within, depth);
		case sought::ALL_MAYBE:
		case sought::SCALED:
			return find(q.parts[0], within, depth + 1);
		case sought::BUT_NOT: {
			bitmap some = find(q.parts[0], within, depth + 1);

			some.drop(find(q.parts[1], some, depth + 1));
			return some;
		}
		}
		return bitmap(c.last);
	}

	matches weigh(const sought &q, const bitmap &within, double factor, unsigned int depth)
	{
		check_depth(depth);
		if (factor == 0)
			return weightless(find(q, within, depth));
		switch (q.what) {
		case sought::SYNONYM:
			return weigh_any({q}, within, factor, depth);
		case sought::PHRASE:
			return weighed_row(q.terms, within, factor);
		case sought::ANY:
			if (is_word(q))
				return weigh_any({q}, within, factor, depth);
			return weigh_any(q.parts, within, factor, depth);
		case sought::ALL:
			return weigh_all(q.parts, within, factor, depth);
		case sought::ALL_MAYBE: {
			const match_list must = owned(weigh(q.parts[0], within, factor, depth + 1));
			const bitmap in = entries_of(*must, c.last);

			return sum_within(
			    {must, owned(weigh(q.parts[1], in, factor, depth + 1))}, in);
		}
		case sought::FILTER:
			return weigh_filtered(q, within, factor, depth);
		case sought::BUT_NOT: {
			matches some = weigh(q.parts[0], within, factor, depth + 1);
			const bitmap out = find(q.parts[1], entries_of(some, c.last), depth + 1);

			leave(some, [&](Xapian::docid d) { return !out.has(d); });
			return some;
		}
		case sought::SCALED:
			return weigh(q.parts[0], within, factor * q.scale, depth + 1);
		case sought::NOTHING:
		case sought::EVERYTHING:
		case sought::VALUES:
		case sought::UNITS:
			break;
		}
		return weightless(find(q, within, depth));
	}

      private:
	const Xapian::Database &db;
	const columns &c;
	const Xapian::doccount documents;
	const double average;

	static void check_depth(unsigned int depth)
	{
		if (depth > DEPTH_MAX)
			throw Xapian::InvalidArgumentError("the query is too deep");
	}

	template <typename F> static void leave(matches &list, F &&which)
	{
		list.erase(std::remove_if(list.begin(), list.end(),
			       [&](const match &m) { return !which(m.entry); }),
		    list.end());
	}

	static matches weightless(const bitmap &found)
	{
		matches list;

		list.reserve(found.count());
		found.each([&](Xapian::docid d) { list.push_back({d, 0}); });
		return list;
	}

	/* ---- how many there are, about ---- */

	Xapian::doccount frequency(const std::string &term) const
	{
		return c.lists->frequency(db, term);
	}

	uint64_t about(const sought &q, unsigned int depth)
	{
		uint64_t sum = 0, least = documents;

		check_depth(depth);
		switch (q.what) {
		case sought::SYNONYM:
			for (const std::string &term : q.terms)
				sum += frequency(term);
			return sum;
		case sought::PHRASE:
			for (const std::string &term : q.terms)
				least = std::min<uint64_t>(least, frequency(term));
			return least;
		case sought::ANY:
			for (const sought &part : q.parts)
				sum += about(part, depth + 1);
			return sum;
		case sought::ALL:
		case sought::FILTER:
			for (const sought &part : q.parts)
				least = std::min(least, about(part, depth + 1));
			return least;
		case sought::ALL_MAYBE:
		case sought::BUT_NOT:
		case sought::SCALED:
			return about(q.parts[0], depth + 1);
		case sought::NOTHING:
			return 0;
		case sought::EVERYTHING:
		case sought::VALUES:
		case sought::UNITS:
			break;
		}
		return documents;
	}

	/* The least first: what it leaves is all that the others are asked for. */
	std::vector<const sought *> least_first(const queries &parts, unsigned int depth)
	{
		std::vector<std::pair<uint64_t, const sought *>> order;
		std::vector<const sought *> out;

		for (const sought &part : parts)
			order.emplace_back(about(part, depth + 1), &part);
		std::stable_sort(order.begin(), order.end(),
		    [](const auto &a, const auto &b) { return a.first < b.first; });
		for (const auto &one : order)
			out.push_back(one.second);
		return out;
	}

	/* ---- postings ---- */

	/* f(entry, posting, is within) for those of the term that are within, and perhaps others. */
	template <typename F>
	void each_posting(const std::string &term, uint64_t n, const bitmap &within, F &&f)
	{
		const auto end = db.postlist_end(term);
		auto p = db.postlist_begin(term);

		if (n * JUMP > frequency(term)) {
			for (; p != end; ++p) {
				const Xapian::docid d = *p;

				f(d, p, within.has(d));
			}
			return;
		}
		within.each([&](Xapian::docid d) {
			if (p == end)
				return;
			p.skip_to(d);
			if (p != end && *p == d)
				f(d, p, true);
		});
	}

	/* How often the entries have the term, as their weight. Whether an entry is within is as good as chance:
	 * written always, kept where it is. */
	matches postings(const std::string &term, const bitmap &within, uint64_t n)
	{
		matches out(std::min<uint64_t>(n, frequency(term)) + 1);
		size_t len = 0;

		each_posting(term, n, within, [&](Xapian::docid d, const auto &p, bool is_within) {
			out[len] = {d, static_cast<double>(p.get_wdf())};
			len += is_within;
		});
		out.resize(len);
		return out;
	}

	bitmap with_terms(const std::vector<std::string> &terms, const bitmap &within)
	{
		const uint64_t n = within.count();
		bitmap found(c.last);

		for (const std::string &term : terms)
			each_posting(
			    term, n, within, [&](Xapian::docid d, const auto &, bool is_within) {
				    if (is_within)
					    found.add(d);
			    });
		return found;
	}

	bitmap find_all(const queries &parts, const bitmap &within, unsigned int depth)
	{
		bitmap left = within;

		for (const sought *part : least_first(parts, depth))
			left = find(*part, left, depth + 1);
		return left;
	}

	/* ---- rows of words ---- */

	bitmap in_a_row(const std::vector<std::string> &terms, const bitmap &within)
	{
		queries words;
		bitmap found(c.last);

		for (const std::string &term : terms)
			words.emplace_back(term);
		const bitmap all = find_all(words, within, 0);

		if (terms.size() == 1)
			return all;
		std::vector<Xapian::docid> listed;

		all.each([&](Xapian::docid d) { listed.push_back(d); });
		if (listed.empty())
			return found;
		Xapian::Enquire enquire(db);
		auto *source = new listed_entries(std::move(listed));

		enquire.set_query({Xapian::Query::OP_FILTER,
		    Xapian::Query(Xapian::Query::OP_PHRASE, terms.begin(), terms.end(),
			static_cast<Xapian::termcount>(terms.size())),
		    Xapian::Query(source->release())});
		enquire.set_weighting_scheme(Xapian::BoolWeight());
		const Xapian::MSet rows = enquire.get_mset(0, documents);

		for (auto m = rows.begin(); m != rows.end(); ++m)
			found.add(*m);
		return found;
	}

	/* ---- values ---- */

	template <typename F> bitmap by_code(const column &of, const bitmap &within, F &&wanted)
	{
		std::vector<bool> good(std::max<size_t>(of.value.size(), 1));
		bitmap found(c.last);

		for (size_t i = 0; i < of.value.size(); i++)
			good[i] = wanted(of.value[i]);
		within.each([&](Xapian::docid d) {
			if (good[of.code[d]])
				found.add(d);
		});
		return found;
	}

	template <typename F>
	bitmap by_slot(Xapian::valueno slot, const bitmap &within, F &&wanted) const
	{
		bitmap found(c.last);

		for (auto v = db.valuestream_begin(slot); v != db.valuestream_end(slot); ++v)
			if (within.has(v.get_docid()) && wanted(*v))
				found.add(v.get_docid());
		return found;
	}

	bitmap values(const sought &q, const bitmap &within)
	{
		const std::string &from = q.terms[0], &to = q.terms[1];
		const auto wanted = [&](const std::string &v) {
			return v >= from && (to.empty() || v <= to);
		};

		return q.slot == SLOT_DATE ? by_code(c.date, within, wanted)
					   : by_slot(q.slot, within, wanted);
	}

	bitmap units(const sought &q, const bitmap &within)
	{
		const auto wanted = [&](const std::string &lines) {
			size_t start = 0, end;

			while ((end = lines.find('\n', start)) != std::string::npos) {
				if (q.any_unit->count(lines.substr(start, end - start)))
					return true;
				start = end + 1;
			}
			return q.any_unit->count(start ? lines.substr(start) : lines) > 0;
		};

		return q.slot == SLOT_UNIT ? by_code(c.unit, within, wanted)
					   : by_slot(q.slot, within, wanted);
	}

	/* ---- weights ---- */

	/* What is rare says more. Of what more than a third has, the formula would say less than nothing. */
	double importance(Xapian::doccount has, double factor) const
	{
		double odds = (documents - has + 0.5) / (has + 0.5);

		if (odds < 2)
			odds = odds * 0.5 + 1;
		return std::log(odds) * factor * (K1 + 1);
	}

	/* How many entries have one of the terms, if they were spread independently. */
	Xapian::doccount spread(const std::vector<std::string> &terms)
	{
		std::vector<Xapian::doccount> left;

		for (const std::string &term : terms)
			left.push_back(frequency(term));
		std::make_heap(left.begin(), left.end(), std::greater<>());
		while (left.size() > 1) {
			std::pop_heap(left.begin(), left.end(), std::greater<>());
			const double a = left.back();

			left.pop_back();
			std::pop_heap(left.begin(), left.end(), std::greater<>());
			const double b = left.back();

			left.back() =
			    static_cast<Xapian::doccount>(a + b - a * b / documents + 0.5);
			std::push_heap(left.begin(), left.end(), std::greater<>());
		}
		return left.empty() ? 0 : left[0];
	}

	double per_word() const
	{
		return average > 0 ? 1 / average : 0;
	}

	double weight_of(Xapian::docid entry, double times, double importance_of, double each) const
	{
		const Xapian::termcount length = c.length[entry];
		const double wdf = std::min<double>(times, length);
		const double norm = std::max(length * each, LEAST_LENGTH);

		return importance_of * (wdf / (K1 * (norm * B + (1 - B)) + wdf));
	}

	matches weighed(const std::vector<std::string> &terms, const bitmap &within, double factor)
	{
		const double importance_of = importance(spread(terms), factor);
		const double each = per_word();
		matches all = in_one(terms, within, within.count());

		for (match &m : all)
			m.weight = weight_of(m.entry, m.weight, importance_of, each);
		return all;
	}

	/* The postings of all terms, as if they were one. */
	matches in_one(const std::vector<std::string> &terms, const bitmap &within, uint64_t n)
	{
		std::vector<match_list> lists;

		if (terms.size() == 1)
			return postings(terms[0], within, n);
		for (const std::string &term : terms)
			lists.push_back(owned(postings(term, within, n)));
		return sum_within(std::move(lists), within);
	}

	static match_list owned(matches &&list)
	{
		return std::make_shared<const matches>(std::move(list));
	}

	/* ---- words ---- */

	static const sought &unscaled(const sought &q)
	{
		return q.what == sought::SCALED ? q.parts[0] : q;
	}

	/* What is asked for again and again: the lists of one word's terms, and nothing of its neighbours. */
	static bool is_word(const sought &q)
	{
		return q.what == sought::SYNONYM ||
		       (q.what == sought::ANY &&
			   std::all_of(q.parts.begin(), q.parts.end(), [](const sought &part) {
				   return unscaled(part).what == sought::SYNONYM;
			   }));
	}

	static void write_terms(const sought &q, double factor, std::string &out)
	{
		char number[32];

		std::snprintf(number, sizeof(number), "%a,%zu;", factor, q.terms.size());
		out += number;
		for (const std::string &term : q.terms)
			out += std::to_string(term.size()) + ':' + term;
	}

	/* Two words whose lists differ are written differently. */
	static std::string written(const sought &word, double factor)
	{
		std::string out;

		if (word.what == sought::SYNONYM)
			write_terms(word, factor, out);
		for (const sought &part : word.parts)
			write_terms(unscaled(part),
			    part.what == sought::SCALED ? factor * part.scale : factor, out);
		return out;
	}

	matches weighed_word(const sought &word, const bitmap &within, double factor)
	{
		std::vector<match_list> lists;

		if (word.what == sought::SYNONYM)
			return weighed(word.terms, within, factor);
		for (const sought &part : word.parts)
			lists.push_back(owned(weighed(unscaled(part).terms, within,
			    part.what == sought::SCALED ? factor * part.scale : factor)));
		return sum_within(std::move(lists), within);
	}

	/* The terms' weights in all entries, added to the table, which has a place for each. */
	void add_everywhere(const std::vector<std::string> &terms, double factor,
	    std::vector<Xapian::termcount> &times, std::vector<double> &weight, bitmap &found)
	{
		const double importance_of = importance(spread(terms), factor);
		const double each = per_word();
		bitmap some(c.last);

		for (const std::string &term : terms) {
			const auto end = db.postlist_end(term);

			for (auto p = db.postlist_begin(term); p != end; ++p) {
				const Xapian::docid d = *p;

				times[d] += p.get_wdf();
				some.add(d);
			}
		}
		some.each([&](Xapian::docid d) {
			weight[d] += weight_of(d, times[d], importance_of, each);
			times[d] = 0;
		});
		found.join(some);
	}

	/* What weighed_word() finds with nothing hidden, the same sums: for words that many entries have, where
	 * tables are cheaper than lists of lists. */
	matches weighed_everywhere(const sought &word, double factor)
	{
		std::vector<Xapian::termcount> times(static_cast<size_t>(c.last) + 1);
		std::vector<double> weight(static_cast<size_t>(c.last) + 1);
		bitmap found(c.last);
		matches out;

		if (word.what == sought::SYNONYM)
			add_everywhere(word.terms, factor, times, weight, found);
		for (const sought &part : word.parts)
			add_everywhere(unscaled(part).terms,
			    part.what == sought::SCALED ? factor * part.scale : factor, times,
			    weight, found);
		out.reserve(found.count());
		found.each([&](Xapian::docid d) { out.push_back({d, weight[d]}); });
		return out;
	}

	/* A word in all entries, kept for whoever asks next; or only in those within, where these are so few that
	 * jumping to them costs less. */
	match_list list_of_word(
	    const sought &word, const bitmap &within, double factor, unsigned int depth)
	{
		const std::string name = written(word, factor);
		match_list list = c.lists->find(name);

		if (list)
			return list;
		const uint64_t postings_of = about(word, depth);

		if (within.count() * JUMP <= postings_of)
			return owned(weighed_word(word, within, factor));
		list = owned(postings_of * TABLES > c.last
				 ? weighed_everywhere(word, factor)
				 : weighed_word(word, bitmap(c.last, true), factor));
		c.lists->keep(name, list);
		return list;
	}

	matches weigh_any(
	    const queries &parts, const bitmap &within, double factor, unsigned int depth)
	{
		std::vector<match_list> lists;

		for (const sought &part : parts) {
			const sought &one = unscaled(part);
			const double its =
			    part.what == sought::SCALED ? factor * part.scale : factor;

			lists.push_back(is_word(one) && its != 0
					    ? list_of_word(one, within, its, depth + 1)
					    : owned(weigh(part, within, factor, depth + 1)));
		}
		return sum_within(std::move(lists), within);
	}

	/* Each of its words weighs for itself. */
	matches weighed_row(
	    const std::vector<std::string> &terms, const bitmap &within, double factor)
	{
		const bitmap found = in_a_row(terms, within);
		std::vector<match_list> lists;

		for (const std::string &term : terms)
			lists.push_back(owned(weighed({term}, found, factor)));
		return sum_within(std::move(lists), found);
	}

	matches weigh_all(
	    const queries &parts, const bitmap &within, double factor, unsigned int depth)
	{
		bitmap left = within;
		std::vector<match_list> lists;

		for (const sought *part : least_first(parts, depth)) {
			lists.push_back(owned(weigh(*part, left, factor, depth + 1)));
			left = entries_of(*lists.back(), c.last);
		}
		return sum_within(std::move(lists), left);
	}

	/* Whichever leaves less goes first. */
	matches weigh_filtered(
	    const sought &q, const bitmap &within, double factor, unsigned int depth)
	{
		if (about(q.parts[0], depth + 1) >= about(q.parts[1], depth + 1))
			return weigh(
			    q.parts[0], find(q.parts[1], within, depth + 1), factor, depth + 1);
		matches some = weigh(q.parts[0], within, factor, depth + 1);
		const bitmap in = find(q.parts[1], entries_of(some, c.last), depth + 1);

		leave(some, [&](Xapian::docid d) { return in.has(d); });
		return some;
	}
};

} // namespace

bitmap find(const Xapian::Database &db, const columns &c, const sought &q, const bitmap &within)
{
	return matcher(db, c).find(q, within, 0);
}

matches weigh(const Xapian::Database &db, const columns &c, const sought &q, const bitmap &within)
{
	return matcher(db, c).weigh(q, within, 1, 0);
}

} // namespace arkki
