/* Verification of the files beside store, keys, logs and catalogue. */
#include <dirent.h>
#include <stdio.h>
#include <string.h>

#include "archive/git_sign.h"
#include "archive/store_internal.h"
#include "archive/verify_private.h"
#include "arkki/base/fs.h"
#include "arkki/base/text.h"

enum { SIGNERS_MAX = 1 << 20, WHAT_SIZE = 600, DERIVED_FAULTS_MAX = 100 };

static void ARK_PRINTF(3, 4) tell(verify_bad bad, void *arg, const char *fmt, ...)
{
	char what[WHAT_SIZE];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	bad(arg, what);
}

/* ---- allowed_signers ---- */

/* A line for each key of now and before, with its span, and no other. Both texts are taken apart. */
static void compare_signers(char *text, char *expected, verify_bad bad, void *arg)
{
	char *save = NULL, *end;

	for (char *want = strtok_r(expected, "\n", &save); want;
	     want = strtok_r(NULL, "\n", &save)) {
		size_t n = strlen(want);
		char *at = text;

		while ((at = strstr(at, want)) &&
		       ((at != text && at[-1] != '\n') || (at[n] && at[n] != '\n')))
			at++;
		if (at)
			memset(at, '#', n); /* a comment: accounted for */
		else
			tell(bad, arg,
			    "allowed_signers: a signing key is not in it; its line would be: %s",
			    want);
	}
	for (char *line = strtok_r(text, "\n", &end); line; line = strtok_r(NULL, "\n", &end))
		if (*line != '#')
			tell(bad, arg, "allowed_signers: a line that is not this archive's: %.80s",
			    line);
}

void verify_signers(struct archive *a, verify_bad bad, void *arg)
{
	struct buf text = BUF_INIT, expected = BUF_INIT;
	struct ark_error err;
	char path[4096];
	int rc = fs_path(path, &err, "%s/allowed_signers", archive_dir(a));

	if (!rc)
		rc = store_allowed_text(a->store, &expected, &err);
	if (!rc)
		rc = fs_read_file(path, SIGNERS_MAX, &text, &err);
	if (!rc && text.data)
		compare_signers(text.data, expected.data, bad, arg);
	else
		tell(bad, arg, "allowed_signers: %s", rc ? err.text : "it is empty");
	buf_free(&text);
	buf_free(&expected);
}

/* ---- state.sqlite ---- */

static bool known_user(void *arg, const char *user)
{
	const struct verify *v = arg;
	uint32_t number = 0;

	return !catalogue_record_number(v->desk->catalogue, "users", user, &number, NULL) && number;
}

void verify_state(struct verify *v, verify_bad bad)
{
	struct state *s = NULL;
	struct ark_error err;
	char path[4096];
	int rc = fs_path(path, &err, "%s/state.sqlite", archive_dir(v->a));

	if (!rc)
		rc = state_open(path, v->a->keys, false, &s, &err);
	if (!rc)
		rc = state_check(s, known_user, v, &err);
	if (rc)
		tell(bad, v, "state.sqlite: %s", err.text);
	state_close(s);
}

/* ---- derived/ ---- */

struct derived {
	struct verify *v;
	verify_bad bad;
	unsigned int faults;
};

/* "<document>-vNNNN…" */
static bool belongs(const struct verify *v, const char *name, const char *folder)
{
	char document[33] = "";
	unsigned int version = 0;
	uint32_t newest = 0, metadata = 0;

	/* NOLINTNEXTLINE(cert-err34-c): the width bounds it */
	if (sscanf(name, "%32[0-9a-f]-v%9u", document, &version) != 2 || !docid_valid(document) ||
	    strncmp(document, folder, 2) != 0)
		return false;
	return catalogue_newest(v->desk->catalogue, document, &newest, &metadata, NULL) == ARK_OK &&
	       version >= 1 && version <= newest;
}

static void look_into(struct derived *d, const char *folder)
{
	char path[4096];
	struct dirent *e;
	DIR *dir = fs_path(path, NULL, "%s/derived/%s", archive_dir(d->v->a), folder)
		       ? NULL
		       : opendir(path);

	while (dir && d->faults < DERIVED_FAULTS_MAX && (e = readdir(dir)))
		if (e->d_name[0] != '.' && !belongs(d->v, e->d_name, folder)) {
			d->faults++;
			tell(d->bad, d->v,
			    "derived/%s/%.80s belongs to nothing that the archive has; remove it",
			    folder, e->d_name);
		}
	if (dir)
		closedir(dir);
}

void verify_derived(struct verify *v, verify_bad bad)
{
	struct derived d = {v, bad, 0};

	for (unsigned int i = 0; i < 256; i++) {
		char folder[3];

		snprintf(folder, sizeof(folder), "%02x", i);
		look_into(&d, folder);
	}
}
