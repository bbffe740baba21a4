/* The catalogue against a plain model of what was filed. */
#include "tests/unit/unit_keyring.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/wait.h>
#include <unistd.h>

#include "archive/catalogue_private.h"
#include "arkki/archive/state.h"
#include "arkki/base/clock.h"
#include "arkki/base/text.h"

struct fixture {
	struct unit_keyring k;
	char path[300];
	struct catalogue *c;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	unit_keyring_begin(&f->k);
	snprintf(f->path, sizeof(f->path), "%s/catalogue.sqlite", f->k.dir);
	assert_int_equal(catalogue_open(f->path, f->k.keys, true, true, &f->c, NULL), ARK_OK);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	catalogue_close(f->c);
	unit_keyring_end(&f->k);
	free(f);
	return 0;
}

static unsigned int draw(unsigned int *seed, unsigned int n)
{
	*seed = *seed * 1664525U + 1013904223U;
	return (*seed >> 16) % n;
}

/* A sight that shows whole all that there is. */
#define SIGHT(f) ((f) ? &(struct access_sight){(f), (f)} : NULL)

/* ---- facts ---- */
static const char *const classes[] = {"public", "secret", "partly-secret"};
static const char *const counties[] = {"90", "06", "21"};
static const char *const units[] = {"koivula", "mantyla", "kuusela", "90"};
static const char *const orgs[] = {"lvv", "esavi", "90"};
static const char *const types[] = {"inspection-report", "decision"};
static const char *const states[] = {"final", "draft"};
static const char *const dates[] = {"2026-03-12", "2025-12-31", "1999-01-01", "2200-12-31"};

static void name_document(char out[33], unsigned int n)
{
	snprintf(out, 33, "%08x%024x", n * 2654435761U, n);
}

/* What the model knows of one version; the fact points into it. */
struct model {
	char document[33];
	uint32_t version;
	const char *unit[3], *county[3], *addressee[3];
	bool rendition;
	char seal[64];
	struct catalogue_fact fact;
};

static void attributes(struct model *m, unsigned int *seed)
{
	struct catalogue_fact *f = &m->fact;

	f->type = types[draw(seed, 2)];
	f->date = dates[draw(seed, 4)];
	f->publicity = classes[draw(seed, 3)];
	f->state = states[draw(seed, 2)];
	f->author = draw(seed, 4) ? orgs[draw(seed, 3)] : NULL;
	f->case_id = draw(seed, 3) ? NULL : "c1";
	f->language = "fi";
	f->units = m->unit;
	f->counties = m->county;
	f->visit_date = draw(seed, 2) ? dates[draw(seed, 4)] : NULL;
	f->addressees = m->addressee;
	f->addressees_len = draw(seed, 4);
	for (size_t i = 0; i < f->addressees_len; i++)
		m->addressee[i] = orgs[draw(seed, 3)];
	f->units_len = draw(seed, 4);
	f->counties_len = draw(seed, 4);
	for (size_t i = 0; i < f->units_len; i++)
		m->unit[i] = units[draw(seed, 4)];
	for (size_t i = 0; i < f->counties_len; i++)
		m->county[i] = counties[draw(seed, 3)];
	f->sealed_metadata = (struct catalogue_blob){m->seal, strlen(m->seal)};
}

static void make_version(struct model *m, unsigned int document, uint32_t version,
    uint64_t sequence, uint32_t item, unsigned int *seed)
{
	memset(m, 0, sizeof(*m));
	name_document(m->document, document);
	m->version = version;
	snprintf(m->seal, sizeof(m->seal), "sealed %u.%u", document, version);
	m->fact = (struct catalogue_fact){.kind = FACT_VERSION,
	    .sequence = sequence,
	    .item = item,
	    .time_us = (int64_t)sequence * 1000,
	    .document = m->document,
	    .version = version,
	    .metadata = version,
	    .sealed_version = {m->seal, strlen(m->seal)},
	    .filed_by = "maija",
	    .filed_by_org = "lvv",
	    .size = sequence,
	    .sealed_size = sequence + 72,
	    .media_type = "application/pdf"};
	m->fact.content.id[3] = (unsigned char)version;
	attributes(m, seed);
}

static void apply(struct catalogue *c, const struct catalogue_fact *facts, size_t n, uint64_t seq)
{
	struct ark_error err = {0};

	if (catalogue_apply(c, facts, n, seq, &err))
		fail_msg("apply: %s", err.text);
}

enum { DOCUMENTS = 120, VERSIONS_MAX = 4 };
struct world {
	struct model m[DOCUMENTS * VERSIONS_MAX];
	size_t n, changes; /* changes: of renditions */
	uint64_t sequence;
};

