/* A log as its callers see it: appending, reading back, proofs, receipts. */
#include "tests/unit/ledger_fixture.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include "archive/checkpoint.h"
#include "archive/ledger_record.h"
#include "archive/ledger_tiles.h"
#include "arkki/base/clock.h"
#include "arkki/base/fs.h"
#include "arkki/base/json.h"
#include "arkki/base/text.h"

static uint64_t append(struct fixture *f, const char *document, const char *principal, bool own)
{
	struct ledger_record r = {.kind = "content",
	    .document = document,
	    .version = 2,
	    .purpose = "valvonta \"p\xc3\xa4iv\xc3\xa4\"\n",
	    .bytes = 1234,
	    .principal = principal,
	    .org = "lvv",
	    .roles = "inspector registrar",
	    .own_series = own};
	struct receipt *receipt = NULL;
	struct ark_error err = {0};
	uint64_t first;

	if (ledger_append_wait(f->l, &r, 1, &receipt, &err))
		fail_msg("%s", err.text);
	assert_int_equal(receipt_count(receipt), 1);
	first = receipt_first(receipt);
	receipt_free(receipt);
	return first;
}

static json_int_t number(const json_t *object, const char *key)
{
	json_t *v = json_object_get(object, key);

	return v ? json_integer_value(v) : -1;
}

static void count_fault(void *arg, const char *what)
{
	(void)what;
	++*(unsigned int *)arg;
}

static void print_fault(void *arg, const char *what)
{
	(void)arg;
	printf("fault: %s\n", what);
}

static void test_ledger__a_record_reads_back_in_its_three_parts(void **state)
{
	struct fixture *f = *state;
	struct ledger_record r = {.time_us = 1773303330123456,
	    .kind = "search",
	    .outcome = LEDGER_DENIED,
	    .case_id = "c1",
	    .detail = "{\"n\":[1,2]}",
	    .principal = "maija",
	    .roles = "inspector  ",
	    .authentication = "strong",
	    .session = "s1",
	    .address = "192.0.2.1",
	    .query = "sijais\"huolto\\\t"};
	struct ledger_entry e;
	char *text;

	r.roles = "inspector";
	assert_int_equal(ledger_append_wait(f->l, &r, 1, NULL, NULL), 0);
	assert_int_equal(ledger_get(f->l, 0, &e, NULL), 0);
	text = json_dumps(e.a, JSON_COMPACT);
	assert_string_equal(text,
	    "{\"time\":\"2026-03-12T08:15:30.123456Z\",\"kind\":\"search\","
	    "\"outcome\":\"denied\",\"case\":\"c1\",\"detail\":{\"n\":[1,2]}}");
	free(text);
	text = json_dumps(e.b, JSON_COMPACT);
	assert_string_equal(text,
	    "{\"principal\":\"maija\",\"roles\":[\"inspector\"],\"authentication\":\"strong\","
	    "\"session\":\"s1\",\"address\":\"192.0.2.1\",\"principalSequence\":1}");
	free(text);
	assert_string_equal(json_text(e.c, "query"), r.query);
	ledger_entry_free(&e);
	assert_int_equal(ledger_get(f->l, 1, &e, NULL), ARK_ENOTFOUND);
}

