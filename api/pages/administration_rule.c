/* One rule of the retention table: entered, changed or taken away, after a check that says what it would do to the documents. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/disposition_api.h"
#include "api/pages/administration.h"
#include "arkki/archive/records.h"
#include "arkki/base/json.h"
#include "arkki/base/text.h"

enum { LANGUAGES = 3, WORDS_SIZE = 4001 };
static const char *const languages[LANGUAGES] = {"fi", "sv", "en"};
static const char *const note_fields[LANGUAGES] = {"note-fi", "note-sv", "note-en"};

struct typed {
	char id[65], type[65], org[65], years[8], from[20], then[20], reason[1001];
	char ground[WORDS_SIZE], note[LANGUAGES][WORDS_SIZE];
	bool confirmed, remove, checked;
	uint32_t base;
};

/* ---- what stands ---- */

static void typed_of(const json_t *row, struct typed *t)
{
	const char *org = json_text(row, "org"), *ground = json_text(row, "ground");
	const json_t *note = json_object_get(row, "note");

	snprintf(t->id, sizeof(t->id), "%s", json_text(row, "id"));
	snprintf(t->type, sizeof(t->type), "%s", json_text(row, "type"));
	snprintf(t->org, sizeof(t->org), "%s", org && strcmp(org, "*") != 0 ? org : "");
	snprintf(t->years, sizeof(t->years), "%d",
	    (int)json_integer_value(json_object_get(row, "years")));
	snprintf(t->from, sizeof(t->from), "%s", json_text(row, "from"));
	snprintf(t->then, sizeof(t->then), "%s", json_text(row, "then"));
	snprintf(t->ground, WORDS_SIZE, "%s", ground ? ground : "");
	for (size_t i = 0; i < LANGUAGES; i++) {
		const char *text =
		    json_is_string(note) ? json_string_value(note) : json_text(note, languages[i]);

		snprintf(t->note[i], WORDS_SIZE, "%s", text ? text : "");
	}
	t->confirmed = json_is_true(json_object_get(row, "confirmed"));
}

static json_t *row_find(const json_t *rows, const char *id, size_t *ret_at)
{
	for (size_t i = 0; id && i < json_array_size(rows); i++) {
		json_t *row = json_array_get(rows, i);

		if (strcmp(json_text(row, "id"), id) == 0) {
			*ret_at = i;
			return row;
		}
	}
	return NULL;
}

/* ---- what was typed ---- */

static void typed_read(struct exchange *x, const json_t *stands, struct typed *t)
{
	const char *base = http_form(x, "base");

	*t = (struct typed){.confirmed = http_form(x, "confirmed") != NULL,
	    .remove = stands && http_form(x, "remove") != NULL,
	    .base = base ? (uint32_t)strtoul(base, NULL, 10) : 0};
	snprintf(t->id, sizeof(t->id), "%s", stands ? json_text(stands, "id") : "");
	form_text(x, "type", t->type, sizeof(t->type));
	form_text(x, "org", t->org, sizeof(t->org));
	form_text(x, "years", t->years, sizeof(t->years));
	form_text(x, "from", t->from, sizeof(t->from));
	form_text(x, "then", t->then, sizeof(t->then));
	form_text(x, "ground", t->ground, WORDS_SIZE);
	for (size_t i = 0; i < LANGUAGES; i++)
		form_text(x, note_fields[i], t->note[i], WORDS_SIZE);
	form_text(x, "reason", t->reason, sizeof(t->reason));
}

/* A name for a new row that no other has: of what it speaks of. */
static void new_id(const json_t *rows, struct typed *t)
{
	const char *type = strcmp(t->type, "*") == 0 ? "default" : t->type;
	size_t at;

	snprintf(t->id, sizeof(t->id), "%.40s%s%.20s", type, *t->org ? "-" : "", t->org);
	for (unsigned int n = 2; row_find(rows, t->id, &at); n++)
		snprintf(t->id, sizeof(t->id), "%.40s-%u", type, n);
}

static json_t *typed_row(const struct typed *t)
{
	json_t *row = json_pack("{s:s,s:s,s:s*,s:i,s:s,s:s,s:s*}", "id", t->id, "type", t->type,
	    "org", *t->org ? t->org : NULL, "years", (int)strtol(t->years, NULL, 10), "from",
	    t->from, "then", t->then, "ground", *t->ground ? t->ground : NULL);

	if (row && *t->note[0])
		json_object_set_new(row, "note",
		    json_pack(
			"{s:s,s:s,s:s}", "fi", t->note[0], "sv", t->note[1], "en", t->note[2]));
	if (row && t->confirmed)
		json_object_set_new(row, "confirmed", json_true());
	return row;
}

