/* The application behind the routes: what handlers share.
 *
 * app         one a server: the archive, the token cache, who waits for changes
 * caller      who sends this request: set by the gate, before anything else
 * visit       one audited request: its access entry, its receipt, its row
 *
 * A handler that shows something goes through visit_log(): the entry is
 * appended, the exchange waits until it is durable, and only then the
 * continuation runs, with the receipt that opens keys.
 */
#ifndef ARKKI_API_APP_H
#define ARKKI_API_APP_H

#include <pthread.h>
#include <stdatomic.h>

#include "arkki/api/http.h"
#include "arkki/archive/archive.h"
#include "arkki/archive/reading.h"
#include "arkki/archive/witnesses.h"

/* Route flags of ours, beside HTTP_ALSO_HEAD. */
enum {
	ROUTE_PUBLIC = 256,     /* no token needed */
	ROUTE_LOCAL = 512,      /* only on the admin socket */
	ROUTE_PAGE = 1024,      /* a web page: a refusal for want of a token is the sign-in page */
	ROUTE_ENROLLING = 2048, /* open to a session that may only set up its second factor */
	ROUTE_HEALTH = 4096,    /* answered by the --health listener too */
};

struct app;
struct indexer;
struct upload_turn;
struct session; /* arkki/archive/credentials.h */

struct caller {
	struct principal *who;
	char token_id[17];
	const char
	    *authentication; /* static: "token" "password" "password+totp" "oidc" "certificate" … */
	bool weak;           /* one factor only, or less than the provider calls strong */
	bool enrolling;      /* a session that may only set up its second factor */
	bool left;           /* has signed out in this request, or the answer is to nobody */
	unsigned int scopes;     /* enum token_scope: what this sign-in may be used for */
	struct session *session; /* of a browser; NULL: none */
	char *purpose;           /* stated, decoded; NULL none */
	char *break_glass;       /* the reason stated, decoded; NULL: none */
	const char *case_id;     /* stated; borrowed from the exchange or case_record */
	char address[64];
	bool purpose_malformed, reason_malformed;
	bool glass_refused;  /* a reason was stated, and no rule lets this caller break the glass */
	json_t *case_record; /* of case_id */
	const char **case_units;
	struct access_context context; /* all of it, for the policies */
	struct buf
	    top; /* of the page that answers, written while its log entry is (page_prepare) */
};

struct visit {
	struct app *app;
	struct caller *caller;
	struct catalogue_row row;
	bool has_row;
	char sought[33]; /* a document that was not found */
	struct receipt *receipt;
	int log_status;
	void (*then)(struct exchange *x);
	bool silent; /* the answer has no receipt */
	bool shows_content,
	    cosigned; /* visit.c: content must wait for witnesses; they have signed */
	struct witness_wait wait;
	void *more; /* a handler's own state */
	void (*more_free)(void *more);
	struct exchange *x;
};

/* The visit of this exchange, made at first use; NULL (and a 503 replied) without memory. */
struct visit *visit_of(struct exchange *x);
struct app *app_of(const struct exchange *x);
struct caller *caller_of(const struct exchange *x);

/* ---- what every handler asks ---- */

/* Finds the version (0: the newest) of which the caller may see something into v->row; v->row.whole: all of it, else
 * its public rendition. ARK_ENOTFOUND when there is none or it is not visible. Nothing is replied. */
int visit_find(struct visit *v, const char *document, uint32_t version, struct ark_error *err);
/* May the caller have the bytes and the text of v->row? */
int visit_content_open(struct visit *v, bool *ret, struct ark_error *err);
/* A "1".."999999" path parameter; 0: not a version number. */
uint32_t visit_version(const struct exchange *x, unsigned int param);

/* A record of this request with A and B filled from caller and row. */
struct ledger_record visit_record(const struct visit *v, const char *kind);
/* Adds whose the documents are, appends, waits, sets Arkki-Receipt, then runs `then`. A log that cannot be written:
 * 503. */
void visit_log(struct exchange *x, const struct ledger_record *records, size_t n,
    void (*then)(struct exchange *x));
