/* Who read and who did not: of the documents of a unit, or of one, which organisations could see each at a time, and when
 * they first and last opened it.
 *
 * The organisations are those that the unit concerns: who placed a child there up to then, the county and the
 * municipality where it stands, its provider, the authors of the documents, the state agencies and the Ombudsman; one that
 * another of them has followed since is counted with that one. Each is asked by a replay (reports.h), whose
 * verdicts these are. The caller has the audit right. Threads: one of its own (past_work.h).
 */
#ifndef ARKKI_API_AUDIT_READERS_H
#define ARKKI_API_AUDIT_READERS_H

#include "api/reports.h"

enum { READERS_ORGS_MAX = 40, READERS_DOCUMENTS_MAX = 25 };
struct readers_ask {          /* borrowed */
	const char *document; /* NULL: those of the unit */
	const char *unit;     /* NULL: of the document */
	int64_t at_us;
	char after[33]; /* only documents of a greater id */
	const char *by;
	const char *fault; /* set by ARK_EINPUT and ARK_ENOTFOUND: "document", "unit" or "at" */
};
/* *ret, the caller's: {"unit","at","cut","orgs":[{"id","could","did"}],"documents":[{"id","title"?,"orgs":[{"id","verdict",
 * "first"?,"last"?,"times"}]}],"next"}. cut: there were more organisations. next: the id for `after`, or null. */
ARK_MUSTUSE int readers_make(struct app *app, const struct receipt *receipt,
    struct readers_ask *ask, json_t **ret, struct ark_error *err);

#endif
