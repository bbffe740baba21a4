/* The file of a document and what is known of it, as its page shows them. */
#include <string.h>

#include "api/pages/document.h"
#include "arkki/base/json.h"

/* ---- facts ---- */

void fact_begin(struct page *p, enum say label)
{
	html_put(&p->h, "<div><dt>$</dt><dd", say(p, label));
}

void fact_text(struct page *p, enum say label, const char *text)
{
	if (!text || !*text)
		return;
	fact_begin(p, label);
	html_put(&p->h, " dir=\"auto\">$</dd></div>", text);
}

static void fact_code(struct page *p, enum say label, const char *text)
{
	fact_begin(p, label);
	html_put(&p->h, " class=\"code\">$</dd></div>", text);
}

static void fact_date(struct page *p, enum say label, const char *date)
{
	if (!date)
		return;
	fact_begin(p, label);
	html_raw(&p->h, ">");
	page_date(p, date);
	html_raw(&p->h, "</dd></div>");
}

void fact_record(struct page *p, enum say label, const char *kind, const char *id)
{
	if (!id)
		return;
	fact_begin(p, label);
	html_raw(&p->h, ">");
	page_name(p, kind, id);
	html_raw(&p->h, "</dd></div>");
}

static void fact_diary(struct page *p, const char *case_id)
{
	json_t *record = registry_get(archive_registry(app_of(p->x)->archive), "cases", case_id);
	const char *number = json_text(record, "diaryNumber");

	if (case_id) {
		fact_begin(p, SAY_DIARY);
		html_put(&p->h, " dir=\"auto\"><a href=\"/$/cases/$\">$</a></dd></div>",
		    i18n_code(p->language), case_id, number ? number : case_id);
	}
	json_decref(record);
}

/* The points of JulkL (621/1999) 24 § 1 mom. that stand on documents of supervision; filing_grounds.def says what they were
 * held against. */
static const struct ground {
	unsigned long point;
	enum say said;
} grounds[] = {
    {3, SAY_GROUND_3},
    {6, SAY_GROUND_6},
    {7, SAY_GROUND_7},
    {15, SAY_GROUND_15},
    {20, SAY_GROUND_20},
    {23, SAY_GROUND_23},
    {25, SAY_GROUND_25},
    {26, SAY_GROUND_26},
    {31, SAY_GROUND_31},
    {32, SAY_GROUND_32},
};

/* The point is the last number that begins behind the section; 0: there is none, or it is one such as "31 c". */
static unsigned long point_of(const char *behind_section)
{
	const char *last = NULL;
	char *end;
	unsigned long n;

	for (const char *at = behind_section; *at; at++)
		if (*at >= '0' && *at <= '9' && (at[-1] < '0' || at[-1] > '9'))
			last = at;
	if (!last)
		return 0;
	n = strtoul(last, &end, 10);
	while (*end == ' ')
		end++;
	/* "25 k", "25 p." and "25 kohta" are the point itself */
	return *end >= 'a' && *end <= 'z' && *end != 'k' && *end != 'p' ? 0 : n;
}

/* What a ground such as "JulkL 24 § 1 mom. 25 k" says; SAY_COUNT: not one of those. */
static enum say ground_said(const char *ground)
{
	const char *at = strstr(ground, "24 §");
	unsigned long point;

	if (strstr(ground, "703/2023") && strstr(ground, " 4 §"))
		return SAY_GROUND_CLIENT_DATA;
	if (!at ||
	    !(strstr(ground, "JulkL") || strstr(ground, "OffL") || strstr(ground, "621/1999")))
		return SAY_COUNT;
	point = point_of(at + strlen("24 §"));
	for (size_t i = 0; i < sizeof(grounds) / sizeof(*grounds); i++)
		if (grounds[i].point == point)
			return grounds[i].said;
	return SAY_COUNT;
}

static void fact_ground(struct page *p, const char *class, const char *ground)
{
	enum say plain = ground ? ground_said(ground) : SAY_COUNT;

	if (!ground && strcmp(class, "public") == 0)
		return;
	fact_begin(p, SAY_SECRECY_GROUND);
	html_put(&p->h, " dir=\"auto\">$", ground ? ground : say(p, SAY_GROUND_NONE));
	if (plain != SAY_COUNT)
		html_put(&p->h, "<span class=\"plain-words\">$</span>", say(p, plain));
	html_raw(&p->h, "</dd></div>");
}

static enum say class_said(const char *class)
{
	if (strcmp(class, "public") == 0)
		return SAY_PUBLIC_PLAIN;
	return strcmp(class, "secret") == 0 ? SAY_SECRET_PLAIN : SAY_PARTLY_PLAIN;
}

void fact_publicity(struct page *p, const json_t *publicity, bool whole)
{
	const char *class = json_text(publicity, "class");

	if (!class)
		return;
	fact_begin(p, SAY_PUBLICITY);
	html_put(&p->h, ">$<span class=\"plain-words\">$</span></dd></div>",
	    say(p, publicity_said(class)), say(p, class_said(class)));
	if (whole)
		fact_ground(p, class, json_text(publicity, "ground"));
	fact_date(p, SAY_SECRECY_FROM, json_text(publicity, "from"));
	fact_date(p, SAY_SECRECY_UNTIL, json_text(publicity, "until"));
}

static void fact_units(struct page *p, const json_t *units)
{
	if (!json_array_size(units))
		return;
	fact_begin(p, json_array_size(units) == 1 ? SAY_UNIT : SAY_UNITS);
	html_raw(&p->h, ">");
	page_unit_links(p, units);
	html_raw(&p->h, "</dd></div>");
}

