#include "arkki/archive/packing.h"

#include <stdlib.h>
#include <string.h>

enum { BLOCK = 65536 };

struct packing {
	struct package *package;
	struct content *content;
	uint64_t at;
	char block[BLOCK];
};

int packing_begin(struct archive *a, const struct receipt *receipt, const struct catalogue_row *row,
    enum form form, struct package *p, const char *path, struct packing **ret,
    struct ark_error *err)
{
	struct packing *k = calloc(1, sizeof(*k));
	int rc = k ? reading_content(a, receipt, row, form, &k->content, err)
		   : ark_fail(err, ARK_ENOMEM, "no memory for a package");

	if (!rc) {
		k->package = p;
		rc = package_begin_file(p, path, content_size(k->content), err);
	}
	if (rc) {
		packing_free(k);
		return rc;
	}
	*ret = k;
	return ARK_OK;
}

int packing_step(struct packing *k, struct ark_error *err)
{
	ssize_t n = content_read(k->content, k->at, k->block, BLOCK, err);
	int rc;

	if (n < 0)
		return (int)n;
	if (!n)
		return package_end_file(k->package, NULL, err);
	k->at += (uint64_t)n;
	rc = package_write(k->package, k->block, (size_t)n, err);
	return rc ? rc : 1;
}

void packing_free(struct packing *k)
{
	if (!k)
		return;
	content_close(k->content);
	explicit_bzero(k->block, sizeof(k->block));
	free(k);
}
