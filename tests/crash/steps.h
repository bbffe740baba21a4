/* The work that the crash tests cut off (steps.c), and the look at what is left (steps_check.c).
 *
 * TOP/archive is the archive, TOP/root.key its key, TOP/acks the promises: a line "begin …" before each
 * thing that is asked of the archive, "done …" when it was answered. The journal has the lines among
 * the changes, so that what was promised at any moment is in the image of that moment.
 *   version DOC N SHA256     rendition DOC N SHA256|-     metadata DOC N     record KIND ID VALUE
 *   access SIZE   history SIZE   epoch N   destroy DOC   index SEQUENCE
 * The documents are made up.
 */
#ifndef ARKKI_TESTS_STEPS_H
#define ARKKI_TESTS_STEPS_H

#include <stddef.h>

#include "arkki/archive/filing.h"
#include "arkki/archive/reading.h"

struct steps {
	char dir[400], key[400], acks[400], top[300];
	struct archive *a;
	struct receipt *receipt;
	unsigned int made; /* documents, for their ids */
};

void steps_fail(const char *fmt, ...) ARK_PRINTF(1, 2) __attribute__((noreturn));
void steps_open(struct steps *s, enum archive_mode mode);
void steps_close(struct steps *s);
void steps_say(struct steps *s, const char *fmt, ...) ARK_PRINTF(2, 3);
/* A document with `len` bytes made of its id and version: version 1 when there is none. */
void steps_file(struct steps *s, const char *document, unsigned int version, size_t len);
void steps_name(struct steps *s, char out[33]);
/* The next sequence of the index, with a document in it. */
void steps_index(struct steps *s, unsigned int commits);
/* Compares everything with TOP/acks; ends the process with 1 when it does not hold. */
void steps_check(struct steps *s);

#endif
