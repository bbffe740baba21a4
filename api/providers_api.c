/* Identity providers: over the admin socket, whose holder is the archive's operator, and for the page of administrators. Nothing here
 * ever gives a client secret out. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/handlers.h"
#include "api/oidc_private.h"
#include "api/providers.h"
#include "arkki/base/clock.h"
#include "arkki/base/json.h"
#include "arkki/base/text.h"

enum { CONFIG_MAX = 32 * 1024 };

/* Without what must not be seen; the caller's. NULL: no memory. */
static json_t *shown(const json_t *config)
{
	json_t *copy = json_deep_copy(config);

	json_object_del(copy, "clientSecret");
	return copy;
}

static bool get_all(struct exchange *x, json_t **ret)
{
	struct ark_error err;

	if (!provider_all(archive_state(app_of(x)->archive), ret, &err))
		return true;
	http_reply_problem(x, 503, "state", err.text, NULL);
	return false;
}

void admin_providers_get(struct exchange *x)
{
	json_t *all = NULL, *list = json_array(), *config;
	const char *id;

	if (!get_all(x, &all)) {
		json_decref(list);
		return;
	}
	json_object_foreach(all, id, config)
	{
		json_array_append_new(list, shown(config));
	}
	json_decref(all);
	http_reply_json(x, 200, json_pack("{s:o}", "providers", list));
}

void admin_provider_get(struct exchange *x)
{
	json_t *all = NULL, *config;

	if (!get_all(x, &all))
		return;
	config = json_object_get(all, http_param(x, 0));
	if (config)
		http_reply_json(x, 200, shown(config));
	else
		http_reply_problem(x, 404, "not-found", "There is no such provider.", NULL);
	json_decref(all);
}

/* ---- changes ---- */

struct change {
	struct oidc_job job; /* first */
	struct app *app;
	json_t *config; /* NULL: it is removed */
	char id[65];
	enum provider_act act;
	provider_told *told;
	struct ledger_record by; /* who changes it; borrowed from the exchange, which waits */
	bool by_caller;          /* and not the operator */
	int rc;
	struct ark_error err;
};

static void change_free(void *arg)
{
	struct change *c = arg;

	json_decref(c->config);
	free(c);
}

static void change_end(void *data, enum http_outcome outcome, int status, uint64_t bytes_out)
{
	(void)outcome, (void)status, (void)bytes_out;
	change_free(data);
}

/* Before it is done: a provider that the history log does not know must not let anybody in. */
static int log_change(struct change *c)
{
	struct ledger_record r = c->by;
	json_t *config = c->config ? shown(c->config) : NULL;
	json_t *detail = json_pack("{s:s,s:s,s:o*}", "provider", c->id, "change",
	    c->config ? "configured" : "removed", "configuration", config);
	struct buf text = BUF_INIT;
	int rc = detail ? json_write(&text, detail, &c->err)
			: ark_fail(&c->err, ARK_ENOMEM, "no memory for a log entry");

	r.detail = text.data;
	if (!rc)
		rc = ledger_append_wait(
		    archive_ledger(c->app->archive, LEDGER_HISTORY), &r, 1, NULL, &c->err);
	buf_free(&text);
	json_decref(detail);
	return rc;
}

static int check_org(struct change *c)
{
	const char *org = json_text(c->config, "org");

	if (registry_has(archive_registry(c->app->archive), "orgs", org))
		return ARK_OK;
	return ark_fail(
	    &c->err, ARK_EINPUT, "org: there is no organisation %.64s; load it first", org);
}

