/* Speed of the search index on the corpus, by hand (what it finds: bench_quality.c):
 *
 *   make build/bench/bench_search
 *   build/bench/bench_search speed ../shared/corpus/finlex-domain        documents, tokens and queries a second
 *   build/bench/bench_search filter ../shared/corpus/finlex-domain 100000 [DIR]
 *       what the filters of real searchers cost, against the filter that admits everything: a made
 *       archive with passages of the corpus as texts; DIR keeps the index for the next time
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "arkki/base/buf.h"
#include "arkki/base/clock.h"
#include "arkki/base/fs.h"
#include "arkki/index/snippet.h"
#include "tests/bench/bench_put.h"

struct bench {
	char dir[64];
	struct analyse_cache *cache;
	struct analyser *analyser;
	struct search_index *writer;
	struct search_reader *reader;
	struct bench_names names;
	uint64_t bytes, tokens;
	int64_t started_us;
};

static int count_token(void *arg, const struct analyse_token *t)
{
	(void)t;
	++*(uint64_t *)arg;
	return 0;
}

/* dir NULL: one for the time being */
static void bench_open(struct bench *b, const char *dir)
{
	struct ark_error err = {0};

	snprintf(b->dir, sizeof(b->dir), "%s", dir ? dir : "/tmp/arkki-bench-XXXXXX");
	if (!dir && !mkdtemp(b->dir))
		exit(1);
	must(analyse_cache_new(&b->cache, &err), &err);
	must(analyser_new(b->cache, &b->analyser, &err), &err);
	must(search_open_writer(b->dir, b->analyser, NULL, &b->writer, &err), &err);
	b->started_us = clock_monotonic_us();
}

static void bench_put(struct bench *b, const char *name, const char *language, const char *title,
    const char *text, size_t len)
{
	b->bytes += len;
	bench_put_named(b->writer, &b->names, name, language, title, text, len);
}

static void bench_commit(struct bench *b)
{
	struct ark_error err = {0};
	double s;

	must(search_commit(b->writer, b->names.n, &err), &err);
	s = (double)(clock_monotonic_us() - b->started_us) / 1e6;
	printf("indexed %zu documents, %.1f MB in %.2f s: %.0f documents/s, %.2f MB/s\n",
	    b->names.n, (double)b->bytes / 1e6, s, (double)b->names.n / s,
	    (double)b->bytes / 1e6 / s);
	must(search_open_reader(b->dir, b->analyser, NULL, &b->reader, &err), &err);
}

static void bench_close(struct bench *b)
{
	char cmd[200];

	search_reader_free(b->reader);
	search_close(b->writer);
	analyser_free(b->analyser);
	analyse_cache_free(b->cache);
	bench_names_free(&b->names);
	snprintf(cmd, sizeof(cmd), "du -sh %s; rm -rf %s", b->dir, b->dir);
	fflush(stdout);
	if (system(cmd))
		exit(1);
}

static void add_folder(struct bench *b, const char *root, const char *folder)
{
	struct ark_error err = {0};
	char path[4096];
	struct dirent *e;
	DIR *dir;

	snprintf(path, sizeof(path), "%s/%s", root, folder);
	dir = opendir(path);
	while (dir && (e = readdir(dir))) {
		struct buf text = BUF_INIT;

		if (!strstr(e->d_name, ".txt"))
			continue;
		snprintf(path, sizeof(path), "%s/%s/%s", root, folder, e->d_name);
		must(fs_read_file(path, 64 << 20, &text, &err), &err);
		snprintf(path, sizeof(path), "shared/%s/%s", folder, e->d_name);
		bench_put(b, path, strstr(folder, "-sv") ? "sv" : "fi", "", text.data, text.len);
		if (analyse_text(text.data, text.len, ANALYSE_FI, count_token, &b->tokens))
			exit(1);
		buf_free(&text);
	}
	if (dir)
		closedir(dir);
}

