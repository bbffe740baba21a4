/* Places of backups and manifests: names, signatures, what is missing, cut or lies. The archives are made up. */
#include "tests/unit/unit_keyring.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "archive/backup_private.h"
#include "arkki/archive/archive.h"
#include "arkki/base/json.h"
#include "arkki/base/text.h"

static const char POINT[] = "000001-20260312T081530Z";

struct fixture {
	struct unit_keyring u;
	char where[300];
	struct place *p;
	struct ark_error err;
};

static void setup(struct fixture *f)
{
	*f = (struct fixture){0};
	unit_keyring_begin(&f->u);
	snprintf(f->where, sizeof(f->where), "%s/place", f->u.dir);
	assert_int_equal(place_open(f->where, PLACE_WRITE, &f->p, &f->err), ARK_OK);
}

static void teardown(struct fixture *f)
{
	place_close(f->p);
	unit_keyring_end(&f->u);
}

static void name_of(const void *bytes, size_t len, char out[PLACE_NAME_MAX])
{
	unsigned char sha[32];

	sha256_of(bytes, len, sha);
	memcpy(out, "objects/", 8);
	hex_encode(out + 8, sha, 32);
}

static void test_place_name__is_of_one_form_only(void **state)
{
	static const char *const bad[] = {"", "objects/", "objects/abc", "points/x.note",
	    "points/000001-20260312T081530Z", "points/000001-20260312T081530Z.notes",
	    "points/../lock", "lock", "points/000001-20260312T081530Z.note/",
	    "points/000001-20260312T081530Z.manifest.note",
	    "objects/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
	    "objects/../0000000000000000000000000000000000000000000000000000000000000"};
	char name[PLACE_NAME_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		if (place_name_valid(bad[i]))
			fail_msg("'%s' was taken", bad[i]);
	name_of("a", 1, name);
	assert_true(place_name_valid(name));
	assert_true(place_name_valid("points/000001-20260312T081530Z.note"));
	assert_true(place_name_valid("points/000001-20260312T081530Z.manifest"));
}

static void test_place_remote__is_told_from_a_path(void **state)
{
	(void)state;
	assert_true(place_remote_named("ssh://host/path"));
	assert_true(place_remote_named("a@host:path"));
	assert_true(place_remote_named("host:/path"));
	assert_false(place_remote_named("/srv/a:b"));
	assert_false(place_remote_named("./a:b"));
	assert_false(place_remote_named("dir"));
	assert_false(place_remote_named("host:"));
	assert_false(place_remote_named("-oProxyCommand=x:path"));
}

static void test_place_put__takes_an_object_only_under_its_digest(void **state)
{
	struct fixture f;
	char name[PLACE_NAME_MAX];
	struct buf back = BUF_INIT;
	struct have *have = NULL;

	(void)state;
	setup(&f);
	name_of("abc", 3, name);
	assert_int_equal(place_put_bytes(f.p, name, "abd", 3, &f.err), ARK_ECORRUPT);
	assert_int_equal(place_get_bytes(f.p, name, 99, &back, &f.err), ARK_ENOTFOUND);
	assert_int_equal(place_put_bytes(f.p, name, "abc", 3, &f.err), ARK_OK);
	assert_int_equal(place_get_bytes(f.p, name, 99, &back, &f.err), ARK_OK);
	assert_string_equal(back.data, "abc");
	assert_int_equal(have_load(f.p, &have, &f.err), ARK_OK);
	assert_true(have_object(have, name + 8, 3));
	assert_false(have_object(have, name + 8, 4));
	have_free(have);
	assert_int_equal(place_put_bytes(f.p, "points/../x", "a", 1, &f.err), ARK_EINPUT);
	assert_int_equal(place_remove(f.p, "lock", &f.err), ARK_EINPUT);
	assert_int_equal(place_remove(f.p, name, &f.err), ARK_OK);
	assert_int_equal(place_remove(f.p, name, &f.err), ARK_OK);
	buf_free(&back);
	teardown(&f);
}

static void test_place_open__one_writer_and_no_other_directory(void **state)
{
	struct place *second = NULL;
	struct fixture f;

	(void)state;
	setup(&f);
	assert_int_equal(place_open(f.where, PLACE_WRITE, &second, &f.err), ARK_ECONFLICT);
	assert_int_equal(place_open(f.where, PLACE_READ, &second, &f.err), ARK_ECONFLICT);
	place_close(f.p);
	f.p = NULL;
	assert_int_equal(place_open(f.where, PLACE_READ, &f.p, &f.err), ARK_OK);
	assert_int_equal(place_open(f.where, PLACE_READ, &second, &f.err), ARK_OK);
	place_close(second);
	assert_int_equal(place_open(f.u.dir, PLACE_WRITE, &second, &f.err), ARK_EREFUSED);
	assert_int_equal(place_open(f.u.keys_dir, PLACE_READ, &second, &f.err), ARK_ENOTFOUND);
	teardown(&f);
}

/* ---- manifests ---- */

static struct manifest make_manifest(const struct fixture *f, const char *point)
{
	char id[33];
	struct manifest m;

	hex_encode(id, keyring_secrets(f->u.keys)->archive_id, 16);
	m.head = json_pack("{s:s,s:s,s:s,s:s,s:s,s:i,s:i,s:{s:i},s:{s:i}}", "arkki", "backup/1",
	    "point", point, "origin", "test.example", "archive", id, "commit",
	    "0123456789012345678901234567890123456789", "sequence", 7, "slots", 3, "history",
	    "size", 11, "access", "size", 13);
	m.files = json_object();
	assert_non_null(m.head);
	assert_non_null(m.files);
	return m;
}

static void add_file(struct manifest *m, const char *path, const char *hex, int len, int size)
{
	assert_int_equal(json_object_set_new(m->files, path,
			     json_pack("{s:i,s:[[s,i]]}", "size", size, "pieces", hex, len)),
	    0);
}

static int refetch(struct fixture *f, struct manifest *m)
{
	struct manifest got = {0};
	int rc = manifest_put(f->p, m, f->u.keys, &f->err);

	assert_int_equal(rc, ARK_OK);
	rc = manifest_get(f->p, POINT, f->u.keys, &got, &f->err);
	manifest_free(m);
	manifest_free(&got);
	return rc;
}

static void test_manifest__comes_back_as_it_was_signed(void **state)
{
	struct backup_summary s;
	struct manifest m, got = {0};
	char(*points)[BACKUP_POINT_SIZE] = NULL;
	char name[PLACE_NAME_MAX];
	struct have *have = NULL;
	struct fixture f;
	size_t n = 0;

	(void)state;
	setup(&f);
	name_of("abc", 3, name);
	m = make_manifest(&f, POINT);
	add_file(&m, "arkki.conf", name + 8, 3, 5);
	assert_int_equal(manifest_put(f.p, &m, f.u.keys, &f.err), ARK_OK);
	assert_int_equal(manifest_get(f.p, POINT, f.u.keys, &got, &f.err), ARK_OK);
	manifest_summary(&got, &s);
	assert_string_equal(s.point, POINT);
	assert_int_equal(s.sequence, 7);
	assert_int_equal(s.history, 11);
	assert_int_equal(s.access, 13);
	assert_int_equal(s.files, 1);
	assert_int_equal(points_list(f.p, &points, &n, &f.err), ARK_OK);
	assert_int_equal(n, 1);
	assert_string_equal(points[0], POINT);
	/* its object is missing, then there */
	assert_int_equal(have_load(f.p, &have, &f.err), ARK_OK);
	assert_int_equal(manifest_whole(&got, have, &f.err), ARK_EREFUSED);
	have_free(have);
	assert_int_equal(place_put_bytes(f.p, name, "abc", 3, &f.err), ARK_OK);
	assert_int_equal(have_load(f.p, &have, &f.err), ARK_OK);
	assert_int_equal(manifest_whole(&got, have, &f.err), ARK_OK);
	have_free(have);
	free(points);
	manifest_free(&m);
	manifest_free(&got);
	teardown(&f);
}

static void test_manifest__is_refused_when_forged_or_of_another(void **state)
{
	struct unit_keyring other;
	struct manifest m, got = {0};
	struct buf text = BUF_INIT, note = BUF_INIT;
	struct fixture f;

	(void)state;
	setup(&f);
	m = make_manifest(&f, POINT);
	assert_int_equal(manifest_put(f.p, &m, f.u.keys, &f.err), ARK_OK);
	/* by another archive's keys */
	unit_keyring_begin(&other);
	assert_int_equal(manifest_get(f.p, POINT, other.keys, &got, &f.err), ARK_EREFUSED);
	unit_keyring_end(&other);
	/* under another point's name */
	assert_int_equal(
	    place_get_bytes(f.p, "points/000001-20260312T081530Z.manifest", 99999, &text, &f.err),
	    ARK_OK);
	assert_int_equal(
	    place_get_bytes(f.p, "points/000001-20260312T081530Z.note", 9999, &note, &f.err),
	    ARK_OK);
	assert_int_equal(place_put_bytes(f.p, "points/000002-20260312T081530Z.manifest", text.data,
			     text.len, &f.err),
	    ARK_OK);
	assert_int_equal(place_put_bytes(f.p, "points/000002-20260312T081530Z.note", note.data,
			     note.len, &f.err),
	    ARK_OK);
	assert_int_equal(
	    manifest_get(f.p, "000002-20260312T081530Z", f.u.keys, &got, &f.err), ARK_EREFUSED);
	/* any byte of it changed, or its end cut */
	for (size_t i = 0; i < text.len; i += 7) {
		text.data[i] ^= 1;
		assert_int_equal(place_put_bytes(f.p, "points/000001-20260312T081530Z.manifest",
				     text.data, text.len, &f.err),
		    ARK_OK);
		assert_int_equal(manifest_get(f.p, POINT, f.u.keys, &got, &f.err), ARK_EREFUSED);
		text.data[i] ^= 1;
	}
	assert_int_equal(place_put_bytes(f.p, "points/000001-20260312T081530Z.manifest", text.data,
			     text.len - 1, &f.err),
	    ARK_OK);
	assert_int_equal(manifest_get(f.p, POINT, f.u.keys, &got, &f.err), ARK_EREFUSED);
	assert_int_equal(manifest_get(f.p, "../../etc/x", f.u.keys, &got, &f.err), ARK_EINPUT);
	assert_int_equal(
	    manifest_get(f.p, "000009-20260312T081530Z", f.u.keys, &got, &f.err), ARK_ENOTFOUND);
	buf_free(&text);
	buf_free(&note);
	manifest_free(&m);
	teardown(&f);
}

static void test_manifest__with_a_path_that_leads_out_is_refused(void **state)
{
	static const char *const bad[] = {"../x", "/etc/x", "a/../b", "a//b", "a/./b", "keys/",
	    ".x", "a/.git", "a b", "\xc3\xa4"};
	char name[PLACE_NAME_MAX];
	struct manifest m;
	struct fixture f;

	(void)state;
	setup(&f);
	name_of("abc", 3, name);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		m = make_manifest(&f, POINT);
		add_file(&m, bad[i], name + 8, 3, 3);
		assert_int_equal(refetch(&f, &m), ARK_EREFUSED);
	}
	m = make_manifest(&f, POINT);
	add_file(&m, "a/b-C_1.d", name + 8, 3, 3);
	assert_int_equal(refetch(&f, &m), ARK_OK);
	/* more bytes than the file has, a length or digest that is none */
	m = make_manifest(&f, POINT);
	add_file(&m, "a", name + 8, 3, 2);
	assert_int_equal(refetch(&f, &m), ARK_EREFUSED);
	m = make_manifest(&f, POINT);
	add_file(&m, "a", name + 8, -3, 2);
	assert_int_equal(refetch(&f, &m), ARK_EREFUSED);
	m = make_manifest(&f, POINT);
	add_file(&m, "a", "../../../lock", 3, 3);
	assert_int_equal(refetch(&f, &m), ARK_EREFUSED);
	teardown(&f);
}

