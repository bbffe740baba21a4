/* What tests need of sealing and nobody else may use.
 *
 * Raw mode (the appendix of c2sp.org/chunked-encryption) takes the chunk key
 * and base nonce as they are: no salt, no commitment, no header. A salt given
 * by the caller makes sealing repeatable; used twice under one key it gives
 * the plaintext away.
 */
#ifndef ARKKI_ARCHIVE_SEAL_PRIVATE_H
#define ARKKI_ARCHIVE_SEAL_PRIVATE_H

#include "arkki/archive/seal.h"

enum { SEAL_SALT_SIZE = 24, SEAL_NONCE_SIZE = 12, SEAL_COMMITMENT_SIZE = 32 };

/* What HKDF-Expand gives for one message, in its order. */
struct seal_derived {
	unsigned char key[SEAL_KEY_SIZE];
	unsigned char nonce[SEAL_NONCE_SIZE];
	unsigned char commitment[SEAL_COMMITMENT_SIZE];
};

ARK_MUSTUSE int sealer_new_salted(const struct seal_key *key,
    const unsigned char salt[SEAL_SALT_SIZE], const void *context, size_t context_len,
    seal_sink sink, void *sink_arg, struct sealer **ret, struct ark_error *err);
/* Only key and nonce of `raw` are used. */
ARK_MUSTUSE int sealer_new_raw(const struct seal_derived *raw, seal_sink sink, void *sink_arg,
    struct sealer **ret, struct ark_error *err);
ARK_MUSTUSE int opener_new_raw(
    const struct seal_derived *raw, struct opener **ret, struct ark_error *err);

#endif
