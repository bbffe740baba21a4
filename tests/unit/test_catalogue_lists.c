/* What the catalogue lists to whom: random filters, sights and pages against a plain model of what was
 * filed, and that no list sorts. */
#include "tests/unit/catalogue_fixture.h"

#include <sqlite3.h>

/* ---- random filters ---- */
static struct access_filter *random_filter(unsigned int *seed, int depth)
{
	/* mostly values that the attribute has, else what finds nothing */
	static const char *const values[][3] = {
	    [ACCESS_ATTR_PUBLICITY] = {"public", "secret", "public"},
	    [ACCESS_ATTR_COUNTY] = {"90", "06", "none'); DROP TABLE version; --"},
	    [ACCESS_ATTR_UNIT] = {"koivula", "90", "mantyla"},
	    [ACCESS_ATTR_AUTHOR] = {"lvv", "90", "esavi"},
	    [ACCESS_ATTR_STATE] = {"final", "draft", ""},
	    [ACCESS_ATTR_TYPE] = {"decision", "inspection-report", "public"},
	    [ACCESS_ATTR_ADDRESSEE] = {"lvv", "90", "koivula"},
	    [ACCESS_ATTR_UNIT_COUNT] = {"0", "2", "02"},
	    [ACCESS_ATTR_RENDITION] = {"public", "public", "secret"},
	    [ACCESS_ATTR_VISIT_DATE] = {"2025-12-31", "2026-03-12", "0000-00-00"},
	    [ACCESS_ATTR_DATE] = {"2025-12-31", "2026-03-12", ""},
	};
	struct access_filter *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	f->op = (enum access_op)draw(seed, depth ? 8 : 5);
	f->attribute = (enum access_attribute)draw(seed, ACCESS_ATTRIBUTES);
	if (f->op == ACCESS_OP_UPTO || (f->op == ACCESS_OP_PRESENT && draw(seed, 3)))
		f->attribute = draw(seed, 2) ? ACCESS_ATTR_DATE : ACCESS_ATTR_VISIT_DATE;
	if (f->op == ACCESS_OP_HAS || f->op == ACCESS_OP_UPTO)
		assert_non_null(f->value = strdup(values[f->attribute][draw(seed, 3)]));
	if (f->op < ACCESS_OP_AND)
		return f;
	f->children = f->op == ACCESS_OP_NOT ? draw(seed, 8) != 0 : draw(seed, 6);
	f->child = calloc(6, sizeof(struct access_filter *));
	assert_non_null(f->child);
	for (size_t i = 0; i < f->children; i++)
		f->child[i] = random_filter(seed, depth - 1);
	return f;
}

/* ---- the model's answers ---- */
static const struct model *newest_admitted(
    const struct world *w, const char *document, struct access_filter *f, uint32_t *visible)
{
	const struct model *best = NULL;

	*visible = 0;
	for (size_t i = 0; i < w->n; i++) {
		const struct model *m = &w->m[i];

		if (strcmp(m->document, document) != 0 || (f && !admits(f, m)))
			continue;
		(*visible)++;
		if (!best || m->version > best->version)
			best = m;
	}
	return best;
}

static bool matches(const struct model *m, const struct catalogue_list *l)
{
	bool unit = !l->unit;

	for (size_t i = 0; i < m->fact.units_len && !unit; i++)
		unit = strcmp(m->unit[i], l->unit) == 0;
	return unit &&
	       (!l->case_id || (m->fact.case_id && strcmp(m->fact.case_id, l->case_id) == 0)) &&
	       (!l->type || strcmp(m->fact.type, l->type) == 0) &&
	       (!l->from || strcmp(m->fact.date, l->from) >= 0) &&
	       (!l->to || strcmp(m->fact.date, l->to) <= 0);
}

static int by_page_order(const void *a, const void *b)
{
	const struct model *const *x = a, *const *y = b;
	int date = strcmp((*y)->fact.date, (*x)->fact.date);

	return date ? date : strcmp((*x)->document, (*y)->document);
}

static size_t expect_documents(const struct world *w, const struct catalogue_list *l,
    struct access_filter *f, const struct model **ret)
{
	size_t n = 0;

	for (unsigned int d = 0; d < DOCUMENTS; d++) {
		char document[33];
		uint32_t visible;
		const struct model *m;

		name_document(document, d);
		m = newest_admitted(w, document, f, &visible);
		if (m && matches(m, l))
			ret[n++] = m;
	}
	qsort(ret, n, sizeof(*ret), by_page_order);
	return n;
}

