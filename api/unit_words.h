/* A unit in words: what pages and visit packs say of it alike. Pure but for the registry.
 *
 * Threads: any.
 */
#ifndef ARKKI_API_UNIT_WORDS_H
#define ARKKI_API_UNIT_WORDS_H

#include "api/i18n.h"
#include "arkki/archive/registry.h"
#include "arkki/base/buf.h"

struct words {
	struct registry *registry;
	enum http_language language;
};

/* Appends a sentence in which {0} to {9} are values; plain text. */
void words_say(
    const struct words *w, struct buf *out, enum say what, const char *const *values, size_t n);
/* Appends the name of a record, or its id. */
void words_name(const struct words *w, struct buf *out, const char *kind, const char *id);
/* Appends what a county is called: the name of its organisation, where one is known. */
void words_county(const struct words *w, struct buf *out, const char *code);
/* Appends "3 days ago" of a day or a time; nothing where it is none. */
void words_age(const struct words *w, struct buf *out, const char *date);
/* Days from `date` to today in Finland; negative: it is still to come. False: no date. */
bool words_days(const char *date, long *ret);
/* Appends "Deadline 12.3.2026. Overdue by 3 days". */
void words_deadline(const struct words *w, struct buf *out, const json_t *order);
/* "children's institution"; an unknown code stays as it is. */
const char *words_service_form(enum http_language language, const char *code);
const char *words_registration(enum http_language language, const char *state);
enum say words_event(const char *kind);

/* Appends what an event of a timeline says beyond its kind, or the event in one line, without its date. */
void words_event_detail(const struct words *w, const json_t *event, struct buf *out);
void words_event_line(
    const struct words *w, const json_t *event, const char *unit, struct buf *out);
/* Was it at another unit? */
bool words_elsewhere(const json_t *event, const char *unit);

/* The facts of a unit one by one: `label`, the value as plain text, and where it comes from ("" if it is not known).
 * Fields that are not there are passed over. unit: as unit_shown() (registers.h) has it for the caller. */
void words_facts(const struct words *w, const json_t *unit,
    void (*each)(void *arg, enum say label, const char *value, const char *source), void *arg);
/* Is it one of the types that tell what supervision found? */
bool words_is_report(const char *type);
extern const char *const words_reports[]; /* these types, NULL behind the last */

#endif
