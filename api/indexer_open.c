/* Opening, closing and rebuilding the index; its readers. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api/indexer_private.h"
#include "arkki/base/fs.h"
#include "arkki/base/json.h"
#include "arkki/base/log.h"

static int open_parts(struct indexer *i, const char *name, struct ark_error *err)
{
	char path[4096];
	int rc = fs_path(i->dir, err, "%s/index/%s", archive_dir(i->a), name);

	if (!rc)
		rc = extractor_new(NULL, &i->extractor, err);
	if (!rc)
		rc = analyse_cache_new(&i->cache, err);
	if (!rc)
		rc = ahead_new(i->a, i->cache, &i->ahead, err);
	if (!rc)
		rc = analyser_new(i->cache, &i->analyser, err);
	if (!rc)
		rc = search_gate_new(&i->gate, err);
	if (!rc)
		rc = fs_path(path, err, "%s/catalogue.sqlite", archive_dir(i->a));
	if (!rc)
		rc = catalogue_open(path, archive_keyring(i->a), true, false, &i->catalogue, err);
	if (!rc)
		rc = indexer_reopen(i, err);
	return rc;
}

static int indexer_new(
    struct archive *a, const char *name, struct indexer **ret, struct ark_error *err)
{
	struct indexer *i = calloc(1, sizeof(*i));
	int rc;

	if (!i)
		return ark_fail(err, ARK_ENOMEM, "no memory for the indexer");
	i->a = a;
	i->look = true;
	pthread_mutex_init(&i->lock, NULL);
	pthread_mutex_init(&i->desks_lock, NULL);
	pthread_mutex_init(&i->counts_lock, NULL);
	pthread_cond_init(&i->more, NULL);
	pthread_cond_init(&i->dropped, NULL);
	rc = open_parts(i, name, err);
	if (rc) {
		indexer_stop(i);
		return rc;
	}
	*ret = i;
	return ARK_OK;
}

static void poke(void *arg, uint64_t sequence)
{
	(void)sequence;
	indexer_poke(arg, false);
}

static bool has_backlog(void *arg)
{
	struct indexer *i = arg;

	return atomic_load(&i->backlog);
}

/* Whatever OCR did to the document: it is for the indexer to look at. */
static void ocr_has_read(void *arg)
{
	indexer_poke(arg, true);
}

void indexer_look_again(struct indexer *i)
{
	indexer_poke(i, true);
}

struct ocr_queue *indexer_ocr(struct indexer *i)
{
	return i->ocr;
}

/* An index of another analyser or format, as after an upgrade, is begun anew and catches up behind the
 * server: everything in it comes from the archive. */
static int open_or_begin(struct archive *a, struct indexer **ret, struct ark_error *err)
{
	char dir[4096];
	int rc = fs_path(dir, err, "%s/index/%s", archive_dir(a), INDEX_NAME);

	if (!rc)
		rc = indexer_new(a, INDEX_NAME, ret, err);
	if (rc != ARK_EINPUT)
		return rc;
	ark_log(
	    ARK_LOG_NOTICE, "index", "of another version: it is built anew while the server runs");
	rc = fs_remove_tree(dir, err);
	return rc ? rc : indexer_new(a, INDEX_NAME, ret, err);
}

int indexer_start(struct archive *a, struct indexer **ret, struct ark_error *err)
{
	struct ocr_config ocr = {
	    .archive = a, .must_wait = has_backlog, .document_read = ocr_has_read};
	struct indexer *i;
	char left[4096];
	int rc = fs_path(left, err, "%s/index/%s", archive_dir(a), REBUILT_NAME);

	if (!rc)
		rc = fs_remove_tree(left, err); /* of a rebuild that was cut off */
	if (!rc)
		rc = open_or_begin(a, &i, err);
	if (rc)
		return rc;
	ocr.arg = i;
	rc = ocr_queue_new(&ocr, &i->ocr, err);
	if (rc) {
		indexer_stop(i);
		return rc;
	}
	archive_listen(a, poke, i);
	i->runs = true;
	if (pthread_create(&i->thread, NULL, indexer_thread, i) != 0) {
		i->runs = false;
		indexer_stop(i);
		return ark_fail(err, ARK_EIO, "cannot start the indexer's thread");
	}
	*ret = i;
	return ARK_OK;
}

