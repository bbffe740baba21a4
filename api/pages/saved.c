/* Saved searches as pages: the list with what is new in each, the results of one, saving and removing. The same records
 * and the same entries of the log as over the API. */
#include <stdlib.h>
#include <string.h>

#include "api/pages/search.h"
#include "api/saved_searches.h"
#include "arkki/base/json.h"

/* ---- saving ---- */

void saved_form(struct page *p, const struct wanted *w)
{
	html_put(&p->h,
	    "<details class=\"save\"><summary>$</summary><form method=\"post\" action=\"/$/saved\" "
	    "novalidate><div class=\"field\"><label for=\"name\">$</label>"
	    "<p class=\"hint\" id=\"name-help\">$</p><div class=\"ask\">"
	    "<input id=\"name\" name=\"name\" value=\"$\" maxlength=\"200\" autocomplete=\"off\" "
	    "dir=\"auto\" aria-describedby=\"name-help\"><button>$</button></div></div>",
	    say(p, SAY_SAVE), i18n_code(p->language), say(p, SAY_SAVE_NAME), say(p, SAY_SAVE_HELP),
	    w->q, say(p, SAY_SAVE));
	page_form_field(p, "save");
	wanted_fields(p, w, true);
	html_raw(&p->h, "</form></details>");
}

/* {"name","query"} of the form; a fresh object, or NULL without memory. */
static json_t *body_of(struct exchange *x)
{
	static const char *const parts[] = {"q", "type", "unit", "language", "from", "to", "sort",
	    "county", "author", "publicity", "case", "municipality", "year", "like", "versions"};
	json_t *query = json_object();
	const char *name = http_form(x, "name");

	for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++) {
		const char *value = http_form(x, parts[i]);

		if (value && *value)
			json_object_set_new(query, parts[i], json_string(value));
	}
	if (http_form(x, "group"))
		json_object_set_new(query, "group", json_true());
	name = name ? name + strspn(name, " ") : "";
	return json_pack("{s:s,s:o}", "name", name, "query", query);
}

static void go_to_list(struct exchange *x, const char *said)
{
	enum http_language language = HTTP_FI;

	page_language(x, &language);
	http_reply_headerf(x, "Location", "/%s/saved?%s=1", i18n_code(language), said);
	http_reply_empty(x, 303);
}

/* The form once more, with what is wrong. */
static void show_wrong(struct exchange *x, const json_t *body, enum say wrong)
{
	enum http_language language = HTTP_FI;
	struct buf title = BUF_INIT;
	struct wanted w;
	struct page p;

	page_language(x, &language);
	buf_addf(&title, "%s: %s", i18n_text(language, SAY_ERROR), i18n_text(language, SAY_SAVE));
	page_begin(&p, x, title.data);
	html_put(&p.h,
	    "<div class=\"narrow\"><div class=\"errors\" role=\"alert\"><h2>$</h2><ul><li>"
	    "<a href=\"#name\">$</a></li></ul></div><h1>$</h1>"
	    "<form class=\"stack\" method=\"post\" action=\"/$/saved\" novalidate>"
	    "<div class=\"field\"><label for=\"name\">$</label>"
	    "<p class=\"wrong\" id=\"name-wrong\"><span class=\"hidden\">$: </span>$</p>"
	    "<input id=\"name\" name=\"name\" value=\"$\" autocomplete=\"off\" dir=\"auto\" "
	    "aria-invalid=\"true\" aria-describedby=\"name-wrong\"></div>",
	    say(&p, SAY_SAVE_FAILED), say(&p, wrong), say(&p, SAY_SAVE), i18n_code(language),
	    say(&p, SAY_SAVE_NAME), say(&p, SAY_ERROR), say(&p, wrong), json_text(body, "name"));
	page_form_field(&p, "save");
	wanted_saved(json_object_get(body, "query"), &w);
	wanted_fields(&p, &w, true);
	html_put(&p.h, "<div><button>$</button></div></form></div>", say(&p, SAY_SAVE));
	page_end(&p, 422);
	buf_free(&title);
}

void page_saved_post(struct exchange *x)
{
	json_t *body = visit_of(x) ? body_of(x) : NULL, *record = NULL;
	struct ark_error err = {0};
	int rc = ARK_OK;

	if (!body || !visit_stated_ok(x)) {
		json_decref(body);
		return;
	}
	if (!page_form_sent(x, "save")) {
		show_wrong(x, body, SAY_FORM_OLD);
	} else if (!saved_search_valid(body)) {
		show_wrong(x, body, SAY_SAVE_WRONG);
	} else {
		rc = saved_search_make(x, body, &record, &err);
		if (rc == ARK_ECONFLICT)
			show_wrong(x, body, SAY_SAVE_MANY);
		else if (rc)
			http_reply_error(x, &err);
		else
			go_to_list(x, "saved");
	}
	json_decref(record);
	json_decref(body);
}

void page_saved_remove(struct exchange *x)
{
	struct ark_error err = {0};
	json_t *record;

	if (!visit_of(x) || !visit_stated_ok(x))
		return;
	if (!page_form_sent(x, "unsave")) {
		http_reply_problem(x, 403, "form", NULL, NULL);
		return;
	}
	record = saved_search_own(x);
	if (!record)
		return;
	if (saved_search_drop(x, record, &err))
		http_reply_error(x, &err);
	else
		go_to_list(x, "removed");
	json_decref(record);
}

