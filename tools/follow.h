/* A follower of one log: an outsider who trusts the log's verifier key and what it saw before, and nothing else.
 *
 * It reads a log by its tiles (c2sp.org/tlog-tiles), from a source that may lie or be damaged: every new entry bundle is
 * hashed, every hash tile of the new tree's right part compared, the tree seen before continued to the tree that is
 * signed now. It knows no records: entries are commitments (33 bytes).
 *
 * The state is a file that holds the newest checkpoint that was verified, as it was signed.
 * Threads: a source belongs to one thread. Durability: the state is synced before follow_log() returns ARK_OK.
 */
#ifndef ARKKI_TOOLS_FOLLOW_H
#define ARKKI_TOOLS_FOLLOW_H

#include "archive/checkpoint.h"
#include "archive/ledger_tiles.h"
#include "archive/witness_policy.h"

struct follow_source {
	/* Appends the newest checkpoint. */
	int (*checkpoint)(void *arg, struct buf *out, struct ark_error *err);
	/* Appends the first id->width hashes or entries of a tile. ARK_ENOTFOUND: it has none such. */
	int (*tile)(void *arg, const struct tile_id *id, struct buf *out, struct ark_error *err);
	void (*close)(void *arg); /* may be NULL */
	void *arg;
};
/* where: "http://…", "https://…" (the log's prefix), or a directory of tiles. token_file: a bearer token for HTTP, or NULL.
 * On success ended with follow_source_close(). */
ARK_MUSTUSE int follow_source_open(
    const char *where, const char *token_file, struct follow_source *ret, struct ark_error *err);
void follow_source_close(struct follow_source *s);

/* The tree of `to` continues the tree of `from` (size 0: nothing was seen yet), and every tile of it that is not of the
 * tree of `from` alone is as it must be. ARK_ECORRUPT: the text says which tile is missing or false, or that the log was forked.
 * progress may be NULL: after every 65,536 entries. */
ARK_MUSTUSE int follow_tree(const struct follow_source *s, const struct checkpoint *from,
    const struct checkpoint *to, void (*progress)(uint64_t done, uint64_t of),
    struct ark_error *err);

enum { FOLLOW_KEYS_MAX = 16 };

struct follow {
	struct note_key keys[FOLLOW_KEYS_MAX]; /* of one name: any of them may have signed */
	size_t keys_len;
	const char *state;           /* path */
	const struct policy *policy; /* whose cosignatures a checkpoint must have; NULL: nobody's */
	void (*progress)(uint64_t done, uint64_t of);
	/* what follow_log() found */
	struct checkpoint from, to;
};
/* Every --vkey that was given. ARK_EINPUT: one is none, or they are of two logs. cmd_log_follow.c */
struct cli;
ARK_MUSTUSE int follow_keys(const struct cli *c, struct follow *f, struct ark_error *err);
/* From the state's checkpoint to the log's newest one; f->keys and the paths are given. A checkpoint that
 * does not follow from the state is kept beside it ("<state>.conflict"): two signed texts that cannot both be true are evidence.
 * ARK_EIO: the source did not answer, nothing is known. */
ARK_MUSTUSE int follow_log(struct follow *f, const struct follow_source *s, struct ark_error *err);
/* Is `entry` at `index` of the tree that was followed to? */
ARK_MUSTUSE int follow_holds(const struct follow *f, const struct follow_source *s, uint64_t index,
    const unsigned char entry[ENTRY_SIZE], struct ark_error *err);

#endif
