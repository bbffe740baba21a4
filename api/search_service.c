/* The first half of a search: from what was asked to the page of hits that is logged. search_open.c is the
 * second. */
#include "api/search_service.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/indexer.h"
#include "api/search_cursor.h"
#include "api/search_names.h"
#include "api/synonyms.h"
#include "arkki/base/clock.h"
#include "arkki/base/text.h"

enum {
	UNSETTLED_MAX = 5000,
	FILED_AT_ONCE = 64, /* in one commit, at most */
	RECORDS_MAX =
	    2 +
	    2 * SEARCH_LIMIT_MAX, /* of one page: the search, its model, hits, and their likes */
	RECORD_BYTES = 1200,      /* of a log record, without what was stated */
	APPEND_BYTES = 800 << 10, /* what one answer writes; the ledger takes 900 KiB */
};

struct filed {
	uint64_t sequence;
	struct search_hit hit;
};

/* One search on its way. */
struct run {
	struct exchange *x;
	struct visit *v;
	const struct search_asked *asked;
	struct search_view *s;
	struct search_work w;
	struct search_request r;
	char request[33], owner[33], name[33];
	struct search_place place; /* where the cursor says */
	bool goes_on;
	bool like_open; /* what it is to be like may be read */
};

static void view_free(void *arg)
{
	struct search_view *s = arg;

	for (size_t i = 0; i < s->hits_len; i++) {
		card_free(&s->hits[i].card);
		catalogue_row_free(&s->hits[i].row);
		buf_wipe_free(&s->hits[i].snippet);
	}
	if (s->more_free)
		s->more_free(s->more);
	snippet_free(s->snippet);
	ranking_unref(s->ranking);
	buf_free(&s->next);
	buf_free(&s->prev);
	buf_wipe_free(&s->meant);
	free(s->q);
	free(s->language);
	free(s);
}

/* ---- what the index may show too much of ---- */

struct unsettled {
	char (*documents)[33];
	size_t len, cap;
	struct ark_error *err;
};

static int add_unsettled(void *arg, const char document[33])
{
	struct unsettled *u = arg;

	if (u->len == UNSETTLED_MAX)
		return ark_fail(u->err, ARK_EIO, "the index is too far behind the archive");
	if (u->len == u->cap) {
		size_t cap = u->cap ? u->cap * 2 : 16;
		char(*documents)[33] = realloc(u->documents, cap * sizeof(*documents));

		if (!documents)
			return ark_fail(u->err, ARK_ENOMEM, "no memory for a search");
		u->documents = documents;
		u->cap = cap;
	}
	memcpy(u->documents[u->len++], document, 33);
	return ARK_OK;
}

/* Left out, so that a search finds nobody's document by words that were taken from sight, nor
 * counts it, while the index has yet to hear of it. */
static int find_unsettled(struct search_work *w, struct ark_error *err)
{
	struct app *app = w->v->app;
	struct unsettled u = {.err = err};
	struct desk *desk = NULL;
	int rc = archive_desk(app->archive, &desk, err);

	if (!rc)
		rc = catalogue_unsettled(desk->catalogue, indexer_sequence(app->indexer), w->sight,
		    add_unsettled, &u, err);
	archive_desk_return(app->archive, desk);
	w->unsettled = u.documents;
	w->unsettled_len = u.len;
	return rc;
}

/* ---- what others ask of the index ---- */

int search_work_begin(struct visit *v, struct search_work *ret, struct ark_error *err)
{
	int rc;

	*ret = (struct search_work){.v = v, .names = search_names_of(v)};
	rc = caller_sight(v->caller, &ret->sight, err);
	if (!rc)
		rc = find_unsettled(ret, err);
	if (!rc)
		rc = indexer_desk(v->app->indexer, &ret->desk, err);
	if (!rc)
		rc = synonyms_current(v->app, ret->desk->analyser, &ret->synonyms, err);
	return rc;
}

void search_work_end(struct search_work *w)
{
	if (!w->v)
		return;
	synonyms_unref(w->synonyms);
	indexer_desk_return(w->v->app->indexer, w->desk);
	access_sight_unref(w->sight);
	free(w->unsettled);
	*w = (struct search_work){0};
}

struct search_request search_request_of(
    const struct search_work *w, const struct search_asked *asked)
{
	return (struct search_request){
	    .q = asked->q,
	    .synonyms = w->synonyms,
	    .names = &w->names,
	    .sight = w->sight,
	    .unit = asked->unit,
	    .case_id = asked->case_id,
	    .type = asked->type,
	    .county = asked->county,
	    .municipality = asked->municipality,
	    .author = asked->author,
	    .language = asked->language,
	    .publicity = asked->publicity,
	    .year = asked->year,
	    .from = asked->from,
	    .to = asked->to,
	    .sort = asked->by_date ? SEARCH_BY_DATE : SEARCH_BY_RELEVANCE,
	    .versions_all = asked->versions_all,
	    .group = asked->group,
	    .without = (const char(*)[33])w->unsettled,
	    .without_len = w->unsettled_len,
	};
}

