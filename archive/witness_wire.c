#include "archive/witness_wire.h"

#include <inttypes.h>
#include <string.h>

#include "arkki/base/text.h"

int witness_request_parse(
    const char *p, size_t len, struct witness_request *ret, struct ark_error *err)
{
	const char *line, *text;
	size_t n, left;
	int rc;

	ret->proof_len = 0;
	if (!note_line(&p, &len, &line, &n) || n < 5 || memcmp(line, "old ", 4) != 0 ||
	    !note_decimal(line + 4, n - 4, &ret->old_size))
		return ark_fail(err, ARK_EINPUT, "the first line must be \"old\" and a size");
	for (;;) {
		if (!note_line(&p, &len, &line, &n))
			return ark_fail(err, ARK_EINPUT, "there is no blank line after the proof");
		if (n == 0)
			break;
		if (ret->proof_len == WITNESS_PROOF_MAX)
			return ark_fail(
			    err, ARK_EINPUT, "the proof has over %d hashes", WITNESS_PROOF_MAX);
		if (!note_hash(line, n, &ret->proof[ret->proof_len++]))
			return ark_fail(err, ARK_EINPUT, "a line of the proof is not a hash");
	}
	ret->note_bytes = p;
	ret->note_len = len;
	rc = note_parse(p, len, &ret->note, err);
	if (!rc)
		rc = checkpoint_parse(
		    ret->note.text, ret->note.text_len, NULL, &ret->checkpoint, err);
	if (rc)
		return rc;
	text = ret->note.text, left = ret->note.text_len;
	if (!note_line(&text, &left, &ret->origin, &ret->origin_len))
		return ark_fail(err, ARK_EINPUT, "a checkpoint has fewer than three lines");
	return ARK_OK;
}

int witness_request_format(struct buf *out, uint64_t old_size, const struct merkle_hash *proof,
    size_t proof_len, const char *note, size_t note_len, struct ark_error *err)
{
	if (proof_len > WITNESS_PROOF_MAX)
		return ark_fail(err, ARK_EINPUT, "a consistency proof of %zu hashes", proof_len);
	buf_addf(out, "old %" PRIu64 "\n", old_size);
	for (size_t i = 0; i < proof_len; i++) {
		base64_encode(out, &proof[i], sizeof(proof[i]));
		buf_addc(out, '\n');
	}
	buf_addc(out, '\n');
	buf_add(out, note, note_len);
	return buf_failed(out) ? ark_fail(err, ARK_ENOMEM, "no memory for a request") : ARK_OK;
}
