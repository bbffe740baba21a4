/* Partial evaluation: each translation by the shape of its filter. That filter and decision agree
 * on random policies is tests/unit/test_cedar_partial_random.c. */
#include "tests/unit/cedar_partial_fixture.h"

#include "policies/filter.h"

struct outcome {
	struct buf shape;
	unsigned int inexact;
	uint32_t policy, node; /* the first that was told */
};

static void told(void *arg, uint32_t policy, uint32_t node)
{
	struct outcome *o = arg;

	if (o->policy != CEDAR_NONE)
		return;
	o->policy = policy;
	o->node = node;
}

/* (and publicity=public (not (or unit=u1 visitDate<=2026-01-15))) */
static void print(const struct access_filter *f, struct buf *out)
{
	static const char *const ops[] = {[ACCESS_OP_AND] = "(and",
	    [ACCESS_OP_OR] = "(or",
	    [ACCESS_OP_NOT] = "(not",
	    [ACCESS_OP_UPTO] = "<=",
	    [ACCESS_OP_HAS] = "=",
	    [ACCESS_OP_PRESENT] = "?",
	    [ACCESS_OP_ALL] = "all",
	    [ACCESS_OP_NONE] = "none"};

	if (f->op == ACCESS_OP_HAS || f->op == ACCESS_OP_UPTO || f->op == ACCESS_OP_PRESENT)
		for (size_t i = 0; i < ACCESS_INDEXED; i++)
			if (access_indexed[i].attribute == f->attribute)
				buf_adds(out, access_indexed[i].name);
	buf_adds(out, ops[f->op]);
	buf_adds(out, f->value ? f->value : "");
	for (size_t i = 0; i < f->children; i++) {
		buf_addc(out, ' ');
		print(f->child[i], out);
	}
	if (f->children)
		buf_addc(out, ')');
}

static void evaluate(struct partial_fixture *f, const char *text, struct outcome *ret)
{
	struct cedar_policies *p = partial_policies(text);
	struct access_filter *filter = NULL;
	struct ark_error err;

	*ret = (struct outcome){.policy = CEDAR_NONE, .node = CEDAR_NONE};
	cedar_arena_reset(f->round);
	if (cedar_partial(p, &f->world, &f->request, access_indexed, ACCESS_INDEXED, f->round,
		&filter, &ret->inexact, told, ret, &err))
		fail_msg("%s", err.text);
	print(filter, &ret->shape);
	access_filter_free(filter);
	cedar_policies_free(p);
}

/* A permit with this condition is the filter and exact. */
static void exact(struct partial_fixture *f, const char *condition, const char *shape)
{
	struct outcome o;
	char text[1024];

	snprintf(text, sizeof(text), "permit(principal,action,resource)when{%s};", condition);
	evaluate(f, text, &o);
	if (strcmp(o.shape.data, shape) != 0 || o.inexact)
		fail_msg("%s\n  is     %s (%u inexact)\n  not    %s", condition, o.shape.data,
		    o.inexact, shape);
	buf_free(&o.shape);
}

/* A permit with it admits `lower`, what a forbid with it leaves is `left`. */
static void inexact(
    struct partial_fixture *f, const char *condition, const char *lower, const char *left)
{
	struct outcome o;
	char text[1024];

	snprintf(text, sizeof(text), "permit(principal,action,resource)when{%s};", condition);
	evaluate(f, text, &o);
	if (strcmp(o.shape.data, lower) != 0 || o.inexact != 1 || o.policy != 0)
		fail_msg("%s\n  permits %s (%u inexact)\n  not     %s", condition, o.shape.data,
		    o.inexact, lower);
	buf_free(&o.shape);
	snprintf(text, sizeof(text),
	    "permit(principal,action,resource);forbid(principal,action,resource)when{%s};",
	    condition);
	evaluate(f, text, &o);
	if (strcmp(o.shape.data, left) != 0 || o.inexact != 1 || o.policy != 1)
		fail_msg("%s\n  leaves %s (%u inexact)\n  not    %s", condition, o.shape.data,
		    o.inexact, left);
	buf_free(&o.shape);
}

