/* Entries of a log that were asked for, for the API and for the page alike.
 *
 * What is asked for is held against the entry as the caller sees it (audit_view.h), never against what the log
 * has: a filter tells nothing that the entry would not. A unit or a case stands for its documents, those that were
 * destroyed too.
 *
 * Looking is itself logged: once, before the answer, so that an answer never shows its own entry twice.
 * Threads: handlers' (http.h).
 */
#ifndef ARKKI_API_AUDIT_FIND_H
#define ARKKI_API_AUDIT_FIND_H

#include "api/audit_view.h"

enum {
	AUDIT_SCAN_MAX = 5000, /* entries that one request opens; the rest is on the next page */
	AUDIT_GATHERED_MAX = 100000, /* entries of a unit or a case that are put in order */
};

struct audit_asked { /* borrowed for the call; NULL or "": not asked for */
	const char *document, *principal, *org, *unit, *case_id, *kind, *outcome, *cursor;
	int64_t from_us, to_us; /* 0: open; to is exclusive */
	unsigned int limit;
};
/* The caller may see some of this log (audit_scope_of), and what it states is well-formed. Logs the look, then calls
 * show() with {"entries","next"}, for who sees everything and asks for one series "range", "last", "ownRange", "ownLast"
 * too, and with "cut" where a unit or a case has more entries than AUDIT_GATHERED_MAX. show() takes the answer.
 * Everything that fails is replied. */
void audit_find(struct exchange *x, enum ledger_which which, const struct audit_asked *asked,
    void (*show)(struct exchange *x, json_t *answer));

#endif
