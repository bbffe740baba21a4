/* What stands in the PDF of a visit pack. The text of documents is what was extracted in the sandbox: no file of theirs is
 * parsed here. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/pack_changes.h"
#include "api/pack_private.h"
#include "api/paper.h"
#include "arkki/base/clock.h"
#include "arkki/base/json.h"

/* A longer paragraph is laid out in pieces: the time for one grows faster than its length. */
enum { PIECE = 4000, CHANGES = 60 };

struct sheet {
	struct paper *paper;
	const struct pack *p;
};

static void put_said(const struct sheet *s, enum paper_kind kind, enum say what)
{
	paper_put(s->paper, kind, pack_said(s->p, what));
}

static void put_buf(const struct sheet *s, enum paper_kind kind, struct buf *text)
{
	if (!buf_failed(text) && text->data)
		paper_put(s->paper, kind, text->data);
	buf_free(text);
}

static void put_sentence(
    const struct sheet *s, enum paper_kind kind, enum say what, const char *const *values, size_t n)
{
	struct buf text = BUF_INIT;

	words_say(&s->p->w, &text, what, values, n);
	put_buf(s, kind, &text);
}

/* ---- the front ---- */

static void put_front(const struct sheet *s)
{
	const struct pack *p = s->p;
	const struct caller *c = p->v->caller;
	const char *name = i18n_name(p->w.language, p->unit, NULL);
	struct buf org = BUF_INIT;
	char time[I18N_SIZE];
	int64_t time_us = 0;

	(void)clock_parse(p->time, &time_us);
	i18n_time(time, p->w.language, time_us);
	words_name(&p->w, &org, "orgs", c->who->access.org);
	put_sentence(s, PAPER_H1, SAY_PACK_TITLE, (const char *const[]){name}, 1);
	put_sentence(s, PAPER_PARAGRAPH, SAY_PACK_MADE,
	    (const char *const[]){
		time, c->who->name ? c->who->name : c->who->access.user, org.data},
	    3);
	if (c->purpose)
		put_sentence(s, PAPER_PARAGRAPH, SAY_PACK_PURPOSE_SAID,
		    (const char *const[]){c->purpose}, 1);
	put_said(s, PAPER_HINT, SAY_PACK_SEEN);
	put_said(s, PAPER_H3, SAY_PACK_CONTENTS);
	paper_contents(s->paper);
	buf_free(&org);
}

/* ---- facts, orders, events ---- */

static void put_fact(void *arg, enum say label, const char *value, const char *source)
{
	const struct sheet *s = arg;
	struct buf text = BUF_INIT;

	buf_addf(&text, "%s: %s", pack_said(s->p, label), value);
	put_buf(s, PAPER_ITEM, &text);
	if (*source)
		paper_put(s->paper, PAPER_HINT, source);
}

static void put_orders(const struct sheet *s)
{
	const json_t *order;
	size_t i;

	put_said(s, PAPER_H2, SAY_UNIT_ORDERS);
	if (!json_array_size(s->p->orders))
		put_said(s, PAPER_PARAGRAPH, SAY_UNIT_ORDERS_NONE);
	json_array_foreach(s->p->orders, i, order)
	{
		const char *text = json_text(order, "text"), *ground = json_text(order, "ground");
		struct buf due = BUF_INIT;

		paper_put(s->paper, PAPER_ITEM, text ? text : "");
		words_deadline(&s->p->w, &due, order);
		put_buf(s, PAPER_HINT, &due);
		if (ground)
			put_sentence(
			    s, PAPER_HINT, SAY_UNIT_ORDER_GROUND, (const char *const[]){ground}, 1);
	}
}

