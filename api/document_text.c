#include "api/document_text.h"

#include "api/text_reason.h"
#include "arkki/base/json.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

/* A member as it stands in the opened text; null where it may be absent. */
static void add_member(struct buf *out, const char *key, struct json_span span)
{
	buf_adds(out, ",\"");
	buf_adds(out, key);
	buf_adds(out, "\":");
	if (span.text)
		buf_add(out, span.text, span.len);
	else
		buf_adds(out, "null");
}

static void add_text_state(
    struct buf *out, const struct exchange *x, const struct catalogue_row *row)
{
	char said[TEXT_REASON_SIZE];

	buf_adds(out, ",\"text\":{\"state\":");
	json_quote(out, row->text_state ? row->text_state : "pending");
	if (row->text_reason) {
		buf_adds(out, ",\"reason\":");
		json_quote(out, text_reason_for(x, row->text_reason, said));
	}
	buf_addc(out, '}');
}

int document_text(const struct exchange *x, const struct catalogue_row *row,
    const struct buf *metadata, const struct buf *version, struct buf *out, struct ark_error *err)
{
	static const char *const of_record[] = {"fields"}, *const of_actor[] = {"user"};
	static const char *const of_fields[] = {"units", "case", "type", "title", "publicTitle",
	    "language", "date", "publicity", "author", "state", "visitDate", "addressees"};
	static const char *const of_version[] = {
	    "time", "actor", "fileName", "mediaType", "size", "sha256"};
	enum { PUBLIC_TITLE = 4, VISIT_DATE = 10, ADDRESSEES, TIME = 0, ACTOR, FILE_NAME };
	struct json_span record[1], fields[COUNT(of_fields)], v[COUNT(of_version)], user[1];

	json_members(metadata->data, metadata->len, of_record, 1, record);
	json_members(version->data, version->len, of_version, COUNT(of_version), v);
	if (!record[0].text || !v[TIME].text || !v[ACTOR].text)
		return ark_fail(err, ARK_ECORRUPT, "the meta of %s lacks a member", row->document);
	json_members(record[0].text, record[0].len, of_fields, COUNT(of_fields), fields);
	json_members(v[ACTOR].text, v[ACTOR].len, of_actor, 1, user);
	buf_adds(out, "{\"id\":\"");
	buf_adds(out, row->document);
	buf_addc(out, '"');
	for (size_t i = 0; i < COUNT(of_fields); i++)
		if (fields[i].text || (i != PUBLIC_TITLE && i != VISIT_DATE && i != ADDRESSEES))
			add_member(out, of_fields[i], fields[i]);
	buf_addf(out, ",\"version\":%u,\"versions\":%u", row->version, row->visible_versions);
	add_member(out, "filedAt", v[TIME]);
	add_member(out, "filedBy", user[0]);
	for (size_t i = FILE_NAME; i < COUNT(of_version); i++)
		add_member(out, of_version[i], v[i]);
	add_text_state(out, x, row);
	if (row->rendition.number)
		buf_adds(out, ",\"renditions\":[\"public\"]");
	buf_addc(out, '}');
	return buf_failed(out) ? ark_fail(err, ARK_ENOMEM, "no memory for an answer") : ARK_OK;
}
