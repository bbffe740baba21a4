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
const size_t LEFT_MAX = 65536; /* matches that are kept for a ranking */

/* Counts what matches have, by the numbers of their values; what the values are is looked at in the end. Fields
 * that have few values are in one column together. */
class facet_counter
{
      public:
	explicit facet_counter(const columns &of)
	    : c(of), packs(of.pack.value.size() + 1), units(of.unit.value.size() + 1),
	      counties(of.county.value.size() + 1)
	{
	}

	void take(Xapian::docid entry)
	{
		packs[c.pack.code[entry]]++;
		units[c.unit.code[entry]]++;
		counties[c.county.code[entry]]++;
	}

	void fill(struct search_result *result) const
	{
		table counts[SEARCH_FACETS];

		for (size_t code = 0; code < c.pack.value.size(); code++) {
			size_t at = 0;

			for (enum search_facet facet : PACKED)
				if (packs[code])
					count(counts[facet], line(c.pack.value[code], at),
					    packs[code]);
		}
		count_lines(counts[FACET_UNIT], c.unit, units);
		count_lines(counts[FACET_COUNTY], c.county, counties);
		for (int f = 0; f < SEARCH_FACETS; f++)
			fill_one(counts[f], result->facets[f].counts, result->facets[f].len);
	}

      private:
	using table = std::unordered_map<std::string, uint64_t>;
	const columns &c;
	std::vector<uint32_t> packs, units, counties; /* by code */

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

