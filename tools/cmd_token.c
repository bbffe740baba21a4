/* token, certificate: what systems and scripts sign in with, through the admin socket. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arkki/base/fs.h"
#include "arkki/base/json.h"
#include "arkki/base/text.h"
#include "tools/cli.h"

enum { PEM_MAX = 65536 };

static int send_to(const struct cli *c, const char *dir, const struct client_request *r,
    json_t **ret, struct ark_error *err)
{
	struct client *client = NULL;
	long status;
	int rc = client_open(dir, c->root_key, &client, err);

	if (!rc)
		rc = client_send(client, r, &status, ret, err);
	if (!rc)
		rc = client_ok(status, *ret, err);
	client_close(client);
	return rc;
}

static bool user_given(const struct cli *c)
{
	if (id_valid(c->user))
		return true;
	fprintf(stderr, "arkki: %s is not a user id\n", c->user);
	return false;
}

static const char *text_or(const json_t *of, const char *key, const char *otherwise)
{
	const char *text = json_text(of, key);

	return text ? text : otherwise;
}

static void print_scopes(const json_t *token)
{
	size_t i;
	json_t *scope;

	json_array_foreach(json_object_get(token, "scopes"), i, scope)
	{
		printf("%s%s", i ? "," : "", json_string_value(scope));
	}
}

/* ---- token ---- */

static void add_scopes(const struct cli *c, struct buf *path)
{
	bool first = true;

	for (int i = 0; i < c->said_len; i++) {
		if (strcmp(c->said[i].name, "--scope") != 0)
			continue;
		buf_adds(path, first ? "&scopes=" : "%2C");
		percent_encode(path, c->said[i].value, strlen(c->said[i].value));
		first = false;
	}
}

static int token_create(const struct cli *c)
{
	struct buf path = BUF_INIT;
	struct ark_error err;
	json_t *body = NULL;
	int rc;

	if (c->days && (strspn(c->days, "0123456789") != strlen(c->days) || !*c->days ||
			   strlen(c->days) > 5)) {
		fprintf(stderr, "arkki: --days must be a number from 1 to 3660\n");
		return CLI_USAGE;
	}
	buf_addf(&path, "/admin/tokens?user=%s&days=%s", c->user, c->days ? c->days : "30");
	if (c->name) {
		buf_adds(&path, "&name=");
		percent_encode(&path, c->name, strlen(c->name));
	}
	add_scopes(c, &path);
	if (buf_failed(&path)) {
		rc = ark_fail(&err, ARK_ENOMEM, "no memory for a request");
	} else {
		const struct client_request r = {.method = "POST", .path = path.data};

		rc = send_to(c, c->words[1], &r, &body, &err);
	}
	if (!rc)
		printf("%s\n", text_or(body, "token", ""));
	json_decref(body);
	buf_free(&path);
	return rc ? cli_failed(&err) : CLI_OK;
}

static int token_list(const struct cli *c)
{
	struct ark_error err;
	json_t *body = NULL, *token;
	char path[128];
	const struct client_request r = {.method = "GET", .path = path};
	size_t i;
	int rc;

	snprintf(path, sizeof(path), "/admin/tokens?user=%s", c->user);
	rc = send_to(c, c->words[1], &r, &body, &err);
	if (rc)
		return cli_failed(&err);
	json_array_foreach(json_object_get(body, "tokens"), i, token)
	{
		printf("%s  until %s  used %s  ", text_or(token, "id", "-"),
		    text_or(token, "expires", "-"), text_or(token, "seen", "never"));
		print_scopes(token);
		printf("  %s\n", text_or(token, "name", ""));
	}
	json_decref(body);
	return CLI_OK;
}

/* One place under a path: DELETE of what the third word names. */
static int delete_one(const struct cli *c, const char *under)
{
	struct ark_error err;
	json_t *body = NULL;
	char path[128];
	const struct client_request r = {.method = "DELETE", .path = path};
	int rc;

	if (strlen(c->words[2]) != 16 ||
	    strspn(c->words[2], "0123456789abcdef") != strlen(c->words[2])) {
		fprintf(stderr,
		    "arkki: %s is not such an id (16 hex digits, see `arkki %s list`)\n",
		    c->words[2], c->command);
		return CLI_FAILED;
	}
	snprintf(path, sizeof(path), "%s/%s", under, c->words[2]);
	rc = send_to(c, c->words[1], &r, &body, &err);
	json_decref(body);
	return rc ? cli_failed(&err) : CLI_OK;
}

int cmd_token(const struct cli *c)
{
	const char *what = c->words_len ? c->words[0] : "";

	if (c->words_len == 2 && c->user && strcmp(what, "create") == 0)
		return user_given(c) ? token_create(c) : CLI_FAILED;
	if (c->words_len == 2 && c->user && strcmp(what, "list") == 0)
		return user_given(c) ? token_list(c) : CLI_FAILED;
	if (c->words_len == 3 && strcmp(what, "revoke") == 0)
		return delete_one(c, "/admin/tokens");
	return cli_usage(c->command);
}

/* ---- certificate ---- */

static int certificate_add(const struct cli *c)
{
	struct buf pem = BUF_INIT, path = BUF_INIT;
	struct ark_error err;
	json_t *body = NULL;
	int rc = fs_read_file(c->words[2], PEM_MAX, &pem, &err);

	buf_addf(&path, "/admin/certificates?user=%s", c->user);
	if (c->name) {
		buf_adds(&path, "&name=");
		percent_encode(&path, c->name, strlen(c->name));
	}
	if (!rc && buf_failed(&path))
		rc = ark_fail(&err, ARK_ENOMEM, "no memory for a request");
	if (!rc) {
		const struct client_request r = {.method = "POST",
		    .path = path.data,
		    .body = pem.data ? pem.data : "",
		    .body_len = pem.len};

		rc = send_to(c, c->words[1], &r, &body, &err);
	}
	if (!rc)
		printf("%s\n", text_or(body, "id", ""));
	json_decref(body);
	buf_free(&path);
	buf_free(&pem);
	return rc ? cli_failed(&err) : CLI_OK;
}

static int certificate_list(const struct cli *c)
{
	const struct client_request r = {.method = "GET", .path = "/admin/certificates"};
	struct ark_error err;
	json_t *body = NULL, *one;
	size_t i;

	if (send_to(c, c->words[1], &r, &body, &err))
		return cli_failed(&err);
	json_array_foreach(json_object_get(body, "certificates"), i, one)
	{
		printf("%s  %s  until %s  used %s  sha256 %s  %s\n", text_or(one, "id", "-"),
		    text_or(one, "user", "-"), text_or(one, "expires", "-"),
		    text_or(one, "seen", "never"), text_or(one, "sha256", "-"),
		    text_or(one, "name", ""));
	}
	json_decref(body);
	return CLI_OK;
}

int cmd_certificate(const struct cli *c)
{
	const char *what = c->words_len ? c->words[0] : "";

	if (c->words_len == 3 && c->user && strcmp(what, "add") == 0)
		return user_given(c) ? certificate_add(c) : CLI_FAILED;
	if (c->words_len == 2 && strcmp(what, "list") == 0)
		return certificate_list(c);
	if (c->words_len == 3 && strcmp(what, "remove") == 0)
		return delete_one(c, "/admin/certificates");
	return cli_usage(c->command);
}
