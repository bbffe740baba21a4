#include "api/search_names.h"

#include <string.h>

#include "api/handlers.h"
#include "arkki/base/json.h"
#include "arkki/base/text.h"
#include "index/words.h"

enum { BEGINNING_MIN = 3 }; /* letters of a name, where all of it is not typed */

struct typed {
	char text[ANALYSE_WORD_MAX + 1]; /* in lower case */
	size_t len;
};

/* Names over the bound are compared by their beginning. */
static void fold(struct typed *t, const char *text)
{
	t->len = words_lower(t->text, text, strlen(text));
}

enum likeness { OTHER, BEGINS, EQUAL };

static enum likeness compare(const struct typed *typed, const char *name)
{
	struct typed n;

	fold(&n, name);
	if (typed->len == 0 || n.len < typed->len || memcmp(n.text, typed->text, typed->len) != 0)
		return OTHER;
	return n.len == typed->len ? EQUAL : BEGINS;
}

/* A record's id, and its name in each language; the best of them. *ret_name: of the first that is as good. */
static enum likeness compare_record(
    const struct typed *typed, const json_t *record, const char **ret_name)
{
	json_t *names = json_object_get(record, "name"), *name;
	enum likeness best = OTHER, is;
	const char *language, *id = json_text(record, "id");

	*ret_name = NULL;
	if (json_is_string(names)) {
		*ret_name = json_string_value(names);
		best = compare(typed, *ret_name);
	}
	json_object_foreach(names, language, name)
	{
		is = json_is_string(name) ? compare(typed, json_string_value(name)) : OTHER;
		if (is > best || (is && !*ret_name)) {
			best = is;
			*ret_name = json_string_value(name);
		}
	}
	if (id && compare(typed, id) == EQUAL)
		best = EQUAL;
	return best;
}

/* ---- resolving ---- */

struct resolving {
	struct typed typed;
	int (*each)(void *to, const char *id);
	void *to;
};

/* All records that are called so; where there are none, all that begin so. */
static int resolve_records(struct visit *v, const char *kind, const struct resolving *r)
{
	json_t *all = registry_all(archive_registry(v->app->archive), kind), *record;
	enum likeness best = r->typed.len < BEGINNING_MIN ? EQUAL : BEGINS;
	const char *name;
	size_t i;
	int rc = 0;

	json_array_foreach(all, i, record) if (compare_record(&r->typed, record, &name) == EQUAL)
	    best = EQUAL;
	json_array_foreach(all, i, record)
	{
		if (compare_record(&r->typed, record, &name) < best)
			continue;
		rc = r->each(r->to, json_text(record, "id"));
		if (rc)
			break;
	}
	json_decref(all);
	return rc;
}

static int resolve_cases(struct visit *v, const struct resolving *r)
{
	json_t *all = registry_all(archive_registry(v->app->archive), "cases"), *record;
	size_t i;
	int rc = 0;

	json_array_foreach(all, i, record)
	{
		const char *id = json_text(record, "id"), *diary = json_text(record, "diaryNumber");

		if ((compare(&r->typed, id) != EQUAL &&
			(!diary || compare(&r->typed, diary) != EQUAL)) ||
		    !case_is_visible(v->x, record))
			continue;
		rc = r->each(r->to, id);
		if (rc)
			break;
	}
	json_decref(all);
	return rc;
}

/* An area's code is itself; its name is that of an organisation which it is the only one of. */
static int resolve_area(
    struct visit *v, const char *member, size_t digits, const struct resolving *r)
{
	json_t *all, *record;
	size_t i;
	int rc = 0;

	if (r->typed.len == digits && strspn(r->typed.text, "0123456789") == digits)
		return r->each(r->to, r->typed.text);
	all = registry_all(archive_registry(v->app->archive), "orgs");
	json_array_foreach(all, i, record)
	{
		const json_t *codes = json_object_get(record, member);
		const char *kind = json_text(record, "kind"), *name;
		bool area =
		    kind && (strcmp(kind, "county") == 0 || strcmp(kind, "municipality") == 0);

		if (!area || json_array_size(codes) != 1 ||
		    !json_is_string(json_array_get(codes, 0)) ||
		    (strcmp(kind, "municipality") == 0 && strcmp(member, "counties") == 0) ||
		    compare_record(&r->typed, record, &name) <
			(r->typed.len < BEGINNING_MIN ? EQUAL : BEGINS))
			continue;
		rc = r->each(r->to, json_string_value(json_array_get(codes, 0)));
		if (rc)
			break;
	}
	json_decref(all);
	return rc;
}

static int resolve(void *arg, enum search_field field, const char *value,
    int (*each)(void *to, const char *id), void *to)
{
	struct resolving r = {.each = each, .to = to};
	struct visit *v = arg;

	fold(&r.typed, value);
	switch (field) {
	case FIELD_UNIT:
		return resolve_records(v, "units", &r);
	case FIELD_TYPE:
		return resolve_records(v, "types", &r);
	case FIELD_AUTHOR:
		return resolve_records(v, "orgs", &r);
	case FIELD_CASE:
		return resolve_cases(v, &r);
	case FIELD_COUNTY:
		return resolve_area(v, "counties", 2, &r);
	case FIELD_MUNICIPALITY:
		return resolve_area(v, "municipalities", 3, &r);
	default:
		return 0; /* read by the query itself */
	}
}

struct search_names search_names_of(struct visit *v)
{
	return (struct search_names){v, resolve};
}

/* ---- beginnings ---- */

void search_names_beginning(struct app *app, const char *kind, const char *prefix, unsigned int max,
    void (*each)(void *arg, const char *id, const char *name), void *arg)
{
	json_t *all = registry_all(archive_registry(app->archive), kind), *record;
	struct typed typed;
	const char *name;
	size_t i;

	fold(&typed, prefix);
	json_array_foreach(all, i, record)
	{
		if (!max || compare_record(&typed, record, &name) == OTHER || !name)
			continue;
		each(arg, json_text(record, "id"), name);
		max--;
	}
	json_decref(all);
}
