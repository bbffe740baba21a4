#include "api/operation.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "api/handlers.h"
#include "arkki/archive/filing.h"
#include "arkki/archive/ledger.h"
#include "arkki/archive/scrub.h"
#include "arkki/archive/store.h"
#include "arkki/archive/verified.h"
#include "arkki/base/clock.h"
#include "arkki/base/fs.h"
#include "arkki/base/json.h"
#include "arkki/base/version.h"

void operation_gate(struct exchange *x)
{
	const struct http_route *route = http_route(x);

	if (route && !(route->flags & ROUTE_HEALTH))
		http_reply_problem(x, 404, "not-found", NULL, NULL);
}

void health_get(struct exchange *x)
{
	http_reply_json(x, 200, json_pack("{s:s}", "status", "ok"));
}

void ready_get(struct exchange *x)
{
	struct archive *a = app_of(x)->archive;
	struct ark_error log = {0}, room = {0};
	int stopped = ledger_alive(archive_ledger(a, LEDGER_ACCESS), &log);
	int full = filing_room(a, &room);

	if (!stopped)
		stopped = ledger_alive(archive_ledger(a, LEDGER_HISTORY), &log);
	http_reply_json(x, stopped ? 503 : 200,
	    json_pack("{s:s,s:s*,s:s,s:s*}", "status", stopped ? "stopped" : "ok", "reason",
		stopped ? log.text : NULL, "filing", full ? "stopped" : "ok", "filingReason",
		full ? room.text : NULL));
}

void version_get(struct exchange *x)
{
	http_reply_json(
	    x, 200, json_pack("{s:s,s:i}", "version", ARKKI_VERSION, "format", ARCHIVE_FORMAT));
}

/* ---- metrics ---- */

static void add_gauge(struct buf *out, const char *name, const char *help, long long value)
{
	buf_addf(out, "# HELP %s %s\n# TYPE %s gauge\n%s %lld\n", name, help, name, name, value);
}

static void add_counter(struct buf *out, const char *name, const char *help, uint64_t value)
{
	buf_addf(out, "# HELP %s %s\n# TYPE %s counter\n%s %llu\n", name, help, name, name,
	    (unsigned long long)value);
}

static long long scrub_number(const json_t *of, const char *member)
{
	return json_integer_value(json_object_get(of, member));
}

/* Of the last pass that was whole, and of what is known to be broken now. */
static void scrub_metrics(struct archive *a, struct buf *out)
{
	json_t *scrub = scrub_status(a), *last = json_object_get(scrub, "last");
	const char *whole = json_text(scrub, "lastWhole"), *outcome = json_text(last, "outcome");
	int64_t at = 0;

	if (whole && clock_parse(whole, &at))
		add_gauge(out, "arkki_scrub_last_time_seconds", "When a whole scrub last ended.",
		    (long long)(at / 1000000));
	add_gauge(out, "arkki_scrub_last_failed", "1 when the last scrub did not come to its end.",
	    outcome && strcmp(outcome, "failed") == 0);
	add_gauge(out, "arkki_scrub_last_faults", "Damage that the last scrub found.",
	    scrub_number(last, "faultCount"));
	add_gauge(out, "arkki_scrub_faults", "Damage that is known now.",
	    scrub_number(scrub, "faultCount"));
	add_gauge(
	    out, "arkki_scrub_bytes", "Read by the scrub so far.", scrub_number(scrub, "bytes"));
	json_decref(scrub);
}

/* Of the last full check that came to its end, and of what is broken since. */
static void verify_metrics(struct archive *a, struct buf *out)
{
	enum verified_scope scope;
	const json_t *full;
	json_t *last = NULL;
	int64_t at = 0;

	if (verified_last(a, &last, NULL))
		return;
	full = json_object_get(json_object_get(last, "full"), "last");
	if (json_text(full, "time") && clock_parse(json_text(full, "time"), &at))
		add_gauge(out, "arkki_verify_last_time_seconds",
		    "When a full check of everything last ended.", (long long)(at / 1000000));
	add_gauge(out, "arkki_verify_broken",
	    "1 when a check found faults and no full one since found everything whole.",
	    verified_judge(last, VERIFIED_EVERY_DAYS, clock_now_us(), &scope) == VERIFIED_BROKEN);
	json_decref(last);
}