bool search_there(struct exchange *x)
{
	if (app_of(x)->indexer)
		return true;
	http_reply_problem(x, 503, "no-index", NULL, NULL);
	return false;
}

void search_failed(struct exchange *x, int rc, const struct ark_error *err)
{
	if (rc == ARK_EINPUT) {
		http_reply_problem(x, 400, "bad-query", err->text, NULL);
		return;
	}
	http_reply_header(x, "Retry-After", "2");
	http_reply_problem(x, 503, "search", NULL, NULL);
}

static bool year_ok(const char *year)
{
	size_t n = strlen(year);

	return n == 0 || (n == 4 && strspn(year, "0123456789") == 4);
}

const char *search_asked_fault(const struct search_asked *asked)
{
	if ((asked->from && *asked->from && !date_valid(asked->from)) ||
	    (asked->to && *asked->to && !date_valid(asked->to)))
		return "from and to must be dates YYYY-MM-DD.";
	if (asked->year && !year_ok(asked->year))
		return "year must be a year of four digits.";
	return NULL;
}

/* ---- more like this ---- */

/* In which form the caller may read the text of the newest version that is seen. ARK_ENOTFOUND: in none. */
static int find_like(const struct search_work *w, const char *document, struct search_request *r,
    struct ark_error *err)
{
	struct archive *a = w->v->app->archive;
	struct access_filter *content = NULL;
	struct catalogue_row row;
	struct desk *desk = NULL;
	bool open = false;
	int rc;

	if (!docid_valid(document))
		return ark_fail(err, ARK_ENOTFOUND, "there is no such document");
	rc = caller_content_filter(w->v->caller, &content, err);
	if (!rc)
		rc = archive_desk(a, &desk, err);
	if (!rc)
		rc = catalogue_get(desk->catalogue, document, 0, w->sight, &row, err);
	if (rc)
		goto out;
	if (row.whole)
		rc = catalogue_admits(
		    desk->catalogue, row.document, row.version, content, &open, err);
	if (!rc && !open && !row.rendition.number)
		rc = ark_fail(err, ARK_ENOTFOUND, "there is no such document");
	r->like_version = row.version;
	r->like_public = !open;
	catalogue_row_free(&row);
out:
	archive_desk_return(a, desk);
	access_filter_free(content);
	return rc;
}

/* What may not be read is looked for as a document that cannot be, in the same steps. */
int search_settle_like(const struct search_work *w, const struct search_asked *asked,
    struct search_request *r, bool *ret_open, struct ark_error *err)
{
	int rc;

	*ret_open = false;
	if (!asked->like || !*asked->like)
		return ARK_OK;
	rc = find_like(w, asked->like, r, err);
	if (rc && rc != ARK_ENOTFOUND)
		return rc;
	*ret_open = !rc;
	r->like = *ret_open ? asked->like : "00000000000000000000000000000000";
	return ARK_OK;
}

/* ---- the order ---- */

static int name_order(struct run *u, struct ark_error *err)
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

static int by_filing(const void *a, const void *b)
{
	const struct filed *x = a, *y = b;

	return x->sequence != y->sequence ? (x->sequence < y->sequence ? 1 : -1)
					  : strcmp(x->hit.document, y->hit.document);
}

static int sort_by_filing(
    struct run *u, struct search_hit *hits, size_t *len, struct ark_error *err)
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
    struct run *u, struct search_hit **ret, size_t *ret_len, struct ark_error *err)
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
static int new_order(struct run *u, struct ark_error *err)
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

static int find_order(struct run *u, struct ark_error *err)
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

