/* crash-steps make TOP | work TOP SCENARIO… | check TOP: see steps.h. */
#include "tests/crash/steps.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "arkki/archive/disposition.h"
#include "arkki/archive/load.h"
#include "arkki/archive/receipt.h"
#include "arkki/base/clock.h"
#include "arkki/base/text.h"
#include "arkki/index/search.h"

enum { SMALL = 700, LARGE = 2500000, ENTRIES = 300, PACKS = 8 };

static const struct filing_actor maija = {.user = "maija", .org = "lvv", .roles = "registrar"};

void steps_fail(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	_exit(1); /* as it stands: no thread is waited for */
}

static void must(int rc, const struct ark_error *err, const char *what)
{
	if (rc)
		steps_fail("%s: %d %s", what, rc, err->text);
}

void steps_say(struct steps *s, const char *fmt, ...)
{
	char line[400];
	va_list ap;
	int fd = open(s->acks, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
	size_t n;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line) - 1, fmt, ap);
	va_end(ap);
	n = strlen(line);
	line[n] = '\n';
	if (fd < 0 || write(fd, line, n + 1) != (ssize_t)n + 1)
		steps_fail("%s: %s", s->acks, strerror(errno));
	close(fd);
}

void steps_open(struct steps *s, enum archive_mode mode)
{
	struct ark_error err = {0};

	must(archive_open(s->dir, s->key, mode, NULL, NULL, &s->a, &err), &err, "open");
	must(archive_maintenance(s->a, "test", "all", &s->receipt, &err), &err, "maintenance");
}

void steps_close(struct steps *s)
{
	receipt_free(s->receipt);
	archive_close(s->a);
	s->receipt = NULL, s->a = NULL;
}

void steps_name(struct steps *s, char out[33])
{
	s->made++;
	snprintf(out, 33, "%08x%08x%08x%08x", 0x9e3779b9u * s->made, s->made,
	    (unsigned int)getpid(), (unsigned int)(clock_monotonic_us() & 0xffffffff));
}

/* ---- filings ---- */

static struct filing *filing_of(enum filing_kind kind)
{
	struct filing *f = filing_new(kind);
	struct ark_error err = {0};

	if (!f)
		steps_fail("no memory");
	must(filing_set_actor(f, &maija, &err), &err, "actor");
	return f;
}

static json_t *fields_of(const char *title)
{
	return json_pack("{s:[s],s:s,s:s,s:s,s:s,s:{s:s},s:s,s:s}", "units", "koivula", "type",
	    "decision", "title", title, "language", "fi", "date", "2026-03-12", "publicity",
	    "class", "secret", "author", "lvv", "state", "final");
}

static void submit(struct steps *s, struct filing *f)
{
	struct ark_error err = {0};

	must(filing_submit_wait(s->a, f, &err), &err, "filing");
	filing_free(f);
}

/* Bytes that do not compress and differ by seed; their digest ends up in hex. */
static void pour(struct upload *u, unsigned int seed, size_t len, char hex[65])
{
	struct ark_error err = {0};
	char block[4096];

	for (size_t at = 0; at < len; at += sizeof(block)) {
		size_t n = len - at < sizeof(block) ? len - at : sizeof(block);

		for (size_t i = 0; i < n; i++)
			block[i] = (char)('!' + (seed = seed * 1103515245u + 12345u) % 90);
		must(upload_write(u, block, n, &err), &err, "upload");
	}
	must(upload_finish(u, "application/octet-stream", &err), &err, "upload");
	hex_encode(hex, u->sha256, 32);
}

static void row_of(struct steps *s, const char *document, struct catalogue_row *row)
{
	struct ark_error err = {0};
	struct desk *desk;

	must(archive_desk(s->a, &desk, &err), &err, "desk");
	must(catalogue_get(desk->catalogue, document, 0, NULL, row, &err), &err, "row");
	archive_desk_return(s->a, desk);
}

void steps_file(struct steps *s, const char *document, unsigned int version, size_t len)
{
	struct filing *f = filing_of(version == 1 ? FILING_DOCUMENT : FILING_VERSION);
	struct ark_error err = {0};
	char hex[65];

	snprintf(f->document, sizeof(f->document), "%s", document);
	if (version > 1) {
		struct catalogue_row row;

		row_of(s, document, &row);
		f->base_version = row.version, f->base_metadata = row.metadata;
		catalogue_row_free(&row);
	}
	f->fields = fields_of("Otsikko");
	must(upload_new(s->a, document, version, &f->upload, &err), &err, "upload");
	pour(f->upload, s->made * 16 + version, len, hex);
	steps_say(s, "begin version %s %u %s", document, version, hex);
	submit(s, f);
	steps_say(s, "done version %s %u %s", document, version, hex);
}

static void amend(struct steps *s, const char *document)
{
	struct filing *f = filing_of(FILING_METADATA);
	struct catalogue_row row;
	unsigned int next;

	row_of(s, document, &row);
	snprintf(f->document, sizeof(f->document), "%s", document);
	f->base_version = row.version, f->base_metadata = row.metadata;
	f->fields = fields_of("Uusi otsikko");
	next = row.metadata + 1;
	catalogue_row_free(&row);
	steps_say(s, "begin metadata %s %u", document, next);
	submit(s, f);
	steps_say(s, "done metadata %s %u", document, next);
}

