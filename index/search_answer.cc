/* Hits, totals, facets and groups of near-duplicates. */
#include "index/search_xapian.hh"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <new>
#include <unordered_map>
#include <utility>

extern "C" {
#include "index/likeness.h"
}

namespace arkki
{

namespace
{

/* Fields of a packed value, a line each, as several values of one are in a slot of their own. */
const char LINE = '\n';
const enum search_facet PACKED[] = {
    FACET_TYPE, FACET_AUTHOR, FACET_LANGUAGE, FACET_YEAR, FACET_PUBLICITY};
/* With fewer matches the ranking has looked at all of them, and its count is exact. */
const Xapian::doccount RANKED_WHOLE = 2000;

/* Counts what matches have. Of the fields that have few values, whole packs are counted, and taken
 * apart at the end: a look-up a match where there were five. Units are too many for that: with them in
 * it nearly each match had a pack of its own, and a table of 60,000 took 80 of 108 ms. */
class facet_counter : public Xapian::MatchSpy
{
      public:
	void operator()(const Xapian::Document &x, double) override
	{
		matches++;
		packs[x.get_value(SLOT_FACETS)]++;
		units[x.get_value(SLOT_UNIT)]++;
		counties[x.get_value(SLOT_COUNTY)]++;
	}

	void fill(struct search_result *result) const
	{
		table counts[SEARCH_FACETS];

		for (const auto &pack : packs) {
			size_t at = 0;

			for (enum search_facet facet : PACKED)
				count(counts[facet], line(pack.first, at), pack.second);
		}
		count_lines(counts[FACET_UNIT], units);
		count_lines(counts[FACET_COUNTY], counties);
		for (int f = 0; f < SEARCH_FACETS; f++)
			fill_one(counts[f], result->facets[f].counts, result->facets[f].len);
	}

	uint64_t matches = 0;

      private:
	using table = std::unordered_map<std::string, uint64_t>;
	table packs, units, counties;

	/* The line at `at`, which moves behind it. */
	static std::string line(const std::string &text, size_t &at)
	{
		const size_t start = std::min(at, text.size());
		const size_t end = std::min(text.find(LINE, start), text.size());

		at = end + 1;
		return text.substr(start, end - start);
	}

	static void count(table &counts, const std::string &value, uint64_t n)
	{
		if (!value.empty())
			counts[value] += n;
	}

