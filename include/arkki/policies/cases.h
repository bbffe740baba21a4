/* Cases: requests whose decisions a policy set must give, kept beside it. Whoever changes the
 * rules changes what is protected only by changing a case too, and says so.
 *
 * {"entities": […], "sets": {"secrets": {"requests": […]}, …}}: Cedar's entities, and sets of
 * requests as Cedar's integration tests have them ("description" says in a sentence what the
 * request protects). Other members of a set, the paths and reasons of a test in a file, are not
 * looked at.
 *
 * Threads: a pure function.
 */
#ifndef ARKKI_POLICIES_CASES_H
#define ARKKI_POLICIES_CASES_H

#include <jansson.h>

#include "arkki/base/error.h"
#include "arkki/policies/access.h"

struct access_case {
	const char *set, *description; /* description: "" when the case has none */
	const char *why;               /* "decision allow, expected deny" */
};

/* Runs all of them; told() gets each that fails. ARK_EINPUT when `cases` is not of that form. */
ARK_MUSTUSE int access_cases_run(const struct access_rules *r, const json_t *cases,
    void (*told)(void *arg, const struct access_case *failed), void *arg, unsigned int *ret_passed,
    unsigned int *ret_failed, struct ark_error *err);

#endif
