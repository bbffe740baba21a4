/* What comes out of plain text, HTML, XML and PDF: of our own samples, which are invented, and of the corpus'
 * files where it is there. */
#include "tests/unit/extract_fixture.h"

#include <dirent.h>
#include <errno.h>
#include <jansson.h>

#include "arkki/base/clock.h"
#include "arkki/base/fs.h"
#include "arkki/base/text.h"
#include "index/extract_child.h"

/* ---- helpers ---- */
static void expect_text(const char *type, const void *bytes, size_t len, const char *text)
{
	struct extractor *e = start(NULL);
	struct extract_result r = extract(e, type, bytes, len);

	assert_string_equal(r.reason, "");
	assert_int_equal(r.outcome, EXTRACT_READY);
	assert_string_equal(r.text.data, text);
	extract_result_free(&r);
	extractor_free(e);
}

/* ---- plain text ---- */
static void test_plain__encodings_become_utf8(void **state)
{
	static const char utf16[] = "\xff\xfe\xe4\0i\0t\0i\0\x3d\xd8\0\xde";

	(void)state;
	expect_text("text/plain", "\xef\xbb\xbf\xc3\xa4iti", 8, "äiti");
	expect_text("text/plain", "\xe4iti \x96 \x80", 8, "äiti – €");
	expect_text("text/plain", utf16, sizeof(utf16) - 1, "äiti\xf0\x9f\x98\x80");
	expect_text("text/plain", "k\0o\0i\0v\0u\0l\0a\0", 14, "koivula");
	expect_text("text/plain; charset=iso-8859-15", "\xa4", 1, "€");
	expect_text("text/plain; charset=windows-1251", "\xc0", 1, "А");
	expect_text("text/plain; charset=iso-8859-1", "\xc3\xa4", 2, "ä");
}

static void test_plain__white_space_and_controls_take_one_form(void **state)
{
	static const char in[] = "\r\n  a \t b\xc2\xa0"
				 "c\r\nd\0\x1b[\r\n\r\n \r\n\r\ne\rf\fg\xc2\xad"
				 "h\n\n";

	(void)state;
	expect_text("text/markdown", in, sizeof(in) - 1, "a b c\nd[\n\ne\nf\n\ngh");
	expect_none(NULL, "text/plain", " \n\t ", "no text in it");
	expect_none(NULL, "text/troff", ".TH x", "not a format arkki reads (text/troff)");
}

/* ---- HTML ---- */
static void test_html__blocks_entities_and_unseen_parts(void **state)
{
	static const char page[] =
	    "<html><head><title>Tarkastus &amp; ohjaus</title><style>p{}</style>"
	    "<script>var x='<p>no</p>';</script></head><body><h1>Otsikko</h1><p>Yksi <b>sa</b>na"
	    "<br>rivi&nbsp;kaksi &euro; &#228;</p><ul><li>a<li>b</ul>"
	    "<table><tr><td>1</td><td>2</td></tr><tr><td>3</td></tr></table>"
	    "<img src=x alt='kuva'><pre>x\n y</pre></body>";
	struct extractor *e = start(NULL);
	struct extract_result r = extract(e, "text/html", page, sizeof(page) - 1);

	(void)state;
	assert_int_equal(r.outcome, EXTRACT_READY);
	assert_string_equal(r.title, "Tarkastus & ohjaus");
	assert_string_equal(r.text.data, "Tarkastus & ohjaus\n\nOtsikko\n\nYksi sana\nrivi kaksi € "
					 "ä\n\na\nb\n\n1 2\n3\n\nkuva\n\nx\ny");
	extract_result_free(&r);
	extractor_free(e);
}

static void test_html__encoding_by_declaration_or_by_look(void **state)
{
	static const char meta[] = "<meta charset=\"iso-8859-15\"><p>\xa4";

	(void)state;
	expect_text("text/html", "<p>\xc3\xa4iti", 8, "äiti");
	expect_text("text/html", "<p>\xe4iti", 7, "äiti");
	expect_text("text/html", meta, sizeof(meta) - 1, "€");
	expect_text("text/html; charset=\"windows-1251\"", "<p>\xc0", 4, "А");
}

