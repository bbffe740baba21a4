/* Tokens and sessions of an account: what there is, making a token, ending either.
 *
 * For the own account, and (?user=) for the accounts that the caller manages. Each making and ending is an entry of the history
 * log; a token that the log does not know does not work, and one that was revoked stops at once. A token may never do more than
 * the sign-in that made it, nor last longer than the token that did: who steals one for a day has one for a day.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "api/handlers.h"
#include "api/session.h"
#include "api/tokens.h"
#include "arkki/archive/accounts.h"
#include "arkki/base/clock.h"
#include "arkki/base/json.h"
#include "arkki/base/text.h"

enum { NAME_MAX_CHARACTERS = 60, BODY_SCOPES_MAX = 5 };

static const struct {
	const char *name;
	unsigned int bit;
} scopes[] = {
    {"read", TOKEN_READ},
    {"file", TOKEN_FILE},
    {"audit", TOKEN_AUDIT},
    {"administer", TOKEN_ADMINISTER},
    {"accounts", TOKEN_ACCOUNTS},
};
enum { SCOPES = sizeof(scopes) / sizeof(*scopes) };

unsigned int token_scope_parse(const char *name, size_t len)
{
	for (size_t i = 0; i < SCOPES; i++)
		if (strlen(scopes[i].name) == len && strncmp(scopes[i].name, name, len) == 0)
			return scopes[i].bit;
	return 0;
}

json_t *token_scopes_json(unsigned int bits)
{
	json_t *out = json_array();

	for (size_t i = 0; i < SCOPES; i++)
		if (bits & scopes[i].bit)
			json_array_append_new(out, json_string(scopes[i].name));
	return out;
}

static void set_time(json_t *of, const char *key, int64_t time_us)
{
	char text[CLOCK_TEXT_SIZE];

	if (!time_us)
		return;
	clock_format(text, time_us);
	json_object_set_new(of, key, json_string(text));
}

json_t *token_json(const struct state_token *t)
{
	json_t *out = json_pack(
	    "{s:s,s:s,s:o}", "id", t->id, "name", t->name, "scopes", token_scopes_json(t->scopes));

	set_time(out, "created", t->created_us);
	set_time(out, "expires", t->expires_us);
	set_time(out, "seen", t->seen_us);
	return out;
}

static json_t *session_json(const struct session *v)
{
	json_t *out = json_pack("{s:s,s:s,s:b,s:s,s:s}", "id", v->id, "method", v->method, "strong",
	    (int)v->strong, "address", v->address, "agent", v->agent);

	set_time(out, "created", v->created_us);
	set_time(out, "expires", v->expires_us);
	set_time(out, "seen", v->seen_us);
	return out;
}

/* ---- history ---- */

int token_log(struct app *app, const struct ledger_record *who, const char *what, const char *id,
    const struct state_token *made, const char *user, struct ark_error *err)
{
	json_t *detail = json_pack("{s:s*,s:s}", what, id, "user", user);
	struct ledger_record r = *who;
	struct buf text = BUF_INIT;
	char expires[CLOCK_TEXT_SIZE];
	int rc;

	if (made) {
		clock_format(expires, made->expires_us);
		json_object_set_new(detail, "scopes", token_scopes_json(made->scopes));
		json_object_set_new(detail, "expires", json_string(expires));
	} else {
		json_object_set_new(detail, "ended", json_true());
	}
	rc = detail ? json_write(&text, detail, err)
		    : ark_fail(err, ARK_ENOMEM, "no memory for a log entry");
	r.kind = "token";
	if (strcmp(what, "session") == 0)
		r.kind = "session";
	r.detail = text.data;
	if (!rc)
		rc = ledger_append_wait(
		    archive_ledger(app->archive, LEDGER_HISTORY), &r, 1, NULL, err);
	json_decref(detail);
	buf_free(&text);
	return rc;
}

static int count_token(void *arg, const struct state_token *t)
{
	unsigned int *n = arg;

	(void)t;
	++*n;
	return 0;
}

int token_make_logged(struct app *app, const struct ledger_record *who, struct state_token *wish,
    char ret_token[STATE_TOKEN_SIZE], struct ark_error *err)
{
	struct state *state = archive_state(app->archive);
	unsigned int n = 0;
	int rc = state_token_each(state, wish->user, clock_now_us(), count_token, &n, err);

	if (!rc && n >= TOKENS_MAX)
		rc = ark_fail(err, ARK_ECONFLICT,
		    "the account has %d tokens already; revoke one that is not needed", TOKENS_MAX);
	if (!rc)
		rc = state_token_make(state, wish, ret_token, err);

	if (rc)
		return rc;
	rc = token_log(app, who, "token", wish->id, wish, wish->user, err);
	if (!rc)
		return ARK_OK;
	sodium_memzero(ret_token, STATE_TOKEN_SIZE);
	if (state_token_revoke(state, wish->id, NULL))
		ark_fail_within(err, rc, "the token could not be revoked either");
	return rc;
}

