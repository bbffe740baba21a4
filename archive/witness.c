#include "arkki/archive/witness.h"

#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "archive/witness_wire.h"
#include "arkki/base/clock.h"
#include "arkki/base/fs.h"
#include "arkki/base/text.h"

enum { CONF_MAX = 64 * 1024, LOG_KEYS_MAX = 8, ORIGIN_MAX = 1024 };

struct witness {
	char *dir;
	int lock_fd;
	unsigned char seed[32];
	struct note_key key;
	pthread_mutex_t lock; /* from reading a log's state to having replaced it */
	struct sha256 *sha;
};

/* ---- the directory ---- */

static int read_in(
    const char *dir, const char *name, size_t limit, struct buf *out, struct ark_error *err)
{
	char path[4096];
	int rc = fs_path(path, err, "%s/%s", dir, name);

	buf_clear(out);
	if (!rc)
		rc = fs_read_file(path, limit, out, err);
	buf_adds(out, ""); /* a file of no bytes is a text too */
	if (!rc && buf_failed(out))
		rc = ark_fail(err, ARK_ENOMEM, "no memory for %s", path);
	return rc;
}

static int write_in(
    const char *dir, const char *name, const void *bytes, size_t len, struct ark_error *err)
{
	char path[4096];
	int rc = fs_path(path, err, "%s/%s", dir, name);

	return rc ? rc : fs_replace_file(path, bytes, len, 0600, err);
}

int witness_init(const char *dir, const char *name, struct ark_error *err)
{
	unsigned char seed[32];
	struct buf conf = BUF_INIT;
	struct note_key key;
	char path[4096], hex[66];
	int rc, empty;

	if (sodium_init() < 0)
		return ark_fail(err, ARK_EIO, "libsodium does not start");
	randombytes_buf(seed, sizeof(seed));
	rc = note_cosigner_from_seed(name, seed, &key, err);
	if (!rc)
		rc = fs_mkdirs(dir, 0700, err);
	if (!rc && (empty = fs_dir_empty(dir, err)) != 1)
		rc = empty < 0 ? empty : ark_fail(err, ARK_EREFUSED, "%s is not empty", dir);
	if (!rc)
		rc = fs_path(path, err, "%s/logs", dir);
	if (!rc)
		rc = fs_mkdir(path, 0700, err);
	hex_encode(hex, seed, sizeof(seed));
	hex[64] = '\n';
	if (!rc)
		rc = write_in(dir, "key", hex, 65, err);
	buf_addf(&conf, "# arkki witness; see archive/README.md\nformat 1\nname %s\n", name);
	/* last: a directory without it is no witness */
	if (!rc)
		rc = buf_failed(&conf) ? ark_fail(err, ARK_ENOMEM, "no memory for a witness")
				       : write_in(dir, "witness.conf", conf.data, conf.len, err);
	sodium_memzero(seed, sizeof(seed));
	sodium_memzero(hex, sizeof(hex));
	buf_free(&conf);
	return rc;
}

static int load_key(
    const char *dir, unsigned char seed[32], struct note_key *ret, struct ark_error *err)
{
	struct buf conf = BUF_INIT, key = BUF_INIT;
	char *line, *save = NULL, *name = NULL;
	bool known = false;
	int rc = read_in(dir, "witness.conf", CONF_MAX, &conf, err);

	if (rc == ARK_ENOTFOUND)
		ark_fail(err, rc, "%s is not a witness; make one with `arkki witness %s init`", dir,
		    dir);
	for (line = rc ? NULL : strtok_r(conf.data, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save)) {
		known = known || strcmp(line, "format 1") == 0;
		if (strncmp(line, "name ", 5) == 0)
			name = line + 5;
	}
	if (!rc && (!known || !name))
		rc = ark_fail(
		    err, ARK_EINPUT, "%s/witness.conf has no name, or an unknown format", dir);
	if (!rc)
		rc = read_in(dir, "key", 128, &key, err);
	if (!rc && !(key.len == 65 && key.data[64] == '\n' && hex_decode(seed, 32, key.data, 64)))
		rc = ark_fail(err, ARK_ECORRUPT, "%s/key is not 64 hex digits; restore it", dir);
	if (!rc)
		rc = note_cosigner_from_seed(name, seed, ret, err);
	buf_wipe_free(&key);
	buf_free(&conf);
	return rc;
}

