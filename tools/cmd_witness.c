/* witness: a small server that cosigns the checkpoints of logs, on a machine of its own. */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>

#include "arkki/api/http.h"
#include "arkki/archive/witness.h"
#include "arkki/base/json.h"
#include "tools/cli.h"

static void add_checkpoint(struct exchange *x)
{
	struct witness_reply r;
	size_t len;
	const char *body = http_body(x, &len);

	witness_add_checkpoint(http_app(x), body, len, &r);
	if (r.status == 500) /* what is wrong inside is for the one who runs it */
		fprintf(stderr, "arkki: witness: %.*s", (int)r.body.len,
		    r.body.data ? r.body.data : "no memory\n");
	if (r.status == 500)
		http_reply_problem(x, 500, NULL, NULL, NULL);
	else
		http_reply_buf(x, r.status, r.content_type, &r.body);
	buf_free(&r.body);
}

static const struct http_route routes[] = {
    {.method = "POST",
	.pattern = "/add-checkpoint",
	.takes = HTTP_BODY_WHOLE,
	.body_max = WITNESS_BODY_MAX,
	.finish = add_checkpoint},
};

static int serve(struct witness *w, const char *listen, struct ark_error *err)
{
	const struct http_config config = {.listen = listen, .threads = 4, .connections_max = 200};
	const char *colon = strrchr(listen, ':');
	struct http_server *s = NULL;
	sigset_t wanted;
	int sig, rc;

	sigemptyset(&wanted);
	sigaddset(&wanted, SIGTERM);
	sigaddset(&wanted, SIGINT);
	pthread_sigmask(SIG_BLOCK, &wanted, NULL);
	signal(SIGPIPE, SIG_IGN);
	rc = http_server_start(&config, routes, sizeof(routes) / sizeof(*routes), w, &s, err);
	if (rc)
		return rc;
	printf("listening on http://%.*s:%u\n", (int)(colon ? colon - listen : 0), listen,
	    http_server_port(s));
	fflush(stdout);
	sigwait(&wanted, &sig);
	http_server_stop(s);
	return ARK_OK;
}

static int witness_serve(const struct cli *c, struct ark_error *err)
{
	struct witness *w = NULL;
	int rc = witness_open(c->words[0], &w, err);

	prctl(PR_SET_DUMPABLE, 0); /* a core file would hold the key */
	if (!rc)
		rc = serve(w, c->listen, err);
	witness_close(w);
	return rc;
}

static int print_vkey(const char *dir, struct ark_error *err)
{
	struct buf out = BUF_INIT;
	int rc = witness_vkey(dir, &out, err);

	if (!rc)
		printf("%s\n", out.data);
	buf_free(&out);
	return rc;
}

/* ---- witnesses DIR: what an archive's own witnesses have signed ---- */

static void print_log(const char *witness, const json_t *log)
{
	const char *error = json_text(log, "error"), *time = json_text(log, "time");
	json_int_t size = json_integer_value(json_object_get(log, "size"));

	printf("%s\t%s\t%lld\t%s\t%s\n", witness, json_text(log, "log"), (long long)size,
	    time ? time : "-", error ? error : "-");
}

int cmd_witnesses(const struct cli *c)
{
	const struct client_request r = {.method = "GET", .path = "/admin/status"};
	struct client *client = NULL;
	json_t *answer = NULL, *all, *witness, *logs;
	struct ark_error err;
	long status = 0;
	size_t i, k;
	int rc;

	if (c->words_len != 1)
		return cli_usage(c->command);
	rc = client_open(c->words[0], c->root_key, &client, &err);
	if (!rc)
		rc = client_send(client, &r, &status, &answer, &err);
	if (!rc)
		rc = client_ok(status, answer, &err);
	all = json_object_get(json_object_get(answer, "witnessing"), "witnesses");
	if (!rc && !all)
		fprintf(stderr, "arkki: %s\n",
		    client_is_remote(client) ? "the logs have no witnesses"
					     : "the archive is not being served");
	for (i = 0; i < json_array_size(all); i++) {
		witness = json_array_get(all, i);
		logs = json_object_get(witness, "logs");
		for (k = 0; k < json_array_size(logs); k++)
			print_log(json_text(witness, "name"), json_array_get(logs, k));
	}
	json_decref(answer);
	client_close(client);
	return rc ? cli_failed(&err) : CLI_OK;
}

int cmd_witness(const struct cli *c)
{
	const char *dir = c->words_len > 0 ? c->words[0] : NULL;
	const char *action = c->words_len > 1 ? c->words[1] : c->listen ? "serve" : "";
	struct ark_error err = {0};
	int rc;

	if (dir && strcmp(action, "init") == 0 && c->words_len == 2 && c->name) {
		rc = witness_init(dir, c->name, &err);
		if (!rc)
			rc = print_vkey(dir, &err);
	} else if (dir && strcmp(action, "add-log") == 0 && c->words_len == 3) {
		rc = witness_add_log(dir, c->words[2], c->origin, &err);
	} else if (dir && strcmp(action, "vkey") == 0 && c->words_len == 2) {
		rc = print_vkey(dir, &err);
	} else if (dir && strcmp(action, "serve") == 0 && c->words_len <= 2 && c->listen) {
		rc = witness_serve(c, &err);
	} else {
		return cli_usage(c->command);
	}
	return rc ? cli_failed(&err) : CLI_OK;
}
