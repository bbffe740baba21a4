/* "Who may read this and why": the reader's own right in the words of the rule that gives it; and, for who may amend the
 * document or read the log, which groups of accounts may read it by which rule.
 *
 * A group is an organisation and a role, as the registers and the rules have them: whether anybody is in it is not looked at,
 * so that the page tells nothing of accounts. Every organisation is asked about, in a thread of its own. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/pages/accounts.h"
#include "api/pages/readers.h"
#include "arkki/base/json.h"

enum { GROUPS_MAX = 4000, RULES_MAX = 64, ORGS_SHOWN = 40 };

void readers_free(void *arg)
{
	struct readers *k = arg;

	if (!k)
		return;
	past_work_end(&k->work);
	resource_free(&k->resource);
	access_rules_unref(k->rules);
	card_free(&k->card);
	json_decref(k->orgs);
	free(k->groups);
	free(k);
}

/* ---- the groups ---- */

/* The permitting rule that is named first; false: none is. */
static bool rule_of(const struct readers *k, const struct access_decision *d, uint32_t *ret)
{
	for (size_t i = 0; i < d->policies_len; i++) {
		*ret = d->policies[i];
		if (!cedar_policy_forbids(access_rules_policies(k->rules), *ret))
			return true;
	}
	return false;
}

/* How far somebody of this role gets, and by which rule. */
static int decide(const struct readers *k, const struct access_principal *who,
    enum readers_reach *ret, uint32_t *ret_rule, struct ark_error *err)
{
	const struct access_resource *r = &k->resource.r;
	struct access_context plain = {.strong = true};
	struct access_context stated = {
	    .strong = true, .purpose = "-", .case_id = "-", .case_units = r->units};
	struct access_decision d;
	int rc = access_decide(k->rules, who, ACCESS_READ_CONTENT, r, &plain, &d, err);

	*ret = REACH_CONTENT;
	if (!rc && d.outcome == ACCESS_NEEDS_PURPOSE) {
		*ret = REACH_PURPOSE;
		rc = access_decide(k->rules, who, ACCESS_READ_CONTENT, r, &stated, &d, err);
	}
	if (!rc && d.outcome != ACCESS_PERMIT && r->rendition) {
		*ret = REACH_PUBLIC;
		rc = access_decide(k->rules, who, ACCESS_READ_PUBLIC, r, &plain, &d, err);
	}
	if (!rc && (d.outcome != ACCESS_PERMIT || !rule_of(k, &d, ret_rule)))
		*ret = REACH_NONE;
	return rc;
}

static void add_group(struct readers *k, const char *org, unsigned int role,
    enum readers_reach reach, uint32_t rule, size_t first)
{
	for (size_t i = first; i < k->len; i++)
		if (k->groups[i].rule == rule && k->groups[i].reach == reach) {
			k->groups[i].roles |= role;
			return;
		}
	if (k->len == GROUPS_MAX)
		k->cut = true;
	else
		k->groups[k->len++] =
		    (struct readers_group){.rule = rule, .reach = reach, .org = org, .roles = role};
}

static int ask_org(struct readers *k, const char *org, struct ark_error *err)
{
	struct access_principal who;
	struct principal *p = NULL;
	size_t first = k->len;
	uint32_t rule = 0;
	enum readers_reach reach;
	int rc = registry_principal_of(archive_registry(k->v->app->archive), org, &p, err);

	if (rc)
		return rc;
	who = p->access;
	for (unsigned int role = 0; !rc && role < ACCESS_ROLES; role++) {
		who.roles = 1u << role;
		rc = decide(k, &who, &reach, &rule, err);
		if (!rc && reach != REACH_NONE)
			add_group(k, org, who.roles, reach, rule, first);
	}
	principal_unref(p);
	return rc;
}

void readers_ask(void *arg)
{
	struct readers *k = arg;
	const json_t *org;
	int rc = ARK_OK;
	size_t i;

	json_array_foreach(k->orgs, i, org)
	{
		if (!rc && json_text(org, "id"))
			rc = ask_org(k, json_text(org, "id"), &k->error);
		if (rc == ARK_ENOTFOUND) /* it was taken away meanwhile */
			rc = ARK_OK;
	}
	if (!rc)
		k->error.status = ARK_OK;
}

/* ---- the page ---- */

static void write_rule(struct page *p, const struct access_rules *rules, uint32_t rule)
{
	const char *language = i18n_code(p->language);
	const char *sentence = access_policy_sentence(rules, rule, language),
		   *statute = access_policy_statute(rules, rule);

	html_put(&p->h, "<p>$</p>", sentence ? sentence : access_policy_id(rules, rule));
	if (!statute)
		return;
	html_put(&p->h, "<p class=\"hint\" dir=\"auto\">$: ", say(p, SAY_READERS_LAW));
	page_statute(p, statute);
	html_raw(&p->h, "</p>");
}

