/* The C interface of the index, and the gate that keeps a writer from what is read. What
 * is behind it is in the files that search_xapian.hh names.
 *
 * Invariants:
 *   - No exception leaves a function of search.h: each body that can throw
 *     runs inside guarded(), and callbacks that C code calls are guarded too.
 *   - No message of Xapian is passed on: it may hold terms, and terms are
 *     text. Its type and errno are enough.
 *   - Whatever is counted, faceted, returned or suggested has passed through
 *     visible(): there is no query without the sight.
 */
#include "index/search_xapian.hh"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <new>

#include <pthread.h>

extern "C" {
#include "arkki/base/fs.h"
#include "index/words.h"
}

/* A reader at revision n is safe until n+1 is committed *and* n+2 is begun: only then are blocks of
 * n written over. So each query counts itself into the half of the current epoch, and a commit,
 * once done, turns the epoch and waits for the other half to empty before anything is written. */
struct search_gate {
	pthread_mutex_t lock;
	pthread_cond_t left;
	unsigned int epoch;
	unsigned int active[2]; /* queries, by the lowest bit of the epoch they began in */
	std::shared_ptr<arkki::shelf> shelf; /* what the readers keep, and the writer tells them */
};

namespace
{

using namespace arkki;

const unsigned int DISTURBED_MAX = 2;
const size_t COMPLETE_LETTERS = 2; /* of a beginning, at least */
const time_t GATE_S = 2;           /* no commit waits longer for a reader */

/* After a commit: waits, for a bounded time, until the queries that began before it are done. */
void gate_turn(struct search_gate *gate) noexcept
{
	struct timespec until;
	unsigned int before;

	if (!gate)
		return;
	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += GATE_S;
	pthread_mutex_lock(&gate->lock);
	before = gate->epoch++ & 1;
	while (gate->active[before] &&
	       pthread_cond_clockwait(&gate->left, &gate->lock, CLOCK_MONOTONIC, &until) == 0)
		;
	pthread_mutex_unlock(&gate->lock);
}

/* A query in progress. */
class passage
{
      public:
	explicit passage(struct search_gate *g) : gate(g)
	{
		if (!gate)
			return;
		pthread_mutex_lock(&gate->lock);
		half = gate->epoch & 1;
		gate->active[half]++;
		pthread_mutex_unlock(&gate->lock);
	}
	~passage()
	{
		if (!gate)
			return;
		pthread_mutex_lock(&gate->lock);
		gate->active[half]--;
		pthread_cond_broadcast(&gate->left);
		pthread_mutex_unlock(&gate->lock);
	}
	passage(const passage &) = delete;
	passage &operator=(const passage &) = delete;

      private:
	struct search_gate *gate;
	unsigned int half = 0;
};

/* f() against the newest commit. Where no gate protects it, or it took longer than the gate waits,
 * the writer may write over what it reads. Xapian mostly sees that as DatabaseModified, but a block
 * read half old and half new as DatabaseCorrupt (twice in 24,000 queries beside a writer that did
 * nothing but commit): either is tried again, and believed the third time. */
template <typename F> int with_newest(struct search_reader *r, F &&f)
{
	for (unsigned int disturbed = 0;; disturbed++) {
		const passage held(r->gate);

		try {
			r->settled = r->shelf->settled();
			r->db.reopen();
			f();
			return ARK_OK;
		} catch (const Xapian::DatabaseError &) {
			if (disturbed == DISTURBED_MAX)
				throw;
		}
	}
}

int check_request(const struct search_request *request, struct ark_error *err)
{
	if (!request->sight || !request->sight->any || !request->sight->whole)
		return ark_fail(err, ARK_EINPUT, "a search without the policy's filter");
	if (request->limit > SEARCH_LIMIT_MAX)
		return ark_fail(err, ARK_EINPUT, "limit is more than %u", SEARCH_LIMIT_MAX);
	if (request->offset > SEARCH_OFFSET_MAX)
		return ark_fail(err, ARK_EINPUT, "more than %u hits on", SEARCH_OFFSET_MAX);
	return ARK_OK;
}

bool is_blank(const char *q)
{
	return !q || q[std::strspn(q, " \t\r\n")] == '\0';
}

struct search_request seen_by(const struct access_sight *sight)
{
	struct search_request request = {};

