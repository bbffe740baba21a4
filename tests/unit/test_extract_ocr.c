/* OCR in its sandbox: what is read of scans of our own texts, and that nothing else gets out.
 *
 * This program is its own zygote, with one decoder more: "application/x-escape" tries to break out.
 */
#include "tests/unit/unit.h"

#include <cairo-pdf.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "arkki/base/fs.h"
#include "arkki/base/text.h"
#include "arkki/index/extract.h"
#include "index/extract_child.h"
#include "tests/unit/sanitized.h"
#include "tests/unit/scan.h"

/* ---- the decoder that misbehaves ---- */
static void say(struct textsink *out, const char *what, long result)
{
	char line[96];

	snprintf(
	    line, sizeof(line), "%s %s\n", what, result >= 0 ? "WORKED" : strerrorname_np(errno));
	textsink_add(out, line, strlen(line), true);
}

static void *thread_body(void *arg)
{
	return arg;
}

static void eat_memory(struct textsink *out)
{
	char *volatile p; /* so that the compiler does not see through it */
	size_t got = 0;

	while ((p = malloc(1 << 24)) && got < 1024) {
		memset(p, 1, 4096);
		got++;
	}
	say(out, "memory", p ? 0 : -1);
	say(out, "a-gigabyte-first", got >= 64 ? 0 : -1);
}

static enum format_outcome escape_read(const struct format_input *in, struct textsink *out)
{
	pthread_t thread;
	struct stat st;
	pid_t pid;

	if (in->len == 6 && memcmp(in->bytes, "memory", 6) == 0) {
		eat_memory(out);
		return FORMAT_OK;
	}
	say(out, "open", open("/usr/share/tesseract-ocr/5/tessdata/fin.traineddata", O_RDONLY));
	say(out, "create", open("/tmp/arkki-ocr-escape", O_WRONLY | O_CREAT, 0600));
	say(out, "stat", stat("/etc/hostname", &st));
	say(out, "memfd", memfd_create("x", 0));
	say(out, "socket", socket(AF_INET, SOCK_STREAM, 0));
	say(out, "socket-unix", socket(AF_UNIX, SOCK_STREAM, 0));
	pid = fork();
	if (pid == 0)
		_exit(0);
	say(out, "fork", pid);
	errno = pthread_create(&thread, NULL, thread_body, NULL);
	say(out, "thread", errno ? -1 : 0);
	say(out, "exec-memory",
	    mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		0) == MAP_FAILED
		? -1
		: 0);
	return FORMAT_OK;
}

static bool escape_reads(const char *type)
{
	return strcmp(type, "application/x-escape") == 0;
}

static const struct format escape = {.name = "escape", .reads = escape_reads, .read = escape_read};

/* ---- helpers ---- */
struct fixture {
	struct extractor *text, *ocr;
};

static int setup(void **state)
{
	static struct fixture f;
	const struct extract_config config = {.kind = EXTRACT_OCR};
	struct ark_error err = {0};

	if (extractor_new(NULL, &f.text, &err) != ARK_OK ||
	    extractor_new(&config, &f.ocr, &err) != ARK_OK) {
		printf("no extractor: %s\n", err.text);
		return -1;
	}
	*state = &f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	extractor_free(f->text);
	extractor_free(f->ocr);
	return 0;
}

/* Text and words are "" rather than NULL. */
static struct extract_result extract(
    struct extractor *e, const char *type, const void *bytes, size_t len, uint32_t page)
{
	struct extract_result r = {0};
	struct extract_job *job = NULL;
	struct ark_error err = {0};

	if (extract_begin(e, type, len, &job, &err) != ARK_OK)
		fail_msg("begin: %s", err.text);
	assert_int_equal(extract_feed(job, bytes, len, &err), ARK_OK);
	if (page)
		extract_page(job, page);
	if (extract_finish(job, &r, &err) != ARK_OK)
		fail_msg("finish: %s", err.text);
	if (!r.text.data)
		buf_adds(&r.text, "");
	if (!r.words.data)
		buf_adds(&r.words, "");
	return r;
}

struct encoded {
	l_uint8 *bytes;
	size_t len;
};

static struct encoded encode(PIX *pix, int kind)
{
	struct encoded e = {0};

