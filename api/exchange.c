/* The story of a request: it arrives, is admitted, its body passes, it is finished. */
#include "api/exchange.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "api/language.h"

/* ---- arriving ---- */

static void refuse_early(struct exchange *x, int status, const char *detail)
{
	x->early_status = status;
	x->early_detail = detail;
}

static void find_route(struct exchange *x)
{
	switch (target_parse(x->target_text, &x->target)) {
	case TARGET_OK:
		break;
	case TARGET_MALFORMED:
		refuse_early(x, 400, "the request target is malformed");
		return;
	case TARGET_NOWHERE:
		refuse_early(x, 404, NULL);
		return;
	case TARGET_NOMEM:
		refuse_early(x, 503, NULL);
		return;
	}
	refuse_early(
	    x, router_match(server_router(x->server), x->method, &x->target, &x->match), NULL);
	if (!x->early_status &&
	    pairs_repeat(x->target.pairs, x->target.n_pairs, x->match.route->repeat))
		refuse_early(x, 400, "a query parameter that may come once came twice");
}

/* Whether the route takes this body at all. */
static void weigh_body(struct exchange *x)
{
	const struct http_config *config = server_config(x->server);
	const struct http_route *route = x->match.route;

	if (x->early_status)
		return;
	x->body_max = route->body_max                    ? route->body_max
		      : route->takes == HTTP_BODY_STREAM ? config->stream_max
							 : config->whole_max;
	if (route->takes == HTTP_BODY_NONE && x->guard.has_body)
		refuse_early(x, 400, "this request takes no body");
	else if (x->guard.length > x->body_max)
		refuse_early(x, 413, NULL);
	x->whole.limit = x->body_max + 1;
}

static void find_peer(struct exchange *x)
{
	const char *last = NULL;
	size_t len;

	memcpy(x->peer, x->conn->peer, sizeof(x->peer));
	if (!server_config(x->server)->behind_proxy || !x->conn->local)
		return;
	for (size_t i = 0; i < x->n_fields; i++) {
		if (!strcasecmp(x->fields[i].name, "X-Forwarded-For"))
			last = x->fields[i].value;
	}
	if (!last)
		return;
	if (strrchr(last, ','))
		last = strrchr(last, ',') + 1;
	last += strspn(last, " \t");
	len = strspn(last, "0123456789abcdefABCDEF.:");
	if (len && len < sizeof(x->peer) && !last[len + strspn(last + len, " \t")]) {
		memcpy(x->peer, last, len);
		x->peer[len] = '\0';
	}
}

void exchange_arrive(struct exchange *x, const char *version, bool fields_cut, bool odd_block)
{
	struct guard_input in = {
	    .method = x->method,
	    .version = version,
	    .target = x->target_text,
	    .fields = x->fields,
	    .n_fields = x->n_fields,
	    .fields_cut = fields_cut,
	    .odd_block = odd_block,
	    .header_max = server_config(x->server)->header_max,
	};

	guard_check(&in, &x->guard);
	find_peer(x);
	if (x->guard.status) {
		http_reply_problem(x, x->guard.status, NULL, x->guard.detail, NULL);
		return;
	}
	find_route(x);
	weigh_body(x);
	x->admitted = !x->guard.has_body;
}

/* ---- running the handlers ---- */

static void gate(struct exchange *x)
{
	const struct http_config *config = server_config(x->server);

	if (x->early_status) {
		if (x->early_status == 405)
			http_reply_header(x, "Allow", x->match.allow);
		http_reply_problem(x, x->early_status, NULL, x->early_detail, NULL);
	} else if (config->gate) {
		config->gate(x);
	}
}

/* Runs the wait functions that are due. */
static enum pump settle(struct exchange *x)
{
	while (x->wait_fn) {
		void (*fn)(struct exchange *) = x->wait_fn;
		int none = WAKE_NONE;

		if (atomic_load(&x->wake) == WAKE_ABANDONED)
			return PUMP_CLOSE;
		if (atomic_load(&x->wake) != WAKE_CAME) {
			bool suspended = transport_suspend(x);
			int next = suspended ? WAKE_DUE : WAKE_ABANDONED;

			if (atomic_compare_exchange_strong(&x->wake, &none, next))
				return suspended ? PUMP_WAIT : PUMP_CLOSE;
			/* a wake between the load and here found nobody to resume */
			if (suspended) {
				transport_resume(x);
				return PUMP_WAIT;
			}
		}
		atomic_store(&x->wake, WAKE_NONE);
		x->wait_fn = NULL;
		fn(x);
	}
	return x->reply.status ? PUMP_REPLY : PUMP_ON;
}

