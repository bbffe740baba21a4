/* What an auditor types, as the log has it: names become ids, Finnish days become times. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "api/handlers.h"
#include "api/pages/audit.h"
#include "arkki/base/clock.h"
#include "arkki/base/json.h"
#include "arkki/base/text.h"

enum { MINUTE = 60, HOUR = 3600 };
#define SECOND_US INT64_C(1000000)

/* Without white space around it; false: too long. */
static bool typed(struct exchange *x, const char *name, char *ret, size_t size)
{
	const char *text = http_query(x, name);
	size_t len;

	if (!text)
		text = http_form(x, name);
	text = text ? text + strspn(text, " \t\r\n") : "";
	len = strlen(text);
	while (len && strchr(" \t\r\n", text[len - 1]))
		len--;
	ret[0] = '\0';
	if (len >= size)
		return false;
	memcpy(ret, text, len);
	ret[len] = '\0';
	return true;
}

/* ---- records ---- */

struct sought {
	const char *text;
	struct registry *registry;
	const struct caller *own;    /* only people of the caller's organisations; NULL: all */
	const struct exchange *sees; /* only cases that the caller sees; NULL: all */
	char id[65];
	unsigned int found;
};

static bool is_name(const json_t *name, const char *text)
{
	const char *key;
	json_t *value;

	if (json_is_string(name))
		return strcasecmp(json_string_value(name), text) == 0;
	json_object_foreach((json_t *)(uintptr_t)name, key, value)
	{
		if (json_is_string(value) && strcasecmp(json_string_value(value), text) == 0)
			return true;
	}
	return false;
}

static bool is_own(const struct sought *s, const json_t *record)
{
	const char *org = json_text(record, "org");

	for (size_t i = 0; s->own && org && i < s->own->who->access.orgs.len; i++)
		if (strcmp(org, s->own->who->access.orgs.id[i]) == 0)
			return true;
	return !s->own;
}

static void note_record(void *arg, const json_t *record)
{
	struct sought *s = arg;
	const char *id = json_text(record, "id"), *number = json_text(record, "diaryNumber");

	if (!id || strlen(id) > 64 || !is_own(s, record) ||
	    !(is_name(json_object_get(record, "name"), s->text) ||
		(number && strcasecmp(number, s->text) == 0)) ||
	    (s->sees && !case_is_visible(s->sees, record)))
		return;
	memcpy(s->id, id, strlen(id) + 1);
	s->found++;
}

/* A case that the caller does not see is none. */
static bool is_there(const struct sought *s, const char *kind)
{
	json_t *record = registry_get(s->registry, kind, s->text);
	bool there = record && (!s->sees || case_is_visible(s->sees, record));

	json_decref(record);
	return there;
}

bool audit_record_typed(
    struct exchange *x, const char *name, const char *kind, char ret[65], struct faults *f)
{
	struct registry *registry = archive_registry(app_of(x)->archive);
	bool all =
	    caller_may(caller_of(x), ACCESS_AUDIT) || caller_may(caller_of(x), ACCESS_ADMINISTER);
	bool users = strcmp(kind, "users") == 0;
	struct sought s = {.registry = registry,
	    .own = users && !all ? caller_of(x) : NULL,
	    .sees = strcmp(kind, "cases") == 0 && !all ? x : NULL};
	char text[600];

	ret[0] = '\0';
	if (!typed(x, name, text, sizeof(text))) {
		fault_add(f, name, form_said(x, SAY_AUDIT_UNKNOWN));
		return false;
	}
	if (!*text)
		return true;
	s.text = text;
	/* whoever has no account any more, or never had, may stand in the log */
	if (id_valid(text) && (users || is_there(&s, kind))) {
		memcpy(ret, text, strlen(text) + 1);
		return true;
	}
	registry_each(registry, kind, note_record, &s);
	if (s.found == 1)
		memcpy(ret, s.id, sizeof(s.id));
	else
		fault_add(f, name, form_said(x, s.found ? SAY_AUDIT_SEVERAL : SAY_AUDIT_UNKNOWN));
	return s.found == 1;
}

bool audit_document_typed(struct exchange *x, const char *name, char ret[33], struct faults *f)
{
	static const char digits[] = "0123456789abcdef";
	char text[1000];

	ret[0] = '\0';
	if (typed(x, name, text, sizeof(text)))
		for (const char *at = text; *at; at++) {
			size_t n = strspn(at, digits);

			if (n == 32) {
				memcpy(ret, at, 32);
				ret[32] = '\0';
				return true;
			}
			at += n ? n - 1 : 0;
		}
	if (!*text)
		return true;
	fault_add(f, name, form_said(x, SAY_AUDIT_DOCUMENT_WRONG));
	return false;
}

/* ---- times ---- */

/* Midnight in Finland: two hours before that of UTC, three in summer. */
static int64_t day_begins(const char *day)
{
	char there[11];
	int64_t at = 0;

	(void)clock_parse(day, &at);
	at -= 3 * HOUR * SECOND_US;
	clock_day(there, at);
	return strcmp(there, day) == 0 ? at : at + HOUR * SECOND_US;
}

static int64_t next_day_begins(int64_t day_us)
{
	char day[11];

	clock_day(day, day_us + 26 * HOUR * SECOND_US);
	return day_begins(day);
}

bool audit_day_typed(
    struct exchange *x, const char *name, bool after, int64_t *ret, struct faults *f)
{
	char text[I18N_SIZE], day[11];

	*ret = 0;
	if (typed(x, name, text, sizeof(text)) && !*text)
		return true;
	if (!*text || !i18n_date_read(text, day)) {
		fault_add(f, name, form_said(x, SAY_DATE_WRONG));
		return false;
	}
	*ret = day_begins(day);
	if (after)
		*ret = next_day_begins(*ret);
	return true;
}

bool audit_minute_typed(
    struct exchange *x, const char *day, const char *minute, int64_t *ret, struct faults *f)
{
	char text[I18N_SIZE], *end;
	unsigned long h, m = 0;
	int64_t begins;

	if (!audit_day_typed(x, day, false, &begins, f))
		return false;
	*ret = begins ? next_day_begins(begins) - 1 : 0;
	if (typed(x, minute, text, sizeof(text)) && !*text)
		return true;
	h = strtoul(text, &end, 10);
	if (end != text && (*end == '.' || *end == ':'))
		m = strtoul(end + 1, &end, 10);
	if (!*text || *end || strspn(text, "0123456789.:") != strlen(text) || h > 23 || m > 59) {
		fault_add(f, minute, form_said(x, SAY_AUDIT_MINUTE_WRONG));
		return false;
	}
	if (begins)
		*ret = begins + ((int64_t)h * HOUR + (int64_t)m * MINUTE + MINUTE) * SECOND_US - 1;
	return true;
}
