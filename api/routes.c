/* Every route of the server, in one table. api/openapi.yaml says the same to
 * the world; tests/flow compares the two in both directions. */
#include "api/accounts_api.h"
#include "api/diff.h"
#include "api/disposition_api.h"
#include "api/documents.h"
#include "api/exports.h"
#include "api/handlers.h"
#include "api/memento.h"
#include "api/oidc.h"
#include "api/orders_private.h"
#include "api/pack.h"
#include "api/operation.h"
#include "api/pages/areas.h"
#include "api/pages/pages.h"
#include "api/registers.h"
#include "api/saved_searches.h"
#include "api/timeline.h"
#include "api/uploads.h"

#define GET(path_, handler)                                                                        \
	{                                                                                          \
		.method = "GET", .pattern = path_, .flags = HTTP_ALSO_HEAD, .finish = handler      \
	}
#define GET_WITH(path_, more, handler)                                                             \
	{                                                                                          \
		.method = "GET", .pattern = path_, .flags = HTTP_ALSO_HEAD | (more),               \
		.finish = handler                                                                  \
	}
#define SEND(verb, path_, more, handler)                                                           \
	{                                                                                          \
		.method = verb, .pattern = path_, .takes = HTTP_BODY_WHOLE, .flags = more,         \
		.finish = handler                                                                  \
	}

#define UP_TO_1_MIB(verb, path_, handler)                                                          \
	{                                                                                          \
		.method = verb, .pattern = path_, .takes = HTTP_BODY_WHOLE, .body_max = 1U << 20,  \
		.finish = handler                                                                  \
	}

#define UP_TO_64_KIB(verb, path_, handler)                                                         \
	{                                                                                          \
		.method = verb, .pattern = path_, .takes = HTTP_BODY_WHOLE, .body_max = 64 << 10,  \
		.finish = handler                                                                  \
	}

#define SAVED(verb, path_, handler)                                                                \
	{                                                                                          \
		.method = verb, .pattern = path_, .takes = HTTP_BODY_WHOLE, .body_max = 16 << 10,  \
		.finish = handler                                                                  \
	}

#define FORM(path_, handler)                                                                       \
	{                                                                                          \
		.method = "POST", .pattern = path_, .takes = HTTP_BODY_WHOLE, .flags = ROUTE_PAGE, \
		.body_max = 64 << 10, .finish = handler                                            \
	}

#define LONG_FORM(path_, handler)                                                                  \
	{                                                                                          \
		.method = "POST", .pattern = path_, .takes = HTTP_BODY_WHOLE, .flags = ROUTE_PAGE, \
		.body_max = 2U << 20, .finish = handler                                            \
	}

/* tus, for programs and for the script of our own pages */
#define UPLOADS(under, more)                                                                       \
	{.method = "OPTIONS",                                                                      \
	    .pattern = under "/uploads",                                                           \
	    .flags = more,                                                                         \
	    .finish = uploads_options},                                                            \
	    {.method = "POST",                                                                     \
		.pattern = under "/uploads",                                                       \
		.takes = HTTP_BODY_STREAM,                                                         \
		.flags = more,                                                                     \
		.begin = uploads_post_begin,                                                       \
		.body = uploads_body,                                                              \
		.finish = uploads_finish},                                                         \
	    {.method = "HEAD",                                                                     \
		.pattern = under "/uploads/{i}",                                                   \
		.flags = more,                                                                     \
		.finish = uploads_head},                                                           \
	    {.method = "PATCH",                                                                    \
		.pattern = under "/uploads/{i}",                                                   \
		.takes = HTTP_BODY_STREAM,                                                         \
		.flags = more,                                                                     \
		.begin = uploads_patch_begin,                                                      \
		.body = uploads_body,                                                              \
		.finish = uploads_finish},                                                         \
	    {.method = "DELETE",                                                                   \
		.pattern = under "/uploads/{i}",                                                   \
		.flags = more,                                                                     \
		.finish = uploads_delete},

