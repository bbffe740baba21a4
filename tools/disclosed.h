/* What a disclosure shows, for a person at a terminal. */
#ifndef ARKKI_TOOLS_DISCLOSED_H
#define ARKKI_TOOLS_DISCLOSED_H

#include "arkki/archive/disclosure.h"

/* Logged texts were written by anybody: what could move a cursor, or turn the order of letters, is escaped. */
void disclosed_print(const struct disclosed *d);
/* Appends text that a terminal shows as it stands. */
void printable_add(struct buf *out, const char *text);

#endif
