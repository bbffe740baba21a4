#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/accounts_api.h"
#include "api/disposition_api.h"
#include "arkki/api/http_range.h"
#include "arkki/base/json.h"

const struct principal *asker_of(const struct exchange *x)
{
	const struct caller *c = caller_of(x);

	return c ? c->who : NULL;
}

struct filing_actor asker_actor(const struct exchange *x)
{
	const struct caller *c = caller_of(x);

	return c ? actor_of(c)
		 : (struct filing_actor){.user = "operator", .authentication = "operator"};
}

static bool fit(const struct caller *c)
{
	return !c || ((c->scopes & TOKEN_ACCOUNTS) && !c->weak);
}

bool asker_manages(const struct exchange *x, const char *org)
{
	return fit(caller_of(x)) && accounts_may(asker_of(x), org);
}

bool asker_is_fit(struct exchange *x)
{
	const struct caller *c = caller_of(x);

	if (fit(c))
		return true;
	accounts_deny(x, c->weak ? "Managing accounts takes strong authentication: sign in with a "
				   "second factor."
				 : "This token may not be used for accounts.");
	return false;
}

/* ---- looks and refusals, logged ---- */

struct look {
	json_t *answer;
	char *why;
};

static void look_free(void *arg)
{
	struct look *l = arg;

	json_decref(l->answer);
	free(l->why);
	free(l);
}

/* NULL: 503 is replied. Takes the answer. */
static struct look *look_new(struct exchange *x, json_t *answer, const char *why)
{
	struct visit *v = visit_of(x);
	struct look *l;
	char *copy;

	if (!v) {
		json_decref(answer);
		return NULL;
	}
	l = calloc(1, sizeof(*l));
	copy = why ? strdup(why) : NULL;
	if (!l || (why && !copy)) {
		free(copy);
		free(l);
		json_decref(answer);
		http_reply_problem(x, 503, "out-of-memory", NULL, NULL);
		return NULL;
	}
	l->answer = answer;
	l->why = copy;
	if (v->more_free)
		v->more_free(v->more);
	v->more = l;
	v->more_free = look_free;
	return l;
}

static struct ledger_record look_record(const struct visit *v)
{
	if (v->caller)
		return visit_record(v, "accounts");
	return (struct ledger_record){
	    .kind = "accounts", .principal = "operator", .authentication = "operator"};
}

static void show(struct exchange *x)
{
	struct look *l = visit_of(x)->more;
	json_t *answer = l->answer;

	l->answer = NULL;
	http_reply_json(x, 200, answer);
}

void accounts_show(struct exchange *x, const char *org, const char *user, json_t *answer)
{
	struct look *l = look_new(x, answer, NULL);
	struct ledger_record r;
	struct ark_error err;
	struct buf detail = BUF_INIT;
	json_t *said;

	if (!l)
		return;
	r = look_record(visit_of(x));
	said = json_pack("{s:s*,s:s*}", "org", org, "user", user);
	if (!said || json_write(&detail, said, &err) || buf_failed(&detail)) {
		http_reply_problem(x, 503, "out-of-memory", NULL, NULL);
	} else {
		r.detail = detail.data;
		visit_log(x, &r, 1, show);
	}
	json_decref(said);
	buf_free(&detail);
}

static void deny(struct exchange *x)
{
	const struct look *l = visit_of(x)->more;

	http_reply_problem(x, 403, "not-permitted", l->why, NULL);
}

void accounts_deny(struct exchange *x, const char *why)
{
	struct look *l = look_new(x, NULL, why);
	struct visit *v;
	struct ledger_record r;

	if (!l)
		return;
	v = visit_of(x);
	if (v->caller && !refusal_budget(v->app, v->caller->who->access.user)) {
		deny(x);
		return;
	}
	r = look_record(v);
	r.outcome = LEDGER_DENIED;
	visit_log(x, &r, 1, deny);
}

/* "the role …" as a sentence. */
static void sentence(char out[600], const char *text)
{
	size_t n;

	snprintf(out, 600, "%s", text);
	if (out[0] >= 'a' && out[0] <= 'z')
		out[0] = (char)(out[0] - 'a' + 'A');
	n = strlen(out);
	if (n && n < 598 && out[n - 1] != '.')
		memcpy(out + n, ".", 2);
}

