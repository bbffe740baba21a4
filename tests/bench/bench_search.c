/* Speed and quality of the search index on the corpus, by hand:
 *
 *   cc -O2 -D_GNU_SOURCE -Iinclude -I. -o build/bench_search tests/bench/bench_search.c build/libarkki.a \
 *      $(pkg-config --libs libvoikko xapian-core jansson glib-2.0) -lstemmer -lstdc++ -lpthread
 *   build/bench_search speed ../shared/corpus/finlex-domain        documents, tokens and queries a second
 *   zcat …/sections.jsonl.gz >S; build/bench_search sections S …/finlex-sections/queries.jsonl        MRR
 *   build/bench_search domain ../shared/corpus/finlex-domain       MRR of its QUERIES.jsonl
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arkki/base/buf.h"
#include "arkki/base/clock.h"
#include "arkki/base/fs.h"
#include "arkki/base/json.h"
#include "arkki/index/search.h"
#include "arkki/index/snippet.h"

struct bench {
	char dir[64];
	struct analyse_cache *cache;
	struct analyser *analyser;
	struct search_index *writer;
	struct search_reader *reader;
	char **names; /* of documents, by number */
	size_t n;
	uint64_t bytes, tokens;
	int64_t started_us;
};

static struct access_filter everything = {.op = ACCESS_OP_ALL};
static const struct access_sight sees_everything = {&everything, &everything};

static void must(int status, const struct ark_error *err)
{
	if (status) {
		fprintf(stderr, "bench: %s\n", err->text);
		exit(1);
	}
}

static int count_token(void *arg, const struct analyse_token *t)
{
	(void)t;
	++*(uint64_t *)arg;
	return 0;
}

static void bench_open(struct bench *b)
{
	struct ark_error err = {0};

	snprintf(b->dir, sizeof(b->dir), "/tmp/arkki-bench-XXXXXX");
	if (!mkdtemp(b->dir))
		exit(1);
	must(analyse_cache_new(&b->cache, &err), &err);
	must(analyser_new(b->cache, &b->analyser, &err), &err);
	must(search_open_writer(b->dir, b->analyser, NULL, &b->writer, &err), &err);
	b->started_us = clock_monotonic_us();
}

static void bench_put(struct bench *b, const char *name, const char *language, const char *title,
    const char *text, size_t len)
{
	struct ark_error err = {0};
	char id[33];
	const struct search_document d = {
	    .document = id,
	    .version = 1,
	    .only = true,
	    .attributes = {.publicity = "public", .type = "other"},
	    .language = language,
	    .date = "2020-01-01",
	    .title = title,
	    .text = text,
	    .text_len = len,
	};

	snprintf(id, sizeof(id), "%032zx", b->n);
	b->names = realloc(b->names, (b->n + 1) * sizeof(char *));
	b->names[b->n++] = strdup(name);
	b->bytes += len;
	must(search_put(b->writer, &d, &err), &err);
}

static void bench_commit(struct bench *b)
{
	struct ark_error err = {0};
	double s;

	must(search_commit(b->writer, b->n, &err), &err);
	s = (double)(clock_monotonic_us() - b->started_us) / 1e6;
	printf("indexed %zu documents, %.1f MB in %.2f s: %.0f documents/s, %.2f MB/s\n", b->n,
	    (double)b->bytes / 1e6, s, (double)b->n / s, (double)b->bytes / 1e6 / s);
	must(search_open_reader(b->dir, b->analyser, NULL, &b->reader, &err), &err);
}

