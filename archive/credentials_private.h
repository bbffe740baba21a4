/* What the files of state.sqlite share: the database, its keys, and the sealed rows of table "credential".
 *
 *   kind   enum credential_kind
 *   name   BLAKE2b-256 of what the row is found by, keyed for its kind
 *   id     8 bytes that name the row in lists and logs
 *   owner  BLAKE2b-128 of the user's id, keyed; zeros: nobody's
 *   ends   when the row counts no more, µs; INT64_MAX: never
 *   body   nonce[24] || XChaCha20-Poly1305(fields) || tag[16] under a key of its kind, with all the other columns as
 *          additional data: a row in which a bit was changed, or a part was taken from another row, does not open
 *
 * A body's fields stand one after the other, texts padded with zeros to their longest, so that a length tells nothing.
 *
 * Threads: everything here between state_enter() and state_leave(), or on one's own row.
 */
#ifndef ARKKI_CREDENTIALS_PRIVATE_H
#define ARKKI_CREDENTIALS_PRIVATE_H

#include <pthread.h>
#include <sodium.h>

#include "archive/catalogue_db.h"
#include "arkki/archive/credentials.h"
#include "arkki/archive/state.h"

enum {
	KEY_SIZE = 32,
	HASH_SIZE = 32,
	SECRET_SIZE = 32, /* random bytes of a token, a cookie, a link */
	USER_SIZE = 64,   /* the longest id; shorter ones are padded, to tell nothing */
	ROW_ID_SIZE = 8,
	OWNER_SIZE = 16,
	NONCE_SIZE = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES,
	SEAL_EXTRA = NONCE_SIZE + crypto_aead_xchacha20poly1305_ietf_ABYTES,
	DECOY_SIZE = 1024, /* a session's body takes about so much */
};

/* Numbers in the file: never given anew. */
enum credential_kind {
	CREDENTIAL_PASSWORD = 1,    /* found by the user */
	CREDENTIAL_TOTP = 2,        /* by the user */
	CREDENTIAL_TOTP_BEGUN = 3,  /* by the user */
	CREDENTIAL_RECOVERY = 4,    /* by user and code */
	CREDENTIAL_LINK = 5,        /* by the code */
	CREDENTIAL_SESSION = 6,     /* by the cookie */
	CREDENTIAL_IDENTITY = 7,    /* by provider and subject */
	CREDENTIAL_CERTIFICATE = 8, /* by the certificate's SHA-256 */
	CREDENTIAL_PROVIDER = 9,    /* by its id; nobody's */
	CREDENTIAL_TOKEN_USE = 10,  /* by the token's id; nobody's: when it was used last */
	CREDENTIAL_UPLOAD = 11,     /* by its id: uploads.c */
	CREDENTIAL_KINDS,
};

struct state {
	pthread_mutex_t lock; /* over db */
	struct db db;
	bool marks, credentials; /* their tables are there */
	unsigned char hash_key[KEY_SIZE], seal_key[KEY_SIZE], owner_key[KEY_SIZE];
	struct {
		unsigned char hash[KEY_SIZE], seal[KEY_SIZE];
	} kinds[CREDENTIAL_KINDS];
	/* opened when something is unknown, so that this case takes the same steps */
	unsigned char decoy[DECOY_SIZE + SEAL_EXTRA], decoy_hash[HASH_SIZE];
	char decoy_password[crypto_pwhash_STRBYTES]; /* the hash of nothing that anybody knows */
};

/* ---- state.c ---- */

void state_derive(unsigned char out[KEY_SIZE], const unsigned char key[32], const char *what);
/* A fresh secret, prefix || base64url(32 random bytes), into ret. */
ARK_MUSTUSE int state_secret(const char *prefix, char ret[STATE_TOKEN_SIZE], struct ark_error *err);
/* A commit is synced at once, or (lazily) with the next that is. Under the lock. */
ARK_MUSTUSE int state_lazily(struct state *s, bool lazily, struct ark_error *err);
/* After rows were deleted: the log that still holds their pages is emptied, as far as nobody reads in it now. */
void state_forget_log(struct state *s);

/* ---- state_tokens.c: under the lock ---- */

ARK_MUSTUSE int tokens_check(
    struct state *s, bool (*known)(void *arg, const char *user), void *arg, struct ark_error *err);
/* Every token of the user's; NULL: those that have expired at now_us, whosever. */
ARK_MUSTUSE int tokens_remove(
    struct state *s, const char *user, int64_t now_us, struct ark_error *err);
ARK_MUSTUSE int tokens_summary(struct state *s, const char *user, int64_t now_us,
    unsigned int *ret_n, int64_t *ret_seen_us, struct ark_error *err);
