/* Uses of break-glass, and their review. */
#include <stdlib.h>
#include <string.h>

#include "api/pages/audit.h"
#include "arkki/base/json.h"

struct shown { /* the visit's `more` */
	json_t *answer;
	struct audit_titles titles;
};

static void shown_free(void *arg)
{
	struct shown *s = arg;

	json_decref(s->answer);
	audit_titles_free(&s->titles);
	free(s);
}

/* ---- a use ---- */

static void write_review(struct page *p, const json_t *review, enum say whose)
{
	html_put(&p->h, "<p><strong>$</strong> ", say(p, whose));
	html_text(&p->h,
	    say(p, json_is_true(json_object_get(review, "justified")) ? SAY_GLASS_JUSTIFIED
								      : SAY_GLASS_UNJUSTIFIED));
	html_raw(&p->h, ", ");
	page_time(p, json_text(review, "time"));
	if (json_text(review, "principal")) {
		html_raw(&p->h, ", ");
		page_name(p, "users", json_text(review, "principal"));
	}
	if (json_text(review, "remark"))
		html_put(&p->h, ": <span dir=\"auto\">$</span>", json_text(review, "remark"));
	html_raw(&p->h, "</p>");
}

static void write_form(struct page *p, const char *id, size_t nth)
{
	char n[24];

	snprintf(n, sizeof(n), "%zu", nth);
	html_put(&p->h,
	    "<form class=\"stack\" method=\"post\" action=\"/$/audit/emergency/$\" novalidate>",
	    i18n_code(p->language), id);
	page_form_field(p, "review");
	html_put(&p->h,
	    "<fieldset><legend>$</legend><div class=\"choice\"><input type=\"radio\" "
	    "id=\"yes$\" name=\"justified\" value=\"yes\" required><label "
	    "for=\"yes$\">$</label></div>"
	    "<div class=\"choice\"><input type=\"radio\" id=\"no$\" name=\"justified\" "
	    "value=\"no\"><label for=\"no$\">$</label></div></fieldset>",
	    say(p, SAY_GLASS_REVIEW), n, n, say(p, SAY_GLASS_JUSTIFIED), n, n,
	    say(p, SAY_GLASS_UNJUSTIFIED));
	html_put(&p->h,
	    "<div class=\"field\"><label for=\"remark$\">$</label><input id=\"remark$\" "
	    "name=\"remark\" "
	    "maxlength=\"1000\" autocomplete=\"off\" dir=\"auto\" required></div>"
	    "<div><button class=\"quiet\">$</button></div></form>",
	    n, say(p, SAY_GLASS_REMARK), n, say(p, SAY_GLASS_SAVE));
}

/* An authority reviews what its own people did. */
static bool may_review(const struct page *p, const json_t *use)
{
	const char *org = json_text(use, "org");
	const struct access_ids *own = &p->caller->who->access.orgs;

	for (size_t i = 0; org && i < own->len; i++)
		if (strcmp(own->id[i], org) == 0)
			return true;
	return caller_may(p->caller, ACCESS_AUDIT);
}

static void write_use(
    struct page *p, const json_t *use, const struct audit_titles *titles, size_t nth)
{
	const json_t *review = json_object_get(use, "review"),
		     *theirs = json_object_get(use, "authorityReview");
	const char *kind = json_text(use, "kind"), *said = audit_kind_said(p, kind);

	html_raw(&p->h, "<li class=\"hit\"><h3>");
	page_time(p, json_text(use, "time"));
	html_raw(&p->h, " ");
	if (json_text(use, "principal"))
		page_name(p, "users", json_text(use, "principal"));
	html_raw(&p->h, "</h3><p class=\"facts\"><span>");
	if (json_text(use, "org"))
		page_name(p, "orgs", json_text(use, "org"));
	html_put(&p->h, "</span> <span>$</span></p>", said ? said : kind);
	if (json_text(use, "document")) {
		html_raw(&p->h, "<p>");
		audit_title_write(p, titles, json_text(use, "document"));
		html_raw(&p->h, "</p>");
	}
	html_put(&p->h, "<p><strong>$</strong> <span dir=\"auto\">$</span></p>",
	    say(p, SAY_GLASS_REASON), json_text(use, "reason"));
	if (json_object_size(theirs))
		write_review(p, theirs, SAY_GLASS_THEIRS);
	if (json_object_size(review))
		write_review(p, review, SAY_GLASS_REVIEWED);
	else if (may_review(p, use))
		write_form(p, json_text(use, "id"), nth);
	html_raw(&p->h, "</li>");
}

/* ---- the list ---- */

