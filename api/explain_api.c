/* POST /v1/policies/explain, and the same for the operator on the admin socket.
 *
 * What may be asked, and what the answer must not tell:
 *   of oneself            any account; of versions that it sees now, whatever time is asked about
 *   of another account    administer or audit; of versions that the caller itself sees whole, or
 *                         any with audit. An administrator learns nothing of hidden documents.
 *   by the operator       of any account and any version: whoever has the socket has the archive
 * What is not seen answers as what does not exist. A purpose, a case or a broken glass in the body is
 * a supposition: it opens nothing here.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "api/explain.h"
#include "api/handlers.h"
#include "api/past_work.h"
#include "arkki/base/clock.h"
#include "arkki/base/json.h"
#include "arkki/base/text.h"

enum { TEXT_MAX = 4096, UNITS_MAX = 1000 };

struct asking {
	struct explain e;
	struct exchange *x;
	struct app *app;
	json_t *body, *errors;
	const char *document;
	uint32_t version;
	bool of_another;
	const struct receipt *receipt;
	void (*show)(
	    struct exchange *x, json_t *answer, json_t *faults); /* NULL: the API answers */
	/* the answer, made in a thread of its own when it is about the past */
	json_t *answer;
	int status;
	struct ark_error error;
	struct past_work work;
};

static void asking_free(void *arg)
{
	struct asking *q = arg;

	past_work_end(&q->work);
	json_decref(q->body);
	json_decref(q->errors);
	json_decref(q->answer);
	free(q);
}

/* ---- the question: every fault in it is told ---- */

static void wrong(struct asking *q, const char *field, const char *code, const char *detail)
{
	past_work_fault(q->errors, field, code, detail);
}

static const char *text_of(struct asking *q, const char *field)
{
	const json_t *v = json_object_get(q->body, field);

	if (!v || json_is_null(v))
		return NULL;
	if (json_is_string(v) && json_string_length(v) > 0 && json_string_length(v) <= TEXT_MAX)
		return json_string_value(v);
	wrong(q, field, "text", "must be a text of 1 to 4096 bytes");
	return NULL;
}

static void refuse_unknown(
    struct asking *q, const json_t *object, const char *const *known, const char *prefix)
{
	const char *key;
	json_t *v;

	json_object_foreach((json_t *)(uintptr_t)object, key, v)
	{
		struct buf field = BUF_INIT;
		size_t i = 0;

		while (known[i] && strcmp(known[i], key) != 0)
			i++;
		buf_addf(&field, "%s%.64s", prefix, key);
		if (!known[i] && !buf_failed(&field))
			wrong(q, field.data, "unknown-field", "is not a field of the question");
		buf_free(&field);
	}
}

static bool texts_ok(const json_t *array, size_t most)
{
	json_t *v;
	size_t i;

	if (!json_is_array(array) || json_array_size(array) > most)
		return false;
	json_array_foreach(array, i, v) if (!json_is_string(v)) return false;
	return true;
}

static void check_list(
    struct asking *q, const json_t *resource, const char *name, const char *field)
{
	const json_t *v = json_object_get(resource, name);

	if (v && !texts_ok(v, UNITS_MAX))
		wrong(q, field, "list", "must be a list of at most 1000 texts");
}

static void check_units(struct asking *q, const json_t *units)
{
	json_t *v;
	size_t i;

	json_array_foreach(units, i,
	    v) if (!registry_has(archive_registry(q->app->archive), "units", json_string_value(v)))
	{
		wrong(q, "resource.units", "unknown", "holds a unit that is not known");
		return;
	}
}

