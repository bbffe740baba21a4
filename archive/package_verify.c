/* Checking a package with verifier keys alone. The story: the bag itself; then one walk that keeps what is
 * small and the digests of the rest; then each version against its proof. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "archive/checkpoint.h"
#include "arkki/archive/bag.h"
#include "arkki/archive/disclosure.h"
#include "arkki/archive/package.h"
#include "arkki/archive/seal.h"
#include "arkki/base/json.h"
#include "arkki/base/text.h"

enum { SMALL_MAX = 32 << 20, FOLDER_MAX = 200 };
#define SMALL_ALL_MAX (UINT64_C(1) << 30) /* of all JSON that is held */

struct file {       /* sorted by path */
	char *path; /* below data/, or of a tag file */
	unsigned char sha256[32];
	uint64_t size;
	struct buf text; /* of JSON and signatures */
	bool claimed;    /* by a version.json */
};

struct verify {
	void (*told)(void *arg, const char *fault);
	void *arg;
	struct package_verdict *v;
	const char *const *vkeys;
	size_t vkeys_len;
	struct file *files;
	size_t len, cap;
	uint64_t held;
};

static void tell(struct verify *y, const char *fmt, ...) ARK_PRINTF(2, 3);
static void tell(struct verify *y, const char *fmt, ...)
{
	char text[600];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	y->v->faults++;
	y->told(y->arg, text);
}

static void bag_told(void *arg, bool fault, const char *what)
{
	if (fault)
		tell(arg, "%s", what);
}

/* ---- the walk ---- */

static bool ends_with(const char *text, const char *ending)
{
	size_t n = strlen(text), k = strlen(ending);

	return n >= k && strcmp(text + n - k, ending) == 0;
}

static bool is_small(const char *path)
{
	if (strncmp(path, "documents/", 10) != 0)
		return ends_with(path, ".json") || ends_with(path, ".note") ||
		       ends_with(path, ".checkpoint");
	/* a document's file may be called anything, but lies in a folder of its own */
	return !strstr(path, "/content/") && !strstr(path, "/public/") && ends_with(path, ".json");
}

static int digest(struct bag_stream *s, struct file *f, struct ark_error *err)
{
	struct sha256 *h = sha256_new();
	char *block = malloc(65536);
	ssize_t n = -1;

	if (!h || !block) {
		n = ark_fail(err, ARK_ENOMEM, "no memory for a package");
		goto out;
	}
	while ((n = bag_stream_read(s, block, 65536, err)) > 0) {
		sha256_update(h, block, (size_t)n);
		f->size += (uint64_t)n;
	}
	sha256_final(h, f->sha256);
out:
	sha256_free(h);
	free(block);
	return (int)n;
}

static int keep_text(struct verify *y, struct bag_stream *s, struct file *f, struct ark_error *err)
{
	int rc = bag_stream_rest(s, SMALL_MAX, &f->text, err);

	f->size = f->text.len;
	y->held += f->size;
	if (!rc && y->held > SMALL_ALL_MAX)
		rc = ark_fail(err, ARK_EINPUT, "the package has more JSON than can be checked");
	if (!rc)
		sha256_of(f->text.data ? f->text.data : "", f->text.len, f->sha256);
	return rc;
}

static int take_file(void *arg, const char *path, struct bag_stream *s, struct ark_error *err)
{
	struct verify *y = arg;
	struct file *f;

	if (strncmp(path, "data/", 5) == 0)
		path += 5;
	else if (strncmp(path, "tagmanifest-", 12) != 0)
		return ARK_OK;
	if (y->len == y->cap) {
		size_t cap = y->cap ? y->cap * 2 : 256;
		struct file *more = realloc(y->files, cap * sizeof(*more));

		if (!more)
			return ark_fail(err, ARK_ENOMEM, "no memory for a package");
		y->files = more;
		y->cap = cap;
	}
	f = &y->files[y->len];
	*f = (struct file){.path = strdup(path)};
	if (!f->path)
		return ark_fail(err, ARK_ENOMEM, "no memory for a package");
	y->len++;
	return is_small(path) ? keep_text(y, s, f, err) : digest(s, f, err);
}

static int by_path(const void *a, const void *b)
{
	return strcmp(((const struct file *)a)->path, ((const struct file *)b)->path);
}

