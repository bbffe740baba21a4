/* Turns are a list of the app, few at a time. Locks: the list's, then a turn's own, which is held for the bytes of one
 * body() at most. */
#include "api/upload_turn.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct upload_turn {
	struct app *app;
	struct upload_turn *next;
	char user[65], id[33];
	pthread_mutex_t lock;
	struct pending_file *file; /* NULL: over, or kept */
};

void upload_turn_over(struct app *app, const char *user, const char *id)
{
	pthread_mutex_lock(&app->uploads_lock);
	for (struct upload_turn *t = app->uploads; t; t = t->next) {
		if (strcmp(t->id, id) != 0 || strcmp(t->user, user) != 0)
			continue;
		pthread_mutex_lock(&t->lock);
		pending_close(t->file);
		t->file = NULL;
		pthread_mutex_unlock(&t->lock);
	}
	pthread_mutex_unlock(&app->uploads_lock);
}

int upload_turn_take(struct app *app, const struct pending_place *place, const char *user,
    const char *id, struct upload_turn **ret, struct ark_error *err)
{
	struct upload_turn *t = calloc(1, sizeof(*t));
	int rc;

	if (!t)
		return ark_fail(err, ARK_ENOMEM, "no memory for an upload");
	upload_turn_over(app, user, id);
	rc = pending_open(place, user, id, PENDING_APPEND, &t->file, err);
	if (rc) {
		free(t);
		return rc;
	}
	t->app = app;
	snprintf(t->user, sizeof(t->user), "%s", user);
	snprintf(t->id, sizeof(t->id), "%s", id);
	pthread_mutex_init(&t->lock, NULL);
	pthread_mutex_lock(&app->uploads_lock);
	t->next = app->uploads;
	app->uploads = t;
	pthread_mutex_unlock(&app->uploads_lock);
	*ret = t;
	return ARK_OK;
}

void upload_turn_place(struct upload_turn *t, uint64_t *ret_offset, uint64_t *ret_length)
{
	pthread_mutex_lock(&t->lock);
	*ret_offset = t->file ? pending_offset(t->file) : 0;
	*ret_length = t->file ? pending_length(t->file) : 0;
	pthread_mutex_unlock(&t->lock);
}

int upload_turn_append(struct upload_turn *t, const void *bytes, size_t len, struct ark_error *err)
{
	int rc;

	pthread_mutex_lock(&t->lock);
	rc = t->file ? pending_append(t->file, bytes, len, err)
		     : ark_fail(err, ARK_ECONFLICT, "another request goes on with this upload");
	pthread_mutex_unlock(&t->lock);
	return rc;
}

struct pending_file *upload_turn_keep(struct upload_turn *t)
{
	struct pending_file *file;

	pthread_mutex_lock(&t->lock);
	file = t->file;
	t->file = NULL;
	pthread_mutex_unlock(&t->lock);
	return file;
}

void upload_turn_free(struct upload_turn *t)
{
	struct upload_turn **at;

	if (!t)
		return;
	pthread_mutex_lock(&t->app->uploads_lock);
	for (at = &t->app->uploads; *at != t; at = &(*at)->next)
		;
	*at = t->next;
	pthread_mutex_unlock(&t->app->uploads_lock);
	pending_close(t->file);
	pthread_mutex_destroy(&t->lock);
	free(t);
}
