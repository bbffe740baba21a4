#include "api/oidc.h"

#include <stdlib.h>
#include <string.h>

#include "api/i18n.h"
#include "api/oidc_private.h"
#include "arkki/base/json.h"
#include "arkki/base/text.h"

static void list_free(struct oidc_provider **list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		oidc_provider_unref(list[i]);
	free(list);
}

/* Under the lock. */
static struct oidc_provider *look(const struct oidc_service *s, const char *id)
{
	for (size_t i = 0; i < s->n; i++)
		if (strcmp(oidc_provider_text(s->list[i], "id"), id) == 0)
			return s->list[i];
	return NULL;
}

struct oidc_provider *oidc_find(struct app *app, const char *id)
{
	struct oidc_service *s = app->oidc;
	struct oidc_provider *p;

	pthread_mutex_lock(&s->lock);
	p = look(s, id);
	if (p)
		oidc_provider_ref(p);
	pthread_mutex_unlock(&s->lock);
	return p;
}

/* ---- taking up ---- */

static void warm_up(struct oidc_job *job)
{
	json_t *document = NULL;

	/* what fails now fails again when somebody signs in, and is told then */
	if (!oidc_provider_document(job->provider, job->stop, &document, NULL))
		json_decref(document);
}

/* Discovery is asked for before anybody needs it; a sign-out needs it at once. */
static void ask_soon(struct oidc_service *s, struct oidc_provider *p)
{
	struct oidc_job *job = calloc(1, sizeof(*job));

	if (!job)
		return;
	job->provider = oidc_provider_ref(p);
	job->work = warm_up;
	if (oidc_pool_add(s->pool, job))
		return;
	oidc_provider_unref(p);
	free(job);
}

/* What a provider was asked is kept as long as its configuration is the same. */
static int provider_for(struct oidc_service *s, json_t *config, struct oidc_provider **ret,
    bool *ret_new, struct ark_error *err)
{
	const char *id = json_text(config, "id");
	struct oidc_provider *before;

	pthread_mutex_lock(&s->lock);
	before = id ? look(s, id) : NULL;
	if (before && json_equal(oidc_provider_config(before), config))
		*ret = oidc_provider_ref(before);
	else
		before = NULL;
	pthread_mutex_unlock(&s->lock);
	*ret_new = !before;
	return before ? ARK_OK : oidc_provider_new(config, ret, err);
}

int oidc_reload(struct app *app, struct ark_error *err)
{
	struct oidc_service *s = app->oidc;
	struct oidc_provider **list = NULL, **before;
	size_t n = 0, n_before;
	json_t *all = NULL, *config;
	const char *id;
	bool fresh, serving;
	int rc = provider_all(archive_state(app->archive), &all, err);

	if (!rc && !(list = calloc(json_object_size(all) + 1, sizeof(struct oidc_provider *))))
		rc = ark_fail(err, ARK_ENOMEM, "no memory for providers");
	if (rc)
		goto out;
	pthread_mutex_lock(&s->lock);
	serving = s->serving;
	pthread_mutex_unlock(&s->lock);
	json_object_foreach(all, id, config)
	{
		/* one that this arkki cannot use any more is nobody's way in */
		if (oidc_config_check(config, NULL))
			continue;
		rc = provider_for(s, config, &list[n], &fresh, err);
		if (rc)
			goto out;
		if (fresh && serving)
			ask_soon(s, list[n]);
		n++;
	}
	pthread_mutex_lock(&s->lock);
	before = s->list;
	n_before = s->n;
	s->list = list;
	s->n = n;
	pthread_mutex_unlock(&s->lock);
	list = before;
	n = n_before;
out:
	list_free(list, n);
	json_decref(all);
	return rc;
}

int oidc_start(struct app *app, struct ark_error *err)
{
	struct oidc_service *s = calloc(1, sizeof(*s));
	int rc;

	if (!s)
		return ark_fail(err, ARK_ENOMEM, "no memory for signing in");
	pthread_mutex_init(&s->lock, NULL);
	app->oidc = s;
	rc = oidc_used_new(&s->used, err);
	if (!rc)
		rc = oidc_pool_new(&s->pool, err);
	return rc ? rc : oidc_reload(app, err);
}

void oidc_serve(struct app *app)
{
	struct oidc_service *s = app->oidc;

	pthread_mutex_lock(&s->lock);
	s->serving = true;
	for (size_t i = 0; i < s->n; i++)
		ask_soon(s, s->list[i]);
	pthread_mutex_unlock(&s->lock);
}

void oidc_end_soon(struct app *app)
{
	if (app->oidc && app->oidc->pool)
		oidc_pool_end_soon(app->oidc->pool);
}

void oidc_stop(struct app *app)
{
	struct oidc_service *s = app->oidc;

	if (!s)
		return;
	oidc_pool_free(s->pool);
	oidc_used_free(s->used);
	list_free(s->list, s->n);
	pthread_mutex_destroy(&s->lock);
	free(s);
	app->oidc = NULL;
}

/* ---- for the pages ---- */

void oidc_each(struct app *app, enum http_language language,
    void (*each)(void *arg, const char *id, const char *name), void *arg)
{
	struct oidc_service *s = app->oidc;

	pthread_mutex_lock(&s->lock);
	for (size_t i = 0; i < s->n; i++)
		each(arg, oidc_provider_text(s->list[i], "id"),
		    i18n_name(language, oidc_provider_config(s->list[i]), NULL));
	pthread_mutex_unlock(&s->lock);
}

/* Without an ID token as a hint: it would lay personal data into an address, which browsers and proxies keep, and would have to be kept
 * here as long as the session. The client's id lets the provider know who asks; it may ask the user whether it was meant. */
bool oidc_logout_url(struct app *app, const struct session *session, struct buf *out)
{
	struct oidc_provider *p = session->provider[0] ? oidc_find(app, session->provider) : NULL;
	json_t *document = p ? oidc_provider_kept(p) : NULL;
	const char *url = json_text(document, "end_session_endpoint");
	const char *base = session_settings(app)->url, *client;
	size_t n = strlen(base);

	if (url) {
		client = oidc_provider_text(p, "clientId");
		buf_addf(out, "%s%cclient_id=", url, strchr(url, '?') ? '&' : '?');
		percent_encode(out, client, strlen(client));
	}
	/* only an address that is configured is one that the provider may know */
	if (url && n) {
		struct buf back = BUF_INIT;

		buf_addf(&back, "%.*s/", (int)(n - (base[n - 1] == '/')), base);
		buf_adds(out, "&post_logout_redirect_uri=");
		percent_encode(out, back.data ? back.data : "", back.len);
		buf_free(&back);
	}
	json_decref(document);
	oidc_provider_unref(p);
	return url && !buf_failed(out);
}

int oidc_check(const json_t *provider, bool ask, struct ark_error *err)
{
	struct oidc_provider *p = NULL;
	json_t *document = NULL;
	int rc = oidc_config_check(provider, err);

	if (rc || !ask)
		return rc;
	rc = oidc_provider_new((json_t *)(uintptr_t)provider, &p, err);
	if (!rc)
		rc = oidc_provider_document(p, NULL, &document, err);
	if (rc == ARK_EIO)
		rc = ARK_EINPUT;
	json_decref(document);
	oidc_provider_unref(p);
	return rc;
}
