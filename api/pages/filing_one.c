/* One file on its way: what it is, the answers once more, filed once, and the receipt. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/documents.h"
#include "api/pages/document.h"
#include "api/leak.h"
#include "api/pages/filing.h"
#include "arkki/base/json.h"
#include "arkki/base/text.h"

enum { SAME_SHOWN = 5, SAME_LOOKED = 40 };

static enum say heading(const struct sheet *s)
{
	return s->kind == SHEET_RENDITION ? SAY_FILING_RENDITION
	       : s->kind == SHEET_VERSION ? SAY_FILING_VERSION
					  : SAY_FILING_WHAT_IS_IT;
}

static void write_remove(struct page *p, const struct sheet *s)
{
	struct buf url = BUF_INIT;

	sheet_path(p->x, s->u.id, "/remove", &url);
	html_put(&p->h, "<form class=\"remove\" method=\"post\" action=\"$\">", url.data);
	page_form_field(p, "filing");
	html_put(&p->h, "<button class=\"quiet\">$</button></form>", say(p, SAY_FILING_REMOVE));
	buf_free(&url);
}

/* ---- what it is ---- */

static void write_moved(struct page *p, const struct sheet *s)
{
	static const struct {
		const char *field;
		enum say label;
	} shown[] = {{"title", SAY_FILING_TITLE}, {"date", SAY_DATE}, {"type", SAY_TYPE},
	    {"state", SAY_STATE}, {"language", SAY_DOCUMENT_LANGUAGE}};
	const json_t *was = json_object_get(json_object_get(s->u.draft, "base"), "fields");
	char n[16];

	snprintf(n, sizeof(n), "%u", visit_of(p->x)->row.version);
	html_raw(&p->h, "<section class=\"note\"><h2>");
	page_say(p, SAY_FILING_MOVED, n);
	html_put(&p->h, "</h2><p>$</p><ul>", say(p, SAY_FILING_MOVED_WHAT));
	for (size_t i = 0; i < sizeof(shown) / sizeof(*shown); i++) {
		const char *a = json_text(was, shown[i].field);
		const char *b = json_text(s->card.fields, shown[i].field);

		if (a && b && strcmp(a, b) != 0)
			html_put(&p->h,
			    "<li>$: <del dir=\"auto\">$</del> → <ins dir=\"auto\">$</ins></li>",
			    say(p, shown[i].label), a, b);
	}
	html_put(&p->h,
	    "</ul><div class=\"choice\"><input type=\"checkbox\" id=\"rebase\" name=\"rebase\" "
	    "value=\"$\"><label for=\"rebase\">$</label></div></section>",
	    n, say(p, SAY_FILING_REBASE));
}

static void write_about(struct page *p, const struct sheet *s)
{
	char size[I18N_SIZE];

	i18n_bytes(size, p->language, s->u.offset);
	html_raw(&p->h, "<dl class=\"facts\">");
	fact_text(p, SAY_FILE, s->u.file_name ? s->u.file_name : size);
	fact_text(p, SAY_FILING_SIZE, size);
	if (s->kind != SHEET_NEW)
		fact_text(p, SAY_FILING_DOCUMENT, json_text(s->card.fields, "title"));
	html_raw(&p->h, "</dl>");
}

static void write_incomplete(struct page *p, const struct sheet *s)
{
	if (s->u.offset != s->u.length)
		html_put(&p->h, "<p class=\"note\">$</p>", say(p, SAY_FILING_INCOMPLETE));
}

static void write_rendition_fields(struct page *p, const struct sheet *s)
{
	const struct form_input reason = {.name = "reason",
	    .label = SAY_REASON,
	    .help = SAY_FILING_RENDITION_HELP,
	    .autocomplete = "off",
	    .value = draft_typed(s->u.draft, "reason"),
	    .maxlength = "500"};

	form_input(p, &reason, &s->f);
}

