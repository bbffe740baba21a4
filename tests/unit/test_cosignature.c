/* Cosignatures of witnesses: the published line, and lines that only look like one. */
#include "tests/unit/unit.h"

#include <jansson.h>

#include "archive/checkpoint.h"
#include "arkki/base/json.h"
#include "arkki/base/text.h"

static const char body[] =
    "log.example/history\n10\nHA5HAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n";

static void whole_note(struct buf *out, const char *lines)
{
	buf_clear(out);
	buf_addf(out, "%s\n%s", body, lines);
}

static void test_cosignature__of_sigsum_verifies_and_its_neighbours_do_not(void **state)
{
	char path[512], *lines, *save = NULL;
	unsigned char seed[32];
	struct note_key key;
	struct note note;
	struct buf b = BUF_INIT, again = BUF_INIT;
	json_t *file, *v;
	unsigned int n = 0;
	uint64_t time = 0;

	(void)state;
	unit_corpus(path, "tlog/sigsum/sigsum-vectors.json", __func__);
	file = json_load_file(path, 0, NULL);
	v = json_object_get(file, "cosignature_v1");
	assert_non_null(v);
	assert_true(hex_decode(seed, 32, json_text(v, "seed_hex_TEST_ONLY"), 64));
	assert_int_equal(
	    note_cosigner_from_seed(json_text(v, "witness_name"), seed, &key, NULL), 0);
	lines = strdup(json_text(v, "lines"));
	assert_non_null(lines);
	for (char *line = strtok_r(lines, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		int rc;

		buf_clear(&b);
		buf_addf(&b, "%s\n%s\n", json_text(v, "checkpoint_body"), line);
		assert_int_equal(note_parse(b.data, b.len, &note, NULL), 0);
		rc = note_verify_cosignature(&note, &key, &time, NULL);
		assert_int_equal(rc == 0, n == 1);
		if (n == 1) {
			assert_int_equal(time, 1234);
			assert_int_equal(
			    note_cosign(&again, note.text, note.text_len, &key, seed, 1234, NULL),
			    0);
			assert_int_equal(strncmp(again.data, line, strlen(line)), 0);
		}
		n++;
	}
	assert_int_equal(n, 4);
	buf_free(&b);
	buf_free(&again);
	free(lines);
	json_decref(file);
}

static void test_cosignature__the_newest_line_that_holds_counts(void **state)
{
	static const unsigned char seed[32] = {7};
	struct buf lines = BUF_INIT, b = BUF_INIT;
	struct note_key key, log_key;
	struct note note;
	uint64_t time = 0;
	size_t one;

	(void)state;
	assert_int_equal(note_cosigner_from_seed("witness.example", seed, &key, NULL), 0);
	assert_int_equal(note_cosign(&lines, body, strlen(body), &key, seed, 50, NULL), 0);
	one = lines.len;
	assert_int_equal(note_cosign(&lines, body, strlen(body), &key, seed, 70, NULL), 0);
	assert_int_equal(note_cosign(&lines, body, strlen(body), &key, seed, 60, NULL), 0);
	whole_note(&b, lines.data);
	assert_int_equal(note_parse(b.data, b.len, &note, NULL), 0);
	assert_int_equal(note_verify_cosignature(&note, &key, &time, NULL), 0);
	assert_int_equal(time, 70);
	/* a false line in front of a true one does no harm; alone it is told from none */
	lines.data[one - 20] ^= 1;
	whole_note(&b, lines.data);
	assert_int_equal(note_parse(b.data, b.len, &note, NULL), 0);
	assert_int_equal(note_verify_cosignature(&note, &key, &time, NULL), 0);
	lines.data[one] = '\0';
	whole_note(&b, lines.data);
	assert_int_equal(note_parse(b.data, b.len, &note, NULL), 0);
	assert_int_equal(note_verify_cosignature(&note, &key, &time, NULL), ARK_ECORRUPT);
	/* a log's key of the same name and bytes is another key */
	assert_int_equal(note_key_from_seed("witness.example", seed, &log_key, NULL), 0);
	assert_int_not_equal(log_key.id, key.id);
	assert_int_equal(note_verify_cosignature(&note, &log_key, &time, NULL), ARK_ENOTFOUND);
	buf_free(&lines);
	buf_free(&b);
}

static void test_cosignature__a_time_beyond_its_range_is_refused(void **state)
{
	static const unsigned char seed[32] = {9};
	struct buf lines = BUF_INIT, b = BUF_INIT;
	struct note_key key;
	struct note note;

	(void)state;
	assert_int_equal(note_cosigner_from_seed("witness.example", seed, &key, NULL), 0);
	assert_int_equal(
	    note_cosign(&lines, body, strlen(body), &key, seed, UINT64_C(1) << 63, NULL), 0);
	whole_note(&b, lines.data);
	assert_int_equal(note_parse(b.data, b.len, &note, NULL), 0);
	assert_int_equal(note_verify_cosignature(&note, &key, NULL, NULL), ARK_ECORRUPT);
	buf_free(&lines);
	buf_free(&b);
}

static void test_cosignature__keys_of_the_two_kinds_are_not_mixed_up(void **state)
{
	static const unsigned char seed[32] = {3};
	struct note_key log_key, witness, again;
	struct buf a = BUF_INIT, b = BUF_INIT;

	(void)state;
	assert_int_equal(note_key_from_seed("same.example", seed, &log_key, NULL), 0);
	assert_int_equal(note_cosigner_from_seed("same.example", seed, &witness, NULL), 0);
	note_key_format(&log_key, &a);
	note_cosigner_format(&witness, &b);
	assert_int_equal(note_key_parse(b.data, &again, NULL), ARK_EINPUT);
	assert_int_equal(note_cosigner_parse(a.data, &again, NULL), ARK_EINPUT);
	assert_int_equal(note_cosigner_parse(b.data, &again, NULL), 0);
	assert_memory_equal(again.public_key, witness.public_key, 32);
	buf_free(&a);
	buf_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_cosignature__of_sigsum_verifies_and_its_neighbours_do_not),
	    cmocka_unit_test(test_cosignature__the_newest_line_that_holds_counts),
	    cmocka_unit_test(test_cosignature__a_time_beyond_its_range_is_refused),
	    cmocka_unit_test(test_cosignature__keys_of_the_two_kinds_are_not_mixed_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
