/* What the handlers of filing share: filing_api.c (a document, a version), filing_again.c (the same request once
 * more), filing_amend.c (a change of metadata).
 */
#ifndef ARKKI_API_FILING_POST_H
#define ARKKI_API_FILING_POST_H

#include "api/documents.h"
#include "arkki/api/multipart.h"
#include "arkki/archive/filing.h"
#include "arkki/archive/spool.h"

enum part { PART_NONE, PART_METADATA, PART_CONTENT };

struct post { /* one filing in the making */
	struct exchange *x;
	struct visit *v;
	bool is_version;
	char document[33];
	uint32_t base_version, base_metadata;
	struct card base; /* of the version built upon */
	struct multipart *multipart;
	bool by_upload; /* the body is JSON that names an upload, in `metadata` */
	enum part part;
	bool metadata_done, content_done;
	struct buf metadata;
	json_t *fields;
	struct upload *upload;
	char *file_name, *declared;
	char request[33]; /* keyed hash of principal and Idempotency-Key; empty: none */
	char request_digest[65];
	struct filing *filing;
	/* a refusal met inside the multipart parser */
	int refusal;
	const char *slug;
	char detail[512];
	json_t *errors;
};

/* ---- filing_api.c ---- */

/* For the visit's more_free. */
void filing_post_free(void *post);
/* Notes what will be replied; returns ARK_EINPUT, for the multipart parser. */
int filing_refuse(
    struct post *p, int status, const char *slug, const char *detail, struct ark_error *err);
void filing_reply_refusal(struct exchange *x, struct post *p, const struct ark_error *err);
/* Checks what was given as metadata, and decides `file`; fails as filing_refuse(). */
int filing_metadata(struct post *p, const json_t *given, struct ark_error *err);
/* Who sees the public rendition alone builds on nothing: the answer would show the whole. False: replied. */
bool filing_whole_seen(struct exchange *x, const struct visit *v);
/* Answers from what was just filed: the filer knows it, nothing is opened. */
void filing_answer(struct exchange *x, struct visit *v, const struct filing *f, int status);

/* ---- filing_again.c ---- */

/* p->request, of Idempotency-Key. False: 400 is replied. */
bool filing_take_key(struct exchange *x, struct post *p);
/* A retry carries the If-Match of before its first success: its key answers it, not the condition. */
bool filing_version_repeats(struct exchange *x, struct visit *v);
/* p->request_digest, what the key stands for: a retry must say the same. */
void filing_digest(struct post *p);
/* Was it filed before? Then it is answered with what it became. */
bool filing_before(struct exchange *x, struct post *p);
void filing_replay(struct exchange *x, struct post *p, const char *document, uint32_t version);

/* ---- filing_upload.c ---- */

void filing_upload_body(struct exchange *x, struct post *p, const char *bytes, size_t len);
void filing_upload_finish(struct exchange *x, struct post *p);

#endif
