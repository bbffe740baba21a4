/* What readers keep in memory from one revision to the next: after any filings, changes and deletions the
 * answers are those of a reader that begins anew. All documents are made up. */
#include "tests/unit/search_fixture.h"

#include <pthread.h>

enum { DOCUMENTS = 60, WORDS = 8, ROUNDS = 24, QUESTIONS = 6, READERS = 4 };

static struct access_filter not_public = {
    .op = ACCESS_OP_NOT, .child = (struct access_filter *[]){&only_public}, .children = 1};
static const struct access_sight sights[] = {
    {&everything, &everything}, {&only_public, &only_public}, {&not_public, &not_public}};

static const char *const publicities[] = {"public", "secret"};
static const char *const types[] = {"memo", "decision", "statement"};
static const char *const units[] = {"koivula", "niittyla", "rantala"};
static const char *const days[] = {"2024-01-01", "2023-05-05", "2024-06-07", "2022-02-02"};

/* Puts the document, new or once more, with other words, length and attributes. */
static void put(struct index_fixture *f, unsigned int n)
{
	struct buf text = BUF_INIT;
	char id[33];

	snprintf(id, sizeof(id), "%032x", n);
	for (unsigned int i = 2 + dice(&f->seed, 12); i > 0; i--)
		buf_addf(&text, "%u ", 4000 + dice(&f->seed, WORDS));
	assert_false(buf_failed(&text));
	assert_int_equal(search_put(f->writer,
			     &(struct search_document){
				 .document = id,
				 .version = 1,
				 .only = true,
				 .attributes = {.publicity = PICK(&f->seed, publicities),
				     .author = "lvv",
				     .state = "final",
				     .type = PICK(&f->seed, types),
				     .units = (const char *const[]){PICK(&f->seed, units),
					 PICK(&f->seed, units)},
				     .units_len = 1 + dice(&f->seed, 2)},
				 .language = "fi",
				 .date = PICK(&f->seed, days),
				 .title = "otsikko",
				 .text = text.data,
				 .text_len = text.len,
			     },
			     NULL),
	    0);
	buf_free(&text);
}

static void change(struct index_fixture *f)
{
	char id[33];

	for (unsigned int i = 1 + dice(&f->seed, 4); i > 0; i--) {
		unsigned int n = dice(&f->seed, DOCUMENTS);

		snprintf(id, sizeof(id), "%032x", n);
		if (dice(&f->seed, 4))
			put(f, n);
		else
			assert_int_equal(search_delete(f->writer, id, 0, NULL), 0);
	}
	assert_int_equal(search_commit(f->writer, ++f->commits, NULL), 0);
}

static void question(struct index_fixture *f, char q[80])
{
	static const char *const forms[] = {
	    "%u", "%u %u", "%u AND %u", "%u -%u", "+%u %u", "%u unit:koivula", "\"%u %u\"", ""};
	unsigned int a = 4000 + dice(&f->seed, WORDS), b = 4000 + dice(&f->seed, WORDS);

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	snprintf(q, 80, PICK(&f->seed, forms), a, b);
#pragma GCC diagnostic pop
}

static void assert_same(const struct search_result *a, const struct search_result *b)
{
	assert_int_equal(a->total, b->total);
	assert_int_equal(a->hits_len, b->hits_len);
	for (size_t i = 0; i < a->hits_len; i++)
		assert_string_equal(a->hits[i].document, b->hits[i].document);
	for (int k = 0; k < SEARCH_FACETS; k++) {
		assert_int_equal(a->facets[k].len, b->facets[k].len);
		for (size_t i = 0; i < a->facets[k].len; i++) {
			assert_string_equal(
			    a->facets[k].counts[i].value, b->facets[k].counts[i].value);
			assert_int_equal(
			    a->facets[k].counts[i].count, b->facets[k].counts[i].count);
		}
	}
}

static uint64_t ask_both(struct index_fixture *f, struct search_reader *anew, const char *q)
{
	const struct search_request request = {.q = q,
	    .sight = &PICK(&f->seed, sights),
	    .sort = dice(&f->seed, 2) ? SEARCH_BY_DATE : SEARCH_BY_RELEVANCE,
	    .from = dice(&f->seed, 3) ? NULL : "2023-03-03",
	    .limit = 50,
	    .facets = true};
	struct search_result a, b;
	uint64_t total;

	assert_int_equal(search_query(f->reader, &request, &a, NULL), 0);
	assert_int_equal(search_query(anew, &request, &b, NULL), 0);
	assert_same(&a, &b);
	total = a.total;
	search_result_clear(&a);
	search_result_clear(&b);
	return total;
}

