/* The rows of pending uploads, and which files lie there for them.
 *
 * A row's body, behind the user: id[32], length, offset, pieces, file length, changed (8 bytes each), key[32], hash state[104],
 * document[32], version (8), lengths of name, type and draft (8 each), these, held (8: 1 or 0), and zeros up to a whole KiB.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "archive/uploads_private.h"
#include "arkki/base/clock.h"
#include "arkki/base/fs.h"
#include "arkki/base/text.h"

enum { PAD = 1024, HASH_WORDS = 8, HASH_ROOM = 64 };

#define LIFE_US ((int64_t)PENDING_DAYS * 24 * 3600 * 1000000)

void pending_free(struct pending *p)
{
	free(p->file_name);
	free(p->media_type);
	free(p->draft);
	*p = (struct pending){0};
}

void pending_row_free(struct pending_row *r)
{
	pending_free(&r->p);
	seal_key_wipe(&r->key);
	sodium_memzero(&r->hash, sizeof(r->hash));
}

int pending_path(
    const struct pending_place *place, const char *id, char out[4096], struct ark_error *err)
{
	return fs_path(out, err, id ? "%s/uploads/%s" : "%s/uploads", place->spool, id);
}

/* ---- a row's body ---- */

static void put_hash(struct buf *body, const crypto_hash_sha256_state *h)
{
	for (size_t i = 0; i < HASH_WORDS; i++)
		buf_add_be(body, h->state[i], 4);
	buf_add_be(body, h->count, 8);
	buf_add(body, h->buf, HASH_ROOM);
}

static void take_hash(struct fields *f, crypto_hash_sha256_state *h)
{
	unsigned char word[4];

	for (size_t i = 0; i < HASH_WORDS; i++) {
		fields_bytes(f, word, sizeof(word));
		h->state[i] = be32_get(word);
	}
	h->count = (uint64_t)fields_number(f);
	fields_bytes(f, h->buf, HASH_ROOM);
}

static void put_body(struct buf *body, const struct pending_row *r)
{
	const struct pending *p = &r->p;
	const char *const texts[] = {p->file_name, p->media_type, p->draft};

	body->len = USER_SIZE;
	field_text(body, p->id, 32);
	field_number(body, (int64_t)p->length);
	field_number(body, (int64_t)p->offset);
	field_number(body, (int64_t)r->pieces);
	field_number(body, (int64_t)r->file_len);
	field_number(body, p->changed_us);
	buf_add(body, r->key.bytes, sizeof(r->key.bytes));
	put_hash(body, &r->hash);
	field_text(body, p->document, 32);
	field_number(body, p->version);
	for (size_t i = 0; i < 3; i++)
		field_number(body, texts[i] ? (int64_t)strlen(texts[i]) : -1);
	for (size_t i = 0; i < 3; i++)
		buf_adds(body, texts[i] ? texts[i] : "");
	field_number(body, r->held);
	while (!buf_failed(body) && body->len % PAD)
		buf_addc(body, '\0');
}

static int take_text(struct fields *f, int64_t len, int64_t most, char **ret, struct ark_error *err)
{
	if (len < 0)
		return ARK_OK;
	if (len > most || (uint64_t)len > f->left)
		return ark_fail(err, ARK_ECORRUPT, "the row of an upload is malformed");
	*ret = malloc((size_t)len + 1);
	if (!*ret)
		return ark_fail(err, ARK_ENOMEM, "no memory for an upload");
	fields_text(f, *ret, (size_t)len);
	return ARK_OK;
}

static int take_body(const struct row *from, struct pending_row *r, struct ark_error *err)
{
	struct pending *p = &r->p;
	struct fields f = row_fields(from, p->user);
	int64_t len[3];
	int rc;

	fields_text(&f, p->id, 32);
	p->length = (uint64_t)fields_number(&f);
	p->offset = (uint64_t)fields_number(&f);
	r->pieces = (uint64_t)fields_number(&f);
	r->file_len = (uint64_t)fields_number(&f);
	p->changed_us = fields_number(&f);
	fields_bytes(&f, r->key.bytes, sizeof(r->key.bytes));
	take_hash(&f, &r->hash);
	fields_text(&f, p->document, 32);
	p->version = (uint32_t)fields_number(&f);
	for (size_t i = 0; i < 3; i++)
		len[i] = fields_number(&f);
	if (f.bad)
		return ark_fail(err, ARK_ECORRUPT, "the row of an upload is malformed");
	p->ends_us = from->ends_us;
	rc = take_text(&f, len[0], PENDING_NAME_MAX, &p->file_name, err);
	if (!rc)
		rc = take_text(&f, len[1], PENDING_TYPE_MAX, &p->media_type, err);
	if (!rc)
		rc = take_text(&f, len[2], PENDING_DRAFT_MAX, &p->draft, err);
	/* a row of before there was such a thing has zeros here, or less than a number */
	if (!rc && f.left >= sizeof(int64_t))
		r->held = fields_number(&f) == 1;
	return rc;
}

