/* The reading side: which versions, which documents, which changes.
 *
 * Every question with a sight asks SQLite for rows that its `any` admits;
 * nothing is taken out afterwards, so limits, counts and pages are of what
 * may be seen. "The newest version that the sight admits" is a version that
 * it admits and than which no newer one of the document is admitted.
 */
#include "archive/catalogue_private.h"
#include "arkki/base/clock.h"
#include "arkki/base/text.h"

/* ---- one document ---- */
int catalogue_get(struct catalogue *c, const char *document, uint32_t version,
    const struct access_sight *sight, struct catalogue_row *ret, struct ark_error *err)
{
	struct query q;
	int rc;

	query_begin(&q, &c->db);
	rc = catalogue_select(&q, c, sight, err);
	query_sql(&q, "FROM version v INDEXED BY version_document WHERE v.document = ?");
	if (!rc && !catalogue_query_document(&q, document))
		rc = ark_fail(err, ARK_ENOTFOUND, "no such document");
	if (version) {
		query_sql(&q, " AND v.version = ?");
		query_int(&q, version);
	}
	if (!rc)
		rc = catalogue_and_sight(&q, c, sight, "v", err);
	query_sql(&q, " ORDER BY v.version DESC LIMIT 1");
	if (!rc)
		rc = query_prepare(&q, err);
	if (!rc) {
		rc = query_step(&q, err);
		if (rc == 1)
			rc = catalogue_read_row(q.stmt, ret, err);
		else if (rc == 0)
			rc = ark_fail(err, ARK_ENOTFOUND, "no such document or version");
	}
	query_end(&q);
	return rc;
}

int catalogue_admits(struct catalogue *c, const char *document, uint32_t version,
    const struct access_filter *f, bool *ret, struct ark_error *err)
{
	struct query q;
	int rc = f ? ARK_OK : ark_fail(err, ARK_EINPUT, "no filter to ask");

	query_begin(&q, &c->db);
	query_sql(&q, "SELECT ");
	if (!rc)
		rc = catalogue_filter_sql(&q, c, f, "v", err);
	query_sql(&q, " FROM version v INDEXED BY version_document"
		      " WHERE v.document = ? AND v.version = ?");
	if (!rc && !catalogue_query_document(&q, document))
		rc = ark_fail(err, ARK_ENOTFOUND, "no such document");
	query_int(&q, version);
	if (!rc)
		rc = query_prepare(&q, err);
	if (!rc) {
		rc = query_step(&q, err);
		if (rc == 1) {
			*ret = sqlite3_column_int(q.stmt, 0) != 0;
			rc = ARK_OK;
		} else if (rc == 0) {
			rc = ark_fail(err, ARK_ENOTFOUND, "no such document or version");
		}
	}
	query_end(&q);
	return rc;
}

int catalogue_author(struct catalogue *c, const char *document, uint32_t version, char ret[33],
    struct ark_error *err)
{
	unsigned char author[16];
	struct query q;
	int rc = ARK_OK;

