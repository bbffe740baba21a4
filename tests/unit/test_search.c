/* What is found of words and phrases, in which order and on which page, and which version of a document is
 * the hit. All texts are made up. */
#include "tests/unit/search_papers.h"

#include "index/query.h"

/* ---- small filters, as a policy would give them ---- */
static struct access_filter has(enum access_attribute attribute, const char *value)
{
	return (struct access_filter){
	    .op = ACCESS_OP_HAS, .attribute = attribute, .value = (char *)(uintptr_t)value};
}

/* As one whom it lets see versions whole or not at all. */
#define SEES(filter) (&(const struct access_sight){&(filter), &(filter)})

#define PUBLIC has(ACCESS_ATTR_PUBLICITY, "public")

static void test_search__other_inflections_and_parts_of_compounds_are_found(void **state)
{
	struct index_fixture *f = *state;

	put(f, (struct paper){.n = 1, .text = "Kertomus sijaishuoltopaikoista."});
	put(f, (struct paper){.n = 2, .text = "Päätös lapsen huostaanotosta."});
	put(f, (struct paper){
		   .n = 3, .language = "sv", .text = "Barnen har rätt att bo hos sina föräldrar."});
	commit(f, 1);
	FOUND(f, "1: 1.1", .q = "sijaishuoltopaikka");
	FOUND(f, "1: 1.1", .q = "sijaishuollon");
	FOUND(f, "1: 1.1", .q = "huolto");
	FOUND(f, "1: 1.1", .q = "paikkoja");
	FOUND(f, "1: 2.1", .q = "huostaanotto");
	FOUND(f, "1: 3.1", .q = "barn");
	FOUND(f, "1: 3.1", .q = "barnets", .language = "sv");
	FOUND(f, "0:", .q = "tarkastus");
	FOUND(f, "2: 2.1 1.1", .q = "huostaanotto lapsi päätös kertomus");
}

static void test_search__compound_finds_its_parts_below_itself(void **state)
{
	struct index_fixture *f = *state;

	put(f, (struct paper){.n = 1, .text = "Huolto on järjestetty hyvin."});
	put(f, (struct paper){.n = 2, .text = "Sijaishuolto on järjestetty hyvin."});
	put(f, (struct paper){.n = 3, .text = "Muusta asiasta on sovittu hyvin."});
	commit(f, 1);
	FOUND(f, "2: 2.1 1.1", .q = "sijaishuolto");
}

static void test_search__compound_typed_apart_is_found_first(void **state)
{
	struct index_fixture *f = *state;

	put(f, (struct paper){.n = 1, .text = "Poikkeuslupa myönnettiin."});
	put(f, (struct paper){.n = 2, .text = "Poikkeusoloissa rakennuslupa, poikkeus ja lupa."});
	put(f, (struct paper){.n = 3, .text = "Muusta asiasta on sovittu hyvin."});
	commit(f, 1);
	FOUND(f, "2: 1.1 2.1", .q = "poikkeus lupa");
	FOUND(f, "2: 2.1 1.1", .q = "poikkeus, 2024 lupa");
}

static void test_search__title_counts_more(void **state)
{
	struct index_fixture *f = *state;

	put(f, (struct paper){.n = 1, .title = "Muistio", .text = "Lääkehoito tarkastettiin."});
	put(f, (struct paper){.n = 2, .title = "Lääkehoito", .text = "Muistio tarkastettiin."});
	commit(f, 1);
	FOUND(f, "2: 2.1 1.1", .q = "lääkehoitoa");
}

static void test_search__phrases_are_exact(void **state)
{
	struct index_fixture *f = *state;

	put(f,
	    (struct paper){.n = 1, .text = "Diaarinumero ESAVI/567/2023. Lapsen etu on tärkein."});
	put(f, (struct paper){.n = 2, .text = "Diaarinumero ESAVI/2023/567. Etu on lapsen."});
	commit(f, 1);
	FOUND(f, "1: 1.1", .q = "\"lapsen etu\"");
	FOUND(f, "1: 1.1", .q = "“Lapsen  etu”");
	FOUND(f, "1: 1.1", .q = "ESAVI/567/2023");
	FOUND(f, "1: 1.1", .q = "esavi/567/2023:n");
	FOUND(f, "0:", .q = "\"lapsien etu\"");
	FOUND(f, "2: 2.1 1.1", .q = "lapsien etu");
	put(f, (struct paper){.n = 3, .title = "Päätös lapsen", .text = "Etu on turvattava."});
	commit(f, 2);
	FOUND(f, "1: 1.1", .q = "\"lapsen etu\"");
	FOUND(f, "1: 3.1", .q = "\"päätös lapsen\"");
}

