/* Tile files: their paths (c2sp.org/tlog-tiles), reading and durable writing.
 *
 * It knows widths and bytes of tiles; not what the entries mean, nor
 * which of the tiles a checkpoint covers.
 * Threads: a tile_writer belongs to one thread; the rest is pure or reads files.
 * Durability: tile_writer_flush() returns ARK_OK after every tile put before
 *             is synced under its own name, with its directories.
 */
#ifndef ARKKI_ARCHIVE_LEDGER_TILES_H
#define ARKKI_ARCHIVE_LEDGER_TILES_H

#include "archive/merkle.h"
#include "arkki/base/buf.h"
#include "arkki/base/error.h"

enum {
	TILE_ENTRIES = -1, /* in the place of a level: the entry bundles */
	TILE_PATH_MAX = 64,
	ENTRY_SIZE = 33,
	BUNDLE_ENTRY = 2 + ENTRY_SIZE, /* with its length, in a bundle */
};

struct tile_id {
	int level; /* 0 to 63, or TILE_ENTRIES */
	uint64_t n;
	unsigned int width; /* 1 to 255: partial; 256: full */
};

/* "tile/0/x001/067.p/5". False: not the one spelling of a tile's path. */
bool tile_path_parse(const char *path, struct tile_id *ret);
void tile_path_format(char out[TILE_PATH_MAX], const struct tile_id *id);
/* Which partial tiles of this one lie in the log's directory: there[width], of MERKLE_WIDTH. */
void tile_partials(const char *dir, int level, uint64_t n, bool there[]);

/* The first id->width hashes (or entries) of the tile, from the full tile's file or
 * the narrowest partial one that has them. ARK_ENOTFOUND: none has; ARK_ECORRUPT: one
 * of a wrong length. Appends the tile's bytes to out. */
ARK_MUSTUSE int tile_read(
    const char *dir, const struct tile_id *id, struct buf *out, struct ark_error *err);

struct tile_writer;
ARK_MUSTUSE int tile_writer_new(const char *dir, struct tile_writer **ret, struct ark_error *err);
void tile_writer_free(struct tile_writer *w);
/* Writes it aside. Every 32 tiles it flushes by itself. */
ARK_MUSTUSE int tile_writer_put(struct tile_writer *w, const struct tile_id *id, const void *bytes,
    size_t len, struct ark_error *err);
ARK_MUSTUSE int tile_writer_flush(struct tile_writer *w, struct ark_error *err);
/* Removes the partial tiles of a tile that is full. Best effort: they do no harm. */
void tile_remove_partials(const char *dir, int level, uint64_t n);

#endif
