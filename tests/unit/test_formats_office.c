/* Office formats: what comes out of our own small samples, of the corpus' files where it is there, and of
 * files made to do harm. All samples are invented. */
#include "tests/unit/extract_fixture.h"

#include <jansson.h>

#include "arkki/base/clock.h"
#include "arkki/base/fs.h"
#include "arkki/base/text.h"
#include "tests/unit/zip_fixture.h"

/* ---- helpers ---- */
/* White space of any kind is one space, as the corpus' labels come from another program's lines. */
static void squeeze(const char *text, struct buf *out)
{
	bool gap = false;

	for (; *text; text++) {
		bool wide = strncmp(text, "\xc2\xa0", 2) == 0; /* no-break space */

		if (wide || (unsigned char)*text <= ' ') {
			gap = true;
			text += wide;
			continue;
		}
		if (gap && out->len)
			buf_addc(out, ' ');
		gap = false;
		buf_addc(out, *text);
	}
}

static bool contains(const char *text, const char *part)
{
	struct buf a = BUF_INIT, b = BUF_INIT;
	bool found;

	squeeze(text, &a);
	squeeze(part, &b);
	found = strstr(a.data ? a.data : "", b.data ? b.data : "") != NULL;
	buf_free(&a);
	buf_free(&b);
	return found;
}

/* ---- the corpus ---- */
static const char *type_of(const char *name)
{
	static const struct {
		const char *tail, *type;
	} types[] = {
	    {".docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"},
	    {".xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"},
	    {".pptx", "application/vnd.openxmlformats-officedocument.presentationml.presentation"},
	    {".pptm", "application/vnd.openxmlformats-officedocument.presentationml.presentation"},
	    {".odt", "application/vnd.oasis.opendocument.text"},
	    {".ods", "application/vnd.oasis.opendocument.spreadsheet"},
	    {".odp", "application/vnd.oasis.opendocument.presentation"}, {".fodt", "text/xml"},
	    {".fods", "text/xml"}, {".epub", "application/octet-stream"}, {".rtf", "text/rtf"},
	    {".doc", "application/msword"}, {".xls", "application/vnd.ms-excel"},
	    {".ppt", "application/vnd.ms-powerpoint"}};

	for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++) {
		size_t n = strlen(types[i].tail), len = strlen(name);

		if (len > n && strcmp(name + len - n, types[i].tail) == 0)
			return types[i].type;
	}
	return NULL;
}

struct score {
	unsigned int files, labelled, passed, with_text;
};

static bool check_labels(const char *name, const char *text, const json_t *labels)
{
	bool all = true;
	size_t i;
	json_t *label;

	json_array_foreach(labels, i, label)
	{
		if (!contains(text, json_string_value(label))) {
			printf("%s: \"%s\" is not in its text\n", name, json_string_value(label));
			all = false;
		}
	}
	return all;
}

static void check_file(
    struct extractor *e, const char *dir, const json_t *line, struct score *score)
{
	const char *name = strrchr(json_string_value(json_object_get(line, "file")), '/') + 1;
	const json_t *labels = json_object_get(line, "must_contain_confirmed");
	struct buf bytes = BUF_INIT;
	struct extract_result r;
	char path[1024];

	if (!type_of(name))
		return;
	snprintf(path, sizeof(path), "%s/%s", dir, name);
	assert_int_equal(fs_read_file(path, 64 << 20, &bytes, NULL), ARK_OK);
	r = extract(e, type_of(name), bytes.data, bytes.len);
	score->files++;
	score->with_text += r.outcome == EXTRACT_READY;
	score->labelled += json_array_size(labels) > 0;
	if (r.outcome == EXTRACT_NONE || r.reason[0])
		printf("%s: %s\n", name, r.reason);
	if (json_array_size(labels) > 0)
		score->passed += check_labels(name, r.text.data, labels);
	if (getenv("ARKKI_SHOW") && strcmp(getenv("ARKKI_SHOW"), name) == 0)
		printf("[%s]\n%s\n[pages %u]\n", r.title, r.text.data, r.pages);
	extract_result_free(&r);
	buf_free(&bytes);
}

