/* What stood at a time: registers, policies, who a user was, metadata and renditions of a version. */
#include "tests/unit/unit.h"

#include <time.h>

#include "arkki/archive/filing.h"
#include "arkki/archive/load.h"
#include "arkki/archive/past.h"
#include "arkki/archive/reading.h"
#include "arkki/base/clock.h"
#include "arkki/base/json.h"

static const char seed_text[] =
    "{\"orgs\":[{\"id\":\"lvv\",\"kind\":\"state-agency\",\"name\":\"LVV\",\"counties\":[\"90\"]},"
    "{\"id\":\"pirha\",\"kind\":\"county\",\"name\":\"Pirha\",\"counties\":[\"91\"]},"
    "{\"id\":\"varha\",\"kind\":\"county\",\"name\":\"Varha\",\"counties\":[\"92\"]}],"
    "\"users\":[{\"id\":\"maija\",\"org\":\"lvv\",\"roles\":[\"inspector\"]},"
    "{\"id\":\"pertti\",\"org\":\"pirha\",\"roles\":[\"inspector\"]}],"
    "\"units\":[{\"id\":\"koivula\",\"name\":\"Koivula\",\"county\":\"90\",\"provider\":\"lvv\"}],"
    "\"cases\":[{\"id\":\"c1\",\"units\":[\"koivula\"],\"org\":\"lvv\"}],"
    "\"placements\":[{\"unit\":\"koivula\",\"org\":\"pirha\",\"from\":\"2020-01-01\"}]}";
static const char document[] = "00112233445566778899aabbccddeeff";

struct world {
	char top[256], dir[300], key[300];
	struct archive *a;
	struct receipt *receipt;
	int64_t made_us; /* before the archive */
};

static void open_it(struct world *w)
{
	struct ark_error err = {0};

	if (archive_open(w->dir, w->key, ARCHIVE_WRITE, NULL, NULL, &w->a, &err) ||
	    archive_maintenance(w->a, "test", "all", &w->receipt, &err))
		fail_msg("open: %s", err.text);
}

static void close_it(struct world *w)
{
	receipt_free(w->receipt);
	archive_close(w->a);
}

/* A moment that nothing was filed at. */
static int64_t moment(void)
{
	const struct timespec pause = {.tv_nsec = 2000000};
	int64_t at;

	nanosleep(&pause, NULL);
	at = clock_now_us();
	nanosleep(&pause, NULL);
	return at;
}

static void load(struct world *w, const char *text)
{
	const struct filing_actor actor = {.user = "operator"};
	struct load_result result;
	struct ark_error err = {0};
	json_t *seed = NULL;

	if (json_read(text, strlen(text), &seed, &err) ||
	    load_seed(w->a, seed, &actor, &result, &err))
		fail_msg("load: %s", err.text);
	json_decref(seed);
}

static int begin(void **state)
{
	struct world *w = calloc(1, sizeof(*w));
	struct ark_error err = {0};

	assert_non_null(w);
	unit_scratch(w->top);
	snprintf(w->dir, sizeof(w->dir), "%s/a", w->top);
	snprintf(w->key, sizeof(w->key), "%s/root.key", w->top);
	w->made_us = moment();
	if (archive_init(w->dir, w->key, "test.example", &err))
		fail_msg("init: %s", err.text);
	open_it(w);
	*state = w;
	return 0;
}

static int end(void **state)
{
	struct world *w = *state;

	close_it(w);
	unit_scratch_end(w->top);
	free(w);
	return 0;
}

static struct registry *registry_at(struct world *w, int64_t at, uint32_t *ret_policies)
{
	struct registry *r = NULL;
	struct ark_error err = {0};

	if (past_registry(w->a, w->receipt, at, &r, ret_policies, &err))
		fail_msg("registry: %s", err.text);
	return r;
}

/* ---- registers ---- */

static void expect_org(struct registry *r, const char *user, const char *org)
{
	struct principal *p = NULL;

	assert_int_equal(registry_principal_on(r, user, "2026-06-01", &p, NULL), ARK_OK);
	assert_string_equal(p->access.org, org);
	principal_unref(p);
}

