/* load, import: commands that go through the admin socket. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "arkki/archive/seal.h"
#include "arkki/base/fs.h"
#include "arkki/base/json.h"
#include "arkki/base/text.h"
#include "tools/cli.h"
#include "tools/manifest.h"

int cmd_load(const struct cli *c)
{
	struct client *client = NULL;
	struct buf seed = BUF_INIT;
	struct ark_error err;
	json_t *body = NULL;
	long status;
	int rc;

	if (c->words_len != 2)
		return cli_usage(c->command);
	rc = fs_read_file(c->words[1], (size_t)256 << 20, &seed, &err);
	if (!rc)
		rc = client_open(c->words[0], c->root_key, &client, &err);
	if (!rc) {
		const struct client_request r = {.method = "POST",
		    .path = "/admin/load",
		    .body = seed.data ? seed.data : "",
		    .body_len = seed.len};

		rc = client_send(client, &r, &status, &body, &err);
	}
	if (!rc)
		rc = client_ok(status, body, &err);
	if (!rc)
		printf("loaded %s: %lld added, %lld changed, %lld as they were\n", c->words[1],
		    cli_number(body, "added"), cli_number(body, "changed"),
		    cli_number(body, "unchanged"));
	json_decref(body);
	client_close(client);
	buf_free(&seed);
	return rc ? cli_failed(&err) : CLI_OK;
}

/* ---- import ---- */

struct import {
	const struct cli *c;
	struct client *client;
	char dir[4096]; /* of the manifest */
	unsigned long lines, filed, before, failed;
};

static void line_failed(struct import *m, const char *why)
{
	fprintf(stderr, "arkki: %s line %lu: %s\n", m->c->manifest, m->lines, why);
	m->failed++;
}

/* A line is the same filing when path, metadata and bytes agree: its
 * Idempotency-Key is the digest of all three. */
static int request_key(const char *path, const char *file, const struct buf *metadata, char out[80],
    struct ark_error *err)
{
	struct sha256 *h = sha256_new();
	unsigned char sha[32];
	char block[65536];
	FILE *f = fopen(file, "rb");
	size_t n;
	int rc = ARK_OK;

	if (!h || !f) {
		rc = ark_fail_errno(err, ARK_EIO, "cannot open %s", file);
		goto out;
	}
	sha256_update(h, path, strlen(path) + 1);
	sha256_update(h, metadata->data, metadata->len + 1);
	while ((n = fread(block, 1, sizeof(block), f)) > 0)
		sha256_update(h, block, n);
	if (ferror(f))
		rc = ark_fail_errno(err, ARK_EIO, "cannot read %s", file);
	sha256_final(h, sha);
	memcpy(out, "Idempotency-Key: ", 17);
	hex_encode(out + 17, sha, 24);
out:
	if (f)
		fclose(f);
	sha256_free(h);
	return rc;
}

static int import_file(
    struct import *m, const char *path, const json_t *metadata, struct ark_error *err)
{
	struct buf text = BUF_INIT;
	char file[4096 + 4096], key[80];
	const char *name = strrchr(path, '/');
	struct client_part parts[2];
	struct client_request r = {.method = "POST", .path = "/v1/documents", .user = m->c->user};
	json_t *body = NULL;
	long status = 0;
	int rc = json_write(&text, metadata, err);

	snprintf(file, sizeof(file), "%s%s", path[0] == '/' ? "" : m->dir, path);
	if (!rc)
		rc = request_key(path, file, &text, key, err);
	if (!rc) {
		parts[0] = (struct client_part){.name = "metadata",
		    .media_type = "application/json",
		    .bytes = text.data,
		    .len = text.len};
		parts[1] = (struct client_part){
		    .name = "content", .file = file, .file_name = name ? name + 1 : path};
		r.parts = parts;
		r.parts_len = 2;
		r.headers[0] = key;
		rc = client_send(m->client, &r, &status, &body, err);
	}
	if (!rc)
		rc = client_ok(status, body, err);
	if (!rc && client_replayed(m->client))
		m->before++;
	else if (!rc)
		m->filed++;
	json_decref(body);
	buf_free(&text);
	return rc;
}

static void import_line(struct import *m, const char *line, size_t len)
{
	struct manifest_line l;
	struct ark_error err;

	if (manifest_parse_line(line, len, &l, &err)) {
		line_failed(m, err.text);
		return;
	}
	if (import_file(m, l.path, l.metadata, &err))
		line_failed(m, err.text);
	manifest_line_free(&l);
}

static unsigned long count_lines(FILE *f)
{
	unsigned long n = 0;
	int c, last = '\n';

	while ((c = fgetc(f)) != EOF) {
		n += c == '\n';
		last = c;
	}
	rewind(f);
	return n + (last != '\n');
}

static int import_all(struct import *m, FILE *f)
{
	unsigned long of = count_lines(f);
	char *line = NULL;
	size_t cap = 0;
	ssize_t len;

	while ((len = getline(&line, &cap, f)) > 0) {
		m->lines++;
		while (len > 0 && (line[len - 1] == '\n' || line[len - 1] == '\r'))
			line[--len] = '\0';
		if (len > 0)
			import_line(m, line, (size_t)len);
		if (m->lines % 100 == 0 || m->lines == of)
			cli_progress(NULL, "import: line", m->lines, of);
	}
	free(line);
	printf("imported %s: %lu filed, %lu filed before, %lu failed\n", m->c->manifest, m->filed,
	    m->before, m->failed);
	return m->failed ? CLI_FAILED : CLI_OK;
}

int cmd_import(const struct cli *c)
{
	struct import m = {.c = c};
	struct ark_error err;
	const char *slash;
	FILE *f;
	int rc;

	if (c->words_len == 1 && c->bag && !c->manifest && c->user)
		return import_bag(c);
	if (c->words_len != 1 || !c->manifest || !c->user)
		return cli_usage(c->command);
	slash = strrchr(c->manifest, '/');
	if (slash)
		snprintf(m.dir, sizeof(m.dir), "%.*s", (int)(slash - c->manifest + 1), c->manifest);
	f = fopen(c->manifest, "r");
	if (!f) {
		ark_fail_errno(&err, ARK_EIO, "cannot open %s", c->manifest);
		return cli_failed(&err);
	}
	rc = client_open(c->words[0], c->root_key, &m.client, &err) ? cli_failed(&err)
								    : import_all(&m, f);
	client_close(m.client);
	fclose(f);
	return rc;
}
