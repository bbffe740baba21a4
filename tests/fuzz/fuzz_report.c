/* Signed reports as an outsider checks them. The first byte says which: a file as it stands (JSON, or a page that carries
 * it); or a report whose body is the input, signed here, that must hold and no longer hold when its body is another. */
#include <stdlib.h>
#include <string.h>

#include "api/language.h"
#include "api/reports.h"
#include "archive/checkpoint.h"
#include "arkki/archive/report.h"
#include "arkki/archive/seal.h"
#include "arkki/base/json.h"
#include "arkki/base/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const unsigned char seed[32] = {1};

static void vkey_of(const char *name, struct note_key *key, struct buf *out)
{
	if (note_key_from_seed(name, seed, key, NULL) != ARK_OK)
		abort();
	note_key_format(key, out);
}

static void as_it_stands(const char *text, size_t len)
{
	struct buf history = BUF_INIT, access = BUF_INIT;
	struct report_verdict v = {0};
	enum http_language language = HTTP_FI;
	struct note_key key;
	json_t *sealed = NULL;
	int rc = len && text[0] == '<' ? report_page_read(text, len, &sealed, &language, NULL)
				       : json_read(text, len, &sealed, NULL);

	vkey_of("fuzz/history", &key, &history);
	vkey_of("fuzz/access", &key, &access);
	if (!rc) {
		const char *const vkeys[] = {history.data, access.data};
		struct buf page = BUF_INIT;

		(void)!report_check(sealed, vkeys, 2, &v, NULL);
		(void)!report_page(sealed, language, &page, NULL);
		buf_free(&page);
	}
	json_decref(sealed);
	buf_free(&history);
	buf_free(&access);
}

static void add_digest(struct buf *out, const char *text, size_t len)
{
	unsigned char sha[32];
	char hex[65];

	sha256_of(text, len, sha);
	hex_encode(hex, sha, 32);
	buf_addf(out, "%s\n", hex);
}

/* A checkpoint of an empty log, which is enough to be signed. */
static void signed_checkpoint(const struct note_key *key, struct buf *out)
{
	const struct checkpoint c = {.size = 0};
	struct buf text = BUF_INIT;

	checkpoint_format(key->name, &c, &text);
	if (note_sign(out, text.data, text.len, key, seed, NULL))
		abort();
	buf_free(&text);
}

/* By the words of archive/README.md, not by the code that is under test. */
static json_t *sign(const json_t *report, const struct note_key *key)
{
	struct buf body = BUF_INIT, text = BUF_INIT, note = BUF_INIT, point = BUF_INIT;
	json_t *sealed;

	signed_checkpoint(key, &point);
	if (json_write(&body, report, NULL))
		abort();
	buf_addf(&text, "arkki-report/v1\n%s\n", key->name);
	add_digest(&text, body.data, body.len);
	add_digest(&text, point.data, point.len);
	add_digest(&text, point.data, point.len);
	if (note_sign(&note, text.data, text.len, key, seed, NULL))
		abort();
	sealed = json_pack("{s:O,s:{s:s,s:s},s:s}", "report", report, "checkpoints", "history",
	    point.data, "access", point.data, "note", note.data);
	buf_free(&body);
	buf_free(&text);
	buf_free(&note);
	buf_free(&point);
	return sealed;
}

static void signed_here(const char *text, size_t len)
{
	struct buf vkey = BUF_INIT;
	struct report_verdict v = {0};
	struct note_key key;
	json_t *report = NULL, *sealed, *again;
	const char *keys[1];

	if (json_read(text, len, &report, NULL) || !json_is_object(report)) {
		json_decref(report);
		return;
	}
	vkey_of("fuzz/history", &key, &vkey);
	keys[0] = vkey.data;
	sealed = sign(report, &key);
	if (!sealed)
		abort();
	/* a disclosure in it that is false is a fault of the report's, not of the signature's */
	if (!json_object_get(report, "documents") &&
	    report_check(sealed, keys, 1, &v, NULL) != ARK_OK)
		abort();
	again = json_deep_copy(sealed);
	if (!again || json_object_set_new(json_object_get(again, "report"), "fuzz", json_true()))
		abort();
	if (!json_equal(again, sealed) && report_check(again, keys, 1, &v, NULL) == ARK_OK)
		abort();
	json_decref(again);
	json_decref(sealed);
	json_decref(report);
	buf_free(&vkey);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text;

	if (!size)
		return 0;
	text = malloc(size);
	if (!text)
		abort();
	memcpy(text, data + 1, size - 1);
	text[size - 1] = '\0';
	if (data[0] == '1')
		signed_here(text, size - 1);
	else
		as_it_stands(text, size - 1);
	free(text);
	return 0;
}
