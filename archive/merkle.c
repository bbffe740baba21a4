#include "archive/merkle.h"

#include <string.h>

#include "arkki/base/text.h"

void merkle_empty(struct merkle_hash *ret)
{
	sha256_of("", 0, ret->bytes);
}

void merkle_leaf(struct sha256 *sha, const void *entry, size_t len, struct merkle_hash *ret)
{
	sha256_update(sha, "\x00", 1);
	sha256_update(sha, entry, len);
	sha256_final(sha, ret->bytes);
}

void merkle_node(struct sha256 *sha, const struct merkle_hash *left,
    const struct merkle_hash *right, struct merkle_hash *ret)
{
	unsigned char both[65];

	both[0] = 1;
	memcpy(both + 1, left->bytes, 32);
	memcpy(both + 33, right->bytes, 32);
	sha256_update(sha, both, sizeof(both));
	sha256_final(sha, ret->bytes);
}

unsigned int merkle_tile_width(uint64_t size, unsigned int level, uint64_t n)
{
	uint64_t hashes = level < MERKLE_LEVELS ? size >> (8 * level) : 0;

	if (n >= hashes >> 8)
		return n == hashes >> 8 ? (unsigned int)(hashes & 255) : 0;
	return MERKLE_WIDTH;
}

/* The root over 2^k neighbouring hashes, at most 256. */
static void perfect_root(
    struct sha256 *sha, const struct merkle_hash *hashes, unsigned int n, struct merkle_hash *ret)
{
	struct merkle_hash work[MERKLE_WIDTH / 2];
	const struct merkle_hash *from = hashes;

	for (; n > 1; n /= 2, from = work)
		for (unsigned int i = 0; i < n / 2; i++)
			merkle_node(sha, &from[2 * i], &from[2 * i + 1], &work[i]);
	*ret = from[0];
}

void merkle_tile_root(struct sha256 *sha, const struct merkle_hash *hashes, struct merkle_hash *ret)
{
	perfect_root(sha, hashes, MERKLE_WIDTH, ret);
}

int merkle_tree_add(struct merkle_tree *t, const struct merkle_hash *leaf)
{
	t->edge[0][t->size & 255] = *leaf;
	t->size++;
	for (unsigned int l = 0; l + 1 < MERKLE_LEVELS; l++) {
		uint64_t above = t->size >> (8 * (l + 1));
		int rc;

		if ((t->size >> (8 * l)) & 255)
			break;
		rc = t->full ? t->full(t->arg, l, above - 1, t->edge[l]) : 0;
		if (rc)
			return rc;
		merkle_tile_root(t->sha, t->edge[l], &t->edge[l + 1][(above - 1) & 255]);
	}
	return 0;
}

void merkle_tree_root(const struct merkle_tree *t, struct merkle_hash *ret)
{
	struct merkle_hash acc, part;
	bool have = false;

	merkle_empty(&acc);
	/* perfect subtrees, from the smallest at the right to the largest at the left */
	for (unsigned int l = 0; l < MERKLE_LEVELS; l++) {
		unsigned int left = (unsigned int)(t->size >> (8 * l)) & 255;

		for (unsigned int n = 1; left; n *= 2) {
			if (!(left & n))
				continue;
			left -= n;
			perfect_root(t->sha, &t->edge[l][left], n, &part);
			if (have)
				merkle_node(t->sha, &part, &acc, &acc);
			else
				acc = part;
			have = true;
		}
	}
	*ret = acc;
}

static uint64_t largest_power_below(uint64_t n)
{
	return UINT64_C(1) << (63 - __builtin_clzll(n - 1));
}

/* The root over leaves lo to hi, where lo is a multiple of the largest power of two in hi - lo. */
static int range_root(const struct merkle_source *src, uint64_t lo, uint64_t hi,
    struct merkle_hash *ret, struct ark_error *err)
{
	struct merkle_hash tile[MERKLE_WIDTH], part;
	bool have = false;
	int rc = ARK_OK;

	while (hi > lo) {
		/* the smallest perfect subtree, at the right end */
		unsigned int height = (unsigned int)__builtin_ctzll(hi - lo);
		unsigned int level = height / 8, n = 1U << (height % 8);
		uint64_t first = (hi - (UINT64_C(1) << height)) >> (8 * level);

		rc = src->tile(
		    src->arg, level, first >> 8, (unsigned int)(first & 255) + n, tile, err);
		if (rc)
			return rc;
		perfect_root(src->sha, &tile[first & 255], n, &part);
		if (have)
			merkle_node(src->sha, &part, ret, ret);
		else
			*ret = part;
		have = true;
		hi -= UINT64_C(1) << height;
	}
	return rc;
}

