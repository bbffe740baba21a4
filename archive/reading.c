#include "arkki/archive/reading.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "archive/envelope.h"
#include "archive/reading_private.h"
#include "arkki/archive/spool.h"
#include "arkki/base/json.h"

/* ---- the card ---- */

void card_free(struct card *c)
{
	json_decref(c->fields);
	json_decref(c->version);
	json_decref(c->counties);
	*c = (struct card){0};
}

/* ---- forms ---- */

/* The meta of the version or of its rendition: what has the slot of the version's key. NULL:
 * there is no rendition. */
static const struct buf *meta_of(const struct catalogue_row *row, enum form form)
{
	if (form == FORM_PUBLIC)
		return row->rendition.number ? &row->rendition.sealed : NULL;
	return &row->sealed_version;
}

static int no_rendition(struct ark_error *err)
{
	return ark_fail(err, ARK_ENOTFOUND, "there is no public rendition");
}

void reading_form_path(
    const struct catalogue_row *row, enum form form, const char *part, char out[ENVELOPE_PATH])
{
	if (form == FORM_PUBLIC)
		envelope_rendition_path(
		    out, row->document, row->version, row->rendition.number, part);
	else
		envelope_version_path(out, row->document, row->version, part);
}

int reading_form_key(struct archive *a, const struct receipt *receipt,
    const struct catalogue_row *row, enum form form, struct seal_key *ret, struct ark_error *err)
{
	const struct buf *meta = meta_of(row, form);
	uint64_t slot;
	int rc;

	if (!meta)
		return no_rendition(err);
	rc = envelope_slot(meta->data, meta->len, &slot, err);
	return rc ? rc : keyring_unwrap(archive_keyring(a), receipt, slot, ret, err);
}

int reading_version(struct archive *a, const struct receipt *receipt,
    const struct catalogue_row *row, enum form form, json_t **ret, struct ark_error *err)
{
	char path[ENVELOPE_PATH];
	const struct buf *meta = meta_of(row, form);

	if (!meta)
		return no_rendition(err);
	reading_form_path(row, form, "meta", path);
	return envelope_open(archive_keyring(a), receipt, path, meta->data, meta->len, ret, err);
}

/* The record filed with a version has the version's key: then one unwrap serves both. */
int reading_card_text(struct archive *a, const struct receipt *receipt,
    const struct catalogue_row *row, struct buf *metadata, struct buf *version,
    struct ark_error *err)
{
	const struct buf *record = &row->sealed_metadata, *meta = &row->sealed_version;
	struct keyring *keys = archive_keyring(a);
	char path[ENVELOPE_PATH];
	uint64_t record_slot, meta_slot;
	struct seal_key key;
	int rc = envelope_slot(record->data, record->len, &record_slot, err);

	if (!rc)
		rc = envelope_slot(meta->data, meta->len, &meta_slot, err);
	if (!rc)
		rc = keyring_unwrap(keys, receipt, meta_slot, &key, err);
	if (rc)
		return rc;
	envelope_version_path(path, row->document, row->version, "meta");
	rc = envelope_open_with(keys, &key, path, meta->data, meta->len, version, err);
	if (!rc && record_slot != meta_slot)
		rc = keyring_unwrap(keys, receipt, record_slot, &key, err);
	if (!rc) {
		envelope_metadata_path(path, row->document, row->metadata);
		rc = envelope_open_with(keys, &key, path, record->data, record->len, metadata, err);
	}
	seal_key_wipe(&key);
	return rc;
}

static int parse(
    const struct catalogue_row *row, const struct buf *text, json_t **ret, struct ark_error *err)
{
	int rc = json_read(text->data ? text->data : "", text->len, ret, err);

	return rc ? ark_fail_within(err, ARK_ECORRUPT, "the meta of %s", row->document) : ARK_OK;
}

int reading_card(struct archive *a, const struct receipt *receipt, const struct catalogue_row *row,
    struct card *ret, struct ark_error *err)
{
	struct buf metadata = BUF_INIT, meta = BUF_INIT;
	json_t *record = NULL, *version = NULL;
	int rc = reading_card_text(a, receipt, row, &metadata, &meta, err);