	assert_int_equal(pixWriteMem(&e.bytes, &e.len, pix, kind), 0);
	return e;
}

/* The page of a picture, read; ends pix. */
static struct extract_result read_pix(const struct fixture *f, const char *type, PIX *pix, int kind)
{
	struct encoded e = encode(pix, kind);
	struct extract_result r = extract(f->ocr, type, e.bytes, e.len, 0);

	lept_free(e.bytes);
	pixDestroy(&pix);
	return r;
}

static PIX *page_of(enum scan_language language, uint32_t seed, const char *font, struct buf *text)
{
	buf_clear(text);
	scan_text(text, language, seed);
	return scan_render(text->data, font);
}

enum { SMALL_HEIGHT = 700 };

/* A few lines are enough where only the way it is stored is in question. */
static PIX *small_page(struct buf *text)
{
	PIX *pix, *part;
	BOX *box = boxCreate(0, 0, SCAN_WIDTH, SMALL_HEIGHT);

	buf_clear(text);
	buf_adds(text, scan_sentences[SCAN_FI][1]);
	buf_adds(text, "\n\n");
	buf_adds(text, scan_sentences[SCAN_SV][1]);
	pix = scan_render(text->data, "DejaVu Serif 12");
	part = pixClipRectangle(pix, box, NULL);
	pixSetResolution(part, SCAN_DPI, SCAN_DPI);
	boxDestroy(&box);
	pixDestroy(&pix);
	return part;
}

static void expect_recall(
    const char *what, const char *truth, struct extract_result *r, double least)
{
	double recall = scan_recall(truth, r->text.data);

	printf("%s: word recall %.3f, known %u per mille\n", what, recall, r->known);
	assert_int_equal(r->outcome, EXTRACT_READY);
	assert_string_equal(r->reason, "");
	if (recall < least)
		fail_msg("%s: word recall %.3f in\n%s", what, recall, r->text.data);
	assert_true(r->known > 900);
	extract_result_free(r);
}

static void expect_none(const struct fixture *f, struct extractor *e, const char *type,
    const void *bytes, size_t len, uint32_t page, const char *reason)
{
	struct extract_result r = extract(e, type, bytes, len, page);

	(void)f;
	assert_string_equal(r.reason, reason);
	assert_int_equal(r.outcome, EXTRACT_NONE);
	assert_int_equal(r.text.len, 0);
	assert_int_equal(r.words.len, 0);
	assert_null(r.bare_pages);
	extract_result_free(&r);
}

/* ---- the sandbox ---- */
static void test_sandbox__ocr_profile_lets_nothing_out(void **state)
{
	static const char *const tries[] = {"open EPERM", "\ncreate EPERM", "\nstat EPERM",
	    "\nmemfd EPERM", "\nsocket EPERM", "\nsocket-unix EPERM", "\nfork EPERM",
	    "\nthread EPERM", "\nexec-memory EPERM"};
	const struct fixture *f = *state;
	struct extract_result r = extract(f->ocr, "application/x-escape", "x", 1, 0);

	assert_string_equal(r.reason, "");
	assert_null(strstr(r.text.data, "WORKED"));
	for (size_t i = 0; i < sizeof(tries) / sizeof(*tries); i++) {
		if (!strstr(r.text.data, tries[i]))
			fail_msg("\"%s\" is not in:\n%s", tries[i], r.text.data);
	}
	extract_result_free(&r);
}

static void test_sandbox__ocr_memory_is_bounded_but_larger(void **state)
{
	const struct fixture *f = *state;
	struct extract_result r;

	skip_sanitized(__func__);
	r = extract(f->ocr, "application/x-escape", "memory", 6, 0);
	assert_string_equal(r.text.data, "memory ENOMEM\na-gigabyte-first WORKED");
	extract_result_free(&r);
}

