/* Fails one operation of an archive's life after the other, each in a process of its own:
 *
 *   fault-points              a sample of all points, spread evenly, for ARKKI_FAULT_SECONDS (25);
 *                             ARKKI_FAULT=full: every one, however long it takes
 *   fault-points STEP [KIND]  those of one step (`-`: of all), of one kind
 *   fault-points STEP KIND N  that one, and the archive stays
 *
 * ARKKI_FAULT_JOBS (2) processes at a time.
 *
 * Whatever fails, a run does a thing wholly or says that it did not; an archive is left that opens, takes filings
 * and verifies; what was acknowledged is in it; nothing dies, hangs, or syncs a file again whose sync had failed.
 */
#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "arkki/base/fs.h"
#include "tests/fault/scenario.h"

enum { HANGS_AFTER = 30, SHOWN_MAX = 40, JOBS_MAX = 16 };

static const char *const kinds[FAULT_KINDS] = {"heap", "heap-others", "write-short", "write-eio",
    "write-enospc", "disk-full", "sync", "open", "name", "read"};

struct cell { /* the points of one step and kind */
	unsigned long total, tried;
	unsigned char *done; /* total */
	bool ended;          /* a point beyond the last did not fail */
};

/* In memory that the jobs share. */
struct tally {
	atomic_ulong points[FAULT_KINDS], refused, borne, failures;
	atomic_bool bad[STEPS][FAULT_KINDS], tried[STEPS][FAULT_KINDS];
};

struct suite {
	char top[256], base[300], run[300];
	struct told *told;
	struct tally *tally;
	struct cell cells[STEPS][FAULT_KINDS];
	double until;
	int jobs, job; /* this process is one of them */
};

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void die(const char *what)
{
	fprintf(stderr, "fault: %s: %s\n", what, strerror(errno));
	exit(2);
}

/* ---- processes ---- */

enum part { PART_BASE, PART_RUN, PART_CHECK };

static void *shared(size_t size)
{
	void *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (at == MAP_FAILED)
		die("no memory");
	return at;
}

/* The status of wait(). */
static int wait_for(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			die("wait");
	return status;
}

static int in_child(
    struct suite *s, enum part part, enum step step, enum fault_kind kind, unsigned long at)
{
	pid_t pid = fork();

	if (pid < 0)
		die("fork");
	if (pid == 0) {
		alarm(HANGS_AFTER);
		if (part == PART_BASE)
			scenario_base(s->base, s->told);
		else if (part == PART_RUN)
			scenario_run(s->run, step, kind, at, s->told);
		else
			scenario_check(s->run, step, s->told);
		_exit(0);
	}
	return wait_for(pid);
}

static void expect_alive(struct suite *s, int status, const char *who)
{
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM)
		snprintf(s->told->wrong, sizeof(s->told->wrong), "%s hangs", who);
	else if (WIFSIGNALED(status))
		snprintf(s->told->wrong, sizeof(s->told->wrong), "%s died of signal %d", who,
		    WTERMSIG(status));
	else if (WEXITSTATUS(status))
		snprintf(s->told->wrong, sizeof(s->told->wrong), "%s exited with %d", who,
		    WEXITSTATUS(status));
}

/* ---- one point ---- */

static void copy_base(struct suite *s, enum step step)
{
	char command[800];

	if (fs_remove_tree(s->run, NULL) || fs_mkdir(s->run, 0700, NULL))
		die("cannot make a directory");
	if (step == STEP_INIT)
		return;
	snprintf(command, sizeof(command), "cp -a '%s'/. '%s'", s->base, s->run);
	if (system(command) != 0)
		die("cannot copy the archive");
}

/* A step that says that it is done has synced what it is made of, whatever the catalogue and the tiles, which come from
 * that, met with. */
static bool passed_over(const struct told *t, enum step step)
{
	static const char *const parts[] = {
	    "/archive.git/", "/keys/", "/ledger/history/segments/", "/ledger/access/segments/"};

	if (step == STEP_OPEN || step == STEP_CLOSE || t->status[step])
		return false;
	for (size_t i = step == STEP_READ ? 3 : 0; i < (step == STEP_READ ? 4U : 3U); i++)
		if (strstr(t->fault.what, parts[i]))
			return true;
	return false;
}

