/* Opening what needs a purpose: the reader states it and a case in a form, for
 * one request. Neither ever stands in an address: addresses are kept by
 * browsers and proxies. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "api/handlers.h"
#include "api/pages/document.h"
#include "api/purpose_kept.h"
#include "arkki/base/json.h"
#include "arkki/base/text.h"

enum { NUMBER_MAX = 200 };

/* ---- reading the form ---- */

static bool form_ok(struct exchange *x)
{
	const char *given = http_form(x, "form");
	char form[33];

	page_form_token(app_of(x), "open", caller_of(x)->token_id, form);
	return page_same_origin(x) && given && strlen(given) == 32 && bytes_equal(given, form, 32);
}

/* A field without the white space around it; NULL when nothing is left. The caller frees it. */
static char *field_of(struct exchange *x, const char *name)
{
	const char *text = http_form(x, name);
	size_t len;

	if (!text)
		return NULL;
	text += strspn(text, " \t\r\n");
	len = strlen(text);
	while (len && strchr(" \t\r\n", text[len - 1]))
		len--;
	return len ? strndup(text, len) : NULL;
}

struct numbered {
	const char *number;
	json_t *found; /* the records, by id */
};

static void match_number(void *arg, const json_t *record)
{
	struct numbered *n = arg;
	const char *number = json_text(record, "diaryNumber"), *id = json_text(record, "id");

	if (number && id && strcasecmp(number, n->number) == 0)
		(void)json_object_set_new(n->found, id, json_deep_copy(record));
}

/* A case of another's that the caller does not see is no case here: else the form would tell that there is one. */
static bool take_case(struct exchange *x, const json_t *record, char id[65])
{
	const char *its = json_text(record, "id");

	if (!its || strlen(its) > 64 || !case_is_visible(x, record))
		return false;
	snprintf(id, 65, "%s", its);
	return true;
}

/* By id or diary number, of those that the caller sees; false when there is no such case. */
static bool case_of(struct exchange *x, const char *number, char id[65])
{
	struct registry *registry = archive_registry(app_of(x)->archive);
	struct numbered n = {.number = number, .found = json_object()};
	json_t *record = registry_get(registry, "cases", number), *one;
	char other[65];
	const char *key;
	bool there = record && take_case(x, record, id);

	if (!there && n.found)
		registry_each(registry, "cases", match_number, &n);
	json_object_foreach(n.found, key, one)
	{
		/* of two with one number the same one always */
		if (take_case(x, one, other) && (!id[0] || strcmp(other, id) < 0))
			snprintf(id, 65, "%s", other);
	}
	json_decref(n.found);
	json_decref(record);
	return id[0] != '\0';
}

int purpose_read(struct exchange *x, struct stated *ret, struct ark_error *err)
{
	struct registry *registry = archive_registry(app_of(x)->archive);
	char *purpose = NULL, *number = NULL, id[65] = "";
	int rc;

	*ret = (struct stated){.sent = true,
	    .purpose = http_form(x, "purpose"),
	    .number = http_form(x, "case"),
	    .form_wrong = SAY_COUNT,
	    .purpose_wrong = SAY_COUNT,
	    .case_wrong = SAY_COUNT};
	if (!form_ok(x)) {
		ret->form_wrong = SAY_FORM_OLD;
		return ARK_OK;
	}
	purpose = field_of(x, "purpose");
	number = field_of(x, "case");
	if (!purpose || utf8_blank(purpose) ||
	    utf8_length(purpose, strlen(purpose)) > PURPOSE_CHARS)
		ret->purpose_wrong = SAY_PURPOSE_WRONG;
	if (!number)
		ret->case_wrong = SAY_CASE_MISSING;
	else if (strlen(number) > NUMBER_MAX || !case_of(x, number, id))
		ret->case_wrong = SAY_CASE_WRONG;
	rc = caller_restate(caller_of(x), registry,
	    ret->purpose_wrong == SAY_COUNT ? purpose : NULL, id[0] ? id : NULL, err);
	free(purpose);
	free(number);
	return rc;
}

bool purpose_wrong(const struct stated *s)
{
	return s->sent && (s->form_wrong != SAY_COUNT || s->purpose_wrong != SAY_COUNT ||
			      s->case_wrong != SAY_COUNT);
}

void page_file_open(struct exchange *x)
{
	struct stated s;
	struct ark_error err;

	if (purpose_read(x, &s, &err))
		http_reply_error(x, &err);
	else if (s.form_wrong != SAY_COUNT)
		http_reply_problem(x, 403, "form", NULL, NULL);
	else
		content_get(x);
}

