/* Pages under /{l}: /admin/…: for administrators. To everybody else each answers as an address that is none of ours. */
#ifndef ARKKI_API_PAGES_ADMINISTRATION_H
#define ARKKI_API_PAGES_ADMINISTRATION_H

#include "api/pages/forms.h"
#include "api/pages/pages.h"

#define PAGES_ADMINISTRATION(l)                                                                    \
	GET_WITH("/" l "/admin/state", ROUTE_PAGE, page_admin_state),                              \
	    GET_WITH("/" l "/admin/policies", ROUTE_PAGE, page_admin_policies),                    \
	    GET_WITH("/" l "/admin/policies/change", ROUTE_PAGE, page_admin_policies_change),      \
	    LONG_FORM("/" l "/admin/policies/change", page_admin_policies_post),                   \
	    GET_WITH("/" l "/admin/try", ROUTE_PAGE, page_admin_try),                              \
	    FORM("/" l "/admin/try", page_admin_try_post),                                         \
	    GET_WITH("/" l "/admin/types", ROUTE_PAGE, page_admin_types),                          \
	    GET_WITH("/" l "/admin/retention", ROUTE_PAGE, page_admin_retention),                  \
	    LONG_FORM("/" l "/admin/retention", page_admin_retention_post),

void page_admin_state(struct exchange *x);
void page_admin_policies(struct exchange *x);
void page_admin_policies_change(struct exchange *x);
void page_admin_policies_post(struct exchange *x);
void page_admin_try(struct exchange *x);
void page_admin_try_post(struct exchange *x);
void page_admin_types(struct exchange *x);
void page_admin_retention(struct exchange *x);
void page_admin_retention_post(struct exchange *x);

/* ---- administration_frame.c ---- */

/* May the caller administer? False: replied. */
bool administration_permitted(struct exchange *x);
/* The way between the pages of administrators. path: of this page: "/admin/types". */
void administration_way(struct page *p, const char *path);
/* page_begin(), the way, what is wrong, the heading. */
void administration_begin(
    struct page *p, struct exchange *x, enum say title, const char *path, const struct faults *f);
/* A field of many lines, with what is wrong in it. value may be NULL. */
void administration_lines(struct page *p, const char *name, enum say label, enum say help,
    const char *rows, const char *value, const struct faults *f);

#endif
