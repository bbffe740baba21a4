/* Arbitrary bytes as office documents: the first byte chooses. A file as it is (ZIP, RTF, OLE, flat XML), or the XML of
 * the parts of one, divided by a line with a "%" alone, put into a ZIP around them: packed, no mutation would find them.
 */
#include <zlib.h>

#include "tests/fuzz/fuzz_format.h"

enum { ROOM = 16 << 20, PARTS = 8 };

#define TYPES(part, type)                                                                          \
	"<Types><Default Extension=\"rels\" "                                                      \
	"ContentType=\"application/vnd.openxmlformats-package.relationships+xml\"/>"               \
	"<Override PartName=\"/" part                                                              \
	"\" ContentType=\"application/vnd.openxmlformats-officedocument." type "\"/></Types>"
#define RELS(part)                                                                                 \
	"<Relationships><Relationship Id=\"r1\" "                                                  \
	"Type=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships/"              \
	"officeDocument\" "                                                                        \
	"Target=\"" part "\"/></Relationships>"

/* What is always there, and the names that the pieces get in their order. */
static const struct skeleton {
	const char *type;
	const char *fixed[2][2];
	const char *names[PARTS];
} skeletons[] = {
    {"application/vnd.openxmlformats-officedocument.wordprocessingml.document",
	{{"[Content_Types].xml", TYPES("word/document.xml", "wordprocessingml.document.main+xml")},
	    {"_rels/.rels", RELS("word/document.xml")}},
	{"word/document.xml", "word/_rels/document.xml.rels", "word/header1.xml",
	    "word/footnotes.xml", "word/comments.xml", "docProps/core.xml"}},
    {"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
	{{"[Content_Types].xml", TYPES("xl/workbook.xml", "spreadsheetml.sheet.main+xml")},
	    {"_rels/.rels", RELS("xl/workbook.xml")}},
	{"xl/workbook.xml", "xl/_rels/workbook.xml.rels", "xl/worksheets/sheet1.xml",
	    "xl/sharedStrings.xml", "xl/styles.xml", "xl/worksheets/_rels/sheet1.xml.rels",
	    "xl/comments1.xml"}},
    {"application/vnd.openxmlformats-officedocument.presentationml.presentation",
	{{"[Content_Types].xml",
	     TYPES("ppt/presentation.xml", "presentationml.presentation.main+xml")},
	    {"_rels/.rels", RELS("ppt/presentation.xml")}},
	{"ppt/presentation.xml", "ppt/_rels/presentation.xml.rels", "ppt/slides/slide1.xml",
	    "ppt/slides/_rels/slide1.xml.rels", "ppt/notesSlides/notesSlide1.xml"}},
    {"application/vnd.oasis.opendocument.text",
	{{"mimetype", "application/vnd.oasis.opendocument.text"},
	    {"META-INF/manifest.xml", "<manifest/>"}},
	{"content.xml", "styles.xml", "meta.xml", "Object 1/content.xml"}},
    {"application/epub+zip",
	{{"mimetype", "application/epub+zip"},
	    {"META-INF/container.xml", "<container><rootfiles><rootfile full-path=\"a.opf\"/>"
				       "</rootfiles></container>"}},
	{"a.opf", "a.xhtml", "b.html", "META-INF/encryption.xml"}},
};

static void le(struct buf *b, size_t value, unsigned int bytes)
{
	for (unsigned int i = 0; i < bytes; i++)
		buf_addc(b, (char)(value >> 8 * i));
}

/* What local header and directory say alike: stored as it is, with its checksum. */
static void describe(struct buf *b, const char *name, const char *bytes, size_t len)
{
	le(b, 20, 2), le(b, 0, 2), le(b, 0, 2), le(b, 0, 4);
	le(b, crc32(0, (const Bytef *)bytes, (uInt)len), 4);
	le(b, len, 4), le(b, len, 4), le(b, strlen(name), 2), le(b, 0, 2);
}

static void add_part(struct buf *zip, struct buf *list, const char *name, const char *bytes,
    size_t len, unsigned int *entries)
{
	buf_add(list, "PK\1\2\24\0", 6);
	describe(list, name, bytes, len);
	le(list, 0, 2), le(list, 0, 2), le(list, 0, 2), le(list, 0, 4), le(list, zip->len, 4);
	buf_adds(list, name);
	buf_add(zip, "PK\3\4", 4);
	describe(zip, name, bytes, len);
	buf_adds(zip, name);
	buf_add(zip, bytes, len);
	++*entries;
}

static void try_parts(const struct skeleton *s, const char *bytes, size_t len)
{
	struct buf zip = BUF_INIT, list = BUF_INIT;
	unsigned int entries = 0;
	size_t start;

	for (unsigned int i = 0; i < 2; i++)
		add_part(
		    &zip, &list, s->fixed[i][0], s->fixed[i][1], strlen(s->fixed[i][1]), &entries);
	for (unsigned int i = 0; i < PARTS && s->names[i] && bytes; i++) {
		const char *end = memmem(bytes, len, "\n%\n", 3);
		size_t n = end ? (size_t)(end - bytes) : len;

		add_part(&zip, &list, s->names[i], bytes, n, &entries);
		bytes = end ? end + 3 : NULL;
		len -= end ? n + 3 : 0;
	}
	start = zip.len;
	buf_add(&zip, list.data, list.len);
	buf_add(&zip, "PK\5\6\0\0\0\0", 8);
	le(&zip, entries, 2), le(&zip, entries, 2), le(&zip, list.len, 4), le(&zip, start, 4);
	le(&zip, 0, 2);
	if (!buf_failed(&zip) && !buf_failed(&list))
		fuzz_format(&format_office, s->type, zip.data, zip.len, ROOM);
	buf_free(&zip);
	buf_free(&list);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct {
		const struct format *format;
		const char *type;
	} whole[] = {{&format_office, "application/vnd.oasis.opendocument.text"},
	    {&format_rtf, "application/rtf"}, {&format_ole, "application/msword"}};
	enum { SKELETONS = sizeof(skeletons) / sizeof(*skeletons), WHOLE = 3 };
	static bool warm; /* of the fuzzing process */
	unsigned int way;
	char *bytes;

	/* what the decoders warm are tables of iconv, which are held open to the end */
	if (!warm)
		kind_warm();
	warm = true;
	bytes = fuzz_bytes(data, size);
	if (!bytes)
		return 0;
	way = data[0] % (SKELETONS + WHOLE);
	if (way < SKELETONS)
		try_parts(&skeletons[way], bytes, size - 1);
	else
		fuzz_format(whole[way - SKELETONS].format, whole[way - SKELETONS].type, bytes,
		    size - 1, ROOM);
	free(bytes);
	return 0;
}
