/* The tree of a query, and the filters of a request, as a tree of what is sought.
 *
 * What only filters weighs nothing. A term that this revision does not have is left out: it would cost a
 * look at match time, and a synonym of one term is as cheap as the term.
 */
#include "index/search_xapian.hh"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <utility>

namespace arkki
{

namespace
{

/* Parentheses nest QUERY_DEPTH_MAX deep, each in a list, a side of AND and one of OR; then what
 * stands in them. */
const unsigned int DEPTH_MAX = 4 * QUERY_DEPTH_MAX + 8;
const size_t WILDCARD_WORDS = 200;     /* looked for, of those that begin so */
const size_t WILDCARD_LOOKED = 5000;   /* of them the best are taken */
const size_t WILDCARD_LISTED = 100000; /* shown or not, to find so many that are shown */
const unsigned int WILDCARDS_MAX = 16; /* of a query: each may list all those, 0.1 s */
const size_t LIKE_TERMS = 25;
const size_t LIKE_LOOKED = 1000; /* of a text, the most frequent */
const Xapian::doccount LIKE_OFTEN =
    1000;                      /* and a 50th of what is shown: a word says as little as any then */
const size_t LIKE_LETTERS = 3; /* a shorter word says little of a text */

/* Measured on 20,000 statute sections, and of other words on finlex-domain; see index/README.md. */
const double WEIGHT_ANYWHERE = 1;    /* on top, as a word or as part of a compound of the text */
const double WEIGHT_OWN_PARTS = 0.7; /* parts of the word, as words or parts in the text */
const double WEIGHT_TITLE = 0.5;     /* on top, when it stands in the title */
const double WEIGHT_ALSO = 0.4;      /* another word for it */
const double WEIGHT_JOINED = 1;      /* it and its neighbours as one compound */

const char *field_prefix(enum search_field field)
{
	static const char *const prefixes[SEARCH_FIELDS] = {
	    "XU", "XT", "XC", "XR", "XM", "XO", "XL", "XP", "XY", nullptr, nullptr};

	return field < SEARCH_FIELDS ? prefixes[field] : nullptr;
}

class translator
{
      public:
	explicit translator(struct search_reader *reader, const struct search_request *asked)
	    : r(reader), db(reader->db), lists(reader->columns()->lists), request(asked)
	{
	}

	bool ranked = false;
	std::vector<struct search_note> notes;

	sought node(const struct query_node &n, unsigned int depth)
	{
		if (depth > DEPTH_MAX)
			throw Xapian::InvalidArgumentError("the query is too deep");
		switch (n.kind) {
		case QUERY_WORD:
			return or_other_words(n, word(n), depth);
		case QUERY_PHRASE:
			return or_other_words(n, phrase(n), depth);
		case QUERY_WILDCARD:
			return wildcard(n);
		case QUERY_FIELD:
			return scaled(n.field == FIELD_TITLE ? title(n) : field(n), 0);
		case QUERY_DATES:
			return scaled(dates(n.date_from, n.date_to), 0);
		case QUERY_LIST:
			return list(n, depth);
		case QUERY_ALL:
			return all(n, depth);
		case QUERY_ONE_OF:
		case QUERY_ANY_FORM:
			return or_other_words(n, any_of(children(n, depth)), depth);
		}
		return {};
	}

	/* Whole years by their terms; of the first and last year only the days within. */
	sought dates(const std::string &from, const std::string &to) const
	{
		queries years;

		for (auto t = db.allterms_begin("XY"); t != db.allterms_end("XY"); ++t) {
			const std::string year = (*t).substr(2);

			if ((from.empty() || year >= from.substr(0, 4)) &&
			    (to.empty() || year <= to.substr(0, 4)))
				years.emplace_back(*t);
		}
		const bool whole_first = from.empty() || from.substr(4) == "-01-01";
		const bool whole_last = to.empty() || to.substr(4) == "-12-31";
		const sought q = any_of(years);

		if (whole_first && whole_last)
			return q;
		return all_of(
		    {q, sought::values(SLOT_DATE, whole_first ? "" : from, whole_last ? "" : to)});
	}

	sought exact(const char *prefix, const char *value) const
	{
		const std::string term = std::string(prefix) + value;

		/* too long a value is no entry's, and Xapian would refuse it */
		if (std::strlen(value) > ANALYSE_WORD_MAX || !exists(term))
			return {};
		return sought(term);
	}

