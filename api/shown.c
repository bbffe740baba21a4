/* What of a version is shown: all of it, or what goes with its public
 * rendition. Whoever shows a row opens it here. */
#include <string.h>

#include "api/documents.h"
#include "arkki/base/json.h"

/* A title can be secret too: without a public one the kind of document stands in its place. */
static json_t *public_title(struct archive *a, const json_t *fields)
{
	const char *given = json_text(fields, "publicTitle"), *type = json_text(fields, "type");
	json_t *record, *name;
	const char *label;

	if (given)
		return json_string(given);
	record = registry_get(archive_registry(a), "types", type);
	name = json_object_get(record, "name");
	label = json_text(name, json_text(fields, "language"));
	name = json_string(label ? label : type ? type : "");
	json_decref(record);
	return name;
}

static json_t *public_fields(struct archive *a, const json_t *fields)
{
	static const char *const names[] = {"units", "type", "language", "date", "author", "state"};
	json_t *out = json_object();
	const char *publicity = json_text(json_object_get(fields, "publicity"), "class");

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		json_object_set(out, names[i], json_object_get(fields, names[i]));
	json_object_set_new(out, "title", public_title(a, fields));
	json_object_set_new(out, "publicity", json_pack("{s:s?}", "class", publicity));
	return out;
}

static json_t *public_facts(const json_t *meta)
{
	static const char *const names[] = {"time", "fileName", "mediaType", "size", "sha256"};
	json_t *out = json_object();

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		json_object_set(out, names[i], json_object_get(meta, names[i]));
	return out;
}

int shown_version(struct archive *a, const struct receipt *receipt, const struct catalogue_row *row,
    json_t **ret, struct ark_error *err)
{
	json_t *meta = NULL;
	int rc =
	    reading_version(a, receipt, row, row->whole ? FORM_WHOLE : FORM_PUBLIC, &meta, err);

	if (rc || row->whole) {
		*ret = meta;
		return rc;
	}
	*ret = public_facts(meta);
	json_decref(meta);
	return *ret ? ARK_OK : ark_fail(err, ARK_ENOMEM, "no memory for an answer");
}

int shown_card(struct archive *a, const struct receipt *receipt, const struct catalogue_row *row,
    struct card *ret, struct ark_error *err)
{
	struct card card = {0};
	int rc = reading_card(a, receipt, row, &card, err);

	if (rc || row->whole) {
		*ret = card;
		return rc;
	}
	*ret = (struct card){0};
	rc = shown_version(a, receipt, row, &ret->version, err);
	if (!rc) {
		ret->fields = public_fields(a, card.fields);
		if (!ret->fields)
			rc = ark_fail(err, ARK_ENOMEM, "no memory for an answer");
	}
	if (rc)
		card_free(ret);
	card_free(&card);
	return rc;
}

const char *shown_text_state(const struct catalogue_row *row, const char **ret_reason)
{
	const char *state = row->whole ? row->text_state : row->rendition.text_state;

	*ret_reason = row->whole ? row->text_reason : row->rendition.text_reason;
	return state ? state : "pending";
}
