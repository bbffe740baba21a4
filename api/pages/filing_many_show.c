/* The pages of several files at once. */
#include <stdio.h>
#include <string.h>

#include "api/pages/document.h"
#include "api/pages/filing_many.h"
#include "arkki/base/json.h"

enum { PROPOSED_MAX = 2 };

/* ---- one field of one file ---- */

static const char *own_field(const char *input)
{
	return strcmp(input, "case") == 0 ? "ownCase" : input;
}

static const char *proposed_field(const char *input)
{
	return strcmp(input, "case") == 0 ? "diaryNumber" : input;
}

static void name_without_kind(const char *name, struct buf *out)
{
	const char *dot = name ? strrchr(name, '.') : NULL;

	if (name)
		buf_add(out, name, dot && dot != name ? (size_t)(dot - name) : strlen(name));
}

/* The diary number that is proposed for all, or was chosen for all, is not said again. */
static bool proposed_for_all(const struct many *m, const char *input)
{
	return strcmp(input, "case") == 0 &&
	       (*draft_typed(m->common, "case") || draft_proposal(m->common, "diaryNumber", 0));
}

/* What was typed; before anything was sent, what the text proposes, and for a title the name of the file. */
static void shown(
    const struct many *m, const struct many_file *f, const char *input, struct buf *out)
{
	const char *typed = draft_typed(f->u.draft, own_field(input));
	const char *value =
	    json_text(draft_proposal(f->u.draft, proposed_field(input), 0), "value");
	char date[I18N_SIZE];

	if (*typed || json_is_true(json_object_get(f->u.draft, "submitted"))) {
		buf_adds(out, typed);
	} else if (value && !proposed_for_all(m, input)) {
		draft_as_typed(input, value, date);
		buf_adds(out, date[0] ? date : value);
	} else if (strcmp(input, "title") == 0) {
		name_without_kind(f->u.file_name, out);
	}
}

static void write_proposed(struct page *p, const struct many_file *f, const char *input)
{
	const json_t *one;

	if (!draft_proposal(f->u.draft, proposed_field(input), 0))
		return;
	html_put(&p->h, "<ul class=\"plain proposed\" id=\"$-$-proposed\">", input, f->u.id);
	for (unsigned int n = 0;
	     n < PROPOSED_MAX && (one = draft_proposal(f->u.draft, proposed_field(input), n));
	     n++) {
		const char *value = json_text(one, "value"), *found = json_text(one, "found");
		char date[I18N_SIZE];

		draft_as_typed(input, value, date);
		html_put(&p->h, "<li><span class=\"tag\">$</span> <span dir=\"auto\">$</span>",
		    say(p, SAY_FILING_PROPOSED), date[0] ? date : value);
		if (found && *found && strcmp(found, value) != 0)
			html_put(&p->h, " <q class=\"hint\" dir=\"auto\">$</q>", found);
		html_raw(&p->h, "</li>");
	}
	html_raw(&p->h, "</ul>");
}

static const char *wrong_of(const struct many_file *f, const char *input)
{
	for (unsigned int i = 0; i < f->f.n; i++)
		if (strcmp(f->f.list[i].field, input) == 0)
			return f->f.list[i].text;
	return NULL;
}

static void cell(struct page *p, const struct many *m, const struct many_file *f, const char *input,
    enum say label, const char *most)
{
	const char *wrong = wrong_of(f, input), *id = f->u.id;
	struct buf value = BUF_INIT;

	shown(m, f, input, &value);
	html_put(
	    &p->h, "<div class=\"field\"><label for=\"$-$\">$</label>", input, id, say(p, label));
	write_proposed(p, f, input);
	if (wrong)
		html_put(&p->h,
		    "<p class=\"wrong\" id=\"$-$-wrong\"><span class=\"hidden\">$: </span>$</p>",
		    input, id, say(p, SAY_ERROR), wrong);
	html_put(&p->h,
	    "<input type=\"text\" id=\"$-$\" name=\"$-$\" autocomplete=\"off\" maxlength=\"$\" "
	    "dir=\"auto\" value=\"$\"",
	    input, id, input, id, most, value.data);
	if (wrong)
		html_put(&p->h, " aria-invalid=\"true\" aria-describedby=\"$-$-wrong\"", input, id);
	else if (draft_proposal(f->u.draft, proposed_field(input), 0))
		html_put(&p->h, " aria-describedby=\"$-$-proposed\"", input, id);
	html_raw(&p->h, "></div>");
	buf_free(&value);
}

