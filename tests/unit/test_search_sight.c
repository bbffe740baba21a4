/* What a search shows to whom: random archives, filters and sights against a plain model, and the
 * public rendition beside the whole version. */
#include "tests/unit/search_fixture.h"

enum { DOCUMENTS = 40, VERSIONS_MAX = SEARCH_RANKS, UNITS = 24, WORDS = 6, QUESTIONS = 1500 };

struct form {
	bool there;
	unsigned int words[3]; /* numbers, which no language changes */
};

struct version {
	unsigned int document;
	bool there; /* false: it was deleted */
	struct access_resource r;
	const char *units[3], *counties[2], *addressees[2];
	struct form whole, rendition;
};

struct fixture {
	struct index_fixture i;
	struct version v[DOCUMENTS][VERSIONS_MAX]; /* by number, oldest first */
	size_t versions[DOCUMENTS];
	char unit_names[UNITS][16];
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	index_begin(&f->i, false, 7);
	for (unsigned int i = 0; i < UNITS; i++)
		snprintf(f->unit_names[i], sizeof(f->unit_names[i]), "unit-%u", i);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	index_end(&f->i);
	free(f);
	return 0;
}

static const char *const publicities[] = {"public", "partly-secret", "secret"};
static const char *const authors[] = {"lvv", "esavi", "pirkanmaa"};
static const char *const states[] = {"final", "final", "draft"};
static const char *const types[] = {"memo", "inspection-report", "inspection"};
static const char *const counties[] = {"01", "06", "0", "90"};
static const char *const addressees[] = {"hoiva", "hoiva-oy", "koti"};
static const char *const days[] = {"1999-12-31", "2025-11-30", "2025-12-31", "2026-01-01",
    "2026-01-31", "2026-02-01", "2026-02-09", "2026-02-10", "2026-10-01", "2030-01-01"};

/* ---- an archive and its model ---- */

static void make_words(struct fixture *f, struct form *form)
{
	form->there = true;
	for (int i = 0; i < 3; i++)
		form->words[i] = 4000 + dice(&f->i.seed, WORDS);
}

static void make_version(struct fixture *f, struct version *v, unsigned int document)
{
	size_t units = dice(&f->i.seed, 4), n;

	*v = (struct version){.document = document, .there = true};
	for (n = 0; n < units; n++) /* different ones, as in an archive */
		v->units[n] =
		    f->unit_names[(dice(&f->i.seed, UNITS / 3) + n * (UNITS / 3)) % UNITS];
	v->r = (struct access_resource){
	    .publicity = PICK(&f->i.seed, publicities),
	    .author = dice(&f->i.seed, 8) ? PICK(&f->i.seed, authors) : NULL,
	    .state = PICK(&f->i.seed, states),
	    .type = PICK(&f->i.seed, types),
	    .units = {v->units, units},
	    .counties = {v->counties, dice(&f->i.seed, 3)},
	    .addressees = {v->addressees, dice(&f->i.seed, 3)},
	    .date = dice(&f->i.seed, 8) ? PICK(&f->i.seed, days) : NULL,
	    .visit_date = dice(&f->i.seed, 3) ? NULL : PICK(&f->i.seed, days),
	    .rendition = dice(&f->i.seed, 2),
	};
	for (n = 0; n < v->r.counties.len; n++)
		v->counties[n] = counties[dice(&f->i.seed, 2) + 2 * n];
	for (n = 0; n < v->r.addressees.len; n++)
		v->addressees[n] = addressees[dice(&f->i.seed, 2) + n];
	make_words(f, &v->whole);
	if (v->r.rendition && dice(&f->i.seed, 8)) /* else its text is not known yet */
		make_words(f, &v->rendition);
}

static struct search_attributes attributes_of(const struct version *v)
{
	return (struct search_attributes){
	    .publicity = v->r.publicity,
	    .author = v->r.author,
	    .state = v->r.state,
	    .type = v->r.type,
	    .units = v->r.units.id,
	    .units_len = v->r.units.len,
	    .counties = v->r.counties.id,
	    .counties_len = v->r.counties.len,
	    .addressees = v->r.addressees.id,
	    .addressees_len = v->r.addressees.len,
	    .date = v->r.date,
	    .visit_date = v->r.visit_date,
	    .rendition = v->r.rendition,
	};
}

