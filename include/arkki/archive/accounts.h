/* Accounts: who may have which, and how they come, change and go. The rules over the records "orgs" and "users".
 *
 * Every step is a record's new number and an entry of the history log, so that a closed account keeps its past and a past
 * decision can be made again. What signs somebody in is not here (credentials.h).
 *
 *   organisation {"id","kind","name":{"fi","sv","en"},"businessId":"1234567-1","counties":[],"municipalities":[],
 *                 "from","to","predecessors":[],"confirmEvery":DAYS}
 *   user         {"id","org","name","email","roles":[],"from","to",
 *                 "state":"invited|active|suspended|closed",   (absent: active, as loaded ones are)
 *                 "stateReason","confirmed":"YYYY-MM-DD","warned":"YYYY-MM-DD"}
 * Life: invited → active ⇄ suspended → closed; closed is the end, and the id is never given to anybody else.
 * Only an active account is a principal (registry_principal: ARK_ENOTFOUND otherwise); what happened in the past is judged by
 * the state that the account had then.
 *
 * confirmEvery: the contact person says every so many days that the organisation's accounts are still right. An active account that was
 * neither confirmed nor opened since is warned of 14 days before the end and then suspended ("not confirmed");
 * confirming brings such a one back. Organisations without it (loaded ones) are left alone.
 *
 * Threads: any. Durability: as filing.h.
 */
#ifndef ARKKI_ARCHIVE_ACCOUNTS_H
#define ARKKI_ARCHIVE_ACCOUNTS_H

#include <jansson.h>
#include <stdbool.h>

#include "arkki/archive/archive.h"
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
/* Which roles this manager may give in an organisation of this kind: bits of enum access_role. `auditor` in authorities and at the Ombudsman, `placer`
 * in counties and municipalities, `inspector` in state agencies and counties, `admin` only by an administrator or the operator,
 * a provider's people have no role but `contact` and `system`. What an account has already stays. */
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
 * takes its credentials with it, a suspended one its sessions. The last active contact person of an organisation can
 * neither be closed nor lose the role but by an administrator or the operator (ARK_ECONFLICT). Nobody changes the own roles
 * or state. */
ARK_MUSTUSE int accounts_user_change(struct archive *a, const struct filing_actor *actor,
    const struct principal *p, const char *user, const json_t *wish, json_t **ret,
    struct account_fault *fault, struct ark_error *err);
/* An invitation was accepted: invited → active, confirmed today. */
ARK_MUSTUSE int accounts_user_activate(
    struct archive *a, const struct filing_actor *actor, const char *user, struct ark_error *err);

/* The accounts of an organisation with what the record says, and "confirmBy" (day) where it is subject to confirmation: a fresh
 * array. tag (33 bytes): changes with it. */
ARK_MUSTUSE int accounts_list(
    struct archive *a, const char *org, json_t **ret, char tag[33], struct ark_error *err);
/* The list as it was at `tag` is right. ARK_ECONFLICT: it has changed since. *ret_n: accounts confirmed. */
ARK_MUSTUSE int accounts_confirm(struct archive *a, const struct filing_actor *actor,
    const struct principal *p, const char *org, const char *tag, unsigned int *ret_n,
    struct ark_error *err);
/* Warns and suspends whose time has come, as actor "system"; for a ticker, once an hour. */
ARK_MUSTUSE int accounts_sweep(struct archive *a, int64_t now_us, unsigned int *ret_warned,
    unsigned int *ret_suspended, struct ark_error *err);

#endif
