/* A catalogue in a scratch directory, and a plain model of what was filed in it. */
#ifndef ARKKI_TESTS_CATALOGUE_FIXTURE_H
#define ARKKI_TESTS_CATALOGUE_FIXTURE_H

#include "tests/unit/unit_keyring.h"

#include "archive/catalogue_private.h"

struct fixture {
	struct unit_keyring k;
	char path[300];
	struct catalogue *c;
};

static inline int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	unit_keyring_begin(&f->k);
	snprintf(f->path, sizeof(f->path), "%s/catalogue.sqlite", f->k.dir);
	assert_int_equal(catalogue_open(f->path, f->k.keys, true, true, &f->c, NULL), ARK_OK);
	*state = f;
	return 0;
}

static inline int teardown(void **state)
{
	struct fixture *f = *state;

	catalogue_close(f->c);
	unit_keyring_end(&f->k);
	free(f);
	return 0;
}

static inline unsigned int draw(unsigned int *seed, unsigned int n)
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

static inline void name_document(char out[33], unsigned int n)
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

static inline void attributes(struct model *m, unsigned int *seed)
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

static inline void make_version(struct model *m, unsigned int document, uint32_t version,
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

static inline void apply(
    struct catalogue *c, const struct catalogue_fact *facts, size_t n, uint64_t seq)
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
static inline void add_renditions(
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
static inline struct world *make_world(struct catalogue *c, unsigned int *seed)
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

static inline struct access_resource resource(const struct model *m)
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

static inline bool admits(struct access_filter *f, const struct model *m)
{
	struct access_resource r = resource(m);

	return access_filter_admits(f, &r);
}

/* ---- random filters ---- */
static inline struct access_filter *leaf_of(
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
static inline struct access_filter *filter_of(enum access_org_kind kind, const char *county)
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

/* ---- the rest ---- */
static inline int count_row(void *arg, const struct catalogue_row *row)
{
	(void)row;
	(*(unsigned int *)arg)++;
	return 0;
}

#define BOTH(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

#endif
