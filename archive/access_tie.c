#include "archive/access_tie.h"

#include <stdlib.h>
#include <string.h>

#include "archive/ledger_private.h"
#include "arkki/base/json.h"
#include "arkki/base/text.h"

/* Entries without a tie are few: other items of a commit (filing.h bounds them), tokens, reviews. */
enum { LOOK_BACK_MAX = 4096 };

bool access_tie_now(struct archive *a, struct checkpoint *ret)
{
	struct buf note = BUF_INIT;
	int rc = ledger_newest(a->access, &note, ret, NULL);

	buf_free(&note);
	return !rc && ret->size > 0;
}

void access_tie_write(struct buf *out, const struct checkpoint *tie)
{
	char root[65];

	hex_encode(root, tie->root.bytes, sizeof(tie->root.bytes));
	buf_addf(
	    out, "\"access\":{\"size\":%llu,\"root\":\"%s\"}", (unsigned long long)tie->size, root);
}

bool access_tie_read(const struct ledger_entry *e, struct checkpoint *ret)
{
	const json_t *tie = json_object_get(json_object_get(e->a, "detail"), "access");
	json_int_t size = json_integer_value(json_object_get(tie, "size"));
	const char *root = json_text(tie, "root");

	if (size <= 0 || !root ||
	    !hex_decode(ret->root.bytes, sizeof(ret->root.bytes), root, strlen(root)))
		return false;
	ret->size = (uint64_t)size;
	return true;
}

/* ---- does it hold ---- */

static int grew_from(struct archive *a, const struct checkpoint *tie, const struct checkpoint *now,
    bool *ret, struct ark_error *err)
{
	struct merkle_hash proof[MERKLE_PROOF_MAX];
	struct sha256 *sha;
	size_t n = 0;
	int rc;

	if (tie->size == now->size) {
		*ret = memcmp(&tie->root, &now->root, sizeof(tie->root)) == 0;
		return ARK_OK;
	}
	rc = ledger_consistency(a->access, tie->size, now->size, proof, &n, err);
	if (rc)
		return rc;
	sha = sha256_new();
	if (!sha)
		return ark_fail(err, ARK_ENOMEM, "no memory for a proof");
	*ret =
	    merkle_consistency_valid(sha, tie->size, now->size, &tie->root, &now->root, proof, n);
	sha256_free(sha);
	return ARK_OK;
}

int access_tie_holds(struct archive *a, const struct checkpoint *tie, struct ark_error *err)
{
	uint64_t size = ledger_size(a->access);
	struct checkpoint now;
	bool same = true;
	int rc = ARK_OK;

	if (size < tie->size)
		return ark_fail(err, ARK_ECORRUPT,
		    "the access log has %llu entries, but the history log speaks of %llu of it",
		    (unsigned long long)size, (unsigned long long)tie->size);
	if (access_tie_now(a, &now) && tie->size <= now.size)
		rc = grew_from(a, tie, &now, &same, err);
	if (!rc && !same)
		rc = ark_fail(err, ARK_ECORRUPT,
		    "the first %llu entries of the access log are other ones than the history log "
		    "speaks of",
		    (unsigned long long)tie->size);
	return rc;
}

static int newest(struct archive *a, struct checkpoint *ret, bool *found, struct ark_error *err)
{
	uint64_t n = ledger_size(a->history);

	*found = false;
	for (unsigned int i = 0; !*found && i < LOOK_BACK_MAX && n-- > 0; i++) {
		struct ledger_entry e;
		int rc = ledger_get(a->history, n, &e, err);

		if (rc)
			return rc;
		*found = access_tie_read(&e, ret);
		ledger_entry_free(&e);
	}
	return ARK_OK;
}

int access_tie_check(struct archive *a, struct ark_error *err)
{
	struct checkpoint tie;
	bool found;
	char why[200];
	int rc = newest(a, &tie, &found, err);

	if (rc || !found)
		return rc;
	rc = access_tie_holds(a, &tie, err);
	if (rc == ARK_ECORRUPT) {
		snprintf(why, sizeof(why), "%.199s", err ? err->text : "");
		return ark_fail(err, rc,
		    "%s: no crash leaves that, an older copy of ledger/access was put back; put "
		    "back a newer one, or everything from one backup",
		    why);
	}
	if (!rc)
		atomic_store(&a->tied, tie.size);
	return rc;
}

/* ---- a tie of its own ---- */

int access_tie_log(struct archive *a, struct ark_error *err)
{
	struct ledger_record record = {.kind = "access-log", .principal = "system"};
	struct buf detail = BUF_INIT;
	struct checkpoint now;
	int rc;

	if (!access_tie_now(a, &now) || now.size <= atomic_load(&a->tied))
		return ARK_OK;
	buf_addc(&detail, '{');
	access_tie_write(&detail, &now);
	buf_addc(&detail, '}');
	record.detail = detail.data;
	rc = buf_failed(&detail) ? ark_fail(err, ARK_ENOMEM, "no memory for a log entry")
				 : ledger_append_wait(a->history, &record, 1, NULL, err);
	if (!rc)
		atomic_store(&a->tied, now.size);
	buf_free(&detail);
	return rc;
}
