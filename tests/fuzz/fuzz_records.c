/* Records as a start loads them into the registry, and what decides by them. They were checked when they were filed; an
 * archive of another arkki, or a forged one, may hold any. The input: a kind and a record on each line, JSON. */
#include <stdlib.h>
#include <string.h>

#include "arkki/archive/disposition.h"
#include "arkki/archive/registry.h"
#include "arkki/base/json.h"
#include "arkki/base/clock.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const kinds[] = {"orgs", "users", "units", "cases", "placements", "types",
    "retention", "holds", "disposals", "tombstones", "searches", "synonyms"};
enum { KINDS = sizeof(kinds) / sizeof(*kinds), RECORDS_MAX = 64 };

/* "c{…}": the third kind. */
static void put(struct registry *r, const char *line, size_t len)
{
	json_t *record = NULL;

	if (len < 3 || line[0] < 'a' || line[0] >= 'a' + KINDS ||
	    json_read(line + 1, len - 1, &record, NULL))
		return;
	(void)!registry_put(r, kinds[line[0] - 'a'], record, NULL);
}

/* How long each record's id as a document would be kept, and what stands for it. */
static void decide(struct registry *r, const json_t *rows, const char *id)
{
	const struct retention_subject s = {
	    .type = id, .author = id, .date = "2024-02-29", .case_id = id, .filed_us = 1};
	struct retention_term term;

	retention_term(rows, r, &s, "2026-03-12", &term);
	if (term.since[0] && !date_valid(term.since))
		abort();
	if (term.due && (!term.row || !term.since[0]))
		abort();
	json_decref(disposition_hold(r, id));
	json_decref(disposition_proposal(r, id));
	json_decref(disposition_tombstone(r, id));
	json_decref(registry_line(r, id));
	(void)registry_speaks_for(r, id, "lvv");
}

static void ask(struct registry *r, const json_t *rows, const char *kind)
{
	json_t *all = registry_all(r, kind), *record;
	size_t i;

	json_array_foreach(all, i, record)
	{
		struct principal *p = NULL;
		const json_t *units = json_object_get(record, "units");
		const char *id = json_text(record, "id");

		if (i >= RECORDS_MAX)
			break;
		decide(r, rows, id);
		json_decref(registry_counties(r, units));
		(void)registry_case_covers(r, id, units);
		if (registry_principal_on(r, id, "2026-03-12", &p, NULL) == ARK_OK)
			principal_unref(p);
	}
	json_decref(all);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct registry *r = NULL;
	json_t *rows = NULL;
	char *text = malloc(size ? size : 1);
	size_t at = 0;

	if (!text || registry_new(&r, NULL))
		abort();
	memcpy(text, data, size);
	while (at < size) {
		const char *end = memchr(text + at, '\n', size - at);
		size_t len = end ? (size_t)(end - (text + at)) : size - at;

		put(r, text + at, len);
		at += len + 1;
	}
	if (retention_rows(r, &rows, NULL) == ARK_OK) {
		(void)!retention_check(rows, NULL);
		for (size_t i = 0; i < KINDS; i++)
			ask(r, rows, kinds[i]);
	}
	json_decref(rows);
	registry_free(r);
	free(text);
	return 0;
}
