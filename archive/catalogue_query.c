/* The reading side: which versions, which documents, which changes.
 *
 * Every question with a filter asks SQLite for rows that the filter admits;
 * nothing is taken out afterwards, so limits, counts and pages are of what
 * may be seen. "The newest version that the filter admits" is a version that
 * it admits and than which no newer one of the document is admitted.
 */
#include <stdlib.h>
#include <string.h>

#include "archive/catalogue_private.h"
#include "arkki/base/clock.h"
#include "arkki/base/text.h"

/* ---- rows ---- */
/* The order in which read_row() takes them. */
#define COLUMNS                                                                                    \
	"v.document, v.version, v.metadata, v.sequence, v.metadata_sequence, v.filed_us, v.day,"   \
	" v.size, v.sealed_size, v.content, v.chunks, v.type, v.language, v.publicity, v.state,"   \
	" v.media_type, v.text_state, v.text_reason, v.sealed_metadata, v.sealed_version, "
enum { VISIBLE_COLUMN = 20, CHANGE_COLUMN = 21 };

void catalogue_row_free(struct catalogue_row *row)
{
	char *texts[] = {row->type, row->date, row->language, row->publicity, row->state,
	    row->media_type, row->text_state, row->text_reason};

	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
		free(texts[i]);
	buf_free(&row->sealed_metadata);
	buf_free(&row->sealed_version);
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

static bool read_fixed(sqlite3_stmt *s, int column, void *ret, size_t len)
{
	const void *bytes = sqlite3_column_blob(s, column);

	if (!bytes || (size_t)sqlite3_column_bytes(s, column) != len)
		return false;
	memcpy(ret, bytes, len);
	return true;
}

static int read_row(sqlite3_stmt *s, struct catalogue_row *ret, struct ark_error *err)
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
	    .visible_versions = (uint32_t)sqlite3_column_int64(s, VISIBLE_COLUMN),
	};
	unsigned char document[16];
	char date[11];

	if (!read_fixed(s, 0, document, sizeof(document)) ||
	    !read_fixed(s, 9, row.content.id, sizeof(row.content.id)))
		return ark_fail(err, ARK_ECORRUPT,
		    "the catalogue holds a malformed row; run `arkki rebuild DIR catalogue`");
	hex_encode(row.document, document, sizeof(document));
	catalogue_day_text(date, sqlite3_column_int64(s, 6));
	row.date = strdup(date);
	if (!row.date || !read_text(s, 11, &row.type) || !read_text(s, 12, &row.language) ||
	    !read_text(s, 13, &row.publicity) || !read_text(s, 14, &row.state) ||
	    !read_text(s, 15, &row.media_type) || !read_text(s, 16, &row.text_state) ||
	    (sqlite3_column_type(s, 17) != SQLITE_NULL && !read_text(s, 17, &row.text_reason)) ||
	    !read_blob(s, 18, &row.sealed_metadata) || !read_blob(s, 19, &row.sealed_version)) {
		catalogue_row_free(&row);
		return ark_fail(err, ARK_ENOMEM, "no memory for a row of the catalogue");
	}
	*ret = row;
	return ARK_OK;
}

static bool admits_all(const struct access_filter *filter)
{
	return !filter || filter->op == ACCESS_OP_ALL;
}

/* " AND <the filter>" on the row called alias; nothing where it says nothing,
 * so that no row is fetched only to be admitted. */
static int and_filter(struct query *q, const struct catalogue *c,
    const struct access_filter *filter, const char *alias, struct ark_error *err)
{
	if (admits_all(filter))
		return ARK_OK;
	query_sql(q, " AND ");
	return catalogue_filter_sql(q, c, filter, alias, err);
}

