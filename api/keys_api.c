/* GET and POST /admin/keys: the keys, their backups and shares, for the operator on the admin socket.
 *
 * What is asked for is {"action"}: "rotate"; "rotate-signing" and "retire-signing" with "key" (history, access, git); "backup-add" with "name" and "path"; "backup-remove" with "name" and
 * "abandon"; "backup-run"; "split" with "needed" and "shares" (only noted here: the shares are made by the command,
 * so that they never pass through the server). All of it may take long: it has its own thread. */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/handlers.h"
#include "api/job.h"
#include "arkki/archive/key_backups.h"
#include "arkki/archive/key_shares.h"
#include "arkki/archive/signing.h"
#include "arkki/base/clock.h"
#include "arkki/base/json.h"

struct keys_job {
	struct app *app;
	json_t *asked, *answer;
	int status;
	struct ark_error error;
};

static void keys_free(void *arg)
{
	struct keys_job *j = arg;

	json_decref(j->asked);
	json_decref(j->answer);
	free(j);
}

/* One durable entry of the history log; takes the detail over. */
static int log_keys(struct app *app, const char *kind, json_t *detail, struct ark_error *err)
{
	struct buf text = BUF_INIT;
	struct ledger_record r = {
	    .kind = kind, .principal = "operator", .authentication = "operator"};
	int rc = detail ? json_write(&text, detail, err)
			: ark_fail(err, ARK_ENOMEM, "no memory for a log entry");

	r.detail = text.data;
	if (!rc)
		rc = ledger_append_wait(
		    archive_ledger(app->archive, LEDGER_HISTORY), &r, 1, NULL, err);
	buf_free(&text);
	json_decref(detail);
	return rc;
}

static int answer_state(struct app *app, json_t **ret, struct ark_error *err)
{
	struct keyring *keys = archive_keyring(app->archive);
	const char *dir = archive_dir(app->archive);
	json_t *backups = NULL;
	uint32_t shares = 0;
	int rc = key_backups_list(dir, &backups, err);

	if (!rc)
		rc = key_shares_epoch(dir, &shares, err);
	if (rc) {
		json_decref(backups);
		return rc;
	}
	*ret = json_pack("{s:s,s:I,s:I,s:I,s:o}", "origin", archive_origin(app->archive), "epoch",
	    (json_int_t)keyring_epoch(keys), "slots", (json_int_t)keyring_slots(keys),
	    "sharesEpoch", (json_int_t)shares, "backups", backups);
	return *ret ? ARK_OK : ark_fail(err, ARK_ENOMEM, "no memory for an answer");
}

/* The log knows before and after: an epoch that begins without its end was cut, and finished or taken back at the next
 * start. */
static int rotate(struct keys_job *j, struct ark_error *err)
{
	struct keyring *keys = archive_keyring(j->app->archive);
	json_int_t next = (json_int_t)keyring_epoch(keys) + 1;
	json_t *confirmed = NULL;
	int rc =
	    log_keys(j->app, "epoch", json_pack("{s:I,s:s}", "epoch", next, "state", "begun"), err);

	if (!rc)
		rc = key_backups_change(
		    keys, archive_dir(j->app->archive), NULL, 0, &confirmed, err);
	if (!rc)
		rc = log_keys(j->app, "epoch",
		    json_pack("{s:I,s:s,s:o}", "epoch", next, "state", "in force", "confirmed",
			confirmed),
		    err);
	return rc;
}

/* "name+hash+base64" of a log, "ssh-ed25519 AAAA…" of git. */
static json_t *public_text(
    const struct app *app, enum keyring_signing which, const struct keyring_signer *s)
{
	struct buf text = BUF_INIT;
	char origin[300];
	json_t *out = NULL;

	snprintf(
	    origin, sizeof(origin), "%s/%s", archive_origin(app->archive), signing_names[which]);
	if (!signing_public(which, origin, s->public_key, &text, NULL))
		out = json_stringn(text.data, text.len);
	buf_free(&text);
	return out;
}

/* What the history log tells followers: the key that is new, the one before, and until when that goes on. */
static json_t *signing_detail(struct app *app, enum keyring_signing which, json_t *confirmed)
{
	struct keyring *keys = archive_keyring(app->archive);
	struct keyring_signer *s = sodium_allocarray(KEYRING_PAST_MAX + 1, sizeof(*s));
	size_t n = s ? keyring_signers(keys, which, s) : 0;
	char until[CLOCK_TEXT_SIZE];
	json_t *d = NULL;

	if (n)
		d = json_pack("{s:I,s:s,s:s,s:o?,s:o?,s:O?}", "epoch",
		    (json_int_t)keyring_epoch(keys), "state", "in force", "signing",
		    signing_names[which], "key", public_text(app, which, &s[0]), "previous",
		    n > 1 ? public_text(app, which, &s[1]) : json_null(), "confirmed", confirmed);
	if (d && n > 1 && s[1].signs) {
		clock_format(until, s[1].until_us + SIGNING_OVERLAP_US);
		json_object_set_new(d, "previousSignsUntil", json_string(until));
	}
	sodium_free(s);
	json_decref(confirmed);
	return d;
}

