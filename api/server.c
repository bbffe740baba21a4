#include "arkki/api/server.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api/accounts_api.h"
#include "api/exports.h"
#include "api/handlers.h"
#include "api/disposer.h"
#include "api/disposition_api.h"
#include "api/indexer.h"
#include "api/oidc.h"
#include "api/operation.h"
#include "api/pages/pages.h"
#include "api/past_work.h"
#include "api/purpose_kept.h"
#include "api/rankings.h"
#include "api/session.h"
#include "api/synonyms.h"
#include "arkki/archive/conf.h"
#include "arkki/base/clock.h"
#include "arkki/base/fs.h"

struct api_server {
	struct app app;
	struct http_server *public_listener, *admin_listener, *proxy_listener, *health_listener;
	int run_fd; /* DIR/run: a socket's path may have 107 bytes only, so it is named through this */
};

uint64_t app_indexed(struct app *app)
{
	return app->indexer ? indexer_sequence(app->indexer) : 0;
}

static int start_admin(struct api_server *s, struct ark_error *err)
{
	char path[4096];
	struct http_config config = {
	    .gate = auth_gate_local, .threads = 2, .header_ms = 60000, .ended = traffic_ended};
	mode_t before;
	int rc = fs_path(path, err, "%s/run", archive_dir(s->app.archive));

	if (rc)
		return rc;
	s->run_fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (s->run_fd < 0)
		return ark_fail_errno(err, ARK_EIO, "cannot open %s", path);
	snprintf(path, sizeof(path), "unix:/proc/self/fd/%d/admin.sock", s->run_fd);
	config.listen = path;
	before = umask(0177); /* the socket is the operator's alone */
	rc = http_server_start(
	    &config, api_routes, api_routes_len, &s->app, &s->admin_listener, err);
	umask(before);
	return rc;
}

/* Only this machine: whoever reaches it may say which client certificate was shown. */
static bool local_address(const char *address)
{
	return strncmp(address, "unix:", 5) == 0 || strncmp(address, "127.0.0.1:", 10) == 0 ||
	       strncmp(address, "[::1]:", 6) == 0;
}

static int start_proxied(struct api_server *s, const char *address, struct ark_error *err)
{
	struct http_config config = {.listen = address,
	    .gate = auth_gate_proxied,
	    .problem = page_problem,
	    .ended = traffic_ended,
	    .behind_proxy = true};
	mode_t before;
	int rc;

	if (!local_address(address))
		return ark_fail(err, ARK_EINPUT,
		    "--proxy %s: give unix:/path, 127.0.0.1:PORT or [::1]:PORT", address);
	before = umask(0117); /* a socket is for the proxy, by its group */
	rc = http_server_start(
	    &config, api_routes, api_routes_len, &s->app, &s->proxy_listener, err);
	umask(before);
	return rc;
}

static int start_health(struct api_server *s, const char *address, struct ark_error *err)
{
	struct http_config config = {.listen = address,
	    .gate = operation_gate,
	    .threads = 1,
	    .connections_max = 50,
	    .ended = traffic_ended};
	mode_t before;
	int rc;

	if (!local_address(address))
		return ark_fail(err, ARK_EINPUT,
		    "--health %s: give unix:/path, 127.0.0.1:PORT or [::1]:PORT", address);
	before = umask(0117);
	rc = http_server_start(
	    &config, api_routes, api_routes_len, &s->app, &s->health_listener, err);
	umask(before);
	return rc;
}

static int start_traffic(struct api_server *s, struct ark_error *err)
{
	char requests[16];
	int rc =
	    conf_text(archive_dir(s->app.archive), "request-log", requests, sizeof(requests), err);

	return rc ? rc : traffic_new(requests, &s->app.traffic, err);
}

int api_server_start(struct archive *a, const struct api_addresses *at, struct api_server **ret,
    struct ark_error *err)
{
	struct api_server *s = calloc(1, sizeof(*s));
	const char *listen = at->listen;
	struct http_config config = {
	    .listen = listen, .gate = auth_gate, .problem = page_problem, .ended = traffic_ended};
	int rc;

