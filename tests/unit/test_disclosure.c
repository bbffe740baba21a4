/* Disclosures: what is shown holds, and nothing that was changed does. */
#include "tests/unit/unit.h"

#include "archive/checkpoint.h"
#include "arkki/archive/disclosure.h"
#include "arkki/base/json.h"

#define ORIGIN "arkki.example/test/access"
#define DOCUMENT "00112233445566778899aabbccddeeff"

struct fixture {
	char dir[256];
	struct keyring *keys;
	struct ledger *l;
	struct buf vkey;
};

static int begin(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	char keys[300], root[300], log[300];
	const unsigned char *seed;

	unit_scratch(f->dir);
	snprintf(keys, sizeof(keys), "%s/keys", f->dir);
	snprintf(root, sizeof(root), "%s/root", f->dir);
	snprintf(log, sizeof(log), "%s/log", f->dir);
	assert_int_equal(keyring_create_root(root, NULL), 0);
	assert_int_equal(keyring_create(keys, root, NULL), 0);
	assert_int_equal(keyring_open(keys, root, 1, &f->keys, NULL), 0);
	seed = keyring_secrets(f->keys)->access_seed;
	assert_int_equal(ledger_create(log, ORIGIN, seed, NULL), 0);
	assert_int_equal(ledger_open(log, ORIGIN, LEDGER_ACCESS, f->keys, true, &f->l, NULL), 0);
	assert_int_equal(ledger_vkey(ORIGIN, seed, &f->vkey, NULL), 0);
	for (int i = 0; i < 300; i++) {
		const struct ledger_record r = {.kind = i % 3 ? "content" : "search",
		    .document = i % 3 ? DOCUMENT : NULL,
		    .purpose = "k\xc3\xa4ynti \"x\\y\"\n\t\xe2\x80\xae",
		    .principal = "maija",
		    .org = "lvv",
		    .query = i % 3 ? NULL : "sijaishuolto \"a\""};

		assert_int_equal(ledger_append_wait(f->l, &r, 1, NULL, NULL), 0);
	}
	assert_int_equal(ledger_publish(f->l, 300, NULL), 0);
	*state = f;
	return 0;
}

static int end(void **state)
{
	struct fixture *f = *state;

	ledger_close(f->l);
	keyring_close(f->keys);
	buf_free(&f->vkey);
	unit_scratch_end(f->dir);
	free(f);
	return 0;
}

static json_t *shown(struct fixture *f, uint64_t index, unsigned int letters)
{
	struct buf text = BUF_INIT;
	struct ark_error err = {0};
	json_t *v;

	if (disclosure_write(f->l, index, letters, &text, &err))
		fail_msg("%s", err.text);
	assert_int_equal(json_read(text.data, text.len, &v, NULL), 0);
	buf_free(&text);
	return v;
}

/* Checks what the JSON says now, and gives it back. */
static int check(struct fixture *f, json_t *v, struct disclosed *ret, struct ark_error *err)
{
	char *text = json_dumps(v, JSON_COMPACT);
	int rc = disclosure_check(text, strlen(text), f->vkey.data, ret, err);

	free(text);
	json_decref(v);
	return rc;
}

static void test_disclosure__shows_the_parts_that_were_asked_for(void **state)
{
	struct fixture *f = *state;

	for (unsigned int letters = 0; letters < 8; letters++)
		for (uint64_t i = 0; i < 300; i += 7) {
			struct disclosed d = {0};
			struct ark_error err = {0};

			if (check(f, shown(f, i, letters), &d, &err))
				fail_msg("entry %llu: %s", (unsigned long long)i, err.text);
			assert_int_equal(d.index, i);
			assert_string_equal(d.origin, ORIGIN);
			assert_true(d.tree_size == 300);
			assert_int_equal(d.a != NULL, (letters & DISCLOSE_A) != 0);
			assert_int_equal(d.b != NULL, (letters & DISCLOSE_B) != 0);
			assert_int_equal(d.c != NULL, (letters & DISCLOSE_C) != 0);
			if (d.a)
				assert_string_equal(json_text(d.a, "purpose"),
				    "k\xc3\xa4ynti \"x\\y\"\n\t\xe2\x80\xae");
			if (d.c && i % 3 == 0)
				assert_string_equal(json_text(d.c, "query"), "sijaishuolto \"a\"");
			disclosed_free(&d);
		}
}

