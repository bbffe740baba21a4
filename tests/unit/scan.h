/* Pages as a scanner would give them: texts of our own invention (no real person, unit or event), drawn
 * by pango and cairo, then spoiled on demand. For tests and benches of OCR. */
#ifndef ARKKI_TESTS_SCAN_H
#define ARKKI_TESTS_SCAN_H

#include <glib.h>
#include <leptonica/allheaders.h>
#include <pango/pangocairo.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arkki/base/buf.h"

enum { SCAN_WIDTH = 2480, SCAN_HEIGHT = 3508, SCAN_DPI = 300 }; /* A4 */

enum scan_language { SCAN_FI, SCAN_SV };

static const char *const scan_sentences[2][20] = {
    {
	"Tarkastuskäynnillä keskusteltiin yksikön johtajan ja kahden ohjaajan kanssa.",
	"Lasten huoneet olivat siistejä, ja jokaisella oli lukittava kaappi tavaroilleen.",
	"Rajoitustoimenpiteistä tehdyt päätökset oli kirjattu pääosin asianmukaisesti.",
	"Eristämistä koskevia päätöksiä oli vuoden aikana kolme, ja niiden perusteluja "
	"täydennetään.",
	"Henkilöstön määrä vastasi lupaehtoja, mutta yövuoroissa oli ollut vajausta kesäkuussa.",
	"Omavalvontasuunnitelma oli päivitetty, ja se oli nähtävillä yksikön ilmoitustaululla.",
	"Nuoret kertoivat, että ruoka on hyvää ja että harrastuksiin pääsee melkein aina.",
	"Lääkehoidon toteuttamisesta vastaa sairaanhoitaja, jonka työaika on yksikölle riittävä.",
	"Yhteydenpitoa rajoitettaessa on aina arvioitava, onko lievempi keino mahdollinen.",
	"Valvova viranomainen pyytää selvitystä kirjaamisen käytännöistä kuukauden kuluessa.",
	"Vanhempien kokouksessa toivottiin enemmän tietoa siitä, miten hoitosuunnitelmaa "
	"seurataan.",
	"Palotarkastuksessa havaitut puutteet on korjattu, ja poistumisreitit ovat vapaina.",
	"Sosiaalityöntekijä tapaa lapsen säännöllisesti, vähintään neljä kertaa vuodessa.",
	"Käynnistä ei ilmoitettu etukäteen, koska valvonta-asian selvittäminen edellytti sitä.",
	"Päiväjärjestys on kirjattu, ja siitä poiketaan lapsen tarpeiden mukaan.",
	"Hallintokanteluun annetaan vastaus erikseen, eikä asiaa käsitellä tässä kertomuksessa.",
	"Uusien työntekijöiden perehdytys kestää kaksi viikkoa ja sisältää lain vaatimukset.",
	"Oma puhelin otetaan haltuun vain päätöksellä, joka annetaan tiedoksi huoltajalle.",
	"Yksikössä on seitsemän paikkaa, joista käynnin aikana viisi oli käytössä.",
	"Seuraava käynti tehdään syksyllä, jolloin arvioidaan annetun ohjauksen vaikutus.",
    },
    {
	"Vid inspektionen samtalade man med enhetens föreståndare och två handledare.",
	"Barnens rum var prydliga, och alla hade ett låsbart skåp för sina saker.",
	"Besluten om begränsningsåtgärder hade i huvudsak antecknats på behörigt sätt.",
	"Under året hade tre beslut om isolering fattats, och motiveringarna ska kompletteras.",
	"Antalet anställda motsvarade villkoren i tillståndet, men på natten saknades personal.",
	"Planen för egenkontroll var uppdaterad och fanns till påseende i enhetens aula.",
	"De unga berättade att maten är god och att de nästan alltid får gå på sina hobbyer.",
	"En sjukskötare ansvarar för läkemedelsbehandlingen och har tillräckligt med arbetstid.",
	"När kontakten begränsas ska man alltid bedöma om en lindrigare metod är möjlig.",
	"Tillsynsmyndigheten begär inom en månad en utredning om hur anteckningarna görs.",
	"Föräldrarna önskade mera information om hur vårdplanen följs upp under hösten.",
	"Bristerna som observerades vid brandsyn har åtgärdats, och utrymningsvägarna är fria.",
	"Socialarbetaren träffar barnet regelbundet, minst fyra gånger om året.",
	"Besöket anmäldes inte på förhand, eftersom ärendet krävde att det utreddes så.",
	"Dagsprogrammet är skrivet, och man avviker från det enligt barnets behov.",
	"Klagomålet besvaras särskilt, och saken behandlas inte i denna berättelse.",
	"Introduktionen av nya anställda räcker två veckor och omfattar kraven i lagen.",
	"Barnets egen telefon tas om hand endast med ett beslut som delges vårdnadshavaren.",
	"Enheten har sju platser, av vilka fem var i bruk när besöket gjordes.",
	"Följande besök görs på våren, och då bedöms vilken verkan handledningen har haft.",
    },
};

/* xorshift: the same pages everywhere */
static inline uint32_t scan_random(uint32_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 17;
	*seed ^= *seed << 5;
	return *seed;
}

