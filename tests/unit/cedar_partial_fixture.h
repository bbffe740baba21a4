/* A small world for partial evaluation: the documents' attributes as the default schema has
 * them, a principal, its organisations, an action, a context. */
#ifndef ARKKI_TESTS_CEDAR_PARTIAL_FIXTURE_H
#define ARKKI_TESTS_CEDAR_PARTIAL_FIXTURE_H

#include "tests/unit/unit.h"

#include "policies/access_entities.h"

static const char partial_world[] =
    "[{'uid':{'type':'Action','id':'list'},'attrs':{},'parents':[{'type':'Action','id':'reading'}]}"
    ","
    "{'uid':{'type':'Action','id':'reading'},'attrs':{},'parents':[]},"
    "{'uid':{'type':'Role','id':'inspector'},'attrs':{},'parents':[]},"
    "{'uid':{'type':'Org','id':'o1'},'attrs':{'name':'One'},'parents':[]},"
    "{'uid':{'type':'Org','id':'o2'},'attrs':{'name':'Two'},'parents':[{'type':'Org','id':'o1'}]},"
    "{'uid':{'type':'Org','id':'o3'},'attrs':{'name':'Three'},'parents':[]},"
    "{'uid':{'type':'User','id':'anna'},'attrs':{'kind':'county',"
    "'org':{'__entity':{'type':'Org','id':'o1'}},"
    "'orgs':[{'__entity':{'type':'Org','id':'o1'}},{'__entity':{'type':'Org','id':'o3'}}],"
    "'counties':[{'__entity':{'type':'County','id':'c1'}},{'__entity':{'type':'County','id':'c2'}}]"
    ","
    "'placedUnits':[{'__entity':{'type':'Unit','id':'u1'}},{'__entity':{'type':'Unit','id':'u2'}}],"
    "'ownUnits':[]},'parents':[{'type':'Role','id':'inspector'},{'type':'Org','id':'o2'}]},"
    "{'uid':{'type':'User','id':'bo'},'attrs':{'kind':'state-agency',"
    "'org':{'__entity':{'type':'Org','id':'o2'}},"
    "'orgs':[{'__entity':{'type':'Org','id':'o2'}}],"
    "'counties':[],"
    "'placedUnits':[],"
    "'ownUnits':[{'__entity':{'type':'Unit','id':'u3'}}]},'parents':[]}]";

static const char *const partial_contexts[] = {
    "{'today':{'__extn':{'fn':'datetime','arg':'2026-01-15'}},"
    "'now':{'__extn':{'fn':'datetime','arg':'2026-01-15T09:30:00Z'}},"
    "'strong':true,'purpose':'x','caseUnits':[{'__entity':{'type':'Unit','id':'u1'}}]}",
    "{'today':{'__extn':{'fn':'datetime','arg':'2026-03-01'}},"
    "'now':{'__extn':{'fn':'datetime','arg':'2026-03-01T00:00:00Z'}},"
    "'strong':false,'caseUnits':[]}",
};

struct partial_fixture {
	struct cedar_arena *arena;       /* of the world */
	struct cedar_arena *round;       /* of one evaluation */
	struct cedar_entities *entities; /* everything but documents */
	struct cedar_world world;        /* the same, listed where `listed` */
	const struct cedar_entity *listed[8];
	size_t listed_len;
	struct cedar_request request;
};

/* JSON with ' for ". */
static inline json_t *partial_json(const char *text)
{
	json_error_t error;
	json_t *json;
	char *copy = strdup(text);

	assert_non_null(copy);
	for (char *p = copy; *p; p++)
		if (*p == '\'')
			*p = '"';
	json = json_loads(copy, JSON_ALLOW_NUL, &error);
	if (!json)
		fail_msg("%s in %s", error.text, copy);
	free(copy);
	return json;
}

static inline struct cedar_uid partial_uid(const char *type, const char *id)
{
	return (struct cedar_uid){cedar_text_of(type), cedar_text_of(id)};
}

static inline void partial_context(struct partial_fixture *f, const char *text)
{
	json_t *json = partial_json(text);
	struct ark_error err;

	if (cedar_context_from_json(json, NULL, NULL, f->arena, &f->request.context, &err))
		fail_msg("%s", err.text);
	json_decref(json);
}

static inline void partial_begin(struct partial_fixture *f)
{
	static const char *const listed[][2] = {{"Action", "list"}, {"Action", "reading"},
	    {"Org", "o1"}, {"Org", "o2"}, {"Org", "o3"}, {"User", "anna"}, {"User", "bo"}};
	json_t *json = partial_json(partial_world);
	struct ark_error err;

	*f = (struct partial_fixture){0};
	assert_int_equal(cedar_arena_new(64U << 20, &f->arena, NULL), ARK_OK);
	assert_int_equal(cedar_arena_new(64U << 20, &f->round, NULL), ARK_OK);
	if (cedar_entities_from_json(json, NULL, &f->entities, &err))
		fail_msg("%s", err.text);
	json_decref(json);
	f->world.entities = f->entities;
	for (size_t i = 0; i < sizeof(listed) / sizeof(*listed); i++) {
		struct cedar_uid uid = partial_uid(listed[i][0], listed[i][1]);

		f->listed[f->listed_len] = cedar_entity_find(&f->world, &uid);
		assert_non_null(f->listed[f->listed_len++]);
	}
	f->world = (struct cedar_world){NULL, f->listed, f->listed_len};
	f->request.principal = partial_uid("User", "anna");
	f->request.action = partial_uid("Action", "list");
	f->request.resource = partial_uid("Document", "");
	partial_context(f, partial_contexts[0]);
}

static inline void partial_end(struct partial_fixture *f)
{
	cedar_entities_free(f->entities);
	cedar_arena_free(f->round);
	cedar_arena_free(f->arena);
}

static inline struct cedar_policies *partial_policies(const char *text)
{
	struct cedar_policies *p = NULL;
	struct ark_error err;

	if (cedar_policies_parse(text, strlen(text), NULL, NULL, &p, &err))
		fail_msg("%s in %s", err.text, text);
	return p;
}

#endif
