/* Words that a line end divided, made whole again. */
#ifndef ARKKI_INDEX_FORMATS_HYPHEN_H
#define ARKKI_INDEX_FORMATS_HYPHEN_H

#include <stddef.h>

enum hyphen_join { JOIN_NOT, JOIN_DROP_HYPHEN, JOIN_KEEP_HYPHEN };

/* What becomes of a hyphen at the end of `line` before `next`, both valid UTF-8.
 * *ret_cut: how many bytes of it. */
enum hyphen_join hyphen_join(
    const char *line, size_t len, const char *next, size_t next_len, size_t *ret_cut);

#endif
