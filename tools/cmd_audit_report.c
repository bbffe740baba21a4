/* audit replay, audit subject: signed reports from an archive, and their check on any machine. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/language.h"
#include "api/reports.h"
#include "arkki/archive/report.h"
#include "arkki/base/fs.h"
#include "arkki/base/json.h"
#include "arkki/base/text.h"
#include "tools/cli.h"

/* ---- making one ---- */

static void add_parameter(struct buf *path, const char *name, const char *value)
{
	if (!value)
		return;
	buf_addf(path, "%s%s=", strchr(path->data, '?') ? "&" : "?", name);
	percent_encode(path, value, strlen(value));
}

/* The parts of a long report are files of their own: "NAME", "NAME.2", "NAME.3" … */
static int write_part(
    const char *name, unsigned int part, const struct buf *text, struct ark_error *err)
{
	struct buf path = BUF_INIT;
	int rc;

	buf_adds(&path, name);
	if (part > 1)
		buf_addf(&path, ".%u", part);
	rc = buf_failed(&path) || buf_failed(text)
		 ? ark_fail(err, ARK_ENOMEM, "no memory for a report")
		 : fs_replace_file(path.data, text->data, text->len, 0600, err);
	if (!rc)
		printf("wrote %s\n", path.data);
	buf_free(&path);
	return rc;
}

static int write_json(const struct cli *c, unsigned int part, json_t *sealed, struct ark_error *err)
{
	struct buf text = BUF_INIT;
	int rc;

	json_object_del(sealed, "next");
	rc = json_write(&text, sealed, err);
	buf_addc(&text, '\n');
	if (!rc && c->json)
		rc = write_part(c->json, part, &text, err);
	else if (!rc && !c->html)
		fwrite(text.data, 1, text.len, stdout);
	buf_wipe_free(&text);
	return rc;
}

static int write_html(
    const struct cli *c, unsigned int part, const json_t *sealed, struct ark_error *err)
{
	enum http_language language = HTTP_FI;
	struct buf page = BUF_INIT;
	int rc;

	if (!c->html)
		return ARK_OK;
	if (c->language && !language_from_tag(c->language, &language))
		return ark_fail(err, ARK_EINPUT, "%.40s is not fi, sv or en", c->language);
	rc = report_page(sealed, language, &page, err);
	if (!rc)
		rc = write_part(c->html, part, &page, err);
	buf_wipe_free(&page);
	return rc;
}

/* The operator asks in his own name unless --user names an auditor. */
static int ask_part(const struct cli *c, struct client *client, const char *cursor, json_t **ret,
    struct ark_error *err)
{
	const struct {
		const char *name, *value;
	} parameters[] = {{"org", c->org}, {"unit", c->unit}, {"role", c->role}, {"at", c->at},
	    {"case", c->case_id}, {"document", c->document}, {"from", c->from}, {"to", c->to},
	    {"own", c->own ? "true" : NULL}, {"limit", "1000"}, {"cursor", cursor}};
	struct client_request r = {.method = "GET", .user = c->user};
	struct buf path = BUF_INIT;
	json_t *body = NULL;
	long status = 0;
	int rc;

	buf_addf(&path, "%s/audit/%s", c->user ? "/v1" : "/admin", c->words[0]);
	for (size_t i = 0; i < sizeof(parameters) / sizeof(*parameters) && !buf_failed(&path); i++)
		add_parameter(&path, parameters[i].name, parameters[i].value);
	r.path = path.data;
	rc = buf_failed(&path) ? ark_fail(err, ARK_ENOMEM, "no memory for a question")
			       : client_send(client, &r, &status, &body, err);
	if (!rc)
		rc = client_ok(status, body, err);
	if (!rc && !body)
		rc = ark_fail(err, ARK_EIO, "the answer is no JSON");
	buf_free(&path);
	if (rc)
		json_decref(body);
	else
		*ret = body;
	return rc;
}