static void test_cedar_partial__equality_of_strings_entities_and_longs(void **state)
{
	struct partial_fixture f;

	(void)state;
	partial_begin(&f);
	exact(&f, "resource.publicity == \"public\"", "publicity=public");
	exact(&f, "\"public\" == resource.publicity", "publicity=public");
	exact(&f, "resource.state != \"draft\"", "(not state=draft)");
	exact(&f, "resource.author == Org::\"o1\"", "author=o1");
	exact(&f, "principal.org == resource.author", "author=o1");
	exact(&f, "resource.author != principal.org", "(not author=o1)");
	exact(&f, "resource.unitCount == 0", "unitCount=0");
	exact(&f, "resource.unitCount != 1 + 1", "(not unitCount=2)");
	exact(&f, "resource.type like \"report\"", "type=report");
	exact(&f, "resource.type like \"*\"", "all");
	/* what is of another kind, or of another type, is not equal */
	exact(&f, "resource.state == 3", "none");
	exact(&f, "resource.state != 3", "all");
	exact(&f, "resource.author == Unit::\"o1\"", "none");
	exact(&f, "resource.author == \"o1\"", "none");
	exact(&f, "resource.unitCount == \"0\"", "none");
	exact(&f, "resource.units == resource.state", "none");
	exact(&f, "resource.author == resource.author", "all");
	exact(&f, "(resource.state == \"final\") == true", "state=final");
	exact(&f, "(resource.state == \"final\") != true", "(not state=final)");
	exact(&f, "(resource.state == \"final\") == (resource.unitCount == 0)",
	    "(or (and state=final unitCount=0) (not (or state=final unitCount=0)))");
	partial_end(&f);
}

static void test_cedar_partial__sets(void **state)
{
	struct partial_fixture f;

	(void)state;
	partial_begin(&f);
	exact(&f, "[\"a\",\"b\"].contains(resource.type)", "(or type=a type=b)");
	exact(&f, "[].contains(resource.type)", "none");
	exact(&f, "[1,true].contains(resource.type)", "none");
	exact(&f, "principal.orgs.contains(resource.author)", "(or author=o1 author=o3)");
	exact(&f, "[0,1].contains(resource.unitCount)", "(or unitCount=0 unitCount=1)");
	exact(&f, "resource.renditions.contains(\"public\")", "renditions=public");
	exact(&f, "resource.units.contains(Unit::\"u1\")", "units=u1");
	exact(&f, "resource.units.contains(County::\"u1\")", "none");
	exact(&f, "resource.units.contains(resource.author)", "none");
	exact(&f, "resource.units.containsAny(principal.placedUnits)", "(or units=u1 units=u2)");
	exact(&f, "principal.placedUnits.containsAny(resource.units)", "(or units=u1 units=u2)");
	exact(&f, "resource.units.containsAny(principal.ownUnits)", "none");
	exact(&f, "resource.units.containsAll(principal.placedUnits)", "(and units=u1 units=u2)");
	exact(&f, "resource.units.containsAll([])", "all");
	exact(&f, "resource.units.containsAll(resource.units)", "all");
	exact(&f, "[true].contains(resource.state == \"final\")", "state=final");
	exact(&f, "[false,1].contains(resource.state == \"final\")", "(not state=final)");
	exact(&f, "[true,false].contains(resource.state == \"final\")", "all");
	exact(&f, "resource.author in [Org::\"o3\",User::\"bo\"]", "author=o3");
	exact(&f, "[Unit::\"u1\"].contains(resource.units)", "none");
	inexact(&f, "[[Unit::\"u1\"]].contains(resource.units)", "none", "none");
	inexact(&f, "principal.counties.containsAll(resource.counties)", "none", "none");
	inexact(&f, "resource.units.isEmpty()", "none", "none");
	inexact(&f, "resource.units == [Unit::\"u1\",Unit::\"u2\"]", "none",
	    "(not (and units=u1 units=u2))");
	partial_end(&f);
}

