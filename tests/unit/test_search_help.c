/* What stands around the hits: filters, rankings, near-duplicates, documents like one, completion and
 * what was probably meant. All texts are made up; no person or unit in them exists. */
#include "tests/unit/search_fixture.h"

struct shelf { /* an index */
	char dir[256];
	struct search_index *writer;
	struct search_reader *reader;
	uint64_t commits;
};

struct fixture {
	struct analyser *analyser;
	struct shelf all, shown; /* of the same papers; `shown` has only the public ones */
	unsigned int seed;
};

static void shelf_open(struct fixture *f, struct shelf *s)
{
	unit_scratch(s->dir);
	assert_int_equal(search_open_writer(s->dir, f->analyser, NULL, &s->writer, NULL), 0);
	assert_int_equal(search_open_reader(s->dir, f->analyser, NULL, &s->reader, NULL), 0);
}

static void shelf_close(struct shelf *s)
{
	search_reader_free(s->reader);
	search_close(s->writer);
	unit_scratch_end(s->dir);
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	assert_int_equal(analyser_new(NULL, &f->analyser, NULL), 0);
	shelf_open(f, &f->all);
	shelf_open(f, &f->shown);
	f->seed = 11;
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	shelf_close(&f->all);
	shelf_close(&f->shown);
	analyser_free(f->analyser);
	free(f);
	return 0;
}

/* ---- papers ---- */

struct paper {
	unsigned int n;
	const char *publicity, *author, *type, *unit, *municipality, *date, *title, *text;
	uint64_t filed;
};

static void name(char out[33], unsigned int n)
{
	snprintf(out, 33, "%032x", n);
}

static const char * or (const char *value, const char *otherwise)
{
	return value ? value : otherwise;
}

static void put_on(struct shelf *s, const struct paper *p)
{
	const char *unit = or (p->unit, "koivula"), *municipality = or (p->municipality, "091");
	const char *county = "01";
	char id[33];
	const struct search_document d = {
	    .document = id,
	    .version = 1,
	    .only = true,
	    .attributes = {.publicity = or (p->publicity, "public"),
		.author = or (p->author, "lvv"),
		.state = "final",
		.type = or (p->type, "memo"),
		.units = &unit,
		.units_len = 1,
		.counties = &county,
		.counties_len = 1},
	    .municipalities = &municipality,
	    .municipalities_len = 1,
	    .language = "fi",
	    .date = or (p->date, "2024-05-06"),
	    .title = or (p->title, ""),
	    .text = p->text,
	    .text_len = p->text ? strlen(p->text) : 0,
	    .filed = p->filed,
	};

	name(id, p->n);
	assert_int_equal(search_put(s->writer, &d, NULL), 0);
}

/* On the shelf of all, and where it is public, on the other. */
static void put(struct fixture *f, struct paper p)
{
	put_on(&f->all, &p);
	if (!strcmp(or (p.publicity, "public"), "public"))
		put_on(&f->shown, &p);
}

static void commit(struct fixture *f)
{
	assert_int_equal(search_commit(f->all.writer, ++f->all.commits, NULL), 0);
	assert_int_equal(search_commit(f->shown.writer, ++f->shown.commits, NULL), 0);
}

/* ---- answers as text, to compare ---- */

static void write_hit(struct buf *out, const struct search_hit *h)
{
	buf_addf(out, " %lu", strtoul(h->document + 16, NULL, 16));
	if (h->similar) {
		buf_addf(out, "+%u(", h->similar);
		for (size_t k = 0; k < SEARCH_SAME_MAX && h->same[k].version; k++)
			buf_addf(out, "%s%lu", k ? " " : "",
			    strtoul(h->same[k].document + 16, NULL, 16));
		buf_adds(out, ")");
	}
}