static void test_html__deep_nesting_is_survived(void **state)
{
	struct extractor *e = start(NULL);
	struct buf b = BUF_INIT;
	struct extract_result r;

	(void)state;
	for (int i = 0; i < 100000; i++)
		buf_adds(&b, "<div><b>");
	buf_adds(&b, "pohja");
	r = extract(e, "text/html", b.data, b.len);
	/* whichever way: an answer */
	assert_true(r.outcome == EXTRACT_NONE || strstr(r.text.data, "pohja"));
	extract_result_free(&r);
	buf_free(&b);
	extractor_free(e);
}

/* ---- XML ---- */
static void test_xml__lines_paragraphs_and_inline_parts(void **state)
{
	static const char doc[] =
	    "<?xml version='1.0' encoding='iso-8859-1'?><d xmlns:t='x'><t:title>P\xe4\xe4t\xf6s"
	    "</t:title><nro>1</nro><nro>2</nro><p>sa<i>na</i>\n jatkuu &lt;<![CDATA[&]]></p>"
	    "<p>toinen</p></d>";

	(void)state;
	expect_text(
	    "application/xml", doc, sizeof(doc) - 1, "Päätös\n\n1\n2\n\nsana jatkuu <&\n\ntoinen");
}

static void test_xml__entities_of_its_own_are_refused(void **state)
{
	static const char reason[] = "XML that declares its own entities is not read";

	(void)state;
	expect_none(NULL, "text/xml",
	    "<!DOCTYPE d [<!ENTITY a 'ha'><!ENTITY b '&a;&a;&a;&a;'>]><d>&b;</d>", reason);
	expect_none(NULL, "text/xml",
	    "<!DOCTYPE d [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><d>&x;</d>", reason);
	expect_none(NULL, "image/svg+xml",
	    "<!DOCTYPE d [<!ENTITY % x SYSTEM 'http://127.0.0.1/'>%x;]><d>a</d>", reason);
	expect_text("text/xml", "<!DOCTYPE d SYSTEM 'file:///etc/passwd'><d>a</d>", 48, "a");
}

static void test_xml__malformed_gives_what_can_be_read(void **state)
{
	struct extractor *e = start(NULL);
	struct extract_result r = extract(e, "text/xml", "<d><p>alku</p><p>lop", 20);

	(void)state;
	assert_int_equal(r.outcome, EXTRACT_READY);
	assert_non_null(strstr(r.text.data, "alku"));
	assert_non_null(strstr(r.reason, "malformed XML"));
	extract_result_free(&r);
	extractor_free(e);
	expect_none(NULL, "text/xml", "<<<>>>", "malformed XML");
}

/* ---- PDF ---- */
/* Pages in Helvetica 12, which is not embedded. A line "|n" moves n points further down. */
static void make_pdf(struct buf *out, const char *const *pages, size_t n)
{
	buf_addf(out,
	    "%%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n"
	    "3 0 obj<</Type/Font/Subtype/Type1/BaseFont/Helvetica"
	    "/Encoding/WinAnsiEncoding>>endobj\n"
	    "2 0 obj<</Type/Pages/Count %zu/Kids[",
	    n);
	for (size_t i = 0; i < n; i++)
		buf_addf(out, "%zu 0 R ", 10 + 2 * i);
	buf_adds(out, "]>>endobj\n");
	for (size_t i = 0; i < n; i++) {
		struct buf s = BUF_INIT;

		buf_adds(&s, "BT /F 12 Tf 72 720 Td 14 TL\n");
		for (const char *p = pages[i]; *p; p += strcspn(p, "\n"), p += *p == '\n') {
			int len = (int)strcspn(p, "\n");

			if (*p == '|')
				buf_addf(&s, "0 -%.*s Td\n", len - 1, p + 1);
			else
				buf_addf(&s, "(%.*s) Tj T*\n", len, p);
		}
		buf_adds(&s, "ET");
		buf_addf(out,
		    "%zu 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents %zu 0 R"
		    "/Resources<</Font<</F 3 0 R>>>>>>endobj\n"
		    "%zu 0 obj<</Length %zu>>stream\n%s\nendstream endobj\n",
		    10 + 2 * i, 11 + 2 * i, 11 + 2 * i, s.len, s.data);
		buf_free(&s);
	}
	buf_adds(out, "trailer<</Root 1 0 R/Info<</Title(Tarkastuskertomus)>>>>\n%%EOF\n");
}

