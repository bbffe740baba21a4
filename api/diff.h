/* Two versions of a document compared: what both the API and the pages need.
 *
 * Each version is taken in the form that the caller may read, whole or its public rendition. Both are found
 * under the caller's sight, the reads are logged (the metadata of both; the texts where both are open), and only
 * then a thread of its own opens and compares. The text is compared where the caller may have both texts;
 * what of the metadata differs is told in any case.
 *
 * Threads: comparison_begin() and show() in a server thread; render() in the comparison's.
 */
#ifndef ARKKI_API_DIFF_H
#define ARKKI_API_DIFF_H

#include "api/documents.h"
#include "api/html.h"
#include "api/i18n.h"
#include "arkki/archive/word_diff.h"

enum compared {
	COMPARED,
	COMPARED_CLOSED,   /* the caller may not have both texts */
	COMPARED_NONE,     /* one has no text */
	COMPARED_PENDING,  /* one has none yet */
	COMPARED_TOO_LONG, /* the bounds of word_diff.h */
};

struct comparison {
	struct visit *v;
	struct app *app;
	struct catalogue_row row[2]; /* before, after */
	bool open[2];                /* its text */
	enum compared text;
	/* for show() and render(), when all went well */
	struct card card[2];
	struct buf words[2];
	struct word_diff diff;
	json_t *fields; /* [{"field","before","after"}] */
	json_t *runs;
	struct html html;
	enum http_language language;

	const struct comparison_ask *ask;
	uint64_t context;
	bool counted;
	int rc;
	struct ark_error err;
};

struct comparison_ask {  /* static */
	bool asked_text; /* a text that is closed is logged as denied */
	bool now;        /* a text that is pending is answered with 503 */
	/* May be NULL: what takes long; makes c->runs or c->html, or sets c->err and returns its status. */
	int (*render)(struct comparison *c);
	void (*show)(struct exchange *x, struct comparison *c);
};

/* Versions of {d}, the first parameter. Everything that fails is replied, and show() not called. context: for render();
 * CONTEXT_BAD: 400 where there is something to compare. */
#define CONTEXT_BAD UINT64_MAX
void comparison_begin(struct exchange *x, uint32_t before, uint32_t after, uint64_t context,
    const struct comparison_ask *ask);
/* Whether a purpose would open the texts that are closed; in show(). */
bool comparison_needs_purpose(struct exchange *x, const struct comparison *c);

/* What differs, field by field: members of publicity by themselves ("publicity.class"). narrow: only what is
 * shown of a public rendition too, but for the title, which is another there. NULL: no memory. */
json_t *fields_differences(const json_t *before, const json_t *after, bool narrow);

/* ---- the text, unchanged parts folded ---- */

enum piece_op { PIECE_SAME, PIECE_REMOVED, PIECE_ADDED, PIECE_FOLDED };
struct piece {
	enum piece_op op;
	const char *text;
	size_t len;
	uint64_t words;
};
/* What is unchanged is cut to `context` words beside what is not, the rest is a folded piece. */
void pieces_each(const struct word_diff *d, uint64_t context,
    void (*each)(void *arg, const struct piece *piece), void *arg);

/* <ins>, <del>, <details>, each saying in words what it is. */
void piece_html(struct html *h, enum http_language language, const struct piece *piece);
/* "12 words added, 3 removed". */
void difference_said(struct html *h, enum http_language language, const struct word_diff *d);

/* handler: GET /v1/documents/{d}/versions/{n}/diff/{b} */
void diff_get(struct exchange *x);

#endif
