/* A place of backups on another machine: ssh runs `arkki backup-receive PATH` there, and both talk over its pipes.
 *
 * Nobody sits before a backup: ssh may ask no question, and a peer that is silent for two minutes is given up. Which
 * keys of hosts are believed, which identity is shown and how the way leads there is for the user's ssh_config to say.
 * What ssh and the arkki there have to say goes to our own stderr; how ssh ended decides what we say of it.
 *
 *   asked    open write|read · list objects|points · put NAME LENGTH, then the bytes · get NAME · remove NAME
 *   answered ok LENGTH, then the bytes · no STATUS TEXT
 *
 * Each is a line; one question at a time. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "archive/backup_private.h"

extern char **environ;

enum { LINE_MAX_BYTES = 1024, TARGET_MAX = 1024, REAP_TRIES = 500, REAP_PAUSE_MS = 20 };

struct place_remote {
	FILE *to, *from;
	pid_t child;
	char host[256];
	enum place_mode mode;
	bool opened; /* it has answered once */
	bool broken; /* the two sides are no longer at the same byte */
};

/* ---- where ---- */

struct target {
	char program[TARGET_MAX], host[256], port[8], path[TARGET_MAX];
};

static bool plain(const char *s, size_t n)
{
	if (!n || n > 255 || s[0] == '-')
		return false;
	for (size_t i = 0; i < n; i++)
		if ((unsigned char)s[i] <= ' ' || strchr("/'\"\\", s[i]))
			return false;
	return true;
}

/* ssh://[user@]host[:port]/path */
static bool parse_url(const char *at, struct target *ret)
{
	const char *slash = strchr(at, '/');
	size_t n = slash ? (size_t)(slash - at) : 0;
	const char *colon = n ? memrchr(at, ':', n) : NULL;

	if (!slash || strlen(slash) >= TARGET_MAX)
		return false;
	if (colon) {
		size_t digits = (size_t)(slash - colon) - 1;

		if (!digits || digits > 5 || strspn(colon + 1, "0123456789") != digits)
			return false;
		snprintf(ret->port, sizeof(ret->port), "%.*s", (int)digits, colon + 1);
		n = (size_t)(colon - at);
	}
	if (!plain(at, n))
		return false;
	snprintf(ret->host, sizeof(ret->host), "%.*s", (int)n, at);
	snprintf(ret->path, sizeof(ret->path), "%s", slash);
	return true;
}

/* [user@]host:path: a colon, and no slash before it */
static bool parse_short(const char *where, struct target *ret)
{
	size_t n = strcspn(where, ":/");

	if (where[n] != ':' || !where[n + 1] || strlen(where + n + 1) >= TARGET_MAX ||
	    !plain(where, n))
		return false;
	snprintf(ret->host, sizeof(ret->host), "%.*s", (int)n, where);
	snprintf(ret->path, sizeof(ret->path), "%s", where + n + 1);
	return true;
}

static bool parse(const char *where, struct target *ret)
{
	*ret = (struct target){0};
	if (strncmp(where, "ssh://", 6) == 0)
		return parse_url(where + 6, ret);
	return parse_short(where, ret);
}

bool place_remote_named(const char *where)
{
	struct target t;

	return strncmp(where, "ssh://", 6) == 0 || parse_short(where, &t);
}

/* For the shell there. */
static void quote(struct buf *out, const char *text)
{
	buf_addc(out, '\'');
	for (; *text; text++)
		if (*text == '\'')
			buf_adds(out, "'\\''");
		else
			buf_addc(out, *text);
	buf_addc(out, '\'');
}

/* ---- the child ---- */

static int spawn(char *const argv[], int to, int from, pid_t *ret)
{
	posix_spawn_file_actions_t files;
	int code = posix_spawn_file_actions_init(&files);

	if (code)
		return code;
	code = posix_spawn_file_actions_adddup2(&files, to, 0);
	if (!code)
		code = posix_spawn_file_actions_adddup2(&files, from, 1);
	if (!code)
		code = posix_spawnp(ret, argv[0], &files, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&files);
	return code;
}

