/* A replay: what there was of a unit at a time, what an organisation could see of it under the policies, roles and
 * placements of then, and what it had opened.
 *
 * Decisions are those of POST /v1/policies/explain with `at`: the same registers, the same metadata, the same
 * counties. They are made for one user of each set of roles and days of validity; nothing is stated in them, so
 * that what a purpose or a case would open is "needs-purpose", which counts as could.
 */
#include <stdlib.h>
#include <string.h>

#include "api/reports.h"
#include "arkki/archive/disposition.h"
#include "arkki/archive/past.h"
#include "arkki/base/clock.h"
#include "arkki/base/json.h"
#include "arkki/base/text.h"

struct group { /* users whose rights are the same */
	struct principal *who;
	unsigned int users;
};

struct replay {
	struct app *app;
	struct archive *a;
	const struct receipt *receipt;
	struct replay_ask *ask;
	struct ark_error *err;
	struct registry *registry; /* of the time */
	uint32_t policies;
	char day[11];
	json_t *line;           /* the organisation and those that it follows */
	const char **line_list; /* the same */
	struct access_ids orgs;
	bool ombudsman;
	struct group groups[REPLAY_GROUPS_MAX];
	size_t groups_len;
	struct report_ids *ids;
	json_t *documents;
	size_t entries; /* in all of them */
};

struct thing { /* a document as it was */
	const char *id;
	struct past_document past;
	json_t *stone; /* it was destroyed since: what is known is what that says */
	struct resource resource;
	json_t
	    *decisions; /* of each group, on the newest version that it sees, else on the newest */
	json_t *opened; /* entries */
	bool could, did, cut;
	uint64_t after;
	unsigned int found;
};

static int lost(struct replay *r)
{
	return ark_fail(r->err, ARK_ENOMEM, "no memory for a replay");
}

static int wrong(struct replay *r, const char *parameter, const char *why)
{
	r->ask->fault = parameter;
	return ark_fail(r->err, ARK_EINPUT, "%s", why);
}

/* ---- the registers of then ---- */

static int settle_past(struct replay *r)
{
	struct replay_past *past = r->ask->past;
	int rc = ARK_OK;

	if (!past || !past->registry)
		rc = past_registry(
		    r->a, r->receipt, r->ask->at_us, &r->registry, &r->policies, r->err);
	if (rc || !past)
		return rc;
	if (!past->registry)
		*past = (struct replay_past){r->registry, r->policies};
	r->registry = past->registry;
	r->policies = past->policies;
	return ARK_OK;
}

static int settle_registers(struct replay *r)
{
	json_t *org = NULL;
	const char *kind;
	int rc = settle_past(r);

	if (rc == ARK_EINPUT)
		r->ask->fault = "at";
	if (rc)
		return rc;
	clock_day(r->day, r->ask->at_us);
	if (!registry_has(r->registry, "units", r->ask->unit))
		return wrong(r, "unit", "There was no such unit at that time.");
	org = registry_get(r->registry, "orgs", r->ask->org);
	if (!org)
		return wrong(r, "org", "There was no such organisation at that time.");
	kind = json_text(org, "kind");
	r->ombudsman = kind && strcmp(kind, "ombudsman") == 0;
	json_decref(org);
	r->line = registry_line(r->registry, r->ask->org);
	if (!r->line || ids_of(r->line, &r->line_list, &r->orgs))
		return lost(r);
	return ARK_OK;
}

static bool same_text(const char *a, const char *b)
{
	return (!a && !b) || (a && b && strcmp(a, b) == 0);
}

/* Takes the principal. */
static int join_group(struct replay *r, struct principal *who)
{
	for (size_t i = 0; i < r->groups_len; i++) {
		const struct access_principal *a = &r->groups[i].who->access, *b = &who->access;

		if (a->roles != b->roles || !same_text(a->valid_from, b->valid_from) ||
		    !same_text(a->valid_until, b->valid_until))
			continue;
		r->groups[i].users++;
		principal_unref(who);
		return ARK_OK;
	}
	if (r->groups_len == REPLAY_GROUPS_MAX) {
		principal_unref(who);
		return wrong(
		    r, "role", "The organisation had over 64 different sets of roles: name one.");
	}
	r->groups[r->groups_len++] = (struct group){who, 1};
	return ARK_OK;
}