/* Fields of metadata; those that no decision looks at are allowed, so that a document's own will do. */
static void check_resource(struct asking *q, const json_t *resource)
{
	static const char *const known[] = {"units", "case", "type", "title", "publicTitle",
	    "language", "date", "publicity", "author", "state", "visitDate", "addressees",
	    "renditions", NULL};
	static const char *const texts[][2] = {
	    {"type", "resource.type"}, {"author", "resource.author"}, {"state", "resource.state"}};
	static const char *const days[][2] = {
	    {"date", "resource.date"}, {"visitDate", "resource.visitDate"}};
	const char *class = json_text(json_object_get(resource, "publicity"), "class");

	refuse_unknown(q, resource, known, "resource.");
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		const json_t *v = json_object_get(resource, texts[i][0]);

		if (v && !json_is_string(v))
			wrong(q, texts[i][1], "text", "must be a text");
	}
	for (size_t i = 0; i < sizeof(days) / sizeof(*days); i++) {
		const json_t *v = json_object_get(resource, days[i][0]);

		if (v && (!json_is_string(v) || !date_valid(json_string_value(v))))
			wrong(q, days[i][1], "date", "must be a day YYYY-MM-DD");
	}
	if (!class || (strcmp(class, "public") != 0 && strcmp(class, "partly-secret") != 0 &&
			  strcmp(class, "secret") != 0))
		wrong(q, "resource.publicity", "class",
		    "must have a class: public, partly-secret or secret");
	check_list(q, resource, "addressees", "resource.addressees");
	check_list(q, resource, "renditions", "resource.renditions");
	check_list(q, resource, "units", "resource.units");
	if (json_array_size(q->errors) == 0)
		check_units(q, json_object_get(resource, "units"));
}

static void read_action(struct asking *q)
{
	const char *name = text_of(q, "action");
	struct buf all = BUF_INIT;

	if (name && access_action_parse(name, &q->e.action))
		return;
	buf_adds(&all, "must be one of:");
	for (unsigned int a = 0; a < ACCESS_ACTIONS; a++)
		buf_addf(&all, " %s", access_action_name((enum access_action)a));
	wrong(q, "action", "unknown", buf_failed(&all) ? "is unknown" : all.data);
	buf_free(&all);
}

static void read_version(struct asking *q)
{
	const json_t *v = json_object_get(q->body, "version");
	json_int_t n = json_integer_value(v);

	if (!v || json_is_null(v))
		return;
	if (!json_is_integer(v) || n < 1 || n > 999999)
		wrong(q, "version", "number", "must be a whole number from 1 to 999999");
	else
		q->version = (uint32_t)n;
}

static void read_time(struct asking *q)
{
	const char *at = text_of(q, "at");

	q->e.at_us = clock_now_us();
	if (!at)
		return;
	q->e.past = true;
	if (!clock_parse(at, &q->e.at_us))
		wrong(q, "at", "time", "must be a time as RFC 3339 writes it");
	else if (q->e.at_us > clock_now_us())
		wrong(q, "at", "future", "lies in the future: no one knows what will be in force");
}

static void read_thing(struct asking *q)
{
	const json_t *given = json_object_get(q->body, "resource");
	const json_t *resource = json_is_null(given) ? NULL : given;
	bool of_archive = !access_action_on_documents(q->e.action);

	q->document = text_of(q, "document");
	read_version(q);
	if (q->version && !q->document)
		wrong(q, "version", "without-document", "is of a document, which is missing");
	if (of_archive && (q->document || resource))
		wrong(q, q->document ? "document" : "resource", "not-asked",
		    "has no say in an action on the archive itself");
	else if (!of_archive && !q->document == !resource)
		wrong(q, "document", "required", "give either a document, or a resource");
	if (!resource)
		return;
	if (json_is_object(resource))
		check_resource(q, resource);
	else
		wrong(q, "resource", "object", "must be an object of metadata fields");
	q->e.resource = resource;
}

static void read_question(struct asking *q)
{
	static const char *const known[] = {"action", "document", "version", "user", "at",
	    "purpose", "case", "breakGlass", "resource", NULL};
	const char *user = text_of(q, "user");
	const struct caller *c = caller_of(q->x);

	refuse_unknown(q, q->body, known, "");
	read_action(q);
	read_time(q);
	read_thing(q);
	q->e.purpose = text_of(q, "purpose");
	q->e.case_id = text_of(q, "case");
	q->e.break_glass = text_of(q, "breakGlass");
	q->e.user = user ? user : c ? c->who->access.user : NULL;
	q->of_another = !c || strcmp(q->e.user, c->who->access.user) != 0;
	if (!q->e.user)
		wrong(q, "user", "required", "is missing");
	if (!q->of_another && !q->e.past)
		q->e.address = c->context.address;
}

