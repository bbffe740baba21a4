/* The package of a document that another archive takes over: all of its versions, whole, with their history and
 * proofs; made by the export that everybody uses, but with the rights of the archive itself. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "api/disposer.h"
#include "api/exports.h"
#include "arkki/archive/records.h"
#include "arkki/base/clock.h"
#include "arkki/base/json.h"
#include "arkki/base/text.h"

static int job_new(
    struct app *app, const char *document, struct export_job **ret, struct ark_error *err)
{
	struct export_job *j = calloc(1, sizeof(*j));
	unsigned char id[16];

	if (!j)
		return ark_fail(err, ARK_ENOMEM, "no memory for a package");
	randombytes_buf(id, sizeof(id));
	hex_encode(j->id, id, sizeof(id));
	j->app = app;
	j->user = j->authentication = "operator";
	j->purpose = strdup("transfer");
	j->documents = json_pack("[s]", document);
	j->all_versions = j->transfer = true;
	j->kind = PACKAGE_ZIP;
	j->language = HTTP_FI;
	j->created_us = clock_now_us();
	j->state = EXPORT_RUNNING;
	j->holders = 1;
	if (!j->purpose || !j->documents) {
		export_free(j);
		return ark_fail(err, ARK_ENOMEM, "no memory for a package");
	}
	*ret = j;
	return ARK_OK;
}

static void keep_first(void *arg, const char *fault)
{
	char(*first)[200] = arg;

	if (!(*first)[0])
		snprintf(*first, sizeof(*first), "%.199s", fault);
}

/* As its receiver will: with the log's key alone. */
static int check(struct export_job *j, uint64_t versions, struct ark_error *err)
{
	struct buf vkey = BUF_INIT;
	struct package_verdict v = {0};
	char first[200] = "";
	int rc = export_log_key(j->app->archive, LEDGER_HISTORY, &vkey, err);
	const char *const vkeys[] = {vkey.data};

	if (!rc)
		rc = package_verify_own(j->package, vkeys, 1, keep_first, &first, &v, err);
	if (!rc && v.faults)
		rc = ark_fail(err, ARK_ECORRUPT, "the package is not good: %s", first);
	else if (!rc && (v.documents != 1 || v.versions < versions || v.files < versions))
		rc = ark_fail(err, ARK_ECORRUPT, "the package does not hold the whole document");
	buf_free(&vkey);
	return rc;
}

static int file(struct export_job *j, const char *document, uint32_t base,
    struct disposition_package *p, struct ark_error *err)
{
	const struct filing_actor operator= {.user = "operator", .authentication = "operator"};
	unsigned char sha[32];
	char hex[65];

	package_sha256(j->package, sha);
	hex_encode(hex, sha, sizeof(sha));
	p->sha256 = hex;
	p->export = j->id;
	p->size = package_size(j->package);
	return disposition_packaged(j->app->archive, document, base, p, &operator, err);
}

/* A hold, a withdrawal or a destruction came first. */
static bool is_waited_for(struct app *app, const char *document)
{
	struct registry *r = archive_registry(app->archive);
	json_t *p = disposition_proposal(r, document), *hold = disposition_hold(r, document);
	json_t *stone = disposition_tombstone(r, document);
	const char *state = json_text(p, "state"), *action = json_text(p, "action");
	bool waited = state && action && !hold && !stone && strcmp(action, "transfer") == 0 &&
		      (strcmp(state, "approved") == 0 || strcmp(state, "packaged") == 0);

	json_decref(p);
	json_decref(hold);
	json_decref(stone);
	return waited;
}

/* The numbers are read before anything is gathered: what is filed meanwhile makes the package too old, not incomplete. */
int transfer_make(struct app *app, const char *document, struct ark_error *err)
{
	struct disposition_package p = {0};
	struct export_job *j = NULL, tally = {0};
	struct desk *desk = NULL;
	uint32_t base = 0;
	int rc = records_number(app->archive, "disposals", document, &base, err);

	if (!rc && !is_waited_for(app, document))
		return ark_fail(err, ARK_ECONFLICT, "no package of the document is waited for");
	if (!rc)
		rc = archive_desk(app->archive, &desk, err);
	if (!rc)
		rc = catalogue_newest(desk->catalogue, document, &p.version, &p.metadata, err);
	archive_desk_return(app->archive, desk);
	if (!rc)
		rc = job_new(app, document, &j, err);
	if (!rc)
		rc = export_make(j, &j->package, &tally, err);
	if (!rc)
		rc = check(j, p.version, err);
	if (!rc)
		rc = file(j, document, base, &p, err);
	if (rc) {
		export_free(j);
		return rc;
	}
	export_done(j, &tally);
	exports_keep(j);
	return ARK_OK;
}
