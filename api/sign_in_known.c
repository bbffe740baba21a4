/* Cookies; and who has to wait, by account, address and browser. A browser that has signed in to an account has a
 * cookie for it: random, with a keyed hash over it and the account. */
#include <stdio.h>
#include <string.h>

#include <sodium.h>

#include "api/sign_in.h"
#include "arkki/base/clock.h"
#include "arkki/base/text.h"

enum { KNOWN_ID = 16, KNOWN_TAG = 32, KNOWN_LIFE_S = 365 * 86400 };

bool over_tls(const struct exchange *x)
{
	const char *proto = http_header(x, "X-Forwarded-Proto");

	/* a client that lies here only gets cookies that its browser drops */
	return (proto && strcmp(proto, "https") == 0) ||
	       strncmp(session_settings(app_of(x))->url, "https://", 8) == 0;
}

static void set(
    struct exchange *x, const char *name, const char *value, long life_s, const char *site)
{
	bool tls = over_tls(x);
	char life[40] = "";

	if (life_s)
		snprintf(life, sizeof(life), "; Max-Age=%ld", life_s > 0 ? life_s : 0);
	http_reply_headerf(x, "Set-Cookie", "%s%s=%s; Path=/%s; HttpOnly; SameSite=%s%s",
	    tls ? "__Host-" : "", name, value, tls ? "; Secure" : "", site, life);
}

void cookie_set(struct exchange *x, const char *name, const char *value, long life_s)
{
	set(x, name, value, life_s, "Strict");
}

void cookie_set_lax(struct exchange *x, const char *name, const char *value, long life_s)
{
	set(x, name, value, life_s, "Lax");
}

const char *cookie_get(struct exchange *x, const char *name)
{
	char full[80];

	snprintf(full, sizeof(full), "%s%s", over_tls(x) ? "__Host-" : "", name);
	return http_cookie(x, full);
}

const char *session_cookie_name(const struct exchange *x)
{
	return over_tls(x) ? "arkki" : "arkki-session";
}

/* ---- the browser that is known ---- */

static void known_tag(
    const struct exchange *x, const char *user, const char *id, char tag[KNOWN_TAG + 1])
{
	char about[100];
	int n = snprintf(about, sizeof(about), "%.64s %.*s", user, KNOWN_ID, id);

	archive_tag(app_of(x)->archive, "known-browser", about, (size_t)n, tag);
}

/* name: under which this browser's attempts at this account are counted. */
static bool known_browser(struct exchange *x, const char *user, char name[KNOWN_ID + 66])
{
	const char *cookie = cookie_get(x, "arkki-known");
	char tag[KNOWN_TAG + 1];

	if (!cookie || strlen(cookie) != KNOWN_ID + KNOWN_TAG)
		return false;
	known_tag(x, user, cookie, tag);
	if (!bytes_equal(tag, cookie + KNOWN_ID, KNOWN_TAG))
		return false;
	snprintf(name, KNOWN_ID + 66, "%.*s %.64s", KNOWN_ID, cookie, user);
	return true;
}

static void know_browser(struct exchange *x, const char *user)
{
	unsigned char random[KNOWN_ID / 2];
	char value[KNOWN_ID + KNOWN_TAG + 1];

	randombytes_buf(random, sizeof(random));
	hex_encode(value, random, sizeof(random));
	known_tag(x, user, value, value + KNOWN_ID);
	cookie_set(x, "arkki-known", value, KNOWN_LIFE_S);
}

/* ---- waiting ---- */

static unsigned int address_wait(struct exchange *x, int64_t now)
{
	char address[64];

	if (!sign_in_waits_address(http_peer(x), address))
		return 0;
	return sign_in_waits_left(app_of(x)->sign_in->waits, WAIT_ADDRESS, address, now);
}

unsigned int sign_in_wait(struct exchange *x, const char *user)
{
	struct sign_in_waits *w = app_of(x)->sign_in->waits;
	int64_t now = clock_monotonic_us();
	char browser[KNOWN_ID + 66];
	bool known = user && known_browser(x, user, browser);
	enum wait_of of = known ? WAIT_BROWSER : WAIT_ACCOUNT;
	const char *name = known ? browser : user;
	unsigned int wait = known ? 0 : address_wait(x, now), more;

	more = name ? sign_in_waits_left(w, of, name, now) : 0;
	if (more > wait)
		wait = more;
	if (!wait && name)
		sign_in_waits_count(w, of, name, now);
	return wait;
}

void sign_in_failed(struct exchange *x, const char *user)
{
	char address[64];

	(void)user; /* was counted when the attempt began */
	if (sign_in_waits_address(http_peer(x), address))
		sign_in_waits_count(
		    app_of(x)->sign_in->waits, WAIT_ADDRESS, address, clock_monotonic_us());
}

void sign_in_succeeded(struct exchange *x, const char *user)
{
	struct sign_in_waits *w = app_of(x)->sign_in->waits;
	char browser[KNOWN_ID + 66];

	/* a known browser's success says nothing about the others that are guessing */
	if (known_browser(x, user, browser))
		sign_in_waits_clear(w, WAIT_BROWSER, browser);
	else
		sign_in_waits_clear(w, WAIT_ACCOUNT, user);
	know_browser(x, user);
}
