/* A question to the policies as Cedar sees it: principal, resource and context
 * as entities and records of policies/arkki.cedarschema.
 *
 * The one place that knows the schema's names. Everything is in the question's
 * arena; strings of the inputs are borrowed.
 */
#ifndef ARKKI_POLICIES_ACCESS_ENTITIES_H
#define ARKKI_POLICIES_ACCESS_ENTITIES_H

#include "policies/cedar_partial.h"

/* How partial evaluation finds the attributes of policies/arkki.cedarschema in catalogue and index. */
enum { ACCESS_INDEXED = 11 };
extern const struct cedar_indexed access_indexed[ACCESS_INDEXED];

struct access_question {
	struct cedar_arena *arena;
	struct cedar_entity principal, action, resource;
	const struct cedar_entity *more[3];
	struct cedar_world world;
	struct cedar_request request;
};

/* Principal, action (with the groups that the schema puts it in) and context. 1: the principal is nobody (no user or
 * organisation): nothing is permitted. On any return access_question_end() frees. q must stay where it is. */
ARK_MUSTUSE int access_question_new(const struct cedar_schema *schema,
    const struct access_principal *p, enum access_action action,
    const struct access_context *context, struct access_question *q, struct ark_error *err);
/* Puts another context in its place. */
ARK_MUSTUSE int access_question_context(
    struct access_question *q, const struct access_context *context, struct ark_error *err);
/* The resource: a document, the archive itself, or a document that is not known. */
ARK_MUSTUSE int access_question_document(
    struct access_question *q, const struct access_resource *r, struct ark_error *err);
ARK_MUSTUSE int access_question_archive(struct access_question *q, struct ark_error *err);
void access_question_open(struct access_question *q);
void access_question_end(struct access_question *q);

#endif
