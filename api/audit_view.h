/* How much of the access log a caller sees, and its entries in that form.
 *
 * AUDIT_ALL  (policy action audit): everything, by index.
 * AUDIT_OWN  (auditOwn): what the people of the caller's organisation and of those that it follows did, and what
 *            anybody did with documents that one of them wrote. Never the Ombudsman's reads, nor what would
 *            count them: no index. Of other organisations' people only what tells who read what and why.
 *            A document that the caller may not see is named only where own people were shown it; other
 *            refusals look as if there were no such document.
 *
 * Threads: a view belongs to one request.
 */
#ifndef ARKKI_API_AUDIT_VIEW_H
#define ARKKI_API_AUDIT_VIEW_H

#include "api/app.h"

enum audit_scope { AUDIT_NOTHING, AUDIT_OWN, AUDIT_ALL };
enum audit_scope audit_scope_of(const struct caller *c);

struct audit_view {
	enum audit_scope scope;
	const struct caller *caller;
	struct archive *archive;
	struct desk *desk;
	struct access_sight *sight;
	char (*names)[33]; /* keyed names of the caller's organisations */
	char document[33]; /* what was asked last, and the answer */
	uint32_t version;
	bool seen;
};
/* On success ended with audit_view_end(), as is one that failed. */
ARK_MUSTUSE int audit_view_begin(
    struct visit *v, enum audit_scope scope, struct audit_view *ret, struct ark_error *err);
void audit_view_end(struct audit_view *view);

/* Restricts a question to what the view shows. */
void audit_view_restrict(const struct audit_view *view, struct ledger_filter *filter);
/* Whether a document may be asked for: seen by the caller, in any version. */
ARK_MUSTUSE int audit_view_sees(struct audit_view *view, const char *document, uint32_t version,
    bool *ret, struct ark_error *err);
/* Is the entry the caller's to see at all; was it made by one of the caller's own people? */
bool audit_view_concerns(const struct audit_view *view, const struct ledger_entry *e);
bool audit_view_is_own(const struct audit_view *view, const struct ledger_entry *e);
/* The entry as the view shows it, the caller's reference; NULL: passed over. */
ARK_MUSTUSE int audit_view_entry(
    struct audit_view *view, const struct ledger_entry *e, json_t **ret, struct ark_error *err);

#endif