static void test_cedar_partial__hierarchies(void **state)
{
	struct partial_fixture f;

	(void)state;
	partial_begin(&f);
	exact(&f, "resource.author in Org::\"o3\"", "author=o3");
	/* o2 lies in o1 */
	exact(&f, "resource.author in Org::\"o1\"", "(or author=o1 author=o2)");
	exact(&f, "resource.author in []", "none");
	exact(&f, "resource.author in [1]", "none");
	exact(&f, "!(resource.author in [1])", "none");
	/* anna lies in o2, which lies in o1 */
	exact(&f, "principal in resource.author", "(or author=o1 author=o2)");
	exact(&f, "principal in resource.addressees", "(or addressees=o1 addressees=o2)");
	exact(&f, "principal.org in resource.author", "author=o1");
	exact(&f, "principal in resource.units", "none");
	exact(&f, "principal in resource", "none");
	exact(&f, "resource in resource", "all");
	exact(&f, "resource.author is Org", "all");
	exact(&f, "resource.author is Unit", "none");
	inexact(&f, "resource in Archive::\"a\"", "none", "none");
	inexact(&f, "Document::\"d1\" in resource.author", "none", "none");
	/* where the hierarchy cannot be walked downwards, there may be more below */
	f.world = (struct cedar_world){f.entities, NULL, 0};
	inexact(&f, "resource.author in Org::\"o3\"", "author=o3", "none");
	exact(&f, "principal in resource.author", "(or author=o1 author=o2)");
	partial_end(&f);
}

static void test_cedar_partial__days(void **state)
{
	struct partial_fixture f;

	(void)state;
	partial_begin(&f);
	exact(&f, "resource.date <= context.today", "date<=2026-01-15");
	exact(&f, "resource.date < context.today", "date<=2026-01-14");
	exact(&f, "resource.date > context.today", "(not date<=2026-01-15)");
	exact(&f, "resource.date >= context.today", "(not date<=2026-01-14)");
	/* the known one at half past nine */
	exact(&f, "resource.date <= context.now", "date<=2026-01-15");
	exact(&f, "resource.date < context.now", "date<=2026-01-15");
	exact(&f, "context.now < resource.date", "(not date<=2026-01-15)");
	exact(&f, "context.now <= resource.date", "(not date<=2026-01-15)");
	exact(&f, "context.today <= resource.date", "(not date<=2026-01-14)");
	exact(&f, "context.today >= resource.date", "date<=2026-01-15");
	exact(&f, "resource.date == context.today", "date=2026-01-15");
	exact(&f, "resource.date != context.today", "(not date=2026-01-15)");
	exact(&f, "resource.date == context.now", "none");
	exact(&f, "[context.today,context.now].contains(resource.date)", "date=2026-01-15");
	exact(&f, "resource.date < datetime(\"1969-12-31T12:00:00Z\")", "date<=1969-12-31");
	exact(&f, "resource.date <= datetime(\"9999-12-31\")", "all");
	exact(&f, "resource.date < datetime(\"0000-01-01\")", "none");
	/* what is 25 years old (621/1999, 31 §) */
	exact(&f, "resource.date.offset(duration(\"9131d\")) <= context.today", "date<=2001-01-15");
	exact(&f, "resource.date.toDate() == context.now.toDate()", "date=2026-01-15");
	exact(&f, "resource.date < resource.date", "none");
	exact(&f, "resource.date.offset(duration(\"1d\")) == resource.date", "none");
	exact(&f, "resource.date < 5", "none");
	exact(&f, "resource.date.offset(duration(\"1d\")) > resource.date", "all");
	inexact(&f, "resource.date.offset(duration(\"9223372036854775807ms\")) > context.now",
	    "none", "none");
	inexact(&f, "resource.date.toTime() == duration(\"0ms\")", "none", "none");
	partial_end(&f);
}

