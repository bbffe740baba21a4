#include "index/extract_intake.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "arkki/base/text.h"
#include "index/extract_wire.h"

/* Control characters and malformed UTF-8 make the whole word of the decoder worthless. */
static bool text_fair(const char *bytes, size_t len, bool lines)
{
	if (!utf8_valid(bytes, len))
		return false;
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)bytes[i];

		if ((c < 0x20 && !(lines && (c == '\n' || c == '\f'))) || c == 0x7f)
			return false;
	}
	return true;
}

static bool take_line(char *out, size_t size, const char *bytes, size_t len)
{
	if (len >= size || !text_fair(bytes, len, false))
		return false;
	memcpy(out, bytes, len);
	out[len] = '\0';
	return true;
}

static bool take_more(struct intake *in, struct buf *to, const char *bytes, size_t len)
{
	buf_add(to, bytes, len);
	in->no_memory = buf_failed(to) && to->len + len <= to->limit;
	return !buf_failed(to);
}

static bool take_bare(struct intake *in, const char *bytes, size_t len)
{
	uint32_t page = len == 4 ? be32_get(bytes) : 0, *more;

	if (!page || in->bare_len == WIRE_BARE_MAX ||
	    (in->bare_len && page <= in->bare[in->bare_len - 1]))
		return false;
	if (in->bare_len == in->bare_cap) {
		size_t cap = in->bare_cap ? 2 * in->bare_cap : 64;

		more = reallocarray(in->bare, cap, sizeof(*more));
		in->no_memory = !more;
		if (!more)
			return false;
		in->bare = more;
		in->bare_cap = cap;
	}
	in->bare[in->bare_len++] = page;
	return true;
}

static bool take_frame(struct intake *in, char kind, const char *bytes, size_t len)
{
	switch (kind) {
	case FRAME_BEGUN:
		in->begun = true;
		return true;
	case FRAME_TEXT:
		return take_more(in, &in->text, bytes, len);
	case FRAME_WORDS:
		return take_more(in, &in->words, bytes, len);
	case FRAME_BARE:
		return take_bare(in, bytes, len);
	case FRAME_KNOWN:
		in->known = len == 4 ? be32_get(bytes) : 0;
		return len == 4 && in->known <= 1000;
	case FRAME_PAGES:
		in->pages = len == 4 ? be32_get(bytes) : 0;
		return len == 4;
	case FRAME_TITLE:
		return take_line(in->title, sizeof(in->title), bytes, len);
	case FRAME_DONE:
	case FRAME_NONE:
		in->last = kind;
		return take_line(in->reason, sizeof(in->reason), bytes, len);
	default:
		return false;
	}
}

static void take_bytes(struct intake *in, const char *bytes, size_t len)
{
	size_t at = 0;

	buf_add(&in->raw, bytes, len);
	in->no_memory |= buf_failed(&in->raw);
	while (!in->broken && in->raw.len - at >= WIRE_FRAME_HEADER) {
		const char *head = in->raw.data + at;
		size_t n = be32_get(head + 1);

		if (n > WIRE_FRAME_MAX || in->last) {
			in->broken = true;
			break;
		}
		if (in->raw.len - at - WIRE_FRAME_HEADER < n)
			break;
		in->broken = !take_frame(in, head[0], head + WIRE_FRAME_HEADER, n);
		at += WIRE_FRAME_HEADER + n;
	}
	if (at) {
		memmove(in->raw.data, in->raw.data + at, in->raw.len - at);
		in->raw.len -= at;
	}
}

bool intake_read(struct intake *in, int fd)
{
	char bytes[32768];
	ssize_t n = read(fd, bytes, sizeof(bytes));

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return true;
	if (n > 0)
		take_bytes(in, bytes, (size_t)n);
	return n > 0 && !in->broken && !in->no_memory;
}

bool intake_text_fair(const struct intake *in)
{
	return text_fair(in->text.data ? in->text.data : "", in->text.len, true) &&
	       text_fair(in->words.data ? in->words.data : "", in->words.len, true);
}

bool intake_text_visible(const struct intake *in)
{
	return in->text.len && strspn(in->text.data, " \f\n") < in->text.len &&
	       intake_text_fair(in);
}

void intake_free(struct intake *in)
{
	buf_wipe_free(&in->raw);
	buf_wipe_free(&in->text);
	buf_wipe_free(&in->words);
	free(in->bare);
	in->bare = NULL;
}
