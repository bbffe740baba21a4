#include "arkki/archive/report.h"

#include <stdlib.h>
#include <string.h>

#include "archive/checkpoint.h"
#include "arkki/archive/disclosure.h"
#include "arkki/archive/seal.h"
#include "arkki/base/json.h"
#include "arkki/base/text.h"

static void add_digest(struct buf *out, const char *text, size_t len)
{
	unsigned char digest[32];
	char hex[65];

	sha256_of(text, len, digest);
	hex_encode(hex, digest, sizeof(digest));
	buf_addf(out, "%s\n", hex);
}

/* The five lines that are signed. */
static int signed_text(const char *origin, const json_t *report, const char *history,
    const char *access, struct buf *out, struct ark_error *err)
{
	struct buf body = BUF_INIT;
	int rc = json_write(&body, report, err);

	if (!rc && buf_failed(&body))
		rc = ark_fail(err, ARK_ENOMEM, "no memory for a report");
	if (!rc) {
		buf_addf(out, REPORT_TITLE "\n%s\n", origin);
		add_digest(out, body.data, body.len);
		add_digest(out, history, strlen(history));
		add_digest(out, access, strlen(access));
		if (buf_failed(out))
			rc = ark_fail(err, ARK_ENOMEM, "no memory for a report");
	}
	buf_wipe_free(&body);
	return rc;
}

/* ---- signing ---- */

static int checkpoint_now(
    struct archive *a, enum ledger_which which, struct buf *out, struct ark_error *err)
{
	struct ledger *l = archive_ledger(a, which);
	int rc = ledger_publish(l, ledger_size(l), err);

	return rc ? rc : ledger_checkpoint(l, out, err);
}

int report_sign(struct archive *a, json_t *report, json_t **ret, struct ark_error *err)
{
	struct buf history = BUF_INIT, access = BUF_INIT, origin = BUF_INIT, text = BUF_INIT,
		   note = BUF_INIT;
	json_t *sealed = NULL;
	int rc = report ? ARK_OK : ark_fail(err, ARK_ENOMEM, "no memory for a report");

	if (!rc)
		rc = checkpoint_now(a, LEDGER_HISTORY, &history, err);
	if (!rc)
		rc = checkpoint_now(a, LEDGER_ACCESS, &access, err);
	if (rc)
		goto out;
	buf_addf(&origin, "%s/history", archive_origin(a));
	if (buf_failed(&origin))
		rc = ark_fail(err, ARK_ENOMEM, "no memory for a report");
	if (!rc)
		rc = signed_text(origin.data, report, history.data, access.data, &text, err);
	if (!rc)
		rc = ledger_sign_text(
		    archive_ledger(a, LEDGER_HISTORY), text.data, text.len, &note, err);
	if (rc)
		goto out;
	sealed = json_pack("{s:O,s:{s:s,s:s},s:s}", "report", report, "checkpoints", "history",
	    history.data, "access", access.data, "note", note.data);
	if (!sealed)
		rc = ark_fail(err, ARK_ENOMEM, "no memory for a report");
	else
		*ret = sealed;
out:
	json_decref(report);
	buf_free(&history);
	buf_free(&access);
	buf_free(&origin);
	buf_free(&text);
	buf_free(&note);
	return rc;
}

/* ---- checking ---- */

struct check {
	const json_t *report;
	const char *history, *access, *note;
	struct note *parsed; /* room for one at a time */
	struct report_verdict *verdict;
	struct ark_error *err;
};

static int read_members(struct check *k, const json_t *sealed)
{
	const json_t *checkpoints = json_object_get(sealed, "checkpoints");

	k->report = json_object_get(sealed, "report");
	k->history = json_text(checkpoints, "history");
	k->access = json_text(checkpoints, "access");
	k->note = json_text(sealed, "note");
	if (json_is_object(k->report) && k->history && k->access && k->note)
		return ARK_OK;
	return ark_fail(k->err, ARK_EINPUT, "not a report: report, checkpoints or note is missing");
}

/* ARK_ENOTFOUND when the key did not sign it. */
static int open_note(struct check *k, const char *text, const struct note_key *key)
{
	int rc = note_parse(text, strlen(text), k->parsed, k->err);

	return rc ? rc : note_verify(k->parsed, key, k->err);
}

static int check_checkpoint(
    struct check *k, const char *text, const struct note_key *key, uint64_t *ret_size)
{
	struct checkpoint c = {0};
	int rc = open_note(k, text, key);

