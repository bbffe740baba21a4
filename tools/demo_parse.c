#include "tools/demo.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arkki/base/clock.h"
#include "arkki/base/fs.h"
#include "arkki/base/json.h"
#include "arkki/base/text.h"

enum {
	FILE_MAX = 1 << 20,
	LINES_MAX = 20000,
	BLOCKS_MAX = 1000,
	VERSIONS_MAX = 50,
};

struct reader {
	const char *path;
	char **line;
	size_t lines;
	size_t at;
	struct buf open; /* the paragraph or item that the next line may continue */
	enum demo_kind kind;
	struct ark_error *err;
};

/* The line that was taken last is the one at fault. */
static int ARK_PRINTF(2, 3) bad(const struct reader *r, const char *fmt, ...)
{
	char text[300];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	return ark_fail(r->err, ARK_EINPUT, "%s:%zu: %s", r->path, r->at, text);
}

static int no_memory(const struct reader *r)
{
	return ark_fail(r->err, ARK_ENOMEM, "no memory for %s", r->path);
}

static bool starts(const char *line, const char *prefix)
{
	return strncmp(line, prefix, strlen(prefix)) == 0;
}

/* Cuts the text into lines in place. */
static int split_lines(struct reader *r, struct buf *text)
{
	if (!text->len || text->data[text->len - 1] != '\n')
		buf_addc(text, '\n');
	if (buf_failed(text))
		return no_memory(r);
	if (!utf8_valid(text->data, text->len))
		return ark_fail(r->err, ARK_EINPUT, "%s is not UTF-8", r->path);
	r->line = calloc(LINES_MAX, sizeof(*r->line));
	if (!r->line)
		return no_memory(r);
	for (char *p = text->data, *end = p + text->len; p < end;) {
		char *stop = memchr(p, '\n', (size_t)(end - p));

		r->at = r->lines + 1;
		if (r->lines == LINES_MAX)
			return bad(r, "more than %d lines", LINES_MAX);
		*stop = '\0';
		for (const char *c = p; *c; c++)
			if ((unsigned char)*c < ' ')
				return bad(r, "a control character");
		r->line[r->lines++] = p;
		p = stop + 1;
	}
	r->at = 0;
	return ARK_OK;
}

/* Takes "key: value" and the indented lines below it. *ret_key lies in the line. */
static int take_field(struct reader *r, char **ret_key, struct buf *value)
{
	char *key = r->line[r->at++];
	char *colon = strchr(key, ':');

	*ret_key = key;
	if (!colon || colon == key)
		return bad(r, "expected `key: value`");
	*colon = '\0';
	buf_clear(value);
	buf_adds(value, colon + 1 + strspn(colon + 1, " "));
	while (r->at < r->lines && r->line[r->at][0] == ' ') {
		const char *more = r->line[r->at++];

		buf_addc(value, ' ');
		buf_adds(value, more + strspn(more, " "));
	}
	return buf_failed(value) ? no_memory(r) : ARK_OK;
}

static int read_metadata(struct reader *r, const struct buf *value, json_t **ret)
{
	struct ark_error why = {0};
	json_t *v = NULL;

	if (json_read(value->data, value->len, &v, &why) < 0)
		return bad(r, "metadata: %.200s", why.text);
	if (!json_is_object(v)) {
		json_decref(v);
		return bad(r, "metadata is not an object");
	}
	*ret = v;
	return ARK_OK;
}

static int read_format(struct reader *r, const char *name, enum demo_format *ret)
{
	for (size_t i = 0; i < DEMO_FORMATS; i++)
		if (!strcmp(name, demo_format_name((enum demo_format)i))) {
			*ret = (enum demo_format)i;
			return ARK_OK;
		}
	return bad(r, "format is pdf, html, text, docx, odt, xlsx, scan, eml or zip");
}

/* Everything above the first "===". */
static int take_header(struct reader *r, struct demo_document *doc, json_t **ret_metadata)
{
	struct buf value = BUF_INIT;
	json_t *metadata = NULL;
	bool format = false;
	char *key = NULL;
	int rc = ARK_OK;

	while (r->at < r->lines && !starts(r->line[r->at], "===")) {
		if (!*r->line[r->at]) {
			r->at++;
			continue;
		}
		rc = take_field(r, &key, &value);
		if (rc < 0)
			goto out;
		if (!strcmp(key, "metadata") && !metadata) {
			rc = read_metadata(r, &value, &metadata);
		} else if (!strcmp(key, "user") && !doc->user) {
			doc->user = buf_take(&value, NULL);
			if (!doc->user || !id_valid(doc->user))
				rc = bad(r, "user is an id of [a-z0-9-]");
		} else if (!strcmp(key, "format") && !format) {
			rc = read_format(r, value.data ? value.data : "", &doc->format);
			format = true;
		} else {
			rc = bad(r, "a key that is unknown or given twice: %.40s", key);
		}
		if (rc < 0)
			goto out;
	}
	if (!metadata || !doc->user || !format) {
		rc = bad(r, "the header needs metadata, user and format");
		goto out;
	}
	*ret_metadata = metadata;
	metadata = NULL;
out:
	json_decref(metadata);
	buf_free(&value);
	return rc;
}

