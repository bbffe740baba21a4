/* The two writings of a table of synonyms, read term by term: the shipped one (lines with tabs) and
 * the administrator's (JSON). Everything that a table must fulfil is checked here. */
#ifndef ARKKI_INDEX_SYNONYMS_READ_H
#define ARKKI_INDEX_SYNONYMS_READ_H

#include <jansson.h>

#include "arkki/base/error.h"
#include "arkki/index/analyse.h"

/* Each term of an entry, then that it ends. Non-zero stops and becomes the result. */
struct synonyms_reader {
	int (*term)(void *arg, enum analyse_language language, const char *text, size_t len);
	int (*end)(void *arg);
	void *arg;
};

ARK_MUSTUSE int synonyms_read_table(
    const json_t *table, const struct synonyms_reader *reader, struct ark_error *err);
ARK_MUSTUSE int synonyms_read_shipped(const struct synonyms_reader *reader, struct ark_error *err);
/* Lines as in index/bridge.tsv. ARK_EINPUT names the line. */
ARK_MUSTUSE int synonyms_read_lines(
    const char *text, const struct synonyms_reader *reader, struct ark_error *err);

#endif
