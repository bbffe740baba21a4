/* Identity providers: where an organisation's people sign in. Listed, added, changed, tried and taken away. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/oidc_private.h"
#include "api/pages/account.h"
#include "api/pages/administration.h"
#include "api/providers.h"
#include "arkki/base/json.h"

enum { LANGUAGES = 3 };
static const char *const languages[LANGUAGES] = {"fi", "sv", "en"};
static const char *const name_fields[LANGUAGES] = {"name-fi", "name-sv", "name-en"};

/* ---- the list ---- */

/* Has it answered since the server began? */
static bool answers(struct app *app, const char *id)
{
	struct oidc_provider *provider = oidc_find(app, id);
	json_t *document = provider ? oidc_provider_kept(provider) : NULL;
	bool has = document != NULL;

	json_decref(document);
	oidc_provider_unref(provider);
	return has;
}

static void write_provider(struct page *p, const char *id, const json_t *config)
{
	const char *name = i18n_name(p->language, config, NULL);

	html_put(&p->h,
	    "<tr role=\"row\"><td role=\"cell\" data-label=\"$\"><a "
	    "href=\"/$/admin/providers/$\" dir=\"auto\">$</a></td><td role=\"cell\" "
	    "data-label=\"$\">",
	    say(p, SAY_NAME), i18n_code(p->language), id, name, say(p, SAY_ORGANISATION));
	page_name(p, "orgs", json_text(config, "org"));
	html_put(&p->h, "</td><td role=\"cell\" data-label=\"$\"><code>$</code></td>",
	    say(p, SAY_PROVIDER_ISSUER), json_text(config, "issuer"));
	administration_cell(p, SAY_STATE,
	    say(p, answers(app_of(p->x), id) ? SAY_PROVIDER_ANSWERS : SAY_PROVIDER_SILENT));
	html_raw(&p->h, "</tr>");
}

void page_admin_providers(struct exchange *x)
{
	static const enum say heads[] = {
	    SAY_NAME, SAY_ORGANISATION, SAY_PROVIDER_ISSUER, SAY_STATE};
	json_t *all = NULL, *config;
	struct ark_error err;
	const char *id;
	struct page p;

	if (!administration_permitted(x))
		return;
	if (providers_shown(app_of(x), &all, &err)) {
		http_reply_error(x, &err);
		return;
	}
	administration_begin(&p, x, SAY_PROVIDERS, "/admin/providers", NULL);
	if (http_query(x, "saved"))
		html_put(&p.h, "<p class=\"note\" role=\"status\">$</p>", say(&p, SAY_KEPT_SAVED));
	html_put(&p.h, "<p>$</p><p><a href=\"/$/admin/new-provider\">$</a></p>",
	    say(&p, SAY_PROVIDERS_WHAT), i18n_code(p.language), say(&p, SAY_PROVIDER_NEW));
	if (json_object_size(all)) {
		administration_table(&p, heads, sizeof(heads) / sizeof(*heads));
		json_object_foreach(all, id, config)
		{
			write_provider(&p, id, config);
		}
		html_raw(&p.h, "</tbody></table>");
	} else {
		html_put(&p.h, "<p>$</p>", say(&p, SAY_DUE_NONE));
	}
	page_end(&p, 200);
	json_decref(all);
}

/* ---- the form ---- */

struct shown {
	const json_t *config; /* what stands in the fields */
	const char *id;       /* of the one that is changed; NULL: a new one */
	const struct faults *faults;
	const char *detail; /* what the check said, in English */
	bool good;          /* it was tried, and nothing is wrong */
};

static void write_text(struct page *p, const struct shown *s, const char *name, enum say label,
    enum say help, const char *value)
{
	const struct form_input in = {.name = name,
	    .label = label,
	    .help = help,
	    .autocomplete = strcmp(name, "clientSecret") == 0 ? "new-password" : "off",
	    .value = value,
	    .maxlength = "500"};

	form_input(p, &in, s->faults);
}