static void test_cedar_partial__an_optional_day_fails_where_it_is_missing(void **state)
{
	struct partial_fixture f;

	(void)state;
	partial_begin(&f);
	exact(&f, "resource has visitDate", "visitDate?");
	exact(&f, "!(resource has visitDate)", "(not visitDate?)");
	exact(&f, "resource has date", "all");
	exact(&f, "resource.visitDate <= context.today", "visitDate<=2026-01-15");
	exact(&f, "resource.visitDate > context.today",
	    "(and visitDate? (not visitDate<=2026-01-15))");
	exact(&f, "!(resource.visitDate <= context.today)",
	    "(and visitDate? (not visitDate<=2026-01-15))");
	exact(&f, "resource.visitDate == context.now", "none");
	exact(&f, "resource.visitDate != context.now", "visitDate?");
	exact(&f, "!(resource has visitDate) || resource.visitDate <= context.today",
	    "(or visitDate<=2026-01-15 (not visitDate?))");
	exact(&f, "resource has visitDate && resource.visitDate > context.today",
	    "(and visitDate? (not visitDate<=2026-01-15))");
	exact(&f, "resource.visitDate <= datetime(\"9999-12-31\")", "visitDate?");
	/* an error on the left is not mended by the right, one on the right counts when it is reached */
	exact(&f, "resource.visitDate <= context.today || true", "visitDate?");
	exact(&f, "true || resource.visitDate <= context.today", "all");
	exact(&f, "resource.state == \"final\" || resource.visitDate <= context.today",
	    "(or state=final visitDate<=2026-01-15)");
	exact(&f, "!(resource.state == \"final\" && resource.visitDate <= context.today)",
	    "(or (and visitDate? (not visitDate<=2026-01-15)) (not state=final))");
	exact(&f,
	    "if resource has visitDate then resource.visitDate <= context.today else "
	    "resource.state == \"final\"",
	    "(or visitDate<=2026-01-15 (and state=final (not visitDate?)))");
	inexact(&f, "resource.visitDate < resource.date", "none", "(not visitDate?)");
	partial_end(&f);
}

static void test_cedar_partial__what_is_known_is_computed(void **state)
{
	struct partial_fixture f;

	(void)state;
	partial_begin(&f);
	exact(&f, "true", "all");
	exact(&f, "false", "none");
	exact(&f, "1", "none");
	exact(&f, "principal.kind == \"county\"", "all");
	exact(&f, "principal.nothing == 1", "none");
	exact(&f, "principal in Role::\"inspector\" && resource.state == \"final\"", "state=final");
	exact(&f, "context has purpose && context.purpose != \"\" && resource.state == \"final\"",
	    "state=final");
	exact(&f, "false && principal.nothing == resource.state", "none");
	exact(&f, "true || principal.nothing == resource.state", "all");
	exact(&f, "resource.state == \"final\" || principal.nothing == 1", "state=final");
	exact(&f, "principal.nothing == 1 || resource.state == \"final\"", "none");
	exact(&f, "resource.state == \"final\" && principal.nothing == 1", "none");
	exact(&f, "resource.state == \"final\" && 1", "none");
	exact(&f, "resource.state && true", "none");
	exact(&f, "!resource.state", "none");
	exact(&f, "resource.state < 3", "none");
	exact(&f, "resource.state < \"final\"", "none");
	exact(&f, "!(\"final\" >= resource.state)", "none");
	exact(&f, "!(resource.state < resource.type)", "none");
	exact(&f, "resource.type + 1 == 2", "none");
	exact(&f, "resource.type.name == 2", "none");
	exact(&f, "resource.type has name", "none");
	exact(&f, "resource.type.contains(1)", "none");
	exact(&f, "resource.units like \"*\"", "none");
	exact(&f, "resource.type is Org", "none");
	exact(&f, "resource.type in Org::\"o1\"", "none");
	exact(&f, "resource.author in \"o1\"", "none");
	exact(&f, "if principal.kind == \"county\" then resource.author == Org::\"o1\" else 3",
	    "author=o1");
	exact(&f, "(if context.strong then resource.type else 3) == \"a\"", "type=a");
	exact(&f, "if resource.state == \"final\" then resource.unitCount == 0 else true",
	    "(or unitCount=0 (not state=final))");
	partial_end(&f);
}