/* About 250 words in paragraphs. */
static inline void scan_text(struct buf *out, enum scan_language language, uint32_t seed)
{
	unsigned int order[20], n = 20;

	seed = seed * 2654435761u + 1;
	for (unsigned int i = 0; i < n; i++)
		order[i] = i;
	buf_adds(out, language == SCAN_FI ? "Tarkastuskertomus\n\n" : "Inspektionsberättelse\n\n");
	for (unsigned int turn = 0; turn < 30; turn++) {
		unsigned int i = turn % n, j = i + scan_random(&seed) % (n - i), swap = order[i];

		order[i] = order[j];
		order[j] = swap;
		buf_adds(out, scan_sentences[language][order[i]]);
		buf_adds(out, turn % 4 == 3 ? "\n\n" : " ");
	}
}

/* Ended with pixDestroy(). */
static inline PIX *scan_render(const char *text, const char *font)
{
	cairo_surface_t *surface =
	    cairo_image_surface_create(CAIRO_FORMAT_RGB24, SCAN_WIDTH, SCAN_HEIGHT);
	cairo_t *cr = cairo_create(surface);
	PangoLayout *layout = pango_cairo_create_layout(cr);
	PangoFontDescription *wanted = pango_font_description_from_string(font);
	PIX *pix = pixCreate(SCAN_WIDTH, SCAN_HEIGHT, 8);
	const unsigned char *bytes;

	cairo_set_source_rgb(cr, 1, 1, 1);
	cairo_paint(cr);
	cairo_set_source_rgb(cr, 0, 0, 0);
	cairo_translate(cr, 250, 250);
	/* pango counts 96 dots an inch */
	pango_font_description_set_size(
	    wanted, (int)(pango_font_description_get_size(wanted) * (double)SCAN_DPI / 96));
	pango_layout_set_font_description(layout, wanted);
	pango_layout_set_width(layout, (SCAN_WIDTH - 500) * PANGO_SCALE);
	pango_layout_set_text(layout, text, -1);
	pango_cairo_show_layout(cr, layout);
	cairo_surface_flush(surface);
	bytes = cairo_image_surface_get_data(surface);
	for (int y = 0; y < SCAN_HEIGHT; y++) {
		for (int x = 0; x < SCAN_WIDTH; x++)
			pixSetPixel(pix, x, y,
			    bytes[y * cairo_image_surface_get_stride(surface) + 4 * x + 1]);
	}
	pixSetResolution(pix, SCAN_DPI, SCAN_DPI);
	pango_font_description_free(wanted);
	g_object_unref(layout);
	cairo_destroy(cr);
	cairo_surface_destroy(surface);
	return pix;
}

/* Takes pix. */
static inline PIX *scan_turn(PIX *pix, double degrees)
{
	PIX *turned = pixRotate(
	    pix, (float)(degrees * 3.14159265 / 180), L_ROTATE_AREA_MAP, L_BRING_IN_WHITE, 0, 0);

	pixDestroy(&pix);
	return turned;
}

static inline PIX *scan_turn_orth(PIX *pix, int quarters)
{
	PIX *turned = pixRotateOrth(pix, quarters);

	pixDestroy(&pix);
	return turned;
}

static inline PIX *scan_blur(PIX *pix)
{
	PIX *blurred = pixBlockconv(pix, 2, 2);

	pixDestroy(&pix);
	return blurred;
}

/* per_mille of the pixels become black or white */
static inline void scan_salt_and_pepper(PIX *pix, unsigned int per_mille, uint32_t seed)
{
	int width = pixGetWidth(pix), height = pixGetHeight(pix);
	uint64_t n = (uint64_t)width * (uint64_t)height * per_mille / 1000;

	while (n--) {
		int x = (int)(scan_random(&seed) % (uint32_t)width);
		int y = (int)(scan_random(&seed) % (uint32_t)height);

		pixSetPixel(pix, x, y, scan_random(&seed) & 64 ? 255 : 0);
	}
}

static inline GHashTable *scan_words(const char *text)
{
	GHashTable *words = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	gchar *lower = g_utf8_strdown(text, -1);
	gchar **all = g_strsplit_set(lower, " \n\f.,;:", -1);

	for (gchar **w = all; *w; w++) {
		gpointer n = g_hash_table_lookup(words, *w);

		if (**w)
			g_hash_table_replace(
			    words, g_strdup(*w), GINT_TO_POINTER(GPOINTER_TO_INT(n) + 1));
	}
	g_strfreev(all);
	g_free(lower);
	return words;
}

/* Share of the words of `truth` that `text` has, each as often as it stands there. */
static inline double scan_recall(const char *truth, const char *text)
{
	GHashTable *want = scan_words(truth), *have = scan_words(text);
	GHashTableIter it;
	gpointer word, n;
	int all = 0, found = 0;

	g_hash_table_iter_init(&it, want);
	while (g_hash_table_iter_next(&it, &word, &n)) {
		int times = GPOINTER_TO_INT(g_hash_table_lookup(have, word));

		all += GPOINTER_TO_INT(n);
		found += times < GPOINTER_TO_INT(n) ? times : GPOINTER_TO_INT(n);
	}
	g_hash_table_destroy(want);
	g_hash_table_destroy(have);
	return all ? (double)found / all : 1;
}

#endif
