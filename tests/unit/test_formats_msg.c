/* Outlook mail, made here by libgsf as [MS-OXMSG] says. People and units are invented. */
#include "tests/unit/unit_extract.h"

#include <gsf/gsf.h>

#include "arkki/base/text.h"
#include "index/formats/format.h"

static void put(GsfOutfile *at, const char *name, const void *bytes, size_t len)
{
	GsfOutput *stream = gsf_outfile_new_child(at, name, FALSE);

	assert_non_null(stream);
	assert_true(gsf_output_write(stream, len, bytes));
	assert_true(gsf_output_close(stream));
	g_object_unref(stream);
}

static void put_wide(GsfOutfile *at, const char *tag, const char *text)
{
	glong units = 0;
	gunichar2 *wide = g_utf8_to_utf16(text, -1, NULL, &units, NULL);
	char name[32];

	assert_non_null(wide);
	snprintf(name, sizeof(name), "__substg1.0_%s001F", tag);
	put(at, name, wide, (size_t)units * 2);
	g_free(wide);
}

static void put_bytes(GsfOutfile *at, const char *name, const char *text)
{
	put(at, name, text, strlen(text));
}

/* Of the message store: when it was sent (12.3.2026 07:05 UTC) and the code page of its bytes. */
static void put_properties(GsfOutfile *at, size_t head)
{
	static const unsigned char page[16] = {3, 0, 0xfd, 0x3f, 6, 0, 0, 0, 0x52, 3};
	unsigned char all[64] = {0}, *p = all + head;
	uint64_t when = (UINT64_C(1773299100) + UINT64_C(11644473600)) * 10000000;

	p[0] = 0x40, p[2] = 0x39;
	for (unsigned int i = 0; i < 8; i++)
		p[8 + i] = (unsigned char)(when >> 8 * i);
	memcpy(p + 16, page, sizeof(page));
	put(at, "__properties_version1.0", all, head + 32);
}

static GsfOutfile *storage(GsfOutfile *at, const char *name)
{
	GsfOutput *dir = gsf_outfile_new_child(at, name, TRUE);

	assert_non_null(dir);
	return GSF_OUTFILE(dir);
}

static void end_storage(GsfOutfile *dir)
{
	assert_true(gsf_output_close(GSF_OUTPUT(dir)));
	g_object_unref(dir);
}

static void extract_msg(void (*fill)(GsfOutfile *root), struct extract_result *r)
{
	GsfOutput *memory = gsf_output_memory_new();
	GsfOutfile *root = gsf_outfile_msole_new(memory);

	put_properties(root, 32);
	fill(root);
	end_storage(root);
	unit_extract(extractor, "application/vnd.ms-outlook",
	    gsf_output_memory_get_bytes(GSF_OUTPUT_MEMORY(memory)), (size_t)gsf_output_size(memory),
	    r);
	g_object_unref(memory);
}

static void fill_letter(GsfOutfile *root)
{
	GsfOutfile *dir;

	put_wide(root, "0037", "Käynti Koivulassa");
	put_wide(root, "0C1A", "Päivi Esimerkki");
	put_wide(root, "5D01", "paivi@example.org");
	put_bytes(root, "__substg1.0_0E04001E", "Kirjaamo \x84\x94"); /* in code page 850 */
	put_wide(root, "1000", "Kertomus liitteenä.\r\n\r\nToinen kappale.");
	dir = storage(root, "__recip_version1.0_#00000000");
	put_wide(dir, "3001", "Kirjaamo");
	put_wide(dir, "39FE", "kirjaamo@example.org");
	end_storage(dir);
	dir = storage(root, "__attach_version1.0_#00000000");
	put_wide(dir, "3707", "liite.html");
	put_bytes(dir, "__substg1.0_37010102", "<p>liitteen sana</p>");
	end_storage(dir);
}

