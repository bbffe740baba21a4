#include "api/memento.h"

#include <stdio.h>
#include <string.h>

#include "api/http_date.h"

/* ---- times ---- */

int64_t memento_time(const struct catalogue_row *row)
{
	return row->whole ? row->filed_us : row->rendition.filed_us;
}

/* Renditions may be filed in another order than their versions: of those that were there, the last. */
const struct catalogue_row *memento_at(const struct listing *l, int64_t time_us)
{
	const struct catalogue_row *then = NULL, *first = NULL;

	for (size_t i = 0; i < l->n; i++) {
		const struct catalogue_row *row = &l->rows[i];
		int64_t filed_us = memento_time(row);

		if (filed_us <= time_us)
			then = row;
		if (!first || filed_us < memento_time(first))
			first = row;
	}
	return then ? then : first;
}

/* What the header says is cut to seconds: a time that was taken from it finds the same version again. */
static int64_t end_of_second(int64_t time_us)
{
	return time_us - time_us % 1000000 + 999999;
}

/* ---- addresses ---- */

static void add_original(struct buf *out, const char *document, bool content)
{
	buf_addf(out, "/v1/documents/%s%s", document, content ? "/content" : "");
}

static void add_memento(struct buf *out, const struct catalogue_row *row, bool content)
{
	buf_addf(out, "/v1/documents/%s/versions/%u%s", row->document, row->version,
	    content ? "/content" : "");
}

/* original, timegate, timemap. */
static void add_links(struct buf *out, const char *document, bool content)
{
	buf_adds(out, "<");
	add_original(out, document, content);
	buf_addf(out,
	    ">; rel=\"original%s\", </v1/documents/%s/timemap%s>; rel=\"timemap\"; "
	    "type=\"application/link-format\"",
	    content ? " timegate" : "", document, content ? "?of=content" : "");
	if (!content)
		buf_addf(out, ", </v1/documents/%s/timegate>; rel=\"timegate\"", document);
}

static void send_links(struct exchange *x, const char *document, bool content)
{
	struct buf links = BUF_INIT;

	add_links(&links, document, content);
	if (!buf_failed(&links))
		http_reply_header(x, "Link", links.data);
	buf_free(&links);
}

static bool by_api(const struct exchange *x)
{
	return strncmp(http_path(x), "/v1/", 4) == 0;
}

void memento_headers(struct exchange *x, const struct catalogue_row *row, bool content)
{
	char date[HTTP_DATE_SIZE];

	if (!by_api(x))
		return;
	http_date_write(date, memento_time(row));
	http_reply_header(x, "Memento-Datetime", date);
	send_links(x, row->document, content);
}

void memento_original(struct exchange *x, const struct catalogue_row *row)
{
	send_links(x, row->document, false);
}

/* ---- gathering ---- */

/* Of a public rendition there are no bytes under versions/{n}/content. */
static void keep_whole(struct listing *l)
{
	size_t n = 0;

	for (size_t i = 0; i < l->n; i++) {
		if (l->rows[i].whole)
			l->rows[n++] = l->rows[i];
		else
			catalogue_row_free(&l->rows[i]);
	}
	l->n = n;
}

static void gather(struct exchange *x, bool content, void (*show)(struct exchange *x))
{
	struct listing *l = listing_found(x);
	struct visit *v = visit_of(x);
	struct ledger_record r;

	if (!l)
		return;
	if (content)
		keep_whole(l);
	if (!l->n) {
		visit_not_found(x, "list", http_param(x, 0), 0);
		return;
	}
	r = visit_record(v, "list");
	r.version = 0;
	visit_log(x, &r, 1, show);
}

/* ---- timegates ---- */

static void redirect(struct exchange *x, bool content)
{
	const struct listing *l = visit_of(x)->more;
	const char *asked = http_header(x, "Accept-Datetime");
	const struct catalogue_row *row;
	struct buf url = BUF_INIT;
	int64_t at_us = INT64_MAX;

	if (asked && !http_date_read(asked, &at_us)) {
		http_reply_problem(x, 400, "bad-accept-datetime",
		    "Accept-Datetime must be a date as in \"Thu, 12 Mar 2026 08:15:30 GMT\".",
		    NULL);
		return;
	}
	row = memento_at(l, asked ? end_of_second(at_us) : at_us);
	add_memento(&url, row, content);
	http_reply_header(x, "Vary", "accept-datetime");
	http_reply_header(x, "Location", url.data);
	send_links(x, row->document, content);
	buf_free(&url);
	http_reply_empty(x, 302);
}

static void show_gate(struct exchange *x)
{
	redirect(x, false);
}

static void show_content_gate(struct exchange *x)
{
	redirect(x, true);
}

void timegate_get(struct exchange *x)
{
	gather(x, false, show_gate);
}

void documents_content(struct exchange *x)
{
	gather(x, true, show_content_gate);
}

/* ---- timemaps ---- */

static const char *place(size_t i, size_t n)
{
	if (n == 1)
		return "first last memento";
	if (i == 0)
		return "first memento";
	return i + 1 == n ? "last memento" : "memento";
}

static void sort_by_time(struct listing *l)
{
	/* in order but where a rendition came late: insertion */
	for (size_t i = 1; i < l->n; i++) {
		struct catalogue_row row = l->rows[i];
		size_t at = i;

		for (; at && memento_time(&l->rows[at - 1]) > memento_time(&row); at--)
			l->rows[at] = l->rows[at - 1];
		l->rows[at] = row;
	}
}

static void show_map(struct exchange *x, bool content)
{
	struct listing *l = visit_of(x)->more;
	const char *document = l->rows[0].document;
	char from[HTTP_DATE_SIZE], until[HTTP_DATE_SIZE];
	struct buf map = BUF_INIT;

	sort_by_time(l);
	http_date_write(from, memento_time(&l->rows[0]));
	http_date_write(until, memento_time(&l->rows[l->n - 1]));
	buf_adds(&map, "<");
	add_original(&map, document, content);
	buf_addf(&map, ">; rel=\"original%s\"", content ? " timegate" : "");
	if (!content)
		buf_addf(&map, ",\n</v1/documents/%s/timegate>; rel=\"timegate\"", document);
	buf_addf(&map,
	    ",\n</v1/documents/%s/timemap%s>; rel=\"self\"; type=\"application/link-format\"; "
	    "from=\"%s\"; until=\"%s\"",
	    document, content ? "?of=content" : "", from, until);
	for (size_t i = 0; i < l->n; i++) {
		http_date_write(from, memento_time(&l->rows[i]));
		buf_adds(&map, ",\n<");
		add_memento(&map, &l->rows[i], content);
		buf_addf(&map, ">; rel=\"%s\"; datetime=\"%s\"", place(i, l->n), from);
	}
	buf_addc(&map, '\n');
	http_reply_buf(x, 200, "application/link-format", &map);
}

static void show_document_map(struct exchange *x)
{
	show_map(x, false);
}

static void show_content_map(struct exchange *x)
{
	show_map(x, true);
}

static void refuse_of(struct exchange *x)
{
	http_reply_problem(x, 400, "bad-query", "of must be content, where it is given.", NULL);
}

void timemap_get(struct exchange *x)
{
	const char *of = http_query(x, "of");
	bool content = of && strcmp(of, "content") == 0;

	if (content)
		gather(x, true, show_content_map);
	else
		gather(x, false, of ? refuse_of : show_document_map);
}
