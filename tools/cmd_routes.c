#include <stdio.h>
#include <string.h>

#include "api/handlers.h"
#include "tools/cli.h"

/* The interface that api/openapi.yaml describes: not the pages, not the admin socket. */
int cmd_routes(const struct cli *c)
{
	if (c->words_len != 0)
		return cli_usage(c->command);
	for (size_t i = 0; i < api_routes_len; i++)
		if (!(api_routes[i].flags & (ROUTE_LOCAL | ROUTE_PAGE)) &&
		    (strncmp(api_routes[i].pattern, "/v1/", 4) == 0 ||
			strcmp(api_routes[i].pattern, "/openapi.json") == 0))
			printf("%s %s\n", api_routes[i].method, api_routes[i].pattern);
	return CLI_OK;
}
