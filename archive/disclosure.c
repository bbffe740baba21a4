#include "arkki/archive/disclosure.h"

#include "archive/ledger_private.h"
#include "arkki/base/json.h"
#include "arkki/base/text.h"

/* The JSON text is quoted, never made again: its bytes are what the commitment is of. */
static void add_part(struct buf *out, char letter, const struct record_part *part)
{
	char salt[65];

	hex_encode(salt, part->salt, 32);
	buf_addf(out, "\"%c\":{\"salt\":\"%s\",\"json\":", letter, salt);
	json_quote(out, part->json);
	buf_addc(out, '}');
}

static void add_commitment(
    struct buf *out, struct sha256 *sha, char letter, const struct record_part *part)
{
	unsigned char commitment[32];
	char hex[65];

	record_commit_part(sha, letter, part->salt, part->json, part->json_len, commitment);
	hex_encode(hex, commitment, sizeof(commitment));
	buf_addf(out, "\"%c\":{\"commitment\":\"%s\"}", letter, hex);
}

static int add_parts(
    struct buf *out, const struct record_part parts[3], unsigned int letters, struct ark_error *err)
{
	struct sha256 *sha = sha256_new();
	struct buf json = BUF_INIT;

	if (!sha)
		return ark_fail(err, ARK_ENOMEM, "no memory for a disclosure");
	for (unsigned int i = 0; i < 3; i++) {
		char letter = (char)('A' + (int)i);
		struct record_part part = parts[i];

		buf_adds(out, i ? "," : ",\"parts\":{");
		if (!(letters & 1U << i)) {
			add_commitment(out, sha, letter, &part);
			continue;
		}
		buf_clear(&json); /* with a NUL at its end */
		buf_add(&json, part.json, part.json_len);
		part.json = json.data;
		if (!buf_failed(&json))
			add_part(out, letter, &part);
		else
			out->failed = true;
	}
	buf_addc(out, '}');
	buf_wipe_free(&json);
	sha256_free(sha);
	return ARK_OK;
}

int disclosure_write(
    struct ledger *l, uint64_t index, unsigned int letters, struct buf *out, struct ark_error *err)
{
	struct buf plain = BUF_INIT, proof = BUF_INIT;
	struct record_part parts[3];
	int rc = ledger_parts(l, index, &plain, parts, err);

	if (!rc)
		rc = ledger_prove(l, index, &proof, err);
	if (rc)
		goto out;
	buf_adds(out, "{\"log\":");
	json_quote(out, l->origin);
	buf_addf(out, ",\"index\":%llu", (unsigned long long)index);
	rc = add_parts(out, parts, letters, err);
	buf_adds(out, ",\"proof\":");
	json_quote(out, proof.data);
	buf_addc(out, '}');
	if (!rc && buf_failed(out))
		rc = ark_fail(err, ARK_ENOMEM, "no memory for a disclosure");
out:
	buf_wipe_free(&plain);
	buf_free(&proof);
	return rc;
}