static void test_search__a_prepared_text_is_found_as_any(void **state)
{
	static const char text[] =
	    "Yksikön henkilökunta kertoi käynnillä, että lasten kanssa keskustellaan viikoittain. "
	    "Tarkastajat kuulivat kahta lasta, jotka pitivät ruokaa hyvänä ja huoneita "
	    "viihtyisinä. "
	    "Eristämistilaa ei ole käytetty keväällä";
	struct index_fixture *f = *state;
	struct search_result r;

	put(f, (struct paper){.n = 1, .title = "kuultu", .text = text});
	put(f, (struct paper){.n = 2, .title = "kuultu", .text = text, .prepared = true});
	commit(f, 1);
	FOUND(f, "2: 2.1 1.1", .q = "eristäminen");
	FOUND(f, "2: 2.1 1.1", .q = "\"käytetty keväällä\"");
	FOUND(f, "2: 2.1 1.1", .q = "otsikko:kuultu");
	/* the title stands apart from the text */
	FOUND(f, "0:", .q = "\"keväällä kuultu\"");
	FOUND(f, "0:", .q = "\"kuultu yksikön\"");
	assert_int_equal(
	    search_query(f->reader,
		&(struct search_request){
		    .q = "lasten", .sight = &sees_everything, .limit = 9, .group = true},
		&r, NULL),
	    0);
	assert_int_equal(r.hits_len, 1);
	assert_int_equal(r.hits[0].similar, 1);
	search_result_clear(&r);
}

static void test_search__repeated_words_are_looked_for_once(void **state)
{
	struct index_fixture *f = *state;
	struct query *q;

	assert_int_equal(
	    query_parse(f->analyser, "lapsi \"lapsen etu\" LAPSI lapsi \"Lapsen etu\" etu",
		&(struct query_config){0}, &q, NULL),
	    0);
	assert_int_equal(q->root->children_len, 3);
	query_free(q);
}

static void test_search__malformed_queries_are_words(void **state)
{
	struct index_fixture *f = *state;
	static const char *const odd[] = {"\"lapsen etu", "(lapsi AND", "laps*", "+lapsi -",
	    "lapsi~3", "lapsi NOT", "foo:lapsi", "\"\" lapsi", "lapsi\xff\xfe", "lapsi\"",
	    "\\lapsi\\"};
	char longer[SEARCH_QUERY_MAX + 2];
	struct search_result result;
	struct search_request request = {.sight = &sees_everything, .limit = 1};
	size_t i;

	put(f, (struct paper){.n = 1, .text = "Lapsen etu on tärkein."});
	commit(f, 1);
	for (i = 0; i < sizeof(odd) / sizeof(odd[0]); i++)
		FOUND(f, "1: 1.1", .q = odd[i]);
	FOUND(f, "0:", .q = "\"");
	FOUND(f, "0:", .q = "*** ---");
	FOUND(f, "1: 1.1", .q = "  ");
	memset(longer, 'a', sizeof(longer));
	longer[sizeof(longer) - 1] = '\0';
	request.q = longer;
	assert_int_equal(search_query(f->reader, &request, &result, NULL), ARK_EINPUT);
	for (i = 0; i + 1 < sizeof(longer); i++)
		longer[i] = i % 2 ? ' ' : (char)('a' + i % 26);
	longer[SEARCH_QUERY_MAX] = '\0';
	assert_int_equal(search_query(f->reader, &request, &result, NULL), 0);
	search_result_clear(&result);
	request = (struct search_request){.sight = &sees_everything, .limit = SEARCH_LIMIT_MAX + 1};
	assert_int_equal(search_query(f->reader, &request, &result, NULL), ARK_EINPUT);
	request = (struct search_request){.sight = NULL};
	assert_int_equal(search_query(f->reader, &request, &result, NULL), ARK_EINPUT);
	request = (struct search_request){.sight = &sees_everything, .q = "a", .language = "xx"};
	assert_int_equal(search_query(f->reader, &request, &result, NULL), ARK_EINPUT);
}

static void test_search__empty_query_lists_newest_first(void **state)
{
	struct index_fixture *f = *state;

	put(f, (struct paper){.n = 1, .date = "2024-01-01", .unit = "a", .county = "90"});
	put(f, (struct paper){.n = 2, .date = "2026-01-01", .unit = "b", .county = "02"});
	put(f, (struct paper){.n = 3, .date = "2025-01-01", .unit = "a", .county = "02"});
	commit(f, 1);
	FOUND(f, "3: 2.1 3.1 1.1", .q = "");
	FOUND(f, "2: 3.1 1.1", .unit = "a");
	FOUND(f, "2: 2.1 3.1", .county = "02");
	FOUND(f, "1: 3.1", .county = "02", .unit = "a");
	FOUND(f, "2: 2.1 3.1", .from = "2025-01-01");
	FOUND(f, "1: 3.1", .from = "2025-01-01", .to = "2025-12-31");
	FOUND(f, "3: 2.1 3.1 1.1", .case_id = "c1", .type = "inspection-report", .language = "fi");
	FOUND(f, "0:", .case_id = "c2");
	FOUND(f, "0:", .type = "memo");
	FOUND(f, "0:", .language = "sv");
}