static void test_office__tika_documents(void **state)
{
	struct extractor *e = start(NULL);
	struct score score = {0};
	char dir[512], path[600], *line = NULL;
	size_t size = 0;
	FILE *f;

	(void)state;
	unit_corpus(dir, "tika-documents", __func__);
	snprintf(path, sizeof(path), "%s/MANIFEST.jsonl", dir);
	f = fopen(path, "r");
	assert_non_null(f);
	while (getline(&line, &size, f) > 0) {
		json_t *one = json_loads(line, 0, NULL);

		assert_non_null(one);
		check_file(e, dir, one, &score);
		json_decref(one);
	}
	fclose(f);
	free(line);
	extractor_free(e);
	printf("tika-documents: %u of %u labelled office files hold all they must, %u of %u have "
	       "text\n",
	    score.passed, score.labelled, score.with_text, score.files);
	assert_int_equal(score.passed, score.labelled);
}

/* What lies in a package has its helper program too. */
static void test_doc__inside_a_package_is_read(void **state)
{
	struct extractor *e = start(NULL);
	struct buf bytes = BUF_INIT, packed = BUF_INIT;
	struct zip_fixture z = {0};
	struct extract_result r;
	char path[512];

	(void)state;
	unit_corpus(path, "tika-documents/testWORD.doc", __func__);
	assert_int_equal(fs_read_file(path, 1 << 20, &bytes, NULL), ARK_OK);
	zip_deflate(&packed, bytes.data, bytes.len, Z_FINISH);
	zip_add_packed(&z, "vanha.doc", packed.data, packed.len, (uint32_t)bytes.len, 0);
	zip_add(&z, "uusi.txt", "Teksti.");
	zip_end(&z);
	r = extract(e, "application/zip", z.file.data, z.file.len);
	assert_non_null(strstr(r.text.data, "vanha.doc"));
	assert_non_null(strstr(r.text.data, "Sample Word Document"));
	assert_non_null(strstr(r.text.data, "Teksti."));
	extract_result_free(&r);
	extractor_free(e);
	buf_free(&bytes);
	buf_free(&packed);
	zip_free(&z);
}

/* Every office file of the sample gives text or a reason, and quickly. */
static void test_office__format_corpus(void **state)
{
	struct extractor *e = start(NULL);
	char dir[512], path[2048], *line = NULL;
	unsigned int files = 0, with_text = 0;
	int64_t slowest = 0;
	size_t size = 0;
	FILE *f;

	(void)state;
	unit_corpus(dir, "format-corpus-sample", __func__);
	snprintf(path, sizeof(path), "%s/MANIFEST.jsonl", dir);
	f = fopen(path, "r");
	assert_non_null(f);
	while (getline(&line, &size, f) > 0) {
		json_t *one = json_loads(line, 0, NULL);
		const char *name = json_string_value(json_object_get(one, "file"));
		int64_t began = clock_monotonic_us();
		struct extract_result r;
		struct buf bytes = BUF_INIT;

		/* the manifest counts from above the folders */
		name = strncmp(name, "shared/", 7) == 0 ? name + 7 : name;
		snprintf(path, sizeof(path), "%s/%s", dir, name);
		if (type_of(name) && fs_read_file(path, 64 << 20, &bytes, NULL) == ARK_OK) {
			r = extract(e, type_of(name), bytes.data, bytes.len);
			files++;
			with_text += r.outcome == EXTRACT_READY;
			if (r.reason[0])
				printf("%s: %s\n", name, r.reason);
			assert_null(strstr(r.reason, "crashed"));
			extract_result_free(&r);
			if (clock_monotonic_us() - began > slowest)
				slowest = clock_monotonic_us() - began;
		}
		buf_free(&bytes);
		json_decref(one);
	}
	fclose(f);
	free(line);
	extractor_free(e);
	printf("format-corpus-sample: %u of %u office files have text, slowest %d ms\n", with_text,
	    files, (int)(slowest / 1000));
	assert_true(files > 0);
}

