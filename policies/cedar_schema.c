/* Makes a schema of what cedar_schema_parse.c has read: looks names up as
 * Cedar does (the namespace's own first, common types before entity types, then
 * those outside any namespace), resolves common types in any order, and closes
 * the groups of actions.
 *
 * Every table is sorted by name, so that look-ups are binary searches and one
 * pass finds what is declared twice. Types share what common types have
 * in common; since that can make a small text stand for a huge type, heights and
 * expanded sizes are counted and bounded.
 */
#include <stdlib.h>
#include <string.h>

#include "policies/cedar_schema_build.h"

#define GROUP_STEPS_MAX (1u << 22)
#define GROUP_PAIRS_MAX (1u << 20)

/* ---- declarations ---- */

static int by_text(const void *x, const void *y)
{
	return cedar_text_order(*(const struct cedar_text *)x, *(const struct cedar_text *)y);
}

/* Sorts and takes repetitions away; the new length. */
static size_t sort_unique(struct cedar_text *texts, size_t n)
{
	size_t len = 0;

	if (n)
		qsort(texts, n, sizeof(*texts), by_text);
	for (size_t i = 0; i < n; i++) {
		if (!len || !cedar_text_equal(texts[len - 1], texts[i]))
			texts[len++] = texts[i];
	}
	return len;
}

static size_t count_names(const struct raw_name *n)
{
	size_t len = 0;

	for (; n; n = n->next)
		len++;
	return len;
}

/* The entity types that a list names, without repetition. */
static void resolve_entities(struct builder *b, struct cedar_text space,
    const struct raw_name *names, const struct cedar_text **ret, size_t *ret_len)
{
	struct cedar_text *types = schema_take(b, count_names(names), sizeof(*types));
	size_t n = 0;

	if (!types)
		return;
	for (; names; names = names->next) {
		struct meaning meaning;

		if (!schema_look_up(b, space, names->text, WANT_ENTITY, &meaning))
			schema_unknown_type(b, names->text, names->offset, WANT_ENTITY);
		else if (meaning.entity->decl->kind == RAW_ACTION)
			schema_fault(b, names->offset, "",
			    "is the type of actions and cannot stand here", names->text);
		else
			types[n++] = meaning.entity->uid.type;
	}
	*ret = types;
	*ret_len = sort_unique(types, n);
}

static void make_entity(struct builder *b, struct raw_decl *d)
{
	struct made *made = d->made;
	struct measure measure;
	struct cedar_text *choices;
	struct cedar_type *tags;
	size_t n = 0;

	schema_resolve(b, d->space, d->shape, 0, &made->shape, &measure);
	resolve_entities(b, d->space, d->parents, &made->parents, &made->parents_len);
	if (d->tags && (tags = schema_take(b, 1, sizeof(*tags)))) {
		schema_resolve(b, d->space, d->tags, 0, tags, &measure);
		made->tags = tags;
	}
	if (!d->choices || !(choices = schema_take(b, count_names(d->choices), sizeof(*choices))))
		return;
	for (const struct raw_name *c = d->choices; c; c = c->next)
		choices[n++] = c->text;
	made->choices = choices;
	made->choices_len = sort_unique(choices, n);
}

static void make_context(struct builder *b, struct raw_decl *d)
{
	struct measure measure;
	struct meaning meaning;

	d->made->shape = (struct cedar_type){.kind = TYPE_RECORD};
	if (!d->context)
		return;
	if (d->context->kind == RAW_NAME &&
	    !schema_look_up(b, d->space, d->context->name, WANT_COMMON, &meaning)) {
		schema_unknown_type(b, d->context->name, d->context->offset, WANT_COMMON);
		return;
	}
	schema_resolve(b, d->space, d->context, 0, &d->made->shape, &measure);
	if (d->made->shape.kind != TYPE_RECORD)
		cedar_fault_at(b->faults, "", d->context->offset, "write context: { name: Type }",
		    "the context must be a record");
}

/* The action that a member of an `in` list names; NULL when there is none. */
static struct entry *find_action(
    const struct builder *b, struct cedar_text space, const struct raw_name *n)
{
	struct cedar_text type = n->space.len ? n->space : cedar_text_of("Action");
	struct entry *e = NULL;

	if (space.len && !memchr(type.bytes, ':', type.len))
		e = schema_find(&b->tables[RAW_ACTION], space, type, &n->text);
	return e ? e : schema_find(&b->tables[RAW_ACTION], (struct cedar_text){0}, type, &n->text);
}

