/* Accounts: who may have which, and how they come, change and go. The rules over the records "orgs" and "users".
 *
 * Every step is a record's new number and an entry of the history log, so that a closed account keeps its past and a past
 * decision can be made again. What signs somebody in is not here (credentials.h).
 *
 *   organisation {"id","kind","name":{"fi","sv","en"},"businessId":"1234567-1","counties":[],"municipalities":[],
 *                 "from","to","predecessors":[],"confirmEvery":DAYS}
 *   user         {"id","org","name","email","roles":[],"from","to",
 *                 "state":"invited|active|suspended|closed",   (absent: active, as loaded ones are)
 *                 "stateReason","confirmed":"YYYY-MM-DD","warned":"YYYY-MM-DD","emergency":{"day","reason"}}
 * Life: invited → active ⇄ suspended → closed; closed is the end, and the id is never given to anybody else.
 * Only an active account is a principal (registry_principal: ARK_ENOTFOUND otherwise); what happened in the past is judged by
 * the state that the account had then.
 *
 * confirmEvery: the contact person says every so many days that the organisation's accounts are still right. An active account that was
 * neither confirmed nor opened since is warned of 14 days before the end and then suspended ("not confirmed");
 * confirming brings such a one back. Nobody is suspended whose warning is not 14 days old: neither after a long standstill nor when the
 * clock jumped. Organisations without it (loaded ones) are left alone; one that is registered has ACCOUNTS_CONFIRM_DAYS unless it says null.
 *
 * Threads: any. Durability: as filing.h.
 */
#ifndef ARKKI_ARCHIVE_ACCOUNTS_H
#define ARKKI_ARCHIVE_ACCOUNTS_H

#include <jansson.h>
#include <stdbool.h>

#include "arkki/archive/archive.h"
#include "arkki/archive/credentials.h"
#include "arkki/archive/filing.h"
#include "arkki/base/error.h"

enum { ACCOUNTS_CONFIRM_DAYS = 180, ACCOUNTS_WARN_DAYS = 14 };

/* "1234567-1": the check digit by weights 7 9 10 5 8 4 2, modulo 11 (Finnish Patent and Registration Office / Tax Administration, Y-tunnus). */
bool business_id_valid(const char *text);

enum account_state { ACCOUNT_INVITED, ACCOUNT_ACTIVE, ACCOUNT_SUSPENDED, ACCOUNT_CLOSED };
enum account_state account_state(const json_t *user);
const char *account_state_name(enum account_state state);
bool account_state_parse(const char *name, enum account_state *ret);
/* The name that a person goes by: a text, or the language's part of an object. */
const char *account_name(const json_t *user, const char *language);

/* Who manages: an administrator everything; a contact person the accounts of the own organisation; the operator (p NULL)
 * everything. */
bool accounts_may(const struct principal *p, const char *org);
/* The same of one account: an administrator's by administrators and the operator only. Holds of what signs it in too. */
bool accounts_may_change(const struct principal *p, const json_t *user);
/* Which roles this manager may give in an organisation of this kind: bits of enum access_role. `contact` and `system` everywhere, and
 * a provider's people have no other; `auditor` and `registrar` in authorities and at the Ombudsman; `inspector` in state agencies, counties and
 * at the Ombudsman; `supervisor` in authorities; `placer` in counties and municipalities; `admin` (not at providers) only by an
 * administrator or the operator. What an account has already stays. */
unsigned int accounts_roles(const struct principal *p, enum access_org_kind kind);

/* A fault of one field of what was asked for: for 422. */
struct account_fault {
	char field[40], code[40];
};
/* New organisation. ARK_ECONFLICT: the id is taken. ARK_EINPUT and *fault. *ret (may be NULL): the record, the
 * caller's. */
ARK_MUSTUSE int accounts_org_add(struct archive *a, const struct filing_actor *actor,
    const struct principal *p, const json_t *wish, json_t **ret, struct account_fault *fault,
    struct ark_error *err);
/* Only what is named changes; null takes a field away. An administrator's. */
ARK_MUSTUSE int accounts_org_change(struct archive *a, const struct filing_actor *actor,
    const struct principal *p, const char *org, const json_t *wish, json_t **ret,
    struct account_fault *fault, struct ark_error *err);
/* New account, in state "invited". ARK_EREFUSED: not a manager of that organisation, or a role that may not be given. */
ARK_MUSTUSE int accounts_user_add(struct archive *a, const struct filing_actor *actor,
    const struct principal *p, const json_t *wish, json_t **ret, struct account_fault *fault,
    struct ark_error *err);
/* {"name","email","roles","from","to","state","reason"}: what is named changes; suspending and closing need a reason. A closed one
 * takes its credentials with it, a suspended one its sessions and links, one that becomes an administrator's its links. The last active contact person of an organisation can
 * neither be closed nor lose the role but by an administrator or the operator (ARK_ECONFLICT). Nobody changes the own roles,
 * state or days; and an administrator's account is changed by administrators only, so that nobody rises by taking it over.
 * A closed account changes no more: ARK_ECONFLICT. */
