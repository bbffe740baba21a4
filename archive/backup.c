/* Taking a backup beside a running server.
 *
 * The position is that of the two checkpoints as they were when the archive was opened for reading. Everything below a
 * checkpoint is durable and never changes, so nothing is waited for and nothing can tear:
 *   logs     segments up to the last frame below the checkpoint, tiles of that size
 *   store    the last commit that the history speaks of below its checkpoint; what came later is in the next backup
 * So log and store are level, and a restored archive adds nothing to its logs to become so.
 *
 * Builds on the newest point only when both logs continue that point's (a consistency proof from the tiles): after an
 * older copy was put back, pieces of two histories would otherwise be joined. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "archive/archive_private.h"
#include "archive/backup_private.h"
#include "archive/ledger_private.h"
#include "archive/store_internal.h"
#include "arkki/base/clock.h"
#include "arkki/base/fs.h"
#include "arkki/base/json.h"
#include "arkki/base/text.h"

enum { PACK_PASSES = 8, PACKS_MAX = 1 << 22 };

struct run {
	const struct backup_request *r;
	struct archive *a;
	struct place *place;
	struct manifest before, now; /* files NULL: there is none to build on */
	struct have *have;
	struct taking t;
	unsigned long number; /* of the point */
};

static void step(const struct run *b, const char *what, uint64_t done, uint64_t of)
{
	if (b->r->progress)
		b->r->progress(b->r->arg, what, done, of);
}

/* ---- where the archive is ---- */

/* The last commit that the history speaks of below its checkpoint. */
static int find_commit(const struct run *b, char commit[41], uint64_t *ret, struct ark_error *err)
{
	for (uint64_t i = b->a->history->opened.size; i-- > 0;) {
		struct ledger_entry e;
		const json_t *detail;
		const char *hex;
		int rc = ledger_get(b->a->history, i, &e, err);

		if (rc)
			return rc;
		detail = json_object_get(e.a, "detail");
		hex = json_text(detail, "commit");
		if (hex && strlen(hex) == 40) {
			memcpy(commit, hex, 41);
			*ret = (uint64_t)json_integer_value(json_object_get(detail, "sequence"));
			ledger_entry_free(&e);
			return ARK_OK;
		}
		ledger_entry_free(&e);
	}
	return ark_fail(err, ARK_EREFUSED, "nothing was filed in this archive yet");
}

static json_t *log_position(const struct ledger *l)
{
	char root[65];

	hex_encode(root, l->opened.root.bytes, 32);
	return json_pack("{s:I,s:s}", "size", (json_int_t)l->opened.size, "root", root);
}

static int make_head(struct run *b, struct ark_error *err)
{
	char commit[41], id[33], now[CLOCK_TEXT_SIZE], point[BACKUP_POINT_SIZE];
	uint64_t sequence = 0;
	int rc = find_commit(b, commit, &sequence, err);

	if (rc)
		return rc;
	clock_format(now, clock_now_us());
	/* 2026-03-12T08:15:30… */
	snprintf(point, sizeof(point), "%06lu-%.4s%.2s%.2sT%.2s%.2s%.2sZ", b->number, now, now + 5,
	    now + 8, now + 11, now + 14, now + 17);
	hex_encode(id, keyring_secrets(b->a->keys)->archive_id, 16);
	b->now.head = json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:I,s:I,s:I,s:o,s:o}", "arkki",
	    "backup/1", "point", point, "time", now, "origin", b->a->origin, "archive", id,
	    "commit", commit, "sequence", (json_int_t)sequence, "epoch",
	    (json_int_t)keyring_epoch(b->a->keys), "slots", (json_int_t)keyring_slots(b->a->keys),
	    "history", log_position(b->a->history), "access", log_position(b->a->access));
	b->now.files = json_object();
	return b->now.head && b->now.files ? ARK_OK
					   : ark_fail(err, ARK_ENOMEM, "no memory for a manifest");
}

/* ---- the point before ---- */

/* Does the log continue what that point had of it? */
static int continues(
    struct ledger *l, const json_t *position, const char *point, struct ark_error *err)
{
	json_int_t old_size = json_integer_value(json_object_get(position, "size"));
	const char *hex = json_text(position, "root");
	struct merkle_hash proof[MERKLE_PROOF_MAX], old_root;
	struct sha256 *sha;
	size_t n = 0;
	bool same;
	int rc;

