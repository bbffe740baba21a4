/* Sets of entries, and trees of what is sought. */
#include "index/search_xapian.hh"

#include <algorithm>
#include <utility>

namespace arkki
{

bitmap::bitmap(Xapian::docid last_entry, bool all)
    : last(last_entry), words(static_cast<size_t>(last_entry) / 64 + 1)
{
	if (all)
		turn_over();
}

void bitmap::join(const bitmap &other)
{
	for (size_t i = 0; i < std::min(words.size(), other.words.size()); i++)
		words[i] |= other.words[i];
}

void bitmap::keep(const bitmap &other)
{
	for (size_t i = 0; i < words.size(); i++)
		words[i] &= i < other.words.size() ? other.words[i] : 0;
}

void bitmap::drop(const bitmap &other)
{
	for (size_t i = 0; i < std::min(words.size(), other.words.size()); i++)
		words[i] &= ~other.words[i];
}

/* Neither number 0 nor those behind the last are entries. */
void bitmap::turn_over()
{
	for (uint64_t &w : words)
		w = ~w;
	words[0] &= ~uint64_t{1};
	if (last % 64 != 63)
		words.back() &= (uint64_t{1} << (last % 64 + 1)) - 1;
}

uint64_t bitmap::count() const
{
	uint64_t n = 0;

	for (const uint64_t w : words)
		n += static_cast<uint64_t>(__builtin_popcountll(w));
	return n;
}

sought::sought(const std::string &term) : what(SYNONYM), terms{term}
{
}

sought::sought(kind k, std::vector<std::string> t)
    : what(t.empty() ? NOTHING : k), terms(std::move(t))
{
}

sought::sought(kind k, std::vector<sought> p) : what(k), parts(std::move(p))
{
}

sought sought::everything()
{
	return {EVERYTHING, std::vector<sought>()};
}

sought sought::values(Xapian::valueno slot, const std::string &from, const std::string &to)
{
	sought q(VALUES, std::vector<std::string>{from, to});

	q.slot = slot;
	return q;
}

bool sought::operator==(const sought &other) const
{
	return what == other.what && scale == other.scale && slot == other.slot &&
	       terms == other.terms && any_unit == other.any_unit && parts == other.parts;
}

sought any_of(const queries &q)
{
	queries some;

	std::copy_if(q.begin(), q.end(), std::back_inserter(some),
	    [](const sought &one) { return !one.empty(); });
	if (some.empty())
		return {};
	return some.size() == 1 ? some[0] : sought(sought::ANY, std::move(some));
}

sought all_of(const queries &q)
{
	if (q.empty())
		return sought::everything();
	if (std::any_of(q.begin(), q.end(), [](const sought &one) { return one.empty(); }))
		return {};
	return q.size() == 1 ? q[0] : sought(sought::ALL, q);
}

sought but_not(const sought &q, const sought &without)
{
	return q.empty() || without.empty() ? q : sought(sought::BUT_NOT, queries{q, without});
}

sought filtered(const sought &q, const sought &by)
{
	return q.empty() || by.empty() ? sought() : sought(sought::FILTER, queries{q, by});
}

sought scaled(const sought &q, double weight)
{
	if (weight == 1 || q.empty())
		return q;
	sought scaled(sought::SCALED, queries{q});

	scaled.scale = weight;
	return scaled;
}

} // namespace arkki
