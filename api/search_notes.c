#include "api/search_notes.h"

static const struct said {
	const char *name;
	enum say said;
} notes[] = {
    [NOTE_UNCLOSED_QUOTE] = {"unclosed-quote", SAY_NOTE_UNCLOSED_QUOTE},
    [NOTE_UNCLOSED_PAREN] = {"unclosed-parenthesis", SAY_NOTE_UNCLOSED_PAREN},
    [NOTE_STRAY_PAREN] = {"stray-parenthesis", SAY_NOTE_STRAY_PAREN},
    [NOTE_BARE_OPERATOR] = {"bare-operator", SAY_NOTE_BARE_OPERATOR},
    [NOTE_UNKNOWN_FIELD] = {"unknown-field", SAY_NOTE_UNKNOWN_FIELD},
    [NOTE_UNKNOWN_VALUE] = {"unknown-value", SAY_NOTE_UNKNOWN_VALUE},
    [NOTE_BAD_DATE] = {"bad-date", SAY_NOTE_BAD_DATE},
    [NOTE_SHORT_WILDCARD] = {"short-wildcard", SAY_NOTE_SHORT_WILDCARD},
    [NOTE_WILDCARD_CUT] = {"wildcard-cut", SAY_NOTE_WILDCARD_CUT},
    [NOTE_ONLY_EXCLUDED] = {"only-excluded", SAY_NOTE_ONLY_EXCLUDED},
    [NOTE_TOO_DEEP] = {"too-deep", SAY_NOTE_TOO_DEEP},
    [NOTE_TOO_MANY_WORDS] = {"too-many-words", SAY_NOTE_TOO_MANY_WORDS},
    [NOTE_TOO_MANY_OPERATORS] = {"too-many-operators", SAY_NOTE_TOO_MANY_OPERATORS},
};

const char *search_note_name(enum search_note_kind kind)
{
	return notes[kind].name;
}

enum say search_note_said(enum search_note_kind kind)
{
	return notes[kind].said;
}