static void run_step(struct exchange *x, enum step step)
{
	const struct http_route *route = x->match.route;

	if (step == STEP_GATE)
		gate(x);
	else if (step == STEP_BEGIN && route->begin)
		route->begin(x);
	else if (step == STEP_FINISH)
		route->finish(x);
}

enum pump exchange_advance(struct exchange *x, enum step until)
{
	enum pump p = settle(x);

	while (p == PUMP_ON && x->step < until) {
		enum step step = x->step;

		x->step = (enum step)(step + 1);
		run_step(x, step);
		p = settle(x);
	}
	return p;
}

static void take_piece(struct exchange *x, const char *bytes, size_t len)
{
	const struct http_route *route = x->match.route;

	x->bytes_in += len;
	conn_received(x->conn, len);
	if (x->bytes_in > x->body_max) {
		http_reply_problem(x, 413, NULL, NULL, NULL);
	} else if (route->takes == HTTP_BODY_STREAM) {
		route->body(x, bytes, len);
	} else {
		buf_add(&x->whole, bytes, len);
		if (buf_failed(&x->whole))
			http_reply_problem(x, 503, NULL, NULL, NULL);
	}
}

enum pump exchange_piece(struct exchange *x, const char *bytes, size_t len)
{
	enum pump p = settle(x);

	/* the transport gives the piece again after a wait, perhaps with more at its end */
	if (p == PUMP_ON && x->piece_seen < len) {
		size_t seen = x->piece_seen;

		x->piece_seen = len;
		take_piece(x, bytes + seen, len - seen);
		p = settle(x);
	}
	if (p == PUMP_ON || p == PUMP_REPLY)
		x->piece_seen = 0;
	return p;
}

void http_wait(struct exchange *x, void (*fn)(struct exchange *x))
{
	assert(!x->wait_fn && !x->reply.status);
	x->wait_fn = fn;
}

void http_wake(struct exchange *x)
{
	transport_wake(x);
}

static void end_attached(struct attached *a, enum http_outcome outcome, const struct exchange *x)
{
	if (a->end)
		a->end(a->data, outcome, x->reply.status, x->bytes_out);
	a->end = NULL;
}

void exchange_close(struct exchange *x, enum http_outcome outcome)
{
	reply_free(&x->reply);
	end_attached(&x->data, outcome, x);
	end_attached(&x->caller, outcome, x);
	target_free(&x->target);
	buf_free(&x->whole);
	free(x->form);
	free(x->form_text);
	free(x->target_text);
	free(x->field_text);
	for (struct kept *k = x->kept, *next; k; k = next) {
		next = k->next;
		free(k);
	}
}

/* ---- what handlers ask ---- */

void *http_app(const struct exchange *x)
{
	return server_app(x->server);
}

const char *http_method(const struct exchange *x)
{
	return x->method;
}

bool http_is_head(const struct exchange *x)
{
	return !strcmp(x->method, "HEAD");
}

const char *http_path(const struct exchange *x)
{
	return x->target.path ? x->target.path : "";
}

const struct http_route *http_route(const struct exchange *x)
{
	return x->match.route;
}

const char *http_param(const struct exchange *x, unsigned int i)
{
	assert(i < x->match.n_params);
	return i < x->match.n_params ? x->match.params[i] : "";
}

const char *http_query(const struct exchange *x, const char *name)
{
	return http_query_at(x, name, 0);
}

const char *http_query_at(const struct exchange *x, const char *name, unsigned int i)
{
	return pairs_find(x->target.pairs, x->target.n_pairs, name, i);
}

void http_query_each(const struct exchange *x,
    void (*each)(void *arg, const char *name, const char *value), void *arg)
{
	for (unsigned int i = 0; i < x->target.n_pairs; i++)
		each(arg, x->target.pairs[i].name, x->target.pairs[i].value);
}

const char *http_header(const struct exchange *x, const char *name)
{
	for (size_t i = 0; i < x->n_fields; i++) {
		if (!strcasecmp(x->fields[i].name, name))
			return x->fields[i].value;
	}
	return NULL;
}

static const char *keep(struct exchange *x, const char *text, size_t len)
{
	struct kept *k = malloc(sizeof(*k) + len + 1);

	if (!k)
		return NULL;
	if (len)
		memcpy(k->text, text, len);
	k->text[len] = '\0';
	k->next = x->kept;
	x->kept = k;
	return k->text;
}

