/* The history of a document: its versions with who filed them and why, what of the metadata changed between them and
 * was amended afterwards; any two to compare, and the document as of a day.
 *
 * The metadata records of before an amendment are opened only where the caller might read the document by them: they may
 * have been secret. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/diff.h"
#include "api/memento.h"
#include "api/pages/past.h"
#include "arkki/archive/past.h"
#include "arkki/base/clock.h"
#include "arkki/base/json.h"

/* To open what an amendment changed, the records after it are opened too: a page waits for few. */
enum { VERSIONS_A_PAGE = 20, AMENDMENTS_SHOWN = 8, AMENDMENTS_OPENED = 20, CHOICE_MAX = 150 };
enum { RENDITIONS_OPENED = 40 };

struct filed { /* an entry of the history log that made a metadata record or a rendition */
	uint32_t version;
	int64_t time_us;
	bool amends, rendition; /* else it made a version */
	char user[65], org[65];
};

struct history { /* the visit's `more` */
	struct listing *versions;
	bool *open; /* the content of each */
	struct filed *filed;
	size_t filed_len, filed_cap;
	unsigned int opened;     /* amendments whose fields are on the page */
	unsigned int renditions; /* whose reasons are */
};

static void history_free(void *arg)
{
	struct history *h = arg;

	if (h->versions)
		listing_free(h->versions);
	free(h->open);
	free(h->filed);
	free(h);
}

/* ---- what the pages of the past share ---- */

void past_path(const struct page *p, const char *document, const char *more, struct buf *out)
{
	buf_clear(out);
	buf_addf(out, "/%s/documents/%s%s", i18n_code(p->language), document, more);
}

void past_link(struct page *p, const struct catalogue_row *row)
{
	struct buf url = BUF_INIT;

	past_path(p, row->document, "/history", &url);
	html_put(&p->h, "<p><a href=\"$\">$</a></p>", url.data, say(p, SAY_HISTORY_LINK));
	buf_free(&url);
}

void past_head(struct page *p, const struct catalogue_row *row, const char *title)
{
	struct buf url = BUF_INIT;

	past_path(p, row->document, "", &url);
	html_put(&p->h, "<p class=\"kind\"><a href=\"$\"><span class=\"hidden\">$: </span><span",
	    url.data, say(p, SAY_HISTORY_BACK));
	page_lang(p, row->language);
	html_put(&p->h, ">$</span></a></p>", title);
	buf_free(&url);
}

static void write_options(struct page *p, const struct listing *l, uint32_t chosen)
{
	for (size_t i = l->n; i > 0; i--) {
		const struct catalogue_row *row = &l->rows[i - 1];
		char n[16], time[I18N_SIZE];

		snprintf(n, sizeof(n), "%u", row->version);
		i18n_time(time, p->language, memento_time(row));
		html_put(&p->h, "<option value=\"$\"", n);
		if (row->version == chosen)
			html_raw(&p->h, " selected");
		html_raw(&p->h, ">");
		page_say(p, SAY_COMPARE_OPTION, n, time);
		html_raw(&p->h, "</option>");
	}
}

static void write_select(
    struct page *p, const struct listing *l, const char *name, enum say label, uint32_t chosen)
{
	char n[16];

	snprintf(n, sizeof(n), "%u", chosen);
	html_put(&p->h, "<div class=\"field\"><label for=\"$\">$</label>", name, say(p, label));
	if (l->n > CHOICE_MAX) { /* a list would be longer than the page */
		html_put(&p->h,
		    "<input id=\"$\" name=\"$\" class=\"short\" inputmode=\"numeric\" value=\"$\" "
		    "required></div>",
		    name, name, n);
		return;
	}
	html_put(&p->h, "<select id=\"$\" name=\"$\">", name, name);
	write_options(p, l, chosen);
	html_raw(&p->h, "</select></div>");
}

