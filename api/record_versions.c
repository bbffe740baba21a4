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

void record_version_changed(struct exchange *x, const char *what)
{
	char detail[200];

	snprintf(detail, sizeof(detail),
	    "The %s have changed since you read them; read them again and repeat the change.",
	    what);
	http_reply_problem(x, 412, "changed-meanwhile", detail, NULL);
}

bool record_version_matches(struct exchange *x, enum etag_match m, const char *what)
{
	char detail[200];

	switch (m) {
	case ETAG_MATCH:
		return true;
	case ETAG_ABSENT:
		snprintf(detail, sizeof(detail),
		    "Send If-Match with the ETag of the %s as you read them.", what);
		http_reply_problem(x, 428, "if-match-required", detail, NULL);
		return false;
	case ETAG_MALFORMED:
		http_reply_problem(x, 400, "bad-if-match", "If-Match is malformed.", NULL);
		return false;
	default:
		record_version_changed(x, what);
		return false;
	}
}
