/* Arbitrary bytes as a query, as a text and as the text of a snippet.
 *
 * clang -std=c17 -g -O1 -fsanitize=fuzzer,address,undefined -Iinclude -I. tests/fuzz/fuzz_query.c \
 *	index/{analyse,analyse_cache,analyse_fi,analyse_sv,analyse_snowball,language,words,query,snippet}.c \
 *	archive/base/{buf,error,text}.c -lvoikko -lstemmer -lglib-2.0
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

static struct analyser *analyser; /* of the fuzzing process */

static int check_token(void *arg, const struct analyse_token *t)
{
	const size_t *len = arg;

	if (t->offset + t->len > *len || t->word_len > ANALYSE_WORD_MAX || !t->word_len ||
	    !utf8_valid(t->word, t->word_len))
		abort();
	return 0;
}

static void try_query(const char *q, const char *language)
{
	struct query *query;

	if (query_parse(analyser, q, &(struct query_config){.language = language}, &query, NULL))
		return;
	if (query->words > SEARCH_WORDS_MAX)
		abort();
	query_free(query);
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

	if (!analyser && analyser_new(NULL, &analyser, NULL))
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
	try_query(text, NULL);
	try_query(text, "sv");
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
	    "\xff", "İ", "och", "the", "–", "päätös-", "1.1.2023"};
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
	analyser_free(analyser);
	return 0;
}
#endif
