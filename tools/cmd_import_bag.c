/* import --bag: a bag becomes documents. */
#include "tools/cli.h"

int import_bag(const struct cli *c)
{
	return cli_usage(c->command);
}