void past_choice(struct page *p, const struct listing *l, uint32_t from, uint32_t to)
{
	struct buf url = BUF_INIT;

	html_put(&p->h, "<section aria-labelledby=\"choice\"><h2 id=\"choice\">$</h2>",
	    say(p, SAY_COMPARE));
	if (l->n < 2) {
		html_put(&p->h, "<p>$</p></section>", say(p, SAY_HISTORY_ONE));
		return;
	}
	past_path(p, l->rows[0].document, "/compare", &url);
	html_put(&p->h, "<form class=\"stack\" action=\"$\">", url.data);
	write_select(p, l, "from", SAY_COMPARE_FROM, from);
	write_select(p, l, "to", SAY_COMPARE_TO, to);
	html_put(&p->h, "<div><button>$</button></div></form></section>", say(p, SAY_COMPARE_SHOW));
	buf_free(&url);
}

/* ---- amendments ---- */

static int note_filed(void *arg, const struct ledger_entry *e)
{
	struct history *h = arg;
	const char *kind = json_text(e->a, "kind"), *time = json_text(e->a, "time");
	const char *user = json_text(e->b, "principal"), *org = json_text(e->b, "org");
	struct filed f = {.amends = kind && strcmp(kind, "metadata") == 0,
	    .rendition = kind && strncmp(kind, "rendition", 9) == 0};

	if (!kind || !time || !clock_parse(time, &f.time_us) ||
	    (!f.amends && !f.rendition && strcmp(kind, "filing") != 0 &&
		strcmp(kind, "version") != 0))
		return 0;
	f.version = (uint32_t)json_integer_value(json_object_get(e->a, "version"));
	snprintf(f.user, sizeof(f.user), "%s", user ? user : "");
	snprintf(f.org, sizeof(f.org), "%s", org ? org : "");
	if (h->filed_len == h->filed_cap) {
		size_t cap = h->filed_cap ? h->filed_cap * 2 : 32;
		struct filed *list = realloc(h->filed, cap * sizeof(*list));

		if (!list)
			return ARK_ENOMEM;
		h->filed = list;
		h->filed_cap = cap;
	}
	h->filed[h->filed_len++] = f;
	return 0;
}

static void write_actor(struct page *p, const char *user, const char *org)
{
	if (user && *user)
		page_name(p, "users", user);
	if (org && *org) {
		html_raw(&p->h, ", ");
		page_name(p, "orgs", org);
	}
}

static bool readable(struct page *p, const struct past_document *d)
{
	struct visit *v = visit_of(p->x);

	return caller_decides(v->caller, v->app, ACCESS_READ, d->fields, false, NULL).outcome ==
	       ACCESS_PERMIT;
}

/* Between the entry before and this one nothing else of the version's metadata was made. */
static void write_amended_fields(
    struct page *p, const struct filed *before, const struct filed *now)
{
	struct visit *v = visit_of(p->x);
	struct past_document old = {0}, amended = {0};
	json_t *changes = NULL;

	if (!past_document(v->app->archive, v->receipt, v->row.document, before->version,
		before->time_us, &old, NULL) &&
	    !past_document(v->app->archive, v->receipt, v->row.document, now->version, now->time_us,
		&amended, NULL) &&
	    readable(p, &old) && readable(p, &amended))
		changes = fields_differences(old.fields, amended.fields, false);
	if (json_array_size(changes))
		past_changes(p, changes, NULL, NULL);
	json_decref(changes);
	past_document_free(&old);
	past_document_free(&amended);
}

static void write_amendment(
    struct page *p, struct history *h, const struct filed *before, const struct filed *now)
{
	char time[I18N_SIZE];

	i18n_time(time, p->language, now->time_us);
	html_put(&p->h, "<li><p class=\"hint\">$, ", time);
	write_actor(p, now->user, now->org);
	html_raw(&p->h, "</p>");
	if (before && h->opened++ < AMENDMENTS_OPENED)
		write_amended_fields(p, before, now);
	html_raw(&p->h, "</li>");
}

static size_t amendments_of(const struct history *h, uint32_t version)
{
	size_t n = 0;

	for (size_t i = 0; i < h->filed_len; i++)
		n += h->filed[i].version == version && h->filed[i].amends;
	return n;
}

