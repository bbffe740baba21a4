/* The publisher: durable entries become leaves, tiles and signed checkpoints. */
#include <errno.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "archive/ledger_private.h"
#include "arkki/base/clock.h"
#include "arkki/base/fs.h"
#include "arkki/base/text.h"

enum { PERIOD_US = 1000000 };

struct publisher {
	struct ledger *l;
	struct merkle_tree tree;
	struct tile_writer *tiles;
	unsigned char bundle[MERKLE_WIDTH * BUNDLE_ENTRY]; /* the entries of the last tile */
	uint64_t published;                                /* size of the last checkpoint */
	int64_t published_us;
	struct buf batch;      /* entries being added */
	struct ark_error *err; /* of the step at work, for the tree's callback */
};

/* ---- checkpoints as files ---- */

int checkpoint_load(
    struct ledger *l, struct buf *note, struct checkpoint *ret, struct ark_error *err)
{
	struct note *parsed = malloc(sizeof(*parsed));
	char path[4096];
	int rc = parsed ? fs_path(path, err, "%s/checkpoint", l->dir)
			: ark_fail(err, ARK_ENOMEM, "no memory for a checkpoint");

	buf_clear(note);
	if (!rc)
		rc = fs_read_file(path, CHECKPOINT_MAX, note, err);
	if (!rc)
		rc = note_parse(note->data ? note->data : "", note->len, parsed, err);
	if (!rc)
		rc = ledger_verify_note(l, parsed, err) == ARK_OK
			 ? checkpoint_parse(parsed->text, parsed->text_len, l->origin, ret, err)
			 : ark_fail(err, ARK_ECORRUPT,
			       "no signature of %s in it holds; or was arkki.conf changed?",
			       l->origin);
	if (rc == ARK_EINPUT || rc == ARK_ECORRUPT)
		rc = ark_fail_within(err, ARK_ECORRUPT, "%s cannot be trusted; restore it", path);
	free(parsed);
	return rc;
}

static int keep_checkpoint(const char *dir, const struct buf *note, struct ark_error *err)
{
	char path[4096];
	int rc = fs_path(path, err, "%s/checkpoint", dir);

	return rc ? rc : fs_replace_file(path, note->data, note->len, 0600, err);
}

int ledger_create(
    const char *dir, const char *origin, const unsigned char seed[32], struct ark_error *err)
{
	struct checkpoint empty = {.size = 0};
	struct buf text = BUF_INIT, note = BUF_INIT;
	struct note_key key;
	char path[4096];
	int rc = note_key_from_seed(origin, seed, &key, err);

	if (!rc)
		rc = fs_path(path, err, "%s/segments", dir);
	if (!rc && fs_exists(path))
		rc = ark_fail(err, ARK_ECONFLICT, "there is a ledger in %s already", dir);
	if (!rc)
		rc = fs_mkdirs(path, 0700, err);
	if (!rc)
		rc = fs_path(path, err, "%s/tile", dir);
	if (!rc)
		rc = fs_mkdir(path, 0700, err);
	merkle_empty(&empty.root);
	if (!rc)
		checkpoint_format(origin, &empty, &text);
	if (!rc && buf_failed(&text))
		rc = ark_fail(err, ARK_ENOMEM, "no memory for a checkpoint");
	if (!rc)
		rc = note_sign(&note, text.data, text.len, &key, seed, err);
	if (!rc)
		rc = keep_checkpoint(dir, &note, err);
	buf_free(&text);
	buf_free(&note);
	return rc;
}

int ledger_vkey(
    const char *origin, const unsigned char seed[32], struct buf *out, struct ark_error *err)
{
	struct note_key key;
	int rc = note_key_from_seed(origin, seed, &key, err);

	if (rc)
		return rc;
	note_key_format(&key, out);
	return buf_failed(out) ? ark_fail(err, ARK_ENOMEM, "no memory for a key") : ARK_OK;
}

/* ---- the tree ---- */

static int write_full(void *arg, unsigned int level, uint64_t n, const struct merkle_hash *hashes)
{
	struct publisher *p = arg;
	struct tile_id id = {(int)level, n, MERKLE_WIDTH};
	int rc = tile_writer_put(p->tiles, &id, hashes, MERKLE_WIDTH * sizeof(*hashes), p->err);

	if (rc || level)
		return rc;
	id.level = TILE_ENTRIES;
	return tile_writer_put(p->tiles, &id, p->bundle, sizeof(p->bundle), p->err);
}

static int add_entry(struct publisher *p, const unsigned char *entry)
{
	unsigned char *at = p->bundle + (p->tree.size & 255) * BUNDLE_ENTRY;
	struct merkle_hash leaf;

	at[0] = 0, at[1] = ENTRY_SIZE;
	memcpy(at + 2, entry, ENTRY_SIZE);
	merkle_leaf(p->tree.sha, entry, ENTRY_SIZE, &leaf);
	return merkle_tree_add(&p->tree, &leaf);
}

