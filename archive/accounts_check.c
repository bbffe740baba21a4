/* What is asked of organisations and accounts, field by field. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "archive/accounts_private.h"
#include "arkki/base/clock.h"
#include "arkki/base/json.h"
#include "arkki/base/text.h"

enum {
	NAME_MAX_CHARS = 200,
	REASON_MAX_CHARS = 500,
	EMAIL_MAX = 254, /* bytes: RFC 5321, section 4.5.3.1.3, less its angle brackets */
	CODES_MAX = 400,
	PREDECESSORS_MAX = 60,
	CONFIRM_LEAST = ACCOUNTS_WARN_DAYS + 1,
	CONFIRM_MOST = 3650,
};

bool business_id_valid(const char *text)
{
	static const unsigned char weights[7] = {7, 9, 10, 5, 8, 4, 2};
	unsigned int sum = 0, rest;

	for (size_t i = 0; i < 7; i++) {
		if (text[i] < '0' || text[i] > '9')
			return false;
		sum += weights[i] * (unsigned int)(text[i] - '0');
	}
	rest = sum %
	       11; /* a rest of 1 would need a check digit of 10: such numbers are not given out */
	return text[7] == '-' && rest != 1 && text[8] == (char)('0' + (rest ? 11 - rest : 0)) &&
	       text[9] == '\0';
}

int account_fault_set(struct account_fault *fault, struct ark_error *err, const char *field,
    const char *code, const char *fmt, ...)
{
	char text[300];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	if (fault) {
		snprintf(fault->field, sizeof(fault->field), "%.39s", field);
		/* what was sent as a name may be cut within a character */
		while (!utf8_valid(fault->field, strlen(fault->field)))
			fault->field[strlen(fault->field) - 1] = '\0';
		snprintf(fault->code, sizeof(fault->code), "%.39s", code);
	}
	return ark_fail(err, ARK_EINPUT, "%s", text);
}

/* ---- values ---- */

/* Something that shows, on one line, in the direction that its letters have. */
static bool shows(const char *text)
{
	size_t len = strlen(text);

	for (size_t i = 0; i < len; i++) {
		const unsigned char *c = (const unsigned char *)text + i;

		if (c[0] < 0x20 || c[0] == 0x7f || utf8_turn(text + i, len - i))
			return false;
		if (c[0] == 0xc2 && c[1] >= 0x80 && c[1] <= 0x9f) /* C1 controls */
			return false;
		if (c[0] == 0xe2 && c[1] == 0x80 && (c[2] == 0xa8 || c[2] == 0xa9)) /* line ends */
			return false;
	}
	return !utf8_blank(text);
}

static bool text_ok(const json_t *value, size_t most)
{
	const char *text = json_string_value(value);

	return text && strlen(text) == json_string_length(value) &&
	       json_string_length(value) <= 4 * most &&
	       utf8_length(text, json_string_length(value)) <= most && shows(text);
}

bool account_reason_ok(const json_t *value)
{
	return text_ok(value, REASON_MAX_CHARS);
}

static bool name_ok(const json_t *value)
{
	const char *language;
	json_t *part;

	if (!json_is_object(value))
		return text_ok(value, NAME_MAX_CHARS);
	json_object_foreach((json_t *)(uintptr_t)value, language, part)
	{
		if ((strcmp(language, "fi") != 0 && strcmp(language, "sv") != 0 &&
			strcmp(language, "en") != 0) ||
		    !text_ok(part, NAME_MAX_CHARS))
			return false;
	}
	return json_object_size(value) > 0;
}

static bool id_ok(const json_t *value)
{
	return json_is_string(value) && id_valid(json_string_value(value));
}

/* Names that the logs have for those who are no account. */
static bool new_id_ok(const json_t *value)
{
	return id_ok(value) && strcmp(json_string_value(value), "operator") != 0 &&
	       strcmp(json_string_value(value), "system") != 0;
}

static bool kind_ok(const json_t *value)
{
	enum access_org_kind kind;

	return json_is_string(value) && access_org_kind_parse(json_string_value(value), &kind);
}

static bool business_id_ok(const json_t *value)
{
	return json_is_string(value) && business_id_valid(json_string_value(value));
}

static bool day_ok(const json_t *value)
{
	return json_is_string(value) && date_valid(json_string_value(value));
}

static bool email_ok(const json_t *value)
{
	const char *text = json_string_value(value), *at = text ? strchr(text, '@') : NULL;

	return at && at > text && at[1] && !strchr(at + 1, '@') &&
	       json_string_length(value) <= EMAIL_MAX && !strpbrk(text, " \t<>()[]\\,;:\"") &&
	       text_ok(value, EMAIL_MAX);
}

static bool list_ok(const json_t *value, size_t most, bool (*ok)(const json_t *value))
{
	const json_t *v;
	size_t i;

	if (!json_is_array(value) || json_array_size(value) > most)
		return false;
	json_array_foreach(value, i, v)
	{
		if (!ok(v))
			return false;
	}
	return true;
}

static bool code_ok(const json_t *value)
{
	return id_ok(value) && json_string_length(value) <= 16;
}

static bool codes_ok(const json_t *value)
{
	return list_ok(value, CODES_MAX, code_ok);
}

static bool ids_ok(const json_t *value)
{
	return list_ok(value, PREDECESSORS_MAX, id_ok);
}

static bool role_ok(const json_t *value)
{
	unsigned int bit;

	return json_is_string(value) && access_role_parse(json_string_value(value), &bit);
}

