/* A package in the making: what the files share that write its parts.
 *
 *   exports_work.c      the story
 *   exports_gather.c    which versions
 *   exports_version.c   one version
 *   exports_document.c  a document, behind its versions
 */
#ifndef ARKKI_API_EXPORTS_PRIVATE_H
#define ARKKI_API_EXPORTS_PRIVATE_H

#include "api/exports.h"

enum export_shape { SHAPE_WHOLE, SHAPE_PUBLIC, SHAPE_WITHHELD };

struct work {
	struct export_job *j, *tally;
	struct archive *a;
	struct package *p;
	struct catalogue_row *rows;
	size_t n, cap;
	json_t *documents; /* what is told of them: export.json */
	json_t *versions;  /* of the document that is being written */
	struct receipt *receipt;
};

/* The entry of one version (NULL: of none yet) in the access log; borrows from both. */
struct ledger_record export_record(const struct work *w, const struct catalogue_row *row);
/* Fills w->rows, versions of a document beside each other. What is not there for the caller is logged. */
ARK_MUSTUSE int export_gather(struct work *w, struct ark_error *err);
/* Under w->receipt, of the version's group: its files, and what is told of it in w->versions. */
ARK_MUSTUSE int export_version(struct work *w, const struct catalogue_row *row,
    enum export_shape shape, struct ark_error *err);
/* Likewise of its newest version, behind all of them: its files, and what is told of it in w->documents. */
ARK_MUSTUSE int export_document(
    struct work *w, const struct catalogue_row *row, struct ark_error *err);
/* A file of the package. NULL is ARK_ENOMEM. */
ARK_MUSTUSE int export_json(
    struct work *w, const char *path, const json_t *value, struct ark_error *err);

#endif
