#include "arkki/policies/access.h"

#include <arpa/inet.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arkki/base/clock.h"
#include "policies/access_entities.h"
#include "policies/cedar_partial.h"

struct access_rules {
	atomic_uint refs;
	struct cedar_policies *policies;
	struct cedar_schema *schema;
	bool steady;
	bool list_follows; /* who may read, or read the public rendition, may list */
};

/* ---- the rules in force ---- */

static bool is_name(const struct cedar_node *n, const char *name)
{
	return cedar_text_equal(n->name, cedar_text_of(name));
}

/* Every use of context as a whole (context == …) counts as unsteady: it has
 * the hour in it. */
static bool is_steady(const struct cedar_policies *p)
{
	for (size_t i = 0; i < p->nodes_len; i++) {
		const struct cedar_node *n = &p->nodes[i];
		bool looks = n->op == OP_GET || n->op == OP_HAS;

		if (looks && (is_name(n, "now") || is_name(n, "network")))
			return false;
		for (size_t k = 0; !looks && k < 3 && n->child[k] != CEDAR_NONE; k++)
			if (p->nodes[n->child[k]].op == OP_VAR &&
			    p->nodes[n->child[k]].var == VAR_CONTEXT)
				return false;
		for (size_t k = 0; k < n->list_len; k++)
			if (p->nodes[n->list[k]].op == OP_VAR &&
			    p->nodes[n->list[k]].var == VAR_CONTEXT)
				return false;
	}
	return true;
}

static bool speaks_of(
    const struct access_rules *r, const struct cedar_policy *policy, enum access_action action)
{
	const struct cedar_uid uid = {
	    cedar_text_of("Action"), cedar_text_of(access_action_name(action))};
	const struct cedar_action *a = cedar_schema_action(r->schema, &uid);
	const struct cedar_scope *s = &policy->action;
	const struct cedar_uid *named = s->kind == SCOPE_IN_SET ? s->set : &s->uid;
	size_t n = s->kind == SCOPE_IN_SET ? s->set_len : 1;

	if (s->kind == SCOPE_ANY)
		return true;
	for (size_t i = 0; i < n; i++) {
		if (cedar_uid_equal(&named[i], &uid))
			return true;
		for (size_t k = 0; s->kind != SCOPE_EQ && a && k < a->ancestors_len; k++)
			if (cedar_uid_equal(&named[i], &a->ancestors[k]))
				return true;
	}
	return false;
}

/* Every permit to read is one to list, every forbid to list one to read, and
 * no condition asks which of them it is: then the one filter holds the other,
 * and queries need not ask both. */
static bool does_list_follow(const struct access_rules *r)
{
	for (size_t i = 0; i < r->policies->len; i++) {
		const struct cedar_policy *p = &r->policies->policies[i];
		bool list = speaks_of(r, p, ACCESS_LIST), read = speaks_of(r, p, ACCESS_READ),
		     public = speaks_of(r, p, ACCESS_READ_PUBLIC);

		if (p->forbid ? list && !(read && public) : (read || public) && !list)
			return false;
	}
	for (size_t i = 0; i < r->policies->nodes_len; i++)
		if (r->policies->nodes[i].op == OP_VAR && r->policies->nodes[i].var == VAR_ACTION)
			return false;
	return true;
}

int access_rules_new(const char *policies, size_t policies_len, const char *schema,
    size_t schema_len, cedar_fault_fn told, void *arg, struct access_rules **ret,
    struct ark_error *err)
{
	struct access_rules *r = calloc(1, sizeof(*r));
	int rc;

	if (!r)
		return ark_fail(err, ARK_ENOMEM, "no memory for the policies");
	atomic_init(&r->refs, 1);
	rc = cedar_schema_parse(schema, schema_len, told, arg, &r->schema, err);
	if (rc)
		rc = ark_fail_within(err, rc, "in the schema");
	if (!rc)
		rc = cedar_policies_parse(policies, policies_len, told, arg, &r->policies, err);
	if (!rc)
		rc = cedar_validate(r->schema, r->policies, told, arg, err);
	if (rc) {
		access_rules_unref(r);
		return rc;
	}
	r->steady = is_steady(r->policies);
	r->list_follows = does_list_follow(r);
	*ret = r;
	return ARK_OK;
}

struct access_rules *access_rules_ref(struct access_rules *r)
{
	atomic_fetch_add(&r->refs, 1);
	return r;
}

void access_rules_unref(struct access_rules *r)
{
	if (!r || atomic_fetch_sub(&r->refs, 1) != 1)
		return;
	cedar_policies_free(r->policies);
	cedar_schema_free(r->schema);
	free(r);
}

const struct cedar_policies *access_rules_policies(const struct access_rules *r)
{
	return r->policies;
}