/* "SELECT <columns>, <how many versions of the document the filter admits> ". */
static int select_rows(struct query *q, const struct catalogue *c,
    const struct access_filter *filter, struct ark_error *err)
{
	int rc;

	query_sql(q, "SELECT " COLUMNS);
	if (!filter) {
		query_sql(q, "0 ");
		return ARK_OK;
	}
	query_sql(q, "(SELECT count(*) FROM version n INDEXED BY version_document"
		     " WHERE n.document = v.document");
	rc = and_filter(q, c, filter, "n", err);
	query_sql(q, ") ");
	return rc;
}

/* Steps to the end; ends the query. rc: of what was done so far. */
static int each_row(struct query *q, int rc, catalogue_each each, void *arg, struct ark_error *err)
{
	struct catalogue_row row;

	if (!rc)
		rc = query_prepare(q, err);
	while (!rc) {
		rc = query_step(q, err);
		if (rc != 1)
			break;
		rc = read_row(q->stmt, &row, err);
		if (rc)
			break;
		rc = each(arg, &row);
		catalogue_row_free(&row);
	}
	query_end(q);
	return rc;
}

/* False for what is no document id: then there is no such document. */
static bool bind_document(struct query *q, const char *document)
{
	unsigned char id[16];

	if (!docid_valid(document) || !hex_decode(id, sizeof(id), document, 32))
		return false;
	query_name(q, id);
	return true;
}

/* ---- one document ---- */
int catalogue_get(struct catalogue *c, const char *document, uint32_t version,
    const struct access_filter *filter, struct catalogue_row *ret, struct ark_error *err)
{
	struct query q;
	int rc;

	query_begin(&q, &c->db);
	rc = select_rows(&q, c, filter, err);
	query_sql(&q, "FROM version v INDEXED BY version_document WHERE v.document = ?");
	if (!rc && !bind_document(&q, document))
		rc = ark_fail(err, ARK_ENOTFOUND, "no such document");
	if (version) {
		query_sql(&q, " AND v.version = ?");
		query_int(&q, version);
	}
	if (!rc)
		rc = and_filter(&q, c, filter, "v", err);
	query_sql(&q, " ORDER BY v.version DESC LIMIT 1");
	if (!rc)
		rc = query_prepare(&q, err);
	if (!rc) {
		rc = query_step(&q, err);
		if (rc == 1)
			rc = read_row(q.stmt, ret, err);
		else if (rc == 0)
			rc = ark_fail(err, ARK_ENOTFOUND, "no such document or version");
	}
	query_end(&q);
	return rc;
}

int catalogue_newest(struct catalogue *c, const char *document, uint32_t *ret_version,
    uint32_t *ret_metadata, struct ark_error *err)
{
	struct query q;
	int rc = ARK_OK;

	query_begin(&q, &c->db);
	query_sql(&q, "SELECT max(version), max(metadata) FROM version WHERE document = ?");
	if (!bind_document(&q, document))
		rc = ark_fail(err, ARK_ENOTFOUND, "no such document");
	if (!rc)
		rc = query_prepare(&q, err);
	if (!rc) {
		rc = query_step(&q, err);
		if (rc == 1 && sqlite3_column_type(q.stmt, 0) != SQLITE_NULL) {
			*ret_version = (uint32_t)sqlite3_column_int64(q.stmt, 0);
			*ret_metadata = (uint32_t)sqlite3_column_int64(q.stmt, 1);
			rc = ARK_OK;
		} else if (rc >= 0) {
			rc = ark_fail(err, ARK_ENOTFOUND, "no such document");
		}
	}
	query_end(&q);
	return rc;
}

int catalogue_versions(struct catalogue *c, const char *document,
    const struct access_filter *filter, catalogue_each each, void *arg, struct ark_error *err)
{
	struct query q;
	int rc;

	query_begin(&q, &c->db);
	rc = select_rows(&q, c, filter, err);
	query_sql(&q, "FROM version v INDEXED BY version_document WHERE v.document = ?");
	if (!bind_document(&q, document)) {
		query_end(&q);
		return rc; /* no versions */
	}
	if (!rc)
		rc = and_filter(&q, c, filter, "v", err);
	query_sql(&q, " ORDER BY v.version");
	return each_row(&q, rc, each, arg, err);
}

