/* The fields of a filing, with what the file's own text proposes for them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/handlers.h"
#include "api/pages/document.h"
#include "api/pages/filing.h"
#include "arkki/archive/registers.h"
#include "arkki/base/json.h"
#include "arkki/base/text.h"

static const struct {
	const char *code, *said[I18N_LANGUAGES];
} grounds[] = {
#define GROUND(code, fi, sv, en) {code, {fi, sv, en}},
#include "api/pages/filing_grounds.def"
#undef GROUND
};

/* ---- proposals ---- */

static bool untouched(const struct sheet *s)
{
	return !json_is_true(json_object_get(s->u.draft, "submitted"));
}

const json_t *draft_proposal(const json_t *draft, const char *field, unsigned int n)
{
	const json_t *one;
	size_t i;

	json_array_foreach(json_object_get(draft, "proposals"), i, one)
	{
		const char *of = json_text(one, "field");

		if (of && strcmp(of, field) == 0 && n-- == 0)
			return one;
	}
	return NULL;
}

/* A case is proposed by its number, as a person knows it. */
static const char *proposed_name(const char *field)
{
	return strcmp(field, "case") == 0 ? "diaryNumber" : field;
}

void draft_as_typed(const char *field, const char *value, char out[I18N_SIZE])
{
	out[0] = '\0';
	if (strcmp(field, "date") == 0 || strcmp(field, "visitDate") == 0)
		i18n_date(out, value);
}

/* A case that was chosen on a page came by its id; a person knows it by its number. */
static void case_known(const struct page *p, const char *typed, struct buf *out)
{
	json_t *record = id_valid(typed)
			     ? registry_get(archive_registry(app_of(p->x)->archive), "cases", typed)
			     : NULL;
	const char *number =
	    record && case_is_visible(p->x, record) ? json_text(record, "diaryNumber") : NULL;

	buf_adds(out, number ? number : typed);
	json_decref(record);
}

/* What the field shows: what was typed; before anything was sent, the first proposal for an empty one. */
static void shown(
    const struct page *page, const struct sheet *s, const char *field, struct buf *out)
{
	const char *typed = draft_typed(s->u.draft, field), *value;
	const json_t *p = untouched(s) ? draft_proposal(s->u.draft, proposed_name(field), 0) : NULL;
	char date[I18N_SIZE];

	value = json_text(p, "value");
	if (*typed && strcmp(field, "case") == 0) {
		case_known(page, typed, out);
		return;
	}
	if (*typed || !value) {
		buf_adds(out, typed);
		return;
	}
	draft_as_typed(field, value, date);
	buf_adds(out, date[0] ? date : value);
}

/* "Proposed from the file: … (… around it …)": each of them. */
static bool write_proposals(struct page *p, const struct sheet *s, const char *field)
{
	const json_t *one;
	unsigned int n = 0;

	for (; (one = draft_proposal(s->u.draft, proposed_name(field), n)); n++) {
		const char *value = json_text(one, "value"), *found = json_text(one, "found");
		char date[I18N_SIZE];

		if (n == 0)
			html_put(&p->h, "<ul class=\"plain proposed\" id=\"$-proposed\">", field);
		draft_as_typed(field, value, date);
		html_put(&p->h, "<li><span class=\"tag\">$</span> <span dir=\"auto\">",
		    say(p, SAY_FILING_PROPOSED));
		if (strcmp(field, "type") == 0)
			page_name(p, "types", value);
		else if (strcmp(field, "language") == 0)
			html_text(&p->h, i18n_language_name(p->language, value));
		else
			html_text(&p->h, date[0] ? date : value);
		html_raw(&p->h, "</span>");
		if (found && *found && strcmp(found, value) != 0)
			html_put(&p->h, " <q class=\"hint\" dir=\"auto\">$</q>", found);
		html_raw(&p->h, "</li>");
	}
	if (n)
		html_raw(&p->h, "</ul>");
	return n > 0;
}

/* ---- one field ---- */

static const char *wrong_of(const struct sheet *s, const char *field)
{
	for (unsigned int i = 0; i < s->f.n; i++)
		if (strcmp(s->f.list[i].field, field) == 0)
			return s->f.list[i].text;
	return NULL;
}

/* Label, help, proposals and what is wrong; the attributes of its control follow. */
static void field_begin(
    struct page *p, const struct sheet *s, const char *field, enum say label, enum say help)
{
	html_put(&p->h, "<div class=\"field\"><label for=\"$\">$</label>", field, say(p, label));
	if (help != SAY_COUNT)
		html_put(&p->h, "<p class=\"hint\" id=\"$-help\">$</p>", field, say(p, help));
	write_proposals(p, s, field);
	if (wrong_of(s, field))
		html_put(&p->h,
		    "<p class=\"wrong\" id=\"$-wrong\"><span class=\"hidden\">$: </span>$</p>",
		    field, say(p, SAY_ERROR), wrong_of(s, field));
}

