/* The other side of backup_remote.c: obeys it in one directory. What it is asked is not trusted: names are checked, lengths are
 * those of what comes, digests are compared. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "archive/backup_private.h"
#include "arkki/base/fs.h"

enum { LINE_SIZE = 256 };

struct receiver {
	const char *where;
	struct place_dir *place;
	FILE *in, *out;
	uint64_t left; /* bytes of a put that have not been read */
};

static void say_no(struct receiver *r, int status, const char *text)
{
	fprintf(r->out, "no %d %.400s\n", status, text);
}

static int from_peer(void *arg, void *out, size_t want, struct ark_error *err)
{
	struct receiver *r = arg;

	if (want > r->left || fread(out, 1, want, r->in) != want)
		return ark_fail(err, ARK_EIO, "the connection was cut");
	r->left -= want;
	return ARK_OK;
}

/* So that the next line is a question again. */
static int pass_over(struct receiver *r, struct ark_error *err)
{
	char block[4096];
	int rc = ARK_OK;

	while (!rc && r->left)
		rc = from_peer(
		    r, block, r->left < sizeof(block) ? (size_t)r->left : sizeof(block), err);
	return rc;
}

static int do_open(struct receiver *r, const char *mode, struct ark_error *err)
{
	if (r->place || (strcmp(mode, "write") != 0 && strcmp(mode, "read") != 0))
		return ark_fail(err, ARK_EINPUT, "open write or read, once");
	return place_dir_open(
	    r->where, strcmp(mode, "write") == 0 ? PLACE_WRITE : PLACE_READ, &r->place, err);
}

static int do_list(struct receiver *r, const char *kind, struct buf *out, struct ark_error *err)
{
	if (strcmp(kind, "objects") != 0 && strcmp(kind, "points") != 0)
		return ark_fail(err, ARK_EINPUT, "list objects or points");
	return place_dir_list(r->place, kind, out, err);
}

static int send_file(struct receiver *r, const char *name, struct ark_error *err)
{
	char block[16384];
	uint64_t len = 0;
	int fd = -1, rc = place_dir_file(r->place, name, &fd, &len, err);

	if (rc)
		return rc;
	fprintf(r->out, "ok %llu\n", (unsigned long long)len);
	for (uint64_t at = 0; at < len && !ferror(r->out);) {
		size_t n = len - at < sizeof(block) ? (size_t)(len - at) : sizeof(block);

		if (fs_pread_all(fd, block, n, at, err)) {
			close(fd);
			return 1; /* the length was said: only a cut tells now */
		}
		fwrite(block, 1, n, r->out);
		at += n;
	}
	close(fd);
	return ARK_OK;
}

/* 0: answered; 1: there is no going on. */
static int obey(struct receiver *r, const char *verb, const char *name, uint64_t len)
{
	struct ark_error err = {0}, cut;
	struct buf out = BUF_INIT;
	int rc;

	r->left = strcmp(verb, "put") == 0 ? len : 0;
	if (strcmp(verb, "open") == 0)
		rc = do_open(r, name, &err);
	else if (!r->place)
		rc = ark_fail(&err, ARK_EINPUT, "open first");
	else if (strcmp(verb, "list") == 0)
		rc = do_list(r, name, &out, &err);
	else if (strcmp(verb, "put") == 0)
		rc = place_dir_put(r->place, name, len, from_peer, r, &err);
	else if (strcmp(verb, "remove") == 0)
		rc = place_dir_remove(r->place, name, &err);
	else if (strcmp(verb, "get") == 0)
		rc = send_file(r, name, &err);
	else
		rc = ark_fail(&err, ARK_EINPUT, "unknown request");
	if (rc > 0 || pass_over(r, &cut)) {
		rc = 1;
	} else if (rc < 0) {
		say_no(r, rc, err.text);
		rc = 0;
	} else if (strcmp(verb, "get") != 0) {
		fprintf(r->out, "ok %zu\n", out.len);
		fwrite(out.data ? out.data : "", 1, out.len, r->out);
	}
	buf_free(&out);
	return fflush(r->out) == 0 ? rc : 1;
}

int backup_receive(const char *place, int in, int out, struct ark_error *err)
{
	struct receiver r = {.where = place, .in = fdopen(in, "r"), .out = fdopen(out, "w")};
	char line[LINE_SIZE], verb[16], name[PLACE_NAME_MAX], end;
	unsigned long long len;
	int rc = r.in && r.out ? ARK_OK : ark_fail(err, ARK_ENOMEM, "no memory to receive");

	while (!rc && fgets(line, sizeof(line), r.in)) {
		int n;

		len = 0;
		line[strcspn(line, "\n")] = '\0';
		/* NOLINTNEXTLINE(cert-err34-c): the width bounds it */
		n = sscanf(line, "%15s %95s %20llu%c", verb, name, &len, &end);
		if (n < 2 || n > 3 || (n == 3) != (strcmp(verb, "put") == 0))
			rc = ark_fail(err, ARK_EINPUT, "this is no request of a backup");
		else if (obey(&r, verb, name, len))
			rc = ark_fail(err, ARK_EIO, "the connection was cut");
	}
	place_dir_close(r.place);
	if (r.in)
		fclose(r.in);
	if (r.out)
		fclose(r.out);
	return rc;
}
