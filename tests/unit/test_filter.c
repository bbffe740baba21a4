/* Filters in the making: the same answers after simplification, in the promised shape. */
#include "tests/unit/unit.h"

#include <time.h>

#include "policies/filter_private.h"

struct fixture {
	struct cedar_arena *arena;
	struct filter_maker *m;
};

static int begin(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	assert_int_equal(cedar_arena_new(64U << 20, &f->arena, NULL), ARK_OK);
	f->m = filter_maker_new(f->arena);
	assert_non_null(f->m);
	*state = f;
	return 0;
}

static int end(void **state)
{
	struct fixture *f = *state;

	cedar_arena_free(f->arena);
	free(f);
	return 0;
}

static uint32_t has(struct filter_maker *m, enum access_attribute attribute, const char *value)
{
	return filter_leaf(m, ACCESS_OP_HAS, attribute, cedar_text_of(value));
}

static uint32_t upto(struct filter_maker *m, const char *day)
{
	return filter_leaf(m, ACCESS_OP_UPTO, ACCESS_ATTR_VISIT_DATE, cedar_text_of(day));
}

static uint32_t present(struct filter_maker *m)
{
	return filter_leaf(m, ACCESS_OP_PRESENT, ACCESS_ATTR_VISIT_DATE, cedar_text_of(""));
}

static uint32_t unit(struct filter_maker *m, const char *id)
{
	return has(m, ACCESS_ATTR_UNIT, id);
}

/* ---- shape, in one line: (and a (not b)) ---- */
static void print(const struct access_filter *f, struct buf *out)
{
	static const char *const ops[] = {[ACCESS_OP_AND] = "and",
	    [ACCESS_OP_OR] = "or",
	    [ACCESS_OP_NOT] = "not",
	    [ACCESS_OP_UPTO] = "upto ",
	    [ACCESS_OP_HAS] = "",
	    [ACCESS_OP_PRESENT] = "present",
	    [ACCESS_OP_ALL] = "all",
	    [ACCESS_OP_NONE] = "none"};

	if (!f->children) {
		buf_addf(out, "%s%s", ops[f->op], f->value ? f->value : "");
		return;
	}
	buf_addf(out, "(%s", ops[f->op]);
	for (size_t i = 0; i < f->children; i++) {
		buf_addc(out, ' ');
		print(f->child[i], out);
	}
	buf_addc(out, ')');
}

static void assert_shape(struct filter_maker *m, uint32_t formula, const char *shape)
{
	struct access_filter *f = NULL;
	struct ark_error err;
	struct buf out = BUF_INIT;

	if (filter_build(m, formula, &f, &err))
		fail_msg("%s", err.text);
	print(f, &out);
	assert_string_equal(out.data, shape);
	buf_free(&out);
	access_filter_free(f);
}

static void test_filter__constants_and_repetitions_go(void **state)
{
	struct filter_maker *m = ((struct fixture *)*state)->m;
	uint32_t a = unit(m, "a"), b = unit(m, "b");

	assert_int_equal(unit(m, "a"), a);
	assert_int_equal(filter_and2(m, a, FILTER_ALL), a);
	assert_int_equal(filter_and2(m, a, FILTER_NONE), FILTER_NONE);
	assert_int_equal(filter_or2(m, a, FILTER_NONE), a);
	assert_int_equal(filter_or2(m, a, FILTER_ALL), FILTER_ALL);
	assert_int_equal(filter_and2(m, a, a), a);
	assert_int_equal(filter_and2(m, a, filter_not(a)), FILTER_NONE);
	assert_int_equal(filter_or2(m, a, filter_not(a)), FILTER_ALL);
	assert_int_equal(filter_and2(m, a, b), filter_and2(m, b, a));
	assert_int_equal(filter_and(m, NULL, 0), FILTER_ALL);
	assert_int_equal(filter_or(m, NULL, 0), FILTER_NONE);
	assert_int_equal(filter_and2(m, a, filter_or2(m, a, b)), a);
	assert_int_equal(filter_or2(m, a, filter_and2(m, a, b)), a);
	assert_int_equal(filter_and2(m, a, filter_or2(m, filter_not(a), b)), filter_and2(m, a, b));
	assert_shape(m, FILTER_ALL, "all");
	assert_shape(m, FILTER_NONE, "none");
	assert_shape(m, filter_and2(m, a, b), "(and a b)");
	assert_shape(m, filter_not(a), "(not a)");
}