/* True: something failed, as asked for. */
static bool try_point(struct suite *s, enum step step, enum fault_kind kind, unsigned long at)
{
	struct told *t = s->told;
	int status;

	memset(t, 0, sizeof(*t));
	for (int i = 0; i < STEPS; i++)
		t->status[i] = 1;
	copy_base(s, step);
	status = in_child(s, PART_RUN, step, kind, at);
	expect_alive(s, status, "it");
	if (!t->wrong[0] && t->fault.synced[0])
		snprintf(
		    t->wrong, sizeof(t->wrong), "after a failed sync: %.300s", t->fault.synced);
	if (!t->wrong[0] && kind == FAULT_SYNC && t->fault.fired && passed_over(t, step))
		snprintf(t->wrong, sizeof(t->wrong), "done, and yet not synced");
	if (!t->wrong[0] && !t->fault.fired && t->status[step])
		snprintf(
		    t->wrong, sizeof(t->wrong), "nothing failed, and yet: %.300s", t->text[step]);
	if (!t->wrong[0])
		expect_alive(s, in_child(s, PART_CHECK, step, kind, at), "the next start");
	if (t->wrong[0]) {
		atomic_store(&s->tally->bad[step][kind], true);
		if (atomic_fetch_add(&s->tally->failures, 1) < SHOWN_MAX)
			printf("FAIL fault %s %s %lu (%s): %s [answered %d: %.200s]\n",
			    step_name(step), kinds[kind], at, t->fault.what, t->wrong,
			    t->status[step], t->text[step]);
	}
	if (t->fault.fired) {
		atomic_store(&s->tally->tried[step][kind], true);
		atomic_fetch_add(&s->tally->points[kind], 1);
		atomic_fetch_add(t->status[step] ? &s->tally->refused : &s->tally->borne, 1);
	}
	return t->fault.fired;
}

/* ---- all points ---- */

/* A run without failures tells how many there are. */
static void count_points(struct suite *s, enum step step)
{
	if (try_point(s, step, FAULT_HEAP, 0) || s->told->wrong[0]) {
		printf("fault: without a failure: %s\n", s->told->wrong);
		exit(1);
	}
	for (int k = 0; k < FAULT_KINDS; k++) {
		struct cell *c = &s->cells[step][k];

		c->total = s->told->fault.calls[k];
		c->done = calloc(c->total + 1, 1);
		if (!c->done)
			die("no memory");
	}
}

/* The next point of a cell, from 1; each comes once, early ones spread over the whole. 0: all done. */
static unsigned long next_point(struct cell *c)
{
	double part = (double)(c->tried + 1) * 0.6180339887;
	unsigned long at;

	if (c->tried >= c->total)
		return 0;
	at = (unsigned long)((part - (double)(unsigned long)part) * (double)c->total);
	while (at >= c->total || c->done[at])
		at = at + 1 >= c->total ? 0 : at + 1;
	c->done[at] = 1;
	c->tried++;
	return at + 1;
}

/* A cell's next point, in a process whose turn it is. False when there is none left. */
static bool try_next(struct suite *s, enum step step, enum fault_kind kind)
{
	struct cell *c = &s->cells[step][kind];
	unsigned long at, turn = c->tried;

	if (!c->done || c->ended || now() >= s->until)
		return false;
	at = next_point(c);
	/* threads of its own do a little more or less: on until nothing fails */
	if (!at && !try_point(s, step, kind, ++c->tried))
		c->ended = true;
	else if (at &&
		 (turn + (unsigned long)kind) % (unsigned long)s->jobs == (unsigned long)s->job)
		try_point(s, step, kind, at);
	return true;
}

static void try_all(struct suite *s, enum fault_kind only)
{
	bool more = true;

	while (more) {
		more = false;
		for (int step = 0; step < STEPS; step++)
			for (int k = 0; k < FAULT_KINDS; k++)
				if (only == FAULT_KINDS || k == (int)only)
					more |= try_next(s, (enum step)step, (enum fault_kind)k);
	}
}

static void run_jobs(struct suite *s, enum fault_kind only)
{
	pid_t jobs[JOBS_MAX];

	for (int i = 0; i < s->jobs; i++) {
		jobs[i] = fork();
		if (jobs[i] < 0)
			die("fork");
		if (jobs[i] > 0)
			continue;
		s->job = i;
		snprintf(s->run, sizeof(s->run), "%s/run-%d", s->top, i);
		s->told = shared(sizeof(*s->told));
		try_all(s, only);
		_exit(0);
	}
	for (int i = 0; i < s->jobs; i++)
		wait_for(jobs[i]);
}

