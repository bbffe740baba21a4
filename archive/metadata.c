#include "arkki/archive/metadata.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "arkki/archive/registers.h"
#include "arkki/base/clock.h"
#include "arkki/base/json.h"
#include "arkki/base/text.h"

/* One check in progress: errors are gathered, not stopped at. */
struct check {
	struct registry *registry;
	const json_t *given, *base;
	json_t *out;
	json_t *errors;
	bool lost; /* an error could not be written down: refused all the same */
};

enum { TITLE_MAX = 500, GROUND_MAX = 500, LIST_MAX = 50 };

static void wrong(struct check *c, const char *field, const char *code, const char *fmt, ...)
    ARK_PRINTF(4, 5);
static void wrong(struct check *c, const char *field, const char *code, const char *fmt, ...)
{
	char detail[300];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(detail, sizeof(detail), fmt, ap);
	va_end(ap);
	if (json_array_append_new(c->errors,
		json_pack("{s:s,s:s,s:s}", "field", field, "code", code, "detail", detail)))
		c->lost = true;
}

/* The value that will stand: given, or else of the base; NULL when absent or given as null. */
static const json_t *effective(struct check *c, const char *field)
{
	json_t *v = json_object_get(c->given, field);

	if (v)
		return json_is_null(v) ? NULL : v;
	return json_object_get(c->base, field);
}

static const char *text_of(struct check *c, const json_t *v, const char *field, size_t max)
{
	const char *s = json_string_value(v);
	size_t n;

	if (!s) {
		wrong(c, field, "type", "must be a text");
		return NULL;
	}
	n = utf8_length(s, json_string_length(v));
	if (n < 1 || n > max) {
		wrong(c, field, "length", "must have 1 to %zu characters, has %zu", max, n);
		return NULL;
	}
	return s;
}

static void required(struct check *c, const char *field)
{
	wrong(c, field, "required", "is required");
}

static void take_text(struct check *c, const char *field, size_t max, bool must)
{
	const json_t *v = effective(c, field);
	const char *s;

	if (!v) {
		if (must)
			required(c, field);
		return;
	}
	s = text_of(c, v, field, max);
	if (s)
		json_object_set_new(c->out, field, json_string(s));
}

static void take_choice(struct check *c, json_t *into, const json_t *v, const char *path,
    const char *field, const char *const *choices)
{
	const char *s = json_string_value(v);

	for (size_t i = 0; s && choices[i]; i++) {
		if (strcmp(s, choices[i]) == 0) {
			json_object_set_new(into, field, json_string(s));
			return;
		}
	}
	wrong(c, path, s ? "value" : "type", "must be one of the defined values, see the taxonomy");
}

static void take_date(
    struct check *c, json_t *into, const json_t *v, const char *path, const char *field)
{
	const char *s = json_string_value(v);

	if (s && date_valid(s))
		json_object_set_new(into, field, json_string(s));
	else
		wrong(c, path, s ? "value" : "type",
		    "must be a date YYYY-MM-DD of the years 1800 to 2200");
}

/* What a document is called does not change because others are not called so any more. */
static bool keeps_type(const struct check *c, const char *type)
{
	const char *before = json_text(c->base, "type");

	return before && strcmp(before, type) == 0;
}

static void take_type(struct check *c, json_t **ret_type)
{
	const json_t *v = effective(c, "type");
	const char *s;

	*ret_type = NULL;
	if (!v) {
		required(c, "type");
		return;
	}
	s = text_of(c, v, "type", 64);
	if (!s)
		return;
	*ret_type = registry_get(c->registry, "types", s);
	if (*ret_type && type_retired(*ret_type) && !keeps_type(c, s))
		wrong(c, "type", "retired", "is not given to documents any more");
	else if (*ret_type)
		json_object_set_new(c->out, "type", json_string(s));
	else
		wrong(c, "type", "unknown", "is not a document type of this archive");
}

static bool listed_before(const json_t *list, const char *id)
{
	size_t i;
	json_t *v;

	json_array_foreach(list, i, v) if (strcmp(json_string_value(v), id) == 0) return true;
	return false;
}

/* The ids of a list, each known and listed once. False when it is no such list at all. */
static bool take_ids(
    struct check *c, const json_t *v, const char *field, const char *kind, json_t *out)
{
	json_t *member;
	size_t i;

	if (!json_is_array(v) || json_array_size(v) > LIST_MAX) {
		wrong(c, field, "type", "must be a list of at most %d ids", LIST_MAX);
		return false;
	}
	json_array_foreach(v, i, member)
	{
		const char *id = json_string_value(member);
		char path[32];

		snprintf(path, sizeof(path), "%s/%zu", field, i);
		if (!id)
			wrong(c, path, "type", "must be an id");
		else if (!id_valid(id) || !registry_has(c->registry, kind, id))
			wrong(c, path, "unknown", "is not known to this archive");
		else if (listed_before(out, id))
			wrong(c, path, "repeated", "is listed twice");
		else
			json_array_append(out, member);
	}
	return true;
}

static void take_units(struct check *c, const json_t *type)
{
	const json_t *v = effective(c, "units");
	json_t *out;

	if (!v) {
		required(c, "units");
		return;
	}
	out = json_array();
	if (take_ids(c, v, "units", "units", out) && json_array_size(v) == 0 && type &&
	    !json_is_true(json_object_get(type, "regional")))
		wrong(c, "units", "required", "a document of this type is about at least one unit");
	json_object_set_new(c->out, "units", out);
}

/* The organisations that a document is addressed to. */
static void take_addressees(struct check *c)
{
	const json_t *v = effective(c, "addressees");
	json_t *out = v ? json_array() : NULL;

	if (v && take_ids(c, v, "addressees", "orgs", out) && json_array_size(out))
		json_object_set(c->out, "addressees", out);
	json_decref(out);
}

