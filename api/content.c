/* Bytes and text of a version, and of its public rendition.
 * Every answer here goes through visit_log(): see app.h. */
#include <stdlib.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "api/documents.h"
#include "api/memento.h"
#include "api/text_reason.h"
#include "arkki/api/http_range.h"
#include "arkki/base/json.h"
#include "arkki/base/text.h"

/* The bytes and the text ask for more than the metadata: 403 is logged and replied otherwise. */
static bool content_permitted(struct exchange *x, struct visit *v, const char *kind)
{
	struct ark_error err;
	bool open;

	if (visit_content_open(v, &open, &err)) {
		http_reply_error(x, &err);
		return false;
	}
	if (!open)
		visit_content_denied(x, kind);
	return open;
}

/* ---- GET …/versions/{n}/content ---- */

struct download {
	struct content *content;
	uint64_t first;
};

static ssize_t download_read(void *arg, uint64_t pos, char *out, size_t max)
{
	struct download *d = arg;

	return content_read(d->content, d->first + pos, out, max, NULL);
}

static void download_free(void *arg)
{
	struct download *d = arg;

	content_close(d->content);
	free(d);
}

/* The file button of a page whose reader has stated a purpose. Parts are not given: they would be asked for
 * without it. */
static bool by_form(const struct exchange *x)
{
	return strcmp(http_method(x), "POST") == 0;
}

bool content_inline(const char *media_type)
{
	static const char *const types[] = {"application/pdf", "text/plain", "image/png",
	    "image/jpeg", "image/gif", "image/webp", "image/tiff", "image/bmp", "image/avif"};
	size_t len = media_type ? strcspn(media_type, "; ") : 0;

	for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++)
		if (strlen(types[i]) == len && strncasecmp(media_type, types[i], len) == 0)
			return true;
	return false;
}

/* To a program every answer is bytes; a browser is told which of them to show. */
static const char *disposition_of(const struct exchange *x, const struct card *card)
{
	const struct http_route *route = http_route(x);

	if (!route || !(route->flags & ROUTE_PAGE))
		return "inline";
	return http_query(x, "download") || !content_inline(json_text(card->version, "mediaType"))
		   ? "attachment"
		   : "inline";
}

/* A filed HTML page is evidence, not a page of ours: `sandbox` takes its scripts and its origin. A PDF has neither, as no
 * browser takes application/pdf with nosniff for markup; and `sandbox` keeps the viewers of some from it: Safari without
 * WebKit's change of December 2024 (pull request 37882) shows an empty window or saves the file, and the HTML standard lets
 * a sandboxed frame show no PDF (whatwg/html 6946). Chromium's viewer is a plugin (object-src), and viewers have styles of
 * their own. Firefox does not apply a response's policy to its viewer (its test file_pdfjs_not_subject_to_csp.html). */
static const char *policy_of(const char *media_type)
{
	size_t len = media_type ? strcspn(media_type, "; ") : 0;

	if (len == strlen("application/pdf") &&
	    strncasecmp(media_type, "application/pdf", len) == 0)
		return "default-src 'none'; style-src 'unsafe-inline'; object-src 'self'; "
		       "frame-ancestors 'self'; base-uri 'none'; form-action 'none'";
	return "default-src 'none'; style-src 'unsafe-inline'; sandbox";
}

static void content_headers(struct exchange *x, const struct card *card, const char *tag)
{
	struct buf value = BUF_INIT, digest = BUF_INIT;
	const char *hex = json_text(card->version, "sha256");
	unsigned char sha[32];

	content_disposition(&value, disposition_of(x, card), json_text(card->version, "fileName"));
	if (!buf_failed(&value) && value.data)
		http_reply_header(x, "Content-Disposition", value.data);
	if (hex && hex_decode(sha, 32, hex, strlen(hex))) {
		buf_adds(&digest, "sha-256=:");
		base64_encode(&digest, sha, 32);
		buf_adds(&digest, ":");
		if (!buf_failed(&digest))
			http_reply_header(x, "Repr-Digest", digest.data);
	}
	http_reply_header(x, "ETag", tag);
	http_reply_header(x, "Accept-Ranges", by_form(x) ? "none" : "bytes");
	http_reply_header(x, "Cache-Control", "private, no-store");
	http_reply_header(
	    x, "Content-Security-Policy", policy_of(json_text(card->version, "mediaType")));
	buf_free(&value);
	buf_free(&digest);
}

