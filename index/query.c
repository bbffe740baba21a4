/* Operators and parentheses.
 *
 * A parenthesis that is open is a frame: a ONE_OF of ALL of LIST, whatever is in it, and what has one
 * child goes when it closes. So an operator without a right side is found when the next one comes, or the
 * end, and is put as a word into the list before it.
 */
#include "index/query_internal.h"

#include <glib.h>
#include <stdlib.h>
#include <string.h>

enum op { OP_NONE, OP_AND, OP_OR, OP_NOT };

struct frame {
	struct query_node *one_of;
	enum query_occur sign;
	bool excluded; /* it or one around it */
	size_t from;
	enum op pending; /* that its right side is not there yet */
	size_t pending_from, pending_len;
};

struct frames {
	struct frame open[QUERY_DEPTH_MAX + 1];
	size_t depth;   /* of the one in hand */
	size_t skipped; /* parentheses open beyond the bound */
};

static const struct {
	const char *text;
	enum op is;
	bool native; /* not English: also a word that may stand in capitals */
} operators[] = {
    {"AND", OP_AND, false},
    {"OR", OP_OR, false},
    {"NOT", OP_NOT, false},
    {"JA", OP_AND, true},
    {"TAI", OP_OR, true},
    {"EI", OP_NOT, true},
    {"OCH", OP_AND, true},
    {"ELLER", OP_OR, true},
    {"INTE", OP_NOT, true},
};

/* The operator that is the whole chunk at `at`. */
static enum op operator_at(const struct query_parser *p, size_t at, size_t *ret_len)
{
	size_t i, len = query_chunk_len(p->q, at, at + 6 < p->len ? at + 6 : p->len);

	for (i = 0; i < sizeof(operators) / sizeof(operators[0]); i++)
		if (strlen(operators[i].text) == len &&
		    !memcmp(operators[i].text, p->q + at, len) &&
		    (p->has_lower || !operators[i].native)) {
			*ret_len = len;
			return operators[i].is;
		}
	return OP_NONE;
}

static bool item_at(const struct query_parser *p, size_t at)
{
	return at < p->len && (p->q[at] == '(' || query_quote_len(p->q + at) ||
				  query_word_at(p->q + at, p->len - at));
}

static struct query_node *last_child(const struct query_node *n)
{
	return n->children[n->children_len - 1];
}

static void use_last_list(struct query_parser *p, const struct frame *f)
{
	p->list = last_child(last_child(f->one_of));
}

/* Into a frame, an ALL with an empty LIST; into an ALL, an empty LIST. */
static int add_side(struct query_parser *p, struct frame *f, bool new_all)
{
	struct query_node *n = NULL;
	int r = 0;

	if (new_all) {
		r = query_node_new(p, QUERY_ALL, p->at, 0, &n);
		if (!r)
			r = query_node_add(p, f->one_of, n);
	}
	if (!r)
		r = query_node_new(p, QUERY_LIST, p->at, 0, &n);
	if (!r)
		r = query_node_add(p, last_child(f->one_of), n);
	if (!r)
		use_last_list(p, f);
	return r;
}

static int frame_begin(struct query_parser *p, struct frame *f)
{
	int r = query_node_new(p, QUERY_ONE_OF, p->at, 0, &f->one_of);

	return r ? r : add_side(p, f, true);
}

static int bare_operator(struct query_parser *p, size_t from, size_t len)
{
	query_note(p, NOTE_BARE_OPERATOR, from, len);
	p->sign = QUERY_SHOULD;
	return query_chunk(p, from, len);
}

static void drop_last(struct query_node *n)
{
	query_node_free(n->children[--n->children_len]);
}

/* The pending operator has no right side: its side goes, and it is a word of the list before. */
static int demote_pending(struct query_parser *p, struct frame *f)
{
	enum op was = f->pending;

	f->pending = OP_NONE;
	if (was == OP_NONE || p->list->children_len)
		return 0;
	drop_last(was == OP_OR ? f->one_of : last_child(f->one_of));
	use_last_list(p, f);
	return bare_operator(p, f->pending_from, f->pending_len);
}

static int read_binary(struct query_parser *p, struct frame *f, enum op is, size_t len)
{
	size_t from = p->at;
	int r = demote_pending(p, f);

	p->at += len;
	if (r)
		return r;
	if (p->operators == QUERY_OPERATORS_MAX) {
		query_note_once(p, NOTE_TOO_MANY_OPERATORS, from, len);
		p->sign = QUERY_SHOULD;
		return query_chunk(p, from, len);
	}
	if (!p->list->children_len)
		return bare_operator(p, from, len);
	p->operators++;
	f->pending = is;
	f->pending_from = from;
	f->pending_len = len;
	return add_side(p, f, is == OP_OR);
}

