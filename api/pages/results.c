#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/pages/finding.h"
#include "api/pages/search.h"
#include "api/session.h"
#include "arkki/base/json.h"

enum { ROWS_A_SEARCH = SEARCH_LIMIT_MAX };

struct table { /* the search's `more`, from page to page of what was found */
	struct buf out;
	struct buf cursor; /* of the page that comes */
	unsigned int rows;
};

static void table_free(void *arg)
{
	struct table *t = arg;

	buf_wipe_free(&t->out);
	buf_free(&t->cursor);
	free(t);
}

/* ---- cells ---- */

/* A spreadsheet takes a cell that begins so for a formula; people's texts are none. */
static bool like_formula(const char *text)
{
	return *text && strchr("=+-@\t\r", *text);
}

static void add_cell(struct buf *out, const char *text)
{
	if (out->len && out->data[out->len - 1] != '\n')
		buf_addc(out, ',');
	buf_addc(out, '"');
	if (text && like_formula(text))
		buf_addc(out, '\'');
	for (const char *c = text ? text : ""; *c; c++) {
		if (*c == '"')
			buf_addc(out, '"');
		buf_addc(out, *c);
	}
	buf_addc(out, '"');
}

static void add_head(const struct page *p, struct buf *out)
{
	static const enum say names[] = {SAY_CSV_TITLE, SAY_TYPE, SAY_UNITS, SAY_DATE, SAY_AUTHOR,
	    SAY_PUBLICITY, SAY_DOCUMENT_LANGUAGE, SAY_DIARY, SAY_VERSION, SAY_CSV_ADDRESS};

	buf_adds(out, "\xEF\xBB\xBF");
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		if (i)
			buf_addc(out, ',');
		buf_addf(out, "\"%s\"", say(p, names[i]));
	}
	buf_adds(out, "\r\n");
}

static void add_names(const struct page *p, struct buf *out, const json_t *units)
{
	struct buf names = BUF_INIT;
	const json_t *unit;
	size_t i;

	json_array_foreach(units, i, unit)
	{
		if (i)
			buf_adds(&names, ", ");
		name_add(p, &names, "units", json_string_value(unit));
	}
	add_cell(out, names.data);
	buf_free(&names);
}

static void add_name(const struct page *p, struct buf *out, const char *kind, const char *id)
{
	struct buf name = BUF_INIT;

	if (id)
		name_add(p, &name, kind, id);
	add_cell(out, name.data);
	buf_free(&name);
}

static void add_case(const struct page *p, struct buf *out, const char *id)
{
	json_t *record =
	    id ? registry_get(archive_registry(app_of(p->x)->archive), "cases", id) : NULL;
	const char *number = json_text(record, "diaryNumber");

	add_cell(out, number ? number : id);
	json_decref(record);
}

static void add_row(const struct page *p, struct buf *out, const struct search_view_hit *hit)
{
	const json_t *fields = hit->card.fields;
	const char *language = i18n_language_name(p->language, hit->row.language);
	char date[I18N_SIZE], version[16];
	struct buf url = BUF_INIT;

	i18n_date(date, hit->row.date);
	snprintf(version, sizeof(version), "%u", hit->row.version);
	add_cell(out, json_text(fields, "title"));
	add_name(p, out, "types", hit->row.type);
	add_names(p, out, json_object_get(fields, "units"));
	add_cell(out, date);
	add_name(p, out, "orgs", json_text(fields, "author"));
	add_cell(out, say(p, publicity_said(hit->row.publicity)));
	add_cell(out, language ? language : hit->row.language);
	add_case(p, out, json_text(fields, "case"));
	add_cell(out, version);
	buf_addf(&url, "%s/%s/documents/%s", session_settings(app_of(p->x))->url,
	    i18n_code(p->language), hit->row.document);
	add_cell(out, url.data);
	buf_adds(out, "\r\n");
	buf_free(&url);
}

/* ---- page after page of what was found ---- */

static void go_on(struct exchange *x, struct table *t);

static void reply(struct exchange *x, struct table *t)
{
	http_reply_header(x, "Content-Disposition", "attachment; filename=\"arkki.csv\"");
	http_reply_header(x, "Cache-Control", "private, no-store");
	http_reply_buf(x, 200, "text/csv; charset=utf-8; header=present", &t->out);
	table_free(t);
}

static void take_page(struct exchange *x)
{
	struct search_view *s = search_found(x);
	struct page p = {.x = x, .caller = caller_of(x), .language = http_language(x)};
	struct table *t;

	if (!s)
		return;
	t = s->more; /* ours from here: the next search frees this view */
	s->more = NULL;
	s->more_free = NULL;
	page_language(x, &p.language);
	if (!t->rows)
		add_head(&p, &t->out);
	for (size_t i = 0; i < s->hits_len && t->rows < RESULTS_MAX; i++, t->rows++)
		add_row(&p, &t->out, &s->hits[i]);
	buf_clear(&t->cursor);
	if (s->next.len && s->hits_len && t->rows < RESULTS_MAX) {
		buf_adds(&t->cursor, s->next.data);
		go_on(x, t);
	} else {
		reply(x, t);
	}
}

static void go_on(struct exchange *x, struct table *t)
{
	struct search_asked asked;
	struct wanted w;

	wanted_read(x, &w);
	w.cursor = t->cursor.len ? t->cursor.data : NULL;
	if (w.from_wrong || w.to_wrong) {
		table_free(t);
		http_reply_problem(x, 400, "bad-date", NULL, NULL);
		return;
	}
	asked = wanted_asked(&w);
	asked.limit = ROWS_A_SEARCH;
	search_begin(x, &asked, t, table_free, take_page);
}

void page_results(struct exchange *x)
{
	struct table *t;

	if (!visit_stated_ok(x))
		return;
	t = calloc(1, sizeof(*t));
	if (t)
		go_on(x, t);
	else
		http_reply_problem(x, 503, "out-of-memory", NULL, NULL);
}