static void test_cedar_partial__the_resource_itself(void **state)
{
	struct partial_fixture f;

	(void)state;
	partial_begin(&f);
	exact(&f, "resource is Document", "all");
	exact(&f, "resource is Unit", "none");
	exact(&f, "resource == resource", "all");
	exact(&f, "resource == Unit::\"u1\"", "none");
	exact(&f, "resource == principal", "none");
	exact(&f, "resource == resource.author", "none");
	exact(&f, "[Unit::\"u1\",3].contains(resource)", "none");
	inexact(&f, "resource == Document::\"d1\"", "none", "none");
	inexact(&f, "resource.state == \"final\" && resource != Document::\"d1\"", "none",
	    "(not state=final)");
	inexact(&f, "resource.state == \"final\" || resource == Document::\"d1\"", "state=final",
	    "none");
	/* it may be the resource, of which the world knows nothing yet */
	inexact(&f, "Document::\"d1\".state == \"final\"", "none", "none");
	inexact(&f, "Document::\"d1\" has state", "none", "none");
	inexact(&f, "Document::\"d1\" in Org::\"o1\"", "none", "none");
	partial_end(&f);
}

static void test_cedar_partial__what_cannot_be_translated_denies(void **state)
{
	struct partial_fixture f;
	struct outcome o;

	(void)state;
	partial_begin(&f);
	inexact(&f, "resource.title == \"x\"", "none", "none");
	inexact(&f, "resource has title", "none", "none");
	inexact(&f, "resource.type like \"in*\"", "none", "none");
	inexact(&f, "resource.unitCount < 3", "none", "none");
	inexact(&f, "resource.unitCount + 1 == 3", "none", "none");
	inexact(&f, "resource.author.name == \"x\"", "none", "none");
	inexact(&f, "resource.state == resource.type", "none", "none");
	inexact(&f, "resource.state == \"\"", "none", "none");
	inexact(&f, "resource.state == \"a\\0b\"", "none", "none");
	inexact(&f, "[resource.type].contains(\"a\")", "none", "none");
	inexact(&f, "{a: resource.type}.a == \"a\"", "none", "none");
	inexact(&f, "(if resource.state == \"final\" then 1 else 2) == 1", "none", "none");
	inexact(&f, "resource.hasTag(\"a\")", "none", "none");
	inexact(&f, "resource.state == \"final\" && resource.title == \"x\"", "none",
	    "(not state=final)");
	inexact(
	    &f, "resource.state == \"final\" || resource.title == \"x\"", "state=final", "none");
	inexact(
	    &f, "!(resource.state == \"final\" || resource.title == \"x\")", "none", "state=final");
	/* the expression is named, the scope is not one */
	evaluate(&f,
	    "permit(principal,action,resource)when{resource.state==\"a\"};"
	    "permit(principal,action,resource==Document::\"d\");"
	    "forbid(principal,action,resource)when{true&&resource.title==\"x\"};",
	    &o);
	assert_string_equal(o.shape.data, "none");
	assert_int_equal(o.inexact, 2);
	assert_int_equal(o.policy, 1);
	assert_int_equal(o.node, CEDAR_NONE);
	buf_free(&o.shape);
	evaluate(&f, "permit(principal,action,resource)when{true&&resource.title==\"x\"};", &o);
	assert_int_equal(o.policy, 0);
	assert_int_not_equal(o.node, CEDAR_NONE);
	buf_free(&o.shape);
	partial_end(&f);
}