	query_begin(&q, &c->db);
	query_sql(&q, "SELECT author FROM version INDEXED BY version_document WHERE document = ?");
	if (!catalogue_query_document(&q, document))
		rc = ark_fail(err, ARK_ENOTFOUND, "no such document");
	if (version) {
		query_sql(&q, " AND version = ?");
		query_int(&q, version);
	}
	query_sql(&q, " ORDER BY version DESC LIMIT 1");
	if (!rc)
		rc = query_prepare(&q, err);
	if (!rc) {
		rc = query_step(&q, err);
		if (rc == 1) {
			ret[0] = '\0';
			if (catalogue_read_fixed(q.stmt, 0, author, sizeof(author)))
				hex_encode(ret, author, sizeof(author));
			rc = ARK_OK;
		} else if (rc == 0) {
			rc = ark_fail(err, ARK_ENOTFOUND, "no such document or version");
		}
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
	if (!catalogue_query_document(&q, document))
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

int catalogue_versions(struct catalogue *c, const char *document, const struct access_sight *sight,
    catalogue_each each, void *arg, struct ark_error *err)
{
	struct query q;
	int rc;

	query_begin(&q, &c->db);
	rc = catalogue_select(&q, c, sight, err);
	query_sql(&q, "FROM version v INDEXED BY version_document WHERE v.document = ?");
	if (!catalogue_query_document(&q, document)) {
		query_end(&q);
		return rc; /* no versions */
	}
	if (!rc)
		rc = catalogue_and_sight(&q, c, sight, "v", err);
	query_sql(&q, " ORDER BY v.version");
	return catalogue_each_row(&q, rc, each, arg, err);
}

int catalogue_sized(struct catalogue *c, uint64_t size, unsigned int limit,
    const struct access_sight *sight, catalogue_each each, void *arg, struct ark_error *err)
{
	struct query q;
	int rc;

	query_begin(&q, &c->db);
	rc = catalogue_select(&q, c, sight, err);
	query_sql(&q, "FROM version v WHERE v.size = ?");
	query_int(&q, (int64_t)size);
	if (!rc && sight) {
		query_sql(&q, " AND ");
		rc = catalogue_filter_sql(&q, c, sight->whole, "v", err);
	}
	query_sql(&q, " ORDER BY v.filed_us DESC, v.id DESC LIMIT ?");
	query_int(&q, limit);
	return catalogue_each_row(&q, rc, each, arg, err);
}

/* ---- documents ---- */
/* Names the index to walk: SQLite, without statistics of our data, would
 * sort 100,000 rows for some of these. All give the order of the page. A named
 * index needs a condition on its first column, or there is no query plan. */
static void from_versions(
    struct query *q, const struct catalogue_list *list, const struct access_sight *sight)
{
	if (list->unit)
		query_sql(
		    q, "FROM version_unit u CROSS JOIN version v ON v.id = u.id WHERE u.unit = ?");
	else if (list->case_id)
		query_sql(q, "FROM version v INDEXED BY version_case WHERE v.case_id = ?");
	else if (list->beside)
		query_sql(q, "FROM version v INDEXED BY version_case WHERE v.case_id ="
			     " (SELECT b.case_id FROM version b INDEXED BY version_document"
			     " WHERE b.document = ? AND b.version = ?) AND v.document <> ?");
	else if (list->type)
		query_sql(q, "FROM version v INDEXED BY version_type WHERE v.type = ?");
	else if (sight && sight->any->op == ACCESS_OP_HAS &&
		 sight->any->attribute == ACCESS_ATTR_PUBLICITY)
		query_sql(q, "FROM version v INDEXED BY version_publicity WHERE 1");
	else
		query_sql(
		    q, "FROM version v INDEXED BY version_day WHERE v.day < 0"); /* every day */
}

static int check_list(
    const struct catalogue_list *list, const struct access_sight *sight, struct ark_error *err)
{
	if (sight && (!sight->any || !sight->whole))
		return ark_fail(err, ARK_EINPUT, "a sight lacks a filter");
	if ((list->from && !date_valid(list->from)) || (list->to && !date_valid(list->to)) ||
	    (list->after_date[0] && !date_valid(list->after_date)))
		return ark_fail(err, ARK_EINPUT, "a date of a list is not YYYY-MM-DD");
	if (list->beside &&
	    (!docid_valid(list->beside) || list->unit || list->case_id || list->type))
		return ark_fail(err, ARK_EINPUT, "a list beside something that is no document");
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
	if (list->beside) {
		catalogue_query_document(q, list->beside);
		query_int(q, list->beside_version);
		catalogue_query_document(q, list->beside);
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
		catalogue_query_document(q, list->after_document);
	}
}

/* A public rendition does not say of which case it is, so who asks for a case does not get it. */
static int and_whole(struct query *q, const struct catalogue *c, const struct catalogue_list *list,
    const struct access_sight *sight, struct ark_error *err)
{
	if ((!list->case_id && !list->beside) || !sight || sight->whole == sight->any)
		return ARK_OK;
	query_sql(q, " AND ");
	return catalogue_filter_sql(q, c, sight->whole, "v", err);
}

/* The newest flag spares most rows the look for a newer one. */
static int and_newest(struct query *q, const struct catalogue *c, const struct access_sight *sight,
    struct ark_error *err)
{
	int rc;

	if (catalogue_admits_all(sight)) {
		query_sql(q, " AND v.newest");
		return ARK_OK;
	}
	rc = catalogue_and_sight(q, c, sight, "v", err);
	if (rc)
		return rc;
	query_sql(q,
	    " AND (v.newest OR NOT EXISTS (SELECT 1 FROM version n INDEXED BY version_document"
	    " WHERE n.document = v.document AND n.version > v.version");
	rc = catalogue_and_sight(q, c, sight, "n", err);
	query_sql(q, "))");
	return rc;
}

int catalogue_documents(struct catalogue *c, const struct catalogue_list *list,
    const struct access_sight *sight, catalogue_each each, void *arg, struct ark_error *err)
{
	struct query q;
	int rc = check_list(list, sight, err);

	if (rc)
		return rc;
	query_begin(&q, &c->db);
	rc = catalogue_select(&q, c, sight, err);
	from_versions(&q, list, sight);
	match_list(&q, c, list, true);
	if (!rc)
		rc = catalogue_and_text(&q, c, list, sight, err);
	if (!rc)
		rc = and_whole(&q, c, list, sight, err);
	if (!rc)
		rc = and_newest(&q, c, sight, err);
	query_sql(&q, list->unit ? " ORDER BY u.day, u.document LIMIT ?"
				 : " ORDER BY v.day, v.document LIMIT ?");
	query_int(&q, list->limit);
	return catalogue_each_row(&q, rc, each, arg, err);
}

int catalogue_count(struct catalogue *c, const struct catalogue_list *list,
    const struct access_sight *sight, uint64_t *ret, struct ark_error *err)
{
	struct query q;
	int rc = check_list(list, sight, err);

	if (rc)
		return rc;
	query_begin(&q, &c->db);
	query_sql(&q, "SELECT count(*) ");
	from_versions(&q, list, sight);
	match_list(&q, c, list, false);
	rc = catalogue_and_text(&q, c, list, sight, err);
	if (!rc)
		rc = and_whole(&q, c, list, sight, err);
	if (!rc)
		rc = and_newest(&q, c, sight, err);
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
/* When the whole was filed or amended is not told to who sees its public rendition. */
static int and_shown_change(struct query *q, const struct catalogue *c,
    const struct access_sight *sight, struct ark_error *err)
{
	int rc;

	if (!sight || sight->whole == sight->any)
		return ARK_OK;
	query_sql(q, " AND (c.kind = ? OR ");
	query_int(q, CHANGE_RENDITION);
	rc = catalogue_filter_sql(q, c, sight->whole, "v", err);
	query_sql(q, ")");
	return rc;
}

int catalogue_changes(struct catalogue *c, uint64_t after_sequence, uint32_t after_item,
    unsigned int limit, const struct access_sight *sight,
    int (*each)(void *arg, const struct catalogue_change *change), void *arg, struct ark_error *err)
{
	static const char *const kinds[] = {"filed", "version", "metadata", "rendition"};
	struct query q;
	int rc;

	query_begin(&q, &c->db);
	query_sql(&q, "SELECT c.sequence, c.item, c.time_us, c.kind, v.version, v.document"
		      " FROM change c CROSS JOIN version v ON v.id = c.id"
		      " WHERE (c.sequence, c.item) > (?, ?)");
	query_int(&q, after_sequence);
	query_int(&q, after_item);
	rc = catalogue_and_sight(&q, c, sight, "v", err);
	if (!rc)
		rc = and_shown_change(&q, c, sight, err);
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
		    .kind = kinds[kind >= 0 && kind < 4 ? kind : 2],
		    .version = (uint32_t)sqlite3_column_int64(q.stmt, 4),
		};
		if (!catalogue_read_fixed(q.stmt, 5, document, sizeof(document))) {
			rc = ark_fail(err, ARK_ECORRUPT, "the catalogue holds a malformed change");
			break;
		}
		hex_encode(change.document, document, sizeof(document));
		rc = each(arg, &change);
	}
	query_end(&q);
	return rc;
}

int catalogue_unsettled(struct catalogue *c, uint64_t sequence, const struct access_sight *sight,
    int (*each)(void *arg, const char document[33]), void *arg, struct ark_error *err)
{
	struct query q;
	int rc = sight && sight->whole ? ARK_OK : ark_fail(err, ARK_EINPUT, "no sight to ask");

	query_begin(&q, &c->db);
	query_sql(&q, "SELECT DISTINCT v.document FROM change c CROSS JOIN version v ON v.id = c.id"
		      " WHERE c.sequence > ? AND c.kind >= ? AND v.sequence <= ? AND NOT ");
	query_int(&q, sequence);
	query_int(&q, CHANGE_METADATA);
	query_int(&q, sequence);
	if (!rc)
		rc = catalogue_filter_sql(&q, c, sight->whole, "v", err);
	if (!rc)
		rc = query_prepare(&q, err);
	while (!rc && (rc = query_step(&q, err)) == 1) {
		unsigned char document[16];
		char hex[33];

		rc = ARK_OK;
		if (!catalogue_read_fixed(q.stmt, 0, document, sizeof(document)))
			rc = ark_fail(err, ARK_ECORRUPT, "the catalogue holds a malformed row");
		if (!rc) {
			hex_encode(hex, document, sizeof(document));
			rc = each(arg, hex);
		}
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
	query_sql(&q, "SELECT " CATALOGUE_COLUMNS
		      "0, 1, c.sequence FROM change c CROSS JOIN version v ON v.id = c.id"
		      " WHERE c.sequence > ? ORDER BY c.sequence, c.item");
	query_int(&q, sequence);
	rc = query_prepare(&q, err);
	while (!rc) {
		uint64_t change;

		rc = query_step(&q, err);
		if (rc != 1)
			break;
		rc = ARK_OK;
		change = (uint64_t)sqlite3_column_int64(q.stmt, CATALOGUE_CHANGE);
		if (given >= limit && change != last)
			break;
		rc = catalogue_read_row(q.stmt, &row, err);
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

int catalogue_type_counts(struct catalogue *c,
    int (*each)(void *arg, const char *type, const char author[33], uint64_t count), void *arg,
    struct ark_error *err)
{
	struct query q;
	int rc;

	query_begin(&q, &c->db);
	query_sql(&q, "SELECT type, author, count(*) FROM version WHERE newest = 1"
		      " GROUP BY type, author ORDER BY type, author");
	rc = query_prepare(&q, err);
	while (!rc && (rc = query_step(&q, err)) == 1) {
		unsigned char name[16];
		char author[33] = "";

		if (catalogue_read_fixed(q.stmt, 1, name, sizeof(name)))
			hex_encode(author, name, sizeof(name));
		rc = each(arg, (const char *)sqlite3_column_text(q.stmt, 0), author,
		    (uint64_t)sqlite3_column_int64(q.stmt, 2));
	}
	query_end(&q);
	return rc;
}

int catalogue_all(struct catalogue *c, catalogue_each each, void *arg, struct ark_error *err)
{
	struct query q;
	int rc;

	query_begin(&q, &c->db);
	rc = catalogue_select(&q, c, NULL, err);
	query_sql(&q, "FROM version v ORDER BY v.id");
	return catalogue_each_row(&q, rc, each, arg, err);
}

/* ---- requests and records ---- */
int catalogue_request(struct catalogue *c, const char *request, char ret_document[33],
    uint32_t *ret_version, struct ark_error *err)
{
	unsigned char document[16];
	struct query q;
	int rc;

	query_begin(&q, &c->db);
	query_sql(&q, "SELECT document, version FROM version WHERE request = ?"
		      " UNION ALL SELECT v.document, v.version FROM rendition_request r"
		      " JOIN version v ON v.id = r.id WHERE r.request = ? LIMIT 1");
	query_text(&q, request);
	query_text(&q, request);
	rc = query_prepare(&q, err);
	if (!rc)
		rc = query_step(&q, err);
	if (rc == 0) {
		rc = ark_fail(err, ARK_ENOTFOUND, "no filing under this idempotency key");
	} else if (rc == 1 && catalogue_read_fixed(q.stmt, 0, document, sizeof(document))) {
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
		if (!catalogue_read_fixed(q.stmt, 0, name, sizeof(name))) {
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
