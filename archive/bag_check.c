/* Judging a bag, in the order of RFC 8493 section 3: what kind of bag it says it is, what its manifests list,
 * then every file once against all of them. Nothing but tag files is held in memory. */
#include <ctype.h>
#include <stdarg.h>
#include <iconv.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <glib.h>
#include <openssl/evp.h>

#include "archive/bag_private.h"
#include "arkki/base/text.h"

static const struct {
	const char *name;
	size_t len;
	const EVP_MD *(*md)(void);
} algorithms[ALGORITHMS] = {{"md5", 16, EVP_md5}, {"sha1", 20, EVP_sha1},
    {"sha224", 28, EVP_sha224}, {"sha256", 32, EVP_sha256}, {"sha384", 48, EVP_sha384},
    {"sha512", 64, EVP_sha512}};

void bag_tell(struct bag_judge *c, bool fault, const char *fmt, ...)
{
	char what[MESSAGE_MAX];
	va_list args;

	va_start(args, fmt);
	vsnprintf(what, sizeof(what), fmt, args);
	va_end(args);
	if (fault)
		c->report->faults++;
	else
		c->report->warnings++;
	if (c->told)
		c->told(c->arg, fault, what);
}

/* ---- the first walk: tag files ---- */

static struct bag_manifest *manifest_of(struct bag_judge *c, const char *path)
{
	static const char tag[] = "tagmanifest-", payload[] = "manifest-";
	bool is_tag = strncmp(path, tag, sizeof(tag) - 1) == 0;
	const char *name = path + (is_tag ? sizeof(tag) : sizeof(payload)) - 1;
	const char *dot = strrchr(path, '.');
	struct bag_manifest *m;
	size_t k = 0;

	if ((!is_tag && strncmp(path, payload, sizeof(payload) - 1) != 0) || !dot || dot <= name ||
	    strcasecmp(dot, ".txt") != 0)
		return NULL;
	while (
	    k < ALGORITHMS && (strlen(algorithms[k].name) != (size_t)(dot - name) ||
				  strncasecmp(name, algorithms[k].name, (size_t)(dot - name)) != 0))
		k++;
	if (k == ALGORITHMS || c->manifests_len == MANIFESTS_MAX) {
		bag_tell(c, false,
		    "%s is of an algorithm that arkki does not know: it is not compared", path);
		return NULL;
	}
	m = &c->manifests[c->manifests_len++];
	snprintf(m->name, sizeof(m->name), "%s", path);
	m->payload = !is_tag;
	m->algorithm = (unsigned int)k;
	m->digest_len = algorithms[k].len;
	*(is_tag ? &c->tag_algorithms : &c->payload_algorithms) |= 1U << k;
	return m;
}

static int keep_name(struct bag_judge *c, const char *path, struct ark_error *err)
{
	if (c->names_len == c->names_cap) {
		size_t cap = c->names_cap ? c->names_cap * 2 : 256;
		char **more = realloc(c->names, cap * sizeof(*more));

		if (!more)
			return ark_fail(err, ARK_ENOMEM, "no memory for a bag");
		c->names = more;
		c->names_cap = cap;
	}
	c->names[c->names_len] = strdup(path);
	if (!c->names[c->names_len])
		return ark_fail(err, ARK_ENOMEM, "no memory for a bag");
	c->names_len++;
	return ARK_OK;
}

static int take_tag_file(void *arg, const char *path, struct bag_stream *f, struct ark_error *err)
{
	struct bag_judge *c = arg;
	struct bag_manifest *m;
	struct buf *to = NULL;
	int rc = keep_name(c, path, err);

	if (rc || strchr(path, '/'))
		return rc;
	if (strcmp(path, "bagit.txt") == 0)
		to = &c->bagit, c->has_bagit = true;
	else if (strcmp(path, "bag-info.txt") == 0)
		to = &c->info, c->has_info = true;
	else if (strcmp(path, "fetch.txt") == 0)
		to = &c->fetch, c->has_fetch = true;
	else if ((m = manifest_of(c, path)))
		to = &m->text;
	if (!to)
		return ARK_OK;
	buf_clear(to); /* of a double in an archive the last counts, and the double is told */
	return bag_stream_rest(f, BAG_TAG_FILE_MAX, to, err);
}

