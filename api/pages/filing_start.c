/* Where a filing begins: which unit and case it is about, and what was begun before. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/handlers.h"
#include "api/pages/document.h"
#include "api/pages/filing.h"
#include "api/pages/upload_rows.h"
#include "api/proposals.h"
#include "arkki/base/json.h"
#include "arkki/base/text.h"

enum { SHOWN_MAX = 25, OPEN_SHOWN = 100 };

/* ---- what was begun ---- */

struct beginnings {
	struct page *p;
	unsigned int n;
};

static void write_state(struct page *p, const struct upload_state *u)
{
	char have[I18N_SIZE], all[I18N_SIZE];

	i18n_bytes(have, p->language, u->offset);
	i18n_bytes(all, p->language, u->length);
	html_raw(&p->h, " <span class=\"hint\">");
	if (u->offset == u->length)
		html_text(&p->h, all);
	else if (u->length > u->offset && u->length < UINT64_MAX / 2)
		page_say(p, SAY_FILING_PART_CAME, have, all);
	else
		html_text(&p->h, say(p, SAY_FILING_CUT));
	html_raw(&p->h, "</span>");
}

static void write_remove(struct page *p, const char *id)
{
	struct buf url = BUF_INIT;

	sheet_path(p->x, id, "/remove", &url);
	html_put(&p->h, "<form method=\"post\" action=\"$\">", url.data);
	page_form_field(p, "filing");
	html_put(&p->h, "<button class=\"quiet\">$</button></form>", say(p, SAY_FILING_REMOVE));
	buf_free(&url);
}

static int write_beginning(void *arg, const struct upload_state *u)
{
	struct beginnings *b = arg;
	struct page *p = b->p;
	const char *title = draft_typed(u->draft, "title");
	const char *name = u->file_name ? u->file_name : say(p, SAY_FILE);
	struct buf url = BUF_INIT;

	if (b->n++ == 0)
		html_put(&p->h,
		    "<section aria-labelledby=\"open\"><h2 id=\"open\">$</h2><p "
		    "class=\"hint\">$</p><ul class=\"plain begun\">",
		    say(p, SAY_FILING_OPEN), say(p, SAY_FILING_OPEN_HELP));
	if (b->n > OPEN_SHOWN)
		return 0;
	sheet_path(p->x, u->id, "", &url);
	html_put(&p->h, "<li><p><a href=\"$\" dir=\"auto\">$</a>", url.data, *title ? title : name);
	if (*title)
		html_put(&p->h, " <span class=\"hint\" dir=\"auto\">$</span>", name);
	write_state(p, u);
	html_raw(&p->h, "</p>");
	write_remove(p, u->id);
	html_raw(&p->h, "</li>");
	buf_free(&url);
	return 0;
}

static void write_beginnings(struct page *p)
{
	struct beginnings b = {.p = p};
	struct ark_error err;

	if (uploads_each(p->x, write_beginning, &b, &err))
		html_put(&p->h, "<p class=\"note\">$</p>", say(p, SAY_FILING_OPEN_FAILED));
	else if (b.n)
		html_raw(&p->h, "</ul></section>");
}

/* ---- units and cases ---- */

static bool has(const char *text, const char *part)
{
	char *l = text ? lower_nordic(text, strlen(text)) : NULL;
	bool hit = l && strstr(l, part);

	free(l);
	return hit;
}

static bool named_so(const json_t *record, const char *q)
{
	const json_t *name = json_object_get(record, "name");

	return has(json_string_value(name), q) || has(json_text(name, "fi"), q) ||
	       has(json_text(name, "sv"), q) || has(json_text(name, "en"), q) ||
	       has(json_text(record, "id"), q) || has(json_text(record, "diaryNumber"), q);
}

static bool of_unit(const json_t *record, const char *unit)
{
	const json_t *one;
	size_t i;

	json_array_foreach(json_object_get(record, "units"), i, one)
	{
		if (strcmp(json_string_value(one), unit) == 0)
			return true;
	}
	return false;
}

static void add_target(struct buf *url, const struct page *p, const char *unit, const char *case_id)
{
	buf_addf(url, "/%s/file/new", i18n_code(p->language));
	url_add(url, "unit", unit);
	url_add(url, "case", case_id);
}

static void write_target(struct page *p, const char *unit, const char *case_id, const char *text)
{
	struct buf url = BUF_INIT;

	add_target(&url, p, unit, case_id);
	html_put(&p->h, "<a href=\"$\" dir=\"auto\">$</a>", url.data, text);
	buf_free(&url);
}