static void write_amendments(struct page *p, struct history *h, uint32_t version)
{
	size_t n = amendments_of(h, version),
	       skipped = n > AMENDMENTS_SHOWN ? n - AMENDMENTS_SHOWN : 0;
	const struct filed *before = NULL;

	if (!n)
		return;
	html_put(&p->h, "<h4>$</h4>", say(p, SAY_HISTORY_AMENDED));
	if (skipped)
		html_put(&p->h, "<p class=\"hint\">$</p>", say(p, SAY_HISTORY_AMENDED_MORE));
	html_raw(&p->h, "<ul class=\"amended\">");
	for (size_t i = 0; i < h->filed_len; i++) {
		const struct filed *f = &h->filed[i];

		if (f->version != version || f->rendition)
			continue;
		if (f->amends && skipped)
			skipped--;
		else if (f->amends)
			write_amendment(p, h, before, f);
		before = f;
	}
	html_raw(&p->h, "</ul>");
}

/* ---- versions ---- */

static void write_filed(struct page *p, const struct catalogue_row *row, const struct card *card)
{
	const json_t *actor = json_object_get(card->version, "actor");
	const char *reason = json_text(card->version, "reason");

	fact_begin(p, SAY_FILED);
	html_raw(&p->h, ">");
	page_time(p, json_text(card->version, "time"));
	html_raw(&p->h, "</dd></div>");
	if (row->whole) {
		fact_begin(p, SAY_FILED_BY);
		html_raw(&p->h, ">");
		write_actor(p, json_text(actor, "user"), json_text(actor, "org"));
		html_raw(&p->h, "</dd></div>");
		if (!reason && row->version == 1)
			reason = say(p, SAY_REASON_FIRST);
		fact_text(p, SAY_REASON, reason);
	}
	fact_media(p, SAY_FILE, card->version);
}

static void write_facts(
    struct page *p, const struct catalogue_row *row, const struct card *card, bool open)
{
	html_raw(&p->h, "<dl class=\"facts\">");
	write_filed(p, row, card);
	if (open) { /* a digest tells who has the bytes that they are these */
		fact_begin(p, SAY_DIGEST);
		html_put(&p->h, " class=\"code\">$</dd></div>", json_text(card->version, "sha256"));
	}
	html_raw(&p->h, "</dl>");
}

/* ---- public renditions: who filed, replaced or withdrew them, and why ---- */

static void write_rendition(
    struct page *p, struct history *h, const struct filed *f, uint32_t number)
{
	struct visit *v = visit_of(p->x);
	json_t *meta = NULL;
	char time[I18N_SIZE];
	bool known = h->renditions++ < RENDITIONS_OPENED &&
		     !rendition_then(v, f->version, number, f->time_us, &meta, NULL);

	i18n_time(time, p->language, f->time_us);
	html_put(&p->h, "<li><p class=\"hint\">$, ", time);
	write_actor(p, f->user, f->org);
	html_put(&p->h, "</p>");
	if (json_is_true(json_object_get(meta, "withdrawn")))
		html_put(&p->h, "<p>$</p>", say(p, SAY_HISTORY_WITHDRAWN));
	if (known)
		past_rendition_reason(p, json_text(meta, "reason"));
	html_raw(&p->h, "</li>");
	json_decref(meta);
}

static void write_renditions(struct page *p, struct history *h, uint32_t version)
{
	uint32_t n = 0;

	for (size_t i = 0; i < h->filed_len; i++) {
		const struct filed *f = &h->filed[i];

		if (f->version != version || !f->rendition)
			continue;
		if (!n++)
			html_put(&p->h, "<h4>$</h4><ul class=\"amended\">",
			    say(p, SAY_HISTORY_RENDITION));
		write_rendition(p, h, f, n);
	}
	if (n)
		html_raw(&p->h, "</ul>");
}

static void write_changes(struct page *p, const struct catalogue_row *rows,
    const struct card *before, const struct card *now)
{
	json_t *changes =
	    fields_differences(before->fields, now->fields, rows[0].whole != rows[1].whole);

	if (json_array_size(changes)) {
		html_put(&p->h, "<h4>$</h4>", say(p, SAY_HISTORY_CHANGES));
		past_changes(p, changes, NULL, NULL);
	}
	json_decref(changes);
}