static int add_block(
    struct reader *r, struct demo_version *v, enum demo_kind kind, const char *text)
{
	char *copy;

	if (v->blocks == BLOCKS_MAX)
		return bad(r, "more than %d blocks", BLOCKS_MAX);
	if (!*text)
		return bad(r, "an empty block");
	copy = strdup(text);
	if (!copy)
		return no_memory(r);
	v->block[v->blocks++] = (struct demo_block){.kind = kind, .text = copy};
	return ARK_OK;
}

static int close_block(struct reader *r, struct demo_version *v)
{
	int rc;

	if (!r->open.len)
		return ARK_OK;
	if (buf_failed(&r->open))
		return no_memory(r);
	rc = add_block(r, v, r->kind, r->open.data);
	buf_clear(&r->open);
	return rc;
}

/* "@a", "@a-b" or "@a-": blocks of the version before, counted from 1. */
static int repeat_blocks(
    struct reader *r, struct demo_version *v, const struct demo_version *before, const char *line)
{
	unsigned long first, last;
	char *end;
	int rc = ARK_OK;

	if (!before)
		return bad(r, "nothing stands before the first version");
	first = last = strtoul(line + 1, &end, 10);
	if (*end == '-')
		last = end[1] ? strtoul(end + 1, &end, 10) : (end++, before->blocks);
	if (*end || first < 1 || last < first || last > before->blocks)
		return bad(r, "%.20s does not fit the %zu blocks before", line, before->blocks);
	for (size_t i = first - 1; i < last && rc == ARK_OK; i++)
		rc = add_block(r, v, before->block[i].kind, before->block[i].text);
	return rc;
}

static int take_body_line(
    struct reader *r, struct demo_version *v, const struct demo_version *before, const char *line)
{
	static const struct {
		const char *mark;
		enum demo_kind kind;
	} headings[] = {{"# ", DEMO_H1}, {"## ", DEMO_H2}, {"### ", DEMO_H3}};
	bool item = starts(line, "- ");

	line += strspn(line, " ");
	if (!*line || *line == '@' || *line == '#' || item) {
		int rc = close_block(r, v);

		if (rc < 0 || !*line)
			return rc;
	}
	if (*line == '@')
		return repeat_blocks(r, v, before, line);
	for (size_t i = 0; i < sizeof(headings) / sizeof(*headings); i++)
		if (starts(line, headings[i].mark))
			return add_block(r, v, headings[i].kind, line + strlen(headings[i].mark));
	if (*line == '#')
		return bad(r, "a heading is #, ## or ### and a space");
	if (!r->open.len)
		r->kind = item ? DEMO_ITEM : DEMO_PARAGRAPH;
	else
		buf_addc(&r->open, ' ');
	buf_adds(&r->open, item ? line + 2 : line);
	return ARK_OK;
}

/* The date and the reason of "=== version N DATE reason" or "=== public DATE"; last: what is filed before it. */
static int take_when(
    struct reader *r, struct demo_version *v, const char *line, const struct demo_version *last)
{
	bool reason = v->number > 1 && !v->rendition;

	memcpy(v->date, line, 10);
	if (!date_valid(v->date) || (line[10] && line[10] != ' '))
		return bad(r, "no such day: %.20s", line);
	if (last && strcmp(v->date, last->date) < 0)
		return bad(r, "version %u is older than the one before it", v->number);
	line += 10 + strspn(line + 10, " ");
	if (!*line == reason)
		return bad(r, "a reason belongs to every version but the first");
	v->reason = strdup(line);
	return v->reason ? ARK_OK : no_memory(r);
}

/* N of "=== version N DATE reason" counts up, dates do not go back. */
static int take_version_line(
    struct reader *r, struct demo_version *v, const struct demo_version *last)
{
	const char *line = r->line[r->at++];
	char expected[40] = "=== public ";
	size_t len = strlen(expected);

	v->rendition = starts(line, expected);
	if (v->rendition) {
		if (!last || last->rendition)
			return bad(r, "a public rendition follows its version");
		v->number = last->number;
	} else {
		v->number = last ? last->number + 1 : 1;
		len = (size_t)snprintf(expected, sizeof(expected), "=== version %u ", v->number);
	}
	if (!starts(line, expected) || strlen(line) < len + 10)
		return bad(r, "expected `%s YYYY-MM-DD`", expected);
	return take_when(r, v, line + len, last);
}

