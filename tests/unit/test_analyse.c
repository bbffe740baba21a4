#include "unit.h"

#include <glib.h>
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
	/* of several parts only where there is nothing simpler … */
	assert_false(has_term(f->analyser, ANALYSE_FI, "perusteiden", "Zperustie"));
	/* … but for laws and powers */
	assert_true(has_term(f->analyser, ANALYSE_FI, "sosiaalihuoltolain", "Zsosiaalihuoltolaki"));
	assert_true(has_term(f->analyser, ANALYSE_FI, "toimivaltaan", "Ztoimivalta"));
}

static void test_analyse__participle_has_the_root_of_its_verb(void **state)
{
	struct fixture *f = *state;

	assert_true(has_term(f->analyser, ANALYSE_FI, "tarkastettavaksi", "Ztarkastaa"));
	assert_true(has_term(f->analyser, ANALYSE_FI, "pitänyt", "Zpitää"));
	assert_true(has_term(f->analyser, ANALYSE_FI, "laiminlyötyjen", "Zlaiminlyödä"));
	assert_true(has_term(f->analyser, ANALYSE_FI, "rajoittaminen", "Zrajoittaa"));
	assert_false(has_term(f->analyser, ANALYSE_FI, "vastaavanlainen", "Zvastata"));
	assert_false(has_term(f->analyser, ANALYSE_FI, "esittelemässä", "Zesittää"));
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

static void test_analyse__swedish_compound_has_its_parts(void **state)
{
	const struct fixture *f = *state;

	if (access("/usr/share/hunspell/sv_FI.dic", R_OK) &&
	    access("/usr/share/hunspell/sv_SE.dic", R_OK)) {
		printf("SKIP: no Swedish dictionary (package hunspell-sv)\n");
		skip();
	}
	assert_terms(f->analyser, ANALYSE_SV, "Tvångsåtgärder",
	    "tvångsåtgärder ZVtvångsåtgärd Ktvång Kåtgärd");
	assert_terms(
	    f->analyser, ANALYSE_SV, "socialvården", "socialvården ZVsocialvård Ksocial Kvård");
	/* two readings: of a law and of a kind */
	assert_true(has_term(f->analyser, ANALYSE_SV, "barnskyddslagen", "Klag"));
	assert_true(has_term(f->analyser, ANALYSE_SV, "barnskyddslagen", "Kbarnskydd"));
	assert_terms(f->analyser, ANALYSE_SV, "kommunikation", "kommunikation ZVkommunikation");
	assert_terms(f->analyser, ANALYSE_SV, "bestämmelser", "bestämmelser ZVbestämmels");
	/* too short to be cut */
	assert_terms(f->analyser, ANALYSE_SV, "nygård", "nygård ZVnygård");
}

static void test_analyse__swedish_and_english_lose_their_endings(void **state)
{
	struct fixture *f = *state;

	assert_true(has_term(f->analyser, ANALYSE_EN, "inspections", "Zinspect"));
	assert_true(has_term(f->analyser, ANALYSE_EN, "self-supervision", "Ksupervis"));
	assert_terms(f->analyser, ANALYSE_SV, "barnens", "barnens ZVbarn");
	assert_terms(f->analyser, ANALYSE_SV, "beslut", "beslut ZVbeslu ZVbeslut");
	assert_true(has_term(f->analyser, ANALYSE_SV, "besluten", "ZVbeslut"));
	assert_terms(f->analyser, ANALYSE_SV, "kvinnorna", "kvinnorna ZVkvinn");
	assert_terms(f->analyser, ANALYSE_SV, "kvinnlig", "kvinnlig ZVkvinnlig");
	assert_terms(f->analyser, ANALYSE_SV, "ås", "ås ZVås");
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

/* ---- conflation: forms of one gold lemma should share a lemma of ours, and no others ---- */

#define SET_MAX 12

struct id_set {
	unsigned int id[SET_MAX];
	unsigned int n;
};

struct form {
	struct id_set gold, found;
};

struct judging {
	GHashTable *ids; /* of lemmas, ours and gold in one */
	struct id_set *set;
};

static void set_add(struct judging *j, const char *text)
{
	gpointer id = g_hash_table_lookup(j->ids, text);
	unsigned int i;

	if (!id) {
		id = GUINT_TO_POINTER(g_hash_table_size(j->ids) + 1);
		g_hash_table_insert(j->ids, g_strdup(text), id);
	}
	for (i = 0; i < j->set->n; i++)
		if (j->set->id[i] == GPOINTER_TO_UINT(id))
			return;
	if (j->set->n < SET_MAX)
		j->set->id[j->set->n++] = GPOINTER_TO_UINT(id);
}

static bool sets_meet(const struct id_set *a, const struct id_set *b)
{
	unsigned int i, k;

	for (i = 0; i < a->n; i++)
		for (k = 0; k < b->n; k++)
			if (a->id[i] == b->id[k])
				return true;
	return false;
}

static int judge_term(void *arg, enum analyse_kind kind, const char *term, size_t len)
{
	(void)len;
	if (kind == ANALYSE_LEMMA)
		set_add(arg, term);
	return 0;
}

/* FORM and LEMMA of one line of a treebank, without punctuation; false for other lines. */
static bool read_conllu(char *line, char **form, char **lemma)
{
	char *column[4];
	int i;

	for (i = 0; i < 4; i++)
		if (!(column[i] = strsep(&line, "\t")))
			return false;
	*form = column[1];
	*lemma = column[2];
	return strspn(column[0], "0123456789") == strlen(column[0]) && *column[0] &&
	       strcmp(column[3], "PUNCT") != 0 && strcmp(column[3], "SYM") != 0;
}

/* The lemma in small letters without the treebank's mark of compound bounds. */
static void add_gold(struct judging *j, const char *lemma)
{
	char *lower = g_utf8_strdown(lemma, -1), *from, *to;

	for (from = to = lower; *from; from++)
		if (*from != '#')
			*to++ = *from;
	*to = '\0';
	set_add(j, lower);
	g_free(lower);
}

static GPtrArray *read_forms(
    struct analyser *a, enum analyse_language language, const char *path, GHashTable *ids)
{
	GHashTable *seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	GPtrArray *forms = g_ptr_array_new_with_free_func(g_free);
	struct judging j = {.ids = ids};
	char line[8192], *form, *lemma;
	FILE *f = fopen(path, "r");

	assert_non_null(f);
	while (fgets(line, sizeof(line), f)) {
		struct form *entry;

		if (!read_conllu(line, &form, &lemma))
			continue;
		entry = g_hash_table_lookup(seen, form);
		if (!entry) {
			entry = g_new0(struct form, 1);
			g_ptr_array_add(forms, entry);
			g_hash_table_insert(seen, g_strdup(form), entry);
			j.set = &entry->found;
			assert_int_equal(
			    analyse_word(a, language, form, strlen(form), judge_term, &j, NULL), 0);
		}
		j.set = &entry->gold;
		add_gold(&j, lemma);
	}
	fclose(f);
	g_hash_table_destroy(seen);
	return forms;
}

static double conflation_f1(struct analyser *a, enum analyse_language language, const char *path)
{
	GHashTable *ids = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	GPtrArray *forms = read_forms(a, language, path, ids);
	double gold = 0, found = 0, both = 0;
	guint i, k;

	for (i = 0; i < forms->len; i++)
		for (k = i + 1; k < forms->len; k++) {
			const struct form *x = forms->pdata[i], *y = forms->pdata[k];
			bool g = sets_meet(&x->gold, &y->gold), h = sets_meet(&x->found, &y->found);

			gold += g;
			found += h;
			both += g && h;
		}
	printf("conflation of %s: %u forms, precision %.3f, recall %.3f, F1 %.3f\n", path,
	    forms->len, both / found, both / gold, 2 * both / (gold + found));
	g_ptr_array_free(forms, TRUE);
	g_hash_table_destroy(ids);
	return 2 * both / (gold + found);
}

static void test_analyse__finnish_conflation_is_as_good_as_measured(void **state)
{
	struct fixture *f = *state;
	char path[512];

	unit_corpus(path, "ud-conllu/fi_tdt-ud-dev.conllu", __func__);
	assert_true(conflation_f1(f->analyser, ANALYSE_FI, path) >= 0.85);
}

static void test_analyse__swedish_conflation_is_as_good_as_measured(void **state)
{
	struct fixture *f = *state;
	char path[512];

	unit_corpus(path, "ud-conllu/sv_talbanken-ud-dev.conllu", __func__);
	assert_true(conflation_f1(f->analyser, ANALYSE_SV, path) >= 0.73);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_analyse__swedish_compound_has_its_parts),
	    cmocka_unit_test(test_analyse__inflected_compound_has_lemma_and_every_part),
	    cmocka_unit_test(test_analyse__ambiguous_word_has_all_lemmas),
	    cmocka_unit_test(test_analyse__participle_has_the_root_of_its_verb),
	    cmocka_unit_test(test_analyse__abbreviations_lose_their_endings),
	    cmocka_unit_test(test_analyse__letter_case_and_form_make_no_difference),
	    cmocka_unit_test(test_analyse__swedish_and_english_lose_their_endings),
	    cmocka_unit_test(test_analyse__what_is_no_word_has_no_terms),
	    cmocka_unit_test(test_analyse_text__splits_words_numbers_and_signs),
	    cmocka_unit_test(test_analyse_text__each_paragraph_has_its_language),
	    cmocka_unit_test(test_analyse__threads_share_a_cache),
	    cmocka_unit_test(test_analyse__cached_answer_is_the_same),
	    cmocka_unit_test(test_analyse__finnish_conflation_is_as_good_as_measured),
	    cmocka_unit_test(test_analyse__swedish_conflation_is_as_good_as_measured),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
