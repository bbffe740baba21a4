/* What records of the registers may say: units, cases, vacancies, document types. One checker for what is loaded and for what is sent.
 *
 *   unit       {"id","name","county", and what is known of:
 *               "provider","municipality","serviceForm","places","address","from","to",
 *               "oids":[{"oid","from","to"}],                 a change of owner changes it
 *               "names":[{"name","from","to"}],               earlier ones
 *               "providers":[{"provider","from","to"}],       all of them, the present one too
 *               "placesHistory":[{"places","from","to"}],     approved places, likewise
 *               "registration":{"state":"registered|licensed|ended","register","diaryNumber","from","to"},
 *               "contacts":[{"name","phone","email"}],"languages":["fi"],"expertise":["…"],
 *               "predecessors":["<unit>"],                    those that it follows; it is not among them, nor are loops harmful
 *               "sources":{"<field>":{"source":"soteri|provider|authority","date"}}}
 *   case       {"id","org","units","diaryNumber","kind","opened","closed",
 *               "state":"opened|heard|decided|follow-up|closed"}   vireillä, kuultavana, päätetty, seurannassa, suljettu
 *   vacancies  {"id":"<unit>","freePlaces","soonFree","dailyPrice","time","by","org"}   volatile: shown with its age
 *   type       {"id","name":{"fi","sv","en"},"regional":bool,"retired":bool}   regional: may be about no unit; retired:
 *               not given to documents any more, those that have it keep it
 * Days are inclusive. An address is for authorities alone; who shows a unit sees to that.
 *
 * Pure; threads: any. Sources: DOMAIN.md; laki sosiaali- ja terveydenhuollon valvonnasta 741/2023.
 */
#ifndef ARKKI_ARCHIVE_REGISTERS_H
#define ARKKI_ARCHIVE_REGISTERS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "arkki/base/error.h"

/* What is wrong: "names/2/from", "bad-date". */
struct register_fault {
	char field[64], code[32];
};
/* Is there such a record, here or in what comes with it? */
typedef bool (*register_known)(void *arg, const char *kind, const char *id);

/* ARK_EINPUT: the first fault, err a clause about it that begins with the field; fault may be NULL. A field that is not above
 * is passed over: register_field() tells. */
ARK_MUSTUSE int unit_check(const json_t *record, register_known known, void *arg,
    struct register_fault *fault, struct ark_error *err);
ARK_MUSTUSE int case_check(const json_t *record, register_known known, void *arg,
    struct register_fault *fault, struct ark_error *err);
ARK_MUSTUSE int vacancies_check(const json_t *record, register_known known, void *arg,
    struct register_fault *fault, struct ark_error *err);
ARK_MUSTUSE int type_check(
    const json_t *record, struct register_fault *fault, struct ark_error *err);
/* Is the type no longer given to documents? */
bool type_retired(const json_t *type);
/* Is this a field of a record of that kind ("units" "cases" "vacancies" "types")? */
bool register_field(const char *kind, const char *field);

/* A code of a case's state. */
bool case_state_valid(const char *state);

#endif
