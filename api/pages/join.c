/* Taking an account into use with a one-time code: an invitation, or a new beginning. The code leads to a password; the
 * second factor follows in the session that begins then (second_factor.c), or is asked for when there is one.
 *
 * Two steps, one address: the code alone shows whose account it is, the code and a password twice set it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "api/pages/forms.h"
#include "api/session.h"
#include "arkki/archive/accounts.h"
#include "arkki/base/clock.h"
#include "arkki/base/json.h"

struct joining {
	struct app *app;
	char code[STATE_TOKEN_SIZE], password[PASSWORD_MAX + 1], address[64];
	struct link_found link;
	json_t *account;
	bool password_wrong;
	int rc;
	struct credentials_summary summary;
	struct ark_error err;
};

static void joining_end(void *data, enum http_outcome outcome, int status, uint64_t bytes_out)
{
	struct joining *j = data;

	(void)outcome, (void)status, (void)bytes_out;
	json_decref(j->account);
	sodium_memzero(j, sizeof(*j));
	free(j);
}

/* The account that the code is for, when it can still be taken into use: ARK_ENOTFOUND. */
static int find(struct joining *j)
{
	int rc =
	    link_find(archive_state(j->app->archive), j->code, clock_now_us(), &j->link, &j->err);
	enum account_state state;

	if (rc)
		return rc;
	j->account = registry_get(archive_registry(j->app->archive), "users", j->link.user);
	state = j->account ? account_state(j->account) : ACCOUNT_CLOSED;
	if (state != ACCOUNT_INVITED && state != ACCOUNT_ACTIVE)
		return ark_fail(&j->err, ARK_ENOTFOUND, "the account is not in use");
	return ARK_OK;
}

/* ---- the pages ---- */

static void begin_form(struct page *p, struct exchange *x, enum say title, const struct faults *f)
{
	char seed[FORM_SEED_SIZE];

	form_seed(x, seed);
	form_page(p, x, title, f);
	html_raw(&p->h, "<div class=\"narrow\">");
	form_summary(p, SAY_JOIN_FAILED, f);
	html_put(&p->h, "<h1>$</h1>", say(p, title));
}

static void begin_fields(struct page *p)
{
	char seed[FORM_SEED_SIZE];

	html_put(&p->h, "<form class=\"stack\" method=\"post\" action=\"/$/join\" novalidate>",
	    i18n_code(p->language));
	form_seed(p->x, seed);
	form_open_field(p, seed);
}

static void show_code_form(struct exchange *x, enum say wrong)
{
	const struct form_input code = {.name = "code",
	    .label = SAY_JOIN_CODE,
	    .help = SAY_JOIN_CODE_HELP,
	    .autocomplete = "off",
	    .maxlength = "100"};
	struct faults f = {0};
	struct page p;

	if (wrong != SAY_COUNT)
		fault_add(&f, "code", form_said(x, wrong));
	begin_form(&p, x, SAY_JOIN, &f);
	html_put(&p.h, "<p>$</p>", say(&p, SAY_JOIN_WHAT));
	begin_fields(&p);
	form_input(&p, &code, &f);
	html_put(&p.h,
	    "<div><button>$</button></div></form><p class=\"away\"><a "
	    "href=\"/$/sign-in\">$</a></p></div>",
	    say(&p, SAY_GO_ON), i18n_code(p.language), say(&p, SAY_SIGN_IN_AGAIN));
	page_end(&p, wrong == SAY_COUNT ? 200 : 422);
}

static void show_password_form(struct exchange *x, const struct joining *j, const struct faults *f)
{
	struct page p;
	const char *name;

	begin_form(&p, x, SAY_JOIN_PASSWORD, f);
	name = account_name(j->account, i18n_code(p.language));
	html_put(&p.h,
	    "<dl class=\"facts\"><div><dt>$</dt><dd dir=\"auto\">$</dd></div><div><dt>$</dt><dd>",
	    say(&p, SAY_NAME), name ? name : j->link.user, say(&p, SAY_ORGANISATION));
	page_name(&p, "orgs", json_text(j->account, "org"));
	html_put(&p.h, "</dd></div><div><dt>$</dt><dd><strong>$</strong></dd></div></dl>",
	    say(&p, SAY_USER_ID), j->link.user);
	begin_fields(&p);
	html_put(&p.h,
	    "<input type=\"hidden\" name=\"code\" value=\"$\">"
	    "<input type=\"hidden\" name=\"step\" value=\"password\">"
	    "<input type=\"text\" name=\"username\" value=\"$\" autocomplete=\"username\" "
	    "hidden readonly>",
	    j->code, j->link.user);
	form_new_password(&p, f);
	html_put(&p.h, "<div><button>$</button></div></form></div>", say(&p, SAY_GO_ON));
	page_end(&p, f->n ? 422 : 200);
}

void page_join(struct exchange *x)
{
	show_code_form(x, SAY_COUNT);
}

/* ---- taking it into use ---- */

static void show_code_wrong(struct exchange *x)
{
	show_code_form(x, SAY_JOIN_CODE_WRONG);
}

