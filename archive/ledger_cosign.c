/* A log as its witnesses see it: checkpoints given out, cosignatures taken in. */
#include <stdlib.h>
#include <string.h>

#include "archive/ledger_private.h"
#include "arkki/base/fs.h"

int ledger_newest(struct ledger *l, struct buf *note, struct checkpoint *ret, struct ark_error *err)
{
	struct note *parsed = malloc(sizeof(*parsed));
	const char *text, *line;
	size_t left, n;
	int rc = parsed ? ledger_checkpoint(l, note, err)
			: ark_fail(err, ARK_ENOMEM, "no memory for a checkpoint");

	if (!rc)
		rc = note_parse(note->data, note->len, parsed, err);
	if (!rc)
		rc = checkpoint_parse(parsed->text, parsed->text_len, l->origin, ret, err);
	if (!rc) {
		/* our own line is the first: what witnesses added stays out */
		text = note->data + parsed->text_len + 1;
		left = note->len - parsed->text_len - 1;
		if (note_line(&text, &left, &line, &n))
			note->len = (size_t)(text - note->data);
		note->data[note->len] = '\0';
	}
	free(parsed);
	return rc == ARK_EINPUT ? ARK_ECORRUPT : rc;
}

int ledger_consistency(struct ledger *l, uint64_t old_size, uint64_t size, struct merkle_hash *ret,
    size_t *ret_len, struct ark_error *err)
{
	struct merkle_source src = {
	    .size = size, .tile = ledger_tile_hashes, .arg = l, .sha = sha256_new()};
	int rc = src.sha ? merkle_consistency(&src, old_size, ret, ret_len, err)
			 : ark_fail(err, ARK_ENOMEM, "no memory for a proof");

	sha256_free(src.sha);
	return rc;
}

void ledger_add_cosignature(struct ledger *l, uint64_t size, const char *line, size_t len)
{
	pthread_mutex_lock(&l->lock);
	if (l->published == size && l->note.len + len <= CHECKPOINT_MAX &&
	    buf_reserve(&l->note, len))
		buf_add(&l->note, line, len);
	/* without memory the line is left out, and the note stays as it was */
	l->note.failed = false;
	pthread_mutex_unlock(&l->lock);
}

int ledger_keep_cosigned(struct ledger *l, const char *note, size_t len, struct ark_error *err)
{
	char path[4096];
	int rc = fs_path(path, err, "%s/checkpoint.cosigned", l->dir);

	return rc ? rc : fs_replace_file(path, note, len, 0600, err);
}

int ledger_cosigned(struct ledger *l, struct buf *out, struct ark_error *err)
{
	char path[4096];
	int rc = fs_path(path, err, "%s/checkpoint.cosigned", l->dir);

	return rc ? rc : fs_read_file(path, CHECKPOINT_MAX, out, err);
}

void ledger_publish_soon(struct ledger *l, uint64_t size)
{
	pthread_mutex_lock(&l->lock);
	if (size <= l->size && size > l->publish_wanted) {
		l->publish_wanted = size;
		pthread_cond_broadcast(&l->follow);
	}
	pthread_mutex_unlock(&l->lock);
}

void ledger_stop(struct ledger *l, const char *why)
{
	struct ark_error err = {0};

	ark_fail(&err, ARK_EREFUSED, "%s", why);
	ledger_fail(l, &err);
}
