/* A disclosure, checked with nothing but the log's verifier key. */
#include <stdlib.h>
#include <string.h>

#include "archive/checkpoint.h"
#include "archive/ledger_record.h"
#include "arkki/archive/disclosure.h"
#include "arkki/base/json.h"
#include "arkki/base/text.h"

static int malformed(struct ark_error *err, const char *what)
{
	return ark_fail(err, ARK_EINPUT, "not a disclosure: %s", what);
}

static bool hex_member(const json_t *object, const char *key, unsigned char out[32])
{
	const char *text = json_text(object, key);

	return text && hex_decode(out, 32, text, strlen(text));
}

/* The commitment of one part; *ret is its JSON where it is disclosed. */
static int check_part(struct sha256 *sha, char letter, const json_t *part, unsigned char out[32],
    json_t **ret, struct ark_error *err)
{
	const char *json = json_text(part, "json");
	bool hidden = json_object_get(part, "commitment") != NULL;
	unsigned char salt[32];
	int rc;

	if (!json_is_object(part) ||
	    hidden == (json_object_get(part, "json") || json_object_get(part, "salt")))
		return malformed(
		    err, "a part has either a salt and its JSON text, or a commitment");
	if (hidden)
		return hex_member(part, "commitment", out)
			   ? ARK_OK
			   : malformed(err, "a commitment is not 64 hex digits");
	if (!json || !hex_member(part, "salt", salt))
		return malformed(err, "a part lacks its JSON text or a salt of 64 hex digits");
	record_commit_part(sha, letter, salt, json, strlen(json), out);
	rc = json_read(json, strlen(json), ret, err);
	if (!rc && !json_is_object(*ret) && !(letter == 'C' && json_is_null(*ret)))
		rc = malformed(err, "a part is not a JSON object");
	return rc;
}

static int check_parts(struct sha256 *sha, const json_t *parts, struct disclosed *d,
    struct merkle_hash *ret_leaf, struct ark_error *err)
{
	json_t **const to[3] = {&d->a, &d->b, &d->c};
	unsigned char commitments[96];
	int rc = ARK_OK;

	for (int i = 0; !rc && i < 3; i++) {
		const char name[2] = {(char)('A' + i), '\0'};

		rc = check_part(
		    sha, name[0], json_object_get(parts, name), commitments + 32 * i, to[i], err);
	}
	if (rc)
		return rc;
	record_commit_entry(sha, commitments, d->entry);
	merkle_leaf(sha, d->entry, sizeof(d->entry), ret_leaf);
	return ARK_OK;
}

/* The checkpoint that a proof ends with, signed by the key of a log of this name. */
static int check_note(const struct tlog_proof *proof, const struct note_key *key,
    struct checkpoint *ret, struct ark_error *err)
{
	struct note *note = malloc(sizeof(*note));
	int rc = note ? note_parse(proof->checkpoint, proof->checkpoint_len, note, err)
		      : ark_fail(err, ARK_ENOMEM, "no memory for a checkpoint");

	if (!rc) {
		rc = note_verify(note, key, err);
		if (rc == ARK_ENOTFOUND)
			rc = ark_fail(err, ARK_ECORRUPT,
			    "the checkpoint of the proof is not signed by %s", key->name);
	}
	if (!rc)
		rc = checkpoint_parse(note->text, note->text_len, key->name, ret, err);
	free(note);
	return rc;
}

static int check_proof(struct sha256 *sha, const char *text, size_t len, const struct note_key *key,
    const struct merkle_hash *leaf, struct disclosed *d, struct ark_error *err)
{
	struct tlog_proof *proof = malloc(sizeof(*proof));
	struct checkpoint c;
	int rc = proof ? tlog_proof_parse(text, len, proof, err)
		       : ark_fail(err, ARK_ENOMEM, "no memory for a proof");

	if (rc)
		goto out;
	if (proof->index != d->index)
		rc = ark_fail(err, ARK_ECORRUPT, "the proof is of entry %llu, not of entry %llu",
		    (unsigned long long)proof->index, (unsigned long long)d->index);
	if (!rc)
		rc = check_note(proof, key, &c, err);
	if (!rc && !merkle_inclusion_valid(
		       sha, d->index, c.size, leaf, proof->hashes, proof->hashes_len, &c.root))
		rc = ark_fail(err, ARK_ECORRUPT,
		    "the proof does not lead from these parts at entry %llu to the tree of %llu "
		    "entries that %s signed",
		    (unsigned long long)d->index, (unsigned long long)c.size, key->name);
	if (!rc)
		d->tree_size = c.size;
	buf_free(&proof->extra);
out:
	free(proof);
	return rc;
}

static int check_members(const json_t *root, const struct note_key *key, struct disclosed *d,
    const char **ret_proof, struct ark_error *err)
{
	const char *log = json_text(root, "log");
	const json_t *index = json_object_get(root, "index");

	*ret_proof = json_text(root, "proof");
	if (!log || !json_is_integer(index) || json_integer_value(index) < 0 || !*ret_proof ||
	    !json_is_object(json_object_get(root, "parts")))
		return malformed(err, "log, index, parts or proof is missing or malformed");
	if (strcmp(log, key->name) != 0)
		return ark_fail(err, ARK_ECORRUPT, "it is of the log %.200s, the key is of %.200s",
		    log, key->name);
	memcpy(d->origin, key->name, strlen(key->name) + 1);
	d->index = (uint64_t)json_integer_value(index);
	return ARK_OK;
}

int disclosure_check(
    const char *text, size_t len, const char *vkey, struct disclosed *ret, struct ark_error *err)
{
	struct sha256 *sha = sha256_new();
	struct disclosed d = {0};
	const char *proof = NULL;
	struct merkle_hash leaf;
	struct note_key key;
	json_t *root = NULL;
	int rc = sha ? ARK_OK : ark_fail(err, ARK_ENOMEM, "no memory to check a disclosure");

	if (!rc && len > DISCLOSURE_MAX)
		rc = ark_fail(err, ARK_EINPUT, "a disclosure has at most %d bytes", DISCLOSURE_MAX);
	if (!rc)
		rc = note_key_parse(vkey, &key, err);
	if (!rc)
		rc = json_read(text, len, &root, err);
	if (!rc)
		rc = check_members(root, &key, &d, &proof, err);
	if (!rc)
		rc = check_parts(sha, json_object_get(root, "parts"), &d, &leaf, err);
	if (!rc)
		rc = check_proof(sha, proof, strlen(proof), &key, &leaf, &d, err);
	if (!rc)
		*ret = d;
	else
		disclosed_free(&d);
	json_decref(root);
	sha256_free(sha);
	return rc;
}

void disclosed_free(struct disclosed *d)
{
	json_decref(d->a);
	json_decref(d->b);
	json_decref(d->c);
	d->a = d->b = d->c = NULL;
}
