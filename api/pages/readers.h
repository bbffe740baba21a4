/* Who may read a version of a document, as the rules in force decide it: for the page that says so in full, and for the
 * receipt of a filing.
 *
 * A group is an organisation and a role; whether anybody is in it is not looked at, so that the pages tell nothing of
 * accounts. Every organisation is asked about: in a thread of its own (past_work.h).
 */
#ifndef ARKKI_API_PAGES_READERS_H
#define ARKKI_API_PAGES_READERS_H

#include "api/pages/document.h"
#include "api/past_work.h"

enum readers_reach { REACH_CONTENT, REACH_PURPOSE, REACH_PUBLIC, REACH_NONE };

struct readers_group {
	uint32_t rule; /* of the rules in force */
	enum readers_reach reach;
	const char *org; /* of the list of organisations */
	unsigned int roles;
};

struct readers {
	struct visit *v; /* its row is the version; borrowed */
	struct card card;
	struct resource resource;
	struct access_rules *rules; /* that all was decided by */
	json_t *orgs;
	struct readers_group *groups; /* NULL: the caller may not know of others */
	size_t len;
	bool cut;               /* there are more groups than are kept */
	struct ark_error error; /* of the asking */
	struct past_work work;
};

/* Opens the card, and makes ready to ask where the caller may know of others: groups is set then. */
ARK_MUSTUSE int readers_open(struct readers *k, struct ark_error *err);
/* For past_work: fills groups, or error. */
void readers_ask(void *readers);
void readers_free(void *readers); /* NULL is fine; waits for the thread */

/* "The whole document, with a stated purpose and case" */
enum say readers_said(enum readers_reach reach);
/* "<li>Etelä-Suomen aluehallintovirasto: inspector, registrar</li>" */
void readers_org(struct page *p, const char *org, unsigned int roles);
/* "<p>and 12 others</p>" of n, where not all were shown. */
void readers_more(struct page *p, size_t n, size_t shown);

/* ---- readers_brief.c ---- */
/* How far who gets, without the rules; a link leads to them. Level 2 headings and below. */
void readers_brief(struct page *p, const struct readers *k);

#endif
