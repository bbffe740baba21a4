/* Mail: what is read of a letter, its attachments and its mailbox. People and units in the samples are invented. */
#include "tests/unit/unit_extract.h"

#include <jansson.h>
#include <sys/stat.h>

#include "arkki/base/text.h"

static void read_as(const char *type, const char *bytes, struct extract_result *r)
{
	unit_extract(extractor, type, bytes, strlen(bytes), r);
}

static void assert_text(const char *type, const char *bytes, const char *expected)
{
	struct extract_result r;

	read_as(type, bytes, &r);
	if (strcmp(unit_text(&r), expected) != 0)
		fail_msg("got \"%s\" (%s), expected \"%s\"", unit_text(&r), r.reason, expected);
	extract_result_free(&r);
}

static void test_mail__header_lines_and_text_in_its_charset(void **state)
{
	struct extract_result r;

	(void)state;
	read_as("message/rfc822",
	    "From: =?iso-8859-1?Q?P=E4ivi_Esimerkki?= <paivi@example.org>\r\n"
	    "To: kirjaamo@example.org, Olli <olli@example.org>\r\nCc: arkisto@example.org\r\n"
	    "Subject: =?utf-8?B?S8OkeW50aSBLb2l2dWxhc3Nh?=\r\n"
	    "Date: Thu, 12 Mar 2026 09:05:00 +0200\r\n"
	    "Content-Type: text/plain; charset=iso-8859-1\r\n"
	    "Content-Transfer-Encoding: quoted-printable\r\n\r\n"
	    "K=E4yntik=\r\nertomus on liitteen=E4.\r\n\r\nToinen kappale.\r\n",
	    &r);
	assert_string_equal(r.title, "Käynti Koivulassa");
	assert_string_equal(unit_text(&r),
	    "Subject: Käynti Koivulassa\nFrom: Päivi Esimerkki <paivi@example.org>\n"
	    "To: kirjaamo@example.org, Olli <olli@example.org>\nCc: arkisto@example.org\n"
	    "Date: 12.3.2026 09:05\n\nKäyntikertomus on liitteenä.\n\nToinen kappale.");
	assert_string_equal(r.reason, "");
	extract_result_free(&r);
}

#define MULTI(kind) "Subject: a\nContent-Type: multipart/" kind "; boundary=x\n\n"

static void test_mail__plain_text_is_preferred_and_html_read_without_it(void **state)
{
	(void)state;
	assert_text("message/rfc822",
	    MULTI("alternative") "--x\nContent-Type: text/plain\n\nplain\n"
				 "--x\nContent-Type: text/html\n\n<p>page</p>\n--x--\n",
	    "Subject: a\n\nplain");
	assert_text("message/rfc822",
	    MULTI("alternative") "--x\nContent-Type: text/plain\n\n \n"
				 "--x\nContent-Type: text/html\n\n<p>page</p><p>two</p>\n--x--\n",
	    "Subject: a\n\npage\n\ntwo");
	/* the page stands inside, beside its pictures */
	assert_text("message/rfc822",
	    MULTI(
		"alternative") "--x\nContent-Type: text/plain\n\nplain\n--x\n"
			       "Content-Type: multipart/related; boundary=y\n\n"
			       "--y\nContent-Type: text/html\n\n<p>page</p>\n"
			       "--y\nContent-Type: image/png; name=logo.png\n\nxx\n--y--\n--x--\n",
	    "Subject: a\n\nplain");
}

static void test_mail__attachments_are_named_and_read(void **state)
{
	struct extract_result r;

	(void)state;
	read_as("message/rfc822",
	    MULTI("mixed") "--x\n\nbody\n"
			   "--x\nContent-Type: text/html; name=\"liite.html\"\n"
			   "Content-Disposition: attachment; filename*=utf-8''k%C3%A4ynti.html\n\n"
			   "<title>Titteli</title><p>sivun teksti</p>\n"
			   "--x\nContent-Type: application/octet-stream; name=kuva.bin\n"
			   "Content-Transfer-Encoding: base64\n\nAAECAwQF\n"
			   "--x\nContent-Type: text/plain; charset=utf-8\n"
			   "Content-Disposition: attachment; filename=a.txt\n"
			   "Content-Transfer-Encoding: base64\n\n5aSp\n--x--\n",
	    &r);
	assert_string_equal(unit_text(&r), "Subject: a\n\nbody\n\nkäynti.html\n\nTitteli\n\nsivun "
					   "teksti\n\nkuva.bin\n\na.txt\n\n天");
	assert_string_equal(r.title, "a");
	assert_int_equal(r.pages, 0);
	extract_result_free(&r);
}