static void test_search_shelf__what_is_kept_answers_as_what_is_read_anew(void **state)
{
	struct index_fixture *f = *state;
	uint64_t found = 0;
	char q[80];

	for (int round = 0; round < ROUNDS; round++) {
		struct search_reader *anew = NULL;

		for (unsigned int i = 1 + dice(&f->seed, 3); i > 0; i--)
			change(f); /* revisions that nobody asked are passed over */
		if (dice(&f->seed, 2))
			put(f, dice(&f->seed, DOCUMENTS)); /* listed, and not committed yet */
		assert_int_equal(search_open_reader(f->dir, f->analyser, NULL, &anew, NULL), 0);
		for (int i = 0; i < QUESTIONS; i++) {
			question(f, q);
			found += ask_both(f, anew, q);
		}
		search_reader_free(anew);
	}
	assert_true(found > ROUNDS * QUESTIONS);
}

/* ---- readers beside each other ---- */

struct asker {
	struct analyser *analyser;
	struct search_reader *reader;
	const struct access_sight *sight;
	uint64_t wrong, answers;
	bool *stop;
};

/* Public and other documents are told apart by their word: one sight's map must never answer for the other. */
static void *ask(void *arg)
{
	struct asker *a = arg;
	const bool of_public = a->sight == &sights[1];

	while (!__atomic_load_n(a->stop, __ATOMIC_ACQUIRE)) {
		struct search_request request = {
		    .q = of_public ? "5001" : "5000", .sight = a->sight};
		struct search_result r;

		if (search_query(a->reader, &request, &r, NULL)) {
			a->wrong++;
			continue;
		}
		a->wrong += r.total != 0;
		search_result_clear(&r);
		a->answers++;
	}
	return NULL;
}

static void put_told_apart(struct index_fixture *f, unsigned int n)
{
	const bool is_public = n % 2 == 0;
	char id[33];

	snprintf(id, sizeof(id), "%032x", n % DOCUMENTS);
	assert_int_equal(
	    search_put(f->writer,
		&(struct search_document){
		    .document = id,
		    .version = 1,
		    .only = true,
		    .attributes = {.publicity = publicities[!is_public], .state = "final"},
		    .language = "fi",
		    .date = "2024-01-01",
		    .title = "",
		    .text = is_public ? "5000" : "5001",
		    .text_len = 4,
		},
		NULL),
	    0);
}

static void test_search_shelf__readers_share_it_and_sights_do_not(void **state)
{
	struct index_fixture *f = *state;
	struct asker askers[READERS];
	pthread_t threads[READERS];
	uint64_t wrong = 0;
	int answered = 0;
	bool stop = false;

	for (int i = 0; i < READERS; i++) {
		struct asker *a = &askers[i];

		*a = (struct asker){.sight = &sights[1 + i % 2], .stop = &stop};
		assert_int_equal(analyser_new(NULL, &a->analyser, NULL), 0);
		assert_int_equal(
		    search_open_reader(f->dir, a->analyser, f->gate, &a->reader, NULL), 0);
		assert_int_equal(pthread_create(&threads[i], NULL, ask, a), 0);
	}
	for (unsigned int n = 0; n < 60; n++) {
		put_told_apart(f, n * 7 + n / DOCUMENTS);
		assert_int_equal(search_commit(f->writer, ++f->commits, NULL), 0);
	}
	__atomic_store_n(&stop, true, __ATOMIC_RELEASE);
	for (int i = 0; i < READERS; i++) {
		pthread_join(threads[i], NULL);
		wrong += askers[i].wrong;
		answered += askers[i].answers > 0;
		search_reader_free(askers[i].reader);
		analyser_free(askers[i].analyser);
	}
	assert_int_equal(wrong, 0);
	assert_int_equal(answered, READERS);
}

#define SHELF_TEST(t) cmocka_unit_test_setup_teardown(t, index_setup, index_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    SHELF_TEST(test_search_shelf__what_is_kept_answers_as_what_is_read_anew),
	    SHELF_TEST(test_search_shelf__readers_share_it_and_sights_do_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