/* A fresh table with the change in it; NULL: no memory. */
static json_t *changed_rows(const json_t *rows, const struct typed *t, bool is_new)
{
	json_t *out = json_copy((json_t *)(uintptr_t)rows), *row = typed_row(t);
	size_t at = 0;
	int failed = !out || !row;

	if (!failed && is_new)
		failed = json_array_append(out, row);
	else if (!failed && !row_find(rows, t->id, &at))
		failed = 1;
	else if (!failed)
		failed = t->remove ? json_array_remove(out, at) : json_array_set(out, at, row);
	json_decref(row);
	if (!failed)
		return out;
	json_decref(out);
	return NULL;
}

static bool one_of(const char *text, const char *const *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(list[i], text) == 0)
			return true;
	return false;
}

static bool years_ok(const char *text)
{
	size_t n = strspn(text, "0123456789");

	return n >= 1 && n <= 3 && !text[n] && strtol(text, NULL, 10) <= RETENTION_YEARS_MAX;
}

/* Does another row speak of the same documents? */
static bool has_twin(const json_t *rows, const struct typed *t)
{
	for (size_t i = 0; i < json_array_size(rows); i++) {
		const json_t *row = json_array_get(rows, i);
		const char *org = json_text(row, "org");

		if (!org || strcmp(org, "*") == 0)
			org = "";
		if (strcmp(json_text(row, "id"), t->id) != 0 &&
		    strcmp(json_text(row, "type"), t->type) == 0 && strcmp(org, t->org) == 0)
			return true;
	}
	return false;
}

static void find_word_faults(struct exchange *x, const struct typed *t, struct faults *f)
{
	bool any = *t->note[0] || *t->note[1] || *t->note[2];

	for (size_t i = 0; i < LANGUAGES; i++)
		if (any && !*t->note[i])
			fault_add(f, note_fields[i], form_said(x, SAY_RULE_NOTE_MISSING));
}

static void find_faults(
    struct exchange *x, const struct typed *t, const json_t *rows, struct faults *f)
{
	struct registry *r = archive_registry(app_of(x)->archive);

	if (administration_applies(x) && !*t->reason)
		fault_add(f, "reason", form_said(x, SAY_CHANGE_REASON_WRONG));
	if (t->remove)
		return;
	if (strcmp(t->type, "*") != 0 && !registry_has(r, "types", t->type))
		fault_add(f, "type", form_said(x, SAY_RULE_TYPE_WRONG));
	else if (*t->org && !registry_has(r, "orgs", t->org))
		fault_add(f, "org", form_said(x, SAY_RULE_ORG_WRONG));
	else if (has_twin(rows, t))
		fault_add(f, "type", form_said(x, SAY_RULE_TWIN));
	if (!years_ok(t->years))
		fault_add(f, "years", form_said(x, SAY_RULE_YEARS_WRONG));
	if (!one_of(t->from, retention_froms, RETENTION_FROMS))
		fault_add(f, "from", form_said(x, SAY_RULE_CHOOSE));
	if (!one_of(t->then, retention_thens, RETENTION_THENS))
		fault_add(f, "then", form_said(x, SAY_RULE_CHOOSE));
	find_word_faults(x, t, f);
}

/* ---- what it would do ---- */

static void write_sentence(struct page *p, const json_t *row)
{
	struct buf name = BUF_INIT;

	retention_subject_add(p, &name, row);
	html_put(&p->h, "<span dir=\"auto\">$</span>: ", name.data);
	retention_say_years(p, row);
	html_put(&p->h, " (<span>$ $</span>), $ $", say(p, SAY_KEPT_COUNTED),
	    retention_from(p, json_text(row, "from")), say(p, SAY_KEPT_THEN_LOWER),
	    retention_then(p, json_text(row, "then")));
	buf_free(&name);
}

static void write_line(struct page *p, enum say said, const json_t *row)
{
	html_put(&p->h, "<li><strong>$</strong> ", say(p, said));
	write_sentence(p, row);
	html_raw(&p->h, "</li>");
}

static void write_count(struct page *p, enum say said, uint64_t n)
{
	char count[I18N_SIZE];

	if (!n)
		return;
	i18n_number(count, p->language, n);
	html_raw(&p->h, "<li>");
	page_say(p, i18n_plural(said, n), count);
	html_raw(&p->h, "</li>");
}