static struct file *find(struct verify *y, const char *path)
{
	struct file *f = NULL;
	char *copy = strdup(path);
	struct file key = {.path = copy};

	if (copy && y->len)
		f = bsearch(&key, y->files, y->len, sizeof(*y->files), by_path);
	free(copy);
	return f;
}

/* NULL: the fault is told. */
static json_t *json_of(struct verify *y, const struct file *f)
{
	struct ark_error why;
	json_t *v = NULL;

	if (json_read(f->text.data ? f->text.data : "", f->text.len, &v, &why))
		tell(y, "%s: %s", f->path, why.text);
	return v;
}

/* ---- signatures ---- */

/* The verifier key of that name behind `after` (NULL: the first); NULL: there is none. A log that has changed its key
 * has several, and any of them will do. */
static const char *vkey_named(const struct verify *y, const char *name, const char *after)
{
	size_t n = name ? strlen(name) : 0, i = 0;

	while (after && i < y->vkeys_len && y->vkeys[i++] != after)
		;
	for (; n && i < y->vkeys_len; i++)
		if (strncmp(y->vkeys[i], name, n) == 0 && y->vkeys[i][n] == '+')
			return y->vkeys[i];
	return NULL;
}

/* By one of the keys of that name. false: why says what was wrong under the first. */
static bool note_verified(
    const struct verify *y, const char *name, const struct note *note, struct ark_error *why)
{
	struct note_key key;
	struct ark_error other;
	const char *vkey = vkey_named(y, name, NULL);

	if (!note_key_parse(vkey, &key, why) && !note_verify(note, &key, why))
		return true;
	while ((vkey = vkey_named(y, name, vkey)))
		if (!note_key_parse(vkey, &key, &other) && !note_verify(note, &key, &other))
			return true;
	return false;
}

/* The text of a note signed by the key that it names on line `line`; the caller's. */
static bool note_holds(struct verify *y, const struct file *f, unsigned int line, struct note *note)
{
	const char *text = f->text.data ? f->text.data : "", *name;
	size_t len = f->text.len, n = 0;
	char origin[NOTE_NAME_MAX + 1];
	struct ark_error why = {0};

	while (bag_next_line(&text, &len, &name, &n) && line--)
		;
	snprintf(origin, sizeof(origin), "%.*s", (int)(n < NOTE_NAME_MAX ? n : NOTE_NAME_MAX),
	    n ? name : "");
	if (!vkey_named(y, origin, NULL))
		tell(y, "%s: no --vkey was given for %s", f->path, origin);
	else if (note_parse(f->text.data, f->text.len, note, &why) ||
		 !note_verified(y, origin, note, &why))
		tell(y, "%s: %s", f->path, why.text);
	else
		return true;
	return false;
}

static void check_signature(struct verify *y)
{
	struct file *tags = find(y, "tagmanifest-sha256.txt"),
		    *signature = find(y, PACKAGE_NOTE_FILE);
	struct note *note = calloc(1, sizeof(*note));
	char hex[65], expected[80];

	if (!note || !tags || !signature) {
		tell(y, "the package is not signed (" PACKAGE_NOTE_FILE " is missing)");
	} else if (note_holds(y, signature, 1, note)) {
		hex_encode(hex, tags->sha256, 32);
		snprintf(expected, sizeof(expected), "\n%s\n", hex);
		if (strncmp(note->text, PACKAGE_NOTE_TITLE "\n", sizeof(PACKAGE_NOTE_TITLE)) != 0 ||
		    note->text_len < strlen(expected) ||
		    strncmp(note->text + note->text_len - strlen(expected), expected,
			strlen(expected)) != 0)
			tell(y, PACKAGE_NOTE_FILE " is of another package");
	}
	free(note);
}

static void check_checkpoints(struct verify *y)
{
	struct note *note = calloc(1, sizeof(*note));
	struct checkpoint c;
	struct ark_error why;

	for (size_t i = 0; note && i < y->len; i++) {
		const struct file *f = &y->files[i];

		if (!ends_with(f->path, ".checkpoint") || !note_holds(y, f, 0, note))
			continue;
		if (checkpoint_parse(note->text, note->text_len, NULL, &c, &why))
			tell(y, "%s: %s", f->path, why.text);
		else
			y->v->proofs++;
	}
	free(note);
}

/* ---- versions ---- */

struct version {
	const struct file *file; /* its version.json */
	char folder[FOLDER_MAX], document[33];
	json_t *about;
};

