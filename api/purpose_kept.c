#include "api/purpose_kept.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arkki/archive/credentials.h"
#include "arkki/base/clock.h"
#include "arkki/base/json.h"
#include "arkki/base/text.h"

enum { PLACES = 4096 };
#define KEPT_US (8LL * 3600 * 1000000)

struct place {
	char session[17]; /* "": free */
	char case_id[65];
	int64_t stated_us;
	uint64_t order; /* of two of the same moment the later */
	char *purpose;
};

struct purposes {
	pthread_mutex_t lock;
	uint64_t stated;
	size_t
	    top; /* places from here on have never been used: every page looks through those before */
	struct place places[PLACES];
};

int purposes_new(struct purposes **ret, struct ark_error *err)
{
	struct purposes *p = calloc(1, sizeof(*p));

	if (!p)
		return ark_fail(err, ARK_ENOMEM, "no memory for purposes");
	pthread_mutex_init(&p->lock, NULL);
	*ret = p;
	return ARK_OK;
}

static void place_empty(struct place *at)
{
	if (at->purpose) {
		explicit_bzero(at->purpose, strlen(at->purpose));
		free(at->purpose);
	}
	*at = (struct place){0};
}

void purposes_free(struct purposes *p)
{
	if (!p)
		return;
	for (size_t i = 0; i < PLACES; i++)
		place_empty(&p->places[i]);
	pthread_mutex_destroy(&p->lock);
	free(p);
}

static bool older(const struct place *a, const struct place *b)
{
	return !b || a->order < b->order;
}

/* Where a statement goes: in place of that for the same case, of the session's oldest when it has enough, in a free place, or
 * in place of the oldest of all. */
static struct place *place_for(
    struct purposes *p, const char *session, const char *case_id, int64_t now_us)
{
	struct place *own = NULL, *free_one = NULL, *oldest = NULL;
	size_t n = 0;

	for (size_t i = 0; i < p->top; i++) {
		struct place *at = &p->places[i];

		if (at->session[0] && now_us - at->stated_us >= KEPT_US)
			place_empty(at);
		if (!at->session[0]) {
			free_one = at;
			continue;
		}
		if (older(at, oldest))
			oldest = at;
		if (strcmp(at->session, session) != 0)
			continue;
		if (strcmp(at->case_id, case_id) == 0)
			return at;
		n++;
		if (older(at, own))
			own = at;
	}
	if (n >= PURPOSES_MAX)
		return own;
	if (!free_one && p->top < PLACES)
		free_one = &p->places[p->top++];
	return free_one ? free_one : oldest;
}

int purposes_keep(struct purposes *p, const char *session, const char *case_id, const char *purpose,
    int64_t now_us, struct ark_error *err)
{
	struct place *at;
	char *copy;

	if (!session[0] || strlen(session) >= sizeof(at->session) || !case_id[0] ||
	    strlen(case_id) >= sizeof(at->case_id) || strlen(purpose) >= PURPOSE_BYTES)
		return ark_fail(err, ARK_EINPUT, "a purpose that cannot be kept");
	copy = strdup(purpose);
	if (!copy)
		return ark_fail(err, ARK_ENOMEM, "no memory for a purpose");
	pthread_mutex_lock(&p->lock);
	at = place_for(p, session, case_id, now_us);
	place_empty(at);
	snprintf(at->session, sizeof(at->session), "%s", session);
	snprintf(at->case_id, sizeof(at->case_id), "%s", case_id);
	at->stated_us = now_us;
	at->order = ++p->stated;
	at->purpose = copy;
	pthread_mutex_unlock(&p->lock);
	return ARK_OK;
}

void purposes_end(struct purposes *p, const char *session, const char *case_id)
{
	pthread_mutex_lock(&p->lock);
	for (size_t i = 0; i < p->top; i++)
		if (strcmp(p->places[i].session, session) == 0 &&
		    (!case_id || strcmp(p->places[i].case_id, case_id) == 0))
			place_empty(&p->places[i]);
	pthread_mutex_unlock(&p->lock);
}

size_t purposes_of(
    struct purposes *p, const char *session, int64_t now_us, struct purpose_kept ret[PURPOSES_MAX])
{
	const struct place *found[PURPOSES_MAX];
	size_t n = 0;

