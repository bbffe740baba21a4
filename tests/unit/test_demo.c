/* The demo's texts, and the files made of them. */
#include "tests/unit/unit.h"

#include <fcntl.h>
#include <libxml/parser.h>
#include <magic.h>
#include <poppler.h>
#include <sys/stat.h>

#include "arkki/base/fs.h"
#include "arkki/base/json.h"
#include "arkki/base/text.h"
#include "tools/demo.h"

static const char texts_dir[] = "tools/demo/documents";

/* What the built archive holds, gathered once for the tests of the real texts. */
struct built {
	char dir[256];
	json_t *plan;
};

static void read_whole(const char *path, struct buf *out)
{
	struct ark_error err = {0};

	buf_clear(out);
	if (fs_read_file(path, 16 << 20, out, &err) < 0)
		fail_msg("%s", err.text);
}

static int setup_built(void **state)
{
	struct built *b = calloc(1, sizeof(*b));
	struct ark_error err = {0};
	struct buf text = BUF_INIT;
	char path[4096];

	assert_non_null(b);
	unit_scratch(b->dir);
	if (demo_documents_build(texts_dir, b->dir, &err) < 0)
		fail_msg("%s", err.text);
	snprintf(path, sizeof(path), "%s/plan.json", b->dir);
	read_whole(path, &text);
	assert_int_equal(json_read(text.data, text.len, &b->plan, &err), ARK_OK);
	buf_free(&text);
	*state = b;
	return 0;
}

static int teardown_built(void **state)
{
	struct built *b = *state;

	unit_scratch_end(b->dir);
	json_decref(b->plan);
	free(b);
	return 0;
}

static unsigned int count_words(const char *text)
{
	unsigned int words = 0;

	for (bool in = false; *text; text++) {
		bool space = *text == ' ' || *text == '\n' || *text == '\t';

		words += !space && !in;
		in = !space;
	}
	return words;
}

/* Pages of a rendered PDF, and its text without the page numbers; *ret_text is ended with free(). */
static void read_pdf(const char *path, unsigned int *ret_pages, char **ret_text)
{
	GError *why = NULL;
	gchar *uri = g_filename_to_uri(path, NULL, &why);
	PopplerDocument *pdf = poppler_document_new_from_file(uri, NULL, &why);
	struct buf text = BUF_INIT;

	if (!pdf)
		fail_msg("%s: %s", path, why->message);
	*ret_pages = (unsigned int)poppler_document_get_n_pages(pdf);
	for (unsigned int i = 0; i < *ret_pages; i++) {
		PopplerPage *page = poppler_document_get_page(pdf, (int)i);
		char *of_page = poppler_page_get_text(page);
		char number[40];

		snprintf(number, sizeof(number), "%u (%u)\n", i + 1, *ret_pages);
		assert_memory_equal(of_page, number, strlen(number));
		buf_adds(&text, of_page + strlen(number));
		buf_addc(&text, '\n');
		g_free(of_page);
		g_object_unref(page);
	}
	*ret_text = buf_take(&text, NULL);
	assert_non_null(*ret_text);
	g_object_unref(pdf);
	g_free(uri);
}

static void remove_spaces(char *text)
{
	char *to = text;

	for (; *text; text++)
		if (*text != ' ' && *text != '\n')
			*to++ = *text;
	*to = '\0';
}

static void path_of(const struct built *b, const json_t *entry, char out[4096])
{
	snprintf(out, 4096, "%s/%s", b->dir, json_text(entry, "file"));
}

static const char *language_of(const json_t *entry)
{
	return json_text(json_object_get(entry, "metadata"), "language");
}

static bool is_pdf(const json_t *entry)
{
	return !strcmp(json_text(entry, "format"), "pdf");
}

/* Of what is filed first of a document. */
static bool is_first(const json_t *entry)
{
	return json_integer_value(json_object_get(entry, "version")) == 1 &&
	       !json_is_true(json_object_get(entry, "rendition"));
}

