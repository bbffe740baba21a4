#include "arkki/policies/cases.h"

#include "arkki/base/json.h"

struct teller {
	void (*told)(void *arg, const struct access_case *failed);
	void *arg;
	const char *set;
};

static void tell(void *arg, const json_t *request, const char *why)
{
	const struct teller *t = arg;
	const char *description = json_text(request, "description");
	const struct access_case failed = {t->set, description ? description : "", why};

	t->told(t->arg, &failed);
}

static int run_sets(const struct access_rules *r, json_t *sets,
    const struct cedar_entities *entities, struct teller *t, struct cedar_test_result *sum,
    struct ark_error *err)
{
	json_t *set;

	json_object_foreach(sets, t->set, set)
	{
		struct cedar_test_result result;
		int rc = cedar_test_decide(access_rules_policies(r), access_rules_schema(r),
		    entities, json_object_get(set, "requests"), tell, t, &result, err);

		if (rc)
			return ark_fail_within(err, rc, "the set %.80s", t->set);
		sum->requests += result.requests;
		sum->failed += result.failed;
	}
	return ARK_OK;
}

int access_cases_run(const struct access_rules *r, const json_t *cases,
    void (*told)(void *arg, const struct access_case *failed), void *arg, unsigned int *ret_passed,
    unsigned int *ret_failed, struct ark_error *err)
{
	struct teller t = {.told = told, .arg = arg};
	json_t *sets = json_object_get(cases, "sets");
	struct cedar_test_result sum = {0};
	struct cedar_entities *entities = NULL;
	int rc;

	if (!json_is_object(sets) || !json_is_array(json_object_get(cases, "entities")))
		return ark_fail(err, ARK_EINPUT,
		    "cases are an object with a list of entities and an object of sets");
	rc = cedar_entities_from_json(
	    json_object_get(cases, "entities"), access_rules_schema(r), &entities, err);
	if (rc)
		rc = ark_fail_within(err, rc, "the entities of the cases");
	else
		rc = run_sets(r, sets, entities, &t, &sum, err);
	cedar_entities_free(entities);
	if (rc)
		return rc;
	*ret_passed = sum.requests - sum.failed;
	*ret_failed = sum.failed;
	return ARK_OK;
}
