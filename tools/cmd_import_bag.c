/* import --bag: a bag becomes documents.
 *
 * The story: the bag is judged (an invalid one is refused whole); one walk gathers what is told of its files and
 * their digests; another streams each file to the server. Nothing of it is unpacked.
 *
 * A package of ours: each version that is in it whole becomes a version again, its metadata as exported; public
 * renditions and withheld versions are passed over. Any other bag: each file becomes a document of --type (other),
 * --publicity (secret), --language (fi), --date (Bagging-Date) and --unit (none), its title its path.
 * The same bag again is the same filing: the key is made of path, metadata and digest. */
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arkki/archive/bag.h"
#include "arkki/archive/seal.h"
#include "arkki/base/json.h"
#include "arkki/base/text.h"
#include "tools/cli.h"

enum { ABOUT_MAX = 16 << 20 };

struct import {
	const struct cli *c;
	struct client *client;
	json_t *digests; /* path below data/ → [sha256, size] */
	json_t *about;   /* path of a file → its version.json; NULL: the bag is not ours */
	json_t *info;    /* bag-info.txt */
	json_t *filed;   /* document in the bag → document here */
	unsigned int faults;
	unsigned long new, before, failed, passed;
	/* the file that is being sent */
	struct bag_stream *stream;
	struct ark_error stream_error;
};

static void told(void *arg, bool fault, const char *what)
{
	struct import *m = arg;

	if (fault)
		m->faults++;
	fprintf(stderr, "arkki: %s: %s%s\n", m->c->bag, fault ? "" : "(only a warning) ", what);
}

/* ---- the gathering walk ---- */

static bool is_about(const char *path)
{
	const char *name = strrchr(path, '/');

	return strncmp(path, "documents/", 10) == 0 && name && strcmp(name, "/version.json") == 0 &&
	       !strstr(path, "/content/") && !strstr(path, "/public/");
}

static int take_about(struct import *m, struct bag_stream *f, struct ark_error *err)
{
	struct buf text = BUF_INIT;
	json_t *about = NULL;
	const char *form;
	int rc = bag_stream_rest(f, ABOUT_MAX, &text, err);

	if (!rc)
		rc = json_read(text.data ? text.data : "", text.len, &about, err);
	form = json_text(about, "form");
	if (!rc && form && strcmp(form, "whole") == 0 && json_text(about, "file"))
		json_object_set(m->about, json_text(about, "file"), about);
	else if (!rc)
		m->passed++;
	json_decref(about);
	buf_free(&text);
	return rc;
}

static int take_digest(
    struct import *m, const char *path, struct bag_stream *f, struct ark_error *err)
{
	struct sha256 *h = sha256_new();
	unsigned char sha[32];
	char block[16384], hex[65];
	json_int_t size = 0;
	ssize_t n;

	if (!h)
		return ark_fail(err, ARK_ENOMEM, "no memory");
	while ((n = bag_stream_read(f, block, sizeof(block), err)) > 0) {
		sha256_update(h, block, (size_t)n);
		size += n;
	}
	sha256_final(h, sha);
	sha256_free(h);
	hex_encode(hex, sha, 32);
	if (!n && json_object_set_new(m->digests, path, json_pack("[s,I]", hex, size)))
		return ark_fail(err, ARK_ENOMEM, "no memory");
	return (int)n;
}

static int gather(void *arg, const char *path, struct bag_stream *f, struct ark_error *err)
{
	struct import *m = arg;

	if (strncmp(path, "data/", 5) != 0)
		return ARK_OK;
	path += 5;
	return m->about && is_about(path) ? take_about(m, f, err) : take_digest(m, path, f, err);
}

/* A package of ours says so in bag-info.txt; what it holds is checked as anybody's. */
static bool is_ours(const json_t *info)
{
	const char *group = bag_info_value(info, "Bag-Group-Identifier");

	return group && strcmp(group, "arkki-export") == 0;
}

/* ---- one file ---- */

static json_t *foreign_metadata(const struct import *m, const char *path)
{
	const struct cli *c = m->c;
	const char *date = c->date ? c->date : bag_info_value(m->info, "Bagging-Date");
	json_t *units = json_array();
	size_t most = strlen(path);

	for (int i = 0; i < c->said_len; i++)
		if (strcmp(c->said[i].name, "--unit") == 0)
			json_array_append_new(units, json_string(c->said[i].value));
	while (most > 400) /* a title has at most 500 characters: its end tells most */
		path++, most--;
	while (((unsigned char)*path & 0xc0) == 0x80)
		path++;
	return json_pack("{s:o,s:s,s:s,s:s,s:s*,s:{s:s}}", "units", units, "type",
	    c->type ? c->type : "other", "title", path, "language",
	    c->language ? c->language : "fi", "date", date, "publicity", "class",
	    c->publicity ? c->publicity : "secret");
}

static void key_of(const char *path, const struct buf *metadata, const char *sha, char out[80])
{
	struct sha256 *h = sha256_new();
	unsigned char digest[32] = {0};

	if (h) {
		sha256_update(h, "bag", 4);
		sha256_update(h, path, strlen(path) + 1);
		sha256_update(h, metadata->data, metadata->len + 1);
		sha256_update(h, sha, strlen(sha));
		sha256_final(h, digest);
	}
	sha256_free(h);
	memcpy(out, "Idempotency-Key: ", 17);
	hex_encode(out + 17, digest, 24);
}

static size_t give(char *out, size_t size, size_t n, void *arg)
{
	struct import *m = arg;
	ssize_t got = bag_stream_read(m->stream, out, size * n, &m->stream_error);

	return got < 0 ? CURL_READFUNC_ABORT : (size_t)got;
}

