/* What a snippet marks, and what it says of it. The texts are made up. */
#include "unit.h"

#include "arkki/base/buf.h"
#include "arkki/index/snippet.h"
#include "arkki/index/synonyms.h"

struct fixture {
	struct analyse_cache *cache;
	struct analyser *analyser, *plain; /* plain: without a cache */
	struct synonyms *synonyms;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	assert_int_equal(analyse_cache_new(&f->cache, NULL), 0);
	assert_int_equal(analyser_new(f->cache, &f->analyser, NULL), 0);
	assert_int_equal(analyser_new(NULL, &f->plain, NULL), 0);
	assert_int_equal(synonyms_new(f->analyser, NULL, &f->synonyms, NULL), 0);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	synonyms_unref(f->synonyms);
	analyser_free(f->plain);
	analyser_free(f->analyser);
	analyse_cache_free(f->cache);
	free(f);
	return 0;
}

struct made {
	char text[4000], why[1000]; /* "word=because;" */
	uint32_t page;
	size_t matches;
};

static void tell_why(const struct snippet_where *w, struct made *ret)
{
	size_t i, at = 0;

	for (i = 0; i < w->why_len; i++)
		at += (size_t)snprintf(ret->why + at, sizeof(ret->why) - at, "%.*s=%s;",
		    (int)w->why[i].word_len, w->why[i].word, w->why[i].because);
}

static void make_by(struct analyser *a, const struct synonyms *synonyms, const char *q,
    const char *text, size_t max, struct made *ret)
{
	struct snippet_where where;
	struct snippet *s = NULL;
	struct buf out = BUF_INIT;
	int twice;

	for (twice = 0; twice < 2; twice++) { /* nothing of one text is left in the next */
		*ret = (struct made){0};
		buf_clear(&out);
		if (!s)
			assert_int_equal(snippet_new(a, q, NULL, synonyms, NULL, &s, NULL), 0);
		assert_int_equal(
		    snippet_make(s, text, strlen(text), "fi", max, &out, &where, NULL), 0);
		snprintf(ret->text, sizeof(ret->text), "%s", out.data ? out.data : "");
		ret->page = where.page;
		ret->matches = where.matches;
		tell_why(&where, ret);
	}
	snippet_free(s);
	buf_free(&out);
}

static struct made make(struct fixture *f, const char *q, const char *text, size_t max)
{
	struct made with, without;

	make_by(f->analyser, f->synonyms, q, text, max, &with);
	make_by(f->plain, f->synonyms, q, text, max, &without);
	assert_string_equal(with.text, without.text);
	assert_string_equal(with.why, without.why);
	return with;
}

static void marks(struct fixture *f, const char *q, const char *text, const char *expected)
{
	struct made m = make(f, q, text, 200);

	assert_string_equal(m.text, expected);
}

/* ---- the words of the query themselves ---- */

static void assert_snippet(
    struct fixture *f, const char *q, const char *text, size_t max, const char *expected)
{
	struct snippet *s;
	struct buf b = BUF_INIT;

	assert_int_equal(snippet_new(f->analyser, q, NULL, NULL, NULL, &s, NULL), 0);
	assert_int_equal(snippet_make(s, text, strlen(text), "fi", max, &b, NULL, NULL), 0);
	assert_string_equal(b.data ? b.data : "", expected);
	buf_free(&b);
	snippet_free(s);
}

static void test_snippet__compounds_and_inflections_are_marked(void **state)
{
	struct fixture *f = *state;

	assert_snippet(f, "sijaishuolto", "Kertomus sijaishuoltopaikoista.", 100,
	    "Kertomus <mark>sijaishuoltopaikoista</mark>.");
	assert_snippet(f, "sijaishuoltopaikka huolto", "Paikan huoltoa on lisätty.", 100,
	    "Paikan <mark>huoltoa</mark> on lisätty.");
	assert_snippet(f, "lapsi", "Lapsi ja lapsen lapset.", 100,
	    "<mark>Lapsi</mark> ja <mark>lapsen</mark> <mark>lapset</mark>.");
	assert_snippet(f, "ESAVI/567/2023", "Numero ESAVI/567/2023, ESAVI/1.", 100,
	    "Numero <mark>ESAVI/567/2023</mark>, ESAVI/1.");
	assert_snippet(f, "\"lapsen etu\"", "Lapsen on oltava. Lapsen lapsen etu.", 100,
	    "Lapsen on oltava. Lapsen <mark>lapsen etu</mark>.");
}

