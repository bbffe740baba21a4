/* Loading organisations, users, units, cases and placements from a seed:
 *   {"orgs":[…],"users":[…],"units":[…],"cases":[…],"placements":[…],"matters":[…],"vacancies":[…]}
 * Units, cases and vacancies are checked as the API checks them (registers.h).
 * Each is checked whole before any is filed; a record equal to what stands
 * is passed over, so loading twice changes nothing. Organisations and users may have days
 * "from" and "to", both inclusive: outside them nothing is done with an account. A user without "state" keeps the one that the
 * account has; a closed one is not loaded again (accounts.h).
 */
#ifndef ARKKI_ARCHIVE_LOAD_H
#define ARKKI_ARCHIVE_LOAD_H

#include <jansson.h>

#include "arkki/archive/archive.h"
#include "arkki/archive/filing.h"

struct load_result {
	unsigned int added, changed, unchanged;
};

/* ARK_EINPUT names the first wrong record as "units/3: …" and nothing is filed. */
ARK_MUSTUSE int load_seed(struct archive *a, const json_t *seed, const struct filing_actor *actor,
    struct load_result *ret, struct ark_error *err);

#endif
