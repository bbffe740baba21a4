/* Merkle trees of RFC 6962 (SHA-256), kept as tiles 256 hashes wide
 * (c2sp.org/tlog-tiles): hashes, the growing right edge, proofs.
 *
 * It knows hashes; not files, entries or signatures. Tiles are asked for
 * through a callback. Every function takes the caller's struct sha256, which
 * saves making one for each hash.
 * Threads: none of its own.
 */
#ifndef ARKKI_ARCHIVE_MERKLE_H
#define ARKKI_ARCHIVE_MERKLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arkki/archive/seal.h"
#include "arkki/base/error.h"

enum { MERKLE_WIDTH = 256, MERKLE_LEVELS = 8, MERKLE_PROOF_MAX = 130 };

struct merkle_hash {
	unsigned char bytes[32];
};

void merkle_empty(struct merkle_hash *ret); /* root of the tree without leaves */
void merkle_leaf(struct sha256 *sha, const void *entry, size_t len, struct merkle_hash *ret);
void merkle_node(struct sha256 *sha, const struct merkle_hash *left,
    const struct merkle_hash *right, struct merkle_hash *ret);

/* Hashes in tile `n` of `level` in a tree of `size` leaves: 0 to 256. */
unsigned int merkle_tile_width(uint64_t size, unsigned int level, uint64_t n);

/* ---- the right edge of a growing tree ---- */
/* edge[l] holds the first (size >> 8l) % 256 hashes of the one partial tile of
 * level l; the rest of it is unused. */
struct merkle_tree {
	uint64_t size;
	struct sha256 *sha; /* borrowed */
	/* Called with each tile that fills; non-zero stops and is returned. May be NULL. */
	int (*full)(void *arg, unsigned int level, uint64_t n, const struct merkle_hash *hashes);
	void *arg;
	struct merkle_hash edge[MERKLE_LEVELS][MERKLE_WIDTH];
};

int merkle_tree_add(struct merkle_tree *t, const struct merkle_hash *leaf);
void merkle_tree_root(const struct merkle_tree *t, struct merkle_hash *ret);
/* The root over all 256 hashes of a full tile. */
void merkle_tile_root(
    struct sha256 *sha, const struct merkle_hash *hashes, struct merkle_hash *ret);

/* ---- proofs from tiles ---- */
struct merkle_source {
	uint64_t size; /* of the tree that the tiles belong to */
	struct sha256 *sha;
	/* At least `width` hashes of a tile into `ret`. */
	int (*tile)(void *arg, unsigned int level, uint64_t n, unsigned int width,
	    struct merkle_hash *ret, struct ark_error *err);
	void *arg;
};

/* Both write at most MERKLE_PROOF_MAX hashes. ARK_EINPUT for an index or size outside the tree. */
ARK_MUSTUSE int merkle_inclusion(const struct merkle_source *src, uint64_t index,
    struct merkle_hash *ret, size_t *ret_len, struct ark_error *err);
ARK_MUSTUSE int merkle_consistency(const struct merkle_source *src, uint64_t old_size,
    struct merkle_hash *ret, size_t *ret_len, struct ark_error *err);

/* RFC 9162 sections 2.1.3.2 and 2.1.4.2. */
bool merkle_inclusion_valid(struct sha256 *sha, uint64_t index, uint64_t size,
    const struct merkle_hash *leaf, const struct merkle_hash *proof, size_t proof_len,
    const struct merkle_hash *root);
/* Growth from size 0 is never valid: there is nothing that a proof could show. */
bool merkle_consistency_valid(struct sha256 *sha, uint64_t old_size, uint64_t new_size,
    const struct merkle_hash *old_root, const struct merkle_hash *new_root,
    const struct merkle_hash *proof, size_t proof_len);

#endif
