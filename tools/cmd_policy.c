/* policy: which of its verbs. test and check are what the Cedar engine says without an archive;
 * explain what an archive's policies say of one question, through the admin socket. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arkki/base/fs.h"
#include "arkki/base/json.h"
#include "arkki/policies/access.h"
#include "arkki/policies/cedar.h"
#include "arkki/policies/shipped.h"
#include "tools/cli.h"

/* ---- policy test ---- */

struct tally {
	const char *file;
	unsigned int passed, failed, disagreements;
};

static void print_mismatch(void *arg, const char *line)
{
	const struct tally *t = arg;

	printf("%s: %s\n", t->file, line);
}

static void test_file(const struct cli *c, const char *file, struct tally *t)
{
	struct cedar_test_result result = {0};
	struct ark_error err = {0};

	t->file = file;
	if (cedar_test_run(file, c->root, print_mismatch, t, &result, &err)) {
		printf("%s: %s\n", file, err.text);
		t->failed++;
		return;
	}
	if (result.failed)
		t->failed++;
	else
		t->passed++;
	if (!c->validate || result.validates < 0 || result.should_validate < 0 ||
	    result.validates == result.should_validate)
		return;
	t->disagreements++;
	printf("%s: the policies %s, but the test says that they %s\n", file,
	    result.validates ? "validate" : "do not validate",
	    result.should_validate ? "do" : "do not");
}

static int policy_test(const struct cli *c)
{
	struct tally t = {0};

	if (c->words_len < 2)
		return cli_usage(c->command);
	for (int i = 1; i < c->words_len; i++)
		test_file(c, c->words[i], &t);
	if (c->validate)
		printf("%u validation disagreements\n", t.disagreements);
	printf("%u passed, %u failed\n", t.passed, t.failed);
	return t.failed ? CLI_FAILED : CLI_OK;
}

/* ---- policy check ---- */

struct report {
	const char *file;
	unsigned int errors, warnings;
};

static void print_fault(void *arg, const struct cedar_fault *f)
{
	struct report *r = arg;

	printf("%s:%u:%u: %s: %s\n", r->file, f->line, f->column, f->warning ? "warning" : "error",
	    f->text);
	if (f->mend[0])
		printf("  mend: %s\n", f->mend);
	if (f->warning)
		r->warnings++;
	else
		r->errors++;
}

/* What failed without a place: the file is not there, too long, or memory is short. */
static void print_failure(struct report *r, unsigned int errors, int rc, const char *text)
{
	if (!rc || r->errors > errors)
		return;
	printf("%s:0:0: error: %s\n", r->file, text);
	r->errors++;
}

static int check_policies(
    const char *file, const struct cedar_schema *schema, struct report *r, struct ark_error *err)
{
	struct cedar_policies *policies = NULL;
	struct buf text = BUF_INIT;
	int rc;

	r->file = file;
	rc = fs_read_file(file, CEDAR_TEXT_MAX, &text, err);
	if (!rc)
		rc = cedar_policies_parse(
		    text.data ? text.data : "", text.len, print_fault, r, &policies, err);
	if (!rc)
		rc = cedar_validate(schema, policies, print_fault, r, err);
	cedar_policies_free(policies);
	buf_free(&text);
	return rc;
}

/* Against arkki's own schema: then it can also be told what lists and searches cannot ask. */
static int check_ours(const char *file, struct report *r, struct ark_error *err)
{
	struct access_rules *rules = NULL;
	struct buf text = BUF_INIT;
	int rc;

	r->file = file;
	rc = fs_read_file(file, CEDAR_TEXT_MAX, &text, err);
	if (!rc)
		rc = access_rules_new(text.data ? text.data : "", text.len, shipped_schema(),
		    strlen(shipped_schema()), print_fault, r, &rules, err);
	if (!rc)
		access_check_filters(rules, print_fault, r);
	access_rules_unref(rules);
	buf_free(&text);
	return rc;
}

static int read_schema(
    const char *file, struct report *r, struct cedar_schema **ret, struct ark_error *err)
{
	struct buf text = BUF_INIT;
	int rc;

	r->file = file;
	rc = fs_read_file(file, CEDAR_TEXT_MAX, &text, err);
	if (!rc)
		rc = cedar_schema_parse(
		    text.data ? text.data : "", text.len, print_fault, r, ret, err);
	buf_free(&text);
	return rc;
}

