/* Documents in documents. A member is read into a sink of its own, which writes into the outer one:
 * so its pages, title and reason stay apart from those of the document around it, and only what bounds
 * all members together is handed from one to the other. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arkki/base/clock.h"
#include "index/formats/format.h"

enum { MEMBER_NAME = 512 };

struct member {
	struct textsink *outer;
	struct textsink inner;
};

static bool too_late(const struct textsink *s)
{
	return s->members_until_us && clock_monotonic_us() > s->members_until_us;
}

static void remark(struct textsink *out, const char *text)
{
	if (!out->reason[0])
		snprintf(out->reason, sizeof(out->reason), "%s", text);
}

static void late(struct textsink *out)
{
	remark(out, "only the members that could be read in the time for one document");
}

static bool within_bounds(struct textsink *out, size_t len)
{
	if (out->full)
		return false;
	if (out->members >= FORMAT_MEMBERS_MAX) {
		snprintf(out->reason, sizeof(out->reason), "only the first %u members",
		    FORMAT_MEMBERS_MAX);
		return false;
	}
	if (len > FORMAT_UNPACKED_MAX - out->unpacked) {
		out->unpacked = FORMAT_UNPACKED_MAX;
		snprintf(out->reason, sizeof(out->reason), "only the first %llu MiB of its members",
		    (unsigned long long)(FORMAT_UNPACKED_MAX >> 20));
		return false;
	}
	if (too_late(out)) {
		late(out);
		return false;
	}
	return true;
}

static void add_name(struct textsink *out, const char *name)
{
	size_t len = name ? strlen(name) : 0;

	textsink_gap(out, GAP_PARAGRAPH);
	if (len > MEMBER_NAME) {
		len = MEMBER_NAME;
		while (len && ((unsigned char)name[len] & 0xc0) == 0x80)
			len--;
	}
	if (len)
		textsink_add(out, name, len, false);
	textsink_gap(out, GAP_PARAGRAPH);
}

static void write_outer(void *arg, const char *bytes, size_t len)
{
	struct member *m = arg;

	textsink_add(m->outer, bytes, len, true);
	if (too_late(m->outer)) {
		late(m->outer);
		m->inner.full = true;
	}
	m->inner.full |= m->outer->full;
}

/* The title of a mail or a page is a line of its text already. */
static bool title_is_new(const struct format *format, const char *name)
{
	return name && *name && format != &format_mail && format != &format_msg &&
	       format != &format_html;
}

static void add_text(struct textsink *out, const struct format *format, const char *name,
    const struct format_input *in)
{
	struct member *m = malloc(sizeof(*m));
	enum format_outcome outcome;

	if (!m) {
		remark(out, "a member needs more memory than a decoder may use");
		return;
	}
	m->outer = out;
	textsink_init(&m->inner, out->limit - out->written, write_outer, m);
	m->inner.outer = out;
	m->inner.depth = out->depth + 1;
	m->inner.members = out->members;
	m->inner.unpacked = out->unpacked;
	m->inner.members_until_us = out->members_until_us;
	outcome = format->read(in, &m->inner);
	textsink_flush(&m->inner);
	out->members = m->inner.members;
	out->unpacked = m->inner.unpacked;
	out->nested_too_deep |= m->inner.nested_too_deep;
	textsink_gap(out, GAP_PARAGRAPH);
	if (outcome == FORMAT_OK && title_is_new(format, name))
		textsink_add(out, m->inner.title, strlen(m->inner.title), false);
	free(m);
}

bool format_member(
    struct textsink *out, const char *name, const char *media_type, const char *bytes, size_t len)
{
	char given[KIND_SIZE], type[KIND_SIZE], charset[48];
	struct format_input in = {
	    .bytes = bytes, .len = len, .media_type = type, .charset = charset};
	const struct format *format = NULL;

	if (!within_bounds(out, len))
		return false;
	out->members++;
	out->unpacked += len;
	add_name(out, name);
	if (len && len <= FORMAT_MEMBER_MAX) {
		format_split_type(
		    media_type ? media_type : "", given, sizeof(given), charset, sizeof(charset));
		kind_of(given, name, bytes, len, type);
		format = format_for(&in);
	}
	if (format && out->depth >= FORMAT_DEPTH_MAX) {
		out->nested_too_deep = true;
		format = NULL;
	}
	textsink_flush_through(out);
	if (format)
		add_text(out, format, name, &in);
	textsink_flush_through(out);
	if (out->nested_too_deep)
		remark(out, "documents nested too deep in it are not read");
	return within_bounds(out, 0);
}
