#include "index/terms.h"

#include <stdio.h>
#include <string.h>

#define VALUE_MAX 200u /* bytes of an attribute */
#define TITLE_GAP 100u /* no phrase reaches from the title into the text */

bool terms_attribute(
    char out[256], unsigned int newer, enum access_attribute attribute, const char *value)
{
	static const char *const prefixes[] = {
	    [ACCESS_ATTR_PUBLICITY] = "XP",
	    [ACCESS_ATTR_COUNTY] = "XR",
	    [ACCESS_ATTR_UNIT] = "XU",
	    [ACCESS_ATTR_AUTHOR] = "XO",
	    [ACCESS_ATTR_STATE] = "XS",
	    [ACCESS_ATTR_TYPE] = "XT",
	};
	char family[16] = "";

	if (strlen(value) > VALUE_MAX)
		return false;
	if (newer)
		snprintf(family, sizeof(family), "N%u", newer);
	snprintf(out, 256, "%s%s%s", family, prefixes[attribute], value);
	return true;
}

/* ---- attributes ---- */

static int add_attribute(const struct term_sink *sink, unsigned int newer,
    enum access_attribute attribute, const char *value, struct ark_error *err)
{
	char term[256];

	if (!value || !*value)
		return 0;
	if (!terms_attribute(term, newer, attribute, value))
		return ark_fail(err, ARK_EINPUT, "an attribute is longer than %u bytes", VALUE_MAX);
	return sink->boolean(sink->arg, term, strlen(term));
}

int terms_of_attributes(const struct search_attributes *a, unsigned int newer,
    const struct term_sink *sink, struct ark_error *err)
{
	size_t i;
	int r = add_attribute(sink, newer, ACCESS_ATTR_PUBLICITY, a->publicity, err);

	if (!r)
		r = add_attribute(sink, newer, ACCESS_ATTR_AUTHOR, a->author, err);
	if (!r)
		r = add_attribute(sink, newer, ACCESS_ATTR_STATE, a->state, err);
	if (!r)
		r = add_attribute(sink, newer, ACCESS_ATTR_TYPE, a->type, err);
	for (i = 0; !r && i < a->units_len; i++)
		r = add_attribute(sink, newer, ACCESS_ATTR_UNIT, a->units[i], err);
	for (i = 0; !r && i < a->counties_len; i++)
		r = add_attribute(sink, newer, ACCESS_ATTR_COUNTY, a->counties[i], err);
	return r;
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
	char id[64], year[5] = "";
	size_t i;
	int r;

	snprintf(id, sizeof(id), "%.40s-%u", d->document, d->version);
	if (d->date)
		snprintf(year, sizeof(year), "%.4s", d->date);
	r = add_boolean(sink, "Q", id, err);
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
	if (!r && d->only)
		r = add_boolean(sink, "XN", "1", err);
	return r ? r : terms_of_attributes(&d->attributes, 0, sink, err);
}

/* ---- words ---- */

struct adding {
	struct analyser *analyser;
	const struct term_sink *sink;
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

	if (kind == ANALYSE_RAW)
		r = a->sink->posting(a->sink->arg, term, len, a->position);
	else if (kind == ANALYSE_LEMMA && is_number(term, len))
		return 0; /* the raw word finds it: a second term would only cost room */
	else
		r = add_prefixed(a, prefix, false, term, len);
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

int terms_of_document(struct analyser *analyser, const struct search_document *d,
    const struct term_sink *sink, struct ark_error *err)
{
	struct adding a = {.analyser = analyser, .sink = sink, .err = err, .title = true};
	enum analyse_language language = ANALYSE_FI;
	int r = add_facts(d, sink, err);

	if (r)
		return r;
	analyse_language_parse(d->language, &language);
	if (d->title)
		r = analyse_text(d->title, strlen(d->title), language, each_token, &a);
	a.title = false;
	a.position_base = a.position + TITLE_GAP;
	if (!r && d->text)
		r = analyse_text(d->text, d->text_len, language, each_token, &a);
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
	       texts_equal(a->units, a->units_len, b->units, b->units_len) &&
	       texts_equal(a->counties, a->counties_len, b->counties, b->counties_len);
}

static bool is_public(const struct search_attributes *a)
{
	return text_equal(a->publicity, "public");
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
 * When there are more different ones than ranks, the newest public one is not lost. */
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
