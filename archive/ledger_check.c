/* Checking a whole log: segments, records, tiles and checkpoint against each
 * other. Goes on after a fault as far as that can tell anything. */
#include <dirent.h>
#include <stdlib.h>
#include <string.h>

#include "archive/ledger_private.h"
#include "arkki/base/fs.h"
#include "arkki/base/json.h"

enum { PACE_BYTES = 1 << 20 };

struct check {
	struct ledger *l;
	bool full;
	void (*bad)(void *arg, const char *what);
	void *arg;
	uint64_t faults;
	struct checkpoint checkpoint;
	struct merkle_tree tree;
	bool tree_broken; /* entries are missing: no root can be told */
	unsigned char bundle[MERKLE_WIDTH * BUNDLE_ENTRY];
	struct buf plain, tile;
	struct sequences *sequences;
	struct ledger_index *index;
	uint64_t indexed;
	int (*pace)(void *arg, size_t bytes); /* NULL: none */
	size_t unpaced;
	bool quiet;  /* nobody writes meanwhile */
	bool last;   /* the segment at work is the last one */
	uint64_t to; /* the entry behind those of the segment at work */
};

static void ARK_PRINTF(2, 3) fault(struct check *c, const char *fmt, ...)
{
	char what[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	c->faults++;
	if (c->bad)
		c->bad(c->arg, what);
}

static void compare_tile(
    struct check *c, int level, uint64_t n, unsigned int width, const void *bytes, size_t len)
{
	struct tile_id id = {level, n, width};
	char path[TILE_PATH_MAX];
	struct ark_error err = {0};

	tile_path_format(path, &id);
	buf_clear(&c->tile);
	if (tile_read(c->l->dir, &id, &c->tile, &err))
		fault(c, "%s: %s", path, err.text);
	else if (c->tile.len != len || memcmp(c->tile.data, bytes, len) != 0)
		fault(c, "%s/%s does not match the segments", c->l->dir, path);
}

/* A partial tile that a follower once saw stays readable: it must be the beginning of what came. */
static void compare_partials(
    struct check *c, int level, uint64_t n, unsigned int width, const void *bytes, size_t unit)
{
	bool there[MERKLE_WIDTH];

	tile_partials(c->l->dir, level, n, there);
	for (unsigned int w = 1; w < width; w++)
		if (there[w])
			compare_tile(c, level, n, w, bytes, w * unit);
}

static void compare_tiles(
    struct check *c, int level, uint64_t n, unsigned int width, const void *bytes, size_t unit)
{
	compare_tile(c, level, n, width, bytes, width * unit);
	compare_partials(c, level, n, width, bytes, unit);
}

static int full_tile(void *arg, unsigned int level, uint64_t n, const struct merkle_hash *hashes)
{
	struct check *c = arg;

	/* tiles beyond the checkpoint may not be written yet */
	if (c->tree.size > c->checkpoint.size || c->tree_broken)
		return 0;
	compare_tiles(c, (int)level, n, MERKLE_WIDTH, hashes, sizeof(*hashes));
	if (level == 0)
		compare_tiles(c, TILE_ENTRIES, n, MERKLE_WIDTH, c->bundle, BUNDLE_ENTRY);
	return 0;
}

/* The tree has the checkpoint's size: partial tiles and root. */
static void compare_checkpoint(struct check *c)
{
	struct merkle_hash root;

	for (unsigned int l = 0; l < MERKLE_LEVELS; l++) {
		uint64_t hashes = c->tree.size >> (8 * l);
		unsigned int width = (unsigned int)(hashes & 255);

		if (!width)
			continue;
		compare_tiles(
		    c, (int)l, hashes >> 8, width, c->tree.edge[l], sizeof(struct merkle_hash));
		if (l == 0)
			compare_tiles(c, TILE_ENTRIES, hashes >> 8, width, c->bundle, BUNDLE_ENTRY);
	}
	merkle_tree_root(&c->tree, &root);
	if (memcmp(&root, &c->checkpoint.root, sizeof(root)) != 0)
		fault(c, "the root of %llu entries of %s is not that of its checkpoint",
		    (unsigned long long)c->tree.size, c->l->origin);
}

static void grow_tree(struct check *c, const unsigned char *entry)
{
	unsigned char *at = c->bundle + (c->tree.size & 255) * BUNDLE_ENTRY;
	struct merkle_hash leaf;

	at[0] = 0, at[1] = ENTRY_SIZE;
	memcpy(at + 2, entry, ENTRY_SIZE);
	merkle_leaf(c->tree.sha, entry, ENTRY_SIZE, &leaf);
	(void)merkle_tree_add(&c->tree, &leaf);
	if (c->tree.size == c->checkpoint.size && !c->tree_broken)
		compare_checkpoint(c);
}

static int check_sequence(struct check *c, uint64_t index, const char *what, bool principal,
    bool own, const unsigned char id[16], uint64_t got, struct ark_error *err)
{
	struct sequence_key key = sequence_key(principal, own, id);
	uint64_t want;
	int rc = sequences_next(c->sequences, &key, &want, err);

	if (rc || got == want)
		return rc;
	fault(c, "entry %llu of %s has %s %llu instead of %llu", (unsigned long long)index,
	    c->l->origin, what, (unsigned long long)got, (unsigned long long)want);
	return sequences_set(c->sequences, &key, got, err); /* one gap is one fault */
}

static int check_row(struct check *c, const struct ledger_row *row, struct ark_error *err)
{
	uint64_t offset = 0;
	uint32_t segment = 0;
	int rc = ARK_OK;

	if (row->has_document)
		rc = check_sequence(c, row->index, "documentSequence", false, row->own_series,
		    row->document, row->document_sequence, err);
	if (!rc && row->has_principal)
		rc = check_sequence(c, row->index, "principalSequence", true, row->own_series,
		    row->principal, row->principal_sequence, err);
	if (rc || !c->index || row->index >= c->indexed)
		return rc;
	rc = ledger_index_locate(c->index, row->index, &segment, &offset, err);
	if (rc && rc != ARK_ENOTFOUND)
		return rc;
	if (rc || segment != row->segment || offset != row->offset)
		fault(c, "index.sqlite of %s is wrong about entry %llu; delete it", c->l->origin,
		    (unsigned long long)row->index);
	return ARK_OK;
}

static bool all_zero(const unsigned char *p, size_t len)
{
	return len == 0 || (p[0] == 0 && memcmp(p, p + 1, len - 1) == 0);
}

/* What no frame uses is zero; behind the last frame of all somebody may be writing. */
static void check_unused(struct check *c, const struct segment_image *image, size_t end)
{
	enum { HEADER_USED = 128 };

	if (!all_zero(image->bytes + HEADER_USED, SEGMENT_HEADER - HEADER_USED))
		fault(c, "segment %08u.seg of %s has bytes in the unused part of its header",
		    image->segment.number, c->l->origin);
	if ((c->quiet || !c->last) && !all_zero(image->bytes + end, image->len - end))
		fault(c,
		    "segment %08u.seg of %s has bytes behind its last entry, from offset %zu on",
		    image->segment.number, c->l->origin, end);
}

static int check_frame(
    void *arg, const struct segment_image *image, const struct frame *f, struct ark_error *err)
{
	struct check *c = arg;
	struct ledger_entry e;
	struct ledger_row row;
	int rc;

	c->unpaced += f->len;
	if (c->pace && c->unpaced >= PACE_BYTES) {
		rc = c->pace(c->arg, c->unpaced);
		if (rc)
			return rc;
		c->unpaced = 0;
	}
	if (!c->tree_broken)
		grow_tree(c, frame_entry(f));
	if (f->index + 1 == c->to)
		check_unused(c, image, (size_t)(f->bytes - image->bytes) + f->len);
	if (!c->full)
		return ARK_OK;
	rc = frame_open(image->cipher, f, &c->plain, err);
	if (!rc)
		rc = record_read(c->plain.data, c->plain.len, frame_entry(f), f->index, &e, err);
	if (!rc) {
		rc = ledger_row_of(c->l->keys, &e, image, f, &row, err);
		ledger_entry_free(&e);
		if (!rc)
			rc = check_row(c, &row, err);
	}
	if (rc != ARK_ECORRUPT)
		return rc;
	fault(c, "entry %llu in segment %08u.seg of %s: %s", (unsigned long long)f->index,
	    image->segment.number, c->l->origin, err ? err->text : "damaged");
	return ARK_OK;
}

static int no_sequence(
    void *arg, const struct sequence_key *key, uint64_t *ret, struct ark_error *err)
{
	(void)arg, (void)key, (void)err;
	*ret = 0;
	return ARK_OK;
}

/* Segment by segment, so that one that is damaged does not hide the next. */
static int check_segments(struct check *c, uint64_t size, struct ark_error *err)
{
	struct ledger *l = c->l;
	int rc = ARK_OK;

	for (size_t i = 0; !rc; i++) {
		uint64_t from, to = size;

		pthread_mutex_lock(&l->lock);
		if (i >= l->segments.len) {
			pthread_mutex_unlock(&l->lock);
			break;
		}
		from = l->segments.items[i].first;
		if (i + 1 < l->segments.len && l->segments.items[i + 1].first < to)
			to = l->segments.items[i + 1].first;
		c->last = i + 1 >= l->segments.len;
		c->to = to;
		pthread_mutex_unlock(&l->lock);
		rc = ledger_walk(l, from, to, check_frame, c, err);
		if (rc != ARK_ECORRUPT)
			continue;
		fault(c, "%s: %s", l->origin, err->text);
		c->tree_broken = true;
		rc = ARK_OK;
	}
	return rc;
}

static int check_begin(struct check *c, struct ark_error *err)
{
	struct buf note = BUF_INIT;
	char path[4096];
	int rc = ARK_OK;

	/* Without the writer our view of the segments is as old as our opening, and so must the
	 * checkpoint be. */
	c->checkpoint = c->l->opened;
	if (c->l->for_writing)
		rc = checkpoint_load(c->l, &note, &c->checkpoint, err);
	buf_free(&note);
	if (rc == ARK_ECORRUPT || rc == ARK_ENOTFOUND) {
		fault(c, "%s", err->text);
		c->tree_broken = true;
		rc = ARK_OK;
	}
	c->tree.sha = sha256_new();
	c->tree.full = full_tile;
	c->tree.arg = c;
	if (!rc && !c->tree.sha)
		rc = ark_fail(err, ARK_ENOMEM, "no memory to check the ledger");
	if (!rc)
		rc = sequences_new(no_sequence, NULL, &c->sequences, err);
	/* paced work takes hours: it would hold the index in an old state, and that is made anew from here anyway */
	if (rc || !c->full || c->pace)
		return rc;
	rc = fs_path(path, err, "%s/index.sqlite", c->l->dir);
	if (rc || ledger_index_open(path, LEDGER_INDEX_READ, &c->index, err) != ARK_OK)
		return rc;
	rc = ledger_index_hold(c->index, err);
	return rc ? rc : ledger_index_size(c->index, &c->indexed, err);
}

int ledger_check(struct ledger *l, bool full, void (*bad)(void *arg, const char *what), void *arg,
    struct ark_error *err)
{
	return ledger_check_how(l, full, &(struct ledger_check_ways){.bad = bad, .arg = arg}, err);
}

int ledger_check_how(
    struct ledger *l, bool full, const struct ledger_check_ways *ways, struct ark_error *err)
{
	struct check *c = calloc(1, sizeof(*c));
	struct ark_error own = {0};
	uint64_t size;
	int rc;

	if (!c)
		return ark_fail(err, ARK_ENOMEM, "no memory to check the ledger");
	if (!err)
		err = &own;
	*c = (struct check){.l = l,
	    .full = full,
	    .bad = ways->bad,
	    .pace = ways->pace,
	    .quiet = ways->quiet,
	    .arg = ways->arg};
	rc = check_begin(c, err);
	/* after the checkpoint: the log only grows */
	size = ledger_size(l);
	if (!rc && c->checkpoint.size == 0 && !c->tree_broken)
		compare_checkpoint(c);
	if (!rc)
		rc = check_segments(c, size, err);
	if (!rc && !c->tree_broken && c->tree.size < c->checkpoint.size)
		fault(c, "the log %s is behind its own checkpoint: data was lost", l->origin);
	if (!rc && c->faults)
		rc = ark_fail(err, ARK_ECORRUPT, "the log %s has %llu faults", l->origin,
		    (unsigned long long)c->faults);
	ledger_index_close(c->index);
	sequences_free(c->sequences);
	sha256_free(c->tree.sha);
	buf_wipe_free(&c->plain);
	buf_free(&c->tile);
	free(c);
	return rc;
}
