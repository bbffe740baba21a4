#include "tools/web.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "arkki/base/fs.h"

enum { CONNECT_S = 15, STALL_S = 30, TOKEN_MAX = 4096 };

struct web {
	CURL *curl;
	char *authorization; /* the header, or NULL */
};

static int read_token(struct web *w, const char *path, struct ark_error *err)
{
	struct buf token = BUF_INIT, header = BUF_INIT;
	int rc = fs_read_file(path, TOKEN_MAX, &token, err);

	if (!rc && (!token.len || strcspn(token.data, "\r\n") == 0))
		rc = ark_fail(err, ARK_EINPUT, "%s holds no token", path);
	if (!rc) {
		buf_addf(&header, "Authorization: Bearer %.*s", (int)strcspn(token.data, "\r\n"),
		    token.data);
		if (buf_failed(&header))
			rc = ark_fail(err, ARK_ENOMEM, "no memory for a token");
		else
			w->authorization = buf_take(&header, NULL);
	}
	buf_wipe_free(&token);
	buf_wipe_free(&header);
	return rc;
}

int web_open(const char *token_file, struct web **ret, struct ark_error *err)
{
	struct web *w = calloc(1, sizeof(*w));
	int rc = ARK_OK;

	if (!w)
		return ark_fail(err, ARK_ENOMEM, "no memory for HTTP");
	curl_global_init(CURL_GLOBAL_DEFAULT);
	w->curl = curl_easy_init();
	if (!w->curl)
		rc = ark_fail(err, ARK_ENOMEM, "no memory for HTTP");
	if (!rc && token_file)
		rc = read_token(w, token_file, err);
	if (rc) {
		web_close(w);
		return rc;
	}
	*ret = w;
	return ARK_OK;
}

void web_close(struct web *w)
{
	if (!w)
		return;
	if (w->curl)
		curl_easy_cleanup(w->curl);
	free(w->authorization);
	free(w);
}

struct answer {
	struct web_request *r;
	size_t start;
	bool too_long;
};

static size_t take_body(char *bytes, size_t size, size_t n, void *arg)
{
	struct answer *a = arg;
	struct buf *b = a->r->body;

	a->too_long = size * n > a->r->limit - (b->len - a->start);
	if (a->too_long)
		return 0;
	buf_add(b, bytes, size * n);
	return buf_failed(b) ? 0 : size * n;
}

static size_t take_header(char *bytes, size_t size, size_t n, void *arg)
{
	static const char name[] = "Arkki-Receipt: ";
	size_t len = size * n, at = sizeof(name) - 1;
	struct answer *a = arg;

	if (len > at && strncasecmp(bytes, name, at) == 0) {
		while (len > at && (bytes[len - 1] == '\n' || bytes[len - 1] == '\r'))
			len--;
		snprintf(a->r->receipt, sizeof(a->r->receipt), "%.*s", (int)(len - at), bytes + at);
	}
	return size * n;
}

static int judge(const struct web_request *r, long status, struct ark_error *err)
{
	if (status == 200)
		return ARK_OK;
	if (status == 404)
		return ark_fail(err, ARK_ENOTFOUND, "%s is not there", r->url);
	if (status == 401 || status == 403)
		return ark_fail(err, ARK_EREFUSED,
		    "%s is refused (status %ld): give the token of one who may read it by --token "
		    "FILE",
		    r->url, status);
	return ark_fail(err, ARK_EIO, "%s answered with status %ld", r->url, status);
}

int web_get(struct web *w, struct web_request *r, struct ark_error *err)
{
	struct answer a = {r, r->body->len, false};
	struct curl_slist *headers = NULL;
	char why[CURL_ERROR_SIZE] = "";
	long status = 0;
	CURLcode code;

	r->receipt[0] = '\0';
	curl_easy_reset(w->curl);
	if (w->authorization)
		headers = curl_slist_append(headers, w->authorization);
	for (size_t i = 0; i < 4 && r->headers[i]; i++)
		headers = curl_slist_append(headers, r->headers[i]);
	curl_easy_setopt(w->curl, CURLOPT_URL, r->url);
	curl_easy_setopt(w->curl, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(w->curl, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(w->curl, CURLOPT_USERAGENT, "arkki");
	curl_easy_setopt(w->curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(w->curl, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_S);
	curl_easy_setopt(w->curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
	curl_easy_setopt(w->curl, CURLOPT_LOW_SPEED_TIME, (long)STALL_S);
	curl_easy_setopt(w->curl, CURLOPT_ERRORBUFFER, why);
	curl_easy_setopt(w->curl, CURLOPT_WRITEFUNCTION, take_body);
	curl_easy_setopt(w->curl, CURLOPT_WRITEDATA, &a);
	curl_easy_setopt(w->curl, CURLOPT_HEADERFUNCTION, take_header);
	curl_easy_setopt(w->curl, CURLOPT_HEADERDATA, &a);
	code = curl_easy_perform(w->curl);
	curl_slist_free_all(headers);
	curl_easy_getinfo(w->curl, CURLINFO_RESPONSE_CODE, &status);
	if (buf_failed(r->body))
		return ark_fail(err, ARK_ENOMEM, "no memory for an answer");
	if (a.too_long && status == 200)
		return ark_fail(err, ARK_ECORRUPT, "%s is longer than %zu bytes", r->url, r->limit);
	if (code != CURLE_OK && !a.too_long)
		return ark_fail(err, ARK_EIO, "no answer from %s: %s", r->url,
		    *why ? why : curl_easy_strerror(code));
	return judge(r, status, err);
}
