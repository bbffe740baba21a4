/* The page of administrators: how far index and OCR are, and texts that are missing, to be tried again. What it shows of
 * documents is what this administrator may see of them; reasons are counted over all. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/documents.h"
#include "api/handlers.h"
#include "api/indexer.h"
#include "api/pages/administration.h"
#include "api/text_reason.h"
#include "arkki/base/json.h"

enum { TEXTS_A_PAGE = 20 };

/* False: replied. */
static bool permitted(struct exchange *x)
{
	if (!visit_of(x))
		return false;
	if (caller_may(caller_of(x), ACCESS_ADMINISTER))
		return true;
	visit_absent(x, "maintenance");
	return false;
}

/* ---- the state of things ---- */

static void write_index(struct page *p, const json_t *status)
{
	uint64_t behind = (uint64_t)json_integer_value(
	    json_object_get(json_object_get(status, "indexing"), "behind"));
	char count[I18N_SIZE];

	i18n_number(count, p->language, behind);
	html_put(&p->h, "<h2>$</h2><p>", say(p, SAY_ADMIN_INDEX));
	if (behind)
		page_say(p, i18n_plural(SAY_ADMIN_BEHIND, behind), count);
	else
		html_text(&p->h, say(p, SAY_ADMIN_INDEXED));
	html_raw(&p->h, "</p>");
}

static enum say ocr_said(const char *state)
{
	static const struct {
		const char *state;
		enum say said;
	} states[] = {
	    {"reading", SAY_OCR_READING},
	    {"waiting", SAY_OCR_WAITING},
	    {"paused", SAY_OCR_PAUSED},
	    {"unavailable", SAY_OCR_UNAVAILABLE},
	};

	for (size_t i = 0; state && i < sizeof(states) / sizeof(*states); i++)
		if (strcmp(states[i].state, state) == 0)
			return states[i].said;
	return SAY_OCR_IDLE;
}

static void write_ocr(struct page *p, const json_t *ocr)
{
	bool paused = json_is_true(json_object_get(ocr, "paused"));
	const char *why = json_text(ocr, "reason");
	char done[I18N_SIZE], of[I18N_SIZE];

	i18n_number(
	    done, p->language, (uint64_t)json_integer_value(json_object_get(ocr, "pagesDone")));
	i18n_number(of, p->language, (uint64_t)json_integer_value(json_object_get(ocr, "pages")));
	html_put(&p->h, "<h2>$</h2><p>", say(p, SAY_ADMIN_OCR));
	page_say(p, ocr_said(json_text(ocr, "state")), done, of);
	if (why) {
		html_raw(&p->h, " ");
		page_reason(p, why);
	}
	html_put(&p->h,
	    "</p><form method=\"post\" action=\"/$/admin/ocr\"><input type=\"hidden\" "
	    "name=\"action\" value=\"$\">",
	    i18n_code(p->language), paused ? "resume" : "pause");
	page_form_field(p, "admin");
	html_put(&p->h, "<button class=\"quiet\">$</button></form>",
	    say(p, paused ? SAY_OCR_RESUME : SAY_OCR_PAUSE));
}

/* ---- texts that are missing ---- */

static void write_retry(
    struct page *p, const char *name, const char *value, const char *version, const char *about)
{
	html_put(&p->h,
	    "<form method=\"post\" action=\"/$/admin/retry\"><input type=\"hidden\" name=\"$\" "
	    "value=\"$\">",
	    i18n_code(p->language), name, value);
	if (version)
		html_put(&p->h, "<input type=\"hidden\" name=\"version\" value=\"$\">", version);
	page_form_field(p, "admin");
	html_put(&p->h,
	    "<button class=\"quiet\">$<span class=\"hidden\">: $</span></button></form>",
	    say(p, SAY_TEXTS_RETRY), about);
}

static void write_reasons(struct page *p, const json_t *reasons)
{
	char count[I18N_SIZE], said[TEXT_REASON_SIZE];
	json_t *one;
	size_t i;

	html_put(&p->h,
	    "<table><thead><tr><th scope=\"col\">$</th><th scope=\"col\">$</th><th "
	    "scope=\"col\">$</th></tr></thead><tbody>",
	    say(p, SAY_TEXTS_REASON), say(p, SAY_TEXTS_COUNT), say(p, SAY_TEXTS_ACT));
	json_array_foreach((json_t *)(uintptr_t)reasons, i, one)
	{
		const char *reason = json_text(one, "reason");

		if (!reason || !*reason || strcmp(json_text(one, "state"), "none") != 0)
			continue;
		i18n_number(count, p->language,
		    (uint64_t)json_integer_value(json_object_get(one, "count")));
		html_raw(&p->h, "<tr><td>");
		page_reason(p, reason);
		html_put(&p->h, "</td><td>$</td><td>", count);
		text_reason_say(p->language, reason, said);
		write_retry(p, "reason", reason, NULL, said);
		html_raw(&p->h, "</td></tr>");
	}
	html_raw(&p->h, "</tbody></table>");
}

