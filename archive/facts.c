#include "archive/access_tie.h"
#include "archive/facts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arkki/archive/records.h"
#include "arkki/base/clock.h"
#include "arkki/base/json.h"
#include "arkki/base/text.h"

int change_next(const char **text, struct change *ret, struct ark_error *err)
{
	char line[160], v[16] = "", m[16] = "";
	const char *end;
	size_t n;
	int words;

	while (**text == '\n')
		(*text)++;
	if (!**text)
		return 0;
	end = strchrnul(*text, '\n');
	n = (size_t)(end - *text);
	if (n >= sizeof(line))
		return ark_fail(err, ARK_ECORRUPT, "a commit message has an over-long line");
	memcpy(line, *text, n);
	line[n] = '\0';
	*text = end;
	*ret = (struct change){0};
	words = sscanf(line, "%15s %64s %15s %15s", ret->kind, ret->name, v, m);
	ret->is_document = strcmp(ret->kind, "docs") == 0;
	if (words == 4 && ret->is_document && v[0] == 'v' && (m[0] == 'm' || m[0] == 'r')) {
		ret->version = (uint32_t)strtoul(v + 1, NULL, 10);
		*(m[0] == 'm' ? &ret->metadata : &ret->rendition) =
		    (uint32_t)strtoul(m + 1, NULL, 10);
	} else if (words == 3 && v[0] == 'm') {
		ret->metadata = (uint32_t)strtoul(v + 1, NULL, 10);
	}
	if ((!ret->metadata && !(ret->version && ret->rendition)) ||
	    (ret->is_document && !docid_valid(ret->name)))
		return ark_fail(
		    err, ARK_ECORRUPT, "a commit message has a malformed line: %s", line);
	return 1;
}

bool change_is_of_document(const struct change *change)
{
	return change->is_document || records_end_with_document(change->kind);
}

void change_write(struct buf *out, const struct change *change)
{
	buf_addf(out, "%s %s", change->kind, change->name);
	if (change->is_document && change->version)
		buf_addf(out, " v%04u", change->version);
	if (change->rendition)
		buf_addf(out, " r%04u\n", change->rendition);
	else
		buf_addf(out, " m%04u\n", change->metadata);
}

/* ---- names ---- */

void fact_record_path(const struct change *change, char out[ENVELOPE_PATH])
{
	if (!change->is_document)
		envelope_record_path(out, change->kind, change->name, change->metadata);
	else if (change->rendition)
		fact_upload_path(change, "meta", out);
	else
		envelope_metadata_path(out, change->name, change->metadata);
}

void fact_upload_path(const struct change *change, const char *part, char out[ENVELOPE_PATH])
{
	if (change->rendition)
		envelope_rendition_path(
		    out, change->name, change->version, change->rendition, part);
	else
		envelope_version_path(out, change->name, change->version, part);
}

/* The path below "docs/0/1/2/3/<docid>/". */
void fact_upload_name(const struct change *change, const char *part, char out[FACT_NAME])
{
	char path[ENVELOPE_PATH];

	fact_upload_path(change, part, path);
	snprintf(out, FACT_NAME, "%s", path + sizeof("docs/0/1/2/3/") + 32);
}

void fact_record_name(const struct change *change, char out[FACT_NAME])
{
	if (change->rendition)
		fact_upload_name(change, "meta", out);
	else
		snprintf(out, FACT_NAME, "m%04u", change->metadata);
}

bool fact_has_content(const struct fact *fact)
{
	return fact->f.kind == FACT_VERSION ||
	       (fact->f.kind == FACT_RENDITION && !fact->f.withdrawn);
}

/* ---- facts ---- */

