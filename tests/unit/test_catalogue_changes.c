/* How facts enter the catalogue: replayed, in batches, in the order of the store, as records and renditions,
 * and how the indexer hears of them. */
#include "tests/unit/catalogue_fixture.h"

#include <sqlite3.h>

#include "arkki/base/text.h"

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

int main(void)
{
	const struct CMUnitTest tests[] = {
	    BOTH(test_catalogue__replay_changes_nothing_and_a_rebuild_is_equal),
	    BOTH(test_catalogue__a_batch_with_one_bad_fact_leaves_nothing),
	    BOTH(test_catalogue__changes_keep_the_order_of_the_store),
	    BOTH(test_catalogue__the_indexer_gets_whole_commits_and_amended_versions),
	    BOTH(test_catalogue__the_newest_record_of_each_id_is_kept),
	    BOTH(test_catalogue__a_rendition_is_of_one_version_and_the_newest_counts),
	    BOTH(test_catalogue__the_text_of_a_rendition_has_a_state_of_its_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