/* The same pages in each language; HTML, so not in openapi.yaml. */
#define PAGES(l)                                                                                   \
	GET_WITH("/" l, ROUTE_PUBLIC, page_root), GET_WITH("/" l "/", ROUTE_PAGE, page_search),    \
	    GET_WITH("/" l "/sign-in", ROUTE_PUBLIC | ROUTE_PAGE, page_sign_in),                   \
	    SEND("POST", "/" l "/sign-in", ROUTE_PUBLIC | ROUTE_PAGE, page_sign_in_post),          \
	    GET_WITH("/" l "/sign-in/provider", ROUTE_PUBLIC | ROUTE_PAGE, page_provider),         \
	    GET_WITH("/" l "/sign-in/code", ROUTE_PUBLIC | ROUTE_PAGE, page_sign_in_code),         \
	    SEND(                                                                                  \
		"POST", "/" l "/sign-in/code", ROUTE_PUBLIC | ROUTE_PAGE, page_sign_in_code_post), \
	    GET_WITH("/" l "/join", ROUTE_PUBLIC | ROUTE_PAGE, page_join),                         \
	    SEND("POST", "/" l "/join", ROUTE_PUBLIC | ROUTE_PAGE, page_join_post),                \
	    SEND("POST", "/" l "/sign-out", ROUTE_PAGE | ROUTE_ENROLLING, page_sign_out),          \
	    GET_WITH("/" l "/account", ROUTE_PAGE, page_account),                                  \
	    GET_WITH("/" l "/account/confirm", ROUTE_PAGE, page_account_confirm),                  \
	    FORM("/" l "/account/confirm", page_account_confirm_post),                             \
	    GET_WITH("/" l "/account/password", ROUTE_PAGE, page_account_password),                \
	    FORM("/" l "/account/password", page_account_password_post),                           \
	    GET_WITH(                                                                              \
		"/" l "/account/second-factor", ROUTE_PAGE | ROUTE_ENROLLING, page_second_factor), \
	    SEND("POST", "/" l "/account/second-factor", ROUTE_PAGE | ROUTE_ENROLLING,             \
		page_second_factor_post),                                                          \
	    FORM("/" l "/account/recovery", page_recovery_post),                                   \
	    FORM("/" l "/account/session", page_session_end),                                      \
	    FORM("/" l "/account/sessions", page_sessions_end),                                    \
	    FORM("/" l "/account/tokens", page_token_post),                                        \
	    FORM("/" l "/account/token", page_token_revoke),                                       \
	    GET_WITH("/" l "/accounts", ROUTE_PAGE, page_accounts),                                \
	    FORM("/" l "/accounts", page_accounts_confirm),                                        \
	    GET_WITH("/" l "/open-account", ROUTE_PAGE, page_account_open),                        \
	    FORM("/" l "/open-account", page_account_open_post),                                   \
	    GET_WITH("/" l "/accounts/{u}", ROUTE_PAGE, page_account_one),                         \
	    FORM("/" l "/accounts/{u}", page_account_change),                                      \
	    FORM("/" l "/accounts/{u}/state", page_account_state),                                 \
	    FORM("/" l "/accounts/{u}/link", page_account_link),                                   \
	    FORM("/" l "/accounts/{u}/take", page_account_take),                                   \
	    GET_WITH("/" l "/saved", ROUTE_PAGE, page_saved),                                      \
	    FORM("/" l "/saved", page_saved_post),                                                 \
	    GET_WITH("/" l "/saved/{s}", ROUTE_PAGE, page_saved_one),                              \
	    FORM("/" l "/saved/{s}/remove", page_saved_remove),                                    \
	    GET_WITH("/" l "/admin", ROUTE_PAGE, page_admin),                                      \
	    FORM("/" l "/admin/retry", page_admin_retry),                                          \
	    FORM("/" l "/admin/ocr", page_admin_ocr),                                              \
	    GET_WITH("/" l "/admin/synonyms", ROUTE_PAGE, page_synonyms),                          \
	    LONG_FORM("/" l "/admin/synonyms", page_synonyms_post),                                \
	    GET_WITH("/" l "/suggest", ROUTE_PAGE, search_suggest),                                \
	    GET_WITH("/" l "/documents/{d}", ROUTE_PAGE, page_document),                           \
	    FORM("/" l "/documents/{d}", page_document_open),                                      \
	    GET_WITH("/" l "/documents/{d}/versions/{n}", ROUTE_PAGE, page_version),               \
	    FORM("/" l "/documents/{d}/versions/{n}", page_version_open),                          \
	    GET_WITH("/" l "/documents/{d}/versions/{n}/file", ROUTE_PAGE, content_get),           \
	    FORM("/" l "/documents/{d}/versions/{n}/file", page_file_open),                        \
	    GET_WITH("/" l "/documents/{d}/versions/{n}/rendition", ROUTE_PAGE, rendition_get),    \
	    GET_WITH("/" l "/documents/{d}/versions/{n}/proof", ROUTE_PAGE, proof_get),            \
	    GET_WITH("/" l "/documents/{d}/versions/{n}/seal", ROUTE_PAGE, page_document_seal),    \
	    GET_WITH(                                                                              \
		"/" l "/documents/{d}/versions/{n}/readers", ROUTE_PAGE, page_document_readers),   \
	    GET_WITH("/" l "/documents/{d}/readers", ROUTE_PAGE, page_document_readers_newest),    \
	    FORM("/" l "/purpose/end", page_purpose_end),                                          \
	    PAGES_UNITS(l) PAGES_CASES(l) PAGES_PAST(l) PAGES_FILING(l) PAGES_AUDIT(l)             \
		PAGES_ADMINISTRATION(l) PAGES_DISPOSAL(l) PAGES_FINDING(l) PAGES_STATEMENT(l)      \
		    UPLOADS("/" l, ROUTE_PAGE)

