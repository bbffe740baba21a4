/* Helper programs: old formats that no library reads are given to a small program of their own, in the
 * sandbox's second profile. A decoder asks the process that was started beside it (extract_programs.c)
 * and gets what the program printed.
 */
#ifndef ARKKI_INDEX_FORMATS_PROGRAM_H
#define ARKKI_INDEX_FORMATS_PROGRAM_H

#include "index/formats/format.h"

struct format_program {
	const char *name; /* for the reader of a reason: "catdoc" */
	const char *path;
	const char *const
	    *args; /* with the program's own name first, ended by NULL; the document is stdin */
	const char *const *reads; /* files and directories that it needs, ended by NULL */
};

enum { PROGRAMS_MAX = 8 };

enum program_end {
	PROGRAM_OK,
	PROGRAM_ENDED,   /* crashed, failed or was stopped: out holds what it printed before */
	PROGRAM_MISSING, /* not installed */
	PROGRAM_NONE,    /* none can be run here, or not enough memory */
};

/* The programs of arkki's own decoders, ended by NULL: what struct format's `programs` names. */
enum { PROGRAM_CATDOC, PROGRAM_ANTIWORD, PROGRAM_XLS2CSV, PROGRAM_CATPPT };
extern const struct format_program *const format_programs[];

/* Runs one of them on bytes and appends at most limit bytes of its output. */
enum program_end program_run(
    unsigned int index, const char *bytes, size_t len, size_t limit, struct buf *out);

#endif