	request.sight = sight;
	return request;
}

size_t letters_of(const char *word, size_t len)
{
	return static_cast<size_t>(std::count_if(word, word + len,
	    [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

/* The query with the words replaced, all else as typed; they are in the order typed. */
int append_corrected(const char *q, const std::vector<correction> &better, struct buf *ret,
    struct ark_error *err) noexcept
{
	const size_t len = std::strlen(q);
	size_t at = 0;

	for (const correction &c : better) {
		if (c.from < at || c.len > len || c.from > len - c.len)
			continue;
		buf_add(ret, q + at, c.from - at);
		buf_add(ret, c.word.data(), c.word.size());
		at = c.from + c.len;
	}
	buf_add(ret, q + at, len - at);
	return buf_failed(ret) ? ark_fail(err, ARK_ENOMEM, "no memory for a suggestion") : ARK_OK;
}

} // namespace

/* ---- the C interface ---- */

extern "C" {

int search_gate_new(struct search_gate **ret, struct ark_error *err)
{
	return guarded(err, "make a gate", [&] {
		auto shared = std::make_shared<shelf>();

		shared->follows_writer = true;
		*ret = new search_gate{PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0,
		    {0, 0}, std::move(shared)};
		return ARK_OK;
	});
}

void search_gate_free(struct search_gate *g)
{
	if (g) {
		pthread_cond_destroy(&g->left);
		pthread_mutex_destroy(&g->lock);
	}
	delete g;
}

int search_open_writer(const char *dir, struct analyser *analyser, struct search_gate *gate,
    struct search_index **ret, struct ark_error *err)
{
	return guarded(err, "open the index for writing", [&] {
		const int rc = open_writer(dir, analyser, gate, ret, err);

		if (!rc && gate)
			(*ret)->shelf = gate->shelf;
		return rc;
	});
}

/* A WritableDatabase commits when it is destroyed, unless the transaction was cancelled. */
void search_close(struct search_index *w)
{
	if (!w)
		return;
	guarded(nullptr, "close the index", [&] {
		w->db.cancel_transaction();
		w->db.close();
		return 0;
	});
	guarded(nullptr, "close the index", [&] {
		delete w;
		return 0;
	});
}

uint64_t search_sequence(const struct search_index *w)
{
	return w->sequence;
}

int search_prepare(struct analyser *a, const char *language, const char *text, size_t len,
    struct search_prepared **ret, struct ark_error *err)
{
	return guarded(err, "make the words of a text ready", [&] {
		std::unique_ptr<struct search_prepared> w(new search_prepared());
		int r = make_words(a, language, text, len, w.get(), err);

		if (!r)
			*ret = w.release();
		return r;
	});
}

void search_prepared_free(struct search_prepared *w)
{
	delete w;
}

int search_put(struct search_index *w, const struct search_document *d, struct ark_error *err)
{
	return guarded(err, "put a document into the index", [&] { return put(w, d, err); });
}

int search_set_versions(struct search_index *w, const char *document,
    const struct search_version *newest_first, size_t n, struct ark_error *err)
{
	return guarded(err, "rank the versions of a document",
	    [&] { return set_versions(w, document, newest_first, n, err); });
}

int search_delete(
    struct search_index *w, const char *document, uint32_t version, struct ark_error *err)
{
	return guarded(err, "delete a document from the index", [&] {
		if (version) {
			w->db.delete_document(unique_term(document, version, false));
			w->db.delete_document(unique_term(document, version, true));
		} else {
			w->db.delete_document(std::string("XD") + document);
		}
		return ARK_OK;
	});
}

int search_delete_public(
    struct search_index *w, const char *document, uint32_t version, struct ark_error *err)
{
	return guarded(err, "delete a rendition from the index", [&] {
		w->db.delete_document(unique_term(document, version, true));
		return ARK_OK;
	});
}

int search_commit(struct search_index *w, uint64_t sequence, struct ark_error *err)
{
	return guarded(err, "commit the index", [&] {
		w->db.set_metadata(KEY_SEQUENCE, std::to_string(sequence));
		w->db.commit_transaction();
		/* Glass renames its new version and does not sync the name: a power cut could bring back
		 * the old one when the next commit has written over its blocks. */
		int rc = fs_sync_dir(w->dir.c_str(), err);
		if (rc)
			return rc;
		w->sequence = sequence;
		if (w->shelf)
			w->shelf->settle();
		gate_turn(w->gate);
		w->db.begin_transaction();
		return rc;
	});
}

int search_compact(const char *dir, const char *to, struct ark_error *err)
{
	return guarded(err, "compact the index", [&] {
		Xapian::Database db(dir);

		db.compact(std::string(to), Xapian::DBCOMPACT_NO_RENUMBER);
		return ARK_OK;
	});
}

int search_open_reader(const char *dir, struct analyser *analyser, struct search_gate *gate,
    struct search_reader **ret, struct ark_error *err)
{
	if (!fs_exists(dir))
		return ark_fail(
		    err, ARK_ENOTFOUND, "there is no index: run `arkki rebuild DIR index`");
	return guarded(err, "open the index", [&] {
		*ret = new search_reader{Xapian::Database(dir), analyser, gate,
		    gate ? gate->shelf : std::make_shared<shelf>(), 0, nullptr};
		return ARK_OK;
	});
}

void search_reader_free(struct search_reader *r)
{
	guarded(nullptr, "close the index", [&] {
		delete r;
		return 0;
	});
}

int search_reader_sequence(struct search_reader *r, uint64_t *ret, struct ark_error *err)
{
	return guarded(err, "read the sequence of the index",
	    [&] { return with_newest(r, [&] { *ret = sequence_of(r->db); }); });
}

/* Reads the query of a request, where it has one; *ret is ended with query_free(). */
static int parse(struct search_reader *r, const struct search_request *request, struct query **ret,
    struct ark_error *err)
{
	const struct query_config config = {request->language, request->synonyms, request->names};
	int status = check_request(request, err);

	if (status || is_blank(request->q))
		return status;
	return query_parse(r->analyser, request->q, &config, ret, err);
}

int search_query(struct search_reader *r, const struct search_request *request,
    struct search_result *ret, struct ark_error *err)
{
	struct buf read = {};
	struct query *words = nullptr;
	int status = parse(r, request, &words, err);

	if (!status && words)
		status = query_write(request->q, words, &read, err);
	if (!status)
		status = guarded(err, "search",
		    [&] { return with_newest(r, [&] { answer(r, request, words, ret); }); });
	if (status)
		buf_wipe_free(&read);
	else
		ret->read = read;
	query_free(words);
	return status;
}

int search_ranking(struct search_reader *r, const struct search_request *request, unsigned int max,
    struct search_hit **ret, size_t *ret_len, struct ark_error *err)
{
	struct search_request asked = *request;
	struct query *words = nullptr;
	int status;

	asked.offset = asked.limit = 0;
	status = parse(r, &asked, &words, err);
	if (!status && max > SEARCH_OFFSET_MAX)
		status = ark_fail(err, ARK_EINPUT, "more than %u hits", SEARCH_OFFSET_MAX);
	if (!status)
		status = guarded(err, "rank", [&] {
			return with_newest(r, [&] { rank(r, &asked, words, max, ret, ret_len); });
		});
	query_free(words);
	return status;
}

int search_total(struct search_reader *r, const struct search_request *request, uint64_t *ret,
    struct ark_error *err)
{
	struct search_request asked = *request;
	struct query *words = nullptr;
	int status;

	asked.offset = asked.limit = 0;
	status = parse(r, &asked, &words, err);
	if (!status)
		status = guarded(err, "count",
		    [&] { return with_newest(r, [&] { *ret = total(r, &asked, words); }); });
	query_free(words);
	return status;
}

void search_words_clear(struct search_words *w)
{
	for (size_t i = 0; i < w->len; i++)
		std::free(w->list[i].word);
	std::free(w->list);
	*w = {};
}

int search_complete(struct search_reader *r, const struct access_sight *sight, const char *prefix,
    unsigned int max, struct search_words *ret, struct ark_error *err)
{
	const struct search_request asked = seen_by(sight);
	char normal[ANALYSE_WORD_MAX + 1], lower[ANALYSE_WORD_MAX + 1];
	size_t len;
	int status = check_request(&asked, err);

	if (status)
		return status;
	*ret = {};
	if (std::strlen(prefix) > ANALYSE_WORD_MAX)
		return ARK_OK; /* no word is so long */
	len = words_normalise(normal, prefix, std::strlen(prefix));
	len = words_lower(lower, normal, len);
	if (letters_of(lower, len) < COMPLETE_LETTERS)
		return ARK_OK;
	return guarded(err, "complete a word", [&] {
		return with_newest(
		    r, [&] { complete(r, sight, std::string(lower, len), max, ret); });
	});
}

int search_did_you_mean(struct search_reader *r, const struct search_request *request,
    struct buf *ret, struct ark_error *err)
{
	std::vector<correction> better;
	struct query *words = nullptr;
	int status = parse(r, request, &words, err);

	if (!status && words)
		status = guarded(err, "look for what was meant", [&] {
			return with_newest(r, [&] { better = corrections(r, request, words); });
		});
	if (!status && !better.empty())
		status = append_corrected(request->q, better, ret, err);
	query_free(words);
	return status;
}

void search_result_clear(struct search_result *result)
{
	std::free(result->hits);
	buf_wipe_free(&result->read);
	for (auto &facet : result->facets) {
		for (size_t i = 0; i < facet.len; i++)
			std::free(facet.counts[i].value);
		std::free(facet.counts);
	}
	*result = {};
}

} /* extern "C" */
