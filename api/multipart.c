/* A state machine over bytes:
 *
 *   START ──"--B"──▶ AFTER ──CRLF──▶ HEADERS ──blank line──▶ DATA ──"\r\n--B"──▶ AFTER
 *                      └──"--"──▶ END (at most one CRLF) ; any error ──▶ FAILED
 *
 * `delim` is "\r\n--B". Its CR stands only at the front, as no boundary has one:
 * after a mismatch the search never has to go back further than the byte at hand, and
 * what was held is known without having been stored.
 */
#include "arkki/api/multipart.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "arkki/base/text.h"

enum { BOUNDARY_MAX = 70 };

enum state { START, AFTER, HEADERS, DATA, END, FAILED };

struct multipart {
	struct multipart_sink sink;
	enum state state;
	char delim[BOUNDARY_MAX + 5];
	size_t delim_len;
	size_t
	    matched; /* bytes of delim, or of AFTER's and END's two, seen at the end of the input */
	char after;  /* first of AFTER's two bytes */
	unsigned int parts;
	size_t header_len;
	char header[MULTIPART_HEADER_MAX + 1];
};

struct part_headers {
	bool has_disposition, has_encoding;
	char *content_type;
	struct buf name, filename;
	bool has_name, has_filename, has_filename_star;
};

/* ---- header values ---- */

static bool is_bchar(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c && strchr("'()+_,-./:=? ", c));
}

/* A quoted value after its opening quote. Browsers send `"` as %22 and have sent it as \";
 * a backslash before anything else is a path separator of an old one. */
static bool take_quoted(const char **p, struct buf *out)
{
	const char *q = *p;

	for (; *q && *q != '"'; q++) {
		if (q[0] == '\\' && (q[1] == '"' || q[1] == '\\')) {
			q++;
			buf_addc(out, *q);
		} else if (!strncmp(q, "%22", 3)) {
			q += 2;
			buf_addc(out, '"');
		} else {
			buf_addc(out, *q);
		}
	}
	if (*q != '"')
		return false;
	*p = q + 1;
	return true;
}

/* The next `; name=value` at *p: 1, 0 at the end, -1 when malformed. */
static int take_param(const char **p, const char **ret_name, size_t *ret_len, struct buf *value)
{
	const char *q = *p + strspn(*p, " \t");
	size_t n;

	buf_clear(value);
	if (!*q)
		return 0;
	if (*q != ';')
		return -1;
	q += 1 + strspn(q + 1, " \t");
	if (!*q)
		return 0;
	n = strcspn(q, "= \t;\"");
	if (!n || q[n] != '=')
		return -1;
	*ret_name = q;
	*ret_len = n;
	q += n + 1;
	if (*q == '"') {
		q++;
		if (!take_quoted(&q, value))
			return -1;
	} else {
		n = strcspn(q, "; \t\"");
		buf_add(value, q, n);
		q += n;
	}
	*p = q;
	return 1;
}

static bool same(const char *name, size_t len, const char *wanted)
{
	return strlen(wanted) == len && !strncasecmp(name, wanted, len);
}

static bool set_boundary(struct multipart *m, const struct buf *value)
{
	if (m->delim_len || !value->len || value->len > BOUNDARY_MAX ||
	    value->data[value->len - 1] == ' ')
		return false;
	for (size_t i = 0; i < value->len; i++) {
		if (!is_bchar(value->data[i]))
			return false;
	}
	memcpy(m->delim, "\r\n--", 4);
	memcpy(m->delim + 4, value->data, value->len);
	m->delim_len = value->len + 4;
	return true;
}

static int read_content_type(struct multipart *m, const char *text, struct ark_error *err)
{
	static const char type[] = "multipart/form-data";
	struct buf value = BUF_INIT;
	const char *p = text, *name;
	size_t len;
	int r = -1;

	if (p && !strncasecmp(p, type, strlen(type))) {
		p += strlen(type);
		while ((r = take_param(&p, &name, &len, &value)) > 0) {
			if (same(name, len, "boundary") && !set_boundary(m, &value)) {
				r = -1;
				break;
			}
		}
	}
	if (buf_failed(&value))
		r = ark_fail(err, ARK_ENOMEM, "no memory for a form");
	else if (r < 0 || !m->delim_len)
		r = ark_fail(err, ARK_EINPUT,
		    "Content-Type must be multipart/form-data with a boundary of 1-70 characters");
	buf_free(&value);
	return r;
}

int multipart_new(const char *content_type, const struct multipart_sink *sink,
    struct multipart **ret, struct ark_error *err)
{
	struct multipart *m = calloc(1, sizeof(*m));
	int r;

	if (!m)
		return ark_fail(err, ARK_ENOMEM, "no memory for a form");
	m->sink = *sink;
	/* the first delimiter has no CRLF before it */
	m->matched = 2;
	r = read_content_type(m, content_type, err);
	if (r) {
		multipart_free(m);
		return r;
	}
	*ret = m;
	return ARK_OK;
}

void multipart_free(struct multipart *m)
{
	free(m);
}

