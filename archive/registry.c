#include "arkki/archive/registry.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arkki/base/json.h"

struct registry {
	pthread_rwlock_t lock;
	json_t *kinds; /* kind -> id -> record */
	uint64_t generation;
};

int registry_new(struct registry **ret, struct ark_error *err)
{
	struct registry *r = calloc(1, sizeof(*r));

	if (!r || !(r->kinds = json_object())) {
		free(r);
		return ark_fail(err, ARK_ENOMEM, "no memory for the registry");
	}
	pthread_rwlock_init(&r->lock, NULL);
	r->generation = 1;
	*ret = r;
	return ARK_OK;
}

void registry_free(struct registry *r)
{
	if (!r)
		return;
	json_decref(r->kinds);
	pthread_rwlock_destroy(&r->lock);
	free(r);
}

int registry_put(struct registry *r, const char *kind, json_t *record, struct ark_error *err)
{
	const char *id = json_text(record, "id");
	json_t *of_kind;
	int rc = ARK_OK;

	if (!id) {
		json_decref(record);
		return ark_fail(err, ARK_EINPUT, "a record of %s has no id", kind);
	}
	pthread_rwlock_wrlock(&r->lock);
	of_kind = json_object_get(r->kinds, kind);
	if (!of_kind) {
		of_kind = json_object();
		if (json_object_set_new(r->kinds, kind, of_kind))
			rc = ARK_ENOMEM;
	}
	if (!rc && json_object_set(of_kind, id, record))
		rc = ARK_ENOMEM;
	r->generation++;
	pthread_rwlock_unlock(&r->lock);
	json_decref(record);
	return rc ? ark_fail(err, rc, "no memory for a record of %s", kind) : ARK_OK;
}

json_t *registry_get(struct registry *r, const char *kind, const char *id)
{
	json_t *v;

	if (!id)
		return NULL;
	pthread_rwlock_rdlock(&r->lock);
	v = json_incref(json_object_get(json_object_get(r->kinds, kind), id));
	pthread_rwlock_unlock(&r->lock);
	return v;
}

bool registry_has(struct registry *r, const char *kind, const char *id)
{
	json_t *v = registry_get(r, kind, id);
	bool has = v != NULL;

	json_decref(v);
	return has;
}

static int by_id(const void *a, const void *b)
{
	return strcmp(json_text(*(json_t *const *)a, "id"), json_text(*(json_t *const *)b, "id"));
}

json_t *registry_all(struct registry *r, const char *kind)
{
	json_t *out = json_array(), *of_kind, *record;
	json_t **sorted = NULL;
	size_t n = 0, at = 0;
	const char *id;

	if (!out)
		return NULL;
	pthread_rwlock_rdlock(&r->lock);
	of_kind = json_object_get(r->kinds, kind);
	n = json_object_size(of_kind);
	sorted = calloc(n ? n : 1, sizeof(*sorted));
	if (sorted)
		json_object_foreach(of_kind, id, record) sorted[at++] = json_incref(record);
	pthread_rwlock_unlock(&r->lock);
	if (!sorted) {
		json_decref(out);
		return NULL;
	}
	qsort(sorted, at, sizeof(*sorted), by_id);
	for (size_t i = 0; i < at; i++)
		json_array_append_new(out, sorted[i]);
	free(sorted);
	return out;
}

uint64_t registry_generation(struct registry *r)
{
	uint64_t g;

	pthread_rwlock_rdlock(&r->lock);
	g = r->generation;
	pthread_rwlock_unlock(&r->lock);
	return g;
}

/* ---- principals ---- */

struct principal_box {
	struct principal p; /* first: the pointer callers hold */
	atomic_uint refs;
	json_t *user, *org; /* own the strings */
	const char **counties;
	char roles_text[128];
};

static const char **string_list(const json_t *array, size_t *ret_len)
{
	size_t n = json_array_size(array);
	const char **list = calloc(n ? n : 1, sizeof(*list));

	if (!list)
		return NULL;
	*ret_len = 0;
	for (size_t i = 0; i < n; i++) {
		const char *s = json_string_value(json_array_get(array, i));

		if (s)
			list[(*ret_len)++] = s;
	}
	return list;
}

