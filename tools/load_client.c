#include "tools/load.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define BOUNDARY "arkki-load-7d1f6c0b52e94a83" /* has characters that load_content() never makes */

enum { READ_SIZE = 64 << 10, CHUNK_LINE_MAX = 64 };

int64_t load_now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* Eight letters a step from xorshift64* (Vigna 2016): under 75 µs for 50 KB, so that making the
 * documents does not compete with the server for the processor. */
void load_content(char *out, size_t len, unsigned long seed, unsigned long n)
{
	uint64_t x = (seed + 1) * 0x9e3779b97f4a7c15U ^ (n + 1) * 0xbf58476d1ce4e5b9U;
	char word[8];

	x = x ? x : 1;
	for (size_t at = 0; at < len; at += sizeof(word)) {
		uint64_t letters;

		x ^= x >> 12;
		x ^= x << 25;
		x ^= x >> 27;
		letters = (x * 0x2545f4914f6cdd1dU & 0x0f0f0f0f0f0f0f0fU) + 0x6161616161616161U;
		memcpy(word, &letters, sizeof(word));
		word[7] = at % 72 == 64 ? '\n' : ' ';
		memcpy(out + at, word, len - at < sizeof(word) ? len - at : sizeof(word));
	}
}

bool load_client_init(struct load_client *c, const struct load_options *o)
{
	*c = (struct load_client){.fd = -1};
	c->request_cap = LOAD_HEAD_MAX + 4096 + (o->mode == LOAD_FILE ? o->size : 0);
	c->request = malloc(c->request_cap);
	c->head = malloc(LOAD_HEAD_MAX + 1);
	return c->request && c->head;
}

void load_client_free(struct load_client *c)
{
	load_client_drop(c);
	free(c->request);
	free(c->head);
}

void load_client_drop(struct load_client *c)
{
	if (c->fd >= 0)
		close(c->fd);
	c->fd = -1;
	c->busy = false;
	c->close = false;
}

