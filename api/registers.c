/* The registers: units, cases, organisations, who am I. */
#include <stdlib.h>
#include <string.h>

#include "api/documents.h"
#include "api/handlers.h"
#include "api/registers.h"
#include "arkki/base/json.h"

static struct registry *registry_of(const struct exchange *x)
{
	return archive_registry(app_of(x)->archive);
}

static bool has_text(const json_t *array, const char *text)
{
	size_t i;
	json_t *v;

	json_array_foreach(array, i,
	    v) if (json_is_string(v) && strcmp(json_string_value(v), text) == 0) return true;
	return false;
}

/* One page of records after the cursor, in order of id, each as shown() makes it (NULL: as it is). */
static void reply_page(struct exchange *x, const char *name, json_t *all,
    bool (*wanted)(const struct exchange *x, const json_t *record),
    json_t *(*shown)(const struct exchange *x, const json_t *record))
{
	const char *cursor = http_query(x, "cursor");
	struct buf after = BUF_INIT, next = BUF_INIT;
	json_t *page = json_array(), *record;
	const char *last = NULL;
	unsigned int limit;
	size_t i;

	if (cursor && *cursor && cursor_read(app_of(x), name, cursor, &after, NULL)) {
		http_reply_problem(x, 400, "bad-cursor", "The cursor is malformed.", NULL);
		goto out;
	}
	if (!limit_of(x, 100, 1000, &limit))
		goto out;
	json_array_foreach(all, i, record)
	{
		const char *id = json_text(record, "id");

		if ((after.data && strcmp(id, after.data) <= 0) || (wanted && !wanted(x, record)))
			continue;
		if (json_array_size(page) == limit) {
			cursor_write(app_of(x), name, last, &next);
			break;
		}
		json_array_append_new(page, shown ? shown(x, record) : json_incref(record));
		last = id;
	}
	http_reply_json(x, 200, json_pack("{s:O,s:s?}", name, page, "next", next.data));
out:
	json_decref(page);
	json_decref(all);
	buf_free(&after);
	buf_free(&next);
}

/* ---- units ---- */

json_t *vacancies_shown(struct registry *r, const char *unit)
{
	static const char *const fields[] = {"freePlaces", "soonFree", "dailyPrice", "time", "org"};
	json_t *told = registry_get(r, "vacancies", unit), *out = told ? json_object() : NULL;

	for (size_t i = 0; out && i < sizeof(fields) / sizeof(*fields); i++) {
		json_t *v = json_object_get(told, fields[i]);

		if (v)
			json_object_set(out, fields[i], v);
	}
	json_decref(told);
	return out;
}

json_t *unit_shown(const struct exchange *x, const json_t *unit)
{
	json_t *out = json_copy((json_t *)(uintptr_t)unit);
	json_t *told = vacancies_shown(registry_of(x), json_text(unit, "id"));

	if (out && !caller_is_authority(caller_of(x)))
		json_object_del(out, "address");
	if (out && told)
		json_object_set(out, "vacancies", told);
	json_decref(told);
	return out;
}

static bool has_free_place(const struct exchange *x, const json_t *unit)
{
	json_t *told = registry_get(registry_of(x), "vacancies", json_text(unit, "id"));
	bool has = json_integer_value(json_object_get(told, "freePlaces")) > 0;

	json_decref(told);
	return has;
}

static bool unit_wanted(const struct exchange *x, const json_t *unit)
{
	static const char *const filters[] = {"county", "municipality", "provider", "serviceForm"};
	static const char *const lists[][2] = {
	    {"language", "languages"}, {"expertise", "expertise"}};
	const char *free_places = http_query(x, "free");

	for (size_t i = 0; i < 4; i++) {
		const char *want = http_query(x, filters[i]), *is = json_text(unit, filters[i]);

		if (want && (!is || strcmp(want, is) != 0))
			return false;
	}
	for (size_t i = 0; i < 2; i++) {
		const char *want = http_query(x, lists[i][0]);

		if (want && !has_text(json_object_get(unit, lists[i][1]), want))
			return false;
	}
	return !free_places || strcmp(free_places, "true") != 0 || has_free_place(x, unit);
}

void units_list(struct exchange *x)
{
	const char *free_places = http_query(x, "free");

	if (free_places && strcmp(free_places, "true") != 0 && strcmp(free_places, "false") != 0)
		http_reply_problem(x, 400, "bad-query", "free must be true or false.", NULL);
	else
		reply_page(
		    x, "units", registry_all(registry_of(x), "units"), unit_wanted, unit_shown);
}

