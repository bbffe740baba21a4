/* log follow: one look at a log, or one every so many seconds. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "arkki/base/fs.h"
#include "arkki/base/text.h"
#include "tools/cli.h"
#include "tools/follow.h"

enum { WATCH_MAX = 86400 };

static void progress(uint64_t done, uint64_t of)
{
	cli_progress(NULL, "followed", done, of);
}

static void print_followed(const struct follow *f)
{
	struct buf root = BUF_INIT;

	base64_encode(&root, &f->to.root, sizeof(f->to.root));
	printf("verified %s: %llu entries, %llu of them new, root %s\n", f->keys[0].name,
	    (unsigned long long)f->to.size, (unsigned long long)(f->to.size - f->from.size),
	    root.data ? root.data : "");
	fflush(stdout);
	buf_free(&root);
}

/* True: a signal ended it. */
static bool pause_for(unsigned int seconds)
{
	const struct timespec wait = {.tv_sec = seconds};
	sigset_t ending;

	sigemptyset(&ending);
	sigaddset(&ending, SIGINT);
	sigaddset(&ending, SIGTERM);
	return sigtimedwait(&ending, NULL, &wait) > 0;
}

static int watch(
    struct follow *f, const struct follow_source *s, unsigned int seconds, struct ark_error *err)
{
	sigset_t ending;
	int rc;

	sigemptyset(&ending);
	sigaddset(&ending, SIGINT);
	sigaddset(&ending, SIGTERM);
	sigprocmask(SIG_BLOCK, &ending, NULL);
	do {
		rc = follow_log(f, s, err);
		if (!rc)
			print_followed(f);
		else if (rc != ARK_EIO) /* a log that does not answer is no liar yet */
			return rc;
		else
			fprintf(stderr, "arkki: %s; asking again in %u s\n", err->text, seconds);
	} while (!pause_for(seconds));
	return ARK_OK;
}

static bool seconds_of(const char *text, unsigned int *ret)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);

	*ret = (unsigned int)n;
	return *text >= '1' && *text <= '9' && !*end && n <= WATCH_MAX;
}

static int read_policy(const char *path, struct policy **ret, struct ark_error *err)
{
	struct buf text = BUF_INIT;
	int rc = fs_read_file(path, POLICY_TEXT_MAX, &text, err);

	if (!rc)
		rc = policy_parse(text.data ? text.data : "", text.len, ret, err);
	buf_free(&text);
	return rc;
}

int follow_keys(const struct cli *c, struct follow *f, struct ark_error *err)
{
	int rc = ARK_OK;

	for (int i = 0; !rc && i < c->said_len; i++) {
		if (strcmp(c->said[i].name, "--vkey") != 0)
			continue;
		if (f->keys_len == FOLLOW_KEYS_MAX)
			return ark_fail(
			    err, ARK_EINPUT, "at most %d keys can be given", FOLLOW_KEYS_MAX);
		rc = note_key_parse(c->said[i].value, &f->keys[f->keys_len], err);
		if (!rc && strcmp(f->keys[f->keys_len].name, f->keys[0].name) != 0)
			rc =
			    ark_fail(err, ARK_EINPUT, "the keys are of two logs: %.100s and %.100s",
				f->keys[0].name, f->keys[f->keys_len].name);
		f->keys_len++;
	}
	return rc;
}

int log_follow(const struct cli *c)
{
	struct follow f = {.state = c->state, .progress = progress};
	struct follow_source source = {0};
	struct policy *policy = NULL;
	unsigned int seconds = 0;
	struct ark_error err;
	int rc;

	if (c->words_len != 2 || !c->vkey || !c->state ||
	    (c->watch && !seconds_of(c->watch, &seconds)))
		return cli_usage(c->command);
	rc = follow_keys(c, &f, &err);
	if (!rc && c->witness_policy)
		rc = read_policy(c->witness_policy, &policy, &err);
	f.policy = policy;
	if (!rc)
		rc = follow_source_open(c->words[1], c->token, &source, &err);
	if (!rc && seconds)
		rc = watch(&f, &source, seconds, &err);
	else if (!rc && !(rc = follow_log(&f, &source, &err)))
		print_followed(&f);
	follow_source_close(&source);
	policy_free(policy);
	return rc ? cli_failed(&err) : CLI_OK;
}