static enum say own_said(const struct readers *k, enum access_outcome outcome)
{
	if (!k->v->row.whole)
		return SAY_READERS_OWN_PUBLIC;
	if (outcome == ACCESS_PERMIT)
		return SAY_READERS_OWN;
	return outcome == ACCESS_NEEDS_PURPOSE ? SAY_READERS_OWN_PURPOSE : SAY_READERS_OWN_CLOSED;
}

/* Of a document that is seen by its public rendition alone nothing is told but that. */
static void write_own(struct page *p, const struct readers *k)
{
	struct visit *v = k->v;
	bool whole = v->row.whole;
	struct ark_error err;
	struct access_decision d =
	    caller_decides(v->caller, v->app, whole ? ACCESS_READ_CONTENT : ACCESS_READ_PUBLIC,
		k->card.fields, v->row.rendition.number > 0, &err);

	html_put(&p->h,
	    "<section aria-labelledby=\"own\"><h2 id=\"own\">$</h2><p><strong>$</strong></p>",
	    say(p, SAY_READERS_YOU), say(p, own_said(k, d.outcome)));
	for (size_t i = 0; i < d.policies_len; i++)
		write_rule(p, v->caller->who->rules, d.policies[i]);
	if (whole && d.outcome != ACCESS_PERMIT) { /* at least what is read now */
		d = caller_decides(v->caller, v->app, ACCESS_READ, k->card.fields,
		    v->row.rendition.number > 0, &err);
		html_put(&p->h, "<p><strong>$</strong></p>", say(p, SAY_READERS_OWN_METADATA));
		for (size_t i = 0; i < d.policies_len; i++)
			write_rule(p, v->caller->who->rules, d.policies[i]);
	}
	html_raw(&p->h, "</section>");
}

enum say readers_said(enum readers_reach reach)
{
	if (reach == REACH_PURPOSE)
		return SAY_READERS_WITH_PURPOSE;
	return reach == REACH_PUBLIC ? SAY_READERS_RENDITION : SAY_READERS_CONTENT;
}

static size_t count_of(
    const struct readers *k, const struct readers_group *like, bool *ret_everybody)
{
	size_t n = 0;

	*ret_everybody = true;
	for (size_t i = 0; i < k->len; i++)
		if (k->groups[i].rule == like->rule && k->groups[i].reach == like->reach) {
			n++;
			*ret_everybody &= k->groups[i].roles == (1u << ACCESS_ROLES) - 1;
		}
	*ret_everybody &= n == json_array_size(k->orgs);
	return n;
}

void readers_more(struct page *p, size_t n, size_t shown)
{
	char more[I18N_SIZE];

	if (n <= shown)
		return;
	i18n_number(more, p->language, n - shown);
	html_raw(&p->h, "<p>");
	page_say(p, SAY_READERS_MORE, more);
	html_raw(&p->h, "</p>");
}

void readers_org(struct page *p, const char *org, unsigned int of_roles)
{
	struct buf roles = BUF_INIT;

	html_raw(&p->h, "<li>");
	page_name(p, "orgs", org);
	if (of_roles == (1u << ACCESS_ROLES) - 1)
		buf_adds(&roles, say(p, SAY_READERS_ANY_ROLE));
	else
		account_roles_add(p, of_roles, &roles);
	html_put(&p->h, ": $</li>", roles.data ? roles.data : "");
	buf_free(&roles);
}

/* All groups that this rule lets in so far. */
static void write_groups(struct page *p, const struct readers *k, const struct readers_group *like)
{
	bool everybody;
	size_t n = count_of(k, like, &everybody), shown = 0;

	html_put(&p->h, "<li class=\"rule\"><h3>$</h3>", say(p, readers_said(like->reach)));
	write_rule(p, k->rules, like->rule);
	if (everybody) {
		html_put(&p->h, "<p>$</p></li>", say(p, SAY_READERS_EVERYBODY));
		return;
	}
	html_raw(&p->h, "<ul>");
	for (size_t i = 0; i < k->len && shown < ORGS_SHOWN; i++)
		if (k->groups[i].rule == like->rule && k->groups[i].reach == like->reach) {
			readers_org(p, k->groups[i].org, k->groups[i].roles);
			shown++;
		}
	html_raw(&p->h, "</ul>");
	readers_more(p, n, shown);
	html_raw(&p->h, "</li>");
}

static bool first_of_its_rule(const struct readers *k, size_t at)
{
	for (size_t i = 0; i < at; i++)
		if (k->groups[i].rule == k->groups[at].rule &&
		    k->groups[i].reach == k->groups[at].reach)
			return false;
	return true;
}

