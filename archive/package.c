/* See package.h. Invariants: `sealed_size` bytes of fd are sealed; `manifest` has a line for each payload file
 * that was ended; between begin and end `left` bytes of the file are still to come. In flow (fd is -1) nothing is sealed or
 * kept: bytes [taken, waiting.len) of `waiting` are still to be taken. */
#include "arkki/archive/package.h"

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <locale.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "arkki/archive/bag.h"
#include "arkki/archive/seal.h"
#include "arkki/base/clock.h"
#include "arkki/base/fs.h"
#include "arkki/base/text.h"

static const char context[] = "arkki-package-v1";

struct package {
	struct archive *out;
	struct archive_entry *entry;
	char folder[128];
	int fd;
	struct seal_key key;
	struct sealer *sealer;
	uint64_t size, sealed_size;
	struct sha256 *whole; /* of the container */
	unsigned char sha256[32];
	struct ark_error failed; /* of the sink: libarchive carries no errors of ours */
	locale_t utf8;
	int64_t now_us;
	char *path;
	uint64_t left, files, bytes;
	struct sha256 *hash;
	struct buf manifest;
	pthread_rwlock_t shutting; /* readers against package_shut() */
	bool shut, plain;
	struct buf waiting;
	size_t taken;
};

/* ---- the container ---- */

static int put_sealed(void *arg, const void *bytes, size_t len, struct ark_error *err)
{
	struct package *p = arg;
	int rc = fs_pwrite_all(p->fd, bytes, len, p->sealed_size, err);

	if (!rc)
		p->sealed_size += len;
	return rc;
}

static la_ssize_t put_plain(struct archive *a, void *arg, const void *bytes, size_t len)
{
	struct package *p = arg;

	if (sealer_write(p->sealer, bytes, len, &p->failed)) {
		archive_set_error(a, ARCHIVE_FATAL, "the package cannot be sealed");
		return -1;
	}
	p->size += len;
	sha256_update(p->whole, bytes, len);
	return (la_ssize_t)len;
}

static la_ssize_t put_waiting(struct archive *a, void *arg, const void *bytes, size_t len)
{
	struct package *p = arg;

	buf_add(&p->waiting, bytes, len);
	if (!buf_failed(&p->waiting))
		return (la_ssize_t)len;
	p->failed.status = ark_fail(&p->failed, ARK_ENOMEM, "no memory for a package");
	archive_set_error(a, ARCHIVE_FATAL, "no memory");
	return -1;
}

static int failed(const struct package *p, struct ark_error *err)
{
	if (p->failed.status)
		return ark_fail(err, p->failed.status, "%s", p->failed.text);
	return ark_fail(err, ARK_EIO, "cannot write the package: %s", archive_error_string(p->out));
}

static int open_container(struct package *p, enum package_kind kind, struct ark_error *err)
{
	int r;

	p->out = archive_write_new();
	if (!p->out)
		return ark_fail(err, ARK_ENOMEM, "no memory for a package");
	r = kind == PACKAGE_ZIP ? archive_write_set_format_zip(p->out)
				: archive_write_set_format_pax_restricted(p->out);
	/* most documents are compressed in themselves: more than the lightest costs time and gains nothing */
	if (r == ARCHIVE_OK && kind == PACKAGE_ZIP)
		r = archive_write_set_format_option(p->out, "zip", "compression-level", "1");
	if (r == ARCHIVE_OK)
		r = archive_write_set_bytes_in_last_block(p->out, 1);
	if (r == ARCHIVE_OK)
		r = archive_write_open(p->out, p, NULL, p->fd < 0 ? put_waiting : put_plain, NULL);
	return r == ARCHIVE_OK ? ARK_OK : failed(p, err);
}