/* ---- documents ---- */
/* Names the index to walk: SQLite, without statistics of our data, would
 * sort 100,000 rows for some of these. All give the order of the page. A named
 * index needs a condition on its first column, or there is no query plan. */
static void from_versions(
    struct query *q, const struct catalogue_list *list, const struct access_filter *filter)
{
	if (list->unit)
		query_sql(
		    q, "FROM version_unit u CROSS JOIN version v ON v.id = u.id WHERE u.unit = ?");
	else if (list->case_id)
		query_sql(q, "FROM version v INDEXED BY version_case WHERE v.case_id = ?");
	else if (list->type)
		query_sql(q, "FROM version v INDEXED BY version_type WHERE v.type = ?");
	else if (filter && filter->op == ACCESS_OP_HAS &&
		 filter->attribute == ACCESS_ATTR_PUBLICITY)
		query_sql(q, "FROM version v INDEXED BY version_publicity WHERE 1");
	else
		query_sql(
		    q, "FROM version v INDEXED BY version_day WHERE v.day < 0"); /* every day */
}

static int check_list(const struct catalogue_list *list, struct ark_error *err)
{
	if ((list->from && !date_valid(list->from)) || (list->to && !date_valid(list->to)) ||
	    (list->after_date[0] && !date_valid(list->after_date)))
		return ark_fail(err, ARK_EINPUT, "a date of a list is not YYYY-MM-DD");
	if (list->after_date[0] && !docid_valid(list->after_document))
		return ark_fail(
		    err, ARK_EINPUT, "a list continues after something that is no document");
	return ARK_OK;
}

static void match_list(
    struct query *q, const struct catalogue *c, const struct catalogue_list *list, bool paged)
{
	const char *table = list->unit ? "u" : "v";

	if (list->unit)
		catalogue_query_name(q, c, "units", list->unit);
	if (list->case_id) {
		if (list->unit)
			query_sql(q, " AND v.case_id = ?");
		catalogue_query_name(q, c, "cases", list->case_id);
	}
	if (list->type) {
		if (list->unit || list->case_id)
			query_sql(q, " AND v.type = ?");
		query_text(q, list->type);
	}
	if (list->from) {
		query_sql(q, " AND ");
		query_sql(q, table);
		query_sql(q, ".day <= ?");
		query_signed(q, catalogue_day(list->from));
	}
	if (list->to) {
		/* of two lower bounds SQLite takes the first it sees: the + leaves it the page's */
		query_sql(q, paged && list->after_date[0] ? " AND +" : " AND ");
		query_sql(q, table);
		query_sql(q, ".day >= ?");
		query_signed(q, catalogue_day(list->to));
	}
	if (paged && list->after_date[0]) {
		query_sql(q, list->unit ? " AND (u.day, u.document) > (?, ?)"
					: " AND (v.day, v.document) > (?, ?)");
		query_signed(q, catalogue_day(list->after_date));
		bind_document(q, list->after_document);
	}
}

/* The newest flag spares most rows the look for a newer one. */
static int and_newest(struct query *q, const struct catalogue *c,
    const struct access_filter *filter, struct ark_error *err)
{
	int rc;

	if (admits_all(filter)) {
		query_sql(q, " AND v.newest");
		return ARK_OK;
	}
	rc = and_filter(q, c, filter, "v", err);
	if (rc)
		return rc;
	query_sql(q,
	    " AND (v.newest OR NOT EXISTS (SELECT 1 FROM version n INDEXED BY version_document"
	    " WHERE n.document = v.document AND n.version > v.version");
	rc = and_filter(q, c, filter, "n", err);
	query_sql(q, "))");
	return rc;
}

