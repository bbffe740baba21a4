/* Filter and decision agree: random policies over the documents' attributes, for each the filter
 * of partial evaluation against cedar_decide() on every document of a small archive. Where every
 * policy was translated exactly they are the same; where one was not the filter never admits more. */
#include <time.h>

#include "tests/unit/cedar_partial_fixture.h"

enum { DOCUMENTS = 60, ROUNDS = 4000 };

struct document {
	struct access_resource attributes;
	const char *units[4], *counties[3], *addressees[3];
	char id[8];
	struct cedar_entities *entities;
	const struct cedar_entity *entity;
};

struct random {
	struct partial_fixture world;
	struct document documents[DOCUMENTS];
	unsigned int seed;
	bool plain; /* only what can be translated */
	size_t compared, exact, inexact, admitted, missed;
};

static unsigned int pick(struct random *x, unsigned int n)
{
	return (unsigned int)rand_r(&x->seed) / 7 % n;
}

#define ONE_OF(x, array) ((array)[pick(x, sizeof(array) / sizeof(*(array)))])

/* ---- documents ---- */

static const char *const publicities[] = {"public", "partly-secret", "secret"};
static const char *const states[] = {"final", "draft"};
static const char *const types[] = {"inspection-report", "order", "inquiry"};
static const char *const orgs[] = {"o1", "o2", "o3"};
static const char *const units[] = {"u1", "u2", "u3", "u4"};
static const char *const counties[] = {"c1", "c2", "c3"};
static const char *const days[] = {"2025-12-31", "2026-01-14", "2026-01-15", "2026-01-16",
    "2026-02-28", "2026-03-01", "2026-03-02", "1969-12-31", "2000-02-29"};

static size_t some(struct random *x, const char *const *of, size_t n, const char **ret)
{
	size_t len = 0;

	for (size_t i = 0; i < n; i++)
		if (pick(x, 5) < 2)
			ret[len++] = of[i];
	return len;
}

static void add_set(
    struct buf *out, const char *name, const char *type, const struct access_ids *ids)
{
	buf_addf(out, ",'%s':[", name);
	for (size_t i = 0; i < ids->len; i++)
		buf_addf(
		    out, "%s{'__entity':{'type':'%s','id':'%s'}}", i ? "," : "", type, ids->id[i]);
	buf_adds(out, "]");
}

static void random_document(struct random *x, unsigned int number)
{
	struct document *d = &x->documents[number];
	struct access_resource *r = &d->attributes;
	struct buf out = BUF_INIT;
	struct cedar_world world = {0};
	struct cedar_uid uid;
	struct ark_error err;
	json_t *json;

	snprintf(d->id, sizeof(d->id), "d%u", number % 100);
	*r = (struct access_resource){.publicity = ONE_OF(x, publicities),
	    .author = ONE_OF(x, orgs),
	    .state = ONE_OF(x, states),
	    .type = ONE_OF(x, types),
	    .units = {d->units, some(x, units, 4, d->units)},
	    .counties = {d->counties, some(x, counties, 3, d->counties)},
	    .addressees = {d->addressees, some(x, orgs, 3, d->addressees)},
	    .date = ONE_OF(x, days),
	    .visit_date = pick(x, 2) ? ONE_OF(x, days) : NULL,
	    .rendition = pick(x, 2)};
	buf_addf(&out,
	    "[{'uid':{'type':'Document','id':'%s'},'parents':[],'attrs':{'publicity':'%s',"
	    "'state':'%s','type':'%s','unitCount':%zu,'renditions':[%s],"
	    "'author':{'__entity':{'type':'Org','id':'%s'}},"
	    "'date':{'__extn':{'fn':'datetime','arg':'%s'}}",
	    d->id, r->publicity, r->state, r->type, r->units.len, r->rendition ? "'public'" : "",
	    r->author, r->date);
	if (r->visit_date)
		buf_addf(
		    &out, ",'visitDate':{'__extn':{'fn':'datetime','arg':'%s'}}", r->visit_date);
	if (pick(x, 2))
		buf_addf(&out, ",'title':'%s'", ONE_OF(x, types));
	add_set(&out, "units", "Unit", &r->units);
	add_set(&out, "counties", "County", &r->counties);
	add_set(&out, "addressees", "Org", &r->addressees);
	buf_adds(&out, "}}]");
	json = partial_json(out.data);
	if (cedar_entities_from_json(json, NULL, &d->entities, &err))
		fail_msg("%s in %s", err.text, out.data);
	json_decref(json);
	buf_free(&out);
	world.entities = d->entities;
	uid = partial_uid("Document", d->id);
	d->entity = cedar_entity_find(&world, &uid);
	assert_non_null(d->entity);
}

