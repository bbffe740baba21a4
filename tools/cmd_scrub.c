/* scrub: the reading again of everything, from the command line. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "arkki/base/json.h"
#include "tools/cli.h"

enum { WAIT_MS = 200 };

static int ask(struct client *client, const char *method, const char *path, json_t **ret,
    struct ark_error *err)
{
	const struct client_request r = {.method = method, .path = path};

	return client_ask(client, &r, ret, err);
}

static void print_faults(const json_t *pass)
{
	const json_t *list = json_object_get(pass, "faults");
	json_t *f;
	size_t i;

	json_array_foreach(list, i, f)
	{
		const char *file = json_text(f, "file"), *document = json_text(f, "document");

		printf("fault: %s", json_text(f, "what"));
		if (file)
			printf("; file %s", file);
		if (document)
			printf("; document %s", document);
		if (document && cli_number(f, "version"))
			printf(" version %lld", cli_number(f, "version"));
		putchar('\n');
	}
	if (cli_number(pass, "faultCount") > (long long)json_array_size(list))
		printf("and %lld more\n",
		    cli_number(pass, "faultCount") - (long long)json_array_size(list));
}

static void print_last(const json_t *last)
{
	const char *why = json_text(last, "why");

	printf("last pass %lld: %s, %s to %s, %lld bytes, %lld faults\n", cli_number(last, "pass"),
	    json_text(last, "outcome"), json_text(last, "begun"), json_text(last, "ended"),
	    cli_number(last, "bytes"), cli_number(last, "faultCount"));
	if (why)
		printf("it failed: %s\n", why);
	print_faults(last);
}

static void print_status(const json_t *s)
{
	const json_t *last = json_object_get(s, "last");
	const char *step = json_text(s, "step"), *state = json_text(s, "state");

	printf("scrub: %s; at most %lld MB/s, every %lld days\n", state ? state : "unknown",
	    cli_number(s, "rate"), cli_number(s, "everyDays"));
	if (cli_number(s, "pass")) {
		printf("pass %lld since %s: at %s, %lld of %lld bytes, %lld faults\n",
		    cli_number(s, "pass"), json_text(s, "begun"), step ? step : "its beginning",
		    cli_number(s, "bytes"), cli_number(s, "of"), cli_number(s, "faultCount"));
		print_faults(s);
	}
	if (last)
		print_last(last);
	else
		printf("no pass has ended yet\n");
}

/* Until the pass that was asked for has ended: it is the one after `before`. */
static int wait_for_end(
    struct client *client, long long before, json_t **ret, struct ark_error *err)
{
	const struct timespec nap = {0, WAIT_MS * 1000000L};

	for (;;) {
		const char *state;
		int rc = ask(client, "GET", "/admin/scrub", ret, err);

		if (rc)
			return rc;
		state = json_text(*ret, "state");
		if (cli_number(json_object_get(*ret, "last"), "pass") > before)
			return ARK_OK;
		if (state && strcmp(state, "paused") == 0)
			rc = ark_fail(err, ARK_EREFUSED, "the scrub was paused; nothing was shown");
		json_decref(*ret);
		*ret = NULL;
		if (rc)
			return rc;
		nanosleep(&nap, NULL);
	}
}

/* A pass at full speed; its result decides the exit code. */
static int scrub_now(struct client *client, struct ark_error *err)
{
	json_t *s = NULL, *last;
	const char *outcome;
	long long before = 0;
	int rc = ask(client, "GET", "/admin/scrub", &s, err);

	if (!rc) {
		before = cli_number(json_object_get(s, "last"), "pass");
		json_decref(s);
		rc = ask(client, "POST", "/admin/scrub?action=now", &s, err);
	}
	if (!rc) {
		json_decref(s);
		rc = wait_for_end(client, before, &s, err);
	}
	if (rc)
		return rc;
	last = json_object_get(s, "last");
	outcome = json_text(last, "outcome");
	print_last(last);
	if (!outcome || strcmp(outcome, "whole") != 0)
		rc = ark_fail(err, ARK_EIO, "the scrub did not come to its end: nothing is shown");
	else if (cli_number(last, "faultCount"))
		rc = ark_fail(err, ARK_ECORRUPT, "%lld faults; `arkki repair` mends from a mirror",
		    cli_number(last, "faultCount"));
	json_decref(s);
	return rc;
}

int cmd_scrub(const struct cli *c)
{
	struct client *client = NULL;
	const char *what = c->words_len > 1 ? c->words[1] : c->now ? "now" : "";
	bool now = strcmp(what, "now") == 0;
	struct ark_error err;
	json_t *s = NULL;
	int rc;

	if (c->words_len < 1 || c->words_len > 2 || (c->words_len == 2 && c->now) ||
	    (!now && strcmp(what, "status") != 0 && strcmp(what, "start") != 0 &&
		strcmp(what, "pause") != 0))
		return cli_usage(c->command);
	rc = client_open(c->words[0], c->root_key, &client, &err);
	if (!rc && now)
		rc = scrub_now(client, &err);
	else if (!rc && strcmp(what, "status") == 0)
		rc = ask(client, "GET", "/admin/scrub", &s, &err);
	else if (!rc)
		rc = ask(client, "POST",
		    strcmp(what, "start") == 0 ? "/admin/scrub?action=start"
					       : "/admin/scrub?action=pause",
		    &s, &err);
	if (!rc && s)
		print_status(s);
	json_decref(s);
	client_close(client);
	return rc ? cli_failed(&err) : CLI_OK;
}
