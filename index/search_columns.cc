/* What readers keep in memory of a revision: of every entry its length, and the numbers of what facets
 * count and dates sort by; and which entries a sight shows.
 *
 * Invariants:
 *   - What is kept is of one revision of one database and is never changed; a
 *     new revision gets a copy of its own, shared by all readers.
 *   - Numbers of entries only grow, and an entry keeps its own for good. So a later revision has, beyond
 *     what is kept, the entries with higher numbers and those that the writer
 *     put anew. The writer lists these at the put; a reader takes note of how long the list was
 *     at the last commit *before* it opens a revision, and the next copy looks again at all listed behind that.
 *   - Without the writer's list (another process) a new revision is read anew.
 */
#include "index/search_xapian.hh"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <numeric>
#include <utility>

namespace arkki
{

namespace
{

const size_t COLUMNS_KEPT = 2;
const size_t SIGHTS_KEPT = 16;
const size_t LISTED_MAX = 65536; /* with more put anew since a copy was made, all is read again */

void read_lengths(const Xapian::Database &db, Xapian::docid from, columns &c)
{
	auto p = db.postlist_begin("");

	c.length.resize(static_cast<size_t>(c.last) + 1);
	for (p.skip_to(from); p != db.postlist_end(""); ++p)
		c.length[*p] = p.get_doclength();
}

void read_values(const Xapian::Database &db, Xapian::valueno slot, Xapian::docid from,
    Xapian::docid last, column &column)
{
	auto v = db.valuestream_begin(slot);

	column.code.resize(static_cast<size_t>(last) + 1);
	for (v.skip_to(from); v != db.valuestream_end(slot); ++v)
		column.code[v.get_docid()] = column.code_of(*v);
}

/* An entry that was put anew; one that is gone is in no list of postings. */
void read_entry(const Xapian::Database &db, Xapian::docid entry, columns &c)
{
	try {
		const Xapian::Document x = db.get_document(entry);

		c.length[entry] = db.get_doclength(entry);
		c.date.code[entry] = c.date.code_of(x.get_value(SLOT_DATE));
		c.unit.code[entry] = c.unit.code_of(x.get_value(SLOT_UNIT));
		c.county.code[entry] = c.county.code_of(x.get_value(SLOT_COUNTY));
		c.pack.code[entry] = c.pack.code_of(x.get_value(SLOT_FACETS));
	} catch (const Xapian::DocNotFoundError &) {
		c.length[entry] = 0;
	}
}

void order_dates(columns &c)
{
	const std::vector<std::string> &dates = c.date.value;
	std::vector<uint32_t> order(dates.size());

	std::iota(order.begin(), order.end(), 0U);
	std::sort(order.begin(), order.end(),
	    [&](uint32_t a, uint32_t b) { return dates[a] < dates[b]; });
	c.date_rank.resize(dates.size());
	for (uint32_t i = 0; i < order.size(); i++)
		c.date_rank[order[i]] = i;
}

void read_from(const Xapian::Database &db, Xapian::docid from, columns &c)
{
	c.last = db.get_lastdocid();
	read_lengths(db, from, c);
	read_values(db, SLOT_DATE, from, c.last, c.date);
	read_values(db, SLOT_UNIT, from, c.last, c.unit);
	read_values(db, SLOT_COUNTY, from, c.last, c.county);
	read_values(db, SLOT_FACETS, from, c.last, c.pack);
}

/* "<document>-<version>" or "<document>-<version>-public". */
entry_name read_name(const Xapian::Database &db, Xapian::docid entry)
{
	const std::string id = db.get_document(entry, Xapian::DOC_ASSUME_VALID).get_data();
	const size_t dash = id.find('-');
	entry_name n = {};
	char *end = nullptr;

	if (dash == std::string::npos || dash >= sizeof(n.document))
		throw Xapian::DatabaseCorruptError("an entry without an id");
	id.copy(n.document, dash);
	n.version = static_cast<uint32_t>(std::strtoul(id.c_str() + dash + 1, &end, 10));
	n.whole = *end == '\0';
	return n;
}

int digit_of(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* False: it is not 32 hex digits. */
bool pack_id(const char *document, std::array<unsigned char, 16> &out)
{
	if (std::strlen(document) != 2 * out.size())
		return false;
	for (size_t i = 0; i < out.size(); i++) {
		const int high = digit_of(document[2 * i]), low = digit_of(document[2 * i + 1]);

		if (high < 0 || low < 0)
			return false;
		out[i] = static_cast<unsigned char>(high << 4 | low);
	}
	return true;
}

void unpack_id(const std::array<unsigned char, 16> &packed, char *document)
{
	for (const unsigned char byte : packed) {
		*document++ = "0123456789abcdef"[byte >> 4];
		*document++ = "0123456789abcdef"[byte & 15];
	}
	*document = '\0';
}

} // namespace

uint32_t column::code_of(const std::string &v)
{
	if (value.empty()) {
		value.emplace_back();
		known.emplace("", 0);
	}
	const auto [at, is_new] = known.emplace(v, static_cast<uint32_t>(value.size()));

	if (is_new)
		value.push_back(v);
	return at->second;
}

/* ---- sights ---- */

Xapian::doccount sight_map::count(
    const Xapian::Database &db, const std::string &term, Xapian::doccount enough) const
{
	Xapian::doccount n = 0;

	for (auto p = db.postlist_begin(term); n < enough && p != db.postlist_end(term); ++p)
		n += bits.has(*p);
	return n;
}

bool sight_map::any(const Xapian::Database &db, const std::string &term) const
{
	return count(db, term, 1) > 0;
}

bool sight_map::shows(Xapian::docid entry) const
{
	return bits.has(entry);
}

Xapian::doccount sight_map::shown() const
{
	return static_cast<Xapian::doccount>(bits.count());
}

void sight_map::hide(const Xapian::Database &db, const char (*documents)[33], size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const std::string term = std::string("XD") + documents[i];

		for (auto p = db.postlist_begin(term); p != db.postlist_end(term); ++p)
			bits.remove(*p);
	}
}

/* ---- the writer's list ---- */

void shelf::rewrote(Xapian::docid entry)
{
	const std::lock_guard<std::mutex> held(listing);

	list.push_back(entry);
	listed++;
	if (list.size() > LISTED_MAX)
		list.pop_front();
}

void shelf::settle()
{
	const std::lock_guard<std::mutex> held(listing);

	in_commits = listed;
}

uint64_t shelf::settled()
{
	const std::lock_guard<std::mutex> held(listing);

	return in_commits;
}

/* False: the list does not go back so far. */
bool shelf::changed_since(uint64_t from, std::vector<Xapian::docid> &ret)
{
	const std::lock_guard<std::mutex> held(listing);
	const uint64_t first = listed - list.size();

	if (!follows_writer || from < first)
		return false;
	ret.assign(list.begin() + static_cast<std::ptrdiff_t>(from - first), list.end());
	return true;
}

/* ---- what is kept ---- */

std::shared_ptr<const columns> shelf::columns_of(const Xapian::Database &db, uint64_t before)
{
	const std::lock_guard<std::mutex> held(making);
	const std::string database = db.get_uuid();
	const Xapian::rev revision = db.get_revision();
	std::vector<Xapian::docid> changed;

	for (const auto &c : made)
		if (c->revision == revision && c->database == database)
			return c;
	std::shared_ptr<columns> c;

	if (!made.empty() && made.front()->database == database &&
	    made.front()->revision < revision && changed_since(made.front()->rewritten, changed)) {
		c = std::make_shared<columns>(*made.front());
		const Xapian::docid had = c->last;

		read_from(db, had + 1, *c);
		for (const Xapian::docid entry : changed)
			if (entry <= had)
				read_entry(db, entry, *c);
	} else {
		c = std::make_shared<columns>();
		read_from(db, 1, *c);
	}
	/* what words weigh changes with every entry; none asks the older revision for long */
	if (!made.empty())
		made.front()->lists->clear();
	c->lists = std::make_shared<kept_lists>();
	c->database = database;
	c->revision = revision;
	c->rewritten = before;
	order_dates(*c);
	made.push_front(c);
	while (made.size() > COLUMNS_KEPT)
		made.pop_back();
	return c;
}

std::vector<entry_name> shelf::names_of(
    const Xapian::Database &db, const std::vector<Xapian::docid> &entries)
{
	const std::lock_guard<std::mutex> held(naming);
	std::vector<entry_name> out;

	if (named != db.get_uuid()) {
		names.clear();
		named = db.get_uuid();
	}
	if (names.size() <= db.get_lastdocid())
		names.resize(static_cast<size_t>(db.get_lastdocid()) + 1);
	out.reserve(entries.size());
	for (const Xapian::docid entry : entries) {
		packed_name &p = names[entry];

		out.emplace_back();
		if (p.version) {
			unpack_id(p.document, out.back().document);
			out.back().version = p.version / 2;
			out.back().whole = p.version % 2;
			continue;
		}
		out.back() = read_name(db, entry);
		if (out.back().version && pack_id(out.back().document, p.document))
			p.version = out.back().version * 2 + out.back().whole;
	}
	return out;
}

std::shared_ptr<const sight_map> shelf::map_of(const Xapian::Database &db, const columns &c,
    const struct access_sight *sight, bool versions_all)
{
	const std::lock_guard<std::mutex> held(making);
	const std::string key = sight_key(sight, versions_all);

	for (auto k = maps.begin(); k != maps.end(); ++k) {
		if (k->key != key || k->revision != c.revision || k->database != c.database)
			continue;
		maps.splice(maps.begin(), maps, k);
		return maps.front().map;
	}
	auto map =
	    std::make_shared<const sight_map>(sight_map{visible(db, c, sight, versions_all)});

	maps.push_front({key, c.database, c.revision, map});
	while (maps.size() > SIGHTS_KEPT)
		maps.pop_back();
	return map;
}

} // namespace arkki

std::shared_ptr<const arkki::sight_map> search_reader::shown(const struct search_request *request)
{
	auto map = shown(request->sight, request->versions_all);

	if (!request->without_len)
		return map;
	auto less = std::make_shared<arkki::sight_map>(*map);

	less->hide(db, request->without, request->without_len);
	return less;
}