/* ---- policies ---- */

/* In these: $p publicity, $s state, $t type, $o $u $c ids, $d a day, $n a small number, $r == or !=,
 * $< an order. */
static const char *const plain_atoms[] = {
    "resource.publicity $r \"$p\"",
    "\"$s\" $r resource.state",
    "resource.type $r \"$t\"",
    "[\"$t\",\"$t\",3].contains(resource.type)",
    "resource.author $r Org::\"$o\"",
    "principal.org $r resource.author",
    "principal.orgs.contains(resource.author)",
    "principal.placedUnits.contains(resource.author)",
    "resource.units.contains(Unit::\"$u\")",
    "resource.units.containsAny(principal.placedUnits)",
    "principal.ownUnits.containsAny(resource.units)",
    "resource.units.containsAll([Unit::\"$u\",Unit::\"$u\"])",
    "resource.units.containsAll(principal.ownUnits)",
    "resource.counties.containsAny(principal.counties)",
    "resource.addressees.containsAny(principal.orgs)",
    "resource.unitCount $r $n",
    "[$n,$n].contains(resource.unitCount)",
    "resource.renditions.contains(\"public\")",
    "resource.date $< context.today",
    "context.now $< resource.date",
    "resource.date $< datetime(\"$d\")",
    "datetime(\"$dT12:00:00Z\") $< resource.date",
    "resource.date $r context.today",
    "resource.visitDate $< context.today",
    "resource.visitDate $< datetime(\"$d\")",
    "context.now $< resource.visitDate",
    "resource.visitDate $r datetime(\"$d\")",
    "resource has visitDate",
    "resource has visitDate",
    "(resource has visitDate && resource.visitDate $< context.today)",
    "resource has date",
    "resource is Document",
    "resource is Unit",
    "resource.author is Org",
    "resource.date.offset(duration(\"$nd\")) $< context.today",
    "resource.visitDate.offset(duration(\"-$nd12h\")) $< context.now",
    "principal in resource.author",
    "principal in resource.addressees",
    "resource.author in Org::\"$o\"",
    "resource.author in principal.orgs",
    "resource.type like \"order\"",
    "resource.type like \"*\"",
    "resource == Unit::\"$u\"",
    "principal.kind == \"county\"",
    "principal in Role::\"inspector\"",
    "context has purpose",
    "context.purpose == \"x\"",
    "context.strong",
    "principal.nothing == 1",
    "9223372036854775807 + $n > 0",
    "resource.author == \"$o\"",
    "resource.units == $n",
    "resource.type < $n",
    "resource.date < $n",
    "resource.state",
    "resource.type.contains(\"$t\")",
    "true",
    "false",
    "$n",
    "(if context.strong then resource.state else \"$s\") == \"$s\"",
    "[true].contains(resource.state == \"$s\")",
    "resource.units.containsAll(resource.units)",
    "resource.visitDate == resource.visitDate",
    "resource.visitDate != $n",
};
static const char *const hard_atoms[] = {
    "principal.counties.containsAll(resource.counties)",
    "resource.units.isEmpty()",
    "resource.unitCount < $n",
    "resource.unitCount + 1 == $n",
    "resource == Document::\"d$n\"",
    "[resource, 1].contains(Document::\"d$n\")",
    "Document::\"d$n\".state == \"$s\"",
    "Document::\"d$n\" has visitDate",
    "Document::\"d$n\" in resource",
    "resource in Org::\"$o\"",
    "resource.author.name == \"One\"",
    "resource.author has name",
    "resource.title == \"$t\"",
    "resource has title",
    "resource.type like \"in*\"",
    "resource.units == [Unit::\"$u\"]",
    "resource.units != principal.ownUnits",
    "[[Unit::\"$u\"],[]].contains(resource.units)",
    "resource.visitDate $< resource.date",
    "resource.visitDate == resource.date",
    "resource.type == resource.state",
    "[resource.type].contains(\"$t\")",
    "{a: resource.type}.a == \"$t\"",
    "(if resource.state == \"$s\" then resource.type else $n) == \"$t\"",
    "resource.addressees.contains(resource.author)",
    "resource.author in resource.addressees",
    "resource.visitDate.toTime() == duration(\"0ms\")",
    "resource.state in resource.renditions",
    "resource.author in resource.renditions",
};

