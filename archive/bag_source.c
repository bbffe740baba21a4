/* Where a bag lies: a directory, or a ZIP or tar that libarchive streams. */
#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "arkki/archive/bag.h"
#include "arkki/base/text.h"

struct bag_source {
	char *path;
	bool directory;
	struct buf prefix;        /* the bag's folder in an archive, with its slash */
	struct bag_reader reader; /* in place of the path, which is what it is called */
	uint64_t at;
	char *block;
	struct ark_error failed; /* of the reader: libarchive carries no errors of ours */
};

struct bag_stream {
	struct archive *a; /* or */
	int fd;
	uint64_t *budget; /* bytes that the source may still give */
};

ssize_t bag_stream_read(struct bag_stream *f, void *out, size_t max, struct ark_error *err)
{
	ssize_t n = f->a ? archive_read_data(f->a, out, max) : read(f->fd, out, max);

	if (n < 0)
		return ark_fail(err, ARK_EINPUT, "a file of the bag cannot be read: %s",
		    f->a ? archive_error_string(f->a) : strerror(errno));
	if ((uint64_t)n > *f->budget)
		return ark_fail(err, ARK_EINPUT, "the bag holds more than is allowed");
	*f->budget -= (uint64_t)n;
	return n;
}

int bag_stream_rest(struct bag_stream *f, size_t limit, struct buf *out, struct ark_error *err)
{
	char block[16384];
	ssize_t n;

	while ((n = bag_stream_read(f, block, sizeof(block), err)) > 0) {
		if (out->len + (size_t)n > limit)
			return ark_fail(
			    err, ARK_EINPUT, "a file of the bag is larger than %zu bytes", limit);
		buf_add(out, block, (size_t)n);
	}
	if (n == 0 && buf_failed(out))
		return ark_fail(err, ARK_ENOMEM, "no memory for a file of the bag");
	return (int)n;
}

/* A name that stays within the bag. */
static bool path_ok(const char *path)
{
	struct buf out = BUF_INIT;
	bool dotted, ok;

	if (path[0] == '~') /* leads out in a manifest only: as a name it is one like others */
		path++;
	ok = bag_path_decode(&out, path, strlen(path), false, &dotted);
	buf_free(&out);
	return ok && !dotted;
}

/* ---- directories ---- */

static int visit_file(const FTSENT *e, const char *path, uint64_t *budget, bag_each each, void *arg,
    struct ark_error *err)
{
	struct bag_stream f = {.budget = budget};
	int rc;

	f.fd = open(e->fts_accpath, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (f.fd < 0)
		return ark_fail_errno(err, ARK_EIO, "cannot open %s", e->fts_path);
	rc = each(arg, path, &f, err);
	close(f.fd);
	return rc;
}

/* In an order that does not depend on the file system. */
static int by_name(const FTSENT **a, const FTSENT **b)
{
	return strcmp((*a)->fts_name, (*b)->fts_name);
}

static int walk_directory(struct bag_source *s, bag_each each, void *arg, struct ark_error *err)
{
	char *roots[] = {s->path, NULL};
	FTS *fts = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, by_name);
	uint64_t budget = BAG_BYTES_MAX, files = 0;
	size_t skip = strlen(s->path) + 1;
	int rc = ARK_OK;
	FTSENT *e;

	if (!fts)
		return ark_fail_errno(err, ARK_EIO, "cannot read %s", s->path);
	while (!rc && (errno = 0, e = fts_read(fts))) {
		if (e->fts_info == FTS_D || e->fts_info == FTS_DP)
			continue;
		if (e->fts_info != FTS_F)
			rc = ark_fail(
			    err, ARK_EINPUT, "%s is neither a file nor a folder", e->fts_path);
		else if (++files > BAG_FILES_MAX)
			rc = ark_fail(err, ARK_EINPUT, "the bag has too many files");
		else if (!path_ok(e->fts_path + skip))
			rc = ark_fail(
			    err, ARK_EINPUT, "a file of the bag has a name that is not UTF-8");
		else
			rc = visit_file(e, e->fts_path + skip, &budget, each, arg, err);
	}
	if (!rc && errno)
		rc = ark_fail_errno(err, ARK_EIO, "cannot read %s", s->path);
	fts_close(fts);
	return rc;
}

