/* What a caller may do: the context that the request states, and the decisions
 * taken in it. The one place where the API asks the policies. */
#include <stdlib.h>
#include <string.h>

#include "api/app.h"
#include "arkki/base/json.h"
#include "arkki/base/text.h"

int ids_of(const json_t *array, const char ***ret, struct access_ids *ret_ids)
{
	size_t n = json_array_size(array), len = 0;

	*ret = calloc(n ? n : 1, sizeof(**ret));
	if (!*ret)
		return ARK_ENOMEM;
	for (size_t i = 0; i < n; i++)
		if (json_is_string(json_array_get(array, i)))
			(*ret)[len++] = json_string_value(json_array_get(array, i));
	*ret_ids = (struct access_ids){*ret, len};
	return ARK_OK;
}

/* ---- the stated context ---- */

/* A header with percent-encoded UTF-8; NULL when not sent, or when nothing in it shows: a purpose
 * that nobody can read is none. */
static char *stated(const struct exchange *x, const char *name, bool *malformed)
{
	const char *text = http_header(x, name);
	struct buf b = {.limit = 4096};
	char *value = NULL;

	if (!text)
		return NULL;
	if (!percent_decode(&b, text, strlen(text)) || !utf8_valid(b.data ? b.data : "", b.len))
		*malformed = true;
	else if (b.len > 0 && !utf8_blank(b.data))
		value = buf_take(&b, NULL);
	buf_free(&b);
	return value;
}

static bool same_filter(const struct access_filter *a, const struct access_filter *b)
{
	bool same = a->op == b->op && a->attribute == b->attribute && a->children == b->children &&
		    !a->value == !b->value && (!a->value || strcmp(a->value, b->value) == 0);

	for (size_t i = 0; same && i < a->children; i++)
		same = same_filter(a->child[i], b->child[i]);
	return same;
}

/* Whether the stated reason opens anything to this caller: whether the open decision on any kind of reading
 * is another one with it than without it. So the policies say who may break the glass, and no role is named here. */
static int glass_opens(const struct caller *c, bool *ret, struct ark_error *err)
{
	struct access_context without = c->context;
	int rc = ARK_OK;

	without.break_glass = NULL;
	*ret = false;
	for (int a = ACCESS_LIST; !rc && !*ret && a <= ACCESS_READ_PUBLIC; a++) {
		struct access_filter *now = NULL, *then = NULL;
		enum access_action action = (enum access_action)a;

		rc = access_filter(c->who->rules, &c->who->access, action, &c->context, &now, err);
		if (!rc)
			rc = access_filter(
			    c->who->rules, &c->who->access, action, &without, &then, err);
		if (!rc)
			*ret = !same_filter(now, then);
		access_filter_free(now);
		access_filter_free(then);
	}
	return rc;
}

static int state_glass(struct caller *c, struct ark_error *err)
{
	bool opens;
	int rc = glass_opens(c, &opens, err);

	if (rc || opens)
		return rc;
	c->glass_refused = true;
	c->context.break_glass = NULL;
	return ARK_OK;
}

static int state_case(struct caller *c, struct ark_error *err)
{
	if (!c->case_record)
		return ARK_OK;
	c->context.case_id = c->case_id;
	return ids_of(
		   json_object_get(c->case_record, "units"), &c->case_units, &c->context.case_units)
		   ? ark_fail(err, ARK_ENOMEM, "no memory for a caller")
		   : ARK_OK;
}

int caller_state(
    struct caller *c, struct registry *registry, const struct exchange *x, struct ark_error *err)
{
	int rc;

	c->purpose = stated(x, "Arkki-Purpose", &c->purpose_malformed);
	c->break_glass = stated(x, "Arkki-Break-Glass", &c->reason_malformed);
	c->case_id = http_header(x, "Arkki-Case");
	c->case_record = registry_get(registry, "cases", c->case_id);
	c->context = (struct access_context){
	    .purpose = c->purpose,
	    .break_glass = c->break_glass,
	    .strong = !c->weak,
	    .address = c->address,
	};
	rc = state_case(c, err);
	return !rc && c->break_glass ? state_glass(c, err) : rc;
}

int caller_restate(struct caller *c, struct registry *registry, const char *purpose,
    const char *case_id, struct ark_error *err)
{
	bool states = purpose && !utf8_blank(purpose);
	char *copy = states ? strdup(purpose) : NULL;

	if (states && !copy)
		return ark_fail(err, ARK_ENOMEM, "no memory for a caller");
	free(c->purpose);
	free(c->case_units);
	json_decref(c->case_record);
	c->purpose = copy;
	c->purpose_malformed = false;
	c->case_units = NULL;
	c->case_record = registry_get(registry, "cases", case_id);
	c->case_id = json_text(c->case_record, "id");
	c->context.purpose = copy;
	c->context.case_id = NULL;
	c->context.case_units = (struct access_ids){0};
	return state_case(c, err);
}

void caller_forget(struct caller *c)
{
	free(c->purpose);
	free(c->break_glass);
	free(c->case_units);
	json_decref(c->case_record);
	buf_free(&c->top);
}

