/* The walk over a log's tiles. */
#include <stdlib.h>
#include <string.h>

#include "tools/follow.h"

enum { PROGRESS_MASK = 0xffff };

struct walk {
	const struct follow_source *source;
	const struct checkpoint *from, *to;
	struct ark_error *err;
	struct buf tile, bundle;
	struct merkle_tree tree;
};

/* The tile as wide as the signed tree has it: the source may hold no narrower one any more. */
static int read_tile(
    const struct walk *w, int level, uint64_t n, struct buf *out, unsigned int *ret_width)
{
	struct tile_id id = {.level = level, .n = n};
	size_t item = level == TILE_ENTRIES ? BUNDLE_ENTRY : sizeof(struct merkle_hash);
	char path[TILE_PATH_MAX];
	int rc;

	id.width =
	    merkle_tile_width(w->to->size, level == TILE_ENTRIES ? 0 : (unsigned int)level, n);
	buf_clear(out);
	tile_path_format(path, &id);
	rc = w->source->tile(w->source->arg, &id, out, w->err);
	if (rc == ARK_ENOTFOUND)
		return ark_fail(w->err, ARK_ECORRUPT,
		    "%s is missing, which the checkpoint of %llu entries covers", path,
		    (unsigned long long)w->to->size);
	if (rc)
		return rc;
	if (buf_failed(out))
		return ark_fail(w->err, ARK_ENOMEM, "no memory for a tile");
	if (out->len != item * id.width)
		return ark_fail(w->err, ARK_ECORRUPT, "%s has %zu bytes instead of %zu", path,
		    out->len, item * id.width);
	*ret_width = id.width;
	return ARK_OK;
}

/* The right edge of the tree of `size`, a multiple of 256 when entries follow. What it holds is believed only when it has
 * led to a root that was signed. */
static int load_edge(struct walk *w, uint64_t size)
{
	w->tree.size = size;
	for (unsigned int l = 0; l < MERKLE_LEVELS; l++) {
		uint64_t hashes = size >> (8 * l);
		unsigned int width = (unsigned int)(hashes & 255), have = 0;
		int rc;

		if (!width)
			continue;
		rc = read_tile(w, (int)l, hashes >> 8, &w->tile, &have);
		if (rc)
			return rc;
		if (!w->tile.data)
			return ark_fail(w->err, ARK_ECORRUPT, "an empty tile");
		memcpy(w->tree.edge[l], w->tile.data, width * sizeof(struct merkle_hash));
	}
	return ARK_OK;
}

static int compare_tile(
    struct walk *w, unsigned int level, uint64_t n, const struct merkle_hash *hashes)
{
	struct tile_id id = {(int)level, n, MERKLE_WIDTH};
	char path[TILE_PATH_MAX];
	int rc = read_tile(w, id.level, n, &w->tile, &id.width);

	if (rc || memcmp(w->tile.data, hashes, id.width * sizeof(*hashes)) == 0)
		return rc;
	tile_path_format(path, &id);
	return ark_fail(w->err, ARK_ECORRUPT,
	    "%s is forged or damaged: it is not made of the tiles below it", path);
}

static int upper_tile(void *arg, unsigned int level, uint64_t n, const struct merkle_hash *hashes)
{
	/* tiles of level 0 are compared with their bundles, as wide as they are */
	return level ? compare_tile(arg, level, n, hashes) : ARK_OK;
}

/* ---- what a root that does not come out means ---- */

static int source_tile(void *arg, unsigned int level, uint64_t n, unsigned int width,
    struct merkle_hash *ret, struct ark_error *err)
{
	const struct walk *w = arg;
	struct buf tile = BUF_INIT;
	unsigned int have = 0;
	int rc = read_tile(w, (int)level, n, &tile, &have);

	if (!rc && have < width)
		rc = ark_fail(err, ARK_ECORRUPT, "a tile is narrower than its tree");
	if (!rc)
		memcpy(ret, tile.data, width * sizeof(*ret));
	buf_free(&tile);
	return rc;
}

/* The tiles, entries and all, do not contain the tree that was seen before. When they make the tree that is signed now,
 * then both were signed and one of them is a lie. */
static int explain(struct walk *w)
{
	const struct merkle_source src = {w->to->size, w->tree.sha, source_tile, w};
	struct merkle_hash root, proof[MERKLE_PROOF_MAX];
	size_t n = 0;
	int rc = load_edge(w, w->to->size);

	if (rc)
		return rc;
	merkle_tree_root(&w->tree, &root);
	if (memcmp(&root, &w->to->root, sizeof(root)) != 0)
		return ark_fail(w->err, ARK_ECORRUPT,
		    "the tiles do not make the root that is signed for %llu entries: forged or "
		    "damaged",
		    (unsigned long long)w->to->size);
	rc = merkle_consistency(&src, w->from->size, proof, &n, w->err);
	if (rc)
		return rc;
	if (!merkle_consistency_valid(
		w->tree.sha, w->from->size, w->to->size, &w->from->root, &w->to->root, proof, n))
		return ark_fail(w->err, ARK_ECORRUPT,
		    "the log is forked: its %llu entries now do not continue the %llu that it had "
		    "signed before",
		    (unsigned long long)w->to->size, (unsigned long long)w->from->size);
	return ark_fail(w->err, ARK_ECORRUPT,
	    "a tile of the %llu entries seen before is forged or damaged",
	    (unsigned long long)w->from->size);
}

