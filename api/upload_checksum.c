#include "api/upload_checksum.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include "arkki/base/buf.h"
#include "arkki/base/text.h"

enum { SUM_MAX = 32 };

struct upload_checksum {
	EVP_MD_CTX *md;
	unsigned char want[SUM_MAX];
	size_t len;
	bool failed;
};

static const EVP_MD *algorithm_of(const char *name, size_t len)
{
	if (len == 4 && memcmp(name, "sha1", 4) == 0)
		return EVP_sha1();
	if (len == 6 && memcmp(name, "sha256", 6) == 0)
		return EVP_sha256();
	return NULL;
}

int upload_checksum_new(const char *header, struct upload_checksum **ret, struct ark_error *err)
{
	size_t name_len = strcspn(header, " ");
	const EVP_MD *md = algorithm_of(header, name_len);
	const char *sum = header + name_len + strspn(header + name_len, " ");
	struct upload_checksum *c = NULL;
	struct buf want = {.limit = 256};
	int rc = ARK_OK;

	if (!md)
		rc = ark_fail(err, ARK_EINPUT, "Upload-Checksum is sha1 or sha256, and base64.");
	else if (!base64_decode(&want, sum, strlen(sum)) || want.len != (size_t)EVP_MD_get_size(md))
		rc = ark_fail(err, ARK_EINPUT, "Upload-Checksum is not as long as its algorithm.");
	if (rc)
		goto out;
	c = calloc(1, sizeof(*c));
	if (c)
		c->md = EVP_MD_CTX_new();
	if (!c || !c->md || EVP_DigestInit_ex(c->md, md, NULL) != 1) {
		rc = ark_fail(err, ARK_ENOMEM, "no memory for a checksum");
		goto out;
	}
	c->len = want.len;
	memcpy(c->want, want.data, want.len);
	*ret = c;
	c = NULL;
out:
	upload_checksum_free(c);
	buf_free(&want);
	return rc;
}

void upload_checksum_update(struct upload_checksum *c, const void *bytes, size_t len)
{
	c->failed |= EVP_DigestUpdate(c->md, bytes, len) != 1;
}

bool upload_checksum_matches(struct upload_checksum *c)
{
	unsigned char sum[EVP_MAX_MD_SIZE];
	unsigned int len = 0;

	return EVP_DigestFinal_ex(c->md, sum, &len) == 1 && !c->failed && len == c->len &&
	       memcmp(sum, c->want, len) == 0;
}

void upload_checksum_free(struct upload_checksum *c)
{
	if (!c)
		return;
	EVP_MD_CTX_free(c->md);
	free(c);
}
