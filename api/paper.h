/* Text on A4 pages, as a PDF that programs for assistance can read: tagged, with title, language, an outline and a
 * table of contents that lead to the headings.
 *
 * It knows blocks of text, not what they say. Fonts: DejaVu Sans (fonts-dejavu-core), by fontconfig.
 * Threads: each drawing is of one thread; several may run at once.
 */
#ifndef ARKKI_API_PAPER_H
#define ARKKI_API_PAPER_H

#include "arkki/base/buf.h"
#include "arkki/base/error.h"

struct paper;

enum paper_kind {
	PAPER_H1,
	PAPER_H2,
	PAPER_H3,
	PAPER_PARAGRAPH,
	PAPER_ITEM,
	PAPER_HINT, /* a paragraph in small letters */
};

struct paper_about {
	const char *title, *creator, *language;
	const char *time; /* RFC 3339: of its making */
	bool led;         /* headings 2 and 3 are in an outline */
};

/* Calls put() twice, which must say the same both times: to count the pages, and to draw. Appends to out, whose limit
 * holds. ARK_ENOMEM also beyond that. */
ARK_MUSTUSE int paper_draw(const struct paper_about *about, void (*put)(struct paper *p, void *arg),
    void *arg, struct buf *out, struct ark_error *err);

/* In put(). Well-formed text; characters of control and those that turn its direction show as what they are not. */
void paper_put(struct paper *p, enum paper_kind kind, const char *text);
/* The headings 2 and 3 behind it, with their pages; then a new page begins. Once, where the outline is wanted. */
void paper_contents(struct paper *p);
void paper_new_page(struct paper *p);

#endif
