/* What comes to and from a witness: request bodies, cosigned notes, policies. */
#include <stdlib.h>
#include <string.h>

#include "archive/witness_policy.h"
#include "archive/witness_wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void again_the_same(const struct witness_request *q, const char *text, size_t size)
{
	struct buf out = BUF_INIT;

	if (witness_request_format(&out, q->old_size, q->proof, q->proof_len, q->note_bytes,
		q->note_len, NULL) != ARK_OK)
		abort();
	/* there is one spelling of a request */
	if (out.len != size || memcmp(out.data, text, size) != 0)
		abort();
	buf_free(&out);
}

static void cosignatures(const struct note *note)
{
	static const unsigned char seed[32] = {1};
	struct note_key key;

	if (note_cosigner_from_seed("w", seed, &key, NULL) != ARK_OK)
		abort();
	/* the seed is known, but nothing was signed by it over a fuzzer's text with this name */
	(void)!note_verify_cosignature(note, &key, NULL, NULL);
	if (note->signatures_len) {
		key.id = note->signatures[0].id;
		if (note->signatures[0].name_len < sizeof(key.name)) {
			memcpy(key.name, note->signatures[0].name, note->signatures[0].name_len);
			key.name[note->signatures[0].name_len] = '\0';
		}
		(void)!note_verify_cosignature(note, &key, NULL, NULL);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct witness_request *q = malloc(sizeof(*q));
	struct policy *p = NULL;
	char *text = malloc(size + 1);

	if (!q || !text)
		abort();
	memcpy(text, data, size);
	text[size] = '\0';
	if (witness_request_parse(text, size, q, NULL) == ARK_OK) {
		again_the_same(q, text, size);
		cosignatures(&q->note);
	}
	if (note_parse(text, size, &q->note, NULL) == ARK_OK)
		cosignatures(&q->note);
	if (policy_parse(text, size, &p, NULL) == ARK_OK) {
		if (p->quorum && policy_met(p, 0))
			abort(); /* a quorum is never met by nobody */
		if (!policy_met(p, UINT32_MAX))
			abort(); /* and always by everybody */
		policy_free(p);
	}
	free(text);
	free(q);
	return 0;
}