/* ---- our own samples ---- */
#define XML "<?xml version=\"1.0\" encoding=\"UTF-8\"?>"
#define OOXML "application/vnd.openxmlformats-officedocument."
#define W "<w:document xmlns:w=\"urn:w\" xmlns:r=\"urn:r\"><w:body>"
#define W_END "</w:body></w:document>"
#define P(text) "<w:p><w:r><w:t>" text "</w:t></w:r></w:p>"
#define RELS "<Relationships xmlns=\"urn:x\">"

static void sample_docx(struct zip_fixture *z, const char *body)
{
	zip_add(z, "[Content_Types].xml",
	    XML "<Types><Override PartName=\"/word/document.xml\" ContentType=\"" OOXML
		"wordprocessingml.document.main+xml\"/><Override PartName=\"/word/ylä.xml\" "
		"ContentType=\"" OOXML "wordprocessingml.header+xml\"/><Override "
		"PartName=\"/word/notes.xml\" ContentType=\"" OOXML
		"wordprocessingml.footnotes+xml\"/><Override PartName=\"/word/comments.xml\" "
		"ContentType=\"" OOXML "wordprocessingml.comments+xml\"/></Types>");
	zip_add(z, "word/notes.xml",
	    XML "<w:footnotes xmlns:w=\"urn:w\">" P("Alaviite.") "</w:footnotes>");
	zip_add(z, "word/ylä.xml", XML "<w:hdr xmlns:w=\"urn:w\">" P("Ylätunniste") "</w:hdr>");
	zip_add(z, "word/comments.xml",
	    XML "<w:comments xmlns:w=\"urn:w\"><w:comment>" P(
		"Huomautus.") "</w:comment></w:comments>");
	zip_add(z, "word/document.xml", body);
	zip_add(z, "docProps/core.xml",
	    XML "<c xmlns:dc=\"urn:dc\"><dc:title>Keksitty kertomus</dc:title></c>");
	zip_add(z, "word/embeddings/liite.rtf", "{\\rtf1 Liitteen teksti.}");
	zip_add(z, "word/embeddings/kuva.bin", "\1\2\3 ei mit\xe4\xe4n");
	zip_add(z, "../../ulos.txt", "ei kuulu");
	zip_end(z);
}

static void expect_file(
    const struct zip_fixture *z, const char *type, const char *text, const char *title)
{
	struct extractor *e = start(NULL);
	struct extract_result r = extract(e, type, z->file.data, z->file.len);

	assert_string_equal(r.reason, "");
	assert_string_equal(r.text.data, text);
	assert_string_equal(r.title, title);
	extract_result_free(&r);
	extractor_free(e);
}

static void expect_reason(const char *type, const void *bytes, size_t len, const char *reason)
{
	struct extractor *e = start(NULL);
	struct extract_result r = extract(e, type, bytes, len);

	assert_string_equal(r.reason, reason);
	assert_int_equal(r.outcome, EXTRACT_NONE);
	extract_result_free(&r);
	extractor_free(e);
}

static void test_docx__text_notes_and_tables_but_not_what_was_deleted(void **state)
{
	struct zip_fixture z = {0};
	static const char text[] =
	    "Ylätunniste\n\nEnsimmäinen kappale.\n\nToimipaikka Paikkoja\nKoivula 7\nkaksi "
	    "riviä\n\n"
	    "jää pois tämä ei\n\nLaatikko\n\nLoppu.\n\nhttps://esimerkki.example/a\n\nAlaviite.\n\n"
	    "Huomautus.\n\nliite.rtf\n\nLiitteen teksti.";

	(void)state;
	sample_docx(&z,
	    XML W
		P("Ensimmäinen kappale.") "<w:tbl><w:tr><w:tc>" P("Toimipaikka") "</w:tc><w:tc>" P(
		    "Paikkoja") "</w:tc></w:tr><w:tr><w:tc>" P("Koivula") "</w:tc><w:tc>" P("7")
		    P("kaksi riviä") "</w:tc></w:tr></w:tbl><w:p><w:r><w:t>jää pois "
				     "</w:t></w:r><w:del>"
				     "<w:r><w:delText>poistettu</w:delText><w:t>tämäkin</w:t></"
				     "w:r></w:del>"
				     "<w:r><w:instrText> HYPERLINK \"https://esimerkki.example/a\" "
				     "</w:instrText></w:r><w:r><w:t>tämä ei</w:t></w:r></w:p>"
				     "<w:p><w:r><AlternateContent><Choice>" P(
					 "Laatikko") "</Choice>"
						     "<Fallback>" P(
							 "Laatikko") "</Fallback></"
								     "AlternateContent></w:r></"
								     "w:p>" P("Loppu.") W_END);
	expect_file(&z, OOXML "wordprocessingml.document", text, "Keksitty kertomus");
	/* the kind is seen inside */
	expect_file(&z, "application/octet-stream", text, "Keksitty kertomus");
	zip_free(&z);
}