static int settle_groups(struct replay *r)
{
	json_t *users = registry_all(r->registry, "users"), *user;
	unsigned int wanted = 0;
	int rc = users ? ARK_OK : lost(r);
	size_t i;

	if (!rc && r->ask->role && !access_role_parse(r->ask->role, &wanted))
		rc = wrong(r, "role", "There is no such role.");
	json_array_foreach(users, i, user)
	{
		const char *org = json_text(user, "org");
		struct principal *who = NULL;

		if (rc || !org || strcmp(org, r->ask->org) != 0)
			continue;
		rc =
		    registry_principal_on(r->registry, json_text(user, "id"), r->day, &who, r->err);
		if (rc == ARK_ENOTFOUND) { /* it was not active then */
			rc = ARK_OK;
			continue;
		}
		if (!rc && wanted && !(who->access.roles & wanted))
			principal_unref(who);
		else if (!rc)
			rc = join_group(r, who);
	}
	json_decref(users);
	return rc;
}

/* ---- what could be seen ---- */

static const enum access_action asked[] = {
    ACCESS_LIST, ACCESS_READ, ACCESS_READ_CONTENT, ACCESS_READ_PUBLIC};
enum { ASKED = sizeof(asked) / sizeof(*asked) };

static json_t *decision_json(const struct access_rules *rules, const struct access_decision *d)
{
	json_t *policies = json_array();

	for (size_t i = 0; i < d->policies_len; i++)
		json_array_append_new(
		    policies, json_string(access_policy_id(rules, d->policies[i])));
	return json_pack(
	    "{s:s,s:o}", "outcome", access_outcome_name(d->outcome), "policies", policies);
}

/* Something of it was shown when it could be listed and either of its forms read; a purpose may be stated. */
static bool sees(const struct access_decision d[ASKED])
{
	return d[0].outcome != ACCESS_DENY &&
	       (d[1].outcome != ACCESS_DENY || d[3].outcome != ACCESS_DENY);
}

/* *ret is the caller's. */
static int decide_group(struct replay *r, const struct group *g, const struct resource *resource,
    uint32_t version, json_t **ret)
{
	const struct access_context context = {.now_us = r->ask->at_us, .strong = true};
	struct access_decision d[ASKED];
	json_t *out = json_object();
	int rc = out ? ARK_OK : lost(r);

	for (size_t i = 0; !rc && i < ASKED; i++) {
		rc = access_decide(g->who->rules, &g->who->access, asked[i], &resource->r, &context,
		    &d[i], r->err);
		if (!rc && json_object_set_new(out, access_action_name(asked[i]),
			       decision_json(g->who->rules, &d[i])))
			rc = lost(r);
	}
	if (!rc &&
	    (json_object_set_new(out, "sees", json_boolean(sees(d))) ||
		json_object_set_new(out, "version", version ? json_integer(version) : json_null())))
		rc = lost(r);
	if (rc)
		json_decref(out);
	else
		*ret = out;
	return rc;
}

static int decide_newest(struct replay *r, struct thing *t)
{
	for (size_t i = 0; i < r->groups_len; i++) {
		json_t *decision = NULL;
		int rc = decide_group(r, &r->groups[i], &t->resource, t->past.version, &decision);

		if (!rc && json_array_append_new(t->decisions, decision))
			rc = lost(r);
		if (rc)
			return rc;
	}
	return ARK_OK;
}

static bool group_sees(const struct thing *t, size_t i)
{
	return json_is_true(json_object_get(json_array_get(t->decisions, i), "sees"));
}

static int decide_older(
    struct replay *r, struct thing *t, const struct resource *resource, uint32_t version)
{
	for (size_t i = 0; i < r->groups_len; i++) {
		json_t *decision = NULL;
		int rc;

		if (group_sees(t, i))
			continue;
		rc = decide_group(r, &r->groups[i], resource, version, &decision);
		if (rc)
			return rc;
		if (!json_is_true(json_object_get(decision, "sees")))
			json_decref(decision);
		else if (json_array_set_new(t->decisions, i, decision))
			return lost(r);
	}
	return ARK_OK;
}

