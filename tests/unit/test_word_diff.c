/* The difference of two texts by word. The texts are our own invention. */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arkki/archive/word_diff.h"
#include "arkki/base/buf.h"
#include "arkki/base/clock.h"

static void compare(const char *before, const char *after, struct word_diff *ret)
{
	struct ark_error err = {0};

	assert_int_equal(
	    word_diff(before, strlen(before), after, strlen(after), ret, &err), ARK_OK);
}

/* "=same-removed+added" */
static void same_runs(const char *before, const char *after, const char *want)
{
	static const char signs[] = "=-+";
	struct word_diff d;
	struct buf out = BUF_INIT;

	compare(before, after, &d);
	for (size_t i = 0; i < d.n; i++) {
		buf_addc(&out, signs[d.runs[i].op]);
		buf_add(&out, d.runs[i].text, d.runs[i].len);
	}
	assert_string_equal(out.data ? out.data : "", want);
	buf_free(&out);
	word_diff_free(&d);
}

static void test_word_diff__tells_what_was_added_and_removed(void **state)
{
	(void)state;
	same_runs("hoito oli hyvää", "hoito oli erittäin hyvää", "=hoito oli +erittäin =hyvää");
	same_runs("yövuorossa kaksi hoitajaa", "yövuorossa yksi hoitajaa",
	    "=yövuorossa -kaksi +yksi =hoitajaa");
	same_runs("a b c", "b c", "-a =b c");
	same_runs("a b", "a b c", "=a b +c");
	same_runs("a b", "c d", "-a b+c d");
}

static void test_word_diff__of_an_empty_text_is_all_of_the_other(void **state)
{
	(void)state;
	same_runs("", "", "");
	same_runs("", "a b\n", "+a b\n");
	same_runs("a b\n", "", "-a b\n");
	same_runs(" \n\n ", "a", "+a");
}

static void test_word_diff__line_ends_and_paragraphs_are_no_difference(void **state)
{
	(void)state;
	same_runs("eka rivi\ntoka rivi\f\n\nkolmas", "eka rivi toka\nrivi kolmas",
	    "=eka rivi toka\nrivi kolmas");
	same_runs("  a\r\n b", "a b ", "=a b ");
}

static void test_word_diff__any_bytes_are_words(void **state)
{
	(void)state;
	same_runs("<b> &amp; @@ -1 +1 @@", "<b> & @@ -1 +1 @@", "=<b> -&amp; +& =@@ -1 +1 @@");
	same_runs("+ - \\", "- + \\", "-+ =- ++ =\\");
}

static char *many(unsigned int seed, size_t words, unsigned int vocabulary, const char *between)
{
	struct buf b = BUF_INIT;

	for (size_t i = 0; i < words; i++) {
		seed = seed * 1103515245U + 12345U;
		buf_addf(&b, "sana%u%s", (seed >> 8) % vocabulary, between);
	}
	assert_false(buf_failed(&b));
	return buf_take(&b, NULL);
}

/* Every word of both texts is in a run, in order. */
static void whole(const struct word_diff *d, const char *before, const char *after)
{
	const char *a = before, *b = after;

	for (size_t i = 0; i < d->n; i++) {
		const struct word_run *r = &d->runs[i];

		if (r->op != WORDS_REMOVED) {
			assert_ptr_equal(r->text, b);
			b += r->len;
		}
		if (r->op == WORDS_REMOVED)
			assert_ptr_equal(r->text, a);
		if (r->op != WORDS_ADDED)
			a += r->op == WORDS_SAME ? words_head(a, strlen(a), r->words) : r->len;
	}
	assert_int_equal(*a, 0);
	assert_int_equal(*b, 0);
	assert_int_equal(d->same + d->removed, words_count(before, strlen(before)));
	assert_int_equal(d->same + d->added, words_count(after, strlen(after)));
}

