/* Compounds that were typed apart: "poikkeus lupa" also finds "poikkeuslupa", as writers of Finnish and Swedish
 * part them, and readers of them search by their parts.
 *
 * Words that stand beside each other in a list are put together and looked for as one word. No dictionary is
 * asked: what nobody wrote is not in the index, and is left out there. Where the first stands in another form before the
 * second (lapsi, suojelu: lastensuojelu), there are many forms, and libvoikko is asked which of them are of these words.
 */
#include "index/query_internal.h"

#include <stdlib.h>
#include <string.h>

#define JOINED_MAX                                                                                 \
	2u /* words of one; three found nothing more, as parts in a row have terms of their own */
#define PART_LETTERS_MIN 2u
#define LINKED_PAIRS 8u /* of a query: a form takes 30 us to judge, and a pair has some dozen */
#define LINKED_FORMS 4u /* of a pair */

/* Of letters alone: a number is no part of a compound. */
static bool is_part(const struct query_parser *p, const struct query_node *n)
{
	const char *text = p->q + n->from;
	size_t i;

	if (n->kind != QUERY_WORD || n->occur != QUERY_SHOULD || n->len < PART_LETTERS_MIN)
		return false;
	for (i = 0; i < n->len; i++)
		if ((unsigned char)text[i] < 0x80 && !(text[i] >= 'a' && text[i] <= 'z') &&
		    !(text[i] >= 'A' && text[i] <= 'Z'))
			return false;
	return true;
}

/* Parts of the whole are looked for already: they are the words themselves. */
static void drop_parts(struct query_node *n)
{
	size_t i, kept = 0;

	for (i = 0; i < n->terms_len; i++)
		if (n->terms[i].kind == ANALYSE_PART)
			free(n->terms[i].text);
		else
			n->terms[kept++] = n->terms[i];
	n->terms_len = kept;
}

static int whole_node(struct query_parser *p, const char *whole, size_t whole_len,
    const struct query_node *first, size_t len, struct query_node **ret)
{
	struct query_node *n = NULL;
	int l, r = query_node_new(p, QUERY_WORD, first->from, len, &n);

	for (l = 0; !r && l < ANALYSE_LANGUAGES; l++)
		if (p->languages[l])
			r = query_analyse(p, n, (enum analyse_language)l, whole, whole_len);
	if (r) {
		query_node_free(n);
		return r;
	}
	drop_parts(n);
	*ret = n;
	return 0;
}

/* n is taken, on failure too. */
static int add_also(struct query_parser *p, struct query_node *first, struct query_node *n,
    const char *whole, size_t whole_len)
{
	struct query_also *grown = reallocarray(first->also, first->also_len + 1, sizeof(*grown));
	char *because = strndup(whole, whole_len);

	if (grown)
		first->also = grown;
	if (!grown || !because) {
		free(because);
		query_node_free(n);
		return query_no_memory(p->err);
	}
	first->also[first->also_len++] =
	    (struct query_also){.node = n, .because = because, .joined = true};
	return 0;
}

static int add_whole(struct query_parser *p, struct query_node *first, const char *whole,
    size_t whole_len, size_t len)
{
	struct query_node *n = NULL;
	int r = whole_node(p, whole, whole_len, first, len, &n);

	return r ? r : add_also(p, first, n, whole, whole_len);
}

/* ---- the first word in another form ---- */

struct linking {
	struct query_parser *p;
	struct query_node *first;
	const struct query_node *second;
	enum analyse_language language;
	const char *typed; /* the second word, in lower case */
	size_t typed_len, len, n;
};

static bool has_term(const struct query_node *n, enum analyse_language language,
    enum analyse_kind kind, const struct query_term *like)
{
	for (size_t i = 0; i < n->terms_len; i++)
		if (n->terms[i].language == language && n->terms[i].kind == kind &&
		    n->terms[i].len == like->len &&
		    !memcmp(n->terms[i].text, like->text, like->len))
			return true;
	return false;
}

