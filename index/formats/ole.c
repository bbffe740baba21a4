/* Word, Excel and PowerPoint before 2007: OLE compound files. Which of them a file is, and whether it is
 * encrypted, is seen in its streams (libgsf, in the sandbox); the text comes from helper programs.
 *
 * Of Word two programs together read more than either: antiword leaves out the codes of fields and reads
 * what was saved in a hurry, catdoc reads headers, footers and old encodings. So a line of the second is
 * added when it has a word that the first has nowhere.
 */
#include <ctype.h>
#include <gsf/gsf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "index/formats/program.h"
#include "index/formats/xls_names.h"

enum {
	OUTPUT_LIMIT = 64 << 20,
	WORDS_MAX = 1 << 20, /* of the table of known words; a power of two */
	STREAMS_MAX = 4096,
};

static const char *const catdoc_reads[] = {"/usr/share/catdoc", "/etc/catdocrc", NULL};
static const char *const antiword_reads[] = {"/usr/share/antiword", NULL};
static const char *const catdoc_args[] = {"catdoc", "-w", "-d", "utf-8", "/dev/stdin", NULL};
static const char *const antiword_args[] = {
    "antiword", "-w", "0", "-m", "UTF-8.txt", "/dev/stdin", NULL};
static const char *const xls2csv_args[] = {
    "xls2csv", "-d", "utf-8", "-q", "0", "-c", " ", "/dev/stdin", NULL};
static const char *const catppt_args[] = {"catppt", "-d", "utf-8", "/dev/stdin", NULL};

static const struct format_program catdoc = {
    .name = "catdoc", .path = "/usr/bin/catdoc", .args = catdoc_args, .reads = catdoc_reads};
static const struct format_program antiword = {.name = "antiword",
    .path = "/usr/bin/antiword",
    .args = antiword_args,
    .reads = antiword_reads};
static const struct format_program xls2csv = {.name = "xls2csv (of catdoc)",
    .path = "/usr/bin/xls2csv",
    .args = xls2csv_args,
    .reads = catdoc_reads};
static const struct format_program catppt = {.name = "catppt (of catdoc)",
    .path = "/usr/bin/catppt",
    .args = catppt_args,
    .reads = catdoc_reads};
const struct format_program *const format_programs[] = {
    [PROGRAM_CATDOC] = &catdoc,
    [PROGRAM_ANTIWORD] = &antiword,
    [PROGRAM_XLS2CSV] = &xls2csv,
    [PROGRAM_CATPPT] = &catppt,
    NULL,
};

/* ---- what is in it ---- */
enum content {
	CONTENT_UNKNOWN,
	CONTENT_WORD,
	CONTENT_EXCEL,
	CONTENT_SLIDES,
	CONTENT_MAIL,
	CONTENT_LOCKED
};

struct compound {
	enum content content;
	bool locked;
};

/* At most size bytes of a stream from its beginning; how many. */
static size_t stream_head(GsfInfile *file, int i, unsigned char *out, size_t size)
{
	GsfInput *stream = gsf_infile_child_by_index(file, i);
	size_t n = 0;

	if (!stream)
		return 0;
	n = gsf_input_size(stream) < (gsf_off_t)size ? (size_t)gsf_input_size(stream) : size;
	if (n && !gsf_input_read(stream, n, out))
		n = 0;
	g_object_unref(stream);
	return n;
}

/* [MS-DOC] 2.5.2: FibBase's flag fEncrypted. */
static bool word_locked(const unsigned char *head, size_t n)
{
	return n >= 12 && (head[11] & 1);
}

/* [MS-XLS] 2.4.117: a FilePass record follows the BOF, perhaps with others between. The password that
 * Excel takes by itself is one all the same: nobody else has it. */
static bool excel_locked(const unsigned char *head, size_t n)
{
	size_t at = 0;

	for (int i = 0; i < 8 && n - at >= 4 && at < n; i++) {
		size_t len = head[at + 2] | (size_t)head[at + 3] << 8;

		if (head[at] == 0x2f && head[at + 1] == 0)
			return true;
		if (len > n - at - 4)
			return false;
		at += 4 + len;
	}
	return false;
}

