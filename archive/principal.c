/* Who a user is to the policies: account, organisation and those it follows,
 * and the units that it has something to do with on one day.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arkki/archive/accounts.h"
#include "arkki/archive/registry.h"
#include "arkki/base/clock.h"
#include "arkki/base/json.h"

struct list { /* ids that own their bytes through `keep` */
	json_t *keep;
	const char **ids;
	size_t len;
};

struct principal_box {
	struct principal p; /* first: the pointer callers hold */
	atomic_uint refs;
	json_t *user, *org; /* own the strings */
	struct list orgs, counties, municipalities, placed, own, area;
	char roles_text[128];
	pthread_mutex_t lock;
	struct access_sight *kept;
	struct access_filter *content;  /* of what such requests may have the content */
	atomic_int may[ACCESS_ACTIONS]; /* what they may do that is of no document: enum known */
};

/* ---- lists ---- */

static int list_seal(struct list *l, struct access_ids *ret)
{
	size_t n = json_array_size(l->keep);

	l->ids = calloc(n ? n : 1, sizeof(*l->ids));
	if (!l->keep || !l->ids)
		return ARK_ENOMEM;
	for (size_t i = 0; i < n; i++) {
		const char *id = json_string_value(json_array_get(l->keep, i));

		if (id && *id)
			l->ids[l->len++] = id;
	}
	*ret = (struct access_ids){l->ids, l->len};
	return ARK_OK;
}

static void list_free(struct list *l)
{
	json_decref(l->keep);
	free(l->ids);
}

static bool among(const struct list *l, const char *id)
{
	size_t i;
	json_t *v;

	json_array_foreach(
	    l->keep, i, v) if (id && strcmp(json_string_value(v), id) == 0) return true;
	return false;
}

/* ---- what the organisations bring ---- */

/* Counties and municipalities of every organisation of the line. */
static int gather_regions(struct registry *r, struct principal_box *b)
{
	size_t i, k;
	json_t *id, *code;

	b->counties.keep = json_array();
	b->municipalities.keep = json_array();
	json_array_foreach(b->orgs.keep, i, id)
	{
		json_t *org = registry_get(r, "orgs", json_string_value(id));

		json_array_foreach(json_object_get(org, "counties"), k, code)
		{
			json_array_append(b->counties.keep, code);
		}
		json_array_foreach(json_object_get(org, "municipalities"), k, code)
		{
			json_array_append(b->municipalities.keep, code);
		}
		json_decref(org);
	}
	return b->counties.keep && b->municipalities.keep ? ARK_OK : ARK_ENOMEM;
}

static bool runs_on(const json_t *record, const char *day)
{
	const char *from = json_text(record, "from"), *to = json_text(record, "to");

	return (!from || strcmp(from, day) <= 0) && (!to || strcmp(day, to) <= 0);
}

static void gather_placement(void *arg, const json_t *record)
{
	struct principal_box *b = arg;

	if (among(&b->orgs, json_text(record, "org")) && runs_on(record, b->p.day))
		json_array_append(b->placed.keep, json_object_get(record, "unit"));
}

static void gather_unit(void *arg, const json_t *record)
{
	struct principal_box *b = arg;

	if (among(&b->orgs, json_text(record, "provider")))
		json_array_append(b->own.keep, json_object_get(record, "id"));
	if (among(&b->municipalities, json_text(record, "municipality")))
		json_array_append(b->area.keep, json_object_get(record, "id"));
}

static int gather(struct registry *r, struct principal_box *b)
{
	struct access_principal *a = &b->p.access;
	int rc;

	b->orgs.keep = registry_line(r, json_text(b->org, "id"));
	rc = gather_regions(r, b);
	b->placed.keep = json_array();
	b->own.keep = json_array();
	b->area.keep = json_array();
	if (!rc) {
		registry_each(r, "placements", gather_placement, b);
		registry_each(r, "units", gather_unit, b);
	}
	if (rc || list_seal(&b->orgs, &a->orgs) || list_seal(&b->counties, &a->counties) ||
	    list_seal(&b->municipalities, &a->municipalities) ||
	    list_seal(&b->placed, &a->placed_units) || list_seal(&b->own, &a->own_units) ||
	    list_seal(&b->area, &a->area_units))
		return ARK_ENOMEM;
	return ARK_OK;
}

