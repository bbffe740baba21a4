/* How the archive does, in one look: what works, what needs a hand, and what that hand should do. */
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>

#include "api/indexer.h"
#include "api/pages/administration.h"
#include "arkki/archive/filing.h"
#include "arkki/archive/key_backups.h"
#include "arkki/archive/scrub.h"
#include "arkki/base/clock.h"
#include "arkki/base/fs.h"
#include "arkki/base/json.h"

enum { BACKUP_STATE_MAX = 64 << 10, BACKUP_HOURS = 48 };

enum verdict { GOOD, CARE, BAD };

static void row_begin(struct page *p, enum say what, enum verdict v)
{
	static const enum say said[] = {SAY_STATE_GOOD, SAY_STATE_CARE, SAY_STATE_BAD};

	html_put(&p->h,
	    "<tr role=\"row\"><th role=\"rowheader\" scope=\"row\">$</th><td role=\"cell\" "
	    "data-label=\"$\">",
	    say(p, what), say(p, SAY_STATE));
	if (v == GOOD)
		html_text(&p->h, say(p, said[v]));
	else
		html_put(&p->h, "<strong>$</strong>", say(p, said[v]));
	html_put(&p->h, "</td><td role=\"cell\" data-label=\"$\">", say(p, SAY_STATE_MORE));
}

static void row_end(struct page *p)
{
	html_raw(&p->h, "</td></tr>");
}

static uint64_t count_of(const json_t *object, const char *member)
{
	return (uint64_t)json_integer_value(json_object_get(object, member));
}

static void write_count(struct page *p, enum say one, uint64_t n)
{
	char count[I18N_SIZE];

	i18n_number(count, p->language, n);
	page_say(p, i18n_plural(one, n), count);
}

static void write_queues(struct page *p, const json_t *status)
{
	uint64_t behind = count_of(json_object_get(status, "indexing"), "behind");
	const json_t *ocr = json_object_get(status, "ocr"),
		     *texts = json_object_get(status, "texts");
	uint64_t pages = count_of(ocr, "pages"), done = count_of(ocr, "pagesDone");

	row_begin(p, SAY_STATE_INDEX, behind > 1000 ? CARE : GOOD);
	if (behind)
		write_count(p, SAY_ADMIN_BEHIND, behind);
	else
		html_text(&p->h, say(p, SAY_ADMIN_INDEXED));
	row_end(p);
	row_begin(p, SAY_STATE_OCR, json_is_true(json_object_get(ocr, "paused")) ? CARE : GOOD);
	write_count(p, SAY_STATE_OCR_PAGES, pages > done ? pages - done : 0);
	row_end(p);
	row_begin(p, SAY_STATE_TEXTS, GOOD);
	write_count(p, SAY_STATE_TEXTS_NONE, count_of(texts, "none"));
	html_put(
	    &p->h, " <a href=\"/$/admin\">$</a>", i18n_code(p->language), say(p, SAY_STATE_WHY));
	row_end(p);
}

static void write_disk(struct page *p, struct archive *a)
{
	struct statvfs fs;
	char left[I18N_SIZE];
	bool room = !filing_room(a, NULL), known = statvfs(archive_dir(a), &fs) == 0;
	bool little = known && fs.f_bavail < fs.f_blocks / 10;

	row_begin(p, SAY_STATE_DISK, !room ? BAD : little ? CARE : GOOD);
	if (known) {
		i18n_bytes(left, p->language, (uint64_t)fs.f_bavail * fs.f_frsize);
		page_say(p, SAY_STATE_DISK_LEFT, left);
	}
	if (!room)
		html_put(&p->h, " $", say(p, SAY_STATE_DISK_FULL));
	row_end(p);
}

static void write_scrub(struct page *p, struct archive *a)
{
	json_t *scrub = scrub_status(a);
	const char *whole = json_text(scrub, "lastWhole"),
		   *outcome = json_text(json_object_get(scrub, "last"), "outcome");
	uint64_t faults = count_of(scrub, "faultCount");
	bool failed = outcome && strcmp(outcome, "failed") == 0;

	row_begin(p, SAY_SCRUB, faults || failed ? BAD : GOOD);
	if (faults) {
		write_count(p, SAY_STATE_FAULTS, faults);
	} else if (failed) {
		html_put(&p->h, "$ <span lang=\"en\">$</span>", say(p, SAY_SCRUB_FAILED),
		    json_text(json_object_get(scrub, "last"), "why"));
	} else if (whole) {
		html_put(&p->h, "$ ", say(p, SAY_SCRUB_LAST));
		page_time(p, whole);
	} else {
		html_text(&p->h, say(p, SAY_SCRUB_NOT_YET));
	}
	row_end(p);
	json_decref(scrub);
}