/* ---- the list ---- */

static void write_new(struct page *p, uint64_t fresh)
{
	char count[I18N_SIZE];

	if (!fresh) {
		html_put(&p->h, "<span class=\"tag\">$</span>", say(p, SAY_NEW_NONE));
		return;
	}
	i18n_number(count, p->language, fresh);
	html_raw(&p->h, "<strong class=\"tag tag-new\">");
	page_say(p, i18n_plural(SAY_NEW_COUNT, fresh), count);
	html_raw(&p->h, "</strong>");
}

static void write_one(struct page *p, const json_t *search)
{
	const char *id = json_text(search, "id"), *name = json_text(search, "name");
	struct wanted w;

	wanted_saved(json_object_get(search, "query"), &w);
	w.plain = true;
	html_put(&p->h,
	    "<li class=\"hit\"><h2><a href=\"/$/saved/$\" dir=\"auto\">$</a></h2><p "
	    "class=\"facts\">",
	    i18n_code(p->language), id, name);
	write_new(p, (uint64_t)json_integer_value(json_object_get(search, "new")));
	html_put(&p->h, " <span dir=\"auto\">$</span> ",
	    w.q                 ? w.q
	    : wanted_narrow(&w) ? ""
				: say(p, SAY_SAVED_EVERYTHING));
	page_time(p, json_text(search, "created"));
	html_raw(&p->h, "</p>");
	search_chosen(p, &w);
	html_put(&p->h, "<form method=\"post\" action=\"/$/saved/$/remove\">",
	    i18n_code(p->language), id);
	page_form_field(p, "unsave");
	html_put(&p->h,
	    "<button class=\"quiet\">$<span class=\"hidden\"> $</span></button></form></li>",
	    say(p, SAY_SAVED_REMOVE), name);
}

static void show_list(struct exchange *x)
{
	const json_t *list = saved_searches_counted(x);
	enum http_language language = HTTP_FI;
	struct page p;
	size_t i, n = json_array_size(list);

	page_language(x, &language);
	page_begin(&p, x, i18n_text(language, SAY_SAVED));
	if (http_query(x, "saved") || http_query(x, "removed"))
		html_put(&p.h, "<p class=\"note\" role=\"status\">$</p>",
		    say(&p, http_query(x, "saved") ? SAY_SAVED_DONE : SAY_SAVED_GONE));
	html_put(&p.h, "<h1>$</h1>", say(&p, SAY_SAVED));
	if (!n)
		html_put(&p.h, "<p>$</p>", say(&p, SAY_SAVED_NONE));
	else
		html_raw(&p.h, "<ul class=\"hits\">");
	for (i = 0; i < json_array_size(list); i++)
		write_one(&p, json_array_get(list, i));
	if (n)
		html_raw(&p.h, "</ul>");
	if (n == SAVED_SEARCHES_PAGE)
		html_put(&p.h, "<p><a href=\"/$/saved?after=$\">$</a></p>", i18n_code(language),
		    json_text(json_array_get(list, n - 1), "id"), say(&p, SAY_SAVED_MORE));
	page_end(&p, 200);
}

void page_saved(struct exchange *x)
{
	const char *after = http_query(x, "after");
	json_t *all, *page = json_array(), *record;
	size_t i;

	if (!visit_of(x) || !visit_stated_ok(x)) {
		json_decref(page);
		return;
	}
	all = saved_searches_own(app_of(x), caller_of(x));
	json_array_foreach(all, i, record)
	{
		if (after && strcmp(json_text(record, "id"), after) <= 0)
			continue;
		if (json_array_size(page) < SAVED_SEARCHES_PAGE)
			json_array_append(page, record);
	}
	json_decref(all);
	saved_searches_count(x, page, show_list);
	json_decref(page);
}

/* ---- one ---- */

struct opened {
	json_t *record;
	uint64_t seen;
};

static void opened_free(void *arg)
{
	struct opened *o = arg;

	json_decref(o->record);
	free(o);
}

static void show_one(struct exchange *x)
{
	struct search_view *s = search_found(x);
	const struct opened *o = s ? s->more : NULL;
	struct ark_error err = {0};
	struct wanted w;

	if (!s)
		return;
	if (saved_search_seen(app_of(x), o->record, s->first->sequence, &err)) {
		http_reply_error(x, &err);
		return;
	}
	wanted_saved(json_object_get(o->record, "query"), &w);
	w.saved = json_text(o->record, "name");
	w.seen = o->seen;
	search_show(x, &w, s);
}

void page_saved_one(struct exchange *x)
{
	struct search_asked asked;
	struct ark_error err = {0};
	struct opened *o;
	struct wanted w;

	if (!visit_of(x) || !visit_stated_ok(x))
		return;
	o = calloc(1, sizeof(*o));
	if (!o) {
		http_reply_problem(x, 503, "out-of-memory", NULL, NULL);
		return;
	}
	o->record = saved_search_own(x);
	if (!o->record) {
		free(o);
		return;
	}
	if (saved_search_mark(app_of(x), o->record, &o->seen, &err)) {
		http_reply_error(x, &err);
		opened_free(o);
		return;
	}
	wanted_saved(json_object_get(o->record, "query"), &w);
	asked = wanted_asked(&w);
	search_begin(x, &asked, o, opened_free, show_one);
}
