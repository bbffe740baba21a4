/* Shuts the calling process in: after sandbox_enter() it can compute, use the descriptors it
 * holds, and end. Private to index/extract_child.c.
 *
 * Belts, each enough against most escapes alone:
 *   rlimits     address space, processor time, no new descriptor, no file growth, no core
 *   capabilities dropped, no_new_privs, not dumpable
 *   Landlock    no file system, TCP, abstract socket or signal beyond itself, where the kernel has it
 *   seccomp     a list of allowed system calls; what libraries may try in good
 *               faith fails with EPERM, what only an attack tries kills
 */
#ifndef ARKKI_INDEX_EXTRACT_SANDBOX_H
#define ARKKI_INDEX_EXTRACT_SANDBOX_H

#include <stddef.h>
#include <stdint.h>

#include "arkki/base/error.h"

struct sandbox_limits {
	uint64_t memory;
	uint32_t cpu_s;
};

/* Landlock's version in this kernel, 0 when it has none or it is off. */
int sandbox_landlock_version(void);

/* For a process with one thread. On failure the process may be half shut in: end it. */
ARK_MUSTUSE int sandbox_enter(const struct sandbox_limits *limits, struct ark_error *err);

/* ---- the second profile: a helper program ----
 * What sandbox_enter() allows, and reading the named files and directories, and executing the program,
 * which may map code from files and nothing else. Needs Landlock: seccomp does not see which file is opened. */
struct sandbox_paths {
	const char *program; /* to be read and executed; NULL: none */
	const char *const *
	    reads; /* files and directories to be read; ended by NULL; those not there are left out */
};

/* The file system is the given paths from now on, of all `n` together; for the process that starts programs. */
ARK_MUSTUSE int sandbox_narrow(const struct sandbox_paths *paths, size_t n, struct ark_error *err);
/* For the process that is to become the program: nothing but execve() should follow. */
ARK_MUSTUSE int sandbox_enter_program(
    const struct sandbox_limits *limits, const struct sandbox_paths *paths, struct ark_error *err);

#endif