/* "3: 7 5+1(4) 2", and with facets "| author lvv 2". */
static void write_answer(struct shelf *s, const struct search_request *request, struct buf *out)
{
	struct search_result r;

	assert_int_equal(search_query(s->reader, request, &r, NULL), 0);
	buf_addf(out, "%lu:", (unsigned long)r.total);
	for (size_t i = 0; i < r.hits_len; i++)
		write_hit(out, &r.hits[i]);
	for (int facet = 0; facet < SEARCH_FACETS; facet++)
		for (size_t i = 0; i < r.facets[facet].len; i++)
			buf_addf(out, "| %d %s %lu", facet, r.facets[facet].counts[i].value,
			    (unsigned long)r.facets[facet].counts[i].count);
	search_result_clear(&r);
}

/* Of everything, where no sight is said; 20 hits, or the facets alone. */
#define ASK(f, want, ...) ask_is((f), (want), (struct search_request){__VA_ARGS__})

static void ask_is(struct fixture *f, const char *want, struct search_request request)
{
	struct buf got = BUF_INIT;

	if (!request.sight)
		request.sight = &sees_everything;
	request.limit = request.facets ? 0 : 20;
	write_answer(&f->all, &request, &got);
	buf_addc(&got, '\0');
	assert_string_equal(got.data, want);
	buf_free(&got);
}

/* ---- filters ---- */

static void test_search__requests_are_narrowed_by_what_documents_are(void **state)
{
	struct fixture *f = *state;

	put(f, (struct paper){.n = 1, .text = "eristys", .date = "2023-12-31", .filed = 5});
	put(f, (struct paper){
		   .n = 2, .text = "eristys", .date = "2024-01-01", .author = "esavi", .filed = 6});
	put(f, (struct paper){.n = 3,
		   .text = "eristys",
		   .date = "2024-06-15",
		   .municipality = "049",
		   .publicity = "secret",
		   .filed = 7});
	commit(f);
	ASK(f, "3: 3 2 1", .q = "eristys");
	ASK(f, "1: 2", .q = "eristys", .author = "esavi");
	ASK(f, "1: 3", .q = "eristys", .municipality = "049");
	ASK(f, "1: 3", .publicity = "secret");
	ASK(f, "2: 3 2", .year = "2024");
	ASK(f, "0:", .year = "2022");
	ASK(f, "2: 3 2", .q = "eristys", .filed_after = 5);
	ASK(f, "0:", .q = "eristys", .filed_after = 7);
	ASK(f, "1: 2", .publicity = "public", .filed_after = 5);
	ASK(f, "2: 3 2", .from = "2024-01-01");
	ASK(f, "1: 3", .q = "eristys", .from = "2024-01-02");
	ASK(f, "1: 1", .to = "2023-12-31");
	ASK(f, "2: 2 1", .from = "2023-12-31", .to = "2024-01-01");
	ASK(f, "1: 3", .from = "2024-06-15", .to = "2024-06-15");
	ASK(f, "0:", .from = "2025-01-01");
	ASK(f, "0:", .from = "2024-06-16", .to = "2024-06-14");
}

static void test_search__facets_count_authors_and_years(void **state)
{
	struct fixture *f = *state;

	put(f, (struct paper){.n = 1, .text = "eristys", .date = "2023-12-31"});
	put(f, (struct paper){.n = 2, .text = "eristys", .author = "esavi"});
	put(f, (struct paper){.n = 3, .text = "eristys", .author = "esavi"});
	commit(f);
	ASK(f,
	    "3:| 0 memo 3| 1 koivula 3| 2 01 3| 3 fi 3| 4 2024 2| 4 2023 1| 5 public 3| 6 esavi 2| "
	    "6 lvv 1",
	    .q = "eristys", .facets = true);
}

/* ---- rankings ---- */