static void count_threads(pid_t parent, int *zygotes)
{
	DIR *dir = opendir("/proc");
	struct dirent *entry;

	assert_non_null(dir);
	while ((entry = readdir(dir))) {
		struct buf b = BUF_INIT;
		const char *p, *threads;
		char path[300];

		snprintf(path, sizeof(path), "/proc/%s/status", entry->d_name);
		if (atoi(entry->d_name) > 0 && fs_read_file(path, 8192, &b, NULL) == ARK_OK &&
		    b.data && (p = strstr(b.data, "\nPPid:")) && atoi(p + 6) == parent &&
		    (threads = strstr(b.data, "\nThreads:"))) {
			(*zygotes)++;
			assert_int_equal(atoi(threads + 9), 1);
		}
		buf_free(&b);
	}
	closedir(dir);
}

static void test_zygote__has_one_thread(void **state)
{
	int zygotes = 0;

	(void)state;
	skip_sanitized(__func__);
	count_threads(getpid(), &zygotes);
	assert_int_equal(zygotes, 2);
}

/* ---- scans ---- */
/* Drawn with margins of 250 dots, in letters of 11 points. Takes the words apart. */
static void expect_places(char *words)
{
	int left, top, width, height, confidence, n = 0, last_top = 0;
	char *line, *rest = NULL, word[200];

	line = strtok_r(words, "\n", &rest);
	assert_non_null(line);
	assert_string_equal(line, "page 2480 3508 300 0");
	while ((line = strtok_r(NULL, "\n", &rest))) {
		assert_int_equal(sscanf(line, "%d %d %d %d %d %199s", &left, &top, &width, &height,
				     &confidence, word),
		    6);
		assert_in_range(left, 230, SCAN_WIDTH - 250);
		assert_in_range(left + width, 240, SCAN_WIDTH - 230);
		assert_in_range(top, 230, SCAN_HEIGHT - 250);
		assert_in_range(height, 15, 70);
		assert_in_range(confidence, 0, 100);
		assert_true(top > last_top - 60);
		if (n++ == 0) {
			assert_string_equal(word, "Tarkastuskertomus");
			assert_in_range(left, 245, 256);
			assert_in_range(width, 380, 640);
		}
		last_top = top;
	}
	assert_in_range(n, 200, 400);
}

static void test_scan__clean_pages_are_read_with_places(void **state)
{
	const struct fixture *f = *state;
	struct buf text = BUF_INIT;
	struct extract_result r;

	r = read_pix(f, "image/png", page_of(SCAN_FI, 7, "DejaVu Serif 11", &text), IFF_PNG);
	assert_int_equal(r.pages, 1);
	expect_places(r.words.data);
	expect_recall("clean fi", text.data, &r, .97);
	r = read_pix(f, "image/png", page_of(SCAN_SV, 8, "DejaVu Sans 10", &text), IFF_PNG);
	expect_recall("clean sv", text.data, &r, .97);
	buf_free(&text);
}

static void test_scan__noisy_pages_are_read(void **state)
{
	const struct fixture *f = *state;
	struct buf text = BUF_INIT;
	struct extract_result r;
	PIX *pix;

	pix = scan_blur(scan_turn(page_of(SCAN_FI, 9, "DejaVu Sans 10", &text), 2));
	scan_salt_and_pepper(pix, 10, 1);
	r = read_pix(f, "image/png", pix, IFF_PNG);
	expect_recall("noisy fi", text.data, &r, .97);
	pix = scan_blur(scan_turn(page_of(SCAN_SV, 10, "DejaVu Serif 11", &text), -2));
	scan_salt_and_pepper(pix, 10, 2);
	r = read_pix(f, "image/jpeg", pix, IFF_JFIF_JPEG);
	expect_recall("noisy sv, JPEG", text.data, &r, .97);
	buf_free(&text);
}

/* A few words give leptonica no sure answer: the dictionaries decide. */
static void test_scan__turned_pages_are_read_and_their_turn_told(void **state)
{
	static const int back[] = {0, 270, 180, 90};
	const struct fixture *f = *state;
	struct buf text = BUF_INIT;

	for (int quarters = 1; quarters < 4; quarters++) {
		struct extract_result r =
		    read_pix(f, "image/png", scan_turn_orth(small_page(&text), quarters), IFF_PNG);
		int width, height, dpi, rotation;

		assert_int_equal(
		    sscanf(r.words.data, "page %d %d %d %d\n", &width, &height, &dpi, &rotation),
		    4);
		assert_int_equal(rotation, back[quarters]);
		assert_int_equal(width, SCAN_WIDTH);
		assert_int_equal(height, SMALL_HEIGHT);
		assert_int_equal(dpi, SCAN_DPI);
		expect_recall("turned", text.data, &r, 1);
	}
	buf_free(&text);
}

