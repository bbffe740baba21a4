/* The table is a row of terms, those of one entry side by side. What a word can be met by (itself
 * in lower case, its lemmas) is worked out once; a query's word is looked up by the same forms among
 * the first words of all terms, and the words behind it decide. */
#include "arkki/index/synonyms.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "arkki/base/buf.h"
#include "index/synonyms_read.h"
#include "index/words.h"

struct term {
	char *text;
	uint32_t entry;
	enum analyse_language language;
	uint32_t words_len;
	uint32_t word[SYNONYM_WORDS_MAX]; /* where the forms of each word begin */
};

struct key { /* one form of the first word of a term */
	uint64_t hash;
	uint32_t term;
};

struct synonyms {
	atomic_uint refs;
	struct term *terms;
	size_t terms_len, terms_cap;
	struct key *keys; /* in the order of their hashes */
	size_t keys_len, keys_cap;
	struct buf forms; /* of each word: texts ended by NUL, then an empty one */
	size_t entries_len;
};

static int no_memory(struct ark_error *err)
{
	return ark_fail(err, ARK_ENOMEM, "no memory for synonyms");
}

/* ---- forms of a word ---- */

static int keep_form(void *arg, enum analyse_kind kind, const char *term, size_t len)
{
	if (kind != ANALYSE_PART)
		buf_add(arg, term, len + 1);
	return 0;
}

static int add_forms(struct buf *out, struct analyser *a, enum analyse_language language,
    const char *word, size_t len, struct ark_error *err)
{
	int r = analyse_word(a, language, word, len, keep_form, out, err);

	buf_addc(out, '\0');
	return !r && buf_failed(out) ? no_memory(err) : r;
}

static bool share_a_form(const char *a, const char *b)
{
	const char *x;

	for (; *a; a += strlen(a) + 1)
		for (x = b; *x; x += strlen(x) + 1)
			if (!strcmp(a, x))
				return true;
	return false;
}

static uint64_t hash_of(enum analyse_language language, const char *form)
{
	uint64_t h = 0xcbf29ce484222325u ^ (uint64_t)language;

	for (; *form; form++)
		h = (h ^ (unsigned char)*form) * 0x100000001b3u;
	return h;
}

/* ---- making the table ---- */

struct maker {
	struct synonyms *made;
	struct analyser *analyser;
	struct ark_error *err;
};

static int add_key(struct synonyms *s, uint64_t hash, uint32_t term, struct ark_error *err)
{
	if (s->keys_len == s->keys_cap) {
		size_t cap = s->keys_cap * 2 + 256;
		struct key *grown = reallocarray(s->keys, cap, sizeof(*grown));

		if (!grown)
			return no_memory(err);
		s->keys = grown;
		s->keys_cap = cap;
	}
	s->keys[s->keys_len++] = (struct key){hash, term};
	return 0;
}

static int new_term(
    struct synonyms *s, const char *text, size_t len, struct term **ret, struct ark_error *err)
{
	char *copy;

	if (s->terms_len == s->terms_cap) {
		size_t cap = s->terms_cap * 2 + 256;
		struct term *grown = reallocarray(s->terms, cap, sizeof(*grown));

		if (!grown)
			return no_memory(err);
		s->terms = grown;
		s->terms_cap = cap;
	}
	copy = strndup(text, len);
	if (!copy)
		return no_memory(err);
	*ret = &s->terms[s->terms_len++];
	**ret = (struct term){.text = copy};
	return 0;
}

static int each_entry(void *arg)
{
	struct maker *m = arg;

	m->made->entries_len++;
	return 0;
}

static int each_term(void *arg, enum analyse_language language, const char *text, size_t len)
{
	struct maker *m = arg;
	struct synonyms *s = m->made;
	struct term *t = NULL;
	const char *form;
	struct word w;
	size_t pos = 0;
	int r = new_term(s, text, len, &t, m->err);

	if (r)
		return r;
	t->entry = (uint32_t)s->entries_len;
	t->language = language;
	while (!r && t->words_len < SYNONYM_WORDS_MAX && words_next(text, len, &pos, &w)) {
		t->word[t->words_len++] = (uint32_t)s->forms.len;
		r = add_forms(&s->forms, m->analyser, language, w.text, w.text_len, m->err);
	}
	for (form = r ? "" : s->forms.data + t->word[0]; !r && *form; form += strlen(form) + 1)
		r = add_key(s, hash_of(language, form), (uint32_t)(t - s->terms), m->err);
	return r;
}

static int by_hash(const void *a, const void *b)
{
	const struct key *x = a, *y = b;

	if (x->hash != y->hash)
		return x->hash < y->hash ? -1 : 1;
	return x->term < y->term ? -1 : x->term > y->term;
}

int synonyms_new(
    struct analyser *a, const json_t *table, struct synonyms **ret, struct ark_error *err)
{
	struct synonyms *s = calloc(1, sizeof(*s));
	struct maker m = {s, a, err};
	const struct synonyms_reader reader = {each_term, each_entry, &m};
	int r;

	if (!s)
		return no_memory(err);
	atomic_init(&s->refs, 1);
	r = table ? synonyms_read_table(table, &reader, err) : ARK_OK;
	if (!r && (!table || !json_is_false(json_object_get(table, "shipped"))))
		r = synonyms_read_shipped(&reader, err);
	if (r) {
		synonyms_unref(s);
		return r;
	}
	if (s->keys_len)
		qsort(s->keys, s->keys_len, sizeof(*s->keys), by_hash);
	*ret = s;
	return ARK_OK;
}

