/* Completeness of an answer from a log: which numbers of a gap-free series it holds, of how many, and the proof of
 * the last one. Two series run beside each other, the Ombudsman's own and everybody else's.
 *
 * Threads: a range belongs to one request.
 */
#ifndef ARKKI_API_AUDIT_RANGE_H
#define ARKKI_API_AUDIT_RANGE_H

#include "api/app.h"
#include "arkki/archive/disclosure.h"

struct audit_range {
	const char *document,
	    *principal; /* the filter's: one of them; both NULL: nothing is counted */
	struct audit_series {
		uint64_t first, last,
		    gap; /* numbers; gap: the first that is missing in between, 0: none */
		uint64_t of, of_index; /* the newest number, and its entry */
	} series[2];                   /* [1]: the Ombudsman's own */
};

/* Before the entries are looked for: one that comes meanwhile is then either shown and counted, or neither. */
ARK_MUSTUSE int audit_range_begin(
    struct audit_range *range, struct ledger *l, struct ark_error *err);
void audit_range_note(struct audit_range *range, const struct ledger_entry *e);
/* Sets range, last, ownRange and ownLast of an answer. whole: nothing was asked to be left out before its first entry. */
ARK_MUSTUSE int audit_range_show(const struct audit_range *range, struct ledger *l, bool whole,
    json_t *answer, struct ark_error *err);

/* A disclosure as JSON. On success *ret is the caller's. */
ARK_MUSTUSE int audit_disclose(
    struct ledger *l, uint64_t index, unsigned int letters, json_t **ret, struct ark_error *err);

#endif
