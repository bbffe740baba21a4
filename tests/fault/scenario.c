#include "tests/fault/scenario.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "arkki/archive/archive.h"
#include "arkki/archive/filing.h"
#include "arkki/archive/reading.h"
#include "arkki/base/fs.h"

/* The documents: one that is there before anything fails, one that is filed meanwhile, one for afterwards. */
#define KEPT "00112233445566778899aabbccddeeff"
#define FILED "11223344556677889900aabbccddeeff"
#define LATER "22334455667788990011aabbccddeeff"

enum { LARGE = 2500000, PIECE = 65536 };

struct world {
	char dir[300], key[300];
	struct archive *a;
	struct told *told;
};

const char *step_name(enum step step)
{
	static const char *const names[STEPS] = {
	    "open", "file", "version", "amend", "rendition", "record", "read", "close", "init"};

	return names[step];
}

static void begin(struct world *w, const char *top, struct told *told)
{
	*w = (struct world){.told = told};
	snprintf(w->dir, sizeof(w->dir), "%s/a", top);
	snprintf(w->key, sizeof(w->key), "%s/root.key", top);
}

static void wrong(struct world *w, const char *what, const struct ark_error *err)
{
	if (!w->told->wrong[0])
		snprintf(w->told->wrong, sizeof(w->told->wrong), "%s%s%s", what, err ? ": " : "",
		    err ? err->text : "");
}

/* ---- contents: each byte follows from its place ---- */

static unsigned char byte_at(size_t i, unsigned int of)
{
	return (unsigned char)('a' + (i * i + i / 7 + of) % 23);
}

static int write_content(struct upload *u, size_t len, unsigned int of, struct ark_error *err)
{
	char piece[PIECE];
	int rc = ARK_OK;

	for (size_t at = 0; !rc && at < len;) {
		size_t n = len - at < PIECE ? len - at : PIECE;

		for (size_t i = 0; i < n; i++)
			piece[i] = (char)byte_at(at + i, of);
		rc = upload_write(u, piece, n, err);
		at += n;
	}
	return rc ? rc : upload_finish(u, "text/plain", err);
}

/* ---- filings ---- */

static int act(struct filing *f, struct ark_error *err)
{
	const struct filing_actor actor = {.user = "maija", .org = "lvv", .roles = "registrar"};

	return f ? filing_set_actor(f, &actor, err) : ark_fail(err, ARK_ENOMEM, "no filing");
}

static int set_fields(struct filing *f, const char *title, struct ark_error *err)
{
	f->fields = json_pack("{s:[s],s:s,s:s,s:s,s:s,s:{s:s},s:s,s:s}", "units", "koivula", "type",
	    "decision", "title", title, "language", "fi", "date", "2026-03-12", "publicity",
	    "class", "secret", "author", "lvv", "state", "final");
	return f->fields ? ARK_OK : ark_fail(err, ARK_ENOMEM, "no fields");
}

static int newest(struct world *w, uint32_t *version, uint32_t *metadata, struct ark_error *err)
{
	struct desk *desk;
	int rc = archive_desk(w->a, &desk, err);

	if (rc)
		return rc;
	rc = catalogue_newest(desk->catalogue, KEPT, version, metadata, err);
	archive_desk_return(w->a, desk);
	return rc;
}

static int get_row(struct world *w, const char *document, uint32_t version,
    struct catalogue_row *row, struct ark_error *err)
{
	struct desk *desk;
	int rc = archive_desk(w->a, &desk, err);

	if (rc)
		return rc;
	rc = catalogue_get(desk->catalogue, document, version, NULL, row, err);
	archive_desk_return(w->a, desk);
	return rc;
}

static int file_content(struct world *w, struct filing *f, const char *document, uint32_t version,
    size_t len, struct ark_error *err)
{
	int rc = act(f, err);

	if (rc)
		return rc;
	snprintf(f->document, sizeof(f->document), "%s", document);
	rc = set_fields(f, "T", err);
	if (!rc)
		rc = upload_new(w->a, document, version, &f->upload, err);
	if (!rc)
		rc = write_content(f->upload, len, version, err);
	return rc ? rc : filing_submit_wait(w->a, f, err);
}

static int file_document(struct world *w, const char *document, size_t len, struct ark_error *err)
{
	struct filing *f = filing_new(FILING_DOCUMENT);
	int rc = file_content(w, f, document, 1, len, err);

	filing_free(f);
	return rc;
}

static int file_version(struct world *w, struct ark_error *err)
{
	uint32_t version = 0, metadata = 0;
	struct filing *f = NULL;
	int rc = newest(w, &version, &metadata, err);

	if (!rc) {
		f = filing_new(FILING_VERSION);
		if (f)
			f->base_version = version, f->base_metadata = metadata;
		rc = file_content(w, f, KEPT, version + 1, LARGE, err);
	}
	if (!rc)
		w->told->version = f->version, w->told->metadata = f->metadata;
	filing_free(f);
	return rc;
}

