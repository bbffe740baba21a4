/* A log as its witnesses see it: checkpoints given out, cosignatures taken in. */
#include <stdlib.h>
#include <string.h>

#include "archive/ledger_private.h"
#include "arkki/base/fs.h"

/* What witnesses added stays out. */
static void add_own_line(const struct ledger *l, const struct note_signature *s, struct buf *note)
{
	if (s->name_len != strlen(l->origin) || memcmp(s->name, l->origin, s->name_len) != 0)
		return;
	buf_addf(note, "\xe2\x80\x94 %s ", l->origin);
	buf_add(note, s->base64, s->base64_len);
	buf_addc(note, '\n');
}

int ledger_newest(struct ledger *l, struct buf *note, struct checkpoint *ret, struct ark_error *err)
{
	struct note *parsed = malloc(sizeof(*parsed));
	struct buf whole = BUF_INIT;
	int rc = parsed ? ledger_checkpoint(l, &whole, err)
			: ark_fail(err, ARK_ENOMEM, "no memory for a checkpoint");

	if (!rc)
		rc = note_parse(whole.data, whole.len, parsed, err);
	if (!rc)
		rc = checkpoint_parse(parsed->text, parsed->text_len, l->origin, ret, err);
	if (!rc) {
		buf_add(note, whole.data, parsed->text_len + 1);
		for (size_t i = 0; i < parsed->signatures_len; i++)
			add_own_line(l, &parsed->signatures[i], note);
		if (buf_failed(note))
			rc = ark_fail(err, ARK_ENOMEM, "no memory for a checkpoint");
	}
	buf_free(&whole);
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
