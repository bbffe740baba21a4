/* What is known of texts: their states, and how far OCR is. Not from the
 * store: the indexer writes it, and derived/ says the same. */
#include <string.h>

#include "archive/catalogue_private.h"
#include "arkki/base/text.h"

enum { TEXT_REASON_MAX = 200 };

/* Small before huge; what OCR takes minutes for must not hold up what takes seconds. */
enum { SMALL_PAGES = 20, LARGE_PAGES = 200 };

#define IS_CURRENT "(p.rendition = 0 OR p.rendition = v.rendition)"

int catalogue_set_text(struct catalogue *c, const char *document, uint32_t version,
    uint32_t rendition, const char *state, const char *reason, struct ark_error *err)
{
	struct query q;
	int rc;

	if (strcmp(state, "pending") != 0 && strcmp(state, "ready") != 0 &&
	    strcmp(state, "none") != 0)
		return ark_fail(err, ARK_EINPUT, "a text is pending, ready or none");
	if (reason && strlen(reason) > TEXT_REASON_MAX)
		return ark_fail(
		    err, ARK_EINPUT, "a text's reason is over %d bytes", TEXT_REASON_MAX);
	if (!docid_valid(document))
		return ark_fail(err, ARK_ENOTFOUND, "no such version");
	query_begin(&q, &c->db);
	query_sql(&q, rendition ? "UPDATE version SET r_text_state = ?, r_text_reason = ?"
				  " WHERE document = ? AND version = ? AND rendition = ?"
				: "UPDATE version SET text_state = ?, text_reason = ?"
				  " WHERE document = ? AND version = ?");
	query_text(&q, state);
	query_text(&q, reason);
	catalogue_query_document(&q, document);
	query_int(&q, version);
	if (rendition)
		query_int(&q, rendition);
	rc = query_run(&q, err);
	if (!rc && sqlite3_changes(c->db.sql) == 0)
		return ark_fail(err, ARK_ENOTFOUND, "no such version");
	return rc;
}

int catalogue_pending(struct catalogue *c, uint64_t upto, enum form form, catalogue_each each,
    void *arg, struct ark_error *err)
{
	struct query q;
	int rc;

	query_begin(&q, &c->db);
	rc = catalogue_select(&q, c, NULL, err);
	query_sql(&q, form == FORM_PUBLIC
			  ? "FROM version v WHERE v.r_text_state = 'pending' AND v.r_sequence <= ?"
			    " AND NOT EXISTS (SELECT 1 FROM paged p WHERE p.id = v.id"
			    " AND p.rendition = v.rendition AND NOT p.merged) ORDER BY v.id"
			  : "FROM version v WHERE v.text_state = 'pending' AND v.sequence <= ?"
			    " AND NOT EXISTS (SELECT 1 FROM paged p WHERE p.id = v.id"
			    " AND p.rendition = 0 AND NOT p.merged) ORDER BY v.id");
	query_int(&q, upto);
	return catalogue_each_row(&q, rc, each, arg, err);
}

/* ---- pages ---- */

static unsigned int rank_of(const struct catalogue_pages *p)
{
	unsigned int size = p->bare <= SMALL_PAGES ? 0 : p->bare <= LARGE_PAGES ? 2 : 4;

	return size + (p->has_text ? 1 : 0);
}

/* "… WHERE document = ? AND version = ?", of the rendition when it is still the newest. */
static bool match_form(struct query *q, const char *document, uint32_t version, uint32_t rendition)
{
	if (!docid_valid(document))
		return false;
	query_sql(q, " WHERE v.document = ? AND v.version = ?");
	catalogue_query_document(q, document);
	query_int(q, version);
	if (rendition) {
		query_sql(q, " AND v.rendition = ?");
		query_int(q, rendition);
	}
	return true;
}

static int forget_pages(struct catalogue *c, const char *document, uint32_t version,
    uint32_t rendition, struct ark_error *err)
{
	struct query q;

	query_begin(&q, &c->db);
	query_sql(&q, "DELETE FROM paged WHERE rendition = ?");
	query_int(&q, rendition);
	query_sql(&q, " AND id IN (SELECT v.id FROM version v");
	if (!match_form(&q, document, version, 0)) {
		query_end(&q);
		return ark_fail(err, ARK_ENOTFOUND, "no such version");
	}
	query_sql(&q, ")");
	return query_run(&q, err);
}

