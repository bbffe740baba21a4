/* arkki-load: see tools/load.h and `arkki-load --help`. */
#include "tools/load.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <unistd.h>

enum { GRACE_US = 10 * 1000000, FAILURES_MAX = 100 };

struct load {
	const struct load_options *o;
	struct load_client *client;
	int epoll;
	FILE *locations;
	uint32_t *latency_us; /* of requests after the warm-up, o->requests of them */
	unsigned long started, done, counted, errors, broken;
	char first_error[LOAD_EXCERPT + 40];
	int64_t begin_us, end_us, stop_us;
	uint64_t begin_bytes;
	double cpu_begin_s;
};

/* utime + stime of the whole process, threads that ended included (proc(5), fields 14 and 15). */
static double cpu_of(long pid)
{
	unsigned long user = 0, kernel = 0;
	char path[64], text[1024];
	const char *after;
	size_t n;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%ld/stat", pid);
	f = fopen(path, "re");
	if (!f)
		return 0;
	n = fread(text, 1, sizeof(text) - 1, f);
	fclose(f);
	text[n] = '\0';
	after = strrchr(text, ')'); /* the name may hold anything, also brackets */
	/* the kernel writes these numbers: NOLINTNEXTLINE(cert-err34-c) */
	if (!after || sscanf(after + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu",
			  &user, &kernel) != 2)
		return 0;
	return (double)(user + kernel) / (double)sysconf(_SC_CLK_TCK);
}

static double cpu_of_all(const struct load_options *o)
{
	double sum = 0;

	for (size_t i = 0; i < o->pids; i++)
		sum += cpu_of(o->pid[i]);
	return sum;
}

static uint64_t received(const struct load *l)
{
	uint64_t sum = 0;

	for (unsigned long i = 0; i < l->o->clients; i++)
		sum += l->client[i].received;
	return sum;
}

static void begin_counting(struct load *l)
{
	l->cpu_begin_s = cpu_of_all(l->o);
	l->begin_bytes = received(l);
	l->begin_us = load_now_us();
}

static void note_error(struct load *l, const struct load_client *c, const char *what)
{
	l->errors++;
	if (l->first_error[0])
		return;
	if (what)
		snprintf(l->first_error, sizeof(l->first_error), "%s", what);
	else
		snprintf(l->first_error, sizeof(l->first_error), "HTTP %d %.*s", c->status,
		    (int)c->excerpt_len, c->excerpt);
	for (char *p = l->first_error; *p; p++)
		if (*p == '"' || *p == '\\' || *p < ' ')
			*p = '\'';
}

static bool may_start(const struct load *l)
{
	return l->started < l->o->warmup + l->o->requests && load_now_us() < l->stop_us &&
	       l->broken < FAILURES_MAX;
}

/* Watched edge-triggered: a step always goes on until the socket would wait. */
static bool watch(struct load *l, struct load_client *c)
{
	struct epoll_event e = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, .data.ptr = c};

	return epoll_ctl(l->epoll, EPOLL_CTL_ADD, c->fd, &e) == 0;
}

/* True when a request is on its way. */
static bool start(struct load *l, struct load_client *c)
{
	while (may_start(l)) {
		bool fresh = c->fd < 0;

		if (load_client_start(c, l->o, l->started) && (!fresh || watch(l, c))) {
			l->started++;
			return true;
		}
		load_client_drop(c);
		l->broken++;
		note_error(l, c, "no connection, or a request that is too long");
	}
	return false;
}

static void finish(struct load *l, struct load_client *c)
{
	int64_t took = load_now_us() - c->started_us;

	l->done++;
	if (c->status < 200 || c->status > 299)
		note_error(l, c, NULL);
	else if (l->locations && c->location[0])
		fprintf(l->locations, "%s\n", c->location);
	if (l->begin_us && l->counted < l->o->requests)
		l->latency_us[l->counted++] = took > UINT32_MAX ? UINT32_MAX : (uint32_t)took;
	else if (l->done == l->o->warmup)
		begin_counting(l);
	l->end_us = load_now_us();
}

/* Serves a client until its socket would wait; the next request follows an answer at once. */
static void serve(struct load *l, struct load_client *c)
{
	while (c->busy) {
		switch (load_client_step(c)) {
		case LOAD_WAIT:
			return;
		case LOAD_ANSWER:
			finish(l, c);
			c->busy = false;
			if (c->close)
				load_client_drop(c);
			break;
		case LOAD_BROKEN:
			l->broken++;
			note_error(l, c, "the connection broke");
			load_client_drop(c);
			break;
		}
		start(l, c);
	}
}

static bool any_busy(const struct load *l)
{
	for (unsigned long i = 0; i < l->o->clients; i++)
		if (l->client[i].busy)
			return true;
	return false;
}

