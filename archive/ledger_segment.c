#include "archive/ledger_segment.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "arkki/base/clock.h"
#include "arkki/base/fs.h"
#include "arkki/base/text.h"

enum { HEADER_USED = 128, FORMAT = 1, ZERO_STEP = 1 << 20 };

static const char magic[] = "ARKKISEG";

static int segment_path(char out[4096], const char *dir, uint32_t number, struct ark_error *err)
{
	return fs_path(out, err, "%s/segments/%08u.seg", dir, number);
}

uint64_t segment_size(uint32_t number)
{
	return number < 3 ? (uint64_t)SEGMENT_SMALLEST << (2 * number) : SEGMENT_LARGEST;
}

static bool all_zero(const unsigned char *p, size_t len)
{
	return len == 0 || (p[0] == 0 && memcmp(p, p + 1, len - 1) == 0);
}

static void header_write(
    unsigned char h[HEADER_USED], const struct segment *s, const unsigned char *origin_hash)
{
	memset(h, 0, HEADER_USED);
	memcpy(h, magic, 8);
	be32_put(h + 8, FORMAT);
	be32_put(h + 12, s->number);
	memcpy(h + 16, origin_hash, 32);
	be64_put(h + 48, s->first);
	be64_put(h + 56, s->slot);
	be64_put(h + 64, (uint64_t)clock_now_us());
	sha256_of(h, 96, h + 96);
}

static bool header_read(
    const unsigned char h[HEADER_USED], const unsigned char *origin_hash, struct segment *ret)
{
	unsigned char sum[32];

	sha256_of(h, 96, sum);
	if (memcmp(sum, h + 96, 32) != 0 || memcmp(h, magic, 8) != 0 || be32_get(h + 8) != FORMAT ||
	    memcmp(h + 16, origin_hash, 32) != 0)
		return false;
	*ret = (struct segment){be32_get(h + 12), be64_get(h + 48), be64_get(h + 56)};
	return true;
}

bool segment_header_read(const void *bytes, size_t len, const unsigned char *origin_hash,
    uint32_t number, struct segment *ret)
{
	return len >= SEGMENT_HEADER && header_read(bytes, origin_hash, ret) &&
	       ret->number == number;
}

int segment_open_file(
    const char *dir, uint32_t number, int flags, int *ret_fd, struct ark_error *err)
{
	char path[4096];
	int fd, rc = segment_path(path, dir, number, err);

	if (rc)
		return rc;
	fd = open(path, flags | O_CLOEXEC, 0600);
	if (fd < 0)
		return ark_fail_errno(
		    err, errno == ENOENT ? ARK_ENOTFOUND : ARK_EIO, "cannot open %s", path);
	*ret_fd = fd;
	return ARK_OK;
}

/* ---- the list ---- */

int segment_list_add(struct segment_list *list, const struct segment *s, struct ark_error *err)
{
	if (list->len == list->cap) {
		size_t cap = list->cap ? 2 * list->cap : 16;
		struct segment *items = realloc(list->items, cap * sizeof(*items));

		if (!items)
			return ark_fail(err, ARK_ENOMEM, "no memory for the list of segments");
		list->items = items;
		list->cap = cap;
	}
	list->items[list->len++] = *s;
	return ARK_OK;
}

void segment_list_free(struct segment_list *list)
{
	free(list->items);
	*list = (struct segment_list){0};
}

const struct segment *segment_list_find(const struct segment_list *list, uint64_t index)
{
	size_t lo = 0, hi = list->len;

	while (hi - lo > 1) {
		size_t mid = lo + (hi - lo) / 2;

		if (list->items[mid].first <= index)
			lo = mid;
		else
			hi = mid;
	}
	return list->len ? &list->items[lo] : NULL;
}

/* Whether anything but zeros stands behind the header's own bytes. */
static int has_frames(int fd, bool *ret, struct ark_error *err)
{
	unsigned char *block = malloc(ZERO_STEP);
	off_t at = HEADER_USED;
	ssize_t n;

	*ret = false;
	if (!block)
		return ark_fail(err, ARK_ENOMEM, "no memory to read a segment");
	while ((n = pread(fd, block, ZERO_STEP, at)) > 0 && !*ret) {
		*ret = !all_zero(block, (size_t)n);
		at += n;
	}
	free(block);
	return n < 0 ? ark_fail_errno(err, ARK_EIO, "cannot read a segment") : ARK_OK;
}

