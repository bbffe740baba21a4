/* Texts within sentences for people, and the order of uids. */
#ifndef ARKKI_POLICIES_CEDAR_TEXT_H
#define ARKKI_POLICIES_CEDAR_TEXT_H

#include "arkki/policies/cedar.h"

/* How many bytes of a text to print with "%.*s": a beginning that ends with a whole character. */
static inline int cedar_shown(struct cedar_text t)
{
	size_t n = t.len;

	if (n > 60)
		for (n = 60; n > 0 && ((unsigned char)t.bytes[n] & 0xc0) == 0x80;)
			n--;
	return (int)n;
}

/* The order of cedar_compare() for two ENTITY values. */
int cedar_uid_compare(const struct cedar_uid *a, const struct cedar_uid *b);

#endif
