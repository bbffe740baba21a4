/* The caller's own uploads: how many there may be, looked at, filled by the server, read. */
#include <stdlib.h>
#include <string.h>

#include "api/uploads_private.h"
#include "arkki/archive/filing.h"
#include "arkki/base/json.h"

enum { NOTE_TRIES = 10 };

void upload_state_free(struct upload_state *u)
{
	free(u->file_name);
	free(u->media_type);
	json_decref(u->draft);
	free(u->kept);
	*u = (struct upload_state){0};
}

static const char *user_of(const struct exchange *x)
{
	return caller_of(x)->who->access.user;
}

static struct pending_place place_of(const struct exchange *x)
{
	return upload_place(app_of(x)->archive);
}

bool upload_permitted(const struct exchange *x)
{
	const struct caller *c = caller_of(x);

	return (c->scopes & TOKEN_FILE) &&
	       (c->who->access.roles & (ACCESS_INSPECTOR | ACCESS_REGISTRAR | ACCESS_SUPERVISOR));
}

/* ---- room ---- */

struct usage {
	unsigned int n;
	uint64_t bytes;
};

static int add_usage(void *arg, const struct pending *p)
{
	struct usage *u = arg;

	if (p->document[0])
		return 0;
	u->n++;
	u->bytes += p->length == PENDING_OPEN ? p->offset : p->length;
	return 0;
}

static int no_room(struct ark_error *err)
{
	return ark_fail(err, UPLOAD_NO_ROOM,
	    "There is no room for this upload beside those that are under way and what is kept for "
	    "the access log: file or remove uploads of yours, try again when others are filed, or "
	    "ask whoever runs the archive for a larger disk.");
}

/* With `n` more of `more` bytes beside those that are there. */
static int check_room(struct exchange *x, unsigned int n, uint64_t more, struct ark_error *err)
{
	const struct pending_place place = place_of(x);
	uint64_t left, reserve, promised = 0;
	struct usage u = {0};
	int rc = pending_each(&place, user_of(x), add_usage, &u, err);

	if (!rc && (u.n + n > UPLOADS_OF_ONE_MAX || u.bytes + more > UPLOADS_BYTES_MAX))
		rc = ark_fail(err, ARK_EREFUSED,
		    "You have too many uploads that are not filed: file or remove some first.");
	if (!rc)
		rc = pending_promised(&place, &promised, err);
	if (!rc)
		rc = filing_disk(archive_dir(app_of(x)->archive), &left, &reserve, err);
	if (!rc &&
	    (left < reserve || left - reserve < promised || left - reserve - promised < more))
		rc = no_room(err);
	return rc;
}

int upload_room(struct exchange *x, uint64_t length, struct ark_error *err)
{
	int rc = filing_room(app_of(x)->archive, err);

	return rc ? rc : check_room(x, 1, length == PENDING_OPEN ? 0 : length, err);
}

int upload_promise(struct exchange *x, const char *id, struct ark_error *err)
{
	const struct pending_place place = place_of(x);
	struct pending_file *f = NULL;
	int rc = pending_open(&place, user_of(x), id, PENDING_APPEND, &f, err);

	if (!rc)
		rc = pending_reserve(f, NULL);
	pending_close(f);
	if (rc == ARK_EREFUSED)
		rc = no_room(err);
	/* its row is there: of two that begin at once each sees the other */
	if (!rc)
		rc = check_room(x, 0, 0, err);
	if (rc)
		(void)!pending_remove(&place, user_of(x), id, NULL);
	return rc;
}

/* ---- looked at ---- */

static int state_from(const struct pending *p, struct upload_state *ret, struct ark_error *err)
{
	struct upload_state u = {
	    .length = p->length,
	    .offset = p->offset,
	    .version = p->version,
	    .changed_us = p->changed_us,
	};
	int rc = ARK_OK;

	memcpy(u.id, p->id, sizeof(u.id));
	memcpy(u.document, p->document, sizeof(u.document));
	u.file_name = p->file_name ? strdup(p->file_name) : NULL;
	u.media_type = p->media_type ? strdup(p->media_type) : NULL;
	if (p->draft)
		rc = json_read(p->draft, strlen(p->draft), &u.draft, err);
	else
		u.draft = json_object();
	u.kept = strdup(p->draft ? p->draft : "");
	if (!rc && (!u.draft || !u.kept || (p->file_name && !u.file_name) ||
		       (p->media_type && !u.media_type)))
		rc = ark_fail(err, ARK_ENOMEM, "no memory for an upload");
	if (rc)
		upload_state_free(&u);
	else
		*ret = u;
	return rc;
}