static int strings_of(const json_t *array, const char ***ret, size_t *ret_len)
{
	size_t n = json_array_size(array);

	*ret_len = 0;
	*ret = calloc(n ? n : 1, sizeof(**ret));
	if (!*ret)
		return ARK_ENOMEM;
	for (size_t i = 0; i < n; i++) {
		const char *s = json_string_value(json_array_get(array, i));

		if (s)
			(*ret)[(*ret_len)++] = s;
	}
	return ARK_OK;
}

static int fill_document(struct fact *fact, struct ark_error *err)
{
	struct catalogue_fact *f = &fact->f;
	const json_t *fields = json_object_get(fact->record, "fields");

	f->document = fact->change.name;
	f->version = (uint32_t)json_integer_value(json_object_get(fact->record, "version"));
	f->sealed_metadata =
	    (struct catalogue_blob){fact->sealed_record.data, fact->sealed_record.len};
	f->type = json_text(fields, "type");
	f->date = json_text(fields, "date");
	f->language = json_text(fields, "language");
	f->publicity = json_text(json_object_get(fields, "publicity"), "class");
	f->state = json_text(fields, "state");
	f->author = json_text(fields, "author");
	f->case_id = json_text(fields, "case");
	f->visit_date = json_text(fields, "visitDate");
	if (!f->version || !f->type || !f->date || !f->language || !f->publicity || !f->state ||
	    !f->author)
		return ark_fail(err, ARK_ECORRUPT, "the metadata record m%04u of %s lacks fields",
		    f->metadata, f->document);
	if (strings_of(json_object_get(fields, "units"), &fact->units, &f->units_len) ||
	    strings_of(
		json_object_get(fact->record, "counties"), &fact->counties, &f->counties_len) ||
	    strings_of(
		json_object_get(fields, "addressees"), &fact->addressees, &f->addressees_len))
		return ark_fail(err, ARK_ENOMEM, "no memory for a document");
	f->units = fact->units;
	f->counties = fact->counties;
	f->addressees = fact->addressees;
	return ARK_OK;
}

static int fill_version(struct fact *fact, struct ark_error *err)
{
	struct catalogue_fact *f = &fact->f;
	const json_t *v = fact->version_meta, *actor = json_object_get(v, "actor");

	f->sealed_version =
	    (struct catalogue_blob){fact->sealed_version.data, fact->sealed_version.len};
	f->filed_by = json_text(actor, "user");
	f->filed_by_org = json_text(actor, "org");
	f->size = (uint64_t)json_integer_value(json_object_get(v, "size"));
	f->sealed_size = (uint64_t)json_integer_value(json_object_get(v, "sealedSize"));
	f->media_type = json_text(v, "mediaType");
	f->chunks = (uint32_t)json_integer_value(json_object_get(v, "chunks"));
	f->request = json_text(json_object_get(v, "request"), "key");
	if (!f->filed_by || !f->media_type || !f->sealed_size)
		return ark_fail(err, ARK_ECORRUPT, "the meta of %s v%04u lacks fields", f->document,
		    f->version);
	return ARK_OK;
}

static int fill_rendition(struct fact *fact, struct ark_error *err)
{
	struct catalogue_fact *f = &fact->f;
	const json_t *v = fact->record;

	f->document = fact->change.name;
	f->version = fact->change.version;
	f->rendition = fact->change.rendition;
	f->request = json_text(json_object_get(v, "request"), "key");
	f->withdrawn = json_is_true(json_object_get(v, "withdrawn"));
	f->sealed_rendition =
	    (struct catalogue_blob){fact->sealed_record.data, fact->sealed_record.len};
	f->size = (uint64_t)json_integer_value(json_object_get(v, "size"));
	f->sealed_size = (uint64_t)json_integer_value(json_object_get(v, "sealedSize"));
	f->media_type = json_text(v, "mediaType");
	f->chunks = (uint32_t)json_integer_value(json_object_get(v, "chunks"));
	if (!f->withdrawn && (!f->media_type || !f->sealed_size))
		return ark_fail(err, ARK_ECORRUPT,
		    "the meta of rendition r%04u of %s v%04u lacks fields", f->rendition,
		    f->document, f->version);
	return ARK_OK;
}

