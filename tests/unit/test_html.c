/* Escaping by construction, the catalogue of sentences, dates and numbers, addresses. */
#include "tests/unit/unit.h"

#include "api/html.h"
#include "api/i18n.h"
#include "api/pages/pages.h"
#include "arkki/base/text.h"

#define COUNT(a) (sizeof(a) / sizeof(*(a)))

static void same_html(struct html *h, const char *want)
{
	assert_false(buf_failed(&h->out));
	assert_string_equal(h->out.data ? h->out.data : "", want);
	buf_free(&h->out);
}

static void test_html__values_are_escaped_in_text_and_attributes(void **state)
{
	struct html h = {0};

	(void)state;
	html_put(&h, "<a title=\"$\">$</a>", "\" onload='x' <&>", "<script>&amp;</script>");
	same_html(&h, "<a title=\"&#34; onload=&#39;x&#39; &lt;&amp;&gt;\">"
		      "&lt;script&gt;&amp;amp;&lt;/script&gt;</a>");
	html_put(&h, "<p>$</p>", NULL);
	same_html(&h, "<p></p>");
	/* a value is not read again for signs or values */
	html_put(&h, "$$", "$", "{0}");
	same_html(&h, "${0}");
	html_text(&h, "a\x01\x1b\x7f\n\tä");
	same_html(&h, "a\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\n\tä");
	/* nor is it read backwards, with what follows it */
	html_text(&h, "a\xE2\x80\xAE<b\xE2\x81\xA7\xE2\x80\x8F\xE2\x80");
	same_html(&h, "a\xEF\xBF\xBD&lt;b\xEF\xBF\xBD\xE2\x80\x8F\xE2\x80");
}

static void test_html__every_byte_that_means_markup_is_escaped(void **state)
{
	static const char meaning[] = "<>&\"'";

	(void)state;
	for (int c = 1; c < 128; c++) {
		struct html h = {0};
		char text[2] = {(char)c, '\0'};

		html_text(&h, text);
		if (strchr(meaning, c)) {
			assert_int_equal(h.out.data[0], '&');
			assert_int_equal(h.out.data[h.out.len - 1], ';');
		} else if (c >= ' ' && c != 0x7f) {
			assert_string_equal(h.out.data, text);
		}
		buf_free(&h.out);
	}
}