/* What was parsed for the entry. */
static const struct demo_version *version_of(const struct demo_document *doc, const json_t *entry)
{
	for (size_t i = 0; i < doc->versions; i++)
		if (doc->version[i].number ==
			json_integer_value(json_object_get(entry, "version")) &&
		    doc->version[i].rendition == json_is_true(json_object_get(entry, "rendition")))
			return &doc->version[i];
	fail_msg("no version of %s", json_text(entry, "file"));
	return NULL;
}

static void test_demo__is_large_and_varied_enough(void **state)
{
	const struct built *b = *state;
	unsigned int documents = 0, languages[3] = {0}, formats[DEMO_FORMATS] = {0};
	size_t i;
	json_t *e;

	json_array_foreach(b->plan, i, e)
	{
		for (size_t k = 0; k < DEMO_FORMATS; k++)
			formats[k] +=
			    !strcmp(json_text(e, "format"), demo_format_name((enum demo_format)k));
		if (!is_first(e))
			continue;
		documents++;
		languages[0] += !strcmp(language_of(e), "fi");
		languages[1] += !strcmp(language_of(e), "sv");
		languages[2] += !strcmp(language_of(e), "en");
	}
	printf(
	    "demo: %u documents (fi %u, sv %u, en %u), %zu versions (pdf %u, html %u, text %u)\n",
	    documents, languages[0], languages[1], languages[2], json_array_size(b->plan),
	    formats[0], formats[1], formats[2]);
	assert_true(documents >= 60);
	assert_true(json_array_size(b->plan) >= 100);
	for (i = 0; i < 3; i++)
		assert_true(languages[i] > 0);
	for (i = 0; i < DEMO_FORMATS; i++)
		assert_true(formats[i] > 0);
	assert_int_equal(languages[0] + languages[1] + languages[2], documents);
}

/* Pages of PDFs as rendered; of the others by the words a page of those PDFs holds. */
static void test_demo__twenty_documents_have_three_pages(void **state)
{
	const struct built *b = *state;
	unsigned int pages, full = 0, words = 0, pdfs = 0, others = 0;
	struct buf text = BUF_INIT;
	char path[4096], *extracted;
	size_t i;
	json_t *e;

	json_array_foreach(b->plan, i, e)
	{
		if (!is_pdf(e) || !is_first(e))
			continue;
		path_of(b, e, path);
		read_pdf(path, &pages, &extracted);
		pdfs += pages >= 3;
		if (pages >= 3) {
			full += pages;
			words += count_words(extracted);
		}
		free(extracted);
	}
	assert_true(full > 0);
	json_array_foreach(b->plan, i, e)
	{
		if (strncmp(json_text(e, "mediaType"), "text/", 5) != 0 || !is_first(e))
			continue;
		path_of(b, e, path);
		read_whole(path, &text);
		others += count_words(text.data) > 2 * words / full;
	}
	printf("demo: 3 pages or more: %u PDFs, %u others (at %u words a page)\n", pdfs, others,
	    words / full);
	assert_true(pdfs + others >= 20);
	buf_free(&text);
}

static void test_demo__extracted_text_is_the_written_text(void **state)
{
	const struct built *b = *state;
	char path[4096], *extracted;
	unsigned int pages, checked = 0;
	size_t i;
	json_t *e;

	json_array_foreach(b->plan, i, e)
	{
		struct demo_document *doc = NULL;
		struct ark_error err = {0};
		const struct demo_version *v;

		if (!is_pdf(e))
			continue;
		path_of(b, e, path);
		read_pdf(path, &pages, &extracted);
		snprintf(path, sizeof(path), "%s/%s.txt", texts_dir, json_text(e, "document"));
		assert_int_equal(demo_parse(path, &doc, &err), ARK_OK);
		v = version_of(doc, e);
		/* block by block in order; only a bullet may come between */
		remove_spaces(extracted);
		for (size_t k = 0, from = 0; k < v->blocks; k++) {
			char *text = v->block[k].text;
			const char *at;

			remove_spaces(text);
			at = strstr(extracted + from, text);
			if (!at || at - (extracted + from) > 3)
				fail_msg("%s: \"%s\" is not where it was written",
				    json_text(e, "file"), text);
			from = (size_t)(at - extracted) + strlen(text);
			checked++;
		}
		demo_document_free(doc);
		free(extracted);
	}
	assert_true(checked > 1000);
}