int fact_fill(struct fact *fact, uint64_t sequence, uint32_t item, struct ark_error *err)
{
	struct catalogue_fact *f = &fact->f;
	int rc = ARK_OK;

	f->sequence = sequence;
	f->item = item;
	f->metadata = fact->change.metadata;
	if (!clock_parse(json_text(fact->record, "time") ? json_text(fact->record, "time") : "",
		&f->time_us))
		return ark_fail(err, ARK_ECORRUPT, "a record of commit %llu has no time",
		    (unsigned long long)sequence);
	if (fact->change.rendition) {
		f->kind = FACT_RENDITION;
		return fill_rendition(fact, err);
	}
	if (fact->change.is_document) {
		f->kind = fact->change.version ? FACT_VERSION : FACT_METADATA;
		rc = fill_document(fact, err);
		if (!rc && fact->change.version)
			rc = fill_version(fact, err);
		return rc;
	}
	f->kind = FACT_RECORD;
	f->record_kind = fact->change.kind;
	f->record_id = json_text(json_object_get(fact->record, "record"), "id");
	f->record_number = fact->change.metadata;
	f->sealed_record =
	    (struct catalogue_blob){fact->sealed_record.data, fact->sealed_record.len};
	if (!f->record_id)
		return ark_fail(err, ARK_ECORRUPT, "a record of %s has no id", fact->change.kind);
	return ARK_OK;
}

void fact_free(struct fact *fact)
{
	json_decref(fact->version_meta);
	json_decref(fact->record);
	buf_free(&fact->sealed_version);
	buf_free(&fact->sealed_record);
	free(fact->units);
	free(fact->counties);
	free(fact->addressees);
	*fact = (struct fact){0};
}

static void add_digest(struct buf *out, bool *first, const char *name, const unsigned char sha[32])
{
	char hex[65];

	hex_encode(hex, sha, 32);
	buf_addf(out, "%s\"%s\":\"%s\"", *first ? "" : ",", name, hex);
	*first = false;
}

/* Of a step towards a document's end: who proposed and approved what. */
static void write_disposition(struct buf *out, const struct fact *fact)
{
	static const char *const names[] = {
	    "action", "ground", "proposedBy", "approvedBy", "package"};
	const json_t *record = json_object_get(fact->record, "record");

	if (fact->f.kind != FACT_RECORD || (strcmp(fact->change.kind, "disposals") != 0 &&
					       strcmp(fact->change.kind, "tombstones") != 0))
		return;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		const char *text = json_text(record, names[i]);

		if (!text)
			continue;
		buf_addf(out, ",\"%s\":", names[i]);
		json_quote(out, text);
	}
}

/* {"commit","sequence","item","of","objects":{path part: sha256 of the sealed bytes},"commitment"} */
static void write_detail(struct buf *out, const struct fact *fact, const struct store_oid *commit,
    uint32_t items, const struct checkpoint *tie)
{
	const struct catalogue_fact *f = &fact->f;
	char hex[41], name[FACT_NAME];
	bool first = true;

	hex_encode(hex, commit->id, STORE_OID_SIZE);
	buf_addf(out, "{\"commit\":\"%s\",\"sequence\":%llu,\"item\":%u,\"of\":%u", hex,
	    (unsigned long long)f->sequence, f->item, items);
	if (!fact->change.is_document)
		buf_addf(out, ",\"record\":\"%s/%s\"", fact->change.kind, fact->change.name);
	buf_adds(out, ",\"objects\":{");
	if (f->kind == FACT_VERSION) {
		fact_upload_name(&fact->change, "meta", name);
		add_digest(out, &first, name, fact->version_sha);
	}
	if (fact_has_content(fact)) {
		fact_upload_name(&fact->change, "content", name);
		add_digest(out, &first, name, fact->content_sha);
	}
	fact_record_name(&fact->change, name);
	add_digest(out, &first, name, fact->record_sha);
	buf_adds(out, "}");
	write_disposition(out, fact);
	if (fact_has_content(fact)) {
		const char *commitment = json_text(
		    f->kind == FACT_VERSION ? fact->version_meta : fact->record, "commitment");

		buf_addf(out, ",\"commitment\":\"%s\"", commitment ? commitment : "");
	}
	if (tie) {
		buf_addc(out, ',');
		access_tie_write(out, tie);
	}
	buf_adds(out, "}");
}

