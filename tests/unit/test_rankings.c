/* The orders that are kept while they are paged through. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/rankings.h"
#include "unit.h"

static const char owner[] = "0000000000000000000000000000aaaa",
		  name[] = "0000000000000000000000000000bbbb";

static struct ranking *ranking_of(size_t n, uint32_t similar)
{
	struct search_hit *hits = calloc(n ? n : 1, sizeof(*hits));
	struct search_result first = {.total = n};
	struct ranking *k = NULL;
	struct ark_error err;

	assert_non_null(hits);
	for (size_t i = 0; i < n; i++) {
		snprintf(hits[i].document, sizeof(hits[i].document), "%032zx", i);
		hits[i].version = (uint32_t)(i % 3 + 1);
		hits[i].whole = i % 2;
		hits[i].similar = i == 1 ? similar : 0;
		for (size_t j = 0; j < similar && j < SEARCH_SAME_MAX; j++)
			snprintf(hits[i].same[j].document, sizeof(hits[i].same[j].document),
			    "%031zxf", j);
	}
	assert_int_equal(ranking_new(&first, hits, n, &k, &err), ARK_OK);
	free(hits);
	return k;
}

static struct rankings *rankings_made(void)
{
	struct rankings *r = NULL;
	struct ark_error err;

	assert_int_equal(rankings_new(&r, &err), ARK_OK);
	return r;
}

static void test_ranking__gives_back_what_it_was_made_of(void **state)
{
	struct ranking *k = ranking_of(5, 9);
	struct search_hit h;

	(void)state;
	assert_int_equal(ranking_len(k), 5);
	assert_int_equal(ranking_first(k)->total, 5);
	ranking_hit(k, 1, &h);
	assert_string_equal(h.document, "00000000000000000000000000000001");
	assert_int_equal(h.version, 2);
	assert_true(h.whole);
	assert_int_equal(h.similar, 9);
	assert_string_equal(h.same[4].document, "0000000000000000000000000000004f");
	ranking_hit(k, 2, &h);
	assert_int_equal(h.similar, 0);
	assert_false(h.whole);
	ranking_unref(k);
}

static void test_ranking__finds_the_place_behind_a_document(void **state)
{
	struct ranking *k = ranking_of(5, 0);

	(void)state;
	assert_int_equal(ranking_behind(k, "00000000000000000000000000000003", 0, 1), 4);
	assert_int_equal(ranking_behind(k, "00000000000000000000000000000003", 1, 1), 4);
	assert_int_equal(ranking_behind(k, "00000000000000000000000000000003", 2, 1), 1);
	assert_int_equal(ranking_behind(k, "00000000000000000000000000000009", 0, 99), 5);
	assert_int_equal(ranking_behind(k, "", 0, 0), 0);
	ranking_unref(k);
}

static void test_rankings__find_by_owner_and_name_alone(void **state)
{
	struct rankings *r = rankings_made();
	struct ranking *k = ranking_of(3, 0), *other = ranking_of(2, 0), *found;

	(void)state;
	rankings_keep(r, owner, name, k);
	assert_null(rankings_find(r, name, name));
	assert_null(rankings_find(r, owner, owner));
	found = rankings_find(r, owner, name);
	assert_ptr_equal(found, k);
	ranking_unref(found);
	rankings_keep(r, owner, name, other);
	found = rankings_find(r, owner, name);
	assert_ptr_equal(found, other);
	ranking_unref(found);
	ranking_unref(k);
	ranking_unref(other);
	rankings_free(r);
}

static size_t kept_of(struct rankings *r, size_t owners, size_t *ret_first)
{
	size_t n = 0;
	char who[33];

	*ret_first = owners;
	for (size_t i = owners; i-- > 0;) {
		struct ranking *k;

		snprintf(who, sizeof(who), "%032zx", i);
		k = rankings_find(r, who, name);
		n += k != NULL;
		*ret_first = k ? i : *ret_first;
		ranking_unref(k);
	}
	return n;
}

static void keep_many(struct rankings *r, size_t owners, size_t hits)
{
	char who[33];

	for (size_t i = 0; i < owners; i++) {
		struct ranking *k = ranking_of(hits, 0);

		snprintf(who, sizeof(who), "%032zx", i);
		rankings_keep(r, who, name, k);
		ranking_unref(k);
	}
}

static void test_rankings__are_bounded_in_number(void **state)
{
	struct rankings *r = rankings_made();
	size_t first;

	(void)state;
	keep_many(r, 600, 1);
	assert_int_equal(kept_of(r, 600, &first), 512);
	assert_int_equal(first, 600 - 512); /* the oldest went */
	rankings_free(r);
}

static void test_rankings__are_bounded_in_bytes(void **state)
{
	struct rankings *r = rankings_made();
	size_t first, n;

	(void)state;
	keep_many(r, 260, 10000);
	n = kept_of(r, 260, &first);
	assert_in_range(n, 200, 240); /* 64 MiB of 280 kB each */
	assert_int_equal(first, 260 - n);
	rankings_free(r);
}

static void test_rankings__keep_the_newest_of_one_owner(void **state)
{
	struct rankings *r = rankings_made();
	struct ranking *found;
	char names[33];
	size_t n = 0;

	(void)state;
	for (size_t i = 0; i < 20; i++) {
		struct ranking *k = ranking_of(i, 0);

		snprintf(names, sizeof(names), "%032zx", i);
		rankings_keep(r, owner, names, k);
		ranking_unref(k);
	}
	for (size_t i = 0; i < 20; i++) {
		snprintf(names, sizeof(names), "%032zx", i);
		found = rankings_find(r, owner, names);
		n += found != NULL;
		assert_true(!found || i >= 12);
		ranking_unref(found);
	}
	assert_int_equal(n, 8);
	rankings_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_ranking__gives_back_what_it_was_made_of),
	    cmocka_unit_test(test_ranking__finds_the_place_behind_a_document),
	    cmocka_unit_test(test_rankings__find_by_owner_and_name_alone),
	    cmocka_unit_test(test_rankings__are_bounded_in_number),
	    cmocka_unit_test(test_rankings__are_bounded_in_bytes),
	    cmocka_unit_test(test_rankings__keep_the_newest_of_one_owner),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