static uint32_t number_of(struct fixture *f, const struct version *v)
{
	return (uint32_t)(v - f->v[v->document]) + 1;
}

static void put_form(struct fixture *f, const struct version *v, bool public_form)
{
	const struct form *form = public_form ? &v->rendition : &v->whole;
	char id[33], title[16], text[64];
	const struct search_document d = {
	    .document = id,
	    .version = number_of(f, v),
	    .public_form = public_form,
	    .only = f->versions[v->document] == 1,
	    .attributes = attributes_of(v),
	    .language = "fi",
	    .date = v->r.date,
	    .title = title,
	    .text = text,
	    .text_len =
		(size_t)snprintf(text, sizeof(text), "%u %u", form->words[1], form->words[2]),
	};

	if (!form->there)
		return;
	snprintf(id, sizeof(id), "%032x", v->document);
	snprintf(title, sizeof(title), "%u", form->words[0]);
	assert_int_equal(search_put(f->i.writer, &d, NULL), 0);
}

static void tell_versions(struct fixture *f, unsigned int document)
{
	struct search_version newest_first[VERSIONS_MAX];
	size_t n = 0;
	char id[33];

	for (size_t i = f->versions[document]; i-- > 0;)
		if (f->v[document][i].there)
			newest_first[n++] = (struct search_version){
			    (uint32_t)i + 1, attributes_of(&f->v[document][i])};
	snprintf(id, sizeof(id), "%032x", document);
	assert_int_equal(search_set_versions(f->i.writer, id, newest_first, n, NULL), 0);
}

/* Or of attributes that are equal but for one. */
static void differ_in_one(struct fixture *f, struct version *v)
{
	switch (dice(&f->i.seed, 5)) {
	case 0:
		v->r.date = PICK(&f->i.seed, days);
		break;
	case 1:
		v->r.visit_date = PICK(&f->i.seed, days);
		break;
	case 2:
		v->r.addressees.len = 0;
		break;
	case 3:
		v->r.counties.len = 0;
		break;
	default:
		break;
	}
}

static void make_archive(struct fixture *f)
{
	for (unsigned int d = 0; d < DOCUMENTS; d++) {
		f->versions[d] = dice(&f->i.seed, 2) ? 1 : 1 + dice(&f->i.seed, VERSIONS_MAX);
		for (size_t i = 0; i < f->versions[d]; i++) {
			struct version *v = &f->v[d][i];

			make_version(f, v, d);
			if (i && dice(&f->i.seed, 2)) { /* a new version of equal attributes */
				struct form whole = v->whole, rendition = v->rendition;

				*v = v[-1];
				v->whole = whole;
				v->rendition = v->r.rendition ? rendition : (struct form){0};
				v->r.units.id = v->units;
				v->r.counties.id = v->counties;
				v->r.addressees.id = v->addressees;
				differ_in_one(f, v);
			}
			put_form(f, v, false);
			put_form(f, v, true);
		}
		if (f->versions[d] > 1)
			tell_versions(f, d);
	}
	assert_int_equal(search_commit(f->i.writer, ++f->i.commits, NULL), 0);
}

/* ---- random filters ---- */

static struct access_filter *leaf(
    enum access_op op, enum access_attribute attribute, const char *value)
{
	struct access_filter *x = calloc(1, sizeof(*x));

	assert_non_null(x);
	x->op = op;
	x->attribute = attribute;
	x->value = value ? strdup(value) : NULL;
	return x;
}

static void add_child(struct access_filter *x, struct access_filter *child)
{
	x->child = realloc(x->child, (x->children + 1) * sizeof(struct access_filter *));
	assert_non_null(x->child);
	x->child[x->children++] = child;
}

