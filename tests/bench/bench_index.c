/* The index beside its peers: builds one from the documents that tools/bench_search.py makes, and asks it what
 * it asks them.
 *
 *   bench_index build DIR <documents.jsonl      prints seconds of wall and of processor
 *   bench_index ask DIR ROUNDS <queries.jsonl   all of them ROUNDS times; then a line a query:
 *       {"kind":…,"first":µs when it was first asked,"us":median when asked again,"cpu":the same of
 *       processor time,"total":n}
 *   bench_index snippet ROUNDS <texts.jsonl     milliseconds for ten snippets of the texts given
 *
 * A document: {"id":1,"title":…,"text":…,"publicity":…,"county":…,"author":…,"date":…}; a query: {"kind":
 * "word","q":…,"facets":false}. Everything is asked as somebody who sees what is public and what
 * is of county 05: the peers get the same filter. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "arkki/base/clock.h"
#include "arkki/base/json.h"
#include "arkki/index/search.h"
#include "arkki/index/snippet.h"

enum {
	COMMIT_EACH = 10000,
	ROUNDS_MAX = 99,
	QUERIES_MAX = 5000,
	SNIPPETS = 10,
	SNIPPET_CHARS = 240
};

static struct access_filter is_public = {
    .op = ACCESS_OP_HAS, .attribute = ACCESS_ATTR_PUBLICITY, .value = (char[]){"public"}};
static struct access_filter of_county = {
    .op = ACCESS_OP_HAS, .attribute = ACCESS_ATTR_COUNTY, .value = (char[]){"05"}};
static struct access_filter *either[] = {&is_public, &of_county};
static struct access_filter shown = {.op = ACCESS_OP_OR, .child = either, .children = 2};
static const struct access_sight sight = {&shown, &shown};

static void must(int status, const struct ark_error *err)
{
	if (status) {
		fprintf(stderr, "bench_index: %s\n", err->text);
		exit(1);
	}
}

static json_t *read_line(char **line, size_t *cap)
{
	ssize_t n = getline(line, cap, stdin);
	struct ark_error err = {0};
	json_t *v = NULL;

	if (n <= 0)
		return NULL;
	must(json_read(*line, (size_t)n, &v, &err), &err);
	return v;
}

static double cpu_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void put(struct search_index *w, const json_t *d)
{
	struct ark_error err = {0};
	long long number = json_integer_value(json_object_get(d, "id"));
	const char *counties[] = {json_text(d, "county")};
	const char *text = json_text(d, "text");
	char id[33];
	const struct search_document x = {
	    .document = id,
	    .version = 1,
	    .only = true,
	    .attributes = {.publicity = json_text(d, "publicity"),
		.author = json_text(d, "author"),
		.state = "final",
		.type = "inspection-report",
		.counties = counties,
		.counties_len = 1,
		.date = json_text(d, "date")},
	    .language = "fi",
	    .date = json_text(d, "date"),
	    .title = json_text(d, "title"),
	    .text = text,
	    .text_len = strlen(text),
	};

	snprintf(id, sizeof(id), "%032llx", (unsigned long long)number);
	must(search_put(w, &x, &err), &err);
}

static void build(const char *dir)
{
	struct analyse_cache *cache = NULL;
	struct analyser *analyser = NULL;
	struct search_index *w = NULL;
	struct ark_error err = {0};
	int64_t from = clock_monotonic_us();
	char *line = NULL;
	size_t cap = 0, n = 0;
	json_t *d;

	must(analyse_cache_new(&cache, &err), &err);
	must(analyser_new(cache, &analyser, &err), &err);
	must(search_open_writer(dir, analyser, NULL, &w, &err), &err);
	while ((d = read_line(&line, &cap))) {
		put(w, d);
		json_decref(d);
		if (++n % COMMIT_EACH == 0)
			must(search_commit(w, n, &err), &err);
	}
	must(search_commit(w, n + 1, &err), &err);
	printf("{\"documents\":%zu,\"wall\":%.2f,\"cpu\":%.2f}\n", n,
	    (double)(clock_monotonic_us() - from) / 1e6, cpu_s());
	free(line);
	search_close(w);
	analyser_free(analyser);
	analyse_cache_free(cache);
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

struct asked {
	json_t *q;
	double us[ROUNDS_MAX], cpu[ROUNDS_MAX];
	uint64_t total;
};

static void ask_one(struct search_reader *r, struct asked *a, int round)
{
	const struct search_request request = {.q = json_text(a->q, "q"),
	    .sight = &sight,
	    .limit = 20,
	    .facets = json_is_true(json_object_get(a->q, "facets"))};
	struct ark_error err = {0};
	struct search_result result;
	int64_t from = clock_monotonic_us();
	double cpu_from = cpu_s();

	must(search_query(r, &request, &result, &err), &err);
	a->us[round] = (double)(clock_monotonic_us() - from);
	a->cpu[round] = (cpu_s() - cpu_from) * 1e6;
	a->total = result.total;
	search_result_clear(&result);
}

/* Of the rounds behind the first, if there are any. */
static double median_again(double *of, int rounds)
{
	int again = rounds > 1 ? rounds - 1 : 1;

	of += rounds - again;
	qsort(of, (size_t)again, sizeof(*of), by_value);
	return of[again / 2];
}

