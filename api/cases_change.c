/* Cases as they are opened, moved on and closed. */
#include <stdio.h>
#include <string.h>

#include "api/handlers.h"
#include "api/registers.h"
#include "arkki/base/clock.h"
#include "arkki/base/json.h"

static struct registry *registry_of(const struct exchange *x)
{
	return archive_registry(app_of(x)->archive);
}

static const char keepers[] = "A case is kept by those who may file documents in it: for its "
			      "organisation, about its units.";

static bool denied(struct exchange *x, bool may)
{
	if (!may)
		http_reply_problem(x, 403, "not-permitted", keepers, NULL);
	return !may;
}

static void reply_case(struct exchange *x, int status, json_t *record)
{
	register_tag(x, "cases", record);
	if (status == 201)
		http_reply_headerf(x, "Location", "/v1/cases/%s", json_text(record, "id"));
	http_reply_json(x, status, json_incref(record));
}

/* ---- a diary number is of one case of its organisation ---- */

struct number {
	const char *id, *org, *text;
	bool taken;
};

static void look_at_number(void *arg, const json_t *record)
{
	struct number *n = arg;
	const char *id = json_text(record, "id"), *org = json_text(record, "org");
	const char *text = json_text(record, "diaryNumber");

	n->taken |= id && org && text && strcmp(text, n->text) == 0 && strcmp(org, n->org) == 0 &&
		    strcmp(id, n->id) != 0;
}

/* Of the own organisation's cases, all of which its people see. False: 422 is replied. */
static bool number_free(struct exchange *x, const json_t *record)
{
	struct number n = {json_text(record, "id"), json_text(record, "org"),
	    json_text(record, "diaryNumber"), false};

	if (n.text)
		registry_each(registry_of(x), "cases", look_at_number, &n);
	if (n.taken)
		register_wrong(x, "diaryNumber", "taken",
		    "The organisation has another case with this diary number.");
	return !n.taken;
}

/* ---- POST ---- */

static bool set_default(json_t *record, const char *field, const char *value)
{
	return json_object_get(record, field) ||
	       !json_object_set_new(record, field, json_string(value));
}

void cases_post(struct exchange *x)
{
	const struct access_principal *p = &caller_of(x)->who->access;
	json_t *body;
	char id[65], today[11];

	if (!visit_of(x) || !visit_stated_ok(x))
		return;
	/* who files nothing opens nothing: said before the body is looked at */
	if (denied(x, (p->roles & (ACCESS_INSPECTOR | ACCESS_REGISTRAR | ACCESS_SUPERVISOR)) ||
			  caller_may(caller_of(x), ACCESS_ADMINISTER)))
		return;
	body = register_body(x, "cases");
	if (!body)
		return;
	register_new_id(x, body, id);
	if (!id[0])
		goto out;
	clock_day(today, clock_now_us());
	if (json_object_set_new(body, "id", json_string(id)) || !set_default(body, "org", p->org) ||
	    !set_default(body, "state", "opened") || !set_default(body, "opened", today)) {
		http_reply_problem(x, 503, "out-of-memory", NULL, NULL);
		goto out;
	}
	/* to look whether the number is free and to take it is one step */
	pthread_mutex_lock(&app_of(x)->registers_lock);
	if (register_checked(x, "cases", body) && !denied(x, case_may_keep(x, body)) &&
	    number_free(x, body) && register_file(x, "cases", body, 0, NULL))
		reply_case(x, 201, body);
	pthread_mutex_unlock(&app_of(x)->registers_lock);
out:
	json_decref(body);
}

/* ---- PATCH ---- */

static bool is_closed(const json_t *record)
{
	const char *state = json_text(record, "state");

	return state ? strcmp(state, "closed") == 0 : json_text(record, "closed") != NULL;
}

/* A closed case is opened again before anything else in it changes; its last day may be put right. */
bool case_closed_allows(const json_t *stands, const json_t *body)
{
	const char *state = json_text(body, "state");

	if (!is_closed(stands) || (state && strcmp(state, "closed") != 0))
		return true;
	return json_object_size(body) == 1 && json_text(body, "closed");
}

/* State and last day go together: a day closes the case, another state takes the day away. */
static int settle_end(json_t *record, const json_t *body)
{
	const char *state = json_text(body, "state");
	char today[11];

	clock_day(today, clock_now_us());
	if (!state && json_text(body, "closed"))
		return json_object_set_new(record, "state", json_string("closed"));
	if (state && strcmp(state, "closed") == 0 && !json_object_get(record, "closed"))
		return json_object_set_new(record, "closed", json_string(today));
	if (state && strcmp(state, "closed") != 0)
		json_object_del(record, "closed");
	return 0;
}

/* The record with what is named; null takes away. NULL: no memory. */
json_t *case_patched(const json_t *stands, const json_t *body)
{
	json_t *record = json_copy((json_t *)(uintptr_t)stands), *v;
	const char *field;
	bool lost = !record;

	json_object_foreach((json_t *)(uintptr_t)body, field, v)
	{
		if (json_is_null(v))
			json_object_del(record, field);
		else
			lost |= json_object_set(record, field, v) != 0;
	}
	if (!lost && !settle_end(record, body))
		return record;
	json_decref(record);
	return NULL;
}

/* Whose case it is does not change, nor its id. False: 422 is replied. */
static bool keeps_names(struct exchange *x, const json_t *stands, const json_t *body)
{
	static const char *const fields[] = {"id", "org"};

	for (size_t i = 0; i < 2; i++) {
		const json_t *v = json_object_get(body, fields[i]);

		if (v && !json_equal(v, json_object_get(stands, fields[i]))) {
			register_wrong(x, fields[i], "bad-value", "It does not change.");
			return false;
		}
	}
	return true;
}

static void change(struct exchange *x, const json_t *stands, const json_t *body, uint32_t base)
{
	json_t *record;

	if (!keeps_names(x, stands, body))
		return;
	if (!case_closed_allows(stands, body)) {
		http_reply_problem(x, 409, "case-closed",
		    "The case is closed: open it again by giving it another state.", NULL);
		return;
	}
	record = case_patched(stands, body);
	if (!record)
		http_reply_problem(x, 503, "out-of-memory", NULL, NULL);
	else if (register_checked(x, "cases", record) && !denied(x, case_may_keep(x, record)) &&
		 number_free(x, record) &&
		 (json_equal(stands, record) || register_file(x, "cases", record, base, NULL)))
		reply_case(x, 200, record);
	json_decref(record);
}

void cases_patch(struct exchange *x)
{
	json_t *stands, *body = NULL;
	uint32_t base;

	pthread_mutex_lock(&app_of(x)->registers_lock);
	stands = registry_get(registry_of(x), "cases", http_param(x, 0));
	if (!stands || !case_is_visible(x, stands))
		http_reply_problem(x, 404, "not-found", NULL, NULL);
	else if (visit_of(x) && !denied(x, case_may_keep(x, stands)) &&
		 register_base(x, "cases", stands, &base) && visit_stated_ok(x) &&
		 (body = register_body(x, "cases")))
		change(x, stands, body, base);
	pthread_mutex_unlock(&app_of(x)->registers_lock);
	json_decref(body);
	json_decref(stands);
}
