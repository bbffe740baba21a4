/* What the catalogue's own files share. */
#ifndef ARKKI_CATALOGUE_PRIVATE_H
#define ARKKI_CATALOGUE_PRIVATE_H

#include "archive/catalogue_db.h"
#include "arkki/archive/catalogue.h"

struct catalogue {
	struct db db;
	const struct keyring *keys; /* borrowed */
};

/* ---- catalogue_schema.c ---- */
ARK_MUSTUSE int catalogue_schema(struct catalogue *c, bool create, struct ark_error *err);
/* Document dates are kept as -(YYYYMMDD): ascending order is then newest
 * first, and "after (date, document)" is one range of one index. */
int64_t catalogue_day(const char *date);
void catalogue_day_text(char out[11], int64_t day);

/* ---- catalogue_filter.c ---- */
/* The keyed hash of a chosen name as the next value; NULL stays NULL. */
void catalogue_query_name(
    struct query *q, const struct catalogue *c, const char *kind, const char *name);
/* Writes a condition on the version row called `alias`, in parentheses:
 * it holds for exactly the rows that access_filter_admits() admits.
 * ARK_EINPUT for a filter deeper or longer than our bounds. */
ARK_MUSTUSE int catalogue_filter_sql(struct query *q, const struct catalogue *c,
    const struct access_filter *f, const char *alias, struct ark_error *err);

#endif