static void add_atom(struct random *x, struct buf *out, const char *atom)
{
	static const char *const relations[] = {"==", "!="}, *const orders[] = {
								 "<", "<=", ">", ">="};

	for (const char *c = atom; *c; c++) {
		if (*c != '$') {
			buf_addc(out, *c);
			continue;
		}
		switch (*++c) {
		case 'p':
			buf_adds(out, ONE_OF(x, publicities));
			break;
		case 's':
			buf_adds(out, ONE_OF(x, states));
			break;
		case 't':
			buf_adds(out, ONE_OF(x, types));
			break;
		case 'o':
			buf_adds(out, ONE_OF(x, orgs));
			break;
		case 'u':
			buf_adds(out, ONE_OF(x, units));
			break;
		case 'd':
			buf_adds(out, ONE_OF(x, days));
			break;
		case 'n':
			buf_addf(out, "%u", pick(x, 4));
			break;
		case 'r':
			buf_adds(out, ONE_OF(x, relations));
			break;
		case '<':
			buf_adds(out, ONE_OF(x, orders));
			break;
		default:
			fail_msg("no such letter in %s", atom);
		}
	}
}

static void add_expression(struct random *x, struct buf *out, unsigned int depth)
{
	static const char *const between[] = {" && ", " && ", " || ", " || ", ") == ("};
	unsigned int form = pick(x, 10);

	if (depth == 0 || form < 3) {
		bool hard = !x->plain && pick(x, 4) == 0;

		add_atom(x, out, hard ? ONE_OF(x, hard_atoms) : ONE_OF(x, plain_atoms));
		return;
	}
	if (form == 3) {
		buf_adds(out, "!(");
		add_expression(x, out, depth - 1);
	} else if (form == 4) {
		buf_adds(out, "(if ");
		add_expression(x, out, depth - 1);
		buf_adds(out, " then ");
		add_expression(x, out, depth - 1);
		buf_adds(out, " else ");
		add_expression(x, out, depth - 1);
	} else {
		const char *joint = ONE_OF(x, between);

		buf_adds(out, *joint == ')' ? "((" : "(");
		add_expression(x, out, depth - 1);
		buf_adds(out, joint);
		add_expression(x, out, depth - 1);
		if (*joint == ')')
			buf_addc(out, ')');
	}
	buf_addc(out, ')');
}

static void add_policy(struct random *x, struct buf *out)
{
	static const char *const principals[] = {"principal", "principal", "principal",
	    "principal == User::\"anna\"", "principal in Role::\"inspector\"",
	    "principal is User in Org::\"o1\""};
	static const char *const actions[] = {"action", "action == Action::\"list\"",
	    "action in Action::\"reading\"", "action == Action::\"file\""};
	static const char *const resources[] = {"resource", "resource", "resource is Document",
	    "resource is Document", "resource is Unit", "resource == Document::\"d3\"",
	    "resource in Org::\"o1\""};

	buf_addf(out, "%s(%s, %s, %s)", pick(x, 3) ? "permit" : "forbid", ONE_OF(x, principals),
	    actions[pick(x, pick(x, 3) ? 3 : 4)], resources[pick(x, x->plain ? 5 : 7)]);
	for (unsigned int i = pick(x, 3); i > 0; i--) {
		buf_adds(out, pick(x, 3) ? " when {" : " unless {");
		add_expression(x, out, 1 + pick(x, 4));
		buf_adds(out, "}");
	}
	buf_adds(out, ";\n");
}

