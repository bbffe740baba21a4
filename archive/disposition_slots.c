/* Which keys a document has: the slot numbers in the envelopes of its versions, their renditions and its metadata
 * records. Contents and derived texts are sealed under the key of their version. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "archive/disposition_private.h"
#include "archive/envelope.h"

void slots_free(struct slots *s)
{
	free(s->slot);
	*s = (struct slots){0};
}

int slots_add(struct slots *s, uint64_t slot, struct ark_error *err)
{
	if (s->len == s->cap) {
		size_t cap = s->cap ? s->cap * 2 : 64;
		uint64_t *more = realloc(s->slot, cap * sizeof(*more));

		if (!more)
			return ark_fail(err, ARK_ENOMEM, "no memory for key slots");
		s->slot = more;
		s->cap = cap;
	}
	s->slot[s->len++] = slot;
	return ARK_OK;
}

static int by_number(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

void slots_sort(struct slots *s)
{
	size_t kept = 0;

	if (s->len)
		qsort(s->slot, s->len, sizeof(*s->slot), by_number);
	for (size_t i = 0; i < s->len; i++)
		if (!kept || s->slot[kept - 1] != s->slot[i])
			s->slot[kept++] = s->slot[i];
	s->len = kept;
}

bool slots_have(const struct slots *s, uint64_t slot)
{
	return s->len && bsearch(&slot, s->slot, s->len, sizeof(slot), by_number);
}

/* ---- a document's tree ---- */

enum { NAMES_MAX = 2000000, NAME_SIZE = 24 };

/* Names of one directory: a walk that looks below it would be inside store_list() twice. */
struct names {
	char (*name)[NAME_SIZE];
	size_t len, cap;
	bool failed;
};

static int note_name(void *arg, const char *name, bool is_tree, const struct store_oid *oid)
{
	struct names *n = arg;

	(void)is_tree, (void)oid;
	if (strlen(name) >= NAME_SIZE || n->len == NAMES_MAX)
		return ARK_ECORRUPT;
	if (n->len == n->cap) {
		size_t cap = n->cap ? n->cap * 2 : 16;
		char(*more)[NAME_SIZE] = realloc(n->name, cap * sizeof(*more));

		if (!more)
			return ARK_ENOMEM;
		n->name = more;
		n->cap = cap;
	}
	snprintf(n->name[n->len++], NAME_SIZE, "%s", name);
	return 0;
}

static int list_names(
    struct store_reader *store, const char *path, struct names *n, struct ark_error *err)
{
	int rc = store_list(store, NULL, path, note_name, n, err);

	if (rc == ARK_ECORRUPT || rc == ARK_ENOMEM)
		ark_fail(err, rc, "cannot list %s of the store", path);
	return rc;
}

static int add_envelope(
    struct store_reader *store, const char *path, struct slots *s, struct ark_error *err)
{
	struct store_blob blob;
	uint64_t slot;
	int rc = store_get(store, NULL, path, &blob, err);

	if (rc)
		return rc;
	rc = envelope_slot(blob.bytes, blob.len, &slot, err);
	store_blob_release(&blob);
	return rc ? rc : slots_add(s, slot, err);
}

static int add_renditions(
    struct store_reader *store, const char *version, struct slots *s, struct ark_error *err)
{
	char path[ENVELOPE_PATH], meta[ENVELOPE_PATH];
	struct names n = {0};
	int rc;

	snprintf(path, sizeof(path), "%.100s/renditions", version);
	rc = list_names(store, path, &n, err);
	if (rc == ARK_ENOTFOUND)
		rc = ARK_OK;
	for (size_t i = 0; !rc && i < n.len; i++) {
		snprintf(meta, sizeof(meta), "%.120s/%s/meta", path, n.name[i]);
		rc = add_envelope(store, meta, s, err);
	}
	free(n.name);
	return rc;
}

int slots_of_document(
    struct store_reader *store, const char *document, struct slots *s, struct ark_error *err)
{
	char path[ENVELOPE_PATH], tail[NAME_SIZE + 8];
	struct names n = {0};
	int rc;

	envelope_document_path(path, document, "");
	rc = list_names(store, path, &n, err);
	for (size_t i = 0; !rc && i < n.len; i++) {
		bool is_version = n.name[i][0] == 'v';

		snprintf(tail, sizeof(tail), "/%s%s", n.name[i], is_version ? "/meta" : "");
		envelope_document_path(path, document, tail);
		rc = add_envelope(store, path, s, err);
		if (!rc && is_version) {
			snprintf(tail, sizeof(tail), "/%s", n.name[i]);
			envelope_document_path(path, document, tail);
			rc = add_renditions(store, path, s, err);
		}
	}
	free(n.name);
	return rc;
}
