/* A signed report as a page: what a person reads, and under it the very JSON that is signed.
 *
 * Nothing but the report goes into it, so that whoever checks the JSON can make the page again and see that
 * the words above it are the words of the JSON. Lists rather than tables: they fit a telephone and paper.
 */
#include <stdio.h>
#include <string.h>

#include "api/report_page_private.h"
#include "arkki/base/clock.h"
#include "arkki/base/json.h"
#include "arkki/base/text.h"

static const char head[] =
    "<meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">"
    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
    "'unsafe-inline'\">"
    "<style>body{font:1rem/1.5 sans-serif;max-width:48rem;margin:1rem auto;padding:0 1rem;"
    "overflow-wrap:anywhere}h1{font-size:1.4rem}h2{font-size:1.1rem;margin-bottom:.2rem}"
    "section{border-top:1px solid #888;break-inside:avoid-page}dl{margin:.3rem 0}"
    "dt,dd{display:inline;margin:0}dt{font-weight:bold}dt::after{content:\": \"}"
    "dd::after{content:\"\\A\";white-space:pre}ul{padding-left:1.2rem}"
    "pre{white-space:pre-wrap;font-size:.6rem}@media print{body{max-width:none}}</style>";

#define PRE "<pre id=\"arkki-report\">"

/* ---- words and what they are of ---- */

void report_put_pair(struct page *p, enum word w, const char *value)
{
	if (value && *value)
		html_put(&p->h, "<dt>$</dt><dd>$</dd>", report_say(p, w), value);
}

/* A time as a person reads it; exact to the microsecond in the markup. */
static void report_put_time(struct page *p, const char *time)
{
	char text[I18N_SIZE];
	int64_t us;

	if (!time || !clock_parse(time, &us))
		return;
	i18n_time(text, p->language, us);
	html_put(&p->h, "<time datetime=\"$\">$</time>", time, text);
}

void report_put_time_pair(struct page *p, enum word w, const char *time)
{
	if (!time)
		return;
	html_put(&p->h, "<dt>$</dt><dd>", report_say(p, w));
	report_put_time(p, time);
	html_raw(&p->h, "</dd>");
}

void report_put_named(struct page *p, enum word w, const json_t *thing)
{
	const char *id = json_text(thing, "id"), *name = i18n_name(p->language, thing, NULL);

	if (id)
		html_put(
		    &p->h, "<dt>$</dt><dd>$ (<code>$</code>)</dd>", report_say(p, w), name, id);
}

void report_put_number(struct page *p, enum word w, const json_t *number)
{
	char text[24];

	if (!json_is_integer(number))
		return;
	snprintf(text, sizeof(text), "%lld", (long long)json_integer_value(number));
	report_put_pair(p, w, text);
}

void report_put_day(struct page *p, const char *date)
{
	char text[I18N_SIZE];

	if (!date)
		return;
	i18n_date(text, date);
	report_put_pair(p, W_DATE, text);
}

/* ---- a line of a list: what was done, when, by whom, why ---- */

void report_put_entry(struct page *p, const json_t *a, const json_t *b, const char *org)
{
	const char *principal = json_text(b, "principal"), *purpose = json_text(a, "purpose");
	const char *glass = json_text(a, "breakGlass"), *of_case = json_text(a, "case");
	const char *of = json_text(b, "org");

	html_raw(&p->h, "<li>");
	report_put_time(p, json_text(a, "time"));
	html_put(&p->h, " · $ · $", report_term(p, json_text(a, "kind"), false),
	    report_term(p, json_text(a, "outcome"), false));
	if (principal)
		html_put(&p->h, " · $", principal);
	if (of || org)
		html_put(&p->h, " · $", of ? of : org);
	if (purpose)
		html_put(&p->h, " · $: $", report_say(p, W_PURPOSE), purpose);
	if (of_case)
		html_put(&p->h, " · $: $", report_say(p, W_CASE), of_case);
	if (glass)
		html_put(&p->h, " · $: $", report_say(p, W_GLASS), glass);
}

void report_end_entry(struct page *p, const json_t *index)
{
	char text[24];

	if (json_is_integer(index)) {
		snprintf(text, sizeof(text), "%lld", (long long)json_integer_value(index));
		html_put(&p->h, " · $ $", report_say(p, W_ENTRY), text);
	}
	html_raw(&p->h, "</li>");
}

/* ---- around it ---- */

static bool is_replay(const json_t *report)
{
	const char *kind = json_text(report, "kind");

	return kind && strcmp(kind, "arkki-replay/1") == 0;
}

/* Those that turn the direction of text are told as JSON can: they stand in strings alone, and a value read back is the same. */
static void put_json(struct html *h, const struct buf *text)
{
	size_t from = 0;

	for (size_t i = 0; i < text->len; i++) {
		size_t n = utf8_turn(text->data + i, text->len - i);
		const unsigned char *u = (const unsigned char *)text->data + i;

		if (!n)
			continue;
		html_text_len(h, text->data + from, i - from);
		buf_addf(&h->out, "\\u%04x", (u[0] & 15u) << 12 | (u[1] & 63u) << 6 | (u[2] & 63u));
		i += n - 1;
		from = i + 1;
	}
	html_text_len(h, text->data + from, text->len - from);
}

