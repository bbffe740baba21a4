/* Signed notes, checkpoints, verifier keys and offline proofs from outside. */
#include <stdlib.h>
#include <string.h>

#include "archive/checkpoint.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct note *note = malloc(sizeof(*note));
	struct tlog_proof *proof = malloc(sizeof(*proof));
	char *text = malloc(size + 1);
	struct note_key key;
	struct checkpoint c;

	if (!note || !proof || !text)
		abort();
	memcpy(text, data, size);
	text[size] = '\0';
	if (note_key_parse(text, &key, NULL) != ARK_OK &&
	    note_key_from_seed("fuzz", (const unsigned char[32]){1}, &key, NULL) != ARK_OK)
		abort();
	if (note_parse(text, size, note, NULL) == ARK_OK) {
		(void)!note_verify(note, &key, NULL);
		(void)!checkpoint_parse(note->text, note->text_len, NULL, &c, NULL);
	}
	if (checkpoint_parse(text, size, NULL, &c, NULL) == ARK_OK && size < 49)
		abort(); /* origin, size and a root of 44 characters do not fit */
	if (tlog_proof_parse(text, size, proof, NULL) == ARK_OK) {
		struct buf again = BUF_INIT;

		/* what was parsed is written as it was, but for an empty "extra" */
		tlog_proof_format(proof, &again);
		if (again.len > size)
			abort();
		buf_free(&again);
		buf_free(&proof->extra);
	}
	free(text);
	free(proof);
	free(note);
	return 0;
}
