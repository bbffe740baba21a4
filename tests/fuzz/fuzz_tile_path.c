/* Paths of tiles as they come in a URL: what is accepted has one spelling. */
#include <stdlib.h>
#include <string.h>

#include "archive/ledger_tiles.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char text[200], again[TILE_PATH_MAX];
	struct tile_id id;

	if (size >= sizeof(text))
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	if (!tile_path_parse(text, &id))
		return 0;
	tile_path_format(again, &id);
	if (strcmp(text, again) != 0)
		abort();
	return 0;
}
