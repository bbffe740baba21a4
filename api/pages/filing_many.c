/* Several files at once: what they have in common is said once, title and date for each; each is filed by itself, and one that
 * fails stops no other. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/pages/document.h"
#include "api/pages/filing.h"
#include "arkki/base/json.h"
#include "arkki/base/text.h"

/* A form has room for so many fields; what is more comes on the next page. */
enum { MANY_MAX = 20 };

struct many_file {
	struct upload_state u;
	struct faults f;
	char document[33];
	const char *said; /* why it was not filed; NULL: as f says */
	bool tried;
};

struct many { /* the visit's `more` */
	char batch[33];
	json_t *common; /* a draft: what is said once */
	struct many_file *files;
	size_t n, at;
	bool more;
};

static void many_free(void *arg)
{
	struct many *m = arg;

	for (size_t i = 0; i < m->n; i++)
		upload_state_free(&m->files[i].u);
	json_decref(m->common);
	free(m->files);
	free(m);
}

/* ---- gathering ---- */

static int state_copy(struct upload_state *to, const struct upload_state *u)
{
	*to = *u;
	to->file_name = u->file_name ? strdup(u->file_name) : NULL;
	to->media_type = NULL;
	to->draft = json_deep_copy(u->draft);
	to->kept = strdup(u->kept);
	return to->draft && to->kept && (!u->file_name || to->file_name) ? 0 : ARK_ENOMEM;
}

static int gather(void *arg, const struct upload_state *u)
{
	struct many *m = arg;
	const char *batch = json_text(u->draft, "batch");

	if (!batch || strcmp(batch, m->batch) != 0)
		return 0;
	if (m->n == MANY_MAX) {
		m->more = true;
		return 0;
	}
	return state_copy(&m->files[m->n++].u, u);
}

/* What the script has uploaded learns here what it is for. */
static bool begin_one(struct exchange *x, struct upload_state *u)
{
	struct ark_error err;

	if (json_object_get(u->draft, "for"))
		return true;
	draft_begin(u->draft, http_query_at(x, "unit", 0), http_query(x, "case"), NULL, NULL);
	if (!uploads_draft(x, u->id, u->draft, &err))
		return true;
	http_reply_error(x, &err);
	return false;
}

/* The files of ?batch=; NULL: replied. */
static struct many *many_new(struct exchange *x, const char *batch)
{
	struct visit *v = visit_of(x);
	struct many *m = v ? calloc(1, sizeof(*m)) : NULL;
	struct ark_error err = {.status = ARK_ENOMEM};

	if (!m) {
		http_reply_problem(x, 503, "out-of-memory", NULL, NULL);
		return NULL;
	}
	v->more = m;
	v->more_free = many_free;
	snprintf(m->batch, sizeof(m->batch), "%.32s", batch ? batch : "");
	m->files = calloc(MANY_MAX, sizeof(*m->files));
	if (!m->files || uploads_each(x, gather, m, &err)) {
		http_reply_error(x, &err);
		return NULL;
	}
	for (size_t i = 0; i < m->n; i++)
		if (!begin_one(x, &m->files[i].u))
			return NULL;
	m->common = m->n ? json_deep_copy(m->files[0].u.draft) : json_object();
	return m;
}

/* ---- the table ---- */

static void default_title(const struct many_file *f, struct buf *out)
{
	const char *typed = draft_typed(f->u.draft, "title"), *name = f->u.file_name;
	const char *dot = name ? strrchr(name, '.') : NULL;

	if (*typed || !name)
		buf_adds(out, typed);
	else
		buf_add(out, name, dot && dot != name ? (size_t)(dot - name) : strlen(name));
}

static void cell(struct page *p, const char *name, const char *id, enum say label,
    const char *value, const char *most)
{
	html_put(&p->h,
	    "<div class=\"field\"><label for=\"$-$\">$</label><input type=\"text\" id=\"$-$\" "
	    "name=\"$-$\" autocomplete=\"off\" maxlength=\"$\" dir=\"auto\" value=\"$\"></div>",
	    name, id, say(p, label), name, id, name, id, most, value);
}

static void write_file(struct page *p, const struct many_file *f)
{
	struct buf title = BUF_INIT;

	default_title(f, &title);
	html_put(&p->h, "<fieldset class=\"one\"><legend dir=\"auto\">$</legend>",
	    f->u.file_name ? f->u.file_name : say(p, SAY_FILE));
	cell(p, "title", f->u.id, SAY_FILING_TITLE, title.data, "500");
	cell(p, "date", f->u.id, SAY_DATE, draft_typed(f->u.draft, "date"), "10");
	html_raw(&p->h, "</fieldset>");
	buf_free(&title);
}

static void show_many(struct exchange *x, struct many *m)
{
	struct sheet common = {.u = {.draft = m->common}};
	struct buf url = BUF_INIT;
	struct page p;

	page_begin(&p, x, form_said(x, SAY_FILING_MANY));
	buf_addf(&url, "/%s/file/many", i18n_code(p.language));
	url_add(&url, "batch", m->batch);
	html_put(&p.h, "<div class=\"narrow filing\"><h1>$</h1><p>$</p>", say(&p, SAY_FILING_MANY),
	    say(&p, SAY_FILING_MANY_WHAT));
	html_put(&p.h, "<form method=\"post\" action=\"$\" class=\"stack\"><h2>$</h2>", url.data,
	    say(&p, SAY_FILING_EACH));
	page_form_field(&p, "filing");
	for (size_t i = 0; i < m->n; i++)
		write_file(&p, &m->files[i]);
	if (m->more)
		html_put(&p.h, "<p class=\"note\">$</p>", say(&p, SAY_FILING_MANY_MORE));
	html_put(&p.h, "<h2>$</h2>", say(&p, SAY_FILING_COMMON));
	filing_common(&p, &common);
	html_put(&p.h, "<p class=\"act\"><button>$</button></p></form></div>",
	    say(&p, SAY_FILING_MANY_DO));
	buf_free(&url);
	page_end(&p, 200);
}

