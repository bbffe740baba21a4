/* Fuzzes entity JSON, with and without a schema. Of what is read the ancestors are in strict order and closed, nothing
 * is above itself, every value prints as UTF-8, and a policy that looks at the values decides. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "arkki/base/buf.h"
#include "arkki/base/text.h"
#include "policies/cedar_json.h"
#include "policies/cedar_private.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static const char schema_text[] =
    "entity G in [G]; entity Colour enum [\"red\"];\n"
    "entity U in [G] = { name?: String, age?: Long, home?: ipaddr, price?: decimal, seen?: "
    "datetime,"
    " left?: duration, friend?: U, likes?: Set<Colour>, deep?: { a?: Set<{ b: ipaddr }> } }"
    " tags Set<ipaddr>;\n"
    "action all; action read in [all] appliesTo { principal: U, resource: U };";
static const char policy_text[] =
    "permit(principal in G::\"g\", action, resource) when { principal.deep == resource.deep };"
    "forbid(principal, action, resource) when { principal.home.isInRange(resource.home) ||"
    " principal.likes.containsAny(resource.likes) || principal.getTag(\"t\") == 1 };";

static void check_value(const struct cedar_value *v)
{
	struct buf b = BUF_INIT;

	cedar_print(v, &b);
	if (buf_failed(&b) || !b.len || !utf8_valid(b.data, b.len) || cedar_compare(v, v) != 0)
		abort();
	buf_free(&b);
}

static void check_entity(const struct cedar_world *w, const struct cedar_entity *e)
{
	const struct cedar_uid *before = NULL;

	check_value(&e->attributes);
	check_value(&e->tags);
	for (size_t i = 0; i < e->ancestors_len; before = &e->ancestors[i], i++) {
		const struct cedar_value now = {.kind = CEDAR_ENTITY, .uid = e->ancestors[i]};
		struct cedar_value last = {.kind = CEDAR_ENTITY};
		const struct cedar_entity *above = cedar_entity_find(w, &now.uid);

		if (before)
			last.uid = *before;
		if (cedar_uid_equal(&now.uid, &e->uid) ||
		    (before && cedar_compare(&last, &now) >= 0) ||
		    (above && above->ancestors_len >= e->ancestors_len))
			abort();
	}
}

static void check_entities(
    const json_t *json, const struct cedar_schema *schema, const struct cedar_policies *policies)
{
	struct cedar_world w = {0};
	struct cedar_entities *e = NULL;
	struct cedar_arena *a = NULL;
	struct cedar_request request = {.context = {.kind = CEDAR_RECORD}};
	struct cedar_answer answer;
	struct ark_error err = {0};

	if (cedar_entities_from_json(json, schema, &e, &err)) {
		if (!err.text[0] || e)
			abort();
		return;
	}
	if (cedar_arena_new(CEDAR_ARENA_MAX, &a, NULL))
		abort();
	w.entities = e;
	for (size_t i = 0; i < json_array_size(json); i++) {
		const struct cedar_entity *found;

		if (cedar_uid_from_json(json_object_get(json_array_get(json, i), "uid"), a,
			&request.principal, NULL))
			abort();
		found = cedar_entity_find(&w, &request.principal);
		if (!found)
			abort();
		check_entity(&w, found);
		request.resource = i ? request.resource : request.principal;
		request.action = request.principal;
		if (cedar_decide(policies, &w, &request, a, &answer, NULL))
			abort();
	}
	cedar_arena_free(a);
	cedar_entities_free(e);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct cedar_schema *schema = NULL;
	struct cedar_policies *policies = NULL;
	json_t *json = NULL;

	if (cedar_json_read((const char *)bytes, len, &json, NULL))
		return 0;
	if (cedar_schema_parse(schema_text, sizeof(schema_text) - 1, NULL, NULL, &schema, NULL) ||
	    cedar_policies_parse(policy_text, sizeof(policy_text) - 1, NULL, NULL, &policies, NULL))
		abort();
	check_entities(json, NULL, policies);
	check_entities(json, schema, policies);
	cedar_policies_free(policies);
	cedar_schema_free(schema);
	json_decref(json);
	return 0;
}
