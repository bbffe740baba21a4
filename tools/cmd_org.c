/* org list, show, add, change, confirm: the organisations of an archive, and their accounts as a list. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "arkki/archive/accounts.h"
#include "arkki/base/json.h"
#include "tools/accounts_cli.h"

static void print_org(const json_t *org)
{
	const char *kind = json_text(org, "kind"), *from = json_text(org, "from");
	const char *to = json_text(org, "to"), *business = json_text(org, "businessId");

	printf("%s  %s  %s  %s–%s  ", json_text(org, "id"), kind ? kind : "-",
	    business ? business : "-", from ? from : "", to ? to : "");
	accounts_print(account_name(org, "fi"));
	putchar('\n');
}

static int list(const struct cli *c, struct client *client, struct ark_error *err)
{
	json_t *all = NULL, *org;
	size_t i;
	int rc = accounts_pages(c, client, "/orgs", "orgs", &all, err);

	json_array_foreach(all, i, org)
	{
		print_org(org);
	}
	json_decref(all);
	return rc;
}

static int print_accounts(
    const struct cli *c, struct client *client, const char *org, struct ark_error *err)
{
	json_t *answer = NULL, *user;
	char path[200];
	size_t i;
	int rc = accounts_path(path, "orgs", org, "/accounts", err);

	if (!rc)
		rc = accounts_ask(c, client, "GET", path, NULL, NULL, &answer, err);
	json_array_foreach(json_object_get(answer, "accounts"), i, user)
	{
		accounts_print_user(user);
	}
	json_decref(answer);
	return rc;
}

static int show(const struct cli *c, struct client *client, struct ark_error *err)
{
	json_t *org = NULL;
	char path[200];
	int rc = accounts_path(path, "orgs", c->words[2], "", err);

	if (!rc)
		rc = accounts_ask(c, client, "GET", path, NULL, NULL, &org, err);
	if (rc == ARK_ENOTFOUND)
		ark_fail(err, rc, "there is no organisation %s; `arkki org list` names them",
		    c->words[2]);
	if (!rc) {
		accounts_print_json(org);
		rc = print_accounts(c, client, c->words[2], err);
	}
	json_decref(org);
	return rc;
}

/* ---- adding and changing ---- */

static int take_names(
    const struct cli *c, json_t *body, const json_t *before, struct ark_error *err)
{
	json_t *name, *stands = json_object_get(before, "name");

	if (!c->name && !c->name_sv && !c->name_en)
		return ARK_OK;
	name = json_is_object(stands) ? json_copy(stands) : json_object();
	if (json_is_string(stands))
		json_object_set(name, "fi", stands);
	accounts_take(name, "fi", c->name);
	accounts_take(name, "sv", c->name_sv);
	accounts_take(name, "en", c->name_en);
	for (int i = 0; i < 3; i++) {
		static const char *const languages[] = {"fi", "sv", "en"};

		if (json_is_null(json_object_get(name, languages[i])))
			json_object_del(name, languages[i]);
	}
	return json_object_set_new(body, "name", name)
		   ? ark_fail(err, ARK_ENOMEM, "no memory for an organisation")
		   : ARK_OK;
}

static int take_interval(const struct cli *c, json_t *body, struct ark_error *err)
{
	const char *text = c->confirm_every;
	size_t digits = text ? strspn(text, "0123456789") : 0;

	if (!text)
		return ARK_OK;
	if (strcmp(text, "never") == 0) {
		json_object_set_new(body, "confirmEvery", json_null());
		return ARK_OK;
	}
	if (!digits || digits > 6 || text[digits])
		return ark_fail(
		    err, ARK_EINPUT, "--confirm-every takes a number of days, or never");
	json_object_set_new(body, "confirmEvery", json_integer(strtol(text, NULL, 10)));
	return ARK_OK;
}

