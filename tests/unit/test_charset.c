/* Encodings: that what somebody wrote is what is read, whatever it was saved in. The sentences are our own. */
#include "tests/unit/unit.h"

#include <iconv.h>

#include "index/formats/format.h"

static const char *const sentences[] = {
    "Sijaishuoltopaikassa käytetyt rajoitustoimenpiteet on kirjattava viipymättä.",
    "Tämä päätös on tehty 3 §:n nojalla.",
    "Keittiössä söi neljä työntekijää, yöllä öljyä.",
    "ÄIDIN JA ISÄN KUULEMINEN",
    "Åland och Ålands självstyrelse är en egen fråga.",
    "Barnet får inte hållas åtskilt från de övriga barnen längre än vad som är nödvändigt.",
    "ÅTGÄRDER ENLIGT BARNSKYDDSLAGEN",
    "Överläkaren sade: höra först, agera sedan.",
    "Perhe kävi cafés-tapahtumassa, jossa Élodie lauloi.",
    "yö",
    "Hämeenlinna",
    "isä, äiti, pöytä, öylätti\nääni\nkesä\n",
    "Nähtävillä: 1) säännöt 2) pöytäkirjat (12 kpl) – ei määräaikaa",
};

/* The text in the encoding; false where it has no such character. */
static bool encode(const char *text, const char *encoding, char *out, size_t size, size_t *ret_len)
{
	iconv_t cd = iconv_open(encoding, "UTF-8");
	size_t left = strlen(text), room = size;
	char *from = strdup(text), *in = from, *to = out;
	bool ok;

	assert_true(cd != (iconv_t)-1);
	assert_non_null(from);
	ok = iconv(cd, &in, &left, &to, &room) == 0;
	iconv_close(cd);
	free(from);
	*ret_len = size - room;
	return ok;
}

static void read_back(
    const char *bytes, size_t len, const char *label, const char *expected, const char *encoding)
{
	struct charset_text text;

	assert_true(charset_to_utf8(bytes, len, label, &text));
	if (text.len != strlen(expected) || memcmp(text.text, expected, text.len) != 0)
		fail_msg(
		    "%s: \"%s\" became \"%.*s\"", encoding, expected, (int)text.len, text.text);
	buf_free(&text.own);
}

static void each_sentence(const char *const *encodings, const char *label)
{
	char bytes[1024];
	unsigned int tried = 0;
	size_t len;

	for (size_t i = 0; i < sizeof(sentences) / sizeof(*sentences); i++) {
		for (size_t e = 0; encodings[e]; e++) {
			if (!encode(sentences[i], encodings[e], bytes, sizeof(bytes), &len))
				continue;
			tried++;
			read_back(
			    bytes, len, label ? label : encodings[e], sentences[i], encodings[e]);
		}
	}
	assert_true(tried > 8);
}

static void test_charset__western_encodings_are_told_apart_without_a_label(void **state)
{
	static const char *const encodings[] = {
	    "UTF-8", "WINDOWS-1252", "ISO-8859-1", "ISO-8859-15", "MACINTOSH", "CP850", NULL};

	(void)state;
	each_sentence(encodings, "");
}

static void test_charset__cp437_differs_from_cp850_beyond_letters_only(void **state)
{
	char bytes[256];
	size_t len;

	(void)state;
	assert_true(encode("Pöytäkirja, säännöt, Åbo", "CP437", bytes, sizeof(bytes), &len));
	read_back(bytes, len, "", "Pöytäkirja, säännöt, Åbo", "CP437");
}

static void test_charset__false_labels_of_utf8_and_ascii_do_not_count(void **state)
{
	static const char *const encodings[] = {"WINDOWS-1252", "ISO-8859-1", "MACINTOSH", NULL};

	(void)state;
	each_sentence(encodings, "utf-8");
	each_sentence(encodings, "us-ascii");
}

static void test_charset__wide_encodings_with_and_without_a_mark(void **state)
{
	static const char *const encodings[] = {
	    "UTF-16LE", "UTF-16BE", "UTF-32LE", "UTF-32BE", NULL};
	static const char *const marked[] = {"UTF-16", "UTF-32", NULL};
	char bytes[1024];
	size_t len;

	(void)state;
	each_sentence(marked, "");
	for (size_t i = 0; i < sizeof(sentences) / sizeof(*sentences); i++) {
		for (size_t e = 0; encodings[e] && strlen(sentences[i]) > 8; e++) {
			assert_true(encode(sentences[i], encodings[e], bytes, sizeof(bytes), &len));
			read_back(bytes, len, "", sentences[i], encodings[e]);
		}
	}
}