/* [MS-PPT] 2.3.2: the header token of CurrentUserAtom. */
static bool slides_locked(const unsigned char *head, size_t n)
{
	return n >= 16 && memcmp(head + 12, "\xdf\xc4\xd1\xf3", 4) == 0;
}

static bool is_workbook(const char *name)
{
	return strcasecmp(name, "Workbook") == 0 || strcasecmp(name, "Book") == 0;
}

static void look_at(GsfInfile *file, int i, struct compound *c)
{
	const char *name = gsf_infile_name_by_index(file, i);
	unsigned char head[512];

	if (!name)
		return;
	if (strcasecmp(name, "WordDocument") == 0) {
		c->content = CONTENT_WORD;
		c->locked = word_locked(head, stream_head(file, i, head, sizeof(head)));
	} else if (is_workbook(name)) {
		c->content = CONTENT_EXCEL;
		c->locked = excel_locked(head, stream_head(file, i, head, sizeof(head)));
	} else if (strcasecmp(name, "PowerPoint Document") == 0) {
		c->content = CONTENT_SLIDES;
	} else if (strcasecmp(name, "Current User") == 0) {
		c->locked |= slides_locked(head, stream_head(file, i, head, sizeof(head)));
	} else if (strcmp(name, "EncryptedPackage") == 0) {
		c->content = CONTENT_LOCKED;
	} else if (strcmp(name, "__properties_version1.0") == 0) {
		/* what is attached to a mail is in storages of their own; format_msg looks for the same */
		c->content = CONTENT_MAIL;
	}
}

static bool is_compound(const struct format_input *in)
{
	return in->len >= 512 && memcmp(in->bytes, "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", 8) == 0;
}

static bool look(const struct format_input *in, struct compound *ret)
{
	GsfInput *input =
	    gsf_input_memory_new((const guint8 *)in->bytes, (gsf_off_t)in->len, FALSE);
	GsfInfile *file = input ? gsf_infile_msole_new(input, NULL) : NULL;

	memset(ret, 0, sizeof(*ret));
	if (file) {
		int n = gsf_infile_num_children(file);

		for (int i = 0; i < n && i < STREAMS_MAX; i++)
			look_at(file, i, ret);
		g_object_unref(file);
	}
	if (input)
		g_object_unref(input);
	return file != NULL;
}

/* ---- joining two texts ---- */
struct words {
	uint32_t *seen; /* hashes, 0 empty; a clash costs at most a line */
	size_t used;
};

/* The next run of letters and digits (anything beyond ASCII is one of them); false at the end. */
static bool next_word(const char **at, const char *end, const char **ret, size_t *ret_len)
{
	const char *p = *at;

	while (p < end && !isalnum((unsigned char)*p) && !((unsigned char)*p & 0x80))
		p++;
	*ret = p;
	while (p < end && (isalnum((unsigned char)*p) || ((unsigned char)*p & 0x80)))
		p++;
	*ret_len = (size_t)(p - *ret);
	*at = p;
	return *ret_len > 0;
}

static uint32_t hash_of(const char *word, size_t len)
{
	uint32_t h = 2166136261U;

	for (size_t i = 0; i < len; i++)
		h = (h ^ (unsigned char)word[i]) * 16777619U;
	return h ? h : 1;
}

/* True when it was there already; adds it when told to and there is room. */
static bool seen(struct words *w, const char *word, size_t len, bool add)
{
	uint32_t h = hash_of(word, len);
	size_t i = h & (WORDS_MAX - 1);

	for (; w->seen[i]; i = (i + 1) & (WORDS_MAX - 1)) {
		if (w->seen[i] == h)
			return true;
	}
	if (add && w->used < WORDS_MAX / 2) {
		w->seen[i] = h;
		w->used++;
	}
	return false;
}

static void learn(struct words *w, const char *text, size_t len)
{
	const char *at = text, *word;
	size_t n;

	while (next_word(&at, text + len, &word, &n))
		(void)seen(w, word, n, true);
}