static void test_snippet__text_is_escaped(void **state)
{
	struct fixture *f = *state;

	assert_snippet(f, "lapsi", "<script>\"lapsi\" & 'muu'\x01</script>\n\n  x", 200,
	    "&lt;script&gt;&quot;<mark>lapsi</mark>&quot; &amp; &#39;muu&#39;&lt;/script&gt; x");
	assert_snippet(f, "lapsi", "\xff lapsi\xC3", 200, "<mark>lapsi</mark>");
}

static void test_snippet__ruled_lines_are_left_out(void **state)
{
	struct fixture *f = *state;

	assert_snippet(f, "lapsi", "Muistio\n=======\nlapsi ----- 12–14 -- a---b", 200,
	    "Muistio <mark>lapsi</mark> 12–14 -- a---b");
	assert_snippet(f, "lapsi", "....", 200, "");
}

static void test_snippet__no_match_gives_the_beginning(void **state)
{
	struct fixture *f = *state;

	assert_snippet(f, "tarkastus", "Yksi kaksi kolme neljä viisi", 15, "Yksi kaksi …");
	assert_snippet(f, "", "Yksi kaksi kolme", 100, "Yksi kaksi kolme");
	assert_snippet(f, "lapsi", "", 100, "");
	assert_snippet(f, "lapsi", "äääääääääää", 3, "äää …");
}

static void test_snippet__window_holds_the_most_of_the_query(void **state)
{
	struct fixture *f = *state;
	struct buf text = BUF_INIT, out = BUF_INIT;
	struct snippet *s;
	int i;

	buf_adds(&text, "Lapsi alussa. ");
	for (i = 0; i < 300; i++)
		buf_adds(&text, "täytettä on tässä paljon ");
	buf_adds(&text, "viimein lapsi ja lääkehoito ovat yhdessä. ");
	for (i = 0; i < 300; i++)
		buf_adds(&text, "täytettä on tässä paljon ");
	assert_int_equal(
	    snippet_new(f->analyser, "lapsi lääkehoito", "fi", NULL, NULL, &s, NULL), 0);
	assert_int_equal(snippet_make(s, text.data, text.len, "fi", 120, &out, NULL, NULL), 0);
	assert_non_null(strstr(out.data, "<mark>lapsi</mark> ja <mark>lääkehoito</mark>"));
	assert_true(out.len < 120 + 80);
	assert_memory_equal(out.data, "… ", 4);
	snippet_free(s);
	buf_free(&text);
	buf_free(&out);
}

/* ---- what is marked ---- */

static void test_snippet__other_words_are_marked_and_say_why(void **state)
{
	struct fixture *f = *state;
	struct made m = make(f, "sijaishuollosta", "Barnet är i vård utom hemmet nu.", 200);

	assert_string_equal(m.text, "Barnet är i <mark>vård utom hemmet</mark> nu.");
	assert_string_equal(m.why, "sijaishuollosta=vård utom hemmet;");
	assert_int_equal(m.matches, 1);
	m = make(f, "yhteydenpidon rajoittaminen", "Begränsningar av kontakterna gjordes.", 200);
	assert_string_equal(m.text, "<mark>Begränsningar av kontakterna</mark> gjordes.");
	assert_memory_equal(m.why, "yhteydenpidon rajoittaminen=begränsning av kontakter", 52);
	m = make(f, "tillsyn", "Valvontaa lisättiin.", 200);
	assert_string_equal(m.text, "<mark>Valvontaa</mark> lisättiin.");
	assert_string_equal(m.why, "tillsyn=valvonta;");
}

static void test_snippet__words_themselves_need_no_why(void **state)
{
	struct fixture *f = *state;
	struct made m = make(f, "sijaishuolto", "Sijaishuollossa, vård utom hemmet.", 200);

	assert_string_equal(m.text, "<mark>Sijaishuollossa</mark>, <mark>vård utom hemmet</mark>.");
	assert_string_equal(m.why, "sijaishuolto=vård utom hemmet;");
	assert_int_equal(m.matches, 2);
	m = make(f, "sijaishuolto", "Sijaishuollossa on lapsi.", 200);
	assert_string_equal(m.why, "");
	/* a word that was typed is not told as standing for another one */
	m = make(f, "eristys eristäminen", "Eristäminen kirjattiin.", 200);
	assert_string_equal(m.text, "<mark>Eristäminen</mark> kirjattiin.");
	assert_string_equal(m.why, "");
}

