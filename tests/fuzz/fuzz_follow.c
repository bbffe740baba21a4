/* A follower whose log answers with anything: the first bytes say from which size to which, every tile is cut out of the
 * rest. It must end, within its buffers, and believe nothing: the roots are of no tree. */
#include <stdlib.h>
#include <string.h>

#include "tools/follow.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct tape {
	const uint8_t *bytes;
	size_t len, at;
	unsigned int asked;
};

static int tape_tile(void *arg, const struct tile_id *id, struct buf *out, struct ark_error *err)
{
	struct tape *t = arg;
	size_t item = id->level == TILE_ENTRIES ? BUNDLE_ENTRY : sizeof(struct merkle_hash);
	size_t left = t->len - t->at, want = item * id->width;

	if (id->width == 0 || id->width > MERKLE_WIDTH || ++t->asked > 200 || !left)
		return ark_fail(err, ARK_ENOTFOUND, "no such tile");
	/* mostly the right length: what fails at once finds nothing */
	if (t->bytes[t->at] != 0xff) {
		for (size_t n = 0; n < want; n++)
			buf_addc(out, (char)t->bytes[t->at + n % left]);
		if (id->level == TILE_ENTRIES && out->data)
			for (size_t i = 0; i < id->width; i++)
				memcpy(out->data + i * item, "\0\x21\x01", 3);
	} else {
		buf_add(out, t->bytes + t->at, left);
	}
	t->at += left > 32 ? 32 : left;
	return ARK_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct checkpoint from = {0}, to = {0};
	struct tape tape = {.bytes = data, .len = size, .at = 12};
	const struct follow_source s = {.tile = tape_tile, .arg = &tape};
	struct ark_error err = {0};

	if (size < 12)
		return 0;
	memcpy(&from.size, data, 4);
	memcpy(&to.size, data + 4, 8);
	to.size >>= data[0] & 63;
	memset(&from.root, 0xaa, sizeof(from.root));
	memset(&to.root, 0x55, sizeof(to.root));
	if (follow_tree(&s, &from, &to, NULL, &err) == ARK_OK)
		abort();
	if (!err.text[0])
		abort();
	return 0;
}
