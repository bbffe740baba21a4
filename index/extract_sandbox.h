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

#endif
