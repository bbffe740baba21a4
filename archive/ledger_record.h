/* Records of the ledger as JSON parts with salted commitments.
 *
 * The plaintext of a frame is, for each of the parts A, B and C in order:
 *   u32 length of the JSON (big-endian) || salt[32] || JSON
 * A draft is a record in JSON but for what only the writer knows: time and
 * sequence numbers. The appending thread makes it, the writer completes it.
 *
 * Threads: pure functions.
 */
#ifndef ARKKI_ARCHIVE_LEDGER_RECORD_H
#define ARKKI_ARCHIVE_LEDGER_RECORD_H

#include "arkki/archive/ledger.h"

enum {
	RECORD_SALTS = 96,
	RECORD_TIME_SIZE = 28, /* "2026-03-12T08:15:30.123456Z" and NUL */
	RECORD_OVERHEAD = 320, /* what completing adds to the draft's text, at most */
	RECORD_TEXT_MAX = 200 * 1024,
};

struct record_draft {
	/* pieces of text, one after the other */
	uint32_t a_what_len; /* after the time: kind, outcome, document, version */
	uint32_t a_rest_len; /* after documentSequence */
	uint32_t b_len;
	uint32_t c_len;
	int64_t time_us;                           /* 0: of the writing */
	unsigned char document[16], principal[16]; /* id; keyed hash */
	unsigned char org[16], author[16];         /* keyed hashes */
	uint64_t about;
	bool has_document, has_principal, has_org, has_author, has_about, own_series, glass;
};

/* Appends the draft's text. ARK_EINPUT: text that is not UTF-8, an id that is none,
 * a detail that is no JSON object, or over RECORD_TEXT_MAX. */
ARK_MUSTUSE int record_draft(const struct keyring *keys, const struct ledger_record *record,
    struct buf *text, struct record_draft *ret, struct ark_error *err);
static inline size_t record_draft_len(const struct record_draft *d)
{
	return (size_t)d->a_what_len + d->a_rest_len + d->b_len + d->c_len;
}

void record_time(char out[RECORD_TIME_SIZE], int64_t time_us);

/* What the writer adds. Sequences are 0 where there is none. */
struct record_stamp {
	const char *time;
	uint64_t document_sequence, principal_sequence;
	const unsigned char *salts; /* RECORD_SALTS bytes */
};
/* Writes the plaintext (at most draft text + RECORD_OVERHEAD) and the entry. Returns its length. */
size_t record_complete(const struct record_draft *d, const char *text,
    const struct record_stamp *stamp, struct sha256 *sha, unsigned char *plain,
    unsigned char entry[33]);

/* commitment(letter) and entry, as archive/README.md "Records and entries". */
void record_commit_part(struct sha256 *sha, char letter, const unsigned char salt[32],
    const char *json, size_t json_len, unsigned char ret[32]);
void record_commit_entry(
    struct sha256 *sha, const unsigned char commitments[96], unsigned char ret[33]);

struct record_part {
	const unsigned char *salt; /* 32 bytes */
	const char *json;
	size_t json_len;
};
/* Splits a plaintext and compares it with its entry. ARK_ECORRUPT when they do not agree. */
ARK_MUSTUSE int record_split(const void *plain, size_t len, const unsigned char entry[33],
    struct record_part ret[3], struct ark_error *err);
/* The parts as JSON values; *ret is the caller's (ledger_entry_free). */
ARK_MUSTUSE int record_read(const void *plain, size_t len, const unsigned char entry[33],
    uint64_t index, struct ledger_entry *ret, struct ark_error *err);

#endif
