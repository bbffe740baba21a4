/* New orders and changes of them: each is a record that is filed under the key of its document. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "api/caller_filing.h"
#include "api/orders_private.h"
#include "arkki/archive/records.h"
#include "arkki/base/clock.h"
#include "arkki/base/json.h"
#include "arkki/base/text.h"

enum { WAY_MAX = 200 }; /* changes shown */

int orders_may(struct visit *v, bool *ret, struct ark_error *err)
{
	struct card card = {0};
	int rc;

	*ret = false;
	if (!v->row.whole)
		return ARK_OK;
	rc = reading_card(v->app->archive, v->receipt, &v->row, &card, err);
	if (!rc)
		*ret = caller_decides(v->caller, v->app, ACCESS_ORDER, card.fields, false, NULL)
			   .outcome == ACCESS_PERMIT;
	card_free(&card);
	return rc;
}

void order_tag(const struct app *app, const json_t *order, char out[TAG_SIZE])
{
	char text[80], tag[33];
	int n = snprintf(text, sizeof(text), "%.32s %lld", json_text(order, "id"),
	    (long long)json_integer_value(json_object_get(order, "revision")));

	archive_tag(app->archive, "order", text, (size_t)n, tag);
	snprintf(out, TAG_SIZE, "\"%s\"", tag);
}

static int allowed(struct visit *v, struct ark_error *err)
{
	bool may = false;
	int rc = orders_may(v, &may, err);

	if (!rc && !may)
		rc = ark_fail(
		    err, ARK_EREFUSED, "You may not enter or change orders of this document.");
	return rc;
}

/* Files it as the number after base and waits. */
static int file_record(
    struct exchange *x, json_t *record, uint32_t base, const char *reason, struct ark_error *err)
{
	struct visit *v = visit_of(x);
	struct filing *f = filing_new(FILING_RECORD);
	int rc = f ? caller_files(f, v->caller, reason, err)
		   : ark_fail(err, ARK_ENOMEM, "no memory for an order");

	if (!rc)
		rc = filing_under(v->app->archive, v->receipt, &v->row, f, err);
	if (!rc) {
		f->record_kind = ORDERS_KIND;
		f->record = json_incref(record);
		f->record_on_base = true;
		f->base_metadata = base;
		rc = filing_submit_wait(v->app->archive, f, err);
	}
	filing_free(f);
	return rc;
}

/* What the body says, else what the document does. */
static json_t *or_of(const json_t *body, const json_t *fields, const char *name)
{
	json_t *v = json_object_get(body, name);

	return v && !json_is_null(v) ? v : json_object_get(fields, name);
}

static json_t *record_of(const struct visit *v, const json_t *body, const json_t *fields)
{
	static const char *const copied[] = {"text", "ground", "deadline", "matter"};
	static const char *const inherited[] = {"units", "case", "language"};
	unsigned char random[16];
	char id[33];
	json_t *record;
	int failed = 0;

	randombytes_buf(random, sizeof(random));
	hex_encode(id, random, sizeof(random));
	record = json_pack("{s:s,s:i,s:s,s:i,s:s,s:[],s:O*,s:O*}", "id", id, "revision", 1,
	    "document", v->row.document, "version", (int)v->row.version, "state", "open",
	    "evidence", "author", json_object_get(fields, "author"), "date",
	    json_object_get(fields, "date"));
	for (size_t i = 0; record && i < sizeof(copied) / sizeof(*copied); i++) {
		json_t *value = json_object_get(body, copied[i]);

		if (value && !json_is_null(value))
			failed |= json_object_set(record, copied[i], value);
	}
	for (size_t i = 0; record && i < sizeof(inherited) / sizeof(*inherited); i++) {
		json_t *value = or_of(body, fields, inherited[i]);

		if (value && !json_is_null(value))
			failed |= json_object_set(record, inherited[i], value);
	}
	if (failed) {
		json_decref(record);
		return NULL;
	}
	return record;
}

/* ARK_EINPUT while there are any. */
static int settle_faults(json_t *faults, json_t **ret_faults, struct ark_error *err)
{
	if (!faults)
		return ark_fail(err, ARK_ENOMEM, "no memory for an order");
	if (json_array_size(faults)) {
		*ret_faults = faults;
		return ark_fail(err, ARK_EINPUT, "the order is not as it must be");
	}
	json_decref(faults);
	return ARK_OK;
}

int order_make(struct exchange *x, const json_t *body, json_t **ret_faults, json_t **ret,
    struct ark_error *err)
{
	struct visit *v = visit_of(x);
	struct card card = {0};
	json_t *record = NULL;
	int rc = allowed(v, err);

	if (!rc)
		rc = reading_card(v->app->archive, v->receipt, &v->row, &card, err);
	if (!rc)
		rc = settle_faults(order_faults_new(x, body, card.fields), ret_faults, err);
	if (!rc && !(record = record_of(v, body, card.fields)))
		rc = ark_fail(err, ARK_ENOMEM, "no memory for an order");
	if (!rc)
		rc = file_record(x, record, 0, NULL, err);
	card_free(&card);
	if (rc)
		json_decref(record);
	else
		*ret = record;
	return rc;
}

