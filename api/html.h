/* Writing HTML so that a value cannot become markup.
 *
 * Markup comes from string literals only: the macros paste "" around their
 * argument, so that a variable there does not compile. Every value is escaped on its way
 * in, in the same way for text and for an attribute in double quotes; the two
 * places cannot be confused. Values stand nowhere else: not in a tag or attribute name, not in an
 * attribute without quotes.
 *
 * It knows no page and no language. Threads: none of its own.
 */
#ifndef ARKKI_API_HTML_H
#define ARKKI_API_HTML_H

#include <stddef.h>
#include <stdint.h>

#include "arkki/base/buf.h"

struct html {
	struct buf out; /* sticky: one check at the end */
};

/* html_raw(h, "<p>") */
#define html_raw(h, literal) html_literal((h), "" literal "", sizeof(literal) - 1)

/* html_put(h, "<a href=\"$\">$</a>", url, title): each $ is one text, escaped; NULL is empty.
 * A number of texts other than that of the signs is our own bug: it asserts, and fails the buffer in
 * a build without assertions. */
#define html_put(h, literal, ...)                                                                  \
	html_fill((h), "" literal "", (const char *const[]){__VA_ARGS__},                          \
	    sizeof((const char *const[]){__VA_ARGS__}) / sizeof(const char *))

void html_text(struct html *h, const char *text);
void html_text_len(struct html *h, const char *text, size_t len);
/* Text that may hold <mark>, </mark> and the five entities, as a snippet does: only these pass,
 * and a mark that was opened is closed. */
void html_marked(struct html *h, const char *text, size_t len);
/* A sentence in which {0} to {9} are values. */
void html_sentence(struct html *h, const char *sentence, const char *const *values, size_t n);

/* behind the macros */
void html_literal(struct html *h, const char *literal, size_t len);
void html_fill(struct html *h, const char *literal, const char *const *values, size_t n);

#endif
