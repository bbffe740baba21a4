#include "unit.h"

#include <pthread.h>

#include "arkki/base/buf.h"
#include "arkki/index/analyse.h"

struct fixture {
	struct analyse_cache *cache;
	struct analyser *analyser;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	if (!f || analyse_cache_new(&f->cache, NULL) || analyser_new(f->cache, &f->analyser, NULL))
		return -1;
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	analyser_free(f->analyser);
	analyse_cache_free(f->cache);
	free(f);
	return 0;
}

struct line {
	enum analyse_language language;
	struct buf text;
};

static int add_term(void *arg, enum analyse_kind kind, const char *term, size_t len)
{
	struct line *l = arg;

	assert_int_equal(strlen(term), len);
	if (l->text.len)
		buf_addc(&l->text, ' ');
	buf_adds(&l->text, analyse_prefix(l->language, kind));
	buf_adds(&l->text, term);
	return 0;
}

static void assert_terms(
    struct analyser *a, enum analyse_language language, const char *word, const char *expected)
{
	struct line l = {.language = language};

	assert_int_equal(analyse_word(a, language, word, strlen(word), add_term, &l, NULL), 0);
	assert_string_equal(l.text.data ? l.text.data : "", expected);
	buf_free(&l.text);
}

static bool has_term(
    struct analyser *a, enum analyse_language language, const char *word, const char *term)
{
	struct line l = {.language = language};
	char padded[300];
	bool has;

	buf_addc(&l.text, ' ');
	assert_int_equal(analyse_word(a, language, word, strlen(word), add_term, &l, NULL), 0);
	buf_addc(&l.text, ' ');
	snprintf(padded, sizeof(padded), " %s ", term);
	has = strstr(l.text.data, padded) != NULL;
	buf_free(&l.text);
	return has;
}

static void test_analyse__inflected_compound_has_lemma_and_every_part(void **state)
{
	struct fixture *f = *state;

	assert_terms(f->analyser, ANALYSE_FI, "sijaishuoltopaikoista",
	    "sijaishuoltopaikoista Zsijaishuoltopaikka Ksijainen Ksijaishuolto Khuolto "
	    "Khuoltopaikka Kpaikka");
	assert_true(has_term(f->analyser, ANALYSE_FI, "liikkumisvapauden", "Kliikkua"));
	assert_true(has_term(f->analyser, ANALYSE_FI, "hyvinvointialueella", "Kvointialue"));
	assert_true(has_term(f->analyser, ANALYSE_FI, "ajo-oikeuden", "Zajo-oikeus"));
	assert_true(has_term(f->analyser, ANALYSE_FI, "uudenvuoden", "Kvuosi"));
}

static void test_analyse__ambiguous_word_has_all_lemmas(void **state)
{
	struct fixture *f = *state;

	assert_true(has_term(f->analyser, ANALYSE_FI, "lastenkodin", "Zlastenkoti"));
	assert_true(has_term(f->analyser, ANALYSE_FI, "lastenkodin", "Zlastenkota"));
	assert_false(has_term(f->analyser, ANALYSE_FI, "sosiaalihuoltolain", "Zsosiaali"));
}

static void test_analyse__participle_has_the_root_of_its_verb(void **state)
{
	struct fixture *f = *state;

	assert_true(has_term(f->analyser, ANALYSE_FI, "tarkastettavaksi", "Ztarkastaa"));
	assert_true(has_term(f->analyser, ANALYSE_FI, "pitänyt", "Zpitää"));
	assert_true(has_term(f->analyser, ANALYSE_FI, "laiminlyötyjen", "Zlaiminlyödä"));
	assert_true(has_term(f->analyser, ANALYSE_FI, "rajoittaminen", "Zrajoittaa"));
	assert_false(has_term(f->analyser, ANALYSE_FI, "vastaavanlainen", "Zvastata"));
}

