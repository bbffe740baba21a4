/* Is everything whole? What the last checks found, the two logs, who has witnessed them; and what each means. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "api/pages/audit.h"
#include "arkki/archive/scrub.h"
#include "arkki/archive/verified.h"
#include "arkki/base/clock.h"
#include "arkki/base/json.h"

static void write_time_us(struct page *p, int64_t time_us)
{
	char text[CLOCK_TEXT_SIZE];

	clock_format(text, time_us);
	page_time(p, text);
}

static void write_count(struct page *p, enum say one, uint64_t n)
{
	char count[I18N_SIZE];

	i18n_number(count, p->language, n);
	page_say(p, i18n_plural(one, n), count);
}

/* ---- the reading in the background ---- */

static void write_fault(struct page *p, const json_t *fault)
{
	const char *document = json_text(fault, "document");

	html_put(&p->h, "<li><span lang=\"en\">$</span>", json_text(fault, "what"));
	if (document)
		html_put(&p->h, " <code>$</code>", document);
	if (json_text(fault, "file"))
		html_put(&p->h, " <code>$</code>", json_text(fault, "file"));
	html_raw(&p->h, "</li>");
}

/* Of the pass at work, else of the last: with the document and the file, which the log's entry does not have. */
static void write_faults(struct page *p, const json_t *scrub)
{
	json_t *list = json_object_get(scrub, "faults"), *fault;
	size_t i;

	if (!json_array_size(list))
		list = json_object_get(json_object_get(scrub, "last"), "faults");
	if (!json_array_size(list))
		return;
	html_raw(&p->h, "<ul>");
	json_array_foreach(list, i, fault)
	{
		write_fault(p, fault);
	}
	html_raw(&p->h, "</ul>");
}

static void write_scrub(struct page *p, const json_t *checks)
{
	json_t *scrub = scrub_status(app_of(p->x)->archive);
	const json_t *check = json_object_get(checks, "scrub");
	const char *state = json_text(scrub, "state");

	html_put(&p->h, "<section><h2>$</h2><p class=\"hint\">$</p>", say(p, SAY_SCRUB),
	    say(p, SAY_SCRUB_WHAT));
	if (state && strcmp(state, "running") == 0)
		html_put(&p->h, "<p>$</p>", say(p, SAY_SCRUB_RUNNING));
	else if (state && strcmp(state, "paused") == 0)
		html_put(&p->h, "<p>$</p>", say(p, SAY_SCRUB_PAUSED));
	if (json_object_get(check, "last"))
		audit_check_write(p, check, SAY_VERIFIED_SCRUB);
	else
		html_put(&p->h, "<p>$</p>", say(p, SAY_SCRUB_NOT_YET));
	write_faults(p, scrub);
	html_raw(&p->h, "</section>");
	json_decref(scrub);
}

/* ---- the logs ---- */

/* The checkpoint is written anew whenever the log grows; its second line is the size, its third the root. */
static void write_checkpoint(struct page *p, struct ledger *l, const char *name)
{
	struct buf note = BUF_INIT;
	char path[4096], size[24] = "", root[100] = "", covers[I18N_SIZE];
	struct stat st;

	snprintf(path, sizeof(path), "%s/ledger/%s/checkpoint", archive_dir(app_of(p->x)->archive),
	    name);
	if (!ledger_checkpoint(l, &note, NULL) &&
	    sscanf(note.data, "%*[^\n]\n%23[0-9]\n%99[A-Za-z0-9+/=]", size, root) == 2) {
		html_put(&p->h, "<p>$ ", say(p, SAY_LOG_CHECKPOINT));
		if (stat(path, &st) == 0)
			write_time_us(p, (int64_t)st.st_mtim.tv_sec * 1000000);
		html_raw(&p->h, ", ");
		i18n_number(covers, p->language, strtoull(size, NULL, 10));
		page_say(p, SAY_LOG_COVERS, covers);
		html_put(&p->h, "</p><p>$ <code>$</code></p>", say(p, SAY_LOG_ROOT), root);
	}
	buf_free(&note);
}

static void write_log(struct page *p, enum ledger_which which)
{
	struct ledger *l = archive_ledger(app_of(p->x)->archive, which);
	struct ark_error err;
	bool alive = !ledger_alive(l, &err);

	html_put(&p->h, "<h3>$</h3><p>",
	    say(p, which == LEDGER_ACCESS ? SAY_LOG_ACCESS : SAY_LOG_HISTORY));
	write_count(p, SAY_LOG_ENTRIES, ledger_size(l));
	if (!alive)
		html_put(&p->h, " <strong>$</strong>", say(p, SAY_LOG_STOPPED));
	html_raw(&p->h, "</p>");
	write_checkpoint(p, l, which == LEDGER_ACCESS ? "access" : "history");
}

