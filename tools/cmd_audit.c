#include "tools/cli.h"
int cmd_audit(const struct cli *c)
{
	return cli_usage(c->command);
}