static void summary(struct suite *s, double began)
{
	unsigned long all = 0, total = 0, passed = 0, failed = 0;

	printf("ok   fault:");
	for (int k = 0; k < FAULT_KINDS; k++) {
		unsigned long of = 0, n = atomic_load(&s->tally->points[k]);

		for (int step = 0; step < STEPS; step++) {
			bool bad = atomic_load(&s->tally->bad[step][k]);

			of += s->cells[step][k].total;
			failed += bad;
			passed += !bad && atomic_load(&s->tally->tried[step][k]);
		}
		printf("%s %s %lu of %lu", k ? "," : "", kinds[k], n, of);
		all += n, total += of;
	}
	printf("; %lu points of %lu in %.0f s, %lu refused, %lu borne\n", all, total, now() - began,
	    atomic_load(&s->tally->refused), atomic_load(&s->tally->borne));
	printf("fault: %lu passed, %lu failed, 0 skipped\n", passed, failed);
}

static int number_of(const char *name, const char *const *names, int n)
{
	for (int i = 0; i < n; i++)
		if (strcmp(name, names[i]) == 0)
			return i;
	fprintf(stderr, "fault: there is no %s\n", name);
	exit(2);
}

static enum step step_of(const char *name)
{
	const char *names[STEPS];

	for (int i = 0; i < STEPS; i++)
		names[i] = step_name((enum step)i);
	return (enum step)number_of(name, names, STEPS);
}

static void begin(struct suite *s)
{
	const char *tmp = getenv("TMPDIR");

	snprintf(s->top, sizeof(s->top), "%s/arkki-fault-XXXXXX",
	    tmp && *tmp                     ? tmp
	    : access("/dev/shm", W_OK) == 0 ? "/dev/shm"
					    : "/tmp");
	s->told = shared(sizeof(*s->told));
	s->tally = shared(sizeof(*s->tally));
	if (!mkdtemp(s->top))
		die("cannot begin");
	snprintf(s->base, sizeof(s->base), "%s/base", s->top);
	snprintf(s->run, sizeof(s->run), "%s/run", s->top);
	if (fs_mkdir(s->base, 0700, NULL))
		die("cannot begin");
	expect_alive(s, in_child(s, PART_BASE, STEPS, FAULT_HEAP, 0), "making the archive");
	if (s->told->wrong[0]) {
		printf("fault: %s\n", s->told->wrong);
		exit(1);
	}
}

static int one_point(struct suite *s, enum step step, enum fault_kind kind, const char *at)
{
	try_point(s, step, kind, strtoul(at, NULL, 10));
	printf("%s; answered %d: %s; kept in %s\n",
	    s->told->fault.fired ? s->told->fault.what : "nothing failed", s->told->status[step],
	    s->told->text[step], s->run);
	return atomic_load(&s->tally->failures) != 0;
}

int main(int argc, char **argv)
{
	const char *seconds = getenv("ARKKI_FAULT_SECONDS"), *full = getenv("ARKKI_FAULT");
	const char *jobs = getenv("ARKKI_FAULT_JOBS");
	enum step step = argc > 1 && strcmp(argv[1], "-") != 0 ? step_of(argv[1]) : STEPS;
	enum fault_kind kind =
	    argc > 2 ? (enum fault_kind)number_of(argv[2], kinds, FAULT_KINDS) : FAULT_KINDS;
	struct suite s = {.jobs = jobs ? atoi(jobs) : 2};
	double began = now();

	if (s.jobs < 1 || s.jobs > JOBS_MAX)
		s.jobs = 2;
	setvbuf(stdout, NULL, _IOLBF, 0);
	setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
	begin(&s);
	if (argc > 3)
		return one_point(&s, step, kind, argv[3]);
	s.until = full && strcmp(full, "full") == 0
		      ? 1e18
		      : began + (seconds ? strtod(seconds, NULL) : 25);
	for (int i = 0; i < STEPS; i++)
		if (step == STEPS || i == (int)step)
			count_points(&s, (enum step)i);
	run_jobs(&s, kind);
	summary(&s, began);
	for (int i = 0; i < STEPS; i++)
		for (int k = 0; k < FAULT_KINDS; k++)
			free(s.cells[i][k].done);
	if (fs_remove_tree(s.top, NULL))
		die("cannot remove what was made");
	return atomic_load(&s.tally->failures) != 0;
}
