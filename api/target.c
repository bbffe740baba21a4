#include "api/target.h"

#include <stdlib.h>
#include <string.h>

#include "arkki/base/text.h"

/* In place: what is decoded is never longer. NUL and control bytes are no text of ours. */
static bool decode(char *text, size_t len, bool plus, bool control_ok)
{
	char *out = text;

	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];

		if (c == '%') {
			if (len - i < 3 || !hex_decode(&c, 1, text + i + 1, 2))
				return false;
			i += 2;
		} else if (c == '+' && plus) {
			c = ' ';
		}
		if (!c || (!control_ok && (c < ' ' || c == 0x7f)))
			return false;
		*out++ = (char)c;
	}
	*out = '\0';
	return utf8_valid(text, (size_t)(out - text));
}

bool pairs_parse(char *text, struct pair *pairs, unsigned int *ret_n)
{
	unsigned int n = 0;
	char *next;

	for (char *p = text; p; p = next) {
		size_t len = strcspn(p, "&");
		char *equals = memchr(p, '=', len);

		next = p[len] ? p + len + 1 : NULL;
		p[len] = '\0';
		if (!len)
			continue;
		if (n == TARGET_PAIRS_MAX)
			return false;
		pairs[n].name = p;
		pairs[n].value = equals ? equals + 1 : p + len;
		if (equals)
			*equals = '\0';
		if (equals && !decode(equals + 1, strlen(equals + 1), true, true))
			return false;
		if (!decode(p, strlen(p), true, true))
			return false;
		n++;
	}
	*ret_n = n;
	return true;
}

const char *pairs_find(const struct pair *pairs, unsigned int n, const char *name, unsigned int i)
{
	for (unsigned int k = 0; k < n; k++) {
		if (!strcmp(pairs[k].name, name) && i-- == 0)
			return pairs[k].value;
	}
	return NULL;
}

static bool listed(const char *const *list, const char *name)
{
	for (; list && *list; list++) {
		if (!strcmp(*list, name))
			return true;
	}
	return false;
}

bool pairs_repeat(const struct pair *pairs, unsigned int n, const char *const *repeat)
{
	for (unsigned int i = 1; i < n; i++) {
		for (unsigned int k = 0; k < i; k++) {
			if (!strcmp(pairs[i].name, pairs[k].name) && !listed(repeat, pairs[i].name))
				return true;
		}
	}
	return false;
}

static enum target_verdict add_segment(struct target *t, char *segment, size_t len)
{
	if (!decode(segment, len, false, false) || strchr(segment, '/'))
		return TARGET_MALFORMED;
	if (!*segment || !strcmp(segment, ".") || !strcmp(segment, "..") ||
	    t->n_segments == TARGET_SEGMENTS_MAX)
		return TARGET_NOWHERE;
	t->segments[t->n_segments++] = segment;
	return TARGET_OK;
}

enum target_verdict target_parse(const char *text, struct target *ret)
{
	size_t path_len = strcspn(text, "?"), query_len = strlen(text + path_len);
	enum target_verdict v = TARGET_OK;
	char *p, *end, *out;

	*ret = (struct target){0};
	/* the segments, the path as one text, the query: each with its NULs */
	ret->memory = malloc(2 * (path_len + 2) + query_len + 1);
	if (!ret->memory)
		return TARGET_NOMEM;
	p = ret->memory;
	memcpy(p, text, path_len);
	p[path_len] = '\0';
	ret->path = out = p + path_len + 2;
	*out = '\0';
	end = p + path_len;
	for (p = path_len > 1 ? p + 1 : end + 1; p <= end && v == TARGET_OK;) {
		const char *slash = memchr(p, '/', (size_t)(end - p));
		size_t len = (size_t)((slash ? slash : end) - p);

		p[len] = '\0';
		if (p == end && ret->n_segments)
			ret->slash = true;
		else
			v = add_segment(ret, p, len);
		p += len + 1;
	}
	for (unsigned int i = 0; i < ret->n_segments && v == TARGET_OK; i++) {
		*out++ = '/';
		out = stpcpy(out, ret->segments[i]);
	}
	if (v == TARGET_OK && (!ret->n_segments || ret->slash))
		memcpy(out, "/", 2);
	if (v == TARGET_OK && query_len) {
		char *query = ret->memory + 2 * (path_len + 2);

		memcpy(query, text + path_len + 1, query_len);
		if (!pairs_parse(query, ret->pairs, &ret->n_pairs))
			v = TARGET_MALFORMED;
	}
	return v;
}

void target_free(struct target *t)
{
	free(t->memory);
	t->memory = NULL;
}
