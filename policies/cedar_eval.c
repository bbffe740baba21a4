/* Evaluates trees and decides requests.
 *
 * A tree is walked with a stack of frames, one for each node whose children
 * are not all there yet; a child writes its value into its parent's frame.
 * Nodes are at most CEDAR_DEPTH_MAX deep, so the stack has a fixed size.
 * Values are copied shallowly: what they point to lies in the policies, the
 * world, the request or the arena.
 */
#include "policies/cedar_eval.h"

#include <stdio.h>
#include <string.h>

#include "policies/cedar_extension.h"

/* ---- a decision ---- */

void cedar_decision_begin(struct cedar_decision *d, const struct cedar_world *world,
    const struct cedar_request *request, struct cedar_arena *a)
{
	memset(d, 0, sizeof(*d));
	d->world = world;
	d->arena = a;
	d->steps = CEDAR_STEPS_MAX;
	d->request = request;
	if (!request)
		return;
	for (int i = VAR_PRINCIPAL; i <= VAR_RESOURCE; i++)
		d->var[i].kind = CEDAR_ENTITY;
	d->var[VAR_PRINCIPAL].uid = request->principal;
	d->var[VAR_ACTION].uid = request->action;
	d->var[VAR_RESOURCE].uid = request->resource;
	d->var[VAR_CONTEXT] = request->context;
	d->seat[VAR_PRINCIPAL] = cedar_entity_find(world, &request->principal);
	d->seat[VAR_ACTION] = cedar_entity_find(world, &request->action);
	d->seat[VAR_RESOURCE] = cedar_entity_find(world, &request->resource);
}

static bool same_bytes(const struct cedar_uid *a, const struct cedar_uid *b)
{
	return a->id.bytes == b->id.bytes && a->type.bytes == b->type.bytes &&
	       a->id.len == b->id.len && a->type.len == b->type.len;
}

const struct cedar_entity *cedar_decision_find(
    const struct cedar_decision *d, const struct cedar_uid *uid)
{
	if (d->request && same_bytes(uid, &d->request->resource))
		return d->seat[VAR_RESOURCE];
	if (d->request && same_bytes(uid, &d->request->principal))
		return d->seat[VAR_PRINCIPAL];
	return cedar_entity_find(d->world, uid);
}

static bool scope_holds(
    const struct cedar_scope *s, const struct cedar_uid *uid, const struct cedar_entity *entity)
{
	switch (s->kind) {
	case SCOPE_ANY:
		return true;
	case SCOPE_EQ:
		return cedar_uid_equal(uid, &s->uid);
	case SCOPE_IN:
		return cedar_is_in(uid, entity, &s->uid);
	case SCOPE_IN_SET:
		for (size_t i = 0; i < s->set_len; i++)
			if (cedar_is_in(uid, entity, &s->set[i]))
				return true;
		return false;
	case SCOPE_IS:
		return cedar_text_equal(uid->type, s->type);
	case SCOPE_IS_IN:
		return cedar_text_equal(uid->type, s->type) && cedar_is_in(uid, entity, &s->uid);
	}
	return false;
}

static bool scopes_hold(const struct cedar_policy *p, const struct cedar_decision *d)
{
	const struct cedar_request *r = d->request;

	return scope_holds(&p->action, &r->action, d->seat[VAR_ACTION]) &&
	       scope_holds(&p->resource, &r->resource, d->seat[VAR_RESOURCE]) &&
	       scope_holds(&p->principal, &r->principal, d->seat[VAR_PRINCIPAL]);
}

bool cedar_scope_holds(const struct cedar_policy *policy, const struct cedar_world *world,
    const struct cedar_request *request, bool resource_open)
{
	return scope_holds(
		   &policy->action, &request->action, cedar_entity_find(world, &request->action)) &&
	       scope_holds(&policy->principal, &request->principal,
		   cedar_entity_find(world, &request->principal)) &&
	       (resource_open || scope_holds(&policy->resource, &request->resource,
				     cedar_entity_find(world, &request->resource)));
}