/* ---- one row ---- */

/* Under the lock: the row of this id, opened into *row and *ret. ARK_ENOTFOUND: none, another's (user NULL: any), expired. */
static int find(struct state *s, const char *user, const char *id, struct row *row,
    struct pending_row *ret, struct ark_error *err)
{
	int rc;

	row_init(s, row, CREDENTIAL_UPLOAD, NULL);
	if (!docid_valid(id))
		return ark_fail(err, ARK_ENOTFOUND, "there is no such upload");
	row_name(s, row, id, NULL);
	rc = row_read(s, row, err);
	if (!rc)
		rc = take_body(row, ret, err);
	if (!rc && ((user && strcmp(user, ret->p.user) != 0) || row->ends_us <= clock_now_us()))
		rc = ARK_ENOTFOUND;
	if (rc == ARK_ENOTFOUND)
		return ark_fail(err, rc, "there is no such upload");
	if (!rc && strcmp(ret->p.id, id) != 0)
		rc = ark_fail(err, ARK_ECORRUPT, "the row of an upload is another's");
	return rc;
}

/* Writes *r over the row that find() gave. */
static int put(struct state *s, struct row *row, struct pending_row *r, struct ark_error *err)
{
	r->p.changed_us = clock_now_us();
	r->p.ends_us = row->ends_us = r->p.changed_us + LIFE_US;
	put_body(&row->body, r);
	return row_write(s, row, err);
}

int pending_row_get(const struct pending_place *place, const char *user, const char *id,
    struct pending_row *ret, struct ark_error *err)
{
	struct pending_row r = {0};
	struct row row;
	int rc = state_enter(place->state, false, err);

	if (rc)
		return rc;
	rc = find(place->state, user, id, &row, &r, err);
	row_free(&row);
	rc = state_leave(place->state, false, rc, err);
	if (rc)
		pending_row_free(&r);
	else
		*ret = r;
	return rc;
}

int pending_row_move(
    const struct pending_place *place, struct pending_row *r, bool lazily, struct ark_error *err)
{
	struct state *s = place->state;
	struct pending_row now = {0};
	struct row row;
	int rc = state_enter(s, false, err);

	if (rc)
		return rc;
	rc = find(s, r->p.user, r->p.id, &row, &now, err);
	if (!rc && now.p.document[0])
		rc = ark_fail(err, ARK_EREFUSED, "the upload was filed meanwhile");
	now.p.length = r->p.length;
	now.p.offset = r->p.offset;
	now.pieces = r->pieces;
	now.file_len = r->file_len;
	now.hash = r->hash;
	now.held = r->held;
	if (!rc && lazily)
		rc = state_lazily(s, true, err);
	if (!rc)
		rc = put(s, &row, &now, err);
	if (lazily && state_lazily(s, false, rc ? NULL : err) && !rc)
		rc = ARK_EIO;
	r->p.changed_us = now.p.changed_us;
	r->p.ends_us = now.p.ends_us;
	row_free(&row);
	pending_row_free(&now);
	return state_leave(s, false, rc, err);
}

/* ---- made, looked at, changed ---- */

int pending_new(const struct pending_place *place, const struct pending *wish, char ret_id[33],
    struct ark_error *err)
{
	struct pending_row r = {.p = *wish}; /* its texts are borrowed */
	unsigned char random[16];
	char id[33], dir[4096];
	struct row row;
	int rc = pending_path(place, NULL, dir, err);