static void test_cedar_partial__scopes(void **state)
{
	static const struct {
		const char *scope, *shape;
		unsigned int inexact;
	} cases[] = {
	    {"principal,action,resource", "all", 0},
	    {"principal==User::\"anna\",action,resource", "all", 0},
	    {"principal==User::\"bo\",action,resource", "none", 0},
	    {"principal in Role::\"inspector\",action,resource", "all", 0},
	    {"principal is User in Org::\"o1\",action,resource", "all", 0},
	    {"principal is Org,action,resource", "none", 0},
	    {"principal,action==Action::\"list\",resource", "all", 0},
	    {"principal,action==Action::\"read\",resource", "none", 0},
	    {"principal,action in Action::\"reading\",resource", "all", 0},
	    {"principal,action in [Action::\"list\",Action::\"read\"],resource", "all", 0},
	    {"principal,action,resource is Document", "all", 0},
	    {"principal,action,resource is Unit", "none", 0},
	    {"principal,action,resource==Unit::\"u\"", "none", 0},
	    {"principal,action,resource==Document::\"d\"", "none", 1},
	    {"principal,action,resource in Case::\"c\"", "none", 1},
	    {"principal,action,resource is Document in Case::\"c\"", "none", 1},
	    {"principal,action,resource is Unit in Case::\"c\"", "none", 0},
	};
	struct partial_fixture f;

	(void)state;
	partial_begin(&f);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct outcome o;
		char text[200];

		snprintf(text, sizeof(text), "permit(%s);", cases[i].scope);
		evaluate(&f, text, &o);
		if (strcmp(o.shape.data, cases[i].shape) != 0 || o.inexact != cases[i].inexact)
			fail_msg("%s: %s, %u inexact", text, o.shape.data, o.inexact);
		buf_free(&o.shape);
	}
	partial_end(&f);
}

static void test_cedar_partial__policies_together(void **state)
{
	struct partial_fixture f;
	struct outcome o;

	(void)state;
	partial_begin(&f);
	evaluate(&f, "", &o);
	assert_string_equal(o.shape.data, "none");
	buf_free(&o.shape);
	evaluate(&f,
	    "permit(principal,action,resource)when{resource.publicity==\"public\"&&"
	    "resource.state==\"final\"};"
	    "permit(principal,action,resource)when{resource.counties.containsAny(principal."
	    "counties)};"
	    "permit(principal,action,resource)when{principal.kind==\"state-agency\"};"
	    "forbid(principal,action,resource)when{resource.state==\"draft\"}"
	    "unless{principal.orgs.contains(resource.author)};"
	    "forbid(principal,action,resource)when{resource has visitDate&&"
	    "resource.visitDate>context.today};",
	    &o);
	assert_string_equal(o.shape.data,
	    "(and (or author=o1 author=o3 (not state=draft)) "
	    "(or visitDate<=2026-01-15 (not visitDate?)) "
	    "(or (and publicity=public state=final) counties=c1 counties=c2))");
	assert_int_equal(o.inexact, 0);
	buf_free(&o.shape);
	evaluate(&f,
	    "permit(principal,action,resource)when{resource.publicity==\"public\"};"
	    "permit(principal,action,resource);"
	    "forbid(principal,action,resource)when{resource.nothing};",
	    &o);
	assert_string_equal(o.shape.data, "none");
	assert_int_equal(o.inexact, 1);
	assert_int_equal(o.policy, 2);
	buf_free(&o.shape);
	partial_end(&f);
}

/* permit when [0,1,…].contains(resource.unitCount) */
static void many(struct buf *out, unsigned int n, unsigned int from)
{
	buf_adds(out, "permit(principal,action,resource)when{[");
	for (unsigned int i = 0; i < n; i++)
		buf_addf(out, "%s%u", i ? "," : "", from + i);
	buf_adds(out, "].contains(resource.unitCount)};");
}

