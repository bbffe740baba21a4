/* Signed reports for outsiders: what an organisation could and did know at a time, and who processed a matter.
 *
 * replay.c        the story of a replay: which documents there were, what roles could, what was opened
 * subject.c       the story of a personal-data request: who processed a matter, and why, by disclosures
 * report_ids.c    the documents of either in order of id, a window at a time, so that memory is bounded
 * report_page*.c  both as an HTML page, which carries the JSON and its signature; its words in report_words.c
 * reports_api.c   the routes
 *
 * Stories run in a thread of their own, which reads many sealed records; who may ask is settled before.
 */
#ifndef ARKKI_API_REPORTS_H
#define ARKKI_API_REPORTS_H

#include "api/app.h"

/* ---- the documents of a report: report_ids.c ---- */

enum { REPORT_IDS_MAX = 4096 };
struct report_ids {
	char after[33]; /* only ids after this; "": from the start */
	size_t len;
	bool more; /* there were more than fit: begin again after the last */
	char id[REPORT_IDS_MAX][33];
};
/* The smallest REPORT_IDS_MAX ids after `after`, ascending, each once. */
struct report_scope {
	const char *unit,
	    *case_id; /* one of them: documents that are there now and were destroyed */
	int64_t
	    changed_since_us; /* with a unit, not 0: also every document amended or with a version since */
	const struct access_sight
	    *sight; /* only what a list for its holder would have; NULL: all there is */
};
ARK_MUSTUSE int report_ids_gather(struct report_ids *ids, struct archive *a,
    const struct report_scope *scope, struct ark_error *err);

/* ---- replay ---- */

enum { REPLAY_ENTRIES_MAX = 1000, REPLAY_PAGE_ENTRIES_MAX = 20000, REPLAY_GROUPS_MAX = 64 };
struct replay_ask {
	const char *org, *unit, *role; /* role: NULL: all */
	int64_t at_us;
	unsigned int limit; /* documents */
	char after[33];
	const char *by;           /* who asks: for the report */
	const char *fault;        /* set by ARK_EINPUT: the parameter that is wrong */
	struct replay_past *past; /* NULL, or what several replays of one time share */
};
struct replay_past {
	struct registry
	    *registry; /* NULL until the first has made it; the caller's (registry_free) */
	uint32_t policies;
};
/* *ret: the unsigned report, the caller's. ret_next: the id after which the next page begins, or "". */
ARK_MUSTUSE int replay_make(struct app *app, const struct receipt *receipt, struct replay_ask *ask,
    json_t **ret, char ret_next[33], struct ark_error *err);

/* ---- personal-data requests ---- */

struct subject_ask {
	const char *case_id, *unit, *document; /* one of them */
	int64_t from_us, to_us;                /* 0: open; to is exclusive */
	bool own;                              /* the Ombudsman asks for his own series too */
	bool persons;                          /* part B is lawful to disclose */
	unsigned int limit;                    /* entries */
	char after[33]; /* document at which this page begins, and from which entry on */
	uint64_t index;
	const char *by;
	const char *fault;
};
ARK_MUSTUSE int subject_make(struct app *app, const struct receipt *receipt,
    struct subject_ask *ask, json_t **ret, char ret_next[33], uint64_t *ret_index,
    struct ark_error *err);
/* The line "disclose-persons yes" of arkki.conf; false without it. ARK_EINPUT: it says neither yes nor no. */
ARK_MUSTUSE int subject_persons(const struct archive *a, bool *ret, struct ark_error *err);

/* ---- the page ---- */

/* The signed report as a page in the language; the same bytes for the same two arguments, so that a check can
 * make the page again. */
ARK_MUSTUSE int report_page(
    const json_t *sealed, enum http_language language, struct buf *out, struct ark_error *err);
/* The signed report in such a page, and the page's language. ARK_EINPUT: it is none. *ret is the caller's. */
ARK_MUSTUSE int report_page_read(const char *html, size_t len, json_t **ret,
    enum http_language *ret_language, struct ark_error *err);

#endif
