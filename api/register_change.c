/* What changing a record of the registers takes: its tag, what changed since it was read, its filing. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "api/accounts_api.h"
#include "api/caller_filing.h"
#include "api/registers.h"
#include "arkki/api/http_range.h"
#include "arkki/archive/records.h"
#include "arkki/base/json.h"
#include "arkki/base/text.h"

enum {
	EARLIER_MOST =
	    50, /* numbers back that a tag is looked for: who read it then is told what changed */
	DETAIL_MOST = 300, /* bytes of a value in a refusal */
};

void register_wrong(struct exchange *x, const char *field, const char *code, const char *detail)
{
	http_reply_problem(x, 422, "register", NULL,
	    json_pack("[{s:s,s:s,s:s}]", "field", field, "code", code, "detail", detail));
}

/* Of what the record says, not of its number: what was shown is what is compared, whatever came between reading one and the
 * other. "": no memory. */
static void tag_of(
    const struct app *app, const char *kind, const json_t *record, char out[TAG_SIZE])
{
	char *text = json_dumps(record, JSON_COMPACT | JSON_SORT_KEYS), tag[33];

	out[0] = '\0';
	if (!text)
		return;
	archive_tag(app->archive, kind, text, strlen(text), tag);
	snprintf(out, TAG_SIZE, "\"%s\"", tag);
	free(text);
}

void register_tag(struct exchange *x, const char *kind, const json_t *record)
{
	char tag[TAG_SIZE];

	tag_of(app_of(x), kind, record, tag);
	if (tag[0])
		http_reply_header(x, "ETag", tag);
}

/* ---- what changed ---- */

static bool same(const json_t *a, const json_t *b)
{
	return (!a && !b) || (a && b && json_equal(a, b));
}

/* One line for a field that is another now: with its value, when that is short. */
static void add_change(json_t *errors, const char *field, const json_t *now)
{
	struct buf value = {.limit = DETAIL_MOST}, detail = BUF_INIT;
	char *text = now ? json_dumps(now, JSON_ENCODE_ANY | JSON_COMPACT) : NULL;

	if (text)
		buf_adds(&value, text);
	if (!now)
		buf_adds(&detail, "It is not given any more.");
	else if (!text || buf_failed(&value))
		buf_adds(&detail, "It is another now.");
	else
		buf_addf(&detail, "It is now %s.", value.data);
	if (!buf_failed(&detail))
		json_array_append_new(errors, json_pack("{s:s,s:s,s:s}", "field", field, "code",
						  "changed", "detail", detail.data));
	free(text);
	buf_free(&value);
	buf_free(&detail);
}

static json_t *changes(const json_t *before, const json_t *now)
{
	json_t *errors = json_array(), *v;
	const char *field;

	json_object_foreach((json_t *)(uintptr_t)now, field, v)
	{
		if (!same(json_object_get(before, field), v))
			add_change(errors, field, v);
	}
	json_object_foreach((json_t *)(uintptr_t)before, field, v)
	{
		if (!json_object_get(now, field))
			add_change(errors, field, NULL);
	}
	return errors;
}

static enum etag_match matches(
    struct exchange *x, const char *header, const char *kind, const json_t *record)
{
	char tag[TAG_SIZE];

	tag_of(app_of(x), kind, record, tag);
	return etag_if_match(header, tag);
}

/* What has changed since the version that If-Match names; NULL: it is too long ago, or there never was one. */
static json_t *changes_since(
    struct exchange *x, const char *header, const char *kind, const json_t *now, uint32_t number)
{
	struct archive *a = app_of(x)->archive;
	const char *id = json_text(now, "id");
	struct receipt *receipt = NULL;
	json_t *found = NULL;
	char range[120];

	snprintf(range, sizeof(range), "versions before %u of %s %s", number, kind, id);
	if (archive_maintenance(a, "compare record", range, &receipt, NULL))
		return NULL;
	for (unsigned int i = 0; !found && i < EARLIER_MOST && number > 1; i++) {
		json_t *envelope = NULL;
		const json_t *earlier;

		if (records_read(a, receipt, kind, id, --number, &envelope, NULL))
			break;
		earlier = json_object_get(envelope, "record");
		if (matches(x, header, kind, earlier) == ETAG_MATCH)
			found = changes(earlier, now);
		json_decref(envelope);
	}
	receipt_free(receipt);
	return found;
}

