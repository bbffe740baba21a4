/* Signed notes, log checkpoints and offline proofs, as texts.
 *
 * c2sp.org/signed-note, c2sp.org/tlog-checkpoint, c2sp.org/tlog-proof; Ed25519
 * (signature type 0x01) and the cosignatures of witnesses (c2sp.org/tlog-cosignature,
 * type 0x04); other signatures are carried and ignored. It knows texts and keys;
 * not where they lie.
 * Threads: pure functions; parsed structs borrow from the text.
 */
#ifndef ARKKI_ARCHIVE_CHECKPOINT_H
#define ARKKI_ARCHIVE_CHECKPOINT_H

#include "archive/merkle.h"
#include "arkki/base/buf.h"
#include "arkki/base/error.h"

enum { NOTE_MAX = 1 << 20, NOTE_SIGNATURES_MAX = 64, NOTE_NAME_MAX = 255 };

struct note_signature {
	const char *name; /* name_len bytes, no NUL */
	size_t name_len;
	uint32_t id;
	const char *base64; /* key id and signature; at most NOTE_MAX */
	size_t base64_len;
};

struct note {
	const char *text; /* with its last newline */
	size_t text_len;
	struct note_signature signatures[NOTE_SIGNATURES_MAX];
	size_t signatures_len;
};

struct note_key {
	char name[NOTE_NAME_MAX + 1];
	uint32_t id;
	unsigned char public_key[32];
};

/* ---- pieces of these texts ---- */
/* Takes the next line, without its newline, off the front; false when no newline is left. */
bool note_line(const char **p, size_t *left, const char **line, size_t *line_len);
/* ASCII decimal without leading zeroes. */
bool note_decimal(const char *text, size_t len, uint64_t *ret);
/* The base64 of a hash, no more and no less. */
bool note_hash(const char *text, size_t len, struct merkle_hash *ret);

/* ARK_EINPUT names what is wrong. Nothing is verified. */
ARK_MUSTUSE int note_parse(const char *bytes, size_t len, struct note *ret, struct ark_error *err);
/* "name+hash+base64"; the hash must be the key's own. */
ARK_MUSTUSE int note_key_parse(const char *vkey, struct note_key *ret, struct ark_error *err);
/* The verifier key of an Ed25519 seed. ARK_EINPUT for a name that no note may carry. */
ARK_MUSTUSE int note_key_from_seed(
    const char *name, const unsigned char seed[32], struct note_key *ret, struct ark_error *err);
ARK_MUSTUSE int note_key_from_public(const char *name, const unsigned char public_key[32],
    struct note_key *ret, struct ark_error *err);
void note_key_format(const struct note_key *key, struct buf *out);
/* ARK_ENOTFOUND: no signature by this key; ARK_ECORRUPT: one that is false. */
ARK_MUSTUSE int note_verify(
    const struct note *note, const struct note_key *key, struct ark_error *err);
/* Appends text (which ends with a newline), a blank line and one signature line. */
ARK_MUSTUSE int note_sign(struct buf *out, const char *text, size_t len, const struct note_key *key,
    const unsigned char seed[32], struct ark_error *err);
/* Appends another signature line to what note_sign() wrote of the same text. */
ARK_MUSTUSE int note_sign_also(struct buf *out, const char *text, size_t len,
    const struct note_key *key, const unsigned char seed[32], struct ark_error *err);

/* ---- witnesses: cosignature/v1 ---- */

/* A key of type 0x04, as a verifier key. A key of the other kind is refused by each. */
ARK_MUSTUSE int note_cosigner_parse(const char *vkey, struct note_key *ret, struct ark_error *err);
ARK_MUSTUSE int note_cosigner_from_seed(
    const char *name, const unsigned char seed[32], struct note_key *ret, struct ark_error *err);
void note_cosigner_format(const struct note_key *key, struct buf *out);
/* Of several lines by the same key the newest that holds counts: anyone can append a false one.
 * *ret_time: seconds since the epoch, as the witness says; may be NULL.
 * ARK_ENOTFOUND: no line by this key; ARK_ECORRUPT: none of them holds. */
ARK_MUSTUSE int note_verify_cosignature(
    const struct note *note, const struct note_key *key, uint64_t *ret_time, struct ark_error *err);
/* Appends one signature line over `text`, the text of a checkpoint. */
ARK_MUSTUSE int note_cosign(struct buf *out, const char *text, size_t len,
    const struct note_key *key, const unsigned char seed[32], uint64_t time, struct ark_error *err);

struct checkpoint {
	uint64_t size;
	struct merkle_hash root;
};

/* The text of a note. origin: what the first line must be; NULL: anything but empty. */
ARK_MUSTUSE int checkpoint_parse(const char *text, size_t len, const char *origin,
    struct checkpoint *ret, struct ark_error *err);
void checkpoint_format(const char *origin, const struct checkpoint *c, struct buf *out);

struct tlog_proof {
	uint64_t index;
	struct buf extra; /* decoded; end with buf_free() */
	struct merkle_hash hashes[MERKLE_PROOF_MAX];
	size_t hashes_len;
	const char *checkpoint; /* the signed note, borrowed */
	size_t checkpoint_len;
};
ARK_MUSTUSE int tlog_proof_parse(
    const char *bytes, size_t len, struct tlog_proof *ret, struct ark_error *err);
void tlog_proof_format(const struct tlog_proof *proof, struct buf *out);

#endif