/* The commitments as the format's description has them, made by hand. */
static void test_ledger__one_part_can_be_shown_and_checked_alone(void **state)
{
	struct fixture *f = *state;
	struct ledger_record r = {.kind = "search", .principal = "maija", .query = "sijaishuolto"};
	struct record_draft d;
	struct record_part parts[3];
	struct buf text = BUF_INIT, b = BUF_INIT, all = BUF_INIT;
	unsigned char salts[RECORD_SALTS], plain[2000], entry[33], hash[32];
	struct record_stamp stamp = {
	    .time = "2026-03-12T08:15:30.123456Z", .principal_sequence = 7, .salts = salts};
	struct sha256 *sha = sha256_new();
	size_t len;

	for (size_t i = 0; i < sizeof(salts); i++)
		salts[i] = (unsigned char)i;
	assert_int_equal(record_draft(f->keys, &r, &text, &d, NULL), 0);
	len = record_complete(&d, text.data, &stamp, sha, plain, entry);
	assert_true(len <= record_draft_len(&d) + RECORD_OVERHEAD);
	assert_int_equal(record_split(plain, len, entry, parts, NULL), 0);
	assert_int_equal(
	    parts[1].json_len, strlen("{\"principal\":\"maija\",\"principalSequence\":7}"));
	buf_adds(&all, "arkki-entry-v1\n");
	for (int i = 0; i < 3; i++) {
		buf_clear(&b);
		buf_addf(&b, "arkki-part-v1\n%c", "ABC"[i]);
		buf_add(&b, salts + 32 * i, 32);
		buf_add(&b, parts[i].json, parts[i].json_len);
		sha256_of(b.data, b.len, hash);
		buf_add(&all, hash, 32);
	}
	sha256_of(all.data, all.len, hash);
	assert_int_equal(entry[0], 1);
	assert_memory_equal(entry + 1, hash, 32);
	/* another salt, another text, another end: another record */
	plain[4] ^= 1;
	assert_int_equal(record_split(plain, len, entry, parts, NULL), ARK_ECORRUPT);
	plain[4] ^= 1;
	plain[len - 1] ^= 1;
	assert_int_equal(record_split(plain, len, entry, parts, NULL), ARK_ECORRUPT);
	plain[len - 1] ^= 1;
	assert_int_equal(record_split(plain, len - 1, entry, parts, NULL), ARK_ECORRUPT);
	assert_int_equal(record_split(plain, len + 1, entry, parts, NULL), ARK_ECORRUPT);
	sha256_free(sha);
	buf_free(&text), buf_free(&b), buf_free(&all);
}

static void test_ledger__an_empty_record_has_empty_parts(void **state)
{
	struct fixture *f = *state;
	struct ledger_record r = {.kind = "maintenance"};
	struct ledger_entry e;

	assert_int_equal(ledger_append_wait(f->l, &r, 1, NULL, NULL), 0);
	assert_int_equal(ledger_get(f->l, 0, &e, NULL), 0);
	assert_int_equal(json_object_size(e.b), 0);
	assert_true(json_is_null(e.c));
	ledger_entry_free(&e);
}

static void test_ledger__bad_records_are_refused_and_leave_nothing(void **state)
{
	struct fixture *f = *state;
	struct ledger_record bad[] = {{.kind = NULL}, {.kind = "a", .document = "xyz"},
	    {.kind = "a", .purpose = "\xff"}, {.kind = "a", .detail = "[1]"},
	    {.kind = "a", .detail = "{\"a\":1,\"a\":2}"}, {.kind = "a", .detail = "{}],[{}"},
	    {.kind = "a", .outcome = 9}};
	char *big = malloc(300000);

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_int_equal(ledger_append_wait(f->l, &bad[i], 1, NULL, NULL), ARK_EINPUT);
	assert_int_equal(ledger_append_wait(f->l, bad, 0, NULL, NULL), ARK_EINPUT);
	memset(big, 'x', 299999);
	big[299999] = '\0';
	bad[0] = (struct ledger_record){.kind = "a", .query = big};
	assert_int_equal(ledger_append_wait(f->l, bad, 1, NULL, NULL), ARK_EINPUT);
	assert_int_equal(ledger_size(f->l), 0);
	free(big);
}

static void test_ledger__sequences_are_gap_free_over_a_restart_and_own_series_apart(void **state)
{
	struct fixture *f = *state;
	/* document, principal, own; then the sequence numbers that must come out */
	static const struct {
		const char *document, *principal;
		bool own;
		int document_sequence, principal_sequence;
	} steps[] = {{DOC_A, "maija", false, 1, 1}, {DOC_A, "ville", false, 2, 1},
	    {DOC_B, "maija", false, 1, 2}, {DOC_A, "oa", true, 1, 1}, {DOC_A, "maija", false, 3, 3},
	    {NULL, "maija", false, -1, 4}, {DOC_A, NULL, false, 4, -1}, {DOC_B, "oa", true, 1, 2},
	    {DOC_A, "oa", true, 2, 3}, {DOC_B, "oa", false, 2, 1}};
	size_t n = sizeof(steps) / sizeof(*steps);

	for (size_t round = 0; round < 2; round++) {
		for (size_t i = 0; i < n; i++) {
			struct ledger_entry e;
			int add[2] = {0, 0};
			uint64_t index =
			    append(f, steps[i].document, steps[i].principal, steps[i].own);

			/* the second round goes on from the first */
			for (size_t j = 0; round && j < n; j++) {
				add[0] += steps[i].document && steps[j].document &&
					  steps[i].own == steps[j].own &&
					  strcmp(steps[i].document, steps[j].document) == 0;
				add[1] += steps[i].principal && steps[j].principal &&
					  steps[i].own == steps[j].own &&
					  strcmp(steps[i].principal, steps[j].principal) == 0;
			}
			assert_int_equal(ledger_get(f->l, index, &e, NULL), 0);
			assert_int_equal(
			    number(e.a, "documentSequence"), steps[i].document_sequence + add[0]);
			assert_int_equal(
			    number(e.b, "principalSequence"), steps[i].principal_sequence + add[1]);
			assert_true((json_text(e.b, "series") != NULL) == steps[i].own);
			ledger_entry_free(&e);
			if (i % 3 == 1)
				reopen(f, true);
		}
	}
	assert_int_equal(ledger_check(f->l, true, print_fault, NULL, NULL), 0);
}

