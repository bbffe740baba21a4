/* The reader of queries when memory fails at any allocation: no leak, ARK_ENOMEM, and the next query is fine. */
#include "tests/unit/failing_heap.h"

#include "arkki/base/buf.h"
#include "index/query.h"

struct asked {
	struct analyser *analyser;
	struct query_config config;
	const char *q;
};

static int resolve(void *arg, enum search_field field, const char *value,
    int (*each)(void *to, const char *id), void *to)
{
	int r = each(to, "one");

	(void)arg, (void)field, (void)value;
	return r ? r : each(to, "two");
}

static int read_and_write(void *arg)
{
	const struct asked *a = arg;
	struct query *query = NULL;
	struct buf out = BUF_INIT;
	int r = query_parse(a->analyser, a->q, &a->config, &query, NULL);

	if (!r)
		r = query_write(a->q, query, &out, NULL);
	buf_free(&out);
	query_free(query);
	return r;
}

static void test_query__memory_fails_anywhere(void **state)
{
	static const char *const queries[] = {
	    "sijaishuollossa +lapsen -(etu OR \"b c\") raj* AND x OR",
	    "laji:(päätös \"b c\") title:\"a b\" date:(2021 2022) vuosi:2020..2022 -unit:x",
	    "ESAVI/567/07.01/2023 LVV 1/2024 12.3.2024 65 § 5. mars 2024",
	    "vård utom hemmet AND (a (b"};
	const struct search_names names = {NULL, resolve};
	struct asked a = {.config = {.names = &names}};
	struct synonyms *synonyms = NULL;
	size_t i;

	(void)state;
	assert_int_equal(analyser_new(NULL, &a.analyser, NULL), 0);
	assert_int_equal(synonyms_new(a.analyser, NULL, &synonyms, NULL), 0);
	a.config.synonyms = synonyms;
	for (i = 0; i < sizeof(queries) / sizeof(queries[0]); i++) {
		a.q = queries[i];
		assert_int_equal(read_and_write(&a), 0); /* what the analyser keeps is there */
		assert_true(each_failing(read_and_write, &a, ARK_OK) > 50);
	}
	synonyms_unref(synonyms);
	analyser_free(a.analyser);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_query__memory_fails_anywhere)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