static int amend(struct world *w, struct ark_error *err)
{
	struct filing *f = filing_new(FILING_METADATA);
	int rc = act(f, err);

	if (!rc)
		rc = newest(w, &f->base_version, &f->base_metadata, err);
	if (!rc)
		rc = set_fields(f, "Another title", err);
	if (!rc) {
		snprintf(f->document, sizeof(f->document), "%s", KEPT);
		rc = filing_submit_wait(w->a, f, err);
	}
	if (!rc)
		w->told->metadata = f->metadata;
	filing_free(f);
	return rc;
}

static int file_rendition(struct world *w, struct ark_error *err)
{
	struct filing *f = filing_new(FILING_RENDITION);
	struct catalogue_row row = {0};
	struct receipt *receipt = NULL;
	int rc = act(f, err);

	if (!rc)
		rc = archive_maintenance(w->a, "test", "rendition", &receipt, err);
	if (!rc)
		rc = get_row(w, KEPT, 1, &row, err);
	if (!rc)
		rc = filing_rendition(w->a, receipt, &row, f, err);
	if (!rc)
		rc = filing_rendition_upload(w->a, f, err);
	if (!rc)
		rc = write_content(f->upload, 3000, 77, err);
	if (!rc)
		rc = filing_submit_wait(w->a, f, err);
	if (!rc)
		w->told->rendition = f->rendition;
	catalogue_row_free(&row);
	receipt_free(receipt);
	filing_free(f);
	return rc;
}

static int file_record(struct world *w, struct ark_error *err)
{
	struct filing *f = filing_new(FILING_RECORD);
	int rc = act(f, err);

	if (!rc) {
		f->record_kind = "units";
		f->record = json_pack(
		    "{s:s,s:{s:s},s:s}", "id", "honkala", "name", "fi", "Honkala", "county", "90");
		rc = f->record ? filing_submit_wait(w->a, f, err)
			       : ark_fail(err, ARK_ENOMEM, "no record");
	}
	filing_free(f);
	return rc;
}

/* ---- reading ---- */

/* Bytes that are not those that were filed are wrong whatever failed; an error is not. */
static int compare(
    struct world *w, struct content *c, size_t len, unsigned int of, struct ark_error *err)
{
	unsigned char piece[PIECE];
	size_t at = 0;

	if (content_size(c) != len)
		wrong(w, "a content of another size", NULL);
	while (at < len) {
		ssize_t n = content_read(c, at, piece, sizeof(piece), err);

		if (n < 0)
			return (int)n;
		if (n == 0)
			break;
		for (ssize_t i = 0; i < n; i++)
			if (piece[i] != byte_at(at + (size_t)i, of))
				wrong(w, "a content with false bytes", NULL);
		at += (size_t)n;
	}
	if (at != len)
		wrong(w, "a content that ends too early", NULL);
	return ARK_OK;
}

static int read_whole(struct world *w, const char *document, uint32_t version, enum form form,
    size_t len, uint64_t *ret_entry, struct ark_error *err)
{
	unsigned int of = form == FORM_PUBLIC ? 77 : version;
	struct catalogue_row row = {0};
	struct receipt *receipt = NULL;
	struct content *c = NULL;
	struct card card = {0};
	int rc = get_row(w, document, version, &row, err);

	if (!rc)
		rc = archive_maintenance(w->a, "test", "read", &receipt, err);
	if (!rc && ret_entry)
		*ret_entry = receipt_first(receipt) + 1;
	if (!rc)
		rc = reading_card(w->a, receipt, &row, &card, err);
	if (!rc)
		rc = reading_content(w->a, receipt, &row, form, &c, err);
	if (!rc)
		rc = compare(w, c, len, of, err);
	content_close(c);
	card_free(&card);
	receipt_free(receipt);
	catalogue_row_free(&row);
	return rc;
}

/* ---- the run ---- */

static int make(struct world *w, struct ark_error *err)
{
	return archive_init(w->dir, w->key, "fault.test", err);
}

static int do_step(struct world *w, enum step step, struct ark_error *err)
{
	switch (step) {
	case STEP_OPEN:
		return archive_open(w->dir, w->key, ARCHIVE_WRITE, NULL, NULL, &w->a, err);
	case STEP_FILE:
		return file_document(w, FILED, 3000, err);
	case STEP_VERSION:
		return file_version(w, err);
	case STEP_AMEND:
		return amend(w, err);
	case STEP_RENDITION:
		return file_rendition(w, err);
	case STEP_RECORD:
		return file_record(w, err);
	case STEP_READ:
		return read_whole(w, KEPT, 1, FORM_WHOLE, 3000, &w->told->read, err);
	case STEP_CLOSE:
		archive_close(w->a);
		return ARK_OK;
	default:
		return make(w, err);
	}
}

