#include "index/leak_words.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "arkki/base/json.h"
#include "arkki/base/text.h"
#include "index/words.h"

enum kind { ORDINARY = 1, TELLING = 2 }; /* a name or a number */

struct leak_words {
	json_t *removed; /* word in lower case: its kind */
};

struct leak_words *leak_words_new(void)
{
	struct leak_words *w = calloc(1, sizeof(*w));

	if (w)
		w->removed = json_object();
	if (w && !w->removed) {
		free(w);
		w = NULL;
	}
	return w;
}

void leak_words_free(struct leak_words *w)
{
	if (!w)
		return;
	json_decref(w->removed);
	free(w);
}

size_t leak_words_removed(const struct leak_words *w)
{
	return json_object_size(w->removed);
}

/* ---- one word ---- */

static unsigned int digits_of(const char *word)
{
	unsigned int n = 0;

	for (; *word; word++)
		n += *word >= '0' && *word <= '9';
	return n;
}

static bool counts(const char *lower, size_t len)
{
	return utf8_length(lower, len) >= 3 || digits_of(lower) >= 2;
}

/* A capital that does not come from the beginning of a sentence or a line. */
static bool name_like(const char *text, size_t offset, const char *word, const char *lower)
{
	size_t at = offset;

	if (strcmp(word, lower) == 0)
		return false;
	while (at && (text[at - 1] == ' ' || text[at - 1] == '"'))
		at--;
	return at && !strchr(".!?:\n\f-", text[at - 1]);
}

typedef int (*each_word)(void *arg, const char *lower, enum kind kind, struct ark_error *err);

static int tell(
    const char *text, const struct word *word, each_word each, void *arg, struct ark_error *err)
{
	char lower[ANALYSE_WORD_MAX + 1];
	size_t n = words_lower(lower, word->text, word->text_len);
	enum kind kind = digits_of(lower) >= 2 || name_like(text, word->offset, word->text, lower)
			     ? TELLING
			     : ORDINARY;
	int rc = counts(lower, n) ? each(arg, lower, kind, err) : ARK_OK;

	/* what a hyphen joins in one place may stand alone in another */
	if (!strchr(lower, '-'))
		return rc;
	for (char *part = lower; !rc && *part;) {
		size_t len = strcspn(part, "-");
		bool more = part[len] != '\0';

		part[len] = '\0';
		if (counts(part, len))
			rc = each(arg, part, kind, err);
		part += len + more;
	}
	return rc;
}

static int walk(const char *text, size_t len, each_word each, void *arg, struct ark_error *err)
{
	struct word word;
	size_t pos = 0;
	int rc = ARK_OK;

	while (!rc && words_next(text, len, &pos, &word))
		rc = tell(text, &word, each, arg, err);
	return rc;
}

/* ---- the three steps ---- */

static int add_word(void *arg, const char *lower, enum kind kind, struct ark_error *err)
{
	struct leak_words *w = arg;

	if (json_integer_value(json_object_get(w->removed, lower)) >= kind)
		return ARK_OK;
	if (json_object_size(w->removed) >= LEAK_WORDS_MAX)
		return ark_fail(err, ARK_EINPUT, "the text has too many words to be compared");
	return json_object_set_new(w->removed, lower, json_integer(kind))
		   ? ark_fail(err, ARK_ENOMEM, "no memory for a comparison")
		   : ARK_OK;
}

int leak_words_original(struct leak_words *w, const char *text, size_t len, struct ark_error *err)
{
	return walk(text, len, add_word, w, err);
}

static int drop_word(void *arg, const char *lower, enum kind kind, struct ark_error *err)
{
	struct leak_words *w = arg;

	(void)kind;
	(void)err;
	json_object_del(w->removed, lower);
	return ARK_OK;
}

/* A word that a line end divides is seen too. */
static int drop_joined(struct leak_words *w, const char *text, size_t len, struct ark_error *err)
{
	char *joined = malloc(len + 1);
	size_t n = 0;
	int rc;

	if (!joined)
		return ark_fail(err, ARK_ENOMEM, "no memory for a comparison");
	for (size_t i = 0; i < len; i++) {
		if (text[i] == '-' && i + 1 < len && text[i + 1] == '\n')
			i++;
		else
			joined[n++] = text[i];
	}
	joined[n] = '\0';
	rc = walk(joined, n, drop_word, w, err);
	free(joined);
	return rc;
}

int leak_words_seen(struct leak_words *w, const char *text, size_t len, struct ark_error *err)
{
	int rc = walk(text, len, drop_word, w, err);

	return rc ? rc : drop_joined(w, text, len, err);
}

struct finding {
	const struct leak_words *w;
	json_t *had;
	struct leak_found *found;
	bool telling; /* this time only words of the one kind become examples */
};

static int find_word(void *arg, const char *lower, enum kind kind, struct ark_error *err)
{
	struct finding *f = arg;
	json_int_t is = json_integer_value(json_object_get(f->w->removed, lower));
	struct leak_found *r = f->found;

	(void)kind;
	if (!is || (is == TELLING) != f->telling || json_object_get(f->had, lower))
		return ARK_OK;
	if (json_object_set_new(f->had, lower, json_true()))
		return ark_fail(err, ARK_ENOMEM, "no memory for a comparison");
	r->words++;
	if (r->examples_len < LEAK_EXAMPLES && strlen(lower) < LEAK_EXAMPLE_SIZE)
		memcpy(r->examples[r->examples_len++], lower, strlen(lower) + 1);
	return ARK_OK;
}

int leak_words_find(const struct leak_words *w, const char *text, size_t len,
    struct leak_found *ret, struct ark_error *err)
{
	struct finding f = {.w = w, .had = json_object(), .found = ret, .telling = true};
	int rc;

	*ret = (struct leak_found){0};
	if (!f.had)
		return ark_fail(err, ARK_ENOMEM, "no memory for a comparison");
	rc = walk(text, len, find_word, &f, err);
	f.telling = false;
	if (!rc)
		rc = walk(text, len, find_word, &f, err);
	json_decref(f.had);
	return rc;
}
