/* The signing keys: which there were, how one is renewed, and how the earlier ones lie in keys/secrets. */
#include "archive/keyring_memory.h"

#include <sodium.h>
#include <string.h>

#include "arkki/base/clock.h"
#include "arkki/base/text.h"

_Static_assert(sizeof(struct keyring_past) == SECRETS_PAST_SIZE, "no gaps: it is compared whole");

static unsigned char *seed_of(struct keyring_secrets *s, enum keyring_signing which)
{
	return which == SIGNING_HISTORY  ? s->history_seed
	       : which == SIGNING_ACCESS ? s->access_seed
					 : s->git_seed;
}

static void public_of(const unsigned char seed[32], unsigned char out[32])
{
	unsigned char secret[crypto_sign_SECRETKEYBYTES];

	crypto_sign_seed_keypair(out, secret, seed);
	sodium_memzero(secret, sizeof(secret));
}

/* ---- in the file ---- */

void keyring_past_encode(const struct keyring_past *p, unsigned char out[SECRETS_PAST_SIZE])
{
	memset(out, 0, SECRETS_PAST_SIZE);
	out[0] = (unsigned char)p->which;
	out[1] = p->signs != 0;
	be64_put(out + 8, (uint64_t)p->from_us);
	be64_put(out + 16, (uint64_t)p->until_us);
	memcpy(out + 24, p->public_key, 32);
	memcpy(out + 56, p->seed, 32);
}

bool keyring_past_decode(const unsigned char in[SECRETS_PAST_SIZE], struct keyring_past *ret)
{
	*ret = (struct keyring_past){.which = in[0],
	    .signs = in[1],
	    .from_us = (int64_t)be64_get(in + 8),
	    .until_us = (int64_t)be64_get(in + 16)};
	memcpy(ret->public_key, in + 24, 32);
	memcpy(ret->seed, in + 56, 32);
	return in[0] >= SIGNING_HISTORY && in[0] <= SIGNING_GIT && in[1] <= 1;
}

/* ---- which there are ---- */

static bool overlaps(const struct keyring_past *p, int64_t now_us)
{
	return p->signs && now_us < p->until_us + SIGNING_OVERLAP_US;
}

size_t keyring_signers(struct keyring *k, enum keyring_signing which, struct keyring_signer *ret)
{
	int64_t now = clock_now_us();
	size_t n = 1;

	pthread_mutex_lock(&k->lock);
	ret[0] = (struct keyring_signer){.signs = true};
	memcpy(ret[0].seed, seed_of(&k->vault->secrets, which), 32);
	public_of(ret[0].seed, ret[0].public_key);
	for (uint32_t i = k->vault->secrets.past_len; i > 0; i--) {
		const struct keyring_past *p = &k->vault->secrets.past[i - 1];

		if (p->which != (uint32_t)which)
			continue;
		if (n == 1)
			ret[0].from_us = p->until_us;
		ret[n] = (struct keyring_signer){
		    .signs = overlaps(p, now), .from_us = p->from_us, .until_us = p->until_us};
		memcpy(ret[n].public_key, p->public_key, 32);
		if (ret[n].signs)
			memcpy(ret[n].seed, p->seed, 32);
		n++;
	}
	pthread_mutex_unlock(&k->lock);
	return n;
}

/* ---- another one ---- */

static void retire(struct keyring_secrets *s, enum keyring_signing which, int64_t now_us)
{
	for (uint32_t i = 0; i < s->past_len; i++) {
		struct keyring_past *p = &s->past[i];

		if (p->which != (uint32_t)which && overlaps(p, now_us))
			continue;
		p->signs = 0;
		sodium_memzero(p->seed, sizeof(p->seed));
	}
}

static void renew(struct keyring_secrets *s, enum keyring_signing which, int64_t now_us)
{
	struct keyring_past *p = &s->past[s->past_len], *before = NULL;
	unsigned char *seed = seed_of(s, which);

	for (uint32_t i = 0; i < s->past_len; i++)
		if (s->past[i].which == (uint32_t)which)
			before = &s->past[i];
	*p = (struct keyring_past){
	    .which = (uint32_t)which, .from_us = before ? before->until_us : 0, .until_us = now_us};
	public_of(seed, p->public_key);
	/* a commit is signed once; a checkpoint also for those who do not know the new key yet */
	if (which != SIGNING_GIT) {
		memcpy(p->seed, seed, 32);
		p->signs = 1;
	}
	s->past_len++;
	randombytes_buf(seed, 32);
}

int keyring_signing_change(
    struct keyring_secrets *s, const struct keyring_change *want, struct ark_error *err)
{
	int64_t now = clock_now_us();

	if (want->renew && s->past_len == KEYRING_PAST_MAX)
		return ark_fail(err, ARK_EREFUSED,
		    "there were %d signing keys already, and no more can be kept",
		    KEYRING_PAST_MAX);
	/* seeds past their overlap go with every change of keys */
	retire(s, want->retire, now);
	if (want->renew)
		renew(s, want->renew, now);
	return ARK_OK;
}
