/* Holds and proposals over HTTP: who may, what stands, what is filed.
 *
 * Every request opens the metadata of the document to decide on it, under an access entry of its own, and files a
 * record on the number that it read: of two who act at once one gets 409. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/disposer.h"
#include "api/disposition_api.h"
#include "api/documents.h"
#include "api/exports.h"
#include "arkki/archive/records.h"
#include "arkki/base/clock.h"
#include "arkki/base/json.h"
#include "arkki/base/text.h"

enum { TEXT_MAX = 500 };

struct act {
	enum access_action first, second; /* either suffices */
	const char *const *members;       /* of the body; NULL: there is none */
	void (*then)(struct exchange *x, struct act *a);
	struct card card;
	json_t *body;
	disposition_show *show; /* NULL: the API */
};

static void act_free(void *arg)
{
	struct act *a = arg;

	card_free(&a->card);
	json_decref(a->body);
	free(a);
}

struct filing_actor actor_of(const struct caller *c)
{
	return (struct filing_actor){
	    .user = c->who->access.user,
	    .org = c->who->access.org,
	    .roles = c->who->roles_text,
	    .authentication = c->authentication,
	    .session = c->token_id[0] ? c->token_id : NULL,
	    .address = c->address,
	};
}

/* True: a page was told of it. */
static bool page_told(struct exchange *x, const char *said)
{
	const struct act *a = visit_of(x)->more;

	if (a->show)
		a->show(x, said, &a->card);
	return a->show != NULL;
}

/* ---- the body ---- */

static bool member_known(const char *const *members, const char *key)
{
	for (size_t i = 0; members[i]; i++)
		if (strcmp(members[i], key) == 0)
			return true;
	return false;
}

static const char *member_fault(const char *key, const json_t *value)
{
	size_t n = json_is_string(value)
		       ? utf8_length(json_string_value(value), json_string_length(value))
		       : 0;

	if (n < 1 || n > TEXT_MAX)
		return "must be a text of 1 to 500 characters";
	if (strcmp(key, "until") == 0 && !date_valid(json_string_value(value)))
		return "must be a date YYYY-MM-DD";
	if (strcmp(key, "action") == 0 && strcmp(json_string_value(value), "destroy") != 0 &&
	    strcmp(json_string_value(value), "transfer") != 0)
		return "must be destroy or transfer";
	return NULL;
}

static void add_fault(json_t *errors, const char *field, const char *code, const char *detail)
{
	json_array_append_new(
	    errors, json_pack("{s:s,s:s,s:s}", "field", field, "code", code, "detail", detail));
}

static bool is_optional(const char *member)
{
	return strcmp(member, "until") == 0 || strcmp(member, "package") == 0;
}

static json_t *body_faults(const struct act *a)
{
	json_t *errors = json_array(), *value;
	const char *key;

	json_object_foreach(a->body, key, value)
	{
		const char *fault =
		    member_known(a->members, key) ? member_fault(key, value) : "is not known here";

		if (fault)
			add_fault(errors, key, "value", fault);
	}
	for (size_t i = 0; a->members[i]; i++)
		if (!is_optional(a->members[i]) && !json_object_get(a->body, a->members[i]))
			add_fault(errors, a->members[i], "required", "is required");
	return errors;
}

/* What a form had. False: the page was told. */
static bool page_body_ok(struct exchange *x, const struct act *a)
{
	json_t *errors = body_faults(a);
	bool ok = json_array_size(errors) == 0;

	json_decref(errors);
	if (!ok)
		page_told(x, "disposition");
	return ok;
}

/* False: 400, 415 or 422 is replied. */
static bool read_body(struct exchange *x, struct act *a)
{
	struct ark_error err;
	json_t *errors;
	size_t len;
	const char *text = http_body(x, &len);

	if (!a->members)
		return true;
	if (a->show)
		return page_body_ok(x, a);
	if (!http_content_is(x, "application/json")) {
		http_reply_problem(x, 415, "json-required", "Send application/json.", NULL);
		return false;
	}
	if (json_read(text, len, &a->body, &err) || !json_is_object(a->body)) {
		http_reply_problem(x, 400, "bad-json", "The body must be a JSON object.", NULL);
		return false;
	}
	errors = body_faults(a);
	if (json_array_size(errors) == 0) {
		json_decref(errors);
		return true;
	}
	http_reply_problem(x, 422, "disposition", NULL, errors);
	return false;
}

