/* The synonyms of the search over HTTP: everybody reads them, administrators change them.
 *
 * A record of kind "synonyms" is filed as any other, on the condition that the one that was read is
 * still the newest; the registry has it when the answer goes out, and the next search makes the table
 * of it. */
#include "api/synonyms.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/caller_filing.h"
#include "api/handlers.h"
#include "api/record_versions.h"
#include "arkki/api/http_range.h"
#include "arkki/archive/records.h"
#include "arkki/archive/registry.h"
#include "arkki/base/json.h"

static const char kind[] = "synonyms";

enum { REASON_MAX = 4000 };

struct synonyms_service {
	pthread_mutex_t lock;
	/* of the registry */
	uint64_t generation;
	json_t *record; /* that the table was made of; NULL: there was none */
	struct synonyms *table;
	/* of the store */
	uint32_t number;  /* up to which versions were read */
	json_t *envelope; /* of that one */
	json_t *versions; /* headers, oldest first */
};

int synonyms_start(struct app *app, struct ark_error *err)
{
	struct synonyms_service *s = calloc(1, sizeof(*s));

	if (!s || !(s->versions = json_array())) {
		free(s);
		return ark_fail(err, ARK_ENOMEM, "no memory for the server");
	}
	pthread_mutex_init(&s->lock, NULL);
	app->synonyms = s;
	return ARK_OK;
}

void synonyms_stop(struct app *app)
{
	struct synonyms_service *s = app->synonyms;

	if (!s)
		return;
	synonyms_unref(s->table);
	json_decref(s->record);
	json_decref(s->envelope);
	json_decref(s->versions);
	pthread_mutex_destroy(&s->lock);
	free(s);
	app->synonyms = NULL;
}

/* ---- for searches ---- */

/* Under the lock. A record that this arkki cannot read any more must not end all searching: the
 * shipped table stands in. */
static int make_table(
    struct synonyms_service *s, struct analyser *analyser, json_t *record, struct ark_error *err)
{
	struct synonyms *table = NULL;
	int rc = synonyms_new(analyser, record, &table, err);

	if (rc == ARK_EINPUT)
		rc = synonyms_new(analyser, NULL, &table, err);
	if (rc)
		return rc;
	synonyms_unref(s->table);
	json_decref(s->record);
	s->table = table;
	s->record = json_incref(record);
	return ARK_OK;
}

int synonyms_current(
    struct app *app, struct analyser *analyser, struct synonyms **ret, struct ark_error *err)
{
	struct registry *registry = archive_registry(app->archive);
	struct synonyms_service *s = app->synonyms;
	uint64_t generation = registry_generation(registry);
	json_t *record;
	int rc = ARK_OK;

	pthread_mutex_lock(&s->lock);
	if (!s->table || s->generation != generation) {
		record = registry_get(registry, kind, REGISTRY_SYNONYMS);
		if (!s->table || record != s->record)
			rc = make_table(s, analyser, record, err);
		json_decref(record);
		if (!rc)
			s->generation = generation;
	}
	if (!rc)
		*ret = synonyms_ref(s->table);
	pthread_mutex_unlock(&s->lock);
	return rc;
}

/* ---- versions ---- */

static json_t *header_json(uint32_t number, const json_t *envelope)
{
	const json_t *record = json_object_get(envelope, "record");

	json_t *v = record_version_header(number, envelope);

	if (v)
		json_object_set_new(v, "entries",
		    json_integer((json_int_t)json_array_size(json_object_get(record, "entries"))));
	return v;
}

/* Under the lock: what is newer than what was read, under one logged entry. */
static int read_newer(struct app *app, uint32_t newest, struct ark_error *err)
{
	struct synonyms_service *s = app->synonyms;
	struct receipt *receipt = NULL;
	json_t *envelope = NULL;
	char range[60];
	int rc;

	snprintf(range, sizeof(range), "versions %u-%u", s->number + 1, newest);
	rc = archive_maintenance(app->archive, "read synonyms", range, &receipt, err);
	while (!rc && s->number < newest) {
		rc = records_read(
		    app->archive, receipt, kind, REGISTRY_SYNONYMS, s->number + 1, &envelope, err);
		if (!rc && json_array_append_new(s->versions, header_json(s->number + 1, envelope)))
			rc = ark_fail(err, ARK_ENOMEM, "no memory for the synonyms");
		if (rc) {
			json_decref(envelope);
			break;
		}
		json_decref(s->envelope);
		s->envelope = envelope;
		envelope = NULL;
		s->number++;
	}
	receipt_free(receipt);
	return rc;
}

int synonyms_newest(struct app *app, uint32_t *ret_number, json_t **ret_envelope,
    json_t **ret_versions, struct ark_error *err)
{
	struct synonyms_service *s = app->synonyms;
	uint32_t newest = 0;
	int rc;

	pthread_mutex_lock(&s->lock);
	rc = records_number(app->archive, kind, REGISTRY_SYNONYMS, &newest, err);
	if (!rc && s->number < newest)
		rc = read_newer(app, newest, err);
	if (!rc) {
		*ret_number = s->number;
		*ret_envelope = json_incref(s->envelope);
		*ret_versions = json_copy(s->versions);
	}
	pthread_mutex_unlock(&s->lock);
	return rc;
}