static struct access_filter *random_leaf(struct fixture *f)
{
	enum access_attribute a = (enum access_attribute)dice(&f->i.seed, ACCESS_ATTRIBUTES);
	const char *value = "";

	switch (a) {
	case ACCESS_ATTR_PUBLICITY:
		value = PICK(&f->i.seed, publicities);
		break;
	case ACCESS_ATTR_COUNTY:
		value = PICK(&f->i.seed, counties);
		break;
	case ACCESS_ATTR_UNIT:
		value = f->unit_names[dice(&f->i.seed, UNITS)];
		break;
	case ACCESS_ATTR_AUTHOR:
		value = PICK(&f->i.seed, authors);
		break;
	case ACCESS_ATTR_STATE:
		value = PICK(&f->i.seed, states);
		break;
	case ACCESS_ATTR_TYPE:
		value = PICK(&f->i.seed, types);
		break;
	case ACCESS_ATTR_ADDRESSEE:
		value = PICK(&f->i.seed, addressees);
		break;
	case ACCESS_ATTR_UNIT_COUNT:
		value = ((const char *const[]){"0", "1", "2", "3"})[dice(&f->i.seed, 4)];
		break;
	case ACCESS_ATTR_RENDITION:
		value = dice(&f->i.seed, 8) ? "public" : "other";
		break;
	case ACCESS_ATTR_VISIT_DATE:
	case ACCESS_ATTR_DATE:
		if (dice(&f->i.seed, 4) == 0)
			return leaf(ACCESS_OP_PRESENT, a, NULL);
		value = dice(&f->i.seed, 16) ? PICK(&f->i.seed, days) : "2026-02-05";
		return leaf(dice(&f->i.seed, 4) ? ACCESS_OP_UPTO : ACCESS_OP_HAS, a, value);
	}
	if (dice(&f->i.seed, 40) == 0) /* what only days can be asked */
		return leaf(
		    dice(&f->i.seed, 2) ? ACCESS_OP_PRESENT : ACCESS_OP_UPTO, a, "2026-01-01");
	return leaf(ACCESS_OP_HAS, a, value);
}

static struct access_filter *many_units(struct fixture *f)
{
	struct access_filter *x = leaf(ACCESS_OP_OR, ACCESS_ATTR_PUBLICITY, NULL);
	unsigned int n = 15 + dice(&f->i.seed, 6), from = dice(&f->i.seed, UNITS);

	for (unsigned int i = 0; i < n; i++)
		add_child(
		    x, leaf(ACCESS_OP_HAS, ACCESS_ATTR_UNIT, f->unit_names[(from + i) % UNITS]));
	if (dice(&f->i.seed, 2))
		add_child(x, random_leaf(f));
	return x;
}

static struct access_filter *random_filter(struct fixture *f, unsigned int depth)
{
	static const enum access_op ops[] = {ACCESS_OP_AND, ACCESS_OP_AND, ACCESS_OP_OR,
	    ACCESS_OP_OR, ACCESS_OP_NOT, ACCESS_OP_NOT, ACCESS_OP_ALL, ACCESS_OP_NONE};
	struct access_filter *x;
	unsigned int n;

	if (depth == 0 || dice(&f->i.seed, 5) == 0)
		return dice(&f->i.seed, 8) ? random_leaf(f) : many_units(f);
	x = leaf(PICK(&f->i.seed, ops), ACCESS_ATTR_PUBLICITY, NULL);
	n = x->op == ACCESS_OP_NOT                            ? 1
	    : x->op == ACCESS_OP_AND || x->op == ACCESS_OP_OR ? dice(&f->i.seed, 4)
							      : 0;
	while (n--)
		add_child(x, random_filter(f, depth - 1));
	return x;
}

/* ---- the model's answer ---- */

struct answer {
	char hits[DOCUMENTS * VERSIONS_MAX][32];
	size_t n;
	uint64_t type_counts[3];
};

struct question {
	struct access_sight sight;
	unsigned int word, next; /* 0: none; next: right behind it */
	const char *unit;
	bool versions_all;
};