static void test_search__a_ranking_is_the_pages_in_a_row(void **state)
{
	struct fixture *f = *state;
	struct search_request request = {.q = "koira kissa", .sight = &sees_everything, .limit = 7};
	struct search_hit *hits = NULL;
	struct search_result page;
	uint64_t total = 0;
	size_t n = 0, at = 0;

	for (unsigned int i = 0; i < 50; i++)
		put(f, (struct paper){
			   .n = i, .text = i % 3 ? "koira koira hevonen" : "kissa ja koira"});
	commit(f);
	assert_int_equal(search_ranking(f->all.reader, &request, 10000, &hits, &n, NULL), 0);
	assert_int_equal(n, 50);
	do {
		assert_int_equal(search_query(f->all.reader, &request, &page, NULL), 0);
		for (size_t i = 0; i < page.hits_len; i++)
			assert_string_equal(hits[at++].document, page.hits[i].document);
		request.offset = page.next_offset;
		search_result_clear(&page);
	} while (request.offset);
	assert_int_equal(at, n);
	free(hits);
	assert_int_equal(search_ranking(f->all.reader, &request, 3, &hits, &n, NULL), 0);
	assert_int_equal(n, 3);
	free(hits);
	assert_int_equal(search_total(f->all.reader, &request, &total, NULL), 0);
	assert_int_equal(total, 50);
	assert_int_equal(
	    search_ranking(f->all.reader, &request, SEARCH_OFFSET_MAX + 1, &hits, &n, NULL),
	    ARK_EINPUT);
}

/* ---- near-duplicates ---- */

static const char report[] =
    "Koivulan tarkastus tehtiin ennalta ilmoittamatta. Talossa asui seitsemän nuorta, ja vuorossa "
    "oli "
    "kolme ohjaajaa. Huoneet olivat siistejä ja lukittavissa sisältä. Nuoret kertoivat, että ruoka "
    "on "
    "hyvää ja että kännykkää saa käyttää iltaan asti. Rajoituksista oli tehty päätökset, mutta "
    "yhden "
    "perustelu puuttui. Yksikön tulee korjata kirjaaminen ja lähettää selvitys kuukauden kuluessa. "
    "Ohjaajat ovat käyneet koulutuksen, jossa harjoiteltiin kiinnipitämistä ilman väkivaltaa.";
static const char corrected[] =
    "Koivulan tarkastus tehtiin ennalta ilmoittamatta. Talossa asui seitsemän nuorta, ja vuorossa "
    "oli "
    "kolme ohjaajaa. Huoneet olivat siistejä ja lukittavissa sisältä. Nuoret kertoivat, että ruoka "
    "on "
    "hyvää ja että kännykkää saa käyttää iltaan asti. Rajoituksista oli tehty päätökset, mutta "
    "yhden "
    "perustelu puuttui. Yksikön tulee korjata kirjaaminen ja lähettää selvitys viikon kuluessa. "
    "Ohjaajat ovat käyneet koulutuksen, jossa harjoiteltiin kiinnipitämistä ilman väkivaltaa.";
static const char other[] =
    "Tarkastus Niittylässä koski lääkehoitoa. Lääkekaappi oli lukossa, ja luvat olivat kunnossa. "
    "Vuorossa "
    "oli kaksi sairaanhoitajaa, jotka esittelivät suunnitelman. Poikkeamista ilmoitetaan "
    "viikoittain. "
    "Huomautettavaa ei ollut, ja käynti päättyi keskusteluun johtajan kanssa.";

static const char half[] =
    "Koivulan tarkastus tehtiin ennalta ilmoittamatta. Talossa asui seitsemän nuorta, ja vuorossa "
    "oli "
    "kolme ohjaajaa. Huoneet olivat siistejä ja lukittavissa sisältä. Nuoret kertoivat, että ruoka "
    "on "
    "hyvää ja että kännykkää saa käyttää iltaan asti. Rajoituksista oli tehty päätökset, mutta "
    "yhden "
    "perustelu puuttui. Lääkekaappi oli lukossa, ja luvat olivat kunnossa. Vuorossa oli kaksi "
    "sairaanhoitajaa, jotka esittelivät suunnitelman. Poikkeamista ilmoitetaan viikoittain.";

