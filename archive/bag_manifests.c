/* What manifests and fetch.txt list. */
#include <stdlib.h>
#include <string.h>

#include <glib.h>

#include "archive/bag_private.h"
#include "arkki/base/text.h"

/* ---- manifests ---- */

static int by_nfc(const void *a, const void *b)
{
	const struct bag_entry *x = a, *y = b;
	int order = strcmp(x->nfc, y->nfc);

	return order ? order : strcmp(x->path, y->path);
}

char *bag_nfc(const char *path)
{
	return g_utf8_normalize(path, -1, G_NORMALIZE_NFC);
}

static int add_entry(struct bag_judge *c, struct bag_manifest *m, const char *line, size_t hex,
    struct buf *path, struct ark_error *err)
{
	struct bag_entry *e;

	if (m->len == m->cap) {
		size_t cap = m->cap ? m->cap * 2 : 64;
		struct bag_entry *more = realloc(m->entries, cap * sizeof(*more));

		if (!more)
			return ark_fail(err, ARK_ENOMEM, "no memory for a manifest");
		m->entries = more;
		m->cap = cap;
	}
	e = &m->entries[m->len];
	*e = (struct bag_entry){.nfc = bag_nfc(path->data)};
	if (!e->nfc || !(e->path = strdup(path->data))) {
		g_free(e->nfc);
		return ark_fail(err, ARK_ENOMEM, "no memory for a manifest");
	}
	m->len++;
	if (hex != 2 * m->digest_len || !hex_decode(e->digest, hex / 2, line, hex))
		bag_tell(c, true, "%s: the digest of %s has not the length of its algorithm",
		    m->name, e->path);
	return ARK_OK;
}

static void check_doubles(struct bag_judge *c, struct bag_manifest *m)
{
	for (size_t i = 1; i < m->len; i++) {
		const struct bag_entry *a = &m->entries[i - 1], *b = &m->entries[i];
		bool same = memcmp(a->digest, b->digest, DIGEST_MAX) == 0;

		if (strcmp(a->nfc, b->nfc) != 0)
			continue;
		if (strcmp(a->path, b->path) != 0)
			bag_tell(c, !same, "%s lists %s in two normalisations", m->name, b->path);
		else
			bag_tell(c, !same || c->report->major >= 1, "%s lists %s twice%s", m->name,
			    b->path, same ? "" : ", with two digests");
	}
}

int bag_parse_manifest(struct bag_judge *c, struct bag_manifest *m, struct ark_error *err)
{
	const char *text, *line, *raw;
	size_t len, n, hex, number = 0;
	struct buf path = BUF_INIT;
	int rc = bag_to_utf8(c, &m->text, m->name, err);

	text = m->text.data ? m->text.data : "";
	len = m->text.len;
	while (!rc && bag_next_line(&text, &len, &line, &n)) {
		bool dotted;

		number++;
		buf_clear(&path);
		if (n == 0)
			continue;
		if (!bag_manifest_line(line, n, &hex, &raw)) {
			bag_tell(c, true, "%s line %zu is no digest and path", m->name, number);
			continue;
		}
		if (!bag_path_decode(&path, raw, (size_t)(line + n - raw), c->encoded, &dotted) ||
		    strlen(path.data) != path.len ||
		    (m->payload && strncmp(path.data, "data/", 5) != 0)) {
			bag_tell(c, true, "%s line %zu names a path that is not %s", m->name,
			    number, m->payload ? "in the payload" : "in the bag");
			continue;
		}
		if (dotted)
			bag_tell(c, false, "%s line %zu has a path with a leading \"./\"", m->name,
			    number);
		rc = add_entry(c, m, line, hex, &path, err);
	}
	buf_free(&path);
	buf_free(&m->text);
	if (m->len)
		qsort(m->entries, m->len, sizeof(*m->entries), by_nfc);
	check_doubles(c, m);
	return rc;
}

/* ---- fetch.txt ---- */

int bag_parse_fetch(struct bag_judge *c, struct ark_error *err)
{
	const char *text, *line, *raw;
	size_t len, n, number = 0;
	struct buf path = BUF_INIT;
	int rc = bag_to_utf8(c, &c->fetch, "fetch.txt", err);

	text = c->fetch.data ? c->fetch.data : "";
	len = c->fetch.len;
	while (!rc && bag_next_line(&text, &len, &line, &n)) {
		char **more;
		bool dotted;

		number++;
		buf_clear(&path);
		if (n == 0)
			continue;
		if (!bag_fetch_line(line, n, &raw) ||
		    !bag_path_decode(&path, raw, (size_t)(line + n - raw), c->encoded, &dotted) ||
		    strncmp(path.data, "data/", 5) != 0) {
			bag_tell(c, true,
			    "fetch.txt line %zu is no URL, length and path in the payload", number);
			continue;
		}
		more = realloc(c->fetched, (c->fetched_len + 1) * sizeof(*more));
		if (more)
			c->fetched = more;
		if (!more || !(more[c->fetched_len] = strdup(path.data)))
			rc = ark_fail(err, ARK_ENOMEM, "no memory for fetch.txt");
		else
			c->fetched_len++;
	}
	buf_free(&path);
	if (c->fetched_len)
		qsort(c->fetched, c->fetched_len, sizeof(*c->fetched), bag_by_text);
	return rc;
}

bool bag_is_fetched(const struct bag_judge *c, const char *path)
{
	return c->fetched_len &&
	       bsearch(&path, c->fetched, c->fetched_len, sizeof(*c->fetched), bag_by_text);
}

/* The first entry of this name in its normal form; *ret_n: how many there are. */
struct bag_entry *bag_find_entries(struct bag_manifest *m, const char *nfc, size_t *ret_n)
{
	size_t low = 0, high = m->len;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (strcmp(m->entries[mid].nfc, nfc) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	for (high = low; high < m->len && strcmp(m->entries[high].nfc, nfc) == 0; high++)
		;
	*ret_n = high - low;
	return *ret_n ? &m->entries[low] : NULL;
}
