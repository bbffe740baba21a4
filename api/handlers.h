/* Handlers of everything that is not a document. */
#ifndef ARKKI_API_HANDLERS_H
#define ARKKI_API_HANDLERS_H

#include "api/app.h"

/* registers.c */
void units_list(struct exchange *x);
void units_get(struct exchange *x);
void units_documents(struct exchange *x);
void cases_list(struct exchange *x);
void cases_get(struct exchange *x);
void cases_documents(struct exchange *x);
/* Does GET /v1/cases show the caller this record, whatever is stated? */
bool case_is_visible(const struct exchange *x, const json_t *record);
void orgs_list(struct exchange *x);
void types_list(struct exchange *x);
void me_get(struct exchange *x);

/* texts_api.c, status_api.c */
void status_get(struct exchange *x);
void texts_list(struct exchange *x);
void texts_retry(struct exchange *x);
/* For the page of administrators: the texts of a listing (the visit's `more`); the same as texts_retry, with the
 * answer of the page; pausing, logged. */
ARK_MUSTUSE int texts_gather(
    struct exchange *x, unsigned int limit, json_t *list, struct buf *next, struct ark_error *err);
void texts_retry_asked(
    struct exchange *x, json_t *body, void (*then)(struct exchange *x, uint64_t queued));
ARK_MUSTUSE int texts_ocr_pause(struct exchange *x, bool pause, struct ark_error *err);
void admin_status(struct exchange *x);
void admin_texts(struct exchange *x);
void admin_texts_retry(struct exchange *x);
void admin_ocr(struct exchange *x);
/* Highest N such that every commit up to N is searchable. */
uint64_t app_indexed(struct app *app);

/* audit_api.c */
void audit_access(struct exchange *x);
void audit_history(struct exchange *x);
void receipt_get(struct exchange *x);
void history_checkpoint(struct exchange *x);
void history_tile(struct exchange *x);
void access_checkpoint(struct exchange *x);
void access_tile(struct exchange *x);

/* reports_api.c; without a caller, on the admin socket, the operator asks */
void audit_replay(struct exchange *x);
void audit_subject(struct exchange *x);

/* break_glass.c */
void break_glass_list(struct exchange *x);
void break_glass_review(struct exchange *x);
/* For the page of auditors: the same list of the query state, from, to, cursor, limit, logged; show() takes the answer. */
void break_glass_find(struct exchange *x, void (*show)(struct exchange *x, json_t *answer));
/* The review of the use in the path. False: *ret_errors (the caller's) says what is wrong with the body, and nothing is
 * replied. Else it is replied, or then() will be called with what became of it (ARK_ECONFLICT: it has been
 * reviewed); it takes `use`. */
bool break_glass_judge(struct exchange *x, const json_t *body, json_t **ret_errors,
    void (*then)(struct exchange *x, int status, json_t *use, const struct ark_error *err));

/* explain_api.c; without a caller, on the admin socket, the operator asks */
void policies_explain(struct exchange *x);
/* For a page: the same question (taken), logged. show() takes the answer, or else the list of faults in the question;
 * what the caller may not ask is replied. */
void policies_try(struct exchange *x, json_t *question, enum http_language language,
    void (*show)(struct exchange *x, json_t *answer, json_t *faults));

/* search_api.c */
void search_get(struct exchange *x);
void search_post(struct exchange *x);

/* search_suggest.c */
void search_suggest(struct exchange *x);

/* changes.c */
void changes_get(struct exchange *x);

/* policies_api.c */
void policies_get(struct exchange *x);
void policies_cases_get(struct exchange *x);
void policies_versions_get(struct exchange *x);
void policies_check(struct exchange *x);
void policies_put(struct exchange *x);

/* synonyms.c */
void synonyms_get(struct exchange *x);
void synonyms_versions_get(struct exchange *x);
void synonyms_put(struct exchange *x);

/* keys_api.c: the admin socket */
void admin_keys_get(struct exchange *x);
void admin_keys_post(struct exchange *x);

/* tokens_api.c */
void tokens_list(struct exchange *x);
void tokens_post(struct exchange *x);
void tokens_delete(struct exchange *x);
void sessions_list(struct exchange *x);
void sessions_delete(struct exchange *x);
void sessions_delete_one(struct exchange *x);
void admin_token(struct exchange *x);
void admin_tokens_list(struct exchange *x);
void admin_token_revoke(struct exchange *x);

/* certificate.c: the admin socket */
void admin_certificate_add(struct exchange *x);
void admin_certificates_list(struct exchange *x);
void admin_certificate_remove(struct exchange *x);

/* scrub_api.c: the admin socket */
void admin_verify_get(struct exchange *x);
void admin_verify_begin(struct exchange *x);
void admin_verify_result(struct exchange *x);
void admin_scrub_get(struct exchange *x);
void admin_scrub_post(struct exchange *x);

/* admin.c: the admin socket */
void admin_load(struct exchange *x);
void admin_maintenance(struct exchange *x);

/* providers_api.c: the admin socket */
void admin_providers_get(struct exchange *x);
void admin_provider_get(struct exchange *x);
void admin_provider_put(struct exchange *x);
void admin_provider_delete(struct exchange *x);

/* routes.c */
extern const struct http_route api_routes[];
extern const size_t api_routes_len;
void openapi_get(struct exchange *x);

#endif
