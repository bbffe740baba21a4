/* The indexer follows the commits: extracts text in the sandbox, keeps it
 * sealed in derived/, and writes the search index. One thread writes, a second extracts ahead of it, a
 * third (ocr_queue.h) reads pictures of text behind both.
 *
 * Every batch is system work under one logged maintenance entry. The
 * index's own sequence says how far it is; after a crash it goes on from
 * there, and putting the same version again changes nothing.
 */
#ifndef ARKKI_API_INDEXER_H
#define ARKKI_API_INDEXER_H

#include <stdint.h>

#include "arkki/archive/archive.h"
#include "arkki/index/analyse.h"
#include "arkki/index/search.h"

struct indexer;

/* Starts the sandbox (and fails when it does not hold), opens or makes DIR/index, starts the thread. */
ARK_MUSTUSE int indexer_start(struct archive *a, struct indexer **ret, struct ark_error *err);
void indexer_stop(struct indexer *i);
/* Every commit up to this one is searchable. */
uint64_t indexer_sequence(const struct indexer *i);

/* Takes destroyed documents out and leaves no byte of them in DIR/index: what remains is copied to new files that take
 * the place of the old ones. Waits for the indexer's thread. Their rows must have left the catalogue before. */
ARK_MUSTUSE int indexer_drop(
    struct indexer *i, const char (*documents)[33], size_t n, struct ark_error *err);
/* Texts were made pending again: take them up. */
void indexer_look_again(struct indexer *i);
struct ocr_queue *indexer_ocr(struct indexer *i); /* borrowed */
/* What GET /v1/status says beside the sequences: "indexing", "texts", "ocr". i may be NULL: nothing is being
 * indexed. *ret is the caller's. */
ARK_MUSTUSE int indexer_status(
    struct archive *a, struct indexer *i, json_t **ret, struct ark_error *err);

/* A reader with its analyser, for one request at a time; from a pool. */
struct search_desk {
	struct analyser *analyser;
	struct search_reader *reader;
	uint64_t generation; /* of the files that it has open */
	struct search_desk *next;
};
ARK_MUSTUSE int indexer_desk(struct indexer *i, struct search_desk **ret, struct ark_error *err);
void indexer_desk_return(struct indexer *i, struct search_desk *d);

/* Makes the index anew in one go, in a directory of its own that then takes the place of the old one: for
 * `arkki rebuild DIR index`. A kill leaves the old index whole, or the new one. */
ARK_MUSTUSE int indexer_rebuild(struct archive *a,
    void (*progress)(void *arg, const char *step, uint64_t done, uint64_t of), void *arg,
    struct ark_error *err);

#endif
