/* Which row of the retention table holds for a document, and from when it is due. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arkki/archive/disposition.h"
#include "arkki/base/clock.h"
#include "arkki/base/json.h"
#include "arkki/base/text.h"

enum { TEXT_MAX = 1000 }; /* characters of a ground, and of a note */

static const char *const froms[] = {"filed", "document-date", "case-closed", "decided"};
static const char *const thens[] = {"destroy", "transfer", "review"};

static bool one_of(const char *text, const char *const *list, size_t n)
{
	for (size_t i = 0; text && i < n; i++)
		if (strcmp(text, list[i]) == 0)
			return true;
	return false;
}

/* "*", absent, or an id. */
static bool pattern_ok(const json_t *row, const char *key, bool must)
{
	const json_t *v = json_object_get(row, key);
	const char *text = json_string_value(v);

	if (!v)
		return !must;
	return text && (strcmp(text, "*") == 0 || id_valid(text));
}

static const char *pattern(const json_t *row, const char *key)
{
	const char *text = json_text(row, key);

	return text && strcmp(text, "*") != 0 ? text : NULL;
}

static bool text_fits(const json_t *v)
{
	return json_is_string(v) &&
	       utf8_length(json_string_value(v), json_string_length(v)) <= TEXT_MAX;
}

/* A text, or one in each of the three languages. */
static bool note_ok(const json_t *note)
{
	static const char *const languages[] = {"fi", "sv", "en"};

	if (!json_is_object(note))
		return text_fits(note);
	for (size_t i = 0; i < 3; i++)
		if (!text_fits(json_object_get(note, languages[i])))
			return false;
	return json_object_size(note) == 3;
}

/* What people read of a row. */
static const char *words_fault(const json_t *row)
{
	const json_t *ground = json_object_get(row, "ground"), *note = json_object_get(row, "note"),
		     *confirmed = json_object_get(row, "confirmed");

	if (ground && !text_fits(ground))
		return "has a ground that is no text of at most 1000 characters";
	if (note && !note_ok(note))
		return "has a note that is no text of at most 1000 characters, nor one in fi, sv "
		       "and en";
	return confirmed && !json_is_boolean(confirmed) ? "has confirmed, which is true or false"
							: NULL;
}

static const char *row_fault(const json_t *row)
{
	static const char *const known[] = {
	    "id", "type", "org", "years", "from", "then", "ground", "note", "confirmed"};
	const json_t *years = json_object_get(row, "years"), *v;
	const char *key;

	if (!json_is_object(row))
		return "is not an object";
	json_object_foreach((json_t *)(uintptr_t)row, key, v)
	{
		if (!one_of(key, known, sizeof(known) / sizeof(*known)))
			return "has a member other than id, type, org, years, from, then, ground, "
			       "note "
			       "and confirmed";
	}
	if (!json_text(row, "id") || !id_valid(json_text(row, "id")))
		return "needs an id of a-z, 0-9 and -";
	if (!pattern_ok(row, "type", true) || !pattern_ok(row, "org", false))
		return "needs a type, and maybe an org: an id, or *";
	if (!json_is_integer(years) || json_integer_value(years) < 0 ||
	    json_integer_value(years) > RETENTION_YEARS_MAX)
		return "needs years, a whole number from 0 to 200";
	if (!one_of(json_text(row, "from"), froms, sizeof(froms) / sizeof(*froms)))
		return "needs from: filed, document-date, case-closed or decided";
	if (!one_of(json_text(row, "then"), thens, sizeof(thens) / sizeof(*thens)))
		return "needs then: destroy, transfer or review";
	return words_fault(row);
}

/* What makes two rows the same: which documents they speak of; or their ids. */
struct row_key {
	const char *id, *type, *org;
};

static const char *or_any(const char *text)
{
	return text ? text : "";
}

static int by_id(const void *a, const void *b)
{
	return strcmp(((const struct row_key *)a)->id, ((const struct row_key *)b)->id);
}

static int by_scope(const void *a, const void *b)
{
	const struct row_key *x = a, *y = b;
	int by_type = strcmp(or_any(x->type), or_any(y->type));

	return by_type ? by_type : strcmp(or_any(x->org), or_any(y->org));
}

static int check_twins(struct row_key *keys, size_t n, struct ark_error *err)
{
	qsort(keys, n, sizeof(*keys), by_id);
	for (size_t i = 1; i < n; i++)
		if (by_id(&keys[i - 1], &keys[i]) == 0)
			return ark_fail(err, ARK_EINPUT, "two rows have the id %s", keys[i].id);
	qsort(keys, n, sizeof(*keys), by_scope);
	for (size_t i = 1; i < n; i++)
		if (by_scope(&keys[i - 1], &keys[i]) == 0)
			return ark_fail(err, ARK_EINPUT,
			    "the rows %s and %s speak of the same type and organisation",
			    keys[i - 1].id, keys[i].id);
	return ARK_OK;
}

