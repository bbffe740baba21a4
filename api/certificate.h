/* Client certificates: what a proxy that ended TLS says about the client's.
 *
 * Requests of the trusted listener alone may carry
 *   Arkki-Client-Verify   "SUCCESS" when the proxy has verified the chain; "NONE" or nothing: no certificate was shown
 *   Arkki-Client-Cert     the certificate as percent-encoded PEM
 * (nginx: $ssl_client_verify, $ssl_client_escaped_cert.) The proxy vouches for the chain; which account it is is bound here, by
 * the SHA-256 of the DER, and the dates are looked at again.
 */
#ifndef ARKKI_API_CERTIFICATE_H
#define ARKKI_API_CERTIFICATE_H

#include "api/app.h"

struct certificate_seen {
	unsigned char sha256[32]; /* of the DER */
	int64_t from_us, until_us;
};
/* Exactly one certificate and nothing but white space after it. ARK_EINPUT says what is wrong. */
ARK_MUSTUSE int certificate_read(
    const char *pem, size_t len, struct certificate_seen *ret, struct ark_error *err);
/* What a request of the trusted listener shows. 1: no certificate; ARK_OK: one that is in its dates; ARK_ENOTFOUND: one that
 * does not count, or two. */
ARK_MUSTUSE int certificate_shown(
    struct exchange *x, struct certificate_seen *ret, struct ark_error *err);

#endif
