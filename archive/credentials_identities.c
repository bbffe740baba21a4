/* Identities at providers, and the providers' own configurations. */
#include <stdlib.h>
#include <string.h>

#include "archive/credentials_private.h"
#include "arkki/base/json.h"
#include "arkki/base/text.h"

enum {
	PROVIDER_SIZE = 64,
	SUBJECT_SIZE = 255, /* OpenID Connect Core 1.0, section 2 */
	CONFIGURATION_STEP = 1024,
	CONFIGURATION_MAX = 65536,
};

/* ---- identities: user, provider, subject ---- */

static bool identity_valid(const char *provider, const char *subject)
{
	size_t len = strnlen(subject, SUBJECT_SIZE + 1);

	return id_valid(provider) && len && len <= SUBJECT_SIZE;
}

struct other {
	const char *provider;
	bool found;
};

static int is_other(void *arg, struct row *r, struct ark_error *err)
{
	struct fields f = row_fields(r, NULL);
	char provider[PROVIDER_SIZE + 1];
	struct other *o = arg;

	fields_text(&f, provider, PROVIDER_SIZE);
	if (f.bad)
		return ark_fail(err, ARK_ECORRUPT, "the state holds a malformed identity");
	o->found = o->found || strcmp(provider, o->provider) == 0;
	return ARK_OK;
}

/* Under the lock. r: the row to be, of which the name and the body are. */
static int bind_identity(
    struct state *s, struct row *r, const char *provider, const char *user, struct ark_error *err)
{
	const struct rows_wish wish = {.kind = CREDENTIAL_IDENTITY, .user = user};
	struct row there = {.kind = r->kind};
	struct other other = {.provider = provider};
	char whose[USER_SIZE + 1];
	int rc;

	memcpy(there.name, r->name, sizeof(there.name));
	rc = row_read(s, &there, err);
	(void)row_fields(&there, whose);
	row_free(&there);
	if (!rc)
		return strcmp(whose, user) == 0
			   ? ARK_OK
			   : ark_fail(err, ARK_ECONFLICT, "the identity is another user's");
	if (rc != ARK_ENOTFOUND)
		return rc;
	rc = rows_each(s, &wish, is_other, &other, err);
	if (!rc && other.found)
		rc = ark_fail(err, ARK_ECONFLICT, "the user has another identity at this provider");
	return rc ? rc : row_write(s, r, err);
}

int identity_bind(struct state *s, const char *provider, const char *subject, const char *user,
    struct ark_error *err)
{
	struct row r;
	int rc;

	if (!identity_valid(provider, subject) || !id_valid(user))
		return ark_fail(err, ARK_EINPUT,
		    "an identity needs a provider, a subject of at most %d bytes and a user",
		    SUBJECT_SIZE);
	rc = state_enter(s, true, err);
	if (rc)
		return rc;
	row_init(s, &r, CREDENTIAL_IDENTITY, user);
	row_name(s, &r, provider, subject);
	field_text(&r.body, provider, PROVIDER_SIZE);
	field_text(&r.body, subject, SUBJECT_SIZE);
	rc = state_leave(s, true, bind_identity(s, &r, provider, user, err), err);
	row_free(&r);
	return rc;
}

int identity_find(struct state *s, const char *provider, const char *subject, char ret_user[65],
    struct ark_error *err)
{
	char user[USER_SIZE + 1];
	struct row r;
	int rc;

	if (!identity_valid(provider, subject))
		return ark_fail(err, ARK_ENOTFOUND, "no such identity");
	rc = state_enter(s, false, err);
	if (rc)
		return rc;
	row_init(s, &r, CREDENTIAL_IDENTITY, NULL);
	row_name(s, &r, provider, subject);
	rc = state_leave(s, false, row_read(s, &r, err), err);
	(void)row_fields(&r, user);
	row_free(&r);
	if (rc == ARK_ENOTFOUND)
		return ark_fail(err, ARK_ENOTFOUND, "no such identity");
	if (!rc)
		memcpy(ret_user, user, sizeof(user));
	return rc;
}

/* ---- providers: nobody, id, JSON padded with spaces ---- */

static int provider_row(
    const struct state *s, struct row *r, const char *id, const json_t *json, struct ark_error *err)
{
	struct buf text = {.limit = CONFIGURATION_MAX};
	int rc;

	row_init(s, r, CREDENTIAL_PROVIDER, NULL);
	row_name(s, r, id, NULL);
	if (!json)
		return ARK_OK;
	buf_reserve(&text, CONFIGURATION_STEP * 8); /* so that the wipe mostly reaches all */
	rc = json_write(&text, json, err);
	while (!rc && !buf_failed(&text) && text.len % CONFIGURATION_STEP)
		buf_addc(&text, ' ');
	if (!rc && buf_failed(&text))
		rc = ark_fail(err, ARK_EINPUT, "a provider's configuration is over %d bytes",
		    CONFIGURATION_MAX);
	if (!rc) {
		buf_reserve(&r->body, USER_SIZE + PROVIDER_SIZE + text.len);
		field_text(&r->body, id, PROVIDER_SIZE);
		buf_add(&r->body, text.data, text.len);
	}
	buf_wipe_free(&text);
	return rc;
}

int provider_put(struct state *s, const char *id, const json_t *json, struct ark_error *err)
{
	bool there = false;
	struct row r;
	int rc;

	if (!id_valid(id) || (json && !json_is_object(json)))
		return ark_fail(err, ARK_EINPUT, "a provider needs an id of [a-z0-9-]{1,64}");
	rc = provider_row(s, &r, id, json, err);
	if (!rc)
		rc = state_enter(s, true, err);
	if (rc)
		goto out;
	rc = json ? row_write(s, &r, err) : row_delete(s, &r, &there, err);
	if (!rc && !json && !there)
		rc = ark_fail(err, ARK_ENOTFOUND, "there is no provider of this id");
	rc = state_leave(s, true, rc, err);
	if (!rc && !json)
		state_forget_log(s);
out:
	row_free(&r);
	return rc;
}

static int add_provider(void *arg, struct row *r, struct ark_error *err)
{
	struct fields f = row_fields(r, NULL);
	char id[PROVIDER_SIZE + 1];
	json_t *json = NULL;
	int rc;

	fields_text(&f, id, PROVIDER_SIZE);
	if (f.bad)
		return ark_fail(err, ARK_ECORRUPT, "the state holds a malformed provider");
	rc = json_read((const char *)f.at, f.left, &json, err);
	if (rc)
		return rc == ARK_ENOMEM
			   ? rc
			   : ark_fail(err, ARK_ECORRUPT, "the state holds a malformed provider");
	return json_object_set_new(arg, id, json)
		   ? ark_fail(err, ARK_ENOMEM, "no memory for the providers")
		   : ARK_OK;
}

int provider_all(struct state *s, json_t **ret, struct ark_error *err)
{
	const struct rows_wish wish = {.kind = CREDENTIAL_PROVIDER};
	json_t *all = json_object();
	int rc;

	if (!all)
		return ark_fail(err, ARK_ENOMEM, "no memory for the providers");
	rc = state_enter(s, false, err);
	if (!rc)
		rc = state_leave(s, false, rows_each(s, &wish, add_provider, all, err), err);
	if (rc)
		json_decref(all);
	else
		*ret = all;
	return rc;
}