static int make_report(const struct cli *c, struct client *client, struct ark_error *err)
{
	char *cursor = NULL;
	unsigned int part = 0;
	int rc;

	do {
		json_t *sealed = NULL;
		const char *next;

		rc = ask_part(c, client, cursor, &sealed, err);
		free(cursor);
		next = rc ? NULL : json_text(sealed, "next");
		cursor = next ? strdup(next) : NULL;
		if (next && !cursor)
			rc = ark_fail(err, ARK_ENOMEM, "no memory for a cursor");
		if (!rc)
			rc = write_json(c, ++part, sealed, err);
		if (!rc)
			rc = write_html(c, part, sealed, err);
		json_decref(sealed);
	} while (!rc && cursor);
	free(cursor);
	return rc;
}

/* ---- checking one ---- */

/* The words of a page are not signed: they are when they are what the signed JSON is shown as. */
static int check_page(const json_t *sealed, enum http_language language, const struct buf *page,
    struct ark_error *err)
{
	struct buf again = BUF_INIT;
	int rc = report_page(sealed, language, &again, err);

	if (!rc && (again.len != page->len || memcmp(again.data, page->data, page->len) != 0))
		rc = ark_fail(err, ARK_ECORRUPT,
		    "the JSON in it is as it was signed, but the page says other than that JSON, "
		    "or was made by another version of arkki: believe the JSON alone");
	buf_wipe_free(&again);
	return rc;
}

static int read_report(const char *path, struct buf *text, json_t **ret, bool *ret_page,
    enum http_language *ret_language, struct ark_error *err)
{
	int rc = fs_read_file(path, REPORT_MAX, text, err);

	if (rc)
		return rc;
	*ret_page = text->len > 0 && text->data[0] == '<';
	return *ret_page ? report_page_read(text->data, text->len, ret, ret_language, err)
			 : json_read(text->data ? text->data : "", text->len, ret, err);
}

static void print_verdict(const struct cli *c, const json_t *sealed, const struct report_verdict *v)
{
	const json_t *report = json_object_get(sealed, "report");

	printf("%s: %s of %s, made %s, %zu documents; signed, history of %llu entries", c->check,
	    json_text(report, "kind") ? json_text(report, "kind") : "a report",
	    json_text(report, "origin") ? json_text(report, "origin") : "?",
	    json_text(report, "made") ? json_text(report, "made") : "?",
	    json_array_size(json_object_get(report, "documents")),
	    (unsigned long long)v->history_size);
	if (v->access)
		printf("; access log of %llu entries, %llu disclosures proved",
		    (unsigned long long)v->access_size, (unsigned long long)v->disclosures);
	printf("\n");
	if (json_text(report, "until"))
		printf("it goes on in another part, after %s\n", json_text(report, "until"));
}

static int check_report(const struct cli *c, struct ark_error *err)
{
	const char *vkeys[REPORT_KEYS_MAX];
	enum http_language language = HTTP_FI;
	struct report_verdict v;
	struct buf text = BUF_INIT;
	json_t *sealed = NULL;
	bool page = false;
	size_t n = 0;
	int rc;

	for (int i = 0; i < c->said_len && n < REPORT_KEYS_MAX; i++)
		if (strcmp(c->said[i].name, "--vkey") == 0)
			vkeys[n++] = c->said[i].value;
	rc = read_report(c->check, &text, &sealed, &page, &language, err);
	if (!rc)
		rc = report_check(sealed, vkeys, n, &v, err);
	if (!rc && page)
		rc = check_page(sealed, language, &text, err);
	if (!rc)
		print_verdict(c, sealed, &v);
	json_decref(sealed);
	buf_wipe_free(&text);
	return rc;
}

int audit_report(const struct cli *c)
{
	bool replay = strcmp(c->words[0], "replay") == 0;
	struct client *client = NULL;
	struct ark_error err;
	int rc;

	if (c->check) {
		if (c->words_len != 1 || !c->vkey)
			return cli_usage(c->command);
		rc = check_report(c, &err);
		return rc ? cli_failed(&err) : CLI_OK;
	}
	if (c->words_len != 2 ||
	    (replay ? !c->org || !c->unit || !c->at : !c->case_id + !c->unit + !c->document != 2))
		return cli_usage(c->command);
	rc = client_open(c->words[1], c->root_key, &client, &err);
	if (!rc)
		rc = make_report(c, client, &err);
	client_close(client);
	return rc ? cli_failed(&err) : CLI_OK;
}
