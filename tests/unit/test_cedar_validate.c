/* Cedar's validator: each rule of strict validation, and what Cedar's own tests say. */
#include <archive.h>
#include <archive_entry.h>

#include "arkki/base/buf.h"
#include "arkki/base/fs.h"
#include "policies/cedar_private.h"
#include "tests/unit/unit.h"

static const char schema_text[] =
    "entity Group;\n"
    "entity User in [Group] = { name: String, age: Long, nick?: String, boss?: User, admin: Bool,\n"
    "  address: { city: String, street?: String }, friends: Set<User>, words: Set<String>,\n"
    "  born: datetime, wait: duration, price: decimal, net: ipaddr } tags Long;\n"
    "entity Robot;\n"
    "entity Shelf; entity Album in [Shelf];\n"
    "entity Photo in [Album] = { owner: User, maker: User, albums: Set<Album>, kind: Kind };\n"
    "entity Kind enum [\"raw\", \"finished\"];\n"
    "action any;\n"
    "action view, edit in [any] appliesTo { principal: [User], resource: [Photo],\n"
    "  context: { ip: ipaddr, reason?: String } };\n"
    "action list appliesTo { principal: [User, Robot], resource: [Album] };\n"
    "namespace N { entity Other; action other appliesTo { principal: Other, resource: Other }; }\n";

struct told {
	unsigned int errors, warnings;
	struct cedar_fault error, warning;
};

static void tell(void *arg, const struct cedar_fault *fault)
{
	struct told *t = arg;

	if (fault->warning && !t->warnings++)
		t->warning = *fault;
	else if (!fault->warning && !t->errors++)
		t->error = *fault;
}

static int validate(const char *schema, size_t schema_len, const char *policies,
    size_t policies_len, struct told *told)
{
	struct cedar_policies *p = NULL;
	struct cedar_schema *s = NULL;
	struct ark_error err = {0};
	int status;

	memset(told, 0, sizeof(*told));
	if (cedar_schema_parse(schema, schema_len, tell, told, &s, &err) ||
	    cedar_policies_parse(policies, policies_len, tell, told, &p, &err)) {
		cedar_schema_free(s);
		fail_msg("%s\n%.2000s", err.text, policies);
	}
	memset(told, 0, sizeof(*told));
	status = cedar_validate(s, p, tell, told, &err);
	assert_int_equal(status, told->errors ? ARK_EINPUT : ARK_OK);
	assert_int_equal(err.status, status);
	cedar_schema_free(s);
	cedar_policies_free(p);
	return status;
}

static int validate_text(const char *policy, struct told *told)
{
	return validate(schema_text, sizeof(schema_text) - 1, policy, strlen(policy), told);
}

/* A condition of views, and part of the fault; "" for none, "~" for a policy that never applies. */
struct rule {
	const char *condition, *fault;
};

static void check_rules(const struct rule *rules, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		struct told told;
		char policy[1024];
		bool never = rules[i].fault[0] == '~';
		const char *expected = rules[i].fault + never;

		snprintf(policy, sizeof(policy),
		    "permit(principal, action == Action::\"view\", resource)\nwhen { %s };",
		    rules[i].condition);
		validate_text(policy, &told);
		if (!*expected != !told.errors || !strstr(told.error.text, expected) ||
		    never != (told.warnings == 1))
			fail_msg("%s\n%u errors: %u:%u: %s; %u warnings: %s", rules[i].condition,
			    told.errors, told.error.line, told.error.column, told.error.text,
			    told.warnings, told.warning.text);
		if (*expected && told.error.line != 2)
			fail_msg("%s: line %u", rules[i].condition, told.error.line);
	}
}
#define CHECK_RULES(rules) check_rules(rules, sizeof(rules) / sizeof(*(rules)))

