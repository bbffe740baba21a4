/* What a person typed about a file: kept as typed, so that nothing is lost, and checked as the contract's metadata. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "api/handlers.h"
#include "api/pages/filing.h"
#include "arkki/archive/metadata.h"
#include "arkki/base/json.h"
#include "arkki/base/text.h"

enum { TYPED_MAX = 4096, UNITS_MAX = 50 };

static const char *const fields[] = {"title", "publicTitle", "date", "type", "language", "class",
    "ground", "from", "until", "author", "state", "visitDate", "case", "reason"};
#define N_FIELDS (sizeof(fields) / sizeof(*fields))

const char *const filing_repeat[] = {"unit", NULL};

/* ---- reading and writing it ---- */

const char *draft_typed(const json_t *draft, const char *field)
{
	const char *text = json_text(json_object_get(draft, "typed"), field);

	return text ? text : "";
}

static json_t *member(json_t *draft, const char *name)
{
	json_t *m = json_object_get(draft, name);

	if (json_is_object(m))
		return m;
	m = json_object();
	json_object_set_new(draft, name, m);
	return m;
}

void draft_set(json_t *draft, const char *field, const char *text)
{
	json_object_set_new(member(draft, "typed"), field, json_string(text ? text : ""));
}

const char *draft_for(const json_t *draft, const char *what)
{
	const char *text = json_text(json_object_get(draft, "for"), what);

	return text ? text : "";
}

uint32_t draft_rendition(const json_t *draft)
{
	json_int_t n =
	    json_integer_value(json_object_get(json_object_get(draft, "for"), "rendition"));

	return n > 0 && n < 1000000 ? (uint32_t)n : 0;
}

static void set_id(json_t *to, const char *name, const char *id)
{
	if (id && *id && strlen(id) <= 64)
		json_object_set_new(to, name, json_string(id));
}

void draft_begin(json_t *draft, const char *unit, const char *case_id, const char *document,
    const char *rendition)
{
	json_t *of = member(draft, "for"), *typed = member(draft, "typed"), *units = json_array();
	unsigned long n = rendition ? strtoul(rendition, NULL, 10) : 0;

	set_id(of, "unit", unit);
	set_id(of, "case", case_id);
	set_id(of, "document", document && docid_valid(document) ? document : NULL);
	if (n && n < 1000000)
		json_object_set_new(of, "rendition", json_integer((json_int_t)n));
	if (unit && *unit && id_valid(unit))
		json_array_append_new(units, json_string(unit));
	json_object_set_new(typed, "units", units);
	draft_set(draft, "case", case_id);
	draft_set(draft, "state", "final");
}

static void from_date(json_t *draft, const char *field, const char *date)
{
	char text[I18N_SIZE] = "";

	if (date)
		i18n_date(text, date);
	draft_set(draft, field, text);
}

void draft_from_card(json_t *draft, const struct catalogue_row *row, const struct card *card)
{
	static const char *const same[] = {
	    "title", "publicTitle", "type", "language", "author", "state", "case"};
	const json_t *f = card->fields, *publicity = json_object_get(f, "publicity");
	json_t *units = json_object_get(f, "units");

	for (size_t i = 0; i < sizeof(same) / sizeof(*same); i++)
		draft_set(draft, same[i], json_text(f, same[i]));
	draft_set(draft, "class", json_text(publicity, "class"));
	draft_set(draft, "ground", json_text(publicity, "ground"));
	from_date(draft, "from", json_text(publicity, "from"));
	from_date(draft, "until", json_text(publicity, "until"));
	from_date(draft, "date", json_text(f, "date"));
	from_date(draft, "visitDate", json_text(f, "visitDate"));
	json_object_set_new(member(draft, "typed"), "units", json_deep_copy(units));
	json_object_set_new(draft, "base",
	    json_pack("{s:i,s:i,s:O}", "version", (int)row->version, "metadata", (int)row->metadata,
		"fields", f));
}

/* ---- the form ---- */

struct unit_sought {
	const char *name;
	char id[65];
	unsigned int n;
};

static void match_unit(void *arg, const json_t *unit)
{
	static const char *const languages[] = {"fi", "sv", "en"};
	struct unit_sought *s = arg;
	const char *id = json_text(unit, "id");
	bool hit = strcasecmp(id, s->name) == 0;

	for (size_t i = 0; i < 3 && !hit; i++) {
		const char *name = json_text(json_object_get(unit, "name"), languages[i]);

		hit = name && strcasecmp(name, s->name) == 0;
	}
	if (!hit)
		return;
	s->n++;
	snprintf(s->id, sizeof(s->id), "%s", id);
}

