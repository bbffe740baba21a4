/* How far indexing and OCR are: for whoever runs the archive. */
#include <string.h>

#include "api/indexer_private.h"
#include "arkki/base/clock.h"

/* Counting takes longer the more texts there are: a twentieth of the time goes into it at most. */
enum { COUNT_SHARE = 20, REASONS_MAX = 100 };

static json_t *indexing_json(struct archive *a, struct indexer *i)
{
	uint64_t head = archive_sequence(a);
	uint64_t indexed = i ? atomic_load(&i->sequence) : 0, reached, from;
	json_t *out = json_pack("{s:I,s:I,s:I}", "sequence", (json_int_t)head, "indexed",
	    (json_int_t)indexed, "behind", (json_int_t)(head > indexed ? head - indexed : 0));
	int64_t took;

	if (!i || !atomic_load(&i->backlog))
		return out;
	reached = atomic_load(&i->reached);
	from = atomic_load(&i->from);
	took = clock_monotonic_us() - atomic_load(&i->from_us);
	if (took > 0 && reached > from) {
		double rate = (double)(reached - from) * 1e6 / (double)took;

		json_object_set_new(out, "perSecond", json_integer((json_int_t)(rate + 0.5)));
		json_object_set_new(out, "etaSeconds",
		    json_integer((json_int_t)((double)(head - reached) / rate + 0.5)));
	}
	return out;
}

struct counting {
	json_t *by_state, *reasons;
};

static int count_text(void *arg, const char *state, const char *reason, uint64_t count)
{
	struct counting *c = arg;
	const json_t *before = json_object_get(c->by_state, state);
	json_t *entry;

	json_object_set_new(
	    c->by_state, state, json_integer(json_integer_value(before) + (json_int_t)count));
	/* remarks on texts that are ready are no work for anybody */
	if (!reason || strcmp(state, "ready") == 0)
		return 0;
	for (size_t k = 0; k < json_array_size(c->reasons); k++) {
		entry = json_array_get(c->reasons, k);
		if (strcmp(json_string_value(json_object_get(entry, "reason")), reason) == 0 &&
		    strcmp(json_string_value(json_object_get(entry, "state")), state) == 0) {
			json_object_set_new(entry, "count",
			    json_integer(json_integer_value(json_object_get(entry, "count")) +
					 (json_int_t)count));
			return 0;
		}
	}
	if (json_array_size(c->reasons) < REASONS_MAX)
		json_array_append_new(
		    c->reasons, json_pack("{s:s,s:s,s:I}", "state", state, "reason", reason,
				    "count", (json_int_t)count));
	return 0;
}

static int count_texts(struct catalogue *catalogue, json_t **ret, struct ark_error *err)
{
	struct counting c = {
	    json_pack("{s:i,s:i,s:i}", "ready", 0, "pending", 0, "none", 0), json_array()};
	int rc = c.by_state && c.reasons ? catalogue_text_counts(catalogue, count_text, &c, err)
					 : ark_fail(err, ARK_ENOMEM, "no memory for a status");

	if (rc) {
		json_decref(c.by_state);
		json_decref(c.reasons);
		return rc;
	}
	json_object_set_new(c.by_state, "reasons", c.reasons);
	*ret = c.by_state;
	return ARK_OK;
}

static int texts_json(
    struct indexer *i, struct catalogue *catalogue, json_t **ret, struct ark_error *err)
{
	int64_t began = clock_monotonic_us(), ended;
	int rc = ARK_OK;

	if (!i)
		return count_texts(catalogue, ret, err);
	pthread_mutex_lock(&i->counts_lock);
	if (!i->counts || began >= i->counts_until_us) {
		json_decref(i->counts);
		i->counts = NULL;
		rc = count_texts(catalogue, &i->counts, err);
		ended = clock_monotonic_us();
		i->counts_until_us = ended + (ended - began) * COUNT_SHARE;
	}
	if (!rc)
		*ret = json_deep_copy(i->counts); /* reference counts are not for several threads */
	pthread_mutex_unlock(&i->counts_lock);
	return rc || *ret ? rc : ark_fail(err, ARK_ENOMEM, "no memory for a status");
}

static int ocr_json(struct archive *a, struct indexer *i, struct catalogue *catalogue, json_t **ret,
    struct ark_error *err)
{
	struct catalogue_ocr_tally t = {0};
	char why[200] = "";
	const char *state = i && i->ocr ? ocr_queue_state(i->ocr, why) : "idle";
	bool paused = ocr_queue_paused(a);
	int rc = catalogue_ocr_tally(catalogue, &t, err);

	if (rc)
		return rc;
	*ret = json_pack("{s:s,s:I,s:I,s:I,s:b}", "state", paused && !why[0] ? "paused" : state,
	    "documents", (json_int_t)t.documents, "pages", (json_int_t)t.pages, "pagesDone",
	    (json_int_t)t.read, "paused", paused);
	if (!*ret)
		return ark_fail(err, ARK_ENOMEM, "no memory for a status");
	if (why[0])
		json_object_set_new(*ret, "reason", json_string(why));
	return ARK_OK;
}

int indexer_status(struct archive *a, struct indexer *i, json_t **ret, struct ark_error *err)
{
	json_t *texts = NULL, *ocr = NULL;
	struct desk *desk = NULL;
	int rc = archive_desk(a, &desk, err);

	if (!rc)
		rc = texts_json(i, desk->catalogue, &texts, err);
	if (!rc)
		rc = ocr_json(a, i, desk->catalogue, &ocr, err);
	archive_desk_return(a, desk);
	if (!rc) {
		*ret = json_pack(
		    "{s:o,s:O,s:O}", "indexing", indexing_json(a, i), "texts", texts, "ocr", ocr);
		if (!*ret)
			rc = ark_fail(err, ARK_ENOMEM, "no memory for a status");
	}
	json_decref(texts);
	json_decref(ocr);
	return rc;
}