static int start(struct place_remote *p, struct target *t, struct ark_error *err)
{
	char no_terminal[] = "-T", batch[] = "-oBatchMode=yes",
	     alive[] = "-oServerAliveInterval=30", alive_count[] = "-oServerAliveCountMax=4",
	     port[] = "-p";
	const char *program = getenv("ARKKI_SSH");
	struct buf command = BUF_INIT;
	char *argv[10] = {t->program, no_terminal, batch, alive, alive_count};
	size_t n = 5;
	int to[2] = {-1, -1}, from[2] = {-1, -1}, code;
	int rc = ARK_OK;

	buf_adds(&command, "arkki backup-receive ");
	quote(&command, t->path);
	snprintf(t->program, sizeof(t->program), "%s", program && *program ? program : "ssh");
	snprintf(p->host, sizeof(p->host), "%s", t->host);
	if (t->port[0]) {
		argv[n++] = port;
		argv[n++] = t->port;
	}
	argv[n++] = t->host;
	argv[n++] = command.data;
	if (buf_failed(&command) || pipe2(to, O_CLOEXEC) < 0 || pipe2(from, O_CLOEXEC) < 0) {
		rc = ark_fail_errno(err, ARK_EIO, "cannot start %s", argv[0]);
		goto out;
	}
	code = spawn(argv, to[0], from[1], &p->child);
	if (code) {
		errno = code;
		rc = ark_fail_errno(err, ARK_EIO, "cannot start %s (is it installed?)", argv[0]);
		goto out;
	}
	p->to = fdopen(to[1], "w");
	p->from = fdopen(from[0], "r");
	if (p->to)
		to[1] = -1;
	if (p->from)
		from[0] = -1;
	if (!p->to || !p->from)
		rc = ark_fail(err, ARK_ENOMEM, "no memory to talk to %s", t->host);
out:
	for (int i = 0; i < 2; i++) {
		if (to[i] >= 0)
			close(to[i]);
		if (from[i] >= 0)
			close(from[i]);
	}
	buf_free(&command);
	return rc;
}

/* ---- asking ---- */

/* Ends ssh; its status, as wait() has it. Called again: -1. What does not end by itself is ended. */
static int reap(struct place_remote *p)
{
	const struct timespec pause = {0, REAP_PAUSE_MS * 1000000L};
	int status = -1;
	pid_t got = 0;

	if (p->to)
		fclose(p->to);
	if (p->from)
		fclose(p->from);
	p->to = p->from = NULL;
	for (int i = 0; p->child > 0 && i < REAP_TRIES; i++) {
		got = waitpid(p->child, &status, WNOHANG);
		if (got != 0 && !(got < 0 && errno == EINTR))
			break;
		nanosleep(&pause, NULL);
	}
	if (p->child > 0 && got == 0) {
		(void)kill(p->child, SIGTERM);
		while (waitpid(p->child, &status, 0) < 0 && errno == EINTR)
			;
	}
	p->child = 0;
	return status;
}

/* The other side has ended, or says what it must not. */
static int cut(struct place_remote *p, struct ark_error *err)
{
	enum { NOT_RUNNABLE = 126, NOT_FOUND = 127, SSH_FAILED = 255 };
	int status = reap(p), code = status >= 0 && WIFEXITED(status) ? WEXITSTATUS(status) : -1;

	p->broken = true;
	if (p->opened && p->mode == PLACE_WRITE)
		return ark_fail(err, ARK_EIO,
		    "the connection to %s was cut; what arrived stays there, and the same command "
		    "goes on with it",
		    p->host);
	if (p->opened)
		return ark_fail(err, ARK_EIO,
		    "the connection to %s was cut; nothing there was changed", p->host);
	if (code == SSH_FAILED)
		return ark_fail(err, ARK_EIO,
		    "ssh could not log in at %s (what it says stands above): `ssh %s` must work "
		    "without a "
		    "question, and the key of that host be known",
		    p->host, p->host);
	if (code == NOT_FOUND || code == NOT_RUNNABLE)
		return ark_fail(err, ARK_EIO,
		    "%s has no program `arkki` that a login through ssh finds: install it there",
		    p->host);
	return ark_fail(err, ARK_EIO,
	    "%s does not answer as arkki does; can `ssh` log in there without a question, does it "
	    "say nothing "
	    "of its own then, and is arkki installed there?",
	    p->host);
}

/* The head of an answer; its bytes follow. */
static int answer(struct place_remote *p, uint64_t *ret_len, struct ark_error *err)
{
	char line[LINE_MAX_BYTES];
	unsigned long long len;
	int status = 0, at = 0;
	char end;

	if (fflush(p->to) != 0 || !fgets(line, sizeof(line), p->from))
		return cut(p, err);
	line[strcspn(line, "\n")] = '\0';
	/* NOLINTNEXTLINE(cert-err34-c): the width bounds it */
	if (sscanf(line, "ok %20llu%c", &len, &end) == 1) {
		p->opened = true;
		*ret_len = len;
		return ARK_OK;
	}
	/* NOLINTNEXTLINE(cert-err34-c): the width bounds it */
	if (sscanf(line, "no %3d %n", &status, &at) == 1 && at && status < 0 && status > -9)
		return ark_fail(err, status, "there: %s", line + at);
	return cut(p, err);
}

