/* What the text of a file says about itself: proposals for the fields of a filing, each with the place where it was found.
 * A person decides; nothing is filled in over what was typed.
 *
 * A pure function over the text and the registers. It believes nothing of the text: what it says is text for a person,
 * bounded, and ids come from the registers alone. Only registers that every account may read, and cases that `shown` admits.
 *
 * Threads: any.
 */
#ifndef ARKKI_API_PROPOSALS_H
#define ARKKI_API_PROPOSALS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

enum { PROPOSALS_OF_FIELD_MAX = 4, PROPOSALS_TEXT_MAX = 64 << 10, PROPOSAL_FOUND_MAX = 120 };

struct proposals_ask {
	const char *
	    text; /* UTF-8 as the extraction gives it; the first PROPOSALS_TEXT_MAX bytes are looked at */
	size_t len;
	const char *title;                   /* what the file says its title is, or "" */
	const json_t *units, *cases, *types; /* of the registers; units and types may be NULL */
	const char *today;                   /* "2026-03-12": a document is not of the future */
};

/* [{"field":"title|date|visitDate|diaryNumber|case|type|language|unit","value":"…","found":"… a few words around it"}],
 * the likeliest of each field first; empty where nothing is known. NULL: no memory. */
json_t *proposals_of(const struct proposals_ask *ask);

/* ASCII and the letters of Finnish and Swedish in lower case; bytes stay where they are. The caller's (free); NULL: no memory. */
char *lower_nordic(const char *text, size_t len);

#endif