static bool roles_ok(const json_t *value)
{
	return list_ok(value, ACCESS_ROLES, role_ok);
}

static bool days_ok(const json_t *value)
{
	return json_is_integer(value) && json_integer_value(value) >= CONFIRM_LEAST &&
	       json_integer_value(value) <= CONFIRM_MOST;
}

static bool state_ok(const json_t *value)
{
	enum account_state state;

	return json_is_string(value) && account_state_parse(json_string_value(value), &state);
}

/* ---- fields ---- */

enum { NEEDED = 1, FIXED = 2, LATER = 4 }; /* needed; cannot change; not at the beginning */

struct field {
	const char *name;
	unsigned int flags;
	bool (*ok)(const json_t *value);
	const char *code, *must;
};

static const struct field org_fields[] = {
    {"id", NEEDED | FIXED, new_id_ok, "malformed", "must be 1 to 64 of a-z, 0-9 and -"},
    {"kind", NEEDED | FIXED, kind_ok, "unknown",
	"must be state-agency, county, municipality, ombudsman or provider"},
    {"name", NEEDED, name_ok, "malformed",
	"must be a text of 1 to 200 characters on one line, or such texts under fi, sv and en"},
    {"businessId", 0, business_id_ok, "check-digit",
	"must be a Finnish business id such as 1234567-1 whose check digit is right"},
    {"counties", 0, codes_ok, "malformed", "must be a list of county codes"},
    {"municipalities", 0, codes_ok, "malformed", "must be a list of municipality codes"},
    {"from", 0, day_ok, "malformed", "must be a day, YYYY-MM-DD"},
    {"to", 0, day_ok, "malformed", "must be a day, YYYY-MM-DD"},
    {"predecessors", 0, ids_ok, "malformed", "must be a list of at most 60 organisation ids"},
    {"confirmEvery", 0, days_ok, "range", "must be a number of days from 15 to 3650"},
    {"reason", 0, account_reason_ok, "malformed", "must be a text of 1 to 500 characters"},
};

static const struct field user_fields[] = {
    {"id", NEEDED | FIXED, new_id_ok, "malformed",
	"must be 1 to 64 of a-z, 0-9 and -, and neither operator nor system"},
    {"org", NEEDED | FIXED, id_ok, "malformed", "must be the id of an organisation"},
    {"name", NEEDED, name_ok, "malformed",
	"must be a text of 1 to 200 characters on one line, or such texts under fi, sv and en"},
    {"email", 0, email_ok, "malformed", "must be an e-mail address"},
    {"roles", NEEDED, roles_ok, "unknown",
	"must be a list of: inspector registrar supervisor auditor placer contact admin system"},
    {"from", 0, day_ok, "malformed", "must be a day, YYYY-MM-DD"},
    {"to", 0, day_ok, "malformed", "must be a day, YYYY-MM-DD"},
    {"state", LATER, state_ok, "unknown", "must be active, suspended or closed"},
    {"reason", 0, account_reason_ok, "malformed", "must be a text of 1 to 500 characters"},
};

static const struct field *field_of(const struct field *fields, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(fields[i].name, name) == 0)
			return &fields[i];
	return NULL;
}

static int check(const json_t *wish, bool fresh, const struct field *fields, size_t n,
    struct account_fault *fault, struct ark_error *err)
{
	const char *name;
	json_t *value;

	if (!json_is_object(wish))
		return account_fault_set(fault, err, "", "malformed", "must be a JSON object");
	json_object_foreach((json_t *)(uintptr_t)wish, name, value)
	{
		const struct field *f = field_of(fields, n, name);

		if (!f || (fresh && (f->flags & LATER)))
			return account_fault_set(
			    fault, err, name, "unknown-field", "is not known here");
		if (!fresh && (f->flags & FIXED))
			return account_fault_set(fault, err, name, "fixed",
			    "%s stays what it is; open a new one instead", name);
		if (json_is_null(value) && (f->flags & (NEEDED | LATER)))
			return account_fault_set(
			    fault, err, name, "required", "%s is required", name);
		if (!json_is_null(value) && !f->ok(value))
			return account_fault_set(fault, err, name, f->code, "%s %s", name, f->must);
	}
	for (size_t i = 0; fresh && i < n; i++)
		if ((fields[i].flags & NEEDED) && !json_object_get(wish, fields[i].name))
			return account_fault_set(fault, err, fields[i].name, "required",
			    "%s is required", fields[i].name);
	return ARK_OK;
}

int account_check_days(const json_t *record, struct account_fault *fault, struct ark_error *err)
{
	const char *from = json_text(record, "from"), *to = json_text(record, "to");

	if (from && to && strcmp(from, to) > 0)
		return account_fault_set(
		    fault, err, "to", "range", "to is the last day and cannot be before from");
	return ARK_OK;
}

int account_check_org(
    const json_t *wish, bool fresh, struct account_fault *fault, struct ark_error *err)
{
	return check(wish, fresh, org_fields, sizeof(org_fields) / sizeof(*org_fields), fault, err);
}

int account_check_user(
    const json_t *wish, bool fresh, struct account_fault *fault, struct ark_error *err)
{
	return check(
	    wish, fresh, user_fields, sizeof(user_fields) / sizeof(*user_fields), fault, err);
}

int accounts_user_check(const json_t *fields, struct account_fault *fault, struct ark_error *err)
{
	return account_check_user(fields, false, fault, err);
}
