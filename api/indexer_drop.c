/* Destroyed documents out of the index.
 *
 * Xapian marks the blocks of what is deleted as free and leaves them as they are, so what remains is copied to new
 * files that take the place of the old ones. Readers that are at work keep the old files open until they are done;
 * index/ lies on an encrypted volume or in memory, where a removed file is out of reach. */
#include <stdio.h>

#include "api/indexer_private.h"
#include "arkki/base/fs.h"

static void forget_readers(struct indexer *i)
{
	struct search_desk *list, *d;

	pthread_mutex_lock(&i->desks_lock);
	i->generation++;
	list = i->desks;
	i->desks = NULL;
	pthread_mutex_unlock(&i->desks_lock);
	while ((d = list)) {
		list = d->next;
		indexer_desk_free(d);
	}
}

static int replace_files(struct indexer *i, struct ark_error *err)
{
	char fresh[4096];
	int again, rc = fs_path(fresh, err, "%s/index/%s", archive_dir(i->a), REBUILT_NAME);

	if (!rc)
		rc = fs_remove_tree(fresh, err);
	if (rc)
		return rc;
	search_close(i->index);
	i->index = NULL;
	rc = search_compact(i->dir, fresh, err);
	if (!rc)
		rc = indexer_sync(fresh, err);
	if (!rc)
		rc = indexer_swap_in(fresh, i->dir, err);
	if (!rc)
		forget_readers(i);
	again = indexer_reopen(i, rc ? NULL : err);
	return rc ? rc : again;
}

static int drop(struct indexer *i, const struct index_drop *d, struct ark_error *err)
{
	int rc = ARK_OK;

	for (size_t k = 0; !rc && k < d->n; k++)
		rc = search_delete(i->index, d->documents[k], 0, err);
	if (!rc)
		rc = indexer_commit(i, atomic_load(&i->sequence), err);
	return rc ? rc : replace_files(i, err);
}

void indexer_drop_wanted(struct indexer *i, bool cut)
{
	struct index_drop *d;

	pthread_mutex_lock(&i->lock);
	d = i->drop;
	i->drop = NULL;
	pthread_mutex_unlock(&i->lock);
	if (!d)
		return;
	d->status =
	    cut ? ark_fail(&d->error, ARK_EIO, "the server is stopping") : drop(i, d, &d->error);
	pthread_mutex_lock(&i->lock);
	d->done = true;
	pthread_cond_broadcast(&i->dropped);
	pthread_mutex_unlock(&i->lock);
}

int indexer_drop(struct indexer *i, const char (*documents)[33], size_t n, struct ark_error *err)
{
	struct index_drop d = {.documents = documents, .n = n};

	pthread_mutex_lock(&i->lock);
	if (i->drop || i->stopping) {
		pthread_mutex_unlock(&i->lock);
		return ark_fail(err, ARK_EIO, "the index is busy");
	}
	i->drop = &d;
	i->poked = true;
	pthread_cond_signal(&i->more);
	while (!d.done)
		pthread_cond_wait(&i->dropped, &i->lock);
	pthread_mutex_unlock(&i->lock);
	if (d.status && err)
		*err = d.error;
	return d.status;
}
