/* What the files of a report's page share: report_page.c (the page and its way back), report_page_replay.c and
 * report_page_subject.c (what stands on it), report_words.c (its words).
 *
 * Threads: any; a page belongs to one.
 */
#ifndef ARKKI_API_REPORT_PAGE_PRIVATE_H
#define ARKKI_API_REPORT_PAGE_PRIVATE_H

#include "api/html.h"
#include "api/i18n.h"
#include "api/reports.h"

enum word {
	W_REPLAY,
	W_SUBJECT,
	W_ORG,
	W_UNIT,
	W_CASE,
	W_DOCUMENT,
	W_AT,
	W_ROLE,
	W_LINE,
	W_RIGHTS,
	W_ROLES,
	W_FROM,
	W_TO,
	W_MADE,
	W_BY,
	W_PART,
	W_NO_DOCUMENTS,
	W_TYPE,
	W_DATE,
	W_PUBLICITY,
	W_VERSION,
	W_SEES,
	W_TOMBSTONE,
	W_POLICIES,
	W_NO_POLICY,
	W_OPENED,
	W_NOT_OPENED,
	W_CUT,
	W_PURPOSE,
	W_GLASS,
	W_ENTRY,
	W_COMPLETE,
	W_UNREAD,
	W_GAP,
	W_FILINGS,
	W_PERSONS,
	W_NO_PERSONS,
	W_CHECK,
	W_DATA,
	WORDS
};

struct page {
	struct html h;
	enum http_language language;
};

/* ---- report_words.c ---- */

const char *report_say(const struct page *p, enum word w);
/* A code that has no words is shown as it is. `asked`: it is the name of an action. */
const char *report_term(const struct page *p, const char *code, bool asked);
/* NULL: there is no such verdict. */
const char *report_verdict_words(const struct page *p, const char *name);

/* ---- report_page.c: a word and what it is of, in a list of terms; nothing where there is no value ---- */

void report_put_pair(struct page *p, enum word w, const char *value);
void report_put_time_pair(struct page *p, enum word w, const char *time);
void report_put_named(struct page *p, enum word w, const json_t *thing);
void report_put_number(struct page *p, enum word w, const json_t *number);
void report_put_day(struct page *p, const char *date);
/* A line of a list, what was done, when, by whom, why: `a` and `b` are the parts of the entry, or one object with
 * both; org stands in where b does not tell. */
void report_put_entry(struct page *p, const json_t *a, const json_t *b, const char *org);
void report_end_entry(struct page *p, const json_t *index);

void report_put_replay(struct page *p, const json_t *report);
void report_put_subject(struct page *p, const json_t *report);

#endif
