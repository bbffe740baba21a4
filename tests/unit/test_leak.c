/* The leak test of renditions, with PDFs made here: what a box covers, what a field, an attachment and an earlier revision
 * still say. All names are invented. */
#include "tests/unit/unit_extract.h"

#include <cairo-pdf.h>

#include "api/leak.h"
#include "arkki/base/json.h"
#include "index/leak_words.h"

static const char original[] =
    "Tarkastuskertomus. Yksikössä kuultiin ohjaaja Tuulikki Esimerkkiä, puhelin 0401234567. "
    "Yövuorossa oli kaksi aikuista.\n";
#define SEEN "BT /F 12 Tf 40 700 Td (Tarkastuskertomus. Yovuorossa oli kaksi aikuista.) Tj ET\n"
#define NAME "BT /F 12 Tf 40 650 Td (ohjaaja Tuulikki) Tj ET\n"
#define BOX "0 0 0 rg 30 640 300 30 re f\n"

/* A page with this content; `more` are objects from 6 on, root and info go into the catalogue and the trailer. */
static void pdf(
    struct buf *out, const char *content, const char *root, const char *more, const char *info)
{
	buf_addf(out,
	    "%%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R%s>>endobj\n"
	    "2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n"
	    "3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R/Resources"
	    "<</Font<</F 5 0 R>>>>>>endobj\n"
	    "4 0 obj<</Length %zu>>stream\n%sendstream endobj\n"
	    "5 0 obj<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>endobj\n%s"
	    "trailer<</Root 1 0 R%s>>\nstartxref\n0\n%%%%EOF\n",
	    root, strlen(content), content, more, info);
}

static json_t *check_with(
    const struct buf *file, const char *name, const struct extract_config *ocr)
{
	const struct leak_ask ask = {.ocr = ocr,
	    .original = original,
	    .original_len = strlen(original),
	    .bytes = file->data,
	    .len = file->len,
	    .media_type = "application/pdf",
	    .file_name = name};
	struct ark_error err = {0};
	json_t *report = NULL;

	if (leak_check(extractor, &ask, &report, &err) != ARK_OK)
		fail_msg("%s", err.text);
	return report;
}

static json_t *check_named(const struct buf *file, const char *name)
{
	return check_with(file, name, NULL);
}

/* Takes file. */
static void expect(struct buf *file, const char *where, const char *detail, const char *example)
{
	json_t *report = check_named(file, "julkinen.pdf");
	const json_t *places = json_object_get(report, "places"), *place;
	char *text = json_dumps(report, 0);
	bool found = false;
	size_t i;

	/* what is in no font of its own is in doubt, and nothing of it left */
	if (where || !json_object_get(report, "reason"))
		assert_string_equal(json_text(report, "outcome"), where ? "leaks" : "clean");
	json_array_foreach(places, i, place)
	{
		const char *first =
		    json_string_value(json_array_get(json_object_get(place, "examples"), 0));

		found |= where && strcmp(json_text(place, "where"), where) == 0 &&
			 strcmp(json_text(place, "detail"), detail) == 0 && first &&
			 strcmp(first, example) == 0;
	}
	if (where && (!found || json_array_size(places) != 1))
		fail_msg("not %s, %s, %s alone: %s", where, detail, example, text);
	assert_int_equal(json_integer_value(json_object_get(report, "removed")) > 3, 1);
	assert_false(where && leak_clean(report));
	free(text);
	json_decref(report);
	buf_free(file);
}

/* A drawing with fonts of its own, as programs make them. */
static cairo_status_t take(void *arg, const unsigned char *bytes, unsigned int len)
{
	buf_add(arg, bytes, len);
	return CAIRO_STATUS_SUCCESS;
}

static void drawn(struct buf *out, const char *name, bool boxed, double grey)
{
	cairo_surface_t *s = cairo_pdf_surface_create_for_stream(take, out, 595, 842);
	cairo_t *cr = cairo_create(s);

	cairo_select_font_face(
	    cr, "DejaVu Sans", CAIRO_FONT_SLANT_NORMAL, CAIRO_FONT_WEIGHT_NORMAL);
	cairo_set_font_size(cr, 12);
	cairo_move_to(cr, 40, 100);
	cairo_show_text(cr, "Tarkastuskertomus. Yövuorossa oli kaksi aikuista.");
	cairo_set_source_rgb(cr, grey, grey, grey);
	cairo_move_to(cr, 40, 150);
	cairo_show_text(cr, name);
	if (boxed) {
		cairo_rectangle(cr, 30, 135, 300, 25);
		cairo_fill(cr);
	}
	cairo_destroy(cr);
	cairo_surface_destroy(s);
}