static void test_search__near_duplicates_are_one_hit(void **state)
{
	struct fixture *f = *state;

	put(f, (struct paper){.n = 1, .text = report, .date = "2024-01-01"});
	put(f, (struct paper){.n = 2, .text = other, .date = "2024-01-02"});
	put(f, (struct paper){.n = 3, .text = corrected, .date = "2024-01-03"});
	put(f, (struct paper){.n = 4, .text = report, .date = "2024-01-04", .publicity = "secret"});
	put(f, (struct paper){.n = 5, .text = "tarkastus", .date = "2024-01-05"});
	put(f, (struct paper){.n = 6, .text = "tarkastus", .date = "2024-01-06"});
	put(f, (struct paper){.n = 7, .text = half, .date = "2024-01-07"});
	commit(f);
	ASK(f, "7: 7 6 5 4 3 2 1", .q = "tarkastus", .sort = SEARCH_BY_DATE);
	ASK(f, "7: 7 6 5 4+2(3 1) 2", .q = "tarkastus", .sort = SEARCH_BY_DATE, .group = true);
	ASK(f, "7: 7 6 5 4+2(3 1) 2", .group = true);
	/* the secret one is in no group of those who do not see it */
	ASK(f, "6: 7 6 5 3+1(1) 2", .group = true, .sight = &sees_public);
}

static void test_search__pages_of_groups_cover_every_hit_once(void **state)
{
	enum { PAPERS = SEARCH_GROUP_MAX + 30 };

	struct fixture *f = *state;
	struct search_request request = {.sight = &sees_everything, .limit = 90, .group = true};
	struct search_hit *hits = NULL;
	struct search_result r;
	char text[sizeof(report) + 600];
	size_t seen = 0, at = 0, n;

	for (unsigned int i = 0; i < PAPERS; i++) { /* three of a kind, newest last */
		size_t len = 0;

		for (int w = 0; w < 25; w++)
			len += (size_t)snprintf(
			    text + len, sizeof(text) - len, "%u%02d ", 7000 + i / 3, w);
		put_on(&f->all, &(struct paper){.n = i, .text = text});
	}
	commit(f);
	assert_int_equal(search_ranking(f->all.reader, &request, 10000, &hits, &n, NULL), 0);
	do {
		assert_int_equal(search_query(f->all.reader, &request, &r, NULL), 0);
		assert_int_equal(r.total, PAPERS);
		for (size_t i = 0; i < r.hits_len; i++) {
			assert_true(at < n);
			assert_string_equal(r.hits[i].document, hits[at++].document);
			seen += 1 + r.hits[i].similar;
		}
		request.offset = r.next_offset;
		search_result_clear(&r);
	} while (request.offset);
	assert_int_equal(at, n);
	assert_int_equal(seen, PAPERS);
	free(hits);
}

/* ---- documents like one ---- */

static void test_search__documents_like_one_share_its_rare_words(void **state)
{
	struct fixture *f = *state;
	char like[33], hidden[33];

	put(f, (struct paper){.n = 1, .text = report});
	put(f, (struct paper){.n = 2, .text = other});
	put(f, (struct paper){.n = 3, .text = corrected});
	put(f, (struct paper){.n = 4, .text = corrected, .publicity = "secret"});
	put(f, (struct paper){.n = 5, .text = "Hevonen laukkasi niityllä."});
	commit(f);
	name(like, 1);
	name(hidden, 4);
	ASK(f, "3: 4 3 2", .like = like, .like_version = 1);
	ASK(f, "2: 3 2", .like = like, .like_version = 1, .sight = &sees_public);
	ASK(f, "1: 2", .like = like, .like_version = 1, .q = "lääkekaappi");
	ASK(f, "0:", .like = hidden, .like_version = 1, .sight = &sees_public);
	ASK(f, "0:", .like = like, .like_version = 2);
	ASK(f, "0:", .like = like, .like_version = 1, .like_public = true);
	ASK(f, "0:", .like = "x", .like_version = 1);
}

/* ---- completion ---- */

static void write_completion(
    struct shelf *s, const struct access_sight *sight, const char *prefix, struct buf *out)
{
	struct search_words w;

