/* The spine's rules, one table for every question.
 *
 * A rule is: these actions, for these principals, over these resources.
 * access_decide() tests a known resource against `over`; access_filter()
 * writes the same `over` down as an expression. Adding a rule to the table
 * changes both, so a list cannot show what a read would refuse.
 */
#include "arkki/policies/access.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BIT(n) (1U << (n))

enum {
	READING = BIT(ACCESS_LIST) | BIT(ACCESS_READ) | BIT(ACCESS_READ_CONTENT),
	FILING = BIT(ACCESS_FILE) | BIT(ACCESS_AMEND),
	FILING_ROLES = ACCESS_INSPECTOR | ACCESS_REGISTRAR | ACCESS_SUPERVISOR,
	COUNTIES_MAX = 128, /* of one organisation; Finland has 21 and Åland */
};

static bool is_given(const char *text)
{
	return text && *text;
}

static bool same(const char *a, const char *b)
{
	return is_given(a) && is_given(b) && strcmp(a, b) == 0;
}

static bool contains(const char *const *list, size_t len, const char *value)
{
	for (size_t i = 0; i < len; i++)
		if (same(list[i], value))
			return true;
	return false;
}

/* ---- who ---- */
static bool every_account(const struct access_principal *p)
{
	(void)p;
	return true;
}

static bool state_agency(const struct access_principal *p)
{
	return p->org_kind == ACCESS_ORG_STATE_AGENCY;
}

static bool county_organisation(const struct access_principal *p)
{
	return p->org_kind == ACCESS_ORG_COUNTY;
}

static bool ombudsman(const struct access_principal *p)
{
	return p->org_kind == ACCESS_ORG_OMBUDSMAN;
}

static bool filing_role(const struct access_principal *p)
{
	return p->roles & FILING_ROLES;
}

static bool ombudsman_auditor(const struct access_principal *p)
{
	return ombudsman(p) && p->roles & ACCESS_AUDITOR;
}

static bool administrator(const struct access_principal *p)
{
	return p->roles & ACCESS_ADMIN;
}

/* ---- the rules ---- */
enum over {
	OVER_ALL,
	OVER_PUBLIC,
	OVER_OWN_COUNTIES, /* one of the units lies in one of the principal's counties */
	OVER_OWN_FILINGS, /* the principal's organisation is the author, and every unit lies in its counties */
};

struct rule {
	const char *name;
	const char *sentence;
	unsigned int actions;
	bool (*who)(const struct access_principal *p);
	enum over over;
};

static const struct rule rules[] = {
    {"public", "public documents are readable by every account", READING, every_account,
	OVER_PUBLIC},
    {"state-agency", "state agencies read documents of every class", READING, state_agency,
	OVER_ALL},
    {"county", "a wellbeing services county reads what concerns units in its counties", READING,
	county_organisation, OVER_OWN_COUNTIES},
    {"ombudsman", "the Ombudsman reads documents of every class", READING, ombudsman, OVER_ALL},
    {"file",
	"inspectors, registrars and supervisors file for their own organisation on units in its "
	"counties",
	FILING, filing_role, OVER_OWN_FILINGS},
    {"audit", "the Ombudsman's auditors read the access log", BIT(ACCESS_AUDIT), ombudsman_auditor,
	OVER_ALL},
    {"administer", "administrators see the status and load registers", BIT(ACCESS_ADMINISTER),
	administrator, OVER_ALL},
};
static const char no_rule[] = "none";

enum { RULES = sizeof(rules) / sizeof(*rules) };

/* A zeroed principal would be of the first kind of organisation: without a
 * user and an organisation it is nobody, and no rule speaks of it. */
static bool rule_speaks_of(
    const struct rule *rule, const struct access_principal *p, enum access_action action)
{
	return p && is_given(p->user) && is_given(p->org) && rule->actions & BIT(action) &&
	       rule->who(p);
}

static bool all_within(const struct access_principal *p, const struct access_resource *r)
{
	if (r->units_len == 0)
		return true;
	for (size_t i = 0; i < r->counties_len; i++)
		if (!contains(p->counties, p->counties_len, r->counties[i]))
			return false;
	return r->counties_len > 0;
}

static bool any_within(const struct access_principal *p, const struct access_resource *r)
{
	for (size_t i = 0; i < r->counties_len; i++)
		if (contains(p->counties, p->counties_len, r->counties[i]))
			return true;
	return false;
}

static bool rule_covers(
    const struct rule *rule, const struct access_principal *p, const struct access_resource *r)
{
	switch (rule->over) {
	case OVER_ALL:
		return true;
	case OVER_PUBLIC:
		return same(r->publicity, "public");
	case OVER_OWN_COUNTIES:
		return any_within(p, r);
	case OVER_OWN_FILINGS:
		return same(r->author, p->org) && all_within(p, r);
	}
	return false;
}

struct access_decision access_decide(const struct access_principal *p, enum access_action action,
    const struct access_resource *resource, const struct access_context *context)
{
	static const struct access_resource nothing = {0};

	(void)context; /* no rule of the spine asks for a purpose */
	for (size_t i = 0; i < RULES; i++)
		if (rule_speaks_of(&rules[i], p, action) &&
		    rule_covers(&rules[i], p, resource ? resource : &nothing))
			return (struct access_decision){ACCESS_PERMIT, rules[i].name};
	return (struct access_decision){ACCESS_DENY, no_rule};
}