static bool connect_to(struct load_client *c, const struct load_options *o)
{
	int on = 1;

	c->fd = socket(o->address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (c->fd < 0)
		return false;
	setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	/* blocking, because on loopback it is immediate; the socket is used without waiting */
	if (connect(c->fd, (const struct sockaddr *)&o->address, o->address_len) < 0) {
		load_client_drop(c);
		return false;
	}
	return true;
}

static void __attribute__((format(printf, 2, 3))) add(struct load_client *c, const char *fmt, ...)
{
	size_t room = c->request_cap - c->request_len;
	va_list args;
	int n;

	va_start(args, fmt);
	n = vsnprintf(c->request + c->request_len, room, fmt, args);
	va_end(args);
	if (n > 0)
		c->request_len += (size_t)n < room ? (size_t)n : room;
}

/* Text with every "{n}" replaced. */
static void add_numbered(struct load_client *c, const char *text, unsigned long n)
{
	const char *at;

	while ((at = strstr(text, "{n}"))) {
		add(c, "%.*s%lu", (int)(at - text), text, n);
		text = at + 3;
	}
	add(c, "%s", text);
}

static void add_head(struct load_client *c, const struct load_options *o, unsigned long n)
{
	add(c, "Host: %s\r\n", o->host);
	if (o->token)
		add(c, "Authorization: Bearer %s\r\n", o->token);
	for (size_t i = 0; i < o->headers; i++) {
		add_numbered(c, o->header[i], n);
		add(c, "\r\n");
	}
}

/* The body's length stands in the head, so the body is made first, behind room for the head. */
static bool build_filing(struct load_client *c, const struct load_options *o, unsigned long n)
{
	static const char tail[] = "\r\n--" BOUNDARY "--\r\n";
	size_t body, length_at, body_len;
	char digits[24];

	add(c, "POST %s HTTP/1.1\r\n", o->path);
	add_head(c, o, n);
	add(c, "Content-Type: multipart/form-data; boundary=" BOUNDARY "\r\nContent-Length: ");
	length_at = c->request_len;
	add(c, "%020d\r\n\r\n", 0);
	body = c->request_len;
	add(c, "--" BOUNDARY "\r\nContent-Disposition: form-data; name=\"metadata\"\r\n"
	       "Content-Type: application/json\r\n\r\n");
	add_numbered(c, o->metadata, n);
	add(c,
	    "\r\n--" BOUNDARY "\r\nContent-Disposition: form-data; name=\"content\"; "
	    "filename=\"load-%lu.txt\"\r\nContent-Type: text/plain\r\n\r\n",
	    n);
	if (c->request_len + o->size + sizeof(tail) > c->request_cap)
		return false;
	load_content(c->request + c->request_len, o->size, o->seed, n);
	c->request_len += o->size;
	add(c, "%s", tail);
	body_len = c->request_len - body;
	snprintf(digits, sizeof(digits), "%020zu", body_len);
	memcpy(c->request + length_at, digits, 20);
	return true;
}

bool load_client_start(struct load_client *c, const struct load_options *o, unsigned long n)
{
	if (c->fd < 0 && !connect_to(c, o))
		return false;
	c->request_len = c->sent = c->head_len = c->excerpt_len = 0;
	c->left = 0;
	c->status = 0;
	c->location[0] = '\0';
	c->phase = LOAD_SENDING;
	if (o->mode == LOAD_FILE) {
		if (!build_filing(c, o, n))
			return false;
	} else {
		add(c, "GET %s%s HTTP/1.1\r\n", o->paths[1 + n % o->path_count], o->suffix);
		add_head(c, o, n);
		add(c, "\r\n");
	}
	if (c->request_len >= c->request_cap)
		return false;
	c->busy = true;
	c->started_us = load_now_us();
	return true;
}

/* The value of a header, in place and not NUL-terminated; NULL when missing. */
static const char *header(const struct load_client *c, const char *name, size_t *ret_len)
{
	size_t len = strlen(name);

	for (const char *line = strstr(c->head, "\r\n"); line && line[2] != '\r';
	     line = strstr(line + 2, "\r\n")) {
		const char *value = line + 2 + len;

		if (strncasecmp(line + 2, name, len) != 0 || *value != ':')
			continue;
		value += 1 + strspn(value + 1, " \t");
		*ret_len = strcspn(value, "\r\n");
		return value;
	}
	return NULL;
}

static bool header_is(const struct load_client *c, const char *name, const char *expected)
{
	size_t len = 0;
	const char *value = header(c, name, &len);

	return value && len == strlen(expected) && !strncasecmp(value, expected, len);
}

static enum load_event read_head(struct load_client *c)
{
	size_t len = 0;
	const char *value;

	/* three digits cannot overflow: NOLINTNEXTLINE(cert-err34-c) */
	if (sscanf(c->head, "HTTP/1.%*1d %3d", &c->status) != 1)
		return LOAD_BROKEN;
	if (c->status == 100) {
		c->head_len = 0;
		return LOAD_WAIT;
	}
	c->close = header_is(c, "Connection", "close");
	c->chunked = header_is(c, "Transfer-Encoding", "chunked");
	value = header(c, "Location", &len);
	if (value && len < sizeof(c->location)) {
		memcpy(c->location, value, len);
		c->location[len] = '\0';
	}
	c->head_len = 0;
	if (c->chunked) {
		c->phase = LOAD_CHUNK_SIZE;
		return LOAD_WAIT;
	}
	value = header(c, "Content-Length", &len);
	if (c->status == 204 || c->status == 304)
		c->left = 0;
	else if (!value)
		return LOAD_BROKEN;
	else
		c->left = strtoull(value, NULL, 10);
	c->phase = LOAD_BODY;
	return c->left ? LOAD_WAIT : LOAD_ANSWER;
}

/* Takes bytes up to and with `end` into head. 1 complete, 0 more to come, -1 too long. */
static int take_until(
    struct load_client *c, const char **at, size_t *len, const char *end, size_t most)
{
	size_t stop = strlen(end);

	while (*len) {
		if (c->head_len == most)
			return -1;
		c->head[c->head_len++] = *(*at)++;
		(*len)--;
		if (c->head_len >= stop && !memcmp(c->head + c->head_len - stop, end, stop)) {
			c->head[c->head_len] = '\0';
			return 1;
		}
	}
	return 0;
}

static void take_body(struct load_client *c, const char **at, size_t *len)
{
	size_t n = *len < c->left ? *len : (size_t)c->left;
	size_t keep = LOAD_EXCERPT - c->excerpt_len;

	keep = n < keep ? n : keep;
	memcpy(c->excerpt + c->excerpt_len, *at, keep);
	c->excerpt_len += keep;
	c->received += n;
	c->left -= n;
	*at += n;
	*len -= n;
}

static enum load_event take_chunk_line(struct load_client *c, const char **at, size_t *len)
{
	int got = take_until(c, at, len, "\r\n", CHUNK_LINE_MAX);
	char *end;

	if (got <= 0)
		return got < 0 ? LOAD_BROKEN : LOAD_WAIT;
	if (c->phase == LOAD_CHUNK_END) {
		c->phase = LOAD_CHUNK_SIZE;
	} else if (c->phase == LOAD_TRAILER) {
		if (c->head_len == 2)
			return LOAD_ANSWER;
	} else {
		c->left = strtoull(c->head, &end, 16);
		if (end == c->head)
			return LOAD_BROKEN;
		c->phase = c->left ? LOAD_BODY : LOAD_TRAILER;
	}
	c->head_len = 0;
	return LOAD_WAIT;
}

static enum load_event take(struct load_client *c, const char *at, size_t len)
{
	enum load_event event = LOAD_WAIT;
	int got;

	while (len && event == LOAD_WAIT) {
		switch (c->phase) {
		case LOAD_SENDING: /* an answer before the request is out: a refusal */
		case LOAD_HEAD:
			c->phase = LOAD_HEAD;
			got = take_until(c, &at, &len, "\r\n\r\n", LOAD_HEAD_MAX);
			if (got)
				event = got < 0 ? LOAD_BROKEN : read_head(c);
			break;
		case LOAD_BODY:
			take_body(c, &at, &len);
			if (!c->left && !c->chunked)
				event = LOAD_ANSWER;
			else if (!c->left)
				c->phase = LOAD_CHUNK_END;
			break;
		default:
			event = take_chunk_line(c, &at, &len);
		}
	}
	return len ? LOAD_BROKEN : event; /* nothing may follow an answer */
}

static bool send_more(struct load_client *c)
{
	while (c->sent < c->request_len) {
		ssize_t n = send(c->fd, c->request + c->sent, c->request_len - c->sent,
		    MSG_DONTWAIT | MSG_NOSIGNAL);

		if (n < 0)
			return errno == EAGAIN || errno == EINTR;
		c->sent += (size_t)n;
	}
	c->phase = LOAD_HEAD;
	return true;
}

enum load_event load_client_step(struct load_client *c)
{
	char bytes[READ_SIZE];
	enum load_event event = LOAD_WAIT;
	bool sent = c->phase != LOAD_SENDING || send_more(c);

	while (event == LOAD_WAIT) {
		ssize_t n = recv(c->fd, bytes, sizeof(bytes), MSG_DONTWAIT);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return sent ? LOAD_WAIT : LOAD_BROKEN;
		if (n <= 0)
			return LOAD_BROKEN;
		event = take(c, bytes, (size_t)n);
	}
	/* refused before all was sent: the rest of the request must not follow */
	if (event == LOAD_ANSWER && c->sent < c->request_len)
		c->close = true;
	return event;
}