/* Logs the refusal (within the caller's rate) and answers 404. */
void visit_not_found(struct exchange *x, const char *kind, const char *document, uint32_t version);
/* The same for a page that others do not learn of: answers as an address that is none of ours. */
void visit_absent(struct exchange *x, const char *kind);
/* The same, 403: seen but not permitted. */
void visit_denied(struct exchange *x, const char *kind, const char *why);
/* The same for the content of v->row: says whether a purpose would help. */
void visit_content_denied(struct exchange *x, const char *kind);
/* Arkki-Case must exist, Arkki-Purpose and Arkki-Break-Glass must be well-formed: else 400 is replied and false
 * returned. */
bool visit_stated_ok(struct exchange *x);

/* ---- rights.c ---- */

/* Reads what the request states into c->context, and gives it back. */
ARK_MUSTUSE int caller_state(
    struct caller *c, struct registry *registry, const struct exchange *x, struct ark_error *err);
/* A form states purpose and case (NULL: none) in place of the headers. A case that does not exist
 * is none. After a failure nothing may be decided. */
ARK_MUSTUSE int caller_restate(struct caller *c, struct registry *registry, const char *purpose,
    const char *case_id, struct ark_error *err);
void caller_forget(struct caller *c);
/* What the caller sees: access_sight_unref(). */
ARK_MUSTUSE int caller_sight(
    const struct caller *c, struct access_sight **ret, struct ark_error *err);
/* The same for answers that are not logged: what is stated there counts for nothing. */
ARK_MUSTUSE int caller_unlogged_sight(
    const struct caller *c, struct access_sight **ret, struct ark_error *err);
/* With which documents the caller may do this, in the stated context: access_filter_free(). */
ARK_MUSTUSE int caller_filter(const struct caller *c, enum access_action action,
    struct access_filter **ret, struct ark_error *err);
/* Whose bytes and text the caller may have. */
ARK_MUSTUSE int caller_content_filter(
    const struct caller *c, struct access_filter **ret, struct ark_error *err);
/* Whether those of this version are among them. */
ARK_MUSTUSE int caller_content_admits(const struct caller *c, struct catalogue *catalogue,
    const char *document, uint32_t version, bool *ret, struct ark_error *err);

/* ---- conditions ---- */

enum { TAG_SIZE = 48 };
/* Strong entity tag of what a document answer shows of a whole version, with quotes. */
void tag_document(const struct exchange *x, const struct catalogue_row *row, char out[TAG_SIZE]);
void tag_content(const struct app *app, const struct catalogue_row *row, char out[TAG_SIZE]);
/* If-Match against the document's tag, whatever the state of its text: true when it matches; else 428, 412 or
 * 400 is replied. */
bool visit_if_match(struct exchange *x, const struct catalogue_row *row);
/* If-Match and If-None-Match of a reading request against `tag`: 304 or 412 of RFC 9110 13.2.2 is replied; true
 * when the body is wanted. */
bool visit_fresh_wanted(struct exchange *x, const char *tag);

/* ---- answers ---- */

/* The document as the contract has it: row and card. */
json_t *document_json(
    const struct exchange *x, const struct catalogue_row *row, const struct card *card);
/* Of the card it needs the version alone. */
json_t *version_json_of(const struct catalogue_row *row, const struct card *card);
/* Fills an access_resource from a normal form; ends with resource_free(). */
struct resource {
	struct access_resource r;
	json_t *counties;
	const char **units, **county_list, **addressees;
};
/* Takes the counties: those of the units. */
ARK_MUSTUSE int resource_fill(
    const json_t *fields, json_t *counties, struct resource *ret, struct ark_error *err);
/* The texts of an array, borrowed, in an array that is the caller's (free). */
ARK_MUSTUSE int ids_of(const json_t *array, const char ***ret, struct access_ids *ret_ids);
/* The same with the counties that the register has now. */
ARK_MUSTUSE int resource_of(
    struct app *app, const json_t *fields, struct resource *ret, struct ark_error *err);
void resource_free(struct resource *r);
/* May the caller do this with a document of these fields? */
struct access_decision caller_decides(const struct caller *c, struct app *app,
    enum access_action action, const json_t *fields, bool rendition, struct ark_error *err);
bool caller_may(const struct caller *c, enum access_action action);

/* Opaque cursors: text that the caller cannot read, bound to its use. */
void cursor_write(const struct app *app, const char *use, const char *text, struct buf *out);
/* ARK_EINPUT when it is not one of ours. */
int cursor_read(const struct app *app, const char *use, const char *cursor, struct buf *out,
    struct ark_error *err);
