/* The editor of synonyms: the record as lines of text, "fi, fi; sv; en # note", and its versions. What was typed comes back
 * with what is wrong with it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/pages/administration.h"
#include "api/synonyms.h"
#include "arkki/base/json.h"

enum { VERSIONS_SHOWN = 20, LANGUAGES = 3 };
static const char *const languages[LANGUAGES] = {"fi", "sv", "en"};

/* ---- entries as lines ---- */

/* What parts terms is no part of one: words are found without their commas. */
static void add_plain(struct buf *out, const char *term)
{
	for (; *term; term++)
		buf_addc(out, strchr(",;#\r\n", *term) ? ' ' : *term);
}

static void add_line(struct buf *out, const json_t *entry)
{
	const char *note = json_text(entry, "note");
	size_t last = 0;

	for (size_t l = 0; l < LANGUAGES; l++)
		if (json_array_size(json_object_get(entry, languages[l])))
			last = l;
	for (size_t l = 0; l <= last; l++) {
		const json_t *terms = json_object_get(entry, languages[l]);

		if (l)
			buf_adds(out, "; ");
		for (size_t i = 0; i < json_array_size(terms); i++) {
			if (i)
				buf_adds(out, ", ");
			add_plain(out, json_string_value(json_array_get(terms, i)));
		}
	}
	if (note) {
		buf_adds(out, " # ");
		add_plain(out, note);
	}
	buf_addc(out, '\n');
}

/* The text without white space around it; NULL: nothing is left. */
static json_t *trimmed(const char *text, size_t len)
{
	while (len && strchr(" \t\r", *text))
		text++, len--;
	while (len && strchr(" \t\r", text[len - 1]))
		len--;
	return len ? json_stringn(text, len) : NULL;
}

static json_t *read_terms(const char *text, size_t len)
{
	json_t *terms = json_array();

	for (size_t at = 0; at <= len;) {
		const char *end = len > at ? memchr(text + at, ',', len - at) : NULL;
		size_t n = end ? (size_t)(end - text) - at : len - at;
		json_t *term = trimmed(text + at, n);

		if (term)
			json_array_append_new(terms, term);
		at += n + 1;
	}
	return terms;
}

static json_t *read_line(const char *line, size_t len)
{
	const char *note = memchr(line, '#', len);
	size_t end = note ? (size_t)(note - line) : len, at = 0;
	json_t *entry = json_object(), *text;

	for (size_t l = 0; l < LANGUAGES && at <= end; l++) {
		/* a fourth part would be lost: it stays in the third, where its term is refused */
		const char *stop =
		    l + 1 < LANGUAGES && end > at ? memchr(line + at, ';', end - at) : NULL;
		size_t n = stop ? (size_t)(stop - line) - at : end - at;
		json_t *terms = read_terms(line + at, n);

		if (json_array_size(terms))
			json_object_set(entry, languages[l], terms);
		json_decref(terms);
		at += n + 1;
	}
	text = note ? trimmed(note + 1, len - end - 1) : NULL;
	if (text)
		json_object_set_new(entry, "note", text);
	return entry;
}

static json_t *read_lines(const char *text)
{
	json_t *entries = json_array();

	while (text && *text) {
		size_t len = strcspn(text, "\n");
		json_t *some = trimmed(text, len);

		if (some)
			json_array_append_new(entries, read_line(text, len));
		json_decref(some);
		text += len + (text[len] == '\n');
	}
	return entries;
}

/* ---- the page ---- */

struct editing {
	uint32_t number;
	const char *text;
	bool shipped;
	enum say wrong; /* SAY_COUNT: nothing */
	const char *detail;
	json_t *versions;
};

static void write_wrong(struct page *p, const struct editing *e)
{
	html_put(&p->h,
	    "<div class=\"errors\" role=\"alert\"><h2>$</h2><ul><li><a href=\"#lines\">$</a>",
	    say(p, SAY_SYNONYMS_WRONG), say(p, e->wrong));
	if (e->detail)
		html_put(&p->h, ": <span lang=\"en\">$</span>", e->detail);
	html_raw(&p->h, "</li></ul></div>");
}

static void write_form(struct page *p, const struct editing *e)
{
	char number[16];

	snprintf(number, sizeof(number), "%u", e->number);
	html_put(&p->h,
	    "<form class=\"stack\" method=\"post\" action=\"/$/admin/synonyms\" novalidate>"
	    "<input type=\"hidden\" name=\"base\" value=\"$\">",
	    i18n_code(p->language), number);
	page_form_field(p, "admin");
	html_put(&p->h,
	    "<div class=\"field\"><label for=\"lines\">$</label><p class=\"hint\" "
	    "id=\"lines-help\">$</p><textarea id=\"lines\" name=\"lines\" rows=\"14\" "
	    "spellcheck=\"false\" aria-describedby=\"lines-help\"",
	    say(p, SAY_SYNONYMS_LINES), say(p, SAY_SYNONYMS_HELP));
	if (e->wrong != SAY_COUNT)
		html_raw(&p->h, " aria-invalid=\"true\"");
	html_put(&p->h, ">\n$</textarea></div>", e->text);
	html_raw(&p->h, "<div class=\"choice\"><input type=\"checkbox\" id=\"shipped\" "
			"name=\"shipped\" value=\"true\"");
	if (e->shipped)
		html_raw(&p->h, " checked");
	html_put(&p->h,
	    "><label for=\"shipped\">$</label></div><div class=\"field\"><label "
	    "for=\"reason\">$</label><input id=\"reason\" name=\"reason\" maxlength=\"1000\" "
	    "autocomplete=\"off\" dir=\"auto\"></div><div><button>$</button></div></form>",
	    say(p, SAY_SYNONYMS_SHIPPED), say(p, SAY_REASON), say(p, SAY_SYNONYMS_SAVE));
}

