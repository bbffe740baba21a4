/* POST /v1/documents/{d}/versions/{n}/renditions/public/check: the leak test of the rendition that is filed. */
#include <stdlib.h>
#include <string.h>

#include "api/documents.h"
#include "api/job.h"
#include "api/leak.h"
#include "arkki/base/json.h"

enum { LEAK_MS = 60000 };

struct leak_work { /* the job's */
	struct app *app;
	struct buf original, bytes;
	char *media_type, *file_name;
	json_t *report;
	int status;
	struct ark_error err;
};

static void work_free(void *arg)
{
	struct leak_work *w = arg;

	decoding_end(w->app);
	buf_wipe_free(&w->original);
	buf_wipe_free(&w->bytes);
	free(w->media_type);
	free(w->file_name);
	json_decref(w->report);
	free(w);
}

static void work(void *arg)
{
	const struct extract_config config = {.wall_ms = LEAK_MS};
	const struct extract_config ocr = {.kind = EXTRACT_OCR, .wall_ms = LEAK_PICTURE_MS};
	struct leak_work *w = arg;
	const struct leak_ask ask = {.ocr = &ocr,
	    .original = w->original.data,
	    .original_len = w->original.len,
	    .bytes = w->bytes.data,
	    .len = w->bytes.len,
	    .media_type = w->media_type,
	    .file_name = w->file_name};
	struct extractor *e = NULL;

	w->status = extractor_new(&config, &e, &w->err);
	if (!w->status)
		w->status = leak_check(e, &ask, &w->report, &w->err);
	extractor_free(e);
}

static void answer(struct exchange *x)
{
	struct leak_work *w = job_arg(x);

	if (w->status) {
		http_reply_error(x, &w->err);
		return;
	}
	http_reply_json(x, 200, json_incref(w->report));
}

static int take_file(struct visit *v, struct leak_work *w, struct ark_error *err)
{
	struct content *c = NULL;
	json_t *meta = NULL;
	uint64_t size;
	ssize_t n = 0;
	int rc = reading_version(v->app->archive, v->receipt, &v->row, FORM_PUBLIC, &meta, err);
	const char *name = json_text(meta, "fileName");

	w->media_type = rc ? NULL : strdup(v->row.rendition.media_type);
	w->file_name = name ? strdup(name) : NULL;
	json_decref(meta);
	if (!rc && !w->media_type)
		rc = ark_fail(err, ARK_ENOMEM, "no memory for a comparison");
	if (!rc)
		rc = reading_content(v->app->archive, v->receipt, &v->row, FORM_PUBLIC, &c, err);
	if (rc)
		return rc;
	size = content_size(c);
	if (!buf_reserve(&w->bytes, (size_t)size + 1))
		rc = ark_fail(err, ARK_ENOMEM, "no memory for a comparison");
	while (!rc && w->bytes.len < size) {
		char block[16384];

		n = content_read(c, w->bytes.len, block, sizeof(block), err);
		if (n <= 0)
			rc = n ? (int)n : ark_fail(err, ARK_ECORRUPT, "a rendition ends too early");
		else
			buf_add(&w->bytes, block, (size_t)n);
		explicit_bzero(block, sizeof(block));
	}
	content_close(c);
	return rc;
}

static int take_original(
    struct visit *v, struct leak_work *w, const struct card *card, struct ark_error *err)
{
	const char *title = json_text(card->fields, "title");
	const char *name = json_text(card->version, "fileName");
	int rc = reading_text(v->app->archive, v->receipt, &v->row, FORM_WHOLE, &w->original, err);

	buf_addf(&w->original, "\n%s\n%s\n", title ? title : "", name ? name : "");
	return rc;
}

static void reply_unknown(struct exchange *x, const char *why)
{
	http_reply_json(x, 200,
	    json_pack("{s:s,s:s,s:i,s:i,s:[]}", "outcome", "unknown", "reason", why, "removed", 0,
		"left", 0, "places"));
}

static void begin(struct exchange *x, struct visit *v, const struct card *card)
{
	struct leak_work *w;
	struct ark_error err;
	int rc;

	if (!decoding_begin(v->app)) {
		http_reply_header(x, "Retry-After", "5");
		http_reply_problem(x, 503, "busy", NULL, NULL);
		return;
	}
	w = calloc(1, sizeof(*w));
	if (!w) {
		decoding_end(v->app);
		http_reply_problem(x, 503, "out-of-memory", NULL, NULL);
		return;
	}
	*w = (struct leak_work){.app = v->app};
	v->more = w;
	v->more_free = work_free;
	rc = take_original(v, w, card, &err);
	if (rc == ARK_ENOTFOUND) {
		reply_unknown(x, "original-no-text");
		return;
	}
	if (!rc)
		rc = take_file(v, w, &err);
	if (rc)
		http_reply_error(x, &err);
	else
		job_begin(x, w, work_free, work, answer);
}

static void looked(struct exchange *x)
{
	struct visit *v = visit_of(x);
	struct card card = {0};
	struct ark_error err;

	if (reading_card(v->app->archive, v->receipt, &v->row, &card, &err))
		http_reply_error(x, &err);
	else if (caller_decides(v->caller, v->app, ACCESS_REDACT, card.fields, true, &err)
		     .outcome != ACCESS_PERMIT)
		visit_denied(
		    x, "metadata", "You may not test the public rendition of this version.");
	else if (!v->row.rendition.number)
		http_reply_problem(x, 404, "not-found", NULL, NULL);
	else if (v->row.rendition.size > LEAK_FILE_MAX)
		reply_unknown(x, "too-large");
	else
		begin(x, v, &card);
	card_free(&card);
}

void rendition_check(struct exchange *x)
{
	struct visit *v = visit_of(x);
	struct ledger_record r[2];
	struct ark_error err;
	bool open = false;

	if (!v || !document_version_found(x, v, "metadata"))
		return;
	if (!v->row.whole) {
		visit_denied(
		    x, "metadata", "You may not test the public rendition of this version.");
		return;
	}
	if (visit_content_open(v, &open, &err)) {
		http_reply_error(x, &err);
		return;
	}
	/* how many words of a closed original a file holds would tell its words, one guess at a time */
	if (!open) {
		visit_content_denied(x, "text");
		return;
	}
	r[0] = visit_record(v, "metadata");
	r[1] = visit_record(v, "text");
	r[1].detail = "{\"work\":\"leak-test\"}";
	visit_log(x, r, 2, looked);
}