/* limit= as a number of 1..most; false (400 replied) when malformed. */
bool limit_of(struct exchange *x, unsigned int otherwise, unsigned int most, unsigned int *ret);

/* ---- the app ---- */

struct change_waiter;    /* changes.c */
struct token_cache;      /* auth.c */
struct policies_service; /* policies_api.c */
struct exports_service;  /* exports_service.c */
struct disposer;         /* disposer.c */
struct rankings;         /* rankings.c */
struct synonyms_service; /* synonyms.c */
struct sign_in_service;  /* session.c */
struct oidc_service;     /* oidc.c */
struct accounts_ticker;  /* accounts_ticker.c */
struct purposes;         /* purpose_kept.c */
struct traffic;          /* traffic.c */

struct app {
	struct archive *archive;
	struct indexer *indexer; /* NULL: no index */
	struct token_cache *tokens;
	struct purposes *purposes;
	struct policies_service *policies;
	struct witnesses *witnesses; /* NULL: none */
	struct rankings *rankings;   /* searches that are paged through */
	struct synonyms_service *synonyms;
	struct exports_service *exports;
	struct disposer *disposer;
	struct sign_in_service *sign_in;
	struct oidc_service *oidc;
	struct accounts_ticker *accounts;
	struct traffic *traffic;
	pthread_mutex_t waiters_lock;
	pthread_cond_t waiters_cond;
	struct change_waiter *waiters;
	pthread_mutex_t reviews_lock;   /* break_glass.c: to look and to write is one step */
	pthread_mutex_t searches_lock;  /* saved_searches.c: likewise */
	pthread_mutex_t registers_lock; /* register_change.c: likewise */
	pthread_mutex_t uploads_lock;   /* of the list of turns: upload_turn.c */
	struct upload_turn *uploads;
	pthread_t ticker;
	bool ticker_runs, stopping;
	atomic_uint replays;     /* answers about the past being made: past_work.c */
	atomic_uint comparisons; /* of two texts: diff.c */
	atomic_uint decoding;    /* files whose text somebody waits for: job.c */
	int64_t started_us;
	char assets_tag[17]; /* changes with the files of the web; "": no pages */
};

/* The gates: of the listener for everybody, and of the admin socket, whose users are the archive's operators. */
void auth_gate(struct exchange *x);
void auth_gate_proxied(
    struct exchange *x); /* of the listener that believes a proxy: client certificates */
void auth_gate_local(struct exchange *x);
/* Whether the sign-in may be used for this route at all (scopes.c); what is done there is decided by rights.c besides. */
bool scope_allows(const struct caller *c, const struct exchange *x);
/* The scopes that a route asks for; false: it is in no table, and closed to whoever has not all. */
bool scope_of(const struct http_route *route, unsigned int *ret);
/* A fresh caller with the rights of `user`, for the admin socket and for page sessions. */
int caller_for(struct app *app, const struct exchange *x, const char *user, const char *token_id,
    const char *authentication, struct caller **ret, struct ark_error *err);
/* Brings the caller's rights up to date, in a request that has lasted: a long poll, an upload. */
ARK_MUSTUSE int caller_renew(struct app *app, struct caller *c, struct ark_error *err);
/* Whose token is this? ret_id: 17 bytes that name it in logs. ARK_ENOTFOUND when it is nobody's or has expired. *ret is
 * the caller's (principal_unref). */
ARK_MUSTUSE int auth_principal(struct app *app, const char *token, char ret_id[17],
    unsigned int *ret_scopes, struct principal **ret, struct ark_error *err);
/* No answer about a token that is kept counts any more; sessions_forget() calls it. */
void tokens_forget(struct app *app);
/* How often that was: who has waited and finds it changed asks again who is there. */
uint64_t tokens_forgotten(struct app *app);
int token_cache_new(struct token_cache **ret, struct ark_error *err);
void token_cache_free(struct token_cache *c);
/* May this caller have another refusal logged now? */
bool refusal_budget(struct app *app, const char *user);

int policies_start(struct app *app, struct ark_error *err);
void policies_end_soon(struct app *app); /* a candidate that is looked at now is answered soon */
void policies_stop(struct app *app);     /* waits for that; no request may come any more */

int changes_start(struct app *app, struct ark_error *err);
void changes_stop(struct app *app);

#endif
