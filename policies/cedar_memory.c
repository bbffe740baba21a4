#include "policies/cedar_private.h"

#include <stdlib.h>
#include <string.h>

/* Sanitized builds leave a poisoned gap behind every piece, so that a write past its end is seen. */
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ARENA_GAP 16u
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) && !defined(ARENA_GAP)
#define ARENA_GAP 16u
#endif
#ifdef ARENA_GAP
#include <sanitizer/asan_interface.h>
#else
#define ARENA_GAP 0u
#define ASAN_POISON_MEMORY_REGION(at, len) ((void)(at), (void)(len))
#define ASAN_UNPOISON_MEMORY_REGION(at, len) ((void)(at), (void)(len))
#endif

#define ALIGN 16u
#define FIRST_BLOCK ((size_t)64 << 10)
#define LATER_BLOCK ((size_t)256 << 10)

/* Bytes of a block from `used` on are zero. */
struct block {
	struct block *next;
	size_t size, used;
	_Alignas(ALIGN) char bytes[];
};

struct cedar_arena {
	struct block *first, *current;
	size_t max, taken;
};

static struct block *block_new(size_t size)
{
	struct block *b = calloc(1, sizeof(*b) + size);

	if (!b)
		return NULL;
	b->size = size;
	ASAN_POISON_MEMORY_REGION(b->bytes, size);
	return b;
}

static void block_free(struct block *b)
{
	ASAN_UNPOISON_MEMORY_REGION(b->bytes, b->size);
	free(b);
}

int cedar_arena_new(size_t max, struct cedar_arena **ret, struct ark_error *err)
{
	struct cedar_arena *a = calloc(1, sizeof(*a));
	size_t size = max < FIRST_BLOCK ? max : FIRST_BLOCK;

	if (a)
		a->first = block_new(size);
	if (!a || !a->first) {
		free(a);
		return ark_fail(err, ARK_ENOMEM, "no memory for policies");
	}
	a->current = a->first;
	a->max = max;
	a->taken = size;
	*ret = a;
	return ARK_OK;
}

static void free_after(struct block *b)
{
	struct block *next;

	for (b = b->next; b; b = next) {
		next = b->next;
		block_free(b);
	}
}

void cedar_arena_free(struct cedar_arena *a)
{
	if (!a)
		return;
	free_after(a->first);
	block_free(a->first);
	free(a);
}

void cedar_arena_reset(struct cedar_arena *a)
{
	struct block *b = a->first;

	free_after(b);
	b->next = NULL;
	ASAN_UNPOISON_MEMORY_REGION(b->bytes, b->size);
	memset(b->bytes, 0, b->used);
	ASAN_POISON_MEMORY_REGION(b->bytes, b->size);
	b->used = 0;
	a->current = b;
	a->taken = b->size;
}

static void *take(struct block *b, size_t size, size_t whole)
{
	void *at = b->bytes + b->used;

	b->used += whole;
	ASAN_UNPOISON_MEMORY_REGION(at, size);
	return at;
}

void *cedar_alloc(struct cedar_arena *a, size_t size)
{
	size_t whole, left = a->max - a->taken, want;
	struct block *b = a->current;

	if (size > a->max)
		return NULL;
	whole = (size + ARENA_GAP + ALIGN - 1) / ALIGN * ALIGN;
	if (!whole)
		whole = ALIGN;
	if (whole <= b->size - b->used)
		return take(b, size, whole);
	if (whole > left)
		return NULL;
	want = whole > LATER_BLOCK ? whole : LATER_BLOCK;
	b = block_new(want < left ? want : left);
	if (!b)
		return NULL;
	a->taken += b->size;
	a->current->next = b;
	a->current = b;
	return take(b, size, whole);
}

bool cedar_text_equal(struct cedar_text a, struct cedar_text b)
{
	return a.len == b.len && (!a.len || !memcmp(a.bytes, b.bytes, a.len));
}

struct cedar_text cedar_text_of(const char *c_string)
{
	return (struct cedar_text){c_string, strlen(c_string)};
}

bool cedar_uid_equal(const struct cedar_uid *a, const struct cedar_uid *b)
{
	return cedar_text_equal(a->id, b->id) && cedar_text_equal(a->type, b->type);
}
