#include "api/oidc_http.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <pthread.h>
#include <string.h>

static pthread_once_t curl_once = PTHREAD_ONCE_INIT;

static void curl_begin(void)
{
	curl_global_init(CURL_GLOBAL_DEFAULT);
}

/* ---- addresses ---- */

static bool is_loopback(const char *host)
{
	struct in_addr a;

	if (strcasecmp(host, "localhost") == 0 || strcmp(host, "[::1]") == 0)
		return true;
	return inet_pton(AF_INET, host, &a) == 1 && ntohl(a.s_addr) >> 24 == 127;
}

static bool has_part(CURLU *u, CURLUPart what)
{
	char *text = NULL;
	bool has = curl_url_get(u, what, &text, 0) == CURLUE_OK;

	curl_free(text);
	return has;
}

bool oidc_url_valid(const char *url, bool *ret_loopback)
{
	CURLU *u = curl_url();
	char *scheme = NULL, *host = NULL;
	bool loopback = false, ok;

	for (const char *c = url; *c; c++)
		if ((unsigned char)*c <= 0x20 || (unsigned char)*c >= 0x7f || *c == '"' ||
		    *c == '\\')
			goto bad;
	ok = u && strlen(url) <= OIDC_URL_MAX &&
	     curl_url_set(u, CURLUPART_URL, url, 0) == CURLUE_OK &&
	     curl_url_get(u, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK &&
	     curl_url_get(u, CURLUPART_HOST, &host, 0) == CURLUE_OK &&
	     !has_part(u, CURLUPART_USER) && !has_part(u, CURLUPART_PASSWORD) &&
	     !has_part(u, CURLUPART_FRAGMENT);
	loopback = ok && is_loopback(host);
	ok = ok && (strcmp(scheme, "https") == 0 || (loopback && strcmp(scheme, "http") == 0));
	curl_free(scheme);
	curl_free(host);
	curl_url_cleanup(u);
	if (ret_loopback)
		*ret_loopback = loopback;
	return ok;
bad:
	curl_url_cleanup(u);
	return false;
}

/* ---- requests ---- */

static size_t take(char *bytes, size_t size, size_t n, void *arg)
{
	struct buf *out = arg;

	if (out->len + size * n > OIDC_ANSWER_MAX)
		return 0; /* the request fails */
	buf_add(out, bytes, size * n);
	return buf_failed(out) ? 0 : size * n;
}

static int watch(void *arg, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
	const struct oidc_request *r = arg;

	(void)a, (void)b, (void)c, (void)d;
	return r->stop && atomic_load(r->stop);
}

static bool set_up(CURL *c, const struct oidc_request *r, struct buf *out, char *why)
{
	bool loopback = false;

	if (!oidc_url_valid(r->url, &loopback))
		return false;
	return !curl_easy_setopt(c, CURLOPT_URL, r->url) &&
	       !curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, loopback ? "http,https" : "https") &&
	       (!loopback || !curl_easy_setopt(c, CURLOPT_NOPROXY, "*")) &&
	       !curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 0L) &&
	       !curl_easy_setopt(c, CURLOPT_SSL_VERIFYPEER, 1L) &&
	       !curl_easy_setopt(c, CURLOPT_SSL_VERIFYHOST, 2L) &&
	       !curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L) &&
	       !curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, (long)OIDC_TIMEOUT_MS) &&
	       !curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT_MS, 3000L) &&
	       !curl_easy_setopt(c, CURLOPT_ERRORBUFFER, why) &&
	       !curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, take) &&
	       !curl_easy_setopt(c, CURLOPT_WRITEDATA, out) &&
	       !curl_easy_setopt(c, CURLOPT_NOPROGRESS, 0L) &&
	       !curl_easy_setopt(c, CURLOPT_XFERINFOFUNCTION, watch) &&
	       !curl_easy_setopt(c, CURLOPT_XFERINFODATA, r) &&
	       (!r->ca_file || !r->ca_file[0] || !curl_easy_setopt(c, CURLOPT_CAINFO, r->ca_file));
}

static bool set_form(CURL *c, const struct oidc_request *r)
{
	if (r->bearer && (curl_easy_setopt(c, CURLOPT_HTTPAUTH, CURLAUTH_BEARER) ||
			     curl_easy_setopt(c, CURLOPT_XOAUTH2_BEARER, r->bearer)))
		return false;
	if (!r->form)
		return !curl_easy_setopt(c, CURLOPT_HTTPGET, 1L);
	if (curl_easy_setopt(c, CURLOPT_POST, 1L) ||
	    curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)strlen(r->form)) ||
	    curl_easy_setopt(c, CURLOPT_POSTFIELDS, r->form))
		return false;
	return !r->user || (!curl_easy_setopt(c, CURLOPT_HTTPAUTH, CURLAUTH_BASIC) &&
			       !curl_easy_setopt(c, CURLOPT_USERNAME, r->user) &&
			       !curl_easy_setopt(c, CURLOPT_PASSWORD, r->password));
}

int oidc_http(
    const struct oidc_request *r, long *ret_status, struct buf *out, struct ark_error *err)
{
	char why[CURL_ERROR_SIZE] = "";
	struct curl_slist *headers = NULL;
	CURLcode code = CURLE_OK;
	CURL *c;
	int rc = ARK_OK;

	pthread_once(&curl_once, curl_begin);
	c = curl_easy_init();
	headers = curl_slist_append(NULL, "Accept: application/json");
	if (!c || !headers || !set_up(c, r, out, why) || !set_form(c, r) ||
	    curl_easy_setopt(c, CURLOPT_HTTPHEADER, headers)) {
		rc = ark_fail(err, ARK_EIO, "the request cannot be made");
		goto out;
	}
	code = curl_easy_perform(c);
	if (!code)
		code = curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, ret_status);
	if (code == CURLE_WRITE_ERROR)
		rc = ark_fail(err, ARK_EIO, "the answer is larger than 1 MiB");
	else if (code)
		rc = ark_fail(err, ARK_EIO, "%.200s", curl_easy_strerror(code));
	buf_adds(out, ""); /* an answer of no bytes is a text too */
	if (!rc && buf_failed(out))
		rc = ark_fail(err, ARK_ENOMEM, "no memory for an answer");
out:
	curl_slist_free_all(headers);
	curl_easy_cleanup(c);
	return rc;
}
