/* From a person at a provider to an account: by the identity that was bound before, else by what the configuration matches, which is
 * then bound. The provider speaks for its own organisation alone. */
#include <stdio.h>
#include <string.h>

#include "api/oidc_private.h"
#include "arkki/archive/accounts.h"
#include "arkki/base/json.h"
#include "arkki/base/text.h"

struct search {
	struct app *app;
	struct registry *registry;
	const struct oidc_provider *provider;
	const json_t *claims;
	const char *sub, *org;
	char issuer
	    [33]; /* stands for the issuer among identities: a provider that is set up anew as another has others */
	const char **why;
	struct ark_error *err;
};

static int refuse(struct search *s, const char *why, const char *what)
{
	*s->why = why;
	return ark_fail(s->err, ARK_EREFUSED, "%s", what);
}

/* ---- matching ---- */

static const char *match_of(const struct search *s)
{
	const json_t *user = json_object_get(oidc_provider_config(s->provider), "user");

	return user ? json_text(user, "match") : "identity";
}

/* What the account is found by; NULL: the token does not say. */
static const char *matched_value(const struct search *s)
{
	const char *claim =
	    json_text(json_object_get(oidc_provider_config(s->provider), "user"), "claim");

	return json_text(s->claims, claim ? claim : "sub");
}

struct by_email {
	const char *org, *email;
	char user[65];
	unsigned int n;
};

static void look_at_email(void *arg, const json_t *user)
{
	struct by_email *b = arg;
	const char *email = json_text(user, "email"), *org = json_text(user, "org");

	if (!email || !org || strcmp(org, b->org) != 0 || strcasecmp(email, b->email) != 0)
		return;
	if (account_state(user) ==
	    ACCOUNT_CLOSED) /* somebody may have come back under a new account */
		return;
	b->n++;
	snprintf(b->user, sizeof(b->user), "%s", json_text(user, "id"));
}

/* Where the provider says anything of it; some say it with a text. */
static bool email_verified(const json_t *claims)
{
	const json_t *said = json_object_get(claims, "email_verified");
	const char *text = json_string_value(said);

	return !said || json_is_true(said) || (text && strcmp(text, "true") == 0);
}

static int match_email(struct search *s, const char *email, char user[65])
{
	struct by_email b = {.org = s->org, .email = email};

	if (!email_verified(s->claims))
		return refuse(
		    s, "email-not-verified", "the provider has not verified the e-mail address");
	registry_each(s->registry, "users", look_at_email, &b);
	if (b.n > 1)
		return refuse(s, "several-accounts", "several accounts have that e-mail address");
	if (!b.n)
		return ARK_ENOTFOUND;
	memcpy(user, b.user, sizeof(b.user));
	return ARK_OK;
}

/* ARK_ENOTFOUND: nobody matches. */
static int match(struct search *s, char user[65])
{
	const char *how = match_of(s), *value = matched_value(s);

	if (strcmp(how, "identity") == 0 || !value || !value[0])
		return ARK_ENOTFOUND;
	if (strcmp(how, "email") == 0)
		return match_email(s, value, user);
	if (!id_valid(value) || !registry_has(s->registry, "users", value))
		return ARK_ENOTFOUND;
	snprintf(user, 65, "%s", value);
	return ARK_OK;
}

/* ---- roles ---- */

static unsigned int bits_of(const json_t *roles)
{
	unsigned int bits = 0, bit;
	const json_t *role;
	size_t i;

	json_array_foreach(roles, i, role)
	{
		if (json_is_string(role) && access_role_parse(json_string_value(role), &bit))
			bits |= bit;
	}
	return bits;
}

static json_t *roles_json(unsigned int bits)
{
	json_t *list = json_array();

	for (unsigned int i = 0; i < ACCESS_ROLES; i++)
		if (bits & 1U << i)
			json_array_append_new(list, json_string(access_role_name(i)));
	return list;
}

/* What a provider may give at all: never `admin`, which is given here. */
static unsigned int givable(const struct search *s)
{
	json_t *org = registry_get(s->registry, "orgs", s->org);
	const char *name = json_text(org, "kind");
	enum access_org_kind kind;
	unsigned int bits = 0;

	if (name && access_org_kind_parse(name, &kind))
		bits = accounts_roles(NULL, kind) & ~(unsigned int)ACCESS_ADMIN;
	json_decref(org);
	return bits;
}

static const struct filing_actor the_provider = {.user = "system", .authentication = "oidc"};

