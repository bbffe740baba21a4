/* The JSON that a filing leaves in the store, member by member as README.md lists them. */
#include "archive/filing_private.h"

#include <string.h>

#include <sodium.h>

#include "arkki/base/text.h"

static json_t *actor_json(const struct filing *f)
{
	return json_pack("{s:s,s:s*,s:s*,s:s*,s:s*,s:s*}", "user", f->user ? f->user : "system",
	    "org", f->org, "roles", f->roles, "authentication", f->authentication, "session",
	    f->session, "address", f->address);
}

static json_t *hex_json(const unsigned char *bytes, size_t len)
{
	char hex[129];

	hex_encode(hex, bytes, len);
	return json_string(hex);
}

/* SHA-256("arkki-plain-v1\n" || salt || plain SHA-256): what the history log
 * says of the plain bytes without letting anyone test a guess. */
static json_t *plain_commitment(const unsigned char salt[32], const unsigned char sha256[32])
{
	static const char label[] = "arkki-plain-v1\n";
	unsigned char in[sizeof(label) - 1 + 64], out[32];

	memcpy(in, label, sizeof(label) - 1);
	memcpy(in + sizeof(label) - 1, salt, 32);
	memcpy(in + sizeof(label) - 1 + 32, sha256, 32);
	sha256_of(in, sizeof(in), out);
	return hex_json(out, 32);
}

uint32_t filing_chunks(const struct upload *u)
{
	if (u->fd < 0)
		return 0;
	return (uint32_t)((u->sealed_size + SPOOL_CHUNK_SIZE - 1) / SPOOL_CHUNK_SIZE);
}

/* NULL stays NULL; what cannot be added ends v. */
static json_t *with(json_t *v, json_t *more)
{
	if (v && more && json_object_update(v, more) == 0) {
		json_decref(more);
		return v;
	}
	json_decref(v);
	json_decref(more);
	return NULL;
}

static json_t *with_upload(json_t *v, const struct filing *f)
{
	const struct upload *u = f->upload;
	unsigned char salt[32];

	randombytes_buf(salt, sizeof(salt));
	return with(
	    v, json_pack("{s:s*,s:s,s:I,s:o,s:I,s:o,s:i,s:o,s:o}", "fileName", f->file_name,
		   "mediaType", u->media_type, "size", (json_int_t)u->size, "sha256",
		   hex_json(u->sha256, 32), "sealedSize", (json_int_t)u->sealed_size,
		   "sealedSha256", hex_json(u->sealed_sha256, 32), "chunks", (int)filing_chunks(u),
		   "salt", hex_json(salt, 32), "commitment", plain_commitment(salt, u->sha256)));
}

static json_t *with_reason(json_t *v, const struct filing *f)
{
	return f->reason ? with(v, json_pack("{s:s}", "reason", f->reason)) : v;
}

static json_t *with_stated(json_t *v, const struct filing *f)
{
	if (!f->purpose && !f->case_id)
		return v;
	return with(
	    v, json_pack("{s:{s:s*,s:s*}}", "stated", "purpose", f->purpose, "case", f->case_id));
}

static json_t *with_request(json_t *v, const struct filing *f)
{
	return f->request ? with(v, json_pack("{s:{s:s,s:s*}}", "request", "key", f->request,
					"digest", f->request_digest))
			  : v;
}

json_t *filing_version_json(const struct filing *f, const char *time)
{
	json_t *v = json_pack("{s:s,s:s,s:i,s:s,s:o}", "arkki", "version/1", "document",
	    f->document, "version", (int)f->version, "time", time, "actor", actor_json(f));

	return with_request(with_reason(with_upload(v, f), f), f);
}

json_t *filing_metadata_json(const struct filing *f, const char *time, struct registry *registry)
{
	json_t *v = json_pack("{s:s,s:s,s:i,s:i,s:s,s:o,s:O,s:o}", "arkki", "metadata/1",
	    "document", f->document, "number", (int)f->metadata, "version", (int)f->version, "time",
	    time, "actor", actor_json(f), "fields", f->fields, "counties",
	    registry_counties(registry, json_object_get(f->fields, "units")));

	if (f->kind == FILING_METADATA) /* that of a version is the version's */
		v = with_reason(v, f);
	return with_stated(v, f);
}

json_t *filing_rendition_json(const struct filing *f, const char *time)
{
	json_t *v = json_pack("{s:s,s:s,s:i,s:s,s:i,s:s,s:o}", "arkki", "rendition/1", "document",
	    f->document, "version", (int)f->version, "name", "public", "number", (int)f->rendition,
	    "time", time, "actor", actor_json(f));

	if (f->upload)
		v = with_upload(v, f);
	else
		v = with(v, json_pack("{s:b}", "withdrawn", 1));
	return with_stated(with_request(with_reason(v, f), f), f);
}

json_t *filing_record_json(const struct filing *f, const char *time)
{
	json_t *v = json_pack("{s:s,s:s,s:i,s:s,s:o,s:O}", "arkki", "record/1", "kind",
	    f->record_kind, "number", (int)f->metadata, "time", time, "actor", actor_json(f),
	    "record", f->record);

	return with_reason(v, f);
}
