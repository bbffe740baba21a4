/* What every request to the index needs, and what may be compared in it. */
#include <stdlib.h>
#include <string.h>

#include "api/indexer.h"
#include "api/search_names.h"
#include "api/search_service.h"
#include "api/synonyms.h"
#include "arkki/base/clock.h"
#include "arkki/base/text.h"

enum { UNSETTLED_MAX = 5000 };

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