int uploads_get(struct exchange *x, const char *id, struct upload_state *ret, struct ark_error *err)
{
	const struct pending_place place = place_of(x);
	struct pending p = {0};
	int rc = pending_get(&place, user_of(x), id, &p, err);

	if (!rc)
		rc = state_from(&p, ret, err);
	pending_free(&p);
	return rc;
}

struct gathering {
	struct upload_state *all;
	bool filed_too;
	size_t n, room;
	struct ark_error err;
};

static int gather(void *arg, const struct pending *p)
{
	struct gathering *g = arg;

	if (p->document[0] && !g->filed_too)
		return 0;
	if (g->n == g->room) {
		size_t room = g->room ? 2 * g->room : 16;
		struct upload_state *all = reallocarray(g->all, room, sizeof(*all));

		if (!all)
			return ark_fail(&g->err, ARK_ENOMEM, "no memory for uploads");
		g->all = all;
		g->room = room;
	}
	if (state_from(p, &g->all[g->n], &g->err))
		return g->err.status;
	g->n++;
	return 0;
}

static int by_change(const void *a, const void *b)
{
	const struct upload_state *u = a, *w = b;

	return u->changed_us != w->changed_us ? (u->changed_us < w->changed_us ? -1 : 1)
					      : strcmp(u->id, w->id);
}

static int each_of(struct exchange *x, bool filed_too,
    int (*each)(void *arg, const struct upload_state *u), void *arg, struct ark_error *err)
{
	const struct pending_place place = place_of(x);
	struct gathering g = {.filed_too = filed_too};
	int rc = pending_each(&place, user_of(x), gather, &g, err);

	if (rc && g.err.status == rc)
		ark_fail(err, rc, "%s", g.err.text);
	if (!rc && g.n)
		qsort(g.all, g.n, sizeof(*g.all), by_change);
	for (size_t i = 0; !rc && i < g.n; i++)
		rc = each(arg, &g.all[i]);
	for (size_t i = 0; i < g.n; i++)
		upload_state_free(&g.all[i]);
	free(g.all);
	return rc;
}

int uploads_each(struct exchange *x, int (*each)(void *arg, const struct upload_state *u),
    void *arg, struct ark_error *err)
{
	return each_of(x, false, each, arg, err);
}

int uploads_each_ever(struct exchange *x, int (*each)(void *arg, const struct upload_state *u),
    void *arg, struct ark_error *err)
{
	return each_of(x, true, each, arg, err);
}

int uploads_draft(struct exchange *x, const char *id, const json_t *draft, struct ark_error *err)
{
	const struct pending_place place = place_of(x);
	char *text = json_dumps(draft, JSON_COMPACT);
	int rc = text ? pending_draft(&place, user_of(x), id, NULL, text, err)
		      : ark_fail(err, ARK_ENOMEM, "no memory for what was typed");

	free(text);
	return rc;
}

int uploads_keep(struct exchange *x, struct upload_state *u, struct ark_error *err)
{
	const struct pending_place place = place_of(x);
	char *text = json_dumps(u->draft, JSON_COMPACT);
	int rc = text ? pending_draft(&place, user_of(x), u->id, u->kept, text, err)
		      : ark_fail(err, ARK_ENOMEM, "no memory for what was typed");

	if (rc) {
		free(text);
		return rc;
	}
	free(u->kept);
	u->kept = text;
	return ARK_OK;
}

