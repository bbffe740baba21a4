/* Writing: an entry, its rank among the versions of its document, and opening the index for it. */
#include "index/search_xapian.hh"

#include <algorithm>
#include <cstdlib>

extern "C" {
#include "arkki/base/fs.h"
}

namespace arkki
{

int fail_xapian(
    struct ark_error *err, int status, const char *doing, const Xapian::Error &e) noexcept
{
	const char *system = e.get_error_string();

	return ark_fail(err, status, "cannot %s: the index says %s%s%s", doing, e.get_type(),
	    system ? ": " : "", system ? system : "");
}

namespace
{

const char KEY_ANALYSER[] = "arkki-analyser";
const unsigned int FORMAT = 5; /* of terms and values; another value in the index: rebuild */

struct collector {
	Xapian::Document *document;
	struct ark_error *err;
};

int collect_posting(void *arg, const char *term, size_t len, uint32_t position)
{
	auto *c = static_cast<collector *>(arg);

	return guarded(c->err, "add a word", [&] {
		c->document->add_posting(std::string(term, len), position);
		return 0;
	});
}

int collect_weighted(void *arg, const char *term, size_t len)
{
	auto *c = static_cast<collector *>(arg);

	return guarded(c->err, "add a term", [&] {
		c->document->add_term(std::string(term, len));
		return 0;
	});
}

int collect_boolean(void *arg, const char *term, size_t len)
{
	auto *c = static_cast<collector *>(arg);

	return guarded(c->err, "add an attribute", [&] {
		c->document->add_boolean_term(std::string(term, len));
		return 0;
	});
}

struct term_sink sink_into(collector &c)
{
	return {&c, collect_posting, collect_weighted, collect_boolean};
}

std::string text_or_empty(const char *text)
{
	return text ? text : "";
}

std::string lines_of(const char *const *values, size_t n)
{
	std::string lines;

	for (size_t i = 0; i < n; i++) {
		if (i)
			lines += '\n';
		lines += text_or_empty(values[i]);
	}
	return lines;
}

} // namespace

std::string unique_term(const char *document, uint32_t version, bool public_form)
{
	char id[80];

	terms_id(id, document, version, public_form);
	return id;
}

namespace
{

void add_values(
    Xapian::Document &x, const struct search_document *d, const struct likeness &likeness)
{
	const struct search_attributes &a = d->attributes;
	unsigned char signature[LIKENESS_BYTES];

	x.add_value(SLOT_DATE, text_or_empty(d->date));
	x.add_value(SLOT_UNIT, lines_of(a.units, a.units_len));
	x.add_value(SLOT_COUNTY, lines_of(a.counties, a.counties_len));
	x.add_value(SLOT_FACETS, facets_pack(d));
	x.add_value(SLOT_FILED, Xapian::sortable_serialise(static_cast<double>(d->filed)));
	if (likeness_end(&likeness, signature))
		x.add_value(SLOT_LIKENESS,
		    std::string(reinterpret_cast<const char *>(signature), LIKENESS_BYTES));
	x.set_data(unique_term(d->document, d->version, d->public_form).substr(1));
}

} // namespace

int make_words(struct analyser *a, const char *language, const char *text, size_t len,
    struct search_prepared *into, struct ark_error *err)
{
	collector c = {&into->document, err};
	const struct term_sink sink = sink_into(c);

