/* Signed reports: what was signed holds, nothing that was changed does, and a page carries it whole. */
#include "tests/unit/unit.h"

#include "api/reports.h"
#include "arkki/archive/report.h"
#include "arkki/base/json.h"

#define ORIGIN "arkki.example/test"

struct fixture {
	char dir[256];
	struct archive *a;
	struct buf history, access;
	json_t *sealed;
};

/* A report with every sign that markup or JSON could stumble on. */
static json_t *invented(void)
{
	return json_pack("{s:s,s:s,s:s,s:s,s:{s:s,s:{s:s}},s:{s:s},s:[s],s:I,s:[{s:s,s:i}],s:n,s:[{"
			 "s:s,s:s,s:s,s:[],s:[{"
			 "s:s,s:s,s:s,s:s,s:s}]}]}",
	    "kind", "arkki-replay/1", "origin", ORIGIN, "made", "2026-03-12T08:15:30.123456Z", "at",
	    "2026-03-12T08:15:30.123456Z", "org", "id", "lvv", "name", "fi",
	    "</pre><script>&amp;\"'", "unit", "id", "koivula", "line", "lvv", "policiesVersion",
	    (json_int_t)1, "roles", "roles", "inspector", "users", 2, "role", "documents", "id",
	    "00112233445566778899aabbccddeeff", "title", "<b>&#34;\\u0000</pre> \xe2\x80\xae",
	    "verdict", "could-and-did", "could", "opened", "time", "2026-03-12T08:15:30.123456Z",
	    "kind", "content", "outcome", "ok", "purpose", "</pre>\n<pre id=\"arkki-report\">{}",
	    "principal", "&lt;maija&gt;");
}

static int begin(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	const struct keyring_secrets *s;
	char dir[300], root[300];

	unit_scratch(f->dir);
	snprintf(dir, sizeof(dir), "%s/archive", f->dir);
	snprintf(root, sizeof(root), "%s/root", f->dir);
	assert_int_equal(archive_init(dir, root, ORIGIN, NULL), 0);
	assert_int_equal(archive_open(dir, root, ARCHIVE_WRITE, NULL, NULL, &f->a, NULL), 0);
	s = keyring_secrets(archive_keyring(f->a));
	assert_int_equal(ledger_vkey(ORIGIN "/history", s->history_seed, &f->history, NULL), 0);
	assert_int_equal(ledger_vkey(ORIGIN "/access", s->access_seed, &f->access, NULL), 0);
	assert_int_equal(report_sign(f->a, invented(), &f->sealed, NULL), 0);
	*state = f;
	return 0;
}

static int end(void **state)
{
	struct fixture *f = *state;

	json_decref(f->sealed);
	archive_close(f->a);
	buf_free(&f->history);
	buf_free(&f->access);
	unit_scratch_end(f->dir);
	free(f);
	return 0;
}

static int check_with(const struct fixture *f, const json_t *sealed, bool access)
{
	const char *const keys[] = {f->history.data, f->access.data};
	struct report_verdict v = {0};
	struct ark_error err = {0};
	int rc = report_check(sealed, keys, access ? 2 : 1, &v, &err);

	if (rc)
		assert_int_not_equal(err.text[0], '\0');
	else
		assert_int_equal(v.access, access);
	return rc;
}

static void test_report__holds_with_its_keys(void **state)
{
	const struct fixture *f = *state;
	const char *const access_only[] = {f->access.data}, *const none[] = {"nonsense"};
	struct report_verdict v;

	assert_int_equal(check_with(f, f->sealed, false), ARK_OK);
	assert_int_equal(check_with(f, f->sealed, true), ARK_OK);
	assert_int_equal(report_check(f->sealed, access_only, 1, &v, NULL), ARK_ENOTFOUND);
	assert_int_equal(report_check(f->sealed, none, 1, &v, NULL), ARK_EINPUT);
	assert_int_equal(report_check(f->sealed, none, 0, &v, NULL), ARK_ENOTFOUND);
}

/* Every byte of the text changed, one at a time: it is no JSON, or no report, or not what was signed. */
static void test_report__no_byte_can_be_changed(void **state)
{
	const struct fixture *f = *state;
	struct buf text = BUF_INIT;

	assert_int_equal(json_write(&text, f->sealed, NULL), 0);
	for (size_t i = 0; i < text.len; i++) {
		const char was = text.data[i];
		json_t *bad = NULL;

		text.data[i] = (char)(was ^ 1);
		if (!json_read(text.data, text.len, &bad, NULL) && !json_equal(bad, f->sealed) &&
		    check_with(f, bad, true) == ARK_OK)
			fail_msg("the byte at %zu can be changed", i);
		json_decref(bad);
		text.data[i] = was;
	}
	buf_free(&text);
}

static void test_report__the_order_of_members_is_signed(void **state)
{
	const struct fixture *f = *state;
	json_t *other = json_deep_copy(f->sealed), *report = json_object_get(other, "report");
	json_t *kind = json_incref(json_object_get(report, "kind"));

	json_object_del(report, "kind");
	json_object_set_new(report, "kind", kind);
	assert_int_equal(check_with(f, other, false), ARK_ECORRUPT);
	json_decref(other);
}

