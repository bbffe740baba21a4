/* What a provider's configuration must look like, and what it makes of claims. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "api/oidc_http.h"
#include "api/oidc_provider.h"
#include "arkki/base/json.h"
#include "arkki/base/text.h"
#include "arkki/policies/access.h"

enum { LIST_MAX = 100, TEXT_MAX = 500 };

static int wrong(struct ark_error *err, const char *member, const char *why)
{
	return ark_fail(err, ARK_EINPUT, "%s: %s", member, why);
}

/* 1 to max bytes, and nothing that could end a header or a line. */
static bool plain(const json_t *value, size_t max)
{
	const char *t = json_string_value(value);
	size_t n = json_string_length(value);

	if (!t || !n || n > max || strlen(t) != n)
		return false;
	for (size_t i = 0; i < n; i++)
		if ((unsigned char)t[i] < 0x20 || t[i] == 0x7f)
			return false;
	return true;
}

static bool plain_list(const json_t *list)
{
	const json_t *one;
	size_t i;

	if (!json_is_array(list) || json_array_size(list) > LIST_MAX)
		return false;
	json_array_foreach(list, i, one)
	{
		if (!plain(one, TEXT_MAX) || strchr(json_string_value(one), ' '))
			return false;
	}
	return true;
}

static int known_members(
    const json_t *object, const char *within, const char *const *names, struct ark_error *err)
{
	const char *key;
	const json_t *value;

	if (!json_is_object(object))
		return wrong(err, within, "must be an object");
	json_object_foreach((json_t *)(uintptr_t)object, key, value)
	{
		size_t i = 0;

		while (names[i] && strcmp(names[i], key) != 0)
			i++;
		if (!names[i])
			return ark_fail(
			    err, ARK_EINPUT, "%s: there is no member \"%.60s\"", within, key);
	}
	return ARK_OK;
}

static int check_name(const json_t *config, struct ark_error *err)
{
	static const char *const languages[] = {"fi", "sv", "en", NULL};
	const json_t *name = json_object_get(config, "name"), *text;
	const char *key;
	int rc = known_members(name, "name", languages, err);

	if (rc)
		return rc;
	json_object_foreach((json_t *)(uintptr_t)name, key, text)
	{
		if (!plain(text, 100))
			return wrong(err, "name", "each is a text of 1 to 100 bytes");
	}
	return json_object_size(name) ? ARK_OK : wrong(err, "name", "is missing");
}

static int check_client(const json_t *config, struct ark_error *err)
{
	const char *id = json_text(config, "id"), *org = json_text(config, "org");
	const char *issuer = json_text(config, "issuer"), *ca = json_text(config, "caFile");
	const json_t *scopes = json_object_get(config, "scopes"), *one;
	bool openid = !scopes;
	size_t i;

	if (!id || !id_valid(id))
		return wrong(err, "id", "must be [a-z0-9-]{1,64}");
	if (!org || !id_valid(org))
		return wrong(
		    err, "org", "must be the id of the organisation whose accounts sign in here");
	if (!issuer || !oidc_url_valid(issuer, NULL) || strchr(issuer, '?') ||
	    strlen(issuer) > TEXT_MAX)
		return wrong(
		    err, "issuer", "must be an https address (http on this machine alone)");
	if (!plain(json_object_get(config, "clientId"), 200))
		return wrong(err, "clientId", "must be a text of 1 to 200 bytes");
	if (!plain(json_object_get(config, "clientSecret"), TEXT_MAX))
		return wrong(err, "clientSecret", "must be a text of 1 to 500 bytes");
	if (json_object_get(config, "caFile") && (!ca || ca[0] != '/' || access(ca, R_OK) != 0))
		return wrong(err, "caFile", "must be the whole path of a file that can be read");
	if (scopes && !plain_list(scopes))
		return wrong(err, "scopes", "must be a list of texts without spaces");
	json_array_foreach(scopes, i, one)
	{
		openid = openid || strcmp(json_string_value(one), "openid") == 0;
	}
	return openid ? ARK_OK : wrong(err, "scopes", "\"openid\" is missing");
}

static int check_user(const json_t *config, struct ark_error *err)
{
	static const char *const members[] = {"claim", "match", NULL};
	const json_t *user = json_object_get(config, "user");
	const char *match = json_text(user, "match");
	int rc = user ? known_members(user, "user", members, err) : ARK_OK;

	if (rc || !user)
		return rc;
	if (!match || (strcmp(match, "identity") != 0 && strcmp(match, "id") != 0 &&
			  strcmp(match, "email") != 0))
		return wrong(err, "user.match", "is identity, id or email");
	if (json_object_get(user, "claim") ? !plain(json_object_get(user, "claim"), 200)
					   : strcmp(match, "identity") != 0)
		return wrong(err, "user.claim", "must name a claim");
	if (json_object_get(config, "create") &&
	    !json_is_boolean(json_object_get(config, "create")))
		return wrong(err, "create", "is true or false");
	return ARK_OK;
}