/* ---- the open decision ---- */
/* Appends a fresh leaf to f; false when there is no memory. */
static bool add_leaf(
    struct access_filter *f, enum access_op op, enum access_attribute attribute, const char *value)
{
	struct access_filter *leaf = calloc(1, sizeof(*leaf));
	struct access_filter **child;

	if (!leaf)
		return false;
	leaf->op = op;
	leaf->attribute = attribute;
	if (value && !(leaf->value = strdup(value)))
		goto fail;
	child = realloc(f->child, (f->children + 1) * sizeof(struct access_filter *));
	if (!child)
		goto fail;
	f->child = child;
	f->child[f->children++] = leaf;
	return true;
fail:
	access_filter_free(leaf);
	return false;
}

static bool add_rule(
    struct access_filter *f, const struct rule *rule, const struct access_principal *p)
{
	switch (rule->over) {
	case OVER_ALL:
		return add_leaf(f, ACCESS_OP_ALL, ACCESS_ATTR_PUBLICITY, NULL);
	case OVER_PUBLIC:
		return add_leaf(f, ACCESS_OP_HAS, ACCESS_ATTR_PUBLICITY, "public");
	case OVER_OWN_COUNTIES:
		for (size_t i = 0; i < p->counties_len; i++)
			if (is_given(p->counties[i]) &&
			    !add_leaf(f, ACCESS_OP_HAS, ACCESS_ATTR_COUNTY, p->counties[i]))
				return false;
		return true;
	case OVER_OWN_FILINGS:
		break; /* refused by access_filter() */
	}
	return true;
}

/* An OR that admits everything, nothing, or one thing, said as that. */
static void simplify(struct access_filter **f)
{
	struct access_filter *any_of = *f, *only;
	bool all = false;

	for (size_t i = 0; i < any_of->children; i++)
		all = all || any_of->child[i]->op == ACCESS_OP_ALL;
	if (all || any_of->children == 0) {
		for (size_t i = 0; i < any_of->children; i++)
			access_filter_free(any_of->child[i]);
		any_of->children = 0;
		any_of->op = all ? ACCESS_OP_ALL : ACCESS_OP_NONE;
	} else if (any_of->children == 1) {
		only = any_of->child[0];
		any_of->children = 0;
		access_filter_free(any_of);
		*f = only;
	}
}

int access_filter(const struct access_principal *p, enum access_action action,
    const struct access_context *context, struct access_filter **ret, struct ark_error *err)
{
	struct access_filter *f;

	(void)context;
	if (FILING & BIT(action))
		return ark_fail(
		    err, ARK_EINPUT, "filing is decided on a known document, not on a list");
	if (p && p->counties_len > COUNTIES_MAX)
		return ark_fail(
		    err, ARK_EINPUT, "an organisation with over %d counties", COUNTIES_MAX);
	f = calloc(1, sizeof(*f));
	if (!f)
		goto nomem;
	f->op = ACCESS_OP_OR;
	for (size_t i = 0; i < RULES; i++)
		if (rule_speaks_of(&rules[i], p, action) && !add_rule(f, &rules[i], p))
			goto nomem;
	simplify(&f);
	*ret = f;
	return ARK_OK;
nomem:
	access_filter_free(f);
	return ark_fail(err, ARK_ENOMEM, "no memory for an access filter");
}

/* ---- names ---- */
void access_explain(const struct access_decision *d, struct buf *out)
{
	static const char *const outcomes[] = {[ACCESS_DENY] = "deny",
	    [ACCESS_PERMIT] = "permit",
	    [ACCESS_NEEDS_PURPOSE] = "needs-purpose"};
	const char *sentence = "no rule permits it";

	for (size_t i = 0; i < RULES; i++)
		if (same(d->rule, rules[i].name))
			sentence = rules[i].sentence;
	buf_addf(out, "%s: %s", outcomes[d->outcome], sentence);
}

static const char *const org_kinds[] = {
    [ACCESS_ORG_STATE_AGENCY] = "state-agency",
    [ACCESS_ORG_COUNTY] = "county",
    [ACCESS_ORG_MUNICIPALITY] = "municipality",
    [ACCESS_ORG_OMBUDSMAN] = "ombudsman",
    [ACCESS_ORG_PROVIDER] = "provider",
};

bool access_org_kind_parse(const char *name, enum access_org_kind *ret)
{
	for (size_t i = 0; i < sizeof(org_kinds) / sizeof(*org_kinds); i++) {
		if (same(name, org_kinds[i])) {
			*ret = (enum access_org_kind)i;
			return true;
		}
	}
	return false;
}

const char *access_org_kind_name(enum access_org_kind kind)
{
	return org_kinds[kind];
}

bool access_role_parse(const char *name, unsigned int *ret)
{
	static const char *const roles[] = {"inspector", "registrar", "supervisor", "auditor",
	    "placer", "contact", "admin", "system"};

	for (size_t i = 0; i < sizeof(roles) / sizeof(*roles); i++) {
		if (same(name, roles[i])) {
			*ret = BIT(i);
			return true;
		}
	}
	return false;
}
