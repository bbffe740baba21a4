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

int audit_titles_add(
    struct visit *v, struct audit_titles *t, const char *document, struct ark_error *err)
{
	int rc;

	if (!document || t->n == LOGGED_MAX || row_of(t, document))
		return ARK_OK;
	if (t->n == t->cap) {
		size_t cap = t->cap ? t->cap * 2 : 16;
		struct catalogue_row *rows = realloc(t->rows, cap * sizeof(*rows));

		if (!rows)
			return ark_fail(err, ARK_ENOMEM, "no memory for titles");
		t->rows = rows;
		t->cap = cap;
	}
	rc = find_row(v, document, &t->rows[t->n], err);
	if (!rc)
		t->n++;
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

void audit_titles_free(struct audit_titles *t)
{
	for (size_t i = 0; i < t->n; i++)
		catalogue_row_free(&t->rows[i]);
	free(t->rows);
	*t = (struct audit_titles){0};
}