static void test_filter__nesting_is_flat_and_negations_are_drawn_together(void **state)
{
	struct filter_maker *m = ((struct fixture *)*state)->m;
	uint32_t a = unit(m, "a"), b = unit(m, "b"), c = unit(m, "c"), d = unit(m, "d");
	uint32_t ab = filter_and2(m, a, b);

	assert_shape(
	    m, filter_and2(m, filter_and2(m, a, b), filter_and2(m, c, d)), "(and a b c d)");
	assert_shape(m, filter_not(filter_and2(m, a, b)), "(not (and a b))");
	assert_shape(m, filter_and2(m, filter_not(a), filter_not(b)), "(not (or a b))");
	assert_shape(m, filter_and2(m, c, filter_and2(m, filter_not(a), filter_not(b))),
	    "(and c (not (or a b)))");
	assert_shape(
	    m, filter_and2(m, c, filter_not(filter_and2(m, a, b))), "(and c (not (and a b)))");
	assert_shape(m, filter_or2(m, c, filter_and2(m, filter_not(a), filter_not(b))),
	    "(or c (not (or a b)))");
	assert_shape(
	    m, filter_or2(m, filter_and2(m, a, b), filter_and2(m, a, c)), "(and a (or b c))");
	assert_shape(m, filter_or2(m, ab, filter_and2(m, c, d)), "(or (and a b) (and c d))");
}

static void test_filter__what_one_value_and_days_imply_is_used(void **state)
{
	struct filter_maker *m = ((struct fixture *)*state)->m;
	uint32_t final = has(m, ACCESS_ATTR_STATE, "final"),
		 draft = has(m, ACCESS_ATTR_STATE, "draft");
	uint32_t early = upto(m, "2026-01-01"), late = upto(m, "2026-02-01");
	uint32_t day = has(m, ACCESS_ATTR_VISIT_DATE, "2026-01-15"), a = unit(m, "a");

	assert_int_equal(filter_and2(m, final, draft), FILTER_NONE);
	assert_int_equal(filter_and2(m, final, filter_not(draft)), final);
	assert_int_equal(filter_or2(m, filter_not(final), filter_not(draft)), FILTER_ALL);
	assert_int_equal(filter_and2(m, early, late), early);
	assert_int_equal(filter_or2(m, early, late), late);
	assert_int_equal(filter_and2(m, late, present(m)), late);
	assert_int_equal(filter_or2(m, late, present(m)), present(m));
	assert_int_equal(filter_and2(m, early, filter_not(late)), FILTER_NONE);
	assert_int_equal(filter_and2(m, day, late), day);
	assert_int_equal(filter_and2(m, day, early), FILTER_NONE);
	assert_int_equal(filter_and2(m, day, filter_not(early)), day);
	/* of two units a document may have both */
	assert_shape(m, filter_and2(m, a, unit(m, "b")), "(and a b)");
	assert_shape(m, filter_and2(m, final, filter_or2(m, draft, a)), "(and final a)");
	assert_shape(
	    m, filter_or2(m, filter_not(present(m)), late), "(or upto 2026-02-01 (not present))");
}

static void test_filter__too_large_a_filter_is_not_built(void **state)
{
	struct filter_maker *m = ((struct fixture *)*state)->m;
	struct access_filter *f = NULL;
	uint32_t *many = calloc(FILTER_LEAVES_MAX + 1, sizeof(*many)), deep = FILTER_NONE;
	char name[24];

	assert_non_null(many);
	for (unsigned int i = 0; i <= FILTER_LEAVES_MAX; i++) {
		snprintf(name, sizeof(name), "u%u", i);
		many[i] = unit(m, name);
	}
	assert_true(filter_fits(m, filter_or(m, many, FILTER_LEAVES_MAX)));
	assert_int_equal(
	    filter_and2(m, filter_and(m, many, 100), filter_not(many[7])), FILTER_NONE);
	assert_false(filter_fits(m, filter_or(m, many, FILTER_LEAVES_MAX + 1)));
	assert_int_equal(
	    filter_build(m, filter_or(m, many, FILTER_LEAVES_MAX + 1), &f, NULL), ARK_EINPUT);
	for (unsigned int i = 0; i < 40; i++)
		deep = i % 2 ? filter_and2(m, many[i], deep) : filter_or2(m, many[i], deep);
	assert_false(filter_fits(m, deep));
	assert_int_equal(filter_build(m, deep, &f, NULL), ARK_EINPUT);
	assert_null(f);
	free(many);
}

