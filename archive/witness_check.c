/* Stored cosignatures, compared with the log and the policy. */
#include <stdlib.h>
#include <string.h>

#include "archive/ledger_private.h"
#include "archive/witness_ask.h"
#include "arkki/archive/witnesses.h"
#include "arkki/base/fs.h"

/* Is it a prefix of the newest checkpoint's tree? */
static int same_history(struct ledger *l, const struct checkpoint *old, struct ark_error *err)
{
	struct merkle_hash proof[MERKLE_PROOF_MAX];
	struct buf note = BUF_INIT;
	struct checkpoint now = {.size = 0};
	struct sha256 *sha = sha256_new();
	size_t n = 0;
	int rc = sha ? ledger_newest(l, &note, &now, err)
		     : ark_fail(err, ARK_ENOMEM, "no memory for a proof");

	if (!rc && old->size > now.size)
		rc = ark_fail(err, ARK_ECORRUPT, "it is ahead of the log: data was lost");
	if (!rc && old->size < now.size)
		rc = ledger_consistency(l, old->size, now.size, proof, &n, err);
	if (!rc && !(old->size == now.size ? memcmp(&old->root, &now.root, sizeof(now.root)) == 0
					   : merkle_consistency_valid(sha, old->size, now.size,
						 &old->root, &now.root, proof, n)))
		rc = ark_fail(err, ARK_ECORRUPT, "the log does not continue it");
	sha256_free(sha);
	buf_free(&note);
	return rc;
}

static int check_note(struct ledger *l, const struct policy *p, const struct buf *text,
    struct note *note, struct ark_error *err)
{
	struct checkpoint c;
	int rc = note_parse(text->data ? text->data : "", text->len, note, err);

	if (!rc)
		rc = ledger_verify_note(l, note, err);
	if (!rc)
		rc = checkpoint_parse(note->text, note->text_len, l->origin, &c, err);
	if (!rc && p && !policy_met(p, policy_cosigners(p, note)))
		rc = ark_fail(err, ARK_ECORRUPT,
		    "its cosignatures are not what witness.policy asks for; or was that changed?");
	return rc ? rc : same_history(l, &c, err);
}

int witnesses_check(struct archive *a, enum ledger_which which,
    void (*bad)(void *arg, const char *what), void *arg, struct ark_error *err)
{
	struct ledger *l = archive_ledger(a, which);
	struct witness_settings s = {0};
	struct note *note = malloc(sizeof(*note));
	struct buf text = BUF_INIT;
	char path[4096], what[700];
	int rc = note ? fs_path(path, err, "%s/checkpoint.cosigned", l->dir)
		      : ark_fail(err, ARK_ENOMEM, "no memory for a checkpoint");

	if (!rc && fs_exists(path)) {
		rc = witness_settings_load(archive_dir(a), &s, err);
		if (!rc)
			rc = fs_read_file(path, CHECKPOINT_MAX, &text, err);
		if (!rc)
			rc = check_note(l, s.policy, &text, note, err);
		if (rc && err) {
			snprintf(
			    what, sizeof(what), "%s/checkpoint.cosigned: %s", l->origin, err->text);
			bad(arg, what);
			rc = rc == ARK_ENOMEM ? rc : ARK_ECORRUPT;
		}
	}
	witness_settings_free(&s);
	buf_free(&text);
	free(note);
	return rc;
}
