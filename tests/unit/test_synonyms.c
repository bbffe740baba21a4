#include "unit.h"

#include "arkki/index/synonyms.h"
#include "arkki/base/buf.h"
#include "arkki/base/json.h"
#include "index/synonyms_read.h"

struct fixture {
	struct analyser *analyser;
	struct synonyms *shipped;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	assert_int_equal(analyser_new(NULL, &f->analyser, NULL), 0);
	assert_int_equal(synonyms_new(f->analyser, NULL, &f->shipped, NULL), 0);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	synonyms_unref(f->shipped);
	analyser_free(f->analyser);
	free(f);
	return 0;
}

/* ---- asking ---- */

static int note(void *arg, enum analyse_language language, const char *term)
{
	buf_addf(arg, "%s:%s;", analyse_language_name(language), term);
	return 0;
}

/* `typed` is split at spaces. Answers "fi:…;sv:…;", and how many words were taken. */
static size_t find(struct fixture *f, const struct synonyms *s, const char *typed, char out[1000])
{
	char copy[300], behind[] = "hemmet", *words[16], *rest = NULL, *w;
	struct buf told = {0};
	size_t n, taken;

	for (n = 0; n < 16; n++)
		words[n] = behind; /* is not to be read */
	n = 0;
	snprintf(copy, sizeof(copy), "%s", typed);
	for (w = strtok_r(copy, " ", &rest); w && n < 16; w = strtok_r(NULL, " ", &rest))
		words[n++] = w;
	assert_int_equal(
	    synonyms_find(s, f->analyser, (const char *const *)words, n, note, &told, &taken, NULL),
	    0);
	snprintf(out, 1000, "%s", told.data ? told.data : "");
	buf_free(&told);
	return taken;
}

#define FINDS(s, typed, n, part)                                                                   \
	do {                                                                                       \
		assert_int_equal(find(f, s, typed, out), n);                                       \
		if (!strstr(out, part))                                                            \
			fail_msg("“%s” gives %s, not %s", typed, out, part);                       \
	} while (0)

static json_t *table(const char *text)
{
	json_t *t = NULL;

	assert_int_equal(json_read(text, strlen(text), &t, NULL), 0);
	return t;
}

static struct synonyms *made(struct fixture *f, const char *text)
{
	struct synonyms *s = NULL;
	json_t *t = table(text);

	assert_int_equal(synonyms_new(f->analyser, t, &s, NULL), 0);
	json_decref(t);
	return s;
}

/* ---- the shipped table ---- */

static void test_synonyms__finnish_finds_swedish_and_back(void **state)
{
	struct fixture *f = *state;
	char out[1000];

	FINDS(f->shipped, "sijaishuolto", 1, "sv:vård utom hemmet;");
	FINDS(f->shipped, "rajoitustoimenpide", 1, "sv:begränsningsåtgärd;");
	FINDS(f->shipped, "vård utom hemmet", 3, "fi:sijaishuolto;");
	FINDS(f->shipped, "begränsningsåtgärd", 1, "fi:rajoitustoimenpide;");
	FINDS(f->shipped, "lastensuojelulaki", 1, "sv:barnskyddslagen;");
	FINDS(f->shipped, "EOA", 1, "sv:riksdagens justitieombudsman;");
}

static void test_synonyms__inflected_words_are_found(void **state)
{
	struct fixture *f = *state;
	char out[1000];

	FINDS(f->shipped, "Sijaishuollossa", 1, "sv:vård utom hemmet;");
	FINDS(f->shipped, "rajoitustoimenpiteistä", 1, "sv:begränsningsåtgärd;");
	FINDS(f->shipped, "begränsningsåtgärderna", 1, "fi:rajoitustoimenpide;");
	FINDS(f->shipped, "liikkumisvapauden rajoittamisesta", 2,
	    "sv:begränsning av rörelsefriheten;");
	FINDS(f->shipped, "aluehallintoviraston", 1, "sv:regionförvaltningsverk;");
	FINDS(f->shipped, "BARNSKYDDSLAGENS", 1, "fi:lastensuojelulaki;");
}

static void test_synonyms__other_words_of_the_same_language_are_told(void **state)
{
	struct fixture *f = *state;
	char out[1000];

	FINDS(f->shipped, "eristys", 1, "fi:eristäminen;");
	assert_null(strstr(out, "fi:eristys;")); /* not the word itself */
}

