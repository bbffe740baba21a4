#include "arkki/archive/word_diff.h"

#include <git2.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "arkki/base/buf.h"

static pthread_once_t start_once = PTHREAD_ONCE_INIT;
static int start_result;

static void start(void)
{
	start_result = git_libgit2_init();
}

/* ---- words ---- */

static bool is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static size_t space_len(const char *text, size_t len)
{
	size_t n = 0;

	while (n < len && is_space(text[n]))
		n++;
	return n;
}

static size_t word_len(const char *text, size_t len)
{
	size_t n = 0;

	while (n < len && !is_space(text[n]))
		n++;
	return n;
}

uint64_t words_count(const char *text, size_t len)
{
	uint64_t words = 0;

	for (size_t at = space_len(text, len); at < len; words++) {
		at += word_len(text + at, len - at);
		at += space_len(text + at, len - at);
	}
	return words;
}

size_t words_head(const char *text, size_t len, uint64_t words)
{
	size_t at = space_len(text, len);

	for (; at < len && words; words--) {
		at += word_len(text + at, len - at);
		at += space_len(text + at, len - at);
	}
	return at;
}

size_t words_tail(const char *text, size_t len, uint64_t words)
{
	size_t at = len;

	while (at && is_space(text[at - 1]))
		at--;
	for (; at && words; words--) {
		while (at && !is_space(text[at - 1]))
			at--;
		if (words > 1)
			while (at && is_space(text[at - 1]))
				at--;
	}
	return len - at;
}

/* ---- a text as parts, one a line for xdiff ---- */

struct part {
	size_t at, len; /* with the white space behind */
};

struct parts {
	const char *text;
	size_t text_len;
	struct part *list;
	size_t n;
	struct buf lines;
};

static size_t line_len(const char *text, size_t len)
{
	const char *end = memchr(text, '\n', len);

	return end ? (size_t)(end - text) : len;
}

/* Bytes of the part at hand, without the white space behind it. */
static size_t part_len(enum word_unit unit, const char *text, size_t len)
{
	size_t n = unit == UNIT_WORD ? word_len(text, len) : line_len(text, len);

	while (n && is_space(text[n - 1]))
		n--;
	return n;
}

static size_t parts_count(enum word_unit unit, const char *text, size_t len)
{
	size_t n = 0;

	for (size_t at = space_len(text, len); at < len; n++) {
		at += part_len(unit, text + at, len - at);
		at += space_len(text + at, len - at);
	}
	return n;
}

static int parts_make(
    struct parts *p, enum word_unit unit, const char *text, size_t len, struct ark_error *err)
{
	size_t count = parts_count(unit, text, len), at = space_len(text, len);

	*p = (struct parts){.text = text, .text_len = len};
	p->list = calloc(count + 1, sizeof(*p->list));
	buf_reserve(&p->lines, len + count + 1);
	while (p->list && at < len) {
		size_t n = part_len(unit, text + at, len - at);
		size_t all = n + space_len(text + at + n, len - at - n);

		p->list[p->n++] = (struct part){at, all};
		buf_add(&p->lines, text + at, n);
		buf_addc(&p->lines, '\n');
		at += all;
	}
	return p->list && !buf_failed(&p->lines)
		   ? ARK_OK
		   : ark_fail(err, ARK_ENOMEM, "no memory to compare texts");
}

static void parts_free(struct parts *p)
{
	free(p->list);
	buf_wipe_free(&p->lines);
}

/* ---- runs ---- */

struct comparing {
	struct word_diff *diff;
	const struct parts *before, *after;
	size_t at; /* the next part of `after` */
	bool lost;
};

/* Parts [from, to) as a run; one that goes on where a run of its kind ends is added to it. */
static void add_run(
    struct comparing *c, enum word_op op, const struct parts *p, size_t from, size_t to)
{
	struct word_diff *d = c->diff;
	struct word_run run = {.op = op};

