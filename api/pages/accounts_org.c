/* An organisation, for who manages its accounts: what is registered of it, and emergency access to it. */
#include "api/pages/accounts.h"
#include "arkki/base/json.h"

static enum say kind_said(const char *name)
{
	static const enum say said[] = {SAY_KIND_STATE_AGENCY, SAY_KIND_COUNTY,
	    SAY_KIND_MUNICIPALITY, SAY_KIND_OMBUDSMAN, SAY_KIND_PROVIDER};
	enum access_org_kind kind;

	return name && access_org_kind_parse(name, &kind) ? said[kind] : SAY_COUNT;
}

static void write_names(struct page *p, const json_t *org)
{
	static const char *const languages[] = {"fi", "sv", "en"};
	const json_t *name = json_object_get(org, "name");
	bool any = false;

	account_fact_begin(p, SAY_NAME);
	if (json_is_string(name))
		html_text(&p->h, json_string_value(name));
	for (size_t i = 0; i < 3; i++) {
		const char *text = json_text(name, languages[i]);

		if (!text)
			continue;
		if (any)
			html_raw(&p->h, "<br>");
		html_raw(&p->h, "<span");
		page_lang(p, languages[i]);
		html_put(&p->h, ">$</span>", text);
		any = true;
	}
	account_fact_end(p);
}

static void write_contacts(struct page *p, const json_t *list)
{
	const json_t *user;
	bool any = false;
	size_t i;

	account_fact_begin(p, SAY_CONTACTS);
	json_array_foreach(list, i, user)
	{
		if (account_state(user) != ACCOUNT_ACTIVE ||
		    !(account_roles_of(user) & ACCESS_CONTACT))
			continue;
		if (any)
			html_raw(&p->h, ", ");
		html_put(&p->h, "<bdi>$</bdi>", account_name(user, i18n_code(p->language)));
		any = true;
	}
	if (!any)
		html_raw(&p->h, "–");
	account_fact_end(p);
}

void accounts_org_write(struct page *p, const json_t *org, const json_t *list)
{
	const json_t *before = json_object_get(org, "predecessors"), *one;
	json_int_t every = json_integer_value(json_object_get(org, "confirmEvery"));
	enum say kind = kind_said(json_text(org, "kind"));
	char count[I18N_SIZE];
	size_t i;

	html_put(
	    &p->h, "<details><summary>$</summary><dl class=\"facts\">", say(p, SAY_ACCOUNTS_ORG));
	write_names(p, org);
	if (kind != SAY_COUNT)
		account_fact(p, SAY_ORG_KIND, say(p, kind));
	account_fact(p, SAY_BUSINESS_ID, json_text(org, "businessId"));
	account_fact_begin(p, SAY_VALID);
	account_days_write(p, org);
	account_fact_end(p);
	write_contacts(p, list);
	if (json_array_size(before)) {
		account_fact_begin(p, SAY_PREDECESSORS);
		json_array_foreach(before, i, one)
		{
			if (i)
				html_raw(&p->h, ", ");
			if (json_is_string(one))
				page_name(p, "orgs", json_string_value(one));
		}
		account_fact_end(p);
	}
	if (every > 0) {
		i18n_number(count, p->language, (uint64_t)every);
		account_fact_begin(p, SAY_CONFIRM_EVERY);
		page_say(p, i18n_plural(SAY_EVERY_DAYS, (uint64_t)every), count);
		account_fact_end(p);
	}
	html_raw(&p->h, "</dl></details>");
}

void accounts_emergency_write(struct page *p, const json_t *list)
{
	const json_t *user;
	bool any = false;
	size_t i;

	json_array_foreach(list, i, user)
	{
		const json_t *e = json_object_get(user, "emergency");
		const char *reason = json_text(e, "reason");
		char day[I18N_SIZE];

		if (!e)
			continue;
		if (!any)
			html_raw(&p->h, "<div class=\"errors\" role=\"status\">");
		any = true;
		i18n_date(day, json_text(e, "day"));
		html_raw(&p->h, "<p dir=\"auto\">");
		page_say(p, SAY_EMERGENCY_NOTE, day, account_name(user, i18n_code(p->language)),
		    reason ? reason : "–");
		html_raw(&p->h, "</p>");
	}
	if (any)
		html_put(&p->h, "<p>$</p></div>", say(p, SAY_EMERGENCY_WHAT));
}
