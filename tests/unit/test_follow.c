/* A follower believes a log's key and what it saw: every other lie is found. */
#include "tests/unit/follow_fixture.h"

#include "arkki/base/fs.h"

enum { DENSE = 0x1ffff, SMALL = 0x101ff }; /* many bits set; tiles on three levels */

static struct log_fixture *dense, *small;

static int begin(void **state)
{
	(void)state;
	dense = log_new(DENSE);
	small = log_new(SMALL);
	return 0;
}

static int end(void **state)
{
	(void)state;
	log_free(dense);
	log_free(small);
	return 0;
}

static int grow(struct log_fixture *f, uint64_t from, uint64_t to, struct ark_error *err)
{
	const struct follow_source s = log_source(f);
	struct checkpoint old = {0}, new = log_checkpoint(f, to);

	if (from)
		old = log_checkpoint(f, from);
	return follow_tree(&s, &old, &new, NULL, err);
}

static void test_follow__an_honest_log_is_verified_at_any_size(void **state)
{
	static const uint64_t sizes[] = {
	    1, 2, 255, 256, 257, 511, 512, 65279, 65535, 65536, 65537, 65792, 66046, SMALL};
	const size_t n = sizeof(sizes) / sizeof(*sizes);
	struct ark_error err = {0};

	(void)state;
	for (size_t to = 0; to < n; to++)
		for (size_t from = 0; from <= to; from += to < 7 ? 1 : 3)
			if (grow(small, from ? sizes[from - 1] : 0, sizes[to], &err))
				fail_msg("%llu: %s", (unsigned long long)sizes[to], err.text);
	assert_int_equal(grow(dense, 0, DENSE, &err), 0);
	assert_int_equal(grow(dense, DENSE - 1, DENSE, &err), 0);
	assert_int_equal(grow(small, 0, 0, NULL), 0);
}

static void lie(struct log_fixture *f, int kind, int level, uint64_t n, size_t at)
{
	f->lie = (unsigned int)kind;
	f->where = (struct tile_id){level, n, MERKLE_WIDTH};
	f->at = at;
}

static void refused(
    struct log_fixture *f, uint64_t from, uint64_t to, const char *says, const char *what)
{
	struct ark_error err = {0};

	if (grow(f, from, to, &err) != ARK_ECORRUPT || !strstr(err.text, says))
		fail_msg("%s: \"%s\" instead of \"%s\"", what, err.text, says);
	f->lie = HONEST;
}

static void test_follow__a_forged_tile_is_found_on_every_level(void **state)
{
	/* the first, one in the middle, the last (a partial one) of each level */
	static const struct {
		int level;
		uint64_t n;
	} tiles[] = {{TILE_ENTRIES, 0}, {TILE_ENTRIES, 256}, {TILE_ENTRIES, 511}, {0, 0}, {0, 255},
	    {0, 511}, {1, 0}, {1, 1}, {2, 0}};

	(void)state;
	for (size_t i = 0; i < sizeof(tiles) / sizeof(*tiles); i++) {
		lie(dense, FLIPPED, tiles[i].level, tiles[i].n, i % 2 ? 6 : 17);
		refused(dense, 0, DENSE, "forged or damaged", "flipped");
	}
	lie(dense, FLIPPED, TILE_ENTRIES, 3, 1);
	refused(dense, 0, DENSE, "is not one of an arkki log", "length");
}

static void test_follow__a_forged_tile_is_found_that_was_seen_before_in_part(void **state)
{
	(void)state;
	for (int level = TILE_ENTRIES; level < 3; level++) {
		uint64_t n = level <= 0 ? 511 : level == 1 ? 1 : 0;

		lie(dense, FLIPPED, level, n, 5); /* the first hash or entry: of the old tree */
		refused(dense, DENSE - 1, DENSE, "forged or damaged", "old part");
	}
	lie(dense, FLIPPED, 1, 1, 254 * 32); /* the last hash, of the new tree only */
	refused(dense, 0x1fe00, DENSE, "forged or damaged", "new part");
}