/* ---- filters ---- */
static int note_version(void *arg, const struct catalogue_row *row)
{
	uint32_t *seen = arg;

	*seen |= 1U << row->version;
	return 0;
}

/* What one sight is told of one version, against the model. True when there is the version. */
static bool check_sight(
    const struct world *w, struct catalogue *c, const struct model *m, struct access_sight *sight)
{
	const struct model *newest;
	struct catalogue_row row;
	uint32_t visible, seen = 0, expect = 0;
	bool may = admits(sight->any, m), admitted;
	int rc = catalogue_get(c, m->document, m->version, sight, &row, NULL);

	assert_int_equal(rc, may ? ARK_OK : ARK_ENOTFOUND);
	newest = newest_admitted(w, m->document, sight->any, &visible);
	if (!rc) {
		assert_int_equal(row.visible_versions, visible);
		assert_int_equal(row.whole, admits(sight->whole, m));
		catalogue_row_free(&row);
	}
	rc = catalogue_get(c, m->document, 0, sight, &row, NULL);
	assert_int_equal(rc, newest ? ARK_OK : ARK_ENOTFOUND);
	if (newest) {
		assert_int_equal(row.version, newest->version);
		assert_int_equal(row.whole, admits(sight->whole, newest));
		assert_string_equal(row.sealed_metadata.data, newest->seal);
		catalogue_row_free(&row);
	}
	assert_int_equal(
	    catalogue_admits(c, m->document, m->version, sight->whole, &admitted, NULL), ARK_OK);
	assert_int_equal(admitted, admits(sight->whole, m));
	for (size_t j = 0; j < w->n; j++)
		if (strcmp(w->m[j].document, m->document) == 0 && admits(sight->any, &w->m[j]))
			expect |= 1U << w->m[j].version;
	assert_int_equal(
	    catalogue_versions(c, m->document, sight, note_version, &seen, NULL), ARK_OK);
	assert_int_equal(seen, expect);
	return may;
}

static void test_catalogue__sql_admits_what_the_filters_of_a_sight_admit(void **state)
{
	struct fixture *f = *state;
	unsigned int seed = 42, trials = 0, admitted = 0, whole = 0;
	struct world *w = make_world(f->c, &seed);

	for (int i = 0; i < 250; i++) {
		struct access_filter *any = random_filter(&seed, 3);
		struct access_filter *other = random_filter(&seed, 3);
		struct access_sight sight = {any, i % 3 ? other : any};

		for (size_t k = draw(&seed, 5); k < w->n; k += 5) {
			admitted += check_sight(w, f->c, &w->m[k], &sight);
			whole += admits(other, &w->m[k]);
			trials++;
		}
		access_filter_free(any);
		access_filter_free(other);
	}
	assert_in_range(admitted, trials / 10, trials - trials / 10);
	assert_in_range(whole, trials / 10, trials - trials / 10);
	free(w);
}

/* Leaves of one kind under one OR become one IN: each must be found by each of its values. */
static void test_catalogue__five_hundred_units_are_one_question(void **state)
{
	struct fixture *f = *state;
	struct access_filter leaf[500], *child[500], *one[1];
	struct access_filter any = {.op = ACCESS_OP_OR, .child = child, .children = 500};
	struct access_filter not = {.op = ACCESS_OP_NOT, .child = one, .children = 1};
	unsigned int seed = 42;
	struct world *w = make_world(f->c, &seed);
	char names[500][16];
	size_t found = 0, looked = 0;

	one[0] = &any;
	for (size_t i = 0; i < 500; i++) {
		snprintf(names[i], sizeof(names[i]), i == 250 ? "kuusela" : "unit-%zu", i);
		leaf[i] = (struct access_filter){ACCESS_OP_HAS,
		    i == 400 ? ACCESS_ATTR_STATE : ACCESS_ATTR_UNIT, names[i], NULL, 0};
		child[i] = &leaf[i];
	}
	for (size_t k = 0; k < w->n; k += 3) {
		found += check_sight(w, f->c, &w->m[k], &(struct access_sight){&any, &not });
		check_sight(w, f->c, &w->m[k], &(struct access_sight){&not, &any});
	}
	assert_in_range(found, 5, w->n / 3 - 5);
	for (size_t i = 0; i < DB_STATEMENTS; i++) {
		const char *at = f->c->db.kept[i].stmt ? sqlite3_sql(f->c->db.kept[i].stmt) : "";
		size_t asked = 0;

		while ((at = strstr(at, "x.unit")))
			asked++, at++;
		assert_in_range(asked, 0, 3); /* once where the filter stands, not once a unit */
		looked += asked;
	}
	assert_in_range(looked, 5, 50);
	free(w);
}

