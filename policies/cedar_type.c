/* The types that the validator reckons with. */
#include <stdio.h>
#include <string.h>

#include "arkki/base/buf.h"
#include "policies/cedar_validate.h"

const struct cedar_type check_true = {.kind = TYPE_TRUE}, check_false = {.kind = TYPE_FALSE},
			check_bool = {.kind = TYPE_BOOL}, check_long = {.kind = TYPE_LONG},
			check_string = {.kind = TYPE_STRING},
			check_decimal = {.kind = TYPE_DECIMAL},
			check_ipaddr = {.kind = TYPE_IPADDR},
			check_datetime = {.kind = TYPE_DATETIME},
			check_duration = {.kind = TYPE_DURATION};

/* ---- in words ---- */

static void write_type(struct buf *out, const struct cedar_type *t, unsigned int depth)
{
	static const char *const names[] = {[TYPE_NEVER] = "nothing",
	    [TYPE_TRUE] = "Bool",
	    [TYPE_FALSE] = "Bool",
	    [TYPE_BOOL] = "Bool",
	    [TYPE_LONG] = "Long",
	    [TYPE_STRING] = "String",
	    [TYPE_ANY_ENTITY] = "an entity",
	    [TYPE_DECIMAL] = "decimal",
	    [TYPE_IPADDR] = "ipaddr",
	    [TYPE_DATETIME] = "datetime",
	    [TYPE_DURATION] = "duration"};
	char shown[CEDAR_SHOWN];

	switch (t->kind) {
	case TYPE_ENTITY:
		buf_adds(out, cedar_shown(t->entity, shown));
		break;
	case TYPE_SET:
		buf_adds(out, "Set<");
		if (t->element && depth)
			write_type(out, t->element, depth - 1);
		buf_adds(out, t->element && !depth ? "…>" : ">");
		break;
	case TYPE_RECORD:
		buf_adds(out, "{");
		for (size_t i = 0; i < t->attributes_len && depth && !buf_failed(out); i++) {
			buf_addf(out, "%s%s%s: ", i ? ", " : "",
			    cedar_shown(t->attributes[i].name, shown),
			    t->attributes[i].optional ? "?" : "");
			write_type(out, &t->attributes[i].type, depth - 1);
		}
		buf_adds(out, t->attributes_len && !depth ? "…}" : "}");
		break;
	default:
		buf_adds(out, names[t->kind]);
	}
}

const char *check_type_text(const struct cedar_type *t, char out[CHECK_TYPE_TEXT])
{
	struct buf text = {.limit = 4096};

	write_type(&text, t, 3);
	cedar_shown((struct cedar_text){text.data ? text.data : "", text.len}, out);
	buf_free(&text);
	return out;
}

/* ---- least upper bound ---- */

static const struct cedar_type *lub_records(
    struct validator *v, const struct cedar_type *a, const struct cedar_type *b, const char **why)
{
	struct cedar_attribute *made = NULL;
	struct cedar_type *t;

	if (a->attributes == b->attributes && a->attributes_len == b->attributes_len)
		return a;
	*why = "they do not have the same attributes";
	if (a->attributes_len != b->attributes_len || !check_step(v, a->attributes_len))
		return NULL;
	for (size_t i = 0; i < a->attributes_len; i++) {
		const struct cedar_type *part;

		if (!cedar_text_equal(a->attributes[i].name, b->attributes[i].name))
			return NULL;
		if (a->attributes[i].optional != b->attributes[i].optional) {
			*why = "an attribute is optional in one of them only";
			return NULL;
		}
		part = check_lub(v, &a->attributes[i].type, &b->attributes[i].type, why);
		if (!part)
			return NULL;
		if (!made && part != &a->attributes[i].type) {
			made = check_take(v, v->scratch, a->attributes_len, sizeof(*made));
			if (!made)
				return NULL;
			memcpy(made, a->attributes, a->attributes_len * sizeof(*made));
		}
		if (made)
			made[i].type = *part;
		*why = "they do not have the same attributes";
	}
	if (!made)
		return a;
	if (!(t = check_take(v, v->scratch, 1, sizeof(*t))))
		return NULL;
	*t = *a;
	t->attributes = made;
	return t;
}

static const struct cedar_type *lub_sets(
    struct validator *v, const struct cedar_type *a, const struct cedar_type *b, const char **why)
{
	const struct cedar_type *element;
	struct cedar_type *t;

