/* What every question has in common: its columns, its filter, its rows. */
#include <stdlib.h>
#include <string.h>

#include "archive/catalogue_private.h"
#include "arkki/base/text.h"

void catalogue_row_free(struct catalogue_row *row)
{
	struct catalogue_rendition *r = &row->rendition;
	char *texts[] = {row->type, row->date, row->language, row->publicity, row->state,
	    row->media_type, row->text_state, row->text_reason, r->media_type, r->text_state,
	    r->text_reason};

	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
		free(texts[i]);
	buf_free(&row->sealed_metadata);
	buf_free(&row->sealed_version);
	buf_free(&r->sealed);
	*row = (struct catalogue_row){0};
}

static bool read_text(sqlite3_stmt *s, int column, char **ret)
{
	const unsigned char *text = sqlite3_column_text(s, column);

	*ret = text ? strdup((const char *)text) : NULL;
	return *ret;
}

static bool read_blob(sqlite3_stmt *s, int column, struct buf *ret)
{
	const void *bytes = sqlite3_column_blob(s, column); /* NULL also when empty */
	size_t len = (size_t)sqlite3_column_bytes(s, column);

	if (!bytes && len)
		return false;
	buf_add(ret, bytes, len);
	return !buf_failed(ret);
}

bool catalogue_read_fixed(sqlite3_stmt *s, int column, void *ret, size_t len)
{
	const void *bytes = sqlite3_column_blob(s, column);

	if (!bytes || (size_t)sqlite3_column_bytes(s, column) != len)
		return false;
	memcpy(ret, bytes, len);
	return true;
}

/* ARK_OK also when there is none. What was read before a failure is the caller's to free. */
static int read_rendition(sqlite3_stmt *s, struct catalogue_rendition *r, struct ark_error *err)
{
	const int at = CATALOGUE_RENDITIONS + 1;

	r->number = (uint32_t)sqlite3_column_int64(s, at);
	if (!r->number)
		return ARK_OK;
	r->sequence = (uint64_t)sqlite3_column_int64(s, at + 1);
	r->filed_us = sqlite3_column_int64(s, at + 2);
	r->size = (uint64_t)sqlite3_column_int64(s, at + 5);
	r->sealed_size = (uint64_t)sqlite3_column_int64(s, at + 6);
	r->chunks = (uint32_t)sqlite3_column_int64(s, at + 8);
	if (!catalogue_read_fixed(s, at + 7, r->content.id, sizeof(r->content.id)))
		return ark_fail(err, ARK_ECORRUPT,
		    "the catalogue holds a malformed rendition; run `arkki rebuild DIR catalogue`");
	if (!read_blob(s, at + 3, &r->sealed) || !read_text(s, at + 4, &r->media_type) ||
	    !read_text(s, at + 9, &r->text_state) ||
	    (sqlite3_column_type(s, at + 10) != SQLITE_NULL &&
		!read_text(s, at + 10, &r->text_reason)))
		return ark_fail(err, ARK_ENOMEM, "no memory for a row of the catalogue");
	return ARK_OK;
}

int catalogue_read_row(sqlite3_stmt *s, struct catalogue_row *ret, struct ark_error *err)
{
	struct catalogue_row row = {
	    .version = (uint32_t)sqlite3_column_int64(s, 1),
	    .metadata = (uint32_t)sqlite3_column_int64(s, 2),
	    .sequence = (uint64_t)sqlite3_column_int64(s, 3),
	    .metadata_sequence = (uint64_t)sqlite3_column_int64(s, 4),
	    .filed_us = sqlite3_column_int64(s, 5),
	    .size = (uint64_t)sqlite3_column_int64(s, 7),
	    .sealed_size = (uint64_t)sqlite3_column_int64(s, 8),
	    .chunks = (uint32_t)sqlite3_column_int64(s, 10),
	    .renditions = (uint32_t)sqlite3_column_int64(s, CATALOGUE_RENDITIONS),
	    .visible_versions = (uint32_t)sqlite3_column_int64(s, CATALOGUE_VISIBLE),
	    .whole = sqlite3_column_int(s, CATALOGUE_WHOLE) != 0,
	};
	unsigned char document[16], author[16];
	char date[11];
	int rc;

	if (!catalogue_read_fixed(s, 0, document, sizeof(document)) ||
	    !catalogue_read_fixed(s, 9, row.content.id, sizeof(row.content.id)))
		return ark_fail(err, ARK_ECORRUPT,
		    "the catalogue holds a malformed row; run `arkki rebuild DIR catalogue`");
	hex_encode(row.document, document, sizeof(document));
	if (catalogue_read_fixed(s, CATALOGUE_AUTHOR, author, sizeof(author)))
		hex_encode(row.author, author, sizeof(author));
	catalogue_day_text(date, sqlite3_column_int64(s, 6));
	row.date = strdup(date);
	if (sqlite3_column_int64(s, CATALOGUE_VISIT))
		catalogue_day_text(row.visit_date, sqlite3_column_int64(s, CATALOGUE_VISIT));
	if (!row.date || !read_text(s, 11, &row.type) || !read_text(s, 12, &row.language) ||
	    !read_text(s, 13, &row.publicity) || !read_text(s, 14, &row.state) ||
	    !read_text(s, 15, &row.media_type) || !read_text(s, 16, &row.text_state) ||
	    (sqlite3_column_type(s, 17) != SQLITE_NULL && !read_text(s, 17, &row.text_reason)) ||
	    !read_blob(s, 18, &row.sealed_metadata) || !read_blob(s, 19, &row.sealed_version)) {
		catalogue_row_free(&row);
		return ark_fail(err, ARK_ENOMEM, "no memory for a row of the catalogue");
	}
	rc = read_rendition(s, &row.rendition, err);
	if (rc) {
		catalogue_row_free(&row);
		return rc;
	}
	*ret = row;
	return ARK_OK;
}