const struct cedar_schema *access_rules_schema(const struct access_rules *r)
{
	return r->schema;
}

bool access_rules_steady(const struct access_rules *r)
{
	return r->steady;
}

const char *access_policy_id(const struct access_rules *r, uint32_t policy)
{
	const char *id = cedar_policy_note(r->policies, policy, "id");

	return id && *id ? id : cedar_policy_name(r->policies, policy);
}

/* ---- a known resource ---- */

bool access_action_on_documents(enum access_action action)
{
	return action < ACCESS_AUDIT;
}

static void keep_reasons(const struct cedar_answer *a, struct access_decision *d)
{
	d->failures = a->failures_len;
	d->policies_len =
	    a->reasons_len < ACCESS_POLICIES_SHOWN ? a->reasons_len : ACCESS_POLICIES_SHOWN;
	for (size_t i = 0; i < d->policies_len; i++)
		d->policies[i] = a->reasons[i];
}

/* The question that a missing purpose leaves: would a purpose, and a case
 * that covers the document, permit it? */
static int ask_with_purpose(const struct access_rules *r, struct access_question *q,
    const struct access_resource *resource, const struct access_context *context,
    struct access_decision *ret, struct ark_error *err)
{
	struct access_context stated = *context;
	struct cedar_answer answer;
	int rc;

	stated.purpose = context->purpose ? context->purpose : "-";
	stated.case_id = context->case_id ? context->case_id : "-";
	stated.case_units = resource->units;
	rc = access_question_context(q, &stated, err);
	if (!rc)
		rc = cedar_decide(r->policies, &q->world, &q->request, q->arena, &answer, err);
	if (!rc && answer.allow)
		ret->outcome = ACCESS_NEEDS_PURPOSE;
	return rc;
}

int access_decide(const struct access_rules *r, const struct access_principal *p,
    enum access_action action, const struct access_resource *resource,
    const struct access_context *context, struct access_decision *ret, struct ark_error *err)
{
	static const struct access_resource nothing = {0};
	static const struct access_context unstated = {0};
	const struct access_resource *what = resource ? resource : &nothing;
	const struct access_context *within = context ? context : &unstated;
	struct access_question q = {0};
	struct cedar_answer answer;
	int rc;

	*ret = (struct access_decision){.outcome = ACCESS_DENY};
	rc = access_question_new(r->schema, p, action, within, &q, err);
	if (rc > 0)
		return ARK_OK; /* nobody: nothing is permitted */
	if (!rc)
		rc = access_action_on_documents(action) ? access_question_document(&q, what, err)
							: access_question_archive(&q, err);
	if (!rc)
		rc = cedar_decide(r->policies, &q.world, &q.request, q.arena, &answer, err);
	if (!rc) {
		keep_reasons(&answer, ret);
		ret->outcome = answer.allow ? ACCESS_PERMIT : ACCESS_DENY;
		if (!answer.allow && access_action_on_documents(action))
			rc = ask_with_purpose(r, &q, what, within, ret, err);
	}
	access_question_end(&q);
	if (rc)
		*ret = (struct access_decision){.outcome = ACCESS_DENY};
	return rc;
}

/* ---- the open decision ---- */

static int nothing_admitted(struct access_filter **ret, struct ark_error *err)
{
	struct access_filter *f = calloc(1, sizeof(*f));

	if (!f)
		return ark_fail(err, ARK_ENOMEM, "no memory for an access filter");
	f->op = ACCESS_OP_NONE;
	*ret = f;
	return ARK_OK;
}

int access_filter(const struct access_rules *r, const struct access_principal *p,
    enum access_action action, const struct access_context *context, struct access_filter **ret,
    struct ark_error *err)
{
	static const struct access_context unstated = {0};
	struct access_question q = {0};
	int rc;

	if (action > ACCESS_READ_PUBLIC && action != ACCESS_DISPOSE)
		return ark_fail(err, ARK_EINPUT, "%s is decided on a known document, not on a list",
		    access_action_name(action));
	rc = access_question_new(r->schema, p, action, context ? context : &unstated, &q, err);
	if (rc > 0)
		return nothing_admitted(ret, err);
	if (!rc) {
		access_question_open(&q);
		rc = cedar_partial(r->policies, &q.world, &q.request, access_indexed,
		    ACCESS_INDEXED, q.arena, ret, NULL, NULL, NULL, err);
	}
	access_question_end(&q);
	return rc;
}

struct sight_box {
	struct access_sight s; /* first: the pointer callers hold */
	atomic_uint refs;
};

static struct access_filter *leaf(enum access_attribute attribute, const char *value)
{
	struct access_filter *f = calloc(1, sizeof(*f));

	if (!f || !(f->value = strdup(value))) {
		free(f);
		return NULL;
	}
	f->op = ACCESS_OP_HAS;
	f->attribute = attribute;
	return f;
}

