/* After a crash: everything that was promised is there and opens, nothing is there that was not begun, the archive goes
 * on working, and everything compares. */
#include "tests/crash/steps.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "arkki/archive/disposition.h"
#include "arkki/base/fs.h"
#include "arkki/base/json.h"
#include "arkki/base/text.h"
#include "arkki/index/search.h"

enum { PROMISES = 500 };

struct promise {
	char what[16], id[65], text[65];
	unsigned int n;
	bool done, seen;
};

struct look {
	struct steps *s;
	struct promise p[PROMISES];
	unsigned int len, faults, versions;
	bool indexed;
};

/* ---- the promises ---- */

static void note(struct look *l, const struct promise *given)
{
	for (unsigned int i = 0; i < l->len; i++) {
		struct promise *p = &l->p[i];

		if (strcmp(p->what, given->what) == 0 && strcmp(p->id, given->id) == 0 &&
		    p->n == given->n && strcmp(p->text, given->text) == 0) {
			p->done |= given->done;
			return;
		}
	}
	if (l->len == PROMISES)
		steps_fail("more promises than expected");
	l->p[l->len++] = *given;
}

static void note_line(struct look *l, char *line)
{
	struct promise p = {0};
	char phase[8], first[65] = "", second[65] = "";

	/* a line that was torn is none: its thing was not told of */
	if (sscanf(line, "%7s %15s %64s %64s %64s", phase, p.what, first, second, p.text) < 3)
		return;
	p.done = strcmp(phase, "done") == 0;
	if (strcmp(p.what, "record") == 0) {
		snprintf(p.id, sizeof(p.id), "%.30s/%.30s", first, second);
	} else if (second[0] || strcmp(p.what, "destroy") == 0) {
		snprintf(p.id, sizeof(p.id), "%s", first);
		p.n = (unsigned int)strtoul(second, NULL, 10);
	} else {
		p.n = (unsigned int)strtoul(first, NULL, 10);
	}
	l->indexed |= strcmp(p.what, "index") == 0;
	note(l, &p);
}

static void read_promises(struct look *l)
{
	struct buf all = {0};
	char *save = NULL;

	if (fs_read_file(l->s->acks, 1 << 20, &all, NULL))
		steps_fail("no acks");
	buf_addc(&all, '\0');
	if (buf_failed(&all))
		steps_fail("no memory");
	for (char *line = strtok_r((char *)all.data, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save))
		note_line(l, line);
	buf_free(&all);
}

static struct promise *promise_of(struct look *l, const char *what, const char *id, unsigned int n)
{
	for (unsigned int i = 0; i < l->len; i++)
		if (strcmp(l->p[i].what, what) == 0 && strcmp(l->p[i].id, id) == 0 &&
		    l->p[i].n == n)
			return &l->p[i];
	return NULL;
}

/* The highest number promised, or begun. */
static unsigned int most(const struct look *l, const char *what, const char *id, bool done)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < l->len; i++)
		if (strcmp(l->p[i].what, what) == 0 && strcmp(l->p[i].id, id) == 0 &&
		    (!done || l->p[i].done) && l->p[i].n > n)
			n = l->p[i].n;
	return n;
}

static void wrong(struct look *l, const char *fmt, ...) ARK_PRINTF(2, 3);
static void wrong(struct look *l, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	l->faults++;
}

/* ---- documents ---- */

static void look_content(
    struct look *l, const struct catalogue_row *row, enum form form, const char *hex)
{
	struct content *c = NULL;
	struct ark_error err = {0};
	struct sha256 *h = sha256_new();
	unsigned char block[16384], digest[32];
	char got[65] = "";
	uint64_t at = 0;
	ssize_t n = -1;

	if (!h || reading_content(l->s->a, l->s->receipt, row, form, &c, &err))
		goto out;
	while ((n = content_read(c, at, block, sizeof(block), &err)) > 0) {
		sha256_update(h, block, (size_t)n);
		at += (uint64_t)n;
	}
	sha256_final(h, digest);
	hex_encode(got, digest, 32);
out:
	if (n != 0 || strcmp(got, hex) != 0)
		wrong(l, "%s v%u does not open as it was filed: %s", row->document, row->version,
		    err.text);
	content_close(c);
	sha256_free(h);
}

static void look_numbers(struct look *l, const struct catalogue_row *row)
{
	unsigned int done = most(l, "rendition", row->document, true),
		     begun = most(l, "rendition", row->document, false);
	struct promise *p;

	if (row->version == 1 && (row->renditions < done || row->renditions > begun))
		wrong(l, "%s has %u renditions of %u promised, %u begun", row->document,
		    row->renditions, done, begun);
	if (row->version == 1 && row->rendition.number) {
		p = promise_of(l, "rendition", row->document, row->rendition.number);
		look_content(l, row, FORM_PUBLIC, p ? p->text : "unknown");
	}
}

static int look_row(void *arg, const struct catalogue_row *row)
{
	struct look *l = arg;
	struct promise *p = promise_of(l, "version", row->document, row->version);
	struct card card = {0};
	struct ark_error err = {0};

	l->versions++;
	if (!p) {
		wrong(l, "%s v%u was never filed", row->document, row->version);
		return 0;
	}
	p->seen = true;
	look_content(l, row, FORM_WHOLE, p->text);
	if (reading_card(l->s->a, l->s->receipt, row, &card, &err))
		wrong(l, "%s v%u: %s", row->document, row->version, err.text);
	card_free(&card);
	look_numbers(l, row);
	return 0;
}

/* The metadata promised last: of the newest version, which may have come with a later record. */
static void look_metadata(struct look *l, struct catalogue *c, const char *document)
{
	unsigned int done = most(l, "metadata", document, true);
	uint32_t version = 0, metadata = 0;

	if (done && (catalogue_newest(c, document, &version, &metadata, NULL) || metadata < done))
		wrong(l, "%s: metadata %u promised, %u there", document, done, metadata);
}

