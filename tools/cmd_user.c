/* user list, show, add, change, suspend, resume, close, invite, emergency, sweep: the accounts of an archive. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arkki/base/json.h"
#include "arkki/base/text.h"
#include "tools/accounts_cli.h"

static int list(const struct cli *c, struct client *client, struct ark_error *err)
{
	json_t *all = NULL, *user;
	char path[300];
	size_t i;
	int rc = ARK_OK;

	if ((c->org && !id_valid(c->org)) || (c->state && !id_valid(c->state)))
		rc = ark_fail(err, ARK_EINPUT,
		    "--org takes an id, --state invited, active, suspended or closed");
	snprintf(path, sizeof(path), "/users?%s%.64s%s%.64s", c->org ? "org=" : "",
	    c->org ? c->org : "", c->state ? "&state=" : "", c->state ? c->state : "");
	if (!rc)
		rc = accounts_pages(c, client, path, "users", &all, err);
	json_array_foreach(all, i, user)
	{
		accounts_print_user(user);
	}
	json_decref(all);
	return rc;
}

static int no_such(const struct cli *c, int rc, struct ark_error *err)
{
	return rc == ARK_ENOTFOUND
		   ? ark_fail(err, rc, "there is no account %s; `arkki user list` names them",
			 c->words[2])
		   : rc;
}

static int show(const struct cli *c, struct client *client, struct ark_error *err)
{
	json_t *user = NULL;
	char path[200];
	int rc = accounts_path(path, "users", c->words[2], "", err);

	if (!rc)
		rc = no_such(c, accounts_ask(c, client, "GET", path, NULL, NULL, &user, err), err);
	if (!rc)
		accounts_print_json(user);
	json_decref(user);
	return rc;
}

static json_t *wish_of(const struct cli *c)
{
	json_t *body = json_object();

	accounts_take(body, "name", c->name);
	accounts_take(body, "email", c->email);
	accounts_take(body, "from", c->from);
	accounts_take(body, "to", c->to);
	accounts_take(body, "reason", c->reason);
	accounts_take_list(c, body, "roles", "--role");
	return body;
}

static int add(const struct cli *c, struct client *client, struct ark_error *err)
{
	json_t *body = wish_of(c), *user = NULL;
	int rc;

	json_object_set_new(body, "id", json_string(c->words[2]));
	accounts_take(body, "org", c->org);
	if (!json_object_get(body, "roles"))
		json_object_set_new(body, "roles", json_array());
	rc = accounts_ask(c, client, "POST", "/users", NULL, body, &user, err);
	if (!rc) {
		accounts_print_user(user);
		fprintf(stderr, "arkki: opened; `arkki user invite DIR %s` gives its link\n",
		    c->words[2]);
	}
	json_decref(body);
	json_decref(user);
	return rc;
}

/* Takes the body. */
static int patch(const struct cli *c, struct client *client, json_t *body, struct ark_error *err)
{
	json_t *user = NULL;
	char path[200];
	int rc = accounts_path(path, "users", c->words[2], "", err);

	if (!rc)
		rc =
		    no_such(c, accounts_ask(c, client, "PATCH", path, NULL, body, &user, err), err);
	if (!rc)
		accounts_print_user(user);
	json_decref(body);
	json_decref(user);
	return rc;
}

static int change(const struct cli *c, struct client *client, struct ark_error *err)
{
	return patch(c, client, wish_of(c), err);
}

static int suspend(const struct cli *c, struct client *client, struct ark_error *err)
{
	return patch(
	    c, client, json_pack("{s:s,s:s*}", "state", "suspended", "reason", c->reason), err);
}

static int resume(const struct cli *c, struct client *client, struct ark_error *err)
{
	return patch(
	    c, client, json_pack("{s:s,s:s*}", "state", "active", "reason", c->reason), err);
}

static int close_it(const struct cli *c, struct client *client, struct ark_error *err)
{
	return patch(
	    c, client, json_pack("{s:s,s:s*}", "state", "closed", "reason", c->reason), err);
}

/* ---- links ---- */

static void print_link(const json_t *answer)
{
	const char *link = json_text(answer, "link"), *until = json_text(answer, "expires");

	printf("%s\n", link ? link : "");
	fprintf(stderr, "arkki: give it to the person alone; it works once, until %s\n",
	    until ? until : "?");
	if (link && link[0] == '/')
		fprintf(stderr, "arkki: put the address of the archive before it, or a line "
				"\"sign-in-url https://…\" into arkki.conf\n");
}

static int invite(const struct cli *c, struct client *client, struct ark_error *err)
{
	json_t *answer = NULL;
	char path[200];
	int rc = accounts_path(path, "users", c->words[2], "/invitation", err);

	if (!rc)
		rc = no_such(
		    c, accounts_ask(c, client, "POST", path, NULL, NULL, &answer, err), err);
	if (!rc)
		print_link(answer);
	json_decref(answer);
	return rc;
}

/* --user is whom it is for: nobody's rights are asked but the operator's. */
static int emergency(const struct cli *c, struct client *client, struct ark_error *err)
{
	struct cli operator= * c;
	json_t *body, *answer = NULL;
	char path[200];
	int rc = accounts_path(path, "users", c->user, "/emergency", err);

	operator.user = NULL;
	body = json_pack("{s:s,s:s,s:s*}", "org", c->words[2], "reason", c->reason, "name", c->add);
	if (!rc && !body)
		rc = ark_fail(err, ARK_EINPUT, "the reason is not UTF-8 text");
	if (!rc && c->days)
		json_object_set_new(body, "days", json_integer(strtol(c->days, NULL, 10)));
	if (!rc)
		rc = accounts_ask(&operator, client, "POST", path, NULL, body, &answer, err);
	if (!rc)
		print_link(answer);
	json_decref(body);
	json_decref(answer);
	return rc;
}

static int sweep(const struct cli *c, struct client *client, struct ark_error *err)
{
	struct cli operator= * c;
	json_t *answer = NULL;
	int rc;

	operator.user = NULL;
	rc = accounts_ask(&operator, client, "POST", "/accounts/sweep", NULL, NULL, &answer, err);
	if (!rc)
		printf("%lld warned, %lld suspended\n",
		    (long long)json_integer_value(json_object_get(answer, "warned")),
		    (long long)json_integer_value(json_object_get(answer, "suspended")));
	json_decref(answer);
	return rc;
}

int cmd_user(const struct cli *c)
{
	static const struct {
		const char *name;
		int words;
		int (*work)(const struct cli *c, struct client *client, struct ark_error *err);
	} verbs[] = {
	    {"list", 2, list},
	    {"show", 3, show},
	    {"add", 3, add},
	    {"change", 3, change},
	    {"suspend", 3, suspend},
	    {"resume", 3, resume},
	    {"close", 3, close_it},
	    {"invite", 3, invite},
	    {"emergency", 3, emergency},
	    {"sweep", 2, sweep},
	};
	const char *verb = c->words_len ? c->words[0] : "";

	if (strcmp(verb, "emergency") == 0 && (!c->user || !c->reason))
		return cli_usage(c->command);
	for (size_t i = 0; i < sizeof(verbs) / sizeof(*verbs); i++)
		if (strcmp(verb, verbs[i].name) == 0 && c->words_len == verbs[i].words)
			return accounts_run(c, c->words[1], verbs[i].work);
	return cli_usage(c->command);
}
