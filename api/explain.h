/* A decision told, or made once more as of a past time: who may do what with which version, under
 * the policies, roles, placements, validity and metadata of then, and why.
 *
 * It decides what it is asked and shows nothing of the document but the decision. Who may ask is
 * settled before: explain_api.c. Threads: explain_decide() may run in any, and reads many sealed
 * records when it is about the past.
 */
#ifndef ARKKI_API_EXPLAIN_H
#define ARKKI_API_EXPLAIN_H

#include "api/app.h"

struct explain { /* what is asked; all borrowed */
	enum access_action action;
	const char *user;
	const struct catalogue_row
	    *row;               /* the version; NULL: none, or a document that is only described */
	const json_t *resource; /* metadata of a document that is only described, or NULL */
	const char *purpose, *case_id, *break_glass, *address; /* NULL: none */
	enum http_language language;
	bool past; /* as of at_us; else as of now, and at_us says when that was */
	int64_t at_us;
	const char *fault; /* set by ARK_EINPUT: the member of the question that is wrong */
};
/* *ret is the answer of the contract: outcome, sentence, policies … ARK_EINPUT names what cannot be
 * answered: a user that was not there then, a time before the archive. */
ARK_MUSTUSE int explain_decide(struct app *app, const struct receipt *receipt, struct explain *e,
    json_t **ret, struct ark_error *err);

#endif