/* As many renditions of one version, a commit each; the last may be a withdrawal. */
static void add_renditions(
    struct catalogue *c, struct world *w, struct model *m, size_t n, bool withdrawn)
{
	for (uint32_t number = 1; number <= n; number++) {
		struct catalogue_fact f = {.kind = FACT_RENDITION,
		    .sequence = ++w->sequence,
		    .time_us = (int64_t)w->sequence * 1000,
		    .document = m->document,
		    .version = m->version,
		    .rendition = number,
		    .withdrawn = withdrawn && number == n,
		    .sealed_rendition = {"sealed rendition", 16},
		    .size = number,
		    .sealed_size = number + 72,
		    .media_type = "text/plain"};

		apply(c, &f, 1, w->sequence);
		m->rendition = !f.withdrawn;
		w->changes++;
	}
}

/* Versions of many documents, a commit each five, in mixed order; some amended afterwards. */
static struct world *make_world(struct catalogue *c, unsigned int *seed)
{
	struct world *w = calloc(1, sizeof(*w));

	assert_non_null(w);
	for (uint32_t version = 1; version <= VERSIONS_MAX; version++) {
		for (unsigned int d = 0; d < DOCUMENTS; d++) {
			if (d % VERSIONS_MAX + 1 < version)
				continue;
			make_version(&w->m[w->n], d, version, w->n / 5 + 1, w->n % 5, seed);
			w->n++;
		}
	}
	for (size_t i = 0; i < w->n; i += 5) {
		struct catalogue_fact group[5];
		size_t n = w->n - i < 5 ? w->n - i : 5;

		for (size_t k = 0; k < n; k++)
			group[k] = w->m[i + k].fact;
		w->sequence = group[0].sequence;
		apply(c, group, n, w->sequence);
	}
	for (size_t i = 0; i < w->n; i += 7) {
		struct catalogue_fact f;

		snprintf(w->m[i].seal, sizeof(w->m[i].seal), "amended %zu", i);
		attributes(&w->m[i], seed);
		f = w->m[i].fact;
		f.kind = FACT_METADATA;
		f.sequence = ++w->sequence;
		f.item = 0;
		f.metadata = w->m[i].fact.metadata = 100;
		apply(c, &f, 1, w->sequence);
	}
	for (size_t i = 0; i < w->n; i += 3)
		add_renditions(c, w, &w->m[i], 1 + i % 4, i % 5 == 0);
	return w;
}

static struct access_resource resource(const struct model *m)
{
	return (struct access_resource){.publicity = m->fact.publicity,
	    .author = m->fact.author,
	    .state = m->fact.state,
	    .type = m->fact.type,
	    .units = {m->unit, m->fact.units_len},
	    .counties = {m->county, m->fact.counties_len},
	    .addressees = {m->addressee, m->fact.addressees_len},
	    .date = m->fact.date,
	    .visit_date = m->fact.visit_date,
	    .rendition = m->rendition};
}

static bool admits(struct access_filter *f, const struct model *m)
{
	struct access_resource r = resource(m);

	return access_filter_admits(f, &r);
}

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

static struct access_filter *leaf_of(
    enum access_op op, enum access_attribute attribute, const char *value)
{
	struct access_filter *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	f->op = op;
	f->attribute = attribute;
	if (value)
		assert_non_null(f->value = strdup(value));
	return f;
}

/* What each kind of organisation mostly sees: all, what is public, that and a county's. */
static struct access_filter *filter_of(enum access_org_kind kind, const char *county)
{
	struct access_filter *f;

