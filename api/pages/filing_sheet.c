/* One upload of the caller's and what it adds to. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/documents.h"
#include "api/pages/document.h"
#include "api/pages/filing.h"
#include "arkki/base/json.h"
#include "arkki/base/text.h"

static void sheet_free(void *arg)
{
	struct sheet *s = arg;

	upload_state_free(&s->u);
	card_free(&s->card);
	json_decref(s->theirs);
	for (size_t i = 0; i < s->same_len; i++)
		catalogue_row_free(&s->same[i]);
	free(s->same);
	free(s);
}

bool filing_may(const struct caller *c)
{
	return (c->scopes & TOKEN_FILE) &&
	       (c->who->access.roles & (ACCESS_INSPECTOR | ACCESS_REGISTRAR | ACCESS_SUPERVISOR));
}

bool filing_allowed(struct exchange *x)
{
	bool may = filing_may(caller_of(x));

	if (!may)
		http_reply_problem(
		    x, 403, "not-permitted", "Your roles do not file documents.", NULL);
	return may;
}

void sheet_path(struct exchange *x, const char *id, const char *more, struct buf *out)
{
	enum http_language language = HTTP_FI;

	page_language(x, &language);
	buf_addf(out, "/%s/file/%s%s", i18n_code(language), id, more);
}

void sheet_go(struct exchange *x, const char *id, const char *more)
{
	char path[120];

	snprintf(path, sizeof(path), "/file/%.32s%.60s", id, more);
	form_go(x, path);
}

bool sheet_note(struct exchange *x, struct sheet *s, json_t *members)
{
	struct ark_error err;
	int rc = members ? uploads_note(x, &s->u, members, &err)
			 : ark_fail(&err, ARK_ENOMEM, "no memory for what was typed");

	json_decref(members);
	if (!rc)
		return true;
	http_reply_error(x, &err);
	return false;
}

void sheet_failed(struct exchange *x, const char *id, int status, const char *message)
{
	struct buf back = BUF_INIT;
	struct page p;

	page_begin(&p, x, form_said(x, SAY_FILING_FAILED));
	sheet_path(x, id, "", &back);
	html_put(&p.h, "<div class=\"narrow\"><h1>$</h1><p>$</p>", say(&p, SAY_FILING_FAILED),
	    say(&p, SAY_FILING_KEPT));
	if (message)
		html_put(&p.h, "<p class=\"hint\" lang=\"en\">$</p>", message);
	html_put(&p.h, "<p><a class=\"button\" href=\"$\">$</a></p></div>", back.data,
	    say(&p, SAY_FILING_BACK));
	buf_free(&back);
	page_end(&p, status);
}

/* Keeps what the draft begins with, unless another tab was first: then what that one kept is the draft. False: replied. */
static bool keep_first(struct exchange *x, struct sheet *s)
{
	struct upload_state now = {0};
	struct ark_error err;
	int rc = uploads_keep(x, &s->u, &err);

	if (rc == ARK_ECONFLICT && !(rc = uploads_get(x, s->u.id, &now, &err))) {
		upload_state_free(&s->u);
		s->u = now;
	}
	if (rc)
		http_reply_error(x, &err);
	return !rc;
}

/* ---- the document that it adds to ---- */

static bool same_base(const json_t *draft, const struct catalogue_row *row)
{
	const json_t *base = json_object_get(draft, "base");

	return json_integer_value(json_object_get(base, "version")) == row->version &&
	       json_integer_value(json_object_get(base, "metadata")) == row->metadata;
}

static void base_read(struct exchange *x)
{
	struct visit *v = visit_of(x);
	struct sheet *s = v->more;
	struct ark_error err;

	if (reading_card(v->app->archive, v->receipt, &v->row, &s->card, &err) ||
	    (s->kind == SHEET_RENDITION && visit_content_open(v, &s->content_open, &err))) {
		http_reply_error(x, &err);
		return;
	}
	if (!json_object_get(s->u.draft, "base")) {
		draft_from_card(s->u.draft, &v->row, &s->card);
		if (!keep_first(x, s))
			return;
	}
	s->moved = s->kind == SHEET_VERSION && !same_base(s->u.draft, &v->row);
	s->then(x, s);
}

static void find_base(struct exchange *x, struct visit *v, struct sheet *s)
{
	const char *document = draft_for(s->u.draft, "document");
	struct ledger_record r;
	struct ark_error err;
	int rc = visit_find(v, document, draft_rendition(s->u.draft), &err);

	if (rc == ARK_ENOTFOUND || (!rc && !v->row.whole)) {
		visit_not_found(x, "metadata", document, 0);
	} else if (rc) {
		http_reply_error(x, &err);
	} else {
		r = visit_record(v, "metadata");
		visit_log(x, &r, 1, base_read);
	}
}

/* An upload that the script made knows only now what it is for: the address says. */
static bool begin_here(struct exchange *x, struct sheet *s)
{
	if (json_object_get(s->u.draft, "for"))
		return true;
	draft_begin(s->u.draft, http_query(x, "unit"), http_query(x, "case"),
	    http_query(x, "document"), http_query(x, "rendition"));
	return keep_first(x, s);
}

void sheet_open(struct exchange *x, void (*then)(struct exchange *x, struct sheet *s))
{
	struct visit *v = visit_of(x);
	struct sheet *s;
	struct ark_error err;
	int rc;

	if (!v || !filing_allowed(x))
		return;
	s = calloc(1, sizeof(*s));
	if (!s) {
		http_reply_problem(x, 503, "out-of-memory", NULL, NULL);
		return;
	}
	v->more = s;
	v->more_free = sheet_free;
	s->then = then;
	rc = docid_valid(http_param(x, 0)) ? uploads_get(x, http_param(x, 0), &s->u, &err)
					   : ark_fail(&err, ARK_ENOTFOUND, "no such upload");
	if (rc) {
		http_reply_error(x, &err);
		return;
	}
	if (s->u.document[0]) {
		sheet_go(x, s->u.id, "/receipt?again=1");
		return;
	}
	if (!begin_here(x, s))
		return;
	if (*draft_for(s->u.draft, "document"))
		s->kind = draft_rendition(s->u.draft) ? SHEET_RENDITION : SHEET_VERSION;
	if (s->kind == SHEET_NEW)
		then(x, s);
	else
		find_base(x, v, s);
}
