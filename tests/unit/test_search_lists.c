/* What words weigh is kept in memory over all entries, and added up in other ways than where few entries may be found:
 * either way finds the same in the same order. All documents are made up. */
#include "tests/unit/search_fixture.h"

#include "arkki/base/buf.h"

enum { DOCUMENTS = 600, OF_A_CASE = 3, ROUNDS = 3, QUESTIONS = 24, CASES = 20, CHANGED = 40 };

struct fixture {
	struct index_fixture i;       /* its reader is asked for everything: keeps lists */
	struct search_reader *narrow; /* asked for cases only: jumps to their few entries */
};

static const struct access_sight sights[] = {
    {&everything, &everything}, {&only_public, &only_public}};

/* Compounds that share parts, their parts alone, inflected ones, and a number without a lemma. The first
 * stand in most texts, the last in few. */
static const char *const words[] = {"lapsi", "huolto", "sijaishuolto", "päätös", "lapsen",
    "lastensuojelu", "huoltopäätös", "sijaishuoltopaikka", "suojelu", "4711", "paikka",
    "perhehoito", "hoitopaikka", "tarkastuskertomus"};

enum { WORDS = sizeof(words) / sizeof(*words) };

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	index_begin(&f->i, true, 5);
	assert_int_equal(search_open_reader(f->i.dir, f->i.analyser, NULL, &f->narrow, NULL), 0);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	search_reader_free(f->narrow);
	index_end(&f->i);
	free(f);
	return 0;
}

static const char *some_word(struct fixture *f)
{
	unsigned int a = dice(&f->i.seed, WORDS), b = dice(&f->i.seed, WORDS);

	return words[a < b ? a : b];
}

static void put(struct fixture *f, unsigned int n)
{
	struct buf text = BUF_INIT;
	char id[33], in[33];

	snprintf(id, sizeof(id), "%032x", n);
	snprintf(in, sizeof(in), "%032x", n / OF_A_CASE);
	for (unsigned int i = 3 + dice(&f->i.seed, 30); i > 0; i--)
		buf_addf(&text, "%s ", some_word(f));
	assert_false(buf_failed(&text));
	assert_int_equal(
	    search_put(f->i.writer,
		&(struct search_document){
		    .document = id,
		    .version = 1,
		    .only = true,
		    .attributes = {.publicity = dice(&f->i.seed, 3) ? "public" : "secret",
			.state = "final"},
		    .case_id = in,
		    .language = "fi",
		    .date = "2024-01-01",
		    .title = some_word(f),
		    .text = text.data,
		    .text_len = text.len,
		},
		NULL),
	    0);
	buf_free(&text);
}

static void question(struct fixture *f, char q[160])
{
	static const char *const forms[] = {
	    "%s", "%s %s", "%s AND %s", "%s -%s", "+%s %s", "%s OR %s OR %s", "(%s %s) AND %s"};
	const char *a = some_word(f), *b = some_word(f), *c = some_word(f);

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	snprintf(q, 160, forms[dice(&f->i.seed, sizeof(forms) / sizeof(*forms))], a, b, c);
#pragma GCC diagnostic pop
}

static unsigned int number_of(const struct search_hit *hit)
{
	return (unsigned int)strtoul(hit->document + 24, NULL, 16);
}

/* Those of the case in `all`, in their order there, are what is found of the case alone. */
static void assert_case_is_part_of(
    const struct search_hit *all, size_t all_len, const struct search_hit *of, size_t of_len)
{
	unsigned int in = of_len ? number_of(&of[0]) / OF_A_CASE : 0;
	size_t k = 0;

	for (size_t i = 0; of_len && i < all_len; i++) {
		if (number_of(&all[i]) / OF_A_CASE != in)
			continue;
		assert_true(k < of_len);
		assert_string_equal(all[i].document, of[k++].document);
	}
	assert_int_equal(k, of_len);
}

static size_t found_of_case(const struct search_hit *all, size_t all_len, unsigned int n)
{
	size_t found = 0;

	for (size_t i = 0; i < all_len; i++)
		found += number_of(&all[i]) / OF_A_CASE == n;
	return found;
}

/* Returns how many cases had two hits or more, whose order says something. */
static size_t ask_both(struct fixture *f, const char *q)
{
	struct search_request request = {.q = q, .sight = &sights[dice(&f->i.seed, 2)]};
	struct search_hit *all, *again;
	size_t all_len, again_len, telling = 0;

	assert_int_equal(search_ranking(f->i.reader, &request, DOCUMENTS, &all, &all_len, NULL), 0);
	for (int i = 0; i < CASES; i++) {
		unsigned int n = dice(&f->i.seed, DOCUMENTS / OF_A_CASE);
		struct search_hit *of;
		size_t of_len;
		char in[33];

		snprintf(in, sizeof(in), "%032x", n);
		request.case_id = in;
		assert_int_equal(
		    search_ranking(f->narrow, &request, DOCUMENTS, &of, &of_len, NULL), 0);
		assert_int_equal(of_len, found_of_case(all, all_len, n));
		assert_case_is_part_of(all, all_len, of, of_len);
		telling += of_len > 1;
		free(of);
	}
	request.case_id = NULL;
	assert_int_equal(
	    search_ranking(f->i.reader, &request, DOCUMENTS, &again, &again_len, NULL), 0);
	assert_int_equal(again_len, all_len);
	for (size_t i = 0; i < all_len; i++)
		assert_string_equal(all[i].document, again[i].document);
	free(all);
	free(again);
	return telling;
}

static void test_search_lists__what_is_kept_ranks_as_what_is_jumped_to(void **state)
{
	struct fixture *f = *state;
	size_t telling = 0;
	char q[160];

	for (unsigned int n = 0; n < DOCUMENTS; n++)
		put(f, n);
	for (int round = 0; round < ROUNDS; round++) {
		for (int i = 0; round && i < CHANGED; i++)
			put(f, dice(&f->i.seed, DOCUMENTS));
		assert_int_equal(search_commit(f->i.writer, ++f->i.commits, NULL), 0);
		for (int i = 0; i < QUESTIONS; i++) {
			question(f, q);
			telling += ask_both(f, q);
		}
	}
	assert_true(telling > ROUNDS * QUESTIONS * CASES / 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(
		test_search_lists__what_is_kept_ranks_as_what_is_jumped_to, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