/* DIR/backup.state is written by `arkki backup`. */
static void write_backup(struct page *p, struct archive *a)
{
	struct buf text = BUF_INIT;
	json_t *state = NULL;
	char path[4096];
	const char *time = NULL;
	int64_t at = 0;

	snprintf(path, sizeof(path), "%s/backup.state", archive_dir(a));
	if (!fs_read_file(path, BACKUP_STATE_MAX, &text, NULL) &&
	    !json_read(text.data ? text.data : "", text.len, &state, NULL))
		time = json_text(state, "time");
	if (!time || !clock_parse(time, &at)) {
		row_begin(p, SAY_STATE_BACKUP, CARE);
		html_text(&p->h, say(p, SAY_STATE_NO_BACKUP));
	} else {
		row_begin(p, SAY_STATE_BACKUP,
		    clock_now_us() - at > (int64_t)BACKUP_HOURS * 3600 * 1000000 ? CARE : GOOD);
		html_put(&p->h, "$ ", say(p, SAY_STATE_BACKUP_OF));
		page_time(p, time);
	}
	row_end(p);
	json_decref(state);
	buf_free(&text);
}

static void write_keys(struct page *p, struct archive *a)
{
	json_t *places = NULL, *place;
	uint64_t failing = 0;
	size_t i, n;
	bool behind;

	if (key_backups_list(archive_dir(a), &places, NULL))
		places = NULL;
	json_array_foreach(places, i, place)
	{
		failing += json_text(place, "error") != NULL;
	}
	n = json_array_size(places);
	behind = key_backups_behind(archive_keyring(a), archive_dir(a));
	row_begin(p, SAY_STATE_KEYS, failing ? BAD : !n || behind ? CARE : GOOD);
	if (!n)
		html_text(&p->h, say(p, SAY_STATE_NO_KEYS));
	else
		write_count(p, SAY_STATE_KEY_PLACES, n);
	if (failing)
		html_put(&p->h, " $", say(p, SAY_STATE_KEYS_FAIL));
	else if (n && behind)
		html_put(&p->h, " $", say(p, SAY_STATE_KEYS_BEHIND));
	row_end(p);
	json_decref(places);
}

static bool witness_fails(const json_t *witness)
{
	const json_t *logs = json_object_get(witness, "logs");

	for (size_t i = 0; i < json_array_size(logs); i++)
		if (json_text(json_array_get(logs, i), "error"))
			return true;
	return false;
}

static void write_witnesses(struct page *p, struct app *app)
{
	json_t *status = app->witnesses ? witnesses_status(app->witnesses) : NULL, *witness;
	const json_t *all = json_object_get(status, "witnesses");
	size_t i, n = json_array_size(all), failing = 0;

	json_array_foreach((json_t *)(uintptr_t)all, i, witness)
	{
		failing += witness_fails(witness);
	}
	row_begin(p, SAY_WITNESSES, failing || !n ? CARE : GOOD);
	if (!n)
		html_text(&p->h, say(p, SAY_STATE_NO_WITNESSES));
	else
		write_count(p, SAY_STATE_WITNESSES, n);
	if (failing) {
		html_raw(&p->h, " ");
		write_count(p, SAY_STATE_WITNESSES_FAIL, failing);
	}
	row_end(p);
	json_decref(status);
}

static void write_logs(struct page *p, struct archive *a)
{
	for (int which = LEDGER_HISTORY; which <= LEDGER_ACCESS; which++) {
		struct ledger *l = archive_ledger(a, (enum ledger_which)which);
		struct ark_error err;
		bool alive = !ledger_alive(l, &err);

		row_begin(p, which == LEDGER_ACCESS ? SAY_LOG_ACCESS : SAY_LOG_HISTORY,
		    alive ? GOOD : BAD);
		write_count(p, SAY_LOG_ENTRIES, ledger_size(l));
		if (!alive)
			html_put(&p->h, ". $", say(p, SAY_LOG_STOPPED));
		row_end(p);
	}
}

void page_admin_state(struct exchange *x)
{
	struct app *app = app_of(x);
	json_t *status = NULL;
	struct ark_error err;
	struct page p;

	if (!administration_permitted(x))
		return;
	if (indexer_status(app->archive, app->indexer, &status, &err)) {
		http_reply_error(x, &err);
		return;
	}
	administration_begin(&p, x, SAY_ADMIN_STATE, "/admin/state", NULL);
	html_put(&p.h,
	    "<table class=\"entries\" role=\"table\"><caption class=\"hidden\">$</caption><thead "
	    "role=\"rowgroup\"><tr role=\"row\"><th role=\"columnheader\" scope=\"col\">$</th><th "
	    "role=\"columnheader\" scope=\"col\">$</th><th role=\"columnheader\" "
	    "scope=\"col\">$</th></tr></thead><tbody role=\"rowgroup\">",
	    say(&p, SAY_ADMIN_STATE), say(&p, SAY_STATE_PART), say(&p, SAY_STATE),
	    say(&p, SAY_STATE_MORE));
	write_queues(&p, status);
	write_disk(&p, app->archive);
	write_scrub(&p, app->archive);
	write_backup(&p, app->archive);
	write_keys(&p, app->archive);
	write_logs(&p, app->archive);
	write_witnesses(&p, app);
	html_raw(&p.h, "</tbody></table>");
	html_put(&p.h, "<p>$ <code>arkki doctor</code></p><p><a href=\"/$/accounts\">$</a></p>",
	    say(&p, SAY_STATE_DOCTOR), i18n_code(p.language), say(&p, SAY_STATE_ACCOUNTS));
	page_end(&p, 200);
	json_decref(status);
}
