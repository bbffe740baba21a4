/* The shipped rules with the document left open: every user, reading action and circumstance of the
 * cases' entities; the filter must be exact and admit just what is decided on each known document. */
#include "tests/unit/unit.h"

#include "arkki/policies/cedar.h"
#include "policies/access_entities.h"

enum { ENTITIES = 512 };

static const char *const actions[] = {"list", "read", "readContent", "readPublic"};
enum { LIST, READ, READ_CONTENT, READ_PUBLIC, ACTIONS };

#define NOW "\"now\": \"2026-05-04T09:15:00Z\", \"today\": \"2026-05-04\", \"strong\": true"
static const char *const circumstances[] = {
    "{" NOW ", \"caseUnits\": []}",
    "{" NOW ", \"purpose\": \"valvonta\", \"case\": {\"type\": \"Case\", \"id\": \"asia-1\"}, "
    "\"caseUnits\": [{\"type\": \"Unit\", \"id\": \"koivukoti\"}]}",
    "{" NOW ", \"caseUnits\": [], \"breakGlass\": \"vaara\"}",
};
enum { CIRCUMSTANCES_COUNT = sizeof(circumstances) / sizeof(*circumstances) };

struct rules {
	struct cedar_schema *schema;
	struct cedar_policies *policies;
	struct cedar_entities *entities;
	struct cedar_world world;
	struct cedar_arena *contexts, *decision, *partial;
	struct cedar_value circumstances[CIRCUMSTANCES_COUNT];
	struct cedar_uid users[ENTITIES], documents[ENTITIES];
	size_t users_len, documents_len;
};

static size_t read_text(const char *path, char **ret)
{
	FILE *f = fopen(path, "rb");
	size_t len;

	assert_non_null(f);
	*ret = malloc(CEDAR_TEXT_MAX);
	assert_non_null(*ret);
	len = fread(*ret, 1, CEDAR_TEXT_MAX, f);
	assert_true(len > 0 && len < CEDAR_TEXT_MAX);
	fclose(f);
	return len;
}

static void take_entities(struct rules *r)
{
	json_t *json =
	    json_load_file("policies/cases/entities/arkki.json", JSON_REJECT_DUPLICATES, NULL);
	json_t *entity;
	size_t i;

	assert_non_null(json);
	assert_int_equal(cedar_entities_from_json(json, r->schema, &r->entities, NULL), ARK_OK);
	json_array_foreach(json, i, entity)
	{
		struct cedar_uid uid;

		assert_int_equal(
		    cedar_uid_from_json(json_object_get(entity, "uid"), r->contexts, &uid, NULL),
		    ARK_OK);
		if (cedar_text_equal(uid.type, cedar_text_of("User")))
			r->users[r->users_len++] = uid;
		else if (cedar_text_equal(uid.type, cedar_text_of("Document")))
			r->documents[r->documents_len++] = uid;
		assert_true(r->users_len < ENTITIES && r->documents_len < ENTITIES);
	}
	assert_true(r->users_len > 30 && r->documents_len > 50);
	json_decref(json);
}

static void take_circumstances(struct rules *r)
{
	const struct cedar_uid list = {cedar_text_of("Action"), cedar_text_of(actions[LIST])};

	for (size_t i = 0; i < CIRCUMSTANCES_COUNT; i++) {
		json_t *json = json_loads(circumstances[i], 0, NULL);

		assert_non_null(json);
		assert_int_equal(cedar_context_from_json(json, r->schema, &list, r->contexts,
				     &r->circumstances[i], NULL),
		    ARK_OK);
		json_decref(json);
	}
}

static int setup(void **state)
{
	struct rules *r = calloc(1, sizeof(*r));
	struct cedar_arena **arenas[] = {&r->contexts, &r->decision, &r->partial};
	struct ark_error err = {0};
	char *text;
	size_t len;

	assert_non_null(r);
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(cedar_arena_new(16u << 20, arenas[i], &err), ARK_OK);
	len = read_text("policies/arkki.cedarschema", &text);
	assert_int_equal(cedar_schema_parse(text, len, NULL, NULL, &r->schema, &err), ARK_OK);
	free(text);
	len = read_text("policies/arkki.cedar", &text);
	assert_int_equal(cedar_policies_parse(text, len, NULL, NULL, &r->policies, &err), ARK_OK);
	free(text);
	take_entities(r);
	take_circumstances(r);
	r->world = (struct cedar_world){.entities = r->entities};
	*state = r;
	return 0;
}

static int teardown(void **state)
{
	struct rules *r = *state;

	cedar_arena_free(r->contexts);
	cedar_arena_free(r->decision);
	cedar_arena_free(r->partial);
	cedar_entities_free(r->entities);
	cedar_policies_free(r->policies);
	cedar_schema_free(r->schema);
	free(r);
	return 0;
}

/* ---- a document as the index knows it ---- */

struct known {
	struct access_resource resource;
	char text[64][32];
	const char *list[64];
	size_t used;
};

static const char *keep(struct known *k, struct cedar_text t)
{
	assert_true(k->used < 64 && t.len < sizeof(k->text[0]));
	memcpy(k->text[k->used], t.bytes, t.len);
	return k->text[k->used++];
}

static const struct cedar_value *attribute(const struct cedar_entity *e, const char *name)
{
	return cedar_member_get(&e->attributes, cedar_text_of(name));
}