int catalogue_set_pages(struct catalogue *c, const char *document, uint32_t version,
    uint32_t rendition, const struct catalogue_pages *p, struct ark_error *err)
{
	struct query q;
	int rc;

	if (!p)
		return forget_pages(c, document, version, rendition, err);
	query_begin(&q, &c->db);
	query_sql(&q,
	    "INSERT OR REPLACE INTO paged (id, rendition, pages, bare, read, merged, rank)"
	    " SELECT v.id, ?, ?, ?, ?, ?, ? FROM version v");
	query_int(&q, rendition);
	query_int(&q, p->pages);
	query_int(&q, p->bare);
	query_int(&q, p->read);
	query_int(&q, p->merged);
	query_int(&q, rank_of(p));
	if (!match_form(&q, document, version, rendition)) {
		query_end(&q);
		return ark_fail(err, ARK_ENOTFOUND, "no such version");
	}
	rc = query_run(&q, err);
	if (!rc && sqlite3_changes(c->db.sql) == 0)
		return ark_fail(err, ARK_ENOTFOUND, "no such version");
	return rc;
}

int catalogue_get_pages(struct catalogue *c, const char *document, uint32_t version,
    uint32_t rendition, struct catalogue_pages *ret, struct ark_error *err)
{
	struct query q;
	int rc;

	query_begin(&q, &c->db);
	query_sql(&q, "SELECT p.pages, p.bare, p.read, p.merged, p.rank FROM version v"
		      " JOIN paged p ON p.id = v.id AND p.rendition = ?");
	query_int(&q, rendition);
	rc = match_form(&q, document, version, rendition) ? query_prepare(&q, err) : ARK_ENOTFOUND;
	if (!rc)
		rc = query_step(&q, err);
	if (rc == 1) {
		*ret = (struct catalogue_pages){
		    .pages = (uint32_t)sqlite3_column_int64(q.stmt, 0),
		    .bare = (uint32_t)sqlite3_column_int64(q.stmt, 1),
		    .read = (uint32_t)sqlite3_column_int64(q.stmt, 2),
		    .merged = sqlite3_column_int(q.stmt, 3) != 0,
		    .has_text = sqlite3_column_int(q.stmt, 4) % 2 != 0,
		};
		rc = ARK_OK;
	} else if (rc == 0 || rc == ARK_ENOTFOUND) {
		rc = ark_fail(err, ARK_ENOTFOUND, "no such version with pages");
	}
	query_end(&q);
	return rc;
}

/* The columns of the row and then the rendition, of the first form that `which` leaves. */
static int one_form(struct catalogue *c, const char *which, struct catalogue_row *ret,
    enum form *ret_form, struct ark_error *err)
{
	struct query q;
	int rc;

	query_begin(&q, &c->db);
	query_sql(&q,
	    "SELECT " CATALOGUE_COLUMNS "0, 1, p.rendition FROM paged p INDEXED BY paged_waiting"
	    " CROSS JOIN version v ON v.id = p.id WHERE NOT p.merged AND " IS_CURRENT);
	query_sql(&q, which);
	rc = query_prepare(&q, err);
	if (!rc)
		rc = query_step(&q, err);
	if (rc == 1) {
		*ret_form =
		    sqlite3_column_int64(q.stmt, CATALOGUE_CHANGE) ? FORM_PUBLIC : FORM_WHOLE;
		rc = catalogue_read_row(q.stmt, ret, err);
	} else if (rc == 0) {
		rc = ark_fail(err, ARK_ENOTFOUND, "nothing waits for OCR");
	}
	query_end(&q);
	return rc;
}

int catalogue_ocr_next(
    struct catalogue *c, struct catalogue_row *ret, enum form *ret_form, struct ark_error *err)
{
	return one_form(
	    c, " AND p.read < p.bare ORDER BY p.rank, p.id DESC LIMIT 1", ret, ret_form, err);
}

int catalogue_ocr_read(
    struct catalogue *c, struct catalogue_row *ret, enum form *ret_form, struct ark_error *err)
{
	return one_form(c, " AND p.read >= p.bare LIMIT 1", ret, ret_form, err);
}