struct seen {
	uint64_t index[32];
	size_t n;
};

static int see(void *arg, const struct ledger_entry *e)
{
	struct seen *s = arg;

	s->index[s->n++] = e->index;
	return 0;
}

static void find_expect(struct ledger *l, const struct ledger_filter *filter, unsigned int limit,
    size_t n, const uint64_t *want)
{
	struct seen s = {.n = 0};
	struct ark_error err = {0};

	if (ledger_find(l, filter, limit, see, &s, &err))
		fail_msg("%s", err.text);
	assert_int_equal(s.n, n);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(s.index[i], want[i]);
}

static void check_finds(struct ledger *l)
{
	find_expect(l, &(struct ledger_filter){.document = DOC_A}, 10, 2, (uint64_t[]){0, 2});
	find_expect(l, &(struct ledger_filter){.principal = "ville"}, 10, 2, (uint64_t[]){1, 2});
	find_expect(l, &(struct ledger_filter){.principal = "ville", .document = DOC_A}, 10, 1,
	    (uint64_t[]){2});
	find_expect(l, &(struct ledger_filter){.newest_first = true}, 2, 2, (uint64_t[]){3, 2});
	find_expect(l, &(struct ledger_filter){.after = 2}, 10, 2, (uint64_t[]){2, 3});
	find_expect(l, &(struct ledger_filter){.to_us = 1}, 10, 0, NULL);
	find_expect(l, &(struct ledger_filter){.from_us = 1, .to_us = INT64_MAX}, 3, 3,
	    (uint64_t[]){0, 1, 2});
	find_expect(l, &(struct ledger_filter){.principal = "nobody"}, 10, 0, NULL);
	find_expect(l, &(struct ledger_filter){.document = "not an id"}, 10, 0, NULL);
}

static void test_ledger__find_by_document_principal_time_and_index(void **state)
{
	struct fixture *f = *state;
	struct ledger *reader = NULL;
	char path[400];

	append(f, DOC_A, "maija", false);
	append(f, DOC_B, "ville", false);
	append(f, DOC_A, "ville", false);
	append(f, DOC_B, "maija", false);
	check_finds(f->l);
	reopen(f, true);
	check_finds(f->l);
	/* another process reads beside the writer, with and without an index */
	assert_int_equal(
	    ledger_open(f->log, ORIGIN, LEDGER_ACCESS, f->keys, false, &reader, NULL), 0);
	check_finds(reader);
	ledger_close(reader);
	ledger_close(f->l);
	f->l = NULL;
	snprintf(path, sizeof(path), "%s/index.sqlite", f->log);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(
	    ledger_open(f->log, ORIGIN, LEDGER_ACCESS, f->keys, false, &reader, NULL), 0);
	check_finds(reader);
	ledger_close(reader);
	reopen(f, true);
	check_finds(f->l);
}

static int stop_at_two(void *arg, const struct ledger_entry *e)
{
	(void)arg;
	return e->index == 1 ? 77 : 0;
}

static void test_ledger__find_returns_what_the_callee_says(void **state)
{
	struct fixture *f = *state;

	for (int i = 0; i < 3; i++)
		append(f, DOC_A, "maija", false);
	assert_int_equal(
	    ledger_find(f->l, &(struct ledger_filter){0}, 10, stop_at_two, NULL, NULL), 77);
}

