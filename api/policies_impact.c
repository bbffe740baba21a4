/* How many documents a change of the policies shows and hides.
 *
 * Both sets of rules are asked for filters, for each distinct pair of
 * organisation and roles that users have. Where the two filters are the same
 * nothing changes; else the catalogue counts what one admits and the other does
 * not, over the union of a role's principals in one kind of organisation.
 */
#include "api/policies.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arkki/base/clock.h"
#include "arkki/base/json.h"

enum {
	PRINCIPALS_MAX = 200,
	UNITS_MAX = 2000, /* that a stated case may cover here: each is a parameter of a query */
	COUNTING_US = 60 * 1000 * 1000,
	NO_ROLE = ACCESS_ROLES,
	KINDS = ACCESS_ORG_PROVIDER + 1,
};

enum measure { READABLE, CONTENT, PURPOSED, PUBLIC, MEASURES };
enum side { MORE, FEWER, SIDES };

static const char *const measures[MEASURES] = {
    "readable", "content", "contentWithPurpose", "publicRendition"};

/* What one principal is shown by one set of rules: a filter for each measure. */
struct view {
	struct access_sight *sight;
	struct access_filter *content, *purposed; /* as the policies have them */
	struct access_filter joined[MEASURES], rendition;
	struct access_filter *parts[MEASURES][2];
	char public[8];
	const struct access_filter *filter[MEASURES]; /* NULL: not asked */
};

/* Two filters that differ, and what is between them. */
struct change {
	struct access_filter negated[SIDES], side[SIDES];
	struct access_filter *of_negated[SIDES][1], *of_side[SIDES][2];
};

struct pair { /* one principal by both sets */
	struct principal *who;
	struct view old, new;
	struct change change[MEASURES];
	bool changes[MEASURES];
};

struct group {
	bool exists;
	size_t n[MEASURES];
	struct change *changes[MEASURES][PRINCIPALS_MAX];
};

struct impact {
	struct app *app;
	struct access_rules *old, *new;
	enum http_language language;
	struct pair *pairs[PRINCIPALS_MAX];
	size_t pairs_len;
	struct group groups[ACCESS_ROLES + 1][KINDS];
	const char **units;
	struct access_ids all_units;
	json_t *unit_records;
	int64_t until_us;
	bool complete;
};

/* ---- what a principal is shown ---- */

static struct access_filter joined(enum access_op op, struct access_filter **parts, size_t n)
{
	return (struct access_filter){.op = op, .child = parts, .children = n};
}

/* Bytes are had of what is shown whole. The nodes stay in the view. */
static void join_with(
    struct view *v, enum measure m, struct access_filter *shown, struct access_filter *and)
{
	v->parts[m][0] = shown;
	v->parts[m][1] = and;
	v->joined[m] = joined(ACCESS_OP_AND, v->parts[m], 2);
	v->filter[m] = &v->joined[m];
}

static int look(const struct impact *i, const struct access_rules *rules,
    const struct access_principal *p, struct view *v, struct ark_error *err)
{
	const struct access_context nothing = {.strong = true};
	const struct access_context stated = {
	    .strong = true, .purpose = "-", .case_id = "-", .case_units = i->all_units};
	int rc = access_sight_new(rules, p, &nothing, &v->sight, err);

	if (!rc)
		rc = access_filter(rules, p, ACCESS_READ_CONTENT, &nothing, &v->content, err);
	if (!rc && i->units)
		rc = access_filter(rules, p, ACCESS_READ_CONTENT, &stated, &v->purposed, err);
	if (rc)
		return rc;
	memcpy(v->public, "public", 7);
	v->rendition = (struct access_filter){
	    .op = ACCESS_OP_HAS, .attribute = ACCESS_ATTR_RENDITION, .value = v->public};
	v->filter[READABLE] = v->sight->whole;
	join_with(v, CONTENT, v->sight->whole, v->content);
	if (v->purposed)
		join_with(v, PURPOSED, v->sight->whole, v->purposed);
	join_with(v, PUBLIC, v->sight->any, &v->rendition);
	return ARK_OK;
}

static void view_end(struct view *v)
{
	access_sight_unref(v->sight);
	access_filter_free(v->content);
	access_filter_free(v->purposed);
}