/* ---- a part's headers ---- */

static bool clean_text(const struct buf *b)
{
	for (size_t i = 0; i < b->len; i++) {
		unsigned char c = (unsigned char)b->data[i];

		if (c < ' ' || c == 0x7f)
			return false;
	}
	return utf8_valid(b->data ? b->data : "", b->len);
}

/* ext-value of RFC 8187: form-data has no need of it, but older clients send it. */
static bool take_extended(const struct buf *value, struct buf *out)
{
	const char *p = value->data ? strchr(value->data, '\'') : NULL;

	if (!p || strncasecmp(value->data, "utf-8'", 6) != 0)
		return false;
	p = strchr(p + 1, '\'');
	return p && percent_decode(out, p + 1, strlen(p + 1));
}

static int set_param(
    struct part_headers *h, const char *name, size_t len, struct buf *value, struct ark_error *err)
{
	struct buf *to = &h->filename;
	bool ok = true;

	if (same(name, len, "name")) {
		to = &h->name;
		ok = !h->has_name;
		h->has_name = true;
	} else if (same(name, len, "filename")) {
		ok = !h->has_filename;
		h->has_filename = true;
		if (h->has_filename_star)
			return ok ? ARK_OK : ark_fail(err, ARK_EINPUT, "two file names in a part");
	} else if (same(name, len, "filename*")) {
		ok = !h->has_filename_star;
		h->has_filename_star = true;
		buf_clear(to);
		if (!take_extended(value, to))
			return ark_fail(err, ARK_EINPUT, "filename* of a part is not UTF-8''…");
		buf_clear(value);
	} else {
		return ARK_OK;
	}
	buf_add(to, value->data ? value->data : "", value->len);
	if (!ok)
		return ark_fail(err, ARK_EINPUT, "a parameter of Content-Disposition is twice");
	if (!clean_text(to))
		return ark_fail(
		    err, ARK_EINPUT, "a name in Content-Disposition is not clean UTF-8 text");
	return buf_failed(to) ? ark_fail(err, ARK_ENOMEM, "no memory for a form") : ARK_OK;
}

static int read_disposition(struct part_headers *h, const char *text, struct ark_error *err)
{
	static const char type[] = "form-data";
	struct buf value = BUF_INIT;
	const char *p = text, *name;
	size_t len;
	int r = -1, status = ARK_OK;

	if (h->has_disposition)
		return ark_fail(err, ARK_EINPUT, "a part has two Content-Disposition headers");
	h->has_disposition = true;
	if (!strncasecmp(p, type, strlen(type))) {
		p += strlen(type);
		while (!status && (r = take_param(&p, &name, &len, &value)) > 0)
			status = set_param(h, name, len, &value, err);
	}
	if (!status && buf_failed(&value))
		status = ark_fail(err, ARK_ENOMEM, "no memory for a form");
	if (!status && r < 0)
		status = ark_fail(err, ARK_EINPUT, "a part's Content-Disposition is malformed");
	buf_free(&value);
	return status;
}

static int read_line(struct part_headers *h, char *line, struct ark_error *err)
{
	char *colon = strchr(line, ':'), *value;
	size_t end;

	if (!colon || colon == line || strcspn(line, " \t") < (size_t)(colon - line))
		return ark_fail(err, ARK_EINPUT, "a part has a malformed header");
	*colon = '\0';
	value = colon + 1 + strspn(colon + 1, " \t");
	for (end = strlen(value); end && (value[end - 1] == ' ' || value[end - 1] == '\t'); end--)
		value[end - 1] = '\0';
	if (!strcasecmp(line, "Content-Disposition"))
		return read_disposition(h, value, err);
	if (!strcasecmp(line, "Content-Type")) {
		if (h->content_type)
			return ark_fail(err, ARK_EINPUT, "a part has two Content-Type headers");
		h->content_type = value;
	}
	if (!strcasecmp(line, "Content-Transfer-Encoding")) {
		if (h->has_encoding ||
		    (strcasecmp(value, "binary") != 0 && strcasecmp(value, "8bit") != 0))
			return ark_fail(err, ARK_EINPUT,
			    "Content-Transfer-Encoding of a part must be binary or 8bit");
		h->has_encoding = true;
	}
	return ARK_OK;
}

static int begin_part(struct multipart *m, struct ark_error *err)
{
	struct part_headers h = {0};
	int r = ARK_OK;

	if (m->parts++ == MULTIPART_PARTS_MAX)
		return ark_fail(
		    err, ARK_EINPUT, "a form has more than %d parts", MULTIPART_PARTS_MAX);
	m->header[m->header_len] = '\0';
	for (char *line = m->header, *end; !r && *line; line = end + 2) {
		end = strstr(line, "\r\n");
		*end = '\0';
		r = read_line(&h, line, err);
	}
	if (!r && (!h.has_name || !h.name.len))
		r = ark_fail(err, ARK_EINPUT, "a part has no name in its Content-Disposition");
	if (!r)
		r = m->sink.part_begin(m->sink.arg, h.name.data,
		    h.has_filename || h.has_filename_star ? (h.filename.data ? h.filename.data : "")
							  : NULL,
		    h.content_type, err);
	buf_free(&h.name);
	buf_free(&h.filename);
	return r;
}

