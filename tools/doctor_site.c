/* doctor --url: what people reach. The web server in front ends TLS; whether it does, and whether it says to arkki what
 * arkki must know, shows only from outside. */
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "arkki/base/buf.h"
#include "arkki/base/clock.h"
#include "tools/doctor.h"

enum { ANSWER_MAX = 256 << 10, WAIT_S = 15, CERTIFICATE_DAYS = 14, CLOCK_S = 30 };

struct site {
	struct doctor *d;
	const char *url; /* without a slash at its end */
	CURL *curl;
	char why[CURL_ERROR_SIZE];
	struct buf headers, body;
	long status; /* 0: no answer */
};

static size_t take(char *bytes, size_t size, size_t n, void *arg)
{
	struct buf *to = arg;

	(void)size; /* is 1 */
	if (to->len + n > ANSWER_MAX)
		return 0;
	buf_add(to, bytes, n);
	return n;
}

static void get(struct site *s, const char *base, const char *path)
{
	struct buf url = BUF_INIT;

	buf_free(&s->headers);
	buf_free(&s->body);
	s->status = 0;
	s->why[0] = '\0';
	buf_addf(&url, "%s%s", base, path);
	curl_easy_setopt(s->curl, CURLOPT_URL, url.data ? url.data : "");
	if (curl_easy_perform(s->curl) == CURLE_OK)
		curl_easy_getinfo(s->curl, CURLINFO_RESPONSE_CODE, &s->status);
	buf_addc(&s->headers, '\0');
	buf_addc(&s->body, '\0');
	buf_free(&url);
}

/* The value of the header's first line that holds `part` (NULL: any), up to its end; NULL: none. */
static const char *header(const struct site *s, const char *name, const char *part)
{
	size_t len = strlen(name);

	for (const char *line = s->headers.data; line && *line; line = strchr(line, '\n')) {
		const char *end, *at;

		line += *line == '\n';
		end = strchrnul(line, '\n');
		if (strncasecmp(line, name, len) != 0 || line[len] != ':')
			continue;
		at = part ? strstr(line, part) : line;
		if (at && at < end)
			return line + len + 1 + strspn(line + len + 1, " ");
	}
	return NULL;
}

/* Of the certificate that was shown, in days from now. */
static bool days_left(const struct site *s, long *ret)
{
	struct curl_certinfo *info = NULL;
	time_t end = -1;

	if (curl_easy_getinfo(s->curl, CURLINFO_CERTINFO, &info) != CURLE_OK || !info ||
	    info->num_of_certs < 1)
		return false;
	for (const struct curl_slist *l = info->certinfo[0]; l; l = l->next)
		if (strncmp(l->data, "Expire date:", 12) == 0)
			end = curl_getdate(l->data + 12, NULL);
	*ret = (long)((end - (time_t)(clock_now_us() / 1000000)) / 86400);
	return end != -1;
}

static void check_certificate(struct site *s)
{
	long days;

	if (strncmp(s->url, "https://", 8) != 0)
		doctor_say(s->d, VERDICT_BAD, "TLS",
		    "%s is not https: names and passwords go in the clear; see "
		    "nginx.conf.example",
		    s->url);
	else if (!days_left(s, &days))
		doctor_say(s->d, VERDICT_WARN, "TLS", "the certificate's last day cannot be read");
	else if (days < CERTIFICATE_DAYS)
		doctor_say(s->d, VERDICT_WARN, "TLS",
		    "the certificate ends in %ld days; renew it, and let a timer do so", days);
	else
		doctor_say(s->d, VERDICT_OK, "TLS", "the certificate holds for %ld days", days);
}

/* Of the sign-in page, which anybody gets. */
static void check_headers(struct site *s)
{
	const char *date = header(s, "Date", NULL);
	time_t theirs = date ? curl_getdate(date, NULL) : -1;
	long long apart = (long long)theirs - (long long)(clock_now_us() / 1000000);

	if (!header(s, "Content-Security-Policy", "default-src 'none'"))
		doctor_say(s->d, VERDICT_BAD, "pages",
		    "the Content-Security-Policy does not come through; let the web server leave "
		    "arkki's headers as they are");
	else
		doctor_say(s->d, VERDICT_OK, "pages", "come with their policy");
	if (!header(s, "Set-Cookie", "__Host-"))
		doctor_say(s->d, VERDICT_BAD, "cookies",
		    "are not bound to TLS; let the web server set X-Forwarded-Proto: https");
	else
		doctor_say(s->d, VERDICT_OK, "cookies", "are bound to this host and to TLS");
	if (!header(s, "Strict-Transport-Security", "max-age="))
		doctor_say(s->d, VERDICT_WARN, "HSTS",
		    "browsers are not told to come by TLS alone; see nginx.conf.example");
	else
		doctor_say(s->d, VERDICT_OK, "HSTS", "browsers come by TLS alone");
	if (theirs == -1 || apart > CLOCK_S || apart < -CLOCK_S)
		doctor_say(s->d, VERDICT_WARN, "its clock", "is %lld s apart from this machine's",
		    theirs == -1 ? 0 : apart);
}

