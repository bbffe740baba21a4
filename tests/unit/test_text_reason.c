/* Why a document has no text, in three languages: the stored clauses of the extractor and the OCR queue against the
 * table of what people read. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/text_reason.h"
#include "unit.h"

static void says(enum http_language language, const char *stored, const char *expected)
{
	char said[TEXT_REASON_SIZE];

	assert_true(text_reason_say(language, stored, said));
	assert_string_equal(said, expected);
}

static void test_text_reason__is_said_in_the_language_of_the_reader(void **state)
{
	(void)state;
	says(HTTP_FI, "the document is protected by a password",
	    "asiakirja on suojattu salasanalla");
	says(HTTP_SV, "the document is protected by a password",
	    "handlingen är skyddad med lösenord");
	says(HTTP_EN, "the document is protected by a password",
	    "the document is protected by a password");
	says(HTTP_FI, NULL, "");
	says(HTTP_FI, "", "");
}

static void test_text_reason__keeps_its_values(void **state)
{
	(void)state;
	says(HTTP_FI, "5 of 6 pages read by OCR", "5/6 sivua luettu tekstintunnistuksella");
	says(HTTP_SV, "not a format arkki reads (image/vnd.dwg)",
	    "Arkki läser inte formatet image/vnd.dwg");
	says(HTTP_FI, "the decoder gave up, as when 1024 MiB of memory are not enough (exit 1)",
	    "tulkki luovutti; syynä voi olla, että 1024 MiB muistia ei riitä (paluuarvo 1)");
}

static void test_text_reason__says_a_clause_inside_a_clause_and_one_behind_another(void **state)
{
	(void)state;
	says(HTTP_FI, "only a part was read: took longer than 20 s; 2 of 3 pages read by OCR",
	    "vain osa luettiin: lukeminen kesti yli 20 s; 2/3 sivua luettu tekstintunnistuksella");
}

static void test_text_reason__unknown_passes_through(void **state)
{
	char said[TEXT_REASON_SIZE];

	(void)state;
	assert_false(text_reason_say(HTTP_FI, "of a later year; no text in it", said));
	assert_string_equal(said, "of a later year; siinä ei ole tekstiä");
	assert_false(text_reason_say(HTTP_SV, "only a part was read: {0} {1}", said));
	assert_string_equal(said, "endast en del lästes: {0} {1}");
	assert_false(text_reason_say(HTTP_SV, "not a format arkki reads ()", said));
	assert_string_equal(said, "not a format arkki reads ()");
}

static void test_text_reason__however_long_stays_in_its_room(void **state)
{
	static const char part[] = "only a part was read: ";
	char stored[4000] = "", said[TEXT_REASON_SIZE];

	(void)state;
	while (strlen(stored) + sizeof(part) < sizeof(stored))
		strcat(stored, part);
	assert_false(text_reason_say(HTTP_FI, stored, said));
	assert_true(strlen(said) < TEXT_REASON_SIZE);
	memset(stored, 'x', sizeof(stored) - 1);
	stored[sizeof(stored) - 1] = '\0';
	assert_false(text_reason_say(HTTP_FI, stored, said));
	assert_string_equal(said, "");
}

/* ---- the sources of the clauses ---- */

/* "%llu MiB" -> "7 MiB": what a format says with values. */
static void fill_in(const char *format, size_t len, char *out)
{
	for (const char *end = format + len; format < end;) {
		if (*format == '%') {
			format += 1 + strspn(format + 1, "0123456789.l");
			format += *format != '\0';
			*out++ = '7';
		} else {
			*out++ = *format++;
		}
	}
	*out = '\0';
}

/* Every literal behind format_none( up to the end of the statement. */
static unsigned int check_source(const char *text, const char *name)
{
	char stored[500], said[TEXT_REASON_SIZE];
	unsigned int n = 0;

	for (const char *p = text; (p = strstr(p, "return format_none("));) {
		const char *stop = strchr(p, ';');

		for (const char *q = p; (q = strchr(q, '"')) && q < stop; n++) {
			size_t len = strcspn(++q, "\"");

			if (memchr(q, ' ', len)) { /* others are media types */
				fill_in(q, len, stored);
				if (!text_reason_say(HTTP_FI, stored, said))
					fail_msg("%s: no translation: %s", name, stored);
			}
			q += len + 1;
		}
		p = stop;
	}
	return n;
}

static void test_text_reason__every_clause_of_the_decoders_is_known(void **state)
{
	static char text[200000];
	DIR *dir = opendir("index/formats");
	unsigned int found = 0;
	struct dirent *e;

	(void)state;
	if (!dir)
		skip();
	while ((e = readdir(dir))) {
		char path[512];
		FILE *f;

		if (!strstr(e->d_name, ".c"))
			continue;
		snprintf(path, sizeof(path), "index/formats/%s", e->d_name);
		f = fopen(path, "r");
		assert_non_null(f);
		text[fread(text, 1, sizeof(text) - 1, f)] = '\0';
		fclose(f);
		found += check_source(text, path);
	}
	closedir(dir);
	assert_true(found > 30);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_text_reason__is_said_in_the_language_of_the_reader),
	    cmocka_unit_test(test_text_reason__keeps_its_values),
	    cmocka_unit_test(
		test_text_reason__says_a_clause_inside_a_clause_and_one_behind_another),
	    cmocka_unit_test(test_text_reason__unknown_passes_through),
	    cmocka_unit_test(test_text_reason__however_long_stays_in_its_room),
	    cmocka_unit_test(test_text_reason__every_clause_of_the_decoders_is_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
