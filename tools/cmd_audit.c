/* audit canary: a read whose only purpose is that its entry must be in the log.
 *
 * The read looks like any other. What it leaves is kept apart from the archive: document, time, reader, receipt. Later the
 * receipt is resolved, the entry that it leads to proved, and, where a follower's state is given, found in the very tree
 * that the follower saw grow.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arkki/archive/disclosure.h"
#include "arkki/base/clock.h"
#include "arkki/base/fs.h"
#include "arkki/base/json.h"
#include "arkki/base/text.h"
#include "tools/cli.h"
#include "tools/disclosed.h"
#include "tools/follow.h"
#include "tools/web.h"

enum { CANARY_MAX = 64 << 10, ANSWER_MAX = 64 << 20 };
#define CANARY_KIND "arkki-canary/1"
#define CANARY_PURPOSE "valvonta" /* what a visit would say, too */

/* ---- asking, over HTTP or through the admin socket ---- */

struct asking {
	const struct cli *c;
	struct client *client;
	struct web *web;
};

static int asking_begin(struct asking *a, struct ark_error *err)
{
	if (a->c->url)
		return web_open(a->c->token, &a->web, err);
	return client_open(a->c->words[1], a->c->root_key, &a->client, err);
}

static void asking_end(struct asking *a)
{
	client_close(a->client);
	web_close(a->web);
}

static int ask_web(struct asking *a, const char *path, const char *header, json_t **ret,
    char receipt[WEB_RECEIPT_MAX], struct ark_error *err)
{
	struct buf url = BUF_INIT, body = BUF_INIT;
	struct web_request r = {.headers = {header}, .limit = ANSWER_MAX, .body = &body};
	size_t len = strlen(a->c->url);
	int rc;

	while (len && a->c->url[len - 1] == '/')
		len--;
	buf_addf(&url, "%.*s%s", (int)len, a->c->url, path);
	r.url = url.data;
	rc = buf_failed(&url) ? ark_fail(err, ARK_ENOMEM, "no memory for an address")
			      : web_get(a->web, &r, err);
	if (!rc)
		rc = json_read(body.data ? body.data : "", body.len, ret, err);
	memcpy(receipt, r.receipt, sizeof(r.receipt));
	buf_free(&url);
	buf_free(&body);
	return rc;
}

/* GET path. On success *ret is the caller's. */
static int ask(struct asking *a, const char *path, const char *header, json_t **ret,
    char receipt[WEB_RECEIPT_MAX], struct ark_error *err)
{
	const struct client_request r = {
	    .method = "GET", .path = path, .user = a->c->user, .headers = {header}};
	json_t *body = NULL;
	long status = 0;
	int rc;

	if (a->c->url)
		return ask_web(a, path, header, ret, receipt, err);
	rc = client_send(a->client, &r, &status, &body, err);
	if (!rc)
		rc = client_ok(status, body, err);
	if (!rc && !body)
		rc = ark_fail(err, ARK_EIO, "the answer to %s is no JSON", path);
	if (rc) {
		json_decref(body);
		return rc;
	}
	snprintf(receipt, WEB_RECEIPT_MAX, "%s", client_receipt(a->client));
	*ret = body;
	return ARK_OK;
}

/* ---- the read ---- */

static int keep_canary(
    const struct cli *c, const char *purpose, const char *receipt, struct ark_error *err)
{
	struct buf text = BUF_INIT;
	char now[CLOCK_TEXT_SIZE];
	json_t *canary;
	int rc;

	clock_format(now, clock_now_us());
	canary = json_pack("{s:s,s:s,s:s,s:s,s:s}", "arkki", CANARY_KIND, "document", c->document,
	    "time", now, "purpose", purpose, "receipt", receipt);
	rc = canary ? json_write(&text, canary, err)
		    : ark_fail(err, ARK_EINPUT, "the purpose is not UTF-8");
	buf_addc(&text, '\n');
	if (!rc && buf_failed(&text))
		rc = ark_fail(err, ARK_ENOMEM, "no memory for a canary");
	if (!rc)
		rc = fs_replace_file(c->out, text.data, text.len, 0600, err);
	json_decref(canary);
	buf_free(&text);
	return rc;
}

static int read_canary(const struct cli *c, struct asking *a, struct ark_error *err)
{
	const char *purpose = c->purpose ? c->purpose : CANARY_PURPOSE;
	char path[128], receipt[WEB_RECEIPT_MAX] = "";
	struct buf header = BUF_INIT;
	json_t *answer = NULL;
	int rc;

	snprintf(path, sizeof(path), "/v1/documents/%s", c->document);
	buf_adds(&header, "Arkki-Purpose: ");
	percent_encode(&header, purpose, strlen(purpose));
	rc = buf_failed(&header) ? ark_fail(err, ARK_ENOMEM, "no memory for a purpose")
				 : ask(a, path, header.data, &answer, receipt, err);
	if (!rc && !*receipt)
		rc = ark_fail(err, ARK_ECORRUPT,
		    "the document was shown without a receipt: that read was not logged");
	if (!rc)
		rc = keep_canary(c, purpose, receipt, err);
	if (!rc)
		printf("read %s; its receipt is kept in %s\n", c->document, c->out);
	json_decref(answer);
	buf_free(&header);
	return rc;
}

/* ---- the check ---- */

