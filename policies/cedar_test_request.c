/* One request of a test: asked, and held against what the test says of it. */
#include "policies/cedar_test.h"

#include <string.h>
#include <strings.h>

static int read_request(
    struct cedar_test *t, const json_t *json, struct cedar_request *ret, struct ark_error *err)
{
	static const char *const names[] = {"principal", "action", "resource"};
	struct cedar_uid *uids[] = {&ret->principal, &ret->action, &ret->resource};
	const json_t *context = json_object_get(json, "context");

	ret->context = (struct cedar_value){.kind = CEDAR_RECORD};
	for (size_t i = 0; i < 3; i++) {
		int rc =
		    cedar_uid_from_json(json_object_get(json, names[i]), t->arena, uids[i], err);

		if (rc)
			return ark_fail_within(err, rc, "%s", names[i]);
	}
	if (!context)
		return ARK_OK;
	return cedar_context_from_json(
	    context, t->schema, &ret->action, t->arena, &ret->context, err);
}

static bool names_policy(const json_t *list, const char *name)
{
	for (size_t i = 0; i < json_array_size(list); i++) {
		const char *given = json_string_value(json_array_get(list, i));

		if (given && strcmp(given, name) == 0)
			return true;
	}
	return false;
}

/* What came out, as policies by number, against a list of names: the same set? */
static bool same_policies(
    const struct cedar_test *t, const uint32_t *got, size_t len, const json_t *expected)
{
	for (size_t i = 0; i < len; i++)
		if (!names_policy(expected, cedar_policy_name(t->policies, got[i])))
			return false;
	for (size_t k = 0; k < json_array_size(expected); k++) {
		const char *name = json_string_value(json_array_get(expected, k));
		bool found = false;

		for (size_t i = 0; name && !found && i < len; i++)
			found = strcmp(name, cedar_policy_name(t->policies, got[i])) == 0;
		if (!found)
			return false;
	}
	return true;
}

static void add_difference(const struct cedar_test *t, const char *what, const uint32_t *got,
    size_t len, const json_t *expected, struct buf *line)
{
	if (same_policies(t, got, len, expected))
		return;
	buf_addf(line, "; %s", what);
	for (size_t i = 0; i < len; i++)
		buf_addf(line, " %s", cedar_policy_name(t->policies, got[i]));
	buf_addf(line, "%s, expected", len ? "" : " none");
	for (size_t i = 0; i < json_array_size(expected); i++)
		buf_addf(line, " %s", json_string_value(json_array_get(expected, i)));
	if (json_array_size(expected) == 0)
		buf_adds(line, " none");
}

/* Appends what does not match to the line. */
static int compare(struct cedar_test *t, const json_t *json, const struct cedar_answer *answer,
    struct buf *line, struct ark_error *err)
{
	const char *decision = json_string_value(json_object_get(json, "decision"));
	uint32_t *failed;

	if (!decision || (strcasecmp(decision, "allow") != 0 && strcasecmp(decision, "deny") != 0))
		return ark_fail(err, ARK_EINPUT, "decision is neither allow nor deny");
	failed = cedar_alloc(t->arena, answer->failures_len * sizeof(*failed));
	if (!failed)
		return ark_fail(err, ARK_ENOMEM, "no memory for the test");
	for (size_t i = 0; i < answer->failures_len; i++)
		failed[i] = answer->failures[i].policy;
	if (answer->allow != (strcasecmp(decision, "allow") == 0))
		buf_addf(line, "; decision %s, expected %s", answer->allow ? "allow" : "deny",
		    answer->allow ? "deny" : "allow");
	if (t->decisions_only)
		return ARK_OK;
	add_difference(t, "reason", answer->reasons, answer->reasons_len,
	    json_object_get(json, "reason"), line);
	add_difference(
	    t, "errors", failed, answer->failures_len, json_object_get(json, "errors"), line);
	return ARK_OK;
}

int cedar_test_request(
    struct cedar_test *t, const json_t *json, struct buf *difference, struct ark_error *err)
{
	const struct cedar_world world = {.entities = t->entities};
	struct cedar_request request;
	struct cedar_answer answer;
	int rc;

	cedar_arena_reset(t->arena);
	rc = read_request(t, json, &request, err);
	if (!rc)
		rc = cedar_decide(t->policies, &world, &request, t->arena, &answer, err);
	return rc ? rc : compare(t, json, &answer, difference, err);
}

/* ---- decisions alone ---- */

static int decide_one(struct cedar_test *t, const json_t *json,
    void (*told)(void *arg, const json_t *request, const char *why), void *arg,
    struct cedar_test_result *result, struct ark_error *err)
{
	struct buf difference = BUF_INIT;
	struct ark_error why = {0};
	const char *text = NULL;
	int rc = cedar_test_request(t, json, &difference, &why);

	result->requests++;
	if (rc == ARK_EINPUT)
		text = why.text;
	else if (rc)
		ark_fail(err, rc, "%s", why.text);
	else if (buf_failed(&difference))
		rc = ark_fail(err, ARK_ENOMEM, "no memory for the tests");
	else if (difference.len)
		text = difference.data + 2; /* past "; " */
	if (text) {
		result->failed++;
		told(arg, json, text);
	}
	buf_free(&difference);
	return rc == ARK_EINPUT ? ARK_OK : rc;
}

int cedar_test_decide(const struct cedar_policies *p, const struct cedar_schema *schema,
    const struct cedar_entities *entities, const json_t *requests,
    void (*told)(void *arg, const json_t *request, const char *why), void *arg,
    struct cedar_test_result *ret, struct ark_error *err)
{
	struct cedar_test t = {
	    .policies = p, .schema = schema, .entities = entities, .decisions_only = true};
	struct cedar_test_result result = {.validates = -1, .should_validate = -1};
	int rc;

	if (!json_is_array(requests))
		return ark_fail(err, ARK_EINPUT, "the test has no list of requests");
	rc = cedar_arena_new(CEDAR_ARENA_MAX, &t.arena, err);
	for (size_t i = 0; !rc && i < json_array_size(requests); i++)
		rc = decide_one(&t, json_array_get(requests, i), told, arg, &result, err);
	cedar_arena_free(t.arena);
	if (!rc)
		*ret = result;
	return rc;
}