/* ---- empty and senseless pages ---- */
static void test_scan__blank_and_noise_give_no_text(void **state)
{
	const struct fixture *f = *state;
	PIX *blank = pixCreate(SCAN_WIDTH, SMALL_HEIGHT, 8), *noise;
	struct extract_result r;

	pixSetAllArbitrary(blank, 255);
	noise = pixScale(blank, .5F, .5F);
	r = read_pix(f, "image/png", blank, IFF_PNG);
	assert_int_equal(r.outcome, EXTRACT_READY);
	assert_string_equal(r.text.data, "");
	assert_int_equal(r.known, 0);
	extract_result_free(&r);
	scan_salt_and_pepper(noise, 300, 3);
	noise = scan_blur(noise);
	r = read_pix(f, "image/png", noise, IFF_PNG);
	assert_int_equal(r.outcome, EXTRACT_READY);
	assert_string_equal(r.text.data, "");
	assert_int_equal(r.known, 0);
	extract_result_free(&r);
}

/* ---- how pictures are stored ---- */
static void test_picture__depths_and_kinds(void **state)
{
	const struct fixture *f = *state;
	static const struct {
		const char *type;
		int kind, depth;
	} cases[] = {{"image/tiff", IFF_TIFF_G4, 1}, {"image/tiff", IFF_TIFF_LZW, 8},
	    {"image/png", IFF_PNG, 16}, {"image/png", IFF_PNG, 32}, {"image/png", IFF_PNG, 4},
	    {"image/jp2", IFF_JP2, 8}, {"image/bmp", IFF_BMP, 8}, {"image/webp", IFF_WEBP, 32},
	    {"image/gif", IFF_GIF, 8}, {"image/jpeg", IFF_JFIF_JPEG, 32}};
	struct buf text = BUF_INIT;

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		PIX *grey = small_page(&text), *pix;
		struct extract_result r;

		pix = cases[i].depth == 1    ? pixThresholdToBinary(grey, 150)
		      : cases[i].depth == 4  ? pixThresholdTo4bpp(grey, 16, 1)
		      : cases[i].depth == 16 ? pixConvert8To16(grey, 8)
		      : cases[i].depth == 32 ? pixConvert8To32(grey)
					     : pixClone(grey);
		pixSetResolution(pix, SCAN_DPI, SCAN_DPI);
		pixDestroy(&grey);
		printf("%s %d: ", cases[i].type, cases[i].depth);
		r = read_pix(f, cases[i].type, pix, cases[i].kind);
		expect_recall("stored", text.data, &r, 1);
	}
	buf_free(&text);
}

/* Black letters on nothing: what is transparent is paper. */
static void test_picture__transparent_paper_is_white(void **state)
{
	const struct fixture *f = *state;
	struct buf text = BUF_INIT;
	PIX *grey = small_page(&text), *alpha = pixInvert(NULL, grey);
	PIX *black = pixCreate(pixGetWidth(grey), pixGetHeight(grey), 32);
	struct extract_result r;

	pixSetRGBComponent(black, alpha, L_ALPHA_CHANNEL);
	pixSetSpp(black, 4);
	pixSetResolution(black, SCAN_DPI, SCAN_DPI);
	pixDestroy(&grey);
	pixDestroy(&alpha);
	r = read_pix(f, "image/png", black, IFF_PNG);
	expect_recall("alpha", text.data, &r, 1);
	buf_free(&text);
}

/* A screen's picture at 100 dots an inch that does not say so. */
static void test_picture__coarse_is_enlarged(void **state)
{
	const struct fixture *f = *state;
	struct buf text = BUF_INIT;
	PIX *page = page_of(SCAN_FI, 13, "DejaVu Sans 12", &text), *coarse;
	struct extract_result r;

	coarse = pixScale(page, .4F, .4F);
	pixDestroy(&page);
	pixSetResolution(coarse, 0, 0);
	r = read_pix(f, "image/png", coarse, IFF_PNG);
	expect_recall("120 dpi", text.data, &r, .97);
	buf_free(&text);
}