static void test_filter__without_memory_nothing_is_built(void **state)
{
	struct access_filter *f = NULL;
	struct cedar_arena *arena;
	struct filter_maker *m;
	char name[24];

	(void)state;
	assert_int_equal(cedar_arena_new(1U << 16, &arena, NULL), ARK_OK);
	m = filter_maker_new(arena);
	assert_non_null(m);
	for (unsigned int i = 0; i < 100000 && !filter_failed(m); i++) {
		snprintf(name, sizeof(name), "u%u", i);
		unit(m, name);
	}
	assert_true(filter_failed(m));
	assert_int_equal(unit(m, "a"), FILTER_NONE);
	assert_int_equal(filter_or2(m, FILTER_ALL, FILTER_ALL), FILTER_NONE);
	assert_int_equal(filter_build(m, FILTER_ALL, &f, NULL), ARK_ENOMEM);
	assert_null(f);
	cedar_arena_free(arena);
}

/* ---- random formulas ---- */

enum { LEAVES = 12, DOCUMENTS = 96 };

/* The documents for which a formula holds, one bit each, and the leaves' own. */
struct random {
	struct filter_maker *m;
	unsigned int seed;
	uint32_t leaf[LEAVES];
	bool truth[LEAVES][DOCUMENTS];
};

static void document(unsigned int i, struct access_resource *r, const char *units[2])
{
	static const char *const states[] = {"final", "draft", "other"};
	static const char *const days[] = {NULL, "2025-12-31", "2026-01-01", "2026-01-15",
	    "2026-01-31", "2026-02-01", "2026-02-02", "2027-01-01"};

	*r = (struct access_resource){.state = states[i % 3], .visit_date = days[i / 3 % 8]};
	if (i / 24 & 1)
		units[r->units.len++] = "a";
	if (i / 48 & 1)
		units[r->units.len++] = "b";
	r->units.id = units;
}

static void random_leaves(struct random *x)
{
	struct access_resource r;
	const char *units[2];
	uint32_t leaves[LEAVES] = {
	    unit(x->m, "a"),
	    unit(x->m, "b"),
	    unit(x->m, "c"),
	    has(x->m, ACCESS_ATTR_STATE, "final"),
	    has(x->m, ACCESS_ATTR_STATE, "draft"),
	    present(x->m),
	    upto(x->m, "2026-01-01"),
	    upto(x->m, "2026-02-01"),
	    has(x->m, ACCESS_ATTR_VISIT_DATE, "2026-01-01"),
	    has(x->m, ACCESS_ATTR_VISIT_DATE, "2026-01-15"),
	    has(x->m, ACCESS_ATTR_UNIT_COUNT, "0"),
	    has(x->m, ACCESS_ATTR_UNIT_COUNT, "2"),
	};

	memcpy(x->leaf, leaves, sizeof(leaves));
	for (unsigned int l = 0; l < LEAVES; l++) {
		struct access_filter *f = NULL;

		assert_int_equal(filter_build(x->m, leaves[l], &f, NULL), ARK_OK);
		for (unsigned int i = 0; i < DOCUMENTS; i++) {
			document(i, &r, units);
			x->truth[l][i] = access_filter_admits(f, &r);
		}
		access_filter_free(f);
	}
}