	static void count_lines(
	    table &counts, const column &of, const std::vector<uint32_t> &by_code)
	{
		for (size_t code = 0; code < of.value.size(); code++)
			for (size_t at = 0; by_code[code] && at < of.value[code].size();)
				count(counts, line(of.value[code], at), by_code[code]);
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

struct search_hit *hits_of(struct search_reader *r, const std::vector<group> &groups)
{
	auto *hits = static_cast<struct search_hit *>(
	    std::calloc(groups.size() + 1, sizeof(struct search_hit)));
	std::unique_ptr<struct search_hit, void (*)(void *)> guard(hits, std::free);
	std::vector<Xapian::docid> entries;

	if (!hits)
		throw std::bad_alloc();
	for (const group &g : groups) {
		entries.push_back(g.head);
		entries.insert(entries.end(), g.same.begin(), g.same.end());
	}
	const std::vector<entry_name> names = r->shelf->names_of(r->db, entries);
	auto name = names.begin();

	for (size_t i = 0; i < groups.size(); i++) {
		std::memcpy(hits[i].document, name->document, sizeof(name->document));
		hits[i].version = name->version;
		hits[i].whole = name++->whole;
		hits[i].similar = groups[i].similar;
		for (size_t k = 0; k < groups[i].same.size(); k++, name++) {
			std::memcpy(
			    hits[i].same[k].document, name->document, sizeof(name->document));
			hits[i].same[k].version = name->version;
			hits[i].same[k].whole = name->whole;
		}
	}
	return guard.release();
}

bool near(const std::string &a, const std::string &b)
{
	return likeness_equal(reinterpret_cast<const unsigned char *>(a.data()),
		   reinterpret_cast<const unsigned char *>(b.data())) >= LIKENESS_NEAR;
}

/* Each hit joins the best one that it is like: with SEARCH_GROUP_MAX hits at most half a million
 * comparisons of 64 bytes. */
std::vector<group> grouped(const Xapian::Database &db, const std::vector<Xapian::docid> &hits)
{
	std::vector<group> groups;

	for (const Xapian::docid hit : hits) {
		const std::string signature = db.get_document(hit).get_value(SLOT_LIKENESS);
		auto head = groups.end();

		if (signature.size() == LIKENESS_BYTES)
			head = std::find_if(groups.begin(), groups.end(), [&](const group &g) {
				return !g.signature.empty() && near(g.signature, signature);
			});
		if (head == groups.end()) {
			groups.push_back({hit,
			    signature.size() == LIKENESS_BYTES ? signature : std::string(), {}, 0});
			continue;
		}
		if (head->same.size() < SEARCH_SAME_MAX)
			head->same.push_back(hit);
		head->similar++;
	}
	return groups;
}

void append_plain(std::vector<group> &to, const std::vector<Xapian::docid> &hits, size_t from)
{
	for (size_t i = from; i < hits.size(); i++)
		to.push_back({hits[i], {}, {}, 0});
}

/* A request, run over one revision of the index. */
class run
{
      public:
	run(struct search_reader *reader, const struct search_request *request,
	    const struct query *words)
	    : read(read_request(reader, request, words)), r(reader), db(r->db), kept(r->columns()),
	      c(*kept), found(std::move(r->last))
	{
		const bool by_weight = read.ranked && request->sort == SEARCH_BY_RELEVANCE;

		/* a map is of one sight and one revision, and there while it is pointed at */
		if (!found || found->within != read.within || found->by_weight != by_weight ||
		    !(found->q == read.q))
			look(by_weight);
		total = by_weight ? found->weighed.size() : found->plain.count();
		entries = total;
	}

	/* Leaves what was found to a ranking of the same. */
	void leave()
	{
		if (found->weighed.size() <= LEFT_MAX)
			r->last = std::move(found);
	}

	const reading read;

	void count(facet_counter &facets) const
	{
		for (const match &m : found->weighed)
			facets.take(m.entry);
		found->plain.each([&](Xapian::docid entry) { facets.take(entry); });
	}

	std::vector<group> page(const struct search_request *request)
	{
		const size_t end = request->limit ? request->offset + request->limit : 0;
		std::vector<group> list;

		if (request->group && request->limit)
			return page_of_groups(request);
		append_plain(list, best_entries(end), request->offset);
		return list;
	}

	std::vector<group> best(unsigned int max, bool group_them)
	{
		const std::vector<Xapian::docid> hits = best_entries(max);
		std::vector<group> list;

		if (!group_them) {
			append_plain(list, hits, 0);
			return list;
		}
		const size_t head = std::min<size_t>(hits.size(), SEARCH_GROUP_MAX);

		list =
		    grouped(db, {hits.begin(), hits.begin() + static_cast<std::ptrdiff_t>(head)});
		append_plain(list, hits, head);
		return list;
	}

	const struct columns &columns() const
	{
		return c;
	}

	uint64_t total = 0;   /* documents */
	uint64_t entries = 0; /* of the list that pages are cut from: groups, where there are */

      private:
	struct search_reader *r;
	const Xapian::Database &db;
	const std::shared_ptr<const struct columns> kept;
	const struct columns &c;
	std::unique_ptr<finding> found;

	void look(bool by_weight)
	{
		found = std::make_unique<finding>();
		found->q = read.q;
		found->within = read.within;
		found->by_weight = by_weight;
		if (by_weight)
			found->weighed = weigh(db, c, read.q, read.within->bits);
		else
			found->plain = find(db, c, read.q, read.within->bits);
	}

	/* The best n in order: the heaviest, or the newest; of equals those put last. */
	std::vector<Xapian::docid> best_entries(size_t n) const
	{
		const auto better = [](const match &a, const match &b) {
			return a.weight != b.weight ? a.weight > b.weight : a.entry > b.entry;
		};
		std::vector<match> heap;
		std::vector<Xapian::docid> out;
		const auto take = [&](const match &m) {
			if (heap.size() == n && !better(m, heap.front()))
				return;
			if (heap.size() == n) {
				std::pop_heap(heap.begin(), heap.end(), better);
				heap.pop_back();
			}
			heap.push_back(m);
			std::push_heap(heap.begin(), heap.end(), better);
		};

		if (!n)
			return out;
		for (const match &m : found->weighed)
			take(m);
		found->plain.each([&](Xapian::docid d) {
			take({d, static_cast<double>(c.date_rank[c.date.code[d]])});
		});
		std::sort_heap(heap.begin(), heap.end(), better);
		for (const match &m : heap)
			out.push_back(m.entry);
		return out;
	}

	/* The groups, then the hits behind those that were grouped. */
	std::vector<group> page_of_groups(const struct search_request *request)
	{
		const size_t end = request->offset + request->limit;
		const std::vector<Xapian::docid> first = best_entries(SEARCH_GROUP_MAX);
		std::vector<group> list = grouped(db, first);
		const size_t groups = list.size(), from = std::min<size_t>(request->offset, groups);

		entries = total - first.size() + groups;
		list.resize(std::min(end, groups));
		list.erase(list.begin(), list.begin() + static_cast<std::ptrdiff_t>(from));
		if (end > groups && total > first.size())
			append_plain(list, best_entries(first.size() + end - groups),
			    first.size() + request->offset - from);
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
	r->last.reset(); /* it is for a ranking only */
	run asked(r, request, words);
	facet_counter facets(asked.columns());
	struct search_result result = {};
	result_guard guard(&result, search_result_clear);
	const std::vector<group> list = asked.page(request);

	result.total = asked.total;
	result.sequence = sequence_of(r->db);
	result.hits = hits_of(r, list);
	result.hits_len = list.size();
	if (request->limit && request->offset + result.hits_len < asked.entries &&
	    request->offset + result.hits_len <= SEARCH_OFFSET_MAX)
		result.next_offset = static_cast<unsigned int>(request->offset + result.hits_len);
	if (request->facets) {
		asked.count(facets);
		facets.fill(&result);
	}
	fill_notes(words, asked.read, &result);
	asked.leave();
	*ret = result;
	guard.release();
}

void rank(struct search_reader *r, const struct search_request *request, const struct query *words,
    unsigned int max, struct search_hit **ret, size_t *ret_len)
{
	run asked(r, request, words);
	const std::vector<group> list = asked.best(max, request->group);

	*ret = hits_of(r, list);
	*ret_len = list.size();
}

uint64_t total(
    struct search_reader *r, const struct search_request *request, const struct query *words)
{
	const reading read = read_request(r, request, words);

	return find(r->db, *r->columns(), read.q, read.within->bits).count();
}

} // namespace arkki