static void refuse_changed(struct exchange *x, const char *kind, const json_t *now, uint32_t number)
{
	http_reply_problem(x, 412, "changed-meanwhile",
	    "Somebody has changed it since you read it; read it again and repeat your change.",
	    changes_since(x, http_header_list(x, "If-Match"), kind, now, number));
}

bool register_base(struct exchange *x, const char *kind, const json_t *stands, uint32_t *ret_base)
{
	const char *header = http_header_list(x, "If-Match");
	struct ark_error err;

	if (records_number(app_of(x)->archive, kind, json_text(stands, "id"), ret_base, &err)) {
		http_reply_error(x, &err);
		return false;
	}
	switch (matches(x, header, kind, stands)) {
	case ETAG_MATCH:
		return true;
	case ETAG_ABSENT:
		http_reply_problem(x, 428, "if-match-required",
		    "Send If-Match with the ETag of it as you read it.", NULL);
		return false;
	case ETAG_MALFORMED:
		http_reply_problem(x, 400, "bad-if-match", "If-Match is malformed.", NULL);
		return false;
	default:
		refuse_changed(x, kind, stands, *ret_base);
		return false;
	}
}

/* ---- bodies ---- */

json_t *register_body(struct exchange *x, const char *kind)
{
	json_t *body = accounts_body(x), *v;
	const char *field;

	json_object_foreach(body, field, v)
	{
		if (register_field(kind, field))
			continue;
		/* the name may be anything, a long one is not given back */
		register_wrong(
		    x, strlen(field) < 64 ? field : "", "unknown-field", "There is no such field.");
		json_decref(body);
		return NULL;
	}
	return body;
}

static bool known(void *arg, const char *kind, const char *id)
{
	return registry_has(arg, kind, id);
}

bool register_checked(struct exchange *x, const char *kind, const json_t *record)
{
	struct registry *r = archive_registry(app_of(x)->archive);
	struct register_fault fault = {0};
	struct ark_error err;
	int rc = strcmp(kind, "types") == 0   ? type_check(record, &fault, &err)
		 : strcmp(kind, "units") == 0 ? unit_check(record, known, r, &fault, &err)
		 : strcmp(kind, "cases") == 0 ? case_check(record, known, r, &fault, &err)
					      : vacancies_check(record, known, r, &fault, &err);

	if (rc)
		register_wrong(x, fault.field, fault.code, err.text);
	return !rc;
}

void register_new_id(struct exchange *x, const json_t *body, char ret[65])
{
	json_t *given = json_object_get(body, "id");
	const char *id = json_string_value(given);
	unsigned char random[8];

	ret[0] = '\0';
	if (!given) {
		randombytes_buf(random, sizeof(random));
		hex_encode(ret, random, sizeof(random));
	} else if (!id || !id_valid(id)) {
		register_wrong(x, "id", "bad-value", "id must be [a-z0-9-]{1,64}");
	} else {
		snprintf(ret, 65, "%s", id);
	}
}

/* ---- filing ---- */

bool register_file(
    struct exchange *x, const char *kind, json_t *record, uint32_t base, const char *reason)
{
	const struct filing_actor actor = caller_actor(caller_of(x));
	struct ark_error err;

	switch (records_file(app_of(x)->archive, kind, record, base, &actor, reason, &err)) {
	case ARK_OK:
		return true;
	case ARK_ECONFLICT: /* the operator loads, or the id was taken in between */
		if (base)
			http_reply_problem(x, 412, "changed-meanwhile", NULL, NULL);
		else
			http_reply_problem(x, 409, "conflict", "The id is taken.", NULL);
		return false;
	case ARK_EIO:
		http_reply_header(x, "Retry-After", "60");
		http_reply_problem(x, 503, "no-room", err.text, NULL);
		return false;
	default:
		http_reply_error(x, &err);
		return false;
	}
}