	assert_int_equal(search_complete(s->reader, sight, prefix, 5, &w, NULL), 0);
	for (size_t i = 0; i < w.len; i++)
		buf_addf(out, "%s%s %lu", i ? ", " : "", w.list[i].word,
		    (unsigned long)w.list[i].documents);
	buf_addc(out, '\0');
	search_words_clear(&w);
}

static void completes(
    struct fixture *f, const struct access_sight *sight, const char *prefix, const char *want)
{
	struct buf got = BUF_INIT;

	write_completion(&f->all, sight, prefix, &got);
	assert_string_equal(got.data, want);
	buf_free(&got);
}

static void test_search__words_of_visible_titles_are_completed(void **state)
{
	struct fixture *f = *state;

	put(f, (struct paper){.n = 1, .title = "Koivulan tarkastus", .text = "koivikko"});
	put(f, (struct paper){.n = 2, .title = "Koivulan käynti"});
	put(f, (struct paper){.n = 3, .title = "Koivuranta: käynti", .publicity = "secret"});
	put(f, (struct paper){.n = 4, .title = "Ähtäri"});
	commit(f);
	completes(f, &sees_everything, "koi", "koivulan 2, koivuranta 1");
	completes(f, &sees_everything, "KOIVUR", "koivuranta 1");
	completes(f, &sees_public, "koi", "koivulan 2");
	completes(f, &sees_public, "koivur", "");
	completes(f, &sees_public, "kä", "käynti 1");
	completes(f, &sees_everything, "kä", "käynti 2");
	completes(f, &sees_everything, "A\xCC\x88h", "ähtäri 1"); /* a letter in two parts */
	completes(f, &sees_everything, "k", "");
	completes(f, &sees_everything, "", "");
	completes(f, &sees_everything, "ä", "");
}

/* ---- what was meant ---- */

static void write_meant(
    struct shelf *s, const struct access_sight *sight, const char *q, struct buf *out)
{
	const struct search_request request = {.sight = sight, .q = q};

	assert_int_equal(search_did_you_mean(s->reader, &request, out, NULL), 0);
	buf_addc(out, '\0');
}

static void meant(
    struct fixture *f, const struct access_sight *sight, const char *q, const char *want)
{
	struct buf got = BUF_INIT;

	write_meant(&f->all, sight, q, &got);
	assert_string_equal(got.data, want);
	buf_free(&got);
}

static void test_search__a_word_that_finds_nothing_is_corrected_by_visible_ones(void **state)
{
	struct fixture *f = *state;

	put(f, (struct paper){.n = 1, .text = "Koivulan eristämistä valvottiin."});
	put(f, (struct paper){.n = 2, .text = "Koivulan asia."});
	put(f, (struct paper){.n = 3, .text = "Kuivulan hevonen.", .publicity = "secret"});
	commit(f);
	meant(f, &sees_everything, "eristämstä", "eristämistä");
	meant(f, &sees_everything, "eirstämistä", "eristämistä");
	meant(f, &sees_everything, "reristämistä", "eristämistä"); /* a letter before it */
	meant(f, &sees_everything, "eristämistä koivvulan!", "eristämistä koivulan!");
	meant(f, &sees_everything, "+eristämstä -hevonen", "+eristämistä -hevonen");
	meant(f, &sees_everything, "hevosen", ""); /* found by its lemma */
	meant(f, &sees_everything, "hevozen", "hevonen");
	meant(f, &sees_public, "hevozen", "");
	meant(f, &sees_public, "hevonen", "");
	meant(f, &sees_everything, "kuvulan", "kuivulan");
	meant(f, &sees_public, "kuvulan", "koivulan");
	meant(f, &sees_everything, "xylofoni", "");
	meant(f, &sees_everything, "", "");
}

/* ---- nothing of what is hidden ---- */

enum { SYLLABLES = 8, PAPERS = 60, ROUNDS = 4, QUESTIONS = 60 };

static size_t random_word(struct fixture *f, char *out, size_t cap)
{
	static const char *const syllables[SYLLABLES] = {
	    "ko", "ta", "ri", "lä", "nu", "se", "mi", "vö"};
	size_t len = 0;

	for (unsigned int n = 2 + dice(&f->seed, 2); n > 0; n--)
		len += (size_t)snprintf(
		    out + len, cap - len, "%s", syllables[dice(&f->seed, n == 1 ? SYLLABLES : 3)]);
	return len;
}

