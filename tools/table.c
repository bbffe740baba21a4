/* A table that an archive keeps in versions, brought from a file into force. */
#include <stdio.h>

#include "arkki/base/fs.h"
#include "arkki/base/json.h"
#include "tools/cli.h"

enum { TABLE_MAX = 1 << 20 };

int table_read(const char *file, const struct cli_table *t, json_t **ret, struct ark_error *err)
{
	struct buf text = BUF_INIT;
	json_t *table = NULL;
	int rc = fs_read_file(file, TABLE_MAX, &text, err);

	if (rc)
		goto out;
	rc = json_read(text.data ? text.data : "", text.len, &table, err);
	if (!rc)
		rc = t->check(table, err);
	if (rc) {
		rc = ark_fail_within(err, rc, "%s", file);
		goto out;
	}
	*ret = table;
	table = NULL;
out:
	json_decref(table);
	buf_free(&text);
	return rc;
}

/* If-Match names what stood when it was asked for: a change in between is refused. */
static int put(const struct cli *c, struct client *client, const struct cli_table *t,
    const json_t *table, struct ark_error *err)
{
	const struct client_request stands = {.method = "GET", .path = t->stands};
	struct buf body = BUF_INIT;
	json_t *answer = NULL;
	char condition[100];
	struct client_request r = {.method = "PUT",
	    .path = t->put,
	    .user = c->user,
	    .headers = {"Accept-Language: en", condition}};
	int rc = client_ask(client, &stands, &answer, err);

	snprintf(condition, sizeof(condition), "If-Match: %s", client_etag(client));
	json_decref(answer);
	answer = NULL;
	if (!rc)
		rc = json_write(&body, table, err);
	r.body = body.data;
	r.body_len = body.len;
	if (!rc)
		rc = client_ask(client, &r, &answer, err);
	if (!rc)
		printf(
		    "version %lld of the %s is in force\n", cli_number(answer, "version"), t->name);
	json_decref(answer);
	buf_free(&body);
	return rc;
}

int table_apply(const struct cli *c, const struct cli_table *t)
{
	struct client *client = NULL;
	json_t *table = NULL;
	struct ark_error err;
	int rc;

	if (c->words_len != 3 || !c->user)
		return cli_usage(c->command);
	rc = table_read(c->words[2], t, &table, &err);
	if (!rc && c->reason && json_object_set_new(table, "reason", json_string(c->reason)))
		rc = ark_fail(&err, ARK_EINPUT, "the reason is not UTF-8 text");
	if (!rc)
		rc = client_open(c->words[1], c->root_key, &client, &err);
	if (!rc)
		rc = put(c, client, t, table, &err);
	client_close(client);
	json_decref(table);
	return rc ? cli_failed(&err) : CLI_OK;
}
