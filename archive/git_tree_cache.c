#include "archive/git_tree_cache.h"

#include <stdlib.h>
#include <string.h>

#include "arkki/base/text.h"

enum { SLOTS = 8192, LARGEST = 4 << 20, TOTAL = 32 << 20 };

/* Direct-mapped: an id has one slot, and whoever comes later has it. */
struct slot {
	struct store_oid oid;
	void *bytes; /* NULL: free */
	size_t len;
};

struct gittree_cache {
	size_t total;
	struct slot slot[SLOTS];
};

struct gittree_cache *gittree_cache_new(void)
{
	return calloc(1, sizeof(struct gittree_cache));
}

static void forget(struct gittree_cache *c, struct slot *s)
{
	c->total -= s->len;
	free(s->bytes);
	*s = (struct slot){0};
}

static void forget_all(struct gittree_cache *c)
{
	for (size_t i = 0; i < SLOTS; i++)
		forget(c, &c->slot[i]);
}

void gittree_cache_free(struct gittree_cache *c)
{
	if (!c)
		return;
	forget_all(c);
	free(c);
}

void gittree_cache_put(
    struct gittree_cache *c, const struct store_oid *oid, const void *bytes, size_t len)
{
	struct slot *s = &c->slot[be32_get(oid->id) % SLOTS];
	void *copy;

	if (!len || len > LARGEST || (s->bytes && memcmp(&s->oid, oid, sizeof(*oid)) == 0))
		return;
	if (c->total + len > TOTAL)
		forget_all(c);
	copy = malloc(len);
	if (!copy)
		return;
	memcpy(copy, bytes, len);
	forget(c, s);
	*s = (struct slot){.oid = *oid, .bytes = copy, .len = len};
	c->total += len;
}

bool gittree_cache_get(const struct gittree_cache *c, const struct store_oid *oid, struct buf *out)
{
	const struct slot *s = &c->slot[be32_get(oid->id) % SLOTS];

	if (!s->bytes || memcmp(&s->oid, oid, sizeof(*oid)) != 0)
		return false;
	buf_add(out, s->bytes, s->len);
	return true;
}