static void write_states(struct page *p)
{
	static const struct {
		const char *state;
		enum say said;
	} states[] = {
	    {"open", SAY_GLASS_OPEN}, {"reviewed", SAY_GLASS_DONE}, {"all", SAY_GLASS_ALL}};
	const char *chosen = http_query(p->x, "state");

	html_put(&p->h, "<nav class=\"sort\" aria-label=\"$\"><ul>", say(p, SAY_STATE));
	for (size_t i = 0; i < sizeof(states) / sizeof(*states); i++) {
		html_put(&p->h, "<li><a href=\"/$/audit/emergency?state=$\"",
		    i18n_code(p->language), states[i].state);
		if (chosen && *chosen ? strcmp(chosen, states[i].state) == 0 : i == 0)
			html_raw(&p->h, " aria-current=\"true\"");
		html_put(&p->h, ">$</a></li>", say(p, states[i].said));
	}
	html_raw(&p->h, "</ul></nav>");
}

static void write_next(struct page *p, const char *next)
{
	struct buf url = BUF_INIT;

	if (!next)
		return;
	buf_addf(&url, "/%s/audit/emergency", i18n_code(p->language));
	url_add(&url, "state", http_query(p->x, "state"));
	url_add(&url, "cursor", next);
	html_put(&p->h, "<p><a rel=\"next\" href=\"$\">$</a></p>", url.data, say(p, SAY_NEXT));
	buf_free(&url);
}

static void show_page(struct exchange *x)
{
	const struct shown *s = visit_of(x)->more;
	const json_t *uses = json_object_get(s->answer, "uses");
	struct page p;

	audit_begin(&p, x, SAY_AUDIT_EMERGENCY, "/audit/emergency", NULL);
	if (http_query(x, "saved"))
		html_put(&p.h, "<p class=\"note\" role=\"status\">$</p>", say(&p, SAY_GLASS_SAVED));
	html_put(&p.h, "<p>$</p>", say(&p, SAY_GLASS_WHAT));
	write_states(&p);
	if (!json_array_size(uses))
		html_put(&p.h, "<p>$</p>", say(&p, SAY_GLASS_NONE));
	html_put(&p.h, "<h2 class=\"hidden\">$</h2><ul class=\"hits\">", say(&p, SAY_AUDIT_FOUND));
	for (size_t i = 0; i < json_array_size(uses); i++)
		write_use(&p, json_array_get(uses, i), &s->titles, i);
	html_raw(&p.h, "</ul>");
	write_next(&p, json_text(s->answer, "next"));
	page_end(&p, 200);
}

static void show_uses(struct exchange *x, json_t *answer)
{
	struct visit *v = visit_of(x);
	struct shown *s = calloc(1, sizeof(*s));
	const json_t *uses = json_object_get(answer, "uses");
	struct ark_error err;
	int rc = ARK_OK;

	if (!s) {
		json_decref(answer);
		http_reply_problem(x, 503, "out-of-memory", NULL, NULL);
		return;
	}
	s->answer = answer;
	v->more_free(v->more);
	v->more = s;
	v->more_free = shown_free;
	for (size_t i = 0; !rc && i < json_array_size(uses); i++)
		rc = audit_titles_add(
		    v, &s->titles, json_text(json_array_get(uses, i), "document"), &err);
	if (rc)
		http_reply_error(x, &err);
	else
		audit_titles_log(x, &s->titles, show_page);
}

void page_audit_emergency(struct exchange *x)
{
	if (audit_permitted(x, false))
		break_glass_find(x, show_uses);
}

/* ---- a review ---- */

static void show_fault(struct exchange *x, enum say what)
{
	struct faults f = {0};
	struct page p;

	fault_add(&f, "back", form_said(x, what));
	audit_begin(&p, x, SAY_AUDIT_EMERGENCY, "/audit/emergency", &f);
	html_put(&p.h, "<p><a id=\"back\" href=\"/$/audit/emergency\">$</a></p>",
	    i18n_code(p.language), say(&p, SAY_GLASS_BACK));
	page_end(&p, 422);
}

static void reviewed(struct exchange *x, int status, json_t *use, const struct ark_error *err)
{
	json_decref(use);
	if (status == ARK_ECONFLICT)
		show_fault(x, SAY_GLASS_ALREADY);
	else if (status)
		http_reply_error(x, err);
	else
		form_go(x, "/audit/emergency?saved=1");
}

void page_audit_emergency_post(struct exchange *x)
{
	const char *justified = http_form(x, "justified");
	char remark[2001];
	json_t *body, *errors = NULL;

	if (!audit_permitted(x, false))
		return;
	if (!page_form_sent(x, "review")) {
		show_fault(x, SAY_FORM_OLD);
		return;
	}
	form_text(x, "remark", remark, sizeof(remark));
	body = json_pack("{s:s}", "remark", remark);
	if (justified && (strcmp(justified, "yes") == 0 || strcmp(justified, "no") == 0))
		json_object_set_new(body, "justified", json_boolean(strcmp(justified, "yes") == 0));
	if (!break_glass_judge(x, body, &errors, reviewed))
		show_fault(x, SAY_GLASS_WRONG);
	json_decref(errors);
	json_decref(body);
}
