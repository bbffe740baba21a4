/* Requests to an identity provider, bounded in time and size: 5 s in all, 1 MiB, no redirections, https with the certificate verified;
 * plain http to this machine itself only (a provider on loopback: tests, a local proxy).
 *
 * It knows addresses and bytes; nothing of what they say.
 * Threads: any; each request is on its own.
 */
#ifndef ARKKI_API_OIDC_HTTP_H
#define ARKKI_API_OIDC_HTTP_H

#include <stdatomic.h>
#include <stdbool.h>

#include "arkki/base/buf.h"
#include "arkki/base/error.h"

enum { OIDC_ANSWER_MAX = 1 << 20, OIDC_URL_MAX = 1000, OIDC_TIMEOUT_MS = 5000 };

/* An absolute https address without user, password and fragment, of at most OIDC_URL_MAX bytes; or an http one of this
 * machine. *ret_loopback (may be NULL): it is on this machine. */
bool oidc_url_valid(const char *url, bool *ret_loopback);

struct oidc_request {
	const char *url;
	const char *form;            /* a POST of this form; NULL: a GET */
	const char *user, *password; /* HTTP Basic as they are, NULL: none */
	const char *bearer;          /* an access token, NULL: none */
	/* trusts these issuers in place of the system's; NULL or "": the system's */
	const char *ca_file;

	const atomic_bool *stop; /* a request under way ends soon when it is set; may be NULL */
};
/* ARK_EIO: no whole answer, and the text says why, without the address. Any status is an answer. out is appended to; wiped by who owns it. */
ARK_MUSTUSE int oidc_http(
    const struct oidc_request *r, long *ret_status, struct buf *out, struct ark_error *err);

#endif