static void test_validate__attributes_must_be_there(void **state)
{
	static const struct rule rules[] = {
	    {"principal.age > 3", ""},
	    {"principal.nam == \"x\"", "no attribute `nam`"},
	    {"principal.nick == \"x\"", "may be missing"},
	    {"principal has nick && principal.nick == \"x\"", ""},
	    {"principal has boss.boss && principal.boss.boss.age > 1", ""},
	    {"principal has boss && principal.boss.boss.age > 1", "may be missing"},
	    {"principal has nick || principal.nick == \"x\"", "may be missing"},
	    {"!(principal has nick) && principal.nick == \"x\"", "may be missing"},
	    {"(principal has nick || principal has boss) && principal.nick == \"x\"",
		"may be missing"},
	    {"(principal has nick || principal has nick) && principal.nick == \"x\"", ""},
	    {"(principal has nick && principal.age > 1) && principal.nick == \"x\"", ""},
	    {"if principal has nick then principal.nick == \"x\" else false", ""},
	    {"if principal has nick then false else principal.nick == \"x\"", "may be missing"},
	    {"(if principal has nick then principal has boss else false) && principal.boss.age > 1",
		"may be missing"},
	    {"(if true then principal has nick else true) && principal.nick == \"x\"", ""},
	    {"(if principal.admin then principal has nick else true) && principal.nick == \"x\"",
		"may be missing"},
	    {"principal.address has street && principal.address.street == \"x\"", ""},
	    {"principal.address has street && principal.address[\"street\"] == \"x\"", ""},
	    {"(if 1 != 2 then principal else principal) has nick && "
	     "(if !(1 == 2) then principal else principal).nick == \"x\"",
		""},
	    {"principal.boss has nick && principal.nick == \"x\"", "may be missing"},
	    {"context has reason && context.reason == \"x\"", ""},
	    {"resource.owner has nick && resource.maker.nick == \"x\"", "may be missing"},
	    {"context.reason == \"x\"", "may be missing"},
	    {"context.other == \"x\"", "`context` has no attribute `other`"},
	    {"principal.name.x", "must be an entity or a record, but is String"},
	    {"principal.words has x", "must be an entity or a record, but is Set<String>"},
	    {"action.name == 1", "no attribute `name`"},
	    {"{a: 1, b: \"x\"}.b == \"y\"", ""},
	    {"{a: 1}.c == 1", "no attribute `c`"},
	};

	(void)state;
	CHECK_RULES(rules);
}

static void test_validate__what_is_always_true_or_false_ends_the_search(void **state)
{
	static const struct rule rules[] = {
	    {"false && principal.none", "~"},
	    {"principal.age > 1 && false && principal.none", "~"},
	    {"{a: false}.a", "~"},
	    {"true || principal.none", ""},
	    {"if true then true else principal.none", ""},
	    {"if false then principal.none else true", ""},
	    {"principal is Robot && principal.none", "~"},
	    {"!(principal is User) && principal.none", "~"},
	    {"resource is Photo && resource.none == 1", "no attribute `none`"},
	    {"principal has none && principal.none", "~"},
	    {"principal.address has none && principal.none", "~"},
	    {"principal.address has city || principal.none", ""},
	    {"principal has name || principal.none == 1", "no attribute `none`"},
	    {"principal has name && principal has name", ""},
	    {"principal == resource && principal.none", "~"},
	    {"principal in resource && principal.none", "~"},
	    {"principal in Album::\"a\" && principal.none", "~"},
	    {"resource in Shelf::\"a\" && resource.none == 1", "no attribute `none`"},
	    {"Shelf::\"a\" in resource && resource.none", "~"},
	    {"resource in Album::\"a\" && resource.none == 1", "no attribute `none`"},
	    {"principal in [Group::\"a\"] && principal.none == 1", "no attribute `none`"},
	    {"resource in resource.albums && resource.none == 1", "no attribute `none`"},
	    {"action == Action::\"edit\" && principal.none", "~"},
	    {"action != Action::\"view\" && principal.none", "~"},
	    {"action in Action::\"any\" && principal.none == 1", "no attribute `none`"},
	    {"action in [Action::\"any\", Action::\"edit\"] && principal.none == 1",
		"no attribute `none`"},
	    {"action in Action::\"edit\" && principal.none", "~"},
	    {"action == N::Action::\"other\" && principal.none", "~"},
	    {"1 == 2 && principal.none", "~"},
	    {"1 == \"one\" && principal.none", "~"},
	    {"\"a\" != \"a\" && principal.none", "~"},
	    {"resource.hasTag(\"x\") && principal.none", "~"},
	};

	(void)state;
	CHECK_RULES(rules);
}

