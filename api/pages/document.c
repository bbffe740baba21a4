/* The page of a document: what it is, its file, its versions, its text.
 *
 * One request is three logged reads, in one group before anything is shown:
 * the metadata, the list of versions, and the text where there is one. A text that is
 * closed is logged, as denied, only when it was asked for in the form. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/orders.h"
#include "api/pages/past.h"
#include "api/pages/document.h"
#include "api/purpose_kept.h"
#include "arkki/base/json.h"

static bool text_ready(const struct catalogue_row *row)
{
	const char *reason;

	return strcmp(shown_text_state(row, &reason), "ready") == 0;
}

void document_path(const struct page *p, const struct catalogue_row *row, uint32_t version,
    const char *more, struct buf *out)
{
	buf_clear(out);
	buf_addf(out, "/%s/documents/%s", i18n_code(p->language), row->document);
	if (version)
		buf_addf(out, "/versions/%u%s", version, more);
}

enum { VERSIONS_OPEN = 3 }; /* of the newest; older ones are folded */

/* ---- versions ---- */

/* Of the versions that the reader sees: what is newer and hidden is not hinted at. */
static void write_banner(struct page *p, const struct catalogue_row *row, const struct listing *l)
{
	uint32_t newest = l->n ? l->rows[l->n - 1].version : row->version;
	struct buf url = BUF_INIT;
	char n[16], last[16];

	if (row->version == newest)
		return;
	snprintf(n, sizeof(n), "%u", row->version);
	snprintf(last, sizeof(last), "%u", newest);
	document_path(p, row, 0, "", &url);
	html_raw(&p->h, "<p class=\"note\" role=\"note\">");
	page_say(p, SAY_VERSION_OLD, n, last);
	html_put(&p->h, " <a href=\"$\">$</a></p>", url.data, say(p, SAY_VERSION_NEWEST));
	buf_free(&url);
}

static void write_draft(struct page *p, const struct catalogue_row *row)
{
	if (row->state && strcmp(row->state, "draft") == 0)
		html_put(&p->h, "<p class=\"draft\" role=\"note\">$</p>", say(p, SAY_DRAFT_NOTE));
}

static void write_filer(struct page *p, const json_t *actor)
{
	const char *user = json_text(actor, "user"), *org = json_text(actor, "org");

	if (user)
		page_name(p, "users", user);
	if (org) {
		html_raw(&p->h, ", ");
		page_name(p, "orgs", org);
	}
}

/* Who filed the original and why goes with the original. */
static void write_filing(struct page *p, const struct catalogue_row *row, const json_t *version)
{
	const char *reason = json_text(version, "reason");

	fact_begin(p, SAY_FILED);
	html_raw(&p->h, ">");
	page_time(p, json_text(version, "time"));
	html_raw(&p->h, "</dd></div>");
	if (!row->whole) {
		fact_media(p, SAY_FILE, version);
		return;
	}
	fact_begin(p, SAY_FILED_BY);
	html_raw(&p->h, ">");
	write_filer(p, json_object_get(version, "actor"));
	html_raw(&p->h, "</dd></div>");
	if (!reason && row->version == 1)
		reason = say(p, SAY_REASON_FIRST);
	fact_text(p, SAY_REASON, reason);
}

static void write_version(struct page *p, const struct catalogue_row *shown,
    const struct catalogue_row *row, const json_t *version)
{
	struct buf url = BUF_INIT;
	char n[16];

	snprintf(n, sizeof(n), "%u", row->version);
	document_path(p, row, row->version, "", &url);
	html_raw(&p->h, "<li><h3>");
	if (row->version == shown->version) {
		page_say(p, SAY_VERSION_N, n);
		html_put(&p->h, " <span class=\"tag\">$</span>", say(p, SAY_VERSION_THIS));
	} else {
		html_put(&p->h, "<a href=\"$\">", url.data);
		page_say(p, SAY_VERSION_N, n);
		html_raw(&p->h, "</a>");
	}
	if (!row->whole)
		html_put(&p->h, " <span class=\"tag\">$</span>", say(p, SAY_RENDITION));
	html_raw(&p->h, "</h3><dl class=\"facts\">");
	write_filing(p, row, version);
	html_raw(&p->h, "</dl></li>");
	buf_free(&url);
}

