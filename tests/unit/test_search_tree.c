/* What a query with operators, wildcards, fields and days finds. All texts are made up. */
#include "tests/unit/search_fixture.h"

static int setup(void **state)
{
	struct index_fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	index_begin(f, false, 5);
	*state = f;
	return 0;
}

struct paper {
	unsigned int n;
	const char *publicity, *type, *unit, *date, *title, *text;
};

static void put(struct index_fixture *f, struct paper p)
{
	const char *unit = p.unit ? p.unit : "koivula";
	char id[33];
	const struct search_document d = {
	    .document = id,
	    .version = 1,
	    .only = true,
	    .attributes = {.publicity = p.publicity ? p.publicity : "public",
		.author = "lvv",
		.state = "final",
		.type = p.type ? p.type : "memo",
		.units = &unit,
		.units_len = 1},
	    .case_id = "c1",
	    .language = "fi",
	    .date = p.date ? p.date : "2024-05-06",
	    .title = p.title ? p.title : "",
	    .text = p.text,
	    .text_len = p.text ? strlen(p.text) : 0,
	};

	snprintf(id, sizeof(id), "%032x", p.n);
	assert_int_equal(search_put(f->writer, &d, NULL), 0);
}

static void commit(struct index_fixture *f, uint64_t sequence)
{
	assert_int_equal(search_commit(f->writer, sequence, NULL), 0);
}

/* Documents in the order of the ranking. */
static size_t found(struct index_fixture *f, const char *q, unsigned long *numbers, size_t cap)
{
	const struct search_request request = {.sight = &sees_everything, .q = q};
	struct search_hit *hits = NULL;
	size_t n = 0;

	assert_int_equal(
	    search_ranking(f->reader, &request, (unsigned int)cap, &hits, &n, NULL), 0);
	for (size_t i = 0; i < n; i++)
		numbers[i] = strtoul(hits[i].document + 16, NULL, 16);
	free(hits);
	return n;
}

/* want: "2 1", in the order of the ranking; "~1 2": in any order, ascending. */
static void finds(struct index_fixture *f, const char *q, const char *want)
{
	unsigned long numbers[20];
	size_t n = found(f, q, numbers, 20), len = 0;
	bool any_order = *want == '~';
	char got[200] = "";

	for (size_t k = 0; any_order && k < n; k++)
		for (size_t i = 0; i + 1 < n; i++)
			if (numbers[i] > numbers[i + 1]) {
				unsigned long swap = numbers[i];

				numbers[i] = numbers[i + 1];
				numbers[i + 1] = swap;
			}
	for (size_t i = 0; i < n; i++)
		len += (size_t)snprintf(
		    got + len, sizeof(got) - len, "%s%lu", i ? " " : "", numbers[i]);
	if (strcmp(got, want + any_order) != 0)
		print_error("%s\n", q);
	assert_string_equal(got, want + any_order);
}

static void test_search__operators_choose_among_documents(void **state)
{
	struct index_fixture *f = *state;

	put(f, (struct paper){.n = 1, .text = "koira kissa", .date = "2024-01-01"});
	put(f, (struct paper){.n = 2, .text = "koira hevonen", .date = "2024-01-02"});
	put(f, (struct paper){.n = 3, .text = "kissa hevonen", .date = "2024-01-05"});
	put(f, (struct paper){.n = 4, .text = "lehmä", .date = "2024-01-04"});
	commit(f, 1);
	finds(f, "koira kissa", "1 3 2");
	finds(f, "+koira kissa", "1 2");
	finds(f, "+koira +kissa", "1");
	finds(f, "koira -kissa", "2");
	finds(f, "koira NOT kissa", "2");
	finds(f, "-koira", "3 4");
	finds(f, "koira AND hevonen", "2");
	finds(f, "koira AND NOT hevonen", "1");
	finds(f, "koira OR lehmä", "~1 2 4");
	finds(f, "(koira OR kissa) AND hevonen", "~2 3");
	finds(f, "lehmä OR (koira AND kissa)", "~1 4");
	finds(f, "koira AND sammakko", "");
	finds(f, "koira -sammakko", "~1 2");
	finds(f, "+sammakko koira", "");
	finds(f, "\"koira kissa\"", "1");
	finds(f, "koira -\"koira kissa\"", "2");
}

static void test_search__words_are_found_by_their_beginning(void **state)
{
	struct index_fixture *f = *state;

	put(f, (struct paper){.n = 1, .text = "rajoitustoimenpiteistä"});
	put(f, (struct paper){.n = 2, .text = "rajoittaminen"});
	put(f, (struct paper){.n = 3, .text = "rajaton"});
	commit(f, 1);
	finds(f, "rajoit*", "~1 2");
	finds(f, "raj* -rajoit*", "3");
	finds(f, "rajoitu* AND rajat*", "");
	finds(f, "sammak*", "");
}