/* ---- walking a tree ---- */

struct frame {
	const struct cedar_node *node;
	struct cedar_value *out;          /* where its value goes */
	uint32_t next;                    /* child to look at, in order */
	struct cedar_value *list;         /* of SET, CALL, RECORD: in the arena */
	const struct cedar_value *arg[2]; /* of the others: borrowed, or in `own` */
	struct cedar_value own[2];
};
struct walk {
	struct cedar_decision *d;
	const struct cedar_policies *p;
	struct ark_error *err;
	size_t depth;
	struct frame frames[CEDAR_DEPTH_MAX];
};

/* The value of a literal, a variable, or attributes of a variable that are there: nothing is
 * computed, so it is borrowed. NULL: it takes a frame. */
static const struct cedar_value *borrow(const struct walk *w, uint32_t n)
{
	enum { LONGEST = 4 };
	const struct cedar_node *node = &w->p->nodes[n], *chain[LONGEST];
	const struct cedar_value *v;
	size_t len = 0;

	if (node->op == OP_LITERAL)
		return &node->value;
	for (; node->op == OP_GET && len < LONGEST; node = &w->p->nodes[node->child[0]])
		chain[len++] = node;
	if (node->op != OP_VAR)
		return NULL;
	v = &w->d->var[node->var];
	while (v && len > 0) {
		v = cedar_record_in(w->d, v);
		v = v ? cedar_member_get(v, chain[--len]->name) : NULL;
	}
	return v;
}

static int open_frame(struct walk *w, const struct cedar_node *node, struct cedar_value *out)
{
	struct frame *f;

	if (w->depth == CEDAR_DEPTH_MAX)
		return ark_fail(
		    w->err, ARK_EINPUT, "an expression is over %u deep", CEDAR_DEPTH_MAX);
	f = &w->frames[w->depth++];
	f->node = node;
	f->out = out;
	f->next = 0;
	f->list = NULL;
	if (node->op >= OP_SET && node->list_len) {
		f->list = cedar_alloc(w->d->arena, node->list_len * sizeof(*f->list));
		if (!f->list)
			return ark_fail(w->err, ARK_ENOMEM, "no memory for the decision");
	}
	return ARK_OK;
}

/* Operators whose operands can be borrowed are done at once; for others a frame is opened. */
static int enter(struct walk *w, uint32_t n, struct cedar_value *out)
{
	const struct cedar_node *node = &w->p->nodes[n];
	const struct cedar_value *a, *b = NULL;

	if (w->d->steps == 0)
		return ark_fail(
		    w->err, ARK_ENOMEM, "the decision takes more than %u steps", CEDAR_STEPS_MAX);
	w->d->steps--;
	if (node->op == OP_LITERAL || node->op == OP_VAR) {
		*out = *borrow(w, n);
		return ARK_OK;
	}
	if (node->op >= OP_SET || cedar_is_choice(node->op))
		return open_frame(w, node, out);
	a = borrow(w, node->child[0]);
	if (a && cedar_is_binary(node->op))
		b = borrow(w, node->child[1]);
	if (!a || (!b && cedar_is_binary(node->op)))
		return open_frame(w, node, out);
	return cedar_operate(w->d, node, a, b, out, w->err);
}

static int must_be_bool(struct walk *w, const struct cedar_value *v)
{
	if (v->kind == CEDAR_BOOL)
		return ARK_OK;
	return ark_fail(
	    w->err, 1, "a condition must be a boolean, not %s", cedar_kind_name(v->kind));
}

/* The child to evaluate next, CEDAR_NONE when the rest does not matter. && || and if take each
 * child into the same place. */
