/* Tables that are data: document types, and how long they are kept. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/disposition_api.h"
#include "api/pages/administration.h"
#include "arkki/archive/records.h"
#include "arkki/base/json.h"

enum { ROW_NAME = 64 };

static void table_begin(struct page *p, const enum say *heads, size_t n)
{
	html_raw(&p->h, "<table class=\"entries named\" role=\"table\"><thead "
			"role=\"rowgroup\"><tr role=\"row\">");
	for (size_t i = 0; i < n; i++)
		html_put(&p->h, "<th role=\"columnheader\" scope=\"col\">$</th>", say(p, heads[i]));
	html_raw(&p->h, "</tr></thead><tbody role=\"rowgroup\">");
}

static void cell(struct page *p, enum say label, const char *value)
{
	html_put(&p->h, "<td role=\"cell\" data-label=\"$\"><span dir=\"auto\">$</span></td>",
	    say(p, label), value && *value ? value : "–");
}

/* ---- types ---- */

void page_admin_types(struct exchange *x)
{
	static const enum say heads[] = {
	    SAY_TYPE_CODE, SAY_LANGUAGE_FI, SAY_LANGUAGE_SV, SAY_LANGUAGE_EN, SAY_TYPE_REGIONAL};
	json_t *types, *type;
	struct page p;
	size_t i;

	if (!administration_permitted(x))
		return;
	types = registry_all(archive_registry(app_of(x)->archive), "types");
	administration_begin(&p, x, SAY_ADMIN_TYPES, "/admin/types", NULL);
	html_put(&p.h, "<p>$ <code>arkki load</code></p>", say(&p, SAY_TYPES_WHAT));
	table_begin(&p, heads, sizeof(heads) / sizeof(*heads));
	json_array_foreach(types, i, type)
	{
		const json_t *name = json_object_get(type, "name");
		bool regional = json_is_true(json_object_get(type, "regional"));

		html_put(&p.h,
		    "<tr role=\"row\"><td role=\"cell\" data-label=\"$\"><code>$</code></td>",
		    say(&p, SAY_TYPE_CODE), json_text(type, "id"));
		cell(&p, SAY_LANGUAGE_FI, json_text(name, "fi"));
		cell(&p, SAY_LANGUAGE_SV, json_text(name, "sv"));
		cell(&p, SAY_LANGUAGE_EN, json_text(name, "en"));
		cell(&p, SAY_TYPE_REGIONAL, say(&p, regional ? SAY_YES : SAY_NO));
		html_raw(&p.h, "</tr>");
	}
	html_raw(&p.h, "</tbody></table>");
	page_end(&p, 200);
	json_decref(types);
}

/* ---- retention ---- */

static enum say from_said(const char *from)
{
	static const struct {
		const char *from;
		enum say said;
	} words[] = {{"case-closed", SAY_KEPT_FROM_CASE}, {"filed", SAY_KEPT_FROM_FILED},
	    {"document-date", SAY_KEPT_FROM_DATE}, {"decided", SAY_KEPT_FROM_DECIDED}};

	for (size_t i = 0; from && i < sizeof(words) / sizeof(*words); i++)
		if (strcmp(words[i].from, from) == 0)
			return words[i].said;
	return SAY_COUNT;
}

static enum say then_said(const char *then)
{
	if (then && strcmp(then, "review") == 0)
		return SAY_KEPT_REVIEW;
	if (then && strcmp(then, "transfer") == 0)
		return SAY_KEPT_TRANSFER;
	return then && strcmp(then, "destroy") == 0 ? SAY_KEPT_DESTROY : SAY_COUNT;
}

static void write_row(struct page *p, const json_t *row)
{
	const char *type = json_text(row, "type"), *from = json_text(row, "from"),
		   *then = json_text(row, "then");
	json_int_t years = json_integer_value(json_object_get(row, "years"));
	enum say from_word = from_said(from), then_word = then_said(then);
	struct buf name = BUF_INIT;
	char count[I18N_SIZE];

	if (type && strcmp(type, "*") == 0)
		buf_adds(&name, say(p, SAY_KEPT_OTHERS));
	else if (type)
		name_add(p, &name, "types", type);
	html_raw(&p->h, "<tr role=\"row\">");
	cell(p, SAY_TYPE, name.data);
	html_put(&p->h, "<td role=\"cell\" data-label=\"$\">", say(p, SAY_KEPT_YEARS));
	i18n_number(count, p->language, (uint64_t)years);
	if (years)
		page_say(p, i18n_plural(SAY_KEPT_N_YEARS, (uint64_t)years), count);
	else
		html_text(&p->h, say(p, SAY_KEPT_ALWAYS));
	html_raw(&p->h, "</td>");
	cell(p, SAY_KEPT_FROM, from_word == SAY_COUNT ? from : say(p, from_word));
	cell(p, SAY_KEPT_THEN, then_word == SAY_COUNT ? then : say(p, then_word));
	cell(p, SAY_KEPT_NOTE, json_text(row, "note"));
	html_raw(&p->h, "</tr>");
	buf_free(&name);
}

/* One row a line, as the table is kept. */
static void rows_text(const json_t *rows, struct buf *out)
{
	for (size_t i = 0; i < json_array_size(rows); i++) {
		char *line = json_dumps(json_array_get(rows, i), JSON_COMPACT);

		buf_adds(out, line ? line : "");
		buf_addc(out, '\n');
		free(line);
	}
}