struct synonyms *synonyms_ref(struct synonyms *s)
{
	atomic_fetch_add(&s->refs, 1);
	return s;
}

void synonyms_unref(struct synonyms *s)
{
	size_t i;

	if (!s || atomic_fetch_sub(&s->refs, 1) != 1)
		return;
	for (i = 0; i < s->terms_len; i++)
		free(s->terms[i].text);
	free(s->terms);
	free(s->keys);
	buf_free(&s->forms);
	free(s);
}

size_t synonyms_len(const struct synonyms *s)
{
	return s->entries_len;
}

/* ---- looking up ---- */

#define MET_MAX 64u

/* The words typed, and their forms as far as they were needed. */
struct typed {
	const struct synonyms *table;
	struct analyser *analyser;
	const char *const *words;
	size_t words_len;
	struct buf forms[SYNONYM_WORDS_MAX][ANALYSE_LANGUAGES];
	uint32_t met[MET_MAX]; /* terms of `met_words` words that stand there */
	size_t met_len, met_words;
	struct ark_error *err;
};

static int need_forms(struct typed *t, size_t i, enum analyse_language language)
{
	struct buf *b = &t->forms[i][language];

	if (b->len)
		return 0;
	return add_forms(b, t->analyser, language, t->words[i], strlen(t->words[i]), t->err);
}

/* Does the term stand there? Its first word's forms are known. */
static int stands(struct typed *t, const struct term *term, bool *ret)
{
	size_t i;
	int r = 0;

	*ret = term->words_len <= t->words_len;
	for (i = 0; !r && *ret && i < term->words_len; i++) {
		r = need_forms(t, i, term->language);
		if (!r)
			*ret = share_a_form(
			    t->table->forms.data + term->word[i], t->forms[i][term->language].data);
	}
	return r;
}

static void meet(struct typed *t, uint32_t term)
{
	size_t words = t->table->terms[term].words_len, i;

	if (words < t->met_words)
		return;
	if (words > t->met_words) {
		t->met_words = words;
		t->met_len = 0;
	}
	for (i = 0; i < t->met_len; i++)
		if (t->met[i] == term)
			return;
	if (t->met_len < MET_MAX)
		t->met[t->met_len++] = term;
}

static size_t first_key(const struct synonyms *s, uint64_t hash)
{
	size_t low = 0, high = s->keys_len;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (s->keys[middle].hash < hash)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static int look_up(struct typed *t, enum analyse_language language)
{
	const struct synonyms *s = t->table;
	const char *form;
	bool there;
	size_t i;
	int r = need_forms(t, 0, language);

	for (form = r ? "" : t->forms[0][language].data; !r && *form; form += strlen(form) + 1) {
		uint64_t hash = hash_of(language, form);

		for (i = first_key(s, hash); !r && i < s->keys_len && s->keys[i].hash == hash;
		     i++) {
			r = stands(t, &s->terms[s->keys[i].term], &there);
			if (!r && there)
				meet(t, s->keys[i].term);
		}
	}
	return r;
}

static bool told_before(const struct synonyms *s, const uint32_t *terms, size_t n, uint32_t term)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (terms[i] == term || !strcasecmp(s->terms[terms[i]].text, s->terms[term].text))
			return true;
	return false;
}

/* All terms of the entries of what was met, but that itself, each writing once. */
static int tell(const struct typed *t, synonyms_each each, void *arg)
{
	const struct synonyms *s = t->table;
	uint32_t told[MET_MAX + SYNONYM_TERMS_MAX * 4], term;
	size_t told_len = t->met_len, i;
	int r = 0;

	memcpy(told, t->met, t->met_len * sizeof(*told));
	for (i = 0; i < t->met_len; i++) {
		for (term = t->met[i]; term && s->terms[term - 1].entry == s->terms[term].entry;)
			term--;
		for (;
		     !r && term < s->terms_len && s->terms[term].entry == s->terms[t->met[i]].entry;
		     term++) {
			if (told_before(s, told, told_len, term))
				continue;
			if (told_len == sizeof(told) / sizeof(told[0]))
				return 0;
			told[told_len++] = term;
			r = each(arg, s->terms[term].language, s->terms[term].text);
		}
	}
	return r;
}

int synonyms_find(const struct synonyms *s, struct analyser *a, const char *const *words, size_t n,
    synonyms_each each, void *arg, size_t *ret_taken, struct ark_error *err)
{
	struct typed t = {.table = s, .analyser = a, .words = words, .words_len = n, .err = err};
	size_t i;
	int l, r = 0;

	if (t.words_len > SYNONYM_WORDS_MAX)
		t.words_len = SYNONYM_WORDS_MAX;
	for (l = 0; !r && t.words_len && l < ANALYSE_LANGUAGES; l++)
		r = look_up(&t, (enum analyse_language)l);
	*ret_taken = r ? 0 : t.met_words;
	if (!r && t.met_words)
		r = tell(&t, each, arg);
	for (i = 0; i < SYNONYM_WORDS_MAX; i++)
		for (l = 0; l < ANALYSE_LANGUAGES; l++)
			buf_free(&t.forms[i][l]);
	return r;
}

int synonyms_begin_with(const struct synonyms *s, const char *prefix, synonyms_each each, void *arg)
{
	char lower[ANALYSE_WORD_MAX + 1];
	size_t i, n = strlen(prefix);
	int r = 0;

	for (i = 0; !r && i < s->terms_len; i++) {
		words_lower(lower, s->terms[i].text, strlen(s->terms[i].text));
		if (!strncmp(lower, prefix, n))
			r = each(arg, s->terms[i].language, s->terms[i].text);
	}
	return r;
}
