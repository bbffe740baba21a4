/* What is due: documents whose time has ended or ends within a year, what stands in the way, and what waits for a second person. */
#include <stdio.h>
#include <string.h>

#include "api/disposition_api.h"
#include "api/pages/administration.h"
#include "api/pages/disposal.h"
#include "arkki/base/clock.h"
#include "arkki/base/json.h"

bool disposal_may(const struct caller *c)
{
	struct access_filter *some = NULL;
	bool may = !caller_filter(c, ACCESS_DISPOSE, &some, NULL) && some->op != ACCESS_OP_NONE;

	access_filter_free(some);
	return may;
}

enum say proposal_said(const char *state)
{
	static const struct {
		const char *state;
		enum say said;
	} words[] = {{"proposed", SAY_DUE_PROPOSED}, {"approved", SAY_DUE_APPROVED},
	    {"packaged", SAY_DUE_PACKAGED}, {"received", SAY_DUE_RECEIVED}};

	for (size_t i = 0; state && i < sizeof(words) / sizeof(*words); i++)
		if (strcmp(words[i].state, state) == 0)
			return words[i].said;
	return SAY_COUNT;
}

static void today_and_next(char today[11], char next[11])
{
	unsigned int year;

	clock_day(today, clock_now_us());
	/* NOLINTNEXTLINE(cert-err34-c): a day of our own */
	if (sscanf(today, "%4u", &year) == 1)
		snprintf(next, 11, "%04u%.6s", (year + 1) % 10000, today + 4);
	/* 29 February of a year that has none counts as a day all the same: days are compared as texts */
}

static enum due_only only_of(const struct exchange *x)
{
	const char *show = http_query(x, "show");

	if (show && strcmp(show, "held") == 0)
		return DUE_HELD;
	return show && strcmp(show, "waiting") == 0 ? DUE_WAITING : DUE_ALL;
}

static void write_ways(struct page *p, enum due_only only)
{
	static const struct {
		const char *query;
		enum say said;
	} ways[] = {[DUE_ALL] = {"", SAY_DUE_ALL},
	    [DUE_HELD] = {"?show=held", SAY_DUE_HELD},
	    [DUE_WAITING] = {"?show=waiting", SAY_DUE_WAITING}};

	html_put(&p->h, "<nav class=\"sub\" aria-label=\"$\"><ul>", say(p, SAY_DUE_SHOW));
	for (int i = DUE_ALL; i <= DUE_WAITING; i++) {
		html_put(&p->h, "<li><a href=\"/$/due$\"", i18n_code(p->language), ways[i].query);
		if (i == (int)only)
			html_raw(&p->h, " aria-current=\"page\"");
		html_put(&p->h, ">$</a></li>", say(p, ways[i].said));
	}
	html_raw(&p->h, "</ul></nav>");
}

/* Why it was held, by whom, until when; who proposed it. */
static void write_standing(struct page *p, const char *document)
{
	struct registry *r = archive_registry(app_of(p->x)->archive);
	json_t *hold = disposition_hold(r, document), *proposal = disposition_proposal(r, document);
	enum say said = proposal_said(json_text(proposal, "state"));

	if (hold) {
		html_put(&p->h, "<p><strong>$</strong> <span dir=\"auto\">$</span>",
		    say(p, SAY_DUE_ON_HOLD), json_text(hold, "reason"));
		if (json_text(hold, "until")) {
			html_put(&p->h, " ($ ", say(p, SAY_DUE_UNTIL));
			page_date(p, json_text(hold, "until"));
			html_raw(&p->h, ")");
		}
		html_raw(&p->h, "</p>");
	}
	if (said != SAY_COUNT) {
		html_put(
		    &p->h, "<p><strong>$</strong> $: ", say(p, said), say(p, SAY_DUE_PROPOSED_BY));
		page_name(p, "users", json_text(proposal, "proposedBy"));
		html_raw(&p->h, ", ");
		page_time(p, json_text(proposal, "proposedAt"));
		html_raw(&p->h, "</p>");
	}
	json_decref(proposal);
	json_decref(hold);
}

static void write_document(struct page *p, const json_t *d)
{
	const char *id = json_text(d, "document"), *title = json_text(d, "title");

	html_put(&p->h,
	    "<li class=\"hit\"><h3><a href=\"/$/documents/$\" dir=\"auto\">$</a></h3><p "
	    "class=\"facts\"><span>",
	    i18n_code(p->language), id, title);
	page_name(p, "types", json_text(d, "type"));
	html_raw(&p->h, "</span> <span>");
	page_units(p, json_object_get(d, "units"));
	html_raw(&p->h, "</span> ");
	page_date(p, json_text(d, "date"));
	html_put(&p->h, "</p><p>$ ", say(p, SAY_DUE_SINCE));
	page_date(p, json_text(d, "since"));
	html_put(&p->h, ", $ $.</p>", say(p, SAY_KEPT_THEN_LOWER),
	    retention_then(p, json_text(d, "then")));
	write_standing(p, id);
	html_put(&p->h,
	    "<p><a href=\"/$/documents/$/disposal\">$<span class=\"hidden\">: "
	    "$</span></a></p></li>",
	    i18n_code(p->language), id, say(p, SAY_DUE_ACT), title);
}

/* Those that are over by today, or those that will be. */
static void write_part(
    struct page *p, const json_t *found, const char *today, bool over, enum say heading)
{
	size_t n = 0;

	html_put(&p->h, "<h2>$</h2>", say(p, heading));
	for (size_t i = 0; i < json_array_size(found); i++) {
		const json_t *d = json_array_get(found, i);

		if ((strcmp(json_text(d, "since"), today) <= 0) != over)
			continue;
		if (!n++)
			html_raw(&p->h, "<ul class=\"hits\">");
		write_document(p, d);
	}
	if (n)
		html_raw(&p->h, "</ul>");
	else
		html_put(&p->h, "<p>$</p>", say(p, SAY_DUE_NONE));
}

static void show_due(struct exchange *x, const json_t *found, const char *next)
{
	static const char *const shows[] = {
	    [DUE_ALL] = NULL, [DUE_HELD] = "held", [DUE_WAITING] = "waiting"};
	enum due_only only = only_of(x);
	struct buf url = BUF_INIT;
	char today[11], year[11];
	struct page p;

	today_and_next(today, year);
	form_page(&p, x, SAY_DUE, NULL);
	write_ways(&p, only);
	html_put(&p.h, "<h1>$</h1><p>$</p>", say(&p, SAY_DUE), say(&p, SAY_DUE_WHAT));
	write_part(&p, found, today, true, SAY_DUE_OVER);
	write_part(&p, found, today, false, SAY_DUE_SOON);
	if (next) {
		buf_addf(&url, "/%s/due", i18n_code(p.language));
		url_add(&url, "show", shows[only]);
		url_add(&url, "cursor", next);
		html_put(&p.h, "<p><a href=\"$\">$</a></p>", url.data, say(&p, SAY_DUE_MORE));
	}
	buf_free(&url);
	page_end(&p, 200);
}

void page_due(struct exchange *x)
{
	char today[11], year[11] = "";

	today_and_next(today, year);
	due_find(x, year, only_of(x), show_due);
}
