/* A log in memory that lies where it is told to: what a follower reads. */
#ifndef ARKKI_TESTS_FOLLOW_FIXTURE_H
#define ARKKI_TESTS_FOLLOW_FIXTURE_H

#include "tests/unit/unit.h"

#include "tools/follow.h"

#define LOG_NAME "arkki.example/test/history"

struct log_fixture {
	uint64_t size;
	struct merkle_hash *levels[4]; /* hashes of each level, as many as the size has */
	unsigned char *entries;        /* ENTRY_SIZE each */
	struct sha256 *sha;
	/* the lie: byte `at` of one tile is another, or two tiles change places, or one is missing or short */
	enum { HONEST, FLIPPED, SWAPPED, MISSING, SHORT } lie;
	struct tile_id where;
	size_t at;
	struct buf note; /* the checkpoint that it shows */
	unsigned char seed[32];
	struct note_key key;
};

static inline void log_grow(struct log_fixture *f, uint64_t size, unsigned char salt)
{
	uint64_t from = f->size;

	f->entries = realloc(f->entries, size * ENTRY_SIZE + 1);
	assert_non_null(f->entries);
	for (unsigned int l = 0; l < 4; l++) {
		f->levels[l] = realloc(f->levels[l], ((size >> (8 * l)) + 1) * sizeof(**f->levels));
		assert_non_null(f->levels[l]);
	}
	for (uint64_t i = from; i < size; i++) {
		unsigned char *e = f->entries + i * ENTRY_SIZE;

		memset(e, salt, ENTRY_SIZE);
		e[0] = 1;
		memcpy(e + 1, &i, sizeof(i));
		merkle_leaf(f->sha, e, ENTRY_SIZE, &f->levels[0][i]);
	}
	for (unsigned int l = 1; l < 4; l++)
		for (uint64_t n = from >> (8 * l); n < size >> (8 * l); n++)
			merkle_tile_root(
			    f->sha, f->levels[l - 1] + n * MERKLE_WIDTH, &f->levels[l][n]);
	f->size = size;
}

static inline struct checkpoint log_checkpoint(const struct log_fixture *f, uint64_t size)
{
	struct merkle_tree *t = calloc(1, sizeof(*t));
	struct checkpoint c = {.size = size};

	assert_non_null(t);
	t->size = size;
	t->sha = f->sha;
	for (unsigned int l = 0; l < 4; l++)
		if ((size >> (8 * l)) & 255)
			memcpy(t->edge[l], f->levels[l] + (size >> (8 * l) & ~UINT64_C(255)),
			    ((size >> (8 * l)) & 255) * sizeof(**f->levels));
	merkle_tree_root(t, &c.root);
	free(t);
	return c;
}

static inline int fixture_tile(
    void *arg, const struct tile_id *id, struct buf *out, struct ark_error *err)
{
	const struct log_fixture *f = arg;
	bool here = f->lie != HONEST && id->level == f->where.level && id->n == f->where.n;
	uint64_t n = here && f->lie == SWAPPED ? id->n ^ 1 : id->n;
	size_t before = out->len;

	if (here && f->lie == MISSING)
		return ark_fail(err, ARK_ENOTFOUND, "no such tile");
	for (uint64_t i = n * MERKLE_WIDTH; i < n * MERKLE_WIDTH + id->width; i++) {
		if (id->level != TILE_ENTRIES) {
			buf_add(out, &f->levels[id->level][i], sizeof(**f->levels));
			continue;
		}
		buf_add(out, "\0\x21", 2);
		buf_add(out, f->entries + i * ENTRY_SIZE, ENTRY_SIZE);
	}
	if (here && f->lie == FLIPPED && before + f->at < out->len)
		out->data[before + f->at] ^= 4;
	if (here && f->lie == SHORT)
		out->len--;
	return ARK_OK;
}

static inline int fixture_checkpoint(void *arg, struct buf *out, struct ark_error *err)
{
	const struct log_fixture *f = arg;

	(void)err;
	buf_add(out, f->note.data, f->note.len);
	return ARK_OK;
}

/* The checkpoint that the log will show. */
static inline void log_sign(struct log_fixture *f, const struct checkpoint *c)
{
	struct buf text = BUF_INIT;

	checkpoint_format(LOG_NAME, c, &text);
	buf_clear(&f->note);
	assert_int_equal(note_sign(&f->note, text.data, text.len, &f->key, f->seed, NULL), 0);
	buf_free(&text);
}

static inline struct log_fixture *log_new(uint64_t size)
{
	struct log_fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	f->sha = sha256_new();
	assert_non_null(f->sha);
	f->seed[0] = 7;
	assert_int_equal(note_key_from_seed(LOG_NAME, f->seed, &f->key, NULL), 0);
	log_grow(f, size, 1);
	return f;
}

static inline void log_free(struct log_fixture *f)
{
	for (unsigned int l = 0; l < 4; l++)
		free(f->levels[l]);
	free(f->entries);
	sha256_free(f->sha);
	buf_free(&f->note);
	free(f);
}

static inline struct follow_source log_source(struct log_fixture *f)
{
	return (struct follow_source){fixture_checkpoint, fixture_tile, NULL, f};
}

#endif