/* Poppler reads the appended catalogue's neighbours: a damaged update would lose the title. */
static void test_demo__pdf_carries_title_language_and_date(void **state)
{
	const struct built *b = *state;
	struct buf text = BUF_INIT;
	char path[4096];
	size_t i;
	json_t *e;

	json_array_foreach(b->plan, i, e)
	{
		const char *title = json_text(json_object_get(e, "metadata"), "title");
		GError *why = NULL;
		PopplerDocument *pdf;
		gchar *uri, *value;
		char lang[20];

		if (!is_pdf(e) || !title || !language_of(e))
			continue;
		path_of(b, e, path);
		uri = g_filename_to_uri(path, NULL, &why);
		pdf = poppler_document_new_from_file(uri, NULL, &why);
		assert_non_null(pdf);
		value = poppler_document_get_title(pdf);
		assert_string_equal(value, title);
		g_free(value);
		assert_true(poppler_document_get_creation_date(pdf) > 1500000000);
		g_object_unref(pdf);
		g_free(uri);
		read_whole(path, &text);
		snprintf(lang, sizeof(lang), "/Lang (%s)", language_of(e));
		assert_non_null(memmem(text.data, text.len, lang, strlen(lang)));
	}
	buf_free(&text);
}

static void test_demo__pages_of_html_are_well_formed(void **state)
{
	const struct built *b = *state;
	char path[4096];
	size_t i;
	json_t *e;

	json_array_foreach(b->plan, i, e)
	{
		xmlDoc *doc;
		xmlChar *lang;

		if (strcmp(json_text(e, "mediaType"), "text/html") != 0)
			continue;
		path_of(b, e, path);
		doc = xmlReadFile(path, "UTF-8", XML_PARSE_NONET);
		if (!doc)
			fail_msg("%s is not well-formed", path);
		lang = xmlGetProp(xmlDocGetRootElement(doc), (const xmlChar *)"lang");
		assert_non_null(lang);
		if (language_of(e))
			assert_string_equal((const char *)lang, language_of(e));
		xmlFree(lang);
		xmlFreeDoc(doc);
	}
}

/* A declared type that libmagic contradicts is refused at filing. */
static void test_demo__libmagic_agrees_with_the_media_types(void **state)
{
	const struct built *b = *state;
	magic_t magic = magic_open(MAGIC_MIME_TYPE);
	char path[4096];
	size_t i;
	json_t *e;

	assert_non_null(magic);
	assert_int_equal(magic_load(magic, NULL), 0);
	json_array_foreach(b->plan, i, e)
	{
		path_of(b, e, path);
		assert_string_equal(magic_file(magic, path), json_text(e, "mediaType"));
	}
	magic_close(magic);
}

static void test_demo__plan_is_chronological_and_versions_follow_each_other(void **state)
{
	const struct built *b = *state;
	const char *before = "";
	unsigned int renditions = 0;
	json_t *seen = json_object();
	size_t i;
	json_t *e;

	json_array_foreach(b->plan, i, e)
	{
		const char *name = json_text(e, "document");
		json_int_t version = json_integer_value(json_object_get(e, "version"));
		json_int_t last = json_integer_value(json_object_get(seen, name));

		assert_true(strcmp(before, json_text(e, "date")) <= 0);
		before = json_text(e, "date");
		if (json_is_true(json_object_get(e, "rendition"))) {
			assert_int_equal(version, last);
			assert_int_equal(json_object_size(json_object_get(e, "metadata")), 0);
			renditions++;
			continue;
		}
		assert_int_equal(version, last + 1);
		json_object_set_new(seen, name, json_integer(version));
		assert_int_equal(*json_text(e, "reason") == '\0', version == 1);
		if (version == 1)
			assert_non_null(json_text(json_object_get(e, "metadata"), "type"));
		else /* a later version gives only what changes */
			assert_null(json_object_get(json_object_get(e, "metadata"), "units"));
	}
	assert_true(renditions > 0);
	json_decref(seen);
}

