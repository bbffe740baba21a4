#include "api/indexer.h"

#include "api/documents.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "arkki/archive/reading.h"
#include "arkki/base/clock.h"
#include "arkki/base/fs.h"
#include "arkki/base/json.h"
#include "arkki/index/extract.h"

/* Live: each batch is committed at once. In a backlog commits are spared: a
 * commit of 100 documents costs hundreds of milliseconds whatever is in it. */
enum {
	BATCH = 64,
	BACKLOG_COMMIT_DOCUMENTS = 2000,
	BACKLOG_COMMIT_US = 5000000,
	RETRY_S = 5,
	NICE = 10
};

struct indexer {
	struct archive *a;
	char dir[4096];
	struct extractor *extractor;
	struct analyse_cache *cache;
	struct analyser *analyser; /* the writer's */
	struct search_gate *gate;
	struct search_index *index;
	struct catalogue *catalogue; /* writes text states */
	atomic_uint_fast64_t sequence;

	pthread_mutex_t lock;
	pthread_cond_t more;
	bool stopping, poked;
	pthread_t thread;
	bool runs;

	pthread_mutex_t desks_lock;
	struct search_desk *desks;
};

/* ---- the text of one version, or of its public rendition ---- */

/* What the row says of one form. */
struct form_facts {
	enum form form;
	uint32_t rendition; /* for the catalogue: 0 is the version itself */
	const char *media_type, *text_state;
	uint64_t size;
};

static struct form_facts facts_of(const struct catalogue_row *row, enum form form)
{
	if (form == FORM_PUBLIC)
		return (struct form_facts){form, row->rendition.number, row->rendition.media_type,
		    row->rendition.text_state, row->rendition.size};
	return (struct form_facts){form, 0, row->media_type, row->text_state, row->size};
}

/* Feeds the opened content to the sandbox; no plain byte touches the disk. */
static int extract_form(struct indexer *i, const struct receipt *receipt,
    const struct catalogue_row *row, const struct form_facts *f, struct extract_result *ret,
    struct ark_error *err)
{
	struct extract_job *job = NULL;
	struct content *c = NULL;
	char block[65536];
	uint64_t at = 0;
	ssize_t n = 0;
	int rc;

	if (!extract_reads(i->extractor, f->media_type, f->size, ret->reason)) {
		ret->outcome = EXTRACT_NONE;
		return ARK_OK;
	}
	rc = reading_content(i->a, receipt, row, f->form, &c, err);
	if (!rc)
		rc = extract_begin(i->extractor, f->media_type, f->size, &job, err);
	while (!rc && (n = content_read(c, at, block, sizeof(block), err)) > 0) {
		rc = extract_feed(job, block, (size_t)n, err);
		at += (uint64_t)n;
	}
	if (!rc && n < 0)
		rc = (int)n;
	explicit_bzero(block, sizeof(block));
	content_close(c);
	if (rc) {
		extract_abort(job);
		return rc;
	}
	return extract_finish(job, ret, err);
}

/* A rendition that was replaced meanwhile needs no state any more. */
static int set_state(struct indexer *i, const struct catalogue_row *row, const struct form_facts *f,
    const char *state, const char *reason, struct ark_error *err)
{
	int rc = catalogue_set_text(
	    i->catalogue, row->document, row->version, f->rendition, state, reason, err);

	return rc == ARK_ENOTFOUND && f->rendition ? ARK_OK : rc;
}