static void make_action(struct builder *b, struct raw_decl *d)
{
	const struct table *actions = &b->tables[RAW_ACTION];
	uint32_t *groups = schema_take(b, count_names(d->parents), sizeof(*groups));

	if (!groups)
		return;
	d->made->groups = groups;
	for (const struct raw_name *n = d->parents; n; n = n->next) {
		struct entry *e = find_action(b, d->space, n);
		struct cedar_near near;
		char mend[160];

		if (e) {
			groups[d->made->groups_len++] = (uint32_t)(e - actions->entries);
			continue;
		}
		cedar_near_begin(&near, n->text);
		for (size_t i = 0; i < actions->len; i++)
			cedar_near_offer(&near, actions->entries[i].uid.id);
		schema_fault(b, n->offset, cedar_near_end(&near, mend),
		    "is not declared as an action", n->text);
	}
	resolve_entities(
	    b, d->space, d->principals, &d->made->principals, &d->made->principals_len);
	resolve_entities(b, d->space, d->resources, &d->made->resources, &d->made->resources_len);
	make_context(b, d);
}

/* ---- tables ---- */

static int by_uid(const void *x, const void *y)
{
	const struct entry *a = x, *b = y;
	int order = cedar_uid_order(&a->uid, &b->uid);

	return order ? order : (a->offset > b->offset) - (a->offset < b->offset);
}

static void check_declared(struct builder *b, const struct raw_decl *d, const struct raw_name *n)
{
	static const char *const words[] = {
	    "Bool", "Boolean", "Entity", "Extension", "Long", "Record", "Set", "String"};

	if (d->kind != RAW_ACTION && schema_is_word(n->text, "__cedar"))
		schema_fault(b, n->offset, "choose another name", "is a reserved name", n->text);
	if (d->kind == RAW_ENTITY && schema_is_word(n->text, "Action"))
		schema_fault(b, n->offset, "declare actions with `action`",
		    "is the type of all actions and cannot be declared", n->text);
	for (size_t i = 0; i < sizeof(words) / sizeof(*words) && d->kind == RAW_COMMON; i++) {
		if (schema_is_word(n->text, words[i]))
			schema_fault(b, n->offset, "choose another name",
			    "is a name of Cedar's own and cannot be given to a type", n->text);
	}
}

static void gather(struct builder *b)
{
	static const char *const twice[] = {"is declared twice as an entity type",
	    "is declared twice", "is declared twice as a type"};
	const struct cedar_text action = cedar_text_of("Action");

	for (unsigned int kind = 0; kind < 3; kind++) {
		if (!(b->tables[kind].entries =
			    schema_take(b, b->raw.names[kind], sizeof(*b->tables[kind].entries))))
			return;
	}
	for (struct raw_decl *d = b->raw.decls; d && !b->status; d = d->next) {
		struct cedar_text type = {0};
		struct table *t = &b->tables[d->kind];

		if (!(d->made = schema_take(b, 1, sizeof(*d->made))))
			return;
		if (d->kind == RAW_ACTION)
			type = schema_qualify(b, d->space, action);
		for (const struct raw_name *n = d->names; n && !b->status; n = n->next) {
			check_declared(b, d, n);
			t->entries[t->len++] = (struct entry){.decl = d,
			    .offset = n->offset,
			    .uid = {type.len ? type : schema_qualify(b, d->space, n->text),
				type.len ? n->text : type}};
		}
	}
	for (unsigned int kind = 0; kind < 3 && !b->status; kind++) {
		const struct table *t = &b->tables[kind];

		if (t->len)
			qsort(t->entries, t->len, sizeof(*t->entries), by_uid);
		for (size_t i = 1; i < t->len; i++) {
			const struct entry *e = &t->entries[i];

			if (!cedar_uid_order(&e->uid, &e[-1].uid))
				schema_fault(b, e->offset, "put them together or rename one",
				    twice[kind], kind == RAW_ACTION ? e->uid.id : e->uid.type);
		}
	}
}

static void check_spaces(struct builder *b)
{
	size_t n = 0, at = 0;
	struct cedar_text *names;

	for (const struct raw_space *s = b->raw.spaces; s; s = s->next)
		n++;
	if (!(names = schema_take(b, n, sizeof(*names))))
		return;
	for (const struct raw_space *s = b->raw.spaces; s; s = s->next) {
		names[at++] = s->name;
		if (schema_reserved(s->name))
			schema_fault(
			    b, s->offset, "choose another name", "is a reserved name", s->name);
	}
	if (n)
		qsort(names, n, sizeof(*names), by_text);
	for (size_t i = 1; i < n; i++) {
		/* the text is in order, so the last one is the one to tell */
		if (!cedar_text_order(names[i - 1], names[i])) {
			uint32_t place = 0;

			for (const struct raw_space *s = b->raw.spaces; s; s = s->next)
				place = cedar_text_equal(s->name, names[i]) ? s->offset : place;
			schema_fault(b, place, "put both parts into one",
			    "is a namespace that stands here twice", names[i]);
			return;
		}
	}
}