static void take_roles(struct principal_box *b)
{
	size_t i, used = 0;
	json_t *role;

	json_array_foreach(json_object_get(b->user, "roles"), i, role)
	{
		const char *name = json_string_value(role);
		unsigned int bit;
		int n;

		if (!name || !access_role_parse(name, &bit))
			continue;
		b->p.access.roles |= bit;
		n = snprintf(b->roles_text + used, sizeof(b->roles_text) - used, "%s%s",
		    used ? " " : "", name);
		if (n > 0 && used + (size_t)n < sizeof(b->roles_text))
			used += (size_t)n;
	}
}

/* Of two days the one that counts: an account ends with its organisation, or before it. */
static const char *later(const char *a, const char *b)
{
	return !a || (b && strcmp(b, a) > 0) ? b : a;
}

static const char *earlier(const char *a, const char *b)
{
	return !a || (b && strcmp(b, a) < 0) ? b : a;
}

static int fill(struct registry *r, struct principal_box *b, struct ark_error *err)
{
	struct access_principal *a = &b->p.access;

	b->p.rules = registry_rules(r);
	if (!b->p.rules)
		return ark_fail(err, ARK_ECORRUPT, "the archive has no policies in force");
	if (!access_org_kind_parse(json_text(b->org, "kind"), &a->org_kind))
		return ark_fail(err, ARK_ECORRUPT, "the organisation %s has no known kind",
		    json_text(b->org, "id"));
	if (gather(r, b))
		return ark_fail(err, ARK_ENOMEM, "no memory for a principal");
	a->user = json_text(b->user, "id");
	a->org = json_text(b->org, "id");
	a->valid_from = later(json_text(b->org, "from"), json_text(b->user, "from"));
	a->valid_until = earlier(json_text(b->org, "to"), json_text(b->user, "to"));
	b->p.name = json_text(b->user, "name");
	b->p.roles_text = b->roles_text;
	b->p.own_series = a->org_kind == ACCESS_ORG_OMBUDSMAN;
	take_roles(b);
	return ARK_OK;
}

static struct principal_box *box_new(struct registry *r, const char *day, struct ark_error *err)
{
	struct principal_box *b = calloc(1, sizeof(*b));
	int rc;

	if (!b) {
		rc = ark_fail(err, ARK_ENOMEM, "no memory for a principal");
		(void)rc;
		return NULL;
	}
	atomic_init(&b->refs, 1);
	pthread_mutex_init(&b->lock, NULL);
	b->p.generation = registry_generation(r);
	snprintf(b->p.day, sizeof(b->p.day), "%s", day);
	return b;
}

int registry_principal_on(struct registry *r, const char *user, const char *day,
    struct principal **ret, struct ark_error *err)
{
	struct principal_box *b = box_new(r, day, err);
	int rc = ARK_OK;

	if (!b)
		return ARK_ENOMEM;
	b->user = registry_get(r, "users", user);
	if (b->user && account_state(b->user) != ACCOUNT_ACTIVE)
		rc = ark_fail(err, ARK_ENOTFOUND, "the account %s is %s", user,
		    account_state_name(account_state(b->user)));
	else if (b->user)
		b->org = registry_get(r, "orgs", json_text(b->user, "org"));
	if (!rc && !b->org)
		rc = ark_fail(err, ARK_ENOTFOUND, "there is no user %s with an organisation", user);
	if (!rc)
		rc = fill(r, b, err);
	if (rc)
		principal_unref(&b->p);
	else
		*ret = &b->p;
	return rc;
}

int registry_principal_of(
    struct registry *r, const char *org, struct principal **ret, struct ark_error *err)
{
	struct principal_box *b;
	char today[11];
	int rc;

