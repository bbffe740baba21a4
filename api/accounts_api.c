/* Accounts: seen and changed by those who manage them; everybody sees the own. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/accounts_api.h"
#include "api/i18n.h"
#include "api/session.h"
#include "arkki/base/clock.h"
#include "arkki/base/json.h"
#include "arkki/base/text.h"

static struct registry *registry_of(const struct exchange *x)
{
	return archive_registry(app_of(x)->archive);
}

static bool is_own(const struct exchange *x, const json_t *user)
{
	const struct principal *p = asker_of(x);

	return p && strcmp(p->access.user, json_text(user, "id")) == 0;
}

static bool seen(const struct exchange *x, const json_t *user)
{
	return is_own(x, user) || asker_manages(x, json_text(user, "org"));
}

/* The record with its state, which old ones do not say. */
static json_t *user_json(const json_t *user)
{
	json_t *out = json_copy((json_t *)(uintptr_t)user);

	if (out && !json_object_get(out, "state"))
		json_object_set_new(
		    out, "state", json_string(account_state_name(account_state(user))));
	return out;
}

/* The account of the path, as the caller may see it; NULL: 404 is replied. */
static json_t *sought(struct exchange *x)
{
	json_t *user = registry_get(registry_of(x), "users", http_param(x, 0));

	if (user && seen(x, user))
		return user;
	json_decref(user);
	http_reply_problem(x, 404, "not-found", NULL, NULL);
	return NULL;
}

/* ---- looking ---- */

struct listing {
	const struct exchange *x;
	const char *org, *state;
	json_t *page;
	unsigned int limit;
	const char *last;
	bool more;
};

static bool wanted(const struct listing *l, const json_t *user)
{
	const char *org = json_text(user, "org");

	if (l->org && (!org || strcmp(org, l->org) != 0))
		return false;
	if (l->state && strcmp(account_state_name(account_state(user)), l->state) != 0)
		return false;
	return seen(l->x, user);
}

static void take_page(struct listing *l, const json_t *all, const char *after)
{
	const json_t *user;
	size_t i;

	json_array_foreach(all, i, user)
	{
		const char *id = json_text(user, "id");

		if ((after && strcmp(id, after) <= 0) || !wanted(l, user))
			continue;
		if (json_array_size(l->page) == l->limit) {
			l->more = true;
			return;
		}
		json_array_append_new(l->page, user_json(user));
		l->last = id;
	}
}

/* False: 400 is replied. */
static bool list_asked(struct exchange *x, struct listing *l, struct buf *after)
{
	const char *cursor = http_query(x, "cursor");
	enum account_state state;

	l->org = http_query(x, "org");
	l->state = http_query(x, "state");
	if (l->state && !account_state_parse(l->state, &state)) {
		http_reply_problem(x, 400, "bad-query",
		    "state must be invited, active, suspended or closed.", NULL);
		return false;
	}
	if (cursor && *cursor && cursor_read(app_of(x), "users", cursor, after, NULL)) {
		http_reply_problem(x, 400, "bad-cursor", "The cursor is malformed.", NULL);
		return false;
	}
	return limit_of(x, 100, 1000, &l->limit);
}

void users_list(struct exchange *x)
{
	struct listing l = {.x = x, .page = json_array()};
	struct buf after = BUF_INIT, next = BUF_INIT;
	json_t *all = NULL;

	if (l.page && list_asked(x, &l, &after) && (all = registry_all(registry_of(x), "users"))) {
		take_page(&l, all, after.data);
		if (l.more)
			cursor_write(app_of(x), "users", l.last, &next);
		accounts_show(x, l.org && id_valid(l.org) ? l.org : NULL, NULL,
		    json_pack("{s:O,s:s?}", "users", l.page, "next", next.data));
	}
	json_decref(all);
	json_decref(l.page);
	buf_free(&after);
	buf_free(&next);
}

void users_get(struct exchange *x)
{
	json_t *user = sought(x);
	struct ark_error err;
	uint32_t number = 0;

	if (!user)
		return;
	if (accounts_number(app_of(x)->archive, "users", http_param(x, 0), &number, &err)) {
		accounts_failed(x, NULL, &err);
	} else {
		char tag[TAG_SIZE];

		accounts_tag(app_of(x), "users", http_param(x, 0), number, tag);
		http_reply_header(x, "ETag", tag);
		accounts_show(x, NULL, http_param(x, 0), user_json(user));
	}
	json_decref(user);
}

/* ---- changing ---- */

void users_post(struct exchange *x)
{
	const struct filing_actor actor = asker_actor(x);
	struct account_fault fault = {0};
	json_t *body, *record = NULL;
	struct ark_error err;

	if (!asker_is_fit(x))
		return;
	body = accounts_body(x);
	if (!body)
		return;
	if (accounts_user_add(app_of(x)->archive, &actor, asker_of(x), body, &record, &fault, &err))
		accounts_failed(x, &fault, &err);
	else
		accounts_reply(x, 201, "users", record);
	json_decref(body);
}

