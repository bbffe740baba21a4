/* Decoders, and the sink that all of them write into.
 *
 * A decoder runs in the sandbox: it has its input in memory, and whatever file
 * it or its library would like to open does not open. What a library wants to
 * load is loaded by its warm() in the zygote, before the sandbox.
 * Decoders say FORMAT_NONE with a reason in plain words, which never quotes
 * the document.
 *
 * The sink brings text to one form: valid UTF-8, no control characters, runs of white space
 * one space, at most one blank line, soft hyphens and invisible characters gone.
 */
#ifndef ARKKI_INDEX_FORMATS_FORMAT_H
#define ARKKI_INDEX_FORMATS_FORMAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arkki/base/buf.h"
#include "arkki/base/error.h"

enum format_outcome { FORMAT_OK, FORMAT_NONE };

enum textsink_gap { GAP_NONE, GAP_SPACE, GAP_LINE, GAP_PARAGRAPH };

struct textsink {
	/* `write` gets pieces of text; set with textsink_init() */
	void (*write)(void *arg, const char *bytes, size_t len);
	void *arg;
	uint64_t limit;
	uint64_t written;
	bool full;        /* the limit was reached: decoders stop */
	uint64_t visible; /* characters that were neither space nor dropped */
	uint32_t pages;
	/* tells of a page (from 1) that has no text of its own; NULL: nobody asks */
	void (*bare)(void *arg, uint32_t page);
	char title[256];
	char reason[160];
	struct textsink *outer; /* of a member: the sink that `write` adds to; else NULL */
	/* private */
	enum textsink_gap gap;
	bool page_has_text;
	unsigned int depth;       /* of documents in documents, see format_member() */
	bool nested_too_deep;     /* a member below the bound was left out */
	unsigned int members;     /* so far, in all */
	uint64_t unpacked;        /* bytes of members so far, in all */
	int64_t members_until_us; /* clock_monotonic_us() after which no member begins; 0: never */
	bool after_cr;
	size_t used;
	char buffer[16384];
};

void textsink_init(struct textsink *s, uint64_t limit,
    void (*write)(void *arg, const char *bytes, size_t len), void *arg);
/* Adds UTF-8 (malformed bytes become U+FFFD). lines: line ends count, and two of them make a
 * paragraph; otherwise they are white space. False when the sink is full. */
bool textsink_add(struct textsink *s, const char *text, size_t len, bool lines);
/* At least this much space before what comes next. */
void textsink_gap(struct textsink *s, enum textsink_gap gap);
/* Begins a page, also the first. */
void textsink_page(struct textsink *s);
void textsink_flush(struct textsink *s);
/* The same through all sinks around it: what was added so far is kept even if the next call into a library crashes or
 * never returns. Costs a system call; for the beginnings of pages and members. */
void textsink_flush_through(struct textsink *s);
/* Sets the title once, in the sink's form, cut at a character. */
void textsink_title(struct textsink *s, const char *text, size_t len);
/* Sets s->reason and returns FORMAT_NONE. */
enum format_outcome format_none(struct textsink *s, const char *fmt, ...) ARK_PRINTF(2, 3);

/* One code point of text into *ret; how many bytes it took. Malformed: 1 and U+FFFD. len > 0. */
size_t format_utf8_next(const char *text, size_t len, uint32_t *ret);

struct format_input {
	const char *bytes;
	size_t len;
	const char *media_type; /* lower case, without parameters */
	const char *charset;    /* the parameter, lower case, or "" */
};

struct format_program;

struct format {
	const char *name;
	bool (*reads)(const char *media_type);
	/* looks inside a document of a general type (a ZIP, XML, anything); may be NULL */
	bool (*claims)(const struct format_input *in);
	void (*warm)(void); /* in the zygote; may be NULL */
	/* what it, or a document in it, may want to run (program.h): format_programs, or NULL */
	const struct format_program *const *programs;
	enum format_outcome (*read)(const struct format_input *in, struct textsink *out);
};

/* ---- documents in documents (member.c): attachments, files of a package ---- */
#define FORMAT_DEPTH_MAX 8u
#define FORMAT_MEMBERS_MAX 10000u
#define FORMAT_UNPACKED_MAX (UINT64_C(1) << 30) /* bytes of all members of a document together */

#define FORMAT_MEMBER_MAX                                                                          \
	(UINT64_C(128) << 20) /* bytes of one member; a larger one has its name only */

/* Adds a member: its name as a paragraph, then its text where it has any. name NULL or "": text without a name (the
 * body of a mail). media_type may have a charset; NULL or application/octet-stream: found from name and bytes. What
 * cannot be read (or len 0) leaves its name and no failure; its title follows its text, its pages and reason are
 * gone. Beyond the bounds above, and after members_until_us, the sink gets a remark ("only the first … members").
 * False when nothing more should be added (a bound was reached, or the sink is full). */
bool format_member(
    struct textsink *out, const char *name, const char *media_type, const char *bytes, size_t len);

/* kind.c: the media type of bytes, without parameters, "application/octet-stream" when nobody knows. What the bytes
 * are counts first, then `given` and the extension of `name` (both may be NULL) where they agree with the bytes. */
enum { KIND_SIZE = 100 };
void kind_of(
    const char *given, const char *name, const char *bytes, size_t len, char ret[static KIND_SIZE]);
void kind_warm(void);

extern const struct format format_pdf, format_pdf_seen, format_image, format_html, format_xml,
    format_plain, format_mail, format_mbox, format_msg, format_package, format_office, format_ole,
    format_rtf, format_general;

/* The decoder of a media type (lower case, without parameters), or NULL. */
const struct format *format_find(const char *media_type);
/* The same by the bytes too, where the type says little. */
const struct format *format_for(const struct format_input *in);
void format_warm_all(void);
/* "Text/HTML; charset=X" into "text/html" and "x"; both cut at their sizes. */
void format_split_type(
    const char *given, char *type, size_t type_size, char *charset, size_t charset_size);

/* ---- charset.c ---- */
struct charset_text {
	const char
	    *text; /* UTF-8, perhaps malformed in places; borrowed from the input or from own */
	size_t len;
	struct buf own;
};
/* label: a name of an encoding, or "". A byte order mark and the look of UTF-16 and UTF-32 decide first, then
 * validity as UTF-8; without a (true) label charset_guess(). False: no memory. End with buf_free(&ret->own). */
bool charset_to_utf8(const char *bytes, size_t len, const char *label, struct charset_text *ret);
void charset_warm(void);
void charset_put(struct buf *out, uint32_t c); /* a code point as UTF-8 */
/* charset_guess.c: the likeliest encoding of text that is neither UTF-8 nor wide. A label for iconv, never NULL. */
const char *charset_guess(const char *bytes, size_t len);

#endif