	if (!a->element || !b->element)
		return a->element ? b : a;
	if (!(element = check_lub(v, a->element, b->element, why)))
		return NULL;
	if (element == a->element || element == b->element)
		return element == a->element ? a : b;
	if (!(t = check_take(v, v->scratch, 1, sizeof(*t))))
		return NULL;
	*t = (struct cedar_type){.kind = TYPE_SET, .element = element};
	return t;
}

/* Calls itself as deep as the types are: twice CEDAR_DEPTH_MAX at most (a record written in a policy
 * around one of the schema's). */
const struct cedar_type *check_lub(
    struct validator *v, const struct cedar_type *a, const struct cedar_type *b, const char **why)
{
	if (a == b || b->kind == TYPE_NEVER)
		return a;
	if (a->kind == TYPE_NEVER)
		return b;
	*why = "";
	if (!check_step(v, 1))
		return NULL;
	if (check_is_bool(a) && check_is_bool(b))
		return a->kind == b->kind ? a : &check_bool;
	if (a->kind != b->kind)
		return NULL;
	switch (a->kind) {
	case TYPE_ENTITY:
		*why = "entities of different types are never the same";
		return cedar_text_equal(a->entity, b->entity) ? a : NULL;
	case TYPE_SET:
		return lub_sets(v, a, b, why);
	case TYPE_RECORD:
		return lub_records(v, a, b, why);
	default:
		return a;
	}
}

/* ---- attributes ---- */

const struct cedar_type *check_attributes(const struct validator *v, const struct cedar_type *t)
{
	const struct cedar_entity_type *e;

	if (t->kind == TYPE_RECORD)
		return t;
	if (t->kind != TYPE_ENTITY)
		return NULL;
	e = cedar_schema_type(v->s, t->entity);
	return e ? &e->attributes : NULL;
}

const struct cedar_attribute *check_attribute(
    const struct validator *v, const struct cedar_type *t, struct cedar_text name)
{
	const struct cedar_type *record = check_attributes(v, t);
	size_t low = 0, high = record ? record->attributes_len : 0;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = cedar_text_order(name, record->attributes[middle].name);

		if (!order)
			return &record->attributes[middle];
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

/* ---- who may be in whom ---- */

bool check_is_action_type(struct cedar_text type)
{
	static const char action[] = "Action";
	size_t len = sizeof(action) - 1;

	return type.len >= len && !memcmp(type.bytes + type.len - len, action, len) &&
	       (type.len == len || type.bytes[type.len - len - 1] == ':');
}

bool check_action_in(const struct cedar_action *a, const struct cedar_uid *group)
{
	if (cedar_uid_equal(&a->uid, group))
		return true;
	for (size_t i = 0; i < a->ancestors_len; i++) {
		if (cedar_uid_equal(&a->ancestors[i], group))
			return true;
	}
	return false;
}

static bool some_action_in(struct validator *v, struct cedar_text low, struct cedar_text high)
{
	for (size_t i = 0; i < v->s->actions_len; i++) {
		const struct cedar_action *a = &v->s->actions[i];

		if (!check_step(v, 1 + a->ancestors_len))
			return true;
		if (!cedar_text_equal(a->uid.type, low))
			continue;
		for (size_t k = 0; k < a->ancestors_len; k++) {
			if (cedar_text_equal(a->ancestors[k].type, high))
				return true;
		}
	}
	return false;
}

bool check_may_be_in(struct validator *v, struct cedar_text low, struct cedar_text high)
{
	const struct cedar_entity_type *t = cedar_schema_type(v->s, low);
	size_t len = 0;

	if (cedar_text_equal(low, high))
		return true;
	if (!t)
		return check_is_action_type(low) && some_action_in(v, low, high);
	v->climb++;
	for (;;) {
		for (size_t i = 0; i < t->parents_len; i++) {
			const struct cedar_entity_type *up;

			if (cedar_text_equal(t->parents[i], high) || !check_step(v, 8))
				return true;
			up = cedar_schema_type(v->s, t->parents[i]);
			if (!up || v->seen[up - v->s->types] == v->climb)
				continue;
			v->seen[up - v->s->types] = v->climb;
			v->stack[len++] = (uint32_t)(up - v->s->types);
		}
		if (!len)
			return false;
		t = &v->s->types[v->stack[--len]];
	}
}
