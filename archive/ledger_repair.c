/* One log from a copy of it. A copy of a segment is byte for byte, so a frame that does not open here is taken from the
 * same place there, when it opens there. Before a file is replaced the root over all entries must be the one that this
 * log has signed. Tiles are made anew from the segments.
 *
 * Three walks: segments (merged ones are written aside as .repair), then, when the root is right, they take their
 * places; then tiles.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "archive/ledger_private.h"
#include "archive/repair_private.h"
#include "arkki/base/fs.h"
#include "arkki/base/text.h"

struct log_work {
	struct repair *r;
	const char *name; /* "history", "access" */
	char here[4096], copy[4096];
	bool has_copy;
	char origin[300];
	unsigned char origin_hash[32];
	struct note_key keys[KEYRING_PAST_MAX + 1]; /* of now and before */
	size_t keys_len;
	struct checkpoint checkpoint;
	bool has_checkpoint;
	struct merkle_tree tree;
	bool root_right, tree_broken;
	unsigned char bundle[MERKLE_WIDTH * BUNDLE_ENTRY];
	struct tile_writer *tiles; /* in the third walk */
	uint64_t next;             /* the entry that comes next */
	uint32_t segments;
	uint64_t changed;
	struct buf plain;
	struct ark_error *err;
};

/* ---- checkpoint ---- */

static bool signed_by_us(const struct log_work *w, const struct note *note, struct ark_error *err)
{
	int rc = ARK_ENOTFOUND;

	for (size_t i = 0; rc == ARK_ENOTFOUND && i < w->keys_len; i++)
		rc = note_verify(note, &w->keys[i], err);
	return rc == ARK_OK;
}

static bool load_checkpoint(struct log_work *w, const char *path, struct buf *text,
    struct checkpoint *ret, struct ark_error *err)
{
	struct note *note = malloc(sizeof(*note));
	bool ok;

	buf_clear(text);
	ok = note && !fs_read_file(path, CHECKPOINT_MAX, text, err) &&
	     !note_parse(text->data ? text->data : "", text->len, note, err) &&
	     signed_by_us(w, note, err) &&
	     !checkpoint_parse(note->text, note->text_len, w->origin, ret, err);
	free(note);
	return ok;
}

/* The archive's own; else the newest signed one that is known elsewhere. */
static int find_checkpoint(struct log_work *w, struct buf *ret_text)
{
	const char *dirs[] = {w->here, w->copy, w->copy};
	static const char *const names[] = {
	    "checkpoint.cosigned", "checkpoint", "checkpoint.cosigned"};
	struct ark_error why = {.text = "no memory"};
	struct buf text = BUF_INIT;
	struct checkpoint c;
	char path[4096];
	int rc = fs_path(path, w->err, "%s/checkpoint", w->here);

	if (rc || load_checkpoint(w, path, &text, &w->checkpoint, &why)) {
		w->has_checkpoint = !rc;
		buf_free(&text);
		return rc;
	}
	repair_damaged(w->r, "ledger/%s/checkpoint: %s", w->name, why.text);
	for (size_t i = 0; !rc && i < (w->has_copy ? 3 : 1); i++) {
		rc = fs_path(path, w->err, "%s/%s", dirs[i], names[i]);
		if (rc || !load_checkpoint(w, path, &text, &c, NULL) ||
		    (w->has_checkpoint && c.size <= w->checkpoint.size))
			continue;
		w->checkpoint = c;
		w->has_checkpoint = true;
		buf_clear(ret_text);
		buf_add(ret_text, text.data, text.len);
	}
	buf_free(&text);
	if (!rc && !w->has_checkpoint)
		repair_lost(w->r,
		    "ledger/%s/checkpoint: nobody says how long the log was; a signed one from a "
		    "witness or a follower will do",
		    w->name);
	return rc;
}

