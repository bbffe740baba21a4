/* Feeds in Atom (RFC 4287): what is the same of a saved search's and of a unit's.
 *
 * Pure writing; threads: any.
 */
#ifndef ARKKI_API_ATOM_H
#define ARKKI_API_ATOM_H

#include "api/app.h"
#include "api/html.h"

enum { ATOM_ENTRIES = 50 }; /* of a feed */

/* Characters that no XML document may hold become spaces: a title may hold any. */
void atom_text(struct html *h, const char *text);
/* The head. updated: RFC 3339; self: the feed's own path; by: whose archive it is. */
void atom_begin(struct html *h, const char *title, const char *id, const char *updated,
    const char *self, const char *by);
/* <entry> of a version of a document up to its summary: what follows is the caller's, then </entry>. */
void atom_document(struct exchange *x, struct html *h, const struct catalogue_row *row,
    const char *title, const char *updated);
/* "12.3.2026, Tarkastuskertomus, Koivula" as the summary. units: ids. */
void atom_summary(
    struct exchange *x, struct html *h, const char *date, const char *type, const json_t *units);
/* Appends the name that the record has in the reader's language, behind a comma if there is something before it. */
void atom_name(struct exchange *x, struct buf *out, const char *kind, const char *id);
void atom_reply(
    struct exchange *x, struct html *h); /* ends the feed and answers with it; takes it */

#endif