int catalogue_ocr_tally(struct catalogue *c, struct catalogue_ocr_tally *ret, struct ark_error *err)
{
	struct query q;
	int rc;

	query_begin(&q, &c->db);
	query_sql(&q, "SELECT count(*), ifnull(sum(p.bare), 0), ifnull(sum(p.read), 0)"
		      " FROM paged p INDEXED BY paged_waiting CROSS JOIN version v ON v.id = p.id"
		      " WHERE NOT p.merged AND " IS_CURRENT);
	rc = query_prepare(&q, err);
	if (!rc)
		rc = query_step(&q, err);
	if (rc == 1) {
		ret->documents = (uint64_t)sqlite3_column_int64(q.stmt, 0);
		ret->pages = (uint64_t)sqlite3_column_int64(q.stmt, 1);
		ret->read = (uint64_t)sqlite3_column_int64(q.stmt, 2);
		rc = ARK_OK;
	}
	query_end(&q);
	return rc;
}

int catalogue_ocr_gone(struct catalogue *c, const char *reason, struct ark_error *err)
{
	static const char *const sql[] = {
	    "UPDATE version SET text_state = 'none', text_reason = ? WHERE text_state = 'pending'"
	    " AND EXISTS (SELECT 1 FROM paged p WHERE p.id = version.id AND p.rendition = 0"
	    " AND NOT p.merged)",
	    "UPDATE version SET r_text_state = 'none', r_text_reason = ?"
	    " WHERE r_text_state = 'pending' AND EXISTS (SELECT 1 FROM paged p"
	    " WHERE p.id = version.id AND p.rendition = version.rendition AND NOT p.merged)"};
	struct query q;
	int rc = ARK_OK;

	for (size_t i = 0; !rc && i < 2; i++) {
		query_begin(&q, &c->db);
		query_sql(&q, sql[i]);
		query_text(&q, reason);
		rc = query_run(&q, err);
	}
	return rc;
}

/* ---- which texts ---- */

/* What the alias's row says of the form that the sight shows: its state or reason, or its number as a
 * rendition. */
static int shown_column(struct query *q, const struct catalogue *c,
    const struct access_sight *sight, const char *whole, const char *public, struct ark_error *err)
{
	int rc = ARK_OK;

	if (!sight || sight->whole == sight->any || sight->whole->op == ACCESS_OP_ALL) {
		query_sql(q, whole);
		return ARK_OK;
	}
	query_sql(q, "CASE WHEN ");
	rc = catalogue_filter_sql(q, c, sight->whole, "v", err);
	query_sql(q, " THEN ");
	query_sql(q, whole);
	query_sql(q, " ELSE ");
	query_sql(q, public);
	query_sql(q, " END");
	return rc;
}

int catalogue_and_text(struct query *q, const struct catalogue *c,
    const struct catalogue_list *list, const struct access_sight *sight, struct ark_error *err)
{
	int rc = ARK_OK;

	if (list->text_state && strcmp(list->text_state, "ocr") == 0) {
		query_sql(q, " AND EXISTS (SELECT 1 FROM paged p WHERE p.id = v.id AND NOT p.merged"
			     " AND p.rendition = ");
		rc = shown_column(q, c, sight, "0", "v.rendition", err);
		query_sql(q, ")");
	} else if (list->text_state) {
		query_sql(q, " AND ");
		rc = shown_column(q, c, sight, "v.text_state", "v.r_text_state", err);
		query_sql(q, " = ?");
		query_text(q, list->text_state);
	}
	if (!rc && list->text_reason) {
		query_sql(q, " AND ");
		rc = shown_column(q, c, sight, "v.text_reason", "v.r_text_reason", err);
		query_sql(q, " = ?");
		query_text(q, list->text_reason);
	}
	return rc;
}

int catalogue_texts(struct catalogue *c, const struct catalogue_text_ask *ask, catalogue_each each,
    void *arg, struct ark_error *err)
{
	const char *state = ask->state ? ask->state : "none";
	bool ocr = strcmp(state, "ocr") == 0;
	struct query q;
	int rc;

	query_begin(&q, &c->db);
	rc = catalogue_select(&q, c, NULL, err);
	query_sql(&q, "FROM version v INDEXED BY version_document WHERE ");
	if (ocr) {
		query_sql(&q, "EXISTS (SELECT 1 FROM paged p WHERE p.id = v.id AND NOT p.merged "
			      "AND " IS_CURRENT ")");
	} else {
		query_sql(&q, "(v.text_state = ? OR v.r_text_state = ?)");
		query_text(&q, state);
		query_text(&q, state);
	}
	if (ask->reason) {
		query_sql(&q, " AND (v.text_reason = ? OR v.r_text_reason = ?)");
		query_text(&q, ask->reason);
		query_text(&q, ask->reason);
	}
	query_sql(&q, ask->after_document[0] ? " AND (v.document, v.version) > (?, ?)" : "");
	if (ask->after_document[0]) {
		if (!catalogue_query_document(&q, ask->after_document))
			rc = ark_fail(err, ARK_EINPUT, "a list goes on after no document");
		query_int(&q, ask->after_version);
	}
	query_sql(&q, " ORDER BY v.document, v.version LIMIT ?");
	query_int(&q, ask->limit);
	return catalogue_each_row(&q, rc, each, arg, err);
}

