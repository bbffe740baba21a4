/* Stock git on a store, compaction under load, damage and its reports. */
#include "tests/unit/store_fixture.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/stat.h>

#include "archive/git_hash.h"
#include "arkki/base/fs.h"
#include "arkki/base/text.h"

/* Eight documents a group, their bytes from the number. */
static void fill(char out[4000], unsigned int n)
{
	for (unsigned int i = 0; i < 4000; i++)
		out[i] = (char)((n * 2654435761U + i * 40503U) >> 11);
}

static void commit_group(const struct fixture *f, unsigned int group)
{
	struct store_txn *t = NULL;
	char path[128], bytes[4000];

	OK(store_begin(f->store, &t, err));
	for (unsigned int i = 0; i < 8; i++) {
		unsigned int n = group * 8 + i, h = n * 2654435761U;

		fill(bytes, n);
		snprintf(path, sizeof(path), "docs/%x/%x/%x/%x/%08x%08x/v0001/content", h >> 28,
		    h >> 24 & 15, h >> 20 & 15, h >> 16 & 15, h, n);
		OK(store_put(t, path, bytes, sizeof(bytes), NULL, err));
	}
	OK(store_commit(t, "filed eight\n", FIXTURE_TIME, NULL, err));
}

static void expect_document(struct store_reader *r, unsigned int n)
{
	unsigned int h = n * 2654435761U;
	char path[128], bytes[4000];

	fill(bytes, n);
	snprintf(path, sizeof(path), "docs/%x/%x/%x/%x/%08x%08x/v0001/content", h >> 28,
	    h >> 24 & 15, h >> 20 & 15, h >> 16 & 15, h, n);
	fixture_expect(r, NULL, path, bytes, sizeof(bytes));
}

static void test_store_git__fsck_verify_commit_and_index_pack_agree(void **state)
{
	struct fixture f;
	char *out;

	(void)state;
	fixture_start(&f);
	fixture_commit_one(&f, "same/1", "equal bytes", "one\n");
	fixture_commit_one(&f, "other/1", "equal bytes", "a tree and a blob that exist already\n");
	for (unsigned int i = 0; i < 6; i++)
		commit_group(&f, i);
	fixture_fsck(&f);
	assert_int_equal(fixture_loose(&f), 0);
	free(fixture_git(&f, NULL,
	    "rev-list main | xargs -n1 git -C '%s' -c gpg.format=ssh -c "
	    "gpg.ssh.allowedSignersFile='%s' "
	    "verify-commit",
	    f.dir, f.signers));
	out = fixture_git(&f, NULL,
	    "-c gpg.ssh.allowedSignersFile='%s' log --format='%%G? %%GS %%an %%ae %%s' main",
	    f.signers);
	assert_non_null(
	    strstr(out, "G arkki@test.example/arkki arkki arkki@test.example/arkki arkki 8\n"));
	assert_null(strstr(out, "\nB ")), assert_null(strstr(out, "\nU "));
	free(out);
	/* git's own idx of our packs is ours, byte for byte */
	free(fixture_git(&f, NULL,
	    "rev-parse && for p in '%s'/objects/pack/*.pack; do git index-pack -o '%s/i' "
	    "$p && "
	    "cmp '%s/i' ${p%%.pack}.idx && rm -f '%s/i' || exit 1; done",
	    f.dir, f.scratch, f.scratch, f.scratch));
	fixture_end(&f);
}

struct writer {
	const struct fixture *f;
	unsigned int from, groups;
	atomic_uint done;
};

static void *write_groups(void *arg)
{
	struct writer *w = arg;

	for (unsigned int i = 0; i < w->groups; i++) {
		commit_group(w->f, w->from + i);
		atomic_fetch_add(&w->done, 1);
	}
	return NULL;
}

static void test_store_git__clone_and_fetch_work_while_commits_go_on(void **state)
{
	struct fixture f;
	struct writer w = {.f = &f, .groups = 60};
	pthread_t thread;

	(void)state;
	fixture_start(&f);
	fixture_commit_one(&f, "a", "1", "");
	assert_int_equal(pthread_create(&thread, NULL, write_groups, &w), 0);
	free(fixture_git(&f, NULL, "clone -q --mirror '%s' '%s/mirror.git'", f.dir, f.scratch));
	for (int i = 0; i < 3; i++)
		free(fixture_git(&f, NULL, "--git-dir='%s/mirror.git' fetch -q", f.scratch));
	pthread_join(thread, NULL);
	free(fixture_git(&f, NULL, "--git-dir='%s/mirror.git' fetch -q", f.scratch));
	free(fixture_git(&f, NULL,
	    "rev-parse && test $(git -C '%s' rev-parse main) = $(git -C '%s/mirror.git' rev-parse "
	    "main)",
	    f.dir, f.scratch));
	free(fixture_git(&f, NULL, "--git-dir='%s/mirror.git' fsck --full --strict", f.scratch));
	assert_int_equal(fixture_loose(&f), 0);
	fixture_end(&f);
}

