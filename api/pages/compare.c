/* Two versions side by side in words: what of the metadata differs, and the text by word.
 *
 * A long difference is shown in parts. Each part is a request of its own, and a logged read as the first. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/diff.h"
#include "api/memento.h"
#include "api/pages/past.h"
#include "arkki/base/json.h"

enum {
	CONTEXT = 15,
	PART_BYTES = 40 * 1024, /* of markup, so that a page stays below 60 KB */
	SLICE_BYTES = 4 * 1024,
	MARKUP_BYTES = 110, /* around a piece, at most */
};

/* ---- the text, in parts ---- */

struct parts {
	struct page *p;
	size_t wanted, at, used; /* parts from 0; bytes in this one */
};

static size_t escaped_len(const char *text, size_t len)
{
	size_t n = len;

	for (size_t i = 0; i < len; i++)
		if (strchr("<>&\"'", text[i]))
			n += 4;
	return n;
}

/* Up to SLICE_BYTES, not in the middle of a word, or of a character of a very long one. */
static size_t slice_len(const char *text, size_t len)
{
	size_t n = SLICE_BYTES;

	if (len <= n)
		return len;
	while (n && text[n - 1] != ' ' && text[n - 1] != '\n')
		n--;
	if (n)
		return n;
	for (n = SLICE_BYTES; n && ((unsigned char)text[n] & 0xC0) == 0x80;)
		n--;
	return n ? n : SLICE_BYTES;
}

static void add_slice(struct parts *s, const struct piece *piece)
{
	size_t cost = escaped_len(piece->text, piece->len) + MARKUP_BYTES;

	if (s->used && s->used + cost > PART_BYTES) {
		s->at++;
		s->used = 0;
	}
	s->used += cost;
	if (s->at == s->wanted)
		piece_html(&s->p->h, s->p->language, piece);
}

static void add_piece(void *arg, const struct piece *piece)
{
	for (size_t at = 0; at < piece->len;) {
		struct piece slice = *piece;

		slice.text += at;
		slice.len = slice_len(slice.text, piece->len - at);
		if (slice.len < piece->len)
			slice.words = words_count(slice.text, slice.len);
		add_slice(arg, &slice);
		at += slice.len;
	}
}

static size_t wanted_part(const struct exchange *x)
{
	const char *text = http_query(x, "part");
	size_t n = text ? strspn(text, "0123456789") : 0;

	return n >= 1 && n <= 6 && !text[n] && strtoul(text, NULL, 10) ? strtoul(text, NULL, 10) - 1
								       : 0;
}

static void compare_path(
    const struct page *p, const struct comparison *c, size_t part, struct buf *out)
{
	char n[24];

	past_path(p, c->row[0].document, "/compare", out);
	snprintf(n, sizeof(n), "%u", c->row[0].version);
	url_add(out, "from", n);
	snprintf(n, sizeof(n), "%u", c->row[1].version);
	url_add(out, "to", n);
	snprintf(n, sizeof(n), "%zu", part + 1);
	if (part)
		url_add(out, "part", n);
}

/* Where a purpose was stated, it goes with the reader, never in an address. */
static void write_turn(
    struct page *p, const struct comparison *c, const struct stated *s, size_t part, enum say label)
{
	struct buf url = BUF_INIT;

	compare_path(p, c, part, &url);
	if (s->sent) {
		html_put(&p->h, "<li><form method=\"post\" action=\"$\">", url.data);
		purpose_hidden(p, s);
		html_put(&p->h, "<button class=\"quiet\">$</button></form></li>", say(p, label));
	} else {
		html_put(&p->h, "<li><a href=\"$\">$</a></li>", url.data, say(p, label));
	}
	buf_free(&url);
}

static void write_parts(
    struct page *p, const struct comparison *c, const struct stated *s, size_t part, size_t parts)
{
	char at[24], of[24];

	if (parts < 2)
		return;
	snprintf(at, sizeof(at), "%zu", part + 1);
	snprintf(of, sizeof(of), "%zu", parts);
	html_put(&p->h, "<nav class=\"turn\" aria-label=\"$\"><ul>", say(p, SAY_COMPARE_PARTS));
	if (part)
		write_turn(p, c, s, part - 1, SAY_COMPARE_PART_PREVIOUS);
	html_raw(&p->h, "<li>");
	page_say(p, SAY_COMPARE_PART_OF, at, of);
	html_raw(&p->h, "</li>");
	if (part + 1 < parts)
		write_turn(p, c, s, part + 1, SAY_COMPARE_PART_NEXT);
	html_raw(&p->h, "</ul></nav>");
}

/* A part that is not there is the last one. */
static size_t count_parts(struct page *p, const struct comparison *c)
{
	struct parts s = {.p = p, .wanted = SIZE_MAX};

	pieces_each(&c->diff, CONTEXT, add_piece, &s);
	return s.at + 1;
}