static void test_search__fields_and_days_narrow(void **state)
{
	struct index_fixture *f = *state;

	put(f, (struct paper){.n = 1,
		   .text = "koira",
		   .title = "Eristämisestä",
		   .type = "decision",
		   .date = "2022-12-31"});
	put(f, (struct paper){.n = 2, .text = "koira", .unit = "niittyla", .date = "2023-03-15"});
	put(f, (struct paper){.n = 3, .text = "kissa eristäminen", .date = "2024-01-01"});
	commit(f, 1);
	finds(f, "koira unit:niittyla", "2");
	finds(f, "unit:niittyla", "2");
	finds(f, "koira -unit:niittyla", "1");
	finds(f, "koira type:decision unit:niittyla", "");
	finds(f, "koira case:c1", "~1 2");
	finds(f, "year:2023", "2");
	finds(f, "date:2023..2024", "3 2");
	finds(f, "date:2022", "1");
	finds(f, "date:2023-03", "2");
	finds(f, "koira date:>=15.3.2023", "2");
	finds(f, "koira date:<15.3.2023", "1");
	finds(f, "title:eristäminen", "1");
	finds(f, "kissa title:eristäminen", "");
	finds(f, "type:decision OR unit:niittyla", "2 1");
}

/* ---- more words than are looked for ---- */

enum { WORDS = 450, COMMON = 120 };

static bool is_cut(
    struct index_fixture *f, const struct access_sight *sight, const char *q, uint64_t *ret)
{
	const struct search_request request = {.sight = sight, .q = q, .limit = 1};
	struct search_result r;
	bool cut = false;

	assert_int_equal(search_query(f->reader, &request, &r, NULL), 0);
	for (size_t i = 0; i < r.notes_len; i++)
		cut = cut || r.notes[i].kind == NOTE_WILDCARD_CUT;
	*ret = r.total;
	search_result_clear(&r);
	return cut;
}

static void test_search__a_wildcard_that_is_cut_says_so_of_what_is_shown(void **state)
{
	struct index_fixture *f = *state;
	char text[32];
	uint64_t total;

	/* the last ones of the alphabet are public: a cut by all words would lose them */
	for (unsigned int i = 0; i < WORDS; i++) {
		snprintf(text, sizeof(text), "sana%u", 1000 + i);
		put(f, (struct paper){.n = i,
			   .text = text,
			   .publicity = i < WORDS - COMMON ? "secret" : "public"});
	}
	commit(f, 1);
	assert_true(is_cut(f, &sees_everything, "sana*", &total));
	assert_int_equal(total, 200);
	assert_false(is_cut(f, &sees_public, "sana*", &total));
	assert_int_equal(total, COMMON);
	assert_false(is_cut(f, &sees_everything, "sana10*", &total));
	assert_int_equal(total, 100);
}

/* ---- random trees against a plain model ---- */

enum { DOCUMENTS = 32, NUMBERS = 7, QUESTIONS = 400 };

/* Writes an expression of numbers, which no language changes; returns the documents that it means. */
static uint32_t expression(
    struct index_fixture *f, const uint32_t *with, unsigned int depth, struct buf *out)
{
	unsigned int number, kind = depth ? dice(&f->seed, 5) : 0;
	uint32_t a, b, c;

	if (kind == 0) {
		number = dice(&f->seed, NUMBERS);
		buf_addf(out, "%u", 4000 + number);
		return with[number];
	}
	buf_adds(out, kind == 3 ? "(+" : "(");
	a = expression(f, with, depth - 1, out);
	buf_adds(out, kind == 1 ? " AND " : kind == 2 ? " OR " : " ");
	b = expression(f, with, depth - 1, out);
	if (kind == 4) {
		buf_adds(out, " -");
		c = expression(f, with, depth - 1, out);
		a = (a | b) & ~c;
	} else {
		a = kind == 1 ? a & b : kind == 2 ? a | b : a;
	}
	buf_addc(out, ')');
	return a;
}

static void test_search__random_trees_find_what_a_model_finds(void **state)
{
	struct index_fixture *f = *state;
	uint32_t with[NUMBERS] = {0}, want, got, answers = 0;
	unsigned long numbers[DOCUMENTS];

	for (unsigned int d = 0; d < DOCUMENTS; d++) {
		char text[100] = "x";
		size_t len = 1;

		for (unsigned int i = 0; i < NUMBERS; i++)
			if (dice(&f->seed, 3) == 0) {
				with[i] |= 1u << d;
				len += (size_t)snprintf(
				    text + len, sizeof(text) - len, " %u", 4000 + i);
			}
		put(f, (struct paper){.n = d, .text = text});
	}
	commit(f, 1);
	for (int i = 0; i < QUESTIONS; i++) {
		struct buf q = BUF_INIT;

		want = expression(f, with, 4, &q);
		buf_addc(&q, '\0');
		got = 0;
		for (size_t n = found(f, q.data, numbers, DOCUMENTS); n > 0; n--)
			got |= 1u << numbers[n - 1];
		if (got != want)
			print_error("%s\n", q.data);
		assert_int_equal(got, want);
		answers += want != 0;
		buf_free(&q);
	}
	assert_true(answers > QUESTIONS / 2);
}

#define TREE_TEST(t) cmocka_unit_test_setup_teardown(t, setup, index_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TREE_TEST(test_search__operators_choose_among_documents),
	    TREE_TEST(test_search__words_are_found_by_their_beginning),
	    TREE_TEST(test_search__fields_and_days_narrow),
	    TREE_TEST(test_search__a_wildcard_that_is_cut_says_so_of_what_is_shown),
	    TREE_TEST(test_search__random_trees_find_what_a_model_finds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
