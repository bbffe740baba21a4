/* Completion of a word, and what a word that finds nothing was probably meant to be.
 *
 * Both take a word only where an entry that the sight shows has it, and order by how many shown entries do. So the
 * answer is that of an index of nothing else, but for two bounds of time: of more than COMPLETE_LOOKED
 * words of titles with one beginning, or MEANT_LOOKED words with one initial, shown or not, the first are looked at.
 */
#include "index/search_xapian.hh"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <new>
#include <utility>

namespace arkki
{

namespace
{

const size_t COMPLETE_SHOWN = 5000;
const size_t COMPLETE_LOOKED = 100000;
const size_t MEANT_LOOKED = 200000;
const size_t MEANT_WORDS = 8; /* of a query: each may cost a look at 400,000 words */
const size_t MEANT_LETTERS_MIN = 3, MEANT_LETTERS_MAX = 48;
const size_t MEANT_CLOSE =
    5; /* a word of so many letters may differ in one place, a longer one in two */

using counted = std::vector<std::pair<std::string, Xapian::doccount>>;

void most_first(counted &words)
{
	std::sort(words.begin(), words.end(), [](const auto &a, const auto &b) {
		return a.second != b.second ? a.second > b.second : a.first < b.first;
	});
}

/* ---- distance ---- */

struct letters {
	std::array<char32_t, MEANT_LETTERS_MAX> at;
	size_t n;
};

/* False: too long. Terms are valid UTF-8; anything else is read as some letters. */
bool spell(const std::string &word, letters &out)
{
	out.n = 0;
	for (size_t i = 0; i < word.size();) {
		const auto first = static_cast<unsigned char>(word[i++]);

		if (out.n == MEANT_LETTERS_MAX)
			return false;
		char32_t c = first;
		while (i < word.size() && (static_cast<unsigned char>(word[i]) & 0xC0) == 0x80)
			c = (c << 6) | (static_cast<unsigned char>(word[i++]) & 0x3F);
		out.at[out.n++] = c;
	}
	return true;
}

/* Letters added, left out, changed, or swapped with a neighbour (Damerau; optimal string alignment).
 * Returns more than `most` as soon as it is more. */
size_t distance(const letters &a, const letters &b, size_t most)
{
	std::array<std::array<size_t, MEANT_LETTERS_MAX + 1>, 3> rows;

	if (a.n > b.n + most || b.n > a.n + most)
		return most + 1;
	for (size_t j = 0; j <= b.n; j++)
		rows[0][j] = j;
	for (size_t i = 1; i <= a.n; i++) {
		auto &row = rows[i % 3];
		const auto &above = rows[(i + 2) % 3];
		const auto &higher = rows[(i + 1) % 3];
		size_t least = row[0] = i;

		for (size_t j = 1; j <= b.n; j++) {
			row[j] = std::min({above[j] + 1, row[j - 1] + 1,
			    above[j - 1] + (a.at[i - 1] != b.at[j - 1])});
			if (i > 1 && j > 1 && a.at[i - 1] == b.at[j - 2] &&
			    a.at[i - 2] == b.at[j - 1])
				row[j] = std::min(row[j], higher[j - 2] + 1);
			least = std::min(least, row[j]);
		}
		if (least > most + 1) /* a swap may still take one back */
			return most + 1;
	}
	return rows[a.n % 3][b.n];
}

/* ---- what was meant ---- */

struct wrong_words { /* told by C code, so nothing throws */
	std::vector<const struct query_node *> list;
	bool failed = false;
};

int take_word(void *arg, const struct query_node *node, const char *because)
{
	auto *w = static_cast<wrong_words *>(arg);

	if (because || node->kind != QUERY_WORD || !node->terms_len || !node->len)
		return 0;
	try {
		w->list.push_back(node);
	} catch (const std::bad_alloc &) {
		w->failed = true;
		return ARK_ENOMEM;
	}
	return 0;
}

class guesser
{
      public:
	guesser(const Xapian::Database &database, const sight_map &shown) : db(database), map(shown)
	{
	}

