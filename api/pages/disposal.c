/* The end of one document: until when it is kept, what stands in the way, and the acts of those who may: hold and release, propose, approve,
 * withdraw, confirm that the receiver has it. The acts are those of the API (disposition_do()). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/disposition_api.h"
#include "api/pages/administration.h"
#include "api/pages/disposal.h"
#include "arkki/archive/reading.h"
#include "arkki/base/clock.h"
#include "arkki/base/json.h"

static const struct {
	const char *word;
	enum disposition_act act;
} acts[] = {{"hold", DISPOSITION_HOLD}, {"release", DISPOSITION_RELEASE},
    {"propose", DISPOSITION_PROPOSE}, {"approve", DISPOSITION_APPROVE},
    {"withdraw", DISPOSITION_WITHDRAW}, {"confirm", DISPOSITION_CONFIRM}};
enum { ACTS = sizeof(acts) / sizeof(*acts), TEXT_SIZE = 2001 };

struct view {
	struct page p; /* first */
	const struct card *card;
	struct retention_term term;
	json_t *hold, *proposal;
	bool may_hold, may_dispose;
	const struct faults *faults;
};

/* ---- what stands ---- */

static void write_term(struct view *v)
{
	struct page *p = &v->p;

	html_put(&p->h, "<dl class=\"facts\"><div><dt>$</dt><dd>", say(p, SAY_KEPT_YEARS));
	if (!v->term.row) {
		html_text(&p->h, say(p, SAY_DISPOSAL_NO_ROW));
	} else {
		retention_say_years(p, v->term.row);
		html_put(&p->h, ", $ $", say(p, SAY_KEPT_COUNTED),
		    retention_from(p, json_text(v->term.row, "from")));
	}
	html_put(&p->h, "</dd></div><div><dt>$</dt><dd>", say(p, SAY_DUE_SINCE));
	if (v->term.since[0])
		page_date(p, v->term.since);
	else
		html_text(&p->h, say(p, SAY_DISPOSAL_NOT_BEGUN));
	html_raw(&p->h, "</dd></div>");
	if (v->term.row)
		html_put(&p->h, "<div><dt>$</dt><dd>$</dd></div>", say(p, SAY_KEPT_THEN),
		    retention_then(p, json_text(v->term.row, "then")));
	html_raw(&p->h, "</dl>");
}

static void write_who(struct page *p, const char *user, const char *time)
{
	html_raw(&p->h, "<p class=\"hint\">");
	page_name(p, "users", user);
	html_raw(&p->h, ", ");
	page_time(p, time);
	html_raw(&p->h, "</p>");
}

/* ---- forms ---- */

static void form_begin(struct view *v, const char *act, enum say heading)
{
	struct page *p = &v->p;

	html_put(&p->h,
	    "<h2>$</h2><form class=\"stack\" method=\"post\" action=\"/$/documents/$/disposal\" "
	    "novalidate><input type=\"hidden\" name=\"act\" value=\"$\">",
	    say(p, heading), i18n_code(p->language), http_param(p->x, 0), act);
	page_form_field(p, "disposal");
}

static void form_end(struct view *v, enum say button)
{
	html_put(&v->p.h, "<div><button>$</button></div></form>", say(&v->p, button));
}

static void write_text(struct view *v, const char *name, enum say label, enum say help)
{
	const struct form_input in = {.name = name,
	    .label = label,
	    .help = help,
	    .autocomplete = "off",
	    .value = v->faults ? http_form(v->p.x, name) : NULL,
	    .maxlength = strcmp(name, "until") == 0 ? "10" : "500"};

	form_input(&v->p, &in, v->faults);
}

static void write_hold(struct view *v)
{
	struct page *p = &v->p;

	if (!v->hold) {
		if (!v->may_hold)
			return;
		form_begin(v, "hold", SAY_DISPOSAL_HOLD);
		write_text(v, "reason", SAY_DISPOSAL_HOLD_WHY, SAY_DISPOSAL_HOLD_HELP);
		write_text(v, "until", SAY_DISPOSAL_UNTIL, SAY_DAY_HELP);
		form_end(v, SAY_DISPOSAL_HOLD_DO);
		return;
	}
	html_put(&p->h, "<h2>$</h2><p dir=\"auto\">$</p>", say(p, SAY_DUE_ON_HOLD),
	    json_text(v->hold, "reason"));
	if (json_text(v->hold, "until")) {
		html_put(&p->h, "<p>$ ", say(p, SAY_DUE_UNTIL));
		page_date(p, json_text(v->hold, "until"));
		html_raw(&p->h, "</p>");
	}
	write_who(p, json_text(v->hold, "by"), json_text(v->hold, "at"));
	if (!v->may_hold)
		return;
	form_begin(v, "release", SAY_DISPOSAL_RELEASE);
	write_text(v, "reason", SAY_DISPOSAL_RELEASE_WHY, SAY_COUNT);
	form_end(v, SAY_DISPOSAL_RELEASE_DO);
}