static void test_html__snippets_pass_marks_and_entities_only(void **state)
{
	static const struct {
		const char *in, *out;
	} cases[] = {
	    {"a <mark>b</mark> c", "a <mark>b</mark> c"},
	    {"&lt;b&gt; &amp; &#39;&#34;&quot;", "&lt;b&gt; &amp; &#39;&#34;&quot;"},
	    {"<b>x</b>", "&lt;b&gt;x&lt;/b&gt;"},
	    {"<mark onclick=x>", "&lt;mark onclick=x&gt;"},
	    {"&nbsp;&#x3c;& ", "&amp;nbsp;&amp;#x3c;&amp; "},
	    {"<mark>open", "<mark>open</mark>"},
	    {"</mark>x", "&lt;/mark&gt;x"},
	    {"<mark><mark>x</mark></mark>", "<mark>&lt;mark&gt;x</mark>&lt;/mark&gt;"},
	    {"<mar", "&lt;mar"},
	    {"\"'", "&#34;&#39;"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct html h = {0};

		html_marked(&h, cases[i].in, strlen(cases[i].in));
		same_html(&h, cases[i].out);
	}
}

static void test_html__sentences_take_values_in_any_order(void **state)
{
	const char *const values[] = {"<1>", "{0}"};
	struct html h = {0};

	(void)state;
	html_sentence(&h, "{1} & {0}{2} {x} {", values, 2);
	same_html(&h, "{0} &amp; &lt;1&gt; {x} {");
}

/* Which of {0}..{9} a sentence takes. */
static unsigned int taken(const char *sentence)
{
	unsigned int bits = 0;

	for (const char *p = sentence; (p = strchr(p, '{')) != NULL; p++)
		if (p[1] >= '0' && p[1] <= '9' && p[2] == '}')
			bits |= 1u << (p[1] - '0');
	return bits;
}

static void test_i18n__every_language_says_everything(void **state)
{
	(void)state;
	for (int s = 0; s < SAY_COUNT; s++) {
		const char *fi = i18n_text(HTTP_FI, (enum say)s);

		for (int l = 0; l < I18N_LANGUAGES; l++) {
			const char *text = i18n_text((enum http_language)l, (enum say)s);

			assert_non_null(text);
			if (!*text || !utf8_valid(text, strlen(text)) || taken(text) != taken(fi))
				fail_msg("sentence %d in language %d: %s", s, l, text);
		}
	}
	assert_int_equal(i18n_plural(SAY_FOUND, 1), SAY_FOUND);
	assert_int_equal(i18n_plural(SAY_FOUND, 0), SAY_FOUND_MANY);
	assert_int_equal(i18n_plural(SAY_FOUND, 21), SAY_FOUND_MANY);
	assert_string_equal(i18n_text(HTTP_SV, i18n_plural(SAY_FOUND, 2)), "{0} handlingar");
}

static void test_i18n__numbers_and_sizes_are_of_the_language(void **state)
{
	static const struct {
		uint64_t n;
		const char *fi, *en, *size_fi, *size_en;
	} cases[] = {
	    {0, "0", "0", "0 t", "0 B"},
	    {999, "999", "999", "999 t", "999 B"},
	    {1000, "1 000", "1,000", "1 kt", "1 kB"},
	    {1423000, "1 423 000", "1,423,000", "1,4 Mt", "1.4 MB"},
	    {99999, "99 999", "99,999", "99 kt", "99 kB"},
	    {4500000000, "4 500 000 000", "4,500,000,000", "4,5 Gt", "4.5 GB"},
	    {UINT64_MAX, "18 446 744 073 709 551 615", "18,446,744,073,709,551,615",
		"18446744073 Gt", "18446744073 GB"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const char *want[4] = {
		    cases[i].fi, cases[i].en, cases[i].size_fi, cases[i].size_en};

		for (int k = 0; k < 4; k++) {
			char got[I18N_SIZE], plain[I18N_SIZE];
			size_t n = 0;

			(k < 2 ? i18n_number : i18n_bytes)(
			    got, k % 2 ? HTTP_EN : HTTP_FI, cases[i].n);
			for (const char *p = got; *p; p++) /* no-break spaces as spaces */
				if (*p != '\xC2')
					plain[n++] = *p == '\xA0' ? ' ' : *p;
			plain[n] = '\0';
			assert_string_equal(plain, want[k]);
		}
	}
}

static void test_i18n__dates_are_finnish_whatever_the_language(void **state)
{
	static const struct {
		int64_t utc_s;
		const char *text;
	} times[] = {
	    {1773303330, "12.3.2026 klo\xC2\xA0"
			 "10.15"}, /* 2026-03-12T08:15:30Z */
	    {1774745999, "29.3.2026 klo\xC2\xA0"
			 "2.59"}, /* the last second of winter time */
	    {1774746000, "29.3.2026 klo\xC2\xA0"
			 "4.00"},
	    {1792889999, "25.10.2026 klo\xC2\xA0"
			 "3.59"}, /* the last second of summer time */
	    {1792890000, "25.10.2026 klo\xC2\xA0"
			 "3.00"},
	    {1798754400, "1.1.2027 klo\xC2\xA0"
			 "0.00"},
	};
	char out[I18N_SIZE];

	(void)state;
	i18n_date(out, "2026-03-12");
	assert_string_equal(out, "12.3.2026");
	i18n_date(out, "2026-13-12");
	assert_string_equal(out, "2026-13-12");
	for (size_t i = 0; i < COUNT(times); i++) {
		i18n_time(out, HTTP_FI, times[i].utc_s * 1000000);
		assert_string_equal(out, times[i].text);
	}
}

static void test_i18n__typed_dates_are_read_or_refused(void **state)
{
	static const struct {
		const char *typed, *date;
	} cases[] = {
	    {"12.3.2026", "2026-03-12"},
	    {" 01.01.2026 ", "2026-01-01"},
	    {"2026-03-12", "2026-03-12"},
	    {"29.2.2024", "2024-02-29"},
	    {"29.2.2026", NULL},
	    {"31.4.2026", NULL},
	    {"12.3.26", NULL},
	    {"3/12/2026", NULL},
	    {"12.3.2026x", NULL},
	    {"12.3.20261", NULL},
	    {"2026-3-12", NULL},
	    {"-1.3.2026", NULL},
	    {"", NULL},
	    {"eilen", NULL},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		char date[11] = "";

		if (i18n_date_read(cases[i].typed, date) != (cases[i].date != NULL))
			fail_msg("%s", cases[i].typed);
		if (cases[i].date)
			assert_string_equal(date, cases[i].date);
	}
}

static void test_i18n__names_fall_back_and_say_their_language(void **state)
{
	json_t *both = json_pack("{s:s,s:{s:s,s:s}}", "id", "u", "name", "fi", "Koti", "sv", "Hem");
	json_t *plain = json_pack("{s:s,s:s}", "id", "u", "name", "Maija");
	json_t *none = json_pack("{s:s}", "id", "u");
	const char *language;

	(void)state;
	assert_string_equal(i18n_name(HTTP_SV, both, &language), "Hem");
	assert_string_equal(language, "sv");
	assert_string_equal(i18n_name(HTTP_EN, both, &language), "Koti");
	assert_string_equal(language, "fi");
	assert_string_equal(i18n_name(HTTP_EN, plain, &language), "Maija");
	assert_null(language);
	assert_string_equal(i18n_name(HTTP_EN, none, NULL), "u");
	assert_null(i18n_name(HTTP_EN, NULL, NULL));
	json_decref(both);
	json_decref(plain);
	json_decref(none);
}

static void test_url__only_own_pages_are_local(void **state)
{
	static const char *const own[] = {"/fi/", "/sv/documents/0?a=b%20c", "/en/?q=x&next=/fi/"};
	static const char *const others[] = {NULL, "", "/", "fi/", "//evil.example/fi/",
	    "/fi//evil", "/fi/\\evil", "/fi", "/de/", "https://evil.example/fi/", "/fi/\nX: y",
	    "/fi/ x", "/v1/me", "\\/fi/", "/fi\\/"};

	(void)state;
	for (size_t i = 0; i < COUNT(own); i++)
		assert_true(url_local(own[i]));
	for (size_t i = 0; i < COUNT(others); i++)
		if (url_local(others[i]))
			fail_msg("%s", others[i]);
}

static void test_url__parameters_are_encoded(void **state)
{
	struct buf url = BUF_INIT;

	(void)state;
	buf_adds(&url, "/fi/");
	url_add(&url, "q", "a&b=ä \"<");
	url_add(&url, "empty", "");
	url_add(&url, "none", NULL);
	url_add(&url, "unit", "koivula");
	assert_string_equal(url.data, "/fi/?q=a%26b%3D%C3%A4%20%22%3C&unit=koivula");
	buf_free(&url);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_html__values_are_escaped_in_text_and_attributes),
	    cmocka_unit_test(test_html__every_byte_that_means_markup_is_escaped),
	    cmocka_unit_test(test_html__snippets_pass_marks_and_entities_only),
	    cmocka_unit_test(test_html__sentences_take_values_in_any_order),
	    cmocka_unit_test(test_i18n__every_language_says_everything),
	    cmocka_unit_test(test_i18n__numbers_and_sizes_are_of_the_language),
	    cmocka_unit_test(test_i18n__dates_are_finnish_whatever_the_language),
	    cmocka_unit_test(test_i18n__typed_dates_are_read_or_refused),
	    cmocka_unit_test(test_i18n__names_fall_back_and_say_their_language),
	    cmocka_unit_test(test_url__only_own_pages_are_local),
	    cmocka_unit_test(test_url__parameters_are_encoded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
