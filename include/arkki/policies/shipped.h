/* The defaults that ship with arkki, compiled in from policies/ as JSON texts:
 * each an array of records with an id. `arkki init` files them; from then on
 * the records in the archive count. Borrowed, NUL-terminated.
 */
#ifndef ARKKI_POLICIES_SHIPPED_H
#define ARKKI_POLICIES_SHIPPED_H

const char *shipped_types(void);
const char *shipped_retention(void);
const char *shipped_policies(void);

#endif
