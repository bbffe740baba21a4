/* What the ranking finds, on the corpus, without a service: seconds instead of minutes.
 *
 *   zcat …/finlex-sections/sections.jsonl.gz >S
 *   build/bench/bench_quality sections S …/finlex-sections/queries.jsonl DIR
 *   build/bench/bench_quality domain …/finlex-domain DIR
 *
 * DIR keeps the index for the next time; remove it when terms change. Weights were chosen on the sections of an
 * even number: those of an odd one tell whether the choice holds for others ("held out").
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "arkki/base/buf.h"
#include "arkki/base/fs.h"
#include "arkki/base/json.h"
#include "tests/bench/bench_put.h"

enum { DEEP = 50 };

struct bench {
	struct analyse_cache *cache;
	struct analyser *analyser;
	struct search_index *writer; /* NULL: the index is there already */
	struct search_reader *reader;
	struct synonyms *synonyms;
	struct bench_names names;
	const char *dir;
	bool failures; /* print what was not found */
	double query_s;
	size_t queries;
};

static void bench_open(struct bench *b, const char *dir)
{
	struct ark_error err = {0};

	b->dir = dir;
	b->failures = getenv("FAILURES") != NULL;
	must(analyse_cache_new(&b->cache, &err), &err);
	must(analyser_new(b->cache, &b->analyser, &err), &err);
	must(synonyms_new(b->analyser, NULL, &b->synonyms, &err), &err);
	if (!fs_exists(dir))
		must(search_open_writer(dir, b->analyser, NULL, &b->writer, &err), &err);
}

static void bench_put(struct bench *b, const char *name, const char *language, const char *title,
    const char *text, size_t len)
{
	bench_put_named(b->writer, &b->names, name, language, title, text, len);
}

static void bench_commit(struct bench *b)
{
	struct ark_error err = {0};

	if (b->writer)
		must(search_commit(b->writer, b->names.n, &err), &err);
	must(search_open_reader(b->dir, b->analyser, NULL, &b->reader, &err), &err);
}