/* ---- a whole one ---- */

static void test_backup__last_is_told_and_never_before(void **state)
{
	char dir[256], archive[300], key[300], where[300];
	struct backup_summary s;
	struct backup_last last;
	struct ark_error err = {0};

	(void)state;
	unit_scratch(dir);
	snprintf(archive, sizeof(archive), "%s/archive", dir);
	snprintf(key, sizeof(key), "%s/key", dir);
	snprintf(where, sizeof(where), "%s/place", dir);
	if (archive_init(archive, key, "test.example", &err))
		fail_msg("%s", err.text);
	assert_int_equal(backup_last(archive, &last, &err), ARK_ENOTFOUND);
	if (backup_run(&(struct backup_request){.dir = archive, .root_key = key, .place = where},
		&s, &err))
		fail_msg("%s", err.text);
	assert_true(s.sequence > 1 && s.history > 1 && s.objects > 1);
	assert_int_equal(backup_last(archive, &last, &err), ARK_OK);
	assert_string_equal(last.point, s.point);
	assert_string_equal(last.place, where);
	unit_scratch_end(dir);
}

static void note_bytes(void *arg, const char *step, uint64_t done, uint64_t of)
{
	uint64_t *told = arg;

	assert_string_equal(step, "bytes brought");
	assert_int_equal(of, 0);
	assert_true(done >= told[1] + (8U << 20)); /* now and then, not for each block */
	told[0]++;
	told[1] = done;
}

