/* Document types: what they are called, how many documents have them; entered and changed after a check. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/pages/administration.h"
#include "api/registers.h"
#include "arkki/archive/records.h"
#include "arkki/base/json.h"
#include "arkki/base/text.h"

enum { LANGUAGES = 3, LABEL_SIZE = 801 };
static const char *const languages[LANGUAGES] = {"fi", "sv", "en"};

/* ---- the list ---- */

static void write_type(struct page *p, const json_t *type)
{
	const json_t *name = json_object_get(type, "name");
	uint64_t n = (uint64_t)json_integer_value(json_object_get(type, "documents"));
	char count[I18N_SIZE];

	i18n_number(count, p->language, n);
	html_put(&p->h,
	    "<tr role=\"row\"><td role=\"cell\" data-label=\"$\"><a "
	    "href=\"/$/admin/types/$\"><code>$"
	    "</code></a></td>",
	    say(p, SAY_TYPE_CODE), i18n_code(p->language), json_text(type, "id"),
	    json_text(type, "id"));
	administration_cell(p, SAY_LANGUAGE_FI, json_text(name, "fi"));
	administration_cell(p, SAY_LANGUAGE_SV, json_text(name, "sv"));
	administration_cell(p, SAY_LANGUAGE_EN, json_text(name, "en"));
	administration_cell(p, SAY_TYPE_REGIONAL,
	    say(p, json_is_true(json_object_get(type, "regional")) ? SAY_YES : SAY_NO));
	administration_cell(p, SAY_TYPE_DOCUMENTS, count);
	administration_cell(
	    p, SAY_STATE, say(p, type_retired(type) ? SAY_TYPE_RETIRED : SAY_TYPE_GIVEN));
	html_raw(&p->h, "</tr>");
}

void page_admin_types(struct exchange *x)
{
	static const enum say heads[] = {SAY_TYPE_CODE, SAY_LANGUAGE_FI, SAY_LANGUAGE_SV,
	    SAY_LANGUAGE_EN, SAY_TYPE_REGIONAL, SAY_TYPE_DOCUMENTS, SAY_STATE};
	json_t *types = NULL;
	struct ark_error err;
	struct page p;

	if (!administration_permitted(x))
		return;
	if (types_counted(app_of(x), &types, &err)) {
		http_reply_error(x, &err);
		return;
	}
	administration_begin(&p, x, SAY_ADMIN_TYPES, "/admin/types", NULL);
	if (http_query(x, "saved"))
		html_put(&p.h, "<p class=\"note\" role=\"status\">$</p>", say(&p, SAY_TYPE_SAVED));
	html_put(&p.h, "<p>$</p><p><a href=\"/$/admin/new-type\">$</a></p>",
	    say(&p, SAY_TYPES_WHAT), i18n_code(p.language), say(&p, SAY_TYPE_NEW));
	administration_table(&p, heads, sizeof(heads) / sizeof(*heads));
	for (size_t i = 0; i < json_array_size(types); i++)
		write_type(&p, json_array_get(types, i));
	html_raw(&p.h, "</tbody></table>");
	page_end(&p, 200);
	json_decref(types);
}

/* ---- one ---- */

struct typed {
	char id[65], name[LANGUAGES][LABEL_SIZE], reason[1001];
	bool regional, retired, checked;
	uint32_t base;
};

static const char *const name_fields[LANGUAGES] = {"name-fi", "name-sv", "name-en"};
static const enum say name_missing[LANGUAGES] = {
    SAY_TYPE_FI_MISSING, SAY_TYPE_SV_MISSING, SAY_TYPE_EN_MISSING};

static void typed_of(const json_t *type, struct typed *t)
{
	for (size_t i = 0; i < LANGUAGES; i++) {
		const char *name = json_text(json_object_get(type, "name"), languages[i]);

		snprintf(t->name[i], LABEL_SIZE, "%s", name ? name : "");
	}
	snprintf(t->id, sizeof(t->id), "%s", json_text(type, "id"));
	t->regional = json_is_true(json_object_get(type, "regional"));
	t->retired = type_retired(type);
}

static void typed_read(struct exchange *x, const char *id, struct typed *t)
{
	const char *base = http_form(x, "base");

	*t = (struct typed){.regional = http_form(x, "regional") != NULL,
	    .retired = http_form(x, "retired") != NULL,
	    .base = base ? (uint32_t)strtoul(base, NULL, 10) : 0};
	if (id)
		snprintf(t->id, sizeof(t->id), "%s", id);
	else
		form_text(x, "id", t->id, sizeof(t->id));
	for (size_t i = 0; i < LANGUAGES; i++)
		form_text(x, name_fields[i], t->name[i], LABEL_SIZE);
	form_text(x, "reason", t->reason, sizeof(t->reason));
}