/* From the cache, or extracted and kept. */
static int text_of(struct indexer *i, const struct receipt *receipt,
    const struct catalogue_row *row, enum form form, struct buf *text, struct ark_error *err)
{
	const struct form_facts f = facts_of(row, form);
	struct extract_result r = {0};
	bool ready;
	int rc;

	if (f.text_state && strcmp(f.text_state, "none") == 0)
		return ARK_OK;
	if (reading_text(i->a, receipt, row, form, text, err) == ARK_OK) {
		if (f.text_state && strcmp(f.text_state, "ready") == 0)
			return ARK_OK;
		return set_state(i, row, &f, "ready", NULL, err);
	}
	buf_wipe_free(text);
	rc = extract_form(i, receipt, row, &f, &r, err);
	ready = r.outcome == EXTRACT_READY;
	if (!rc && ready)
		rc = reading_keep_text(
		    i->a, receipt, row, form, r.text.data ? r.text.data : "", r.text.len, err);
	if (!rc && r.outcome == EXTRACT_NONE)
		rc = reading_keep_no_text(i->a, row, form, r.reason, err);
	if (!rc)
		rc = set_state(i, row, &f, ready ? "ready" : "none", ready ? NULL : r.reason, err);
	if (!rc && ready) {
		*text = r.text;
		r.text = (struct buf)BUF_INIT;
	}
	extract_result_free(&r);
	return rc;
}

/* ---- attributes of all versions of a document ---- */

struct attributes {
	struct search_attributes a;
	json_t *fields, *counties; /* own the texts */
	const char **units, **county_list, **addressees;
};

struct versions {
	struct indexer *i;
	const struct receipt *receipt;
	struct attributes *list; /* oldest first */
	uint32_t *numbers;
	size_t n, cap;
	struct ark_error *err;
};

static const char **list_of(const json_t *array, size_t *ret_len)
{
	size_t n = json_array_size(array);
	const char **list = calloc(n ? n : 1, sizeof(*list));

	*ret_len = 0;
	for (size_t k = 0; list && k < n; k++)
		if (json_is_string(json_array_get(array, k)))
			list[(*ret_len)++] = json_string_value(json_array_get(array, k));
	return list;
}

static int attributes_fill(
    struct attributes *to, const struct card *card, const struct catalogue_row *row)
{
	*to = (struct attributes){
	    .fields = json_incref(card->fields), .counties = json_incref(card->counties)};
	to->units = list_of(json_object_get(card->fields, "units"), &to->a.units_len);
	to->county_list = list_of(card->counties, &to->a.counties_len);
	to->addressees =
	    list_of(json_object_get(card->fields, "addressees"), &to->a.addressees_len);
	to->a.units = to->units;
	to->a.counties = to->county_list;
	to->a.addressees = to->addressees;
	to->a.rendition = row->rendition.number != 0;
	to->a.publicity = json_text(json_object_get(card->fields, "publicity"), "class");
	to->a.author = json_text(card->fields, "author");
	to->a.state = json_text(card->fields, "state");
	to->a.type = json_text(card->fields, "type");
	to->a.date = json_text(card->fields, "date");
	to->a.visit_date = json_text(card->fields, "visitDate");
	return to->units && to->county_list && to->addressees ? ARK_OK : ARK_ENOMEM;
}

static void attributes_free(struct attributes *a)
{
	json_decref(a->fields);
	json_decref(a->counties);
	free(a->units);
	free(a->county_list);
	free(a->addressees);
}

static int add_version(void *arg, const struct catalogue_row *row)
{
	struct versions *v = arg;
	struct card card = {0};
	int rc;

	if (v->n == v->cap) {
		size_t cap = v->cap ? v->cap * 2 : 8;
		struct attributes *list = realloc(v->list, cap * sizeof(*list));
		uint32_t *numbers = list ? realloc(v->numbers, cap * sizeof(*numbers)) : NULL;

		if (list)
			v->list = list;
		if (!numbers)
			return ark_fail(v->err, ARK_ENOMEM, "no memory for versions");
		v->numbers = numbers;
		v->cap = cap;
	}
	rc = reading_card(v->i->a, v->receipt, row, &card, v->err);
	if (rc)
		return rc;
	rc = attributes_fill(&v->list[v->n], &card, row);
	v->numbers[v->n++] = row->version;
	card_free(&card);
	return rc;
}

