/* Content on its way into a package: one version's bytes, or those of its public rendition, piece by piece.
 *
 * It knows how both are read and written; whether the content may be had is settled before, and logged. Who makes a
 * package in one go steps until the file ends; who sends it while it is made steps whenever there is room.
 *
 * Threads: one at a time.
 */
#ifndef ARKKI_ARCHIVE_PACKING_H
#define ARKKI_ARCHIVE_PACKING_H

#include "arkki/archive/package.h"
#include "arkki/archive/reading.h"

struct packing;

/* Opens the content and begins its file, whose path is as package_begin_file() has it. row is borrowed for the call, a
 * and p until packing_free(). On success *ret is the caller's. On failure only package_free() may follow for p. */
ARK_MUSTUSE int packing_begin(struct archive *a, const struct receipt *receipt,
    const struct catalogue_row *row, enum form form, struct package *p, const char *path,
    struct packing **ret, struct ark_error *err);
/* Writes the next piece, at most 64 KiB. 1: there is more; ARK_OK: that was all, and the file is ended. */
ARK_MUSTUSE int packing_step(struct packing *k, struct ark_error *err);
void packing_free(struct packing *k); /* takes NULL */

#endif