static void test_validate__operands_must_have_their_types(void **state)
{
	static const struct rule rules[] = {
	    {"principal.age", "must be Bool, but is Long"},
	    {"principal.age && true", "must be Bool"},
	    {"!principal.name", "must be Bool"},
	    {"-principal.name == 1", "must be Long"},
	    {"principal.name + 1 == 1", "must be Long"},
	    {"principal.age * 2 - 1 == 1", ""},
	    {"principal.name < \"x\"", "must be Long, datetime or duration, but is String"},
	    {"principal.age < principal.born", "as the other side is"},
	    {"principal.born < datetime(\"2026-01-01\") && principal.wait >= duration(\"1d\")", ""},
	    {"principal.price < decimal(\"1.0\")", "must be Long, datetime or duration"},
	    {"principal.price.lessThan(decimal(\"1.0\"))", ""},
	    {"principal.price.lessThan(1)", "must be decimal"},
	    {"context.ip.isInRange(ip(\"10.0.0.0/8\")) && principal.net.isIpv4()", ""},
	    {"context.ip.isInRange(\"10.0.0.0/8\")", "must be ipaddr"},
	    {"principal.age.isIpv4()", "must be ipaddr"},
	    {"principal.born.offset(duration(\"1h\")).toDate() == principal.born", ""},
	    {"principal.born.offset(1) == principal.born", "must be duration"},
	    {"principal.born.durationSince(principal.born).toDays() > 3", ""},
	    {"principal.name like \"a*\"", ""},
	    {"principal.age like \"a*\"", "must be String"},
	    {"principal.age is User", "must be an entity"},
	    {"principal in principal.words", "must be an entity or a set of entities"},
	    {"principal.name in Group::\"a\"", "must be an entity"},
	    {"principal.name.contains(1)", "must be a set"},
	    {"principal.words.containsAll(\"x\")", "must be a set"},
	    {"principal.words.isEmpty()", ""},
	    {"principal.name.isEmpty()", "must be a set"},
	    {"principal.age == \"x\"", "can never be equal: Long and String"},
	    {"principal.address == {city: \"a\"}", "can never be equal"},
	    {"principal.address == {city: \"a\", street: \"b\"}", "can never be equal"},
	    {"{a: {b: 1}} == {a: {b: principal.age}}", ""},
	    {"principal.words.contains(1)", "can never contain"},
	    {"principal.friends.contains(principal)", ""},
	    {"principal.friends.contains(resource)", "can never contain"},
	    {"principal.words.containsAny([1])", "nothing in common"},
	    {"principal.words.containsAny([\"x\"])", ""},
	    {"principal.words == []", "empty set"},
	    {"[1, \"a\"].contains(1)", "same type"},
	    {"[principal, resource].contains(principal)", "same type"},
	    {"[true, principal.admin].contains(false)", ""},
	    {"[{a: true}, {a: false}].contains({a: principal.admin})", ""},
	    {"[[1], [2, 3]].contains([1])", ""},
	    {"(if principal.admin then 1 else \"a\") == 1", "branches of `if`"},
	    {"(if principal.admin then principal else principal.boss) == principal",
		"may be missing"},
	    {"ip(principal.name).isIpv4()", "written there"},
	    {"ip(\"300.0.0.1\").isIpv4()", "300"},
	    {"decimal(\"1\") == principal.price", "1"},
	    {"datetime(\"yesterday\") == principal.born", "yesterday"},
	    {"principal.getTag(\"a\") == 1", "tag may be missing"},
	    {"principal.hasTag(\"a\") && principal.getTag(\"a\") == 1", ""},
	    {"principal.hasTag(\"a\") && principal.getTag(\"b\") == 1", "tag may be missing"},
	    {"principal.hasTag(principal.name) && principal.getTag(principal.name) == 1", ""},
	    {"principal.hasTag(\"a\") && principal.getTag(\"a\") == \"1\"", "never be equal"},
	    {"principal.hasTag(1)", "must be String"},
	    {"resource.getTag(\"a\") == 1", "has no tags"},
	};

	(void)state;
	CHECK_RULES(rules);
}