static int tell_versions(struct indexer *i, struct catalogue *catalogue,
    const struct receipt *receipt, const char *document, struct ark_error *err)
{
	struct versions v = {.i = i, .receipt = receipt, .err = err};
	struct search_version *newest_first = NULL;
	int rc = catalogue_versions(catalogue, document, NULL, add_version, &v, err);

	if (!rc) {
		newest_first = calloc(v.n ? v.n : 1, sizeof(*newest_first));
		if (!newest_first)
			rc = ark_fail(err, ARK_ENOMEM, "no memory for versions");
	}
	for (size_t k = 0; !rc && k < v.n; k++)
		newest_first[k] =
		    (struct search_version){v.numbers[v.n - 1 - k], v.list[v.n - 1 - k].a};
	if (!rc)
		rc = search_set_versions(i->index, document, newest_first, v.n, err);
	for (size_t k = 0; k < v.n; k++)
		attributes_free(&v.list[k]);
	free(v.list);
	free(v.numbers);
	free(newest_first);
	return rc;
}

/* ---- one row into the index ---- */

static json_t *municipalities_of(struct indexer *i, const json_t *units)
{
	json_t *out = json_array(), *unit_id;
	size_t k;

	json_array_foreach(units, k, unit_id)
	{
		json_t *unit =
		    registry_get(archive_registry(i->a), "units", json_string_value(unit_id));

		if (json_text(unit, "municipality"))
			json_array_append(out, json_object_get(unit, "municipality"));
		json_decref(unit);
	}
	return out;
}

/* One form of the row: with the words that go with it, and the attributes of the whole. */
static int put_form(struct indexer *i, const struct receipt *receipt,
    const struct catalogue_row *row, const struct card *card, enum form form,
    struct search_document *d, struct ark_error *err)
{
	struct buf text = BUF_INIT;
	int rc = text_of(i, receipt, row, form, &text, err);

	d->public_form = form == FORM_PUBLIC;
	d->case_id = json_text(card->fields, "case");
	d->title = json_text(card->fields, "title");
	d->text = text.data;
	d->text_len = text.len;
	if (!rc)
		rc = search_put(i->index, d, err);
	buf_wipe_free(&text);
	return rc;
}

static int put_public(struct indexer *i, const struct receipt *receipt,
    const struct catalogue_row *row, struct search_document *d, struct ark_error *err)
{
	struct catalogue_row as_public = *row; /* borrowed: seen by who does not see the whole */
	struct card card = {0};
	int rc;

	if (!row->rendition.number)
		return search_delete_public(i->index, row->document, row->version, err);
	as_public.whole = false;
	rc = shown_card(i->a, receipt, &as_public, &card, err);
	if (!rc)
		rc = put_form(i, receipt, row, &card, FORM_PUBLIC, d, err);
	card_free(&card);
	return rc;
}

static bool is_stopping(struct indexer *i)
{
	bool stopping;

	pthread_mutex_lock(&i->lock);
	stopping = i->stopping;
	pthread_mutex_unlock(&i->lock);
	return stopping;
}

static int put_row(struct indexer *i, struct catalogue *catalogue, const struct receipt *receipt,
    const struct catalogue_row *row, struct ark_error *err)
{
	struct search_document d = {
	    .document = row->document,
	    .version = row->version,
	    .language = row->language,
	    .date = row->date,
	    .filed = row->sequence,
	};
	struct attributes attributes = {0};
	json_t *municipalities = NULL;
	const char **codes = NULL;
	struct card card = {0};
	uint32_t newest = 0, metadata;
	int rc = reading_card(i->a, receipt, row, &card, err);

	if (!rc)
		rc = catalogue_newest(catalogue, row->document, &newest, &metadata, err);
	if (!rc)
		rc = attributes_fill(&attributes, &card, row);
	if (rc)
		goto out;
	municipalities = municipalities_of(i, json_object_get(card.fields, "units"));
	codes = list_of(municipalities, &d.municipalities_len);
	d.municipalities = codes;
	d.only = newest == 1;
	d.attributes = attributes.a;
	rc = put_form(i, receipt, row, &card, FORM_WHOLE, &d, err);
	if (!rc)
		rc = put_public(i, receipt, row, &d, err);
	if (!rc && !d.only)
		rc = tell_versions(i, catalogue, receipt, row->document, err);
out:
	attributes_free(&attributes);
	json_decref(municipalities);
	free(codes);
	card_free(&card);
	return rc;
}