static void test_ledger__a_reader_beside_the_writer_sees_a_whole_prefix(void **state)
{
	struct fixture *f = *state;
	struct ledger *reader = NULL;
	struct ledger_entry e;
	struct ledger_record r = {.kind = "content"};

	append(f, DOC_A, "maija", false);
	assert_int_equal(
	    ledger_open(f->log, ORIGIN, LEDGER_ACCESS, f->keys, false, &reader, NULL), 0);
	append(f, DOC_A, "maija", false);
	assert_int_equal(ledger_size(reader), 1);
	assert_int_equal(ledger_get(reader, 0, &e, NULL), 0);
	ledger_entry_free(&e);
	assert_int_equal(ledger_get(reader, 1, &e, NULL), ARK_ENOTFOUND);
	assert_int_equal(ledger_append_wait(reader, &r, 1, NULL, NULL), ARK_EREFUSED);
	assert_int_equal(ledger_check(reader, true, print_fault, NULL, NULL), 0);
	ledger_close(reader);
}

static void test_ledger__a_proof_convinces_who_holds_only_the_verifier_key(void **state)
{
	struct fixture *f = *state;
	struct buf vkey = BUF_INIT, text = BUF_INIT, tile = BUF_INIT;
	struct tlog_proof proof;
	struct note_key key;
	struct note note;
	struct checkpoint c;
	struct merkle_hash leaf;
	struct sha256 *sha = sha256_new();

	for (int i = 0; i < 5; i++)
		append(f, DOC_A, "maija", false);
	assert_int_equal(
	    ledger_vkey(ORIGIN, keyring_secrets(f->keys)->access_seed, &vkey, NULL), 0);
	assert_int_equal(note_key_parse(vkey.data, &key, NULL), 0);
	assert_int_equal(ledger_prove(f->l, 3, &text, NULL), 0);
	assert_int_equal(tlog_proof_parse(text.data, text.len, &proof, NULL), 0);
	assert_int_equal(note_parse(proof.checkpoint, proof.checkpoint_len, &note, NULL), 0);
	assert_int_equal(note_verify(&note, &key, NULL), 0);
	assert_int_equal(checkpoint_parse(note.text, note.text_len, ORIGIN, &c, NULL), 0);
	assert_true(c.size > 3);
	assert_int_equal(ledger_tile(f->l, "tile/entries/000.p/4", &tile, NULL), 0);
	assert_int_equal(tile.len, 4 * 35);
	merkle_leaf(sha, tile.data + 3 * 35 + 2, 33, &leaf);
	assert_true(merkle_inclusion_valid(
	    sha, proof.index, c.size, &leaf, proof.hashes, proof.hashes_len, &c.root));
	assert_false(
	    merkle_inclusion_valid(sha, 2, c.size, &leaf, proof.hashes, proof.hashes_len, &c.root));
	assert_int_equal(ledger_prove(f->l, 5, &text, NULL), ARK_ENOTFOUND);
	sha256_free(sha);
	buf_free(&vkey), buf_free(&text), buf_free(&tile);
}

static void test_ledger__tiles_are_served_by_their_paths_only(void **state)
{
	struct fixture *f = *state;
	struct buf b = BUF_INIT;

	for (int i = 0; i < 3; i++)
		append(f, DOC_A, "maija", false);
	assert_int_equal(ledger_publish(f->l, 3, NULL), 0);
	assert_int_equal(ledger_tile(f->l, "tile/0/000.p/3", &b, NULL), 0);
	assert_int_equal(b.len, 96);
	assert_int_equal(ledger_tile(f->l, "tile/0/000.p/4", &b, NULL), ARK_ENOTFOUND);
	assert_int_equal(ledger_tile(f->l, "tile/0/000", &b, NULL), ARK_ENOTFOUND);
	assert_int_equal(ledger_tile(f->l, "tile/1/000.p/1", &b, NULL), ARK_ENOTFOUND);
	assert_int_equal(ledger_tile(f->l, "tile/9/000.p/1", &b, NULL), ARK_ENOTFOUND);
	assert_int_equal(ledger_tile(f->l, "tile/0/../../checkpoint", &b, NULL), ARK_EINPUT);
	assert_int_equal(ledger_tile(f->l, "tile/0/x000/000.p/3", &b, NULL), ARK_EINPUT);
	assert_int_equal(ledger_tile(f->l, "tile/0/000.p/03", &b, NULL), ARK_EINPUT);
	assert_int_equal(ledger_tile(f->l, "tile/00/000.p/3", &b, NULL), ARK_EINPUT);
	assert_int_equal(ledger_publish(f->l, 4, NULL), ARK_EINPUT);
	buf_free(&b);
}