static void field_described(struct page *p, const struct sheet *s, const char *field, enum say help)
{
	struct buf ids = BUF_INIT;

	if (wrong_of(s, field))
		buf_addf(&ids, "%s-wrong ", field);
	if (help != SAY_COUNT)
		buf_addf(&ids, "%s-help ", field);
	if (draft_proposal(s->u.draft, proposed_name(field), 0))
		buf_addf(&ids, "%s-proposed", field);
	if (ids.len)
		html_put(&p->h, " aria-describedby=\"$\"", ids.data);
	if (wrong_of(s, field))
		html_raw(&p->h, " aria-invalid=\"true\"");
	buf_free(&ids);
}

static void text_field(struct page *p, const struct sheet *s, const char *field, enum say label,
    enum say help, const char *most)
{
	struct buf value = BUF_INIT;

	shown(p, s, field, &value);
	field_begin(p, s, field, label, help);
	html_put(&p->h,
	    "<input type=\"text\" id=\"$\" name=\"$\" autocomplete=\"off\" maxlength=\"$\" "
	    "dir=\"auto\" "
	    "value=\"$\"",
	    field, field, most, value.data);
	if (strcmp(field, "ground") == 0)
		html_raw(&p->h, " list=\"grounds\"");
	field_described(p, s, field, help);
	html_raw(&p->h, "></div>");
	buf_free(&value);
}

static void option(struct page *p, const char *value, const char *name, const char *chosen)
{
	html_put(&p->h, "<option value=\"$\"", value);
	if (strcmp(value, chosen) == 0)
		html_raw(&p->h, " selected");
	html_put(&p->h, ">$</option>", name);
}

static void type_field(struct page *p, const struct sheet *s)
{
	json_t *types = registry_all(archive_registry(app_of(p->x)->archive), "types"), *one;
	struct buf value = BUF_INIT;
	size_t i;

	shown(p, s, "type", &value);
	field_begin(p, s, "type", SAY_TYPE, SAY_COUNT);
	html_raw(&p->h, "<select id=\"type\" name=\"type\"");
	field_described(p, s, "type", SAY_COUNT);
	html_put(&p->h, "><option value=\"\">$</option>", say(p, SAY_FILING_CHOOSE));
	json_array_foreach(types, i, one)
	{
		if (type_retired(one) &&
		    (!value.data || strcmp(json_text(one, "id"), value.data) != 0))
			continue;
		option(p, json_text(one, "id"), i18n_name(p->language, one, NULL),
		    value.data ? value.data : "");
	}
	html_raw(&p->h, "</select></div>");
	json_decref(types);
	buf_free(&value);
}

static void language_field(struct page *p, const struct sheet *s)
{
	static const char *const codes[] = {"fi", "sv", "en"};
	struct buf value = BUF_INIT;
	bool other;

	shown(p, s, "language", &value);
	field_begin(p, s, "language", SAY_DOCUMENT_LANGUAGE, SAY_COUNT);
	html_raw(&p->h, "<select id=\"language\" name=\"language\"");
	field_described(p, s, "language", SAY_COUNT);
	html_put(&p->h, "><option value=\"\">$</option>", say(p, SAY_FILING_CHOOSE));
	other = value.len != 0;
	for (size_t i = 0; i < 3; i++) {
		option(p, codes[i], i18n_language_name(p->language, codes[i]),
		    value.data ? value.data : "");
		other = other && strcmp(value.data, codes[i]) != 0;
	}
	if (other)
		option(p, value.data, value.data, value.data);
	html_raw(&p->h, "</select></div>");
	buf_free(&value);
}

static void author_field(struct page *p, const struct sheet *s)
{
	const char *org = p->caller->who->access.org, *typed = draft_typed(s->u.draft, "author");
	json_t *line = registry_line(archive_registry(app_of(p->x)->archive), org), *one;
	bool there = !*typed;
	size_t i;

	field_begin(p, s, "author", SAY_AUTHOR, SAY_COUNT);
	html_raw(&p->h, "<select id=\"author\" name=\"author\"");
	field_described(p, s, "author", SAY_COUNT);
	html_raw(&p->h, ">");
	json_array_foreach(line, i, one)
	{
		struct buf name = BUF_INIT;

		name_add(p, &name, "orgs", json_string_value(one));
		option(p, json_string_value(one), name.data, *typed ? typed : org);
		there |= strcmp(typed, json_string_value(one)) == 0;
		buf_free(&name);
	}
	if (!there)
		option(p, typed, typed, typed);
	html_raw(&p->h, "</select></div>");
	json_decref(line);
}

