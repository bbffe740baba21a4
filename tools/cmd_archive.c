/* init, rebuild, log, serve: commands on the archive itself. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "api/indexer.h"
#include "arkki/api/server.h"
#include "arkki/base/fs.h"
#include "arkki/base/json.h"
#include "arkki/index/analyse.h"
#include "tools/cli.h"
#include "tools/service.h"

int cmd_init(const struct cli *c)
{
	struct ark_error err;

	if (c->words_len != 1 || !c->origin)
		return cli_usage(c->command);
	if (!c->root_key) {
		fprintf(stderr, "arkki: say where the root key goes: --root-key FILE, outside %s\n",
		    c->words[0]);
		return CLI_USAGE;
	}
	if (archive_init(c->words[0], c->root_key, c->origin, &err))
		return cli_failed(&err);
	fprintf(stderr,
	    "arkki: made %s and its root key %s\n"
	    "arkki: without that key nothing in the archive can be opened: keep a copy elsewhere\n",
	    c->words[0], c->root_key);
	return CLI_OK;
}

/* ---- serve ---- */

/* Descriptors for 2,000 connections, and room for the locked memory of keys. */
static void raise_limits(void)
{
	struct rlimit l;

	if (getrlimit(RLIMIT_NOFILE, &l) == 0 && l.rlim_cur < 16384) {
		l.rlim_cur = l.rlim_max < 16384 ? l.rlim_max : 16384;
		setrlimit(RLIMIT_NOFILE, &l);
	}
	l = (struct rlimit){0, 0};
	setrlimit(RLIMIT_CORE, &l); /* a core file would hold keys and plain text */
}

static int serve_until_signal(struct archive *a, const struct cli *c, struct ark_error *err)
{
	const struct api_addresses at = {
	    .listen = c->listen, .proxy = c->proxy, .health = c->health};
	struct api_server *s = NULL;
	sigset_t wanted;
	const char *colon = strrchr(c->listen, ':');
	int sig, rc;

	sigemptyset(&wanted);
	sigaddset(&wanted, SIGTERM);
	sigaddset(&wanted, SIGINT);
	rc = api_server_start(a, &at, &s, err);
	if (rc)
		return rc;
	printf("listening on http://%.*s:%u\n", (int)(colon ? colon - c->listen : 0), c->listen,
	    api_server_port(s));
	fflush(stdout);
	service_tell("READY=1");
	sigwait(&wanted, &sig);
	service_tell("STOPPING=1");
	api_server_stop(s);
	return ARK_OK;
}

int cmd_serve(const struct cli *c)
{
	struct archive *a = NULL;
	struct ark_error err;
	sigset_t blocked;
	int rc;

	if (c->words_len != 1 || !c->listen)
		return cli_usage(c->command);
	raise_limits();
	signal(SIGPIPE, SIG_IGN);
	/* blocked before any thread starts, so that only sigwait sees them */
	sigemptyset(&blocked);
	sigaddset(&blocked, SIGTERM);
	sigaddset(&blocked, SIGINT);
	pthread_sigmask(SIG_BLOCK, &blocked, NULL);
	rc = archive_open(c->words[0], c->root_key, ARCHIVE_WRITE, cli_progress, NULL, &a, &err);
	if (!rc)
		rc = serve_until_signal(a, c, &err);
	archive_close(a);
	return rc ? cli_failed(&err) : CLI_OK;
}

/* ---- rebuild ---- */

int cmd_rebuild(const struct cli *c)
{
	struct archive *a = NULL;
	struct ark_error err;
	bool index;
	int rc;

	if (c->words_len != 2 ||
	    (strcmp(c->words[1], "catalogue") != 0 && strcmp(c->words[1], "index") != 0))
		return cli_usage(c->command);
	index = strcmp(c->words[1], "index") == 0;
	rc = archive_open(c->words[0], c->root_key, index ? ARCHIVE_WRITE : ARCHIVE_REBUILD,
	    cli_progress, NULL, &a, &err);
	if (!rc && index)
		rc = indexer_rebuild(a, cli_progress, NULL, &err);
	if (!rc)
		printf("rebuilt the %s of %s: %llu commits\n", c->words[1], c->words[0],
		    (unsigned long long)archive_sequence(a));
	archive_close(a);
	return rc ? cli_failed(&err) : CLI_OK;
}

/* ---- analyse ---- */

static int print_term(void *arg, enum analyse_kind kind, const char *term, size_t len)
{
	const enum analyse_language *language = arg;

	printf("%s%s%.*s", kind == ANALYSE_RAW ? "" : " ", analyse_prefix(*language, kind),
	    (int)len, term);
	return 0;
}

int cmd_analyse(const struct cli *c)
{
	enum analyse_language language;
	struct analyser *analyser = NULL;
	struct ark_error err;
	char *line = NULL;
	size_t cap = 0;
	ssize_t len;
	int rc;

	if (c->words_len != 0 || !analyse_language_parse(c->language, &language))
		return cli_usage(c->command);
	rc = analyser_new(NULL, &analyser, &err);
	while (!rc && (len = getline(&line, &cap, stdin)) > 0) {
		while (len > 0 && (line[len - 1] == '\n' || line[len - 1] == '\r'))
			len--;
		rc = analyse_word(
		    analyser, language, line, (size_t)len, print_term, &language, &err);
		putchar('\n');
	}
	free(line);
	analyser_free(analyser);
	return rc ? cli_failed(&err) : CLI_OK;
}