	if (!hex || !hex_decode(old_root.bytes, 32, hex, strlen(hex)) || old_size < 0 ||
	    (uint64_t)old_size > l->opened.size)
		return ark_fail(err, ARK_EREFUSED,
		    "the newest restore point (%s) has %lld entries of %s and this archive has "
		    "%llu: it is an "
		    "older copy, and what was filed since is in the backup only; restore that, or "
		    "name another place",
		    point, (long long)old_size, l->origin, (unsigned long long)l->opened.size);
	if (old_size == 0)
		return ARK_OK;
	rc = ledger_consistency(l, (uint64_t)old_size, l->opened.size, proof, &n, err);
	if (rc)
		return rc;
	sha = sha256_new();
	if (!sha)
		return ark_fail(err, ARK_ENOMEM, "no memory for a proof");
	same = merkle_consistency_valid(
	    sha, (uint64_t)old_size, l->opened.size, &old_root, &l->opened.root, proof, n);
	sha256_free(sha);
	return same ? ARK_OK
		    : ark_fail(err, ARK_EREFUSED,
			  "the newest restore point (%s) holds another history of %s than this "
			  "archive: two copies were at work; name another place for this one",
			  point, l->origin);
}

static int find_before(struct run *b, struct ark_error *err)
{
	char(*points)[BACKUP_POINT_SIZE] = NULL;
	struct manifest m = {0};
	size_t n = 0;
	int rc = points_list(b->place, &points, &n, err);

	b->number = rc || !n ? 1 : strtoul(points[n - 1], NULL, 10) + 1;
	if (!rc && n) {
		rc = manifest_get(b->place, points[n - 1], b->a->keys, &m, err);
		if (!rc)
			rc = continues(
			    b->a->history, json_object_get(m.head, "history"), points[n - 1], err);
		if (!rc)
			rc = continues(
			    b->a->access, json_object_get(m.head, "access"), points[n - 1], err);
	}
	if (!rc && n && !b->r->full) {
		b->before = m;
		m = (struct manifest){0};
	}
	manifest_free(&m);
	free(points);
	return rc;
}

/* ---- the store ---- */

static int add_name(void *arg, const char *name)
{
	json_t *names = arg;

	if (strncmp(name, "pack-", 5) != 0)
		return 0;
	return json_object_size(names) >= PACKS_MAX ||
		       json_object_set_new(names, name, json_true()) < 0
		   ? ARK_ENOMEM
		   : 0;
}

static int list_packs(const struct run *b, json_t **ret, struct ark_error *err)
{
	json_t *names = json_object();
	int rc = names ? store_each_file(b->a->store, ".idx", add_name, names, err) : ARK_ENOMEM;

	if (rc) {
		json_decref(names);
		return rc == ARK_ENOMEM ? ark_fail(err, rc, "no memory for the packs") : rc;
	}
	*ret = names;
	return ARK_OK;
}

/* 1: it is gone, a compaction was faster. */
static int take_pack(struct run *b, const char *idx, struct ark_error *err)
{
	char path[300];
	int rc;

	snprintf(
	    path, sizeof(path), "archive.git/objects/pack/%.*s.pack", (int)(strlen(idx) - 4), idx);
	if (json_object_get(b->now.files, path))
		return ARK_OK;
	rc = take_fixed(&b->t, path, err);
	if (rc)
		return rc == ARK_ENOTFOUND ? 1 : rc;
	snprintf(path, sizeof(path), "archive.git/objects/pack/%s", idx);
	rc = take_fixed(&b->t, path, err);
	return rc == ARK_ENOTFOUND ? 1 : rc;
}

/* What compaction removed meanwhile is in larger packs: those names only are kept that are there at the end. */
static void drop_gone(struct run *b, const json_t *names)
{
	static const char prefix[] = "archive.git/objects/pack/";
	const char *path;
	json_t *file;
	void *next;

	json_object_foreach_safe(b->now.files, next, path, file)
	{
		size_t n;
		char idx[300];

		if (strncmp(path, prefix, sizeof(prefix) - 1) != 0)
			continue;
		n = strcspn(path + sizeof(prefix) - 1, ".");
		snprintf(idx, sizeof(idx), "%.*s.idx", (int)n, path + sizeof(prefix) - 1);
		if (!json_object_get(names, idx))
			json_object_del(b->now.files, path);
	}
}

