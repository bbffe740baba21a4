/* Which documents a visit pack takes: of the unit and of those in its line, as far as the caller sees them. */
#include <stdlib.h>
#include <string.h>

#include "api/pack_private.h"
#include "arkki/base/json.h"

enum { UNITS_MAX = 16 };

/* Rows found, before it is known which of them go in. */
struct gather {
	struct pack *p;
	struct catalogue *catalogue;
	const struct access_sight *sight;
	const struct access_filter *content;
	json_t *line;
	struct catalogue_row *rows;
	size_t n, cap;
};

static int keep(void *arg, const struct catalogue_row *row)
{
	struct gather *g = arg;

	/* its rows are there until the destruction has come to them */
	if (registry_has(g->p->w.registry, "tombstones", row->document))
		return 0;
	for (size_t i = 0; i < g->n; i++)
		if (strcmp(g->rows[i].document, row->document) == 0 &&
		    g->rows[i].version == row->version)
			return 0;
	if (g->n == g->cap) {
		size_t cap = g->cap ? g->cap * 2 : 32;
		struct catalogue_row *more = realloc(g->rows, cap * sizeof(*more));

		if (!more)
			return ARK_ENOMEM;
		g->rows = more;
		g->cap = cap;
	}
	if (catalogue_row_copy(&g->rows[g->n], row))
		return ARK_ENOMEM;
	g->n++;
	return 0;
}

static void forget_rows(struct gather *g)
{
	for (size_t i = 0; i < g->n; i++)
		catalogue_row_free(&g->rows[i]);
	g->n = 0;
}

static int newest_first(const void *a, const void *b)
{
	const struct catalogue_row *x = a, *y = b;
	int order = strcmp(y->date, x->date);

	return order ? order : strcmp(x->document, y->document);
}

/* The newest of a type, of every unit in the line. */
static int find(struct gather *g, const char *type, unsigned int limit, struct ark_error *err)
{
	const json_t *unit;
	size_t i;
	int rc = ARK_OK;

	json_array_foreach(g->line, i, unit)
	{
		const struct catalogue_list list = {
		    .unit = json_string_value(unit), .type = type, .limit = limit};

		if (!rc && i < UNITS_MAX && list.unit)
			rc = catalogue_documents(g->catalogue, &list, g->sight, keep, g, err);
	}
	return rc;
}

/* ---- one document ---- */

static int decide(struct gather *g, struct pack_item *item, struct ark_error *err)
{
	const struct catalogue_row *row = &item->row;
	bool whole = row->whole;
	int rc = ARK_OK;

	if (whole)
		rc = catalogue_admits(
		    g->catalogue, row->document, row->version, g->content, &whole, err);
	item->form = whole ? FORM_WHOLE : FORM_PUBLIC;
	item->open = !rc && (whole || row->rendition.number);
	/* such content waits for witnesses, one read at a time */
	if (item->open && witnesses_required(g->p->v->app->witnesses, row->publicity)) {
		item->open = false;
		item->why = SAY_PACK_WITNESSED;
	}
	return rc;
}

/* Takes the row. */
static int take(
    struct gather *g, struct catalogue_row *row, enum pack_part part, struct ark_error *err)
{
	struct pack *p = g->p;
	struct pack_item *item = &p->items[p->n];

	for (size_t i = 0; i < p->n; i++)
		if (strcmp(p->items[i].row.document, row->document) == 0 &&
		    p->items[i].row.version == row->version)
			return ARK_OK;
	if (p->n == PACK_DOCUMENTS_MAX)
		return ARK_OK;
	*item = (struct pack_item){.row = *row,
	    .part = part,
	    .why = SAY_COUNT,
	    .why_text = SAY_COUNT,
	    .why_file = SAY_COUNT};
	memset(row, 0, sizeof(*row));
	p->n++;
	return decide(g, item, err);
}

/* ---- the parts ---- */

static int gather_reports(struct gather *g, struct ark_error *err)
{
	int rc = ARK_OK;

	for (size_t i = 0; !rc && words_reports[i]; i++)
		rc = find(g, words_reports[i], PACK_REPORTS, err);
	if (!rc && g->n)
		qsort(g->rows, g->n, sizeof(*g->rows), newest_first);
	for (size_t i = 0; !rc && i < g->n && i < PACK_REPORTS; i++)
		rc = take(g, &g->rows[i], PART_REPORT, err);
	forget_rows(g);
	return rc;
}

