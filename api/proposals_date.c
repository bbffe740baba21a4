/* Dates in a text, by what stands before them. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/proposals_private.h"
#include "arkki/base/clock.h"

enum { DATES_MAX = 400, BEFORE = 60 };

struct dated {
	char date[11];
	size_t at, len;
	int worth, visit; /* as the date of the document, as that of a visit */
};

static const struct {
	const char *name;
	unsigned int month;
} months[] = {
    {"tammikuuta", 1},
    {"helmikuuta", 2},
    {"maaliskuuta", 3},
    {"huhtikuuta", 4},
    {"toukokuuta", 5},
    {"kesäkuuta", 6},
    {"heinäkuuta", 7},
    {"elokuuta", 8},
    {"syyskuuta", 9},
    {"lokakuuta", 10},
    {"marraskuuta", 11},
    {"joulukuuta", 12},
    {"januari", 1},
    {"februari", 2},
    {"mars", 3},
    {"april", 4},
    {"maj", 5},
    {"juni", 6},
    {"juli", 7},
    {"augusti", 8},
    {"september", 9},
    {"oktober", 10},
    {"november", 11},
    {"december", 12},
    {"january", 1},
    {"february", 2},
    {"march", 3},
    {"may", 5},
    {"june", 6},
    {"july", 7},
    {"august", 8},
    {"october", 10},
};

/* Words before a date, and what they say of it. */
static const struct {
	const char *word;
	int worth, visit;
} signs[] = {
    {"päivätty", 5, 0},
    {"annettu", 4, 0},
    {"päiväys", 5, 0},
    {"päivämäärä", 5, 0},
    {"dagtecknad", 5, 0},
    {"daterad", 4, 0},
    {"datum", 5, 0},
    {"given", 3, 0},
    {"dated", 5, 0},
    {"issued", 4, 0},
    {"tarkast", 0, 4},
    {"käyn", 0, 4},
    {"inspektion", 0, 4},
    {"besök", 0, 4},
    {"inspected", 0, 4},
    {"visit", 0, 4},
    {"senast", -4, -4},
};

static unsigned int number_at(const struct proposing *p, size_t *at, unsigned int most)
{
	unsigned int n = 0, digits = 0;

	while (*at < p->len && digits < most && isdigit((unsigned char)p->text[*at])) {
		n = 10 * n + (unsigned int)(p->text[(*at)++] - '0');
		digits++;
	}
	return *at < p->len && isdigit((unsigned char)p->text[*at]) ? 0 : n;
}

static bool skip(const struct proposing *p, size_t *at, char c)
{
	if (*at >= p->len || p->text[*at] != c)
		return false;
	(*at)++;
	return true;
}

static unsigned int month_at(const struct proposing *p, size_t *at)
{
	for (size_t i = 0; i < sizeof(months) / sizeof(*months); i++) {
		size_t n = strlen(months[i].name);

		if (n <= p->len - *at && memcmp(p->lower + *at, months[i].name, n) == 0) {
			*at += n;
			return months[i].month;
		}
	}
	return 0;
}

/* "12.3.2026", "12. maaliskuuta 2026", "den 12 mars 2026", "2026-03-12". */
static bool date_at(const struct proposing *p, size_t from, struct dated *ret)
{
	unsigned int day, month = 0, year;
	size_t at = from;

	year = number_at(p, &at, 4);
	if (at - from == 4 && skip(p, &at, '-')) {
		month = number_at(p, &at, 2);
		if (!skip(p, &at, '-'))
			return false;
		day = number_at(p, &at, 2);
	} else {
		at = from;
		day = number_at(p, &at, 2);
		if (skip(p, &at, '.') && at < p->len && isdigit((unsigned char)p->text[at])) {
			month = number_at(p, &at, 2);
			if (!skip(p, &at, '.'))
				return false;
		} else if (skip(p, &at, ' ')) {
			month = month_at(p, &at);
			if (!month || !skip(p, &at, ' '))
				return false;
		}
		from = at;
		year = number_at(p, &at, 4);
		if (at - from != 4)
			return false;
	}
	if (!day || !month || month > 12 || day > 31 || year > 9999)
		return false;
	snprintf(
	    ret->date, sizeof(ret->date), "%04u-%02u-%02u", year % 10000, month % 100, day % 100);
	ret->len = at;
	return date_valid(ret->date);
}

/* Where the sentence begins in which the date stands, or BEFORE bytes back. */
static size_t sentence_from(const struct proposing *p, size_t at)
{
	size_t from = at;

	while (from && at - from < BEFORE && p->text[from - 1] != '\n' &&
	       p->text[from - 1] != '\f' &&
	       !(from > 1 && p->text[from - 1] == ' ' && p->text[from - 2] == '.'))
		from--;
	return from;
}

static void weigh(const struct proposing *p, struct dated *d)
{
	size_t from = sentence_from(p, d->at), end = d->at + d->len;
	size_t after = p->len - end < 12 ? p->len - end : 12;

	/* a date near the beginning is mostly the document's own */
	d->worth = d->at < 300;
	if (strcmp(d->date, p->ask->today) > 0 || memmem(p->lower + end, after, "mennessä", 9)) {
		d->worth = d->visit = -9;
		return;
	}
	for (size_t i = 0; i < sizeof(signs) / sizeof(*signs); i++) {
		if (!memmem(p->lower + from, d->at - from, signs[i].word, strlen(signs[i].word)))
			continue;
		d->worth += signs[i].worth - (signs[i].visit > 0);
		d->visit += signs[i].visit;
	}
}

static void propose_best(struct proposing *p, struct dated *all, size_t n, bool visit)
{
	for (unsigned int k = 0; k < PROPOSALS_OF_FIELD_MAX; k++) {
		char found[PROPOSAL_FOUND_MAX];
		struct dated *best = NULL;

		for (size_t i = 0; i < n; i++) {
			int worth = visit ? all[i].visit : all[i].worth;

			if (worth > (visit ? 0 : -5) &&
			    (!best || worth > (visit ? best->visit : best->worth)))
				best = &all[i];
		}
		if (!best)
			return;
		proposal_around(p, best->at, best->len, found);
		proposal_add(p, visit ? "visitDate" : "date", best->date, found);
		*(visit ? &best->visit : &best->worth) = -9;
	}
}

void propose_dates(struct proposing *p)
{
	struct dated *all = calloc(DATES_MAX, sizeof(*all));
	size_t n = 0;

	for (size_t at = 0; all && at < p->len && n < DATES_MAX; at++) {
		struct dated d = {.at = at};

		if (!isdigit((unsigned char)p->text[at]) ||
		    (at && (isalnum((unsigned char)p->text[at - 1]) || p->text[at - 1] == '.' ||
			       p->text[at - 1] == '/' || p->text[at - 1] == '-')))
			continue;
		if (!date_at(p, at, &d))
			continue;
		d.len -= at;
		weigh(p, &d);
		all[n++] = d;
		at += d.len - 1;
	}
	propose_best(p, all, n, false);
	propose_best(p, all, n, true);
	free(all);
}
