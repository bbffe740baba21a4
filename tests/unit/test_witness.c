/* The witness: what it cosigns, what it refuses, and what it remembers. */
#include "tests/unit/unit.h"

#include <inttypes.h>
#include <jansson.h>
#include <pthread.h>

#include "archive/checkpoint.h"
#include "archive/witness_wire.h"
#include "arkki/archive/witness.h"
#include "arkki/base/json.h"
#include "arkki/base/text.h"

struct place {
	char dir[256], witness[300];
};

static int setup(void **state)
{
	struct place *p = calloc(1, sizeof(*p));

	assert_non_null(p);
	unit_scratch(p->dir);
	snprintf(p->witness, sizeof(p->witness), "%s/witness", p->dir);
	assert_int_equal(witness_init(p->witness, "example.com/witness", NULL), 0);
	*state = p;
	return 0;
}

static int teardown(void **state)
{
	struct place *p = *state;

	unit_scratch_end(p->dir);
	free(p);
	return 0;
}

/* Does the answer hold as a cosignature of this request's checkpoint? */
static bool cosigned(const char *dir, const char *request, const struct witness_reply *r)
{
	const char *note_text = strstr(request, "\n\n");
	struct buf b = BUF_INIT, vkey = BUF_INIT;
	struct note_key key;
	struct note note;
	bool ok;

	assert_non_null(note_text);
	assert_int_equal(witness_vkey(dir, &vkey, NULL), 0);
	assert_int_equal(note_cosigner_parse(vkey.data, &key, NULL), 0);
	buf_adds(&b, note_text + 2);
	buf_add(&b, r->body.data, r->body.len);
	ok = note_parse(b.data, b.len, &note, NULL) == 0 &&
	     note_verify_cosignature(&note, &key, NULL, NULL) == 0;
	buf_free(&b);
	buf_free(&vkey);
	return ok;
}

static int ask(struct witness *w, const char *dir, const char *body)
{
	struct witness_reply r;
	int status;

	witness_add_checkpoint(w, body, strlen(body), &r);
	status = r.status;
	if (status == 200)
		assert_true(cosigned(dir, body, &r));
	buf_free(&r.body);
	return status;
}

static void test_witness__the_session_of_torchwood_ends_as_published(void **state)
{
	struct place *p = *state;
	struct witness *w = NULL;
	struct note_key key = {.id = 0};
	unsigned char bytes[NOTE_NAME_MAX + 40], hash[32];
	struct buf vkey = BUF_INIT;
	char path[512];
	json_t *v, *q;
	size_t i, n;

	unit_corpus(path, "tlog/torchwood/add-checkpoint-session.json", __func__);
	v = json_load_file(path, 0, NULL);
	assert_non_null(v);
	snprintf(key.name, sizeof(key.name), "%s", json_text(v, "origin"));
	assert_true(hex_decode(key.public_key, 32, json_text(v, "log_public_key_hex"), 64));
	n = strlen(key.name);
	memcpy(bytes, key.name, n);
	memcpy(bytes + n, "\n\1", 2);
	memcpy(bytes + n + 2, key.public_key, 32);
	sha256_of(bytes, n + 34, hash);
	key.id = be32_get(hash);
	note_key_format(&key, &vkey);
	assert_int_equal(witness_add_log(p->witness, vkey.data, NULL, NULL), 0);
	assert_int_equal(witness_open(p->witness, &w, NULL), 0);
	json_array_foreach(json_object_get(v, "requests"), i, q)
	{
		const json_t *said = json_object_get(q, "status_in_tlog_witness_v1");
		const char *body = json_text(q, "body"), *want = json_text(q, "assert");
		int status = (int)json_integer_value(said ? said : json_object_get(q, "status"));
		struct witness_reply r;

		witness_add_checkpoint(w, body, strlen(body), &r);
		if (r.status != status)
			fail_msg("request %zu: %d, should be %d", i, r.status, status);
		if (status == 200)
			assert_true(cosigned(p->witness, body, &r));
		if (status == 409) {
			assert_string_equal(r.content_type, "text/x.tlog.size");
			assert_int_equal(strncmp(want, "body == \"", 9), 0);
			assert_int_equal(r.body.data[0], want[9]);
			assert_string_equal(r.body.data + 1, "\n");
		}
		buf_free(&r.body);
	}
	assert_int_equal(i, 9);
	witness_close(w);
	buf_free(&vkey);
	json_decref(v);
}

static void test_witness__a_log_whose_origin_is_not_its_key_name(void **state)
{
	struct place *p = *state;
	struct witness *w = NULL;
	char path[512];
	const char *body;
	json_t *v;

	unit_corpus(path, "tlog/torchwood/sumdb-add-checkpoint.json", __func__);
	v = json_load_file(path, 0, NULL);
	assert_non_null(v);
	assert_int_equal(
	    witness_add_log(p->witness, json_text(v, "vkey"), json_text(v, "origin"), NULL), 0);
	assert_int_equal(witness_open(p->witness, &w, NULL), 0);
	body = json_text(json_array_get(json_object_get(v, "requests"), 0), "body");
	assert_int_equal(ask(w, p->witness, body), 200);
	witness_close(w);
	json_decref(v);
}