static int gather_ordered(struct gather *g, struct ark_error *err)
{
	const json_t *order;
	size_t i;
	int rc = ARK_OK;

	json_array_foreach(g->p->orders, i, order)
	{
		const char *document = json_text(order, "document");
		struct catalogue_row row = {0};

		if (rc || !document || registry_has(g->p->w.registry, "tombstones", document))
			continue;
		rc = catalogue_get(g->catalogue, document, 0, g->sight, &row, err);
		if (!rc)
			rc = take(g, &row, PART_ORDERED, err);
		else if (rc == ARK_ENOTFOUND) /* destroyed meanwhile */
			rc = ARK_OK;
		catalogue_row_free(&row);
	}
	return rc;
}

/* The newest plan of a type, and what was before: its version before, or the plan before it. */
static int gather_plan(struct gather *g, const char *type, struct ark_error *err)
{
	char document[33];
	uint32_t version;
	struct catalogue_row before = {0};
	int rc = find(g, type, 2, err);

	if (rc || !g->n) {
		forget_rows(g);
		return rc;
	}
	qsort(g->rows, g->n, sizeof(*g->rows), newest_first);
	memcpy(document, g->rows[0].document, sizeof(document));
	version = g->rows[0].version;
	rc = take(g, &g->rows[0], PART_PLAN, err);
	if (!rc && g->n > 1) {
		before = g->rows[1];
		memset(&g->rows[1], 0, sizeof(g->rows[1]));
	}
	forget_rows(g);
	if (!rc)
		rc = catalogue_versions(g->catalogue, document, g->sight, keep, g, err);
	for (size_t i = 0; i < g->n; i++)
		if (g->rows[i].version < version) {
			catalogue_row_free(&before);
			before = g->rows[i];
			memset(&g->rows[i], 0, sizeof(g->rows[i]));
		}
	if (!rc && before.version && g->p->n && g->p->items[g->p->n - 1].part == PART_PLAN)
		rc = take(g, &before, PART_BEFORE, err);
	catalogue_row_free(&before);
	forget_rows(g);
	return rc;
}

/* Which originals go along, within the limit. */
static void settle_files(struct pack *p)
{
	uint64_t left = PACK_FILES_MAX;

	for (size_t i = 0; i < p->n; i++) {
		struct pack_item *item = &p->items[i];
		uint64_t size =
		    item->form == FORM_WHOLE ? item->row.size : item->row.rendition.size;

		if (!item->open || p->kind != PACK_ZIP)
			continue;
		item->file = size <= left;
		if (item->file)
			left -= size;
		else
			item->why_file = SAY_PACK_FILE_LARGE;
	}
}

int pack_gather(struct pack *p, struct ark_error *err)
{
	static const char *const plans[] = {
	    "self-supervision-plan", "self-supervision-programme", "good-treatment-plan"};
	struct access_sight *sight = NULL;
	struct access_filter *content = NULL;
	struct gather g = {.p = p, .line = units_line(p->w.registry, json_text(p->unit, "id"))};
	struct desk *desk = NULL;
	int rc = g.line ? caller_sight(p->v->caller, &sight, err)
			: ark_fail(err, ARK_ENOMEM, "no memory for a pack");

	if (!rc)
		rc = caller_content_filter(p->v->caller, &content, err);
	if (!rc)
		rc = archive_desk(p->v->app->archive, &desk, err);
	if (!rc) {
		g.catalogue = desk->catalogue;
		g.sight = sight;
		g.content = content;
		rc = gather_reports(&g, err);
	}
	if (!rc)
		rc = gather_ordered(&g, err);
	for (size_t i = 0; !rc && i < sizeof(plans) / sizeof(*plans); i++)
		rc = gather_plan(&g, plans[i], err);
	if (!rc)
		settle_files(p);
	archive_desk_return(p->v->app->archive, desk);
	access_filter_free(content);
	access_sight_unref(sight);
	json_decref(g.line);
	free(g.rows);
	return rc;
}
