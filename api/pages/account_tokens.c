/* Tokens of the own account: the list, making one, revoking one. The same as over /v1/tokens. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "api/pages/account.h"
#include "api/tokens.h"
#include "arkki/base/clock.h"
#include "arkki/base/text.h"

static const struct {
	const char *name;
	enum say said;
	unsigned int scope;
} scopes[] = {
    {"read", SAY_SCOPE_READ, TOKEN_READ},
    {"file", SAY_SCOPE_FILE, TOKEN_FILE},
    {"audit", SAY_SCOPE_AUDIT, TOKEN_AUDIT},
    {"administer", SAY_SCOPE_ADMINISTER, TOKEN_ADMINISTER},
    {"accounts", SAY_SCOPE_ACCOUNTS, TOKEN_ACCOUNTS},
};
enum { SCOPES = sizeof(scopes) / sizeof(*scopes), DAYS_MAX = 365 };

/* ---- the list ---- */

struct listing {
	struct page *p;
	unsigned int n;
};

static int write_one(void *arg, const struct state_token *t)
{
	struct listing *l = arg;
	struct page *p = l->p;
	char until[I18N_SIZE], seen[I18N_SIZE];

	i18n_time(until, p->language, t->expires_us);
	i18n_time(seen, p->language, t->seen_us);
	if (!l->n++)
		html_raw(&p->h, "<ul class=\"hits\">");
	html_put(
	    &p->h, "<li class=\"hit\"><h3 dir=\"auto\">$</h3><p class=\"facts\"><span>", t->name);
	page_say(p, SAY_TOKEN_UNTIL, until);
	html_raw(&p->h, "</span> <span>");
	if (t->seen_us)
		page_say(p, SAY_TOKEN_SEEN, seen);
	else
		html_text(&p->h, say(p, SAY_TOKEN_UNUSED));
	html_raw(&p->h, "</span>");
	for (size_t i = 0; i < SCOPES; i++)
		if (t->scopes != TOKEN_ALL && t->scopes & scopes[i].scope)
			html_put(&p->h, " <span>$</span>", say(p, scopes[i].said));
	html_put(&p->h,
	    "</p><form method=\"post\" action=\"/$/account/token\">"
	    "<input type=\"hidden\" name=\"token\" value=\"$\">",
	    i18n_code(p->language), t->id);
	page_form_field(p, "token");
	html_put(&p->h,
	    "<button class=\"quiet\">$<span class=\"hidden\">: $</span></button></form></li>",
	    say(p, SAY_TOKEN_REVOKE), t->name);
	return 0;
}

static void write_form(struct page *p, const struct faults *f)
{
	const struct form_input name = {.name = "name",
	    .label = SAY_TOKEN_NAME,
	    .help = SAY_COUNT,
	    .autocomplete = "off",
	    .value = http_form(p->x, "name"),
	    .maxlength = "200"};
	const struct form_input days = {.name = "days",
	    .label = SAY_TOKEN_DAYS,
	    .help = SAY_COUNT,
	    .autocomplete = "off",
	    .value = http_form(p->x, "days") ? http_form(p->x, "days") : "30",
	    .maxlength = "3"};

	html_put(&p->h,
	    "<form class=\"stack\" method=\"post\" action=\"/$/account/tokens\" novalidate>",
	    i18n_code(p->language));
	page_form_field(p, "tokens");
	form_input(p, &name, f);
	form_input(p, &days, f);
	html_put(&p->h, "<fieldset><legend>$</legend>", say(p, SAY_TOKEN_SCOPES));
	for (size_t i = 0; i < SCOPES; i++) {
		html_put(&p->h,
		    "<div class=\"choice\"><input type=\"checkbox\" id=\"scope-$\" name=\"$\" "
		    "value=\"1\"",
		    scopes[i].name, scopes[i].name);
		if (f->n ? http_form(p->x, scopes[i].name) != NULL : i == 0)
			html_raw(&p->h, " checked");
		html_put(&p->h, "><label for=\"scope-$\">$</label></div>", scopes[i].name,
		    say(p, scopes[i].said));
	}
	html_put(&p->h, "</fieldset><div><button>$</button></div></form>", say(p, SAY_TOKEN_MAKE));
}

void account_write_tokens(struct page *p)
{
	const struct faults none = {0};
	struct listing l = {p, 0};

	html_put(&p->h, "<h2>$</h2><p>$</p>", say(p, SAY_TOKENS), say(p, SAY_TOKENS_WHAT));
	if (state_token_each(archive_state(app_of(p->x)->archive), p->caller->who->access.user,
		clock_now_us(), write_one, &l, NULL))
		p->h.out.failed = true;
	if (l.n)
		html_raw(&p->h, "</ul>");
	else
		html_put(&p->h, "<p>$</p>", say(p, SAY_TOKENS_NONE));
	html_put(&p->h, "<details class=\"token\"><summary>$</summary>", say(p, SAY_TOKEN_MAKE));
	write_form(p, &none);
	html_raw(&p->h, "</details>");
}