/* The codes of fields that catdoc shows: they make no line worth adding. */
static const char field_words[] = "HYPERLINK MERGEFORMAT PAGE NUMPAGES PAGEREF REF TOC SEQ ARABIC "
				  "TITLE DATE MACROBUTTON EMBED Word Picture";

static bool says_more(struct words *w, const char *line, size_t len)
{
	const char *at = line, *word;
	size_t n;

	while (next_word(&at, line + len, &word, &n)) {
		if (n >= 2 && !seen(w, word, n, false))
			return true;
	}
	return false;
}

static bool has_word(const char *line, size_t len)
{
	const char *at = line, *word;
	size_t n;

	return next_word(&at, line + len, &word, &n);
}

/* ---- text ---- */
/* Every line of these programs is a paragraph of the document, with the blank lines they like left out.
 * antiword draws tables with bars. */
static void add_line(struct textsink *out, const char *line, size_t len, enum textsink_gap gap)
{
	size_t at = 0;

	textsink_gap(out, gap);
	while (at < len) {
		const char *bar = memchr(line + at, '|', len - at);
		size_t n = bar ? (size_t)(bar - line) - at : len - at;

		textsink_add(out, line + at, n, true);
		if (bar)
			textsink_gap(out, GAP_SPACE);
		at += n + 1;
	}
	textsink_gap(out, gap);
}

/* known: only lines that say more than it holds; NULL: all. */
static void add_lines(
    struct textsink *out, const struct buf *text, enum textsink_gap gap, struct words *known)
{
	for (size_t at = 0; at < text->len && !out->full;) {
		const char *line = text->data + at, *end = memchr(line, '\n', text->len - at);
		size_t n = end ? (size_t)(end - line) : text->len - at;

		if (known ? says_more(known, line, n) : has_word(line, n))
			add_line(out, line, n, gap);
		at += n + 1;
	}
}

static enum format_outcome conclude(
    struct textsink *out, enum program_end end, const struct format_program *program)
{
	if (out->visible && end != PROGRAM_OK)
		snprintf(out->reason, sizeof(out->reason),
		    "its program (%s) ended early: the text is what it could read", program->name);
	if (out->visible)
		return FORMAT_OK;
	switch (end) {
	case PROGRAM_OK:
		return format_none(out, "no text in it");
	case PROGRAM_MISSING:
		return format_none(
		    out, "needs the program %s, which is not installed", program->name);
	case PROGRAM_NONE:
		return format_none(
		    out, "needs the program %s, which cannot be run safely here", program->name);
	default:
		return format_none(out,
		    "the file is damaged, or of a version that %s does not read", program->name);
	}
}

static enum format_outcome read_slides(const struct format_input *in, struct textsink *out)
{
	struct buf text = {.limit = OUTPUT_LIMIT};
	enum program_end end = program_run(PROGRAM_CATPPT, in->bytes, in->len, OUTPUT_LIMIT, &text);

	add_lines(out, &text, GAP_PARAGRAPH, NULL);
	buf_free(&text);
	return conclude(out, end, &catppt);
}

static void add_sheet_names(const struct format_input *in, struct textsink *out)
{
	GsfInput *input =
	    gsf_input_memory_new((const guint8 *)in->bytes, (gsf_off_t)in->len, FALSE);
	GsfInfile *file = input ? gsf_infile_msole_new(input, NULL) : NULL;
	int n = file ? gsf_infile_num_children(file) : 0;

	for (int i = 0; i < n && i < STREAMS_MAX; i++) {
		const char *name = gsf_infile_name_by_index(file, i);
		GsfInput *stream =
		    name && is_workbook(name) ? gsf_infile_child_by_index(file, i) : NULL;

		if (!stream)
			continue;
		xls_names(stream, out);
		g_object_unref(stream);
		break; /* of a file for two versions, both say the same */
	}
	if (file)
		g_object_unref(file);
	if (input)
		g_object_unref(input);
}

/* The names of the sheets, then what is in them. Of a file that xls2csv does not read a name is no text. */
static enum format_outcome read_excel(const struct format_input *in, struct textsink *out)
{
	struct buf text = {.limit = OUTPUT_LIMIT};
	enum program_end end =
	    program_run(PROGRAM_XLS2CSV, in->bytes, in->len, OUTPUT_LIMIT, &text);

