/* What a durable access entry costs a reader: `build/bench/bench_access DIR SECONDS`.
 *
 * Makes an archive in the new directory DIR, files one document of 1 KiB, and reads it whole (card and content) in three
 * ways: each read under an entry of its own, as every read of arkki is; all under one entry that was written
 * before, which no door of arkki gives; and not at all, entries alone. With 64 threads and with one. Prints a JSON
 * object; times in ms. `sync` is a pwrite of 600 bytes to a preallocated file and its fdatasync, in turns with the lone reads.
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "arkki/archive/filing.h"
#include "arkki/archive/reading.h"
#include "arkki/base/clock.h"
#include "arkki/base/fs.h"

#define DOCUMENT "00112233445566778899aabbccddeeff"

enum { THREADS = 64, TIMES_MAX = 4000000, LONE = 400, SYNC_BYTES = 600 };

enum way { AUDITED, UNAUDITED, ENTRY_ALONE };

struct bench {
	struct archive *a;
	struct catalogue_row row;
	struct receipt *one; /* for reads without an entry of their own */
	enum way way;
	atomic_bool stop;
	atomic_size_t done;
	float *ms; /* TIMES_MAX */
};

static void must(int rc, const struct ark_error *err)
{
	if (rc) {
		fprintf(stderr, "bench: %s\n", err->text);
		exit(1);
	}
}

static void make(struct bench *b, const char *dir)
{
	const struct filing_actor actor = {.user = "maija", .org = "lvv", .roles = "registrar"};
	struct filing *f = filing_new(FILING_DOCUMENT);
	char path[4096], key[4096], text[1024];
	struct ark_error err = {0};
	struct desk *desk;

	memset(text, 'x', sizeof(text));
	must(fs_mkdirs(dir, 0700, &err), &err);
	must(fs_path(path, &err, "%s/a", dir), &err);
	must(fs_path(key, &err, "%s/root.key", dir), &err);
	must(archive_init(path, key, "bench.invalid", &err), &err);
	must(archive_open(path, key, ARCHIVE_WRITE, NULL, NULL, &b->a, &err), &err);
	must(f ? filing_set_actor(f, &actor, &err) : ARK_ENOMEM, &err);
	snprintf(f->document, sizeof(f->document), DOCUMENT);
	f->fields = json_pack("{s:[s],s:s,s:s,s:s,s:s,s:{s:s},s:s,s:s}", "units", "koivula", "type",
	    "decision", "title", "T", "language", "fi", "date", "2026-03-12", "publicity", "class",
	    "public", "author", "lvv", "state", "final");
	must(upload_new(b->a, DOCUMENT, 1, &f->upload, &err), &err);
	must(upload_write(f->upload, text, sizeof(text), &err), &err);
	must(upload_finish(f->upload, "text/plain", &err), &err);
	must(filing_submit_wait(b->a, f, &err), &err);
	filing_free(f);
	must(archive_desk(b->a, &desk, &err), &err);
	must(catalogue_get(desk->catalogue, DOCUMENT, 1, NULL, &b->row, &err), &err);
	archive_desk_return(b->a, desk);
	must(archive_maintenance(b->a, "bench", "all", &b->one, &err), &err);
}

static void read_once(struct bench *b, enum way way)
{
	const struct ledger_record r = {.kind = "content",
	    .document = DOCUMENT,
	    .version = 1,
	    .purpose = "measuring",
	    .principal = "maija",
	    .org = "lvv",
	    .roles = "inspector",
	    .authentication = "token",
	    .address = "127.0.0.1"};
	struct receipt *own = NULL;
	struct ark_error err = {0};
	struct content *c = NULL;
	struct card card = {0};
	char bytes[2048];

	if (way != UNAUDITED)
		must(ledger_append_wait(archive_ledger(b->a, LEDGER_ACCESS), &r, 1, &own, &err),
		    &err);
	if (way != ENTRY_ALONE) {
		const struct receipt *under = own ? own : b->one;

		must(reading_card(b->a, under, &b->row, &card, &err), &err);
		must(reading_content(b->a, under, &b->row, FORM_WHOLE, &c, &err), &err);
		if (content_read(c, 0, bytes, sizeof(bytes), &err) != 1024)
			must(ARK_EIO, &err);
	}
	content_close(c);
	card_free(&card);
	receipt_free(own);
}