/* Cases of the unit that the caller may see, newest number last as the register has them. */
static void write_cases(struct page *p, const json_t *cases, const char *unit)
{
	const json_t *one;
	unsigned int n = 0;
	size_t i;

	json_array_foreach(cases, i, one)
	{
		const char *number = json_text(one, "diaryNumber"), *id = json_text(one, "id");

		if (!of_unit(one, unit) || !case_is_visible(p->x, one) || n == SHOWN_MAX)
			continue;
		if (n++ == 0)
			html_raw(&p->h, "<ul class=\"plain cases\">");
		html_raw(&p->h, "<li>");
		write_target(p, unit, id, number ? number : id);
		html_raw(&p->h, "</li>");
	}
	if (n)
		html_raw(&p->h, "</ul>");
}

static void write_unit(struct page *p, const json_t *unit, const json_t *cases)
{
	const char *id = json_text(unit, "id");
	struct buf url = BUF_INIT;

	html_raw(&p->h, "<li><h3>");
	page_name(p, "units", id);
	html_raw(&p->h, "</h3>");
	write_cases(p, cases, id);
	add_target(&url, p, id, NULL);
	html_put(&p->h, "<p><a href=\"$\">$<span class=\"hidden\">: $</span></a></p></li>",
	    url.data, say(p, SAY_FILING_NO_CASE), i18n_name(p->language, unit, NULL));
	buf_free(&url);
}

/* A case whose number was sought leads to its units. */
static bool case_hit(const struct page *p, const json_t *cases, const char *unit, const char *q)
{
	const json_t *one;
	size_t i;

	json_array_foreach(cases, i, one)
	{
		if (has(json_text(one, "diaryNumber"), q) && of_unit(one, unit) &&
		    case_is_visible(p->x, one))
			return true;
	}
	return false;
}

static void write_found(struct page *p, const char *query)
{
	struct registry *registry = archive_registry(app_of(p->x)->archive);
	json_t *units = registry_all(registry, "units"), *cases = registry_all(registry, "cases");
	char *q = lower_nordic(query, strlen(query));
	const json_t *unit;
	unsigned int n = 0;
	size_t i;

	html_put(&p->h, "<section aria-labelledby=\"found\"><h2 id=\"found\">$</h2>",
	    say(p, SAY_FILING_FOUND));
	json_array_foreach(units, i, unit)
	{
		if (!q || n > SHOWN_MAX ||
		    (!named_so(unit, q) && !case_hit(p, cases, json_text(unit, "id"), q)))
			continue;
		if (n++ == 0)
			html_raw(&p->h, "<ul class=\"plain targets\">");
		if (n <= SHOWN_MAX)
			write_unit(p, unit, cases);
	}
	if (n)
		html_raw(&p->h, "</ul>");
	if (n != 0 && n <= SHOWN_MAX)
		html_raw(&p->h, "</section>");
	else
		html_put(&p->h, "<p>$</p></section>",
		    say(p, n ? SAY_FILING_MANY_FOUND : SAY_FILING_NONE_FOUND));
	free(q);
	json_decref(units);
	json_decref(cases);
}

void page_file(struct exchange *x)
{
	const char *q = http_query(x, "q"), *unit = http_query(x, "unit");
	struct buf url = BUF_INIT;
	struct page p;

	if (!filing_allowed(x))
		return;
	if (unit && *unit && (!q || !*q))
		q = unit;
	page_begin(&p, x, form_said(x, SAY_FILING));
	html_put(&p.h, "<h1>$</h1><p>$</p>", say(&p, SAY_FILING), say(&p, SAY_FILING_WHAT));
	html_put(&p.h,
	    "<form class=\"search\" role=\"search\" method=\"get\" action=\"/$/file\"><label "
	    "for=\"q\">$</label><p class=\"hint\" id=\"q-help\">$</p><div class=\"ask\"><input "
	    "id=\"q\" name=\"q\" type=\"search\" autocomplete=\"off\" aria-describedby=\"q-help\" "
	    "value=\"$\"><button>$</button></div></form>",
	    i18n_code(p.language), say(&p, SAY_FILING_SEEK), say(&p, SAY_FILING_SEEK_HELP), q,
	    say(&p, SAY_SEARCH_DO));
	if (q && *q && strlen(q) < 200)
		write_found(&p, q);
	add_target(&url, &p, NULL, NULL);
	html_put(&p.h, "<p><a href=\"$\">$</a></p>", url.data, say(&p, SAY_FILING_NO_UNIT));
	write_beginnings(&p);
	buf_free(&url);
	page_end(&p, 200);
}