static void test_ledger__receipts_resolve_and_changed_ones_do_not(void **state)
{
	struct fixture *f = *state;
	struct ledger_record r[3] = {{.kind = "search"}, {.kind = "shown"}, {.kind = "shown"}};
	struct receipt *receipt = NULL;
	enum ledger_which which = LEDGER_HISTORY;
	uint64_t first = 0, count = 0;
	char token[200];

	append(f, DOC_A, "maija", false);
	assert_int_equal(ledger_append_wait(f->l, r, 3, &receipt, NULL), 0);
	assert_int_equal(
	    receipt_resolve(f->keys, receipt_token(receipt), &which, &first, &count, NULL), 0);
	assert_int_equal(which, LEDGER_ACCESS);
	assert_int_equal(first, 1);
	assert_int_equal(count, 3);
	snprintf(token, sizeof(token), "%s", receipt_token(receipt));
	token[40] = token[40] == 'A' ? 'B' : 'A';
	assert_int_equal(receipt_resolve(f->keys, token, &which, &first, &count, NULL), ARK_EINPUT);
	assert_int_equal(receipt_resolve(f->keys, "", &which, &first, &count, NULL), ARK_EINPUT);
	assert_int_equal(receipt_resolve(f->keys, "+++", &which, &first, &count, NULL), ARK_EINPUT);
	receipt_free(receipt);
}

static void flip_byte(struct fixture *f, const char *name, off_t at)
{
	char path[400], c;
	int fd;

	snprintf(path, sizeof(path), "%s/%s", f->log, name);
	fd = open(path, O_RDWR);
	assert_true(fd >= 0);
	assert_int_equal(pread(fd, &c, 1, at), 1);
	c ^= 4;
	assert_int_equal(pwrite(fd, &c, 1, at), 1);
	close(fd);
}

static void test_ledger__thousands_of_entries_make_full_tiles_segments_and_a_sound_log(void **state)
{
	struct fixture *f = *state;
	struct ledger_record r[500];
	struct ledger_entry e;
	char *purpose = malloc(1001), path[400];
	struct stat st;
	unsigned int faults = 0;

	memset(purpose, 'p', 1000);
	purpose[1000] = '\0';
	for (size_t i = 0; i < 500; i++)
		r[i] = (struct ledger_record){.kind = "shown",
		    .document = i & 1 ? DOC_A : DOC_B,
		    .principal = "maija",
		    .purpose = purpose};
	for (int i = 0; i < 14; i++) {
		assert_int_equal(ledger_append_wait(f->l, r, 500, NULL, NULL), 0);
		if (i == 3)
			assert_int_equal(ledger_publish(f->l, 2000, NULL), 0);
		if (i == 9)
			reopen(f, true);
	}
	assert_int_equal(ledger_size(f->l), 7000);
	assert_int_equal(ledger_publish(f->l, 7000, NULL), 0);
	snprintf(path, sizeof(path), "%s/segments/00000002.seg", f->log);
	assert_int_equal(stat(path, &st), 0);
	/* the partial tiles of the first checkpoint have made room for the full one */
	snprintf(path, sizeof(path), "%s/tile/0/007.p", f->log);
	assert_int_equal(access(path, F_OK), -1);
	snprintf(path, sizeof(path), "%s/tile/1/000.p/27", f->log);
	assert_int_equal(access(path, F_OK), 0);
	assert_int_equal(ledger_check(f->l, true, print_fault, NULL, NULL), 0);
	assert_int_equal(ledger_get(f->l, 6999, &e, NULL), 0);
	assert_int_equal(number(e.a, "documentSequence"), 3500);
	ledger_entry_free(&e);
	flip_byte(f, "tile/0/004", 8000);
	flip_byte(f, "tile/entries/005", 40);
	flip_byte(f, "tile/1/000.p/27", 0);
	assert_int_equal(ledger_check(f->l, false, count_fault, &faults, NULL), ARK_ECORRUPT);
	assert_int_equal(faults, 3);
	flip_byte(f, "tile/0/004", 8000);
	flip_byte(f, "tile/entries/005", 40);
	flip_byte(f, "tile/1/000.p/27", 0);
	faults = 0;
	snprintf(path, sizeof(path), "%s/tile/0/003", f->log);
	assert_int_equal(truncate(path, 8191), 0);
	assert_int_equal(ledger_check(f->l, false, count_fault, &faults, NULL), ARK_ECORRUPT);
	assert_int_equal(faults, 1);
	free(purpose);
}

