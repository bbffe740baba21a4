/* Policies of witnesses: what the format allows, and when a quorum is met. */
#include "tests/unit/unit.h"

#include "archive/witness_policy.h"

/* Replaces each "%<letter>" of a witness and "&<letter>" of a log by a key of its own. */
static void with_keys(struct buf *out, const char *text)
{
	buf_clear(out);
	for (; *text; text++) {
		unsigned char seed[32] = {0};
		char name[32];
		struct note_key key;

		if (*text != '%' && *text != '&') {
			buf_addc(out, *text);
			continue;
		}
		seed[0] = (unsigned char)text[1];
		snprintf(name, sizeof(name), "party.example/%c", text[1]);
		if (*text == '%') {
			assert_int_equal(note_cosigner_from_seed(name, seed, &key, NULL), 0);
			note_cosigner_format(&key, out);
		} else {
			assert_int_equal(note_key_from_seed(name, seed, &key, NULL), 0);
			note_key_format(&key, out);
		}
		text++;
	}
	assert_false(buf_failed(out));
}

static int parse(const char *text, struct policy **ret)
{
	struct buf b = BUF_INIT;
	int rc;

	with_keys(&b, text);
	rc = policy_parse(b.data ? b.data : "", b.len, ret, NULL);
	buf_free(&b);
	return rc;
}

static void test_witness_policy__groups_of_groups_are_met_as_the_specification_says(void **state)
{
	struct policy *p = NULL;

	(void)state;
	assert_int_equal(parse("log &l https://log.example/\n"
			       "\n # X are of one office\n"
			       "witness X1 %a\n\twitness  X2 %b http://x2.example \nwitness X3 %c\n"
			       "group X-witnesses 2 X1 X2 X3\n"
			       "witness Y1 %d\nwitness Y2 %e\nwitness Y3 %f\n"
			       "group Y-witnesses any Y1 Y2 Y3\n"
			       "group X-and-Y all X-witnesses Y-witnesses\n"
			       "quorum X-and-Y\n",
			     &p),
	    0);
	assert_int_equal(p->witnesses_len, 6);
	assert_string_equal(p->witnesses[1].url, "http://x2.example");
	assert_null(p->witnesses[0].url);
	assert_true(policy_met(p, 1 | 2 | 8));
	assert_true(policy_met(p, 63));
	assert_false(policy_met(p, 1 | 2 | 4));
	assert_false(policy_met(p, 1 | 8 | 16 | 32));
	assert_false(policy_met(p, 0));
	policy_free(p);
}

static void test_witness_policy__one_witness_and_none(void **state)
{
	struct policy *p = NULL;

	(void)state;
	assert_int_equal(parse("witness a %a\nwitness b %b\nquorum b\n", &p), 0);
	assert_false(policy_met(p, 1));
	assert_true(policy_met(p, 2));
	policy_free(p);
	assert_int_equal(parse("quorum none\n", &p), 0);
	assert_true(policy_met(p, 0));
	policy_free(p);
}

static void test_witness_policy__what_is_not_one_is_refused(void **state)
{
	static const char *const bad[] = {"", "quorum a\n", "witness a %a\n",
	    "witness a %a\nquorum a", "witness a %a\nquorum a\nquorum a\n",
	    "witness a %a\nwitness a %b\nquorum a\n",  /* a name twice */
	    "witness a %a\nwitness b %a\nquorum a\n",  /* a key twice */
	    "witness none %a\nquorum none\n",          /* the reserved name */
	    "witness a &a\nquorum a\n",                /* a log's key */
	    "log %a\nquorum none\n",                   /* a witness's key */
	    "group g all a\nwitness a %a\nquorum g\n", /* before it is named */
	    "witness a %a\ngroup g 2 a\nquorum g\n",   /* more than there are */
	    "witness a %a\ngroup g 0 a\nquorum g\n", "witness a %a\ngroup g 01 a\nquorum g\n",
	    "witness a %a\ngroup g all a a\nquorum g\n",
	    "witness a %a\ngroup g all a\ngroup h all a g\nquorum h\n", /* a member twice */
	    "witness a %a\ngroup g all g\nquorum g\n", "witness a %a\ngroup g all none\nquorum g\n",
	    "witness a %a\ngroup g all\nquorum g\n", "witness a %a\nquorum a b\n",
	    "witness a %a x y\nquorum a\n", "watcher a %a\nquorum none\n", "quorum none\r\n",
	    "quorum none\n\x7f\n", "quorum none\n\x01\n"};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct policy *p = NULL;

		if (parse(bad[i], &p) != ARK_EINPUT)
			fail_msg("taken: %s", bad[i]);
	}
}

static void test_witness_policy__lines_of_strangers_and_false_lines_count_for_nothing(void **state)
{
	static const char body[] = "log.example\n1\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n";
	static const unsigned char a[32] = {'a'}, b[32] = {'b'}, z[32] = {'z'};
	struct policy *p = NULL;
	struct note_key key;
	struct note *note = malloc(sizeof(*note));
	struct buf text = BUF_INIT;

	(void)state;
	assert_non_null(note);
	assert_int_equal(parse("witness a %a\nwitness b %b\nquorum a\n", &p), 0);
	buf_addf(&text, "%s\n", body);
	assert_int_equal(note_cosigner_from_seed("party.example/z", z, &key, NULL), 0);
	assert_int_equal(note_cosign(&text, body, strlen(body), &key, z, 1, NULL), 0);
	assert_int_equal(note_cosigner_from_seed("party.example/b", b, &key, NULL), 0);
	assert_int_equal(note_cosign(&text, body, strlen(body), &key, b, 1, NULL), 0);
	/* a's name and key id, another's signature */
	assert_int_equal(note_cosigner_from_seed("party.example/a", a, &key, NULL), 0);
	assert_int_equal(note_cosign(&text, body, strlen(body), &key, z, 1, NULL), 0);
	assert_int_equal(note_parse(text.data, text.len, note, NULL), 0);
	assert_int_equal(policy_cosigners(p, note), 2);
	buf_free(&text);
	free(note);
	policy_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(
		test_witness_policy__groups_of_groups_are_met_as_the_specification_says),
	    cmocka_unit_test(test_witness_policy__one_witness_and_none),
	    cmocka_unit_test(test_witness_policy__what_is_not_one_is_refused),
	    cmocka_unit_test(
		test_witness_policy__lines_of_strangers_and_false_lines_count_for_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
