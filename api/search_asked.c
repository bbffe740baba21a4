#include "api/search_asked.h"

#include <stddef.h>
#include <string.h>

#include "arkki/base/json.h"

enum { LIMIT_OTHERWISE = 20 };

static const struct text_member {
	const char *name;
	size_t at;
} texts[] = {
    {"q", offsetof(struct search_asked, q)},
    {"unit", offsetof(struct search_asked, unit)},
    {"case", offsetof(struct search_asked, case_id)},
    {"type", offsetof(struct search_asked, type)},
    {"county", offsetof(struct search_asked, county)},
    {"municipality", offsetof(struct search_asked, municipality)},
    {"author", offsetof(struct search_asked, author)},
    {"language", offsetof(struct search_asked, language)},
    {"publicity", offsetof(struct search_asked, publicity)},
    {"year", offsetof(struct search_asked, year)},
    {"from", offsetof(struct search_asked, from)},
    {"to", offsetof(struct search_asked, to)},
    {"like", offsetof(struct search_asked, like)},
    {"cursor", offsetof(struct search_asked, cursor)},
};
enum { TEXTS = sizeof(texts) / sizeof(*texts) };

static const char **member(struct search_asked *asked, size_t i)
{
	return (const char **)(void *)((char *)asked + texts[i].at);
}

/* The members that are one of two words. 1: it is one, and set; 0: it is not this member; -1: it is none of its words. */
static int set_choice(struct search_asked *asked, const char *name, const char *value)
{
	const struct {
		const char *name, *usual, *other;
		bool *set;
	} choices[] = {
	    {"sort", "relevance", "date", &asked->by_date},
	    {"versions", "newest", "all", &asked->versions_all},
	    {"group", "false", "true", &asked->group},
	};

	for (size_t i = 0; i < sizeof(choices) / sizeof(*choices); i++) {
		if (strcmp(choices[i].name, name) != 0)
			continue;
		*choices[i].set = strcmp(value, choices[i].other) == 0;
		return *choices[i].set || !*value || strcmp(value, choices[i].usual) == 0 ? 1 : -1;
	}
	return 0;
}

static const char *choice_fault(const char *name)
{
	return strcmp(name, "sort") == 0       ? "sort is relevance or date."
	       : strcmp(name, "versions") == 0 ? "versions is newest or all."
					       : "group is true or false.";
}

/* ---- addresses ---- */

struct reading {
	struct search_asked *asked;
	const char *fault, *slug;
};

static void read_parameter(void *arg, const char *name, const char *value)
{
	struct reading *r = arg;
	int rc;

	for (size_t i = 0; i < TEXTS; i++)
		if (strcmp(texts[i].name, name) == 0) {
			*member(r->asked, i) = value;
			return;
		}
	rc = set_choice(r->asked, name, value);
	if (rc > 0 || strcmp(name, "limit") == 0 || r->fault)
		return;
	r->fault = rc < 0 ? choice_fault(name)
			  : "There is a parameter that no search has; see /openapi.json.";
	r->slug = rc < 0 && strcmp(name, "sort") == 0 ? "bad-sort" : "bad-query";
}

bool search_asked_query(struct exchange *x, struct search_asked *ret)
{
	struct reading r = {.asked = ret};

	*ret = (struct search_asked){0};
	http_query_each(x, read_parameter, &r);
	if (r.fault) {
		http_reply_problem(x, 400, r.slug, r.fault, NULL);
		return false;
	}
	return limit_of(x, LIMIT_OTHERWISE, SEARCH_LIMIT_MAX, &ret->limit);
}

/* ---- JSON ---- */

static int read_limit(const json_t *v, struct search_asked *ret, struct ark_error *err)
{
	json_int_t n = json_is_integer(v) ? json_integer_value(v) : 0;

	if (n < 1)
		return ark_fail(err, ARK_EINPUT, "limit must be a whole number from 1.");
	ret->limit = n > SEARCH_LIMIT_MAX ? SEARCH_LIMIT_MAX : (unsigned int)n;
	return ARK_OK;
}

static int read_member(
    const char *name, const json_t *v, bool paged, struct search_asked *ret, struct ark_error *err)
{
	const char *text = json_is_true(v)    ? "true"
			   : json_is_false(v) ? "false"
			   : json_is_null(v)  ? ""
					      : json_string_value(v);
	int rc;

	if (paged && strcmp(name, "limit") == 0)
		return json_is_null(v) ? ARK_OK : read_limit(v, ret, err);
	for (size_t i = 0; i < TEXTS; i++) {
		if (strcmp(texts[i].name, name) != 0 || (!paged && strcmp(name, "cursor") == 0))
			continue;
		if (!json_is_string(v) && !json_is_null(v))
			return ark_fail(err, ARK_EINPUT, "%s must be a text.", name);
		*member(ret, i) = json_string_value(v);
		return ARK_OK;
	}
	rc = set_choice(ret, name, text ? text : "?");
	if (rc < 0 || (rc > 0 && json_is_boolean(v) && strcmp(name, "group") != 0))
		return ark_fail(err, ARK_EINPUT, "%s", choice_fault(name));
	/* an unknown name is not repeated: it may be anything, of any length */
	return rc ? ARK_OK
		  : ark_fail(err, ARK_EINPUT,
			"There is a member that no search has; see /openapi.json.");
}

int search_asked_json(
    const json_t *body, bool paged, struct search_asked *ret, struct ark_error *err)
{
	json_t *v;
	const char *name;
	int rc;

	*ret = (struct search_asked){.limit = LIMIT_OTHERWISE};
	if (!json_is_object(body))
		return ark_fail(err, ARK_EINPUT, "The search must be an object.");
	json_object_foreach((json_t *)(uintptr_t)body, name, v)
	{
		rc = read_member(name, v, paged, ret, err);
		if (rc)
			return rc;
	}
	return ARK_OK;
}
