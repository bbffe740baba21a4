/* state.sqlite (WAL, FULL): what is neither record nor rebuildable: bearer
 * tokens, stored only as keyed hashes, and marks.
 *
 * Threads: struct state has its own lock; any thread. Durability: each call
 * that writes is one durable transaction.
 */
#ifndef ARKKI_ARCHIVE_STATE_H
#define ARKKI_ARCHIVE_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "arkki/archive/keyring.h"
#include "arkki/base/error.h"

struct state;

ARK_MUSTUSE int state_open(const char *path, const struct keyring *keys, bool create,
    struct state **ret, struct ark_error *err);
void state_close(struct state *s);

enum { STATE_TOKEN_SIZE = 64 }; /* text and NUL */

/* A fresh random token "arkki_" + base64url of 32 bytes for `user`, valid until expires_us. Only its hash
 * is stored; user is sealed. ret_id: 16 hex digits that name it in logs. */
ARK_MUSTUSE int state_token_create(struct state *s, const char *user, const char *name,
    int64_t expires_us, char ret_token[STATE_TOKEN_SIZE], char ret_id[17], struct ark_error *err);

enum token_scope {       /* bits: what a token may be used for, within its user's rights */
	TOKEN_READ = 1,  /* list, read, readContent, readPublic; searches */
	TOKEN_FILE = 2,  /* file, amend, redact, order, notify, hold, dispose */
	TOKEN_AUDIT = 4, /* audit, auditOwn */
	TOKEN_ADMINISTER = 8,
	TOKEN_ACCOUNTS = 16, /* accounts, tokens, sessions */
	TOKEN_ALL = 31,
};

struct state_token {
	char id[17];
	char user[65];
	int64_t created_us, expires_us;
	int64_t seen_us; /* last use, to the minute; 0: never */
	unsigned int scopes;
	char name[257];
};
/* As state_token_create(), with wish's user, name, scopes and expires_us; the rest of wish is filled in. */
ARK_MUSTUSE int state_token_make(struct state *s, struct state_token *wish,
    char ret_token[STATE_TOKEN_SIZE], struct ark_error *err);
/* Those of a user that have not expired, newest first. */
ARK_MUSTUSE int state_token_each(struct state *s, const char *user, int64_t now_us,
    int (*each)(void *arg, const struct state_token *t), void *arg, struct ark_error *err);
/* Was used now. Not durable at once: it may be lost in a crash. */
ARK_MUSTUSE int state_token_used(
    struct state *s, const char *id, int64_t now_us, struct ark_error *err);
/* ARK_ENOTFOUND: unknown, revoked or expired at now_us; the three cannot be told apart, also by time. */
ARK_MUSTUSE int state_token_find(struct state *s, const char *token, int64_t now_us,
    struct state_token *ret, struct ark_error *err);
ARK_MUSTUSE int state_token_revoke(struct state *s, const char *id, struct ark_error *err);

/* A mark is a number under a name, which is stored only as a keyed hash: how far somebody has looked. ret is 0
 * where there is none. Setting 0 removes it. */
ARK_MUSTUSE int state_mark_get(
    struct state *s, const char *name, uint64_t *ret, struct ark_error *err);
ARK_MUSTUSE int state_mark_set(
    struct state *s, const char *name, uint64_t value, struct ark_error *err);

/* The file is a whole database, and each token opens and is of a user that known() knows (may be NULL). ARK_ECORRUPT
 * names the first fault. */
ARK_MUSTUSE int state_check(
    struct state *s, bool (*known)(void *arg, const char *user), void *arg, struct ark_error *err);

#endif