static int put_checkpoint(struct log_work *w, const struct buf *text)
{
	char path[4096], below[80];
	int rc = ARK_OK;

	if (!text->len)
		return ARK_OK;
	if (!w->r->asked->dry_run) {
		snprintf(below, sizeof(below), "ledger/%s/checkpoint", w->name);
		rc = repair_put_aside(w->r, below, w->err);
		if (!rc)
			rc = fs_path(path, w->err, "%s/checkpoint", w->here);
		if (!rc)
			rc = fs_replace_file(path, text->data, text->len, 0600, w->err);
	}
	if (!rc)
		repair_mended(w->r, "ledger/%s/checkpoint, of %llu entries", w->name,
		    (unsigned long long)w->checkpoint.size);
	return rc;
}

/* ---- one segment ---- */

struct work_segment {
	uint32_t number;
	struct segment segment;
	struct frame_cipher *cipher;
	struct buf here, copy; /* whole files, as far as they are there */
	unsigned char *bytes;  /* what the file should be */
	size_t len;
	bool begun, changed;
};

static int read_segment(struct log_work *w, const char *dir, uint32_t number, struct buf *out)
{
	char path[4096];
	int rc = fs_path(path, w->err, "%s/segments/%08u.seg", dir, number);

	if (!rc)
		rc = fs_read_file(path, SEGMENT_LARGEST, out, w->err);
	return rc == ARK_ENOMEM || rc == ARK_EIO ? rc : ARK_OK;
}

static bool all_zero(const unsigned char *p, size_t len)
{
	return len == 0 || (p[0] == 0 && memcmp(p, p + 1, len - 1) == 0);
}

static int open_cipher(struct log_work *w, struct work_segment *s)
{
	struct seal_key key;
	int rc = keyring_unwrap_ledger(w->r->keys, s->segment.slot, &key, w->err);

	if (!rc)
		rc = frame_cipher_new(&key, w->origin_hash, &s->cipher, w->err);
	seal_key_wipe(&key);
	return rc;
}

/* The header from whichever file has a whole one; a file that never began needs none. */
static int take_header(struct log_work *w, struct work_segment *s)
{
	struct segment other;
	bool mine =
	    segment_header_read(s->here.data, s->here.len, w->origin_hash, s->number, &s->segment);
	bool theirs =
	    segment_header_read(s->copy.data, s->copy.len, w->origin_hash, s->number, &other);

	if (!mine && all_zero(s->bytes, s->len) &&
	    (!theirs || (w->has_checkpoint && w->next >= w->checkpoint.size)))
		return ARK_OK; /* prepared; or begun in a newer copy, which would be another history */
	s->begun = true;
	if (mine)
		return open_cipher(w, s);
	if (!theirs || other.first != w->next) {
		repair_damaged(w->r, "segment %08u.seg of %s has no header", s->number, w->origin);
		repair_lost(w->r, "the entries from %llu on in segment %08u.seg of %s",
		    (unsigned long long)w->next, s->number, w->origin);
		s->begun = false;
		w->tree_broken = true;
		return ARK_OK;
	}
	s->segment = other;
	memcpy(s->bytes, s->copy.data, SEGMENT_HEADER);
	s->changed = true;
	repair_damaged(w->r, "the header of segment %08u.seg of %s", s->number, w->origin);
	repair_mended(w->r, "the header of segment %08u.seg of %s", s->number, w->origin);
	return open_cipher(w, s);
}

static bool frame_good(struct log_work *w, const struct work_segment *s, const unsigned char *p,
    size_t left, uint64_t index, struct frame *f)
{
	return left && frame_parse(p, left, f) == 1 && f->index == index &&
	       frame_open(s->cipher, f, &w->plain, NULL) == ARK_OK;
}

/* The next place behind `at` where a frame of a later entry opens; the end when there is none. */
static size_t next_frame(
    struct log_work *w, const struct work_segment *s, size_t at, uint64_t index, uint64_t *ret)
{
	struct frame f;

	for (at++; at + FRAME_HEADER + FRAME_TAG < s->len; at++) {
		const unsigned char *p = s->bytes + at;

		if (p[0] || p[1] > 3 || p[20] > 3 || p[21] != 1)
			continue;
		if (frame_parse(p, s->len - at, &f) == 1 && f.index > index &&
		    frame_open(s->cipher, &f, &w->plain, NULL) == ARK_OK) {
			*ret = f.index;
			return at;
		}
	}
	return s->len;
}