/* Steps of a disposition are entries of their document, by the state that the record gives it. */
static const char *disposition_kind(const struct fact *fact)
{
	static const struct {
		const char *kind, *state, *entry;
	} steps[] = {
	    {"holds", "held", "hold"},
	    {"holds", "released", "hold-released"},
	    {"disposals", "proposed", "disposal-proposed"},
	    {"disposals", "approved", "disposal-approved"},
	    {"disposals", "packaged", "disposal-packaged"},
	    {"disposals", "received", "disposal-received"},
	    {"disposals", "withdrawn", "disposal-withdrawn"},
	    {"tombstones", "begun", "destruction"},
	    {"tombstones", "destroyed", "destroyed"},
	};
	const char *state = json_text(json_object_get(fact->record, "record"), "state");

	for (size_t i = 0; state && i < sizeof(steps) / sizeof(*steps); i++)
		if (strcmp(fact->change.kind, steps[i].kind) == 0 &&
		    strcmp(state, steps[i].state) == 0)
			return steps[i].entry;
	return NULL;
}

/* The document of an entry; NULL: it is no document's. */
static const char *entry_document(const struct fact *fact)
{
	if (fact->f.kind != FACT_RECORD)
		return fact->f.document;
	return disposition_kind(fact) && docid_valid(fact->f.record_id) ? fact->f.record_id : NULL;
}

static const char *entry_kind(const struct fact *fact)
{
	const struct catalogue_fact *f = &fact->f;
	const char *step;

	switch (f->kind) {
	case FACT_VERSION:
		return f->version == 1 ? "filing" : "version";
	case FACT_METADATA:
		return "metadata";
	case FACT_RENDITION:
		return f->withdrawn ? "rendition-withdrawn" : "rendition";
	case FACT_RECORD:
		break;
	}
	step = disposition_kind(fact);
	return step ? step : "record";
}

int history_entry_fill(struct history_entry *e, const struct fact *fact,
    const struct store_oid *commit, uint32_t items, const struct checkpoint *tie,
    struct ark_error *err)
{
	const struct catalogue_fact *f = &fact->f;
	const json_t *actor = json_object_get(fact->record, "actor");
	const json_t *stated = json_object_get(fact->record, "stated");

	*e = (struct history_entry){0};
	write_detail(&e->detail, fact, commit, items, tie);
	if (buf_failed(&e->detail))
		return ark_fail(err, ARK_ENOMEM, "no memory for a history entry");
	e->record = (struct ledger_record){
	    .time_us = f->time_us,
	    .kind = entry_kind(fact),
	    .document = entry_document(fact),
	    .version = f->kind == FACT_RECORD ? 0 : f->version,
	    .purpose = json_text(stated, "purpose"),
	    .case_id = json_text(stated, "case"),
	    .bytes = fact_has_content(fact) ? f->size : 0,
	    .detail = e->detail.data,
	    .principal = json_text(actor, "user"),
	    .org = json_text(actor, "org"),
	    .roles = json_text(actor, "roles"),
	    .authentication = json_text(actor, "authentication"),
	    .session = json_text(actor, "session"),
	    .address = json_text(actor, "address"),
	};
	return ARK_OK;
}

void history_entry_free(struct history_entry *e)
{
	buf_free(&e->detail);
	*e = (struct history_entry){0};
}
