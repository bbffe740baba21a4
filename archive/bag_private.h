/* Judging a bag: what bag_check.c (the story, and every file against the manifests) and bag_manifests.c (what manifests and
 * fetch.txt list) share. */
#ifndef ARKKI_ARCHIVE_BAG_PRIVATE_H
#define ARKKI_ARCHIVE_BAG_PRIVATE_H

#include "arkki/archive/bag.h"

enum { MANIFESTS_MAX = 16, ALGORITHMS = 6, DIGEST_MAX = 64, MESSAGE_MAX = 400 };

struct bag_entry {
	char *path, *nfc;
	unsigned char digest[DIGEST_MAX];
	bool seen;
};

struct bag_manifest {
	char name[64];
	bool payload;
	unsigned int algorithm; /* of those of bag_check.c */
	size_t digest_len;
	struct buf text;
	struct bag_entry *entries;
	size_t len, cap;
};

struct bag_judge {
	void (*told)(void *arg, bool fault, const char *what);
	void *arg;
	struct bag_report *report;
	struct buf bagit, info, fetch;
	bool has_bagit, has_info, has_fetch, encoded; /* paths in manifests are */
	char encoding[64];
	struct bag_manifest manifests[MANIFESTS_MAX];
	size_t manifests_len;
	char **fetched; /* paths of fetch.txt */
	size_t fetched_len;
	char **names; /* of all files, to find doubles */
	size_t names_len, names_cap;
	unsigned int payload_algorithms, tag_algorithms; /* bits */
};

/* Tells a fault or a warning, and counts it. */
void bag_tell(struct bag_judge *c, bool fault, const char *fmt, ...) ARK_PRINTF(3, 4);
/* The path in NFC, g_free(). NULL: it is no UTF-8. */
char *bag_nfc(const char *path);
/* Lists the lines of a manifest, sorted by NFC. What is wrong with them is told. */
ARK_MUSTUSE int bag_parse_manifest(
    struct bag_judge *c, struct bag_manifest *m, struct ark_error *err);
ARK_MUSTUSE int bag_parse_fetch(struct bag_judge *c, struct ark_error *err);
bool bag_is_fetched(const struct bag_judge *c, const char *path); /* fetch.txt names it */
/* Those of a path, beside each other: *ret_n of them. NULL: none. */
struct bag_entry *bag_find_entries(struct bag_manifest *m, const char *nfc, size_t *ret_n);

/* The text of a tag file in the encoding that bagit.txt declares, made UTF-8. What cannot be is told. */
ARK_MUSTUSE int bag_to_utf8(
    struct bag_judge *c, struct buf *text, const char *name, struct ark_error *err);
int bag_by_text(const void *a, const void *b); /* qsort, bsearch: of char * */

#endif
