/* Sets of resources between two bounds, and what values of indexed attributes
 * mean as such sets. */
#include "policies/cedar_partial_private.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

/* Longer texts, empty ones and ones with NUL the index cannot answer for. */
enum { TEXT_MAX = 200 };
static const int64_t DAY_MS = 86400000;
static const int64_t FIRST_DAY = -719528; /* 0000-01-01 */
static const int64_t LAST_DAY = 2932896;  /* 9999-12-31 */

struct range range_not(struct range a)
{
	return (struct range){filter_not(a.upper), filter_not(a.lower)};
}

struct range range_and(struct partial *s, struct range a, struct range b)
{
	struct range r;

	r.lower = filter_and2(s->maker, a.lower, b.lower);
	r.upper = a.lower == a.upper && b.lower == b.upper
		      ? r.lower
		      : filter_and2(s->maker, a.upper, b.upper);
	return r;
}

struct range range_or(struct partial *s, struct range a, struct range b)
{
	return range_not(range_and(s, range_not(a), range_not(b)));
}

void partial_lose(struct partial *s)
{
	if (s->lost == CEDAR_NONE)
		s->lost = s->node;
}

struct range range_bounded(struct partial *s, struct range a)
{
	bool lower = filter_fits(s->maker, a.lower), upper = filter_fits(s->maker, a.upper);

	if (lower && upper)
		return a;
	partial_lose(s);
	return (struct range){
	    lower ? a.lower : (uint32_t)FILTER_NONE, upper ? a.upper : (uint32_t)FILTER_ALL};
}

/* ---- attributes ---- */

static struct range exactly(uint32_t formula)
{
	return (struct range){formula, formula};
}

struct range range_present(struct partial *s, const struct part *attribute)
{
	const struct cedar_indexed *x = attribute->indexed;

	if (!x->optional)
		return RANGE_ALL;
	if (x->kind == INDEX_DAY)
		return exactly(filter_leaf(
		    s->maker, ACCESS_OP_PRESENT, x->attribute, (struct cedar_text){"", 0}));
	return RANGE_UNKNOWN;
}

static struct range has_text(
    struct partial *s, const struct cedar_indexed *x, struct cedar_text text)
{
	if (text.len == 0 || text.len > TEXT_MAX || memchr(text.bytes, 0, text.len)) {
		partial_lose(s);
		return RANGE_UNKNOWN;
	}
	return exactly(filter_leaf(s->maker, ACCESS_OP_HAS, x->attribute, text));
}

/* Rounds down, before 1970 too. */
static int64_t day_of(int64_t ms)
{
	return ms / DAY_MS - (ms % DAY_MS < 0);
}

static void day_text(int64_t day, char out[16])
{
	time_t seconds = (time_t)(day * (DAY_MS / 1000));
	struct tm tm;

	gmtime_r(&seconds, &tm);
	snprintf(out, 16, "%04u-%02u-%02u", (unsigned int)(tm.tm_year + 1900) % 10000U,
	    (unsigned int)(tm.tm_mon + 1) % 100U, (unsigned int)tm.tm_mday % 100U);
}

static struct range has_day(struct partial *s, const struct part *attribute, int64_t ms)
{
	int64_t at;
	char text[16];

	if (__builtin_sub_overflow(ms, attribute->shift_ms, &at) || at % DAY_MS != 0 ||
	    at / DAY_MS < FIRST_DAY || at / DAY_MS > LAST_DAY)
		return RANGE_NONE;
	day_text(at / DAY_MS, text);
	return exactly(filter_leaf(
	    s->maker, ACCESS_OP_HAS, attribute->indexed->attribute, cedar_text_of(text)));
}

struct range range_has(struct partial *s, const struct part *attribute, const struct cedar_value *v)
{
	const struct cedar_indexed *x = attribute->indexed;
	char digits[24];

	switch (x->kind) {
	case INDEX_STRING:
	case INDEX_SET_STRING:
		return v->kind == CEDAR_STRING ? has_text(s, x, v->text) : RANGE_NONE;
	case INDEX_ENTITY:
	case INDEX_SET_ENTITY:
		return v->kind == CEDAR_ENTITY &&
			       cedar_text_equal(v->uid.type, cedar_text_of(x->type))
			   ? has_text(s, x, v->uid.id)
			   : RANGE_NONE;
	case INDEX_LONG:
		if (v->kind != CEDAR_LONG)
			return RANGE_NONE;
		snprintf(digits, sizeof(digits), "%" PRId64, v->number);
		return has_text(s, x, cedar_text_of(digits));
	case INDEX_DAY:
		return v->kind == CEDAR_DATETIME ? has_day(s, attribute, v->number) : RANGE_NONE;
	}
	return RANGE_UNKNOWN;
}