int catalogue_documents(struct catalogue *c, const struct catalogue_list *list,
    const struct access_filter *filter, catalogue_each each, void *arg, struct ark_error *err)
{
	struct query q;
	int rc = check_list(list, err);

	if (rc)
		return rc;
	query_begin(&q, &c->db);
	rc = select_rows(&q, c, filter, err);
	from_versions(&q, list, filter);
	match_list(&q, c, list, true);
	if (!rc)
		rc = and_newest(&q, c, filter, err);
	query_sql(&q, list->unit ? " ORDER BY u.day, u.document LIMIT ?"
				 : " ORDER BY v.day, v.document LIMIT ?");
	query_int(&q, list->limit);
	return each_row(&q, rc, each, arg, err);
}

int catalogue_count(struct catalogue *c, const struct catalogue_list *list,
    const struct access_filter *filter, uint64_t *ret, struct ark_error *err)
{
	struct query q;
	int rc = check_list(list, err);

	if (rc)
		return rc;
	query_begin(&q, &c->db);
	query_sql(&q, "SELECT count(*) ");
	from_versions(&q, list, filter);
	match_list(&q, c, list, false);
	rc = and_newest(&q, c, filter, err);
	if (!rc)
		rc = query_prepare(&q, err);
	if (!rc)
		rc = query_step(&q, err);
	if (rc == 1) {
		*ret = (uint64_t)sqlite3_column_int64(q.stmt, 0);
		rc = ARK_OK;
	}
	query_end(&q);
	return rc;
}

/* ---- changes ---- */
int catalogue_changes(struct catalogue *c, uint64_t after_sequence, uint32_t after_item,
    unsigned int limit, const struct access_filter *filter,
    int (*each)(void *arg, const struct catalogue_change *change), void *arg, struct ark_error *err)
{
	static const char *const kinds[] = {"filed", "version", "metadata"};
	struct query q;
	int rc;

	query_begin(&q, &c->db);
	query_sql(&q, "SELECT c.sequence, c.item, c.time_us, c.kind, v.version, v.document"
		      " FROM change c CROSS JOIN version v ON v.id = c.id"
		      " WHERE (c.sequence, c.item) > (?, ?)");
	query_int(&q, after_sequence);
	query_int(&q, after_item);
	rc = and_filter(&q, c, filter, "v", err);
	query_sql(&q, " ORDER BY c.sequence, c.item LIMIT ?");
	query_int(&q, limit);
	if (!rc)
		rc = query_prepare(&q, err);
	while (!rc) {
		struct catalogue_change change;
		unsigned char document[16];
		int kind;

		rc = query_step(&q, err);
		if (rc != 1)
			break;
		kind = sqlite3_column_int(q.stmt, 3);
		change = (struct catalogue_change){
		    .sequence = (uint64_t)sqlite3_column_int64(q.stmt, 0),
		    .item = (uint32_t)sqlite3_column_int64(q.stmt, 1),
		    .time_us = sqlite3_column_int64(q.stmt, 2),
		    .kind = kinds[kind >= 0 && kind < 3 ? kind : 2],
		    .version = (uint32_t)sqlite3_column_int64(q.stmt, 4),
		};
		if (!read_fixed(q.stmt, 5, document, sizeof(document))) {
			rc = ark_fail(err, ARK_ECORRUPT, "the catalogue holds a malformed change");
			break;
		}
		hex_encode(change.document, document, sizeof(document));
		rc = each(arg, &change);
	}
	query_end(&q);
	return rc;
}

int catalogue_after(struct catalogue *c, uint64_t sequence, unsigned int limit, catalogue_each each,
    void *arg, struct ark_error *err)
{
	struct query q;
	struct catalogue_row row;
	uint64_t last = sequence;
	unsigned int given = 0;
	int rc;

	query_begin(&q, &c->db);
	query_sql(&q,
	    "SELECT " COLUMNS "0, c.sequence FROM change c CROSS JOIN version v ON v.id = c.id"
	    " WHERE c.sequence > ? ORDER BY c.sequence, c.item");
	query_int(&q, sequence);
	rc = query_prepare(&q, err);
	while (!rc) {
		uint64_t change;

		rc = query_step(&q, err);
		if (rc != 1)
			break;
		rc = ARK_OK;
		change = (uint64_t)sqlite3_column_int64(q.stmt, CHANGE_COLUMN);
		if (given >= limit && change != last)
			break;
		rc = read_row(q.stmt, &row, err);
		if (rc)
			break;
		row.change_sequence = change;
		rc = each(arg, &row);
		catalogue_row_free(&row);
		last = change;
		given++;
	}
	query_end(&q);
	return rc;
}