/* ---- writing it ---- */

static void write_error(struct page *p, enum say what, const char *field)
{
	if (what != SAY_COUNT)
		html_put(&p->h, "<li><a href=\"#$\">$</a></li>", field, say(p, what));
}

void purpose_errors(struct page *p, const struct stated *s, enum say failed)
{
	html_put(&p->h, "<div class=\"errors\" role=\"alert\"><h2>$</h2><ul>", say(p, failed));
	write_error(p, s->form_wrong, "purpose");
	write_error(p, s->purpose_wrong, "purpose");
	write_error(p, s->case_wrong, "case");
	html_raw(&p->h, "</ul></div>");
}

static void write_field(struct page *p, const char *name, enum say label, enum say help,
    enum say wrong, const char *value)
{
	html_put(&p->h,
	    "<div class=\"field\"><label for=\"$\">$</label><p class=\"hint\" id=\"$-help\">$</p>",
	    name, say(p, label), name, say(p, help));
	if (wrong != SAY_COUNT)
		html_put(&p->h,
		    "<p class=\"wrong\" id=\"$-wrong\"><span class=\"hidden\">$: </span>$</p>",
		    name, say(p, SAY_ERROR), say(p, wrong));
	html_put(&p->h,
	    "<input id=\"$\" name=\"$\" value=\"$\" dir=\"auto\" autocomplete=\"off\" "
	    "required maxlength=\"500\" ",
	    name, name, value);
	if (wrong != SAY_COUNT)
		html_put(&p->h, "aria-invalid=\"true\" aria-describedby=\"$-wrong $-help\">", name,
		    name);
	else
		html_put(&p->h, "aria-describedby=\"$-help\">", name);
	html_raw(&p->h, "</div>");
}

void purpose_fields(struct page *p, const struct stated *s, const char *number)
{
	page_form_field(p, "open");
	write_field(p, "purpose", SAY_PURPOSE, SAY_PURPOSE_HELP,
	    s->sent ? s->purpose_wrong : SAY_COUNT, s->sent ? s->purpose : NULL);
	write_field(p, "case", SAY_DIARY, SAY_CASE_HELP, s->sent ? s->case_wrong : SAY_COUNT,
	    s->sent ? s->number : number);
}

void purpose_ask(struct page *p, const struct stated *s, const char *action, const char *number)
{
	/* novalidate: the answer says in the reader's language what is wrong, and where */
	html_put(&p->h, "<form class=\"stack\" method=\"post\" action=\"$\" novalidate>", action);
	purpose_fields(p, s, number);
	html_put(&p->h, "<div><button>$</button></div></form>", say(p, SAY_OPEN_CONTENT));
}

static void write_form(struct page *p, const struct document_view *d, const char *number)
{
	struct buf url = BUF_INIT;

	document_path(p, &d->v->row, d->asked, "", &url);
	url_add(&url, "q", document_query(p));
	purpose_ask(p, &d->stated, url.data, number);
	buf_free(&url);
}

void purpose_form(struct page *p, const struct document_view *d, const struct card *card)
{
	const char *case_id = json_text(card->fields, "case");
	json_t *record = registry_get(archive_registry(app_of(p->x)->archive), "cases", case_id);
	const char *number = json_text(record, "diaryNumber");

	html_put(&p->h,
	    "<section class=\"closed\" aria-labelledby=\"closed\"><h2 id=\"closed\">$</h2><p>$</p>",
	    say(p, SAY_CLOSED), say(p, d->needs_purpose ? SAY_CLOSED_WHY : SAY_CLOSED_NEVER));
	if (d->needs_purpose)
		write_form(p, d, number ? number : case_id);
	html_raw(&p->h, "</section>");
	json_decref(record);
}

void purpose_hidden(struct page *p, const struct stated *s)
{
	page_form_field(p, "open");
	html_put(&p->h,
	    "<input type=\"hidden\" name=\"purpose\" value=\"$\"><input type=\"hidden\" "
	    "name=\"case\" value=\"$\">",
	    s->purpose, s->number);
}

void purpose_note(struct page *p, const struct stated *s)
{
	html_raw(&p->h, "<p class=\"note\" role=\"status\" dir=\"auto\">");
	page_say(p, SAY_OPENED, s->purpose, s->number);
	html_raw(&p->h, "</p>");
}