/* The partial tiles of the new size, where they changed since the last checkpoint. */
static int write_partials(struct publisher *p, struct ark_error *err)
{
	int rc = ARK_OK;

	for (unsigned int l = 0; !rc && l < MERKLE_LEVELS && p->tree.size >> (8 * l); l++) {
		uint64_t hashes = p->tree.size >> (8 * l);
		unsigned int width = (unsigned int)(hashes & 255);
		struct tile_id id = {(int)l, hashes >> 8, width};

		if (!width || hashes == p->published >> (8 * l))
			continue;
		rc = tile_writer_put(
		    p->tiles, &id, p->tree.edge[l], width * sizeof(struct merkle_hash), err);
		if (rc || l)
			continue;
		id.level = TILE_ENTRIES;
		rc = tile_writer_put(p->tiles, &id, p->bundle, (size_t)width * BUNDLE_ENTRY, err);
	}
	return rc;
}

/* What was partial at the last checkpoint and is full now. */
static void remove_old_partials(struct publisher *p)
{
	for (unsigned int l = 0; l < MERKLE_LEVELS; l++) {
		uint64_t before = p->published >> (8 * l), now = p->tree.size >> (8 * l);

		if (!(before & 255) || before >> 8 == now >> 8)
			continue;
		tile_remove_partials(p->l->dir, (int)l, before >> 8);
		if (l == 0)
			tile_remove_partials(p->l->dir, TILE_ENTRIES, before >> 8);
	}
}

/* Everything in `batch` goes into tiles, then under a new checkpoint. */
static int publish_batch(struct publisher *p, struct ark_error *err)
{
	struct ledger *l = p->l;
	struct checkpoint c;
	struct buf note = BUF_INIT;
	int rc = ARK_OK;

	p->err = err;
	for (size_t at = 0; !rc && at < p->batch.len; at += ENTRY_SIZE)
		rc = add_entry(p, (const unsigned char *)p->batch.data + at);
	if (!rc)
		rc = write_partials(p, err);
	if (!rc)
		rc = tile_writer_flush(p->tiles, err);
	c.size = p->tree.size;
	merkle_tree_root(&p->tree, &c.root);
	if (!rc)
		rc = ledger_sign(l, &c, &note, err);
	if (!rc)
		rc = keep_checkpoint(l->dir, &note, err);
	if (rc) {
		buf_free(&note);
		return rc;
	}
	remove_old_partials(p);
	p->published = c.size;
	p->published_us = clock_monotonic_us();
	pthread_mutex_lock(&l->lock);
	l->published = c.size;
	buf_free(&l->note);
	l->note = note;
	pthread_cond_broadcast(&l->moved);
	pthread_mutex_unlock(&l->lock);
	return ARK_OK;
}

/* ---- opening ---- */

/* A partial tile of level above 0 can be made again from the full tiles below it. */
static int remake_hashes(struct publisher *p, unsigned int level, uint64_t first,
    unsigned int width, struct merkle_hash *ret, struct ark_error *err)
{
	struct merkle_hash below[MERKLE_WIDTH];
	int rc = ARK_OK;

	for (unsigned int i = 0; !rc && i < width; i++) {
		rc = ledger_tile_hashes(p->l, level - 1, first + i, MERKLE_WIDTH, below, err);
		if (!rc)
			merkle_tile_root(p->tree.sha, below, &ret[i]);
	}
	return rc;
}

static int load_edge(
    struct publisher *p, uint64_t size, const struct buf *entries, struct ark_error *err)
{
	int rc = ARK_OK;

	for (unsigned int l = 1; !rc && l < MERKLE_LEVELS && size >> (8 * l); l++) {
		uint64_t hashes = size >> (8 * l);
		unsigned int width = (unsigned int)(hashes & 255);

		if (!width)
			continue;
		rc = ledger_tile_hashes(p->l, l, hashes >> 8, width, p->tree.edge[l], err);
		if (rc == ARK_ENOTFOUND || rc == ARK_ECORRUPT)
			rc = remake_hashes(
			    p, l, hashes & ~UINT64_C(255), width, p->tree.edge[l], err);
	}
	/* the newest tile from the segments themselves */
	p->tree.size = size & ~UINT64_C(255);
	for (size_t at = 0; !rc && p->tree.size < size; at += ENTRY_SIZE)
		rc = add_entry(p, (const unsigned char *)entries->data + at);
	return rc == ARK_ENOTFOUND ? ARK_ECORRUPT : rc;
}