static struct asking *asking_new(struct exchange *x, struct visit *v)
{
	struct asking *q = calloc(1, sizeof(*q));

	if (!q || !(q->errors = json_array())) {
		free(q);
		http_reply_problem(x, 503, "out-of-memory", NULL, NULL);
		return NULL;
	}
	q->x = x;
	q->app = v->app;
	q->e.language = http_language(x);
	v->more = q;
	v->more_free = asking_free;
	return q;
}

/* Takes the faults. */
static void refuse_question(struct exchange *x, json_t *faults)
{
	const struct asking *q = visit_of(x)->more;

	if (q->show)
		q->show(x, NULL, faults);
	else
		http_reply_problem(x, 422, "explain", NULL, faults);
}

static bool sense_ok(struct exchange *x, struct asking *q)
{
	read_question(q);
	if (json_array_size(q->errors) == 0)
		return true;
	refuse_question(x, json_incref(q->errors));
	return false;
}

/* False when a refusal was replied. */
static bool question_ok(struct exchange *x, struct asking *q)
{
	struct ark_error err;
	size_t len;
	const char *text = http_body(x, &len);

	if (!http_content_is(x, "application/json")) {
		http_reply_problem(x, 415, "json-required", "Send application/json.", NULL);
		return false;
	}
	if (json_read(text, len, &q->body, &err) || !json_is_object(q->body)) {
		http_reply_problem(
		    x, 400, "bad-json", q->body ? "Send a JSON object." : err.text, NULL);
		return false;
	}
	return sense_ok(x, q);
}

/* ---- the answer ---- */

static void reply_fault(struct exchange *x, const char *field, const char *detail)
{
	refuse_question(
	    x, json_pack("[{s:s,s:s,s:s}]", "field", field, "code", "unknown", "detail", detail));
}

static void reply(struct exchange *x)
{
	const struct visit *v = visit_of(x);
	struct asking *q = v->more;

	if (q->status == ARK_EINPUT && q->e.fault)
		reply_fault(x, q->e.fault, q->error.text);
	else if (q->status)
		http_reply_error(x, &q->error);
	else if (q->show)
		q->show(x, json_incref(q->answer), NULL);
	else
		http_reply_json(x, 200, json_incref(q->answer));
}

static void decide(void *arg)
{
	struct asking *q = arg;

	q->status = explain_decide(q->app, q->receipt, &q->e, &q->answer, &q->error);
}

static void logged(struct exchange *x)
{
	struct visit *v = visit_of(x);
	struct asking *q = v->more;

	q->receipt = v->receipt;
	q->e.row = v->has_row ? &v->row : NULL;
	if (q->e.past) {
		q->work = (struct past_work){.x = x, .app = q->app, .make = decide, .arg = q};
		past_work_begin(&q->work, reply);
		return;
	}
	decide(q);
	reply(x);
}

/* ---- of which version ---- */

struct newest {
	int64_t at_us;
	uint32_t version;
	int64_t filed_us;
};

static int note_version(void *arg, const struct catalogue_row *row)
{
	struct newest *n = arg;

	if (row->filed_us <= n->at_us)
		n->version = row->version;
	return 0;
}

/* The version asked for, else the newest of those that the asker sees now and that were there then: one
 * that is hidden must not show by being the newest of its day. */
static int find_row(struct visit *v, const struct asking *q, const struct access_sight *sight,
    struct desk *desk, struct ark_error *err)
{
	struct newest then = {.at_us = q->e.at_us};
	int rc = ARK_OK;

	if (q->e.past && !q->version)
		rc = catalogue_versions(
		    desk->catalogue, q->document, sight, note_version, &then, err);
	if (!rc)
		rc = catalogue_get(desk->catalogue, q->document,
		    q->version ? q->version : then.version, sight, &v->row, err);
	v->has_row = rc == ARK_OK;
	return rc;
}

