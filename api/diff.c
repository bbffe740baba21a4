/* Two versions found, their reads logged, opened and compared. */
#include "api/diff.h"

#include <stdlib.h>
#include <string.h>

#include "api/job.h"

/* A comparison takes two seconds of a core at worst; who comes when so many are made is asked to come again. */
enum { AT_ONCE = 8 };

static void let_go(struct comparison *c)
{
	if (c->counted)
		atomic_fetch_sub(&c->app->comparisons, 1);
	c->counted = false;
}

static void comparison_free(void *arg)
{
	struct comparison *c = arg;

	let_go(c);
	word_diff_free(&c->diff);
	for (size_t i = 0; i < 2; i++) {
		catalogue_row_free(&c->row[i]);
		card_free(&c->card[i]);
		buf_wipe_free(&c->words[i]);
	}
	json_decref(c->fields);
	json_decref(c->runs);
	buf_wipe_free(&c->html.out);
	free(c);
}

static enum form form_of(const struct catalogue_row *row)
{
	return row->whole ? FORM_WHOLE : FORM_PUBLIC;
}

/* ---- in the thread of its own ---- */

static int read_texts(struct comparison *c)
{
	int rc = ARK_OK;

	for (size_t i = 0; i < 2 && !rc; i++)
		rc = reading_text(c->app->archive, c->v->receipt, &c->row[i], form_of(&c->row[i]),
		    &c->words[i], &c->err);
	if (rc == ARK_ENOTFOUND) { /* the cache was lost: it comes again */
		c->text = COMPARED_PENDING;
		return ARK_OK;
	}
	if (!rc)
		rc = word_diff(c->words[0].data ? c->words[0].data : "", c->words[0].len,
		    c->words[1].data ? c->words[1].data : "", c->words[1].len, &c->diff, &c->err);
	if (rc != ARK_EINPUT)
		return rc;
	c->text = COMPARED_TOO_LONG;
	return ARK_OK;
}

static void work(void *arg)
{
	struct comparison *c = arg;

	c->rc = ARK_OK;
	for (size_t i = 0; i < 2 && !c->rc; i++)
		c->rc =
		    shown_card(c->app->archive, c->v->receipt, &c->row[i], &c->card[i], &c->err);
	if (!c->rc) {
		c->fields = fields_differences(
		    c->card[0].fields, c->card[1].fields, c->row[0].whole != c->row[1].whole);
		if (!c->fields)
			c->rc = ark_fail(&c->err, ARK_ENOMEM, "no memory for a comparison");
	}
	if (!c->rc && c->text == COMPARED)
		c->rc = read_texts(c);
	if (!c->rc && c->ask->render)
		c->rc = c->ask->render(c);
	let_go(c);
}

/* ---- the request ---- */

static void reply_pending(struct exchange *x)
{
	http_reply_header(x, "Retry-After", "2");
	http_reply_problem(x, 503, "text-pending", NULL, NULL);
}

static void answer(struct exchange *x)
{
	struct comparison *c = job_arg(x);

	if (c->rc)
		http_reply_error(x, &c->err);
	else if (c->text == COMPARED_PENDING && c->ask->now)
		reply_pending(x);
	else
		c->ask->show(x, c);
}

static void logged(struct exchange *x)
{
	struct comparison *c = visit_of(x)->more;

	(void)job_begin(x, c, comparison_free, work, answer);
}

bool comparison_needs_purpose(struct exchange *x, const struct comparison *c)
{
	struct visit *v = visit_of(x);
	bool helps = false;

	for (size_t i = 0; i < 2; i++) {
		enum access_outcome o;

		if (c->open[i])
			continue;
		o = caller_decides(
		    v->caller, v->app, ACCESS_READ_CONTENT, c->card[i].fields, false, NULL)
			.outcome;
		if (o != ACCESS_NEEDS_PURPOSE)
			return false;
		helps = true;
	}
	return helps;
}

static enum compared text_of(const struct comparison *c)
{
	const char *state[2], *reason;

