/* A scratch index with a writer and a reader, for whom searches may be, and dice that fall alike every time. */
#ifndef ARKKI_TESTS_SEARCH_FIXTURE_H
#define ARKKI_TESTS_SEARCH_FIXTURE_H

#include "tests/unit/unit.h"

#include "arkki/index/search.h"

struct index_fixture {
	char dir[256];
	struct analyser *analyser;
	struct search_gate *gate; /* NULL without */
	struct search_index *writer;
	struct search_reader *reader;
	uint64_t commits;
	unsigned int seed;
};

static struct access_filter everything = {.op = ACCESS_OP_ALL};
static struct access_filter only_public = {
    .op = ACCESS_OP_HAS, .attribute = ACCESS_ATTR_PUBLICITY, .value = (char *)(uintptr_t) "public"};
static const struct access_sight sees_everything = {&everything, &everything};
static const struct access_sight sees_public = {&only_public, &only_public};

static inline void index_begin(struct index_fixture *x, bool gated, unsigned int seed)
{
	unit_scratch(x->dir);
	x->seed = seed;
	assert_int_equal(analyser_new(NULL, &x->analyser, NULL), 0);
	if (gated)
		assert_int_equal(search_gate_new(&x->gate, NULL), 0);
	assert_int_equal(search_open_writer(x->dir, x->analyser, x->gate, &x->writer, NULL), 0);
	assert_int_equal(search_open_reader(x->dir, x->analyser, x->gate, &x->reader, NULL), 0);
}

static inline void index_end(struct index_fixture *x)
{
	search_reader_free(x->reader);
	search_close(x->writer);
	search_gate_free(x->gate);
	analyser_free(x->analyser);
	unit_scratch_end(x->dir);
}

/* An index with a gate as the fixture of one test. */
static inline int index_setup(void **state)
{
	struct index_fixture *x = calloc(1, sizeof(*x));

	assert_non_null(x);
	index_begin(x, true, 11);
	*state = x;
	return 0;
}

static inline int index_teardown(void **state)
{
	index_end(*state);
	free(*state);
	return 0;
}

static inline unsigned int dice(unsigned int *seed, unsigned int sides)
{
	*seed = *seed * 1664525 + 1013904223;
	return (*seed >> 8) % sides;
}

#define PICK(seed, list) ((list)[dice(seed, sizeof(list) / sizeof(*(list)))])

#endif