static void test_search__pages_cover_every_hit_once(void **state)
{
	struct index_fixture *f = *state;
	struct search_request request = {.sight = &sees_everything, .limit = 7};
	struct search_result result;
	unsigned int seen[31] = {0}, pages = 0, i;

	for (i = 1; i <= 30; i++)
		put(f, (struct paper){.n = i, .text = "sama teksti"});
	commit(f, 1);
	do {
		assert_int_equal(search_query(f->reader, &request, &result, NULL), 0);
		assert_int_equal(result.total, 30);
		for (i = 0; i < result.hits_len; i++)
			seen[strtoul(result.hits[i].document + 16, NULL, 16)]++;
		request.offset = result.next_offset;
		search_result_clear(&result);
		pages++;
	} while (request.offset);
	assert_int_equal(pages, 5);
	for (i = 1; i <= 30; i++)
		assert_int_equal(seen[i], 1);
}

/* ---- who sees what ---- */
static void test_search__filter_bounds_total_hits_and_facets(void **state)
{
	struct index_fixture *f = *state;
	struct access_filter pub = PUBLIC, pirkanmaa = has(ACCESS_ATTR_COUNTY, "06");
	struct access_filter *both[] = {&pub, &pirkanmaa};
	struct access_filter either = {.op = ACCESS_OP_OR, .child = both, .children = 2};
	struct access_filter all = {.op = ACCESS_OP_AND, .child = both, .children = 2};
	struct access_filter *one[] = {&pub};
	struct access_filter none = {.op = ACCESS_OP_NONE}, no_child_or = {.op = ACCESS_OP_OR};
	struct access_filter not_public = {.op = ACCESS_OP_NOT, .child = one, .children = 1};
	struct search_request request = {.sight = SEES(either), .facets = true, .q = "lapsi"};
	struct search_result result;
	unsigned int i;

	put(f, (struct paper){.n = 1, .text = "lapsi", .county = "06", .publicity = "secret"});
	put(f,
	    (struct paper){
		.n = 2, .text = "lapsi", .county = "07", .publicity = "secret", .unit = "hidden"});
	put(f, (struct paper){.n = 3, .text = "lapsi", .county = "07", .date = "2020-01-01"});
	commit(f, 1);
	FOUND(f, "1: 3.1", .q = "lapsi", .sight = SEES(pub));
	FOUND(f, "2: 3.1 1.1", .q = "lapsi", .sight = SEES(either));
	FOUND(f, "0:", .q = "lapsi", .sight = SEES(all));
	FOUND(f, "2: 2.1 1.1", .q = "lapsi", .sight = SEES(not_public));
	FOUND(f, "0:", .q = "lapsi", .sight = SEES(none));
	FOUND(f, "0:", .sight = SEES(no_child_or));
	FOUND(f, "0:", .unit = "hidden", .sight = SEES(either));
	assert_int_equal(search_query(f->reader, &request, &result, NULL), 0);
	assert_int_equal(result.total, 2);
	assert_int_equal(result.hits_len, 0);
	for (i = 0; i < result.facets[FACET_UNIT].len; i++)
		assert_string_not_equal(result.facets[FACET_UNIT].counts[i].value, "hidden");
	assert_int_equal(result.facets[FACET_UNIT].len, 1);
	assert_int_equal(result.facets[FACET_UNIT].counts[0].count, 2);
	assert_int_equal(result.facets[FACET_PUBLICITY].len, 2);
	assert_int_equal(result.facets[FACET_YEAR].len, 2);
	assert_string_equal(result.facets[FACET_YEAR].counts[0].value, "2020");
	assert_int_equal(result.facets[FACET_TYPE].counts[0].count, 2);
	search_result_clear(&result);
}