/* ---- deciding ---- */

static bool may(struct exchange *x, const struct act *a)
{
	const struct visit *v = visit_of(x);
	bool rendition = v->row.rendition.number != 0;

	return caller_decides(v->caller, v->app, a->first, a->card.fields, rendition, NULL)
		       .outcome == ACCESS_PERMIT ||
	       caller_decides(v->caller, v->app, a->second, a->card.fields, rendition, NULL)
		       .outcome == ACCESS_PERMIT;
}

static void after_entry(struct exchange *x)
{
	struct visit *v = visit_of(x);
	struct act *a = v->more;
	struct ark_error err;

	if (reading_card(v->app->archive, v->receipt, &v->row, &a->card, &err))
		http_reply_error(x, &err);
	else if (!may(x, a) && a->show)
		visit_absent(x, "metadata");
	else if (!may(x, a))
		visit_denied(x, "metadata", "You may not do this with this document.");
	else if (read_body(x, a))
		a->then(x, a);
}

/* Takes the body of what is asked. */
static void begin_act(struct exchange *x, const struct act *asked)
{
	struct visit *v = visit_of(x);
	struct act *a = v ? calloc(1, sizeof(*a)) : NULL;
	struct ledger_record r;

	if (!a) {
		json_decref(asked->body);
		if (v)
			http_reply_problem(x, 503, "out-of-memory", NULL, NULL);
		return;
	}
	*a = *asked;
	if (!document_found(x, v, "metadata", 0)) {
		act_free(a);
		return;
	}
	if (!v->row.whole) {
		act_free(a);
		if (asked->show)
			visit_absent(x, "metadata");
		else
			visit_content_denied(x, "metadata");
		return;
	}
	v->more = a;
	v->more_free = act_free;
	r = visit_record(v, "metadata");
	visit_log(x, &r, 1, after_entry);
}

static void begin(struct exchange *x, enum access_action first, enum access_action second,
    const char *const *members, void (*then)(struct exchange *x, struct act *a))
{
	const struct act asked = {
	    .first = first, .second = second, .members = members, .then = then};

	begin_act(x, &asked);
}

/* ---- filing ---- */

/* Files and replies by status; takes the record. shown: what is replied, the caller's reference. */
static void file(struct exchange *x, const char *kind, json_t *record, uint32_t base, int status)
{
	const struct filing_actor actor = actor_of(caller_of(x));
	struct ark_error err = {0};
	int rc = disposition_file(app_of(x)->archive, kind, json_incref(record), base, &actor,
	    json_text(record, "reason"), &err);

	if (rc == ARK_EGONE) {
		visit_not_found(x, "metadata", http_param(x, 0), 0);
	} else if (rc == ARK_ECONFLICT) {
		if (!page_told(x, "changed-meanwhile"))
			http_reply_problem(
			    x, 409, "changed-meanwhile", "Somebody acted meanwhile.", NULL);
	} else if (rc) {
		http_reply_error(x, &err);
	} else if (!page_told(x, NULL)) {
		if (status == 204)
			http_reply_empty(x, 204);
		else
			http_reply_json(x, status, json_incref(record));
	}
	json_decref(record);
}

static bool newest(struct exchange *x, const char *kind, uint32_t *ret)
{
	struct ark_error err;

	if (!records_number(app_of(x)->archive, kind, visit_of(x)->row.document, ret, &err))
		return true;
	http_reply_error(x, &err);
	return false;
}

static void conflict(struct exchange *x, const char *slug, const char *why)
{
	if (!page_told(x, slug))
		http_reply_problem(x, 409, slug, why, NULL);
}

static const char *now_text(char out[CLOCK_TEXT_SIZE])
{
	clock_format(out, clock_now_us());
	return out;
}

static struct registry *registry_of(const struct exchange *x)
{
	return archive_registry(app_of(x)->archive);
}

/* ---- holds ---- */

static void show_hold(struct exchange *x, struct act *a)
{
	const char *document = visit_of(x)->row.document;
	json_t *hold = disposition_hold(registry_of(x), document), *out;

	(void)a;
	out = hold ? json_copy(hold) : json_pack("{s:s,s:s}", "id", document, "state", "none");
	json_decref(hold);
	http_reply_json(x, 200, out);
}

