/* Capabilities: what an expression that is true shows to be there.
 *
 * `principal.address has city` shows something about principal.address wherever
 * it is written again; so expressions are compared by their shape. One pass
 * over the nodes of a policy, children first, gives every shape a number (equal shapes, and only
 * they, have the same), and every pair of a shape with an attribute or tag that `has`
 * or hasTag asks for a capability.
 */
#include <string.h>

#include "policies/cedar_validate.h"

/* The op of a key that is no operator: one more element of a list. */
enum { SHAPE_LIST = 200, SHAPE_ATTRIBUTE, SHAPE_TAG };

struct key {
	uint8_t op, detail; /* var, fn or kind of literal */
	uint32_t child[3];
	int64_t number;
	struct cedar_text text[2];
};
struct slot {
	struct key key;
	uint32_t number; /* from 1; 0: empty */
};
struct shapes {
	struct validator *v;
	struct slot *slots;
	size_t mask;
	uint32_t len;
	uint32_t *numbers; /* by node from `first` */
	uint32_t first;
};

static uint64_t mix(uint64_t hash, const void *bytes, size_t len)
{
	const unsigned char *p = bytes;

	while (len--)
		hash = (hash ^ *p++) * 1099511628211u;
	return hash;
}

static uint64_t hash_key(const struct key *k)
{
	uint64_t hash = 14695981039346656037u;

	hash = mix(hash, &k->op, 1);
	hash = mix(hash, &k->detail, 1);
	hash = mix(hash, k->child, sizeof(k->child));
	hash = mix(hash, &k->number, sizeof(k->number));
	hash = mix(hash, k->text[0].bytes, k->text[0].len);
	hash = mix(hash, k->text[1].bytes, k->text[1].len);
	return hash ^ hash >> 29;
}

static bool same_key(const struct key *a, const struct key *b)
{
	return a->op == b->op && a->detail == b->detail &&
	       !memcmp(a->child, b->child, sizeof(a->child)) && a->number == b->number &&
	       cedar_text_equal(a->text[0], b->text[0]) && cedar_text_equal(a->text[1], b->text[1]);
}

static void place(struct shapes *s, const struct slot *slot)
{
	size_t at = hash_key(&slot->key) & s->mask;

	while (s->slots[at].number)
		at = (at + 1) & s->mask;
	s->slots[at] = *slot;
}

static bool grow(struct shapes *s)
{
	struct slot *old = s->slots;
	size_t old_len = old ? s->mask + 1 : 0, len = old ? 2 * old_len : 64;

	s->slots = check_take(s->v, s->v->arena, len, sizeof(*s->slots));
	if (!s->slots)
		return false;
	s->mask = len - 1;
	for (size_t i = 0; i < old_len; i++) {
		if (old[i].number)
			place(s, &old[i]);
	}
	return true;
}

/* The number of a shape, given when it is new. */
static uint32_t number_of(struct shapes *s, const struct key *key)
{
	struct slot slot = {.key = *key, .number = s->len + 1};
	size_t at;

	if (s->v->status || (2 * (size_t)s->len >= (s->slots ? s->mask : 0) && !grow(s)))
		return 0;
	at = hash_key(key) & s->mask;
	for (; s->slots[at].number; at = (at + 1) & s->mask) {
		if (same_key(&s->slots[at].key, key))
			return s->slots[at].number;
	}
	s->slots[at] = slot;
	return ++s->len;
}

/* Every child of a policy's node is one of its own. */
static uint32_t shape_of(const struct shapes *s, uint32_t node)
{
	return s->numbers[node - s->first];
}

static uint32_t number_literal(struct shapes *s, const struct cedar_value *v)
{
	struct key k = {.op = OP_LITERAL, .detail = (uint8_t)v->kind};

	switch (v->kind) {
	case CEDAR_BOOL:
		k.number = v->truth;
		break;
	case CEDAR_STRING:
		k.text[0] = v->text;
		break;
	case CEDAR_ENTITY:
		k.text[0] = v->uid.type;
		k.text[1] = v->uid.id;
		break;
	default:
		k.number = v->number;
	}
	return number_of(s, &k);
}

/* A list as a chain: each element with what is before it. */
static uint32_t number_list(struct shapes *s, const struct cedar_node *node)
{
	uint32_t chain = 0;

	for (uint32_t i = 0; i < node->list_len; i++) {
		struct key k = {.op = SHAPE_LIST, .child = {chain, shape_of(s, node->list[i])}};

		if (node->op == OP_RECORD)
			k.text[0] = node->names[i];
		chain = number_of(s, &k);
	}
	return chain;
}

static uint32_t number_pattern(struct shapes *s, const struct cedar_pattern *p)
{
	uint32_t chain = 0;

	for (size_t i = 0; i < p->len; i++) {
		struct key k = {.op = SHAPE_LIST, .child = {chain, CEDAR_NONE}};

		k.text[0] = p->pieces[i];
		chain = number_of(s, &k);
	}
	return chain;
}