	if (!s)
		return ark_fail(err, ARK_ENOMEM, "no memory for the server");
	s->run_fd = -1;
	s->app.archive = a;
	s->app.started_us = clock_now_us();
	pthread_mutex_init(&s->app.reviews_lock, NULL);
	pthread_mutex_init(&s->app.searches_lock, NULL);
	pthread_mutex_init(&s->app.registers_lock, NULL);
	pthread_mutex_init(&s->app.uploads_lock, NULL);
	pages_start(&s->app);
	rc = start_traffic(s, err);
	if (!rc)
		rc = token_cache_new(&s->app.tokens, err);
	if (!rc)
		rc = purposes_new(&s->app.purposes, err);
	if (!rc)
		rc = sign_in_start(&s->app, err);
	if (!rc)
		rc = oidc_start(&s->app, err);
	if (!rc)
		rc = rankings_new(&s->app.rankings, err);
	if (!rc)
		rc = policies_start(&s->app, err);
	if (!rc)
		rc = synonyms_start(&s->app, err);
	if (!rc)
		rc = exports_start(&s->app, err);
	if (!rc)
		rc = changes_start(&s->app, err);
	if (!rc && listen)
		rc = witnesses_start(a, &s->app.witnesses, err);
	/* the admin socket of a single command has nothing to index: the next server does */
	if (!rc && listen)
		rc = indexer_start(a, &s->app.indexer, err);
	if (!rc)
		rc = disposer_start(&s->app, listen != NULL, err);
	if (!rc && listen)
		rc = disposition_resume(&s->app, err);
	/* packages of an earlier server that were not made yet; nothing waits for them */
	if (!rc && listen)
		disposer_look(&s->app);
	if (!rc && listen)
		rc = accounts_start(&s->app, err);
	if (!rc)
		rc = start_admin(s, err);
	if (!rc && listen)
		rc = http_server_start(
		    &config, api_routes, api_routes_len, &s->app, &s->public_listener, err);
	if (!rc && listen && at->proxy)
		rc = start_proxied(s, at->proxy, err);
	if (!rc && listen && at->health)
		rc = start_health(s, at->health, err);
	if (rc) {
		api_server_stop(s);
		return rc;
	}
	if (listen)
		oidc_serve(&s->app);
	*ret = s;
	return ARK_OK;
}

uint16_t api_server_port(const struct api_server *s)
{
	return s->public_listener ? http_server_port(s->public_listener) : 0;
}

void api_server_stop(struct api_server *s)
{
	if (!s)
		return;
	policies_end_soon(&s->app);
	changes_stop(&s->app); /* polls are answered first, so that they do not hold the drain up */
	witnesses_end_soon(s->app.witnesses);
	oidc_end_soon(&s->app);
	http_server_stop(s->public_listener);
	http_server_stop(s->proxy_listener);
	http_server_stop(s->admin_listener);
	http_server_stop(s->health_listener);
	accounts_stop(&s->app); /* before the sessions that it looks after */
	oidc_stop(&s->app);
	sign_in_stop(&s->app);
	past_work_wait(&s->app);
	if (s->run_fd >= 0) {
		unlinkat(s->run_fd, "admin.sock", 0);
		close(s->run_fd);
	}
	exports_end_soon(&s->app);
	disposer_stop(&s->app);
	witnesses_stop(s->app.witnesses);
	indexer_stop(s->app.indexer);
	policies_stop(&s->app);
	exports_stop(&s->app);
	rankings_free(s->app.rankings);
	synonyms_stop(&s->app);
	purposes_free(s->app.purposes);
	token_cache_free(s->app.tokens);
	traffic_free(s->app.traffic);
	pthread_mutex_destroy(&s->app.searches_lock);
	pthread_mutex_destroy(&s->app.registers_lock);
	pthread_mutex_destroy(&s->app.uploads_lock);
	pthread_mutex_destroy(&s->app.reviews_lock);
	free(s);
}