static void write_others(struct page *p, const struct readers *k)
{
	size_t rules = 0;

	html_put(&p->h,
	    "<section aria-labelledby=\"others\"><h2 id=\"others\">$</h2><p class=\"hint\">$</p>",
	    say(p, SAY_READERS_OTHERS), say(p, SAY_READERS_OTHERS_HELP));
	html_raw(&p->h, "<ol class=\"rules\">");
	for (size_t i = 0; i < k->len && rules < RULES_MAX; i++)
		if (first_of_its_rule(k, i)) {
			write_groups(p, k, &k->groups[i]);
			rules++;
		}
	html_raw(&p->h, "</ol>");
	if (k->cut)
		html_put(&p->h, "<p>$</p>", say(p, SAY_READERS_CUT));
	html_raw(&p->h, "</section>");
}

static void show_readers(struct exchange *x)
{
	struct visit *v = visit_of(x);
	const struct readers *k = v->more;
	enum http_language language = HTTP_FI;
	struct card shown = {0};
	struct ark_error err = k->error;
	struct page p;
	int rc = err.status;

	page_language(x, &language);
	if (!rc)
		rc = shown_card(v->app->archive, v->receipt, &v->row, &shown, &err);
	if (rc) {
		http_reply_error(x, &err);
		return;
	}
	page_begin(&p, x, i18n_text(language, SAY_WAY_READERS));
	html_put(&p.h, "<article><h1>$</h1>", say(&p, SAY_WAY_READERS));
	document_back(&p, &v->row, &shown);
	write_own(&p, k);
	if (k->groups)
		write_others(&p, k);
	html_raw(&p.h, "</article>");
	page_end(&p, 200);
	card_free(&shown);
}

/* ---- the request ---- */

/* Who corrects the document or looks at its readings has a task in which who may read it matters. */
static bool may_know(const struct readers *k)
{
	const struct visit *v = k->v;

	return v->row.whole &&
	       (caller_may(v->caller, ACCESS_AUDIT) || caller_may(v->caller, ACCESS_AUDIT_OWN) ||
		   caller_decides(v->caller, v->app, ACCESS_AMEND, k->card.fields,
		       v->row.rendition.number > 0, NULL)
			   .outcome == ACCESS_PERMIT);
}

int readers_open(struct readers *k, struct ark_error *err)
{
	struct visit *v = k->v;
	json_t *counties;
	int rc = reading_card(v->app->archive, v->receipt, &v->row, &k->card, err);

	if (rc || !may_know(k))
		return rc;
	/* reading is decided over the counties that a version was filed with */
	counties = k->card.counties ? json_incref(k->card.counties)
				    : registry_counties(archive_registry(v->app->archive),
					  json_object_get(k->card.fields, "units"));
	rc = resource_fill(k->card.fields, counties, &k->resource, err);
	if (rc)
		return rc;
	k->resource.r.id = v->row.document;
	k->resource.r.rendition = v->row.rendition.number > 0;
	k->rules = access_rules_ref(v->caller->who->rules);
	k->orgs = registry_all(archive_registry(v->app->archive), "orgs");
	k->groups = calloc(GROUPS_MAX, sizeof(*k->groups));
	return k->orgs && k->groups ? ARK_OK : ark_fail(err, ARK_ENOMEM, "no memory for readers");
}

static void begin_asking(struct exchange *x)
{
	struct readers *k = visit_of(x)->more;
	struct ark_error err;

	if (readers_open(k, &err))
		http_reply_error(x, &err);
	else if (k->groups)
		past_work_begin(&k->work, show_readers);
	else
		show_readers(x);
}

/* Of v->row. */
static void show_of(struct exchange *x, struct visit *v)
{
	struct readers *k = calloc(1, sizeof(*k));
	struct ledger_record r;

	if (!k) {
		http_reply_problem(x, 503, "out-of-memory", NULL, NULL);
		return;
	}
	k->v = v;
	k->work = (struct past_work){.x = x, .app = v->app, .make = readers_ask, .arg = k};
	v->more = k;
	v->more_free = readers_free;
	r = visit_record(v, "metadata");
	r.detail = v->row.whole ? "{\"readers\":\"shown\"}"
				: "{\"readers\":\"shown\",\"rendition\":\"public\"}";
	visit_log(x, &r, 1, begin_asking);
}

void page_document_readers(struct exchange *x)
{
	struct visit *v = visit_of(x);

	if (v && document_version_found(x, v, "metadata"))
		show_of(x, v);
}

void page_document_readers_newest(struct exchange *x)
{
	struct visit *v = visit_of(x);

	if (v && document_found(x, v, "metadata", 0))
		show_of(x, v);
}
