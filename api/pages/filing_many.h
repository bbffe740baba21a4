/* Several files at once: what filing_many.c (the story) and filing_many_show.c (its pages) share.
 *
 * Threads: those of the server.
 */
#ifndef ARKKI_API_PAGES_FILING_MANY_H
#define ARKKI_API_PAGES_FILING_MANY_H

#include "api/pages/filing.h"

/* A form has room for so many (TARGET_PAIRS_MAX); what is more comes on the next page. */
enum { MANY_MAX = 20, MANY_ALL_MAX = 1000, MANY_FAULTS_MAX = 3 };

struct many_file {
	struct upload_state u;
	struct faults f; /* its fields are those of the draft: "title", "date", … */
	bool now;        /* it is on this page */
	bool tried;      /* and was to be filed */
};

struct many { /* the visit's `more` */
	char batch[33];
	json_t *common;          /* a draft: what is said once */
	struct many_file *files; /* not filed yet, by name */
	size_t n, at, from;      /* from: the first on this page */
	struct upload_state *done;
	size_t done_n;
	struct faults f;  /* of the common fields, and of the form */
	int64_t until_us; /* proposals are waited for until then */
};

/* The files of this page that are not filed, with what is wrong in them. */
void many_show(struct exchange *x, struct many *m);
/* All are filed. */
void many_show_done(struct exchange *x, const struct many *m);
/* "/file/many?batch=…&from=…" */
void many_go(struct exchange *x, const struct many *m, size_t from);

#endif
