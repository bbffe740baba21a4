/* Stored cosignatures, compared with the log and the policy. */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

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

/* A line of one of the policy's witnesses that does not hold. */
static bool false_line(const struct policy *p, const struct note *note)
{
	for (unsigned int i = 0; i < p->witnesses_len; i++)
		if (note_verify_cosignature(note, &p->witnesses[i].key, NULL, NULL) == ARK_ECORRUPT)
			return true;
	return false;
}

static bool policy_is_newer(const char *dir, const char *cosigned)
{
	char path[4096];
	struct stat policy, file;

	return !fs_path(path, NULL, "%s/witness.policy", dir) && stat(path, &policy) == 0 &&
	       stat(cosigned, &file) == 0 &&
	       (policy.st_mtim.tv_sec > file.st_mtim.tv_sec ||
		   (policy.st_mtim.tv_sec == file.st_mtim.tv_sec &&
		       policy.st_mtim.tv_nsec > file.st_mtim.tv_nsec));
}

static int check_note(struct ledger *l, const struct policy *p, bool policy_newer,
    const struct buf *text, struct note *note, struct ark_error *err)
{
	struct checkpoint c;
	int rc = note_parse(text->data ? text->data : "", text->len, note, err);

	if (!rc)
		rc = ledger_verify_note(l, note, err);
	if (!rc)
		rc = checkpoint_parse(note->text, note->text_len, l->origin, &c, err);
	if (!rc)
		rc = same_history(l, &c, err);
	/* no fault of the log's when the policy came later: it stays so until enough have signed anew */
	if (!rc && p && !policy_met(p, policy_cosigners(p, note)))
		rc = ark_fail(err,
		    policy_newer && !false_line(p, note) ? ARK_EREFUSED : ARK_ECORRUPT,
		    "its cosignatures are not what witness.policy asks for; or was that changed?");
	return rc;
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
			rc = check_note(
			    l, s.policy, policy_is_newer(archive_dir(a), path), &text, note, err);
		if (rc && err) {
			snprintf(what, sizeof(what), "%s%s/checkpoint.cosigned: %s",
			    rc == ARK_EREFUSED ? "note: " : "", l->origin, err->text);
			bad(arg, what);
			rc = rc == ARK_ENOMEM ? rc : rc == ARK_EREFUSED ? ARK_OK : ARK_ECORRUPT;
		}
	}
	witness_settings_free(&s);
	buf_free(&text);
	free(note);
	return rc;
}

static void note_cosigners(const struct policy *p, const struct note *note, struct witnessed *ret)
{
	for (unsigned int i = 0; i < p->witnesses_len && ret->by_len < WITNESSED_MAX; i++) {
		uint64_t time = 0;

		if (note_verify_cosignature(note, &p->witnesses[i].key, &time, NULL))
			continue;
		snprintf(ret->by[ret->by_len].name, WITNESSED_NAME, "%s", p->witnesses[i].name);
		ret->by[ret->by_len++].time_s = (int64_t)time;
	}
}

int witnesses_seen(
    struct archive *a, enum ledger_which which, struct witnessed *ret, struct ark_error *err)
{
	struct ledger *l = archive_ledger(a, which);
	struct witness_settings s = {0};
	struct note *note = malloc(sizeof(*note));
	struct buf text = BUF_INIT;
	struct checkpoint c = {0};
	int rc = note ? witness_settings_load(archive_dir(a), &s, err)
		      : ark_fail(err, ARK_ENOMEM, "no memory for a checkpoint");

	*ret = (struct witnessed){.policy = s.policy != NULL};
	if (!rc)
		rc = s.policy ? ledger_cosigned(l, &text, err)
			      : ark_fail(err, ARK_ENOTFOUND, "no witnesses are asked");
	if (!rc)
		rc = note_parse(text.data ? text.data : "", text.len, note, err);
	if (!rc)
		rc = ledger_verify_note(l, note, err);
	if (!rc)
		rc = checkpoint_parse(note->text, note->text_len, l->origin, &c, err);
	if (!rc)
		rc = same_history(l, &c, err);
	if (!rc && false_line(s.policy, note))
		rc = ark_fail(err, ARK_ECORRUPT, "a cosignature of a witness does not hold");
	if (!rc) {
		ret->size = c.size;
		ret->enough = policy_met(s.policy, policy_cosigners(s.policy, note));
		note_cosigners(s.policy, note, ret);
	}
	witness_settings_free(&s);
	buf_free(&text);
	free(note);
	return rc;
}