static void write_difference(struct page *p, const struct comparison *c, const struct stated *s)
{
	struct parts shown = {.p = p, .wanted = wanted_part(p->x)};
	size_t parts = count_parts(p, c);

	if (shown.wanted >= parts)
		shown.wanted = parts - 1;
	html_put(&p->h, "<p class=\"hint\">$</p>", say(p, SAY_COMPARE_TEXT_HOW));
	if (c->diff.unit == UNIT_LINE)
		html_put(&p->h, "<p class=\"hint\">$</p>", say(p, SAY_COMPARE_BY_LINE));
	write_parts(p, c, s, shown.wanted, parts);
	html_raw(&p->h, "<div class=\"text difference\"");
	page_lang(p, c->row[1].language);
	html_raw(&p->h, ">");
	pieces_each(&c->diff, CONTEXT, add_piece, &shown);
	html_raw(&p->h, "</div>");
	write_parts(p, c, s, shown.wanted, parts);
}

/* ---- why there is none ---- */

static void write_closed(struct page *p, const struct comparison *c, const struct stated *s)
{
	size_t closed = c->open[0] ? 1 : 0;
	const char *case_id = json_text(c->card[closed].fields, "case");
	json_t *record = registry_get(archive_registry(c->app->archive), "cases", case_id);
	const char *number = json_text(record, "diaryNumber");
	bool helps = comparison_needs_purpose(p->x, c);
	struct buf url = BUF_INIT;

	html_put(&p->h, "<p>$ $</p>", say(p, SAY_COMPARE_CLOSED),
	    say(p, helps ? SAY_CLOSED_WHY : SAY_CLOSED_NEVER));
	compare_path(p, c, 0, &url);
	if (helps)
		purpose_ask(p, s, url.data, number ? number : case_id);
	buf_free(&url);
	json_decref(record);
}

static void write_none(struct page *p, const struct comparison *c)
{
	const char *reason;
	char n[16];
	size_t i = strcmp(shown_text_state(&c->row[0], &reason), "none") == 0 ? 0 : 1;

	snprintf(n, sizeof(n), "%u", c->row[i].version);
	html_raw(&p->h, "<p>");
	page_say(p, SAY_COMPARE_NONE, n);
	html_raw(&p->h, "</p>");
	shown_text_state(&c->row[i], &reason);
	if (reason) {
		html_raw(&p->h, "<p class=\"hint\">");
		page_reason(p, reason);
		html_raw(&p->h, "</p>");
	}
}

static void write_text(struct page *p, const struct comparison *c, const struct stated *s)
{
	html_put(&p->h, "<section aria-labelledby=\"text\"><h2 id=\"text\">$</h2>",
	    say(p, SAY_COMPARE_TEXT));
	switch (c->text) {
	case COMPARED:
		write_difference(p, c, s);
		break;
	case COMPARED_CLOSED:
		write_closed(p, c, s);
		break;
	case COMPARED_NONE:
		write_none(p, c);
		break;
	default:
		html_put(&p->h, "<p>$</p>",
		    say(p,
			c->text == COMPARED_PENDING ? SAY_COMPARE_PENDING : SAY_COMPARE_TOO_LONG));
	}
	html_raw(&p->h, "</section>");
}

/* ---- the summary and the metadata ---- */

static void write_summary(struct page *p, const struct comparison *c)
{
	struct buf names = BUF_INIT;

	past_changed_names(p, c->fields, &names);
	html_put(&p->h,
	    "<section aria-labelledby=\"summary\"><h2 id=\"summary\">$</h2><ul "
	    "class=\"summary\"><li>",
	    say(p, SAY_COMPARE_SUMMARY));
	if (names.len)
		page_say(p, SAY_COMPARE_META_CHANGED, names.data);
	else
		html_text(&p->h, say(p, SAY_COMPARE_META_SAME));
	html_raw(&p->h, "</li>");
	if (c->text == COMPARED) {
		html_raw(&p->h, "<li>");
		difference_said(&p->h, p->language, &c->diff);
		html_raw(&p->h, "</li>");
	}
	html_raw(&p->h, "</ul>");
	if (c->row[0].whole != c->row[1].whole)
		html_put(&p->h, "<p class=\"note\" role=\"note\">$</p>", say(p, SAY_COMPARE_FORMS));
	html_raw(&p->h, "</section>");
	buf_free(&names);
}

