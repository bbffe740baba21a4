/* arkki doctor: one line a check, `ok`, `warn` or `bad`, and how to mend it.
 *
 * A check looks and changes nothing: it runs beside a server and without one. What it cannot find out is a warning,
 * never silence.
 */
#ifndef ARKKI_TOOLS_DOCTOR_H
#define ARKKI_TOOLS_DOCTOR_H

#include <stdbool.h>
#include <sys/types.h>

#include "arkki/base/error.h"

enum verdict { VERDICT_OK, VERDICT_WARN, VERDICT_BAD };

struct doctor {
	const char *dir, *root_key; /* root_key NULL: none is given */
	char origin[300];           /* of the archive's logs, as arkki.conf has it */
	const char
	    *ca_file; /* certificates to trust at --url in place of the system's; may be NULL */
	pid_t server; /* 0: none runs */
	unsigned int said[3]; /* by verdict */
};

/* Prints "warn  what: text". */
void doctor_say(struct doctor *d, enum verdict verdict, const char *what, const char *fmt, ...)
    ARK_PRINTF(4, 5);

/* doctor_volume.c: does what lies there, and what of memory goes to a disk, lie encrypted? */
void doctor_index_volume(struct doctor *d);
void doctor_swap(struct doctor *d);

/* doctor_files.c: who can read what, room, core files, the clock. */
void doctor_permissions(struct doctor *d);
void doctor_root_key(struct doctor *d);
void doctor_room(struct doctor *d);
void doctor_core_files(struct doctor *d);
void doctor_clock(struct doctor *d);

/* doctor_archive.c: what must be opened with the root key; keys elsewhere, logs, witnesses, catalogue, index, backups. */
void doctor_archive(struct doctor *d);

/* doctor_site.c: the address where people reach the archive, looked at as they do. */
void doctor_site(struct doctor *d, const char *url);

#endif
