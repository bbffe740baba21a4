/* Orders that the caller may see: the overdue first. */
#include "api/pages/cases.h"

#include <stdlib.h>
#include <string.h>

#include "arkki/base/json.h"

enum { SHOWN = 20 };

struct filter {
	const char *state, *county, *author, *from, *to; /* as asked for; NULL or "": any */
	char due_from[11], due_to[11];                   /* "": none */
	size_t page, all, late;
	bool more;
	struct faults faults;
};

static const struct {
	const char *code;
	enum say said;
} states[] = {
    {"overdue", SAY_ORDERS_OVERDUE_ONLY},
    {"met", SAY_ORDERS_MET_ONLY},
    {"lapsed", SAY_ORDERS_LAPSED_ONLY},
    {"all", SAY_CASES_ANY},
};

static const char *given(const struct exchange *x, const char *name)
{
	const char *value = http_query(x, name);

	return value && *value ? value : NULL;
}

static void read_day(
    struct exchange *x, const char *name, const char *typed, char out[11], struct faults *f)
{
	out[0] = '\0';
	if (typed && !i18n_date_read(typed, out))
		fault_add(f, name, form_said(x, SAY_ORDER_DAY_WRONG));
}

static void read_filter(struct exchange *x, struct filter *f)
{
	*f = (struct filter){.state = given(x, "state"),
	    .county = given(x, "county"),
	    .author = given(x, "author"),
	    .from = given(x, "from"),
	    .to = given(x, "to"),
	    .page = page_number(x)};
	read_day(x, "from", f->from, f->due_from, &f->faults);
	read_day(x, "to", f->to, f->due_to, &f->faults);
}

/* ---- what is shown ---- */

static void choose_county(struct page *p, const char *chosen)
{
	json_t *units = registry_all(archive_registry(app_of(p->x)->archive), "units");
	json_t *seen = json_object(), *unit;
	size_t i;

	choice_begin(p, "county", SAY_ORDERS_COUNTY, SAY_COUNT, SAY_CASES_ANY);
	json_array_foreach(units, i, unit)
	{
		const char *code = json_text(unit, "county");
		struct buf name = BUF_INIT;

		if (!code || json_object_get(seen, code))
			continue;
		json_object_set_new(seen, code, json_true());
		county_add(p, &name, code);
		choice_add(p, code, name.data, chosen);
		buf_free(&name);
	}
	choice_end(p);
	json_decref(seen);
	json_decref(units);
}

static void write_form(struct page *p, const struct filter *f)
{
	struct form_input from = {.name = "from",
	    .label = SAY_ORDERS_DUE_FROM,
	    .help = SAY_COUNT,
	    .autocomplete = "off",
	    .value = f->from,
	    .maxlength = "10"};
	struct form_input to = from;

	to.name = "to";
	to.label = SAY_ORDERS_DUE_TO;
	to.value = f->to;
	html_put(&p->h,
	    "<form class=\"search\" role=\"search\" aria-label=\"$\" action=\"/$/orders\" "
	    "novalidate><div class=\"fields\">",
	    say(p, SAY_ORDERS_FILTER), i18n_code(p->language));
	choice_begin(p, "state", SAY_ORDER_STATE, SAY_COUNT, SAY_ORDERS_OPEN_ALL);
	for (size_t i = 0; i < sizeof(states) / sizeof(*states); i++)
		choice_add(p, states[i].code, say(p, states[i].said), f->state);
	choice_end(p);
	choose_county(p, f->county);
	choice_begin(p, "author", SAY_ORGANISATION, SAY_COUNT, SAY_CASES_ANY);
	choice_records(p, "orgs", f->author);
	choice_end(p);
	form_input(p, &from, &f->faults);
	form_input(p, &to, &f->faults);
	html_put(&p->h, "<div><button>$</button></div></div></form>", say(p, SAY_CASES_SHOW));
}

static void write_counts(struct page *p, const struct filter *f)
{
	char n[I18N_SIZE];

	i18n_number(n, p->language, f->all);
	html_raw(&p->h, "<div class=\"over\"><h2>");
	page_say(p, i18n_plural(SAY_ORDERS_COUNT, f->all), n);
	if (f->late) {
		i18n_number(n, p->language, f->late);
		html_raw(&p->h, ", ");
		page_say(p, i18n_plural(SAY_ORDERS_LATE, f->late), n);
	}
	html_raw(&p->h, "</h2></div>");
}

static void base_url(const struct page *p, const struct filter *f, struct buf *url)
{
	buf_addf(url, "/%s/orders", i18n_code(p->language));
	url_add(url, "state", f->state);
	url_add(url, "county", f->county);
	url_add(url, "author", f->author);
	url_add(url, "from", f->from);
	url_add(url, "to", f->to);
}

static void show(struct exchange *x, const struct orders_page *page)
{
	const struct filter *f = page->own;
	struct buf url = BUF_INIT;
	struct ark_error err;
	json_t *order;
	struct page p;
	size_t i;
	int rc = ARK_OK;

	form_page(&p, x, SAY_ORDERS, &f->faults);
	form_summary(&p, SAY_ORDERS_NONE, &f->faults);
	html_put(&p.h, "<h1>$</h1>", say(&p, SAY_ORDERS));
	write_form(&p, f);
	write_counts(&p, f);
	if (!json_array_size(page->orders))
		html_put(&p.h, "<p>$</p>", say(&p, SAY_ORDERS_NONE));
	else
		html_raw(&p.h, "<ol class=\"hits\">");
	json_array_foreach(page->orders, i, order)
	{
		if (!rc)
			rc = order_item(&p, page, order, &err);
	}
	if (json_array_size(page->orders))
		html_raw(&p.h, "</ol>");
	base_url(&p, f, &url);
	pages_turn(&p, &url, f->page, f->more);
	buf_free(&url);
	if (rc) {
		buf_wipe_free(&p.h.out);
		http_reply_error(x, &err);
	} else {
		page_end(&p, f->faults.n ? 422 : 200);
	}
}

/* ---- what there is ---- */

/* How many there are, and those that stand on the page. */
static bool pick(void *arg, const json_t *order, enum order_step step, bool late, bool *go_on)
{
	struct filter *f = arg;
	size_t first = (f->page - 1) * SHOWN, place;

	(void)order;
	(void)go_on;
	if (step == ORDER_PASS)
		return true;
	place = f->all++;
	f->late += late;
	return place >= first && place < first + SHOWN;
}

void page_orders(struct exchange *x)
{
	struct filter *f;
	struct orders_asked asked = {0};
	json_t *page = NULL;
	struct ark_error err = {0};
	int rc;

	if (!visit_of(x) || !visit_stated_ok(x))
		return;
	f = calloc(1, sizeof(*f));
	if (!f) {
		http_reply_problem(x, 503, "out-of-memory", NULL, NULL);
		return;
	}
	read_filter(x, f);
	asked.state = !f->state ? "open" : strcmp(f->state, "all") == 0 ? NULL : f->state;
	asked.county = f->county;
	asked.author = f->author;
	asked.due_from = f->due_from[0] ? f->due_from : NULL;
	asked.due_to = f->due_to[0] ? f->due_to : NULL;
	asked.late_first = true;
	rc = orders_pick(x, &asked, pick, f, &page, &err);
	f->more = f->all > f->page * SHOWN;
	if (!rc) {
		orders_show(x, page, NULL, NULL, show, f, free);
		return;
	}
	free(f);
	http_reply_error(x, &err);
}