/* What spool and flow have both; ended with package_free() when that fails, too. */
static int make(const char *folder, struct package **ret, struct ark_error *err)
{
	struct package *p = calloc(1, sizeof(*p));

	if (!p)
		return ark_fail(err, ARK_ENOMEM, "no memory for a package");
	*ret = p;
	snprintf(p->folder, sizeof(p->folder), "%s", folder);
	pthread_rwlock_init(&p->shutting, NULL);
	p->fd = -1;
	p->now_us = clock_now_us();
	p->hash = sha256_new();
	p->whole = sha256_new();
	p->utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
	return p->hash && p->whole && p->utf8
		   ? ARK_OK
		   : ark_fail(err, ARK_ENOMEM, "no memory for a package");
}

int package_new(const char *spool_dir, enum package_kind kind, const char *folder,
    struct package **ret, struct ark_error *err)
{
	struct package *p = NULL;
	int rc = make(folder, &p, err);

	if (!rc) {
		seal_key_generate(&p->key);
		p->fd = open(spool_dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
		if (p->fd < 0)
			rc = ark_fail_errno(
			    err, ARK_EIO, "cannot make a spool file in %s", spool_dir);
	}
	if (!rc)
		rc = sealer_new(&p->key, context, strlen(context), put_sealed, p, &p->sealer, err);
	if (!rc)
		rc = open_container(p, kind, err);
	if (rc) {
		package_free(p);
		return rc;
	}
	*ret = p;
	return rc;
}

int package_flow(
    enum package_kind kind, const char *folder, struct package **ret, struct ark_error *err)
{
	struct package *p = NULL;
	int rc = make(folder, &p, err);

	if (!rc) {
		p->plain = true;
		rc = open_container(p, kind, err);
	}
	if (rc) {
		package_free(p);
		return rc;
	}
	*ret = p;
	return rc;
}

size_t package_take(struct package *p, void *out, size_t max)
{
	size_t n = p->waiting.len - p->taken;

	if (n > max)
		n = max;
	if (n)
		memcpy(out, p->waiting.data + p->taken, n);
	p->taken += n;
	if (p->taken == p->waiting.len) {
		if (p->waiting.data)
			explicit_bzero(p->waiting.data, p->waiting.len);
		buf_clear(&p->waiting);
		p->taken = 0;
	}
	return n;
}

void package_free(struct package *p)
{
	if (!p)
		return;
	if (p->out) {
		(void)archive_write_fail(p->out);
		archive_write_free(p->out);
	}
	archive_entry_free(p->entry);
	if (p->fd >= 0)
		close(p->fd);
	sealer_free(p->sealer);
	seal_key_wipe(&p->key);
	if (p->utf8)
		freelocale(p->utf8);
	sha256_free(p->hash);
	sha256_free(p->whole);
	free(p->path);
	buf_free(&p->manifest);
	buf_wipe_free(&p->waiting);
	pthread_rwlock_destroy(&p->shutting);
	free(p);
}

/* ---- files ---- */

static int begin(struct package *p, const char *path, uint64_t size, struct ark_error *err)
{
	struct buf whole = BUF_INIT;
	int rc = ARK_OK;
	locale_t before;

	archive_entry_free(p->entry);
	free(p->path);
	p->path = strdup(path);
	p->entry = archive_entry_new();
	buf_addf(&whole, "%s/%s", p->folder, path);
	if (!p->path || !p->entry || buf_failed(&whole)) {
		rc = ark_fail(err, ARK_ENOMEM, "no memory for a package");
		goto out;
	}
	archive_entry_set_pathname(p->entry, whole.data);
	archive_entry_set_filetype(p->entry, AE_IFREG);
	archive_entry_set_perm(p->entry, 0644);
	archive_entry_set_size(p->entry, (la_int64_t)size);
	archive_entry_set_mtime(p->entry, (time_t)(p->now_us / 1000000), 0);
	p->left = size;
	/* libarchive takes names to be in the encoding of the thread's locale */
	before = uselocale(p->utf8);
	if (archive_write_header(p->out, p->entry) < ARCHIVE_WARN)
		rc = failed(p, err);
	uselocale(before);
out:
	buf_free(&whole);
	return rc;
}

int package_write(struct package *p, const void *bytes, size_t len, struct ark_error *err)
{
	const char *at = bytes;

	if (len > p->left)
		return ark_fail(err, ARK_ECORRUPT, "%s is longer than was said", p->path);
	sha256_update(p->hash, bytes, len);
	p->left -= len;
	while (len) {
		la_ssize_t n = archive_write_data(p->out, at, len);

		if (n <= 0)
			return failed(p, err);
		at += n;
		len -= (size_t)n;
	}
	return ARK_OK;
}

/* Appends the file's line to the manifest that lists it; NULL: none does. */
static int end(
    struct package *p, struct buf *manifest, unsigned char sha256[32], struct ark_error *err)
{
	unsigned char sha[32];
	char hex[65];

