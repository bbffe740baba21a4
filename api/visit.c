#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/app.h"
#include "api/disposition_api.h"
#include "api/i18n.h"
#include "api/pages/pages.h"
#include "arkki/api/http_range.h"
#include "arkki/base/clock.h"
#include "arkki/base/json.h"
#include "arkki/base/text.h"

struct app *app_of(const struct exchange *x)
{
	return http_app(x);
}

struct caller *caller_of(const struct exchange *x)
{
	return http_caller(x);
}

static void visit_end(void *data, enum http_outcome outcome, int status, uint64_t bytes_out)
{
	struct visit *v = data;

	(void)outcome, (void)status, (void)bytes_out;
	if (v->more_free)
		v->more_free(v->more);
	if (v->has_row)
		catalogue_row_free(&v->row);
	receipt_free(v->receipt);
	free(v);
}

struct visit *visit_of(struct exchange *x)
{
	struct visit *v = http_data(x);

	if (v)
		return v;
	v = calloc(1, sizeof(*v));
	if (!v) {
		http_reply_problem(x, 503, "out-of-memory", NULL, NULL);
		return NULL;
	}
	v->app = app_of(x);
	v->caller = caller_of(x);
	v->x = x;
	http_set_data(x, v, visit_end);
	return v;
}

/* ---- finding ---- */

int visit_find(struct visit *v, const char *document, uint32_t version, struct ark_error *err)
{
	struct archive *a = v->app->archive;
	struct access_sight *sight = NULL;
	struct desk *desk = NULL;
	int rc;

	if (!docid_valid(document))
		return ark_fail(err, ARK_ENOTFOUND, "there is no such document");
	/* its rows are there until the destruction has come to them */
	if (registry_has(archive_registry(a), "tombstones", document))
		return ark_fail(err, ARK_ENOTFOUND, "there is no such document");
	rc = caller_sight(v->caller, &sight, err);
	if (!rc)
		rc = archive_desk(a, &desk, err);
	if (!rc)
		rc = catalogue_get(desk->catalogue, document, version, sight, &v->row, err);
	v->has_row = rc == ARK_OK;
	archive_desk_return(a, desk);
	access_sight_unref(sight);
	return rc;
}

int visit_content_open(struct visit *v, bool *ret, struct ark_error *err)
{
	struct archive *a = v->app->archive;
	struct desk *desk = NULL;
	int rc;

	*ret = false;
	if (!v->row.whole)
		return ARK_OK;
	rc = archive_desk(a, &desk, err);
	if (!rc)
		rc = caller_content_admits(
		    v->caller, desk->catalogue, v->row.document, v->row.version, ret, err);
	archive_desk_return(a, desk);
	return rc;
}

uint32_t visit_version(const struct exchange *x, unsigned int param)
{
	const char *text = http_param(x, param);
	size_t n = strspn(text, "0123456789");

	if (n < 1 || n > 6 || text[n] || text[0] == '0')
		return 0;
	return (uint32_t)strtoul(text, NULL, 10);
}

/* ---- logging ---- */

struct ledger_record visit_record(const struct visit *v, const char *kind)
{
	const struct caller *c = v->caller;
	struct ledger_record r = {.kind = kind};

	if (v->has_row) {
		r.document = v->row.document;
		r.version = v->row.version;
	}
	r.purpose = c->purpose;
	/* a stated case may be any bytes: what cannot be one is not written down */
	r.case_id = c->case_id && id_valid(c->case_id) ? c->case_id : NULL;
	r.break_glass = c->break_glass;
	r.glass_refused = c->glass_refused;
	r.principal = c->who->access.user;
	r.org = c->who->access.org;
	r.roles = c->who->roles_text;
	r.authentication = c->authentication;
	r.session = c->token_id[0] ? c->token_id : NULL;
	r.address = c->address;
	r.own_series = c->who->own_series;
	return r;
}

enum { COSIGN_WAIT_US = 15000000 };

static void on_cosigned(struct witness_wait *wait, bool cosigned)
{
	struct visit *v = (struct visit *)((char *)wait - offsetof(struct visit, wait));

	v->cosigned = cosigned;
	http_wake(v->x);
}

static void after_cosigned(struct exchange *x)
{
	struct visit *v = http_data(x);

	if (v->cosigned) {
		v->then(x);
		return;
	}
	http_reply_header(x, "Retry-After", "10");
	http_reply_problem(x, 503, "not-cosigned",
	    "The witnesses have not cosigned the entry of this read yet; it stands in the log.",
	    NULL);
}