static void test_xlsx__rows_are_lines_and_days_are_days(void **state)
{
	struct zip_fixture z = {0};

	(void)state;
	zip_add(&z, "[Content_Types].xml",
	    XML "<Types><Default Extension=\"xml\" ContentType=\"" OOXML
		"spreadsheetml.worksheet+xml\"/><Override PartName=\"/xl/workbook.xml\" "
		"ContentType=\"" OOXML "spreadsheetml.sheet.main+xml\"/><Override "
		"PartName=\"/xl/s.xml\" ContentType=\"" OOXML
		"spreadsheetml.sharedStrings+xml\"/></Types>");
	zip_add(&z, "xl/workbook.xml",
	    XML "<workbook xmlns:r=\"urn:r\"><sheets><sheet name=\"Käynnit\" r:id=\"r1\"/></sheets>"
		"</workbook>");
	zip_add(&z, "xl/_rels/workbook.xml.rels",
	    XML RELS "<Relationship Id=\"r1\" Target=\"worksheets/a.xml\"/></Relationships>");
	zip_add(&z, "xl/styles.xml",
	    XML
	    "<styleSheet><numFmts><numFmt numFmtId=\"200\" formatCode=\"d\\.m\\.yyyy\"/></numFmts>"
	    "<cellXfs><xf numFmtId=\"0\"/><xf numFmtId=\"200\"/></cellXfs></styleSheet>");
	zip_add(&z, "xl/s.xml",
	    XML "<sst><si><t>Yksikkö</t></si><si><r><t>Koi</t></r><r><t>vula</t></r></si></sst>");
	zip_add(&z, "xl/worksheets/a.xml",
	    XML
	    "<worksheet><sheetData><row><c t=\"s\"><v>0</v></c><c t=\"inlineStr\"><is><t>Päivä</t>"
	    "</is></c></row><row><c t=\"s\"><v>1</v></c><c s=\"1\"><v>45363</v></c><c><f>1+1</f>"
	    "<v>1.23456789012346E+14</v></c><c t=\"s\"><v>99</v></c></row></sheetData>"
	    "<headerFooter><oddHeader>&amp;C&amp;\"Arial\"&amp;12Luottamuksellinen &amp;P"
	    "</oddHeader></headerFooter></worksheet>");
	zip_end(&z);
	expect_file(&z, OOXML "spreadsheetml.sheet",
	    "Käynnit\n\nYksikkö Päivä\nKoivula 12.3.2024 123456789012346\nLuottamuksellinen", "");
	zip_free(&z);
}

#define SLIDE(text)                                                                                \
	XML "<p:sld xmlns:p=\"urn:p\" xmlns:a=\"urn:a\"><a:p><a:r><a:t>" text                      \
	    "</a:t></a:r></a:p></p:sld>"

