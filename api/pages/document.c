/* The page of a document: what it is, its file, its versions, its text.
 *
 * One request is three logged reads, in one group before anything is shown:
 * the metadata, the list of versions, and the text where there is one. */
#include <stdio.h>
#include <string.h>

#include "api/documents.h"
#include "api/pages/pages.h"
#include "arkki/base/json.h"

/* more of a text than this makes no readable page: the file is there */
enum { TEXT_SHOWN = 512 * 1024 };

static bool text_ready(const struct catalogue_row *row)
{
	return row->text_state && strcmp(row->text_state, "ready") == 0;
}

static void path_of(const struct page *p, const struct catalogue_row *row, uint32_t version,
    const char *more, struct buf *out)
{
	buf_clear(out);
	buf_addf(out, "/%s/documents/%s", i18n_code(p->language), row->document);
	if (version)
		buf_addf(out, "/versions/%u%s", version, more);
}

/* ---- facts ---- */

static void fact_begin(struct page *p, enum say label)
{
	html_put(&p->h, "<div><dt>$</dt><dd", say(p, label));
}

static void fact_text(struct page *p, enum say label, const char *text)
{
	if (!text || !*text)
		return;
	fact_begin(p, label);
	html_put(&p->h, " dir=\"auto\">$</dd></div>", text);
}

static void fact_date(struct page *p, enum say label, const char *date)
{
	if (!date)
		return;
	fact_begin(p, label);
	html_raw(&p->h, ">");
	page_date(p, date);
	html_raw(&p->h, "</dd></div>");
}

static void fact_record(struct page *p, enum say label, const char *kind, const char *id)
{
	if (!id)
		return;
	fact_begin(p, label);
	html_raw(&p->h, ">");
	page_name(p, kind, id);
	html_raw(&p->h, "</dd></div>");
}

static void fact_diary(struct page *p, const char *case_id)
{
	json_t *record = registry_get(archive_registry(app_of(p->x)->archive), "cases", case_id);
	const char *number = json_text(record, "diaryNumber");

	fact_text(p, SAY_DIARY, number ? number : case_id);
	json_decref(record);
}

static void fact_publicity(struct page *p, const json_t *publicity)
{
	const char *class = json_text(publicity, "class");

	if (class)
		fact_text(p, SAY_PUBLICITY, say(p, publicity_said(class)));
	fact_text(p, SAY_SECRECY_GROUND, json_text(publicity, "ground"));
	fact_date(p, SAY_SECRECY_FROM, json_text(publicity, "from"));
	fact_date(p, SAY_SECRECY_UNTIL, json_text(publicity, "until"));
}

static void write_facts(struct page *p, const struct catalogue_row *row, const struct card *card)
{
	const json_t *f = card->fields, *units = json_object_get(f, "units");
	const char *state = json_text(f, "state"),
		   *language = i18n_language_name(p->language, row->language);

	html_put(&p->h,
	    "<section aria-labelledby=\"facts\"><h2 id=\"facts\">$</h2><dl class=\"facts\">",
	    say(p, SAY_FACTS));
	fact_record(p, SAY_TYPE, "types", row->type);
	if (json_array_size(units)) {
		fact_begin(p, json_array_size(units) == 1 ? SAY_UNIT : SAY_UNITS);
		html_raw(&p->h, ">");
		page_units(p, units);
		html_raw(&p->h, "</dd></div>");
	}
	fact_diary(p, json_text(f, "case"));
	fact_date(p, SAY_DATE, row->date);
	fact_date(p, SAY_VISIT_DATE, json_text(f, "visitDate"));
	fact_record(p, SAY_AUTHOR, "orgs", json_text(f, "author"));
	fact_publicity(p, json_object_get(f, "publicity"));
	if (state)
		fact_text(
		    p, SAY_STATE, say(p, strcmp(state, "draft") == 0 ? SAY_DRAFT : SAY_FINAL));
	fact_text(p, SAY_DOCUMENT_LANGUAGE, language ? language : row->language);
	fact_begin(p, SAY_DIGEST);
	html_put(&p->h, " class=\"code\">$</dd></div>", json_text(card->version, "sha256"));
	fact_begin(p, SAY_IDENTIFIER);
	html_put(&p->h, " class=\"code\">$</dd></div></dl></section>", row->document);
}

/* ---- the file ---- */

static const char *media_said(const struct page *p, const char *media_type)
{
	if (strcmp(media_type, "application/pdf") == 0)
		return "PDF";
	if (strcmp(media_type, "text/html") == 0)
		return say(p, SAY_WEB_PAGE);
	return strncmp(media_type, "text/", 5) == 0 ? say(p, SAY_TEXT_FILE) : media_type;
}

