/* Documents through an extractor of a test's own, in uneven pieces, and what is expected of the answer. */
#ifndef ARKKI_TESTS_EXTRACT_FIXTURE_H
#define ARKKI_TESTS_EXTRACT_FIXTURE_H

#include "tests/unit/unit.h"

#include "arkki/index/extract.h"

static inline struct extractor *start(const struct extract_config *config)
{
	struct extractor *e = NULL;
	struct ark_error err = {0};

	if (extractor_new(config, &e, &err) != ARK_OK)
		fail_msg("no extractor: %s", err.text);
	return e;
}

/* Feeds in uneven pieces. Text is "" rather than NULL. */
static inline struct extract_result extract(
    struct extractor *e, const char *type, const void *bytes, size_t len)
{
	struct extract_result r = {0};
	struct extract_job *job = NULL;
	struct ark_error err = {0};

	if (extract_begin(e, type, len, &job, &err) != ARK_OK)
		fail_msg("begin: %s", err.text);
	for (size_t at = 0; at < len;) {
		size_t n = len - at < 60001 ? len - at : 60001;

		assert_int_equal(extract_feed(job, (const char *)bytes + at, n, &err), ARK_OK);
		at += n;
	}
	if (extract_finish(job, &r, &err) != ARK_OK)
		fail_msg("finish: %s", err.text);
	if (!r.text.data)
		buf_adds(&r.text, "");
	return r;
}

static inline void expect_none(
    const struct extract_config *config, const char *type, const void *bytes, const char *reason)
{
	struct extractor *e = start(config);
	struct extract_result r = extract(e, type, bytes, strlen(bytes));

	assert_string_equal(r.reason, reason);
	assert_int_equal(r.outcome, EXTRACT_NONE);
	assert_int_equal(r.text.len, 0);
	extract_result_free(&r);
	/* the extractor is as good as before */
	r = extract(e, "text/plain", "after", 5);
	assert_string_equal(r.text.data, "after");
	extract_result_free(&r);
	extractor_free(e);
}

#endif