static void test_leak__what_is_drawn_is_told_from_what_is_covered(void **state)
{
	struct buf file = BUF_INIT;

	(void)state;
	drawn(&file, "", false, 0);
	expect(&file, NULL, NULL, NULL);
	drawn(&file, "ohjaaja Tuulikki", true, 0);
	expect(&file, "text-layer", "page 1", "tuulikki");
	drawn(&file, "ohjaaja Tuulikki", false, 1);
	expect(&file, "text-layer", "page 1", "tuulikki");
	drawn(&file, "ohjaaja Tuulikki", false, 0.5);
	expect(&file, NULL, NULL, NULL);
}

static void test_leak__a_font_that_is_not_there_leaves_doubt(void **state)
{
	struct buf file = BUF_INIT;
	json_t *report;

	(void)state;
	pdf(&file, SEEN NAME, "", "", "");
	report = check_named(&file, NULL);
	assert_string_equal(json_text(report, "outcome"), "unknown");
	assert_string_equal(json_text(report, "reason"), "fonts");
	json_decref(report);
	buf_free(&file);
}

static void test_leak__a_box_over_words_leaves_them_in_the_text_layer(void **state)
{
	struct buf file = BUF_INIT;

	(void)state;
	pdf(&file, SEEN NAME BOX, "", "", "");
	expect(&file, "text-layer", "page 1", "tuulikki");
}

static void test_leak__white_words_on_white_are_not_seen(void **state)
{
	struct buf file = BUF_INIT;

	(void)state;
	pdf(&file, SEEN "1 1 1 rg " NAME, "", "", "");
	expect(&file, "text-layer", "page 1", "tuulikki");
}

static void test_leak__words_that_are_seen_were_not_removed(void **state)
{
	struct buf file = BUF_INIT;

	(void)state;
	pdf(&file, SEEN NAME, "/Outlines 6 0 R",
	    "6 0 obj<</First 7 0 R/Last 7 0 R>>endobj 7 0 obj<</Title(Tuulikki)/Parent 6 0 "
	    "R>>endobj\n",
	    "");
	expect(&file, NULL, NULL, NULL);
}

static void test_leak__a_metadata_field_tells(void **state)
{
	struct buf file = BUF_INIT;

	(void)state;
	pdf(&file, SEEN, "", "6 0 obj<</Title(Kuultava Tuulikki)>>endobj\n", "/Info 6 0 R");
	expect(&file, "metadata", "title", "tuulikki");
}

static void test_leak__a_bookmark_tells(void **state)
{
	struct buf file = BUF_INIT;

	(void)state;
	pdf(&file, SEEN, "/Outlines 6 0 R",
	    "6 0 obj<</First 7 0 R/Last 7 0 R>>endobj 7 0 obj<</Title(Tuulikki)/Parent 6 0 "
	    "R>>endobj\n",
	    "");
	expect(&file, "outline", "outline", "tuulikki");
}

static void test_leak__an_attachment_tells(void **state)
{
	struct buf file = BUF_INIT;

	(void)state;
	pdf(&file, SEEN, "/Names<</EmbeddedFiles<</Names[(a)6 0 R]>>>>",
	    "6 0 obj<</Type/Filespec/F(tuulikki.txt)/UF(tuulikki.txt)/EF<</F 7 0 R>>>>endobj\n"
	    "7 0 obj<</Type/EmbeddedFile/Length 4>>stream\nabc\nendstream endobj\n",
	    "");
	expect(&file, "attachment", "attachment", "tuulikki");
}

static void test_leak__an_earlier_revision_tells(void **state)
{
	struct buf file = BUF_INIT;

	(void)state;
	pdf(&file, SEEN NAME, "", "", "");
	buf_addf(&file,
	    "4 0 obj<</Length %zu>>stream\n%sendstream endobj\ntrailer<</Root 1 0 "
	    "R>>\nstartxref\n0\n%%%%EOF\n",
	    strlen(SEEN), SEEN);
	expect(&file, "revision", "revision 1", "tuulikki");
}