static long backup_time(struct archive *a)
{
	char path[4096];
	struct buf text = BUF_INIT;
	json_t *last = NULL;
	int64_t at = 0;

	if (!fs_path(path, NULL, "%s/backup.state", archive_dir(a)) &&
	    !fs_read_file(path, 1 << 20, &text, NULL) &&
	    !json_read(text.data, text.len, &last, NULL) && json_text(last, "time"))
		(void)clock_parse(json_text(last, "time"), &at);
	json_decref(last);
	buf_free(&text);
	return (long)(at / 1000000);
}

/* What prometheus' own clients tell of a process. */
static void process_metrics(const struct app *app, struct buf *out)
{
	FILE *f = fopen("/proc/self/statm", "re");
	unsigned long pages = 0;

	if (f) {
		/* NOLINTNEXTLINE(cert-err34-c): a number that the kernel wrote; none is 0 */
		if (fscanf(f, "%*u %lu", &pages) != 1)
			pages = 0;
		(void)fclose(f);
	}
	add_gauge(out, "process_resident_memory_bytes", "Resident memory.",
	    (long long)pages * sysconf(_SC_PAGESIZE));
	add_gauge(out, "process_start_time_seconds", "When the server started.",
	    (long long)(app->started_us / 1000000));
}

static void disk_metrics(struct archive *a, struct buf *out)
{
	uint64_t left, reserve;

	if (filing_disk(archive_dir(a), &left, &reserve, NULL))
		return;
	add_gauge(out, "arkki_disk_left_bytes", "Free for the archive.", (long long)left);
	add_gauge(
	    out, "arkki_disk_reserve_bytes", "Below it nothing is filed.", (long long)reserve);
}

void metrics_get(struct exchange *x)
{
	struct app *app = app_of(x);
	struct archive *a = app->archive;
	struct buf out = BUF_INIT;
	struct ark_error err;
	long backup = backup_time(a);

	buf_addf(&out, "# TYPE arkki_build_info gauge\narkki_build_info{version=\"%s\"} 1\n",
	    ARKKI_VERSION);
	add_counter(&out, "arkki_commits", "Commits of the store.", archive_sequence(a));
	add_gauge(&out, "arkki_indexed_commits", "Commits that can be searched.",
	    (long long)app_indexed(app));
	add_counter(&out, "arkki_access_entries", "Entries of the access log.",
	    ledger_size(archive_ledger(a, LEDGER_ACCESS)));
	add_counter(&out, "arkki_history_entries", "Entries of the history log.",
	    ledger_size(archive_ledger(a, LEDGER_HISTORY)));
	add_gauge(&out, "arkki_logs_alive", "0 when a log has stopped and nothing can be read.",
	    !ledger_alive(archive_ledger(a, LEDGER_ACCESS), &err) &&
		!ledger_alive(archive_ledger(a, LEDGER_HISTORY), &err));
	add_gauge(
	    &out, "arkki_filing", "0 when nothing can be filed.", filing_room(a, &err) == ARK_OK);
	add_gauge(&out, "arkki_packs", "Packs of the store.", store_packs(archive_store(a)));
	if (backup)
		add_gauge(&out, "arkki_backup_last_time_seconds", "When a backup last ended.",
		    (long long)backup);
	disk_metrics(a, &out);
	scrub_metrics(a, &out);
	verify_metrics(a, &out);
	process_metrics(app, &out);
	traffic_metrics(app->traffic, &out);
	http_reply_buf(x, 200, "text/plain; version=0.0.4; charset=utf-8", &out);
}