/* A listing that compaction overtakes can miss a new pack and what it replaces: so until two in a row agree. */
static int take_packs(struct run *b, struct ark_error *err)
{
	for (int pass = 0; pass < PACK_PASSES; pass++) {
		json_t *first = NULL, *second = NULL;
		uint64_t done = 0;
		const char *name;
		json_t *value;
		bool gone = false;
		int rc = list_packs(b, &first, err);

		json_object_foreach(first, name, value)
		{
			int got = rc ? rc : take_pack(b, name, err);

			gone |= got == 1;
			rc = got < 0 ? got : rc;
			if (++done % 512 == 0)
				step(b, "packs", done, json_object_size(first));
		}
		if (!rc)
			rc = list_packs(b, &second, err);
		json_object_foreach(first, name, value) gone |=
		    second && !json_object_get(second, name);
		json_object_foreach(second, name, value)
		{
			int got = rc ? rc : take_pack(b, name, err);

			gone |= got == 1;
			rc = got < 0 ? got : rc;
		}
		if (!rc && !gone)
			drop_gone(b, second);
		json_decref(first);
		json_decref(second);
		if (rc || !gone)
			return rc;
	}
	return ark_fail(
	    err, ARK_EIO, "the packs of the store changed faster than they could be read");
}

/* ---- the logs ---- */

/* Where the last frame of an entry below `limit` ends; frames from `at` on. */
static int frames_end(
    int fd, uint64_t size, uint64_t limit, uint64_t *at, const char *what, struct ark_error *err)
{
	unsigned char head[12];

	while (size - *at >= sizeof(head)) {
		uint32_t len;
		int rc = fs_pread_all(fd, head, sizeof(head), *at, err);

		if (rc)
			return rc;
		len = be32_get(head);
		if (len == 0 || be64_get(head + 4) >= limit)
			return ARK_OK;
		if (len < FRAME_HEADER - 4 || len > FRAME_MAX - 4 || len + 4 > size - *at)
			return ark_fail(err, ARK_ECORRUPT,
			    "%s: no frame stands at %llu; `arkki verify` tells more", what,
			    (unsigned long long)*at);
		*at += len + 4;
	}
	return ARK_OK;
}

static int take_segment(struct run *b, const struct ledger *l, const char *log,
    const struct segment *s, struct ark_error *err)
{
	char path[80];
	const json_t *before;
	uint64_t at = SEGMENT_HEADER;
	struct stat st;
	int fd, rc;

	snprintf(path, sizeof(path), "ledger/%s/segments/%08u.seg", log, (unsigned int)s->number);
	rc = segment_open_file(l->dir, s->number, O_RDONLY, &fd, err);
	if (rc)
		return rc;
	if (fstat(fd, &st) < 0)
		rc = ark_fail_errno(err, ARK_EIO, "cannot read %s", path);
	before = b->before.files ? json_object_get(b->before.files, path) : NULL;
	if (!rc && before && pieces_length(before) <= (uint64_t)st.st_size &&
	    pieces_length(before) > at)
		at = pieces_length(before);
	if (!rc)
		rc = frames_end(fd, (uint64_t)st.st_size, l->opened.size, &at, path, err);
	if (!rc)
		rc = take_grown(&b->t, path, fd, at, (uint64_t)st.st_size, err);
	close(fd);
	return rc;
}

/* The tiles at the right edge, in the width that the checkpoint has them. */
static int take_edge(
    struct run *b, const struct ledger *l, const char *log, int level, struct ark_error *err)
{
	uint64_t hashes = l->opened.size >> (level > 0 ? 8 * level : 0);
	const struct tile_id id = {level, hashes >> 8, (unsigned int)(hashes & 255)};
	char tile[TILE_PATH_MAX], path[TILE_PATH_MAX + 32];
	struct buf bytes = BUF_INIT;
	int rc;

	if (!id.width)
		return ARK_OK;
	tile_path_format(tile, &id);
	snprintf(path, sizeof(path), "ledger/%s/%s", log, tile);
	rc = tile_read(l->dir, &id, &bytes, err);
	if (!rc)
		rc = take_bytes(&b->t, path, bytes.data, bytes.len, err);
	buf_free(&bytes);
	return rc == ARK_ENOTFOUND ? ARK_ECORRUPT : rc;
}

/* What the witnesses signed, unless that is newer than the checkpoint: then the next backup has it. */
static int take_cosigned(struct run *b, struct ledger *l, const char *log, struct ark_error *err)
{
	struct note *note = malloc(sizeof(*note));
	struct buf text = BUF_INIT;
	struct checkpoint c;
	char path[64];
	int rc = note ? ledger_cosigned(l, &text, err)
		      : ark_fail(err, ARK_ENOMEM, "no memory for a checkpoint");

	snprintf(path, sizeof(path), "ledger/%s/checkpoint.cosigned", log);
	if (!rc)
		rc = note_parse(text.data ? text.data : "", text.len, note, err);
	if (!rc)
		rc = checkpoint_parse(note->text, note->text_len, l->origin, &c, err);
	if (!rc && c.size <= l->opened.size)
		rc = take_bytes(&b->t, path, text.data, text.len, err);
	buf_free(&text);
	free(note);
	return rc == ARK_ENOTFOUND ? ARK_OK : rc;
}