	bool finds(const struct query_node &n) const
	{
		for (size_t i = 0; i < n.terms_len; i++) {
			const struct query_term &t = n.terms[i];
			const std::string text(t.text, t.len);

			if (t.kind == ANALYSE_PART)
				continue;
			if (map.any(db, analyse_prefix(t.language, t.kind) + text) ||
			    map.any(db, "K" + text))
				return true;
		}
		return false;
	}

	/* Empty: nothing that is close enough. */
	std::string meant(const std::string &word) const
	{
		letters typed;

		if (word.find_first_of("0123456789") != std::string::npos || !spell(word, typed) ||
		    typed.n < MEANT_LETTERS_MIN)
			return {};
		const size_t most = typed.n <= MEANT_CLOSE ? 1 : 2;
		std::vector<std::vector<std::string>> at(most + 1);
		const size_t first = letter_len(word, 0), second = letter_len(word, first);

		look(word.substr(0, first), typed, at);
		if (word.compare(first, second, word, 0, first) != 0)
			look(word.substr(first, second), typed, at);
		for (size_t d = 1; d <= most; d++) {
			counted shown;

			for (std::string &w : at[d])
				if (const Xapian::doccount n = map.count(db, w, db.get_doccount()))
					shown.emplace_back(std::move(w), n);
			most_first(shown);
			if (!shown.empty())
				return shown[0].first;
		}
		return {};
	}

      private:
	const Xapian::Database &db;
	const sight_map &map;

	static size_t letter_len(const std::string &word, size_t at)
	{
		size_t end = at + 1;

		while (end < word.size() && (static_cast<unsigned char>(word[end]) & 0xC0) == 0x80)
			end++;
		return end - at;
	}

	/* Sorts the words of the index with that initial by their distance. */
	void look(const std::string &initial, const letters &typed,
	    std::vector<std::vector<std::string>> &at) const
	{
		const size_t most = at.size() - 1;
		size_t looked = 0;
		letters other;

		for (auto t = db.allterms_begin(initial);
		     t != db.allterms_end(initial) && looked < MEANT_LOOKED; ++t, looked++) {
			const std::string word = *t;

			if (!spell(word, other))
				continue;
			const size_t d = distance(typed, other, most);

			if (d >= 1 && d <= most)
				at[d].push_back(word);
		}
	}
};

} // namespace

void complete(struct search_reader *r, const struct access_sight *sight, const std::string &prefix,
    unsigned int max, struct search_words *ret)
{
	const auto map = r->shown(sight, false);
	const std::string stem = "S" + prefix;
	struct search_words words = {};
	std::unique_ptr<struct search_words, void (*)(struct search_words *)> guard(
	    &words, search_words_clear);
	size_t looked = 0;
	counted found;

	for (auto t = r->db.allterms_begin(stem);
	     t != r->db.allterms_end(stem) && looked < COMPLETE_LOOKED &&
	     found.size() < COMPLETE_SHOWN;
	     ++t, looked++)
		if (const Xapian::doccount n = map->count(r->db, *t, r->db.get_doccount()))
			found.emplace_back((*t).substr(1), n);
	most_first(found);
	if (found.size() > max)
		found.resize(max);
	words.list =
	    static_cast<decltype(words.list)>(std::calloc(found.size() + 1, sizeof(*words.list)));
	if (!words.list)
		throw std::bad_alloc();
	for (const auto &[word, documents] : found) {
		words.list[words.len].word = strdup(word.c_str());
		if (!words.list[words.len].word)
			throw std::bad_alloc();
		words.list[words.len++].documents = documents;
	}
	*ret = words;
	guard.release();
}

std::vector<correction> corrections(
    struct search_reader *r, const struct search_request *request, const struct query *words)
{
	const auto map = r->shown(request);
	std::vector<correction> found;
	wrong_words wrong;

	query_each_word(words, take_word, &wrong);
	if (wrong.failed)
		throw std::bad_alloc();
	const guesser guess(r->db, *map);
	size_t guesses = 0;

	for (const struct query_node *n : wrong.list) {
		if (guess.finds(*n))
			continue;
		if (guesses++ == MEANT_WORDS)
			break;
		const std::string meant =
		    guess.meant(std::string(n->terms[0].text, n->terms[0].len));

		if (!meant.empty())
			found.push_back({n->from, n->len, meant});
	}
	return found;
}

} // namespace arkki