static void write_report(
    struct page *p, const struct typed *t, const json_t *stands, const struct retention_impact *i)
{
	json_t *row = typed_row(t);

	html_put(&p->h, "<section role=\"status\"><h2>$</h2><ul>", say(p, SAY_IMPACT));
	if (stands)
		write_line(p, t->remove ? SAY_RULE_REMOVED : SAY_RULE_WAS, stands);
	if (!t->remove)
		write_line(p, SAY_RULE_IS, row);
	write_count(p, SAY_RULE_SHORTER, i->shorter);
	write_count(p, SAY_RULE_LONGER, i->longer);
	write_count(p, SAY_RULE_OTHERWISE, i->otherwise);
	write_count(p, SAY_RULE_NO_ROW, i->none);
	if (!i->shorter && !i->longer && !i->otherwise && !i->none)
		html_put(&p->h, "<li>$</li>", say(p, SAY_RULE_NOTHING));
	html_put(&p->h, "</ul><p>$</p></section>", say(p, SAY_RULE_NOT_DESTROYED));
	json_decref(row);
}

/* ---- the form ---- */

static void write_codes(struct page *p, const char *const *codes, size_t n,
    const char *(*said)(const struct page *p, const char *code), const char *chosen)
{
	administration_option(p, "", say(p, SAY_FILING_CHOOSE), chosen);
	for (size_t i = 0; i < n; i++)
		administration_option(p, codes[i], said(p, codes[i]), chosen);
	html_raw(&p->h, "</select></div>");
}

static void write_text(struct page *p, const char *name, enum say label, enum say help,
    const char *value, const char *most, const struct faults *f)
{
	const struct form_input in = {.name = name,
	    .label = label,
	    .help = help,
	    .autocomplete = "off",
	    .value = value,
	    .maxlength = most};

	form_input(p, &in, f);
}

static void write_fields(struct page *p, const struct typed *t, const struct faults *f)
{
	static const enum say notes[LANGUAGES] = {
	    SAY_RULE_NOTE_FI, SAY_RULE_NOTE_SV, SAY_RULE_NOTE_EN};

	administration_select(p, "type", SAY_TYPE, SAY_RULE_TYPE_HELP, f);
	administration_option(p, "*", say(p, SAY_KEPT_OTHERS), t->type);
	administration_records(p, "types", t->type);
	administration_select(p, "org", SAY_RULE_ORG, SAY_RULE_ORG_HELP, f);
	administration_option(p, "", say(p, SAY_RULE_ORG_ANY), t->org);
	administration_records(p, "orgs", t->org);
	write_text(p, "years", SAY_RULE_YEARS, SAY_RULE_YEARS_HELP, t->years, "3", f);
	administration_select(p, "from", SAY_KEPT_FROM, SAY_RULE_FROM_HELP, f);
	write_codes(p, retention_froms, RETENTION_FROMS, retention_from, t->from);
	administration_select(p, "then", SAY_KEPT_THEN, SAY_RULE_THEN_HELP, f);
	write_codes(p, retention_thens, RETENTION_THENS, retention_then, t->then);
	write_text(p, "ground", SAY_RULE_GROUND, SAY_RULE_GROUND_HELP, t->ground, "1000", f);
	for (size_t i = 0; i < LANGUAGES; i++)
		write_text(p, note_fields[i], notes[i], SAY_RULE_NOTE_HELP, t->note[i], "1000", f);
	administration_choice(
	    p, "confirmed", SAY_RULE_CONFIRMED, SAY_RULE_CONFIRMED_HELP, t->confirmed);
}

static void show_rule(struct exchange *x, const struct typed *t, const json_t *stands,
    const struct retention_impact *impact, const struct faults *f)
{
	char base[16];
	struct page p;

	snprintf(base, sizeof(base), "%u", t->base);
	administration_begin(&p, x, stands ? SAY_RULE_CHANGE : SAY_RULE_NEW, "/admin/retention", f);
	html_put(&p.h, "<p>$</p>", say(&p, SAY_RULE_CHANGE_WHAT));
	if (impact)
		write_report(&p, t, stands, impact);
	html_put(&p.h, "<form class=\"stack\" method=\"post\" action=\"/$/admin/$$\" novalidate>",
	    i18n_code(p.language), stands ? "retention/" : "new-rule",
	    stands ? json_text(stands, "id") : "");
	html_put(&p.h, "<input type=\"hidden\" name=\"base\" value=\"$\">", base);
	page_form_field(&p, "retention");
	write_fields(&p, t, f);
	if (stands)
		administration_choice(
		    &p, "remove", SAY_RULE_REMOVE, SAY_RULE_REMOVE_HELP, t->remove);
	administration_reason(&p, t->reason, f);
	administration_acts(&p, t->checked);
	page_end(&p, f && f->n ? 422 : 200);
}