/* ---- batches ---- */

struct batch {
	struct catalogue_row rows[BATCH * 4];
	size_t n;
};

static int keep_row(void *arg, const struct catalogue_row *row)
{
	struct batch *b = arg;

	/* a group of filings may be larger than the rest of the batch; the catalogue gives whole commits */
	if (b->n == BATCH * 4)
		return ARK_ENOMEM;
	return catalogue_row_copy(&b->rows[b->n], row) ? ARK_ENOMEM : (b->n++, ARK_OK);
}

/* Indexes what follows `after`; *ret_upto is how far it got, *ret_done how many. Nothing left, or the indexer
 * stops and the batch will be done again: *ret_done 0 and *ret_upto `after`. */
static int index_batch(
    struct indexer *i, uint64_t after, uint64_t *ret_upto, size_t *ret_done, struct ark_error *err)
{
	uint64_t head = archive_sequence(i->a);
	struct batch *b = calloc(1, sizeof(*b));
	struct receipt *receipt = NULL;
	char range[64];
	bool cut = false;
	int rc;

	*ret_done = 0;
	*ret_upto = head;
	if (!b)
		return ark_fail(err, ARK_ENOMEM, "no memory for a batch");
	rc = catalogue_after(i->catalogue, after, BATCH, keep_row, b, err);
	if (!rc && b->n) {
		/* whole commits: when the batch is not full, all up to the head is in it */
		*ret_upto = b->n >= BATCH ? b->rows[b->n - 1].change_sequence : head;
		snprintf(range, sizeof(range), "commits %llu-%llu", (unsigned long long)after + 1,
		    (unsigned long long)*ret_upto);
		rc = archive_maintenance(i->a, "index", range, &receipt, err);
	}
	for (size_t k = 0; k < b->n; k++) {
		cut |= is_stopping(i);
		if (!rc && !cut)
			rc = put_row(i, i->catalogue, receipt, &b->rows[k], err);
		catalogue_row_free(&b->rows[k]);
	}
	*ret_done = cut ? 0 : b->n;
	if (cut)
		*ret_upto = after;
	receipt_free(receipt);
	free(b);
	return rc;
}

static int reopen(struct indexer *i, struct ark_error *err)
{
	int rc;

	search_close(i->index);
	i->index = NULL;
	rc = search_open_writer(i->dir, i->analyser, i->gate, &i->index, err);
	if (!rc)
		atomic_store(&i->sequence, search_sequence(i->index));
	return rc;
}

static int commit_at(struct indexer *i, uint64_t upto, struct ark_error *err)
{
	int rc = search_commit(i->index, upto, err);

	if (!rc)
		atomic_store(&i->sequence, upto);
	return rc;
}

/* Brings the index level with the archive; commits on the way. */
static int catch_up(struct indexer *i,
    void (*progress)(void *arg, const char *step, uint64_t done, uint64_t of), void *arg,
    struct ark_error *err)
{
	uint64_t at = atomic_load(&i->sequence), upto = at;
	int64_t since = clock_monotonic_us();
	size_t waiting = 0, done;
	int rc = ARK_OK;

	while (!rc) {
		rc = index_batch(i, at, &upto, &done, err);
		if (!rc && done == 0 && upto == at && waiting)
			rc = commit_at(i, at, err);
		if (rc || (done == 0 && upto == at))
			break;
		at = upto;
		waiting += done;
		if (progress)
			progress(arg, "index: commits", at, archive_sequence(i->a));
		if (done < BATCH || waiting >= BACKLOG_COMMIT_DOCUMENTS ||
		    clock_monotonic_us() - since > BACKLOG_COMMIT_US) {
			rc = commit_at(i, at, err);
			waiting = 0;
			since = clock_monotonic_us();
		}
		if (done < BATCH && archive_sequence(i->a) == at)
			break;
	}
	return rc;
}