void hold_get(struct exchange *x)
{
	begin(x, ACCESS_HOLD, ACCESS_DISPOSE, NULL, show_hold);
}

static void put_hold(struct exchange *x, struct act *a)
{
	const struct caller *c = caller_of(x);
	char now[CLOCK_TEXT_SIZE], today[11];
	const char *until = json_text(a->body, "until");
	uint32_t base;

	clock_day(today, clock_now_us());
	if (until && strcmp(until, today) < 0 && page_told(x, "past"))
		return;
	if (until && strcmp(until, today) < 0) {
		http_reply_problem(x, 422, "disposition", "until is in the past.", NULL);
		return;
	}
	if (newest(x, "holds", &base))
		file(x, "holds",
		    json_pack("{s:s,s:s,s:O,s:O*,s:s,s:s,s:s}", "id", visit_of(x)->row.document,
			"state", "held", "reason", json_object_get(a->body, "reason"), "until",
			json_object_get(a->body, "until"), "by", c->who->access.user, "org",
			c->who->access.org, "at", now_text(now)),
		    base, 201);
}

void hold_post(struct exchange *x)
{
	static const char *const members[] = {"reason", "until", NULL};

	begin(x, ACCESS_HOLD, ACCESS_HOLD, members, put_hold);
}

static void release_hold(struct exchange *x, struct act *a)
{
	const struct caller *c = caller_of(x);
	const char *document = visit_of(x)->row.document;
	char now[CLOCK_TEXT_SIZE];
	uint32_t base;
	json_t *hold;

	if (!newest(x, "holds", &base))
		return;
	hold = disposition_hold(registry_of(x), document);
	json_decref(hold);
	if (!hold) {
		conflict(x, "not-held", "The document is not on hold.");
		return;
	}
	file(x, "holds",
	    json_pack("{s:s,s:s,s:O,s:s,s:s,s:s}", "id", document, "state", "released", "reason",
		json_object_get(a->body, "reason"), "by", c->who->access.user, "org",
		c->who->access.org, "at", now_text(now)),
	    base, 204);
}

void hold_delete(struct exchange *x)
{
	static const char *const members[] = {"reason", NULL};

	begin(x, ACCESS_HOLD, ACCESS_HOLD, members, release_hold);
}

/* ---- proposals ---- */

int term_of(struct app *app, const struct catalogue_row *row, const struct card *card,
    const char *day, json_t **ret_rows, struct retention_term *ret, struct ark_error *err)
{
	struct registry *r = archive_registry(app->archive);
	const struct retention_subject s = {
	    .type = row->type,
	    .author = json_text(card->fields, "author"),
	    .date = row->date,
	    .case_id = json_text(card->fields, "case"),
	    .filed_us = row->filed_us,
	};
	int rc = retention_rows(r, ret_rows, err);

	if (!rc)
		retention_term(*ret_rows, r, &s, day, ret);
	return rc;
}

/* Held, not due, or due for something else: 409 is replied. row: of the table, when it is due. */
static bool may_end(
    struct exchange *x, const struct act *a, const char *action, char row[65], char since[11])
{
	const struct visit *v = visit_of(x);
	struct retention_term term;
	json_t *rows = NULL, *hold = disposition_hold(registry_of(x), v->row.document);
	const char *then;
	struct ark_error err;
	char today[11];
	bool ok = false;

	clock_day(today, clock_now_us());
	if (hold) {
		conflict(x, "held", "The document is on hold.");
	} else if (term_of(v->app, &v->row, &a->card, today, &rows, &term, &err)) {
		http_reply_error(x, &err);
	} else if (!term.due) {
		conflict(x, "not-due", "The retention period of the document has not ended.");
	} else {
		then = json_text(term.row, "then");
		ok = strcmp(then, "review") == 0 || strcmp(then, action) == 0;
		if (!ok)
			conflict(
			    x, "other-action", "The retention table says something else for it.");
		snprintf(row, 65, "%s", json_text(term.row, "id"));
		memcpy(since, term.since, 11);
	}
	json_decref(hold);
	json_decref(rows);
	return ok;
}

static void show_proposal(struct exchange *x, struct act *a)
{
	const char *document = visit_of(x)->row.document;
	json_t *p = disposition_proposal(registry_of(x), document);

	(void)a;
	http_reply_json(x, 200, p ? p : json_pack("{s:s,s:s}", "id", document, "state", "none"));
}