static int load_canary(const char *path, json_t **ret, struct ark_error *err)
{
	struct buf text = BUF_INIT;
	int rc = fs_read_file(path, CANARY_MAX, &text, err);

	if (!rc)
		rc = json_read(text.data ? text.data : "", text.len, ret, err);
	buf_free(&text);
	if (!rc && (!json_text(*ret, "arkki") || !json_text(*ret, "receipt") ||
		       !json_text(*ret, "document") || !json_text(*ret, "purpose") ||
		       strcmp(json_text(*ret, "arkki"), CANARY_KIND) != 0))
		rc = ark_fail(err, ARK_EINPUT, "%s is not a canary", path);
	return rc;
}

/* Is the entry that was proved the read that was made? */
static int compare(const json_t *canary, const struct disclosed *d, struct ark_error *err)
{
	static const char *const members[] = {"document", "purpose"};
	const char *outcome = json_text(d->a, "outcome");

	for (size_t i = 0; i < sizeof(members) / sizeof(*members); i++) {
		const char *got = json_text(d->a, members[i]);

		if (!got || strcmp(got, json_text(canary, members[i])) != 0)
			return ark_fail(err, ARK_ECORRUPT,
			    "entry %llu is of another read: its %s differs",
			    (unsigned long long)d->index, members[i]);
	}
	if (!outcome || strcmp(outcome, "ok") != 0)
		return ark_fail(err, ARK_ECORRUPT, "entry %llu does not say that it was shown",
		    (unsigned long long)d->index);
	return ARK_OK;
}

/* A proof alone would satisfy a log that shows every visitor a tree of his own. */
static int follow_to(const struct cli *c, const struct disclosed *d, struct ark_error *err)
{
	struct follow f = {.state = c->state};
	struct follow_source s = {0};
	struct buf where = BUF_INIT;
	int rc = follow_keys(c, &f, err);

	buf_addf(&where, "%s%s", c->url ? c->url : c->words[1],
	    c->url ? "/v1/log/access" : "/ledger/access");
	if (!rc && buf_failed(&where))
		rc = ark_fail(err, ARK_ENOMEM, "no memory for an address");
	if (!rc)
		rc = follow_source_open(where.data, c->token, &s, err);
	if (!rc)
		rc = follow_log(&f, &s, err);
	if (!rc)
		rc = follow_holds(&f, &s, d->index, d->entry, err);
	follow_source_close(&s);
	buf_free(&where);
	return rc;
}

static int prove_receipt(const struct cli *c, const json_t *canary, const json_t *answer,
    struct disclosed *ret, struct ark_error *err)
{
	const json_t *shown = json_array_get(json_object_get(answer, "disclosures"), 0);
	struct buf text = BUF_INIT;
	int rc = shown ? json_write(&text, shown, err)
		       : ark_fail(err, ARK_ECORRUPT, "the receipt leads to no disclosure");

	if (!rc)
		rc = disclosed_check(c, text.data, text.len, ret, err);
	buf_free(&text);
	if (rc)
		return rc;
	rc = compare(canary, ret, err);
	if (rc)
		disclosed_free(ret);
	return rc;
}

static int check_canary(const struct cli *c, struct asking *a, struct ark_error *err)
{
	char receipt[WEB_RECEIPT_MAX];
	json_t *canary = NULL, *answer = NULL;
	struct buf path = BUF_INIT;
	struct disclosed d = {0};
	int rc = load_canary(c->check, &canary, err);

	if (!rc) {
		buf_adds(&path, "/v1/audit/receipt/");
		percent_encode(
		    &path, json_text(canary, "receipt"), strlen(json_text(canary, "receipt")));
		rc = buf_failed(&path) ? ark_fail(err, ARK_ENOMEM, "no memory for an address")
				       : ask(a, path.data, NULL, &answer, receipt, err);
		if (rc == ARK_ENOTFOUND)
			rc = ark_fail(
			    err, ARK_ECORRUPT, "the log does not know the receipt in %s", c->check);
	}
	if (!rc)
		rc = prove_receipt(c, canary, answer, &d, err);
	if (!rc && c->state)
		rc = follow_to(c, &d, err);
	if (!rc) {
		disclosed_print(&d);
		printf("the read in %s is in the log%s\n", c->check,
		    c->state ? " that was followed" : "");
	}
	disclosed_free(&d);
	json_decref(canary);
	json_decref(answer);
	buf_free(&path);
	return rc;
}

int cmd_audit(const struct cli *c)
{
	struct asking a = {.c = c};
	struct ark_error err;
	int rc;

	if (c->words_len > 0 &&
	    (strcmp(c->words[0], "replay") == 0 || strcmp(c->words[0], "subject") == 0))
		return audit_report(c);
	if (c->words_len != (c->url ? 1 : 2) || strcmp(c->words[0], "canary") != 0 ||
	    (c->url ? !c->token : !c->user) || (c->check ? !c->vkey : !c->document || !c->out))
		return cli_usage(c->command);
	if (c->document && !docid_valid(c->document)) {
		fprintf(stderr, "arkki: %s is not a document's id\n", c->document);
		return CLI_FAILED;
	}
	rc = asking_begin(&a, &err);
	if (!rc)
		rc = c->check ? check_canary(c, &a, &err) : read_canary(c, &a, &err);
	asking_end(&a);
	return rc ? cli_failed(&err) : CLI_OK;
}
