#include "archive/witness_http.h"

#include <curl/curl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct witness_link {
	CURL *curl;
	struct curl_slist *headers;
	atomic_bool *stop;
	struct buf *answer; /* of the request under way */
	char *url;
	char why[CURL_ERROR_SIZE];
};

static pthread_once_t curl_once = PTHREAD_ONCE_INIT;

static void curl_begin(void)
{
	curl_global_init(CURL_GLOBAL_DEFAULT);
}

static size_t take(char *bytes, size_t size, size_t n, void *arg)
{
	struct witness_link *k = arg;

	if (k->answer->len + size * n > WITNESS_ANSWER_MAX)
		return 0; /* more than a witness has to say: the request fails */
	buf_add(k->answer, bytes, size * n);
	return buf_failed(k->answer) ? 0 : size * n;
}

static int watch(void *arg, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
	const struct witness_link *k = arg;

	(void)a, (void)b, (void)c, (void)d;
	return k->stop && atomic_load(k->stop);
}

static int set_up(struct witness_link *k)
{
	CURL *c = k->curl;

	return curl_easy_setopt(c, CURLOPT_URL, k->url) ||
	       curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https") ||
	       curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L) || curl_easy_setopt(c, CURLOPT_POST, 1L) ||
	       curl_easy_setopt(c, CURLOPT_HTTPHEADER, k->headers) ||
	       curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 0L) ||
	       curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT_MS, 3000L) ||
	       curl_easy_setopt(c, CURLOPT_ERRORBUFFER, k->why) ||
	       curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, take) ||
	       curl_easy_setopt(c, CURLOPT_WRITEDATA, k) ||
	       curl_easy_setopt(c, CURLOPT_NOPROGRESS, 0L) ||
	       curl_easy_setopt(c, CURLOPT_XFERINFOFUNCTION, watch) ||
	       curl_easy_setopt(c, CURLOPT_XFERINFODATA, k);
}

int witness_link_new(
    const char *url, atomic_bool *stop, struct witness_link **ret, struct ark_error *err)
{
	static const char call[] = "/add-checkpoint";
	struct witness_link *k = calloc(1, sizeof(*k));
	size_t n = strlen(url);

	pthread_once(&curl_once, curl_begin);
	if (!k)
		return ark_fail(err, ARK_ENOMEM, "no memory to ask a witness");
	while (n && url[n - 1] == '/')
		n--;
	k->stop = stop;
	k->curl = curl_easy_init();
	k->url = malloc(n + sizeof(call));
	/* a witness takes the body at once: no "100 Continue" to wait for */
	k->headers = curl_slist_append(NULL, "Expect:");
	if (k->url) {
		memcpy(k->url, url, n);
		memcpy(k->url + n, call, sizeof(call));
	}
	if (!k->curl || !k->url || !k->headers || set_up(k)) {
		witness_link_free(k);
		return ark_fail(err, ARK_ENOMEM, "no memory to ask a witness");
	}
	*ret = k;
	return ARK_OK;
}

void witness_link_free(struct witness_link *k)
{
	if (!k)
		return;
	curl_easy_cleanup(k->curl);
	curl_slist_free_all(k->headers);
	free(k->url);
	free(k);
}

int witness_link_post(struct witness_link *k, const struct buf *body, long timeout_ms,
    long *ret_status, struct buf *answer, struct ark_error *err)
{
	CURLcode code;

	buf_clear(answer);
	k->answer = answer;
	k->why[0] = '\0';
	code = curl_easy_setopt(k->curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body->len);
	if (!code)
		code = curl_easy_setopt(k->curl, CURLOPT_POSTFIELDS, body->data);
	if (!code)
		code = curl_easy_setopt(k->curl, CURLOPT_TIMEOUT_MS, timeout_ms);
	if (!code)
		code = curl_easy_perform(k->curl);
	if (!code)
		code = curl_easy_getinfo(k->curl, CURLINFO_RESPONSE_CODE, ret_status);
	if (code)
		return ark_fail(err, ARK_EIO, "no answer from %.200s: %.200s", k->url,
		    k->why[0] ? k->why : curl_easy_strerror(code));
	buf_adds(answer, ""); /* an answer of no bytes is a text too */
	if (buf_failed(answer))
		return ark_fail(err, ARK_ENOMEM, "no memory for an answer");
	return ARK_OK;
}