/* The author is the filer's organisation or its predecessor; units, cases and users exist. */
static void test_demo__names_only_what_the_seed_holds(void **state)
{
	static const char *const sets[] = {"orgs", "users", "units", "cases"};
	const struct built *b = *state;
	struct buf text = BUF_INIT;
	struct ark_error err = {0};
	json_t *seed = NULL, *known = json_object(), *x, *e;
	size_t i, k;

	read_whole("tools/demo/seed.json", &text);
	assert_int_equal(json_read(text.data, text.len, &seed, &err), ARK_OK);
	for (k = 0; k < 4; k++) {
		json_t *set = json_object();

		json_array_foreach(json_object_get(seed, sets[k]), i, x)
		    json_object_set(set, json_text(x, "id"), x);
		json_object_set_new(known, sets[k], set);
	}
	json_array_foreach(b->plan, i, e)
	{
		json_t *m = json_object_get(e, "metadata");
		json_t *user =
		    json_object_get(json_object_get(known, "users"), json_text(e, "user"));
		const char *author = json_text(m, "author"), *file = json_text(m, "case");

		assert_non_null(user);
		if (file)
			assert_non_null(json_object_get(json_object_get(known, "cases"), file));
		json_array_foreach(json_object_get(m, "units"), k, x) assert_non_null(
		    json_object_get(json_object_get(known, "units"), json_string_value(x)));
		if (author && strcmp(author, json_text(user, "org")) != 0 &&
		    !(!strcmp(author, "esavi") && !strcmp(json_text(user, "org"), "lvv")))
			fail_msg("%s: %s may not file as %s", json_text(e, "file"),
			    json_text(e, "user"), author);
	}
	json_decref(known);
	json_decref(seed);
	buf_free(&text);
}

static void each_version(const struct built *b,
    void (*check)(const struct demo_document *, size_t, json_t *), json_t *arg)
{
	json_t *done = json_object();
	size_t i;
	json_t *e;

	json_array_foreach(b->plan, i, e)
	{
		const char *name = json_text(e, "document");
		struct demo_document *doc = NULL;
		struct ark_error err = {0};
		char path[4096];

		if (json_object_get(done, name))
			continue;
		json_object_set_new(done, name, json_true());
		snprintf(path, sizeof(path), "%s/%s.txt", texts_dir, name);
		assert_int_equal(demo_parse(path, &doc, &err), ARK_OK);
		for (size_t at = 0; at < doc->versions; at++)
			check(doc, at, arg);
		demo_document_free(doc);
	}
	json_decref(done);
}

/* paragraph -> {document: true} */
static void note_paragraphs(const struct demo_document *doc, size_t at, json_t *where)
{
	const struct demo_version *v = &doc->version[at];

	for (size_t i = 0; i < v->blocks; i++) {
		json_t *docs;

		if (v->block[i].kind < DEMO_PARAGRAPH)
			continue;
		docs = json_object_get(where, v->block[i].text);
		if (!docs) {
			docs = json_object();
			json_object_set_new(where, v->block[i].text, docs);
		}
		json_object_set_new(docs, doc->name, json_true());
	}
}