static void show_sheet(struct exchange *x, struct sheet *s)
{
	struct buf url = BUF_INIT;
	struct page p;

	form_page(&p, x, heading(s), &s->f);
	sheet_path(x, s->u.id, "", &url);
	html_raw(&p.h, "<div class=\"narrow filing\">");
	form_summary(&p, SAY_FILING_CHECK_WRONG, &s->f);
	html_put(&p.h, "<h1>$</h1>", say(&p, heading(s)));
	write_about(&p, s);
	write_incomplete(&p, s);
	html_put(&p.h, "<form method=\"post\" action=\"$\" class=\"stack\">", url.data);
	page_form_field(&p, "filing");
	if (s->moved)
		write_moved(&p, s);
	if (s->kind == SHEET_RENDITION)
		write_rendition_fields(&p, s);
	else
		filing_fields(&p, s);
	html_put(&p.h,
	    "<p class=\"act\"><button name=\"to\" value=\"check\">$</button> <button name=\"to\" "
	    "value=\"keep\" class=\"quiet\">$</button></p></form>",
	    say(&p, SAY_FILING_NEXT), say(&p, SAY_FILING_KEEP));
	write_remove(&p, s);
	html_raw(&p.h, "</div>");
	buf_free(&url);
	page_end(&p, s->f.n ? 422 : 200);
}

static void one_opened(struct exchange *x, struct sheet *s)
{
	sheet_propose(x, s, show_sheet);
}

void page_file_one(struct exchange *x)
{
	sheet_open(x, one_opened);
}

/* ---- typed ---- */

static bool check(struct exchange *x, struct sheet *s, json_t **ret_fields)
{
	const json_t *base = s->kind == SHEET_VERSION ? s->card.fields : NULL;

	if (ret_fields)
		*ret_fields = NULL;
	if (s->u.offset != s->u.length)
		fault_add(&s->f, "content", form_said(x, SAY_FILING_INCOMPLETE));
	if (s->kind == SHEET_RENDITION)
		return s->f.n == 0;
	if (s->moved)
		fault_add(&s->f, "rebase", form_said(x, SAY_FILING_MOVED_WRONG));
	return draft_check(x, s->u.draft, base, &s->f, ret_fields);
}

/* What was read on the page is what is built upon: a version that came after the page was shown is asked about again. */
static void rebase(struct exchange *x, struct sheet *s)
{
	const char *seen = http_form(x, "rebase");
	const struct catalogue_row *row = &visit_of(x)->row;

	if (!s->moved || !seen || strtoul(seen, NULL, 10) != row->version)
		return;
	json_object_set_new(s->u.draft, "base",
	    json_pack("{s:i,s:i,s:O}", "version", (int)row->version, "metadata", (int)row->metadata,
		"fields", s->card.fields));
	s->moved = false;
}

static void leak_tested(struct exchange *x, struct sheet *s)
{
	sheet_go(x, s->u.id, "/check");
}

static void one_typed(struct exchange *x, struct sheet *s)
{
	const char *to = http_form(x, "to");

	/* what was typed is kept even where the form was too old to be acted upon: the account is the same */
	draft_read(x, s->u.draft);
	json_object_set_new(s->u.draft, "submitted", json_true());
	rebase(x, s);
	if (!sheet_keep(x, s))
		return;
	if (!page_form_sent(x, "filing")) {
		fault_add(&s->f, "content", form_said(x, SAY_FORM_OLD));
		show_sheet(x, s);
	} else if (to && strcmp(to, "keep") == 0) {
		form_go(x, "/file");
	} else if (!check(x, s, NULL)) {
		show_sheet(x, s);
	} else if (s->kind == SHEET_RENDITION) {
		sheet_leak(x, s, leak_tested);
	} else {
		sheet_go(x, s->u.id, "/check");
	}
}

void page_file_one_post(struct exchange *x)
{
	/* a form of another site keeps nothing here */
	if (!page_same_origin(x))
		http_reply_problem(x, 403, "form", NULL, NULL);
	else
		sheet_open(x, one_typed);
}

/* ---- the same bytes elsewhere ---- */

struct looking {
	struct catalogue_row *rows;
	size_t n;
};

static int look(void *arg, const struct catalogue_row *row)
{
	struct looking *l = arg;

	if (l->n < SAME_LOOKED && !catalogue_row_copy(&l->rows[l->n], row))
		l->n++;
	return 0;
}

static void show_check(struct exchange *x, struct sheet *s);

