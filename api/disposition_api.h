/* Retention, holds and destruction over HTTP. */
#ifndef ARKKI_API_DISPOSITION_API_H
#define ARKKI_API_DISPOSITION_API_H

#include "api/app.h"
#include "arkki/archive/disposition.h"

/* retention_api.c */
void retention_get(struct exchange *x);
void retention_put(struct exchange *x);
void retention_due(struct exchange *x);

/* What is due by `day` (NULL: today, or at=) among the documents that the caller sees whole and may dispose of: a page of them as the
 * API tells them, each logged before show() is called; next: the cursor, NULL none. To whom may dispose of nothing the page answers as an
 * address that is none, the API 403. Also reads unit=, cursor=, limit=. */
typedef void due_show(struct exchange *x, const json_t *found, const char *next);
/* Of all, or of those on hold, or of those that were proposed and wait for a second person. */
enum due_only { DUE_ALL, DUE_HELD, DUE_WAITING };
void due_find(struct exchange *x, const char *day, enum due_only only, due_show *show);

/* disposition_api.c */
enum disposition_act {
	DISPOSITION_SHOW,
	DISPOSITION_HOLD,     /* "reason", "until"? */
	DISPOSITION_RELEASE,  /* "reason" */
	DISPOSITION_PROPOSE,  /* "action", "ground" */
	DISPOSITION_APPROVE,  /* by somebody else than who proposed */
	DISPOSITION_WITHDRAW, /* what is proposed or approved */
	DISPOSITION_CONFIRM   /* "confirmation": the receiver has the newest package */
};
/* For the page of a document: the same acts by the same code, told to show(). body is taken, NULL where none is needed. said: NULL it was done (or
 * shown), else the word of the conflict ("held", "not-due", …) or "disposition" where the body has faults. card: of the document, for
 * the time of the call. To who may neither hold nor dispose the page answers as an address that is none. */
typedef void disposition_show(struct exchange *x, const char *said, const struct card *card);
void disposition_do(
    struct exchange *x, enum disposition_act what, json_t *body, disposition_show *show);

void hold_get(struct exchange *x);
void hold_post(struct exchange *x);
void hold_delete(struct exchange *x);
void dispose_get(struct exchange *x);
void dispose_post(struct exchange *x);
void dispose_delete(struct exchange *x);
void dispose_approve(struct exchange *x);
void dispose_confirm(struct exchange *x);
void dispose_package(struct exchange *x);

/* disposition_run.c */
void admin_dispose(struct exchange *x);
void admin_dispose_get(struct exchange *x);
/* One run, for disposer_run(), which keeps others away from it. */
ARK_MUSTUSE int disposition_carry_out(
    struct app *app, bool resume_only, struct disposition_result *ret, struct ark_error *err);
/* At start: what a crash cut off is carried out before anything is served. */
ARK_MUSTUSE int disposition_resume(struct app *app, struct ark_error *err);

/* gone.c: a tombstone for those who could have seen the document. True: 410 is replied. */
bool reply_gone(struct exchange *x, const char *document);

struct filing_actor actor_of(const struct caller *c); /* borrows */
/* What the table says of a document with this card on a day. *ret_rows keeps what ret points into: json_decref. */
ARK_MUSTUSE int term_of(struct app *app, const struct catalogue_row *row, const struct card *card,
    const char *day, json_t **ret_rows, struct retention_term *ret, struct ark_error *err);

/* What another table would mean for the documents that there are, whoever may see them: how many would be kept for a shorter
 * or a longer time, otherwise changed (counted from another day, another end), or be spoken of by no row. */
struct retention_impact {
	uint64_t shorter, longer, otherwise, none;
};
ARK_MUSTUSE int retention_impact(
    struct app *app, const json_t *rows, struct retention_impact *ret, struct ark_error *err);
/* {"<row id>": documents} by a table. */
ARK_MUSTUSE int retention_counts(
    struct app *app, const json_t *rows, json_t **ret, struct ark_error *err);
/* The headers of all versions of the table, oldest first. */
ARK_MUSTUSE int retention_versions(struct app *app, json_t **ret, struct ark_error *err);

/* For API and page: checks the rows and files them as the table in force, built on version `base`. ARK_EINPUT: what is
 * wrong with them; ARK_ECONFLICT: not the newest. The caller administers. */
ARK_MUSTUSE int retention_file(struct exchange *x, const json_t *rows, const char *reason,
    uint32_t base, struct ark_error *err);

#endif