/* ---- choices ---- */

struct choice {
	const char *value;
	enum say label, what;
};

static void choices(struct page *p, const struct sheet *s, const char *field, enum say legend,
    const struct choice *all, size_t n)
{
	const char *typed = draft_typed(s->u.draft, field), *wrong = wrong_of(s, field);

	html_put(&p->h, "<fieldset class=\"roles\"><legend>$</legend>", say(p, legend));
	if (wrong)
		html_put(&p->h, "<p class=\"wrong\"><span class=\"hidden\">$: </span>$</p>",
		    say(p, SAY_ERROR), wrong);
	for (size_t i = 0; i < n; i++) {
		char id[40];

		/* the summary of errors leads to the first */
		if (i)
			snprintf(id, sizeof(id), "%s-%zu", field, i);
		else
			snprintf(id, sizeof(id), "%s", field);
		html_put(&p->h,
		    "<div class=\"choice\"><input type=\"radio\" id=\"$\" name=\"$\" value=\"$\" "
		    "aria-describedby=\"$-what\"",
		    id, field, all[i].value, id);
		if (strcmp(typed, all[i].value) == 0)
			html_raw(&p->h, " checked");
		html_put(&p->h,
		    "><div><label for=\"$\">$</label><p class=\"hint\" "
		    "id=\"$-what\">$</p></div></div>",
		    id, say(p, all[i].label), id, say(p, all[i].what));
	}
	html_raw(&p->h, "</fieldset>");
}

static void publicity_fields(struct page *p, const struct sheet *s)
{
	static const struct choice classes[] = {
	    {"public", SAY_PUBLIC, SAY_FILING_PUBLIC_WHAT},
	    {"partly-secret", SAY_PARTLY_SECRET, SAY_FILING_PARTLY_WHAT},
	    {"secret", SAY_SECRET, SAY_FILING_SECRET_WHAT},
	};

	choices(p, s, "class", SAY_PUBLICITY, classes, 3);
	text_field(p, s, "ground", SAY_SECRECY_GROUND, SAY_FILING_GROUND_HELP, "500");
	html_raw(&p->h, "<datalist id=\"grounds\">");
	for (size_t i = 0; i < sizeof(grounds) / sizeof(*grounds); i++)
		html_put(&p->h, "<option value=\"$\">$</option>", grounds[i].code,
		    grounds[i].said[p->language]);
	html_put(&p->h, "</datalist><details><summary>$</summary><dl class=\"facts\">",
	    say(p, SAY_FILING_GROUNDS));
	for (size_t i = 0; i < sizeof(grounds) / sizeof(*grounds); i++)
		html_put(&p->h, "<div><dt>$</dt><dd>$</dd></div>", grounds[i].code,
		    grounds[i].said[p->language]);
	html_raw(&p->h, "</dl></details>");
	text_field(p, s, "from", SAY_SECRECY_FROM, SAY_DATE_HELP, "10");
	text_field(p, s, "until", SAY_SECRECY_UNTIL, SAY_DATE_HELP, "10");
	text_field(
	    p, s, "publicTitle", SAY_FILING_PUBLIC_TITLE, SAY_FILING_PUBLIC_TITLE_HELP, "500");
}

/* ---- units ---- */

static void unit_choice(struct page *p, const char *id, bool ticked, const char *found)
{
	html_put(&p->h,
	    "<div class=\"choice\"><input type=\"checkbox\" id=\"unit-$\" name=\"unit\" "
	    "value=\"$\"",
	    id, id);
	if (ticked)
		html_raw(&p->h, " checked");
	html_put(&p->h, "><div><label for=\"unit-$\">", id);
	page_name(p, "units", id);
	html_raw(&p->h, "</label>");
	if (found)
		html_put(&p->h,
		    "<p class=\"hint\"><span class=\"tag\">$</span> <q dir=\"auto\">$</q></p>",
		    say(p, SAY_FILING_PROPOSED), found);
	html_raw(&p->h, "</div></div>");
}

static bool ticked(const json_t *units, const char *id)
{
	const json_t *one;
	size_t i;

	json_array_foreach(units, i, one)
	{
		if (strcmp(json_string_value(one), id) == 0)
			return true;
	}
	return false;
}