static bool same_bytes(struct exchange *x, const struct catalogue_row *row, const char *hex)
{
	struct visit *v = visit_of(x);
	struct card card = {0};
	const char *sha;
	bool same = !reading_card(v->app->archive, v->receipt, row, &card, NULL);

	sha = json_text(card.version, "sha256");
	same = same && sha && strcmp(sha, hex) == 0;
	card_free(&card);
	return same;
}

static bool told(const struct sheet *s, size_t n, const char *document)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(s->same[i].document, document) == 0)
			return true;
	return false;
}

/* Those whose bytes differ are put away. */
static void same_read(struct exchange *x)
{
	struct sheet *s = visit_of(x)->more;
	unsigned char sha[32];
	char hex[65] = "";
	size_t n = 0;

	if (!uploads_digest(x, s->u.id, sha, NULL))
		hex_encode(hex, sha, sizeof(sha));
	for (size_t i = 0; i < s->same_len; i++) {
		/* of a document one version, the latest */
		if (n < SAME_SHOWN && !told(s, n, s->same[i].document) &&
		    same_bytes(x, &s->same[i], hex))
			s->same[n++] = s->same[i];
		else
			catalogue_row_free(&s->same[i]);
	}
	s->same_len = n;
	show_check(x, s);
}

/* Versions with as many bytes, of any document that the caller sees whole: in the clear stands the size alone, so that the
 * digests of these few are opened and logged. */
static int find_same(struct exchange *x, struct sheet *s, struct ark_error *err)
{
	struct looking l = {.rows = calloc(SAME_LOOKED, sizeof(*l.rows))};
	struct access_sight *sight = NULL;
	struct archive *a = app_of(x)->archive;
	struct desk *desk = NULL;
	int rc = l.rows ? ARK_OK : ark_fail(err, ARK_ENOMEM, "no memory for a page");

	if (!rc)
		rc = caller_sight(caller_of(x), &sight, err);
	if (!rc)
		rc = archive_desk(a, &desk, err);
	if (!rc)
		rc = catalogue_sized(
		    desk->catalogue, s->u.length, SAME_LOOKED, sight, look, &l, err);
	archive_desk_return(a, desk);
	access_sight_unref(sight);
	s->same = l.rows;
	s->same_len = l.n;
	return rc;
}

static void seek_same(struct exchange *x, struct sheet *s)
{
	struct ledger_record records[SAME_LOOKED];
	struct visit *v = visit_of(x);
	struct ark_error err;

	if (find_same(x, s, &err)) {
		http_reply_error(x, &err);
		return;
	}
	for (size_t i = 0; i < s->same_len; i++) {
		records[i] = visit_record(v, "metadata");
		records[i].document = s->same[i].document;
		records[i].version = s->same[i].version;
	}
	if (s->same_len)
		visit_log(x, records, s->same_len, same_read);
	else
		show_check(x, s);
}

static void write_same(struct page *p, const struct sheet *s)
{
	struct buf url = BUF_INIT;
	char version[16];

	if (!s->same_len)
		return;
	html_put(&p->h, "<section class=\"note\"><h2>$</h2><ul>", say(p, SAY_FILING_SAME));
	for (size_t i = 0; i < s->same_len; i++) {
		document_path(p, &s->same[i], s->same[i].version, "", &url);
		html_put(&p->h, "<li><a href=\"$\">", url.data);
		page_name(p, "types", s->same[i].type);
		html_raw(&p->h, ", ");
		page_date(p, s->same[i].date);
		snprintf(version, sizeof(version), "%u", s->same[i].version);
		html_raw(&p->h, ", ");
		page_say(p, SAY_VERSION_N, version);
		html_raw(&p->h, "</a></li>");
	}
	html_put(&p->h, "</ul><p>$</p></section>", say(p, SAY_FILING_SAME_WHAT));
	buf_free(&url);
}

/* ---- the answers once more ---- */

static void write_confirm(struct page *p, const struct sheet *s)
{
	const json_t *report = json_object_get(s->u.draft, "leak");
	const struct form_input why = {.name = "sure",
	    .label = SAY_LEAK_SURE,
	    .help = SAY_LEAK_SURE_HELP,
	    .autocomplete = "off",
	    .value = draft_typed(s->u.draft, "sure"),
	    .maxlength = "400"};
	const char *outcome = json_text(report, "outcome");

	if (outcome && strcmp(outcome, "clean") != 0)
		form_input(p, &why, &s->f);
}

