/* Titles of documents that stand in entries of a log: of those that the caller sees, each logged before it is shown. */
#include <stdlib.h>
#include <string.h>

#include "api/documents.h"
#include "api/pages/audit.h"
#include "arkki/base/json.h"

enum { LOGGED_MAX = 100 };

static const struct catalogue_row *row_of(const struct audit_titles *t, const char *document)
{
	for (size_t i = 0; i < t->n; i++)
		if (strcmp(t->rows[i].document, document) == 0)
			return &t->rows[i];
	return NULL;
}

static int find_row(
    struct visit *v, const char *document, struct catalogue_row *ret, struct ark_error *err)
{
	struct access_sight *sight = NULL;
	struct desk *desk = NULL;
	int rc = caller_sight(v->caller, &sight, err);

	if (!rc)
		rc = archive_desk(v->app->archive, &desk, err);
	if (!rc)
		rc = catalogue_get(desk->catalogue, document, 0, sight, ret, err);
	archive_desk_return(v->app->archive, desk);
	access_sight_unref(sight);
	return rc;
}

static uint64_t entries_of(struct app *app, const char *document, bool own)
{
	const struct ledger_series which = {document, NULL, own};
	uint64_t last = 0, at = 0;

	return ledger_series_last(
		   archive_ledger(app->archive, LEDGER_ACCESS), &which, &last, &at, NULL)
		   ? 0
		   : last;
}

static int make_room(struct audit_titles *t, struct ark_error *err)
{
	size_t cap = t->cap ? t->cap * 2 : 16;
	struct catalogue_row *rows;
	uint64_t(*of)[2];

	if (t->n < t->cap)
		return ARK_OK;
	rows = realloc(t->rows, cap * sizeof(*rows));
	if (rows)
		t->rows = rows;
	of = rows ? realloc(t->of, cap * sizeof(*of)) : NULL;
	if (!of)
		return ark_fail(err, ARK_ENOMEM, "no memory for titles");
	t->of = of;
	t->cap = cap;
	return ARK_OK;
}

int audit_titles_add(
    struct visit *v, struct audit_titles *t, const char *document, struct ark_error *err)
{
	int rc;

	if (!document || t->n == LOGGED_MAX || row_of(t, document))
		return ARK_OK;
	rc = make_room(t, err);
	if (rc)
		return rc;
	rc = find_row(v, document, &t->rows[t->n], err);
	if (!rc) {
		for (int own = 0; own < 2; own++)
			t->of[t->n][own] = entries_of(v->app, document, own);
		t->n++;
	}
	return rc == ARK_ENOTFOUND ? ARK_OK : rc;
}

void audit_titles_log(
    struct exchange *x, const struct audit_titles *t, void (*then)(struct exchange *x))
{
	struct ledger_record records[LOGGED_MAX];
	size_t n = t->n < LOGGED_MAX ? t->n : LOGGED_MAX;

	for (size_t i = 0; i < n; i++) {
		records[i] = visit_record(visit_of(x), "shown");
		records[i].document = t->rows[i].document;
		records[i].version = t->rows[i].version;
	}
	if (n)
		visit_log(x, records, n, then);
	else
		then(x);
}

void audit_title_write(struct page *p, const struct audit_titles *t, const char *document)
{
	const struct catalogue_row *row = row_of(t, document);
	const struct visit *v = visit_of(p->x);
	struct card card = {0};
	const char *title = NULL;

	if (row && !shown_card(v->app->archive, v->receipt, row, &card, NULL))
		title = json_text(card.fields, "title");
	if (title)
		html_put(&p->h, "<a href=\"/$/documents/$\" dir=\"auto\">$</a>",
		    i18n_code(p->language), document, title);
	else
		html_put(&p->h, "<code>$</code>", document);
	card_free(&card);
}

uint64_t audit_titles_of(
    const struct page *p, const struct audit_titles *t, const char *document, bool own)
{
	const struct catalogue_row *row = row_of(t, document);

	return row ? t->of[row - t->rows][own] : entries_of(app_of(p->x), document, own);
}

void audit_titles_free(struct audit_titles *t)
{
	for (size_t i = 0; i < t->n; i++)
		catalogue_row_free(&t->rows[i]);
	free(t->rows);
	free(t->of);
	*t = (struct audit_titles){0};
}