typedef int (*each_entry)(struct log_work *w, const unsigned char *entry);

/* Where neither file has a frame: the end of what was written, or a loss. *at moves past it. */
static void pass_gap(struct log_work *w, struct work_segment *s, size_t *at, bool last)
{
	uint64_t found = w->next;
	size_t place = next_frame(w, s, *at, w->next, &found);

	if (place < s->len) {
		repair_damaged(
		    w->r, "segment %08u.seg of %s at offset %zu", s->number, w->origin, *at);
		repair_lost(w->r, "entries %llu to %llu of %s", (unsigned long long)w->next,
		    (unsigned long long)found - 1, w->origin);
		w->tree_broken = true;
		w->next = found;
	} else if (last && w->has_checkpoint && w->next < w->checkpoint.size) {
		repair_damaged(
		    w->r, "segment %08u.seg of %s at offset %zu", s->number, w->origin, *at);
		repair_lost(w->r, "entries %llu to %llu of %s", (unsigned long long)w->next,
		    (unsigned long long)w->checkpoint.size - 1, w->origin);
		w->tree_broken = true;
	}
	*at = place;
}

static int merge_frames(struct log_work *w, struct work_segment *s, bool last, each_entry each)
{
	size_t at = SEGMENT_HEADER;
	struct frame f;
	int rc = ARK_OK;

	while (!rc && at < s->len) {
		if (frame_good(w, s, s->bytes + at, s->len - at, w->next, &f)) {
			rc = each(w, frame_entry(&f));
		} else if (at < s->copy.len &&
			   frame_good(w, s, (const unsigned char *)s->copy.data + at,
			       s->copy.len - at, w->next, &f) &&
			   f.len <= s->len - at && w->has_checkpoint &&
			   w->next < w->checkpoint.size) {
			repair_damaged(w->r, "entry %llu of %s, in segment %08u.seg",
			    (unsigned long long)w->next, w->origin, s->number);
			memcpy(s->bytes + at, f.bytes, f.len);
			s->changed = true;
			repair_mended(
			    w->r, "entry %llu of %s", (unsigned long long)w->next, w->origin);
			rc = each(w, frame_entry(&f));
		} else {
			pass_gap(w, s, &at, last);
			continue;
		}
		w->next++;
		at += f.len;
	}
	return rc;
}

static int keep_merged(struct log_work *w, const struct work_segment *s)
{
	char path[4096];
	int rc = fs_path(path, w->err, "%s/segments/%08u.seg.repair", w->here, s->number);

	w->changed++;
	if (rc || w->r->asked->dry_run)
		return rc;
	return fs_replace_file(path, s->bytes, s->len, 0600, w->err);
}

static int merge_segment(struct log_work *w, uint32_t number, bool last, each_entry each)
{
	struct work_segment s = {.number = number};
	int rc = read_segment(w, w->here, number, &s.here);

	if (!rc && w->has_copy)
		rc = read_segment(w, w->copy, number, &s.copy);
	s.len = (size_t)segment_size(number);
	s.bytes = calloc(1, s.len);
	if (!rc && !s.bytes)
		rc = ark_fail(w->err, ARK_ENOMEM, "no memory for a segment");
	if (rc)
		goto out;
	if (s.here.len)
		memcpy(s.bytes, s.here.data, s.here.len < s.len ? s.here.len : s.len);
	rc = take_header(w, &s);
	if (!rc && s.begun && s.here.len != s.len && !w->tiles) {
		repair_damaged(w->r, "segment %08u.seg of %s has %zu bytes of %zu", number,
		    w->origin, s.here.len, s.len);
		s.changed = true;
	}
	if (!rc && s.begun)
		rc = merge_frames(w, &s, last, each);
	if (!rc && s.changed)
		rc = keep_merged(w, &s);
out:
	frame_cipher_free(s.cipher);
	buf_free(&s.here);
	buf_free(&s.copy);
	free(s.bytes);
	return rc;
}