static void write_user(struct page *p, const struct shown *s)
{
	static const struct {
		const char *match;
		enum say said;
	} ways[] = {{"id", SAY_PROVIDER_BY_ID}, {"email", SAY_PROVIDER_BY_EMAIL},
	    {"identity", SAY_PROVIDER_BY_BOUND}};
	const json_t *user = json_object_get(s->config, "user");
	const char *match = json_text(user, "match");

	administration_select(p, "match", SAY_PROVIDER_MATCH, SAY_PROVIDER_MATCH_HELP, s->faults);
	for (size_t i = 0; i < sizeof(ways) / sizeof(*ways); i++)
		administration_option(
		    p, ways[i].match, say(p, ways[i].said), match ? match : "identity");
	html_raw(&p->h, "</select></div>");
	write_text(
	    p, s, "claim", SAY_PROVIDER_CLAIM, SAY_PROVIDER_CLAIM_HELP, json_text(user, "claim"));
	administration_choice(p, "create", SAY_PROVIDER_CREATE, SAY_PROVIDER_CREATE_HELP,
	    json_is_true(json_object_get(s->config, "create")));
}

static void write_fields(struct page *p, const struct shown *s)
{
	static const enum say names[LANGUAGES] = {
	    SAY_TYPE_NAME_FI, SAY_TYPE_NAME_SV, SAY_TYPE_NAME_EN};
	const json_t *name = json_object_get(s->config, "name");
	const char *org = json_text(s->config, "org");

	if (!s->id)
		write_text(
		    p, s, "id", SAY_PROVIDER_ID, SAY_PROVIDER_ID_HELP, json_text(s->config, "id"));
	for (size_t i = 0; i < LANGUAGES; i++)
		write_text(
		    p, s, name_fields[i], names[i], SAY_COUNT, json_text(name, languages[i]));
	administration_select(p, "org", SAY_ORGANISATION, SAY_PROVIDER_ORG_HELP, s->faults);
	administration_option(p, "", say(p, SAY_FILING_CHOOSE), org ? org : "");
	administration_records(p, "orgs", org ? org : "");
	write_text(p, s, "issuer", SAY_PROVIDER_ISSUER, SAY_PROVIDER_ISSUER_HELP,
	    json_text(s->config, "issuer"));
	write_text(p, s, "clientId", SAY_PROVIDER_CLIENT, SAY_PROVIDER_CLIENT_HELP,
	    json_text(s->config, "clientId"));
	write_text(p, s, "clientSecret", SAY_PROVIDER_SECRET,
	    s->id ? SAY_PROVIDER_SECRET_KEPT : SAY_PROVIDER_SECRET_HELP, NULL);
	write_user(p, s);
}

static void write_remove(struct page *p, const struct shown *s)
{
	html_put(&p->h,
	    "<h2>$</h2><form class=\"stack\" method=\"post\" action=\"/$/admin/providers/$\" "
	    "novalidate><input type=\"hidden\" name=\"step\" value=\"remove\">",
	    say(p, SAY_PROVIDER_REMOVE), i18n_code(p->language), s->id);
	page_form_field(p, "provider");
	administration_choice(
	    p, "remove", SAY_PROVIDER_REMOVE_SURE, SAY_PROVIDER_REMOVE_HELP, false);
	html_put(&p->h, "<div><button>$</button></div></form>", say(p, SAY_PROVIDER_REMOVE));
}

/* Of the page itself, without the language. */
static void place_of(const char *id, char out[100])
{
	if (id)
		snprintf(out, 100, "/admin/providers/%.64s", id);
	else
		snprintf(out, 100, "/admin/new-provider");
}

static void write_forms(struct page *p, const struct shown *s)
{
	char place[100];

	place_of(s->id, place);
	if (!administration_fresh(p, place))
		return;
	html_put(&p->h, "<form class=\"stack\" method=\"post\" action=\"/$$\" novalidate>",
	    i18n_code(p->language), place);
	page_form_field(p, "provider");
	write_fields(p, s);
	html_put(&p->h,
	    "<div class=\"acts\"><button name=\"step\" value=\"try\">$</button> <button "
	    "name=\"step\" value=\"save\">$</button></div></form>",
	    say(p, SAY_PROVIDER_TRY), say(p, SAY_PROVIDER_SAVE));
	if (s->id)
		write_remove(p, s);
}