/* The version that the page is about is open already; not so when a rendition came in between. */
static json_t *version_open(
    const struct visit *v, const struct card *card, const struct catalogue_row *row)
{
	bool same = row->version == v->row.version && row->whole == v->row.whole &&
		    (row->whole || row->rendition.number == v->row.rendition.number);

	return same ? json_incref(card->version) : NULL;
}

static void begin_versions(struct page *p, size_t number)
{
	char first[24];

	snprintf(first, sizeof(first), "%zu", number);
	html_put(&p->h, "<ol class=\"versions\" reversed start=\"$\">", first);
}

/* Newest first. A card that cannot be opened fails the page. */
static int write_versions(struct page *p, struct visit *v, const struct listing *l,
    const struct card *card, struct ark_error *err)
{
	bool folds = l->n > VERSIONS_OPEN + 1;
	int rc = ARK_OK;

	html_put(&p->h, "<section aria-labelledby=\"versions\"><h2 id=\"versions\">$</h2>",
	    say(p, SAY_VERSIONS));
	begin_versions(p, l->n);
	for (size_t i = l->n; i > 0 && !rc; i--) {
		const struct catalogue_row *row = &l->rows[i - 1];
		json_t *version = version_open(v, card, row);

		if (folds && l->n - i == VERSIONS_OPEN) {
			html_raw(&p->h, "</ol>");
			fold_begin(p, i);
			begin_versions(p, i);
		}
		if (!version)
			rc = shown_version(v->app->archive, v->receipt, row, &version, err);
		if (!rc)
			write_version(p, &v->row, row, version);
		json_decref(version);
	}
	html_raw(&p->h, "</ol>");
	if (folds)
		fold_end(p);
	past_link(p, &v->row);
	html_raw(&p->h, "</section>");
	return rc;
}

/* ---- the text ---- */

static void write_reason(struct page *p, const char *reason)
{
	if (!reason || !*reason)
		return;
	html_raw(&p->h, "<p class=\"hint\">");
	page_reason(p, reason);
	html_raw(&p->h, "</p>");
}

static void write_no_text(struct page *p, const struct catalogue_row *row)
{
	const char *reason;
	bool none = strcmp(shown_text_state(row, &reason), "none") == 0;

	html_put(&p->h, "<p>$</p>", say(p, none ? SAY_TEXT_NONE : SAY_TEXT_PENDING));
	if (none)
		write_reason(p, reason);
}

static int write_text(struct page *p, const struct document_view *d, struct ark_error *err)
{
	struct visit *v = d->v;
	struct buf text = BUF_INIT;
	const char *remark;
	int rc = text_ready(&v->row)
		     ? reading_text(v->app->archive, v->receipt, &v->row, form_shown(d), &text, err)
		     : ARK_ENOTFOUND;

	html_put(&p->h, "<section aria-labelledby=\"text\"><h2 id=\"text\">$</h2>",
	    say(p, SAY_DOCUMENT_TEXT));
	if (!rc) {
		html_put(&p->h, "<p class=\"hint\">$</p>",
		    say(p, v->row.whole ? SAY_TEXT_HOW : SAY_TEXT_HOW_RENDITION));
		shown_text_state(&v->row, &remark);
		write_reason(p, remark);
		rc = document_words(p, d, text.data ? text.data : "", text.len, err);
	} else if (rc == ARK_ENOTFOUND) { /* also when the cache was lost: it comes again */
		write_no_text(p, &v->row);
		rc = ARK_OK;
	}
	html_raw(&p->h, "</section>");
	buf_wipe_free(&text);
	return rc;
}

/* ---- the page ---- */

static void write_head(struct page *p, const struct document_view *d, const struct card *card)
{
	const struct catalogue_row *row = &d->v->row;

	html_raw(&p->h, "<header class=\"head\"><p class=\"kind\">");
	page_name(p, "types", row->type);
	page_tags(p, row->publicity, row->state);
	if (!row->whole)
		html_put(&p->h, " <span class=\"tag\">$</span>", say(p, SAY_RENDITION));
	html_raw(&p->h, "</p><h1");
	page_lang(p, row->language);
	html_put(&p->h, ">$</h1></header>", json_text(card->fields, "title"));
}

static void write_jump(struct page *p, const char *to, enum say label)
{
	html_put(&p->h, "<li><a href=\"#$\">$</a></li>", to, say(p, label));
}