	if (!rc)
		rc = parse(row, &metadata, &record, err);
	if (!rc)
		rc = parse(row, &meta, &version, err);
	if (!rc) {
		ret->fields = json_incref(json_object_get(record, "fields"));
		ret->version = version;
		ret->counties = json_incref(json_object_get(record, "counties"));
	}
	json_decref(record);
	buf_wipe_free(&metadata);
	buf_wipe_free(&meta);
	return rc;
}

int reading_title(struct archive *a, const struct receipt *receipt, const struct catalogue_row *row,
    json_t **ret, struct ark_error *err)
{
	static const char *const of_record[] = {"fields"}, *const of_fields[] = {"title"};
	const struct buf *sealed = &row->sealed_metadata;
	struct json_span fields, title = {0};
	struct buf text = BUF_INIT;
	char path[ENVELOPE_PATH];
	struct seal_key key;
	uint64_t slot;
	int rc = envelope_slot(sealed->data, sealed->len, &slot, err);

	if (!rc)
		rc = keyring_unwrap(archive_keyring(a), receipt, slot, &key, err);
	if (rc)
		return rc;
	envelope_metadata_path(path, row->document, row->metadata);
	rc = envelope_open_with(
	    archive_keyring(a), &key, path, sealed->data, sealed->len, &text, err);
	seal_key_wipe(&key);
	if (!rc) {
		json_members(text.data ? text.data : "", text.len, of_record, 1, &fields);
		if (fields.text)
			json_members(fields.text, fields.len, of_fields, 1, &title);
		if (!title.text || json_read(title.text, title.len, ret, err))
			rc = ark_fail(err, ARK_ECORRUPT, "%s lacks a title", path);
	}
	buf_wipe_free(&text);
	return rc;
}

/* ---- content ---- */

struct content {
	struct archive *a;
	struct opener *opener;
	char document[33];
	char folder[ENVELOPE_PATH]; /* where content or chunks lie, with a slash */
	uint64_t size, sealed_size;
	uint32_t chunks;
	struct store_oid oid;
	struct store_blob blob; /* the one blob, or the chunk blob at hand */
	int64_t blob_at;        /* number of the chunk blob at hand, -1 none */
	int64_t opened;         /* number of the seal chunk in `plain`, -1 none */
	size_t plain_len;
	unsigned char plain[SEAL_CHUNK_SIZE];
};

/* Makes chunk blob `at` the one at hand. */
static int blob_at(struct content *c, int64_t at, struct ark_error *err)
{
	char path[ENVELOPE_PATH + 32];
	struct desk *desk = NULL;
	int rc;

	if (c->blob_at == at)
		return ARK_OK;
	if (c->blob_at >= 0)
		store_blob_release(&c->blob);
	c->blob_at = -1;
	/* a slow download holds no desk between its blobs */
	rc = archive_desk(c->a, &desk, err);
	if (rc)
		return rc;
	if (!c->chunks) {
		rc = store_get_oid(desk->store, &c->oid, &c->blob, err);
	} else {
		snprintf(path, sizeof(path), "%schunks/%06u", c->folder, (unsigned int)at);
		rc = store_get(desk->store, NULL, path, &c->blob, err);
	}
	archive_desk_return(c->a, desk);
	if (rc == ARK_ENOTFOUND)
		rc = ark_fail(err, ARK_ECORRUPT, "the store lacks content of %s", c->document);
	if (!rc)
		c->blob_at = at;
	return rc;
}

/* Sealed bytes [from, from+len), which may lie across two chunk blobs. Points
 * into the blob when they do not. */
static int sealed_bytes(struct content *c, uint64_t from, size_t len, unsigned char *scratch,
    const unsigned char **ret, struct ark_error *err)
{
	size_t got = 0;

	while (got < len) {
		uint64_t at = from + got;
		int64_t number = c->chunks ? (int64_t)(at / SPOOL_CHUNK_SIZE) : 0;
		uint64_t inside = c->chunks ? at % SPOOL_CHUNK_SIZE : at;
		size_t n;
		int rc = blob_at(c, number, err);

		if (rc)
			return rc;
		if (inside >= c->blob.len)
			return ark_fail(
			    err, ARK_ECORRUPT, "content of %s is cut short", c->document);
		n = c->blob.len - inside < len - got ? (size_t)(c->blob.len - inside) : len - got;
		if (n == len) {
			*ret = (const unsigned char *)c->blob.bytes + inside;
			return ARK_OK;
		}
		memcpy(scratch + got, (const char *)c->blob.bytes + inside, n);
		got += n;
	}
	*ret = scratch;
	return ARK_OK;
}

