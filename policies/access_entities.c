#include "policies/access_entities.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "arkki/base/clock.h"
#include "policies/cedar_private.h"

const struct cedar_indexed access_indexed[ACCESS_INDEXED] = {
    {"publicity", INDEX_STRING, NULL, false, ACCESS_ATTR_PUBLICITY},
    {"author", INDEX_ENTITY, "Org", false, ACCESS_ATTR_AUTHOR},
    {"state", INDEX_STRING, NULL, false, ACCESS_ATTR_STATE},
    {"type", INDEX_STRING, NULL, false, ACCESS_ATTR_TYPE},
    {"units", INDEX_SET_ENTITY, "Unit", false, ACCESS_ATTR_UNIT},
    {"unitCount", INDEX_LONG, NULL, false, ACCESS_ATTR_UNIT_COUNT},
    {"counties", INDEX_SET_ENTITY, "County", false, ACCESS_ATTR_COUNTY},
    {"addressees", INDEX_SET_ENTITY, "Org", false, ACCESS_ATTR_ADDRESSEE},
    {"renditions", INDEX_SET_STRING, NULL, false, ACCESS_ATTR_RENDITION},
    {"date", INDEX_DAY, NULL, false, ACCESS_ATTR_DATE},
    {"visitDate", INDEX_DAY, NULL, true, ACCESS_ATTR_VISIT_DATE},
};

/* A record that grows member by member; failure is sticky. */
enum { MEMBERS_MAX = 16, ARENA_MAX = 64 << 20 };
struct members {
	struct cedar_arena *arena;
	struct cedar_member *m;
	size_t len;
	bool failed;
};

static bool is_given(const char *text)
{
	return text && *text;
}

static struct members members_of(struct cedar_arena *a)
{
	struct members m = {
	    .arena = a, .m = cedar_alloc(a, MEMBERS_MAX * sizeof(struct cedar_member))};

	m.failed = !m.m;
	return m;
}

static struct cedar_value *member(struct members *m, const char *name, enum cedar_kind kind)
{
	struct cedar_member *at;

	if (m->failed || m->len == MEMBERS_MAX) {
		m->failed = true;
		return NULL;
	}
	at = &m->m[m->len++];
	at->name = cedar_text_of(name);
	at->value.kind = kind;
	return &at->value;
}

static void add_text(struct members *m, const char *name, const char *text)
{
	struct cedar_value *v = member(m, name, CEDAR_STRING);

	if (v)
		v->text = cedar_text_of(text ? text : "");
}

static void add_truth(struct members *m, const char *name, bool truth)
{
	struct cedar_value *v = member(m, name, CEDAR_BOOL);

	if (v)
		v->truth = truth;
}

static struct cedar_uid uid_of(const char *type, const char *id)
{
	return (struct cedar_uid){cedar_text_of(type), cedar_text_of(id ? id : "")};
}

static void add_entity(struct members *m, const char *name, const char *type, const char *id)
{
	struct cedar_value *v = member(m, name, CEDAR_ENTITY);

	if (v)
		v->uid = uid_of(type, id);
}

/* Ids that are not given (a unit whose county is not known) belong to no set. */
static void add_entities(
    struct members *m, const char *name, const char *type, const struct access_ids *ids)
{
	struct cedar_value *v = member(m, name, CEDAR_SET), *items;
	size_t n = 0;

	if (!v)
		return;
	items = cedar_alloc(m->arena, (ids->len ? ids->len : 1) * sizeof(*items));
	if (!items) {
		m->failed = true;
		return;
	}
	for (size_t i = 0; i < ids->len; i++) {
		if (!is_given(ids->id[i]))
			continue;
		items[n].kind = CEDAR_ENTITY;
		items[n++].uid = uid_of(type, ids->id[i]);
	}
	*v = cedar_set_of(items, n);
}

static void add_day(struct members *m, const char *name, const char *day)
{
	int64_t us;
	struct cedar_value *v;

	if (!is_given(day) || !clock_parse(day, &us))
		return;
	v = member(m, name, CEDAR_DATETIME);
	if (v)
		v->number = us / 1000;
}

static int finish(struct members *m, struct cedar_value *ret, struct ark_error *err)
{
	if (m->failed)
		return ark_fail(err, ARK_ENOMEM, "no memory for a decision");
	return cedar_record_of(m->m, m->len, ret, err);
}

static int set_roles(
    struct access_question *q, const struct access_principal *p, struct ark_error *err)
{
	struct cedar_value *roles = cedar_alloc(q->arena, ACCESS_ROLES * sizeof(*roles)), set;
	struct cedar_uid *above = cedar_alloc(q->arena, ACCESS_ROLES * sizeof(*above));
	size_t n = 0;

	if (!roles || !above)
		return ark_fail(err, ARK_ENOMEM, "no memory for a decision");
	for (unsigned int bit = 0; bit < ACCESS_ROLES; bit++) {
		if (!(p->roles & (1U << bit)))
			continue;
		roles[n].kind = CEDAR_ENTITY;
		roles[n++].uid = uid_of("Role", access_role_name(bit));
	}
	set = cedar_set_of(roles, n); /* for its order */
	for (size_t i = 0; i < set.set.len; i++)
		above[i] = set.set.items[i].uid;
	q->principal.ancestors = above;
	q->principal.ancestors_len = set.set.len;
	return ARK_OK;
}

static int set_principal(
    struct access_question *q, const struct access_principal *p, struct ark_error *err)
{
	struct members m = members_of(q->arena);