	sha256_final(p->hash, sha);
	hex_encode(hex, sha, 32);
	if (p->left)
		return ark_fail(err, ARK_ECORRUPT, "%s is shorter than was said", p->path);
	if (archive_write_finish_entry(p->out) < ARCHIVE_WARN)
		return failed(p, err);
	if (manifest) {
		buf_addf(manifest, "%s  ", hex);
		bag_path_encode(manifest, p->path);
		buf_addc(manifest, '\n');
		if (buf_failed(manifest))
			return ark_fail(err, ARK_ENOMEM, "no memory for a manifest");
	}
	if (sha256)
		memcpy(sha256, sha, 32);
	return ARK_OK;
}

int package_begin_file(struct package *p, const char *path, uint64_t size, struct ark_error *err)
{
	char whole[BAG_PATH_MAX];
	int n = snprintf(whole, sizeof(whole), "%s%s", p->plain ? "" : "data/", path);

	if (n < 0 || (size_t)n >= sizeof(whole))
		return ark_fail(err, ARK_EINPUT, "a path in a package is too long");
	p->files++;
	p->bytes += size;
	return begin(p, whole, size, err);
}

int package_end_file(struct package *p, unsigned char sha256[32], struct ark_error *err)
{
	return end(p, &p->manifest, sha256, err);
}

int package_add(
    struct package *p, const char *path, const void *bytes, size_t len, struct ark_error *err)
{
	int rc = package_begin_file(p, path, len, err);

	if (!rc && len)
		rc = package_write(p, bytes, len, err);
	return rc ? rc : package_end_file(p, NULL, err);
}

static int add_tag_file(struct package *p, struct buf *tags, const char *name,
    const struct buf *text, unsigned char sha256[32], struct ark_error *err)
{
	int rc;

	if (buf_failed(text))
		return ark_fail(err, ARK_ENOMEM, "no memory for a package");
	rc = begin(p, name, text->len, err);
	if (!rc && text->len)
		rc = package_write(p, text->data, text->len, err);
	return rc ? rc : end(p, tags, sha256, err);
}

static int sign(struct package *p, const unsigned char tags[32],
    const struct package_signer *signer, struct ark_error *err)
{
	struct buf text = BUF_INIT, note = BUF_INIT;
	char hex[65];
	int rc = ARK_OK;

	hex_encode(hex, tags, 32);
	buf_addf(&text, PACKAGE_NOTE_TITLE "\n%s\n%s\n", signer->log, hex);
	if (buf_failed(&text))
		rc = ark_fail(err, ARK_ENOMEM, "no memory for a signature");
	if (!rc)
		rc = signer->sign(signer->arg, text.data, text.len, &note, err);
	if (!rc)
		rc = add_tag_file(p, NULL, PACKAGE_NOTE_FILE, &note, NULL, err);
	buf_free(&text);
	buf_free(&note);
	return rc;
}

static int add_tag_files(
    struct package *p, const char *info, const struct package_signer *signer, struct ark_error *err)
{
	struct buf bagit = BUF_INIT, more = BUF_INIT, tags = BUF_INIT;
	unsigned char sha[32];
	char day[11];
	int rc;