void dispose_get(struct exchange *x)
{
	begin(x, ACCESS_DISPOSE, ACCESS_HOLD, NULL, show_proposal);
}

static void propose(struct exchange *x, struct act *a)
{
	const struct caller *c = caller_of(x);
	const char *document = visit_of(x)->row.document;
	char now[CLOCK_TEXT_SIZE], row[65], since[11];
	json_t *open;
	uint32_t base;

	if (!newest(x, "disposals", &base))
		return;
	open = disposition_proposal(registry_of(x), document);
	json_decref(open);
	if (open) {
		conflict(x, "proposed", "There is a proposal for the document already.");
		return;
	}
	if (may_end(x, a, json_text(a->body, "action"), row, since))
		file(x, "disposals",
		    json_pack("{s:s,s:s,s:O,s:O,s:s,s:s,s:s,s:s,s:s}", "id", document, "state",
			"proposed", "action", json_object_get(a->body, "action"), "ground",
			json_object_get(a->body, "ground"), "row", row, "dueSince", since,
			"proposedBy", c->who->access.user, "proposedByOrg", c->who->access.org,
			"proposedAt", now_text(now)),
		    base, 201);
}

void dispose_post(struct exchange *x)
{
	static const char *const members[] = {"action", "ground", NULL};

	begin(x, ACCESS_DISPOSE, ACCESS_DISPOSE, members, propose);
}

/* A changed copy of the proposal that is open in the state; NULL: 409 is replied. */
static json_t *next_state(
    struct exchange *x, const char *from, const char *otherwise, const char *to, const char *who)
{
	json_t *p = disposition_proposal(registry_of(x), visit_of(x)->row.document), *out = NULL;
	const char *state = json_text(p, "state");
	char key[32], now[CLOCK_TEXT_SIZE];

	if (state && strcmp(state, "packaged") == 0 && strcmp(otherwise, "approved") == 0)
		state = otherwise; /* approved, and fetched by nobody yet */
	if (state && (strcmp(state, from) == 0 || strcmp(state, otherwise) == 0))
		out = json_copy(p);
	json_decref(p);
	if (!out) {
		conflict(x, "no-proposal", "There is no proposal for the document in that state.");
		return NULL;
	}
	json_object_set_new(out, "state", json_string(to));
	snprintf(key, sizeof(key), "%.20sBy", who);
	json_object_set_new(out, key, json_string(caller_of(x)->who->access.user));
	snprintf(key, sizeof(key), "%.20sAt", who);
	json_object_set_new(out, key, json_string(now_text(now)));
	return out;
}

static void approve(struct exchange *x, struct act *a)
{
	char row[65], since[11];
	uint32_t base;
	json_t *p;

	if (!newest(x, "disposals", &base))
		return;
	p = next_state(x, "proposed", "proposed", "approved", "approved");
	if (!p)
		return;
	if (strcmp(json_text(p, "proposedBy"), json_text(p, "approvedBy")) == 0 &&
	    page_told(x, "same-person"))
		(void)0;
	else if (strcmp(json_text(p, "proposedBy"), json_text(p, "approvedBy")) == 0)
		visit_denied(x, "metadata", "Somebody else than who proposed it must approve.");
	else if (may_end(x, a, json_text(p, "action"), row, since))
		file(x, "disposals", json_incref(p), base, 200);
	disposer_look(app_of(x));
	json_decref(p);
}

void dispose_approve(struct exchange *x)
{
	begin(x, ACCESS_DISPOSE, ACCESS_DISPOSE, NULL, approve);
}

/* The receiving archive has it: only then may a transferred document be destroyed here. */
static void confirm(struct exchange *x, struct act *a)
{
	const json_t *package;
	uint32_t base;
	json_t *p;

	if (!newest(x, "disposals", &base))
		return;
	p = next_state(x, "approved", "packaged", "received", "received");
	if (!p)
		return;
	package = disposition_package(p, json_text(a->body, "package"));
	if (strcmp(json_text(p, "action"), "transfer") != 0) {
		conflict(x, "no-transfer", "The document is not to be transferred.");
	} else if (!json_object_get(p, "packages")) {
		disposer_look(app_of(x));
		http_reply_header(x, "Retry-After", "5");
		conflict(x, "no-package",
		    "The package has not been made yet, so nobody can have received it.");
	} else if (!package) {
		conflict(x, "other-package", "That is no package of this document.");
	} else {
		json_object_set(p, "package", json_object_get(package, "sha256"));
		json_object_set(p, "confirmation", json_object_get(a->body, "confirmation"));
		file(x, "disposals", json_incref(p), base, 200);
		exports_drop_transfers(app_of(x), visit_of(x)->row.document);
		disposer_look(app_of(x));
	}
	json_decref(p);
}