static void print_asked(struct asked *a, int rounds)
{
	double first = a->us[0];

	printf("{\"kind\":\"%s\",\"first\":%.0f,\"us\":%.0f,\"cpu\":%.0f,\"total\":%llu}\n",
	    json_text(a->q, "kind"), first, median_again(a->us, rounds),
	    median_again(a->cpu, rounds), (unsigned long long)a->total);
}

static void ask(const char *dir, int rounds)
{
	struct analyse_cache *cache = NULL;
	struct analyser *analyser = NULL;
	struct search_reader *r = NULL;
	struct asked *asked = calloc(QUERIES_MAX, sizeof(*asked));
	struct ark_error err = {0};
	char *line = NULL;
	size_t cap = 0, n = 0;

	if (!asked)
		exit(1);
	must(analyse_cache_new(&cache, &err), &err);
	must(analyser_new(cache, &analyser, &err), &err);
	must(search_open_reader(dir, analyser, NULL, &r, &err), &err);
	while (n < QUERIES_MAX && (asked[n].q = read_line(&line, &cap)))
		n++;
	for (int round = 0; round < rounds; round++)
		for (size_t i = 0; i < n; i++)
			ask_one(r, &asked[i], round);
	for (size_t i = 0; i < n; i++) {
		print_asked(&asked[i], rounds);
		json_decref(asked[i].q);
	}
	free(asked);
	free(line);
	search_reader_free(r);
	analyser_free(analyser);
	analyse_cache_free(cache);
}

/* The texts are those of one page of hits: one struct snippet for all, as the service has it. */
static void snippets(int rounds)
{
	struct analyse_cache *cache = NULL;
	struct analyser *analyser = NULL;
	struct ark_error err = {0};
	json_t *texts[SNIPPETS], *d;
	double ms[ROUNDS_MAX];
	char *line = NULL;
	size_t cap = 0, n = 0;

	must(analyse_cache_new(&cache, &err), &err);
	must(analyser_new(cache, &analyser, &err), &err);
	while (n < SNIPPETS && (d = read_line(&line, &cap)))
		texts[n++] = d;
	for (int i = 0; i < rounds; i++) {
		int64_t from = clock_monotonic_us();
		struct snippet *s = NULL;

		must(snippet_new(analyser, "lapsen huostaanotto sijaishuoltopaikka", NULL, NULL,
			 NULL, &s, &err),
		    &err);
		for (size_t k = 0; k < n; k++) {
			const char *text = json_text(texts[k], "text");
			struct buf out = BUF_INIT;

			must(snippet_make(
				 s, text, strlen(text), "fi", SNIPPET_CHARS, &out, NULL, &err),
			    &err);
			buf_free(&out);
		}
		snippet_free(s);
		ms[i] = (double)(clock_monotonic_us() - from) / 1e3;
	}
	qsort(ms, (size_t)rounds, sizeof(*ms), by_value);
	printf("{\"texts\":%zu,\"ms\":%.2f,\"first\":%.2f}\n", n, ms[rounds / 2], ms[rounds - 1]);
	for (size_t k = 0; k < n; k++)
		json_decref(texts[k]);
	free(line);
	analyser_free(analyser);
	analyse_cache_free(cache);
}

static int rounds_of(const char *text)
{
	int rounds = atoi(text);

	return rounds < 1 ? 1 : rounds > ROUNDS_MAX ? ROUNDS_MAX : rounds;
}

int main(int argc, char **argv)
{
	if (argc == 3 && !strcmp(argv[1], "build"))
		build(argv[2]);
	else if (argc == 4 && !strcmp(argv[1], "ask"))
		ask(argv[2], rounds_of(argv[3]));
	else if (argc == 3 && !strcmp(argv[1], "snippet"))
		snippets(rounds_of(argv[2]));
	else
		return 2;
	return 0;
}
