#include "api/tus.h"

#include <stdlib.h>
#include <string.h>

#include "arkki/archive/uploads.h"
#include "arkki/base/text.h"

enum { PAIRS_MAX = 32, KEY_MAX = 64, DIGITS_MAX = 16, VALUE_MAX = 16384 };

#define NUMBER_MAX ((UINT64_C(1) << 53) - 1)

bool tus_number(const char *text, uint64_t *ret)
{
	size_t n = text ? strspn(text, "0123456789") : 0;
	uint64_t number;

	if (!n || n > DIGITS_MAX || text[n])
		return false;
	number = strtoull(text, NULL, 10);
	if (number > NUMBER_MAX)
		return false;
	*ret = number;
	return true;
}

void tus_metadata_free(struct tus_metadata *m)
{
	free(m->file_name);
	free(m->media_type);
	*m = (struct tus_metadata){0};
}

struct pair {
	const char *key, *value;
	size_t key_len, value_len;
};

/* The pair at *at, which goes on to the next one or the end. False: malformed. */
static bool next_pair(const char **at, struct pair *ret)
{
	const char *p = *at + strspn(*at, " \t");

	ret->key = p;
	ret->key_len = strcspn(p, " ,\t");
	p += ret->key_len;
	p += strspn(p, " \t");
	ret->value = p;
	ret->value_len = strcspn(p, " ,\t");
	p += ret->value_len;
	p += strspn(p, " \t");
	if (!ret->key_len || ret->key_len > KEY_MAX || ret->value_len > VALUE_MAX ||
	    (*p && *p != ','))
		return false;
	/* a comma at the end has no pair behind it */
	if (*p == ',' && !p[1 + strspn(p + 1, " \t")])
		return false;
	*at = *p ? p + 1 : p;
	return true;
}

static bool key_is(const struct pair *p, const char *key)
{
	return p->key_len == strlen(key) && memcmp(p->key, key, p->key_len) == 0;
}

static int take_name(const char *name, char **ret, struct ark_error *err)
{
	const char *slash = strrchr(name, '/');

	name = slash ? slash + 1 : name;
	if (strlen(name) > PENDING_NAME_MAX)
		return ark_fail(err, ARK_EINPUT, "The file name is longer than 1000 bytes.");
	if (!*name)
		return ARK_OK;
	*ret = strdup(name);
	return *ret ? ARK_OK : ark_fail(err, ARK_ENOMEM, "no memory for an upload");
}

static int take_type(const char *type, char **ret, struct ark_error *err)
{
	size_t len = strlen(type);

	if (len > PENDING_TYPE_MAX)
		return ark_fail(err, ARK_EINPUT, "The media type is too long.");
	for (size_t i = 0; i < len; i++)
		if (type[i] < ' ' || type[i] > '~')
			return ark_fail(err, ARK_EINPUT, "The media type is malformed.");
	if (!len)
		return ARK_OK;
	*ret = strdup(type);
	return *ret ? ARK_OK : ark_fail(err, ARK_ENOMEM, "no memory for an upload");
}

static int take_pair(const struct pair *p, struct tus_metadata *m, struct ark_error *err)
{
	struct buf value = BUF_INIT;
	bool name = key_is(p, "filename"), batch = key_is(p, "batch"), type = key_is(p, "filetype");
	int rc = ARK_OK;

	if (!base64_decode(&value, p->value, p->value_len))
		rc = ark_fail(err, ARK_EINPUT, "A value of Upload-Metadata is not base64.");
	buf_addc(&value, '\0');
	if (!rc && buf_failed(&value))
		rc = ark_fail(err, ARK_ENOMEM, "no memory for an upload");
	if (!rc && (name || type) && !utf8_valid(value.data, value.len - 1))
		rc = ark_fail(err, ARK_EINPUT, "The file name is not UTF-8.");
	if (!rc && name)
		rc = take_name(value.data, &m->file_name, err);
	if (!rc && type)
		rc = take_type(value.data, &m->media_type, err);
	if (!rc && batch && (value.len != sizeof(m->batch) || !docid_valid(value.data)))
		rc = ark_fail(err, ARK_EINPUT, "The batch is malformed.");
	if (!rc && batch)
		memcpy(m->batch, value.data, sizeof(m->batch));
	buf_free(&value);
	return rc;
}

int tus_metadata_read(const char *header, struct tus_metadata *ret, struct ark_error *err)
{
	struct tus_metadata m = {0};
	struct pair pairs[PAIRS_MAX];
	const char *at = header ? header : "";
	size_t n = 0;
	int rc = ARK_OK;

	at += strspn(at, " \t");
	while (!rc && *at) {
		if (n == PAIRS_MAX || !next_pair(&at, &pairs[n])) {
			rc = ark_fail(err, ARK_EINPUT, "Upload-Metadata is malformed.");
			break;
		}
		for (size_t i = 0; i < n; i++)
			if (pairs[i].key_len == pairs[n].key_len &&
			    memcmp(pairs[i].key, pairs[n].key, pairs[n].key_len) == 0)
				rc = ark_fail(
				    err, ARK_EINPUT, "A key of Upload-Metadata comes twice.");
		if (!rc)
			rc = take_pair(&pairs[n++], &m, err);
	}
	if (rc)
		tus_metadata_free(&m);
	else
		*ret = m;
	return rc;
}

void tus_metadata_write(const char *file_name, const char *media_type, struct buf *out)
{
	if (file_name) {
		buf_adds(out, "filename ");
		base64_encode(out, file_name, strlen(file_name));
	}
	if (media_type) {
		buf_adds(out, file_name ? ",filetype " : "filetype ");
		base64_encode(out, media_type, strlen(media_type));
	}
}
