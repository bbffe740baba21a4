#include "api/certificate.h"

#include <ctype.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "api/handlers.h"
#include "api/session.h"
#include "arkki/archive/credentials.h"
#include "arkki/base/clock.h"
#include "arkki/base/json.h"
#include "arkki/base/text.h"

enum { PEM_MAX = 32768, NAME_MAX_CHARACTERS = 60 };

/* ---- reading one ---- */

static bool time_of(const ASN1_TIME *at, int64_t *ret_us)
{
	struct tm tm;

	if (!at || !ASN1_TIME_to_tm(at, &tm))
		return false;
	*ret_us = (int64_t)timegm(&tm) * 1000000;
	return true;
}

static bool only_space(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (!isspace((unsigned char)text[i]))
			return false;
	return true;
}

/* One block from the first byte on, and white space after it. */
static bool one_block(const char *pem, size_t len)
{
	static const char begin[] = "-----BEGIN CERTIFICATE-----\n",
			  end[] = "\n-----END CERTIFICATE-----";
	const char *at;

	if (len < sizeof(begin) || memcmp(pem, begin, sizeof(begin) - 1) != 0)
		return false;
	at = memmem(pem, len, end, sizeof(end) - 1);
	if (!at)
		return false;
	at += sizeof(end) - 1;
	return only_space(at, len - (size_t)(at - pem));
}

int certificate_read(
    const char *pem, size_t len, struct certificate_seen *ret, struct ark_error *err)
{
	struct certificate_seen seen;
	unsigned int digest_len = 0;
	BIO *in = NULL;
	X509 *cert = NULL;
	int rc = ark_fail(err, ARK_EINPUT, "that is not one certificate in PEM");

	if (len > PEM_MAX || !one_block(pem, len))
		goto out;
	in = BIO_new_mem_buf(pem, (int)len);
	cert = in ? PEM_read_bio_X509(in, NULL, NULL, NULL) : NULL;
	if (!cert || !X509_digest(cert, EVP_sha256(), seen.sha256, &digest_len) ||
	    digest_len != sizeof(seen.sha256) ||
	    !time_of(X509_get0_notBefore(cert), &seen.from_us) ||
	    !time_of(X509_get0_notAfter(cert), &seen.until_us))
		goto out;
	*ret = seen;
	rc = ARK_OK;
out:
	X509_free(cert);
	BIO_free(in);
	return rc;
}

/* ---- of a request ---- */

int certificate_shown(struct exchange *x, struct certificate_seen *ret, struct ark_error *err)
{
	/* all values of each: one that was sent twice is none that we know */
	const char *verify = http_header_list(x, "Arkki-Client-Verify");
	const char *text = http_header_list(x, "Arkki-Client-Cert");
	struct buf pem = {.limit = PEM_MAX};
	int64_t now = clock_now_us();
	int rc;

	if (!text && (!verify || !*verify || strcmp(verify, "NONE") == 0))
		return 1;
	rc = ark_fail(err, ARK_ENOTFOUND, "the client certificate does not count");
	if (!verify || strcmp(verify, "SUCCESS") != 0 || !text ||
	    !percent_decode(&pem, text, strlen(text)) || buf_failed(&pem) || !pem.len ||
	    certificate_read(pem.data, pem.len, ret, NULL))
		goto out;
	if (ret->from_us <= now && now < ret->until_us)
		rc = ARK_OK;
out:
	buf_free(&pem);
	return rc;
}

/* ---- binding, listing, removing: for the admin socket, and for the page of administrators ---- */

/* By the caller; the admin socket has none. */
static struct ledger_record changer(struct exchange *x)
{
	struct ledger_record r = {
	    .kind = "certificate", .principal = "operator", .authentication = "operator"};

	return caller_of(x) ? visit_record(visit_of(x), "certificate") : r;
}

static int log_certificate(
    struct exchange *x, const struct certificate *c, bool ended, struct ark_error *err)
{
	struct ledger_record r = changer(x);
	char detail[400], hex[65];

	r.detail = detail;
	hex_encode(hex, c->sha256, sizeof(c->sha256));
	if (ended)
		snprintf(detail, sizeof(detail), "{\"certificate\":\"%s\",\"ended\":true}", c->id);
	else
		snprintf(detail, sizeof(detail),
		    "{\"certificate\":\"%s\",\"user\":\"%s\",\"sha256\":\"%s\"}", c->id, c->user,
		    hex);
	return ledger_append_wait(
	    archive_ledger(app_of(x)->archive, LEDGER_HISTORY), &r, 1, NULL, err);
}

