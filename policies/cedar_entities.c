/* Entities lie in one array in the order of their uids. While they are read, an
 * entity's `ancestors` are its direct parents; the closure replaces them. */
#include "policies/cedar_private.h"

#include <stdlib.h>
#include <string.h>

#include "policies/cedar_read.h"
#include "policies/cedar_text.h"

/* Ancestors that may be gathered while a hierarchy is closed, counting repetitions: a few thousand
 * entities can be crossed by more paths than any machine has time for. Half an arena holds as many. */
#define GATHERED_MAX (1u << 22)

struct cedar_entities {
	struct cedar_arena *arena;
	struct cedar_entity *items;
	size_t len;
};

/* ---- looking up ---- */

static struct cedar_entity *find(const struct cedar_entities *e, const struct cedar_uid *uid)
{
	size_t low = 0, high = e ? e->len : 0;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int d = cedar_uid_compare(&e->items[middle].uid, uid);

		if (d == 0)
			return &e->items[middle];
		if (d < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

const struct cedar_entity *cedar_entity_find(
    const struct cedar_world *w, const struct cedar_uid *uid)
{
	if (!w)
		return NULL;
	for (size_t i = 0; i < w->more_len; i++)
		if (cedar_uid_equal(&w->more[i]->uid, uid))
			return w->more[i];
	return find(w->entities, uid);
}

static int compare_entities(const void *a, const void *b)
{
	return cedar_uid_compare(
	    &((const struct cedar_entity *)a)->uid, &((const struct cedar_entity *)b)->uid);
}

static int compare_uids(const void *a, const void *b)
{
	return cedar_uid_compare((const struct cedar_uid *)a, (const struct cedar_uid *)b);
}

/* Sorts, and drops repetitions; gives how many are left. */
static size_t sort_uids(struct cedar_uid *uids, size_t n)
{
	size_t len = 0;

	if (n > 1)
		qsort(uids, n, sizeof(*uids), compare_uids);
	for (size_t i = 0; i < n; i++)
		if (len == 0 || !cedar_uid_equal(&uids[len - 1], &uids[i]))
			uids[len++] = uids[i];
	return len;
}

static int fail_uid(struct ark_error *err, const struct cedar_uid *uid, const char *what)
{
	return ark_fail(err, ARK_EINPUT, "the entity %.*s::\"%.*s\" %s", cedar_shown(uid->type),
	    uid->type.bytes, cedar_shown(uid->id), uid->id.bytes, what);
}

/* ---- reading ---- */

int cedar_uid_from_json(
    const json_t *json, struct cedar_arena *a, struct cedar_uid *ret, struct ark_error *err)
{
	struct cedar_reader r = {.arena = a, .err = err};

	return cedar_read_uid(&r, json, ret);
}

int cedar_context_from_json(const json_t *json, const struct cedar_schema *schema,
    const struct cedar_uid *action, struct cedar_arena *a, struct cedar_value *ret,
    struct ark_error *err)
{
	struct cedar_reader r = {.schema = schema, .arena = a, .err = err};
	const struct cedar_action *known = schema ? cedar_schema_action(schema, action) : NULL;
	struct cedar_value v;
	int rc;

	if (!json_is_object(json))
		return ark_fail(err, ARK_EINPUT, "a context is a record");
	if (schema && !known)
		return ark_fail(err, ARK_EINPUT, "the schema declares no action \"%.*s\"",
		    cedar_shown(action->id), action->id.bytes);
	rc = cedar_read_value(&r, json, known ? &known->context : NULL, 1, &v);
	if (!rc && v.kind != CEDAR_RECORD)
		rc = ark_fail(err, ARK_EINPUT, "a context is a record");
	if (rc)
		return ark_fail_within(err, rc, "the context");
	*ret = v;
	return ARK_OK;
}

/* Types that a search upwards has met. */
struct ladder {
	const struct cedar_schema *schema;
	const struct cedar_entity_type **types;
	size_t len;
};

static void ladder_add(struct ladder *l, struct cedar_text name)
{
	const struct cedar_entity_type *type = cedar_schema_type(l->schema, name);

	for (size_t i = 0; type && i < l->len; i++)
		if (l->types[i] == type)
			type = NULL;
	if (type)
		l->types[l->len++] = type;
}

/* A parent may be of a type that stands above in more than one step. */
static int may_be_below(struct cedar_reader *r, const struct cedar_entity_type *type,
    struct cedar_text parent, bool *ret)
{
	struct ladder l = {.schema = r->schema};

	*ret = false;
	for (size_t i = 0; !*ret && i < type->parents_len; i++)
		*ret = cedar_text_equal(type->parents[i], parent);
	if (*ret || type->parents_len == 0)
		return ARK_OK;
	l.types = malloc(r->schema->types_len * sizeof(*l.types));
	if (!l.types)
		return ark_fail(r->err, ARK_ENOMEM, "no memory for the schema's hierarchy");
	ladder_add(&l, type->name);
	for (size_t at = 0; !*ret && at < l.len; at++)
		for (size_t i = 0; !*ret && i < l.types[at]->parents_len; i++) {
			*ret = cedar_text_equal(l.types[at]->parents[i], parent);
			ladder_add(&l, l.types[at]->parents[i]);
		}
	free(l.types);
	return ARK_OK;
}

static int read_parents(struct cedar_reader *r, const json_t *json, struct cedar_entity *e)
{
	size_t n = json_array_size(json);
	struct cedar_uid *parents;

	if (!json_is_array(json))
		return fail_uid(r->err, &e->uid, "has no list of parents");
	if (n == 0)
		return ARK_OK;
	parents = cedar_alloc(r->arena, n * sizeof(*parents));
	if (!parents)
		return ark_fail(r->err, ARK_ENOMEM, "the entities take more memory than they may");
	for (size_t i = 0; i < n; i++) {
		int rc = cedar_read_uid(r, json_array_get(json, i), &parents[i]);

		if (rc)
			return ark_fail_within(r->err, rc, "a parent of %.*s::\"%.*s\"",
			    cedar_shown(e->uid.type), e->uid.type.bytes, cedar_shown(e->uid.id),
			    e->uid.id.bytes);
		if (cedar_is_action(&e->uid) && !cedar_is_action(&parents[i]))
			return fail_uid(r->err, &e->uid, "is an action below what is none");
	}
	e->ancestors = parents;
	e->ancestors_len = sort_uids(parents, n);
	return ARK_OK;
}

/* The parents of an entity of a known type: actions and choices that there are, of types that the
 * schema puts above. */
static int check_parents(
    struct cedar_reader *r, const struct cedar_entity *e, const struct cedar_entity_type *type)
{
	for (size_t i = 0; i < e->ancestors_len; i++) {
		const struct cedar_uid *parent = &e->ancestors[i];
		bool allowed = false;
		int rc = cedar_check_uid(r, parent);

		if (!rc)
			rc = may_be_below(r, type, parent->type, &allowed);
		if (rc)
			return rc;
		if (!allowed)
			return fail_uid(r->err, &e->uid,
			    "has a parent of a type that the schema does not allow");
	}
	return ARK_OK;
}

static int read_data(struct cedar_reader *r, const json_t *json, struct cedar_entity *e,
    const struct cedar_entity_type *type)
{
	const json_t *attributes = json_object_get(json, "attrs"),
		     *tags = json_object_get(json, "tags");
	int rc;

	e->tags.kind = CEDAR_RECORD;
	if (!json_is_object(attributes) || (tags && !json_is_object(tags)))
		return ark_fail(r->err, ARK_EINPUT, "attrs and tags are objects");
	rc = type ? cedar_read_record(r, attributes, &type->attributes, 1, &e->attributes)
		  : cedar_read_members(r, attributes, NULL, 1, &e->attributes);
	if (rc || !tags)
		return rc;
	if (type && !type->tags && json_object_size(tags))
		return ark_fail(r->err, ARK_EINPUT, "the schema gives it no tags");
	return cedar_read_members(r, tags, type ? type->tags : NULL, 1, &e->tags);
}

static int read_entity(struct cedar_reader *r, const json_t *json, struct cedar_entity *e)
{
	const struct cedar_entity_type *type = NULL;
	int rc = cedar_read_uid(r, json_object_get(json, "uid"), &e->uid);

	if (rc)
		return ark_fail_within(r->err, rc, "an entity's uid");
	if (r->schema && !cedar_is_action(&e->uid)) {
		type = cedar_schema_type(r->schema, e->uid.type);
		if (!type)
			return fail_uid(
			    r->err, &e->uid, "is of a type that the schema does not declare");
		rc = cedar_check_uid(r, &e->uid);
		if (rc)
			return rc;
	}
	r->uids_checked = type;
	rc = read_data(r, json, e, type);
	if (rc)
		return ark_fail_within(r->err, rc, "the entity %.*s::\"%.*s\"",
		    cedar_shown(e->uid.type), e->uid.type.bytes, cedar_shown(e->uid.id),
		    e->uid.id.bytes);
	rc = read_parents(r, json_object_get(json, "parents"), e);
	if (!rc && type)
		rc = check_parents(r, e, type);
	return rc;
}

static int read_entities(struct cedar_reader *r, const json_t *json, struct cedar_entities *e)
{
	size_t n = json_array_size(json), room = n + (r->schema ? r->schema->actions_len : 0);

	if (!json_is_array(json))
		return ark_fail(r->err, ARK_EINPUT, "entities are a JSON array");
	if (room > CEDAR_ENTITIES_MAX)
		return ark_fail(
		    r->err, ARK_EINPUT, "there are more than %u entities", CEDAR_ENTITIES_MAX);
	if (room == 0)
		return ARK_OK;
	e->items = cedar_alloc(r->arena, room * sizeof(*e->items));
	if (!e->items)
		return ark_fail(r->err, ARK_ENOMEM, "the entities take more memory than they may");
	for (; e->len < n; e->len++) {
		int rc = read_entity(r, json_array_get(json, e->len), &e->items[e->len]);

		if (rc)
			return rc;
	}
	qsort(e->items, n, sizeof(*e->items), compare_entities);
	for (size_t i = 1; i < n; i++)
		if (cedar_uid_equal(&e->items[i - 1].uid, &e->items[i].uid))
			return fail_uid(r->err, &e->items[i].uid, "comes twice");
	return ARK_OK;
}

/* ---- closure ---- */

enum mark { UNSEEN, OPEN, CLOSED };
struct step {
	struct cedar_entity *entity;
	size_t next; /* parent */
};
struct closing {
	struct cedar_entities *e;
	unsigned char *marks; /* enum mark, by entity */
	struct step *path;    /* from where the walk began to where it is */
	size_t path_len;
	struct cedar_uid *gathered; /* grows */
	size_t gathered_cap, work;
};

static bool make_room(struct closing *c, size_t n)
{
	struct cedar_uid *more;

	if (c->gathered && n <= c->gathered_cap)
		return true;
	more = realloc(c->gathered, 2 * n * sizeof(*more));
	if (!more)
		return false;
	c->gathered = more;
	c->gathered_cap = 2 * n;
	return true;
}

/* All parents are closed: the entity's ancestors are they and theirs. */
static int gather(struct closing *c, struct cedar_entity *entity, struct ark_error *err)
{
	size_t parents = entity->ancestors_len, n = parents, at = parents;
	struct cedar_uid *ancestors;

	for (size_t i = 0; i < parents; i++) {
		const struct cedar_entity *p = find(c->e, &entity->ancestors[i]);

		n += p ? p->ancestors_len : 0;
	}
	c->work += n;
	if (c->work > GATHERED_MAX)
		return ark_fail(err, ARK_EINPUT, "the entities' hierarchy is too large");
	if (n == parents)
		return ARK_OK;
	if (!make_room(c, n))
		return ark_fail(err, ARK_ENOMEM, "no memory for the entities' hierarchy");
	memcpy(c->gathered, entity->ancestors, parents * sizeof(*c->gathered));
	for (size_t i = 0; i < parents; i++) {
		const struct cedar_entity *p = find(c->e, &entity->ancestors[i]);

		if (p && p->ancestors_len) {
			memcpy(c->gathered + at, p->ancestors,
			    p->ancestors_len * sizeof(*c->gathered));
			at += p->ancestors_len;
		}
	}
	n = sort_uids(c->gathered, n);
	ancestors = cedar_alloc(c->e->arena, n * sizeof(*ancestors));
	if (!ancestors)
		return ark_fail(err, ARK_ENOMEM, "no memory for the entities' hierarchy");
	memcpy(ancestors, c->gathered, n * sizeof(*ancestors));
	entity->ancestors = ancestors;
	entity->ancestors_len = n;
	return ARK_OK;
}

static void climb(struct closing *c, struct cedar_entity *entity)
{
	c->marks[entity - c->e->items] = OPEN;
	c->path[c->path_len++] = (struct step){entity, 0};
}

/* Closes one entity and all above it, depth first. */
static int close_from(struct closing *c, struct cedar_entity *start, struct ark_error *err)
{
	climb(c, start);
	while (c->path_len > 0) {
		struct step *s = &c->path[c->path_len - 1];
		struct cedar_entity *parent;
		int rc;

		if (s->next == s->entity->ancestors_len) {
			rc = gather(c, s->entity, err);
			if (rc)
				return rc;
			c->marks[s->entity - c->e->items] = CLOSED;
			c->path_len--;
			continue;
		}
		parent = find(c->e, &s->entity->ancestors[s->next++]);
		if (!parent || c->marks[parent - c->e->items] == CLOSED)
			continue;
		if (c->marks[parent - c->e->items] == OPEN)
			return fail_uid(err, &parent->uid, "is above itself");
		climb(c, parent);
	}
	return ARK_OK;
}

static int close_hierarchy(struct cedar_entities *e, struct ark_error *err)
{
	struct closing c = {.e = e};
	int rc = ARK_OK;

	if (e->len == 0)
		return ARK_OK;
	c.marks = calloc(e->len, 1);
	c.path = calloc(e->len, sizeof(*c.path));
	if (!c.marks || !c.path)
		rc = ark_fail(err, ARK_ENOMEM, "no memory for the entities' hierarchy");
	for (size_t i = 0; !rc && i < e->len; i++)
		if (c.marks[i] == UNSEEN)
			rc = close_from(&c, &e->items[i], err);
	free(c.gathered);
	free(c.path);
	free(c.marks);
	return rc;
}

/* ---- the schema's actions ---- */

static int copy_uid(struct cedar_reader *r, const struct cedar_uid *from, struct cedar_uid *ret)
{
	int rc = cedar_copy_text(r, from->type.bytes, from->type.len, &ret->type);

	return rc ? rc : cedar_copy_text(r, from->id.bytes, from->id.len, &ret->id);
}

static int take_action(
    struct cedar_reader *r, const struct cedar_action *action, struct cedar_entity *e)
{
	struct cedar_uid *groups;
	int rc;

	memset(e, 0, sizeof(*e));
	rc = copy_uid(r, &action->uid, &e->uid);
	e->attributes.kind = CEDAR_RECORD;
	e->tags.kind = CEDAR_RECORD;
	if (rc || !action->ancestors_len)
		return rc;
	groups = cedar_alloc(r->arena, action->ancestors_len * sizeof(*groups));
	if (!groups)
		return ark_fail(r->err, ARK_ENOMEM, "the entities take more memory than they may");
	for (size_t i = 0; !rc && i < action->ancestors_len; i++)
		rc = copy_uid(r, &action->ancestors[i], &groups[i]);
	e->ancestors = groups;
	e->ancestors_len = rc ? 0 : sort_uids(groups, action->ancestors_len);
	return rc;
}

/* An action that the data lists too must be as the schema has it. */
static bool as_declared(const struct cedar_entity *given, const struct cedar_entity *declared)
{
	if (given->attributes.record.len || given->tags.record.len ||
	    given->ancestors_len != declared->ancestors_len)
		return false;
	for (size_t i = 0; i < given->ancestors_len; i++)
		if (!cedar_uid_equal(&given->ancestors[i], &declared->ancestors[i]))
			return false;
	return true;
}

static int add_actions(struct cedar_reader *r, struct cedar_entities *e)
{
	size_t given = e->len, added = 0;

	for (size_t i = 0; i < given; i++)
		if (cedar_is_action(&e->items[i].uid) &&
		    !cedar_schema_action(r->schema, &e->items[i].uid))
			return fail_uid(r->err, &e->items[i].uid,
			    "is an action that the schema does not declare");
	for (size_t i = 0; i < r->schema->actions_len; i++) {
		struct cedar_entity *to = &e->items[given + added];
		const struct cedar_entity *same;
		int rc = take_action(r, &r->schema->actions[i], to);

		if (rc)
			return rc;
		same = find(e, &to->uid);
		if (same && !as_declared(same, to))
			return fail_uid(r->err, &to->uid, "is not as the schema declares it");
		added += !same;
	}
	e->len += added;
	if (e->len)
		qsort(e->items, e->len, sizeof(*e->items), compare_entities);
	return ARK_OK;
}

int cedar_entities_from_json(const json_t *json, const struct cedar_schema *schema,
    struct cedar_entities **ret, struct ark_error *err)
{
	struct cedar_reader r = {.schema = schema, .err = err};
	struct cedar_entities *e = calloc(1, sizeof(*e));
	int rc;

	if (!e)
		return ark_fail(err, ARK_ENOMEM, "no memory for entities");
	rc = cedar_arena_new(CEDAR_ARENA_MAX, &e->arena, err);
	if (rc)
		goto out;
	r.arena = e->arena;
	rc = read_entities(&r, json, e);
	if (!rc)
		rc = close_hierarchy(e, err);
	if (!rc && schema)
		rc = add_actions(&r, e);
	if (rc)
		goto out;
	*ret = e;
	e = NULL;
out:
	cedar_entities_free(e);
	return rc;
}

void cedar_entities_free(struct cedar_entities *e)
{
	if (!e)
		return;
	cedar_arena_free(e->arena);
	free(e);
}
