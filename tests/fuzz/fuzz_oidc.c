/* Tokens and sets of keys from an identity provider: the first line is a token, what follows the keys.
 * Nothing of a fuzzer's making is signed by anybody: a token that passes with keys of our own is a find. */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "api/oidc_token.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* of a key made for this and thrown away */
static const char own_keys[] = "{\"keys\":[{\"kty\":\"EC\",\"kid\":\"k\",\"crv\":\"P-256\",\"x\":"
			       "\"0jgc7_0wxTdrOwoT0DCSmTu6y1PIM9vqeuXjRLlSS0c\",\"y\":"
			       "\"QJxtD3Ood6IeF4mdxftg5SzKimGRc-rrjdFQm37YjmI\"}]}";

static void look(
    const char *token, size_t len, const json_t *keys, enum oidc_token_kind kind, bool ours)
{
	const struct oidc_expected e = {.kind = kind,
	    .issuer = "https://idp.example.test",
	    .client = "arkki",
	    .nonce = "n",
	    .access_token = "a",
	    .now_us = 1790000000LL * 1000000};
	json_t *claims = NULL;
	int rc = oidc_token_check(token, len, keys, &e, &claims, NULL);

	if ((rc == ARK_OK) != (claims != NULL) || (ours && rc == ARK_OK))
		abort();
	json_decref(claims);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data, *line = size ? memchr(text, '\n', size) : NULL;
	size_t n = line ? (size_t)(line - text) : size;
	json_t *keys = NULL, *own = NULL;

	if (oidc_keys_read(own_keys, sizeof(own_keys) - 1, &own, NULL))
		abort();
	look(text, n, own, OIDC_ID_TOKEN, true);
	look(text, n, own, OIDC_LOGOUT_TOKEN, true);
	if (line && oidc_keys_read(line + 1, size - n - 1, &keys, NULL) == ARK_OK) {
		look(text, n, keys, OIDC_ID_TOKEN, false);
		look(text, n, keys, OIDC_LOGOUT_TOKEN, false);
	}
	json_decref(keys);
	json_decref(own);
	return 0;
}
