/* The demo archive: invented documents, written as plain texts under
 * tools/demo/documents and rendered here as the files a supervision office
 * would really file.
 *
 * It knows the grammar of the texts (tools/demo/documents/FORMAT.md) and how files of each
 * format are made of them. It does not know the archive:
 * whoever files the result reads plan.json.
 *
 * Threads: none of its own.
 * The same texts give the same bytes, as long as pango, cairo and the fonts
 * stay the same: dates in the files are those of the versions, never today's.
 */
#ifndef ARKKI_TOOLS_DEMO_H
#define ARKKI_TOOLS_DEMO_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "arkki/base/buf.h"
#include "arkki/base/error.h"

enum demo_format {
	DEMO_PDF,
	DEMO_HTML,
	DEMO_TEXT,
	DEMO_DOCX,
	DEMO_ODT,
	DEMO_XLSX, /* a block is a row, " | " parts its cells */
	DEMO_SCAN, /* a PDF of pictures */
	DEMO_EML,  /* a mail; each part below a second heading is an attachment */
	DEMO_ZIP,  /* a package of such parts */
};
#define DEMO_FORMATS 9

enum demo_kind { DEMO_H1, DEMO_H2, DEMO_H3, DEMO_PARAGRAPH, DEMO_ITEM };

struct demo_block {
	enum demo_kind kind;
	char *text; /* one line, not empty */
};

struct demo_version { /* or the public rendition of the version before it */
	unsigned int number;
	bool rendition;
	char date[11];   /* YYYY-MM-DD of its filing, not before what is filed before it */
	char *reason;    /* "" for the first version and for renditions only */
	json_t *changes; /* the metadata given with this version: whole for the first */
	json_t *whole;   /* what holds after it */
	struct demo_block *block;
	size_t blocks;
};

struct demo_document {
	char *name; /* "NN-slug", the file's name without .txt */
	char *user; /* who files it */
	enum demo_format format;
	struct demo_version *version; /* in order of filing; version[0] is version 1 */
	size_t versions;              /* with the renditions */
};

/* Parses one file. On success *ret is the caller's, ended with
 * demo_document_free(). ARK_EINPUT names the file and the line. */
ARK_MUSTUSE int demo_parse(const char *path, struct demo_document **ret, struct ark_error *err);
void demo_document_free(struct demo_document *doc);

const char *demo_format_name(enum demo_format format); /* as in a text's header */
const char *demo_extension(enum demo_format format);   /* "pdf" */
const char *demo_media_type(enum demo_format format);  /* "application/pdf" */

/* Appends the file of version[at], in the document's format, to out. */
ARK_MUSTUSE int demo_render(
    const struct demo_document *doc, size_t at, struct buf *out, struct ark_error *err);
/* The PDF only: A4, tagged, with title, language and numbered pages. */
ARK_MUSTUSE int demo_render_pdf(
    const struct demo_document *doc, size_t at, struct buf *out, struct ark_error *err);

/* Of one format each; what fails is in out (buf_failed). */
void demo_plain(const struct demo_version *v, struct buf *out);
void demo_docx(const struct demo_version *v, struct buf *out);
void demo_odt(const struct demo_version *v, struct buf *out);
void demo_xlsx(const struct demo_version *v, struct buf *out);
void demo_mail(const struct demo_version *v, struct buf *out);
void demo_package(const struct demo_version *v, struct buf *out);
ARK_MUSTUSE int demo_scan(const struct demo_version *v, struct buf *out, struct ark_error *err);
/* Appends text as it stands in XML and HTML. */
void demo_escape(struct buf *out, const char *text);

/* A ZIP file being appended to out, from start on: {.out = out, .start = out->len}. */
struct demo_zip {
	struct buf *out;
	size_t start;
	struct buf central;
	unsigned int members;
};
void demo_zip_add(struct demo_zip *z, const char *name, const struct buf *bytes);
void demo_zip_adds(struct demo_zip *z, const char *name, const char *text);
void demo_zip_end(struct demo_zip *z);

/* Renders every NN-slug.txt of texts_dir into out_dir (made when missing) as
 * NN-slug-vN with the format's extension (of renditions -vN-public), and writes out_dir/plan.json last: an array in
 * order of filing, oldest first, of
 *   {"document","version","user","file","fileName","mediaType","metadata","date","reason",
 *    "format"}
 * where `file` is relative to out_dir and `metadata` whole for version 1, only
 * what changes ({} when nothing) later; the public rendition of a version has "rendition": true. After a failure out_dir may hold some
 * of the files, and no new plan. */
ARK_MUSTUSE int demo_documents_build(
    const char *texts_dir, const char *out_dir, struct ark_error *err);

#endif