static void test_analyse__abbreviations_lose_their_endings(void **state)
{
	struct fixture *f = *state;

	assert_true(has_term(f->analyser, ANALYSE_FI, "AVIn", "Zavi"));
	assert_true(has_term(f->analyser, ANALYSE_FI, "LVV:n", "Zlvv"));
	assert_true(has_term(f->analyser, ANALYSE_FI, "LVV", "Zlvv"));
	assert_true(has_term(f->analyser, ANALYSE_SV, "LVV:s", "ZVlvv"));
	assert_true(has_term(f->analyser, ANALYSE_FI, "sijais-", "Zsijainen"));
}

static void test_analyse__letter_case_and_form_make_no_difference(void **state)
{
	struct fixture *f = *state;

	assert_terms(f->analyser, ANALYSE_FI, "PÄÄTÖKSESSÄ", "päätöksessä Zpäätös");
	/* a with a combining diaeresis; a soft hyphen; a ligature out of a PDF file */
	assert_true(has_term(f->analyser, ANALYSE_FI,
	    "pa\xCC\x88"
	    "a\xCC\x88to\xCC\x88s",
	    "päätös"));
	assert_true(has_term(f->analyser, ANALYSE_FI, "lasten\xC2\xADkoti", "lastenkoti"));
	assert_true(has_term(f->analyser, ANALYSE_EN,
	    "o\xEF\xAC\x83"
	    "ce",
	    "office"));
}

static void test_analyse__swedish_and_english_are_stemmed(void **state)
{
	struct fixture *f = *state;

	assert_true(has_term(f->analyser, ANALYSE_EN, "inspections", "Zinspect"));
	assert_true(has_term(f->analyser, ANALYSE_EN, "self-supervision", "Ksupervis"));
	assert_true(has_term(f->analyser, ANALYSE_SV, "barnen", "ZVbarn"));
	assert_string_equal(analyse_prefix(ANALYSE_SV, ANALYSE_LEMMA), "ZV");
}

static void test_analyse__what_is_no_word_has_no_terms(void **state)
{
	struct fixture *f = *state;
	char long_word[2000];
	struct line l = {.language = ANALYSE_FI};

	assert_terms(f->analyser, ANALYSE_FI, "", "");
	assert_terms(f->analyser, ANALYSE_FI, "---", "");
	assert_terms(f->analyser, ANALYSE_FI, "\xff\xfe", "");
	assert_terms(f->analyser, ANALYSE_FI, "§", "§ Z§");
	memset(long_word, 'a', sizeof(long_word));
	assert_int_equal(
	    analyse_word(f->analyser, ANALYSE_FI, long_word, sizeof(long_word), add_term, &l, NULL),
	    0);
	assert_int_equal(l.text.len, ANALYSE_WORD_MAX + 1 + 1 + ANALYSE_WORD_MAX);
	buf_free(&l.text);
}

/* ---- texts ---- */

static int add_token(void *arg, const struct analyse_token *t)
{
	struct buf *b = arg;

	buf_addf(b, "%s%u:%.*s", b->len ? " " : "", t->position, (int)t->word_len, t->word);
	return 0;
}

static void assert_tokens(const char *text, const char *expected)
{
	struct buf b = BUF_INIT;

	assert_int_equal(analyse_text(text, strlen(text), ANALYSE_FI, add_token, &b), 0);
	assert_string_equal(b.data ? b.data : "", expected);
	buf_free(&b);
}

static void test_analyse_text__splits_words_numbers_and_signs(void **state)
{
	(void)state;
	assert_tokens("ESAVI/567/2023, LVV:n 59 §:n", "1:ESAVI 2:567 3:2023 4:LVV 5:59 6:§");
	assert_tokens("ajo-oikeus 9-17 12-vuotias hoito- ja",
	    "1:ajo-oikeus 2:9 3:17 4:12-vuotias 5:hoito 6:ja");
	assert_tokens("  \xff"
		      "a\xff"
		      "b \n\n c",
	    "1:a 2:b 3:c");
	assert_tokens("huom:tämä", "1:huom 2:tämä");
	assert_tokens("", "");
	assert_tokens("-- .. §", "1:§");
}

struct seen {
	unsigned int count[ANALYSE_LANGUAGES];
	const char *text;
};

