#include "arkki/archive/registers.h"

#include <stdio.h>
#include <string.h>

#include "arkki/base/clock.h"
#include "arkki/base/json.h"
#include "arkki/base/text.h"

enum {
	TEXT_CHARS = 500,
	LABEL_CHARS = 200,
	LIST_MOST = 100,
	COUNT_MOST = 10000,
	PRICE_MOST = 100000, /* euros a day */
};

enum shape {
	SHAPE_ID,
	SHAPE_TEXT,
	SHAPE_CODE,
	SHAPE_DAY,
	SHAPE_TIME,
	SHAPE_NAME,
	SHAPE_LABELS, /* fi, sv and en: a reader of each finds it */
	SHAPE_YES_NO,
	SHAPE_COUNT,
	SHAPE_PRICE,
	SHAPE_OID,
	SHAPE_STATE,      /* of a registration */
	SHAPE_CASE_STATE, /* of a case */
	SHAPE_WORDS,      /* a list of texts */
	SHAPE_LANGUAGES,  /* a list of codes */
	SHAPE_UNITS,      /* a list of known units */
	SHAPE_ORG,        /* a known organisation */
	SHAPE_UNIT,       /* a known unit */
	SHAPE_LIST,       /* of objects with `of` */
	SHAPE_OBJECT,     /* with `of` */
	SHAPE_SOURCES,
};

static const char *const wanted[] = {
    [SHAPE_ID] = "an id, [a-z0-9-]{1,64}",
    [SHAPE_TEXT] = "a text of 1 to 500 characters without control characters",
    [SHAPE_CODE] = "a code of 1 to 16 characters",
    [SHAPE_DAY] = "YYYY-MM-DD",
    [SHAPE_TIME] = "a time by RFC 3339",
    [SHAPE_NAME] = "a text or an object of texts by language",
    [SHAPE_LABELS] = "an object of texts of 1 to 200 characters in fi, sv and en",
    [SHAPE_YES_NO] = "true or false",
    [SHAPE_COUNT] = "a whole number from 0 to 10000",
    [SHAPE_PRICE] = "a number of euros from 0 to 100000",
    [SHAPE_OID] = "an object identifier such as 1.2.246.10",
    [SHAPE_STATE] = "registered, licensed or ended",
    [SHAPE_CASE_STATE] = "opened, heard, decided, follow-up or closed",
    [SHAPE_WORDS] = "a list of at most 100 texts",
    [SHAPE_LANGUAGES] = "a list of language codes such as fi",
    [SHAPE_UNITS] = "a list of known units",
    [SHAPE_ORG] = "a known organisation",
    [SHAPE_UNIT] = "a known unit",
    [SHAPE_LIST] = "a list of at most 100 objects",
    [SHAPE_OBJECT] = "an object",
    [SHAPE_SOURCES] =
	"an object of {\"source\":\"soteri|provider|authority\",\"date\":\"YYYY-MM-DD\"} by field",
};

struct rule {
	const char *field;
	enum shape shape;
	bool required;
	const struct rule *of; /* ended by a NULL field */
};

static const struct rule oids[] = {{"oid", SHAPE_OID, true, NULL}, {"from", SHAPE_DAY, false, NULL},
    {"to", SHAPE_DAY, false, NULL}, {0}};
static const struct rule earlier_names[] = {{"name", SHAPE_NAME, true, NULL},
    {"from", SHAPE_DAY, false, NULL}, {"to", SHAPE_DAY, false, NULL}, {0}};
static const struct rule providers[] = {{"provider", SHAPE_ID, true, NULL},
    {"from", SHAPE_DAY, false, NULL}, {"to", SHAPE_DAY, false, NULL}, {0}};
static const struct rule places[] = {{"places", SHAPE_COUNT, true, NULL},
    {"from", SHAPE_DAY, false, NULL}, {"to", SHAPE_DAY, false, NULL}, {0}};
static const struct rule contacts[] = {{"name", SHAPE_TEXT, false, NULL},
    {"phone", SHAPE_TEXT, false, NULL}, {"email", SHAPE_TEXT, false, NULL}, {0}};
static const struct rule registration[] = {{"state", SHAPE_STATE, true, NULL},
    {"register", SHAPE_TEXT, false, NULL}, {"diaryNumber", SHAPE_TEXT, false, NULL},
    {"from", SHAPE_DAY, false, NULL}, {"to", SHAPE_DAY, false, NULL}, {0}};

