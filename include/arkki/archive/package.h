/* A package: a BagIt 1.0 bag being written into a ZIP or tar that waits sealed.
 *
 * The bytes lie in a nameless file of the spool folder, sealed under a key that is only in this process's memory: a
 * restart loses package and key together. Payload files are added as they stream; manifests, bag-info and the
 * signature over them come from package_finish().
 *
 * It knows names, bytes and the rules of bags; not documents or rights.
 * Or it is in flow: package_flow().
 * Threads: writing, one; after package_finish() any number of readers.
 */
#ifndef ARKKI_ARCHIVE_PACKAGE_H
#define ARKKI_ARCHIVE_PACKAGE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "arkki/base/buf.h"
#include "arkki/base/error.h"

enum package_kind { PACKAGE_ZIP, PACKAGE_TAR };

struct package;

/* folder: the one folder in it, which is the bag; a safe file name. */
ARK_MUSTUSE int package_new(const char *spool_dir, enum package_kind kind, const char *folder,
    struct package **ret, struct ark_error *err);
void package_free(struct package *p); /* takes NULL */
/* No bag, and nothing that waits on disk: a folder of files that people unpack, whose container is sent while it is
 * written. The paths are below the folder, and package_finish() adds nothing: info and signer are NULL. What writing
 * has made waits in memory for package_take(), so that who writes small pieces and takes between them holds little. */
ARK_MUSTUSE int package_flow(
    enum package_kind kind, const char *folder, struct package **ret, struct ark_error *err);
/* Up to max bytes of the container, in order; 0: nothing waits. In flow only. */
size_t package_take(struct package *p, void *out, size_t max);

/* A payload file: path below data/, size bytes that package_write() gives in pieces. sha256: of the bytes, may be
 * NULL. After a failure only package_free() may follow. */
ARK_MUSTUSE int package_begin_file(
    struct package *p, const char *path, uint64_t size, struct ark_error *err);
ARK_MUSTUSE int package_write(
    struct package *p, const void *bytes, size_t len, struct ark_error *err);
ARK_MUSTUSE int package_end_file(
    struct package *p, unsigned char sha256[32], struct ark_error *err);
ARK_MUSTUSE int package_add(
    struct package *p, const char *path, const void *bytes, size_t len, struct ark_error *err);

/* Who signs: log is the origin of the history log; sign() appends to note a signed note of the text by every key of that
 * log which signs at the time, so that a receiver who knows only one of them can check it. */
struct package_signer {
	const char *log;
	int (*sign)(
	    void *arg, const char *text, size_t len, struct buf *note, struct ark_error *err);
	void *arg;
};
/* info: lines of bag-info.txt ("Label: value\n"), to which Payload-Oxum and Bagging-Date are added. The tag manifest is
 * signed: tagmanifest-sha256.txt.note, whose text is
 *   arkki-export/v1 / <origin>/history / <hex SHA-256 of tagmanifest-sha256.txt>      (a line each) */
ARK_MUSTUSE int package_finish(struct package *p, const char *info,
    const struct package_signer *signer, struct ark_error *err);

#define PACKAGE_NOTE_TITLE "arkki-export/v1"
#define PACKAGE_NOTE_FILE "tagmanifest-sha256.txt.note"

uint64_t package_size(const struct package *p); /* of the container, after package_finish() */
void package_sha256(const struct package *p, unsigned char ret[32]); /* likewise */
uint64_t package_files(const struct package *p);                     /* payload files so far */
/* Up to max bytes of the container from `position`; 0 at the end. ARK_EGONE once it is shut. */
ARK_MUSTUSE ssize_t package_read(
    struct package *p, uint64_t position, void *out, size_t max, struct ark_error *err);
/* Key and bytes are gone, under the hands of whoever reads; after package_finish(). What was read before is theirs. */
void package_shut(struct package *p);

/* ---- checking one, on a machine that has never seen the archive: package_verify.c ---- */

struct package_verdict {
	unsigned int faults;
	uint64_t documents, versions, files, proofs,
	    withheld; /* that were found good; metadata alone */
};
/* The bag is valid; its tag manifest is signed by a key of the history log; every file of a document is what its
 * version.json says, and, where the version itself was exported, what the disclosed history entry commits to; every
 * proof and checkpoint holds under one of the verifier keys. told() gets a clause for each fault. ARK_OK also
 * when there were some; ARK_EINPUT for a vkey that is none. */
ARK_MUSTUSE int package_verify(const char *path, const char *const *vkeys, size_t vkeys_len,
    void (*told)(void *arg, const char *fault), void *arg, struct package_verdict *ret,
    struct ark_error *err);

/* The same of a finished package while it waits sealed: nothing of it is laid out in the clear. ARK_EGONE once it is shut. */
ARK_MUSTUSE int package_verify_own(struct package *p, const char *const *vkeys, size_t vkeys_len,
    void (*told)(void *arg, const char *fault), void *arg, struct package_verdict *ret,
    struct ark_error *err);

/* Appends `name` as a file name that is safe everywhere: NFC, one path segment, no control characters and none of
 * \/:*?"<>|, not hidden, no device name of Windows, at most 120 bytes with its ending kept; "file" when nothing is
 * left. A folder that holds one such name cannot clash. */
void package_safe_name(struct buf *out, const char *name);

#endif
