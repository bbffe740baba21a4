/* log: the key of a log, and what an outsider does with it: follow (cmd_log_follow.c) and prove (cmd_log_prove.c). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arkki/archive/signing.h"
#include "arkki/base/clock.h"
#include "tools/cli.h"

static void print_time(int64_t time_us, const char *otherwise)
{
	char text[CLOCK_TEXT_SIZE];

	if (time_us)
		clock_format(text, time_us);
	printf(" %s", time_us ? text : otherwise);
}

/* VKEY FROM UNTIL, and whether it signs. */
static int print_key(const struct archive *a, enum keyring_signing which,
    const struct keyring_signer *s, bool span, struct ark_error *err)
{
	struct buf out = BUF_INIT;
	char origin[400];
	int rc;

	snprintf(origin, sizeof(origin), "%s/%s", archive_origin(a), signing_names[which]);
	rc = signing_public(which, origin, s->public_key, &out, err);
	if (!rc)
		printf("%.*s", (int)out.len, out.data);
	if (!rc && span) {
		print_time(s->from_us, "the-beginning");
		print_time(s->until_us, "now");
		printf(" %s", s->signs ? "signs" : "retired");
	}
	if (!rc)
		putchar('\n');
	buf_free(&out);
	return rc;
}

static int log_vkey(const struct cli *c)
{
	enum keyring_signing which =
	    c->words_len == 3 ? signing_by_name(c->words[2]) : SIGNING_NONE;
	struct keyring_signer *signers = NULL;
	struct archive *a = NULL;
	struct ark_error err;
	size_t n = 0;
	int rc;

	if (which != SIGNING_HISTORY && which != SIGNING_ACCESS)
		return cli_usage(c->command);
	rc = archive_open(c->words[1], c->root_key, ARCHIVE_READ, NULL, NULL, &a, &err);
	if (!rc) {
		signers = calloc(KEYRING_PAST_MAX + 1, sizeof(*signers));
		rc = signers ? ARK_OK : ark_fail(&err, ARK_ENOMEM, "no memory for keys");
	}
	if (!rc)
		n = keyring_signers(archive_keyring(a), which, signers);
	for (size_t i = 0; !rc && i < (c->all ? n : 1); i++)
		rc = print_key(a, which, &signers[i], c->all, &err);
	if (signers)
		explicit_bzero(signers, (KEYRING_PAST_MAX + 1) * sizeof(*signers));
	free(signers);
	archive_close(a);
	return rc ? cli_failed(&err) : CLI_OK;
}

int cmd_log(const struct cli *c)
{
	const char *verb = c->words_len ? c->words[0] : "";

	if (strcmp(verb, "vkey") == 0)
		return log_vkey(c);
	if (strcmp(verb, "follow") == 0)
		return log_follow(c);
	if (strcmp(verb, "prove") == 0)
		return log_prove(c);
	return cli_usage(c->command);
}