static void test_mail__a_pdf_inside_adds_no_page_and_no_title(void **state)
{
	static const char head[] =
	    MULTI("mixed") "--x\n\nbody\n--x\nContent-Type: application/pdf; name=a.pdf\n"
			   "Content-Disposition: attachment\n\n";
	static const char pdf[] =
	    "%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n"
	    "2 0 obj<</Type/Pages/Kids[3 0 R 5 0 R]/Count 2>>endobj\n"
	    "3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 99 99]/Contents 4 0 R/Resources"
	    "<</Font<</F<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>>>>>>>endobj\n"
	    "4 0 obj<</Length 37>>stream\nBT /F 12 Tf 9 9 Td (arkki) Tj ET     \nendstream endobj\n"
	    "5 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 99 99]/Contents 4 0 R/Resources"
	    "<</Font<</F<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>>>>>>>endobj\n"
	    "6 0 obj<</Title(Otsikko)>>endobj\ntrailer<</Root 1 0 R/Info 6 0 R>>\n";
	struct extract_result r;
	char mail[2048];

	(void)state;
	snprintf(mail, sizeof(mail), "%s%s\n--x--\n", head, pdf);
	read_as("message/rfc822", mail, &r);
	assert_string_equal(
	    unit_text(&r), "Subject: a\n\nbody\n\na.pdf\n\narkki\n\narkki\n\nOtsikko");
	assert_int_equal(r.pages, 0);
	assert_string_equal(r.title, "a");
	extract_result_free(&r);
}

static void test_mail__mail_in_mail_keeps_its_own_header(void **state)
{
	(void)state;
	assert_text("message/rfc822",
	    MULTI("mixed") "--x\n\nouter\n--x\nContent-Type: message/rfc822\n\n"
			   "Subject: inner\nFrom: b@example.org\n\ninside\n--x--\n",
	    "Subject: a\n\nouter\n\nSubject: inner\nFrom: b@example.org\n\ninside");
}

