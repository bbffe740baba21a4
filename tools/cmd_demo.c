/* demo-build: renders the demo's documents for tools/run-demo. Not in the help: people type `make run`. */
#include <stdio.h>

#include "tools/cli.h"
#include "tools/demo.h"

int cmd_demo_build(const struct cli *c)
{
	struct ark_error err = {0};

	if (c->words_len != 2)
		return cli_usage(c->command);
	if (demo_documents_build(c->words[0], c->words[1], &err))
		return cli_failed(&err);
	printf("rendered the documents of %s into %s\n", c->words[0], c->words[1]);
	return CLI_OK;
}
