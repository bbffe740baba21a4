/* Fuzzes the form parser. The first byte says how the rest is split into feeds; the boundary is "b".
 * Parts and data must be the same whatever the split: a checksum is compared.
 *
 * clang -std=c17 -g -O1 -fsanitize=fuzzer,address,undefined -Iinclude -I. \
 *	tests/fuzz/fuzz_multipart.c api/multipart.c archive/base/{buf,error,text}.c */
#include <stdint.h>
#include <stdlib.h>

#include "arkki/api/multipart.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

struct seen {
	uint64_t sum;
	int depth;
};

static void mix(struct seen *s, const char *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		s->sum = (s->sum ^ (unsigned char)bytes[i]) * 1099511628211u;
}

static void mix_text(struct seen *s, const char *text)
{
	for (; text && *text; text++)
		mix(s, text, 1);
	mix(s, text ? "." : "-", 1);
}

static int on_begin(
    void *arg, const char *name, const char *filename, const char *type, struct ark_error *err)
{
	struct seen *s = arg;

	(void)err;
	if (s->depth++ || !*name)
		abort();
	mix_text(s, name);
	mix_text(s, filename);
	mix_text(s, type);
	return ARK_OK;
}

static int on_data(void *arg, const char *bytes, size_t len, struct ark_error *err)
{
	struct seen *s = arg;

	(void)err;
	if (s->depth != 1 || !len)
		abort();
	mix(s, bytes, len);
	return ARK_OK;
}

static int on_end(void *arg, struct ark_error *err)
{
	struct seen *s = arg;

	(void)err;
	if (--s->depth)
		abort();
	return ARK_OK;
}

static int parse(const char *bytes, size_t len, size_t step, struct seen *s)
{
	struct multipart_sink sink = {on_begin, on_data, on_end, s};
	struct multipart *m;
	int r = multipart_new("multipart/form-data; boundary=b", &sink, &m, NULL);

	if (r)
		return r;
	for (size_t i = 0; i < len && !r; i += step)
		r = multipart_feed(m, bytes + i, len - i < step ? len - i : step, NULL);
	if (!r)
		r = multipart_finish(m, NULL);
	multipart_free(m);
	return r;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct seen whole = {0}, split = {0}, type = {0};
	struct multipart_sink sink = {on_begin, on_data, on_end, &type};
	const char *text = (const char *)bytes + 1;
	struct multipart *m = NULL;
	char *header;

	if (len < 2)
		return 0;
	len--;
	if (parse(text, len, len, &whole) != parse(text, len, 1 + bytes[0] % 64, &split))
		abort();
	if (whole.sum != split.sum)
		abort();
	header = calloc(1, len + 1);
	for (size_t i = 0; header && i < len; i++)
		header[i] = text[i];
	if (header && multipart_new(header, &sink, &m, NULL) == ARK_OK)
		multipart_free(m);
	free(header);
	return 0;
}
