/* Proofs of a tree that there is, damaged as the input says: only the undamaged one holds.
 *
 * The input: sizes and an index, then three bytes for each damage. */
#include <stdlib.h>
#include <string.h>

#include "archive/merkle.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { LEAVES_MAX = 700, CLAIM_HASHES = MERKLE_PROOF_MAX + 4 };

struct forest {
	struct sha256 *sha;
	struct merkle_hash leaves[(LEAVES_MAX / MERKLE_WIDTH + 1) * MERKLE_WIDTH];
	struct merkle_tree tree;
};

/* What a prover says; one is true, a copy of it is damaged. */
struct claim {
	uint64_t at, size; /* index, or old size */
	struct merkle_hash of, root;
	struct merkle_hash proof[CLAIM_HASHES];
	size_t len;
};

static int tile(void *arg, unsigned int level, uint64_t n, unsigned int width,
    struct merkle_hash *ret, struct ark_error *err)
{
	struct forest *f = arg;

	(void)err;
	for (unsigned int i = 0; i < width; i++)
		if (level == 0)
			ret[i] = f->leaves[n * MERKLE_WIDTH + i];
		else if (level == 1 && n == 0)
			merkle_tile_root(f->sha, f->leaves + (size_t)i * MERKLE_WIDTH, &ret[i]);
		else
			abort();
	return ARK_OK;
}

static void grow(struct forest *f, uint64_t size, struct merkle_hash *root)
{
	f->tree = (struct merkle_tree){.sha = f->sha};
	for (uint64_t i = 0; i < size; i++)
		if (merkle_tree_add(&f->tree, &f->leaves[i]))
			abort();
	merkle_tree_root(&f->tree, root);
}

static void damage(struct claim *c, const uint8_t d[3])
{
	size_t n = c->len ? d[1] % c->len : 0;

	switch (d[0] % 8) {
	case 0:
		c->proof[n].bytes[d[2] % 32] ^= (unsigned char)(d[2] | 1);
		break;
	case 1:
		c->of.bytes[d[1] % 32] ^= d[2];
		break;
	case 2:
		c->root.bytes[d[1] % 32] ^= d[2];
		break;
	case 3:
		c->len -= c->len > 0;
		break;
	case 4:
		if (c->len < CLAIM_HASHES)
			c->proof[c->len++] = c->proof[n];
		break;
	case 5:
		c->at ^= (uint64_t)d[1] << (d[2] % 64);
		break;
	case 6: {
		struct merkle_hash was = c->proof[n];

		c->proof[n] = c->proof[d[2] % CLAIM_HASHES];
		c->proof[d[2] % CLAIM_HASHES] = was;
		break;
	}
	default:
		c->size ^= (uint64_t)d[1] << (d[2] % 64);
	}
}

static bool the_same(const struct claim *a, const struct claim *b)
{
	return a->at == b->at && a->len == b->len && memcmp(&a->of, &b->of, sizeof(a->of)) == 0 &&
	       memcmp(&a->root, &b->root, sizeof(a->root)) == 0 &&
	       memcmp(a->proof, b->proof, a->len * sizeof(*a->proof)) == 0;
}

static bool holds(struct forest *f, const struct claim *c, bool grown)
{
	return grown ? merkle_consistency_valid(
			   f->sha, c->at, c->size, &c->of, &c->root, c->proof, c->len)
		     : merkle_inclusion_valid(
			   f->sha, c->at, c->size, &c->of, c->proof, c->len, &c->root);
}

/* A size is not part of a root: a claim of another size may hold when the path has the same shape. Of the same size
 * nothing else may. */
static void try_claim(
    struct forest *f, const struct claim *truth, bool grown, const uint8_t *data, size_t size)
{
	struct claim c = *truth;

	if (!holds(f, &c, grown))
		abort();
	for (; size >= 3; data += 3, size -= 3) {
		damage(&c, data);
		if (holds(f, &c, grown) && c.size == truth->size && !the_same(&c, truth))
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct forest *f = calloc(1, sizeof(*f));
	struct claim *c = calloc(1, sizeof(*c));
	struct merkle_source source = {.tile = tile, .arg = f};
	uint64_t leaves, at;

	if (!f || !c || !(f->sha = sha256_new()))
		abort();
	if (size < 4)
		goto out;
	source.sha = f->sha;
	leaves = 1 + (uint64_t)(data[0] << 8 | data[1]) % LEAVES_MAX;
	at = (uint64_t)(data[2] << 8 | data[3]) % leaves;
	for (uint64_t i = 0; i < leaves; i++)
		merkle_leaf(f->sha, &i, sizeof(i), &f->leaves[i]);
	c->size = source.size = leaves;
	grow(f, leaves, &c->root);
	c->at = at;
	c->of = f->leaves[at];
	if (merkle_inclusion(&source, at, c->proof, &c->len, NULL) != ARK_OK)
		abort();
	try_claim(f, c, false, data + 4, size - 4);
	if (at == 0)
		goto out;
	grow(f, at, &c->of);
	if (merkle_consistency(&source, at, c->proof, &c->len, NULL) != ARK_OK)
		abort();
	try_claim(f, c, true, data + 4, size - 4);
out:
	sha256_free(f->sha);
	free(f);
	free(c);
	return 0;
}
