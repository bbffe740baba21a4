#include "archive/witness_ask.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "arkki/archive/witnesses.h"
#include "arkki/base/fs.h"

enum { ASK_TIMEOUT_MS = 4000, NOTE_FILE_MAX = 64 * 1024 };

/* ---- settings ---- */

static int require_class(struct witness_settings *s, const char *class, struct ark_error *err)
{
	if (strcmp(class, "secret") == 0)
		s->require_secret = true;
	else if (strcmp(class, "partly-secret") == 0)
		s->require_partly = true;
	else if (strcmp(class, "public") == 0)
		s->require_public = true;
	else
		return ark_fail(err, ARK_EINPUT,
		    "arkki.conf: require-cosigned %.40s: the classes are public, partly-secret and "
		    "secret",
		    class);
	return ARK_OK;
}

static int load_required(struct witness_settings *s, char *conf, struct ark_error *err)
{
	static const char word[] = "require-cosigned ";
	char *save = NULL, *inner = NULL;
	int rc = ARK_OK;

	for (char *line = strtok_r(conf, "\n", &save); !rc && line;
	     line = strtok_r(NULL, "\n", &save)) {
		if (strncmp(line, word, strlen(word)) != 0)
			continue;
		for (char *c = strtok_r(line + strlen(word), " \t", &inner); !rc && c;
		     c = strtok_r(NULL, " \t", &inner))
			rc = require_class(s, c, err);
	}
	return rc;
}

int witness_settings_load(const char *dir, struct witness_settings *ret, struct ark_error *err)
{
	struct witness_settings s = {0};
	struct buf text = BUF_INIT;
	char path[4096];
	int rc = fs_path(path, err, "%s/arkki.conf", dir);

	if (!rc)
		rc = fs_read_file(path, 65536, &text, err);
	if (!rc && text.data)
		rc = load_required(&s, text.data, err);
	buf_clear(&text);
	if (!rc)
		rc = fs_path(path, err, "%s/witness.policy", dir);
	if (!rc && fs_exists(path)) {
		rc = fs_read_file(path, POLICY_TEXT_MAX, &text, err);
		if (!rc)
			rc = policy_parse(text.data ? text.data : "", text.len, &s.policy, err);
		if (rc)
			ark_fail_within(err, rc, "%s", path);
	}
	if (!rc && (s.require_secret || s.require_partly || s.require_public) &&
	    !(s.policy && s.policy->quorum))
		rc = ark_fail(err, ARK_EINPUT,
		    "arkki.conf has require-cosigned, but %s/witness.policy names no quorum", dir);
	buf_free(&text);
	if (rc) {
		witness_settings_free(&s);
		return rc;
	}
	*ret = s;
	return ARK_OK;
}

void witness_settings_free(struct witness_settings *s)
{
	policy_free(s->policy);
	*s = (struct witness_settings){0};
}

/* ---- one submission ---- */

/* The answer behind the checkpoint is a note: ours to verify with the one key that we trust. Only
 * the line that holds is kept. */
static bool take_cosignature(
    const struct note_key *key, const struct buf *note, const struct buf *answer, struct buf *line)
{
	struct note *parsed = malloc(sizeof(*parsed));
	const char *rest = answer->data, *at;
	size_t left = answer->len, n, text_len;
	struct buf one = BUF_INIT;
	bool taken = false;

	if (parsed && note_parse(note->data, note->len, parsed, NULL) == ARK_OK) {
		text_len = parsed->text_len;
		while (!taken && note_line(&rest, &left, &at, &n)) {
			buf_clear(&one);
			buf_add(&one, note->data, text_len + 1);
			buf_add(&one, at, n);
			buf_addc(&one, '\n');
			taken = !buf_failed(&one) &&
				note_parse(one.data, one.len, parsed, NULL) == ARK_OK &&
				note_verify_cosignature(parsed, key, NULL, NULL) == ARK_OK;
		}
		buf_clear(line);
		if (taken)
			buf_add(line, one.data + text_len + 1, one.len - text_len - 1);
		taken = taken && !buf_failed(line);
	}
	buf_free(&one);
	free(parsed);
	return taken;
}