static bool says(const struct form *form, unsigned int word, unsigned int next)
{
	const unsigned int *w = form->words;

	if (!form->there || !word)
		return form->there;
	if (next) /* no phrase reaches from the title into the text */
		return w[1] == word && w[2] == next;
	return w[0] == word || w[1] == word || w[2] == word;
}

static bool has_unit(const struct version *v, const char *unit)
{
	for (size_t i = 0; i < v->r.units.len; i++)
		if (!strcmp(v->r.units.id[i], unit))
			return true;
	return false;
}

static void judge(
    struct fixture *f, const struct question *q, const struct version *v, struct answer *a)
{
	bool whole = access_filter_admits(q->sight.whole, &v->r);

	if (!says(whole ? &v->whole : &v->rendition, q->word, q->next) ||
	    (q->unit && !has_unit(v, q->unit)))
		return;
	snprintf(a->hits[a->n++], sizeof(a->hits[0]), "%u.%u%s", v->document, number_of(f, v),
	    whole ? "" : " public");
	for (int t = 0; t < 3; t++)
		a->type_counts[t] += !strcmp(types[t], v->r.type);
}

static void model_answers(struct fixture *f, const struct question *q, struct answer *a)
{
	*a = (struct answer){0};
	for (unsigned int d = 0; d < DOCUMENTS; d++) {
		for (size_t i = f->versions[d]; i-- > 0;) {
			const struct version *v = &f->v[d][i];

			if (!v->there || !access_filter_admits(q->sight.any, &v->r))
				continue;
			judge(f, q, v, a);
			if (!q->versions_all)
				break;
		}
	}
}

static int by_text(const void *a, const void *b)
{
	return strcmp(a, b);
}

static void take_page(const struct search_result *result, struct answer *a)
{
	for (size_t i = 0; i < result->hits_len; i++)
		snprintf(a->hits[a->n++], sizeof(a->hits[0]), "%lu.%u%s",
		    strtoul(result->hits[i].document + 16, NULL, 16), result->hits[i].version,
		    result->hits[i].whole ? "" : " public");
	for (size_t k = 0; k < result->facets[FACET_TYPE].len; k++)
		for (int t = 0; t < 3; t++)
			if (!strcmp(types[t], result->facets[FACET_TYPE].counts[k].value))
				a->type_counts[t] = result->facets[FACET_TYPE].counts[k].count;
}

static void index_answers(struct fixture *f, const struct question *q, struct answer *a)
{
	char words[32] = "";
	struct search_request request = {.q = words,
	    .sight = &q->sight,
	    .unit = q->unit,
	    .versions_all = q->versions_all,
	    .limit = SEARCH_LIMIT_MAX,
	    .facets = true};
	struct search_result result;

	if (q->next)
		snprintf(words, sizeof(words), "\"%u %u\"", q->word, q->next);
	else if (q->word)
		snprintf(words, sizeof(words), "%u", q->word);
	*a = (struct answer){0};
	do {
		assert_int_equal(search_query(f->i.reader, &request, &result, NULL), 0);
		take_page(&result, a);
		request.offset = result.next_offset;
		if (!request.offset)
			assert_int_equal(result.total, a->n);
		search_result_clear(&result);
	} while (request.offset);
}

/* Returns how many were found. */
static size_t ask(struct fixture *f, const struct question *q)
{
	static struct answer want, got;

	model_answers(f, q, &want);
	index_answers(f, q, &got);
	qsort(want.hits, want.n, sizeof(want.hits[0]), by_text);
	qsort(got.hits, got.n, sizeof(got.hits[0]), by_text);
	for (size_t i = 0; i < want.n && i < got.n; i++)
		assert_string_equal(got.hits[i], want.hits[i]);
	assert_int_equal(got.n, want.n);
	assert_memory_equal(got.type_counts, want.type_counts, sizeof(want.type_counts));
	return want.n;
}