static void redact(struct steps *s, const char *document, unsigned int number, bool withdraw)
{
	struct filing *f = filing_of(FILING_RENDITION);
	struct catalogue_row row;
	struct ark_error err = {0};
	char hex[65] = "-";

	row_of(s, document, &row);
	must(filing_rendition(s->a, s->receipt, &row, f, &err), &err, "rendition");
	catalogue_row_free(&row);
	if (!withdraw) {
		must(filing_rendition_upload(s->a, f, &err), &err, "rendition");
		pour(f->upload, number, SMALL, hex);
	}
	steps_say(s, "begin rendition %s %u %s", document, number, hex);
	submit(s, f);
	steps_say(s, "done rendition %s %u %s", document, number, hex);
}

static void record(struct steps *s, const char *kind, const char *value, json_t *record)
{
	struct filing *f = filing_of(FILING_RECORD);
	char id[65];

	snprintf(id, sizeof(id), "%s", json_string_value(json_object_get(record, "id")));
	f->record_kind = kind;
	f->record = record;
	steps_say(s, "begin record %s %s %s", kind, id, value);
	submit(s, f);
	steps_say(s, "done record %s %s %s", kind, id, value);
}

static void unit(struct steps *s, const char *value)
{
	record(s, "units", value,
	    json_pack("{s:s,s:{s:s},s:s,s:s,s:s}", "id", "koivula", "name", "fi", value, "provider",
		"hoiva-oy", "municipality", "091", "county", "90"));
}

static void read_logged(struct steps *s, unsigned int n)
{
	const struct ledger_record r = {
	    .kind = "content", .principal = "maija", .org = "lvv", .roles = "registrar"};
	struct ledger_record all[ENTRIES];
	struct ledger *l = archive_ledger(s->a, LEDGER_ACCESS);
	struct receipt *receipt = NULL;
	struct ark_error err = {0};

	for (unsigned int i = 0; i < n; i++)
		all[i] = r;
	must(ledger_append_wait(l, all, n, &receipt, &err), &err, "access");
	steps_say(s, "done access %llu",
	    (unsigned long long)(receipt_first(receipt) + receipt_count(receipt)));
	receipt_free(receipt);
}

static void publish(struct steps *s, enum ledger_which which)
{
	struct ledger *l = archive_ledger(s->a, which);
	uint64_t size = ledger_size(l);
	struct ark_error err = {0};

	must(ledger_publish(l, size, &err), &err, "publish");
	steps_say(s, "done %s %llu", which == LEDGER_ACCESS ? "access" : "history",
	    (unsigned long long)size);
}

/* ---- scenarios ---- */

static void file_everything(struct steps *s)
{
	char document[33], large[33];

	steps_name(s, document);
	steps_file(s, document, 1, SMALL);
	read_logged(s, 1);
	amend(s, document);
	redact(s, document, 1, false);
	redact(s, document, 2, true);
	steps_file(s, document, 2, SMALL);
	unit(s, "Uusi nimi");
	steps_name(s, large);
	steps_file(s, large, 1, LARGE);
	steps_file(s, large, 2, LARGE);
	publish(s, LEDGER_HISTORY);
	read_logged(s, 1);
}

/* Past the end of a tile: full tiles, then partial ones. */
static void fill_tiles(struct steps *s)
{
	read_logged(s, 1);
	publish(s, LEDGER_ACCESS);
	read_logged(s, ENTRIES);
	publish(s, LEDGER_ACCESS);
	read_logged(s, 3);
	publish(s, LEDGER_ACCESS);
}

/* The archive's own thread may be at it. */
static void compact_now(struct steps *s)
{
	struct ark_error err = {0};
	int rc, tries = 0;

	while ((rc = store_compact(archive_store(s->a), &err)) == ARK_ECONFLICT && tries++ < 200)
		usleep(10000);
	must(rc, &err, "compact");
}

static void compact(struct steps *s)
{
	char document[33];

	for (unsigned int i = 0; i < PACKS; i++) {
		steps_name(s, document);
		steps_file(s, document, 1, SMALL);
	}
	compact_now(s);
	steps_name(s, document);
	steps_file(s, document, 1, SMALL);
}

static void change_keys(struct steps *s)
{
	const struct keyring_change change = {.root_path = s->key};
	struct keyring *k = archive_keyring(s->a);
	struct ark_error err = {0};
	char document[33];

	steps_name(s, document);
	steps_file(s, document, 1, SMALL);
	must(keyring_change(k, &change, &err), &err, "keys");
	steps_say(s, "done epoch %u", keyring_epoch(k));
	steps_name(s, document);
	steps_file(s, document, 1, SMALL);
}