static void test_taking__tells_of_the_bytes_that_it_brings_and_of_no_others(void **state)
{
	enum { LEN = 20 << 20 };
	struct fixture f;
	struct have *have = NULL;
	struct backup_summary sum = {0};
	uint64_t told[2] = {0};
	char *bytes = calloc(1, LEN);
	struct taking t = {.sum = &sum, .progress = note_bytes, .arg = told};

	(void)state;
	assert_non_null(bytes);
	setup(&f);
	assert_int_equal(have_load(f.p, &have, &f.err), ARK_OK);
	t.place = f.p;
	t.have = have;
	t.files = json_object();
	assert_int_equal(take_bytes(&t, "a", bytes, LEN, &f.err), ARK_OK);
	assert_int_equal(told[0], 2);
	have_free(have);
	assert_int_equal(have_load(f.p, &have, &f.err), ARK_OK);
	t.have = have;
	assert_int_equal(take_bytes(&t, "b", bytes, LEN, &f.err), ARK_OK);
	assert_int_equal(told[0], 2);
	assert_int_equal(sum.bytes, LEN);
	have_free(have);
	json_decref(t.files);
	free(bytes);
	teardown(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_place_name__is_of_one_form_only),
	    cmocka_unit_test(test_place_remote__is_told_from_a_path),
	    cmocka_unit_test(test_place_put__takes_an_object_only_under_its_digest),
	    cmocka_unit_test(test_place_open__one_writer_and_no_other_directory),
	    cmocka_unit_test(test_manifest__comes_back_as_it_was_signed),
	    cmocka_unit_test(test_manifest__is_refused_when_forged_or_of_another),
	    cmocka_unit_test(test_manifest__with_a_path_that_leads_out_is_refused),
	    cmocka_unit_test(test_backup__last_is_told_and_never_before),
	    cmocka_unit_test(test_taking__tells_of_the_bytes_that_it_brings_and_of_no_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