static void write_cursor(struct run *u, size_t at, const struct search_hit *last, struct buf *out)
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
static int still_shown(const struct run *u, struct desk *desk, const char *document,
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

static int keep_shown_same(
    const struct run *u, struct desk *desk, struct search_view_hit *to, struct ark_error *err)
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

static int cut_page(struct run *u, struct ark_error *err)
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

/* ---- the log ---- */

static void add_record(const struct run *u, struct ledger_record *records, size_t *n,
    const char *document, uint32_t version)
{
	records[*n] = visit_record(u->v, "shown");
	records[*n].document = document;
	records[(*n)++].version = version;
}

/* A document that others are compared with is read; one that may not be is refused, as a read of its text is. */
static void add_like(const struct run *u, struct ledger_record *records, size_t *n)
{
	struct ledger_record *r = &records[*n];
	struct desk *desk = NULL;
	uint32_t newest, metadata;
	bool exists = false;

	if (!u->asked->like || !*u->asked->like)
		return;
	if (!u->like_open && !refusal_budget(u->v->app, u->v->caller->who->access.user))
		return;
	*r = visit_record(u->v, "text");
	if (u->like_open) {
		r->document = u->asked->like;
		r->version = u->r.like_version;
	} else {
		if (docid_valid(u->asked->like) && !archive_desk(u->v->app->archive, &desk, NULL)) {
			exists = !catalogue_newest(
			    desk->catalogue, u->asked->like, &newest, &metadata, NULL);
			archive_desk_return(u->v->app->archive, desk);
		}
		r->outcome = exists ? LEDGER_DENIED : LEDGER_NOT_FOUND;
		r->document = exists ? u->asked->like : NULL;
	}
	(*n)++;
}

/* Near-duplicates that a hit names are shown too. Those that one append has no room for are not named. */
static void log_search(struct run *u, void (*then)(struct exchange *x))
{
	const struct caller *c = u->v->caller;
	size_t n = 0, each, most;
	struct ledger_record *records = calloc(RECORDS_MAX, sizeof(*records));
	struct search_view *s = u->s;

	if (!records) {
		http_reply_problem(u->x, 503, "out-of-memory", NULL, NULL);
		return;
	}
	each = RECORD_BYTES + (c->purpose ? strlen(c->purpose) : 0) +
	       (c->break_glass ? strlen(c->break_glass) : 0);
	most = APPEND_BYTES / each;
	most = most < RECORDS_MAX ? most : RECORDS_MAX;
	records[n] = visit_record(u->v, "search");
	records[n++].query = s->q ? s->q : "";
	add_like(u, records, &n);
	for (size_t i = 0; i < s->found_len; i++)
		add_record(u, records, &n, s->hits[i].hit.document, s->hits[i].hit.version);
	for (size_t i = 0; i < s->found_len; i++)
		for (size_t k = 0; k < s->hits[i].same_len; k++) {
			if (n >= most) {
				s->hits[i].same_len = k;
				break;
			}
			add_record(u, records, &n, s->hits[i].hit.same[k].document,
			    s->hits[i].hit.same[k].version);
		}
	visit_log(u->x, records, n, then);
	free(records);
}

/* ---- the story ---- */

static char *copy_given(const char *text)
{
	return text && *text ? strdup(text) : NULL;
}

static int run_search(struct run *u, struct ark_error *err)
{
	const struct search_asked *asked = u->asked;
	int rc = search_work_begin(u->v, &u->w, err);

	if (rc)
		return rc;
	u->r = search_request_of(&u->w, asked);
	rc = search_settle_like(&u->w, asked, &u->r, &u->like_open, err);
	if (!rc)
		rc = find_order(u, err);
	if (!rc)
		rc = cut_page(u, err);
	if (!rc && !u->goes_on && u->s->q)
		rc = search_did_you_mean(u->w.desk->reader, &u->r, &u->s->meant, err);
	return rc;
}

/* False: 400 or 503 is replied. */
static bool read_place(struct run *u)
{
	struct app *app = u->v->app;
	const char *cursor = u->asked->cursor;
	struct ark_error err = {0};

	if (search_request_tag(app, u->asked, u->request, &err) ||
	    search_owner_tag(u->v->caller, app, u->request, u->owner, &err)) {
		http_reply_error(u->x, &err);
		return false;
	}
	u->goes_on = cursor && *cursor;
	if (u->goes_on && search_place_read(app, cursor, u->request, &u->place, &err)) {
		http_reply_problem(u->x, 400, "bad-cursor",
		    "The cursor is malformed, or it is of another search.", NULL);
		return false;
	}
	return true;
}

void search_begin(struct exchange *x, const struct search_asked *asked, void *more,
    void (*more_free)(void *more), void (*then)(struct exchange *x))
{
	struct visit *v = visit_of(x);
	struct search_view *s = v ? calloc(1, sizeof(*s)) : NULL;
	struct run u = {.x = x, .v = v, .asked = asked, .s = s};
	const char *fault = search_asked_fault(asked);
	struct ark_error err = {0};
	int rc;

	if (!s) {
		if (more_free)
			more_free(more);
		if (v)
			http_reply_problem(x, 503, "out-of-memory", NULL, NULL);
		return;
	}
	s->more = more;
	s->more_free = more_free;
	if (v->more_free)
		v->more_free(v->more);
	v->more = s;
	v->more_free = view_free;
	s->q = copy_given(asked->q);
	s->language = copy_given(asked->language);
	if (!search_there(x))
		return;
	if (fault) {
		http_reply_problem(x, 400, "bad-date", fault, NULL);
		return;
	}
	if (!read_place(&u))
		return;
	rc = run_search(&u, &err);
	search_work_end(&u.w);
	if (rc)
		search_failed(x, rc, &err);
	else
		log_search(&u, then);
}
