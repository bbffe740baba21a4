/* What the client of witnesses shares: their settings, and one submission judged.
 *
 * Threads: settings are only read; a submission belongs to one thread.
 */
#ifndef ARKKI_ARCHIVE_WITNESS_ASK_H
#define ARKKI_ARCHIVE_WITNESS_ASK_H

#include "archive/witness_http.h"
#include "archive/witness_policy.h"
#include "archive/witness_wire.h"

struct witness_settings {
	struct policy *policy; /* NULL: none */
	bool require_public, require_partly, require_secret;
};
/* Reads DIR/witness.policy and DIR/arkki.conf. ARK_EINPUT names what is wrong. */
ARK_MUSTUSE int witness_settings_load(
    const char *dir, struct witness_settings *ret, struct ark_error *err);
void witness_settings_free(struct witness_settings *s);

enum witness_word {
	WITNESS_COSIGNED, /* line holds its verified signature line */
	WITNESS_BEHIND, /* it has seen `seen` entries, fewer than we offer: offer a proof from there */
	WITNESS_AHEAD, /* it has seen `seen`, more than we have */
	WITNESS_FALSE, /* it took the checkpoint, but its cosignature does not hold: err says what */
	WITNESS_DISAGREES, /* it has seen another tree */
	WITNESS_FAILED,    /* no answer, or none that makes sense: err says what */
};

struct witness_said {
	enum witness_word word;
	uint64_t seen;
	struct buf line; /* kept between calls; buf_free() */
};

/* Offers a checkpoint (a signed note) with the proof from old_size, and judges the answer. */
void witness_offer(struct witness_link *k, const struct note_key *key, uint64_t old_size,
    const struct merkle_hash *proof, size_t proof_len, const struct checkpoint *c,
    const struct buf *note, long timeout_ms, struct witness_said *ret, struct ark_error *err);

/* What an operator must know when a witness is ahead or disagrees. */
int witness_stop_text(struct ark_error *err, const char *witness, const char *origin,
    const struct witness_said *said, uint64_t size);

#endif