static void test_store_git__compaction_keeps_everything_and_disturbs_nobody(void **state)
{
	struct fixture f;
	struct writer w = {.f = &f, .from = 40, .groups = 60};
	struct store_reader *r = NULL;
	struct store_txn *t = NULL;
	struct store_oid orphan;
	struct store_blob b;
	pthread_t thread;
	unsigned int faults = 0, before, seed = 1;
	char path[700];

	(void)state;
	fixture_start(&f);
	for (unsigned int i = 0; i < 40; i++)
		commit_group(&f, i);
	before = store_packs(f.store);
	assert_int_equal(before, 40);
	/* a commit that no ref reaches: it must stay, and stay packed */
	OK(store_begin(f.store, &t, err));
	OK(store_put(t, "orphan", "unreachable", 11, &orphan, err));
	snprintf(path, sizeof(path), "cp '%s/refs/heads/main' '%s/main'", f.dir, f.scratch);
	assert_int_equal(system(path), 0);
	OK(store_commit(t, "", FIXTURE_TIME, NULL, err));
	store_close(f.store);
	snprintf(path, sizeof(path), "cp '%s/main' '%s/refs/heads/main'", f.scratch, f.dir);
	assert_int_equal(system(path), 0);
	fixture_open(&f);
	OK(store_reader_open(f.store, &r, err));
	expect_document(r, 5);

	assert_int_equal(pthread_create(&thread, NULL, write_groups, &w), 0);
	for (int round = 0; round < 3; round++) {
		OK(store_compact(f.store, err));
		for (int i = 0; i < 300; i++)
			expect_document(r, (unsigned int)rand_r(&seed) % 320);
	}
	pthread_join(thread, NULL);
	OK(store_compact(f.store, err));
	assert_true(store_packs(f.store) < 12);
	for (unsigned int n = 0; n < 800; n++)
		expect_document(r, n);
	OK(store_get_oid(r, &orphan, &b, err));
	store_blob_release(&b);
	assert_int_equal(fixture_loose(&f), 0);
	store_reader_close(r);
	fixture_fsck(&f);
	OK(store_check(f.store, fixture_count_fault, &faults, NULL, err));
	commit_group(&f, 200);
	fixture_end(&f);
}

/* Packs that this process still maps though they are gone from the directory: their space is not free. */
static unsigned int held_packs(void)
{
	char line[1024];
	unsigned int n = 0;
	FILE *maps = fopen("/proc/self/maps", "r");

	assert_non_null(maps);
	while (fgets(line, sizeof(line), maps))
		n += strstr(line, "/pack-") && strstr(line, "(deleted)");
	fclose(maps);
	return n;
}

static void test_store_git__compaction_frees_the_space_of_old_packs(void **state)
{
	struct fixture f;
	struct store_reader *r = NULL;

	(void)state;
	fixture_start(&f);
	OK(store_reader_open(f.store, &r, err));
	for (unsigned int i = 0; i < 8; i++) {
		commit_group(&f, i);
		expect_document(r, 8 * i);
	}
	OK(store_compact(f.store, err));
	assert_true(held_packs() > 0);
	expect_document(r, 0);
	commit_group(&f, 8);
	assert_int_equal(held_packs(), 0);
	store_reader_close(r);
	fixture_end(&f);
}

/* A crash can come after the large pack and before the removal of the small ones. */
static void test_store_git__compaction_ends_what_another_one_began(void **state)
{
	struct fixture f;
	struct store_reader *r = NULL;
	char keep[700];

	(void)state;
	fixture_start(&f);
	for (unsigned int i = 0; i < 6; i++)
		commit_group(&f, i);
	free(fixture_git(&f, NULL, "repack -q -n --geometric=2"));
	assert_int_equal(store_packs(f.store), 7);
	/* what someone marked is kept, though another pack has all of it */
	snprintf(keep, sizeof(keep),
	    "cd '%s/objects/pack' && p=$(ls -S *.idx | tail -n 1) && touch ${p%%.idx}.keep", f.dir);
	assert_int_equal(system(keep), 0);
	OK(store_compact(f.store, err));
	assert_int_equal(store_packs(f.store), 2);
	commit_group(&f, 6);
	OK(store_reader_open(f.store, &r, err));
	for (unsigned int n = 0; n < 56; n++)
		expect_document(r, n);
	store_reader_close(r);
	fixture_fsck(&f);
	fixture_end(&f);
}