static int open_chunk(struct content *c, int64_t number, struct ark_error *err)
{
	unsigned char scratch[SEAL_BLOCK_SIZE];
	const unsigned char *sealed = NULL;
	uint64_t from = SEAL_HEADER_SIZE + (uint64_t)number * SEAL_BLOCK_SIZE;
	size_t len;
	int rc;

	if (c->opened == number)
		return ARK_OK;
	c->opened = -1;
	if (from >= c->sealed_size)
		return ark_fail(err, ARK_ECORRUPT, "content of %s is cut short", c->document);
	len = c->sealed_size - from < SEAL_BLOCK_SIZE ? (size_t)(c->sealed_size - from)
						      : SEAL_BLOCK_SIZE;
	rc = sealed_bytes(c, from, len, scratch, &sealed, err);
	if (!rc)
		rc = opener_chunk(
		    c->opener, (uint64_t)number, sealed, len, c->plain, &c->plain_len, err);
	if (!rc)
		c->opened = number;
	return rc;
}

static struct content *content_new(
    struct archive *a, const struct catalogue_row *row, enum form form)
{
	const struct catalogue_rendition *r = form == FORM_PUBLIC ? &row->rendition : NULL;
	struct content *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->a = a;
	memcpy(c->document, row->document, sizeof(c->document));
	reading_form_path(row, form, "", c->folder);
	c->size = r ? r->size : row->size;
	c->sealed_size = r ? r->sealed_size : row->sealed_size;
	c->chunks = r ? r->chunks : row->chunks;
	c->oid = r ? r->content : row->content;
	c->blob_at = c->opened = -1;
	return c;
}

int reading_content(struct archive *a, const struct receipt *receipt,
    const struct catalogue_row *row, enum form form, struct content **ret, struct ark_error *err)
{
	char path[ENVELOPE_PATH], context[ENVELOPE_CONTEXT];
	unsigned char scratch[SEAL_HEADER_SIZE];
	const unsigned char *header;
	struct seal_key key;
	struct content *c;
	int rc = reading_form_key(a, receipt, row, form, &key, err);

	if (rc)
		return rc;
	c = content_new(a, row, form);
	if (!c) {
		seal_key_wipe(&key);
		return ark_fail(err, ARK_ENOMEM, "no memory to read content");
	}
	rc = sealed_bytes(c, 0, SEAL_HEADER_SIZE, scratch, &header, err);
	if (!rc) {
		reading_form_path(row, form, "content", path);
		envelope_context(context, archive_keyring(a), path);
		rc = opener_new(&key, context, strlen(context), header, &c->opener, err);
	}
	seal_key_wipe(&key);
	/* opening the last chunk proves the length before a byte is promised */
	if (!rc)
		rc = open_chunk(c, (int64_t)(c->size / SEAL_CHUNK_SIZE), err);
	if (!rc && c->size % SEAL_CHUNK_SIZE != c->plain_len)
		rc = ark_fail(err, ARK_ECORRUPT, "content of %s has another length", c->document);
	if (rc) {
		content_close(c);
		return rc;
	}
	*ret = c;
	return ARK_OK;
}

uint64_t content_size(const struct content *c)
{
	return c->size;
}

ssize_t content_read(
    struct content *c, uint64_t position, void *out, size_t max, struct ark_error *err)
{
	size_t done = 0;

	while (done < max && position + done < c->size) {
		uint64_t at = position + done;
		size_t inside = at % SEAL_CHUNK_SIZE, n;
		int rc = open_chunk(c, (int64_t)(at / SEAL_CHUNK_SIZE), err);

		if (rc)
			return rc;
		n = c->plain_len - inside < max - done ? c->plain_len - inside : max - done;
		if (n == 0)
			return ark_fail(
			    err, ARK_ECORRUPT, "content of %s is cut short", c->document);
		memcpy((char *)out + done, c->plain + inside, n);
		done += n;
	}
	return (ssize_t)done;
}

void content_close(struct content *c)
{
	if (!c)
		return;
	if (c->blob_at >= 0)
		store_blob_release(&c->blob);
	opener_free(c->opener);
	explicit_bzero(c->plain, sizeof(c->plain));
	free(c);
}
