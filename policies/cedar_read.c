#include "policies/cedar_read.h"

#include <ctype.h>
#include <string.h>

#include "policies/cedar_extension.h"
#include "policies/cedar_text.h"

/* jansson takes objects to iterate over as not const */
static json_t *loose(const json_t *json)
{
	return (json_t *)(uintptr_t)json;
}

int cedar_copy_text(struct cedar_reader *r, const char *bytes, size_t len, struct cedar_text *ret)
{
	char *copy;

	if (len == 0) {
		*ret = (struct cedar_text){"", 0};
		return ARK_OK;
	}
	copy = cedar_alloc(r->arena, len);
	if (!copy)
		return ark_fail(r->err, ARK_ENOMEM, "the data takes more memory than it may");
	memcpy(copy, bytes, len);
	*ret = (struct cedar_text){copy, len};
	return ARK_OK;
}

/* ---- names and uids ---- */

static bool reserved(const char *name, size_t len)
{
	static const char *const words[] = {
	    "true", "false", "if", "then", "else", "in", "is", "like", "has", "__cedar"};

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (strlen(words[i]) == len && memcmp(words[i], name, len) == 0)
			return true;
	return false;
}

/* Identifiers joined by `::`, no space. */
static bool is_type_name(const char *name, size_t len)
{
	size_t begin = 0;

	for (size_t i = 0;; i++) {
		unsigned char c = i < len ? (unsigned char)name[i] : ':';

		if (c == '_' || (c < 0x80 && isalpha(c)) || (i > begin && c < 0x80 && isdigit(c)))
			continue;
		if (c != ':' || i == begin || reserved(name + begin, i - begin))
			return false;
		if (i == len)
			return true;
		if (i + 2 >= len || name[i + 1] != ':')
			return false;
		begin = i + 2;
		i++;
	}
}

bool cedar_is_action(const struct cedar_uid *uid)
{
	static const char name[] = "Action";
	size_t n = sizeof(name) - 1, len = uid->type.len;

	if (len < n || memcmp(uid->type.bytes + len - n, name, n) != 0)
		return false;
	return len == n || uid->type.bytes[len - n - 1] == ':';
}

static bool is_type_and_id(const json_t *json)
{
	return json_is_string(json_object_get(json, "type")) &&
	       json_is_string(json_object_get(json, "id"));
}

static int read_type_and_id(struct cedar_reader *r, const json_t *json, struct cedar_uid *ret)
{
	const json_t *type = json_object_get(json, "type"), *id = json_object_get(json, "id");
	struct cedar_uid uid;
	int rc;

	if (!is_type_name(json_string_value(type), json_string_length(type)))
		return ark_fail(r->err, ARK_EINPUT, "\"%.60s\" is not the name of an entity type",
		    json_string_value(type));
	rc = cedar_copy_text(r, json_string_value(type), json_string_length(type), &uid.type);
	if (!rc)
		rc = cedar_copy_text(r, json_string_value(id), json_string_length(id), &uid.id);
	if (!rc)
		*ret = uid;
	return rc;
}

int cedar_read_uid(struct cedar_reader *r, const json_t *json, struct cedar_uid *ret)
{
	const json_t *escaped = json_object_get(json, "__entity");

	if (!json_is_string(json_object_get(json, "__expr"))) {
		if (is_type_and_id(escaped))
			return read_type_and_id(r, escaped, ret);
		if (is_type_and_id(json))
			return read_type_and_id(r, json, ret);
	}
	return ark_fail(r->err, ARK_EINPUT,
	    "an entity is written {\"type\": \"…\", \"id\": \"…\"} or {\"__entity\": {…}}");
}

int cedar_check_uid(struct cedar_reader *r, const struct cedar_uid *uid)
{
	const struct cedar_entity_type *type;

	if (cedar_is_action(uid) && !cedar_schema_action(r->schema, uid))
		return ark_fail(r->err, ARK_EINPUT,
		    "the schema declares no action \"%.*s\" of the type %.*s", cedar_shown(uid->id),
		    uid->id.bytes, cedar_shown(uid->type), uid->type.bytes);
	type = cedar_schema_type(r->schema, uid->type);
	if (!type || !type->choices)
		return ARK_OK;
	for (size_t i = 0; i < type->choices_len; i++)
		if (cedar_text_equal(type->choices[i], uid->id))
			return ARK_OK;
	return ark_fail(r->err, ARK_EINPUT, "\"%.*s\" is not among the choices of %.*s",
	    cedar_shown(uid->id), uid->id.bytes, cedar_shown(uid->type), uid->type.bytes);
}