static bool all_see(const struct replay *r, struct thing *t)
{
	bool all = true;

	for (size_t i = 0; i < r->groups_len; i++) {
		t->could = t->could || group_sees(t, i);
		all = all && group_sees(t, i);
	}
	return all;
}

/* Whoever is not shown the newest version is shown the newest of those that are his to see. */
static int decide_versions(struct replay *r, struct thing *t)
{
	int rc = decide_newest(r, t);

	for (uint32_t n = t->past.version; !rc && !all_see(r, t) && n > 1; n--) {
		struct past_document older = {0};
		struct resource resource = {0};

		rc = past_document(r->a, r->receipt, t->id, n - 1, r->ask->at_us, &older, r->err);
		if (!rc)
			rc = resource_fill(
			    older.fields, json_incref(older.counties), &resource, r->err);
		resource.r.id = t->id;
		resource.r.rendition = older.rendition;
		if (!rc)
			rc = decide_older(r, t, &resource, n - 1);
		resource_free(&resource);
		past_document_free(&older);
	}
	if (!rc)
		(void)all_see(r, t);
	return rc;
}

/* ---- what was opened ---- */

static bool of_the_line(const struct replay *r, const struct ledger_entry *e)
{
	const char *org = json_text(e->b, "org");

	for (size_t i = 0; org && i < r->orgs.len; i++)
		if (strcmp(org, r->orgs.id[i]) == 0)
			return true;
	return false;
}

/* A hit in a list tells that there is something; to ask why one may read does not read. */
static bool is_opening(const struct ledger_entry *e)
{
	static const char *const kinds[] = {"metadata", "content", "text", "export"};
	const char *kind = json_text(e->a, "kind"), *outcome = json_text(e->a, "outcome");

	if (!kind || !outcome || strcmp(outcome, "ok") != 0 ||
	    json_object_get(json_object_get(e->a, "detail"), "explain"))
		return false;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		if (strcmp(kind, kinds[i]) == 0)
			return true;
	return false;
}

static json_t *entry_json(const struct ledger_entry *e)
{
	static const char *const of_a[] = {
	    "time", "kind", "outcome", "version", "purpose", "case", "breakGlass"};
	static const char *const of_b[] = {"org", "principal", "roles"};
	json_t *out = json_pack("{s:I}", "index", (json_int_t)e->index);

	for (size_t i = 0; i < sizeof(of_a) / sizeof(*of_a); i++)
		if (json_object_get(e->a, of_a[i]))
			json_object_set(out, of_a[i], json_object_get(e->a, of_a[i]));
	for (size_t i = 0; i < sizeof(of_b) / sizeof(*of_b); i++)
		if (json_object_get(e->b, of_b[i]))
			json_object_set(out, of_b[i], json_object_get(e->b, of_b[i]));
	return out;
}

struct opening {
	struct replay *r;
	struct thing *t;
};

static int note_opening(void *arg, const struct ledger_entry *e)
{
	struct opening *o = arg;
	struct thing *t = o->t;

	t->found++;
	t->after = e->index + 1;
	if (!of_the_line(o->r, e))
		return 0;
	t->did = t->did || is_opening(e);
	if (json_array_size(t->opened) == REPLAY_ENTRIES_MAX)
		t->cut = true;
	else if (json_array_append_new(t->opened, entry_json(e)))
		return lost(o->r);
	return 0;
}

/* The filter by organisation passes over the Ombudsman's own series: for him it is not used. */
static int find_openings(struct replay *r, struct thing *t)
{
	struct ledger_filter filter = {.document = t->id, .to_us = r->ask->at_us + 1};
	struct opening o = {r, t};
	int rc = ARK_OK;

	if (!r->ombudsman && r->orgs.len <= LEDGER_ORGS_MAX) {
		filter.orgs = r->orgs.id;
		filter.orgs_len = r->orgs.len;
	}
	do {
		t->found = 0;
		filter.after = t->after;
		rc = ledger_find(archive_ledger(r->a, LEDGER_ACCESS), &filter, REPLAY_ENTRIES_MAX,
		    note_opening, &o, r->err);
	} while (!rc && t->found == REPLAY_ENTRIES_MAX && !(t->cut && t->did));
	return rc;
}

