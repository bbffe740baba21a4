/* Pending uploads: cut off at every byte of the last piece, damaged, swapped, opened anew, swept. */
#include "tests/unit/unit_keyring.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "api/tus.h"
#include "arkki/archive/seal.h"
#include "arkki/archive/uploads.h"
#include "arkki/base/clock.h"

enum { DAY_US_S = 24 * 3600 };

struct fixture {
	struct unit_keyring k;
	char path[300], spool[300];
	struct pending_place place;
};

static void open_state(struct fixture *f)
{
	struct state *s;

	assert_int_equal(state_open(f->path, f->k.keys, true, &s, NULL), ARK_OK);
	f->place = (struct pending_place){s, f->spool};
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	unit_keyring_begin(&f->k);
	snprintf(f->path, sizeof(f->path), "%s/state.sqlite", f->k.dir);
	snprintf(f->spool, sizeof(f->spool), "%s/spool", f->k.dir);
	assert_int_equal(mkdir(f->spool, 0700), 0);
	open_state(f);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	state_close(f->place.state);
	unit_keyring_end(&f->k);
	free(f);
	return 0;
}

static void begin(const struct fixture *f, uint64_t length, char id[33])
{
	char name[] = "salainen.txt", type[] = "text/plain";
	struct pending wish = {
	    .user = "maija", .length = length, .file_name = name, .media_type = type};

	assert_int_equal(pending_new(&f->place, &wish, id, NULL), ARK_OK);
}

static struct pending_file *opened(const struct fixture *f, const char *id, enum pending_mode mode)
{
	struct pending_file *file = NULL;
	struct ark_error err;

	if (pending_open(&f->place, "maija", id, mode, &file, &err))
		fail_msg("open: %s", err.text);
	return file;
}

static void add(const struct fixture *f, const char *id, const char *text)
{
	struct pending_file *file = opened(f, id, PENDING_APPEND);

	assert_int_equal(pending_append(file, text, strlen(text), NULL), ARK_OK);
	assert_int_equal(pending_sync(file, NULL), ARK_OK);
	pending_close(file);
}

static int take(void *arg, const void *bytes, size_t len, struct ark_error *err)
{
	(void)err;
	buf_add(arg, bytes, len);
	return 0;
}

/* What can be read, and how that ended. */
static int text_of(const struct fixture *f, const char *id, struct buf *out)
{
	struct pending_file *file = opened(f, id, PENDING_READ);
	int rc = pending_read(file, UINT64_MAX, take, out, NULL);

	pending_close(file);
	buf_addc(out, '\0');
	return rc;
}

static void path_of(const struct fixture *f, const char *id, char out[400])
{
	snprintf(out, 400, "%s/uploads/%s", f->spool, id);
}

static uint64_t offset_now(const struct fixture *f, const char *id)
{
	struct pending_file *file = opened(f, id, PENDING_APPEND);
	uint64_t at = pending_offset(file);

	pending_close(file);
	return at;
}

/* ---- ---- */

static void test_uploads__pieces_come_back_as_one_text(void **state)
{
	struct fixture *f = *state;
	static const unsigned char want[] = "yksi kaksi kolme";
	unsigned char digest[32], sha[32];
	struct pending_file *file;
	struct buf text = BUF_INIT;
	char id[33];

	begin(f, 16, id);
	add(f, id, "yksi ");
	add(f, id, "kaksi ");
	state_close(f->place.state);
	open_state(f);
	add(f, id, "kolme");
	assert_int_equal(text_of(f, id, &text), ARK_OK);
	assert_string_equal(text.data, (const char *)want);
	file = opened(f, id, PENDING_READ);
	pending_digest(file, digest);
	pending_close(file);
	sha256_of(want, 16, sha);
	assert_memory_equal(digest, sha, 32);
	assert_false(unit_holds(f->k.dir, "kaksi", 5));
	assert_false(unit_holds(f->k.dir, "salainen", 8));
	buf_free(&text);
}

static void test_uploads__more_than_the_length_is_refused(void **state)
{
	struct fixture *f = *state;
	struct pending_file *file;
	char id[33];

	begin(f, 4, id);
	file = opened(f, id, PENDING_APPEND);
	assert_int_equal(pending_append(file, "abc", 3, NULL), ARK_OK);
	assert_int_equal(pending_append(file, "de", 2, NULL), ARK_EINPUT);
	assert_int_equal(pending_append(file, "d", 1, NULL), ARK_OK);
	assert_int_equal(pending_sync(file, NULL), ARK_OK);
	assert_true(pending_offset(file) == 4);
	pending_close(file);
}