int bag_by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void find_doubles(struct bag_judge *c)
{
	if (c->names_len)
		qsort(c->names, c->names_len, sizeof(*c->names), bag_by_text);
	for (size_t i = 1; i < c->names_len; i++)
		if (strcmp(c->names[i - 1], c->names[i]) == 0)
			bag_tell(c, true, "%s is in the bag twice", c->names[i]);
}

/* ---- bagit.txt ---- */

static bool declared(
    const char *line, size_t n, const char *label, const char **ret, size_t *ret_len)
{
	size_t len = strlen(label);

	if (n <= len + 2 || strncmp(line, label, len) != 0 || line[len] != ':' ||
	    line[len + 1] != ' ')
		return false;
	*ret = line + len + 2;
	*ret_len = n - len - 2;
	return true;
}

static bool version_of(struct bag_judge *c, const char *text, size_t len)
{
	char copy[16];
	int end = 0;

	if (len >= sizeof(copy) || !len || !isdigit((unsigned char)text[0]))
		return false;
	memcpy(copy, text, len);
	copy[len] = '\0';
	/* NOLINTNEXTLINE(cert-err34-c): the width bounds it */
	return sscanf(copy, "%3u.%3u%n", &c->report->major, &c->report->minor, &end) == 2 &&
	       (size_t)end == len && isdigit((unsigned char)copy[strcspn(copy, ".") + 1]);
}

static void check_declaration(struct bag_judge *c)
{
	const char *text = c->bagit.data ? c->bagit.data : "", *line, *value;
	size_t len = c->bagit.len, n, value_len;
	struct bag_report *r = c->report;

	if (!c->has_bagit) {
		bag_tell(c, true, "bagit.txt is missing");
		return;
	}
	if (!utf8_valid(text, len) || !bag_next_line(&text, &len, &line, &n) ||
	    !declared(line, n, "BagIt-Version", &value, &value_len) ||
	    !version_of(c, value, value_len)) {
		bag_tell(c, true, "bagit.txt does not begin with \"BagIt-Version: M.N\"");
		r->major = r->minor = 0;
		return;
	}
	if (!(r->major == 1 && r->minor == 0) &&
	    !(r->major == 0 && r->minor >= 93 && r->minor <= 97))
		bag_tell(c, true, "bags of version %u.%u are not known", r->major, r->minor);
	if (!bag_next_line(&text, &len, &line, &n) ||
	    !declared(line, n, "Tag-File-Character-Encoding", &value, &value_len) ||
	    value_len >= sizeof(c->encoding) || memchr(value, ' ', value_len))
		bag_tell(c, true, "bagit.txt does not say the Tag-File-Character-Encoding");
	else
		snprintf(c->encoding, sizeof(c->encoding), "%.*s", (int)value_len, value);
	if (len)
		bag_tell(c, true, "bagit.txt has more than its two lines");
	c->encoded = r->major >= 1;
}

/* Tag files come in the encoding that bagit.txt says; from here on they are UTF-8. */
int bag_to_utf8(struct bag_judge *c, struct buf *text, const char *name, struct ark_error *err)
{
	char *in = text->data, *out, *at;
	size_t in_len = text->len, room = text->len * 3 + 16, out_len = room;
	iconv_t cd;

	if (!text->len || !c->encoding[0] || strcasecmp(c->encoding, "UTF-8") == 0)
		goto check;
	cd = iconv_open("UTF-8", c->encoding);
	if (cd == (iconv_t)-1) {
		bag_tell(c, true, "the encoding %s of the tag files is not known", c->encoding);
		buf_clear(text);
		return ARK_OK;
	}
	at = out = malloc(room);
	if (out && iconv(cd, &in, &in_len, &at, &out_len) != (size_t)-1) {
		buf_clear(text);
		buf_add(text, out, room - out_len);
	}
	iconv_close(cd);
	free(out);
	if (!out || buf_failed(text))
		return ark_fail(err, ARK_ENOMEM, "no memory for a bag");
check:
	if (!utf8_valid(text->data ? text->data : "", text->len)) {
		bag_tell(c, true, "%s is not text in the encoding of the tag files", name);
		buf_clear(text);
	}
	return ARK_OK;
}