static void test_synonyms__words_outside_the_field_have_none(void **state)
{
	struct fixture *f = *state;
	char out[1000];

	assert_int_equal(find(f, f->shipped, "omenapuu", out), 0);
	assert_int_equal(find(f, f->shipped, "laki", out), 0);
	assert_int_equal(find(f, f->shipped, "hemmet", out), 0);
	assert_int_equal(find(f, f->shipped, "vård utom", out), 0);
	assert_int_equal(find(f, f->shipped, "§ § §", out), 0);
	assert_string_equal(out, "");
}

static void test_synonyms__longest_term_is_taken(void **state)
{
	struct fixture *f = *state;
	char out[1000];

	FINDS(f->shipped, "yhteydenpidon rajoittaminen Koivula", 2, "sv:begränsning av kontakter;");
	assert_null(strstr(out, "kontakt med närstående"));
	FINDS(f->shipped, "yhteydenpito Koivula", 1, "sv:kontakt med närstående;");
}

static void test_synonyms__shipped_table_has_the_field(void **state)
{
	struct fixture *f = *state;

	assert_in_range(synonyms_len(f->shipped), 300, 1000);
}

static void test_synonyms__beginnings_are_told_in_order(void **state)
{
	struct fixture *f = *state;
	struct buf told = {0};

	assert_int_equal(synonyms_begin_with(f->shipped, "rajoitust", note, &told), 0);
	assert_string_equal(told.data, "fi:rajoitustoimenpide;");
	buf_free(&told);
}

/* ---- the administrator's ---- */

static void test_synonyms__own_entries_join_the_shipped_ones(void **state)
{
	struct fixture *f = *state;
	char out[1000];
	struct synonyms *s =
	    made(f, "{\"id\":\"current\",\"entries\":[{\"fi\":[\"pehmohuone\"],"
		    "\"sv\":[\"mjukt rum\"],\"note\":\"a word of our own\"},"
		    "{\"fi\":[\"sijaishuolto\",\"sijoitus kodin ulkopuolelle\"]}]}");

	FINDS(s, "pehmohuoneessa", 1, "sv:mjukt rum;");
	FINDS(s, "mjuka rum", 2, "fi:pehmohuone;");
	FINDS(s, "sijaishuolto", 1, "fi:sijoitus kodin ulkopuolelle;");
	FINDS(s, "sijaishuolto", 1, "sv:vård utom hemmet;");
	assert_int_equal(synonyms_len(s), synonyms_len(f->shipped) + 2);
	synonyms_unref(s);
}

static void test_synonyms__shipped_ones_can_be_left_out(void **state)
{
	struct fixture *f = *state;
	char out[1000];
	struct synonyms *s = made(
	    f, "{\"shipped\":false,\"entries\":[{\"fi\":[\"pehmohuone\",\"hiljainen huone\"]}]}");

	assert_int_equal(synonyms_len(s), 1);
	assert_int_equal(find(f, s, "sijaishuolto", out), 0);
	synonyms_unref(synonyms_ref(s));
	FINDS(s, "hiljaisessa huoneessa", 2, "fi:pehmohuone;");
	synonyms_unref(s);
	s = made(f, "{\"shipped\":false,\"entries\":[]}");
	assert_int_equal(find(f, s, "sijaishuolto", out), 0);
	synonyms_unref(s);
}

static void refused(struct fixture *f, const char *text, const char *names)
{
	struct synonyms *s = NULL;
	struct ark_error err = {0};
	json_t *t = table(text);

	assert_int_equal(synonyms_new(f->analyser, t, &s, &err), ARK_EINPUT);
	assert_null(s);
	if (!strstr(err.text, names))
		fail_msg("“%s” does not name “%s”", err.text, names);
	json_decref(t);
}

