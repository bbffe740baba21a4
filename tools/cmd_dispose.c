/* dispose run, status, package: the end of documents. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "arkki/base/json.h"
#include "arkki/base/text.h"
#include "tools/cli.h"

static int ask(const struct cli *c, const char *method, json_t **ret)
{
	const struct client_request r = {.method = method, .path = "/admin/dispose"};
	struct client *client = NULL;
	struct ark_error err;
	int rc = client_open(c->words[0], c->root_key, &client, &err);

	if (!rc)
		rc = client_ask(client, &r, ret, &err);
	client_close(client);
	return rc ? cli_failed(&err) : CLI_OK;
}

static void print_done(const json_t *done)
{
	printf("destroyed %lld, on hold %lld, awaiting the receiver %lld",
	    cli_number(done, "destroyed"), cli_number(done, "held"), cli_number(done, "awaiting"));
	if (cli_number(done, "notDue"))
		printf(", not due any more %lld", cli_number(done, "notDue"));
	putchar('\n');
	fflush(stdout);
	if (json_text(done, "packageError"))
		fprintf(stderr, "arkki: the package of a transfer cannot be made: %s\n",
		    json_text(done, "packageError"));
}

static int run(const struct cli *c)
{
	json_t *done = NULL;
	int rc = ask(c, "POST", &done);

	if (rc == CLI_OK) {
		print_done(done);
		rc = json_text(done, "packageError") ? CLI_FAILED : CLI_OK;
	}
	json_decref(done);
	return rc;
}

static int status(const struct cli *c)
{
	json_t *now = NULL;
	const json_t *last;
	int rc = ask(c, "GET", &now);

	if (rc != CLI_OK) {
		json_decref(now);
		return rc;
	}
	if (cli_number(now, "everySeconds"))
		printf("the server looks every %lld seconds%s\n", cli_number(now, "everySeconds"),
		    json_is_true(json_object_get(now, "running")) ? "; it is at it now" : "");
	else
		printf("only when told: arkki dispose DIR run\n");
	printf("to be destroyed %lld, begun %lld, on hold %lld, without a package %lld, awaiting "
	       "the receiver %lld\n",
	    cli_number(now, "ready"), cli_number(now, "begun"), cli_number(now, "held"),
	    cli_number(now, "unpacked"), cli_number(now, "awaiting"));
	last = json_object_get(now, "last");
	if (json_is_object(last)) {
		printf("last run %s: ", json_text(last, "at"));
		print_done(last);
		if (json_text(last, "error"))
			printf("it failed: %s\n", json_text(last, "error"));
	}
	if (json_text(now, "packageError"))
		printf("a package cannot be made: %s\n", json_text(now, "packageError"));
	json_decref(now);
	return CLI_OK;
}

/* While the server makes it the answer is 503. */
static int fetch(struct client *client, const struct cli *c, const struct client_request *r,
    struct ark_error *err)
{
	enum { TRIES = 6000, PAUSE_US = 100000 };
	long status = 0;
	int rc = client_fetch_file(client, r, c->to, &status, err);

	for (int i = 0; rc && status == 503 && i < TRIES; i++) {
		usleep(PAUSE_US);
		rc = client_fetch_file(client, r, c->to, &status, err);
	}
	return rc;
}

static int package(const struct cli *c)
{
	char path[100], stated_case[100];
	struct client_request r = {.path = path, .user = c->user};
	struct client *client = NULL;
	struct buf purpose = BUF_INIT;
	struct ark_error err;
	size_t n = 0;
	int rc;

	if (!c->user || !c->to || !c->document || strlen(c->document) > 32)
		return cli_usage(c->command);
	snprintf(path, sizeof(path), "/v1/documents/%s/dispose/package", c->document);
	buf_adds(&purpose, "Arkki-Purpose: ");
	percent_encode(&purpose, c->purpose ? c->purpose : "", c->purpose ? strlen(c->purpose) : 0);
	snprintf(
	    stated_case, sizeof(stated_case), "Arkki-Case: %.64s", c->case_id ? c->case_id : "");
	if (c->purpose)
		r.headers[n++] = purpose.data;
	if (c->case_id)
		r.headers[n++] = stated_case;
	rc = buf_failed(&purpose) ? ark_fail(&err, ARK_ENOMEM, "no memory for a purpose")
				  : client_open(c->words[0], c->root_key, &client, &err);
	if (!rc)
		rc = fetch(client, c, &r, &err);
	client_close(client);
	buf_free(&purpose);
	return rc ? cli_failed(&err) : CLI_OK;
}

int cmd_dispose(const struct cli *c)
{
	if (c->words_len == 2 && strcmp(c->words[1], "run") == 0)
		return run(c);
	if (c->words_len == 2 && strcmp(c->words[1], "status") == 0)
		return status(c);
	if (c->words_len == 2 && strcmp(c->words[1], "package") == 0)
		return package(c);
	return cli_usage(c->command);
}