static bool listed(const json_t *units, const char *id)
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

/* The units that are ticked, and the one whose name is written; a name that is no unit's stays written. */
static void read_units(struct exchange *x, json_t *draft)
{
	json_t *units = json_array();
	struct unit_sought s = {0};
	char name[400];
	const char *id;

	for (unsigned int i = 0; i < UNITS_MAX && (id = http_form_at(x, "unit", i)); i++)
		if (id_valid(id) && !listed(units, id))
			json_array_append_new(units, json_string(id));
	form_text(x, "unitName", name, sizeof(name));
	s.name = name;
	if (name[0])
		registry_each(archive_registry(app_of(x)->archive), "units", match_unit, &s);
	if (s.n == 1 && !listed(units, s.id))
		json_array_append_new(units, json_string(s.id));
	json_object_set_new(member(draft, "typed"), "units", units);
	draft_set(draft, "unitName", s.n == 1 ? "" : name);
}

void draft_read(struct exchange *x, json_t *draft)
{
	char text[TYPED_MAX];

	for (size_t i = 0; i < N_FIELDS; i++) {
		if (!http_form(x, fields[i]))
			continue;
		form_text(x, fields[i], text, sizeof(text));
		draft_set(draft, fields[i], text);
	}
	if (http_form(x, "units"))
		read_units(x, draft);
}

static json_int_t saved(const json_t *draft)
{
	return json_integer_value(json_object_get(draft, "saved"));
}

void draft_saved_field(struct page *p, const char *name, const json_t *draft)
{
	char n[24];

	snprintf(n, sizeof(n), "%lld", (long long)saved(draft));
	html_put(&p->h, "<input type=\"hidden\" name=\"$\" value=\"$\">", name, n);
}

bool draft_saved_same(struct exchange *x, const char *name, const json_t *draft)
{
	const char *seen = http_form(x, name);

	return !seen || strtoll(seen, NULL, 10) == saved(draft);
}

void draft_saved_once_more(json_t *draft)
{
	json_object_set_new(draft, "saved", json_integer(saved(draft) + 1));
}

/* ---- the contract's metadata ---- */

struct case_sought {
	const char *number;
	json_t *found; /* ids */
};

static void match_case(void *arg, const json_t *record)
{
	struct case_sought *s = arg;
	const char *number = json_text(record, "diaryNumber"), *id = json_text(record, "id");

	if (id && (strcmp(id, s->number) == 0 || (number && strcasecmp(number, s->number) == 0)))
		json_array_append_new(s->found, json_string(id));
}

void case_by_number(struct exchange *x, const char *number, char ret[65])
{
	struct registry *registry = archive_registry(app_of(x)->archive);
	struct case_sought s = {.number = number, .found = json_array()};
	const json_t *id;
	size_t i;

	ret[0] = '\0';
	if (s.found && *number)
		registry_each(registry, "cases", match_case, &s);
	json_array_foreach(s.found, i, id)
	{
		json_t *record = registry_get(registry, "cases", json_string_value(id));

		if (!ret[0] && record && case_is_visible(x, record))
			snprintf(ret, 65, "%s", json_string_value(id));
		json_decref(record);
	}
	json_decref(s.found);
}

static json_t *text_or_null(const char *text)
{
	return *text ? json_string(text) : json_null();
}

/* A day as it was typed stays so where it is none: the check will say so. */
static json_t *date_json(const char *typed)
{
	char day[11];

	if (!*typed)
		return json_null();
	return json_string(i18n_date_read(typed, day) ? day : typed);
}

static void set_unless_empty(json_t *to, const char *field, json_t *value)
{
	if (json_is_null(value))
		json_decref(value);
	else
		json_object_set_new(to, field, value);
}

