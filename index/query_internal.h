/* What the files of the query's reader share. Nothing here is for others: index/query.h is.
 *
 * query.c reads operators and parentheses; query_item.c words, phrases and wildcards; query_number.c dates,
 * diary numbers and sections; query_field.c field:value; query_also.c other words for the same; query_join.c compounds typed apart, and query_link.c their forms;
 * query_tree.c nodes; query_write.c the way back.
 */
#ifndef ARKKI_INDEX_QUERY_INTERNAL_H
#define ARKKI_INDEX_QUERY_INTERNAL_H

#include "index/query.h"
#include "index/words.h"

/* No tree is deeper: a parenthesis is a ONE_OF of ALL of LIST at most, and a leaf has two levels below it. */
#define QUERY_TREE_MAX (3 * (QUERY_DEPTH_MAX + 1) + 4)
#define QUERY_VALUE_MAX 400u /* bytes of a field's value */
#define QUERY_IDS_MAX 4096u  /* ids that one field:value may mean */

struct query_parser {
	const char *q;
	size_t len, at;
	struct analyser *analyser;
	const struct query_config *config;
	bool languages[ANALYSE_LANGUAGES];
	bool has_lower; /* JA, TAI, OCH … are words where nothing is in lower case */
	struct query *query;
	struct query_node *list; /* in hand */
	enum query_occur sign;   /* of the item in hand */
	size_t operators;
	struct ark_error *err;
};

/* ---- nodes (query_tree.c); every int is ARK_OK or ARK_ENOMEM ---- */
int query_no_memory(struct ark_error *err);
int query_node_new(
    struct query_parser *p, enum query_kind kind, size_t from, size_t len, struct query_node **ret);
void query_node_free(struct query_node *n); /* with all below it; takes NULL */
/* child is taken, on failure too. */
int query_node_add(struct query_parser *p, struct query_node *parent, struct query_node *child);
/* A WORD keeps equal terms once. */
int query_node_term(struct query_parser *p, struct query_node *n, enum analyse_language language,
    enum analyse_kind kind, const char *text, size_t len);
/* A value that is there is not added again. */
int query_node_value(struct query_parser *p, struct query_node *n, const char *value);
/* Takes b's text; b is empty after, on failure too. */
int query_node_written(struct query_parser *p, struct query_node *n, struct buf *b);
bool query_node_is_group(const struct query_node *n); /* written with its children */
bool query_node_is_filter(
    const struct query_node *n); /* a FIELD, DATES, or several of them in one piece */
bool query_node_equal(const struct query_node *a, const struct query_node *b); /* of leaves */

/* ---- reading ---- */
void query_note(struct query_parser *p, enum search_note_kind kind, size_t from, size_t len);
/* Once a query. */
void query_note_once(struct query_parser *p, enum search_note_kind kind, size_t from, size_t len);
/* Puts the node, which is taken, into the list in hand under the sign in hand; NULL, what is empty and
 * what was there before goes. */
int query_emit(struct query_parser *p, struct query_node *n);
/* Counts a word; false, with a note, when there were too many. */
bool query_take_word(struct query_parser *p, size_t from, size_t len);

/* ---- text (query_item.c) ---- */
size_t query_space_len(const char *p); /* of the white space or control character at p, or 0 */
size_t query_quote_len(const char *p);
/* Is it written like an operator, in any of the languages? */
bool query_is_operator(const char *text, size_t len);
/* Bytes from `at` to white space, a quotation mark, a parenthesis or the end. */
size_t query_chunk_len(const char *text, size_t at, size_t len);
bool query_word_at(const char *text, size_t len); /* does a word begin there? */

/* ---- items: each emits what stands at q[from, from + len) ---- */
int query_chunk(struct query_parser *p, size_t from, size_t len);
int query_phrase(struct query_parser *p, size_t from, size_t len);
/* Words with a digit among them, joined. */
int query_number_chunk(struct query_parser *p, size_t from, size_t len);
/* A phrase node of the words in text, not counted. */
int query_phrase_node(struct query_parser *p, const char *text, size_t text_len, size_t from,
    size_t len, struct query_node **ret);
int query_analyse(struct query_parser *p, struct query_node *n, enum analyse_language language,
    const char *word, size_t len);

/* Numbers of several words: "65 a §", "12. maaliskuuta 2024", "LVV 1234/2026". */
enum query_number { NUMBER_NONE, NUMBER_SECTION, NUMBER_DATE, NUMBER_DIARY };
struct query_match {
	enum query_number kind;
	size_t len, behind; /* of it, and with a case ending ("65 §:n") */
	size_t word[3], word_len[3], words;
	unsigned int day, month, year;
};
/* Is there one at the very beginning of text? */
bool query_number_match(const char *text, size_t len, struct query_match *ret);
int query_number(struct query_parser *p, const struct query_match *m);

/* The field:value at p->at, known or not; *ret_taken is its length, 0 when there is none. */
int query_field(struct query_parser *p, size_t *ret_taken);
bool query_is_field(
    const char *text, size_t len); /* does it begin with the name of one, and a colon? */
const char *query_field_name(enum search_field field);

/* Other words for the words of the tree, which is complete, but not for what is excluded. */
int query_add_also(struct query_parser *p);
/* Compounds that the words of a list would be, written as one; anything but a list is left as it is. */
int query_join(struct query_parser *p, struct query_node *in);

/* ---- forms before another part of a compound (query_link.c), pure ---- */
/* Non-zero stops and becomes the result. `form` is no string: it has len bytes. */
typedef int query_each_form(void *arg, const char *form, size_t len);
/* Of a base form in lower case, at most a few dozen, mostly of other words than this: ask libvoikko. */
int query_link_fi(const char *base, size_t len, query_each_form *each, void *arg);
int query_link_sv(const char *base, size_t len, query_each_form *each, void *arg);

/* ---- dates (query_date.c), pure ---- */
struct query_day {
	unsigned int year, month, day;
};
/* 12.3.2024, 2024-03-12. */
bool query_day_read(const char *text, size_t len, struct query_day *ret);
bool query_day_valid(struct query_day d);
/* A day, 2024-03, 3.2024, 3/2024, 2024; a..b with an end open; >a >=a <a <=a; a–b, a-b. "" where open. */
bool query_dates_read(const char *text, size_t len, char from[11], char to[11]);
/* 1 to 12, 0: no name of a month. In lower case; as a date has it, in Finnish the partitive. */
unsigned int query_month(const char *name);
const char *query_month_name(enum analyse_language language, unsigned int month);

#endif