static json_t *part(json_t *v, const char *letter)
{
	return json_object_get(json_object_get(v, "parts"), letter);
}

static void false_one(struct fixture *f, json_t *v, int want, const char *says)
{
	struct disclosed d = {0};
	struct ark_error err = {0};
	int rc = check(f, v, &d, &err);

	if (rc != want || !strstr(err.text, says) || d.a || d.b || d.c)
		fail_msg("%d \"%s\" instead of %d \"%s\"", rc, err.text, want, says);
}

/* The character at `at` of a text member becomes another one. */
static void turn(json_t *object, const char *key, size_t at, char to)
{
	char *text = strdup(json_text(object, key));

	assert_true(strlen(text) > at);
	text[at] = text[at] == to ? '0' : to;
	json_object_set_new(object, key, json_string(text));
	free(text);
}

static void test_disclosure__nothing_in_it_can_be_changed(void **state)
{
	struct fixture *f = *state;
	static const char *const letters[] = {"A", "B", "C"};
	json_t *v, *other;

	for (int i = 0; i < 3; i++) {
		v = shown(f, 6, 7);
		turn(part(v, letters[i]), "salt", 63, '1');
		false_one(f, v, ARK_ECORRUPT, "does not lead");
		v = shown(f, 6, 0);
		turn(part(v, letters[i]), "commitment", 0, '1');
		false_one(f, v, ARK_ECORRUPT, "does not lead");
	}
	v = shown(f, 6, DISCLOSE_B);
	json_object_set_new(part(v, "B"), "json", json_string("{\"principal\":\"risto\"}"));
	false_one(f, v, ARK_ECORRUPT, "does not lead");
	/* a part of another entry, with the salt that belongs to it */
	v = shown(f, 6, DISCLOSE_A);
	other = shown(f, 7, DISCLOSE_A);
	json_object_set(json_object_get(v, "parts"), "A", part(other, "A"));
	json_decref(other);
	false_one(f, v, ARK_ECORRUPT, "does not lead");
	/* parts that change places */
	v = shown(f, 6, 7);
	other = json_incref(part(v, "A"));
	json_object_set(json_object_get(v, "parts"), "A", part(v, "B"));
	json_object_set_new(json_object_get(v, "parts"), "B", other);
	false_one(f, v, ARK_ECORRUPT, "does not lead");
}

static void test_disclosure__a_valid_proof_of_another_entry_is_refused(void **state)
{
	struct fixture *f = *state;
	json_t *v = shown(f, 6, 7), *other = shown(f, 7, 7);

	json_object_set(v, "proof", json_object_get(other, "proof"));
	false_one(f, v, ARK_ECORRUPT, "is of entry 7, not of entry 6");
	v = shown(f, 6, 7);
	json_object_set(v, "proof", json_object_get(other, "proof"));
	json_object_set_new(v, "index", json_integer(7));
	false_one(f, v, ARK_ECORRUPT, "does not lead");
	json_decref(other);
}

static json_t *with_proof(json_t *v, const char *from, const char *to)
{
	const char *proof = json_text(v, "proof"), *at = strstr(proof, from);
	struct buf b = BUF_INIT;

	assert_non_null(at);
	buf_add(&b, proof, (size_t)(at - proof));
	buf_adds(&b, to);
	buf_adds(&b, at + strlen(from));
	json_object_set_new(v, "proof", json_string(b.data));
	buf_free(&b);
	return v;
}

static void test_disclosure__signatures_of_others_do_not_count(void **state)
{
	struct fixture *f = *state;
	json_t *v =
	    with_proof(shown(f, 6, 1), "\xe2\x80\x94 " ORIGIN, "\xe2\x80\x94 somebody/else");

	false_one(f, v, ARK_ECORRUPT, "is not signed by");
	v = with_proof(shown(f, 6, 1), "\n300\n", "\n301\n");
	false_one(f, v, ARK_ECORRUPT, "is false");
	v = with_proof(
	    shown(f, 6, 1), "\xe2\x80\x94 ", "\xe2\x80\x94 malformed line\n\xe2\x80\x94 ");
	false_one(f, v, ARK_EINPUT, "malformed signature line");
	v = shown(f, 6, 1);
	json_object_set_new(v, "log", json_string("arkki.example/test/history"));
	false_one(f, v, ARK_ECORRUPT, "is of the log");
}

