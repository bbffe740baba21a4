/* What checks of the whole archive have found, in plain words: the verdict, what to do, and each check's last result. */
#include <string.h>

#include "api/pages/audit.h"
#include "arkki/archive/verified.h"
#include "arkki/base/clock.h"
#include "arkki/base/json.h"

static void write_count(struct page *p, enum say one, long long n)
{
	char count[I18N_SIZE];

	i18n_number(count, p->language, n > 0 ? (uint64_t)n : 0);
	page_say(p, i18n_plural(one, n > 0 ? (uint64_t)n : 0), count);
}

static long long number(const json_t *object, const char *member)
{
	return (long long)json_integer_value(json_object_get(object, member));
}

static bool is(const json_t *object, const char *member, const char *text)
{
	const char *said = json_text(object, member);

	return said && strcmp(said, text) == 0;
}

/* ---- the verdict ---- */

static void write_verdict(struct page *p, const json_t *checks)
{
	const unsigned long every = verified_every(archive_dir(app_of(p->x)->archive));
	static const struct {
		enum say said, mend;
		bool strong;
	} verdicts[] = {
	    [VERIFIED_BROKEN] = {SAY_VERIFIED_BROKEN, SAY_VERIFIED_MEND_BROKEN, true},
	    [VERIFIED_NEVER] = {SAY_VERIFIED_NEVER, SAY_VERIFIED_MEND_OLD, true},
	    [VERIFIED_OLD] = {SAY_VERIFIED_OLD, SAY_VERIFIED_MEND_OLD, true},
	    [VERIFIED_WELL] = {SAY_VERIFIED_WELL, SAY_VERIFIED_WELL, false},
	};
	enum verified_scope scope;
	enum verified_verdict verdict = verified_judge(checks, every, clock_now_us(), &scope);

	if (verdicts[verdict].strong)
		html_put(&p->h, "<p><strong>$</strong></p>", say(p, verdicts[verdict].said));
	else
		html_put(&p->h, "<p>$</p>", say(p, verdicts[verdict].said));
	if (verdict == VERIFIED_WELL)
		return;
	html_put(&p->h, "<p>$", say(p, verdicts[verdict].mend));
	if (verdict != VERIFIED_BROKEN) {
		html_raw(&p->h, " ");
		write_count(p, SAY_VERIFIED_EVERY, (long long)every);
	}
	html_raw(&p->h, "</p>");
}

/* ---- one result ---- */

static void write_kinds(struct page *p, const json_t *kinds)
{
	static const struct {
		const char *kind;
		enum say said;
	} words[] = {
	    {"content", SAY_VERIFIED_CONTENT},
	    {"records", SAY_VERIFIED_RECORDS},
	    {"store", SAY_VERIFIED_STORE},
	    {"keys", SAY_VERIFIED_KEYS},
	    {"history-log", SAY_LOG_HISTORY},
	    {"access-log", SAY_LOG_ACCESS},
	    {"cosignatures", SAY_WITNESSES},
	    {"catalogue", SAY_VERIFIED_CATALOGUE},
	    {"files", SAY_VERIFIED_FILES},
	};

	html_raw(&p->h, "<ul>");
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
		long long n = number(kinds, words[i].kind);

		if (!n)
			continue;
		html_put(&p->h, "<li>$: ", say(p, words[i].said));
		write_count(p, SAY_VERIFIED_FAULTS, n);
		html_raw(&p->h, "</li>");
	}
	html_raw(&p->h, "</ul>");
}

static void write_outcome(struct page *p, const json_t *result)
{
	json_t *line;
	size_t i;

	if (is(result, "outcome", "whole")) {
		html_put(&p->h, "<p>$</p>", say(p, SAY_VERIFIED_WHOLE));
		return;
	}
	if (is(result, "outcome", "failed")) {
		html_put(&p->h, "<p><strong>$</strong> <span lang=\"en\">$</span></p>",
		    say(p, SAY_VERIFIED_FAILED), json_text(result, "why"));
		return;
	}
	html_raw(&p->h, "<p><strong>");
	write_count(p, SAY_VERIFIED_FAULTS, number(result, "faults"));
	html_raw(&p->h, "</strong></p>");
	write_kinds(p, json_object_get(result, "kinds"));
	html_put(&p->h, "<details><summary>$</summary><ul>", say(p, SAY_VERIFIED_FIRST));
	json_array_foreach(json_object_get(result, "first"), i, line)
	{
		html_put(&p->h, "<li lang=\"en\"><code>$</code></li>", json_string_value(line));
	}
	html_raw(&p->h, "</ul></details>");
}