void scenario_run(
    const char *top, enum step armed, enum fault_kind kind, unsigned long at, struct told *told)
{
	struct world w;
	int first = armed == STEP_INIT ? STEP_INIT : STEP_OPEN;

	begin(&w, top, told);
	fault_under(top);
	for (int s = first; s < (armed == STEP_INIT ? STEPS : STEP_INIT); s++) {
		struct ark_error err = {0};
		int rc;

		if (s == (int)armed)
			fault_arm(kind, at, &told->fault);
		rc = do_step(&w, (enum step)s, &err);
		if (s == (int)armed)
			fault_disarm();
		told->status[s] = rc;
		snprintf(told->text[s], sizeof(told->text[s]), "%.299s", err.text);
		if (rc < 0 && !err.text[0])
			wrong(&w, "a failure without a word", NULL);
		if (s == STEP_OPEN && rc)
			break;
	}
	told->ended = true;
}

/* ---- what must hold ---- */

static void check_document(struct world *w, const char *document, uint32_t version, size_t len,
    bool acknowledged, const char *what)
{
	struct ark_error err = {0};
	int rc = read_whole(w, document, version, FORM_WHOLE, len, NULL, &err);

	if (rc == ARK_ENOTFOUND && !acknowledged)
		return;
	if (rc)
		wrong(w, what, &err);
}

static void check_numbers(struct world *w)
{
	const struct told *t = w->told;
	struct catalogue_row row = {0};
	struct ark_error err = {0};
	uint32_t version = 0, metadata = 0;

	if (newest(w, &version, &metadata, &err) || get_row(w, KEPT, 1, &row, &err)) {
		wrong(w, "the kept document", &err);
		return;
	}
	if (version < t->version || metadata < t->metadata)
		wrong(w, "an acknowledged version or amendment is lost", NULL);
	if (row.rendition.number < t->rendition)
		wrong(w, "an acknowledged rendition is lost", NULL);
	if (row.rendition.number && read_whole(w, KEPT, 1, FORM_PUBLIC, 3000, NULL, &err) != ARK_OK)
		wrong(w, "the rendition", &err);
	catalogue_row_free(&row);
	if (version > 1)
		check_document(w, KEPT, 2, LARGE, true, "the version");
	if (ledger_size(archive_ledger(w->a, LEDGER_ACCESS)) < t->read)
		wrong(w, "an access entry that a read waited for is lost", NULL);
}

static void check_record(struct world *w)
{
	struct ark_error err = {0};
	struct desk *desk;
	uint32_t number = 0;

	if (archive_desk(w->a, &desk, &err)) {
		wrong(w, "a desk", &err);
		return;
	}
	if (catalogue_record_number(desk->catalogue, "units", "honkala", &number, &err))
		wrong(w, "the record", &err);
	archive_desk_return(w->a, desk);
	if (!number && w->told->status[STEP_RECORD] == ARK_OK)
		wrong(w, "an acknowledged record is lost", NULL);
}

static void note_bad(void *arg, const char *what)
{
	struct ark_error err = {0};

	snprintf(err.text, sizeof(err.text), "%s", what);
	wrong(arg, "verify", &err);
}

static void note_summary(void *arg, const char *line)
{
	(void)arg, (void)line;
}

static void check_verify(struct world *w)
{
	struct ark_error err = {0};
	int rc = archive_verify(w->dir, w->key, true, NULL, NULL, note_bad, note_summary, w, &err);

	if (rc)
		wrong(w, "verify ends with", &err);
}

void scenario_check(const char *top, enum step armed, struct told *told)
{
	struct ark_error err = {0};
	struct world w;
	char conf[400];

	begin(&w, top, told);
	snprintf(conf, sizeof(conf), "%s/arkki.conf", w.dir);
	/* what was never finished says so when it is opened */
	if (armed == STEP_INIT && told->status[STEP_INIT] && !fs_exists(conf))
		return;
	if (archive_open(w.dir, w.key, ARCHIVE_WRITE, NULL, NULL, &w.a, &err)) {
		wrong(&w, "does not open afterwards", &err);
		return;
	}
	if (armed != STEP_INIT) {
		check_document(&w, KEPT, 1, 3000, true, "the kept document");
		check_document(
		    &w, FILED, 1, 3000, told->status[STEP_FILE] == ARK_OK, "the filed document");
		check_numbers(&w);
		check_record(&w);
	}
	if (file_document(&w, LATER, 100, &err))
		wrong(&w, "a filing afterwards", &err);
	archive_close(w.a);
	check_verify(&w);
}

void scenario_base(const char *top, struct told *told)
{
	struct ark_error err = {0};
	struct world w;

	begin(&w, top, told);
	if (make(&w, &err) || archive_open(w.dir, w.key, ARCHIVE_WRITE, NULL, NULL, &w.a, &err) ||
	    file_document(&w, KEPT, 3000, &err))
		wrong(&w, "cannot make an archive", &err);
	told->ended = true;
}
