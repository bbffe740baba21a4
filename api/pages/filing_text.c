/* What the text of an uploaded file says: what it may be, and, of a rendition, what still stands in it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "api/handlers.h"
#include "api/job.h"
#include "api/leak.h"
#include "api/pages/filing.h"
#include "api/registers.h"
#include "api/proposals.h"
#include "archive/media_type.h"
#include "arkki/base/json.h"

/* A person waits for the page: a larger or a slower file has no proposals. */
enum { PROPOSE_MAX = 32 << 20, PROPOSE_MS = 8000, LEAK_MS = 60000 };

struct work { /* the job's; the sheet comes along */
	struct app *app;
	bool decoding;
	struct sheet *s;
	void (*sheet_free)(void *sheet);
	void (*then)(struct exchange *x, struct sheet *s);
	struct buf bytes, original;
	char media_type[MEDIA_TYPE_SIZE];
	json_t *units, *cases, *types; /* of the registers, for proposals */
	char today[11];
	json_t *result;
	char reason[EXTRACT_REASON_SIZE];
	int status;
	struct ark_error err;
};

static void work_free(void *arg)
{
	struct work *w = arg;

	if (w->s)
		w->sheet_free(w->s);
	if (w->decoding)
		decoding_end(w->app);
	buf_wipe_free(&w->bytes);
	buf_wipe_free(&w->original);
	json_decref(w->units);
	json_decref(w->cases);
	json_decref(w->types);
	json_decref(w->result);
	free(w);
}

/* Takes the sheet out of the visit; NULL: replied. */
static struct work *work_new(
    struct exchange *x, struct sheet *s, void (*then)(struct exchange *x, struct sheet *s))
{
	struct visit *v = visit_of(x);
	struct work *w = calloc(1, sizeof(*w));

	if (!w) {
		http_reply_problem(x, 503, "out-of-memory", NULL, NULL);
		return NULL;
	}
	*w = (struct work){.app = v->app, .s = s, .sheet_free = v->more_free, .then = then};
	v->more = w;
	v->more_free = work_free;
	return w;
}

/* Gives the sheet back to the visit, ends the job. */
static void work_done(struct exchange *x, struct work *w)
{
	struct visit *v = visit_of(x);
	struct sheet *s = w->s;
	void (*then)(struct exchange * x, struct sheet * s) = w->then;
	void (*sheet_free)(void *sheet) = w->sheet_free;

	w->s = NULL;
	v->more_free(v->more); /* the job, and w */
	v->more = s;
	v->more_free = sheet_free;
	then(x, s);
}

static int read_upload(struct exchange *x, struct work *w, size_t max, struct ark_error *err)
{
	char found[MEDIA_TYPE_SIZE];
	size_t head;
	int rc = uploads_read(x, w->s->u.id, max, &w->bytes, err);

	head = w->bytes.len < MEDIA_HEAD_MAX ? w->bytes.len : MEDIA_HEAD_MAX;
	if (!rc)
		rc = media_type_of(w->bytes.data ? w->bytes.data : "", head, found, err);
	if (!rc && media_type_settle(w->s->u.media_type, found, w->media_type, NULL))
		snprintf(w->media_type, sizeof(w->media_type), "%s", found);
	return rc;
}

/* ---- proposals ---- */

static void propose(void *arg)
{
	const struct extract_config config = {.wall_ms = PROPOSE_MS};
	struct work *w = arg;
	struct extract_result r = {.outcome = EXTRACT_NONE};
	struct extract_job *job = NULL;
	struct extractor *e = NULL;

	w->status = extractor_new(&config, &e, &w->err);
	if (!w->status && extract_reads(e, w->media_type, w->bytes.len, w->reason)) {
		w->status = extract_begin(e, w->media_type, w->bytes.len, &job, &w->err);
		if (!w->status)
			w->status = extract_feed(job, w->bytes.data, w->bytes.len, &w->err);
		if (w->status)
			extract_abort(job);
		else
			w->status = extract_finish(job, &r, &w->err);
	}
	if (!w->status && r.outcome == EXTRACT_READY && r.text.len) {
		const struct proposals_ask ask = {.text = r.text.data,
		    .len = r.text.len,
		    .title = r.title,
		    .units = w->units,
		    .cases = w->cases,
		    .types = w->types,
		    .today = w->today};

		w->result = proposals_of(&ask);
	} else if (!w->reason[0]) {
		snprintf(w->reason, sizeof(w->reason), "%s", r.reason[0] ? r.reason : "no text");
	}
	extract_result_free(&r);
	extractor_free(e);
}

