/* What the repair of the store is made of: repair_store.c has the story, repair_head.c what it begins with.
 *
 * Threads: one.
 */
#ifndef ARKKI_ARCHIVE_REPAIR_STORE_PRIVATE_H
#define ARKKI_ARCHIVE_REPAIR_STORE_PRIVATE_H

#include "archive/git_tree.h"
#include "archive/oid_set.h"
#include "archive/repair_private.h"
#include "archive/store_internal.h"

enum { PACK_NAME = 80 };

struct bad_pack {
	char idx[PACK_NAME];
};

struct todo { /* what the head reaches, still to be looked at */
	struct store_oid *oid;
	enum gitobj_type *type;
	size_t len, cap;
};

struct store_work {
	struct repair *r;
	struct store *store;
	struct gitobj *here, *mirror; /* mirror NULL: there is none */
	struct githash *hash;
	struct gitpack *pack;
	struct oid_set good, bad, given; /* in sound packs; damaged here; in the new pack */
	struct oid_set seen;
	struct bad_pack *packs;
	size_t packs_len;
	struct todo todo;
	uint64_t taken; /* objects that the mirror gave */
	struct ark_error *err;
};

/* From one of the two, when it is what its name says. */
bool repair_read_good(struct store_work *w, struct gitobj *from, const struct store_oid *oid,
    enum gitobj_type type, struct store_blob *ret);

/* ---- repair_head.c ---- */

/* w->store; store_open() would refuse a damaged head, and here is the one who mends it. */
ARK_MUSTUSE int repair_open_store(struct store_work *w, struct ark_error *err);
/* w->mirror, where one was given. */
ARK_MUSTUSE int repair_open_mirror(struct store_work *w);
/* 1: the newest commit, the archive's own or, when its ref cannot be read, the mirror's (whether it is far enough the
 * history log says); 0: nothing says which. */
ARK_MUSTUSE int repair_find_head(struct store_work *w, struct store_oid *ret);
/* The head's own tree, for naming what is lost: from whichever side has the commit. */
ARK_MUSTUSE int repair_learn_head(struct store_work *w, const struct store_oid *head);

#endif