/* The i-th version of the list, and what changed since the one before. */
static void write_version(
    struct page *p, struct history *h, size_t i, const struct card *before, const struct card *now)
{
	const struct catalogue_row *row = &h->versions->rows[i];
	struct buf url = BUF_INIT;
	char n[16];

	snprintf(n, sizeof(n), "%u", row->version);
	document_path(p, row, row->version, "", &url);
	html_put(&p->h, "<li><h3><a href=\"$\">", url.data);
	page_say(p, SAY_VERSION_N, n);
	html_raw(&p->h, "</a>");
	if (!row->whole)
		html_put(&p->h, " <span class=\"tag\">$</span>", say(p, SAY_RENDITION));
	html_raw(&p->h, "</h3>");
	buf_free(&url);
	write_facts(p, row, now, h->open[i]);
	if (i)
		write_changes(p, row - 1, before, now);
	if (row->whole) {
		write_amendments(p, h, row->version);
		write_renditions(p, h, row->version);
	}
	html_raw(&p->h, "</li>");
}

static int write_versions(
    struct page *p, struct history *h, size_t from, size_t to, struct ark_error *err)
{
	struct visit *v = visit_of(p->x);
	struct card now = {0};
	int rc = shown_card(v->app->archive, v->receipt, &h->versions->rows[from - 1], &now, err);

	html_put(&p->h,
	    "<section aria-labelledby=\"versions\"><h2 id=\"versions\">$</h2><ol "
	    "class=\"versions\">",
	    say(p, SAY_HISTORY_VERSIONS));
	for (size_t i = from; i > to && !rc; i--) {
		struct card before = {0};

		if (i > 1)
			rc = shown_card(
			    v->app->archive, v->receipt, &h->versions->rows[i - 2], &before, err);
		if (!rc)
			write_version(p, h, i - 1, &before, &now);
		card_free(&now);
		now = before;
	}
	card_free(&now);
	html_raw(&p->h, "</ol></section>");
	return rc;
}

/* ---- the page ---- */

static void write_turn(struct page *p, size_t page, const char *rel, enum say label)
{
	const struct visit *v = visit_of(p->x);
	struct buf url = BUF_INIT;
	char n[24];

	snprintf(n, sizeof(n), "%zu", page);
	past_path(p, v->row.document, "/history", &url);
	url_add(&url, "page", n);
	html_put(&p->h, "<li><a rel=\"$\" href=\"$\">$</a></li>", rel, url.data, say(p, label));
	buf_free(&url);
}

static void write_pages(struct page *p, size_t page, size_t pages)
{
	char at[24], of[24];

	if (pages < 2)
		return;
	snprintf(at, sizeof(at), "%zu", page);
	snprintf(of, sizeof(of), "%zu", pages);
	html_put(&p->h, "<nav class=\"turn\" aria-label=\"$\"><ul>", say(p, SAY_HISTORY_PAGES));
	if (page > 1)
		write_turn(p, page - 1, "prev", SAY_PREVIOUS);
	html_raw(&p->h, "<li>");
	page_say(p, SAY_PAGE_OF, at, of);
	html_raw(&p->h, "</li>");
	if (page < pages)
		write_turn(p, page + 1, "next", SAY_NEXT);
	html_raw(&p->h, "</ul></nav>");
}

static size_t page_of(struct page *p, size_t pages)
{
	const char *text = http_query(p->x, "page");
	size_t n = text ? strspn(text, "0123456789") : 0;
	size_t page = n >= 1 && n <= 6 && !text[n] ? strtoul(text, NULL, 10) : 1;

	return page < 1 ? 1 : page > pages ? pages : page;
}

static int write_page(struct page *p, struct history *h, const char *title, const struct faults *f,
    struct ark_error *err)
{
	const struct listing *l = h->versions;
	size_t pages = (l->n + VERSIONS_A_PAGE - 1) / VERSIONS_A_PAGE, page = page_of(p, pages);
	size_t from = l->n - (page - 1) * VERSIONS_A_PAGE;
	size_t to = from > VERSIONS_A_PAGE ? from - VERSIONS_A_PAGE : 0;
	int rc;