static bool same(const struct access_filter *a, const struct access_filter *b)
{
	if (a->op != b->op || a->attribute != b->attribute || a->children != b->children ||
	    !a->value != !b->value || (a->value && strcmp(a->value, b->value) != 0))
		return false;
	for (size_t i = 0; i < a->children; i++)
		if (!same(a->child[i], b->child[i]))
			return false;
	return true;
}

/* ---- pairs and groups ---- */

/* The catalogue changes no filter that it is given; lists of children are not const. */
static struct access_filter *given(const struct access_filter *f)
{
	return (struct access_filter *)(uintptr_t)f;
}

static void between(
    struct change *c, const struct access_filter *old, const struct access_filter *new)
{
	const struct access_filter *const of[SIDES] = {[MORE] = new, [FEWER] = old};

	for (unsigned int s = 0; s < SIDES; s++) {
		c->of_negated[s][0] = given(of[s == MORE ? FEWER : MORE]);
		c->negated[s] = joined(ACCESS_OP_NOT, c->of_negated[s], 1);
		c->of_side[s][0] = given(of[s]);
		c->of_side[s][1] = &c->negated[s];
		c->side[s] = joined(ACCESS_OP_AND, c->of_side[s], 2);
	}
}

static void pair_free(struct pair *p)
{
	if (!p)
		return;
	view_end(&p->old);
	view_end(&p->new);
	principal_unref(p->who);
	free(p);
}

/* Colleagues mostly differ alike: what another principal already brought is not asked twice. */
static void join_group(struct group *g, struct pair *p)
{
	g->exists = true;
	for (unsigned int m = 0; m < MEASURES; m++) {
		bool there = !p->changes[m];

		for (size_t i = 0; !there && i < g->n[m]; i++)
			there = same(&g->changes[m][i]->side[MORE], &p->change[m].side[MORE]);
		if (!there)
			g->changes[m][g->n[m]++] = &p->change[m];
	}
}

/* Takes `who`. */
static int add_pair(struct impact *i, struct principal *who, struct ark_error *err)
{
	struct pair *p = calloc(1, sizeof(*p));
	int rc;

	if (!p) {
		principal_unref(who);
		return ark_fail(err, ARK_ENOMEM, "no memory to compare policies");
	}
	p->who = who;
	i->pairs[i->pairs_len++] = p;
	rc = look(i, i->old, &who->access, &p->old, err);
	if (!rc)
		rc = look(i, i->new, &who->access, &p->new, err);
	if (rc)
		return rc;
	for (unsigned int m = 0; m < MEASURES; m++) {
		const struct access_filter *old = p->old.filter[m], *new = p->new.filter[m];

		p->changes[m] = old && !same(old, new);
		if (p->changes[m])
			between(&p->change[m], old, new);
	}
	for (unsigned int role = 0; role < ACCESS_ROLES; role++)
		if (who->access.roles >> role & 1)
			join_group(&i->groups[role][who->access.org_kind], p);
	if (!who->access.roles)
		join_group(&i->groups[NO_ROLE][who->access.org_kind], p);
	return ARK_OK;
}

/* "organisation roles" */
static void key_of(const json_t *user, char out[100])
{
	unsigned int roles = 0, bit;
	size_t i;
	json_t *role;

	json_array_foreach(json_object_get(user, "roles"), i, role)
	{
		if (json_is_string(role) && access_role_parse(json_string_value(role), &bit))
			roles |= bit;
	}
	snprintf(out, 100, "%.80s %u", json_text(user, "org") ? json_text(user, "org") : "", roles);
}

static int add_users(struct impact *i, struct ark_error *err)
{
	struct registry *registry = archive_registry(i->app->archive);
	json_t *users = registry_all(registry, "users"), *seen = json_object(), *user;
	struct principal *who;
	char key[100];
	size_t at;
	int rc = users && seen ? ARK_OK : ark_fail(err, ARK_ENOMEM, "no memory for the users");

	json_array_foreach(users, at, user)
	{
		key_of(user, key);
		if (rc || json_object_get(seen, key))
			continue;
		if (registry_principal(registry, json_text(user, "id"), &who, NULL))
			continue; /* an account without an organisation, or not active, is shown nothing */
		json_object_set_new(seen, key, json_true());
		if (i->pairs_len < PRINCIPALS_MAX) {
			rc = add_pair(i, who, err);
		} else {
			principal_unref(who);
			i->complete = false;
		}
	}
	json_decref(users);
	json_decref(seen);
	return rc;
}