int retention_check(const json_t *rows, struct ark_error *err)
{
	size_t n = json_array_size(rows), i;
	struct row_key *keys;
	json_t *row;
	int rc = ARK_OK;

	if (!json_is_array(rows) || n == 0 || n > RETENTION_ROWS_MAX)
		return ark_fail(err, ARK_EINPUT,
		    "the retention table must be a list of 1 to %d rows", RETENTION_ROWS_MAX);
	keys = calloc(n, sizeof(*keys));
	if (!keys)
		return ark_fail(err, ARK_ENOMEM, "no memory for the retention table");
	json_array_foreach(rows, i, row)
	{
		const char *fault = row_fault(row);

		if (fault) {
			rc = ark_fail(err, ARK_EINPUT, "row %zu %s", i + 1, fault);
			break;
		}
		keys[i] = (struct row_key){
		    json_text(row, "id"), pattern(row, "type"), pattern(row, "org")};
	}
	if (!rc)
		rc = check_twins(keys, n, err);
	free(keys);
	return rc;
}

int retention_rows(struct registry *r, json_t **ret, struct ark_error *err)
{
	json_t *table = registry_get(r, "retention", RETENTION_TABLE);

	*ret = table ? json_incref(json_object_get(table, "rows")) : registry_all(r, "retention");
	json_decref(table);
	return *ret ? ARK_OK : ark_fail(err, ARK_ENOMEM, "no memory for the retention table");
}

/* ---- the row ---- */

/* 0: it does not speak of the document. Type weighs more than organisation, an organisation itself more than
 * one that follows it. */
static int specificity(const json_t *row, struct registry *r, const struct retention_subject *s)
{
	const char *type = pattern(row, "type"), *org = pattern(row, "org");
	int weight = 1;

	if (type && strcmp(type, s->type) != 0)
		return 0;
	weight += type ? 4 : 0;
	if (!org)
		return weight;
	if (strcmp(org, s->author) == 0)
		return weight + 2;
	return registry_speaks_for(r, org, s->author) ? weight + 1 : 0;
}

const json_t *retention_row(
    const json_t *rows, struct registry *r, const struct retention_subject *s)
{
	const json_t *found = NULL;
	int best = 0;

	for (size_t i = 0; i < json_array_size(rows); i++) {
		const json_t *row = json_array_get(rows, i);
		int weight = specificity(row, r, s);

		if (weight > best) {
			best = weight;
			found = row;
		}
	}
	return found;
}

/* ---- from when ---- */

static void begins(
    const json_t *row, struct registry *r, const struct retention_subject *s, char out[11])
{
	const char *from = json_text(row, "from");
	json_t *c = NULL;
	const char *day = s->date;

	out[0] = '\0';
	if (!from)
		return;
	if (strcmp(from, "filed") == 0) {
		clock_day(out, s->filed_us);
		return;
	}
	if (strcmp(from, "case-closed") == 0) {
		c = registry_get(r, "cases", s->case_id);
		day = json_text(c, "closed");
	}
	if (day && date_valid(day))
		memcpy(out, day, 11);
	json_decref(c);
}

/* The period is counted in whole years: it is due on the day after the same date so many years later. That of a leap day
 * ends with February, whatever its length. */
static void add_years(char day[11], int years)
{
	char text[CLOCK_TEXT_SIZE];
	unsigned int y, m, d;
	int64_t us;

	/* NOLINTNEXTLINE(cert-err34-c): the width bounds it */
	if (sscanf(day, "%4u-%2u-%2u", &y, &m, &d) != 3)
		return;
	y = (y + (unsigned int)years) % 10000;
	if (m == 2 && d == 29) {
		snprintf(day, 11, "%04u-03-01", y);
		return;
	}
	snprintf(day, 11, "%04u-%02u-%02u", y, m % 100, d % 100);
	if (clock_parse(day, &us)) {
		clock_format(text, us + INT64_C(86400000000));
		memcpy(day, text, 10);
	}
}

void retention_term(const json_t *rows, struct registry *r, const struct retention_subject *s,
    const char *day, struct retention_term *ret)
{
	*ret = (struct retention_term){.row = retention_row(rows, r, s)};
	if (!ret->row)
		return;
	begins(ret->row, r, s, ret->since);
	if (ret->since[0])
		add_years(ret->since, (int)json_integer_value(json_object_get(ret->row, "years")));
	ret->due = ret->since[0] && strcmp(ret->since, day) <= 0;
}
