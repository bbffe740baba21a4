/* What the pages say, in Finnish, Swedish and English.
 *
 * One catalogue, api/i18n_strings.def. A sentence that lacks a language does not
 * compile. Names of types, units and organisations are not here: they are
 * records of the archive and come from the registry.
 *
 * Pure: no state, no allocation. Threads: any.
 */
#ifndef ARKKI_API_I18N_H
#define ARKKI_API_I18N_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "arkki/api/http.h"

#define I18N_LANGUAGES 3

enum say {
#define TEXT(name, fi, sv, en) SAY_##name,
#define PLURAL(name, fi1, fin, sv1, svn, en1, enn) SAY_##name, SAY_##name##_MANY,
#include "api/i18n_strings.def"
#undef TEXT
#undef PLURAL
	SAY_COUNT
};

/* Borrowed, static. */
const char *i18n_text(enum http_language language, enum say what);
/* The form of a PLURAL for this count: in all three languages one form is for 1 alone. */
enum say i18n_plural(enum say what, uint64_t count);
const char *i18n_code(enum http_language language); /* "fi" */
/* The name of a language in the reader's own: "ruotsi". NULL: not one of ours. */
const char *i18n_language_name(enum http_language language, const char *code);
/* record.name in the reader's language, else Finnish, Swedish, English, else the record's id. A name
 * may be plain text too. Borrowed from the record; NULL without one. ret_language (may be NULL) is the
 * code of the language it is in, or NULL. */
const char *i18n_name(enum http_language language, const json_t *record, const char **ret_language);

enum { I18N_SIZE = 48 };
/* 12345 -> "12 345" with no-break spaces ("12,345" in English). */
void i18n_number(char out[I18N_SIZE], enum http_language language, uint64_t n);
/* 1423000 -> "1,4 Mt", "1,4 MB", "1.4 MB". */
void i18n_bytes(char out[I18N_SIZE], enum http_language language, uint64_t bytes);
/* "2026-03-12" -> "12.3.2026" whatever the language; other text as it is. */
void i18n_date(char out[I18N_SIZE], const char *date);
/* "12.3.2026 klo 10.15": Finnish time. */
void i18n_time(char out[I18N_SIZE], enum http_language language, int64_t time_us);
/* What a person typed: "12.3.2026" or "2026-03-12" -> "2026-03-12". False: no such day. */
bool i18n_date_read(const char *typed, char ret[11]);

#endif