void document_facts(struct page *p, const struct document_view *d, const struct card *card)
{
	const struct catalogue_row *row = &d->v->row;
	const json_t *f = card->fields;
	const char *state = json_text(f, "state"),
		   *language = i18n_language_name(p->language, row->language);

	html_put(&p->h,
	    "<section aria-labelledby=\"facts\"><h2 id=\"facts\">$</h2><dl class=\"facts\">",
	    say(p, SAY_FACTS));
	fact_record(p, SAY_TYPE, "types", row->type);
	fact_units(p, json_object_get(f, "units"));
	fact_diary(p, json_text(f, "case"));
	fact_date(p, SAY_DATE, row->date);
	fact_date(p, SAY_VISIT_DATE, json_text(f, "visitDate"));
	fact_record(p, SAY_AUTHOR, "orgs", json_text(f, "author"));
	fact_publicity(p, json_object_get(f, "publicity"), row->whole);
	if (state)
		fact_text(
		    p, SAY_STATE, say(p, strcmp(state, "draft") == 0 ? SAY_DRAFT : SAY_FINAL));
	fact_text(p, SAY_DOCUMENT_LANGUAGE, language ? language : row->language);
	if (d->open) /* a digest tells who has the bytes that they are these */
		fact_code(p, SAY_DIGEST, json_text(card->version, "sha256"));
	fact_code(p, SAY_IDENTIFIER, row->document);
	html_raw(&p->h, "</dl></section>");
}

/* ---- the file ---- */

static const char *media_said(const struct page *p, const char *media_type)
{
	if (!media_type)
		return "";
	if (strcmp(media_type, "application/pdf") == 0)
		return "PDF";
	if (strcmp(media_type, "text/html") == 0)
		return say(p, SAY_WEB_PAGE);
	return strncmp(media_type, "text/", 5) == 0 ? say(p, SAY_TEXT_FILE) : media_type;
}

static void size_said(char out[I18N_SIZE], const struct page *p, const json_t *version)
{
	i18n_bytes(
	    out, p->language, (uint64_t)json_integer_value(json_object_get(version, "size")));
}

void fact_media(struct page *p, enum say label, const json_t *version)
{
	char size[I18N_SIZE];

	size_said(size, p, version);
	fact_begin(p, label);
	html_put(&p->h, ">$, $</dd></div>", media_said(p, json_text(version, "mediaType")), size);
}

static enum say open_said(const struct page *p, const json_t *version)
{
	return strcmp(media_said(p, json_text(version, "mediaType")), "PDF") == 0 ? SAY_OPEN_PDF
										  : SAY_OPEN_FILE;
}

static void write_about(struct page *p, const json_t *version)
{
	char size[I18N_SIZE];

	size_said(size, p, version);
	html_put(&p->h,
	    " <span class=\"about\"><span class=\"name\" dir=\"auto\">$</span> <span>$, "
	    "$</span></span>",
	    json_text(version, "fileName"), media_said(p, json_text(version, "mediaType")), size);
}

static void write_open_button(
    struct page *p, const struct document_view *d, const json_t *version, const char *url)
{
	html_put(&p->h, "<form class=\"file\" method=\"post\" action=\"$\">", url);
	purpose_hidden(p, &d->stated);
	html_put(&p->h, "<button>$</button>", say(p, open_said(p, version)));
	write_about(p, version);
	html_raw(&p->h, "</form>");
}

/* To look at in the browser, where that is safe, and to save. */
static void write_open_links(struct page *p, const json_t *version, const char *url)
{
	bool shown = content_inline(json_text(version, "mediaType"));

	html_raw(&p->h, "<p class=\"file\">");
	if (shown)
		html_put(&p->h, "<a class=\"button\" href=\"$\">$</a>", url,
		    say(p, open_said(p, version)));
	html_put(&p->h, "<a class=\"button $\" href=\"$?download=1\">$</a>", shown ? "quiet" : "",
	    url, say(p, SAY_DOWNLOAD));
	write_about(p, version);
	html_raw(&p->h, "</p>");
}

static void write_button(struct page *p, const struct document_view *d, const json_t *version)
{
	struct buf url = BUF_INIT;
	bool stated = d->v->row.whole && d->stated.sent && !purpose_wrong(&d->stated);

	document_path(
	    p, &d->v->row, d->v->row.version, d->v->row.whole ? "/file" : "/rendition", &url);
	/* a session keeps what was stated; without one the button states it again */
	if (stated && !p->caller->session)
		write_open_button(p, d, version, url.data);
	else
		write_open_links(p, version, url.data);
	buf_free(&url);
}

static void write_rendition_link(struct page *p, const struct catalogue_row *row)
{
	struct buf url = BUF_INIT;
	char size[I18N_SIZE];

	i18n_bytes(size, p->language, row->rendition.size);
	document_path(p, row, row->version, "/rendition", &url);
	html_put(&p->h, "<p class=\"other-file\"><a href=\"$\">$</a> ($, $)</p>", url.data,
	    say(p, SAY_OPEN_RENDITION), media_said(p, row->rendition.media_type), size);
	buf_free(&url);
}

void document_file(struct page *p, const struct document_view *d, const struct card *card)
{
	if (d->open)
		write_button(p, d, card->version);
	if (d->v->row.whole && d->v->row.rendition.number)
		write_rendition_link(p, &d->v->row);
}
