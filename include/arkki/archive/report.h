/* A signed report: JSON that stands for itself on a machine that has never seen the archive.
 *
 *   {"report":{…},"checkpoints":{"history":"<signed note>","access":"<signed note>"},"note":"<signed note>"}
 *
 * The note is signed by the history log's key over five lines:
 *   arkki-report/v1
 *   <origin>/history
 *   <hex SHA-256 of the JSON text of `report`, compact, its members in the order they have>
 *   <hex SHA-256 of checkpoints.history>
 *   <hex SHA-256 of checkpoints.access>
 * so what the report says is tied to what both logs held when it was made. Other members beside these three
 * are not signed and mean nothing to a check.
 *
 * It knows texts, keys and logs; not what a report tells. Threads: any.
 */
#ifndef ARKKI_ARCHIVE_REPORT_H
#define ARKKI_ARCHIVE_REPORT_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "arkki/archive/archive.h"
#include "arkki/base/error.h"

#define REPORT_TITLE "arkki-report/v1"
enum { REPORT_MAX = 256 << 20, REPORT_KEYS_MAX = 8 };

/* Takes the reference to `report`. The checkpoints are of now, and cover every entry that is durable now.
 * *ret is the caller's. */
ARK_MUSTUSE int report_sign(struct archive *a, json_t *report, json_t **ret, struct ark_error *err);

struct report_verdict {
	uint64_t history_size,
	    access_size;      /* of the checkpoints; access_size: where its key was given */
	uint64_t disclosures; /* that were checked */
	bool access;          /* the access log's key was given, and all of that log holds */
};
/* vkeys: the history log's verifier key; beside it the access log's, which checks that log's checkpoint and
 * the disclosures in entries[], last and ownLast of report.documents[]; those in filings[] are of the history log. ARK_EINPUT: not a report;
 * ARK_ECORRUPT: it is false, and the text says where; ARK_ENOTFOUND: signed by none of the keys. Reads nothing but its
 * arguments. */
ARK_MUSTUSE int report_check(const json_t *sealed, const char *const *vkeys, size_t vkeys_len,
    struct report_verdict *ret, struct ark_error *err);

#endif
