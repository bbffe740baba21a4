/* The defaults that ship with arkki, compiled in from policies/. `arkki init`
 * files them; from then on the records in the archive count. Borrowed,
 * NUL-terminated.
 */
#ifndef ARKKI_POLICIES_SHIPPED_H
#define ARKKI_POLICIES_SHIPPED_H

/* JSON: an array of records with an id. */
const char *shipped_types(void);
const char *shipped_retention(void);
/* The same of what orders are about. Not filed: records of kind "matters" add to these, and one of the same id goes
 * before it. */
const char *shipped_matters(void);
/* Cedar, and the schema that it is written for. The schema is arkki's own: it
 * says what policies/access_entities.c fills in. */
const char *shipped_policies(void);
const char *shipped_schema(void);
/* JSON, as access_cases_run() takes it. */
const char *shipped_cases(void);

#endif
