/* A tlog-policy: which witnesses there are, and how many of them are enough
 * (c2sp.org/tlog-policy; at most 32 logs, 32 witnesses and 32 groups).
 *
 * It knows keys, names and addresses; it asks nobody.
 * Threads: pure functions; a parsed policy is only read.
 */
#ifndef ARKKI_ARCHIVE_WITNESS_POLICY_H
#define ARKKI_ARCHIVE_WITNESS_POLICY_H

#include "archive/checkpoint.h"

enum { POLICY_EACH_MAX = 32, POLICY_TEXT_MAX = 256 * 1024, POLICY_WORD_MAX = 1024 };

struct policy_party { /* a log or a witness */
	char *name;   /* a witness's name in this policy; NULL for a log */
	char *url;    /* NULL: not given */
	struct note_key key;
};

struct policy_group {
	char *name;
	unsigned int least;
	uint64_t members; /* bit i: witness i; bit 32+i: group i */
};

struct policy {
	struct policy_party logs[POLICY_EACH_MAX], witnesses[POLICY_EACH_MAX];
	struct policy_group groups[POLICY_EACH_MAX];
	unsigned int logs_len, witnesses_len, groups_len;
	uint64_t quorum; /* one bit, as in members; 0: none is needed */
};

/* ARK_EINPUT names the line. On success *ret is ended with policy_free(). */
ARK_MUSTUSE int policy_parse(
    const char *text, size_t len, struct policy **ret, struct ark_error *err);
void policy_free(struct policy *p);
/* Is a checkpoint that these witnesses cosigned (bit i: witness i) good enough? */
bool policy_met(const struct policy *p, uint64_t cosigned);
/* Which witnesses' cosignatures in the note hold. False lines are none. */
uint64_t policy_cosigners(const struct policy *p, const struct note *note);

#endif
