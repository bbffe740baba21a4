/* Who guesses waits. A table of fixed size: places of 16 names each, found by a keyed hash that nobody outside can
 * aim at; a new name takes the place of the one with the fewest counts.
 *
 * An attempt counts when it begins, so that of many at once no more get through than one after the other would; success
 * takes the count away. An address counts only what failed, and more of it, since an office is one
 * address; what it counted is forgotten by itself and not by success, or one good account would be a licence
 * to guess at the others. */
#include <arpa/inet.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "api/sign_in.h"
#include "arkki/base/text.h"

enum { SETS = 1024, WAYS = 16, NAME_SIZE = 16, WAIT_MAX_S = 15 * 60, SECOND_US = 1000000 };

/* The wait after the free ones is 1 s, 2 s, 4 s …; one count is forgotten in forget_s. */
static const struct manner {
	unsigned int free;
	int64_t forget_s;
} manners[] = {
    [WAIT_ACCOUNT] = {5, 3600},
    [WAIT_BROWSER] = {5, 3600},
    [WAIT_ADDRESS] = {50, 60},
};

struct count {
	unsigned char name[NAME_SIZE];
	double counts; /* 0: free */
	int64_t at_us, until_us;
};

struct sign_in_waits {
	pthread_mutex_t lock;
	unsigned char key[crypto_generichash_KEYBYTES];
	struct count sets[SETS][WAYS];
};

int sign_in_waits_new(struct sign_in_waits **ret, struct ark_error *err)
{
	struct sign_in_waits *w = calloc(1, sizeof(*w));

	if (!w)
		return ark_fail(err, ARK_ENOMEM, "no memory for signing in");
	pthread_mutex_init(&w->lock, NULL);
	randombytes_buf(w->key, sizeof(w->key));
	*ret = w;
	return ARK_OK;
}

void sign_in_waits_free(struct sign_in_waits *w)
{
	if (!w)
		return;
	pthread_mutex_destroy(&w->lock);
	free(w);
}

static struct count *set_of(
    struct sign_in_waits *w, enum wait_of of, const char *name, unsigned char hash[NAME_SIZE])
{
	crypto_generichash_state state;
	const unsigned char letter = (unsigned char)of;

	crypto_generichash_init(&state, w->key, sizeof(w->key), NAME_SIZE);
	crypto_generichash_update(&state, &letter, 1);
	crypto_generichash_update(&state, (const unsigned char *)name, strlen(name));
	crypto_generichash_final(&state, hash, NAME_SIZE);
	return w->sets[be32_get(hash) % SETS];
}

static double counts_now(const struct count *c, enum wait_of of, int64_t now_us)
{
	double gone = (double)(now_us - c->at_us) / SECOND_US / (double)manners[of].forget_s;

	return c->counts > gone ? c->counts - gone : 0;
}

static struct count *find(struct count *set, const unsigned char name[NAME_SIZE])
{
	for (unsigned int i = 0; i < WAYS; i++)
		if (set[i].counts > 0 && memcmp(set[i].name, name, NAME_SIZE) == 0)
			return &set[i];
	return NULL;
}

unsigned int sign_in_waits_left(
    struct sign_in_waits *w, enum wait_of of, const char *name, int64_t now_us)
{
	unsigned char hash[NAME_SIZE];
	struct count *set = set_of(w, of, name, hash);
	const struct count *c;
	int64_t left = 0;

	pthread_mutex_lock(&w->lock);
	c = find(set, hash);
	if (c && c->until_us > now_us)
		left = c->until_us - now_us;
	pthread_mutex_unlock(&w->lock);
	return (unsigned int)((left + SECOND_US - 1) / SECOND_US);
}

void sign_in_waits_count(struct sign_in_waits *w, enum wait_of of, const char *name, int64_t now_us)
{
	unsigned char hash[NAME_SIZE];
	struct count *set = set_of(w, of, name, hash), *c;
	double over;

	pthread_mutex_lock(&w->lock);
	c = find(set, hash);
	if (!c) {
		c = set;
		for (unsigned int i = 1; i < WAYS; i++)
			if (set[i].counts < c->counts)
				c = &set[i];
		*c = (struct count){.at_us = now_us};
		memcpy(c->name, hash, NAME_SIZE);
	}
	c->counts = counts_now(c, of, now_us) + 1;
	c->at_us = now_us;
	/* half a count is forgiven, or a wait would never begin while a little of one is being forgotten */
	over = c->counts - manners[of].free + 0.5;
	if (over >= 0) {
		double wait = exp2(floor(over));

		c->until_us = now_us + (int64_t)(wait < WAIT_MAX_S ? wait : WAIT_MAX_S) * SECOND_US;
		/* what makes the wait no longer only makes it last */
		if (wait >= WAIT_MAX_S * 2)
			c->counts -= 1;
	}
	pthread_mutex_unlock(&w->lock);
}

void sign_in_waits_clear(struct sign_in_waits *w, enum wait_of of, const char *name)
{
	unsigned char hash[NAME_SIZE];
	struct count *set = set_of(w, of, name, hash), *c;

	pthread_mutex_lock(&w->lock);
	c = find(set, hash);
	if (c)
		*c = (struct count){0};
	pthread_mutex_unlock(&w->lock);
}

bool sign_in_waits_address(const char *peer, char ret[64])
{
	static const unsigned char mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
	struct in6_addr six;
	struct in_addr four;

	if (inet_pton(AF_INET6, peer, &six) == 1) {
		if (memcmp(six.s6_addr, mapped, sizeof(mapped)) == 0) {
			memcpy(&four, six.s6_addr + 12, 4);
			return inet_ntop(AF_INET, &four, ret, 64) && six.s6_addr[12] != 127;
		}
		hex_encode(ret, six.s6_addr, 8);
		return !IN6_IS_ADDR_LOOPBACK(&six);
	}
	if (inet_pton(AF_INET, peer, &four) != 1)
		return false;
	snprintf(ret, 64, "%s", peer);
	return (ntohl(four.s_addr) >> 24) != 127;
}
