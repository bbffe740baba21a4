/* From a method and path segments to a route of the table.
 *
 * Threads: a router is read-only after router_new().
 */
#ifndef ARKKI_API_ROUTER_H
#define ARKKI_API_ROUTER_H

#include "api/target.h"
#include "arkki/api/http.h"

#define ROUTER_PARAMS_MAX 8

struct router;

struct route_match {
	const struct http_route *route;
	const char
	    *params[ROUTER_PARAMS_MAX]; /* into the path's segments; a {name*} into the path */
	unsigned int n_params;
	char allow[80]; /* for 405: "GET, HEAD, POST" */
};

/* ARK_EINPUT names the pattern that is malformed or twice in the table. */
ARK_MUSTUSE int router_new(
    const struct http_route *routes, size_t n, struct router **ret, struct ark_error *err);
void router_free(struct router *r);
/* 0 and the match, or 404, or 405 with `allow`. */
int router_match(const struct router *r, const char *method, const struct target *target,
    struct route_match *ret);

#endif
