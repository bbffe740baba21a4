/* What a disclosure shows, for a person at a terminal. */
#ifndef ARKKI_TOOLS_DISCLOSED_H
#define ARKKI_TOOLS_DISCLOSED_H

#include "arkki/archive/disclosure.h"

/* Logged texts were written by anybody: what could move a cursor, or turn the order of letters, is escaped. */
void disclosed_print(const struct disclosed *d);
/* disclosure_check() with every --vkey that was given, until one fits: a log that has changed its key has several. */
struct cli;
ARK_MUSTUSE int disclosed_check(const struct cli *c, const char *text, size_t len,
    struct disclosed *ret, struct ark_error *err);
/* Appends text that a terminal shows as it stands. */
void printable_add(struct buf *out, const char *text);

#endif