static void reverse(struct merkle_hash *h, size_t n)
{
	for (size_t i = 0; i < n / 2; i++) {
		struct merkle_hash swap = h[i];

		h[i] = h[n - 1 - i];
		h[n - 1 - i] = swap;
	}
}

int merkle_inclusion(const struct merkle_source *src, uint64_t index, struct merkle_hash *ret,
    size_t *ret_len, struct ark_error *err)
{
	uint64_t lo = 0, hi = src->size;
	size_t n = 0;
	int rc = ARK_OK;

	if (index >= src->size)
		return ark_fail(err, ARK_EINPUT, "entry %llu is not in the tree of %llu",
		    (unsigned long long)index, (unsigned long long)src->size);
	while (!rc && hi - lo > 1) {
		uint64_t mid = lo + largest_power_below(hi - lo);

		if (index < mid) {
			rc = range_root(src, mid, hi, &ret[n++], err);
			hi = mid;
		} else {
			rc = range_root(src, lo, mid, &ret[n++], err);
			lo = mid;
		}
	}
	if (rc)
		return rc;
	reverse(ret, n);
	*ret_len = n;
	return ARK_OK;
}

int merkle_consistency(const struct merkle_source *src, uint64_t old_size, struct merkle_hash *ret,
    size_t *ret_len, struct ark_error *err)
{
	uint64_t lo = 0, hi = src->size;
	size_t n = 0;
	int rc = ARK_OK;

	if (old_size > src->size)
		return ark_fail(err, ARK_EINPUT, "size %llu is beyond the tree of %llu",
		    (unsigned long long)old_size, (unsigned long long)src->size);
	if (old_size == 0)
		hi = 0;
	while (!rc && hi > old_size) {
		uint64_t mid = lo + largest_power_below(hi - lo);

		if (old_size <= mid) {
			rc = range_root(src, mid, hi, &ret[n++], err);
			hi = mid;
		} else {
			rc = range_root(src, lo, mid, &ret[n++], err);
			lo = mid;
		}
	}
	/* the old tree's own right end, unless it is the whole old tree */
	if (!rc && lo)
		rc = range_root(src, lo, hi, &ret[n++], err);
	if (rc)
		return rc;
	reverse(ret, n);
	*ret_len = n;
	return ARK_OK;
}

bool merkle_inclusion_valid(struct sha256 *sha, uint64_t index, uint64_t size,
    const struct merkle_hash *leaf, const struct merkle_hash *proof, size_t proof_len,
    const struct merkle_hash *root)
{
	uint64_t fn = index, sn = size - 1;
	struct merkle_hash r = *leaf;

	if (index >= size)
		return false;
	for (size_t i = 0; i < proof_len; i++) {
		if (sn == 0)
			return false;
		if ((fn & 1) || fn == sn) {
			merkle_node(sha, &proof[i], &r, &r);
			for (; fn && !(fn & 1); fn >>= 1)
				sn >>= 1;
		} else {
			merkle_node(sha, &r, &proof[i], &r);
		}
		fn >>= 1, sn >>= 1;
	}
	return sn == 0 && memcmp(&r, root, sizeof(r)) == 0;
}

bool merkle_consistency_valid(struct sha256 *sha, uint64_t old_size, uint64_t new_size,
    const struct merkle_hash *old_root, const struct merkle_hash *new_root,
    const struct merkle_hash *proof, size_t proof_len)
{
	uint64_t fn = old_size - 1, sn = new_size - 1;
	struct merkle_hash fr, sr, none;
	size_t i = 0;

	merkle_empty(&none);
	if (old_size > new_size || (old_size == 0 && memcmp(old_root, &none, sizeof(none)) != 0))
		return false;
	if (old_size == new_size)
		return proof_len == 0 && memcmp(old_root, new_root, sizeof(none)) == 0;
	if (old_size == 0)
		return false;
	for (; fn & 1; fn >>= 1)
		sn >>= 1;
	if (fn == 0) { /* the old tree is perfect: its root begins the proof */
		fr = sr = *old_root;
	} else {
		if (proof_len == 0)
			return false;
		fr = sr = proof[i++];
	}
	for (; i < proof_len; i++) {
		if (sn == 0)
			return false;
		if ((fn & 1) || fn == sn) {
			merkle_node(sha, &proof[i], &fr, &fr);
			merkle_node(sha, &proof[i], &sr, &sr);
			for (; fn && !(fn & 1); fn >>= 1)
				sn >>= 1;
		} else {
			merkle_node(sha, &sr, &proof[i], &sr);
		}
		fn >>= 1, sn >>= 1;
	}
	return sn == 0 && memcmp(&fr, old_root, sizeof(fr)) == 0 &&
	       memcmp(&sr, new_root, sizeof(sr)) == 0;
}