	pthread_mutex_lock(&p->lock);
	for (size_t i = 0; i < p->top && session[0]; i++) {
		const struct place *at = &p->places[i];
		size_t k;

		if (strcmp(at->session, session) != 0 || now_us - at->stated_us >= KEPT_US ||
		    n == PURPOSES_MAX)
			continue;
		for (k = n++; k > 0 && found[k - 1]->order < at->order; k--)
			found[k] = found[k - 1];
		found[k] = at;
	}
	for (size_t i = 0; i < n; i++) {
		snprintf(ret[i].case_id, sizeof(ret[i].case_id), "%s", found[i]->case_id);
		snprintf(ret[i].purpose, sizeof(ret[i].purpose), "%s", found[i]->purpose);
	}
	pthread_mutex_unlock(&p->lock);
	return n;
}

/* ---- of a caller ---- */

/* A case that is gone is closed too; from the day `closed` on it is. */
static bool case_open(struct registry *registry, const char *id)
{
	json_t *record = registry_get(registry, "cases", id);
	const char *closed = json_text(record, "closed");
	char today[11];
	bool open;

	clock_day(today, clock_now_us());
	open = record && (!closed || strcmp(closed, today) > 0);
	json_decref(record);
	return open;
}

size_t purpose_kept_by(
    struct app *app, const struct caller *c, struct purpose_kept ret[PURPOSES_MAX])
{
	size_t n = 0, all;

	if (!c || !c->session || !app->purposes)
		return 0;
	all = purposes_of(app->purposes, c->session->id, clock_monotonic_us(), ret);
	for (size_t i = 0; i < all; i++) {
		if (!case_open(archive_registry(app->archive), ret[i].case_id))
			purposes_end(app->purposes, c->session->id, ret[i].case_id);
		else if (n++ != i)
			ret[n - 1] = ret[i];
	}
	return n;
}

int purpose_keep(struct app *app, const struct caller *c, struct ark_error *err)
{
	if (!c->session || !c->purpose || !c->case_id ||
	    !case_open(archive_registry(app->archive), c->case_id))
		return ARK_OK;
	return purposes_keep(
	    app->purposes, c->session->id, c->case_id, c->purpose, clock_monotonic_us(), err);
}

/* Does the case cover a unit of this version? The same question as a list of the unit's documents, of the catalogue. */
static int case_covers(struct app *app, const char *case_id, const char *document, uint32_t version,
    bool *ret, struct ark_error *err)
{
	json_t *record = registry_get(archive_registry(app->archive), "cases", case_id);
	const json_t *units = json_object_get(record, "units");
	struct desk *desk = NULL;
	uint32_t newest = version, metadata;
	int rc = archive_desk(app->archive, &desk, err);

	*ret = false;
	if (!rc && !version)
		rc = catalogue_newest(desk->catalogue, document, &newest, &metadata, err);
	for (size_t i = 0; !rc && !*ret && i < json_array_size(units); i++) {
		const char *unit = json_string_value(json_array_get(units, i));
		struct access_filter f = {.op = ACCESS_OP_HAS, .attribute = ACCESS_ATTR_UNIT};

		f.value = (char *)(uintptr_t)unit;
		if (unit)
			rc = catalogue_admits(desk->catalogue, document, newest, &f, ret, err);
	}
	archive_desk_return(app->archive, desk);
	json_decref(record);
	return rc;
}

int purpose_kept_state(struct app *app, struct caller *c, const char *document, uint32_t version,
    struct ark_error *err)
{
	struct purpose_kept kept[PURPOSES_MAX];
	size_t n = c->purpose || c->case_id ? 0 : purpose_kept_by(app, c, kept);
	bool covers = false;
	int rc = ARK_OK;

	if (!n || !docid_valid(document))
		return ARK_OK;
	for (size_t i = 0; !rc && !covers && i < n; i++) {
		rc = case_covers(app, kept[i].case_id, document, version, &covers, err);
		if (!rc && covers)
			rc = caller_restate(c, archive_registry(app->archive), kept[i].purpose,
			    kept[i].case_id, err);
	}
	return rc == ARK_ENOTFOUND ? ARK_OK : rc;
}