/* ---- archives ---- */

enum { BLOCK = 65536 };

static la_ssize_t reader_read(struct archive *a, void *arg, const void **ret)
{
	struct bag_source *s = arg;
	ssize_t n = s->reader.read(s->reader.arg, s->at, s->block, BLOCK, &s->failed);

	if (n < 0) {
		archive_set_error(a, ARCHIVE_FATAL, "%s", s->failed.text);
		return -1;
	}
	s->at += (uint64_t)n;
	*ret = s->block;
	return n;
}

/* A ZIP is read by its directory, which is at its end. */
static la_int64_t reader_seek(struct archive *a, void *arg, la_int64_t offset, int whence)
{
	struct bag_source *s = arg;
	la_int64_t from = whence == SEEK_SET   ? 0
			  : whence == SEEK_CUR ? (la_int64_t)s->at
					       : (la_int64_t)s->reader.size;

	if (offset < -from || offset > (la_int64_t)s->reader.size - from) {
		archive_set_error(a, ARCHIVE_FATAL, "it points beyond its end");
		return ARCHIVE_FATAL;
	}
	s->at = (uint64_t)(from + offset);
	return from + offset;
}

static int open_read(struct bag_source *s, struct archive *a)
{
	if (!s->reader.read)
		return archive_read_open_filename(a, s->path, BLOCK);
	s->at = 0;
	archive_read_set_read_callback(a, reader_read);
	archive_read_set_seek_callback(a, reader_seek);
	archive_read_set_callback_data(a, s);
	return archive_read_open1(a);
}

static int read_new(struct bag_source *s, struct archive **ret, struct ark_error *err)
{
	struct archive *a = archive_read_new();
	int rc = ARK_OK;

	if (!a)
		return ark_fail(err, ARK_ENOMEM, "no memory for an archive");
	/* what people send bags in; no other of libarchive's readers is let near */
	archive_read_support_filter_gzip(a);
	archive_read_support_format_zip(a);
	archive_read_support_format_tar(a);
	if (open_read(s, a) != ARCHIVE_OK) {
		rc = ark_fail(err, ARK_EINPUT, "%s is neither a folder, a ZIP nor a tar: %s",
		    s->path, archive_error_string(a));
		archive_read_free(a);
		return rc;
	}
	*ret = a;
	return rc;
}

/* The folder that holds bagit.txt: the archive's own, or the one folder in it (RFC 8493 section 4). */
static int find_prefix(void *arg, const char *path, struct bag_stream *f, struct ark_error *err)
{
	struct bag_source *s = arg;
	const char *slash = strchr(path, '/');

	(void)f, (void)err;
	if (s->prefix.len || strcmp(path, "bagit.txt") == 0)
		return 1;
	if (slash && strcmp(slash + 1, "bagit.txt") == 0) {
		buf_add(&s->prefix, path, (size_t)(slash + 1 - path));
		return 1;
	}
	return ARK_OK;
}

static int visit_entry(struct bag_source *s, struct archive *a, struct archive_entry *e,
    uint64_t *budget, bag_each each, void *arg, struct ark_error *err)
{
	const char *path = archive_entry_pathname_utf8(e);
	struct bag_stream f = {.a = a, .fd = -1, .budget = budget};

	if (archive_entry_filetype(e) == AE_IFDIR)
		return ARK_OK;
	if (!path)
		path = archive_entry_pathname(e);
	while (path && path[0] == '.' && path[1] == '/')
		path += 2;
	if (archive_entry_filetype(e) != AE_IFREG || archive_entry_hardlink(e))
		return ark_fail(err, ARK_EINPUT, "the bag holds something that is no file");
	if (!path || !path_ok(path))
		return ark_fail(err, ARK_EINPUT, "the bag holds a path that leads out of it");
	if (s->prefix.len && strncmp(path, s->prefix.data, s->prefix.len) != 0)
		return ark_fail(err, ARK_EINPUT, "a file lies beside the bag's folder");
	return each(arg, path + s->prefix.len, &f, err);
}