	static void count_lines(table &counts, const table &lists)
	{
		for (const auto &list : lists)
			for (size_t at = 0; at < list.first.size();)
				count(counts, line(list.first, at), list.second);
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

/* ---- hits ---- */

struct group {
	Xapian::docid head;
	std::string signature;
	std::vector<Xapian::docid> same; /* the first SEARCH_SAME_MAX */
	uint32_t similar = 0;
};

struct named {
	char document[33];
	uint32_t version;
	bool whole;
};

named name_of(const Xapian::Database &db, Xapian::docid entry)
{
	const std::string id = db.get_document(entry).get_data();
	const size_t dash = id.find('-');
	named n = {};
	char *end = nullptr;

	if (dash == std::string::npos || dash >= sizeof(n.document))
		throw Xapian::DatabaseCorruptError("an entry without an id");
	id.copy(n.document, dash);
	n.version = static_cast<uint32_t>(std::strtoul(id.c_str() + dash + 1, &end, 10));
	n.whole = *end == '\0';
	return n;
}

struct search_hit hit_of(const Xapian::Database &db, const group &g)
{
	const named head = name_of(db, g.head);
	struct search_hit hit = {};

	std::memcpy(hit.document, head.document, sizeof(hit.document));
	hit.version = head.version;
	hit.whole = head.whole;
	hit.similar = g.similar;
	for (size_t i = 0; i < g.same.size(); i++) {
		const named same = name_of(db, g.same[i]);

		std::memcpy(hit.same[i].document, same.document, sizeof(same.document));
		hit.same[i].version = same.version;
		hit.same[i].whole = same.whole;
	}
	return hit;
}

struct search_hit *hits_of(const Xapian::Database &db, const std::vector<group> &groups)
{
	auto *hits = static_cast<struct search_hit *>(
	    std::calloc(groups.size() + 1, sizeof(struct search_hit)));
	std::unique_ptr<struct search_hit, void (*)(void *)> guard(hits, std::free);

	if (!hits)
		throw std::bad_alloc();
	for (size_t i = 0; i < groups.size(); i++)
		hits[i] = hit_of(db, groups[i]);
	return guard.release();
}

bool near(const std::string &a, const std::string &b)
{
	return likeness_equal(reinterpret_cast<const unsigned char *>(a.data()),
		   reinterpret_cast<const unsigned char *>(b.data())) >= LIKENESS_NEAR;
}

/* Each hit joins the best one that it is like: with SEARCH_GROUP_MAX hits at most half a million
 * comparisons of 64 bytes. */
std::vector<group> grouped(const Xapian::Database &db, const Xapian::MSet &hits)
{
	std::vector<group> groups;

	for (auto m = hits.begin(); m != hits.end(); ++m) {
		const std::string signature = db.get_document(*m).get_value(SLOT_LIKENESS);
		auto head = groups.end();

		if (signature.size() == LIKENESS_BYTES)
			head = std::find_if(groups.begin(), groups.end(), [&](const group &g) {
				return !g.signature.empty() && near(g.signature, signature);
			});
		if (head == groups.end()) {
			groups.push_back({*m,
			    signature.size() == LIKENESS_BYTES ? signature : std::string(), {}, 0});
			continue;
		}
		if (head->same.size() < SEARCH_SAME_MAX)
			head->same.push_back(*m);
		head->similar++;
	}
	return groups;
}

void append_plain(std::vector<group> &to, const Xapian::MSet &hits)
{
	for (auto m = hits.begin(); m != hits.end(); ++m)
		to.push_back({*m, {}, {}, 0});
}

uint64_t count_matches(const Xapian::Database &db, const Xapian::Query &q, facet_counter *facets)
{
	Xapian::Enquire enquire(db);

	enquire.set_query(q);
	enquire.set_weighting_scheme(Xapian::BoolWeight());
	if (facets)
		enquire.add_matchspy(facets);
	return enquire.get_mset(0, 0, db.get_doccount()).get_matches_estimated();
}

/* A request, ready to be run over one revision of the index. */
class run
{
      public:
	run(struct search_reader *r, const struct search_request *request,
	    const struct query *words)
	    : read(read_request(r, request, words)), db(r->db), enquire(r->db),
	      by_weight(read.ranked && request->sort == SEARCH_BY_RELEVANCE)
	{
		enquire.set_query(read.q);
		if (by_weight)
			enquire.set_weighting_scheme(Xapian::BM25Weight(1.2, 0, 1, 0.8, 0.5));
		else
			enquire.set_weighting_scheme(Xapian::BoolWeight());
		enquire.set_docid_order(Xapian::Enquire::DESCENDING);
		if (!by_weight)
			enquire.set_sort_by_value(SLOT_DATE, true);
	}

	const reading read;

	std::vector<group> page(const struct search_request *request, facet_counter *facets)
	{
		const bool groups = request->group && request->limit;
		const Xapian::MSet first = exact(groups ? 0 : request->offset,
		    groups ? SEARCH_GROUP_MAX : request->limit, facets);
		std::vector<group> list;

		entries = total;
		if (groups)
			return page_of_groups(request, first);
		append_plain(list, first);
		return list;
	}

	std::vector<group> best(unsigned int max, bool group_them)
	{
		const unsigned int head = group_them ? std::min(max, SEARCH_GROUP_MAX) : max;
		const Xapian::MSet first = enquire.get_mset(0, head);
		std::vector<group> list;

		if (group_them)
			list = grouped(db, first);
		else
			append_plain(list, first);
		if (first.size() == head && max > head)
			append_plain(list, enquire.get_mset(head, max - head));
		return list;
	}

	uint64_t total = 0;   /* documents */
	uint64_t entries = 0; /* of the list that pages are cut from: groups, where there are */

      private:
	const Xapian::Database db;
	Xapian::Enquire enquire;
	const bool by_weight;

	/* Hits, and the exact total. To rank, what cannot be among the best is passed over, which counting
	 * may not; and counting needs no weights. Two passes, each without what the other needs, take two thirds
	 * of one that does both. */
	Xapian::MSet exact(Xapian::doccount from, Xapian::doccount n, facet_counter *facets)
	{
		const Xapian::doccount documents = db.get_doccount();
		Xapian::MSet hits;

		if (facets && !by_weight) {
			enquire.add_matchspy(facets);
			hits = enquire.get_mset(from, n, documents);
			enquire.clear_matchspies();
			total = facets->matches;
			return hits;
		}
		if (n || !facets)
			hits = enquire.get_mset(from, n, facets ? 0 : RANKED_WHOLE);
		if (facets)
			total = count_matches(db, read.q, facets);
		else if (hits.get_matches_lower_bound() == hits.get_matches_upper_bound())
			total = hits.get_matches_lower_bound();
		else
			total = count_matches(db, read.q, nullptr);
		return hits;
	}

	/* The groups, then the hits behind those that were grouped. */
	std::vector<group> page_of_groups(
	    const struct search_request *request, const Xapian::MSet &first)
	{
		std::vector<group> list = grouped(db, first);
		const size_t groups = list.size(), end = request->offset + request->limit;
		const size_t from = std::min<size_t>(request->offset, groups);

		entries = total - first.size() + groups;
		list.resize(std::min(end, groups));
		list.erase(list.begin(), list.begin() + static_cast<std::ptrdiff_t>(from));
		if (end > groups && total > first.size()) {
			const size_t behind = request->offset - from;

			append_plain(list,
			    enquire.get_mset(static_cast<Xapian::doccount>(first.size() + behind),
				static_cast<Xapian::doccount>(request->limit - list.size())));
		}
		return list;
	}
};

void fill_notes(const struct query *words, const reading &read, struct search_result *result)
{
	const size_t room = sizeof(result->notes) / sizeof(*result->notes);

	for (size_t i = 0; words && i < words->notes_len && result->notes_len < room; i++)
		result->notes[result->notes_len++] = words->notes[i];
	for (size_t i = 0; i < read.notes.size() && result->notes_len < room; i++)
		result->notes[result->notes_len++] = read.notes[i];
}

using result_guard = std::unique_ptr<struct search_result, void (*)(struct search_result *)>;

} // namespace

std::string facets_pack(const struct search_document *d)
{
	const struct search_attributes &a = d->attributes;
	const std::string year = std::string(d->date ? d->date : "").substr(0, 4);
	std::string pack;

	for (const char *value : {a.type, a.author, d->language, year.c_str(), a.publicity})
		(pack += value ? value : "") += LINE;
	return pack;
}

void answer(struct search_reader *r, const struct search_request *request,
    const struct query *words, struct search_result *ret)
{
	run asked(r, request, words);
	facet_counter facets;
	struct search_result result = {};
	result_guard guard(&result, search_result_clear);
	const std::vector<group> list = asked.page(request, request->facets ? &facets : nullptr);

	result.total = asked.total;
	result.sequence = sequence_of(r->db);
	result.hits = hits_of(r->db, list);
	result.hits_len = list.size();
	if (request->limit && request->offset + result.hits_len < asked.entries &&
	    request->offset + result.hits_len <= SEARCH_OFFSET_MAX)
		result.next_offset = static_cast<unsigned int>(request->offset + result.hits_len);
	if (request->facets)
		facets.fill(&result);
	fill_notes(words, asked.read, &result);
	*ret = result;
	guard.release();
}

void rank(struct search_reader *r, const struct search_request *request, const struct query *words,
    unsigned int max, struct search_hit **ret, size_t *ret_len)
{
	run asked(r, request, words);
	const std::vector<group> list = asked.best(max, request->group);

	*ret = hits_of(r->db, list);
	*ret_len = list.size();
}

uint64_t total(
    struct search_reader *r, const struct search_request *request, const struct query *words)
{
	return count_matches(r->db, read_request(r, request, words).q, nullptr);
}

} // namespace arkki
