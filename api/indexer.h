/* The indexer follows the commits: extracts text in the sandbox, keeps it
 * sealed in derived/, and writes the search index. One thread.
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

/* A reader with its analyser, for one request at a time; from a pool. */
struct search_desk {
	struct analyser *analyser;
	struct search_reader *reader;
	struct search_desk *next;
};
ARK_MUSTUSE int indexer_desk(struct indexer *i, struct search_desk **ret, struct ark_error *err);
void indexer_desk_return(struct indexer *i, struct search_desk *d);

/* Makes the index anew in one go, in this thread: for `arkki rebuild DIR index`. */
ARK_MUSTUSE int indexer_rebuild(struct archive *a,
    void (*progress)(void *arg, const char *step, uint64_t done, uint64_t of), void *arg,
    struct ark_error *err);

#endif
