/* Scopes of tokens: which routes a sign-in may be used for. It is the first wall, which says so plainly; the second is in
 * rights.c, where each decision asks for the scope of its action. */
#include <string.h>

#include "api/app.h"

/* The first whose path begins the route's counts. 0: whatever the scopes. */
static const struct {
	const char *path;
	unsigned int read, write; /* GET and HEAD; other methods */
} needed[] = {
    {"/v1/documents", TOKEN_READ, TOKEN_FILE},
    {"/v1/units", TOKEN_READ, TOKEN_READ},
    {"/v1/cases", TOKEN_READ, TOKEN_READ},
    {"/v1/search", TOKEN_READ, TOKEN_READ},
    {"/v1/saved-searches", TOKEN_READ, TOKEN_READ},
    {"/v1/exports", TOKEN_READ, TOKEN_READ},
    {"/v1/changes", TOKEN_READ, TOKEN_READ},
    {"/v1/retention/due", TOKEN_FILE, TOKEN_FILE},
    {"/v1/policies/explain", TOKEN_READ, TOKEN_READ},
    {"/v1/audit", TOKEN_AUDIT, TOKEN_AUDIT},
    {"/v1/log", TOKEN_AUDIT, TOKEN_AUDIT},
    {"/v1/tokens", TOKEN_ACCOUNTS, TOKEN_ACCOUNTS},
    {"/v1/sessions", TOKEN_ACCOUNTS, TOKEN_ACCOUNTS},
    {"/v1/users", TOKEN_ACCOUNTS, TOKEN_ACCOUNTS},
    {"/v1/orgs/", TOKEN_ACCOUNTS, TOKEN_ACCOUNTS},
    {"/v1/orgs", 0, TOKEN_ACCOUNTS},
    {"/fi/account", TOKEN_ACCOUNTS, TOKEN_ACCOUNTS},
    {"/sv/account", TOKEN_ACCOUNTS, TOKEN_ACCOUNTS},
    {"/en/account", TOKEN_ACCOUNTS, TOKEN_ACCOUNTS},
};

bool scope_allows(const struct caller *c, const struct exchange *x)
{
	const struct http_route *route = http_route(x);

	if (!route || c->scopes == TOKEN_ALL)
		return true;
	for (size_t i = 0; i < sizeof(needed) / sizeof(*needed); i++) {
		unsigned int need;

		if (strncmp(route->pattern, needed[i].path, strlen(needed[i].path)) != 0)
			continue;
		need = strcmp(route->method, "GET") == 0 ? needed[i].read : needed[i].write;
		return (c->scopes & need) == need;
	}
	return true;
}