static void test_pptx__slides_are_pages_in_order_with_their_notes(void **state)
{
	struct zip_fixture z = {0};

	(void)state;
	zip_add(&z, "[Content_Types].xml",
	    XML "<Types><Default Extension=\"xml\" ContentType=\"" OOXML
		"presentationml.slide+xml\"/><Override PartName=\"/ppt/p.xml\" ContentType=\"" OOXML
		"presentationml.presentation.main+xml\"/><Override PartName=\"/ppt/n.xml\" "
		"ContentType=\"" OOXML "presentationml.notesSlide+xml\"/></Types>");
	zip_add(&z, "ppt/a.xml", SLIDE("Toinen dia"));
	zip_add(&z, "ppt/b.xml", SLIDE("Ensimmäinen dia"));
	zip_add(&z, "ppt/n.xml", SLIDE("Muistiinpano"));
	zip_add(&z, "ppt/_rels/b.xml.rels",
	    XML RELS "<Relationship Id=\"r9\" Target=\"n.xml\"/></Relationships>");
	zip_add(&z, "ppt/p.xml",
	    XML
	    "<p:presentation xmlns:p=\"urn:p\" xmlns:r=\"urn:r\"><p:sldIdLst><p:sldId id=\"256\" "
	    "r:id=\"r2\"/><p:sldId id=\"257\" r:id=\"r1\"/></p:sldIdLst></p:presentation>");
	zip_add(&z, "ppt/_rels/p.xml.rels",
	    XML RELS "<Relationship Id=\"r1\" Target=\"a.xml\"/><Relationship Id=\"r2\" "
		     "Target=\"/ppt/b.xml\"/></Relationships>");
	zip_end(&z);
	expect_file(&z, OOXML "presentationml.presentation",
	    "Ensimmäinen dia\n\nMuistiinpano\fToinen dia", "");
	zip_free(&z);
}

#define ODF_BODY                                                                                   \
	"<office:body><office:text><text:tracked-changes><text:p>poistettu</text:p>"               \
	"</text:tracked-changes><text:h>Otsikko</text:h><text:p>Yksi<text:s/>kaksi<text:note>"     \
	"<text:note-citation>1</text:note-citation><text:note-body><text:p>Viite.</text:p>"        \
	"</text:note-body></text:note></text:p><table:table table:name=\"T\"><table:table-row>"    \
	"<table:table-cell><text:p>a</text:p></table:table-cell><table:table-cell><text:p>b"       \
	"</text:p></table:table-cell></table:table-row></table:table></office:text></office:body>"
#define ODF_NAMES                                                                                  \
	" xmlns:office=\"urn:o\" xmlns:text=\"urn:t\" xmlns:table=\"urn:tb\" "                     \
	"xmlns:dc=\"urn:dc\" xmlns:manifest=\"urn:m\""

static void test_odt__text_of_package_and_flat_file(void **state)
{
	static const char flat[] = XML "<office:document" ODF_NAMES "><office:meta><dc:title>Litteä"
				       "</dc:title></office:meta>" ODF_BODY "</office:document>";
	static const char text[] = "Otsikko\n\nYksi kaksi 1\n\nViite.\n\na b";
	struct zip_fixture z = {0},
			   file = {.file = {.data = malloc(sizeof(flat)), .len = sizeof(flat) - 1}};

	(void)state;
	zip_add(&z, "mimetype", "application/vnd.oasis.opendocument.text");
	zip_add(&z, "META-INF/manifest.xml", XML "<manifest:manifest" ODF_NAMES "/>");
	zip_add(&z, "content.xml",
	    XML "<office:document-content" ODF_NAMES ">" ODF_BODY "</office:document-content>");
	zip_end(&z);
	expect_file(&z, "application/vnd.oasis.opendocument.text", text, "");
	assert_non_null(file.file.data);
	memcpy(file.file.data, flat, sizeof(flat));
	expect_file(&file, "text/xml", text, "Litteä");
	zip_free(&z);
	zip_free(&file);
}

static void test_odt__encrypted_is_told(void **state)
{
	struct zip_fixture z = {0};

	(void)state;
	zip_add(&z, "META-INF/manifest.xml",
	    XML "<manifest:manifest" ODF_NAMES "><manifest:encryption-data/></manifest:manifest>");
	zip_add(&z, "content.xml", "\1\2\3");
	zip_end(&z);
	expect_reason("application/vnd.oasis.opendocument.text", z.file.data, z.file.len,
	    "the document is protected by a password");
	zip_free(&z);
}