static void test_validate__unknown_names_are_told_wherever_they_stand(void **state)
{
	static const struct rule rules[] = {
	    {"principal is Usr", "no entity type `Usr`"},
	    {"true || principal is Usr", "no entity type `Usr`"},
	    {"principal in Grup::\"x\"", "no entity type `Grup`"},
	    {"action in Action::\"veiw\"", "no action Action::\"veiw\""},
	    {"false && action == X::Action::\"view\"", "no action X::Action::\"view\""},
	    {"resource.kind == Kind::\"finished\"", ""},
	    {"resource.kind == Kind::\"finishd\"", "`Kind` has no entity \"finishd\""},
	};
	struct told told;

	(void)state;
	for (size_t i = 0; i < sizeof(rules) / sizeof(*rules); i++) {
		char policy[256];

		snprintf(policy, sizeof(policy),
		    "permit(principal, action == Action::\"view\", resource) when {%s};",
		    rules[i].condition);
		validate_text(policy, &told);
		assert_int_equal(told.errors, *rules[i].fault ? 1 : 0);
		if (!strstr(told.error.text, rules[i].fault))
			fail_msg("%s: %s", rules[i].condition, told.error.text);
	}
	validate_text("permit(principal in Grup::\"x\", action, resource);", &told);
	assert_string_equal(told.error.mend, "did you mean `Group`?");
	validate_text("permit(principal, action == Action::\"veiw\", resource);", &told);
	assert_string_equal(told.error.mend, "did you mean `view`?");
	validate_text("permit(principal, action, resource == Kind::\"ra\");", &told);
	assert_string_equal(told.error.mend, "did you mean `raw`?");
	validate_text("permit(principal is Rowbot, action, resource);", &told);
	assert_string_equal(told.error.mend, "did you mean `Robot`?");
}

static void test_validate__some_action_must_take_the_scope(void **state)
{
	static const struct {
		const char *policy, *mend; /* NULL: good */
	} cases[] = {
	    {"permit(principal, action, resource);", NULL},
	    {"permit(principal == User::\"a\", action, resource == Photo::\"a\");", NULL},
	    {"permit(principal in Group::\"a\", action in Action::\"any\", resource in "
	     "Album::\"a\");",
		NULL},
	    {"permit(principal is User in Group::\"a\", action in [Action::\"view\"], resource is "
	     "Photo);",
		NULL},
	    {"permit(principal is Robot, action == Action::\"view\", resource);", "appliesTo"},
	    {"permit(principal is User in Album::\"a\", action, resource);", "appliesTo"},
	    {"permit(principal == Group::\"a\", action, resource);", "`principal in`"},
	    {"permit(principal, action == Action::\"view\", resource == Album::\"a\");",
		"`resource in`"},
	    {"permit(principal == Group::\"a\", action == Action::\"view\", resource == "
	     "Album::\"a\");",
		"for principal and resource"},
	    {"permit(principal, action == Action::\"any\", resource);", "appliesTo"},
	    {"permit(principal in Photo::\"a\", action, resource);", "appliesTo"},
	    {"permit(principal == User::\"a\", action == N::Action::\"other\", resource);",
		"appliesTo"},
	};
	struct told told;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		validate_text(cases[i].policy, &told);
		if (told.errors != (cases[i].mend ? 1 : 0) || told.warnings ||
		    !strstr(told.error.mend, cases[i].mend ? cases[i].mend : ""))
			fail_msg("%s\n%u %s | %s", cases[i].policy, told.errors, told.error.text,
			    told.error.mend);
	}
	validate_text(
	    "permit(principal, action in [Action::\"list\", N::Action::\"other\"], resource);",
	    &told);
	assert_non_null(strstr(told.error.text, "of one namespace"));
}