/* Content of some classes is released only when witnesses know of the read. */
static bool must_be_cosigned(const struct visit *v)
{
	return v->shows_content && witnesses_required(v->app->witnesses, v->row.publicity);
}

static void after_log(struct exchange *x)
{
	struct visit *v = http_data(x);
	void (*then)(struct exchange * x) = v->then;

	if (v->log_status) {
		http_reply_header(x, "Retry-After", "30");
		http_reply_problem(x, 503, "log-unavailable", NULL, NULL);
		return;
	}
	if (!v->silent)
		http_reply_header(x, "Arkki-Receipt", receipt_token(v->receipt));
	if (!must_be_cosigned(v)) {
		then(x);
		return;
	}
	v->cosigned = false;
	v->wait =
	    (struct witness_wait){.size = receipt_first(v->receipt) + receipt_count(v->receipt),
		.deadline_us = clock_monotonic_us() + COSIGN_WAIT_US,
		.done = on_cosigned};
	witnesses_wait(v->app->witnesses, &v->wait);
	http_wait(x, after_cosigned);
}

static void on_logged(void *arg, int status, struct receipt *receipt)
{
	struct visit *v = arg;

	receipt_free(v->receipt); /* of an earlier entry of the same request */
	v->receipt = receipt;
	v->log_status = status;
	http_wake(v->x);
}

/* The records with the authors of their documents, which the authorities' own view of the log goes by. */
struct signed_records {
	struct ledger_record *records;
	char (*authors)[33];
};

static int sign_one(const struct visit *v, struct desk *desk, struct ledger_record *r,
    char author[33], struct ark_error *err)
{
	int rc = ARK_OK;

	if (v->has_row && strcmp(r->document, v->row.document) == 0 && r->version == v->row.version)
		memcpy(author, v->row.author, sizeof(v->row.author));
	else
		rc = catalogue_author(desk->catalogue, r->document, r->version, author, err);
	if (!rc && author[0])
		r->author = author;
	return rc == ARK_ENOTFOUND ? ARK_OK : rc;
}

static int sign(const struct visit *v, const struct ledger_record *records, size_t n,
    struct signed_records *ret, struct ark_error *err)
{
	struct desk *desk = NULL;
	int rc = ARK_OK;

	ret->records = calloc(n, sizeof(*ret->records));
	ret->authors = calloc(n, sizeof(*ret->authors));
	if (!ret->records || !ret->authors)
		return ark_fail(err, ARK_ENOMEM, "no memory for log entries");
	for (size_t i = 0; !rc && i < n; i++) {
		ret->records[i] = records[i];
		if (!records[i].document || records[i].author)
			continue;
		if (!desk)
			rc = archive_desk(v->app->archive, &desk, err);
		if (!rc)
			rc = sign_one(v, desk, &ret->records[i], ret->authors[i], err);
	}
	archive_desk_return(v->app->archive, desk);
	return rc;
}

void visit_log(struct exchange *x, const struct ledger_record *records, size_t n,
    void (*then)(struct exchange *x))
{
	struct visit *v = visit_of(x);
	struct signed_records s = {0};
	struct ark_error err;
	int rc;

	if (!v)
		return;
	v->then = then;
	v->shows_content = false;
	for (size_t i = 0; i < n; i++)
		v->shows_content |= records[i].outcome == LEDGER_RESULT_OK && records[i].kind &&
				    (strcmp(records[i].kind, "content") == 0 ||
					strcmp(records[i].kind, "text") == 0);
	rc = sign(v, records, n, &s, &err);
	if (!rc)
		rc = ledger_append(archive_ledger(v->app->archive, LEDGER_ACCESS), s.records, n,
		    on_logged, v, &err);
	free(s.records);
	free(s.authors);
	if (rc) {
		v->log_status = ARK_EIO;
		after_log(x);
		return;
	}
	http_wait(x, after_log);
	if (http_route(x)->flags & ROUTE_PAGE) /* while the disk writes */
		page_prepare(x);
}

static void reply_not_found(struct exchange *x)
{
	const struct visit *v = http_data(x);

	if (v && v->sought[0] && reply_gone(x, v->sought))
		return;
	http_reply_problem(x, 404, "not-found", NULL, NULL);
}