static void random_text(struct fixture *f, char *out, size_t cap, unsigned int words)
{
	size_t len = 0;

	for (; words > 0 && len + 20 < cap; words--) {
		len += random_word(f, out + len, cap - len);
		out[len++] = ' ';
	}
	out[len] = '\0';
}

static void random_papers(struct fixture *f, unsigned int round)
{
	static const char *const types[] = {"memo", "decision", "report"};
	char title[80], text[600] = "", unit[16];

	for (unsigned int i = 0; i < PAPERS; i++) {
		random_text(f, title, sizeof(title), 1 + dice(&f->seed, 3));
		if (dice(&f->seed, 3)) /* else the text of the one before */
			random_text(f, text, sizeof(text), 15 + dice(&f->seed, 20));
		snprintf(unit, sizeof(unit), "unit-%u", dice(&f->seed, 5));
		put(f, (struct paper){.n = round * PAPERS + i,
			   .publicity = dice(&f->seed, 2) ? "public" : "secret",
			   .type = types[dice(&f->seed, 3)],
			   .unit = unit,
			   .title = title,
			   .text = text});
	}
	commit(f);
}

/* One index with a sight, and one that has only what the sight shows, say the same. */
static void compare(struct fixture *f, unsigned int *said)
{
	struct buf all = BUF_INIT, shown = BUF_INIT;
	char word[80], q[200];
	struct search_request request = {.q = q,
	    .limit = 20,
	    .facets = true,
	    .group = dice(&f->seed, 2),
	    .sort = SEARCH_BY_DATE};

	random_word(f, word, sizeof(word));
	snprintf(q, sizeof(q), "%s", word);
	if (dice(&f->seed, 2))
		word[2 + dice(&f->seed, 2)] = '\0'; /* or half a letter */
	write_completion(&f->all, &sees_public, word, &all);
	write_completion(&f->shown, &sees_everything, word, &shown);
	q[dice(&f->seed, 2) ? 0 : strlen(q) - 1] = 'k';
	write_meant(&f->all, &sees_public, q, &all);
	write_meant(&f->shown, &sees_everything, q, &shown);
	random_text(f, q, sizeof(q), 1 + dice(&f->seed, 3));
	request.sight = &sees_public;
	write_answer(&f->all, &request, &all);
	request.sight = &sees_everything;
	write_answer(&f->shown, &request, &shown);
	assert_int_equal(all.len, shown.len);
	assert_memory_equal(all.data, shown.data, all.len);
	*said += all.len > 60;
	buf_free(&all);
	buf_free(&shown);
}

static void test_search__help_says_nothing_of_what_is_hidden(void **state)
{
	struct fixture *f = *state;
	unsigned int said = 0;

	for (unsigned int round = 0; round < ROUNDS; round++) {
		random_papers(f, round);
		for (int i = 0; i < QUESTIONS; i++)
			compare(f, &said);
	}
	assert_true(said > ROUNDS * QUESTIONS / 2); /* the questions say something */
}

#define HELP_TEST(t) cmocka_unit_test_setup_teardown(t, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    HELP_TEST(test_search__requests_are_narrowed_by_what_documents_are),
	    HELP_TEST(test_search__facets_count_authors_and_years),
	    HELP_TEST(test_search__a_ranking_is_the_pages_in_a_row),
	    HELP_TEST(test_search__near_duplicates_are_one_hit),
	    HELP_TEST(test_search__pages_of_groups_cover_every_hit_once),
	    HELP_TEST(test_search__documents_like_one_share_its_rare_words),
	    HELP_TEST(test_search__words_of_visible_titles_are_completed),
	    HELP_TEST(test_search__a_word_that_finds_nothing_is_corrected_by_visible_ones),
	    HELP_TEST(test_search__help_says_nothing_of_what_is_hidden),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
