#include "archive/receipt_private.h"

#include <stdlib.h>
#include <string.h>

struct receipt *receipt_new(uint64_t first, uint64_t count, const char *token)
{
	size_t len = strlen(token);
	struct receipt *r;

	if (len > RECEIPT_TOKEN_MAX)
		return NULL;
	r = calloc(1, sizeof(*r));
	if (!r)
		return NULL;
	r->first = first;
	r->count = count;
	memcpy(r->token, token, len + 1);
	return r;
}

uint64_t receipt_first(const struct receipt *r)
{
	return r->first;
}

uint64_t receipt_count(const struct receipt *r)
{
	return r->count;
}

const char *receipt_token(const struct receipt *r)
{
	return r->token;
}

void receipt_free(struct receipt *r)
{
	free(r);
}