	if (kind == ACCESS_ORG_STATE_AGENCY)
		return leaf_of(ACCESS_OP_ALL, ACCESS_ATTR_PUBLICITY, NULL);
	if (kind == ACCESS_ORG_PROVIDER)
		return leaf_of(ACCESS_OP_HAS, ACCESS_ATTR_PUBLICITY, "public");
	f = leaf_of(ACCESS_OP_OR, ACCESS_ATTR_PUBLICITY, NULL);
	f->child = calloc(2, sizeof(struct access_filter *));
	assert_non_null(f->child);
	f->child[f->children++] = filter_of(ACCESS_ORG_PROVIDER, county);
	f->child[f->children++] = leaf_of(ACCESS_OP_HAS, ACCESS_ATTR_COUNTY, county);
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

/* ---- one version ---- */
static void test_catalogue__a_version_comes_back_as_it_was_filed(void **state)
{
	struct fixture *f = *state;
	struct catalogue_row row;
	unsigned int seed = 1;
	struct model m;

	make_version(&m, 5, 1, 9, 0, &seed);
	m.fact.size = 1ULL << 40;
	m.fact.chunks = 77;
	apply(f->c, &m.fact, 1, 9);
	assert_int_equal(catalogue_sequence(f->c), 9);
	assert_int_equal(catalogue_get(f->c, m.document, 1, NULL, &row, NULL), ARK_OK);
	assert_string_equal(row.document, m.document);
	assert_int_equal(row.version, 1);
	assert_int_equal(row.metadata, 1);
	assert_int_equal(row.sequence, 9);
	assert_int_equal(row.metadata_sequence, 9);
	assert_int_equal(row.filed_us, 9000);
	assert_string_equal(row.date, m.fact.date);
	assert_string_equal(row.type, m.fact.type);
	assert_string_equal(row.language, "fi");
	assert_string_equal(row.publicity, m.fact.publicity);
	assert_string_equal(row.state, m.fact.state);
	assert_string_equal(row.media_type, "application/pdf");
	assert_int_equal(row.size, 1ULL << 40);
	assert_int_equal(row.sealed_size, 9 + 72);
	assert_int_equal(row.chunks, 77);
	assert_memory_equal(row.content.id, m.fact.content.id, STORE_OID_SIZE);
	assert_string_equal(row.sealed_metadata.data, m.seal);
	assert_string_equal(row.sealed_version.data, m.seal);
	assert_string_equal(row.text_state, "pending");
	assert_null(row.text_reason);
	catalogue_row_free(&row);
}

static void test_catalogue__what_is_not_there_is_not_found(void **state)
{
	struct fixture *f = *state;
	struct catalogue_row row;
	struct model m;
	unsigned int seed = 1;
	uint32_t a, b;
	char document[33];

	make_version(&m, 5, 1, 1, 0, &seed);
	apply(f->c, &m.fact, 1, 1);
	assert_int_equal(catalogue_get(f->c, m.document, 2, NULL, &row, NULL), ARK_ENOTFOUND);
	name_document(document, 6);
	assert_int_equal(catalogue_get(f->c, document, 0, NULL, &row, NULL), ARK_ENOTFOUND);
	assert_int_equal(catalogue_get(f->c, "' OR 1 --", 0, NULL, &row, NULL), ARK_ENOTFOUND);
	assert_int_equal(catalogue_newest(f->c, document, &a, &b, NULL), ARK_ENOTFOUND);
	assert_int_equal(catalogue_newest(f->c, m.document, &a, &b, NULL), ARK_OK);
	assert_int_equal(
	    catalogue_set_text(f->c, document, 1, 0, "ready", NULL, NULL), ARK_ENOTFOUND);
}

static void test_catalogue__metadata_amends_one_version(void **state)
{
	struct fixture *f = *state;
	struct access_filter *public = filter_of(ACCESS_ORG_PROVIDER, "90");
	struct catalogue_row row;
	unsigned int seed = 1;
	struct model v[2];
	struct catalogue_fact amend;
	uint32_t newest, metadata;

	for (uint32_t i = 0; i < 2; i++) {
		make_version(&v[i], 5, i + 1, i + 1, 0, &seed);
		v[i].fact.publicity = "public";
		apply(f->c, &v[i].fact, 1, i + 1);
	}
	amend = v[1].fact;
	amend.kind = FACT_METADATA, amend.publicity = "secret", amend.metadata = 3;
	amend.sequence = 3, amend.date = "2030-01-01";
	apply(f->c, &amend, 1, 3);
	assert_int_equal(catalogue_newest(f->c, v[0].document, &newest, &metadata, NULL), ARK_OK);
	assert_int_equal(newest, 2);
	assert_int_equal(metadata, 3);
	assert_int_equal(catalogue_get(f->c, v[0].document, 0, SIGHT(public), &row, NULL), ARK_OK);
	assert_int_equal(row.version, 1);
	assert_int_equal(row.visible_versions, 1);
	assert_int_equal(row.metadata_sequence, 1);
	catalogue_row_free(&row);
	assert_int_equal(
	    catalogue_get(f->c, v[0].document, 2, SIGHT(public), &row, NULL), ARK_ENOTFOUND);
	assert_int_equal(catalogue_get(f->c, v[0].document, 0, NULL, &row, NULL), ARK_OK);
	assert_string_equal(row.date, "2030-01-01");
	assert_int_equal(row.metadata, 3);
	assert_int_equal(row.metadata_sequence, 3);
	assert_int_equal(row.sequence, 2);
	catalogue_row_free(&row);
	access_filter_free(public);
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

/* ---- replay ---- */
static void dump(const char *path, struct buf *out)
{
	static const char *const sql[] = {"SELECT * FROM version ORDER BY id",
	    "SELECT * FROM version_unit ORDER BY id, unit", "SELECT * FROM version_county",
	    "SELECT * FROM version_addressee", "SELECT * FROM change", "SELECT * FROM record",
	    "SELECT * FROM applied"};
	sqlite3 *db;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	for (size_t i = 0; i < sizeof(sql) / sizeof(*sql); i++) {
		sqlite3_stmt *s;

		assert_int_equal(sqlite3_prepare_v2(db, sql[i], -1, &s, NULL), SQLITE_OK);
		while (sqlite3_step(s) == SQLITE_ROW) {
			for (int k = 0; k < sqlite3_column_count(s); k++) {
				const void *bytes = sqlite3_column_blob(s, k);

				buf_add(out, bytes, (size_t)sqlite3_column_bytes(s, k));
				buf_addc(out, '|');
			}
		}
		sqlite3_finalize(s);
	}
	sqlite3_close(db);
}

static void test_catalogue__replay_changes_nothing_and_a_rebuild_is_equal(void **state)
{
	struct fixture *f = *state;
	struct buf before = BUF_INIT, after = BUF_INIT, rebuilt = BUF_INIT;
	char path[300];
	struct catalogue *again;
	unsigned int seed = 3;
	struct world *w = make_world(f->c, &seed);

	dump(f->path, &before);
	assert_true(before.len > 10000);
	for (size_t i = 0; i < w->n; i++)
		apply(f->c, &w->m[i].fact, 1, w->m[i].fact.sequence);
	assert_int_equal(catalogue_sequence(f->c), w->sequence);
	dump(f->path, &after);
	assert_int_equal(before.len, after.len);
	assert_memory_equal(before.data, after.data, before.len);
	snprintf(path, sizeof(path), "%s/again.sqlite", f->k.dir);
	assert_int_equal(catalogue_open(path, f->k.keys, true, true, &again, NULL), ARK_OK);
	free(w);
	seed = 3;
	w = make_world(again, &seed);
	catalogue_close(again);
	dump(path, &rebuilt);
	assert_int_equal(before.len, rebuilt.len);
	assert_memory_equal(before.data, rebuilt.data, before.len);
	buf_free(&before);
	buf_free(&after);
	buf_free(&rebuilt);
	free(w);
}

static void test_catalogue__a_batch_with_one_bad_fact_leaves_nothing(void **state)
{
	struct fixture *f = *state;
	unsigned int seed = 3;
	struct model m[2];
	struct catalogue_fact facts[2];
	struct buf before = BUF_INIT, after = BUF_INIT;
	struct ark_error err;

	make_version(&m[0], 1, 1, 1, 0, &seed);
	apply(f->c, &m[0].fact, 1, 1);
	dump(f->path, &before);
	make_version(&m[0], 2, 1, 2, 0, &seed);
	make_version(&m[1], 3, 1, 2, 1, &seed);
	facts[0] = m[0].fact, facts[1] = m[1].fact;
	facts[1].date = "2026-02-30";
	assert_int_equal(catalogue_apply(f->c, facts, 2, 2, &err), ARK_EINPUT);
	facts[1] = m[1].fact, facts[1].kind = FACT_METADATA;
	assert_int_equal(catalogue_apply(f->c, facts, 2, 2, &err), ARK_ECORRUPT);
	facts[1] = m[0].fact, facts[1].item = 1; /* the same version again */
	assert_int_equal(catalogue_apply(f->c, facts, 2, 2, &err), ARK_ECORRUPT);
	facts[1] = m[1].fact, facts[1].sequence = 3; /* of a commit beyond */
	assert_int_equal(catalogue_apply(f->c, facts, 2, 2, &err), ARK_EINPUT);
	dump(f->path, &after);
	assert_int_equal(before.len, after.len);
	assert_memory_equal(before.data, after.data, before.len);
	assert_int_equal(catalogue_sequence(f->c), 1);
	facts[1] = m[1].fact;
	apply(f->c, facts, 2, 2);
	buf_free(&before);
	buf_free(&after);
}

/* ---- changes ---- */
struct trail {
	uint64_t sequence[1000];
	uint32_t item[1000], version[1000];
	char kind[1000];
	size_t n, stop;
};

static int note_change(void *arg, const struct catalogue_change *change)
{
	struct trail *t = arg;

	t->sequence[t->n] = change->sequence;
	t->item[t->n] = change->item;
	t->version[t->n] = change->version;
	t->kind[t->n++] = change->kind[0];
	return t->stop && t->n == t->stop ? 17 : 0;
}

static void test_catalogue__changes_keep_the_order_of_the_store(void **state)
{
	struct fixture *f = *state;
	unsigned int seed = 3;
	struct world *w = make_world(f->c, &seed);
	struct trail all = {0}, part = {0}, stopped = {.stop = 3};
	struct access_filter *public = filter_of(ACCESS_ORG_PROVIDER, "90");
	size_t expect = 0;

	assert_int_equal(
	    catalogue_changes(f->c, 0, 0, 1000, NULL, note_change, &all, NULL), ARK_OK);
	/* (0, 0) is before everything; 0 stands for no commit */
	assert_int_equal(all.n, w->n + (w->n + 6) / 7 + w->changes);
	for (size_t i = 0; i < w->n; i++) {
		assert_int_equal(all.sequence[i], i / 5 + 1);
		assert_int_equal(all.item[i], i % 5);
		assert_int_equal(all.kind[i], w->m[i].version == 1 ? 'f' : 'v');
	}
	assert_int_equal(all.kind[w->n], 'm');
	assert_int_equal(all.kind[all.n - 1], 'r');
	assert_int_equal(catalogue_changes(f->c, 3, 2, 4, NULL, note_change, &part, NULL), ARK_OK);
	assert_int_equal(part.n, 4);
	assert_int_equal(part.sequence[0], 3);
	assert_int_equal(part.item[0], 3);
	assert_int_equal(part.sequence[2], 4);
	assert_int_equal(part.item[2], 0);
	assert_int_equal(catalogue_changes(f->c, 0, 0, 9, NULL, note_change, &stopped, NULL), 17);
	assert_int_equal(stopped.n, 3);
	part.n = 0;
	assert_int_equal(
	    catalogue_changes(f->c, 0, 0, 1000, SIGHT(public), note_change, &part, NULL), ARK_OK);
	for (size_t i = 0; i < w->n; i++)
		expect +=
		    admits(public, &w->m[i]) * (1U + (i % 7 == 0) + (i % 3 == 0 ? 1U + i % 4 : 0));
	assert_int_equal(part.n, expect);
	access_filter_free(public);
	free(w);
}

static int note_after(void *arg, const struct catalogue_row *row)
{
	struct trail *t = arg;

	t->version[t->n] = row->version;
	t->item[t->n] = row->metadata;
	t->sequence[t->n++] = row->change_sequence;
	return 0;
}

static void test_catalogue__the_indexer_gets_whole_commits_and_amended_versions(void **state)
{
	struct fixture *f = *state;
	unsigned int seed = 3;
	struct world *w = make_world(f->c, &seed);
	struct trail t = {0};
	uint64_t at = 0;
	size_t total = 0, rows;

	assert_int_equal(catalogue_after(f->c, 0, 3, note_after, &t, NULL), ARK_OK);
	assert_int_equal(t.n, 5); /* the commit of five is not cut at three */
	assert_int_equal(t.sequence[4], 1);
	do {
		t.n = 0;
		assert_int_equal(catalogue_after(f->c, at, 12, note_after, &t, NULL), ARK_OK);
		rows = t.n, total += rows;
		for (size_t i = 0; i < rows; i++) {
			assert_true(t.sequence[i] >= at);
			at = t.sequence[i];
		}
	} while (rows >= 12);
	assert_int_equal(total, w->n + (w->n + 6) / 7 + w->changes);
	assert_int_equal(at, w->sequence);
	t.n = 0;
	assert_int_equal(catalogue_after(f->c, at, 12, note_after, &t, NULL), ARK_OK);
	assert_int_equal(t.n, 0);
	t.n = 0;
	assert_int_equal(catalogue_all(f->c, note_after, &t, NULL), ARK_OK);
	assert_int_equal(t.n, w->n);
	free(w);
}

/* ---- the rest ---- */
static void test_catalogue__requests_are_found_by_their_hash(void **state)
{
	struct fixture *f = *state;
	unsigned int seed = 3;
	struct model m;
	char document[33];
	uint32_t version;

	make_version(&m, 4, 1, 1, 0, &seed);
	m.fact.request = "00112233445566778899aabbccddeeff";
	apply(f->c, &m.fact, 1, 1);
	assert_int_equal(
	    catalogue_request(f->c, "00112233445566778899aabbccddeeff", document, &version, NULL),
	    ARK_OK);
	assert_string_equal(document, m.document);
	assert_int_equal(version, 1);
	assert_int_equal(catalogue_request(f->c, "00", document, &version, NULL), ARK_ENOTFOUND);
}

static int note_record(
    void *arg, const char *name, uint32_t number, const struct catalogue_blob *sealed)
{
	struct buf *out = arg;

	assert_int_equal(strlen(name), 32);
	buf_addf(out, "%u:%.*s ", number, (int)sealed->len, (const char *)sealed->bytes);
	return 0;
}

static void test_catalogue__the_newest_record_of_each_id_is_kept(void **state)
{
	struct fixture *f = *state;
	static const struct {
		const char *kind, *id, *sealed;
		uint32_t number;
	} records[] = {{"units", "koivula", "one", 1}, {"units", "mantyla", "other", 1},
	    {"units", "koivula", "two", 2}, {"users", "koivula", "user", 1}};
	struct buf b = BUF_INIT;
	uint32_t number;

	for (size_t i = 0; i < 4; i++) {
		struct catalogue_fact fact = {.kind = FACT_RECORD,
		    .sequence = i + 1,
		    .record_kind = records[i].kind,
		    .record_id = records[i].id,
		    .record_number = records[i].number,
		    .sealed_record = {records[i].sealed, strlen(records[i].sealed)}};

		apply(f->c, &fact, 1, i + 1);
	}
	assert_int_equal(catalogue_record_number(f->c, "units", "koivula", &number, NULL), ARK_OK);
	assert_int_equal(number, 2);
	assert_int_equal(catalogue_record_number(f->c, "units", "none", &number, NULL), ARK_OK);
	assert_int_equal(number, 0);
	assert_int_equal(catalogue_records(f->c, "units", note_record, &b, NULL), ARK_OK);
	assert_int_equal(b.len, 14);
	assert_non_null(strstr(b.data, "2:two "));
	assert_non_null(strstr(b.data, "1:other "));
	buf_free(&b);
}

static void test_catalogue__text_state_is_set_and_survives_new_metadata(void **state)
{
	struct fixture *f = *state;
	struct catalogue_row row;
	unsigned int seed = 3;
	struct model m;

	make_version(&m, 4, 1, 1, 0, &seed);
	apply(f->c, &m.fact, 1, 1);
	assert_int_equal(
	    catalogue_set_text(f->c, m.document, 1, 0, "done", NULL, NULL), ARK_EINPUT);
	assert_int_equal(
	    catalogue_set_text(f->c, m.document, 1, 0, "none", "encrypted", NULL), ARK_OK);
	m.fact.kind = FACT_METADATA, m.fact.sequence = 2;
	apply(f->c, &m.fact, 1, 2);
	assert_int_equal(catalogue_get(f->c, m.document, 1, NULL, &row, NULL), ARK_OK);
	assert_string_equal(row.text_state, "none");
	assert_string_equal(row.text_reason, "encrypted");
	catalogue_row_free(&row);
}

static int count_row(void *arg, const struct catalogue_row *row)
{
	(void)row;
	(*(unsigned int *)arg)++;
	return 0;
}

static struct catalogue_fact rendition_of(
    const struct model *m, uint64_t sequence, uint32_t number, bool withdrawn)
{
	return (struct catalogue_fact){.kind = FACT_RENDITION,
	    .sequence = sequence,
	    .time_us = (int64_t)sequence * 1000,
	    .document = m->document,
	    .version = m->version,
	    .rendition = number,
	    .withdrawn = withdrawn,
	    .sealed_rendition = {m->seal, strlen(m->seal)},
	    .size = withdrawn ? 0 : 40 + number,
	    .sealed_size = withdrawn ? 0 : 112 + number,
	    .media_type = withdrawn ? NULL : "text/plain",
	    .content = {{9, 9, (unsigned char)number}},
	    .chunks = number - 1};
}

static void test_catalogue__a_rendition_is_of_one_version_and_the_newest_counts(void **state)
{
	struct fixture *f = *state;
	struct catalogue_row row, copy;
	struct catalogue_fact first, second, third;
	struct catalogue_tally tally = {0}, has = {0};
	unsigned int seed = 3;
	struct ark_error err;
	struct model m;

	make_version(&m, 4, 1, 1, 0, &seed);
	apply(f->c, &m.fact, 1, 1);
	first = rendition_of(&m, 2, 1, false);
	second = rendition_of(&m, 3, 2, false);
	third = rendition_of(&m, 4, 3, true);
	assert_int_equal(catalogue_apply(f->c, &second, 1, 3, &err), ARK_ECORRUPT); /* a gap */
	apply(f->c, &first, 1, 2);
	apply(f->c, &second, 1, 3);
	assert_int_equal(catalogue_get(f->c, m.document, 1, NULL, &row, NULL), ARK_OK);
	assert_int_equal(catalogue_row_copy(&copy, &row), ARK_OK);
	catalogue_row_free(&row);
	assert_int_equal(copy.renditions, 2);
	assert_int_equal(copy.rendition.number, 2);
	assert_int_equal(copy.rendition.sequence, 3);
	assert_int_equal(copy.rendition.filed_us, 3000);
	assert_int_equal(copy.rendition.size, 42);
	assert_int_equal(copy.rendition.sealed_size, 114);
	assert_int_equal(copy.rendition.chunks, 1);
	assert_memory_equal(copy.rendition.content.id, second.content.id, STORE_OID_SIZE);
	assert_string_equal(copy.rendition.sealed.data, m.seal);
	assert_string_equal(copy.rendition.media_type, "text/plain");
	assert_string_equal(copy.rendition.text_state, "pending");
	assert_int_equal(copy.metadata, 1);
	catalogue_row_free(&copy);
	for (size_t i = 0; i < 2; i++)
		assert_int_equal(catalogue_holds(f->c, i ? &second : &first, &tally, NULL), 1);
	assert_int_equal(catalogue_tables(f->c, &has, NULL), ARK_OK);
	assert_int_equal(has.renditions, 1);
	assert_int_equal(tally.renditions, 1);
	second.size++;
	assert_int_equal(catalogue_holds(f->c, &second, &tally, NULL), 0);
	assert_int_equal(catalogue_holds(f->c, &third, &tally, NULL), 0);
	apply(f->c, &third, 1, 4);
	assert_int_equal(catalogue_holds(f->c, &third, &tally, NULL), 1);
	assert_int_equal(catalogue_get(f->c, m.document, 1, NULL, &row, NULL), ARK_OK);
	assert_int_equal(row.renditions, 3);
	assert_int_equal(row.rendition.number, 0);
	assert_null(row.rendition.text_state);
	assert_int_equal(row.rendition.sealed.len, 0);
	catalogue_row_free(&row);
	assert_int_equal(catalogue_tables(f->c, &has, NULL), ARK_OK);
	assert_int_equal(has.renditions, 0);
}

static void test_catalogue__the_text_of_a_rendition_has_a_state_of_its_own(void **state)
{
	struct fixture *f = *state;
	struct catalogue_row row;
	struct catalogue_fact fact;
	unsigned int seed = 3, rows = 0;
	struct model m;

	make_version(&m, 4, 1, 1, 0, &seed);
	apply(f->c, &m.fact, 1, 1);
	assert_int_equal(
	    catalogue_set_text(f->c, m.document, 1, 1, "ready", NULL, NULL), ARK_ENOTFOUND);
	fact = rendition_of(&m, 2, 1, false);
	apply(f->c, &fact, 1, 2);
	assert_int_equal(catalogue_pending(f->c, 1, FORM_PUBLIC, count_row, &rows, NULL), ARK_OK);
	assert_int_equal(rows, 0);
	assert_int_equal(catalogue_pending(f->c, 2, FORM_PUBLIC, count_row, &rows, NULL), ARK_OK);
	assert_int_equal(rows, 1);
	assert_int_equal(catalogue_set_text(f->c, m.document, 1, 1, "none", "why", NULL), ARK_OK);
	assert_int_equal(catalogue_pending(f->c, 2, FORM_PUBLIC, count_row, &rows, NULL), ARK_OK);
	assert_int_equal(rows, 1);
	assert_int_equal(catalogue_pending(f->c, 2, FORM_WHOLE, count_row, &rows, NULL), ARK_OK);
	assert_int_equal(rows, 2);
	assert_int_equal(catalogue_get(f->c, m.document, 1, NULL, &row, NULL), ARK_OK);
	assert_string_equal(row.text_state, "pending");
	assert_string_equal(row.rendition.text_state, "none");
	assert_string_equal(row.rendition.text_reason, "why");
	catalogue_row_free(&row);
	fact = rendition_of(&m, 3, 2, false); /* another content: its text is still to be made */
	apply(f->c, &fact, 1, 3);
	assert_int_equal(
	    catalogue_set_text(f->c, m.document, 1, 1, "ready", NULL, NULL), ARK_ENOTFOUND);
	assert_int_equal(catalogue_get(f->c, m.document, 1, NULL, &row, NULL), ARK_OK);
	assert_string_equal(row.rendition.text_state, "pending");
	assert_null(row.rendition.text_reason);
	catalogue_row_free(&row);
}

static void test_catalogue__disk_holds_no_chosen_name(void **state)
{
	struct fixture *f = *state;
	unsigned int seed = 3;
	struct model m;

	make_version(&m, 4, 1, 1, 0, &seed);
	m.unit[0] = "koivulan-lastenkoti", m.county[0] = "county-of-somewhere";
	m.fact.units_len = m.fact.counties_len = 1;
	m.fact.author = m.fact.filed_by_org = "some-organisation";
	m.fact.case_id = "case-of-someone", m.fact.filed_by = "maija-meikalainen";
	apply(f->c, &m.fact, 1, 1);
	assert_true(unit_holds(f->k.dir, m.seal, strlen(m.seal))); /* the search itself works */
	assert_false(unit_holds(f->k.dir, "lastenkoti", 10));
	assert_false(unit_holds(f->k.dir, "somewhere", 9));
	assert_false(unit_holds(f->k.dir, "some-organisation", 17));
	assert_false(unit_holds(f->k.dir, "someone", 7));
	assert_false(unit_holds(f->k.dir, "meikalainen", 11));
}

static void test_catalogue__opening_checks_presence_schema_and_purpose(void **state)
{
	struct fixture *f = *state;
	struct catalogue *c = NULL;
	char path[320];
	struct ark_error err;
	unsigned int seed = 3;
	struct model m;
	sqlite3 *db;

	make_version(&m, 4, 1, 1, 0, &seed);
	snprintf(path, sizeof(path), "%s/none.sqlite", f->k.dir);
	assert_int_equal(catalogue_open(path, f->k.keys, true, false, &c, &err), ARK_ENOTFOUND);
	assert_false(fs_exists(path));
	assert_int_equal(catalogue_open(f->path, f->k.keys, false, false, &c, &err), ARK_OK);
	assert_int_equal(catalogue_apply(c, &m.fact, 1, 1, &err), ARK_EIO); /* a reader */
	assert_int_equal(catalogue_sequence(c), 0);
	apply(f->c, &m.fact, 1, 1); /* a writer beside it */
	assert_int_equal(catalogue_sequence(c), 1);
	catalogue_close(c);
	c = NULL;
	assert_int_equal(sqlite3_open(f->path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "PRAGMA user_version=99", NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
	assert_int_equal(catalogue_open(f->path, f->k.keys, true, true, &c, &err), ARK_EINPUT);
	assert_non_null(strstr(err.text, "arkki rebuild"));
	assert_null(c);
}

/* Whether another process would find the lock that every connection of a WAL database holds. */
static bool seen_as_open(const char *path)
{
	int status = 0;
	pid_t child = fork();

	assert_true(child >= 0);
	if (child == 0) { /* a child has none of our locks */
		struct flock lock = {.l_type = F_WRLCK, .l_start = 0x40000002, .l_len = 510};
		int fd = open(path, O_RDWR);

		_exit(fd < 0 || fcntl(fd, F_GETLK, &lock) < 0 ? 2 : lock.l_type != F_UNLCK);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) < 2);
	return WEXITSTATUS(status) == 1;
}

/* Else a process that reads beside a server removes the WAL under its writer. */
static void test_catalogue__further_connections_leave_the_locks_of_the_first(void **state)
{
	struct fixture *f = *state;
	struct catalogue *more = NULL;
	struct state *s = NULL;
	char path[300];

	assert_true(seen_as_open(f->path));
	assert_int_equal(catalogue_open(f->path, f->k.keys, false, false, &more, NULL), ARK_OK);
	assert_true(seen_as_open(f->path));
	catalogue_close(more);
	assert_int_equal(catalogue_open(f->path, f->k.keys, true, true, &more, NULL), ARK_OK);
	catalogue_close(more);
	assert_true(seen_as_open(f->path));
	snprintf(path, sizeof(path), "%s/state.sqlite", f->k.dir);
	assert_int_equal(state_open(path, f->k.keys, true, &s, NULL), ARK_OK);
	assert_true(seen_as_open(path));
	state_close(s);
	assert_false(seen_as_open(path));
}

struct nested {
	struct catalogue *c;
	unsigned int rows, inner;
};

static int list_again(void *arg, const struct catalogue_row *row)
{
	struct nested *n = arg;
	struct catalogue_list l = {.limit = 5};

	(void)row;
	n->rows++;
	return catalogue_documents(n->c, &l, NULL, count_row, &n->inner, NULL);
}

static void test_catalogue__a_question_within_the_same_question_is_its_own(void **state)
{
	struct fixture *f = *state;
	unsigned int seed = 3;
	struct world *w = make_world(f->c, &seed);
	struct catalogue_list l = {.limit = 5};
	struct nested n = {.c = f->c};

	assert_int_equal(catalogue_documents(f->c, &l, NULL, list_again, &n, NULL), ARK_OK);
	assert_int_equal(n.rows, 5);
	assert_int_equal(n.inner, 25);
	free(w);
}

#define BOTH(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    BOTH(test_catalogue__a_version_comes_back_as_it_was_filed),
	    BOTH(test_catalogue__what_is_not_there_is_not_found),
	    BOTH(test_catalogue__metadata_amends_one_version),
	    BOTH(test_catalogue__sql_admits_what_the_filters_of_a_sight_admit),
	    BOTH(test_catalogue__five_hundred_units_are_one_question),
	    BOTH(test_catalogue__a_sight_lacking_a_filter_is_refused),
	    BOTH(test_catalogue__a_filter_beyond_the_bounds_is_refused),
	    BOTH(test_catalogue__pages_and_counts_follow_the_model),
	    BOTH(test_catalogue__lists_walk_an_index_and_never_sort),
	    BOTH(test_catalogue__malformed_lists_are_refused_and_quotes_find_nothing),
	    BOTH(test_catalogue__replay_changes_nothing_and_a_rebuild_is_equal),
	    BOTH(test_catalogue__a_batch_with_one_bad_fact_leaves_nothing),
	    BOTH(test_catalogue__changes_keep_the_order_of_the_store),
	    BOTH(test_catalogue__the_indexer_gets_whole_commits_and_amended_versions),
	    BOTH(test_catalogue__requests_are_found_by_their_hash),
	    BOTH(test_catalogue__the_newest_record_of_each_id_is_kept),
	    BOTH(test_catalogue__text_state_is_set_and_survives_new_metadata),
	    BOTH(test_catalogue__a_rendition_is_of_one_version_and_the_newest_counts),
	    BOTH(test_catalogue__the_text_of_a_rendition_has_a_state_of_its_own),
	    BOTH(test_catalogue__disk_holds_no_chosen_name),
	    BOTH(test_catalogue__opening_checks_presence_schema_and_purpose),
	    BOTH(test_catalogue__further_connections_leave_the_locks_of_the_first),
	    BOTH(test_catalogue__a_question_within_the_same_question_is_its_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