static void write_text(struct page *p, const json_t *text)
{
	const char *document = json_text(text, "document"), *title = json_text(text, "title"),
		   *reason = json_text(json_object_get(text, "text"), "reason");
	char version[16];

	snprintf(version, sizeof(version), "%d",
	    (int)json_integer_value(json_object_get(text, "version")));
	html_put(&p->h,
	    "<li class=\"hit\"><h3><a href=\"/$/documents/$/versions/$\" dir=\"auto\">$</a></h3>"
	    "<p class=\"facts\"><span>",
	    i18n_code(p->language), document, version, title);
	page_units(p, json_object_get(text, "units"));
	html_raw(&p->h, "</span> ");
	page_date(p, json_text(text, "date"));
	html_raw(&p->h, "</p><p>");
	page_reason(p, reason);
	html_raw(&p->h, "</p>");
	write_retry(p, "document", document, version, title);
	html_raw(&p->h, "</li>");
}

static void write_texts(
    struct page *p, const json_t *status, const json_t *list, const struct buf *next)
{
	const json_t *texts = json_object_get(status, "texts");
	size_t i;

	html_put(&p->h, "<h2>$</h2>", say(p, SAY_TEXTS_MISSING));
	if (!json_integer_value(json_object_get(texts, "none"))) {
		html_put(&p->h, "<p>$</p>", say(p, SAY_TEXTS_ALL_THERE));
		return;
	}
	html_put(&p->h, "<p>$</p>", say(p, SAY_TEXTS_SEEN));
	write_reasons(p, json_object_get(texts, "reasons"));
	if (!json_array_size(list))
		return;
	html_raw(&p->h, "<ul class=\"hits\">");
	for (i = 0; i < json_array_size(list); i++)
		write_text(p, json_array_get(list, i));
	html_raw(&p->h, "</ul>");
	if (next->len)
		html_put(&p->h, "<p><a href=\"/$/admin?cursor=$\">$</a></p>",
		    i18n_code(p->language), next->data, say(p, SAY_NEXT));
}

static void write_page(
    struct exchange *x, const json_t *status, const json_t *list, const struct buf *next)
{
	const char *queued = http_query(x, "queued");
	enum http_language language = HTTP_FI;
	struct page p;

	page_language(x, &language);
	page_begin(&p, x, i18n_text(language, SAY_ADMIN));
	administration_way(&p, "/admin");
	if (queued && *queued && strlen(queued) < 10 &&
	    strspn(queued, "0123456789") == strlen(queued)) {
		html_raw(&p.h, "<p class=\"note\" role=\"status\">");
		page_say(
		    &p, strcmp(queued, "1") ? SAY_TEXTS_QUEUED_MANY : SAY_TEXTS_QUEUED, queued);
		html_raw(&p.h, "</p>");
	}
	html_put(&p.h, "<h1>$</h1>", say(&p, SAY_ADMIN));
	write_index(&p, status);
	write_ocr(&p, json_object_get(status, "ocr"));
	html_put(&p.h, "<h2>$</h2><p><a href=\"/$/admin/synonyms\">$</a></p>",
	    say(&p, SAY_SYNONYMS), i18n_code(p.language), say(&p, SAY_SYNONYMS_EDIT));
	write_texts(&p, status, list, next);
	page_end(&p, 200);
}

static void show_admin(struct exchange *x)
{
	struct app *app = app_of(x);
	json_t *list = json_array(), *status = NULL;
	struct buf next = BUF_INIT;
	struct ark_error err;
	int rc = texts_gather(x, TEXTS_A_PAGE, list, &next, &err);

	if (!rc)
		rc = indexer_status(app->archive, app->indexer, &status, &err);
	if (rc)
		http_reply_error(x, &err);
	else
		write_page(x, status, list, &next);
	json_decref(status);
	json_decref(list);
	buf_free(&next);
}

void page_admin(struct exchange *x)
{
	struct catalogue_list list = {.text_state = "none"};

	if (permitted(x))
		listing_show(x, &list, show_admin);
}

/* ---- acts ---- */

/* False: replied. */
static bool form_ok(struct exchange *x)
{
	if (!permitted(x))
		return false;
	if (page_form_sent(x, "admin"))
		return visit_stated_ok(x);
	http_reply_problem(x, 403, "form", NULL, NULL);
	return false;
}

static void go_back(struct exchange *x, uint64_t queued)
{
	enum http_language language = HTTP_FI;

	page_language(x, &language);
	http_reply_headerf(x, "Location", "/%s/admin?queued=%llu", i18n_code(language),
	    (unsigned long long)queued);
	http_reply_empty(x, 303);
}

void page_admin_retry(struct exchange *x)
{
	const char *document = http_form(x, "document"), *version = http_form(x, "version"),
		   *reason = http_form(x, "reason");
	json_t *body;

	if (!form_ok(x))
		return;
	body = json_pack("{s:s*,s:s*}", "document", document, "reason", reason);
	if (body && document && version && strlen(version) < 7)
		json_object_set_new(
		    body, "version", json_integer((json_int_t)strtoul(version, NULL, 10)));
	texts_retry_asked(x, body, go_back);
	json_decref(body);
}

void page_admin_ocr(struct exchange *x)
{
	const char *action = http_form(x, "action");
	bool pause = action && strcmp(action, "pause") == 0;
	enum http_language language = HTTP_FI;
	struct ark_error err;

	if (!form_ok(x))
		return;
	if (!pause && (!action || strcmp(action, "resume") != 0)) {
		http_reply_problem(x, 400, "bad-query", "action is pause or resume.", NULL);
	} else if (texts_ocr_pause(x, pause, &err)) {
		http_reply_error(x, &err);
	} else {
		page_language(x, &language);
		http_reply_headerf(x, "Location", "/%s/admin", i18n_code(language));
		http_reply_empty(x, 303);
	}
}
