/* Scopes of tokens: which routes a sign-in may be used for. It is the first wall, which says so plainly; the second is in
 * rights.c, where each decision asks for the scope of its action. A route that is not in the table is closed to who has not all scopes. */
#include <string.h>

#include "api/app.h"

struct scope_row {
	const char *path;
	unsigned int read, write; /* GET and HEAD; other methods. 0: whatever the scopes */
};

/* The first whose path begins the route's counts. */
static const struct scope_row services[] = {
    {"/v1/documents", TOKEN_READ, TOKEN_FILE},
    {"/v1/units", TOKEN_READ, TOKEN_FILE},
    {"/v1/cases", TOKEN_READ, TOKEN_FILE},
    {"/v1/orders", TOKEN_READ, TOKEN_FILE},
    {"/v1/matters", 0, TOKEN_ADMINISTER},
    {"/v1/uploads", TOKEN_FILE, TOKEN_FILE},
    {"/v1/search", TOKEN_READ, TOKEN_READ},
    {"/v1/saved-searches", TOKEN_READ, TOKEN_READ},
    {"/v1/exports", TOKEN_READ, TOKEN_READ},
    {"/v1/changes", TOKEN_READ, TOKEN_READ},
    {"/v1/retention/due", TOKEN_FILE, TOKEN_FILE},
    {"/v1/retention", 0, TOKEN_ADMINISTER},
    {"/v1/policies/explain", TOKEN_READ, TOKEN_READ},
    {"/v1/policies", 0, TOKEN_ADMINISTER},
    {"/v1/synonyms", 0, TOKEN_ADMINISTER},
    {"/v1/texts", 0, TOKEN_ADMINISTER},
    {"/v1/status", 0, TOKEN_ADMINISTER},
    {"/v1/types", 0, TOKEN_ADMINISTER},
    {"/v1/me", 0, TOKEN_ADMINISTER},
    {"/v1/audit", TOKEN_AUDIT, TOKEN_AUDIT},
    {"/v1/log", TOKEN_AUDIT, TOKEN_AUDIT},
    {"/v1/tokens", TOKEN_ACCOUNTS, TOKEN_ACCOUNTS},
    {"/v1/sessions", TOKEN_ACCOUNTS, TOKEN_ACCOUNTS},
    {"/v1/users", TOKEN_ACCOUNTS, TOKEN_ACCOUNTS},
    {"/v1/orgs/", TOKEN_ACCOUNTS, TOKEN_ACCOUNTS},
    {"/v1/orgs", 0, TOKEN_ACCOUNTS},
};

/* Without the language. What they show is decided of each thing by the second wall. */
static const struct scope_row pages[] = {
    {"/account", TOKEN_ACCOUNTS, TOKEN_ACCOUNTS},
    {"/open-account", TOKEN_ACCOUNTS, TOKEN_ACCOUNTS},
    {"/audit", TOKEN_AUDIT, TOKEN_AUDIT},
    {"/due", TOKEN_FILE, TOKEN_FILE},
    {"/documents", 0, 0},
    {"/purpose", 0, 0},
    {"/units", 0, TOKEN_READ},
    {"/cases", 0, TOKEN_FILE},
    {"/orders", 0, TOKEN_FILE},
    {"/file", TOKEN_FILE, TOKEN_FILE},
    {"/uploads", TOKEN_FILE, TOKEN_FILE},
    {"/saved", 0, TOKEN_READ},
    {"/suggest", TOKEN_READ, TOKEN_READ},
    {"/results.csv", TOKEN_READ, TOKEN_READ},
    {"/admin", 0, TOKEN_ADMINISTER},
    {"/sign-out", 0, 0},
};

static const struct scope_row *row_of(const struct scope_row *rows, size_t n, const char *path)
{
	for (size_t i = 0; i < n; i++)
		if (strncmp(path, rows[i].path, strlen(rows[i].path)) == 0)
			return &rows[i];
	return NULL;
}

static bool is_page(const char *path)
{
	return strncmp(path, "/fi/", 4) == 0 || strncmp(path, "/sv/", 4) == 0 ||
	       strncmp(path, "/en/", 4) == 0;
}

bool scope_of(const struct http_route *route, unsigned int *ret)
{
	static const struct scope_row front = {"/", 0, 0};
	const char *path = route->pattern;
	const struct scope_row *row;

	if (is_page(path) && path[4])
		row = row_of(pages, sizeof(pages) / sizeof(*pages), path + 3);
	else
		row = is_page(path) ? &front
				    : row_of(services, sizeof(services) / sizeof(*services), path);
	if (!row)
		return false;
	*ret = strcmp(route->method, "GET") == 0 ? row->read : row->write;
	return true;
}

bool scope_allows(const struct caller *c, const struct exchange *x)
{
	const struct http_route *route = http_route(x);
	unsigned int need;

	if (!route || c->scopes == TOKEN_ALL)
		return true;
	return scope_of(route, &need) && (c->scopes & need) == need;
}