static void test_demo__no_paragraph_in_more_than_five_documents(void **state)
{
	json_t *where = json_object(), *docs;
	const char *text;
	size_t most = 0;

	each_version(*state, note_paragraphs, where);
	json_object_foreach(where, text, docs)
	{
		if (json_object_size(docs) > most)
			most = json_object_size(docs);
		if (json_object_size(docs) > 5)
			fail_msg("in %zu documents: %s", json_object_size(docs), text);
	}
	printf("demo: %zu paragraphs, the commonest in %zu documents\n", json_object_size(where),
	    most);
	json_decref(where);
}

static const char *const invented[] = {"keksi", "kuvitel", "tekais", "sepit", "påhitta",
    "hittats på", "diktat", "fiktiv", "invented", "imagin"};

/* A wrong `@a-b` shows as a paragraph twice, or as a version that is no longer a sample. */
static void check_expansion(const struct demo_document *doc, size_t at, json_t *unused)
{
	const struct demo_version *v = &doc->version[at];
	const char *end = v->block[v->blocks - 1].text;
	bool says = false;

	(void)unused;
	for (size_t i = 0; i < v->blocks; i++)
		for (size_t k = i + 1; k < v->blocks; k++)
			if (v->block[i].kind == DEMO_PARAGRAPH &&
			    !strcmp(v->block[i].text, v->block[k].text))
				fail_msg("%s v%zu: blocks %zu and %zu are the same", doc->name,
				    at + 1, i + 1, k + 1);
	for (size_t i = 0; i < sizeof(invented) / sizeof(*invented); i++)
		says |= strstr(end, invented[i]) != NULL;
	if (!says)
		fail_msg("%s v%zu ends with: %s", doc->name, at + 1, end);
}

static void test_demo__every_version_is_whole_and_says_it_is_a_sample(void **state)
{
	each_version(*state, check_expansion, NULL);
}

static void test_demo__same_texts_give_the_same_bytes(void **state)
{
	struct buf a = BUF_INIT, b = BUF_INIT;
	struct demo_document *doc = NULL;
	struct ark_error err = {0};

	(void)state;
	assert_int_equal(
	    demo_parse("tools/demo/documents/01-koivula-tarkastuskertomus-2023.txt", &doc, &err),
	    ARK_OK);
	assert_int_equal(doc->format, DEMO_PDF);
	assert_int_equal(demo_render(doc, 1, &a, &err), ARK_OK);
	sleep(1); /* a clock in the file would show */
	assert_int_equal(demo_render(doc, 1, &b, &err), ARK_OK);
	assert_int_equal(a.len, b.len);
	assert_memory_equal(a.data, b.data, a.len);
	buf_free(&a);
	buf_free(&b);
	demo_document_free(doc);
}

static int parse_text(
    const char *name, const char *text, struct demo_document **ret, struct ark_error *err)
{
	char dir[256], path[512];
	struct ark_error ignored;
	int rc;

	unit_scratch(dir);
	snprintf(path, sizeof(path), "%s/%s", dir, name);
	assert_int_equal(fs_replace_file(path, text, strlen(text), 0600, &ignored), ARK_OK);
	rc = demo_parse(path, ret, err);
	unit_scratch_end(dir);
	return rc;
}

#define HEAD "metadata: {\"title\":\"T\",\n  \"language\":\"fi\"}\nuser: maija\nformat: text\n\n"