static void test_validate__every_environment_is_looked_at_and_told_once(void **state)
{
	struct told told;

	(void)state;
	/* wrong only for a Robot that lists */
	validate_text(
	    "permit(principal, action == Action::\"list\", resource) when { principal.age > 1 };",
	    &told);
	assert_int_equal(told.errors, 1);
	assert_non_null(strstr(told.error.text, "Robot has no attribute `age`"));
	validate_text("permit(principal, action == Action::\"list\", resource)\n"
		      "when { principal is User && principal.age > 1 };",
	    &told);
	assert_int_equal(told.errors + told.warnings, 0);
	/* wrong for both actions at one place */
	validate_text("permit(principal is User, action in Action::\"any\", resource)\n"
		      "when { principal.agee > 1 };\n"
		      "forbid(principal, action, resource) unless { resource has owner };",
	    &told);
	assert_int_equal(told.errors, 1);
	assert_string_equal(told.error.policy, "policy0");
	assert_int_equal(told.error.line, 2);
	assert_int_equal(told.error.column, 8);
	assert_string_equal(told.error.mend, "did you mean `age`?");
}

static void test_validate__work_is_bounded(void **state)
{
	struct buf policy = BUF_INIT, schema = BUF_INIT;
	struct told told;

	(void)state;
	/* shared subtrees make this 2 to the 40th */
	buf_adds(&policy, "permit(principal, action == Action::\"view\", resource) when {");
	for (int i = 0; i < 40; i++)
		buf_adds(&policy, "(if ");
	buf_adds(&policy, "principal");
	for (int i = 0; i < 40; i++)
		buf_adds(&policy, " has boss.boss then principal else principal)");
	buf_adds(&policy, " == principal};");
	assert_int_equal(validate_text(policy.data, &told), ARK_EINPUT);
	assert_non_null(strstr(told.error.text, "too much to validate"));

	/* and this is 9 million environments */
	buf_adds(&schema, "entity E0");
	for (int i = 1; i < 3000; i++)
		buf_addf(&schema, ", E%d", i);
	buf_addf(&schema, ";action a appliesTo {");
	for (int k = 0; k < 2; k++) {
		buf_addf(&schema, "%s: [E0", k ? ", resource" : "principal");
		for (int i = 1; i < 3000; i++)
			buf_addf(&schema, ", E%d", i);
		buf_adds(&schema, "]");
	}
	buf_adds(&schema, "};");
	buf_clear(&policy);
	for (int i = 0; i < 20; i++)
		buf_adds(&policy, "permit(principal, action, resource) when { 1 < 2 };");
	assert_int_equal(
	    validate(schema.data, schema.len, policy.data, policy.len, &told), ARK_EINPUT);
	assert_non_null(strstr(told.error.text, "too much to validate"));
	assert_int_equal(told.errors, 1);
	buf_free(&policy);
	buf_free(&schema);
}

/* ---- what Cedar's own tests say ---- */

struct part {
	char *name;  /* without its ending */
	char ending; /* 's' schema, 'c' policies, 'j' the test */
	char *text;
	size_t len;
};
struct parts {
	struct part *items;
	size_t len, cap;
};

static bool ends_with(const char *text, const char *end)
{
	size_t len = strlen(text), end_len = strlen(end);

	return len >= end_len && strcmp(text + len - end_len, end) == 0;
}

static void add_part(struct parts *p, const char *path, struct archive *a, size_t size)
{
	struct part part = {.len = size};

	if (ends_with(path, ".cedar"))
		part.ending = 'c';
	else if (ends_with(path, ".cedarschema"))
		part.ending = 's';
	else if (ends_with(path, ".json") && !ends_with(path, ".entities.json"))
		part.ending = 'j';
	else
		return;
	part.name = strndup(path, (size_t)(strrchr(path, '.') - path));
	part.text = calloc(1, size + 1);
	assert_non_null(part.name);
	assert_non_null(part.text);
	assert_int_equal(archive_read_data(a, part.text, size), size);
	if (p->len == p->cap) {
		p->cap = p->cap ? 2 * p->cap : 1024;
		p->items = realloc(p->items, p->cap * sizeof(*p->items));
		assert_non_null(p->items);
	}
	p->items[p->len++] = part;
}

static int by_name(const void *x, const void *y)
{
	const struct part *a = x, *b = y;
	int order = strcmp(a->name, b->name);

	return order ? order : a->ending - b->ending;
}

