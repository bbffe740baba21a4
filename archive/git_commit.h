/* Our commit objects: made, and read back strictly.
 *
 *   tree <40 hex>
 *   parent <40 hex>                       (none in the first)
 *   author arkki <arkki@ORIGIN> <seconds> +0000
 *   committer the same
 *   gpgsig -----BEGIN SSH SIGNATURE-----  (its lines, each after one space)
 *
 *   arkki <sequence>
 *
 *   <changes>
 *
 * Pure functions over bytes.
 */
#ifndef ARKKI_ARCHIVE_GIT_COMMIT_H
#define ARKKI_ARCHIVE_GIT_COMMIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "archive/git_sign.h"
#include "arkki/archive/store.h"
#include "arkki/base/buf.h"
#include "arkki/base/error.h"

enum { GITCOMMIT_ORIGIN_SIZE = 256, GITCOMMIT_MAX_CHANGES = 64 << 20 };

struct gitcommit {
	struct store_oid tree;
	struct store_oid parent;
	bool has_parent;
	int64_t time_s;
	uint64_t sequence;
	const char *changes; /* not NUL-terminated; in the commit's bytes, as are the next two */
	size_t changes_len;
	const char *signature_head; /* the gpgsig header … */
	const char *signature_end;  /* … to the line after it */
};

/* Appends the signed commit. changes: text without NUL; a last newline comes by itself. */
ARK_MUSTUSE int gitcommit_make(const struct gitcommit *c, const char *origin,
    const struct gitsign *signer, struct buf *out, struct ark_error *err);
/* ARK_ECORRUPT for anything that gitcommit_make() does not make. */
ARK_MUSTUSE int gitcommit_parse(
    const void *bytes, size_t len, struct gitcommit *ret, struct ark_error *err);
bool gitcommit_verify(
    const struct gitcommit *c, const void *bytes, size_t len, const struct gitsign *signer);

/* The origin with everything replaced that has a meaning in a commit's
 * header or in allowed_signers. */
void gitcommit_origin(char out[GITCOMMIT_ORIGIN_SIZE], const char *origin);

#endif
