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
#include "arkki/archive/credentials.h"

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

struct certificate_wish {
	const char *user, *name; /* name may be NULL */
	const char *pem;
	size_t len;
};
/* Binds one to an account and logs it, by the caller or the operator. ARK_ENOTFOUND: no such active account; ARK_EREFUSED: not one of a
 * system; ARK_EINPUT: what is wrong with the certificate or its name; ARK_ECONFLICT: it is another account's. */
ARK_MUSTUSE int certificate_add(struct exchange *x, const struct certificate_wish *wish,
    struct certificate *ret, struct ark_error *err);
/* Takes a binding away and logs it. ARK_ENOTFOUND: there is none of that id. */
ARK_MUSTUSE int certificate_end(struct exchange *x, const char *id, struct ark_error *err);

#endif