static void test_cedar_partial__beyond_its_bounds_a_policy_is_inexact(void **state)
{
	struct partial_fixture f;
	struct outcome o;
	struct buf text = BUF_INIT;

	(void)state;
	partial_begin(&f);
	many(&text, FILTER_LEAVES_MAX, 0);
	evaluate(&f, text.data, &o);
	assert_int_equal(o.inexact, 0);
	buf_free(&o.shape);
	buf_clear(&text);
	many(&text, FILTER_LEAVES_MAX + 1, 0);
	evaluate(&f, text.data, &o);
	assert_int_equal(o.inexact, 1);
	assert_string_equal(o.shape.data, "none");
	buf_free(&o.shape);
	buf_clear(&text);
	/* together they are too many: those that fit stay */
	many(&text, 3, 0);
	many(&text, FILTER_LEAVES_MAX - 1, 100);
	many(&text, 2, 50);
	evaluate(&f, text.data, &o);
	assert_int_equal(o.inexact, 1);
	assert_int_equal(o.policy, 1);
	assert_string_equal(
	    o.shape.data, "(or unitCount=0 unitCount=1 unitCount=2 unitCount=50 unitCount=51)");
	buf_free(&o.shape);
	buf_clear(&text);
	/* deeper than catalogue and index take */
	buf_adds(&text, "permit(principal,action,resource)when{");
	for (int i = 0; i < 60; i++)
		buf_addf(
		    &text, "resource.units.contains(Unit::\"v%d\")%s(", i, i % 2 ? "||" : "&&");
	buf_adds(&text, "true");
	for (int i = 0; i < 60; i++)
		buf_addc(&text, ')');
	buf_adds(&text, "};");
	evaluate(&f, text.data, &o);
	assert_int_equal(o.inexact, 1);
	buf_free(&o.shape);
	buf_free(&text);
	partial_end(&f);
}

static void test_cedar_partial__without_memory_nothing_is_returned(void **state)
{
	struct partial_fixture f;
	struct cedar_policies *p;
	struct access_filter *filter = NULL;
	struct cedar_arena *little;
	struct buf text = BUF_INIT;
	struct ark_error err;

	(void)state;
	partial_begin(&f);
	many(&text, 5000, 0);
	p = partial_policies(text.data);
	assert_int_equal(cedar_arena_new(1U << 17, &little, NULL), ARK_OK);
	assert_int_equal(cedar_partial(p, &f.world, &f.request, access_indexed, ACCESS_INDEXED,
			     little, &filter, NULL, NULL, NULL, &err),
	    ARK_ENOMEM);
	assert_null(filter);
	cedar_arena_free(little);
	cedar_policies_free(p);
	buf_free(&text);
	partial_end(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_cedar_partial__equality_of_strings_entities_and_longs),
	    cmocka_unit_test(test_cedar_partial__sets),
	    cmocka_unit_test(test_cedar_partial__hierarchies),
	    cmocka_unit_test(test_cedar_partial__days),
	    cmocka_unit_test(test_cedar_partial__an_optional_day_fails_where_it_is_missing),
	    cmocka_unit_test(test_cedar_partial__what_is_known_is_computed),
	    cmocka_unit_test(test_cedar_partial__the_resource_itself),
	    cmocka_unit_test(test_cedar_partial__what_cannot_be_translated_denies),
	    cmocka_unit_test(test_cedar_partial__scopes),
	    cmocka_unit_test(test_cedar_partial__policies_together),
	    cmocka_unit_test(test_cedar_partial__beyond_its_bounds_a_policy_is_inexact),
	    cmocka_unit_test(test_cedar_partial__without_memory_nothing_is_returned),
	};

	return cmocka_run_group_tests_name("cedar_partial", tests, NULL, NULL);
}
