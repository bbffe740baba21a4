/* What a new order and a change of one may say. A thing that the caller may not see is refused in the same words as one
 * that does not exist. */
#include <stdlib.h>
#include <string.h>

#include "api/handlers.h"
#include "api/orders_private.h"
#include "arkki/base/clock.h"
#include "arkki/base/json.h"
#include "arkki/base/text.h"

static void fault(json_t *faults, const char *field, const char *code, const char *detail)
{
	json_array_append_new(
	    faults, json_pack("{s:s,s:s,s:s}", "field", field, "code", code, "detail", detail));
}

static bool given(const json_t *body, const char *name)
{
	const json_t *v = json_object_get(body, name);

	return v && !json_is_null(v);
}

static bool has_text(const json_t *array, const char *text)
{
	json_t *v;
	size_t i;

	json_array_foreach(array, i, v)
	{
		if (json_is_string(v) && strcmp(json_string_value(v), text) == 0)
			return true;
	}
	return false;
}

/* Something that shows, without controls (several lines where they may be) and without what turns the text around it. */
static bool text_ok(const json_t *value, size_t most, bool lines)
{
	const char *text = json_string_value(value);
	size_t len = json_string_length(value);

	if (!text || utf8_length(text, len) > most || utf8_blank(text))
		return false;
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];

		if ((c < 0x20 && !(lines && (c == '\n' || c == '\r' || c == '\t'))) || c == 0x7f ||
		    utf8_turn(text + i, len - i))
			return false;
	}
	return true;
}

static void check_text(
    json_t *faults, const json_t *body, const char *name, size_t most, bool needed)
{
	if ((needed || given(body, name)) &&
	    !text_ok(json_object_get(body, name), most, most > ORDER_LINE_MAX))
		fault(faults, name, given(body, name) ? "bad-text" : "missing",
		    "A text that shows is needed, without control characters, and not too long.");
}

static void check_deadline(json_t *faults, const json_t *body)
{
	const char *day = json_text(body, "deadline");

	if (given(body, "deadline") && (!day || !date_valid(day)))
		fault(faults, "deadline", "bad-date", "A day is written YYYY-MM-DD.");
}

static void check_matter(struct exchange *x, json_t *faults, const json_t *body)
{
	const char *matter = json_text(body, "matter");

	if (given(body, "matter") &&
	    (!matter || !matter_known(archive_registry(app_of(x)->archive), matter)))
		fault(faults, "matter", "unknown", "There is no such matter (GET /v1/matters).");
}

static void check_names(json_t *faults, const json_t *body, const char *const *names, size_t n)
{
	const char *key;
	json_t *v;

	json_object_foreach((json_t *)(uintptr_t)body, key, v)
	{
		bool known = false;

		for (size_t i = 0; i < n; i++)
			known |= strcmp(key, names[i]) == 0;
		if (!known)
			fault(faults, key, "unknown-field", "An order has no such field here.");
	}
}

/* ---- a new one ---- */

static void check_units(json_t *faults, const json_t *body, const json_t *fields)
{
	const json_t *units = json_object_get(body, "units"),
		     *of = json_object_get(fields, "units");
	bool ok = json_is_array(units) && json_array_size(units) > 0;
	json_t *unit;
	size_t i;

	if (!given(body, "units"))
		return;
	json_array_foreach(units, i, unit)
	{
		ok &= json_is_string(unit) && has_text(of, json_string_value(unit));
	}
	if (!ok)
		fault(faults, "units", "unknown", "The units must be among those of the document.");
}

static void check_case(struct exchange *x, json_t *faults, const json_t *body, const json_t *fields)
{
	const char *id = json_text(body, "case"), *of = json_text(fields, "case");
	json_t *record;

	if (!given(body, "case") || (id && of && strcmp(id, of) == 0))
		return;
	record = id ? registry_get(archive_registry(app_of(x)->archive), "cases", id) : NULL;
	if (!record || !case_is_visible(x, record))
		fault(faults, "case", "unknown", "There is no such case.");
	json_decref(record);
}