static int wish_of(const struct cli *c, const json_t *before, json_t **ret, struct ark_error *err)
{
	json_t *body = json_object();
	int rc = body ? take_names(c, body, before, err)
		      : ark_fail(err, ARK_ENOMEM, "no memory for an organisation");

	if (!rc)
		rc = take_interval(c, body, err);
	if (rc) {
		json_decref(body);
		return rc;
	}
	accounts_take(body, "kind", c->kind);
	accounts_take(body, "businessId", c->business_id);
	accounts_take(body, "from", c->from);
	accounts_take(body, "to", c->to);
	accounts_take(body, "reason", c->reason);
	accounts_take_list(c, body, "counties", "--county");
	accounts_take_list(c, body, "municipalities", "--municipality");
	accounts_take_list(c, body, "predecessors", "--predecessor");
	*ret = body;
	return ARK_OK;
}

static int add(const struct cli *c, struct client *client, struct ark_error *err)
{
	json_t *body = NULL, *org = NULL;
	int rc = wish_of(c, NULL, &body, err);

	if (!rc) {
		json_object_set_new(body, "id", json_string(c->words[2]));
		rc = accounts_ask(c, client, "POST", "/orgs", NULL, body, &org, err);
	}
	if (!rc) {
		print_org(org);
		fprintf(stderr,
		    "arkki: registered; next its contact person:\n"
		    "  arkki user add DIR ID --org %s --name NAME --role contact\n"
		    "  arkki user invite DIR ID\n",
		    c->words[2]);
	}
	json_decref(body);
	json_decref(org);
	return rc;
}

static int change(const struct cli *c, struct client *client, struct ark_error *err)
{
	json_t *before = NULL, *body = NULL, *org = NULL;
	char path[200], tag[64] = "";
	int rc = accounts_path(path, "orgs", c->words[2], "", err);

	if (!rc)
		rc = accounts_ask(c, client, "GET", path, NULL, NULL, &before, err);
	if (!rc) {
		snprintf(tag, sizeof(tag), "%s", client_etag(client));
		rc = wish_of(c, before, &body, err);
	}
	if (!rc)
		rc = accounts_ask(c, client, "PATCH", path, tag, body, &org, err);
	if (!rc)
		print_org(org);
	json_decref(before);
	json_decref(body);
	json_decref(org);
	return rc;
}

/* ---- confirming ---- */

static bool agreed(const struct cli *c)
{
	char answer[8] = "";

	if (c->yes || !isatty(STDIN_FILENO))
		return true;
	fprintf(stderr, "Are all of these right? [y/N] ");
	return fgets(answer, sizeof(answer), stdin) && (answer[0] == 'y' || answer[0] == 'Y');
}

static int confirm(const struct cli *c, struct client *client, struct ark_error *err)
{
	json_t *answer = NULL;
	char path[200], tag[64];
	int rc = print_accounts(c, client, c->words[2], err);

	snprintf(tag, sizeof(tag), "%s", client_etag(client));
	if (!rc && !agreed(c))
		rc = ark_fail(err, ARK_EREFUSED,
		    "nothing was confirmed; change what is wrong by `arkki user`, then confirm");
	if (!rc)
		rc = accounts_path(path, "orgs", c->words[2], "/confirmation", err);
	if (!rc)
		rc = accounts_ask(c, client, "POST", path, tag, NULL, &answer, err);
	if (!rc)
		printf("%lld accounts of %s are confirmed\n",
		    (long long)json_integer_value(json_object_get(answer, "confirmed")),
		    c->words[2]);
	json_decref(answer);
	return rc;
}

int cmd_org(const struct cli *c)
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
	    {"confirm", 3, confirm},
	};

	for (size_t i = 0; c->words_len && i < sizeof(verbs) / sizeof(*verbs); i++)
		if (strcmp(c->words[0], verbs[i].name) == 0 && c->words_len == verbs[i].words)
			return accounts_run(c, c->words[1], verbs[i].work);
	return cli_usage(c->command);
}