/* ---- whose ---- */

/* The account that is asked about; NULL: 404 was replied, for unknown ones and for those of others alike. */
static const char *account_of(struct exchange *x)
{
	const struct caller *c = caller_of(x);
	const char *user = http_query(x, "user");
	json_t *record = NULL;
	bool may = false;

	if (!user || strcmp(user, c->who->access.user) == 0)
		return c->who->access.user;
	if (id_valid(user))
		record = registry_get(archive_registry(app_of(x)->archive), "users", user);
	may = record && accounts_may_change(c->who, record);
	json_decref(record);
	if (may)
		return user;
	http_reply_problem(x, 404, "unknown-user",
	    "There is no such account, or it is not yours to manage.", NULL);
	return NULL;
}

/* Signs in for others: not with one factor, and not before the second is set up. */
static bool strong_enough(struct exchange *x)
{
	const struct caller *c = caller_of(x);

	if (!c->weak && !c->enrolling)
		return true;
	http_reply_problem(
	    x, 403, "strong-sign-in-required", "Sign in with a second factor to do this.", NULL);
	return false;
}

static void reply_failed(struct exchange *x, int rc, const struct ark_error *err)
{
	if (rc == ARK_EIO)
		http_reply_problem(x, 503, "log-unavailable", NULL, NULL);
	else if (rc == ARK_ECONFLICT)
		http_reply_problem(x, 409, "too-many", err->text, NULL);
	else
		http_reply_error(x, err);
}

/* ---- the list ---- */

static int add_token(void *arg, const struct state_token *t)
{
	return json_array_append_new(arg, token_json(t)) ? ARK_ENOMEM : 0;
}

void tokens_list(struct exchange *x)
{
	const char *user = account_of(x);
	json_t *list;
	struct ark_error err;

	if (!user)
		return;
	list = json_array();
	if (!list || state_token_each(archive_state(app_of(x)->archive), user, clock_now_us(),
			 add_token, list, &err)) {
		json_decref(list);
		http_reply_problem(x, 503, "tokens", NULL, NULL);
		return;
	}
	http_reply_json(x, 200, json_pack("{s:o}", "tokens", list));
}

/* ---- making one ---- */

static void fault(json_t *errors, const char *field, const char *code, const char *detail)
{
	json_array_append_new(
	    errors, json_pack("{s:s,s:s,s:s}", "field", field, "code", code, "detail", detail));
}

static void take_name(const json_t *body, struct state_token *wish, json_t *errors)
{
	const char *name = json_text(body, "name");

	if (!name || utf8_blank(name) || utf8_length(name, strlen(name)) > NAME_MAX_CHARACTERS)
		fault(errors, "name", "name",
		    "A name of 1 to 60 characters says what the token is for.");
	else
		snprintf(wish->name, sizeof(wish->name), "%s", name);
}

static void take_scopes(const json_t *body, struct state_token *wish, json_t *errors)
{
	const json_t *list = json_object_get(body, "scopes");
	size_t i;
	json_t *item;

	json_array_foreach(list, i, item)
	{
		const char *name = json_string_value(item);
		unsigned int bit = name ? token_scope_parse(name, strlen(name)) : 0;

		if (!bit || wish->scopes & bit || i >= BODY_SCOPES_MAX) {
			wish->scopes = 0;
			break;
		}
		wish->scopes |= bit;
	}
	if (!wish->scopes)
		fault(errors, "scopes", "scopes",
		    "One or more of read, file, audit, administer, accounts, each once.");
}

static void take_days(const json_t *body, struct state_token *wish, json_t *errors)
{
	const json_t *days = json_object_get(body, "days");
	json_int_t n = json_integer_value(days);

	if (!json_is_integer(days) || n < 1 || n > TOKEN_DAYS_MAX)
		fault(errors, "days", "days", "A whole number from 1 to 3660.");
	else
		wish->expires_us = clock_now_us() + (int64_t)n * 86400 * 1000000;
}

static json_t *faults_of(const json_t *body, struct state_token *wish)
{
	json_t *errors = json_array();
	const char *key;
	json_t *value;

	take_name(body, wish, errors);
	take_scopes(body, wish, errors);
	take_days(body, wish, errors);
	json_object_foreach((json_t *)(uintptr_t)body, key, value)
	{
		if (strcmp(key, "name") != 0 && strcmp(key, "scopes") != 0 &&
		    strcmp(key, "days") != 0)
			fault(errors, key, "unknown", "There is no such field.");
	}
	return errors;
}

struct own_end {
	const char *id;
	int64_t expires_us;
};