struct sending {
	const char *path, *file_name, *sha;
	uint64_t size;
	const json_t *metadata;
	const char *to;   /* "/v1/documents", or its versions */
	const char *etag; /* NULL: a new document */
};

static int post_file(struct import *m, const struct sending *s, json_t **ret, struct ark_error *err)
{
	struct buf text = BUF_INIT;
	char key[80], match[128];
	json_t *answer = NULL;
	long status = 0;
	int rc = json_write(&text, s->metadata, err);

	if (!rc) {
		const struct client_part parts[2] = {{.name = "metadata",
							 .media_type = "application/json",
							 .bytes = text.data,
							 .len = text.len},
		    {.name = "content",
			.read = give,
			.read_arg = m,
			.size = s->size,
			.file_name = s->file_name}};
		struct client_request r = {.method = "POST",
		    .path = s->to,
		    .user = m->c->user,
		    .parts = parts,
		    .parts_len = 2};

		key_of(s->path, &text, s->sha, key);
		r.headers[0] = key;
		snprintf(match, sizeof(match), "If-Match: %s", s->etag ? s->etag : "");
		if (s->etag)
			r.headers[1] = match;
		m->stream_error = (struct ark_error){0};
		rc = client_send(m->client, &r, &status, &answer, err);
	}
	if (rc && m->stream_error.status)
		*err = m->stream_error;
	if (!rc)
		rc = client_ok(status, answer, err);
	if (rc)
		json_decref(answer);
	else
		*ret = answer;
	buf_free(&text);
	return rc;
}

/* The document that a version of ours goes to: [id, etag], or NULL before its first. */
static json_t *place_of(const struct import *m, const char *path, char document[33])
{
	snprintf(document, 33, "%s", strncmp(path, "documents/", 10) == 0 ? path + 10 : "");
	return json_object_get(m->filed, document);
}

static int send_file(struct import *m, const char *path, const json_t *about, struct ark_error *err)
{
	const json_t *digest = json_object_get(m->digests, path);
	const char *slash = strrchr(path, '/'), *name = json_text(about, "fileName");
	json_t *made =
	    about ? json_incref(json_object_get(about, "metadata")) : foreign_metadata(m, path);
	json_t *place, *answer = NULL;
	char document[33], to[80] = "/v1/documents";
	struct sending s = {.path = path,
	    .file_name = name    ? name
			 : slash ? slash + 1
				 : path,
	    .sha = json_string_value(json_array_get(digest, 0)),
	    .size = (uint64_t)json_integer_value(json_array_get(digest, 1)),
	    .metadata = made,
	    .to = to};
	int rc = made && s.sha ? ARK_OK : ark_fail(err, ARK_EINPUT, "nothing is told of it");

	place = about ? place_of(m, path, document) : NULL;
	if (place) {
		s.etag = json_string_value(json_array_get(place, 1));
		snprintf(to, sizeof(to), "/v1/documents/%.32s/versions",
		    json_string_value(json_array_get(place, 0)));
	}
	if (!rc)
		rc = post_file(m, &s, &answer, err);
	if (!rc && about)
		json_object_set_new(m->filed, document,
		    json_pack("[s,s]", json_text(answer, "id"), client_etag(m->client)));
	if (!rc && client_replayed(m->client))
		m->before++;
	else if (!rc)
		m->new ++;
	json_decref(answer);
	json_decref(made);
	return rc;
}

static int file_one(void *arg, const char *path, struct bag_stream *f, struct ark_error *err)
{
	struct import *m = arg;
	struct ark_error why;
	json_t *about;

	(void)err;
	if (strncmp(path, "data/", 5) != 0)
		return ARK_OK;
	path += 5;
	about = m->about ? json_object_get(m->about, path) : NULL;
	if (m->about && !about)
		return ARK_OK;
	m->stream = f;
	if (send_file(m, path, about, &why)) {
		fprintf(stderr, "arkki: %s: %s\n", path, why.text);
		m->failed++;
	}
	return ARK_OK;
}

static int import_source(struct import *m, struct bag_source *s, struct ark_error *err)
{
	struct bag_report report;
	int rc = bag_check(s, told, m, &report, err);

	m->info = report.info;
	if (!rc && m->faults)
		rc = ark_fail(
		    err, ARK_EINPUT, "%s is not a valid bag: nothing was filed", m->c->bag);
	if (!rc && is_ours(m->info))
		m->about = json_object();
	if (!rc)
		rc = bag_source_walk(s, gather, m, err);
	if (!rc)
		rc = client_open(m->c->words[0], m->c->root_key, &m->client, err);
	if (!rc)
		rc = bag_source_walk(s, file_one, m, err);
	return rc;
}

int import_bag(const struct cli *c)
{
	struct import m = {.c = c, .digests = json_object(), .filed = json_object()};
	struct bag_source *s = NULL;
	struct ark_error err;
	int rc = m.digests && m.filed ? bag_source_open(c->bag, &s, &err)
				      : ark_fail(&err, ARK_ENOMEM, "no memory");

	if (!rc)
		rc = import_source(&m, s, &err);
	if (!rc)
		printf("imported %s: %lu filed, %lu filed before, %lu passed over, %lu failed\n",
		    c->bag, m.new, m.before, m.passed, m.failed);
	client_close(m.client);
	bag_source_close(s);
	json_decref(m.digests);
	json_decref(m.about);
	json_decref(m.info);
	json_decref(m.filed);
	return rc ? cli_failed(&err) : m.failed ? CLI_FAILED : CLI_OK;
}