static const struct rule unit_rules[] = {
    {"id", SHAPE_ID, true, NULL},
    {"name", SHAPE_NAME, true, NULL},
    {"county", SHAPE_CODE, true, NULL},
    {"municipality", SHAPE_CODE, false, NULL},
    {"provider", SHAPE_ID, false, NULL},
    {"serviceForm", SHAPE_TEXT, false, NULL},
    {"places", SHAPE_COUNT, false, NULL},
    {"address", SHAPE_TEXT, false, NULL},
    {"from", SHAPE_DAY, false, NULL},
    {"to", SHAPE_DAY, false, NULL},
    {"oids", SHAPE_LIST, false, oids},
    {"names", SHAPE_LIST, false, earlier_names},
    {"providers", SHAPE_LIST, false, providers},
    {"placesHistory", SHAPE_LIST, false, places},
    {"registration", SHAPE_OBJECT, false, registration},
    {"contacts", SHAPE_LIST, false, contacts},
    {"languages", SHAPE_LANGUAGES, false, NULL},
    {"expertise", SHAPE_WORDS, false, NULL},
    {"predecessors", SHAPE_UNITS, false, NULL},
    {"sources", SHAPE_SOURCES, false, NULL},
    {0},
};

static const struct rule case_rules[] = {
    {"id", SHAPE_ID, true, NULL},
    {"units", SHAPE_UNITS, false, NULL},
    {"org", SHAPE_ORG, true, NULL},
    {"diaryNumber", SHAPE_TEXT, false, NULL},
    {"kind", SHAPE_TEXT, false, NULL},
    {"opened", SHAPE_DAY, false, NULL},
    {"closed", SHAPE_DAY, false, NULL},
    {"state", SHAPE_CASE_STATE, false, NULL},
    {0},
};

static const struct rule vacancies_rules[] = {
    {"id", SHAPE_UNIT, true, NULL},
    {"freePlaces", SHAPE_COUNT, false, NULL},
    {"soonFree", SHAPE_COUNT, false, NULL},
    {"dailyPrice", SHAPE_PRICE, false, NULL},
    {"time", SHAPE_TIME, true, NULL},
    {"by", SHAPE_TEXT, false, NULL},
    {"org", SHAPE_TEXT, false, NULL},
    {0},
};

static const struct rule type_rules[] = {
    {"id", SHAPE_ID, true, NULL},
    {"name", SHAPE_LABELS, true, NULL},
    {"regional", SHAPE_YES_NO, false, NULL},
    {"retired", SHAPE_YES_NO, false, NULL},
    {"reason", SHAPE_TEXT, false, NULL}, /* of the change: not a part of what is kept */
    {0},
};

struct check {
	register_known known;
	void *arg;
	struct register_fault *fault;
	struct ark_error *err;
};

static int wrong(const struct check *c, const char *field, const char *code, const char *must)
{
	if (c->fault) {
		snprintf(c->fault->field, sizeof(c->fault->field), "%s", field);
		snprintf(c->fault->code, sizeof(c->fault->code), "%s", code);
	}
	return ark_fail(c->err, ARK_EINPUT, "%s must be %s", field, must);
}

/* ---- single values ---- */

static bool text_ok(const json_t *v, size_t most)
{
	const char *text = json_string_value(v);
	size_t len = json_string_length(v);

	for (size_t i = 0; i < len; i++)
		if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f)
			return false;
	return text && len == strlen(text) && !utf8_blank(text) && utf8_length(text, len) <= most;
}

static bool name_ok(const json_t *v)
{
	const char *language;
	json_t *part;

	if (json_is_string(v))
		return text_ok(v, TEXT_CHARS);
	if (!json_is_object(v) || json_object_size(v) == 0 || json_object_size(v) > 10)
		return false;
	json_object_foreach((json_t *)(uintptr_t)v, language, part)
	{
		if (strlen(language) > 8 || !text_ok(part, TEXT_CHARS))
			return false;
	}
	return true;
}

static bool labels_ok(const json_t *v)
{
	static const char *const languages[] = {"fi", "sv", "en"};

	for (size_t i = 0; i < sizeof(languages) / sizeof(*languages); i++)
		if (!text_ok(json_object_get(v, languages[i]), LABEL_CHARS))
			return false;
	return json_object_size(v) == sizeof(languages) / sizeof(*languages);
}

static bool language_ok(const json_t *v)
{
	const char *code = json_string_value(v);
	size_t n = code ? strspn(code, "abcdefghijklmnopqrstuvwxyz") : 0;

	return (n == 2 || n == 3) && !code[n];
}