static void test_snippet__words_of_a_term_count_little_alone(void **state)
{
	struct fixture *f = *state;

	marks(f, "sijaishuolto", "Hemmet och vård. Vård utom hemmet.",
	    "Hemmet och vård. <mark>Vård utom hemmet</mark>.");
	marks(f, "sijaishuolto", "Vård vård utom hemmet.", "Vård <mark>vård utom hemmet</mark>.");
	marks(f, "sijaishuolto", "Vård finns inte i hemmet.",
	    "<mark>Vård</mark> finns inte i <mark>hemmet</mark>.");
}

static void test_snippet__excluded_words_are_never_marked(void **state)
{
	struct fixture *f = *state;

	marks(f, "lapsi -sijaishuolto", "Lapsi sijaishuollossa, vård utom hemmet.",
	    "<mark>Lapsi</mark> sijaishuollossa, vård utom hemmet.");
	marks(f, "lapsi NOT (huolto OR koulu)", "Lapsi, huolto ja koulu.",
	    "<mark>Lapsi</mark>, huolto ja koulu.");
	marks(f, "+lapsi +koulu", "Lapsi, huolto ja koulu.",
	    "<mark>Lapsi</mark>, huolto ja <mark>koulu</mark>.");
	marks(f, "(lapsi OR koulu) AND huolto", "Lapsi, huolto ja koulu.",
	    "<mark>Lapsi</mark>, <mark>huolto</mark> ja <mark>koulu</mark>.");
}

static void test_snippet__beginnings_are_marked(void **state)
{
	struct fixture *f = *state;

	marks(f, "rajoit*", "Rajoittaminen ja rajaton RAJOITUS.",
	    "<mark>Rajoittaminen</mark> ja rajaton <mark>RAJOITUS</mark>.");
	marks(f, "ääne*", "Äänestys, åäne.", "<mark>Äänestys</mark>, åäne.");
}

static void test_snippet__phrases_are_marked_as_written_only(void **state)
{
	struct fixture *f = *state;

	marks(f, "\"lapsen etu\"", "Lapsen edut, lapsen etu, LAPSEN ETU, lapsen\n\netu.",
	    "Lapsen edut, <mark>lapsen etu</mark>, <mark>LAPSEN ETU</mark>, <mark>lapsen "
	    "etu</mark>.");
	marks(f, "\"lapsen etu\"", "Lapsen, tämän, etu.", "Lapsen, tämän, etu.");
	marks(f, "\"etu etu koti\"", "Etu etu etu koti.", "Etu <mark>etu etu koti</mark>.");
}

static void test_snippet__paragraphs_have_their_own_language(void **state)
{
	struct fixture *f = *state;

	marks(f, "barnens koulu",
	    "Lapset ovat kotona ja koulussa, eikä kukaan ole siitä huolissaan nyt.\n\n"
	    "Det har inte varit möjligt att för barnet ordna vård enligt den plan som gjorts.",
	    "Lapset ovat kotona ja <mark>koulussa</mark>, eikä kukaan ole siitä huolissaan nyt. "
	    "Det har inte varit möjligt att för <mark>barnet</mark> ordna vård enligt den plan "
	    "som gjorts.");
}

static void test_snippet__words_of_many_terms_are_marked(void **state)
{
	struct fixture *f = *state;
	struct made m = make(f, "valvontasuunnitelma",
	    "Katso lastensuojelulaitosvalvontasuunnitelmaluettelosta.", 200);

	assert_string_equal(
	    m.text, "Katso <mark>lastensuojelulaitosvalvontasuunnitelmaluettelosta</mark>.");
}

static void test_snippet__latin_letters_are_letters(void **state)
{
	struct fixture *f = *state;

	marks(f, "äänestys", "ÄÄNESTYS×äänestys÷ÄÄNESTYS",
	    "<mark>ÄÄNESTYS</mark>×<mark>äänestys</mark>÷<mark>ÄÄNESTYS</mark>");
	marks(f, "\"straße\"", "Straße straÿe Strasse", "<mark>Straße</mark> straÿe Strasse");
	marks(f, "ääni",
	    "a\xCC\x88"
	    "äni on",
	    "<mark>a\xCC\x88"
	    "äni</mark> on");
}