/* Whom the server is sent to is known before it goes there, whatever comes of it. The operator's own trials are not of the archive. */
static int log_asking(struct change *c)
{
	struct ledger_record r = c->by;
	json_t *detail;
	struct buf text = BUF_INIT;
	int rc;

	if (!c->by_caller)
		return ARK_OK;
	detail = json_pack("{s:s,s:s,s:O}", "provider", c->id, "change", "tried", "issuer",
	    json_object_get(c->config, "issuer"));
	rc = detail ? json_write(&text, detail, &c->err)
		    : ark_fail(&c->err, ARK_ENOMEM, "no memory for a log entry");
	r.detail = text.data;
	if (!rc)
		rc = ledger_append_wait(
		    archive_ledger(c->app->archive, LEDGER_ACCESS), &r, 1, NULL, &c->err);
	buf_free(&text);
	json_decref(detail);
	return rc;
}

/* The configuration by itself, then what answers at its address. */
static int check_config(struct change *c)
{
	int rc = oidc_check(c->config, false, &c->err);

	if (!rc)
		rc = check_org(c);
	if (rc || c->act == PROVIDER_KEEP_UNASKED)
		return rc;
	rc = log_asking(c);
	return rc ? rc : oidc_check(c->config, true, &c->err);
}

/* ---- whom a removed provider let in ---- */

struct ending {
	struct state *state;
	const char *provider;
	char ids[64][17]; /* of one user; the rest in the next round */
	unsigned int n;
};

static int note_session(void *arg, const struct session *session)
{
	struct ending *e = arg;

	if (strcmp(session->provider, e->provider) == 0 && e->n < 64)
		memcpy(e->ids[e->n++], session->id, sizeof(e->ids[0]));
	return 0;
}

static int end_sessions(struct change *c)
{
	struct ending e = {.state = archive_state(c->app->archive), .provider = c->id};
	json_t *users = registry_all(archive_registry(c->app->archive), "users"), *user;
	size_t i;
	int rc = users ? ARK_OK : ark_fail(&c->err, ARK_ENOMEM, "no memory for users");

	json_array_foreach(users, i, user)
	{
		do {
			e.n = 0;
			if (!rc)
				rc = session_each(e.state, json_text(user, "id"), clock_now_us(),
				    session_settings(c->app)->idle_us, note_session, &e, &c->err);
			for (unsigned int k = 0; !rc && k < e.n; k++) {
				rc = session_end(e.state, e.ids[k], NULL, &c->err);
				if (rc == ARK_ENOTFOUND)
					rc = ARK_OK;
			}
		} while (!rc && e.n == 64);
	}
	json_decref(users);
	sessions_forget(c->app);
	return rc;
}

static int exists(struct change *c)
{
	struct oidc_provider *p = oidc_find(c->app, c->id);
	json_t *all = NULL;
	int rc = p ? ARK_OK : provider_all(archive_state(c->app->archive), &all, &c->err);

	if (!rc && !p && !json_object_get(all, c->id))
		rc = ark_fail(&c->err, ARK_ENOTFOUND, "there is no provider %s", c->id);
	json_decref(all);
	oidc_provider_unref(p);
	return rc;
}

static void change_work(struct oidc_job *job)
{
	struct change *c = (struct change *)job;

	c->rc = c->config ? check_config(c) : exists(c);
	if (c->act == PROVIDER_TRY)
		return;
	if (!c->rc)
		c->rc = log_change(c);
	if (!c->rc)
		c->rc = provider_put(archive_state(c->app->archive), c->id, c->config, &c->err);
	if (!c->rc)
		c->rc = oidc_reload(c->app, &c->err);
	if (!c->rc && !c->config)
		c->rc = end_sessions(c);
}

static void change_done(struct exchange *x)
{
	const struct change *c = caller_of(x) ? visit_of(x)->more : http_data(x);

	c->told(x, c->rc, c->config, &c->err);
}

/* By the caller; the admin socket has none. */
static struct ledger_record changer(struct exchange *x)
{
	struct ledger_record r = {
	    .kind = "provider", .principal = "operator", .authentication = "operator"};

	return caller_of(x) ? visit_record(visit_of(x), "provider") : r;
}

void provider_act(
    struct exchange *x, const char *id, json_t *config, enum provider_act act, provider_told *told)
{
	struct change *c = calloc(1, sizeof(*c));

