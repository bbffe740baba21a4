/* What a note on a query is called, and what it says to a reader. Pure. */
#ifndef ARKKI_API_SEARCH_NOTES_H
#define ARKKI_API_SEARCH_NOTES_H

#include "api/i18n.h"
#include "arkki/index/search.h"

const char *search_note_name(enum search_note_kind kind); /* "unclosed-quote" */
enum say search_note_said(enum search_note_kind kind);

#endif