bool visit_stated_ok(struct exchange *x)
{
	const struct caller *c = caller_of(x);

	if (c->purpose_malformed || c->reason_malformed) {
		http_reply_problem(x, 400, c->purpose_malformed ? "bad-purpose" : "bad-break-glass",
		    c->purpose_malformed
			? "Arkki-Purpose must be percent-encoded UTF-8 of at most 4096 bytes."
			: "Arkki-Break-Glass must be a reason in percent-encoded UTF-8 of at most "
			  "4096 bytes.",
		    NULL);
		return false;
	}
	if (c->case_id && !c->case_record) {
		http_reply_problem(x, 400, "unknown-case", "Arkki-Case names no case.", NULL);
		return false;
	}
	return true;
}

/* ---- what the sign-in may be used for ---- */

static bool scope_covers(const struct caller *c, enum access_action action)
{
	switch (action) {
	case ACCESS_LIST:
	case ACCESS_READ:
	case ACCESS_READ_CONTENT:
	case ACCESS_READ_PUBLIC:
		return c->scopes & TOKEN_READ;
	case ACCESS_AUDIT:
	case ACCESS_AUDIT_OWN:
		return c->scopes & TOKEN_AUDIT;
	case ACCESS_ADMINISTER:
		return c->scopes & TOKEN_ADMINISTER;
	default: /* all that changes documents */
		return c->scopes & TOKEN_FILE;
	}
}

/* ---- what the caller sees ---- */

int caller_sight(const struct caller *c, struct access_sight **ret, struct ark_error *err)
{
	if (!scope_covers(c, ACCESS_LIST))
		return access_sight_none(ret, err);
	return principal_sight(c->who, &c->context, ret, err);
}

int caller_unlogged_sight(const struct caller *c, struct access_sight **ret, struct ark_error *err)
{
	const struct access_context context = {
	    .strong = c->context.strong, .address = c->context.address};

	if (!scope_covers(c, ACCESS_LIST))
		return access_sight_none(ret, err);
	return principal_sight(c->who, &context, ret, err);
}

int caller_filter(const struct caller *c, enum access_action action, struct access_filter **ret,
    struct ark_error *err)
{
	if (!scope_covers(c, action))
		return access_filter_none(ret, err);
	return access_filter(c->who->rules, &c->who->access, action, &c->context, ret, err);
}

int caller_content_filter(const struct caller *c, struct access_filter **ret, struct ark_error *err)
{
	return caller_filter(c, ACCESS_READ_CONTENT, ret, err);
}

int caller_content_admits(const struct caller *c, struct catalogue *catalogue, const char *document,
    uint32_t version, bool *ret, struct ark_error *err)
{
	const struct access_filter *kept = NULL;
	struct access_filter *own = NULL;
	int rc = scope_covers(c, ACCESS_READ_CONTENT)
		     ? principal_content(c->who, &c->context, &kept, err)
		     : 1;

	if (rc == 1)
		rc = caller_content_filter(c, &own, err);
	if (!rc)
		rc = catalogue_admits(catalogue, document, version, own ? own : kept, ret, err);
	access_filter_free(own);
	return rc;
}

/* ---- known things ---- */

int resource_fill(
    const json_t *fields, json_t *counties, struct resource *ret, struct ark_error *err)
{
	struct access_resource *r = &ret->r;

	*ret = (struct resource){.counties = counties};
	if (ids_of(json_object_get(fields, "units"), &ret->units, &r->units) ||
	    ids_of(ret->counties, &ret->county_list, &r->counties) ||
	    ids_of(json_object_get(fields, "addressees"), &ret->addressees, &r->addressees)) {
		resource_free(ret);
		return ark_fail(err, ARK_ENOMEM, "no memory for a decision");
	}
	r->publicity = json_text(json_object_get(fields, "publicity"), "class");
	r->author = json_text(fields, "author");
	r->state = json_text(fields, "state");
	r->type = json_text(fields, "type");
	r->date = json_text(fields, "date");
	r->visit_date = json_text(fields, "visitDate");
	return ARK_OK;
}

int resource_of(struct app *app, const json_t *fields, struct resource *ret, struct ark_error *err)
{
	return resource_fill(fields,
	    registry_counties(archive_registry(app->archive), json_object_get(fields, "units")),
	    ret, err);
}

void resource_free(struct resource *r)
{
	json_decref(r->counties);
	free(r->units);
	free(r->county_list);
	free(r->addressees);
	*r = (struct resource){0};
}

struct access_decision caller_decides(const struct caller *c, struct app *app,
    enum access_action action, const json_t *fields, bool rendition, struct ark_error *err)
{
	struct access_decision d = {.outcome = ACCESS_DENY};
	struct resource r;

	if (!scope_covers(c, action) || resource_of(app, fields, &r, err))
		return d;
	r.r.rendition = rendition;
	if (access_decide(c->who->rules, &c->who->access, action, &r.r, &c->context, &d, err))
		d.outcome = ACCESS_DENY;
	resource_free(&r);
	return d;
}

bool caller_may(const struct caller *c, enum access_action action)
{
	bool may = false;

	return scope_covers(c, action) && !principal_may(c->who, action, &c->context, &may, NULL) &&
	       may;
}