static void test_tiff__each_directory_is_a_page(void **state)
{
	const struct fixture *f = *state;
	struct buf text = BUF_INIT;
	char dir[256], path[300];
	struct buf tiff = BUF_INIT;
	struct extract_result r;

	unit_scratch(dir);
	snprintf(path, sizeof(path), "%s/pages.tiff", dir);
	for (int i = 0; i < 3; i++) {
		PIX *pix = small_page(&text), *bits = pixThresholdToBinary(pix, 150);

		if (i == 1)
			pixClearAll(bits);
		assert_int_equal(pixWriteTiff(path, bits, IFF_TIFF_G4, i ? "a" : "w"), 0);
		pixDestroy(&pix);
		pixDestroy(&bits);
	}
	assert_int_equal(fs_read_file(path, 1 << 24, &tiff, NULL), ARK_OK);
	r = extract(f->text, "image/tiff", tiff.data, tiff.len, 0);
	assert_int_equal(r.outcome, EXTRACT_READY);
	assert_int_equal(r.text.len, 0);
	assert_int_equal(r.pages, 3);
	assert_int_equal(r.bare_pages_len, 3);
	for (uint32_t i = 0; i < 3; i++)
		assert_int_equal(r.bare_pages[i], i + 1);
	extract_result_free(&r);
	assert_null(r.bare_pages);
	r = extract(f->ocr, "image/tiff", tiff.data, tiff.len, 3);
	expect_recall("third page", text.data, &r, 1);
	r = extract(f->ocr, "image/tiff", tiff.data, tiff.len, 2);
	assert_string_equal(r.text.data, "");
	assert_int_equal(r.outcome, EXTRACT_READY);
	extract_result_free(&r);
	expect_none(
	    f, f->ocr, "image/tiff", tiff.data, tiff.len, 4, "there is no page 4 that can be read");
	buf_free(&tiff);
	buf_free(&text);
	unit_scratch_end(dir);
}

/* ---- PDF ---- */
static cairo_status_t pdf_write(void *arg, const unsigned char *bytes, unsigned int len)
{
	buf_add(arg, bytes, len);
	return CAIRO_STATUS_SUCCESS;
}

static void show(cairo_t *cr, const char *text, bool outlines)
{
	PangoLayout *layout = pango_cairo_create_layout(cr);
	PangoFontDescription *font = pango_font_description_from_string("DejaVu Serif 12px");

	cairo_move_to(cr, 60, 60);
	pango_layout_set_font_description(layout, font);
	pango_layout_set_width(layout, 470 * PANGO_SCALE);
	pango_layout_set_text(layout, text, -1);
	if (outlines) {
		pango_cairo_layout_path(cr, layout);
		cairo_fill(cr);
	} else {
		pango_cairo_show_layout(cr, layout);
	}
	pango_font_description_free(font);
	g_object_unref(layout);
}

static void show_scan(cairo_t *cr, PIX *pix)
{
	cairo_surface_t *image =
	    cairo_image_surface_create(CAIRO_FORMAT_RGB24, pixGetWidth(pix), pixGetHeight(pix));
	unsigned char *bytes = cairo_image_surface_get_data(image);
	l_uint32 value;

	for (int y = 0; y < pixGetHeight(pix); y++) {
		for (int x = 0; x < pixGetWidth(pix); x++) {
			pixGetPixel(pix, x, y, &value);
			memset(bytes + y * cairo_image_surface_get_stride(image) + 4 * x,
			    (int)value, 4);
		}
	}
	cairo_surface_mark_dirty(image);
	cairo_save(cr);
	cairo_scale(cr, 72.0 / SCAN_DPI, 72.0 / SCAN_DPI);
	cairo_set_source_surface(cr, image, 0, 0);
	cairo_paint(cr);
	cairo_restore(cr);
	cairo_surface_destroy(image);
}