static void bench_close(struct bench *b)
{
	printf("%zu queries, %.3f ms of processor time each\n", b->queries,
	    b->query_s / (double)(b->queries ? b->queries : 1) * 1e3);
	search_reader_free(b->reader);
	search_close(b->writer);
	synonyms_unref(b->synonyms);
	analyser_free(b->analyser);
	analyse_cache_free(b->cache);
	bench_names_free(&b->names);
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

static FILE *open_file(const char *path)
{
	FILE *f = fopen(path, "r");

	if (!f) {
		perror(path);
		exit(1);
	}
	return f;
}

static double cpu_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void ask(struct bench *b, const char *q, const char *language, struct search_result *ret)
{
	const struct search_request request = {.sight = &sees_everything,
	    .synonyms = b->synonyms,
	    .language = language,
	    .q = q,
	    .limit = DEEP};
	struct ark_error err = {0};
	double from = cpu_s();

	must(search_query(b->reader, &request, ret, &err), &err);
	b->query_s += cpu_s() - from;
	b->queries++;
}

static const char *name_of(const struct bench *b, const struct search_hit *hit)
{
	return b->names.of[strtoul(hit->document + 16, NULL, 16)];
}

/* ---- sections: the rank of the one ---- */

struct mean {
	const char *name;
	double sum;
	int n;
};

static void count(struct mean *m, double value)
{
	m->sum += value;
	m->n++;
}

static void print_means(const char *what, const struct mean *means, int n)
{
	for (int i = 0; i < n; i++)
		printf("%-10s %-38s %.3f  (%d)\n", what, means[i].name,
		    means[i].sum / (means[i].n ? means[i].n : 1), means[i].n);
}

static double reciprocal(struct bench *b, const char *q, const char *section)
{
	struct search_result result;
	double rank = 0;

	ask(b, q, "fi", &result);
	for (size_t i = 0; i < result.hits_len && rank == 0; i++)
		if (!strcmp(name_of(b, &result.hits[i]), section))
			rank = 1.0 / (double)(i + 1);
	search_result_clear(&result);
	return rank;
}

static void judge_sections(struct bench *b, FILE *f)
{
	static const char *const kinds[] = {"heading", "inflected", "shortened", "split"};
	struct mean means[2][4] = {{{0}}}; /* even, odd */
	char *line = NULL, section[24];
	size_t cap = 0;
	json_t *q;

	while ((q = read_line(f, &line, &cap))) {
		long long id = json_integer_value(json_object_get(q, "section"));

		snprintf(section, sizeof(section), "%lld", id);
		for (int i = 0; i < 4; i++) {
			const char *text = json_text(q, kinds[i]);
			double rank = text ? reciprocal(b, text, section) : 0;

			means[0][i].name = means[1][i].name = kinds[i];
			if (text)
				count(&means[id % 2][i], rank);
			if (text && rank < 0.2 && b->failures)
				printf("%s\t%s\t%.2f\t%s\n", kinds[i], section, rank, text);
		}
		json_decref(q);
	}
	free(line);
	print_means("chosen on", means[0], 4);
	print_means("held out", means[1], 4);
	for (int i = 0; i < 4; i++) {
		means[0][i].sum += means[1][i].sum;
		means[0][i].n += means[1][i].n;
	}
	print_means("all", means[0], 4);
}

static void sections(struct bench *b, const char *documents, const char *queries)
{
	FILE *f = open_file(documents);
	char *line = NULL, name[24];
	size_t cap = 0;
	json_t *d;

	while ((d = read_line(f, &line, &cap))) {
		const char *text = json_text(d, "body");

		snprintf(name, sizeof(name), "%lld",
		    (long long)json_integer_value(json_object_get(d, "id")));
		bench_put(b, name, "fi", "pykälä", text, strlen(text));
		json_decref(d);
	}
	free(line);
	fclose(f);
	bench_commit(b);
	f = open_file(queries);
	judge_sections(b, f);
	fclose(f);
}

/* ---- domain: how much of what is relevant ---- */

/* Of the relevant ones (in Swedish when `swedish`), the share among the first `top` hits that have
 * the language. */
static double found_of(
    struct bench *b, const char *q, const json_t *relevant, bool swedish, size_t top)
{
	struct search_result result;
	double found = 0, all = (double)json_array_size(relevant);
	char text[1000];

	snprintf(text, sizeof(text), "%s%s", q, swedish ? " kieli:sv" : "");
	ask(b, text, NULL, &result);
	for (size_t i = 0; i < result.hits_len && i < top; i++)
		for (size_t j = 0; j < json_array_size(relevant); j++)
			found += !strcmp(json_string_value(json_array_get(relevant, j)),
			    name_of(b, &result.hits[i]));
	search_result_clear(&result);
	return found / (all < (double)top ? all : (double)top);
}

/* The parallels that exist, of the names relevant. */
static json_t *swedish_of(const struct bench *b, const json_t *relevant)
{
	json_t *swedish = json_array();

	for (size_t j = 0; j < json_array_size(relevant); j++) {
		char name[200], *at;

		snprintf(name, sizeof(name), "%s", json_string_value(json_array_get(relevant, j)));
		while ((at = strstr(name, "-fi")))
			memcpy(at, "-sv", 3);
		for (size_t i = 0; i < b->names.n; i++)
			if (!strcmp(b->names.of[i], name))
				json_array_append_new(swedish, json_string(name));
	}
	return swedish;
}

static void judge_term(
    struct bench *b, struct mean *means, const char *q, const json_t *query, const json_t *relevant)
{
	const char *language = json_text(query, "lang");
	bool finnish = language && !strcmp(language, "fi");
	json_t *swedish = finnish ? swedish_of(b, relevant) : NULL;

	count(&means[0], found_of(b, q, relevant, false, 20));
	if (json_array_size(swedish)) {
		double r = found_of(b, q, swedish, true, 10);

		count(&means[1], r);
		if (b->failures && r < 1)
			printf("pair\t%.2f\t%s\t%s\n", r, q,
			    json_string_value(json_array_get(swedish, 0)));
	}
	json_decref(swedish);
}

static void judge_domain(struct bench *b, FILE *f)
{
	struct mean means[] = {{.name = "index terms, recall@20"},
	    {.name = "Finnish query, Swedish pair, recall@10"},
	    {.name = "abstract, in the first 10"}, {.name = "register number, quoted"},
	    {.name = "register number, plain"}, {.name = "register number, plain, in the first 1"}};
	char *line = NULL;
	size_t cap = 0;
	json_t *query;

	while ((query = read_line(f, &line, &cap))) {
		const char *type = json_text(query, "type"), *q = json_text(query, "query");
		const json_t *relevant = json_object_get(query, "relevant");
		char quoted[300];

		snprintf(quoted, sizeof(quoted), "\"%s\"", q);
		if (!strcmp(type, "index-term")) {
			judge_term(b, means, q, query, relevant);
		} else if (!strcmp(type, "known-item-abstract")) {
			count(&means[2], found_of(b, q, relevant, false, 10) > 0);
		} else {
			count(&means[3], found_of(b, quoted, relevant, false, DEEP) > 0);
			count(&means[4], found_of(b, q, relevant, false, DEEP) > 0);
			count(&means[5], found_of(b, q, relevant, false, 1) > 0);
			if (b->failures && found_of(b, q, relevant, false, 1) == 0)
				printf("register\t%s\n", q);
		}
		json_decref(query);
	}
	free(line);
	print_means("domain", means, 6);
}

static void domain(struct bench *b, const char *root)
{
	char path[4096], *line = NULL;
	struct ark_error err = {0};
	size_t cap = 0;
	json_t *d;
	FILE *f;

	snprintf(path, sizeof(path), "%s/MANIFEST.jsonl", root);
	f = open_file(path);
	while ((d = read_line(f, &line, &cap))) {
		const char *file = json_text(d, "file"), *title = json_text(d, "title");
		struct buf text = BUF_INIT;

		snprintf(path, sizeof(path), "%s%s", root, strchr(file, '/'));
		must(fs_read_file(path, 64 << 20, &text, &err), &err);
		bench_put(b, file, json_text(d, "lang"), title ? title : "", text.data, text.len);
		buf_free(&text);
		json_decref(d);
	}
	free(line);
	fclose(f);
	bench_commit(b);
	snprintf(path, sizeof(path), "%s/QUERIES.jsonl", root);
	f = open_file(path);
	judge_domain(b, f);
	fclose(f);
}

int main(int argc, char **argv)
{
	struct bench b = {0};

	if (argc == 5 && !strcmp(argv[1], "sections")) {
		bench_open(&b, argv[4]);
		sections(&b, argv[2], argv[3]);
	} else if (argc == 4 && !strcmp(argv[1], "domain")) {
		bench_open(&b, argv[3]);
		domain(&b, argv[2]);
	} else {
		return 2;
	}
	bench_close(&b);
	return 0;
}
