/* A decision made again days later: the day of then decides over validity, placements and visits. */
#include "tests/unit/unit.h"

#include <sys/syscall.h>
#include <time.h>

#include "api/explain.h"
#include "arkki/archive/load.h"
#include "arkki/base/clock.h"
#include "arkki/base/json.h"

enum { DAY_S = 86400 };

/* What the whole program takes for the time: the real one, and some days before. */
static time_t behind_s;

int clock_gettime(clockid_t id, struct timespec *ret)
{
	int rc = (int)syscall(SYS_clock_gettime, id, ret);

	if (!rc && id == CLOCK_REALTIME)
		ret->tv_sec -= behind_s;
	return rc;
}

struct world {
	char top[256];
	struct archive *a;
	struct receipt *receipt;
	struct app app;
	int64_t then_us;
	char yesterday[11];
};

static void load(struct world *w)
{
	const struct filing_actor actor = {.user = "operator"};
	struct load_result result;
	struct ark_error err = {0};
	json_t *seed = json_pack("{s:[{s:s,s:s,s:s,s:[s],s:s},{s:s,s:s,s:s,s:[s]}],"
				 "s:[{s:s,s:s,s:[s]},{s:s,s:s,s:[s]}],s:[{s:s,s:s,s:s}],"
				 "s:[{s:s,s:s,s:s}]}",
	    "orgs", "id", "uusimaa", "kind", "county", "name", "U", "counties", "90", "to",
	    w->yesterday, "id", "pirha", "kind", "county", "name", "P", "counties", "91", "users",
	    "id", "ulla", "org", "uusimaa", "roles", "inspector", "id", "pertti", "org", "pirha",
	    "roles", "inspector", "units", "id", "koivula", "name", "K", "county", "90",
	    "placements", "unit", "koivula", "org", "pirha", "to", w->yesterday);

	assert_non_null(seed);
	if (load_seed(w->a, seed, &actor, &result, &err))
		fail_msg("load: %s", err.text);
	json_decref(seed);
}

static int begin(void **state)
{
	struct world *w = calloc(1, sizeof(*w));
	char dir[300], key[300];
	struct ark_error err = {0};

	assert_non_null(w);
	unit_scratch(w->top);
	snprintf(dir, sizeof(dir), "%s/a", w->top);
	snprintf(key, sizeof(key), "%s/root.key", w->top);
	clock_day(w->yesterday, clock_now_us() - (int64_t)DAY_S * 1000000);
	behind_s = 3 * DAY_S;
	if (archive_init(dir, key, "test.example", &err) ||
	    archive_open(dir, key, ARCHIVE_WRITE, NULL, NULL, &w->a, &err) ||
	    archive_maintenance(w->a, "test", "all", &w->receipt, &err))
		fail_msg("open: %s", err.text);
	load(w);
	w->then_us = clock_now_us() + 1;
	behind_s = 0;
	w->app.archive = w->a;
	*state = w;
	return 0;
}

static int end(void **state)
{
	struct world *w = *state;

	receipt_free(w->receipt);
	archive_close(w->a);
	unit_scratch_end(w->top);
	free(w);
	return 0;
}

/* The outcome, and the first policy that determined it. */
static void expect(struct world *w, bool past, const char *user, const json_t *resource,
    const char *outcome, const char *policy)
{
	struct explain e = {.action = ACCESS_READ,
	    .user = user,
	    .resource = resource,
	    .language = HTTP_EN,
	    .past = past,
	    .at_us = past ? w->then_us : clock_now_us()};
	struct ark_error err = {0};
	json_t *v = NULL, *first;

	if (explain_decide(&w->app, w->receipt, &e, &v, &err))
		fail_msg("explain: %s", err.text);
	assert_string_equal(json_text(v, "outcome"), outcome);
	first = json_array_get(json_object_get(v, "policies"), 0);
	if (policy)
		assert_string_equal(json_text(first, "id"), policy);
	else
		assert_null(first);
	json_decref(v);
}

static json_t *described(const char *class, const char *visit_date)
{
	return json_pack("{s:[s],s:s,s:s,s:{s:s},s:s*}", "units", "koivula", "type", "order",
	    "author", "lvv", "publicity", "class", class, "visitDate", visit_date);
}

static void test_explain__an_organisation_was_valid_until_its_last_day(void **state)
{
	struct world *w = *state;
	json_t *secret = described("secret", NULL);

	expect(w, true, "ulla", secret, "permit", "county");
	expect(w, false, "ulla", secret, "deny", "no-longer-valid");
	json_decref(secret);
}

static void test_explain__a_placement_ran_until_its_last_day(void **state)
{
	struct world *w = *state;
	json_t *secret = described("secret", NULL);

	expect(w, true, "pertti", secret, "permit", "county");
	expect(w, false, "pertti", secret, "deny", NULL);
	json_decref(secret);
}

static void test_explain__a_visit_lay_ahead(void **state)
{
	struct world *w = *state;
	json_t *visit = described("public", w->yesterday);

	json_object_set_new(visit, "units", json_array());
	expect(w, true, "pertti", visit, "deny", NULL);
	expect(w, false, "pertti", visit, "permit", "public-documents");
	json_decref(visit);
}

int main(void)
{
#define IN_AN_ARCHIVE(test) cmocka_unit_test_setup_teardown(test, begin, end)
	const struct CMUnitTest tests[] = {
	    IN_AN_ARCHIVE(test_explain__an_organisation_was_valid_until_its_last_day),
	    IN_AN_ARCHIVE(test_explain__a_placement_ran_until_its_last_day),
	    IN_AN_ARCHIVE(test_explain__a_visit_lay_ahead),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
