/* Speed of partial evaluation, by hand:
 *
 *   cc -O2 -D_GNU_SOURCE -Iinclude -I. -o build/bench_partial tests/bench/bench_partial.c build/libarkki.a -ljansson
 *   build/bench_partial [POLICIES [ROUNDS [FILE.cedar]]]      50 policies, 20000 rounds
 *
 * Without a file the policies are five kinds of rule, over and over with other names. The
 * principal has 10 counties and 40 units where it has placed children. Prints microseconds of
 * processor time from the policies to the filter, and the filter's size.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "arkki/base/buf.h"
#include "policies/access_entities.h"

static const char *const kinds[] = {
    "permit(principal, action in Action::\"reading\", resource is Document)"
    " when { resource.publicity == \"public%u\" && resource.state == \"final\" }"
    " unless { resource has visitDate && !(resource.visitDate <= context.today) };\n",
    "permit(principal, action, resource is Document) when { principal.kind == \"county\" }"
    " when { resource.type != \"plan%u\" && (resource.counties.containsAny(principal.counties) ||"
    " resource.units.containsAny(principal.placedUnits)) };\n",
    "permit(principal in Role::\"role%u\", action, resource)"
    " when { [\"public\", \"partly-secret\"].contains(resource.publicity) };\n",
    "forbid(principal, action, resource is Document)"
    " when { resource.state == \"draft%u\" }"
    " unless { principal.orgs.contains(resource.author) };\n",
    "permit(principal is User, action, resource is Document) when { context.strong &&"
    " resource.unitCount == 1 && resource.type == \"report%u\" &&"
    " resource.addressees.containsAny(principal.orgs) };\n",
};

static void must(int status, const struct ark_error *err)
{
	if (status) {
		fprintf(stderr, "bench: %s\n", err->text);
		exit(1);
	}
}

static void add_policies(struct buf *text, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++) {
		const char *kind = kinds[i % (sizeof(kinds) / sizeof(*kinds))],
			   *at = strstr(kind, "%u");

		buf_add(text, kind, (size_t)(at - kind));
		buf_addf(text, "%u%s", i, at + 2);
	}
}

static void add_file(struct buf *text, const char *name)
{
	FILE *f = fopen(name, "r");
	char bytes[4096];
	size_t n;

	if (!f) {
		perror(name);
		exit(1);
	}
	while ((n = fread(bytes, 1, sizeof(bytes), f)) > 0)
		buf_add(text, bytes, n);
	fclose(f);
}

static void add_set(struct buf *text, const char *name, const char *type, unsigned int n)
{
	buf_addf(text, ",\"%s\":[", name);
	for (unsigned int i = 0; i < n; i++)
		buf_addf(text, "%s{\"__entity\":{\"type\":\"%s\",\"id\":\"%s%u\"}}", i ? "," : "",
		    type, name, i);
	buf_adds(text, "]");
}

static json_t *world(void)
{
	struct buf text = BUF_INIT;
	json_t *json;

	buf_adds(&text, "[{\"uid\":{\"type\":\"User\",\"id\":\"maija\"},\"parents\":["
			"{\"type\":\"Role\",\"id\":\"inspector\"}],\"attrs\":{\"kind\":\"county\"");
	add_set(&text, "orgs", "Org", 2);
	add_set(&text, "counties", "County", 10);
	add_set(&text, "placedUnits", "Unit", 40);
	add_set(&text, "ownUnits", "Unit", 0);
	add_set(&text, "areaUnits", "Unit", 0);
	buf_adds(&text, "}},{\"uid\":{\"type\":\"Action\",\"id\":\"list\"},\"attrs\":{},"
			"\"parents\":[{\"type\":\"Action\",\"id\":\"reading\"}]}]");
	json = json_loads(text.data, 0, NULL);
	if (!json)
		exit(1);
	buf_free(&text);
	return json;
}

static size_t leaves(const struct access_filter *f)
{
	size_t n = f->children == 0;

	for (size_t i = 0; i < f->children; i++)
		n += leaves(f->child[i]);
	return n;
}

int main(int argc, char **argv)
{
	unsigned int n = argc > 1 ? (unsigned int)strtoul(argv[1], NULL, 10) : 50, inexact = 0;
	unsigned long rounds = argc > 2 ? strtoul(argv[2], NULL, 10) : 20000;
	struct cedar_request request = {
	    .principal = {cedar_text_of("User"), cedar_text_of("maija")},
	    .action = {cedar_text_of("Action"), cedar_text_of("list")},
	    .resource = {cedar_text_of("Document"), cedar_text_of("")},
	};
	json_t *entities_json = world(), *context_json;
	struct cedar_arena *arena = NULL, *kept = NULL;
	struct cedar_policies *policies = NULL;
	struct cedar_entities *entities = NULL;
	struct cedar_world known = {0};
	struct access_filter *filter = NULL;
	struct buf text = BUF_INIT;
	struct ark_error err = {0};
	size_t size = 0;
	clock_t from;

	context_json = json_loads("{\"strong\":true,\"purpose\":\"x\",\"today\":{\"__extn\":"
				  "{\"fn\":\"datetime\",\"arg\":\"2026-03-12\"}}}",
	    0, NULL);
	if (argc > 3)
		add_file(&text, argv[3]);
	else
		add_policies(&text, n);
	must(cedar_policies_parse(text.data, text.len, NULL, NULL, &policies, &err), &err);
	must(cedar_arena_new(CEDAR_ARENA_MAX, &arena, &err), &err);
	must(cedar_arena_new(CEDAR_ARENA_MAX, &kept, &err), &err);
	must(cedar_entities_from_json(entities_json, NULL, &entities, &err), &err);
	must(cedar_context_from_json(context_json, NULL, NULL, kept, &request.context, &err), &err);
	known.entities = entities;
	from = clock();
	for (unsigned long i = 0; i < rounds; i++) {
		cedar_arena_reset(arena);
		must(cedar_partial(policies, &known, &request, access_indexed, ACCESS_INDEXED,
			 arena, &filter, &inexact, NULL, NULL, &err),
		    &err);
		size = leaves(filter);
		access_filter_free(filter);
	}
	printf("%zu policies: %.1f us a filter of %zu leaves, %u policies inexact\n",
	    cedar_policies_count(policies),
	    (double)(clock() - from) / CLOCKS_PER_SEC * 1e6 / (double)rounds, size, inexact);
	buf_free(&text);
	cedar_entities_free(entities);
	cedar_policies_free(policies);
	cedar_arena_free(kept);
	cedar_arena_free(arena);
	json_decref(context_json);
	json_decref(entities_json);
	return 0;
}