static bool is_gone(struct look *l, const char *document)
{
	json_t *t = disposition_tombstone(archive_registry(l->s->a), document);
	const char *state = json_text(t, "state");
	bool gone = state && strcmp(state, "destroyed") == 0;

	json_decref(t);
	return gone;
}

static void look_documents(struct look *l)
{
	struct ark_error err = {0};
	struct desk *desk;

	if (archive_desk(l->s->a, &desk, &err) || catalogue_all(desk->catalogue, look_row, l, &err))
		steps_fail("catalogue: %s", err.text);
	for (unsigned int i = 0; i < l->len; i++) {
		struct promise *p = &l->p[i];
		bool destroyed = promise_of(l, "destroy", p->id, 0) && is_gone(l, p->id);

		if (strcmp(p->what, "version") == 0 && destroyed && p->seen)
			wrong(l, "%s v%u is destroyed and there", p->id, p->n);
		else if (strcmp(p->what, "version") == 0 && p->done && !p->seen && !destroyed)
			wrong(l, "%s v%u was promised and is not there", p->id, p->n);
		else if (strcmp(p->what, "destroy") == 0 && p->done && !destroyed)
			wrong(l, "%s was destroyed and is not", p->id);
		else if (strcmp(p->what, "metadata") == 0 && !destroyed)
			look_metadata(l, desk->catalogue, p->id);
	}
	archive_desk_return(l->s->a, desk);
}

/* ---- the rest ---- */

static void look_records(struct look *l)
{
	for (unsigned int i = 0; i < l->len; i++) {
		struct promise *p = &l->p[i];
		char kind[65], *id;
		json_t *r;
		const char *name;

		if (strcmp(p->what, "record") != 0)
			continue;
		snprintf(kind, sizeof(kind), "%s", p->id);
		id = strchr(kind, '/');
		*id++ = '\0';
		r = registry_get(archive_registry(l->s->a), kind, id);
		name = json_text(json_object_get(r, "name"), "fi");
		if (p->done && (!name || strncmp(name, p->text, strlen(p->text)) != 0))
			wrong(l, "%s is %s, not %s", p->id, name ? name : "nothing", p->text);
		json_decref(r);
	}
}

static void look_logs(struct look *l)
{
	uint64_t access = ledger_size(archive_ledger(l->s->a, LEDGER_ACCESS)),
		 history = ledger_size(archive_ledger(l->s->a, LEDGER_HISTORY));

	if (access < most(l, "access", "", true) || history < most(l, "history", "", true))
		wrong(l, "the logs have %llu and %llu entries, of %u and %u promised",
		    (unsigned long long)access, (unsigned long long)history,
		    most(l, "access", "", true), most(l, "history", "", true));
	if (keyring_epoch(archive_keyring(l->s->a)) < most(l, "epoch", "", true))
		wrong(l, "the keys are of epoch %u", keyring_epoch(archive_keyring(l->s->a)));
}

static void look_index(struct look *l)
{
	struct analyser *analyser = NULL;
	struct search_index *w = NULL;
	struct ark_error err = {0};
	char dir[500];
	uint64_t n = 0;

	snprintf(dir, sizeof(dir), "%s/index/xapian", l->s->dir);
	if (analyser_new(NULL, &analyser, &err) ||
	    search_open_writer(dir, analyser, NULL, &w, &err)) {
		wrong(l, "index: %s", err.text);
	} else {
		n = search_sequence(w);
		if (n < most(l, "index", "", true) || n > most(l, "index", "", false))
			wrong(l, "the index is at %llu", (unsigned long long)n);
	}
	search_close(w);
	analyser_free(analyser);
	if (n)
		steps_index(l->s, 1);
}

/* What a crash may leave beside is gone after a start. */
static void look_leftovers(struct look *l)
{
	static const char *const left[] = {"archive/keys.next", "root.key.next",
	    "archive/archive.git/refs/heads/main.lock",
	    "archive/archive.git/objects/pack/tmp_pack_arkki",
	    "archive/archive.git/objects/pack/tmp_idx_arkki"};
	char path[500];

	for (size_t i = 0; i < sizeof(left) / sizeof(*left); i++) {
		snprintf(path, sizeof(path), "%s/%s", l->s->top, left[i]);
		if (access(path, F_OK) == 0)
			wrong(l, "%s is left", left[i]);
	}
}

static void bad(void *arg, const char *what)
{
	wrong(arg, "verify: %s", what);
}

static void summary(void *arg, const char *line)
{
	(void)arg;
	printf("%s\n", line);
}

void steps_check(struct steps *s)
{
	static const struct filing_actor maija = {.user = "maija"};
	const struct disposition_run run = {.actor = &maija};
	struct disposition_result result;
	struct look *l = calloc(1, sizeof(*l));
	struct ark_error err = {0};
	char document[33];

	if (!l)
		steps_fail("no memory");
	l->s = s;
	read_promises(l);
	steps_open(s, ARCHIVE_WRITE);
	look_leftovers(l);
	if (disposition_run(s->a, &run, &result, &err))
		wrong(l, "destruction: %s", err.text);
	look_documents(l);
	look_records(l);
	look_logs(l);
	steps_name(s, document);
	steps_file(s, document, 1, 100);
	steps_close(s);
	if (l->indexed)
		look_index(l);
	if (archive_verify(s->dir, s->key, true, NULL, NULL, bad, summary, l, &err) && !l->faults)
		wrong(l, "verify: %s", err.text);
	if (l->faults)
		steps_fail("%u faults", l->faults);
	free(l);
}
