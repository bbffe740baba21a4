/* The query language: what was typed, as a tree, and written again. All names are our own invention. */
#include "tests/unit/unit.h"

#include <ctype.h>
#include <time.h>

#include "arkki/base/buf.h"
#include "arkki/base/text.h"
#include "index/query_internal.h"

struct fixture {
	struct analyser *analyser;
	struct synonyms *synonyms;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	*state = f;
	return !f || analyser_new(NULL, &f->analyser, NULL) ||
	       synonyms_new(f->analyser, NULL, &f->synonyms, NULL);
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	synonyms_unref(f->synonyms);
	analyser_free(f->analyser);
	free(f);
	return 0;
}

/* What the registers would say. */
static int resolve(void *arg, enum search_field field, const char *value,
    int (*each)(void *to, const char *id), void *to)
{
	static const struct {
		enum search_field field;
		const char *value, *ids[3];
	} known[] = {
	    {FIELD_UNIT, "koivula", {"koivula-1", "koivula-2"}},
	    {FIELD_UNIT, "koivulan perhekoti", {"koivula-1"}},
	    {FIELD_TYPE, "päätös", {"decision"}},
	    {FIELD_TYPE, "beslut", {"decision"}},
	    {FIELD_TYPE, "lausunto", {"statement"}},
	    {FIELD_TYPE, "report", {"report"}},
	    {FIELD_CASE, "lvv 1234/2026", {"c1"}},
	    {FIELD_CASE, "esavi/567/2023", {"c2"}},
	    {FIELD_COUNTY, "pirkanmaa", {"06"}},
	    {FIELD_MUNICIPALITY, "tampere", {"837"}},
	    {FIELD_AUTHOR, "lvv", {"org-lvv"}},
	};
	char lower[ANALYSE_WORD_MAX + 1];
	size_t i, j;
	int r = 0;

	(void)arg;
	words_lower(lower, value, strlen(value));
	for (i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		for (j = 0; !r && known[i].field == field && !strcmp(known[i].value, lower) &&
			    j < 3 && known[i].ids[j];
		     j++)
			r = each(to, known[i].ids[j]);
	return r;
}

static const struct search_names registers = {NULL, resolve};
static const struct query_config plain = {.names = &registers};

/* ---- a tree as text ---- */

static void show_words(const struct query_node *n, struct buf *out)
{
	size_t i;

	for (i = 0; i < n->terms_len; i++)
		buf_addf(out, "%s%s", i ? " " : "", n->terms[i].text);
}

static void show_values(const struct query_node *n, struct buf *out)
{
	size_t i;

	buf_addf(out, "%s=", query_field_name(n->field));
	for (i = 0; i < n->values_len; i++)
		buf_addf(out, "%s%s", i ? "," : "", n->values[i]);
	if (n->field == FIELD_TITLE && !n->terms_len)
		buf_adds(out, "?");
}

static void show(const struct query_node *n, struct buf *out);

static void show_also(const struct query_node *n, struct buf *out)
{
	size_t i;

	for (i = 0; i < n->also_len; i++) {
		if (n->also[i].joined) /* any two words have that: it would drown the rest */
			continue;
		buf_addf(out, "{%s: ", n->also[i].because);
		show(n->also[i].node, out);
		buf_adds(out, "}");
	}
}

static void show_children(const struct query_node *n, const char *open, struct buf *out)
{
	size_t i;

	buf_adds(out, open);
	for (i = 0; i < n->children_len; i++) {
		const struct query_node *c = n->children[i];

		buf_adds(out, i ? " " : "");
		if (n->kind == QUERY_LIST)
			buf_adds(out, c->occur == QUERY_MUST       ? "+"
				      : c->occur == QUERY_MUST_NOT ? "-"
								   : "");
		show(c, out);
	}
	buf_adds(out, n->kind == QUERY_LIST ? "]" : ")");
}

static void show(const struct query_node *n, struct buf *out)
{
	switch (n->kind) {
	case QUERY_WORD:
		buf_adds(out, n->terms[0].text);
		show_also(n, out);
		break;
	case QUERY_PHRASE:
		buf_adds(out, "\"");
		show_words(n, out);
		buf_adds(out, "\"");
		break;
	case QUERY_WILDCARD:
		buf_addf(out, "%s*", n->terms[0].text);
		break;
	case QUERY_FIELD:
		show_values(n, out);
		break;
	case QUERY_DATES:
		buf_addf(out, "%s..%s", n->date_from, n->date_to);
		break;
	case QUERY_ANY_FORM:
		show_children(n, "~(", out);
		break;
	case QUERY_LIST:
		show_children(n, "[", out);
		break;
	case QUERY_ALL:
		show_children(n, "&(", out);
		break;
	case QUERY_ONE_OF:
		show_children(n, "|(", out);
		break;
	}
}

static const char *const note_names[] = {
    [NOTE_UNCLOSED_QUOTE] = "quote",
    [NOTE_UNCLOSED_PAREN] = "paren",
    [NOTE_STRAY_PAREN] = "stray",
    [NOTE_BARE_OPERATOR] = "bare",
    [NOTE_UNKNOWN_FIELD] = "field",
    [NOTE_UNKNOWN_VALUE] = "value",
    [NOTE_BAD_DATE] = "date",
    [NOTE_SHORT_WILDCARD] = "short",
    [NOTE_WILDCARD_CUT] = "cut",
    [NOTE_ONLY_EXCLUDED] = "excluded",
    [NOTE_TOO_DEEP] = "deep",
    [NOTE_TOO_MANY_WORDS] = "words",
    [NOTE_TOO_MANY_OPERATORS] = "operators",
};

/* The tree, and each note as "!kind(what it is about)". */
static void read_as(
    const struct fixture *f, const char *q, const struct query_config *config, struct buf *out)
{
	struct query *query = NULL;
	size_t i;

	assert_int_equal(query_parse(f->analyser, q, config, &query, NULL), 0);
	if (query->root)
		show(query->root, out);
	for (i = 0; i < query->notes_len; i++) {
		const struct search_note *n = &query->notes[i];

		assert_true(n->from + n->len <= strlen(q));
		buf_addf(out, " !%s(%.*s)", note_names[n->kind], (int)n->len, q + n->from);
	}
	buf_addc(out, '\0');
	query_free(query);
}

static void written(
    const struct fixture *f, const char *q, const struct query_config *config, struct buf *out)
{
	struct query *query = NULL;

	assert_int_equal(query_parse(f->analyser, q, config, &query, NULL), 0);
	assert_int_equal(query_write(q, query, out, NULL), 0);
	buf_addc(out, '\0');
	query_free(query);
}

struct row {
	const char *q, *tree, *text; /* text NULL: the same as q */
};

static void check(const struct fixture *f, const struct query_config *config, const struct row *row)
{
	struct buf tree = BUF_INIT, text = BUF_INIT, again = BUF_INIT;
	const char *want = row->text ? row->text : row->q;

	read_as(f, row->q, config, &tree);
	written(f, row->q, config, &text);
	written(f, text.data, config, &again);
	if (strcmp(tree.data, row->tree) != 0)
		fail_msg("‘%s’ is read as %s, not %s", row->q, tree.data, row->tree);
	if (strcmp(text.data, want) != 0)
		fail_msg("‘%s’ is written %s, not %s", row->q, text.data, want);
	assert_string_equal(again.data, text.data);
	buf_free(&tree);
	buf_free(&text);
	buf_free(&again);
}

#define CHECK(config, ...)                                                                         \
	do {                                                                                       \
		static const struct row rows[] = {__VA_ARGS__};                                    \
		size_t row_;                                                                       \
		for (row_ = 0; row_ < sizeof(rows) / sizeof(rows[0]); row_++)                      \
			check(*state, config, &rows[row_]);                                        \
	} while (0)

static void test_query__words_are_a_list(void **state)
{
	CHECK(&plain, {"lapsen Etu", "[lapsen etu]", NULL}, {"lapsi", "[lapsi]", NULL},
	    {"  lapsi,etu\n", "[lapsi etu]", "lapsi etu"}, {"", "", ""}, {" \t, . ()", "", ""},
	    {"lasten-suojelu", "[lasten-suojelu]", NULL},
	    {"lapsi LAPSI etu", "[lapsi etu]", "lapsi etu"},
	    {"LVV:n ja AVIn", "[lvv ja avin]", "LVV ja AVIn"},
	    {"lapsi\xff\xfe"
	     "etu",
		"[lapsi etu]", "lapsi etu"});
}

static void test_query__quotations_are_phrases(void **state)
{
	CHECK(&plain, {"\"lapsen etu\"", "[\"lapsen etu\"]", NULL},
	    {"”lapsen etu” «tai»", "[\"lapsen etu\" \"tai\"]", "\"lapsen etu\" \"tai\""},
	    {"\"lapsen, etu AND\" x", "[\"lapsen etu and\" x]", "\"lapsen etu AND\" x"},
	    {"\"rajoit* (x)\"", "[\"rajoit x\"]", "\"rajoit x\""},
	    {"\"\" lapsi", "[lapsi]", "lapsi"},
	    {"lapsi \"etu -on", "[lapsi etu -on] !quote(\"etu -on)", "lapsi etu -on"},
	    {"-\"etu on", "[-etu on] !quote(\"etu on)", "-etu on"},
	    {"lapsi\"etu\"", "[lapsi \"etu\"]", "lapsi \"etu\""});
}

static void test_query__plus_and_minus_stand_before_an_item(void **state)
{
	CHECK(&plain, {"+lapsi -etu", "[+lapsi -etu]", NULL}, {"10-12", "[\"10 12\"]", NULL},
	    {"a - b + c", "[a b c]", "a b c"}, {"a-b", "[a-b]", NULL},
	    {"-(a b)", "[-[a b]] !excluded(a b)", "-(a b)"}, {"a -\"b c\"", "[a -\"b c\"]", NULL},
	    {"x +a/b", "[x +a +b]", "x +a +b"}, {"+a", "[a]", "a"}, {"a +a", "[a +a]", NULL},
	    {"+-a", "[a]", "a"}, {"\"a\"-b", "[\"a\" b]", "\"a\" b"}, {"a –b", "[a b]", "a b"});
}

static void test_query__operators_in_three_languages(void **state)
{
	CHECK(&plain, {"a AND b", "&(a b)", NULL}, {"a b AND c", "&([a b] c)", "(a b) AND c"},
	    {"a OR b AND c", "|(a &(b c))", "a OR (b AND c)"},
	    {"(a OR b) AND c", "&(|(a b) c)", NULL}, {"a AND NOT b", "&(a [-b])", "a AND -b"},
	    {"a NOT b", "[a -b]", "a -b"}, {"a EI b", "[a -b]", "a -b"},
	    {"a JA b TAI c", "|(&(a b) c)", "(a AND b) OR c"},
	    {"a OCH b ELLER c INTE d", "|(&(a b) [c -d])", "(a AND b) OR (c -d)"},
	    {"A JA B", "[a ja b]", "A ja B"}, {"A AND B", "&(a b)", NULL},
	    {"a and b or not c", "[a and b or not c]", NULL}, {"x (a AND b)", "[x &(a b)]", NULL},
	    {"a (b (c))", "[a [b c]]", "a (b c)"}, {"((a b))", "[a b]", "a b"},
	    {"x (-a)", "[x [-a]] !excluded(a)", "x (-a)"}, {"(a AND b) AND c", "&(&(a b) c)", NULL},
	    {"a NOT (b OR c)", "[a -|(b c)]", "a -(b OR c)"});
}

static void test_query__what_makes_no_sense_is_words(void **state)
{
	CHECK(&plain, {"a AND", "[a and] !bare(AND)", "a and"},
	    {"AND a", "[and a] !bare(AND)", "and a"},
	    {"a AND OR b", "|([a and] b) !bare(AND)", "(a and) OR b"},
	    {"a OR ()", "[a or] !bare(OR)", "a or"}, {"a AND \"\"", "[a and] !bare(AND)", "a and"},
	    {"NOT", "[not] !bare(NOT)", "not"}, {"NOT NOT a", "[not -a] !bare(NOT)", "not -a"},
	    {"(a AND", "[a and] !paren(() !bare(AND)", "a and"}, {"a) b", "[a b] !stray())", "a b"},
	    {"(a b", "[a b] !paren(()", "a b"}, {"-a", "[-a] !excluded(a)", NULL},
	    {"-a OR b", "|([-a] b) !excluded(a)", NULL}, {"-AND", "[-and] !excluded(AND)", "-and"});
}

static void test_query__wildcards_have_three_letters(void **state)
{
	CHECK(&plain, {"Rajoit*", "[rajoit*]", NULL}, {"ra*", "[ra] !short(ra*)", "ra"},
	    {"yö*", "[yö] !short(yö*)", "yö"}, {"raja*, etu", "[raja* etu]", "raja* etu"},
	    {"+rajoit*", "[rajoit*]", "rajoit*"}, {"a -lasten-suo*", "[a -lasten-suo*]", NULL},
	    {"raj*us", "[raj us]", "raj us"}, {"*raja", "[raja]", "raja"});
}

static void test_query__fields_are_filters(void **state)
{
	CHECK(&plain,
	    {"eristys yksikkö:Koivula", "[eristys +unit=koivula-1,koivula-2]",
		"eristys unit:Koivula"},
	    {"UNIT:\"Koivulan perhekoti\"", "[+unit=koivula-1]", "unit:\"Koivulan perhekoti\""},
	    {"enhet:”Koivulan perhekoti”.", "[+unit=koivula-1]", "unit:\"Koivulan perhekoti\""},
	    {"laji:(päätös, lausunto)", "[+type=decision,statement]", "type:(päätös lausunto)"},
	    {"laji:(päätös OR beslut)", "[+type=decision]", "type:(päätös beslut)"},
	    {"-laji:päätös a", "[-type=decision a]", "-type:päätös a"},
	    {"+laji:päätös", "[+type=decision]", "type:päätös"},
	    {"a OR laji:päätös.", "|(a type=decision)", "a OR type:päätös"},
	    {"kieli:ruotsi", "[+language=sv]", "language:ruotsi"},
	    {"julkisuus:\"osittain salainen\"", "[+publicity=partly-secret]",
		"publicity:\"osittain salainen\""},
	    {"kunta:Tampere alue:Pirkanmaa", "[+municipality=837 +county=06]",
		"municipality:Tampere county:Pirkanmaa"},
	    {"laatija:LVV", "[+author=org-lvv]", "author:LVV"},
	    {"diaari:ESAVI/567/2023", "[+case=c2]", "case:ESAVI/567/2023"},
	    {"otsikko:eristäminen", "[+title=eristäminen]", "title:eristäminen"},
	    {"rubrik:\"a b\" c", "[+&(title=a title=b) c]", "title:\"a b\" c"},
	    {"title:(a b)", "[+|(title=a title=b)]", NULL}, {"title:(a)", "[+title=a]", "title:a"});
}

static void test_query__years_and_dates_are_ranges(void **state)
{
	CHECK(&plain, {"vuosi:2023", "[+year=2023]", "year:2023"},
	    {"år:2022..2024", "[+year=2022,2023,2024]", "year:2022..2024"},
	    {"year:2022..", "[+2022-01-01..]", NULL},
	    {"päivä:2023..2024", "[+2023-01-01..2024-12-31]", "date:2023..2024"},
	    {"pvm:>=1.3.2024", "[+2024-03-01..]", "date:>=1.3.2024"},
	    {"date:>2024-02", "[+2024-03-01..]", NULL}, {"date:<1.3.2024", "[+..2024-02-29]", NULL},
	    {"date:2024-03", "[+2024-03-01..2024-03-31]", NULL},
	    {"date:2.2023–4.2023", "[+2023-02-01..2023-04-30]", NULL},
	    {"date:2024-2023", "[+2023-01-01..2024-12-31]", NULL},
	    {"datum:..12.3.2024", "[+..2024-03-12]", "date:..12.3.2024"},
	    {"date:(2021 2023)", "[+|(2021-01-01..2021-12-31 2023-01-01..2023-12-31)]", NULL},
	    {"päivä:30.2.2024", "[\"30 2 2024\"] !date(30.2.2024)", "30.2.2024"},
	    {"date:eilen", "[eilen] !date(eilen)", "eilen"});
}

static void test_query__unknown_fields_and_values_are_words(void **state)
{
	CHECK(&plain,
	    {"http://arkki.example/x", "[http arkki example x] !field(http://arkki.example/x)",
		"http arkki example x"},
	    {"klo 12:30", "[klo \"12 30\"]", NULL},
	    {"LVV:n EI:kä", "[lvv ei kä] !field(EI:kä)", "LVV ei kä"},
	    {"yksikkö:Haavisto", "[haavisto] !value(Haavisto)", "Haavisto"},
	    {"-yksikkö:\"Haaviston koti\" x", "[-\"haaviston koti\" x] !value(Haaviston koti)",
		"-\"Haaviston koti\" x"},
	    {"laji:(päätös, vitsi) x", "[vitsi +type=decision x] !value(vitsi)",
		"vitsi type:päätös x"},
	    {"yksikkö: Koivula", "[yksikkö koivula]", "yksikkö Koivula"}, {"foo:", "[foo]", "foo"},
	    {"unit:AND", "[and] !value(AND)", "and"},
	    {"foo:\"bar\"", "[foo \"bar\"]", "foo \"bar\""},
	    {"laji:(päätös", "[+type=decision] !paren(laji:(päätös)", "type:päätös"},
	    {"laji:() x", "[x]", "x"}, {"unit:\xff", " !value(\xff)", ""});
}

static void test_query__without_registers_fields_take_ids(void **state)
{
	CHECK(&((const struct query_config){0}), {"unit:Koivula-1", "[+unit=koivula-1]", NULL},
	    {"yksikkö:\"Koivulan koti\"", "[\"koivulan koti\"] !value(Koivulan koti)",
		"\"Koivulan koti\""});
}

static void test_query__numbers_are_phrases(void **state)
{
	CHECK(&plain, {"EOAK/1234/2023", "[\"eoak 1234 2023\"]", NULL},
	    {"59§:ssä", "[\"59 §\"]", "59 §"},
	    {"ESAVI/567/2023", "[~(\"esavi 567 2023\" case=c2)]", NULL},
	    {"ESAVI/567/07.01/2023,", "[~(\"esavi 567 07 01 2023\" \"esavi 567 2023\")]",
		"ESAVI/567/07.01/2023"},
	    {"LVV 1234/2026 x", "[~(\"lvv 1234 2026\" \"1234 2026\" case=c1) x]", NULL},
	    {"LVV 1235/2026", "[~(\"lvv 1235 2026\" \"1235 2026\")]", NULL},
	    {"417/2007 65 §", "[\"417 2007\" \"65 §\"]", NULL},
	    {"65 § 417/2007", "[\"65 §\" \"417 2007\"]", NULL},
	    {"LSL 65 a §:n", "[lsl \"65 a §\"]", "LSL 65 a §"},
	    {"lastensuojelulain 65\xC2\xA0§", "[lastensuojelulain \"65 §\"]",
		"lastensuojelulain 65 §"},
	    {"-65 § x", "[-\"65 §\" x]", NULL}, {"§ 65", "[\"§ 65\"]", NULL},
	    {"*65§ *title:65", "[\"65 §\" \"title 65\"]", "\"65 §\" \"title 65\""},
	    {"x 65 (§)", "[x 65 §]", "x 65, §"},
	    {"+AND 1/2024", "[+and \"1 2024\"]", "+and 1/2024"});
}

static void test_query__a_date_has_its_writings(void **state)
{
	static const char tree[] =
	    "[~(\"5 3 2024\" \"05 03 2024\" \"2024 03 05\" \"5 maaliskuuta 2024\""
	    " \"5 mars 2024\" \"5 march 2024\" \"march 5 2024\")]";
	static const char *const typed[] = {"5.3.2024", "05.03.2024", "2024-03-05",
	    "5. maaliskuuta 2024", "5 mars 2024", "5 March 2024"};
	size_t i;

	for (i = 0; i < sizeof(typed) / sizeof(typed[0]); i++)
		check(*state, &plain, &(struct row){typed[i], tree, NULL});
	CHECK(&plain, {"32.3.2024", "[\"32 3 2024\"]", NULL},
	    {"30. helmikuuta 2024", "[30 helmikuuta 2024]", "30 helmikuuta 2024"});
}

static void test_query__other_words_stand_by_what_was_typed(void **state)
{
	const struct fixture *f = *state;
	const struct query_config config = {.synonyms = f->synonyms};
	static const char *const with[] = {
	    "sijaishuollossa", "+sijaishuollossa x", "x (y AND sijaishuollossa)"};
	static const char *const without[] = {"\"sijaishuollossa\"", "-sijaishuollossa x",
	    "x -(y sijaishuollossa)", "otsikko:sijaishuollossa", "x +vård +utom +hemmet"};
	struct buf tree = BUF_INIT;
	size_t i;

	for (i = 0; i < sizeof(with) / sizeof(with[0]); i++) {
		read_as(f, with[i], &config, &tree);
		if (!strstr(tree.data, "sijaishuollossa{") ||
		    !strstr(tree.data, "{vård utom hemmet: &(vård utom hemmet)}"))
			fail_msg("‘%s’ is read as %s", with[i], tree.data);
		buf_clear(&tree);
	}
	for (i = 0; i < sizeof(without) / sizeof(without[0]); i++) {
		read_as(f, without[i], &config, &tree);
		if (strstr(tree.data, "sijaishuolto:") || strstr(tree.data, "{vård utom hemmet: "))
			fail_msg("‘%s’ is read as %s", without[i], tree.data);
		buf_clear(&tree);
	}
	read_as(f, "vård utom hemmet", &config, &tree);
	assert_non_null(strstr(tree.data, "[vård{sijaishuolto: sijaishuolto}"));
	buf_clear(&tree);
	read_as(f, "vård utom hemmet",
	    &(struct query_config){.synonyms = f->synonyms, .language = "sv"}, &tree);
	assert_null(strstr(tree.data, "sijaishuolto"));
	buf_free(&tree);
}

static int list_word(void *arg, const struct query_node *node, const char *because)
{
	struct buf *out = arg;

	buf_addf(out, "%s%s:", out->len ? " " : "", because ? because : "");
	show_words(&(struct query_node){.terms = node->terms,
		       .terms_len = node->kind == QUERY_PHRASE ? node->terms_len : 1},
	    out);
	return strcmp(node->terms[0].text, "stop") ? 0 : 7;
}

static void test_query__each_word_in_the_order_typed(void **state)
{
	const struct fixture *f = *state;
	struct query *query;
	struct buf out = BUF_INIT;

	assert_int_equal(query_parse(f->analyser,
			     "a (\"b c\" OR +raj*) -d -(e f) title:g 65 § sijaishuolto stop h",
			     &(struct query_config){.synonyms = f->synonyms}, &query, NULL),
	    0);
	assert_int_equal(query_each_word(query, list_word, &out), 7);
	assert_non_null(strstr(out.data, ":a :b c :raj :65 § :sijaishuolto "));
	assert_non_null(strstr(out.data, "vård utom hemmet:hemmet"));
	assert_non_null(strstr(out.data, " :stop"));
	assert_null(strstr(out.data, " :h"));
	assert_null(strstr(out.data, " :g"));
	assert_null(strstr(out.data, " :d"));
	assert_null(strstr(out.data, " :e"));
	buf_free(&out);
	query_free(query);
}

/* ---- bounds ---- */

static void test_query__places_are_those_of_the_text(void **state)
{
	const struct fixture *f = *state;
	static const char q[] = "ä (b AND \"c d\") laji:päätös 65  §";
	struct query *query;
	const struct query_node *n;

	assert_int_equal(query_parse(f->analyser, q, &plain, &query, NULL), 0);
	n = query->root;
	assert_int_equal(n->children_len, 4);
	assert_memory_equal(q + n->children[0]->from, "ä", n->children[0]->len);
	assert_memory_equal(q + n->children[1]->from, "b AND \"c d", n->children[1]->len);
	assert_memory_equal(q + n->children[2]->from, "laji:päätös", n->children[2]->len);
	assert_memory_equal(q + n->children[3]->from, "65  §", n->children[3]->len);
	query_free(query);
}

static void repeat(struct buf *b, const char *what, size_t times)
{
	while (times--)
		buf_adds(b, what);
}

static void test_query__bounds_hold(void **state)
{
	const struct fixture *f = *state;
	static const char *const pieces[] = {"(", ")", "a AND ", "a OR (", "+a ", "-", "NOT ", "\"",
	    "\"a\" ", "title:(", "title:a ", "date:2024..", "unit:\"", "§", "5 § ", "a:", "*",
	    "abc* ", "\xff", "/", "1/", "LVV 1/2024 ", ", ", "-(", "5. maaliskuuta 2024 ", "a/b-",
	    "\xCC\x88", "\xE2\x80"};
	struct query *query = NULL;
	struct buf b = BUF_INIT, first = BUF_INIT, second = BUF_INIT;
	clock_t began = clock();
	size_t i;

	for (i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
		buf_clear(&b);
		repeat(&b, pieces[i], SEARCH_QUERY_MAX / strlen(pieces[i]));
		assert_int_equal(query_parse(f->analyser, b.data, &plain, &query, NULL), 0);
		assert_true(query->words <= SEARCH_WORDS_MAX);
		query_free(query);
		buf_clear(&first);
		buf_clear(&second);
		written(f, b.data, &plain, &first);
		if (strlen(first.data) <= SEARCH_QUERY_MAX) {
			written(f, first.data, &plain, &second);
			assert_string_equal(second.data, first.data);
		}
	}
	/* 28 of 16 KiB, each read four times: none takes long */
	assert_true((clock() - began) / CLOCKS_PER_SEC < 20);
	repeat(&b, "a AND ", 10000);
	assert_int_equal(query_parse(f->analyser, b.data, &plain, &query, NULL), ARK_EINPUT);
	buf_free(&b);
	buf_free(&first);
	buf_free(&second);
}

/* The parentheses that could be left out are, where they would be too deep to be read. */
static void test_query__written_is_never_too_deep(void **state)
{
	const struct fixture *f = *state;
	struct buf b = BUF_INIT, first = BUF_INIT, second = BUF_INIT;

	repeat(&b, "x (", QUERY_DEPTH_MAX - 1);
	buf_adds(&b, "a b AND c");
	written(f, b.data, &plain, &first);
	assert_non_null(strstr(first.data, "x ((a b) AND c)"));
	buf_clear(&b);
	buf_clear(&first);
	repeat(&b, "x (", QUERY_DEPTH_MAX);
	buf_adds(&b, "a b AND c");
	written(f, b.data, &plain, &first);
	written(f, first.data, &plain, &second);
	assert_non_null(strstr(first.data, "x (a b AND c)"));
	assert_string_equal(second.data, first.data);
	buf_free(&b);
	buf_free(&first);
	buf_free(&second);
}

static void test_query__too_much_is_told(void **state)
{
	const struct fixture *f = *state;
	struct buf b = BUF_INIT, tree = BUF_INIT;
	size_t i;

	repeat(&b, "(", 17);
	buf_adds(&b, "a AND b");
	repeat(&b, ")", 17);
	check(f, &plain, &(struct row){b.data, "&(a b) !deep(()", "a AND b"});
	buf_clear(&b);
	for (i = 0; i < 300; i++)
		buf_addf(&b, "+w%zu ", i);
	read_as(f, b.data, &plain, &tree);
	assert_non_null(strstr(tree.data, "!words(w256)"));
	assert_null(strstr(tree.data, " +w256 "));
	buf_clear(&b);
	buf_clear(&tree);
	for (i = 0; i < 100; i++)
		buf_addf(&b, "+v%zu AND NOT u%zu AND ", i, i);
	read_as(f, b.data, &plain, &tree);
	assert_non_null(strstr(tree.data, "!operators("));
	buf_free(&b);
	buf_free(&tree);
}

/* ---- what is written is read as the same ---- */

static void random_query(unsigned int *seed, char *out, size_t room)
{
	static const char *const pieces[] = {" ", " ", " ", " ", "(", ")", "(", ")", "\"", "”", "+",
	    "-", "AND", "OR", "NOT", "JA", "EI", "ELLER", "a", "bb", "Lapsi", "LVV", "LVV 1/2024",
	    "65", "§", "65 §", "12", "5.3.2024", "maaliskuuta", "2024", "12. maaliskuuta 2024",
	    "ESAVI/567/2023", "ESAVI/1/07.01/2024", "laji:", "päätös", "laji:(päätös beslut)",
	    "type:(päätös ", "unit:Koivula", "title:", "title:\"a b\"", "date:", "2023..2024",
	    "date:(2021 2022)", "rajoit*", "*", "*", ",", ".", ":", ":n", "/", "\xff", "\xC2\xA0",
	    "\xC2\xAD", "a\xCC\x88", "foo:bar", "-(", " AND ", " OR ", " -", "x\x01y", "İ", "..",
	    ">="};
	size_t n = 0, want = 1 + (size_t)(rand_r(seed) % 24);

	while (want--) {
		const char *p = pieces[(size_t)rand_r(seed) % (sizeof(pieces) / sizeof(pieces[0]))];

		if (n + strlen(p) + 2 > room)
			break;
		memcpy(out + n, p, strlen(p));
		n += strlen(p);
		if (rand_r(seed) % 3 == 0)
			out[n++] = ' ';
	}
	out[n] = '\0';
}

static void tree_of(const struct fixture *f, const char *q, struct buf *out)
{
	read_as(f, q, &plain, out);
	if (strstr(out->data, " !"))
		*strstr(out->data, " !") = '\0';
}

/* The compounds that are looked for beside the words of the query. */
static void joined(const struct fixture *f, const char *q, struct buf *out)
{
	struct query *query = NULL;
	size_t i, k, t;

	assert_int_equal(query_parse(f->analyser, q, &plain, &query, NULL), 0);
	for (i = 0; query->root && i < query->root->children_len; i++)
		for (k = 0; k < query->root->children[i]->also_len; k++) {
			const struct query_also *also = &query->root->children[i]->also[k];

			assert_true(also->joined);
			for (t = 0; t < also->node->terms_len; t++)
				assert_int_not_equal(also->node->terms[t].kind, ANALYSE_PART);
			buf_addf(out, "%s ", also->because);
		}
	buf_addc(out, '\0');
	query_free(query);
}

static void test_query__words_apart_are_a_compound_too(void **state)
{
	static const struct {
		const char *q, *joined;
	} rows[] = {
	    {"lapsi suojelu", "lapsisuojelu lapsensuojelu lastensuojelu lapsiensuojelu "},
	    {"Lapsi Suojelusta",
		"lapsisuojelusta lapsensuojelusta lastensuojelusta lapsiensuojelusta "},
	    {"yksikkö valvonta",
		"yksikkövalvonta yksikönvalvonta yksikköjenvalvonta yksiköidenvalvonta "},
	    {"nainen suojelu", "nainensuojelu naissuojelu naisensuojelu naistensuojelu "},
	    {"kunta vero", "kuntavero kunnanvero kuntienvero "},
	    {"oikeus turva", "oikeusturva oikeudenturva oikeuksienturva "},
	    {"perhe hoito", "perhehoito perheenhoito perheidenhoito "},
	    {"puhelin numero", "puhelinnumero puhelimennumero "},
	    {"tillsyn plan", "tillsynplan tillsynsplan "},
	    {"kvinna jour", "kvinnajour kvinnasjour kvinnjour kvinnojour kvinnujour "},
	    {"a b c d", ""},
	    {"lupa 2024 hakemus", ""},
	    {"+poikkeus lupa", ""},
	    {"poikkeus -lupa hakemus", ""},
	    {"poikkeus AND lupa", ""},
	    {"\"poikkeus lupa\" hakemus", ""},
	};
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct buf out = BUF_INIT;

		joined(*state, rows[i].q, &out);
		if (strcmp(out.data, rows[i].joined) != 0)
			fail_msg("%s: %s", rows[i].q, out.data);
		buf_free(&out);
	}
}

