/* What the text of a file says about itself. The texts are invented, and so is everybody in them. */
#include "tests/unit/unit.h"

#include "api/proposals.h"
#include "arkki/base/json.h"

static json_t *parsed(const char *text)
{
	json_t *v = json_loads(text, 0, NULL);

	assert_non_null(v);
	return v;
}

static json_t *ask(const char *text, size_t len, const char *title)
{
	json_t *units = parsed("[{\"id\":\"koivula\",\"name\":{\"fi\":\"Koivulan lastenkoti\"}},"
			       "{\"id\":\"strandgard\",\"name\":{\"fi\":\"Rantapiha\",\"sv\":"
			       "\"Strandgårds barnhem\"}}]");
	json_t *cases = parsed("[{\"id\":\"c1\",\"diaryNumber\":\"LVV/1200/2026\"}]");
	json_t *types =
	    parsed("[{\"id\":\"client-objection\",\"name\":{\"fi\":\"muistutus\"}},"
		   "{\"id\":\"objection-reply\",\"name\":{\"fi\":\"muistutusvastaus\"}},"
		   "{\"id\":\"inspection-report\",\"name\":{\"fi\":\"tarkastuskertomus\","
		   "\"sv\":\"inspektionsberättelse\"}},"
		   "{\"id\":\"order\",\"name\":{\"fi\":\"määräys, uhkasakko, toiminnan "
		   "keskeyttäminen\"}}]");
	const struct proposals_ask a = {.text = text,
	    .len = len,
	    .title = title,
	    .units = units,
	    .cases = cases,
	    .types = types,
	    .today = "2026-06-01"};
	json_t *out = proposals_of(&a);

	assert_non_null(out);
	json_decref(units);
	json_decref(cases);
	json_decref(types);
	return out;
}

static const char *first(const json_t *all, const char *field)
{
	const json_t *one;
	size_t i;

	json_array_foreach(all, i, one)
	{
		if (strcmp(json_text(one, "field"), field) == 0)
			return json_text(one, "value");
	}
	return "";
}

static const char *found(const json_t *all, const char *field)
{
	const json_t *one;
	size_t i;

	json_array_foreach(all, i, one)
	{
		if (strcmp(json_text(one, "field"), field) == 0)
			return json_text(one, "found");
	}
	return "";
}

static void test_proposals__of_a_finnish_report(void **state)
{
	static const char text[] =
	    "Lupa- ja valvontavirasto\n\nTarkastuskertomus, Koivulan lastenkodin tarkastus\n\n"
	    "Päivätty 27.3.2026. Asia LVV/1200/2026. Aiempi asia ESAVI/567/2023.\n\n"
	    "Yksikkö tarkastettiin 12. maaliskuuta 2026. Vastine on annettava 17.4.2026 mennessä.\n"
	    "Tämä on keksitty esimerkki, jossa kerrotaan lasten arjesta ja yövuoroista.\n";
	json_t *p = ask(text, strlen(text), "");

	(void)state;
	assert_string_equal(first(p, "title"), "Lupa- ja valvontavirasto");
	assert_string_equal(first(p, "date"), "2026-03-27");
	assert_string_equal(first(p, "visitDate"), "2026-03-12");
	assert_string_equal(first(p, "diaryNumber"), "LVV/1200/2026");
	assert_string_equal(first(p, "case"), "c1");
	assert_string_equal(first(p, "type"), "inspection-report");
	assert_string_equal(first(p, "unit"), "koivula");
	assert_string_equal(first(p, "language"), "fi");
	assert_string_equal(found(p, "case"),
	    "Päivätty 27.3.2026. Asia LVV/1200/2026. Aiempi asia ESAVI/567/2023.");
	json_decref(p);
}

static void test_proposals__of_a_swedish_and_an_english_text(void **state)
{
	static const char sv[] =
	    "Inspektionsberättelse: Strandgårds barnhem\n\nDaterad den 12 februari 2026. "
	    "Vid besöket den 27 januari 2026 talade barnen om vardagen på gården.\n";
	static const char en[] = "Summary for visitors\n\nDated 5 May 2026. The inspection of the "
				 "home was made by two inspectors.\n";
	json_t *p = ask(sv, strlen(sv), "");

	(void)state;
	assert_string_equal(first(p, "date"), "2026-02-12");
	assert_string_equal(first(p, "visitDate"), "2026-01-27");
	assert_string_equal(first(p, "unit"), "strandgard");
	assert_string_equal(first(p, "type"), "inspection-report");
	assert_string_equal(first(p, "language"), "sv");
	json_decref(p);
	p = ask(en, strlen(en), "Summary, as its file says");
	assert_string_equal(first(p, "title"), "Summary for visitors");
	assert_string_equal(first(p, "date"), "2026-05-05");
	assert_string_equal(first(p, "language"), "en");
	json_decref(p);
}

static void test_proposals__take_the_longer_of_two_names(void **state)
{
	static const char text[] = "Muistutusvastaus\n\nMuistutukseen vastataan näin.";
	json_t *p = ask(text, strlen(text), "");

	(void)state;
	assert_string_equal(first(p, "type"), "objection-reply");
	json_decref(p);
}

static void test_proposals__say_nothing_of_the_future_or_of_no_day(void **state)
{
	static const char text[] =
	    "Päivätty 31.2.2026, 1.1.2199, 12.13.2026, 1.2.20266, IP 1.2.3.2026\n";
	json_t *p = ask(text, strlen(text), "");

	(void)state;
	assert_string_equal(first(p, "date"), "");
	json_decref(p);
	p = ask("", 0, "");
	assert_int_equal(json_array_size(p), 0);
	json_decref(p);
}

static void test_proposals__bear_hostile_text(void **state)
{
	size_t len = 300000;
	char *text = malloc(len + 1);
	json_t *p;

	(void)state;
	assert_non_null(text);
	for (size_t i = 0; i < len; i++)
		text[i] = "1.2.2026 AB/1/2026 \xC3\xA4\n"[i % 22];
	text[len] = '\0';
	p = ask(text, len, "<script>alert(1)</script> \xE2\x80\xAE turned");
	assert_true(json_array_size(p) <= (size_t)PROPOSALS_OF_FIELD_MAX * 8);
	json_decref(p);
	memset(text, 'A', len);
	p = ask(text, len, "");
	json_decref(p);
	memset(text, '9', len);
	p = ask(text, len, "");
	assert_string_equal(first(p, "date"), "");
	json_decref(p);
	p = ask("Otsikko joka \xFF ei ole teksti\n", 28, "");
	assert_int_equal(json_array_size(p), 0);
	json_decref(p);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_proposals__of_a_finnish_report),
	    cmocka_unit_test(test_proposals__of_a_swedish_and_an_english_text),
	    cmocka_unit_test(test_proposals__take_the_longer_of_two_names),
	    cmocka_unit_test(test_proposals__say_nothing_of_the_future_or_of_no_day),
	    cmocka_unit_test(test_proposals__bear_hostile_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
