/* A follower's story: what was seen before, what is signed now, how one leads to the other. */
#include "tools/follow.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arkki/base/fs.h"

enum { NOTE_BYTES_MAX = 64 << 10 };

/* A log that has changed its key signs by both for a while, and then by the new one alone. */
static int signed_by_any(const struct follow *f, const struct note *note, struct ark_error *err)
{
	int rc = ARK_ENOTFOUND;

	for (size_t i = 0; rc == ARK_ENOTFOUND && i < f->keys_len; i++)
		rc = note_verify(note, &f->keys[i], err);
	return rc;
}

/* A signed checkpoint of this log; `note` borrows from the text. */
static int open_note(const struct follow *f, const struct buf *text, const char *what,
    struct note *note, struct checkpoint *ret, struct ark_error *err)
{
	struct ark_error why = {0};
	struct merkle_hash none;
	const char *name = f->keys[0].name;
	int rc = note_parse(text->data ? text->data : "", text->len, note, &why);

	if (!rc)
		rc = signed_by_any(f, note, &why);
	if (!rc)
		rc = checkpoint_parse(note->text, note->text_len, name, ret, &why);
	if (rc)
		return ark_fail(err, ARK_ECORRUPT, "%s is not a checkpoint signed by %.120s: %s",
		    what, name, why.text);
	merkle_empty(&none);
	if (ret->size == 0 && memcmp(&ret->root, &none, sizeof(none)) != 0)
		return ark_fail(err, ARK_ECORRUPT, "%s has no entries, but a root of some", what);
	return ARK_OK;
}

static int load_state(struct follow *f, struct note *note, struct buf *text, struct ark_error *err)
{
	int rc = fs_read_file(f->state, NOTE_BYTES_MAX, text, err);

	f->from = (struct checkpoint){0};
	if (rc == ARK_ENOTFOUND)
		return ARK_OK; /* the first time */
	return rc ? rc : open_note(f, text, f->state, note, &f->from, err);
}

/* Keeps what was shown beside what was believed: when both are signed, they are the evidence. */
static void keep_conflict(const struct follow *f, const struct buf *text, struct ark_error *err)
{
	struct ark_error lost;
	char path[4096], why[sizeof(err->text)];

	if (f->from.size == 0 || fs_path(path, NULL, "%s.conflict", f->state))
		return;
	memcpy(why, err->text, sizeof(why));
	if (fs_replace_file(path, text->data, text->len, 0644, &lost))
		return;
	(void)ark_fail(err, ARK_ECORRUPT, "%.300s; the checkpoint that it showed is kept in %.100s",
	    why, path);
}

static int check_witnesses(const struct follow *f, const struct note *note, struct ark_error *err)
{
	if (!f->policy || policy_met(f->policy, policy_cosigners(f->policy, note)))
		return ARK_OK;
	return ark_fail(err, ARK_ECORRUPT,
	    "the checkpoint of %llu entries is not cosigned by as many witnesses as the policy "
	    "asks",
	    (unsigned long long)f->to.size);
}

static int save_state(
    const struct follow *f, const struct buf *before, const struct buf *now, struct ark_error *err)
{
	if (before->len == now->len && memcmp(before->data, now->data, now->len) == 0)
		return ARK_OK;
	return fs_replace_file(f->state, now->data, now->len, 0644, err);
}

int follow_log(struct follow *f, const struct follow_source *s, struct ark_error *err)
{
	struct buf before = BUF_INIT, now = BUF_INIT;
	struct note *note = malloc(sizeof(*note));
	struct ark_error own = {0};
	int rc;

	if (!err)
		err = &own;
	rc = note ? load_state(f, note, &before, err)
		  : ark_fail(err, ARK_ENOMEM, "no memory to follow a log");
	if (!rc) {
		rc = s->checkpoint(s->arg, &now, err);
		if (rc == ARK_ENOTFOUND)
			rc = ark_fail(err, ARK_ECORRUPT, "the log has no checkpoint");
	}
	if (!rc)
		rc = open_note(f, &now, "what the log shows", note, &f->to, err);
	if (!rc)
		rc = check_witnesses(f, note, err);
	if (!rc) {
		rc = follow_tree(s, &f->from, &f->to, f->progress, err);
		if (rc == ARK_ECORRUPT)
			keep_conflict(f, &now, err);
	}
	if (!rc)
		rc = save_state(f, &before, &now, err);
	free(note);
	buf_free(&before);
	buf_free(&now);
	return rc;
}

/* ---- one entry of the tree that was followed ---- */

struct holding {
	const struct follow *f;
	const struct follow_source *s;
};

static int holding_tile(void *arg, unsigned int level, uint64_t n, unsigned int width,
    struct merkle_hash *ret, struct ark_error *err)
{
	const struct holding *h = arg;
	struct tile_id id = {(int)level, n, merkle_tile_width(h->f->to.size, level, n)};
	struct buf tile = BUF_INIT;
	int rc = h->s->tile(h->s->arg, &id, &tile, err);

	if (!rc && (width > id.width || tile.len != id.width * sizeof(*ret)))
		rc = ark_fail(err, ARK_ECORRUPT, "a tile has a wrong length");
	if (!rc)
		memcpy(ret, tile.data, width * sizeof(*ret));
	buf_free(&tile);
	return rc;
}

int follow_holds(const struct follow *f, const struct follow_source *s, uint64_t index,
    const unsigned char entry[ENTRY_SIZE], struct ark_error *err)
{
	struct holding h = {f, s};
	struct merkle_source src = {f->to.size, sha256_new(), holding_tile, &h};
	struct merkle_hash proof[MERKLE_PROOF_MAX], leaf;
	size_t n = 0;
	int rc;

	if (!src.sha)
		return ark_fail(err, ARK_ENOMEM, "no memory to look up an entry");
	rc = index < src.size
		 ? merkle_inclusion(&src, index, proof, &n, err)
		 : ark_fail(err, ARK_ECORRUPT,
		       "entry %llu is beyond the %llu entries that the log shows by now",
		       (unsigned long long)index, (unsigned long long)src.size);
	merkle_leaf(src.sha, entry, ENTRY_SIZE, &leaf);
	if (!rc && !merkle_inclusion_valid(src.sha, index, src.size, &leaf, proof, n, &f->to.root))
		rc = ark_fail(err, ARK_ECORRUPT, "the log holds something else at entry %llu",
		    (unsigned long long)index);
	sha256_free(src.sha);
	return rc == ARK_ENOTFOUND ? ark_fail(err, ARK_ECORRUPT, "a tile of the log is missing")
				   : rc;
}