	if (end == PROGRAM_OK || (text.len && has_word(text.data, text.len)))
		add_sheet_names(in, out);
	add_lines(out, &text, GAP_LINE, NULL);
	buf_free(&text);
	return conclude(out, end, &xls2csv);
}

static enum format_outcome read_word(const struct format_input *in, struct textsink *out)
{
	struct buf first = {.limit = OUTPUT_LIMIT}, second = {.limit = OUTPUT_LIMIT};
	struct words known = {.seen = calloc(WORDS_MAX, sizeof(*known.seen))};
	enum program_end one = PROGRAM_NONE, two = PROGRAM_NONE;

	if (!known.seen)
		goto out;
	one = program_run(PROGRAM_ANTIWORD, in->bytes, in->len, OUTPUT_LIMIT, &first);
	two = program_run(PROGRAM_CATDOC, in->bytes, in->len, OUTPUT_LIMIT, &second);
	learn(&known, field_words, strlen(field_words));
	if (first.len)
		learn(&known, first.data, first.len);
	add_lines(out, &first, GAP_PARAGRAPH, NULL);
	add_lines(out, &second, GAP_PARAGRAPH, first.len ? &known : NULL);
out:
	free(known.seen);
	buf_free(&first);
	buf_free(&second);
	/* catdoc is asked to install: it reads all three formats. Either of them is enough. */
	return conclude(out, one == PROGRAM_OK && out->visible ? one : two, &catdoc);
}

/* ---- the decoder ---- */
static bool ole_reads(const char *type)
{
	static const char *const types[] = {"application/msword", "application/vnd.ms-word",
	    "application/vnd.ms-excel", "application/msexcel", "application/vnd.ms-powerpoint",
	    "application/mspowerpoint", NULL};

	for (size_t i = 0; types[i]; i++) {
		if (strcmp(type, types[i]) == 0)
			return true;
	}
	return false;
}

static bool ole_claims(const struct format_input *in)
{
	struct compound c;

	return is_compound(in) && look(in, &c) && c.content != CONTENT_UNKNOWN;
}

/* What has an old name may be of a new kind, or RTF, HTML, XML: Word opens it all. */
static enum format_outcome read_other(const struct format_input *in, struct textsink *out)
{
	const struct format_input general = {.bytes = in->bytes,
	    .len = in->len,
	    .media_type = "application/octet-stream",
	    .charset = ""};
	const struct format *format = format_for(&general);

	if (format && format->claims)
		return format->read(in, out);
	/* Word for DOS and Word 2 wrote no compound files */
	if (strstr(in->media_type, "word"))
		return read_word(in, out);
	return format_none(out, "the file is damaged, or not what its type says");
}

static enum format_outcome read_mail(const struct format_input *in, struct textsink *out)
{
	const struct format *format = format_find("application/vnd.ms-outlook");

	if (!format)
		return format_none(out, "not a format arkki reads (%.100s)", in->media_type);
	return format->read(in, out);
}

static enum format_outcome ole_read(const struct format_input *in, struct textsink *out)
{
	struct compound c = {0};

	if (!is_compound(in))
		return read_other(in, out);
	if (!look(in, &c))
		return format_none(out, "the file is damaged: no list of its parts");
	if (c.locked || c.content == CONTENT_LOCKED)
		return format_none(out, "the document is protected by a password");
	switch (c.content) {
	case CONTENT_WORD:
		return read_word(in, out);
	case CONTENT_EXCEL:
		return read_excel(in, out);
	case CONTENT_SLIDES:
		return read_slides(in, out);
	case CONTENT_MAIL:
		return read_mail(in, out);
	default:
		return format_none(out, "an Office file without a document that arkki reads");
	}
}

const struct format format_ole = {.name = "Office before 2007",
    .reads = ole_reads,
    .claims = ole_claims,
    .warm = gsf_init,
    .programs = format_programs,
    .read = ole_read};
