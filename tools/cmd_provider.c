/* provider add, list, show, remove: where an organisation's people sign in. */
#include <stdio.h>
#include <string.h>

#include "arkki/base/fs.h"
#include "arkki/base/json.h"
#include "arkki/base/text.h"
#include "tools/cli.h"

enum { CONFIG_MAX = 32 * 1024 };

/* One request about provider `id` (NULL: about all). */
static int ask(const struct cli *c, const char *method, const char *id, const char *body,
    json_t **ret, struct ark_error *err)
{
	char path[120];
	const struct client_request r = {.method = method,
	    .path = path,
	    .body = body,
	    .body_len = body ? strlen(body) : 0,
	    .headers = {"Accept-Language: en"}};
	struct client *client = NULL;
	long status = 0;
	int rc = client_open(c->words[1], c->root_key, &client, err);

	snprintf(path, sizeof(path), "/admin/providers%s%.64s%s", id ? "/" : "", id ? id : "",
	    c->offline ? "?offline=yes" : "");
	if (!rc)
		rc = client_send(client, &r, &status, ret, err);
	if (!rc)
		rc = client_ok(status, *ret, err);
	if (!rc && !*ret)
		rc = ark_fail(err, ARK_EIO, "the answer is no JSON");
	client_close(client);
	return rc;
}

static int add(const struct cli *c)
{
	struct buf text = BUF_INIT;
	json_t *config = NULL, *answer = NULL;
	struct ark_error err;
	const char *id;
	int rc;

	if (c->words_len != 3)
		return cli_usage(c->command);
	rc = fs_read_file(c->words[2], CONFIG_MAX, &text, &err);
	if (!rc)
		rc = json_read(text.data ? text.data : "", text.len, &config, &err);
	id = json_text(config, "id");
	if (!rc && (!id || !id_valid(id)))
		rc = ark_fail(&err, ARK_EINPUT, "id: must be [a-z0-9-]{1,64}");
	if (rc)
		rc = ark_fail_within(&err, rc, "%s", c->words[2]);
	else
		rc = ask(c, "PUT", id, text.data, &answer, &err);
	if (!rc)
		printf("people of %s sign in at %s\n", json_text(answer, "org"),
		    json_text(answer, "issuer"));
	json_decref(answer);
	json_decref(config);
	buf_wipe_free(&text);
	return rc ? cli_failed(&err) : CLI_OK;
}

static int list(const struct cli *c)
{
	json_t *answer = NULL, *p;
	struct ark_error err;
	size_t i;
	int rc;

	if (c->words_len != 2 || c->offline)
		return cli_usage(c->command);
	rc = ask(c, "GET", NULL, NULL, &answer, &err);
	json_array_foreach(json_object_get(answer, "providers"), i, p)
	{
		printf("%s  %s  %s\n", json_text(p, "id"), json_text(p, "org"),
		    json_text(p, "issuer"));
	}
	json_decref(answer);
	return rc ? cli_failed(&err) : CLI_OK;
}

static int one(const struct cli *c, const char *method)
{
	json_t *answer = NULL;
	struct ark_error err;
	int rc;

	if (c->words_len != 3 || c->offline)
		return cli_usage(c->command);
	rc = id_valid(c->words[2]) ? ask(c, method, c->words[2], NULL, &answer, &err)
				   : ark_fail(&err, ARK_ENOTFOUND, "there is no such provider");
	if (!rc && strcmp(method, "GET") == 0) {
		json_dumpf(answer, stdout, JSON_INDENT(1));
		putchar('\n');
	} else if (!rc) {
		printf("%s is removed, and who had signed in there is signed out\n", c->words[2]);
	}
	json_decref(answer);
	return rc ? cli_failed(&err) : CLI_OK;
}

int cmd_provider(const struct cli *c)
{
	const char *what = c->words_len ? c->words[0] : "";

	if (!strcmp(what, "add"))
		return add(c);
	if (!strcmp(what, "list"))
		return list(c);
	if (!strcmp(what, "show"))
		return one(c, "GET");
	if (!strcmp(what, "remove"))
		return one(c, "DELETE");
	return cli_usage(c->command);
}
