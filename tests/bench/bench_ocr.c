/* Word recall, seconds a page and memory of OCR on rendered scans of our own texts, clean and noisy.
 * `bench_ocr [PAGES]` (20), one process, through the sandbox as in the service. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "arkki/base/clock.h"
#include "arkki/index/extract.h"
#include "tests/unit/scan.h"

static const char *const fonts[] = {
    "DejaVu Serif 11", "DejaVu Sans 10", "DejaVu Serif Condensed 12"};

struct totals {
	double recall, worst, seconds, slowest;
	unsigned int pages, known;
};

static PIX *spoil(PIX *pix, unsigned int how, uint32_t seed)
{
	switch (how % 5) {
	case 0:
		pix = scan_turn(pix, 2);
		break;
	case 1:
		pix = scan_turn(pix, -1.5);
		break;
	case 2:
		pix = scan_turn_orth(pix, 2);
		break;
	case 3:
		pix = scan_turn_orth(pix, 1);
		break;
	default:
		break;
	}
	pix = scan_blur(pix);
	scan_salt_and_pepper(pix, 10, seed);
	return pix;
}

static int one(struct extractor *e, PIX *pix, const char *truth, struct totals *t)
{
	struct extract_result r = {0};
	struct extract_job *job;
	struct ark_error err = {0};
	l_uint8 *bytes = NULL;
	size_t len = 0;
	int64_t before;
	double recall, seconds;

	if (pixWriteMem(&bytes, &len, pix, IFF_PNG) != 0 ||
	    extract_begin(e, "image/png", len, &job, &err) != ARK_OK) {
		fprintf(stderr, "no page: %s\n", err.text);
		return -1;
	}
	before = clock_monotonic_us();
	if (extract_feed(job, bytes, len, &err) != ARK_OK ||
	    extract_finish(job, &r, &err) != ARK_OK) {
		fprintf(stderr, "page failed: %s\n", err.text);
		lept_free(bytes);
		return -1;
	}
	seconds = (double)(clock_monotonic_us() - before) / 1e6;
	recall = scan_recall(truth, r.text.data ? r.text.data : "");
	t->recall += recall;
	t->seconds += seconds;
	t->known += r.known;
	t->pages++;
	if (t->pages == 1 || recall < t->worst)
		t->worst = recall;
	if (seconds > t->slowest)
		t->slowest = seconds;
	if (getenv("OCR_VERBOSE"))
		printf("  recall %.3f known %u %.1f s %s %.*s\n", recall, r.known, seconds,
		    r.reason, (int)strcspn(r.words.data ? r.words.data : "", "\n"),
		    r.words.data ? r.words.data : "");
	extract_result_free(&r);
	lept_free(bytes);
	return 0;
}

static void say(const char *what, const struct totals *t)
{
	double n = t->pages ? t->pages : 1;

	printf(
	    "%s: %u pages, word recall %.4f (worst page %.3f), known %.0f per mille, %.2f s a page "
	    "(slowest %.1f)\n",
	    what, t->pages, t->recall / n, t->worst, t->known / n, t->seconds / n, t->slowest);
}

int main(int argc, char **argv)
{
	const struct extract_config config = {.kind = EXTRACT_OCR};
	unsigned int pages = argc > 1 ? (unsigned int)atoi(argv[1]) : 20;
	struct totals clean = {0}, noisy = {0};
	struct extractor *e = NULL;
	struct ark_error err = {0};
	struct rusage usage;

	if (argc > 1 && strcmp(argv[1], EXTRACT_CHILD_COMMAND) == 0)
		return extract_child_main(argc, argv);
	if (extractor_new(&config, &e, &err) != ARK_OK) {
		fprintf(stderr, "no OCR: %s\n", err.text);
		return 1;
	}
	for (unsigned int i = 0; i < pages; i++) {
		struct buf text = BUF_INIT;
		PIX *pix;

		scan_text(&text, i % 2 ? SCAN_SV : SCAN_FI, i + 1);
		pix = scan_render(text.data, fonts[i % 3]);
		if (one(e, pix, text.data, &clean) != 0)
			return 1;
		pix = spoil(pix, i, i + 1);
		if (one(e, pix, text.data, &noisy) != 0)
			return 1;
		pixDestroy(&pix);
		buf_free(&text);
	}
	extractor_free(e);
	say("clean", &clean);
	say("noisy (turned, blurred, salt and pepper)", &noisy);
	getrusage(RUSAGE_CHILDREN, &usage);
	printf("memory of zygote and decoders: at most %ld MiB\n", usage.ru_maxrss / 1024);
	return 0;
}
