/* What the writer of an index promises: commits with their sequence, one writer, deletions, a reader beside it,
 * and that no C++ leaves the shim. All texts are made up. */
#include "tests/unit/search_papers.h"

#include <pthread.h>

#include "index/query.h"

/* ---- writing ---- */
static void test_search__sequence_and_documents_are_committed_together(void **state)
{
	struct index_fixture *f = *state;
	uint64_t sequence;

	put(f, (struct paper){.n = 1, .text = "lapsi"});
	commit(f, 41);
	put(f, (struct paper){.n = 2, .text = "lapsi"});
	FOUND(f, "1: 1.1", .q = "lapsi");
	assert_int_equal(search_reader_sequence(f->reader, &sequence, NULL), 0);
	assert_int_equal(sequence, 41);
	search_close(f->writer);
	f->writer = NULL;
	assert_int_equal(search_open_writer(f->dir, f->analyser, f->gate, &f->writer, NULL), 0);
	assert_int_equal(search_sequence(f->writer), 41);
	FOUND(f, "1: 1.1", .q = "lapsi");
	put(f, (struct paper){.n = 1, .text = "lapsi uudestaan"});
	put(f, (struct paper){.n = 2, .text = "lapsi"});
	commit(f, 42);
	FOUND(f, "2: 2.1 1.1", .q = "lapsi", .sort = SEARCH_BY_DATE);
	FOUND(f, "1: 1.1", .q = "uudestaan");
}

static void test_search__nothing_is_committed_without_its_sequence(void **state)
{
	struct index_fixture *f = *state;
	unsigned int i;

	search_close(f->writer);
	f->writer = NULL;
	setenv("XAPIAN_FLUSH_THRESHOLD", "2", 1);
	assert_int_equal(search_open_writer(f->dir, f->analyser, f->gate, &f->writer, NULL), 0);
	for (i = 1; i <= 9; i++)
		put(f, (struct paper){.n = i, .text = "lapsi"});
	FOUND(f, "0:", .q = "lapsi");
	search_close(f->writer);
	f->writer = NULL;
	assert_int_equal(search_open_writer(f->dir, f->analyser, f->gate, &f->writer, NULL), 0);
	unsetenv("XAPIAN_FLUSH_THRESHOLD");
	FOUND(f, "0:", .q = "lapsi");
	put(f, (struct paper){.n = 1, .text = "lapsi"});
	commit(f, 7);
	FOUND(f, "1: 1.1", .q = "lapsi");
}

static void test_search__second_writer_is_refused(void **state)
{
	struct index_fixture *f = *state;
	struct search_index *second = NULL;
	struct ark_error err = {0};

	assert_int_equal(
	    search_open_writer(f->dir, f->analyser, NULL, &second, &err), ARK_ECONFLICT);
	assert_null(second);
}

static void test_search__missing_index_is_not_found(void **state)
{
	struct index_fixture *f = *state;
	struct search_reader *reader = NULL;
	char dir[300];

	snprintf(dir, sizeof(dir), "%s/none", f->dir);
	assert_int_equal(search_open_reader(dir, f->analyser, NULL, &reader, NULL), ARK_ENOTFOUND);
	assert_null(reader);
}

static void test_search__deleted_versions_are_gone(void **state)
{
	struct index_fixture *f = *state;
	const struct paper papers[] = {
	    {.n = 1, .version = 2, .publicity = "secret", .text = "lapsi"},
	    {.n = 1, .version = 1, .text = "lapsi"},
	};
	char id[33];

	put_versions(f, papers, 2);
	put(f, (struct paper){.n = 2, .text = "lapsi"});
	commit(f, 1);
	name(id, 1);
	assert_int_equal(search_delete(f->writer, id, 2, NULL), 0);
	set_versions(f, papers + 1, 1);
	commit(f, 2);
	FOUND(f, "2: 2.1 1.1", .q = "lapsi");
	assert_int_equal(search_delete(f->writer, id, 0, NULL), 0);
	assert_int_equal(search_delete(f->writer, id, 0, NULL), 0);
	commit(f, 3);
	FOUND(f, "1: 2.1", .q = "lapsi");
}

static void test_search__too_long_attribute_is_refused_and_not_indexed(void **state)
{
	struct index_fixture *f = *state;
	char unit[400];
	const char *units[] = {unit};
	struct search_document d = {.document = "00000000000000000000000000000001",
	    .version = 1,
	    .only = true,
	    .attributes = {.units = units, .units_len = 1},
	    .language = "fi",
	    .date = "2026-01-01",
	    .title = "lapsi"};

	memset(unit, 'a', sizeof(unit));
	unit[sizeof(unit) - 1] = '\0';
	assert_int_equal(search_put(f->writer, &d, NULL), ARK_EINPUT);
	commit(f, 1);
	FOUND(f, "0:", .q = "lapsi");
}

/* ---- a reader beside a writer ---- */
struct racing {
	struct index_fixture *f;
	bool stop;
	bool failed; /* an assertion would leave the thread by a jump */
};