static void test_witness__bodies_of_transparency_dev_are_parsed_strictly(void **state)
{
	struct witness_request *r = calloc(1, sizeof(*r));
	char path[512];
	json_t *v, *q;
	size_t i;

	(void)state;
	unit_corpus(path, "tlog/transparency-dev/witness-http.json", __func__);
	v = json_load_file(path, 0, NULL);
	json_array_foreach(json_object_get(v, "parse_body"), i, q)
	{
		/* the one that upstream takes has hashes that are not 32 bytes */
		const char *body = json_text(q, "body");

		assert_int_equal(witness_request_parse(body, strlen(body), r, NULL), ARK_EINPUT);
	}
	assert_int_equal(i, 4);
	free(r);
	json_decref(v);
}

/* ---- a log of our own ---- */

static const unsigned char log_seed[32] = {5};
static const char log_name[] = "log.example/history";

static void leaf_of(uint64_t i, struct merkle_hash *ret)
{
	struct sha256 *sha = sha256_new();

	merkle_leaf(sha, &i, sizeof(i), ret);
	sha256_free(sha);
}

/* Roots and proofs of tiny trees, by hand: sizes 1, 2 and 3. fork: another third leaf. */
static void request(struct buf *out, uint64_t from, uint64_t to, bool fork)
{
	struct merkle_hash leaf[3], two, proof[2];
	struct checkpoint c = {.size = to};
	struct buf text = BUF_INIT, note = BUF_INIT;
	struct sha256 *sha = sha256_new();
	struct note_key key;
	size_t n = 0;

	for (uint64_t i = 0; i < 3; i++)
		leaf_of(i == 2 && fork ? 99 : i, &leaf[i]);
	merkle_node(sha, &leaf[0], &leaf[1], &two);
	c.root = to == 1 ? leaf[0] : two;
	if (to == 3)
		merkle_node(sha, &two, &leaf[2], &c.root);
	if (from == 1 && to > 1)
		proof[n++] = leaf[1];
	if (from && to == 3 && from < 3)
		proof[n++] = leaf[2];
	assert_int_equal(note_key_from_seed(log_name, log_seed, &key, NULL), 0);
	checkpoint_format(log_name, &c, &text);
	assert_int_equal(note_sign(&note, text.data, text.len, &key, log_seed, NULL), 0);
	buf_clear(out);
	assert_int_equal(witness_request_format(out, from, proof, n, note.data, note.len, NULL), 0);
	sha256_free(sha);
	buf_free(&text);
	buf_free(&note);
}

static void know_own_log(const char *dir)
{
	struct buf vkey = BUF_INIT;
	struct note_key key;

	assert_int_equal(note_key_from_seed(log_name, log_seed, &key, NULL), 0);
	note_key_format(&key, &vkey);
	assert_int_equal(witness_add_log(dir, vkey.data, NULL, NULL), 0);
	assert_int_equal(witness_add_log(dir, vkey.data, NULL, NULL), ARK_ECONFLICT);
	buf_free(&vkey);
}

static int ask_own(struct witness *w, const char *dir, uint64_t from, uint64_t to, bool fork)
{
	struct buf b = BUF_INIT;
	int status;

	request(&b, from, to, fork);
	status = ask(w, dir, b.data);
	buf_free(&b);
	return status;
}

static void test_witness__it_remembers_over_a_restart_and_never_signs_a_fork(void **state)
{
	struct place *p = *state;
	struct witness *w = NULL, *second = NULL;

	know_own_log(p->witness);
	assert_int_equal(witness_open(p->witness, &w, NULL), 0);
	assert_int_equal(witness_open(p->witness, &second, NULL), ARK_ECONFLICT);
	assert_int_equal(ask_own(w, p->witness, 0, 1, false), 200);
	assert_int_equal(ask_own(w, p->witness, 1, 3, false), 200);
	witness_close(w);
	assert_int_equal(witness_open(p->witness, &w, NULL), 0);
	assert_int_equal(ask_own(w, p->witness, 3, 3, false), 200); /* the same again */
	assert_int_equal(ask_own(w, p->witness, 3, 3, true), 409);  /* another root */
	assert_int_equal(ask_own(w, p->witness, 0, 3, true), 409);
	assert_int_equal(ask_own(w, p->witness, 2, 2, false), 409); /* back */
	assert_int_equal(ask_own(w, p->witness, 3, 2, false), 400);
	witness_close(w);
}

static void test_witness__a_fork_after_what_it_saw_has_no_proof(void **state)
{
	struct place *p = *state;
	struct witness *w = NULL;
	struct buf b = BUF_INIT;
	char *line;

	know_own_log(p->witness);
	assert_int_equal(witness_open(p->witness, &w, NULL), 0);
	assert_int_equal(ask_own(w, p->witness, 0, 2, false), 200);
	request(&b, 2, 3, true);
	line = strchr(b.data, '\n') + 1; /* a hash of the proof: that of the other third leaf */
	line[0] = line[0] == 'A' ? 'B' : 'A';
	assert_int_equal(ask(w, p->witness, b.data), 422);
	assert_int_equal(ask_own(w, p->witness, 2, 3, true), 200);
	witness_close(w);
	buf_free(&b);
}