static enum range_verdict wanted_range(
    struct exchange *x, uint64_t size, const char *tag, struct byte_range *r)
{
	if (by_form(x) || !range_if_range(http_header(x, "If-Range"), tag))
		return RANGE_WHOLE;
	return range_parse(http_header(x, "Range"), size, r);
}

static uint64_t form_size(const struct catalogue_row *row, enum form form)
{
	return form == FORM_PUBLIC ? row->rendition.size : row->size;
}

static void stream_content(
    struct exchange *x, struct visit *v, enum form form, const struct card *card, const char *tag)
{
	const char *media_type = json_text(card->version, "mediaType");
	uint64_t size = form_size(&v->row, form);
	struct byte_range range = {0, size - 1};
	enum range_verdict verdict = wanted_range(x, size, tag, &range);
	struct download *d;
	struct ark_error err;

	if (verdict == RANGE_UNSATISFIABLE) {
		http_reply_headerf(x, "Content-Range", "bytes */%llu", (unsigned long long)size);
		http_reply_problem(x, 416, "range", NULL, NULL);
		return;
	}
	d = calloc(1, sizeof(*d));
	if (!d || reading_content(v->app->archive, v->receipt, &v->row, form, &d->content, &err)) {
		if (d)
			http_reply_error(x, &err);
		else
			http_reply_problem(x, 503, "out-of-memory", NULL, NULL);
		free(d);
		return;
	}
	content_headers(x, card, tag);
	d->first = range.first;
	if (verdict == RANGE_PART)
		http_reply_headerf(x, "Content-Range", "bytes %llu-%llu/%llu",
		    (unsigned long long)range.first, (unsigned long long)range.last,
		    (unsigned long long)size);
	http_reply_stream(x, verdict == RANGE_PART ? 206 : 200, media_type,
	    range.last - range.first + 1, download_read, download_free, d);
}

void tag_rendition(const struct app *app, const struct catalogue_row *row, char out[TAG_SIZE])
{
	char id[80], tag[33];
	int n = snprintf(
	    id, sizeof(id), "%s %u %u", row->document, row->version, row->rendition.number);

	archive_tag(app->archive, "rendition", id, (size_t)n, tag);
	snprintf(out, TAG_SIZE, "\"%s\"", tag);
}

static void tag_form(
    const struct app *app, const struct catalogue_row *row, enum form form, char out[TAG_SIZE])
{
	if (form == FORM_PUBLIC)
		tag_rendition(app, row, out);
	else
		tag_content(app, row, out);
}

static void show_form(struct exchange *x, enum form form)
{
	struct visit *v = visit_of(x);
	struct card card = {0};
	struct ark_error err;
	char tag[TAG_SIZE];

	if (reading_version(v->app->archive, v->receipt, &v->row, form, &card.version, &err)) {
		http_reply_error(x, &err);
		return;
	}
	tag_form(v->app, &v->row, form, tag);
	if (visit_fresh_wanted(x, tag))
		stream_content(x, v, form, &card, tag);
	card_free(&card);
}

static void show_content(struct exchange *x)
{
	memento_headers(x, &visit_of(x)->row, true);
	show_form(x, FORM_WHOLE);
}

static void show_rendition(struct exchange *x)
{
	show_form(x, FORM_PUBLIC);
}

/* How many bytes the answer will show. */
static uint64_t content_bytes(struct exchange *x, uint64_t size, const char *tag)
{
	struct byte_range range;

	if (http_is_head(x) ||
	    etag_if_none_match(http_header_list(x, "If-None-Match"), tag) == ETAG_MATCH)
		return 0;
	switch (wanted_range(x, size, tag, &range)) {
	case RANGE_PART:
		return range.last - range.first + 1;
	case RANGE_UNSATISFIABLE:
		return 0;
	default:
		return size;
	}
}

void content_get(struct exchange *x)
{
	struct visit *v = visit_of(x);
	struct ledger_record r;
	char tag[TAG_SIZE];

	if (!v || !document_version_found(x, v, "content") || !content_permitted(x, v, "content"))
		return;
	r = visit_record(v, "content");
	tag_content(v->app, &v->row, tag);
	r.bytes = content_bytes(x, v->row.size, tag);
	visit_log(x, &r, 1, show_content);
}

/* ---- GET …/versions/{n}/renditions/public ---- */