/* Sealed with 32 bytes of additional data, by the key of the tokens. `out` takes len + SEAL_EXTRA bytes. */
void tokens_seal(const struct state *s, const void *plain, size_t len,
    const unsigned char hash[HASH_SIZE], unsigned char *out);
bool tokens_open(const struct state *s, const void *sealed, size_t sealed_len,
    const unsigned char hash[HASH_SIZE], unsigned char *out);

/* ---- fields of a body ---- */

struct fields {
	const unsigned char *at;
	size_t left;
	bool bad; /* sticky: the body ended before its fields */
};

/* text, padded to size; a longer one is cut to whole UTF-8 by the caller. */
void field_text(struct buf *body, const char *text, size_t size);
void field_number(struct buf *body, int64_t number);
/* size bytes into out, which takes size + 1. */
void fields_text(struct fields *f, char *out, size_t size);
void fields_bytes(struct fields *f, void *out, size_t size);
int64_t fields_number(struct fields *f);

/* ---- rows ---- */

struct row {
	enum credential_kind kind;
	unsigned char name[HASH_SIZE], id[ROW_ID_SIZE], owner[OWNER_SIZE];
	int64_t ends_us;
	struct buf body; /* opened; begins with the user's id in USER_SIZE bytes, zeros: nobody's */
};

/* Locks, sees to the table, and (writing) begins a transaction. On failure nothing is locked. */
ARK_MUSTUSE int state_enter(struct state *s, bool writing, struct ark_error *err);
/* Commits, or on a failed rc rolls back; unlocks; rc or what failed now. */
ARK_MUSTUSE int state_leave(struct state *s, bool writing, int rc, struct ark_error *err);

/* A row of this kind that nobody has yet: a fresh id, ends never, a body that begins with the user (NULL: nobody's). */
void row_init(const struct state *s, struct row *r, enum credential_kind kind, const char *user);
void row_free(struct row *r); /* wipes it */
/* The row's name: of one text, or of two with a NUL between. */
void row_name(const struct state *s, struct row *r, const char *text, const char *second);
void row_name_bytes(const struct state *s, struct row *r, const void *bytes, size_t len);
void row_owner(const struct state *s, const char *user, unsigned char out[OWNER_SIZE]);

/* Fills id, owner, ends and body of the row of r->kind and r->name. ARK_ENOTFOUND: none, in about the same time. */
ARK_MUSTUSE int row_read(struct state *s, struct row *r, struct ark_error *err);
/* Takes the place of the row of this name. */
ARK_MUSTUSE int row_write(struct state *s, const struct row *r, struct ark_error *err);
/* A new body where the row still is; one that was deleted meanwhile stays so. */
ARK_MUSTUSE int row_renew(struct state *s, const struct row *r, struct ark_error *err);
/* *ret_there (may be NULL): there was one. */
ARK_MUSTUSE int row_delete(
    struct state *s, const struct row *r, bool *ret_there, struct ark_error *err);
/* All of a kind that are this user's. */
ARK_MUSTUSE int rows_delete(
    struct state *s, enum credential_kind kind, const char *user, struct ark_error *err);

/* Which rows: of any owner (user NULL), of any name (id NULL). */
struct rows_wish {
	enum credential_kind kind; /* 0: all */
	const char *user;
	const unsigned char *id; /* ROW_ID_SIZE bytes */
};
/* In order of kind and name; `each` may delete the row that it is given and write nothing else. What it returns but 0 ends
 * it and is returned. A row that does not open is ARK_ECORRUPT. */
ARK_MUSTUSE int rows_each(struct state *s, const struct rows_wish *wish,
    int (*each)(void *arg, struct row *r, struct ark_error *err), void *arg, struct ark_error *err);

/* The parts of the body after the user's id; user (65 bytes, may be NULL) is filled. */
struct fields row_fields(const struct row *r, char *user);
bool row_id_parse(const char *hex, unsigned char out[ROW_ID_SIZE]);

/* ---- for credentials_sweep() and credentials_summary() ---- */

/* Deletes the session of this row when it is over. */
ARK_MUSTUSE int session_sweep(
    struct state *s, const struct row *r, int64_t now_us, int64_t idle_us, struct ark_error *err);
/* When the session of this row was seen last. */
ARK_MUSTUSE int session_seen(const struct row *r, int64_t *ret_us, struct ark_error *err);

/* ---- passwords ---- */

/* The form of a hash by the parameters of now, of random bytes: verifying against it takes what verifying takes. */
ARK_MUSTUSE int password_decoy(char ret[crypto_pwhash_STRBYTES], struct ark_error *err);
/* password_check_new()'s list: ARK_ENOTFOUND when the password is not in it. */
ARK_MUSTUSE int blocklist_find(const char *path, const char *password, struct ark_error *err);

#endif
