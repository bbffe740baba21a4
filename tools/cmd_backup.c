/* backup, restore, backup-receive. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "arkki/archive/backup.h"
#include "arkki/base/clock.h"
#include "tools/cli.h"

enum { IOPRIO_WHO_PROCESS = 1, IOPRIO_LAST = 2 << 13 | 7, NICE = 10 };

/* Serving goes first. Not being allowed to step back harms nothing. */
static void step_back(void)
{
	(void)setpriority(PRIO_PROCESS, 0, NICE);
	(void)syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0, IOPRIO_LAST);
	(void)signal(SIGPIPE, SIG_IGN);
}

static backup_progress progress(void)
{
	return isatty(STDERR_FILENO) ? cli_progress : NULL;
}

static void print_point(void *arg, const char *point)
{
	(void)arg;
	printf("%s\n", point);
}

static int list(const struct cli *c)
{
	struct ark_error err;
	int rc;

	if (c->words_len != 1)
		return cli_usage(c->command);
	rc = backup_points(c->words[0], print_point, NULL, &err);
	return rc ? cli_failed(&err) : CLI_OK;
}

static bool parse_keep(const char *text, unsigned int *ret)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);

	*ret = (unsigned int)n;
	return text[0] >= '0' && text[0] <= '9' && !*end && n >= 1 && n <= 1000000;
}

int cmd_backup(const struct cli *c)
{
	struct backup_request r = {
	    .root_key = c->root_key, .full = c->full, .progress = progress()};
	int64_t begun_us = clock_monotonic_us();
	struct backup_summary s;
	struct ark_error err;
	int rc;

	step_back();
	if (c->list)
		return list(c);
	if (c->words_len != 2 || (c->keep && !parse_keep(c->keep, &r.keep)))
		return cli_usage(c->command);
	r.dir = c->words[0];
	r.place = c->words[1];
	rc = backup_run(&r, &s, &err);
	if (rc)
		return cli_failed(&err);
	printf(
	    "%s: commits %llu, history %llu, access %llu; brought %llu objects, %llu bytes, %.2f "
	    "s",
	    s.point, (unsigned long long)s.sequence, (unsigned long long)s.history,
	    (unsigned long long)s.access, (unsigned long long)s.objects,
	    (unsigned long long)s.bytes, (double)(clock_monotonic_us() - begun_us) / 1e6);
	if (s.points_removed)
		printf("; removed %llu points, %llu objects", (unsigned long long)s.points_removed,
		    (unsigned long long)s.objects_removed);
	printf("\n");
	return CLI_OK;
}

static int drill(const struct cli *c)
{
	const char *temporary = getenv("TMPDIR");
	struct restore_request r = {.place = c->words[0],
	    .dir = c->out                    ? c->out
		   : temporary && *temporary ? temporary
					     : "/tmp",
	    .root_key = c->root_key,
	    .keys = c->keys,
	    .point = c->point,
	    .progress = progress()};
	struct buf report = BUF_INIT;
	struct backup_summary s;
	struct ark_error err;
	int rc = backup_drill(&r, &s, &report, &err);

	if (!rc)
		fputs(report.data, stdout);
	buf_free(&report);
	return rc ? cli_failed(&err) : CLI_OK;
}

int cmd_restore(const struct cli *c)
{
	struct restore_request r = {
	    .root_key = c->root_key, .keys = c->keys, .point = c->point, .progress = progress()};
	int64_t begun_us = clock_monotonic_us();
	struct backup_summary s;
	struct ark_error err;
	int rc;

	(void)signal(SIGPIPE, SIG_IGN);
	if (c->words_len != (c->drill ? 1 : 2) || !c->keys)
		return cli_usage(c->command);
	if (c->drill)
		return drill(c);
	r.place = c->words[0];
	r.dir = c->words[1];
	rc = backup_restore(&r, &s, &err);
	if (rc)
		return cli_failed(&err);
	printf("put back %s: commits %llu, history %llu, access %llu, %llu bytes, %.2f s\n",
	    s.point, (unsigned long long)s.sequence, (unsigned long long)s.history,
	    (unsigned long long)s.access, (unsigned long long)s.bytes,
	    (double)(clock_monotonic_us() - begun_us) / 1e6);
	fflush(stdout);
	rc = backup_first_open(&r, &s, &err);
	if (rc)
		return cli_failed(&err);
	printf("opened %s: %.2f s; the index follows when it is served\n", r.dir,
	    (double)(clock_monotonic_us() - begun_us) / 1e6);
	return CLI_OK;
}

int cmd_backup_receive(const struct cli *c)
{
	struct ark_error err;
	int rc;

	step_back();
	if (c->words_len != 1)
		return cli_usage(c->command);
	rc = backup_receive(c->words[0], STDIN_FILENO, STDOUT_FILENO, &err);
	return rc ? cli_failed(&err) : CLI_OK;
}
