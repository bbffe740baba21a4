#include "api/unit_words.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arkki/base/clock.h"
#include "arkki/base/json.h"

#define DAY_US (24 * INT64_C(3600) * 1000000)

void words_say(
    const struct words *w, struct buf *out, enum say what, const char *const *values, size_t n)
{
	for (const char *at = i18n_text(w->language, what); *at;) {
		size_t len = strcspn(at, "{");

		buf_add(out, at, len);
		at += len;
		if (*at && at[1] >= '0' && at[1] <= '9' && at[2] == '}') {
			size_t i = (size_t)(at[1] - '0');

			buf_adds(out, i < n && values[i] ? values[i] : "");
			at += 3;
		} else if (*at) {
			buf_addc(out, *at++);
		}
	}
}

static void say_count(const struct words *w, struct buf *out, enum say what, uint64_t count)
{
	char number[I18N_SIZE];
	const char *values[] = {number};

	i18n_number(number, w->language, count);
	words_say(w, out, i18n_plural(what, count), values, 1);
}

void words_name(const struct words *w, struct buf *out, const char *kind, const char *id)
{
	json_t *record = registry_get(w->registry, kind, id);
	const char *name = i18n_name(w->language, record, NULL);

	if (name || strcmp(kind, "orgs") != 0)
		buf_adds(out, name ? name : id);
	else
		words_say(w, out, SAY_NAME_NOT_KNOWN, &id, 1);
	json_decref(record);
}

/* Helsinki has the tasks of a county without being one. */
static bool is_county(const json_t *org, const char *code)
{
	const json_t *codes = json_object_get(org, "counties");
	const char *kind = json_text(org, "kind"),
		   *own = json_string_value(json_array_get(codes, 0));

	return kind && own && json_array_size(codes) == 1 && strcmp(own, code) == 0 &&
	       (strcmp(kind, "county") == 0 ||
		   (strcmp(kind, "municipality") == 0 && strcmp(code, "90") == 0));
}

static const char *county_name(enum http_language language, const char *code)
{
	static const struct {
		const char *code, *said[I18N_LANGUAGES];
	} counties[] = {
#define COUNTY(code, fi, sv, en) {code, {fi, sv, en}},
#include "api/counties.def"
#undef COUNTY
	};

	for (size_t i = 0; i < sizeof(counties) / sizeof(*counties); i++)
		if (strcmp(counties[i].code, code) == 0)
			return counties[i].said[language];
	return NULL;
}

void words_county(const struct words *w, struct buf *out, const char *code)
{
	json_t *all = registry_all(w->registry, "orgs"), *org;
	const char *name = NULL;
	size_t i;

	json_array_foreach(all, i, org)
	{
		if (!name && is_county(org, code))
			name = i18n_name(w->language, org, NULL);
	}
	if (!name)
		name = county_name(w->language, code);
	if (name)
		buf_adds(out, name);
	else
		words_say(w, out, SAY_NAME_NOT_KNOWN, &code, 1);
	json_decref(all);
}

/* ---- time ---- */

bool words_days(const char *date, long *ret)
{
	int64_t then, now;
	char day[11], today[11];

	if (!date || !clock_parse(date, &then))
		return false;
	if (strlen(date) == 10)
		snprintf(day, sizeof(day), "%s", date);
	else
		clock_day(day, then);
	clock_day(today, clock_now_us());
	if (!clock_parse(day, &then) || !clock_parse(today, &now))
		return false;
	*ret = (long)((now - then) / DAY_US);
	return true;
}

void words_age(const struct words *w, struct buf *out, const char *date)
{
	char text[I18N_SIZE];
	long days;

	if (!words_days(date, &days))
		return;
	if (days < 0) {
		i18n_date(text, date);
		buf_adds(out, text);
	} else if (days == 0) {
		buf_adds(out, i18n_text(w->language, SAY_AGE_TODAY));
	} else if (days < 60) {
		say_count(w, out, SAY_AGE_DAYS, (uint64_t)days);
	} else if (days < 730) {
		say_count(w, out, SAY_AGE_MONTHS, (uint64_t)days * 12 / 365);
	} else {
		say_count(w, out, SAY_AGE_YEARS, (uint64_t)days / 365);
	}
}

void words_deadline(const struct words *w, struct buf *out, const json_t *order)
{
	const char *deadline = json_text(order, "deadline");
	char date[I18N_SIZE];
	const char *values[] = {date};
	long days;

	if (!words_days(deadline, &days)) {
		buf_adds(out, i18n_text(w->language, SAY_UNIT_ORDER_NO_DUE));
		return;
	}
	i18n_date(date, deadline);
	words_say(w, out, SAY_UNIT_ORDER_DUE, values, 1);
	buf_adds(out, ". ");
	if (days > 0)
		say_count(w, out, SAY_UNIT_ORDER_OVERDUE, (uint64_t)days);
	else if (days < 0)
		say_count(w, out, SAY_UNIT_ORDER_LEFT, (uint64_t)-days);
	else
		buf_adds(out, i18n_text(w->language, SAY_UNIT_ORDER_TODAY));
}