static void judge_conflict(uint64_t old_size, const struct checkpoint *c, const struct buf *answer,
    struct witness_said *ret, struct ark_error *err)
{
	size_t n = answer->len;

	if (n && answer->data[n - 1] == '\n')
		n--;
	if (!note_decimal(answer->data, n, &ret->seen) || ret->seen > INT64_MAX) {
		ret->word = WITNESS_FAILED;
		ark_fail(err, ARK_EIO, "its answer 409 holds no size");
	} else if (ret->seen > c->size) {
		ret->word = WITNESS_AHEAD;
	} else if (ret->seen == old_size && old_size == c->size) {
		ret->word = WITNESS_DISAGREES;
	} else if (ret->seen == old_size) {
		ret->word = WITNESS_FAILED;
		ark_fail(err, ARK_EIO, "it refuses the size that it names itself");
	} else {
		ret->word = WITNESS_BEHIND;
	}
}

void witness_offer(struct witness_link *k, const struct note_key *key, uint64_t old_size,
    const struct merkle_hash *proof, size_t proof_len, const struct checkpoint *c,
    const struct buf *note, long timeout_ms, struct witness_said *ret, struct ark_error *err)
{
	struct buf body = BUF_INIT, answer = BUF_INIT;
	long status = 0;
	int rc =
	    witness_request_format(&body, old_size, proof, proof_len, note->data, note->len, err);

	ret->word = WITNESS_FAILED;
	if (!rc)
		rc = witness_link_post(k, &body, timeout_ms, &status, &answer, err);
	if (rc) {
		/* err says it */
	} else if (status == 200) {
		ret->word = take_cosignature(key, note, &answer, &ret->line) ? WITNESS_COSIGNED
									     : WITNESS_FALSE;
		if (ret->word == WITNESS_FALSE)
			ark_fail(err, ARK_EIO, "its answer holds no cosignature of its key");
	} else if (status == 409) {
		judge_conflict(old_size, c, &answer, ret, err);
	} else if (status == 422) {
		ret->word = WITNESS_DISAGREES;
		ret->seen = old_size;
	} else if (status == 404) {
		ark_fail(err, ARK_EIO, "it does not know this log: `arkki witness DIR add-log`");
	} else {
		ark_fail(err, ARK_EIO, "it answered %ld", status);
	}
	buf_free(&body);
	buf_free(&answer);
}

int witness_stop_text(struct ark_error *err, const char *witness, const char *origin,
    const struct witness_said *said, uint64_t size)
{
	if (said->word == WITNESS_AHEAD)
		return ark_fail(err, ARK_EREFUSED,
		    "the witness %.60s has seen %llu entries of %.80s and there are %llu: data was "
		    "lost; "
		    "restore a newer backup. Refusing to sign another history. Only when no copy "
		    "of "
		    "the lost entries is left, begin a new archive with another origin and import "
		    "this one; if the witness is at fault, take it out of witness.policy",
		    witness, (unsigned long long)said->seen, origin, (unsigned long long)size);
	return ark_fail(err, ARK_EREFUSED,
	    "the witness %.60s has seen another %.80s of %llu entries than this one: the archive "
	    "went "
	    "on from an old copy, or twice. Refusing to sign. Restore the copy that was witnessed; "
	    "if the witness is at fault, take it out of witness.policy",
	    witness, origin, (unsigned long long)said->seen);
}

/* ---- at start ---- */

struct asking {
	const struct policy_party *witness;
	const struct buf *notes; /* two */
	const struct checkpoint *checkpoints;
	const char *const *origins;
	pthread_t thread;
	bool runs, stop, silent;
	struct ark_error err;
};