/* The caller's; NULL: no memory. What is not so is not written down, so that a type that was not changed is the same record. */
static json_t *typed_record(const struct typed *t)
{
	json_t *type = json_pack("{s:s,s:{s:s,s:s,s:s}}", "id", t->id, "name", "fi", t->name[0],
	    "sv", t->name[1], "en", t->name[2]);

	if (type && ((t->regional && json_object_set_new(type, "regional", json_true())) ||
			(t->retired && json_object_set_new(type, "retired", json_true())))) {
		json_decref(type);
		return NULL;
	}
	return type;
}

static void find_faults(
    struct exchange *x, const struct typed *t, const json_t *stands, struct faults *f)
{
	json_t *type = typed_record(t);
	struct register_fault fault = {0};

	if (!stands && !id_valid(t->id))
		fault_add(f, "id", form_said(x, SAY_TYPE_ID_WRONG));
	else if (!stands && registry_has(archive_registry(app_of(x)->archive), "types", t->id))
		fault_add(f, "id", form_said(x, SAY_TYPE_ID_TAKEN));
	for (size_t i = 0; i < LANGUAGES; i++)
		if (!*t->name[i])
			fault_add(f, name_fields[i], form_said(x, name_missing[i]));
	if (!f->n && type_check(type, &fault, NULL))
		fault_add(f, name_fields[0], form_said(x, SAY_TYPE_NAME_WRONG));
	if (!f->n && stands && json_equal(stands, type))
		fault_add(f, name_fields[0], form_said(x, SAY_TYPE_SAME));
	if (administration_applies(x) && !*t->reason)
		fault_add(f, "reason", form_said(x, SAY_CHANGE_REASON_WRONG));
	json_decref(type);
}

static uint64_t documents_of(struct exchange *x, const char *id)
{
	json_t *types = NULL, *type;
	uint64_t n = 0;
	size_t i;

	if (types_counted(app_of(x), &types, NULL))
		return 0;
	json_array_foreach(types, i, type)
	{
		if (strcmp(json_text(type, "id"), id) == 0)
			n = (uint64_t)json_integer_value(json_object_get(type, "documents"));
	}
	json_decref(types);
	return n;
}

/* What would change, in plain words. */
static void write_report(struct page *p, const struct typed *t, const json_t *stands)
{
	uint64_t n = documents_of(p->x, t->id);
	char count[I18N_SIZE];

	i18n_number(count, p->language, n);
	html_put(&p->h, "<section role=\"status\"><h2>$</h2><ul>", say(p, SAY_IMPACT));
	for (size_t i = 0; i < LANGUAGES; i++) {
		const char *was = json_text(json_object_get(stands, "name"), languages[i]);

		if (was && strcmp(was, t->name[i]) == 0)
			continue;
		html_put(&p->h, "<li>$: ", say(p, (enum say)(SAY_LANGUAGE_FI + (int)i)));
		if (was)
			page_say(p, SAY_TYPE_BECOMES, was, t->name[i]);
		else
			page_say(p, SAY_TYPE_IS_CALLED, t->name[i]);
		html_raw(&p->h, "</li>");
	}
	if (t->regional != json_is_true(json_object_get(stands, "regional")))
		html_put(&p->h, "<li>$</li>",
		    say(p, t->regional ? SAY_TYPE_REGIONAL_ON : SAY_TYPE_REGIONAL_OFF));
	if (t->retired != type_retired(stands))
		html_put(&p->h, "<li>$</li>",
		    say(p, t->retired ? SAY_TYPE_RETIRED_ON : SAY_TYPE_RETIRED_OFF));
	html_raw(&p->h, "<li>");
	page_say(p, i18n_plural(SAY_TYPE_TOUCHES, n), count);
	html_raw(&p->h, "</li></ul></section>");
}

static void write_name(struct page *p, size_t i, const struct typed *t, const struct faults *f)
{
	static const enum say labels[LANGUAGES] = {
	    SAY_TYPE_NAME_FI, SAY_TYPE_NAME_SV, SAY_TYPE_NAME_EN};
	const struct form_input in = {.name = name_fields[i],
	    .label = labels[i],
	    .help = SAY_COUNT,
	    .autocomplete = "off",
	    .value = t->name[i],
	    .maxlength = "200"};

	form_input(p, &in, f);
}

static void write_form(
    struct page *p, const struct typed *t, const json_t *stands, const struct faults *f)
{
	const struct form_input id = {.name = "id",
	    .label = SAY_TYPE_CODE,
	    .help = SAY_TYPE_ID_HELP,
	    .autocomplete = "off",
	    .value = t->id,
	    .maxlength = "64"};
	char base[16];