void units_get(struct exchange *x)
{
	json_t *unit = registry_get(registry_of(x), "units", http_param(x, 0));

	if (unit) {
		register_tag(x, "units", unit);
		http_reply_json(x, 200, unit_shown(x, unit));
	} else {
		http_reply_problem(x, 404, "not-found", NULL, NULL);
	}
	json_decref(unit);
}

void units_documents(struct exchange *x)
{
	if (registry_has(registry_of(x), "units", http_param(x, 0)))
		documents_list_for(x, http_param(x, 0), NULL);
	else
		http_reply_problem(x, 404, "not-found", NULL, NULL);
}

/* A case tells what an authority is looking into: it is seen by those who see
 * secret documents of its units, and by the organisation whose case it is, to which it is as a public one. */
static bool case_shown(
    const struct exchange *x, const struct access_sight *sight, const json_t *record)
{
	const char *org = json_text(record, "org");
	const struct access_ids *own = &caller_of(x)->who->access.orgs;
	struct resource r;
	bool shown, is_own = false;

	for (size_t i = 0; org && i < own->len; i++)
		is_own |= strcmp(own->id[i], org) == 0;
	if (resource_of(app_of(x), record, &r, NULL)) /* its units; the rest is not a case's */
		return false;
	r.r.publicity = is_own ? "public" : "secret";
	r.r.state = "final";
	r.r.author = org;
	shown = access_filter_admits(sight->whole, &r.r);
	resource_free(&r);
	return shown;
}

bool case_is_visible(const struct exchange *x, const json_t *record)
{
	struct access_sight *sight = NULL;
	bool shown =
	    !caller_unlogged_sight(caller_of(x), &sight, NULL) && case_shown(x, sight, record);

	access_sight_unref(sight);
	return shown;
}

static bool case_wanted(const struct exchange *x, const json_t *record)
{
	const char *unit = http_query(x, "unit"), *diary = http_query(x, "diaryNumber");
	const char *number = json_text(record, "diaryNumber");

	if (unit && !has_text(json_object_get(record, "units"), unit))
		return false;
	if (diary && (!number || strcmp(diary, number) != 0))
		return false;
	return case_is_visible(x, record);
}

void cases_list(struct exchange *x)
{
	reply_page(x, "cases", registry_all(registry_of(x), "cases"), case_wanted, NULL);
}

void cases_get(struct exchange *x)
{
	json_t *record = registry_get(registry_of(x), "cases", http_param(x, 0));

	if (record && case_is_visible(x, record)) {
		register_tag(x, "cases", record);
		http_reply_json(x, 200, json_incref(record));
	} else {
		http_reply_problem(x, 404, "not-found", NULL, NULL);
	}
	json_decref(record);
}

void cases_documents(struct exchange *x)
{
	json_t *record = registry_get(registry_of(x), "cases", http_param(x, 0));

	if (record && case_is_visible(x, record))
		documents_list_for(x, NULL, http_param(x, 0));
	else
		http_reply_problem(x, 404, "not-found", NULL, NULL);
	json_decref(record);
}

void orgs_list(struct exchange *x)
{
	reply_page(x, "orgs", registry_all(registry_of(x), "orgs"), NULL, NULL);
}

void types_list(struct exchange *x)
{
	reply_page(x, "types", registry_all(registry_of(x), "types"), NULL, NULL);
}

static json_t *ids_json(const struct access_ids *ids)
{
	json_t *list = json_array();

	for (size_t i = 0; i < ids->len; i++)
		json_array_append_new(list, json_string(ids->id[i]));
	return list;
}

static json_t *roles_json(unsigned int roles)
{
	json_t *list = json_array();

	for (unsigned int i = 0; i < ACCESS_ROLES; i++)
		if (roles & (1U << i))
			json_array_append_new(list, json_string(access_role_name(i)));
	return list;
}

void me_get(struct exchange *x)
{
	const struct caller *c = caller_of(x);
	const struct access_principal *p = &c->who->access;
	json_t *user = registry_get(registry_of(x), "users", p->user);
	json_t *org = registry_get(registry_of(x), "orgs", p->org);

	http_reply_json(x, 200,
	    json_pack("{s:o*,s:o*,s:o,s:o,s:s?,s:{s:b,s:b,s:b,s:b}}", "user", user, "org", org,
		"organisations", ids_json(&p->orgs), "roles", roles_json(p->roles), "validUntil",
		p->valid_until, "may", "file",
		(c->scopes & TOKEN_FILE) &&
		    (p->roles & (ACCESS_INSPECTOR | ACCESS_REGISTRAR | ACCESS_SUPERVISOR)) != 0,
		"audit", (int)caller_may(c, ACCESS_AUDIT), "auditOwn",
		(int)caller_may(c, ACCESS_AUDIT_OWN), "administer",
		(int)caller_may(c, ACCESS_ADMINISTER)));
}