static void test_catalogue__a_sight_lacking_a_filter_is_refused(void **state)
{
	struct fixture *f = *state;
	struct access_filter all = {.op = ACCESS_OP_ALL};
	struct access_sight lacks[] = {{&all, NULL}, {NULL, &all}, {NULL, NULL}};
	struct catalogue_list l = {.limit = 5};
	struct catalogue_row row;
	struct model m;
	unsigned int seed = 1;
	uint64_t n;
	bool admitted;

	make_version(&m, 5, 1, 1, 0, &seed);
	apply(f->c, &m.fact, 1, 1);
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(
		    catalogue_get(f->c, m.document, 1, &lacks[i], &row, NULL), ARK_EINPUT);
		assert_int_equal(catalogue_count(f->c, &l, &lacks[i], &n, NULL), ARK_EINPUT);
		assert_int_equal(
		    catalogue_documents(f->c, &l, &lacks[i], NULL, NULL, NULL), ARK_EINPUT);
		assert_int_equal(
		    catalogue_versions(f->c, m.document, &lacks[i], NULL, NULL, NULL), ARK_EINPUT);
	}
	assert_int_equal(catalogue_admits(f->c, m.document, 1, NULL, &admitted, NULL), ARK_EINPUT);
	assert_int_equal(
	    catalogue_admits(f->c, m.document, 2, &all, &admitted, NULL), ARK_ENOTFOUND);
	assert_int_equal(catalogue_get(f->c, m.document, 1, NULL, &row, NULL), ARK_OK);
	assert_true(row.whole);
	catalogue_row_free(&row);
}

static void test_catalogue__a_filter_beyond_the_bounds_is_refused(void **state)
{
	struct fixture *f = *state;
	struct access_filter level[40] = {0}, *child[40], many = {.op = ACCESS_OP_OR};
	struct access_filter leaf = {ACCESS_OP_HAS, ACCESS_ATTR_COUNTY, (char[]){"90"}, NULL, 0};
	struct catalogue_row row;
	struct ark_error err;
	char document[33];

	name_document(document, 1);
	for (int i = 0; i < 40; i++) {
		child[i] = &level[i + 1 < 40 ? i + 1 : i];
		level[i] = (struct access_filter){ACCESS_OP_NOT, 0, NULL, &child[i], i < 39};
	}
	assert_int_equal(catalogue_get(f->c, document, 0,
			     &(struct access_sight){&level[0], &level[0]}, &row, &err),
	    ARK_EINPUT);
	many.children = 140000;
	many.child = calloc(many.children, sizeof(struct access_filter *));
	assert_non_null(many.child);
	for (size_t i = 0; i < many.children; i++)
		many.child[i] = &leaf;
	assert_int_equal(
	    catalogue_get(f->c, document, 0, &(struct access_sight){&many, &many}, &row, &err),
	    ARK_EINPUT);
	many.children = 120; /* an organisation of every county */
	assert_int_equal(
	    catalogue_get(f->c, document, 0, &(struct access_sight){&many, &many}, &row, &err),
	    ARK_ENOTFOUND);
	free(many.child);
}

/* ---- lists ---- */
struct page {
	const struct model **expect;
	size_t at, len, given;
	struct catalogue_list *list;
};

static int check_page(void *arg, const struct catalogue_row *row)
{
	struct page *p = arg;

	assert_true(p->at < p->len);
	assert_string_equal(row->document, p->expect[p->at]->document);
	assert_int_equal(row->version, p->expect[p->at]->version);
	snprintf(p->list->after_date, sizeof(p->list->after_date), "%s", row->date);
	snprintf(p->list->after_document, sizeof(p->list->after_document), "%s", row->document);
	p->at++, p->given++;
	return 0;
}

static void check_list(const struct world *w, struct catalogue *c, struct catalogue_list *l,
    struct access_filter *filter)
{
	const struct model *expect[DOCUMENTS];
	struct page p = {.expect = expect, .list = l};
	struct ark_error err = {0};
	uint64_t count;

	p.len = expect_documents(w, l, filter, expect);
	do {
		p.given = 0;
		if (catalogue_documents(c, l, SIGHT(filter), check_page, &p, &err))
			fail_msg("documents: %s", err.text);
		assert_true(p.given <= l->limit);
	} while (p.given == l->limit);
	assert_int_equal(p.at, p.len);
	assert_int_equal(catalogue_count(c, l, SIGHT(filter), &count, NULL), ARK_OK);
	assert_int_equal(count, p.len);
}