/* Takes both, also when it fails. */
static struct access_filter *join(
    enum access_op op, struct access_filter *a, struct access_filter *b)
{
	struct access_filter *f = calloc(1, sizeof(*f));

	if (f && a && b && (f->child = calloc(2, sizeof(struct access_filter *)))) {
		f->op = op;
		f->child[0] = a;
		f->child[1] = b;
		f->children = 2;
		return f;
	}
	access_filter_free(a);
	access_filter_free(b);
	free(f);
	return NULL;
}

static struct access_filter *copy(const struct access_filter *f)
{
	struct access_filter *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	*c = (struct access_filter){.op = f->op, .attribute = f->attribute};
	if (f->value && !(c->value = strdup(f->value)))
		goto fail;
	c->child = calloc(f->children ? f->children : 1, sizeof(struct access_filter *));
	if (!c->child)
		goto fail;
	for (; c->children < f->children; c->children++)
		if (!(c->child[c->children] = copy(f->child[c->children])))
			goto fail;
	return c;
fail:
	access_filter_free(c);
	return NULL;
}

/* Takes both filters, also when it fails. */
static int sight_of(struct access_filter *any, struct access_filter *whole,
    struct access_sight **ret, struct ark_error *err)
{
	struct sight_box *b = any && whole ? calloc(1, sizeof(*b)) : NULL;

	if (!b) {
		if (any != whole)
			access_filter_free(any);
		access_filter_free(whole);
		return ark_fail(err, ARK_ENOMEM, "no memory for what a principal sees");
	}
	atomic_init(&b->refs, 1);
	b->s = (struct access_sight){any, whole};
	*ret = &b->s;
	return ARK_OK;
}

/* Takes `whole` and `public`. Only what has a rendition can be shown as one, whatever policies say. */
static struct access_filter *any_of(struct access_filter *whole, struct access_filter *public)
{
	if (whole->op == ACCESS_OP_ALL || public->op == ACCESS_OP_NONE) {
		access_filter_free(public);
		return whole;
	}
	return join(ACCESS_OP_OR, copy(whole),
	    join(ACCESS_OP_AND, leaf(ACCESS_ATTR_RENDITION, "public"), public));
}

int access_sight_new(const struct access_rules *r, const struct access_principal *p,
    const struct access_context *context, struct access_sight **ret, struct ark_error *err)
{
	struct access_filter *whole = NULL, *public = NULL, *list = NULL, *any;
	int rc = access_filter(r, p, ACCESS_READ, context, &whole, err);

	if (!rc)
		rc = access_filter(r, p, ACCESS_READ_PUBLIC, context, &public, err);
	if (!rc && !r->list_follows)
		rc = access_filter(r, p, ACCESS_LIST, context, &list, err);
	if (rc) {
		access_filter_free(whole);
		access_filter_free(public);
		return rc;
	}
	any = any_of(whole, public);
	if (list) {
		any = join(ACCESS_OP_AND, any == whole && any ? copy(any) : any, copy(list));
		whole = join(ACCESS_OP_AND, whole, list);
	}
	return sight_of(any, whole, ret, err);
}

int access_filter_none(struct access_filter **ret, struct ark_error *err)
{
	struct access_filter *f = calloc(1, sizeof(*f));

	if (!f)
		return ark_fail(err, ARK_ENOMEM, "no memory for a filter");
	f->op = ACCESS_OP_NONE;
	*ret = f;
	return ARK_OK;
}

int access_sight_none(struct access_sight **ret, struct ark_error *err)
{
	struct access_filter *none = NULL;
	int rc = access_filter_none(&none, err);

	return rc ? rc : sight_of(none, none, ret, err);
}

struct access_sight *access_sight_ref(struct access_sight *s)
{
	atomic_fetch_add(&((struct sight_box *)s)->refs, 1);
	return s;
}

void access_sight_unref(struct access_sight *s)
{
	struct sight_box *b = (struct sight_box *)s;

	if (!b || atomic_fetch_sub(&b->refs, 1) != 1)
		return;
	if (s->any != s->whole)
		access_filter_free(s->any);
	access_filter_free(s->whole);
	free(b);
}

/* ---- what cannot be a filter ---- */

struct inexact {
	const struct access_rules *r;
	bool *seen;
	cedar_fault_fn told;
	void *arg;
};