static int next_of_choice(struct walk *w, const struct frame *f, uint32_t *ret)
{
	const uint32_t *child = f->node->child;
	int rc = ARK_OK;

	*ret = CEDAR_NONE;
	if (f->next == 0)
		*ret = child[0];
	else if (f->next == 1 || f->node->op != OP_IF)
		rc = must_be_bool(w, f->arg[0]);
	if (rc || f->next != 1)
		return rc;
	if (f->node->op == OP_IF)
		*ret = f->arg[0]->truth ? child[1] : child[2];
	else if (f->arg[0]->truth == (f->node->op == OP_AND))
		*ret = child[1];
	return ARK_OK;
}

static uint32_t next_operand(const struct frame *f)
{
	const struct cedar_node *node = f->node;

	if (node->op >= OP_SET)
		return f->next < node->list_len ? node->list[f->next] : CEDAR_NONE;
	return f->next < (cedar_is_binary(node->op) ? 2 : 1) ? node->child[f->next] : CEDAR_NONE;
}

static int take_child(struct walk *w, struct frame *f, uint32_t child)
{
	size_t slot = cedar_is_choice(f->node->op) ? 0 : f->next;
	const struct cedar_value *there = borrow(w, child);

	f->next++;
	if (f->list) {
		if (there)
			f->list[slot] = *there;
		return there ? ARK_OK : enter(w, child, &f->list[slot]);
	}
	f->arg[slot] = there ? there : &f->own[slot];
	return there ? ARK_OK : enter(w, child, &f->own[slot]);
}

/* A list that `contains` and `in` look through once need not be sorted. */
static bool stays_loose(const struct walk *w)
{
	const struct frame *parent = w->depth > 1 ? &w->frames[w->depth - 2] : NULL;

	return parent && ((parent->node->op == OP_CONTAINS && parent->next == 1) ||
			     parent->node->op == OP_IN);
}

static int leave(struct walk *w)
{
	struct frame *f = &w->frames[w->depth - 1];
	const struct cedar_node *node = f->node;
	int rc = ARK_OK;

	if (cedar_is_choice(node->op))
		*f->out = *f->arg[0];
	else if (node->op == OP_SET && stays_loose(w))
		*f->out = (struct cedar_value){
		    .kind = CEDAR_SET, .set = {.items = f->list, .len = node->list_len}};
	else if (node->op >= OP_SET)
		rc = cedar_gather(w->d, node, f->list, f->out, w->err);
	else
		rc = cedar_operate(w->d, node, f->arg[0], f->arg[1], f->out, w->err);
	w->depth--;
	return rc;
}

static int walk(struct cedar_decision *d, const struct cedar_policies *p, uint32_t n,
    struct cedar_value *ret, struct ark_error *err)
{
	struct cedar_value value;
	struct walk w; /* 28 KB, of which only the frames in use are touched */
	int rc;

	w.d = d;
	w.p = p;
	w.err = err;
	w.depth = 0;
	rc = enter(&w, n, &value);
	while (rc == ARK_OK && w.depth > 0) {
		struct frame *f = &w.frames[w.depth - 1];
		uint32_t child = CEDAR_NONE;

		if (cedar_is_choice(f->node->op))
			rc = next_of_choice(&w, f, &child);
		else
			child = next_operand(f);
		if (rc)
			break;
		rc = child == CEDAR_NONE ? leave(&w) : take_child(&w, f, child);
	}
	if (rc == ARK_OK)
		*ret = value;
	return rc;
}

int cedar_evaluate(const struct cedar_policies *p, uint32_t n, const struct cedar_world *world,
    const struct cedar_request *request, struct cedar_arena *a, struct cedar_value *ret,
    struct ark_error *err)
{
	struct cedar_decision d;

	cedar_decision_begin(&d, world, request, a);
	return walk(&d, p, n, ret, err);
}

/* ---- deciding ---- */

struct verdict {
	uint32_t *permits, *forbids; /* satisfied, in order */
	size_t permits_len, forbids_len;
	struct cedar_failure *failures;
	size_t failures_len, failures_cap;
};

