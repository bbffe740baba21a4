/* Repair of an archive that is not being served, from a copy of it.
 *
 * The copy may be a directory like DIR, a bare clone of archive.git (`git clone --mirror`), or a restored backup (a
 * place of `arkki backup` itself is refused with that mend): what is looked for is a directory `objects`, here or under
 * `archive.git`, and `ledger/<log>/` beside. It is believed nothing: an object must hash to its name, a frame of a log
 * must open under this archive's key and lead to a root that this archive's log has signed, a key must open under this
 * archive's root key.
 *
 * What is damaged is kept under DIR/damaged/<time>/, and new files take its place by a rename. Keys are an exception: a
 * damaged file of keys/ is overwritten, since a copy of it would outlive a destruction. Tiles, the catalogue and
 * index.sqlite of the logs are made anew from what they come from. Nothing is taken from the copy that only the copy
 * vouches for: not state.sqlite (a revoked token would work again), not a checkpoint that leads back.
 *
 * Durability: when it returns ARK_OK, all that was mended is synced.
 */
#ifndef ARKKI_ARCHIVE_REPAIR_H
#define ARKKI_ARCHIVE_REPAIR_H

#include <stdbool.h>
#include <stdint.h>

#include "arkki/base/error.h"

struct repair_asked {
	const char *dir, *root_key;
	const char *from; /* the copy; NULL: only what can be made anew */
	const char *keys; /* a copy of keys/, or a place of a key backup; NULL: none */
	bool dry_run;
	void (*tell)(
	    void *arg, const char *line); /* what is damaged, mended, lost: a sentence each */
	void *arg;
};
struct repair_result {
	uint64_t damaged, mended, lost; /* files, objects, entries, slots as they were told */
};
/* ARK_ECONFLICT: it is being served. ARK_ECORRUPT: something is lost, and was named; the rest is mended. Whoever calls
 * it verifies afterwards (archive_verify()). */
ARK_MUSTUSE int archive_repair(
    const struct repair_asked *asked, struct repair_result *ret, struct ark_error *err);

#endif
