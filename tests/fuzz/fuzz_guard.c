/* Fuzzes what reads a request's line and headers as text: guard, target, ranges, entity tags, languages,
 * file names. The input is lines: method, version, target, then name and value in turn.
 *
 * clang -std=c17 -g -O1 -fsanitize=fuzzer,address,undefined -Iinclude -I. tests/fuzz/fuzz_guard.c \
 *	api/{http_guard,target,http_range,language}.c archive/base/{buf,error,text}.c */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "api/http_guard.h"
#include "api/language.h"
#include "api/target.h"
#include "arkki/api/http_range.h"
#include "arkki/base/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void check_target(const char *text)
{
	struct target t;

	if (target_parse(text, &t) == TARGET_OK) {
		for (unsigned int i = 0; i < t.n_segments; i++) {
			if (strchr(t.segments[i], '/') || !*t.segments[i] ||
			    !utf8_valid(t.segments[i], strlen(t.segments[i])))
				abort();
		}
		for (unsigned int i = 0; i < t.n_pairs; i++) {
			if (!utf8_valid(t.pairs[i].value, strlen(t.pairs[i].value)))
				abort();
		}
	}
	target_free(&t);
}

static void check_value(const char *value)
{
	struct buf out = BUF_INIT;
	struct byte_range r;

	if (range_parse(value, 1000, &r) == RANGE_PART && (r.first > r.last || r.last >= 1000))
		abort();
	if (etag_if_match(value, "\"a\"") == ETAG_MATCH &&
	    etag_if_none_match(value, "\"a\"") != ETAG_MATCH)
		abort();
	range_if_range(value, "\"a\"");
	if (language_choose(value) > HTTP_EN)
		abort();
	content_disposition(&out, "attachment", value);
	if (out.data && (strpbrk(out.data, "\r\n") || strlen(out.data) != out.len))
		abort();
	buf_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	char *text = calloc(1, len + 1), *next = text;
	struct http_field fields[8];
	struct guard_input in = {.fields = fields, .header_max = 4096};
	struct guard_verdict v;

	if (!text)
		return 0;
	memcpy(text, bytes, len);
	in.method = strsep(&next, "\n");
	in.version = next ? strsep(&next, "\n") : "HTTP/1.1";
	in.target = next ? strsep(&next, "\n") : "/";
	while (next && in.n_fields < 8) {
		fields[in.n_fields].name = strsep(&next, "\n");
		fields[in.n_fields].value = next ? strsep(&next, "\n") : "";
		check_value(fields[in.n_fields++].value);
	}
	guard_check(&in, &v);
	if (!v.status)
		check_target(in.target);
	if (!v.status != !v.detail || (v.chunked && v.length))
		abort();
	free(text);
	return 0;
}