static void add_domain(struct bench *b, const char *root)
{
	static const char *const folders[] = {"court-fi", "court-sv", "statute-fi", "statute-sv"};
	int i;

	for (i = 0; i < 4; i++)
		add_folder(b, root, folders[i]);
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

/* ---- modes ---- */

static void speed_queries(struct bench *b, const char *q, const char *text)
{
	struct ark_error err = {0};
	struct search_request request = {
	    .sight = &sees_everything, .q = q, .limit = 64, .facets = true};
	double took[200], snippets = 0;
	struct search_result result = {0};
	int i;

	for (i = 0; i < 200; i++) {
		int64_t t = clock_monotonic_us();

		search_result_clear(&result);
		must(search_query(b->reader, &request, &result, &err), &err);
		took[i] = (double)(clock_monotonic_us() - t) / 1e3;
	}
	qsort(took, 200, sizeof(double), by_value);
	for (i = 0; i < 20; i++) {
		struct buf out = BUF_INIT;
		struct snippet *s;
		int64_t t = clock_monotonic_us();

		must(snippet_new(b->analyser, q, NULL, NULL, NULL, &s, &err), &err);
		must(snippet_make(s, text, strlen(text), "fi", 200, &out, NULL, &err), &err);
		snippets += (double)(clock_monotonic_us() - t) / 1e3;
		snippet_free(s);
		buf_free(&out);
	}
	printf("%-40s total %5llu  p50 %.2f ms  p99 %.2f ms  snippet of %zu kB %.2f ms\n", q,
	    (unsigned long long)result.total, took[100], took[197], strlen(text) / 1024,
	    snippets / 20);
	search_result_clear(&result);
}

static void speed(const char *root)
{
	struct bench b = {0};
	struct ark_error err = {0};
	struct buf text = BUF_INIT;
	char path[4096];

	bench_open(&b, NULL);
	add_domain(&b, root);
	bench_commit(&b);
	printf("%llu tokens, %.0f tokens/s\n", (unsigned long long)b.tokens,
	    (double)b.tokens / ((double)(clock_monotonic_us() - b.started_us) / 1e6));
	snprintf(path, sizeof(path), "%s/%s", root, b.names.of[0] + strlen("shared/"));
	must(fs_read_file(path, 64 << 20, &text, &err), &err);
	speed_queries(&b, "sijaishuoltopaikka", text.data);
	speed_queries(&b, "lapsen huostaanotto päätös", text.data);
	speed_queries(&b, "hallinto-oikeus ja korkein hallinto-oikeus", text.data);
	speed_queries(&b, "\"korkein hallinto-oikeus\"", text.data);
	speed_queries(&b, "", text.data);
	buf_free(&text);
	bench_close(&b);
}

/* ---- what a filter costs ---- */

enum { UNITS = 3000, PLACED = 300, COUNTIES = 21, PASSAGE = 900, TRIES = 31, PARTS = 400 };

/* An archive made up in the proportions of a real one. */
struct maker {
	uint32_t state;
	struct buf text; /* passages are taken from it */
};

static uint32_t dice(struct maker *m, uint32_t sides)
{
	m->state = m->state * 1664525 + 1013904223;
	return (m->state >> 8) % sides;
}

struct made {
	struct search_attributes a;
	char unit[3][16], county[3][16], author[16], date[16], visit[16], addressee[16];
	const char *units[3], *counties[3], *addressees[1];
};

static void make_attributes(struct maker *m, struct made *d, bool draft)
{
	size_t n = dice(m, 50) == 0 ? 0 : dice(m, 10) == 0 ? 2 + dice(m, 2) : 1;

	for (size_t i = 0; i < n; i++) {
		unsigned int unit = dice(m, UNITS);

		snprintf(d->unit[i], sizeof(d->unit[i]), "unit-%u", unit);
		snprintf(d->county[i], sizeof(d->county[i]), "%02u", unit % COUNTIES);
		d->units[i] = d->unit[i];
		d->counties[i] = d->county[i];
	}
	if (dice(m, 5) < 2)
		snprintf(d->author, sizeof(d->author), "lvv");
	else
		snprintf(d->author, sizeof(d->author), "county-%u", dice(m, COUNTIES));
	snprintf(d->addressee, sizeof(d->addressee), "provider-%u", dice(m, 400));
	snprintf(d->date, sizeof(d->date), "20%02u-%02u-%02u", 16 + dice(m, 11), 1 + dice(m, 12),
	    1 + dice(m, 28));
	snprintf(d->visit, sizeof(d->visit), "%s-%02u-%02u", dice(m, 10) ? "2025" : "2027",
	    1 + dice(m, 12), 1 + dice(m, 28));
	d->addressees[0] = d->addressee;
	d->a = (struct search_attributes){
	    .publicity = dice(m, 2)       ? "public"
			 : dice(m, 5) < 3 ? "partly-secret"
					  : "secret",
	    .author = d->author,
	    .state = draft ? "draft" : "final",
	    .type = dice(m, 3) ? "inspection-report" : "memo",
	    .units = d->units,
	    .units_len = n,
	    .counties = d->counties,
	    .counties_len = n,
	    .addressees = d->addressees,
	    .addressees_len = dice(m, 10) == 0,
	    .date = d->date,
	    .visit_date = dice(m, 10) == 0 ? d->visit : NULL,
	};
	d->a.rendition = strcmp(d->a.publicity, "public") != 0 && dice(m, 10) == 0;
}

static void put_made(struct bench *b, struct maker *m, const char *id, uint32_t version, bool only,
    const struct search_attributes *a)
{
	struct ark_error err = {0};
	size_t at = dice(m, (uint32_t)(m->text.len - PASSAGE));
	struct search_document d = {
	    .document = id,
	    .version = version,
	    .only = only,
	    .attributes = *a,
	    .language = "fi",
	    .date = a->date,
	    .title = "Tarkastuskertomus",
	    .text = m->text.data + at,
	    .text_len = PASSAGE,
	};

	must(search_put(b->writer, &d, &err), &err);
	if (!a->rendition)
		return;
	d.public_form = true;
	d.text_len /= 2;
	must(search_put(b->writer, &d, &err), &err);
}

/* Every sixth has an older version, which was a draft of it. */
static void make_document(struct bench *b, struct maker *m, size_t i)
{
	struct ark_error err = {0};
	struct made newest, older;
	bool several = dice(m, 6) == 0;
	char id[33];

	snprintf(id, sizeof(id), "%032zx", i);
	make_attributes(m, &newest, dice(m, 20) == 0);
	if (several) {
		older = newest;
		older.a.state = "draft";
		older.a.rendition = false;
		put_made(b, m, id, 1, false, &older.a);
	}
	put_made(b, m, id, several ? 2 : 1, !several, &newest.a);
	if (several)
		must(search_set_versions(b->writer, id,
			 (struct search_version[]){{2, newest.a}, {1, older.a}}, 2, &err),
		    &err);
}

static void make_archive(struct bench *b, const char *root, size_t n)
{
	static const char *const folders[] = {"court-fi", "statute-fi"};
	struct maker m = {.state = 42, .text = BUF_INIT};
	struct ark_error err = {0};
	char path[4096];

	for (int i = 0; i < 2; i++) {
		struct dirent *e;
		DIR *dir;

		snprintf(path, sizeof(path), "%s/%s", root, folders[i]);
		dir = opendir(path);
		while (dir && (e = readdir(dir))) {
			snprintf(path, sizeof(path), "%s/%s/%s", root, folders[i], e->d_name);
			if (strstr(e->d_name, ".txt"))
				must(fs_read_file(path, 64 << 20, &m.text, &err), &err);
		}
		if (dir)
			closedir(dir);
	}
	for (size_t i = 0; i < n; i++) {
		make_document(b, &m, i);
		if (i % 10000 == 9999)
			must(search_commit(b->writer, i + 1, &err), &err);
	}
	must(search_commit(b->writer, n, &err), &err);
	buf_free(&m.text);
}

/* Filters out of one array: never freed, as the program ends with them. */
struct parts {
	struct access_filter part[PARTS * 4];
	struct access_filter *child[PARTS * 4];
	char value[PARTS][16];
	size_t parts, children, values;
};

static struct access_filter *leaf(struct parts *p, enum access_op op,
    enum access_attribute attribute, const char *format, unsigned int number)
{
	struct access_filter *f = &p->part[p->parts++];
	char *value = p->value[p->values++];
	size_t len = strcspn(format, "#");

	snprintf(value, sizeof(p->value[0]), "%.*s", (int)len, format);
	if (format[len])
		snprintf(value + len, sizeof(p->value[0]) - len, "%u", number);
	*f = (struct access_filter){.op = op, .attribute = attribute, .value = value};
	return f;
}

static struct access_filter *node(
    struct parts *p, enum access_op op, struct access_filter *const *child, size_t n)
{
	struct access_filter *f = &p->part[p->parts++];

	*f = (struct access_filter){.op = op, .child = &p->child[p->children], .children = n};
	for (size_t i = 0; i < n; i++)
		p->child[p->children++] = child[i];
	return f;
}

#define NODE(p, op, ...)                                                                           \
	node(p, op, (struct access_filter *const[]){__VA_ARGS__},                                  \
	    sizeof((struct access_filter *const[]){__VA_ARGS__}) / sizeof(struct access_filter *))

/* Not a draft of another, and no visit that is still to come. */
static struct access_filter *permitted(struct parts *p, struct access_filter *f, const char *author)
{
	struct access_filter *others =
	    NODE(p, ACCESS_OP_NOT, leaf(p, ACCESS_OP_HAS, ACCESS_ATTR_AUTHOR, author, 0));
	struct access_filter *draft =
	    NODE(p, ACCESS_OP_AND, leaf(p, ACCESS_OP_HAS, ACCESS_ATTR_STATE, "draft", 0), others);
	struct access_filter *later = NODE(
	    p, ACCESS_OP_NOT, leaf(p, ACCESS_OP_UPTO, ACCESS_ATTR_VISIT_DATE, "2026-11-22", 0));
	struct access_filter *plan = NODE(
	    p, ACCESS_OP_AND, leaf(p, ACCESS_OP_PRESENT, ACCESS_ATTR_VISIT_DATE, "", 0), later);

	return NODE(
	    p, ACCESS_OP_AND, f, NODE(p, ACCESS_OP_NOT, draft), NODE(p, ACCESS_OP_NOT, plan));
}

static struct access_filter *public_to_all(struct parts *p)
{
	return leaf(p, ACCESS_OP_HAS, ACCESS_ATTR_PUBLICITY, "public", 0);
}

static struct access_sight state_agency(struct parts *p)
{
	struct access_filter *f = permitted(p, NODE(p, ACCESS_OP_ALL), "lvv");

	return (struct access_sight){f, f};
}

static struct access_sight county(struct parts *p)
{
	struct access_filter *any[PLACED + 3], *f;
	size_t n = 0;

	any[n++] = public_to_all(p);
	any[n++] = leaf(p, ACCESS_OP_HAS, ACCESS_ATTR_COUNTY, "05", 0);
	any[n++] = leaf(p, ACCESS_OP_HAS, ACCESS_ATTR_AUTHOR, "county-5", 0);
	for (unsigned int i = 0; i < PLACED; i++)
		any[n++] = leaf(p, ACCESS_OP_HAS, ACCESS_ATTR_UNIT, "unit-#", i * UNITS / PLACED);
	f = permitted(p, node(p, ACCESS_OP_OR, any, n), "county-5");
	return (struct access_sight){f, f};
}

static struct access_sight placer(struct parts *p)
{
	struct access_filter *rendition =
	    leaf(p, ACCESS_OP_HAS, ACCESS_ATTR_RENDITION, "public", 0);

	return (struct access_sight){
	    .any = permitted(p, NODE(p, ACCESS_OP_OR, public_to_all(p), rendition), "nobody"),
	    .whole = permitted(p, public_to_all(p), "nobody")};
}

/* Milliseconds of this thread: others use the machine too. */
static double timed_query(
    struct bench *b, const struct access_sight *sight, const char *q, uint64_t *ret_total)
{
	struct ark_error err = {0};
	const struct search_request request = {.sight = sight, .q = q, .limit = 20, .facets = true};
	struct search_result result;
	struct timespec from, to;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &from);
	must(search_query(b->reader, &request, &result, &err), &err);
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &to);
	*ret_total = result.total;
	search_result_clear(&result);
	return (double)(to.tv_sec - from.tv_sec) * 1e3 + (double)(to.tv_nsec - from.tv_nsec) / 1e6;
}