static void test_epub__chapters_in_the_order_of_the_spine(void **state)
{
	struct zip_fixture z = {0};

	(void)state;
	zip_add(&z, "META-INF/container.xml",
	    XML
	    "<container><rootfiles><rootfile full-path=\"OPS/k.opf\"/></rootfiles></container>");
	zip_add(&z, "OPS/k.opf",
	    XML
	    "<package xmlns:dc=\"urn:dc\"><metadata><dc:title>Keksitty kirja</dc:title></metadata>"
	    "<manifest><item id=\"b\" href=\"kaksi.xhtml\"/><item id=\"a\" "
	    "href=\"luku%201.xhtml\"/>"
	    "</manifest><spine><itemref idref=\"a\"/><itemref idref=\"b\"/></spine></package>");
	zip_add(&z, "OPS/kaksi.xhtml", "<html><body><p>Toinen luku.</p></body></html>");
	zip_add(&z, "OPS/luku 1.xhtml",
	    "<html><head><title>x</title><style>p{}</style></head><body><p>Ensimmäinen "
	    "luku.</p></body></html>");
	zip_end(&z);
	expect_file(
	    &z, "application/epub+zip", "x\n\nEnsimmäinen luku.\n\nToinen luku.", "Keksitty kirja");
	zip_free(&z);
}

/* A loop in 12 KB: a spine of 100,000 references to one chapter. */
static void test_epub__an_item_named_again_and_again_is_read_once(void **state)
{
	struct zip_fixture z = {0};
	struct buf package = BUF_INIT;

	(void)state;
	zip_add(&z, "META-INF/container.xml",
	    "<container><rootfiles><rootfile full-path=\"k.opf\"/></rootfiles></container>");
	buf_adds(
	    &package, "<package><manifest><item id=\"a\" href=\"a.xhtml\"/></manifest><spine>");
	for (int i = 0; i < 100000; i++)
		buf_adds(&package, "<itemref idref=\"a\"/>");
	buf_adds(&package, "</spine></package>");
	zip_add(&z, "k.opf", package.data);
	zip_add(&z, "a.xhtml", "<html><body><p>ainoa</p></body></html>");
	zip_end(&z);
	expect_file(&z, "application/epub+zip", "ainoa", "");
	zip_free(&z);
	buf_free(&package);
}

static void expect_rtf(const char *rtf, const char *text)
{
	struct extractor *e = start(NULL);
	struct extract_result r = extract(e, "text/rtf", rtf, strlen(rtf));

	assert_string_equal(r.reason, "");
	assert_string_equal(r.text.data, text);
	extract_result_free(&r);
	extractor_free(e);
}

static void test_rtf__code_pages_unicode_and_destinations(void **state)
{
	(void)state;
	expect_rtf(
	    "{\\rtf1\\ansi\\ansicpg1252{\\fonttbl{\\f0\\fcharset0 Arial;}{\\f1\\fcharset204 A;}"
	    "{\\f2\\fcharset128 M;}}{\\info{\\title Nimi}{\\author Ei}}"
	    "\\f0 S\\'e4hk\\'f6\\par{\\*\\tuntematon pois}{\\pict\\bin4 }}}}}"
	    "\\f1\\'cf\\'f0\\'e8\\par\\f2\\'93\\'8c\\'8b\\'9e\\par"
	    "\\f0\\u228?iti \\u-10179?\\u-8704? {\\v piilo}{\\deleted pois}\\{n\\}\\cell "
	    "toinen\\row}",
	    "Sähkö\n\nПри\n\n東京\n\näiti 😀 {n} toinen");
}