int uploads_note(struct exchange *x, struct upload_state *u, json_t *members, struct ark_error *err)
{
	int rc = json_object_update(u->draft, members)
		     ? ark_fail(err, ARK_ENOMEM, "no memory for what was typed")
		     : uploads_keep(x, u, err);

	for (int i = 0; rc == ARK_ECONFLICT && i < NOTE_TRIES; i++) {
		struct upload_state now = {0};

		rc = uploads_get(x, u->id, &now, err);
		if (!rc && json_object_update(now.draft, members))
			rc = ark_fail(err, ARK_ENOMEM, "no memory for what was typed");
		if (!rc)
			rc = uploads_keep(x, &now, err);
		if (!rc) {
			upload_state_free(u);
			*u = now;
		} else {
			upload_state_free(&now);
		}
	}
	return rc;
}

int uploads_remove(struct exchange *x, const char *id, struct ark_error *err)
{
	const struct pending_place place = place_of(x);

	return pending_remove(&place, user_of(x), id, err);
}

/* ---- filled by the server ---- */

int uploads_begin(struct exchange *x, const char *file_name, const char *media_type,
    char ret_id[33], struct ark_error *err)
{
	const struct pending_place place = place_of(x);
	struct pending wish = {.length = PENDING_OPEN};
	int rc = upload_permitted(x)
		     ? upload_room(x, PENDING_OPEN, err)
		     : ark_fail(err, ARK_EREFUSED, "Your roles do not file documents.");

	if (rc)
		return rc;
	snprintf(wish.user, sizeof(wish.user), "%s", user_of(x));
	wish.file_name = file_name && *file_name ? strdup(file_name) : NULL;
	wish.media_type = media_type && *media_type ? strdup(media_type) : NULL;
	if ((file_name && *file_name && !wish.file_name) ||
	    (media_type && *media_type && !wish.media_type))
		rc = ark_fail(err, ARK_ENOMEM, "no memory for an upload");
	if (!rc)
		rc = pending_new(&place, &wish, ret_id, err);
	pending_free(&wish);
	return rc;
}

int uploads_append(
    struct exchange *x, const char *id, const void *bytes, size_t len, struct ark_error *err)
{
	const struct pending_place place = place_of(x);
	struct pending_file *f = NULL;
	int rc = pending_open(&place, user_of(x), id, PENDING_APPEND, &f, err);

	if (!rc &&
	    (pending_length(f) != PENDING_OPEN || len > UPLOAD_LENGTH_MAX - pending_offset(f)))
		rc = ark_fail(err, ARK_EINPUT, "the file is too large");
	if (!rc)
		rc = filing_room(app_of(x)->archive, err);
	if (!rc)
		rc = pending_append(f, bytes, len, err);
	if (!rc)
		rc = pending_note(f, err);
	pending_close(f);
	return rc;
}

int uploads_end(struct exchange *x, const char *id, struct ark_error *err)
{
	const struct pending_place place = place_of(x);
	struct pending_file *f = NULL;
	int rc = pending_open(&place, user_of(x), id, PENDING_APPEND, &f, err);

	if (!rc && pending_length(f) != PENDING_OPEN)
		rc = ark_fail(err, ARK_EREFUSED, "the upload has its end");
	if (!rc)
		rc = pending_end(f, err);
	pending_close(f);
	return rc;
}

/* ---- read ---- */

static int take_bytes(void *arg, const void *bytes, size_t len, struct ark_error *err)
{
	struct buf *to = arg;

	buf_add(to, bytes, len);
	return buf_failed(to) ? ark_fail(err, ARK_ENOMEM, "no memory for an upload") : ARK_OK;
}

int uploads_read(
    struct exchange *x, const char *id, size_t max, struct buf *ret, struct ark_error *err)
{
	const struct pending_place place = place_of(x);
	struct pending_file *f = NULL;
	int rc = pending_open(&place, user_of(x), id, PENDING_READ, &f, err);

	if (!rc)
		rc = pending_read(f, max, take_bytes, ret, err);
	pending_close(f);
	return rc;
}

int uploads_digest(struct exchange *x, const char *id, unsigned char ret[32], struct ark_error *err)
{
	const struct pending_place place = place_of(x);
	struct pending_file *f = NULL;
	int rc = pending_open(&place, user_of(x), id, PENDING_READ, &f, err);

	if (!rc && pending_offset(f) != pending_length(f))
		rc = ark_fail(err, ARK_EINPUT, "the upload is not complete");
	if (!rc)
		pending_digest(f, ret);
	pending_close(f);
	return rc;
}