static void tell_inexact(void *arg, uint32_t policy, uint32_t node)
{
	const struct inexact *i = arg;
	struct cedar_fault f = {.warning = true};

	if (i->seen[policy])
		return;
	i->seen[policy] = true;
	snprintf(f.policy, sizeof(f.policy), "%s", access_policy_id(i->r, policy));
	if (node == CEDAR_NONE) /* its scope names one document */
		f.line = cedar_policy_line(i->r->policies, policy);
	else
		cedar_policy_place(i->r->policies, node, &f.line, &f.column);
	snprintf(f.text, sizeof(f.text),
	    "this cannot be asked of lists and search, so a permit with it permits nothing and a "
	    "forbid with it forbids everything that it might");
	snprintf(
	    f.mend, sizeof(f.mend), "compare an attribute of the document with something known");
	i->told(i->arg, &f);
}

void access_check_filters(const struct access_rules *r, cedar_fault_fn told, void *arg)
{
	static const char *const ids[] = {"x", "y"};
	const struct access_ids two = {ids, 2};
	const struct access_context context = {
	    .purpose = "x", .case_id = "x", .case_units = two, .break_glass = "x", .strong = true};
	struct inexact i = {r, calloc(cedar_policies_count(r->policies) + 1, 1), told, arg};

	for (unsigned int kind = 0; i.seen && kind <= ACCESS_ORG_PROVIDER; kind++) {
		struct access_principal p = {.user = "x",
		    .org = "x",
		    .roles = 255,
		    .orgs = two,
		    .counties = two,
		    .placed_units = two,
		    .own_units = two,
		    .area_units = two};

		p.org_kind = (enum access_org_kind)kind;
		for (unsigned int a = 0; a <= ACCESS_READ_PUBLIC; a++) {
			struct access_question q = {0};
			struct access_filter *f = NULL;

			if (!access_question_new(
				r->schema, &p, (enum access_action)a, &context, &q, NULL)) {
				access_question_open(&q);
				if (!cedar_partial(r->policies, &q.world, &q.request,
					access_indexed, ACCESS_INDEXED, q.arena, &f, NULL,
					tell_inexact, &i, NULL))
					access_filter_free(f);
			}
			access_question_end(&q);
		}
	}
	free(i.seen);
}

/* ---- why ---- */

const char *access_policy_sentence(
    const struct access_rules *r, uint32_t policy, const char *language)
{
	const char *const keys[] = {language, "en", "fi", "sv"};

	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++) {
		const char *text = keys[i] ? cedar_policy_note(r->policies, policy, keys[i]) : NULL;

		if (text && *text)
			return text;
	}
	return NULL;
}

const char *access_policy_statute(const struct access_rules *r, uint32_t policy)
{
	const char *text = cedar_policy_note(r->policies, policy, "statute");

	return text && *text ? text : NULL;
}

const char *access_outcome_name(enum access_outcome outcome)
{
	static const char *const names[] = {[ACCESS_DENY] = "deny",
	    [ACCESS_PERMIT] = "permit",
	    [ACCESS_NEEDS_PURPOSE] = "needs-purpose"};

	return names[outcome];
}

void access_explain(const struct access_rules *r, const struct access_decision *d,
    const char *language, struct buf *out)
{
	buf_adds(out, access_outcome_name(d->outcome));
	if (!d->policies_len)
		buf_adds(out, ": no policy permits it");
	for (size_t i = 0; i < d->policies_len; i++) {
		const char *sentence = access_policy_sentence(r, d->policies[i], language);
		const char *statute = access_policy_statute(r, d->policies[i]);

		buf_addf(out, "%s %s", i ? "; and" : " by", access_policy_id(r, d->policies[i]));
		if (sentence)
			buf_addf(out, ": %s", sentence);
		if (statute)
			buf_addf(out, " [%s]", statute);
	}
	if (d->failures)
		buf_addf(out, " (%zu policies could not be evaluated and were passed over)",
		    d->failures);
}

/* ---- names ---- */

static bool same(const char *a, const char *b)
{
	return a && b && strcmp(a, b) == 0;
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

static const char *const roles[ACCESS_ROLES] = {
    "inspector", "registrar", "supervisor", "auditor", "placer", "contact", "admin", "system"};

bool access_role_parse(const char *name, unsigned int *ret)
{
	for (size_t i = 0; i < ACCESS_ROLES; i++) {
		if (same(name, roles[i])) {
			*ret = 1U << i;
			return true;
		}
	}
	return false;
}

const char *access_role_name(unsigned int bit)
{
	return roles[bit];
}

static const char *const actions[ACCESS_ACTIONS] = {"list", "read", "readContent", "readPublic",
    "file", "amend", "redact", "order", "notify", "hold", "dispose", "audit", "auditOwn",
    "administer"};

bool access_action_parse(const char *name, enum access_action *ret)
{
	for (size_t i = 0; i < ACCESS_ACTIONS; i++) {
		if (same(name, actions[i])) {
			*ret = (enum access_action)i;
			return true;
		}
	}
	return false;
}

const char *access_action_name(enum access_action action)
{
	return actions[action];
}
