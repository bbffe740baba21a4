#include "unit.h"

#include <pthread.h>
#include <sys/wait.h>

#include "arkki/index/search.h"
#include "arkki/index/snippet.h"
#include "index/query.h"

struct fixture {
	char dir[256];
	struct analyser *analyser;
	struct search_gate *gate;
	struct search_index *writer;
	struct search_reader *reader;
};

static struct access_filter everything = {.op = ACCESS_OP_ALL};
static const struct access_sight sees_everything = {&everything, &everything};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	unit_scratch(f->dir);
	assert_int_equal(analyser_new(NULL, &f->analyser, NULL), 0);
	assert_int_equal(search_gate_new(&f->gate, NULL), 0);
	assert_int_equal(search_open_writer(f->dir, f->analyser, f->gate, &f->writer, NULL), 0);
	assert_int_equal(search_open_reader(f->dir, f->analyser, f->gate, &f->reader, NULL), 0);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	search_reader_free(f->reader);
	search_close(f->writer);
	search_gate_free(f->gate);
	analyser_free(f->analyser);
	unit_scratch_end(f->dir);
	free(f);
	return 0;
}

/* ---- small filters, as a policy would give them ---- */

static struct access_filter has(enum access_attribute attribute, const char *value)
{
	return (struct access_filter){
	    .op = ACCESS_OP_HAS, .attribute = attribute, .value = (char *)(uintptr_t)value};
}

/* As one whom it lets see versions whole or not at all. */
#define SEES(filter) (&(const struct access_sight){&(filter), &(filter)})

#define PUBLIC has(ACCESS_ATTR_PUBLICITY, "public")

/* ---- documents ---- */

static void name(char out[33], unsigned int n)
{
	snprintf(out, 33, "%032x", n);
}

struct paper {
	unsigned int n;
	uint32_t version;
	const char *publicity, *county, *unit, *date, *language, *title, *text;
	bool several;  /* versions: ranks are set by the test */
	bool prepared; /* the text, by an analyser of its own */
};

static struct search_attributes attributes_of(
    const struct paper *p, const char **county, const char **unit)
{
	*county = p->county ? p->county : "90";
	*unit = p->unit ? p->unit : "koivula";
	return (struct search_attributes){
	    .publicity = p->publicity ? p->publicity : "public",
	    .author = "lvv",
	    .state = "final",
	    .type = "inspection-report",
	    .units = unit,
	    .units_len = 1,
	    .counties = county,
	    .counties_len = 1,
	};
}

static int try_put(struct fixture *f, struct paper p)
{
	const char *county, *unit;
	char id[33];
	struct search_document d = {
	    .document = id,
	    .version = p.version ? p.version : 1,
	    .only = !p.several,
	    .attributes = attributes_of(&p, &county, &unit),
	    .case_id = "c1",
	    .language = p.language ? p.language : "fi",
	    .date = p.date ? p.date : "2026-03-12",
	    .title = p.title ? p.title : "",
	    .text = p.text,
	    .text_len = p.text ? strlen(p.text) : 0,
	};

	struct analyser *other = NULL;
	int r;

	name(id, p.n);
	if (p.prepared) {
		assert_int_equal(analyser_new(NULL, &other, NULL), 0);
		assert_int_equal(
		    search_prepare(other, d.language, d.text, d.text_len, &d.prepared, NULL), 0);
		analyser_free(other);
	}
	r = search_put(f->writer, &d, NULL);
	search_prepared_free(d.prepared);
	return r;
}

static void put(struct fixture *f, struct paper p)
{
	assert_int_equal(try_put(f, p), 0);
}

static void commit(struct fixture *f, uint64_t sequence)
{
	assert_int_equal(search_commit(f->writer, sequence, NULL), 0);
}

/* Hits as "document.version" in order, the total first: "2: 1.1 7.3". */
static void assert_found(struct fixture *f, struct search_request request, const char *expected)
{
	struct search_result result;
	struct buf b = BUF_INIT;
	size_t i;

	if (!request.sight)
		request.sight = &sees_everything;
	if (!request.limit)
		request.limit = 20;
	assert_int_equal(search_query(f->reader, &request, &result, NULL), 0);
	buf_addf(&b, "%llu:", (unsigned long long)result.total);
	for (i = 0; i < result.hits_len; i++)
		buf_addf(&b, " %lu.%u", strtoul(result.hits[i].document + 16, NULL, 16),
		    result.hits[i].version);
	assert_string_equal(b.data, expected);
	buf_free(&b);
	search_result_clear(&result);
}