/* The file cut off at each byte of its last piece, whose bytes no row speaks of yet. */
static void test_uploads__a_torn_end_is_cut_off_at_every_byte(void **state)
{
	struct fixture *f = *state;
	struct pending_file *file;
	struct buf whole = BUF_INIT, text = BUF_INIT;
	char id[33], path[400];
	struct stat st;
	size_t first;

	begin(f, 100, id);
	add(f, id, "varma ");
	path_of(f, id, path);
	assert_int_equal(stat(path, &st), 0);
	first = (size_t)st.st_size;
	file = opened(f, id, PENDING_APPEND);
	assert_int_equal(pending_append(file, "epavarma", 8, NULL), ARK_OK);
	pending_close(file); /* written, not noted: as after a crash */
	assert_int_equal(fs_read_file(path, 1 << 20, &whole, NULL), ARK_OK);
	assert_true(whole.len > first);
	for (size_t len = first; len <= whole.len; len++) {
		int fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);

		assert_int_equal(fs_write_all(fd, whole.data, len, NULL), ARK_OK);
		close(fd);
		assert_true(offset_now(f, id) == (len == whole.len ? 14 : 6));
		assert_int_equal(stat(path, &st), 0);
		assert_int_equal(st.st_size, len == whole.len ? whole.len : first);
	}
	add(f, id, "!");
	assert_int_equal(text_of(f, id, &text), ARK_OK);
	assert_string_equal(text.data, "varma epavarma!");
	buf_free(&whole);
	buf_free(&text);
}

/* A bit of each byte of the last piece flipped, before the row speaks of it: it is as if it had not come. */
static void test_uploads__a_flipped_bit_at_the_end_is_cut_off(void **state)
{
	struct fixture *f = *state;
	struct pending_file *file;
	struct buf whole = BUF_INIT;
	char id[33], path[400];
	struct stat st;

	begin(f, 100, id);
	add(f, id, "varma ");
	path_of(f, id, path);
	assert_int_equal(stat(path, &st), 0);
	file = opened(f, id, PENDING_APPEND);
	assert_int_equal(pending_append(file, "epavarma", 8, NULL), ARK_OK);
	pending_close(file);
	assert_int_equal(fs_read_file(path, 1 << 20, &whole, NULL), ARK_OK);
	for (size_t i = (size_t)st.st_size; i < whole.len; i++) {
		int fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);

		whole.data[i] = (char)(whole.data[i] ^ 1);
		assert_int_equal(fs_write_all(fd, whole.data, whole.len, NULL), ARK_OK);
		close(fd);
		whole.data[i] = (char)(whole.data[i] ^ 1);
		assert_true(offset_now(f, id) == 6);
	}
	buf_free(&whole);
}

static void test_uploads__swapped_or_foreign_pieces_do_not_open(void **state)
{
	struct fixture *f = *state;
	char id[33], other[33], path[400], other_path[400];
	struct buf whole = BUF_INIT, text = BUF_INIT, foreign = BUF_INIT;
	size_t piece;
	int fd;

	begin(f, 100, id);
	add(f, id, "aaaa");
	add(f, id, "bbbb");
	path_of(f, id, path);
	assert_int_equal(fs_read_file(path, 1 << 20, &whole, NULL), ARK_OK);
	piece = whole.len / 2;
	fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);
	assert_int_equal(fs_write_all(fd, whole.data + piece, piece, NULL), ARK_OK);
	assert_int_equal(fs_write_all(fd, whole.data, piece, NULL), ARK_OK);
	close(fd);
	assert_int_equal(text_of(f, id, &text), ARK_ECORRUPT);
	begin(f, 100, other);
	add(f, other, "aaaa");
	path_of(f, other, other_path);
	assert_int_equal(fs_read_file(other_path, 1 << 20, &foreign, NULL), ARK_OK);
	fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);
	assert_int_equal(fs_write_all(fd, foreign.data, foreign.len, NULL), ARK_OK);
	assert_int_equal(fs_write_all(fd, whole.data + piece, piece, NULL), ARK_OK);
	close(fd);
	buf_clear(&text);
	assert_int_equal(text_of(f, id, &text), ARK_ECORRUPT);
	assert_string_equal(text.data, "");
	buf_free(&whole);
	buf_free(&text);
	buf_free(&foreign);
}