void visit_not_found(struct exchange *x, const char *kind, const char *document, uint32_t version)
{
	struct visit *v = visit_of(x);
	struct ledger_record r;
	struct desk *desk = NULL;
	uint32_t newest, metadata;
	char author[33] = "";
	bool exists = false;

	if (!v)
		return;
	if (docid_valid(document))
		memcpy(v->sought, document, sizeof(v->sought));
	if (!refusal_budget(v->app, v->caller->who->access.user)) {
		reply_not_found(x);
		return;
	}
	/* a hidden document's own series of numbers must show that someone tried */
	if (docid_valid(document) && !archive_desk(v->app->archive, &desk, NULL)) {
		exists = !catalogue_newest(desk->catalogue, document, &newest, &metadata, NULL) &&
			 version <= newest;
		/* asked here, so that what never was takes as long */
		if (catalogue_author(desk->catalogue, document, version, author, NULL))
			author[0] = '\0';
		archive_desk_return(v->app->archive, desk);
	}
	r = visit_record(v, kind);
	r.document = document;
	r.version = version;
	r.author = exists && author[0] ? author : NULL;
	r.outcome = exists ? LEDGER_DENIED : LEDGER_NOT_FOUND;
	if (!exists) { /* an invented id must not grow a series */
		r.document = NULL;
		r.version = 0;
	}
	visit_log(x, &r, 1, reply_not_found);
}

/* An address that is none of ours does not look who is calling. */
static void reply_absent(struct exchange *x)
{
	caller_of(x)->left = true;
	http_reply_problem(x, 404, NULL, NULL, NULL);
}

void visit_absent(struct exchange *x, const char *kind)
{
	struct visit *v = visit_of(x);
	struct ledger_record r;

	if (!v)
		return;
	if (!refusal_budget(v->app, v->caller->who->access.user)) {
		reply_absent(x);
		return;
	}
	v->silent = true;
	r = visit_record(v, kind);
	r.outcome = LEDGER_DENIED;
	visit_log(x, &r, 1, reply_absent);
}

static void reply_denied(struct exchange *x)
{
	struct visit *v = visit_of(x);

	http_reply_problem(x, 403, "not-permitted", v ? v->more : NULL, NULL);
}

void visit_denied(struct exchange *x, const char *kind, const char *why)
{
	struct visit *v = visit_of(x);
	struct ledger_record r;

	if (!v)
		return;
	if (v->more_free)
		v->more_free(v->more);
	v->more_free = NULL;
	v->more = (void *)(uintptr_t)why; /* static text */
	r = visit_record(v, kind);
	r.outcome = LEDGER_DENIED;
	if (!refusal_budget(v->app, v->caller->who->access.user)) {
		reply_denied(x);
		return;
	}
	visit_log(x, &r, 1, reply_denied);
}

/* The entry of the refused read opens the metadata, so that the answer can
 * tell a missing purpose from a missing right. */
static void reply_content_denied(struct exchange *x)
{
	struct visit *v = http_data(x);
	struct card card = {0};
	struct access_decision d = {.outcome = ACCESS_DENY};

	if (!v->row.whole) {
		http_reply_problem(x, 403, "not-permitted",
		    "Only the public rendition of this version is open to you.", NULL);
		return;
	}
	if (v->receipt && !reading_card(v->app->archive, v->receipt, &v->row, &card, NULL))
		d = caller_decides(
		    v->caller, v->app, ACCESS_READ_CONTENT, card.fields, false, NULL);
	card_free(&card);
	if (d.outcome == ACCESS_NEEDS_PURPOSE)
		http_reply_problem(x, 403, "purpose-required",
		    "Reading this document needs a stated purpose (Arkki-Purpose) and a case "
		    "(Arkki-Case) that covers one of its units.",
		    NULL);
	else
		http_reply_problem(x, 403, "not-permitted", NULL, NULL);
}

void visit_content_denied(struct exchange *x, const char *kind)
{
	struct visit *v = visit_of(x);
	struct ledger_record r;

	if (!v)
		return;
	r = visit_record(v, kind);
	r.outcome = LEDGER_DENIED;
	visit_log(x, &r, 1, reply_content_denied);
}

/* ---- conditions ---- */

static bool text_pending(const struct catalogue_row *row)
{
	return row->text_state && strcmp(row->text_state, "pending") == 0;
}

static void tag_of(const struct app *app, const char *what, const struct catalogue_row *row,
    bool with_metadata, char out[TAG_SIZE])
{
	char id[80], tag[33];
	int n = snprintf(id, sizeof(id), "%s %u %u %u", row->document, row->version,
	    with_metadata ? row->metadata : 0, with_metadata ? row->visible_versions : 0);

	archive_tag(app->archive, what, id, (size_t)n, tag);
	snprintf(out, TAG_SIZE, "\"%s\"", tag);
}