	if (rc == ARK_ENOTFOUND)
		rc = ark_fail(
		    k->err, ARK_ECORRUPT, "a checkpoint of it is not signed by %.200s", key->name);
	if (!rc)
		rc = checkpoint_parse(k->parsed->text, k->parsed->text_len, key->name, &c, k->err);
	if (!rc)
		*ret_size = c.size;
	return rc;
}

static int check_history(struct check *k, const struct note_key *key)
{
	struct buf text = BUF_INIT;
	int rc = open_note(k, k->note, key);

	if (!rc)
		rc = signed_text(key->name, k->report, k->history, k->access, &text, k->err);
	if (!rc &&
	    (text.len != k->parsed->text_len || memcmp(text.data, k->parsed->text, text.len) != 0))
		rc = ark_fail(k->err, ARK_ECORRUPT,
		    "the report or a checkpoint in it is not what %.200s signed", key->name);
	buf_free(&text);
	return rc ? rc : check_checkpoint(k, k->history, key, &k->verdict->history_size);
}

static int check_disclosure(struct check *k, const json_t *disclosure, const char *vkey)
{
	struct buf text = BUF_INIT;
	struct disclosed d = {0};
	int rc;

	if (!disclosure)
		return ARK_OK;
	rc = json_write(&text, disclosure, k->err);
	if (!rc)
		rc = disclosure_check(text.data, text.len, vkey, &d, k->err);
	if (!rc)
		k->verdict->disclosures++;
	disclosed_free(&d);
	buf_free(&text);
	return rc;
}

static int check_all(struct check *k, const json_t *list, const char *vkey)
{
	json_t *entry;
	size_t i;

	json_array_foreach(list, i, entry)
	{
		int rc = check_disclosure(k, json_object_get(entry, "disclosure"), vkey);

		if (rc)
			return rc;
	}
	return ARK_OK;
}

/* Those of the log whose key it is. */
static int check_disclosures(struct check *k, const char *vkey, bool of_history)
{
	json_t *document;
	size_t i;
	int rc = ARK_OK;

	json_array_foreach(json_object_get(k->report, "documents"), i, document)
	{
		rc = check_all(
		    k, json_object_get(document, of_history ? "filings" : "entries"), vkey);
		if (!rc && !of_history)
			rc = check_disclosure(k, json_object_get(document, "last"), vkey);
		if (!rc && !of_history)
			rc = check_disclosure(k, json_object_get(document, "ownLast"), vkey);
		if (rc)
			return rc;
	}
	return ARK_OK;
}

static int check_access(struct check *k, const struct note_key *key, const char *vkey)
{
	int rc = check_checkpoint(k, k->access, key, &k->verdict->access_size);

	if (!rc)
		rc = check_disclosures(k, vkey, false);
	if (!rc)
		k->verdict->access = true;
	return rc;
}

static bool ends_with(const char *text, const char *tail)
{
	size_t n = strlen(text), m = strlen(tail);

	return n >= m && strcmp(text + n - m, tail) == 0;
}

static int check_keys(struct check *k, const char *const *vkeys, size_t n)
{
	bool history = false;
	struct note_key key;
	int rc = ARK_OK;

	for (size_t i = 0; !rc && i < n; i++) {
		rc = note_key_parse(vkeys[i], &key, k->err);
		if (rc)
			break;
		if (ends_with(key.name, "/access")) {
			rc = check_access(k, &key, vkeys[i]);
		} else {
			rc = check_history(k, &key);
			if (!rc)
				rc = check_disclosures(k, vkeys[i], true);
			history = history || !rc;
		}
	}
	if (!rc && !history)
		rc = ark_fail(k->err, ARK_ENOTFOUND,
		    "give the verifier key of the history log: it is the one that signs reports");
	return rc;
}

int report_check(const json_t *sealed, const char *const *vkeys, size_t vkeys_len,
    struct report_verdict *ret, struct ark_error *err)
{
	struct report_verdict verdict = {0};
	struct check k = {.verdict = &verdict, .err = err};
	int rc = read_members(&k, sealed);

	if (rc)
		return rc;
	k.parsed = malloc(sizeof(*k.parsed));
	rc = k.parsed ? check_keys(&k, vkeys, vkeys_len)
		      : ark_fail(err, ARK_ENOMEM, "no memory to check a report");
	free(k.parsed);
	if (!rc)
		*ret = verdict;
	return rc;
}
