/* Operations that fail on demand: the Nth allocation, write, sync, open, rename or read.
 *
 * fault.c takes the place of malloc(), write(), fsync() and the rest for the program that it is
 * linked into and for every library that it loads. Files count only below one directory.
 * Threads: any; arming and disarming from one.
 */
#ifndef ARKKI_TESTS_FAULT_H
#define ARKKI_TESTS_FAULT_H

#include <stdbool.h>

enum fault_kind {
	FAULT_HEAP,        /* an allocation of arkki's own code: ENOMEM */
	FAULT_HEAP_OTHERS, /* of a library's: ENOMEM */
	FAULT_WRITE_SHORT, /* half of it is written; no error */
	FAULT_WRITE_EIO,
	FAULT_WRITE_ENOSPC,
	FAULT_DISK_FULL, /* ENOSPC, and for every later write and new file too */
	FAULT_SYNC,      /* EIO; the pages are gone, so that a later sync of the file succeeds */
	FAULT_OPEN,      /* EMFILE */
	FAULT_NAME,      /* rename, unlink, mkdir: EIO */
	FAULT_READ,      /* EIO */
	FAULT_KINDS,
};

struct fault_report {
	unsigned long calls[FAULT_KINDS];
	bool fired;
	char what[300];   /* what failed */
	char synced[300]; /* a file that was synced again after its sync had failed; "": none */
};

/* under: the directory of the files that count, borrowed. */
void fault_under(const char *under);
/* at: from 1; 0: count only. The report is filled from here on, by any thread. */
void fault_arm(enum fault_kind kind, unsigned long at, struct fault_report *report);
void fault_disarm(void);

#endif
