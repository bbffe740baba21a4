#include "index/terms.h"

#include <stdio.h>
#include <string.h>

#define VALUE_MAX 200u /* bytes of an attribute */
#define TITLE_GAP 100u /* no phrase reaches from the text into the title */

static bool is_day_attribute(enum access_attribute attribute)
{
	return attribute == ACCESS_ATTR_VISIT_DATE || attribute == ACCESS_ATTR_DATE;
}

/* "N2XV": what all terms of one attribute of one family begin with. */
static void attribute_prefix(
    char out[16], unsigned int newer, enum access_attribute attribute, enum terms_day level)
{
	static const char *const prefixes[ACCESS_ATTRIBUTES] = {
	    [ACCESS_ATTR_PUBLICITY] = "XP",
	    [ACCESS_ATTR_COUNTY] = "XR",
	    [ACCESS_ATTR_UNIT] = "XU",
	    [ACCESS_ATTR_AUTHOR] = "XO",
	    [ACCESS_ATTR_STATE] = "XS",
	    [ACCESS_ATTR_TYPE] = "XT",
	    [ACCESS_ATTR_ADDRESSEE] = "XA",
	    [ACCESS_ATTR_UNIT_COUNT] = "XK",
	    [ACCESS_ATTR_RENDITION] = "XE",
	    [ACCESS_ATTR_VISIT_DATE] = "XV",
	    [ACCESS_ATTR_DATE] = "XB",
	};
	char family[12] = "", day[2] = "";

	if (newer)
		snprintf(family, sizeof(family), "N%u", newer);
	if (is_day_attribute(attribute))
		day[0] = (char)level;
	snprintf(out, 16, "%s%s%s", family, prefixes[attribute], day);
}

bool terms_attribute(
    char out[256], unsigned int newer, enum access_attribute attribute, const char *value)
{
	char prefix[16];

	if (strlen(value) > VALUE_MAX)
		return false;
	attribute_prefix(prefix, newer, attribute, TERMS_DAY);
	snprintf(out, 256, "%s%s", prefix, value);
	return true;
}

bool terms_is_day(const char *value)
{
	static const char form[] = "dddd-dd-dd";
	size_t i;

	for (i = 0; i < sizeof(form) - 1; i++)
		if (form[i] == 'd' ? value[i] < '0' || value[i] > '9' : value[i] != '-')
			return false;
	return !value[i];
}

bool terms_day(char out[256], unsigned int newer, enum access_attribute attribute,
    enum terms_day level, const char *day)
{
	const int digits = level == TERMS_YEAR ? 4 : level == TERMS_MONTH ? 7 : 10;
	char prefix[16];

	if (!is_day_attribute(attribute))
		return false;
	attribute_prefix(prefix, newer, attribute, level);
	snprintf(out, 256, "%s%.*s", prefix, level == TERMS_DAY_PRESENT || !day ? 0 : digits,
	    day ? day : "");
	return true;
}

void terms_id(char out[80], const char *document, uint32_t version, bool public_form)
{
	snprintf(out, 80, "Q%.40s-%u%s", document, version, public_form ? "-public" : "");
}

/* ---- attributes ---- */

static int add_term(const struct term_sink *sink, const char *term)
{
	return sink->boolean(sink->arg, term, strlen(term));
}

static int add_attribute(const struct term_sink *sink, unsigned int newer,
    enum access_attribute attribute, const char *value, struct ark_error *err)
{
	char term[256];

	if (!value || !*value)
		return 0;
	if (!terms_attribute(term, newer, attribute, value))
		return ark_fail(err, ARK_EINPUT, "an attribute is longer than %u bytes", VALUE_MAX);
	if (strchr(value, '\n')) /* it would be two where values are kept a line each */
		return ark_fail(err, ARK_EINPUT, "an attribute with a line break");
	return add_term(sink, term);
}

static int add_attributes(const struct term_sink *sink, unsigned int newer,
    enum access_attribute attribute, const char *const *values, size_t n, struct ark_error *err)
{
	int r = 0;

	for (size_t i = 0; !r && i < n; i++)
		r = add_attribute(sink, newer, attribute, values[i], err);
	return r;
}

static int add_day(const struct term_sink *sink, unsigned int newer,
    enum access_attribute attribute, const char *day, struct ark_error *err)
{
	static const enum terms_day levels[] = {
	    TERMS_DAY_PRESENT, TERMS_YEAR, TERMS_MONTH, TERMS_DAY};
	char term[256];
	int r = 0;