static int check_roles(const json_t *config, struct ark_error *err)
{
	static const char *const members[] = {"claim", "map", NULL};
	const json_t *roles = json_object_get(config, "roles"), *given, *role;
	const json_t *map = json_object_get(roles, "map");
	const char *value;
	unsigned int bit;
	size_t i;
	int rc = roles ? known_members(roles, "roles", members, err) : ARK_OK;

	if (rc || !roles)
		return rc;
	if (!plain(json_object_get(roles, "claim"), 200))
		return wrong(err, "roles.claim", "must name a claim");
	if (!json_is_object(map) || json_object_size(map) > LIST_MAX)
		return wrong(
		    err, "roles.map", "must say of up to 100 values which roles they give");
	json_object_foreach((json_t *)(uintptr_t)map, value, given)
	{
		if (!json_is_array(given) || json_array_size(given) > LIST_MAX)
			return wrong(err, "roles.map", "each value gives a list of roles");
		json_array_foreach(given, i, role)
		{
			if (!json_is_string(role) ||
			    !access_role_parse(json_string_value(role), &bit))
				return wrong(err, "roles.map", "there is no such role");
			/* who runs the archive is not for another organisation's server to say */
			if (bit == ACCESS_ADMIN)
				return wrong(
				    err, "roles.map", "admin is given here, not by a provider");
		}
	}
	return ARK_OK;
}

static int check_strong(const json_t *config, struct ark_error *err)
{
	static const char *const members[] = {"acr", "amr", NULL};
	const json_t *strong = json_object_get(config, "strong");
	int rc = strong ? known_members(strong, "strong", members, err) : ARK_OK;

	for (size_t i = 0; !rc && strong && members[i]; i++) {
		const json_t *list = json_object_get(strong, members[i]);

		if (list && !plain_list(list))
			rc = wrong(err, "strong", "acr and amr are lists of texts without spaces");
	}
	return rc;
}

int oidc_config_check(const json_t *config, struct ark_error *err)
{
	static const char *const members[] = {"id", "name", "issuer", "clientId", "clientSecret",
	    "org", "scopes", "user", "create", "roles", "strong", "caFile", NULL};
	int rc = known_members(config, "the provider", members, err);

	if (!rc)
		rc = check_client(config, err);
	if (!rc)
		rc = check_name(config, err);
	if (!rc)
		rc = check_user(config, err);
	if (!rc)
		rc = check_roles(config, err);
	return rc ? rc : check_strong(config, err);
}

/* ---- claims ---- */

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
	return bits & ~(unsigned int)ACCESS_ADMIN;
}

unsigned int oidc_config_roles_governed(const json_t *config)
{
	const json_t *map = json_object_get(json_object_get(config, "roles"), "map"), *given;
	unsigned int bits = 0;
	const char *value;

	json_object_foreach((json_t *)(uintptr_t)map, value, given)
	{
		bits |= bits_of(given);
	}
	return bits;
}

/* A claim may be a text or a list of texts. */
unsigned int oidc_config_roles(const json_t *config, const json_t *claims)
{
	const json_t *roles = json_object_get(config, "roles"),
		     *map = json_object_get(roles, "map");
	const char *name = json_text(roles, "claim");
	const json_t *claim = name ? json_object_get(claims, name) : NULL, *one;
	unsigned int bits = 0;
	size_t i;

	if (json_is_string(claim))
		return bits_of(json_object_get(map, json_string_value(claim)));
	json_array_foreach(claim, i, one)
	{
		if (json_is_string(one))
			bits |= bits_of(json_object_get(map, json_string_value(one)));
	}
	return bits;
}

static bool in_list(const json_t *list, const json_t *value)
{
	const json_t *one;
	size_t i;

	json_array_foreach(list, i, one)
	{
		if (json_is_string(value) && json_equal(one, value))
			return true;
	}
	return false;
}

bool oidc_config_strong(const json_t *config, const json_t *claims)
{
	const json_t *strong = json_object_get(config, "strong"), *one;
	const json_t *amr = json_object_get(strong, "amr");
	size_t i;

	if (in_list(json_object_get(strong, "acr"), json_object_get(claims, "acr")))
		return true;
	json_array_foreach(json_object_get(claims, "amr"), i, one)
	{
		if (in_list(amr, one))
			return true;
	}
	return false;
}