/* ITU-T X.660: arcs from the root, which is 0, 1 or 2; no arc begins with a needless 0. */
static bool oid_ok(const json_t *v)
{
	const char *at = json_string_value(v);
	size_t arcs = 0;

	if (!at || json_string_length(v) > 128 || *at < '0' || *at > '2')
		return false;
	for (;; at++) {
		size_t n = strspn(at, "0123456789");

		if (!n || (n > 1 && *at == '0'))
			return false;
		arcs++;
		at += n;
		if (*at != '.')
			break;
	}
	return !*at && arcs >= 2;
}

static bool one_of(const json_t *v, const char *const *codes)
{
	const char *text = json_string_value(v);

	for (size_t i = 0; text && codes[i]; i++)
		if (strcmp(codes[i], text) == 0)
			return true;
	return false;
}

static const char *const case_states[] = {
    "opened", "heard", "decided", "follow-up", "closed", NULL};
static const char *const registration_states[] = {"registered", "licensed", "ended", NULL};

bool case_state_valid(const char *state)
{
	for (size_t i = 0; case_states[i]; i++)
		if (strcmp(case_states[i], state) == 0)
			return true;
	return false;
}

static bool number_ok(const json_t *v, bool whole, double most)
{
	double n = json_number_value(v);

	return (whole ? json_is_integer(v) : json_is_number(v)) && n >= 0 && n <= most;
}

static bool is_known(const struct check *c, const char *kind, const json_t *v)
{
	const char *id = json_string_value(v);

	return id && id_valid(id) && c->known(c->arg, kind, id);
}

/* A list whose members are of one shape. */
static bool list_ok(const struct check *c, const json_t *list, enum shape shape)
{
	json_t *v;
	size_t i;

	if (!json_is_array(list) || json_array_size(list) > LIST_MOST)
		return false;
	json_array_foreach(list, i, v)
	{
		if (shape == SHAPE_UNITS       ? !is_known(c, "units", v)
		    : shape == SHAPE_LANGUAGES ? !language_ok(v)
					       : !text_ok(v, TEXT_CHARS))
			return false;
	}
	return true;
}

static bool sources_ok(const json_t *sources)
{
	static const char *const from[] = {"soteri", "provider", "authority", NULL};
	const char *field, *date;
	json_t *v;

	if (!json_is_object(sources))
		return false;
	json_object_foreach((json_t *)(uintptr_t)sources, field, v)
	{
		date = json_text(v, "date");
		if (!register_field("units", field) ||
		    !one_of(json_object_get(v, "source"), from) ||
		    (json_object_get(v, "date") && (!date || !date_valid(date))))
			return false;
	}
	return true;
}

static bool value_ok(const struct check *c, enum shape shape, const json_t *v)
{
	const char *text = json_string_value(v);
	int64_t time;

	switch (shape) {
	case SHAPE_ID:
		return text && id_valid(text);
	case SHAPE_TEXT:
		return text_ok(v, TEXT_CHARS);
	case SHAPE_CODE:
		return text_ok(v, 16) && strlen(text) <= 16;
	case SHAPE_DAY:
		return text && date_valid(text);
	case SHAPE_TIME:
		return text && clock_parse(text, &time);
	case SHAPE_NAME:
		return name_ok(v);
	case SHAPE_LABELS:
		return labels_ok(v);
	case SHAPE_YES_NO:
		return json_is_boolean(v);
	case SHAPE_COUNT:
		return number_ok(v, true, COUNT_MOST);
	case SHAPE_PRICE:
		return number_ok(v, false, PRICE_MOST);
	case SHAPE_OID:
		return oid_ok(v);
	case SHAPE_STATE:
		return one_of(v, registration_states);
	case SHAPE_CASE_STATE:
		return one_of(v, case_states);
	case SHAPE_ORG:
		return is_known(c, "orgs", v);
	case SHAPE_UNIT:
		return is_known(c, "units", v);
	case SHAPE_SOURCES:
		return sources_ok(v);
	case SHAPE_LIST:
		return json_is_array(v) && json_array_size(v) <= LIST_MOST;
	case SHAPE_OBJECT:
		return json_is_object(v);
	default:
		return list_ok(c, v, shape);
	}
}

/* ---- records ---- */

static const struct rule *rule_of(const struct rule *rules, const char *field)
{
	for (; rules->field; rules++)
		if (strcmp(rules->field, field) == 0)
			return rules;
	return NULL;
}