int witness_vkey(const char *dir, struct buf *out, struct ark_error *err)
{
	unsigned char seed[32];
	struct note_key key;
	int rc = load_key(dir, seed, &key, err);

	sodium_memzero(seed, sizeof(seed));
	if (rc)
		return rc;
	note_cosigner_format(&key, out);
	return buf_failed(out) ? ark_fail(err, ARK_ENOMEM, "no memory for a key") : ARK_OK;
}

static int take_lock(struct witness *w, struct ark_error *err)
{
	char path[4096];
	int rc = fs_path(path, err, "%s/lock", w->dir);

	if (rc)
		return rc;
	w->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (w->lock_fd < 0)
		return ark_fail_errno(err, ARK_EIO, "cannot open %s", path);
	if (flock(w->lock_fd, LOCK_EX | LOCK_NB) < 0)
		return ark_fail(
		    err, ARK_ECONFLICT, "another process serves the witness %s", w->dir);
	return ARK_OK;
}

int witness_open(const char *dir, struct witness **ret, struct ark_error *err)
{
	struct witness *w = calloc(1, sizeof(*w));
	int rc;

	if (!w)
		return ark_fail(err, ARK_ENOMEM, "no memory for a witness");
	w->lock_fd = -1;
	pthread_mutex_init(&w->lock, NULL);
	w->dir = strdup(dir);
	w->sha = sha256_new();
	rc = w->dir && w->sha ? load_key(dir, w->seed, &w->key, err)
			      : ark_fail(err, ARK_ENOMEM, "no memory for a witness");
	if (!rc)
		rc = take_lock(w, err);
	if (rc) {
		witness_close(w);
		return rc;
	}
	*ret = w;
	return ARK_OK;
}

void witness_close(struct witness *w)
{
	if (!w)
		return;
	fs_unlock_close(w->lock_fd);
	sodium_memzero(w->seed, sizeof(w->seed));
	pthread_mutex_destroy(&w->lock);
	sha256_free(w->sha);
	free(w->dir);
	free(w);
}

/* ---- the logs it knows ---- */

enum { LOG_NAME = 5 + 64 + 12 };

/* "logs/<hash>.checkpoint" */
static void log_file(char out[LOG_NAME], const char *origin, size_t len, const char *ending)
{
	unsigned char hash[32];

	sha256_of(origin, len, hash);
	memcpy(out, "logs/", 5);
	hex_encode(out + 5, hash, sizeof(hash));
	memcpy(out + 69, ending, strlen(ending) + 1);
}

struct log_keys {
	struct note_key keys[LOG_KEYS_MAX];
	size_t len;
};

/* *ret is the caller's (free). ARK_ENOTFOUND: an unknown log. */
static int load_log(const char *dir, const char *origin, size_t origin_len, struct log_keys **ret,
    struct ark_error *err)
{
	struct log_keys *log = calloc(1, sizeof(*log));
	struct buf text = BUF_INIT;
	char name[LOG_NAME], *line, *save = NULL;
	int rc = log ? ARK_OK : ark_fail(err, ARK_ENOMEM, "no memory for a log's keys");