bool rendition_found(struct exchange *x, struct visit *v, const char *kind)
{
	if (!document_version_found(x, v, kind))
		return false;
	if (v->row.rendition.number)
		return true;
	visit_not_found(x, kind, http_param(x, 0), visit_version(x, 1));
	return false;
}

static const char public_detail[] = "{\"rendition\":\"public\"}";

void rendition_get(struct exchange *x)
{
	struct visit *v = visit_of(x);
	struct ledger_record r;
	char tag[TAG_SIZE];

	if (!v || !rendition_found(x, v, "content"))
		return;
	r = visit_record(v, "content");
	r.detail = public_detail;
	tag_rendition(v->app, &v->row, tag);
	r.bytes = content_bytes(x, v->row.rendition.size, tag);
	visit_log(x, &r, 1, show_rendition);
}

/* ---- GET …/versions/{n}/text ---- */

static void html_escape(struct buf *out, const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		switch (text[i]) {
		case '<':
			buf_adds(out, "&lt;");
			break;
		case '>':
			buf_adds(out, "&gt;");
			break;
		case '&':
			buf_adds(out, "&amp;");
			break;
		default:
			buf_addc(out, text[i]);
		}
	}
}

static void text_html(struct buf *out, const struct buf *text, const char *language)
{
	buf_addf(out,
	    "<!doctype html><html lang=\"%s\"><head><meta charset=\"utf-8\"><title>arkki</title>"
	    "</head><body><pre style=\"white-space:pre-wrap\">",
	    language);
	html_escape(out, text->data ? text->data : "", text->len);
	buf_adds(out, "</pre></body></html>\n");
}

static void show_form_text(struct exchange *x, enum form form)
{
	struct visit *v = visit_of(x);
	const char *accept = http_header(x, "Accept");
	struct buf text = BUF_INIT, html = BUF_INIT;
	struct ark_error err;
	int rc = reading_text(v->app->archive, v->receipt, &v->row, form, &text, &err);

	if (rc == ARK_ENOTFOUND) { /* the cache was lost: it comes again */
		http_reply_header(x, "Retry-After", "2");
		http_reply_problem(x, 503, "text-pending", NULL, NULL);
	} else if (rc) {
		http_reply_error(x, &err);
	} else if (accept && strstr(accept, "text/html")) {
		text_html(&html, &text, v->row.language);
		http_reply_header(x, "Cache-Control", "private, no-store");
		http_reply_header(x, "Content-Security-Policy",
		    "default-src 'none'; style-src 'unsafe-inline'; sandbox");
		http_reply_buf(x, 200, "text/html; charset=utf-8", &html);
	} else {
		http_reply_header(x, "Cache-Control", "private, no-store");
		http_reply_buf(x, 200, "text/plain; charset=utf-8", &text);
	}
	buf_wipe_free(&text);
	buf_wipe_free(&html);
}

static void show_text(struct exchange *x)
{
	show_form_text(x, FORM_WHOLE);
}

static void show_rendition_text(struct exchange *x)
{
	show_form_text(x, FORM_PUBLIC);
}

/* False: it was said that there is no text, or not yet. */
static bool text_ready(struct exchange *x, const char *state, const char *reason)
{
	char said[TEXT_REASON_SIZE];

	if (state && strcmp(state, "none") == 0) {
		http_reply_problem(x, 404, "no-text", text_reason_for(x, reason, said), NULL);
		return false;
	}
	if (!state || strcmp(state, "pending") == 0) {
		http_reply_header(x, "Retry-After", "2");
		http_reply_problem(x, 503, "text-pending", NULL, NULL);
		return false;
	}
	return true;
}

void text_get(struct exchange *x)
{
	struct visit *v = visit_of(x);
	struct ledger_record r;

	if (!v || !document_version_found(x, v, "text") || !content_permitted(x, v, "text") ||
	    !text_ready(x, v->row.text_state, v->row.text_reason))
		return;
	r = visit_record(v, "text");
	visit_log(x, &r, 1, show_text);
}

void rendition_text_get(struct exchange *x)
{
	struct visit *v = visit_of(x);
	struct ledger_record r;

	if (!v || !rendition_found(x, v, "text") ||
	    !text_ready(x, v->row.rendition.text_state, v->row.rendition.text_reason))
		return;
	r = visit_record(v, "text");
	r.detail = public_detail;
	visit_log(x, &r, 1, show_rendition_text);
}
