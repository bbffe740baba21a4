/* How a sealed meta blob lies in the store, and under which context.
 *
 *   meta blob = "ARKMETA1" || key slot (8 bytes, big-endian) || sealed JSON
 *   context   = "arkki-v1:" || archive id (32 hex) || ":" || path in the store
 *
 * A path that is also bound this way without being in git: ".../vNNNN/text" and
 * ".../renditions/public/text", the extracted texts in derived/. Threads: any.
 */
#ifndef ARKKI_ARCHIVE_ENVELOPE_H
#define ARKKI_ARCHIVE_ENVELOPE_H

#include <jansson.h>

#include "arkki/archive/archive.h"
#include "arkki/archive/seal.h"

enum { ENVELOPE_HEADER = 16, ENVELOPE_PATH = 160, ENVELOPE_CONTEXT = 224 };

/* "docs/0/1/2/3/<docid>" + tail ("/v0001/meta") */
void envelope_document_path(char out[ENVELOPE_PATH], const char *document, const char *tail);
void envelope_version_path(
    char out[ENVELOPE_PATH], const char *document, uint32_t version, const char *part);
/* Renditions are numbered; the first lies in renditions/public, a later one in renditions/public-0002. */
void envelope_rendition_path(char out[ENVELOPE_PATH], const char *document, uint32_t version,
    uint32_t number, const char *part);
void envelope_metadata_path(char out[ENVELOPE_PATH], const char *document, uint32_t metadata);
void envelope_record_path(
    char out[ENVELOPE_PATH], const char *kind, const char *name, uint32_t number);
void envelope_context(char out[ENVELOPE_CONTEXT], const struct keyring *keys, const char *path);

ARK_MUSTUSE int envelope_seal(const struct keyring *keys, const struct seal_key *key, uint64_t slot,
    const char *path, const json_t *value, struct buf *out, struct ark_error *err);
ARK_MUSTUSE int envelope_slot(const void *blob, size_t len, uint64_t *ret, struct ark_error *err);
/* Unwraps the key under the receipt and opens. *ret is the caller's. */
ARK_MUSTUSE int envelope_open(struct keyring *keys, const struct receipt *receipt, const char *path,
    const void *blob, size_t len, json_t **ret, struct ark_error *err);

/* With a key at hand: the JSON's text, appended to out. */
ARK_MUSTUSE int envelope_open_with(const struct keyring *keys, const struct seal_key *key,
    const char *path, const void *blob, size_t len, struct buf *out, struct ark_error *err);

#endif