/* ---- the machine: each step takes bytes from *p and returns a status ---- */

static int step_headers(struct multipart *m, const char **p, size_t *len, struct ark_error *err)
{
	while (*len) {
		char c = *(*p)++, last = m->header_len ? m->header[m->header_len - 1] : '\n';
		size_t n = m->header_len;

		(*len)--;
		if (n == MULTIPART_HEADER_MAX)
			return ark_fail(err, ARK_EINPUT, "a part's headers are over %d bytes",
			    MULTIPART_HEADER_MAX);
		if (!c || (c == '\n') != (last == '\r') ||
		    (last == '\n' && (c == ' ' || c == '\t')))
			return ark_fail(err, ARK_EINPUT,
			    "a part's header lines must end with CRLF and have no folds");
		m->header[m->header_len++] = c;
		if (c == '\n' && (n == 1 || (n >= 3 && m->header[n - 2] == '\n'))) {
			m->header_len -= 2;
			m->state = DATA;
			m->matched = 0;
			return begin_part(m, err);
		}
	}
	return ARK_OK;
}

static int emit(struct multipart *m, const char *bytes, size_t len, struct ark_error *err)
{
	return len ? m->sink.part_data(m->sink.arg, bytes, len, err) : ARK_OK;
}

static int step_data(struct multipart *m, const char **p, size_t *len, struct ark_error *err)
{
	const char *in = *p, *cr;
	size_t n = *len, i = 0, k = m->matched, held;
	int r = ARK_OK;

	while (i < n && k < m->delim_len) {
		if (!k) {
			cr = memchr(in + i, '\r', n - i);
			i = cr ? (size_t)(cr - in) + 1 : n;
			k = cr != NULL;
		} else if (in[i] == m->delim[k]) {
			k++, i++;
		} else {
			/* the match began before this input: those bytes were data after all */
			if (k > i)
				r = emit(m, m->delim, k - i, err);
			if (r)
				return r;
			k = 0;
		}
	}
	held = k < i ? k : i;
	r = emit(m, in, i - held, err);
	*p += i;
	*len -= i;
	m->matched = k;
	if (!r && k == m->delim_len) {
		m->state = AFTER;
		m->matched = 0;
		r = m->sink.part_end(m->sink.arg, err);
	}
	return r;
}

static int step_start(struct multipart *m, const char **p, size_t *len, struct ark_error *err)
{
	while (*len && m->matched < m->delim_len) {
		if (**p != m->delim[m->matched++])
			return ark_fail(err, ARK_EINPUT, "a form must begin with its boundary");
		(*p)++, (*len)--;
	}
	if (m->matched == m->delim_len) {
		m->state = AFTER;
		m->matched = 0;
	}
	return ARK_OK;
}

/* The two bytes after a boundary. */
static int step_after(struct multipart *m, const char **p, size_t *len, struct ark_error *err)
{
	char c = *(*p)++;

	(*len)--;
	if (!m->matched++) {
		m->after = c;
		return ARK_OK;
	}
	m->matched = 0;
	if (m->after == '\r' && c == '\n') {
		m->state = HEADERS;
		m->header_len = 0;
		return ARK_OK;
	}
	m->state = END;
	if (m->after == '-' && c == '-' && m->parts)
		return ARK_OK;
	return ark_fail(err, ARK_EINPUT, "a form's boundary is followed by something else");
}

static int step_end(struct multipart *m, const char **p, size_t *len, struct ark_error *err)
{
	for (; *len; (*p)++, (*len)--) {
		if (m->matched >= 2 || **p != "\r\n"[m->matched++])
			return ark_fail(
			    err, ARK_EINPUT, "something follows the last boundary of a form");
	}
	return ARK_OK;
}

int multipart_feed(struct multipart *m, const char *bytes, size_t len, struct ark_error *err)
{
	int r = ARK_OK;

	while (len && !r) {
		switch (m->state) {
		case START:
			r = step_start(m, &bytes, &len, err);
			break;
		case AFTER:
			r = step_after(m, &bytes, &len, err);
			break;
		case HEADERS:
			r = step_headers(m, &bytes, &len, err);
			break;
		case DATA:
			r = step_data(m, &bytes, &len, err);
			break;
		case END:
			r = step_end(m, &bytes, &len, err);
			break;
		case FAILED:
			r = ark_fail(err, ARK_EINPUT, "the form has failed before");
			break;
		}
	}
	if (r)
		m->state = FAILED;
	return r;
}

int multipart_finish(struct multipart *m, struct ark_error *err)
{
	if (m->state == FAILED)
		return ark_fail(err, ARK_EINPUT, "the form has failed before");
	if (m->state != END)
		return ark_fail(err, ARK_EINPUT, "the form ends before its last boundary");
	return ARK_OK;
}