static void test_store_git__a_stopped_compaction_has_lost_nothing(void **state)
{
	struct fixture f;
	struct store_reader *r = NULL;
	struct ark_error why;

	(void)state;
	fixture_start(&f);
	for (unsigned int i = 0; i < 10; i++)
		commit_group(&f, i);
	store_compact_stop(f.store);
	assert_int_equal(store_compact(f.store, &why), ARK_EIO);
	assert_int_equal(store_packs(f.store), 10);
	OK(store_reader_open(f.store, &r, err));
	expect_document(r, 79);
	store_reader_close(r);
	fixture_fsck(&f);
	fixture_end(&f);
}

/* A reader of another process hears nothing of a compaction, and must find its way. */
static void test_store_git__readers_survive_packs_that_vanish_unannounced(void **state)
{
	struct fixture f;
	struct store *reading = NULL;
	struct store_reader *r = NULL;

	(void)state;
	fixture_start(&f);
	for (unsigned int i = 0; i < 12; i++)
		commit_group(&f, i);
	OK(store_open(f.dir, "test.example/arkki", fixture_seed, false, &reading, err));
	OK(store_reader_open(reading, &r, err));
	expect_document(r, 95);
	free(fixture_git(&f, NULL, "repack -q -a -d"));
	assert_int_equal(store_packs(reading), 1);
	for (unsigned int n = 0; n < 96; n++)
		expect_document(r, n);
	free(fixture_git(&f, NULL, "gc -q"));
	OK(store_refresh(reading, err));
	for (unsigned int n = 0; n < 96; n++)
		expect_document(r, n);
	store_reader_close(r);
	store_close(reading);
	/* gc has put the ref into packed-refs */
	store_close(f.store);
	free(fixture_git(&f, NULL, "pack-refs --all"));
	fixture_open(&f);
	commit_group(&f, 12);
	fixture_fsck(&f);
	fixture_end(&f);
}

/* ---- damage ---- */

static void one_pack(const struct fixture *f, const char *ext, char out[600])
{
	char cmd[700];
	FILE *p;

	snprintf(cmd, sizeof(cmd), "ls '%s'/objects/pack/*%s | head -1", f->dir, ext);
	p = popen(cmd, "r");
	assert_non_null(p);
	assert_non_null(fgets(out, 600, p));
	out[strcspn(out, "\n")] = '\0';
	pclose(p);
}

static void flip(const char *path, long at)
{
	FILE *file;
	int c;

	chmod(path, 0600);
	file = fopen(path, "r+");
	assert_non_null(file);
	assert_int_equal(fseek(file, at, at < 0 ? SEEK_END : SEEK_SET), 0);
	c = fgetc(file);
	fseek(file, -1, SEEK_CUR);
	fputc(c ^ 4, file);
	fclose(file);
}

static void test_store_git__check_finds_a_flipped_bit_anywhere_in_a_pack(void **state)
{
	struct fixture f;
	char pack[600], idx[600], saved[700];
	struct stat st;

	(void)state;
	fixture_start(&f);
	fixture_commit_one(&f, "docs/a", "some sealed bytes", "filed\n");
	one_pack(&f, ".pack", pack);
	one_pack(&f, ".idx", idx);
	for (int which = 0; which < 2; which++) {
		const char *path = which ? idx : pack;

		assert_int_equal(stat(path, &st), 0);
		for (long at = 0; at < st.st_size; at += 7) {
			struct store *damaged = NULL;
			struct buf faults = BUF_INIT;
			int rc;

			flip(path, at);
			rc = store_open(
			    f.dir, "test.example/arkki", fixture_seed, false, &damaged, NULL);
			if (rc == ARK_OK) {
				rc = store_check(damaged, fixture_note_fault, &faults, NULL, NULL);
				assert_non_null(strstr(
				    faults.data, which ? ".idx is damaged" : ".pack is damaged"));
			}
			assert_int_equal(rc, ARK_ECORRUPT);
			buf_free(&faults);
			store_close(damaged);
			flip(path, at);
		}
	}
	snprintf(saved, sizeof(saved), "%s.away", idx);
	assert_int_equal(rename(idx, saved), 0);
	{
		struct store *damaged = NULL;
		struct ark_error why = {0};

		assert_int_equal(
		    store_open(f.dir, "test.example/arkki", fixture_seed, false, &damaged, &why),
		    ARK_ECORRUPT);
		assert_non_null(strstr(why.text, "mirror"));
	}
	store_close(f.store); /* a writer makes the idx again */
	fixture_open(&f);
	assert_int_equal(store_packs(f.store), 1);
	fixture_fsck(&f);
	fixture_end(&f);
}

