/* The page of a unit: what its files share. */
#ifndef ARKKI_API_PAGES_UNIT_H
#define ARKKI_API_PAGES_UNIT_H

#include "api/pages/document.h"
#include "api/timeline.h"

enum { UNIT_EVENTS = 50 };

/* ---- unit_timeline.c ---- */
void unit_orders(struct page *p, const json_t *orders);
/* The newest reports among these events; nothing where there are none. */
void unit_reports(struct page *p, const json_t *events);
/* kind: what alone is shown, or NULL; later: this is not the newest page. */
void unit_timeline(
    struct page *p, const char *unit, const struct timeline *t, const char *kind, bool later);

#endif