/* The highest number of a segment in either directory, and one. */
static uint32_t count_segments(const char *dir)
{
	char path[4096];
	struct dirent *e;
	uint32_t count = 0;
	DIR *d = fs_path(path, NULL, "%s/segments", dir) ? NULL : opendir(path);

	while (d && (e = readdir(d))) {
		unsigned long n = strtoul(e->d_name, NULL, 10);

		if (strlen(e->d_name) == 12 && strspn(e->d_name, "0123456789") == 8 &&
		    n + 1 > count)
			count = (uint32_t)n + 1;
	}
	if (d)
		closedir(d);
	return count;
}

/* ---- the tree ---- */

static int add_entry(struct log_work *w, const unsigned char *entry)
{
	unsigned char *at = w->bundle + (w->tree.size & 255) * BUNDLE_ENTRY;
	struct merkle_hash leaf, root;
	int rc;

	if (w->tree_broken || !w->has_checkpoint || w->tree.size >= w->checkpoint.size)
		return ARK_OK;
	at[0] = 0, at[1] = ENTRY_SIZE;
	memcpy(at + 2, entry, ENTRY_SIZE);
	merkle_leaf(w->tree.sha, entry, ENTRY_SIZE, &leaf);
	rc = merkle_tree_add(&w->tree, &leaf);
	if (!rc && w->tree.size == w->checkpoint.size) {
		merkle_tree_root(&w->tree, &root);
		w->root_right = memcmp(&root, &w->checkpoint.root, sizeof(root)) == 0;
	}
	return rc;
}

static int start_tree(struct log_work *w)
{
	struct merkle_hash root;

	sha256_free(w->tree.sha);
	memset(&w->tree, 0, sizeof(w->tree));
	w->tree.sha = sha256_new();
	w->next = 0;
	merkle_empty(&root);
	w->root_right = w->has_checkpoint && w->checkpoint.size == 0 &&
			memcmp(&root, &w->checkpoint.root, sizeof(root)) == 0;
	return w->tree.sha ? ARK_OK : ark_fail(w->err, ARK_ENOMEM, "no memory for a tree");
}

static int walk(struct log_work *w)
{
	int rc = start_tree(w);

	for (uint32_t n = 0; !rc && n < w->segments; n++)
		rc = merge_segment(w, n, n + 1 == w->segments, add_entry);
	if (!rc && !w->tree_broken && w->has_checkpoint && w->next < w->checkpoint.size) {
		repair_damaged(w->r, "%s ends before its checkpoint", w->origin);
		repair_lost(w->r, "entries %llu to %llu of %s", (unsigned long long)w->next,
		    (unsigned long long)w->checkpoint.size - 1, w->origin);
		w->tree_broken = true;
	}
	return rc;
}

/* ---- putting in place ---- */

static int place_segment(struct log_work *w, uint32_t number, bool keep)
{
	char from[4096], to[4096], below[100];
	int rc = fs_path(from, w->err, "%s/segments/%08u.seg.repair", w->here, number);

	if (rc || !fs_exists(from))
		return rc;
	if (!keep)
		return unlink(from) < 0 ? ark_fail_errno(w->err, ARK_EIO, "cannot remove %s", from)
					: ARK_OK;
	snprintf(below, sizeof(below), "ledger/%s/segments/%08u.seg", w->name, number);
	rc = repair_put_aside(w->r, below, w->err);
	if (!rc)
		rc = fs_path(to, w->err, "%s/segments/%08u.seg", w->here, number);
	if (!rc)
		rc = fs_rename(from, to, w->err);
	if (!rc)
		repair_mended(w->r, "segment %08u.seg of %s", number, w->origin);
	return rc;
}