/* NOT is a minus with a space behind it. */
static int read_not(struct query_parser *p, size_t len)
{
	size_t from = p->at, at = from + len, n, ignored;

	while (at < p->len && (n = query_space_len(p->q + at)))
		at += n;
	p->at = from + len;
	if (!item_at(p, at) || operator_at(p, at, &ignored) != OP_NONE)
		return bare_operator(p, from, len);
	p->at = at;
	p->sign = QUERY_MUST_NOT;
	return 0;
}

/* ---- closing ---- */

/* Takes the only child out of n, which goes; else n itself. */
static struct query_node *without_shell(struct query_node *n)
{
	struct query_node *child = n->children_len == 1 ? n->children[0] : NULL;

	if (!child || (n->kind == QUERY_LIST && child->occur == QUERY_MUST_NOT))
		return n;
	child->occur = query_node_is_filter(child) ? QUERY_MUST : QUERY_SHOULD;
	n->children_len = 0;
	query_node_free(n);
	return child;
}

static void say_where(struct query_node *n)
{
	const struct query_node *last;

	if (!n->children_len)
		return;
	last = last_child(n);
	n->from = n->children[0]->from;
	n->len = last->from + last->len > n->from ? last->from + last->len - n->from : 0;
}

static bool only_excludes(const struct query_node *list)
{
	size_t i;

	for (i = 0; i < list->children_len; i++)
		if (list->children[i]->occur != QUERY_MUST_NOT)
			return false;
	return list->children_len > 0;
}

/* Everything but that: it may be meant, but the searcher is told. */
static void note_only_excluded(
    struct query_parser *p, const struct frame *f, const struct query_node *all)
{
	size_t i;

	for (i = 0; i < all->children_len; i++)
		if (!only_excludes(all->children[i]))
			return;
	if (f->sign == QUERY_SHOULD && !f->excluded)
		query_note(p, NOTE_ONLY_EXCLUDED, all->from, all->len);
}

/* What the frame holds, NULL when that is nothing. */
static int frame_end(struct query_parser *p, struct frame *f, struct query_node **ret)
{
	int r = demote_pending(p, f);
	struct query_node *all;
	size_t i, j;

	if (r)
		return r;
	for (i = 0; i < f->one_of->children_len; i++) {
		all = f->one_of->children[i];
		for (j = 0; j < all->children_len; j++)
			say_where(all->children[j]);
		say_where(all);
		note_only_excluded(p, f, all);
		for (j = 0; j < all->children_len; j++)
			all->children[j] = without_shell(all->children[j]);
		f->one_of->children[i] = without_shell(all);
	}
	say_where(f->one_of);
	*ret = without_shell(f->one_of);
	f->one_of = NULL;
	if ((*ret)->kind == QUERY_LIST && !(*ret)->children_len) {
		query_node_free(*ret);
		*ret = NULL;
	}
	return 0;
}

/* ---- parentheses ---- */

static int open_paren(struct query_parser *p, struct frames *s)
{
	const struct frame *around = &s->open[s->depth];
	struct frame *f;

	p->at++;
	if (s->depth == QUERY_DEPTH_MAX) {
		query_note_once(p, NOTE_TOO_DEEP, p->at - 1, 1);
		s->skipped++;
		p->sign = QUERY_SHOULD;
		return 0;
	}
	f = &s->open[++s->depth];
	*f = (struct frame){.sign = p->sign,
	    .excluded = around->excluded || p->sign == QUERY_MUST_NOT,
	    .from = p->at - 1};
	p->sign = QUERY_SHOULD;
	return frame_begin(p, f);
}

static int close_frame(struct query_parser *p, struct frames *s)
{
	struct frame *f = &s->open[s->depth];
	struct query_node *n = NULL;
	int r = frame_end(p, f, &n);

	if (r)
		return r;
	use_last_list(p, &s->open[--s->depth]);
	p->sign = f->sign;
	r = query_emit(p, n);
	p->sign = QUERY_SHOULD;
	return r;
}

static int close_paren(struct query_parser *p, struct frames *s)
{
	size_t from = p->at++;

	if (s->skipped) {
		s->skipped--;
		return 0;
	}
	if (s->depth)
		return close_frame(p, s);
	query_note(p, NOTE_STRAY_PAREN, from, 1);
	return 0;
}

/* ---- items ---- */

/* False: it is never closed, and p->at is behind its mark. */
static bool is_quotation(struct query_parser *p, size_t *ret_inside, size_t *ret_len)
{
	size_t open = p->at, inside = open + query_quote_len(p->q + open), close = inside;

	while (close < p->len && !query_quote_len(p->q + close))
		close++;
	if (close == p->len) { /* it was the last: what follows is read as if it were not there */
		query_note(p, NOTE_UNCLOSED_QUOTE, open, p->len - open);
		p->at = inside;
		return false;
	}
	p->at = close + query_quote_len(p->q + close);
	*ret_inside = inside;
	*ret_len = close - inside;
	return true;
}