/* A name outside any namespace must not be the last part of one within (Cedar RFC 70): what a
 * short name meant would change with where it stands. Of entity and common types together, and of actions. */
static void check_shadowing(struct builder *b, bool actions)
{
	unsigned int first = actions ? RAW_ACTION : RAW_ENTITY;
	const struct table *tables[2] = {
	    &b->tables[first], actions ? NULL : &b->tables[RAW_COMMON]};
	size_t n = 0, total = tables[0]->len + (tables[1] ? tables[1]->len : 0);
	struct cedar_text *within = schema_take(b, total, sizeof(*within));

	for (size_t t = 0; t < 2 && within && tables[t]; t++) {
		for (size_t i = 0; i < tables[t]->len; i++) {
			const struct entry *e = &tables[t]->entries[i];

			if (e->decl->space.len)
				within[n++] = actions ? e->uid.id : schema_base(e->uid.type);
		}
	}
	if (!within || !n)
		return;
	qsort(within, n, sizeof(*within), by_text);
	for (size_t t = 0; t < 2 && tables[t]; t++) {
		for (size_t i = 0; i < tables[t]->len; i++) {
			const struct entry *e = &tables[t]->entries[i];
			struct cedar_text name = actions ? e->uid.id : e->uid.type;

			if (!e->decl->space.len && bsearch(&name, within, n, sizeof(name), by_text))
				schema_fault(b, e->offset, "rename one of the two",
				    "is declared in a namespace and outside of any", name);
		}
	}
}

/* ---- the groups above each action ---- */

static int by_number(const void *x, const void *y)
{
	uint32_t a = *(const uint32_t *)x, b = *(const uint32_t *)y;

	return (a > b) - (a < b);
}

struct climb {
	uint32_t *seen; /* by action: the last that reached it, plus one */
	uint32_t *stack;
	size_t steps, pairs;
};

/* Leaves in c->stack every action above `start`, in order; how many. */
static size_t climb(struct builder *b, struct climb *c, uint32_t start)
{
	const struct table *t = &b->tables[RAW_ACTION];
	size_t len = 0, at = 0;
	uint32_t here = start;

	for (;;) {
		const struct made *made = t->entries[here].decl->made;

		for (size_t i = 0; i < made->groups_len; i++, c->steps++) {
			uint32_t up = made->groups[i];

			if (c->seen[up] == start + 1)
				continue;
			c->seen[up] = start + 1;
			c->stack[len++] = up;
		}
		if (at == len || c->steps > GROUP_STEPS_MAX)
			break;
		here = c->stack[at++];
	}
	if (len)
		qsort(c->stack, len, sizeof(*c->stack), by_number);
	if (c->seen[start] == start + 1)
		schema_fault(b, t->entries[start].offset, "", "is a group of itself",
		    t->entries[start].uid.id);
	return len;
}

static void close_groups(struct builder *b, struct cedar_action *actions)
{
	const struct table *t = &b->tables[RAW_ACTION];
	struct climb c = {.seen = schema_take(b, t->len, sizeof(*c.seen)),
	    .stack = schema_take(b, t->len, sizeof(*c.stack))};

	for (uint32_t i = 0; i < t->len && c.seen && c.stack && !b->faults->errors; i++) {
		size_t len = climb(b, &c, i);
		struct cedar_uid *above;

		c.pairs += len;
		if (c.steps > GROUP_STEPS_MAX || c.pairs > GROUP_PAIRS_MAX) {
			cedar_fault_at(b->faults, "", t->entries[i].offset, "",
			    "the actions are in too many groups");
			return;
		}
		if (!len)
			continue;
		if (!(above = schema_take(b, len, sizeof(*above))))
			return;
		for (size_t k = 0; k < len; k++)
			above[k] = t->entries[c.stack[k]].uid;
		actions[i].ancestors = above;
		actions[i].ancestors_len = len;
	}
}

/* ---- the whole ---- */