      private:
	struct search_reader *r;
	const Xapian::Database &db;
	const std::shared_ptr<kept_lists> lists;
	const struct search_request *request;
	unsigned int wildcards = 0;

	bool exists(const std::string &term) const
	{
		return lists->frequency(db, term) > 0;
	}

	/* At a weight; the terms that there are. */
	sought synonyms(std::vector<std::string> terms, double weight) const
	{
		auto end = std::remove_if(
		    terms.begin(), terms.end(), [&](const std::string &t) { return !exists(t); });

		terms.erase(end, terms.end());
		if (terms.empty())
			return {};
		return scaled(sought(sought::SYNONYM, std::move(terms)), weight);
	}

	/* OR(lemmas, the same wherever they stand, parts of itself, title). What is a part of compounds as
	 * often as a word counts by how many have it in either way: where the parts had a weight of
	 * their own, a rare word in a common compound ranked too high. */
	sought word(const struct query_node &n)
	{
		std::vector<std::string> words, anywhere, own, in_title;
		queries any;

		for (size_t i = 0; i < n.terms_len; i++) {
			const struct query_term &t = n.terms[i];
			const std::string text(t.text, t.len);
			const std::string lemma = analyse_prefix(t.language, ANALYSE_LEMMA);

			if (t.kind == ANALYSE_RAW) {
				words.push_back(text);
			} else if (t.kind == ANALYSE_LEMMA) {
				words.push_back(lemma + text);
				anywhere.push_back("K" + text);
				in_title.push_back(lemma + "S" + text);
			} else {
				own.push_back("K" + text);
			}
		}
		ranked = true;
		add(any, synonyms(words, 1));
		add(any, synonyms(anywhere, WEIGHT_ANYWHERE));
		add(any, synonyms(own, WEIGHT_OWN_PARTS));
		add(any, synonyms(in_title, WEIGHT_TITLE));
		return any_of(any);
	}

	static void add(queries &to, const sought &q)
	{
		if (!q.empty())
			to.push_back(q);
	}

	sought phrase(const struct query_node &n)
	{
		std::vector<std::string> words;

		for (size_t i = 0; i < n.terms_len; i++)
			words.emplace_back(n.terms[i].text, n.terms[i].len);
		ranked = true;
		return {sought::PHRASE, std::move(words)};
	}

	sought or_other_words(const struct query_node &n, const sought &q, unsigned int depth)
	{
		queries any;

		add(any, q);
		for (size_t i = 0; i < n.also_len; i++)
			add(any, scaled(node(*n.also[i].node, depth + 1),
				     n.also[i].joined ? WEIGHT_JOINED : WEIGHT_ALSO));
		return any_of(any);
	}

	/* Where more words begin so than are looked for, those that most of the shown entries
	 * have: which they are, and that there are more, tells nothing of the others. So words of
	 * hidden entries must not take up the room of those that are looked at. */
	sought wildcard(const struct query_node &n)
	{
		std::vector<std::string> words;

		if (!n.terms_len || !n.terms[0].len || n.terms[0].len > ANALYSE_WORD_MAX)
			return {};
		if (++wildcards > WILDCARDS_MAX) {
			notes.push_back({NOTE_WILDCARD_CUT, n.from, n.len});
			return {};
		}
		const std::string stem(n.terms[0].text, n.terms[0].len);

		for (auto t = db.allterms_begin(stem);
		     t != db.allterms_end(stem) && words.size() <= WILDCARD_LOOKED; ++t)
			words.push_back(*t);
		ranked = true;
		if (words.size() > WILDCARD_LOOKED)
			words = shown_words(stem);
		if (words.size() > WILDCARD_WORDS && most_frequent(words))
			notes.push_back({NOTE_WILDCARD_CUT, n.from, n.len});
		return synonyms(words, 1);
	}

	std::vector<std::string> shown_words(const std::string &stem) const
	{
		const auto map = r->shown(request);
		std::vector<std::string> words;
		size_t listed = 0;

		for (auto t = db.allterms_begin(stem);
		     t != db.allterms_end(stem) && words.size() < WILDCARD_LOOKED &&
		     listed < WILDCARD_LISTED;
		     ++t, listed++)
			if (map->any(db, *t))
				words.push_back(*t);
		return words;
	}