static int find_own(void *arg, const struct state_token *t)
{
	struct own_end *own = arg;

	if (strcmp(t->id, own->id) == 0)
		own->expires_us = t->expires_us;
	return 0;
}

/* Who shows a token makes none that outlives it. */
static int cut_to_own(struct exchange *x, struct state_token *wish, struct ark_error *err)
{
	const struct caller *c = caller_of(x);
	struct own_end own = {.id = c->token_id, .expires_us = INT64_MIN};
	int rc;

	if (strcmp(c->authentication, "token") != 0)
		return ARK_OK;
	rc = state_token_each(archive_state(app_of(x)->archive), c->who->access.user,
	    clock_now_us(), find_own, &own, err);
	if (!rc && own.expires_us == INT64_MIN)
		rc = ark_fail(err, ARK_EREFUSED, "This token has ended.");
	if (!rc && own.expires_us < wish->expires_us)
		wish->expires_us = own.expires_us;
	return rc;
}

static void make_token(struct exchange *x, struct state_token *wish)
{
	const struct ledger_record who = visit_record(visit_of(x), "token");
	char token[STATE_TOKEN_SIZE];
	struct ark_error err;
	json_t *out;
	int rc = cut_to_own(x, wish, &err);

	if (!rc)
		rc = token_make_logged(app_of(x), &who, wish, token, &err);
	if (rc) {
		reply_failed(x, rc, &err);
		return;
	}
	out = token_json(wish);
	json_object_set_new(out, "token", json_string(token));
	sodium_memzero(token, sizeof(token));
	http_reply_headerf(x, "Location", "/v1/tokens/%s", wish->id);
	http_reply_json(x, 201, out);
}

void tokens_post(struct exchange *x)
{
	const struct caller *c = caller_of(x);
	struct state_token wish = {0};
	struct ark_error err;
	json_t *body = NULL, *errors;
	size_t len;
	const char *text = http_body(x, &len);

	if (!visit_of(x) || !strong_enough(x))
		return;
	snprintf(wish.user, sizeof(wish.user), "%s", c->who->access.user);
	if (!http_content_is(x, "application/json")) {
		http_reply_problem(
		    x, 415, "content-type", "The body must be application/json.", NULL);
		return;
	}
	if (json_read(text, len, &body, &err) || !json_is_object(body)) {
		json_decref(body);
		http_reply_problem(x, 400, "bad-json", "The body must be a JSON object.", NULL);
		return;
	}
	errors = faults_of(body, &wish);
	json_decref(body);
	if (json_array_size(errors)) {
		http_reply_problem(x, 422, "token", NULL, errors);
		return;
	}
	json_decref(errors);
	if (wish.scopes & ~c->scopes)
		http_reply_problem(x, 403, "out-of-scope",
		    "A token may not do more than the sign-in that makes it.", NULL);
	else
		make_token(x, &wish);
}

/* ---- ending ---- */

struct sought {
	const char *id;
	bool found;
};

static int is_token(void *arg, const struct state_token *t)
{
	struct sought *s = arg;

	s->found = s->found || strcmp(t->id, s->id) == 0;
	return 0;
}

void tokens_delete(struct exchange *x)
{
	struct app *app = app_of(x);
	struct state *state = archive_state(app->archive);
	struct visit *v = visit_of(x);
	struct sought sought = {.id = http_param(x, 0)};
	const char *user = v ? account_of(x) : NULL;
	struct ledger_record who;
	struct ark_error err;
	int rc;

	if (!user)
		return;
	rc = state_token_each(state, user, clock_now_us(), is_token, &sought, &err);
	if (!rc && !sought.found)
		rc = ark_fail(&err, ARK_ENOTFOUND, "There is no such token.");
	if (!rc)
		rc = state_token_revoke(state, sought.id, &err);
	sessions_forget(app); /* also the sessions that were begun with it */
	who = visit_record(v, "token");
	if (!rc)
		rc = token_log(app, &who, "token", sought.id, NULL, user, &err);
	if (rc)
		reply_failed(x, rc, &err);
	else
		http_reply_empty(x, 204);
}

/* ---- sessions ---- */

static int add_session(void *arg, const struct session *v)
{
	return json_array_append_new(arg, session_json(v)) ? ARK_ENOMEM : 0;
}

void sessions_list(struct exchange *x)
{
	const char *user = account_of(x);
	json_t *list;
	struct ark_error err;

	if (!user)
		return;
	list = json_array();
	if (!list || session_each(archive_state(app_of(x)->archive), user, clock_now_us(),
			 session_settings(app_of(x))->idle_us, add_session, list, &err)) {
		json_decref(list);
		http_reply_problem(x, 503, "sessions", NULL, NULL);
		return;
	}
	http_reply_json(x, 200, json_pack("{s:o}", "sessions", list));
}