	return terms_of_text(a, language, text, len, &sink, &into->likeness, &into->last, err);
}

int put(struct search_index *w, const struct search_document *d, struct ark_error *err)
{
	struct search_prepared own = {};
	struct search_prepared *words = d->prepared ? d->prepared : &own;
	collector c = {&words->document, err};
	const struct term_sink sink = sink_into(c);
	int r = ARK_OK;

	if (!d->prepared)
		r = make_words(
		    w->analyser, d->language, d->text ? d->text : "", d->text_len, &own, err);
	if (!r)
		r = terms_of_document(w->analyser, d, words->last, &sink, err);
	if (r)
		return r;
	Xapian::Document &x = words->document;

	add_values(x, d, words->likeness);
	const Xapian::docid last = w->db.get_lastdocid();
	const Xapian::docid entry =
	    w->db.replace_document(unique_term(d->document, d->version, d->public_form), x);

	if (w->shelf && entry <= last)
		w->shelf->rewrote(entry);
	return ARK_OK;
}

namespace
{

/* What set_versions() answers for: rank, attributes of newer versions, and whether there is a
 * rendition, which comes and goes without the version being put again. */
bool is_versions_term(const std::string &term)
{
	return term == TERMS_NEVER_HIT || term.compare(0, 2, TERMS_NEWER) == 0 ||
	       term.compare(0, 2, "XE") == 0 ||
	       (term.size() > 1 && term[0] == 'N' && term[1] >= '0' && term[1] <= '9');
}

std::vector<std::string> versions_terms_of(const Xapian::Document &x)
{
	std::vector<std::string> terms;

	for (auto t = x.termlist_begin(); t != x.termlist_end(); ++t)
		if (is_versions_term(*t))
			terms.push_back(*t);
	return terms;
}

/* What set_versions() answers for in a version of rank `rank` (from 0; SEARCH_RANKS: never a hit), whose
 * newer ones are given. */
int describe_version(const struct search_version *versions, const size_t *index, size_t rank,
    const struct search_attributes *own, Xapian::Document &x, struct ark_error *err)
{
	collector c = {&x, err};
	const struct term_sink sink = sink_into(c);
	/* of the version's own attributes, only the rendition is taken from here */
	int r = terms_of_attributes(own, 0, &sink, err);

	if (rank == SEARCH_RANKS) {
		x.add_boolean_term(TERMS_NEVER_HIT);
		rank = 0;
	}
	for (size_t i = 0; !r && i < rank; i++) {
		const struct search_attributes &newer = versions[index[i]].attributes;

		x.add_boolean_term(TERMS_NEWER + std::to_string(i + 1));
		x.add_value(SLOT_NEWER_UNIT + static_cast<Xapian::valueno>(i),
		    lines_of(newer.units, newer.units_len));
		r = terms_of_attributes(&newer, static_cast<unsigned int>(i + 1), &sink, err);
	}
	return r;
}

/* Rewrites only what changed: a newest version that stays so costs a look. */
void rewrite_version(
    Xapian::WritableDatabase &db, const std::string &id, const Xapian::Document &want)
{
	auto posting = db.postlist_begin(id);

	if (posting == db.postlist_end(id))
		return;
	Xapian::docid did = *posting;
	Xapian::Document x = db.get_document(did);
	const std::vector<std::string> have = versions_terms_of(x);
	const std::vector<std::string> terms = versions_terms_of(want);

	if (have == terms)
		return;
	for (const std::string &term : have)
		x.remove_term(term);
	for (const std::string &term : terms)
		x.add_boolean_term(term);
	for (Xapian::valueno slot = SLOT_NEWER_UNIT; slot < SLOTS; slot++)
		x.add_value(slot, want.get_value(slot));
	db.replace_document(did, x);
}

} // namespace

int set_versions(struct search_index *w, const char *document,
    const struct search_version *versions, size_t n, struct ark_error *err)
{
	size_t index[SEARCH_RANKS];
	size_t ranks = terms_rank(versions, n, index);

	for (size_t i = 0; i < n; i++) {
		size_t rank = static_cast<size_t>(std::find(index, index + ranks, i) - index);
		Xapian::Document want;
		int r = describe_version(versions, index, rank < ranks ? rank : SEARCH_RANKS,
		    &versions[i].attributes, want, err);

		if (r)
			return r;
		for (bool public_form : {false, true})
			rewrite_version(
			    w->db, unique_term(document, versions[i].version, public_form), want);
	}
	return ARK_OK;
}

uint64_t sequence_of(const Xapian::Database &db)
{
	return std::strtoull(db.get_metadata(KEY_SEQUENCE).c_str(), nullptr, 10);
}

/* Glass makes its files one by one, and syncs no directory: a new index gets its name when it is whole. */
static int begin_index(const std::string &dir, const std::string &version, struct ark_error *err)
{
	const std::string begun = dir + ".begun", parent = dir + "/..";
	int rc = fs_remove_tree(begun.c_str(), err);

	if (rc)
		return rc;
	Xapian::WritableDatabase db(begun, Xapian::DB_CREATE | Xapian::DB_BACKEND_GLASS);
	db.set_metadata(KEY_ANALYSER, version);
	db.commit();
	db.close();
	rc = fs_sync_dir(begun.c_str(), err);
	if (!rc)
		rc = fs_rename(begun.c_str(), dir.c_str(), err);
	return rc ? rc : fs_sync_dir(parent.c_str(), err);
}

int open_writer(const char *dir, struct analyser *analyser, struct search_gate *gate,
    struct search_index **ret, struct ark_error *err)
{
	const std::string version = std::to_string(ANALYSE_VERSION) + '.' + std::to_string(FORMAT);
	int rc = fs_exists(dir) ? ARK_OK : begin_index(dir, version, err);

	if (rc)
		return rc;
	Xapian::WritableDatabase db(dir, Xapian::DB_CREATE_OR_OPEN | Xapian::DB_BACKEND_GLASS);
	const std::string written_by = db.get_metadata(KEY_ANALYSER);

	if (written_by.empty() && db.get_doccount() == 0) {
		db.set_metadata(KEY_ANALYSER, version);
		db.commit();
	} else if (written_by != version) {
		return ark_fail(err, ARK_EINPUT,
		    "the index was written by another analyser or in another format: run `arkki "
		    "rebuild DIR index`");
	}
	/* outside a transaction Xapian commits by itself after 10,000 changes, without our sequence */
	db.begin_transaction();
	*ret = new search_index{db, analyser, gate, nullptr, sequence_of(db), dir};
	return ARK_OK;
}

} // namespace arkki
