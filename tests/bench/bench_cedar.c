/* Speed of Cedar decisions, by hand:
 *
 *   cc -O2 -D_GNU_SOURCE -Iinclude -I. -o build/bench_cedar tests/bench/bench_cedar.c build/libarkki.a -ljansson
 *   build/bench_cedar [POLICIES [ROUNDS]]      50 policies, 200000 decisions of each request
 *
 * The policies are five kinds of rule that an archive has, over and over with other names, so that most of them do not
 * apply and each decision still evaluates a good part. Prints nanoseconds of processor time a decision.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "arkki/base/buf.h"
#include "arkki/policies/cedar.h"

static const char entities_text[] =
    "[{\"uid\":{\"type\":\"User\",\"id\":\"maija\"},\"attrs\":{\"counties\":[\"08\",\"09\"],"
    "\"clearance\":3,\"office\":{\"__extn\":{\"fn\":\"ip\",\"arg\":\"10.1.0.0/16\"}}},"
    "\"parents\":[{\"type\":\"Role\",\"id\":\"inspector1\"},{\"type\":\"Org\",\"id\":\"lvv\"}]},"
    "{\"uid\":{\"type\":\"Role\",\"id\":\"inspector1\"},\"attrs\":{},\"parents\":[]},"
    "{\"uid\":{\"type\":\"Org\",\"id\":\"lvv\"},\"attrs\":{},\"parents\":"
    "[{\"type\":\"Org\",\"id\":\"state\"}]},"
    "{\"uid\":{\"type\":\"Action\",\"id\":\"read\"},\"attrs\":{},\"parents\":"
    "[{\"type\":\"Action\",\"id\":\"reading\"}]},"
    "{\"uid\":{\"type\":\"Document\",\"id\":\"d1\"},\"attrs\":{\"publicity\":\"secret\","
    "\"author\":\"lvv\",\"units\":[\"koivula\",\"vaahtera\"],\"counties\":[\"08\"],"
    "\"state\":\"final\",\"type\":\"inspection-report\"},\"parents\":[]}]";

static const char context_text[] = "{\"purpose\":\"inspection\",\"caseCovers\":true,"
				   "\"address\":{\"__extn\":{\"fn\":\"ip\",\"arg\":\"10.1.2.3\"}}}";

static const char *const kinds[] = {
    "permit(principal, action in Action::\"reading\", resource is Document)"
    " when { resource.publicity == \"public%u\" };\n",
    "permit(principal in Role::\"inspector%u\", action == Action::\"read\", resource is Document)"
    " when { resource.counties.containsAny(principal.counties) && context.purpose != \"\" };\n",
    "permit(principal in Org::\"state%u\", action in [Action::\"list\", Action::\"reading\"],"
    " resource) when { [\"public\", \"partly-secret\"].contains(resource.publicity) };\n",
    "forbid(principal, action, resource is Document)"
    " when { resource has state && resource.state == \"draft%u\" }"
    " unless { principal.clearance >= 3 || resource.author like \"lv*\" };\n",
    "permit(principal is User, action, resource is Document) when { context.caseCovers &&"
    " resource.type like \"*-report%u\" && context.address.isInRange(principal.office) };\n",
};

static void must(int status, const struct ark_error *err)
{
	if (status) {
		fprintf(stderr, "bench: %s\n", err->text);
		exit(1);
	}
}

static struct cedar_policies *make_policies(unsigned int n)
{
	struct cedar_policies *p = NULL;
	struct buf text = BUF_INIT;
	struct ark_error err = {0};

	for (unsigned int i = 0; i < n; i++) {
		const char *kind = kinds[i % (sizeof(kinds) / sizeof(*kinds))],
			   *at = strstr(kind, "%u");

		buf_add(&text, kind, (size_t)(at - kind));
		buf_addf(&text, "%u%s", i, at + 2);
	}
	must(cedar_policies_parse(text.data, text.len, NULL, NULL, &p, &err), &err);
	buf_free(&text);
	return p;
}

static json_t *json_of(const char *text)
{
	json_t *json = json_loads(text, 0, NULL);

	if (!json)
		exit(1);
	return json;
}

int main(int argc, char **argv)
{
	unsigned int n = argc > 1 ? (unsigned int)strtoul(argv[1], NULL, 10) : 50;
	unsigned long rounds = argc > 2 ? strtoul(argv[2], NULL, 10) : 200000;
	struct cedar_request request = {
	    .principal = {cedar_text_of("User"), cedar_text_of("maija")},
	    .action = {cedar_text_of("Action"), cedar_text_of("read")},
	    .resource = {cedar_text_of("Document"), cedar_text_of("d1")},
	};
	struct cedar_policies *policies = make_policies(n);
	json_t *entities_json = json_of(entities_text), *context_json = json_of(context_text);
	struct cedar_arena *arena = NULL, *kept = NULL;
	struct cedar_entities *entities = NULL;
	struct cedar_answer answer = {0};
	struct cedar_world world = {0};
	struct ark_error err = {0};
	clock_t from;

	must(cedar_arena_new(CEDAR_ARENA_MAX, &arena, &err), &err);
	must(cedar_arena_new(CEDAR_ARENA_MAX, &kept, &err), &err);
	must(cedar_entities_from_json(entities_json, NULL, &entities, &err), &err);
	must(cedar_context_from_json(context_json, NULL, NULL, kept, &request.context, &err), &err);
	world.entities = entities;
	from = clock();
	for (unsigned long i = 0; i < rounds; i++) {
		cedar_arena_reset(arena);
		must(cedar_decide(policies, &world, &request, arena, &answer, &err), &err);
	}
	printf("%u policies: %.0f ns a decision (%s, %zu reasons, %zu failures)\n", n,
	    (double)(clock() - from) / CLOCKS_PER_SEC * 1e9 / (double)rounds,
	    answer.allow ? "allow" : "deny", answer.reasons_len, answer.failures_len);
	cedar_entities_free(entities);
	cedar_policies_free(policies);
	cedar_arena_free(kept);
	cedar_arena_free(arena);
	json_decref(context_json);
	json_decref(entities_json);
	return 0;
}
