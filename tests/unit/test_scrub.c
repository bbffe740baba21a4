/* The scrub's parts: one pack looked at, reading twice, naming. The whole of it is in tests/flow/test_scrub.py. */
#include "tests/unit/store_fixture.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "archive/scrub_private.h"
#include "archive/store_internal.h"
#include "arkki/base/fs.h"
#include "arkki/base/json.h"

/* ---- one pack ---- */

struct seen {
	unsigned int faults, objects;
	struct store_oid oid;
	char text[480], path[200];
	size_t paced, stop_at;
};

static void note(void *arg, const struct store_oid *oid, const char *what)
{
	struct seen *s = arg;

	s->faults++;
	if (oid) {
		s->objects++;
		s->oid = *oid;
	}
	snprintf(s->text, sizeof(s->text), "%s", what);
}

static int pace(void *arg, size_t bytes)
{
	struct seen *s = arg;

	s->paced += bytes;
	return s->stop_at && s->paced > s->stop_at;
}

static void file(struct fixture *f, const char *path, char fill, size_t len)
{
	struct store_txn *t = NULL;
	struct store_head head;
	char *bytes = malloc(len);

	assert_non_null(bytes);
	memset(bytes, fill, len);
	OK(store_begin(f->store, &t, err));
	OK(store_put(t, path, bytes, len, NULL, err));
	OK(store_commit(t, "docs x v0001 m0001\n", FIXTURE_TIME, &head, err));
	free(bytes);
}

struct biggest {
	const struct store *store;
	char idx[80];
	off_t size;
};

static int pick(void *arg, const char *name)
{
	struct biggest *b = arg;
	char path[4096];
	struct stat st;

	snprintf(
	    path, sizeof(path), "%s/%.*s.pack", b->store->pack_dir, (int)strlen(name) - 4, name);
	if (stat(path, &st) == 0 && st.st_size > b->size) {
		b->size = st.st_size;
		snprintf(b->idx, sizeof(b->idx), "%s", name);
	}
	return 0;
}

static void biggest(struct fixture *f, struct biggest *b)
{
	*b = (struct biggest){.store = f->store};
	OK(store_each_file(f->store, ".idx", pick, b, err));
}

static void flip(const struct fixture *f, const char *idx, const char *ext, off_t at)
{
	char path[4096];
	unsigned char byte;
	int fd;

	snprintf(
	    path, sizeof(path), "%s/%.*s%s", f->store->pack_dir, (int)strlen(idx) - 4, idx, ext);
	assert_int_equal(chmod(path, 0600), 0);
	fd = open(path, O_RDWR);
	assert_true(fd >= 0);
	assert_int_equal(pread(fd, &byte, 1, at), 1);
	byte ^= 0x20;
	assert_int_equal(pwrite(fd, &byte, 1, at), 1);
	close(fd);
}

static int look(struct fixture *f, const char *idx, bool around, struct seen *s)
{
	const struct store_pack_look how = {
	    .bad = note, .pace = pace, .arg = s, .around_cache = around};

	return store_check_pack(f->store, idx, &how, NULL, NULL);
}

static void test_pack_look__sound_then_a_bit(void **state)
{
	struct fixture f;
	struct biggest b;

	(void)state;
	fixture_start(&f);
	file(&f, "docs/a", 'a', 3000000);
	file(&f, "docs/b", 'b', 100);
	biggest(&f, &b);
	for (int around = 0; around < 2; around++) {
		struct seen s = {0};

		assert_int_equal(look(&f, b.idx, around, &s), ARK_OK);
		assert_int_equal(s.faults, 0);
		assert_true(s.paced > 3000000);
	}
	flip(&f, b.idx, ".pack", 1000000);
	for (int around = 0; around < 2; around++) {
		struct seen s = {0};

		assert_int_equal(look(&f, b.idx, around, &s), ARK_ECORRUPT);
		assert_int_equal(s.objects, 1);
		assert_true(s.faults >= 2); /* the file, and the object in it */
	}
	fixture_end(&f);
}