static void write_version(struct page *p, const json_t *v)
{
	char number[I18N_SIZE], entries[I18N_SIZE];
	uint64_t lines = (uint64_t)json_integer_value(json_object_get(v, "entries"));

	i18n_number(
	    number, p->language, (uint64_t)json_integer_value(json_object_get(v, "version")));
	i18n_number(entries, p->language, lines);
	html_raw(&p->h, "<li><p><strong>");
	page_say(p, SAY_VERSION_N, number);
	html_raw(&p->h, "</strong> ");
	page_time(p, json_text(v, "filedAt"));
	html_raw(&p->h, ", ");
	page_name(p, "users", json_text(v, "filedBy"));
	html_raw(&p->h, ", ");
	page_say(p, i18n_plural(SAY_SYNONYMS_ENTRIES, lines), entries);
	html_put(&p->h, "</p><p class=\"hint\" dir=\"auto\">$</p></li>", json_text(v, "reason"));
}

static void write_page(struct exchange *x, const struct editing *e)
{
	enum http_language language = HTTP_FI;
	size_t n = json_array_size(e->versions);
	struct buf title = BUF_INIT;
	struct page p;

	page_language(x, &language);
	if (e->wrong != SAY_COUNT)
		buf_addf(&title, "%s: ", i18n_text(language, SAY_ERROR));
	buf_adds(&title, i18n_text(language, SAY_SYNONYMS));
	page_begin(&p, x, title.data);
	administration_way(&p, "/admin/synonyms");
	html_raw(&p.h, "<article>");
	if (e->wrong != SAY_COUNT)
		write_wrong(&p, e);
	else if (http_query(x, "saved"))
		html_put(
		    &p.h, "<p class=\"note\" role=\"status\">$</p>", say(&p, SAY_SYNONYMS_SAVED));
	html_put(&p.h, "<h1>$</h1><p>$</p>", say(&p, SAY_SYNONYMS), say(&p, SAY_SYNONYMS_WHAT));
	write_form(&p, e);
	if (n)
		html_put(&p.h, "<h2>$</h2><ol class=\"versions\">", say(&p, SAY_VERSIONS));
	for (size_t i = 0; i < n && i < VERSIONS_SHOWN; i++)
		write_version(&p, json_array_get(e->versions, n - 1 - i));
	if (n)
		html_raw(&p.h, "</ol>");
	html_raw(&p.h, "</article>");
	page_end(&p, e->wrong == SAY_COUNT ? 200 : 422);
	buf_free(&title);
}

/* False: replied. */
static bool permitted(struct exchange *x)
{
	if (!visit_of(x))
		return false;
	if (caller_may(caller_of(x), ACCESS_ADMINISTER))
		return visit_stated_ok(x);
	visit_absent(x, "maintenance");
	return false;
}

void page_synonyms(struct exchange *x)
{
	struct editing e = {.wrong = SAY_COUNT};
	json_t *envelope = NULL;
	const json_t *record;
	struct buf text = BUF_INIT;
	struct ark_error err;
	size_t i;

	if (!permitted(x))
		return;
	if (synonyms_newest(app_of(x), &e.number, &envelope, &e.versions, &err)) {
		http_reply_error(x, &err);
		return;
	}
	record = json_object_get(envelope, "record");
	e.shipped = !json_is_false(json_object_get(record, "shipped"));
	for (i = 0; i < json_array_size(json_object_get(record, "entries")); i++)
		add_line(&text, json_array_get(json_object_get(record, "entries"), i));
	e.text = text.data;
	if (buf_failed(&text))
		http_reply_problem(x, 503, "out-of-memory", NULL, NULL);
	else
		write_page(x, &e);
	buf_free(&text);
	json_decref(envelope);
	json_decref(e.versions);
}

/* ---- saving ---- */

static void show_wrong(struct exchange *x, enum say wrong, const char *detail)
{
	const char *base = http_form(x, "base");
	struct editing e = {
	    .number = base ? (uint32_t)strtoul(base, NULL, 10) : 0,
	    .text = http_form(x, "lines"),
	    .shipped = http_form(x, "shipped") != NULL,
	    .wrong = wrong,
	    .detail = detail,
	};

	write_page(x, &e);
}

static void saved(struct exchange *x, int status, const struct ark_error *err)
{
	enum http_language language = HTTP_FI;

	if (status == ARK_ECONFLICT) {
		show_wrong(x, SAY_SYNONYMS_CHANGED, NULL);
	} else if (status) {
		http_reply_error(x, err);
	} else {
		page_language(x, &language);
		http_reply_headerf(
		    x, "Location", "/%s/admin/synonyms?saved=1", i18n_code(language));
		http_reply_empty(x, 303);
	}
}

void page_synonyms_post(struct exchange *x)
{
	const char *base = http_form(x, "base"), *reason = http_form(x, "reason");
	struct ark_error err;
	json_t *body;
	int rc;

	if (!permitted(x))
		return;
	if (!page_form_sent(x, "admin")) {
		show_wrong(x, SAY_FORM_OLD, NULL);
		return;
	}
	body = json_pack("{s:o,s:b,s:s*}", "entries", read_lines(http_form(x, "lines")), "shipped",
	    http_form(x, "shipped") != NULL, "reason", reason && *reason ? reason : NULL);
	rc = body ? synonyms_change(
			x, body, base ? (uint32_t)strtoul(base, NULL, 10) : 0, saved, &err)
		  : ark_fail(&err, ARK_ENOMEM, "no memory for the synonyms");
	if (rc == ARK_EINPUT)
		show_wrong(x, SAY_SYNONYMS_FAULT, err.text);
	else if (rc)
		http_reply_error(x, &err);
	json_decref(body);
}