static void box_roles(struct principal_box *b)
{
	size_t i, used = 0;
	json_t *role;

	json_array_foreach(json_object_get(b->user, "roles"), i, role)
	{
		const char *name = json_string_value(role);
		unsigned int bit;
		int n;

		if (!name || !access_role_parse(name, &bit))
			continue;
		b->p.access.roles |= bit;
		n = snprintf(b->roles_text + used, sizeof(b->roles_text) - used, "%s%s",
		    used ? " " : "", name);
		if (n > 0 && used + (size_t)n < sizeof(b->roles_text))
			used += (size_t)n;
	}
}

int registry_principal(
    struct registry *r, const char *user, struct principal **ret, struct ark_error *err)
{
	struct principal_box *b = calloc(1, sizeof(*b));
	int rc = ARK_OK;

	if (!b)
		return ark_fail(err, ARK_ENOMEM, "no memory for a principal");
	atomic_init(&b->refs, 1);
	b->p.generation = registry_generation(r);
	b->user = registry_get(r, "users", user);
	if (b->user)
		b->org = registry_get(r, "orgs", json_text(b->user, "org"));
	if (!b->org) {
		rc = ark_fail(err, ARK_ENOTFOUND, "there is no user %s with an organisation", user);
		goto out;
	}
	b->counties = string_list(json_object_get(b->org, "counties"), &b->p.access.counties_len);
	if (!b->counties ||
	    !access_org_kind_parse(json_text(b->org, "kind"), &b->p.access.org_kind)) {
		rc = ark_fail(err, ARK_ENOMEM, "cannot read the organisation of user %s", user);
		goto out;
	}
	b->p.access.user = json_text(b->user, "id");
	b->p.access.org = json_text(b->org, "id");
	b->p.access.counties = b->counties;
	b->p.name = json_text(b->user, "name");
	b->p.roles_text = b->roles_text;
	b->p.own_series = b->p.access.org_kind == ACCESS_ORG_OMBUDSMAN;
	box_roles(b);
	*ret = &b->p;
	b = NULL;
out:
	if (b)
		principal_unref(&b->p);
	return rc;
}

struct principal *principal_ref(struct principal *p)
{
	atomic_fetch_add(&((struct principal_box *)p)->refs, 1);
	return p;
}

void principal_unref(struct principal *p)
{
	struct principal_box *b = (struct principal_box *)p;

	if (!b || atomic_fetch_sub(&b->refs, 1) != 1)
		return;
	json_decref(b->user);
	json_decref(b->org);
	free(b->counties);
	free(b);
}

/* ---- relations ---- */

static bool array_has(const json_t *array, const char *text)
{
	size_t i;
	json_t *v;

	json_array_foreach(array, i, v)
	{
		const char *s = json_string_value(v);

		if (s && strcmp(s, text) == 0)
			return true;
	}
	return false;
}

json_t *registry_counties(struct registry *r, const json_t *units)
{
	json_t *out = json_array(), *unit_id;
	size_t i;

	json_array_foreach(units, i, unit_id)
	{
		json_t *unit = registry_get(r, "units", json_string_value(unit_id));
		const char *county = json_text(unit, "county");

		if (county && !array_has(out, county))
			json_array_append_new(out, json_string(county));
		json_decref(unit);
	}
	return out;
}

bool registry_case_covers(struct registry *r, const char *case_id, const json_t *units)
{
	json_t *c = registry_get(r, "cases", case_id), *unit;
	bool covers = false;
	size_t i;

	json_array_foreach(units, i, unit) if (array_has(json_object_get(c, "units"),
						   json_string_value(unit))) covers = true;
	json_decref(c);
	return covers;
}

bool registry_speaks_for(struct registry *r, const char *org, const char *author)
{
	json_t *o;
	bool follows;

	if (strcmp(org, author) == 0)
		return true;
	o = registry_get(r, "orgs", org);
	follows = array_has(json_object_get(o, "predecessors"), author);
	json_decref(o);
	return follows;
}
