#include "archive/ledger_sequence.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

struct item {
	struct sequence_key key;
	uint64_t last; /* 0: an empty place */
};

struct sequences {
	sequence_lookup lookup;
	void *arg;
	struct item *items;
	size_t cap, count; /* cap is a power of two, at most three quarters full */
	unsigned char hash_key[crypto_shorthash_KEYBYTES];
};

enum { SMALLEST = 1024 };

struct sequence_key sequence_key(bool principal, bool own, const unsigned char id[16])
{
	struct sequence_key k;

	k.bytes[0] = (unsigned char)((principal ? 1 : 0) | (own ? 2 : 0));
	memcpy(k.bytes + 1, id, 16);
	return k;
}

int sequences_new(sequence_lookup lookup, void *arg, struct sequences **ret, struct ark_error *err)
{
	struct sequences *s = calloc(1, sizeof(*s));

	if (s)
		s->items = calloc(SMALLEST, sizeof(*s->items));
	if (!s || !s->items) {
		sequences_free(s);
		return ark_fail(err, ARK_ENOMEM, "no memory for sequence numbers");
	}
	s->cap = SMALLEST;
	s->lookup = lookup;
	s->arg = arg;
	/* ids of refused requests come from outside: a known hash would let them collide */
	crypto_shorthash_keygen(s->hash_key);
	*ret = s;
	return ARK_OK;
}

void sequences_free(struct sequences *s)
{
	if (!s)
		return;
	free(s->items);
	free(s);
}

static struct item *place_of(
    const struct sequences *s, struct item *items, size_t cap, const struct sequence_key *key)
{
	unsigned char h[crypto_shorthash_BYTES];
	uint64_t at;

	crypto_shorthash(h, key->bytes, SEQUENCE_KEY, s->hash_key);
	memcpy(&at, h, sizeof(at));
	for (;; at++) {
		struct item *i = &items[at & (cap - 1)];

		if (!i->last || memcmp(&i->key, key, sizeof(*key)) == 0)
			return i;
	}
}

static int grow(struct sequences *s, struct ark_error *err)
{
	struct item *items = calloc(2 * s->cap, sizeof(*items));

	if (!items)
		return ark_fail(err, ARK_ENOMEM, "no memory for sequence numbers");
	for (size_t i = 0; i < s->cap; i++)
		if (s->items[i].last)
			*place_of(s, items, 2 * s->cap, &s->items[i].key) = s->items[i];
	free(s->items);
	s->items = items;
	s->cap *= 2;
	return ARK_OK;
}

int sequences_next(
    struct sequences *s, const struct sequence_key *key, uint64_t *ret, struct ark_error *err)
{
	struct item *i;
	uint64_t last = 0;
	int rc = s->count >= s->cap / 4 * 3 ? grow(s, err) : ARK_OK;

	if (rc)
		return rc;
	i = place_of(s, s->items, s->cap, key);
	if (!i->last) {
		rc = s->lookup(s->arg, key, &last, err);
		if (rc)
			return rc;
		*i = (struct item){*key, last};
		s->count++;
	}
	*ret = ++i->last;
	return ARK_OK;
}

int sequences_set(
    struct sequences *s, const struct sequence_key *key, uint64_t last, struct ark_error *err)
{
	uint64_t next;
	int rc = sequences_next(s, key, &next, err);

	if (!rc && last)
		place_of(s, s->items, s->cap, key)->last = last;
	return rc;
}

size_t sequences_count(const struct sequences *s)
{
	return s->count;
}

void sequences_clear(struct sequences *s)
{
	memset(s->items, 0, s->cap * sizeof(*s->items));
	s->count = 0;
}
