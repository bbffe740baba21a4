/* A scratch store, and stock git to look at it with. */
#ifndef ARKKI_TESTS_STORE_FIXTURE_H
#define ARKKI_TESTS_STORE_FIXTURE_H

#include "tests/unit/unit.h"

#include <dirent.h>

#include "arkki/archive/store.h"

#define FIXTURE_TIME INT64_C(1772000000000000)

struct fixture {
	char scratch[256], dir[300], signers[300];
	struct store *store;
};

static const unsigned char fixture_seed[32] = {7, 1, 2, 3};

#define OK(call)                                                                                   \
	do {                                                                                       \
		struct ark_error ok_error = {0}, *err __attribute__((unused)) = &ok_error;         \
		int ok_rc = (call);                                                                \
		if (ok_rc != 0)                                                                    \
			fail_msg("%s: %d %s", #call, ok_rc, ok_error.text);                        \
	} while (0)

static inline void fixture_open(struct fixture *f)
{
	OK(store_open(f->dir, "test.example/arkki", fixture_seed, true, &f->store, err));
}

static inline void fixture_start(struct fixture *f)
{
	unit_scratch(f->scratch);
	snprintf(f->dir, sizeof(f->dir), "%s/archive.git", f->scratch);
	snprintf(f->signers, sizeof(f->signers), "%s/allowed_signers", f->scratch);
	OK(store_create(f->dir, f->signers, "test.example/arkki", fixture_seed, err));
	fixture_open(f);
}

static inline void fixture_end(struct fixture *f)
{
	store_close(f->store);
	unit_scratch_end(f->scratch);
}

/* Output (stdout and stderr) of `git -C dir …`; *ret_code its exit status. */
ARK_PRINTF(3, 4)
static inline char *fixture_git(const struct fixture *f, int *ret_code, const char *fmt, ...)
{
	char args[1024], cmd[2048];
	char *out = calloc(1, 1 << 20);
	va_list ap;
	FILE *p;
	int status;

	va_start(ap, fmt);
	vsnprintf(args, sizeof(args), fmt, ap);
	va_end(ap);
	snprintf(cmd, sizeof(cmd), "GIT_CONFIG_GLOBAL=/dev/null git -C '%s' %s 2>&1", f->dir, args);
	p = popen(cmd, "r");
	assert_non_null(p);
	assert_non_null(out);
	out[fread(out, 1, (1 << 20) - 1, p)] = '\0';
	status = pclose(p);
	if (ret_code)
		*ret_code = status;
	else if (status != 0)
		fail_msg("%s: %s", cmd, out);
	return out;
}

static inline void fixture_fsck(const struct fixture *f)
{
	int code;
	char *out = fixture_git(f, &code, "fsck --full --strict --no-dangling --no-progress");

	if (code != 0 || (*out && !strstr(out, "notice:")))
		fail_msg("git fsck: %s", out);
	free(out);
}

/* Entries of objects/ other than pack and info: loose objects. */
static inline int fixture_loose(const struct fixture *f)
{
	char path[400];
	struct dirent *e;
	int n = 0;
	DIR *d;

	snprintf(path, sizeof(path), "%s/objects", f->dir);
	d = opendir(path);
	assert_non_null(d);
	while ((e = readdir(d)))
		n += e->d_name[0] != '.' && strcmp(e->d_name, "pack") != 0 &&
		     strcmp(e->d_name, "info") != 0;
	closedir(d);
	return n;
}

static inline struct store_head fixture_commit_one(
    const struct fixture *f, const char *path, const char *text, const char *changes)
{
	struct store_txn *t = NULL;
	struct store_head head = {0};

	OK(store_begin(f->store, &t, err));
	OK(store_put(t, path, text, strlen(text), NULL, err));
	OK(store_commit(t, changes, FIXTURE_TIME, &head, err));
	return head;
}

static inline void fixture_expect(struct store_reader *r, const struct store_head *at,
    const char *path, const void *bytes, size_t len)
{
	struct store_blob b = {0};

	OK(store_get(r, at, path, &b, err));
	assert_int_equal(b.len, len);
	assert_memory_equal(b.bytes, bytes, len);
	store_blob_release(&b);
}

static inline void fixture_note_fault(void *arg, const char *what)
{
	buf_addf(arg, "%s\n", what);
}

static inline void fixture_count_fault(void *arg, const char *what)
{
	printf("fault: %s\n", what);
	++*(unsigned int *)arg;
}

#endif