static void test_pdf__lines_paragraphs_hyphens_and_pages(void **state)
{
	static const char first[] =
	    "Sijaishuolto\\055\npaikan tarkas-\ntus tehtiin Etel\\344-\n"
	    "Suomessa sosiaali-\nja linja-\nautoasemalla 2020-\n2021.\n|20\n"
	    "Toinen kappale\njatkuu.";
	const char *const pages[] = {first, "", "Kolmas sivu"};
	struct extractor *e = start(NULL);
	struct buf pdf = BUF_INIT;
	struct extract_result r;

	(void)state;
	make_pdf(&pdf, pages, 3);
	r = extract(e, "application/pdf", pdf.data, pdf.len);
	assert_string_equal(r.reason, "");
	assert_string_equal(r.text.data,
	    "Sijaishuoltopaikan tarkastus tehtiin Etelä-Suomessa sosiaali-\nja linja-autoasemalla "
	    "2020-2021.\n\nToinen kappale\njatkuu.\f\fKolmas sivu");
	assert_int_equal(r.pages, 3);
	assert_string_equal(r.title, "Tarkastuskertomus");
	extract_result_free(&r);
	buf_free(&pdf);
	extractor_free(e);
}

/* Rows two lines apart: where poppler joins the cells. */
static void test_pdf__table_cells_and_form_answers(void **state)
{
	static const char stream[] =
	    "BT /F 10 Tf 1 0 0 1 72 700 Tm (Koivula yksi) Tj 1 0 0 1 152 700 Tm (7) Tj "
	    "1 0 0 1 72 676 Tm (Lehtola muu) Tj 1 0 0 1 152 676 Tm (12) Tj "
	    "1 0 0 1 72 652 Tm (Harjula koti) Tj 1 0 0 1 152 652 Tm (3) Tj ET";
	struct extractor *e = start(NULL);
	struct buf pdf = BUF_INIT;
	struct extract_result r;

	(void)state;
	buf_addf(&pdf,
	    "%%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R/AcroForm<</Fields[6 0 R]>>>>endobj\n"
	    "2 0 obj<</Type/Pages/Count 1/Kids[4 0 R]>>endobj\n"
	    "3 0 obj<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>endobj\n"
	    "4 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 5 0 R/Annots[6 0 R "
	    "7 0 R]/Resources<</Font<</F 3 0 R>>>>>>endobj\n"
	    "5 0 obj<</Length %zu>>stream\n%s\nendstream endobj\n"
	    "6 0 obj<</Type/Annot/Subtype/Widget/FT/Tx/T(nimi)/V(vastaus)/Rect[72 500 200 520]"
	    ">>endobj\n"
	    "7 0 obj<</Type/Annot/Subtype/Text/Contents(huomautus)/Rect[72 400 90 420]>>endobj\n"
	    "trailer<</Root 1 0 R>>\n",
	    sizeof(stream) - 1, stream);
	r = extract(e, "application/pdf", pdf.data, pdf.len);
	assert_string_equal(r.reason, "");
	assert_string_equal(
	    r.text.data, "Koivula yksi 7\nLehtola muu 12\nHarjula koti 3\n\nvastaus\nhuomautus");
	extract_result_free(&r);
	buf_free(&pdf);
	extractor_free(e);
}

/* A font that is not embedded: which character a code is stands in two files of poppler-data, none of which opens
 * in the sandbox. */
