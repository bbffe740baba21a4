/* Exports: packages made for one caller, in the background.
 *
 * A job is decided by what its caller saw and might read when it was asked for; invisible documents are never
 * named in it. Each exported version is logged (kind `export`) durably before its bytes are opened, in groups. Job and
 * package live in this process only: after a restart an export says that it must be made anew (410).
 *
 * Threads: one worker makes packages one after the other; handlers look at jobs under the service's lock. A job
 * lives until its last holder lets go of it.
 */
#ifndef ARKKI_API_EXPORTS_H
#define ARKKI_API_EXPORTS_H

#include "api/app.h"
#include "arkki/archive/package.h"

enum {
	EXPORT_DOCUMENTS_MAX = 10000,
	EXPORT_VERSIONS_MAX = 50000,
	EXPORTS_OF_USER = 10,     /* kept */
	EXPORTS_MAX = 100,        /* kept of all */
	EXPORTS_TRANSFERS = 100,  /* kept for receivers */
	EXPORT_GROUP = 64,        /* versions logged together */
	EXPORT_ACCESS_MAX = 1000, /* disclosed access entries of a document */
};
#define EXPORT_KEPT_US (24 * INT64_C(3600) * 1000000)

enum export_state { EXPORT_WAITING, EXPORT_RUNNING, EXPORT_READY, EXPORT_FAILED };

struct export_job {
	/* fixed once it is queued */
	char id[33];
	struct app *app;
	struct principal *who; /* NULL: the operator's */
	const char *user, *org,
	    *roles; /* borrowed, of `who` or static; org and roles may be NULL */
	bool own_series;
	struct access_sight *sight;    /* NULL: everything */
	struct access_filter *content; /* whose bytes the caller may have; NULL: all */
	char *purpose, *case_id, *break_glass;
	char token_id[17], address[64];
	const char *authentication;
	bool glass_refused, auditor;
	json_t *documents; /* ids, or NULL: by unit and case */
	json_t *query;     /* what the documents were found by; or NULL */
	uint32_t *hits; /* the version found of each of the documents, which may repeat; or NULL */
	char *unit, *of_case;
	bool all_versions;
	bool transfer; /* for the archive that takes the document over: transfers.c */
	enum package_kind kind;
	enum http_language language;
	int64_t created_us;
	/* under the service's lock */
	enum export_state state;
	unsigned int holders;
	bool dropped, gathered;
	char (*holds)[33]; /* the documents that are in it, in order; of a gathered one */
	size_t holds_len;
	uint64_t found, done, whole, renditions, withheld, missing;
	struct ark_error error;
	struct package *package; /* READY */
	struct export_job *next;
};

struct exports_service;
ARK_MUSTUSE int exports_start(struct app *app, struct ark_error *err);
void exports_end_soon(struct app *app); /* what is being made is given up */
void exports_stop(struct app *app);     /* likewise, and waits */

/* ---- exports_service.c: jobs are held by whoever looks at them: export_release() ---- */
void export_free(struct export_job *j); /* one that was never queued or kept; takes NULL */
void export_release(struct export_job *j);
/* False: the caller, or all together, have too many. The caller's oldest that is done makes room. */
bool exports_queue(struct export_job *j);
/* The user's own, held. NULL: there is none. */
struct export_job *exports_hold(struct app *app, const char *user, const char *id);
size_t exports_hold_all(struct app *app, const char *user, struct export_job *ret[EXPORTS_OF_USER]);
void exports_drop(struct export_job *j); /* releases it too */
/* How far it is; the counts go into ret_tally. Both may be NULL. */
enum export_state export_look(
    struct export_job *j, struct export_job *ret_tally, struct ark_error *ret_error);
/* It is made, with these counts: READY. */
void export_done(struct export_job *j, const struct export_job *tally);
bool exports_keep_more(struct app *app); /* without one giving way */
/* Takes a transfer that is READY and holds one document; the oldest gives way to it. */
void exports_keep(struct export_job *j);
/* The newest one of the document, held. NULL: none is kept. */
struct export_job *exports_hold_transfer(struct app *app, const char *document);
void exports_drop_transfers(struct app *app, const char *document); /* all of it */

/* For the worker's story: says how far it is; false: it must end (dropped, or the server stops). */
bool export_goes_on(struct export_job *j, const struct export_job *tally);

/* The same when it is known which documents go into it: exports_forget() needs to know. ARK_EIO: it must end. */
ARK_MUSTUSE int export_gathered(
    struct export_job *j, const struct catalogue_row *rows, size_t n, struct ark_error *err);

/* Documents are being destroyed, and are in the catalogue no more: every package that holds one of them, and each
 * that may, is gone with its key when this returns. A download of it breaks off. */
void exports_forget(struct app *app, const char (*documents)[33], size_t n);

/* exports_work.c: makes the package. On success *ret is the caller's. */
ARK_MUSTUSE int export_make(
    struct export_job *j, struct package **ret, struct export_job *tally, struct ark_error *err);

/* Appends the verifier key of a log's newest key. */
ARK_MUSTUSE int export_log_key(
    struct archive *a, enum ledger_which which, struct buf *vkey, struct ark_error *err);

/* exports_query.c: the fault of a query in words for a reader, or false. */
bool export_query_fault(const json_t *query, char out[200]);
/* Logs the search and calls then(x, hits, query): what the caller's search shows now, by id and version, as [id,
 * version] pairs. Takes neither; hits are freed behind then(). Replies by itself when it cannot be searched, or finds more
 * than an export takes. body: kept until then() has returned. */
void export_query_begin(struct exchange *x, const json_t *body,
    void (*then)(struct exchange *x, const json_t *body, const json_t *hits));

/* exports_page.c: appends the readable page of what export.json says. */
ARK_MUSTUSE int export_page(
    const json_t *about, enum http_language language, struct buf *out, struct ark_error *err);

/* Logs that the package of a READY job is fetched, and streams it. Takes the hold on it; what the visit held before is
 * freed. */
void export_send(struct exchange *x, struct export_job *j);

/* exports.c: asks for one as POST /v1/exports does, without a query: the page's way in. ARK_EINPUT: *ret_errors (the
 * caller's, always) says what is wrong; ARK_ECONFLICT: there are too many. */
ARK_MUSTUSE int exports_ask(
    struct exchange *x, const json_t *body, json_t **ret_errors, struct ark_error *err);
/* The caller's exports as GET /v1/exports tells them; the caller's. */
json_t *exports_own(struct exchange *x);

/* ---- handlers: exports.c ---- */
void exports_post(struct exchange *x);
void exports_list(struct exchange *x);
void exports_get(struct exchange *x);
void exports_content(struct exchange *x);
void exports_delete(struct exchange *x);

#endif