const struct http_route api_routes[] = {
    GET("/v1/documents", documents_list),
    {.method = "POST",
	.pattern = "/v1/documents",
	.takes = HTTP_BODY_STREAM,
	.begin = documents_post_begin,
	.body = filing_body,
	.finish = filing_finish},
    GET("/v1/documents/{d}", documents_get),
    SEND("PATCH", "/v1/documents/{d}", 0, documents_patch),
    GET("/v1/documents/{d}/versions", versions_get),
    {.method = "POST",
	.pattern = "/v1/documents/{d}/versions",
	.takes = HTTP_BODY_STREAM,
	.begin = versions_post_begin,
	.body = filing_body,
	.finish = filing_finish},
    GET("/v1/documents/{d}/versions/{n}", versions_get_one),
    GET("/v1/documents/{d}/versions/{n}/content", content_get),
    GET("/v1/documents/{d}/versions/{n}/text", text_get),
    GET("/v1/documents/{d}/versions/{n}/proof", proof_get),
    GET("/v1/documents/{d}/versions/{n}/renditions/public", rendition_get),
    {.method = "PUT",
	.pattern = "/v1/documents/{d}/versions/{n}/renditions/public",
	.takes = HTTP_BODY_STREAM,
	.begin = rendition_put_begin,
	.body = rendition_body,
	.finish = rendition_finish},
    {.method = "DELETE",
	.pattern = "/v1/documents/{d}/versions/{n}/renditions/public",
	.finish = rendition_delete},
    {.method = "POST",
	.pattern = "/v1/documents/{d}/versions/{n}/renditions/public/check",
	.finish = rendition_check},
    GET("/v1/documents/{d}/versions/{n}/renditions/public/text", rendition_text_get),
    GET("/v1/documents/{d}/versions/{n}/diff/{b}", diff_get),
    GET("/v1/documents/{d}/history", history_get),
    GET("/v1/documents/{d}/content", documents_content),
    GET("/v1/documents/{d}/timegate", timegate_get),
    GET("/v1/documents/{d}/timemap", timemap_get),
    GET("/v1/documents/{d}/hold", hold_get),
    SEND("POST", "/v1/documents/{d}/hold", 0, hold_post),
    SEND("DELETE", "/v1/documents/{d}/hold", 0, hold_delete),
    GET("/v1/documents/{d}/dispose", dispose_get),
    SEND("POST", "/v1/documents/{d}/dispose", 0, dispose_post),
    {.method = "DELETE", .pattern = "/v1/documents/{d}/dispose", .finish = dispose_delete},
    {.method = "POST", .pattern = "/v1/documents/{d}/dispose/approve", .finish = dispose_approve},
    SEND("POST", "/v1/documents/{d}/dispose/confirm", 0, dispose_confirm),
    GET("/v1/documents/{d}/dispose/package", dispose_package),
    GET("/v1/retention", retention_get),
    UP_TO_1_MIB("PUT", "/v1/retention", retention_put),
    GET("/v1/retention/due", retention_due),
    GET("/v1/units", units_list),
    SEND("POST", "/v1/units", 0, units_post),
    GET("/v1/units/{u}", units_get),
    SEND("PUT", "/v1/units/{u}", 0, units_put),
    SEND("PUT", "/v1/units/{u}/vacancies", 0, vacancies_put),
    GET("/v1/units/{u}/documents", units_documents),
    SAVED("POST", "/v1/units/{u}/pack", units_pack),
    GET("/v1/units/{u}/timeline", units_timeline),
    GET("/v1/units/{u}/feed.atom", units_feed),
    GET("/v1/cases", cases_list),
    SEND("POST", "/v1/cases", 0, cases_post),
    GET("/v1/cases/{c}", cases_get),
    SEND("PATCH", "/v1/cases/{c}", 0, cases_patch),
    GET("/v1/cases/{c}/documents", cases_documents),
    GET("/v1/units/{u}/orders", units_orders),
    GET("/v1/orders", orders_list),
    UP_TO_64_KIB("POST", "/v1/orders", orders_post),
    GET("/v1/orders/{o}", orders_get),
    UP_TO_64_KIB("PATCH", "/v1/orders/{o}", orders_patch),
    GET("/v1/matters", matters_list),
    GET("/v1/orgs", orgs_list),
    SEND("POST", "/v1/orgs", 0, orgs_post),
    GET("/v1/orgs/{o}", orgs_get),
    SEND("PATCH", "/v1/orgs/{o}", 0, orgs_patch),
    GET("/v1/orgs/{o}/accounts", org_accounts_get),
    SEND("POST", "/v1/orgs/{o}/confirmation", 0, org_confirmation_post),
    GET("/v1/users", users_list),
    SEND("POST", "/v1/users", 0, users_post),
    GET("/v1/users/{u}", users_get),
    SEND("PATCH", "/v1/users/{u}", 0, users_patch),
    SEND("POST", "/v1/users/{u}/invitation", 0, users_invite),
    GET("/v1/types", types_list),
    SEND("POST", "/v1/types", 0, types_post),
    GET("/v1/types/{y}", types_get),
    SEND("PUT", "/v1/types/{y}", 0, types_put),
    GET("/v1/types/{y}/versions", types_versions_get),
    GET("/v1/me", me_get),
    GET("/v1/tokens", tokens_list),
    SAVED("POST", "/v1/tokens", tokens_post),
    {.method = "DELETE", .pattern = "/v1/tokens/{t}", .finish = tokens_delete},
    GET("/v1/sessions", sessions_list),
    {.method = "DELETE", .pattern = "/v1/sessions", .finish = sessions_delete},
    {.method = "DELETE", .pattern = "/v1/sessions/{s}", .finish = sessions_delete_one},
    GET("/v1/search", search_get),
    SEND("POST", "/v1/search", 0, search_post),
    GET("/v1/search/suggest", search_suggest),
    GET("/v1/saved-searches", saved_searches_list),
    SAVED("POST", "/v1/saved-searches", saved_searches_post),
    GET("/v1/saved-searches/{s}", saved_search_get),
    SAVED("PATCH", "/v1/saved-searches/{s}", saved_search_patch),
    {.method = "DELETE", .pattern = "/v1/saved-searches/{s}", .finish = saved_search_delete},
    GET("/v1/saved-searches/{s}/results", saved_search_results),
    GET("/v1/saved-searches/{s}/feed.atom", saved_search_feed),
    GET("/v1/exports", exports_list),
    UP_TO_1_MIB("POST", "/v1/exports", exports_post),
    GET("/v1/exports/{e}", exports_get),
    {.method = "DELETE", .pattern = "/v1/exports/{e}", .finish = exports_delete},
    GET("/v1/exports/{e}/content", exports_content),
    UPLOADS("/v1", 0) GET("/v1/changes", changes_get),
    SEND("POST", "/v1/policies/explain", 0, policies_explain),
    GET("/v1/audit/access", audit_access),
    GET("/v1/audit/break-glass", break_glass_list),
    SEND("POST", "/v1/audit/break-glass/{i}/review", 0, break_glass_review),
    GET("/v1/audit/history", audit_history),
    GET("/v1/audit/receipt/{r}", receipt_get),
    GET("/v1/audit/replay", audit_replay),
    GET("/v1/audit/subject", audit_subject),
    GET_WITH("/v1/log/history/checkpoint", ROUTE_PUBLIC, history_checkpoint),
    GET_WITH("/v1/log/history/tile/{t*}", ROUTE_PUBLIC, history_tile),
    GET("/v1/log/access/checkpoint", access_checkpoint),
    GET("/v1/log/access/tile/{t*}", access_tile),
    GET("/v1/status", status_get),
    GET("/v1/texts", texts_list),
    SEND("POST", "/v1/texts/retry", 0, texts_retry),
    GET("/v1/policies", policies_get),
    GET("/v1/policies/versions", policies_versions_get),
    GET("/v1/policies/cases", policies_cases_get),
    UP_TO_1_MIB("POST", "/v1/policies/check", policies_check),
    UP_TO_1_MIB("PUT", "/v1/policies", policies_put),
    GET("/v1/synonyms", synonyms_get),
    GET("/v1/synonyms/versions", synonyms_versions_get),
    UP_TO_1_MIB("PUT", "/v1/synonyms", synonyms_put),
    GET_WITH("/openapi.json", ROUTE_PUBLIC, openapi_get),
    GET_WITH("/.well-known/security.txt", ROUTE_PUBLIC, security_txt),
    /* the web */
    GET_WITH("/", ROUTE_PUBLIC, page_root),
    GET_WITH("/web/{f}", ROUTE_PUBLIC, web_asset),
    PAGES("fi") PAGES("sv") PAGES("en")
    /* signing in at an organisation's own identity provider */
    {.method = "GET", .pattern = "/auth/{p}", .flags = ROUTE_PUBLIC, .finish = oidc_begin},
    {.method = "GET",
	.pattern = "/auth/{p}/callback",
	.flags = ROUTE_PUBLIC,
	.finish = oidc_callback},
    {.method = "POST",
	.pattern = "/auth/{p}/logout",
	.takes = HTTP_BODY_WHOLE,
	.flags = ROUTE_PUBLIC,
	.body_max = 64 << 10,
	.finish = oidc_back_channel},
    /* the admin socket */
    {.method = "POST",
	.pattern = "/admin/load",
	.takes = HTTP_BODY_WHOLE,
	.flags = ROUTE_LOCAL,
	.body_max = 256ULL << 20,
	.finish = admin_load},
    SEND("POST", "/admin/tokens", ROUTE_LOCAL, admin_token),
    GET_WITH("/admin/tokens", ROUTE_LOCAL, admin_tokens_list),
    {.method = "DELETE",
	.pattern = "/admin/tokens/{t}",
	.flags = ROUTE_LOCAL,
	.finish = admin_token_revoke},
    SEND("POST", "/admin/certificates", ROUTE_LOCAL, admin_certificate_add),
    GET_WITH("/admin/certificates", ROUTE_LOCAL, admin_certificates_list),
    {.method = "DELETE",
	.pattern = "/admin/certificates/{c}",
	.flags = ROUTE_LOCAL,
	.finish = admin_certificate_remove},
    SEND("POST", "/admin/policies/explain", ROUTE_LOCAL, policies_explain),
    SEND("POST", "/admin/maintenance", ROUTE_LOCAL, admin_maintenance),
    GET_WITH("/admin/orgs", ROUTE_LOCAL, orgs_list),
    SEND("POST", "/admin/orgs", ROUTE_LOCAL, orgs_post),
    GET_WITH("/admin/orgs/{o}", ROUTE_LOCAL, orgs_get),
    SEND("PATCH", "/admin/orgs/{o}", ROUTE_LOCAL, orgs_patch),
    GET_WITH("/admin/orgs/{o}/accounts", ROUTE_LOCAL, org_accounts_get),
    SEND("POST", "/admin/orgs/{o}/confirmation", ROUTE_LOCAL, org_confirmation_post),
    GET_WITH("/admin/users", ROUTE_LOCAL, users_list),
    SEND("POST", "/admin/users", ROUTE_LOCAL, users_post),
    GET_WITH("/admin/users/{u}", ROUTE_LOCAL, users_get),
    SEND("PATCH", "/admin/users/{u}", ROUTE_LOCAL, users_patch),
    SEND("POST", "/admin/users/{u}/invitation", ROUTE_LOCAL, users_invite),
    SEND("POST", "/admin/users/{u}/emergency", ROUTE_LOCAL, admin_emergency),
    SEND("POST", "/admin/accounts/sweep", ROUTE_LOCAL, admin_accounts_sweep),
    GET_WITH("/admin/audit/replay", ROUTE_LOCAL, audit_replay),
    GET_WITH("/admin/audit/subject", ROUTE_LOCAL, audit_subject),
    GET_WITH("/admin/policies", ROUTE_LOCAL, policies_get),
    GET_WITH("/admin/policies/versions", ROUTE_LOCAL, policies_versions_get),
    GET_WITH("/admin/policies/cases", ROUTE_LOCAL, policies_cases_get),
    {.method = "POST", .pattern = "/admin/dispose", .flags = ROUTE_LOCAL, .finish = admin_dispose},
    GET_WITH("/admin/dispose", ROUTE_LOCAL, admin_dispose_get),
    GET_WITH("/admin/retention", ROUTE_LOCAL, retention_get),
    GET_WITH("/admin/status", ROUTE_LOCAL, admin_status),
    GET_WITH("/admin/texts", ROUTE_LOCAL, admin_texts),
    SEND("POST", "/admin/texts/retry", ROUTE_LOCAL, admin_texts_retry),
    SEND("POST", "/admin/ocr", ROUTE_LOCAL, admin_ocr),
    GET_WITH("/admin/keys", ROUTE_LOCAL, admin_keys_get),
    SEND("POST", "/admin/keys", ROUTE_LOCAL, admin_keys_post),
    GET_WITH("/admin/verify", ROUTE_LOCAL, admin_verify_get),
    SEND("POST", "/admin/verify", ROUTE_LOCAL, admin_verify_begin),
    SEND("POST", "/admin/verify/result", ROUTE_LOCAL, admin_verify_result),
    GET_WITH("/admin/scrub", ROUTE_LOCAL, admin_scrub_get),
    SEND("POST", "/admin/scrub", ROUTE_LOCAL, admin_scrub_post),
    GET_WITH("/admin/synonyms", ROUTE_LOCAL, synonyms_get),
    GET_WITH("/admin/synonyms/versions", ROUTE_LOCAL, synonyms_versions_get),
    GET_WITH("/admin/providers", ROUTE_LOCAL, admin_providers_get),
    GET_WITH("/admin/providers/{p}", ROUTE_LOCAL, admin_provider_get),
    SEND("PUT", "/admin/providers/{p}", ROUTE_LOCAL, admin_provider_put),
    {.method = "DELETE",
	.pattern = "/admin/providers/{p}",
	.flags = ROUTE_LOCAL,
	.finish = admin_provider_delete},
    GET_WITH("/healthz", ROUTE_LOCAL | ROUTE_HEALTH, health_get),
    GET_WITH("/readyz", ROUTE_LOCAL | ROUTE_HEALTH, ready_get),
    GET_WITH("/metrics", ROUTE_LOCAL | ROUTE_HEALTH, metrics_get),
    GET_WITH("/version", ROUTE_LOCAL | ROUTE_HEALTH, version_get),
};
const size_t api_routes_len = sizeof(api_routes) / sizeof(*api_routes);

/* api/openapi.yaml is JSON, which is YAML too: one file, served as it is. */
__asm__(".section .rodata\n.global arkki_openapi_text\narkki_openapi_text:\n"
	".incbin \"api/openapi.yaml\"\narkki_openapi_end:\n.byte 0\n"
	".global arkki_openapi_end\n.previous\n");
extern const char arkki_openapi_text[] __attribute__((visibility("hidden")));
extern const char arkki_openapi_end[] __attribute__((visibility("hidden")));

void openapi_get(struct exchange *x)
{
	http_reply_header(x, "Cache-Control", "public, max-age=300");
	http_reply_static(x, 200, "application/json", arkki_openapi_text,
	    (size_t)(arkki_openapi_end - arkki_openapi_text));
}