static void test_report__what_is_none_is_refused(void **state)
{
	static const char *const texts[] = {"{}", "[]", "1", "null", "{\"report\":{}}",
	    "{\"report\":[],\"checkpoints\":{\"history\":\"\",\"access\":\"\"},\"note\":\"\"}",
	    "{\"report\":{},\"checkpoints\":{\"history\":1,\"access\":\"\"},\"note\":\"\"}",
	    "{\"report\":{},\"checkpoints\":{\"history\":\"\",\"access\":\"\"},\"note\":\"\"}",
	    "{\"report\":{},\"checkpoints\":[],\"note\":\"a\\n\\n\xe2\x80\x94 a AAAA\\n\"}"};

	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		json_t *v = json_loads(texts[i], JSON_DECODE_ANY, NULL);

		assert_non_null(v);
		assert_int_not_equal(check_with(*state, v, true), ARK_OK);
		json_decref(v);
	}
}

static void test_page__carries_the_report_whole_in_each_language(void **state)
{
	const struct fixture *f = *state;

	for (enum http_language l = HTTP_FI; l <= HTTP_EN; l++) {
		struct buf page = BUF_INIT, again = BUF_INIT;
		enum http_language told = HTTP_FI;
		json_t *read = NULL;

		assert_int_equal(report_page(f->sealed, l, &page, NULL), 0);
		assert_null(strstr(page.data, "<script"));
		assert_null(strstr(page.data, "<b>&#34;"));
		assert_int_equal(report_page_read(page.data, page.len, &read, &told, NULL), 0);
		assert_int_equal(told, l);
		assert_true(json_equal(read, f->sealed));
		assert_int_equal(check_with(f, read, true), ARK_OK);
		assert_int_equal(report_page(read, l, &again, NULL), 0);
		assert_string_equal(again.data, page.data);
		json_decref(read);
		buf_free(&page);
		buf_free(&again);
	}
}

static void test_page__tells_codes_in_words_of_its_language(void **state)
{
	static const char *const words[][3] = {{"Saattoi nähdä ja avasi", "sisältö", "näytettiin"},
	    {"Kunde se och öppnade", "innehåll", "visades"},
	    {"Could see it, and opened it", "content", "shown"}};
	const struct fixture *f = *state;

	for (enum http_language l = HTTP_FI; l <= HTTP_EN; l++) {
		struct buf page = BUF_INIT;
		char entry[80];

		assert_int_equal(report_page(f->sealed, l, &page, NULL), 0);
		assert_non_null(strstr(page.data, words[l][0]));
		snprintf(entry, sizeof(entry), " · %s · %s", words[l][1], words[l][2]);
		assert_non_null(strstr(page.data, entry));
		buf_free(&page);
	}
}

static void test_page__cut_anywhere_is_none(void **state)
{
	const struct fixture *f = *state;
	struct buf page = BUF_INIT;
	enum http_language l;
	const char *whole;

	assert_int_equal(report_page(f->sealed, HTTP_SV, &page, NULL), 0);
	whole = strstr(page.data, "</pre>");
	assert_non_null(whole);
	for (size_t n = 0; n < (size_t)(whole - page.data) + 6; n++) {
		char *cut = malloc(n + 1); /* so that a read past the end is seen */
		json_t *v = NULL;

		memcpy(cut, page.data, n);
		assert_int_not_equal(report_page_read(cut, n, &v, &l, NULL), ARK_OK);
		free(cut);
	}
	buf_free(&page);
}

/* What a page is made of need not be a report at all: it is shown as far as it goes. */
static void test_page__of_anything_is_made_or_refused(void **state)
{
	static const char *const texts[] = {"{}", "[]", "{\"report\":{\"documents\":[1,null,{}]}}",
	    "{\"report\":{\"kind\":\"arkki-replay/"
	    "1\",\"documents\":[{\"could\":[1,{\"list\":{}}],\"opened\":[3,{}]}],"
	    "\"roles\":[1],\"line\":[1,2],\"org\":{\"id\":\"x\"}},\"checkpoints\":{},\"note\":"
	    "\"\"}",
	    "{\"report\":{\"documents\":[{\"entries\":[{\"disclosure\":{\"parts\":{\"A\":{\"json\":"
	    "\"{\"}}}}],"
	    "\"range\":{\"of\":-1}}]},\"checkpoints\":{},\"note\":\"\"}"};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		json_t *v = json_loads(texts[i], 0, NULL);
		struct buf page = BUF_INIT;

		assert_non_null(v);
		if (!report_page(v, HTTP_EN, &page, NULL))
			assert_true(page.len > 0);
		buf_free(&page);
		json_decref(v);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_report__holds_with_its_keys),
	    cmocka_unit_test(test_report__no_byte_can_be_changed),
	    cmocka_unit_test(test_report__the_order_of_members_is_signed),
	    cmocka_unit_test(test_report__what_is_none_is_refused),
	    cmocka_unit_test(test_page__carries_the_report_whole_in_each_language),
	    cmocka_unit_test(test_page__tells_codes_in_words_of_its_language),
	    cmocka_unit_test(test_page__cut_anywhere_is_none),
	    cmocka_unit_test(test_page__of_anything_is_made_or_refused),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