/* Where the text stands between the facts and the rest, the rest is far. */
static void write_jumps(struct page *p, const struct document_view *d, const struct card *card)
{
	html_put(&p->h, "<nav class=\"jump\" aria-label=\"$\"><ul>", say(p, SAY_ON_THIS_PAGE));
	write_jump(p, "text", SAY_DOCUMENT_TEXT);
	if (d->beside->n && json_text(card->fields, "case"))
		write_jump(p, "beside", SAY_OF_THE_CASE);
	write_jump(p, "ways", SAY_WAYS);
	write_jump(p, "versions", SAY_VERSIONS);
	html_raw(&p->h, "</ul></nav>");
}

/* On a wide screen the text beside all the rest; in the order of the source facts, text, rest. */
static int write_body(
    struct page *p, const struct document_view *d, const struct card *card, struct ark_error *err)
{
	int rc = ARK_OK;

	if (d->open) {
		write_jumps(p, d, card);
		html_raw(&p->h, "<div class=\"reading\">");
	}
	document_facts(p, d, card);
	if (d->open)
		rc = write_text(p, d, err);
	html_raw(&p->h, "<div class=\"rest\">");
	if (!rc)
		rc = document_related(p, d, card, err);
	document_ways(p, d, card);
	if (!rc)
		rc = write_versions(p, d->v, d->versions, card, err);
	document_citation(p, d, card);
	html_raw(&p->h, "</div>");
	if (d->open)
		html_raw(&p->h, "</div>");
	return rc;
}

static int write_page(
    struct page *p, struct document_view *d, const struct card *card, struct ark_error *err)
{
	const struct catalogue_row *row = &d->v->row;
	int rc;

	html_raw(&p->h, "<article>");
	if (d->needs_purpose && purpose_wrong(&d->stated))
		purpose_errors(p, &d->stated, SAY_CLOSED_STILL);
	write_head(p, d, card);
	past_banner(p, row, d->versions);
	write_banner(p, row, d->versions);
	write_draft(p, row);
	if (!row->whole)
		html_put(
		    &p->h, "<p class=\"note\" role=\"note\">$</p>", say(p, SAY_RENDITION_NOTE));
	else if (d->open && d->stated.sent && !purpose_wrong(&d->stated))
		purpose_note(p, &d->stated);
	document_file(p, d, card);
	if (!d->open)
		purpose_form(p, d, card);
	rc = write_body(p, d, card, err);
	html_raw(&p->h, "</article>");
	return rc;
}

static void title_of(const struct exchange *x, bool wrong, const struct card *card, struct buf *out)
{
	enum http_language language = HTTP_FI;

	page_language(x, &language);
	if (wrong)
		buf_addf(out, "%s: ", i18n_text(language, SAY_ERROR));
	buf_adds(out, json_text(card->fields, "title"));
}

static void show_document(struct exchange *x)
{
	struct visit *v = visit_of(x);
	struct document_view *d = v->more;
	struct card card = {0};
	struct ark_error err = {0};
	struct buf title = BUF_INIT;
	struct page p = {0};
	bool wrong = false;
	int rc = d->prepared;

	if (rc)
		err = d->failed;
	else
		rc = shown_card(v->app->archive, v->receipt, &v->row, &card, &err);

	if (!rc) {
		d->needs_purpose = !d->open && caller_decides(v->caller, v->app,
						   ACCESS_READ_CONTENT, card.fields, false, &err)
						       .outcome == ACCESS_NEEDS_PURPOSE;
		wrong = d->needs_purpose && purpose_wrong(&d->stated);
		title_of(x, wrong, &card, &title);
		page_begin(&p, x, title.data);
		rc = write_page(&p, d, &card, &err);
	}
	if (rc) {
		buf_wipe_free(&p.h.out);
		http_reply_error(x, &err);
	} else {
		page_end(&p, wrong ? 422 : 200);
	}
	buf_wipe_free(&title);
	card_free(&card);
}

/* ---- the request ---- */

static void view_free(void *arg)
{
	struct document_view *d = arg;

	if (d->versions)
		listing_free(d->versions);
	if (d->beside)
		listing_free(d->beside);
	json_decref(d->orders);
	free(d);
}

