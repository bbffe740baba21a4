/* policy test: what the Cedar engine says of policies, without an archive. */
#include <stdio.h>
#include <string.h>

#include "arkki/policies/cedar.h"
#include "tools/cli.h"

/* ---- policy test ---- */

struct tally {
	const char *file;
	unsigned int passed, failed, disagreements;
};

static void print_mismatch(void *arg, const char *line)
{
	const struct tally *t = arg;

	printf("%s: %s\n", t->file, line);
}

static void test_file(const struct cli *c, const char *file, struct tally *t)
{
	struct cedar_test_result result = {0};
	struct ark_error err = {0};

	t->file = file;
	if (cedar_test_run(file, c->root, print_mismatch, t, &result, &err)) {
		printf("%s: %s\n", file, err.text);
		t->failed++;
		return;
	}
	if (result.failed)
		t->failed++;
	else
		t->passed++;
	if (!c->validate || result.validates < 0 || result.should_validate < 0 ||
	    result.validates == result.should_validate)
		return;
	t->disagreements++;
	printf("%s: the policies %s, but the test says that they %s\n", file,
	    result.validates ? "validate" : "do not validate",
	    result.should_validate ? "do" : "do not");
}

static int policy_test(const struct cli *c)
{
	struct tally t = {0};

	if (c->words_len < 2)
		return cli_usage(c->command);
	for (int i = 1; i < c->words_len; i++)
		test_file(c, c->words[i], &t);
	if (c->validate)
		printf("%u validation disagreements\n", t.disagreements);
	printf("%u passed, %u failed\n", t.passed, t.failed);
	return t.failed ? CLI_FAILED : CLI_OK;
}

int cmd_policy(const struct cli *c)
{
	static const struct {
		const char *name;
		int (*run)(const struct cli *c);
	} verbs[] = {
	    {"test", policy_test},
	};

	for (size_t i = 0; i < sizeof(verbs) / sizeof(*verbs); i++)
		if (c->words_len && strcmp(c->words[0], verbs[i].name) == 0)
			return verbs[i].run(c);
	return cli_usage(c->command);
}
