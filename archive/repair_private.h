/* What the files of a repair share: repair.c (the story), repair_keys.c, repair_store.c, repair_ledger.c. */
#ifndef ARKKI_ARCHIVE_REPAIR_PRIVATE_H
#define ARKKI_ARCHIVE_REPAIR_PRIVATE_H

#include "arkki/archive/keyring.h"
#include "arkki/archive/ledger.h"
#include "arkki/archive/repair.h"

struct repair {
	const struct repair_asked *asked;
	struct repair_result *result;
	char origin[256];
	char aside[4096]; /* DIR/damaged/<time> */
	struct keyring *keys;
};

void repair_damaged(struct repair *r, const char *fmt, ...) ARK_PRINTF(2, 3);
void repair_mended(struct repair *r, const char *fmt, ...) ARK_PRINTF(2, 3);
void repair_lost(struct repair *r, const char *fmt, ...) ARK_PRINTF(2, 3);
/* Moves DIR/<below> to the directory of what is damaged, durably. None there: fine. */
ARK_MUSTUSE int repair_put_aside(struct repair *r, const char *below, struct ark_error *err);

/* Each goes on as far as it can; negative only when it could not do its work. */
ARK_MUSTUSE int repair_keys(struct repair *r, struct ark_error *err);
ARK_MUSTUSE int repair_store(struct repair *r, struct ark_error *err);
ARK_MUSTUSE int repair_ledger(struct repair *r, enum ledger_which which, struct ark_error *err);

#endif
