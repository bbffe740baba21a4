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

#endif