/* Not one of EQ, LE, LT: as Cedar itself reads !=, > and >=, so that they have one shape. */
static uint32_t number_negated(struct shapes *s, uint8_t op, struct key k)
{
	struct key not = {.op = OP_NOT, .child = {0, CEDAR_NONE, CEDAR_NONE}};

	k.op = op;
	not .child[0] = number_of(s, &k);
	return number_of(s, &not );
}

static uint32_t number_node(struct shapes *s, const struct cedar_node *node)
{
	struct key k = {.op = node->op};

	if (node->op == OP_LITERAL)
		return number_literal(s, &node->value);
	for (size_t i = 0; i < 3; i++)
		k.child[i] =
		    node->child[i] == CEDAR_NONE ? CEDAR_NONE : shape_of(s, node->child[i]);
	switch (node->op) {
	case OP_VAR:
		k.detail = node->var;
		break;
	case OP_NE:
		return number_negated(s, OP_EQ, k);
	case OP_GT:
		return number_negated(s, OP_LE, k);
	case OP_GE:
		return number_negated(s, OP_LT, k);
	case OP_GET:
	case OP_HAS:
	case OP_IS:
		k.text[0] = node->name;
		break;
	case OP_LIKE:
		k.child[1] = number_pattern(s, &node->pattern);
		break;
	case OP_SET:
	case OP_RECORD:
	case OP_CALL:
		k.detail = node->op == OP_CALL ? node->fn : 0;
		k.child[0] = number_list(s, node);
		break;
	default:
		break;
	}
	return number_of(s, &k);
}

static bool asks(const struct cedar_node *node)
{
	return node->op == OP_HAS || node->op == OP_GET || node->op == OP_HAS_TAG ||
	       node->op == OP_GET_TAG;
}

/* Only what is asked for with `has` or hasTag gets a capability; where it is taken it is the same. */
static void number_pairs(struct shapes *s, const struct cedar_policies *p)
{
	struct validator *v = s->v;
	struct shapes pairs = {.v = v};
	uint32_t first = v->policy->first, n = v->policy->last - first;
	uint32_t len = 0;

	for (int pass = 0; pass < 2; pass++) {
		for (uint32_t i = 0; i < n && !v->status; i++) {
			const struct cedar_node *node = &p->nodes[first + i];
			bool shows = node->op == OP_HAS || node->op == OP_HAS_TAG;
			bool tag = node->op == OP_HAS_TAG || node->op == OP_GET_TAG;
			struct key k = {.op = tag ? SHAPE_TAG : SHAPE_ATTRIBUTE};
			uint32_t pair;

			if (!asks(node) || shows == (pass == 1))
				continue;
			k.child[0] = shape_of(s, node->child[0]);
			if (tag)
				k.child[1] = shape_of(s, node->child[1]);
			else
				k.text[0] = node->name;
			pair = number_of(&pairs, &k);
			if (pass == 0)
				len = pairs.len;
			v->capability[i] = pair > len ? 0 : pair;
		}
	}
	v->capability_words = ((size_t)len + 63) / 64;
}

void check_number_capabilities(struct validator *v)
{
	uint32_t first = v->policy->first, n = v->policy->last - first;
	struct shapes s = {.v = v, .first = first};
	uint32_t *numbers = check_take(v, v->arena, (size_t)n + 1, sizeof(*numbers));

	v->capability = check_take(v, v->arena, (size_t)n + 1, sizeof(*v->capability));
	v->capability_words = 0;
	if (!numbers || !v->capability)
		return;
	s.numbers = numbers;
	for (uint32_t i = 0; i < n && !v->status; i++)
		numbers[i] = number_node(&s, &v->p->nodes[first + i]);
	number_pairs(&s, v->p);
}

/* ---- sets of them ---- */

bool check_known(const struct validator *v, const uint64_t *known, uint32_t node)
{
	uint32_t number = v->capability[node - v->policy->first];

	return known && number && (known[(number - 1) / 64] >> ((number - 1) % 64) & 1);
}

const uint64_t *check_union(struct validator *v, const uint64_t *a, const uint64_t *b)
{
	uint64_t *both;

	if (!a || !b || a == b)
		return a ? a : b;
	if (!check_step(v, v->capability_words) ||
	    !(both = check_take(v, v->scratch, v->capability_words, sizeof(*both))))
		return NULL;
	for (size_t i = 0; i < v->capability_words; i++)
		both[i] = a[i] | b[i];
	return both;
}

const uint64_t *check_intersect(struct validator *v, const uint64_t *a, const uint64_t *b)
{
	uint64_t *both;

	if (!a || !b || a == b)
		return a && b ? a : NULL;
	if (!check_step(v, v->capability_words) ||
	    !(both = check_take(v, v->scratch, v->capability_words, sizeof(*both))))
		return NULL;
	for (size_t i = 0; i < v->capability_words; i++)
		both[i] = a[i] & b[i];
	return both;
}

const uint64_t *check_only(struct validator *v, uint32_t node)
{
	uint32_t number = v->capability[node - v->policy->first];
	uint64_t *one;

	if (!number || !check_step(v, v->capability_words) ||
	    !(one = check_take(v, v->scratch, v->capability_words, sizeof(*one))))
		return NULL;
	one[(number - 1) / 64] |= (uint64_t)1 << ((number - 1) % 64);
	return one;
}