static void test_leak__a_file_name_tells(void **state)
{
	struct buf file = BUF_INIT;
	json_t *report;
	char *text;

	(void)state;
	pdf(&file, SEEN, "", "", "");
	report = check_named(&file, "kuultava-0401234567.pdf");
	text = json_dumps(report, 0);
	assert_non_null(strstr(text, "\"where\": \"file-name\""));
	assert_non_null(strstr(text, "[\"0401234567\"]"));
	free(text);
	json_decref(report);
	buf_free(&file);
}

static void test_leak__what_cannot_be_read_is_not_called_clean(void **state)
{
	struct buf file = BUF_INIT;
	json_t *report;

	(void)state;
	buf_adds(&file, "%PDF-1.4 of nothing");
	report = check_named(&file, NULL);
	assert_string_equal(json_text(report, "outcome"), "unknown");
	assert_string_equal(json_text(report, "reason"), "unreadable");
	json_decref(report);
	buf_free(&file);
}

/* ---- pictures ---- */

#define KEPT "Tarkastuskertomus. Yövuorossa oli kaksi aikuista."
#define GONE "Yksikössä kuultiin ohjaaja Tuulikki Esimerkkiä."
enum { LINES_MAX = 2 };

/* A page whose lines are a picture of 300 dpi; text: a line of real text above it; box: drawn over the second line. */
static void scanned(struct buf *out, const char *const lines[LINES_MAX], const char *text, bool box)
{
	cairo_surface_t *s = cairo_pdf_surface_create_for_stream(take, out, 595, 842);
	cairo_surface_t *scan = cairo_image_surface_create(CAIRO_FORMAT_RGB24, 2000, 500);
	cairo_t *cr = cairo_create(scan);

	cairo_set_source_rgb(cr, 1, 1, 1);
	cairo_paint(cr);
	cairo_set_source_rgb(cr, 0, 0, 0);
	cairo_select_font_face(
	    cr, "DejaVu Sans", CAIRO_FONT_SLANT_NORMAL, CAIRO_FONT_WEIGHT_NORMAL);
	cairo_set_font_size(cr, 46);
	for (int i = 0; i < LINES_MAX && lines[i]; i++) {
		cairo_move_to(cr, 100, 150 + 200 * i);
		cairo_show_text(cr, lines[i]);
	}
	cairo_destroy(cr);
	cr = cairo_create(s);
	cairo_select_font_face(
	    cr, "DejaVu Sans", CAIRO_FONT_SLANT_NORMAL, CAIRO_FONT_WEIGHT_NORMAL);
	cairo_set_font_size(cr, 12);
	cairo_move_to(cr, 40, 100);
	cairo_show_text(cr, text);
	cairo_save(cr);
	cairo_translate(cr, 40, 200);
	cairo_scale(cr, 0.24, 0.24);
	cairo_set_source_surface(cr, scan, 0, 0);
	cairo_paint(cr);
	if (box) {
		cairo_set_source_rgb(cr, 0, 0, 0);
		cairo_rectangle(cr, 80, 280, 1900, 110);
		cairo_fill(cr);
	}
	cairo_restore(cr);
	cairo_destroy(cr);
	cairo_surface_destroy(scan);
	cairo_surface_destroy(s);
}

static const struct extract_config ocr = {.kind = EXTRACT_OCR};

/* Ends the file: outcome "leaks" in the picture of page 1, or what else is said. */
static void expect_picture(struct buf *file, const char *outcome, const char *reason)
{
	json_t *report = check_with(file, "julkinen.pdf", reason ? NULL : &ocr);
	const json_t *place = json_array_get(json_object_get(report, "places"), 0);
	const json_t *example = json_array_get(json_object_get(place, "examples"), 0);
	char *text = json_dumps(report, 0);

	if (strcmp(json_text(report, "outcome"), outcome) != 0)
		fail_msg("not %s: %s", outcome, text);
	if (reason)
		assert_string_equal(json_text(report, "reason"), reason);
	if (strcmp(outcome, "leaks") == 0) {
		assert_string_equal(json_text(place, "where"), "picture");
		assert_string_equal(json_text(place, "detail"), "page 1");
		assert_string_equal(json_string_value(example), "tuulikki");
	}
	free(text);
	json_decref(report);
	buf_free(file);
}