/* ---- the file ---- */

static void add_context(struct buf *url, struct exchange *x)
{
	static const char *const names[] = {"unit", "case", "document", "rendition"};

	for (size_t i = 0; i < 4; i++)
		url_add(url, names[i], http_query(x, names[i]));
}

static void write_for(struct page *p, const char *title)
{
	const char *unit = http_query(p->x, "unit"), *number = http_query(p->x, "case");

	html_raw(&p->h, "<dl class=\"facts\">");
	fact_text(p, SAY_FILING_DOCUMENT, title);
	if (unit && *unit) {
		fact_begin(p, SAY_UNIT);
		html_raw(&p->h, ">");
		page_name(p, "units", unit);
		html_raw(&p->h, "</dd></div>");
	}
	if (number && *number) {
		json_t *record =
		    registry_get(archive_registry(app_of(p->x)->archive), "cases", number);
		const char *diary = record && case_is_visible(p->x, record)
					? json_text(record, "diaryNumber")
					: NULL;

		fact_text(p, SAY_DIARY, diary ? diary : number);
		json_decref(record);
	}
	html_raw(&p->h, "</dl>");
}

static void write_upload(struct page *p, const char *title, enum say heading)
{
	bool one = title != NULL;
	char token[33];
	struct buf url = BUF_INIT, next = BUF_INIT;

	page_form_token(app_of(p->x), UPLOADS_FORM, p->caller->token_id, token);
	buf_addf(&url, "/%s/file/new", i18n_code(p->language));
	add_context(&url, p->x);
	add_context(&next, p->x);
	html_put(&p->h, "<div class=\"narrow\"><h1>$</h1>", say(p, heading));
	write_for(p, title);
	html_put(&p->h,
	    "<form class=\"upload\" method=\"post\" enctype=\"multipart/form-data\" action=\"$\" "
	    "data-upload-url=\"/$/uploads\" data-form=\"$\" data-next=\"/$/file\" "
	    "data-query=\"$\">",
	    url.data, i18n_code(p->language), token, i18n_code(p->language),
	    next.data ? next.data : "");
	page_form_field(p, "filing");
	html_put(&p->h,
	    "<div class=\"field\"><label for=\"files\">$</label><p class=\"hint\" "
	    "id=\"files-help\">$</p><input type=\"file\" id=\"files\" name=\"files\" "
	    "aria-describedby=\"files-help\" required",
	    say(p, one ? SAY_FILING_FILE : SAY_FILING_FILES),
	    say(p, one ? SAY_FILING_FILE_HELP : SAY_FILING_FILES_HELP));
	if (!one)
		html_raw(&p->h, " multiple");
	html_raw(&p->h, "></div>");
	page_upload_rows(p, !one);
	html_put(&p->h, "<p class=\"act\"><button>$</button></p></form></div>",
	    say(p, SAY_FILING_SEND_FILE));
	buf_free(&url);
	buf_free(&next);
}

static void show_new(struct exchange *x, const char *title)
{
	enum say heading = http_query(x, "rendition") ? SAY_FILING_RENDITION
			   : title                    ? SAY_FILING_VERSION
						      : SAY_FILING;
	struct page p;

	page_begin(&p, x, form_said(x, heading));
	write_upload(&p, title, heading);
	page_end(&p, 200);
}

static void show_for_document(struct exchange *x)
{
	struct visit *v = visit_of(x);
	struct card card = {0};
	struct ark_error err;

	if (reading_card(v->app->archive, v->receipt, &v->row, &card, &err))
		http_reply_error(x, &err);
	else
		show_new(x, json_text(card.fields, "title"));
	card_free(&card);
}

void page_file_new(struct exchange *x)
{
	const char *document = http_query(x, "document"), *number = http_query(x, "rendition");
	struct visit *v = visit_of(x);
	struct ledger_record r;
	struct ark_error err;
	int rc;

	if (!v || !filing_allowed(x))
		return;
	if (!document || !*document) {
		show_new(x, NULL);
		return;
	}
	rc = visit_find(v, document, number ? (uint32_t)strtoul(number, NULL, 10) : 0, &err);
	if (rc == ARK_ENOTFOUND || (!rc && !v->row.whole)) {
		visit_not_found(x, "metadata", document, 0);
	} else if (rc) {
		http_reply_error(x, &err);
	} else {
		r = visit_record(v, "metadata");
		visit_log(x, &r, 1, show_for_document);
	}
}