static void take_id(struct check *c, const char *field, const char *kind, const char *fallback)
{
	const json_t *v = effective(c, field);
	const char *s = v ? json_string_value(v) : fallback;

	if (!v && !fallback)
		return;
	if (!s)
		wrong(c, field, "type", "must be an id");
	else if (!id_valid(s) || !registry_has(c->registry, kind, s))
		wrong(c, field, "unknown", "is not known to this archive");
	else
		json_object_set_new(c->out, field, json_string(s));
}

static void take_language(struct check *c)
{
	const json_t *v = effective(c, "language");
	const char *s;
	size_t n;

	if (!v) {
		required(c, "language");
		return;
	}
	s = json_string_value(v);
	n = s ? strspn(s, "abcdefghijklmnopqrstuvwxyz") : 0;
	if (n >= 2 && n <= 3 && s[n] == '\0')
		json_object_set_new(c->out, "language", json_string(s));
	else
		wrong(c, "language", s ? "value" : "type",
		    "must be a language code of two or three letters, like fi, sv or en");
}

/* The caller's name is given back whole: cut, it might end inside a character. */
static void wrong_member(struct check *c, const char *key)
{
	struct buf field = BUF_INIT;

	buf_addf(&field, "publicity/%s", key);
	if (buf_failed(&field))
		c->lost = true;
	else
		wrong(c, field.data, "unknown-field", "is not a field of the publicity");
	buf_free(&field);
}

static void take_publicity(struct check *c)
{
	static const char *const classes[] = {"public", "partly-secret", "secret", NULL};
	static const char *const known[] = {"class", "ground", "from", "until"};
	const json_t *v = effective(c, "publicity");
	json_t *out = json_object(), *member;
	const char *key;

	if (!v) {
		required(c, "publicity");
		required(c, "publicity/class");
		json_decref(out);
		return;
	}
	if (!json_is_object(v)) {
		wrong(c, "publicity", "type", "must be an object with a class");
		json_decref(out);
		return;
	}
	if (json_object_get(v, "class"))
		take_choice(
		    c, out, json_object_get(v, "class"), "publicity/class", "class", classes);
	else
		required(c, "publicity/class");
	member = json_object_get(v, "ground");
	if (member && !json_is_null(member)) {
		const char *s = text_of(c, member, "publicity/ground", GROUND_MAX);

		if (s)
			json_object_set_new(out, "ground", json_string(s));
	}
	for (size_t i = 2; i < 4; i++) {
		char path[32];

		snprintf(path, sizeof(path), "publicity/%s", known[i]);
		member = json_object_get(v, known[i]);
		if (member && !json_is_null(member))
			take_date(c, out, member, path, known[i]);
	}
	json_object_foreach((json_t *)(uintptr_t)v, key, member)
	{
		bool ok = false;

		for (size_t i = 0; i < 4; i++)
			ok |= strcmp(key, known[i]) == 0;
		if (!ok)
			wrong_member(c, key);
	}
	json_object_set_new(c->out, "publicity", out);
}

static void refuse_unknown(struct check *c)
{
	static const char *const known[] = {"units", "case", "type", "title", "publicTitle",
	    "language", "date", "publicity", "author", "state", "visitDate", "addressees", NULL};
	const char *key;
	json_t *v;

	json_object_foreach((json_t *)(uintptr_t)c->given, key, v)
	{
		size_t i = 0;

		while (known[i] && strcmp(known[i], key) != 0)
			i++;
		if (!known[i])
			wrong(c, key, "unknown-field", "is not a field of the metadata");
	}
}

int metadata_check(struct registry *registry, const json_t *given, const json_t *base,
    const char *default_author, json_t **ret, json_t **ret_errors, struct ark_error *err)
{
	static const char *const states[] = {"final", "draft", NULL};
	struct check c = {.registry = registry, .given = given, .base = base};
	json_t *type = NULL;
	const json_t *v;
	int rc = ARK_OK;

	c.out = json_object();
	c.errors = json_array();
	if (!json_is_object(given)) {
		wrong(&c, "metadata", "type", "must be a JSON object");
		goto out;
	}
	refuse_unknown(&c);
	take_type(&c, &type);
	take_units(&c, type);
	take_id(&c, "case", "cases", NULL);
	take_text(&c, "title", TITLE_MAX, true);
	take_text(&c, "publicTitle", TITLE_MAX, false);
	take_language(&c);
	v = effective(&c, "date");
	if (v)
		take_date(&c, c.out, v, "date", "date");
	else
		required(&c, "date");
	take_publicity(&c);
	take_id(&c, "author", "orgs", default_author);
	v = effective(&c, "state");
	if (v)
		take_choice(&c, c.out, v, "state", "state", states);
	else
		json_object_set_new(c.out, "state", json_string("final"));
	v = effective(&c, "visitDate");
	if (v)
		take_date(&c, c.out, v, "visitDate", "visitDate");
	take_addressees(&c);
out:
	if (json_array_size(c.errors)) {
		const json_t *first = json_array_get(c.errors, 0);

		rc = ark_fail(err, ARK_EINPUT, "metadata: %s %s", json_text(first, "field"),
		    json_text(first, "detail"));
	} else if (c.lost) {
		rc = ark_fail(err, ARK_ENOMEM, "no memory to check the metadata");
	}
	if (rc) {
		json_decref(c.out);
		if (ret_errors)
			*ret_errors = json_incref(c.errors);
	} else {
		*ret = c.out;
	}
	json_decref(c.errors);
	json_decref(type);
	return rc;
}
