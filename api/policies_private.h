/* What policies_api.c (the rules as they stand) and policies_candidate.c (others in their place) share.
 *
 * Threads: any.
 */
#ifndef ARKKI_API_POLICIES_PRIVATE_H
#define ARKKI_API_POLICIES_PRIVATE_H

#include "api/policies.h"

struct law { /* one version, with references of its own */
	uint32_t number;
	json_t *envelope;
	struct access_rules *rules; /* NULL: this arkki cannot read that version any more */
};
/* ret_versions may be NULL: headers of all, oldest first, the caller's. */
ARK_MUSTUSE int law_in_force(
    struct app *app, struct law *ret, json_t **ret_versions, struct ark_error *err);
void law_free(struct law *l); /* what it holds */
void tag_law(
    const struct app *app, uint32_t number, enum http_language language, char out[TAG_SIZE]);

/* One candidate is looked at at a time. False: another is; else the turn is ended once. */
bool policies_take_turn(struct policies_service *s);
void policies_end_turn(struct policies_service *s);

#endif
