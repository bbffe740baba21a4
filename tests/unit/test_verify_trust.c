/* What an archive knows against itself: an access log that was put back alone, a tombstone whose key still opens.
 * The document is made up. */
#include "tests/unit/unit.h"

#include "archive/access_tie.h"
#include "archive/ledger_private.h"
#include "arkki/archive/disposition.h"
#include "arkki/archive/filing.h"
#include "arkki/base/json.h"

#define DOCUMENT "00112233445566778899aabbccddeeff"
#define OTHER "ffeeddccbbaa99887766554433221100"

struct world {
	char top[256], dir[300], key[300];
	struct archive *a;
	char faults[4000];
	struct ark_error err;
};

static const struct filing_actor actor = {.user = "maija", .org = "lvv", .roles = "registrar"};

static void run(const char *fmt, ...) ARK_PRINTF(1, 2);
static void run(const char *fmt, ...)
{
	char command[1200];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(command, sizeof(command), fmt, ap);
	va_end(ap);
	assert_int_equal(system(command), 0);
}

static int try_open(struct world *w)
{
	w->err = (struct ark_error){0};
	return archive_open(w->dir, w->key, ARCHIVE_WRITE, NULL, NULL, &w->a, &w->err);
}

static void open_it(struct world *w)
{
	if (try_open(w))
		fail_msg("open: %s", w->err.text);
}

static void close_it(struct world *w)
{
	archive_close(w->a);
	w->a = NULL;
}

/* Entries of the access log, in a signed checkpoint. */
static void read_some(struct world *w, unsigned int n)
{
	while (n--)
		assert_int_equal(archive_maintenance(w->a, "test", "all", NULL, NULL), ARK_OK);
	assert_int_equal(ledger_publish(w->a->access, ledger_size(w->a->access), NULL), ARK_OK);
}

static void file_document(struct world *w, const char *document)
{
	struct filing *f = filing_new(FILING_DOCUMENT);

	assert_non_null(f);
	assert_int_equal(filing_set_actor(f, &actor, NULL), ARK_OK);
	snprintf(f->document, sizeof(f->document), "%s", document);
	f->fields = json_pack("{s:[s],s:s,s:s,s:s,s:s,s:{s:s},s:s,s:s}", "units", "koivula", "type",
	    "decision", "title", "T", "language", "fi", "date", "2026-03-12", "publicity", "class",
	    "secret", "author", "lvv", "state", "final");
	assert_non_null(f->fields);
	assert_int_equal(upload_new(w->a, f->document, 1, &f->upload, NULL), ARK_OK);
	assert_int_equal(upload_write(f->upload, "text", 4, NULL), ARK_OK);
	assert_int_equal(upload_finish(f->upload, "text/plain", NULL), ARK_OK);
	if (filing_submit_wait(w->a, f, &w->err))
		fail_msg("file: %s", w->err.text);
	filing_free(f);
}

static void note_fault(void *arg, const char *what)
{
	struct world *w = arg;
	size_t n = strlen(w->faults);

	snprintf(w->faults + n, sizeof(w->faults) - n, "%s\n", what);
}

static void note_summary(void *arg, const char *line)
{
	(void)arg, (void)line;
}

static int verify(struct world *w, bool full)
{
	w->faults[0] = '\0';
	return archive_verify(
	    w->dir, w->key, full, NULL, NULL, note_fault, note_summary, w, &w->err);
}

static int begin_all(void **state)
{
	char *top = malloc(256), dir[300], key[300];

	assert_non_null(top);
	unit_scratch(top);
	snprintf(dir, sizeof(dir), "%s/a", top);
	snprintf(key, sizeof(key), "%s/root.key", top);
	assert_int_equal(archive_init(dir, key, "test.example", NULL), ARK_OK);
	*state = top;
	return 0;
}

static int end_all(void **state)
{
	unit_scratch_end(*state);
	free(*state);
	return 0;
}