/* ---- agreeing ---- */

static bool decided(struct random *x, const struct cedar_policies *p, const struct document *d)
{
	const struct cedar_entity *more[9];
	struct cedar_world world = x->world.world;
	struct cedar_request request = x->world.request;
	struct cedar_answer answer;
	struct ark_error err;

	if (world.more_len)
		memcpy(more, world.more, world.more_len * sizeof(*more));
	more[world.more_len++] = d->entity;
	world.more = more;
	request.resource = d->entity->uid;
	cedar_arena_reset(x->world.round);
	if (cedar_decide(p, &world, &request, x->world.round, &answer, &err))
		fail_msg("%s", err.text);
	return answer.allow;
}

static void compare(struct random *x, const char *text)
{
	struct cedar_policies *p = partial_policies(text);
	struct access_filter *filter = NULL;
	unsigned int inexact = 0;
	struct ark_error err;

	cedar_arena_reset(x->world.round);
	if (cedar_partial(p, &x->world.world, &x->world.request, access_indexed, ACCESS_INDEXED,
		x->world.round, &filter, &inexact, NULL, NULL, &err))
		fail_msg("%s in %s", err.text, text);
	for (size_t i = 0; i < DOCUMENTS; i++) {
		const struct document *d = &x->documents[i];
		bool admits = access_filter_admits(filter, &d->attributes);
		bool allowed = decided(x, p, d);

		if (admits != allowed && (admits || !inexact))
			fail_msg(
			    "the filter %s %s in\n%s", admits ? "admits" : "hides", d->id, text);
		x->admitted += admits;
		x->missed += allowed && !admits;
	}
	x->compared += DOCUMENTS;
	x->exact += inexact == 0;
	x->inexact += inexact > 0;
	access_filter_free(filter);
	cedar_policies_free(p);
}

static void test_cedar_partial_random__filter_and_decision_agree(void **state)
{
	static const char *const principals[] = {"anna", "bo", "nobody"};
	struct random *x = calloc(1, sizeof(*x));
	struct buf text = BUF_INIT;

	(void)state;
	assert_non_null(x);
	x->seed = getenv("ARKKI_SEED") ? (unsigned int)strtoul(getenv("ARKKI_SEED"), NULL, 10)
				       : (unsigned int)time(NULL);
	printf("seed %u (ARKKI_SEED repeats it)\n", x->seed);
	partial_begin(&x->world);
	for (unsigned int i = 0; i < DOCUMENTS; i++)
		random_document(x, i);
	for (unsigned int round = 0; round < ROUNDS; round++) {
		/* a hierarchy that is listed, and one that cannot be walked downwards */
		x->world.world =
		    pick(x, 3) ? (struct cedar_world){NULL, x->world.listed, x->world.listed_len}
			       : (struct cedar_world){x->world.entities, NULL, 0};
		x->world.request.principal = partial_uid("User", ONE_OF(x, principals));
		if (round % 64 == 0)
			partial_context(&x->world, ONE_OF(x, partial_contexts));
		x->plain = pick(x, 3) > 0;
		buf_clear(&text);
		for (unsigned int i = 1 + pick(x, 5); i > 0; i--)
			add_policy(x, &text);
		compare(x, text.data);
	}
	printf("%zu compared: %zu sets exact, %zu not; %zu admitted, %zu missed by inexact ones\n",
	    x->compared, x->exact, x->inexact, x->admitted, x->missed);
	assert_true(x->compared >= 50000 && x->exact > ROUNDS / 4 && x->inexact > ROUNDS / 10);
	assert_true(x->admitted > x->compared / 20 && x->admitted < x->compared / 20 * 19);
	for (unsigned int i = 0; i < DOCUMENTS; i++)
		cedar_entities_free(x->documents[i].entities);
	partial_end(&x->world);
	buf_free(&text);
	free(x);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_cedar_partial_random__filter_and_decision_agree),
	};

	return cmocka_run_group_tests_name("cedar_partial_random", tests, NULL, NULL);
}