static void test_follow__swapped_short_and_missing_tiles_are_named(void **state)
{
	(void)state;
	for (int level = TILE_ENTRIES; level < 1; level++) {
		lie(small, SWAPPED, level, 4, 0);
		refused(small, 0, SMALL, "entry 1024 is forged", "swapped");
	}
	for (int level = TILE_ENTRIES; level < 3; level++) {
		lie(small, MISSING, level, 0, 0);
		refused(small, 0, SMALL, "/000", "missing");
		lie(small, SHORT, level, 0, 0);
		refused(small, 0, SMALL, "bytes instead of", "short");
	}
	lie(small, MISSING, TILE_ENTRIES, 257, 0);
	refused(small, 0, SMALL, "tile/entries/257.p/255 is missing", "missing");
}

static void test_follow__a_signed_root_that_tiles_do_not_make_is_refused(void **state)
{
	const struct follow_source s = log_source(small);
	struct checkpoint old = {0}, new = log_checkpoint(small, SMALL);
	struct ark_error err = {0};

	(void)state;
	new.root.bytes[3] ^= 1;
	assert_int_equal(follow_tree(&s, &old, &new, NULL, &err), ARK_ECORRUPT);
	assert_non_null(strstr(err.text, "do not make the root"));
	old = log_checkpoint(small, 1000);
	assert_int_equal(follow_tree(&s, &old, &new, NULL, &err), ARK_ECORRUPT);
}

static void test_follow__a_fork_is_told_from_a_forged_tile(void **state)
{
	static const uint64_t forks[] = {1, 255, 256, 300, 65535, 65536};

	(void)state;
	for (size_t i = 0; i < sizeof(forks) / sizeof(*forks); i++) {
		struct log_fixture *other = log_new(forks[i] - 1);
		const struct follow_source s = log_source(other);
		struct checkpoint old = log_checkpoint(small, forks[i]), new;
		struct ark_error err = {0};

		log_grow(other, SMALL, 2); /* from the last entry on, another log */
		new = log_checkpoint(other, SMALL);
		assert_int_equal(follow_tree(&s, &old, &new, NULL, &err), ARK_ECORRUPT);
		if (!strstr(err.text, "the log is forked"))
			fail_msg("%llu: %s", (unsigned long long)forks[i], err.text);
		new = log_checkpoint(other, forks[i]);
		assert_int_equal(follow_tree(&s, &old, &new, NULL, &err), ARK_ECORRUPT);
		assert_non_null(strstr(err.text, "two roots"));
		new = log_checkpoint(other, forks[i] - 1);
		assert_int_equal(follow_tree(&s, &old, &new, NULL, &err), ARK_ECORRUPT);
		assert_non_null(strstr(err.text, "rewound"));
		log_free(other);
	}
}

/* ---- with its state ---- */

static int follow(struct log_fixture *f, const char *state, struct ark_error *err)
{
	const struct follow_source s = log_source(f);
	struct follow follower = {.keys = {f->key}, .keys_len = 1, .state = state};
	int rc = follow_log(&follower, &s, err);

	if (!rc) {
		assert_int_equal(
		    follow_holds(&follower, &s, 5, f->entries + 5 * ENTRY_SIZE, NULL), 0);
		assert_int_equal(follow_holds(&follower, &s, 6, f->entries + 5 * ENTRY_SIZE, NULL),
		    ARK_ECORRUPT);
		assert_int_equal(
		    follow_holds(&follower, &s, f->size, f->entries, NULL), ARK_ECORRUPT);
	}
	return rc;
}

