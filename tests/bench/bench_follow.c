/* A log of many entries, to be followed: `build/bench/bench_follow DIR ENTRIES`.
 *
 * Writes checkpoint and tiles into DIR as a log has them (without syncs: they are read, not kept) and prints the
 * verifier key. The seed is no secret, the entries commit to nothing.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "archive/checkpoint.h"
#include "archive/ledger_tiles.h"
#include "arkki/base/fs.h"

#define ORIGIN "bench.example/access"

struct maker {
	const char *dir;
	struct merkle_tree tree;
	unsigned char bundle[MERKLE_WIDTH * BUNDLE_ENTRY];
};

static void must(int rc, const struct ark_error *err)
{
	if (rc) {
		fprintf(stderr, "bench: %s\n", err->text);
		exit(1);
	}
}

static void write_tile(
    const char *dir, int level, uint64_t n, unsigned int width, const void *bytes, size_t len)
{
	struct tile_id id = {level, n, width};
	char name[TILE_PATH_MAX], path[4096];
	struct ark_error err;
	FILE *f;

	tile_path_format(name, &id);
	must(fs_path(path, &err, "%s/%s", dir, name), &err);
	*strrchr(path, '/') = '\0';
	must(fs_mkdirs(path, 0700, &err), &err);
	path[strlen(path)] = '/';
	f = fopen(path, "wb");
	if (!f || fwrite(bytes, 1, len, f) != len || fclose(f)) {
		perror(path);
		exit(1);
	}
}

static int full(void *arg, unsigned int level, uint64_t n, const struct merkle_hash *hashes)
{
	struct maker *m = arg;

	write_tile(m->dir, (int)level, n, MERKLE_WIDTH, hashes, MERKLE_WIDTH * sizeof(*hashes));
	if (level == 0)
		write_tile(m->dir, TILE_ENTRIES, n, MERKLE_WIDTH, m->bundle, sizeof(m->bundle));
	return 0;
}

static void add_entry(struct maker *m, uint64_t i)
{
	unsigned char *at = m->bundle + (i & 255) * BUNDLE_ENTRY;
	struct merkle_hash leaf;

	at[0] = 0, at[1] = ENTRY_SIZE, at[2] = 1;
	sha256_of(&i, sizeof(i), at + 3);
	merkle_leaf(m->tree.sha, at + 2, ENTRY_SIZE, &leaf);
	merkle_tree_add(&m->tree, &leaf);
}

static void write_edge(struct maker *m)
{
	for (unsigned int l = 0; l < MERKLE_LEVELS; l++) {
		uint64_t hashes = m->tree.size >> (8 * l);
		unsigned int width = (unsigned int)(hashes & 255);

		if (!width)
			continue;
		write_tile(m->dir, (int)l, hashes >> 8, width, m->tree.edge[l],
		    width * sizeof(struct merkle_hash));
		if (l == 0)
			write_tile(m->dir, TILE_ENTRIES, hashes >> 8, width, m->bundle,
			    (size_t)width * BUNDLE_ENTRY);
	}
}

static void write_checkpoint(const struct maker *m)
{
	static const unsigned char seed[32] = "no secret, and no log of anybody";
	struct checkpoint c = {.size = m->tree.size};
	struct buf text = BUF_INIT, note = BUF_INIT, vkey = BUF_INIT;
	struct note_key key;
	struct ark_error err;
	char path[4096];

	merkle_tree_root(&m->tree, &c.root);
	checkpoint_format(ORIGIN, &c, &text);
	must(note_key_from_seed(ORIGIN, seed, &key, &err), &err);
	must(note_sign(&note, text.data, text.len, &key, seed, &err), &err);
	must(fs_path(path, &err, "%s/checkpoint", m->dir), &err);
	must(fs_replace_file(path, note.data, note.len, 0600, &err), &err);
	note_key_format(&key, &vkey);
	printf("%s\n", vkey.data);
	buf_free(&text);
	buf_free(&note);
	buf_free(&vkey);
}

int main(int argc, char **argv)
{
	struct maker *m = calloc(1, sizeof(*m));
	uint64_t n = argc == 3 ? strtoull(argv[2], NULL, 10) : 0;

	if (!n || !m) {
		fprintf(stderr, "usage: bench_follow DIR ENTRIES\n");
		return 2;
	}
	m->dir = argv[1];
	m->tree.sha = sha256_new();
	m->tree.full = full;
	m->tree.arg = m;
	if (!m->tree.sha || (mkdir(m->dir, 0700) && errno != EEXIST)) {
		perror(m->dir);
		return 1;
	}
	for (uint64_t i = 0; i < n; i++)
		add_entry(m, i);
	write_edge(m);
	write_checkpoint(m);
	sha256_free(m->tree.sha);
	free(m);
	return 0;
}
