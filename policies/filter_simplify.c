/* AND and OR of formulas, simplified. Everything is said of AND; filter_or()
 * negates its parts and its answer.
 *
 * The parts of an AND are literals (a leaf or its negation) and ORs. In turn, until
 * nothing changes: flatten, sort, drop repetitions; drop what a literal implies; drop
 * ORs that a literal makes true, shorten those of which it makes a part false; drop ORs
 * that hold all of another's parts; draw out what ORs have in common.
 * Each step leaves fewer leaves than there were, so it ends.
 */
#include "policies/filter_private.h"

#include <stdlib.h>
#include <string.h>

enum {
	/* what is compared pair by pair is compared up to here: a simplification, not the meaning */
	PAIRS_MAX = 64,
	PARTS_MAX = 4096,                       /* in which something common is looked for */
	DRAWN_DEPTH_MAX = FILTER_DEPTH_MAX - 3, /* leaves room for what is put above */
	LIST_FIRST = 48,
	SORTED_BY_HAND = 32,
};

struct list {
	uint32_t first[LIST_FIRST];
	uint32_t *items; /* first, or allocated */
	size_t len, cap;
	bool failed;
};

static void list_begin(struct list *l)
{
	l->items = l->first;
	l->len = 0;
	l->cap = LIST_FIRST;
	l->failed = false;
}

static void list_end(struct list *l)
{
	if (l->items != l->first)
		free(l->items);
}

static void list_add(struct list *l, uint32_t item)
{
	if (l->len == l->cap) {
		size_t cap = l->cap * 2;
		uint32_t *items = l->items == l->first ? malloc(cap * sizeof(*items))
						       : realloc(l->items, cap * sizeof(*items));

		if (!items) {
			l->failed = true;
			return;
		}
		if (l->items == l->first)
			memcpy(items, l->first, sizeof(l->first));
		l->items = items;
		l->cap = cap;
	}
	l->items[l->len++] = item;
}

