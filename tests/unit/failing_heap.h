/* A heap whose Nth allocation fails, alone or with all that follow: each_failing() runs a step until
 * nothing in it fails any more.
 *
 * The linker leads the allocations of the library and of the test, from heap and Cedar's arenas,
 * through here (--wrap, in the Makefile, for the tests that include this); json_set_alloc_funcs()
 * leads jansson's. What other libraries take is neither failed nor counted.
 */
#ifndef ARKKI_TESTS_FAILING_HEAP_H
#define ARKKI_TESTS_FAILING_HEAP_H

#include "policies/cedar_private.h"
#include "tests/unit/unit.h"

static struct {
	unsigned long calls, fail_at; /* 0: none fails */
	bool onwards;                 /* every later one too */
	bool fired;
	long live; /* pieces not yet freed */
} heap;

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *at, size_t size);
void *__real_reallocarray(void *at, size_t n, size_t size);
char *__real_strdup(const char *text);
char *__real_strndup(const char *text, size_t n);
void __real_free(void *at);
void *__real_cedar_alloc(struct cedar_arena *a, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *at, size_t size);
void *__wrap_reallocarray(void *at, size_t n, size_t size);
char *__wrap_strdup(const char *text);
char *__wrap_strndup(const char *text, size_t n);
void __wrap_free(void *at);
void *__wrap_cedar_alloc(struct cedar_arena *a, size_t size);

static bool refused(void)
{
	heap.calls++;
	if (!heap.fail_at || heap.calls < heap.fail_at ||
	    (heap.calls > heap.fail_at && !heap.onwards))
		return false;
	heap.fired = true;
	return true;
}

static void *counted(void *piece)
{
	heap.live += piece != NULL;
	return piece;
}

void *__wrap_malloc(size_t size)
{
	return refused() ? NULL : counted(__real_malloc(size));
}

void *__wrap_calloc(size_t n, size_t size)
{
	return refused() ? NULL : counted(__real_calloc(n, size));
}

void *__wrap_realloc(void *at, size_t size)
{
	if (refused())
		return NULL;
	return at ? __real_realloc(at, size) : counted(__real_realloc(at, size));
}

void *__wrap_reallocarray(void *at, size_t n, size_t size)
{
	if (refused())
		return NULL;
	return at ? __real_reallocarray(at, n, size) : counted(__real_reallocarray(at, n, size));
}

char *__wrap_strdup(const char *text)
{
	return refused() ? NULL : counted(__real_strdup(text));
}

char *__wrap_strndup(const char *text, size_t n)
{
	return refused() ? NULL : counted(__real_strndup(text, n));
}

void __wrap_free(void *at)
{
	heap.live -= at != NULL;
	__real_free(at);
}

void *__wrap_cedar_alloc(struct cedar_arena *a, size_t size)
{
	return refused() ? NULL : __real_cedar_alloc(a, size);
}

/* From here on nothing fails: what a step does before it looks at the outcome. */
static void calm(void)
{
	heap.fail_at = 0;
}

/* Runs `step` until nothing more fails in it; then, and only then, it must answer `status`, or
 * where the failure could be borne. Beyond 400 allocations not each of them fails. How many tries it
 * took. */
static unsigned int each_failing(int (*step)(void *arg), void *arg, int status)
{
	unsigned int tries = 0;

	for (int onwards = 0; onwards < 2; onwards++) {
		bool more = true;

		for (unsigned long n = 1; more; n += n < 400 ? 1 : n / 40, tries++) {
			long live = heap.live;
			int rc;

			heap.calls = 0;
			heap.fail_at = n;
			heap.onwards = onwards != 0;
			heap.fired = false;
			rc = step(arg);
			calm();
			more = heap.fired;
			if (heap.live != live)
				fail_msg("allocation %lu: %ld pieces leak", n, heap.live - live);
			if (rc != status && !(more && rc == ARK_ENOMEM))
				fail_msg("allocation %lu: %d instead of %d", n, rc, status);
		}
	}
	assert_true(tries >= 4);
	return tries;
}

#endif
