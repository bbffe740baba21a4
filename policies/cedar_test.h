/* One test in the format of Cedar's integration tests while it runs: what its
 * files were read into. */
#ifndef ARKKI_POLICIES_CEDAR_TEST_H
#define ARKKI_POLICIES_CEDAR_TEST_H

#include "policies/cedar_private.h"

struct cedar_test {
	const struct cedar_policies *policies;
	const struct cedar_schema *schema; /* NULL: none named */
	const struct cedar_entities *entities;
	struct cedar_arena *arena;
	bool decisions_only; /* reasons and errors are not compared */
};

/* Decides one request and appends what does not match to `difference`. ARK_EINPUT when it cannot be asked at all. */
ARK_MUSTUSE int cedar_test_request(
    struct cedar_test *t, const json_t *json, struct buf *difference, struct ark_error *err);

#endif