	snprintf(base, sizeof(base), "%u", t->base);
	html_put(&p->h, "<form class=\"stack\" method=\"post\" action=\"/$/admin/$$\" novalidate>",
	    i18n_code(p->language), stands ? "types/" : "new-type", stands ? t->id : "");
	html_put(&p->h, "<input type=\"hidden\" name=\"base\" value=\"$\">", base);
	page_form_field(p, "types");
	if (!stands)
		form_input(p, &id, f);
	for (size_t i = 0; i < LANGUAGES; i++)
		write_name(p, i, t, f);
	administration_choice(
	    p, "regional", SAY_TYPE_REGIONAL, SAY_TYPE_REGIONAL_HELP, t->regional);
	if (stands)
		administration_choice(
		    p, "retired", SAY_TYPE_RETIRE, SAY_TYPE_RETIRE_HELP, t->retired);
	administration_reason(p, t->reason, f);
	administration_acts(p, t->checked);
}

/* stands: NULL for a new one. */
static void show_type(
    struct exchange *x, const struct typed *t, const json_t *stands, const struct faults *f)
{
	json_t *versions = NULL;
	struct ark_error err;
	struct page p;

	if (stands && type_versions(app_of(x), json_text(stands, "id"), &versions, &err)) {
		http_reply_error(x, &err);
		return;
	}
	administration_begin(&p, x, stands ? SAY_TYPE_CHANGE : SAY_TYPE_NEW, "/admin/types", f);
	if (stands) {
		html_raw(&p.h, "<p>");
		page_name(&p, "types", json_text(stands, "id"));
		html_put(&p.h, " (<code>$</code>)</p>", json_text(stands, "id"));
	}
	html_put(&p.h, "<p>$</p>", say(&p, SAY_TYPE_CHANGE_WHAT));
	if (t->checked)
		write_report(&p, t, stands);
	write_form(&p, t, stands, f);
	administration_versions(&p, versions);
	page_end(&p, f && f->n ? 422 : 200);
	json_decref(versions);
}

void page_admin_type_new(struct exchange *x)
{
	const struct typed nothing = {0};

	if (administration_permitted(x))
		show_type(x, &nothing, NULL, NULL);
}

void page_admin_type(struct exchange *x)
{
	struct typed t = {0};
	struct ark_error err;
	json_t *stands;

	if (!administration_permitted(x))
		return;
	stands = registry_get(archive_registry(app_of(x)->archive), "types", http_param(x, 0));
	if (!stands) {
		http_reply_problem(x, 404, "not-found", NULL, NULL);
	} else if (records_number(
		       app_of(x)->archive, "types", json_text(stands, "id"), &t.base, &err)) {
		http_reply_error(x, &err);
	} else {
		typed_of(stands, &t);
		show_type(x, &t, stands, NULL);
	}
	json_decref(stands);
}

/* ---- what was sent ---- */

static void apply(struct exchange *x, const struct typed *t, const json_t *stands, struct faults *f)
{
	json_t *type = typed_record(t);
	uint32_t newest = 0;
	struct ark_error err;

	if (!type) {
		http_reply_problem(x, 503, "out-of-memory", NULL, NULL);
	} else if (records_number(app_of(x)->archive, "types", t->id, &newest, &err)) {
		http_reply_error(x, &err);
	} else if (newest != (stands ? t->base : 0)) {
		fault_add(f, stands ? "name-fi" : "id", form_said(x, SAY_RULES_MEANWHILE));
		show_type(x, t, stands, f);
	} else if (register_file(x, "types", type, newest, t->reason)) {
		form_go(x, "/admin/types?saved=1");
	}
	json_decref(type);
}

static void take(struct exchange *x, const char *id, const json_t *stands)
{
	struct faults f = {0};
	struct typed *t = calloc(1, sizeof(*t));

	if (!t) {
		http_reply_problem(x, 503, "out-of-memory", NULL, NULL);
		return;
	}
	typed_read(x, id, t);
	if (!page_form_sent(x, "types"))
		fault_add(&f, "name-fi", form_said(x, SAY_FORM_OLD));
	else
		find_faults(x, t, stands, &f);
	t->checked = !f.n;
	if (!f.n && administration_applies(x))
		apply(x, t, stands, &f);
	else
		show_type(x, t, stands, &f);
	free(t);
}

void page_admin_type_new_post(struct exchange *x)
{
	if (administration_permitted(x))
		take(x, NULL, NULL);
}

void page_admin_type_post(struct exchange *x)
{
	json_t *stands;

	if (!administration_permitted(x))
		return;
	pthread_mutex_lock(&app_of(x)->registers_lock);
	stands = registry_get(archive_registry(app_of(x)->archive), "types", http_param(x, 0));
	if (stands)
		take(x, json_text(stands, "id"), stands);
	else
		http_reply_problem(x, 404, "not-found", NULL, NULL);
	pthread_mutex_unlock(&app_of(x)->registers_lock);
	json_decref(stands);
}