static int check_system(struct app *app, const char *user, struct ark_error *err)
{
	struct principal *who = NULL;
	bool is_system;

	if (!user || !id_valid(user) ||
	    registry_principal(archive_registry(app->archive), user, &who, NULL))
		return ark_fail(err, ARK_ENOTFOUND, "There is no such active account.");
	is_system = who->access.roles & ACCESS_SYSTEM;
	principal_unref(who);
	return is_system
		   ? ARK_OK
		   : ark_fail(err, ARK_EREFUSED,
			 "Only an account with the role `system` signs in with a certificate.");
}

static json_t *certificate_json(const struct certificate *c)
{
	char hex[65], expires[CLOCK_TEXT_SIZE], created[CLOCK_TEXT_SIZE], seen[CLOCK_TEXT_SIZE];

	hex_encode(hex, c->sha256, sizeof(c->sha256));
	clock_format(expires, c->expires_us);
	clock_format(created, c->created_us);
	clock_format(seen, c->seen_us);
	return json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:s*}", "id", c->id, "user", c->user, "name",
	    c->name, "sha256", hex, "created", created, "expires", expires, "seen",
	    c->seen_us ? seen : NULL);
}

int certificate_add(struct exchange *x, const struct certificate_wish *wish,
    struct certificate *ret, struct ark_error *err)
{
	struct app *app = app_of(x);
	struct state *state = archive_state(app->archive);
	const char *name = wish->name ? wish->name : "";
	struct certificate_seen seen;
	struct certificate c = {0};
	int rc = check_system(app, wish->user, err);

	if (!rc)
		rc = certificate_read(wish->pem, wish->len, &seen, err);
	if (!rc && seen.until_us <= clock_now_us())
		rc = ark_fail(err, ARK_EINPUT, "the certificate has expired");
	if (!rc && utf8_length(name, strlen(name)) > NAME_MAX_CHARACTERS)
		rc = ark_fail(err, ARK_EINPUT, "a name has at most 60 characters");
	if (rc)
		return rc;
	snprintf(c.user, sizeof(c.user), "%s", wish->user);
	snprintf(c.name, sizeof(c.name), "%.127s", name);
	memcpy(c.sha256, seen.sha256, sizeof(c.sha256));
	c.expires_us = seen.until_us;
	rc = certificate_bind(state, &c, err);
	/* a binding that the history log does not know must not work */
	if (!rc && (rc = log_certificate(x, &c, false, err)) &&
	    certificate_remove(state, c.id, NULL))
		ark_fail_within(err, rc, "the binding could not be removed either");
	sessions_forget(app);
	*ret = c;
	return rc;
}

int certificate_end(struct exchange *x, const char *id, struct ark_error *err)
{
	struct certificate c = {0};
	int rc = certificate_remove(archive_state(app_of(x)->archive), id, err);

	snprintf(c.id, sizeof(c.id), "%s", id);
	sessions_forget(app_of(x));
	return rc ? rc : log_certificate(x, &c, true, err);
}

void admin_certificate_add(struct exchange *x)
{
	struct certificate_wish wish = {
	    .user = http_query(x, "user"), .name = http_query(x, "name")};
	struct certificate c;
	struct ark_error err;

	wish.pem = http_body(x, &wish.len);
	switch (certificate_add(x, &wish, &c, &err)) {
	case ARK_OK:
		http_reply_json(x, 201, certificate_json(&c));
		break;
	case ARK_ENOTFOUND:
		http_reply_problem(x, 404, "unknown-user", err.text, NULL);
		break;
	case ARK_EREFUSED:
		http_reply_problem(x, 409, "not-a-system", err.text, NULL);
		break;
	case ARK_EINPUT:
		http_reply_problem(x, 422, "certificate", err.text, NULL);
		break;
	case ARK_ECONFLICT:
		http_reply_problem(x, 409, "certificate", err.text, NULL);
		break;
	default:
		http_reply_problem(x, 503, "certificate", err.text, NULL);
	}
}

static int add_certificate(void *arg, const struct certificate *c)
{
	return json_array_append_new(arg, certificate_json(c)) ? ARK_ENOMEM : 0;
}

void admin_certificates_list(struct exchange *x)
{
	const char *user = http_query(x, "user");
	json_t *list = json_array();
	struct ark_error err;

	if (!list || certificate_each(
			 archive_state(app_of(x)->archive), user, add_certificate, list, &err)) {
		json_decref(list);
		http_reply_problem(x, 503, "certificates", NULL, NULL);
		return;
	}
	http_reply_json(x, 200, json_pack("{s:o}", "certificates", list));
}

void admin_certificate_remove(struct exchange *x)
{
	struct ark_error err;

	switch (certificate_end(x, http_param(x, 0), &err)) {
	case ARK_OK:
		http_reply_json(x, 200, json_pack("{s:s}", "removed", http_param(x, 0)));
		break;
	case ARK_ENOTFOUND:
		http_reply_problem(
		    x, 404, "unknown-certificate", "There is no certificate of this id.", NULL);
		break;
	default:
		http_reply_problem(x, 503, "certificate", err.text, NULL);
	}
}