/* ---- routes ---- */

/* The rows in force and their number. False: replied. */
static bool read_table(struct exchange *x, json_t **ret_rows, uint32_t *ret_base)
{
	struct archive *a = app_of(x)->archive;
	struct ark_error err;
	/* the number first: a table that comes in between is told by it */
	int rc = records_number(a, "retention", RETENTION_TABLE, ret_base, &err);

	if (!rc)
		rc = retention_rows(archive_registry(a), ret_rows, &err);
	if (rc)
		http_reply_error(x, &err);
	return !rc;
}

static void begin_rule(struct exchange *x, const char *id)
{
	struct typed *t = calloc(1, sizeof(*t));
	const json_t *stands;
	json_t *rows = NULL;
	size_t at;

	if (!t) {
		http_reply_problem(x, 503, "out-of-memory", NULL, NULL);
		return;
	}
	if (read_table(x, &rows, &t->base)) {
		stands = row_find(rows, id, &at);
		if (stands)
			typed_of(stands, t);
		if (id && !stands)
			http_reply_problem(x, 404, "not-found", NULL, NULL);
		else
			show_rule(x, t, stands, NULL, NULL);
	}
	json_decref(rows);
	free(t);
}

void page_admin_rule_new(struct exchange *x)
{
	if (administration_permitted(x))
		begin_rule(x, NULL);
}

void page_admin_rule(struct exchange *x)
{
	if (administration_permitted(x))
		begin_rule(x, http_param(x, 0));
}

/* Shows what it would do, or does it. */
static void consider(struct exchange *x, struct typed *t, const json_t *rows, const json_t *stands)
{
	json_t *changed = changed_rows(rows, t, !stands);
	struct retention_impact impact;
	struct faults f = {0};
	struct ark_error err;
	int rc = changed ? retention_check(changed, &err)
			 : ark_fail(&err, ARK_ENOMEM, "no memory for a table");

	if (!rc)
		rc = administration_applies(x)
			 ? retention_file(x, changed, t->reason, t->base, &err)
			 : retention_impact(app_of(x), changed, &impact, &err);
	t->checked = !rc;
	if (rc == ARK_ECONFLICT)
		fault_add(&f, "type", form_said(x, SAY_RULES_MEANWHILE));
	else if (rc == ARK_EINPUT)
		fault_add(&f, "type", form_said(x, t->remove ? SAY_RULE_LAST : SAY_RULE_WRONG));
	if (f.n)
		show_rule(x, t, stands, NULL, &f);
	else if (rc)
		http_reply_error(x, &err);
	else if (administration_applies(x))
		form_go(x, "/admin/retention?saved=1");
	else
		show_rule(x, t, stands, &impact, NULL);
	json_decref(changed);
}

/* id: of the row; NULL: a new one. */
static void take(
    struct exchange *x, struct typed *t, const char *id, const json_t *rows, uint32_t number)
{
	const json_t *stands;
	struct faults f = {0};
	size_t at;

	stands = row_find(rows, id, &at);
	if (id && !stands) {
		http_reply_problem(x, 404, "not-found", NULL, NULL);
		return;
	}
	typed_read(x, stands, t);
	if (!stands)
		new_id(rows, t);
	if (!page_form_sent(x, "retention"))
		fault_add(&f, "type", form_said(x, SAY_FORM_OLD));
	else if (t->base != number)
		fault_add(&f, "type", form_said(x, SAY_RULES_MEANWHILE));
	else
		find_faults(x, t, rows, &f);
	if (f.n)
		show_rule(x, t, stands, NULL, &f);
	else
		consider(x, t, rows, stands);
}

static void take_post(struct exchange *x, const char *id)
{
	struct typed *t;
	json_t *rows = NULL;
	uint32_t number = 0;

	t = calloc(1, sizeof(*t));
	if (!t)
		http_reply_problem(x, 503, "out-of-memory", NULL, NULL);
	else if (read_table(x, &rows, &number))
		take(x, t, id, rows, number);
	json_decref(rows);
	free(t);
}

void page_admin_rule_new_post(struct exchange *x)
{
	if (administration_permitted(x))
		take_post(x, NULL);
}

void page_admin_rule_post(struct exchange *x)
{
	if (administration_permitted(x))
		take_post(x, http_param(x, 0));
}