void accounts_failed(
    struct exchange *x, const struct account_fault *fault, const struct ark_error *err)
{
	char detail[600];

	switch (err->status) {
	case ARK_EREFUSED:
		sentence(detail, err->text);
		accounts_deny(x, detail);
		return;
	case ARK_EINPUT:
		http_reply_problem(x, 422, "account", NULL,
		    json_pack("[{s:s,s:s,s:s}]", "field", fault ? fault->field : "", "code",
			fault && fault->code[0] ? fault->code : "value", "detail", err->text));
		return;
	case ARK_ECONFLICT:
		sentence(detail, err->text);
		http_reply_problem(x, 409, "conflict", detail, NULL);
		return;
	case ARK_ENOTFOUND:
		http_reply_problem(x, 404, "not-found", NULL, NULL);
		return;
	default:
		http_reply_header(x, "Retry-After", "10");
		http_reply_error(x, err);
	}
}

/* ---- bodies and tags ---- */

json_t *accounts_body(struct exchange *x)
{
	json_t *body = NULL;
	struct ark_error err;
	size_t len;
	const char *text = http_body(x, &len);

	if (!http_content_is(x, "application/json") &&
	    !http_content_is(x, "application/merge-patch+json")) {
		http_reply_problem(x, 415, "json-required", "Send application/json.", NULL);
		return NULL;
	}
	if (!json_read(text, len, &body, &err) && json_is_object(body))
		return body;
	json_decref(body);
	http_reply_problem(x, 400, "bad-json", "The body must be a JSON object.", NULL);
	return NULL;
}

bool accounts_no_body(struct exchange *x)
{
	json_t *body = NULL;
	size_t len;
	const char *text = http_body(x, &len);
	bool ok = !len || (!json_read(text, len, &body, NULL) && json_is_object(body));

	json_decref(body);
	if (!ok)
		http_reply_problem(x, 400, "bad-json", "The body must be a JSON object.", NULL);
	return ok;
}

void accounts_tag(
    const struct app *app, const char *kind, const char *id, uint32_t number, char out[TAG_SIZE])
{
	char what[100], tag[33];
	int n = snprintf(what, sizeof(what), "%s %u", id, number);

	archive_tag(app->archive, kind, what, (size_t)n, tag);
	snprintf(out, TAG_SIZE, "\"%s\"", tag);
}

static void reply_changed(struct exchange *x)
{
	http_reply_problem(x, 412, "changed-meanwhile",
	    "It has changed since you read it; read it again and repeat the change.", NULL);
}

bool accounts_base(struct exchange *x, const char *kind, const char *id, uint32_t *ret_base)
{
	struct ark_error err;
	uint32_t number = 0;
	char tag[TAG_SIZE];

	*ret_base = 0;
	if (accounts_number(app_of(x)->archive, kind, id, &number, &err)) {
		accounts_failed(x, NULL, &err);
		return false;
	}
	accounts_tag(app_of(x), kind, id, number, tag);
	switch (etag_if_match(http_header_list(x, "If-Match"), tag)) {
	case ETAG_ABSENT:
		return true;
	case ETAG_MATCH:
		*ret_base = number;
		return true;
	case ETAG_MALFORMED:
		http_reply_problem(x, 400, "bad-if-match", "If-Match is malformed.", NULL);
		return false;
	default:
		reply_changed(x);
		return false;
	}
}

void accounts_change_failed(struct exchange *x, const char *kind, const char *id, uint32_t base,
    const struct account_fault *fault, const struct ark_error *err)
{
	uint32_t number = 0;

	if (err->status == ARK_ECONFLICT && base &&
	    !accounts_number(app_of(x)->archive, kind, id, &number, NULL) && number != base)
		reply_changed(x);
	else
		accounts_failed(x, fault, err);
}

void accounts_reply(struct exchange *x, int status, const char *kind, json_t *record)
{
	const char *id = json_text(record, "id");
	struct ark_error err;
	uint32_t number = 0;

	if (!accounts_number(app_of(x)->archive, kind, id, &number, &err)) {
		char tag[TAG_SIZE];

		accounts_tag(app_of(x), kind, id, number, tag);
		http_reply_header(x, "ETag", tag);
	}
	if (status == 201)
		http_reply_headerf(x, "Location", "/v1/%s/%s", kind, id);
	http_reply_json(x, status, record);
}
