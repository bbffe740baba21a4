/* verify: everything compared with everything, and what came of it entered into the history log. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "arkki/archive/verified.h"
#include "arkki/base/fs.h"
#include "arkki/base/json.h"
#include "tools/cli.h"

static void print_fault(void *arg, const char *what)
{
	(void)arg;
	printf("fault: %s\n", what);
}

static void print_summary(void *arg, const char *line)
{
	(void)arg;
	printf("%s\n", line);
}

/* The server that holds the archive; NULL: there is none. */
static struct client *server_of(const struct cli *c)
{
	struct client *client = NULL;
	struct ark_error err;
	char socket[4096];

	if (fs_path(socket, NULL, "%s/run/admin.sock", c->words[0]) || !fs_exists(socket) ||
	    client_open(c->words[0], c->root_key, &client, &err))
		return NULL;
	if (client_is_remote(client))
		return client;
	client_close(client);
	return NULL;
}

/* The server writes the entries for this work; the receipt is ours. NULL: there is no server. */
static char *server_receipt(const struct cli *c, bool full, json_t *result)
{
	const struct client_request r = {.method = "POST",
	    .path = full ? "/admin/verify?scope=full" : "/admin/verify?scope=light"};
	struct client *client = server_of(c);
	struct ark_error err;
	json_t *body = NULL;
	char *token = NULL;

	if (client && !client_ask(client, &r, &body, &err) && json_text(body, "receipt")) {
		token = strdup(json_text(body, "receipt"));
		json_object_set(result, "begun", json_object_get(body, "begun"));
	}
	json_decref(body);
	client_close(client);
	return token;
}

static int keep_by_server(
    struct client *client, bool full, const json_t *result, struct ark_error *err)
{
	struct client_request r = {.method = "POST",
	    .path = full ? "/admin/verify/result?scope=full" : "/admin/verify/result?scope=light"};
	struct buf text = BUF_INIT;
	json_t *body = NULL;
	int rc = json_write(&text, result, err);

	r.body = text.data;
	r.body_len = text.len;
	if (!rc)
		rc = client_ask(client, &r, &body, err);
	json_decref(body);
	buf_free(&text);
	return rc;
}

/* A server may have started, or ended, while the check ran. */
static int keep(const struct cli *c, bool full, const json_t *result, struct ark_error *err)
{
	struct client *client = server_of(c);
	struct archive *a = NULL;
	int rc;

	if (client) {
		rc = keep_by_server(client, full, result, err);
		client_close(client);
		return rc;
	}
	rc = archive_open(c->words[0], c->root_key, ARCHIVE_WRITE, NULL, NULL, &a, err);
	if (!rc)
		rc = verified_end(a, full ? VERIFIED_FULL : VERIFIED_LIGHT, result, err);
	archive_close(a);
	return rc;
}

static int verify_and_keep(const struct cli *c, bool full, struct ark_error *err)
{
	const struct archive_verify_to to = {
	    .progress = isatty(STDERR_FILENO) ? cli_progress : NULL,
	    .bad = print_fault,
	    .summary = print_summary};
	json_t *result = json_object();
	struct ark_error why = {0};
	char *receipt;
	int rc, kept = ARK_OK;

	if (!result)
		return ark_fail(err, ARK_ENOMEM, "no memory for the result of the check");
	receipt = server_receipt(c, full, result);
	rc = archive_verify_result(c->words[0], c->root_key, full, receipt, &to, result, err);
	if (json_object_get(result, "begun")) /* else not even that it began could be entered */
		kept = keep(c, full, result, &why);
	if (kept) {
		fprintf(stderr, "arkki: the result could not be entered into the history log: %s\n",
		    why.text);
		if (!rc)
			rc = ark_fail(err, why.status, "%s", why.text);
	}
	json_decref(result);
	free(receipt);
	return rc;
}

int cmd_verify(const struct cli *c)
{
	struct ark_error err = {0};

	if (c->words_len != 1)
		return cli_usage(c->command);
	return verify_and_keep(c, c->full, &err) ? cli_failed(&err) : CLI_OK;
}