/* Only under a root that was signed: else what stood there stays, as evidence too. */
static int place_segments(struct log_work *w)
{
	bool keep = w->root_right && !w->tree_broken;
	char dir[4096];
	int rc = ARK_OK;

	if (w->has_checkpoint && !w->root_right && !w->tree_broken) {
		repair_damaged(w->r, "the root of %s is not the one that was signed", w->origin);
		repair_lost(w->r,
		    "%s: its entries, with those of the copy, do not make the signed root; nothing "
		    "was changed in it",
		    w->origin);
	}
	for (uint32_t n = 0; !rc && n < w->segments; n++)
		rc = place_segment(w, n, keep);
	if (!rc)
		rc = fs_path(dir, w->err, "%s/segments", w->here);
	return rc ? rc : fs_exists(dir) ? fs_sync_dir(dir, w->err) : ARK_OK;
}

/* ---- tiles ---- */

static int compare_tile(
    struct log_work *w, int level, uint64_t n, unsigned int width, const void *bytes, size_t len)
{
	struct tile_id id = {level, n, width};
	char path[TILE_PATH_MAX], below[TILE_PATH_MAX + 40];
	struct buf file = BUF_INIT;
	int rc = tile_read(w->here, &id, &file, NULL);
	bool same = !rc && file.len == len && memcmp(file.data, bytes, len) == 0;

	buf_free(&file);
	if (same)
		return ARK_OK;
	tile_path_format(path, &id);
	snprintf(below, sizeof(below), "ledger/%s/%s", w->name, path);
	repair_damaged(w->r, "%s %s", below,
	    rc == ARK_ENOTFOUND ? "is missing" : "does not match the segments");
	rc = ARK_OK;
	if (!w->r->asked->dry_run) {
		rc = repair_put_aside(w->r, below, w->err);
		if (!rc)
			rc = tile_writer_put(w->tiles, &id, bytes, len, w->err);
	}
	if (!rc)
		repair_mended(w->r, "%s, from the segments", below);
	return rc;
}

/* The partial tiles before it too: a follower may have seen them, and verify compares them. */
static int compare_tiles(
    struct log_work *w, int level, uint64_t n, unsigned int width, const void *bytes, size_t unit)
{
	bool there[MERKLE_WIDTH];
	int rc = compare_tile(w, level, n, width, bytes, width * unit);

	tile_partials(w->here, level, n, there);
	for (unsigned int i = 1; !rc && i < width; i++)
		if (there[i])
			rc = compare_tile(w, level, n, i, bytes, i * unit);
	return rc;
}

static int full_tile(void *arg, unsigned int level, uint64_t n, const struct merkle_hash *hashes)
{
	struct log_work *w = arg;
	int rc = compare_tiles(w, (int)level, n, MERKLE_WIDTH, hashes, sizeof(*hashes));

	return rc || level
		   ? rc
		   : compare_tiles(w, TILE_ENTRIES, n, MERKLE_WIDTH, w->bundle, BUNDLE_ENTRY);
}

static int partial_tiles(struct log_work *w)
{
	int rc = ARK_OK;

	for (unsigned int l = 0; !rc && l < MERKLE_LEVELS; l++) {
		uint64_t hashes = w->tree.size >> (8 * l);
		unsigned int width = (unsigned int)(hashes & 255);

		if (!width)
			continue;
		rc = compare_tiles(
		    w, (int)l, hashes >> 8, width, w->tree.edge[l], sizeof(struct merkle_hash));
		if (!rc && l == 0)
			rc = compare_tiles(
			    w, TILE_ENTRIES, hashes >> 8, width, w->bundle, BUNDLE_ENTRY);
	}
	return rc;
}

/* A dry run has no mended segments to make them from. */
static int remake_tiles(struct log_work *w)
{
	int rc;

	if (w->tree_broken || !w->root_right || (w->r->asked->dry_run && w->changed))
		return ARK_OK;
	rc = tile_writer_new(w->here, &w->tiles, w->err);
	if (!rc)
		rc = start_tree(w);
	w->tree.full = full_tile;
	w->tree.arg = w;
	for (uint32_t n = 0; !rc && n < w->segments; n++)
		rc = merge_segment(w, n, n + 1 == w->segments, add_entry);
	if (!rc)
		rc = partial_tiles(w);
	if (!rc)
		rc = tile_writer_flush(w->tiles, w->err);
	tile_writer_free(w->tiles);
	w->tiles = NULL;
	return rc;
}

