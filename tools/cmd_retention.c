/* retention show, apply, due: how long documents are kept. */
#include <stdio.h>
#include <string.h>

#include "arkki/archive/disposition.h"
#include "arkki/base/json.h"
#include "tools/cli.h"

static int table(struct client *client, const char *version, json_t **ret, struct ark_error *err)
{
	char path[80];
	const struct client_request r = {.method = "GET", .path = path};

	snprintf(path, sizeof(path), "/admin/retention%s%.20s", version ? "?version=" : "",
	    version ? version : "");
	return client_ask(client, &r, ret, err);
}

static int show(const struct cli *c)
{
	struct client *client = NULL;
	json_t *answer = NULL, *out;
	struct ark_error err;
	int rc;

	if (c->words_len != 2)
		return cli_usage(c->command);
	rc = client_open(c->words[1], c->root_key, &client, &err);
	if (!rc)
		rc = table(client, c->version, &answer, &err);
	if (!rc) {
		out = json_pack("{s:O}", "rows", json_object_get(answer, "rows"));
		json_dumpf(out, stdout, JSON_INDENT(1));
		putchar('\n');
		json_decref(out);
	}
	json_decref(answer);
	client_close(client);
	return rc ? cli_failed(&err) : CLI_OK;
}

static int check(const json_t *body, struct ark_error *err)
{
	return retention_check(json_object_get(body, "rows"), err);
}

static int apply(const struct cli *c)
{
	static const struct cli_table retention = {.name = "retention table",
	    .stands = "/admin/retention",
	    .put = "/v1/retention",
	    .check = check};

	return table_apply(c, &retention);
}

/* A line for each: document, version, since when, row, then, held, proposal. */
static void print_due(const json_t *answer)
{
	json_t *d;
	size_t i;

	json_array_foreach(json_object_get(answer, "due"), i, d)
	{
		printf("%s  %lld  %s  %s  %s  %s  %s\n", json_text(d, "document"),
		    cli_number(d, "version"), json_text(d, "since"), json_text(d, "row"),
		    json_text(d, "then"), json_is_true(json_object_get(d, "held")) ? "held" : "-",
		    json_text(d, "proposal"));
	}
}

static int due(const struct cli *c)
{
	struct client *client = NULL;
	struct ark_error err;
	char path[1400] = "/v1/retention/due?limit=100";
	int rc;

	if (c->words_len != 2 || !c->user || (c->at && strlen(c->at) > 10))
		return cli_usage(c->command);
	if (c->at)
		snprintf(path, sizeof(path), "/v1/retention/due?limit=100&at=%.10s", c->at);
	rc = client_open(c->words[1], c->root_key, &client, &err);
	while (!rc && path[0]) {
		const struct client_request r = {.method = "GET", .path = path, .user = c->user};
		json_t *answer = NULL;

		rc = client_ask(client, &r, &answer, &err);
		if (!rc)
			print_due(answer);
		if (!rc && json_text(answer, "next"))
			snprintf(path, sizeof(path),
			    "/v1/retention/due?limit=100&cursor=%.1200s%s%.10s",
			    json_text(answer, "next"), c->at ? "&at=" : "", c->at ? c->at : "");
		else
			path[0] = '\0';
		json_decref(answer);
	}
	client_close(client);
	return rc ? cli_failed(&err) : CLI_OK;
}

int cmd_retention(const struct cli *c)
{
	const char *what = c->words_len ? c->words[0] : "";

	if (!strcmp(what, "show"))
		return show(c);
	if (!strcmp(what, "apply"))
		return apply(c);
	if (!strcmp(what, "due"))
		return due(c);
	return cli_usage(c->command);
}