static int begin(void **state)
{
	struct world *w = calloc(1, sizeof(*w));

	assert_non_null(w);
	unit_scratch(w->top);
	snprintf(w->dir, sizeof(w->dir), "%s/a", w->top);
	snprintf(w->key, sizeof(w->key), "%s/root.key", w->top);
	run("cp -a '%s'/. '%s'", (const char *)*state, w->top);
	open_it(w);
	file_document(w, DOCUMENT);
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

/* ---- the access log ---- */

static void put_back(struct world *w, const char *what)
{
	run("rm -r '%s/ledger/%s' && cp -a '%s/%s' '%s/ledger/%s'", w->dir, what, w->top, what,
	    w->dir, what);
}

static void keep(struct world *w, const char *what)
{
	run("cp -a '%s/ledger/%s' '%s/%s'", w->dir, what, w->top, what);
}

/* As an arkki that compares nothing would go on with it. *tie: what it comes to. */
static void write_beside(struct world *w, enum ledger_which which, const char *detail,
    unsigned int n, struct checkpoint *tie)
{
	const char *name = which == LEDGER_ACCESS ? "access" : "history";
	struct ledger_record r = {.kind = "access-log", .principal = "system", .detail = detail};
	struct keyring *keys = NULL;
	struct ledger *l = NULL;
	struct buf note = BUF_INIT;
	char path[400], origin[80];

	snprintf(path, sizeof(path), "%s/keys", w->dir);
	assert_int_equal(keyring_open(path, w->key, true, &keys, NULL), ARK_OK);
	snprintf(path, sizeof(path), "%s/ledger/%s", w->dir, name);
	snprintf(origin, sizeof(origin), "test.example/%s", name);
	assert_int_equal(ledger_open(path, origin, which, keys, true, &l, NULL), ARK_OK);
	while (n--)
		assert_int_equal(ledger_append_wait(l, &r, 1, NULL, NULL), ARK_OK);
	assert_int_equal(ledger_publish(l, ledger_size(l), NULL), ARK_OK);
	assert_int_equal(ledger_newest(l, &note, tie, NULL), ARK_OK);
	buf_free(&note);
	ledger_close(l);
	keyring_close(keys);
}

static void test_access_tie__a_filing_speaks_of_the_access_log(void **state)
{
	struct world *w = *state;
	struct checkpoint tie = {0};
	struct ledger_entry e;
	uint64_t size;

	read_some(w, 5);
	size = ledger_size(w->a->access);
	file_document(w, OTHER);
	assert_int_equal(
	    ledger_get(w->a->history, ledger_size(w->a->history) - 1, &e, NULL), ARK_OK);
	assert_true(access_tie_read(&e, &tie));
	ledger_entry_free(&e);
	assert_int_equal(tie.size, size);
	assert_int_equal(access_tie_holds(w->a, &tie, NULL), ARK_OK);
	read_some(w, 300);
	assert_int_equal(access_tie_holds(w->a, &tie, NULL), ARK_OK);
	tie.root.bytes[7] ^= 1;
	assert_int_equal(access_tie_holds(w->a, &tie, &w->err), ARK_ECORRUPT);
	assert_non_null(strstr(w->err.text, "other ones"));
	close_it(w);
	assert_int_equal(verify(w, true), ARK_OK);
	assert_string_equal(w->faults, "");
}

static void test_access_tie__one_of_its_own_only_when_there_is_more(void **state)
{
	struct world *w = *state;
	uint64_t size;

	read_some(w, 5);
	file_document(w, OTHER);
	size = ledger_size(w->a->history);
	assert_int_equal(access_tie_log(w->a, NULL), ARK_OK);
	assert_int_equal(ledger_size(w->a->history), size);
	read_some(w, 1);
	assert_int_equal(access_tie_log(w->a, NULL), ARK_OK);
	assert_int_equal(ledger_size(w->a->history), size + 1);
	assert_int_equal(access_tie_log(w->a, NULL), ARK_OK);
	assert_int_equal(ledger_size(w->a->history), size + 1);
	close_it(w);
	open_it(w);
	assert_true(atomic_load(&w->a->tied) > 0);
	close_it(w);
	assert_int_equal(verify(w, false), ARK_OK);
}

static void test_access_tie__a_log_that_was_put_back_alone_is_refused(void **state)
{
	struct world *w = *state;
	bool by_filing = true;

	for (int i = 0; i < 2; i++, by_filing = false) {
		close_it(w);
		run("rm -rf '%s/access' '%s/today'", w->top, w->top);
		keep(w, "access");
		open_it(w);
		read_some(w, 4);
		if (by_filing)
			file_document(w, OTHER);
		else
			assert_int_equal(access_tie_log(w->a, NULL), ARK_OK);
		close_it(w);
		run("cp -a '%s/ledger/access' '%s/today'", w->dir, w->top);
		put_back(w, "access");
		assert_int_equal(try_open(w), ARK_ECORRUPT);
		assert_non_null(strstr(w->err.text, "older copy of ledger/access was put back"));
		assert_non_null(strstr(w->err.text, "put back a newer one"));
		assert_int_equal(verify(w, false), ARK_ECORRUPT);
		/* and what the text says helps */
		run("rm -r '%s/access' && mv '%s/today' '%s/access'", w->top, w->top, w->top);
		put_back(w, "access");
		open_it(w);
	}
	close_it(w);
	assert_int_equal(verify(w, true), ARK_OK);
}

static void test_access_tie__a_log_that_went_another_way_is_refused_and_named(void **state)
{
	struct world *w = *state;
	struct checkpoint tie, other;
	struct buf detail = BUF_INIT;

	close_it(w);
	keep(w, "access");
	open_it(w);
	read_some(w, 4);
	file_document(w, OTHER);
	close_it(w);
	put_back(w, "access");
	write_beside(w, LEDGER_ACCESS, NULL, 40, &tie);
	assert_int_equal(try_open(w), ARK_ECORRUPT);
	assert_non_null(strstr(w->err.text, "other ones than the history log speaks of"));
	/* the newest tie holds again: the start is fooled, verify is not */
	buf_addc(&detail, '{');
	access_tie_write(&detail, &tie);
	buf_addc(&detail, '}');
	write_beside(w, LEDGER_HISTORY, detail.data, 1, &other);
	buf_free(&detail);
	open_it(w);
	close_it(w);
	assert_int_equal(verify(w, false), ARK_ECORRUPT);
	assert_non_null(strstr(w->faults, "access log: the first "));
	assert_non_null(strstr(w->faults, "put back a newer one"));
}

/* ---- tombstones ---- */

static void bury(struct world *w, const char *state, uint32_t base)
{
	assert_int_equal(
	    disposition_file(w->a, "tombstones",
		json_pack("{s:s,s:s,s:s}", "id", DOCUMENT, "state", state, "action", "destroy"),
		base, &actor, NULL, &w->err),
	    ARK_OK);
}

static void test_verify__a_tombstone_whose_key_still_opens_is_named(void **state)
{
	struct world *w = *state;

	file_document(w, OTHER);
	bury(w, "begun", 0);
	close_it(w);
	assert_int_equal(verify(w, false), ARK_OK); /* it was cut there: the next run goes on */
	open_it(w);
	bury(w, "destroyed", 1);
	close_it(w);
	assert_int_equal(verify(w, false), ARK_ECORRUPT);
	assert_non_null(strstr(w->faults, DOCUMENT " was destroyed"));
	assert_non_null(strstr(w->faults, "still opens"));
	assert_null(strstr(w->faults, OTHER));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(
		test_access_tie__a_filing_speaks_of_the_access_log, begin, end),
	    cmocka_unit_test_setup_teardown(
		test_access_tie__one_of_its_own_only_when_there_is_more, begin, end),
	    cmocka_unit_test_setup_teardown(
		test_access_tie__a_log_that_was_put_back_alone_is_refused, begin, end),
	    cmocka_unit_test_setup_teardown(
		test_access_tie__a_log_that_went_another_way_is_refused_and_named, begin, end),
	    cmocka_unit_test_setup_teardown(
		test_verify__a_tombstone_whose_key_still_opens_is_named, begin, end),
	};

	return cmocka_run_group_tests(tests, begin_all, end_all);
}