static void test_ledger__another_logs_directory_is_refused(void **state)
{
	struct fixture *f = *state;
	struct ledger *l = NULL;

	append(f, DOC_A, "maija", false);
	assert_int_equal(
	    ledger_open(f->log, "arkki.example/other", LEDGER_ACCESS, f->keys, false, &l, NULL),
	    ARK_ECORRUPT);
	assert_int_equal(
	    ledger_open(f->log, ORIGIN, LEDGER_HISTORY, f->keys, false, &l, NULL), ARK_ECORRUPT);
	assert_int_equal(ledger_create(f->log, ORIGIN, keyring_secrets(f->keys)->access_seed, NULL),
	    ARK_ECONFLICT);
	assert_null(l);
}

/* ---- many at once ---- */

struct load {
	struct ledger *l;
	int64_t until_us;
	uint64_t done;
	char document[33], principal[16];
};

static void *load_main(void *arg)
{
	struct load *w = arg;
	struct ledger_record r = {.kind = "content",
	    .document = w->document,
	    .version = 1,
	    .purpose = "lastensuojelun valvonta, tarkastus",
	    .case_id = "c1",
	    .bytes = 100000,
	    .principal = w->principal,
	    .org = "lvv",
	    .roles = "inspector",
	    .authentication = "strong",
	    .session = "0123456789abcdef",
	    .address = "192.0.2.17"};

	while (clock_monotonic_us() < w->until_us) {
		if (ledger_append_wait(w->l, &r, 1, NULL, NULL))
			break;
		w->done++;
	}
	return NULL;
}

static void test_ledger__sixty_four_appenders_at_once_leave_no_gap(void **state)
{
	struct fixture *f = *state;
	const char *ms = getenv("ARKKI_BENCH_MS");
	int64_t run_us = (ms ? atoi(ms) : 300) * 1000LL, start;
	struct load w[64];
	pthread_t t[64];
	uint64_t total = 0;
	struct timespec cpu;

	start = clock_monotonic_us();
	for (size_t i = 0; i < 64; i++) {
		w[i] = (struct load){.l = f->l, .until_us = start + run_us};
		snprintf(w[i].document, 33, "%032zx", i % 16);
		snprintf(w[i].principal, 16, "user-%zu", i);
		assert_int_equal(pthread_create(&t[i], NULL, load_main, &w[i]), 0);
	}
	for (size_t i = 0; i < 64; i++) {
		pthread_join(t[i], NULL);
		total += w[i].done;
	}
	start = clock_monotonic_us() - start;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &cpu);
	printf("ledger: %llu entries by 64 appenders in %lld ms: %llu a second; %lld ms CPU of the "
	       "process\n",
	    (unsigned long long)total, (long long)start / 1000,
	    (unsigned long long)(total * 1000000 / (uint64_t)start),
	    (long long)cpu.tv_sec * 1000 + cpu.tv_nsec / 1000000);
	assert_int_equal(ledger_size(f->l), total);
	assert_int_equal(ledger_check(f->l, true, print_fault, NULL, NULL), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(test_ledger__##name, begin, end)
	    T(a_record_reads_back_in_its_three_parts),
	    T(one_part_can_be_shown_and_checked_alone),
	    T(an_empty_record_has_empty_parts),
	    T(bad_records_are_refused_and_leave_nothing),
	    T(sequences_are_gap_free_over_a_restart_and_own_series_apart),
	    T(find_by_document_principal_time_and_index),
	    T(find_returns_what_the_callee_says),
	    T(a_reader_beside_the_writer_sees_a_whole_prefix),
	    T(a_proof_convinces_who_holds_only_the_verifier_key),
	    T(tiles_are_served_by_their_paths_only),
	    T(receipts_resolve_and_changed_ones_do_not),
	    T(thousands_of_entries_make_full_tiles_segments_and_a_sound_log),
	    T(another_logs_directory_is_refused),
	    T(sixty_four_appenders_at_once_leave_no_gap),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