/* All but one blob goes into a new pack. */
static void test_store_git__check_names_a_single_lost_blob(void **state)
{
	struct fixture f;
	struct store_txn *t = NULL;
	struct buf faults = BUF_INIT;
	struct store_oid lost;
	char hex[2 * STORE_OID_SIZE + 1];

	(void)state;
	fixture_start(&f);
	OK(store_begin(f.store, &t, err));
	OK(store_put(t, "docs/kept", "kept", 4, NULL, err));
	OK(store_put(t, "docs/lost", "lost", 4, &lost, err));
	OK(store_commit(t, "", FIXTURE_TIME, NULL, err));
	hex_encode(hex, lost.id, STORE_OID_SIZE);
	free(fixture_git(&f, NULL,
	    "rev-list --objects main | cut -c1-40 | grep -v %s > '%s/kept' && mkdir '%s/new' && "
	    "git -C '%s' pack-objects -q '%s/new/pack' < '%s/kept' && rm -f '%s'/objects/pack/* && "
	    "mv '%s'/new/* '%s/objects/pack/'",
	    hex, f.scratch, f.scratch, f.dir, f.scratch, f.scratch, f.dir, f.scratch, f.dir));
	store_close(f.store);
	fixture_open(&f);
	assert_int_equal(
	    store_check(f.store, fixture_note_fault, &faults, NULL, NULL), ARK_ECORRUPT);
	assert_non_null(strstr(faults.data, hex));
	assert_non_null(strstr(faults.data, "is missing"));
	assert_ptr_equal(strchr(faults.data, '\n'), faults.data + faults.len - 1); /* one fault */
	buf_free(&faults);
	fixture_end(&f);
}

/* An idx with right checksums that gives an object another's name. */
static void test_store_git__check_finds_an_object_under_a_wrong_name(void **state)
{
	enum { FIRST_NAME = 8 + 1024 };
	struct fixture f;
	struct buf idx = BUF_INIT, faults = BUF_INIT;
	struct githash *hash = githash_new();
	struct store_oid sum;
	char path[600];
	FILE *file;

	(void)state;
	fixture_start(&f);
	fixture_commit_one(&f, "docs/a", "some sealed bytes", "filed\n");
	one_pack(&f, ".idx", path);
	OK(fs_read_file(path, 1 << 20, &idx, err));
	idx.data[FIRST_NAME + STORE_OID_SIZE - 1] ^= 1;
	githash_start(hash);
	githash_update(hash, idx.data, idx.len - STORE_OID_SIZE);
	OK(githash_final(hash, &sum, err));
	memcpy(idx.data + idx.len - STORE_OID_SIZE, sum.id, STORE_OID_SIZE);
	chmod(path, 0600);
	file = fopen(path, "w");
	assert_int_equal(fwrite(idx.data, 1, idx.len, file), idx.len);
	fclose(file);
	assert_int_equal(
	    store_check(f.store, fixture_note_fault, &faults, NULL, NULL), ARK_ECORRUPT);
	assert_null(strstr(faults.data, "is damaged"));
	assert_non_null(strstr(faults.data, "does not hash to its name"));
	githash_free(hash);
	buf_free(&faults);
	buf_free(&idx);
	fixture_end(&f);
}

