/* The forms in which a word stands before another in a compound: "lapsi suojelu" is written "lastensuojelu",
 * "yksikkö valvonta" also "yksikönvalvonta", "tillsyn plan" "tillsynsplan".
 *
 * libvoikko analyses and does not inflect. So forms are made with more endings than any one word has, and of the Finnish
 * ones those stay whose compound libvoikko takes apart into just the words that were typed. For Swedish there is
 * no such judge: what nobody wrote is not in the index.
 */
#include <string.h>

#include "index/query_internal.h"

/* What a Finnish base form ends with, and what stands there in a genitive or before another part. The consonants before
 * it are changed apart from that. */
static const struct ending {
	const char *base, *linked;
} fi_endings[] = {
    {"", "n"},                    /* osasto, osaston */
    {"psi", "psen"},              /* lapsi, lapsen */
    {"psi", "sten"},              /* lasten */
    {"si", "den"},                /* vuosi, vuoden */
    {"si", "sien"},               /* vuosi, vuosien */
    {"ksi", "hden"},              /* yksi, yhden */
    {"nen", "s"},                 /* sijainen, sijais- */
    {"nen", "sen"},               /* ihminen, ihmisen */
    {"nen", "sten"},              /* ihmisten */
    {"i", "en"},                  /* kieli, kielen */
    {"i", "ien"},                 /* kieli, kielien */
    {"i", "ten"},                 /* kieli, kielten */
    {"e", "een"},                 /* perhe, perheen */
    {"e", "eiden"},               /* perheiden */
    {"us", "uden"},               /* vastuullisuus, -suuden */
    {"ys", "yden"},               /* yhteys, yhteyden */
    {"s", "den"},                 /* oikeus, oikeuden; terveys, terveyden */
    {"s", "ksien"},               /* oikeuksien */
    {"s", "ksen"},                /* palvelus, palveluksen */
    {"s", "sten"},                /* vanhus, vanhusten */
    {"as", "aan"},                /* asiakas, asiakkaan */
    {"as", "aiden"},              /* asiakkaiden */
    {"in", "imen"},               /* puhelin, puhelimen */
    {"a", "ien"},                 /* kunta, kuntien */
    {"a", "ojen"},                /* asiakirja, asiakirjojen */
    {"a", "oiden"},               /* sairaaloiden */
    {"\xC3\xA4", "ien"},          /* päivä, päivien */
    {"\xC3\xA4", "\xC3\xB6iden"}, /* tekijä, tekijöiden */
    {"o", "ojen"},                /* huolto, huoltojen */
    {"u", "ujen"},                /* palvelu, palvelujen */
    {"u", "uiden"},               /* palveluiden */
    {"y", "yjen"},                /* hylky, hylkyjen */
    {"\xC3\xB6", "\xC3\xB6jen"},  /* yksikkö, yksikköjen */
    {"\xC3\xB6", "\xC3\xB6iden"}, /* yksiköiden */
};

/* Consonants before the last vowel of a base form, and what they are in a genitive; the longer first. */
static const struct ending fi_weaker[] = {{"kk", "k"}, {"pp", "p"}, {"tt", "t"}, {"nk", "ng"},
    {"mp", "mm"}, {"nt", "nn"}, {"lt", "ll"}, {"rt", "rr"}, {"k", ""}, {"p", "v"}, {"t", "d"}};
/* The other way round where the base form ends with e, s or n: asiakas, asiakkaan. */
static const struct ending fi_stronger[] = {{"k", "kk"}, {"p", "pp"}, {"t", "tt"}, {"d", "t"}};

static const struct ending sv_endings[] = {
    {"", "s"}, {"a", ""}, {"a", "o"}, {"a", "u"}, {"e", ""}, {"e", "s"}};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static bool ends(const char *text, size_t len, const char *end)
{
	size_t n = strlen(end);

	return len > n && !memcmp(text + len - n, end, n);
}

/* The last vowel of what is before `at` and behind the consonants: 1 or 2 bytes. */
static size_t vowel_len(const char *text, size_t len)
{
	return len >= 2 && (unsigned char)text[len - 2] == 0xC3 ? 2 : 1;
}

/* The base with its consonants changed. 0: they are others. */
static size_t graded(const char *base, size_t len, const struct ending *e, const struct ending *g,
    char out[ANALYSE_WORD_MAX + 8])
{
	size_t tail = *e->base ? strlen(e->base) : vowel_len(base, len), n = len - tail;

	if (n < 2 || (*g->base && !ends(base, n, g->base)))
		return 0;
	n -= strlen(g->base);
	memcpy(out, base, n);
	memcpy(out + n, g->linked, strlen(g->linked));
	n += strlen(g->linked);
	if (!*e->base) {
		memcpy(out + n, base + len - tail, tail);
		n += tail;
	}
	memcpy(out + n, e->linked, strlen(e->linked));
	return n + strlen(e->linked);
}

static bool is_graded_up(const struct ending *e)
{
	return *e->base == 'e' || (*e->base && e->base[strlen(e->base) - 1] == 's') ||
	       !strcmp(e->base, "in");
}

/* As it is, and with the first change that fits. */
static int each_grade(
    const char *base, size_t len, const struct ending *e, query_each_form *each, void *arg)
{
	static const struct ending same = {"", ""};
	bool up = is_graded_up(e);
	const struct ending *grades = up ? fi_stronger : fi_weaker;
	size_t count = up ? COUNT(fi_stronger) : COUNT(fi_weaker), n = 0;
	char form[ANALYSE_WORD_MAX + 8];
	int r;

	n = graded(base, len, e, &same, form);
	r = n ? each(arg, form, n) : 0;
	n = 0;
	for (size_t g = 0; !n && g < count; g++)
		n = graded(base, len, e, &grades[g], form);
	return r || !n ? r : each(arg, form, n);
}

int query_link_fi(const char *base, size_t len, query_each_form *each, void *arg)
{
	int r = 0;

	if (len < 3 || len > ANALYSE_WORD_MAX - 8)
		return 0;
	for (size_t e = 0; !r && e < COUNT(fi_endings); e++)
		if (ends(base, len, fi_endings[e].base))
			r = each_grade(base, len, &fi_endings[e], each, arg);
	return r;
}

int query_link_sv(const char *base, size_t len, query_each_form *each, void *arg)
{
	char form[ANALYSE_WORD_MAX + 8];
	int r = 0;

	if (len < 3 || len > ANALYSE_WORD_MAX - 8)
		return 0;
	for (size_t e = 0; !r && e < COUNT(sv_endings); e++) {
		size_t n = len - strlen(sv_endings[e].base);

		if (!ends(base, len, sv_endings[e].base))
			continue;
		memcpy(form, base, n);
		memcpy(form + n, sv_endings[e].linked, strlen(sv_endings[e].linked));
		r = each(arg, form, n + strlen(sv_endings[e].linked));
	}
	return r;
}
