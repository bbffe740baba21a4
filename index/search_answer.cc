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

/* Fields of a packed value, a line each; several values of one are divided by LIST. */
const char FIELD = '\n', LIST = '\x1f';
const enum search_facet PACKED[] = {FACET_TYPE, FACET_AUTHOR, FACET_LANGUAGE, FACET_YEAR,
    FACET_PUBLICITY, FACET_UNIT, FACET_COUNTY};

void append_list(std::string &to, const char *const *values, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (i)
			to += LIST;
		if (values[i])
			to += values[i];
	}
}

/* Counts what matches have: entries mostly agree in all of it, so whole packs are counted and
 * taken apart at the end (a look-up a match where there were nine). */
class facet_counter : public Xapian::MatchSpy
{
      public:
	void operator()(const Xapian::Document &x, double) override
	{
		packs[x.get_value(SLOT_FACETS)]++;
	}

	void fill(struct search_result *result) const
	{
		table counts[SEARCH_FACETS];

		for (const auto &pack : packs)
			unpack(pack.first, pack.second, counts);
		for (int f = 0; f < SEARCH_FACETS; f++)
			fill_one(counts[f], result->facets[f].counts, result->facets[f].len);
	}

      private:
	using table = std::unordered_map<std::string, uint64_t>;
	table packs;

	static void unpack(const std::string &pack, uint64_t n, table *counts)
	{
		size_t at = 0;

		for (enum search_facet facet : PACKED) {
			const size_t end = std::min(pack.find(FIELD, at), pack.size());

			for (size_t next; at < end; at = next + 1) {
				next = std::min(pack.find(LIST, at), end);
				if (next > at)
					counts[facet][pack.substr(at, next - at)] += n;
			}
			at = end + 1;
			if (at > pack.size())
				return;
		}
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

/* A request, ready to be run over one revision of the index. */
class run
{
      public:
	run(struct search_reader *r, const struct search_request *request,
	    const struct query *words)
	    : read(read_request(r, request, words)), db(r->db), enquire(r->db)
	{
		enquire.set_query(read.q);
		if (read.ranked)
			enquire.set_weighting_scheme(Xapian::BM25Weight(1.2, 0, 1, 0.75, 0.5));
		else
			enquire.set_weighting_scheme(Xapian::BoolWeight());
		enquire.set_docid_order(Xapian::Enquire::DESCENDING);
		if (!read.ranked || request->sort == SEARCH_BY_DATE)
			enquire.set_sort_by_value(SLOT_DATE, true);
	}

	const reading read;

	/* Exact, and shows every match to the spy: the whole index is checked. */
	std::vector<group> page(const struct search_request *request, facet_counter *facets)
	{
		std::vector<group> list;

		if (facets)
			enquire.add_matchspy(facets);
		const bool groups = request->group && request->limit;
		const Xapian::MSet first = enquire.get_mset(groups ? 0 : request->offset,
		    groups ? SEARCH_GROUP_MAX : request->limit, db.get_doccount());

		enquire.clear_matchspies();
		total = first.get_matches_estimated();
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
	const char *const single[] = {a.type, a.author, d->language};
	std::string pack;

	for (const char *value : single)
		(pack += value ? value : "") += FIELD;
	(pack += std::string(d->date ? d->date : "").substr(0, 4)) += FIELD;
	(pack += a.publicity ? a.publicity : "") += FIELD;
	append_list(pack, a.units, a.units_len);
	pack += FIELD;
	append_list(pack, a.counties, a.counties_len);
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
	const reading read = read_request(r, request, words);
	Xapian::Enquire enquire(r->db);

	enquire.set_query(read.q);
	enquire.set_weighting_scheme(Xapian::BoolWeight());
	return enquire.get_mset(0, 0, r->db.get_doccount()).get_matches_estimated();
}

} // namespace arkki
