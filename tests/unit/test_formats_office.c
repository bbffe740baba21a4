/* Office formats: what comes out of our own small samples, of the corpus' files where it is there, and of
 * files made to do harm. All samples are invented. */
#include "tests/unit/unit.h"

#include <jansson.h>
#include <zlib.h>

#include "arkki/base/fs.h"
#include "arkki/base/text.h"
#include "arkki/index/extract.h"

/* ---- helpers ---- */
static struct extractor *start(void)
{
	struct extractor *e = NULL;
	struct ark_error err = {0};

	if (extractor_new(NULL, &e, &err) != ARK_OK)
		fail_msg("no extractor: %s", err.text);
	return e;
}

static struct extract_result extract(
    struct extractor *e, const char *type, const void *bytes, size_t len)
{
	struct extract_result r = {0};
	struct extract_job *job = NULL;
	struct ark_error err = {0};

	if (extract_begin(e, type, len, &job, &err) != ARK_OK ||
	    extract_feed(job, bytes, len, &err) != ARK_OK ||
	    extract_finish(job, &r, &err) != ARK_OK)
		fail_msg("extract: %s", err.text);
	if (!r.text.data)
		buf_adds(&r.text, "");
	return r;
}

/* White space of any kind is one space, as the corpus' labels come from another program's lines. */
static void squeeze(const char *text, struct buf *out)
{
	bool gap = false;

	while (*text) {
		uint32_t c;
		char *at;
		size_t n = strlen(text);

		(void)at;
		n = (unsigned char)*text == 0xc2 && (unsigned char)text[1] == 0xa0 ? 2 : 1;
		c = n == 2 ? ' ' : (unsigned char)*text;
		if (c <= ' ') {
			gap = true;
		} else {
			if (gap && out->len)
				buf_addc(out, ' ');
			gap = false;
			buf_addc(out, *text);
		}
		text += n;
	}
}

static bool contains(const char *text, const char *part)
{
	struct buf a = BUF_INIT, b = BUF_INIT;
	bool found;

	squeeze(text, &a);
	squeeze(part, &b);
	found = strstr(a.data ? a.data : "", b.data ? b.data : "") != NULL;
	buf_free(&a);
	buf_free(&b);
	return found;
}

/* ---- the corpus ---- */
static const char *type_of(const char *name)
{
	static const struct {
		const char *tail, *type;
	} types[] = {
	    {".docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"},
	    {".xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"},
	    {".pptx", "application/vnd.openxmlformats-officedocument.presentationml.presentation"},
	    {".pptm", "application/vnd.openxmlformats-officedocument.presentationml.presentation"},
	    {".odt", "application/vnd.oasis.opendocument.text"},
	    {".ods", "application/vnd.oasis.opendocument.spreadsheet"},
	    {".odp", "application/vnd.oasis.opendocument.presentation"}, {".fodt", "text/xml"},
	    {".fods", "text/xml"}, {".epub", "application/octet-stream"}, {".rtf", "text/rtf"},
	    {".doc", "application/msword"}, {".xls", "application/vnd.ms-excel"},
	    {".ppt", "application/vnd.ms-powerpoint"}};

	for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++) {
		size_t n = strlen(types[i].tail), len = strlen(name);

		if (len > n && strcmp(name + len - n, types[i].tail) == 0)
			return types[i].type;
	}
	return NULL;
}

struct score {
	unsigned int files, labelled, passed, with_text;
};

static bool check_labels(const char *name, const char *text, const json_t *labels)
{
	bool all = true;
	size_t i;
	json_t *label;

	json_array_foreach(labels, i, label)
	{
		if (!contains(text, json_string_value(label))) {
			printf("%s: \"%s\" is not in its text\n", name, json_string_value(label));
			all = false;
		}
	}
	return all;
}

static void check_file(
    struct extractor *e, const char *dir, const json_t *line, struct score *score)
{
	const char *name = strrchr(json_string_value(json_object_get(line, "file")), '/') + 1;
	const json_t *labels = json_object_get(line, "must_contain_confirmed");
	struct buf bytes = BUF_INIT;
	struct extract_result r;
	char path[1024];

	if (!type_of(name))
		return;
	snprintf(path, sizeof(path), "%s/%s", dir, name);
	assert_int_equal(fs_read_file(path, 64 << 20, &bytes, NULL), ARK_OK);
	r = extract(e, type_of(name), bytes.data, bytes.len);
	score->files++;
	score->with_text += r.outcome == EXTRACT_READY;
	score->labelled += json_array_size(labels) > 0;
	if (r.outcome == EXTRACT_NONE || r.reason[0])
		printf("%s: %s\n", name, r.reason);
	if (json_array_size(labels) > 0)
		score->passed += check_labels(name, r.text.data, labels);
	if (getenv("ARKKI_SHOW") && strcmp(getenv("ARKKI_SHOW"), name) == 0)
		printf("[%s]\n%s\n[pages %u]\n", r.title, r.text.data, r.pages);
	extract_result_free(&r);
	buf_free(&bytes);
}

static void test_office__tika_documents(void **state)
{
	struct extractor *e = start();
	struct score score = {0};
	char dir[512], path[600], *line = NULL;
	size_t size = 0;
	FILE *f;

	(void)state;
	unit_corpus(dir, "tika-documents", __func__);
	snprintf(path, sizeof(path), "%s/MANIFEST.jsonl", dir);
	f = fopen(path, "r");
	assert_non_null(f);
	while (getline(&line, &size, f) > 0) {
		json_t *one = json_loads(line, 0, NULL);

		assert_non_null(one);
		check_file(e, dir, one, &score);
		json_decref(one);
	}
	fclose(f);
	free(line);
	extractor_free(e);
	printf("tika-documents: %u of %u labelled office files hold all they must, %u of %u have "
	       "text\n",
	    score.passed, score.labelled, score.with_text, score.files);
	assert_int_equal(score.passed, score.labelled);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_office__tika_documents)};

	if (argc > 1 && strcmp(argv[1], EXTRACT_CHILD_COMMAND) == 0)
		return extract_child_main(argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
