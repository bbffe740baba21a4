/* What the files of the analyser share. An analysis is a packed list of terms,
 * so that a cache entry is one block of bytes. */
#ifndef ARKKI_INDEX_ANALYSE_INTERNAL_H
#define ARKKI_INDEX_ANALYSE_INTERNAL_H

#include <libstemmer.h>
#include <libvoikko/voikko.h>

#include "arkki/base/buf.h"
#include "arkki/index/analyse.h"
#include "index/words.h"

struct analysis {
	struct buf packed; /* kind, length, bytes, NUL; repeated */
};

void analysis_add(struct analysis *out, enum analyse_kind kind, const char *term, size_t len);
/* Calls each(); returns what it returned when not 0. */
int analysis_each(const struct analysis *a, analyse_each_term each, void *arg);

struct analyser {
	struct VoikkoHandle *voikko;
	struct sb_stemmer *stemmer[ANALYSE_LANGUAGES]; /* NULL for Swedish */
	struct analyse_cache *cache;                   /* may be NULL */
	struct analysis found;                         /* of the word in hand */
};

/* Key space of the cache: a word has one analysis a language, and one as part of a compound. */
enum cache_space { CACHE_FI = 'f', CACHE_SV = 's', CACHE_EN = 'e', CACHE_PART = 'p' };
/* Appends the entry to *out; false when there is none. cache may be NULL. */
bool cache_get(
    struct analyse_cache *c, enum cache_space space, const char *word, size_t len, struct buf *out);
void cache_put(struct analyse_cache *c, enum cache_space space, const char *word, size_t len,
    const struct buf *entry);

/* What terms a word has in any of the languages, as 16 bits of each one's hash: enough to say of nearly every word
 * of a text that it is none of those looked for, without its language and without its analysis. */
#define SKETCH_TERMS 11u
struct sketch {
	uint64_t hash; /* of the word */
	uint8_t len;
	bool more; /* than there is room for: it may have any */
	uint16_t term[SKETCH_TERMS];
};
uint16_t sketch_term(const char *term, size_t len);
void sketch_add(struct sketch *s, uint16_t term);
bool sketch_get(struct analyse_cache *c, const char *word, size_t len, struct sketch *ret);
void sketch_put(struct analyse_cache *c, const char *word, size_t len, struct sketch *s);

/* Terms that are looked for. */
struct analyse_wanted {
	uint64_t bits[1024];
};
void analyse_wanted_add(struct analyse_wanted *w, const char *term, size_t len);
/* *ret false: the word (normalised) has none of them in any language. True: it may. */
ARK_MUSTUSE int analyse_may_have(struct analyser *a, const char *word, size_t len,
    const struct analyse_wanted *w, bool *ret, struct ark_error *err);

/* Where the paragraph that begins at `start` ends. */
size_t analyse_paragraph_end(const char *text, size_t len, size_t start);

/* `word` is normalised, `lower` its lower case. They append to *out; out of memory is sticky there. */
void analyse_fi(struct analyser *a, const char *word, const char *lower, struct analysis *out);
void analyse_sv(const char *lower, size_t len, struct analysis *out);
/* The length of the word without an ending. */
size_t analyse_sv_stem(const char *lower, size_t len);
/* Where a Swedish word in lower case may be cut into two: the first part's length, and where the second begins. How many
 * readings; 0 also without a dictionary. */
#define SV_CUTS 2u
struct sv_cut {
	size_t first, second;
};
size_t analyse_sv_split(const char *word, size_t len, struct sv_cut cuts[SV_CUTS]);
void analyse_snowball(struct analyser *a, enum analyse_language language, const char *lower,
    size_t len, struct analysis *out);

#endif