static void show_check(struct exchange *x, struct sheet *s)
{
	const json_t *report = json_object_get(s->u.draft, "leak");
	struct buf url = BUF_INIT, back = BUF_INIT;
	struct page p;

	form_page(&p, x, SAY_FILING_CHECK, &s->f);
	sheet_path(x, s->u.id, "/send", &url);
	sheet_path(x, s->u.id, "", &back);
	html_raw(&p.h, "<div class=\"narrow filing\">");
	form_summary(&p, SAY_FILING_CHECK_WRONG, &s->f);
	html_put(&p.h, "<h1>$</h1>", say(&p, SAY_FILING_CHECK));
	if (s->kind == SHEET_RENDITION)
		write_about(&p, s);
	else
		filing_answers(&p, s);
	write_same(&p, s);
	if (report)
		leak_report(&p, report, s->content_open);
	html_put(&p.h, "<form method=\"post\" action=\"$\" class=\"stack\">", url.data);
	page_form_field(&p, "filing");
	write_confirm(&p, s);
	html_put(&p.h,
	    "<p class=\"hint\">$</p><p class=\"act\"><button>$</button> <a "
	    "href=\"$\">$</a></p></form></div>",
	    say(&p, SAY_FILING_SURE), say(&p, SAY_FILING_DO), back.data, say(&p, SAY_FILING_EDIT));
	buf_free(&url);
	buf_free(&back);
	page_end(&p, s->f.n ? 422 : 200);
}

static void report_logged(struct exchange *x)
{
	show_check(x, visit_of(x)->more);
}

/* What the test found are words of the original: each time that they are shown is a look into its text. */
static void show_check_anew(struct exchange *x, struct sheet *s)
{
	struct ledger_record r;

	if (s->kind != SHEET_RENDITION || !s->content_open ||
	    !json_array_size(json_object_get(json_object_get(s->u.draft, "leak"), "places"))) {
		show_check(x, s);
		return;
	}
	r = visit_record(visit_of(x), "text");
	r.detail = "{\"work\":\"leak-test\"}";
	visit_log(x, &r, 1, report_logged);
}

/* Tested, and not while the original was closed. */
static bool leak_known(const struct sheet *s)
{
	const json_t *leak = json_object_get(s->u.draft, "leak");
	const char *reason = json_text(leak, "reason");

	return leak && !(s->content_open && reason && strcmp(reason, LEAK_CLOSED) == 0);
}

static void check_opened(struct exchange *x, struct sheet *s)
{
	if (!check(x, s, NULL))
		show_sheet(x, s);
	else if (s->kind == SHEET_RENDITION && !leak_known(s))
		sheet_leak(x, s, show_check);
	else if (s->kind == SHEET_RENDITION)
		show_check_anew(x, s);
	else
		seek_same(x, s);
}

void page_file_check(struct exchange *x)
{
	sheet_open(x, check_opened);
}

/* ---- filed, once ---- */

static void sent(
    struct exchange *x, int status, const char *document, uint32_t version, const char *message)
{
	const struct sheet *s = visit_of(x)->more;

	(void)version;
	if (!status)
		sheet_go(x, s->u.id, "/receipt");
	else if (status == ARK_ECONFLICT && document)
		sheet_go(x, s->u.id, "/receipt?again=1");
	else if (status == ARK_ECONFLICT)
		sheet_go(x, s->u.id, "");
	else
		sheet_failed(x, s->u.id,
		    status == ARK_EREFUSED ? 403
		    : status == ARK_EINPUT ? 422
					   : 503,
		    message);
}