/* ---- the second walk: every file against every manifest ---- */

struct digests {
	EVP_MD_CTX *of[ALGORITHMS];
	unsigned char value[ALGORITHMS][DIGEST_MAX];
	uint64_t size;
};

static int digest_file(
    struct bag_stream *f, unsigned int wanted, struct digests *d, struct ark_error *err)
{
	static const size_t block_size = 65536;
	char *block = malloc(block_size);
	ssize_t n = 0;
	bool ok = block != NULL;

	for (unsigned int k = 0; k < ALGORITHMS; k++)
		if (wanted & 1U << k) {
			d->of[k] = EVP_MD_CTX_new();
			ok = ok && d->of[k] &&
			     EVP_DigestInit_ex(d->of[k], algorithms[k].md(), NULL) == 1;
		}
	while (ok && (n = bag_stream_read(f, block, block_size, err)) > 0) {
		d->size += (uint64_t)n;
		for (unsigned int k = 0; ok && k < ALGORITHMS; k++)
			ok = !d->of[k] || EVP_DigestUpdate(d->of[k], block, (size_t)n) == 1;
	}
	for (unsigned int k = 0; k < ALGORITHMS; k++) {
		if (d->of[k])
			ok = ok && EVP_DigestFinal_ex(d->of[k], d->value[k], NULL) == 1;
		EVP_MD_CTX_free(d->of[k]);
	}
	free(block);
	if (n < 0)
		return (int)n;
	return ok ? ARK_OK : ark_fail(err, ARK_ENOMEM, "no memory for digests");
}

/* Whether the manifest lists it. */
static bool compare(struct bag_judge *c, struct bag_manifest *m, const char *path, const char *nfc,
    const struct digests *d)
{
	size_t n;
	struct bag_entry *e = bag_find_entries(m, nfc, &n);
	bool exact = false;

	for (size_t i = 0; i < n; i++) {
		e[i].seen = true;
		exact = exact || strcmp(e[i].path, path) == 0;
		if (memcmp(e[i].digest, d->value[m->algorithm], m->digest_len) != 0)
			bag_tell(c, true, "%s is not what %s says", path, m->name);
	}
	if (n && !exact)
		bag_tell(c, false, "%s lists %s in another normalisation", m->name, path);
	return n > 0;
}

static int check_file(void *arg, const char *path, struct bag_stream *f, struct ark_error *err)
{
	struct bag_judge *c = arg;
	bool payload = strncmp(path, "data/", 5) == 0, listed = false, everywhere = true;
	struct digests d = {0};
	char *nfc = bag_nfc(path);
	int rc;

	if (!nfc)
		return ark_fail(err, ARK_ENOMEM, "no memory for a bag");
	rc = digest_file(f, payload ? c->payload_algorithms : c->tag_algorithms, &d, err);
	for (size_t i = 0; !rc && i < c->manifests_len; i++) {
		struct bag_manifest *m = &c->manifests[i];

		if (m->payload != payload)
			continue;
		if (compare(c, m, path, nfc, &d))
			listed = true;
		else
			everywhere = false;
	}
	if (!rc && payload) {
		c->report->files++;
		c->report->bytes += d.size;
		if (!listed)
			bag_tell(c, true, "%s is in no manifest", path);
		else if (!everywhere && c->report->major >= 1)
			bag_tell(c, true, "%s is not in every manifest", path);
	}
	g_free(nfc);
	return rc;
}

