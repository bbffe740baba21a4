/* The request target taken apart: path segments and query, decoded once.
 *
 * Pure; the texts lie in the one allocation of struct target.
 */
#ifndef ARKKI_API_TARGET_H
#define ARKKI_API_TARGET_H

#include <stdbool.h>
#include <stddef.h>

#define TARGET_SEGMENTS_MAX 24
#define TARGET_PAIRS_MAX 96

struct pair {
	char *name, *value;
};

struct target {
	unsigned int n_segments; /* "/" alone has none */
	char *segments[TARGET_SEGMENTS_MAX];
	bool slash; /* one at the end, after a segment */
	unsigned int n_pairs;
	struct pair pairs[TARGET_PAIRS_MAX];
	char *path; /* decoded, as one text */
	char *memory;
};

enum target_verdict {
	TARGET_OK,
	TARGET_MALFORMED, /* 400 */
	TARGET_NOWHERE,   /* empty or dot segments inside, too many: 404 */
	TARGET_NOMEM,
};

/* `text` begins with "/". *ret is to be ended with target_free() whatever comes back. */
enum target_verdict target_parse(const char *text, struct target *ret);
void target_free(struct target *t);

/* Decodes `text` (application/x-www-form-urlencoded) in place into at most TARGET_PAIRS_MAX pairs that point
 * into it. False when an escape, the UTF-8 or the number is not in order. */
bool pairs_parse(char *text, struct pair *pairs, unsigned int *ret_n);
/* The i-th value of name, or NULL. */
const char *pairs_find(const struct pair *pairs, unsigned int n, const char *name, unsigned int i);
/* True when a name that is not in `repeat` (NULL-ended, may be NULL) comes twice. */
bool pairs_repeat(const struct pair *pairs, unsigned int n, const char *const *repeat);

#endif
