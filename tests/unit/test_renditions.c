/* Public renditions from filing to verification, in a whole archive; and a catalogue that an older arkki made. */
#include "tests/unit/made_archive.h"

#include <semaphore.h>
#include <sqlite3.h>

#include "archive/envelope.h"
#include "arkki/archive/filing.h"
#include "arkki/archive/reading.h"
#include "arkki/base/json.h"
#include "arkki/base/text.h"

struct world {
	char top[256], dir[300], key[300];
	struct archive *a;
	struct receipt *receipt;
	char document[33];
	unsigned int faults;
	char fault[600];   /* the last one */
	char steps[4096];  /* of long work */
	sem_t held, go_on; /* the writer waits between two groups */
};

static void note_step(void *arg, const char *step, uint64_t done, uint64_t of)
{
	struct world *w = arg;
	size_t n = strlen(w->steps);

	(void)done, (void)of;
	snprintf(w->steps + n, sizeof(w->steps) - n, "%s\n", step);
}

static void open_as(struct world *w, enum archive_mode mode)
{
	struct ark_error err = {0};

	if (archive_open(w->dir, w->key, mode, note_step, w, &w->a, &err) ||
	    archive_maintenance(w->a, "test", "all", &w->receipt, &err))
		fail_msg("open: %s", err.text);
}

static void close_it(struct world *w)
{
	receipt_free(w->receipt);
	archive_close(w->a);
	w->a = NULL, w->receipt = NULL;
}

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

static void set_text(char **to, const char *text)
{
	assert_non_null(*to = strdup(text));
}

static void act(struct filing *f)
{
	const struct filing_actor actor = {.user = "maija", .org = "lvv", .roles = "registrar"};

	assert_non_null(f);
	assert_int_equal(filing_set_actor(f, &actor, NULL), ARK_OK);
}

static void submit(struct world *w, struct filing *f)
{
	struct ark_error err = {0};

	if (filing_submit_wait(w->a, f, &err))
		fail_msg("file: %s", err.text);
}

static struct filing *document_filing(struct world *w, const char *document, const char *text)
{
	struct filing *f = filing_new(FILING_DOCUMENT);

	act(f);
	snprintf(f->document, sizeof(f->document), "%s", document);
	f->fields = json_pack("{s:[s],s:s,s:s,s:s,s:s,s:{s:s},s:s,s:s,s:s,s:[s,s]}", "units",
	    "koivula", "type", "decision", "title", "T", "language", "fi", "date", "2026-03-12",
	    "publicity", "class", "secret", "author", "lvv", "state", "final", "visitDate",
	    "2026-03-10", "addressees", "hoiva-oy", "pirha");
	assert_non_null(f->fields);
	assert_int_equal(upload_new(w->a, f->document, 1, &f->upload, NULL), ARK_OK);
	assert_int_equal(upload_write(f->upload, text, strlen(text), NULL), ARK_OK);
	assert_int_equal(upload_finish(f->upload, "text/plain", NULL), ARK_OK);
	return f;
}

