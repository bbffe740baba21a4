#include "archive/git_hash.h"

#include <inttypes.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

struct githash {
	EVP_MD_CTX *ctx;
	bool failed;
};

static pthread_once_t fetch_once = PTHREAD_ONCE_INIT;
static EVP_MD *fetched; /* an explicit fetch: an implicit one costs a lookup for each object */

static void fetch(void)
{
	fetched = EVP_MD_fetch(NULL, "SHA1", NULL);
}

struct githash *githash_new(void)
{
	struct githash *h = calloc(1, sizeof(*h));

	pthread_once(&fetch_once, fetch);
	if (!h || !fetched || !(h->ctx = EVP_MD_CTX_new())) {
		free(h);
		return NULL;
	}
	return h;
}

void githash_free(struct githash *h)
{
	if (!h)
		return;
	EVP_MD_CTX_free(h->ctx);
	free(h);
}

void githash_start(struct githash *h)
{
	h->failed = EVP_DigestInit_ex2(h->ctx, fetched, NULL) != 1;
}

void githash_update(struct githash *h, const void *bytes, size_t len)
{
	if (!h->failed && len && EVP_DigestUpdate(h->ctx, bytes, len) != 1)
		h->failed = true;
}

void githash_start_object(struct githash *h, enum gitobj_type type, uint64_t len)
{
	char head[40];
	int n = snprintf(head, sizeof(head), "%s %" PRIu64, gitobj_type_name(type), len);

	githash_start(h);
	githash_update(h, head, (size_t)n + 1);
}

int githash_final(struct githash *h, struct store_oid *ret, struct ark_error *err)
{
	unsigned char out[EVP_MAX_MD_SIZE];
	unsigned int n = 0;

	if (h->failed || EVP_DigestFinal_ex(h->ctx, out, &n) != 1 || n != STORE_OID_SIZE)
		return ark_fail(err, ARK_ENOMEM, "libcrypto could not make a SHA-1 digest");
	for (n = 0; n < STORE_OID_SIZE; n++)
		ret->id[n] = out[n];
	return ARK_OK;
}

const char *gitobj_type_name(enum gitobj_type type)
{
	switch (type) {
	case GITOBJ_COMMIT:
		return "commit";
	case GITOBJ_TREE:
		return "tree";
	case GITOBJ_BLOB:
		return "blob";
	case GITOBJ_TAG:
		return "tag";
	}
	return "object";
}
