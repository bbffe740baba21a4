/* A direct-mapped cache: an entry lives in the one slot that its hash names
 * and whatever comes next takes the place. Bounded without any bookkeeping,
 * and on running text nearly as good as an ordered one, since frequent words
 * come back at once. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "index/analyse_internal.h"

#define SLOTS 262144u
#define LOCKS 64u
#define ENTRY_MAX 2048u

struct entry {
	uint64_t hash;
	uint16_t key_len, len;
	char bytes[]; /* key, then the packed analysis */
};

#define SKETCHES 131072u /* 4 MB */

struct analyse_cache {
	pthread_mutex_t lock[LOCKS];
	struct sketch sketch[SKETCHES]; /* sketch i under lock[i % LOCKS] */
	struct entry *slot[SLOTS];      /* slot i under lock[i % LOCKS] */
};

static uint64_t hash_of(enum cache_space space, const char *word, size_t len)
{
	uint64_t h = 0xcbf29ce484222325u ^ (uint64_t)space; /* FNV-1a */
	size_t i;

	for (i = 0; i < len; i++)
		h = (h ^ (unsigned char)word[i]) * 0x100000001b3u;
	h ^= h >> 32;
	return h * 0x9e3779b97f4a7c15u;
}

static size_t slot_of(uint64_t hash)
{
	return hash >> 46; /* the top 18 bits */
}

int analyse_cache_new(struct analyse_cache **ret, struct ark_error *err)
{
	struct analyse_cache *c = calloc(1, sizeof(*c));
	size_t i;

	if (!c)
		return ark_fail(err, ARK_ENOMEM, "no memory for the cache of analyses");
	for (i = 0; i < LOCKS; i++)
		pthread_mutex_init(&c->lock[i], NULL);
	*ret = c;
	return ARK_OK;
}

void analyse_cache_free(struct analyse_cache *c)
{
	size_t i;

	if (!c)
		return;
	for (i = 0; i < SLOTS; i++)
		free(c->slot[i]);
	for (i = 0; i < LOCKS; i++)
		pthread_mutex_destroy(&c->lock[i]);
	free(c);
}

static bool entry_is(
    const struct entry *e, uint64_t hash, enum cache_space space, const char *word, size_t len)
{
	return e && e->hash == hash && e->key_len == len + 1 && e->bytes[0] == (char)space &&
	       !memcmp(e->bytes + 1, word, len);
}

bool cache_get(
    struct analyse_cache *c, enum cache_space space, const char *word, size_t len, struct buf *out)
{
	uint64_t hash;
	size_t slot;
	bool hit;

	if (!c)
		return false;
	hash = hash_of(space, word, len);
	slot = slot_of(hash);
	pthread_mutex_lock(&c->lock[slot % LOCKS]);
	hit = entry_is(c->slot[slot], hash, space, word, len);
	if (hit)
		buf_add(out, c->slot[slot]->bytes + len + 1, c->slot[slot]->len);
	pthread_mutex_unlock(&c->lock[slot % LOCKS]);
	return hit;
}

/* Without memory nothing is cached, which is no failure. */
void cache_put(struct analyse_cache *c, enum cache_space space, const char *word, size_t len,
    const struct buf *entry)
{
	struct entry *e, *old;
	size_t slot;

	if (!c || entry->len > ENTRY_MAX || len > ANALYSE_WORD_MAX)
		return;
	e = malloc(sizeof(*e) + 1 + len + entry->len);
	if (!e)
		return;
	e->hash = hash_of(space, word, len);
	e->key_len = (uint16_t)(len + 1);
	e->len = (uint16_t)entry->len;
	e->bytes[0] = (char)space;
	memcpy(e->bytes + 1, word, len);
	if (entry->len)
		memcpy(e->bytes + 1 + len, entry->data, entry->len);
	slot = slot_of(e->hash);
	pthread_mutex_lock(&c->lock[slot % LOCKS]);
	old = c->slot[slot];
	c->slot[slot] = e;
	pthread_mutex_unlock(&c->lock[slot % LOCKS]);
	free(old);
}

/* ---- sketches ---- */

uint16_t sketch_term(const char *term, size_t len)
{
	return (uint16_t)(hash_of(CACHE_PART, term, len) >> 48);
}

void sketch_add(struct sketch *s, uint16_t term)
{
	unsigned int i;

	for (i = 0; i < s->len; i++)
		if (s->term[i] == term)
			return;
	if (s->len == SKETCH_TERMS)
		s->more = true;
	else
		s->term[s->len++] = term;
}

bool sketch_get(struct analyse_cache *c, const char *word, size_t len, struct sketch *ret)
{
	uint64_t hash = hash_of(CACHE_PART, word, len);
	size_t slot = hash % SKETCHES;

	if (!c)
		return false;
	pthread_mutex_lock(&c->lock[slot % LOCKS]);
	*ret = c->sketch[slot];
	pthread_mutex_unlock(&c->lock[slot % LOCKS]);
	return ret->len && ret->hash == hash;
}

void sketch_put(struct analyse_cache *c, const char *word, size_t len, struct sketch *s)
{
	size_t slot;

	s->hash = hash_of(CACHE_PART, word, len);
	slot = s->hash % SKETCHES;
	if (!c)
		return;
	pthread_mutex_lock(&c->lock[slot % LOCKS]);
	c->sketch[slot] = *s;
	pthread_mutex_unlock(&c->lock[slot % LOCKS]);
}