static void test_demo__parser_expands_repeats_and_metadata(void **state)
{
	struct demo_document *doc = NULL;
	struct ark_error err = {0};
	struct buf out = BUF_INIT;

	(void)state;
	assert_int_equal(
	    parse_text("07-a-b.txt",
		HEAD "=== version 1 2026-01-01\n# A\n\none\ntwo\n\n- i\n  j\n- k\n\nend\n"
		     "=== version 2 2026-01-01 why\nmetadata: {\"title\":\"U\"}\n# B\n@2\nnew\n@4-",
		&doc, &err),
	    ARK_OK);
	assert_string_equal(doc->name, "07-a-b");
	assert_int_equal(doc->versions, 2);
	assert_int_equal(doc->version[0].blocks, 5);
	assert_string_equal(doc->version[1].reason, "why");
	assert_string_equal(json_text(doc->version[1].whole, "title"), "U");
	assert_string_equal(json_text(doc->version[1].whole, "language"), "fi");
	assert_int_equal(json_object_size(doc->version[1].changes), 1);
	assert_int_equal(demo_render(doc, 0, &out, &err), ARK_OK);
	assert_string_equal(out.data, "A\n=\n\none two\n\n- i j\n- k\n\nend\n");
	buf_clear(&out);
	assert_int_equal(demo_render(doc, 1, &out, &err), ARK_OK);
	assert_string_equal(out.data, "B\n=\n\none two\n\nnew\n\n- k\n\nend\n");
	buf_free(&out);
	demo_document_free(doc);
}

static void test_demo__parser_takes_a_rendition_of_the_version_before_it(void **state)
{
	struct demo_document *doc = NULL;
	struct ark_error err = {0};
	struct buf out = BUF_INIT;

	(void)state;
	assert_int_equal(
	    parse_text("1-a.txt",
		"metadata: {\"title\":\"Secret\",\"publicTitle\":\"Open\",\"language\":\"fi\"}\n"
		"user: a\nformat: html\n"
		"=== version 1 2026-01-01\n# A\n\nhidden\n\ntwo\n"
		"=== public 2026-01-02\n@1\n[...]\n\n@3\n=== version 2 2026-01-03 why\n@1-2\n",
		&doc, &err),
	    ARK_OK);
	assert_int_equal(doc->versions, 3);
	assert_true(doc->version[1].rendition);
	assert_int_equal(doc->version[1].number, 1);
	assert_int_equal(doc->version[2].number, 2);
	assert_string_equal(doc->version[2].block[1].text, "hidden");
	assert_string_equal(json_text(doc->version[2].whole, "title"), "Secret");
	assert_int_equal(demo_render(doc, 1, &out, &err), ARK_OK);
	assert_non_null(strstr(out.data, "<title>Open</title>"));
	assert_null(strstr(out.data, "Secret"));
	assert_null(strstr(out.data, "hidden"));
	buf_free(&out);
	demo_document_free(doc);
}

