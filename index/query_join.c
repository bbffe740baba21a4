/* Compounds that were typed apart: "poikkeus lupa" also finds "poikkeuslupa", as writers of Finnish and Swedish
 * part them, and readers of them search by their parts.
 *
 * Words that stand beside each other in a list are put together and looked for as one word. No dictionary is
 * asked: what nobody wrote is not in the index, and is left out there.
 */
#include "index/query_internal.h"

#include <stdlib.h>
#include <string.h>

#define JOINED_MAX 3u /* words of one */
#define PART_LETTERS_MIN 2u

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

static int add_whole(struct query_parser *p, struct query_node *first, const char *whole,
    size_t whole_len, size_t len)
{
	struct query_also *grown = reallocarray(first->also, first->also_len + 1, sizeof(*grown));
	struct query_node *n = NULL;
	char *because;
	int r;

	if (!grown)
		return query_no_memory(p->err);
	first->also = grown;
	r = whole_node(p, whole, whole_len, first, len, &n);
	if (r)
		return r;
	because = strndup(whole, whole_len);
	if (!because) {
		query_node_free(n);
		return query_no_memory(p->err);
	}
	first->also[first->also_len++] =
	    (struct query_also){.node = n, .because = because, .joined = true};
	return 0;
}

/* The words from child i on, two and then more of them. */
static int join_at(struct query_parser *p, const struct query_node *list, size_t i)
{
	char whole[2 * ANALYSE_WORD_MAX + 2], word[ANALYSE_WORD_MAX + 1];
	struct query_node *first = list->children[i];
	size_t len = 0, k;
	int r = 0;

	for (k = i; !r && k < list->children_len && k < i + JOINED_MAX; k++) {
		const struct query_node *n = list->children[k];
		if (!is_part(p, n))
			break;
		words_normalise(word, p->q + n->from, n->len);
		len += words_lower(whole + len, word, strlen(word));
		if (len > ANALYSE_WORD_MAX)
			break;
		if (k > i)
			r = add_whole(p, first, whole, len, n->from + n->len - first->from);
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
