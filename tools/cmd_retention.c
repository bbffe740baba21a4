/* retention show, apply, due: how long documents are kept. */
#include <stdio.h>
#include <string.h>

#include "arkki/archive/disposition.h"
#include "arkki/base/fs.h"
#include "arkki/base/json.h"
#include "tools/cli.h"

enum { TABLE_MAX = 1 << 20 };

static int ask(
    struct client *client, const struct client_request *r, json_t **ret, struct ark_error *err)
{
	long status = 0;
	int rc = client_send(client, r, &status, ret, err);

	if (!rc)
		rc = client_ok(status, *ret, err);
	if (!rc && !*ret)
		rc = ark_fail(err, ARK_EIO, "the answer is no JSON");
	return rc;
}

static int table(struct client *client, const char *version, json_t **ret, struct ark_error *err)
{
	char path[80];
	const struct client_request r = {.method = "GET", .path = path};

	snprintf(path, sizeof(path), "/admin/retention%s%.20s", version ? "?version=" : "",
	    version ? version : "");
	return ask(client, &r, ret, err);
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

static int read_table(const char *file, json_t **ret, struct ark_error *err)
{
	struct buf text = BUF_INIT;
	int rc = fs_read_file(file, TABLE_MAX, &text, err);

	if (!rc) {
		rc = json_read(text.data ? text.data : "", text.len, ret, err);
		if (!rc)
			rc = retention_check(json_object_get(*ret, "rows"), err);
		if (rc)
			rc = ark_fail_within(err, rc, "%s", file);
	}
	buf_free(&text);
	return rc;
}

static int put(
    const struct cli *c, struct client *client, const json_t *body, struct ark_error *err)
{
	struct buf text = BUF_INIT;
	json_t *answer = NULL;
	char condition[100];
	struct client_request r = {.method = "PUT",
	    .path = "/v1/retention",
	    .user = c->user,
	    .headers = {"Accept-Language: en", condition}};
	int rc = table(client, NULL, &answer, err);

	snprintf(condition, sizeof(condition), "If-Match: %s", client_etag(client));
	json_decref(answer);
	answer = NULL;
	if (!rc)
		rc = json_write(&text, body, err);
	r.body = text.data;
	r.body_len = text.len;
	if (!rc)
		rc = ask(client, &r, &answer, err);
	if (!rc)
		printf("version %lld of the retention table is in force\n",
		    (long long)json_integer_value(json_object_get(answer, "version")));
	json_decref(answer);
	buf_free(&text);
	return rc;
}

static int apply(const struct cli *c)
{
	struct client *client = NULL;
	json_t *body = NULL;
	struct ark_error err;
	int rc;

	if (c->words_len != 3 || !c->user)
		return cli_usage(c->command);
	rc = read_table(c->words[2], &body, &err);
	if (!rc && c->reason && json_object_set_new(body, "reason", json_string(c->reason)))
		rc = ark_fail(&err, ARK_EINPUT, "the reason is not UTF-8 text");
	if (!rc)
		rc = client_open(c->words[1], c->root_key, &client, &err);
	if (!rc)
		rc = put(c, client, body, &err);
	client_close(client);
	json_decref(body);
	return rc ? cli_failed(&err) : CLI_OK;
}

/* A line for each: document, version, since when, row, then, held, proposal. */
static void print_due(const json_t *answer)
{
	json_t *d;
	size_t i;

	json_array_foreach(json_object_get(answer, "due"), i, d)
	{
		printf("%s  %lld  %s  %s  %s  %s  %s\n", json_text(d, "document"),
		    (long long)json_integer_value(json_object_get(d, "version")),
		    json_text(d, "since"), json_text(d, "row"), json_text(d, "then"),
		    json_is_true(json_object_get(d, "held")) ? "held" : "-",
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

		rc = ask(client, &r, &answer, &err);
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
