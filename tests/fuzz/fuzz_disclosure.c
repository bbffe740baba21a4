/* Disclosures from outside: whatever they say, only what the key signed is believed, and nobody signed these. */
#include <stdlib.h>

#include "archive/checkpoint.h"
#include "arkki/archive/disclosure.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const unsigned char seed[32] = {1};
	struct buf vkey = BUF_INIT;
	struct disclosed d = {0};
	struct note_key key;

	if (note_key_from_seed("fuzz", seed, &key, NULL) != ARK_OK)
		abort();
	note_key_format(&key, &vkey);
	/* the seeds' own disclosure holds; it has one spelling but for members and white space that mean nothing */
	if (disclosure_check((const char *)data, size, vkey.data, &d, NULL) == ARK_OK &&
	    (d.index >= d.tree_size || d.entry[0] != 1))
		abort();
	disclosed_free(&d);
	buf_free(&vkey);
	return 0;
}
