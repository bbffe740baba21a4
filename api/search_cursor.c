#include "api/search_cursor.h"

#include <stdio.h>
#include <string.h>

#include "arkki/base/text.h"

enum { FILTER_DEPTH_MAX = 64 };

/* Texts with their lengths, so that no two lists of texts are alike. */
static void add(struct buf *b, const char *text)
{
	buf_addf(b, "%zu:%s,", text ? strlen(text) : 0, text ? text : "");
}

static int tag_of(
    const struct app *app, const char *what, struct buf *b, char ret[33], struct ark_error *err)
{
	int rc = buf_failed(b) ? ark_fail(err, ARK_ENOMEM, "no memory for a search") : ARK_OK;

	if (!rc)
		archive_tag(app->archive, what, b->data, b->len, ret);
	buf_wipe_free(b);
	return rc;
}

int search_request_tag(const struct app *app, const struct caller *c,
    const struct search_asked *asked, char ret[33], struct ark_error *err)
{
	const char *const texts[] = {c->who->access.user, asked->q, asked->unit, asked->case_id,
	    asked->type, asked->county, asked->municipality, asked->author, asked->language,
	    asked->publicity, asked->year, asked->from, asked->to, asked->like};
	struct buf b = BUF_INIT;

	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
		add(&b, texts[i]);
	buf_addf(&b, "%d%d%d", asked->by_date, asked->versions_all, asked->group);
	return tag_of(app, "search request", &b, ret, err);
}

/* False: deeper than any rule of ours. */
static bool add_filter(struct buf *b, const struct access_filter *f, unsigned int depth)
{
	if (depth > FILTER_DEPTH_MAX)
		return false;
	buf_addf(b, "%d %d ", (int)f->op, (int)f->attribute);
	add(b, f->value);
	buf_addc(b, '(');
	for (size_t i = 0; i < f->children; i++)
		if (!add_filter(b, f->child[i], depth + 1))
			return false;
	buf_addc(b, ')');
	return true;
}

int search_owner_tag(const struct app *app, const struct caller *c,
    const struct access_sight *sight, const char request[33], char ret[33], struct ark_error *err)
{
	struct buf b = BUF_INIT;

	add(&b, c->purpose);
	add(&b, c->case_id);
	add(&b, c->break_glass);
	add(&b, request);
	if (add_filter(&b, sight->any, 0) && add_filter(&b, sight->whole, 0))
		return tag_of(app, "search owner", &b, ret, err);
	buf_wipe_free(&b);
	return ark_fail(err, ARK_EIO, "a filter is too deep");
}

void search_place_write(const struct app *app, const struct search_place *p, struct buf *out)
{
	char text[160];

	snprintf(text, sizeof(text), "%s %s %s %u %zu", p->request, p->name,
	    p->last[0] ? p->last : "-", p->version, p->at);
	cursor_write(app, "search", text, out);
}

int search_place_read(const struct app *app, const char *cursor, const char request[33],
    struct search_place *ret, struct ark_error *err)
{
	struct buf text = BUF_INIT;
	struct search_place p = {0};
	int rc = cursor_read(app, "search", cursor, &text, err);

	if (rc)
		goto out;
	/* we sealed it: NOLINTNEXTLINE(cert-err34-c) */
	if (sscanf(text.data, "%32s %32s %32s %u %zu", p.request, p.name, p.last, &p.version,
		&p.at) != 5 ||
	    strcmp(p.request, request) != 0)
		rc = ark_fail(err, ARK_EINPUT, "The cursor belongs to another search.");
	else if (!docid_valid(p.last))
		p.last[0] = '\0';
	if (!rc)
		*ret = p;
out:
	buf_free(&text);
	return rc;
}