ARK_MUSTUSE int accounts_user_change(struct archive *a, const struct filing_actor *actor,
    const struct principal *p, const char *user, const json_t *wish, json_t **ret,
    struct account_fault *fault, struct ark_error *err);
/* The two as a change of that number of the record (accounts_number()), ARK_ECONFLICT when there is a newer one; 0: of any. */
ARK_MUSTUSE int accounts_org_change_on(struct archive *a, const struct filing_actor *actor,
    const struct principal *p, const char *org, uint32_t base, const json_t *wish, json_t **ret,
    struct account_fault *fault, struct ark_error *err);
ARK_MUSTUSE int accounts_user_change_on(struct archive *a, const struct filing_actor *actor,
    const struct principal *p, const char *user, uint32_t base, const json_t *wish, json_t **ret,
    struct account_fault *fault, struct ark_error *err);
/* The form of fields that an account may have ("name", "email" …), before they are asked for: ARK_EINPUT and *fault. */
ARK_MUSTUSE int accounts_user_check(
    const json_t *fields, struct account_fault *fault, struct ark_error *err);
/* An invitation was accepted, or a provider said who it is: invited → active, confirmed today; the invitation's link is used up. */
ARK_MUSTUSE int accounts_user_activate(
    struct archive *a, const struct filing_actor *actor, const char *user, struct ark_error *err);

/* A one-time link for somebody who cannot sign in yet (invited: 7 days) or any more (active: a new password, 1 day); the history
 * log knows of it before it works. ARK_EREFUSED: not a manager, or an administrator's account and p is none. ARK_ECONFLICT: suspended or
 * closed. */
struct accounts_link {
	enum link_kind kind;
	int64_t expires_us;
	char code[STATE_TOKEN_SIZE]; /* to be shown once */
};
ARK_MUSTUSE int accounts_invite(struct archive *a, const struct filing_actor *actor,
    const struct principal *p, const char *user, int64_t now_us, struct accounts_link *ret,
    struct ark_error *err);
/* Takes away what signs an account in (enum credentials_part); the history log has an entry of kind "credentials" before it is gone.
 * ARK_EREFUSED: not a manager, an administrator's account and p is none, or the own second factor. */
ARK_MUSTUSE int accounts_take_credentials(struct archive *a, const struct filing_actor *actor,
    const struct principal *p, const char *user, unsigned int parts, struct ark_error *err);
/* The operator's, for an organisation whose people are locked out: a LINK_EMERGENCY for its contact person, valid for so many days. With
 * `name` the account is opened if there is none, made a contact person if it is not, and active if it is suspended; then
 * what it had of tokens, links and sessions is gone. The history log has an entry of kind "emergency-access" with the reason, and the record
 * "emergency": {"day","reason"}, for the organisation's people to see until they confirm their list. */
ARK_MUSTUSE int accounts_emergency(struct archive *a, const struct filing_actor *actor,
    const char *org, const char *user, const char *name, const char *reason, int64_t now_us,
    unsigned int days, struct accounts_link *ret, struct ark_error *err);

/* Number of the newest record: what `base` takes. kind: "orgs" or "users". ARK_ENOTFOUND. */
ARK_MUSTUSE int accounts_number(
    struct archive *a, const char *kind, const char *id, uint32_t *ret, struct ark_error *err);
/* The accounts of an organisation with what the record says, and "confirmBy" (day) where it is subject to confirmation: a fresh
 * array. tag (33 bytes): changes with it. */
ARK_MUSTUSE int accounts_list(
    struct archive *a, const char *org, json_t **ret, char tag[33], struct ark_error *err);
/* The list as it was at `tag` is right. ARK_ECONFLICT: it has changed since. *ret_n: accounts confirmed. */
ARK_MUSTUSE int accounts_confirm(struct archive *a, const struct filing_actor *actor,
    const struct principal *p, const char *org, const char *tag, unsigned int *ret_n,
    struct ark_error *err);
/* When the list is to be confirmed at the latest: the first day on which an account would be suspended, "" where none would be.
 * *ret_lapsed: accounts that were suspended for want of it. */
ARK_MUSTUSE int accounts_due(struct archive *a, const char *org, char ret_by[11],
    unsigned int *ret_lapsed, struct ark_error *err);
/* Is it suspended because the list was not confirmed in time? Confirming brings such a one back. */
bool account_lapsed(const json_t *user);
/* Warns and suspends whose time has come, as actor "system"; for a ticker, once an hour. */
ARK_MUSTUSE int accounts_sweep(struct archive *a, int64_t now_us, unsigned int *ret_warned,
    unsigned int *ret_suspended, struct ark_error *err);

#endif
