/* The synonyms in force, for whoever searches. */
#ifndef ARKKI_API_SYNONYMS_H
#define ARKKI_API_SYNONYMS_H

#include "api/app.h"
#include "arkki/index/synonyms.h"

int synonyms_start(struct app *app, struct ark_error *err);
void synonyms_stop(struct app *app); /* no request may come any more */

/* The table of the newest record, or the shipped one where none was filed; made anew when that has changed. The analyser
 * is the calling thread's. *ret is the caller's (synonyms_unref). */
ARK_MUSTUSE int synonyms_current(
    struct app *app, struct analyser *analyser, struct synonyms **ret, struct ark_error *err);

/* The newest version (number 0 and no envelope: none yet), and a copy of the headers of all, oldest first. */
ARK_MUSTUSE int synonyms_newest(struct app *app, uint32_t *ret_number, json_t **ret_envelope,
    json_t **ret_versions, struct ark_error *err);
/* Files {"entries","shipped","reason"} on top of version `base`; the caller may administer. ARK_EINPUT: the table is
 * none, and nothing happens; else then() is called, ARK_ECONFLICT when `base` is not the newest. */
ARK_MUSTUSE int synonyms_change(struct exchange *x, json_t *body, uint32_t base,
    void (*then)(struct exchange *x, int status, const struct ark_error *err),
    struct ark_error *err);

#endif
