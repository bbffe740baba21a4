/* What a verification leaves behind: the entry that it works under, its summary, the result that lasts. */
#include <stdio.h>

#include "archive/verify_private.h"
#include "arkki/archive/verified.h"

/* Without a server the entries for this very work are written here. */
int verify_own_receipt(
    struct verify *v, const char *dir, const char *root_key, char token[256], struct ark_error *err)
{
	struct archive *a = NULL;
	struct receipt *receipt = NULL;
	uint64_t begun = 0;
	int rc = archive_open(dir, root_key, ARCHIVE_WRITE, NULL, NULL, &a, err);

	if (!rc && v->result)
		rc = verified_begin(a, v->full ? VERIFIED_FULL : VERIFIED_LIGHT, &begun, err);
	if (!rc)
		rc = archive_maintenance(a, "verify", "everything", &receipt, err);
	if (!rc) {
		snprintf(token, 256, "%s", receipt_token(receipt));
		if (v->result &&
		    json_object_set_new(v->result, "begun", json_integer((json_int_t)begun)))
			v->lost = true;
	}
	receipt_free(receipt);
	archive_close(a);
	return rc;
}

void verify_tell(struct verify *v)
{
	char line[400];

	snprintf(line, sizeof(line),
	    "%s: %llu faults; %llu commits, %llu versions, %llu renditions, %llu metadata "
	    "changes, %llu records, %llu destroyed, %llu objects, history %llu entries, access "
	    "%llu "
	    "entries",
	    v->full ? "verified in full" : "verified", (unsigned long long)v->faults,
	    (unsigned long long)v->commits, (unsigned long long)v->versions,
	    (unsigned long long)v->renditions, (unsigned long long)v->metadata,
	    (unsigned long long)v->records, (unsigned long long)v->destroyed,
	    (unsigned long long)v->objects, (unsigned long long)ledger_size(v->a->history),
	    (unsigned long long)ledger_size(v->a->access));
	v->summary(v->arg, line);
}

/* The heads are those that the check begins with: a log that says another one later says so to somebody who wrote this down. */
int verify_heads(struct verify *v, struct ark_error *err)
{
	int rc = v->result ? verified_head(v->result, "history", v->a->history, err) : ARK_OK;

	return v->result && !rc ? verified_head(v->result, "access", v->a->access, err) : rc;
}

int verify_result(struct verify *v, int rc, struct ark_error *err)
{
	const char *outcome = v->faults ? "faults" : rc ? "failed" : "whole";
	json_t *checked =
	    json_pack("{s:I,s:I,s:I,s:I,s:I,s:I,s:I}", "commits", (json_int_t)v->commits,
		"versions", (json_int_t)v->versions, "renditions", (json_int_t)v->renditions,
		"metadata", (json_int_t)v->metadata, "records", (json_int_t)v->records, "destroyed",
		(json_int_t)v->destroyed, "objects", (json_int_t)v->objects);
	int failed = v->lost || !checked;

	failed |= json_object_set_new(v->result, "checked", checked);
	failed |= json_object_set_new(v->result, "outcome", json_string(outcome));
	/* counted here, whatever was lost of the texts */
	failed |= json_object_set_new(v->result, "faults", json_integer((json_int_t)v->faults));
	if (rc && !v->faults)
		failed |= json_object_set_new(v->result, "why", json_string(err ? err->text : ""));
	return failed && !rc ? ark_fail(err, ARK_ENOMEM, "no memory for the result") : rc;
}
