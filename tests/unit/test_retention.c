/* Which row of a retention table holds, and from which day a document is due. All of it is made up. */
#include "tests/unit/unit.h"

#include "archive/disposition_private.h"
#include "arkki/base/clock.h"
#include "arkki/base/json.h"

static json_t *read_json(const char *text)
{
	json_t *v = NULL;

	assert_int_equal(json_read(text, strlen(text), &v, NULL), ARK_OK);
	return v;
}

static struct registry *registry_with(const char *const (*records)[2], size_t n)
{
	struct registry *r = NULL;

	assert_int_equal(registry_new(&r, NULL), ARK_OK);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(
		    registry_put(r, records[i][0], read_json(records[i][1]), NULL), ARK_OK);
	return r;
}

#define ROW(id, type, org, years, from)                                                            \
	"{\"id\":\"" id "\",\"type\":\"" type "\",\"org\":\"" org "\",\"years\":" years            \
	",\"from\":\"" from "\",\"then\":\"destroy\"}"

static const char *const records[][2] = {
    {"orgs", "{\"id\":\"uusi\",\"predecessors\":[\"vanha\"]}"},
    {"orgs", "{\"id\":\"vanha\"}"},
    {"cases", "{\"id\":\"closed\",\"closed\":\"2024-02-29\"}"},
    {"cases", "{\"id\":\"open\"}"},
};

struct expected {
	struct retention_subject s;
	const char *row, *since;
};

static void expect(const json_t *rows, struct registry *r, const struct expected *e)
{
	struct retention_term t;

	retention_term(rows, r, &e->s, "2026-01-01", &t);
	if (!e->row) {
		assert_null(t.row);
		assert_false(t.due);
		return;
	}
	assert_string_equal(json_text(t.row, "id"), e->row);
	assert_string_equal(t.since, e->since);
	assert_int_equal(t.due, t.since[0] && strcmp(t.since, "2026-01-01") <= 0);
}

static void test_retention__most_specific_row_wins(void **state)
{
	json_t *rows = read_json("[" ROW("any", "*", "*", "1", "document-date") "," ROW(
	    "of-new", "*", "uusi", "1", "document-date") "," ROW("letters", "letter", "*", "1",
	    "document-date") "," ROW("letters-new", "letter", "uusi", "1",
	    "document-date") "," ROW("memos-new", "memo", "uusi", "1",
	    "document-date") "," ROW("memos-old", "memo", "vanha", "1", "document-date") "]");
	struct registry *r = registry_with(records, 4);
	const struct expected expected[] = {
	    {{"other", "muu", "2020-01-01", NULL, 0}, "any", "2021-01-02"},
	    {{"other", "uusi", "2020-01-01", NULL, 0}, "of-new", "2021-01-02"},
	    {{"other", "vanha", "2020-01-01", NULL, 0}, "of-new", "2021-01-02"},
	    {{"letter", "muu", "2020-01-01", NULL, 0}, "letters", "2021-01-02"},
	    {{"letter", "vanha", "2020-01-01", NULL, 0}, "letters-new", "2021-01-02"},
	    {{"memo", "vanha", "2020-01-01", NULL, 0}, "memos-old", "2021-01-02"},
	    {{"memo", "uusi", "2020-01-01", NULL, 0}, "memos-new", "2021-01-02"},
	};

	(void)state;
	assert_int_equal(retention_check(rows, NULL), ARK_OK);
	for (size_t i = 0; i < sizeof(expected) / sizeof(*expected); i++)
		expect(rows, r, &expected[i]);
	json_decref(rows);
	registry_free(r);
}

static void test_retention__due_on_the_day_after_the_period(void **state)
{
	json_t *rows = read_json("[" ROW("filed", "a", "*", "0", "filed") "," ROW(
	    "closed", "b", "*", "2", "case-closed") "," ROW("dated", "c", "*", "200",
	    "document-date") "," ROW("decided", "d", "*", "4", "decided") "]");
	struct registry *r = registry_with(records, 4);
	int64_t filed = 0;
	struct expected expected[] = {
	    {{"a", "x", "2020-01-01", NULL, 0}, "filed", "2025-12-31"},
	    {{"b", "x", "2020-01-01", "closed", 0}, "closed", "2026-03-01"},
	    {{"b", "x", "2020-01-01", "open", 0}, "closed", ""},
	    {{"b", "x", "2020-01-01", NULL, 0}, "closed", ""},
	    {{"c", "x", "2020-12-31", NULL, 0}, "dated", "2221-01-01"},
	    {{"d", "x", "2020-02-29", NULL, 0}, "decided", "2024-03-01"},
	    {{"e", "x", "2020-02-29", NULL, 0}, NULL, NULL},
	};

	(void)state;
	assert_true(clock_parse("2025-12-30T12:00:00Z", &filed));
	expected[0].s.filed_us = filed;
	for (size_t i = 0; i < sizeof(expected) / sizeof(*expected); i++)
		expect(rows, r, &expected[i]);
	json_decref(rows);
	registry_free(r);
}

