/* GET /v1/documents/{d}/versions/{n}/diff/{b}: as JSON, or as HTML for who asks for it. */
#include <stdlib.h>
#include <string.h>

#include "api/diff.h"
#include "arkki/base/json.h"

enum { CONTEXT = 20, CONTEXT_MAX = 1000 };

/* ---- in words ---- */

static void say_count(struct html *h, enum http_language language, enum say what, uint64_t count)
{
	char n[I18N_SIZE];

	i18n_number(n, language, count);
	html_sentence(
	    h, i18n_text(language, i18n_plural(what, count)), (const char *const[]){n}, 1);
}

void difference_said(struct html *h, enum http_language language, const struct word_diff *d)
{
	if (!d->added && !d->removed) {
		html_text(h, i18n_text(language, SAY_DIFF_TEXT_SAME));
		return;
	}
	say_count(h, language, SAY_DIFF_WORDS_ADDED, d->added);
	html_raw(h, ", ");
	say_count(h, language, SAY_DIFF_WORDS_REMOVED, d->removed);
	html_raw(h, ".");
}

/* The white space behind the words stands outside of the mark: it would be underlined. */
static size_t marked_len(const struct piece *piece)
{
	size_t n = piece->len;

	while (n && strchr(" \t\n\v\f\r", piece->text[n - 1]))
		n--;
	return n;
}

static void say_op(struct html *h, enum http_language language, enum say what)
{
	html_put(h, "<span class=\"op\" lang=\"$\">$ </span>", i18n_code(language),
	    i18n_text(language, what));
}

void piece_html(struct html *h, enum http_language language, const struct piece *piece)
{
	size_t n = marked_len(piece);

	switch (piece->op) {
	case PIECE_ADDED:
		html_raw(h, "<ins>");
		say_op(h, language, SAY_DIFF_ADDED);
		html_text_len(h, piece->text, n);
		html_raw(h, "</ins>");
		html_text_len(h, piece->text + n, piece->len - n);
		return;
	case PIECE_REMOVED:
		html_raw(h, "<del>");
		say_op(h, language, SAY_DIFF_REMOVED);
		html_text_len(h, piece->text, n);
		html_raw(h, "</del> ");
		return;
	case PIECE_FOLDED:
		html_put(h, "<details><summary lang=\"$\">", i18n_code(language));
		say_count(h, language, SAY_DIFF_WORDS_SAME, piece->words);
		html_raw(h, "</summary><div>");
		html_text_len(h, piece->text, piece->len);
		html_raw(h, "</div></details>");
		return;
	default:
		html_text_len(h, piece->text, piece->len);
	}
}

/* ---- HTML ---- */

static void add_html(void *arg, const struct piece *piece)
{
	struct comparison *c = arg;

	piece_html(&c->html, c->language, piece);
}

static int render_html(struct comparison *c)
{
	html_put(&c->html,
	    "<!doctype html><html lang=\"$\"><head><meta charset=\"utf-8\"><title>arkki</title>"
	    "</head><body><p>",
	    i18n_code(c->language));
	difference_said(&c->html, c->language, &c->diff);
	html_put(&c->html, "</p><div style=\"white-space:pre-wrap\" dir=\"auto\" lang=\"$\">",
	    c->row[1].language);
	pieces_each(&c->diff, c->context, add_html, c);
	html_raw(&c->html, "</div></body></html>\n");
	return buf_failed(&c->html.out) ? ark_fail(&c->err, ARK_ENOMEM, "no memory for an answer")
					: ARK_OK;
}

/* A problem where there is no text to show: the metadata is JSON's. */
static void show_html(struct exchange *x, struct comparison *c)
{
	switch (c->text) {
	case COMPARED:
		http_reply_header(x, "Vary", "Accept");
		http_reply_header(x, "Cache-Control", "private, no-store");
		http_reply_header(x, "Content-Security-Policy",
		    "default-src 'none'; style-src 'unsafe-inline'; sandbox");
		http_reply_buf(x, 200, "text/html; charset=utf-8", &c->html.out);
		return;
	case COMPARED_CLOSED:
		http_reply_problem(x, 403,
		    comparison_needs_purpose(x, c) ? "purpose-required" : "not-permitted",
		    "Both texts must be open to you.", NULL);
		return;
	case COMPARED_TOO_LONG:
		http_reply_problem(
		    x, 422, "too-long", "The texts are too long to be compared.", NULL);
		return;
	default:
		http_reply_problem(x, 404, "no-text", "A version has no text.", NULL);
	}
}

