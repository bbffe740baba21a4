/* The page of a replay: what an organisation could and did know. */
#include <stdio.h>
#include <string.h>

#include "api/report_page_private.h"
#include "arkki/base/json.h"

static void put_decision(struct page *p, const char *action, const json_t *decision)
{
	const json_t *policies = json_object_get(decision, "policies");
	json_t *id;
	size_t i;

	html_put(&p->h, "<br>$: $ (", report_term(p, action, true),
	    report_term(p, json_text(decision, "outcome"), false));
	json_array_foreach(policies, i, id)
	{
		html_put(&p->h, "$$", i ? ", " : "", json_string_value(id));
	}
	if (json_array_size(policies) == 0)
		html_text(&p->h, report_say(p, W_NO_POLICY));
	html_raw(&p->h, ")");
}

static void put_seen(struct page *p, const json_t *of_role)
{
	char version[24];

	snprintf(version, sizeof(version), "%lld",
	    (long long)json_integer_value(json_object_get(of_role, "version")));
	if (json_is_true(json_object_get(of_role, "sees")) &&
	    json_is_integer(json_object_get(of_role, "version")))
		html_put(&p->h, " · $ $", report_say(p, W_SEES), version);
}

static void put_could(struct page *p, const json_t *roles, const json_t *could)
{
	json_t *of_role;
	size_t i;

	html_put(&p->h, "<p>$:</p><ul>", report_say(p, W_POLICIES));
	json_array_foreach(could, i, of_role)
	{
		const char *action;
		json_t *decision;

		html_put(&p->h, "<li><b>$</b>", json_text(json_array_get(roles, i), "roles"));
		put_seen(p, of_role);
		json_object_foreach(of_role, action, decision)
		{
			if (json_is_object(decision))
				put_decision(p, action, decision);
		}
		html_raw(&p->h, "</li>");
	}
	html_raw(&p->h, "</ul>");
}

static void put_opened(struct page *p, const json_t *document)
{
	const json_t *opened = json_object_get(document, "opened");
	json_t *entry;
	size_t i;

	if (json_array_size(opened) == 0) {
		html_put(&p->h, "<p>$</p>", report_say(p, W_NOT_OPENED));
		return;
	}
	html_put(&p->h, "<p>$:</p><ul>", report_say(p, W_OPENED));
	json_array_foreach(opened, i, entry)
	{
		report_put_entry(p, entry, entry, NULL);
		report_end_entry(p, json_object_get(entry, "index"));
	}
	html_raw(&p->h, "</ul>");
	if (json_is_true(json_object_get(document, "openedCut")))
		html_put(&p->h, "<p>$</p>", report_say(p, W_CUT));
}

static void put_replayed(struct page *p, const json_t *roles, const json_t *d)
{
	const char *title = json_text(d, "title"), *id = json_text(d, "id");
	const char *verdict = report_verdict_words(p, json_text(d, "verdict"));

	html_put(&p->h, "<section><h2>$</h2><p><code>$</code></p>", title ? title : id, id);
	if (verdict)
		html_put(&p->h, "<p><b>$</b></p>", verdict);
	html_raw(&p->h, "<dl>");
	report_put_pair(p, W_TYPE, json_text(d, "type"));
	report_put_day(p, json_text(d, "date"));
	report_put_pair(p, W_PUBLICITY, report_term(p, json_text(d, "publicity"), false));
	report_put_number(p, W_VERSION, json_object_get(d, "version"));
	html_raw(&p->h, "</dl>");
	if (json_object_get(d, "tombstone"))
		html_put(&p->h, "<p>$</p>", report_say(p, W_TOMBSTONE));
	put_could(p, roles, json_object_get(d, "could"));
	put_opened(p, d);
	html_raw(&p->h, "</section>");
}

static void put_line(struct page *p, const json_t *line)
{
	json_t *org;
	size_t i;

	if (json_array_size(line) < 2)
		return;
	html_put(&p->h, "<dt>$</dt><dd>", report_say(p, W_LINE));
	json_array_foreach(line, i, org)
	{
		html_put(&p->h, "$$", i ? ", " : "", json_string_value(org));
	}
	html_raw(&p->h, "</dd>");
}

static void put_roles(struct page *p, const json_t *roles)
{
	json_t *of;
	size_t i;

	html_put(&p->h, "<dt>$</dt><dd>", report_say(p, W_ROLES));
	json_array_foreach(roles, i, of)
	{
		char users[24];

		snprintf(users, sizeof(users), "%lld",
		    (long long)json_integer_value(json_object_get(of, "users")));
		html_put(&p->h, "$$ ($)", i ? ", " : "", json_text(of, "roles"), users);
	}
	html_raw(&p->h, "</dd>");
}

void report_put_replay(struct page *p, const json_t *report)
{
	const json_t *roles = json_object_get(report, "roles");
	json_t *document;
	size_t i;

	report_put_named(p, W_ORG, json_object_get(report, "org"));
	report_put_named(p, W_UNIT, json_object_get(report, "unit"));
	report_put_time_pair(p, W_AT, json_text(report, "at"));
	report_put_pair(p, W_ROLE, json_text(report, "role"));
	put_line(p, json_object_get(report, "line"));
	report_put_number(p, W_RIGHTS, json_object_get(report, "policiesVersion"));
	put_roles(p, roles);
	html_raw(&p->h, "</dl>");
	json_array_foreach(json_object_get(report, "documents"), i, document)
	{
		put_replayed(p, roles, document);
	}
}