/* What the old beginning leaves behind goes. Who has only forgotten the password keeps the second factor. */
static int forget_old(struct joining *j)
{
	unsigned int parts = CREDENTIALS_SESSIONS;

	if (j->link.kind == LINK_EMERGENCY)
		parts |= CREDENTIALS_SECOND_FACTOR;
	return credentials_remove(archive_state(j->app->archive), j->link.user, parts, &j->err);
}

static int activate(struct joining *j)
{
	const struct filing_actor actor = {.user = j->link.user,
	    .org = json_text(j->account, "org"),
	    .authentication = "link",
	    .address = j->address};

	if (account_state(j->account) != ACCOUNT_INVITED)
		return ARK_OK;
	return accounts_user_activate(j->app->archive, &actor, j->link.user, &j->err);
}

/* The access log knows of the password before there is one, also where a second factor is asked for before anybody is signed in. */
static int log_password(struct joining *j)
{
	const char *org = json_text(j->account, "org");
	json_t *record = registry_get(archive_registry(j->app->archive), "orgs", org);
	const char *kind = json_text(record, "kind");
	const struct ledger_record r = {.kind = "credentials",
	    .principal = j->link.user,
	    .org = org,
	    .own_series = kind && strcmp(kind, "ombudsman") == 0,
	    .authentication = "link",
	    .address = j->address,
	    .detail = "{\"what\":\"password\"}"};
	int rc = ledger_append_wait(
	    archive_ledger(j->app->archive, LEDGER_ACCESS), &r, 1, NULL, &j->err);

	json_decref(record);
	return rc;
}

/* In a sign-in thread. The code is used up first, so that two at once do not both set a password. */
static void join_work(void *arg)
{
	struct joining *j = arg;
	struct state *state = archive_state(j->app->archive);
	const char *list = session_settings(j->app)->blocklist;

	j->rc = password_check_new(j->password, j->link.user, account_name(j->account, "fi"),
	    *list ? list : NULL, &j->err);
	j->password_wrong = j->rc == ARK_EINPUT;
	if (!j->rc)
		j->rc = link_use(state, j->code, clock_now_us(), &j->link, &j->err);
	if (!j->rc)
		j->rc = log_password(j);
	if (!j->rc)
		j->rc = forget_old(j);
	if (!j->rc)
		j->rc = password_set(state, j->link.user, j->password, &j->err);
	if (!j->rc)
		j->rc = activate(j);
	if (!j->rc)
		j->rc =
		    credentials_summary(state, j->link.user, clock_now_us(), &j->summary, &j->err);
	sessions_forget(j->app);
}

static void joined(struct exchange *x)
{
	const struct joining *j = http_data(x);

	sign_in_succeeded(x, j->link.user);
	form_go(x, "/account/second-factor");
}

static void join_done(struct exchange *x)
{
	struct joining *j = http_data(x);
	bool required = session_settings(j->app)->second_factor_required;
	struct session wish = {.method = "password", .enrolling = required};
	struct faults f = {0};

	if (j->password_wrong) {
		fault_add(&f, "new", form_said(x, password_fault(j->password)));
		show_password_form(x, j, &f);
	} else if (j->rc == ARK_ENOTFOUND) {
		session_refused(x, NULL, "link", "wrong", show_code_wrong);
	} else if (j->rc) {
		http_reply_error(x, &j->err);
	} else if (j->summary.totp) {
		step_set(x, j->link.user, j->summary.password_us);
		step_show(x, NULL);
	} else {
		session_begin(x, j->link.user, &wish, joined);
	}
	sodium_memzero(j->password, sizeof(j->password));
}

static struct joining *joining_new(struct exchange *x)
{
	struct joining *j = calloc(1, sizeof(*j));

	if (!j) {
		http_reply_problem(x, 503, "out-of-memory", NULL, NULL);
		return NULL;
	}
	j->app = app_of(x);
	snprintf(j->address, sizeof(j->address), "%s", http_peer(x));
	form_text(x, "code", j->code, sizeof(j->code));
	http_set_data(x, j, joining_end);
	return j;
}

static void show_wait(struct exchange *x, unsigned int seconds)
{
	http_reply_headerf(x, "Retry-After", "%u", seconds);
	http_reply_problem(x, 429, "wait", NULL, NULL);
}

void page_join_post(struct exchange *x)
{
	const char *step = http_form(x, "step");
	struct joining *j;
	struct faults f = {0};
	unsigned int wait;
	int rc;

	if (!form_open_sent(x)) {
		show_code_form(x, SAY_FORM_OLD);
		return;
	}
	j = joining_new(x);
	if (!j)
		return;
	wait = sign_in_wait(x, NULL);
	if (wait) {
		show_wait(x, wait);
		return;
	}
	rc = find(j);
	if (rc == ARK_ENOTFOUND) {
		sign_in_failed(x, NULL);
		session_refused(x, NULL, "link", "wrong", show_code_wrong);
	} else if (rc) {
		http_reply_error(x, &j->err);
	} else if (!step || !form_new_password_typed(x, j->password, &f)) {
		show_password_form(x, j, &f);
	} else {
		sign_in_work(x, join_work, j, join_done);
	}
}