/* Seen and managed; false: 404 or 403 is replied. */
static bool may_change(struct exchange *x)
{
	json_t *user = sought(x);
	bool may = user && asker_is_fit(x);

	if (may && !accounts_may(asker_of(x), json_text(user, "org"))) {
		may = false;
		accounts_deny(x, "Accounts are changed by administrators and by the contact "
				 "person of their own organisation.");
	}
	json_decref(user);
	return may;
}

void users_patch(struct exchange *x)
{
	const struct filing_actor actor = asker_actor(x);
	struct account_fault fault = {0};
	json_t *body, *record = NULL;
	struct ark_error err;
	uint32_t base;
	int rc;

	if (!may_change(x) || !accounts_base(x, "users", http_param(x, 0), &base))
		return;
	body = accounts_body(x);
	if (!body)
		return;
	rc = accounts_user_change_on(app_of(x)->archive, &actor, asker_of(x), http_param(x, 0),
	    base, body, &record, &fault, &err);
	if (json_object_get(body, "state"))
		sessions_forget(app_of(x));
	if (rc)
		accounts_change_failed(x, "users", http_param(x, 0), base, &fault, &err);
	else
		accounts_reply(x, 200, "users", record);
	json_decref(body);
}

/* ---- links ---- */

/* Where this archive is reached: by its configuration, else as this client has reached it. "" on the admin socket. */
static void write_place(struct exchange *x, struct buf *out)
{
	const char *url = session_settings(app_of(x))->url, *host = http_header(x, "Host");
	size_t n = strlen(url);

	while (n && url[n - 1] == '/')
		n--;
	if (n)
		buf_add(out, url, n);
	else if (caller_of(x) && host && *host &&
		 !host[strspn(host, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789.-:[]")])
		buf_addf(out, "http%s://%s", over_tls(x) ? "s" : "", host);
}

void accounts_link_url(struct exchange *x, const struct accounts_link *link,
    enum http_language language, struct buf *out)
{
	write_place(x, out);
	/* behind the #: what stands there is sent to no server, and to no log of one in between */
	buf_addf(out, "/%s/join#%s", i18n_code(language), link->code);
}

static void reply_link(struct exchange *x, const struct accounts_link *link)
{
	static const char *const kinds[] = {"invitation", "reset", "emergency"};
	struct buf url = BUF_INIT;
	char until[CLOCK_TEXT_SIZE];

	clock_format(until, link->expires_us);
	accounts_link_url(x, link, caller_of(x) ? http_language(x) : HTTP_FI, &url);
	if (buf_failed(&url))
		http_reply_problem(x, 503, "out-of-memory", NULL, NULL);
	else
		http_reply_json(x, 201,
		    json_pack("{s:s,s:s,s:s,s:s}", "link", url.data, "code", link->code, "kind",
			kinds[link->kind], "expires", until));
	buf_free(&url);
}

void users_invite(struct exchange *x)
{
	const struct filing_actor actor = asker_actor(x);
	struct accounts_link link;
	struct ark_error err;

	if (!may_change(x) || !accounts_no_body(x))
		return;
	if (accounts_invite(app_of(x)->archive, &actor, asker_of(x), http_param(x, 0),
		clock_now_us(), &link, &err))
		accounts_failed(x, NULL, &err);
	else
		reply_link(x, &link);
}

void admin_emergency(struct exchange *x)
{
	const struct filing_actor actor = asker_actor(x);
	json_t *body = accounts_body(x), *days;
	struct accounts_link link;
	struct ark_error err;
	const char *org = json_text(body, "org"), *reason = json_text(body, "reason");

	if (!body)
		return;
	days = json_object_get(body, "days");
	if (!org || !reason || (days && !json_is_integer(days)) ||
	    (days && json_integer_value(days) > 100)) {
		http_reply_problem(
		    x, 422, "emergency", "org and reason are texts, and days a number.", NULL);
	} else if (accounts_emergency(app_of(x)->archive, &actor, org, http_param(x, 0),
		       json_text(body, "name"), reason, clock_now_us(),
		       days ? (unsigned int)json_integer_value(days) : 1, &link, &err)) {
		if (err.status == ARK_EINPUT || err.status == ARK_ENOTFOUND)
			http_reply_problem(
			    x, err.status == ARK_EINPUT ? 422 : 404, "emergency", err.text, NULL);
		else
			accounts_failed(x, NULL, &err);
	} else {
		sessions_forget(app_of(x));
		reply_link(x, &link);
	}
	json_decref(body);
}

/* ---- what is due ---- */

void admin_accounts_sweep(struct exchange *x)
{
	unsigned int warned = 0, suspended = 0;
	struct ark_error err;

	if (accounts_look_after(app_of(x), &warned, &suspended, &err))
		accounts_failed(x, NULL, &err);
	else
		http_reply_json(x, 200,
		    json_pack("{s:i,s:i}", "warned", (int)warned, "suspended", (int)suspended));
}