/* The reason that is filed with a rendition says what the test said. */
static void rendition_reason(const struct sheet *s, char *out, size_t size)
{
	const json_t *report = json_object_get(s->u.draft, "leak");
	const char *why = draft_typed(s->u.draft, "reason"),
		   *sure = draft_typed(s->u.draft, "sure");
	const char *outcome = json_text(report, "outcome");

	snprintf(out, size, "%.500s%s[leak test: %s, %lld of %lld removed words left]%s%.400s", why,
	    *why ? " " : "", outcome ? outcome : "none",
	    (long long)json_integer_value(json_object_get(report, "left")),
	    (long long)json_integer_value(json_object_get(report, "removed")), *sure ? " " : "",
	    sure);
}

static void send_rendition(struct exchange *x, struct sheet *s)
{
	const json_t *report = json_object_get(s->u.draft, "leak");
	struct visit *v = visit_of(x);
	struct upload_filing f = {
	    .id = s->u.id, .document = v->row.document, .rendition_of = v->row.version};
	const char *outcome = json_text(report, "outcome");
	char reason[1100];
	struct ark_error err;

	if (caller_decides(v->caller, v->app, ACCESS_REDACT, s->card.fields,
		v->row.rendition.number != 0, &err)
		.outcome != ACCESS_PERMIT) {
		sheet_failed(x, s->u.id, 403, NULL);
		return;
	}
	if (!outcome) {
		sheet_go(x, s->u.id, "/check");
		return;
	}
	if (strcmp(outcome, "clean") != 0 && !*draft_typed(s->u.draft, "sure")) {
		fault_add(&s->f, "sure", form_said(x, SAY_LEAK_SURE_WRONG));
		show_check_anew(x, s);
		return;
	}
	rendition_reason(s, reason, sizeof(reason));
	f.reason = reason;
	uploads_file(x, &f, sent);
}

static void send_document(struct exchange *x, struct sheet *s)
{
	const json_t *base = json_object_get(s->u.draft, "base");
	const char *reason = draft_typed(s->u.draft, "reason");
	struct visit *v = visit_of(x);
	struct upload_filing f = {.id = s->u.id, .reason = *reason ? reason : NULL};
	json_t *fields = NULL;
	struct ark_error err;
	bool may;

	if (!check(x, s, &fields)) {
		show_sheet(x, s);
		return;
	}
	may = caller_decides(v->caller, v->app, ACCESS_FILE, fields, false, &err).outcome ==
	      ACCESS_PERMIT;
	if (may && s->kind == SHEET_VERSION)
		may = caller_decides(v->caller, v->app, ACCESS_FILE, s->card.fields, false, &err)
			  .outcome == ACCESS_PERMIT;
	if (!may) {
		json_decref(fields);
		sheet_failed(x, s->u.id, 403, form_said(x, SAY_FILING_NOT_PERMITTED));
		return;
	}
	if (s->kind == SHEET_VERSION) {
		f.document = v->row.document;
		f.base_version = (uint32_t)json_integer_value(json_object_get(base, "version"));
		f.base_metadata = (uint32_t)json_integer_value(json_object_get(base, "metadata"));
	}
	f.metadata = fields;
	uploads_file(x, &f, sent);
}

static void send_opened(struct exchange *x, struct sheet *s)
{
	char sure[2000];

	if (!page_form_sent(x, "filing")) {
		fault_add(&s->f, "content", form_said(x, SAY_FORM_OLD));
		show_check_anew(x, s);
		return;
	}
	if (s->kind != SHEET_RENDITION) {
		send_document(x, s);
		return;
	}
	form_text(x, "sure", sure, sizeof(sure));
	draft_set(s->u.draft, "sure", sure);
	if (sheet_keep(x, s))
		send_rendition(x, s);
}

void page_file_send(struct exchange *x)
{
	if (!page_same_origin(x))
		http_reply_problem(x, 403, "form", NULL, NULL);
	else
		sheet_open(x, send_opened);
}

void page_file_remove(struct exchange *x)
{
	struct ark_error err;

	if (!filing_allowed(x))
		return;
	if (!page_form_sent(x, "filing"))
		http_reply_problem(x, 403, "form", NULL, NULL);
	else if (!docid_valid(http_param(x, 0)))
		http_reply_problem(x, 404, "not-found", NULL, NULL);
	else if (uploads_remove(x, http_param(x, 0), &err) && err.status != ARK_ENOTFOUND)
		http_reply_error(x, &err);
	else
		form_go(x, "/file");
}