static int by_number(const void *a, const void *b)
{
	const uint32_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

/* Lists are short, or sorted runs one after another. */
static void sort(struct list *l)
{
	if (l->len > SORTED_BY_HAND) {
		qsort(l->items, l->len, sizeof(*l->items), by_number);
		return;
	}
	for (size_t i = 1; i < l->len; i++) {
		uint32_t item = l->items[i];
		size_t k = i;

		for (; k > 0 && l->items[k - 1] > item; k--)
			l->items[k] = l->items[k - 1];
		l->items[k] = item;
	}
}

static bool sorted_has(const uint32_t *items, size_t len, uint32_t item)
{
	size_t low = 0;

	while (len) {
		size_t half = len / 2;

		if (items[low + half] == item)
			return true;
		if (items[low + half] < item) {
			low += half + 1;
			len -= half + 1;
		} else {
			len = half;
		}
	}
	return false;
}

/* ---- what leaves say of each other ---- */

bool filter_has_one_value(uint8_t attribute)
{
	switch ((enum access_attribute)attribute) {
	case ACCESS_ATTR_PUBLICITY:
	case ACCESS_ATTR_AUTHOR:
	case ACCESS_ATTR_STATE:
	case ACCESS_ATTR_TYPE:
	case ACCESS_ATTR_UNIT_COUNT:
	case ACCESS_ATTR_VISIT_DATE:
	case ACCESS_ATTR_DATE:
		return true;
	case ACCESS_ATTR_COUNTY:
	case ACCESS_ATTR_UNIT:
	case ACCESS_ATTR_ADDRESSEE:
	case ACCESS_ATTR_RENDITION:
		break;
	}
	return false;
}

/* Days are compared as text, all of one length. */
static int by_day(const struct filter_node *a, const struct filter_node *b)
{
	size_t len = a->value.len < b->value.len ? a->value.len : b->value.len;

	return memcmp(a->value.bytes, b->value.bytes, len);
}

/* Where leaf a holds, leaf b does. They are two leaves of one attribute. */
static bool leaf_implies(const struct filter_node *a, const struct filter_node *b)
{
	if (b->op == ACCESS_OP_PRESENT)
		return true;
	return b->op == ACCESS_OP_UPTO && a->op != ACCESS_OP_PRESENT && by_day(a, b) <= 0;
}

/* Where leaf a holds, leaf b does not. */
static bool leaf_excludes(const struct filter_node *a, const struct filter_node *b)
{
	if (a->op == ACCESS_OP_HAS && b->op == ACCESS_OP_HAS)
		return filter_has_one_value(a->attribute);
	if (a->op == ACCESS_OP_HAS && b->op == ACCESS_OP_UPTO)
		return by_day(a, b) > 0;
	return a->op == ACCESS_OP_UPTO && b->op == ACCESS_OP_HAS && by_day(b, a) > 0;
}

static bool implies(const struct filter_maker *m, uint32_t a, uint32_t b)
{
	const struct filter_node *x = filter_node_of(m, a), *y = filter_node_of(m, b);

	if (a == b)
		return true;
	if (x == y || x->attribute != y->attribute)
		return false;
	if (!(a & 1U))
		return b & 1U ? leaf_excludes(x, y) : leaf_implies(x, y);
	return b & 1U && leaf_implies(y, x);
}

/* ---- the steps: each answers whether it changed the list; a part that became ALL goes at the
 * next sorting, one that became NONE makes the whole NONE ---- */

/* Children of ANDs in their place; false when the whole is NONE. */
static bool tidy(const struct filter_maker *m, struct list *l)
{
	size_t n = l->len, kept = 0;

	for (size_t i = 0; i < n && !l->failed; i++) {
		const struct filter_node *node = filter_node_of(m, l->items[i]);

		if (node->op != ACCESS_OP_AND || l->items[i] & 1U)
			continue;
		l->items[i] = FILTER_ALL;
		for (uint32_t k = 0; k < node->len; k++)
			list_add(l, node->child[k]);
	}
	for (size_t i = 1; i < l->len; i++) {
		if (l->items[i - 1] > l->items[i]) {
			sort(l);
			break;
		}
	}
	for (size_t i = 0; i < l->len; i++) {
		uint32_t item = l->items[i];

		if (item == FILTER_NONE || (kept && (l->items[kept - 1] ^ 1U) == item))
			return false;
		if (item != FILTER_ALL && (!kept || l->items[kept - 1] != item))
			l->items[kept++] = item;
	}
	l->len = kept;
	return true;
}

/* Where in the list such parts stand, at most PAIRS_MAX of them; 0 when there are more. */
static size_t find_some(const struct filter_maker *m, const struct list *l,
    bool (*wanted)(const struct filter_maker *m, uint32_t formula), size_t at[PAIRS_MAX])
{
	size_t n = 0;

	for (size_t i = 0; i < l->len; i++) {
		if (!wanted(m, l->items[i]))
			continue;
		if (n == PAIRS_MAX)
			return 0;
		at[n++] = i;
	}
	return n;
}

/* May another literal imply or exclude it? */
static bool is_telling(const struct filter_maker *m, uint32_t formula)
{
	return filter_is_literal(m, formula) &&
	       filter_has_one_value(filter_node_of(m, formula)->attribute);
}

static bool drop_implied(const struct filter_maker *m, struct list *l)
{
	size_t at[PAIRS_MAX], n = find_some(m, l, is_telling, at);
	bool changed = false;

	for (size_t i = 0; i < n; i++) {
		for (size_t k = 0; k < n; k++) {
			uint32_t a = l->items[at[i]], b = l->items[at[k]];

			if (i == k || a == FILTER_ALL || b == FILTER_ALL)
				continue;
			if (implies(m, a, filter_not(b))) {
				l->items[0] = FILTER_NONE;
				return true;
			}
			if (implies(m, a, b)) {
				l->items[at[k]] = FILTER_ALL;
				changed = true;
			}
		}
	}
	return changed;
}

/* Of the literals, which are sorted: does one say that the part holds? */
static bool decided(const struct filter_maker *m, const struct list *literals, uint32_t part)
{
	if (sorted_has(literals->items, literals->len, part))
		return true;
	if (literals->len > PAIRS_MAX || !is_telling(m, part))
		return false;
	for (size_t i = 0; i < literals->len; i++)
		if (implies(m, literals->items[i], part))
			return true;
	return false;
}

/* The OR without the parts that a literal makes false; ALL when one is true. */
static uint32_t shorten(struct filter_maker *m, const struct list *literals, uint32_t formula)
{
	const struct filter_node *n = filter_node_of(m, formula);
	struct list rest;
	uint32_t ret = formula;

	list_begin(&rest);
	for (uint32_t i = 0; i < n->len; i++) {
		uint32_t part = filter_not(n->child[i]);

		if (decided(m, literals, part)) {
			ret = FILTER_ALL;
			goto out;
		}
		if (!decided(m, literals, filter_not(part)))
			list_add(&rest, part);
	}
	if (rest.failed)
		m->failed = true;
	else if (rest.len < n->len)
		ret = filter_or(m, rest.items, rest.len);
out:
	list_end(&rest);
	return ret;
}

/* May a literal decide a part of the OR? Most share nothing: then its parts are not looked at. */
static bool touches(const struct filter_maker *m, const struct list *literals, uint32_t formula)
{
	const struct filter_node *n = filter_node_of(m, formula);

	for (size_t i = 0; i < literals->len; i++) {
		uint32_t literal = literals->items[i];

		if ((is_telling(m, literal) &&
			n->telling >> filter_node_of(m, literal)->attribute & 1U) ||
		    sorted_has(n->child, n->len, literal) ||
		    sorted_has(n->child, n->len, filter_not(literal)))
			return true;
	}
	return false;
}

static bool shorten_ors(struct filter_maker *m, struct list *l)
{
	struct list literals;
	bool changed = false;

	list_begin(&literals);
	for (size_t i = 0; i < l->len; i++)
		if (filter_is_literal(m, l->items[i]))
			list_add(&literals, l->items[i]);
	if (literals.failed)
		m->failed = true;
	for (size_t i = 0; i < l->len && literals.len && !m->failed; i++) {
		if (filter_is_or(m, l->items[i]) && touches(m, &literals, l->items[i])) {
			uint32_t shorter = shorten(m, &literals, l->items[i]);

			changed = changed || shorter != l->items[i];
			l->items[i] = shorter;
		}
	}
	list_end(&literals);
	return changed;
}

/* Are all of a's children b's too? Both are in order. */
static bool is_subset(const struct filter_node *a, const struct filter_node *b)
{
	uint32_t k = 0;

	if (a->len > b->len)
		return false;
	for (uint32_t i = 0; i < a->len; i++) {
		while (k < b->len && b->child[k] < a->child[i])
			k++;
		if (k == b->len || b->child[k++] != a->child[i])
			return false;
	}
	return true;
}

/* (a or b) makes (a or b or c) true. */
static bool drop_wider(const struct filter_maker *m, struct list *l)
{
	size_t at[PAIRS_MAX], n = find_some(m, l, filter_is_or, at);
	bool changed = false;

	for (size_t i = 0; i < n; i++) {
		for (size_t k = 0; k < n; k++) {
			uint32_t a = l->items[at[i]], b = l->items[at[k]];

			if (i == k || a == FILTER_ALL || b == FILTER_ALL ||
			    !is_subset(filter_node_of(m, a), filter_node_of(m, b)))
				continue;
			l->items[at[k]] = FILTER_ALL;
			changed = true;
		}
	}
	return changed;
}

/* Of the children of these ORs the one that saves most when it is drawn out; FILTER_ALL: none is
 * in two of them. */
static uint32_t find_common(
    struct filter_maker *m, const struct list *l, const size_t *at, size_t n)
{
	struct list all;
	uint32_t best = FILTER_ALL;
	uint64_t most = 0;
	size_t same = 0;

	list_begin(&all);
	for (size_t i = 0; i < n && all.len <= PARTS_MAX; i++) {
		const struct filter_node *node = filter_node_of(m, l->items[at[i]]);

		for (uint32_t k = 0; k < node->len && all.len <= PARTS_MAX; k++)
			list_add(&all, node->child[k]);
	}
	if (all.failed)
		m->failed = true;
	if (all.failed || all.len > PARTS_MAX)
		goto out;
	sort(&all);
	for (size_t i = 1; i < all.len; i++) {
		same = all.items[i] == all.items[i - 1] ? same + 1 : 0;
		if (same * (uint64_t)filter_node_of(m, all.items[i])->leaves > most) {
			most = same * (uint64_t)filter_node_of(m, all.items[i])->leaves;
			best = all.items[i];
		}
	}
out:
	list_end(&all);
	return best;
}

/* The OR without that child. */
static uint32_t without(struct filter_maker *m, uint32_t formula, uint32_t child)
{
	const struct filter_node *n = filter_node_of(m, formula);
	struct list rest;
	uint32_t ret = FILTER_NONE;

	list_begin(&rest);
	for (uint32_t k = 0; k < n->len; k++)
		if (n->child[k] != child)
			list_add(&rest, filter_not(n->child[k]));
	if (rest.failed)
		m->failed = true;
	else
		ret = filter_or(m, rest.items, rest.len);
	list_end(&rest);
	return ret;
}

/* (a or b) and (a or c) is a or (b and c). Not where it would become deeper than can be built. */
static bool draw_out(struct filter_maker *m, struct list *l)
{
	size_t at[PAIRS_MAX], n = find_some(m, l, filter_is_or, at), drawn = 0;
	uint32_t rests[PAIRS_MAX], common, whole;
	const struct filter_node *node;

	common = n > 1 ? find_common(m, l, at, n) : (uint32_t)FILTER_ALL;
	if (common == FILTER_ALL)
		return false;
	for (size_t i = 0; i < n; i++) {
		node = filter_node_of(m, l->items[at[i]]);
		if (!sorted_has(node->child, node->len, common))
			continue;
		rests[drawn] = without(m, l->items[at[i]], common);
		at[drawn++] = at[i];
	}
	whole = filter_or2(m, filter_not(common), filter_and(m, rests, drawn));
	node = filter_node_of(m, whole);
	if (m->failed || node->depth[0] > DRAWN_DEPTH_MAX || node->depth[1] > DRAWN_DEPTH_MAX)
		return false;
	for (size_t i = 0; i < drawn; i++)
		l->items[at[i]] = i ? (uint32_t)FILTER_ALL : whole;
	return true;
}

uint32_t filter_and(struct filter_maker *m, const uint32_t *formulas, size_t n)
{
	struct list l;
	bool changed = true;
	uint32_t ret = FILTER_NONE;

	list_begin(&l);
	for (size_t i = 0; i < n; i++)
		list_add(&l, formulas[i]);
	while (changed) {
		m->failed = m->failed || l.failed;
		if (m->failed || !tidy(m, &l))
			goto out;
		changed = l.len > 1 && (drop_implied(m, &l) || shorten_ors(m, &l) ||
					   drop_wider(m, &l) || draw_out(m, &l));
	}
	m->failed = m->failed || l.failed;
	if (m->failed)
		goto out;
	ret = l.len == 0   ? (uint32_t)FILTER_ALL
	      : l.len == 1 ? l.items[0]
			   : filter_intern_and(m, l.items, l.len);
out:
	list_end(&l);
	return ret;
}

uint32_t filter_or(struct filter_maker *m, const uint32_t *formulas, size_t n)
{
	struct list l;
	uint32_t ret = FILTER_NONE;

	list_begin(&l);
	for (size_t i = 0; i < n; i++)
		list_add(&l, filter_not(formulas[i]));
	if (l.failed)
		m->failed = true;
	else
		ret = filter_not(filter_and(m, l.items, l.len));
	list_end(&l);
	return m->failed ? (uint32_t)FILTER_NONE : ret;
}

uint32_t filter_and2(struct filter_maker *m, uint32_t a, uint32_t b)
{
	uint32_t both[2] = {a < b ? a : b, a < b ? b : a};
	struct filter_pair *kept = &m->pairs[(both[0] * 31 + both[1]) % FILTER_PAIRS];

	if (m->failed || both[0] == FILTER_NONE || both[1] == FILTER_NONE || a == filter_not(b))
		return FILTER_NONE;
	if (both[0] == FILTER_ALL || a == b)
		return both[1];
	if (kept->a != both[0] || kept->b != both[1])
		*kept = (struct filter_pair){both[0], both[1], filter_and(m, both, 2)};
	return m->failed ? (uint32_t)FILTER_NONE : kept->together;
}

uint32_t filter_or2(struct filter_maker *m, uint32_t a, uint32_t b)
{
	uint32_t neither = filter_and2(m, filter_not(a), filter_not(b));

	return m->failed ? (uint32_t)FILTER_NONE : filter_not(neither);
}
