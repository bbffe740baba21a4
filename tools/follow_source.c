/* Where a follower reads: a directory of tiles, or HTTP. */
#include <stdlib.h>
#include <string.h>

#include "arkki/base/fs.h"
#include "tools/follow.h"
#include "tools/web.h"

enum { NOTE_BYTES_MAX = 64 << 10, TILE_BYTES_MAX = MERKLE_WIDTH * BUNDLE_ENTRY };

static bool is_url(const char *where)
{
	return strncmp(where, "http://", 7) == 0 || strncmp(where, "https://", 8) == 0;
}

/* ---- a directory ---- */

static int dir_checkpoint(void *arg, struct buf *out, struct ark_error *err)
{
	char path[4096];
	int rc = fs_path(path, err, "%s/checkpoint", (const char *)arg);

	return rc ? rc : fs_read_file(path, NOTE_BYTES_MAX, out, err);
}

static int dir_tile(void *arg, const struct tile_id *id, struct buf *out, struct ark_error *err)
{
	return tile_read(arg, id, out, err);
}

/* ---- HTTP ---- */

struct http_source {
	struct web *web;
	char *prefix;
};

static int http_get(
    struct http_source *h, const char *path, size_t limit, struct buf *out, struct ark_error *err)
{
	struct web_request r = {.limit = limit, .body = out};
	struct buf url = BUF_INIT;
	int rc;

	buf_addf(&url, "%s/%s", h->prefix, path);
	r.url = url.data;
	rc = buf_failed(&url) ? ark_fail(err, ARK_ENOMEM, "no memory for an address")
			      : web_get(h->web, &r, err);
	buf_free(&url);
	return rc;
}

static int http_checkpoint(void *arg, struct buf *out, struct ark_error *err)
{
	return http_get(arg, "checkpoint", NOTE_BYTES_MAX, out, err);
}

static int http_tile(void *arg, const struct tile_id *id, struct buf *out, struct ark_error *err)
{
	size_t item = id->level == TILE_ENTRIES ? BUNDLE_ENTRY : sizeof(struct merkle_hash);
	struct tile_id full = *id;
	char path[TILE_PATH_MAX];
	int rc;

	tile_path_format(path, id);
	rc = http_get(arg, path, TILE_BYTES_MAX, out, err);
	if (rc != ARK_ENOTFOUND || id->width == MERKLE_WIDTH)
		return rc;
	/* a log may drop a partial tile when the full one is there, which begins with it */
	full.width = MERKLE_WIDTH;
	tile_path_format(path, &full);
	buf_clear(out);
	rc = http_get(arg, path, TILE_BYTES_MAX, out, err);
	if (!rc && out->len == item * MERKLE_WIDTH)
		out->len = item * id->width;
	return rc;
}

static void http_close(void *arg)
{
	struct http_source *h = arg;

	web_close(h->web);
	free(h->prefix);
	free(h);
}

/* ---- either ---- */

static int open_dir(const char *dir, struct follow_source *ret, struct ark_error *err)
{
	char *copy = strdup(dir);

	if (!copy)
		return ark_fail(err, ARK_ENOMEM, "no memory for a log's directory");
	*ret = (struct follow_source){dir_checkpoint, dir_tile, free, copy};
	return ARK_OK;
}

static int open_http(
    const char *url, const char *token_file, struct follow_source *ret, struct ark_error *err)
{
	struct http_source *h = calloc(1, sizeof(*h));
	size_t len = strlen(url);
	int rc;

	while (len && url[len - 1] == '/')
		len--;
	if (!h || !(h->prefix = strndup(url, len))) {
		free(h);
		return ark_fail(err, ARK_ENOMEM, "no memory for a log's address");
	}
	rc = web_open(token_file, &h->web, err);
	if (rc) {
		http_close(h);
		return rc;
	}
	*ret = (struct follow_source){http_checkpoint, http_tile, http_close, h};
	return ARK_OK;
}

int follow_source_open(
    const char *where, const char *token_file, struct follow_source *ret, struct ark_error *err)
{
	return is_url(where) ? open_http(where, token_file, ret, err) : open_dir(where, ret, err);
}

void follow_source_close(struct follow_source *s)
{
	if (s->close)
		s->close(s->arg);
	*s = (struct follow_source){0};
}
