/* What reading.c and derived.c share: where a form lies, and its key. */
#ifndef ARKKI_READING_PRIVATE_H
#define ARKKI_READING_PRIVATE_H

#include "archive/envelope.h"
#include "arkki/archive/reading.h"

/* Path in the store of a part of the form; the row has the form. */
void reading_form_path(
    const struct catalogue_row *row, enum form form, const char *part, char out[ENVELOPE_PATH]);
/* The key under which the form is sealed; ARK_ENOTFOUND when the row has no such form. The caller
 * wipes it. */
ARK_MUSTUSE int reading_form_key(struct archive *a, const struct receipt *receipt,
    const struct catalogue_row *row, enum form form, struct seal_key *ret, struct ark_error *err);

#endif