/* A backup leaves the spool out: the row stays, the bytes begin anew. */
static void test_uploads__a_lost_file_begins_anew(void **state)
{
	struct fixture *f = *state;
	unsigned char digest[32], sha[32];
	struct buf text = BUF_INIT;
	struct pending_file *file;
	char id[33], command[400];

	begin(f, 5, id);
	add(f, id, "abcde");
	snprintf(command, sizeof(command), "rm -r '%s/uploads'", f->spool);
	assert_int_equal(system(command), 0);
	assert_true(offset_now(f, id) == 0);
	add(f, id, "fghij");
	state_close(f->place.state);
	open_state(f);
	assert_int_equal(text_of(f, id, &text), ARK_OK);
	assert_string_equal(text.data, "fghij");
	file = opened(f, id, PENDING_READ);
	pending_digest(file, digest);
	pending_close(file);
	sha256_of("fghij", 5, sha);
	assert_memory_equal(digest, sha, 32);
	buf_free(&text);
}

static void test_uploads__one_appends_at_a_time(void **state)
{
	struct fixture *f = *state;
	struct pending_file *one, *other = NULL;
	char id[33];

	begin(f, 5, id);
	one = opened(f, id, PENDING_APPEND);
	assert_int_equal(
	    pending_open(&f->place, "maija", id, PENDING_APPEND, &other, NULL), ARK_ECONFLICT);
	assert_int_equal(
	    pending_open(&f->place, "maija", id, PENDING_READ, &other, NULL), ARK_ECONFLICT);
	assert_int_equal(pending_remove(&f->place, "maija", id, NULL), ARK_ECONFLICT);
	pending_close(one);
	one = opened(f, id, PENDING_READ);
	other = opened(f, id, PENDING_READ);
	pending_close(one);
	pending_close(other);
	assert_int_equal(pending_remove(&f->place, "maija", id, NULL), ARK_OK);
	assert_int_equal(
	    pending_open(&f->place, "maija", id, PENDING_APPEND, &other, NULL), ARK_ENOTFOUND);
}

static int count(void *arg, const struct pending *p)
{
	int *n = arg;

	assert_string_equal(p->user, "maija");
	(*n)++;
	return 0;
}

/* Appends held bytes; `sync`: they are confirmed. */
static void add_held(const struct fixture *f, const char *id, const char *text, bool sync)
{
	struct pending_file *file = opened(f, id, PENDING_APPEND);

	assert_int_equal(pending_hold(file, NULL), ARK_OK);
	assert_int_equal(pending_append(file, text, strlen(text), NULL), ARK_OK);
	if (sync)
		assert_int_equal(pending_sync(file, NULL), ARK_OK);
	pending_close(file);
}

static void test_uploads__are_given_up_also_by_a_child_that_was_forked(void **state)
{
	struct fixture *f = *state;
	struct pending_file *file;
	char id[33];
	int pipe_fd[2], status;
	pid_t child;

	begin(f, 100, id);
	file = opened(f, id, PENDING_APPEND);
	assert_int_equal(pipe(pipe_fd), 0);
	child = fork();
	assert_true(child >= 0);
	if (!child) { /* as a decoder that has not closed its copies yet */
		close(pipe_fd[1]);
		_exit(read(pipe_fd[0], id, 1) == 0 ? 0 : 1);
	}
	close(pipe_fd[0]);
	pending_close(file);
	pending_close(opened(f, id, PENDING_READ));
	assert_int_equal(pending_remove(&f->place, "maija", id, NULL), ARK_OK);
	close(pipe_fd[1]);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

static void test_uploads__what_is_held_counts_only_when_synced(void **state)
{
	struct fixture *f = *state;
	struct buf text = BUF_INIT;
	char id[33];

	begin(f, 14, id);
	add(f, id, "yksi ");
	add_held(f, id, "kaksi", false);
	assert_int_equal(offset_now(f, id), 5);
	add_held(f, id, "kolme ", true);
	assert_int_equal(offset_now(f, id), 11);
	add_held(f, id, "x", false);
	add(f, id, "yht");
	assert_int_equal(text_of(f, id, &text), ARK_OK);
	assert_string_equal(text.data, "yksi kolme yht");
	buf_free(&text);
}

/* Who comes while another holds is refused, and cuts nothing off. */
static void test_uploads__what_is_held_is_left_by_who_is_refused(void **state)
{
	struct fixture *f = *state;
	struct pending_file *file, *other = NULL;
	struct buf text = BUF_INIT;
	char id[33];

	begin(f, 10, id);
	add(f, id, "yksi ");
	file = opened(f, id, PENDING_APPEND);
	assert_int_equal(pending_hold(file, NULL), ARK_OK);
	assert_int_equal(pending_append(file, "kaksi", 5, NULL), ARK_OK);
	assert_int_equal(
	    pending_open(&f->place, "maija", id, PENDING_APPEND, &other, NULL), ARK_ECONFLICT);
	assert_int_equal(pending_sync(file, NULL), ARK_OK);
	pending_close(file);
	assert_int_equal(text_of(f, id, &text), ARK_OK);
	assert_string_equal(text.data, "yksi kaksi");
	buf_free(&text);
}

/* The process ends with whole pieces of held bytes in the file: they open, and are cut off all the same. */
static void test_uploads__what_is_held_ends_with_the_process(void **state)
{
	struct fixture *f = *state;
	size_t big = PENDING_PIECE + 7;
	char id[33], path[400], *bytes = calloc(1, big);
	struct pending_file *file;
	struct stat before, st;
	pid_t pid;

	assert_non_null(bytes);
	begin(f, 2 * (uint64_t)PENDING_PIECE, id);
	add(f, id, "alku");
	path_of(f, id, path);
	assert_int_equal(stat(path, &before), 0);
	state_close(f->place.state);
	pid = fork();
	if (pid == 0) {
		open_state(f);
		file = opened(f, id, PENDING_APPEND);
		_exit(pending_hold(file, NULL) || pending_append(file, bytes, big, NULL));
	}
	assert_int_equal(waitpid(pid, &(int){0}, 0), pid);
	open_state(f);
	assert_int_equal(stat(path, &st), 0);
	assert_true(st.st_size > PENDING_PIECE);
	file = opened(f, id, PENDING_READ);
	assert_int_equal(pending_offset(file), 4);
	pending_close(file);
	assert_int_equal(offset_now(f, id), 4);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_size, before.st_size);
	/* from now on a torn end is taken in again, as ever */
	file = opened(f, id, PENDING_APPEND);
	assert_int_equal(pending_append(file, bytes, 9, NULL), ARK_OK);
	pending_close(file);
	assert_int_equal(offset_now(f, id), 13);
	free(bytes);
}