static void write_file(struct page *p, const struct catalogue_row *row, const struct card *card)
{
	bool pdf = strcmp(row->media_type, "application/pdf") == 0;
	struct buf url = BUF_INIT;
	char size[I18N_SIZE];

	i18n_bytes(size, p->language, row->size);
	path_of(p, row, row->version, "/file", &url);
	html_put(&p->h,
	    "<p class=\"file\"><a class=\"button\" href=\"$\">$</a> <span class=\"about\">",
	    url.data, say(p, pdf ? SAY_OPEN_PDF : SAY_OPEN_FILE));
	html_put(&p->h, "<span class=\"name\" dir=\"auto\">$</span> <span>$, $</span></span></p>",
	    json_text(card->version, "fileName"), media_said(p, row->media_type), size);
	buf_free(&url);
}

/* ---- versions ---- */

static void write_banner(struct page *p, const struct catalogue_row *row, const struct listing *l)
{
	uint32_t newest = l->n ? l->rows[l->n - 1].version : row->version;
	struct buf url = BUF_INIT;
	char n[16], last[16];

	if (row->version == newest)
		return;
	snprintf(n, sizeof(n), "%u", row->version);
	snprintf(last, sizeof(last), "%u", newest);
	path_of(p, row, 0, "", &url);
	html_raw(&p->h, "<p class=\"note\" role=\"note\">");
	page_say(p, SAY_VERSION_OLD, n, last);
	html_put(&p->h, " <a href=\"$\">$</a></p>", url.data, say(p, SAY_VERSION_NEWEST));
	buf_free(&url);
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

static void write_version(struct page *p, const struct catalogue_row *shown,
    const struct catalogue_row *row, const struct card *card)
{
	const char *reason = json_text(card->version, "reason");
	struct buf url = BUF_INIT;
	char n[16];

	snprintf(n, sizeof(n), "%u", row->version);
	path_of(p, row, row->version, "", &url);
	html_raw(&p->h, "<li><h3>");
	if (row->version == shown->version) {
		page_say(p, SAY_VERSION_N, n);
		html_put(&p->h, " <span class=\"tag\">$</span>", say(p, SAY_VERSION_THIS));
	} else {
		html_put(&p->h, "<a href=\"$\">", url.data);
		page_say(p, SAY_VERSION_N, n);
		html_raw(&p->h, "</a>");
	}
	html_raw(&p->h, "</h3><dl class=\"facts\">");
	fact_begin(p, SAY_FILED);
	html_raw(&p->h, ">");
	page_time(p, json_text(card->version, "time"));
	html_raw(&p->h, "</dd></div>");
	fact_begin(p, SAY_FILED_BY);
	html_raw(&p->h, ">");
	write_filer(p, json_object_get(card->version, "actor"));
	html_raw(&p->h, "</dd></div>");
	if (!reason && row->version == 1)
		reason = say(p, SAY_REASON_FIRST);
	fact_text(p, SAY_REASON, reason);
	html_raw(&p->h, "</dl></li>");
	buf_free(&url);
}

/* Newest first. A card that cannot be opened fails the page. */
static int write_versions(
    struct page *p, struct visit *v, const struct listing *l, struct ark_error *err)
{
	int rc = ARK_OK;

	html_put(&p->h,
	    "<section aria-labelledby=\"versions\"><h2 id=\"versions\">$</h2><ol "
	    "class=\"versions\" reversed>",
	    say(p, SAY_VERSIONS));
	for (size_t i = l->n; i > 0 && !rc; i--) {
		struct card card = {0};

		rc = reading_card(v->app->archive, v->receipt, &l->rows[i - 1], &card, err);
		if (!rc)
			write_version(p, &v->row, &l->rows[i - 1], &card);
		card_free(&card);
	}
	html_raw(&p->h, "</ol></section>");
	return rc;
}

/* ---- the text ---- */

/* One paragraph: up to an empty line or the end of the page. */
static size_t paragraph_len(const char *text, size_t len)
{
	const char *end = memmem(text, len, "\n\n", 2);

	return end ? (size_t)(end - text) : len;
}

static void write_paragraphs(struct page *p, const char *text, size_t len)
{
	for (size_t i = 0; i < len;) {
		size_t n;

		if (text[i] == '\n') {
			i++;
			continue;
		}
		n = paragraph_len(text + i, len - i);
		html_raw(&p->h, "<p>");
		html_text_len(&p->h, text + i, n);
		html_raw(&p->h, "</p>");
		i += n;
	}
}

static void write_sheets(
    struct page *p, const struct catalogue_row *row, const char *text, size_t len)
{
	bool paged = memchr(text, '\f', len) != NULL;
	unsigned int number = 1;
	char n[16];

	html_raw(&p->h, "<div class=\"text\"");
	page_lang(p, row->language);
	html_raw(&p->h, ">");
	for (size_t i = 0; i < len; number++) {
		const char *end = memchr(text + i, '\f', len - i);
		size_t sheet = end ? (size_t)(end - (text + i)) : len - i;

		snprintf(n, sizeof(n), "%u", number);
		if (paged) {
			html_put(&p->h, "<h3 class=\"sheet\" lang=\"$\">", i18n_code(p->language));
			page_say(p, SAY_SHEET, n);
			html_raw(&p->h, "</h3>");
		}
		write_paragraphs(p, text + i, sheet);
		i += sheet + 1;
	}
	html_raw(&p->h, "</div>");
}

/* Not in the middle of a character. */
static size_t shown_len(const char *text, size_t len)
{
	size_t n = len < TEXT_SHOWN ? len : TEXT_SHOWN;

	while (n < len && n && ((unsigned char)text[n] & 0xC0) == 0x80)
		n--;
	return n;
}

static int write_text(struct page *p, struct visit *v, struct ark_error *err)
{
	struct buf text = BUF_INIT;
	int rc = text_ready(&v->row)
		     ? reading_text(v->app->archive, v->receipt, &v->row, FORM_WHOLE, &text, err)
		     : ARK_ENOTFOUND;

	html_put(&p->h, "<section aria-labelledby=\"text\"><h2 id=\"text\">$</h2>",
	    say(p, SAY_DOCUMENT_TEXT));
	if (!rc) {
		size_t n = shown_len(text.data ? text.data : "", text.len);

		html_put(&p->h, "<p class=\"hint\">$</p>", say(p, SAY_TEXT_HOW));
		write_sheets(p, &v->row, text.data ? text.data : "", n);
		if (n < text.len)
			html_put(&p->h, "<p class=\"note\">$</p>", say(p, SAY_TEXT_CUT));
	} else if (rc == ARK_ENOTFOUND) { /* also when the cache was lost: it comes again */
		bool none = v->row.text_state && strcmp(v->row.text_state, "none") == 0;

		html_put(&p->h, "<p>$</p>", say(p, none ? SAY_TEXT_NONE : SAY_TEXT_PENDING));
		/* the reason is an English clause of the extractor */
		if (none && v->row.text_reason && *v->row.text_reason)
			html_put(&p->h, "<p class=\"hint\" lang=\"en\">$</p>", v->row.text_reason);
		rc = ARK_OK;
	}
	html_raw(&p->h, "</section>");
	buf_wipe_free(&text);
	return rc;
}

/* ---- the page ---- */

static void write_page(struct page *p, struct visit *v, const struct card *card)
{
	html_raw(&p->h, "<article><header class=\"head\"><p class=\"kind\">");
	page_name(p, "types", v->row.type);
	page_tags(p, v->row.publicity, v->row.state);
	html_raw(&p->h, "</p><h1");
	page_lang(p, v->row.language);
	html_put(&p->h, ">$</h1></header>", json_text(card->fields, "title"));
	write_banner(p, &v->row, v->more);
	write_file(p, &v->row, card);
	write_facts(p, &v->row, card);
}

static void show_document(struct exchange *x)
{
	struct visit *v = visit_of(x);
	struct card card = {0};
	struct ark_error err = {0};
	struct page p = {0};
	int rc = reading_card(v->app->archive, v->receipt, &v->row, &card, &err);

	if (!rc) {
		page_begin(&p, x, json_text(card.fields, "title"));
		write_page(&p, v, &card);
		rc = write_versions(&p, v, v->more, &err);
	}
	if (!rc)
		rc = write_text(&p, v, &err);
	if (rc) {
		buf_wipe_free(&p.h.out);
		http_reply_error(x, &err);
	} else {
		html_raw(&p.h, "</article>");
		page_end(&p, 200);
	}
	card_free(&card);
}

static void show_version(struct exchange *x, uint32_t version)
{
	struct visit *v = visit_of(x);
	struct ledger_record records[3];
	struct ark_error err;
	struct listing *l;
	size_t n = 0;

	if (!v || !document_found(x, v, "metadata", version))
		return;
	l = listing_new(x, v);
	if (!l)
		return;
	if (listing_versions(v, v->row.document, l, &err)) {
		http_reply_error(x, &err);
		return;
	}
	records[n++] = visit_record(v, "metadata");
	records[n] = visit_record(v, "list");
	records[n++].version = 0;
	if (text_ready(&v->row))
		records[n++] = visit_record(v, "text");
	visit_log(x, records, n, show_document);
}

void page_document(struct exchange *x)
{
	show_version(x, 0);
}

void page_version(struct exchange *x)
{
	uint32_t version = visit_version(x, 1);

	if (version)
		show_version(x, version);
	else
		visit_not_found(x, "metadata", http_param(x, 0), 0);
}