int publisher_new(struct ledger *l, const struct checkpoint *checkpoint, const struct buf *entries,
    struct publisher **ret, struct ark_error *err)
{
	struct publisher *p = calloc(1, sizeof(*p));
	struct merkle_hash root;
	int rc;

	if (!p)
		return ark_fail(err, ARK_ENOMEM, "no memory for the ledger's tree");
	p->l = l;
	p->published = checkpoint->size;
	p->tree.sha = sha256_new();
	rc = p->tree.sha ? tile_writer_new(l->dir, &p->tiles, err)
			 : ark_fail(err, ARK_ENOMEM, "no memory for the ledger's tree");
	if (!rc)
		rc = load_edge(p, checkpoint->size, entries, err);
	if (!rc) {
		merkle_tree_root(&p->tree, &root);
		if (memcmp(&root, &checkpoint->root, sizeof(root)) != 0)
			rc = ark_fail(err, ARK_ECORRUPT,
			    "the log %s does not match its own checkpoint of %llu entries: records "
			    "or tiles "
			    "were changed or lost; restore %s from a backup; refusing to sign",
			    l->origin, (unsigned long long)checkpoint->size, l->dir);
	}
	p->tree.full = write_full;
	p->tree.arg = p;
	if (rc) {
		publisher_free(p);
		return rc;
	}
	*ret = p;
	return ARK_OK;
}

void publisher_free(struct publisher *p)
{
	if (!p)
		return;
	tile_writer_free(p->tiles);
	sha256_free(p->tree.sha);
	buf_free(&p->batch);
	free(p);
}

/* ---- the thread ---- */

static void prepare_next(struct ledger *l, uint32_t number)
{
	struct segment_file *next = NULL;
	struct ark_error err = {0};
	int rc = segment_prepare(l->dir, number, l->keys, l->origin_hash, &next, &err);

	if (rc)
		return ledger_fail(l, &err);
	pthread_mutex_lock(&l->lock);
	l->next = next;
	l->next_wanted = false;
	pthread_cond_broadcast(&l->moved);
	pthread_mutex_unlock(&l->lock);
}

/* Whether to publish now; else until when to sleep (0: until woken). Under the lock. */
static bool due(const struct ledger *l, const struct publisher *p, int64_t *ret_wake_us)
{
	int64_t at = p->published_us + PERIOD_US;

	*ret_wake_us = 0;
	if (l->resign)
		return true;
	if (l->size == p->published)
		return false;
	if (l->drained || l->publish_wanted > p->published || clock_monotonic_us() >= at)
		return true;
	*ret_wake_us = at;
	return false;
}

static void sleep_until(struct ledger *l, int64_t wake_us)
{
	struct timespec ts = {wake_us / 1000000, wake_us % 1000000 * 1000};

	if (wake_us)
		pthread_cond_timedwait(&l->follow, &l->lock, &ts);
	else
		pthread_cond_wait(&l->follow, &l->lock);
}

void *publisher_main(void *arg)
{
	struct ledger *l = arg;
	struct publisher *p = l->publisher;
	struct ark_error err = {0};
	int64_t wake_us;

	pthread_mutex_lock(&l->lock);
	while (!l->failed.status) {
		if (l->next_wanted && !l->next) {
			uint32_t number = (uint32_t)l->segments.len;

			pthread_mutex_unlock(&l->lock);
			prepare_next(l, number);
			pthread_mutex_lock(&l->lock);
		} else if (due(l, p, &wake_us)) {
			int rc;

			buf_clear(&p->batch);
			buf_add(&p->batch, l->entries.data, l->entries.len);
			buf_clear(&l->entries);
			l->resigning = l->resign;
			l->resign = false;
			pthread_mutex_unlock(&l->lock);
			rc = buf_failed(&p->batch)
				 ? ark_fail(&err, ARK_ENOMEM, "no memory for new tiles")
				 : publish_batch(p, &err);
			if (rc)
				ledger_fail(l, &err);
			pthread_mutex_lock(&l->lock);
			l->resigning = false;
			pthread_cond_broadcast(&l->moved);
		} else if (l->drained) {
			break;
		} else {
			sleep_until(l, wake_us);
		}
	}
	pthread_mutex_unlock(&l->lock);
	return NULL;
}

/* ---- the public face ---- */