	add_entity(&m, "org", "Org", p->org);
	add_entities(&m, "orgs", "Org", &p->orgs);
	add_text(&m, "kind", access_org_kind_name(p->org_kind));
	add_entities(&m, "counties", "County", &p->counties);
	add_entities(&m, "placedUnits", "Unit", &p->placed_units);
	add_entities(&m, "ownUnits", "Unit", &p->own_units);
	add_entities(&m, "areaUnits", "Unit", &p->area_units);
	add_day(&m, "validFrom", p->valid_from);
	add_day(&m, "validUntil", p->valid_until);
	q->principal.uid = uid_of("User", p->user);
	q->principal.tags.kind = CEDAR_RECORD;
	return finish(&m, &q->principal.attributes, err);
}

static void add_network(struct members *m, const char *address)
{
	unsigned char ip[16] = {0};
	bool v4 = is_given(address) && inet_pton(AF_INET, address, ip) == 1;
	struct cedar_value *v;

	if (!v4 && (!is_given(address) || inet_pton(AF_INET6, address, ip) != 1))
		return;
	v = member(m, "network", CEDAR_IPADDR);
	if (!v)
		return;
	memcpy(v->ip, ip, sizeof(ip));
	v->ip_bits = v4 ? 32 : 128;
	v->ip_prefix = v->ip_bits;
}

int access_question_context(
    struct access_question *q, const struct access_context *context, struct ark_error *err)
{
	struct members m = members_of(q->arena);
	int64_t now = context->now_us ? context->now_us : clock_now_us();
	struct cedar_value *v = member(&m, "now", CEDAR_DATETIME);
	char today[11];

	if (v)
		v->number = now / 1000;
	clock_day(today, now);
	add_day(&m, "today", today);
	if (is_given(context->purpose))
		add_text(&m, "purpose", context->purpose);
	if (is_given(context->case_id))
		add_entity(&m, "case", "Case", context->case_id);
	add_entities(&m, "caseUnits", "Unit", &context->case_units);
	if (is_given(context->break_glass))
		add_text(&m, "breakGlass", context->break_glass);
	add_truth(&m, "strong", context->strong);
	add_network(&m, context->address);
	return finish(&m, &q->request.context, err);
}

static void set_action(
    struct access_question *q, const struct cedar_schema *schema, enum access_action action)
{
	const struct cedar_action *declared;

	q->action.uid = uid_of("Action", access_action_name(action));
	q->action.attributes.kind = CEDAR_RECORD;
	q->action.tags.kind = CEDAR_RECORD;
	declared = cedar_schema_action(schema, &q->action.uid);
	if (declared) {
		q->action.ancestors = declared->ancestors;
		q->action.ancestors_len = declared->ancestors_len;
	}
	q->request.action = q->action.uid;
}

int access_question_new(const struct cedar_schema *schema, const struct access_principal *p,
    enum access_action action, const struct access_context *context, struct access_question *q,
    struct ark_error *err)
{
	int rc;

	if (!p || !is_given(p->user) || !is_given(p->org))
		return 1;
	rc = cedar_arena_new(ARENA_MAX, &q->arena, err);
	if (!rc)
		rc = set_principal(q, p, err);
	if (!rc)
		rc = set_roles(q, p, err);
	if (!rc)
		rc = access_question_context(q, context, err);
	if (rc)
		return rc;
	q->request.principal = q->principal.uid;
	set_action(q, schema, action);
	q->more[0] = &q->principal;
	q->more[1] = &q->action;
	q->world = (struct cedar_world){.more = q->more, .more_len = 2};
	return ARK_OK;
}

static void add_resource(struct access_question *q)
{
	q->resource.tags.kind = CEDAR_RECORD;
	q->request.resource = q->resource.uid;
	q->more[2] = &q->resource;
	q->world.more_len = 3;
}

static void add_renditions(struct members *m, bool has_public)
{
	struct cedar_value *v = member(m, "renditions", CEDAR_SET), *item;

	if (!v || !has_public)
		return;
	item = cedar_alloc(m->arena, sizeof(*item));
	if (!item) {
		m->failed = true;
		return;
	}
	item->kind = CEDAR_STRING;
	item->text = cedar_text_of("public");
	*v = cedar_set_of(item, 1);
}

int access_question_document(
    struct access_question *q, const struct access_resource *r, struct ark_error *err)
{
	struct members m = members_of(q->arena);
	struct cedar_value *count;

	add_text(&m, "publicity", r->publicity);
	add_entity(&m, "author", "Org", r->author);
	add_text(&m, "state", r->state);
	add_text(&m, "type", r->type);
	add_entities(&m, "units", "Unit", &r->units);
	count = member(&m, "unitCount", CEDAR_LONG);
	if (count)
		count->number = (int64_t)r->units.len;
	add_entities(&m, "counties", "County", &r->counties);
	add_entities(&m, "addressees", "Org", &r->addressees);
	add_renditions(&m, r->rendition);
	add_day(&m, "date", is_given(r->date) ? r->date : "1800-01-01");
	add_day(&m, "visitDate", r->visit_date);
	q->resource.uid = uid_of("Document", r->id);
	add_resource(q);
	return finish(&m, &q->resource.attributes, err);
}

int access_question_archive(struct access_question *q, struct ark_error *err)
{
	struct members m = members_of(q->arena);

	q->resource.uid = uid_of("Archive", "arkki");
	add_resource(q);
	return finish(&m, &q->resource.attributes, err);
}

void access_question_open(struct access_question *q)
{
	q->request.resource = uid_of("Document", "");
	q->world.more_len = 2;
}

void access_question_end(struct access_question *q)
{
	cedar_arena_free(q->arena);
	*q = (struct access_question){0};
}