#define FOUND(f, expected, ...) assert_found(f, (struct search_request){__VA_ARGS__}, expected)

static void test_search__other_inflections_and_parts_of_compounds_are_found(void **state)
{
	struct fixture *f = *state;

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
	struct fixture *f = *state;

	put(f, (struct paper){.n = 1, .text = "Huolto on järjestetty hyvin."});
	put(f, (struct paper){.n = 2, .text = "Sijaishuolto on järjestetty hyvin."});
	put(f, (struct paper){.n = 3, .text = "Muusta asiasta on sovittu hyvin."});
	commit(f, 1);
	FOUND(f, "2: 2.1 1.1", .q = "sijaishuolto");
}

static void test_search__compound_typed_apart_is_found_first(void **state)
{
	struct fixture *f = *state;

	put(f, (struct paper){.n = 1, .text = "Poikkeuslupa myönnettiin."});
	put(f, (struct paper){.n = 2, .text = "Poikkeusoloissa rakennuslupa, poikkeus ja lupa."});
	put(f, (struct paper){.n = 3, .text = "Muusta asiasta on sovittu hyvin."});
	commit(f, 1);
	FOUND(f, "2: 1.1 2.1", .q = "poikkeus lupa");
	FOUND(f, "2: 2.1 1.1", .q = "poikkeus, 2024 lupa");
}

static void test_search__title_counts_more(void **state)
{
	struct fixture *f = *state;

	put(f, (struct paper){.n = 1, .title = "Muistio", .text = "Lääkehoito tarkastettiin."});
	put(f, (struct paper){.n = 2, .title = "Lääkehoito", .text = "Muistio tarkastettiin."});
	commit(f, 1);
	FOUND(f, "2: 2.1 1.1", .q = "lääkehoitoa");
}