	if (from >= to || c->lost)
		return;
	run.text = p->text + p->list[from].at;
	run.len = p->list[to - 1].at + p->list[to - 1].len - p->list[from].at;
	run.words = words_count(run.text, run.len);
	if (d->n == d->cap) {
		size_t cap = d->cap ? d->cap * 2 : 64;
		struct word_run *runs = realloc(d->runs, cap * sizeof(*runs));

		c->lost = !runs;
		if (!runs)
			return;
		d->runs = runs;
		d->cap = cap;
	}
	d->runs[d->n++] = run;
	if (op == WORDS_SAME)
		d->same += run.words;
	else if (op == WORDS_REMOVED)
		d->removed += run.words;
	else
		d->added += run.words;
}

/* Without context a hunk is one place that differs. An empty side is numbered by the line before it. */
static int on_hunk(const git_diff_delta *delta, const git_diff_hunk *hunk, void *payload)
{
	struct comparing *c = payload;
	size_t removed = (size_t)hunk->old_lines, added = (size_t)hunk->new_lines;
	size_t old_at = (size_t)hunk->old_start - (removed ? 1 : 0);
	size_t new_at = (size_t)hunk->new_start - (added ? 1 : 0);

	(void)delta;
	add_run(c, WORDS_SAME, c->after, c->at, new_at);
	add_run(c, WORDS_REMOVED, c->before, old_at, old_at + removed);
	add_run(c, WORDS_ADDED, c->after, new_at, new_at + added);
	c->at = new_at + added;
	return c->lost ? -1 : 0;
}

static int compare(struct comparing *c, struct ark_error *err)
{
	const struct buf *a = &c->before->lines, *b = &c->after->lines;
	/* not GIT_DIFF_MINIMAL: that is quadratic, 20 s did not do for 50,000 random words */
	git_diff_options options;
	int rc;

	if (git_diff_options_init(&options, GIT_DIFF_OPTIONS_VERSION) != 0)
		return ark_fail(err, ARK_EIO, "libgit2 has other options than its header");
	options.flags = GIT_DIFF_FORCE_TEXT;
	options.context_lines = 0;
	rc = git_diff_buffers(a->data ? a->data : "", a->len, "text", b->data ? b->data : "",
	    b->len, "text", &options, NULL, NULL, on_hunk, NULL, c);
	if (!rc)
		add_run(c, WORDS_SAME, c->after, c->at, c->after->n);
	return rc || c->lost ? ark_fail(err, ARK_ENOMEM, "no memory to compare texts") : ARK_OK;
}

static bool fits(enum word_unit unit, const char *a, size_t a_len, const char *b, size_t b_len)
{
	return parts_count(unit, a, a_len) + parts_count(unit, b, b_len) <= WORD_DIFF_PARTS;
}

int word_diff(const char *before, size_t before_len, const char *after, size_t after_len,
    struct word_diff *ret, struct ark_error *err)
{
	struct word_diff d = {.unit = UNIT_WORD};
	struct parts a = {0}, b = {0};
	struct comparing c = {.diff = &d, .before = &a, .after = &b};
	int rc;

	if (before_len > WORD_DIFF_BYTES || after_len > WORD_DIFF_BYTES)
		return ark_fail(err, ARK_EINPUT, "a text is too long to be compared");
	if (!fits(UNIT_WORD, before, before_len, after, after_len))
		d.unit = UNIT_LINE;
	if (d.unit == UNIT_LINE && !fits(UNIT_LINE, before, before_len, after, after_len))
		return ark_fail(err, ARK_EINPUT, "the texts are too long to be compared");
	pthread_once(&start_once, start);
	if (start_result < 0)
		return ark_fail(err, ARK_EIO, "libgit2 could not be started");
	rc = parts_make(&a, d.unit, before, before_len, err);
	if (!rc)
		rc = parts_make(&b, d.unit, after, after_len, err);
	if (!rc)
		rc = compare(&c, err);
	if (rc)
		word_diff_free(&d);
	else
		*ret = d;
	parts_free(&a);
	parts_free(&b);
	return rc;
}

void word_diff_free(struct word_diff *d)
{
	free(d->runs);
	*d = (struct word_diff){0};
}