static int begin(void **state)
{
	struct world *w = calloc(1, sizeof(*w));
	struct filing *f;

	assert_non_null(w);
	made_archive_copy(*state, w->top, w->dir, w->key);
	open_as(w, ARCHIVE_WRITE);
	snprintf(w->document, sizeof(w->document), "00112233445566778899aabbccddeeff");
	f = document_filing(w, w->document, "the whole of it");
	submit(w, f);
	filing_free(f);
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

static void get_row(struct world *w, struct catalogue_row *row)
{
	struct desk *desk;

	assert_int_equal(archive_desk(w->a, &desk, NULL), ARK_OK);
	assert_int_equal(catalogue_get(desk->catalogue, w->document, 1, NULL, row, NULL), ARK_OK);
	archive_desk_return(w->a, desk);
}

/* A filing of the next rendition; text NULL: the withdrawal. */
static struct filing *rendition_filing(struct world *w, const void *text, size_t len)
{
	struct filing *f = filing_new(FILING_RENDITION);
	struct catalogue_row row;

	act(f);
	get_row(w, &row);
	assert_int_equal(filing_rendition(w->a, w->receipt, &row, f, NULL), ARK_OK);
	catalogue_row_free(&row);
	set_text(&f->reason, text ? "redacted" : "a name was left in");
	set_text(&f->purpose, "publicity request");
	if (text) {
		set_text(&f->file_name, "p\xc3\xa4\xc3\xa4t\xc3\xb6s.txt");
		assert_int_equal(filing_rendition_upload(w->a, f, NULL), ARK_OK);
		assert_int_equal(upload_write(f->upload, text, len, NULL), ARK_OK);
		assert_int_equal(upload_finish(f->upload, "text/plain", NULL), ARK_OK);
	}
	return f;
}

static void file_rendition(struct world *w, const char *text)
{
	struct filing *f = rendition_filing(w, text, text ? strlen(text) : 0);

	submit(w, f);
	filing_free(f);
}

static void check_content(struct world *w, const struct catalogue_row *row, enum form form,
    const void *expect, size_t len)
{
	struct content *c = NULL;
	struct ark_error err = {0};
	char *out = malloc(len + 1);

	assert_non_null(out);
	if (reading_content(w->a, w->receipt, row, form, &c, &err))
		fail_msg("content: %s", err.text);
	assert_int_equal(content_size(c), len);
	assert_int_equal(content_read(c, 0, out, len + 1, NULL), len);
	assert_memory_equal(out, expect, len);
	content_close(c);
	free(out);
}

static void note_fault(void *arg, const char *what)
{
	struct world *w = arg;

	w->faults++;
	snprintf(w->fault, sizeof(w->fault), "%s", what);
}

static void note_summary(void *arg, const char *line)
{
	(void)arg, (void)line;
}

/* How many faults verify finds; the archive is closed for it and open afterwards. */
static unsigned int verify(struct world *w, bool full)
{
	struct ark_error err = {0};
	int rc;

	close_it(w);
	w->faults = 0;
	w->fault[0] = '\0';
	rc = archive_verify(w->dir, w->key, full, NULL, NULL, note_fault, note_summary, w, &err);
	if (rc != (w->faults ? ARK_ECORRUPT : ARK_OK))
		fail_msg("verify: %s; %s", err.text, w->fault);
	open_as(w, ARCHIVE_WRITE);
	return w->faults;
}

static void newest_entry(struct world *w, struct ledger_entry *e)
{
	struct ledger *history = archive_ledger(w->a, LEDGER_HISTORY);

	assert_int_equal(ledger_get(history, ledger_size(history) - 1, e, NULL), ARK_OK);
}

static void sql(struct world *w, const char *text)
{
	char path[320];
	sqlite3 *db;

	close_it(w);
	snprintf(path, sizeof(path), "%s/catalogue.sqlite", w->dir);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, text, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
}

/* ---- filing and reading ---- */

static void test_renditions__one_is_filed_and_read_beside_its_version(void **state)
{
	struct world *w = *state;
	struct catalogue_row row;
	json_t *meta = NULL;
	uint64_t slot, own;
	struct buf text = BUF_INIT;

	get_row(w, &row);
	assert_int_equal(row.renditions, 0);
	assert_int_equal(
	    reading_version(w->a, w->receipt, &row, FORM_PUBLIC, &meta, NULL), ARK_ENOTFOUND);
	assert_int_equal(
	    reading_text(w->a, w->receipt, &row, FORM_PUBLIC, &text, NULL), ARK_ENOTFOUND);
	catalogue_row_free(&row);
	file_rendition(w, "what anyone may read");
	get_row(w, &row);
	assert_int_equal(row.rendition.number, 1);
	assert_string_equal(row.rendition.media_type, "text/plain");
	check_content(w, &row, FORM_PUBLIC, "what anyone may read", 20);
	check_content(w, &row, FORM_WHOLE, "the whole of it", 15);
	assert_int_equal(reading_version(w->a, w->receipt, &row, FORM_PUBLIC, &meta, NULL), ARK_OK);
	assert_string_equal(json_text(meta, "arkki"), "rendition/1");
	assert_string_equal(json_text(meta, "fileName"), "p\xc3\xa4\xc3\xa4t\xc3\xb6s.txt");
	assert_string_equal(json_text(meta, "reason"), "redacted");
	assert_string_equal(json_text(json_object_get(meta, "actor"), "user"), "maija");
	assert_int_equal(json_integer_value(json_object_get(meta, "size")), 20);
	json_decref(meta);
	/* one key, so that destroying it destroys both */
	assert_int_equal(
	    envelope_slot(row.rendition.sealed.data, row.rendition.sealed.len, &slot, NULL),
	    ARK_OK);
	assert_int_equal(
	    envelope_slot(row.sealed_version.data, row.sealed_version.len, &own, NULL), ARK_OK);
	assert_int_equal(slot, own);
	catalogue_row_free(&row);
	assert_int_equal(verify(w, true), 0);
}

static void test_renditions__a_large_one_lies_in_chunks(void **state)
{
	struct world *w = *state;
	size_t len = 3000000;
	char *large = malloc(len);
	struct catalogue_row row;
	struct filing *f;

	assert_non_null(large);
	for (size_t i = 0; i < len; i++)
		large[i] = (char)('a' + i * i % 23);
	file_rendition(w, "small");
	f = rendition_filing(w, large, len);
	submit(w, f);
	assert_int_equal(f->rendition, 2);
	filing_free(f);
	get_row(w, &row);
	assert_int_equal(row.rendition.number, 2);
	assert_int_equal(row.rendition.chunks, 3);
	check_content(w, &row, FORM_PUBLIC, large, len);
	catalogue_row_free(&row);
	free(large);
	assert_int_equal(verify(w, true), 0);
}

static void test_renditions__a_later_one_replaces_and_a_withdrawal_ends_it(void **state)
{
	struct world *w = *state;
	struct catalogue_row first, row;
	struct content *c = NULL;
	struct filing *f;
	struct ark_error err;

	file_rendition(w, "first");
	get_row(w, &first);
	file_rendition(w, "second");
	get_row(w, &row);
	assert_int_equal(row.rendition.number, 2);
	check_content(w, &row, FORM_PUBLIC, "second", 6);
	/* what was read before still says which it is: the store kept it */
	check_content(w, &first, FORM_PUBLIC, "first", 5);
	/* and one does not open in the other's place */
	first.rendition.number = 2;
	assert_int_equal(
	    reading_content(w->a, w->receipt, &first, FORM_PUBLIC, &c, &err), ARK_ECORRUPT);
	catalogue_row_free(&first);
	catalogue_row_free(&row);
	file_rendition(w, NULL);
	get_row(w, &row);
	assert_int_equal(row.rendition.number, 0);
	assert_int_equal(row.renditions, 3);
	assert_int_equal(
	    reading_content(w->a, w->receipt, &row, FORM_PUBLIC, &c, &err), ARK_ENOTFOUND);
	catalogue_row_free(&row);
	f = rendition_filing(w, NULL, 0);
	assert_int_equal(filing_submit_wait(w->a, f, &err), ARK_ENOTFOUND);
	filing_free(f);
	file_rendition(w, "third");
	get_row(w, &row);
	assert_int_equal(row.rendition.number, 4);
	check_content(w, &row, FORM_PUBLIC, "third", 5);
	catalogue_row_free(&row);
	assert_int_equal(verify(w, true), 0);
}

static void test_renditions__the_history_log_tells_of_each(void **state)
{
	struct world *w = *state;
	struct ledger_entry e;
	const json_t *objects;

	file_rendition(w, "first");
	newest_entry(w, &e);
	assert_string_equal(json_text(e.a, "kind"), "rendition");
	assert_string_equal(json_text(e.a, "document"), w->document);
	assert_string_equal(json_text(e.a, "purpose"), "publicity request");
	assert_int_equal(json_integer_value(json_object_get(e.a, "version")), 1);
	assert_int_equal(json_integer_value(json_object_get(e.a, "bytes")), 5);
	objects = json_object_get(json_object_get(e.a, "detail"), "objects");
	assert_int_equal(json_object_size(objects), 2);
	assert_non_null(json_text(objects, "v0001/renditions/public/meta"));
	assert_non_null(json_text(objects, "v0001/renditions/public/content"));
	assert_int_equal(strlen(json_text(json_object_get(e.a, "detail"), "commitment")), 64);
	ledger_entry_free(&e);
	file_rendition(w, NULL);
	newest_entry(w, &e);
	assert_string_equal(json_text(e.a, "kind"), "rendition-withdrawn");
	objects = json_object_get(json_object_get(e.a, "detail"), "objects");
	assert_int_equal(json_object_size(objects), 1);
	assert_non_null(json_text(objects, "v0001/renditions/public-0002/meta"));
	assert_null(json_object_get(json_object_get(e.a, "detail"), "commitment"));
	ledger_entry_free(&e);
}

static void hold_writer(void *arg, uint64_t sequence)
{
	struct world *w = arg;

	(void)sequence;
	sem_post(&w->held);
	sem_wait(&w->go_on);
}

static void count_done(void *arg, struct filing *f)
{
	(void)f;
	sem_post(arg);
}

/* While the writer is held after another commit, three queue up for one group; a fourth comes after. */
static void test_renditions__only_one_builds_on_what_was_read(void **state)
{
	struct world *w = *state;
	struct filing *other = document_filing(w, "ff112233445566778899aabbccddeeff", "other");
	struct filing *f[4];
	struct ark_error err;
	sem_t done;

	sem_init(&done, 0, 0);
	sem_init(&w->held, 0, 0);
	sem_init(&w->go_on, 0, 0);
	for (size_t i = 0; i < 4; i++)
		f[i] = rendition_filing(w, i == 1 ? NULL : "text", 4);
	f[1]->base_rendition = 1; /* the withdrawal builds on the first */
	archive_listen(w->a, hold_writer, w);
	other->done = count_done, other->arg = &done;
	assert_int_equal(filing_submit(w->a, other, NULL), ARK_OK);
	sem_wait(&w->held);
	for (size_t i = 0; i < 3; i++) {
		f[i]->done = count_done, f[i]->arg = &done;
		assert_int_equal(filing_submit(w->a, f[i], NULL), ARK_OK);
	}
	for (size_t i = 0; i < 10; i++) /* for these two commits and those of the end */
		sem_post(&w->go_on);
	for (size_t i = 0; i < 4; i++)
		sem_wait(&done);
	assert_int_equal(f[0]->status, ARK_OK);
	assert_int_equal(f[0]->rendition, 1);
	assert_int_equal(f[1]->status, ARK_OK);
	assert_int_equal(f[1]->rendition, 2);
	assert_int_equal(f[0]->sequence, f[1]->sequence);
	assert_int_equal(f[2]->status, ARK_ECONFLICT);
	assert_int_equal(filing_submit_wait(w->a, f[3], &err), ARK_ECONFLICT);
	filing_free(other);
	for (size_t i = 0; i < 4; i++)
		filing_free(f[i]);
	assert_int_equal(verify(w, true), 0);
}

/* ---- text ---- */

static void test_renditions__the_text_of_one_is_kept_apart_and_survives_a_rebuild(void **state)
{
	struct world *w = *state;
	struct catalogue_row row;
	struct buf text = BUF_INIT;
	char reason[200] = "";

	file_rendition(w, "first");
	get_row(w, &row);
	assert_int_equal(
	    reading_keep_text(w->a, w->receipt, &row, FORM_WHOLE, "whole", 5, NULL), 0);
	assert_string_equal(reading_text_state(w->a, &row, FORM_PUBLIC, reason), "pending");
	assert_int_equal(
	    reading_keep_text(w->a, w->receipt, &row, FORM_PUBLIC, "public", 6, NULL), 0);
	assert_int_equal(reading_text(w->a, w->receipt, &row, FORM_PUBLIC, &text, NULL), ARK_OK);
	assert_string_equal(text.data, "public");
	buf_clear(&text);
	assert_int_equal(reading_text(w->a, w->receipt, &row, FORM_WHOLE, &text, NULL), ARK_OK);
	assert_string_equal(text.data, "whole");
	buf_free(&text);
	catalogue_row_free(&row);
	close_it(w);
	open_as(w, ARCHIVE_REBUILD);
	get_row(w, &row);
	assert_int_equal(row.rendition.number, 1);
	assert_string_equal(row.rendition.text_state, "ready");
	assert_string_equal(row.text_state, "ready");
	check_content(w, &row, FORM_PUBLIC, "first", 5);
	catalogue_row_free(&row);
	file_rendition(w, "second");
	get_row(w, &row);
	assert_string_equal(reading_text_state(w->a, &row, FORM_PUBLIC, reason), "pending");
	assert_int_equal(reading_keep_no_text(w->a, &row, FORM_PUBLIC, "encrypted", NULL), 0);
	catalogue_row_free(&row);
	close_it(w);
	open_as(w, ARCHIVE_REBUILD);
	get_row(w, &row);
	assert_string_equal(row.rendition.text_state, "none");
	assert_string_equal(row.rendition.text_reason, "encrypted");
	assert_string_equal(row.text_state, "ready");
	catalogue_row_free(&row);
	assert_int_equal(verify(w, true), 0);
}

/* ---- after a crash, and damage ---- */

/* The commit stands, its entries and facts do not: as a crash between them leaves it. */
static void test_renditions__a_crash_after_the_commit_is_recovered(void **state)
{
	struct world *w = *state;
	struct catalogue_row row;
	struct ledger_entry e;

	file_rendition(w, "first");
	close_it(w);
	run("cp -a '%s/catalogue.sqlite' '%s/catalogue.sqlite'", w->dir, w->top);
	open_as(w, ARCHIVE_WRITE);
	file_rendition(w, "second");
	file_rendition(w, NULL);
	close_it(w);
	run("cp -a '%s/ledger/history' '%s/history'", w->dir, w->top);
	open_as(w, ARCHIVE_WRITE);
	file_rendition(w, "fourth");
	close_it(w);
	run("rm -rf '%s'/ledger/history '%s'/a/catalogue.sqlite*", w->dir, w->top);
	run("mv '%s/history' '%s/ledger/history'", w->top, w->dir);
	run("mv '%s/catalogue.sqlite' '%s/'", w->top, w->dir);
	open_as(w, ARCHIVE_WRITE);
	get_row(w, &row);
	assert_int_equal(row.rendition.number, 4);
	check_content(w, &row, FORM_PUBLIC, "fourth", 6);
	catalogue_row_free(&row);
	newest_entry(w, &e);
	assert_string_equal(json_text(e.a, "kind"), "rendition");
	ledger_entry_free(&e);
	assert_int_equal(verify(w, true), 0);
}

static void test_renditions__verify_sees_damage_in_one(void **state)
{
	struct world *w = *state;
	struct filing *f = rendition_filing(w, "damaged", 7);

	f->upload->memory.data[60] ^= 1; /* in the sealed content, after its digest was taken */
	submit(w, f);
	filing_free(f);
	assert_int_equal(verify(w, false), 0); /* contents are opened by the full one */
	assert_int_equal(verify(w, true), 2);  /* another digest, and it does not open */
	assert_non_null(strstr(w->fault, "renditions/public/content"));
}

static void test_renditions__verify_sees_a_catalogue_that_says_otherwise(void **state)
{
	struct world *w = *state;

	file_rendition(w, "first");
	file_rendition(w, NULL);
	/* a withdrawn one would be shown again: its row, and one rendition too many */
	sql(w, "UPDATE version SET rendition = 1");
	open_as(w, ARCHIVE_WRITE);
	assert_int_equal(verify(w, false), 2);
	assert_non_null(strstr(w->fault, "arkki rebuild"));
	close_it(w);
	open_as(w, ARCHIVE_REBUILD);
	assert_int_equal(verify(w, false), 0);
}

/* ---- the catalogue ---- */

static bool admits(struct world *w, struct access_filter *f)
{
	struct desk *desk;
	bool admitted;

	assert_int_equal(archive_desk(w->a, &desk, NULL), ARK_OK);
	assert_int_equal(
	    catalogue_admits(desk->catalogue, w->document, 1, f, &admitted, NULL), ARK_OK);
	archive_desk_return(w->a, desk);
	return admitted;
}

static void test_renditions__filters_ask_what_the_metadata_says(void **state)
{
	struct world *w = *state;
	struct access_filter to = {
	    ACCESS_OP_HAS, ACCESS_ATTR_ADDRESSEE, (char[]){"pirha"}, NULL, 0};
	struct access_filter other = {
	    ACCESS_OP_HAS, ACCESS_ATTR_ADDRESSEE, (char[]){"lvv"}, NULL, 0};
	struct access_filter visited = {
	    ACCESS_OP_UPTO, ACCESS_ATTR_VISIT_DATE, (char[]){"2026-03-10"}, NULL, 0};
	struct access_filter earlier = {
	    ACCESS_OP_UPTO, ACCESS_ATTR_VISIT_DATE, (char[]){"2026-03-09"}, NULL, 0};
	struct access_filter shown = {
	    ACCESS_OP_HAS, ACCESS_ATTR_RENDITION, (char[]){"public"}, NULL, 0};

	assert_true(admits(w, &to));
	assert_false(admits(w, &other));
	assert_true(admits(w, &visited));
	assert_false(admits(w, &earlier));
	assert_false(admits(w, &shown));
	file_rendition(w, "first");
	assert_true(admits(w, &shown));
	file_rendition(w, NULL);
	assert_false(admits(w, &shown));
}

static void test_renditions__a_catalogue_of_another_schema_is_made_anew(void **state)
{
	struct world *w = *state;
	struct archive *reader = NULL;
	struct catalogue_row row;
	struct ark_error err = {0};
	uint64_t sequence;

	file_rendition(w, "first");
	sequence = archive_sequence(w->a);
	sql(w, "DROP TABLE version; PRAGMA user_version = 1");
	assert_int_equal(
	    archive_open(w->dir, w->key, ARCHIVE_READ, NULL, NULL, &reader, &err), ARK_EINPUT);
	assert_non_null(strstr(err.text, "arkki rebuild"));
	w->steps[0] = '\0';
	open_as(w, ARCHIVE_WRITE);
	assert_non_null(strstr(w->steps, "anew"));
	assert_non_null(strstr(w->steps, "replay"));
	assert_int_equal(archive_sequence(w->a), sequence);
	get_row(w, &row);
	assert_int_equal(row.rendition.number, 1);
	catalogue_row_free(&row);
	assert_int_equal(verify(w, true), 0);
}

#define BOTH(test) cmocka_unit_test_setup_teardown(test, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    BOTH(test_renditions__one_is_filed_and_read_beside_its_version),
	    BOTH(test_renditions__a_large_one_lies_in_chunks),
	    BOTH(test_renditions__a_later_one_replaces_and_a_withdrawal_ends_it),
	    BOTH(test_renditions__the_history_log_tells_of_each),
	    BOTH(test_renditions__only_one_builds_on_what_was_read),
	    BOTH(test_renditions__the_text_of_one_is_kept_apart_and_survives_a_rebuild),
	    BOTH(test_renditions__a_crash_after_the_commit_is_recovered),
	    BOTH(test_renditions__verify_sees_damage_in_one),
	    BOTH(test_renditions__verify_sees_a_catalogue_that_says_otherwise),
	    BOTH(test_renditions__filters_ask_what_the_metadata_says),
	    BOTH(test_renditions__a_catalogue_of_another_schema_is_made_anew),
	};

	return cmocka_run_group_tests(tests, made_archive_begin, made_archive_end);
}