static void test_search__hit_is_the_newest_version_the_filter_admits(void **state)
{
	struct index_fixture *f = *state;
	struct access_filter pub = PUBLIC, c6 = has(ACCESS_ATTR_COUNTY, "06"),
			     c7 = has(ACCESS_ATTR_COUNTY, "07");
	struct access_filter *with6[] = {&pub, &c6}, *with7[] = {&pub, &c7};
	struct access_filter county6 = {.op = ACCESS_OP_OR, .child = with6, .children = 2};
	struct access_filter county7 = {.op = ACCESS_OP_OR, .child = with7, .children = 2};
	const struct paper papers[] = {
	    {.n = 1, .version = 4, .publicity = "secret", .county = "06", .text = "lapsi neljäs"},
	    {.n = 1, .version = 3, .publicity = "secret", .county = "07", .text = "lapsi kolmas"},
	    {.n = 1, .version = 2, .publicity = "public", .county = "07", .text = "lapsi toinen"},
	    {.n = 1,
		.version = 1,
		.publicity = "public",
		.county = "07",
		.text = "lapsi ensimmäinen"},
	};

	put_versions(f, papers, 4);
	commit(f, 1);
	FOUND(f, "1: 1.4", .q = "lapsi");
	FOUND(f, "1: 1.4", .q = "lapsi", .sight = SEES(county6));
	FOUND(f, "1: 1.3", .q = "lapsi", .sight = SEES(county7));
	FOUND(f, "1: 1.2", .q = "lapsi", .sight = SEES(pub));
	/* nor by the words of a newer version that is hidden, or of an older one */
	FOUND(f, "0:", .q = "neljäs", .sight = SEES(pub));
	FOUND(f, "0:", .q = "ensimmäinen", .sight = SEES(pub));
	FOUND(f, "1: 1.2", .q = "toinen", .sight = SEES(pub));
	FOUND(f, "0:", .q = "toinen", .sight = SEES(county7));
	FOUND(f, "2: 1.2 1.1", .q = "\"lapsi toinen\" \"lapsi ensimmäinen\"", .sight = SEES(pub),
	    .versions_all = true, .sort = SEARCH_BY_DATE);
	FOUND(f, "1: 1.2", .sight = SEES(pub));
}

static void test_search__a_new_version_takes_the_place_of_the_old(void **state)
{
	struct index_fixture *f = *state;
	struct access_filter pub = PUBLIC;
	const struct paper papers[] = {
	    {.n = 1, .version = 2, .publicity = "secret", .text = "uusi teksti"},
	    {.n = 1, .version = 1, .publicity = "public", .text = "vanha teksti"},
	};
	struct paper newest = papers[0];

	put(f, papers[1]);
	commit(f, 1);
	FOUND(f, "1: 1.1", .q = "teksti");
	newest.several = true;
	put(f, newest); /* as the indexer does it: the old one is not put again */
	set_versions(f, papers, 2);
	commit(f, 2);
	FOUND(f, "1: 1.2", .q = "teksti");
	FOUND(f, "1: 1.1", .q = "teksti", .sight = SEES(pub));
	/* the old one's phrases are still there after its terms were edited */
	FOUND(f, "1: 1.1", .q = "\"vanha teksti\"", .sight = SEES(pub));
	set_versions(f, papers, 2);
	commit(f, 3);
	FOUND(f, "1: 1.2", .q = "teksti");
}

static void test_search__more_kinds_of_versions_than_ranks_keep_the_public_one(void **state)
{
	struct index_fixture *f = *state;
	struct access_filter pub = PUBLIC;
	enum { KINDS = SEARCH_RANKS + 3 };
	struct paper papers[KINDS];
	static const char *const counties[KINDS] = {
	    "01", "02", "03", "04", "05", "06", "07", "08", "09", "10", "11"};
	int i;

	for (i = 0; i < KINDS; i++)
		papers[i] = (struct paper){.n = 1,
		    .version = (uint32_t)(KINDS - i),
		    .publicity = i == KINDS - 1 ? "public" : "secret",
		    .county = counties[i],
		    .text = "lapsi"};
	put_versions(f, papers, KINDS);
	commit(f, 1);
	FOUND(f, "1: 1.11", .q = "lapsi");
	FOUND(f, "1: 1.1", .q = "lapsi", .sight = SEES(pub));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    SEARCH_TEST(test_search__other_inflections_and_parts_of_compounds_are_found),
	    SEARCH_TEST(test_search__compound_finds_its_parts_below_itself),
	    SEARCH_TEST(test_search__compound_typed_apart_is_found_first),
	    SEARCH_TEST(test_search__title_counts_more),
	    SEARCH_TEST(test_search__phrases_are_exact),
	    SEARCH_TEST(test_search__a_prepared_text_is_found_as_any),
	    SEARCH_TEST(test_search__repeated_words_are_looked_for_once),
	    SEARCH_TEST(test_search__malformed_queries_are_words),
	    SEARCH_TEST(test_search__empty_query_lists_newest_first),
	    SEARCH_TEST(test_search__pages_cover_every_hit_once),
	    SEARCH_TEST(test_search__filter_bounds_total_hits_and_facets),
	    SEARCH_TEST(test_search__hit_is_the_newest_version_the_filter_admits),
	    SEARCH_TEST(test_search__a_new_version_takes_the_place_of_the_old),
	    SEARCH_TEST(test_search__more_kinds_of_versions_than_ranks_keep_the_public_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
