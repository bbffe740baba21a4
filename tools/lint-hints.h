/* Included before each file by the analysers, which see one file at a time: without this they take it for possible
 * that a failure is reported as success, and follow hundreds of ways that there are not. */
#ifndef ARKKI_TOOLS_LINT_HINTS_H
#define ARKKI_TOOLS_LINT_HINTS_H

#include "arkki/base/error.h"

#ifdef ARKKI_LINT_HINTS
#define ark_fail(err, status, ...) ((ark_fail)(err, status, __VA_ARGS__), (status))
#define ark_fail_errno(err, status, ...) ((ark_fail_errno)(err, status, __VA_ARGS__), (status))
#define ark_fail_within(err, status, ...) ((ark_fail_within)(err, status, __VA_ARGS__), (status))
#endif

#endif
