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
	    GET_WITH("/" l "/admin/new-type", ROUTE_PAGE, page_admin_type_new),                    \
	    FORM("/" l "/admin/new-type", page_admin_type_new_post),                               \
	    GET_WITH("/" l "/admin/types/{y}", ROUTE_PAGE, page_admin_type),                       \
	    FORM("/" l "/admin/types/{y}", page_admin_type_post),                                  \
	    GET_WITH("/" l "/admin/retention", ROUTE_PAGE, page_admin_retention),                  \
	    GET_WITH("/" l "/admin/certificates", ROUTE_PAGE, page_admin_certificates),            \
	    FORM("/" l "/admin/certificates", page_admin_certificates_post),                       \
	    GET_WITH("/" l "/admin/providers", ROUTE_PAGE, page_admin_providers),                  \
	    GET_WITH("/" l "/admin/new-provider", ROUTE_PAGE, page_admin_provider_new),            \
	    FORM("/" l "/admin/new-provider", page_admin_provider_new_post),                       \
	    GET_WITH("/" l "/admin/providers/{i}", ROUTE_PAGE, page_admin_provider),               \
	    FORM("/" l "/admin/providers/{i}", page_admin_provider_post),                          \
	    GET_WITH("/" l "/admin/new-rule", ROUTE_PAGE, page_admin_rule_new),                    \
	    FORM("/" l "/admin/new-rule", page_admin_rule_new_post),                               \
	    GET_WITH("/" l "/admin/retention/{r}", ROUTE_PAGE, page_admin_rule),                   \
	    FORM("/" l "/admin/retention/{r}", page_admin_rule_post),

void page_admin_state(struct exchange *x);
void page_admin_policies(struct exchange *x);
void page_admin_policies_change(struct exchange *x);
void page_admin_policies_post(struct exchange *x);
void page_admin_try(struct exchange *x);
void page_admin_try_post(struct exchange *x);
void page_admin_types(struct exchange *x);
void page_admin_type_new(struct exchange *x);
void page_admin_type_new_post(struct exchange *x);
void page_admin_type(struct exchange *x);
void page_admin_type_post(struct exchange *x);
void page_admin_retention(struct exchange *x);
void page_admin_certificates(struct exchange *x);
void page_admin_certificates_post(struct exchange *x);
void page_admin_providers(struct exchange *x);
void page_admin_provider_new(struct exchange *x);
void page_admin_provider_new_post(struct exchange *x);
void page_admin_provider(struct exchange *x);
void page_admin_provider_post(struct exchange *x);
void page_admin_rule_new(struct exchange *x);
void page_admin_rule_new_post(struct exchange *x);
void page_admin_rule(struct exchange *x);
void page_admin_rule_post(struct exchange *x);

/* ---- administration_frame.c ---- */

/* May the caller administer? False: replied. */
bool administration_permitted(struct exchange *x);
/* Did the caller sign in or show anew who they are in the last 15 minutes? Else a link to where that is done stands here: false.
 * A change of who may sign in is sent with account_may_change(). path: of this page, without its language. */
bool administration_fresh(struct page *p, const char *path);
/* The way between the pages of administrators. path: of this page: "/admin/types". */
void administration_way(struct page *p, const char *path);
/* page_begin(), the way, what is wrong, the heading. */
void administration_begin(
    struct page *p, struct exchange *x, enum say title, const char *path, const struct faults *f);
/* A field of many lines, with what is wrong in it. value may be NULL. */
void administration_lines(struct page *p, const char *name, enum say label, enum say help,
    const char *rows, const char *value, const struct faults *f);
/* A box to tick. */
void administration_choice(
    struct page *p, const char *name, enum say label, enum say help, bool checked);
/* Why a change is made. */
void administration_reason(struct page *p, const char *value, const struct faults *f);
/* The buttons of a change in two steps, and the end of its form; the second one where the check found nothing against it. */
void administration_acts(struct page *p, bool checked);
/* A list to choose from, up to its options; and what ends it. */
void administration_select(
    struct page *p, const char *name, enum say label, enum say help, const struct faults *f);
void administration_option(struct page *p, const char *value, const char *name, const char *chosen);
/* Every record of a kind by its name, and the end of the list. */
void administration_records(struct page *p, const char *kind, const char *chosen);
/* Was it the second one? */
bool administration_applies(struct exchange *x);
/* A table up to its rows; and a cell of it, "–" for nothing. */
void administration_table(struct page *p, const enum say *heads, size_t n);
void administration_cell(struct page *p, enum say label, const char *value);
/* Headers of versions (record_version_header()), oldest first: the newest ones, nothing where there are none. */
void administration_versions(struct page *p, const json_t *versions);

/* ---- administration_retention.c ---- */

/* "12 years", "at once". */
void retention_say_years(struct page *p, const json_t *row);
/* From which day, and what then; a code of neither as it is. */
const char *retention_from(const struct page *p, const char *from);
const char *retention_then(const struct page *p, const char *then);
enum { RETENTION_FROMS = 4, RETENTION_THENS = 3 };
extern const char *const retention_froms[RETENTION_FROMS], *const retention_thens[RETENTION_THENS];
/* The note in the reader's language. */
void retention_say_note(struct page *p, const json_t *row);
/* Which documents a row speaks of: "inspection report, Supervision agency". */
void retention_subject_add(const struct page *p, struct buf *out, const json_t *row);

#endif
