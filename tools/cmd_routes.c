/* routes: the table of routes, so that a test can compare api/openapi.yaml with it. */
#include <stdio.h>

#include "api/handlers.h"
#include "tools/cli.h"

int cmd_routes(const struct cli *c)
{
	if (c->words_len != 0)
		return cli_usage(c->command);
	for (size_t i = 0; i < api_routes_len; i++)
		if (!(api_routes[i].flags & (ROUTE_LOCAL | ROUTE_PAGE)))
			printf("%s %s\n", api_routes[i].method, api_routes[i].pattern);
	return CLI_OK;
}
