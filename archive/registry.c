#include "arkki/archive/registry.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "arkki/base/json.h"

enum { LINE_MAX = 64 }; /* organisations that one follows */

struct registry {
	pthread_rwlock_t lock;
	json_t *kinds; /* kind -> id -> record */
	uint64_t generation;
	struct access_rules *rules; /* compiled from the record "policies", "current" */
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
	access_rules_unref(r->rules);
	pthread_rwlock_destroy(&r->lock);
	free(r);
}

static int compile(const json_t *record, struct access_rules **ret, struct ark_error *err)
{
	const char *policies = json_text(record, "policies"), *schema = json_text(record, "schema");

	if (!policies || !schema)
		return ark_fail(err, ARK_ECORRUPT, "the policies in force lack their text");
	if (access_rules_new(
		policies, strlen(policies), schema, strlen(schema), NULL, NULL, ret, err))
		return ark_fail_within(err, ARK_ECORRUPT, "the policies in force cannot be used");
	return ARK_OK;
}

int registry_put(struct registry *r, const char *kind, json_t *record, struct ark_error *err)
{
	const char *id = json_text(record, "id");
	struct access_rules *rules = NULL, *old = NULL;
	json_t *of_kind;
	int rc = ARK_OK;

	if (!id)
		rc = ark_fail(err, ARK_EINPUT, "a record of %s has no id", kind);
	else if (strcmp(kind, "policies") == 0 && strcmp(id, REGISTRY_POLICIES) == 0)
		rc = compile(record, &rules, err);
	if (rc) {
		json_decref(record);
		return rc;
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
	if (rules && !rc) {
		old = r->rules;
		r->rules = rules;
		rules = NULL;
	}
	pthread_rwlock_unlock(&r->lock);
	access_rules_unref(old);
	access_rules_unref(rules);
	json_decref(record);
	return rc ? ark_fail(err, rc, "no memory for a record of %s", kind) : ARK_OK;
}

void registry_drop(struct registry *r, const char *kind, const char *id)
{
	pthread_rwlock_wrlock(&r->lock);
	(void)json_object_del(json_object_get(r->kinds, kind), id);
	r->generation++;
	pthread_rwlock_unlock(&r->lock);
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

struct access_rules *registry_rules(struct registry *r)
{
	struct access_rules *rules;

	pthread_rwlock_rdlock(&r->lock);
	rules = r->rules ? access_rules_ref(r->rules) : NULL;
	pthread_rwlock_unlock(&r->lock);
	return rules;
}

void registry_each(
    struct registry *r, const char *kind, void (*each)(void *arg, const json_t *record), void *arg)
{
	const char *id;
	json_t *record;

	pthread_rwlock_rdlock(&r->lock);
	json_object_foreach(json_object_get(r->kinds, kind), id, record)
	{
		each(arg, record);
	}
	pthread_rwlock_unlock(&r->lock);
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

/* ---- relations ---- */

static bool array_has(const json_t *array, const char *text)
{
	size_t i;
	json_t *v;

	json_array_foreach(array, i, v)
	{
		const char *s = json_string_value(v);

		if (s && text && strcmp(s, text) == 0)
			return true;
	}
	return false;
}

json_t *registry_counties(struct registry *r, const json_t *units)
{
	json_t *out = json_array(), *unit_id;
	bool lost = false;
	size_t i;

	json_array_foreach(units, i, unit_id)
	{
		json_t *unit = registry_get(r, "units", json_string_value(unit_id));
		const char *county = json_text(unit, "county");

		if (county && !array_has(out, county))
			lost |= json_array_append_new(out, json_string(county)) != 0;
		json_decref(unit);
	}
	if (!lost)
		return out;
	/* "all of its counties are ours" must not come true by leaving one out */
	json_decref(out);
	return NULL;
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

/* Those that it follows, itself first, each once; a loop of predecessors ends by itself. */
json_t *registry_line_of(struct registry *r, const char *kind, const char *first)
{
	json_t *line = json_array();

	if (json_array_append_new(line, json_string(first)))
		return line;
	for (size_t at = 0; at < json_array_size(line) && at < LINE_MAX; at++) {
		json_t *o = registry_get(r, kind, json_string_value(json_array_get(line, at)));
		json_t *before;
		size_t i;

		json_array_foreach(json_object_get(o, "predecessors"), i, before)
		{
			const char *id = json_string_value(before);

			if (id && !array_has(line, id))
				json_array_append_new(line, json_string(id));
		}
		json_decref(o);
	}
	return line;
}

json_t *registry_line(struct registry *r, const char *org)
{
	return registry_line_of(r, "orgs", org);
}

bool registry_speaks_for(struct registry *r, const char *org, const char *author)
{
	json_t *line = registry_line(r, org);
	bool follows = array_has(line, author);

	json_decref(line);
	return follows;
}
