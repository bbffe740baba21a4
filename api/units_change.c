/* Units as they are entered and changed, and what their providers tell of free places. */
#include <stdio.h>
#include <string.h>

#include "api/accounts_api.h"
#include "api/caller_filing.h"
#include "api/registers.h"
#include "arkki/archive/records.h"
#include "arkki/base/clock.h"
#include "arkki/base/json.h"

static struct registry *registry_of(const struct exchange *x)
{
	return archive_registry(app_of(x)->archive);
}

static bool denied(struct exchange *x, bool may, const char *why)
{
	if (!may)
		http_reply_problem(x, 403, "not-permitted", why, NULL);
	return !may;
}

static const char keepers[] =
    "Units are kept by inspectors and registrars of the state agency and of "
    "the county where the unit stands.";

/* May this caller keep any unit at all? Asked before the body is looked at. */
static bool keeps_some(const struct caller *c)
{
	const struct access_ids *counties = &c->who->access.counties;
	json_t *unit =
	    json_pack("{s:s,s:s}", "id", "unit", "county", counties->len ? counties->id[0] : "");
	bool may = unit && unit_may_keep(c, unit);

	json_decref(unit);
	return may;
}

static void reply_unit(struct exchange *x, int status, const json_t *record)
{
	const char *id = json_text(record, "id");

	register_tag(x, "units", record);
	if (status == 201)
		http_reply_headerf(x, "Location", "/v1/units/%s", id);
	http_reply_json(x, status, unit_shown(x, record));
}

void units_post(struct exchange *x)
{
	json_t *body;
	char id[65];

	if (!visit_of(x) || denied(x, keeps_some(caller_of(x)), keepers) || !visit_stated_ok(x))
		return;
	body = register_body(x, "units");
	if (!body)
		return;
	register_new_id(x, body, id);
	if (!id[0])
		goto out;
	if (json_object_set_new(body, "id", json_string(id))) {
		http_reply_problem(x, 503, "out-of-memory", NULL, NULL);
		goto out;
	}
	if (register_checked(x, "units", body) &&
	    !denied(x, unit_may_keep(caller_of(x), body), keepers) &&
	    register_file(x, "units", body, 0, NULL))
		reply_unit(x, 201, body);
out:
	json_decref(body);
}

void units_put(struct exchange *x)
{
	const char *id = http_param(x, 0), *given;
	json_t *stands, *body = NULL;
	uint32_t base;

	pthread_mutex_lock(&app_of(x)->registers_lock);
	stands = registry_get(registry_of(x), "units", id);
	if (!stands) {
		http_reply_problem(x, 404, "not-found", NULL, NULL);
		goto out;
	}
	if (!visit_of(x) || denied(x, unit_may_keep(caller_of(x), stands), keepers) ||
	    !register_base(x, "units", stands, &base) || !visit_stated_ok(x))
		goto out;
	body = register_body(x, "units");
	if (!body)
		goto out;
	given = json_text(body, "id");
	if (json_object_get(body, "id") && (!given || strcmp(given, id) != 0)) {
		register_wrong(x, "id", "bad-value", "An id does not change.");
		goto out;
	}
	if (json_object_set_new(body, "id", json_string(id))) {
		http_reply_problem(x, 503, "out-of-memory", NULL, NULL);
		goto out;
	}
	/* nobody moves a unit out of the own county into one that is not */
	if (register_checked(x, "units", body) &&
	    !denied(x, unit_may_keep(caller_of(x), body), keepers) &&
	    (json_equal(stands, body) || register_file(x, "units", body, base, NULL)))
		reply_unit(x, 200, body);
out:
	pthread_mutex_unlock(&app_of(x)->registers_lock);
	json_decref(body);
	json_decref(stands);
}

/* ---- vacancies ---- */

/* {"freePlaces","soonFree","dailyPrice"} of now; NULL: replied. */
static json_t *told_now(struct exchange *x, const char *unit)
{
	static const char *const fields[] = {"freePlaces", "soonFree", "dailyPrice"};
	const struct access_principal *p = &caller_of(x)->who->access;
	json_t *body = accounts_body(x), *record = NULL, *v;
	char time[CLOCK_TEXT_SIZE];
	const char *field;

	if (!body)
		return NULL;
	clock_format(time, clock_now_us());
	record =
	    json_pack("{s:s,s:s,s:s,s:s}", "id", unit, "time", time, "by", p->user, "org", p->org);
	json_object_foreach(body, field, v)
	{
		bool is_known = false;

		for (size_t i = 0; i < sizeof(fields) / sizeof(*fields); i++)
			is_known |= strcmp(fields[i], field) == 0;
		if (is_known && record && !json_object_set(record, field, v))
			continue;
		register_wrong(x, strlen(field) < 64 ? field : "", "unknown-field",
		    "freePlaces, soonFree and dailyPrice are told, and nothing else.");
		goto fail;
	}
	if (!record)
		http_reply_problem(x, 503, "out-of-memory", NULL, NULL);
	else if (json_object_size(body) == 0)
		register_wrong(x, "freePlaces", "required",
		    "At least one of freePlaces, soonFree and dailyPrice is needed.");
	else if (register_checked(x, "vacancies", record)) {
		json_decref(body);
		return record;
	}
fail:
	json_decref(body);
	json_decref(record);
	return NULL;
}

void vacancies_put(struct exchange *x)
{
	const char *id = http_param(x, 0);
	json_t *unit = registry_get(registry_of(x), "units", id), *record = NULL;
	const struct filing_actor actor = caller_actor(caller_of(x));
	struct filing *f = NULL;
	struct ark_error err;

	if (!unit) {
		http_reply_problem(x, 404, "not-found", NULL, NULL);
		return;
	}
	if (!visit_of(x) ||
	    denied(x, unit_may_tell(caller_of(x), unit),
		"Free places are told by the contact person of the unit's provider, or by an "
		"authority that keeps the unit's record.") ||
	    !visit_stated_ok(x))
		goto out;
	record = told_now(x, id);
	if (!record)
		goto out;
	/* on no base: what is told last counts */
	f = filing_new(FILING_RECORD);
	if (!f || filing_set_actor(f, &actor, &err)) {
		http_reply_problem(x, 503, "out-of-memory", NULL, NULL);
		goto out;
	}
	f->record_kind = "vacancies";
	f->record = json_incref(record);
	if (filing_submit_wait(app_of(x)->archive, f, &err))
		http_reply_error(x, &err);
	else
		http_reply_json(x, 200, vacancies_shown(registry_of(x), id));
out:
	filing_free(f);
	json_decref(record);
	json_decref(unit);
}