/* ---- the log's own index ---- */

static int drop_index(struct log_work *w)
{
	static const char *const tails[] = {"", "-wal", "-shm"};
	struct ledger_index *ix = NULL;
	struct ark_error why = {0};
	uint64_t n = 0;
	char path[4096], below[80];
	int rc = fs_path(path, w->err, "%s/index.sqlite", w->here);

	if (rc || !fs_exists(path))
		return rc;
	rc = ledger_index_open(path, LEDGER_INDEX_READ, &ix, &why);
	if (!rc)
		rc = ledger_index_size(ix, &n, &why);
	ledger_index_close(ix);
	if (rc != ARK_ECORRUPT)
		return ARK_OK;
	repair_damaged(w->r, "ledger/%s/index.sqlite: %s", w->name, why.text);
	rc = ARK_OK;
	for (size_t i = 0; !rc && !w->r->asked->dry_run && i < 3; i++) {
		snprintf(below, sizeof(below), "ledger/%s/index.sqlite%s", w->name, tails[i]);
		rc = repair_put_aside(w->r, below, w->err);
	}
	if (!rc)
		repair_mended(
		    w->r, "ledger/%s/index.sqlite: the next start makes it anew", w->name);
	return rc;
}

static int take_keys(struct log_work *w, enum ledger_which which)
{
	struct keyring_signer *from = sodium_allocarray(KEYRING_PAST_MAX + 1, sizeof(*from));
	int rc = ARK_OK;

	if (!from)
		return ark_fail(w->err, ARK_ENOMEM, "no memory for the ledger's keys");
	w->keys_len = keyring_signers(
	    w->r->keys, which == LEDGER_HISTORY ? SIGNING_HISTORY : SIGNING_ACCESS, from);
	for (size_t i = 0; !rc && i < w->keys_len; i++)
		rc = note_key_from_public(w->origin, from[i].public_key, &w->keys[i], w->err);
	sodium_free(from);
	return rc;
}

static int prepare(struct log_work *w, enum ledger_which which)
{
	struct repair *r = w->r;
	char path[4096];
	int rc = fs_path(w->here, w->err, "%s/ledger/%s", r->asked->dir, w->name);

	snprintf(w->origin, sizeof(w->origin), "%s/%s", r->origin, w->name);
	sha256_of(w->origin, strlen(w->origin), w->origin_hash);
	if (!rc)
		rc = take_keys(w, which);
	if (!rc && r->asked->from) {
		rc = fs_path(w->copy, w->err, "%s/ledger/%s", r->asked->from, w->name);
		w->has_copy = !rc && fs_exists(w->copy);
	}
	w->segments = count_segments(w->here);
	if (w->has_copy && count_segments(w->copy) > w->segments)
		w->segments = count_segments(w->copy);
	if (!rc)
		rc = fs_path(path, w->err, "%s/segments", w->here);
	return rc || r->asked->dry_run ? rc : fs_mkdirs(path, 0700, w->err);
}

int repair_ledger(struct repair *r, enum ledger_which which, struct ark_error *err)
{
	struct log_work *w = calloc(1, sizeof(*w));
	struct buf checkpoint = BUF_INIT;
	int rc = w ? ARK_OK : ark_fail(err, ARK_ENOMEM, "no memory for a log");

	if (rc)
		return rc;
	w->r = r;
	w->err = err;
	w->name = which == LEDGER_HISTORY ? "history" : "access";
	rc = prepare(w, which);
	if (!rc)
		rc = find_checkpoint(w, &checkpoint);
	if (!rc)
		rc = walk(w);
	if (!rc)
		rc = place_segments(w);
	if (!rc && w->root_right)
		rc = put_checkpoint(w, &checkpoint);
	if (!rc)
		rc = remake_tiles(w);
	if (!rc)
		rc = drop_index(w);
	sha256_free(w->tree.sha);
	buf_wipe_free(&w->plain);
	buf_free(&checkpoint);
	free(w);
	return rc;
}