	if (!rc && ((wish->file_name && strlen(wish->file_name) > PENDING_NAME_MAX) ||
		       (wish->media_type && strlen(wish->media_type) > PENDING_TYPE_MAX)))
		rc = ark_fail(err, ARK_EINPUT, "the name or the type of the file is too long");
	if (!rc && !fs_exists(dir)) {
		rc = fs_mkdir(dir, 0700, err);
		if (!rc)
			rc = fs_sync_dir(place->spool, err);
	}
	if (!rc)
		rc = state_enter(place->state, false, err);
	if (rc)
		return rc;
	randombytes_buf(random, sizeof(random));
	hex_encode(id, random, sizeof(random));
	seal_key_generate(&r.key);
	crypto_hash_sha256_init(&r.hash);
	memcpy(r.p.id, id, sizeof(id));
	r.p.changed_us = clock_now_us();
	r.p.offset = 0;
	r.p.document[0] = '\0';
	row_init(place->state, &row, CREDENTIAL_UPLOAD, wish->user);
	row_name(place->state, &row, id, NULL);
	row.ends_us = r.p.changed_us + LIFE_US;
	put_body(&row.body, &r);
	rc = row_write(place->state, &row, err);
	row_free(&row);
	seal_key_wipe(&r.key);
	rc = state_leave(place->state, false, rc, err);
	if (!rc)
		memcpy(ret_id, id, sizeof(id));
	return rc;
}

int pending_get(const struct pending_place *place, const char *user, const char *id,
    struct pending *ret, struct ark_error *err)
{
	struct pending_row r = {0};
	int rc = pending_row_get(place, user, id, &r, err);

	if (rc)
		return rc;
	*ret = r.p;
	r.p = (struct pending){0};
	pending_row_free(&r);
	return ARK_OK;
}

/* Changes a row durably: the draft (when there is a new one, and the row has still `was`), and what it became. */
static int change(const struct pending_place *place, const char *user, const char *id,
    const char *was, const char *const *draft, const char *document, uint32_t version,
    struct ark_error *err)
{
	struct pending_row r = {0};
	struct row row;
	int rc = state_enter(place->state, true, err);

	if (rc)
		return rc;
	rc = find(place->state, user, id, &row, &r, err);
	if (!rc && was && strcmp(r.p.draft ? r.p.draft : "", was) != 0)
		rc = ark_fail(err, ARK_ECONFLICT, "what was typed was kept elsewhere meanwhile");
	if (!rc && draft) {
		free(r.p.draft);
		r.p.draft = *draft ? strdup(*draft) : NULL;
		if (*draft && !r.p.draft)
			rc = ark_fail(err, ARK_ENOMEM, "no memory for an upload");
	}
	if (!rc && document) {
		memcpy(r.p.document, document, 32);
		r.p.version = version;
	}
	if (!rc)
		rc = put(place->state, &row, &r, err);
	row_free(&row);
	pending_row_free(&r);
	return state_leave(place->state, true, rc, err);
}

int pending_draft(const struct pending_place *place, const char *user, const char *id,
    const char *was, const char *json, struct ark_error *err)
{
	if (json && strlen(json) > PENDING_DRAFT_MAX)
		return ark_fail(err, ARK_EINPUT, "what was typed is longer than 64 KiB");
	return change(place, user, id, was, &json, NULL, 0, err);
}

int pending_became(const struct pending_place *place, const char *user, const char *id,
    const char *document, uint32_t version, struct ark_error *err)
{
	char path[4096];
	int rc = pending_path(place, id, path, err);

	if (!rc && !docid_valid(document))
		rc = ark_fail(err, ARK_EINPUT, "that is no document's id");
	if (!rc)
		rc = change(place, user, id, NULL, NULL, document, version, err);
	if (!rc)
		unlink(path); /* what stays is found by the sweep */
	return rc;
}

struct looking {
	int (*each)(void *arg, const struct pending *p);
	void *arg;
	int64_t now_us;
};

static int look(void *arg, struct row *row, struct ark_error *err)
{
	const struct looking *l = arg;
	struct pending_row r = {0};
	int rc = take_body(row, &r, err);

	if (!rc && row->ends_us > l->now_us)
		rc = l->each(l->arg, &r.p);
	pending_row_free(&r);
	return rc;
}

int pending_each(const struct pending_place *place, const char *user,
    int (*each)(void *arg, const struct pending *p), void *arg, struct ark_error *err)
{
	const struct rows_wish wish = {.kind = CREDENTIAL_UPLOAD, .user = user};
	struct looking l = {.each = each, .arg = arg, .now_us = clock_now_us()};
	int rc = state_enter(place->state, false, err);

	if (rc)
		return rc;
	rc = rows_each(place->state, &wish, look, &l, err);
	return state_leave(place->state, false, rc, err);
}

struct promising {
	const struct pending_place *place;
	uint64_t bytes;
};

