/* Arbitrary bytes as a query, as a text and as the text of a snippet.
 *
 * clang -std=c17 -g -O1 -fsanitize=fuzzer,address,undefined -Iinclude -I. tests/fuzz/fuzz_query.c \
 *	index/{analyse,analyse_cache,analyse_fi,analyse_sv,analyse_snowball,language,words,snippet}.c \
 *	index/query*.c index/synonyms*.c archive/base/{buf,error,text}.c -lvoikko -lstemmer -lglib-2.0 -ljansson
 * With -DFUZZ_STANDALONE, without libFuzzer: `fuzz_query FILE…` runs each file, `fuzz_query -n COUNT`
 * that many inputs from a seeded generator.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arkki/base/buf.h"
#include "arkki/base/text.h"
#include "arkki/index/analyse.h"
#include "arkki/index/snippet.h"
#include "index/query.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* of the fuzzing process */
static struct analyser *analyser;
static struct synonyms *synonyms;

static int check_token(void *arg, const struct analyse_token *t)
{
	const size_t *len = arg;

	if (t->offset + t->len > *len || t->word_len > ANALYSE_WORD_MAX || !t->word_len ||
	    !utf8_valid(t->word, t->word_len))
		abort();
	return 0;
}

/* A register that knows every second value, by two names each. */
static int resolve(void *arg, enum search_field field, const char *value,
    int (*each)(void *to, const char *id), void *to)
{
	int r = 0;

	(void)arg;
	if (!utf8_valid(value, strlen(value)))
		abort();
	if ((strlen(value) + field) % 2)
		r = each(to, "one");
	return r || strlen(value) % 4 ? r : each(to, "two");
}

static const struct search_names registers = {NULL, resolve};

static int check_word(void *arg, const struct query_node *node, const char *because)
{
	const size_t *len = arg;

	if (node->from + node->len > *len || !node->terms_len ||
	    (because && !utf8_valid(because, strlen(because))))
		abort();
	return 0;
}

/* Reads q and writes it; the caller's. NULL: it is too long to be read. */
static char *write_query(const char *q, const struct query_config *config)
{
	struct query *query;
	struct buf out = BUF_INIT;
	size_t len = strlen(q), i;

	if (query_parse(analyser, q, config, &query, NULL))
		return NULL;
	if (query->words > SEARCH_WORDS_MAX || query_each_word(query, check_word, &len))
		abort();
	for (i = 0; i < query->notes_len; i++)
		if (query->notes[i].from + query->notes[i].len > len)
			abort();
	if (query_write(q, query, &out, NULL))
		abort();
	buf_addc(&out, '\0');
	query_free(query);
	return out.data;
}

/* What is written of a query is read as the same. */
static void try_query(const char *q, const struct query_config *config)
{
	char *first = write_query(q, config), *second = first ? write_query(first, config) : NULL;

	if (second && (strcmp(first, second) != 0 || !utf8_valid(first, strlen(first))))
		abort();
	free(first);
	free(second);
}

static void try_snippet(const char *q, const char *text, size_t len)
{
	struct snippet *s;
	struct buf out = BUF_INIT;

	if (snippet_new(analyser, q, NULL, NULL, NULL, &s, NULL))
		return;
	if (snippet_make(s, text, len, "fi", 60, &out, NULL, NULL))
		abort();
	if (out.len && !utf8_valid(out.data, out.len))
		abort();
	buf_free(&out);
	snippet_free(s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t half = size / 2;
	char *text;

	if (!analyser &&
	    (analyser_new(NULL, &analyser, NULL) || synonyms_new(analyser, NULL, &synonyms, NULL)))
		abort();
	if (size > 4096)
		return 0;
	text = malloc(size + 1);
	if (!text)
		return 0;
	if (size)
		memcpy(text, data, size);
	text[size] = '\0';
	if (analyse_text(text, size, ANALYSE_FI, check_token, &size))
		abort();
	try_query(text, &(struct query_config){0});
	try_query(text,
	    &(struct query_config){.language = "sv", .names = &registers, .synonyms = synonyms});
	try_snippet(text + half, text, half);
	free(text);
	return 0;
}

#ifdef FUZZ_STANDALONE
static void run_file(const char *path)
{
	uint8_t bytes[4096];
	FILE *f = fopen(path, "rb");
	size_t n = f ? fread(bytes, 1, sizeof(bytes), f) : 0;

	if (f)
		fclose(f);
	LLVMFuzzerTestOneInput(bytes, n);
}

/* Pieces that matter to the parsers, in random order with random bytes between them. */
static void run_generated(unsigned int count)
{
	static const char *const pieces[] = {"\"", "“", "”", " ", "/", ":n", "§", "-", "\xC2\xAD",
	    "a\xCC\x88", "sijaishuolto", "ESAVI/567/2023", "lapsen", "\n\n", "<b>&", "AVIn", "ﬁ",
	    "\xff", "İ", "och", "the", "–", "päätös-", "1.1.2023", "(", ")", " AND ", " OR ",
	    " NOT ", " JA ", " +", " -", "raj*", "laji:", "laji:(", "title:\"", "date:", "..",
	    ">=", "65 ", "12. ", "maaliskuuta ", "2024 ", "LVV ", "vård utom hemmet "};
	uint8_t bytes[400];
	unsigned int seed = 1, i;

	for (i = 0; i < count; i++) {
		size_t n = 0, want = (size_t)(rand_r(&seed) % 300);

		while (n < want) {
			const char *p =
			    pieces[(size_t)rand_r(&seed) % (sizeof(pieces) / sizeof(pieces[0]))];

			if (rand_r(&seed) % 6 == 0)
				bytes[n++] = (uint8_t)rand_r(&seed);
			memcpy(bytes + n, p, strlen(p));
			n += strlen(p);
		}
		LLVMFuzzerTestOneInput(bytes, n);
	}
}

int main(int argc, char **argv)
{
	int i;

	if (argc == 3 && !strcmp(argv[1], "-n"))
		run_generated((unsigned int)atoi(argv[2]));
	else
		for (i = 1; i < argc; i++)
			run_file(argv[i]);
	synonyms_unref(synonyms);
	analyser_free(analyser);
	return 0;
}
#endif