/* A case that covers everything: what a purpose opens at the most. */
static int take_units(struct impact *i, struct ark_error *err)
{
	size_t n;

	i->unit_records = registry_all(archive_registry(i->app->archive), "units");
	n = json_array_size(i->unit_records);
	if (n > UNITS_MAX) {
		i->complete = false;
		return ARK_OK;
	}
	i->units = calloc(n + 1, sizeof(*i->units));
	if (!i->unit_records || !i->units)
		return ark_fail(err, ARK_ENOMEM, "no memory for the units");
	for (size_t k = 0; k < n; k++)
		i->units[k] = json_text(json_array_get(i->unit_records, k), "id");
	i->all_units = (struct access_ids){i->units, n};
	return ARK_OK;
}

/* ---- counting ---- */

/* False: not counted, for want of time or because the question is too long for the catalogue. */
static bool count(struct impact *i, struct desk *desk, struct group *g, enum measure m,
    enum side side, uint64_t *ret)
{
	struct access_filter *parts[PRINCIPALS_MAX];
	struct access_filter any = joined(ACCESS_OP_OR, parts, g->n[m]);
	struct access_sight sight = {&any, &any};
	const struct catalogue_list all = {0};

	*ret = 0;
	for (size_t k = 0; k < g->n[m]; k++)
		parts[k] = &g->changes[m][k]->side[side];
	if (g->n[m] == 0)
		return true;
	return !atomic_load(&i->app->policies->stopping) && clock_monotonic_us() < i->until_us &&
	       !catalogue_count(desk->catalogue, &all, &sight, ret, NULL);
}

/* What is said after the number, by measure, side, language, and whether it is one; then the role. */
static const char *const clauses[MEASURES][SIDES][3][2] = {
    [READABLE] =
	{{{" asiakirja tulee luettavaksi roolille ", " asiakirjaa tulee luettavaksi roolille "},
	     {" handling blir läsbar för rollen ", " handlingar blir läsbara för rollen "},
	     {" document becomes readable to role ", " documents become readable to role "}},
	    {{" asiakirja lakkaa näkymästä roolille ", " asiakirjaa lakkaa näkymästä roolille "},
		{" handling slutar synas för rollen ", " handlingar slutar synas för rollen "},
		{" document stops being readable to role ",
		    " documents stop being readable to role "}}},
    [CONTENT] = {{{" asiakirjan sisältö avautuu roolille ",
		      " asiakirjan sisältö avautuu roolille "},
		     {" handling kan öppnas av rollen ", " handlingar kan öppnas av rollen "},
		     {" document opens its content to role ",
			 " documents open their content to role "}},
	{{" asiakirjan sisältö sulkeutuu roolilta ", " asiakirjan sisältö sulkeutuu roolilta "},
	    {" handling kan inte längre öppnas av rollen ",
		" handlingar kan inte längre öppnas av rollen "},
	    {" document closes its content to role ", " documents close their content to role "}}},
    [PURPOSED] = {{{" asiakirjan sisältö avautuu käyttötarkoituksen ilmoittavalle roolille ",
		       " asiakirjan sisältö avautuu käyttötarkoituksen ilmoittavalle roolille "},
		      {" handling kan för ett angivet ändamål öppnas av rollen ",
			  " handlingar kan för ett angivet ändamål öppnas av rollen "},
		      {" document opens its content for a stated purpose to role ",
			  " documents open their content for a stated purpose to role "}},
	{{" asiakirjan sisältö sulkeutuu käyttötarkoituksen ilmoittavaltakin roolilta ",
	     " asiakirjan sisältö sulkeutuu käyttötarkoituksen ilmoittavaltakin roolilta "},
	    {" handling kan inte ens för ett angivet ändamål längre öppnas av rollen ",
		" handlingar kan inte ens för ett angivet ändamål längre öppnas av rollen "},
	    {" document closes its content, even for a stated purpose, to role ",
		" documents close their content, even for a stated purpose, to role "}}},
    [PUBLIC] = {{{" asiakirjan julkinen kappale tulee luettavaksi roolille ",
		     " asiakirjan julkinen kappale tulee luettavaksi roolille "},
		    {" offentlig version blir läsbar för rollen ",
			" offentliga versioner blir läsbara för rollen "},
		    {" public rendition becomes readable to role ",
			" public renditions become readable to role "}},
	{{" asiakirjan julkinen kappale lakkaa näkymästä roolille ",
	     " asiakirjan julkinen kappale lakkaa näkymästä roolille "},
	    {" offentlig version slutar synas för rollen ",
		" offentliga versioner slutar synas för rollen "},
	    {" public rendition stops being readable to role ",
		" public renditions stop being readable to role "}}},
};
static const char *const unchanged[3] = {
    "mikään ei muutu roolille ", "ingenting ändras för rollen ", "nothing changes for role "};