/* A disclosure under the key of its log; its parts in *ret. False: the fault is told. */
static bool disclosure_holds(
    struct verify *y, const char *what, const char *text, size_t len, struct disclosed *ret)
{
	struct ark_error why = {0}, other;
	json_t *v = NULL;
	const char *vkey, *log;
	bool ok = false;

	if (json_read(text, len, &v, &why)) {
		tell(y, "%s: %s", what, why.text);
		return false;
	}
	log = json_text(v, "log");
	vkey = vkey_named(y, log, NULL);
	if (!vkey)
		tell(y, "%s: no --vkey was given for its log", what);
	else
		ok = !disclosure_check(text, len, vkey, ret, &why);
	while (!ok && vkey && (vkey = vkey_named(y, log, vkey)))
		ok = !disclosure_check(text, len, vkey, ret, &other);
	if (!ok && why.status)
		tell(y, "%s: %s", what, why.text);
	json_decref(v);
	y->v->proofs += ok;
	return ok;
}

static bool commitment_of(const json_t *about, const unsigned char sha256[32], char hex[65])
{
	static const char label[] = "arkki-plain-v1\n";
	unsigned char in[sizeof(label) - 1 + 64], out[32];
	const char *salt = json_text(about, "salt");

	memcpy(in, label, sizeof(label) - 1);
	if (!salt || !hex_decode(in + sizeof(label) - 1, 32, salt, strlen(salt)))
		return false;
	memcpy(in + sizeof(label) - 1 + 32, sha256, 32);
	sha256_of(in, sizeof(in), out);
	hex_encode(hex, out, 32);
	return true;
}

static bool same_text(const json_t *object, const char *key, const char *text)
{
	const char *has = json_text(object, key);

	return has && strcmp(has, text) == 0;
}

/* The entry is of this filing, and commits to these bytes (NULL: they are not in the package). */
static void check_proof(struct verify *y, const struct version *n, const struct file *content)
{
	char path[FOLDER_MAX + 16], commitment[65];
	struct disclosed d = {0};
	struct file *f;

	snprintf(path, sizeof(path), "%s/proof.json", n->folder);
	f = find(y, path);
	if (!f) {
		tell(y, "%s is missing", path);
		return;
	}
	if (!disclosure_holds(y, path, f->text.data ? f->text.data : "", f->text.len, &d))
		return;
	if (!(same_text(d.a, "kind", "filing") || same_text(d.a, "kind", "version")) ||
	    !same_text(d.a, "document", n->document) ||
	    !json_equal(json_object_get(d.a, "version"), json_object_get(n->about, "version")))
		tell(y, "%s is of another filing", path);
	else if (content &&
		 (!commitment_of(n->about, content->sha256, commitment) ||
		     !same_text(json_object_get(d.a, "detail"), "commitment", commitment)))
		tell(y, "%s is not what the history log says was filed", content->path);
	disclosed_free(&d);
}

/* The file is there and is what version.json says. NULL: the fault is told. */
static struct file *check_content(struct verify *y, const struct version *n)
{
	const char *path = json_text(n->about, "file");
	struct file *f = path ? find(y, path) : NULL;
	char hex[65];

	if (!f || strncmp(path, n->folder, strlen(n->folder)) != 0) {
		tell(y, "%s: the file that it names is not beside it", n->file->path);
		return NULL;
	}
	f->claimed = true;
	hex_encode(hex, f->sha256, 32);
	if (!same_text(n->about, "sha256", hex) ||
	    (uint64_t)json_integer_value(json_object_get(n->about, "size")) != f->size) {
		tell(y, "%s is not what %s says", f->path, n->file->path);
		return NULL;
	}
	y->v->files++;
	return f;
}

static void check_version(struct verify *y, const struct version *n)
{
	bool whole = same_text(n->about, "form", "whole");
	bool withheld = same_text(n->about, "form", "withheld");
	struct file *content = NULL;
	char path[FOLDER_MAX + 16];

	if (!withheld && !(content = check_content(y, n)))
		return;
	snprintf(path, sizeof(path), "%s/proof.json", n->folder);
	/* of a version that its reader may not see whole there is none */
	if (whole || find(y, path))
		check_proof(y, n, whole ? content : NULL);
	y->v->versions++;
	y->v->withheld += withheld;
}

