/* The names and types of a schema: what a name means where it stands, and the
 * types that the text writes, common types in any order.
 */
#include <stdlib.h>
#include <string.h>

#include "policies/cedar_schema_build.h"

#define TYPE_SIZE_MAX (1u << 16) /* nodes of one type, common types written out */

void *schema_take(struct builder *b, size_t n, size_t size)
{
	void *p = n && size > SIZE_MAX / n ? NULL : cedar_alloc(b->s->arena, n ? n * size : 1);

	if (!p)
		b->status = ARK_ENOMEM;
	return p;
}

void schema_fault(
    struct builder *b, uint32_t offset, const char *mend, const char *what, struct cedar_text name)
{
	char shown[CEDAR_SHOWN];

	cedar_fault_at(b->faults, "", offset, mend, "`%s` %s", cedar_shown(name, shown), what);
}

/* ---- names ---- */

struct cedar_text schema_base(struct cedar_text name)
{
	const char *colon = memrchr(name.bytes, ':', name.len);
	size_t skip = colon ? (size_t)(colon + 1 - name.bytes) : 0;

	return (struct cedar_text){name.bytes + skip, name.len - skip};
}

bool schema_is_word(struct cedar_text text, const char *word)
{
	return text.len == strlen(word) && memcmp(text.bytes, word, text.len) == 0;
}

bool schema_reserved(struct cedar_text name)
{
	struct cedar_text rest = name;

	for (;;) {
		const char *colon = memchr(rest.bytes, ':', rest.len);
		size_t len = colon ? (size_t)(colon - rest.bytes) : rest.len;

		if (schema_is_word((struct cedar_text){rest.bytes, len}, "__cedar"))
			return true;
		if (!colon)
			return false;
		rest = (struct cedar_text){colon + 2, rest.len - len - 2};
	}
}

struct cedar_text schema_qualify(struct builder *b, struct cedar_text space, struct cedar_text name)
{
	char *full;

	if (!space.len)
		return name;
	if (!(full = schema_take(b, space.len + 2 + name.len, 1)))
		return name;
	memcpy(full, space.bytes, space.len);
	memcpy(full + space.len, "::", 2);
	memcpy(full + space.len + 2, name.bytes, name.len);
	return (struct cedar_text){full, space.len + 2 + name.len};
}

/* How space::name stands to a full name. */
static int order_qualified(struct cedar_text space, struct cedar_text name, struct cedar_text full)
{
	struct cedar_text parts[3] = {space, {"::", space.len ? 2 : 0}, name};

	for (size_t i = 0; i < 3; i++) {
		size_t len = parts[i].len < full.len ? parts[i].len : full.len;
		int order = len ? memcmp(parts[i].bytes, full.bytes, len) : 0;

		if (order)
			return order;
		if (full.len < parts[i].len)
			return 1;
		full = (struct cedar_text){full.bytes + len, full.len - len};
	}
	return full.len ? -1 : 0;
}

