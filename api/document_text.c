#include "api/document_text.h"

#include "arkki/base/json.h"

/* Copies a member as it is, under `as`. */
static bool copy(struct buf *out, const char *object, size_t len, const char *key, const char *as)
{
	const char *value;
	size_t n;

	if (!json_member(object, len, key, &value, &n))
		return false;
	buf_addc(out, ',');
	json_quote(out, as);
	buf_addc(out, ':');
	buf_add(out, value, n);
	return true;
}

int document_text(const struct catalogue_row *row, const struct buf *metadata,
    const struct buf *version, struct buf *out, struct ark_error *err)
{
	static const char *const of_fields[] = {"units", "case", "type", "title", "publicTitle",
	    "language", "date", "publicity", "author", "state", "visitDate"};
	static const char *const of_version[] = {"fileName", "mediaType", "size", "sha256"};
	const char *fields, *actor;
	size_t fields_len, actor_len;

	if (!json_member(metadata->data, metadata->len, "fields", &fields, &fields_len) ||
	    !json_member(version->data, version->len, "actor", &actor, &actor_len))
		return ark_fail(err, ARK_ECORRUPT, "the meta of %s lacks a member", row->document);
	buf_addf(out, "{\"id\":\"%s\"", row->document);
	for (size_t i = 0; i < sizeof(of_fields) / sizeof(*of_fields); i++)
		copy(out, fields, fields_len, of_fields[i], of_fields[i]);
	buf_addf(out, ",\"version\":%u,\"versions\":%u", row->version, row->visible_versions);
	if (!copy(out, version->data, version->len, "time", "filedAt") ||
	    !copy(out, actor, actor_len, "user", "filedBy"))
		return ark_fail(err, ARK_ECORRUPT, "the meta of %s lacks a member", row->document);
	for (size_t i = 0; i < sizeof(of_version) / sizeof(*of_version); i++)
		copy(out, version->data, version->len, of_version[i], of_version[i]);
	buf_adds(out, ",\"text\":{\"state\":");
	json_quote(out, row->text_state ? row->text_state : "pending");
	if (row->text_reason) {
		buf_adds(out, ",\"reason\":");
		json_quote(out, row->text_reason);
	}
	buf_adds(out, "}}");
	return buf_failed(out) ? ark_fail(err, ARK_ENOMEM, "no memory for an answer") : ARK_OK;
}