/* versions_all is asked for only where each version has been given its place. */
static void ask_at_random_of(struct fixture *f, int questions, size_t at_least)
{
	size_t found = 0;

	while (questions--) {
		struct access_filter *whole = random_filter(f, 3);
		struct access_filter *any = leaf(ACCESS_OP_OR, ACCESS_ATTR_PUBLICITY, NULL);
		struct access_filter *more = random_filter(f, 2);
		struct question q = {
		    .sight = {any, whole}, .versions_all = at_least && dice(&f->i.seed, 4) == 0};

		add_child(any, whole);
		add_child(any, more);
		if (dice(&f->i.seed, 4) == 0)
			q.sight.any = whole;
		if (dice(&f->i.seed, 3))
			q.word = 4000 + dice(&f->i.seed, WORDS);
		if (q.word && dice(&f->i.seed, 3) == 0)
			q.next = 4000 + dice(&f->i.seed, WORDS);
		if (dice(&f->i.seed, 4) == 0)
			q.unit = f->unit_names[dice(&f->i.seed, UNITS)];
		found += ask(f, &q);
		access_filter_free(any);
	}
	assert_true(found >= at_least); /* the questions say something */
}

static void ask_at_random(struct fixture *f, int questions)
{
	ask_at_random_of(f, questions, 100);
}

static void test_search__sights_show_what_a_model_shows(void **state)
{
	struct fixture *f = *state;

	make_archive(f);
	ask_at_random(f, QUESTIONS);
}

/* ---- renditions and versions come and go ---- */

static void change(struct fixture *f, unsigned int d)
{
	struct version *v = &f->v[d][dice(&f->i.seed, (unsigned int)f->versions[d])];
	char id[33];

	snprintf(id, sizeof(id), "%032x", d);
	if (!v->there)
		return;
	if (f->versions[d] > 1 && dice(&f->i.seed, 4) == 0) {
		v->there = false;
		assert_int_equal(search_delete(f->i.writer, id, number_of(f, v), NULL), 0);
	} else if (v->r.rendition) {
		v->r.rendition = false;
		v->rendition.there = false;
		assert_int_equal(search_delete_public(f->i.writer, id, number_of(f, v), NULL), 0);
	} else {
		v->r.rendition = true;
		make_words(f, &v->rendition);
		put_form(f, v, true);
	}
	tell_versions(f, d);
}

static void test_search__renditions_that_come_and_go_are_found_or_not(void **state)
{
	struct fixture *f = *state;

	make_archive(f);
	for (int round = 0; round < 5; round++) {
		for (unsigned int d = 0; d < DOCUMENTS; d++)
			change(f, d);
		assert_int_equal(search_commit(f->i.writer, ++f->i.commits, NULL), 0);
		ask_at_random(f, QUESTIONS / 10);
	}
}

/* ---- what a rendition's reader cannot learn ---- */

#define SECRET_ID "0000000000000000000000000000abcd"

static void put_secret(struct fixture *f)
{
	static const char whole[] = "Poika Hirvonen sijoitettiin Koivulaan. Salassapidettävä.";
	static const char redacted[] = "Poika sijoitettiin Koivulaan.";
	const char *units[] = {"koivula"};
	struct search_document d = {
	    .document = SECRET_ID,
	    .version = 1,
	    .only = true,
	    .attributes = {.publicity = "secret",
		.state = "final",
		.type = "inspection-report",
		.units = units,
		.units_len = 1,
		.rendition = true},
	    .language = "fi",
	    .date = "2026-01-01",
	    .title = "Hirvosen asia",
	    .text = whole,
	    .text_len = sizeof(whole) - 1,
	};

	assert_int_equal(search_put(f->i.writer, &d, NULL), 0);
	d.public_form = true;
	d.title = "Erään asia";
	d.text = redacted;
	d.text_len = sizeof(redacted) - 1;
	assert_int_equal(search_put(f->i.writer, &d, NULL), 0);
	assert_int_equal(search_commit(f->i.writer, ++f->i.commits, NULL), 0);
}