/* 1: begun; 0: not begun (its header all zero, or torn before any frame was written). */
static int header_load(const char *dir, uint32_t number, const unsigned char *origin_hash,
    struct segment *ret, struct ark_error *err)
{
	unsigned char h[HEADER_USED];
	bool frames = false;
	ssize_t n;
	int fd, rc = segment_open_file(dir, number, O_RDONLY, &fd, err);

	if (rc)
		return rc;
	n = pread(fd, h, sizeof(h), 0);
	if (n < 0)
		rc = ark_fail_errno(err, ARK_EIO, "cannot read segment %08u.seg", number);
	else if (n == (ssize_t)sizeof(h) && header_read(h, origin_hash, ret) &&
		 ret->number == number)
		rc = 1;
	else
		rc = has_frames(fd, &frames, err);
	if (frames)
		rc = ark_fail(err, ARK_ECORRUPT,
		    "the header of segment %08u.seg in %s is damaged or of another log; restore "
		    "the file",
		    number, dir);
	close(fd);
	return rc;
}

/* How many segment files there are; a missing number shows when it is opened. */
static int count_files(const char *dir, uint32_t *ret, struct ark_error *err)
{
	char path[4096];
	struct dirent *e;
	uint32_t count = 0;
	int rc = fs_path(path, err, "%s/segments", dir);
	DIR *d;

	if (rc)
		return rc;
	d = opendir(path);
	if (!d)
		return ark_fail_errno(
		    err, errno == ENOENT ? ARK_ENOTFOUND : ARK_EIO, "cannot open %s", path);
	while ((e = readdir(d))) {
		unsigned long n;
		char *end;

		if (strlen(e->d_name) != 12 || strspn(e->d_name, "0123456789") != 8)
			continue;
		n = strtoul(e->d_name, &end, 10);
		if (strcmp(end, ".seg") == 0 && n + 1 > count)
			count = (uint32_t)n + 1;
	}
	closedir(d);
	*ret = count;
	return ARK_OK;
}

int segment_list_load(const char *dir, const unsigned char *origin_hash, struct segment_list *ret,
    struct ark_error *err)
{
	struct segment_list list = {0};
	uint32_t count;
	int rc = count_files(dir, &count, err);

	for (uint32_t n = 0; !rc && n < count; n++) {
		struct segment s = {0};
		int begun = header_load(dir, n, origin_hash, &s, err);

		if (begun == ARK_ENOTFOUND || (begun == 0 && n + 1 < count) ||
		    (begun == 1 &&
			((n == 0) != (s.first == 0) || (n && s.first <= list.items[n - 1].first))))
			rc = ark_fail(err, ARK_ECORRUPT,
			    "segment %08u.seg in %s is missing or out of order; restore the file",
			    n, dir);
		else if (begun < 0)
			rc = begun;
		else if (begun)
			rc = segment_list_add(&list, &s, err);
	}
	if (rc) {
		segment_list_free(&list);
		return rc;
	}
	*ret = list;
	return ARK_OK;
}

/* ---- reading ---- */

static int cipher_of(struct keyring *keys, uint64_t slot, const unsigned char *origin_hash,
    struct frame_cipher **ret, struct ark_error *err)
{
	struct seal_key key;
	int rc = keyring_unwrap_ledger(keys, slot, &key, err);

	if (!rc)
		rc = frame_cipher_new(&key, origin_hash, ret, err);
	seal_key_wipe(&key);
	return rc;
}

int segment_image_load(const char *dir, const struct segment *s, struct keyring *keys,
    const unsigned char *origin_hash, struct segment_image *ret, struct ark_error *err)
{
	struct segment_image image = {.segment = *s};
	struct stat st;
	int fd, rc = segment_open_file(dir, s->number, O_RDONLY, &fd, err);

	if (rc)
		return rc == ARK_ENOTFOUND ? ARK_ECORRUPT : rc;
	if (fstat(fd, &st) < 0)
		rc = ark_fail_errno(err, ARK_EIO, "cannot read segment %08u.seg", s->number);
	else if (st.st_size < SEGMENT_HEADER || st.st_size > SEGMENT_LARGEST)
		rc = ark_fail(err, ARK_ECORRUPT, "segment %08u.seg has a wrong size", s->number);
	if (!rc) {
		image.len = (size_t)st.st_size;
		image.bytes = malloc(image.len);
		rc = image.bytes ? fs_pread_all(fd, image.bytes, image.len, 0, err)
				 : ark_fail(err, ARK_ENOMEM, "no memory to read a segment");
	}
	if (!rc)
		rc = cipher_of(keys, s->slot, origin_hash, &image.cipher, err);
	close(fd);
	if (rc) {
		segment_image_free(&image);
		return rc;
	}
	*ret = image;
	return ARK_OK;
}