static void test_retention__malformed_tables_are_refused(void **state)
{
	static const char *const bad[] = {"{}", "[]", "[1]", "[{\"id\":\"a\"}]",
	    "[" ROW("a", "x", "*", "201", "filed") "]", "[" ROW("a", "x", "*", "1", "never") "]",
	    "[" ROW("A", "x", "*", "1", "filed") "]", "[" ROW("a", "x y", "*", "1", "filed") "]",
	    "[" ROW("a", "x", "*", "1", "filed") "," ROW("a", "y", "*", "1", "filed") "]",
	    "[" ROW("a", "x", "*", "1", "filed") "," ROW("b", "x", "*", "2", "filed") "]"};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct ark_error err = {0};
		json_t *rows = read_json(bad[i]);

		assert_int_equal(retention_check(rows, &err), ARK_EINPUT);
		assert_true(err.text[0]);
		json_decref(rows);
	}
}

static void test_hold__ends_with_its_last_day(void **state)
{
	static const char *const held[][2] = {
	    {"holds", "{\"id\":\"a\",\"state\":\"held\"}"},
	    {"holds", "{\"id\":\"b\",\"state\":\"held\",\"until\":\"2199-01-01\"}"},
	    {"holds", "{\"id\":\"c\",\"state\":\"held\",\"until\":\"2020-01-01\"}"},
	    {"holds", "{\"id\":\"d\",\"state\":\"released\"}"},
	};
	struct registry *r = registry_with(held, 4);
	const char *const ids[] = {"a", "b", "c", "d", "e"};

	(void)state;
	for (size_t i = 0; i < 5; i++) {
		json_t *hold = disposition_hold(r, ids[i]);

		assert_int_equal(hold != NULL, i < 2);
		json_decref(hold);
	}
	registry_free(r);
}

/* In the writer's thread: what a tombstone and a hold shut out, whichever was first. */
static void test_settle__holds_and_destructions_cannot_pass_each_other(void **state)
{
	static const char *const standing[][2] = {
	    {"holds", "{\"id\":\"held\",\"state\":\"held\"}"},
	    {"tombstones", "{\"id\":\"0123456789abcdef0123456789abcdef\",\"state\":\"begun\"}"},
	    {"tombstones", "{\"id\":\"gone\",\"state\":\"destroyed\"}"},
	    {"disposals", "{\"id\":\"2123456789abcdef0123456789abcdef\",\"state\":\"received\","
			  "\"action\":\"transfer\"}"},
	    {"disposals", "{\"id\":\"3123456789abcdef0123456789abcdef\",\"state\":\"packaged\","
			  "\"action\":\"transfer\"}"},
	};
	static const struct {
		const char *kind, *id;
		bool held;
		int status;
	} asked[] = {
	    {"tombstones", "free", false, ARK_OK},
	    {"tombstones", "free", true, ARK_ECONFLICT},
	    {"tombstones", "held", false, ARK_ECONFLICT},
	    {"tombstones", "0123456789abcdef0123456789abcdef", false, ARK_OK},
	    {"tombstones", "gone", false, ARK_EGONE},
	    {"holds", "free", false, ARK_OK},
	    {"holds", "0123456789abcdef0123456789abcdef", false, ARK_EGONE},
	    {"disposals", "gone", false, ARK_EGONE},
	    {"units", "gone", false, ARK_OK},
	};
	struct registry *r = registry_with(standing, 5);
	struct filing f = {.kind = FILING_RECORD};

	(void)state;
	for (size_t i = 0; i < sizeof(asked) / sizeof(*asked); i++) {
		f.record_kind = asked[i].kind;
		f.record = json_pack("{s:s}", "id", asked[i].id);
		assert_int_equal(disposition_settle(r, &f, asked[i].held, NULL), asked[i].status);
		json_decref(f.record);
	}
	f = (struct filing){
	    .kind = FILING_METADATA, .document = "0123456789abcdef0123456789abcdef"};
	assert_int_equal(disposition_settle(r, &f, false, NULL), ARK_EGONE);
	f.document[0] = '1';
	assert_int_equal(disposition_settle(r, &f, false, NULL), ARK_OK);
	/* one that another archive has is closed; one that waits to be fetched is not */
	f.document[0] = '2';
	assert_int_equal(disposition_settle(r, &f, false, NULL), ARK_ECONFLICT);
	f.document[0] = '3';
	assert_int_equal(disposition_settle(r, &f, false, NULL), ARK_OK);
	registry_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_retention__most_specific_row_wins),
	    cmocka_unit_test(test_retention__due_on_the_day_after_the_period),
	    cmocka_unit_test(test_retention__malformed_tables_are_refused),
	    cmocka_unit_test(test_hold__ends_with_its_last_day),
	    cmocka_unit_test(test_settle__holds_and_destructions_cannot_pass_each_other),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