void page_file_many(struct exchange *x)
{
	struct many *m;

	if (!filing_allowed(x))
		return;
	m = many_new(x, http_query(x, "batch"));
	if (m && m->n)
		show_many(x, m);
	else if (m)
		form_go(x, "/file");
}

/* ---- results ---- */

static void write_result(struct page *p, const struct many_file *f)
{
	struct buf url = BUF_INIT;

	html_put(&p->h, "<li><strong dir=\"auto\">$</strong>: ",
	    f->u.file_name ? f->u.file_name : say(p, SAY_FILE));
	if (f->document[0]) {
		buf_addf(&url, "/%s/documents/%s", i18n_code(p->language), f->document);
		html_put(&p->h, "<a href=\"$\">$</a>", url.data, say(p, SAY_FILING_MANY_OK));
	} else {
		sheet_path(p->x, f->u.id, "", &url);
		html_put(&p->h, "$ <a href=\"$\">$</a>",
		    f->said  ? f->said
		    : f->f.n ? f->f.list[0].text
			     : say(p, SAY_FILING_FAILED),
		    url.data, say(p, SAY_FILING_MANY_MEND));
	}
	html_raw(&p->h, "</li>");
	buf_free(&url);
}

static void show_results(struct exchange *x, const struct many *m)
{
	size_t done = 0;
	struct page p;
	char n[I18N_SIZE], all[I18N_SIZE];

	for (size_t i = 0; i < m->n; i++)
		done += m->files[i].document[0] != '\0';
	page_begin(&p, x, form_said(x, SAY_FILING_MANY_RESULT));
	i18n_number(n, p.language, done);
	i18n_number(all, p.language, m->n);
	html_put(&p.h, "<div class=\"narrow\"><h1>$</h1><p role=\"status\">",
	    say(&p, SAY_FILING_MANY_RESULT));
	page_say(&p, SAY_FILING_MANY_DONE, n, all);
	html_raw(&p.h, "</p><ul class=\"plain results\">");
	for (size_t i = 0; i < m->n; i++)
		write_result(&p, &m->files[i]);
	html_put(&p.h, "</ul><p><a href=\"/$/file\">$</a></p></div>", i18n_code(p.language),
	    say(&p, SAY_FILING_AGAIN));
	page_end(&p, 200);
}

static void file_next(struct exchange *x, struct many *m);

static void one_filed(
    struct exchange *x, int status, const char *document, uint32_t version, const char *message)
{
	struct many *m = visit_of(x)->more;
	struct many_file *f = &m->files[m->at++];

	(void)version;
	(void)message;
	if (document && (!status || status == ARK_ECONFLICT))
		snprintf(f->document, sizeof(f->document), "%s", document);
	else
		f->said = form_said(x, SAY_FILING_FAILED);
	file_next(x, m);
}

/* A file that cannot be filed is passed over, with what is wrong in it. */
static void file_next(struct exchange *x, struct many *m)
{
	for (; m->at < m->n; m->at++) {
		struct many_file *f = &m->files[m->at];
		struct upload_filing wish = {.id = f->u.id};
		json_t *fields = NULL;
		struct ark_error err;

		if (f->u.offset != f->u.length) {
			f->said = form_said(x, SAY_FILING_INCOMPLETE);
			continue;
		}
		if (!draft_check(x, f->u.draft, NULL, &f->f, &fields))
			continue;
		if (caller_decides(caller_of(x), app_of(x), ACCESS_FILE, fields, false, &err)
			.outcome != ACCESS_PERMIT) {
			f->said = form_said(x, SAY_FILING_NOT_PERMITTED);
			json_decref(fields);
			continue;
		}
		wish.metadata = fields;
		uploads_file(x, &wish, one_filed);
		return;
	}
	show_results(x, m);
}

static void take_fields(struct exchange *x, struct many_file *f)
{
	static const char *const own[] = {"title", "date"};
	char name[60], text[2100];

	draft_read(x, f->u.draft);
	for (size_t i = 0; i < 2; i++) {
		snprintf(name, sizeof(name), "%s-%s", own[i], f->u.id);
		form_text(x, name, text, sizeof(text));
		draft_set(f->u.draft, own[i], text);
	}
	json_object_set_new(f->u.draft, "submitted", json_true());
}

void page_file_many_post(struct exchange *x)
{
	struct ark_error err;
	struct many *m;

	if (!filing_allowed(x))
		return;
	if (!page_same_origin(x)) {
		http_reply_problem(x, 403, "form", NULL, NULL);
		return;
	}
	m = many_new(x, http_query(x, "batch"));
	if (!m)
		return;
	for (size_t i = 0; i < m->n; i++) {
		take_fields(x, &m->files[i]);
		if (uploads_draft(x, m->files[i].u.id, m->files[i].u.draft, &err)) {
			http_reply_error(x, &err);
			return;
		}
	}
	/* what was typed is kept in any case; a second sending of a page that was acted on finds nothing left */
	if (!m->n)
		form_go(x, "/file");
	else if (!page_form_sent(x, "filing"))
		show_many(x, m);
	else
		file_next(x, m);
}