	/* Returns whether any that is shown was left out. */
	bool most_frequent(std::vector<std::string> &words) const
	{
		const auto map = r->shown(request);
		std::vector<std::pair<Xapian::doccount, std::string>> counted;

		for (std::string &w : words) {
			Xapian::doccount n = map->count(db, w, db.get_doccount());

			if (n)
				counted.emplace_back(n, std::move(w));
		}
		std::sort(counted.begin(), counted.end(), [](const auto &a, const auto &b) {
			return a.first != b.first ? a.first > b.first : a.second < b.second;
		});
		words.clear();
		for (size_t i = 0; i < counted.size() && i < WILDCARD_WORDS; i++)
			words.push_back(counted[i].second);
		return counted.size() > WILDCARD_WORDS;
	}

	sought field(const struct query_node &n) const
	{
		const char *prefix = field_prefix(n.field);
		queries any;

		for (size_t i = 0; prefix && i < n.values_len; i++)
			add(any, exact(prefix, n.values[i]));
		return any_of(any);
	}

	/* The word, in a title. */
	sought title(const struct query_node &n) const
	{
		std::vector<std::string> terms;

		for (size_t i = 0; i < n.terms_len; i++)
			if (n.terms[i].kind != ANALYSE_PART)
				terms.push_back(std::string(analyse_prefix(
						    n.terms[i].language, n.terms[i].kind)) +
						'S' + std::string(n.terms[i].text, n.terms[i].len));
		return synonyms(terms, 1);
	}

	/* A field, or nothing but fields joined: it narrows what the rest of its list finds. */
	static bool is_filter(const struct query_node &n, unsigned int depth)
	{
		if (depth > DEPTH_MAX)
			throw Xapian::InvalidArgumentError("the query is too deep");
		if (n.kind != QUERY_ALL && n.kind != QUERY_ONE_OF)
			return n.kind == QUERY_FIELD || n.kind == QUERY_DATES;
		return n.children_len && std::all_of(n.children, n.children + n.children_len,
					     [&](const struct query_node *child) {
						     return is_filter(*child, depth + 1);
					     });
	}

	queries children(const struct query_node &n, unsigned int depth)
	{
		queries out;

		for (size_t i = 0; i < n.children_len; i++)
			out.push_back(node(*n.children[i], depth + 1));
		return out;
	}

	sought excluded(const struct query_node &n, unsigned int depth)
	{
		const bool before = ranked;
		sought q = node(n, depth);

		ranked = before; /* what is left out ranks nothing */
		return q;
	}

	sought all(const struct query_node &n, unsigned int depth)
	{
		queries in, out;

		for (size_t i = 0; i < n.children_len; i++) {
			const struct query_node &child = *n.children[i];

			if (child.occur == QUERY_MUST_NOT)
				add(out, excluded(child, depth + 1));
			else
				in.push_back(node(child, depth + 1));
		}
		return but_not(all_of(in), any_of(out));
	}

	/* Any of the plain items; all that must be, and of the filters; none that must not. */
	sought list(const struct query_node &n, unsigned int depth)
	{
		queries should, must, narrow, out;

		for (size_t i = 0; i < n.children_len; i++) {
			const struct query_node &child = *n.children[i];

			if (child.occur == QUERY_MUST_NOT)
				add(out, excluded(child, depth + 1));
			else if (is_filter(child, depth))
				narrow.push_back(node(child, depth + 1));
			else
				(child.occur == QUERY_MUST ? must : should)
				    .push_back(node(child, depth + 1));
		}
		if (!n.children_len)
			return {};
		sought q = all_of(narrow);

		if (must.empty() && should.empty())
			return but_not(q, any_of(out));
		q = wanted(must, should);
		if (!narrow.empty())
			q = filtered(q, all_of(narrow));
		return but_not(q, any_of(out));
	}