/* ---- calls of extension functions ---- */

/* {"fn": "…", "arg": …} or {"fn": "…", "args": […]} */
static bool is_call(const json_t *json)
{
	return json_is_string(json_object_get(json, "fn")) &&
	       (json_object_get(json, "arg") || json_is_array(json_object_get(json, "args")));
}

static const struct cedar_type *argument_type(enum cedar_fn fn, size_t i)
{
	static const struct cedar_type datetime = {.kind = TYPE_DATETIME},
				       duration = {.kind = TYPE_DURATION},
				       decimal = {.kind = TYPE_DECIMAL}, ip = {.kind = TYPE_IPADDR};

	if (fn <= FN_DURATION)
		return NULL; /* a string: the call sees to it */
	if (fn <= FN_GREATER_THAN_OR_EQUAL)
		return &decimal;
	if (fn <= FN_IS_IN_RANGE)
		return &ip;
	return fn >= FN_TO_MILLISECONDS || (fn == FN_OFFSET && i == 1) ? &duration : &datetime;
}

/* `typed`: arguments may be in the short form that the function's types make plain. */
static int read_call(struct cedar_reader *r, const json_t *json, bool typed, unsigned int depth,
    struct cedar_value *ret)
{
	enum { MOST = 8 };
	const json_t *name = json_object_get(json, "fn"), *one = json_object_get(json, "arg"),
		     *list = json_object_get(json, "args");
	size_t n = one ? 1 : json_array_size(list);
	struct cedar_value args[MOST] = {0};
	enum cedar_fn fn;
	int rc = ARK_OK;

	if (!cedar_extension_named(
		(struct cedar_text){json_string_value(name), json_string_length(name)}, &fn))
		return ark_fail(r->err, ARK_EINPUT, "there is no extension function \"%.60s\"",
		    json_string_value(name));
	if (n == 0 || n > MOST)
		return ark_fail(r->err, ARK_EINPUT, "%s does not take %zu arguments",
		    cedar_extension_name(fn), n);
	for (size_t i = 0; !rc && i < n; i++)
		rc = cedar_read_value(r, one ? one : json_array_get(list, i),
		    typed ? argument_type(fn, i) : NULL, depth + 1, &args[i]);
	if (rc)
		return rc;
	rc = cedar_extension_call(fn, args, n, ret, r->err);
	if (rc > 0 && r->err)
		r->err->status = ARK_EINPUT;
	return rc > 0 ? ARK_EINPUT : rc;
}

/* ---- values of any type ---- */

static int read_leaf(struct cedar_reader *r, const json_t *json, struct cedar_value *ret)
{
	struct cedar_value v = {.kind = CEDAR_BOOL};
	int rc = ARK_OK;

	switch (json_typeof(json)) {
	case JSON_TRUE:
	case JSON_FALSE:
		v.truth = json_is_true(json);
		break;
	case JSON_INTEGER:
		v.kind = CEDAR_LONG;
		v.number = json_integer_value(json);
		break;
	case JSON_STRING:
		v.kind = CEDAR_STRING;
		rc = cedar_copy_text(r, json_string_value(json), json_string_length(json), &v.text);
		break;
	default:
		return ark_fail(r->err, ARK_EINPUT, "Cedar has no %s",
		    json_is_real(json) ? "fractions: write a decimal as a string" : "null");
	}
	if (!rc)
		*ret = v;
	return rc;
}

static int read_set(struct cedar_reader *r, const json_t *json, const struct cedar_type *element,
    unsigned int depth, struct cedar_value *ret)
{
	size_t n = json_array_size(json);
	struct cedar_value *items = NULL;
	int rc = ARK_OK;

	if (n) {
		items = cedar_alloc(r->arena, n * sizeof(*items));
		if (!items)
			return ark_fail(
			    r->err, ARK_ENOMEM, "the data takes more memory than it may");
	}
	for (size_t i = 0; !rc && i < n; i++)
		rc = cedar_read_value(r, json_array_get(json, i), element, depth + 1, &items[i]);
	if (!rc)
		*ret = cedar_set_of(items, n);
	return rc;
}

