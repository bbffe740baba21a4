/* The process beside a decoder that starts helper programs for it. It is forked before the decoder enters
 * its sandbox, has neither the decoder's input nor its pipe, and takes from it nothing but the number of a
 * program in a table it already has, and bytes for that program's stdin.
 *
 * Each program is one more process in the sandbox's second profile (extract_sandbox.h). Its end ends with
 * the decoder's. Private to index/extract*.c.
 */
#ifndef ARKKI_INDEX_EXTRACT_PROGRAMS_H
#define ARKKI_INDEX_EXTRACT_PROGRAMS_H

#include "index/extract_sandbox.h"
#include "index/formats/program.h"

/* Starts it; program_run() works from then on. False: it cannot be started. */
bool programs_start(const struct format_program *const *list, const struct sandbox_limits *limits);

#endif
