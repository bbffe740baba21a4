/* The page of a document: what its files share.
 *
 * A reader sees one of three things:
 *   whole and open     everything
 *   whole, not open    everything but the file and the text, and a form that asks for purpose and
 *                      case where these would open them
 *   not whole          the public rendition, as if it were the document
 */
#ifndef ARKKI_API_PAGES_DOCUMENT_H
#define ARKKI_API_PAGES_DOCUMENT_H

#include "api/documents.h"
#include "api/pages/pages.h"

/* What the form stated. Borrows the texts of the exchange. */
struct stated {
	bool sent;
	const char *purpose, *number; /* as typed; the case by its diary number or id */
	enum say form_wrong, purpose_wrong, case_wrong; /* SAY_COUNT: it is not */
};

enum { BESIDE_SHOWN = 10 };

struct document_view { /* the visit's `more` */
	struct visit *v;
	struct listing *versions, *beside; /* beside: of the same case, one more than are shown */
	uint32_t asked;                    /* the version in the address; 0: the newest */
	bool open;                         /* file and text of the form that is shown */
	bool needs_purpose;                /* not open, but with a purpose and a case */
	struct stated stated;
	json_t *orders; /* in it; found while its log entries are being written */
	int prepared;   /* how that ended; `failed` says why */
	struct ark_error failed;
};

static inline enum form form_shown(const struct document_view *d)
{
	return d->v->row.whole ? FORM_WHOLE : FORM_PUBLIC;
}

/* Replaces out by the path of the document (version 0) or of one version, and `more` after that. */
void document_path(const struct page *p, const struct catalogue_row *row, uint32_t version,
    const char *more, struct buf *out);

/* ---- document_facts.c ---- */
/* The button that opens the file, and a link to the public rendition when there is one beside it. */
void document_file(struct page *p, const struct document_view *d, const struct card *card);
void document_facts(struct page *p, const struct document_view *d, const struct card *card);
void fact_begin(struct page *p, enum say label);
void fact_text(struct page *p, enum say label, const char *text);
/* The name of a record; nothing for NULL. */
void fact_record(struct page *p, enum say label, const char *kind, const char *id);
/* The class, its ground and its days in plain words; without the ground where not whole. */
void fact_publicity(struct page *p, const json_t *publicity, bool whole);
/* "PDF, 12 kt" of the version or its rendition; closes what fact_begin() began. */
void fact_media(struct page *p, enum say label, const json_t *version);

/* ---- document_more.c ---- */
/* The rest of a list, folded: "Näytä muut 7". The list before it was ended; another begins. */
void fold_begin(struct page *p, size_t rest);
void fold_end(struct page *p);
/* Its orders, and what else there is of its case. */
ARK_MUSTUSE int document_related(
    struct page *p, const struct document_view *d, const struct card *card, struct ark_error *err);
/* Where to go on from here: seal, readers, history, a new version, an order. */
void document_ways(struct page *p, const struct document_view *d, const struct card *card);
/* How to cite exactly this version. */
void document_citation(struct page *p, const struct document_view *d, const struct card *card);

/* Which document and version a page is about, with a link back to it. */
void document_back(struct page *p, const struct catalogue_row *row, const struct card *card);

/* ---- document_words.c ---- */
/* The text, or the part of it that is asked for, with the hits of the search that led here marked. */
ARK_MUSTUSE int document_words(struct page *p, const struct document_view *d, const char *text,
    size_t len, struct ark_error *err);
/* The query of that search, as it stands in the address; NULL: none. */
const char *document_query(const struct page *p);

/* ---- purpose.c ---- */
/* Reads the form of this request, and states what is right in it for the caller. */
ARK_MUSTUSE int purpose_read(struct exchange *x, struct stated *ret, struct ark_error *err);
bool purpose_wrong(const struct stated *s);
/* What is wrong, each with a link to its field. */
void purpose_errors(struct page *p, const struct stated *s, enum say failed);
/* Its fields and the proof that they come from here. number: of the case, proposed; may be NULL. */
void purpose_fields(struct page *p, const struct stated *s, const char *number);
/* Why the content is closed, and the form that opens it where a purpose would. */
void purpose_form(struct page *p, const struct document_view *d, const struct card *card);
/* The form alone: number is the case that is proposed. */
void purpose_ask(struct page *p, const struct stated *s, const char *action, const char *number);
/* The same statement again, for a form that is only a button. */
void purpose_hidden(struct page *p, const struct stated *s);
/* What was stated, above what it has opened. */
void purpose_note(struct page *p, const struct stated *s);

#endif