const char *http_header_list(struct exchange *x, const char *name)
{
	const char *text = http_header(x, name);
	struct buf joined = BUF_INIT;
	size_t n = 0;

	for (size_t i = 0; i < x->n_fields; i++)
		n += !strcasecmp(x->fields[i].name, name);
	if (n < 2)
		return text;
	for (size_t i = 0; i < x->n_fields; i++) {
		if (strcasecmp(x->fields[i].name, name) != 0)
			continue;
		if (joined.len)
			buf_adds(&joined, ", ");
		buf_adds(&joined, x->fields[i].value);
	}
	text = buf_failed(&joined) ? NULL : keep(x, joined.data, joined.len);
	buf_free(&joined);
	return text;
}

/* The value's place in the Cookie headers, or NULL. */
static const char *find_cookie(const struct exchange *x, const char *name, size_t *ret_len)
{
	size_t len = strlen(name);

	for (size_t i = 0; i < x->n_fields; i++) {
		if (strcasecmp(x->fields[i].name, "Cookie") != 0)
			continue;
		for (const char *p = x->fields[i].value; p && *p;) {
			p += strspn(p, "; \t");
			if (!strncmp(p, name, len) && p[len] == '=') {
				*ret_len = strcspn(p + len + 1, "; \t");
				return p + len + 1;
			}
			p += strcspn(p, ";");
		}
	}
	return NULL;
}

const char *http_cookie(struct exchange *x, const char *name)
{
	size_t len;
	const char *value = find_cookie(x, name, &len);

	return value ? keep(x, value, len) : NULL;
}

bool http_content_is(const struct exchange *x, const char *media_type)
{
	const char *value = http_header(x, "Content-Type");
	size_t len = strlen(media_type);

	if (!value || strncasecmp(value, media_type, len) != 0)
		return false;
	value += len;
	value += strspn(value, " \t");
	return !*value || *value == ';';
}

bool http_content_length(const struct exchange *x, uint64_t *ret)
{
	if (x->guard.chunked)
		return false;
	*ret = x->guard.length;
	return true;
}

const char *http_body(const struct exchange *x, size_t *ret_len)
{
	*ret_len = x->whole.len;
	return x->whole.data ? x->whole.data : "";
}

static void parse_form(struct exchange *x)
{
	if (x->form || !x->whole.len || memchr(x->whole.data, 0, x->whole.len) ||
	    !http_content_is(x, "application/x-www-form-urlencoded"))
		return;
	x->form = calloc(TARGET_PAIRS_MAX, sizeof(*x->form));
	x->form_text = strdup(x->whole.data);
	if (!x->form || !x->form_text || !pairs_parse(x->form_text, x->form, &x->n_form) ||
	    pairs_repeat(x->form, x->n_form, x->match.route->repeat))
		x->n_form = 0;
}

const char *http_form_at(struct exchange *x, const char *name, unsigned int i)
{
	parse_form(x);
	return pairs_find(x->form, x->n_form, name, i);
}

const char *http_form(struct exchange *x, const char *name)
{
	return http_form_at(x, name, 0);
}

const char *http_peer(const struct exchange *x)
{
	return x->peer;
}

enum http_language http_language(const struct exchange *x)
{
	enum http_language language;
	size_t len;
	const char *cookie = find_cookie(x, "lang", &len);
	char tag[3] = "";

	if (cookie && len == 2)
		memcpy(tag, cookie, 2);
	if (language_from_tag(tag, &language))
		return language;
	return language_choose(http_header(x, "Accept-Language"));
}

bool http_language_named(const struct exchange *x, enum http_language *ret)
{
	const char *accept = http_header(x, "Accept-Language");
	size_t len;

	if ((!accept || strcmp(accept, "*") == 0) && !find_cookie(x, "lang", &len))
		return false;
	*ret = http_language(x);
	return true;
}

void http_set_data(struct exchange *x, void *data, http_end_fn *end)
{
	x->data = (struct attached){data, end};
}

void http_swap_data(struct exchange *x, void **data, http_end_fn **end)
{
	struct attached before = x->data;

	x->data = (struct attached){*data, *end};
	*data = before.data;
	*end = before.end;
}

void *http_data(const struct exchange *x)
{
	return x->data.data;
}

void http_set_caller(struct exchange *x, void *caller, http_end_fn *end)
{
	x->caller = (struct attached){caller, end};
}

void *http_caller(const struct exchange *x)
{
	return x->caller.data;
}