static void test_uploads__are_found_by_their_owner(void **state)
{
	struct fixture *f = *state;
	struct pending p = {0};
	char id[33], document[33] = "0123456789abcdef0123456789abcdef";
	int n = 0;

	begin(f, 5, id);
	assert_int_equal(pending_get(&f->place, "risto", id, &p, NULL), ARK_ENOTFOUND);
	assert_int_equal(
	    pending_get(&f->place, "maija", "../../state.sqlite", &p, NULL), ARK_ENOTFOUND);
	assert_int_equal(pending_draft(&f->place, "risto", id, NULL, "{}", NULL), ARK_ENOTFOUND);
	assert_int_equal(pending_draft(&f->place, "maija", id, "", "{\"a\":0}", NULL), ARK_OK);
	assert_int_equal(
	    pending_draft(&f->place, "maija", id, "", "{\"b\":1}", NULL), ARK_ECONFLICT);
	assert_int_equal(
	    pending_draft(&f->place, "maija", id, "{\"a\":0}", "{\"a\":1}", NULL), ARK_OK);
	add(f, id, "abcde");
	assert_int_equal(pending_get(&f->place, "maija", id, &p, NULL), ARK_OK);
	assert_string_equal(p.draft, "{\"a\":1}");
	assert_string_equal(p.file_name, "salainen.txt");
	assert_true(p.offset == 5 && p.length == 5 && !p.document[0]);
	pending_free(&p);
	assert_int_equal(pending_became(&f->place, "maija", id, document, 3, NULL), ARK_OK);
	assert_int_equal(pending_get(&f->place, "maija", id, &p, NULL), ARK_OK);
	assert_string_equal(p.document, document);
	assert_int_equal(p.version, 3);
	pending_free(&p);
	assert_int_equal(pending_each(&f->place, "maija", count, &n, NULL), 0);
	assert_int_equal(pending_each(&f->place, "risto", count, &n, NULL), 0);
	assert_int_equal(n, 1);
	assert_int_equal(state_check(f->place.state, NULL, NULL, NULL), ARK_OK);
}