static json_t *sentence(enum http_language language, const char *role, const char *kind,
    uint64_t counted[MEASURES][SIDES], bool all)
{
	struct buf text = BUF_INIT;
	json_t *v;

	for (unsigned int m = 0; m < MEASURES; m++)
		for (unsigned int s = 0; s < SIDES; s++)
			if (counted[m][s])
				buf_addf(&text, "%s%llu%s%s (%s)", text.len ? "; " : "",
				    (unsigned long long)counted[m][s],
				    clauses[m][s][language][counted[m][s] != 1], role, kind);
	if (!text.len && all)
		buf_addf(&text, "%s%s (%s)", unchanged[language], role, kind);
	v = buf_failed(&text) || !text.len ? json_null() : json_string(text.data);
	buf_free(&text);
	return v;
}

static json_t *group_json(struct impact *i, struct desk *desk, unsigned int role, unsigned int kind)
{
	struct group *g = &i->groups[role][kind];
	const char *role_name = role == NO_ROLE ? "-" : access_role_name(role);
	const char *kind_name = access_org_kind_name((enum access_org_kind)kind);
	json_t *v = json_pack(
	    "{s:s?,s:s}", "role", role == NO_ROLE ? NULL : role_name, "orgKind", kind_name);
	uint64_t counted[MEASURES][SIDES] = {0};
	bool all = true;

	for (unsigned int m = 0; m < MEASURES; m++) {
		bool both = (m != PURPOSED || i->units) &&
			    count(i, desk, g, (enum measure)m, MORE, &counted[m][MORE]) &&
			    count(i, desk, g, (enum measure)m, FEWER, &counted[m][FEWER]);

		all = all && both;
		json_object_set_new(v, measures[m],
		    both ? json_pack("{s:I,s:I}", "more", (json_int_t)counted[m][MORE], "fewer",
			       (json_int_t)counted[m][FEWER])
			 : json_null());
	}
	i->complete = i->complete && all;
	json_object_set_new(
	    v, "sentence", sentence(i->language, role_name, kind_name, counted, all));
	return v;
}

static int count_groups(struct impact *i, json_t **ret, struct ark_error *err)
{
	struct desk *desk = NULL;
	json_t *list;
	int rc = archive_desk(i->app->archive, &desk, err);

	if (rc)
		return rc;
	list = json_array();
	for (unsigned int role = 0; role <= NO_ROLE; role++)
		for (unsigned int kind = 0; kind < KINDS; kind++)
			if (i->groups[role][kind].exists)
				json_array_append_new(list, group_json(i, desk, role, kind));
	archive_desk_return(i->app->archive, desk);
	*ret = list;
	return list ? ARK_OK : ark_fail(err, ARK_ENOMEM, "no memory for a report");
}

int policies_impact(struct app *app, struct access_rules *old, struct access_rules *new,
    enum http_language language, json_t **ret, bool *ret_complete, struct ark_error *err)
{
	struct impact *i = calloc(1, sizeof(*i));
	int rc;

	if (!i)
		return ark_fail(err, ARK_ENOMEM, "no memory to compare policies");
	i->app = app;
	i->old = old;
	i->new = new;
	i->language = language;
	i->complete = true;
	i->until_us = clock_monotonic_us() + COUNTING_US;
	rc = take_units(i, err);
	if (!rc)
		rc = add_users(i, err);
	if (!rc)
		rc = count_groups(i, ret, err);
	if (!rc)
		*ret_complete = i->complete;
	for (size_t k = 0; k < i->pairs_len; k++)
		pair_free(i->pairs[k]);
	json_decref(i->unit_records);
	free(i->units);
	free(i);
	return rc;
}