void segment_image_free(struct segment_image *image)
{
	free(image->bytes);
	frame_cipher_free(image->cipher);
	*image = (struct segment_image){0};
}

/* A frame behind offset `at` that was written after the frame of entry `lost` had been synced. */
static bool later_frame(
    const struct segment_image *image, size_t at, uint64_t lost, struct buf *plain)
{
	for (; image->len - at > FRAME_HEADER + FRAME_TAG; at++) {
		const unsigned char *p = image->bytes + at;
		struct frame f;

		/* a length is below 256 KiB and a flag below 4: most offsets end here */
		if (p[0] || p[1] > 3 || p[20] > 3 || p[21] != 1)
			continue;
		if (frame_parse(p, image->len - at, &f) == 1 && f.group > lost &&
		    frame_open(image->cipher, &f, plain, NULL) == ARK_OK)
			return true;
	}
	return false;
}

int segment_recover(const struct segment_image *image, uint64_t *ret_end, uint64_t *ret_next,
    bool *ret_torn, struct ark_error *err)
{
	uint64_t at = SEGMENT_HEADER, next = image->segment.first, end = at, end_next = next;
	struct buf plain = BUF_INIT;
	unsigned int first = FRAME_FIRST;
	struct frame f;
	int rc = ARK_OK;

	while (frame_parse(image->bytes + at, image->len - at, &f) == 1 && f.index == next &&
	       (f.flags & FRAME_FIRST) == first) {
		rc = frame_open(image->cipher, &f, &plain, NULL);
		if (rc)
			break;
		at += f.len, next++;
		first = f.flags & FRAME_LAST ? FRAME_FIRST : 0;
		if (first)
			end = at, end_next = next;
	}
	if (rc == ARK_ENOMEM)
		ark_fail(err, rc, "no memory to read a segment");
	else
		rc = ARK_OK;
	*ret_torn = !all_zero(image->bytes + end, image->len - end);
	if (!rc && *ret_torn && later_frame(image, at, next, &plain))
		rc = ark_fail(err, ARK_ECORRUPT,
		    "segment %08u.seg is damaged at offset %llu (entry %llu), with valid entries "
		    "behind "
		    "it; restore the file",
		    image->segment.number, (unsigned long long)at, (unsigned long long)next);
	buf_wipe_free(&plain);
	if (!rc)
		*ret_end = end, *ret_next = end_next;
	return rc;
}

int segment_walk(const struct segment_image *image, uint64_t from, uint64_t to, segment_each each,
    void *arg, struct ark_error *err)
{
	uint64_t at = SEGMENT_HEADER, next = image->segment.first;
	struct frame f;

	for (; next < to; next++) {
		int rc;

		if (frame_parse(image->bytes + at, image->len - at, &f) != 1 || f.index != next)
			return ark_fail(err, ARK_ECORRUPT,
			    "segment %08u.seg is damaged at offset %llu (entry %llu); restore the "
			    "file",
			    image->segment.number, (unsigned long long)at,
			    (unsigned long long)next);
		rc = next >= from ? each(arg, image, &f, err) : 0;
		if (rc)
			return rc;
		at += f.len;
	}
	return ARK_OK;
}

int segment_frame_at(int fd, uint64_t offset, struct frame_cipher *cipher, uint64_t index,
    struct buf *frame_bytes, struct frame *ret, struct buf *plain, struct ark_error *err)
{
	unsigned char len_bytes[4];
	int rc = fs_pread_all(fd, len_bytes, 4, offset, err);
	size_t len = 4 + (size_t)be32_get(len_bytes);

	if (rc)
		return rc;
	buf_clear(frame_bytes);
	if (len > FRAME_MAX)
		return ark_fail(err, ARK_ECORRUPT, "there is no frame at offset %llu",
		    (unsigned long long)offset);
	if (!buf_reserve(frame_bytes, len))
		return ark_fail(err, ARK_ENOMEM, "no memory for a record");
	rc = fs_pread_all(fd, frame_bytes->data, len, offset, err);
	if (rc)
		return rc;
	frame_bytes->len = len;
	if (frame_parse((const unsigned char *)frame_bytes->data, len, ret) != 1 ||
	    ret->index != index)
		return ark_fail(err, ARK_ECORRUPT, "the frame at offset %llu is not entry %llu",
		    (unsigned long long)offset, (unsigned long long)index);
	return frame_open(cipher, ret, plain, err);
}

/* ---- writing ---- */