/* Pages: text, a scan, nothing, outlines of letters. */
static void make_pdf(struct buf *out, PIX *scan, const char *outlined)
{
	cairo_surface_t *pdf = cairo_pdf_surface_create_for_stream(pdf_write, out, 595, 842);
	cairo_t *cr = cairo_create(pdf);

	show(cr, "Sivu tekstiä", false);
	cairo_show_page(cr);
	show_scan(cr, scan);
	cairo_show_page(cr);
	cairo_show_page(cr);
	show(cr, outlined, true);
	cairo_show_page(cr);
	cairo_destroy(cr);
	cairo_surface_destroy(pdf);
}

static void test_pdf__pages_without_text_are_told_and_read(void **state)
{
	const struct fixture *f = *state;
	struct buf text = BUF_INIT, pdf = BUF_INIT;
	struct extract_result r;
	PIX *scan = small_page(&text);

	make_pdf(&pdf, scan, scan_sentences[SCAN_SV][3]);
	pixDestroy(&scan);
	r = extract(f->text, "application/pdf", pdf.data, pdf.len, 0);
	assert_int_equal(r.outcome, EXTRACT_READY);
	assert_string_equal(r.text.data, "Sivu tekstiä\f\f\f");
	assert_int_equal(r.pages, 4);
	assert_int_equal(r.bare_pages_len, 2);
	assert_int_equal(r.bare_pages[0], 2);
	assert_int_equal(r.bare_pages[1], 4);
	assert_int_equal(r.words.len, 0);
	extract_result_free(&r);
	r = extract(f->ocr, "application/pdf", pdf.data, pdf.len, 2);
	expect_recall("scan in a PDF", text.data, &r, 1);
	r = extract(f->ocr, "application/pdf", pdf.data, pdf.len, 4);
	expect_recall("outlines in a PDF", scan_sentences[SCAN_SV][3], &r, 1);
	expect_none(f, f->ocr, "application/pdf", pdf.data, pdf.len, 5,
	    "there is no page 5 that can be read");
	expect_none(f, f->ocr, "application/pdf", pdf.data, pdf.len, 4294967295,
	    "there is no page 4294967295 that can be read");
	expect_none(f, f->ocr, "application/pdf", "%PDF-1.7\nnothing", 16, 1,
	    "the PDF is encrypted, or damaged beyond reading");
	buf_free(&pdf);
	buf_free(&text);
}

/* A page of 14,400 points a side has 3,600 million dots at 300 an inch. */
static void test_pdf__huge_page_is_drawn_smaller(void **state)
{
	const struct fixture *f = *state;
	struct buf pdf = BUF_INIT;
	cairo_surface_t *surface =
	    cairo_pdf_surface_create_for_stream(pdf_write, &pdf, 14400, 14400);
	cairo_t *cr = cairo_create(surface);
	struct extract_result r;
	int width, height, dpi;

	cairo_scale(cr, 20, 20);
	show(cr, scan_sentences[SCAN_FI][2], true);
	cairo_destroy(cr);
	cairo_surface_destroy(surface);
	r = extract(f->ocr, "application/pdf", pdf.data, pdf.len, 1);
	assert_int_equal(sscanf(r.words.data, "page %d %d %d", &width, &height, &dpi), 3);
	assert_true((int64_t)width * height <= 50100000);
	assert_in_range(dpi, 30, 40);
	expect_recall("huge page", scan_sentences[SCAN_FI][2], &r, .8);
	buf_free(&pdf);
}

/* ---- hostile pictures ---- */
static size_t png_head(unsigned char *out, uint32_t width, uint32_t height)
{
	static const unsigned char head[] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n', 0, 0, 0,
	    13, 'I', 'H', 'D', 'R', 0, 0, 0, 0, 0, 0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0, 0};

	memcpy(out, head, sizeof(head));
	be32_put(out + 16, width);
	be32_put(out + 20, height);
	return sizeof(head);
}