static void proposed(struct exchange *x)
{
	struct work *w = job_arg(x);
	json_t *members = json_object();

	/* without proposals a person types: never a reason to fail */
	json_object_set_new(
	    members, "proposals", w->result ? json_incref(w->result) : json_array());
	if (!w->result || !json_array_size(w->result))
		json_object_set_new(
		    members, "noText", json_string(w->reason[0] ? w->reason : "nothing found"));
	/* another tab may have kept what was typed there while the text was read */
	if (uploads_note(x, &w->s->u, members, NULL))
		json_object_del(w->s->u.draft, "noText");
	json_decref(members);
	work_done(x, w);
}

/* Cases are proposed to who may see them. */
static json_t *visible_cases(struct exchange *x)
{
	json_t *all = registry_all(archive_registry(app_of(x)->archive), "cases");
	json_t *out = json_array(), *one;
	size_t i;

	json_array_foreach(all, i, one)
	{
		if (case_is_visible(x, one))
			json_array_append(out, one);
	}
	json_decref(all);
	return out;
}

void sheet_propose(
    struct exchange *x, struct sheet *s, void (*then)(struct exchange *x, struct sheet *s))
{
	struct registry *registry = archive_registry(app_of(x)->archive);
	time_t now = time(NULL);
	struct ark_error err;
	struct work *w;
	struct tm tm;

	if (s->u.offset != s->u.length || json_object_get(s->u.draft, "proposals") ||
	    s->kind == SHEET_RENDITION) {
		then(x, s);
		return;
	}
	if (s->u.length > PROPOSE_MAX) {
		if (sheet_note(x, s, json_pack("{s:[],s:s}", "proposals", "noText", "too large")))
			then(x, s);
		return;
	}
	/* when many ask at once the page comes without, and asks again the next time */
	if (!decoding_begin(app_of(x))) {
		then(x, s);
		return;
	}
	w = work_new(x, s, then);
	if (!w) {
		decoding_end(app_of(x));
		return;
	}
	w->decoding = true;
	localtime_r(&now, &tm);
	strftime(w->today, sizeof(w->today), "%Y-%m-%d", &tm);
	w->units = registry_all(registry, "units");
	w->types = types_given(registry);
	w->cases = visible_cases(x);
	if (read_upload(x, w, PROPOSE_MAX, &err))
		http_reply_error(x, &err);
	else
		job_begin(x, w, work_free, propose, proposed);
}

/* ---- the leak test ---- */

static void test_leaks(void *arg)
{
	const struct extract_config config = {.wall_ms = LEAK_MS};
	const struct extract_config ocr = {.kind = EXTRACT_OCR, .wall_ms = LEAK_PICTURE_MS};
	struct work *w = arg;
	struct extractor *e = NULL;
	const struct leak_ask ask = {.ocr = &ocr,
	    .original = w->original.data,
	    .original_len = w->original.len,
	    .bytes = w->bytes.data ? w->bytes.data : "",
	    .len = w->bytes.len,
	    .media_type = w->media_type,
	    .file_name = w->s->u.file_name};

	w->status = extractor_new(&config, &e, &w->err);
	if (!w->status)
		w->status = leak_check(e, &ask, &w->result, &w->err);
	extractor_free(e);
}

static void tested(struct exchange *x)
{
	struct work *w = job_arg(x);
	struct sheet *s = w->s;

	if (w->status || !w->result) {
		http_reply_error(x, &w->err);
		return;
	}
	if (sheet_note(x, s, json_pack("{s:O}", "leak", w->result)))
		work_done(x, w);
}

static void unknown(struct exchange *x, struct sheet *s, const char *why,
    void (*then)(struct exchange *x, struct sheet *s))
{
	if (sheet_note(x, s,
		json_pack("{s:{s:s,s:s,s:i,s:i,s:[]}}", "leak", "outcome", "unknown", "reason", why,
		    "removed", 0, "left", 0, "places")))
		then(x, s);
}

static void original_read(struct exchange *x)
{
	struct visit *v = visit_of(x);
	struct work *w = v->more;
	struct sheet *s = w->s;
	const char *title = json_text(s->card.fields, "title");
	const char *name = json_text(s->card.version, "fileName");
	struct ark_error err;
	int rc = reading_text(v->app->archive, v->receipt, &v->row, FORM_WHOLE, &w->original, &err);

	if (rc == ARK_ENOTFOUND || (!rc && !w->original.len)) {
		void (*then)(struct exchange * x, struct sheet * s) = w->then;

		v->more = s;
		v->more_free = w->sheet_free;
		w->s = NULL;
		work_free(w);
		unknown(x, s, "original-no-text", then);
		return;
	}
	buf_addf(&w->original, "\n%s\n%s\n", title ? title : "", name ? name : "");
	if (!rc)
		rc = read_upload(x, w, LEAK_FILE_MAX, &err);
	if (rc)
		http_reply_error(x, &err);
	else
		job_begin(x, w, work_free, test_leaks, tested);
}

