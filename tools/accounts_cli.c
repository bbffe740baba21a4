#include "tools/accounts_cli.h"

#include <stdio.h>
#include <string.h>

#include "arkki/archive/accounts.h"
#include "arkki/base/json.h"
#include "arkki/base/text.h"

int accounts_path(
    char out[200], const char *what, const char *id, const char *more, struct ark_error *err)
{
	if (!id_valid(id))
		return ark_fail(
		    err, ARK_EINPUT, "%.80s is no id: ids are 1 to 64 of a-z, 0-9 and -", id);
	snprintf(out, 200, "/%s/%s%s", what, id, more);
	return ARK_OK;
}

static int said_of(long status, const json_t *answer, struct ark_error *err)
{
	const json_t *fault = json_array_get(json_object_get(answer, "errors"), 0);
	const char *detail = json_text(fault, "detail");

	if (status == 422 && detail)
		return ark_fail(err, ARK_EINPUT, "%s", detail);
	return client_ok(status, answer, err);
}

int accounts_ask(const struct cli *c, struct client *client, const char *method, const char *path,
    const char *if_match, const json_t *body, json_t **ret, struct ark_error *err)
{
	struct buf text = BUF_INIT;
	char condition[100], whole[600];
	struct client_request r = {.method = method,
	    .path = whole,
	    .user = c->user,
	    .headers = {"Accept-Language: en", if_match ? condition : NULL}};
	json_t *answer = NULL;
	long status = 0;
	int rc = ARK_OK;

	snprintf(condition, sizeof(condition), "If-Match: %s", if_match ? if_match : "");
	snprintf(whole, sizeof(whole), "%s%s", c->user ? "/v1" : "/admin", path);
	if (body)
		rc = json_write(&text, body, err);
	r.body = text.data;
	r.body_len = text.len;
	if (!rc)
		rc = client_send(client, &r, &status, &answer, err);
	if (!rc)
		rc = said_of(status, answer, err);
	if (!rc && !answer)
		rc = ark_fail(err, ARK_EIO, "the answer is no JSON");
	buf_free(&text);
	if (rc || !ret)
		json_decref(answer);
	else
		*ret = answer;
	return rc;
}

int accounts_pages(const struct cli *c, struct client *client, const char *path, const char *name,
    json_t **ret, struct ark_error *err)
{
	json_t *all = json_array(), *page = NULL;
	char at[500];
	int rc = all ? ARK_OK : ark_fail(err, ARK_ENOMEM, "no memory for a list");

	snprintf(at, sizeof(at), "%s%climit=1000", path, strchr(path, '?') ? '&' : '?');
	while (!rc) {
		const char *next;

		rc = accounts_ask(c, client, "GET", at, NULL, NULL, &page, err);
		if (rc)
			break;
		json_array_extend(all, json_object_get(page, name));
		next = json_text(page, "next");
		if (next)
			snprintf(at, sizeof(at), "%s%climit=1000&cursor=%.300s", path,
			    strchr(path, '?') ? '&' : '?', next);
		json_decref(page);
		page = NULL;
		if (!next)
			break;
	}
	if (rc)
		json_decref(all);
	else
		*ret = all;
	return rc;
}

/* ---- options ---- */

void accounts_take(json_t *body, const char *field, const char *value)
{
	if (value)
		json_object_set_new(body, field, *value ? json_string(value) : json_null());
}

void accounts_take_list(const struct cli *c, json_t *body, const char *field, const char *option)
{
	json_t *list = NULL;

	for (int i = 0; i < c->said_len; i++) {
		if (strcmp(c->said[i].name, option) != 0)
			continue;
		if (!list)
			list = json_array();
		if (*c->said[i].value)
			json_array_append_new(list, json_string(c->said[i].value));
	}
	if (list)
		json_object_set_new(body, field, list);
}

/* ---- printing ---- */

void accounts_print(const char *text)
{
	size_t len = strlen(text);

	for (size_t i = 0; i < len; i++) {
		size_t turn = utf8_turn(text + i, len - i);

		if (turn) {
			putchar('?');
			i += turn - 1;
		} else {
			putchar((unsigned char)text[i] < 0x20 || text[i] == 0x7f ? '?' : text[i]);
		}
	}
}

static void print_list(const json_t *list)
{
	const json_t *v;
	size_t i;

	json_array_foreach(list, i, v)
	{
		printf("%s%s", i ? "," : "", json_string_value(v) ? json_string_value(v) : "?");
	}
	if (json_array_size(list) == 0)
		putchar('-');
}

/* "pertti  pirha  active  inspector,supervisor  Pertti", and what is to be known of it */
void accounts_print_user(const json_t *user)
{
	const char *org = json_text(user, "org"), *by = json_text(user, "confirmBy");
	const char *reason = json_text(user, "stateReason");
	const json_t *emergency = json_object_get(user, "emergency");

	printf("%s  %s  %s  ", json_text(user, "id"), org ? org : "-",
	    account_state_name(account_state(user)));
	print_list(json_object_get(user, "roles"));
	printf("  ");
	accounts_print(account_name(user, "fi"));
	if (reason) {
		printf("  (");
		accounts_print(reason);
		putchar(')');
	}
	if (by)
		printf("  %s %s",
		    json_text(user, "warned") ? "TO BE CONFIRMED BEFORE" : "confirm before", by);
	if (emergency) {
		printf("  EMERGENCY ACCESS %s: ", json_text(emergency, "day"));
		accounts_print(
		    json_text(emergency, "reason") ? json_text(emergency, "reason") : "");
	}
	putchar('\n');
}

void accounts_print_json(const json_t *value)
{
	json_dumpf(value, stdout, JSON_INDENT(1));
	putchar('\n');
}

int accounts_run(const struct cli *c, const char *dir,
    int (*work)(const struct cli *c, struct client *client, struct ark_error *err))
{
	struct client *client = NULL;
	struct ark_error err;
	int rc = client_open(dir, c->root_key, &client, &err);

	if (!rc)
		rc = work(c, client, &err);
	client_close(client);
	return rc ? cli_failed(&err) : CLI_OK;
}
