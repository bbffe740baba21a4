/* A damaged segment: its frames, recovery of its end, records inside. */
#include <stdlib.h>
#include <string.h>

#include "archive/ledger_record.h"
#include "archive/ledger_segment.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct frame_cipher *cipher_new(void)
{
	static const struct seal_key key = {{7}};
	static const unsigned char origin[32] = {9};
	struct frame_cipher *c;

	if (frame_cipher_new(&key, origin, &c, NULL) != ARK_OK)
		abort();
	return c;
}

/* Frames that open, cut up and flipped as the input says: without them no input would come further
 * than the first tag. */
static size_t lay_frames(
    struct frame_cipher *c, unsigned char *at, const uint8_t *data, size_t size)
{
	unsigned char entry[33] = {1}, nonce[FRAME_NONCE] = {0};
	size_t used = 0, n = size ? data[0] % 8 : 0;

	for (size_t i = 0; i < n; i++) {
		struct frame head = {
		    .index = i, .group = i & ~(size_t)1, .flags = FRAME_FIRST | FRAME_LAST};

		nonce[0] = (unsigned char)i;
		memset(at + used + FRAME_HEADER, 'x', 40);
		used += frame_seal(c, at + used, &head, entry, nonce, 40);
	}
	for (size_t i = 1; i + 2 < size && used; i += 3)
		at[(data[i] * 256U + data[i + 1]) % used] ^= data[i + 2];
	return used;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct segment_image image = {.len = SEGMENT_HEADER + 4096 + size};
	unsigned char entry[33] = {1};
	struct record_part parts[3];
	uint64_t end, next;
	size_t used;
	bool torn;

	image.bytes = calloc(1, image.len);
	image.cipher = cipher_new();
	if (!image.bytes)
		abort();
	used = lay_frames(image.cipher, image.bytes + SEGMENT_HEADER, data, size);
	if (size)
		memcpy(image.bytes + SEGMENT_HEADER + used, data, size);
	if (segment_recover(&image, &end, &next, &torn, NULL) == ARK_OK &&
	    (end < SEGMENT_HEADER || end > image.len || next > 8))
		abort();
	(void)!record_split(data, size, entry, parts, NULL);
	segment_image_free(&image);
	return 0;
}