static void write_file(struct page *p, const struct many *m, const struct many_file *f)
{
	struct buf url = BUF_INIT;

	html_put(&p->h, "<fieldset class=\"one\"><legend dir=\"auto\">$</legend>",
	    f->u.file_name ? f->u.file_name : say(p, SAY_FILE));
	cell(p, m, f, "title", SAY_FILING_TITLE, "500");
	cell(p, m, f, "date", SAY_DATE, "10");
	cell(p, m, f, "case", SAY_FILING_MANY_CASE, "200");
	if (f->f.n) {
		sheet_path(p->x, f->u.id, "", &url);
		html_put(&p->h, "<p><a href=\"$\">$<span class=\"hidden\">: $</span></a></p>",
		    url.data, say(p, SAY_FILING_MANY_ALONE),
		    f->u.file_name ? f->u.file_name : say(p, SAY_FILE));
	}
	html_raw(&p->h, "</fieldset>");
	buf_free(&url);
}

/* ---- what is wrong, all at one place ---- */

static void write_summary(struct page *p, const struct many *m, size_t wrong)
{
	if (!wrong && !m->f.n)
		return;
	html_put(&p->h, "<div class=\"errors\" role=\"alert\"><h2>$</h2><ul>",
	    say(p, SAY_FILING_CHECK_WRONG));
	for (unsigned int i = 0; i < m->f.n; i++)
		html_put(
		    &p->h, "<li><a href=\"#$\">$</a></li>", m->f.list[i].field, m->f.list[i].text);
	for (size_t i = 0; i < m->n; i++) {
		const struct many_file *f = &m->files[i];

		for (unsigned int k = 0; f->now && k < f->f.n; k++)
			html_put(&p->h,
			    "<li><a href=\"#$-$\"><span dir=\"auto\">$</span>: $</a></li>",
			    f->f.list[k].field, f->u.id,
			    f->u.file_name ? f->u.file_name : say(p, SAY_FILE), f->f.list[k].text);
	}
	html_raw(&p->h, "</ul></div>");
}

/* ---- what is done ---- */

static void write_done(struct page *p, const struct many *m)
{
	char n[I18N_SIZE], all[I18N_SIZE];

	if (!m->done_n)
		return;
	i18n_number(n, p->language, m->done_n);
	i18n_number(all, p->language, m->done_n + m->n);
	html_raw(&p->h, "<p role=\"status\">");
	page_say(p, SAY_FILING_MANY_DONE, n, all);
	html_put(&p->h, "</p><details><summary>$</summary><ul class=\"plain results\">",
	    say(p, SAY_FILING_MANY_LIST));
	for (size_t i = 0; i < m->done_n; i++)
		html_put(&p->h, "<li><a dir=\"auto\" href=\"/$/documents/$\">$</a></li>",
		    i18n_code(p->language), m->done[i].document,
		    m->done[i].file_name ? m->done[i].file_name : say(p, SAY_FILE));
	html_raw(&p->h, "</ul></details>");
}

void many_show_done(struct exchange *x, const struct many *m)
{
	struct page p;

	page_begin(&p, x, form_said(x, SAY_FILING_MANY_ALL));
	html_put(&p.h, "<div class=\"narrow\"><h1>$</h1>", say(&p, SAY_FILING_MANY_ALL));
	write_done(&p, m);
	html_put(&p.h, "<p><a class=\"button\" href=\"/$/file\">$</a></p></div>",
	    i18n_code(p.language), say(&p, SAY_FILING_AGAIN));
	page_end(&p, 200);
}

/* ---- the page ---- */

/* Where the texts took too long, the page is shown without them. */
static void write_unread(struct page *p, const struct many *m)
{
	struct buf url = BUF_INIT;
	bool unread = false;
	char from[24];

	for (size_t i = 0; i < m->n; i++)
		unread |= m->files[i].now && m->files[i].u.offset == m->files[i].u.length &&
			  !json_object_get(m->files[i].u.draft, "proposals");
	if (!unread)
		return;
	snprintf(from, sizeof(from), "%zu", m->from);
	buf_addf(&url, "/%s/file/many", i18n_code(p->language));
	url_add(&url, "batch", m->batch);
	url_add(&url, "from", from);
	html_put(&p->h, "<p class=\"note\">$ <a href=\"$\">$</a></p>",
	    say(p, SAY_FILING_MANY_UNREAD), url.data, say(p, SAY_FILING_MANY_READ));
	buf_free(&url);
}