static void test_pack_look__stops_where_the_pace_says(void **state)
{
	struct seen s = {.stop_at = 1};
	struct fixture f;
	struct biggest b;

	(void)state;
	fixture_start(&f);
	file(&f, "docs/a", 'a', 3000000);
	biggest(&f, &b);
	assert_int_equal(look(&f, b.idx, false, &s), 1);
	assert_int_equal(s.faults, 0);
	assert_true(s.paced < 2000000);
	fixture_end(&f);
}

static void test_pack_look__an_idx_that_was_changed(void **state)
{
	struct seen s = {0};
	struct fixture f;
	struct biggest b;

	(void)state;
	fixture_start(&f);
	file(&f, "docs/a", 'a', 5000);
	biggest(&f, &b);
	flip(&f, b.idx, ".idx", 1060);
	assert_int_equal(look(&f, b.idx, false, &s), ARK_ECORRUPT);
	fixture_end(&f);
}

static void found(void *arg, size_t which, const char *path)
{
	struct seen *s = arg;

	assert_int_equal(which, 0);
	snprintf(s->path, sizeof(s->path), "%s", path);
}

static void test_find_paths__names_what_is_damaged(void **state)
{
	struct seen s = {0};
	struct fixture f;
	struct biggest b;

	(void)state;
	fixture_start(&f);
	file(&f, "docs/a/b/c/d/deed/v0001/content", 'a', 3000000);
	biggest(&f, &b);
	flip(&f, b.idx, ".pack", 1000000);
	assert_int_equal(look(&f, b.idx, false, &s), ARK_ECORRUPT);
	OK(store_find_paths(f.store, &s.oid, 1, found, &s, err));
	assert_string_equal(s.path, "docs/a/b/c/d/deed/v0001/content");
	fixture_end(&f);
}

/* ---- twice ---- */

static unsigned int readings;

static int twice_the_same(struct pass *p, struct ark_error *err)
{
	(void)err;
	readings++;
	findings_add(p->found, NULL, "bad");
	if (!p->again)
		findings_add(p->found, NULL, "bad for once");
	return ARK_OK;
}

static int nothing(struct pass *p, struct ark_error *err)
{
	(void)p, (void)err;
	readings++;
	return ARK_OK;
}

static int cut(struct pass *p, struct ark_error *err)
{
	findings_add(p->found, NULL, "bad");
	return p->again ? ark_fail(err, ARK_EIO, "cut") : ARK_OK;
}

static void test_read_twice__only_what_both_say_counts(void **state)
{
	char scratch[256];
	struct archive a = {.dir = scratch};
	struct scrub s = {.archive = &a, .lock = PTHREAD_MUTEX_INITIALIZER};
	struct pass p = {.s = &s, .a = &a};
	struct findings f = {0};
	struct ark_error err;

	(void)state;
	unit_scratch(scratch);
	s.state = json_pack("{s:{s:i}}", "current", "transient", 0);
	readings = 0;
	assert_int_equal(scrub_read_twice(&p, nothing, ".", &f, &err), ARK_OK);
	assert_int_equal(readings, 1);
	readings = 0;
	assert_int_equal(scrub_read_twice(&p, twice_the_same, ".", &f, &err), ARK_OK);
	assert_int_equal(readings, 2);
	assert_int_equal(f.len, 1);
	assert_string_equal(f.items[0].what, "bad");
	assert_int_equal(
	    json_integer_value(json_object_get(json_object_get(s.state, "current"), "transient")),
	    1);
	findings_free(&f);
	/* a second reading that could not be made confirms nothing and clears nothing: the pass fails */
	assert_int_equal(scrub_read_twice(&p, cut, ".", &f, &err), ARK_EIO);
	findings_free(&f);
	json_decref(s.state);
	unit_scratch_end(scratch);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_pack_look__sound_then_a_bit),
	    cmocka_unit_test(test_pack_look__stops_where_the_pace_says),
	    cmocka_unit_test(test_pack_look__an_idx_that_was_changed),
	    cmocka_unit_test(test_find_paths__names_what_is_damaged),
	    cmocka_unit_test(test_read_twice__only_what_both_say_counts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
