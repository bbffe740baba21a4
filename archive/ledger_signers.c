/* Who signs a log: its newest key, and for an overlap the one before, so that followers and witnesses that know only that
 * one go on. */
#include <sodium.h>
#include <string.h>

#include "archive/ledger_private.h"
#include "arkki/base/clock.h"

static enum keyring_signing kind_of(const struct ledger *l)
{
	return l->which == LEDGER_HISTORY ? SIGNING_HISTORY : SIGNING_ACCESS;
}

static int fill(struct ledger *l, const struct keyring_signer *from, size_t n,
    struct log_signer *ret, struct ark_error *err)
{
	int rc = ARK_OK;

	for (size_t i = 0; !rc && i < n; i++) {
		rc = note_key_from_public(l->origin, from[i].public_key, &ret[i].key, err);
		ret[i].signs = from[i].signs;
		ret[i].until_us = from[i].until_us;
		memcpy(ret[i].seed, from[i].seed, sizeof(ret[i].seed));
	}
	return rc;
}

int ledger_load_signers(struct ledger *l, struct ark_error *err)
{
	struct keyring_signer *from = sodium_allocarray(KEYRING_PAST_MAX + 1, sizeof(*from));
	struct log_signer *fresh = NULL, *old;
	size_t n = from ? keyring_signers(l->keys, kind_of(l), from) : 0;
	int rc = ARK_OK;

	if (n)
		fresh = sodium_allocarray(n, sizeof(*fresh));
	if (fresh)
		rc = fill(l, from, n, fresh, err);
	else
		rc = ark_fail(err, ARK_ENOMEM, "no memory for the ledger's keys");
	sodium_free(from);
	if (rc) {
		sodium_free(fresh);
		return rc;
	}
	pthread_mutex_lock(&l->sign_lock);
	old = l->signers;
	l->signers = fresh;
	l->signers_len = n;
	pthread_mutex_unlock(&l->sign_lock);
	sodium_free(old);
	return ARK_OK;
}

void ledger_free_signers(struct ledger *l)
{
	sodium_free(l->signers);
	l->signers = NULL;
}

int ledger_sign_text(
    struct ledger *l, const char *text, size_t len, struct buf *note, struct ark_error *err)
{
	int64_t now = clock_now_us();
	int rc;

	pthread_mutex_lock(&l->sign_lock);
	rc = note_sign(note, text, len, &l->signers[0].key, l->signers[0].seed, err);
	for (size_t i = 1; !rc && i < l->signers_len; i++) {
		const struct log_signer *s = &l->signers[i];

		if (s->signs && now < s->until_us + SIGNING_OVERLAP_US)
			rc = note_sign_also(note, text, len, &s->key, s->seed, err);
	}
	pthread_mutex_unlock(&l->sign_lock);
	return rc;
}

int ledger_sign(
    struct ledger *l, const struct checkpoint *c, struct buf *note, struct ark_error *err)
{
	struct buf text = BUF_INIT;
	int rc;

	checkpoint_format(l->origin, c, &text);
	if (buf_failed(&text))
		return ark_fail(err, ARK_ENOMEM, "no memory for a checkpoint");
	rc = ledger_sign_text(l, text.data, text.len, note, err);
	buf_free(&text);
	return rc;
}

int ledger_verify_note(struct ledger *l, const struct note *note, struct ark_error *err)
{
	int rc = ARK_ENOTFOUND;

	pthread_mutex_lock(&l->sign_lock);
	for (size_t i = 0; rc == ARK_ENOTFOUND && i < l->signers_len; i++)
		rc = note_verify(note, &l->signers[i].key, err);
	pthread_mutex_unlock(&l->sign_lock);
	return rc;
}

int ledger_rekey(struct ledger *l, struct ark_error *err)
{
	int rc = ledger_load_signers(l, err);

	if (rc || !l->for_writing)
		return rc;
	pthread_mutex_lock(&l->lock);
	l->resign = true;
	pthread_cond_broadcast(&l->follow);
	while (!rc && (l->resign || l->resigning)) {
		rc = ledger_failed(l, err);
		if (!rc)
			pthread_cond_wait(&l->moved, &l->lock);
	}
	pthread_mutex_unlock(&l->lock);
	return rc;
}