static int earlier_version(
    struct app *app, uint32_t number, json_t **ret_envelope, struct ark_error *err)
{
	struct receipt *receipt = NULL;
	char range[60];
	int rc;

	snprintf(range, sizeof(range), "version %u", number);
	rc = archive_maintenance(app->archive, "read synonyms", range, &receipt, err);
	if (!rc)
		rc = records_read(
		    app->archive, receipt, kind, REGISTRY_SYNONYMS, number, ret_envelope, err);
	receipt_free(receipt);
	return rc;
}

/* ---- showing ---- */

static json_t *table_json(uint32_t number, const json_t *envelope)
{
	const json_t *record = json_object_get(envelope, "record");
	json_t *entries = json_object_get(record, "entries"), *v = header_json(number, envelope);

	json_object_set_new(
	    v, "shipped", json_boolean(!json_is_false(json_object_get(record, "shipped"))));
	if (entries)
		json_object_set(v, "entries", entries);
	else
		json_object_set_new(v, "entries", json_array());
	return v;
}

static bool shipped_wanted(struct exchange *x, bool *ret)
{
	const char *text = http_query(x, "shipped");

	*ret = text && !strcmp(text, "true");
	if (!text || *ret || !strcmp(text, "false"))
		return true;
	http_reply_problem(x, 400, "bad-query", "shipped must be true or false.", NULL);
	return false;
}

/* Who filed a version is for those who answer for it; every account reads the table. */
static bool filer_shown(const struct exchange *x)
{
	const struct caller *c = caller_of(x);

	/* the admin socket has none: it is the operator's */
	return !c || caller_may(c, ACCESS_ADMINISTER) || caller_may(c, ACCESS_AUDIT);
}

static void reply_table(
    struct exchange *x, uint32_t number, const json_t *envelope, bool with_shipped)
{
	json_t *answer = table_json(number, envelope), *shipped;
	char tag[TAG_SIZE];

	if (with_shipped) {
		shipped = synonyms_shipped();
		if (!shipped || json_object_set_new(answer, "shippedEntries", shipped)) {
			json_decref(answer);
			http_reply_problem(x, 503, "out-of-memory", NULL, NULL);
			return;
		}
	}
	if (!filer_shown(x))
		json_object_set_new(answer, "filedBy", json_null());
	record_version_tag(app_of(x), kind, number, tag);
	http_reply_header(x, "ETag", tag);
	http_reply_json(x, 200, answer);
}

void synonyms_get(struct exchange *x)
{
	json_t *envelope = NULL, *versions = NULL;
	uint32_t number, wanted;
	struct ark_error err;
	bool shipped;
	int rc;

	if (!record_version_wanted(x, &wanted) || !shipped_wanted(x, &shipped))
		return;
	rc = synonyms_newest(app_of(x), &number, &envelope, &versions, &err);
	if (!rc && wanted > number) {
		rc = ARK_ENOTFOUND;
	} else if (!rc && wanted && wanted < number) {
		json_decref(envelope);
		envelope = NULL;
		number = wanted;
		rc = earlier_version(app_of(x), number, &envelope, &err);
	}
	if (rc == ARK_ENOTFOUND)
		http_reply_problem(x, 404, "not-found", NULL, NULL);
	else if (rc)
		http_reply_error(x, &err);
	else
		reply_table(x, number, envelope, shipped);
	json_decref(envelope);
	json_decref(versions);
}

/* The headers are shared with other threads: what is left out is left out of copies. */
static json_t *without_filers(const json_t *versions)
{
	json_t *out = json_array(), *copy;

	for (size_t i = 0; i < json_array_size(versions); i++) {
		copy = json_copy(json_array_get(versions, i));
		json_object_set_new(copy, "filedBy", json_null());
		json_array_append_new(out, copy);
	}
	return out;
}

void synonyms_versions_get(struct exchange *x)
{
	json_t *envelope = NULL, *versions = NULL, *shown;
	struct ark_error err;
	uint32_t number;

	if (synonyms_newest(app_of(x), &number, &envelope, &versions, &err)) {
		http_reply_error(x, &err);
	} else {
		shown = filer_shown(x) ? json_incref(versions) : without_filers(versions);
		http_reply_json(x, 200, json_pack("{s:o}", "versions", shown));
	}
	json_decref(versions);
	json_decref(envelope);
}

/* ---- changing ---- */

struct change {
	struct visit *v;
	json_t *body;
	struct filing *filing;
	void (*then)(struct exchange *x, int status, const struct ark_error *err);
};

static void change_free(void *arg)
{
	struct change *c = arg;

	json_decref(c->body);
	filing_free(c->filing);
	free(c);
}