int cedar_read_members(struct cedar_reader *r, const json_t *json, const struct cedar_type *element,
    unsigned int depth, struct cedar_value *ret)
{
	size_t n = json_object_size(json), i = 0;
	struct cedar_member *members = NULL;
	int rc = ARK_OK;

	if (n) {
		members = cedar_alloc(r->arena, n * sizeof(*members));
		if (!members)
			return ark_fail(
			    r->err, ARK_ENOMEM, "the data takes more memory than it may");
	}
	for (void *at = json_object_iter(loose(json)); !rc && at;
	     at = json_object_iter_next(loose(json), at), i++) {
		rc = cedar_copy_text(
		    r, json_object_iter_key(at), json_object_iter_key_len(at), &members[i].name);
		if (!rc)
			rc = cedar_read_value(
			    r, json_object_iter_value(at), element, depth + 1, &members[i].value);
		if (rc)
			return ark_fail_within(r->err, rc, "\"%.60s\"", json_object_iter_key(at));
	}
	return cedar_record_of(members, n, ret, r->err);
}

/* An object of one key can be an escape; what is not quite one is a record. */
static int read_object(
    struct cedar_reader *r, const json_t *json, unsigned int depth, struct cedar_value *ret)
{
	const json_t *entity = json_object_get(json, "__entity"),
		     *call = json_object_get(json, "__extn");

	if (json_object_size(json) != 1)
		return cedar_read_members(r, json, NULL, depth, ret);
	if (json_is_string(json_object_get(json, "__expr")))
		return ark_fail(r->err, ARK_EINPUT, "__expr is no longer part of Cedar");
	if (is_call(call))
		return read_call(r, call, false, depth, ret);
	if (is_type_and_id(entity)) {
		*ret = (struct cedar_value){.kind = CEDAR_ENTITY};
		return read_type_and_id(r, entity, &ret->uid);
	}
	return cedar_read_members(r, json, NULL, depth, ret);
}

static int read_any(
    struct cedar_reader *r, const json_t *json, unsigned int depth, struct cedar_value *ret)
{
	if (json_is_object(json))
		return read_object(r, json, depth, ret);
	if (json_is_array(json))
		return read_set(r, json, NULL, depth, ret);
	return read_leaf(r, json, ret);
}

/* ---- values of a type ---- */

static int read_entity(struct cedar_reader *r, const json_t *json, const struct cedar_type *type,
    struct cedar_value *ret)
{
	struct cedar_value v = {.kind = CEDAR_ENTITY};
	int rc = cedar_read_uid(r, json, &v.uid);

	if (rc)
		return rc;
	if (type->kind == TYPE_ENTITY && !cedar_text_equal(v.uid.type, type->entity))
		return ark_fail(r->err, ARK_EINPUT,
		    "the schema wants an entity of %.*s, not of %.*s", cedar_shown(type->entity),
		    type->entity.bytes, cedar_shown(v.uid.type), v.uid.type.bytes);
	if (r->uids_checked)
		rc = cedar_check_uid(r, &v.uid);
	if (!rc)
		*ret = v;
	return rc;
}

static enum cedar_kind kind_of(enum cedar_type_kind type)
{
	switch (type) {
	case TYPE_LONG:
		return CEDAR_LONG;
	case TYPE_STRING:
		return CEDAR_STRING;
	case TYPE_DECIMAL:
		return CEDAR_DECIMAL;
	case TYPE_IPADDR:
		return CEDAR_IPADDR;
	case TYPE_DATETIME:
		return CEDAR_DATETIME;
	case TYPE_DURATION:
		return CEDAR_DURATION;
	default:
		return CEDAR_BOOL;
	}
}