/* Three commits of one key, which is an earlier one by now: they count when its span reaches to them. */
static void test_store_git__an_earlier_key_counts_in_its_time_alone(void **state)
{
	static const unsigned char other_seed[32] = {9};
	struct store_signer signers[] = {
	    {.seed = other_seed, .from_us = 1}, {.seed = fixture_seed, .until_us = INT64_MAX / 2}};
	unsigned int faults = 0;
	struct fixture f;

	(void)state;
	fixture_start(&f);
	for (int i = 0; i < 3; i++)
		fixture_commit_one(&f, i == 0 ? "a" : i == 1 ? "b" : "c", "1", "");
	OK(store_signers(f.store, signers, 2, NULL, err));
	OK(store_check(f.store, fixture_count_fault, &faults, NULL, err));
	signers[1].until_us = STORE_SIGNER_SLACK_US;
	OK(store_signers(f.store, signers, 2, NULL, err));
	assert_int_equal(
	    store_check(f.store, fixture_count_fault, &faults, NULL, NULL), ARK_ECORRUPT);
	assert_int_equal(faults, 3);
	signers[1] = (struct store_signer){.seed = fixture_seed, .from_us = INT64_MAX / 2};
	OK(store_signers(f.store, signers, 2, NULL, err));
	assert_int_equal(
	    store_check(f.store, fixture_count_fault, &faults, NULL, NULL), ARK_ECORRUPT);
	assert_int_equal(faults, 6);
	fixture_end(&f);
}

static void test_store_git__check_names_foreign_commits_and_lost_objects(void **state)
{
	static const unsigned char other_seed[32] = {9};
	struct fixture f;
	struct store *other = NULL;
	struct store_head head;
	unsigned int faults = 0;
	char ref[400], pack[600];
	FILE *file;
	int rc;

	(void)state;
	fixture_start(&f);
	fixture_commit_one(&f, "a", "1", "");
	fixture_commit_one(&f, "b/c", "2", "");
	fixture_commit_one(&f, "d", "3", "");
	OK(store_open(f.dir, "test.example/arkki", other_seed, false, &other, err));
	assert_int_equal(
	    store_check(other, fixture_count_fault, &faults, NULL, NULL), ARK_ECORRUPT);
	assert_int_equal(faults, 3);
	store_close(other);
	store_head(f.store, &head);

	snprintf(ref, sizeof(ref), "%s/refs/heads/main", f.dir);
	store_close(f.store);
	f.store = NULL;
	file = fopen(ref, "w");
	fputs("0123456789abcdef0123456789abcdef01234567\n", file);
	fclose(file);
	assert_int_equal(
	    store_open(f.dir, "test.example/arkki", fixture_seed, true, &f.store, NULL),
	    ARK_ECORRUPT);
	unlink(ref); /* lost, though there are three commits */
	assert_int_equal(
	    store_open(f.dir, "test.example/arkki", fixture_seed, true, &f.store, NULL),
	    ARK_ECORRUPT);
	file = fopen(ref, "w");
	for (int i = 0; i < STORE_OID_SIZE; i++)
		fprintf(file, "%02x", head.commit.id[i]);
	fputs("\n", file);
	fclose(file);
	fixture_open(&f);

	for (int i = 0; i < 3; i++) { /* whichever pack it is, something is missed */
		faults = 0;
		one_pack(&f, ".pack", pack);
		store_close(f.store);
		f.store = NULL;
		unlink(pack);
		strcpy(pack + strlen(pack) - 5, ".idx");
		unlink(pack);
		rc = store_open(f.dir, "test.example/arkki", fixture_seed, false, &f.store, NULL);
		if (rc == ARK_OK)
			assert_int_equal(
			    store_check(f.store, fixture_count_fault, &faults, NULL, NULL),
			    ARK_ECORRUPT);
		else
			assert_int_equal(rc, ARK_ECORRUPT);
		if (rc != ARK_OK)
			break;
		assert_true(faults > 0);
	}
	fixture_end(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_store_git__fsck_verify_commit_and_index_pack_agree),
	    cmocka_unit_test(test_store_git__clone_and_fetch_work_while_commits_go_on),
	    cmocka_unit_test(test_store_git__compaction_keeps_everything_and_disturbs_nobody),
	    cmocka_unit_test(test_store_git__compaction_frees_the_space_of_old_packs),
	    cmocka_unit_test(test_store_git__compaction_ends_what_another_one_began),
	    cmocka_unit_test(test_store_git__a_stopped_compaction_has_lost_nothing),
	    cmocka_unit_test(test_store_git__readers_survive_packs_that_vanish_unannounced),
	    cmocka_unit_test(test_store_git__check_finds_a_flipped_bit_anywhere_in_a_pack),
	    cmocka_unit_test(test_store_git__check_names_a_single_lost_blob),
	    cmocka_unit_test(test_store_git__check_finds_an_object_under_a_wrong_name),
	    cmocka_unit_test(test_store_git__an_earlier_key_counts_in_its_time_alone),
	    cmocka_unit_test(test_store_git__check_names_foreign_commits_and_lost_objects),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
