/* The order of a search's hits, and the page cut out of it. */
#include <stdlib.h>
#include <string.h>

#include "api/indexer.h"
#include "api/search_run.h"

enum { FILED_AT_ONCE = 64 /* in one commit, at most */ };

/* ---- the order ---- */

static int name_order(struct search_run *u, struct ark_error *err)
{
	const struct search_result *first = ranking_first(u->s->ranking);
	struct buf b = BUF_INIT;
	const void *bytes;
	size_t len;

	bytes = ranking_bytes(u->s->ranking, &len);
	buf_addf(&b, "%llu,", (unsigned long long)first->total);
	buf_add(&b, bytes, len);
	if (buf_failed(&b))
		return ark_fail(err, ARK_ENOMEM, "no memory for a search");
	archive_tag(u->v->app->archive, "search order", b.data, b.len, u->name);
	buf_free(&b);
	return ARK_OK;
}

struct filed {
	uint64_t sequence;
	struct search_hit hit;
};

static int by_filing(const void *a, const void *b)
{
	const struct filed *x = a, *y = b;

	return x->sequence != y->sequence ? (x->sequence < y->sequence ? 1 : -1)
					  : strcmp(x->hit.document, y->hit.document);
}

static int sort_by_filing(
    struct search_run *u, struct search_hit *hits, size_t *len, struct ark_error *err)
{
	struct filed *sorted = calloc(*len ? *len : 1, sizeof(*sorted));
	struct desk *desk = NULL;
	struct catalogue_row row;
	size_t n = 0;
	int rc = sorted ? archive_desk(u->v->app->archive, &desk, err)
			: ark_fail(err, ARK_ENOMEM, "no memory for a search");

	for (size_t i = 0; !rc && i < *len; i++) {
		rc = catalogue_get(
		    desk->catalogue, hits[i].document, hits[i].version, u->w.sight, &row, err);
		if (rc) {
			rc = rc == ARK_ENOTFOUND ? ARK_OK : rc;
			continue;
		}
		sorted[n++] = (struct filed){row.sequence, hits[i]};
		catalogue_row_free(&row);
	}
	if (!rc) {
		qsort(sorted, n, sizeof(*sorted), by_filing);
		for (size_t i = 0; i < n; i++)
			hits[i] = sorted[i].hit;
		*len = n < u->asked->limit ? n : u->asked->limit;
	}
	archive_desk_return(u->v->app->archive, desk);
	free(sorted);
	return rc;
}

/* The first `limit` by filing, newest first: a commit is looked for behind which about as many were filed. */
static int filed_last(
    struct search_run *u, struct search_hit **ret, size_t *ret_len, struct ark_error *err)
{
	uint64_t low = 0, high = indexer_sequence(u->v->app->indexer), total;
	struct search_request r = u->r;
	int rc = ARK_OK;

	while (!rc && high - low > 1) {
		r.filed_after = low + (high - low) / 2;
		rc = search_total(u->w.desk->reader, &r, &total, err);
		*(total < u->asked->limit ? &high : &low) = r.filed_after;
	}
	r.filed_after = low;
	if (!rc)
		rc = search_ranking(
		    u->w.desk->reader, &r, u->asked->limit + FILED_AT_ONCE, ret, ret_len, err);
	return rc ? rc : sort_by_filing(u, *ret, ret_len, err);
}

/* An order of one page alone is not kept: nobody goes on in it. */
static int new_order(struct search_run *u, struct ark_error *err)
{
	struct search_result first = {0};
	struct search_hit *all = NULL;
	size_t len = 0;
	bool more, own;
	int rc;

	u->r.limit = u->asked->limit;
	u->r.facets = !u->asked->by_filing;
	rc = search_query(u->w.desk->reader, &u->r, &first, err);
	if (rc)
		return rc;
	more = !u->asked->by_filing && (first.next_offset || u->goes_on);
	own = more || u->asked->by_filing;
	if (more)
		rc = search_ranking(u->w.desk->reader, &u->r, RANKING_HITS_MAX, &all, &len, err);
	else if (u->asked->by_filing)
		rc = filed_last(u, &all, &len, err);
	if (!rc)
		rc = ranking_new(&first, own ? all : first.hits, own ? len : first.hits_len,
		    &u->s->ranking, err);
	free(all);
	search_result_clear(&first);
	if (!rc)
		rc = name_order(u, err);
	if (!rc && more)
		rankings_keep(u->v->app->rankings, u->owner, u->name, u->s->ranking);
	return rc;
}