/* A call in any of its forms, or the string that the type's own constructor takes. */
static int read_extension(struct cedar_reader *r, const json_t *json, enum cedar_kind kind,
    unsigned int depth, struct cedar_value *ret)
{
	static const enum cedar_fn makers[] = {
	    [CEDAR_DECIMAL] = FN_DECIMAL,
	    [CEDAR_IPADDR] = FN_IP,
	    [CEDAR_DATETIME] = FN_DATETIME,
	    [CEDAR_DURATION] = FN_DURATION,
	};
	const json_t *call = json_object_get(json, "__extn");

	if (json_is_string(json_object_get(json, "__expr")))
		return ark_fail(r->err, ARK_EINPUT, "__expr is no longer part of Cedar");
	if (is_call(call))
		return read_call(r, call, true, depth, ret);
	if (is_call(json))
		return read_call(r, json, true, depth, ret);
	if (!json_is_string(json))
		return ark_fail(r->err, ARK_EINPUT, "the schema wants %s, written as a string",
		    cedar_kind_name(kind));
	return cedar_extension(cedar_text_of(cedar_extension_name(makers[kind])),
	    (struct cedar_text){json_string_value(json), json_string_length(json)}, ret, r->err);
}

int cedar_read_record(struct cedar_reader *r, const json_t *json, const struct cedar_type *type,
    unsigned int depth, struct cedar_value *ret)
{
	size_t n = json_object_size(json), len = 0;
	struct cedar_member *members;

	if (!json_is_object(json))
		return ark_fail(r->err, ARK_EINPUT, "the schema wants a record here");
	members = cedar_alloc(r->arena, n * sizeof(*members));
	if (!members)
		return ark_fail(r->err, ARK_ENOMEM, "the data takes more memory than it may");
	for (size_t i = 0; i < type->attributes_len; i++) {
		const struct cedar_attribute *a = &type->attributes[i];
		const json_t *value = json_object_getn(json, a->name.bytes, a->name.len);
		int rc;

		if (!value && a->optional)
			continue;
		if (!value)
			return ark_fail(r->err, ARK_EINPUT, "\"%.*s\" is missing",
			    cedar_shown(a->name), a->name.bytes);
		members[len].name = a->name;
		rc = cedar_copy_text(r, a->name.bytes, a->name.len, &members[len].name);
		if (!rc)
			rc = cedar_read_value(r, value, &a->type, depth + 1, &members[len].value);
		if (rc)
			return ark_fail_within(
			    r->err, rc, "\"%.*s\"", cedar_shown(a->name), a->name.bytes);
		len++;
	}
	if (len != n)
		return ark_fail(
		    r->err, ARK_EINPUT, "%zu of its attributes are not in the schema", n - len);
	return cedar_record_of(members, len, ret, r->err);
}

static int read_typed(struct cedar_reader *r, const json_t *json, const struct cedar_type *type,
    unsigned int depth, struct cedar_value *ret)
{
	enum cedar_kind kind = kind_of(type->kind);
	struct cedar_value v = {.kind = CEDAR_BOOL};
	int rc;

	if (type->kind == TYPE_ENTITY || type->kind == TYPE_ANY_ENTITY)
		return read_entity(r, json, type, ret);
	if (type->kind == TYPE_RECORD)
		return cedar_read_record(r, json, type, depth, ret);
	if (type->kind == TYPE_SET) {
		if (!json_is_array(json))
			return ark_fail(r->err, ARK_EINPUT, "the schema wants a set here");
		return read_set(r, json, type->element, depth, ret);
	}
	rc = kind >= CEDAR_DECIMAL ? read_extension(r, json, kind, depth, &v)
				   : read_any(r, json, depth, &v);
	if (rc)
		return rc;
	if (v.kind != kind)
		return ark_fail(r->err, ARK_EINPUT, "the schema wants %s, not %s",
		    cedar_kind_name(kind), cedar_kind_name(v.kind));
	*ret = v;
	return ARK_OK;
}

int cedar_read_value(struct cedar_reader *r, const json_t *json, const struct cedar_type *type,
    unsigned int depth, struct cedar_value *ret)
{
	if (depth > CEDAR_DEPTH_MAX)
		return ark_fail(
		    r->err, ARK_EINPUT, "the data is nested over %u deep", CEDAR_DEPTH_MAX);
	return type ? read_typed(r, json, type, depth, ret) : read_any(r, json, depth, ret);
}