/* ---- the witnesses ---- */

static void write_witness(struct page *p, const json_t *witness)
{
	json_t *log;
	size_t i;

	html_put(&p->h, "<li><strong dir=\"auto\">$</strong><ul>", json_text(witness, "name"));
	json_array_foreach(json_object_get(witness, "logs"), i, log)
	{
		const char *name = json_text(log, "log"), *time = json_text(log, "time");

		html_put(&p->h, "<li>$: ",
		    say(p, name && strstr(name, "access") ? SAY_LOG_ACCESS : SAY_LOG_HISTORY));
		if (time) {
			write_count(p, SAY_LOG_ENTRIES,
			    (uint64_t)json_integer_value(json_object_get(log, "size")));
			html_put(&p->h, ", $ ", say(p, SAY_WITNESS_SIGNED));
			page_time(p, time);
		} else {
			html_text(&p->h, say(p, SAY_WITNESS_NOT_YET));
		}
		if (json_text(log, "error"))
			html_put(&p->h, ". <strong>$</strong> <span lang=\"en\">$</span>",
			    say(p, SAY_WITNESS_FAILS), json_text(log, "error"));
		html_raw(&p->h, "</li>");
	}
	html_raw(&p->h, "</ul></li>");
}

static void write_cosigned(struct page *p, const json_t *log)
{
	const char *name = json_text(log, "log");

	html_put(&p->h, "<p>$: $ ",
	    say(p, name && strstr(name, "access") ? SAY_LOG_ACCESS : SAY_LOG_HISTORY),
	    say(p, SAY_WITNESS_ENOUGH));
	write_count(
	    p, SAY_LOG_ENTRIES, (uint64_t)json_integer_value(json_object_get(log, "cosignedSize")));
	html_raw(&p->h, ".</p>");
}

static void write_witnesses(struct page *p)
{
	struct app *app = app_of(p->x);
	json_t *status = app->witnesses ? witnesses_status(app->witnesses) : NULL, *one;
	size_t i;

	html_put(&p->h, "<section><h2>$</h2><p class=\"hint\">$</p>", say(p, SAY_WITNESSES),
	    say(p, SAY_WITNESSES_WHAT));
	if (!json_array_size(json_object_get(status, "witnesses"))) {
		html_put(&p->h, "<p>$</p></section>", say(p, SAY_WITNESSES_NONE));
		json_decref(status);
		return;
	}
	json_array_foreach(json_object_get(status, "logs"), i, one)
	{
		write_cosigned(p, one);
	}
	html_raw(&p->h, "<ul>");
	json_array_foreach(json_object_get(status, "witnesses"), i, one)
	{
		write_witness(p, one);
	}
	html_raw(&p->h, "</ul></section>");
	json_decref(status);
}

static void show(struct exchange *x)
{
	json_t *checks = NULL;
	struct ark_error err;
	struct page p;

	if (verified_last(app_of(x)->archive, &checks, &err)) {
		http_reply_error(x, &err);
		return;
	}
	audit_begin(&p, x, SAY_AUDIT_INTEGRITY, "/audit/integrity", NULL);
	audit_checks_write(&p, checks);
	write_scrub(&p, checks);
	json_decref(checks);
	html_put(&p.h, "<section><h2>$</h2><p class=\"hint\">$</p>", say(&p, SAY_LOGS),
	    say(&p, SAY_LOGS_WHAT));
	write_log(&p, LEDGER_ACCESS);
	write_log(&p, LEDGER_HISTORY);
	html_raw(&p.h, "</section>");
	write_witnesses(&p);
	html_put(&p.h,
	    "<section><h2>$</h2><p>$</p><ul><li><code>arkki verify --full</code></li>"
	    "<li><code>/v1/log/history/checkpoint</code></li></ul></section>",
	    say(&p, SAY_VERIFY), say(&p, SAY_VERIFY_WHAT));
	page_end(&p, 200);
}

void page_audit_integrity(struct exchange *x)
{
	struct ledger_record r;

	if (!audit_permitted(x, true))
		return;
	r = visit_record(visit_of(x), "audit");
	r.detail = "{\"view\":\"integrity\"}";
	visit_log(x, &r, 1, show);
}
