/* repair: what is damaged is put back from a copy, then everything is verified. */
#include <stdio.h>

#include "arkki/archive/repair.h"
#include "tools/cli.h"

static void print_line(void *arg, const char *line)
{
	(void)arg;
	puts(line);
}

static void print_fault(void *arg, const char *what)
{
	(void)arg;
	printf("fault: %s\n", what);
}

int cmd_repair(const struct cli *c)
{
	struct repair_result result;
	struct ark_error err;
	struct repair_asked asked;
	int rc, verified = ARK_OK;

	if (c->words_len != 1 || (!c->from && !c->keys) || !c->root_key)
		return cli_usage(c->command);
	asked = (struct repair_asked){.dir = c->words[0],
	    .root_key = c->root_key,
	    .from = c->from,
	    .keys = c->keys,
	    .dry_run = c->dry_run,
	    .tell = print_line};
	rc = archive_repair(&asked, &result, &err);
	printf("%llu damaged, %llu %s, %llu lost\n", (unsigned long long)result.damaged,
	    (unsigned long long)result.mended, c->dry_run ? "would be mended" : "mended",
	    (unsigned long long)result.lost);
	if (rc)
		return cli_failed(&err);
	if (!c->dry_run)
		verified = archive_verify(c->words[0], c->root_key, true, NULL, NULL, print_fault,
		    print_line, NULL, &err);
	return verified ? cli_failed(&err) : CLI_OK;
}