static int add_promise(void *arg, const struct pending *p)
{
	struct promising *to = arg;
	char path[4096];
	struct stat st = {0};
	uint64_t room = pending_room(p->length), there;

	if (p->document[0] || p->length == PENDING_OPEN)
		return 0;
	if (pending_path(to->place, p->id, path, NULL) || stat(path, &st) != 0)
		st.st_blocks = 0;
	there = (uint64_t)st.st_blocks * 512;
	to->bytes += there < room ? room - there : 0;
	return 0;
}

int pending_promised(const struct pending_place *place, uint64_t *ret_bytes, struct ark_error *err)
{
	struct promising to = {.place = place};
	int rc = pending_each(place, NULL, add_promise, &to, err);

	if (!rc)
		*ret_bytes = to.bytes;
	return rc;
}

/* ---- taken away ---- */

/* Deletes the row; ARK_ENOTFOUND as find(). */
static int drop_row(
    const struct pending_place *place, const char *user, const char *id, struct ark_error *err)
{
	struct pending_row r = {0};
	struct row row;
	int rc = state_enter(place->state, true, err);

	if (rc)
		return rc;
	rc = find(place->state, user, id, &row, &r, err);
	if (!rc)
		rc = row_delete(place->state, &row, NULL, err);
	row_free(&row);
	pending_row_free(&r);
	return state_leave(place->state, true, rc, err);
}

int pending_remove(
    const struct pending_place *place, const char *user, const char *id, struct ark_error *err)
{
	struct pending p = {0};
	char path[4096];
	int fd = -1, rc = pending_get(place, user, id, &p, err);

	pending_free(&p);
	if (!rc)
		rc = pending_path(place, id, path, err);
	if (rc)
		return rc;
	fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) != 0)
		rc = ark_fail(err, ARK_ECONFLICT, "the upload is in use");
	if (!rc)
		rc = drop_row(place, user, id, err);
	if (!rc && fd >= 0)
		unlink(path);
	fs_unlock_close(fd);
	if (!rc)
		state_forget_log(place->state);
	return rc;
}

struct sweeping {
	struct state *s;
	int64_t now_us;
	unsigned int removed;
};

static int sweep_row(void *arg, struct row *row, struct ark_error *err)
{
	struct sweeping *w = arg;

	if (row->ends_us > w->now_us)
		return ARK_OK;
	w->removed++;
	return row_delete(w->s, row, NULL, err);
}

/* 1: a row knows this file, 0: none does. */
static int known(struct state *s, const char *id, struct ark_error *err)
{
	struct row row;
	int rc = state_enter(s, false, err);

	if (rc)
		return rc;
	row_init(s, &row, CREDENTIAL_UPLOAD, NULL);
	row_name(s, &row, id, NULL);
	rc = row_read(s, &row, err);
	row_free(&row);
	rc = state_leave(s, false, rc == ARK_ENOTFOUND ? ARK_OK : rc ? rc : 1, err);
	return rc;
}

/* A row is made before its file: a file without one is nobody's any more. */
static int sweep_files(const struct pending_place *place, struct ark_error *err)
{
	const struct dirent *entry;
	char path[4096];
	DIR *dir;
	int rc = pending_path(place, NULL, path, err);

	if (rc || !fs_exists(path))
		return rc;
	dir = opendir(path);
	if (!dir)
		return ark_fail_errno(err, ARK_EIO, "cannot read %s", path);
	while (!rc && (entry = readdir(dir))) {
		if (!docid_valid(entry->d_name))
			continue;
		rc = known(place->state, entry->d_name, err);
		if (rc < 0)
			break;
		if (!rc)
			unlinkat(dirfd(dir), entry->d_name, 0);
		rc = ARK_OK;
	}
	closedir(dir);
	return rc;
}

int pending_sweep(const struct pending_place *place, int64_t now_us, unsigned int *ret_removed,
    struct ark_error *err)
{
	struct sweeping w = {.s = place->state, .now_us = now_us};
	int rc = state_enter(place->state, true, err);

	if (rc)
		return rc;
	rc = rows_each(
	    place->state, &(struct rows_wish){.kind = CREDENTIAL_UPLOAD}, sweep_row, &w, err);
	rc = state_leave(place->state, true, rc, err);
	if (!rc && w.removed)
		state_forget_log(place->state);
	if (!rc)
		rc = sweep_files(place, err);
	*ret_removed = w.removed;
	return rc;
}