	static sought wanted(const queries &must, const queries &should)
	{
		const sought any = any_of(should);

		if (must.empty())
			return any;
		if (any.empty())
			return all_of(must);
		const sought all = all_of(must);

		return all.empty() ? all : sought(sought::ALL_MAYBE, queries{all, any});
	}
};

/* ---- documents that read like one ---- */

bool is_like_word(const std::string &term)
{
	const size_t prefix = term.compare(0, 2, "ZV") == 0 ? 2 : 1;

	return term[0] == 'Z' && term.compare(prefix, 1, "S") != 0 &&
	       term.size() >= prefix + LIKE_LETTERS;
}

/* The most frequent lemmas of an entry, by how often they stand there. */
std::vector<std::pair<double, std::string>> frequent_words(
    const Xapian::Database &db, Xapian::docid entry)
{
	std::vector<std::pair<double, std::string>> words;

	for (auto t = db.termlist_begin(entry); t != db.termlist_end(entry); ++t)
		if (is_like_word(*t))
			words.emplace_back(t.get_wdf(), *t);
	return words;
}

void keep_best(std::vector<std::pair<double, std::string>> &words, size_t n)
{
	n = std::min(words.size(), n);
	std::partial_sort(words.begin(), words.begin() + static_cast<std::ptrdiff_t>(n),
	    words.end(), [](const auto &a, const auto &b) {
		    return a.first != b.first ? a.first > b.first : a.second < b.second;
	    });
	words.resize(n);
}

/* The words of the entry that tell it best from others that are shown. With the frequencies of all entries a hidden
 * one could be asked for a word: whether it is among the best decides what else is found, and how much. */
sought best_words(const Xapian::Database &db, Xapian::docid entry, const sight_map &map)
{
	const Xapian::doccount others = map.shown() - (map.shows(entry) ? 1 : 0);
	const Xapian::doccount often = std::max(LIKE_OFTEN, others / 50);
	std::vector<std::pair<double, std::string>> words = frequent_words(db, entry), best;

	keep_best(words, LIKE_LOOKED);
	for (const auto &[tf, term] : words) {
		const Xapian::doccount df =
		    map.count(db, term, often + 1) - (map.shows(entry) ? 1 : 0);

		if (df)
			best.emplace_back(
			    tf / (tf + 1.2) * std::log(1 + static_cast<double>(others) / df), term);
	}
	keep_best(best, LIKE_TERMS);
	queries any;

	for (const auto &word : best)
		any.emplace_back(word.second);
	return any_of(any);
}

/* Nothing where the sight does not show the entry: as if it did not exist. */
sought like_query(struct search_reader *r, const struct search_request *request)
{
	char id[80];
	Xapian::Enquire enquire(r->db);

	terms_id(id, request->like, request->like_version, request->like_public);
	if (std::strlen(request->like) != 32 || !r->db.term_exists(id))
		return {};
	/* an older version may be shown as well, to one who asks for it */
	const auto map = r->shown(request->sight, true);
	const auto found = r->db.postlist_begin(id);

	if (!map->shows(*found))
		return {};
	return but_not(best_words(r->db, *found, *r->shown(request)),
	    sought(std::string("XD") + request->like));
}

bool given(const char *value)
{
	return value && *value;
}

sought documents_query(const char (*documents)[33], size_t n)
{
	queries any;

	for (size_t i = 0; i < n; i++)
		any.emplace_back(std::string("XD") + documents[i]);
	return any_of(any);
}

/* False: nothing has one of the values. */
bool add_filters(const translator &t, const struct search_request *request, queries &all)
{
	const struct {
		const char *prefix, *value;
	} exact[] = {{"XU", request->unit}, {"XC", request->case_id}, {"XT", request->type},
	    {"XR", request->county}, {"XM", request->municipality}, {"XO", request->author},
	    {"XL", request->language}, {"XP", request->publicity}, {"XY", request->year}};

	for (const auto &e : exact)
		if (given(e.value))
			all.push_back(t.exact(e.prefix, e.value));
	if (given(request->from) || given(request->to))
		all.push_back(t.dates(given(request->from) ? request->from : "",
		    given(request->to) ? request->to : ""));
	if (request->filed_after)
		all.push_back(sought::values(SLOT_FILED,
		    Xapian::sortable_serialise(static_cast<double>(request->filed_after) + 1), ""));
	return std::none_of(all.begin(), all.end(), [](const sought &q) { return q.empty(); });
}

} // namespace

/* What is searched for, over what is shown: filters weigh nothing. */
reading read_request(
    struct search_reader *r, const struct search_request *request, const struct query *words)
{
	const auto shown = r->shown(request->sight, request->versions_all);
	translator t(r, request);
	sought q = sought::everything();
	queries all;
	const bool nothing = !add_filters(t, request, all);

	if (words)
		q = words->root ? t.node(*words->root, 0) : sought();
	if (given(request->like)) {
		const sought like = like_query(r, request);

		q = words ? filtered(like, q) : like;
		t.ranked = true;
	}
	if (nothing || q.empty())
		return {{}, shown, t.ranked, t.notes};
	if (!all.empty())
		q = filtered(q, all_of(all));
	q = but_not(q, documents_query(request->without, request->without_len));
	return {q, shown, t.ranked, t.notes};
}

} // namespace arkki