	html_raw(&p->h, "<article>");
	form_summary(p, SAY_ASOF_FAILED, f);
	past_head(p, &l->rows[l->n - 1], title);
	html_put(&p->h, "<h1>$</h1>", say(p, SAY_HISTORY));
	past_choice(p, l, l->n > 1 ? l->rows[l->n - 2].version : 0, l->rows[l->n - 1].version);
	past_day(p, l->rows[0].document, f->n ? http_query(p->x, "at") : NULL, f);
	rc = write_versions(p, h, from, to, err);
	write_pages(p, page, pages);
	html_raw(&p->h, "</article>");
	return rc;
}

static void title_of(
    const struct exchange *x, const char *title, const struct faults *f, struct buf *out)
{
	enum http_language language = HTTP_FI;

	page_language(x, &language);
	if (f->n)
		buf_addf(out, "%s: ", i18n_text(language, SAY_ERROR));
	buf_addf(out, "%s: %s", i18n_text(language, SAY_HISTORY), title ? title : "");
}

static void show_history(struct exchange *x)
{
	struct visit *v = visit_of(x);
	struct history *h = v->more;
	const struct ledger_filter filter = {.document = v->row.document};
	struct faults f = {0};
	struct card card = {0};
	struct buf title = BUF_INIT;
	struct ark_error err = {0};
	struct page p = {0};
	int rc = shown_card(v->app->archive, v->receipt, &v->row, &card, &err);

	if (!rc)
		rc = ledger_find(archive_ledger(v->app->archive, LEDGER_HISTORY), &filter, UINT_MAX,
		    note_filed, h, &err);
	if (!rc) {
		if (http_query(x, "at"))
			fault_add(&f, "at", form_said(x, SAY_ASOF_WRONG));
		title_of(x, json_text(card.fields, "title"), &f, &title);
		page_begin(&p, x, title.data);
		rc = write_page(&p, h, json_text(card.fields, "title"), &f, &err);
	}
	if (rc) {
		buf_wipe_free(&p.h.out);
		http_reply_error(x, &err);
	} else {
		page_end(&p, f.n ? 422 : 200);
	}
	buf_wipe_free(&title);
	card_free(&card);
}

/* ---- the request ---- */

static int find_open(struct visit *v, struct history *h, struct ark_error *err)
{
	struct access_filter *filter = NULL;
	struct desk *desk = NULL;
	int rc = caller_content_filter(v->caller, &filter, err);

	h->open = calloc(h->versions->n + 1, sizeof(*h->open));
	if (!rc && !h->open)
		rc = ark_fail(err, ARK_ENOMEM, "no memory for a history");
	if (!rc)
		rc = archive_desk(v->app->archive, &desk, err);
	for (size_t i = 0; !rc && i < h->versions->n; i++) {
		const struct catalogue_row *row = &h->versions->rows[i];

		h->open[i] = !row->whole;
		if (row->whole)
			rc = catalogue_admits(
			    desk->catalogue, row->document, row->version, filter, &h->open[i], err);
	}
	archive_desk_return(v->app->archive, desk);
	access_filter_free(filter);
	return rc;
}

static struct history *history_new(struct exchange *x, struct visit *v)
{
	struct history *h = calloc(1, sizeof(*h));
	struct ark_error err;

	if (!h) {
		http_reply_problem(x, 503, "out-of-memory", NULL, NULL);
		return NULL;
	}
	h->versions = listing_new(x, v);
	v->more = h;
	v->more_free = history_free;
	if (!h->versions)
		return NULL;
	if (listing_versions(v, v->row.document, h->versions, &err) || find_open(v, h, &err)) {
		http_reply_error(x, &err);
		return NULL;
	}
	return h;
}

void page_history(struct exchange *x)
{
	struct visit *v = visit_of(x);
	struct ledger_record records[2];
	const struct history *h;

	if (!v || !document_found(x, v, "metadata", 0))
		return;
	h = history_new(x, v);
	if (!h)
		return;
	if (!h->versions->n) {
		visit_not_found(x, "metadata", http_param(x, 0), 0);
		return;
	}
	records[0] = visit_record(v, "metadata");
	records[1] = visit_record(v, "list");
	records[1].version = 0;
	visit_log(x, records, 2, show_history);
}
