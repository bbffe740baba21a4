/* An archive with an agency, a county and a provider, and their people, who act on one another's accounts. All people
 * and organisations here are invented. */
#ifndef ARKKI_TESTS_ACCOUNTS_FIXTURE_H
#define ARKKI_TESTS_ACCOUNTS_FIXTURE_H

#include "tests/unit/unit.h"

#include "arkki/archive/accounts.h"
#include "arkki/archive/load.h"
#include "arkki/archive/past.h"
#include "arkki/base/clock.h"
#include "arkki/base/json.h"

#define IN_A_WORLD(test) cmocka_unit_test_setup_teardown(test, begin, end)
#define DAY_US (INT64_C(86400) * 1000000)

static const struct filing_actor actor = {.user = "operator", .authentication = "operator"};

struct world {
	char top[256], dir[300], key[300];
	struct archive *a;
};

static inline int begin(void **state)
{
	struct world *w = calloc(1, sizeof(*w));
	struct ark_error err = {0};

	assert_non_null(w);
	unit_scratch(w->top);
	snprintf(w->dir, sizeof(w->dir), "%s/a", w->top);
	snprintf(w->key, sizeof(w->key), "%s/root.key", w->top);
	if (archive_init(w->dir, w->key, "test.example", &err) ||
	    archive_open(w->dir, w->key, ARCHIVE_WRITE, NULL, NULL, &w->a, &err))
		fail_msg("archive: %s", err.text);
	*state = w;
	return 0;
}

static inline int end(void **state)
{
	struct world *w = *state;

	archive_close(w->a);
	unit_scratch_end(w->top);
	free(w);
	return 0;
}

/* ---- saying it in JSON with single quotes ---- */

static inline json_t *J(const char *text)
{
	struct ark_error err = {0};
	char *copy = strdup(text);
	json_t *v = NULL;

	assert_non_null(copy);
	for (char *c = copy; *c; c++)
		if (*c == '\'')
			*c = '"';
	if (json_read(copy, strlen(copy), &v, &err))
		fail_msg("%s: %s", text, err.text);
	free(copy);
	return v;
}

static inline int load(struct world *w, const char *text, struct ark_error *err)
{
	struct load_result result;
	json_t *seed = J(text);
	int rc = load_seed(w->a, seed, &actor, &result, err);

	json_decref(seed);
	return rc;
}

/* Somebody who acts; NULL: the operator. */
static inline struct principal *who(struct world *w, const char *user)
{
	struct principal *p = NULL;
	struct ark_error err = {0};

	if (user && registry_principal(archive_registry(w->a), user, &p, &err))
		fail_msg("%s: %s", user, err.text);
	return p;
}

static struct account_fault fault;
static struct ark_error error;

static inline int add_org(struct world *w, const char *by, const char *wish)
{
	struct principal *p = who(w, by);
	json_t *v = J(wish);
	int rc;

	fault = (struct account_fault){0};
	rc = accounts_org_add(w->a, &actor, p, v, NULL, &fault, &error);
	json_decref(v);
	principal_unref(p);
	return rc;
}

static inline int change_org(struct world *w, const char *by, const char *org, const char *wish)
{
	struct principal *p = who(w, by);
	json_t *v = J(wish);
	int rc = accounts_org_change(w->a, &actor, p, org, v, NULL, &fault, &error);

	json_decref(v);
	principal_unref(p);
	return rc;
}

static inline int add(struct world *w, const char *by, const char *wish)
{
	struct principal *p = who(w, by);
	json_t *v = J(wish);
	int rc;

	fault = (struct account_fault){0};
	rc = accounts_user_add(w->a, &actor, p, v, NULL, &fault, &error);
	json_decref(v);
	principal_unref(p);
	return rc;
}

static inline int change(struct world *w, const char *by, const char *user, const char *wish)
{
	struct principal *p = who(w, by);
	json_t *v = J(wish);
	int rc;

	fault = (struct account_fault){0};
	rc = accounts_user_change(w->a, &actor, p, user, v, NULL, &fault, &error);
	json_decref(v);
	principal_unref(p);
	return rc;
}

static inline void ok(int rc)
{
	if (rc)
		fail_msg("%s", error.text);
}

static inline json_t *user_of(struct world *w, const char *user)
{
	json_t *v = registry_get(archive_registry(w->a), "users", user);

	assert_non_null(v);
	return v;
}

static inline void expect_state(struct world *w, const char *user, enum account_state state)
{
	json_t *v = user_of(w, user);

	assert_string_equal(account_state_name(account_state(v)), account_state_name(state));
	json_decref(v);
}

static inline void expect_field(
    struct world *w, const char *user, const char *field, const char *value)
{
	json_t *v = user_of(w, user);

	if (value)
		assert_string_equal(json_text(v, field), value);
	else
		assert_null(json_object_get(v, field));
	json_decref(v);
}

/* An administrator at the agency; a county with a contact person and an inspector, all active. */
static inline void populate(struct world *w)
{
	ok(add_org(w, NULL, "{'id':'lvv','kind':'state-agency','name':'Virasto'}"));
	ok(add_org(w, NULL,
	    "{'id':'pirha','kind':'county','name':{'fi':'Pirha','sv':'Birka'},"
	    "'businessId':'0737546-2','counties':['91']}"));
	ok(add_org(w, NULL, "{'id':'koti-oy','kind':'provider','name':'Koti Oy'}"));
	ok(add(w, NULL, "{'id':'ylla','org':'lvv','name':'Ylla','roles':['admin']}"));
	ok(accounts_user_activate(w->a, &actor, "ylla", &error));
	ok(add(w, "ylla", "{'id':'kaisa','org':'pirha','name':'Kaisa','roles':['contact']}"));
	ok(accounts_user_activate(w->a, &actor, "kaisa", &error));
	ok(add(w, "kaisa", "{'id':'pertti','org':'pirha','name':'Pertti','roles':['inspector']}"));
	ok(accounts_user_activate(w->a, &actor, "pertti", &error));
}

#endif