static void test_hostile__huge_sizes_are_refused_before_decoding(void **state)
{
	static const char reason[] = "the picture is larger than 50 million pixels (30000 × 30000)";
	/* little-endian, one directory with width and height only */
	static const unsigned char tiff[] = {'I', 'I', 42, 0, 8, 0, 0, 0, 2, 0, 0, 1, 4, 0, 1, 0, 0,
	    0, 0x30, 0x75, 0, 0, 1, 1, 4, 0, 1, 0, 0, 0, 0x30, 0x75, 0, 0, 0, 0, 0, 0};
	const struct fixture *f = *state;
	unsigned char png[64] = {0};

	png_head(png, 30000, 30000);
	expect_none(f, f->text, "image/png", png, sizeof(png), 0, reason);
	expect_none(f, f->ocr, "image/png", png, sizeof(png), 0, reason);
	expect_none(f, f->text, "image/tiff", tiff, sizeof(tiff), 0, reason);
	expect_none(f, f->ocr, "image/tiff", tiff, sizeof(tiff), 0, reason);
}

static void test_hostile__damaged_pictures_have_a_reason(void **state)
{
	static const char reason[] = "the picture is damaged, or of a kind arkki does not read";
	const struct fixture *f = *state;
	struct buf text = BUF_INIT;
	PIX *pix = small_page(&text);
	struct encoded png = encode(pix, IFF_PNG);

	expect_none(f, f->ocr, "image/png", "no picture at all", 17, 0, reason);
	expect_none(f, f->text, "image/jpeg", "no picture at all", 17, 0, reason);
	expect_none(f, f->ocr, "image/png", png.bytes, 100, 0, reason);
	expect_none(
	    f, f->ocr, "image/png", png.bytes, png.len, 2, "there is no page 2 that can be read");
	expect_none(f, f->ocr, "text/plain", "x", 1, 0, "not a format arkki reads (text/plain)");
	lept_free(png.bytes);
	pixDestroy(&pix);
	buf_free(&text);
}

/* Directories 1 and 2 point at each other: two pages are there, or one more that is met again. */
static void test_hostile__ring_of_tiff_directories_ends(void **state)
{
	const struct fixture *f = *state;
	unsigned char tiff[64] = {'I', 'I', 42, 0, 8};
	struct extract_result r;

	for (int at = 8; at <= 36; at += 28) {
		static const unsigned char entries[] = {
		    2, 0, 0, 1, 4, 0, 1, 0, 0, 0, 10, 0, 0, 0, 1, 1, 4, 0, 1, 0, 0, 0, 10, 0, 0, 0};

		memcpy(tiff + at, entries, sizeof(entries));
		if (at == 8)
			tiff[at + 26] = 36;
	}
	/* the second one's pointer: back to the first */
	tiff[62] = 8;
	r = extract(f->text, "image/tiff", tiff, sizeof(tiff), 0);
	assert_int_equal(r.outcome, EXTRACT_READY);
	assert_true(r.pages <= 4);
	extract_result_free(&r);
	r = extract(f->ocr, "image/tiff", tiff, sizeof(tiff), 2);
	assert_int_equal(r.outcome, EXTRACT_NONE);
	extract_result_free(&r);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_sandbox__ocr_profile_lets_nothing_out),
	    cmocka_unit_test(test_sandbox__ocr_memory_is_bounded_but_larger),
	    cmocka_unit_test(test_zygote__has_one_thread),
	    cmocka_unit_test(test_scan__clean_pages_are_read_with_places),
	    cmocka_unit_test(test_scan__noisy_pages_are_read),
	    cmocka_unit_test(test_scan__turned_pages_are_read_and_their_turn_told),
	    cmocka_unit_test(test_scan__blank_and_noise_give_no_text),
	    cmocka_unit_test(test_picture__depths_and_kinds),
	    cmocka_unit_test(test_picture__transparent_paper_is_white),
	    cmocka_unit_test(test_picture__coarse_is_enlarged),
	    cmocka_unit_test(test_tiff__each_directory_is_a_page),
	    cmocka_unit_test(test_pdf__pages_without_text_are_told_and_read),
	    cmocka_unit_test(test_pdf__huge_page_is_drawn_smaller),
	    cmocka_unit_test(test_hostile__huge_sizes_are_refused_before_decoding),
	    cmocka_unit_test(test_hostile__damaged_pictures_have_a_reason),
	    cmocka_unit_test(test_hostile__ring_of_tiff_directories_ends),
	};

	if (argc > 1 && strcmp(argv[1], EXTRACT_CHILD_COMMAND) == 0)
		return extract_child_run(argc, argv, &escape);
	return cmocka_run_group_tests(tests, setup, teardown);
}