static void put_events(const struct sheet *s)
{
	const struct pack *p = s->p;
	const json_t *event;
	char count[I18N_SIZE];
	size_t i;

	put_said(s, PAPER_H2, SAY_UNIT_TIMELINE);
	if (!json_array_size(p->events))
		put_said(s, PAPER_PARAGRAPH, SAY_TIMELINE_NONE);
	json_array_foreach(p->events, i, event)
	{
		struct buf line = BUF_INIT;
		char day[I18N_SIZE];

		i18n_date(day, json_text(event, "date") ? json_text(event, "date") : "");
		buf_addf(&line, "%s  ", day);
		words_event_line(&p->w, event, json_text(p->unit, "id"), &line);
		put_buf(s, PAPER_ITEM, &line);
	}
	if (json_array_size(p->events) < PACK_EVENTS)
		return;
	i18n_number(count, p->w.language, PACK_EVENTS);
	put_sentence(s, PAPER_HINT, SAY_PACK_EVENTS_CUT, (const char *const[]){count}, 1);
}

/* ---- documents ---- */

static size_t piece_len(const char *text, size_t len)
{
	size_t n = len;
	const char *end = memmem(text, len, "\n\n", 2), *page = memchr(text, '\f', len);

	if (end)
		n = (size_t)(end - text);
	if (page && (size_t)(page - text) < n)
		n = (size_t)(page - text);
	if (n <= PIECE)
		return n;
	for (n = PIECE; n > PIECE / 2 && text[n] != ' ' && text[n] != '\n'; n--)
		;
	if (n == PIECE / 2)
		n = PIECE;
	while (n > 1 && ((unsigned char)text[n] & 0xC0) == 0x80)
		n--;
	return n;
}

static void put_text(const struct sheet *s, const struct buf *text)
{
	for (size_t i = 0; i < text->len;) {
		struct buf piece = BUF_INIT;
		size_t n;

		if (strchr("\n\f ", text->data[i])) {
			i++;
			continue;
		}
		n = piece_len(text->data + i, text->len - i);
		buf_add(&piece, text->data + i, n);
		put_buf(s, PAPER_PARAGRAPH, &piece);
		i += n;
	}
}

static void put_title(const struct sheet *s, const struct pack_item *item)
{
	const char *title = json_text(item->card.fields, "title"),
		   *author = json_text(item->card.fields, "author");
	struct buf about = BUF_INIT, name = BUF_INIT;
	char day[I18N_SIZE];

	paper_put(s->paper, PAPER_H3, title ? title : "");
	i18n_date(day, item->row.date);
	words_name(&s->p->w, &about, "types", item->row.type);
	buf_addf(&about, ", %s", day);
	if (author) {
		words_name(&s->p->w, &name, "orgs", author);
		buf_addf(&about, ", %s", name.data ? name.data : author);
	}
	if (item->open && item->form == FORM_PUBLIC)
		buf_addf(&about, ". %s", pack_said(s->p, SAY_PACK_RENDITION));
	put_buf(s, PAPER_HINT, &about);
	buf_free(&name);
}

static void put_why(const struct sheet *s, enum say why)
{
	struct buf text = BUF_INIT;

	if (why == SAY_COUNT)
		return;
	buf_addf(&text, "(%s)", pack_said(s->p, why));
	put_buf(s, PAPER_HINT, &text);
}

static void put_documents(const struct sheet *s, enum pack_part part, enum say heading)
{
	bool any = false;

	for (size_t i = 0; i < s->p->n; i++) {
		const struct pack_item *item = &s->p->items[i];

		if (item->part != part)
			continue;
		if (!any) {
			paper_new_page(s->paper);
			put_said(s, PAPER_H2, heading);
		}
		any = true;
		put_title(s, item);
		put_text(s, &item->text);
		put_why(s, item->why != SAY_COUNT ? item->why : item->why_text);
	}
}

/* ---- plans ---- */

static void put_change(void *arg, const char *paragraph)
{
	const struct buf text = {.data = (char *)(uintptr_t)paragraph, .len = strlen(paragraph)};

	put_text(arg, &text);
}

static void put_compared(
    struct sheet *s, const struct pack_item *now, const struct pack_item *before)
{
	struct buf a = BUF_INIT, b = BUF_INIT;
	size_t added, removed;