static void test_witness__a_lost_state_is_not_taken_for_a_new_log(void **state)
{
	struct place *p = *state;
	struct witness *w = NULL;
	char cmd[400];

	know_own_log(p->witness);
	assert_int_equal(witness_open(p->witness, &w, NULL), 0);
	assert_int_equal(ask_own(w, p->witness, 0, 1, false), 200);
	snprintf(cmd, sizeof(cmd), "rm -- '%s'/logs/*.checkpoint", p->witness);
	assert_int_equal(system(cmd), 0);
	assert_int_equal(ask_own(w, p->witness, 0, 1, false), 500);
	witness_close(w);
}

static void test_witness__bad_bodies_are_refused(void **state)
{
	struct place *p = *state;
	struct witness *w = NULL;
	struct witness_reply r;
	struct buf good = BUF_INIT, b = BUF_INIT;
	char *huge = malloc(WITNESS_BODY_MAX + 1);
	static const char *const bad[] = {"", "\n", "old", "old \n\n", "old 01\n\n", "old -1\n\n",
	    "old 18446744073709551616\n\n", "old 0\nAAAA\n\n", "old 0\n\n\n\n", "old 0\n\nx\n1\n",
	    "OLD 0\n\n", "old 0 \n\n"};

	know_own_log(p->witness);
	assert_int_equal(witness_open(p->witness, &w, NULL), 0);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_int_equal(ask(w, p->witness, bad[i]), 400);
	request(&good, 0, 1, false);
	/* a signature line that is none spoils the note; an unknown one and a double do not */
	buf_addf(&b, "%s\xe2\x80\x94 x\n", good.data);
	assert_int_equal(ask(w, p->witness, b.data), 400);
	buf_clear(&b);
	buf_addf(&b, "%s\xe2\x80\x94 stranger AAAAAAAA\n", good.data);
	buf_adds(&b, strstr(good.data, "\xe2\x80\x94 "));
	assert_int_equal(ask(w, p->witness, b.data), 200);
	/* 64 hashes */
	buf_clear(&b);
	buf_adds(&b, "old 1\n");
	for (int i = 0; i < 64; i++)
		buf_adds(&b, "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n");
	buf_adds(&b, strstr(good.data, "\n\n") + 1);
	assert_int_equal(ask(w, p->witness, b.data), 400);
	assert_non_null(huge);
	memset(huge, 'a', WITNESS_BODY_MAX + 1);
	witness_add_checkpoint(w, huge, WITNESS_BODY_MAX + 1, &r);
	assert_int_equal(r.status, 413);
	buf_free(&r.body);
	witness_close(w);
	buf_free(&good);
	buf_free(&b);
	free(huge);
}

struct racer {
	struct witness *w;
	const char *body;
	int status;
};

static void *race(void *arg)
{
	struct racer *r = arg;
	struct witness_reply reply;

	witness_add_checkpoint(r->w, r->body, strlen(r->body), &reply);
	r->status = reply.status;
	buf_free(&reply.body);
	return NULL;
}

static void test_witness__of_requests_at_once_only_one_follows(void **state)
{
	struct place *p = *state;
	struct witness *w = NULL;
	struct buf one = BUF_INIT, other = BUF_INIT;
	struct racer racers[8];
	pthread_t threads[8];
	int taken = 0;

	know_own_log(p->witness);
	assert_int_equal(witness_open(p->witness, &w, NULL), 0);
	assert_int_equal(ask_own(w, p->witness, 0, 2, false), 200);
	request(&one, 2, 3, false);
	request(&other, 2, 3, true);
	for (int i = 0; i < 8; i++) {
		racers[i] = (struct racer){.w = w, .body = i % 2 ? one.data : other.data};
		assert_int_equal(pthread_create(&threads[i], NULL, race, &racers[i]), 0);
	}
	for (int i = 0; i < 8; i++) {
		pthread_join(threads[i], NULL);
		assert_true(racers[i].status == 200 || racers[i].status == 409);
		taken += racers[i].status == 200;
	}
	assert_int_equal(taken, 1);
	witness_close(w);
	buf_free(&one);
	buf_free(&other);
}

#define WITH_PLACE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    WITH_PLACE(test_witness__the_session_of_torchwood_ends_as_published),
	    WITH_PLACE(test_witness__a_log_whose_origin_is_not_its_key_name),
	    WITH_PLACE(test_witness__bodies_of_transparency_dev_are_parsed_strictly),
	    WITH_PLACE(test_witness__it_remembers_over_a_restart_and_never_signs_a_fork),
	    WITH_PLACE(test_witness__a_fork_after_what_it_saw_has_no_proof),
	    WITH_PLACE(test_witness__a_lost_state_is_not_taken_for_a_new_log),
	    WITH_PLACE(test_witness__bad_bodies_are_refused),
	    WITH_PLACE(test_witness__of_requests_at_once_only_one_follows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