bool catalogue_admits_all(const struct access_sight *sight)
{
	return !sight || (sight->any && sight->any->op == ACCESS_OP_ALL);
}

static int check_sight(const struct access_sight *sight, struct ark_error *err)
{
	if (sight && (!sight->any || !sight->whole))
		return ark_fail(err, ARK_EINPUT, "a sight lacks a filter");
	return ARK_OK;
}

int catalogue_and_sight(struct query *q, const struct catalogue *c,
    const struct access_sight *sight, const char *alias, struct ark_error *err)
{
	int rc = check_sight(sight, err);

	if (rc || catalogue_admits_all(sight))
		return rc;
	query_sql(q, " AND ");
	return catalogue_filter_sql(q, c, sight->any, alias, err);
}

int catalogue_select(struct query *q, const struct catalogue *c, const struct access_sight *sight,
    struct ark_error *err)
{
	int rc = check_sight(sight, err);

	query_sql(q, "SELECT " CATALOGUE_COLUMNS);
	if (!sight || rc) {
		query_sql(q, "0, 1 ");
		return rc;
	}
	query_sql(q, "(SELECT count(*) FROM version n INDEXED BY version_document"
		     " WHERE n.document = v.document");
	rc = catalogue_and_sight(q, c, sight, "n", err);
	query_sql(q, "), ");
	if (rc)
		return rc;
	/* only rows that `any` admits are asked for: where both are one filter, all are whole */
	if (sight->whole == sight->any || sight->whole->op == ACCESS_OP_ALL)
		query_sql(q, "1");
	else
		rc = catalogue_filter_sql(q, c, sight->whole, "v", err);
	query_sql(q, " ");
	return rc;
}

void catalogue_query_rendition(struct query *q, const struct catalogue_fact *f)
{
	if (f->withdrawn) {
		query_int(q, 0);
		for (int i = 0; i < 8; i++)
			query_blob(q, NULL, 0);
		return;
	}
	query_int(q, f->rendition);
	query_int(q, f->sequence);
	query_signed(q, f->time_us);
	query_blob(q, f->sealed_rendition.bytes, f->sealed_rendition.len);
	query_text(q, f->media_type);
	query_int(q, f->size);
	query_int(q, f->sealed_size);
	query_blob(q, f->content.id, sizeof(f->content.id));
	query_int(q, f->chunks);
}

int catalogue_each_row(
    struct query *q, int rc, catalogue_each each, void *arg, struct ark_error *err)
{
	struct catalogue_row row;

	if (!rc)
		rc = query_prepare(q, err);
	while (!rc) {
		rc = query_step(q, err);
		if (rc != 1)
			break;
		rc = catalogue_read_row(q->stmt, &row, err);
		if (rc)
			break;
		rc = each(arg, &row);
		catalogue_row_free(&row);
	}
	query_end(q);
	return rc;
}

bool catalogue_query_document(struct query *q, const char *document)
{
	unsigned char id[16];

	if (!docid_valid(document) || !hex_decode(id, sizeof(id), document, 32))
		return false;
	query_name(q, id);
	return true;
}