static void test_follow__state_moves_only_with_what_was_verified(void **state)
{
	struct log_fixture *f = log_new(700);
	struct buf first = BUF_INIT, now = BUF_INIT;
	struct ark_error err = {0};
	struct checkpoint c;
	char dir[256], path[300], conflict[320];

	(void)state;
	unit_scratch(dir);
	snprintf(path, sizeof(path), "%s/state", dir);
	snprintf(conflict, sizeof(conflict), "%s.conflict", path);
	c = log_checkpoint(f, 700);
	log_sign(f, &c);
	if (follow(f, path, &err))
		fail_msg("%s", err.text);
	assert_int_equal(fs_read_file(path, 4096, &first, NULL), 0);
	assert_string_equal(first.data, f->note.data);

	log_grow(f, 1500, 3);
	c = log_checkpoint(f, 1500);
	c.root.bytes[0] ^= 1;
	log_sign(f, &c);
	assert_int_equal(follow(f, path, &err), ARK_ECORRUPT);
	assert_non_null(strstr(err.text, conflict));
	assert_int_equal(fs_read_file(path, 4096, &now, NULL), 0);
	assert_string_equal(first.data, now.data);
	buf_clear(&now);
	assert_int_equal(fs_read_file(conflict, 4096, &now, NULL), 0);
	assert_string_equal(f->note.data, now.data);

	c.root.bytes[0] ^= 1;
	log_sign(f, &c);
	assert_int_equal(follow(f, path, &err), 0);
	c = log_checkpoint(f, 1400); /* a rewound checkpoint, signed and all */
	log_sign(f, &c);
	assert_int_equal(follow(f, path, &err), ARK_ECORRUPT);
	assert_non_null(strstr(err.text, "rewound"));
	buf_free(&first);
	buf_free(&now);
	log_free(f);
	unit_scratch_end(dir);
}

static void test_follow__malformed_notes_are_refused(void **state)
{
	struct log_fixture *f = log_new(700);
	struct checkpoint c = log_checkpoint(f, 700);
	struct buf good = BUF_INIT;
	char dir[256], path[300];
	const char *line;

	(void)state;
	unit_scratch(dir);
	snprintf(path, sizeof(path), "%s/state", dir);
	log_sign(f, &c);
	buf_add(&good, f->note.data, f->note.len);
	line = strstr(good.data, "\n\n") + 2;

	buf_adds(&f->note, line); /* the same signature twice: one is as good as two */
	assert_int_equal(follow(f, path, NULL), 0);
	buf_adds(&f->note, "\xe2\x80\x94 somebody.else AAAAAAAA\n");
	assert_int_equal(follow(f, path, NULL), 0);
	buf_adds(&f->note, "\xe2\x80\x94 " LOG_NAME " not base64\n");
	assert_int_equal(follow(f, path, NULL), ARK_ECORRUPT);
	buf_clear(&f->note);
	buf_add(&f->note, good.data, good.len - 6); /* a signature cut short */
	buf_adds(&f->note, "AA==\n");
	assert_int_equal(follow(f, path, NULL), ARK_ECORRUPT);
	buf_clear(&f->note);
	buf_add(&f->note, good.data, good.len);
	f->note.data[strlen(LOG_NAME) + 1] = '8'; /* 800 entries */
	assert_int_equal(follow(f, path, NULL), ARK_ECORRUPT);
	buf_clear(&f->note);
	assert_int_equal(follow(f, path, NULL), ARK_ECORRUPT);
	/* a state that somebody changed is no ground to stand on */
	assert_int_equal(fs_replace_file(path, "x", 1, 0600, NULL), 0);
	log_sign(f, &c);
	assert_int_equal(follow(f, path, NULL), ARK_ECORRUPT);
	buf_free(&good);
	log_free(f);
	unit_scratch_end(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_follow__an_honest_log_is_verified_at_any_size),
	    cmocka_unit_test(test_follow__a_forged_tile_is_found_on_every_level),
	    cmocka_unit_test(test_follow__a_forged_tile_is_found_that_was_seen_before_in_part),
	    cmocka_unit_test(test_follow__swapped_short_and_missing_tiles_are_named),
	    cmocka_unit_test(test_follow__a_signed_root_that_tiles_do_not_make_is_refused),
	    cmocka_unit_test(test_follow__a_fork_is_told_from_a_forged_tile),
	    cmocka_unit_test(test_follow__state_moves_only_with_what_was_verified),
	    cmocka_unit_test(test_follow__malformed_notes_are_refused),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