static void show_provider(struct exchange *x, const struct shown *s)
{
	struct page p;

	administration_begin(
	    &p, x, s->id ? SAY_PROVIDER_CHANGE : SAY_PROVIDER_NEW, "/admin/providers", s->faults);
	if (s->detail)
		html_put(&p.h, "<p class=\"hint\">$ <span lang=\"en\" dir=\"auto\">$</span></p>",
		    say(&p, SAY_PROVIDER_SAID), s->detail);
	if (s->good)
		html_put(
		    &p.h, "<p class=\"note\" role=\"status\">$</p>", say(&p, SAY_PROVIDER_GOOD));
	html_put(&p.h, "<p>$</p>", say(&p, SAY_PROVIDER_CHANGE_WHAT));
	write_forms(&p, s);
	page_end(&p, s->faults && s->faults->n ? 422 : 200);
}

/* The one that is changed; NULL: replied. */
static json_t *find_provider(struct exchange *x)
{
	json_t *all = NULL, *config = NULL;
	struct ark_error err;

	if (providers_shown(app_of(x), &all, &err)) {
		http_reply_error(x, &err);
		return NULL;
	}
	config = json_incref(json_object_get(all, http_param(x, 0)));
	json_decref(all);
	if (!config)
		http_reply_problem(x, 404, "not-found", NULL, NULL);
	return config;
}

void page_admin_provider_new(struct exchange *x)
{
	const struct shown s = {0};

	if (administration_permitted(x))
		show_provider(x, &s);
}

void page_admin_provider(struct exchange *x)
{
	json_t *config = administration_permitted(x) ? find_provider(x) : NULL;
	const struct shown s = {.config = config, .id = config ? http_param(x, 0) : NULL};

	if (config)
		show_provider(x, &s);
	json_decref(config);
}

/* ---- what was sent ---- */

static void take_text(struct exchange *x, json_t *config, const char *field, const char *member)
{
	char text[2001];

	form_text(x, field, text, sizeof(text));
	if (*text)
		json_object_set_new(config, member, json_string(text));
	else
		json_object_del(config, member);
}

/* What the fields do not show (roles, strength, certificates) stays as it is. NULL: no memory. */
static json_t *typed(struct exchange *x, const json_t *stands)
{
	static const char *const members[] = {"org", "issuer", "clientId", "clientSecret"};
	json_t *config = stands ? json_deep_copy(stands) : json_object();
	json_t *name = json_object(), *user = json_object();

	if (!stands)
		take_text(x, config, "id", "id");
	for (size_t i = 0; i < sizeof(members) / sizeof(*members); i++)
		take_text(x, config, members[i], members[i]);
	for (size_t i = 0; i < LANGUAGES; i++)
		take_text(x, name, name_fields[i], languages[i]);
	take_text(x, user, "match", "match");
	take_text(x, user, "claim", "claim");
	json_object_del(config, "create");
	if (http_form(x, "create"))
		json_object_set_new(config, "create", json_true());
	if (json_object_set_new(config, "name", name) ||
	    json_object_set_new(config, "user", user)) {
		json_decref(config);
		return NULL;
	}
	return config;
}

/* What the check says begins with the member, or says what of the discovery document is wrong. */
static void add_fault(struct exchange *x, const char *text, struct faults *f)
{
	static const struct {
		const char *part, *field;
		enum say said;
	} known[] = {{"id:", "id", SAY_TYPE_ID_WRONG}, {"org:", "org", SAY_RULE_ORG_WRONG},
	    {"issuer:", "issuer", SAY_PROVIDER_ISSUER_WRONG},
	    {"clientId:", "clientId", SAY_PROVIDER_CLIENT_WRONG},
	    {"clientSecret:", "clientSecret", SAY_PROVIDER_SECRET_WRONG},
	    {"name:", "name-fi", SAY_PROVIDER_NAME_WRONG},
	    {"user.match:", "match", SAY_RULE_CHOOSE},
	    {"user.claim:", "claim", SAY_PROVIDER_CLAIM_WRONG},
	    {"another issuer", "issuer", SAY_PROVIDER_OTHER_ISSUER},
	    {"PKCE", "issuer", SAY_PROVIDER_NO_PKCE},
	    {"no client secret", "issuer", SAY_PROVIDER_NO_SECRET},
	    {"no algorithm", "issuer", SAY_PROVIDER_NO_ALGORITHM},
	    {"that may be used", "issuer", SAY_PROVIDER_NO_ADDRESS},
	    {"no JSON", "issuer", SAY_PROVIDER_NO_DOCUMENT},
	    {"it answers", "issuer", SAY_PROVIDER_NO_DOCUMENT},
	    {"discovery document", "issuer", SAY_PROVIDER_NO_ANSWER}};

	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++) {
		bool member = known[i].part[strlen(known[i].part) - 1] == ':';

		if (member ? strncmp(text, known[i].part, strlen(known[i].part)) == 0
			   : strstr(text, known[i].part) != NULL) {
			fault_add(f, known[i].field, form_said(x, known[i].said));
			return;
		}
	}
	fault_add(f, "issuer", form_said(x, SAY_PROVIDER_UNFIT));
}