	log_file(name, origin, origin_len, ".log");
	if (!rc)
		rc = read_in(dir, name, CONF_MAX, &text, err);
	for (line = rc ? NULL : strtok_r(text.data, "\n", &save); !rc && line;
	     line = strtok_r(NULL, "\n", &save)) {
		if (strncmp(line, "vkey ", 5) != 0)
			continue;
		if (log->len == LOG_KEYS_MAX)
			rc = ark_fail(
			    err, ARK_EINPUT, "%s/%s names over %d keys", dir, name, LOG_KEYS_MAX);
		else
			rc = note_key_parse(line + 5, &log->keys[log->len++], err);
	}
	if (!rc && log->len == 0)
		rc = ark_fail(err, ARK_ECORRUPT, "%s/%s names no key", dir, name);
	buf_free(&text);
	if (rc) {
		free(log);
		return rc;
	}
	*ret = log;
	return ARK_OK;
}

/* Its keys as a text, this one added. */
static int log_text(const char *origin, const struct log_keys *known, const struct note_key *key,
    struct buf *out, struct ark_error *err)
{
	buf_addf(out, "origin %s\n", origin);
	for (size_t i = 0; known && i < known->len; i++) {
		if (known->keys[i].id == key->id &&
		    memcmp(known->keys[i].public_key, key->public_key, 32) == 0)
			return ark_fail(
			    err, ARK_ECONFLICT, "the witness knows this key of %s", origin);
		buf_adds(out, "vkey ");
		note_key_format(&known->keys[i], out);
		buf_addc(out, '\n');
	}
	if (known && known->len == LOG_KEYS_MAX)
		return ark_fail(err, ARK_EINPUT, "%s has %d keys already", origin, LOG_KEYS_MAX);
	buf_adds(out, "vkey ");
	note_key_format(key, out);
	buf_addc(out, '\n');
	return buf_failed(out) ? ark_fail(err, ARK_ENOMEM, "no memory for a log's keys") : ARK_OK;
}

int witness_add_log(const char *dir, const char *vkey, const char *origin, struct ark_error *err)
{
	struct log_keys *known = NULL;
	struct buf text = BUF_INIT;
	struct note_key key;
	char name[LOG_NAME];
	int rc = note_key_parse(vkey, &key, err);

	if (!rc && !origin)
		origin = key.name;
	if (!rc && (!*origin || strlen(origin) > ORIGIN_MAX || strchr(origin, '\n')))
		rc = ark_fail(
		    err, ARK_EINPUT, "the origin must be one line of at most %d bytes", ORIGIN_MAX);
	if (!rc)
		rc = load_log(dir, origin, strlen(origin), &known, err);
	if (rc == ARK_ENOTFOUND) {
		/* the state comes first: a log that is known always has one */
		log_file(name, origin, strlen(origin), ".checkpoint");
		rc = write_in(dir, name, "", 0, err);
	}
	if (!rc)
		rc = log_text(origin, known, &key, &text, err);
	if (!rc) {
		log_file(name, origin, strlen(origin), ".log");
		rc = write_in(dir, name, text.data, text.len, err);
	}
	buf_free(&text);
	free(known);
	return rc;
}

/* What it cosigned last of this log; size 0 when nothing yet. */
static int load_last(const char *dir, const char *origin, size_t origin_len, struct checkpoint *ret,
    struct ark_error *err)
{
	struct note *note = malloc(sizeof(*note));
	struct buf text = BUF_INIT;
	char name[LOG_NAME];
	int rc = note ? ARK_OK : ark_fail(err, ARK_ENOMEM, "no memory for a checkpoint");

	log_file(name, origin, origin_len, ".checkpoint");
	if (!rc)
		rc = read_in(dir, name, WITNESS_BODY_MAX, &text, err);
	if (rc == ARK_ENOTFOUND)
		rc = ark_fail(err, ARK_ECORRUPT, "%s/%s is lost; restore it", dir, name);
	*ret = (struct checkpoint){.size = 0};
	merkle_empty(&ret->root);
	if (!rc && text.len) {
		rc = note_parse(text.data, text.len, note, err);
		if (!rc)
			rc = checkpoint_parse(note->text, note->text_len, NULL, ret, err);
		if (rc == ARK_EINPUT)
			rc = ark_fail_within(err, ARK_ECORRUPT, "%s/%s", dir, name);
	}
	buf_free(&text);
	free(note);
	return rc;
}

