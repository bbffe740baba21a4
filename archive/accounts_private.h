/* The inside of accounts*.c. */
#ifndef ARKKI_ARCHIVE_ACCOUNTS_PRIVATE_H
#define ARKKI_ARCHIVE_ACCOUNTS_PRIVATE_H

#include "arkki/archive/accounts.h"
#include "arkki/archive/registry.h"

/* Reason of an account that the sweep suspended; confirming brings such a one back. */
#define ACCOUNTS_UNCONFIRMED "not confirmed"

/* One change of accounts at a time, a load included: what is decided of several records (the last contact person) must
 * still hold when it is filed. ARK_EIO when that does not come in 10 s. */
ARK_MUSTUSE int accounts_lock(struct archive *a, struct ark_error *err);
void accounts_unlock(struct archive *a);

/* ARK_EINPUT and *fault (may be NULL). */
int account_fault_set(struct account_fault *fault, struct ark_error *err, const char *field,
    const char *code, const char *fmt, ...) ARK_PRINTF(5, 6);
/* The form of what is asked for; fresh: of a new record. Who may ask for it is not looked at. */
ARK_MUSTUSE int account_check_org(
    const json_t *wish, bool fresh, struct account_fault *fault, struct ark_error *err);
ARK_MUSTUSE int account_check_user(
    const json_t *wish, bool fresh, struct account_fault *fault, struct ark_error *err);
/* "from" is not after "to". */
ARK_MUSTUSE int account_check_days(
    const json_t *record, struct account_fault *fault, struct ark_error *err);
/* A reason: 1 to 500 characters that show. */
bool account_reason_ok(const json_t *value);

unsigned int account_roles_bits(const json_t *user);
/* A fresh list in order of enum access_role. */
json_t *account_roles_json(unsigned int bits);

/* A copy of the newest record, the caller's, and its number. ARK_ENOTFOUND. */
ARK_MUSTUSE int account_record(struct archive *a, const char *kind, const char *id, json_t **ret,
    uint32_t *ret_number, struct ark_error *err);

/* The operator (NULL), or an administrator whose days have not ended. */
bool account_administers(const struct principal *p);
/* Puts what is wished into the record: null takes away. Not "state" and "reason". */
ARK_MUSTUSE int account_take_fields(json_t *record, const json_t *wish, struct ark_error *err);
/* base, unless 0, is the number. */
ARK_MUSTUSE int account_expect_base(uint32_t base, uint32_t number, struct ark_error *err);
/* Files the record if it is not as before (NULL: it is new); *ret (may be NULL) is the record in any case. */
ARK_MUSTUSE int account_settle(struct archive *a, const char *kind, json_t *before, json_t *record,
    uint32_t number, const struct filing_actor *actor, const char *reason, json_t **ret,
    struct ark_error *err);

#endif
