/* The first half of a search: from what was asked to the page of hits that is logged. search_open.c is the
 * second. */
#include <stdlib.h>
#include <string.h>

#include "api/indexer.h"
#include "api/search_run.h"
#include "arkki/base/text.h"

enum {
	RECORDS_MAX =
	    2 +
	    2 * SEARCH_LIMIT_MAX, /* of one page: the search, its model, hits, and their likes */
	RECORD_BYTES = 1200,      /* of a log record, without what was stated */
	APPEND_BYTES = 800 << 10, /* what one answer writes; the ledger takes 900 KiB */
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

/* ---- the log ---- */

static void add_record(const struct search_run *u, struct ledger_record *records, size_t *n,
    const char *document, uint32_t version)
{
	records[*n] = visit_record(u->v, "shown");
	records[*n].document = document;
	records[(*n)++].version = version;
}

/* A document that others are compared with is read; one that may not be is refused, as a read of its text is. */
static void add_like(const struct search_run *u, struct ledger_record *records, size_t *n)
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
static void log_search(struct search_run *u, void (*then)(struct exchange *x))
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

/* Words are proposed out of texts that are open alone: in those that need a purpose a searcher finds the words typed,
 * and is told no others. What finds something of them needs no proposal either; that is asked last, so that
 * closed texts decide no more about the time it takes than they do about the hits. */
static int propose_words(struct search_run *u, struct ark_error *err)
{
	struct access_filter *content = NULL, *both[] = {u->w.sight->whole, NULL};
	struct access_filter open = {.op = ACCESS_OP_AND, .child = both, .children = 2};
	const struct access_sight sight = {u->w.sight->any, &open};
	struct search_request r = u->r;
	struct buf of_all = BUF_INIT;
	int rc = caller_content_filter(u->v->caller, &content, err);

	both[1] = content;
	r.sight = &sight;
	if (!rc)
		rc = search_did_you_mean(u->w.desk->reader, &r, &u->s->meant, err);
	if (!rc && u->s->meant.len)
		rc = search_did_you_mean(u->w.desk->reader, &u->r, &of_all, err);
	if (!of_all.len)
		buf_clear(&u->s->meant);
	access_filter_free(content);
	buf_wipe_free(&of_all);
	return rc;
}

static int run_search(struct search_run *u, struct ark_error *err)
{
	const struct search_asked *asked = u->asked;
	int rc = search_work_begin(u->v, &u->w, err);

	if (rc)
		return rc;
	u->r = search_request_of(&u->w, asked);
	rc = search_owner_tag(u->v->app, u->v->caller, u->w.sight, u->request, u->owner, err);
	if (!rc)
		rc = search_settle_like(&u->w, asked, &u->r, &u->like_open, err);
	if (!rc)
		rc = search_find_order(u, err);
	if (!rc)
		rc = search_cut_page(u, err);
	if (!rc && !u->goes_on && u->s->q)
		rc = propose_words(u, err);
	return rc;
}

/* False: 400 or 503 is replied. */
static bool read_place(struct search_run *u)
{
	struct app *app = u->v->app;
	const char *cursor = u->asked->cursor;
	struct ark_error err = {0};

	if (search_request_tag(app, u->v->caller, u->asked, u->request, &err)) {
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
	struct search_run u = {.x = x, .v = v, .asked = asked, .s = s};
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
