/* The inside of an exchange, shared by http_mhd.c, exchange.c and reply.c.
 *
 * Invariants:
 *   - `step` only grows; handlers run in its order, each once.
 *   - between http_wait() and the end of its fn, wait_fn is set; `wake` then says who
 *     must act (see enum wake). MHD's connection is suspended exactly while wake is WAKE_DUE.
 *   - after reply.status is set no handler runs.
 */
#ifndef ARKKI_API_EXCHANGE_H
#define ARKKI_API_EXCHANGE_H

#include <stdatomic.h>

#include "api/http_guard.h"
#include "api/reaper.h"
#include "api/router.h"
#include "api/target.h"
#include "arkki/api/http.h"

struct MHD_Connection;

enum step { STEP_GATE, STEP_BEGIN, STEP_BODY, STEP_FINISH, STEP_DONE };

enum wake {
	WAKE_NONE,      /* http_wait() not yet called, or its fn is running */
	WAKE_CAME,      /* http_wake() was called: fn is to be run */
	WAKE_DUE,       /* suspended; http_wake() will resume it */
	WAKE_ABANDONED, /* the server stops: the connection goes without waiting */
	WAKE_ORPHANED,  /* the connection is gone: http_wake() frees the exchange */
};

enum reply_kind { REPLY_EMPTY, REPLY_BUF, REPLY_STATIC, REPLY_STREAM };

struct reply {
	int status; /* 0: none yet */
	enum reply_kind kind;
	bool cached_set, referrer_set; /* the handler gave its own */
	struct buf headers;            /* name NUL value NUL … */
	struct buf body;
	const void *bytes; /* STATIC */
	uint64_t len;
	ssize_t (*read)(void *arg, uint64_t pos, char *out, size_t max);
	void (*free_arg)(void *arg);
	void *arg;
};

struct attached {
	void *data;
	http_end_fn *end;
};

struct kept {
	struct kept *next;
	char text[];
};

struct http_server;

struct exchange {
	struct http_server *server;
	struct MHD_Connection *connection;
	struct conn *conn;
	const char *method;
	char *target_text;      /* as sent; NULL when there was none */
	const char *target_raw; /* where the library has it; for the first call only */
	char *field_text; /* method and fields, copied: MHD's memory goes with the connection */
	int64_t began_us;

	struct guard_verdict guard;
	struct route_match match;
	int early_status; /* a refusal that the gate's step answers with */
	const char *early_detail;

	enum step step;
	bool known;    /* the first call has been */
	bool admitted; /* gate and begin are through, or there is no body to hold back */
	void (*wait_fn)(struct exchange *x);
	atomic_int wake;
	bool listed; /* on the server's list of the suspended */
	struct exchange *wait_prev, *wait_next;

	size_t piece_seen;  /* bytes of MHD's current piece that body() has had */
	uint64_t bytes_in;  /* of the body */
	uint64_t discarded; /* of those, after the reply */
	bool cut;           /* replied past the transport: only draining is left */
	uint64_t body_max;
	struct buf whole;
	char *form_text;
	struct pair *form;
	unsigned int n_form;

	struct attached data, caller;
	struct kept *kept; /* joined headers, cookies: live as long as the exchange */
	char peer[64];

	struct reply reply;
	uint64_t bytes_out;

	struct target target;
	size_t n_fields;
	struct http_field fields[HTTP_HEADERS_MAX];
};

enum pump {
	PUMP_ON,    /* nothing waits, nothing is replied: give it more */
	PUMP_WAIT,  /* suspended */
	PUMP_REPLY, /* reply is set */
	PUMP_CLOSE, /* abandoned */
};

/* exchange.c: the story of a request. */
void exchange_arrive(struct exchange *x, const char *version, bool fields_cut, bool odd_block);
enum pump exchange_advance(struct exchange *x, enum step until);
enum pump exchange_piece(struct exchange *x, const char *bytes, size_t len);
/* Frees what is held, calling free_arg and the `end`s; not x itself. */
void exchange_close(struct exchange *x, enum http_outcome outcome);

/* http_mhd.c: what exchange.c needs of the transport. */
const struct http_config *server_config(const struct http_server *s);
const struct router *server_router(const struct http_server *s);
void *server_app(const struct http_server *s);
bool transport_suspend(struct exchange *x); /* false: the server waits for nobody any more */
void transport_resume(struct exchange *x);
void transport_wake(struct exchange *x);

/* reply.c */
void reply_free(struct reply *r);

#endif