static uint32_t random_formula(struct random *x, int depth, bool truth[DOCUMENTS])
{
	unsigned int l = (unsigned int)rand_r(&x->seed) % LEAVES;
	unsigned int n = 2 + (unsigned int)rand_r(&x->seed) % 3;
	bool negate = rand_r(&x->seed) % 3 == 0, any = rand_r(&x->seed) % 2;
	uint32_t parts[4], ret = x->leaf[l];

	memcpy(truth, x->truth[l], DOCUMENTS);
	if (depth > 0 && rand_r(&x->seed) % 4) {
		memset(truth, !any, DOCUMENTS);
		for (unsigned int k = 0; k < n; k++) {
			bool other[DOCUMENTS];

			parts[k] = random_formula(x, depth - 1, other);
			for (unsigned int i = 0; i < DOCUMENTS; i++)
				truth[i] = any ? truth[i] || other[i] : truth[i] && other[i];
		}
		ret = any ? filter_or(x->m, parts, n) : filter_and(x->m, parts, n);
	}
	for (unsigned int i = 0; i < DOCUMENTS && negate; i++)
		truth[i] = !truth[i];
	return negate ? filter_not(ret) : ret;
}

static unsigned int depth_of(const struct access_filter *f)
{
	unsigned int deepest = 0;

	for (size_t i = 0; i < f->children; i++)
		if (depth_of(f->child[i]) > deepest)
			deepest = depth_of(f->child[i]);
	return deepest + 1;
}

static size_t leaves_of(const struct access_filter *f)
{
	size_t n = f->children == 0;

	for (size_t i = 0; i < f->children; i++)
		n += leaves_of(f->child[i]);
	return n;
}

static void assert_tidy(const struct access_filter *f, bool top)
{
	assert_true(top || (f->op != ACCESS_OP_ALL && f->op != ACCESS_OP_NONE));
	if (f->op == ACCESS_OP_AND || f->op == ACCESS_OP_OR)
		assert_true(f->children >= 2);
	for (size_t i = 0; i < f->children; i++) {
		assert_int_not_equal(f->child[i]->op, f->op);
		assert_tidy(f->child[i], false);
	}
}

static void test_filter__random_formulas_keep_their_meaning(void **state)
{
	struct fixture *fixture = *state;
	struct random x = {.m = fixture->m, .seed = (unsigned int)time(NULL)};
	size_t constant = 0, leaves = 0;

	if (getenv("ARKKI_SEED"))
		x.seed = (unsigned int)strtoul(getenv("ARKKI_SEED"), NULL, 10);
	printf("seed %u (ARKKI_SEED repeats it)\n", x.seed);
	random_leaves(&x);
	for (int round = 0; round < 20000; round++) {
		bool truth[DOCUMENTS];
		struct access_resource r;
		struct access_filter *f = NULL;
		const char *units[2];
		uint32_t formula = random_formula(&x, 4, truth);

		if (!filter_fits(x.m, formula))
			continue;
		assert_int_equal(filter_build(x.m, formula, &f, NULL), ARK_OK);
		assert_tidy(f, true);
		assert_int_equal(depth_of(f), filter_node_of(x.m, formula)->depth[formula & 1U]);
		assert_int_equal(leaves_of(f), filter_node_of(x.m, formula)->leaves);
		for (unsigned int i = 0; i < DOCUMENTS; i++) {
			document(i, &r, units);
			assert_int_equal(access_filter_admits(f, &r), truth[i]);
		}
		constant += f->op == ACCESS_OP_ALL || f->op == ACCESS_OP_NONE;
		leaves += leaves_of(f);
		access_filter_free(f);
		if (round % 1000 == 999) {
			cedar_arena_reset(fixture->arena);
			x.m = fixture->m = filter_maker_new(fixture->arena);
			assert_non_null(x.m);
			random_leaves(&x);
		}
	}
	printf("%zu of 20000 are constant, %.1f leaves on average\n", constant,
	    (double)leaves / 20000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(test_filter__constants_and_repetitions_go, begin, end),
	    cmocka_unit_test_setup_teardown(
		test_filter__nesting_is_flat_and_negations_are_drawn_together, begin, end),
	    cmocka_unit_test_setup_teardown(
		test_filter__what_one_value_and_days_imply_is_used, begin, end),
	    cmocka_unit_test_setup_teardown(
		test_filter__too_large_a_filter_is_not_built, begin, end),
	    cmocka_unit_test(test_filter__without_memory_nothing_is_built),
	    cmocka_unit_test_setup_teardown(
		test_filter__random_formulas_keep_their_meaning, begin, end),
	};

	return cmocka_run_group_tests_name("filter", tests, NULL, NULL);
}
