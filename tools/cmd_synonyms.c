/* synonyms show, versions, check, apply: the words that find each other, of an archive. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arkki/base/json.h"
#include "arkki/index/synonyms.h"
#include "tools/cli.h"

static const struct cli_table synonyms = {.name = "synonyms",
    .stands = "/admin/synonyms",
    .put = "/v1/synonyms",
    .check = synonyms_check};

static int get(const struct cli *c, struct client *client, const char *what, json_t **ret,
    struct ark_error *err)
{
	char path[120];
	const struct client_request r = {.method = "GET", .path = path};
	long status = 0;
	int rc;

	snprintf(path, sizeof(path), "/admin/synonyms%s%s%.20s%s", what,
	    c->version ? "?version=" : "", c->version ? c->version : "",
	    !c->shipped  ? ""
	    : c->version ? "&shipped=true"
			 : "?shipped=true");
	rc = client_send(client, &r, &status, ret, err);
	if (!rc && status == 404)
		rc = ark_fail(err, ARK_ENOTFOUND, "there is no version %s of the synonyms",
		    c->version ? c->version : "?");
	else if (!rc)
		rc = client_ok(status, *ret, err);
	if (!rc && !*ret)
		rc = ark_fail(err, ARK_EIO, "the answer is no JSON");
	return rc;
}

static void print_versions(const json_t *answer)
{
	json_t *v;
	size_t i;

	json_array_foreach(json_object_get(answer, "versions"), i, v)
	{
		const char *at = json_text(v, "filedAt"), *by = json_text(v, "filedBy");
		const char *reason = json_text(v, "reason");

		printf("%zu  %s  %s%s%s\n", i + 1, at ? at : "-", by ? by : "-", reason ? "  " : "",
		    reason ? reason : "");
	}
}

/* As `apply` takes it; with --shipped the entries that arkki ships, in their place. */
static void print_table(const struct cli *c, const json_t *answer)
{
	json_t *out = json_pack("{s:O?,s:O?}", "shipped", json_object_get(answer, "shipped"),
	    "entries", json_object_get(answer, c->shipped ? "shippedEntries" : "entries"));

	json_dumpf(out, stdout, JSON_INDENT(1));
	putchar('\n');
	json_decref(out);
}

static int show(const struct cli *c, bool versions)
{
	struct client *client = NULL;
	json_t *answer = NULL;
	struct ark_error err;
	int rc;

	if (c->words_len != 2 || (versions && (c->version || c->shipped)))
		return cli_usage(c->command);
	rc = client_open(c->words[1], c->root_key, &client, &err);
	if (!rc)
		rc = get(c, client, versions ? "/versions" : "", &answer, &err);
	if (!rc && versions)
		print_versions(answer);
	else if (!rc)
		print_table(c, answer);
	json_decref(answer);
	client_close(client);
	return rc ? cli_failed(&err) : CLI_OK;
}

static int check(const struct cli *c)
{
	json_t *table = NULL;
	struct ark_error err;
	int rc;

	if (c->words_len != 2)
		return cli_usage(c->command);
	rc = table_read(c->words[1], &synonyms, &table, &err);
	if (!rc)
		printf("%s: %zu entries\n", c->words[1],
		    json_array_size(json_object_get(table, "entries")));
	json_decref(table);
	return rc ? cli_failed(&err) : CLI_OK;
}

static int apply(const struct cli *c)
{
	return c->version || c->shipped ? cli_usage(c->command) : table_apply(c, &synonyms);
}

int cmd_synonyms(const struct cli *c)
{
	const char *what = c->words_len ? c->words[0] : "";

	if (!strcmp(what, "show"))
		return show(c, false);
	if (!strcmp(what, "versions"))
		return show(c, true);
	if (!strcmp(what, "check"))
		return check(c);
	if (!strcmp(what, "apply"))
		return apply(c);
	return cli_usage(c->command);
}