static int policy_check(const struct cli *c)
{
	struct report r = {0};
	struct cedar_schema *schema = NULL;
	struct ark_error err = {0};
	int rc = ARK_OK;

	if (c->words_len < 2)
		return cli_usage(c->command);
	if (c->schema)
		rc = read_schema(c->schema, &r, &schema, &err);
	print_failure(&r, 0, rc, err.text);
	for (int i = 1; !rc && i < c->words_len; i++) {
		unsigned int errors = r.errors;
		int one = schema ? check_policies(c->words[i], schema, &r, &err)
				 : check_ours(c->words[i], &r, &err);

		print_failure(&r, errors, one, err.text);
	}
	printf("%u errors, %u warnings\n", r.errors, r.warnings);
	cedar_schema_free(schema);
	return r.errors ? CLI_FAILED : CLI_OK;
}

/* ---- policy explain ---- */

static int write_question(const struct cli *c, struct buf *out, struct ark_error *err)
{
	json_t *q = json_pack("{s:s,s:s,s:s*,s:s*,s:s*,s:s*,s:s*}", "user", c->user, "action",
	    c->action, "document", c->document, "at", c->at, "purpose", c->purpose, "case",
	    c->case_id, "breakGlass", c->break_glass);
	int rc = ARK_OK;

	if (!q) /* nothing else can fail: bytes that are no UTF-8 */
		return ark_fail(err, ARK_EINPUT, "an option is not UTF-8");
	/* what is no number becomes 0, which the server refuses by name */
	if (c->version)
		json_object_set_new(q, "version", json_integer(strtol(c->version, NULL, 10)));
	rc = json_write(out, q, err);
	json_decref(q);
	return rc;
}

/* The first fault that the answer names; else what any refused command says. */
static int explained(long status, const json_t *body, struct ark_error *err)
{
	const json_t *fault = json_array_get(json_object_get(body, "errors"), 0);

	if (status == 422 && fault)
		return ark_fail(err, ARK_EINPUT, "%s: %s", json_text(fault, "field"),
		    json_text(fault, "detail"));
	return client_ok(status, body, err);
}

static void print_explanation(const json_t *body)
{
	json_t *p;
	size_t i;

	printf("%s\n", json_text(body, "sentence"));
	json_array_foreach(json_object_get(body, "policies"), i, p)
	{
		const char *sentence = json_text(p, "sentence"), *statute = json_text(p, "statute");

		printf("  %s %s%s%s%s%s%s\n", json_text(p, "effect"), json_text(p, "id"),
		    sentence ? ": " : "", sentence ? sentence : "", statute ? " [" : "",
		    statute ? statute : "", statute ? "]" : "");
	}
}

static int policy_explain(const struct cli *c)
{
	struct client *client = NULL;
	struct buf question = BUF_INIT;
	struct ark_error err;
	json_t *body = NULL;
	long status;
	int rc;

	if (c->words_len != 2 || !c->user || !c->action)
		return cli_usage(c->command);
	rc = write_question(c, &question, &err);
	if (!rc)
		rc = client_open(c->words[1], c->root_key, &client, &err);
	if (!rc) {
		const struct client_request r = {.method = "POST",
		    .path = "/admin/policies/explain",
		    .headers = {"Accept-Language: en"},
		    .body = question.data,
		    .body_len = question.len};

		rc = client_send(client, &r, &status, &body, &err);
	}
	if (!rc)
		rc = explained(status, body, &err);
	if (!rc)
		print_explanation(body);
	json_decref(body);
	client_close(client);
	buf_free(&question);
	return rc ? cli_failed(&err) : CLI_OK;
}

int cmd_policy(const struct cli *c)
{
	static const struct {
		const char *name;
		int (*run)(const struct cli *c);
	} verbs[] = {
	    {"test", policy_test},
	    {"check", policy_check},
	    {"show", policy_show},
	    {"cases", policy_cases},
	    {"versions", policy_versions},
	    {"apply", policy_apply},
	    {"restore", policy_restore},
	    {"explain", policy_explain},
	};

	for (size_t i = 0; i < sizeof(verbs) / sizeof(*verbs); i++)
		if (c->words_len && strcmp(c->words[0], verbs[i].name) == 0)
			return verbs[i].run(c);
	return cli_usage(c->command);
}