/* ---- one document ---- */

static bool of_unit(const struct replay *r, const json_t *fields)
{
	json_t *unit;
	size_t i;

	json_array_foreach(json_object_get(fields, "units"), i,
	    unit) if (json_is_string(unit) &&
		      strcmp(json_string_value(unit), r->ask->unit) == 0) return true;
	return false;
}

/* The keys of a destroyed document are gone: of it only its end is known, not what was amended before. */
static int as_tombstone(struct replay *r, struct thing *t)
{
	const char *filed = json_text(t->stone, "filedAt");
	int64_t filed_us;

	if (!filed || !clock_parse(filed, &filed_us) || filed_us > r->ask->at_us)
		return ARK_ENOTFOUND;
	t->past.fields = json_incref(json_object_get(t->stone, "fields"));
	t->past.counties = json_incref(json_object_get(t->stone, "counties"));
	t->past.rendition = json_is_true(json_object_get(t->stone, "rendition"));
	return ARK_OK;
}

/* ARK_ENOTFOUND: it was not there, or not of the unit. */
static int settle_thing(struct replay *r, struct thing *t)
{
	int rc;

	t->stone = disposition_tombstone(archive_registry(r->a), t->id);
	if (t->stone)
		rc = as_tombstone(r, t);
	else
		rc = past_document(r->a, r->receipt, t->id, 0, r->ask->at_us, &t->past, r->err);
	if (!rc && !of_unit(r, t->past.fields))
		rc = ARK_ENOTFOUND;
	if (rc)
		return rc;
	rc = resource_fill(t->past.fields, json_incref(t->past.counties), &t->resource, r->err);
	t->resource.r.id = t->id;
	t->resource.r.rendition = t->past.rendition;
	return rc;
}

static const char *verdict_of(const struct thing *t)
{
	if (t->could)
		return t->did ? "could-and-did" : "could-and-did-not";
	/* behind broken glass, or by a right that had ended */
	return t->did ? "could-not-but-did" : "could-not";
}

static json_t *thing_json(const struct thing *t)
{
	const json_t *fields = t->past.fields;
	json_t *out =
	    json_pack("{s:s,s:s,s:O*,s:O*,s:s?,s:O*}", "id", t->id, "verdict", verdict_of(t),
		"type", json_object_get(fields, "type"), "date", json_object_get(fields, "date"),
		"publicity", json_text(json_object_get(fields, "publicity"), "class"), "author",
		json_object_get(fields, "author"));

	if (!out)
		return NULL;
	if (t->stone)
		json_object_set_new(out, "tombstone",
		    json_pack("{s:O*,s:O*,s:O*,s:O*}", "filedAt",
			json_object_get(t->stone, "filedAt"), "versions",
			json_object_get(t->stone, "versions"), "destroyedAt",
			json_object_get(t->stone, "destroyedAt"), "ground",
			json_object_get(t->stone, "ground")));
	else {
		json_object_set(out, "title", json_object_get(fields, "title"));
		json_object_set_new(out, "version", json_integer(t->past.version));
		json_object_set_new(out, "metadata", json_integer(t->past.metadata));
	}
	json_object_set(out, "state", json_object_get(fields, "state"));
	json_object_set_new(out, "rendition", json_boolean(t->past.rendition));
	json_object_set(out, "could", t->decisions);
	json_object_set(out, "opened", t->opened);
	if (t->cut)
		json_object_set_new(out, "openedCut", json_true());
	return out;
}

static int replay_document(struct replay *r, const char *id)
{
	struct thing t = {.id = id, .decisions = json_array(), .opened = json_array()};
	int rc = t.decisions && t.opened ? settle_thing(r, &t) : lost(r);

	if (!rc)
		rc = decide_versions(r, &t);
	if (!rc)
		rc = find_openings(r, &t);
	if (!rc && json_array_append_new(r->documents, thing_json(&t)))
		rc = lost(r);
	r->entries += json_array_size(t.opened);
	json_decref(t.decisions);
	json_decref(t.opened);
	json_decref(t.stone);
	resource_free(&t.resource);
	past_document_free(&t.past);
	return rc == ARK_ENOTFOUND ? ARK_OK : rc;
}