static bool sees_all(const struct caller *c)
{
	return !c || caller_may(c, ACCESS_AUDIT);
}

static int find(struct visit *v, const struct asking *q, struct ark_error *err)
{
	struct access_sight *sight = NULL;
	struct desk *desk = NULL;
	int rc = ARK_OK;

	if (!docid_valid(q->document))
		return ark_fail(err, ARK_ENOTFOUND, "there is no such document");
	if (!sees_all(v->caller))
		rc = caller_sight(v->caller, &sight, err);
	if (!rc)
		rc = archive_desk(v->app->archive, &desk, err);
	if (!rc)
		rc = find_row(v, q, sight, desk, err);
	archive_desk_return(v->app->archive, desk);
	access_sight_unref(sight);
	return rc;
}

/* False when a refusal was replied. */
static bool version_found(struct exchange *x, struct visit *v, struct asking *q)
{
	struct ark_error err;
	int rc = q->document ? find(v, q, &err) : ARK_OK;

	if (rc == ARK_ENOTFOUND && v->caller)
		visit_not_found(x, "metadata", q->document, q->version);
	else if (rc)
		http_reply_error(x, &err);
	else if (v->has_row && q->of_another && !v->row.whole)
		visit_denied(x, "metadata",
		    "Only the public rendition of this version is open to you: what others may do "
		    "with the whole is not for you to ask.");
	else if (v->has_row && q->e.past && v->row.filed_us > q->e.at_us)
		reply_fault(x, "at", "The version was not there at that time.");
	else
		return true;
	return false;
}

/* ---- the log, and the story ---- */

/* Whose rights were looked at belongs to the entry; what was supposed does not. */
static void write_detail(const struct asking *q, struct buf *out)
{
	char at[CLOCK_TEXT_SIZE];

	buf_addf(out, "{\"explain\":\"%s\",\"user\":", access_action_name(q->e.action));
	json_quote(out, q->e.user);
	if (q->e.past) {
		clock_format(at, q->e.at_us);
		buf_addf(out, ",\"at\":\"%s\"", at);
	}
	buf_addc(out, '}');
}

static void log_and_answer(struct exchange *x, struct visit *v, struct asking *q)
{
	struct ledger_record r = {.kind = "metadata",
	    .principal = "operator",
	    .authentication = "operator",
	    .document = v->has_row ? v->row.document : NULL,
	    .version = v->has_row ? v->row.version : 0};
	struct buf detail = BUF_INIT;

	if (v->caller)
		r = visit_record(v, "metadata");
	write_detail(q, &detail);
	if (buf_failed(&detail)) {
		http_reply_problem(x, 503, "out-of-memory", NULL, NULL);
	} else {
		r.detail = detail.data;
		visit_log(x, &r, 1, logged);
	}
	buf_free(&detail);
}

static void answer_question(struct exchange *x, struct visit *v, struct asking *q)
{
	if (v->caller && q->of_another && !caller_may(v->caller, ACCESS_ADMINISTER) &&
	    !caller_may(v->caller, ACCESS_AUDIT)) {
		visit_denied(x, "metadata",
		    "What others may do is explained to administrators and auditors.");
		return;
	}
	if (!version_found(x, v, q) || (v->caller && !visit_stated_ok(x)))
		return;
	log_and_answer(x, v, q);
}

void policies_explain(struct exchange *x)
{
	struct visit *v = visit_of(x);
	struct asking *q = v ? asking_new(x, v) : NULL;

	if (q && question_ok(x, q))
		answer_question(x, v, q);
}

void policies_try(struct exchange *x, json_t *question, enum http_language language,
    void (*show)(struct exchange *x, json_t *answer, json_t *faults))
{
	struct visit *v = visit_of(x);
	struct asking *q = v ? asking_new(x, v) : NULL;

	if (!q) {
		json_decref(question);
		return;
	}
	q->body = question;
	q->e.language = language;
	q->show = show;
	if (sense_ok(x, q))
		answer_question(x, v, q);
}