int ledger_publish(struct ledger *l, uint64_t size, struct ark_error *err)
{
	int rc = ARK_OK;

	if (!l->for_writing) {
		struct buf note = BUF_INIT;
		struct checkpoint c;

		rc = checkpoint_load(l, &note, &c, err);
		buf_free(&note);
		if (!rc && c.size < size)
			rc = ark_fail(err, ARK_EREFUSED,
			    "the checkpoint of %s covers %llu entries, and only its server can "
			    "sign more",
			    l->origin, (unsigned long long)c.size);
		return rc;
	}
	pthread_mutex_lock(&l->lock);
	if (size > l->size)
		rc = ark_fail(err, ARK_EINPUT, "the log %s has %llu entries", l->origin,
		    (unsigned long long)l->size);
	if (!rc && size > l->publish_wanted) {
		l->publish_wanted = size;
		pthread_cond_broadcast(&l->follow);
	}
	while (!rc && l->published < size) {
		rc = ledger_failed(l, err);
		if (!rc)
			pthread_cond_wait(&l->moved, &l->lock);
	}
	pthread_mutex_unlock(&l->lock);
	return rc;
}

int ledger_checkpoint(struct ledger *l, struct buf *out, struct ark_error *err)
{
	struct buf note = BUF_INIT;
	struct checkpoint c;
	int rc = ARK_OK;

	if (!l->for_writing) {
		rc = checkpoint_load(l, &note, &c, err);
		if (!rc)
			buf_add(out, note.data, note.len);
		buf_free(&note);
	} else {
		pthread_mutex_lock(&l->lock);
		buf_add(out, l->note.data, l->note.len);
		pthread_mutex_unlock(&l->lock);
	}
	return rc || !buf_failed(out) ? rc
				      : ark_fail(err, ARK_ENOMEM, "no memory for a checkpoint");
}

static int published_size(struct ledger *l, uint64_t *ret, struct ark_error *err)
{
	struct buf note = BUF_INIT;
	struct checkpoint c;
	int rc = ARK_OK;

	if (l->for_writing) {
		pthread_mutex_lock(&l->lock);
		*ret = l->published;
		pthread_mutex_unlock(&l->lock);
	} else {
		rc = checkpoint_load(l, &note, &c, err);
		buf_free(&note);
		if (!rc)
			*ret = c.size;
	}
	return rc;
}

int ledger_tile(struct ledger *l, const char *path, struct buf *out, struct ark_error *err)
{
	struct tile_id id;
	uint64_t size;
	unsigned int level;
	int rc;

	if (!tile_path_parse(path, &id))
		return ark_fail(err, ARK_EINPUT, "not the path of a tile");
	rc = published_size(l, &size, err);
	if (rc)
		return rc;
	level = id.level == TILE_ENTRIES ? 0 : (unsigned int)id.level;
	if (id.width > merkle_tile_width(size, level, id.n))
		return ark_fail(err, ARK_ENOTFOUND, "the tile is not in the log's newest tree");
	rc = tile_read(l->dir, &id, out, err);
	return rc == ARK_ENOTFOUND ? ARK_ECORRUPT : rc;
}

int ledger_tile_hashes(void *arg, unsigned int level, uint64_t n, unsigned int width,
    struct merkle_hash *ret, struct ark_error *err)
{
	struct ledger *l = arg;
	struct tile_id id = {(int)level, n, width};
	struct buf b = BUF_INIT;
	int rc = tile_read(l->dir, &id, &b, err);

	if (!rc)
		memcpy(ret, b.data, width * sizeof(*ret));
	buf_free(&b);
	return rc;
}

int ledger_prove(struct ledger *l, uint64_t index, struct buf *out, struct ark_error *err)
{
	struct tlog_proof proof = {.index = index};
	struct merkle_source src = {.tile = ledger_tile_hashes, .arg = l};
	struct buf text = BUF_INIT;
	struct note *note = NULL;
	struct checkpoint c;
	int rc;

	if (index >= ledger_size(l))
		return ark_fail(
		    err, ARK_ENOTFOUND, "there is no entry %llu", (unsigned long long)index);
	rc = ledger_publish(l, index + 1, err);
	if (!rc)
		rc = ledger_checkpoint(l, &text, err);
	note = malloc(sizeof(*note));
	src.sha = sha256_new();
	if (!rc && (!note || !src.sha))
		rc = ark_fail(err, ARK_ENOMEM, "no memory for a proof");
	if (!rc)
		rc = note_parse(text.data, text.len, note, err);
	if (!rc)
		rc = checkpoint_parse(note->text, note->text_len, l->origin, &c, err);
	if (!rc) {
		src.size = c.size;
		rc = merkle_inclusion(&src, index, proof.hashes, &proof.hashes_len, err);
	}
	if (!rc) {
		proof.checkpoint = text.data;
		proof.checkpoint_len = text.len;
		tlog_proof_format(&proof, out);
		if (buf_failed(out))
			rc = ark_fail(err, ARK_ENOMEM, "no memory for a proof");
	}
	free(note);
	sha256_free(src.sha);
	buf_free(&text);
	return rc == ARK_ENOTFOUND ? ARK_ECORRUPT : rc;
}
