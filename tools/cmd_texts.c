/* texts, ocr: what has no text and why, and the queue of pages. For whoever operates the server: ids, states and
 * reasons, no titles. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arkki/base/json.h"
#include "arkki/base/text.h"
#include "tools/cli.h"

static int ask(struct client *client, const char *method, const char *path, const struct buf *body,
    json_t **ret, struct ark_error *err)
{
	const struct client_request r = {.method = method,
	    .path = path,
	    .body = body ? body->data : NULL,
	    .body_len = body ? body->len : 0};

	return client_ask(client, &r, ret, err);
}

static void print_text(const json_t *t)
{
	const json_t *pages = json_object_get(t, "pages");
	const char *state = json_text(t, "state"), *reason = json_text(t, "reason");
	const char *type = json_text(t, "mediaType");

	printf("%s\t%lld\t%s\t%s\t%s\t%lld\t", json_text(t, "document"), cli_number(t, "version"),
	    json_text(t, "form"), state ? state : "", type ? type : "", cli_number(t, "size"));
	if (pages)
		printf("%lld/%lld/%lld", cli_number(pages, "read"), cli_number(pages, "pictures"),
		    cli_number(pages, "total"));
	printf("\t%s\n", reason ? reason : "");
}

static void add_parameter(struct buf *path, const char *name, const char *value)
{
	buf_adds(path, name);
	percent_encode(path, value, strlen(value));
}

static int list(struct client *client, const struct cli *c, struct ark_error *err)
{
	struct buf after = BUF_INIT, path = BUF_INIT;
	json_t *answer = NULL, *t;
	bool more = true;
	int rc = ARK_OK;
	size_t k;

	while (!rc && more) {
		buf_clear(&path);
		add_parameter(&path, "/admin/texts?state=", c->state ? c->state : "none");
		add_parameter(&path, "&reason=", c->reason ? c->reason : "");
		if (after.len)
			add_parameter(&path, "&after=", after.data);
		if (buf_failed(&path)) {
			rc = ark_fail(err, ARK_ENOMEM, "no memory for a list");
			break;
		}
		rc = ask(client, "GET", path.data, NULL, &answer, err);
		if (rc)
			break;
		json_array_foreach(json_object_get(answer, "texts"), k, t)
		{
			print_text(t);
		}
		buf_clear(&after);
		more = json_text(answer, "next") != NULL;
		if (more)
			buf_adds(&after, json_text(answer, "next"));
		json_decref(answer);
	}
	buf_free(&after);
	buf_free(&path);
	return rc;
}

static int retry(struct client *client, const struct cli *c, struct ark_error *err)
{
	struct buf body = BUF_INIT;
	json_t *answer = NULL;
	int rc;

	buf_adds(&body, c->document ? "{\"document\":" : "{\"reason\":");
	json_quote(&body, c->document ? c->document : c->reason);
	if (c->document && c->version)
		buf_addf(&body, ",\"version\":%ld", strtol(c->version, NULL, 10));
	buf_adds(&body, "}");
	rc = buf_failed(&body) ? ark_fail(err, ARK_ENOMEM, "no memory for a request")
			       : ask(client, "POST", "/admin/texts/retry", &body, &answer, err);
	if (!rc)
		printf("%lld texts are taken up again\n", cli_number(answer, "queued"));
	json_decref(answer);
	buf_free(&body);
	return rc;
}

int cmd_texts(const struct cli *c)
{
	struct client *client = NULL;
	struct ark_error err;
	int rc;

	if (c->words_len != 1 || (c->retry && !c->reason == !c->document))
		return cli_usage(c->command);
	rc = client_open(c->words[0], c->root_key, &client, &err);
	if (!rc)
		rc = c->retry ? retry(client, c, &err) : list(client, c, &err);
	client_close(client);
	return rc ? cli_failed(&err) : CLI_OK;
}

int cmd_ocr(const struct cli *c)
{
	struct client *client = NULL;
	const json_t *ocr;
	json_t *answer = NULL;
	struct ark_error err;
	const char *what;
	int rc;

	if (c->words_len != 2)
		return cli_usage(c->command);
	what = c->words[1];
	if (strcmp(what, "status") != 0 && strcmp(what, "pause") != 0 &&
	    strcmp(what, "resume") != 0)
		return cli_usage(c->command);
	rc = client_open(c->words[0], c->root_key, &client, &err);
	if (!rc && strcmp(what, "status") == 0)
		rc = ask(client, "GET", "/admin/status", NULL, &answer, &err);
	else if (!rc)
		rc = ask(client, "POST",
		    strcmp(what, "pause") == 0 ? "/admin/ocr?action=pause"
					       : "/admin/ocr?action=resume",
		    NULL, &answer, &err);
	ocr = json_object_get(answer, "ocr");
	if (!rc)
		printf("%s: %lld of %lld pages read, in %lld documents\n", json_text(ocr, "state"),
		    cli_number(ocr, "pagesDone"), cli_number(ocr, "pages"),
		    cli_number(ocr, "documents"));
	if (!rc && json_text(ocr, "reason"))
		printf("%s\n", json_text(ocr, "reason"));
	json_decref(answer);
	client_close(client);
	return rc ? cli_failed(&err) : CLI_OK;
}
