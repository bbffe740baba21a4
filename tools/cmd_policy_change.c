/* policy show, cases, versions, apply, restore: the policies of an archive. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "arkki/archive/policies.h"
#include "arkki/base/fs.h"
#include "arkki/base/json.h"
#include "tools/cli.h"

enum { TEXT_MAX = 1 << 20 };

/* 0: none was given; false: it is no number. */
static bool version_of(const struct cli *c, uint32_t *ret)
{
	size_t n = c->version ? strlen(c->version) : 0;

	*ret = 0;
	if (!c->version)
		return true;
	if (n < 1 || n > 6 || strspn(c->version, "0123456789") != n || c->version[0] == '0') {
		fprintf(stderr, "arkki: --version must be a number from 1\n");
		return false;
	}
	*ret = (uint32_t)strtoul(c->version, NULL, 10);
	return true;
}

/* GET from the operator's side of the archive; *ret is the caller's. */
static int get(const struct cli *c, struct client *client, const char *what, json_t **ret,
    struct ark_error *err)
{
	char path[120];
	const struct client_request r = {.method = "GET", .path = path};
	uint32_t version = 0;
	long status = 0;
	int rc;

	if (c->version && !version_of(c, &version))
		return ark_fail(err, ARK_EINPUT, "there is no such version");
	snprintf(path, sizeof(path), version ? "/admin/policies%s?version=%u" : "/admin/policies%s",
	    what, version);
	rc = client_send(client, &r, &status, ret, err);
	if (!rc && status == 404)
		rc =
		    ark_fail(err, ARK_ENOTFOUND, "there is no version %u of the policies", version);
	else if (!rc)
		rc = client_ok(status, *ret, err);
	if (!rc && !*ret)
		rc = ark_fail(err, ARK_EIO, "the answer is no JSON");
	return rc;
}

static int show(const struct cli *c, const char *what, void (*print)(const json_t *answer))
{
	struct client *client = NULL;
	json_t *answer = NULL;
	struct ark_error err;
	int rc;

	if (c->words_len != 2)
		return cli_usage(c->command);
	rc = client_open(c->words[1], c->root_key, &client, &err);
	if (!rc)
		rc = get(c, client, what, &answer, &err);
	if (!rc)
		print(answer);
	json_decref(answer);
	client_close(client);
	return rc ? cli_failed(&err) : CLI_OK;
}

static void print_text(const json_t *answer)
{
	const char *text = json_text(answer, "policies");
	size_t len = text ? strlen(text) : 0;

	printf("%s%s", text ? text : "", len && text[len - 1] == '\n' ? "" : "\n");
}

static void print_json(const json_t *answer)
{
	json_dumpf(answer, stdout, JSON_INDENT(1));
	putchar('\n');
}

static void print_versions(const json_t *answer)
{
	json_t *v;
	size_t i;

	json_array_foreach(json_object_get(answer, "versions"), i, v)
	{
		const char *at = json_text(v, "filedAt"), *by = json_text(v, "filedBy");
		const char *sha = json_text(v, "sha256"), *reason = json_text(v, "reason");

		if (!at || !sha) {
			printf("%zu  damaged\n", i + 1);
			continue;
		}
		printf("%zu  %s  %.12s  %s%s%s\n", i + 1, at, sha, by ? by : "-",
		    reason ? "  " : "", reason ? reason : "");
	}
}

int policy_show(const struct cli *c)
{
	return show(c, "", print_text);
}

int policy_cases(const struct cli *c)
{
	return show(c, "/cases", print_json);
}

int policy_versions(const struct cli *c)
{
	return show(c, "/versions", print_versions);
}

/* ---- apply ---- */

static void print_faults(const char *file, const json_t *faults, const char *severity)
{
	json_t *f;
	size_t i;

	json_array_foreach(faults, i, f)
	{
		json_int_t line = json_integer_value(json_object_get(f, "line"));
		const char *mend = json_text(f, "mend");

		if (line)
			printf("%s:%lld:%lld: ", file, (long long)line, cli_number(f, "column"));
		printf("%s: %s\n", severity, json_text(f, "detail"));
		if (mend)
			printf("  mend: %s\n", mend);
	}
}

static void print_cases(const json_t *cases)
{
	json_t *f;
	size_t i;

	json_array_foreach(json_object_get(cases, "failed"), i, f)
	{
		printf("a case fails: %s (%s: %s)\n", json_text(f, "description"),
		    json_text(f, "set"), json_text(f, "detail"));
	}
	printf("%lld cases pass\n", cli_number(cases, "passed"));
}

static bool changes_something(const json_t *group)
{
	static const char *const measures[] = {
	    "readable", "content", "contentWithPurpose", "publicRendition"};

	for (size_t i = 0; i < sizeof(measures) / sizeof(*measures); i++) {
		const json_t *m = json_object_get(group, measures[i]);

		if (json_integer_value(json_object_get(m, "more")) ||
		    json_integer_value(json_object_get(m, "fewer")))
			return true;
	}
	return false;
}

static void print_impact(const json_t *report)
{
	json_t *g;
	size_t i;
	bool any = false;

	json_array_foreach(json_object_get(report, "impact"), i, g)
	{
		const char *sentence = json_text(g, "sentence");

		if (!changes_something(g) || !sentence)
			continue;
		any = true;
		printf("%s\n", sentence);
	}
	if (!json_is_true(json_object_get(report, "impactComplete")))
		printf("there was no time to count all that the change shows and hides\n");
	else if (!any)
		printf("no document is shown or hidden by the change\n");
}