static void test_past__users_have_the_organisation_and_roles_of_then(void **state)
{
	struct world *w = *state;
	int64_t before = moment(), first, second;
	struct registry *r;
	struct principal *p = NULL;

	load(w, seed_text);
	first = moment();
	load(w, "{\"users\":[{\"id\":\"pertti\",\"org\":\"varha\",\"roles\":[\"admin\"]}]}");
	second = moment();
	load(w, "{\"users\":[{\"id\":\"pertti\",\"org\":\"lvv\",\"roles\":[\"auditor\"]}]}");

	r = registry_at(w, before, NULL);
	assert_int_equal(registry_principal_on(r, "pertti", "2026-06-01", &p, NULL), ARK_ENOTFOUND);
	assert_false(registry_has(r, "orgs", "pirha"));
	registry_free(r);
	r = registry_at(w, first, NULL);
	expect_org(r, "pertti", "pirha");
	assert_true(registry_has(r, "cases", "c1"));
	assert_int_equal(registry_principal_on(r, "pertti", "2026-06-01", &p, NULL), ARK_OK);
	assert_int_equal(p->access.roles, ACCESS_INSPECTOR);
	assert_int_equal(p->access.placed_units.len, 1);
	principal_unref(p);
	registry_free(r);
	r = registry_at(w, second, NULL);
	expect_org(r, "pertti", "varha");
	registry_free(r);
	r = registry_at(w, moment(), NULL);
	expect_org(r, "pertti", "lvv");
	registry_free(r);
}

static void test_past__placements_and_units_are_those_of_then(void **state)
{
	struct world *w = *state;
	struct registry *r;
	struct principal *p = NULL;
	json_t *unit;
	int64_t first;

	load(w, seed_text);
	first = moment();
	load(w, "{\"placements\":[{\"unit\":\"koivula\",\"org\":\"pirha\",\"from\":\"2020-01-01\","
		"\"to\":\"2021-01-01\"}],\"units\":[{\"id\":\"koivula\",\"name\":\"Koivula\","
		"\"county\":\"92\"}]}");
	r = registry_at(w, first, NULL);
	assert_int_equal(registry_principal_on(r, "pertti", "2026-06-01", &p, NULL), ARK_OK);
	assert_int_equal(p->access.placed_units.len, 1);
	principal_unref(p);
	unit = registry_get(r, "units", "koivula");
	assert_string_equal(json_text(unit, "county"), "90");
	json_decref(unit);
	registry_free(r);
	r = registry_at(w, moment(), NULL);
	assert_int_equal(registry_principal_on(r, "pertti", "2026-06-01", &p, NULL), ARK_OK);
	assert_int_equal(p->access.placed_units.len, 0);
	principal_unref(p);
	registry_free(r);
}

static void file_policies(struct world *w, const char *policies)
{
	json_t *now = registry_get(archive_registry(w->a), "policies", REGISTRY_POLICIES);
	struct filing *f = filing_new(FILING_RECORD);
	struct ark_error err = {0};

	assert_non_null(f);
	f->record_kind = "policies";
	f->record = json_copy(now);
	json_object_set_new(f->record, "policies", json_string(policies));
	if (filing_submit_wait(w->a, f, &err))
		fail_msg("policies: %s", err.text);
	filing_free(f);
	json_decref(now);
}

static bool may_administer(struct registry *r)
{
	struct access_decision d;
	struct principal *p = NULL;

	assert_int_equal(registry_principal_on(r, "maija", "2026-06-01", &p, NULL), ARK_OK);
	assert_int_equal(
	    access_decide(p->rules, &p->access, ACCESS_ADMINISTER, NULL, NULL, &d, NULL), ARK_OK);
	principal_unref(p);
	return d.outcome == ACCESS_PERMIT;
}

