/* The pages of who manages accounts: an administrator's, and those of an organisation's contact person.
 *
 * What they change goes through accounts.h, as what comes over the API does; each look is an entry of the access log. A change asks
 * for a sign-in of the last 15 minutes (account.h).
 */
#ifndef ARKKI_API_PAGES_ACCOUNTS_H
#define ARKKI_API_PAGES_ACCOUNTS_H

#include "api/accounts_api.h"
#include "api/pages/account.h"
#include "arkki/archive/registry.h"

/* ---- accounts.c ---- */

/* May the caller manage accounts by this sign-in? False: replied. */
bool accounts_manager(struct exchange *x);
/* The caller manages accounts of that organisation, which there is; false: 404 is replied. */
bool accounts_org_there(struct exchange *x, const char *org);
/* Logs a look at the organisation's list or at one account (the other NULL), then goes on. */
void accounts_look(
    struct exchange *x, const char *org, const char *user, void (*then)(struct exchange *x));
/* The list of the organisation, looked at again. */
void accounts_go_list(struct exchange *x, const char *org, const char *done);
/* On pages of a contact person: what is due of the organisation's list. */
void accounts_notice(struct page *p);

/* ---- accounts_org.c ---- */

/* What is registered of the organisation, whose accounts are `list`. */
void accounts_org_write(struct page *p, const json_t *org, const json_t *list);
/* The emergency accesses that nobody has confirmed yet; nothing where there are none. */
void accounts_emergency_write(struct page *p, const json_t *list);

/* ---- accounts_words.c ---- */

enum say account_role_said(unsigned int number); /* 0: inspector, … */
enum say account_role_what(unsigned int number);
enum say account_state_said(enum account_state state);
unsigned int account_roles_of(const json_t *user); /* bits */
/* Appends the roles in words. */
void account_roles_add(const struct page *p, unsigned int roles, struct buf *out);
/* The state, and why. */
void account_state_write(struct page *p, const json_t *user);
/* "1.1.2026–31.12.2026" */
void account_days_write(struct page *p, const json_t *record);
/* What was changed from one record (NULL: it was opened) to the next, in words. */
void account_changes_write(struct page *p, const json_t *before, const json_t *now);
/* Whose doing it was: a name. */
void account_actor_add(const struct page *p, const char *user, struct buf *out);
void account_fact(
    struct page *p, enum say label, const char *value); /* nothing where it is empty */
void account_fact_begin(struct page *p, enum say label);
void account_fact_end(struct page *p);

/* ---- accounts_form.c: what is typed about an account ---- */

struct account_typed {
	char name[1024], id[72], email[1024], from[I18N_SIZE], to[I18N_SIZE];
	unsigned int roles; /* bits */
};
struct account_fields {    /* which of them the form has */
	bool id, standing; /* a new account's; roles and days */
	bool days;
	unsigned int roles; /* those that may be chosen */
};
void account_typed_read(struct exchange *x, struct account_typed *ret);
void account_typed_of(struct exchange *x, const json_t *user, struct account_typed *ret);
void account_fields_write(struct page *p, const struct account_fields *fields,
    const struct account_typed *t, const struct faults *f);
/* What is wrong with them, one fault a field. */
void account_typed_check(struct exchange *x, const struct account_fields *fields,
    const struct account_typed *t, struct faults *f);
/* A typed day as a JSON text; null where it is empty. */
json_t *account_day_json(const char *typed);
/* Says a fault that accounts.h found. */
void account_fault_say(struct exchange *x, const struct account_fault *fault, struct faults *f);

/* ---- accounts_link.c ---- */

/* The page with the link, which is shown once; wipes it. fresh: the account was opened just now. */
void account_link_show(
    struct exchange *x, const json_t *user, struct accounts_link *link, bool fresh);

/* ---- accounts_past.c ---- */

/* Who changed what of the account when, newest first. After the look at it is logged. */
void account_past_write(struct page *p, const char *user);

/* ---- accounts_one.c ---- */

/* The page of the account in the path again, with what is wrong (f: its texts live as long as the exchange). */
void account_show_again(struct exchange *x, const struct faults *f, bool meanwhile, bool typed);
/* The account in the path, which the caller manages: the caller's reference. NULL: replied. */
json_t *account_sought(struct exchange *x);
/* What may be done with it. */
struct account_may {
	bool change;   /* name, address; credentials but the own second factor */
	bool standing; /* roles, days, state: not the own */
	bool own, admins;
};
struct account_may account_may(const struct exchange *x, const json_t *user);

#endif