/* ---- files made to do harm ---- */
static void bomb_piece(struct buf *packed, unsigned int mib)
{
	struct buf one = BUF_INIT;
	char *zeros = malloc(1 << 20);

	assert_non_null(zeros);
	memset(zeros, ' ', 1 << 20);
	/* a full flush makes the piece good anywhere */
	zip_deflate(&one, zeros, 1 << 20, Z_FULL_FLUSH);
	for (unsigned int i = 0; i < mib; i++)
		buf_add(packed, one.data, one.len);
	buf_add(packed, "\3\0", 2); /* the last block, empty */
	buf_free(&one);
	free(zeros);
}

static void test_docx__bomb_of_a_gigabyte_ends_soon(void **state)
{
	struct zip_fixture z = {0};
	struct buf packed = BUF_INIT;
	int64_t began;

	(void)state;
	zip_deflate(&packed, XML W, strlen(XML W), Z_FULL_FLUSH);
	bomb_piece(&packed, 1024);
	zip_add_packed(&z, "word/document.xml", packed.data, packed.len, 1 << 30, 0);
	sample_docx(&z, XML W W_END);
	began = clock_monotonic_us();
	expect_reason(OOXML "wordprocessingml.document", z.file.data, z.file.len,
	    "a decompression bomb: it unpacks to far more than a document holds");
	assert_true(clock_monotonic_us() - began < 10000000);
	printf("a bomb of 1 GiB in %zu kB: %d ms\n", z.file.len / 1000,
	    (int)((clock_monotonic_us() - began) / 1000));
	buf_free(&packed);
	zip_free(&z);
}

/* 5,000 headers that are all the same megabyte: little ratio each, five gigabytes together. */
static void test_docx__overlapping_entries_are_bounded(void **state)
{
	struct zip_fixture z = {0};
	struct buf packed = BUF_INIT;
	int64_t began = clock_monotonic_us();
	uint32_t offset;

	(void)state;
	bomb_piece(&packed, 1);
	zip_add(&z, "[Content_Types].xml",
	    XML "<Types><Default Extension=\"h\" ContentType=\"" OOXML
		"wordprocessingml.header+xml\"/><Override PartName=\"/d.xml\" ContentType=\"" OOXML
		"wordprocessingml.document.main+xml\"/></Types>");
	zip_add(&z, "d.xml", XML W P("Teksti") W_END);
	offset = zip_add_packed(&z, "0.h", packed.data, packed.len, 1 << 20, 0);
	for (unsigned int i = 1; i < 5000; i++) {
		char name[16];

		snprintf(name, sizeof(name), "%u.h", i);
		zip_record(&z, name, (uint32_t)packed.len, 1 << 20, 0, offset);
	}
	zip_end(&z);
	expect_reason(OOXML "wordprocessingml.document", z.file.data, z.file.len,
	    "a decompression bomb: it unpacks to far more than a document holds");
	assert_true(clock_monotonic_us() - began < 15000000);
	buf_free(&packed);
	zip_free(&z);
}

static void test_docx__entities_are_refused(void **state)
{
	static const char *const heads[] = {
	    "<!DOCTYPE a [<!ENTITY b \"ha\"><!ENTITY c \"&b;&b;&b;\">]>",
	    "<!DOCTYPE a [<!ENTITY b SYSTEM \"file:///etc/passwd\">]>"};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct zip_fixture z = {0};
		struct buf body = BUF_INIT;

		buf_addf(&body, XML "%s" W "<w:p><w:r><w:t>&b;</w:t></w:r></w:p>" W_END, heads[i]);
		sample_docx(&z, body.data);
		expect_reason(OOXML "wordprocessingml.document", z.file.data, z.file.len,
		    "XML that declares its own entities is not read");
		buf_free(&body);
		zip_free(&z);
	}
}

static void test_docx__encrypted_entries_are_told(void **state)
{
	struct zip_fixture z = {0};

	(void)state;
	zip_add_packed(&z, "[Content_Types].xml", "xxxxxxxxxxxxxxxx", 16, 100, 1);
	zip_end(&z);
	expect_reason(OOXML "wordprocessingml.document", z.file.data, z.file.len,
	    "the document is protected by a password");
	zip_free(&z);
}

static void repeat(struct buf *out, const char *text, unsigned int times)
{
	for (unsigned int i = 0; i < times; i++)
		buf_adds(out, text);
}

