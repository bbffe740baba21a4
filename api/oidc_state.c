/* What waits in the browser while its user is at the provider: sealed, so that nobody reads the verifier or makes one up; and the
 * names that count once. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "api/i18n.h"
#include "api/oidc_private.h"
#include "arkki/base/clock.h"
#include "arkki/base/text.h"

static const char use[] = "oidc-state";

enum { USED = 4096, USED_LIFE_S = 900 };

static void random_text(char *out, size_t size, size_t bytes)
{
	unsigned char raw[32];

	randombytes_buf(raw, bytes);
	sodium_bin2base64(out, size, raw, bytes, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
	sodium_memzero(raw, sizeof(raw));
}

void oidc_state_fill(struct oidc_state *s)
{
	random_text(s->state, sizeof(s->state), 16);
	random_text(s->nonce, sizeof(s->nonce), 16);
	random_text(s->verifier, sizeof(s->verifier), 32);
}

int oidc_state_seal(
    struct app *app, const struct oidc_state *s, struct buf *out, struct ark_error *err)
{
	char text[500];

	/* in words with spaces between; next is last, and has none */
	snprintf(text, sizeof(text), "%lld %s %s %s %s %s %s",
	    (long long)(clock_now_us() / 1000000 + OIDC_STATE_LIFE_S), s->provider, s->state,
	    s->nonce, s->verifier, i18n_code(s->language), s->next);
	return archive_conceal(app->archive, use, text, out, err);
}

static bool word(char **at, char *out, size_t size)
{
	size_t n = strcspn(*at, " ");

	if (n >= size || (*at)[n] != ' ')
		return false;
	memcpy(out, *at, n);
	out[n] = '\0';
	*at += n + 1;
	return true;
}

bool oidc_state_open(struct app *app, const char *cookie, struct oidc_state *ret)
{
	char until[24], language[3], *at;
	struct buf text = BUF_INIT;
	bool ok = !archive_reveal(app->archive, use, cookie, &text, NULL);

	at = text.data;
	memset(ret, 0, sizeof(*ret));
	ok = ok && word(&at, until, sizeof(until)) &&
	     word(&at, ret->provider, sizeof(ret->provider)) &&
	     word(&at, ret->state, sizeof(ret->state)) &&
	     word(&at, ret->nonce, sizeof(ret->nonce)) &&
	     word(&at, ret->verifier, sizeof(ret->verifier)) &&
	     word(&at, language, sizeof(language)) && strlen(at) <= OIDC_NEXT_MAX &&
	     strtoll(until, NULL, 10) > clock_now_us() / 1000000;
	if (ok) {
		snprintf(ret->next, sizeof(ret->next), "%s", at);
		ret->language = strcmp(language, "sv") == 0   ? HTTP_SV
				: strcmp(language, "en") == 0 ? HTTP_EN
							      : HTTP_FI;
	}
	buf_wipe_free(&text);
	return ok;
}

/* ---- once ---- */

struct used {
	unsigned char hash[16];
	int64_t until_us;
};

struct oidc_used {
	pthread_mutex_t lock;
	size_t next; /* the oldest is overwritten */
	struct used names[USED];
};

int oidc_used_new(struct oidc_used **ret, struct ark_error *err)
{
	struct oidc_used *u = calloc(1, sizeof(*u));

	if (!u)
		return ark_fail(err, ARK_ENOMEM, "no memory for signing in");
	pthread_mutex_init(&u->lock, NULL);
	*ret = u;
	return ARK_OK;
}

void oidc_used_free(struct oidc_used *u)
{
	if (!u)
		return;
	pthread_mutex_destroy(&u->lock);
	free(u);
}

bool oidc_used_first(struct oidc_used *u, const char *kind, const char *name, int64_t now_us)
{
	crypto_generichash_state st;
	struct used fresh = {.until_us = now_us + USED_LIFE_S * (int64_t)1000000};
	bool first = true;

	crypto_generichash_init(&st, NULL, 0, sizeof(fresh.hash));
	crypto_generichash_update(&st, (const unsigned char *)kind, strlen(kind) + 1);
	crypto_generichash_update(&st, (const unsigned char *)name, strlen(name));
	crypto_generichash_final(&st, fresh.hash, sizeof(fresh.hash));
	pthread_mutex_lock(&u->lock);
	for (size_t i = 0; first && i < USED; i++)
		first =
		    u->names[i].until_us <= now_us || memcmp(u->names[i].hash, fresh.hash, 16) != 0;
	if (first) {
		u->names[u->next] = fresh;
		u->next = (u->next + 1) % USED;
	}
	pthread_mutex_unlock(&u->lock);
	return first;
}
