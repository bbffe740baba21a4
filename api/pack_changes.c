/* What is in one text and not in another, by paragraphs: enough to see on paper what a plan says anew. */
#include <glib.h>
#include <string.h>

#include "api/pack_changes.h"

enum { SHORTEST = 3 }; /* bytes: a page number or a bullet tells nothing */

static void free_text(gpointer text)
{
	g_free(text);
}

/* The paragraph with single spaces. */
static char *smooth(const char *text, size_t len)
{
	GString *out = g_string_sized_new(len);
	bool gap = false;

	for (size_t i = 0; i < len; i++) {
		if (strchr(" \t\r\n\f", text[i])) {
			gap = out->len > 0;
			continue;
		}
		if (gap)
			g_string_append_c(out, ' ');
		gap = false;
		g_string_append_c(out, text[i]);
	}
	return g_string_free(out, FALSE);
}

/* Up to an empty line or the end of a page. */
static size_t paragraph(const char *text, size_t len)
{
	const char *end = memmem(text, len, "\n\n", 2), *page = memchr(text, '\f', len);

	if (page && (!end || page < end))
		end = page;
	return end ? (size_t)(end - text) : len;
}

static GPtrArray *paragraphs(const char *text, size_t len)
{
	GPtrArray *list = g_ptr_array_new_with_free_func(free_text);

	for (size_t i = 0; i < len;) {
		size_t n = paragraph(text + i, len - i);
		char *one = smooth(text + i, n);

		if (strlen(one) >= SHORTEST)
			g_ptr_array_add(list, one);
		else
			g_free(one);
		i += n;
		while (i < len && (text[i] == '\n' || text[i] == '\f'))
			i++;
	}
	return list;
}

size_t changes_each(const struct buf *from, const struct buf *to, size_t most,
    void (*each)(void *arg, const char *paragraph), void *arg)
{
	GPtrArray *old = paragraphs(from->data ? from->data : "", from->len);
	GPtrArray *now = paragraphs(to->data ? to->data : "", to->len);
	GHashTable *known = g_hash_table_new(g_str_hash, g_str_equal);
	size_t n = 0;

	for (guint i = 0; i < old->len; i++)
		g_hash_table_add(known, old->pdata[i]);
	for (guint i = 0; i < now->len; i++) {
		if (g_hash_table_contains(known, now->pdata[i]))
			continue;
		if (n++ < most)
			each(arg, now->pdata[i]);
		g_hash_table_add(known, now->pdata[i]);
	}
	g_hash_table_destroy(known);
	g_ptr_array_unref(old);
	g_ptr_array_unref(now);
	return n;
}