static void units_field(struct page *p, const struct sheet *s)
{
	const json_t *units = json_object_get(json_object_get(s->u.draft, "typed"), "units"), *one;
	size_t i;

	html_put(&p->h,
	    "<fieldset class=\"roles\"><legend>$</legend><input type=\"hidden\" name=\"units\" "
	    "value=\"1\">",
	    say(p, SAY_UNITS));
	json_array_foreach(units, i, one)
	{
		unit_choice(p, json_string_value(one), true, NULL);
	}
	for (unsigned int n = 0; (one = draft_proposal(s->u.draft, "unit", n)); n++)
		if (!ticked(units, json_text(one, "value")))
			unit_choice(p, json_text(one, "value"), false, json_text(one, "found"));
	text_field(p, s, "unitName", SAY_FILING_UNIT_ADD, SAY_FILING_UNIT_HELP, "300");
	html_raw(&p->h, "</fieldset>");
}

static void state_field(struct page *p, const struct sheet *s)
{
	static const struct choice states[] = {{"final", SAY_FINAL, SAY_FILING_FINAL_WHAT},
	    {"draft", SAY_DRAFT, SAY_FILING_DRAFT_WHAT}};

	choices(p, s, "state", SAY_STATE, states, 2);
}

static void clash_units(struct page *p, const json_t *units, struct buf *out)
{
	const json_t *one;
	size_t i;

	json_array_foreach(units, i, one)
	{
		if (i)
			buf_adds(out, ", ");
		name_add(p, out, "units", json_string_value(one));
	}
}

static void clash_value(struct page *p, const char *field, const char *value, struct buf *out)
{
	const char *language = i18n_language_name(p->language, value);

	if (strcmp(field, "type") == 0 && *value)
		name_add(p, out, "types", value);
	else if (strcmp(field, "author") == 0 && *value)
		name_add(p, out, "orgs", value);
	else if (strcmp(field, "language") == 0 && language)
		buf_adds(out, language);
	else if (strcmp(field, "class") == 0 && *value)
		buf_adds(out, say(p, publicity_said(value)));
	else if (strcmp(field, "state") == 0 && *value)
		buf_adds(out, say(p, strcmp(value, "draft") == 0 ? SAY_DRAFT : SAY_FINAL));
	else if (strcmp(field, "case") == 0)
		case_known(p, value, out);
	else
		buf_adds(out, value);
}

static void clash_item(struct page *p, enum say label, const struct buf *theirs)
{
	html_put(&p->h, "<li>$: <strong dir=\"auto\">$</strong></li>", say(p, label),
	    theirs->len ? theirs->data : say(p, SAY_FILING_EMPTY));
}

void filing_clash(struct page *p, const struct sheet *s)
{
	static const struct {
		const char *field;
		enum say label;
	} all[] = {{"title", SAY_FILING_TITLE}, {"date", SAY_DATE}, {"visitDate", SAY_VISIT_DATE},
	    {"case", SAY_DIARY}, {"type", SAY_TYPE}, {"language", SAY_DOCUMENT_LANGUAGE},
	    {"author", SAY_AUTHOR}, {"state", SAY_STATE}, {"class", SAY_PUBLICITY},
	    {"ground", SAY_SECRECY_GROUND}, {"from", SAY_SECRECY_FROM},
	    {"until", SAY_SECRECY_UNTIL}, {"publicTitle", SAY_FILING_PUBLIC_TITLE},
	    {"reason", SAY_REASON}};
	const json_t *units = json_object_get(s->theirs, "units");
	struct buf value = BUF_INIT;

	if (!s->theirs)
		return;
	html_put(&p->h,
	    "<section class=\"note\" id=\"clash\" tabindex=\"-1\"><h2>$</h2><p>$</p><ul>",
	    say(p, SAY_FILING_CLASH), say(p, SAY_FILING_CLASH_WHAT));
	if (!json_equal(units, json_object_get(json_object_get(s->u.draft, "typed"), "units"))) {
		clash_units(p, units, &value);
		clash_item(p, SAY_UNITS, &value);
	}
	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++) {
		const char *kept = json_text(s->theirs, all[i].field);

		buf_clear(&value);
		if (strcmp(kept ? kept : "", draft_typed(s->u.draft, all[i].field)) == 0)
			continue;
		clash_value(p, all[i].field, kept ? kept : "", &value);
		clash_item(p, all[i].label, &value);
	}
	html_put(&p->h, "</ul><p>$</p></section>", say(p, SAY_FILING_CLASH_MEND));
	buf_free(&value);
}

