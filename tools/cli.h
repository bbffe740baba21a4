/* The command line: one function a command, and what they share.
 *
 * Exit codes: 0 done, 1 refused or failed, 2 usage. An error is one line on
 * stderr that names the thing and the mend.
 */
#ifndef ARKKI_TOOLS_CLI_H
#define ARKKI_TOOLS_CLI_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "arkki/archive/archive.h"
#include "arkki/base/buf.h"
#include "arkki/base/error.h"

enum { CLI_OK = 0, CLI_FAILED = 1, CLI_USAGE = 2 };

/* Arguments after the command, options taken out. */
struct cli {
	const char *command;
	const char *root_key, *origin, *listen, *proxy, *health, *scope, *user, *days, *manifest,
	    *language, *root, *schema;
	const char *action, *document, *version, *at, *purpose, *case_id, *break_glass;
	const char *reason, *cases, *state, *name;
	/* log, audit: what an outsider checks */
	const char *vkey, *token, *url, *disclosure, *watch, *witness_policy, *check, *out;
	const char *shares;
	/* audit replay, audit subject */
	const char *org, *role, *from, *html, *json;
	/* export, import of bags */
	const char *query, *to, *unit, *versions, *format, *bag, *type, *publicity, *date;
	/* org, user */
	const char *email, *kind, *name_sv, *name_en, *business_id, *county, *municipality;
	const char *predecessor, *confirm_every, *add;
	/* backup, restore */
	const char *keep, *keys, *point;
	/* doctor */
	const char *ca_file;
	struct cli_option {
		const char *name, *value;
	} * said; /* every option with a value, in order: for those that may be repeated */
	int said_len;
	bool list, drill, all, retire;
	bool full, validate, dry_run, yes, shipped, offline, retry, own, now;
	char credential[4096]; /* where the root key is, when systemd gave it */
	const char **words;    /* what is not an option */
	int words_len;
};

int cli_usage(const char *command);
int cli_failed(const struct ark_error *err);
/* Progress: a line that is rewritten on a terminal, a line a step otherwise. */
void cli_progress(void *arg, const char *step, uint64_t done, uint64_t of);

int cmd_init(const struct cli *c);
int cmd_load(const struct cli *c);
int cmd_token(const struct cli *c);
int cmd_org(const struct cli *c);
int cmd_user(const struct cli *c);
int cmd_certificate(const struct cli *c);
int cmd_serve(const struct cli *c);
int cmd_import(const struct cli *c);
int import_bag(const struct cli *c); /* cmd_import_bag.c */
int cmd_export(const struct cli *c);
int export_verify(const struct cli *c); /* cmd_export_verify.c */
int cmd_verify(const struct cli *c);
int cmd_rebuild(const struct cli *c);
int cmd_scrub(const struct cli *c);
int cmd_repair(const struct cli *c);
int cmd_texts(const struct cli *c);
int cmd_ocr(const struct cli *c);
int cmd_log(const struct cli *c);
int log_follow(const struct cli *c);
int log_prove(const struct cli *c);
int cmd_audit(const struct cli *c);
int audit_report(const struct cli *c); /* cmd_audit_report.c */
int cmd_analyse(const struct cli *c);
int cmd_policy(const struct cli *c);
/* cmd_policy_change.c: the policies of an archive */
int policy_show(const struct cli *c);
int policy_cases(const struct cli *c);
int policy_versions(const struct cli *c);
int policy_apply(const struct cli *c);
int policy_restore(const struct cli *c);
int cmd_synonyms(const struct cli *c);
int cmd_provider(const struct cli *c);
int cmd_witness(const struct cli *c);
int cmd_witnesses(const struct cli *c);
int cmd_retention(const struct cli *c);
int cmd_dispose(const struct cli *c);
int cmd_keys(const struct cli *c);
int cmd_backup(const struct cli *c); /* cmd_backup.c */
int cmd_restore(const struct cli *c);
int cmd_backup_receive(const struct cli *c);
int cmd_doctor(const struct cli *c);
int cmd_routes(const struct cli *c);
int cmd_demo_build(const struct cli *c);

/* ---- a client of the archive's own admin socket ---- */

/* Talks to the server that holds DIR, or, when there is none, opens the
 * archive and serves its admin socket in this process: one way for both. */
struct client;
ARK_MUSTUSE int client_open(
    const char *dir, const char *root_key, struct client **ret, struct ark_error *err);
void client_close(struct client *c);
bool client_is_remote(const struct client *c);

struct client_part { /* a part of a multipart body */
	const char *name, *media_type;
	const void *bytes;
	size_t len;
	const char *file; /* instead of bytes: streamed */
	/* instead of both: size bytes, given as they are asked for; 0 at the end, CURL_READFUNC_ABORT on failure */
	size_t (*read)(char *out, size_t size, size_t n, void *arg);
	void *read_arg;
	uint64_t size;
	const char *file_name; /* sent as such; NULL: none */
};
struct client_request {
	const char *method, *path;
	const char *user;       /* acts with this user's rights */
	const char *headers[8]; /* "Name: value", NULL-ended */
	const void *body;
	size_t body_len;
	const struct client_part *parts; /* instead of a body */
	size_t parts_len;
};
/* *ret_body (may be NULL): the parsed JSON answer, NULL when it was none. Negative: no answer at all. */
ARK_MUSTUSE int client_send(struct client *c, const struct client_request *r, long *ret_status,
    json_t **ret_body, struct ark_error *err);
/* GETs r->path as r->user, with r->headers, into fd, however long it is. Not ARK_OK unless the answer is 200. *ret_status
 * (may be NULL): 0 when there was none. */
ARK_MUSTUSE int client_fetch(struct client *c, const struct client_request *r, int fd,
    long *ret_status, struct ark_error *err);
/* The same into a new file, which is synced, or to stdout ("-"); after a failure there is no file. */
ARK_MUSTUSE int client_fetch_file(struct client *c, const struct client_request *r, const char *to,
    long *ret_status, struct ark_error *err);
/* Did the last answer say that the request had been filed before? */
bool client_replayed(const struct client *c);
/* The entity tag of the last answer; "" when it had none. */
const char *client_etag(const struct client *c);
/* The Arkki-Receipt of the last answer; "" when it had none. */
const char *client_receipt(const struct client *c);
/* Fails with the answer's detail unless status is 2xx. */
ARK_MUSTUSE int client_ok(long status, const json_t *body, struct ark_error *err);
/* Sends and takes a JSON answer of status 2xx, which is the caller's; *ret is not touched on failure. */
ARK_MUSTUSE int client_ask(
    struct client *c, const struct client_request *r, json_t **ret, struct ark_error *err);
/* The whole number in a member; 0 when there is none. */
long long cli_number(const json_t *object, const char *member);

/* ---- table.c: a table that is kept in versions and changed as a whole, from a file ---- */

struct cli_table {
	const char *name;         /* "synonyms" */
	const char *stands, *put; /* paths: GET of the operator, PUT of an administrator */
	int (*check)(const json_t *table, struct ark_error *err);
};
/* The table of a file, checked; the caller's. */
ARK_MUSTUSE int table_read(
    const char *file, const struct cli_table *t, json_t **ret, struct ark_error *err);
/* `… apply DIR FILE --user USER [--reason TEXT]`; returns an exit code. */
int table_apply(const struct cli *c, const struct cli_table *t);

#endif