void dispose_confirm(struct exchange *x)
{
	static const char *const members[] = {"confirmation", "package", NULL};

	begin(x, ACCESS_DISPOSE, ACCESS_DISPOSE, members, confirm);
}

/* Its bytes are the whole document's: whoever fetches it must have the right to read them, and state what for. */
static void send_package(struct exchange *x, struct act *a)
{
	struct visit *v = visit_of(x);
	json_t *p = disposition_proposal(registry_of(x), v->row.document);
	const char *state = json_text(p, "state"), *action = json_text(p, "action");
	bool transfer = action && strcmp(action, "transfer") == 0 &&
			(strcmp(state, "approved") == 0 || strcmp(state, "packaged") == 0);
	struct export_job *kept;
	struct ark_error err;
	bool open = false;

	(void)a;
	json_decref(p);
	if (visit_content_open(v, &open, &err)) {
		http_reply_error(x, &err);
	} else if (!open) {
		visit_content_denied(x, "export");
	} else if (!transfer) {
		conflict(x, "no-proposal", "There is no approved transfer of the document.");
	} else if ((kept = exports_hold_transfer(v->app, v->row.document))) {
		export_send(x, kept);
	} else {
		disposer_want(v->app, v->row.document);
		http_reply_header(x, "Retry-After", "2");
		http_reply_problem(x, 503, "package-not-ready", "The package is being made.", NULL);
	}
}

void dispose_package(struct exchange *x)
{
	if (visit_of(x) && visit_stated_ok(x))
		begin(x, ACCESS_DISPOSE, ACCESS_DISPOSE, NULL, send_package);
}

static void withdraw(struct exchange *x, struct act *a)
{
	uint32_t base;
	json_t *p;

	(void)a;
	if (!newest(x, "disposals", &base))
		return;
	p = next_state(x, "proposed", "approved", "withdrawn", "withdrawn");
	if (!p)
		return;
	file(x, "disposals", p, base, 204);
	exports_drop_transfers(app_of(x), visit_of(x)->row.document);
}

void dispose_delete(struct exchange *x)
{
	begin(x, ACCESS_DISPOSE, ACCESS_DISPOSE, NULL, withdraw);
}

/* ---- for the page ---- */

static void show_page(struct exchange *x, struct act *a)
{
	a->show(x, NULL, &a->card);
}

void disposition_do(
    struct exchange *x, enum disposition_act what, json_t *body, disposition_show *show)
{
	static const char *const hold[] = {"reason", "until", NULL};
	static const char *const release[] = {"reason", NULL};
	static const char *const proposal[] = {"action", "ground", NULL};
	static const char *const confirmation[] = {"confirmation", NULL};
	static const struct {
		enum access_action first, second;
		const char *const *members;
		void (*then)(struct exchange *x, struct act *a);
	} acts[] = {
	    [DISPOSITION_SHOW] = {ACCESS_HOLD, ACCESS_DISPOSE, NULL, show_page},
	    [DISPOSITION_HOLD] = {ACCESS_HOLD, ACCESS_HOLD, hold, put_hold},
	    [DISPOSITION_RELEASE] = {ACCESS_HOLD, ACCESS_HOLD, release, release_hold},
	    [DISPOSITION_PROPOSE] = {ACCESS_DISPOSE, ACCESS_DISPOSE, proposal, propose},
	    [DISPOSITION_APPROVE] = {ACCESS_DISPOSE, ACCESS_DISPOSE, NULL, approve},
	    [DISPOSITION_WITHDRAW] = {ACCESS_DISPOSE, ACCESS_DISPOSE, NULL, withdraw},
	    [DISPOSITION_CONFIRM] = {ACCESS_DISPOSE, ACCESS_DISPOSE, confirmation, confirm},
	};
	struct act asked = {.first = acts[what].first,
	    .second = acts[what].second,
	    .members = acts[what].members,
	    .then = acts[what].then,
	    .body = body,
	    .show = show};

	begin_act(x, &asked);
}