/* How many are found, and that the facets count as many. */
static uint64_t found(struct fixture *f, const struct access_sight *sight, const char *q,
    bool versions_all, bool whole)
{
	const struct search_request request = {
	    .sight = sight, .q = q, .limit = 10, .facets = true, .versions_all = versions_all};
	struct search_result result;
	uint64_t total, counted = 0;

	assert_int_equal(search_query(f->i.reader, &request, &result, NULL), 0);
	total = result.total;
	assert_int_equal(result.hits_len, total);
	for (size_t i = 0; i < result.hits_len; i++) {
		assert_string_equal(result.hits[i].document, SECRET_ID);
		assert_int_equal(result.hits[i].version, 1);
		assert_int_equal(result.hits[i].whole, whole);
	}
	for (int facet = 0; facet < SEARCH_FACETS; facet++)
		for (size_t i = 0; i < result.facets[facet].len; i++)
			counted += result.facets[facet].counts[i].count;
	assert_int_equal(counted, total * 5); /* each facet but the county, which it has not */
	search_result_clear(&result);
	return total;
}

static void test_search__words_of_a_hidden_text_are_not_found_by_its_rendition(void **state)
{
	static const char *const hidden[] = {"Hirvonen", "hirvosen", "salassapidettävä",
	    "\"poika hirvonen\"", "\"hirvosen asia\"", "\"hirvonen sijoitettiin\""};
	static const char *const shown[] = {"poika", "sijoittaa", "koivula", "asia", "",
	    "\"sijoitettiin koivulaan\"", "hirvonen poika"};
	static const char *const of_rendition[] = {
	    "eräs", "\"erään asia\"", "\"poika sijoitettiin\""};
	struct fixture *f = *state;
	struct access_filter none = {.op = ACCESS_OP_NONE};
	struct access_filter rendition = {.op = ACCESS_OP_HAS,
	    .attribute = ACCESS_ATTR_RENDITION,
	    .value = (char *)(uintptr_t) "public"};
	const struct access_sight reader = {&rendition, &none}, nobody = {&none, &none};
	size_t i;
	int versions_all;

	put_secret(f);
	for (versions_all = 0; versions_all < 2; versions_all++) {
		for (i = 0; i < sizeof(hidden) / sizeof(*hidden); i++) {
			assert_int_equal(found(f, &reader, hidden[i], versions_all, false), 0);
			assert_int_equal(
			    found(f, &sees_everything, hidden[i], versions_all, true), 1);
		}
		for (i = 0; i < sizeof(shown) / sizeof(*shown); i++) {
			assert_int_equal(found(f, &reader, shown[i], versions_all, false), 1);
			assert_int_equal(
			    found(f, &sees_everything, shown[i], versions_all, true), 1);
			assert_int_equal(found(f, &nobody, shown[i], versions_all, false), 0);
		}
		for (i = 0; i < sizeof(of_rendition) / sizeof(*of_rendition); i++) {
			assert_int_equal(
			    found(f, &reader, of_rendition[i], versions_all, false), 1);
			assert_int_equal(
			    found(f, &sees_everything, of_rendition[i], versions_all, true), 0);
		}
	}
}

static void test_search__a_withdrawn_rendition_is_gone_and_the_whole_stays(void **state)
{
	struct fixture *f = *state;
	struct access_filter none = {.op = ACCESS_OP_NONE};
	const struct access_sight reader = {&everything, &none};

	put_secret(f);
	assert_int_equal(found(f, &reader, "poika", false, false), 1);
	assert_int_equal(search_delete_public(f->i.writer, SECRET_ID, 1, NULL), 0);
	assert_int_equal(search_delete_public(f->i.writer, SECRET_ID, 1, NULL), 0);
	assert_int_equal(search_commit(f->i.writer, ++f->i.commits, NULL), 0);
	assert_int_equal(found(f, &reader, "poika", false, false), 0);
	assert_int_equal(found(f, &sees_everything, "hirvonen", false, true), 1);
	put_secret(f);
	assert_int_equal(search_delete(f->i.writer, SECRET_ID, 1, NULL), 0);
	assert_int_equal(search_commit(f->i.writer, ++f->i.commits, NULL), 0);
	assert_int_equal(found(f, &reader, "poika", false, false), 0);
	assert_int_equal(found(f, &sees_everything, "", false, true), 0);
}