static void write_place(struct page *p, const struct many *m)
{
	char first[I18N_SIZE], last[I18N_SIZE], all[I18N_SIZE];
	size_t now = 0, at = 0;

	for (size_t i = m->n; i-- > 0;) {
		now += m->files[i].now;
		at = m->files[i].now ? i : at;
	}
	i18n_number(first, p->language, at + 1);
	i18n_number(last, p->language, at + now);
	i18n_number(all, p->language, m->n);
	html_raw(&p->h, "<p>");
	page_say(p, SAY_FILING_MANY_SHOWN, first, last, all);
	html_raw(&p->h, "</p>");
	write_unread(p, m);
}

static void write_saved(struct page *p, const struct many *m)
{
	html_raw(&p->h, "<input type=\"hidden\" name=\"saved\" value=\"");
	for (size_t i = 0; i < m->n; i++) {
		const struct upload_state *u = &m->files[i].u;
		char n[24];

		if (!m->files[i].now)
			continue;
		snprintf(n, sizeof(n), "%lld",
		    (long long)json_integer_value(json_object_get(u->draft, "saved")));
		html_put(&p->h, "$:$ ", u->id, n);
	}
	html_raw(&p->h, "\">");
}

static void write_acts(struct page *p, const struct many *m)
{
	struct buf url = BUF_INIT;
	char from[24];

	html_put(&p->h, "<p class=\"act\"><button name=\"to\" value=\"file\">$</button>",
	    say(p, SAY_FILING_MANY_DO));
	if (m->from + MANY_MAX < m->n)
		html_put(&p->h, " <button name=\"to\" value=\"keep\" class=\"quiet\">$</button>",
		    say(p, SAY_FILING_MANY_KEEP));
	html_raw(&p->h, "</p></form>");
	if (m->from) {
		snprintf(from, sizeof(from), "%zu", m->from > MANY_MAX ? m->from - MANY_MAX : 0);
		buf_addf(&url, "/%s/file/many", i18n_code(p->language));
		url_add(&url, "batch", m->batch);
		url_add(&url, "from", from);
		html_put(
		    &p->h, "<p><a href=\"$\">$</a></p>", url.data, say(p, SAY_FILING_MANY_BACK));
	}
	buf_free(&url);
}

void many_show(struct exchange *x, struct many *m)
{
	struct sheet common = {.u = {.draft = m->common}, .f = m->f};
	struct faults any = m->f;
	struct buf url = BUF_INIT;
	size_t wrong = 0;
	struct page p;
	char from[24];

	for (size_t i = 0; i < m->n; i++)
		wrong += m->files[i].now && m->files[i].f.n;
	if (wrong)
		fault_add(&any, "files", "");
	form_page(&p, x, SAY_FILING_MANY, &any);
	snprintf(from, sizeof(from), "%zu", m->from);
	buf_addf(&url, "/%s/file/many", i18n_code(p.language));
	url_add(&url, "batch", m->batch);
	url_add(&url, "from", from);
	html_raw(&p.h, "<div class=\"narrow filing\">");
	write_summary(&p, m, wrong);
	html_put(&p.h, "<h1>$</h1>", say(&p, SAY_FILING_MANY));
	write_done(&p, m);
	html_put(&p.h, "<p>$</p>", say(&p, SAY_FILING_MANY_WHAT));
	html_put(&p.h, "<form method=\"post\" action=\"$\" class=\"stack\"><h2 id=\"files\">$</h2>",
	    url.data, say(&p, SAY_FILING_EACH));
	page_form_field(&p, "filing");
	write_saved(&p, m);
	write_place(&p, m);
	for (size_t i = 0; i < m->n; i++)
		if (m->files[i].now)
			write_file(&p, m, &m->files[i]);
	html_put(&p.h, "<h2>$</h2>", say(&p, SAY_FILING_COMMON));
	filing_common(&p, &common);
	write_acts(&p, m);
	html_raw(&p.h, "</div>");
	buf_free(&url);
	page_end(&p, any.n ? 422 : 200);
}