static void test_past__policies_are_those_of_then(void **state)
{
	static const char all[] = "permit(principal, action == Action::\"administer\", resource);";
	static const char none[] = "forbid(principal, action == Action::\"administer\", resource);";
	const struct {
		const char *policies;
		bool may;
	} steps[] = {{all, true}, {none, false}, {all, true}};
	struct world *w = *state;
	int64_t at[4];
	uint32_t number;

	load(w, seed_text);
	at[0] = moment();
	for (size_t i = 0; i < 3; i++) {
		file_policies(w, steps[i].policies);
		at[i + 1] = moment();
	}
	for (size_t i = 0; i < 4; i++) {
		struct registry *r = registry_at(w, at[i], &number);

		assert_int_equal(number, i + 1);
		assert_int_equal(may_administer(r), i ? steps[i - 1].may : false);
		registry_free(r);
	}
}

static void test_past__before_the_archive_there_was_nothing_to_decide(void **state)
{
	struct world *w = *state;
	struct registry *r = NULL;
	struct ark_error err = {0};

	assert_int_equal(past_registry(w->a, w->receipt, w->made_us, &r, NULL, &err), ARK_EINPUT);
	assert_null(r);
	if (!strstr(err.text, "first policies are of 2"))
		fail_msg("the error does not say since when: %s", err.text);
	assert_int_equal(
	    past_registry(w->a, w->receipt, INT64_MIN / 2, &r, NULL, &err), ARK_EINPUT);
}

static void test_past__is_the_same_after_the_archive_was_opened_again(void **state)
{
	struct world *w = *state;
	struct registry *r;
	int64_t first;

	load(w, seed_text);
	first = moment();
	load(w, "{\"users\":[{\"id\":\"pertti\",\"org\":\"varha\",\"roles\":[\"admin\"]}]}");
	close_it(w);
	open_it(w);
	r = registry_at(w, first, NULL);
	expect_org(r, "pertti", "pirha");
	registry_free(r);
}

/* ---- documents ---- */

static json_t *fields_of(const char *class, const char *title)
{
	return json_pack("{s:[s],s:s,s:s,s:s,s:s,s:{s:s},s:s,s:s}", "units", "koivula", "type",
	    "decision", "title", title, "language", "fi", "date", "2026-03-12", "publicity",
	    "class", class, "author", "lvv", "state", "final");
}

static struct filing *make(
    enum filing_kind kind, uint32_t version, uint32_t metadata, const char *class)
{
	const struct filing_actor actor = {.user = "maija", .org = "lvv", .roles = "inspector"};
	struct filing *f = filing_new(kind);

	assert_non_null(f);
	assert_int_equal(filing_set_actor(f, &actor, NULL), ARK_OK);
	snprintf(f->document, sizeof(f->document), "%s", document);
	f->base_version = version;
	f->base_metadata = metadata;
	f->fields = fields_of(class, "T");
	return f;
}

static void submit(struct world *w, struct filing *f)
{
	struct ark_error err = {0};

	if (filing_submit_wait(w->a, f, &err))
		fail_msg("file: %s", err.text);
	filing_free(f);
}

static void file_version(struct world *w, uint32_t base, uint32_t metadata, const char *class)
{
	struct filing *f = make(base ? FILING_VERSION : FILING_DOCUMENT, base, metadata, class);

	assert_int_equal(upload_new(w->a, f->document, base + 1, &f->upload, NULL), ARK_OK);
	assert_int_equal(upload_write(f->upload, "bytes", 5, NULL), ARK_OK);
	assert_int_equal(upload_finish(f->upload, "text/plain", NULL), ARK_OK);
	submit(w, f);
}

static void file_rendition(struct world *w, bool withdraw)
{
	struct filing *f = make(FILING_RENDITION, 0, 0, "public");
	struct catalogue_row row;
	struct desk *desk;

	json_decref(f->fields);
	f->fields = NULL;
	assert_int_equal(archive_desk(w->a, &desk, NULL), ARK_OK);
	assert_int_equal(catalogue_get(desk->catalogue, document, 1, NULL, &row, NULL), ARK_OK);
	archive_desk_return(w->a, desk);
	assert_int_equal(filing_rendition(w->a, w->receipt, &row, f, NULL), ARK_OK);
	catalogue_row_free(&row);
	if (!withdraw) {
		assert_int_equal(filing_rendition_upload(w->a, f, NULL), ARK_OK);
		assert_int_equal(upload_write(f->upload, "open", 4, NULL), ARK_OK);
		assert_int_equal(upload_finish(f->upload, "text/plain", NULL), ARK_OK);
	}
	submit(w, f);
}