static void *write_often(void *arg)
{
	struct racing *race = arg;
	uintptr_t commits = 0;

	while (!race->failed && !__atomic_load_n(&race->stop, __ATOMIC_ACQUIRE)) {
		const struct paper p = {.n = (unsigned int)(commits % 50) + 1,
		    .text = "lapsi ja sijaishuolto ja tarkastus"};

		race->failed = try_put(race->f, p) != 0 ||
			       search_commit(race->f->writer, ++commits, NULL) != 0;
	}
	return (void *)commits;
}

/* Queries until one goes wrong; NULL when none did. */
static const char *query_often(struct search_reader *reader, int count, struct ark_error *err)
{
	const struct search_request request = {.sight = &sees_everything,
	    .q = "sijaishuoltopaikka \"lapsi ja\"",
	    .limit = 20,
	    .facets = true};
	struct search_result result;
	const char *wrong = NULL;

	while (!wrong && count--) {
		if (search_query(reader, &request, &result, err))
			return err->text;
		if (result.total < 1 || result.total > 50)
			wrong = "total";
		else if (result.facets[FACET_TYPE].counts[0].count != result.total)
			wrong = "facets";
		search_result_clear(&result);
	}
	return wrong;
}

static void race(struct index_fixture *f, struct search_gate *gate, int count)
{
	struct racing race = {.f = f};
	struct analyser *mine;
	struct search_reader *reader;
	struct ark_error err = {0};
	const char *wrong;
	pthread_t thread;
	void *commits;

	put(f, (struct paper){.n = 1, .text = "lapsi ja sijaishuolto"});
	commit(f, 1);
	assert_int_equal(analyser_new(NULL, &mine, NULL), 0);
	assert_int_equal(search_open_reader(f->dir, mine, gate, &reader, NULL), 0);
	assert_int_equal(pthread_create(&thread, NULL, write_often, &race), 0);
	wrong = query_often(reader, count, &err);
	__atomic_store_n(&race.stop, true, __ATOMIC_RELEASE);
	pthread_join(thread, &commits);
	search_reader_free(reader);
	analyser_free(mine);
	if (wrong)
		fail_msg("%s", wrong);
	assert_false(race.failed);
	assert_true((uintptr_t)commits > 5);
}

static void test_search__reader_survives_a_writer_for_thousands_of_queries(void **state)
{
	struct index_fixture *f = *state;

	race(f, f->gate, 3000);
}

/* ---- the wall ---- */
/* Lines of `nm` of one object that name a C++ symbol which others could link to. */
static unsigned int cpp_symbols(const char *object, const char *nm_args)
{
	char cmd[700], line[1024];
	unsigned int n = 0;
	FILE *nm;

	snprintf(cmd, sizeof(cmd), "nm %s '%s'", nm_args, object);
	nm = popen(cmd, "r");
	assert_non_null(nm);
	while (fgets(line, sizeof(line), nm)) {
		const char *symbol = strstr(line, " _Z");

		/* weak ones are the library's templates, which every C++ object may hold; the shim's
		 * files share a namespace */
		if (!symbol || strstr(symbol, "5arkki") || symbol[-1] == 'W' || symbol[-1] == 'V' ||
		    symbol[-1] == 'u')
			continue;
		printf("%s", line);
		n++;
	}
	assert_int_equal(pclose(nm), 0);
	return n;
}

static void test_search__no_cpp_symbol_leaves_the_shim(void **state)
{
	static const char *const shim[] = {"xapian", "sight", "tree", "answer", "words", "write"};
	char exe[512], object[600];
	ssize_t n = readlink("/proc/self/exe", exe, sizeof(exe) - 1);
	int i;

	(void)state;
	assert_true(n > 0);
	exe[n] = '\0';
	for (i = 0; i < 2; i++) /* build/tests/test_search_write → build */
		*strrchr(exe, '/') = '\0';
	for (i = 0; i < (int)(sizeof(shim) / sizeof(*shim)); i++) {
		snprintf(object, sizeof(object), "%s/index/search_%s.o", exe, shim[i]);
		assert_int_equal(cpp_symbols(object, "-g --defined-only"), 0);
	}
	snprintf(object, sizeof(object), "%s/index/query.o", exe);
	assert_int_equal(cpp_symbols(object, "-u"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    SEARCH_TEST(test_search__sequence_and_documents_are_committed_together),
	    SEARCH_TEST(test_search__nothing_is_committed_without_its_sequence),
	    SEARCH_TEST(test_search__second_writer_is_refused),
	    SEARCH_TEST(test_search__missing_index_is_not_found),
	    SEARCH_TEST(test_search__deleted_versions_are_gone),
	    SEARCH_TEST(test_search__too_long_attribute_is_refused_and_not_indexed),
	    SEARCH_TEST(test_search__reader_survives_a_writer_for_thousands_of_queries),
	    cmocka_unit_test(test_search__no_cpp_symbol_leaves_the_shim),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
