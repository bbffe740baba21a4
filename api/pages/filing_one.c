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
	draft_saved_field(&p, "saved", s->u.draft);
	filing_clash(&p, s);
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

/* Something else was kept since this form was made: both are shown, and neither is lost. False: replied. */
static bool clashes(struct exchange *x, struct sheet *s)
{
	json_t *mine = json_deep_copy(s->u.draft);
	json_t *theirs = json_object_get(s->u.draft, "typed");

	draft_read(x, mine);
	if (json_equal(theirs, json_object_get(mine, "typed"))) {
		json_decref(mine);
		return false;
	}
	s->theirs = json_incref(theirs);
	json_decref(s->u.draft);
	s->u.draft = mine;
	json_object_set_new(s->u.draft, "submitted", json_true());
	fault_add(&s->f, "clash", form_said(x, SAY_FILING_CLASH));
	show_sheet(x, s);
	return true;
}

/* Keeps what was typed, on top of what the form was made of. False: replied. */
static bool keep_typed(struct exchange *x, struct sheet *s)
{
	struct upload_state now = {0};
	struct ark_error err;
	int rc;

	if (!draft_saved_same(x, "saved", s->u.draft) && clashes(x, s))
		return false;
	draft_read(x, s->u.draft);
	json_object_set_new(s->u.draft, "submitted", json_true());
	draft_saved_once_more(s->u.draft);
	rebase(x, s);
	rc = uploads_keep(x, &s->u, &err);
	/* by another request in this very moment */
	if (rc == ARK_ECONFLICT && !(rc = uploads_get(x, s->u.id, &now, &err))) {
		upload_state_free(&s->u);
		s->u = now;
		if (clashes(x, s))
			return false;
	}
	if (rc)
		http_reply_error(x, &err);
	return !rc;
}

static void one_typed(struct exchange *x, struct sheet *s)
{
	const char *to = http_form(x, "to");

	/* what was typed is kept even where the form was too old to be acted upon: the account is the same */
	if (!keep_typed(x, s))
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
	same_report(&p, s);
	if (report)
		leak_report(&p, report, s->content_open);
	html_put(&p.h, "<form method=\"post\" action=\"$\" class=\"stack\">", url.data);
	page_form_field(&p, "filing");
	draft_saved_field(&p, "saved", s->u.draft);
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
		sheet_same(x, s, show_check);
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
	/* what is filed is what was looked at */
	if (!draft_saved_same(x, "saved", s->u.draft)) {
		fault_add(&s->f, "content", form_said(x, SAY_FILING_CHANGED));
		check_opened(x, s);
		return;
	}
	if (s->kind != SHEET_RENDITION) {
		send_document(x, s);
		return;
	}
	form_text(x, "sure", sure, sizeof(sure));
	draft_set(s->u.draft, "sure", sure);
	if (sheet_note(x, s, json_pack("{s:O}", "typed", json_object_get(s->u.draft, "typed"))))
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