/* ARK_EINPUT names the line. */
static int read_rows(const char *text, json_t **ret, struct ark_error *err)
{
	json_t *rows = json_array();
	unsigned int n = 0;
	int rc = rows ? ARK_OK : ark_fail(err, ARK_ENOMEM, "no memory for a table");

	while (!rc && text && *text) {
		size_t len = strcspn(text, "\n"), used = len;
		json_t *row = NULL;
		struct ark_error why;

		n++;
		while (used && strchr(" \t\r", text[used - 1]))
			used--;
		if (used && json_read(text, used, &row, &why))
			rc = ark_fail(err, ARK_EINPUT, "line %u: %s", n, why.text);
		else if (used && json_array_append_new(rows, row))
			rc = ark_fail(err, ARK_ENOMEM, "no memory for a table");
		text += len + (text[len] == '\n');
	}
	if (rc)
		json_decref(rows);
	else
		*ret = rows;
	return rc;
}

struct editing {
	const char *text, *reason, *detail; /* detail: what is wrong, in English */
	uint32_t base;
};

static void write_form(struct page *p, const struct editing *e, const struct faults *f)
{
	const struct form_input reason = {.name = "reason",
	    .label = SAY_REASON,
	    .help = SAY_CHANGE_REASON_HELP,
	    .autocomplete = "off",
	    .value = e->reason,
	    .maxlength = "1000"};
	char base[16];

	snprintf(base, sizeof(base), "%u", e->base);
	html_put(&p->h,
	    "<h2>$</h2><form class=\"stack\" method=\"post\" action=\"/$/admin/retention\" "
	    "novalidate><input type=\"hidden\" name=\"base\" value=\"$\">",
	    say(p, SAY_KEPT_CHANGE), i18n_code(p->language), base);
	page_form_field(p, "retention");
	if (e->detail)
		html_put(&p->h, "<p class=\"wrong\" lang=\"en\" dir=\"auto\">$</p>", e->detail);
	administration_lines(p, "rows", SAY_KEPT_ROWS, SAY_KEPT_ROWS_HELP, "12", e->text, f);
	form_input(p, &reason, f);
	html_put(&p->h, "<div><button>$</button></div></form>", say(p, SAY_KEPT_SAVE));
}

static void show_retention(struct exchange *x, const struct editing *typed, const struct faults *f)
{
	static const enum say heads[] = {
	    SAY_TYPE, SAY_KEPT_YEARS, SAY_KEPT_FROM, SAY_KEPT_THEN, SAY_KEPT_NOTE};
	struct archive *a = app_of(x)->archive;
	struct editing e = typed ? *typed : (struct editing){0};
	struct buf text = BUF_INIT;
	struct ark_error err;
	json_t *rows = NULL;
	struct page p;
	int rc = retention_rows(archive_registry(a), &rows, &err);

	if (!rc && !typed)
		rc = records_number(a, "retention", RETENTION_TABLE, &e.base, &err);
	if (rc) {
		http_reply_error(x, &err);
		json_decref(rows);
		return;
	}
	rows_text(rows, &text);
	if (!typed)
		e.text = text.data;
	administration_begin(&p, x, SAY_ADMIN_RETENTION, "/admin/retention", f);
	if (http_query(x, "saved"))
		html_put(&p.h, "<p class=\"note\" role=\"status\">$</p>", say(&p, SAY_KEPT_SAVED));
	html_put(&p.h, "<p>$</p>", say(&p, SAY_KEPT_WHAT));
	table_begin(&p, heads, sizeof(heads) / sizeof(*heads));
	for (size_t i = 0; i < json_array_size(rows); i++)
		write_row(&p, json_array_get(rows, i));
	html_raw(&p.h, "</tbody></table>");
	write_form(&p, &e, f);
	page_end(&p, f && f->n ? 422 : 200);
	buf_free(&text);
	json_decref(rows);
}

void page_admin_retention(struct exchange *x)
{
	if (administration_permitted(x))
		show_retention(x, NULL, NULL);
}

void page_admin_retention_post(struct exchange *x)
{
	const char *base = http_form(x, "base");
	struct editing e = {.text = http_form(x, "rows"),
	    .reason = http_form(x, "reason"),
	    .base = base ? (uint32_t)strtoul(base, NULL, 10) : 0};
	struct ark_error err = {0};
	struct faults f = {0};
	char reason[1001];
	json_t *rows = NULL;
	int rc = ARK_OK;

	if (!administration_permitted(x))
		return;
	form_text(x, "reason", reason, sizeof(reason));
	if (!page_form_sent(x, "retention"))
		fault_add(&f, "rows", form_said(x, SAY_FORM_OLD));
	else if (!*reason)
		fault_add(&f, "reason", form_said(x, SAY_CHANGE_REASON_WRONG));
	if (!f.n)
		rc = read_rows(e.text, &rows, &err);
	if (!f.n && !rc)
		rc = retention_file(x, rows, reason, e.base, &err);
	json_decref(rows);
	if (rc == ARK_EINPUT) {
		e.detail = err.text;
		fault_add(&f, "rows", form_said(x, SAY_KEPT_WRONG));
	} else if (rc == ARK_ECONFLICT) {
		fault_add(&f, "rows", form_said(x, SAY_RULES_MEANWHILE));
	}
	if (f.n)
		show_retention(x, &e, &f);
	else if (rc)
		http_reply_error(x, &err);
	else
		form_go(x, "/admin/retention?saved=1");
}
