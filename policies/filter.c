/* struct access_filter as a tree: freeing it, and asking it about a resource. */
#include "arkki/policies/access.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool is_given(const char *text)
{
	return text && *text;
}

static bool same(const char *a, const char *b)
{
	return is_given(a) && is_given(b) && strcmp(a, b) == 0;
}

static bool contains(const struct access_ids *list, const char *value)
{
	for (size_t i = 0; i < list->len; i++)
		if (same(list->id[i], value))
			return true;
	return false;
}

void access_filter_free(struct access_filter *f)
{
	if (!f)
		return;
	for (size_t i = 0; i < f->children; i++)
		access_filter_free(f->child[i]);
	free(f->child);
	free(f->value);
	free(f);
}

static bool is_count(const char *value, size_t n)
{
	char digits[24];

	snprintf(digits, sizeof(digits), "%zu", n);
	return same(value, digits);
}

static const char *day_of(const struct access_filter *f, const struct access_resource *r)
{
	return f->attribute == ACCESS_ATTR_VISIT_DATE ? r->visit_date
	       : f->attribute == ACCESS_ATTR_DATE     ? r->date
						      : NULL;
}

static bool has(const struct access_filter *f, const struct access_resource *r)
{
	switch (f->attribute) {
	case ACCESS_ATTR_PUBLICITY:
		return same(r->publicity, f->value);
	case ACCESS_ATTR_COUNTY:
		return contains(&r->counties, f->value);
	case ACCESS_ATTR_UNIT:
		return contains(&r->units, f->value);
	case ACCESS_ATTR_AUTHOR:
		return same(r->author, f->value);
	case ACCESS_ATTR_STATE:
		return same(r->state, f->value);
	case ACCESS_ATTR_TYPE:
		return same(r->type, f->value);
	case ACCESS_ATTR_ADDRESSEE:
		return contains(&r->addressees, f->value);
	case ACCESS_ATTR_UNIT_COUNT:
		return is_count(f->value, r->units.len);
	case ACCESS_ATTR_RENDITION:
		return r->rendition && same(f->value, "public");
	case ACCESS_ATTR_VISIT_DATE:
	case ACCESS_ATTR_DATE:
		return same(day_of(f, r), f->value);
	}
	return false;
}

bool access_filter_admits(const struct access_filter *f, const struct access_resource *resource)
{
	bool any = false, every = true;

	if (f->op == ACCESS_OP_HAS)
		return has(f, resource);
	if (f->op == ACCESS_OP_PRESENT)
		return is_given(day_of(f, resource));
	if (f->op == ACCESS_OP_UPTO)
		return is_given(day_of(f, resource)) && is_given(f->value) &&
		       strcmp(day_of(f, resource), f->value) <= 0;
	for (size_t i = 0; i < f->children; i++) {
		bool admits = access_filter_admits(f->child[i], resource);

		any = any || admits;
		every = every && admits;
	}
	switch (f->op) {
	case ACCESS_OP_ALL:
		return true;
	case ACCESS_OP_AND:
		return every;
	case ACCESS_OP_OR:
		return any;
	case ACCESS_OP_NOT:
		return f->children == 1 && !any;
	case ACCESS_OP_NONE:
	case ACCESS_OP_HAS:
	case ACCESS_OP_PRESENT:
	case ACCESS_OP_UPTO:
		break;
	}
	return false;
}