struct expected {
	uint32_t asked, version, metadata; /* version 0: not there */
	const char *class;
	bool rendition;
};

static void expect(struct world *w, int64_t at, const struct expected *e)
{
	struct past_document d = {0};
	struct ark_error err = {0};
	int rc = past_document(w->a, w->receipt, document, e->asked, at, &d, &err);

	if (!e->version) {
		assert_int_equal(rc, ARK_ENOTFOUND);
		return;
	}
	if (rc)
		fail_msg("document: %s", err.text);
	assert_int_equal(d.version, e->version);
	assert_int_equal(d.metadata, e->metadata);
	assert_string_equal(json_text(json_object_get(d.fields, "publicity"), "class"), e->class);
	assert_string_equal(json_string_value(json_array_get(d.counties, 0)), "90");
	assert_int_equal(d.rendition, e->rendition);
	past_document_free(&d);
}

static void test_past__versions_have_the_metadata_and_rendition_of_then(void **state)
{
	struct world *w = *state;
	int64_t at[7];

	load(w, seed_text);
	at[0] = moment();
	file_version(w, 0, 0, "secret"); /* v1 m1 */
	at[1] = moment();
	submit(w, make(FILING_METADATA, 1, 1, "partly-secret")); /* m2 of v1 */
	at[2] = moment();
	file_rendition(w, false);
	at[3] = moment();
	file_version(w, 1, 2, "public"); /* v2 m3 */
	at[4] = moment();
	file_rendition(w, true);
	at[5] = moment();
	submit(w, make(FILING_METADATA, 2, 3, "secret")); /* m4 of v2 */
	at[6] = moment();
	{
		const struct {
			size_t when;
			struct expected e;
		} cases[] = {
		    {0, {0, 0, 0, NULL, false}},
		    {0, {1, 0, 0, NULL, false}},
		    {1, {0, 1, 1, "secret", false}},
		    {1, {2, 0, 0, NULL, false}},
		    {2, {1, 1, 2, "partly-secret", false}},
		    {3, {0, 1, 2, "partly-secret", true}},
		    {4, {0, 2, 3, "public", false}},
		    {4, {1, 1, 2, "partly-secret", true}},
		    {5, {1, 1, 2, "partly-secret", false}},
		    {6, {2, 2, 4, "secret", false}},
		    {6, {1, 1, 2, "partly-secret", false}},
		    {6, {3, 0, 0, NULL, false}},
		};

		for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
			expect(w, at[cases[i].when], &cases[i].e);
	}
}

static void test_past__a_document_that_never_was_is_not_found(void **state)
{
	struct world *w = *state;
	struct past_document d = {0};

	assert_int_equal(
	    past_document(w->a, w->receipt, document, 0, moment(), &d, NULL), ARK_ENOTFOUND);
	assert_int_equal(
	    past_document(w->a, w->receipt, "../../etc", 0, moment(), &d, NULL), ARK_ENOTFOUND);
	past_document_free(&d);
}

int main(void)
{
#define IN_AN_ARCHIVE(test) cmocka_unit_test_setup_teardown(test, begin, end)
	const struct CMUnitTest tests[] = {
	    IN_AN_ARCHIVE(test_past__users_have_the_organisation_and_roles_of_then),
	    IN_AN_ARCHIVE(test_past__placements_and_units_are_those_of_then),
	    IN_AN_ARCHIVE(test_past__policies_are_those_of_then),
	    IN_AN_ARCHIVE(test_past__before_the_archive_there_was_nothing_to_decide),
	    IN_AN_ARCHIVE(test_past__is_the_same_after_the_archive_was_opened_again),
	    IN_AN_ARCHIVE(test_past__versions_have_the_metadata_and_rendition_of_then),
	    IN_AN_ARCHIVE(test_past__a_document_that_never_was_is_not_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