/* One field of an object that stands at `path` ("" for the record itself). */
static int check_field(
    const struct check *c, const struct rule *rule, const json_t *object, const char *path)
{
	const json_t *v = json_object_get(object, rule->field);
	char field[64];

	snprintf(field, sizeof(field), "%.40s%.20s", path, rule->field);
	if (!v || json_is_null(v))
		return rule->required ? wrong(c, field, "required", wanted[rule->shape]) : ARK_OK;
	return value_ok(c, rule->shape, v) ? ARK_OK
					   : wrong(c, field, "bad-value", wanted[rule->shape]);
}

/* No day of an end before that of its beginning. */
static int check_order(
    const struct check *c, const json_t *object, const char *from, const char *to, const char *path)
{
	const char *first = json_text(object, from), *last = json_text(object, to);
	char field[64];

	if (!first || !last || strcmp(first, last) <= 0)
		return ARK_OK;
	snprintf(field, sizeof(field), "%.40s%.20s", path, to);
	return wrong(c, field, "bad-order", "no earlier than the day on which it began");
}

/* An object inside a record: what is not among its fields is refused, for nobody would find it again. */
static int check_inner(
    const struct check *c, const struct rule *rules, const json_t *object, const char *path)
{
	const char *key;
	char field[64];
	json_t *v;
	int rc = ARK_OK;

	snprintf(field, sizeof(field), "%.40s", path);
	field[strlen(field) - 1] = '\0'; /* without its slash */
	if (!json_is_object(object))
		return wrong(c, field, "bad-value", wanted[SHAPE_OBJECT]);
	json_object_foreach((json_t *)(uintptr_t)object, key, v)
	{
		if (!rule_of(rules, key))
			return wrong(c, field, "unknown-field", "an object of its fields alone");
	}
	for (const struct rule *r = rules; !rc && r->field; r++)
		rc = check_field(c, r, object, path);
	return rc ? rc : check_order(c, object, "from", "to", path);
}

static int check_nested(const struct check *c, const struct rule *rule, const json_t *record)
{
	const json_t *v = json_object_get(record, rule->field), *one;
	char path[64];
	size_t i;
	int rc = ARK_OK;

	if (rule->shape == SHAPE_OBJECT && json_is_object(v)) {
		snprintf(path, sizeof(path), "%s/", rule->field);
		return check_inner(c, rule->of, v, path);
	}
	json_array_foreach(v, i, one)
	{
		snprintf(path, sizeof(path), "%s/%zu/", rule->field, i);
		if (!rc)
			rc = check_inner(c, rule->of, one, path);
	}
	return rc;
}

static int check_record(const struct check *c, const struct rule *rules, const json_t *record)
{
	int rc = json_is_object(record) ? ARK_OK : wrong(c, "", "bad-value", wanted[SHAPE_OBJECT]);

	for (const struct rule *r = rules; !rc && r->field; r++) {
		rc = check_field(c, r, record, "");
		if (!rc && r->of)
			rc = check_nested(c, r, record);
	}
	return rc ? rc : check_order(c, record, "from", "to", "");
}

int unit_check(const json_t *record, register_known known, void *arg, struct register_fault *fault,
    struct ark_error *err)
{
	const struct check c = {known, arg, fault, err};
	int rc = check_record(&c, unit_rules, record);
	const char *id = json_text(record, "id");
	json_t *v;
	size_t i;

	json_array_foreach(json_object_get(record, "predecessors"), i, v)
	{
		if (!rc && strcmp(json_string_value(v), id) == 0)
			rc = wrong(&c, "predecessors", "bad-value", "other units than this one");
	}
	return rc;
}

int case_check(const json_t *record, register_known known, void *arg, struct register_fault *fault,
    struct ark_error *err)
{
	const struct check c = {known, arg, fault, err};
	int rc = check_record(&c, case_rules, record);

	return rc ? rc : check_order(&c, record, "opened", "closed", "");
}

int vacancies_check(const json_t *record, register_known known, void *arg,
    struct register_fault *fault, struct ark_error *err)
{
	const struct check c = {known, arg, fault, err};

	return check_record(&c, vacancies_rules, record);
}

int type_check(const json_t *record, struct register_fault *fault, struct ark_error *err)
{
	const struct check c = {NULL, NULL, fault, err};

	return check_record(&c, type_rules, record);
}

bool type_retired(const json_t *type)
{
	return json_is_true(json_object_get(type, "retired"));
}

bool register_field(const char *kind, const char *field)
{
	const struct rule *rules = strcmp(kind, "units") == 0   ? unit_rules
				   : strcmp(kind, "cases") == 0 ? case_rules
				   : strcmp(kind, "types") == 0 ? type_rules
								: vacancies_rules;

	return rule_of(rules, field) != NULL;
}