static void test_mail__encrypted_and_shut_parts_are_said(void **state)
{
	static const struct {
		const char *mail, *text, *reason;
	} rows[] = {
	    {"Subject: a\nContent-Type: multipart/encrypted; boundary=x; "
	     "protocol=\"application/pgp-encrypted\"\n\n--x\nContent-Type: "
	     "application/pgp-encrypted\n\n"
	     "Version: 1\n--x\nContent-Type: application/octet-stream\n\nxyz\n--x--\n",
		"Subject: a", "an encrypted part"},
	    {"Subject: a\nContent-Type: application/pkcs7-mime; smime-type=enveloped-data; "
	     "name=smime.p7m\nContent-Transfer-Encoding: base64\n\nAAEC\n",
		"Subject: a", "an encrypted part"},
	    {"Subject: a\nContent-Type: application/pkcs7-mime; smime-type=signed-data\n\nxyz\n",
		"Subject: a", "a signed part that is not read"},
	    {"Content-Type: application/pkcs7-mime; smime-type=enveloped-data\n\nxyz\n", "",
		"an encrypted part"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct extract_result r;

		read_as("message/rfc822", rows[i].mail, &r);
		assert_string_equal(unit_text(&r), rows[i].text);
		assert_string_equal(r.reason, rows[i].reason);
		extract_result_free(&r);
	}
}

/* `times` copies of a header that opens one more level. */
static void nest(const char *level, unsigned int times, struct extract_result *r)
{
	size_t len = strlen(level), used = 0;
	char *mail = malloc(len * times + 64);

	assert_non_null(mail);
	for (unsigned int i = 0; i < times; i++, used += len)
		memcpy(mail + used, level, len);
	strcpy(mail + used, "Subject: innermost\n\ntext\n");
	read_as("message/rfc822", mail, r);
	free(mail);
}

static void test_mail__nested_a_thousand_deep_ends_with_a_remark(void **state)
{
	struct extract_result r;

	(void)state;
	nest("Subject: level\nContent-Type: message/rfc822\n\n", 1000, &r);
	assert_int_equal(r.outcome, EXTRACT_READY);
	assert_string_equal(r.reason, "documents nested too deep in it are not read");
	extract_result_free(&r);
	nest("Subject: level\nContent-Type: multipart/mixed; boundary=b\n\n--b\n", 1000, &r);
	assert_int_equal(r.outcome, EXTRACT_READY);
	assert_string_equal(r.title, "level");
	extract_result_free(&r);
}

static void test_mail__web_archive_is_a_page_without_its_dress(void **state)
{
	struct extract_result r;

	(void)state;
	read_as("multipart/related",
	    "From: <Saved by a browser>\nSubject: Sivun nimi\nMIME-Version: 1.0\n"
	    "Content-Type: multipart/related; type=\"text/html\"; boundary=x\n\n"
	    "--x\nContent-Type: text/html; charset=utf-8\nContent-Location: https://example.org/\n"
	    "Content-Transfer-Encoding: quoted-printable\n\n<p>s=C3=A4=C3=A4nn=C3=B6t</p>\n"
	    "--x\nContent-Type: text/css\nContent-Location: https://example.org/a.css\n\np{}\n"
	    "--x\nContent-Type: image/png\nContent-Location: "
	    "https://example.org/a.png\n\nxx\n--x--\n",
	    &r);
	assert_non_null(strstr(unit_text(&r), "säännöt"));
	assert_null(strstr(unit_text(&r), "p{}"));
	assert_null(strstr(unit_text(&r), "a.png"));
	assert_string_equal(r.title, "Sivun nimi");
	extract_result_free(&r);
}

static void test_mbox__every_mail_is_read(void **state)
{
	static const char mbox[] =
	    "From a@example.org Thu Mar 12 09:05:00 2026\nSubject: one\n\nfirst\n"
	    "From here on it is still the first\n\n"
	    "From b@example.org Thu Mar 12 09:06:00 2026\nSubject: two\n\nsecond\n";

	(void)state;
	assert_text("application/mbox", mbox,
	    "Subject: one\n\nfirst\nFrom here on it is still the first\n\nSubject: two\n\nsecond");
	assert_text("message/rfc822", mbox,
	    "Subject: one\n\nfirst\nFrom here on it is still the first\n\nSubject: two\n\nsecond");
	assert_text("application/mbox", "From ", "");
	assert_text("application/mbox", "From", "");
}

static void test_msg__damage_is_a_reason(void **state)
{
	static const char bytes[600] = "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1";
	struct extract_result r;

	(void)state;
	unit_extract(extractor, "application/vnd.ms-outlook", bytes, sizeof(bytes), &r);
	assert_int_equal(r.outcome, EXTRACT_NONE);
	assert_string_equal(r.reason, "not a kind of OLE file that arkki reads");
	extract_result_free(&r);
}

/* ---- the corpus ---- */
static char *load(const char *path, size_t *ret_len)
{
	FILE *f = fopen(path, "rb");
	struct stat st;
	char *bytes;

	if (!f || fstat(fileno(f), &st) < 0)
		fail_msg("cannot read %s", path);
	bytes = malloc((size_t)st.st_size + 1);
	assert_non_null(bytes);
	*ret_len = fread(bytes, 1, (size_t)st.st_size, f);
	fclose(f);
	return bytes;
}

/* Runs of white space as one space: where lines end is not what is asked. */
static bool holds(const char *text, const char *words)
{
	char *flat = malloc(strlen(text) + 1), *to = flat;
	bool found;

	assert_non_null(flat);
	for (; *text; text++) {
		bool space = *text == ' ' || *text == '\n' || *text == '\f';

		if (!space || (to > flat && to[-1] != ' '))
			*to++ = space ? ' ' : *text;
	}
	*to = '\0';
	found = strstr(flat, words) != NULL;
	free(flat);
	return found;
}

static void corpus_file(
    const char *folder, const char *name, const char *type, const char *const *words)
{
	char path[1024];
	struct extract_result r;
	size_t len;
	char *bytes;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	bytes = load(path, &len);
	unit_extract(extractor, type, bytes, len, &r);
	for (; *words; words++) {
		if (!holds(unit_text(&r), *words))
			fail_msg("%s: \"%s\" is missing (%s) in: %.500s", name, *words, r.reason,
			    unit_text(&r));
	}
	extract_result_free(&r);
	free(bytes);
}

static void test_corpus__mail_of_others(void **state)
{
	static const struct {
		const char *name, *type, *words[6];
	} rows[] = {
	    {"test-outlook.msg", "application/vnd.ms-outlook",
		{"L'Équipe Microsoft Outlook Express", "La réponse à vos attentes", "5.4.2007"}},
	    {"testMSG_forwarded.msg", "application/x-ole-storage",
		{"FW: Testing", "Forwarded Body", "paul@metajure.com", "Original Body"}},
	    {"testMSG_Post.msg", "application/cdfv2", {"QuickBrownFox"}},
	    {"test-incremental-updates.eml", "message/rfc822",
		{"testPDF_incrementalUpdates.pdf", "Testing Incremental", "tallison@apache.org"}},
	    {"testRFC822_encrypted_zip", "message/rfc822",
		{"test.zip", "text.txt", "Plain Text part"}},
	    {"complex.mbox", "application/mbox", {"When a Mapper completes"}},
	};
	char folder[512];

	(void)state;
	unit_corpus(folder, "tika-documents", __func__);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		corpus_file(folder, rows[i].name, rows[i].type, rows[i].words);
}

/* Every phrase that two programs of others agree on, in the files of this area. */
static void test_corpus__confirmed_phrases(void **state)
{
	static const char *const kinds[][2] = {{".eml", "message/rfc822"},
	    {".mbox", "application/mbox"}, {".msg", "application/vnd.ms-outlook"},
	    {".md", "text/markdown"}, {".txt", "text/plain"}, {".html", "text/html"},
	    {".xml", "application/xml"}};
	char folder[512], path[600], *line = NULL;
	size_t cap = 0, files = 0;
	FILE *f;

	(void)state;
	unit_corpus(folder, "tika-documents", __func__);
	snprintf(path, sizeof(path), "%s/MANIFEST.jsonl", folder);
	f = fopen(path, "r");
	assert_non_null(f);
	while (getline(&line, &cap, f) > 0) {
		json_t *row = json_loads(line, 0, NULL), *word;
		const char *name = json_string_value(json_object_get(row, "file"));
		json_t *list = json_object_get(row, "must_contain_confirmed");
		size_t i;

		for (size_t k = 0; name && k < sizeof(kinds) / sizeof(*kinds); k++) {
			const char *base = strrchr(name, '/'), *dot = strrchr(name, '.');

			if (!base || !dot || strcmp(dot, kinds[k][0]) != 0)
				continue;
			files += json_array_size(list) > 0;
			json_array_foreach(list, i, word)
			{
				const char *words[] = {json_string_value(word), NULL};

				corpus_file(folder, base + 1, kinds[k][1], words);
			}
		}
		json_decref(row);
	}
	assert_true(files > 10);
	free(line);
	fclose(f);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_mail__header_lines_and_text_in_its_charset),
	    cmocka_unit_test(test_mail__plain_text_is_preferred_and_html_read_without_it),
	    cmocka_unit_test(test_mail__attachments_are_named_and_read),
	    cmocka_unit_test(test_mail__a_pdf_inside_adds_no_page_and_no_title),
	    cmocka_unit_test(test_mail__mail_in_mail_keeps_its_own_header),
	    cmocka_unit_test(test_mail__encrypted_and_shut_parts_are_said),
	    cmocka_unit_test(test_mail__nested_a_thousand_deep_ends_with_a_remark),
	    cmocka_unit_test(test_mail__web_archive_is_a_page_without_its_dress),
	    cmocka_unit_test(test_mbox__every_mail_is_read),
	    cmocka_unit_test(test_msg__damage_is_a_reason),
	    cmocka_unit_test(test_corpus__mail_of_others),
	    cmocka_unit_test(test_corpus__confirmed_phrases),
	};

	UNIT_EXTRACT_MAIN(argc, argv);
	return cmocka_run_group_tests(tests, unit_extract_begin, unit_extract_end);
}