/* ---- a change ---- */

/* Those that are given, and those that stand and that the caller may not see: nobody takes out what he does not know. */
static int evidence_of(struct exchange *x, const json_t *order, const json_t *given, json_t **ret,
    struct ark_error *err)
{
	json_t *out = json_array(), *document;
	struct orders_eyes e;
	size_t i;
	int rc = orders_eyes_begin(x, &e, err), failed = !out;

	json_array_foreach(json_object_get(order, "evidence"), i, document)
	{
		bool seen = false;

		if (!rc)
			rc = order_evidence_seen(&e, json_string_value(document), &seen, err);
		if (!rc && !seen)
			failed |= json_array_append(out, document);
	}
	orders_eyes_end(&e);
	json_array_foreach(given, i, document)
	{
		failed |= json_array_append(out, document);
	}
	if (!rc && failed)
		rc = ark_fail(err, ARK_ENOMEM, "no memory for an order");
	if (rc)
		json_decref(out);
	else
		*ret = out;
	return rc;
}

static int set_state(struct exchange *x, json_t *record, const char *state)
{
	char today[11];
	int failed = json_object_set_new(record, "state", json_string(state));

	clock_day(today, clock_now_us());
	(void)json_object_del(record, "verifiedBy");
	(void)json_object_del(record, "verifiedAt");
	if (strcmp(state, "met") != 0)
		return failed;
	failed |=
	    json_object_set_new(record, "verifiedBy", json_string(caller_of(x)->who->access.user));
	return failed | json_object_set_new(record, "verifiedAt", json_string(today));
}

static int changed(struct exchange *x, const json_t *order, const json_t *body, json_t **ret,
    struct ark_error *err)
{
	static const char *const copied[] = {"deadline", "matter"};
	json_t *record = json_copy((json_t *)(uintptr_t)order), *evidence = NULL;
	const char *state = json_text(body, "state");
	json_int_t revision = json_integer_value(json_object_get(order, "revision"));
	int rc = ARK_OK, failed = !record;

	for (size_t i = 0; !failed && i < sizeof(copied) / sizeof(*copied); i++) {
		json_t *value = json_object_get(body, copied[i]);

		if (value && !json_is_null(value))
			failed |= json_object_set(record, copied[i], value);
	}
	if (!failed && json_is_array(json_object_get(body, "evidence"))) {
		rc = evidence_of(x, order, json_object_get(body, "evidence"), &evidence, err);
		if (!rc)
			failed |= json_object_set_new(record, "evidence", evidence);
	}
	if (!failed && state)
		failed |= set_state(x, record, state);
	if (!failed)
		failed |= json_object_set_new(record, "revision", json_integer(revision + 1));
	if (!rc && failed)
		rc = ark_fail(err, ARK_ENOMEM, "no memory for an order");
	if (rc)
		json_decref(record);
	else
		*ret = record;
	return rc;
}

int order_change(struct exchange *x, const json_t *order, const json_t *body, json_t **ret_faults,
    json_t **ret, struct ark_error *err)
{
	uint32_t base = (uint32_t)json_integer_value(json_object_get(order, "revision"));
	json_t *record = NULL;
	int rc = allowed(visit_of(x), err);

	if (!rc)
		rc = settle_faults(order_faults_change(x, body, order), ret_faults, err);
	if (!rc)
		rc = changed(x, order, body, &record, err);
	if (!rc)
		rc = file_record(x, record, base, json_text(body, "reason"), err);
	if (rc)
		json_decref(record);
	else
		*ret = record;
	return rc;
}

/* ---- its way ---- */

static json_t *step_of(const json_t *envelope)
{
	const json_t *record = json_object_get(envelope, "record"),
		     *actor = json_object_get(envelope, "actor");

	return json_pack("{s:s?,s:s?,s:s?,s:s?,s:s?,s:s?}", "time", json_text(envelope, "time"),
	    "by", json_text(actor, "user"), "org", json_text(actor, "org"), "reason",
	    json_text(envelope, "reason"), "state", json_text(record, "state"), "deadline",
	    json_text(record, "deadline"));
}

int order_way(struct visit *v, const json_t *order, json_t **ret, struct ark_error *err)
{
	uint32_t last = (uint32_t)json_integer_value(json_object_get(order, "revision"));
	uint32_t first = last > WAY_MAX ? last - WAY_MAX + 1 : 1;
	json_t *way = json_array();
	int rc = way ? ARK_OK : ark_fail(err, ARK_ENOMEM, "no memory for an order");

	for (uint32_t n = first; !rc && n <= last; n++) {
		json_t *envelope = NULL;

		rc = records_read(v->app->archive, v->receipt, ORDERS_KIND, json_text(order, "id"),
		    n, &envelope, err);
		if (!rc && json_array_append_new(way, step_of(envelope)))
			rc = ark_fail(err, ARK_ENOMEM, "no memory for an order");
		json_decref(envelope);
	}
	if (rc)
		json_decref(way);
	else
		*ret = way;
	return rc;
}