static void resolve_all(struct builder *b)
{
	const struct table *t = &b->tables[RAW_COMMON];
	struct common *c;

	if (!(b->commons = schema_take(b, t->len, sizeof(*b->commons))))
		return;
	for (size_t i = 0; i < t->len && !b->status; i++)
		schema_resolve_common(b, &t->entries[i], 0, t->entries[i].offset, &c);
	for (struct raw_decl *d = b->raw.decls; d && !b->status; d = d->next) {
		if (d->kind == RAW_ENTITY)
			make_entity(b, d);
		else if (d->kind == RAW_ACTION)
			make_action(b, d);
	}
}

static void fill(struct builder *b)
{
	const struct table *e = &b->tables[RAW_ENTITY], *a = &b->tables[RAW_ACTION];
	struct cedar_entity_type *types = schema_take(b, e->len, sizeof(*types));
	struct cedar_action *actions = schema_take(b, a->len, sizeof(*actions));

	if (!types || !actions)
		return;
	for (size_t i = 0; i < e->len; i++) {
		const struct made *m = e->entries[i].decl->made;

		types[i] = (struct cedar_entity_type){.name = e->entries[i].uid.type,
		    .attributes = m->shape,
		    .tags = m->tags,
		    .parents = m->parents,
		    .parents_len = m->parents_len,
		    .choices = m->choices,
		    .choices_len = m->choices_len};
	}
	for (size_t i = 0; i < a->len; i++) {
		const struct made *m = a->entries[i].decl->made;

		actions[i] = (struct cedar_action){.uid = a->entries[i].uid,
		    .applies = a->entries[i].decl->applies,
		    .principals = m->principals,
		    .resources = m->resources,
		    .principals_len = m->principals_len,
		    .resources_len = m->resources_len,
		    .context = m->shape};
	}
	close_groups(b, actions);
	b->s->types = types;
	b->s->types_len = e->len;
	b->s->actions = actions;
	b->s->actions_len = a->len;
}

static int build(struct cedar_schema *s, struct cedar_faults *faults)
{
	struct builder b = {.s = s, .faults = faults};

	b.status = cedar_schema_read(s, faults, &b.raw);
	if (!b.status && !faults->errors)
		gather(&b);
	if (!b.status)
		check_spaces(&b);
	if (!b.status && !faults->errors)
		check_shadowing(&b, false);
	if (!b.status && !faults->errors)
		check_shadowing(&b, true);
	if (!b.status && !faults->errors)
		resolve_all(&b);
	if (!b.status && !faults->errors)
		fill(&b);
	return b.status;
}

int cedar_schema_parse(const char *text, size_t len, cedar_fault_fn told, void *arg,
    struct cedar_schema **ret, struct ark_error *err)
{
	struct cedar_faults faults = {.told = told, .arg = arg, .err = err};
	struct cedar_arena *arena = NULL;
	struct cedar_schema *s = NULL;
	int status = ARK_EINPUT;

	if (len > CEDAR_TEXT_MAX)
		return ark_fail(err, ARK_EINPUT, "a schema has at most %u bytes", CEDAR_TEXT_MAX);
	if ((status = cedar_arena_new(CEDAR_ARENA_MAX, &arena, err)))
		return status;
	s = cedar_alloc(arena, sizeof(*s));
	if (!s || !(s->text = cedar_alloc(arena, len + 1))) {
		status = ark_fail(err, ARK_ENOMEM, "no memory for the schema");
		goto out;
	}
	s->arena = arena;
	memcpy(s->text, text, len);
	s->text_len = len;
	faults.text = s->text;
	faults.text_len = len;
	if ((status = build(s, &faults))) {
		ark_fail(err, status, "no memory for the schema");
		goto out;
	}
	if (faults.errors) {
		status = ARK_EINPUT;
		goto out;
	}
	*ret = s;
	arena = NULL;
out:
	cedar_arena_free(arena);
	return status;
}

void cedar_schema_free(struct cedar_schema *s)
{
	if (s)
		cedar_arena_free(s->arena);
}

const struct cedar_entity_type *cedar_schema_type(
    const struct cedar_schema *s, struct cedar_text name)
{
	size_t low = 0, high = s->types_len;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = cedar_text_order(name, s->types[middle].name);

		if (!order)
			return &s->types[middle];
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

const struct cedar_action *cedar_schema_action(
    const struct cedar_schema *s, const struct cedar_uid *uid)
{
	size_t low = 0, high = s->actions_len;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = cedar_uid_order(uid, &s->actions[middle].uid);

		if (!order)
			return &s->actions[middle];
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}