static void write_end(struct view *v, const char *action, enum say said, bool chosen)
{
	const char *then = json_text(v->term.row, "then");

	if (strcmp(then, "review") != 0 && strcmp(then, action) != 0)
		return;
	html_put(&v->p.h,
	    "<div class=\"choice\"><input type=\"radio\" id=\"action-$\" name=\"action\" "
	    "value=\"$\"",
	    action, action);
	if (chosen || strcmp(then, action) == 0)
		html_raw(&v->p.h, " checked");
	html_put(&v->p.h, "><label for=\"action-$\">$</label></div>", action, say(&v->p, said));
}

static void write_propose(struct view *v)
{
	const char *action = v->faults ? http_form(v->p.x, "action") : NULL;

	if (!v->may_dispose || v->hold || !v->term.due)
		return;
	form_begin(v, "propose", SAY_DISPOSAL_PROPOSE);
	html_put(
	    &v->p.h, "<fieldset id=\"action\"><legend>$</legend>", say(&v->p, SAY_DISPOSAL_WHICH));
	write_end(v, "transfer", SAY_KEPT_TRANSFER, action && strcmp(action, "transfer") == 0);
	write_end(v, "destroy", SAY_KEPT_DESTROY, action && strcmp(action, "destroy") == 0);
	html_raw(&v->p.h, "</fieldset>");
	write_text(v, "ground", SAY_DISPOSAL_GROUND, SAY_DISPOSAL_GROUND_HELP);
	form_end(v, SAY_DISPOSAL_PROPOSE_DO);
}

static void write_proposal(struct view *v)
{
	struct page *p = &v->p;
	const char *state = json_text(v->proposal, "state"),
		   *by = json_text(v->proposal, "proposedBy");
	bool mine = by && strcmp(by, p->caller->who->access.user) == 0;
	bool transfer = state && strcmp(json_text(v->proposal, "action"), "transfer") == 0;

	if (!v->proposal) {
		write_propose(v);
		return;
	}
	html_put(&p->h, "<h2>$</h2><p>$</p><p dir=\"auto\">$</p>",
	    say(p, transfer ? SAY_DISPOSAL_TRANSFER : SAY_DISPOSAL_DESTROY),
	    say(p, proposal_said(state)), json_text(v->proposal, "ground"));
	write_who(p, by, json_text(v->proposal, "proposedAt"));
	if (!v->may_dispose)
		return;
	if (strcmp(state, "proposed") == 0 && mine) {
		html_put(&p->h, "<p class=\"note\">$</p>", say(p, SAY_DISPOSAL_OWN));
	} else if (strcmp(state, "proposed") == 0 && !v->hold) {
		form_begin(v, "approve", SAY_DISPOSAL_APPROVE);
		html_put(&p->h, "<p>$</p>", say(p, SAY_DISPOSAL_APPROVE_HELP));
		form_end(v, SAY_DISPOSAL_APPROVE_DO);
	} else if (strcmp(state, "packaged") == 0) {
		form_begin(v, "confirm", SAY_DISPOSAL_CONFIRM);
		write_text(v, "confirmation", SAY_DISPOSAL_CONFIRMATION, SAY_DISPOSAL_CONFIRM_HELP);
		form_end(v, SAY_DISPOSAL_CONFIRM_DO);
	}
	if (strcmp(state, "received") != 0) {
		form_begin(v, "withdraw", SAY_DISPOSAL_WITHDRAW);
		form_end(v, SAY_DISPOSAL_WITHDRAW_DO);
	}
}

/* ---- the page ---- */

static bool may(struct exchange *x, enum access_action action, const struct card *card)
{
	return caller_decides(caller_of(x), app_of(x), action, card->fields,
		   visit_of(x)->row.rendition.number != 0, NULL)
		   .outcome == ACCESS_PERMIT;
}

static void write_page(struct exchange *x, struct view *v, const struct faults *f)
{
	struct page *p = &v->p;

	form_page(p, x, SAY_DISPOSAL, f);
	form_summary(p, SAY_ADMIN_WRONG, f);
	html_put(&p->h, "<h1>$</h1><p><a href=\"/$/documents/$\"", say(p, SAY_DISPOSAL),
	    i18n_code(p->language), http_param(x, 0));
	page_lang(p, json_text(v->card->fields, "language"));
	html_put(&p->h, ">$</a></p>", json_text(v->card->fields, "title"));
	if (http_query(x, "done"))
		html_put(
		    &p->h, "<p class=\"note\" role=\"status\">$</p>", say(p, SAY_DISPOSAL_DONE));
	write_term(v);
	write_hold(v);
	write_proposal(v);
	if (v->may_dispose)
		html_put(&p->h, "<p class=\"do\"><a href=\"/$/due\">$</a></p>",
		    i18n_code(p->language), say(p, SAY_DUE));
	page_end(p, f && f->n ? 422 : 200);
}