/* "Versio 1, 12.3.2026 klo 10.15" */
static void head_of(const struct page *p, const struct comparison *c, size_t i, struct buf *out)
{
	const char *sentence = say(p, SAY_COMPARE_OPTION);
	char n[16], time[I18N_SIZE];
	struct html h = {0};

	snprintf(n, sizeof(n), "%u", c->row[i].version);
	i18n_time(time, p->language, memento_time(&c->row[i]));
	html_sentence(&h, sentence, (const char *const[]){n, time}, 2);
	buf_add(out, h.out.data ? h.out.data : "", h.out.len);
	buf_free(&h.out);
}

static void write_metadata(struct page *p, const struct comparison *c)
{
	struct buf before = BUF_INIT, after = BUF_INIT;

	html_put(&p->h, "<section aria-labelledby=\"meta\"><h2 id=\"meta\">$</h2>",
	    say(p, SAY_COMPARE_META));
	if (json_array_size(c->fields)) {
		head_of(p, c, 0, &before);
		head_of(p, c, 1, &after);
		past_changes(p, c->fields, before.data, after.data);
	} else {
		html_put(&p->h, "<p>$</p>", say(p, SAY_COMPARE_META_SAME));
	}
	html_raw(&p->h, "</section>");
	buf_free(&before);
	buf_free(&after);
}

/* ---- the page ---- */

static void begin(struct page *p, struct exchange *x, const struct comparison *c, bool wrong)
{
	enum http_language language = HTTP_FI;
	struct buf title = BUF_INIT;
	struct html h = {0};
	char a[16], b[16];

	page_language(x, &language);
	snprintf(a, sizeof(a), "%u", c->row[0].version);
	snprintf(b, sizeof(b), "%u", c->row[1].version);
	html_sentence(&h, i18n_text(language, SAY_COMPARE_HEAD), (const char *const[]){a, b}, 2);
	buf_addf(&title, "%s%s%s: %s", wrong ? i18n_text(language, SAY_ERROR) : "",
	    wrong ? ": " : "", h.out.data ? h.out.data : "", json_text(c->card[1].fields, "title"));
	page_begin(p, x, title.data);
	buf_wipe_free(&title);
	buf_free(&h.out);
	html_raw(&p->h, "<article>");
	past_head(p, &c->row[1], json_text(c->card[1].fields, "title"));
	html_raw(&p->h, "<h1>");
	page_say(p, SAY_COMPARE_HEAD, a, b);
	html_raw(&p->h, "</h1>");
	past_link(p, &c->row[1]);
}

static void show(struct exchange *x, const struct comparison *c, struct stated *s)
{
	bool closed = c->text == COMPARED_CLOSED && comparison_needs_purpose(x, c), wrong;
	struct page p = {0};

	/* a case there is, and not of this document */
	if (closed && s->sent && !purpose_wrong(s))
		s->case_wrong = SAY_CASE_WRONG;
	wrong = closed && purpose_wrong(s);
	begin(&p, x, c, wrong);
	if (wrong)
		purpose_errors(&p, s, SAY_CLOSED_STILL);
	else if (c->text == COMPARED && s->sent && !purpose_wrong(s))
		purpose_note(&p, s);
	write_summary(&p, c);
	write_metadata(&p, c);
	write_text(&p, c, s);
	html_raw(&p.h, "</article>");
	page_end(&p, wrong ? 422 : 200);
}

static void show_plain(struct exchange *x, struct comparison *c)
{
	show(x, c,
	    &(struct stated){
		.form_wrong = SAY_COUNT, .purpose_wrong = SAY_COUNT, .case_wrong = SAY_COUNT});
}

static void show_stated(struct exchange *x, struct comparison *c)
{
	struct stated s;
	struct ark_error err;

	/* read once more: what it says stands in the request */
	if (purpose_read(x, &s, &err))
		http_reply_error(x, &err);
	else
		show(x, c, &s);
}

/* ---- the request ---- */

static uint32_t version_of(const struct exchange *x, const char *name)
{
	const char *text = http_query(x, name);
	size_t n = text ? strspn(text, "0123456789") : 0;

	return n >= 1 && n <= 6 && !text[n] && text[0] != '0' ? (uint32_t)strtoul(text, NULL, 10)
							      : 0;
}

static void compare(struct exchange *x, const struct comparison_ask *ask)
{
	uint32_t from = version_of(x, "from"), to = version_of(x, "to");

	if (from && to)
		comparison_begin(x, from, to, CONTEXT, ask);
	else
		visit_not_found(x, "metadata", http_param(x, 0), 0);
}

void page_compare(struct exchange *x)
{
	static const struct comparison_ask ask = {.show = show_plain};

	compare(x, &ask);
}

void page_compare_open(struct exchange *x)
{
	static const struct comparison_ask ask = {.asked_text = true, .show = show_stated};
	struct stated s;
	struct ark_error err;

	if (purpose_read(x, &s, &err))
		http_reply_error(x, &err);
	else
		compare(x, &ask);
}