static void test_search__phrases_are_exact(void **state)
{
	struct fixture *f = *state;

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
	struct fixture *f = *state;
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
	struct fixture *f = *state;
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
	struct fixture *f = *state;
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
	struct fixture *f = *state;

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
	struct fixture *f = *state;
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
	struct fixture *f = *state;
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

static void set_versions(struct fixture *f, const struct paper *newest_first, size_t n)
{
	struct search_version versions[16];
	const char *county[16], *unit[16];
	char id[33];
	size_t i;

	for (i = 0; i < n; i++) {
		versions[i].version = newest_first[i].version;
		versions[i].attributes = attributes_of(&newest_first[i], &county[i], &unit[i]);
	}
	name(id, newest_first[0].n);
	assert_int_equal(search_set_versions(f->writer, id, versions, n, NULL), 0);
}

static void put_versions(struct fixture *f, const struct paper *newest_first, size_t n)
{
	size_t i;

	for (i = n; i-- > 0;) {
		struct paper p = newest_first[i];

		p.several = true;
		put(f, p);
	}
	set_versions(f, newest_first, n);
}

static void test_search__hit_is_the_newest_version_the_filter_admits(void **state)
{
	struct fixture *f = *state;
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
	struct fixture *f = *state;
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
	struct fixture *f = *state;
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

/* ---- writing ---- */

static void test_search__sequence_and_documents_are_committed_together(void **state)
{
	struct fixture *f = *state;
	uint64_t sequence;

	put(f, (struct paper){.n = 1, .text = "lapsi"});
	commit(f, 41);
	put(f, (struct paper){.n = 2, .text = "lapsi"});
	FOUND(f, "1: 1.1", .q = "lapsi");
	assert_int_equal(search_reader_sequence(f->reader, &sequence, NULL), 0);
	assert_int_equal(sequence, 41);
	search_close(f->writer);
	f->writer = NULL;
	assert_int_equal(search_open_writer(f->dir, f->analyser, f->gate, &f->writer, NULL), 0);
	assert_int_equal(search_sequence(f->writer), 41);
	FOUND(f, "1: 1.1", .q = "lapsi");
	put(f, (struct paper){.n = 1, .text = "lapsi uudestaan"});
	put(f, (struct paper){.n = 2, .text = "lapsi"});
	commit(f, 42);
	FOUND(f, "2: 2.1 1.1", .q = "lapsi", .sort = SEARCH_BY_DATE);
	FOUND(f, "1: 1.1", .q = "uudestaan");
}

static void test_search__nothing_is_committed_without_its_sequence(void **state)
{
	struct fixture *f = *state;
	unsigned int i;

	search_close(f->writer);
	f->writer = NULL;
	setenv("XAPIAN_FLUSH_THRESHOLD", "2", 1);
	assert_int_equal(search_open_writer(f->dir, f->analyser, f->gate, &f->writer, NULL), 0);
	for (i = 1; i <= 9; i++)
		put(f, (struct paper){.n = i, .text = "lapsi"});
	FOUND(f, "0:", .q = "lapsi");
	search_close(f->writer);
	f->writer = NULL;
	assert_int_equal(search_open_writer(f->dir, f->analyser, f->gate, &f->writer, NULL), 0);
	unsetenv("XAPIAN_FLUSH_THRESHOLD");
	FOUND(f, "0:", .q = "lapsi");
	put(f, (struct paper){.n = 1, .text = "lapsi"});
	commit(f, 7);
	FOUND(f, "1: 1.1", .q = "lapsi");
}

static void test_search__second_writer_is_refused(void **state)
{
	struct fixture *f = *state;
	struct search_index *second = NULL;
	struct ark_error err = {0};

	assert_int_equal(
	    search_open_writer(f->dir, f->analyser, NULL, &second, &err), ARK_ECONFLICT);
	assert_null(second);
}

static void test_search__missing_index_is_not_found(void **state)
{
	struct fixture *f = *state;
	struct search_reader *reader = NULL;
	char dir[300];

	snprintf(dir, sizeof(dir), "%s/none", f->dir);
	assert_int_equal(search_open_reader(dir, f->analyser, NULL, &reader, NULL), ARK_ENOTFOUND);
	assert_null(reader);
}

static void test_search__deleted_versions_are_gone(void **state)
{
	struct fixture *f = *state;
	const struct paper papers[] = {
	    {.n = 1, .version = 2, .publicity = "secret", .text = "lapsi"},
	    {.n = 1, .version = 1, .text = "lapsi"},
	};
	char id[33];

	put_versions(f, papers, 2);
	put(f, (struct paper){.n = 2, .text = "lapsi"});
	commit(f, 1);
	name(id, 1);
	assert_int_equal(search_delete(f->writer, id, 2, NULL), 0);
	set_versions(f, papers + 1, 1);
	commit(f, 2);
	FOUND(f, "2: 2.1 1.1", .q = "lapsi");
	assert_int_equal(search_delete(f->writer, id, 0, NULL), 0);
	assert_int_equal(search_delete(f->writer, id, 0, NULL), 0);
	commit(f, 3);
	FOUND(f, "1: 2.1", .q = "lapsi");
}

static void test_search__too_long_attribute_is_refused_and_not_indexed(void **state)
{
	struct fixture *f = *state;
	char unit[400];
	const char *units[] = {unit};
	struct search_document d = {.document = "00000000000000000000000000000001",
	    .version = 1,
	    .only = true,
	    .attributes = {.units = units, .units_len = 1},
	    .language = "fi",
	    .date = "2026-01-01",
	    .title = "lapsi"};

	memset(unit, 'a', sizeof(unit));
	unit[sizeof(unit) - 1] = '\0';
	assert_int_equal(search_put(f->writer, &d, NULL), ARK_EINPUT);
	commit(f, 1);
	FOUND(f, "0:", .q = "lapsi");
}

/* ---- a reader beside a writer ---- */

struct racing {
	struct fixture *f;
	bool stop;
	bool failed; /* an assertion would leave the thread by a jump */
};

static void *write_often(void *arg)
{
	struct racing *race = arg;
	uintptr_t commits = 0;

	while (!race->failed && !__atomic_load_n(&race->stop, __ATOMIC_ACQUIRE)) {
		const struct paper p = {.n = (unsigned int)(commits % 50) + 1,
		    .text = "lapsi ja sijaishuolto ja tarkastus"};

		race->failed = try_put(race->f, p) != 0 ||
			       search_commit(race->f->writer, ++commits, NULL) != 0;
	}
	return (void *)commits;
}

/* Queries until one goes wrong; NULL when none did. */
static const char *query_often(struct search_reader *reader, int count, struct ark_error *err)
{
	const struct search_request request = {.sight = &sees_everything,
	    .q = "sijaishuoltopaikka \"lapsi ja\"",
	    .limit = 20,
	    .facets = true};
	struct search_result result;
	const char *wrong = NULL;

	while (!wrong && count--) {
		if (search_query(reader, &request, &result, err))
			return err->text;
		if (result.total < 1 || result.total > 50)
			wrong = "total";
		else if (result.facets[FACET_TYPE].counts[0].count != result.total)
			wrong = "facets";
		search_result_clear(&result);
	}
	return wrong;
}

static void race(struct fixture *f, struct search_gate *gate, int count)
{
	struct racing race = {.f = f};
	struct analyser *mine;
	struct search_reader *reader;
	struct ark_error err = {0};
	const char *wrong;
	pthread_t thread;
	void *commits;

	put(f, (struct paper){.n = 1, .text = "lapsi ja sijaishuolto"});
	commit(f, 1);
	assert_int_equal(analyser_new(NULL, &mine, NULL), 0);
	assert_int_equal(search_open_reader(f->dir, mine, gate, &reader, NULL), 0);
	assert_int_equal(pthread_create(&thread, NULL, write_often, &race), 0);
	wrong = query_often(reader, count, &err);
	__atomic_store_n(&race.stop, true, __ATOMIC_RELEASE);
	pthread_join(thread, &commits);
	search_reader_free(reader);
	analyser_free(mine);
	if (wrong)
		fail_msg("%s", wrong);
	assert_false(race.failed);
	assert_true((uintptr_t)commits > 5);
}

static void test_search__reader_survives_a_writer_for_thousands_of_queries(void **state)
{
	struct fixture *f = *state;

	race(f, f->gate, 3000);
}

/* ---- snippets ---- */

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

/* ---- the wall ---- */

/* Lines of `nm` of one object that name a C++ symbol which others could link to. */
static unsigned int cpp_symbols(const char *object, const char *nm_args)
{
	char cmd[700], line[1024];
	unsigned int n = 0;
	FILE *nm;

	snprintf(cmd, sizeof(cmd), "nm %s '%s'", nm_args, object);
	nm = popen(cmd, "r");
	assert_non_null(nm);
	while (fgets(line, sizeof(line), nm)) {
		const char *symbol = strstr(line, " _Z");

		/* weak ones are the library's templates, which every C++ object may hold; the shim's
		 * files share a namespace */
		if (!symbol || strstr(symbol, "5arkki") || symbol[-1] == 'W' || symbol[-1] == 'V' ||
		    symbol[-1] == 'u')
			continue;
		printf("%s", line);
		n++;
	}
	assert_int_equal(pclose(nm), 0);
	return n;
}

static void test_search__no_cpp_symbol_leaves_the_shim(void **state)
{
	static const char *const shim[] = {"xapian", "sight", "tree", "answer", "words", "write"};
	char exe[512], object[600];
	ssize_t n = readlink("/proc/self/exe", exe, sizeof(exe) - 1);
	int i;

	(void)state;
	assert_true(n > 0);
	exe[n] = '\0';
	for (i = 0; i < 2; i++) /* build/tests/test_search → build */
		*strrchr(exe, '/') = '\0';
	for (i = 0; i < (int)(sizeof(shim) / sizeof(*shim)); i++) {
		snprintf(object, sizeof(object), "%s/index/search_%s.o", exe, shim[i]);
		assert_int_equal(cpp_symbols(object, "-g --defined-only"), 0);
	}
	snprintf(object, sizeof(object), "%s/index/query.o", exe);
	assert_int_equal(cpp_symbols(object, "-u"), 0);
}

#define SEARCH_TEST(t) cmocka_unit_test_setup_teardown(t, setup, teardown)

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
	    SEARCH_TEST(test_search__sequence_and_documents_are_committed_together),
	    SEARCH_TEST(test_search__nothing_is_committed_without_its_sequence),
	    SEARCH_TEST(test_search__second_writer_is_refused),
	    SEARCH_TEST(test_search__missing_index_is_not_found),
	    SEARCH_TEST(test_search__deleted_versions_are_gone),
	    SEARCH_TEST(test_search__too_long_attribute_is_refused_and_not_indexed),
	    SEARCH_TEST(test_search__reader_survives_a_writer_for_thousands_of_queries),
	    SEARCH_TEST(test_snippet__compounds_and_inflections_are_marked),
	    SEARCH_TEST(test_snippet__text_is_escaped),
	    SEARCH_TEST(test_snippet__no_match_gives_the_beginning),
	    SEARCH_TEST(test_snippet__window_holds_the_most_of_the_query),
	    cmocka_unit_test(test_search__no_cpp_symbol_leaves_the_shim),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