static void compare(struct bench *b, const char *who, const struct access_sight *sight)
{
	static const char *const queries[] = {"", "tarkastuskertomus", "lapsi",
	    "hallinto-oikeus laki", "lapsen huostaanotto päätös", "\"korkein hallinto-oikeus\"",
	    "sijaishuoltopaikka", "karkaaminen"};
	double all[TRIES], own[TRIES], sum_all = 0, sum_own = 0;
	uint64_t total_all = 0, total_own = 0;

	for (size_t k = 0; k < sizeof(queries) / sizeof(*queries); k++) {
		for (int i = 0; i < TRIES; i++) {
			all[i] = timed_query(b, &sees_everything, queries[k], &total_all);
			own[i] = timed_query(b, sight, queries[k], &total_own);
		}
		qsort(all, TRIES, sizeof(double), by_value);
		qsort(own, TRIES, sizeof(double), by_value);
		printf("%-13s %-28s all %6llu %7.2f ms   own %6llu %7.2f ms   %.2f\n", who,
		    queries[k], (unsigned long long)total_all, all[TRIES / 2],
		    (unsigned long long)total_own, own[TRIES / 2], own[TRIES / 2] / all[TRIES / 2]);
		sum_all += all[TRIES / 2];
		sum_own += own[TRIES / 2];
	}
	printf("%-13s sum of medians: %.2f\n", who, sum_own / sum_all);
}