/* ---- texts that were lost: derived/ emptied, or a catalogue made anew without it ---- */

struct lost {
	struct catalogue_row *rows;
	size_t n;
};

static int keep_lost(void *arg, const struct catalogue_row *row)
{
	struct lost *l = arg;

	if (l->n == BATCH)
		return 1;
	return catalogue_row_copy(&l->rows[l->n], row) ? ARK_ENOMEM : (l->n++, ARK_OK);
}

static int find_lost_of(struct indexer *i, enum form form, struct ark_error *err)
{
	struct lost l = {calloc(BATCH, sizeof(*l.rows)), BATCH};
	struct receipt *receipt = NULL;
	int rc = l.rows ? ARK_OK : ark_fail(err, ARK_ENOMEM, "no memory for a batch");

	while (!rc && l.n == BATCH && !is_stopping(i)) {
		l.n = 0;
		rc = catalogue_pending(
		    i->catalogue, atomic_load(&i->sequence), form, keep_lost, &l, err);
		rc = rc == 1 ? ARK_OK : rc;
		if (!rc && l.n)
			rc = archive_maintenance(
			    i->a, "index", "texts that were lost", &receipt, err);
		for (size_t k = 0; k < l.n; k++) {
			if (!rc && !is_stopping(i))
				rc = put_row(i, i->catalogue, receipt, &l.rows[k], err);
			catalogue_row_free(&l.rows[k]);
		}
		receipt_free(receipt);
		receipt = NULL;
		if (!rc && l.n)
			rc = commit_at(i, atomic_load(&i->sequence), err);
	}
	free(l.rows);
	return rc;
}

static int find_lost_texts(struct indexer *i, struct ark_error *err)
{
	int rc = find_lost_of(i, FORM_WHOLE, err);

	return rc ? rc : find_lost_of(i, FORM_PUBLIC, err);
}

/* ---- the thread ---- */

static void poke(void *arg, uint64_t sequence)
{
	struct indexer *i = arg;

	(void)sequence;
	pthread_mutex_lock(&i->lock);
	i->poked = true;
	pthread_cond_signal(&i->more);
	pthread_mutex_unlock(&i->lock);
}

/* Waits for a commit, or a while after a failure; false when stopping. */
static bool wait_for_work(struct indexer *i, bool failed)
{
	struct timespec until;
	bool go;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += RETRY_S;
	pthread_mutex_lock(&i->lock);
	if (failed) {
		while (!i->stopping && pthread_cond_timedwait(&i->more, &i->lock, &until) == 0)
			;
	} else {
		while (!i->stopping && !i->poked)
			pthread_cond_wait(&i->more, &i->lock);
	}
	i->poked = false;
	go = !i->stopping;
	pthread_mutex_unlock(&i->lock);
	return go;
}

static void *indexer_main(void *arg)
{
	struct indexer *i = arg;
	struct ark_error err;
	bool failed = false, looked = false;

	/* filings and readings go first: the index may lag, they may not */
	setpriority(PRIO_PROCESS, (id_t)gettid(), NICE);

	do {
		int rc = failed ? reopen(i, &err) : ARK_OK;

		if (!rc && !looked)
			rc = find_lost_texts(i, &err);
		looked |= rc == ARK_OK;
		if (!rc)
			rc = catch_up(i, NULL, NULL, &err);
		failed = rc != ARK_OK;
		if (failed && !is_stopping(i))
			fprintf(
			    stderr, "arkki: index: %s; trying again in %d s\n", err.text, RETRY_S);
	} while (wait_for_work(i, failed));
	return NULL;
}

/* ---- opening and closing ---- */