static void bench_close(struct bench *b)
{
	char cmd[100];

	search_reader_free(b->reader);
	search_close(b->writer);
	analyser_free(b->analyser);
	analyse_cache_free(b->cache);
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

static size_t number_of(const struct search_hit *hit)
{
	return strtoul(hit->document + 16, NULL, 16);
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

		must(snippet_new(b->analyser, q, NULL, &s, &err), &err);
		must(snippet_make(s, text, strlen(text), "fi", 200, &out, &err), &err);
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

	bench_open(&b);
	add_domain(&b, root);
	bench_commit(&b);
	printf("%llu tokens, %.0f tokens/s\n", (unsigned long long)b.tokens,
	    (double)b.tokens / ((double)(clock_monotonic_us() - b.started_us) / 1e6));
	snprintf(path, sizeof(path), "%s/%s", root, b.names[0] + strlen("shared/"));
	must(fs_read_file(path, 64 << 20, &text, &err), &err);
	speed_queries(&b, "sijaishuoltopaikka", text.data);
	speed_queries(&b, "lapsen huostaanotto päätös", text.data);
	speed_queries(&b, "hallinto-oikeus ja korkein hallinto-oikeus", text.data);
	speed_queries(&b, "\"korkein hallinto-oikeus\"", text.data);
	speed_queries(&b, "", text.data);
	buf_free(&text);
	bench_close(&b);
}

static json_t *read_line(FILE *f, char **line, size_t *cap)
{
	ssize_t n = getline(line, cap, f);
	json_t *value = NULL;
	struct ark_error err = {0};

	if (n > 0)
		must(json_read(*line, (size_t)n, &value, &err), &err);
	return value;
}

/* Reciprocal rank of the first hit that is among the relevant names (or, of sections, the number). */
static double reciprocal(struct bench *b, const char *q, const json_t *relevant)
{
	struct ark_error err = {0};
	struct search_request request = {.sight = &sees_everything, .q = q, .limit = 50};
	struct search_result result;
	double rank = 0;
	size_t i, j;

	must(search_query(b->reader, &request, &result, &err), &err);
	for (i = 0; i < result.hits_len && rank == 0; i++) {
		const char *name = b->names[number_of(&result.hits[i])];

		if (json_is_integer(relevant) && json_integer_value(relevant) == atol(name))
			rank = 1.0 / (double)(i + 1);
		for (j = 0; j < json_array_size(relevant); j++)
			if (!strcmp(json_string_value(json_array_get(relevant, j)), name))
				rank = 1.0 / (double)(i + 1);
	}
	search_result_clear(&result);
	return rank;
}

struct kind {
	const char *name;
	double sum;
	int n;
};

static void judge_one(struct bench *b, struct kind *kind, const char *q, const json_t *relevant)
{
	if (!q)
		return;
	kind->sum += reciprocal(b, q, relevant);
	kind->n++;
}

static void print_kinds(const struct kind *kinds, int n)
{
	int i;

	for (i = 0; i < n; i++)
		printf("MRR %-22s %.3f  (%d queries)\n", kinds[i].name,
		    kinds[i].sum / (kinds[i].n ? kinds[i].n : 1), kinds[i].n);
}

static void judge_sections(struct bench *b, FILE *f)
{
	struct kind kinds[] = {
	    {"heading", 0, 0}, {"inflected", 0, 0}, {"shortened", 0, 0}, {"split", 0, 0}};
	char *line = NULL;
	size_t cap = 0;
	json_t *q;
	int i;

	while ((q = read_line(f, &line, &cap))) {
		for (i = 0; i < 4; i++)
			judge_one(b, &kinds[i], json_text(q, kinds[i].name),
			    json_object_get(q, "section"));
		json_decref(q);
	}
	free(line);
	print_kinds(kinds, 4);
}

static void judge_domain(struct bench *b, FILE *f)
{
	struct kind kinds[] = {
	    {"index-term", 0, 0}, {"known-item-abstract", 0, 0}, {"known-item-register", 0, 0}};
	char *line = NULL;
	size_t cap = 0;
	json_t *q;
	int i;

	while ((q = read_line(f, &line, &cap))) {
		for (i = 0; i < 3; i++)
			if (!strcmp(json_text(q, "type"), kinds[i].name))
				judge_one(b, &kinds[i], json_text(q, "query"),
				    json_object_get(q, "relevant"));
		json_decref(q);
	}
	free(line);
	print_kinds(kinds, 3);
}

static void sections(const char *documents, const char *queries)
{
	struct bench b = {0};
	FILE *f = fopen(documents, "r");
	char *line = NULL;
	size_t cap = 0;
	json_t *d;

	bench_open(&b);
	while ((d = read_line(f, &line, &cap))) {
		const char *text = json_text(d, "body");
		char name[32];

		snprintf(name, sizeof(name), "%lld",
		    (long long)json_integer_value(json_object_get(d, "id")));
		bench_put(&b, name, "fi", "", text, strlen(text));
		json_decref(d);
	}
	free(line);
	fclose(f);
	bench_commit(&b);
	f = fopen(queries, "r");
	judge_sections(&b, f);
	fclose(f);
	bench_close(&b);
}

static void domain(const char *root)
{
	struct bench b = {0};
	char path[4096];
	FILE *f;

	bench_open(&b);
	add_domain(&b, root);
	bench_commit(&b);
	snprintf(path, sizeof(path), "%s/QUERIES.jsonl", root);
	f = fopen(path, "r");
	judge_domain(&b, f);
	fclose(f);
	bench_close(&b);
}

int main(int argc, char **argv)
{
	if (argc == 3 && !strcmp(argv[1], "speed"))
		speed(argv[2]);
	else if (argc == 3 && !strcmp(argv[1], "domain"))
		domain(argv[2]);
	else if (argc == 4 && !strcmp(argv[1], "sections"))
		sections(argv[2], argv[3]);
	else
		return 2;
	return 0;
}