static void *ask_one(void *arg)
{
	struct asking *q = arg;
	struct witness_said said = {0};
	struct witness_link *k = NULL;

	q->silent = witness_link_new(q->witness->url, NULL, &k, &q->err) != ARK_OK;
	for (int i = 0; !q->silent && !q->stop && i < 2; i++) {
		const struct checkpoint *c = &q->checkpoints[i];

		/* as if it had seen just this one: any other size comes back in its 409 */
		witness_offer(k, &q->witness->key, c->size, NULL, 0, c, &q->notes[i],
		    ASK_TIMEOUT_MS, &said, &q->err);
		q->stop = said.word == WITNESS_AHEAD || said.word == WITNESS_DISAGREES;
		q->silent = said.word == WITNESS_FAILED || said.word == WITNESS_FALSE;
		if (q->stop)
			witness_stop_text(&q->err, q->witness->name, q->origins[i], &said, c->size);
	}
	witness_link_free(k);
	buf_free(&said.line);
	return NULL;
}

static int load_note(const char *dir, const char *which, const char *origin, struct buf *note,
    struct checkpoint *ret, struct ark_error *err)
{
	struct note *parsed = malloc(sizeof(*parsed));
	char path[4096];
	int rc = parsed ? fs_path(path, err, "%s/ledger/%s/checkpoint", dir, which)
			: ark_fail(err, ARK_ENOMEM, "no memory for a checkpoint");

	if (!rc)
		rc = fs_read_file(path, NOTE_FILE_MAX, note, err);
	if (!rc)
		rc = note_parse(note->data ? note->data : "", note->len, parsed, err);
	if (!rc)
		rc = checkpoint_parse(parsed->text, parsed->text_len, origin, ret, err);
	free(parsed);
	return rc;
}

static int ask_all(struct asking *all, const struct policy *p,
    void (*warn)(void *arg, const char *what), void *arg, struct ark_error *err)
{
	char what[700];
	int rc = ARK_OK;

	for (unsigned int i = 0; i < p->witnesses_len; i++)
		all[i].runs = all[i].witness->url &&
			      pthread_create(&all[i].thread, NULL, ask_one, &all[i]) == 0;
	for (unsigned int i = 0; i < p->witnesses_len; i++) {
		if (all[i].runs)
			pthread_join(all[i].thread, NULL);
		if (all[i].stop && !rc)
			rc = ark_fail(err, ARK_EREFUSED, "%s", all[i].err.text);
		if (!all[i].silent || !warn)
			continue;
		snprintf(what, sizeof(what), "the witness %.60s could not be asked: %s",
		    all[i].witness->name, all[i].err.text);
		warn(arg, what);
	}
	return rc;
}

int witnesses_ask(const char *dir, const char *origin, void (*warn)(void *arg, const char *what),
    void *arg, struct ark_error *err)
{
	static const char *const which[] = {"history", "access"};
	struct witness_settings s = {0};
	struct buf notes[2] = {BUF_INIT, BUF_INIT};
	struct checkpoint checkpoints[2];
	char names[2][300];
	const char *const origins[2] = {names[0], names[1]};
	struct asking *all = NULL;
	int rc = witness_settings_load(dir, &s, err);

	if (rc || !s.policy)
		goto out;
	for (int i = 0; !rc && i < 2; i++) {
		snprintf(names[i], sizeof(names[i]), "%s/%s", origin, which[i]);
		/* what is wrong with it is for the log itself to say when it is opened */
		if (load_note(dir, which[i], names[i], &notes[i], &checkpoints[i], NULL))
			goto out;
	}
	all = calloc(POLICY_EACH_MAX, sizeof(*all));
	if (!all) {
		rc = ark_fail(err, ARK_ENOMEM, "no memory to ask the witnesses");
		goto out;
	}
	for (unsigned int i = 0; i < s.policy->witnesses_len; i++)
		all[i] = (struct asking){.witness = &s.policy->witnesses[i],
		    .notes = notes,
		    .checkpoints = checkpoints,
		    .origins = origins};
	rc = ask_all(all, s.policy, warn, arg, err);
out:
	free(all);
	buf_free(&notes[0]);
	buf_free(&notes[1]);
	witness_settings_free(&s);
	return rc;
}
