/* index.sqlite finds entries: by document, principal, organisation and time, those behind broken
 * glass, and the place of each in the segments. In the clear stand document ids, times and keyed
 * hashes of principals and organisations. It can be rebuilt from the segments at any time.
 *
 * It knows rows; not records, keys or files of segments.
 * Threads: one connection belongs to one thread at a time.
 * Durability: WAL, synchronous=NORMAL; a lost tail is filled in at the next start.
 */
#ifndef ARKKI_ARCHIVE_LEDGER_INDEX_H
#define ARKKI_ARCHIVE_LEDGER_INDEX_H

#include <stdbool.h>
#include <stddef.h>

#include "archive/ledger_sequence.h"
#include "arkki/base/error.h"

struct ledger_row {
	uint64_t index;
	int64_t time_us;
	uint64_t offset;
	uint64_t document_sequence, principal_sequence; /* 0: none */
	uint32_t segment;
	bool has_document, has_principal, has_org, has_author, has_about, own_series;
	bool glass; /* behind broken glass */
	unsigned char document[16], principal[16], org[16], author[16];
	uint64_t about; /* another entry */
};

enum ledger_index_mode {
	LEDGER_INDEX_WRITE,  /* makes the file when there is none, or one of an older version */
	LEDGER_INDEX_READ,   /* ARK_ENOTFOUND when there is none, or one of an older version */
	LEDGER_INDEX_MEMORY, /* a new one that dies with the connection; path is not used */
};

struct ledger_index;
ARK_MUSTUSE int ledger_index_open(const char *path, enum ledger_index_mode mode,
    struct ledger_index **ret, struct ark_error *err);
void ledger_index_close(struct ledger_index *ix);

/* The first index that has no row. */
ARK_MUSTUSE int ledger_index_size(struct ledger_index *ix, uint64_t *ret, struct ark_error *err);
/* All rows in one transaction. */
ARK_MUSTUSE int ledger_index_apply(
    struct ledger_index *ix, const struct ledger_row *rows, size_t n, struct ark_error *err);
/* The newest sequence number of a series; 0: none yet. */
ARK_MUSTUSE int ledger_index_last(
    struct ledger_index *ix, const struct sequence_key *key, uint64_t *ret, struct ark_error *err);
/* The same, and the index of that entry. */
ARK_MUSTUSE int ledger_index_newest(struct ledger_index *ix, const struct sequence_key *key,
    uint64_t *ret, uint64_t *ret_index, struct ark_error *err);
/* One snapshot for everything that is read from now on: many times faster than one for each row. */
ARK_MUSTUSE int ledger_index_hold(struct ledger_index *ix, struct ark_error *err);
/* ARK_ENOTFOUND: no such row. */
ARK_MUSTUSE int ledger_index_locate(struct ledger_index *ix, uint64_t index, uint32_t *ret_segment,
    uint64_t *ret_offset, struct ark_error *err);

struct ledger_index_query {
	const unsigned char *document, *principal; /* 16 bytes, or NULL: any */
	int64_t from_us, to_us;                    /* 0: open */
	uint64_t after;                            /* indices >= this */
	uint64_t before;                           /* indices < this */
	bool newest_first;
	bool glass; /* only those behind broken glass */
	const unsigned char (
	    *orgs)[16];  /* NULL: any; else theirs or on their documents, no own series */
	size_t orgs_len; /* at most LEDGER_INDEX_ORGS_MAX */
};
enum { LEDGER_INDEX_ORGS_MAX = 64 };
typedef int (*ledger_index_each)(void *arg, uint64_t index, uint32_t segment, uint64_t offset);
/* A non-zero return of `each` stops and is returned. */
ARK_MUSTUSE int ledger_index_find(struct ledger_index *ix, const struct ledger_index_query *q,
    ledger_index_each each, void *arg, struct ark_error *err);
/* The first entry of a series that is about another; ARK_ENOTFOUND: none. */
ARK_MUSTUSE int ledger_index_about(
    struct ledger_index *ix, uint64_t about, bool own, uint64_t *ret, struct ark_error *err);

#endif