/* The entry space::name (with `id`, where it is not NULL); NULL when there is none. */
struct entry *schema_find(const struct table *t, struct cedar_text space, struct cedar_text name,
    const struct cedar_text *id)
{
	size_t low = 0, high = t->len;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = order_qualified(space, name, t->entries[middle].uid.type);

		if (!order && id)
			order = cedar_text_order(*id, t->entries[middle].uid.id);
		if (!order)
			return &t->entries[middle];
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

static const struct {
	const char *name;
	enum cedar_type_kind kind;
} builtins[] = {{"Bool", TYPE_BOOL}, {"Long", TYPE_LONG}, {"String", TYPE_STRING},
    {"decimal", TYPE_DECIMAL}, {"ipaddr", TYPE_IPADDR}, {"datetime", TYPE_DATETIME},
    {"duration", TYPE_DURATION}};
enum { BUILTINS = sizeof(builtins) / sizeof(*builtins) };

static bool look_in(const struct builder *b, struct cedar_text space, struct cedar_text name,
    unsigned int want, struct meaning *ret)
{
	static const char own[] = "__cedar::";
	struct entry *entity = schema_find(&b->tables[RAW_ENTITY], space, name, NULL);
	struct cedar_text bare = name;

	*ret = (struct meaning){.builtin = -1};
	if (want & WANT_COMMON) {
		if ((ret->common = schema_find(&b->tables[RAW_COMMON], space, name, NULL)))
			return true;
		if (name.len > sizeof(own) - 1 && memcmp(name.bytes, own, sizeof(own) - 1) == 0)
			bare = (struct cedar_text){
			    name.bytes + sizeof(own) - 1, name.len - (sizeof(own) - 1)};
		for (int i = 0; i < BUILTINS && !space.len && (bare.len < name.len || !entity);
		     i++) {
			if (schema_is_word(bare, builtins[i].name)) {
				ret->builtin = i;
				return true;
			}
		}
	}
	if (!(want & WANT_ENTITY))
		return false;
	/* the type of actions is an entity type too, where there are any */
	if (!entity && schema_is_word(schema_base(name), "Action"))
		entity = schema_find(&b->tables[RAW_ACTION], space, name, NULL);
	ret->entity = entity;
	return entity != NULL;
}

bool schema_look_up(const struct builder *b, struct cedar_text space, struct cedar_text name,
    unsigned int want, struct meaning *ret)
{
	if (space.len && !memchr(name.bytes, ':', name.len) && look_in(b, space, name, want, ret))
		return true;
	return look_in(b, (struct cedar_text){0}, name, want, ret);
}

void schema_unknown_type(
    struct builder *b, struct cedar_text name, uint32_t offset, unsigned int want)
{
	struct cedar_near near;
	char mend[160];

	cedar_near_begin(&near, name);
	for (unsigned int kind = 0; kind < 3; kind++) {
		if (kind == RAW_ACTION || (kind == RAW_COMMON && !(want & WANT_COMMON)) ||
		    (kind == RAW_ENTITY && !(want & WANT_ENTITY)))
			continue;
		for (size_t i = 0; i < b->tables[kind].len; i++) {
			struct cedar_text full = b->tables[kind].entries[i].uid.type;

			cedar_near_offer(&near, full);
			if (!memchr(name.bytes, ':', name.len) && schema_base(full).len < full.len)
				cedar_near_offer(&near, schema_base(full));
		}
	}
	for (int i = 0; i < BUILTINS && want & WANT_COMMON; i++)
		cedar_near_offer(&near, cedar_text_of(builtins[i].name));
	schema_fault(b, offset, cedar_near_end(&near, mend),
	    want == WANT_ENTITY   ? "is not declared as an entity type"
	    : want == WANT_COMMON ? "is not declared as a common type"
				  : "is not declared as a type",
	    name);
}

/* ---- types ---- */

static void add_measure(struct measure *m, const struct measure *part)
{
	if (m->height < part->height + 1)
		m->height = part->height + 1;
	m->size += part->size;
	if (m->size > TYPE_SIZE_MAX)
		m->size = TYPE_SIZE_MAX + 1;
}

/* A common type by its entry: resolved when first asked for. */
void schema_resolve_common(
    struct builder *b, struct entry *e, unsigned int depth, uint32_t offset, struct common **ret)
{
	struct common *c = &b->commons[e - b->tables[RAW_COMMON].entries];

	*ret = c;
	if (c->state == COMMON_DONE)
		return;
	if (c->state == COMMON_BEGUN) {
		schema_fault(b, offset, "a type cannot contain itself; use an entity type",
		    "is defined by itself", e->uid.type);
		return;
	}
	c->state = COMMON_BEGUN;
	schema_resolve(b, e->decl->space, e->decl->shape, depth + 1, &c->type, &c->measure);
	c->measure.height++;
	c->state = COMMON_DONE;
}

static void resolve_name(struct builder *b, struct cedar_text space, const struct raw_type *raw,
    unsigned int depth, struct cedar_type *ret, struct measure *measure)
{
	struct meaning meaning;
	struct common *c;

	if (!schema_look_up(b, space, raw->name, WANT_COMMON | WANT_ENTITY, &meaning)) {
		schema_unknown_type(b, raw->name, raw->offset, WANT_COMMON | WANT_ENTITY);
	} else if (meaning.common) {
		schema_resolve_common(b, meaning.common, depth, raw->offset, &c);
		*ret = c->type;
		*measure = c->measure;
	} else if (meaning.entity) {
		ret->kind = TYPE_ENTITY;
		ret->entity = meaning.entity->uid.type;
	} else {
		ret->kind = builtins[meaning.builtin].kind;
	}
}

static int by_name_and_place(const void *x, const void *y)
{
	const struct raw_attribute *a = *(const struct raw_attribute *const *)x;
	const struct raw_attribute *b = *(const struct raw_attribute *const *)y;
	int order = cedar_text_order(a->name, b->name);

	return order ? order : (a->offset > b->offset) - (a->offset < b->offset);
}

static void resolve_record(struct builder *b, struct cedar_text space, const struct raw_type *raw,
    unsigned int depth, struct cedar_type *ret, struct measure *measure)
{
	const struct raw_attribute **sorted = schema_take(b, raw->attributes_len, sizeof(*sorted));
	struct cedar_attribute *made = schema_take(b, raw->attributes_len, sizeof(*made));
	size_t n = 0, len = 0;

	ret->kind = TYPE_RECORD;
	if (!sorted || !made)
		return;
	for (const struct raw_attribute *a = raw->attributes; a; a = a->next)
		sorted[n++] = a;
	if (n)
		qsort(sorted, n, sizeof(*sorted), by_name_and_place);
	for (size_t i = 0; i < n && !b->status; i++) {
		struct measure part = {.size = 1};
		char shown[CEDAR_SHOWN];

		/* as in the reference, the last of the same name counts */
		if (i + 1 < n && cedar_text_equal(sorted[i]->name, sorted[i + 1]->name)) {
			cedar_warn_at(b->faults, "", sorted[i]->offset,
			    "take one of them away; the last one counts",
			    "the attribute `%s` stands here twice",
			    cedar_shown(sorted[i]->name, shown));
			continue;
		}
		made[len].name = sorted[i]->name;
		made[len].optional = sorted[i]->optional;
		schema_resolve(b, space, &sorted[i]->type, depth + 1, &made[len].type, &part);
		add_measure(measure, &part);
		len++;
	}
	ret->attributes = made;
	ret->attributes_len = len;
}

/* Calls itself, through common types too, at most CEDAR_DEPTH_MAX deep. After a fault *ret is something of
 * no use, and b->faults->errors says so. */
void schema_resolve(struct builder *b, struct cedar_text space, const struct raw_type *raw,
    unsigned int depth, struct cedar_type *ret, struct measure *measure)
{
	struct measure part = {.size = 1};
	struct cedar_type *element;

	*ret = (struct cedar_type){.kind = TYPE_BOOL};
	*measure = (struct measure){.height = 1, .size = 1};
	if (b->status)
		return;
	if (depth > CEDAR_DEPTH_MAX) {
		cedar_fault_at(b->faults, "", raw->offset, "", "types nest too deep here");
		return;
	}
	switch (raw->kind) {
	case RAW_NAME:
		resolve_name(b, space, raw, depth, ret, measure);
		break;
	case RAW_SET:
		if (!(element = schema_take(b, 1, sizeof(*element))))
			return;
		schema_resolve(b, space, raw->element, depth + 1, element, &part);
		add_measure(measure, &part);
		ret->kind = TYPE_SET;
		ret->element = element;
		break;
	case RAW_RECORD:
		resolve_record(b, space, raw, depth, ret, measure);
		break;
	}
	if (measure->height > CEDAR_DEPTH_MAX || measure->size > TYPE_SIZE_MAX) {
		cedar_fault_at(
		    b->faults, "", raw->offset, "", "this type is too deep or too large");
		*measure = (struct measure){.height = 1, .size = 1};
	}
}