static int receive(
    struct place_remote *p, uint64_t len, place_sink sink, void *arg, struct ark_error *err)
{
	char *block = malloc(PLACE_BLOCK);
	int rc = block ? ARK_OK : ark_fail(err, ARK_ENOMEM, "no memory to read a backup");

	while (!rc && len) {
		size_t n = len < PLACE_BLOCK ? (size_t)len : PLACE_BLOCK;

		rc = fread(block, 1, n, p->from) == n ? sink(arg, block, n, err) : cut(p, err);
		len -= n;
	}
	p->broken = p->broken || rc != ARK_OK;
	free(block);
	return rc;
}

static int usable(const struct place_remote *p, struct ark_error *err)
{
	return p->broken ? ark_fail(err, ARK_EIO, "the connection to %s was cut", p->host) : ARK_OK;
}

/* A question whose answer has no bytes. */
static int ask(struct place_remote *p, const char *verb, const char *what, struct ark_error *err)
{
	uint64_t len = 0;
	int rc = usable(p, err);

	if (rc)
		return rc;
	fprintf(p->to, "%s %s\n", verb, what);
	rc = answer(p, &len, err);
	return !rc && len ? cut(p, err) : rc;
}

int place_remote_open(
    const char *where, enum place_mode mode, struct place_remote **ret, struct ark_error *err)
{
	struct place_remote *p;
	struct target t;
	int rc;

	if (!parse(where, &t))
		return ark_fail(err, ARK_EINPUT,
		    "%s is not a place on another machine: ssh://user@host/path, or user@host:path",
		    where);
	p = calloc(1, sizeof(*p));
	if (!p)
		return ark_fail(err, ARK_ENOMEM, "no memory to open %s", where);
	p->mode = mode;
	rc = start(p, &t, err);
	if (!rc)
		rc = ask(p, "open", mode == PLACE_WRITE ? "write" : "read", err);
	if (rc) {
		place_remote_close(p);
		return rc;
	}
	*ret = p;
	return ARK_OK;
}

void place_remote_close(struct place_remote *p)
{
	if (!p)
		return;
	(void)reap(p);
	free(p);
}

static int add(void *arg, const void *bytes, size_t len, struct ark_error *err)
{
	struct buf *out = arg;

	buf_add(out, bytes, len);
	return buf_failed(out) ? ark_fail(err, ARK_ENOMEM, "no memory for a list") : ARK_OK;
}

int place_remote_list(
    struct place_remote *p, const char *kind, struct buf *out, struct ark_error *err)
{
	uint64_t len = 0;
	int rc = usable(p, err);

	if (rc)
		return rc;
	fprintf(p->to, "list %s\n", kind);
	rc = answer(p, &len, err);
	if (!rc && len > PLACE_LIST_MAX)
		rc = cut(p, err);
	return rc ? rc : receive(p, len, add, out, err);
}

int place_remote_put(struct place_remote *p, const char *name, uint64_t len, place_source source,
    void *arg, struct ark_error *err)
{
	char *block = malloc(PLACE_BLOCK);
	int rc = usable(p, err);

	if (!rc && !block)
		rc = ark_fail(err, ARK_ENOMEM, "no memory to write into a backup");
	if (rc)
		goto out;
	fprintf(p->to, "put %s %llu\n", name, (unsigned long long)len);
	for (uint64_t left = len; !rc && left;) {
		size_t n = left < PLACE_BLOCK ? (size_t)left : PLACE_BLOCK;

		rc = source(arg, block, n, err);
		if (!rc && fwrite(block, 1, n, p->to) != n)
			rc = cut(p, err);
		left -= n;
	}
	p->broken = p->broken || rc != ARK_OK;
	if (!rc)
		rc = answer(p, &len, err);
	if (!rc && len)
		rc = cut(p, err);
out:
	free(block);
	return rc;
}

int place_remote_get(
    struct place_remote *p, const char *name, place_sink sink, void *arg, struct ark_error *err)
{
	uint64_t len = 0;
	int rc = usable(p, err);

	if (rc)
		return rc;
	fprintf(p->to, "get %s\n", name);
	rc = answer(p, &len, err);
	return rc ? rc : receive(p, len, sink, arg, err);
}

int place_remote_remove(struct place_remote *p, const char *name, struct ark_error *err)
{
	return ask(p, "remove", name, err);
}