static int open_parts(struct indexer *i, struct ark_error *err)
{
	char path[4096];
	int rc = fs_path(i->dir, err, "%s/index/xapian", archive_dir(i->a));

	if (!rc)
		rc = extractor_new(NULL, &i->extractor, err);
	if (!rc)
		rc = analyse_cache_new(&i->cache, err);
	if (!rc)
		rc = analyser_new(i->cache, &i->analyser, err);
	if (!rc)
		rc = search_gate_new(&i->gate, err);
	if (!rc)
		rc = fs_path(path, err, "%s/catalogue.sqlite", archive_dir(i->a));
	if (!rc)
		rc = catalogue_open(path, archive_keyring(i->a), true, false, &i->catalogue, err);
	if (!rc)
		rc = reopen(i, err);
	return rc;
}

static int indexer_new(struct archive *a, struct indexer **ret, struct ark_error *err)
{
	struct indexer *i = calloc(1, sizeof(*i));
	int rc;

	if (!i)
		return ark_fail(err, ARK_ENOMEM, "no memory for the indexer");
	i->a = a;
	pthread_mutex_init(&i->lock, NULL);
	pthread_mutex_init(&i->desks_lock, NULL);
	pthread_cond_init(&i->more, NULL);
	rc = open_parts(i, err);
	if (rc) {
		indexer_stop(i);
		return rc;
	}
	*ret = i;
	return ARK_OK;
}

int indexer_start(struct archive *a, struct indexer **ret, struct ark_error *err)
{
	struct indexer *i;
	int rc = indexer_new(a, &i, err);

	if (rc)
		return rc;
	archive_listen(a, poke, i);
	if (pthread_create(&i->thread, NULL, indexer_main, i) != 0) {
		indexer_stop(i);
		return ark_fail(err, ARK_EIO, "cannot start the indexer's thread");
	}
	i->runs = true;
	*ret = i;
	return ARK_OK;
}

void indexer_stop(struct indexer *i)
{
	struct search_desk *d;

	if (!i)
		return;
	if (i->runs) {
		pthread_mutex_lock(&i->lock);
		i->stopping = true;
		pthread_cond_signal(&i->more);
		pthread_mutex_unlock(&i->lock);
		pthread_join(i->thread, NULL);
	}
	while ((d = i->desks)) {
		i->desks = d->next;
		search_reader_free(d->reader);
		analyser_free(d->analyser);
		free(d);
	}
	search_close(i->index);
	catalogue_close(i->catalogue);
	analyser_free(i->analyser);
	analyse_cache_free(i->cache);
	search_gate_free(i->gate);
	extractor_free(i->extractor);
	pthread_mutex_destroy(&i->lock);
	pthread_mutex_destroy(&i->desks_lock);
	pthread_cond_destroy(&i->more);
	free(i);
}

uint64_t indexer_sequence(const struct indexer *i)
{
	return atomic_load(&i->sequence);
}

int indexer_rebuild(struct archive *a,
    void (*progress)(void *arg, const char *step, uint64_t done, uint64_t of), void *arg,
    struct ark_error *err)
{
	struct indexer *i;
	char dir[4096];
	int rc = fs_path(dir, err, "%s/index/xapian", archive_dir(a));

	if (!rc)
		rc = fs_remove_tree(dir, err);
	if (!rc)
		rc = indexer_new(a, &i, err);
	if (rc)
		return rc;
	rc = catch_up(i, progress, arg, err);
	indexer_stop(i);
	return rc;
}

/* ---- readers ---- */

int indexer_desk(struct indexer *i, struct search_desk **ret, struct ark_error *err)
{
	struct search_desk *d;
	int rc;

	pthread_mutex_lock(&i->desks_lock);
	d = i->desks;
	if (d)
		i->desks = d->next;
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
	*ret = d;
	return ARK_OK;
}

void indexer_desk_return(struct indexer *i, struct search_desk *d)
{
	if (!d)
		return;
	pthread_mutex_lock(&i->desks_lock);
	d->next = i->desks;
	i->desks = d;
	pthread_mutex_unlock(&i->desks_lock);
}