static const char *const *keep_ids(
    struct known *k, const struct cedar_entity *e, const char *name, size_t *ret_len)
{
	const struct cedar_value *set = attribute(e, name);
	size_t first = k->used;

	*ret_len = set->set.len;
	for (size_t i = 0; i < set->set.len; i++) {
		size_t at = k->used;

		k->list[at] = keep(k, set->set.items[i].uid.id);
	}
	return k->list + first;
}

/* All days of the entities lie in May 2026, but for `date`, of which no rule speaks. */
static const char *keep_day(struct known *k, const struct cedar_value *day)
{
	const int64_t first = INT64_C(1777593600000), day_ms = INT64_C(86400000); /* 2026-05-01 */
	char text[32];
	int number;

	if (!day)
		return NULL;
	number = (int)((day->number - first) / day_ms) + 1;
	assert_in_range(number, 1, 31);
	snprintf(text, sizeof(text), "2026-05-%02d", number);
	return keep(k, cedar_text_of(text));
}

static void know(struct known *k, const struct cedar_entity *e)
{
	struct access_resource *r = &k->resource;

	memset(k, 0, sizeof(*k));
	r->publicity = keep(k, attribute(e, "publicity")->text);
	r->author = keep(k, attribute(e, "author")->uid.id);
	r->state = keep(k, attribute(e, "state")->text);
	r->type = keep(k, attribute(e, "type")->text);
	r->units.id = keep_ids(k, e, "units", &r->units.len);
	r->counties.id = keep_ids(k, e, "counties", &r->counties.len);
	r->addressees.id = keep_ids(k, e, "addressees", &r->addressees.len);
	r->date = "2026-03-12";
	r->visit_date = keep_day(k, attribute(e, "visitDate"));
	for (size_t i = 0; i < attribute(e, "renditions")->set.len; i++)
		r->rendition |= cedar_text_equal(
		    attribute(e, "renditions")->set.items[i].text, cedar_text_of("public"));
}

/* ---- open and known ---- */

static struct cedar_request request(
    const struct rules *r, size_t user, size_t action, size_t context)
{
	return (struct cedar_request){.principal = r->users[user],
	    .action = {cedar_text_of("Action"), cedar_text_of(actions[action])},
	    .resource = {cedar_text_of("Document"), cedar_text_of("")},
	    .context = r->circumstances[context]};
}

static bool decided(struct rules *r, struct cedar_request *q, size_t document)
{
	struct cedar_answer answer;

	cedar_arena_reset(r->decision);
	q->resource = r->documents[document];
	assert_int_equal(
	    cedar_decide(r->policies, &r->world, q, r->decision, &answer, NULL), ARK_OK);
	assert_int_equal(answer.failures_len, 0);
	return answer.allow;
}

static void compare(struct rules *r, struct cedar_request *q)
{
	struct access_filter *filter = NULL;
	unsigned int inexact = 0;
	struct known known;

	cedar_arena_reset(r->partial);
	assert_int_equal(cedar_partial(r->policies, &r->world, q, access_indexed, ACCESS_INDEXED,
			     r->partial, &filter, &inexact, NULL, NULL, NULL),
	    ARK_OK);
	assert_int_equal(inexact, 0);
	for (size_t d = 0; d < r->documents_len; d++) {
		know(&known, cedar_entity_find(&r->world, &r->documents[d]));
		if (access_filter_admits(filter, &known.resource) != decided(r, q, d))
			fail_msg("%.*s, %.*s, %.*s", (int)q->principal.id.len,
			    q->principal.id.bytes, (int)q->action.id.len, q->action.id.bytes,
			    (int)q->resource.id.len, q->resource.id.bytes);
	}
	access_filter_free(filter);
}

static void test_policies__reading_is_the_same_with_the_document_open(void **state)
{
	struct rules *r = *state;

	for (size_t u = 0; u < r->users_len; u++)
		for (size_t a = 0; a < ACTIONS; a++)
			for (size_t c = 0; c < CIRCUMSTANCES_COUNT; c++) {
				struct cedar_request q = request(r, u, a, c);

				compare(r, &q);
			}
}

/* What is found can be looked at in some form, and nothing can be looked at that is not found. */
static void test_policies__reading_actions_contain_each_other(void **state)
{
	struct rules *r = *state;

	for (size_t u = 0; u < r->users_len; u++)
		for (size_t c = 0; c < CIRCUMSTANCES_COUNT; c++)
			for (size_t d = 0; d < r->documents_len; d++) {
				bool may[ACTIONS];

				for (size_t a = 0; a < ACTIONS; a++) {
					struct cedar_request q = request(r, u, a, c);

					may[a] = decided(r, &q, d);
				}
				assert_true(!may[READ_CONTENT] || may[READ]);
				assert_true(!may[READ] || may[READ_PUBLIC]);
				assert_true(may[LIST] == (may[READ] || may[READ_PUBLIC]));
			}
}

static void test_policies__the_shipped_rules_validate_here_too(void **state)
{
	struct rules *r = *state;

	assert_int_equal(cedar_validate(r->schema, r->policies, NULL, NULL, NULL), ARK_OK);
	for (size_t i = 0; i < cedar_policies_count(r->policies); i++)
		assert_non_null(cedar_policy_note(r->policies, i, "id"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_policies__reading_is_the_same_with_the_document_open),
	    cmocka_unit_test(test_policies__reading_actions_contain_each_other),
	    cmocka_unit_test(test_policies__the_shipped_rules_validate_here_too),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
