/* Bytes from outside that reach sealing and keys: a sealed message (header,
 * lengths, chunks) and a root key file. What opens must have been sealed by
 * us, so a message that is taken under a random-looking key is a find too.
 *
 *   clang -fsanitize=fuzzer,address … tests/fuzz/fuzz_seal_header.c build/libarkki.a
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "archive/keyring_private.h"
#include "archive/seal_private.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Raw mode: the commitment would stop every input before its chunks. */
static void chunks(const uint8_t *data, size_t size)
{
	static const struct seal_derived raw = {.key = {1}, .nonce = {2}};
	struct opener *o = NULL;

	if (opener_new_raw(&raw, &o, NULL))
		return;
	for (uint64_t index = 0; size; index++) {
		static const size_t lens[] = {0, 15, 16, 17, 1000, 16399, 16400, 16401};
		size_t len = lens[data[0] % 8] < size - 1 ? lens[data[0] % 8] : size - 1;
		unsigned char out[SEAL_CHUNK_SIZE];
		size_t got = 0;

		if (opener_chunk(o, index << data[0] % 64, data + 1, len, out, &got, NULL) == 0)
			abort();
		size -= len + 1;
		data += len + 1;
	}
	opener_free(o);
}

static void message(const uint8_t *data, size_t size)
{
	static const struct seal_key key = {{7}};
	struct buf out = {.limit = 1 << 20};
	struct opener *o = NULL;
	uint64_t plain;

	if (seal_plain_size(size, &plain, NULL) == 0 && seal_sealed_size(plain) != size)
		abort();
	if (seal_open_bytes(&key, "fuzz", data, size, &out, NULL) == 0 || out.len)
		abort();
	if (size >= SEAL_HEADER_SIZE && opener_new(&key, data, size % 57, data, &o, NULL) == 0)
		abort();
	buf_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct keyring_root root;

	message(data, size);
	chunks(data, size);
	if (keyring_root_parse("fuzz", (const char *)data, size, &root, NULL) == 0 &&
	    (root.epoch == 0 || size < 84 || size > 94))
		abort();
	return 0;
}