static void check_missing(struct bag_judge *c)
{
	for (size_t i = 0; i < c->manifests_len; i++)
		for (size_t k = 0; k < c->manifests[i].len; k++) {
			const struct bag_entry *e = &c->manifests[i].entries[k];

			if (!e->seen)
				bag_tell(c, true, "%s, which %s lists, is missing%s", e->path,
				    c->manifests[i].name,
				    bag_is_fetched(c, e->path)
					? " (fetch.txt names it; nothing is fetched)"
					: "");
		}
	for (size_t k = 0; k < c->fetched_len; k++)
		for (size_t i = 0; i < c->manifests_len; i++) {
			char *nfc = bag_nfc(c->fetched[k]);
			size_t n = 1;

			if (nfc && c->manifests[i].payload)
				(void)bag_find_entries(&c->manifests[i], nfc, &n);
			if (!n)
				bag_tell(c, true,
				    "fetch.txt names %s, which is not in every manifest",
				    c->fetched[k]);
			g_free(nfc);
		}
}

static void check_oxum(struct bag_judge *c)
{
	const char *oxum = bag_info_value(c->report->info, "Payload-Oxum");
	unsigned long long bytes, files;
	int end = 0;

	if (!oxum)
		return;
	/* NOLINTNEXTLINE(cert-err34-c): the width bounds it */
	if (sscanf(oxum, "%19llu.%19llu%n", &bytes, &files, &end) != 2 || oxum[end] ||
	    !isdigit((unsigned char)oxum[0]))
		bag_tell(c, true, "Payload-Oxum is not \"bytes.files\"");
	else if (bytes != c->report->bytes || files != c->report->files)
		bag_tell(c, true, "the payload is not what Payload-Oxum says (%s): %llu.%llu", oxum,
		    (unsigned long long)c->report->bytes, (unsigned long long)c->report->files);
}

static int parse_tag_files(struct bag_judge *c, struct ark_error *err)
{
	struct ark_error why;
	int rc = ARK_OK;

	for (size_t i = 0; !rc && i < c->manifests_len; i++)
		rc = bag_parse_manifest(c, &c->manifests[i], err);
	if (!rc && !c->payload_algorithms)
		bag_tell(c, true, "there is no payload manifest of a known algorithm");
	if (!rc && c->has_fetch)
		rc = bag_parse_fetch(c, err);
	if (!rc && c->has_info) {
		rc = bag_to_utf8(c, &c->info, "bag-info.txt", err);
		if (!rc && bag_info_parse(c->info.data ? c->info.data : "", c->info.len,
			       c->report->major < 1, c->report->info, &why))
			bag_tell(c, true, "%s", why.text);
	}
	return rc;
}

static void check_free(struct bag_judge *c)
{
	for (size_t i = 0; i < c->manifests_len; i++) {
		struct bag_manifest *m = &c->manifests[i];

		for (size_t k = 0; k < m->len; k++) {
			free(m->entries[k].path);
			g_free(m->entries[k].nfc);
		}
		free(m->entries);
		buf_free(&m->text);
	}
	for (size_t i = 0; i < c->fetched_len; i++)
		free(c->fetched[i]);
	for (size_t i = 0; i < c->names_len; i++)
		free(c->names[i]);
	free(c->fetched);
	free(c->names);
	buf_free(&c->bagit);
	buf_free(&c->info);
	buf_free(&c->fetch);
	free(c);
}

int bag_check(struct bag_source *s, void (*told)(void *arg, bool fault, const char *what),
    void *arg, struct bag_report *ret, struct ark_error *err)
{
	struct bag_judge *c = calloc(1, sizeof(*c));
	int rc;

	*ret = (struct bag_report){.info = json_array()};
	if (!c || !ret->info) {
		free(c);
		return ark_fail(err, ARK_ENOMEM, "no memory for a bag");
	}
	c->told = told;
	c->arg = arg;
	c->report = ret;
	rc = bag_source_walk(s, take_tag_file, c, err);
	if (!rc) {
		find_doubles(c);
		check_declaration(c);
		rc = parse_tag_files(c, err);
	}
	if (!rc)
		rc = bag_source_walk(s, check_file, c, err);
	if (!rc) {
		check_missing(c);
		check_oxum(c);
	}
	check_free(c);
	return rc;
}