static int change_signing(struct keys_job *j, bool retire, struct ark_error *err)
{
	struct keyring *keys = archive_keyring(j->app->archive);
	const char *key = json_text(j->asked, "key");
	enum keyring_signing which = signing_by_name(key);
	json_int_t next = (json_int_t)keyring_epoch(keys) + 1;
	json_t *confirmed = NULL;
	int rc;

	if (!which)
		return ark_fail(err, ARK_EINPUT, "key must be history, access or git");
	rc = log_keys(j->app, "epoch",
	    json_pack("{s:I,s:s,s:s}", "epoch", next, "state", "begun", "signing", key), err);
	if (!rc)
		rc = key_backups_change_signing(keys, archive_dir(j->app->archive),
		    retire ? SIGNING_NONE : which, retire ? which : SIGNING_NONE, &confirmed, err);
	if (!rc)
		rc = archive_rekey(j->app->archive, err);
	if (!rc)
		return log_keys(j->app, "epoch", signing_detail(j->app, which, confirmed), err);
	json_decref(confirmed);
	return rc;
}

static int backup(struct keys_job *j, const char *action, struct ark_error *err)
{
	struct keyring *keys = archive_keyring(j->app->archive);
	const char *dir = archive_dir(j->app->archive), *name = json_text(j->asked, "name");
	const char *path = json_text(j->asked, "path");
	int rc;

	if (strcmp(action, "backup-run") == 0)
		return key_backups_run(keys, dir, NULL, err);
	if (!name || (strcmp(action, "backup-add") == 0 && !path))
		return ark_fail(err, ARK_EINPUT, "name or path is missing");
	rc = log_keys(
	    j->app, "key-backup", json_pack("{s:s,s:s}", "action", action + 7, "name", name), err);
	if (rc)
		return rc;
	if (strcmp(action, "backup-remove") == 0)
		return key_backups_remove(
		    keys, dir, name, json_is_true(json_object_get(j->asked, "abandon")), err);
	rc = key_backups_add(keys, dir, name, path, err);
	return rc ? rc : key_backups_run(keys, dir, NULL, err);
}

static int split(struct keys_job *j, struct ark_error *err)
{
	uint32_t epoch = keyring_epoch(archive_keyring(j->app->archive));
	json_int_t needed = json_integer_value(json_object_get(j->asked, "needed"));
	json_int_t shares = json_integer_value(json_object_get(j->asked, "shares"));
	int rc;

	if (needed < 2 || needed > shares || shares > SLIP39_SHARES_MAX)
		return ark_fail(err, ARK_EINPUT, "shares are made 2-of-2 up to 16-of-16");
	rc = log_keys(j->app, "key-shares",
	    json_pack(
		"{s:I,s:I,s:I}", "epoch", (json_int_t)epoch, "needed", needed, "shares", shares),
	    err);
	return rc ? rc
		  : key_shares_note(archive_dir(j->app->archive), epoch, (unsigned int)needed,
			(unsigned int)shares, err);
}

static void keys_work(void *arg)
{
	struct keys_job *j = arg;
	const char *action = json_text(j->asked, "action");

	if (action && strcmp(action, "rotate") == 0)
		j->status = rotate(j, &j->error);
	else if (action && strcmp(action, "rotate-signing") == 0)
		j->status = change_signing(j, false, &j->error);
	else if (action && strcmp(action, "retire-signing") == 0)
		j->status = change_signing(j, true, &j->error);
	else if (action && strcmp(action, "split") == 0)
		j->status = split(j, &j->error);
	else if (action && strncmp(action, "backup-", 7) == 0)
		j->status = backup(j, action, &j->error);
	else
		j->status = ark_fail(&j->error, ARK_EINPUT, "there is no such action");
	if (!j->status)
		j->status = answer_state(j->app, &j->answer, &j->error);
}

static unsigned int http_status(int status)
{
	switch (status) {
	case ARK_EINPUT:
		return 422;
	case ARK_ENOTFOUND:
		return 404;
	case ARK_ECONFLICT:
		return 409;
	case ARK_EREFUSED:
		return 403;
	default:
		return 503;
	}
}

static void keys_answer(struct exchange *x)
{
	const struct keys_job *j = job_arg(x);

	if (j->status) /* with its text: it is the operator who asks */
		http_reply_problem(x, http_status(j->status), "keys", j->error.text, NULL);
	else
		http_reply_json(x, 200, json_incref(j->answer));
}

void admin_keys_post(struct exchange *x)
{
	struct visit *v = visit_of(x);
	struct keys_job *j;
	struct ark_error err;
	size_t len;
	const char *body = http_body(x, &len);

	if (!v)
		return;
	j = calloc(1, sizeof(*j));
	if (!j) {
		http_reply_problem(x, 503, "out-of-memory", NULL, NULL);
		return;
	}
	j->app = v->app;
	if (!json_read(body, len, &j->asked, &err)) {
		(void)job_begin(x, j, keys_free, keys_work, keys_answer);
		return;
	}
	http_reply_problem(x, 400, "bad-json", err.text, NULL);
	keys_free(j);
}

void admin_keys_get(struct exchange *x)
{
	struct ark_error err;
	json_t *answer = NULL;

	if (answer_state(app_of(x), &answer, &err))
		http_reply_error(x, &err);
	else
		http_reply_json(x, 200, answer);
}