static void test_disclosure__other_shapes_are_refused(void **state)
{
	struct fixture *f = *state;
	static const char *const texts[] = {"", "[]", "{}", "null", "\"A\"",
	    "{\"log\":\"" ORIGIN "\",\"index\":-1,\"parts\":{},\"proof\":\"\"}",
	    "{\"log\":\"" ORIGIN "\",\"index\":1,\"parts\":[],\"proof\":\"\"}",
	    "{\"log\":\"" ORIGIN "\",\"index\":1,\"parts\":{},\"proof\":\"\"}",
	    "{\"log\":\"" ORIGIN "\",\"index\":1.5,\"parts\":{},\"proof\":\"\"}"};
	struct disclosed d;
	char *large;
	json_t *v;

	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
		assert_int_equal(
		    disclosure_check(texts[i], strlen(texts[i]), f->vkey.data, &d, NULL),
		    ARK_EINPUT);
	v = shown(f, 6, 1);
	json_object_set_new(part(v, "A"), "commitment", json_string("00"));
	false_one(f, v, ARK_EINPUT, "either a salt");
	v = shown(f, 6, 1);
	json_object_del(part(v, "A"), "salt");
	false_one(f, v, ARK_EINPUT, "lacks");
	v = shown(f, 6, 1);
	json_object_del(json_object_get(v, "parts"), "C");
	false_one(f, v, ARK_EINPUT, "either a salt");
	v = shown(f, 6, 1);
	json_object_set_new(part(v, "B"), "commitment", json_string("0g"));
	false_one(f, v, ARK_EINPUT, "64 hex digits");
	v = shown(f, 6, 1);
	json_object_set_new(v, "more", json_true());
	assert_int_equal(check(f, v, &d, NULL), 0); /* a later reader's */
	disclosed_free(&d);
	large = calloc(1, DISCLOSURE_MAX + 1);
	memset(large, ' ', DISCLOSURE_MAX + 1);
	assert_int_equal(
	    disclosure_check(large, DISCLOSURE_MAX + 1, f->vkey.data, &d, NULL), ARK_EINPUT);
	free(large);
	assert_int_equal(disclosure_check("{}", 2, "not a key", &d, NULL), ARK_EINPUT);
}

static void test_disclosure__there_is_none_of_what_was_never_logged(void **state)
{
	struct fixture *f = *state;
	struct buf text = BUF_INIT;

	assert_int_equal(disclosure_write(f->l, 300, 7, &text, NULL), ARK_ENOTFOUND);
	assert_int_equal(text.len, 0);
}

static void test_disclosure__the_newest_of_a_series_is_known(void **state)
{
	struct fixture *f = *state;
	const struct ledger_series document = {.document = DOCUMENT}, own = {DOCUMENT, NULL, true};
	const struct ledger_series person = {.principal = "maija"}, nobody = {.principal = "risto"};
	uint64_t sequence, index;

	assert_int_equal(ledger_newest(f->l, &document, &sequence, &index, NULL), 0);
	assert_int_equal(sequence, 200);
	assert_int_equal(index, 299);
	assert_int_equal(ledger_newest(f->l, &person, &sequence, &index, NULL), 0);
	assert_int_equal(sequence, 300);
	assert_int_equal(ledger_newest(f->l, &own, &sequence, &index, NULL), ARK_ENOTFOUND);
	assert_int_equal(ledger_newest(f->l, &nobody, &sequence, &index, NULL), ARK_ENOTFOUND);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_disclosure__shows_the_parts_that_were_asked_for),
	    cmocka_unit_test(test_disclosure__nothing_in_it_can_be_changed),
	    cmocka_unit_test(test_disclosure__a_valid_proof_of_another_entry_is_refused),
	    cmocka_unit_test(test_disclosure__signatures_of_others_do_not_count),
	    cmocka_unit_test(test_disclosure__other_shapes_are_refused),
	    cmocka_unit_test(test_disclosure__there_is_none_of_what_was_never_logged),
	    cmocka_unit_test(test_disclosure__the_newest_of_a_series_is_known),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