/* The log's own checkpoint names it. */
static void check_origin(struct site *s)
{
	char wanted[320];

	snprintf(wanted, sizeof(wanted), "%s/history\n", s->d->origin);
	get(s, s->url, "/v1/log/history/checkpoint");
	if (s->status != 200)
		doctor_say(s->d, VERDICT_BAD, "archive there",
		    "the history log's checkpoint is not given (%ld %s)", s->status, s->why);
	else if (strncmp(s->body.data ? s->body.data : "", wanted, strlen(wanted)) != 0)
		doctor_say(s->d, VERDICT_BAD, "archive there", "%s serves another archive than %s",
		    s->url, s->d->origin);
	else
		doctor_say(s->d, VERDICT_OK, "archive there", "is %s", s->d->origin);
}

static void check_closed(struct site *s)
{
	static const char *const inside[] = {"/metrics", "/healthz", "/admin/status"};

	for (size_t i = 0; i < sizeof(inside) / sizeof(*inside); i++) {
		get(s, s->url, inside[i]);
		if (s->status == 200) {
			doctor_say(s->d, VERDICT_BAD, "inside", "%s%s is open to everybody", s->url,
			    inside[i]);
			return;
		}
	}
	doctor_say(s->d, VERDICT_OK, "inside", "what is for operators is not reached from there");
}

/* Who types the name alone comes without TLS first. */
static void check_plain(struct site *s)
{
	struct buf plain = BUF_INIT;
	const char *to;

	if (strncmp(s->url, "https://", 8) != 0 || strchr(s->url + 8, ':'))
		return; /* another port says nothing of port 80 */
	buf_addf(&plain, "http://%s", s->url + 8);
	get(s, plain.data, "/");
	to = header(s, "Location", NULL);
	if (s->status == 0)
		doctor_say(s->d, VERDICT_OK, "without TLS", "nobody answers");
	else if (s->status >= 300 && s->status < 400 && to && strncmp(to, "https://", 8) == 0)
		doctor_say(s->d, VERDICT_OK, "without TLS", "leads on to https");
	else
		doctor_say(s->d, VERDICT_BAD, "without TLS",
		    "%s answers %ld; let it lead on to https", plain.data, s->status);
	buf_free(&plain);
}

static bool begin(struct site *s)
{
	curl_global_init(CURL_GLOBAL_DEFAULT);
	s->curl = curl_easy_init();
	if (!s->curl)
		return false;
	curl_easy_setopt(s->curl, CURLOPT_WRITEFUNCTION, take);
	curl_easy_setopt(s->curl, CURLOPT_WRITEDATA, &s->body);
	curl_easy_setopt(s->curl, CURLOPT_HEADERFUNCTION, take);
	curl_easy_setopt(s->curl, CURLOPT_HEADERDATA, &s->headers);
	curl_easy_setopt(s->curl, CURLOPT_ERRORBUFFER, s->why);
	curl_easy_setopt(s->curl, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(s->curl, CURLOPT_TIMEOUT, (long)WAIT_S);
	curl_easy_setopt(s->curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(s->curl, CURLOPT_CERTINFO, 1L);
	if (s->d->ca_file)
		curl_easy_setopt(s->curl, CURLOPT_CAINFO, s->d->ca_file);
	return true;
}

void doctor_site(struct doctor *d, const char *url)
{
	struct site s = {.d = d};
	size_t len = strlen(url);
	char *base = strndup(url, len && url[len - 1] == '/' ? len - 1 : len);

	s.url = base;
	if (!base || !begin(&s)) {
		doctor_say(d, VERDICT_BAD, "site", "no memory to look at %s", url);
		goto out;
	}
	get(&s, s.url, "/fi/sign-in");
	if (s.status != 200) {
		doctor_say(d, VERDICT_BAD, "site", "%s/fi/sign-in does not open: %ld %s", s.url,
		    s.status, s.why);
		goto out;
	}
	doctor_say(d, VERDICT_OK, "site", "%s answers", s.url);
	check_certificate(&s);
	check_headers(&s);
	check_origin(&s);
	check_closed(&s);
	check_plain(&s);
out:
	if (s.curl)
		curl_easy_cleanup(s.curl);
	buf_free(&s.headers);
	buf_free(&s.body);
	free(base);
}
