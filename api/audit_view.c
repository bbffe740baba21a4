#include "api/audit_view.h"

#include <stdlib.h>
#include <string.h>

#include "arkki/base/json.h"
#include "arkki/base/text.h"

enum audit_scope audit_scope_of(const struct caller *c)
{
	if (caller_may(c, ACCESS_AUDIT))
		return AUDIT_ALL;
	return caller_may(c, ACCESS_AUDIT_OWN) ? AUDIT_OWN : AUDIT_NOTHING;
}

static const struct access_ids *orgs_of(const struct audit_view *view)
{
	return &view->caller->who->access.orgs;
}

int audit_view_begin(
    struct visit *v, enum audit_scope scope, struct audit_view *ret, struct ark_error *err)
{
	const struct access_ids *orgs;
	int rc;

	*ret = (struct audit_view){.scope = scope, .caller = v->caller, .archive = v->app->archive};
	if (scope == AUDIT_ALL)
		return ARK_OK;
	orgs = orgs_of(ret);
	ret->names = calloc(orgs->len ? orgs->len : 1, sizeof(*ret->names));
	if (!ret->names)
		return ark_fail(err, ARK_ENOMEM, "no memory for a view of the log");
	for (size_t i = 0; i < orgs->len; i++)
		keyring_name(archive_keyring(ret->archive), "orgs", orgs->id[i], ret->names[i]);
	rc = caller_sight(v->caller, &ret->sight, err);
	return rc ? rc : archive_desk(ret->archive, &ret->desk, err);
}

void audit_view_end(struct audit_view *view)
{
	archive_desk_return(view->archive, view->desk);
	access_sight_unref(view->sight);
	free(view->names);
	*view = (struct audit_view){0};
}

void audit_view_restrict(const struct audit_view *view, struct ledger_filter *filter)
{
	if (view->scope == AUDIT_ALL)
		return;
	filter->orgs = orgs_of(view)->id;
	filter->orgs_len = orgs_of(view)->len;
}

/* ---- what the caller sees ---- */

int audit_view_sees(struct audit_view *view, const char *document, uint32_t version, bool *ret,
    struct ark_error *err)
{
	struct catalogue_row row;
	struct ark_error why = {0}; /* not to be seen is no failure */
	int rc;

	*ret = view->scope == AUDIT_ALL;
	if (*ret || !docid_valid(document))
		return ARK_OK;
	if (strcmp(document, view->document) == 0 && version == view->version) {
		*ret = view->seen;
		return ARK_OK;
	}
	if (version) {
		rc = catalogue_admits(
		    view->desk->catalogue, document, version, view->sight->any, ret, &why);
	} else {
		rc = catalogue_get(view->desk->catalogue, document, 0, view->sight, &row, &why);
		if (!rc)
			catalogue_row_free(&row);
		*ret = rc == ARK_OK;
	}
	if (rc && rc != ARK_ENOTFOUND)
		return ark_fail(err, rc, "%s", why.text);
	memcpy(view->document, document, sizeof(view->document));
	view->version = version;
	view->seen = *ret;
	return ARK_OK;
}

bool audit_view_is_own(const struct audit_view *view, const struct ledger_entry *e)
{
	const char *org = json_text(e->b, "org");

	for (size_t i = 0; org && i < orgs_of(view)->len; i++)
		if (strcmp(org, orgs_of(view)->id[i]) == 0)
			return true;
	return false;
}

/* Is the document, as the entry names its author, one of the caller's organisations' own? */
static bool on_own_document(const struct audit_view *view, const struct ledger_entry *e)
{
	const char *author = json_text(e->a, "author");

	for (size_t i = 0; author && i < orgs_of(view)->len; i++)
		if (strcmp(author, view->names[i]) == 0)
			return true;
	return false;
}

bool audit_view_concerns(const struct audit_view *view, const struct ledger_entry *e)
{
	if (view->scope == AUDIT_ALL)
		return true;
	return !json_text(e->b, "series") &&
	       (audit_view_is_own(view, e) || on_own_document(view, e));
}

/* ---- entries ---- */

static void take(json_t *out, const json_t *part, const char *const *names, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (json_object_get(part, names[i]))
			json_object_set(out, names[i], json_object_get(part, names[i]));
}
#define TAKE(out, part, ...)                                                                       \
	take(out, part, (const char *const[]){__VA_ARGS__},                                        \
	    sizeof((const char *const[]){__VA_ARGS__}) / sizeof(const char *))

/* What tells who, what, when and why. */
static void take_common(json_t *out, const struct ledger_entry *e)
{
	TAKE(out, e->a, "time", "kind", "outcome", "purpose", "case", "breakGlass",
	    "breakGlassRefused");
	TAKE(out, e->b, "principal", "org", "roles");
}

/* What else is known of the person who asked, and of the question. */
static void take_person(json_t *out, const struct ledger_entry *e)
{
	TAKE(out, e->a, "detail");
	TAKE(out, e->b, "principalSequence", "authentication", "session", "address", "series");
	TAKE(out, e->c, "query");
}

static void hide_document(json_t *out, const json_t *a)
{
	const char *outcome = json_text(a, "outcome");

	if (outcome && strcmp(outcome, "denied") == 0)
		json_object_set_new(out, "outcome", json_string("not-found"));
}

static int show_own(
    struct audit_view *view, const struct ledger_entry *e, json_t *out, struct ark_error *err)
{
	const char *document = json_text(e->a, "document"), *outcome = json_text(e->a, "outcome");
	uint32_t version = (uint32_t)json_integer_value(json_object_get(e->a, "version"));
	bool own = audit_view_is_own(view, e), named = own && outcome && strcmp(outcome, "ok") == 0;
	int rc = ARK_OK;

	take_common(out, e);
	if (own)
		take_person(out, e);
	if (!document)
		return ARK_OK;
	if (!named)
		rc = audit_view_sees(view, document, version, &named, err);
	if (rc)
		return rc;
	if (!named && own)
		hide_document(out, e->a);
	else if (!named)
		json_object_clear(out);
	if (!named)
		return ARK_OK;
	TAKE(out, e->a, "document", "version", "bytes");
	/* elsewhere the numbers would count reads by others that are not this organisation's to know */
	if (on_own_document(view, e))
		TAKE(out, e->a, "documentSequence");
	return ARK_OK;
}

int audit_view_entry(
    struct audit_view *view, const struct ledger_entry *e, json_t **ret, struct ark_error *err)
{
	json_t *out = json_object();
	int rc = out ? ARK_OK : ark_fail(err, ARK_ENOMEM, "no memory for a log entry");

	*ret = NULL;
	if (rc)
		return rc;
	if (view->scope == AUDIT_ALL) {
		json_object_set_new(out, "index", json_integer((json_int_t)e->index));
		take_common(out, e);
		take_person(out, e);
		TAKE(out, e->a, "document", "version", "documentSequence", "bytes", "about");
	} else if (audit_view_concerns(view, e)) {
		rc = show_own(view, e, out, err);
	}
	if (!rc && json_object_size(out) > 0)
		*ret = json_incref(out);
	json_decref(out);
	return rc;
}
