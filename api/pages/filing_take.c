/* Files of a form without script: each becomes an upload of the caller's as it arrives.
 *
 * The form's own fields come before the files; the token that proves whose form it is must be among them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/pages/filing.h"
#include "api/uploads_private.h"
#include "arkki/api/multipart.h"
#include "arkki/base/text.h"

enum { FILES_MAX = MULTIPART_PARTS_MAX, HELD_MAX = 1 << 20 };

struct take { /* the visit's `more` */
	struct exchange *x;
	struct multipart *multipart;
	bool form_ok, in_form, in_file;
	char form[64];
	size_t form_len;
	struct buf held; /* of the file at hand, until it is worth a write */
	unsigned int n;
	char ids[FILES_MAX][33];
};

static void take_free(void *arg)
{
	struct take *t = arg;

	multipart_free(t->multipart);
	buf_wipe_free(&t->held);
	free(t);
}

/* ---- the parts ---- */

static int begin_file(
    struct take *t, const char *filename, const char *content_type, struct ark_error *err)
{
	const char *slash = strrchr(filename, '/'), *back = strrchr(filename, '\\');
	const char *name = slash ? slash + 1 : filename;

	if (back && back + 1 > name)
		name = back + 1;
	if (!t->form_ok)
		return ark_fail(err, ARK_EREFUSED, "the form");
	if (strlen(name) > 1000)
		return ark_fail(err, ARK_EINPUT, "The file name is longer than 1000 bytes.");
	t->in_file = true;
	return uploads_begin(t->x, name, content_type, t->ids[t->n++], err);
}

static int part_begin(void *arg, const char *name, const char *filename, const char *content_type,
    struct ark_error *err)
{
	struct take *t = arg;

	t->in_form = strcmp(name, "form") == 0 && !filename;
	t->in_file = false;
	if (!filename || !*filename) /* a field, or nothing was chosen */
		return ARK_OK;
	if (t->n == FILES_MAX)
		return ark_fail(err, ARK_EINPUT, "There are too many files in one form.");
	return begin_file(t, filename, content_type, err);
}

static int write_held(struct take *t, struct ark_error *err)
{
	int rc = t->held.len
		     ? uploads_append(t->x, t->ids[t->n - 1], t->held.data, t->held.len, err)
		     : ARK_OK;

	buf_clear(&t->held);
	return rc;
}

static int part_data(void *arg, const char *bytes, size_t len, struct ark_error *err)
{
	struct take *t = arg;

	if (t->in_form && len < sizeof(t->form) - t->form_len) {
		memcpy(t->form + t->form_len, bytes, len);
		t->form_len += len;
		return ARK_OK;
	}
	if (!t->in_file)
		return ARK_OK;
	buf_add(&t->held, bytes, len);
	if (buf_failed(&t->held))
		return ark_fail(err, ARK_ENOMEM, "no memory for an upload");
	return t->held.len >= HELD_MAX ? write_held(t, err) : ARK_OK;
}

static int part_end(void *arg, struct ark_error *err)
{
	struct take *t = arg;
	char token[33];
	int rc;

	if (t->in_form) {
		page_form_token(app_of(t->x), "filing", caller_of(t->x)->token_id, token);
		t->form_ok =
		    t->form_len == 32 && bytes_equal(t->form, token, 32) && page_same_origin(t->x);
		t->in_form = false;
		return ARK_OK;
	}
	if (!t->in_file)
		return ARK_OK;
	t->in_file = false;
	rc = write_held(t, err);
	return rc ? rc : uploads_end(t->x, t->ids[t->n - 1], err);
}

/* ---- the request ---- */

static void refused(struct exchange *x, const struct ark_error *err)
{
	if (err->status == ARK_EREFUSED && strcmp(err->text, "the form") == 0)
		http_reply_problem(x, 403, "form", NULL, NULL);
	else if (err->status == ARK_EREFUSED || err->status == UPLOAD_NO_ROOM)
		http_reply_problem(x, 507,
		    err->status == ARK_EREFUSED ? "too-many-uploads" : "no-room", err->text, NULL);
	else
		http_reply_error(x, err);
}

void page_file_take_begin(struct exchange *x)
{
	const struct multipart_sink sink = {part_begin, part_data, part_end, NULL};
	struct multipart_sink mine = sink;
	struct visit *v = visit_of(x);
	struct ark_error err;
	struct take *t;

	if (!v || !filing_allowed(x))
		return;
	t = calloc(1, sizeof(*t));
	if (!t) {
		http_reply_problem(x, 503, "out-of-memory", NULL, NULL);
		return;
	}
	t->x = x;
	v->more = t;
	v->more_free = take_free;
	mine.arg = t;
	if (multipart_new(http_header(x, "Content-Type"), &mine, &t->multipart, &err))
		http_reply_problem(x, 415, "multipart-required", NULL, NULL);
}

void page_file_take_body(struct exchange *x, const char *bytes, size_t len)
{
	const struct visit *v = visit_of(x);
	struct take *t = v->more;
	struct ark_error err;

	if (multipart_feed(t->multipart, bytes, len, &err))
		refused(x, &err);
}

static int keep_drafts(struct exchange *x, const struct take *t, struct ark_error *err)
{
	int rc = ARK_OK;

	for (unsigned int i = 0; i < t->n && !rc; i++) {
		json_t *draft = json_object();

		draft_begin(draft, http_query(x, "unit"), http_query(x, "case"),
		    http_query(x, "document"), http_query(x, "rendition"));
		if (t->n > 1)
			json_object_set_new(draft, "batch", json_string(t->ids[0]));
		rc = uploads_draft(x, t->ids[i], draft, err);
		json_decref(draft);
	}
	return rc;
}

void page_file_take_finish(struct exchange *x)
{
	const struct visit *v = visit_of(x);
	struct take *t = v->more;
	struct ark_error err;
	char path[80];

	if (multipart_finish(t->multipart, &err) || keep_drafts(x, t, &err)) {
		refused(x, &err);
		return;
	}
	if (!t->form_ok) {
		http_reply_problem(x, 403, "form", NULL, NULL);
	} else if (!t->n) {
		form_go(x, "/file");
	} else if (t->n == 1) {
		sheet_go(x, t->ids[0], "");
	} else {
		snprintf(path, sizeof(path), "/file/many?batch=%s", t->ids[0]);
		form_go(x, path);
	}
}