/* A page ends with its documents, or with its entries. */
static int replay_documents(struct replay *r, char ret_next[33])
{
	const struct report_scope scope = {.unit = r->ask->unit,
	    /* what changed in the very microsecond was there already */
	    .changed_since_us = r->ask->at_us};
	int rc;

	memcpy(r->ids->after, r->ask->after, sizeof(r->ids->after));
	do {
		rc = report_ids_gather(r->ids, r->a, &scope, r->err);
		for (size_t i = 0; !rc && i < r->ids->len; i++) {
			if (json_array_size(r->documents) == r->ask->limit ||
			    r->entries >= REPLAY_PAGE_ENTRIES_MAX) {
				memcpy(ret_next, r->ids->after, 33);
				return ARK_OK;
			}
			rc = replay_document(r, r->ids->id[i]);
			memcpy(r->ids->after, r->ids->id[i], sizeof(r->ids->after));
		}
	} while (!rc && r->ids->more);
	return rc;
}

/* ---- the report ---- */

static json_t *groups_json(const struct replay *r)
{
	json_t *out = json_array();

	for (size_t i = 0; i < r->groups_len; i++) {
		const struct principal *p = r->groups[i].who;

		json_array_append_new(
		    out, json_pack("{s:s,s:i,s:s*,s:s*}", "roles", p->roles_text, "users",
			     (int)r->groups[i].users, "from", p->access.valid_from, "until",
			     p->access.valid_until));
	}
	return out;
}

static json_t *named(struct registry *registry, const char *kind, const char *id)
{
	json_t *record = registry_get(registry, kind, id);
	json_t *out = json_pack("{s:s,s:O*}", "id", id, "name", json_object_get(record, "name"));

	json_decref(record);
	return out;
}

static int report(struct replay *r, const char *next, json_t **ret)
{
	char at[CLOCK_TEXT_SIZE], now[CLOCK_TEXT_SIZE];

	clock_format(at, r->ask->at_us);
	clock_format(now, clock_now_us());
	*ret = json_pack("{s:s,s:s,s:s,s:s,s:s,s:o,s:o,s:s?,s:O,s:I,s:o,s:s?,s:s?,s:O}", "kind",
	    "arkki-replay/1", "origin", archive_origin(r->a), "made", now, "by", r->ask->by, "at",
	    at, "org", named(r->registry, "orgs", r->ask->org), "unit",
	    named(r->registry, "units", r->ask->unit), "role", r->ask->role, "line", r->line,
	    "policiesVersion", (json_int_t)r->policies, "roles", groups_json(r), "after",
	    *r->ask->after ? r->ask->after : NULL, "until", *next ? next : NULL, "documents",
	    r->documents);
	return *ret ? ARK_OK : lost(r);
}

static void replay_end(struct replay *r)
{
	for (size_t i = 0; i < r->groups_len; i++)
		principal_unref(r->groups[i].who);
	free(r->line_list);
	json_decref(r->line);
	json_decref(r->documents);
	free(r->ids);
	if (!r->ask->past)
		registry_free(r->registry);
}

int replay_make(struct app *app, const struct receipt *receipt, struct replay_ask *ask,
    json_t **ret, char ret_next[33], struct ark_error *err)
{
	struct replay r = {
	    .app = app, .a = app->archive, .receipt = receipt, .ask = ask, .err = err};
	int rc;

	ret_next[0] = '\0';
	r.documents = json_array();
	r.ids = calloc(1, sizeof(*r.ids));
	rc = r.documents && r.ids ? settle_registers(&r) : lost(&r);
	if (!rc)
		rc = settle_groups(&r);
	if (!rc)
		rc = replay_documents(&r, ret_next);
	if (!rc)
		rc = report(&r, ret_next, ret);
	replay_end(&r);
	return rc;
}