int catalogue_text_counts(struct catalogue *c,
    int (*each)(void *arg, const char *state, const char *reason, uint64_t count), void *arg,
    struct ark_error *err)
{
	struct query q;
	int rc;

	query_begin(&q, &c->db);
	query_sql(&q, "SELECT text_state, text_reason, count(*) FROM version"
		      " GROUP BY text_state, text_reason UNION ALL"
		      " SELECT r_text_state, r_text_reason, count(*) FROM version"
		      " WHERE r_text_state IS NOT NULL GROUP BY r_text_state, r_text_reason");
	rc = query_prepare(&q, err);
	while (!rc && (rc = query_step(&q, err)) == 1)
		rc = each(arg, (const char *)sqlite3_column_text(q.stmt, 0),
		    (const char *)sqlite3_column_text(q.stmt, 1),
		    (uint64_t)sqlite3_column_int64(q.stmt, 2));
	query_end(&q);
	return rc;
}

/* ---- again ---- */

static int retry_form(struct catalogue *c, bool public, const char *document, uint32_t version,
    const char *reason, const struct access_sight *sight, uint64_t *count, struct ark_error *err)
{
	bool all = !sight || sight->whole->op == ACCESS_OP_ALL;
	struct query q;
	int rc = ARK_OK;

	query_begin(&q, &c->db);
	query_sql(&q, public
			  ? "UPDATE version AS v SET r_text_state = 'pending', r_text_reason = NULL"
			    " WHERE r_text_state IS NOT NULL"
			  : "UPDATE version AS v SET text_state = 'pending', text_reason = NULL"
			    " WHERE 1");
	if (document) {
		query_sql(&q, " AND document = ? AND version = ?");
		if (!catalogue_query_document(&q, document))
			rc = ark_fail(err, ARK_ENOTFOUND, "no such version");
		query_int(&q, version);
	} else {
		query_sql(&q, public ? " AND r_text_state = 'none'" : " AND text_state = 'none'");
		if (reason) {
			query_sql(&q, public ? " AND r_text_reason = ?" : " AND text_reason = ?");
			query_text(&q, reason);
		}
	}
	if (!rc && !all) {
		query_sql(&q, " AND ");
		rc = catalogue_filter_sql(&q, c, public ? sight->any : sight->whole, "v", err);
	}
	if (rc)
		query_end(&q);
	else
		rc = query_run(&q, err);
	if (!rc)
		*count += (uint64_t)sqlite3_changes64(c->db.sql);
	return rc;
}

int catalogue_text_retry(struct catalogue *c, const char *document, uint32_t version,
    const char *reason, const struct access_sight *sight, uint64_t *ret_count,
    struct ark_error *err)
{
	uint64_t count = 0;
	int rc = sight && (!sight->any || !sight->whole)
		     ? ark_fail(err, ARK_EINPUT, "a sight lacks a filter")
		     : db_exec(&c->db, "BEGIN IMMEDIATE", err);

	if (rc)
		return rc;
	rc = retry_form(c, false, document, version, reason, sight, &count, err);
	if (!rc)
		rc = retry_form(c, true, document, version, reason, sight, &count, err);
	/* what is pending and waits for OCR is not taken up: these begin from nothing */
	if (!rc)
		rc = db_exec(&c->db,
		    "DELETE FROM paged WHERE id IN (SELECT v.id FROM version v"
		    " WHERE v.text_state = 'pending' AND v.text_reason IS NULL) AND rendition = 0;"
		    "DELETE FROM paged WHERE rendition <> 0 AND id IN (SELECT v.id FROM version v"
		    " WHERE v.r_text_state = 'pending' AND v.r_text_reason IS NULL)",
		    err);
	if (!rc)
		rc = db_exec(&c->db, "COMMIT", err);
	if (rc)
		sqlite3_exec(c->db.sql, "ROLLBACK", NULL, NULL, NULL);
	else
		*ret_count = count;
	return rc;
}