/* ---- codes ---- */

struct coded {
	const char *code;
	enum say what;
};

static enum say said_of(const struct coded *list, size_t n, const char *code)
{
	for (size_t i = 0; code && i < n; i++)
		if (strcmp(list[i].code, code) == 0)
			return list[i].what;
	return SAY_COUNT;
}
#define SAID(list, code) said_of((list), sizeof(list) / sizeof(*(list)), (code))

const char *words_service_form(enum http_language language, const char *code)
{
	static const struct coded forms[] = {
	    {"institution", SAY_FORM_INSTITUTION},
	    {"family-home", SAY_FORM_FAMILY_HOME},
	    {"special-care", SAY_FORM_SPECIAL_CARE},
	    {"reception", SAY_FORM_RECEPTION},
	};
	enum say what = SAID(forms, code);

	return what == SAY_COUNT ? code : i18n_text(language, what);
}

enum say words_event(const char *kind)
{
	static const struct coded kinds[] = {
	    {"document", SAY_EVENT_DOCUMENT},
	    {"visit", SAY_EVENT_VISIT},
	    {"order", SAY_EVENT_ORDER},
	    {"deadline", SAY_EVENT_DEADLINE},
	    {"case-opened", SAY_EVENT_CASE_OPENED},
	    {"case-closed", SAY_EVENT_CASE_CLOSED},
	    {"registration", SAY_EVENT_REGISTRATION},
	    {"provider", SAY_EVENT_PROVIDER},
	    {"name", SAY_EVENT_NAME},
	    {"places", SAY_EVENT_PLACES},
	    {"predecessor", SAY_EVENT_PREDECESSOR},
	};
	enum say what = SAID(kinds, kind);

	return what == SAY_COUNT ? SAY_EVENT_OTHER : what;
}

const char *words_registration(enum http_language language, const char *state)
{
	static const struct coded states[] = {
	    {"registered", SAY_UNIT_REGISTERED},
	    {"licensed", SAY_UNIT_LICENSED},
	    {"ended", SAY_UNIT_ENDED},
	};
	enum say what = SAID(states, state);

	return what == SAY_COUNT ? state : i18n_text(language, what);
}

bool words_is_report(const char *type)
{
	for (size_t i = 0; type && words_reports[i]; i++)
		if (strcmp(words_reports[i], type) == 0)
			return true;
	return false;
}

const char *const words_reports[] = {"inspection-report", "guidance-visit-memo",
    "ombudsman-inspection-record", "supervision-decision", "complaint-decision", "order",
    "admonition", "pre-inspection", NULL};

/* ---- events ---- */

static void add_case(const struct words *w, const json_t *event, struct buf *out)
{
	const char *number = json_text(event, "diaryNumber"), *org = json_text(event, "org");

	buf_adds(out, number ? number : json_text(event, "case"));
	if (org) {
		buf_adds(out, ", ");
		words_name(w, out, "orgs", org);
	}
}

/* What the event says beyond its kind. */
void words_event_detail(const struct words *w, const json_t *event, struct buf *out)
{
	const char *kind = json_text(event, "kind"), *text = NULL;
	const json_t *order = json_object_get(event, "order");
	char number[I18N_SIZE];

	if (!kind)
		return;
	if (strncmp(kind, "case-", 5) == 0) {
		add_case(w, event, out);
	} else if (strcmp(kind, "registration") == 0) {
		text = words_registration(w->language, json_text(event, "state"));
		buf_adds(out, text ? text : "");
		text = json_text(event, "diaryNumber");
		if (text)
			buf_addf(out, ", %s", text);
	} else if (strcmp(kind, "provider") == 0 && json_text(event, "provider")) {
		words_name(w, out, "orgs", json_text(event, "provider"));
	} else if (strcmp(kind, "predecessor") == 0 && json_text(event, "predecessor")) {
		words_name(w, out, "units", json_text(event, "predecessor"));
	} else if (strcmp(kind, "name") == 0) {
		text = i18n_name(w->language, event, NULL);
		buf_adds(out, text ? text : "");
	} else if (json_is_integer(json_object_get(event, "places"))) {
		i18n_number(number, w->language,
		    (uint64_t)json_integer_value(json_object_get(event, "places")));
		buf_adds(out, number);
	} else {
		text = json_text(json_is_object(order) ? order : event,
		    json_is_object(order) ? "text" : "title");
		buf_adds(out, text ? text : "");
	}
}

bool words_elsewhere(const json_t *event, const char *unit)
{
	const char *at = json_text(event, "unit");

	return at && strcmp(at, unit) != 0;
}