	clock_day(today, clock_now_us());
	b = box_new(r, today, err);
	if (!b)
		return ARK_ENOMEM;
	b->org = registry_get(r, "orgs", org);
	b->user = json_pack("{s:s,s:s,s:s}", "id", "-", "org", org, "name", "");
	if (!b->org)
		rc = ark_fail(err, ARK_ENOTFOUND, "there is no such organisation");
	else if (!b->user)
		rc = ark_fail(err, ARK_ENOMEM, "no memory for a principal");
	else
		rc = fill(r, b, err);
	if (rc)
		principal_unref(&b->p);
	else
		*ret = &b->p;
	return rc;
}

int registry_principal(
    struct registry *r, const char *user, struct principal **ret, struct ark_error *err)
{
	char today[11];

	clock_day(today, clock_now_us());
	return registry_principal_on(r, user, today, ret, err);
}

bool principal_current(const struct principal *p, struct registry *r)
{
	char today[11];

	clock_day(today, clock_now_us());
	return p->generation == registry_generation(r) && strcmp(p->day, today) == 0;
}

struct principal *principal_ref(struct principal *p)
{
	atomic_fetch_add(&((struct principal_box *)p)->refs, 1);
	return p;
}

void principal_unref(struct principal *p)
{
	struct principal_box *b = (struct principal_box *)p;

	if (!b || atomic_fetch_sub(&b->refs, 1) != 1)
		return;
	access_sight_unref(b->kept);
	access_filter_free(b->content);
	access_rules_unref(b->p.rules);
	json_decref(b->user);
	json_decref(b->org);
	list_free(&b->orgs);
	list_free(&b->counties);
	list_free(&b->municipalities);
	list_free(&b->placed);
	list_free(&b->own);
	list_free(&b->area);
	pthread_mutex_destroy(&b->lock);
	free(b);
}

/* ---- sights ---- */

/* Most requests state nothing; their sight changes with the day only, unless
 * policies look at the hour or at the network. */
static bool keepable(const struct principal *p, const struct access_context *c)
{
	return !c->purpose && !c->case_id && !c->break_glass && c->strong &&
	       access_rules_steady(p->rules);
}

int principal_sight(struct principal *p, const struct access_context *context,
    struct access_sight **ret, struct ark_error *err)
{
	struct principal_box *b = (struct principal_box *)p;
	bool keep = keepable(p, context);
	int rc;

	if (keep) {
		pthread_mutex_lock(&b->lock);
		*ret = b->kept ? access_sight_ref(b->kept) : NULL;
		pthread_mutex_unlock(&b->lock);
		if (*ret)
			return ARK_OK;
	}
	rc = access_sight_new(p->rules, &p->access, context, ret, err);
	if (rc || !keep)
		return rc;
	pthread_mutex_lock(&b->lock);
	if (!b->kept)
		b->kept = access_sight_ref(*ret);
	pthread_mutex_unlock(&b->lock);
	return ARK_OK;
}

int principal_content(struct principal *p, const struct access_context *context,
    const struct access_filter **ret, struct ark_error *err)
{
	struct principal_box *b = (struct principal_box *)p;
	int rc = ARK_OK;

	if (!keepable(p, context))
		return 1;
	pthread_mutex_lock(&b->lock);
	if (!b->content)
		rc = access_filter(
		    p->rules, &p->access, ACCESS_READ_CONTENT, context, &b->content, err);
	if (!rc)
		*ret = b->content;
	pthread_mutex_unlock(&b->lock);
	return rc;
}

enum known { KNOWN_NOT_YET, KNOWN_NO, KNOWN_YES };

int principal_may(struct principal *p, enum access_action action,
    const struct access_context *context, bool *ret, struct ark_error *err)
{
	struct principal_box *b = (struct principal_box *)p;
	bool keep = keepable(p, context);
	struct access_decision d = {.outcome = ACCESS_DENY};
	int known = keep ? atomic_load(&b->may[action]) : KNOWN_NOT_YET, rc;

	if (known != KNOWN_NOT_YET) {
		*ret = known == KNOWN_YES;
		return ARK_OK;
	}
	rc = access_decide(p->rules, &p->access, action, NULL, context, &d, err);
	if (rc)
		return rc;
	*ret = d.outcome == ACCESS_PERMIT;
	if (keep)
		atomic_store(&b->may[action], *ret ? KNOWN_YES : KNOWN_NO);
	return ARK_OK;
}
