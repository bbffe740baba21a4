/* "Check the seal": what was looked at now of one version, in plain words, and what it would mean if it were otherwise.
 *
 * The look reads the whole content, so that it is made in a thread of its own, under the entry of the access log that says
 * who asked for it. Nothing of the content is shown. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/pages/document.h"
#include "api/past_work.h"
#include "arkki/archive/proving.h"
#include "arkki/base/clock.h"
#include "arkki/base/json.h"

struct seal_look { /* the visit's `more` */
	struct visit *v;
	bool open;
	struct proving found;
	struct ark_error error;
	struct past_work work;
};

static void look_free(void *arg)
{
	struct seal_look *k = arg;

	past_work_end(&k->work);
	free(k);
}

/* ---- the page ---- */

static enum say proven_said(enum proven found)
{
	static const enum say said[] = {[PROVEN_HOLDS] = SAY_SEAL_HOLDS,
	    [PROVEN_FALSE] = SAY_SEAL_FALSE,
	    [PROVEN_NOT] = SAY_SEAL_NOT,
	    [PROVEN_ABSENT] = SAY_SEAL_ABSENT};

	return said[found];
}

static void begin_check(struct page *p, enum proven found, enum say what)
{
	html_put(&p->h, "<li class=\"check\"><h2>$: <strong class=\"$\">$</strong></h2><p>",
	    say(p, what), found == PROVEN_FALSE ? "false" : "said", say(p, proven_said(found)));
}

static void end_check(struct page *p, enum say otherwise)
{
	html_put(&p->h, "</p><p class=\"hint\">$</p></li>", say(p, otherwise));
}

static void write_bytes(struct page *p, const struct seal_look *k, const struct card *card)
{
	char size[I18N_SIZE];

	i18n_bytes(size, p->language, k->found.size);
	begin_check(p, k->found.bytes, SAY_SEAL_BYTES);
	page_say(p, k->found.bytes == PROVEN_NOT ? SAY_SEAL_BYTES_NOT : SAY_SEAL_BYTES_HOW, size);
	if (k->open)
		html_put(&p->h, " <span class=\"code\">SHA-256 $</span>",
		    json_text(card->version, "sha256"));
	end_check(p, SAY_SEAL_BYTES_ELSE);
}

static void write_log(struct page *p, const struct proving *f)
{
	char index[I18N_SIZE], size[I18N_SIZE];

	i18n_number(index, p->language, f->index);
	i18n_number(size, p->language, f->tree_size);
	begin_check(p, f->entry, SAY_SEAL_ENTRY);
	page_say(p, f->filed[0] ? SAY_SEAL_ENTRY_HOW : SAY_SEAL_ENTRY_NONE, index);
	html_raw(&p->h, " ");
	page_time(p, f->filed[0] ? f->filed : NULL);
	end_check(p, SAY_SEAL_ENTRY_ELSE);
	begin_check(p, f->included, SAY_SEAL_INCLUDED);
	page_say(p, SAY_SEAL_INCLUDED_HOW, size);
	end_check(p, SAY_SEAL_INCLUDED_ELSE);
	begin_check(p, f->signature, SAY_SEAL_SIGNATURE);
	html_text(&p->h, say(p, SAY_SEAL_SIGNATURE_HOW));
	end_check(p, SAY_SEAL_SIGNATURE_ELSE);
}

static void write_witnesses(struct page *p, const struct proving *f)
{
	char size[I18N_SIZE], time[I18N_SIZE];

	i18n_number(size, p->language, f->cosigned_size);
	begin_check(p, f->witnessed, SAY_SEAL_WITNESSES);
	if (!f->has_witnesses)
		html_text(&p->h, say(p, SAY_SEAL_WITNESSES_NONE));
	else if (!f->witnesses_len)
		html_text(&p->h, say(p, SAY_SEAL_WITNESSES_YET));
	else
		page_say(p, SAY_SEAL_WITNESSES_HOW, size);
	for (size_t i = 0; i < f->witnesses_len; i++) {
		i18n_time(time, p->language, f->witnesses[i].time_us);
		html_put(&p->h, "$ $ ($)", i ? "," : "", f->witnesses[i].name, time);
	}
	end_check(p, SAY_SEAL_WITNESSES_ELSE);
}

