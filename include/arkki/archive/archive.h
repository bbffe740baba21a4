/* An archive: one directory with everything in it, opened as a whole.
 *
 *   DIR/arkki.conf archive.git/ allowed_signers keys/ ledger/{history,access}/
 *       state.sqlite catalogue.sqlite derived/ index/ spool/ run/ lock
 *
 * archive_init() makes one; archive_open() locks it (when for writing),
 * brings ledger and catalogue level with the store (recover), loads the
 * registry, and starts the filing writer. The modules inside are reached
 * through the accessors.
 *
 * Threads: everything here may be called from any thread, except that a
 * struct desk serves one thread at a time.
 */
#ifndef ARKKI_ARCHIVE_ARCHIVE_H
#define ARKKI_ARCHIVE_ARCHIVE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "arkki/archive/catalogue.h"
#include "arkki/archive/keyring.h"
#include "arkki/archive/ledger.h"
#include "arkki/archive/registry.h"
#include "arkki/archive/state.h"
#include "arkki/archive/store.h"
#include "arkki/base/error.h"

struct archive;

enum { ARCHIVE_FORMAT = 1 };

/* Refuses a non-empty dir and an existing root key file. Leaves shipped types, retention and policies
 * as the first records, and size-0 checkpoints of both logs. */
ARK_MUSTUSE int archive_init(
    const char *dir, const char *root_key, const char *origin, struct ark_error *err);

enum archive_mode {
	ARCHIVE_WRITE,   /* takes the lock; ARK_ECONFLICT when another process has it */
	ARCHIVE_READ,    /* beside a writer: nothing is changed, no thread is started */
	ARCHIVE_REBUILD, /* as WRITE, and the catalogue is made anew from the store first */
	ARCHIVE_RESTORE, /* as WRITE, but policies in force that cannot be used are passed over: then there
			  * are none. For policies_restore(). */
};
/* progress may be NULL: called with steps of long work, for a person. */
ARK_MUSTUSE int archive_open(const char *dir, const char *root_key, enum archive_mode mode,
    void (*progress)(void *arg, const char *step, uint64_t done, uint64_t of), void *arg,
    struct archive **ret, struct ark_error *err);
/* Files what waits, stops the threads, writes last checkpoints. */
void archive_close(struct archive *a);

/* After a change of keys that renewed or retired a signing key: everyone who signs takes up what the keyring has. */
ARK_MUSTUSE int archive_rekey(struct archive *a, struct ark_error *err);

const char *archive_dir(const struct archive *a);
const char *archive_spool_dir(const struct archive *a);
const char *archive_origin(const struct archive *a);
struct keyring *archive_keyring(const struct archive *a);
struct store *archive_store(const struct archive *a);
struct ledger *archive_ledger(const struct archive *a, enum ledger_which which);
struct registry *archive_registry(const struct archive *a);
struct state *archive_state(const struct archive *a);
/* Sequence of the last commit that is in store, history and catalogue. */
uint64_t archive_sequence(const struct archive *a);

/* A desk is what one thread needs to read: a store reader and a catalogue
 * connection. Taken from a pool for one request, given back after. */
struct desk {
	struct catalogue *catalogue;
	struct store_reader *store;
	struct desk *next; /* the pool's */
};
ARK_MUSTUSE int archive_desk(struct archive *a, struct desk **ret, struct ark_error *err);
void archive_desk_return(struct archive *a, struct desk *d);

/* Called after every commit is visible, from the writer's thread: do little.
 * At most four listeners, set before filings begin. */
void archive_listen(struct archive *a, void (*fn)(void *arg, uint64_t sequence), void *arg);
/* When it returns, nobody calls with that arg any more. Not from a listener. */
void archive_unlisten(struct archive *a, void *arg);

/* Keyed hash under the token key: entity tags, cursors, request keys. out: 32 hex digits and NUL. */
void archive_tag(
    const struct archive *a, const char *what, const void *bytes, size_t len, char out[33]);

/* Text for a caller to bring back and not to read, bound to its use: cursors. At most 500 bytes; the same text has
 * the same token, whose length tells nothing below 64 bytes. */
ARK_MUSTUSE int archive_conceal(const struct archive *a, const char *use, const char *text,
    struct buf *out, struct ark_error *err);
/* ARK_EINPUT when it is not one of ours for this use. */
ARK_MUSTUSE int archive_reveal(const struct archive *a, const char *use, const char *token,
    struct buf *out, struct ark_error *err);

/* One durable maintenance entry in the access log for system work; names job and range. */
ARK_MUSTUSE int archive_maintenance(struct archive *a, const char *job, const char *range,
    struct receipt **ret, struct ark_error *err);

/* Compares everything: store, keys, ledger, catalogue; full: every sealed byte is opened and every digest
 * compared with the history log. receipt: token of a maintenance entry that a running server made for this
 * work; NULL: there is no server, and the archive is opened (and recovered) first to write that entry. Calls bad() for each
 * fault, summary() with lines that begin with "note: ", and last with the summary itself. ARK_ECORRUPT when there was any fault. */
ARK_MUSTUSE int archive_verify(const char *dir, const char *root_key, bool full,
    const char *receipt, void (*progress)(void *arg, const char *step, uint64_t done, uint64_t of),
    void (*bad)(void *arg, const char *what), void (*summary)(void *arg, const char *line),
    void *arg, struct ark_error *err);
/* The same, for a result that is to last (verified.h): without a server it also writes that the check begins. result, an empty
 * object (NULL: none), is filled whatever comes of it, for verified_end(); "begun" is in it when that entry was
 * written here. */
struct archive_verify_to { /* as above */
	void (*progress)(void *arg, const char *step, uint64_t done, uint64_t of);
	void (*bad)(void *arg, const char *what);
	void (*summary)(void *arg, const char *line);
	void *arg;
};
ARK_MUSTUSE int archive_verify_result(const char *dir, const char *root_key, bool full,
    const char *receipt, const struct archive_verify_to *to, json_t *result, struct ark_error *err);

#endif