static void test_charset__quotes_dashes_and_the_euro_sign(void **state)
{
	static const struct {
		const char *text, *encoding;
	} rows[] = {
	    {"“Hyvä” – sanoi isä… ‘ei’ – 12 €", "WINDOWS-1252"},
	    {"He said “no” and it’s true, isn’t it", "WINDOWS-1252"},
	    {"He said “no” and it’s true, isn’t it", "MACINTOSH"},
	    {"“Hyvä” – sanoi isä", "MACINTOSH"},
	    {"Päivähoitomaksu on 295 € kuukaudessa.", "ISO-8859-15"},
	    {"Maksu 295 €", "ISO-8859-15"},
	    {"Maksu 295 €", "WINDOWS-1252"},
	    {"šakki ja žurnalisti", "ISO-8859-15"},
	    {"šakki ja pöytätennis", "WINDOWS-1252"},
	};
	char bytes[256];
	size_t len;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		assert_true(encode(rows[i].text, rows[i].encoding, bytes, sizeof(bytes), &len));
		read_back(bytes, len, "", rows[i].text, rows[i].encoding);
	}
}

static void test_charset__long_texts_of_other_scripts_are_found(void **state)
{
	static const char russian[] =
	    "Ребёнок имеет право быть выслушанным в любом деле, которое его касается, и решение "
	    "должно быть объяснено ему понятным языком. Это записано в законе и в отчёте о "
	    "проверке.";
	static const char *const encodings[] = {"CP1251", "KOI8-R", NULL};
	char bytes[1024];
	size_t len;

	(void)state;
	for (size_t e = 0; encodings[e]; e++) {
		assert_true(encode(russian, encodings[e], bytes, sizeof(bytes), &len));
		read_back(bytes, len, "", russian, encodings[e]);
	}
}

static void test_charset__short_texts_never_become_another_script(void **state)
{
	static const char *const bytes[] = {"\xe4", "\xe4\xe4", "\xc4\xc4", "p\xe4\xe4",
	    "\xf6\xe4\xe5", "\xe4\xe4ni", "H\xc4T\xc4", "\xc5\xc4\xd6 \xe5\xe4\xf6",
	    "\xe5\xe4\xf6\xe5\xe4\xf6\xe5\xe4\xf6"};
	static const char *const expected[] = {
	    "ä", "ää", "ÄÄ", "pää", "öäå", "ääni", "HÄTÄ", "ÅÄÖ åäö", "åäöåäöåäö"};

	(void)state;
	for (size_t i = 0; i < sizeof(bytes) / sizeof(*bytes); i++)
		read_back(bytes[i], strlen(bytes[i]), "", expected[i], "ISO-8859-1");
}

static void test_charset__declared_labels_are_taken_at_their_word(void **state)
{
	static const char *const encodings[] = {
	    "iso-8859-15", "cp850", "koi8-r", "x-mac-roman", NULL};

	(void)state;
	read_back("\x84", 1, encodings[1], "ä", encodings[1]);
	read_back("\xa4", 1, encodings[0], "€", encodings[0]);
	read_back("\xc1", 1, encodings[2], "а", encodings[2]);
	read_back("\x8a", 1, encodings[3], "ä", encodings[3]);
	read_back("\xe4", 1, "no-such-charset", "ä", "no-such-charset");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_charset__western_encodings_are_told_apart_without_a_label),
	    cmocka_unit_test(test_charset__cp437_differs_from_cp850_beyond_letters_only),
	    cmocka_unit_test(test_charset__false_labels_of_utf8_and_ascii_do_not_count),
	    cmocka_unit_test(test_charset__wide_encodings_with_and_without_a_mark),
	    cmocka_unit_test(test_charset__quotes_dashes_and_the_euro_sign),
	    cmocka_unit_test(test_charset__long_texts_of_other_scripts_are_found),
	    cmocka_unit_test(test_charset__short_texts_never_become_another_script),
	    cmocka_unit_test(test_charset__declared_labels_are_taken_at_their_word),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