static void read_parts(const char *file, struct parts *p)
{
	struct archive *a = archive_read_new();
	struct archive_entry *entry;

	assert_non_null(a);
	archive_read_support_format_tar(a);
	archive_read_support_filter_gzip(a);
	assert_int_equal(archive_read_open_filename(a, file, 65536), ARCHIVE_OK);
	while (archive_read_next_header(a, &entry) == ARCHIVE_OK)
		add_part(p, archive_entry_pathname(entry), a, (size_t)archive_entry_size(entry));
	archive_read_free(a);
	qsort(p->items, p->len, sizeof(*p->items), by_name);
}

/* 1 true, 0 false, -1 not said. */
static int should_validate(const char *test)
{
	const char *at = strstr(test, "\"shouldValidate\"");

	if (!at || !(at = strchr(at, ':')))
		return -1;
	at += 1 + strspn(at + 1, " \n\t");
	return strncmp(at, "true", 4) == 0 ? 1 : strncmp(at, "false", 5) == 0 ? 0 : -1;
}

static void test_validate__agrees_with_the_corpus_of_cedar(void **state)
{
	unsigned int agree = 0, invalid = 0, other = 0;
	struct parts p = {0};
	struct told told;
	char path[512];

	(void)state;
	unit_corpus(path, "cedar-corpus.tar.gz", __func__);
	read_parts(path, &p);
	for (size_t i = 0; i + 2 < p.len; i++) {
		const struct part *t = &p.items[i];
		int should, does;

		if (t[0].ending != 'c' || t[1].ending != 'j' || t[2].ending != 's' ||
		    strcmp(t[0].name, t[1].name) != 0 || strcmp(t[0].name, t[2].name) != 0)
			continue;
		should = should_validate(t[1].text);
		does = validate(t[2].text, t[2].len, t[0].text, t[0].len, &told) == ARK_OK;
		invalid += !does;
		if (does == should) {
			agree++;
			continue;
		}
		other++;
		printf("%s: %s\n", t->name, does ? "validates here only" : told.error.text);
	}
	for (size_t i = 0; i < p.len; i++) {
		free(p.items[i].name);
		free(p.items[i].text);
	}
	free(p.items);
	printf("%u of Cedar's tests agree, %u of them do not validate; %u disagree\n", agree,
	    invalid, other);
	assert_int_equal(agree, 4620);
	assert_int_equal(invalid, 949);
	assert_int_equal(other, 0);
}

static void test_validate__agrees_with_the_tests_written_by_hand(void **state)
{
	static const char *const tests[] = {"decimal/1", "decimal/2", "example_use_cases/1a",
	    "example_use_cases/2a", "example_use_cases/2b", "example_use_cases/2c",
	    "example_use_cases/3a", "example_use_cases/3b", "example_use_cases/3c",
	    "example_use_cases/4a", "example_use_cases/4d", "example_use_cases/4e",
	    "example_use_cases/4f", "example_use_cases/5b", "ip/1", "ip/2", "ip/3", "multi/1",
	    "multi/2", "multi/3", "multi/4", "multi/5"};
	char root[512], file[1024];

	(void)state;
	unit_corpus(root, "cedar-integration", __func__);
	for (size_t i = 0; i < sizeof(tests) / sizeof(*tests); i++) {
		struct cedar_test_result result = {0};
		struct ark_error err = {0};

		snprintf(file, sizeof(file), "%s/tests/%s.json", root, tests[i]);
		if (cedar_test_run(file, root, NULL, NULL, &result, &err))
			fail_msg("%s: %s", file, err.text);
		assert_int_equal(result.validates, result.should_validate);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_validate__attributes_must_be_there),
	    cmocka_unit_test(test_validate__what_is_always_true_or_false_ends_the_search),
	    cmocka_unit_test(test_validate__operands_must_have_their_types),
	    cmocka_unit_test(test_validate__unknown_names_are_told_wherever_they_stand),
	    cmocka_unit_test(test_validate__some_action_must_take_the_scope),
	    cmocka_unit_test(test_validate__every_environment_is_looked_at_and_told_once),
	    cmocka_unit_test(test_validate__work_is_bounded),
	    cmocka_unit_test(test_validate__agrees_with_the_corpus_of_cedar),
	    cmocka_unit_test(test_validate__agrees_with_the_tests_written_by_hand),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