static void write_result(struct page *p, const struct proving *f)
{
	char now[CLOCK_TEXT_SIZE];
	bool holds = proving_holds(f);

	clock_format(now, clock_now_us());
	html_put(&p->h, "<p class=\"$\" role=\"status\"><strong>$</strong> $ ",
	    holds ? "note" : "note broken", say(p, holds ? SAY_SEAL_WHOLE : SAY_SEAL_BROKEN),
	    say(p, SAY_SEAL_LOOKED));
	page_time(p, now);
	html_raw(&p->h, "</p>");
	if (!holds)
		html_put(&p->h, "<p>$</p><p class=\"code\" lang=\"en\">$</p>",
		    say(p, SAY_SEAL_TELL), f->fault);
}

static void write_seal(struct page *p, const struct seal_look *k, const struct card *card)
{
	const struct catalogue_row *row = &k->v->row;
	struct buf url = BUF_INIT;

	html_put(&p->h, "<article><h1>$</h1>", say(p, SAY_SEAL_TITLE));
	document_back(p, row, card);
	write_result(p, &k->found);
	html_raw(&p->h, "<ol class=\"checks\">");
	write_bytes(p, k, card);
	write_log(p, &k->found);
	write_witnesses(p, &k->found);
	document_path(p, row, row->version, "/proof", &url);
	html_put(&p->h,
	    "</ol><section aria-labelledby=\"proof\"><h2 id=\"proof\">$</h2><p>$</p><p "
	    "class=\"file\"><a class=\"button quiet\" href=\"$\" download=\"$-$.json\">$</a></p>"
	    "</section></article>",
	    say(p, SAY_SEAL_PROOF), say(p, SAY_SEAL_PROOF_HELP), url.data, row->document, "proof",
	    say(p, SAY_SEAL_PROOF_GET));
	buf_free(&url);
}

static void show_seal(struct exchange *x)
{
	struct visit *v = visit_of(x);
	const struct seal_look *k = v->more;
	enum http_language language = HTTP_FI;
	struct card card = {0};
	struct ark_error err = k->error;
	struct page p;
	int rc = err.status;

	page_language(x, &language);
	if (!rc)
		rc = shown_card(v->app->archive, v->receipt, &v->row, &card, &err);
	if (rc) {
		http_reply_error(x, &err);
	} else {
		page_begin(&p, x, i18n_text(language, SAY_SEAL_TITLE));
		write_seal(&p, k, &card);
		page_end(&p, 200);
	}
	card_free(&card);
}

/* ---- the look ---- */

static void look(void *arg)
{
	struct seal_look *k = arg;
	int rc = proving_look(k->v->app->archive, k->v->receipt, &k->v->row, &k->found, &k->error);

	if (!rc)
		k->error.status = ARK_OK;
}

static void begin_look(struct exchange *x)
{
	struct seal_look *k = visit_of(x)->more;

	past_work_begin(&k->work, show_seal);
}

void page_document_seal(struct exchange *x)
{
	struct visit *v = visit_of(x);
	struct ledger_record r;
	struct ark_error err;
	struct seal_look *k;

	if (!v || !document_version_found(x, v, "metadata"))
		return;
	if (!v->row.whole) { /* the proof is of the whole version */
		visit_content_denied(x, "metadata");
		return;
	}
	k = calloc(1, sizeof(*k));
	if (!k) {
		http_reply_problem(x, 503, "out-of-memory", NULL, NULL);
		return;
	}
	k->v = v;
	k->work = (struct past_work){.x = x, .app = v->app, .make = look, .arg = k};
	v->more = k;
	v->more_free = look_free;
	if (visit_content_open(v, &k->open, &err)) {
		http_reply_error(x, &err);
		return;
	}
	r = visit_record(v, "metadata");
	r.detail = "{\"seal\":\"checked\"}";
	visit_log(x, &r, 1, begin_look);
}