static void test_msg__header_body_recipients_and_attachments(void **state)
{
	struct extract_result r;

	(void)state;
	extract_msg(fill_letter, &r);
	assert_string_equal(r.reason, "");
	assert_string_equal(r.title, "Käynti Koivulassa");
	assert_string_equal(unit_text(&r),
	    "Subject: Käynti Koivulassa\nFrom: Päivi Esimerkki <paivi@example.org>\n"
	    "To: Kirjaamo äö\nDate: 12.3.2026 07:05 UTC\n"
	    "Recipient: Kirjaamo <kirjaamo@example.org>\n\nKertomus liitteenä.\n\nToinen "
	    "kappale.\n\n"
	    "liite.html\n\nliitteen sana");
	extract_result_free(&r);
}

/* Each mail attached to the one before. */
static void fill_nested(GsfOutfile *root)
{
	GsfOutfile *open[48], *at = root;
	unsigned int n = 0;

	put_wide(root, "0037", "uloin");
	for (unsigned int level = 1; level < 20; level++) {
		char subject[32];

		open[n] = at = storage(at, "__attach_version1.0_#00000000");
		open[++n] = at = storage(at, "__substg1.0_3701000D");
		n++;
		put_properties(at, 24);
		snprintf(subject, sizeof(subject), "taso %u", level);
		put_wide(at, "0037", subject);
	}
	while (n)
		end_storage(open[--n]);
}

static void test_msg__mails_in_mails_end_with_a_remark(void **state)
{
	struct extract_result r;

	(void)state;
	extract_msg(fill_nested, &r);
	assert_string_equal(r.title, "uloin");
	if (!strstr(unit_text(&r), "Subject: taso 8\nDate: 12.3.2026 07:05 UTC"))
		fail_msg("%s: %s", r.reason, unit_text(&r));
	assert_null(strstr(unit_text(&r), "taso 9"));
	assert_string_equal(r.reason, "documents nested too deep in it are not read");
	extract_result_free(&r);
}

static void fill_page(GsfOutfile *root)
{
	put_bytes(root, "__substg1.0_10130102", "<meta charset=utf-8><p>sivun s\xc3\xa4vy</p>");
}

static void test_msg__page_is_read_where_there_is_no_plain_body(void **state)
{
	struct extract_result r;

	(void)state;
	extract_msg(fill_page, &r);
	assert_non_null(strstr(unit_text(&r), "sivun sävy"));
	extract_result_free(&r);
}

/* The example of [MS-OXRTFCP] 4.1.1. */
static void fill_rtf(GsfOutfile *root)
{
	static const unsigned char packed[] = {0x2d, 0, 0, 0, 0x2b, 0, 0, 0, 0x4c, 0x5a, 0x46, 0x75,
	    0xf1, 0xc5, 0xc7, 0xa7, 3, 0, 0x0a, 0, 0x72, 0x63, 0x70, 0x67, 0x31, 0x32, 0x35, 0x42,
	    0x32, 0x0a, 0xf3, 0x20, 0x68, 0x65, 0x6c, 9, 0, 0x20, 0x62, 0x77, 5, 0xb0, 0x6c, 0x64,
	    0x7d, 0x0a, 0x80, 0x0f, 0xa0};

	put(root, "__substg1.0_10090102", packed, sizeof(packed));
}

static void test_msg__compressed_rtf_is_unpacked(void **state)
{
	struct extract_result r;

	(void)state;
	if (!format_find("application/rtf")) {
		printf("SKIP %s: there is no decoder of RTF\n", __func__);
		skip();
	}
	extract_msg(fill_rtf, &r);
	assert_non_null(strstr(unit_text(&r), "hello world"));
	extract_result_free(&r);
}

static int start(void **state)
{
	gsf_init();
	return unit_extract_begin(state);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_msg__header_body_recipients_and_attachments),
	    cmocka_unit_test(test_msg__mails_in_mails_end_with_a_remark),
	    cmocka_unit_test(test_msg__page_is_read_where_there_is_no_plain_body),
	    cmocka_unit_test(test_msg__compressed_rtf_is_unpacked),
	};

	UNIT_EXTRACT_MAIN(argc, argv);
	return cmocka_run_group_tests(tests, start, unit_extract_end);
}
