/* Runs tests in the format of Cedar's integration tests. */
#include "policies/cedar_test.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "arkki/base/fs.h"
#include "policies/cedar_json.h"

enum { JSON_MAX = 64 << 20, PATH_SIZE = 4096 };

struct test {
	char root[PATH_SIZE];
	json_t *spec;
	struct cedar_policies *policies;
	struct cedar_schema *schema; /* NULL: none named */
	struct cedar_entities *entities;
	struct cedar_arena *arena;
	void (*told)(void *arg, const char *line);
	void *arg;
	struct cedar_test_result result;
};

/* ---- files ---- */

static int read_json(const char *path, json_t **ret, struct ark_error *err)
{
	struct buf text = BUF_INIT;
	int rc = fs_read_file(path, JSON_MAX, &text, err);

	if (!rc)
		rc = cedar_json_read(text.data ? text.data : "", text.len, ret, err);
	buf_free(&text);
	return rc;
}

/* The path that the test's member names; ARK_ENOTFOUND when there is no such member. */
static int named_path(
    const struct test *t, const char *key, char out[PATH_SIZE], struct ark_error *err)
{
	const json_t *name = json_object_get(t->spec, key);

	if (!name)
		return ark_fail(err, ARK_ENOTFOUND, "the test names no %s", key);
	if (!json_is_string(name))
		return ark_fail(err, ARK_EINPUT, "%s is not the name of a file", key);
	if (json_string_value(name)[0] == '/')
		return fs_path(out, err, "%s", json_string_value(name));
	return fs_path(out, err, "%s/%s", t->root, json_string_value(name));
}

/* How much of an absolute path, of which `len` bytes are looked at, is the directory above. */
static size_t above(const char *path, size_t len)
{
	while (len > 1 && path[len - 1] != '/')
		len--;
	return len > 1 ? len - 1 : 1;
}

/* Without a root given: the nearest directory above the test's from which its policies are found. */
static int find_root(struct test *t, const char *file, struct ark_error *err)
{
	char whole[PATH_MAX], path[PATH_SIZE];

	if (!realpath(file, whole))
		return ark_fail_errno(err, ARK_EIO, "%s", file);
	for (size_t len = above(whole, strlen(whole)); len > 1;) {
		int rc;

		len = above(whole, len);
		rc = fs_path(t->root, err, "%.*s", (int)len, whole);
		if (!rc)
			rc = named_path(t, "policies", path, err);
		if (rc)
			return rc == ARK_ENOTFOUND ? ARK_EINPUT : rc;
		if (fs_exists(path))
			return ARK_OK;
	}
	return ark_fail(err, ARK_EINPUT,
	    "%s: its policies are in no directory above it; name one with --root", file);
}

static int read_text(const struct test *t, const char *key, struct buf *text, struct ark_error *err)
{
	char path[PATH_SIZE];
	int rc = named_path(t, key, path, err);

	return rc ? rc : fs_read_file(path, CEDAR_TEXT_MAX, text, err);
}

static int read_policies(struct test *t, struct ark_error *err)
{
	struct buf text = BUF_INIT;
	int rc = read_text(t, "policies", &text, err);

	if (!rc)
		rc = cedar_policies_parse(
		    text.data ? text.data : "", text.len, NULL, NULL, &t->policies, err);
	buf_free(&text);
	return rc ? ark_fail_within(err, rc, "its policies") : ARK_OK;
}

static int read_schema(struct test *t, struct ark_error *err)
{
	struct buf text = BUF_INIT;
	int rc;

	if (!json_object_get(t->spec, "schema"))
		return ARK_OK;
	rc = read_text(t, "schema", &text, err);
	if (!rc)
		rc = cedar_schema_parse(
		    text.data ? text.data : "", text.len, NULL, NULL, &t->schema, err);
	buf_free(&text);
	return rc ? ark_fail_within(err, rc, "its schema") : ARK_OK;
}

static int read_entities(struct test *t, struct ark_error *err)
{
	char path[PATH_SIZE];
	json_t *json = NULL;
	int rc = named_path(t, "entities", path, err);

	if (!rc)
		rc = read_json(path, &json, err);
	if (!rc)
		rc = cedar_entities_from_json(json, t->schema, &t->entities, err);
	json_decref(json);
	return rc ? ark_fail_within(err, rc, "its entities") : ARK_OK;
}

static int validate(struct test *t, struct ark_error *err)
{
	const json_t *should = json_object_get(t->spec, "shouldValidate");
	int rc;

	t->result.should_validate = json_is_boolean(should) ? json_is_true(should) : -1;
	t->result.validates = -1;
	if (!t->schema)
		return ARK_OK;
	rc = cedar_validate(t->schema, t->policies, NULL, NULL, err);
	if (rc && rc != ARK_EINPUT)
		return rc;
	t->result.validates = rc == ARK_OK;
	return ARK_OK;
}

/* ---- requests ---- */

static int run_request(struct test *t, size_t i, const json_t *json, struct ark_error *err)
{
	const char *description = json_string_value(json_object_get(json, "description"));
	struct cedar_test one = {t->policies, t->schema, t->entities, t->arena, false};
	struct buf line = BUF_INIT;
	size_t before;
	int rc;

	buf_addf(&line, "request %zu", i + 1);
	if (description)
		buf_addf(&line, " (%.200s)", description);
	before = line.len;
	rc = cedar_test_request(&one, json, &line, err);
	if (rc) {
		ark_fail_within(err, rc, "%.*s", (int)(before < 80 ? before : 80), line.data);
		goto out;
	}
	t->result.requests++;
	if (line.len > before || buf_failed(&line)) {
		t->result.failed++;
		if (t->told)
			t->told(t->arg, buf_failed(&line) ? "no memory" : line.data);
	}
out:
	buf_free(&line);
	return rc;
}

static int run(struct test *t, struct ark_error *err)
{
	const json_t *requests = json_object_get(t->spec, "requests");
	int rc;

	if (!requests) /* its older name */
		requests = json_object_get(t->spec, "queries");
	if (!json_is_array(requests))
		return ark_fail(err, ARK_EINPUT, "the test has no list of requests");
	rc = read_policies(t, err);
	if (!rc)
		rc = read_schema(t, err);
	if (!rc)
		rc = read_entities(t, err);
	if (!rc)
		rc = validate(t, err);
	for (size_t i = 0; !rc && i < json_array_size(requests); i++)
		rc = run_request(t, i, json_array_get(requests, i), err);
	return rc == ARK_ENOTFOUND ? ARK_EINPUT : rc;
}

int cedar_test_run(const char *file, const char *root, void (*told)(void *arg, const char *line),
    void *arg, struct cedar_test_result *ret, struct ark_error *err)
{
	struct test t = {.told = told, .arg = arg};
	int rc = read_json(file, &t.spec, err);

	if (!rc)
		rc = root ? fs_path(t.root, err, "%s", root) : find_root(&t, file, err);
	if (!rc)
		rc = cedar_arena_new(CEDAR_ARENA_MAX, &t.arena, err);
	if (!rc)
		rc = run(&t, err);
	if (!rc)
		*ret = t.result;
	cedar_arena_free(t.arena);
	cedar_entities_free(t.entities);
	cedar_schema_free(t.schema);
	cedar_policies_free(t.policies);
	json_decref(t.spec);
	return rc == ARK_ENOTFOUND ? ARK_EINPUT : rc;
}