void words_event_line(const struct words *w, const json_t *event, const char *unit, struct buf *out)
{
	struct buf name = BUF_INIT;

	buf_addf(out, "%s: ", i18n_text(w->language, words_event(json_text(event, "kind"))));
	words_event_detail(w, event, out);
	if (words_elsewhere(event, unit)) {
		words_name(w, &name, "units", json_text(event, "unit"));
		buf_adds(out, ", ");
		words_say(w, out, SAY_TIMELINE_AT, (const char *const[]){name.data}, 1);
	}
	buf_free(&name);
}

/* ---- facts ---- */

struct telling {
	const struct words *w;
	const json_t *unit;
	void (*each)(void *arg, enum say label, const char *value, const char *source);
	void *arg;
	struct buf value, source;
};

static void source_of(struct telling *t, const char *field)
{
	static const struct coded sources[] = {
	    {"soteri", SAY_SOURCE_SOTERI},
	    {"provider", SAY_SOURCE_PROVIDER},
	    {"authority", SAY_SOURCE_AUTHORITY},
	};
	const json_t *s = json_object_get(json_object_get(t->unit, "sources"), field);
	const char *code = json_text(s, "source"), *date = json_text(s, "date");
	enum say what = SAID(sources, code);
	struct buf age = BUF_INIT;
	char day[I18N_SIZE];

	buf_clear(&t->source);
	buf_adds(&t->source, "");
	if (!code || !date)
		return;
	i18n_date(day, date);
	words_age(t->w, &age, date);
	words_say(t->w, &t->source, SAY_UNIT_SOURCE,
	    (const char *const[]){
		what == SAY_COUNT ? code : i18n_text(t->w->language, what), day, age.data},
	    3);
	buf_free(&age);
}

/* What has been gathered in t->value. */
static void tell(struct telling *t, enum say label, const char *field)
{
	source_of(t, field);
	if (t->value.len && !buf_failed(&t->value) && !buf_failed(&t->source))
		t->each(t->arg, label, t->value.data, t->source.data);
	buf_clear(&t->value);
}

static void add_days(struct buf *out, const json_t *span)
{
	const char *from = json_text(span, "from"), *to = json_text(span, "to");
	char day[I18N_SIZE];

	if (!from && !to)
		return;
	buf_adds(out, " (");
	if (from) {
		i18n_date(day, from);
		buf_adds(out, day);
	}
	buf_adds(out, "–");
	if (to) {
		i18n_date(day, to);
		buf_adds(out, day);
	}
	buf_adds(out, ")");
}

static void tell_registration(struct telling *t)
{
	const json_t *r = json_object_get(t->unit, "registration");
	const char *state = json_text(r, "state"), *in = json_text(r, "register"),
		   *number = json_text(r, "diaryNumber");

	if (!state)
		return;
	buf_adds(&t->value, words_registration(t->w->language, state));
	if (in)
		buf_addf(&t->value, ", %s", in);
	if (number)
		buf_addf(&t->value, ", %s", number);
	add_days(&t->value, r);
	tell(t, SAY_UNIT_REGISTRATION, "registration");
}

/* "x (from–to), y (from–to)"; of a span without an end only where `past` is not asked for. */
static void tell_spans(struct telling *t, const char *field, const char *key, enum say label,
    bool past, void (*add)(struct telling *t, const json_t *span, const char *key))
{
	const json_t *span;
	size_t i;

	json_array_foreach(json_object_get(t->unit, field), i, span)
	{
		if (past && !json_text(span, "to"))
			continue;
		if (t->value.len)
			buf_adds(&t->value, ", ");
		add(t, span, key);
		add_days(&t->value, span);
	}
	tell(t, label, field);
}

static void add_text(struct telling *t, const json_t *span, const char *key)
{
	const char *text = json_text(span, key);

	buf_adds(&t->value, text ? text : "");
}

static void add_org(struct telling *t, const json_t *span, const char *key)
{
	const char *org = json_text(span, key);

	if (org)
		words_name(t->w, &t->value, "orgs", org);
}

static void add_name(struct telling *t, const json_t *span, const char *key)
{
	const char *name = i18n_name(t->w->language, span, NULL);

	(void)key;
	buf_adds(&t->value, name ? name : "");
}

static void tell_list(struct telling *t, const char *field, enum say label, bool languages)
{
	const json_t *value = json_object_get(t->unit, field), *one;
	size_t i;

	if (json_is_string(value))
		buf_adds(&t->value, json_string_value(value));
	json_array_foreach(value, i, one)
	{
		const char *text = json_string_value(one);
		const char *name = languages ? i18n_language_name(t->w->language, text) : NULL;

		if (text && t->value.len)
			buf_adds(&t->value, ", ");
		if (text)
			buf_adds(&t->value, name ? name : text);
	}
	tell(t, label, field);
}