/* In the failure's smaller field, cut between characters. */
static void keep_text(char *to, size_t size, const char *from)
{
	size_t n = strlen(from);

	if (n >= size)
		for (n = size - 1; n > 0 && ((unsigned char)from[n] & 0xc0) == 0x80;)
			n--;
	memcpy(to, from, n);
	to[n] = '\0';
}

static int add_failure(struct verdict *v, struct cedar_arena *a, uint32_t policy, const char *text)
{
	if (v->failures_len == v->failures_cap) {
		size_t cap = v->failures_cap ? 2 * v->failures_cap : 4;
		struct cedar_failure *more = cedar_alloc(a, cap * sizeof(*more));

		if (!more)
			return ARK_ENOMEM;
		if (v->failures_len)
			memcpy(more, v->failures, v->failures_len * sizeof(*more));
		v->failures = more;
		v->failures_cap = cap;
	}
	v->failures[v->failures_len].policy = policy;
	keep_text(v->failures[v->failures_len].text, sizeof(v->failures->text), text);
	v->failures_len++;
	return ARK_OK;
}

/* 0 with *ret: is the policy satisfied? 1: it failed, as told. Negative: beyond bounds. */
static int satisfied(struct cedar_decision *d, const struct cedar_policies *p,
    const struct cedar_policy *policy, bool *ret, struct ark_error *told)
{
	struct cedar_value v;
	int rc;

	*ret = scopes_hold(policy, d);
	if (!*ret || policy->condition == CEDAR_NONE)
		return ARK_OK;
	rc = walk(d, p, policy->condition, &v, told);
	if (rc == ARK_OK && v.kind != CEDAR_BOOL)
		rc = ark_fail(
		    told, 1, "a condition must be a boolean, not %s", cedar_kind_name(v.kind));
	*ret = rc == ARK_OK && v.truth;
	return rc;
}

static int judge(struct cedar_decision *d, const struct cedar_policies *p, struct verdict *v,
    struct ark_error *err)
{
	struct ark_error told;

	for (uint32_t i = 0; i < p->len; i++) {
		const struct cedar_policy *policy = &p->policies[i];
		bool yes = false;
		int rc = satisfied(d, p, policy, &yes, &told);

		if (rc < 0)
			return ark_fail(err, rc, "%s: %s", policy->name, told.text);
		if (rc > 0 && add_failure(v, d->arena, i, told.text))
			return ark_fail(err, ARK_ENOMEM, "no memory for the decision");
		if (yes && policy->forbid)
			v->forbids[v->forbids_len++] = i;
		else if (yes)
			v->permits[v->permits_len++] = i;
	}
	return ARK_OK;
}

int cedar_decide(const struct cedar_policies *p, const struct cedar_world *world,
    const struct cedar_request *request, struct cedar_arena *a, struct cedar_answer *ret,
    struct ark_error *err)
{
	struct cedar_decision d;
	struct verdict v = {0};
	bool forbidden;
	int rc;

	memset(ret, 0, sizeof(*ret)); /* a caller who forgets to look at rc is denied */
	if (p->len) {
		v.permits = cedar_alloc(a, 2 * p->len * sizeof(*v.permits));
		if (!v.permits)
			return ark_fail(err, ARK_ENOMEM, "no memory for the decision");
		v.forbids = v.permits + p->len;
	}
	cedar_decision_begin(&d, world, request, a);
	rc = judge(&d, p, &v, err);
	if (rc)
		return rc;
	forbidden = v.forbids_len > 0;
	ret->allow = !forbidden && v.permits_len > 0;
	ret->reasons = forbidden ? v.forbids : v.permits;
	ret->reasons_len = forbidden ? v.forbids_len : v.permits_len;
	ret->failures = v.failures;
	ret->failures_len = v.failures_len;
	return ARK_OK;
}