static int take_log(struct run *b, struct ledger *l, const char *log, struct ark_error *err)
{
	char path[64];
	int rc;

	step(b, log, l->opened.size, 0);
	snprintf(path, sizeof(path), "ledger/%s/checkpoint", log);
	rc = take_bytes(&b->t, path, l->note.data, l->note.len, err);
	if (!rc)
		rc = take_cosigned(b, l, log, err);
	for (size_t i = 0; !rc && i < l->segments.len; i++)
		if (l->segments.items[i].first < l->opened.size)
			rc = take_segment(b, l, log, &l->segments.items[i], err);
	for (int level = TILE_ENTRIES; !rc && level < MERKLE_LEVELS; level++) {
		/* shifted twice: level 7 would be all 64 bits */
		uint64_t count = l->opened.size >> (level > 0 ? 8 * level : 0) >> 8;

		if (count)
			rc = take_tiles(&b->t, log, level, count, err);
		if (!rc)
			rc = take_edge(b, l, log, level, err);
	}
	return rc;
}

/* ---- the rest ---- */

static int take_rest(struct run *b, struct ark_error *err)
{
	static const char *const small[] = {"arkki.conf", "allowed_signers", "archive.git/HEAD",
	    "archive.git/config", "witness.policy", "key-backups.json", "key-shares.json"};
	enum { NEEDED = 4 };
	struct buf state = BUF_INIT;
	char path[4096];
	int rc = ARK_OK;

	for (size_t i = 0; !rc && i < sizeof(small) / sizeof(*small); i++) {
		rc = take_small(&b->t, small[i], err);
		if (rc == ARK_ENOTFOUND && i >= NEEDED)
			rc = ARK_OK;
	}
	if (!rc)
		rc = fs_path(path, err, "%s/state.sqlite", b->r->dir);
	if (!rc && fs_exists(path)) {
		rc = state_copy(path, &state, err);
		if (!rc)
			rc = take_bytes(&b->t, "state.sqlite", state.data, state.len, err);
	}
	buf_free(&state);
	return rc;
}

/* ---- afterwards ---- */

static int note_state(const struct run *b, struct ark_error *err)
{
	json_t *state = json_pack("{s:s,s:s,s:s}", "time", json_text(b->now.head, "time"),
	    "destination", b->r->place, "point", json_text(b->now.head, "point"));
	struct buf text = BUF_INIT;
	char path[4096];
	int rc = state ? fs_path(path, err, "%s/backup.state", b->r->dir)
		       : ark_fail(err, ARK_ENOMEM, "no memory for backup.state");

	if (!rc)
		rc = json_write(&text, state, err);
	buf_addc(&text, '\n');
	if (!rc && buf_failed(&text))
		rc = ark_fail(err, ARK_ENOMEM, "no memory for backup.state");
	if (!rc)
		rc = fs_replace_file(path, text.data, text.len, 0600, err);
	json_decref(state);
	buf_free(&text);
	return rc;
}

static int add_used(json_t *used, const struct manifest *m)
{
	const char *path;
	json_t *file, *piece;
	size_t i;

	json_object_foreach(m->files, path, file)
	{
		json_array_foreach(json_object_get(file, "pieces"), i, piece)
		{
			if (json_object_set_new(
				used, json_string_value(json_array_get(piece, 0)), json_true()) < 0)
				return ARK_ENOMEM;
		}
	}
	return ARK_OK;
}

struct sweep {
	struct run *b;
	const json_t *used;
	struct ark_error *err;
};

static int sweep_object(void *arg, const char *hex)
{
	struct sweep *s = arg;
	char name[PLACE_NAME_MAX];
	int rc;

	if (json_object_get(s->used, hex))
		return 0;
	snprintf(name, sizeof(name), "objects/%s", hex);
	rc = place_remove(s->b->place, name, s->err);
	s->b->t.sum->objects_removed += !rc;
	return rc;
}

static int remove_points(struct run *b, char (*points)[BACKUP_POINT_SIZE], size_t n,
    const char *end, struct ark_error *err)
{
	char name[PLACE_NAME_MAX];
	int rc = ARK_OK;

	for (size_t i = 0; !rc && i < n; i++) {
		snprintf(name, sizeof(name), "points/%s%s", points[i], end);
		rc = place_remove(b->place, name, err);
	}
	return rc;
}

