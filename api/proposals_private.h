/* What proposals.c and proposals_date.c share. */
#ifndef ARKKI_API_PROPOSALS_PRIVATE_H
#define ARKKI_API_PROPOSALS_PRIVATE_H

#include "api/proposals.h"

struct proposing {
	const struct proposals_ask *ask;
	const char *text;
	char *lower; /* the same bytes in lower case */
	size_t len;
	json_t *out;
};

/* False: it was there already, or there are enough. */
bool proposal_add(struct proposing *p, const char *field, const char *value, const char *found);
void proposal_around(
    const struct proposing *p, size_t at, size_t len, char out[PROPOSAL_FOUND_MAX]);
/* "date" and "visitDate" */
void propose_dates(struct proposing *p);

#endif