/* Roles that the map does not know were given by people, and stay. */
static int take_roles(struct search *s, const char *id, const json_t *user)
{
	const json_t *config = oidc_provider_config(s->provider);
	unsigned int may = givable(s), governed = oidc_config_roles_governed(config) & may,
		     have = bits_of(json_object_get(user, "roles")),
		     want = (have & ~governed) | (oidc_config_roles(config, s->claims) & may);
	struct account_fault fault = {0};
	char reason[120];
	json_t *wish;
	int rc;

	if (!json_object_get(config, "roles") || want == have)
		return ARK_OK;
	snprintf(reason, sizeof(reason), "roles at the identity provider %s",
	    oidc_provider_text(s->provider, "id"));
	wish = json_pack("{s:o,s:s}", "roles", roles_json(want), "reason", reason);
	if (!wish)
		return ark_fail(s->err, ARK_ENOMEM, "no memory for roles");
	rc = accounts_user_change(
	    s->app->archive, &the_provider, NULL, id, wish, NULL, &fault, s->err);
	json_decref(wish);
	return rc;
}

/* ---- a new account ---- */

static const char *plain_claim(const struct search *s, const char *name, size_t max)
{
	const char *text = json_text(s->claims, name);

	return text && text[0] && strlen(text) <= max ? text : NULL;
}

static int create(struct search *s, char user[65])
{
	const char *name = plain_claim(s, "name", 200), *email = plain_claim(s, "email", 200);
	const char *value = matched_value(s);
	const json_t *config = oidc_provider_config(s->provider);
	struct account_fault fault = {0};
	struct buf who = BUF_INIT;
	char tag[33];
	json_t *wish;
	int rc;

	if (!json_is_true(json_object_get(config, "create")))
		return refuse(s, "no-account", "nobody here is this person");
	if (strcmp(match_of(s), "id") == 0 && value && id_valid(value)) {
		snprintf(user, 65, "%s", value);
	} else { /* the same person has the same id, so that two sign-ins at once make one account */
		buf_addf(&who, "%s %s", s->issuer, s->sub);
		archive_tag(s->app->archive, "oidc-user", who.data ? who.data : "", who.len, tag);
		buf_free(&who);
		snprintf(user, 65, "u-%.16s", tag);
	}
	wish = json_pack("{s:s,s:s,s:s,s:s*,s:o}", "id", user, "org", s->org, "name",
	    name ? name : user, "email", email, "roles",
	    roles_json(oidc_config_roles(config, s->claims) & givable(s)));
	if (!wish)
		return ark_fail(s->err, ARK_ENOMEM, "no memory for an account");
	rc = accounts_user_add(s->app->archive, &the_provider, NULL, wish, NULL, &fault, s->err);
	json_decref(wish);
	if (rc == ARK_EINPUT || rc == ARK_ECONFLICT)
		return refuse(
		    s, "no-account", "an account cannot be made of what the provider says");
	return rc;
}

/* ---- the story ---- */

/* Whose identity it is; *ret_fresh: it is to be bound. */
static int whose(struct search *s, char user[65], bool *ret_fresh)
{
	int rc = identity_find(archive_state(s->app->archive), s->issuer, s->sub, user, s->err);

	*ret_fresh = rc == ARK_ENOTFOUND;
	if (rc == ARK_ENOTFOUND)
		rc = match(s, user);
	return rc == ARK_ENOTFOUND ? create(s, user) : rc;
}

/* Who was invited needs no password when their organisation's provider says who they are. */
static int let_in(struct search *s, const char *id, const json_t *user)
{
	const char *org = json_text(user, "org");

	if (!user || !org || strcmp(org, s->org) != 0)
		return refuse(
		    s, "another-organisation", "the account is not of the provider's organisation");
	if (account_state(user) == ACCOUNT_INVITED)
		return accounts_user_activate(s->app->archive, &the_provider, id, s->err);
	return account_state(user) == ACCOUNT_ACTIVE
		   ? ARK_OK
		   : refuse(s, "not-active", "the account is not active");
}

int oidc_account(struct app *app, const struct oidc_provider *p, const json_t *claims,
    char ret_user[65], const char **why, struct ark_error *err)
{
	struct search s = {.app = app,
	    .registry = archive_registry(app->archive),
	    .provider = p,
	    .claims = claims,
	    .sub = json_text(claims, "sub"),
	    .org = oidc_provider_text(p, "org"),
	    .why = why,
	    .err = err};
	const char *issuer = oidc_provider_text(p, "issuer");
	char user[65] = "";
	json_t *record = NULL;
	bool fresh = false;
	int rc;

	ret_user[0] = '\0';
	archive_tag(app->archive, "oidc-issuer", issuer, strlen(issuer), s.issuer);
	rc = whose(&s, user, &fresh);
	if (rc)
		return rc;
	memcpy(ret_user, user, sizeof(user));
	record = registry_get(s.registry, "users", user);
	rc = let_in(&s, user, record);
	if (!rc && fresh)
		rc = identity_bind(archive_state(app->archive), s.issuer, s.sub, user, err);
	if (rc == ARK_ECONFLICT)
		rc = refuse(&s, "identity-conflict",
		    "the account is bound to another person at the provider");
	if (!rc)
		rc = take_roles(&s, user, record);
	json_decref(record);
	return rc;
}
