#include "archive/envelope.h"

#include <stdio.h>
#include <string.h>

#include "arkki/base/json.h"
#include "arkki/base/text.h"

static const char magic[8] = {'A', 'R', 'K', 'M', 'E', 'T', 'A', '1'};

void envelope_document_path(char out[ENVELOPE_PATH], const char *d, const char *tail)
{
	snprintf(out, ENVELOPE_PATH, "docs/%c/%c/%c/%c/%s%s", d[0], d[1], d[2], d[3], d, tail);
}

void envelope_version_path(
    char out[ENVELOPE_PATH], const char *document, uint32_t version, const char *part)
{
	char tail[96];

	snprintf(tail, sizeof(tail), "/v%04u/%s", version, part);
	envelope_document_path(out, document, tail);
}

void envelope_rendition_path(char out[ENVELOPE_PATH], const char *document, uint32_t version,
    uint32_t number, const char *part)
{
	char tail[80];

	if (number == 1)
		snprintf(tail, sizeof(tail), "renditions/public/%s", part);
	else
		snprintf(tail, sizeof(tail), "renditions/public-%04u/%s", number, part);
	envelope_version_path(out, document, version, tail);
}

void envelope_metadata_path(char out[ENVELOPE_PATH], const char *document, uint32_t metadata)
{
	char tail[32];

	snprintf(tail, sizeof(tail), "/m%04u", metadata);
	envelope_document_path(out, document, tail);
}

void envelope_record_path(
    char out[ENVELOPE_PATH], const char *kind, const char *name, uint32_t number)
{
	snprintf(out, ENVELOPE_PATH, "%s/%s/m%04u", kind, name, number);
}

void envelope_context(char out[ENVELOPE_CONTEXT], const struct keyring *keys, const char *path)
{
	char id[33];

	hex_encode(id, keyring_secrets(keys)->archive_id, 16);
	snprintf(out, ENVELOPE_CONTEXT, "arkki-v1:%s:%s", id, path);
}

int envelope_seal(const struct keyring *keys, const struct seal_key *key, uint64_t slot,
    const char *path, const json_t *value, struct buf *out, struct ark_error *err)
{
	char context[ENVELOPE_CONTEXT];
	struct buf plain = BUF_INIT;
	int rc = json_write(&plain, value, err);

	if (!rc) {
		envelope_context(context, keys, path);
		buf_add(out, magic, sizeof(magic));
		buf_add_be(out, slot, 8);
		rc = seal_bytes(key, context, plain.data, plain.len, out, err);
	}
	buf_wipe_free(&plain);
	return rc;
}

int envelope_slot(const void *blob, size_t len, uint64_t *ret, struct ark_error *err)
{
	if (len < ENVELOPE_HEADER || memcmp(blob, magic, sizeof(magic)) != 0)
		return ark_fail(err, ARK_ECORRUPT, "a meta blob has no arkki header");
	*ret = be64_get((const char *)blob + sizeof(magic));
	return ARK_OK;
}

int envelope_open_with(const struct keyring *keys, const struct seal_key *key, const char *path,
    const void *blob, size_t len, struct buf *out, struct ark_error *err)
{
	char context[ENVELOPE_CONTEXT];
	uint64_t slot;
	int rc = envelope_slot(blob, len, &slot, err);

	if (rc)
		return rc;
	envelope_context(context, keys, path);
	rc = seal_open_bytes(
	    key, context, (const char *)blob + ENVELOPE_HEADER, len - ENVELOPE_HEADER, out, err);
	return rc ? ark_fail_within(err, rc, "%s", path) : ARK_OK;
}

int envelope_open(struct keyring *keys, const struct receipt *receipt, const char *path,
    const void *blob, size_t len, json_t **ret, struct ark_error *err)
{
	struct buf plain = BUF_INIT;
	struct seal_key key;
	uint64_t slot;
	int rc = envelope_slot(blob, len, &slot, err);

	if (!rc)
		rc = keyring_unwrap(keys, receipt, slot, &key, err);
	if (rc)
		return rc;
	rc = envelope_open_with(keys, &key, path, blob, len, &plain, err);
	seal_key_wipe(&key);
	if (!rc && json_read(plain.data ? plain.data : "", plain.len, ret, err))
		rc = ark_fail_within(err, ARK_ECORRUPT, "%s", path);
	buf_wipe_free(&plain);
	return rc;
}