/* ---- making one ---- */

struct made {
	char token[STATE_TOKEN_SIZE];
};

static void made_free(void *arg)
{
	sodium_memzero(arg, sizeof(struct made));
	free(arg);
}

static void show_wrong(struct exchange *x, const struct faults *f)
{
	struct page p;

	form_page(&p, x, SAY_TOKEN_MAKE, f);
	html_raw(&p.h, "<div class=\"narrow\">");
	form_summary(&p, SAY_TOKEN_FAILED, f);
	html_put(&p.h, "<h1>$</h1>", say(&p, SAY_TOKEN_MAKE));
	write_form(&p, f);
	html_raw(&p.h, "</div>");
	page_end(&p, 422);
}

static void show_made(struct exchange *x)
{
	const struct visit *v = http_data(x);
	const struct made *m = v->more;
	struct page p;

	form_page(&p, x, SAY_TOKEN_MADE, NULL);
	html_put(&p.h,
	    "<div class=\"narrow\"><h1>$</h1><p>$</p><p><code class=\"key\">$</code></p>"
	    "<p><a class=\"button\" href=\"/$/account\">$</a></p></div>",
	    say(&p, SAY_TOKEN_MADE), say(&p, SAY_TOKEN_MADE_WHAT), m->token, i18n_code(p.language),
	    say(&p, SAY_TO_ACCOUNT));
	page_end(&p, 200);
}

static bool wish_of(struct exchange *x, struct state_token *wish, struct faults *f)
{
	char days[8];
	long n = 0;

	form_text(x, "name", wish->name, 201);
	if (!wish->name[0] || utf8_blank(wish->name))
		fault_add(f, "name", form_said(x, SAY_TOKEN_NAME_MISSING));
	form_text(x, "days", days, sizeof(days));
	if (days[0] && strspn(days, "0123456789") == strlen(days))
		n = strtol(days, NULL, 10);
	if (n < 1 || n > DAYS_MAX)
		fault_add(f, "days", form_said(x, SAY_TOKEN_DAYS_WRONG));
	for (size_t i = 0; i < SCOPES; i++)
		if (http_form(x, scopes[i].name))
			wish->scopes |= scopes[i].scope;
	if (!wish->scopes)
		fault_add(f, "scope-read", form_said(x, SAY_TOKEN_SCOPES_WRONG));
	wish->expires_us = clock_now_us() + n * 86400 * 1000000;
	snprintf(wish->user, sizeof(wish->user), "%s", caller_of(x)->who->access.user);
	return f->n == 0;
}

void page_token_post(struct exchange *x)
{
	struct state_token wish = {0};
	struct faults f = {0};
	struct ledger_record r;
	struct visit *v;
	struct made *m;
	struct ark_error err;
	int rc;

	if (!account_may_change(x, "tokens", "/account") || !account_strong(x))
		return;
	if (!wish_of(x, &wish, &f)) {
		show_wrong(x, &f);
		return;
	}
	v = visit_of(x);
	m = v ? calloc(1, sizeof(*m)) : NULL;
	if (!m) {
		if (v)
			http_reply_problem(x, 503, "out-of-memory", NULL, NULL);
		return;
	}
	v->more = m;
	v->more_free = made_free;
	r = visit_record(v, "token");
	rc = token_make_logged(app_of(x), &r, &wish, m->token, &err);
	if (rc == ARK_ECONFLICT) {
		fault_add(&f, "name", form_said(x, SAY_TOKENS_MANY));
		show_wrong(x, &f);
	} else if (rc) {
		http_reply_error(x, &err);
	} else {
		show_made(x);
	}
}

/* ---- revoking one ---- */

struct sought {
	const char *id;
	bool found;
};

static int is_sought(void *arg, const struct state_token *t)
{
	struct sought *s = arg;

	s->found |= strcmp(t->id, s->id) == 0;
	return 0;
}

static void revoke(struct exchange *x)
{
	struct state *state = archive_state(app_of(x)->archive);
	struct sought s = {.id = http_form(x, "token")};
	struct ark_error err;
	int rc = state_token_each(
	    state, caller_of(x)->who->access.user, clock_now_us(), is_sought, &s, &err);

	if (!rc && !s.found)
		rc = ark_fail(&err, ARK_ENOTFOUND, "there is no such token");
	if (!rc)
		rc = state_token_revoke(state, s.id, &err);
	sessions_forget(app_of(x));
	if (rc)
		http_reply_error(x, &err);
	else
		form_go(x, "/account?revoked=1");
}

void page_token_revoke(struct exchange *x)
{
	if (!page_form_sent(x, "token") || !http_form(x, "token"))
		http_reply_problem(x, 403, "form", NULL, NULL);
	else
		account_logged(x, "token", revoke);
}
