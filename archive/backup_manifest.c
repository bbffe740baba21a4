/* Restore points: their manifests, signatures, and whether a place has all that they name. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "archive/backup_private.h"
#include "archive/checkpoint.h"
#include "arkki/archive/seal.h"
#include "arkki/base/fs.h"
#include "arkki/base/json.h"
#include "arkki/base/text.h"

enum { MANIFEST_MAX = 512 << 20, NOTE_TEXT_MAX = 4096 };

/* ---- what a place holds ---- */

struct object {
	unsigned char sha[32];
	uint64_t len;
};

struct have {
	struct object *items;
	size_t len, cap;
};

static int compare(const void *a, const void *b)
{
	return memcmp(((const struct object *)a)->sha, ((const struct object *)b)->sha, 32);
}

static int have_add(struct have *h, const struct object *o, struct ark_error *err)
{
	if (h->len == h->cap) {
		size_t cap = h->cap ? h->cap * 2 : 1024;
		struct object *items = reallocarray(h->items, cap, sizeof(*items));

		if (!items)
			return ark_fail(err, ARK_ENOMEM, "no memory for the list of a backup");
		h->items = items;
		h->cap = cap;
	}
	h->items[h->len++] = *o;
	return ARK_OK;
}

int have_load(struct place *p, struct have **ret, struct ark_error *err)
{
	struct have *h = calloc(1, sizeof(*h));
	struct buf list = BUF_INIT;
	int rc = h ? place_list(p, "objects", &list, err)
		   : ark_fail(err, ARK_ENOMEM, "no memory for the list of a backup");
	const char *at = list.data ? list.data : "", *line;
	size_t left = list.len, len;

	while (!rc && note_line(&at, &left, &line, &len)) {
		struct object o;

		if (len > 65 && hex_decode(o.sha, 32, line, 64) && line[64] == ' ' &&
		    note_decimal(line + 65, len - 65, &o.len))
			rc = have_add(h, &o, err);
	}
	buf_free(&list);
	if (rc) {
		have_free(h);
		return rc;
	}
	if (h->len)
		qsort(h->items, h->len, sizeof(*h->items), compare);
	*ret = h;
	return ARK_OK;
}

void have_free(struct have *h)
{
	if (!h)
		return;
	free(h->items);
	free(h);
}

bool have_object(const struct have *h, const char *sha_hex, uint64_t len)
{
	struct object key = {0}, *found;

	if (!h->len || !hex_decode(key.sha, 32, sha_hex, strlen(sha_hex)))
		return false;
	found = bsearch(&key, h->items, h->len, sizeof(*h->items), compare);
	return found && found->len == len;
}

int have_each(const struct have *h, int (*each)(void *arg, const char *sha_hex), void *arg)
{
	char hex[65];
	int rc = 0;

	for (size_t i = 0; !rc && i < h->len; i++) {
		hex_encode(hex, h->items[i].sha, 32);
		rc = each(arg, hex);
	}
	return rc;
}

static int compare_points(const void *a, const void *b)
{
	return strcmp(a, b);
}

int points_list(
    struct place *p, char (**ret)[BACKUP_POINT_SIZE], size_t *ret_len, struct ark_error *err)
{
	char(*ids)[BACKUP_POINT_SIZE] = NULL;
	struct buf list = BUF_INIT;
	size_t n = 0, left, len;
	const char *at, *line;
	int rc = place_list(p, "points", &list, err);

	at = list.data ? list.data : "";
	left = list.len;
	while (!rc && note_line(&at, &left, &line, &len)) {
		const char *dot = memchr(line, '.', len);
		char(*more)[BACKUP_POINT_SIZE];
		char id[BACKUP_POINT_SIZE];

		if (!dot || strncmp(dot, ".note ", 6) != 0)
			continue;
		snprintf(id, sizeof(id), "%.*s", (int)(dot - line), line);
		if (!place_point_valid(id))
			continue;
		more = reallocarray(ids, n + 1, sizeof(*ids));
		if (!more) {
			rc = ark_fail(err, ARK_ENOMEM, "no memory for the points of a backup");
			break;
		}
		ids = more;
		memcpy(ids[n++], id, sizeof(id));
	}
	buf_free(&list);
	if (rc) {
		free(ids);
		return rc;
	}
	if (n)
		qsort(ids, n, sizeof(*ids), compare_points);
	*ret = ids;
	*ret_len = n;
	return ARK_OK;
}