	if (!day || !*day)
		return 0;
	if (!terms_is_day(day))
		return ark_fail(err, ARK_EINPUT, "a date is not of the form YYYY-MM-DD");
	for (size_t i = 0; !r && i < sizeof(levels) / sizeof(*levels); i++)
		if (terms_day(term, newer, attribute, levels[i], day))
			r = add_term(sink, term);
	return r;
}

static int add_lists(const struct search_attributes *a, unsigned int newer,
    const struct term_sink *sink, struct ark_error *err)
{
	char count[24];
	int r = add_attributes(sink, newer, ACCESS_ATTR_UNIT, a->units, a->units_len, err);

	snprintf(count, sizeof(count), "%zu", a->units_len);
	if (!r)
		r = add_attribute(sink, newer, ACCESS_ATTR_UNIT_COUNT, count, err);
	if (!r)
		r = add_attributes(
		    sink, newer, ACCESS_ATTR_COUNTY, a->counties, a->counties_len, err);
	if (!r)
		r = add_attributes(
		    sink, newer, ACCESS_ATTR_ADDRESSEE, a->addressees, a->addressees_len, err);
	return r;
}

int terms_of_attributes(const struct search_attributes *a, unsigned int newer,
    const struct term_sink *sink, struct ark_error *err)
{
	int r = add_attribute(sink, newer, ACCESS_ATTR_PUBLICITY, a->publicity, err);

	if (!r)
		r = add_attribute(sink, newer, ACCESS_ATTR_AUTHOR, a->author, err);
	if (!r)
		r = add_attribute(sink, newer, ACCESS_ATTR_STATE, a->state, err);
	if (!r)
		r = add_attribute(sink, newer, ACCESS_ATTR_TYPE, a->type, err);
	if (!r && a->rendition)
		r = add_attribute(sink, newer, ACCESS_ATTR_RENDITION, "public", err);
	if (!r)
		r = add_day(sink, newer, ACCESS_ATTR_DATE, a->date, err);
	if (!r)
		r = add_day(sink, newer, ACCESS_ATTR_VISIT_DATE, a->visit_date, err);
	return r ? r : add_lists(a, newer, sink, err);
}

static int add_boolean(
    const struct term_sink *sink, const char *prefix, const char *value, struct ark_error *err)
{
	char term[256];

	if (!value || !*value)
		return 0;
	if (strlen(value) > VALUE_MAX)
		return ark_fail(err, ARK_EINPUT, "an attribute is longer than %u bytes", VALUE_MAX);
	snprintf(term, sizeof(term), "%s%s", prefix, value);
	return sink->boolean(sink->arg, term, strlen(term));
}

static int add_facts(
    const struct search_document *d, const struct term_sink *sink, struct ark_error *err)
{
	char id[80], year[5] = "";
	size_t i;
	int r;

	terms_id(id, d->document, d->version, d->public_form);
	if (d->date)
		snprintf(year, sizeof(year), "%.4s", d->date);
	r = add_term(sink, id);
	if (!r)
		r = add_boolean(sink, "XD", d->document, err);
	if (!r)
		r = add_boolean(sink, "XC", d->case_id, err);
	if (!r)
		r = add_boolean(sink, "XL", d->language, err);
	if (!r)
		r = add_boolean(sink, "XY", year, err);
	for (i = 0; !r && i < d->municipalities_len; i++)
		r = add_boolean(sink, "XM", d->municipalities[i], err);
	if (!r && d->public_form)
		r = add_term(sink, TERMS_PUBLIC_FORM);
	if (!r && !d->only)
		r = add_term(sink, TERMS_NEVER_HIT);
	return r ? r : terms_of_attributes(&d->attributes, 0, sink, err);
}

/* ---- words ---- */

struct adding {
	struct analyser *analyser;
	const struct term_sink *sink;
	struct likeness *likeness;
	struct ark_error *err;
	const struct analyse_token *token; /* in hand */
	uint32_t position_base, position;
	bool title;
};

static bool is_number(const char *word, size_t len)
{
	return strspn(word, "0123456789") == len;
}

static int add_prefixed(
    struct adding *a, const char *prefix, bool title, const char *term, size_t len)
{
	char full[ANALYSE_WORD_MAX + 8];
	int n = snprintf(full, sizeof(full), "%s%s%.*s", prefix, title ? "S" : "", (int)len, term);

	return a->sink->weighted(a->sink->arg, full, (size_t)n);
}