	pack_line(s->p, before, &a);
	pack_line(s->p, now, &b);
	put_sentence(
	    s, PAPER_PARAGRAPH, SAY_PACK_COMPARED, (const char *const[]){a.data, b.data}, 2);
	put_said(s, PAPER_PARAGRAPH, SAY_PACK_ADDED);
	added = changes_each(&before->text, &now->text, CHANGES, put_change, s);
	if (!added)
		paper_put(s->paper, PAPER_PARAGRAPH, "–");
	put_said(s, PAPER_PARAGRAPH, SAY_PACK_REMOVED);
	removed = changes_each(&now->text, &before->text, CHANGES, put_change, s);
	if (!removed)
		paper_put(s->paper, PAPER_PARAGRAPH, "–");
	if (!added && !removed)
		put_said(s, PAPER_PARAGRAPH, SAY_PACK_SAME);
	if (added > CHANGES || removed > CHANGES)
		put_said(s, PAPER_HINT, SAY_PACK_MORE);
	buf_free(&a);
	buf_free(&b);
}

static void put_plans(struct sheet *s)
{
	const struct pack *p = s->p;
	bool any = false;

	paper_new_page(s->paper);
	put_said(s, PAPER_H2, SAY_PACK_PLANS);
	for (size_t i = 0; i < p->n; i++) {
		const struct pack_item *now = &p->items[i], *before = now + 1;
		bool pair = i + 1 < p->n && before->part == PART_BEFORE;

		if (now->part != PART_PLAN)
			continue;
		any = true;
		put_title(s, now);
		put_why(s, now->why != SAY_COUNT ? now->why : now->why_text);
		if (!pair)
			put_said(s, PAPER_PARAGRAPH, SAY_PACK_PLAN_ALONE);
		else if (now->text.len && before->text.len)
			put_compared(s, now, before);
		else
			put_why(s, before->why != SAY_COUNT ? before->why : before->why_text);
	}
	if (!any)
		put_said(s, PAPER_PARAGRAPH, SAY_PACK_PLAN_NONE);
}

/* ---- what is not in it ---- */

static void put_left_out(const struct sheet *s)
{
	const struct pack *p = s->p;
	bool any = false;

	put_said(s, PAPER_H2, SAY_PACK_LEFT_OUT);
	for (size_t i = 0; i < p->n; i++) {
		const struct pack_item *item = &p->items[i];
		const enum say whys[] = {item->why, item->why_text, item->why_file};

		for (size_t k = 0; k < 3; k++) {
			struct buf text = BUF_INIT;

			if (whys[k] == SAY_COUNT)
				continue;
			any = true;
			pack_line(p, item, &text);
			buf_addf(&text, ": %s", pack_said(p, whys[k]));
			put_buf(s, PAPER_ITEM, &text);
		}
	}
	if (!any)
		put_said(s, PAPER_PARAGRAPH, p->n ? SAY_PACK_ALL_IN : SAY_PACK_NONE);
}

static void put_all(struct paper *paper, void *arg)
{
	struct sheet s = {paper, arg};

	put_front(&s);
	put_said(&s, PAPER_H2, SAY_UNIT_FACTS);
	words_facts(&s.p->w, s.p->unit, put_fact, &s);
	put_orders(&s);
	put_events(&s);
	put_left_out(&s);
	put_documents(&s, PART_REPORT, SAY_PACK_REPORTS);
	put_documents(&s, PART_ORDERED, SAY_PACK_ORDERED_IN);
	put_plans(&s);
}

int pack_pdf(struct pack *p, struct ark_error *err)
{
	struct buf title = BUF_INIT;
	const char *name = i18n_name(p->w.language, p->unit, NULL);
	struct paper_about about = {
	    .creator = "arkki", .language = i18n_code(p->w.language), .time = p->time, .led = true};
	int rc;

	words_say(&p->w, &title, SAY_PACK_TITLE, (const char *const[]){name}, 1);
	about.title = title.data;
	rc = buf_failed(&title) ? ark_fail(err, ARK_ENOMEM, "no memory for a pack")
				: paper_draw(&about, put_all, p, &p->pdf, err);
	buf_free(&title);
	return rc;
}