json_t *order_faults_new(struct exchange *x, const json_t *body, const json_t *fields)
{
	static const char *const names[] = {"document", "version", "text", "ground", "deadline",
	    "units", "case", "matter", "language"};
	const char *language = json_text(body, "language");
	json_t *faults = json_array();

	if (!faults)
		return NULL;
	check_names(faults, body, names, sizeof(names) / sizeof(*names));
	check_text(faults, body, "text", ORDER_TEXT_MAX, true);
	check_text(faults, body, "ground", ORDER_LINE_MAX, false);
	check_deadline(faults, body);
	check_units(faults, body, fields);
	check_case(x, faults, body, fields);
	check_matter(x, faults, body);
	if (given(body, "language") &&
	    (!language || (strcmp(language, "fi") != 0 && strcmp(language, "sv") != 0 &&
			      strcmp(language, "se") != 0 && strcmp(language, "en") != 0)))
		fault(faults, "language", "unknown", "The language is fi, sv, se or en.");
	return faults;
}

/* ---- a change ---- */

static int check_evidence(
    struct exchange *x, json_t *faults, const json_t *body, struct ark_error *err)
{
	const json_t *list = json_object_get(body, "evidence");
	bool ok = json_is_array(list) && json_array_size(list) <= ORDER_EVIDENCE_MAX;
	struct orders_eyes e;
	json_t *document;
	size_t i;
	int rc;

	if (!given(body, "evidence"))
		return ARK_OK;
	rc = orders_eyes_begin(x, &e, err);
	json_array_foreach(list, i, document)
	{
		bool seen = false;

		if (!rc && ok)
			rc = order_evidence_seen(&e, json_string_value(document), &seen, err);
		ok &= seen;
	}
	orders_eyes_end(&e);
	if (!rc && !ok)
		fault(faults, "evidence", "unknown",
		    "The evidence must be a list of documents that are in the archive.");
	return rc;
}

static bool has_evidence(const json_t *body, const json_t *order)
{
	const json_t *list = given(body, "evidence") ? json_object_get(body, "evidence")
						     : json_object_get(order, "evidence");

	return json_array_size(list) > 0;
}

static void check_state(json_t *faults, const json_t *body, const json_t *order)
{
	const char *state = json_text(body, "state"), *is = json_text(order, "state");
	bool reason = given(body, "reason");

	if (given(body, "state") &&
	    (!state || (strcmp(state, "open") != 0 && strcmp(state, "met") != 0 &&
			   strcmp(state, "lapsed") != 0)))
		fault(faults, "state", "unknown", "The state is open, met or lapsed.");
	else if (state && strcmp(state, "met") == 0 && !reason && !has_evidence(body, order))
		fault(faults, "evidence", "missing",
		    "An order is met by a document that shows it, or with a reason.");
	else if (state && strcmp(state, "met") != 0 && strcmp(state, is) != 0 && !reason)
		fault(faults, "reason", "missing", "Say why.");
	else if (given(body, "deadline") && !reason)
		fault(faults, "reason", "missing", "Say why the deadline is moved.");
}

json_t *order_faults_change(struct exchange *x, const json_t *body, const json_t *order)
{
	static const char *const names[] = {"state", "evidence", "reason", "deadline", "matter"};
	json_t *faults = json_array();
	struct ark_error err;

	if (!faults)
		return NULL;
	check_names(faults, body, names, sizeof(names) / sizeof(*names));
	check_text(faults, body, "reason", ORDER_TEXT_MAX, false);
	check_deadline(faults, body);
	check_matter(x, faults, body);
	check_state(faults, body, order);
	if (check_evidence(x, faults, body, &err)) {
		json_decref(faults);
		return NULL;
	}
	if (!json_array_size(faults) && !json_object_size(body))
		fault(faults, "state", "missing", "Say what is to change.");
	return faults;
}
