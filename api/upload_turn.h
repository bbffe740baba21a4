/* Whose turn it is to send bytes of an upload: the newest request's.
 *
 * A phone that changes its network leaves a connection that nobody hears of until the listener gives it up (30 s without a
 * byte). The same person's next request for that upload needs not wait so long: it takes the turn, and what the old one had
 * brought is written first. Only a request whose bytes are all here, and are being synced, keeps its turn to the end.
 *
 * Threads: any; one turn's functions are called by its own exchange, one at a time.
 * Sources: tusd's lock takeover; tus.io/protocols/resumable-upload 1.0.0 leaves it open.
 */
#ifndef ARKKI_API_UPLOAD_TURN_H
#define ARKKI_API_UPLOAD_TURN_H

#include "api/app.h"
#include "arkki/archive/uploads.h"

struct upload_turn;

/* Ends the turn of whoever sends bytes of this upload of `user`. */
void upload_turn_over(struct app *app, const char *user, const char *id);
/* Takes the turn and opens the upload to append; as pending_open(). *ret: upload_turn_free(). */
ARK_MUSTUSE int upload_turn_take(struct app *app, const struct pending_place *place,
    const char *user, const char *id, struct upload_turn **ret, struct ark_error *err);
/* Where it ends, and how long it will be. */
void upload_turn_place(struct upload_turn *t, uint64_t *ret_offset, uint64_t *ret_length);
/* As pending_append(). ARK_ECONFLICT: another has the turn now. */
ARK_MUSTUSE int upload_turn_append(
    struct upload_turn *t, const void *bytes, size_t len, struct ark_error *err);
/* The open upload, to sync and to pending_close(): nobody takes the turn any more. NULL: somebody has. */
struct pending_file *upload_turn_keep(struct upload_turn *t);
/* Writes what it had brought. NULL is allowed. */
void upload_turn_free(struct upload_turn *t);

#endif