/* ---- where ---- */

static void test_snippet__page_is_of_the_first_match_shown(void **state)
{
	struct fixture *f = *state;
	char text[6000];
	struct made m;

	memset(text, ' ', sizeof(text));
	memcpy(text, "Huolto.\f", 8);
	text[3000] = '\f';
	memcpy(text + 4000, "lapsi ja huolto", 15);
	memcpy(text + 5000, "\flapsi.", 8);
	m = make(f, "lapsi huolto", text, 100);
	assert_int_equal(m.page, 3);
	assert_int_equal(m.matches, 2);
	m = make(f, "huolto", text, 100);
	assert_int_equal(m.page, 1);
	assert_int_equal(make(f, "koulu", text, 100).page, 0);
	assert_int_equal(make(f, "lapsi", "Yksi lapsi.", 100).page, 0);
	assert_int_equal(make(f, "lapsi", "Yksi lapsi.\fLoppu.", 100).page, 1);
	assert_int_equal(make(f, "", "Yksi.\fKaksi", 100).page, 0);
}

static void test_snippet__why_is_bounded_and_each_once(void **state)
{
	struct fixture *f = *state;
	struct made m = make(
	    f, "sijaishuolto", "Vård utom hemmet är vård utom hemmet, och vård utom hemmet.", 200);

	assert_string_equal(m.why, "sijaishuolto=vård utom hemmet;");
	assert_int_equal(m.matches, 3);
	m = make(f,
	    "sijaishuolto huostaanotto eristäminen valvonta lastensuojelu avohuolto "
	    "jälkihuolto uhkasakko kantelu muutoksenhaku",
	    "Vård utom hemmet, omhändertagande, isolering, eftervård, tillsyn, barnskydd, "
	    "öppenvård, vite, klagan, ändringssökande.",
	    400);
	assert_int_equal(m.matches, 10);
	assert_non_null(strstr(m.why, "uhkasakko=vite;"));
	assert_null(strstr(m.why, "kantelu="));
}

/* ---- bounds ---- */

static void test_snippet__long_rows_and_queries_are_bounded(void **state)
{
	struct fixture *f = *state;
	struct buf q = BUF_INIT, text = BUF_INIT;
	struct made m;
	int i;

	buf_addc(&q, '"');
	for (i = 0; i < 200; i++)
		buf_addf(&q, "x%d ", i);
	buf_add(&text, q.data + 1, q.len - 1);
	buf_addc(&q, '"');
	m = make(f, q.data, text.data, 100);
	assert_true(strlen(m.text) < 3000);
	buf_free(&q);
	buf_free(&text);
	for (i = 0; i < 3000; i++)
		buf_adds(&text, "lapsi ");
	m = make(f, "lapsi ei-löydy-mistään", text.data, 100);
	assert_in_range(m.matches, 10, 20);
	buf_free(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_snippet__compounds_and_inflections_are_marked),
	    cmocka_unit_test(test_snippet__text_is_escaped),
	    cmocka_unit_test(test_snippet__ruled_lines_are_left_out),
	    cmocka_unit_test(test_snippet__no_match_gives_the_beginning),
	    cmocka_unit_test(test_snippet__window_holds_the_most_of_the_query),
	    cmocka_unit_test(test_snippet__other_words_are_marked_and_say_why),
	    cmocka_unit_test(test_snippet__words_themselves_need_no_why),
	    cmocka_unit_test(test_snippet__words_of_a_term_count_little_alone),
	    cmocka_unit_test(test_snippet__excluded_words_are_never_marked),
	    cmocka_unit_test(test_snippet__beginnings_are_marked),
	    cmocka_unit_test(test_snippet__phrases_are_marked_as_written_only),
	    cmocka_unit_test(test_snippet__paragraphs_have_their_own_language),
	    cmocka_unit_test(test_snippet__words_of_many_terms_are_marked),
	    cmocka_unit_test(test_snippet__latin_letters_are_letters),
	    cmocka_unit_test(test_snippet__page_is_of_the_first_match_shown),
	    cmocka_unit_test(test_snippet__why_is_bounded_and_each_once),
	    cmocka_unit_test(test_snippet__long_rows_and_queries_are_bounded),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