/* ---- manifests as text ---- */

void manifest_free(struct manifest *m)
{
	json_decref(m->head);
	json_decref(m->files);
	m->head = m->files = NULL;
}

int manifest_write(const struct manifest *m, struct buf *out, struct ark_error *err)
{
	const char *path;
	json_t *file;
	int rc = json_write(out, m->head, err);

	buf_addc(out, '\n');
	json_object_foreach(m->files, path, file)
	{
		json_t *line = json_pack("{s:s}", "path", path);

		if (!line || json_object_update(line, file) < 0)
			rc = ark_fail(err, ARK_ENOMEM, "no memory for a manifest");
		if (!rc)
			rc = json_write(out, line, err);
		buf_addc(out, '\n');
		json_decref(line);
		if (rc)
			break;
	}
	if (!rc && buf_failed(out))
		rc = ark_fail(err, ARK_ENOMEM, "no memory for a manifest");
	return rc;
}

static bool path_valid(const char *path)
{
	size_t n = strlen(path);

	if (n == 0 || n > 200 || path[0] == '/' || path[0] == '.' || strstr(path, "/.") ||
	    strstr(path, "//") || path[n - 1] == '/')
		return false;
	return strspn(path, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-/") ==
	       n;
}

static bool file_valid(const json_t *file)
{
	json_int_t size = json_integer_value(json_object_get(file, "size"));

	return json_is_integer(json_object_get(file, "size")) && size >= 0 &&
	       pieces_length(file) <= (uint64_t)size;
}

uint64_t pieces_length(const json_t *file)
{
	const json_t *pieces = json_object_get(file, "pieces");
	uint64_t sum = 0;
	unsigned char sha[32];
	json_t *piece;
	size_t i;

	if (!json_is_array(pieces))
		return UINT64_MAX;
	json_array_foreach(pieces, i, piece)
	{
		const char *hex = json_string_value(json_array_get(piece, 0));
		json_int_t len = json_integer_value(json_array_get(piece, 1));

		if (!hex || !hex_decode(sha, 32, hex, strlen(hex)) || len <= 0 ||
		    (uint64_t)len > (UINT64_MAX >> 2) - sum)
			return UINT64_MAX;
		sum += (uint64_t)len;
	}
	return sum;
}

static int read_line(struct manifest *m, const char *line, size_t len, struct ark_error *err)
{
	json_t *o = NULL;
	const char *path;
	int rc = json_read(line, len, &o, err);

	if (rc)
		return rc;
	path = json_text(o, "path");
	if (!m->head) {
		const char *kind = json_text(o, "arkki");

		m->head = json_incref(o);
		if (!kind || strcmp(kind, "backup/1") != 0)
			rc = ark_fail(err, ARK_EINPUT,
			    "this arkki does not know this form of backups: use a newer one");
	} else if (!path || !path_valid(path) || !file_valid(o) ||
		   json_object_get(m->files, path) != NULL) {
		rc = ark_fail(err, ARK_EINPUT, "a line of the manifest is malformed");
	} else if (json_object_set(m->files, path, o) < 0) {
		rc = ark_fail(err, ARK_ENOMEM, "no memory for a manifest");
	}
	json_decref(o);
	return rc;
}

int manifest_read(const char *text, size_t len, struct manifest *ret, struct ark_error *err)
{
	struct manifest m = {.files = json_object()};
	const char *line;
	size_t line_len;
	int rc = m.files ? ARK_OK : ark_fail(err, ARK_ENOMEM, "no memory for a manifest");

	while (!rc && note_line(&text, &len, &line, &line_len))
		rc = read_line(&m, line, line_len, err);
	if (!rc && (len || !m.head))
		rc = ark_fail(err, ARK_EINPUT, "the manifest is cut");
	if (rc) {
		manifest_free(&m);
		return rc;
	}
	*ret = m;
	return ARK_OK;
}

/* ---- signatures ---- */

static int history_key(
    const char *origin, const struct keyring *keys, struct note_key *ret, struct ark_error *err)
{
	char name[300];

	snprintf(name, sizeof(name), "%s/history", origin);
	return note_key_from_seed(name, keyring_secrets(keys)->history_seed, ret, err);
}

/* What is signed: so a manifest cannot be passed off as another point's, nor the note as something else of the log's. */
static void note_text(
    const char *origin, const char *point, const struct buf *manifest, struct buf *out)
{
	unsigned char sha[32];
	char hex[65];

	sha256_of(manifest->data, manifest->len, sha);
	hex_encode(hex, sha, 32);
	buf_addf(out, "arkki-backup/v1\n%s/history\n%s\n%s\n", origin, point, hex);
}

static void names_of(const char *point, char manifest[PLACE_NAME_MAX], char note[PLACE_NAME_MAX])
{
	snprintf(manifest, PLACE_NAME_MAX, "points/%s.manifest", point);
	snprintf(note, PLACE_NAME_MAX, "points/%s.note", point);
}

int manifest_put(
    struct place *p, const struct manifest *m, const struct keyring *keys, struct ark_error *err)
{
	const char *origin = json_text(m->head, "origin"), *point = json_text(m->head, "point");
	struct buf text = BUF_INIT, signed_text = BUF_INIT, note = BUF_INIT;
	char name[PLACE_NAME_MAX], note_name[PLACE_NAME_MAX];
	struct note_key key;
	int rc = manifest_write(m, &text, err);

	names_of(point, name, note_name);
	if (!rc)
		note_text(origin, point, &text, &signed_text);
	if (!rc && buf_failed(&signed_text))
		rc = ark_fail(err, ARK_ENOMEM, "no memory for a manifest");
	if (!rc)
		rc = history_key(origin, keys, &key, err);
	if (!rc)
		rc = note_sign(&note, signed_text.data, signed_text.len, &key,
		    keyring_secrets(keys)->history_seed, err);
	if (!rc)
		rc = place_put_bytes(p, name, text.data, text.len, err);
	if (!rc)
		rc = place_put_bytes(p, note_name, note.data, note.len, err);
	buf_free(&text);
	buf_free(&signed_text);
	buf_free(&note);
	return rc;
}

/* By the history log's key, or by one that it had before. */
static bool signed_by_us(const struct note *note, const char *origin, const struct keyring *keys)
{
	const struct keyring_secrets *s = keyring_secrets(keys);
	struct note_key key;
	char name[300];

	if (history_key(origin, keys, &key, NULL) == ARK_OK &&
	    note_verify(note, &key, NULL) == ARK_OK)
		return true;
	snprintf(name, sizeof(name), "%s/history", origin);
	for (uint32_t i = 0; i < s->past_len; i++)
		if (s->past[i].which == SIGNING_HISTORY &&
		    note_key_from_public(name, s->past[i].public_key, &key, NULL) == ARK_OK &&
		    note_verify(note, &key, NULL) == ARK_OK)
			return true;
	return false;
}

static int check_note(const struct buf *bytes, const struct buf *manifest, const char *point,
    const char *origin, const struct keyring *keys, struct ark_error *err)
{
	struct note *note = malloc(sizeof(*note));
	struct buf want = BUF_INIT;
	int rc = note ? ARK_OK : ark_fail(err, ARK_ENOMEM, "no memory for a note");

	if (!rc)
		rc = note_parse(bytes->data ? bytes->data : "", bytes->len, note, err);
	if (!rc && !signed_by_us(note, origin, keys))
		rc = ark_fail(err, ARK_EREFUSED,
		    "restore point %s is not signed by this archive's history log", point);
	if (!rc) {
		note_text(origin, point, manifest, &want);
		if (buf_failed(&want))
			rc = ark_fail(err, ARK_ENOMEM, "no memory for a note");
		else if (note->text_len != want.len || memcmp(note->text, want.data, want.len) != 0)
			rc = ark_fail(err, ARK_EREFUSED,
			    "the manifest of restore point %s is not the one that was signed",
			    point);
	}
	buf_free(&want);
	free(note);
	return rc;
}

static bool head_valid(const json_t *head, const char *point, const struct keyring *keys)
{
	const char *archive = json_text(head, "archive"), *commit = json_text(head, "commit");
	unsigned char id[20];
	char hex[33];

	hex_encode(hex, keyring_secrets(keys)->archive_id, 16);
	return archive && strcmp(archive, hex) == 0 && commit &&
	       hex_decode(id, 20, commit, strlen(commit)) && json_text(head, "point") &&
	       strcmp(json_text(head, "point"), point) == 0;
}

int manifest_get(struct place *p, const char *point, const struct keyring *keys,
    struct manifest *ret, struct ark_error *err)
{
	char name[PLACE_NAME_MAX], note_name[PLACE_NAME_MAX];
	struct buf text = BUF_INIT, note = BUF_INIT;
	struct manifest m = {0};
	const char *origin;
	int rc;

	if (!place_point_valid(point))
		return ark_fail(err, ARK_EINPUT,
		    "`%s` is not the name of a restore point; `arkki backup --list` shows them",
		    point);
	names_of(point, name, note_name);
	rc = place_get_bytes(p, note_name, NOTE_TEXT_MAX, &note, err);
	if (!rc)
		rc = place_get_bytes(p, name, MANIFEST_MAX, &text, err);
	if (rc == ARK_ENOTFOUND)
		ark_fail(
		    err, rc, "there is no restore point %s: a backup that was cut is none", point);
	if (!rc)
		rc = manifest_read(text.data ? text.data : "", text.len, &m, err);
	origin = rc ? NULL : json_text(m.head, "origin");
	if (!rc)
		rc = check_note(&note, &text, point, origin ? origin : "", keys, err);
	if (!rc && !head_valid(m.head, point, keys))
		rc = ark_fail(err, ARK_EREFUSED, "restore point %s is another archive's", point);
	if (rc == ARK_EINPUT || rc == ARK_ECORRUPT)
		rc = ark_fail_within(err, ARK_EREFUSED, "restore point %s cannot be used", point);
	buf_free(&text);
	buf_free(&note);
	if (rc) {
		manifest_free(&m);
		return rc;
	}
	*ret = m;
	return ARK_OK;
}

int manifest_whole(const struct manifest *m, const struct have *have, struct ark_error *err)
{
	const char *path;
	json_t *file, *piece;
	size_t i;

	json_object_foreach(m->files, path, file)
	{
		json_array_foreach(json_object_get(file, "pieces"), i, piece)
		{
			const char *hex = json_string_value(json_array_get(piece, 0));

			if (!have_object(
				have, hex, (uint64_t)json_integer_value(json_array_get(piece, 1))))
				return ark_fail(err, ARK_EREFUSED,
				    "restore point %s is not whole: object %s of %s is missing or "
				    "cut; use another point",
				    json_text(m->head, "point"), hex, path);
		}
	}
	return ARK_OK;
}

static uint64_t number(const json_t *o, const char *key)
{
	json_int_t n = json_integer_value(json_object_get(o, key));

	return n < 0 ? 0 : (uint64_t)n;
}

void manifest_summary(const struct manifest *m, struct backup_summary *ret)
{
	*ret = (struct backup_summary){.sequence = number(m->head, "sequence"),
	    .history = number(json_object_get(m->head, "history"), "size"),
	    .access = number(json_object_get(m->head, "access"), "size"),
	    .files = json_object_size(m->files)};
	snprintf(ret->point, sizeof(ret->point), "%s", json_text(m->head, "point"));
}