static void filter_cost(const char *root, size_t n, const char *dir)
{
	struct bench b = {0};
	struct ark_error err = {0};
	struct parts *p = calloc(1, sizeof(*p));
	struct access_sight sight;

	if (!p)
		exit(1);
	if (dir && fs_exists(dir)) {
		must(analyser_new(NULL, &b.analyser, &err), &err);
		must(search_open_reader(dir, b.analyser, NULL, &b.reader, &err), &err);
	} else {
		bench_open(&b, dir);
		make_archive(&b, root, n);
		b.names.n = n;
		bench_commit(&b);
	}
	sight = state_agency(p);
	compare(&b, "state agency", &sight);
	sight = county(p);
	compare(&b, "county", &sight);
	sight = placer(p);
	compare(&b, "placer", &sight);
	if (dir) {
		search_reader_free(b.reader);
		search_close(b.writer);
	} else {
		bench_close(&b);
	}
	free(p);
}

int main(int argc, char **argv)
{
	if (argc == 3 && !strcmp(argv[1], "speed"))
		speed(argv[2]);
	else if (argc >= 4 && !strcmp(argv[1], "filter"))
		filter_cost(argv[2], (size_t)atol(argv[3]), argc > 4 ? argv[4] : NULL);
	else
		return 2;
	return 0;
}