static bool is_new(const struct exchange *x)
{
	return strstr(http_path(x), "/admin/new-provider") != NULL;
}

static void told(struct exchange *x, int rc, const json_t *config, const struct ark_error *err)
{
	const char *step = http_form(x, "step");
	struct faults f = {0};
	struct shown s = {
	    .config = config, .id = is_new(x) ? NULL : http_param(x, 0), .faults = &f, .good = !rc};

	if (rc == ARK_EINPUT) {
		add_fault(x, err->text, &f);
		s.detail = err->text;
	} else if (rc && rc != ARK_ENOTFOUND) {
		http_reply_problem(x, 503, "provider", NULL, NULL);
		return;
	}
	if (!f.n && (rc || !step || strcmp(step, "try") != 0))
		form_go(x, "/admin/providers?saved=1");
	else
		show_provider(x, &s);
}

static void show_fault(struct exchange *x, json_t *config, const char *field, enum say what)
{
	struct faults f = {0};
	const struct shown s = {
	    .config = config, .id = is_new(x) ? NULL : http_param(x, 0), .faults = &f};

	fault_add(&f, field, form_said(x, what));
	show_provider(x, &s);
	json_decref(config);
}

static void remove_provider(struct exchange *x, const json_t *stands)
{
	if (http_form(x, "remove"))
		provider_act(x, http_param(x, 0), NULL, PROVIDER_REMOVE, told);
	else
		show_fault(x, json_deep_copy(stands), "remove", SAY_PROVIDER_REMOVE_WRONG);
}

static bool id_taken(struct exchange *x, const json_t *config)
{
	json_t *all = NULL;
	const char *id = json_text(config, "id");
	bool taken =
	    id && !providers_shown(app_of(x), &all, NULL) && json_object_get(all, id) != NULL;

	json_decref(all);
	return taken;
}

/* stands: NULL for a new one. */
static void keep_provider(struct exchange *x, const json_t *stands, bool try_only)
{
	json_t *config = typed(x, stands);
	const char *id = json_text(config, "id");
	struct ark_error err;

	if (!config) {
		http_reply_problem(x, 503, "out-of-memory", NULL, NULL);
	} else if (!stands && id_taken(x, config)) {
		show_fault(x, config, "id", SAY_TYPE_ID_TAKEN);
	} else if (stands && provider_keep_secret(app_of(x), config, &err)) {
		http_reply_error(x, &err);
		json_decref(config);
	} else {
		provider_act(
		    x, id ? id : "", config, try_only ? PROVIDER_TRY : PROVIDER_KEEP, told);
	}
}

static void consider(struct exchange *x, const json_t *stands)
{
	const char *step = http_form(x, "step");
	char place[100];

	place_of(stands ? http_param(x, 0) : NULL, place);
	if (!account_may_change(x, NULL, place))
		return;
	if (!page_form_sent(x, "provider"))
		show_fault(x, typed(x, stands), "issuer", SAY_FORM_OLD);
	else if (stands && step && strcmp(step, "remove") == 0)
		remove_provider(x, stands);
	else
		keep_provider(x, stands, step && strcmp(step, "try") == 0);
}

void page_admin_provider_new_post(struct exchange *x)
{
	if (administration_permitted(x))
		consider(x, NULL);
}

void page_admin_provider_post(struct exchange *x)
{
	json_t *stands = administration_permitted(x) ? find_provider(x) : NULL;

	if (stands)
		consider(x, stands);
	json_decref(stands);
}
