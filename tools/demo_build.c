#include "tools/demo.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "arkki/base/fs.h"
#include "arkki/base/json.h"

enum { DOCUMENTS_MAX = 1000 };

struct filing {
	const struct demo_document *doc;
	size_t at; /* the version's place in doc->version */
};

struct plan {
	struct demo_document *doc[DOCUMENTS_MAX];
	size_t docs;
	struct filing *filing;
	size_t filings;
};

static int is_text(const struct dirent *entry)
{
	size_t len = strlen(entry->d_name);

	return len > 4 && entry->d_name[0] != '.' && !strcmp(entry->d_name + len - 4, ".txt");
}

static int parse_all(const char *dir, struct plan *plan, struct ark_error *err)
{
	struct dirent **entry = NULL;
	int n = scandir(dir, &entry, is_text, alphasort);
	char path[4096];
	int rc = ARK_OK;

	if (n < 0)
		return ark_fail_errno(
		    err, errno == ENOENT ? ARK_ENOTFOUND : ARK_EIO, "cannot list %s", dir);
	if (n == 0 || n > DOCUMENTS_MAX)
		rc = ark_fail(
		    err, ARK_EINPUT, "%s holds %d texts, 1 to %d expected", dir, n, DOCUMENTS_MAX);
	for (int i = 0; i < n && rc == ARK_OK; i++) {
		rc = fs_path(path, err, "%s/%s", dir, entry[i]->d_name);
		if (rc == ARK_OK)
			rc = demo_parse(path, &plan->doc[plan->docs], err);
		if (rc == ARK_OK)
			plan->docs++;
	}
	for (int i = 0; i < n; i++)
		free(entry[i]);
	free(entry);
	return rc;
}

/* Oldest first; on the same day in the order of the texts' numbers. */
static int by_date(const void *a, const void *b)
{
	const struct filing *x = a, *y = b;
	int order = strcmp(x->doc->version[x->at].date, y->doc->version[y->at].date);

	if (!order)
		order = strcmp(x->doc->name, y->doc->name);
	return order ? order : (x->at > y->at) - (x->at < y->at);
}

static int order_filings(struct plan *plan, struct ark_error *err)
{
	size_t n = 0;

	for (size_t i = 0; i < plan->docs; i++)
		n += plan->doc[i]->versions;
	plan->filing = calloc(n + 1, sizeof(*plan->filing));
	if (!plan->filing)
		return ark_fail(err, ARK_ENOMEM, "no memory for the plan");
	for (size_t i = 0; i < plan->docs; i++)
		for (size_t at = 0; at < plan->doc[i]->versions; at++)
			plan->filing[plan->filings++] = (struct filing){plan->doc[i], at};
	qsort(plan->filing, n, sizeof(*plan->filing), by_date);
	return ARK_OK;
}

/* Not synced: the files can be made again. */
static int write_file(const char *path, const struct buf *bytes, struct ark_error *err)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	int rc;

	if (fd < 0)
		return ark_fail_errno(err, ARK_EIO, "cannot create %s", path);
	rc = fs_write_all(fd, bytes->data, bytes->len, err);
	if (rc < 0)
		ark_fail_within(err, rc, "%s", path);
	if (close(fd) < 0 && rc == ARK_OK)
		rc = ark_fail_errno(err, ARK_EIO, "cannot write %s", path);
	return rc;
}

/* The name an office would give the file: the slug alone, without number and version. */
static json_t *describe(const struct filing *f, const char *file)
{
	const struct demo_version *v = &f->doc->version[f->at];
	const char *slug = strchr(f->doc->name, '-') + 1;

	return json_pack("{s:s, s:i, s:s, s:s, s:s+, s:s, s:O, s:s, s:s, s:b, s:s}", "document",
	    f->doc->name, "version", (int)v->number, "user", f->doc->user, "file", file, "fileName",
	    slug, strrchr(file, '.'), "mediaType", demo_media_type(f->doc->format), "metadata",
	    v->changes, "date", v->date, "reason", v->reason, "rendition", v->rendition, "format",
	    demo_format_name(f->doc->format));
}

static int build_one(
    const struct filing *f, const char *out_dir, json_t *list, struct ark_error *err)
{
	const struct demo_version *v = &f->doc->version[f->at];
	struct buf bytes = BUF_INIT;
	char file[256], path[4096];
	int rc;

	snprintf(file, sizeof(file), "%s-v%u%s.%s", f->doc->name, v->number,
	    v->rendition ? "-public" : "", demo_extension(f->doc->format));
	rc = fs_path(path, err, "%s/%s", out_dir, file);
	if (rc == ARK_OK)
		rc = demo_render(f->doc, f->at, &bytes, err);
	if (rc == ARK_OK)
		rc = write_file(path, &bytes, err);
	if (rc == ARK_OK && json_array_append_new(list, describe(f, file)) < 0)
		rc = ark_fail(err, ARK_ENOMEM, "no memory for the plan");
	buf_free(&bytes);
	return rc;
}

int demo_documents_build(const char *texts_dir, const char *out_dir, struct ark_error *err)
{
	struct plan *plan = calloc(1, sizeof(*plan));
	json_t *list = json_array();
	struct buf text = BUF_INIT;
	char path[4096];
	int rc;

	if (!plan || !list) {
		rc = ark_fail(err, ARK_ENOMEM, "no memory for the plan");
		goto out;
	}
	rc = parse_all(texts_dir, plan, err);
	if (rc == ARK_OK)
		rc = order_filings(plan, err);
	if (rc == ARK_OK)
		rc = fs_mkdirs(out_dir, 0755, err);
	for (size_t i = 0; rc == ARK_OK && i < plan->filings; i++)
		rc = build_one(&plan->filing[i], out_dir, list, err);
	if (rc < 0)
		goto out;
	rc = fs_path(path, err, "%s/plan.json", out_dir);
	if (rc == ARK_OK)
		rc = json_write(&text, list, err);
	if (rc == ARK_OK)
		rc = fs_replace_file(path, text.data, text.len, 0644, err);
out:
	for (size_t i = 0; plan && i < plan->docs; i++)
		demo_document_free(plan->doc[i]);
	if (plan)
		free(plan->filing);
	free(plan);
	json_decref(list);
	buf_free(&text);
	return rc;
}
