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
ARK_MUSTUSE int catalogue_schema(
    struct catalogue *c, bool create, bool for_writing, struct ark_error *err);
/* Document dates are kept as -(YYYYMMDD): ascending order is then newest
 * first, and "after (date, document)" is one range of one index. */
int64_t catalogue_day(const char *date); /* NULL: 0, which is no day and after all of them */
void catalogue_day_text(char out[11], int64_t day);

/* ---- catalogue.c ---- */
/* What a version's fact says of its filing, as the next values: sequence, filed_us, filed_by, filed_by_org, size,
 * sealed_size, media_type, content, chunks, request, sealed_version. */
void catalogue_query_filed(
    struct query *q, const struct catalogue *c, const struct catalogue_fact *f);

/* ---- catalogue_filter.c ---- */
/* The keyed hash of a chosen name as the next value; NULL stays NULL. */
void catalogue_query_name(
    struct query *q, const struct catalogue *c, const char *kind, const char *name);
/* Writes a condition on the version row called `alias`, in parentheses:
 * it holds for exactly the rows that access_filter_admits() admits.
 * ARK_EINPUT for a filter deeper or longer than our bounds. */
ARK_MUSTUSE int catalogue_filter_sql(struct query *q, const struct catalogue *c,
    const struct access_filter *f, const char *alias, struct ark_error *err);

/* ---- catalogue_row.c ---- */
/* The order in which catalogue_read_row() takes them; then the number of visible versions,
 * whether the row is whole and, in catalogue_after(), the sequence of the change. */
#define CATALOGUE_COLUMNS                                                                          \
	"v.document, v.version, v.metadata, v.sequence, v.metadata_sequence, v.filed_us, v.day,"   \
	" v.size, v.sealed_size, v.content, v.chunks, v.type, v.language, v.publicity, v.state,"   \
	" v.media_type, v.text_state, v.text_reason, v.sealed_metadata, v.sealed_version,"         \
	" v.renditions, v.rendition, v.r_sequence, v.r_filed_us, v.r_sealed, v.r_media_type,"      \
	" v.r_size, v.r_sealed_size, v.r_content, v.r_chunks, v.r_text_state, v.r_text_reason, "   \
	"v.author, v.visit_day, "
enum {
	CATALOGUE_RENDITIONS = 20,
	CATALOGUE_AUTHOR = 32,
	CATALOGUE_VISIT,
	CATALOGUE_VISIBLE,
	CATALOGUE_WHOLE,
	CATALOGUE_CHANGE,
};

/* values of change.kind */
enum { CHANGE_FILED, CHANGE_VERSION, CHANGE_METADATA, CHANGE_RENDITION };

/* No sight, or one of all: there is no condition to write. */
bool catalogue_admits_all(const struct access_sight *sight);
/* " AND <what there is for the sight>" on the row called alias; nothing where it says nothing,
 * so that no row is fetched only to be admitted. ARK_EINPUT for a sight that lacks a filter. */
ARK_MUSTUSE int catalogue_and_sight(struct query *q, const struct catalogue *c,
    const struct access_sight *sight, const char *alias, struct ark_error *err);
/* The columns of a rendition, in the order of the table from `rendition` to `r_chunks`, as the next
 * values: NULL and 0 for a withdrawal. */
void catalogue_query_rendition(struct query *q, const struct catalogue_fact *f);
/* "SELECT <columns>, <how many versions of the document there are for the sight>, <whole> ". */
ARK_MUSTUSE int catalogue_select(struct query *q, const struct catalogue *c,
    const struct access_sight *sight, struct ark_error *err);
/* The document's id as the next value. False for what is no document id:
 * then there is no such document. */
bool catalogue_query_document(struct query *q, const char *document);
/* On failure *ret is not touched. */
ARK_MUSTUSE int catalogue_read_row(
    sqlite3_stmt *s, struct catalogue_row *ret, struct ark_error *err);
bool catalogue_read_fixed(sqlite3_stmt *s, int column, void *ret, size_t len);
/* " AND <the text of the shown form is as the list asks>"; nothing where it does not ask. */
ARK_MUSTUSE int catalogue_and_text(struct query *q, const struct catalogue *c,
    const struct catalogue_list *list, const struct access_sight *sight, struct ark_error *err);
/* Steps to the end and ends the query. rc: of what was done so far. */
ARK_MUSTUSE int catalogue_each_row(
    struct query *q, int rc, catalogue_each each, void *arg, struct ark_error *err);

#endif
