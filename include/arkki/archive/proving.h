/* The proof of one version, looked at now: whether its bytes are those that were filed, whether the history log says so,
 * whether that entry is in the log that the archive has signed, and whether witnesses have seen it.
 *
 * For a reader who asks on a page; the same facts as archive_verify() checks of all. A fault is a finding here and no
 * error. It knows nothing of who may ask: the caller has logged the look, and shows no bytes.
 *
 * Threads: any. Reads the whole content: for a thread that may take its time.
 */
#ifndef ARKKI_ARCHIVE_PROVING_H
#define ARKKI_ARCHIVE_PROVING_H

#include "arkki/archive/reading.h"

enum proven {
	PROVEN_HOLDS,
	PROVEN_FALSE, /* looked at, and it is not as it must be */
	PROVEN_NOT, /* could not be looked at: what it rests on is false, or the file is too large */
	PROVEN_ABSENT, /* there is nothing to look at: no witnesses, or none has signed so far */
};

enum { PROVING_WITNESSES_MAX = 32, PROVING_NAME = 128, PROVING_TIME = 40 };
#define PROVING_BYTES_MAX (UINT64_C(2) << 30) /* of content; more is for arkki verify */

struct proving {
	enum proven bytes; /* open, and have the digest that was filed */
	enum proven entry; /* the history log says that this version was filed with these bytes */
	enum proven included;  /* that entry is in the tree of the checkpoint */
	enum proven signature; /* the checkpoint is signed by the archive's own key */
	enum proven
	    witnessed;  /* a checkpoint with the entry in it is cosigned by enough witnesses */
	uint64_t size;  /* of the content */
	uint64_t index; /* of the entry */
	char filed[PROVING_TIME]; /* when, as the entry says: RFC 3339; "": there is none */
	uint64_t tree_size, cosigned_size;
	bool has_witnesses; /* the archive asks some */
	struct proving_witness {
		char name[PROVING_NAME];
		int64_t time_us;
	} witnesses[PROVING_WITNESSES_MAX];
	size_t witnesses_len;
	char fault[512]; /* of the first that is false: for who mends it, in English; "": none */
};

/* Every member of *ret is set. A failure is of this machine (memory), not of the archive. */
ARK_MUSTUSE int proving_look(struct archive *a, const struct receipt *receipt,
    const struct catalogue_row *row, struct proving *ret, struct ark_error *err);
/* None of the five is false. */
bool proving_holds(const struct proving *p);

#endif