/* The answer also shows whether there is a rendition and the state of the text, which changes by
 * itself: its tag then has an ending that If-Match does not look at. */
enum { TAG_HAS_RENDITION = 1, TAG_TEXT_PENDING = 2, TAG_TEXT_REASON = 4, TAG_ENDINGS = 8 };
enum { TAG_LANGUAGES = I18N_LANGUAGES + 1 }; /* the last: the reason as it is stored */

static void end_tag(char tag[TAG_SIZE], unsigned int ending, unsigned int language)
{
	static const char *const endings[TAG_ENDINGS] = {
	    "", "-r", "-p", "-rp", "-o", "-ro", "-op", "-rop"};
	static const char *const languages[TAG_LANGUAGES] = {"f", "s", "e", ""};

	snprintf(tag + 33, TAG_SIZE - 33, "%s%s\"", endings[ending],
	    ending & TAG_TEXT_REASON ? languages[language] : "");
}

void tag_document(const struct exchange *x, const struct catalogue_row *row, char out[TAG_SIZE])
{
	enum http_language language;
	bool named = http_language_named(x, &language);

	tag_of(app_of(x), "document", row, true, out);
	end_tag(out,
	    (row->rendition.number ? TAG_HAS_RENDITION : 0U) |
		(text_pending(row) ? TAG_TEXT_PENDING : 0U) |
		(row->text_reason ? TAG_TEXT_REASON : 0U),
	    named ? (unsigned int)language : I18N_LANGUAGES);
}

void tag_content(const struct app *app, const struct catalogue_row *row, char out[TAG_SIZE])
{
	tag_of(app, "content", row, false, out);
}

bool visit_if_match(struct exchange *x, const struct catalogue_row *row)
{
	const char *header = http_header_list(x, "If-Match");
	enum etag_match m = ETAG_DIFFERENT;
	char tag[TAG_SIZE];

	tag_of(app_of(x), "document", row, true, tag);
	for (unsigned int i = 0; i < TAG_ENDINGS * TAG_LANGUAGES && m == ETAG_DIFFERENT; i++) {
		end_tag(tag, i % TAG_ENDINGS, i / TAG_ENDINGS);
		m = etag_if_match(header, tag);
	}
	switch (m) {
	case ETAG_MATCH:
		return true;
	case ETAG_ABSENT:
		http_reply_problem(x, 428, "if-match-required",
		    "Send If-Match with the ETag of the document as you read it.", NULL);
		return false;
	case ETAG_MALFORMED:
		http_reply_problem(x, 400, "bad-if-match", "If-Match is malformed.", NULL);
		return false;
	default:
		http_reply_problem(x, 412, "changed-meanwhile",
		    "The document has changed since you read it; read it again and repeat the "
		    "change.",
		    NULL);
		return false;
	}
}

bool visit_fresh_wanted(struct exchange *x, const char *tag)
{
	const char *if_match = http_header_list(x, "If-Match");

	if (if_match && etag_if_match(if_match, tag) != ETAG_MATCH) {
		http_reply_problem(x, 412, "changed-meanwhile", NULL, NULL);
		return false;
	}
	switch (etag_if_none_match(http_header_list(x, "If-None-Match"), tag)) {
	case ETAG_MATCH:
		http_reply_header(x, "ETag", tag);
		http_reply_empty(x, 304);
		return false;
	case ETAG_MALFORMED:
		http_reply_problem(
		    x, 400, "bad-if-none-match", "If-None-Match is malformed.", NULL);
		return false;
	default:
		return true;
	}
}

/* ---- cursors and limits ---- */

void cursor_write(const struct app *app, const char *use, const char *text, struct buf *out)
{
	if (archive_conceal(app->archive, use, text, out, NULL))
		out->failed = true;
}

int cursor_read(const struct app *app, const char *use, const char *cursor, struct buf *out,
    struct ark_error *err)
{
	return archive_reveal(app->archive, use, cursor, out, err);
}

bool limit_of(struct exchange *x, unsigned int otherwise, unsigned int most, unsigned int *ret)
{
	const char *text = http_query(x, "limit");
	size_t n = text ? strspn(text, "0123456789") : 0;

	*ret = otherwise;
	if (!text)
		return true;
	if (n >= 1 && n <= 6 && !text[n])
		*ret = (unsigned int)strtoul(text, NULL, 10);
	else
		n = 0;
	if (!n || *ret < 1) {
		http_reply_problem(
		    x, 400, "bad-limit", "limit must be a whole number from 1.", NULL);
		return false;
	}
	if (*ret > most)
		*ret = most;
	return true;
}