static void *reader(void *arg)
{
	struct bench *b = arg;

	while (!atomic_load(&b->stop)) {
		int64_t began = clock_monotonic_us();
		size_t at;

		read_once(b, b->way);
		at = atomic_fetch_add(&b->done, 1);
		if (at < TIMES_MAX)
			b->ms[at] = (float)(clock_monotonic_us() - began) / 1000;
	}
	return NULL;
}

static int by_size(const void *a, const void *b)
{
	float x = *(const float *)a, y = *(const float *)b;

	return (x > y) - (x < y);
}

static double quantile(float *ms, size_t n, double q)
{
	qsort(ms, n, sizeof(*ms), by_size);
	return n ? (double)ms[(size_t)((double)(n - 1) * q)] : 0;
}

static void many(struct bench *b, enum way way, double seconds, const char *name)
{
	pthread_t threads[THREADS];
	int64_t began = clock_monotonic_us();
	size_t n;
	double took;

	b->way = way;
	atomic_store(&b->stop, false);
	atomic_store(&b->done, 0);
	for (int i = 0; i < THREADS; i++)
		if (pthread_create(&threads[i], NULL, reader, b) != 0)
			exit(1);
	usleep((useconds_t)(seconds * 1e6));
	atomic_store(&b->stop, true);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	took = (double)(clock_monotonic_us() - began) / 1e6;
	n = atomic_load(&b->done);
	printf("\"%s\":{\"perSecond\":%.0f,", name, (double)n / took);
	n = n < TIMES_MAX ? n : TIMES_MAX;
	printf("\"p50\":%.3f,", quantile(b->ms, n, 0.5));
	printf("\"p99\":%.3f},", quantile(b->ms, n, 0.99));
}

static float timed_sync(int fd, int i)
{
	char bytes[SYNC_BYTES] = {(char)i};
	struct ark_error err = {0};
	int64_t began = clock_monotonic_us();

	must(fs_pwrite_all(fd, bytes, sizeof(bytes), (uint64_t)i * SYNC_BYTES, &err), &err);
	must(fs_sync_file(fd, "the baseline", &err), &err);
	return (float)(clock_monotonic_us() - began) / 1000;
}

static float timed_read(struct bench *b, enum way way)
{
	int64_t began = clock_monotonic_us();

	read_once(b, way);
	return (float)(clock_monotonic_us() - began) / 1000;
}

/* In turns, so that what else the machine does hits all three. */
static void lone(struct bench *b, const char *dir)
{
	float sync[LONE], audited[LONE], unaudited[LONE];
	char path[4096];
	struct ark_error err = {0};
	int fd;

	must(fs_path(path, &err, "%s/sync", dir), &err);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0 || posix_fallocate(fd, 0, LONE * SYNC_BYTES) != 0 || fsync(fd) < 0)
		must(ark_fail_errno(&err, ARK_EIO, "cannot make %s", path), &err);
	for (int i = 0; i < LONE; i++) {
		sync[i] = timed_sync(fd, i);
		audited[i] = timed_read(b, AUDITED);
		unaudited[i] = timed_read(b, UNAUDITED);
	}
	close(fd);
	printf("\"lone\":{\"sync\":%.4f,\"audited\":%.4f,\"unaudited\":%.4f}}\n",
	    quantile(sync, LONE, 0.5), quantile(audited, LONE, 0.5),
	    quantile(unaudited, LONE, 0.5));
}

int main(int argc, char **argv)
{
	struct bench b = {.ms = calloc(TIMES_MAX, sizeof(float))};
	double seconds = argc == 3 ? strtod(argv[2], NULL) : 0;

	if (seconds <= 0 || seconds > 600 || !b.ms) {
		fprintf(stderr, "usage: bench_access DIR SECONDS\n");
		return 2;
	}
	make(&b, argv[1]);
	printf("{");
	many(&b, ENTRY_ALONE, seconds, "entries");
	many(&b, AUDITED, seconds, "audited");
	many(&b, UNAUDITED, seconds, "unaudited");
	lone(&b, argv[1]);
	receipt_free(b.one);
	catalogue_row_free(&b.row);
	archive_close(b.a);
	free(b.ms);
	return 0;
}
