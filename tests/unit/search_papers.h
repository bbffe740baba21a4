/* Papers put into a scratch index, small filters, and what is found of them. */
#ifndef ARKKI_TESTS_SEARCH_PAPERS_H
#define ARKKI_TESTS_SEARCH_PAPERS_H

#include "tests/unit/search_fixture.h"

static inline void name(char out[33], unsigned int n)
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

static inline struct search_attributes attributes_of(
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

static inline int try_put(struct index_fixture *f, struct paper p)
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

static inline void put(struct index_fixture *f, struct paper p)
{
	assert_int_equal(try_put(f, p), 0);
}

static inline void commit(struct index_fixture *f, uint64_t sequence)
{
	assert_int_equal(search_commit(f->writer, sequence, NULL), 0);
}

/* Hits as "document.version" in order, the total first: "2: 1.1 7.3". */
static inline void assert_found(
    struct index_fixture *f, struct search_request request, const char *expected)
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

/* ---- who sees what ---- */
static inline void set_versions(struct index_fixture *f, const struct paper *newest_first, size_t n)
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

static inline void put_versions(struct index_fixture *f, const struct paper *newest_first, size_t n)
{
	size_t i;

	for (i = n; i-- > 0;) {
		struct paper p = newest_first[i];

		p.several = true;
		put(f, p);
	}
	set_versions(f, newest_first, n);
}

#define SEARCH_TEST(t) cmocka_unit_test_setup_teardown(t, index_setup, index_teardown)

#endif
