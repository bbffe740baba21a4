/* export: asks the server for a package as one of its users, waits, and fetches it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "arkki/base/json.h"
#include "tools/cli.h"

/* Words, or an object as POST /v1/search takes it; the other filters narrow it. NULL: an object that is none. */
static json_t *query_of(const struct cli *c)
{
	const struct {
		const char *name, *value;
	} filters[] = {{"unit", c->unit}, {"case", c->case_id}, {"type", c->type},
	    {"language", c->language}, {"publicity", c->publicity}, {"from", c->from}};
	json_t *q = c->query[0] == '{' ? json_loads(c->query, JSON_REJECT_DUPLICATES, NULL)
				       : json_pack("{s:s}", "q", c->query);

	for (size_t i = 0; q && i < sizeof(filters) / sizeof(*filters); i++)
		if (filters[i].value)
			json_object_set_new(q, filters[i].name, json_string(filters[i].value));
	return q;
}

/* What is asked for; NULL: no memory. --case is the filter, and the case that the reading is for. */
static json_t *request_of(const struct cli *c)
{
	json_t *body = json_object(), *documents = json_array();

	for (int i = 0; documents && i < c->said_len; i++)
		if (strcmp(c->said[i].name, "--document") == 0)
			json_array_append_new(documents, json_string(c->said[i].value));
	if (body && json_array_size(documents))
		json_object_set(body, "documents", documents);
	else if (body && c->query)
		json_object_set_new(body, "query", query_of(c));
	else if (body && c->case_id)
		json_object_set_new(body, "case", json_string(c->case_id));
	json_decref(documents);
	if (body && c->unit && !c->query)
		json_object_set_new(body, "unit", json_string(c->unit));
	if (body && c->versions)
		json_object_set_new(body, "versions", json_string(c->versions));
	if (body && c->format)
		json_object_set_new(body, "format", json_string(c->format));
	if (body && c->purpose)
		json_object_set_new(body, "purpose", json_string(c->purpose));
	return body;
}

static int send(
    struct client *client, struct client_request *r, json_t **ret, struct ark_error *err)
{
	json_t *answer = NULL;
	long status = 0;
	int rc = client_send(client, r, &status, &answer, err);

	if (!rc)
		rc = client_ok(status, answer, err);
	if (rc || !ret)
		json_decref(answer);
	else
		*ret = answer;
	return rc;
}

static int begin(struct client *client, const struct cli *c, char path[64], struct ark_error *err)
{
	struct buf text = BUF_INIT;
	json_t *body = request_of(c), *answer = NULL;
	char header[128];
	int rc = body ? json_write(&text, body, err) : ark_fail(err, ARK_ENOMEM, "no memory");

	if (!rc && c->query && !json_object_get(body, "query"))
		rc = ark_fail(err, ARK_EINPUT,
		    "--query is words, or an object in JSON; with --document there is none");

	if (!rc) {
		struct client_request r = {.method = "POST",
		    .path = "/v1/exports",
		    .user = c->user,
		    .body = text.data,
		    .body_len = text.len};

		snprintf(header, sizeof(header), "Arkki-Case: %s", c->case_id ? c->case_id : "");
		if (c->case_id)
			r.headers[0] = header;
		rc = send(client, &r, &answer, err);
	}
	if (!rc)
		snprintf(path, 64, "/v1/exports/%.32s",
		    json_text(answer, "id") ? json_text(answer, "id") : "");
	json_decref(answer);
	json_decref(body);
	buf_free(&text);
	return rc;
}

/* Until it is ready; *ret is its last state. */
static int wait_for(struct client *client, const struct cli *c, const char *path, json_t **ret,
    struct ark_error *err)
{
	struct client_request r = {.method = "GET", .path = path, .user = c->user};
	const char *state;
	json_int_t told = -1, done;
	json_t *answer = NULL;
	int rc;

	while (!(rc = send(client, &r, &answer, err))) {
		state = json_text(answer, "state");
		done = json_integer_value(json_object_get(answer, "done"));
		if (state && strcmp(state, "ready") == 0)
			break;
		if (state && strcmp(state, "failed") == 0) {
			rc = ark_fail(
			    err, ARK_EREFUSED, "the export failed: %s", json_text(answer, "error"));
			break;
		}
		if (done != told)
			cli_progress(NULL, "export: version", (uint64_t)done,
			    (uint64_t)json_integer_value(json_object_get(answer, "versions")));
		told = done;
		json_decref(answer);
		answer = NULL;
		usleep(100000);
	}
	if (rc)
		json_decref(answer);
	else
		*ret = answer;
	return rc;
}

static int fetch(
    struct client *client, const struct cli *c, const char *path, struct ark_error *err)
{
	char content[96];
	const struct client_request r = {.path = content, .user = c->user};

	snprintf(content, sizeof(content), "%s/content", path);
	return client_fetch_file(client, &r, c->to, NULL, err);
}

static void tell(const struct cli *c, const json_t *done)
{
	fprintf(strcmp(c->to, "-") == 0 ? stderr : stdout,
	    "exported to %s: %lld versions whole, %lld public renditions, %lld withheld, %lld not "
	    "found\n",
	    c->to, (long long)json_integer_value(json_object_get(done, "whole")),
	    (long long)json_integer_value(json_object_get(done, "renditions")),
	    (long long)json_integer_value(json_object_get(done, "withheld")),
	    (long long)json_integer_value(json_object_get(done, "missing")));
}

int cmd_export(const struct cli *c)
{
	struct client *client = NULL;
	struct ark_error err;
	json_t *done = NULL;
	char path[64] = "";
	int rc;

	if (c->words_len && strcmp(c->words[0], "verify") == 0)
		return export_verify(c);
	if (c->words_len != 1 || !c->user || !c->to)
		return cli_usage(c->command);
	rc = client_open(c->words[0], c->root_key, &client, &err);
	if (!rc)
		rc = begin(client, c, path, &err);
	if (!rc)
		rc = wait_for(client, c, path, &done, &err);
	if (!rc)
		rc = fetch(client, c, path, &err);
	if (path[0]) {
		struct client_request r = {.method = "DELETE", .path = path, .user = c->user};
		struct ark_error ignored;

		/* it would be kept for a day */
		if (send(client, &r, NULL, &ignored))
			fprintf(stderr, "arkki: the server still keeps the package: %s\n",
			    ignored.text);
	}
	if (!rc)
		tell(c, done);
	json_decref(done);
	client_close(client);
	return rc ? cli_failed(&err) : CLI_OK;
}