static int put_data(struct page *p, const json_t *sealed, struct ark_error *err)
{
	json_t *whole =
	    json_pack("{s:O,s:O,s:O}", "report", json_object_get(sealed, "report"), "checkpoints",
		json_object_get(sealed, "checkpoints"), "note", json_object_get(sealed, "note"));
	struct buf text = BUF_INIT;
	int rc = whole ? json_write(&text, whole, err)
		       : ark_fail(err, ARK_EINPUT, "not a signed report");

	html_put(&p->h, "<footer><p>$</p><details><summary>$</summary>" PRE, report_say(p, W_CHECK),
	    report_say(p, W_DATA));
	if (!rc)
		put_json(&p->h, &text);
	html_raw(&p->h, "</pre></details></footer></body></html>\n");
	buf_wipe_free(&text);
	json_decref(whole);
	return rc;
}

static void put_part(struct page *p, const json_t *report)
{
	bool later =
	    json_text(report, "after") || json_is_true(json_object_get(report, "continued"));

	if (later || json_text(report, "until"))
		html_put(&p->h, "<p>$</p>", report_say(p, W_PART));
	if (json_array_size(json_object_get(report, "documents")) == 0)
		html_put(&p->h, "<p>$</p>", report_say(p, W_NO_DOCUMENTS));
}

int report_page(
    const json_t *sealed, enum http_language language, struct buf *out, struct ark_error *err)
{
	const json_t *report = json_object_get(sealed, "report");
	struct page p = {.language = language};
	const char *title = report_say(&p, is_replay(report) ? W_REPLAY : W_SUBJECT);
	int rc;

	html_put(&p.h, "<!doctype html><html lang=\"$\"><head>", i18n_code(language));
	html_literal(&p.h, head, sizeof(head) - 1);
	html_put(&p.h, "<title>$</title></head><body><h1>$</h1><p>$</p><dl>", title, title,
	    json_text(report, "origin"));
	report_put_time_pair(&p, W_MADE, json_text(report, "made"));
	report_put_pair(&p, W_BY, json_text(report, "by"));
	if (is_replay(report))
		report_put_replay(&p, report);
	else
		report_put_subject(&p, report);
	put_part(&p, report);
	rc = put_data(&p, sealed, err);
	if (!rc && buf_failed(&p.h.out))
		rc = ark_fail(err, ARK_ENOMEM, "no memory for a page");
	if (rc)
		buf_free(&p.h.out);
	else
		*out = p.h.out;
	return rc;
}

/* ---- back from the page ---- */

static const char *const escapes[][2] = {
    {"&amp;", "&"}, {"&lt;", "<"}, {"&gt;", ">"}, {"&#34;", "\""}, {"&#39;", "'"}};

static void unescape(struct buf *out, const char *p, const char *end)
{
	while (p < end) {
		size_t i = 0, n = 0;

		for (; *p == '&' && i < sizeof(escapes) / sizeof(*escapes); i++) {
			n = strlen(escapes[i][0]);
			if ((size_t)(end - p) >= n && memcmp(p, escapes[i][0], n) == 0)
				break;
		}
		if (*p == '&' && i < sizeof(escapes) / sizeof(*escapes)) {
			buf_adds(out, escapes[i][1]);
			p += n;
		} else {
			buf_addc(out, *p++);
		}
	}
}

static bool language_read(const char *html, size_t len, enum http_language *ret)
{
	static const char start[] = "<!doctype html><html lang=\"";

	for (enum http_language l = HTTP_FI; l <= HTTP_EN; l++)
		if (len > sizeof(start) + 2 && memcmp(html, start, sizeof(start) - 1) == 0 &&
		    memcmp(html + sizeof(start) - 1, i18n_code(l), 2) == 0) {
			*ret = l;
			return true;
		}
	return false;
}

int report_page_read(const char *html, size_t len, json_t **ret, enum http_language *ret_language,
    struct ark_error *err)
{
	const char *from = memmem(html, len, PRE, sizeof(PRE) - 1), *to = NULL;
	struct buf text = BUF_INIT;
	int rc;

	if (from) {
		from += sizeof(PRE) - 1;
		to = memmem(from, (size_t)(html + len - from), "</pre>", 6);
	}
	if (!to || !language_read(html, len, ret_language))
		return ark_fail(err, ARK_EINPUT, "not the page of a report");
	unescape(&text, from, to);
	rc = buf_failed(&text) ? ark_fail(err, ARK_ENOMEM, "no memory for a report")
			       : json_read(text.data ? text.data : "", text.len, ret, err);
	buf_wipe_free(&text);
	return rc;
}