	if (!c) {
		json_decref(config);
		http_reply_problem(x, 503, "out-of-memory", NULL, NULL);
		return;
	}
	c->app = app_of(x);
	c->config = config;
	c->act = act;
	c->told = told;
	c->by = changer(x);
	c->by_caller = caller_of(x) != NULL;
	c->rc = ark_fail(&c->err, ARK_EIO, "the server ends");
	snprintf(c->id, sizeof(c->id), "%s", id);
	c->job = (struct oidc_job){.x = x, .work = change_work};
	if (caller_of(x)) {
		visit_of(x)->more = c;
		visit_of(x)->more_free = change_free;
	} else {
		http_set_data(x, c, change_end);
	}
	if (oidc_pool_add(c->app->oidc->pool, &c->job))
		http_wait(x, change_done);
	else
		http_reply_problem(x, 503, "too-many", NULL, NULL);
}

int providers_shown(struct app *app, json_t **ret, struct ark_error *err)
{
	json_t *all = NULL, *config, *out = json_object();
	const char *id;
	int rc = out ? provider_all(archive_state(app->archive), &all, err)
		     : ark_fail(err, ARK_ENOMEM, "no memory for the providers");

	json_object_foreach(all, id, config)
	{
		if (!rc && json_object_set_new(out, id, shown(config)))
			rc = ark_fail(err, ARK_ENOMEM, "no memory for the providers");
	}
	json_decref(all);
	if (rc)
		json_decref(out);
	else
		*ret = out;
	return rc;
}

int provider_keep_secret(struct app *app, json_t *config, struct ark_error *err)
{
	json_t *all = NULL, *secret;
	const json_t *kept;
	const char *id = json_text(config, "id");
	int rc = provider_all(archive_state(app->archive), &all, err);

	kept = json_object_get(all, id ? id : "");
	secret = json_object_get(kept, "clientSecret");
	/* never to another server than the one that it was meant for */
	if (!rc && secret &&
	    json_equal(json_object_get(kept, "issuer"), json_object_get(config, "issuer")) &&
	    !json_object_get(config, "clientSecret") &&
	    json_object_set(config, "clientSecret", secret))
		rc = ark_fail(err, ARK_ENOMEM, "no memory for a provider");
	json_decref(all);
	return rc;
}

/* ---- the admin socket ---- */

static void reply_change(
    struct exchange *x, int rc, const json_t *config, const struct ark_error *err)
{
	if (rc == ARK_EINPUT)
		http_reply_problem(x, 422, "provider", err->text, NULL);
	else if (rc == ARK_ENOTFOUND)
		http_reply_problem(x, 404, "not-found", err->text, NULL);
	else if (rc)
		http_reply_problem(x, 503, "provider", err->text, NULL);
	else
		http_reply_json(x, 200,
		    config ? shown(config) : json_pack("{s:s}", "removed", http_param(x, 0)));
}

void admin_provider_put(struct exchange *x)
{
	json_t *config = NULL;
	struct ark_error err;
	const char *body, *id;
	size_t len;

	body = http_body(x, &len);
	if (len > CONFIG_MAX || json_read(body, len, &config, &err)) {
		http_reply_problem(x, 400, "bad-json", len > CONFIG_MAX ? NULL : err.text, NULL);
		return;
	}
	id = json_text(config, "id");
	if (!id || strcmp(id, http_param(x, 0)) != 0) {
		json_decref(config);
		http_reply_problem(x, 422, "provider", "id: must be that of the address", NULL);
		return;
	}
	provider_act(x, http_param(x, 0), config,
	    http_query(x, "offline") ? PROVIDER_KEEP_UNASKED : PROVIDER_KEEP, reply_change);
}

void admin_provider_delete(struct exchange *x)
{
	if (id_valid(http_param(x, 0)))
		provider_act(x, http_param(x, 0), NULL, PROVIDER_REMOVE, reply_change);
	else
		http_reply_problem(x, 404, "not-found", "There is no such provider.", NULL);
}
