/* Organisations and accounts over HTTP: under /v1 for their managers, under /admin for the operator, who is no account.
 *
 * Every look at accounts is an entry of the access log (kind "accounts"), refusals too; every change is a record and an entry of the
 * history log.
 */
#ifndef ARKKI_API_ACCOUNTS_API_H
#define ARKKI_API_ACCOUNTS_API_H

#include "api/app.h"
#include "arkki/archive/accounts.h"

/* orgs_api.c */
void orgs_post(struct exchange *x);
void orgs_get(struct exchange *x);
void orgs_patch(struct exchange *x);
void org_accounts_get(struct exchange *x);
void org_confirmation_post(struct exchange *x);

/* accounts_api.c */
void users_list(struct exchange *x);
void users_post(struct exchange *x);
void users_get(struct exchange *x);
void users_patch(struct exchange *x);
void users_invite(struct exchange *x);
void admin_emergency(struct exchange *x);
void admin_accounts_sweep(struct exchange *x);

/* Appends the address of a one-time link, with its code. */
void accounts_link_url(struct exchange *x, const struct accounts_link *link,
    enum http_language language, struct buf *out);

/* accounts_ticker.c: what is due of accounts and credentials, at start and once an hour, in a thread of its own. */
ARK_MUSTUSE int accounts_start(struct app *app, struct ark_error *err);
void accounts_stop(struct app *app);
/* Now. */
ARK_MUSTUSE int accounts_look_after(
    struct app *app, unsigned int *ret_warned, unsigned int *ret_suspended, struct ark_error *err);

/* ---- accounts_common.c ---- */

/* NULL: the operator. */
const struct principal *asker_of(const struct exchange *x);
struct filing_actor asker_actor(const struct exchange *x); /* borrows */
/* May the caller manage accounts of that organisation (NULL: every one) by this sign-in? */
bool asker_manages(const struct exchange *x, const char *org);
/* The caller may manage accounts by this sign-in at all; false: 403 is replied, or about to be. */
bool asker_is_fit(struct exchange *x);
/* Logs a look with detail {"org"} or {"user"} (either may be NULL), and answers 200 with `answer`, which it takes. */
void accounts_show(struct exchange *x, const char *org, const char *user, json_t *answer);
/* Logs the refusal and answers 403, with the text as detail. */
void accounts_deny(struct exchange *x, const char *why);
/* A failure of accounts.h: 403, 404, 409, 422 or 503. */
void accounts_failed(
    struct exchange *x, const struct account_fault *fault, const struct ark_error *err);
/* The JSON object that was sent; NULL: 400 or 415 is replied. */
json_t *accounts_body(struct exchange *x);
/* Nothing needs to be sent, but what is must be a JSON object; false: 400 is replied. */
bool accounts_no_body(struct exchange *x);
/* Entity tag of a record by its number. */
void accounts_tag(
    const struct app *app, const char *kind, const char *id, uint32_t number, char out[TAG_SIZE]);
/* If-Match, where it is sent: *ret_base is the number then, else 0. False: 400, 404 or 412 is replied. */
bool accounts_base(struct exchange *x, const char *kind, const char *id, uint32_t *ret_base);
/* After a failed change on that base: 412 when the record has a newer number, else accounts_failed(). */
void accounts_change_failed(struct exchange *x, const char *kind, const char *id, uint32_t base,
    const struct account_fault *fault, const struct ark_error *err);
/* Answers with the record (taken) and its tag; 201 with Location. */
void accounts_reply(struct exchange *x, int status, const char *kind, json_t *record);

#endif
