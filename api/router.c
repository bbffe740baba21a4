#include "api/router.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum kind { LITERAL, PARAM, TAIL };

struct part {
	enum kind kind;
	const char *text; /* into the pattern */
	size_t len;
};

struct compiled {
	const struct http_route *route;
	struct part parts[TARGET_SEGMENTS_MAX];
	unsigned int n;
	bool slash; /* the pattern ends with one */
	char rank[TARGET_SEGMENTS_MAX +
		  1]; /* a digit of its kind per part: smaller is more specific */
};

struct router {
	size_t n;
	struct compiled routes[];
};

static int compile_part(struct compiled *c, const char *text, size_t len, struct ark_error *err)
{
	struct part *part = &c->parts[c->n];

	if (!len || c->n == TARGET_SEGMENTS_MAX || (c->n && c->parts[c->n - 1].kind == TAIL))
		return ark_fail(err, ARK_EINPUT, "route %s: malformed pattern", c->route->pattern);
	*part = (struct part){LITERAL, text, len};
	if (text[0] == '{') {
		if (len < 3 || text[len - 1] != '}')
			return ark_fail(
			    err, ARK_EINPUT, "route %s: unclosed parameter", c->route->pattern);
		part->kind = text[len - 2] == '*' ? TAIL : PARAM;
	}
	c->rank[c->n++] = (char)('0' + part->kind);
	return ARK_OK;
}

static int compile(struct compiled *c, const struct http_route *route, struct ark_error *err)
{
	const char *p = route->pattern;
	unsigned int params = 0;

	c->route = route;
	if (*p != '/' || !route->method || !route->finish)
		return ark_fail(err, ARK_EINPUT,
		    "route %s: needs a leading slash, a method and finish", route->pattern);
	if (route->takes == HTTP_BODY_STREAM && !route->body)
		return ark_fail(err, ARK_EINPUT, "route %s: streams without body()", p);
	for (p = p[1] ? p + 1 : ""; *p;) {
		size_t len = strcspn(p, "/");
		int r = compile_part(c, p, len, err);

		if (r)
			return r;
		params += c->parts[c->n - 1].kind != LITERAL;
		p += len;
		if (*p == '/' && !*++p)
			c->slash = true;
	}
	if (params > ROUTER_PARAMS_MAX)
		return ark_fail(err, ARK_EINPUT, "route %s: too many parameters", route->pattern);
	return ARK_OK;
}

static bool same_place(const struct compiled *a, const struct compiled *b)
{
	if (a->slash != b->slash || strcmp(a->rank, b->rank) != 0 ||
	    strcmp(a->route->method, b->route->method) != 0)
		return false;
	for (unsigned int i = 0; i < a->n; i++) {
		const struct part *x = &a->parts[i], *y = &b->parts[i];

		if (x->kind == LITERAL &&
		    (x->len != y->len || memcmp(x->text, y->text, x->len) != 0))
			return false;
	}
	return true;
}

int router_new(
    const struct http_route *routes, size_t n, struct router **ret, struct ark_error *err)
{
	struct router *r = calloc(1, sizeof(*r) + n * sizeof(*r->routes));
	int status = ARK_OK;

	if (!r)
		return ark_fail(err, ARK_ENOMEM, "no memory for the route table");
	r->n = n;
	for (size_t i = 0; i < n && !status; i++) {
		status = compile(&r->routes[i], &routes[i], err);
		for (size_t k = 0; k < i && !status; k++) {
			if (same_place(&r->routes[i], &r->routes[k]))
				status =
				    ark_fail(err, ARK_EINPUT, "route %s %s is twice in the table",
					routes[i].method, routes[i].pattern);
		}
	}
	if (status) {
		router_free(r);
		return status;
	}
	*ret = r;
	return ARK_OK;
}

void router_free(struct router *r)
{
	free(r);
}

static bool fits(const struct compiled *c, const struct target *t)
{
	if (c->slash != t->slash)
		return false;
	for (unsigned int i = 0; i < c->n; i++) {
		const struct part *part = &c->parts[i];

		if (i >= t->n_segments)
			return false;
		if (part->kind == TAIL)
			return true;
		if (part->kind == LITERAL && (strncmp(t->segments[i], part->text, part->len) != 0 ||
						 t->segments[i][part->len]))
			return false;
	}
	return c->n == t->n_segments;
}

static bool takes_method(const struct http_route *route, const char *method)
{
	return !strcmp(route->method, method) ||
	       ((route->flags & HTTP_ALSO_HEAD) && !strcmp(method, "HEAD"));
}

static void add_allowed(char *allow, size_t size, const char *method)
{
	size_t used = strlen(allow), len = strlen(method);

	for (const char *p = allow; (p = strstr(p, method)) != NULL; p += len) {
		if ((p == allow || p[-1] == ' ') && (p[len] == ',' || !p[len]))
			return;
	}
	if (used + len + 3 > size)
		return;
	snprintf(allow + used, size - used, "%s%s", used ? ", " : "", method);
}

static void bind_params(const struct compiled *c, const struct target *t, struct route_match *ret)
{
	const char *tail = t->path;

	ret->route = c->route;
	ret->n_params = 0;
	for (unsigned int i = 0; i < c->n; i++) {
		if (c->parts[i].kind == PARAM)
			ret->params[ret->n_params++] = t->segments[i];
		if (c->parts[i].kind == TAIL)
			ret->params[ret->n_params++] = tail + 1;
		tail += strlen(t->segments[i]) + 1;
	}
}

int router_match(const struct router *r, const char *method, const struct target *target,
    struct route_match *ret)
{
	const struct compiled *best = NULL, *place = NULL;

	*ret = (struct route_match){0};
	for (size_t i = 0; i < r->n; i++) {
		const struct compiled *c = &r->routes[i];

		if (!fits(c, target))
			continue;
		if (!place || strcmp(c->rank, place->rank) < 0) {
			place = c;
			best = NULL;
		}
		if (!strcmp(c->rank, place->rank) && takes_method(c->route, method) &&
		    (!best || !strcmp(c->route->method, method)))
			best = c;
	}
	if (best) {
		bind_params(best, target, ret);
		return 0;
	}
	if (!place)
		return 404;
	for (size_t i = 0; i < r->n; i++) {
		const struct compiled *c = &r->routes[i];

		if (strcmp(c->rank, place->rank) != 0 || !fits(c, target))
			continue;
		add_allowed(ret->allow, sizeof(ret->allow), c->route->method);
		if (c->route->flags & HTTP_ALSO_HEAD)
			add_allowed(ret->allow, sizeof(ret->allow), "HEAD");
	}
	return 405;
}