static void test_synonyms__faults_name_entry_and_mend(void **state)
{
	struct fixture *f = *state;
	char long_term[400];

	refused(f, "[]", "entries");
	refused(f, "{\"entries\":{}}", "entries");
	refused(f, "{\"entries\":[],\"shipped\":1}", "shipped");
	refused(f, "{\"entries\":[1]}", "entry 1");
	refused(
	    f, "{\"entries\":[{\"fi\":[\"a\",\"b\"]},{\"fi\":[\"yksin\"]}]}", "entry 2 (yksin)");
	refused(f, "{\"entries\":[{\"fi\":[\"yksin\"]}]}", "two terms");
	refused(f, "{\"entries\":[{\"de\":[\"a\"]}]}", "de is unknown");
	refused(f, "{\"entries\":[{\"fi\":\"a\"}]}", "list");
	refused(f, "{\"entries\":[{\"fi\":[\"a\",7]}]}", "must be a text");
	refused(f, "{\"entries\":[{\"fi\":[\"a\",\"\"]}]}", "empty");
	refused(f, "{\"entries\":[{\"fi\":[\"a\",\"…\"]}]}", "no word");
	refused(f, "{\"entries\":[{\"fi\":[\"a\",\"b\\nc\"]}]}", "control");
	refused(f, "{\"entries\":[{\"fi\":[\"a\",\"1 2 3 4 5\"]}]}", "more than 4 words");
	refused(f, "{\"entries\":[{\"fi\":[\"a\",\"b\"],\"note\":[]}]}", "note");
	refused(f,
	    "{\"entries\":[{\"fi\":[\"a\",\"b\",\"c\",\"d\",\"e\",\"f\",\"g\",\"h\",\"i\","
	    "\"j\",\"k\",\"l\",\"m\",\"n\",\"o\",\"p\",\"q\"]}]}",
	    "more than 16");
	snprintf(long_term, sizeof(long_term), "{\"entries\":[{\"fi\":[\"a\",\"%0101d\"]}]}", 1);
	refused(f, long_term, "shorten");
}

static int skip_term(void *arg, enum analyse_language language, const char *text, size_t len)
{
	(void)arg, (void)language, (void)text, (void)len;
	return 0;
}

static int skip_end(void *arg)
{
	++*(size_t *)arg;
	return 0;
}

static void test_synonyms__faults_in_lines_name_the_line(void **state)
{
	size_t n = 0;
	const struct synonyms_reader r = {skip_term, skip_end, &n};
	struct ark_error err = {0};

	(void)state;
	assert_int_equal(synonyms_read_lines("# x\n\na\tb\nc|d\t\te", &r, &err), 0);
	assert_int_equal(n, 2);
	assert_int_equal(synonyms_read_lines("a\tb\nc\n", &r, &err), ARK_EINPUT);
	assert_non_null(strstr(err.text, "line 2"));
	assert_int_equal(synonyms_read_lines("a\tb\tc\td\n", &r, &err), ARK_EINPUT);
	assert_int_equal(synonyms_read_lines("a||b\tc\n", &r, &err), ARK_EINPUT);
}

static int stop(void *arg, enum analyse_language language, const char *term)
{
	(void)arg, (void)language, (void)term;
	return 7;
}

static void test_synonyms__callback_stops(void **state)
{
	struct fixture *f = *state;
	const char *word = "sijaishuolto";
	size_t taken;

	assert_int_equal(
	    synonyms_find(f->shipped, f->analyser, &word, 1, stop, NULL, &taken, NULL), 7);
	assert_int_equal(synonyms_begin_with(f->shipped, "sijais", stop, NULL), 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_synonyms__finnish_finds_swedish_and_back),
	    cmocka_unit_test(test_synonyms__inflected_words_are_found),
	    cmocka_unit_test(test_synonyms__other_words_of_the_same_language_are_told),
	    cmocka_unit_test(test_synonyms__words_outside_the_field_have_none),
	    cmocka_unit_test(test_synonyms__longest_term_is_taken),
	    cmocka_unit_test(test_synonyms__shipped_table_has_the_field),
	    cmocka_unit_test(test_synonyms__beginnings_are_told_in_order),
	    cmocka_unit_test(test_synonyms__own_entries_join_the_shipped_ones),
	    cmocka_unit_test(test_synonyms__shipped_ones_can_be_left_out),
	    cmocka_unit_test(test_synonyms__faults_name_entry_and_mend),
	    cmocka_unit_test(test_synonyms__faults_in_lines_name_the_line),
	    cmocka_unit_test(test_synonyms__callback_stops),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