static void test_pdf__cjk_fonts_that_are_not_embedded_have_their_tables(void **state)
{
	static const char stream[] = "BT /F 12 Tf 72 700 Td <8AC48DB8> Tj ET";
	struct buf pdf = BUF_INIT;
	struct extract_result r;
	struct extractor *e;

	(void)state;
	if (access("/usr/share/poppler/cMap/Adobe-Japan1/90ms-RKSJ-H", R_OK) != 0)
		skip();
	e = start(NULL);
	buf_addf(&pdf,
	    "%%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n"
	    "2 0 obj<</Type/Pages/Count 1/Kids[4 0 R]>>endobj\n"
	    "3 0 obj<</Type/Font/Subtype/Type0/BaseFont/Ryumin-Light/Encoding/90ms-RKSJ-H"
	    "/DescendantFonts[6 0 R]>>endobj\n"
	    "4 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 5 0 R"
	    "/Resources<</Font<</F 3 0 R>>>>>>endobj\n"
	    "5 0 obj<</Length %zu>>stream\n%s\nendstream endobj\n"
	    "6 0 obj<</Type/Font/Subtype/CIDFontType0/BaseFont/Ryumin-Light/CIDSystemInfo"
	    "<</Registry(Adobe)/Ordering(Japan1)/Supplement 2>>/FontDescriptor 7 0 R>>endobj\n"
	    "7 0 obj<</Type/FontDescriptor/FontName/Ryumin-Light/Flags 4/FontBBox[0 0 1000 1000]"
	    "/ItalicAngle 0/Ascent 800/Descent -200/StemV 80>>endobj\n"
	    "trailer<</Root 1 0 R>>\n",
	    sizeof(stream) - 1, stream);
	r = extract(e, "application/pdf", pdf.data, pdf.len);
	assert_string_equal(r.text.data, "監査");
	extract_result_free(&r);
	buf_free(&pdf);
	extractor_free(e);
}

static void test_pdf__empty_pages_and_damage_are_reasons(void **state)
{
	static const char *const empty[] = {"", ""};
	struct buf pdf = BUF_INIT;

	(void)state;
	make_pdf(&pdf, empty, 2);
	expect_none(NULL, "application/pdf", pdf.data, "the PDF's pages are empty");
	expect_none(
	    NULL, "application/pdf", "%PDF-1.4 nothing", "the PDF is damaged beyond reading");
	buf_free(&pdf);
}

/* ---- the corpus ---- */
static size_t count_words(const char *text)
{
	size_t n = 0;

	for (bool in = false; *text; text++) {
		bool space = *text == ' ' || *text == '\n' || *text == '\f';

		n += !space && !in;
		in = !space;
	}
	return n;
}

struct tally {
	size_t files, ready, none, crashed, late, less, baseline, words;
	int64_t slowest_us;
};

static void one_file(
    struct extractor *e, const char *type, const char *path, size_t baseline, struct tally *t)
{
	struct buf bytes = {.limit = 64 << 20};
	int64_t before = clock_monotonic_us(), took;
	struct extract_result r;
	size_t words;

	assert_int_equal(fs_read_file(path, 64 << 20, &bytes, NULL), ARK_OK);
	r = extract(e, type, bytes.data ? bytes.data : "", bytes.len);
	took = clock_monotonic_us() - before;
	words = count_words(r.text.data);
	t->files++;
	t->ready += r.outcome == EXTRACT_READY;
	t->none += r.outcome == EXTRACT_NONE;
	t->crashed += strncmp(r.reason, "the decoder", 11) == 0;
	t->late += strncmp(r.reason, "took", 4) == 0;
	/* joined words make fewer; a fifth fewer is something else */
	t->less += words + words / 4 + 2 < baseline;
	t->baseline += baseline;
	t->words += words;
	t->slowest_us = took > t->slowest_us ? took : t->slowest_us;
	if (getenv("ARKKI_VERBOSE"))
		printf("%s\t%zu\t%zu\t%lld us\t%s\n", path, baseline, words, (long long)took,
		    r.reason);
	assert_true(utf8_valid(r.text.data, r.text.len));
	extract_result_free(&r);
	buf_free(&bytes);
}

