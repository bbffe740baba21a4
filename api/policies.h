/* What a change of the policies would do, told before it is done.
 *
 *   candidate -> errors, warnings -> cases -> lock-out -> impact
 *
 * policies_api.c has what is in force, policies_candidate.c what is to be, policies_report.c makes the report,
 * policies_impact.c counts. Reports speak of roles and numbers, never of documents.
 */
#ifndef ARKKI_API_POLICIES_H
#define ARKKI_API_POLICIES_H

#include <stdatomic.h>

#include "api/app.h"

/* The policies in force, read once, and the one job that may look at a candidate at a time. */
struct policies_service {
	pthread_mutex_t lock;
	pthread_cond_t idle;
	bool busy;
	atomic_bool stopping; /* the job ends soon, with what it has */
	uint32_t number;      /* of what is kept; 0: nothing is */
	json_t *envelope;
	struct access_rules *rules;
	json_t *versions; /* headers of all, oldest first */
};

struct policies_candidate {
	const char *text; /* well-formed UTF-8 without NUL */
	size_t len;
	const char *schema; /* NULL: none was sent */
	json_t *cases;      /* NULL: those in force */
	enum http_language language;
};

struct policies_report {
	struct access_rules *rules; /* NULL: the candidate cannot be used */
	json_t *cases;              /* what was run: goes into the record */
	json_t *errors, *warnings;  /* {"field","code","detail","policy","line","column","mend"} */
	json_t *failed;             /* {"set","description","detail"} */
	json_t *impact;
	unsigned int passed;
	bool locked_out;
	bool impact_complete; /* false: there was no time for all of it */
};
/* Negative: it could not be made at all. What the candidate lacks is in the report. */
ARK_MUSTUSE int policies_report_make(struct app *app, const struct policies_candidate *c,
    struct policies_report *ret, struct ark_error *err);
void policies_report_free(struct policies_report *r); /* what it holds */
/* As GET and POST tell it; a fresh reference. */
json_t *policies_report_json(const struct policies_report *r);
/* The errors and the failed cases as the errors of a problem. */
json_t *policies_report_problems(const struct policies_report *r);

/* What is in force, as GET tells it in the language, and the headers of all versions, oldest first; both the caller's. */
ARK_MUSTUSE int policies_shown(struct app *app, enum http_language language, json_t **ret,
    json_t **ret_versions, struct ark_error *err);
/* For a page of administrators: looks at {"policies","reason"?} (taken), and puts it in force where `apply` is set and
 * nothing speaks against it, built on version `base`. show() takes the report (NULL: status is the failure; ARK_ECONFLICT: not
 * the base any more); number: of the new version, 0: none. What cannot be looked at is replied. */
typedef void policies_show(
    struct exchange *x, int status, json_t *report, uint32_t number, const struct ark_error *err);
void policies_consider(struct exchange *x, json_t *body, bool apply, uint32_t base,
    enum http_language language, policies_show *show);

/* For each role and kind of organisation that users have: how many documents would be shown, opened,
 * shown as their public rendition, and would no longer be. *ret is the caller's. */
ARK_MUSTUSE int policies_impact(struct app *app, struct access_rules *old, struct access_rules *new,
    enum http_language language, json_t **ret, bool *ret_complete, struct ark_error *err);

#endif