/* True: they can be put in force. */
static bool print_report(const char *file, const json_t *report)
{
	const json_t *cases = json_object_get(report, "cases");
	bool valid = json_is_true(json_object_get(report, "valid"));
	bool locked_out = json_is_true(json_object_get(report, "lockedOut"));

	print_faults(file, json_object_get(report, "errors"), "error");
	print_faults(file, json_object_get(report, "warnings"), "warning");
	if (!valid)
		return false;
	print_cases(cases);
	print_impact(report);
	if (locked_out)
		printf("no account would be permitted to administer: nobody could change the "
		       "policies again\n");
	fflush(stdout);
	return !locked_out && json_array_size(json_object_get(cases, "failed")) == 0;
}

static int read_cases(const char *file, json_t **ret, struct ark_error *err)
{
	struct buf text = BUF_INIT;
	int rc = fs_read_file(file, TEXT_MAX, &text, err);

	if (!rc && json_read(text.data ? text.data : "", text.len, ret, err))
		rc = ark_fail_within(err, ARK_EINPUT, "%s", file);
	buf_free(&text);
	return rc;
}

/* The body of both requests. */
static int make_body(const struct cli *c, struct buf *out, struct ark_error *err)
{
	struct buf text = BUF_INIT;
	json_t *body = NULL, *cases = NULL, *policies = NULL;
	int rc = fs_read_file(c->words[2], TEXT_MAX, &text, err);

	if (!rc && c->cases)
		rc = read_cases(c->cases, &cases, err);
	if (!rc) {
		policies = json_stringn(text.data ? text.data : "", text.len);
		if (!policies || (text.data && memchr(text.data, '\0', text.len)))
			rc = ark_fail(err, ARK_EINPUT, "%s is not UTF-8 text", c->words[2]);
	}
	if (!rc) {
		body = json_pack(
		    "{s:O,s:s*,s:O*}", "policies", policies, "reason", c->reason, "cases", cases);
		rc = body ? json_write(out, body, err)
			  : ark_fail(err, ARK_EINPUT, "the reason is not UTF-8 text");
	}
	json_decref(body);
	json_decref(cases);
	json_decref(policies);
	buf_free(&text);
	return rc;
}

static int send_body(struct client *client, const struct cli *c, const char *method,
    const char *path, const char *if_match, const struct buf *body, json_t **ret,
    struct ark_error *err)
{
	char condition[100];
	struct client_request r = {.method = method,
	    .path = path,
	    .user = c->user,
	    .headers = {"Accept-Language: en", if_match ? condition : NULL},
	    .body = body->data,
	    .body_len = body->len};
	long status = 0;
	int rc;

	snprintf(condition, sizeof(condition), "If-Match: %s", if_match ? if_match : "");
	rc = client_send(client, &r, &status, ret, err);
	return rc ? rc : client_ok(status, *ret, err);
}

static bool confirmed(const struct cli *c)
{
	int first, ch;

	if (c->yes)
		return true;
	fprintf(stderr, "put these policies in force? [y/N] ");
	first = ch = getchar();
	while (ch != '\n' && ch != EOF)
		ch = getchar();
	return first == 'y' || first == 'Y';
}

static int apply(const struct cli *c, struct client *client, struct ark_error *err)
{
	struct buf body = BUF_INIT;
	json_t *answer = NULL;
	char etag[64];
	int rc = make_body(c, &body, err);

	if (!rc)
		rc = get(c, client, "", &answer, err);
	if (rc)
		goto out;
	snprintf(etag, sizeof(etag), "%s", client_etag(client));
	json_decref(answer);
	answer = NULL;
	rc = send_body(client, c, "POST", "/v1/policies/check", NULL, &body, &answer, err);
	if (rc)
		goto out;
	if (!print_report(c->words[2], answer))
		rc = ark_fail(err, ARK_EREFUSED, "the policies in force stay as they are");
	if (rc || c->dry_run)
		goto out;
	if (!confirmed(c)) {
		rc = ark_fail(err, ARK_EREFUSED, "nothing was changed");
		goto out;
	}
	json_decref(answer);
	answer = NULL;
	rc = send_body(client, c, "PUT", "/v1/policies", etag, &body, &answer, err);
	if (!rc)
		printf("version %lld of the policies is in force\n", cli_number(answer, "version"));
out:
	json_decref(answer);
	buf_free(&body);
	return rc;
}

int policy_apply(const struct cli *c)
{
	struct client *client = NULL;
	struct ark_error err;
	int rc;

	if (c->words_len != 3 || !c->user || c->version)
		return cli_usage(c->command);
	if (!c->yes && !c->dry_run && !isatty(STDIN_FILENO)) {
		fprintf(stderr,
		    "arkki: there is no terminal to ask; say --yes, or --dry-run to look only\n");
		return CLI_USAGE;
	}
	rc = client_open(c->words[1], c->root_key, &client, &err);
	if (!rc)
		rc = apply(c, client, &err);
	client_close(client);
	return rc ? cli_failed(&err) : CLI_OK;
}

/* ---- restore ---- */

int policy_restore(const struct cli *c)
{
	struct ark_error err;
	uint32_t version, number, from;

	if (c->words_len != 2 || (c->version && c->shipped))
		return cli_usage(c->command);
	if (!version_of(c, &version))
		return CLI_USAGE;
	if (policies_restore(c->words[1], c->root_key, version, c->shipped, &number, &from, &err))
		return cli_failed(&err);
	if (from)
		printf(
		    "version %u of the policies is in force: what version %u says\n", number, from);
	else
		printf("version %u of the policies is in force: what arkki ships\n", number);
	return CLI_OK;
}
