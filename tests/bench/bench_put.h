/* What the benches of the index share: documents of a corpus put into it under numbers as ids, and asked for by a searcher
 * who sees everything. Any failure ends the program. */
#ifndef ARKKI_TESTS_BENCH_PUT_H
#define ARKKI_TESTS_BENCH_PUT_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arkki/index/search.h"

static struct access_filter everything = {.op = ACCESS_OP_ALL};
static const struct access_sight sees_everything = {&everything, &everything};

static inline void must(int status, const struct ark_error *err)
{
	if (status) {
		fprintf(stderr, "bench: %s\n", err->text);
		exit(1);
	}
}

/* What the ids stand for. */
struct bench_names {
	char **of; /* documents, by number; NULL: they are counted only */
	size_t n;
};

static inline void bench_names_free(struct bench_names *names)
{
	while (names->of && names->n)
		free(names->of[--names->n]);
	free(names->of);
}

/* writer NULL: the index has it from an earlier run, and only its name is kept. */
static inline void bench_put_named(struct search_index *writer, struct bench_names *names,
    const char *name, const char *language, const char *title, const char *text, size_t len)
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

	snprintf(id, sizeof(id), "%032zx", names->n);
	names->of = realloc(names->of, (names->n + 1) * sizeof(char *));
	if (!names->of)
		exit(1);
	names->of[names->n++] = strdup(name);
	if (writer)
		must(search_put(writer, &d, &err), &err);
}

#endif
