/* What scrub.c (the thread, its state on disk) and scrub_pass.c (one pass) share. */
#ifndef ARKKI_ARCHIVE_SCRUB_PRIVATE_H
#define ARKKI_ARCHIVE_SCRUB_PRIVATE_H

#include "archive/archive_private.h"
#include "arkki/archive/scrub.h"

struct scrub {
	struct archive *archive;
	pthread_t thread;
	bool runs;
	uint64_t rate; /* bytes a second */
	int64_t every_us, started_us;
	pthread_mutex_t saving; /* one at a time, and the newest last; before `lock` */
	pthread_mutex_t lock;   /* of the rest */
	pthread_cond_t more;
	bool stop, now, wanted;
	bool gentle; /* the pass at work has the lowest priority */
	/* DIR/scrub.state: {"paused","current":{…},"last":{…}} */
	json_t *state;
};

ARK_MUSTUSE int scrub_open(struct archive *a, struct ark_error *err);
void scrub_close(struct archive *a);

/* ---- scrub.c, for a pass ---- */
/* After `bytes` were read: rests as the pace asks. 1: stop here, the position is kept. */
int scrub_pace(struct scrub *s, size_t bytes);
/* Sets a member of the pass at work (takes value over), and writes the state down. */
ARK_MUSTUSE int scrub_keep(
    struct scrub *s, const char *member, json_t *value, struct ark_error *err);
/* A fault that two readings agree on; `about` (taken over) has file, object, document, version as far as known. */
ARK_MUSTUSE int scrub_fault(
    struct scrub *s, const char *what, json_t *about, struct ark_error *err);
void scrub_transient(struct scrub *s, const char *what);

/* ---- scrub_pass.c ---- */
/* ARK_OK: whole; 1: stopped, to be gone on with; negative: failed. */
int scrub_pass(struct scrub *s, struct ark_error *err);

/* What one reading found. */
struct findings {
	struct finding {
		char *what;
		bool has_oid;
		struct store_oid oid;
	} * items;
	size_t len, cap;
	bool failed; /* no memory: the reading does not count */
};
void findings_add(struct findings *f, const struct store_oid *oid, const char *what);
void findings_free(struct findings *f);
/* Keeps what both have. */
void findings_confirm(struct findings *first, const struct findings *second);

struct pass {
	struct scrub *s;
	struct archive *a;
	struct findings *found; /* where the reading at work puts what it finds */
	bool again;             /* it is the second one */
	const char *file;       /* what is at work, below the archive's directory; NULL: several */
	const char *pack;       /* its idx */
	enum ledger_which log;
};
typedef int (*scrub_reading)(struct pass *p, struct ark_error *err);
/* Reads; when something seems wrong, has the kernel forget the files of DIR/<below> and reads once more. *ret is what both
 * found. */
ARK_MUSTUSE int scrub_read_twice(struct pass *p, scrub_reading read, const char *below,
    struct findings *ret, struct ark_error *err);

#endif