	clock_day(day, p->now_us);
	buf_adds(&bagit, "BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n");
	buf_addf(&more, "%sBagging-Date: %s\nPayload-Oxum: %llu.%llu\n", info, day,
	    (unsigned long long)p->bytes, (unsigned long long)p->files);
	rc = add_tag_file(p, &tags, "bagit.txt", &bagit, NULL, err);
	if (!rc)
		rc = add_tag_file(p, &tags, "bag-info.txt", &more, NULL, err);
	if (!rc)
		rc = add_tag_file(p, &tags, "manifest-sha256.txt", &p->manifest, NULL, err);
	if (!rc)
		rc = add_tag_file(p, NULL, "tagmanifest-sha256.txt", &tags, sha, err);
	if (!rc)
		rc = sign(p, sha, signer, err);
	buf_free(&bagit);
	buf_free(&more);
	buf_free(&tags);
	return rc;
}

int package_finish(
    struct package *p, const char *info, const struct package_signer *signer, struct ark_error *err)
{
	int rc = p->plain ? ARK_OK : add_tag_files(p, info, signer, err);

	if (!rc && archive_write_close(p->out) != ARCHIVE_OK)
		rc = failed(p, err);
	if (rc || !p->sealer)
		return rc;
	rc = sealer_finish(p->sealer, err);
	if (!rc)
		sha256_final(p->whole, p->sha256);
	return rc;
}

uint64_t package_size(const struct package *p)
{
	return p->size;
}

void package_sha256(const struct package *p, unsigned char ret[32])
{
	memcpy(ret, p->sha256, 32);
}

uint64_t package_files(const struct package *p)
{
	return p->files;
}

/* ---- reading ---- */

static int read_chunk(struct package *p, struct opener *o, uint64_t number, unsigned char *sealed,
    unsigned char *plain, size_t *ret, struct ark_error *err)
{
	uint64_t from = SEAL_HEADER_SIZE + number * SEAL_BLOCK_SIZE;
	size_t len = p->sealed_size - from < SEAL_BLOCK_SIZE ? (size_t)(p->sealed_size - from)
							     : SEAL_BLOCK_SIZE;
	int rc = fs_pread_all(p->fd, sealed, len, from, err);

	return rc ? rc : opener_chunk(o, number, sealed, len, plain, ret, err);
}

void package_shut(struct package *p)
{
	pthread_rwlock_wrlock(&p->shutting);
	p->shut = true;
	seal_key_wipe(&p->key);
	/* readers keep the file open: its blocks go now, not with the last of them */
	(void)!ftruncate(p->fd, 0);
	pthread_rwlock_unlock(&p->shutting);
}

static ssize_t read_open(
    struct package *p, uint64_t position, void *out, size_t max, struct ark_error *err)
{
	unsigned char header[SEAL_HEADER_SIZE], sealed[SEAL_BLOCK_SIZE], plain[SEAL_CHUNK_SIZE];
	struct opener *o = NULL;
	size_t done = 0;
	int rc;

	if (position >= p->size || !max)
		return 0;
	rc = fs_pread_all(p->fd, header, sizeof(header), 0, err);
	if (!rc)
		rc = opener_new(&p->key, context, strlen(context), header, &o, err);
	while (!rc && done < max && position < p->size) {
		size_t in = (size_t)(position % SEAL_CHUNK_SIZE), n = 0;

		rc = read_chunk(p, o, position / SEAL_CHUNK_SIZE, sealed, plain, &n, err);
		if (!rc && n <= in)
			rc = ark_fail(err, ARK_ECORRUPT, "the package is cut short");
		if (rc)
			break;
		n = n - in < max - done ? n - in : max - done;
		memcpy((char *)out + done, plain + in, n);
		done += n;
		position += n;
	}
	explicit_bzero(plain, sizeof(plain));
	opener_free(o);
	return rc ? rc : (ssize_t)done;
}

ssize_t package_read(
    struct package *p, uint64_t position, void *out, size_t max, struct ark_error *err)
{
	ssize_t n;

	pthread_rwlock_rdlock(&p->shutting);
	n = p->shut ? ark_fail(err, ARK_EGONE, "the package was shut")
		    : read_open(p, position, out, max, err);
	pthread_rwlock_unlock(&p->shutting);
	return n;
}
