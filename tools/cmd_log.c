/* log: the key of a log, and what an outsider does with it: follow (cmd_log_follow.c) and prove (cmd_log_prove.c). */
#include <stdio.h>
#include <string.h>

#include "tools/cli.h"

static int log_vkey(const struct cli *c)
{
	struct keyring *keys = NULL;
	struct archive *a = NULL;
	struct buf out = BUF_INIT;
	struct ark_error err;
	char name[400];
	bool history;
	int rc;

	if (c->words_len != 3 ||
	    (strcmp(c->words[2], "history") != 0 && strcmp(c->words[2], "access") != 0))
		return cli_usage(c->command);
	history = strcmp(c->words[2], "history") == 0;
	rc = archive_open(c->words[1], c->root_key, ARCHIVE_READ, NULL, NULL, &a, &err);
	if (!rc) {
		keys = archive_keyring(a);
		snprintf(name, sizeof(name), "%s/%s", archive_origin(a), c->words[2]);
		rc = ledger_vkey(name,
		    history ? keyring_secrets(keys)->history_seed
			    : keyring_secrets(keys)->access_seed,
		    &out, &err);
	}
	if (!rc)
		printf("%s\n", out.data);
	buf_free(&out);
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