static void test_office__deep_nesting_is_bounded(void **state)
{
	struct extractor *e = start(NULL);
	struct buf rtf = BUF_INIT, xml = BUF_INIT;
	struct zip_fixture z = {0};
	struct extract_result r;

	(void)state;
	buf_adds(&rtf, "{\\rtf1 alku ");
	repeat(&rtf, "{", 1000000);
	buf_adds(&rtf, "syvä");
	repeat(&rtf, "}", 1000000);
	buf_adds(&rtf, " loppu\\bin999999999 }");
	r = extract(e, "text/rtf", rtf.data, rtf.len);
	assert_string_equal(r.text.data, "alku loppu");
	extract_result_free(&r);
	buf_adds(&xml, XML W P("alku"));
	repeat(&xml, "<w:tbl>", 100000);
	sample_docx(&z, xml.data);
	r = extract(e, OOXML "wordprocessingml.document", z.file.data, z.file.len);
	assert_string_equal(r.reason, "the file is damaged: the text is what could be read of it");
	assert_non_null(strstr(r.text.data, "alku"));
	extract_result_free(&r);
	extractor_free(e);
	buf_free(&rtf);
	buf_free(&xml);
	zip_free(&z);
}

/* Cut at every place, and with bytes changed, always the same ones: text or a reason, never a crash. */
static void test_office__damaged_files_never_crash(void **state)
{
	struct extractor *e = start(NULL);
	struct zip_fixture z = {0};
	uint32_t random = 1;

	(void)state;
	sample_docx(&z, XML W P("Ehjä") W_END);
	for (size_t len = 0; len < z.file.len; len += 13) {
		struct extract_result r =
		    extract(e, OOXML "wordprocessingml.document", z.file.data, len);

		assert_int_equal(r.outcome, EXTRACT_NONE);
		extract_result_free(&r);
	}
	for (int turn = 0; turn < 300; turn++) {
		struct extract_result r;
		struct buf copy = BUF_INIT;

		buf_add(&copy, z.file.data, z.file.len);
		for (int i = 0; i < 8; i++) {
			random = random * 1664525 + 1013904223;
			copy.data[(random >> 8) % copy.len] = (char)(random >> 3);
		}
		r = extract(e, OOXML "wordprocessingml.document", copy.data, copy.len);
		if (strstr(r.reason, "crashed") || strstr(r.reason, "gave up"))
			fail_msg("turn %d: %s", turn, r.reason);
		extract_result_free(&r);
		buf_free(&copy);
	}
	extractor_free(e);
	zip_free(&z);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_docx__text_notes_and_tables_but_not_what_was_deleted),
	    cmocka_unit_test(test_xlsx__rows_are_lines_and_days_are_days),
	    cmocka_unit_test(test_pptx__slides_are_pages_in_order_with_their_notes),
	    cmocka_unit_test(test_odt__text_of_package_and_flat_file),
	    cmocka_unit_test(test_odt__encrypted_is_told),
	    cmocka_unit_test(test_epub__chapters_in_the_order_of_the_spine),
	    cmocka_unit_test(test_epub__an_item_named_again_and_again_is_read_once),
	    cmocka_unit_test(test_rtf__code_pages_unicode_and_destinations),
	    cmocka_unit_test(test_docx__bomb_of_a_gigabyte_ends_soon),
	    cmocka_unit_test(test_docx__overlapping_entries_are_bounded),
	    cmocka_unit_test(test_docx__entities_are_refused),
	    cmocka_unit_test(test_docx__encrypted_entries_are_told),
	    cmocka_unit_test(test_office__deep_nesting_is_bounded),
	    cmocka_unit_test(test_office__damaged_files_never_crash),
	    cmocka_unit_test(test_doc__inside_a_package_is_read),
	    cmocka_unit_test(test_office__tika_documents),
	    cmocka_unit_test(test_office__format_corpus),
	};

	if (argc > 1 && strcmp(argv[1], EXTRACT_CHILD_COMMAND) == 0)
		return extract_child_main(argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
