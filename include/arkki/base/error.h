/* Status codes and error texts, the same everywhere in arkki.
 *
 * A function that can fail returns 0, or a documented positive value, or one
 * of the negative codes below, and writes one sentence for a person into the
 * caller's struct ark_error (which may be NULL). There are no statics, no
 * thread-locals and no allocation here: an error can always be reported.
 *
 * Cleanup style of the whole tree: one exit label, `goto out`.
 */
#ifndef ARKKI_BASE_ERROR_H
#define ARKKI_BASE_ERROR_H

#include <stdarg.h>

#define ARK_MUSTUSE __attribute__((warn_unused_result))
#define ARK_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))

enum ark_status {
	ARK_OK = 0,
	ARK_ENOTFOUND = -1, /* no such thing; nothing changed                   404 */
	ARK_ECONFLICT = -2, /* the base moved; read again and retry        409, 412 */
	ARK_EREFUSED = -3,  /* a policy said no; the text names the rule         403 */
	ARK_EINPUT = -4,    /* malformed or over a limit; do not retry      400, 422 */
	ARK_ECORRUPT = -5,  /* bytes do not match their digest; nothing used     500 */
	ARK_ENOMEM = -6,    /* state unchanged                                   503 */
	ARK_EIO = -7,       /* state unchanged, or repaired at the next start    503 */
	ARK_EGONE = -8,     /* destroyed on purpose; a tombstone says so             410 */
};

struct ark_error {
	int status;     /* the code of `text`, 0 when empty */
	char text[480]; /* one sentence without a newline; names the thing and the mend */
};

/* Sets err (when not NULL) and returns `status`, so that a failure is one
 * line: `return ark_fail(err, ARK_EINPUT, "…", …);` */
int ark_fail(struct ark_error *err, int status, const char *fmt, ...) ARK_PRINTF(3, 4);

/* Same, and appends ": " and the text of errno. */
int ark_fail_errno(struct ark_error *err, int status, const char *fmt, ...) ARK_PRINTF(3, 4);

/* Puts "prefix: " before the text that err holds; keeps the status. */
int ark_fail_within(struct ark_error *err, int status, const char *fmt, ...) ARK_PRINTF(3, 4);

const char *ark_status_name(int status);

#endif