json_t *draft_metadata(struct exchange *x, const json_t *draft)
{
	json_t *m = json_object(), *publicity = json_object();
	const json_t *units = json_object_get(json_object_get(draft, "typed"), "units");
	const char *number = draft_typed(draft, "case");
	char id[65];

	case_by_number(x, number, id);
	json_object_set_new(
	    m, "units", json_is_array(units) ? json_deep_copy(units) : json_array());
	/* a number of no case that may be seen is refused as one of no case at all */
	json_object_set_new(m, "case", *number ? json_string(id[0] ? id : "?") : json_null());
	set_unless_empty(m, "type", text_or_null(draft_typed(draft, "type")));
	set_unless_empty(m, "title", text_or_null(draft_typed(draft, "title")));
	set_unless_empty(m, "language", text_or_null(draft_typed(draft, "language")));
	set_unless_empty(m, "date", date_json(draft_typed(draft, "date")));
	json_object_set_new(m, "publicTitle", text_or_null(draft_typed(draft, "publicTitle")));
	json_object_set_new(m, "visitDate", date_json(draft_typed(draft, "visitDate")));
	set_unless_empty(m, "author", text_or_null(draft_typed(draft, "author")));
	set_unless_empty(m, "state", text_or_null(draft_typed(draft, "state")));
	set_unless_empty(publicity, "class", text_or_null(draft_typed(draft, "class")));
	set_unless_empty(publicity, "ground", text_or_null(draft_typed(draft, "ground")));
	set_unless_empty(publicity, "from", date_json(draft_typed(draft, "from")));
	set_unless_empty(publicity, "until", date_json(draft_typed(draft, "until")));
	json_object_set_new(m, "publicity", publicity);
	return m;
}

/* ---- what is wrong ---- */

static const struct {
	const char *field, *input;
	enum say said;
} known[] = {
    {"units", "unitName", SAY_FILING_UNIT_WRONG},
    {"case", "case", SAY_FILING_CASE_WRONG},
    {"type", "type", SAY_FILING_TYPE_WRONG},
    {"title", "title", SAY_FILING_TITLE_WRONG},
    {"publicTitle", "publicTitle", SAY_FILING_TITLE_WRONG},
    {"language", "language", SAY_FILING_LANGUAGE_WRONG},
    {"date", "date", SAY_DATE_WRONG},
    {"visitDate", "visitDate", SAY_DATE_WRONG},
    {"publicity/class", "class", SAY_FILING_CLASS_WRONG},
    {"publicity/ground", "ground", SAY_FILING_GROUND_WRONG},
    {"publicity/from", "from", SAY_DATE_WRONG},
    {"publicity/until", "until", SAY_DATE_WRONG},
    {"author", "author", SAY_FILING_AUTHOR_WRONG},
    {"state", "state", SAY_FILING_STATE_WRONG},
};

static bool fault_there(const struct faults *f, const char *input)
{
	for (unsigned int i = 0; i < f->n; i++)
		if (strcmp(f->list[i].field, input) == 0)
			return true;
	return false;
}

static void say_faults(struct exchange *x, const json_t *errors, struct faults *f)
{
	const json_t *one;
	size_t i;

	json_array_foreach(errors, i, one)
	{
		const char *field = json_text(one, "field");

		for (size_t k = 0; field && k < sizeof(known) / sizeof(*known); k++) {
			size_t n = strlen(known[k].field);

			if (strncmp(field, known[k].field, n) == 0 &&
			    (!field[n] || field[n] == '/') && !fault_there(f, known[k].input))
				fault_add(f, known[k].input, form_said(x, known[k].said));
		}
	}
	if (!f->n)
		fault_add(f, "title", form_said(x, SAY_FILING_OTHER_WRONG));
}

bool draft_check(struct exchange *x, const json_t *draft, const json_t *base, struct faults *f,
    json_t **ret_fields)
{
	struct registry *registry = archive_registry(app_of(x)->archive);
	json_t *metadata = draft_metadata(x, draft), *errors = NULL, *out = NULL;
	const char *class = draft_typed(draft, "class");
	struct ark_error err;

	if (metadata_check(
		registry, metadata, base, caller_of(x)->who->access.org, &out, &errors, &err))
		say_faults(x, errors, f);
	if (*draft_typed(draft, "unitName") && !fault_there(f, "unitName"))
		fault_add(f, "unitName", form_said(x, SAY_FILING_UNIT_WRONG));
	/* the law asks for the ground of what is kept secret */
	if (*class && strcmp(class, "public") != 0 && !*draft_typed(draft, "ground") &&
	    !fault_there(f, "ground"))
		fault_add(f, "ground", form_said(x, SAY_FILING_GROUND_MISSING));
	json_decref(metadata);
	json_decref(errors);
	if (f->n || !ret_fields)
		json_decref(out);
	else
		*ret_fields = out;
	return f->n == 0;
}
