/* Shares of a root key as people type them. The first byte says which: lines as they stand, or true shares of a secret in
 * which the rest of the input spoils words. A false share never gives another secret as if it were the true one. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arkki/archive/key_shares.h"
#include "arkki/archive/slip39.h"
#include "arkki/base/fs.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { LINES = 40, SECRET = 16, SHARES = 3, NEEDED = 2 };

static void as_they_stand(char *text)
{
	const char *lines[LINES];
	unsigned char secret[SLIP39_SECRET_MAX];
	size_t n = 0, len = 0;
	char *save = NULL;

	for (char *line = strtok_r(text, "\n", &save); line && n < LINES;
	     line = strtok_r(NULL, "\n", &save))
		lines[n++] = line;
	if (slip39_join(lines, n, "", secret, &len, NULL) == ARK_OK &&
	    (len < SLIP39_SECRET_MIN || len > SLIP39_SECRET_MAX || len % 2))
		abort();
}

/* Overwrites letters of the shares with those of the input: place, letter, place, letter … */
static bool spoil(char shares[SHARES][SLIP39_TEXT_SIZE], const uint8_t *data, size_t size)
{
	bool changed = false;

	for (size_t i = 0; i + 2 < size; i += 3) {
		char *share = shares[data[i] % NEEDED];
		size_t at = (size_t)data[i + 1] % strlen(share);
		char to = data[i + 2] % 27 == 26 ? ' ' : (char)('a' + data[i + 2] % 27);

		changed = changed || share[at] != to;
		share[at] = to;
	}
	return changed;
}

static void spoiled(const uint8_t *data, size_t size)
{
	static const unsigned char secret[SECRET] = "sixteen bytes...";
	unsigned char got[SLIP39_SECRET_MAX];
	char shares[SHARES][SLIP39_TEXT_SIZE];
	const char *lines[NEEDED] = {shares[0], shares[1]};
	size_t len = 0;
	bool changed;
	int rc;

	if (slip39_split(secret, SECRET, NEEDED, SHARES, shares, NULL))
		abort();
	changed = spoil(shares, data, size);
	rc = slip39_join(lines, NEEDED, "", got, &len, NULL);
	if (rc == ARK_OK && (len != SECRET || memcmp(got, secret, SECRET) != 0))
		abort();
	if (rc != ARK_OK && !changed)
		abort();
}

/* DIR/key-shares.json, which says of which epoch the shares are. */
static void noted(const uint8_t *data, size_t size)
{
	char dir[64], path[96];
	uint32_t epoch = 0;

	snprintf(dir, sizeof(dir), "/tmp/arkki-fuzz-shares-XXXXXX");
	if (!mkdtemp(dir))
		abort();
	snprintf(path, sizeof(path), "%s/key-shares.json", dir);
	if (fs_replace_file(path, data, size, 0600, NULL))
		abort();
	(void)!key_shares_epoch(dir, &epoch, NULL);
	if (fs_remove_tree(dir, NULL))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text;

	if (!size)
		return 0;
	if (data[0] == '1') {
		spoiled(data + 1, size - 1);
		return 0;
	}
	if (data[0] == '2') {
		noted(data + 1, size - 1);
		return 0;
	}
	text = malloc(size);
	if (!text)
		abort();
	memcpy(text, data + 1, size - 1);
	text[size - 1] = '\0';
	as_they_stand(text);
	free(text);
	return 0;
}