int search_find_order(struct search_run *u, struct ark_error *err)
{
	int rc;

	if (u->goes_on)
		u->s->ranking = rankings_find(u->v->app->rankings, u->owner, u->place.name);
	if (u->s->ranking) {
		memcpy(u->name, u->place.name, sizeof(u->name));
		u->s->from = u->place.at < ranking_len(u->s->ranking) ? u->place.at
								      : ranking_len(u->s->ranking);
	} else {
		rc = new_order(u, err);
		if (rc)
			return rc;
		u->s->from = u->goes_on ? ranking_behind(u->s->ranking, u->place.last,
					      u->place.version, u->place.at)
					: 0;
	}
	u->s->first = ranking_first(u->s->ranking);
	return ARK_OK;
}

/* ---- the page ---- */

static void write_cursor(
    struct search_run *u, size_t at, const struct search_hit *last, struct buf *out)
{
	struct search_place p = {.at = at};

	memcpy(p.request, u->request, sizeof(p.request));
	memcpy(p.name, u->name, sizeof(p.name));
	if (last) {
		memcpy(p.last, last->document, sizeof(p.last));
		p.version = u->asked->versions_all ? last->version : 0;
	}
	search_place_write(u->v->app, &p, out);
}

/* 1: shown; 0: withdrawn, or found by words of a whole that is not shown any more. */
static int still_shown(const struct search_run *u, struct desk *desk, const char *document,
    uint32_t version, bool whole, struct ark_error *err)
{
	struct catalogue_row row;
	int rc = catalogue_get(desk->catalogue, document, version, u->w.sight, &row, err);
	bool shown;

	if (rc)
		return rc == ARK_ENOTFOUND ? 0 : rc;
	shown = whole ? row.whole : row.rendition.number > 0;
	catalogue_row_free(&row);
	return shown;
}

static int keep_shown_same(const struct search_run *u, struct desk *desk,
    struct search_view_hit *to, struct ark_error *err)
{
	struct search_hit *h = &to->hit;
	size_t named = h->similar < SEARCH_SAME_MAX ? h->similar : SEARCH_SAME_MAX;
	int rc;

	for (size_t i = 0; i < named; i++) {
		rc = still_shown(
		    u, desk, h->same[i].document, h->same[i].version, h->same[i].whole, err);
		if (rc < 0)
			return rc;
		if (rc)
			h->same[to->same_len++] = h->same[i];
		else
			h->similar--;
	}
	return ARK_OK;
}

int search_cut_page(struct search_run *u, struct ark_error *err)
{
	struct search_view *s = u->s;
	struct search_hit hit, last = {0};
	struct desk *desk = NULL;
	size_t at = s->from, back;
	int rc = archive_desk(u->v->app->archive, &desk, err);

	for (; !rc && at < ranking_len(s->ranking); at++) {
		ranking_hit(s->ranking, at, &hit);
		rc = still_shown(u, desk, hit.document, hit.version, hit.whole, err);
		if (rc < 0)
			break;
		if (!rc)
			continue;
		rc = ARK_OK;
		if (s->found_len == u->asked->limit) {
			write_cursor(u, at, &last, &s->next);
			break;
		}
		last = hit;
		s->hits[s->found_len].hit = hit;
		rc = keep_shown_same(u, desk, &s->hits[s->found_len++], err);
	}
	if (!rc && s->from > 0) {
		back = s->from > u->asked->limit ? s->from - u->asked->limit : 0;
		if (back > 0)
			ranking_hit(s->ranking, back - 1, &last);
		write_cursor(u, back, back > 0 ? &last : NULL, &s->prev);
	}
	archive_desk_return(u->v->app->archive, desk);
	return rc;
}