static bool no_ocr(void)
{
	struct extractor *e = NULL;
	struct ark_error err;
	bool none = extractor_new(&ocr, &e, &err) != ARK_OK;

	extractor_free(e);
	if (none)
		print_message("skipped: %s\n", err.text);
	return none;
}

static void test_leak__a_picture_shows_what_was_taken_out_of_the_text(void **state)
{
	static const char *const name[LINES_MAX] = {GONE};
	struct buf file = BUF_INIT;

	(void)state;
	if (no_ocr())
		skip();
	scanned(&file, name, KEPT, false);
	expect_picture(&file, "leaks", NULL);
}

static void test_leak__a_box_over_a_scan_leaves_the_picture_below(void **state)
{
	static const char *const both[LINES_MAX] = {KEPT, GONE}, *const kept[LINES_MAX] = {KEPT};
	struct buf file = BUF_INIT;

	(void)state;
	if (no_ocr())
		skip();
	scanned(&file, both, "", true);
	expect_picture(&file, "leaks", NULL);
	/* taken out of the picture itself, what is left is what is seen */
	scanned(&file, kept, "", true);
	expect_picture(&file, "clean", NULL);
}

static void test_leak__a_picture_that_nobody_looked_at_leaves_doubt(void **state)
{
	static const char *const kept[LINES_MAX] = {KEPT};
	struct buf file = BUF_INIT;

	(void)state;
	scanned(&file, kept, KEPT, false);
	expect_picture(&file, "unknown", "pictures");
}

/* ---- words ---- */

static void test_leak_words__names_and_numbers_come_first(void **state)
{
	static const char whole[] = "Kertomus: paikalla ohjaaja Tuulikki ja kissa, huone 17 b.";
	struct leak_words *w = leak_words_new();
	struct leak_found found;
	struct ark_error err;

	(void)state;
	assert_int_equal(leak_words_original(w, whole, strlen(whole), &err), ARK_OK);
	assert_int_equal(leak_words_seen(w, "paikalla ker-\ntomus", 20, &err), ARK_OK);
	assert_int_equal(leak_words_removed(w), 5);
	assert_int_equal(
	    leak_words_find(w, "kissa TUULIKKI kissa kertomus 17", 32, &found, &err), ARK_OK);
	assert_int_equal(found.words, 3);
	assert_string_equal(found.examples[0], "tuulikki");
	assert_string_equal(found.examples[1], "17");
	assert_string_equal(found.examples[2], "kissa");
	leak_words_free(w);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_leak__what_is_drawn_is_told_from_what_is_covered),
	    cmocka_unit_test(test_leak__a_font_that_is_not_there_leaves_doubt),
	    cmocka_unit_test(test_leak__a_box_over_words_leaves_them_in_the_text_layer),
	    cmocka_unit_test(test_leak__white_words_on_white_are_not_seen),
	    cmocka_unit_test(test_leak__words_that_are_seen_were_not_removed),
	    cmocka_unit_test(test_leak__a_metadata_field_tells),
	    cmocka_unit_test(test_leak__a_bookmark_tells),
	    cmocka_unit_test(test_leak__an_attachment_tells),
	    cmocka_unit_test(test_leak__an_earlier_revision_tells),
	    cmocka_unit_test(test_leak__a_file_name_tells),
	    cmocka_unit_test(test_leak__what_cannot_be_read_is_not_called_clean),
	    cmocka_unit_test(test_leak__a_picture_shows_what_was_taken_out_of_the_text),
	    cmocka_unit_test(test_leak__a_box_over_a_scan_leaves_the_picture_below),
	    cmocka_unit_test(test_leak__a_picture_that_nobody_looked_at_leaves_doubt),
	    cmocka_unit_test(test_leak_words__names_and_numbers_come_first),
	};

	UNIT_EXTRACT_MAIN(argc, argv);
	return cmocka_run_group_tests(tests, unit_extract_begin, unit_extract_end);
}