/* Zeros from `at` to `end`, synced in steps so that no other sync waits for all of it. */
static int write_zeros(int fd, uint64_t at, uint64_t end, struct ark_error *err)
{
	void *zeros = calloc(1, ZERO_STEP);
	int rc = zeros ? ARK_OK : ark_fail(err, ARK_ENOMEM, "no memory to prepare a segment");

	while (!rc && at < end) {
		size_t n = end - at < ZERO_STEP ? (size_t)(end - at) : ZERO_STEP;

		rc = fs_pwrite_all(fd, zeros, n, at, err);
		at += n;
		if (!rc && at % (4 * ZERO_STEP) == 0)
			rc = fs_sync_file(fd, "a segment being prepared", err);
	}
	free(zeros);
	return rc ? rc : fs_sync_file(fd, "a segment being prepared", err);
}

static int make_file(const char *dir, struct segment_file *f, struct ark_error *err)
{
	char parent[4096];
	struct stat st;
	int rc = segment_open_file(dir, f->segment.number, O_RDWR | O_CREAT, &f->fd, err);

	if (rc)
		return rc;
	if (fstat(f->fd, &st) < 0)
		return ark_fail_errno(
		    err, ARK_EIO, "cannot read segment %08u.seg", f->segment.number);
	f->size = segment_size(f->segment.number);
	/* one left by an earlier run is whole when it has its size; a torn header is wiped */
	rc = write_zeros(f->fd, st.st_size == (off_t)f->size ? f->size : 0, f->size, err);
	if (!rc && st.st_size == (off_t)f->size)
		rc = write_zeros(f->fd, 0, SEGMENT_HEADER, err);
	if (!rc)
		rc = fs_path(parent, err, "%s/segments", dir);
	return rc ? rc : fs_sync_dir(parent, err);
}

int segment_prepare(const char *dir, uint32_t number, struct keyring *keys,
    const unsigned char *origin_hash, struct segment_file **ret, struct ark_error *err)
{
	struct segment_file *f = calloc(1, sizeof(*f));
	struct seal_key key;
	int rc;

	if (!f)
		return ark_fail(err, ARK_ENOMEM, "no memory for a segment");
	*f = (struct segment_file){.segment = {.number = number}, .fd = -1, .end = SEGMENT_HEADER};
	seal_key_generate(&key);
	rc = make_file(dir, f, err);
	if (!rc)
		rc = keyring_add(keys, &key, &f->segment.slot, err);
	if (!rc)
		rc = keyring_sync(keys, err);
	if (!rc)
		rc = frame_cipher_new(&key, origin_hash, &f->cipher, err);
	seal_key_wipe(&key);
	if (rc) {
		segment_file_free(f);
		return rc;
	}
	*ret = f;
	return ARK_OK;
}

int segment_begin(
    struct segment_file *f, const unsigned char *origin_hash, uint64_t first, struct ark_error *err)
{
	unsigned char h[HEADER_USED];
	int rc;

	f->segment.first = first;
	header_write(h, &f->segment, origin_hash);
	rc = fs_pwrite_all(f->fd, h, sizeof(h), 0, err);
	return rc ? rc : fs_sync_file(f->fd, "a segment's header", err);
}

int segment_resume(const char *dir, struct segment_image *image, uint64_t from, uint64_t end,
    struct segment_file **ret, struct ark_error *err)
{
	struct segment_file *f = calloc(1, sizeof(*f));
	size_t dirty = image->len;
	int rc;

	if (!f)
		return ark_fail(err, ARK_ENOMEM, "no memory for a segment");
	*f = (struct segment_file){
	    .segment = image->segment, .fd = -1, .size = image->len, .end = end};
	rc = segment_open_file(dir, image->segment.number, O_RDWR, &f->fd, err);
	if (all_zero(image->bytes + end, image->len - end))
		dirty = end;
	while (dirty > end && image->bytes[dirty - 1] == 0)
		dirty--;
	if (!rc && dirty > end)
		rc = write_zeros(f->fd, end, dirty, err);
	if (!rc && from < end)
		rc = fs_pwrite_all(f->fd, image->bytes + from, end - from, from, err);
	if (!rc)
		rc = fs_sync_file(f->fd, "the last segment", err);
	if (rc) {
		segment_file_free(f);
		return rc;
	}
	f->cipher = image->cipher;
	image->cipher = NULL;
	*ret = f;
	return ARK_OK;
}

void segment_file_free(struct segment_file *f)
{
	if (!f)
		return;
	if (f->fd >= 0)
		close(f->fd);
	frame_cipher_free(f->cipher);
	free(f);
}