static void write_fact(struct page *p, enum say term)
{
	html_put(&p->h, "<div><dt>$</dt><dd>", say(p, term));
}

static void write_since(struct page *p, const json_t *since)
{
	long long commits = number(since, "commits"), reads = number(since, "reads");

	write_fact(p, SAY_VERIFIED_SINCE);
	if (!commits && !reads)
		html_text(&p->h, say(p, SAY_VERIFIED_NOTHING_SINCE));
	if (commits)
		write_count(p, SAY_VERIFIED_SINCE_FILED, commits);
	if (commits && reads)
		html_raw(&p->h, " ");
	if (reads)
		write_count(p, SAY_VERIFIED_SINCE_READ, reads);
	html_raw(&p->h, "</dd></div>");
}

static void write_checked(struct page *p, const json_t *checked)
{
	write_fact(p, SAY_VERIFIED_CHECKED);
	write_count(p, SAY_VERIFIED_COMMITS, number(checked, "commits"));
	if (json_object_get(checked, "versions")) {
		html_raw(&p->h, ", ");
		write_count(p, SAY_VERIFIED_VERSIONS, number(checked, "versions"));
		html_raw(&p->h, ", ");
		write_count(p, SAY_VERIFIED_OBJECTS, number(checked, "objects"));
	}
	if (json_object_get(checked, "bytes")) {
		char bytes[I18N_SIZE];

		i18n_bytes(bytes, p->language, (uint64_t)number(checked, "bytes"));
		html_put(&p->h, ", $", bytes);
	}
	html_raw(&p->h, "</dd></div>");
}

static void write_head(struct page *p, const json_t *heads, const char *name, enum say log)
{
	const json_t *head = json_object_get(heads, name);

	if (!json_text(head, "root"))
		return;
	write_fact(p, log);
	write_count(p, SAY_LOG_ENTRIES, number(head, "size"));
	html_put(
	    &p->h, ", $ <code>$</code></dd></div>", say(p, SAY_LOG_ROOT), json_text(head, "root"));
}

static void write_seconds(struct page *p, const json_t *result)
{
	char count[I18N_SIZE];

	i18n_number(count, p->language, (uint64_t)number(result, "seconds"));
	write_fact(p, SAY_VERIFIED_TOOK);
	page_say(p, SAY_VERIFIED_SECONDS, count);
	html_put(&p->h, ", Arkki $</dd></div>", json_text(result, "program"));
}

static void write_result(struct page *p, const json_t *result)
{
	long days = verified_days(result, clock_now_us());

	html_raw(&p->h, "<p>");
	page_time(p, json_text(result, "time"));
	html_raw(&p->h, ", ");
	if (days)
		write_count(p, SAY_AGE_DAYS, days);
	else
		html_text(&p->h, say(p, SAY_VERIFIED_TODAY));
	html_raw(&p->h, "</p>");
	write_outcome(p, result);
	html_raw(&p->h, "<dl class=\"facts\">");
	write_since(p, json_object_get(result, "since"));
	write_checked(p, json_object_get(result, "checked"));
	write_head(p, json_object_get(result, "heads"), "history", SAY_LOG_HISTORY);
	write_head(p, json_object_get(result, "heads"), "access", SAY_LOG_ACCESS);
	write_seconds(p, result);
	html_raw(&p->h, "</dl>");
}

void audit_check_write(struct page *p, const json_t *check, enum say title)
{
	const char *unfinished = json_text(check, "unfinished");
	const json_t *last = json_object_get(check, "last");

	html_put(&p->h, "<h3>$</h3>", say(p, title));
	if (unfinished) {
		html_put(&p->h, "<p><strong>$</strong> ", say(p, SAY_VERIFIED_UNFINISHED));
		page_time(p, unfinished);
		html_put(&p->h, ". $</p>", say(p, SAY_VERIFIED_UNFINISHED_WHAT));
	}
	if (last)
		write_result(p, last);
	else if (!unfinished)
		html_put(&p->h, "<p>$</p>", say(p, SAY_VERIFIED_NONE));
}

void audit_checks_write(struct page *p, const json_t *checks)
{
	html_put(&p->h, "<section><h2>$</h2><p class=\"hint\">$</p>", say(p, SAY_VERIFIEDS),
	    say(p, SAY_VERIFIEDS_WHAT));
	write_verdict(p, checks);
	audit_check_write(p, json_object_get(checks, "full"), SAY_VERIFIED_FULL);
	audit_check_write(p, json_object_get(checks, "light"), SAY_VERIFIED_LIGHT);
	html_raw(&p->h, "</section>");
}
