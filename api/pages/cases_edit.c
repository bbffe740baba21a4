/* The state of a case, as its keepers set it. What is changed is compared with what was read: of two who change a case at once, the
 * second is told what it has become, and asked again. */
#include "api/pages/cases.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/handlers.h"
#include "api/registers.h"
#include "arkki/archive/records.h"
#include "arkki/base/json.h"

static const char *const states[] = {"opened", "heard", "decided", "follow-up", "closed"};
enum { STATES = sizeof(states) / sizeof(*states) };

const char *case_state(const json_t *record)
{
	const char *state = json_text(record, "state");

	return state ? state : json_text(record, "closed") ? "closed" : "";
}

static enum say state_said(const char *state)
{
	json_t *one = json_pack("{s:s}", "state", state);
	enum say said = case_state_said(one);

	json_decref(one);
	return said;
}

static void write_state(struct page *p, const char *state, const char *chosen)
{
	html_put(&p->h,
	    "<div class=\"choice\"><input type=\"radio\" id=\"state-$\" name=\"state\" value=\"$\"",
	    state, state);
	if (strcmp(chosen, state) == 0)
		html_raw(&p->h, " checked");
	html_put(
	    &p->h, "><label for=\"state-$\">$</label></div>", state, say(p, state_said(state)));
}

int case_form(
    struct page *p, const json_t *record, const struct case_typed *t, struct ark_error *err)
{
	const struct form_input closed = {.name = "closed",
	    .label = SAY_CASE_CLOSED_DAY,
	    .help = SAY_CASE_CLOSED_HELP,
	    .autocomplete = "off",
	    .value = t->closed,
	    .maxlength = "10"};
	char base[16];
	uint32_t number = 0;
	int rc;

	if (!case_may_keep(p->x, record))
		return ARK_OK;
	rc = records_number(app_of(p->x)->archive, "cases", json_text(record, "id"), &number, err);
	if (rc)
		return rc;
	snprintf(base, sizeof(base), "%u", number);
	html_put(&p->h,
	    "<section class=\"narrow\" aria-labelledby=\"edit\"><h2 id=\"edit\">$</h2><form "
	    "class=\"stack\" method=\"post\" action=\"/$/cases/$\" novalidate><input "
	    "type=\"hidden\" name=\"base\" value=\"$\">",
	    say(p, SAY_CASE_EDIT), i18n_code(p->language), json_text(record, "id"), base);
	page_form_field(p, "case");
	html_put(&p->h, "<fieldset><legend>$</legend>", say(p, SAY_CASES_STATE));
	for (size_t i = 0; i < STATES; i++)
		write_state(p, states[i], t->state[0] ? t->state : case_state(record));
	html_raw(&p->h, "</fieldset>");
	form_input(p, &closed, &t->faults);
	html_put(&p->h, "<div><button>$</button></div></form></section>", say(p, SAY_CASE_SAVE));
	return ARK_OK;
}

/* ---- a change that was sent ---- */

static void read_typed(struct exchange *x, struct case_typed *t)
{
	char day[11];
	bool known = false;

	form_text(x, "state", t->state, sizeof(t->state));
	form_text(x, "closed", t->closed, sizeof(t->closed));
	for (size_t i = 0; i < STATES; i++)
		known |= strcmp(t->state, states[i]) == 0;
	if (!known) {
		t->state[0] = '\0';
		fault_add(&t->faults, "state-opened", form_said(x, SAY_CASE_STATE_MISSING));
	}
	if (t->closed[0] && !i18n_date_read(t->closed, day))
		fault_add(&t->faults, "closed", form_said(x, SAY_ORDER_DAY_WRONG));
	else if (t->closed[0] && known && strcmp(t->state, "closed") != 0)
		fault_add(&t->faults, "closed", form_said(x, SAY_CASE_CLOSED_WRONG));
}

static json_t *body_of(const struct case_typed *t)
{
	char day[11] = "";

	if (t->closed[0] && !i18n_date_read(t->closed, day))
		return NULL;
	return json_pack("{s:s,s:s*}", "state", t->state, "closed", day[0] ? day : NULL);
}

static bool ends_before_it_began(const json_t *record)
{
	const char *opened = json_text(record, "opened"), *closed = json_text(record, "closed");

	return opened && closed && strcmp(closed, opened) < 0;
}

/* 1: filed; 0: asked again, for a fault or because somebody was before; -1: replied. Under the lock. */
static int file(struct exchange *x, const json_t *stands, struct case_typed *t)
{
	const char *base = http_form(x, "base");
	json_t *body = NULL, *record = NULL;
	struct ark_error err;
	uint32_t number = 0;
	int done = -1;

	if (records_number(app_of(x)->archive, "cases", http_param(x, 0), &number, &err)) {
		http_reply_error(x, &err);
		return -1;
	}
	t->old = !base || strtoul(base, NULL, 10) != number;
	if (t->old)
		return 0;
	body = body_of(t);
	record = body ? case_patched(stands, body) : NULL;
	if (!record) {
		http_reply_problem(x, 503, "out-of-memory", NULL, NULL);
	} else if (ends_before_it_began(record)) {
		fault_add(&t->faults, "closed", form_said(x, SAY_CASE_CLOSED_EARLY));
		done = 0;
	} else if (register_checked(x, "cases", record) &&
		   (json_equal(stands, record) ||
		       register_file(x, "cases", record, number, NULL))) {
		done = 1;
	}
	json_decref(body);
	json_decref(record);
	return done;
}

void page_case_post(struct exchange *x)
{
	struct case_typed *t = visit_of(x) ? calloc(1, sizeof(*t)) : NULL;
	json_t *stands;
	char path[90];
	int done = -1;

	if (!t) {
		if (!http_replied(x))
			http_reply_problem(x, 503, "out-of-memory", NULL, NULL);
		return;
	}
	read_typed(x, t);
	if (!page_form_sent(x, "case"))
		fault_add(&t->faults, "state-opened", form_said(x, SAY_FORM_OLD));
	pthread_mutex_lock(&app_of(x)->registers_lock);
	stands = registry_get(archive_registry(app_of(x)->archive), "cases", http_param(x, 0));
	if (!stands || !case_is_visible(x, stands))
		http_reply_problem(x, 404, "not-found", NULL, NULL);
	else if (!case_may_keep(x, stands))
		http_reply_problem(x, 403, "not-permitted", NULL, NULL);
	else if (t->faults.n)
		done = 0;
	else
		done = file(x, stands, t);
	pthread_mutex_unlock(&app_of(x)->registers_lock);
	json_decref(stands);
	if (done == 1) {
		snprintf(path, sizeof(path), "/cases/%.64s?saved=1", http_param(x, 0));
		form_go(x, path);
	}
	if (done == 0)
		page_case_with(x, t); /* takes it */
	else
		free(t);
}
