/* Some tests cannot run in a program that was built with a sanitizer: its runtime needs terabytes of addresses and
 * system calls that a sandbox refuses, catches crashes itself, and is slow. */
#ifndef TESTS_UNIT_SANITIZED_H
#define TESTS_UNIT_SANITIZED_H

#include "tests/unit/unit.h"

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