static int compare_root(struct walk *w, const struct checkpoint *c)
{
	struct merkle_hash root;

	merkle_tree_root(&w->tree, &root);
	return memcmp(&root, &c->root, sizeof(root)) == 0 ? ARK_OK : explain(w);
}

/* ---- the walk ---- */

static int hash_entry(struct walk *w, uint64_t n, unsigned int i, const struct merkle_hash *want)
{
	const unsigned char *at = (const unsigned char *)w->bundle.data + (size_t)i * BUNDLE_ENTRY;
	struct merkle_hash leaf;

	if (at[0] != 0 || at[1] != ENTRY_SIZE || at[2] != 1)
		return ark_fail(w->err, ARK_ECORRUPT, "entry %llu is not one of an arkki log",
		    (unsigned long long)(n * MERKLE_WIDTH + i));
	merkle_leaf(w->tree.sha, at + 2, ENTRY_SIZE, &leaf);
	if (memcmp(&leaf, want, sizeof(leaf)) != 0)
		return ark_fail(w->err, ARK_ECORRUPT,
		    "entry %llu is forged or damaged: its bundle and tile/0 do not agree about it",
		    (unsigned long long)(n * MERKLE_WIDTH + i));
	return merkle_tree_add(&w->tree, &leaf);
}

static int walk_bundle(struct walk *w, uint64_t n)
{
	struct merkle_hash hashes[MERKLE_WIDTH];
	unsigned int width = 0;
	int rc = read_tile(w, TILE_ENTRIES, n, &w->bundle, &width);

	if (!rc)
		rc = read_tile(w, 0, n, &w->tile, &width);
	if (rc)
		return rc;
	/* the callback reads other tiles meanwhile */
	memcpy(hashes, w->tile.data, width * sizeof(*hashes));
	for (unsigned int i = 0; !rc && i < width; i++) {
		rc = hash_entry(w, n, i, &hashes[i]);
		if (!rc && w->tree.size == w->from->size)
			rc = compare_root(w, w->from);
	}
	return rc;
}

/* The last tile of each level, which no full one has shown. */
static int compare_edge(struct walk *w)
{
	int rc = ARK_OK;

	for (unsigned int l = 1; !rc && l < MERKLE_LEVELS; l++)
		if ((w->to->size >> (8 * l)) & 255)
			rc = compare_tile(w, l, w->to->size >> (8 * (l + 1)), w->tree.edge[l]);
	return rc;
}

static int walk(struct walk *w, void (*progress)(uint64_t done, uint64_t of))
{
	uint64_t n = w->from->size >> 8;
	int rc = load_edge(w, n << 8);

	/* a tree of whole tiles is shown by its edge already */
	if (!rc && w->from->size && w->tree.size == w->from->size)
		rc = compare_root(w, w->from);
	for (; !rc && w->tree.size < w->to->size; n++) {
		rc = walk_bundle(w, n);
		if (!rc && progress &&
		    ((w->tree.size & PROGRESS_MASK) == 0 || w->tree.size == w->to->size))
			progress(w->tree.size, w->to->size);
	}
	if (!rc)
		rc = compare_edge(w);
	return rc ? rc : compare_root(w, w->to);
}

int follow_tree(const struct follow_source *s, const struct checkpoint *from,
    const struct checkpoint *to, void (*progress)(uint64_t done, uint64_t of),
    struct ark_error *err)
{
	struct ark_error own;
	struct walk *w;
	int rc;

	if (to->size < from->size)
		return ark_fail(err, ARK_ECORRUPT,
		    "the log was rewound: it has %llu entries, and had signed %llu before",
		    (unsigned long long)to->size, (unsigned long long)from->size);
	if (to->size == from->size && from->size)
		return memcmp(&to->root, &from->root, sizeof(to->root)) == 0
			   ? ARK_OK
			   : ark_fail(err, ARK_ECORRUPT,
				 "the log is forked: it signed two roots for %llu entries",
				 (unsigned long long)to->size);
	w = calloc(1, sizeof(*w));
	if (!w)
		return ark_fail(err, ARK_ENOMEM, "no memory to follow a log");
	*w = (struct walk){.source = s, .from = from, .to = to, .err = err ? err : &own};
	w->tree.sha = sha256_new();
	w->tree.full = upper_tile;
	w->tree.arg = w;
	rc = w->tree.sha ? walk(w, progress)
			 : ark_fail(err, ARK_ENOMEM, "no memory to follow a log");
	sha256_free(w->tree.sha);
	buf_free(&w->tile);
	buf_free(&w->bundle);
	free(w);
	return rc;
}