static void test_word_diff__of_random_texts_loses_no_word(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < 40; i++) {
		char *a = many(i, i * 7, 3 + i, " "), *b = many(i + 1000, 140 - i, 3 + i, " ");
		struct word_diff d;

		compare(a ? a : "", b, &d);
		whole(&d, a ? a : "", b);
		word_diff_free(&d);
		free(a);
		free(b);
	}
}

static void test_word_diff__above_its_bound_compares_lines_and_then_nothing(void **state)
{
	char *a = many(1, 60000, 1000, " sana sana\n"), *b = many(2, 60000, 1000, " sana sana\n");
	struct word_diff d;
	struct ark_error err = {0};
	char *c = many(3, WORD_DIFF_PARTS + 1, 9, "\n");

	(void)state;
	compare(a, a, &d);
	assert_int_equal(d.unit, UNIT_LINE);
	assert_int_equal(d.n, 1);
	assert_int_equal(d.same, 180000);
	word_diff_free(&d);
	compare(a, b, &d);
	whole(&d, a, b);
	word_diff_free(&d);
	assert_int_equal(word_diff(c, strlen(c), "a", 1, &d, &err), ARK_EINPUT);
	free(a);
	free(b);
	free(c);
	c = calloc(1, WORD_DIFF_BYTES + 2);
	assert_non_null(c);
	memset(c, 'a', WORD_DIFF_BYTES + 1);
	assert_int_equal(word_diff(c, WORD_DIFF_BYTES + 1, "a", 1, &d, &err), ARK_EINPUT);
	assert_int_equal(word_diff(c, WORD_DIFF_BYTES, "a", 1, &d, &err), ARK_OK);
	word_diff_free(&d);
	free(c);
}

static void test_word_diff__of_the_longest_random_texts_takes_seconds_at_most(void **state)
{
	static const unsigned int vocabularies[] = {2, 50, 1000, 100000};

	(void)state;
	for (size_t i = 0; i < sizeof(vocabularies) / sizeof(*vocabularies); i++) {
		char *a = many(1, WORD_DIFF_PARTS / 2, vocabularies[i], " "),
		     *b = many(2, WORD_DIFF_PARTS / 2, vocabularies[i], " ");
		int64_t began = clock_monotonic_us();
		struct word_diff d;

		compare(a, b, &d);
		print_message("%u words of %u: %.2f s\n", WORD_DIFF_PARTS / 2, vocabularies[i],
		    (double)(clock_monotonic_us() - began) / 1e6);
		assert_int_equal(d.unit, UNIT_WORD);
		assert_true(clock_monotonic_us() - began < 60000000);
		word_diff_free(&d);
		free(a);
		free(b);
	}
}

static void test_words__head_and_tail_are_whole_words(void **state)
{
	(void)state;
	assert_int_equal(words_head("yksi kaksi  kolme", 17, 2), 12);
	assert_int_equal(words_tail("yksi kaksi  kolme ", 18, 2), 13);
	assert_int_equal(words_tail("yksi", 4, 9), 4);
	assert_int_equal(words_head("yksi", 4, 9), 4);
	assert_int_equal(words_head("yksi", 4, 0), 0);
	assert_int_equal(words_count(" a\nb  c ", 8), 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_word_diff__tells_what_was_added_and_removed),
	    cmocka_unit_test(test_word_diff__of_an_empty_text_is_all_of_the_other),
	    cmocka_unit_test(test_word_diff__line_ends_and_paragraphs_are_no_difference),
	    cmocka_unit_test(test_word_diff__any_bytes_are_words),
	    cmocka_unit_test(test_word_diff__of_random_texts_loses_no_word),
	    cmocka_unit_test(test_word_diff__above_its_bound_compares_lines_and_then_nothing),
	    cmocka_unit_test(test_word_diff__of_the_longest_random_texts_takes_seconds_at_most),
	    cmocka_unit_test(test_words__head_and_tail_are_whole_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