void sheet_leak(
    struct exchange *x, struct sheet *s, void (*then)(struct exchange *x, struct sheet *s))
{
	struct visit *v = visit_of(x);
	struct ledger_record r;
	struct work *w;

	/* how many words of a closed original a file holds would tell its words, one guess at a time */
	if (!s->content_open) {
		unknown(x, s, LEAK_CLOSED, then);
		return;
	}
	if (s->u.length > LEAK_FILE_MAX) {
		unknown(x, s, "too-large", then);
		return;
	}
	w = work_new(x, s, then);
	if (!w)
		return;
	w->decoding = decoding_begin(w->app);
	if (!w->decoding) {
		http_reply_header(x, "Retry-After", "5");
		http_reply_problem(x, 503, "busy", NULL, NULL);
		return;
	}
	r = visit_record(v, "text");
	r.detail = "{\"work\":\"leak-test\"}";
	visit_log(x, &r, 1, original_read);
}

static enum say where_said(const char *where)
{
	static const struct {
		const char *where;
		enum say said;
	} all[] = {
	    {"picture", SAY_LEAK_PICTURE},
	    {"text-layer", SAY_LEAK_TEXT_LAYER},
	    {"metadata", SAY_LEAK_METADATA},
	    {"note", SAY_LEAK_NOTE},
	    {"field", SAY_LEAK_FIELD},
	    {"attachment", SAY_LEAK_ATTACHMENT},
	    {"outline", SAY_LEAK_OUTLINE},
	    {"file-name", SAY_LEAK_FILE_NAME},
	    {"revision", SAY_LEAK_REVISION},
	};

	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++)
		if (where && strcmp(where, all[i].where) == 0)
			return all[i].said;
	return SAY_LEAK_METADATA;
}

static void write_place(struct page *p, const json_t *place, bool may_see)
{
	const json_t *examples = json_object_get(place, "examples"), *one;
	const char *detail = json_text(place, "detail");
	uint64_t words = (uint64_t)json_integer_value(json_object_get(place, "words"));
	char n[I18N_SIZE];
	size_t i;

	i18n_number(n, p->language, words);
	html_put(&p->h, "<li><strong>$</strong>", say(p, where_said(json_text(place, "where"))));
	/* "page 3", "revision 1": the number */
	if (detail && strpbrk(detail, "0123456789"))
		html_put(&p->h, " $", strpbrk(detail, "0123456789"));
	html_raw(&p->h, ": ");
	page_say(p, i18n_plural(SAY_LEAK_WORDS, words), n);
	json_array_foreach(examples, i, one)
	{
		if (may_see)
			html_put(&p->h, "$<q dir=\"auto\">$</q>", i ? ", " : " – ",
			    json_string_value(one));
	}
	html_raw(&p->h, "</li>");
}

static enum say unknown_said(const char *reason)
{
	if (reason && strcmp(reason, "fonts") == 0)
		return SAY_LEAK_FONTS;
	if (reason && strcmp(reason, "pictures") == 0)
		return SAY_LEAK_PICTURES;
	if (reason && strcmp(reason, "original-no-text") == 0)
		return SAY_LEAK_NO_TEXT;
	if (reason && strcmp(reason, LEAK_CLOSED) == 0)
		return SAY_LEAK_CLOSED;
	return SAY_LEAK_UNREAD;
}

void leak_report(struct page *p, const json_t *report, bool may_see)
{
	const char *outcome = json_text(report, "outcome"), *reason = json_text(report, "reason");
	const json_t *place;
	char n[I18N_SIZE];
	size_t i;

	html_put(&p->h, "<section class=\"leak\" aria-labelledby=\"leak\"><h2 id=\"leak\">$</h2>",
	    say(p, SAY_LEAK));
	i18n_number(
	    n, p->language, (uint64_t)json_integer_value(json_object_get(report, "removed")));
	if (outcome && strcmp(outcome, "clean") == 0) {
		html_raw(&p->h, "<p class=\"note\">");
		page_say(p, SAY_LEAK_CLEAN, n);
		html_raw(&p->h, "</p>");
	} else if (outcome && strcmp(outcome, "leaks") == 0) {
		html_raw(&p->h, "<p><strong>");
		page_say(p, SAY_LEAK_FOUND, n);
		html_raw(&p->h, "</strong></p><ul>");
		json_array_foreach(json_object_get(report, "places"), i, place)
		{
			write_place(p, place, may_see);
		}
		html_put(&p->h, "</ul><p>$</p>", say(p, SAY_LEAK_MEND));
	}
	if (reason)
		html_put(&p->h, "<p class=\"note\">$</p>", say(p, unknown_said(reason)));
	html_raw(&p->h, "</section>");
}