static void test_uploads__what_expired_is_swept(void **state)
{
	struct fixture *f = *state;
	const int64_t day = (int64_t)DAY_US_S * 1000000;
	unsigned int removed = 9;
	char id[33], path[400], stray[400];
	struct pending p = {0};
	int fd;

	begin(f, 5, id);
	add(f, id, "abc");
	path_of(f, id, path);
	snprintf(stray, sizeof(stray), "%s/uploads/%032d", f->spool, 7);
	fd = open(stray, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	close(fd);
	assert_int_equal(
	    pending_sweep(&f->place, clock_now_us() + 6 * day, &removed, NULL), ARK_OK);
	assert_int_equal(removed, 0);
	assert_int_equal(access(path, F_OK), 0);
	assert_int_not_equal(access(stray, F_OK), 0);
	assert_int_equal(
	    pending_sweep(&f->place, clock_now_us() + 8 * day, &removed, NULL), ARK_OK);
	assert_int_equal(removed, 1);
	assert_int_not_equal(access(path, F_OK), 0);
	assert_int_equal(pending_get(&f->place, "maija", id, &p, NULL), ARK_ENOTFOUND);
}

static void test_uploads__an_open_length_ends(void **state)
{
	struct fixture *f = *state;
	struct pending_file *file;
	struct pending p = {0};
	char id[33];

	begin(f, PENDING_OPEN, id);
	for (int i = 0; i < 3; i++) {
		file = opened(f, id, PENDING_APPEND);
		assert_int_equal(pending_append(file, "abc", 3, NULL), ARK_OK);
		assert_int_equal(pending_note(file, NULL), ARK_OK);
		pending_close(file);
	}
	file = opened(f, id, PENDING_APPEND);
	assert_int_equal(pending_end(file, NULL), ARK_OK);
	pending_close(file);
	assert_int_equal(pending_get(&f->place, "maija", id, &p, NULL), ARK_OK);
	assert_true(p.offset == 9 && p.length == 9);
	pending_free(&p);
}

/* ---- headers ---- */

static void test_tus__metadata_is_read_and_written(void **state)
{
	struct tus_metadata m = {0};
	struct buf out = BUF_INIT;

	(void)state;
	assert_int_equal(
	    tus_metadata_read("filename YS9iLnR4dA== , filetype dGV4dC9wbGFpbg==,other,"
			      "batch MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=",
		&m, NULL),
	    ARK_OK);
	assert_string_equal(m.file_name, "b.txt");
	assert_string_equal(m.media_type, "text/plain");
	assert_string_equal(m.batch, "0123456789abcdef0123456789abcdef");
	tus_metadata_write(m.file_name, m.media_type, &out);
	assert_string_equal(out.data, "filename Yi50eHQ=,filetype dGV4dC9wbGFpbg==");
	tus_metadata_free(&m);
	buf_free(&out);
	assert_int_equal(tus_metadata_read(NULL, &m, NULL), ARK_OK);
	assert_null(m.file_name);
}

static void test_tus__malformed_metadata_is_refused(void **state)
{
	static const char *const bad[] = {",", "filename YQ==,", "a YQ==,,b YQ==", "filename YQ",
	    "filename =", "filename YQ== YQ==", "a,a", "filename /w==", "filename YQBi",
	    "filetype YQpi", "batch YQ==", "batch Li4vLi4vLi4vLi4vLi4vLi4vLi4vLi4vLi4vLi4="};
	struct tus_metadata m = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		if (tus_metadata_read(bad[i], &m, NULL) != ARK_EINPUT)
			fail_msg("taken: %s", bad[i]);
}

static void test_tus__numbers_are_digits_alone(void **state)
{
	static const char *const bad[] = {
	    "", "-1", "+1", " 1", "1 ", "0x1", "1.0", "9007199254740992", "99999999999999999999"};
	uint64_t n = 0;

	(void)state;
	assert_false(tus_number(NULL, &n));
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_false(tus_number(bad[i], &n));
	assert_true(tus_number("9007199254740991", &n) && n == UINT64_C(9007199254740991));
	assert_true(tus_number("0", &n) && n == 0);
}

#define WITH(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    WITH(test_uploads__pieces_come_back_as_one_text),
	    WITH(test_uploads__more_than_the_length_is_refused),
	    WITH(test_uploads__a_torn_end_is_cut_off_at_every_byte),
	    WITH(test_uploads__a_flipped_bit_at_the_end_is_cut_off),
	    WITH(test_uploads__swapped_or_foreign_pieces_do_not_open),
	    WITH(test_uploads__a_lost_file_begins_anew),
	    WITH(test_uploads__one_appends_at_a_time),
	    WITH(test_uploads__are_given_up_also_by_a_child_that_was_forked),
	    WITH(test_uploads__what_is_held_counts_only_when_synced),
	    WITH(test_uploads__what_is_held_is_left_by_who_is_refused),
	    WITH(test_uploads__what_is_held_ends_with_the_process),
	    WITH(test_uploads__are_found_by_their_owner),
	    WITH(test_uploads__what_expired_is_swept),
	    WITH(test_uploads__an_open_length_ends),
	    cmocka_unit_test(test_tus__metadata_is_read_and_written),
	    cmocka_unit_test(test_tus__malformed_metadata_is_refused),
	    cmocka_unit_test(test_tus__numbers_are_digits_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
