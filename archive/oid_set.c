#include "archive/oid_set.h"

#include <stdlib.h>
#include <string.h>

#include "arkki/base/text.h"

enum { SET_FIRST = 1 << 12 };

bool oid_is_zero(const struct store_oid *o)
{
	static const struct store_oid zero;

	return memcmp(o, &zero, sizeof(zero)) == 0;
}

static struct store_oid *place(const struct oid_set *s, const struct store_oid *oid)
{
	size_t i = (size_t)be64_get(oid->id) & (s->cap - 1);

	while (!oid_is_zero(&s->at[i]) && memcmp(&s->at[i], oid, sizeof(*oid)) != 0)
		i = (i + 1) & (s->cap - 1);
	return &s->at[i];
}

static int grow(struct oid_set *s, struct ark_error *err)
{
	struct oid_set more = {.cap = s->cap ? 2 * s->cap : SET_FIRST, .len = s->len};

	more.at = calloc(more.cap, sizeof(*more.at));
	if (!more.at)
		return ark_fail(err, ARK_ENOMEM, "no memory for the names of objects");
	for (size_t i = 0; i < s->cap; i++)
		if (!oid_is_zero(&s->at[i]))
			*place(&more, &s->at[i]) = s->at[i];
	free(s->at);
	*s = more;
	return ARK_OK;
}

bool oid_set_has(const struct oid_set *s, const struct store_oid *oid)
{
	return s->cap && !oid_is_zero(place(s, oid));
}

int oid_set_add(struct oid_set *s, const struct store_oid *oid, struct ark_error *err)
{
	struct store_oid *at;
	int rc = 2 * s->len >= s->cap ? grow(s, err) : ARK_OK;

	if (rc)
		return rc;
	at = place(s, oid);
	if (!oid_is_zero(at))
		return 0;
	*at = *oid;
	s->len++;
	return 1;
}