static int each_term(void *arg, enum analyse_kind kind, const char *term, size_t len)
{
	struct adding *a = arg;
	const char *prefix = analyse_prefix(a->token->language, kind);
	int r;

	if (kind == ANALYSE_RAW && !a->title)
		likeness_add(a->likeness, term, len);
	if (kind == ANALYSE_RAW)
		r = a->sink->posting(a->sink->arg, term, len, a->position);
	else if (kind == ANALYSE_LEMMA && is_number(term, len))
		return 0; /* the raw word finds it: a second term would only cost room */
	else
		r = add_prefixed(a, prefix, false, term, len);
	if (!r && kind == ANALYSE_LEMMA) /* of two lists to read, this one has all of the other */
		r = add_prefixed(
		    a, analyse_prefix(a->token->language, ANALYSE_PART), false, term, len);
	return r || !a->title ? r : add_prefixed(a, prefix, true, term, len);
}

static int each_token(void *arg, const struct analyse_token *token)
{
	struct adding *a = arg;

	a->token = token;
	a->position = a->position_base + token->position;
	return analyse_word(
	    a->analyser, token->language, token->word, token->word_len, each_term, a, a->err);
}

int terms_of_text(struct analyser *analyser, const char *language, const char *text, size_t len,
    const struct term_sink *sink, struct likeness *likeness, uint32_t *ret_last,
    struct ark_error *err)
{
	struct adding a = {.analyser = analyser, .sink = sink, .likeness = likeness, .err = err};
	enum analyse_language declared = ANALYSE_FI;
	int r;

	likeness_begin(likeness);
	analyse_language_parse(language, &declared);
	r = analyse_text(text, len, declared, each_token, &a);
	*ret_last = a.position;
	return r;
}

/* The title stands behind the text, so that the words of a text can be made ready by who does not know it. */
int terms_of_document(struct analyser *analyser, const struct search_document *d, uint32_t last,
    const struct term_sink *sink, struct ark_error *err)
{
	struct adding a = {.analyser = analyser,
	    .sink = sink,
	    .err = err,
	    .position_base = last + TITLE_GAP,
	    .title = true};
	enum analyse_language declared = ANALYSE_FI;
	int r = add_facts(d, sink, err);

	analyse_language_parse(d->language, &declared);
	if (!r && d->title)
		r = analyse_text(d->title, strlen(d->title), declared, each_token, &a);
	return r;
}

/* ---- ranks ---- */

static bool text_equal(const char *a, const char *b)
{
	return a == b || (a && b && !strcmp(a, b));
}

static bool texts_equal(const char *const *a, size_t a_len, const char *const *b, size_t b_len)
{
	size_t i;

	if (a_len != b_len)
		return false;
	for (i = 0; i < a_len; i++)
		if (!text_equal(a[i], b[i]))
			return false;
	return true;
}

static bool attributes_equal(const struct search_attributes *a, const struct search_attributes *b)
{
	return text_equal(a->publicity, b->publicity) && text_equal(a->author, b->author) &&
	       text_equal(a->state, b->state) && text_equal(a->type, b->type) &&
	       text_equal(a->date, b->date) && text_equal(a->visit_date, b->visit_date) &&
	       a->rendition == b->rendition &&
	       texts_equal(a->units, a->units_len, b->units, b->units_len) &&
	       texts_equal(a->counties, a->counties_len, b->counties, b->counties_len) &&
	       texts_equal(a->addressees, a->addressees_len, b->addressees, b->addressees_len);
}

static bool is_public(const struct search_attributes *a)
{
	return text_equal(a->publicity, "public") && !text_equal(a->state, "draft");
}

static bool any_equal(
    const struct search_version *versions, const size_t *index, size_t n, size_t i)
{
	size_t j;

	for (j = 0; j < n; j++)
		if (attributes_equal(&versions[index[j]].attributes, &versions[i].attributes))
			return true;
	return false;
}

/* A version with the attributes of a newer one is admitted only where that one is: never the hit.
 * When there are more different ones than ranks, the newest public final one is not lost. */
size_t terms_rank(
    const struct search_version *newest_first, size_t n, size_t ret_index[SEARCH_RANKS])
{
	bool have_public = false;
	size_t i, ranks = 0;

	for (i = 0; i < n; i++) {
		bool pub = is_public(&newest_first[i].attributes);

		if (any_equal(newest_first, ret_index, ranks, i))
			continue;
		if (ranks == SEARCH_RANKS) {
			if (!pub || have_public)
				continue;
			ranks--;
		}
		have_public = have_public || pub;
		ret_index[ranks++] = i;
	}
	return ranks;
}