/* Older points go, notes first; then objects that no point names. A point that cannot be read stops it: what it needs is not known. */
static int keep_newest(struct run *b, struct ark_error *err)
{
	char(*points)[BACKUP_POINT_SIZE] = NULL;
	struct have *have = NULL;
	json_t *used = json_object();
	struct sweep s = {b, used, err};
	size_t n = 0, gone;
	int rc = used ? points_list(b->place, &points, &n, err)
		      : ark_fail(err, ARK_ENOMEM, "no memory to look for what is not needed");

	gone = rc || n <= b->r->keep ? 0 : n - b->r->keep;
	for (size_t i = gone; !rc && gone && i < n; i++) {
		struct manifest m = {0};

		rc = manifest_get(b->place, points[i], b->a->keys, &m, err);
		if (!rc && add_used(used, &m))
			rc = ark_fail(err, ARK_ENOMEM, "no memory to look for what is not needed");
		manifest_free(&m);
	}
	if (!rc)
		rc = remove_points(b, points, gone, ".note", err);
	if (!rc)
		rc = remove_points(b, points, gone, ".manifest", err);
	b->t.sum->points_removed += rc ? 0 : gone;
	if (!rc && gone)
		rc = have_load(b->place, &have, err);
	if (!rc && gone)
		rc = have_each(have, sweep_object, &s);
	have_free(have);
	json_decref(used);
	free(points);
	return rc;
}

/* ---- the story ---- */

static int take_all(struct run *b, struct ark_error *err)
{
	int rc = make_head(b, err);

	b->t.files = b->now.files;
	b->t.before = b->before.files;
	b->t.have = b->have;
	b->t.place = b->place;
	b->t.dir = b->r->dir;
	b->t.progress = b->r->progress;
	b->t.arg = b->r->arg;
	if (!rc)
		rc = take_packs(b, err);
	if (!rc)
		rc = take_log(b, b->a->access, "access", err);
	if (!rc)
		rc = take_log(b, b->a->history, "history", err);
	if (!rc)
		rc = take_rest(b, err);
	return rc ? rc : manifest_put(b->place, &b->now, b->a->keys, err);
}

int backup_run(const struct backup_request *r, struct backup_summary *ret, struct ark_error *err)
{
	struct backup_summary sum = {0}, what;
	struct run b = {.r = r, .t.sum = &sum};
	int rc = archive_open(r->dir, r->root_key, ARCHIVE_READ, NULL, NULL, &b.a, err);

	if (!rc)
		rc = place_open(r->place, PLACE_WRITE, &b.place, err);
	if (!rc)
		rc = find_before(&b, err);
	if (!rc)
		rc = have_load(b.place, &b.have, err);
	if (!rc)
		rc = take_all(&b, err);
	if (!rc)
		rc = note_state(&b, err);
	if (!rc && r->keep)
		rc = keep_newest(&b, err);
	if (!rc) {
		manifest_summary(&b.now, &what);
		what.objects = sum.objects;
		what.bytes = sum.bytes;
		what.points_removed = sum.points_removed;
		what.objects_removed = sum.objects_removed;
		*ret = what;
	}
	manifest_free(&b.before);
	manifest_free(&b.now);
	have_free(b.have);
	place_close(b.place);
	archive_close(b.a);
	return rc;
}

/* ---- what was done before ---- */

int backup_points(
    const char *place, void (*each)(void *arg, const char *point), void *arg, struct ark_error *err)
{
	char(*points)[BACKUP_POINT_SIZE] = NULL;
	struct place *p = NULL;
	size_t n = 0;
	int rc = place_open(place, PLACE_READ, &p, err);

	if (!rc)
		rc = points_list(p, &points, &n, err);
	for (size_t i = 0; !rc && i < n; i++)
		each(arg, points[i]);
	free(points);
	place_close(p);
	return rc;
}

int backup_last(const char *dir, struct backup_last *ret, struct ark_error *err)
{
	struct buf text = BUF_INIT;
	struct backup_last last = {0};
	json_t *o = NULL;
	char path[4096];
	int rc = fs_path(path, err, "%s/backup.state", dir);

	if (!rc)
		rc = fs_read_file(path, 65536, &text, err);
	if (!rc)
		rc = json_read(text.data ? text.data : "", text.len, &o, err);
	if (!rc && (!json_text(o, "time") || !json_text(o, "point") ||
		       !clock_parse(json_text(o, "time"), &last.time_us)))
		rc = ark_fail(err, ARK_EINPUT, "%s is malformed; the next backup mends it", path);
	if (!rc) {
		const char *place = json_text(o, "destination");

		snprintf(last.point, sizeof(last.point), "%s", json_text(o, "point"));
		snprintf(last.place, sizeof(last.place), "%s", place ? place : "");
		*ret = last;
	}
	json_decref(o);
	buf_free(&text);
	return rc;
}