/* Is a part of the whole the word? */
static bool has_part(const struct query_node *whole, const struct query_node *word)
{
	for (size_t i = 0; i < word->terms_len; i++)
		if (word->terms[i].language == ANALYSE_FI && word->terms[i].kind == ANALYSE_LEMMA &&
		    has_term(whole, ANALYSE_FI, ANALYSE_PART, &word->terms[i]))
			return true;
	return false;
}

static bool is_there(const struct query_node *first, const char *whole, size_t len)
{
	for (size_t i = 0; i < first->also_len; i++)
		if (strlen(first->also[i].because) == len &&
		    !memcmp(first->also[i].because, whole, len))
			return true;
	return false;
}

static int try_form(void *arg, const char *form, size_t form_len)
{
	struct linking *l = arg;
	char whole[2 * ANALYSE_WORD_MAX + 16];
	size_t len = form_len + l->typed_len;
	struct query_node *n = NULL;
	int r;

	if (l->n == LINKED_FORMS || len > ANALYSE_WORD_MAX)
		return 0;
	memcpy(whole, form, form_len);
	memcpy(whole + form_len, l->typed, l->typed_len);
	if (is_there(l->first, whole, len))
		return 0;
	r = query_node_new(l->p, QUERY_WORD, l->first->from, l->len, &n);
	if (!r)
		r = query_analyse(l->p, n, l->language, whole, len);
	if (!r &&
	    (l->language != ANALYSE_FI || (has_part(n, l->first) && has_part(n, l->second)))) {
		drop_parts(n);
		l->n++;
		return add_also(l->p, l->first, n, whole, len);
	}
	query_node_free(n);
	return r;
}

static int add_linked(struct query_parser *p, struct query_node *first,
    const struct query_node *second, const char *typed, size_t typed_len)
{
	struct linking l = {p, first, second, ANALYSE_FI, typed, typed_len,
	    second->from + second->len - first->from, 0};
	int r = 0;

	/* its raw word is the first of its terms, whichever languages it has; whoever typed another form meant that one */
	for (size_t i = 1; !r && i < first->terms_len; i++) {
		const struct query_term *t = &first->terms[i];

		if (t->language == ANALYSE_FI && t->kind == ANALYSE_LEMMA &&
		    t->len == first->terms[0].len && !memcmp(t->text, first->terms[0].text, t->len))
			r = query_link_fi(t->text, t->len, try_form, &l);
	}
	l.language = ANALYSE_SV;
	/* what is one Finnish word is hardly a Swedish one */
	if (!r && !l.n && p->languages[ANALYSE_SV] && first->terms_len)
		r = query_link_sv(first->terms[0].text, first->terms[0].len, try_form, &l);
	return r;
}

/* ---- */

/* The words from child i on. */
static int join_at(struct query_parser *p, const struct query_node *list, size_t i)
{
	char whole[2 * ANALYSE_WORD_MAX + 2], word[ANALYSE_WORD_MAX + 1];
	struct query_node *first = list->children[i];
	size_t len = 0, k, at;
	int r = 0;

	for (k = i; !r && k < list->children_len && k < i + JOINED_MAX; k++) {
		const struct query_node *n = list->children[k];
		if (!is_part(p, n))
			break;
		words_normalise(word, p->q + n->from, n->len);
		at = len;
		len += words_lower(whole + len, word, strlen(word));
		if (len > ANALYSE_WORD_MAX)
			break;
		if (k > i)
			r = add_whole(p, first, whole, len, n->from + n->len - first->from);
		if (!r && k == i + 1 && i < LINKED_PAIRS)
			r = add_linked(p, first, n, whole + at, len - at);
	}
	return r;
}

int query_join(struct query_parser *p, struct query_node *in)
{
	size_t i;
	int r = 0;

	for (i = 0; !r && in->kind == QUERY_LIST && i < in->children_len; i++)
		r = join_at(p, in, i);
	return r;
}