static void show_with(struct exchange *x, const struct card *card, const struct faults *f)
{
	struct registry *r = archive_registry(app_of(x)->archive);
	const struct visit *visit = visit_of(x);
	struct view v = {.card = card, .faults = f};
	struct ark_error err;
	json_t *rows = NULL;
	char today[11];

	clock_day(today, clock_now_us());
	if (term_of(app_of(x), &visit->row, card, today, &rows, &v.term, &err)) {
		http_reply_error(x, &err);
		return;
	}
	v.hold = disposition_hold(r, visit->row.document);
	v.proposal = disposition_proposal(r, visit->row.document);
	v.may_hold = may(x, ACCESS_HOLD, card);
	v.may_dispose = may(x, ACCESS_DISPOSE, card);
	write_page(x, &v, f);
	json_decref(v.proposal);
	json_decref(v.hold);
	json_decref(rows);
}

/* ---- what was said of an act ---- */

static enum say conflict_said(const char *word)
{
	static const struct {
		const char *word;
		enum say said;
	} words[] = {{"held", SAY_DISPOSAL_HELD}, {"not-due", SAY_DISPOSAL_NOT_DUE},
	    {"other-action", SAY_DISPOSAL_OTHER}, {"not-held", SAY_DISPOSAL_NOT_HELD},
	    {"same-person", SAY_DISPOSAL_OWN}, {"no-package", SAY_DISPOSAL_NO_PACKAGE}};

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (strcmp(words[i].word, word) == 0)
			return words[i].said;
	return SAY_DISPOSAL_MEANWHILE;
}

static void find_faults(struct exchange *x, const char *said, struct faults *f)
{
	static const struct {
		const char *act, *field;
		enum say said;
	} needed[] = {{"hold", "reason", SAY_DISPOSAL_REASON_WRONG},
	    {"release", "reason", SAY_DISPOSAL_REASON_WRONG},
	    {"propose", "action", SAY_RULE_CHOOSE},
	    {"propose", "ground", SAY_DISPOSAL_REASON_WRONG},
	    {"confirm", "confirmation", SAY_DISPOSAL_REASON_WRONG}};
	const char *act = http_form(x, "act"), *until = http_form(x, "until");
	char text[TEXT_SIZE], day[11];

	for (size_t i = 0; act && i < sizeof(needed) / sizeof(*needed); i++) {
		form_text(x, needed[i].field, text, sizeof(text));
		if (strcmp(act, needed[i].act) == 0 && !*text)
			fault_add(f, needed[i].field, form_said(x, needed[i].said));
	}
	if (strcmp(said, "past") == 0 || (until && *until && !i18n_date_read(until, day)))
		fault_add(f, "until", form_said(x, SAY_DISPOSAL_DAY_WRONG));
	if (!f->n)
		fault_add(f, "content", form_said(x, conflict_said(said)));
}

static void told(struct exchange *x, const char *said, const struct card *card)
{
	struct faults f = {0};
	char path[90];

	if (said) {
		find_faults(x, said, &f);
		show_with(x, card, &f);
		return;
	}
	snprintf(path, sizeof(path), "/documents/%.32s/disposal?done=1", http_param(x, 0));
	form_go(x, path);
}

static void shown(struct exchange *x, const char *said, const struct card *card)
{
	struct faults f = {0};

	if (said) /* the form was too old: nothing was done */
		fault_add(&f, "content", form_said(x, SAY_FORM_OLD));
	show_with(x, card, f.n ? &f : NULL);
}

static void shown_old(struct exchange *x, const char *said, const struct card *card)
{
	(void)said;
	shown(x, "old", card);
}

void page_disposal(struct exchange *x)
{
	disposition_do(x, DISPOSITION_SHOW, NULL, shown);
}

/* What the form has of what an act takes; a day that is none stays one. */
static json_t *body_of(struct exchange *x)
{
	static const char *const names[] = {"reason", "action", "ground", "confirmation"};
	json_t *body = json_object();
	char text[TEXT_SIZE], day[11];

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		form_text(x, names[i], text, sizeof(text));
		if (body && *text)
			json_object_set_new(body, names[i], json_string(text));
	}
	form_text(x, "until", text, sizeof(text));
	if (body && *text)
		json_object_set_new(
		    body, "until", json_string(i18n_date_read(text, day) ? day : text));
	return body;
}

void page_disposal_post(struct exchange *x)
{
	const char *act = http_form(x, "act");

	if (!visit_of(x))
		return;
	if (!page_form_sent(x, "disposal")) {
		disposition_do(x, DISPOSITION_SHOW, NULL, shown_old);
		return;
	}
	for (size_t i = 0; act && i < ACTS; i++) {
		if (strcmp(act, acts[i].word) == 0) {
			disposition_do(x, acts[i].act, body_of(x), told);
			return;
		}
	}
	disposition_do(x, DISPOSITION_SHOW, NULL, shown);
}