static int walk_archive(struct bag_source *s, bag_each each, void *arg, struct ark_error *err)
{
	uint64_t budget = BAG_BYTES_MAX, files = 0;
	struct archive_entry *e;
	struct archive *a = NULL;
	int rc = read_new(s, &a, err), r;

	if (rc)
		return rc;
	while (!rc && (r = archive_read_next_header(a, &e)) != ARCHIVE_EOF) {
		if (r != ARCHIVE_OK && r != ARCHIVE_WARN)
			rc = ark_fail(
			    err, ARK_EINPUT, "%s is damaged: %s", s->path, archive_error_string(a));
		else if (++files > BAG_FILES_MAX)
			rc = ark_fail(err, ARK_EINPUT, "the bag has too many files");
		else
			rc = visit_entry(s, a, e, &budget, each, arg, err);
	}
	archive_read_free(a);
	return rc;
}

/* libarchive gives names in the encoding of the thread's locale. */
static int walk_named(struct bag_source *s, bag_each each, void *arg, struct ark_error *err)
{
	locale_t utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0), before;
	int rc;

	if (!utf8)
		return ark_fail_errno(err, ARK_ENOMEM, "there is no locale C.UTF-8");
	before = uselocale(utf8);
	rc = walk_archive(s, each, arg, err);
	uselocale(before);
	freelocale(utf8);
	return rc;
}

int bag_source_walk(struct bag_source *s, bag_each each, void *arg, struct ark_error *err)
{
	return s->directory ? walk_directory(s, each, arg, err) : walk_named(s, each, arg, err);
}

int bag_source_open(const char *path, struct bag_source **ret, struct ark_error *err)
{
	struct bag_source *s = calloc(1, sizeof(*s));
	struct stat st;
	size_t len = strlen(path);
	int rc = ARK_OK;

	if (!s || !(s->path = strdup(path))) {
		rc = ark_fail(err, ARK_ENOMEM, "no memory for a bag");
		goto out;
	}
	while (len > 1 && s->path[len - 1] == '/')
		s->path[--len] = '\0';
	if (stat(path, &st)) {
		rc = ark_fail_errno(err, ARK_ENOTFOUND, "cannot open %s", path);
		goto out;
	}
	s->directory = S_ISDIR(st.st_mode);
	if (!s->directory)
		rc = walk_named(s, find_prefix, s, err);
	if (rc > 0)
		rc = ARK_OK;
	if (!rc && buf_failed(&s->prefix))
		rc = ark_fail(err, ARK_ENOMEM, "no memory for a bag");
	if (!rc) {
		*ret = s;
		s = NULL;
	}
out:
	bag_source_close(s);
	return rc;
}

int bag_source_open_reader(
    const struct bag_reader *reader, struct bag_source **ret, struct ark_error *err)
{
	struct bag_source *s = calloc(1, sizeof(*s));
	int rc;

	if (!s || !(s->path = strdup("the package")) || !(s->block = malloc(BLOCK))) {
		rc = ark_fail(err, ARK_ENOMEM, "no memory for a bag");
		goto out;
	}
	s->reader = *reader;
	rc = walk_named(s, find_prefix, s, err);
	if (rc > 0)
		rc = ARK_OK;
	if (!rc && buf_failed(&s->prefix))
		rc = ark_fail(err, ARK_ENOMEM, "no memory for a bag");
	if (!rc) {
		*ret = s;
		s = NULL;
	}
out:
	bag_source_close(s);
	return rc;
}

void bag_source_close(struct bag_source *s)
{
	if (!s)
		return;
	free(s->path);
	if (s->block)
		explicit_bzero(s->block, BLOCK);
	free(s->block);
	buf_free(&s->prefix);
	free(s);
}