/* ---- JSON ---- */

static void add_json(void *arg, const struct piece *piece)
{
	static const char *const names[] = {"same", "removed", "added", "same"};
	struct comparison *c = arg;
	json_t *run = json_pack("{s:s}", "op", names[piece->op]), *value;

	if (piece->op == PIECE_FOLDED)
		value = json_integer((json_int_t)piece->words);
	else
		value = json_stringn(piece->text, piece->len);
	/* a piece that is lost would be a difference that is not told */
	if (json_object_set_new(run, piece->op == PIECE_FOLDED ? "words" : "text", value) ||
	    json_array_append_new(c->runs, run))
		c->rc = ark_fail(&c->err, ARK_ENOMEM, "no memory for an answer");
}

static int render_json(struct comparison *c)
{
	c->runs = json_array();
	if (c->text == COMPARED)
		pieces_each(&c->diff, c->context, add_json, c);
	return c->rc;
}

static json_t *text_json(struct exchange *x, struct comparison *c)
{
	static const char *const states[] = {"compared", "closed", "none", "pending", "too-long"};
	json_t *text = json_pack("{s:s}", "state", states[c->text]), *without;
	const char *reason;

	if (c->text == COMPARED) {
		json_object_set_new(
		    text, "unit", json_string(c->diff.unit == UNIT_WORD ? "word" : "line"));
		json_object_set_new(text, "added", json_integer((json_int_t)c->diff.added));
		json_object_set_new(text, "removed", json_integer((json_int_t)c->diff.removed));
		json_object_set_new(text, "same", json_integer((json_int_t)c->diff.same));
		json_object_set(text, "runs", c->runs);
	} else if (c->text == COMPARED_CLOSED) {
		json_object_set_new(text, "reason",
		    json_string(
			comparison_needs_purpose(x, c) ? "purpose-required" : "not-permitted"));
	} else if (c->text == COMPARED_NONE) {
		without = json_array();
		for (size_t i = 0; i < 2; i++)
			if (strcmp(shown_text_state(&c->row[i], &reason), "none") == 0)
				json_array_append_new(without, json_integer(c->row[i].version));
		json_object_set_new(text, "without", without);
	}
	return text;
}

static void show_json(struct exchange *x, struct comparison *c)
{
	http_reply_header(x, "Vary", "Accept");
	http_reply_header(x, "Cache-Control", "private, no-store");
	http_reply_json(x, 200,
	    json_pack("{s:s,s:o,s:o,s:O,s:o}", "document", c->row[0].document, "from",
		version_json_of(&c->row[0], &c->card[0]), "to",
		version_json_of(&c->row[1], &c->card[1]), "metadata", c->fields, "text",
		text_json(x, c)));
}

/* ---- the request ---- */

/* CONTEXT_BAD: malformed. */
static uint64_t context_of(const struct exchange *x)
{
	const char *text = http_query(x, "context");
	size_t n = text ? strspn(text, "0123456789") : 0;
	uint64_t context;

	if (!text)
		return CONTEXT;
	if (n < 1 || n > 6 || text[n])
		return CONTEXT_BAD;
	context = strtoul(text, NULL, 10);
	return context > CONTEXT_MAX ? CONTEXT_MAX : context;
}

void diff_get(struct exchange *x)
{
	static const struct comparison_ask as_json = {true, true, render_json, show_json};
	static const struct comparison_ask as_html = {true, true, render_html, show_html};
	const char *accept = http_header(x, "Accept");
	uint32_t before = visit_version(x, 1), after = visit_version(x, 2);

	if (before && after)
		comparison_begin(x, before, after, context_of(x),
		    accept && strstr(accept, "text/html") ? &as_html : &as_json);
	else
		visit_not_found(x, "metadata", http_param(x, 0), 0);
}