/* Every file of a MANIFEST.jsonl whose name ends so; its "shared/" is the folder itself. */
static struct tally whole_folder(
    const char *folder, const char *ending, const char *type, size_t limit, const char *test)
{
	const struct extract_config config = {.wall_ms = 10000};
	char manifest[512], path[1024], line[65536];
	struct extractor *e = start(&config);
	struct tally t = {0};
	FILE *f;

	unit_corpus(manifest, folder, test);
	snprintf(path, sizeof(path), "%s/MANIFEST.jsonl", manifest);
	f = fopen(path, "r");
	assert_non_null(f);
	while (t.files < limit && fgets(line, sizeof(line), f)) {
		json_t *entry = json_loads(line, 0, NULL), *base;
		const char *name = json_string_value(json_object_get(entry, "file"));
		size_t len = name ? strlen(name) : 0, n = strlen(ending);

		base = json_object_get(entry, "baseline_pdftotext");
		if (len > n + 7 && strcmp(name + len - n, ending) == 0) {
			snprintf(path, sizeof(path), "%s/%s", manifest, name + 7);
			one_file(e, type, path,
			    (size_t)json_integer_value(json_object_get(base, "words")), &t);
		}
		json_decref(entry);
	}
	fclose(f);
	extractor_free(e);
	printf(
	    "%s: %zu files, %zu with text, %zu without, %zu crashed, %zu late, %zu clearly under "
	    "the baseline; %zu words (baseline %zu); slowest %lld ms\n",
	    folder, t.files, t.ready, t.none, t.crashed, t.late, t.less, t.words, t.baseline,
	    (long long)t.slowest_us / 1000);
	return t;
}

static void test_corpus__odd_and_damaged_pdfs(void **state)
{
	static const char *const folders[] = {"pdfjs-pdfs", "format-corpus-sample"};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct tally t =
		    whole_folder(folders[i], ".pdf", "application/pdf", 1000, __func__);

		assert_true(t.files > 50);
		assert_true(t.less * 25 <= t.files);
		assert_true(t.words * 10 >= t.baseline * 9);
	}
}

static void test_corpus__finlex_xml(void **state)
{
	char folder[512], path[1024], text[1024];
	static const char *const parts[] = {"court-fi", "court-sv", "statute-fi", "statute-sv"};
	struct extractor *e = NULL;
	struct tally t = {0};

	(void)state;
	unit_corpus(folder, "finlex-domain", __func__);
	e = start(NULL);
	for (size_t i = 0; i < 4; i++) {
		struct dirent *entry;
		DIR *dir;

		snprintf(path, sizeof(path), "%s/%s", folder, parts[i]);
		dir = opendir(path);
		while (dir && (entry = readdir(dir))) {
			size_t len = strlen(entry->d_name);
			struct buf plain = BUF_INIT;

			if (len < 4 || strcmp(entry->d_name + len - 4, ".xml") != 0)
				continue;
			snprintf(path, sizeof(path), "%s/%s/%s", folder, parts[i], entry->d_name);
			snprintf(text, sizeof(text), "%.*s.txt", (int)strlen(path) - 4, path);
			if (fs_read_file(text, 16 << 20, &plain, NULL) != ARK_OK)
				continue;
			one_file(e, "text/xml", path, count_words(plain.data), &t);
			buf_free(&plain);
		}
		if (dir)
			closedir(dir);
	}
	extractor_free(e);
	printf("finlex-domain: %zu XML files, %zu words (theirs %zu), slowest %lld ms\n", t.files,
	    t.words, t.baseline, (long long)t.slowest_us / 1000);
	assert_int_equal(t.ready, t.files);
	assert_int_equal(t.less, 0);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_plain__encodings_become_utf8),
	    cmocka_unit_test(test_plain__white_space_and_controls_take_one_form),
	    cmocka_unit_test(test_html__blocks_entities_and_unseen_parts),
	    cmocka_unit_test(test_html__encoding_by_declaration_or_by_look),
	    cmocka_unit_test(test_html__deep_nesting_is_survived),
	    cmocka_unit_test(test_xml__lines_paragraphs_and_inline_parts),
	    cmocka_unit_test(test_xml__entities_of_its_own_are_refused),
	    cmocka_unit_test(test_xml__malformed_gives_what_can_be_read),
	    cmocka_unit_test(test_pdf__lines_paragraphs_hyphens_and_pages),
	    cmocka_unit_test(test_pdf__table_cells_and_form_answers),
	    cmocka_unit_test(test_pdf__cjk_fonts_that_are_not_embedded_have_their_tables),
	    cmocka_unit_test(test_pdf__empty_pages_and_damage_are_reasons),
	    cmocka_unit_test(test_corpus__odd_and_damaged_pdfs),
	    cmocka_unit_test(test_corpus__finlex_xml),
	};

	if (argc > 1 && strcmp(argv[1], EXTRACT_CHILD_COMMAND) == 0)
		return extract_child_main(argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
