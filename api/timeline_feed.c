/* A unit's timeline as a feed (Atom, RFC 4287): what was filed last first, without what is still to come. A look like any other,
 * logged with every document that it shows; it moves no mark, for a reader fetches it by itself. */
#include <stdio.h>
#include <string.h>

#include "api/atom.h"
#include "api/i18n.h"
#include "api/timeline_private.h"
#include "arkki/base/clock.h"
#include "arkki/base/json.h"

/* What the event is of, as text. */
static void write_subject(struct exchange *x, const json_t *event, struct buf *out)
{
	const json_t *order = json_object_get(event, "order");
	const char *const texts[] = {
	    json_text(order, "text"), json_text(event, "diaryNumber"), json_text(event, "case")};
	const char *provider = json_text(event, "provider");
	const char *earlier = json_text(event, "predecessor");
	const json_t *places = json_object_get(event, "places");

	if (provider) {
		atom_name(x, out, "orgs", provider);
	} else if (earlier) {
		atom_name(x, out, "units", earlier);
	} else if (json_object_get(event, "name")) {
		const char *name = i18n_name(http_language(x), event, NULL);

		buf_adds(out, name ? name : "");
	} else if (places) {
		buf_addf(out, "%lld", (long long)json_integer_value(places));
	} else {
		for (size_t i = 0; i < 3; i++)
			if (texts[i]) {
				buf_adds(out, texts[i]);
				break;
			}
	}
}

static enum say sentence_of(const json_t *event)
{
	static const enum say said[EVENT_KINDS] = {
	    [EVENT_PREDECESSOR] = SAY_FEED_PREDECESSOR,
	    [EVENT_PLACES] = SAY_FEED_PLACES,
	    [EVENT_NAME] = SAY_FEED_NAME,
	    [EVENT_PROVIDER] = SAY_FEED_PROVIDER,
	    [EVENT_CASE_OPENED] = SAY_FEED_CASE_OPENED,
	    [EVENT_CASE_CLOSED] = SAY_FEED_CASE_CLOSED,
	    [EVENT_ORDER] = SAY_FEED_ORDER,
	    [EVENT_DEADLINE] = SAY_FEED_ORDER,
	};
	const char *state = json_text(event, "state");
	enum event_kind kind = EVENT_ORDER;

	if (!event_kind_parse(json_text(event, "kind"), &kind) || kind != EVENT_REGISTRATION)
		return said[kind];
	if (state && strcmp(state, "ended") == 0)
		return SAY_FEED_ENDED;
	return state && strcmp(state, "licensed") == 0 ? SAY_FEED_LICENSED : SAY_FEED_REGISTERED;
}

/* {0} filled in as plain text: what escapes it is atom_text(). */
static void write_title(struct exchange *x, struct html *h, const json_t *event)
{
	const char *sentence = i18n_text(http_language(x), sentence_of(event));
	const char *at = strstr(sentence, "{0}");
	struct buf title = BUF_INIT;

	buf_add(&title, sentence, at ? (size_t)(at - sentence) : strlen(sentence));
	if (at) {
		struct buf subject = BUF_INIT;

		write_subject(x, event, &subject);
		buf_add(&title, subject.data ? subject.data : "", subject.len);
		title.failed |= subject.failed;
		buf_adds(&title, at + 3);
		buf_free(&subject);
	}
	html_raw(h, "<title>");
	atom_text(h, title.data ? title.data : "");
	html_raw(h, "</title>");
	h->out.failed |= title.failed;
	buf_free(&title);
}

static const struct catalogue_row *row_of(const struct timeline *t, const json_t *event)
{
	const char *document = json_text(event, "document");

	for (size_t i = 0; document && i < t->listing->n; i++)
		if (strcmp(t->listing->rows[i].document, document) == 0)
			return &t->listing->rows[i];
	return NULL;
}

/* When it came: of a document its filing, of all else its day. */
static void updated_of(const struct timeline *t, const json_t *event, char out[CLOCK_TEXT_SIZE])
{
	const struct catalogue_row *row = row_of(t, event);

	if (row)
		clock_format(out, row->whole ? row->filed_us : row->rendition.filed_us);
	else
		snprintf(out, CLOCK_TEXT_SIZE, "%.10sT00:00:00Z", json_text(event, "date"));
}

static void write_event(
    struct exchange *x, struct html *h, const struct timeline *t, const json_t *event)
{
	const char *kind = json_text(event, "kind"), *unit = json_text(event, "unit");
	const struct catalogue_row *row = row_of(t, event);
	const json_t *order = json_object_get(event, "order");
	const char *id = json_text(order, "id"), *named = json_text(event, "case");
	const char *earlier = json_text(event, "predecessor");
	char updated[CLOCK_TEXT_SIZE];

	updated_of(t, event, updated);
	if (row && !order) {
		json_t *units = json_pack("[s]", unit);

		atom_document(x, h, row, json_text(event, "title"), updated);
		atom_summary(x, h, row->date, row->type, units);
		json_decref(units);
	} else {
		html_put(h, "<entry><id>urn:arkki:event:$:$:$:$</id>", unit, kind,
		    json_text(event, "date"),
		    id        ? id
		    : named   ? named
		    : earlier ? earlier
			      : "");
		write_title(x, h, event);
		html_put(h,
		    "<updated>$</updated><category term=\"$\"/>"
		    "<link rel=\"alternate\" type=\"text/html\" href=\"/$/units/$\"/>",
		    updated, kind, i18n_code(http_language(x)), unit);
	}
	html_raw(h, "</entry>");
}

static void show_feed(struct exchange *x, const struct timeline *t)
{
	json_t *unit =
	    registry_get(archive_registry(app_of(x)->archive), "units", http_param(x, 0));
	const json_t *first = json_array_get(t->events, 0);
	char updated[CLOCK_TEXT_SIZE], urn[90], self[110];
	struct html h = {0};
	const json_t *event;
	size_t i;

	if (first)
		updated_of(t, first, updated);
	else
		clock_format(updated, 0); /* nothing has happened: the same for ever */
	snprintf(urn, sizeof(urn), "urn:arkki:unit:%s", http_param(x, 0));
	snprintf(self, sizeof(self), "/v1/units/%s/feed.atom", http_param(x, 0));
	atom_begin(&h, i18n_name(http_language(x), unit, NULL), urn, updated, self,
	    archive_origin(app_of(x)->archive));
	json_array_foreach(t->events, i, event)
	{
		write_event(x, &h, t, event);
	}
	json_decref(unit);
	atom_reply(x, &h);
}

void units_feed(struct exchange *x)
{
	const struct timeline_asked asked = {
	    .unit = http_param(x, 0), .limit = ATOM_ENTRIES, .events_only = true};

	if (!registry_has(archive_registry(app_of(x)->archive), "units", asked.unit))
		http_reply_problem(x, 404, "not-found", NULL, NULL);
	else
		timeline_filed(x, &asked, show_feed);
}