static void destroy(struct steps *s)
{
	const struct disposition_run run = {.actor = &maija};
	struct disposition_result result;
	struct ark_error err = {0};
	char document[33];

	steps_name(s, document);
	steps_file(s, document, 1, SMALL);
	steps_file(s, document, 2, SMALL);
	steps_say(s, "begin destroy %s", document);
	must(disposition_file(s->a, "disposals",
		 json_pack("{s:s,s:s,s:s,s:s,s:{s:s,s:s,s:i,s:s,s:s},s:s,s:s}", "id", document,
		     "state", "approved", "action", "destroy", "ground", "aika", "row", "id", "r",
		     "type", "decision", "years", 0, "from", "document-date", "then", "destroy",
		     "proposedBy", "maija", "approvedBy", "risto"),
		 0, &maija, NULL, &err),
	    &err, "approval");
	must(disposition_run(s->a, &run, &result, &err), &err, "destruction");
	if (result.destroyed != 1)
		steps_fail("destroyed %llu", (unsigned long long)result.destroyed);
	steps_say(s, "done destroy %s", document);
}

void steps_index(struct steps *s, unsigned int commits)
{
	struct search_index *w = NULL;
	struct analyser *analyser = NULL;
	struct ark_error err = {0};
	char dir[500], document[33];
	unsigned long long n;

	snprintf(dir, sizeof(dir), "%s/index/xapian", s->dir);
	must(analyser_new(NULL, &analyser, &err), &err, "analyser");
	must(search_open_writer(dir, analyser, NULL, &w, &err), &err, "index");
	for (unsigned int i = 0; i < commits; i++) {
		static const char *const units[] = {"koivula"}, *const counties[] = {"90"};
		struct search_document d = {.document = document,
		    .version = 1,
		    .only = true,
		    .attributes = {.publicity = "secret",
			.author = "lvv",
			.state = "final",
			.type = "decision",
			.units = units,
			.units_len = 1,
			.counties = counties,
			.counties_len = 1,
			.date = "2026-03-12"},
		    .language = "fi",
		    .date = "2026-03-12",
		    .title = "Tarkastuskertomus",
		    .text = "Lapsia oli paikalla seitsem\xc3\xa4n.",
		    .text_len = 31};

		steps_name(s, document);
		n = search_sequence(w) + 1;
		d.filed = n;
		must(search_put(w, &d, &err), &err, "put");
		steps_say(s, "begin index %llu", n);
		must(search_commit(w, n, &err), &err, "commit");
		steps_say(s, "done index %llu", n);
	}
	search_close(w);
	analyser_free(analyser);
}

static void make(struct steps *s)
{
	struct ark_error err = {0};
	struct load_result loaded;
	json_t *seed = json_pack("{s:[{s:s,s:s,s:{s:s},s:[s]}],s:[{s:s,s:s,s:s,s:[s]}],"
				 "s:[{s:s,s:{s:s},s:s,s:s,s:s,s:s,s:i}]}",
	    "orgs", "id", "lvv", "kind", "state-agency", "name", "fi", "Virasto", "counties", "90",
	    "users", "id", "maija", "org", "lvv", "name", "Maija", "roles", "registrar", "units",
	    "id", "koivula", "name", "fi", "Koivula", "provider", "hoiva-oy", "municipality", "091",
	    "county", "90", "serviceForm", "institution", "places", 7);
	char document[33];

	must(archive_init(s->dir, s->key, "crash.test", &err), &err, "init");
	steps_open(s, ARCHIVE_WRITE);
	must(load_seed(s->a, seed, &maija, &loaded, &err), &err, "seed");
	json_decref(seed);
	steps_name(s, document);
	steps_file(s, document, 1, SMALL);
	redact(s, document, 1, false);
	compact_now(s); /* so that compaction is a scenario of its own */
	steps_close(s);
}

static void work(struct steps *s, const char *scenario)
{
	if (strcmp(scenario, "filing") == 0)
		file_everything(s);
	else if (strcmp(scenario, "tiles") == 0)
		fill_tiles(s);
	else if (strcmp(scenario, "compaction") == 0)
		compact(s);
	else if (strcmp(scenario, "keys") == 0)
		change_keys(s);
	else if (strcmp(scenario, "destruction") == 0)
		destroy(s);
	else if (strcmp(scenario, "index") == 0)
		steps_index(s, 3);
	else if (strcmp(scenario, "start") != 0)
		steps_fail("no scenario %s", scenario);
}

int main(int argc, char **argv)
{
	struct steps s = {0};

	if (argc < 3)
		steps_fail("crash-steps make|work|check TOP [SCENARIO]");
	snprintf(s.top, sizeof(s.top), "%s", argv[2]);
	snprintf(s.dir, sizeof(s.dir), "%s/archive", s.top);
	snprintf(s.key, sizeof(s.key), "%s/root.key", s.top);
	snprintf(s.acks, sizeof(s.acks), "%s/acks", s.top);
	if (strcmp(argv[1], "make") == 0) {
		make(&s);
	} else if (strcmp(argv[1], "check") == 0) {
		steps_check(&s);
	} else {
		steps_open(&s, ARCHIVE_WRITE);
		for (int i = 3; i < argc; i++)
			work(&s, argv[i]);
		steps_close(&s);
	}
	return 0;
}