/* The file of a rendition has the public title in it. */
static int mask_title(struct reader *r, struct demo_version *v)
{
	json_t *title = json_object_get(v->whole, "publicTitle");

	if (!title)
		return bad(r, "a document with a public rendition needs a publicTitle");
	return json_object_set(v->whole, "title", title) < 0 ? no_memory(r) : ARK_OK;
}

/* Settles v->changes and v->whole; `metadata` is the header's, for the first version. */
static int take_changes(
    struct reader *r, struct demo_version *v, const struct demo_version *before, json_t *metadata)
{
	struct buf value = BUF_INIT;
	char *key = NULL;
	int rc = ARK_OK;

	if (metadata) {
		v->changes = json_incref(metadata);
	} else if (!v->rendition && r->at < r->lines && starts(r->line[r->at], "metadata:")) {
		rc = take_field(r, &key, &value);
		if (rc == ARK_OK)
			rc = read_metadata(r, &value, &v->changes);
	} else {
		v->changes = json_object();
	}
	if (rc < 0)
		goto out;
	v->whole = before ? json_copy(before->whole) : json_object();
	if (!v->changes || json_object_update(v->whole, v->changes) < 0) {
		rc = no_memory(r);
		goto out;
	}
	if (v->rendition)
		rc = mask_title(r, v);
	else if (!json_text(v->whole, "title") || !json_text(v->whole, "language"))
		rc = bad(r, "metadata needs a title and a language");
out:
	buf_free(&value);
	return rc;
}

static int take_version(struct reader *r, struct demo_document *doc, json_t *metadata)
{
	struct demo_version *v = &doc->version[doc->versions];
	const struct demo_version *last = NULL, *before = NULL;
	int rc;

	if (doc->versions == VERSIONS_MAX)
		return bad(r, "more than %d versions", VERSIONS_MAX);
	if (doc->versions) {
		last = v - 1;
		before = last->rendition ? last - 1 : last;
	}
	doc->versions++;
	v->block = calloc(BLOCKS_MAX, sizeof(*v->block));
	if (!v->block)
		return no_memory(r);
	rc = take_version_line(r, v, last);
	if (rc == ARK_OK)
		rc = take_changes(r, v, before, before ? NULL : metadata);
	while (rc == ARK_OK && r->at < r->lines && !starts(r->line[r->at], "===")) {
		const char *line = r->line[r->at++];

		rc = take_body_line(r, v, before, line);
	}
	if (rc == ARK_OK)
		rc = close_block(r, v);
	if (rc == ARK_OK && (!v->blocks || v->block[0].kind != DEMO_H1))
		rc = bad(r, "version %u does not begin with a # heading", v->number);
	return rc;
}

/* The file's name without folder and ".txt". */
static int name_of(struct reader *r, char **ret)
{
	const char *slash = strrchr(r->path, '/');
	const char *base = slash ? slash + 1 : r->path;
	const char *dot = strrchr(base, '.');
	char *name = strndup(base, dot ? (size_t)(dot - base) : strlen(base));
	size_t digits;

	*ret = name;
	if (!name)
		return no_memory(r);
	digits = strspn(name, "0123456789");
	if (!id_valid(name) || !digits || name[digits] != '-' || !name[digits + 1])
		return bad(r, "the file is not named NN-slug.txt");
	return ARK_OK;
}

int demo_parse(const char *path, struct demo_document **ret, struct ark_error *err)
{
	struct reader r = {.path = path, .err = err};
	struct demo_document *doc = NULL;
	struct buf text = BUF_INIT;
	json_t *metadata = NULL;
	int rc;

	rc = fs_read_file(path, FILE_MAX, &text, err);
	if (rc < 0)
		goto out;
	doc = calloc(1, sizeof(*doc));
	if (doc)
		doc->version = calloc(VERSIONS_MAX, sizeof(*doc->version));
	if (!doc || !doc->version) {
		rc = no_memory(&r);
		goto out;
	}
	rc = name_of(&r, &doc->name);
	if (rc == ARK_OK)
		rc = split_lines(&r, &text);
	if (rc == ARK_OK)
		rc = take_header(&r, doc, &metadata);
	while (rc == ARK_OK && r.at < r.lines)
		rc = take_version(&r, doc, metadata);
	if (rc == ARK_OK && !doc->versions)
		rc = bad(&r, "no version");
	if (rc < 0)
		goto out;
	*ret = doc;
	doc = NULL;
out:
	demo_document_free(doc);
	json_decref(metadata);
	buf_free(&r.open);
	buf_free(&text);
	free(r.line);
	return rc;
}

void demo_document_free(struct demo_document *doc)
{
	if (!doc)
		return;
	for (size_t i = 0; i < doc->versions; i++) {
		struct demo_version *v = &doc->version[i];

		for (size_t b = 0; b < v->blocks; b++)
			free(v->block[b].text);
		free(v->block);
		free(v->reason);
		json_decref(v->changes);
		json_decref(v->whole);
	}
	free(doc->version);
	free(doc->user);
	free(doc->name);
	free(doc);
}