static void test_search__a_version_among_several_is_nobodys_until_their_order_is_told(void **state)
{
	struct fixture *f = *state;

	f->versions[0] = 2;
	for (int i = 0; i < 2; i++) {
		make_version(f, &f->v[0][i], 0);
		put_form(f, &f->v[0][i], false);
	}
	f->versions[0] = 0;
	assert_int_equal(search_commit(f->i.writer, ++f->i.commits, NULL), 0);
	ask_at_random_of(f, 20, 0);
	f->versions[0] = 2;
	tell_versions(f, 0);
	assert_int_equal(search_commit(f->i.writer, ++f->i.commits, NULL), 0);
	ask_at_random_of(f, 200, 1);
}

static void test_search__a_sight_without_a_part_is_refused(void **state)
{
	struct fixture *f = *state;
	struct access_filter all = {.op = ACCESS_OP_ALL};
	const struct access_sight half[] = {{&all, NULL}, {NULL, &all}};
	struct search_request request = {.limit = 1};
	struct search_result result;

	for (int i = 0; i < 2; i++) {
		request.sight = &half[i];
		assert_int_equal(search_query(f->i.reader, &request, &result, NULL), ARK_EINPUT);
	}
}

/* Under a NOT, a filter that is not understood would else show everything. */
static void test_search__a_bound_that_is_no_day_shows_nothing(void **state)
{
	static const char *const odd[] = {
	    "2026-2-1", "2026-02-011", "tomorrow", "2026/02/01", "2026"};
	struct fixture *f = *state;

	make_archive(f);
	for (size_t i = 0; i < sizeof(odd) / sizeof(*odd); i++) {
		struct access_filter *child = leaf(ACCESS_OP_UPTO, ACCESS_ATTR_DATE, odd[i]);
		struct access_filter not = {.op = ACCESS_OP_NOT, .child = &child, .children = 1};
		const struct access_sight sight = {&not, &not };
		const struct search_request request = {.sight = &sight, .limit = 1};
		struct search_result result;

		assert_int_not_equal(search_query(f->i.reader, &request, &result, NULL), 0);
		access_filter_free(child);
	}
}

static void test_search__a_date_that_is_no_day_is_not_indexed(void **state)
{
	static const char *const odd[] = {"2026-2-1", "2026-02-011", "2026-02-0", "x"};
	struct fixture *f = *state;
	struct search_document d = {
	    .document = SECRET_ID, .version = 1, .only = true, .language = "fi", .title = "x"};

	for (size_t i = 0; i < sizeof(odd) / sizeof(*odd); i++) {
		d.attributes.visit_date = odd[i];
		assert_int_equal(search_put(f->i.writer, &d, NULL), ARK_EINPUT);
	}
	d.attributes.visit_date = "2026-02-01";
	d.attributes.author = "a\nb";
	assert_int_equal(search_put(f->i.writer, &d, NULL), ARK_EINPUT);
}

#define SIGHT_TEST(t) cmocka_unit_test_setup_teardown(t, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    SIGHT_TEST(test_search__sights_show_what_a_model_shows),
	    SIGHT_TEST(test_search__renditions_that_come_and_go_are_found_or_not),
	    SIGHT_TEST(test_search__words_of_a_hidden_text_are_not_found_by_its_rendition),
	    SIGHT_TEST(test_search__a_withdrawn_rendition_is_gone_and_the_whole_stays),
	    SIGHT_TEST(test_search__a_version_among_several_is_nobodys_until_their_order_is_told),
	    SIGHT_TEST(test_search__a_sight_without_a_part_is_refused),
	    SIGHT_TEST(test_search__a_bound_that_is_no_day_shows_nothing),
	    SIGHT_TEST(test_search__a_date_that_is_no_day_is_not_indexed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