static int see_token(void *arg, const struct analyse_token *t)
{
	struct seen *s = arg;

	assert_true(t->len > 0);
	assert_memory_equal(s->text + t->offset, t->word, 1);
	s->count[t->language]++;
	return 0;
}

static void test_analyse_text__each_paragraph_has_its_language(void **state)
{
	const char *text =
	    "Tarkastuksessa haastateltiin yksikön johtaja ja neljä ohjaajaa.\n\n"
	    "Barnen har rätt att träffa sina föräldrar och andra personer som är viktiga.\n\n"
	    "The unit must notify the authority of any change in its operations.\n";
	struct seen s = {.text = text};

	(void)state;
	assert_int_equal(analyse_text(text, strlen(text), ANALYSE_FI, see_token, &s), 0);
	assert_int_equal(s.count[ANALYSE_FI], 7);
	assert_int_equal(s.count[ANALYSE_SV], 13);
	assert_int_equal(s.count[ANALYSE_EN], 12);
	assert_int_equal(analyse_language_of("Koivula", 7, ANALYSE_SV), ANALYSE_SV);
	assert_int_equal(analyse_language_of("", 0, ANALYSE_EN), ANALYSE_EN);
}

/* ---- threads ---- */

#define THREAD_WORDS 400

static const char *const some_words[] = {"sijaishuoltopaikoista", "tarkastettavaksi", "lastenkodin",
    "päätöksessä", "rajoittamisesta", "omavalvontasuunnitelmassa", "valvottu", "esavissa"};

static void *analyse_often(void *arg)
{
	struct analyse_cache *cache = arg;
	struct analyser *a;
	intptr_t wrong = 0;
	int i;

	if (analyser_new(cache, &a, NULL))
		return (void *)(intptr_t)1;
	for (i = 0; i < THREAD_WORDS; i++)
		wrong += !has_term(
		    a, ANALYSE_FI, some_words[i % 8], i % 8 == 0 ? "Khuolto" : some_words[i % 8]);
	analyser_free(a);
	return (void *)wrong;
}

static void test_analyse__threads_share_a_cache(void **state)
{
	struct fixture *f = *state;
	pthread_t threads[3];
	void *wrong;
	int i;

	for (i = 0; i < 3; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, analyse_often, f->cache), 0);
	for (i = 0; i < 3; i++) {
		pthread_join(threads[i], &wrong);
		assert_null(wrong);
	}
}

static void test_analyse__cached_answer_is_the_same(void **state)
{
	struct fixture *f = *state;
	struct analyser *plain;
	size_t i;

	assert_int_equal(analyser_new(NULL, &plain, NULL), 0);
	for (i = 0; i < sizeof(some_words) / sizeof(some_words[0]); i++) {
		struct line l = {.language = ANALYSE_FI};

		assert_int_equal(analyse_word(plain, ANALYSE_FI, some_words[i],
				     strlen(some_words[i]), add_term, &l, NULL),
		    0);
		assert_terms(f->analyser, ANALYSE_FI, some_words[i], l.text.data);
		assert_terms(f->analyser, ANALYSE_FI, some_words[i], l.text.data);
		buf_free(&l.text);
	}
	analyser_free(plain);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_analyse__inflected_compound_has_lemma_and_every_part),
	    cmocka_unit_test(test_analyse__ambiguous_word_has_all_lemmas),
	    cmocka_unit_test(test_analyse__participle_has_the_root_of_its_verb),
	    cmocka_unit_test(test_analyse__abbreviations_lose_their_endings),
	    cmocka_unit_test(test_analyse__letter_case_and_form_make_no_difference),
	    cmocka_unit_test(test_analyse__swedish_and_english_are_stemmed),
	    cmocka_unit_test(test_analyse__what_is_no_word_has_no_terms),
	    cmocka_unit_test(test_analyse_text__splits_words_numbers_and_signs),
	    cmocka_unit_test(test_analyse_text__each_paragraph_has_its_language),
	    cmocka_unit_test(test_analyse__threads_share_a_cache),
	    cmocka_unit_test(test_analyse__cached_answer_is_the_same),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
