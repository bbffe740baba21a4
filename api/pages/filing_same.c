/* Documents that have the bytes of an upload already. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/documents.h"
#include "api/pages/document.h"
#include "api/pages/filing.h"
#include "arkki/base/json.h"
#include "arkki/base/text.h"

enum { SAME_SHOWN = 5, SAME_LOOKED = 40 };

struct looking {
	struct catalogue_row *rows;
	size_t n;
};

static int look(void *arg, const struct catalogue_row *row)
{
	struct looking *l = arg;

	if (l->n < SAME_LOOKED && !catalogue_row_copy(&l->rows[l->n], row))
		l->n++;
	return 0;
}

static bool same_bytes(struct exchange *x, const struct catalogue_row *row, const char *hex)
{
	struct visit *v = visit_of(x);
	struct card card = {0};
	const char *sha;
	bool same = !reading_card(v->app->archive, v->receipt, row, &card, NULL);

	sha = json_text(card.version, "sha256");
	same = same && sha && strcmp(sha, hex) == 0;
	card_free(&card);
	return same;
}

static bool told(const struct sheet *s, size_t n, const char *document)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(s->same[i].document, document) == 0)
			return true;
	return false;
}

/* Those whose bytes differ are put away. */
static void same_read(struct exchange *x)
{
	struct sheet *s = visit_of(x)->more;
	unsigned char sha[32];
	char hex[65] = "";
	size_t n = 0;

	if (!uploads_digest(x, s->u.id, sha, NULL))
		hex_encode(hex, sha, sizeof(sha));
	for (size_t i = 0; i < s->same_len; i++) {
		/* of a document one version, the latest */
		if (n < SAME_SHOWN && !told(s, n, s->same[i].document) &&
		    same_bytes(x, &s->same[i], hex))
			s->same[n++] = s->same[i];
		else
			catalogue_row_free(&s->same[i]);
	}
	s->same_len = n;
	s->then(x, s);
}

/* Versions with as many bytes, of any document that the caller sees whole: in the clear stands the size alone, so that the
 * digests of these few are opened and logged. */
static int find_same(struct exchange *x, struct sheet *s, struct ark_error *err)
{
	struct looking l = {.rows = calloc(SAME_LOOKED, sizeof(*l.rows))};
	struct access_sight *sight = NULL;
	struct archive *a = app_of(x)->archive;
	struct desk *desk = NULL;
	int rc = l.rows ? ARK_OK : ark_fail(err, ARK_ENOMEM, "no memory for a page");

	if (!rc)
		rc = caller_sight(caller_of(x), &sight, err);
	if (!rc)
		rc = archive_desk(a, &desk, err);
	if (!rc)
		rc = catalogue_sized(
		    desk->catalogue, s->u.length, SAME_LOOKED, sight, look, &l, err);
	archive_desk_return(a, desk);
	access_sight_unref(sight);
	s->same = l.rows;
	s->same_len = l.n;
	return rc;
}

void sheet_same(
    struct exchange *x, struct sheet *s, void (*then)(struct exchange *x, struct sheet *s))
{
	struct ledger_record records[SAME_LOOKED];
	struct visit *v = visit_of(x);
	struct ark_error err;

	s->then = then;
	if (find_same(x, s, &err)) {
		http_reply_error(x, &err);
		return;
	}
	for (size_t i = 0; i < s->same_len; i++) {
		records[i] = visit_record(v, "metadata");
		records[i].document = s->same[i].document;
		records[i].version = s->same[i].version;
	}
	if (s->same_len)
		visit_log(x, records, s->same_len, same_read);
	else
		then(x, s);
}

void same_report(struct page *p, const struct sheet *s)
{
	struct buf url = BUF_INIT;
	char version[16];

	if (!s->same_len)
		return;
	html_put(&p->h, "<section class=\"note\"><h2>$</h2><ul>", say(p, SAY_FILING_SAME));
	for (size_t i = 0; i < s->same_len; i++) {
		document_path(p, &s->same[i], s->same[i].version, "", &url);
		html_put(&p->h, "<li><a href=\"$\">", url.data);
		page_name(p, "types", s->same[i].type);
		html_raw(&p->h, ", ");
		page_date(p, s->same[i].date);
		snprintf(version, sizeof(version), "%u", s->same[i].version);
		html_raw(&p->h, ", ");
		page_say(p, SAY_VERSION_N, version);
		html_raw(&p->h, "</a></li>");
	}
	html_put(&p->h, "</ul><p>$</p></section>", say(p, SAY_FILING_SAME_WHAT));
	buf_free(&url);
}
