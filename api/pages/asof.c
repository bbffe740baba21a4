/* A document as it was on a day: the form, the way to the version, and what its page says of it. */
#include <stdio.h>
#include <string.h>

#include "api/memento.h"
#include "api/pages/past.h"
#include "arkki/base/clock.h"

/* The newest version at the end of the day, in Finland; before there was any, the first and *ret_before. */
static const struct catalogue_row *row_on(
    const struct listing *l, const char day[11], bool *ret_before)
{
	const struct catalogue_row *then = NULL;
	char filed[11];

	for (size_t i = 0; i < l->n; i++) {
		clock_day(filed, memento_time(&l->rows[i]));
		if (strcmp(filed, day) <= 0)
			then = &l->rows[i];
	}
	*ret_before = !then;
	return then ? then : memento_at(l, INT64_MIN);
}

void past_banner(struct page *p, const struct catalogue_row *row, const struct listing *versions)
{
	const char *at = http_query(p->x, "at");
	const struct catalogue_row *then;
	char day[11], said[I18N_SIZE], n[16];
	bool before;

	if (!at || !i18n_date_read(at, day))
		return;
	then = row_on(versions, day, &before);
	if (!then || then->version != row->version)
		return;
	i18n_date(said, day);
	snprintf(n, sizeof(n), "%u", row->version);
	html_raw(&p->h, "<p class=\"note\" role=\"note\">");
	if (before)
		page_say(p, SAY_ASOF_BEFORE, said);
	else
		page_say(p, SAY_ASOF_BANNER, said, n);
	html_raw(&p->h, "</p>");
}

void past_day(struct page *p, const char *document, const char *typed, const struct faults *f)
{
	const struct form_input in = {.name = "at",
	    .label = SAY_ASOF_DATE,
	    .help = SAY_ASOF_HELP,
	    .autocomplete = "off",
	    .value = typed,
	    .maxlength = "20"};

	html_put(&p->h,
	    "<section aria-labelledby=\"asof\"><h2 id=\"asof\">$</h2><form class=\"stack\" "
	    "action=\"/$/documents/$\">",
	    say(p, SAY_ASOF), i18n_code(p->language), document);
	form_input(p, &in, f);
	html_put(&p->h, "<div><button>$</button></div></form></section>", say(p, SAY_ASOF_SHOW));
}

static void lead_on(struct exchange *x)
{
	const struct listing *l = visit_of(x)->more;
	const char *at = http_query(x, "at");
	enum http_language language = HTTP_FI;
	struct buf url = BUF_INIT;
	char day[11];
	bool before;

	page_language(x, &language);
	buf_addf(&url, "/%s/documents/%s", i18n_code(language), http_param(x, 0));
	if (i18n_date_read(at, day))
		buf_addf(&url, "/versions/%u", row_on(l, day, &before)->version);
	else
		buf_adds(&url, "/history");
	/* an empty field is a day that was not written, too */
	url_add(&url, "at", *at ? at : "?");
	http_reply_header(x, "Location", url.data);
	http_reply_empty(x, 303);
	buf_free(&url);
}

void page_as_of(struct exchange *x)
{
	struct listing *l = listing_found(x);
	struct visit *v = visit_of(x);
	struct ledger_record r;

	if (!l)
		return;
	if (!l->n) {
		visit_not_found(x, "list", http_param(x, 0), 0);
		return;
	}
	r = visit_record(v, "list");
	r.version = 0;
	visit_log(x, &r, 1, lead_on);
}
