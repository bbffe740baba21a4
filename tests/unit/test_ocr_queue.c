/* The queue of pages that OCR reads, without an archive and without OCR: what it does when pages fail, when it is paused
 * and when text goes first. What it calls is replaced here. */
#include <stdatomic.h>

#include "api/indexer_private.h"

static int fake_extract(struct archive *a, struct extractor *e, const struct receipt *receipt,
    const struct catalogue_row *row, enum form form, uint32_t page, struct extract_result *ret,
    struct ark_error *err);
static int fake_keep_page(struct archive *a, const struct receipt *receipt,
    const struct catalogue_row *row, enum form form, uint32_t page, const struct reading_page *p,
    struct ark_error *err);

#define text_extract fake_extract
#define reading_keep_page fake_keep_page
#include "api/ocr_queue.c"
#undef text_extract
#undef reading_keep_page

#include "unit.h"

static struct {
	int rc;
	unsigned int extracted, kept;
	uint32_t kept_page;
	size_t kept_len;
	bool stop; /* the queue, while the page is read */
	struct ocr_queue *queue;
} fake;

static int fake_extract(struct archive *a, struct extractor *e, const struct receipt *receipt,
    const struct catalogue_row *row, enum form form, uint32_t page, struct extract_result *ret,
    struct ark_error *err)
{
	(void)a, (void)e, (void)receipt, (void)row, (void)form, (void)page;
	fake.extracted++;
	fake.queue->stopping = fake.stop;
	if (fake.rc)
		return ark_fail(err, fake.rc, "a page that fails");
	buf_adds(&ret->text, "luettu");
	ret->known = 900;
	return ARK_OK;
}

static int fake_keep_page(struct archive *a, const struct receipt *receipt,
    const struct catalogue_row *row, enum form form, uint32_t page, const struct reading_page *p,
    struct ark_error *err)
{
	(void)a, (void)receipt, (void)row, (void)form, (void)err;
	fake.kept++;
	fake.kept_page = page;
	fake.kept_len = p->text.len;
	return ARK_OK;
}

static bool text_goes_first;

static bool must_wait(void *arg)
{
	(void)arg;
	return text_goes_first;
}

static struct ocr_queue *start(struct ocr_queue *q)
{
	*q = (struct ocr_queue){.config = {.must_wait = must_wait}, .state = "idle"};
	pthread_mutex_init(&q->lock, NULL);
	pthread_cond_init(&q->more, NULL);
	memset(&fake, 0, sizeof(fake));
	fake.queue = q;
	text_goes_first = false;
	return q;
}

static int read_one(struct ocr_queue *q, uint32_t page)
{
	const struct catalogue_row row = {.document = "00112233445566778899aabbccddeeff"};
	struct ark_error err = {0};

	return read_page(q, &row, FORM_WHOLE, page, &err);
}

static void test_ocr_queue__a_page_that_fails_three_times_is_left_out(void **state)
{
	struct ocr_queue q;

	(void)state;
	start(&q);
	fake.rc = ARK_EIO;
	assert_int_equal(read_one(&q, 4), ARK_EIO);
	assert_int_equal(read_one(&q, 4), ARK_EIO);
	assert_int_equal(fake.kept, 0);
	assert_int_equal(read_one(&q, 4), ARK_OK);
	assert_int_equal(fake.kept, 1);
	assert_int_equal(fake.kept_page, 4);
	assert_int_equal(fake.kept_len, 0);
	/* the next has its own three tries */
	assert_int_equal(read_one(&q, 5), ARK_EIO);
	assert_int_equal(read_one(&q, 5), ARK_EIO);
	assert_int_equal(read_one(&q, 5), ARK_OK);
	assert_int_equal(fake.kept, 2);
}

static void test_ocr_queue__a_page_that_is_read_in_between_begins_the_count_again(void **state)
{
	struct ocr_queue q;

	(void)state;
	start(&q);
	fake.rc = ARK_EIO;
	assert_int_equal(read_one(&q, 4), ARK_EIO);
	assert_int_equal(read_one(&q, 4), ARK_EIO);
	fake.rc = 0;
	assert_int_equal(read_one(&q, 7), ARK_OK);
	assert_int_equal(fake.kept_len, strlen("luettu"));
	fake.rc = ARK_EIO;
	assert_int_equal(read_one(&q, 4), ARK_EIO);
	assert_int_equal(read_one(&q, 4), ARK_EIO);
	assert_int_equal(fake.kept, 1);
	assert_int_equal(read_one(&q, 4), ARK_OK);
}

static void test_ocr_queue__what_the_end_of_the_server_cut_off_is_not_kept(void **state)
{
	struct ocr_queue q;

	(void)state;
	start(&q);
	fake.stop = true;
	assert_int_equal(read_one(&q, 1), ARK_EIO);
	assert_int_equal(fake.extracted, 1);
	assert_int_equal(fake.kept, 0);
	assert_int_equal(q.failures, 0);
}

static void test_ocr_queue__text_goes_first_and_a_pause_before_it(void **state)
{
	struct ocr_queue q;
	char why[200];

	(void)state;
	start(&q);
	assert_null(held_up(&q));
	text_goes_first = true;
	assert_string_equal(held_up(&q), "waiting");
	q.paused = true;
	assert_string_equal(held_up(&q), "paused");
	snprintf(q.missing, sizeof(q.missing), "no models");
	assert_string_equal(held_up(&q), "unavailable");
	assert_string_equal(ocr_queue_missing(&q), OCR_MISSING);
	assert_string_equal(ocr_queue_state(&q, why), "idle");
	assert_string_equal(why, "no models");
	q.missing[0] = '\0';
	assert_string_equal(ocr_queue_missing(&q), "");
	q.paused = text_goes_first = false;
	assert_null(held_up(&q));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_ocr_queue__a_page_that_fails_three_times_is_left_out),
	    cmocka_unit_test(test_ocr_queue__a_page_that_is_read_in_between_begins_the_count_again),
	    cmocka_unit_test(test_ocr_queue__what_the_end_of_the_server_cut_off_is_not_kept),
	    cmocka_unit_test(test_ocr_queue__text_goes_first_and_a_pause_before_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