/* NULL: an answer is given. */
static struct document_view *view_new(
    struct exchange *x, struct visit *v, uint32_t version, const struct stated *stated)
{
	struct document_view *d = calloc(1, sizeof(*d));
	struct ark_error err;

	if (!d) {
		http_reply_problem(x, 503, "out-of-memory", NULL, NULL);
		return NULL;
	}
	d->v = v;
	d->asked = version;
	d->stated = *stated;
	d->versions = listing_new(x, v);
	d->beside = d->versions ? listing_new(x, v) : NULL;
	v->more = d;
	v->more_free = view_free;
	if (!d->beside)
		return NULL;
	d->open = !v->row.whole;
	if ((v->row.whole && visit_content_open(v, &d->open, &err)) ||
	    listing_beside(v, d->beside, BESIDE_SHOWN + 1, &err)) {
		http_reply_error(x, &err);
		return NULL;
	}
	if (d->open && d->stated.sent && !purpose_wrong(&d->stated) &&
	    purpose_keep(v->app, v->caller, &err)) {
		http_reply_error(x, &err);
		return NULL;
	}
	/* a case there is, and not of this document */
	if (!d->open && d->stated.sent && !purpose_wrong(&d->stated))
		d->stated.case_wrong = SAY_CASE_WRONG;
	return d;
}

enum { READS_MAX = 3 + BESIDE_SHOWN };

static size_t note_reads(const struct document_view *d, struct ledger_record records[READS_MAX])
{
	struct visit *v = d->v;
	size_t n = 0;

	records[n++] = visit_record(v, "metadata");
	records[n] = visit_record(v, "list");
	records[n++].version = 0;
	for (size_t i = 0; i < d->beside->n && i < BESIDE_SHOWN; i++) {
		records[n] = visit_record(v, "shown");
		records[n].document = d->beside->rows[i].document;
		records[n].author = d->beside->rows[i].author[0] ? d->beside->rows[i].author : NULL;
		records[n++].version = d->beside->rows[i].version;
	}
	if (d->open ? !text_ready(&v->row) : !d->stated.sent || d->stated.form_wrong != SAY_COUNT)
		return n;
	records[n] = visit_record(v, "text");
	if (!d->open)
		records[n].outcome = LEDGER_DENIED;
	else if (!v->row.whole)
		records[n].detail = "{\"rendition\":\"public\"}";
	return n + 1;
}

/* While the disk writes the log: what needs no key, and is not shown before. */
static void prepare(struct document_view *d)
{
	struct visit *v = d->v;
	const struct orders_asked asked = {.document = v->row.document, .alone = true};

	if (http_replied(v->x)) /* there is no log */
		return;
	d->prepared = listing_versions(v, v->row.document, d->versions, &d->failed);
	if (!d->prepared && v->row.whole)
		d->prepared = orders_find(v->x, &asked, &d->orders, &d->failed);
}

static void show_version(struct exchange *x, uint32_t version, const struct stated *stated)
{
	struct visit *v = visit_of(x);
	struct ledger_record records[READS_MAX];
	struct document_view *d;

	if (!v || !document_found(x, v, "metadata", version))
		return;
	d = view_new(x, v, version, stated);
	if (!d)
		return;
	visit_log(x, records, note_reads(d, records), show_document);
	prepare(d);
}

static void show_numbered(struct exchange *x, const struct stated *stated)
{
	uint32_t version = visit_version(x, 1);

	if (version)
		show_version(x, version, stated);
	else
		visit_not_found(x, "metadata", http_param(x, 0), 0);
}

void page_document(struct exchange *x)
{
	if (http_query(x, "at"))
		page_as_of(x);
	else
		show_version(x, 0, &(struct stated){0});
}

void page_version(struct exchange *x)
{
	show_numbered(x, &(struct stated){0});
}

static void open_with(
    struct exchange *x, void (*show)(struct exchange *x, const struct stated *stated))
{
	struct stated stated;
	struct ark_error err;

	if (purpose_read(x, &stated, &err))
		http_reply_error(x, &err);
	else
		show(x, &stated);
}

static void show_newest(struct exchange *x, const struct stated *stated)
{
	show_version(x, 0, stated);
}

void page_document_open(struct exchange *x)
{
	open_with(x, show_newest);
}

void page_version_open(struct exchange *x)
{
	open_with(x, show_numbered);
}