static void tell_contacts(struct telling *t)
{
	static const char *const keys[] = {"name", "phone", "email"};
	const json_t *one;
	size_t i;

	json_array_foreach(json_object_get(t->unit, "contacts"), i, one)
	{
		bool first = true;

		if (t->value.len)
			buf_adds(&t->value, "; ");
		for (size_t k = 0; k < 3; k++) {
			const char *text = json_text(one, keys[k]);

			if (text)
				buf_addf(&t->value, "%s%s", first ? "" : ", ", text);
			first = first && !text;
		}
	}
	tell(t, SAY_UNIT_CONTACTS, "contacts");
}

static void tell_number(struct telling *t, const json_t *value, enum say label, const char *field)
{
	char number[I18N_SIZE];

	if (!json_is_integer(value) || json_integer_value(value) < 0)
		return;
	i18n_number(number, t->w->language, (uint64_t)json_integer_value(value));
	buf_adds(&t->value, number);
	tell(t, label, field);
}

static void tell_price(struct telling *t, const json_t *price)
{
	char number[I18N_SIZE];
	const char *values[] = {number};

	if (json_is_string(price))
		snprintf(number, sizeof(number), "%.40s", json_string_value(price));
	else if (json_is_number(price))
		snprintf(number, sizeof(number), "%.2f", json_number_value(price));
	else
		return;
	if (t->w->language != HTTP_EN && strchr(number, '.'))
		*strchr(number, '.') = ',';
	words_say(t->w, &t->value, SAY_UNIT_PRICE_EUROS, values, 1);
	tell(t, SAY_UNIT_PRICE, "");
}

static void add_age_of(struct telling *t, const char *time)
{
	struct buf age = BUF_INIT;

	words_age(t->w, &age, time);
	buf_clear(&t->value);
	if (age.len)
		words_say(
		    t->w, &t->value, SAY_UNIT_VACANCIES_AGE, (const char *const[]){age.data}, 1);
	buf_free(&age);
}

/* The provider's own, volatile figures: their age stands beside each. */
static void tell_vacancies(struct telling *t)
{
	const json_t *v = json_object_get(t->unit, "vacancies");
	const json_t *list[] = {json_object_get(v, "freePlaces"), json_object_get(v, "soonFree")};
	static const enum say labels[] = {SAY_UNIT_FREE, SAY_UNIT_SOON_FREE};
	const char *time = json_text(v, "time");
	char number[I18N_SIZE];

	for (size_t i = 0; v && i < 2; i++) {
		if (!json_is_integer(list[i]) || json_integer_value(list[i]) < 0)
			continue;
		i18n_number(number, t->w->language, (uint64_t)json_integer_value(list[i]));
		add_age_of(t, time);
		t->each(t->arg, labels[i], number, t->value.data ? t->value.data : "");
		buf_clear(&t->value);
	}
	tell_price(t, json_object_get(v, "dailyPrice"));
}

static void tell_text(struct telling *t, const char *field, enum say label)
{
	const char *text = json_text(t->unit, field);

	if (text)
		buf_adds(&t->value, text);
	tell(t, label, field);
}

void words_facts(const struct words *w, const json_t *unit,
    void (*each)(void *arg, enum say label, const char *value, const char *source), void *arg)
{
	struct telling t = {.w = w, .unit = unit, .each = each, .arg = arg};
	const char *form = json_text(unit, "serviceForm"), *org = json_text(unit, "provider"),
		   *county = json_text(unit, "county");

	tell_registration(&t);
	if (org)
		words_name(w, &t.value, "orgs", org);
	tell(&t, SAY_UNIT_PROVIDER, "provider");
	tell_spans(&t, "providers", "provider", SAY_UNIT_PROVIDERS, true, add_org);
	if (form)
		buf_adds(&t.value, words_service_form(w->language, form));
	tell(&t, SAY_SERVICE_FORM, "serviceForm");
	tell_number(&t, json_object_get(unit, "places"), SAY_UNIT_PLACES, "places");
	tell_vacancies(&t);
	if (county)
		words_county(w, &t.value, county);
	tell(&t, SAY_COUNTY_LABEL, "county");
	tell_text(&t, "municipality", SAY_UNIT_MUNICIPALITY);
	tell_text(&t, "address", SAY_UNIT_ADDRESS);
	tell_contacts(&t);
	tell_list(&t, "languages", SAY_UNIT_LANGUAGES, true);
	tell_list(&t, "expertise", SAY_UNIT_EXPERTISE, false);
	tell_spans(&t, "names", "name", SAY_UNIT_NAMES, true, add_name);
	tell_spans(&t, "oids", "oid", SAY_UNIT_OID, false, add_text);
	buf_free(&t.value);
	buf_free(&t.source);
}