static void test_query__written_is_read_as_the_same(void **state)
{
	const struct fixture *f = *state;
	struct buf first = BUF_INIT, second = BUF_INIT, tree = BUF_INIT, again = BUF_INIT;
	unsigned int seed = 20240312;
	char q[600];
	int i;

	for (i = 0; i < 4000; i++) {
		buf_clear(&first);
		buf_clear(&second);
		buf_clear(&tree);
		buf_clear(&again);
		random_query(&seed, q, sizeof(q));
		written(f, q, &plain, &first);
		written(f, first.data, &plain, &second);
		if (strcmp(first.data, second.data) != 0)
			fail_msg("‘%s’ is written ‘%s’, that ‘%s’", q, first.data, second.data);
		if (!utf8_valid(first.data, strlen(first.data)))
			fail_msg("‘%s’ is written ‘%s’", q, first.data);
		tree_of(f, q, &tree);
		tree_of(f, first.data, &again);
		if (strcmp(tree.data, again.data) != 0)
			fail_msg("‘%s’ is %s; written ‘%s’ it is %s", q, tree.data, first.data,
			    again.data);
	}
	buf_free(&first);
	buf_free(&second);
	buf_free(&tree);
	buf_free(&again);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_query__words_are_a_list),
	    cmocka_unit_test(test_query__quotations_are_phrases),
	    cmocka_unit_test(test_query__plus_and_minus_stand_before_an_item),
	    cmocka_unit_test(test_query__operators_in_three_languages),
	    cmocka_unit_test(test_query__what_makes_no_sense_is_words),
	    cmocka_unit_test(test_query__wildcards_have_three_letters),
	    cmocka_unit_test(test_query__fields_are_filters),
	    cmocka_unit_test(test_query__years_and_dates_are_ranges),
	    cmocka_unit_test(test_query__unknown_fields_and_values_are_words),
	    cmocka_unit_test(test_query__without_registers_fields_take_ids),
	    cmocka_unit_test(test_query__numbers_are_phrases),
	    cmocka_unit_test(test_query__a_date_has_its_writings),
	    cmocka_unit_test(test_query__other_words_stand_by_what_was_typed),
	    cmocka_unit_test(test_query__each_word_in_the_order_typed),
	    cmocka_unit_test(test_query__places_are_those_of_the_text),
	    cmocka_unit_test(test_query__bounds_hold),
	    cmocka_unit_test(test_query__written_is_never_too_deep),
	    cmocka_unit_test(test_query__too_much_is_told),
	    cmocka_unit_test(test_query__words_apart_are_a_compound_too),
	    cmocka_unit_test(test_query__written_is_read_as_the_same),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
