#include "api/record_versions.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arkki/base/json.h"

json_t *record_version_header(uint32_t number, const json_t *envelope)
{
	return json_pack("{s:i,s:s?,s:s?,s:s?}", "version", (int)number, "filedAt",
	    json_text(envelope, "time"), "filedBy",
	    json_text(json_object_get(envelope, "actor"), "user"), "reason",
	    json_text(envelope, "reason"));
}

void record_version_tag(
    const struct app *app, const char *kind, uint32_t number, char out[TAG_SIZE])
{
	char id[40], tag[33];
	int n = snprintf(id, sizeof(id), "%u", number);

	archive_tag(app->archive, kind, id, (size_t)n, tag);
	snprintf(out, TAG_SIZE, "\"%s\"", tag);
}

bool record_version_wanted(struct exchange *x, uint32_t *ret)
{
	const char *text = http_query(x, "version");
	size_t n = text ? strspn(text, "0123456789") : 0;

	*ret = 0;
	if (!text)
		return true;
	if (n < 1 || n > 6 || text[n] || text[0] == '0') {
		http_reply_problem(
		    x, 400, "bad-version", "version must be a whole number from 1.", NULL);
		return false;
	}
	*ret = (uint32_t)strtoul(text, NULL, 10);
	return true;
}

static void say_changed(char out[200], const char *what)
{
	snprintf(out, 200,
	    "The %s have changed since you read them; read them again and repeat the change.",
	    what);
}

void record_version_changed(struct exchange *x, const char *what)
{
	char detail[200];

	say_changed(detail, what);
	http_reply_problem(x, 412, "changed-meanwhile", detail, NULL);
}

static bool matches(struct exchange *x, enum etag_match m, const char *absent, const char *changed)
{
	switch (m) {
	case ETAG_MATCH:
		return true;
	case ETAG_ABSENT:
		http_reply_problem(x, 428, "if-match-required", absent, NULL);
		return false;
	case ETAG_MALFORMED:
		http_reply_problem(x, 400, "bad-if-match", "If-Match is malformed.", NULL);
		return false;
	default:
		http_reply_problem(x, 412, "changed-meanwhile", changed, NULL);
		return false;
	}
}

bool record_version_matches(struct exchange *x, enum etag_match m, const char *what)
{
	char absent[200], changed[200];

	snprintf(absent, sizeof(absent), "Send If-Match with the ETag of the %s as you read them.",
	    what);
	say_changed(changed, what);
	return matches(x, m, absent, changed);
}

bool record_matches(struct exchange *x, enum etag_match m, const char *what)
{
	char absent[200], changed[200];

	snprintf(
	    absent, sizeof(absent), "Send If-Match with the ETag of the %s as you read it.", what);
	snprintf(changed, sizeof(changed), "The %s has changed since you read it.", what);
	return matches(x, m, absent, changed);
}