static void test_demo__parser_refuses_and_names_the_line(void **state)
{
	static const struct {
		const char *name, *text, *says;
	} cases[] = {
	    {"1-a.txt", "user: maija\n=== version 1 2026-01-01\n# A\n", ":1: the header needs"},
	    {"1-a.txt", HEAD "nonsense\n", ":6: expected `key"},
	    {"1-a.txt", HEAD, "no version"},
	    {"a.txt", HEAD "=== version 1 2026-01-01\n# A\n", "not named"},
	    {"1-a.txt", HEAD "=== version 2 2026-01-01\n# A\n", ":6: expected `=== version 1"},
	    {"1-a.txt", HEAD "=== version 1 2026-02-30\n# A\n", ":6: no such day"},
	    {"1-a.txt", HEAD "=== version 1 2026-01-01 why\n# A\n", ":6: a reason"},
	    {"1-a.txt", HEAD "=== public 2026-01-01\n# A\n", ":6: a public rendition follows"},
	    {"1-a.txt", HEAD "=== version 1 2026-01-01\n# A\n=== public 2026-01-01\n# A\n",
		":8: a document with a public rendition"},
	    {"1-a.txt", HEAD "=== version 1 2026-01-01\nA\n", "does not begin"},
	    {"1-a.txt", HEAD "=== version 1 2026-01-01\n# A\n@1\n", ":8: nothing stands"},
	    {"1-a.txt", HEAD "=== version 1 2026-01-01\n# A\na\tb\n", ":8: a control"},
	    {"1-a.txt", HEAD "=== version 1 2026-01-01\n# A\n#### x\n", ":8: a heading"},
	    {"1-a.txt", HEAD "=== version 1 2026-01-01\n# A\n=== version 2 2026-01-02 w\n@1-2\n",
		":9: @1-2 does not fit"},
	    {"1-a.txt",
		HEAD "=== version 1 2026-01-01\n# A\n=== version 2 2026-01-02 "
		     "w\n@18446744073709551617\n",
		":9: @"},
	    {"1-a.txt", HEAD "=== version 1 2026-01-02\n# A\n=== version 2 2026-01-01 w\n@1\n",
		":8: version 2 is older"},
	    {"1-a.txt", "format: leaflet\n", ":1: format"},
	    {"1-a.txt", "metadata: [1]\n", ":1: metadata"},
	    {"1-a.txt", "metadata: {\n", ":1: metadata"},
	    {"1-a.txt", "user: \xff\n", "not UTF-8"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct demo_document *doc = NULL;
		struct ark_error err = {0};

		assert_int_equal(parse_text(cases[i].name, cases[i].text, &doc, &err), ARK_EINPUT);
		assert_null(doc);
		if (!strstr(err.text, cases[i].says))
			fail_msg(
			    "case %zu: \"%s\" does not say \"%s\"", i, err.text, cases[i].says);
	}
}

static void test_demo__html_escapes_what_the_text_holds(void **state)
{
	struct demo_document *doc = NULL;
	struct ark_error err = {0};
	struct buf out = BUF_INIT;

	(void)state;
	assert_int_equal(
	    parse_text("1-a.txt",
		"metadata: {\"title\":\"<&\\\">\",\"language\":\"sv\"}\nuser: a\nformat: "
		"html\n=== version 1 2026-01-01\n# <b>&\n- x\n- y\n",
		&doc, &err),
	    ARK_OK);
	assert_int_equal(demo_render(doc, 0, &out, &err), ARK_OK);
	assert_non_null(strstr(out.data, "<title>&lt;&amp;&quot;&gt;</title>"));
	assert_non_null(
	    strstr(out.data, "<h1>&lt;b&gt;&amp;</h1>\n<ul>\n<li>x</li>\n<li>y</li>\n</ul>"));
	assert_non_null(strstr(out.data, "<html lang=\"sv\">"));
	buf_free(&out);
	demo_document_free(doc);
}

int main(void)
{
	const struct CMUnitTest of_texts[] = {
	    cmocka_unit_test(test_demo__is_large_and_varied_enough),
	    cmocka_unit_test(test_demo__twenty_documents_have_three_pages),
	    cmocka_unit_test(test_demo__extracted_text_is_the_written_text),
	    cmocka_unit_test(test_demo__pdf_carries_title_language_and_date),
	    cmocka_unit_test(test_demo__pages_of_html_are_well_formed),
	    cmocka_unit_test(test_demo__libmagic_agrees_with_the_media_types),
	    cmocka_unit_test(test_demo__plan_is_chronological_and_versions_follow_each_other),
	    cmocka_unit_test(test_demo__names_only_what_the_seed_holds),
	    cmocka_unit_test(test_demo__no_paragraph_in_more_than_five_documents),
	    cmocka_unit_test(test_demo__every_version_is_whole_and_says_it_is_a_sample),
	};
	const struct CMUnitTest of_code[] = {
	    cmocka_unit_test(test_demo__same_texts_give_the_same_bytes),
	    cmocka_unit_test(test_demo__parser_expands_repeats_and_metadata),
	    cmocka_unit_test(test_demo__parser_takes_a_rendition_of_the_version_before_it),
	    cmocka_unit_test(test_demo__parser_refuses_and_names_the_line),
	    cmocka_unit_test(test_demo__html_escapes_what_the_text_holds),
	};
	int failed = cmocka_run_group_tests_name("texts", of_texts, setup_built, teardown_built);

	return failed + cmocka_run_group_tests_name("code", of_code, NULL, NULL);
}