void filing_common(struct page *p, const struct sheet *s)
{
	units_field(p, s);
	text_field(p, s, "case", SAY_DIARY, SAY_FILING_CASE_HELP, "200");
	type_field(p, s);
	language_field(p, s);
	author_field(p, s);
	state_field(p, s);
	publicity_fields(p, s);
}

void filing_fields(struct page *p, const struct sheet *s)
{
	const char *without = json_text(s->u.draft, "noText");

	if (without)
		html_put(&p->h, "<p class=\"note\">$</p>", say(p, SAY_FILING_NO_PROPOSALS));
	text_field(p, s, "title", SAY_FILING_TITLE, SAY_FILING_TITLE_HELP, "500");
	text_field(p, s, "date", SAY_DATE, SAY_DATE_HELP, "10");
	text_field(p, s, "visitDate", SAY_VISIT_DATE, SAY_FILING_VISIT_HELP, "10");
	filing_common(p, s);
	if (s->kind == SHEET_VERSION)
		text_field(p, s, "reason", SAY_REASON, SAY_FILING_REASON_HELP, "500");
}

/* ---- answers ---- */

static void answer(
    struct page *p, const struct sheet *s, const char *field, enum say label, const char *text)
{
	struct buf url = BUF_INIT;

	if (!text || !*text)
		return;
	sheet_path(p->x, s->u.id, "", &url);
	html_put(&p->h,
	    "<div><dt>$</dt><dd><span dir=\"auto\">$</span> <a href=\"$#$\">$<span "
	    "class=\"hidden\">: $</span></a></dd></div>",
	    say(p, label), text, url.data, field, say(p, SAY_FILING_CHANGE), say(p, label));
	buf_free(&url);
}

static void answer_named(struct page *p, const struct sheet *s, const char *field, enum say label,
    const char *kind, const char *id)
{
	struct buf name = BUF_INIT;

	if (*id)
		name_add(p, &name, kind, id);
	answer(p, s, field, label, name.data);
	buf_free(&name);
}

static void answer_units(struct page *p, const struct sheet *s)
{
	const json_t *units = json_object_get(json_object_get(s->u.draft, "typed"), "units"), *one;
	struct buf names = BUF_INIT;
	size_t i;

	json_array_foreach(units, i, one)
	{
		if (i)
			buf_adds(&names, ", ");
		name_add(p, &names, "units", json_string_value(one));
	}
	answer(p, s, "unitName", SAY_UNITS, names.len ? names.data : say(p, SAY_FILING_REGIONAL));
	buf_free(&names);
}

void filing_answers(struct page *p, const struct sheet *s)
{
	const json_t *d = s->u.draft;
	const char *class = draft_typed(d, "class"), *language = draft_typed(d, "language");
	const char *spoken = i18n_language_name(p->language, language);
	const char *author = draft_typed(d, "author");
	struct buf number = BUF_INIT;

	html_raw(&p->h, "<dl class=\"facts answers\">");
	fact_text(p, SAY_FILE, s->u.file_name);
	answer_units(p, s);
	case_known(p, draft_typed(d, "case"), &number);
	answer(p, s, "case", SAY_DIARY, number.data);
	buf_free(&number);
	answer_named(p, s, "type", SAY_TYPE, "types", draft_typed(d, "type"));
	answer(p, s, "title", SAY_FILING_TITLE, draft_typed(d, "title"));
	answer(p, s, "date", SAY_DATE, draft_typed(d, "date"));
	answer(p, s, "visitDate", SAY_VISIT_DATE, draft_typed(d, "visitDate"));
	answer(p, s, "language", SAY_DOCUMENT_LANGUAGE, spoken ? spoken : language);
	answer_named(
	    p, s, "author", SAY_AUTHOR, "orgs", *author ? author : p->caller->who->access.org);
	answer(p, s, "state", SAY_STATE,
	    say(p, strcmp(draft_typed(d, "state"), "draft") == 0 ? SAY_DRAFT : SAY_FINAL));
	answer(p, s, "class", SAY_PUBLICITY, *class ? say(p, publicity_said(class)) : "");
	answer(p, s, "ground", SAY_SECRECY_GROUND, draft_typed(d, "ground"));
	answer(p, s, "from", SAY_SECRECY_FROM, draft_typed(d, "from"));
	answer(p, s, "until", SAY_SECRECY_UNTIL, draft_typed(d, "until"));
	answer(p, s, "publicTitle", SAY_FILING_PUBLIC_TITLE, draft_typed(d, "publicTitle"));
	if (s->kind == SHEET_VERSION)
		answer(p, s, "reason", SAY_REASON, draft_typed(d, "reason"));
	html_raw(&p->h, "</dl>");
}