/* id NULL: all but the one that asks. */
static void end_sessions(struct exchange *x, const char *id)
{
	struct app *app = app_of(x);
	struct state *state = archive_state(app->archive);
	struct visit *v = visit_of(x);
	const char *user = v ? account_of(x) : NULL;
	struct ledger_record who;
	struct ark_error err;
	int rc;

	if (!user)
		return;
	if (id)
		rc = session_end(state, id, user, &err);
	else
		rc = session_end_all(
		    state, user, v->caller->session ? v->caller->session->id : NULL, &err);
	sessions_forget(app);
	who = visit_record(v, "session");
	if (!rc)
		rc = token_log(app, &who, "session", id ? id : "all", NULL, user, &err);
	if (rc)
		reply_failed(x, rc, &err);
	else
		http_reply_empty(x, 204);
}

void sessions_delete_one(struct exchange *x)
{
	end_sessions(x, http_param(x, 0));
}

void sessions_delete(struct exchange *x)
{
	end_sessions(x, NULL);
}

/* ---- the admin socket: whoever can open it is the archive's operator ---- */

static const struct ledger_record operator_record = {
    .principal = "operator", .authentication = "operator"};

static bool operator_user(struct exchange *x, const char *user)
{
	if (user && id_valid(user) &&
	    registry_has(archive_registry(app_of(x)->archive), "users", user))
		return true;
	http_reply_problem(x, 404, "unknown-user",
	    "There is no such user; load one with `arkki load`, or open one with `arkki user`.",
	    NULL);
	return false;
}

/* "read,file"; NULL: all. 0: not a list of scopes. */
static unsigned int scopes_listed(const char *text)
{
	unsigned int bits = 0;

	if (!text)
		return TOKEN_ALL;
	for (const char *end = text; *end; text = end + (*end == ',')) {
		unsigned int bit;

		end = text + strcspn(text, ",");
		bit = token_scope_parse(text, (size_t)(end - text));
		if (!bit)
			return 0;
		bits |= bit;
	}
	return bits;
}

void admin_token(struct exchange *x)
{
	const char *user = http_query(x, "user"), *text = http_query(x, "days");
	const char *name = http_query(x, "name");
	long days = text ? strtol(text, NULL, 10) : 30;
	struct state_token wish = {.scopes = scopes_listed(http_query(x, "scopes"))};
	char token[STATE_TOKEN_SIZE];
	struct ark_error err;

	if (!operator_user(x, user))
		return;
	if (days < 1 || days > TOKEN_DAYS_MAX) {
		http_reply_problem(x, 400, "bad-days", "days must be 1 to 3660.", NULL);
		return;
	}
	if (!wish.scopes || (name && (utf8_length(name, strlen(name)) > NAME_MAX_CHARACTERS))) {
		http_reply_problem(x, 400, "bad-token",
		    "Scopes are read, file, audit, administer, accounts; a name has at most 60 "
		    "characters.",
		    NULL);
		return;
	}
	snprintf(wish.user, sizeof(wish.user), "%s", user);
	snprintf(wish.name, sizeof(wish.name), "%s", name ? name : "command line");
	wish.expires_us = clock_now_us() + (int64_t)days * 86400 * 1000000;
	if (token_make_logged(app_of(x), &operator_record, &wish, token, &err))
		http_reply_problem(
		    x, err.status == ARK_ECONFLICT ? 409 : 503, "token", err.text, NULL);
	else
		http_reply_json(x, 201, json_pack("{s:s,s:s}", "token", token, "id", wish.id));
	sodium_memzero(token, sizeof(token));
}

void admin_tokens_list(struct exchange *x)
{
	const char *user = http_query(x, "user");
	json_t *list;
	struct ark_error err;

	if (!operator_user(x, user))
		return;
	list = json_array();
	if (!list || state_token_each(archive_state(app_of(x)->archive), user, clock_now_us(),
			 add_token, list, &err)) {
		json_decref(list);
		http_reply_problem(x, 503, "tokens", NULL, NULL);
		return;
	}
	http_reply_json(x, 200, json_pack("{s:o}", "tokens", list));
}

void admin_token_revoke(struct exchange *x)
{
	struct app *app = app_of(x);
	const char *id = http_param(x, 0);
	struct ark_error err;
	int rc = state_token_revoke(archive_state(app->archive), id, &err);

	sessions_forget(app);
	if (rc == ARK_ENOTFOUND) {
		http_reply_problem(x, 404, "unknown-token", "There is no token of this id.", NULL);
		return;
	}
	if (!rc)
		rc = token_log(app, &operator_record, "token", id, NULL, "", &err);
	if (rc)
		http_reply_problem(x, 503, "token", err.text, NULL);
	else
		http_reply_json(x, 200, json_pack("{s:s}", "revoked", id));
}