static void run(struct load *l)
{
	struct epoll_event events[64];

	l->stop_us = load_now_us() + (int64_t)l->o->seconds * 1000000;
	if (!l->o->warmup)
		begin_counting(l);
	for (unsigned long i = 0; i < l->o->clients; i++)
		if (start(l, &l->client[i]))
			serve(l, &l->client[i]);
	while (any_busy(l) && load_now_us() < l->stop_us + GRACE_US) {
		int n = epoll_wait(l->epoll, events, 64, 200);

		for (int i = 0; i < n; i++)
			serve(l, events[i].data.ptr);
	}
	for (unsigned long i = 0; i < l->o->clients; i++)
		if (l->client[i].busy)
			note_error(l, &l->client[i], "no answer in time");
}

static int by_size(const void *a, const void *b)
{
	const uint32_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static double percentile_ms(const struct load *l, double part)
{
	return l->counted ? l->latency_us[(size_t)(part * (double)(l->counted - 1))] / 1000.0 : 0;
}

static void report(struct load *l)
{
	double seconds = l->counted ? (double)(l->end_us - l->begin_us) / 1e6 : 0;
	double cpu_s = l->begin_us ? cpu_of_all(l->o) - l->cpu_begin_s : 0;
	double n = l->counted ? (double)l->counted : 1;
	uint64_t bytes = received(l) - l->begin_bytes;

	qsort(l->latency_us, l->counted, sizeof(*l->latency_us), by_size);
	printf("{\"mode\":\"%s\",\"clients\":%lu,\"requests\":%lu,\"errors\":%lu,",
	    l->o->mode == LOAD_FILE ? "file" : "get", l->o->clients, l->counted, l->errors);
	printf("\"seconds\":%.4f,\"perSecond\":%.1f,", seconds,
	    seconds > 0 ? (double)l->counted / seconds : 0);
	printf("\"p50Ms\":%.3f,\"p99Ms\":%.3f,\"maxMs\":%.3f,", percentile_ms(l, 0.5),
	    percentile_ms(l, 0.99), percentile_ms(l, 1));
	printf("\"sentContentBytes\":%llu,\"receivedBytes\":%llu",
	    l->o->mode == LOAD_FILE ? (unsigned long long)l->counted * l->o->size : 0ULL,
	    (unsigned long long)bytes);
	if (l->o->pids)
		printf(",\"cpuSeconds\":%.2f,\"cpuUsPerRequest\":%.2f", cpu_s, cpu_s * 1e6 / n);
	if (l->first_error[0])
		printf(",\"firstError\":\"%s\"", l->first_error);
	puts("}");
}

/* The documents of a `file` run with the same seed, as files for a baseline. */
static int write_bytes(const struct load_options *o)
{
	char *text = malloc(o->size + 1), path[PATH_MAX];
	int rc = 1;

	if (!text || (mkdir(o->out, 0755) < 0 && errno != EEXIST))
		goto out;
	for (unsigned long n = 0; n < o->requests; n++) {
		FILE *f;

		load_content(text, o->size, o->seed, n);
		snprintf(path, sizeof(path), "%s/%06lu.txt", o->out, n);
		f = fopen(path, "we");
		if (!f)
			goto out;
		if (fwrite(text, 1, o->size, f) != o->size) {
			fclose(f);
			goto out;
		}
		if (fclose(f) != 0)
			goto out;
	}
	rc = 0;
out:
	if (rc)
		fprintf(stderr, "arkki-load: cannot write to %s: %s\n", o->out, strerror(errno));
	free(text);
	return rc;
}

static int run_load(const struct load_options *o)
{
	struct load l = {.o = o, .epoll = -1};
	bool ready;
	int rc = 1;

	l.client = calloc(o->clients, sizeof(*l.client));
	l.latency_us = calloc(o->requests, sizeof(*l.latency_us));
	l.epoll = epoll_create1(EPOLL_CLOEXEC);
	l.locations = o->locations ? fopen(o->locations, "we") : NULL;
	ready = l.client && l.latency_us && l.epoll >= 0 && (!o->locations || l.locations);
	for (unsigned long i = 0; l.client && i < o->clients; i++)
		ready = load_client_init(&l.client[i], o) && ready;
	if (!ready) {
		fprintf(stderr, "arkki-load: cannot begin: %s\n", strerror(errno));
		goto out;
	}
	run(&l);
	report(&l);
	rc = l.errors || !l.counted;
out:
	for (unsigned long i = 0; l.client && i < o->clients; i++)
		load_client_free(&l.client[i]);
	if (l.locations && fclose(l.locations) != 0)
		rc = 1;
	if (l.epoll >= 0)
		close(l.epoll);
	free(l.latency_us);
	free(l.client);
	return rc;
}

int main(int argc, char **argv)
{
	struct load_options o;
	int rc;

	if (!load_options_read(argc, argv, &o)) {
		load_usage(stderr);
		load_options_free(&o);
		return 2;
	}
	rc = o.mode == LOAD_BYTES ? write_bytes(&o) : run_load(&o);
	load_options_free(&o);
	return rc;
}
