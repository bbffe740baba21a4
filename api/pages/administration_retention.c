/* How long documents are kept: the table in force in words, rule by rule, and its versions. */
#include <stdio.h>
#include <string.h>

#include "api/disposition_api.h"
#include "api/pages/administration.h"
#include "arkki/base/json.h"
#include "arkki/policies/shipped.h"

const char *const retention_froms[RETENTION_FROMS] = {
    "case-closed", "decided", "filed", "document-date"};
const char *const retention_thens[RETENTION_THENS] = {"review", "transfer", "destroy"};

const char *retention_from(const struct page *p, const char *from)
{
	static const enum say said[RETENTION_FROMS] = {
	    SAY_KEPT_FROM_CASE, SAY_KEPT_FROM_DECIDED, SAY_KEPT_FROM_FILED, SAY_KEPT_FROM_DATE};

	for (size_t i = 0; from && i < RETENTION_FROMS; i++)
		if (strcmp(retention_froms[i], from) == 0)
			return say(p, said[i]);
	return from;
}

const char *retention_then(const struct page *p, const char *then)
{
	static const enum say said[RETENTION_THENS] = {
	    SAY_KEPT_REVIEW, SAY_KEPT_TRANSFER, SAY_KEPT_DESTROY};

	for (size_t i = 0; then && i < RETENTION_THENS; i++)
		if (strcmp(retention_thens[i], then) == 0)
			return say(p, said[i]);
	return then;
}

void retention_say_years(struct page *p, const json_t *row)
{
	uint64_t years = (uint64_t)json_integer_value(json_object_get(row, "years"));
	char count[I18N_SIZE];

	i18n_number(count, p->language, years);
	if (years)
		page_say(p, i18n_plural(SAY_KEPT_N_YEARS, years), count);
	else
		html_text(&p->h, say(p, SAY_KEPT_AT_ONCE));
}

void retention_subject_add(const struct page *p, struct buf *out, const json_t *row)
{
	const char *type = json_text(row, "type"), *org = json_text(row, "org");

	if (type && strcmp(type, "*") != 0)
		name_add(p, out, "types", type);
	else
		buf_adds(out, say(p, SAY_KEPT_OTHERS));
	if (org && strcmp(org, "*") != 0) {
		buf_adds(out, ", ");
		name_add(p, out, "orgs", org);
	}
}

/* Archives that are older than notes in three languages have the shipped ones in English. */
static json_t *shipped_note(const char *english)
{
	json_t *rows = json_loads(shipped_retention(), 0, NULL), *row, *found = NULL;
	size_t i;

	json_array_foreach(rows, i, row)
	{
		json_t *note = json_object_get(row, "note");
		const char *text = json_text(note, "en");

		if (text && !found && strncmp(text, english, 25) == 0)
			found = json_incref(note);
	}
	json_decref(rows);
	return found;
}

void retention_say_note(struct page *p, const json_t *row)
{
	json_t *note = json_object_get(row, "note"), *shipped = NULL, *named;
	const char *language = NULL, *text = json_string_value(note);

	if (text)
		shipped = shipped_note(text);
	named = json_pack("{s:O*}", "name", shipped ? shipped : note);
	text = i18n_name(p->language, named, &language);
	if (text) {
		html_raw(&p->h, "<span");
		page_lang(p, language);
		html_put(&p->h, ">$</span>", text);
	}
	json_decref(named);
	json_decref(shipped);
}

/* ---- the table ---- */

static void write_words(struct page *p, const json_t *row)
{
	const char *ground = json_text(row, "ground");
	bool note = json_object_get(row, "note") != NULL;

	html_put(&p->h, "<td role=\"cell\" data-label=\"$\">", say(p, SAY_KEPT_GROUND));
	if (ground)
		html_put(&p->h, "<span dir=\"auto\">$</span>", ground);
	if (ground && note)
		html_raw(&p->h, "<br>");
	if (note)
		retention_say_note(p, row);
	if (!ground && !note)
		html_raw(&p->h, "–");
	html_raw(&p->h, "</td>");
	administration_cell(p, SAY_KEPT_LAWYER,
	    say(p,
		json_is_true(json_object_get(row, "confirmed")) ? SAY_CONFIRMED : SAY_UNCONFIRMED));
}

static void write_row(struct page *p, const json_t *row, const json_t *counts)
{
	uint64_t n = (uint64_t)json_integer_value(json_object_get(counts, json_text(row, "id")));
	struct buf name = BUF_INIT;
	char count[I18N_SIZE];

	i18n_number(count, p->language, n);
	retention_subject_add(p, &name, row);
	html_put(&p->h,
	    "<tr role=\"row\"><td role=\"cell\" data-label=\"$\"><a href=\"/$/admin/retention/$\" "
	    "dir=\"auto\">$</a></td><td role=\"cell\" data-label=\"$\">",
	    say(p, SAY_TYPE), i18n_code(p->language), json_text(row, "id"), name.data,
	    say(p, SAY_KEPT_YEARS));
	retention_say_years(p, row);
	html_raw(&p->h, "</td>");
	administration_cell(p, SAY_KEPT_FROM, retention_from(p, json_text(row, "from")));
	administration_cell(p, SAY_KEPT_THEN, retention_then(p, json_text(row, "then")));
	write_words(p, row);
	administration_cell(p, SAY_TYPE_DOCUMENTS, count);
	html_raw(&p->h, "</tr>");
	buf_free(&name);
}

static void write_page(
    struct exchange *x, const json_t *rows, const json_t *counts, const json_t *versions)
{
	static const enum say heads[] = {SAY_TYPE, SAY_KEPT_YEARS, SAY_KEPT_FROM, SAY_KEPT_THEN,
	    SAY_KEPT_GROUND, SAY_KEPT_LAWYER, SAY_TYPE_DOCUMENTS};
	struct page p;

	administration_begin(&p, x, SAY_ADMIN_RETENTION, "/admin/retention", NULL);
	if (http_query(x, "saved"))
		html_put(&p.h, "<p class=\"note\" role=\"status\">$</p>", say(&p, SAY_KEPT_SAVED));
	html_put(&p.h, "<p>$</p><p><a href=\"/$/admin/new-rule\">$</a></p>", say(&p, SAY_KEPT_WHAT),
	    i18n_code(p.language), say(&p, SAY_RULE_NEW));
	administration_table(&p, heads, sizeof(heads) / sizeof(*heads));
	for (size_t i = 0; i < json_array_size(rows); i++)
		write_row(&p, json_array_get(rows, i), counts);
	html_raw(&p.h, "</tbody></table>");
	administration_versions(&p, versions);
	page_end(&p, 200);
}

void page_admin_retention(struct exchange *x)
{
	json_t *rows = NULL, *counts = NULL, *versions = NULL;
	struct ark_error err;
	int rc;

	if (!administration_permitted(x))
		return;
	rc = retention_rows(archive_registry(app_of(x)->archive), &rows, &err);
	if (!rc)
		rc = retention_counts(app_of(x), rows, &counts, &err);
	if (!rc)
		rc = retention_versions(app_of(x), &versions, &err);
	if (rc)
		http_reply_error(x, &err);
	else
		write_page(x, rows, counts, versions);
	json_decref(versions);
	json_decref(counts);
	json_decref(rows);
}