struct range range_has_of(struct partial *s, const struct part *attribute,
    const struct cedar_value *values, size_t n, bool all)
{
	struct range ret = all ? RANGE_ALL : RANGE_NONE, one;
	uint32_t *lower, *upper;

	if (n > FILTER_LEAVES_MAX) {
		partial_lose(s);
		return RANGE_UNKNOWN;
	}
	lower = cedar_alloc(s->arena, 2 * n * sizeof(*lower) + 1);
	if (!lower) {
		s->status = ARK_ENOMEM;
		return ret;
	}
	upper = lower + n;
	for (size_t i = 0; i < n; i++) {
		one = range_has(s, attribute, &values[i]);
		lower[i] = one.lower;
		upper[i] = one.upper;
	}
	ret.lower = all ? filter_and(s->maker, lower, n) : filter_or(s->maker, lower, n);
	ret.upper = memcmp(lower, upper, n * sizeof(*lower)) == 0 ? ret.lower
		    : all                                         ? filter_and(s->maker, upper, n)
								  : filter_or(s->maker, upper, n);
	return ret;
}

struct range range_upto(struct partial *s, const struct part *attribute, int64_t ms)
{
	int64_t at, day;
	char text[16];

	if (__builtin_sub_overflow(ms, attribute->shift_ms, &at))
		return attribute->shift_ms < 0 ? range_present(s, attribute) : RANGE_NONE;
	day = day_of(at);
	if (day < FIRST_DAY)
		return RANGE_NONE;
	if (day >= LAST_DAY)
		return range_present(s, attribute);
	day_text(day, text);
	return exactly(filter_leaf(
	    s->maker, ACCESS_OP_UPTO, attribute->indexed->attribute, cedar_text_of(text)));
}

/* ---- truths ---- */

struct part part_of_truth(struct truth t)
{
	if (t.yes.lower == FILTER_ALL)
		return (struct part){.kind = PART_VALUE,
		    .value = (struct cedar_value){.kind = CEDAR_BOOL, .truth = true}};
	if (t.no.lower == FILTER_ALL)
		return (struct part){.kind = PART_VALUE,
		    .value = (struct cedar_value){.kind = CEDAR_BOOL, .truth = false}};
	if (t.yes.upper == FILTER_NONE && t.no.upper == FILTER_NONE)
		return (struct part){.kind = PART_ERROR};
	return (struct part){.kind = PART_TRUTH, .truth = t};
}

struct part part_truth(struct partial *s, struct range yes, struct range defined)
{
	struct truth t = {range_and(s, yes, defined), range_and(s, range_not(yes), defined)};

	return part_of_truth(t);
}

struct part part_told(struct partial *s, const struct part *attribute, struct range yes)
{
	struct range present = range_present(s, attribute);
	struct truth t = {range_and(s, yes, present), range_and(s, range_not(yes), present)};

	/* an attribute that has a value is there, though the index cannot say where it is missing */
	if (present.lower == FILTER_NONE && yes.lower != FILTER_ALL)
		t.yes.lower = yes.lower;
	return part_of_truth(t);
}

struct part part_constant(struct partial *s, bool truth, struct range defined)
{
	return part_truth(s, truth ? RANGE_ALL : RANGE_NONE, defined);
}

struct truth truth_of(const struct part *p)
{
	static const struct truth fails = {{FILTER_NONE, FILTER_NONE}, {FILTER_NONE, FILTER_NONE}};

	if (p->kind == PART_TRUTH)
		return p->truth;
	if (p->kind == PART_OPAQUE)
		return (struct truth){RANGE_UNKNOWN, RANGE_UNKNOWN};
	if (p->kind != PART_VALUE || p->value.kind != CEDAR_BOOL)
		return fails;
	return p->value.truth ? (struct truth){RANGE_ALL, RANGE_NONE}
			      : (struct truth){RANGE_NONE, RANGE_ALL};
}
