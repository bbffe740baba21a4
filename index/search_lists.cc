/* Lists of what words weigh: kept in memory, and added up.
 *
 * Invariants of what is kept:
 *   - A list is of one word (its terms and their factors are the key), over all entries of the one revision that the
 *     keeper belongs to. No sight is in it: who asks goes through it with the bitmap of what is shown to him.
 *   - A list is never changed once it is kept, and there while it is pointed at.
 *   - The lists are those asked for last, up to lists_bytes(); a list longer than a quarter of it is not kept.
 */
#include "index/search_xapian.hh"

#include <algorithm>
#include <limits>

#include <unistd.h>

namespace arkki
{

namespace
{

const size_t LISTS_BYTES = size_t{256} << 20; /* at least: some 700 words over 100,000 entries */
const size_t LISTS_SHARE = 16;                /* else this part of the machine's memory */
const size_t LIST_EXTRA = 256;                /* what a list costs beside its matches, about */
const size_t FREQUENCIES_MAX = 65536;

/* A million entries and their words want more than a small machine can spare. */
size_t lists_bytes()
{
	static const size_t bytes = [] {
		const long pages = sysconf(_SC_PHYS_PAGES), size = sysconf(_SC_PAGESIZE);

		return pages < 0 || size < 0
			   ? LISTS_BYTES
			   : std::max(LISTS_BYTES, static_cast<size_t>(pages) *
						       static_cast<size_t>(size) / LISTS_SHARE);
	}();

	return bytes;
}

/* Lists are added up in a table that stands for so many entries at a time. */
const Xapian::docid WINDOW = 8192;

class adder
{
      public:
	adder(const std::vector<match_list> &of, const bitmap &seen) : lists(of), within(seen)
	{
	}

	matches sum()
	{
		size_t most = 0;

		for (const match_list &list : lists) {
			at.push_back(list->data());
			most += list->size();
		}
		out.resize(std::min<size_t>(most, static_cast<size_t>(within.last) + 1));
		for (Xapian::docid base; next(base);) {
			for (size_t i = 0; i < lists.size(); i++)
				fill(i, base);
			empty(base);
		}
		out.resize(len);
		return std::move(out);
	}

      private:
	const std::vector<match_list> &lists;
	const bitmap &within;
	std::vector<const match *> at; /* by list: what is not added yet */
	std::array<double, WINDOW> table = {};
	std::array<uint64_t, WINDOW / 64> used = {};
	matches out;
	size_t len = 0;

	const match *end_of(size_t i) const
	{
		return lists[i]->data() + lists[i]->size();
	}

	/* The window of the first entry that is left. */
	bool next(Xapian::docid &base) const
	{
		Xapian::docid first = std::numeric_limits<Xapian::docid>::max();

		for (size_t i = 0; i < lists.size(); i++)
			if (at[i] != end_of(i))
				first = std::min(first, at[i]->entry);
		base = first - first % WINDOW;
		return first != std::numeric_limits<Xapian::docid>::max();
	}

	void fill(size_t i, Xapian::docid base)
	{
		const match *m = at[i], *const end = end_of(i);

		for (; m != end && m->entry - base < WINDOW; m++) {
			const Xapian::docid place = m->entry - base;

			used[place / 64] |= uint64_t{1} << (place % 64);
			table[place] += m->weight;
		}
		at[i] = m;
	}

	void empty(Xapian::docid base)
	{
		for (size_t w = 0; w < used.size(); w++) {
			if (!used[w])
				continue;
			uint64_t shown = used[w] & within.word(base / 64 + w);

			for (; shown; shown &= shown - 1) {
				const size_t place =
				    w * 64 + static_cast<size_t>(__builtin_ctzll(shown));

				out[len++] = {
				    base + static_cast<Xapian::docid>(place), table[place]};
			}
			used[w] = 0;
			std::fill_n(table.begin() + static_cast<std::ptrdiff_t>(w * 64), 64, 0);
		}
	}
};

} // namespace

matches those_within(const matches &list, const bitmap &within)
{
	matches out(list.size());
	size_t len = 0;

	/* whether an entry is within is as good as chance: written always, kept where it is */
	for (const match &m : list) {
		out[len] = m;
		len += within.has(m.entry);
	}
	out.resize(len);
	return out;
}

matches sum_within(std::vector<match_list> lists, const bitmap &within)
{
	const auto none = std::remove_if(
	    lists.begin(), lists.end(), [](const match_list &list) { return list->empty(); });

	lists.erase(none, lists.end());
	if (lists.empty())
		return {};
	return lists.size() == 1 ? those_within(*lists[0], within) : adder(lists, within).sum();
}

match_list kept_lists::find(const std::string &word)
{
	const std::lock_guard<std::mutex> held(lock);
	const auto found = by_word.find(word);

	if (found == by_word.end())
		return nullptr;
	order.splice(order.begin(), order, found->second);
	return found->second->list;
}

void kept_lists::keep(const std::string &word, const match_list &list)
{
	const size_t size = list->capacity() * sizeof(match) + word.size() + LIST_EXTRA;
	const std::lock_guard<std::mutex> held(lock);

	if (size > lists_bytes() / 4 || by_word.count(word))
		return;
	order.push_front({word, list, size});
	by_word.emplace(word, order.begin());
	bytes += size;
	while (bytes > lists_bytes()) {
		bytes -= order.back().bytes;
		by_word.erase(order.back().word);
		order.pop_back();
	}
}

void kept_lists::clear()
{
	const std::lock_guard<std::mutex> held(lock);

	by_word.clear();
	order.clear();
	frequencies.clear();
	bytes = 0;
}

/* Xapian reads a block or two each time: with a dozen terms a word, that was most of what a common query cost. */
Xapian::doccount kept_lists::frequency(const Xapian::Database &db, const std::string &term)
{
	{
		const std::lock_guard<std::mutex> held(lock);
		const auto found = frequencies.find(term);

		if (found != frequencies.end())
			return found->second;
	}
	const Xapian::doccount n = db.get_termfreq(term);
	const std::lock_guard<std::mutex> held(lock);

	if (frequencies.size() >= FREQUENCIES_MAX)
		frequencies.clear();
	frequencies.emplace(term, n);
	return n;
}

} // namespace arkki