static void test_catalogue__pages_and_counts_follow_the_model(void **state)
{
	struct fixture *f = *state;
	unsigned int seed = 7;
	struct world *w = make_world(f->c, &seed);
	struct access_filter *fixed[] = {NULL, filter_of(ACCESS_ORG_STATE_AGENCY, "90"),
	    filter_of(ACCESS_ORG_PROVIDER, "90"), filter_of(ACCESS_ORG_COUNTY, "06")};

	for (unsigned int i = 0; i < 400; i++) {
		bool random = draw(&seed, 2);
		struct access_filter *filter = random ? random_filter(&seed, 2) : fixed[i % 4];
		struct catalogue_list l = {.unit = draw(&seed, 3) ? NULL : units[draw(&seed, 4)],
		    .case_id = draw(&seed, 3) ? NULL : "c1",
		    .type = draw(&seed, 3) ? NULL : types[draw(&seed, 2)],
		    .from = draw(&seed, 3) ? NULL : dates[draw(&seed, 4)],
		    .to = draw(&seed, 3) ? NULL : dates[draw(&seed, 4)],
		    .limit = 1 + draw(&seed, 40)};

		check_list(w, f->c, &l, filter);
		if (random)
			access_filter_free(filter);
	}
	for (size_t i = 1; i < 4; i++)
		access_filter_free(fixed[i]);
	free(w);
}

static void test_catalogue__lists_walk_an_index_and_never_sort(void **state)
{
	struct fixture *f = *state;
	unsigned int seed = 7;
	struct world *w = make_world(f->c, &seed);
	struct access_filter *filters[] = {NULL, filter_of(ACCESS_ORG_STATE_AGENCY, "90"),
	    filter_of(ACCESS_ORG_PROVIDER, "90"), filter_of(ACCESS_ORG_COUNTY, "06")};
	size_t looked = 0;

	for (size_t i = 0; i < 4; i++) {
		struct catalogue_list plain = {.limit = 3}, unit = {.unit = "koivula", .limit = 3},
				      type = {.type = "decision", .limit = 3},
				      of_case = {.case_id = "c1", .limit = 3},
				      range = {
					  .from = "1999-01-01", .to = "2200-12-31", .limit = 3};

		check_list(w, f->c, &plain, filters[i]);
		check_list(w, f->c, &unit, filters[i]);
		check_list(w, f->c, &type, filters[i]);
		check_list(w, f->c, &of_case, filters[i]);
		check_list(w, f->c, &range, filters[i]);
		access_filter_free(filters[i]);
	}
	for (size_t i = 0; i < DB_STATEMENTS; i++) {
		sqlite3_stmt *s = f->c->db.kept[i].stmt;

		if (!s || !strstr(sqlite3_sql(s), "LIMIT"))
			continue;
		assert_int_equal(sqlite3_stmt_status(s, SQLITE_STMTSTATUS_SORT, 0), 0);
		looked++;
	}
	assert_in_range(looked, 15, DB_STATEMENTS);
	free(w);
}

static void test_catalogue__malformed_lists_are_refused_and_quotes_find_nothing(void **state)
{
	struct fixture *f = *state;
	unsigned int seed = 7;
	struct world *w = make_world(f->c, &seed);
	struct catalogue_list bad = {.from = "2026-3-1", .limit = 1};
	struct catalogue_list quoted = {.unit = "x' OR '1'='1", .limit = 9};
	struct catalogue_list type = {.type = "decision' OR 1=1 --", .limit = 9};
	uint64_t count = 9;

	assert_int_equal(catalogue_count(f->c, &bad, NULL, &count, NULL), ARK_EINPUT);
	bad = (struct catalogue_list){.after_date = "2026-03-01", .limit = 1};
	assert_int_equal(catalogue_documents(f->c, &bad, NULL, NULL, NULL, NULL), ARK_EINPUT);
	assert_int_equal(catalogue_count(f->c, &quoted, NULL, &count, NULL), ARK_OK);
	assert_int_equal(count, 0);
	assert_int_equal(catalogue_count(f->c, &type, NULL, &count, NULL), ARK_OK);
	assert_int_equal(count, 0);
	free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    BOTH(test_catalogue__sql_admits_what_the_filters_of_a_sight_admit),
	    BOTH(test_catalogue__five_hundred_units_are_one_question),
	    BOTH(test_catalogue__a_sight_lacking_a_filter_is_refused),
	    BOTH(test_catalogue__a_filter_beyond_the_bounds_is_refused),
	    BOTH(test_catalogue__pages_and_counts_follow_the_model),
	    BOTH(test_catalogue__lists_walk_an_index_and_never_sort),
	    BOTH(test_catalogue__malformed_lists_are_refused_and_quotes_find_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