int catalogue_all(struct catalogue *c, catalogue_each each, void *arg, struct ark_error *err)
{
	struct query q;
	int rc;

	query_begin(&q, &c->db);
	rc = select_rows(&q, c, NULL, err);
	query_sql(&q, "FROM version v ORDER BY v.id");
	return each_row(&q, rc, each, arg, err);
}

/* ---- requests and records ---- */
int catalogue_request(struct catalogue *c, const char *request, char ret_document[33],
    uint32_t *ret_version, struct ark_error *err)
{
	unsigned char document[16];
	struct query q;
	int rc;

	query_begin(&q, &c->db);
	query_sql(
	    &q, "SELECT document, version FROM version WHERE request = ? ORDER BY id LIMIT 1");
	query_text(&q, request);
	rc = query_prepare(&q, err);
	if (!rc)
		rc = query_step(&q, err);
	if (rc == 0) {
		rc = ark_fail(err, ARK_ENOTFOUND, "no filing under this idempotency key");
	} else if (rc == 1 && read_fixed(q.stmt, 0, document, sizeof(document))) {
		hex_encode(ret_document, document, sizeof(document));
		*ret_version = (uint32_t)sqlite3_column_int64(q.stmt, 1);
		rc = ARK_OK;
	} else if (rc == 1) {
		rc = ark_fail(err, ARK_ECORRUPT, "the catalogue holds a malformed row");
	}
	query_end(&q);
	return rc;
}

int catalogue_records(struct catalogue *c, const char *record_kind,
    int (*each)(void *arg, const char *name, uint32_t number, const struct catalogue_blob *sealed),
    void *arg, struct ark_error *err)
{
	struct query q;
	int rc;

	query_begin(&q, &c->db);
	query_sql(&q, "SELECT name, number, sealed FROM record WHERE kind = ? ORDER BY name");
	query_text(&q, record_kind);
	rc = query_prepare(&q, err);
	while (!rc) {
		struct catalogue_blob sealed;
		unsigned char name[16];
		char hex[33];

		rc = query_step(&q, err);
		if (rc != 1)
			break;
		if (!read_fixed(q.stmt, 0, name, sizeof(name))) {
			rc = ark_fail(err, ARK_ECORRUPT, "the catalogue holds a malformed record");
			break;
		}
		hex_encode(hex, name, sizeof(name));
		sealed.bytes = sqlite3_column_blob(q.stmt, 2);
		sealed.len = (size_t)sqlite3_column_bytes(q.stmt, 2);
		rc = each(arg, hex, (uint32_t)sqlite3_column_int64(q.stmt, 1), &sealed);
	}
	query_end(&q);
	return rc;
}

int catalogue_record_number(struct catalogue *c, const char *record_kind, const char *id,
    uint32_t *ret, struct ark_error *err)
{
	struct query q;
	int rc;

	query_begin(&q, &c->db);
	query_sql(&q, "SELECT number FROM record WHERE kind = ? AND name = ?");
	query_text(&q, record_kind);
	catalogue_query_name(&q, c, record_kind, id);
	rc = query_prepare(&q, err);
	if (!rc)
		rc = query_step(&q, err);
	if (rc >= 0) {
		*ret = rc == 1 ? (uint32_t)sqlite3_column_int64(q.stmt, 0) : 0;
		rc = ARK_OK;
	}
	query_end(&q);
	return rc;
}