static int read_item(struct query_parser *p)
{
	struct query_match m;
	size_t from, taken = 0;
	int r;

	if (query_quote_len(p->q + p->at)) {
		if (is_quotation(p, &from, &taken))
			return query_phrase(p, from, taken);
		if (!query_word_at(p->q + p->at, p->len - p->at))
			return 0;
	}
	from = p->at;
	if (query_number_match(p->q + from, p->len - from, &m)) {
		r = query_number(p, &m);
		p->at = from + m.behind;
		return r;
	}
	taken = 0;
	r = query_field(p, &taken);
	if (r || taken) {
		p->at = from + taken;
		return r;
	}
	taken = query_chunk_len(p->q, from, p->len);
	p->at = from + taken;
	return query_chunk(p, from, taken);
}

/* One step onwards from p->at. `apart`: behind a space, a parenthesis or nothing, where a sign is one. */
static int step(struct query_parser *p, struct frames *s, bool *apart)
{
	char c = p->q[p->at];
	size_t len = query_space_len(p->q + p->at);
	bool was_apart = *apart, has_sign = p->sign != QUERY_SHOULD;
	enum op is;
	int r;

	*apart = len || c == '(';
	if (len) {
		p->at += len;
		return 0;
	}
	if (c == '(')
		return open_paren(p, s);
	if (c == ')')
		return close_paren(p, s);
	if (was_apart && !has_sign && (c == '+' || c == '-') && item_at(p, p->at + 1)) {
		p->sign = c == '+' ? QUERY_MUST : QUERY_MUST_NOT;
		p->at++;
		return 0;
	}
	is = has_sign ? OP_NONE : operator_at(p, p->at, &len);
	if (is == OP_NOT)
		return read_not(p, len);
	if (is != OP_NONE)
		return read_binary(p, &s->open[s->depth], is, len);
	r = read_item(p);
	p->sign = QUERY_SHOULD;
	return r;
}

/* The root is a group whatever it holds. */
static int make_root(struct query_parser *p, struct query_node *n)
{
	struct query_node *list = NULL;
	int r;

	if (!n || query_node_is_group(n)) {
		p->query->root = n;
		return 0;
	}
	r = query_node_new(p, QUERY_LIST, n->from, n->len, &list);
	if (r) {
		query_node_free(n);
		return r;
	}
	p->query->root = list;
	return query_node_add(p, list, n);
}

static int read_all(struct query_parser *p)
{
	struct frames s = {.depth = 0};
	struct query_node *n = NULL;
	bool apart = true;
	size_t i;
	int r = frame_begin(p, &s.open[0]);

	while (!r && p->at < p->len)
		r = step(p, &s, &apart);
	if (!r && s.depth)
		query_note(p, NOTE_UNCLOSED_PAREN, s.open[s.depth].from, 1);
	while (!r && s.depth)
		r = close_frame(p, &s);
	if (!r)
		r = frame_end(p, &s.open[0], &n);
	if (!r)
		r = make_root(p, n);
	for (i = 0; i <= s.depth; i++)
		query_node_free(s.open[i].one_of);
	return r;
}

static bool has_lower_case(const char *q, size_t len)
{
	const char *end = q + len;
	gunichar c;

	while (q < end) {
		c = g_utf8_get_char_validated(q, end - q);
		if (c < 0x110000 && g_unichar_islower(c))
			return true;
		q += c < 0x110000 ? g_utf8_skip[(unsigned char)*q] : 1;
	}
	return false;
}

int query_parse(struct analyser *a, const char *q, const struct query_config *config,
    struct query **ret, struct ark_error *err)
{
	const char *language = config->language;
	struct query_parser p = {.q = q,
	    .len = strlen(q),
	    .analyser = a,
	    .config = config,
	    .languages = {true, true, true},
	    .err = err};
	enum analyse_language one;
	int r;

	if (p.len > SEARCH_QUERY_MAX)
		return ark_fail(
		    err, ARK_EINPUT, "the query is longer than %u bytes", SEARCH_QUERY_MAX);
	if (language && *language) {
		if (!analyse_language_parse(language, &one))
			return ark_fail(err, ARK_EINPUT, "the language is none of fi, sv, en");
		memset(p.languages, 0, sizeof(p.languages));
		p.languages[one] = true;
	}
	p.has_lower = has_lower_case(q, p.len);
	p.query = calloc(1, sizeof(*p.query));
	if (!p.query)
		return query_no_memory(err);
	r = read_all(&p);
	if (!r)
		r = query_add_also(&p);
	if (r)
		query_free(p.query);
	else
		*ret = p.query;
	return r;
}