static bool version_matches(struct exchange *x, uint32_t number)
{
	char tag[TAG_SIZE];

	record_version_tag(app_of(x), kind, number, tag);
	return record_version_matches(x, etag_if_match(http_header_list(x, "If-Match"), tag), kind);
}

static void refuse(struct exchange *x, const char *why)
{
	char detail[600];

	snprintf(detail, sizeof(detail), "%s. The synonyms in force stay as they are.", why);
	http_reply_problem(x, 400, "bad-synonyms", detail, NULL);
}

/* False: replied. */
static bool read_body(struct exchange *x, struct change *c)
{
	const char *key, *body;
	json_t *value;
	struct ark_error err;
	size_t len;

	body = http_body(x, &len);
	if (json_read(body, len, &c->body, &err)) {
		http_reply_problem(x, 400, "bad-json", err.text, NULL);
		return false;
	}
	if (synonyms_check(c->body, &err)) {
		refuse(x, err.text);
		return false;
	}
	json_object_foreach(c->body, key, value)
	{
		if (!strcmp(key, "reason") &&
		    (!json_is_string(value) || json_string_length(value) > REASON_MAX)) {
			refuse(x, "reason must be a text of at most 4000 bytes");
			return false;
		}
		if (strcmp(key, "reason") != 0 && strcmp(key, "entries") != 0 &&
		    strcmp(key, "shipped") != 0) {
			refuse(x, "the table has entries, shipped and reason, and nothing else");
			return false;
		}
	}
	return true;
}

static int make_filing(struct change *c, uint32_t number, struct ark_error *err)
{
	const struct filing_actor actor = caller_actor(c->v->caller);
	const char *reason = json_text(c->body, "reason");
	struct filing *f = c->filing = filing_new(FILING_RECORD);
	int rc = f ? filing_set_actor(f, &actor, err)
		   : ark_fail(err, ARK_ENOMEM, "no memory for a record");

	if (rc)
		return rc;
	f->record_kind = kind;
	f->record_on_base = true;
	f->base_metadata = number;
	f->record = json_pack("{s:s,s:b,s:O}", "id", REGISTRY_SYNONYMS, "shipped",
	    !json_is_false(json_object_get(c->body, "shipped")), "entries",
	    json_object_get(c->body, "entries"));
	if (!f->record || (reason && !(f->reason = strdup(reason))))
		return ark_fail(err, ARK_ENOMEM, "no memory for a record");
	return ARK_OK;
}

static void after_filing(struct exchange *x)
{
	const struct change *c = visit_of(x)->more;
	char tag[TAG_SIZE];

	if (c->then) {
		c->then(x, c->filing->status, &c->filing->error);
	} else if (c->filing->status == ARK_ECONFLICT) {
		record_version_changed(x, kind);
	} else if (c->filing->status) {
		http_reply_error(x, &c->filing->error);
	} else {
		record_version_tag(c->v->app, kind, c->filing->metadata, tag);
		http_reply_header(x, "ETag", tag);
		http_reply_json(x, 200,
		    json_pack("{s:i,s:I}", "version", (int)c->filing->metadata, "entries",
			(json_int_t)json_array_size(json_object_get(c->body, "entries"))));
	}
}

static void file_change(struct exchange *x, struct change *c, uint32_t number)
{
	struct ark_error err;

	if (make_filing(c, number, &err)) {
		http_reply_error(x, &err);
		return;
	}
	exchange_files(x, c->v->app->archive, c->filing, after_filing);
}

void synonyms_put(struct exchange *x)
{
	struct visit *v = visit_of(x);
	struct ark_error err;
	struct change *c;
	uint32_t number = 0;

	if (!v)
		return;
	if (!caller_may(v->caller, ACCESS_ADMINISTER)) {
		http_reply_problem(
		    x, 403, "not-permitted", "Synonyms are changed by administrators.", NULL);
		return;
	}
	if (records_number(v->app->archive, kind, REGISTRY_SYNONYMS, &number, &err)) {
		http_reply_error(x, &err);
		return;
	}
	if (!version_matches(x, number))
		return;
	c = calloc(1, sizeof(*c));
	if (!c) {
		http_reply_problem(x, 503, "out-of-memory", NULL, NULL);
		return;
	}
	c->v = v;
	v->more = c;
	v->more_free = change_free;
	if (read_body(x, c))
		file_change(x, c, number);
}

int synonyms_change(struct exchange *x, json_t *body, uint32_t base,
    void (*then)(struct exchange *x, int status, const struct ark_error *err),
    struct ark_error *err)
{
	struct visit *v = visit_of(x);
	struct change *c;
	int rc = synonyms_check(body, err);

	if (rc)
		return rc;
	c = calloc(1, sizeof(*c));
	if (!c)
		return ark_fail(err, ARK_ENOMEM, "no memory for the synonyms");
	c->v = v;
	c->body = json_incref(body);
	c->then = then;
	v->more = c;
	v->more_free = change_free;
	file_change(x, c, base);
	return ARK_OK;
}
