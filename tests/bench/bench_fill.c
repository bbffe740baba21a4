/* Fills an archive through its own writer, in groups as large as they come: `build/bench/bench_fill DIR ROOT-KEY COUNT`.
 *
 * Files COUNT documents of 256 bytes into the existing archive DIR, each with its key, its pack object, its history
 * entry and its row, as a filing over HTTP leaves them; what is left out is HTTP, decisions and the index. Then it
 * says `{"documents":N,"perSecond":R}` and goes on filing until it is killed: for measures of what comes after a
 * kill. The documents are made up.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arkki/archive/filing.h"
#include "arkki/base/clock.h"
#include "arkki/base/text.h"

enum { SIZE = 256, WAITING_MAX = 192 }; /* three groups */

struct filler {
	struct archive *a;
	json_t *fields;
	pthread_mutex_t lock;
	pthread_cond_t less;
	unsigned long waiting, done;
};

static void must(int rc, const struct ark_error *err)
{
	if (rc) {
		fprintf(stderr, "bench: %s\n", err->text);
		exit(1);
	}
}

static void filed(void *arg, struct filing *f)
{
	struct filler *b = arg;

	must(f->status, &f->error);
	filing_free(f);
	pthread_mutex_lock(&b->lock);
	b->waiting--;
	b->done++;
	pthread_cond_signal(&b->less);
	pthread_mutex_unlock(&b->lock);
}

static void submit(struct filler *b, unsigned long number)
{
	const struct filing_actor actor = {.user = "maija", .org = "lvv", .roles = "registrar"};
	struct filing *f = filing_new(FILING_DOCUMENT);
	unsigned char id[16];
	char text[SIZE];
	struct ark_error err = {0};

	/* spread over the tree as ids are, and different in each run */
	be64_put(id, (uint64_t)(number + 1) * UINT64_C(0x9e3779b97f4a7c15));
	be64_put(id + 8, (uint64_t)clock_monotonic_us() ^ number);
	memset(text, 'x', SIZE);
	text[snprintf(text, SIZE, "Mittausasiakirja %lu", number)] = '\n';
	must(f ? filing_set_actor(f, &actor, &err) : ARK_ENOMEM, &err);
	hex_encode(f->document, id, sizeof(id));
	f->fields = json_deep_copy(b->fields);
	f->done = filed;
	f->arg = b;
	must(upload_new(b->a, f->document, 1, &f->upload, &err), &err);
	must(upload_write(f->upload, text, SIZE, &err), &err);
	must(upload_finish(f->upload, "text/plain", &err), &err);
	pthread_mutex_lock(&b->lock);
	while (b->waiting >= WAITING_MAX)
		pthread_cond_wait(&b->less, &b->lock);
	b->waiting++;
	pthread_mutex_unlock(&b->lock);
	must(filing_submit(b->a, f, &err), &err);
}

static void until_done(struct filler *b, unsigned long count)
{
	pthread_mutex_lock(&b->lock);
	while (b->done < count)
		pthread_cond_wait(&b->less, &b->lock);
	pthread_mutex_unlock(&b->lock);
}

int main(int argc, char **argv)
{
	struct filler b = {.lock = PTHREAD_MUTEX_INITIALIZER, .less = PTHREAD_COND_INITIALIZER};
	unsigned long count = argc == 4 ? strtoul(argv[3], NULL, 10) : 0, n = 0;
	struct ark_error err = {0};
	int64_t began;

	if (!count) {
		fprintf(stderr, "usage: bench_fill DIR ROOT-KEY COUNT\n");
		return 2;
	}
	b.fields = json_pack("{s:[s],s:s,s:s,s:s,s:s,s:{s:s},s:s,s:s}", "units", "koivula", "type",
	    "decision", "title", "Mittausasiakirja", "language", "fi", "date", "2026-03-12",
	    "publicity", "class", "public", "author", "lvv", "state", "final");
	must(archive_open(argv[1], argv[2], ARCHIVE_WRITE, NULL, NULL, &b.a, &err), &err);
	began = clock_monotonic_us();
	while (n < count)
		submit(&b, n++);
	until_done(&b, count);
	printf("{\"documents\":%lu,\"perSecond\":%.0f}\n", count,
	    (double)count * 1e6 / (double)(clock_monotonic_us() - began));
	fflush(stdout);
	for (;;)
		submit(&b, n++);
}
