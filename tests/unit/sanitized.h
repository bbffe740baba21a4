/* Whether a sanitizer runs, and tests that cannot run with one. */
#ifndef ARKKI_TESTS_SANITIZED_H
#define ARKKI_TESTS_SANITIZED_H

#include "tests/unit/unit.h"

/* A sanitizer's runtime needs unbounded address space and catches crashes itself. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

static inline void skip_sanitized(const char *test)
{
	if (SANITIZED) {
		printf("SKIP %s: not with a sanitizer\n", test);
		skip();
	}
}

#endif
