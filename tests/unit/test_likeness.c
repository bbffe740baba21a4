/* The texts are made of numbered words: they are nobody's. */
#include "unit.h"

#include "index/likeness.h"

enum { WORDS = 400 };

/* `changed` words in a row are others, from the middle on. */
static bool sign(
    unsigned int first, size_t words, size_t changed, unsigned char out[LIKENESS_BYTES])
{
	struct likeness l;
	char word[32];

	likeness_begin(&l);
	for (size_t i = 0; i < words; i++) {
		bool other = i >= words / 2 && i < words / 2 + changed;
		int n = snprintf(word, sizeof(word), "%s%zu", other ? "toinen" : "sana", first + i);

		likeness_add(&l, word, (size_t)n);
	}
	return likeness_end(&l, out);
}

static unsigned int equal_with_changed(size_t changed)
{
	unsigned char a[LIKENESS_BYTES], b[LIKENESS_BYTES];

	assert_true(sign(0, WORDS, 0, a));
	assert_true(sign(0, WORDS, changed, b));
	return likeness_equal(a, b);
}

static void test_likeness__same_words_are_equal_in_every_lane(void **state)
{
	(void)state;
	assert_int_equal(equal_with_changed(0), LIKENESS_LANES);
}

static void test_likeness__a_text_with_one_changed_paragraph_is_near(void **state)
{
	(void)state;
	assert_in_range(equal_with_changed(WORDS / 20), LIKENESS_NEAR, LIKENESS_LANES);
}

static void test_likeness__a_text_half_of_it_changed_is_not_near(void **state)
{
	(void)state;
	assert_in_range(equal_with_changed(WORDS / 2), 1, LIKENESS_NEAR - 6);
}

static void test_likeness__different_texts_share_no_lane(void **state)
{
	unsigned char a[LIKENESS_BYTES], b[LIKENESS_BYTES];

	(void)state;
	assert_true(sign(0, WORDS, 0, a));
	assert_true(sign(10 * WORDS, WORDS, 0, b));
	assert_in_range(likeness_equal(a, b), 0, 1);
}

/* The share of equal lanes is an estimate of the share of rows: over many texts it is right. */
static void test_likeness__lanes_estimate_the_share_of_rows(void **state)
{
	unsigned char a[LIKENESS_BYTES], b[LIKENESS_BYTES];
	unsigned int lanes = 0;

	(void)state;
	for (unsigned int t = 0; t < 100; t++) {
		assert_true(sign(t * 1000, WORDS, 0, a));
		assert_true(sign(t * 1000, WORDS, WORDS / 3, b));
		lanes += likeness_equal(a, b);
	}
	/* 2/3 of the rows of either are in both: Jaccard 1/2 */
	assert_in_range(lanes, 100 * LIKENESS_LANES * 46 / 100, 100 * LIKENESS_LANES * 54 / 100);
}

static void test_likeness__a_short_text_has_none(void **state)
{
	unsigned char a[LIKENESS_BYTES];

	(void)state;
	assert_false(sign(0, 0, 0, a));
	assert_false(sign(0, LIKENESS_WORDS_MIN - 1, 0, a));
	assert_true(sign(0, LIKENESS_WORDS_MIN, 0, a));
}

/* Indexes are kept: another value here means another format of the index. */
static void test_likeness__signatures_stay_what_they_are(void **state)
{
	unsigned char a[LIKENESS_BYTES];

	(void)state;
	assert_true(sign(0, WORDS, 0, a));
	assert_int_equal(a[0] << 24 | a[1] << 16 | a[62] << 8 | a[63], 0x3a485f7a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_likeness__same_words_are_equal_in_every_lane),
	    cmocka_unit_test(test_likeness__a_text_with_one_changed_paragraph_is_near),
	    cmocka_unit_test(test_likeness__a_text_half_of_it_changed_is_not_near),
	    cmocka_unit_test(test_likeness__different_texts_share_no_lane),
	    cmocka_unit_test(test_likeness__lanes_estimate_the_share_of_rows),
	    cmocka_unit_test(test_likeness__a_short_text_has_none),
	    cmocka_unit_test(test_likeness__signatures_stay_what_they_are),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