	if (!c->open[0] || !c->open[1])
		return COMPARED_CLOSED;
	for (size_t i = 0; i < 2; i++)
		state[i] = shown_text_state(&c->row[i], &reason);
	if (strcmp(state[0], "none") == 0 || strcmp(state[1], "none") == 0)
		return COMPARED_NONE;
	return strcmp(state[0], "ready") == 0 && strcmp(state[1], "ready") == 0 ? COMPARED
										: COMPARED_PENDING;
}

/* One of the two versions; what was found goes from the visit to the comparison. */
static bool find(struct exchange *x, struct comparison *c, size_t i, uint32_t version)
{
	struct visit *v = c->v;
	struct ark_error err;

	if (!document_found(x, v, "metadata", version))
		return false;
	c->open[i] = !v->row.whole;
	if (v->row.whole && visit_content_open(v, &c->open[i], &err)) {
		http_reply_error(x, &err);
		return false;
	}
	c->row[i] = v->row;
	v->row = (struct catalogue_row){0};
	v->has_row = false;
	return true;
}

/* The visit's row says how much must be known of the read outside before it is shown: the more secret of the two. */
static bool settle_row(struct exchange *x, struct comparison *c)
{
	struct visit *v = c->v;
	size_t i = witnesses_required(c->app->witnesses, c->row[0].publicity) ? 0 : 1;

	v->has_row = catalogue_row_copy(&v->row, &c->row[i]) == ARK_OK;
	if (!v->has_row)
		http_reply_problem(x, 503, "out-of-memory", NULL, NULL);
	return v->has_row;
}

static struct ledger_record record_of(const struct comparison *c, const char *kind, size_t i)
{
	struct ledger_record r = visit_record(c->v, kind);

	r.document = c->row[i].document;
	r.version = c->row[i].version;
	return r;
}

static size_t note_reads(const struct comparison *c, struct ledger_record records[4])
{
	size_t n = 0, versions = c->row[0].version == c->row[1].version ? 1 : 2;

	for (size_t i = 0; i < versions; i++)
		records[n++] = record_of(c, "metadata", i);
	for (size_t i = 0; i < versions; i++) {
		bool denied = c->text == COMPARED_CLOSED && c->ask->asked_text && !c->open[i];

		if (!denied && c->text != COMPARED)
			continue;
		records[n] = record_of(c, "text", i);
		if (denied)
			records[n].outcome = LEDGER_DENIED;
		else if (!c->row[i].whole)
			records[n].detail = "{\"rendition\":\"public\"}";
		n++;
	}
	return n;
}

static bool take_place(struct exchange *x, struct comparison *c)
{
	c->counted = true;
	if (atomic_fetch_add(&c->app->comparisons, 1) < AT_ONCE)
		return true;
	http_reply_header(x, "Retry-After", "2");
	http_reply_problem(x, 503, "busy", NULL, NULL);
	return false;
}

void comparison_begin(struct exchange *x, uint32_t before, uint32_t after, uint64_t context,
    const struct comparison_ask *ask)
{
	struct visit *v = visit_of(x);
	struct comparison *c = v ? calloc(1, sizeof(*c)) : NULL;
	struct ledger_record records[4];

	if (!v)
		return;
	if (!c) {
		http_reply_problem(x, 503, "out-of-memory", NULL, NULL);
		return;
	}
	*c = (struct comparison){
	    .v = v, .app = v->app, .ask = ask, .context = context, .language = http_language(x)};
	v->more = c;
	v->more_free = comparison_free;
	if (!find(x, c, 0, before) || !find(x, c, 1, after) || !settle_row(x, c))
		return;
	c->text = text_of(c);
	if (context == CONTEXT_BAD)
		http_reply_problem(
		    x, 400, "bad-context", "context must be a whole number of words.", NULL);
	else if (c->text == COMPARED_PENDING && ask->now)
		reply_pending(x);
	else if (take_place(x, c))
		visit_log(x, records, note_reads(c, records), logged);
}
