/* The registers of units and cases: who keeps them, how they are shown and changed.
 *
 * A unit is seen by every account, its address by authorities alone; a case by those whom it concerns (case_is_visible()).
 * Every change is a record's next number and an entry of the history log, on the number that was read: of two who edit one record
 * the second is told what the first has changed.
 *
 * Threads: handlers'.
 */
#ifndef ARKKI_API_REGISTERS_H
#define ARKKI_API_REGISTERS_H

#include "api/app.h"
#include "arkki/archive/registers.h"

/* ---- register_rights.c: the rules, in one place ---- */

/* May the caller keep this record of a unit: as it is, and as it shall be? */
bool unit_may_keep(const struct caller *c, const json_t *unit);
/* The same of a case. */
bool case_may_keep(const struct exchange *x, const json_t *record);
/* May the caller say how many places are free there? */
bool unit_may_tell(const struct caller *c, const json_t *unit);
/* Is it an authority that asks: one that sees addresses? */
bool caller_is_authority(const struct caller *c);

/* ---- registers.c ---- */

/* The unit as the caller sees it, with its vacancies: a fresh object, NULL without memory. */
json_t *unit_shown(const struct exchange *x, const json_t *unit);
/* "vacancies" of a unit as it is shown: {"freePlaces","soonFree","dailyPrice","time","org"}; NULL: none were told. */
json_t *vacancies_shown(struct registry *r, const char *unit);

/* ---- types_api.c ---- */

/* The types that documents are given today, without the retired ones: a fresh array, NULL without memory. */
json_t *types_given(struct registry *r);
/* {"id","name","regional","retired"} of them, retired ones too, in order of id, each with "documents": how many there are, whoever may
 * see them. For administrators. */
ARK_MUSTUSE int types_counted(struct app *app, json_t **ret, struct ark_error *err);
/* The headers of all versions of a type, oldest first, each with its "record". */
ARK_MUSTUSE int type_versions(struct app *app, const char *id, json_t **ret, struct ark_error *err);
void types_post(struct exchange *x);
void types_get(struct exchange *x);
void types_put(struct exchange *x);
void types_versions_get(struct exchange *x);

/* ---- register_change.c: what the handlers of both share. To read and to change is one step: under app->registers_lock ---- */

/* Adds the tag of the record as it is shown. */
void register_tag(struct exchange *x, const char *kind, const json_t *record);
/* Reads If-Match against what stands; *ret_base is its number. False: 400, 412 (with what has changed since) or 428 is replied. */
bool register_base(struct exchange *x, const char *kind, const json_t *stands, uint32_t *ret_base);
/* 422 with one fault. */
void register_wrong(struct exchange *x, const char *field, const char *code, const char *detail);
/* A body of fields of that kind alone; NULL: 400, 415 or 422 is replied. */
json_t *register_body(struct exchange *x, const char *kind);
/* Is it a valid record? False: 422 is replied. */
bool register_checked(struct exchange *x, const char *kind, const json_t *record);
/* Files the record (borrowed) on its base, 0: as the first; reason may be NULL. False: 409, 412 or 503 is replied. */
bool register_file(
    struct exchange *x, const char *kind, json_t *record, uint32_t base, const char *reason);
/* The id that the body gives, else a new one; "": 422 is replied. Whether it is taken, register_file() tells: who may not keep
 * such a record is not told. */
void register_new_id(struct exchange *x, const json_t *body, char ret[65]);

/* ---- handlers ---- */

/* units_change.c */
void units_post(struct exchange *x);
void units_put(struct exchange *x);
void vacancies_put(struct exchange *x);
/* cases_change.c */
/* A case with what `body` names: null takes away; state and last day go together. NULL: no memory. */
json_t *case_patched(const json_t *stands, const json_t *body);
/* Whether it may change so: a closed case is opened again before anything else in it changes. */
bool case_closed_allows(const json_t *stands, const json_t *body);
void cases_post(struct exchange *x);
void cases_patch(struct exchange *x);

#endif