static void check_versions(struct verify *y)
{
	for (size_t i = 0; i < y->len; i++) {
		struct version n = {.file = &y->files[i]};
		unsigned int number;
		int end = 0;

		if (ends_with(n.file->path, "/document.json"))
			y->v->documents++;
		/* NOLINTNEXTLINE(cert-err34-c): the width bounds it */
		if (sscanf(n.file->path, "documents/%32[0-9a-f]/v%6u/version.json%n", n.document,
			&number, &end) != 2 ||
		    !end || n.file->path[end] || !docid_valid(n.document))
			continue;
		snprintf(n.folder, sizeof(n.folder), "%.*s",
		    (int)(strrchr(n.file->path, '/') - n.file->path), n.file->path);
		n.about = json_of(y, n.file);
		if (n.about && json_integer_value(json_object_get(n.about, "version")) != number)
			tell(y, "%s is of another version", n.file->path);
		else if (n.about)
			check_version(y, &n);
		json_decref(n.about);
	}
}

/* Every file of a document belongs to a version.json. */
static void check_unclaimed(struct verify *y)
{
	for (size_t i = 0; i < y->len; i++) {
		const struct file *f = &y->files[i];

		if ((strstr(f->path, "/content/") || strstr(f->path, "/public/")) && !f->claimed)
			tell(y, "%s belongs to no version", f->path);
	}
}

static void check_access(struct verify *y)
{
	for (size_t i = 0; i < y->len; i++) {
		json_t *whole, *entry;
		size_t k;

		if (!ends_with(y->files[i].path, "/access.json") ||
		    !(whole = json_of(y, &y->files[i])))
			continue;
		json_array_foreach(json_object_get(whole, "entries"), k, entry)
		{
			struct disclosed d = {0};
			char *text = json_dumps(entry, JSON_COMPACT);

			if (text && disclosure_holds(y, y->files[i].path, text, strlen(text), &d))
				disclosed_free(&d);
			free(text);
		}
		json_decref(whole);
	}
}

static int check_source(struct verify *y, struct bag_source *s, struct ark_error *err)
{
	struct bag_report report = {0};
	struct note_key key;
	int rc = ARK_OK;

	for (size_t i = 0; !rc && i < y->vkeys_len; i++)
		rc = note_key_parse(y->vkeys[i], &key, err);
	if (!rc)
		rc = bag_check(s, bag_told, y, &report, err);
	if (!rc)
		rc = bag_source_walk(s, take_file, y, err);
	if (!rc) {
		if (y->len)
			qsort(y->files, y->len, sizeof(*y->files), by_path);
		check_signature(y);
		check_checkpoints(y);
		check_versions(y);
		check_access(y);
		check_unclaimed(y);
	}
	for (size_t i = 0; i < y->len; i++) {
		free(y->files[i].path);
		buf_free(&y->files[i].text);
	}
	free(y->files);
	json_decref(report.info);
	return rc;
}

int package_verify(const char *path, const char *const *vkeys, size_t vkeys_len,
    void (*told)(void *arg, const char *fault), void *arg, struct package_verdict *ret,
    struct ark_error *err)
{
	struct verify y = {
	    .told = told, .arg = arg, .v = ret, .vkeys = vkeys, .vkeys_len = vkeys_len};
	struct bag_source *s = NULL;
	int rc;

	*ret = (struct package_verdict){0};
	rc = bag_source_open(path, &s, err);
	if (!rc)
		rc = check_source(&y, s, err);
	bag_source_close(s);
	return rc;
}

static ssize_t read_own(void *arg, uint64_t position, void *out, size_t max, struct ark_error *err)
{
	return package_read(arg, position, out, max, err);
}

int package_verify_own(struct package *p, const char *const *vkeys, size_t vkeys_len,
    void (*told)(void *arg, const char *fault), void *arg, struct package_verdict *ret,
    struct ark_error *err)
{
	struct verify y = {
	    .told = told, .arg = arg, .v = ret, .vkeys = vkeys, .vkeys_len = vkeys_len};
	const struct bag_reader reader = {.read = read_own, .size = package_size(p), .arg = p};
	struct bag_source *s = NULL;
	int rc;

	*ret = (struct package_verdict){0};
	rc = bag_source_open_reader(&reader, &s, err);
	if (!rc)
		rc = check_source(&y, s, err);
	bag_source_close(s);
	return rc;
}
