/* A row of the catalogue into the search index. */
#include <stdlib.h>
#include <string.h>

#include "api/documents.h"
#include "api/indexer_private.h"
#include "arkki/base/json.h"

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

static int tell_versions(
    struct indexer *i, const struct receipt *receipt, const char *document, struct ark_error *err)
{
	struct versions v = {.i = i, .receipt = receipt, .err = err};
	struct search_version *newest_first = NULL;
	int rc = catalogue_versions(i->catalogue, document, NULL, add_version, &v, err);

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
    struct text_found *found, struct search_document *d, struct ark_error *err)
{
	struct buf text = BUF_INIT;
	int rc = text_take(i, receipt, row, form, found, &text, err);

	d->public_form = form == FORM_PUBLIC;
	d->case_id = json_text(card->fields, "case");
	d->title = json_text(card->fields, "title");
	d->text = text.data;
	d->text_len = text.len;
	d->prepared = found->prepared;
	if (!rc)
		rc = search_put(i->index, d, err);
	d->prepared = NULL;
	search_prepared_free(found->prepared); /* large, and the batch may be long */
	found->prepared = NULL;
	i->put_bytes += text.len;
	buf_wipe_free(&text);
	return rc;
}

static int put_public(struct indexer *i, const struct receipt *receipt,
    const struct catalogue_row *row, struct text_found *found, struct search_document *d,
    struct ark_error *err)
{
	struct catalogue_row as_public = *row; /* borrowed: seen by who does not see the whole */
	struct card card = {0};
	int rc;

	if (!row->rendition.number)
		return search_delete_public(i->index, row->document, row->version, err);
	as_public.whole = false;
	rc = shown_card(i->a, receipt, &as_public, &card, err);
	if (!rc)
		rc = put_form(i, receipt, row, &card, FORM_PUBLIC, found, d, err);
	card_free(&card);
	return rc;
}

int indexer_put_row(struct indexer *i, const struct receipt *receipt,
    const struct catalogue_row *row, struct text_found found[2], struct ark_error *err)
{
	struct search_document d = {
	    .document = row->document,
	    .version = row->version,
	    .filed = row->sequence,
	    .language = row->language,
	    .date = row->date,
	};
	struct attributes attributes = {0};
	json_t *municipalities = NULL;
	const char **codes = NULL;
	struct card card = {0};
	uint32_t newest = 0, metadata;
	int rc = reading_card(i->a, receipt, row, &card, err);

	if (!rc)
		rc = catalogue_newest(i->catalogue, row->document, &newest, &metadata, err);
	if (!rc)
		rc = attributes_fill(&attributes, &card, row);
	if (rc)
		goto out;
	municipalities = municipalities_of(i, json_object_get(card.fields, "units"));
	codes = list_of(municipalities, &d.municipalities_len);
	d.municipalities = codes;
	d.only = newest == 1;
	d.attributes = attributes.a;
	rc = put_form(i, receipt, row, &card, FORM_WHOLE, &found[FORM_WHOLE], &d, err);
	if (!rc)
		rc = put_public(i, receipt, row, &found[FORM_PUBLIC], &d, err);
	if (!rc && !d.only)
		rc = tell_versions(i, receipt, row->document, err);
out:
	attributes_free(&attributes);
	json_decref(municipalities);
	free(codes);
	card_free(&card);
	return rc;
}
