/* Who signs the commits, and who did earlier: for our own check, and for stock git in `allowed_signers`. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "archive/store_internal.h"
#include "arkki/base/fs.h"

enum { ALLOWED_MAX = 65536 };

/* "20260312081530Z", as ssh-keygen takes it. */
static void add_time(struct buf *out, const char *option, int64_t time_us)
{
	time_t s = (time_t)(time_us / 1000000);
	char text[32];
	struct tm tm;

	gmtime_r(&s, &tm);
	strftime(text, sizeof(text), "%Y%m%d%H%M%SZ", &tm);
	buf_addf(out, ",%s=\"%s\"", option, text);
}

/* The newest has no end yet. */
static void write_lines(
    struct buf *text, const char *origin, const struct signer_span *signers, size_t n)
{
	for (size_t i = n; i > 0; i--) {
		const struct signer_span *s = &signers[i - 1];

		buf_addf(text, "arkki@%s namespaces=\"git\"", origin);
		if (s->from_us)
			add_time(text, "valid-after", s->from_us - STORE_SIGNER_SLACK_US);
		if (s->until_us && i > 1)
			add_time(text, "valid-before", s->until_us + STORE_SIGNER_SLACK_US);
		buf_addc(text, ' ');
		gitsign_public(s->key, text);
		buf_addc(text, '\n');
	}
}

int store_allowed_text(struct store *s, struct buf *out, struct ark_error *err)
{
	pthread_mutex_lock(&s->lock);
	write_lines(out, s->origin, s->signers, s->signers_len);
	pthread_mutex_unlock(&s->lock);
	return buf_failed(out) ? ark_fail(err, ARK_ENOMEM, "no memory for the signing keys")
			       : ARK_OK;
}

static bool same_text(const struct buf *a, const struct buf *b)
{
	return a->len == b->len && (!a->len || memcmp(a->data, b->data, a->len) == 0);
}

int store_write_allowed(const char *path, const char *origin, const struct signer_span *signers,
    size_t n, struct ark_error *err)
{
	struct buf text = BUF_INIT, before = BUF_INIT, there = BUF_INIT;
	bool ours = !fs_exists(path);
	int rc = ARK_OK;

	write_lines(&text, origin, signers, n);
	write_lines(&before, origin, signers + 1, n - 1);
	if (buf_failed(&text) || buf_failed(&before))
		rc = ark_fail(err, ARK_ENOMEM, "no memory for %s", path);
	/* what somebody else made of it stays as it is: verify tells */
	if (!rc && !ours)
		ours = n > 1 && !fs_read_file(path, ALLOWED_MAX, &there, NULL) &&
		       same_text(&there, &before);
	if (!rc && ours)
		rc = fs_replace_file(path, text.data, text.len, 0644, err);
	buf_free(&text);
	buf_free(&before);
	buf_free(&there);
	return rc;
}

void store_free_signers(struct signer_span *signers, size_t n)
{
	for (size_t i = 0; signers && i < n; i++)
		gitsign_free(signers[i].key);
	free(signers);
}

int store_signers(struct store *s, const struct store_signer *signers, size_t n,
    const char *allowed_signers_path, struct ark_error *err)
{
	struct signer_span *fresh = calloc(n, sizeof(*fresh)), *old;
	size_t old_len;
	int rc = fresh && n ? ARK_OK : ark_fail(err, ARK_ENOMEM, "no memory for signing keys");

	for (size_t i = 0; !rc && i < n; i++) {
		fresh[i].from_us = signers[i].from_us;
		fresh[i].until_us = signers[i].until_us;
		rc = signers[i].seed
			 ? gitsign_new(signers[i].seed, &fresh[i].key, err)
			 : gitsign_new_public(signers[i].public_key, &fresh[i].key, err);
	}
	if (!rc && allowed_signers_path)
		rc = store_write_allowed(allowed_signers_path, s->origin, fresh, n, err);
	if (rc) {
		store_free_signers(fresh, n);
		return rc;
	}
	pthread_mutex_lock(&s->lock);
	old = s->signers;
	old_len = s->signers_len;
	s->signers = fresh;
	s->signers_len = n;
	pthread_mutex_unlock(&s->lock);
	store_free_signers(old, old_len);
	return ARK_OK;
}

static bool in_time(const struct signer_span *s, int64_t time_us)
{
	return (!s->from_us || time_us >= s->from_us - STORE_SIGNER_SLACK_US) &&
	       (!s->until_us || time_us <= s->until_us + STORE_SIGNER_SLACK_US);
}

bool store_signed_by_us(struct store *s, const struct gitcommit *c, const void *bytes, size_t len)
{
	bool ours = false;

	pthread_mutex_lock(&s->lock);
	for (size_t i = 0; !ours && i < s->signers_len; i++)
		ours = in_time(&s->signers[i], c->time_s * 1000000) &&
		       gitcommit_verify(c, bytes, len, s->signers[i].key);
	pthread_mutex_unlock(&s->lock);
	return ours;
}

int store_sign_commit(
    struct store *s, const struct gitcommit *c, struct buf *out, struct ark_error *err)
{
	int rc;

	pthread_mutex_lock(&s->lock);
	rc = gitcommit_make(c, s->origin, s->signers[0].key, out, err);
	pthread_mutex_unlock(&s->lock);
	return rc;
}