/* ---- a request ---- */

static void say(struct witness_reply *r, int status, const char *sentence)
{
	r->status = status;
	r->content_type = "text/plain; charset=utf-8";
	buf_clear(&r->body);
	buf_addf(&r->body, "%s\n", sentence);
}

static void say_size(struct witness_reply *r, uint64_t size)
{
	r->status = 409;
	r->content_type = "text/x.tlog.size";
	buf_clear(&r->body);
	buf_addf(&r->body, "%" PRIu64 "\n", size);
}

static bool signed_by_one(const struct log_keys *log, const struct note *note)
{
	for (size_t i = 0; i < log->len; i++)
		if (note_verify(note, &log->keys[i], NULL) == ARK_OK)
			return true;
	return false;
}

static bool consistent(
    struct witness *w, const struct checkpoint *last, const struct witness_request *q)
{
	struct merkle_hash none;

	merkle_empty(&none);
	if (q->checkpoint.size == 0 && memcmp(&q->checkpoint.root, &none, sizeof(none)) != 0)
		return false;
	if (last->size == 0 || last->size == q->checkpoint.size)
		return q->proof_len == 0;
	return merkle_consistency_valid(w->sha, last->size, q->checkpoint.size, &last->root,
	    &q->checkpoint.root, q->proof, q->proof_len);
}

/* Decided against what is stored, and stored, under the lock: two requests at once cannot both
 * follow the same checkpoint. */
static void decide(struct witness *w, const struct witness_request *q, struct witness_reply *r)
{
	struct checkpoint last;
	char name[LOG_NAME];
	struct ark_error err;

	if (load_last(w->dir, q->origin, q->origin_len, &last, &err))
		return say(r, 500, err.text);
	if (q->old_size != last.size)
		return say_size(r, last.size);
	if (q->checkpoint.size == last.size &&
	    memcmp(&q->checkpoint.root, &last.root, sizeof(last.root)) != 0)
		return last.size ? say_size(r, last.size)
				 : say(r, 422, "the root of an empty tree is another");
	if (!consistent(w, &last, q))
		return say(r, 422, "the consistency proof does not hold");
	log_file(name, q->origin, q->origin_len, ".checkpoint");
	if (write_in(w->dir, name, q->note_bytes, q->note_len, &err))
		return say(r, 500, err.text);
	buf_clear(&r->body);
	if (note_cosign(&r->body, q->note.text, q->note.text_len, &w->key, w->seed,
		(uint64_t)(clock_now_us() / 1000000), &err))
		return say(r, 500, err.text);
	r->status = 200;
	r->content_type = "text/plain; charset=utf-8";
}

void witness_add_checkpoint(
    struct witness *w, const char *body, size_t len, struct witness_reply *ret)
{
	struct witness_request *q = malloc(sizeof(*q));
	struct log_keys *log = NULL;
	struct ark_error err;
	int rc;

	*ret = (struct witness_reply){.status = 500};
	if (!q) {
		say(ret, 500, "no memory for a request");
	} else if (len > WITNESS_BODY_MAX) {
		say(ret, 413, "the request is too long");
	} else if (witness_request_parse(body, len, q, &err)) {
		say(ret, 400, err.text);
	} else if ((rc = load_log(w->dir, q->origin, q->origin_len, &log, &err))) {
		if (rc == ARK_ENOTFOUND)
			say(ret, 404, "this witness does not know that log");
		else
			say(ret, 500, err.text);
	} else if (!signed_by_one(log, &q->note)) {
		say(ret, 403, "no signature of a known key of the log holds");
	} else if (q->old_size > q->checkpoint.size) {
		say(ret, 400, "the old size is beyond the checkpoint's");
	} else {
		pthread_mutex_lock(&w->lock);
		decide(w, q, ret);
		pthread_mutex_unlock(&w->lock);
	}
	if (buf_failed(&ret->body))
		ret->status = 500;
	free(log);
	free(q);
}