void indexer_stop(struct indexer *i)
{
	struct search_desk *d;

	if (!i)
		return;
	archive_unlisten(i->a, i);
	if (i->runs) {
		pthread_mutex_lock(&i->lock);
		i->stopping = true;
		pthread_cond_signal(&i->more);
		pthread_mutex_unlock(&i->lock);
		pthread_join(i->thread, NULL);
	}
	ocr_queue_free(i->ocr); /* after the thread that asks it */
	while ((d = i->desks)) {
		i->desks = d->next;
		indexer_desk_free(d);
	}
	search_close(i->index);
	catalogue_close(i->catalogue);
	ahead_free(i->ahead);
	analyser_free(i->analyser);
	analyse_cache_free(i->cache);
	search_gate_free(i->gate);
	extractor_free(i->extractor);
	json_decref(i->counts);
	pthread_mutex_destroy(&i->lock);
	pthread_mutex_destroy(&i->desks_lock);
	pthread_mutex_destroy(&i->counts_lock);
	pthread_cond_destroy(&i->more);
	pthread_cond_destroy(&i->dropped);
	free(i);
}

uint64_t indexer_sequence(const struct indexer *i)
{
	return atomic_load(&i->sequence);
}

int indexer_swap_in(const char *rebuilt, const char *dir, struct ark_error *err)
{
	if (!fs_exists(dir))
		return fs_rename(rebuilt, dir, err);
	if (renameat2(AT_FDCWD, rebuilt, AT_FDCWD, dir, RENAME_EXCHANGE) != 0)
		return ark_fail_errno(err, ARK_EIO, "cannot put the new index in place of %s", dir);
	return fs_remove_tree(rebuilt, err);
}

int indexer_sync(const char *dir, struct ark_error *err)
{
	char parent[4096];
	int rc = fs_sync_dir(dir, err);

	if (!rc)
		rc = fs_path(parent, err, "%s/..", dir);
	return rc ? rc : fs_sync_dir(parent, err);
}

int indexer_rebuild(struct archive *a,
    void (*progress)(void *arg, const char *step, uint64_t done, uint64_t of), void *arg,
    struct ark_error *err)
{
	struct indexer *i;
	char dir[4096], rebuilt[4096];
	int rc = fs_path(dir, err, "%s/index/%s", archive_dir(a), INDEX_NAME);

	if (!rc)
		rc = fs_path(rebuilt, err, "%s/index/%s", archive_dir(a), REBUILT_NAME);
	if (!rc)
		rc = fs_remove_tree(rebuilt, err);
	if (!rc)
		rc = indexer_new(a, REBUILT_NAME, &i, err);
	if (rc)
		return rc;
	rc = indexer_catch_up(i, progress, arg, err);
	if (!rc && atomic_load(&i->sequence) != archive_sequence(a))
		rc = ark_fail(err, ARK_EIO, "the new index ends at commit %llu",
		    (unsigned long long)atomic_load(&i->sequence));
	indexer_stop(i);
	if (!rc)
		rc = indexer_sync(rebuilt, err);
	return rc ? rc : indexer_swap_in(rebuilt, dir, err);
}

/* ---- readers ---- */

int indexer_desk(struct indexer *i, struct search_desk **ret, struct ark_error *err)
{
	struct search_desk *d;
	uint64_t generation;
	int rc;

	pthread_mutex_lock(&i->desks_lock);
	d = i->desks;
	if (d)
		i->desks = d->next;
	generation = i->generation;
	pthread_mutex_unlock(&i->desks_lock);
	if (d) {
		*ret = d;
		return ARK_OK;
	}
	d = calloc(1, sizeof(*d));
	if (!d)
		return ark_fail(err, ARK_ENOMEM, "no memory for a search");
	rc = analyser_new(i->cache, &d->analyser, err);
	if (!rc)
		rc = search_open_reader(i->dir, d->analyser, i->gate, &d->reader, err);
	if (rc) {
		analyser_free(d->analyser);
		free(d);
		return rc;
	}
	d->generation = generation;
	*ret = d;
	return ARK_OK;
}

void indexer_desk_free(struct search_desk *d)
{
	search_reader_free(d->reader);
	analyser_free(d->analyser);
	free(d);
}

/* One that has files open which are no more is not used again. */
void indexer_desk_return(struct indexer *i, struct search_desk *d)
{
	bool old;

	if (!d)
		return;
	pthread_mutex_lock(&i->desks_lock);
	old = d->generation != i->generation;
	if (!old) {
		d->next = i->desks;
		i->desks = d;
	}
	pthread_mutex_unlock(&i->desks_lock);
	if (old)
		indexer_desk_free(d);
}
