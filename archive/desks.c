/* What an open archive lends: its parts, desks for readers, small services. */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "archive/archive_private.h"
#include "arkki/base/json.h"
#include "arkki/base/text.h"

/* ---- accessors ---- */

const char *archive_dir(const struct archive *a)
{
	return a->dir;
}

const char *archive_spool_dir(const struct archive *a)
{
	return a->spool_dir;
}

const char *archive_origin(const struct archive *a)
{
	return a->origin;
}

struct keyring *archive_keyring(const struct archive *a)
{
	return a->keys;
}

struct store *archive_store(const struct archive *a)
{
	return a->store;
}

struct ledger *archive_ledger(const struct archive *a, enum ledger_which which)
{
	return which == LEDGER_HISTORY ? a->history : a->access;
}

struct registry *archive_registry(const struct archive *a)
{
	return a->registry;
}

struct state *archive_state(const struct archive *a)
{
	return a->state;
}

uint64_t archive_sequence(const struct archive *a)
{
	return atomic_load(&a->sequence);
}

/* ---- desks ---- */

int archive_desk(struct archive *a, struct desk **ret, struct ark_error *err)
{
	struct desk *d;
	char path[4096];
	int rc;

	pthread_mutex_lock(&a->desks_lock);
	d = a->desks;
	if (d)
		a->desks = d->next;
	pthread_mutex_unlock(&a->desks_lock);
	if (d) {
		*ret = d;
		return ARK_OK;
	}
	d = calloc(1, sizeof(*d));
	if (!d)
		return ark_fail(err, ARK_ENOMEM, "no memory for a reader");
	rc = archive_path(path, a->dir, "catalogue.sqlite", err);
	if (!rc)
		rc = catalogue_open(path, a->keys, false, false, &d->catalogue, err);
	if (!rc)
		rc = store_reader_open(a->store, &d->store, err);
	if (rc) {
		catalogue_close(d->catalogue);
		free(d);
		return rc;
	}
	*ret = d;
	return ARK_OK;
}

void archive_desk_return(struct archive *a, struct desk *d)
{
	if (!d)
		return;
	pthread_mutex_lock(&a->desks_lock);
	d->next = a->desks;
	a->desks = d;
	pthread_mutex_unlock(&a->desks_lock);
}

/* ---- small services ---- */

void archive_listen(struct archive *a, void (*fn)(void *arg, uint64_t sequence), void *arg)
{
	pthread_mutex_lock(&a->listeners_lock);
	if (a->listeners_len < ARCHIVE_LISTENERS)
		a->listeners[a->listeners_len++] = (struct archive_listener){fn, arg};
	pthread_mutex_unlock(&a->listeners_lock);
}

void archive_unlisten(struct archive *a, void *arg)
{
	unsigned int n = 0;

	pthread_mutex_lock(&a->listeners_lock);
	for (unsigned int i = 0; i < a->listeners_len; i++)
		if (a->listeners[i].arg != arg)
			a->listeners[n++] = a->listeners[i];
	a->listeners_len = n;
	pthread_mutex_unlock(&a->listeners_lock);
}

void archive_tag(
    const struct archive *a, const char *what, const void *bytes, size_t len, char out[33])
{
	crypto_generichash_state st;
	unsigned char hash[16];

	crypto_generichash_init(&st, keyring_secrets(a->keys)->token_key, 32, sizeof(hash));
	crypto_generichash_update(&st, (const unsigned char *)what, strlen(what) + 1);
	crypto_generichash_update(&st, bytes, len);
	crypto_generichash_final(&st, hash, sizeof(hash));
	hex_encode(out, hash, sizeof(hash));
}

int archive_maintenance(struct archive *a, const char *job, const char *range, struct receipt **ret,
    struct ark_error *err)
{
	struct buf detail = BUF_INIT;
	struct ledger_record r = {.kind = "maintenance", .principal = "system"};
	int rc;

	buf_adds(&detail, "{\"job\":");
	json_quote(&detail, job);
	buf_adds(&detail, ",\"range\":");
	json_quote(&detail, range);
	buf_addc(&detail, '}');
	if (buf_failed(&detail))
		return ark_fail(err, ARK_ENOMEM, "no memory for a log entry");
	r.detail = detail.data;
	rc = ledger_append_wait(a->access, &r, 1, ret, err);
	buf_free(&detail);
	return rc;
}
