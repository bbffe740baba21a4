/* The past of an account: its records, and what else the history log has of it. */
#include <string.h>

#include "api/pages/accounts.h"
#include "arkki/archive/records.h"
#include "arkki/base/clock.h"
#include "arkki/base/json.h"

/* The log is read backwards so far and no further: a page waits for it. */
enum { RECORDS_SHOWN = 30, ENTRIES_READ = 3000, ENTRIES_SHOWN = 30 };

/* ---- what the log has beside the records ---- */

struct events {
	const char *user;
	json_t *list; /* newest first: {"at","by","said"} */
	bool lost;
};

static int said_of(const char *kind, const json_t *detail)
{
	static const struct {
		const char *part;
		enum say said;
	} parts[] = {{"second-factor", SAY_PAST_TAKEN_FACTOR}, {"tokens", SAY_PAST_TAKEN_TOKENS},
	    {"sessions", SAY_PAST_TAKEN_SESSIONS}};
	const json_t *removed = json_object_get(detail, "removed"), *part;
	size_t i;

	if (strcmp(kind, "invitation") == 0)
		return SAY_PAST_LINK;
	if (strcmp(kind, "session") == 0)
		return SAY_PAST_TAKEN_SESSIONS;
	if (strcmp(kind, "token") == 0 && json_is_true(json_object_get(detail, "ended")))
		return SAY_PAST_TAKEN_TOKENS;
	if (strcmp(kind, "credentials") != 0)
		return SAY_COUNT;
	for (size_t k = 0; k < sizeof(parts) / sizeof(*parts); k++) {
		json_array_foreach(removed, i, part)
		{
			const char *name = json_string_value(part);

			if (name && strcmp(name, parts[k].part) == 0)
				return (int)parts[k].said;
		}
	}
	return SAY_PAST_OTHER;
}

static int add_event(void *arg, const struct ledger_entry *e)
{
	struct events *l = arg;
	const json_t *detail = json_object_get(e->a, "detail");
	const char *kind = json_text(e->a, "kind"), *user = json_text(detail, "user");
	int said = kind && user && strcmp(user, l->user) == 0 ? said_of(kind, detail) : SAY_COUNT;
	json_t *event;

	if (said == SAY_COUNT)
		return 0;
	event = json_pack("{s:s*,s:s*,s:i}", "at", json_text(e->a, "time"), "by",
	    json_text(e->b, "principal"), "said", said);
	l->lost |= !event || json_array_append_new(l->list, event) != 0;
	return json_array_size(l->list) >= ENTRIES_SHOWN;
}

static json_t *events_of(struct page *p, const char *user)
{
	const struct ledger_filter newest = {.newest_first = true};
	struct events l = {.user = user, .list = json_array()};
	struct ark_error err;
	int rc = l.list ? ledger_find(archive_ledger(app_of(p->x)->archive, LEDGER_HISTORY),
			      &newest, ENTRIES_READ, add_event, &l, &err)
			: ARK_ENOMEM;

	if (rc < 0 || l.lost)
		p->h.out.failed = true;
	return l.list;
}

/* ---- the page's part ---- */

static void begin_entry(struct page *p, const char *at, const char *by)
{
	struct buf who = BUF_INIT;
	char time[I18N_SIZE] = "";
	int64_t at_us;

	account_actor_add(p, by, &who);
	if (at && clock_parse(at, &at_us))
		i18n_time(time, p->language, at_us);
	html_raw(&p->h, "<li><p class=\"hint\" dir=\"auto\">");
	page_say(p, SAY_PAST_BY, time, who.data);
	html_raw(&p->h, "</p><p>");
	buf_free(&who);
}

/* Those that are not older than `at` (NULL: all that are left). */
static void write_events(struct page *p, json_t *events, const char *at)
{
	int64_t limit = INT64_MIN, its;

	if (at && !clock_parse(at, &limit))
		return;
	while (json_array_size(events)) {
		const json_t *e = json_array_get(events, 0);
		const char *when = json_text(e, "at");

		if (when && clock_parse(when, &its) && its < limit)
			return;
		begin_entry(p, when, json_text(e, "by"));
		html_text(&p->h, say(p, (enum say)json_integer_value(json_object_get(e, "said"))));
		html_raw(&p->h, "</p></li>");
		json_array_remove(events, 0);
	}
}

static void write_record(struct page *p, const json_t *before, const json_t *envelope)
{
	begin_entry(
	    p, json_text(envelope, "time"), json_text(json_object_get(envelope, "actor"), "user"));
	account_changes_write(
	    p, json_object_get(before, "record"), json_object_get(envelope, "record"));
	html_raw(&p->h, "</p></li>");
}

void account_past_write(struct page *p, const char *user)
{
	const struct visit *v = visit_of(p->x);
	struct archive *a = v->app->archive;
	json_t *events = events_of(p, user), *now = NULL, *before = NULL;
	uint32_t number = 0, shown = 0;
	struct ark_error err;
	int rc = accounts_number(a, "users", user, &number, &err);

	html_put(&p->h, "<h2>$</h2><ol class=\"versions\">", say(p, SAY_PAST));
	if (!rc)
		rc = records_read(a, v->receipt, "users", user, number, &now, &err);
	while (!rc && now && shown++ < RECORDS_SHOWN) {
		if (number > 1)
			rc = records_read(a, v->receipt, "users", user, number - 1, &before, &err);
		write_events(p, events, json_text(now, "time"));
		if (!rc)
			write_record(p, before, now);
		json_decref(now);
		now = before;
		before = NULL;
		number--;
	}
	if (!now)
		write_events(p, events, NULL);
	html_raw(&p->h, "</ol>");
	if (now)
		html_put(&p->h, "<p>$</p>", say(p, SAY_PAST_MORE));
	if (rc)
		p->h.out.failed = true;
	json_decref(now);
	json_decref(events);
}
